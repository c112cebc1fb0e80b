//! What nodes do beside a leader, and leaders towards their members, that looks wrong and is not.

use super::super::super::Timing;
use super::super::{Feed, Observation, Role, TIMING, booted, entry, role, timed};
use super::committed;

/// Node 0 leads term 1; node 1 heard it at 1,000 ns of its clock.
fn heard() -> Feed {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    let mut feed = timed(feed);
    feed.ok(1, Observation::LeaderHeard { term: 1, clock: 1_000 });
    feed
}

#[test]
fn a_node_helps_a_candidate_when_its_leader_has_been_silent_for_long_enough() {
    let mut feed = heard();
    feed.ok(1, Observation::PreVoteGranted { term: 2, clock: 1_150 });
    feed.ok(1, Observation::VoteAsked { term: 2, clock: 1_150 });
    feed.also(1, Observation::Term { term: 2 });
}

#[test]
fn a_node_forgets_a_leader_with_its_term_and_with_its_life() {
    let mut feed = heard();
    feed.ok(1, Observation::Term { term: 2 });
    feed.ok(1, Observation::PreVoteGranted { term: 3, clock: 1_001 });
    let mut feed = heard();
    feed.ok(1, Observation::Crashed);
    feed.ok(1, booted(1, Some(0), 0, &[]));
    feed.ok(1, Observation::PreVoteGranted { term: 2, clock: 1_001 });
}

#[test]
fn a_candidate_that_is_not_heard_may_be_followed_by_one_that_is() {
    // The order of the leader makes the second one heard, in the next event.
    let mut feed = heard();
    feed.ok(1, Observation::VoteAsked { term: 2, clock: 1_001 });
    feed.ok(1, Observation::Term { term: 2 });
    // A leader of a later term is heard at once, whoever asked in vain before.
    let mut feed = heard();
    feed.ok(1, Observation::VoteAsked { term: 2, clock: 1_001 });
    feed.also(1, Observation::LeaderHeard { term: 3, clock: 1_001 });
    feed.also(1, Observation::Term { term: 3 });
}

#[test]
fn a_candidate_has_the_pre_votes_of_a_quorum_or_the_order_of_a_leader() {
    let mut feed = heard();
    feed.ok(1, role(Role::PreCandidate, 1));
    feed.ok(1, Observation::PreVoteReceived { term: 2, from: 2 });
    feed.also(1, role(Role::Candidate, 2));
    // A late copy of a pre-vote of an earlier term takes none of them away.
    let mut feed = timed(Feed::new(4));
    feed.ok(1, Observation::Term { term: 4 });
    feed.ok(1, role(Role::PreCandidate, 4));
    feed.ok(1, Observation::PreVoteReceived { term: 5, from: 3 });
    feed.ok(1, Observation::PreVoteReceived { term: 4, from: 3 });
    feed.ok(1, Observation::PreVoteReceived { term: 5, from: 0 });
    feed.also(1, role(Role::Candidate, 5));
    // Nor one for a later term, of an earlier life whose term did not become durable.
    let mut feed = timed(Feed::new(4));
    feed.ok(1, role(Role::PreCandidate, 0));
    feed.ok(1, Observation::PreVoteReceived { term: 2, from: 3 });
    feed.ok(1, Observation::PreVoteReceived { term: 1, from: 3 });
    feed.ok(1, Observation::PreVoteReceived { term: 1, from: 0 });
    feed.also(1, role(Role::Candidate, 1));
    let mut feed = heard();
    feed.ok(2, Observation::Term { term: 1 });
    feed.ok(2, Observation::TransferReceived { term: 1 });
    feed.also(2, role(Role::Candidate, 2));
    // Alone, its own is a quorum.
    let mut feed = timed(Feed::new(1));
    feed.ok(0, role(Role::PreCandidate, 0));
    feed.also(0, role(Role::Candidate, 1));
}

#[test]
fn without_pre_vote_or_check_quorum_nobody_waits() {
    let mut feed = heard();
    feed.properties = feed.properties.pre_vote(false);
    feed.ok(1, Observation::LeaderHeard { term: 1, clock: 1_000 });
    feed.ok(1, Observation::PreVoteGranted { term: 2, clock: 1_001 });
    feed.ok(1, role(Role::Candidate, 2));
    let mut feed = heard();
    feed.properties = feed.properties.timing(Timing {
        check_quorum: false,
        ..TIMING
    });
    feed.ok(1, Observation::LeaderHeard { term: 1, clock: 1_000 });
    feed.ok(1, Observation::VoteAsked { term: 2, clock: 1_001 });
    feed.also(1, Observation::Term { term: 2 });
}

#[test]
fn one_that_is_no_leader_any_more_may_be_silent() {
    let mut feed = heard();
    feed.follow(0, 1);
    feed.ok(
        0,
        Observation::MemberSilent {
            member: 1,
            silence: 1_000,
            answered: Some(1_000),
        },
    );
}

