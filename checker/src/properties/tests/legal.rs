//! Streams that look wrong and are not: each is something that a correct Raft does. Those of configurations, snapshots,
//! leases, reads and sessions are in `membership` and `clients`.

mod clients;
mod leaders;
mod membership;

use super::broken::committed;
use super::{Feed, Observation, Properties, Role, applied, booted, durable, entry, role, vote};

#[test]
fn a_leader_of_an_old_term_may_learn_late_that_its_entry_is_committed() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.elect(1, 2, &[1, 2]);
    feed.store(1, entry(2, 2));
    feed.commit(0, 1);
    feed.ok(0, applied(entry(1, 1), 1));
}

#[test]
fn a_leader_may_commit_what_only_the_others_have_on_disk() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.ok(0, Observation::Appended(entry(1, 1)));
    feed.ok(1, Observation::Term { term: 1 });
    feed.ok(2, Observation::Term { term: 1 });
    feed.store(1, entry(1, 1));
    feed.store(2, entry(1, 1));
    feed.ok(2, Observation::Crashed);
    feed.commit(0, 1);
    // Its own copy was never durable, so it may be gone after a crash.
    feed.ok(0, Observation::Crashed);
    feed.ok(0, booted(1, Some(0), 0, &[]));
    feed.properties.at_rest(Default::default()).unwrap();
}

#[test]
fn a_crash_may_keep_more_than_was_synced() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.ok(0, Observation::Appended(entry(1, 1)));
    feed.ok(0, Observation::Crashed);
    feed.ok(0, booted(2, Some(2), 0, &[entry(1, 1)]));
    feed.ok(0, vote(2, 2));
    // What it recovered counts as durable: with it, two of three disks hold the entry.
    feed.ok(1, Observation::Term { term: 1 });
    feed.store(1, entry(1, 1));
    feed.properties.at_rest(Default::default()).unwrap();
}

/// Node 4 holds an entry of term 1 that a leader of term 3 commits elsewhere, and hears only then from the leader of term
/// 2, which lacks it.
#[test]
fn a_node_that_lags_may_remove_an_entry_that_others_committed() {
    let mut feed = Feed::new(5);
    feed.elect(0, 1, &[0, 1, 2]);
    feed.store(0, entry(1, 1));
    feed.ok(4, Observation::Term { term: 1 });
    feed.store(4, entry(1, 1));
    feed.elect(3, 2, &[1, 2, 3]);
    feed.ok(3, Observation::Appended(entry(1, 2)));
    feed.follow(0, 2);
    feed.elect(0, 3, &[0, 1, 2]);
    feed.store(0, entry(2, 3));
    for node in [1, 2] {
        feed.store(node, entry(1, 1));
        feed.store(node, entry(2, 3));
    }
    feed.commit(0, 2);
    feed.ok(4, Observation::Term { term: 2 });
    feed.ok(4, Observation::Truncated { from: 1 });
    feed.ok(4, Observation::Appended(entry(1, 2)));
    // The crash keeps the truncation and loses the append.
    feed.ok(4, Observation::Crashed);
    feed.ok(4, booted(2, None, 0, &[]));
}

#[test]
fn a_disk_that_was_damaged_may_give_back_less_once() {
    let mut feed = committed(2);
    feed.ok(1, Observation::Crashed);
    feed.ok(1, Observation::Damaged);
    feed.ok(1, booted(0, None, 0, &[]));
    feed.ok(1, Observation::Term { term: 1 });
    feed.ok(
        1,
        Observation::DurableHardState {
            term: 1,
            voted_for: None,
        },
    );
    feed.ok(1, Observation::Crashed);
    feed.breaks(1, booted(0, None, 0, &[]), "monotonic-term/term-lost-at-restart");
}

/// Node 1 acknowledges an entry and loses its disk; only then does the leader hear of it.
#[test]
fn a_leader_may_learn_late_of_a_copy_that_a_damaged_disk_had() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.store(0, entry(1, 1));
    feed.ok(1, Observation::Term { term: 1 });
    feed.store(1, entry(1, 1));
    feed.ok(1, Observation::Crashed);
    feed.ok(1, Observation::Damaged);
    feed.ok(1, booted(0, None, 0, &[]));
    feed.commit(0, 1);
    let lost = feed.properties.at_rest(Default::default()).unwrap_err();
    assert_eq!(lost.signature(), "committed-durable/copies-lost");
}

#[test]
fn a_vote_may_leave_again_and_late() {
    let mut feed = Feed::new(3);
    feed.vote(1, 1, 0);
    feed.ok(1, vote(1, 0));
    feed.ok(1, durable(4, None));
    feed.ok(1, vote(1, 0));
    feed.ok(1, vote(3, 2));
}

#[test]
fn a_divergent_tail_is_replaced() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.store(0, entry(1, 1));
    feed.store(0, entry(2, 1));
    feed.store(1, entry(1, 1));
    feed.commit(0, 1);
    feed.elect(1, 2, &[1, 2]);
    feed.store(1, entry(2, 2));
    feed.follow(0, 2);
    feed.ok(0, Observation::Truncated { from: 2 });
    feed.ok(0, Observation::Appended(entry(2, 2)));
    feed.ok(0, Observation::DurableTruncated { from: 2 });
    feed.ok(0, Observation::DurableAppended(entry(2, 2)));
    feed.commit(1, 2);
    feed.commit(0, 2);
}

#[test]
fn without_pre_vote_a_follower_stands_directly_and_a_candidate_again() {
    let mut properties = Properties::new(3).pre_vote(false);
    for (taken, term) in [
        (Role::Candidate, 1),
        (Role::Candidate, 2),
        (Role::Leader, 2),
        (Role::Follower, 2),
    ] {
        properties.observe(Default::default(), 0, &role(taken, term)).unwrap();
    }
}

#[test]
fn a_node_restarts_from_a_snapshot_of_committed_entries() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    for index in 1..=4 {
        feed.store(0, entry(index, 1));
        feed.store(1, entry(index, 1));
    }
    feed.commit(0, 3);
    feed.ok(1, Observation::Crashed);
    let entries = &[entry(3, 1), entry(4, 1)];
    feed.ok(1, booted(1, Some(0), 2, entries));
    feed.commit(0, 4);
    feed.commit(1, 4);
    feed.ok(1, applied(entry(3, 1), 3));
}

#[test]
fn a_snapshot_holds_the_entries_that_it_covers() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.ok(2, Observation::Term { term: 1 });
    for index in 1..=3 {
        feed.store(0, entry(index, 1));
        feed.store(2, entry(index, 1));
    }
    feed.store(1, entry(1, 1));
    feed.commit(0, 3);
    feed.ok(1, Observation::Crashed);
    feed.ok(1, booted(1, Some(0), 3, &[]));
}

#[test]
fn a_cluster_of_one_elects_and_commits_alone() {
    let mut feed = Feed::new(1);
    feed.elect(0, 1, &[0]);
    feed.store(0, entry(1, 1));
    feed.commit(0, 1);
    assert_eq!(feed.properties.committed(), 1);
}
