//! Streams that break the properties of configurations and of snapshots that are installed.

use super::super::{Feed, Observation, Role, booted, configuration, entry, role};
use super::committed;

fn active(index: u64) -> Observation<'static> {
    Observation::ConfigurationActive { index }
}

#[test]
fn configuration_of_log_after_an_append() {
    let mut feed = committed(1);
    feed.ok(0, Observation::Appended(entry(2, 1)));
    feed.also(0, configuration(2, &[0, 1, 2, 3], &[]));
    feed.leaves("configuration-of-log/not-the-last-of-the-log");
}

#[test]
fn configuration_of_log_after_a_truncation() {
    let mut feed = led();
    feed.configure(1, entry(1, 1), &[0, 1, 2, 3], &[]);
    feed.ok(1, Observation::Truncated { from: 1 });
    feed.leaves("configuration-of-log/not-the-last-of-the-log");
}

#[test]
fn configuration_of_log_too_old_a_configuration() {
    let mut feed = led();
    feed.configure(1, entry(1, 1), &[0, 1, 2, 3], &[]);
    feed.configure(1, entry(2, 1), &[0, 1, 2], &[0, 1, 2, 3]);
    feed.ok(1, active(1));
    feed.leaves("configuration-of-log/not-the-last-of-the-log");
}

#[test]
fn configuration_of_log_after_a_boot() {
    let mut feed = led();
    feed.configure(1, entry(1, 1), &[0, 1, 2, 3], &[]);
    feed.ok(1, Observation::Crashed);
    feed.ok(1, booted(1, Some(0), 0, &[entry(1, 1)]));
    feed.leaves("configuration-of-log/not-the-last-of-the-log");
}

/// Nodes 0 and 1 hold and committed entry 1, with a configuration of four, and entry 2; node 2 holds nothing.
fn four() -> Feed {
    let mut feed = led();
    for node in [0, 1, 3] {
        feed.store(node, entry(1, 1));
    }
    feed.commit(0, 1);
    for node in [3, 0, 1] {
        feed.configure(node, entry(2, 1), &[3, 2, 1, 0], &[]);
    }
    feed.commit(0, 2);
    feed
}

/// As [`led`], with node 3 up too.
fn led() -> Feed {
    let mut feed = super::led();
    feed.ok(3, booted(1, None, 0, &[]));
    feed
}

#[test]
fn configuration_of_log_after_an_install() {
    let mut feed = four();
    feed.ok(2, Observation::Installed { term: 1, index: 2 });
    feed.also(2, configuration(2, &[0, 1, 2, 3], &[]));
    feed.leaves("configuration-of-log/not-the-last-of-the-log");
}

#[test]
fn configuration_of_log_snapshot_differs() {
    let mut feed = four();
    feed.store(0, entry(3, 1));
    feed.store(1, entry(3, 1));
    feed.store(3, entry(3, 1));
    feed.commit(0, 3);
    feed.ok(2, Observation::Installed { term: 1, index: 3 });
    feed.events -= 1; // The same event.
    feed.breaks(
        2,
        configuration(3, &[0, 1, 2], &[]),
        "configuration-of-log/snapshot-differs",
    );
}

#[test]
fn configuration_of_log_entry_differs() {
    let mut feed = four();
    feed.store(2, entry(1, 1));
    feed.ok(2, Observation::Appended(entry(2, 1)));
    feed.breaks(
        2,
        configuration(2, &[0, 1, 2], &[]),
        "configuration-of-log/entry-differs",
    );
}

#[test]
fn configuration_of_log_not_in_log() {
    led().breaks(1, active(1), "configuration-of-log/not-in-log");
    led().breaks(1, configuration(1, &[0], &[]), "configuration-of-log/not-in-log");
}

#[test]
fn one_change_at_a_time_before_own_term() {
    let mut feed = committed(1);
    feed.elect(1, 2, &[1, 2]);
    feed.configure(1, entry(2, 2), &[0, 1, 2, 3], &[]);
    feed.leaves("one-change-at-a-time/before-own-term");
}