fn progress(acquaintance: u64, match_index: u64) -> Observation<'static> {
    Observation::MemberProgress {
        member: 1,
        acquaintance,
        match_index,
        next_index: match_index + 1,
        messages: 0,
        bytes: 0,
    }
}

#[test]
fn a_leader_begins_anew_with_a_member_that_it_meets_again_and_in_another_term() {
    let mut feed = committed(2);
    feed.ok(0, progress(1, 2));
    feed.ok(0, progress(2, 0));
    feed.ok(0, progress(2, 1));
    feed.follow(0, 1);
    feed.elect(0, 2, &[0, 1]);
    feed.ok(0, progress(2, 0));
}

#[test]
fn an_acknowledgement_may_be_out_of_date_when_it_arrives() {
    // Node 1 has acknowledged entry 2, and then lost it to the leader of term 2.
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.elect(2, 2, &[1, 2]);
    feed.ok(1, Observation::Truncated { from: 1 });
    feed.ok(1, Observation::DurableTruncated { from: 1 });
    feed.ok(0, progress(1, 1));
    // Or its disk has failed it since.
    let mut feed = committed(2);
    feed.ok(1, Observation::Crashed);
    feed.ok(1, Observation::Damaged);
    feed.ok(1, booted(1, Some(0), 0, &[entry(1, 1)]));
    feed.ok(0, progress(1, 2));
}

#[test]
fn what_is_under_way_and_uncommitted_may_be_anything_while_something_is() {
    let mut feed = committed(2);
    feed.ok(0, Observation::Appended(entry(3, 1)));
    feed.ok(0, Observation::Uncommitted { bytes: 9 });
    feed.ok(
        0,
        Observation::MemberProgress {
            member: 1,
            acquaintance: 1,
            match_index: 2,
            next_index: 4,
            messages: 1,
            bytes: 0,
        },
    );
}

#[test]
fn a_leader_that_hands_over_leaves_a_joint_configuration() {
    let mut feed = committed(1);
    feed.ok(0, Observation::TransferBegun);
    feed.configure(0, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.ok(0, Observation::TransferEnded);
    feed.store(0, entry(3, 1));
    feed.ok(0, Observation::LeaseDropped);
    // Another leader's entries reach one that handed over.
    let mut feed = committed(1);
    feed.ok(0, Observation::TransferBegun);
    feed.elect(1, 2, &[0, 1]);
    feed.follow(0, 2);
    feed.store(1, entry(2, 2));
    feed.store(0, entry(2, 2));
    feed.ok(0, Observation::LeaseDropped);
}

#[test]
fn a_leader_may_look_for_the_end_of_a_log_again_and_again() {
    let refused = |acquaintance, prev_index, match_index, next_index| Observation::MemberRefused {
        member: 1,
        acquaintance,
        prev_index,
        match_index,
        next_index,
    };
    let mut feed = committed(2);
    feed.store(0, entry(3, 1));
    feed.store(0, entry(4, 1));
    // Two terms above entry 0, and none that node 1 has above entry 2.
    for next in [4, 3, 2] {
        feed.ok(0, refused(1, next, 0, next));
    }
    // The member has more, is met anew, or has restarted: another search.
    for next in [4, 3] {
        feed.ok(0, refused(1, next, 2, next));
    }
    for next in [4, 3, 2] {
        feed.ok(0, refused(2, next, 0, next));
    }
    feed.ok(1, Observation::Crashed);
    feed.ok(1, booted(1, Some(0), 0, &[entry(1, 1), entry(2, 1)]));
    for next in [4, 3, 2] {
        feed.ok(0, refused(2, next, 0, next));
    }
    // Who leads no more asks nobody.
    feed.follow(0, 2);
    feed.ok(0, refused(2, 2, 0, 3));
}

#[test]
fn a_leader_may_quit_once_its_removal_is_committed_or_for_another_reason() {
    let removed = || {
        let mut feed = committed(1);
        feed.store(2, entry(1, 1));
        feed.configure(0, entry(2, 1), &[1, 2], &[]);
        feed
    };
    let mut feed = removed();
    for node in [1, 2] {
        feed.configure(node, entry(2, 1), &[1, 2], &[]);
    }
    feed.commit(0, 2);
    feed.also(0, role(Role::Follower, 1));
    // Later; or at once, because it hears no quorum.
    let mut feed = removed();
    feed.follow(0, 1);
    let mut feed = removed();
    feed.also(0, Observation::MemberLost { member: 2 });
    feed.also(0, role(Role::Follower, 1));
    // At once, for a later term; or without being removed.
    let mut feed = removed();
    feed.also(0, Observation::Term { term: 2 });
    feed.also(0, role(Role::Follower, 2));
    let mut feed = committed(1);
    feed.configure(0, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.also(0, role(Role::Follower, 1));
}
