//! Streams that break the properties of terms, votes and roles.

use super::super::{Feed, Observation, Role, booted, durable, entry, role, vote};
use super::led;

#[test]
fn election_safety_second_leader() {
    let mut feed = led();
    feed.stand_in_same_term(2, 1);
    feed.breaks(2, role(Role::Leader, 1), "election-safety/second-leader");
}

#[test]
fn election_safety_second_leader_after_the_first_is_gone() {
    let mut feed = led();
    feed.ok(0, Observation::Crashed);
    feed.stand_in_same_term(2, 1);
    feed.breaks(2, role(Role::Leader, 1), "election-safety/second-leader");
}

#[test]
fn election_safety_term_won_twice() {
    let mut feed = led();
    feed.follow(0, 1);
    feed.stand_in_same_term(0, 1);
    feed.breaks(0, role(Role::Leader, 1), "election-safety/term-won-twice");
}

#[test]
fn one_durable_vote_second_vote() {
    let mut feed = led();
    feed.breaks(1, vote(1, 2), "one-durable-vote/second-vote");
}

#[test]
fn one_durable_vote_second_vote_in_an_earlier_term() {
    let mut feed = led();
    feed.vote(1, 3, 2);
    feed.breaks(1, vote(1, 2), "one-durable-vote/second-vote");
}

#[test]
fn one_durable_vote_not_durable() {
    let mut feed = Feed::new(3);
    feed.ok(1, durable(1, None));
    feed.breaks(1, vote(1, 2), "one-durable-vote/vote-not-durable");
}

#[test]
fn one_durable_vote_changed_on_disk() {
    for voted_for in [None, Some(2)] {
        let mut feed = led();
        feed.breaks(1, durable(1, voted_for), "one-durable-vote/durable-vote-changed");
    }
}

#[test]
fn one_durable_vote_lost_at_restart() {
    for voted_for in [None, Some(2)] {
        let mut feed = led();
        feed.ok(1, Observation::Crashed);
        feed.breaks(1, booted(1, voted_for, 0, &[]), "one-durable-vote/vote-lost-at-restart");
    }
}

#[test]
fn monotonic_term_fell() {
    let mut feed = Feed::new(3);
    feed.ok(0, Observation::Term { term: 5 });
    feed.breaks(0, Observation::Term { term: 4 }, "monotonic-term/term-fell");
}

#[test]
fn monotonic_term_role_in_an_earlier_term() {
    let mut feed = Feed::new(3);
    feed.ok(0, Observation::Term { term: 5 });
    feed.breaks(0, role(Role::Follower, 4), "monotonic-term/term-fell");
}

#[test]
fn monotonic_term_fell_on_disk() {
    let mut feed = Feed::new(3);
    feed.ok(0, durable(5, None));
    feed.breaks(0, durable(4, None), "monotonic-term/durable-term-fell");
}

#[test]
fn monotonic_term_lost_at_restart() {
    let mut feed = led();
    feed.ok(1, Observation::Crashed);
    feed.breaks(1, booted(0, None, 0, &[]), "monotonic-term/term-lost-at-restart");
}

#[test]
fn monotonic_term_along_the_log() {
    let mut feed = Feed::new(3);
    feed.ok(0, Observation::Term { term: 2 });
    feed.ok(0, Observation::Appended(entry(1, 2)));
    feed.breaks(0, Observation::Appended(entry(2, 1)), "monotonic-term/log-term-fell");
}

#[test]
fn monotonic_term_along_a_recovered_log() {
    let entries = &[entry(1, 2), entry(2, 1)];
    let mut feed = Feed::new(3);
    feed.breaks(0, booted(2, None, 0, entries), "monotonic-term/log-term-fell");
    let mut feed = Feed::new(3);
    feed.breaks(0, booted(1, None, 0, entries), "monotonic-term/entry-of-a-later-term");
}

#[test]
fn monotonic_term_entry_of_a_later_term() {
    let mut feed = Feed::new(3);
    feed.ok(0, Observation::Term { term: 2 });
    feed.breaks(
        0,
        Observation::Appended(entry(1, 3)),
        "monotonic-term/entry-of-a-later-term",
    );
}

#[test]
fn legal_roles_each_illegal_step() {
    use Role::{Candidate, Follower, Leader, Learner, PreCandidate};
    for (path, signature) in [
        (&[Leader][..], "legal-roles/follower-to-leader"),
        (&[Candidate], "legal-roles/skipped-pre-vote"),
        (&[PreCandidate, Leader], "legal-roles/pre-candidate-to-leader"),
        (
            &[PreCandidate, Candidate, Leader, Candidate],
            "legal-roles/leader-campaigns",
        ),
        (
            &[PreCandidate, Candidate, Leader, PreCandidate],
            "legal-roles/leader-campaigns",
        ),
        (&[Learner, PreCandidate], "legal-roles/learner-campaigns"),
        (&[Learner, Candidate], "legal-roles/learner-campaigns"),
        (&[Learner, Follower, Leader], "legal-roles/follower-to-leader"),
    ] {
        let mut feed = Feed::new(3);
        let (last, before) = path.split_last().expect("a path has a step");
        for step in before {
            feed.ok(0, role(*step, 1));
        }
        feed.breaks(0, role(*last, 1), signature);
    }
}

#[test]
fn legal_roles_in_another_term() {
    let mut feed = led();
    feed.breaks(0, role(Role::Leader, 2), "legal-roles/leader-changed-term");
    let mut feed = Feed::new(3);
    feed.stand(0, 1);
    feed.breaks(0, role(Role::Candidate, 2), "legal-roles/skipped-pre-vote");
    let mut feed = Feed::new(3);
    feed.stand(0, 1);
    feed.breaks(0, role(Role::Leader, 2), "legal-roles/won-another-term");
}

#[test]
fn legal_roles_no_restart_as_leader() {
    let mut feed = led();
    feed.ok(0, Observation::Crashed);
    feed.ok(0, booted(1, Some(0), 0, &[]));
    feed.breaks(0, role(Role::Leader, 1), "legal-roles/follower-to-leader");
}
