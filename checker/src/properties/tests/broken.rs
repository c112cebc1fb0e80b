//! One stream for each rule of each property, which breaks that rule and nothing before it.
//!
//! Here: logs, commits and state. Terms, votes and roles are in `elections`, configurations and snapshots in `membership`,
//! leases, reads and sessions in `clients`, and what leaders do for their members and these for them in `leaders`.

mod clients;
mod elections;
mod leaders;
mod membership;

use super::super::PROPERTIES;
use super::{At, EntryMark, Feed, Observation, Role, applied, booted, entry, role};

/// Three nodes; node 0 leads term 1, elected by 0 and 1.
fn led() -> Feed {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.ok(2, Observation::Term { term: 1 });
    feed
}

/// As [`led`], with entries 1 to `last` of term 1 on the disks of nodes 0 and 1, committed by node 0.
pub(super) fn committed(last: u64) -> Feed {
    let mut feed = led();
    for index in 1..=last {
        feed.store(0, entry(index, 1));
        feed.store(1, entry(index, 1));
    }
    feed.commit(0, last);
    feed
}

#[test]
fn leader_append_only_leader_truncated() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.breaks(
        0,
        Observation::Truncated { from: 1 },
        "leader-append-only/leader-truncated",
    );
}

#[test]
fn leader_append_only_foreign_entry() {
    let mut feed = Feed::new(3);
    feed.elect(0, 2, &[0, 1]);
    feed.breaks(
        0,
        Observation::Appended(entry(1, 1)),
        "leader-append-only/foreign-entry",
    );
}

#[test]
fn log_matching_other_content() {
    let mut feed = led();
    feed.ok(0, Observation::Appended(entry(1, 1)));
    let other = EntryMark {
        digest: 7,
        ..entry(1, 1)
    };
    feed.breaks(1, Observation::Appended(other), "log-matching/other-log");
}

#[test]
fn log_matching_other_log_before_an_equal_entry() {
    let mut feed = Feed::new(3);
    for node in 0..3 {
        feed.ok(node, Observation::Term { term: 2 });
    }
    feed.ok(0, Observation::Appended(entry(1, 1)));
    feed.ok(0, Observation::Appended(entry(2, 2)));
    feed.ok(1, Observation::Appended(entry(1, 2)));
    feed.breaks(1, Observation::Appended(entry(2, 2)), "log-matching/other-log");
}

#[test]
fn log_matching_remembers_removed_entries() {
    for removed in [1, 2, 3] {
        let mut feed = Feed::new(3);
        feed.ok(0, Observation::Term { term: 3 });
        feed.ok(1, Observation::Term { term: 3 });
        for term in [2, 1, 3] {
            feed.ok(0, Observation::Appended(entry(1, term)));
            feed.ok(0, Observation::Truncated { from: 1 });
        }
        let other = EntryMark {
            digest: 7,
            ..entry(1, removed)
        };
        feed.breaks(1, Observation::Appended(other), "log-matching/other-log");
    }
}

#[test]
fn log_matching_on_disk() {
    let mut feed = led();
    feed.ok(0, Observation::Appended(entry(1, 1)));
    let other = EntryMark {
        digest: 7,
        ..entry(1, 1)
    };
    feed.breaks(0, Observation::DurableAppended(other), "log-matching/other-log");
}

#[test]
fn log_matching_recovered() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.ok(0, Observation::Crashed);
    let entries = &[EntryMark {
        digest: 7,
        ..entry(1, 1)
    }];
    feed.breaks(0, booted(1, Some(0), 0, entries), "log-matching/other-log");
}

#[test]
fn leader_completeness_at_the_election() {
    let mut feed = committed(2);
    feed.store(2, entry(1, 1));
    feed.stand(2, 2);
    feed.breaks(2, role(Role::Leader, 2), "leader-completeness/lacks-committed-entry");
}

#[test]
fn leader_completeness_at_a_late_commit() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.stand(2, 2);
    feed.ok(2, role(Role::Leader, 2));
    feed.breaks(
        0,
        Observation::Committed { index: 1 },
        "leader-completeness/lacks-committed-entry",
    );
}

#[test]
fn state_machine_safety_committed_another_entry() {
    let mut feed = committed(1);
    feed.ok(2, Observation::Term { term: 2 });
    feed.ok(2, Observation::Appended(entry(1, 2)));
    feed.breaks(
        2,
        Observation::Committed { index: 1 },
        "state-machine-safety/committed-another-entry",
    );
}