#[test]
fn one_change_at_a_time_second_uncommitted_change() {
    let mut feed = committed(1);
    feed.configure(0, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.configure(0, entry(3, 1), &[0, 1, 2, 3, 4], &[]);
    feed.leaves("one-change-at-a-time/second-uncommitted-change");
}

#[test]
fn one_change_at_a_time_left_uncommitted_joint() {
    let mut feed = committed(1);
    feed.configure(0, entry(2, 1), &[0, 1, 3], &[0, 1, 2]);
    feed.configure(0, entry(3, 1), &[0, 1, 3], &[]);
    feed.leaves("one-change-at-a-time/left-uncommitted-joint");
}

#[test]
fn one_change_at_a_time_is_judged_at_a_crash() {
    let mut feed = committed(1);
    feed.configure(0, entry(2, 1), &[0, 1, 3], &[0, 1, 2]);
    feed.configure(0, entry(3, 1), &[0, 1, 3], &[]);
    let violation = feed.observe(0, Observation::Crashed).unwrap_err();
    assert_eq!(violation.signature(), "one-change-at-a-time/left-uncommitted-joint");
}

#[test]
fn quorum_overlap_commit() {
    // From {0, 1, 2} to {0, 3, 4} in one simple step.
    let mut feed = committed(1);
    for node in [3, 4] {
        feed.ok(node, booted(1, None, 0, &[]));
        feed.store(node, entry(1, 1));
        feed.configure(node, entry(2, 1), &[0, 3, 4], &[]);
    }
    feed.configure(0, entry(2, 1), &[0, 3, 4], &[]);
    feed.breaks(
        0,
        Observation::Committed { index: 2 },
        "quorum-overlap/disjoint-quorums",
    );
}

#[test]
fn quorum_overlap_election() {
    let mut feed = committed(1);
    for node in [1, 3] {
        feed.ok(node, Observation::Term { term: 1 });
    }
    feed.store(3, entry(1, 1));
    feed.configure(3, entry(2, 1), &[3, 4, 5], &[]);
    feed.stand(3, 2);
    feed.breaks(3, role(Role::Leader, 2), "quorum-overlap/disjoint-quorums");
}

#[test]
fn quorum_overlap_looks_at_the_election_before() {
    // Both are one server away from {0, 1, 2, 3}, and {2, 3, 4} and {0, 1} are majorities of them.
    let mut feed = Feed::new(4);
    feed.elect(0, 1, &[0, 1, 2]);
    feed.ok(3, Observation::Term { term: 1 });
    for node in 0..4 {
        feed.store(node, entry(1, 1));
    }
    feed.commit(0, 1);
    feed.configure(3, entry(2, 1), &[0, 1, 2, 3, 4], &[]);
    feed.stand(3, 2);
    feed.ok(3, role(Role::Leader, 2));
    feed.ok(1, Observation::Term { term: 2 });
    feed.configure(1, entry(2, 2), &[0, 1, 2], &[]);
    feed.stand(1, 3);
    feed.breaks(1, role(Role::Leader, 3), "quorum-overlap/disjoint-quorums");
}

#[test]
fn committed_durable_under_a_new_configuration() {
    let mut feed = committed(1);
    // Two of three are no majority of four.
    feed.configure(0, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.configure(1, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.breaks(
        0,
        Observation::Committed { index: 2 },
        "committed-durable/too-few-copies",
    );
}

#[test]
fn committed_durable_joint_needs_both_majorities() {
    // Each is a majority of one voter set and half of the other.
    for holders in [[1, 2], [3, 4]] {
        let mut feed = committed(1);
        for node in holders {
            feed.ok(node, Observation::Term { term: 1 });
            if node != 1 {
                feed.store(node, entry(1, 1));
            }
            feed.configure(node, entry(2, 1), &[0, 3, 4], &[0, 1, 2]);
        }
        feed.configure(0, entry(2, 1), &[0, 3, 4], &[0, 1, 2]);
        feed.breaks(
            0,
            Observation::Committed { index: 2 },
            "committed-durable/too-few-copies",
        );
    }
}

#[test]
fn committed_durable_copies_lost_by_the_new_voters() {
    let mut feed = four();
    feed.properties.at_rest(Default::default()).unwrap();
    feed.ok(3, Observation::DurableTruncated { from: 2 });
    let violation = feed.properties.at_rest(Default::default()).unwrap_err();
    assert_eq!(violation.signature(), "committed-durable/copies-lost");
}

#[test]
fn legal_roles_not_a_voter() {
    let mut feed = four();
    // Node 4 holds the log, and its configuration does not name it.
    feed.ok(4, Observation::Term { term: 1 });
    feed.store(4, entry(1, 1));
    feed.configure(4, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.ok(4, role(Role::PreCandidate, 1));
    feed.breaks(4, role(Role::Candidate, 2), "legal-roles/not-a-voter");
}

#[test]
fn legal_roles_a_learner_is_not_a_voter() {
    let mut feed = committed(1);
    feed.ok(3, Observation::Term { term: 1 });
    feed.store(3, entry(1, 1));
    feed.ok(3, Observation::Appended(entry(2, 1)));
    feed.also(
        3,
        Observation::ConfigurationAppended {
            index: 2,
            voters: &[0, 1, 2],
            outgoing: &[],
            learners: &[3],
        },
    );
    feed.also(3, active(2));
    feed.ok(3, role(Role::PreCandidate, 1));
    feed.breaks(3, role(Role::Candidate, 2), "legal-roles/not-a-voter");
}

#[test]
fn legal_roles_transfer_of_another_term() {
    let mut feed = led();
    feed.ok(1, Observation::TransferReceived { term: 1 });
    feed.breaks(1, role(Role::Candidate, 3), "legal-roles/skipped-pre-vote");
    let mut feed = led();
    feed.ok(1, Observation::TransferReceived { term: 1 });
    feed.breaks(1, role(Role::Leader, 2), "legal-roles/follower-to-leader");
}

#[test]
fn snapshots_beyond_and_beside_the_committed_log() {
    for installed in [
        Observation::Installed { term: 1, index: 3 },
        Observation::DurableInstalled { term: 1, index: 3 },
    ] {
        committed(2).breaks(2, installed, "index-order/snapshot-beyond-commit");
    }
    for installed in [
        Observation::Installed { term: 2, index: 2 },
        Observation::DurableInstalled { term: 2, index: 2 },
    ] {
        committed(2).breaks(2, installed, "state-machine-safety/installed-another-entry");
    }
}

#[test]
fn snapshots_behind_the_commit_index_and_on_a_leader() {
    let mut feed = committed(2);
    feed.commit(1, 2);
    let installed = Observation::Installed { term: 1, index: 1 };
    feed.breaks(1, installed, "monotonic-commit/commit-fell");
    committed(2).breaks(
        0,
        Observation::Installed { term: 1, index: 2 },
        "leader-append-only/leader-installed",
    );
}

#[test]
fn snapshots_replace_a_log_that_lacks_their_last_entry() {
    let mut feed = committed(2);
    feed.store(2, entry(1, 1));
    feed.ok(2, Observation::Installed { term: 1, index: 2 });
    feed.breaks(2, Observation::Appended(entry(2, 1)), "index-order/hole-or-overlap");
}

#[test]
fn members_may_be_told_before_they_are_seen() {
    let mut feed = Feed::new(1);
    feed.elect(0, 1, &[0]);
    feed.store(0, entry(1, 1));
    feed.commit(0, 1);
    feed.configure(0, entry(2, 1), &[0, 9], &[]);
    feed.breaks(
        0,
        Observation::Committed { index: 2 },
        "committed-durable/too-few-copies",
    );
}