#[test]
fn state_machine_safety_committed_over_another_entry() {
    let mut feed = committed(1);
    feed.ok(2, Observation::Term { term: 2 });
    feed.ok(2, Observation::Appended(entry(1, 2)));
    feed.ok(2, Observation::Appended(entry(2, 2)));
    feed.breaks(
        2,
        Observation::Committed { index: 2 },
        "state-machine-safety/committed-another-entry",
    );
}

#[test]
fn state_machine_safety_applied_another_entry() {
    let mut feed = committed(2);
    feed.ok(0, applied(entry(1, 1), 1));
    let other = EntryMark {
        digest: 7,
        ..entry(2, 1)
    };
    feed.breaks(0, applied(other, 2), "state-machine-safety/applied-another-entry");
}

#[test]
fn committed_durable_too_few_copies() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    // In memory everywhere, on one disk of three.
    feed.ok(1, Observation::Appended(entry(1, 1)));
    feed.ok(2, Observation::Appended(entry(1, 1)));
    feed.breaks(
        0,
        Observation::Committed { index: 1 },
        "committed-durable/too-few-copies",
    );
}

#[test]
fn committed_durable_half_is_no_majority() {
    let mut feed = Feed::new(4);
    feed.elect(0, 1, &[0, 1, 2]);
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.breaks(
        0,
        Observation::Committed { index: 1 },
        "committed-durable/too-few-copies",
    );
}

#[test]
fn committed_durable_counts_voters_only() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    for learner in [3, 4] {
        feed.ok(learner, booted(0, None, 0, &[]));
        feed.ok(learner, role(Role::Learner, 1));
        feed.store(learner, entry(1, 1));
    }
    feed.breaks(
        0,
        Observation::Committed { index: 1 },
        "committed-durable/too-few-copies",
    );
}

#[test]
fn committed_durable_counts_what_the_disk_lost_no_more() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.ok(1, Observation::Truncated { from: 1 });
    feed.ok(1, Observation::DurableTruncated { from: 1 });
    feed.breaks(
        0,
        Observation::Committed { index: 1 },
        "committed-durable/too-few-copies",
    );
}

#[test]
fn committed_durable_ahead_of_leaders() {
    let mut feed = committed(1);
    feed.store(0, entry(2, 1));
    feed.store(1, entry(2, 1));
    feed.breaks(
        1,
        Observation::Committed { index: 2 },
        "committed-durable/ahead-of-leaders",
    );
}

#[test]
fn committed_durable_a_leader_that_is_down_commits_nothing() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.ok(0, Observation::Crashed);
    feed.breaks(
        0,
        Observation::Committed { index: 1 },
        "committed-durable/ahead-of-leaders",
    );
}

#[test]
fn committed_durable_copies_lost() {
    let mut feed = committed(2);
    feed.properties
        .at_rest(At::default())
        .expect("two of three disks hold both entries");
    // The disk alone forgets: the node's memory never removed the entry.
    feed.ok(1, Observation::DurableTruncated { from: 2 });
    let violation = feed
        .properties
        .at_rest(At::default())
        .expect_err("one disk of three holds entry 2");
    assert_eq!(violation.signature(), "committed-durable/copies-lost");
}

#[test]
fn commit_own_term_earlier_entry() {
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.elect(1, 2, &[1, 2]);
    feed.breaks(
        1,
        Observation::Committed { index: 1 },
        "commit-own-term/entry-of-an-earlier-term",
    );
}

#[test]
fn monotonic_commit_fell() {
    let mut feed = committed(2);
    feed.breaks(0, Observation::Committed { index: 1 }, "monotonic-commit/commit-fell");
}

#[test]
fn index_order_commit_beyond_log() {
    let mut feed = committed(2);
    feed.store(2, entry(1, 1));
    feed.breaks(2, Observation::Committed { index: 2 }, "index-order/commit-beyond-log");
}

#[test]
fn index_order_snapshot_beyond_commit() {
    let mut feed = committed(2);
    feed.ok(2, Observation::Crashed);
    feed.breaks(2, booted(1, None, 3, &[]), "index-order/snapshot-beyond-commit");
}

#[test]
fn index_order_hole_or_overlap() {
    for index in [0, 1, 3, u64::MAX] {
        let mut feed = led();
        feed.store(1, entry(1, 1));
        let appended = EntryMark {
            index,
            term: 1,
            digest: 7,
        };
        feed.breaks(1, Observation::Appended(appended), "index-order/hole-or-overlap");
    }
    let mut feed = led();
    feed.breaks(
        1,
        Observation::DurableAppended(entry(2, 1)),
        "index-order/hole-or-overlap",
    );
    let mut feed = Feed::new(3);
    let entries = &[entry(1, 1), entry(3, 1)];
    feed.breaks(1, booted(1, None, 0, entries), "index-order/hole-or-overlap");
}

#[test]
fn committed_immutable_truncated_own_commit() {
    let mut feed = committed(2);
    feed.commit(1, 2);
    feed.ok(1, Observation::Term { term: 2 });
    feed.breaks(
        1,
        Observation::Truncated { from: 2 },
        "committed-immutable/truncated-own-commit",
    );
}

#[test]
fn committed_immutable_truncated_committed() {
    let mut feed = committed(2);
    // Node 1 does not know that its entries are committed, but no leader may tell it to remove them.
    feed.ok(1, Observation::Term { term: 2 });
    feed.breaks(
        1,
        Observation::Truncated { from: 1 },
        "committed-immutable/truncated-committed",
    );
}

#[test]
fn committed_immutable_lost_at_restart() {
    let mut feed = committed(2);
    feed.ok(1, Observation::Crashed);
    feed.breaks(
        1,
        booted(1, Some(0), 0, &[entry(1, 1)]),
        "committed-immutable/lost-at-restart",
    );
}

#[test]
fn committed_immutable_lost_at_restart_after_an_earlier_truncation() {
    let mut feed = Feed::new(3);
    feed.ok(1, Observation::Term { term: 1 });
    feed.ok(1, Observation::Appended(entry(1, 1)));
    feed.ok(1, Observation::Truncated { from: 1 });
    feed.ok(1, booted(1, None, 0, &[]));
    feed.elect(0, 2, &[0, 1]);
    feed.store(0, entry(1, 2));
    feed.store(1, entry(1, 2));
    feed.commit(0, 1);
    feed.breaks(1, booted(2, Some(0), 0, &[]), "committed-immutable/lost-at-restart");
}

#[test]
fn apply_order_gap_repetition_and_haste() {
    let applied = |index| applied(entry(index, 1), index);
    let mut feed = committed(3);
    feed.breaks(0, applied(2), "apply-order/gap");
    let mut feed = committed(3);
    feed.ok(0, applied(1));
    feed.breaks(0, applied(1), "apply-order/applied-again");
    let mut feed = committed(3);
    feed.breaks(1, applied(1), "apply-order/not-committed");
    let mut feed = committed(3);
    feed.breaks(0, applied(u64::MAX), "apply-order/gap");
}

#[test]
fn state_determinism_state_differs() {
    let mut feed = committed(1);
    feed.commit(1, 1);
    feed.ok(0, applied(entry(1, 1), 5));
    feed.breaks(1, applied(entry(1, 1), 6), "state-determinism/state-differs");
}

#[test]
fn state_determinism_across_a_restart() {
    let mut feed = committed(1);
    feed.ok(0, applied(entry(1, 1), 5));
    feed.ok(0, Observation::Crashed);
    feed.ok(0, booted(1, Some(0), 0, &[entry(1, 1)]));
    feed.commit(0, 1);
    feed.breaks(0, applied(entry(1, 1), 6), "state-determinism/state-differs");
}

#[test]
fn the_first_violation_is_final_and_says_where() {
    let mut feed = led();
    let violation = feed.observe(2, Observation::Term { term: 0 }).unwrap_err();
    assert_eq!((violation.node, violation.term, violation.index), (2, Some(0), None));
    assert_eq!(violation.message, "node 2 went from term 1 back to term 0.");
    assert_eq!(feed.observe(1, Observation::Crashed).unwrap_err(), violation);
    assert_eq!(feed.properties.at_rest(At::default()).unwrap_err(), violation);
}

#[test]
fn the_list_of_properties_is_the_table_of_the_module() {
    let table: Vec<&str> = include_str!("../mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `")?.split('`').next())
        .collect();
    let names: Vec<&str> = PROPERTIES.iter().map(|property| property.name).collect();
    assert_eq!(table, names);
}
