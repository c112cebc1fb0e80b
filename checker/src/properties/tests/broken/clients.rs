//! Streams that break the properties of leases, reads and sessions.

use super::super::{Feed, Observation, Role, applied, entry, role};
use super::{committed, led};

/// Node 0 held a lease of term 1 until `until` when node 1 was elected for term 2 by 1 and 2, and stored an entry there.
fn overtaken(until: u64) -> Feed {
    let mut feed = led();
    feed.ok(0, Observation::LeaseHeld { until });
    feed.elect(1, 2, &[1, 2]);
    feed.store(1, entry(1, 2));
    feed.store(2, entry(1, 2));
    feed
}

#[test]
fn lease_disjointness_commit_under_a_lease() {
    let mut feed = overtaken(1_000_000);
    feed.breaks(
        1,
        Observation::Committed { index: 1 },
        "lease-disjointness/commit-under-a-lease",
    );
}

#[test]
fn lease_disjointness_two_leases() {
    let mut feed = overtaken(1_000_000);
    let until = 2_000_000;
    feed.breaks(1, Observation::LeaseHeld { until }, "lease-disjointness/two-leases");
}

#[test]
fn lease_disjointness_after_a_later_commit() {
    let mut feed = overtaken(1);
    feed.commit(1, 1);
    let until = 2_000_000;
    feed.breaks(
        0,
        Observation::LeaseHeld { until },
        "lease-disjointness/lease-after-a-later-commit",
    );
}

#[test]
fn lease_disjointness_not_the_leader() {
    let held = Observation::LeaseHeld { until: 1_000_000 };
    led().breaks(1, held, "lease-disjointness/not-the-leader");
    let mut feed = led();
    feed.ok(0, Observation::Term { term: 2 });
    feed.breaks(0, held, "lease-disjointness/not-the-leader");
}

#[test]
fn read_freshness_stale_read() {
    let mut feed = committed(2);
    feed.commit(1, 1);
    feed.ok(1, applied(entry(1, 1), 1));
    feed.ok(1, Observation::ReadAsked { read: 9 });
    feed.breaks(
        1,
        Observation::ReadServed { read: 9, index: 1 },
        "read-freshness/stale-read",
    );
}

#[test]
fn read_freshness_ahead_of_applied() {
    let mut feed = committed(2);
    feed.ok(0, applied(entry(1, 1), 1));
    feed.ok(0, Observation::ReadAsked { read: 9 });
    feed.breaks(
        0,
        Observation::ReadServed { read: 9, index: 2 },
        "read-freshness/read-ahead-of-applied",
    );
}

#[test]
fn read_freshness_never_asked() {
    let served = Observation::ReadServed { read: 9, index: 0 };
    led().breaks(0, served, "read-freshness/never-asked");
    let mut feed = led();
    feed.ok(0, Observation::ReadAsked { read: 9 });
    feed.ok(0, served);
    feed.breaks(0, served, "read-freshness/never-asked");
    let mut feed = led();
    feed.ok(1, Observation::ReadAsked { read: 9 });
    feed.ok(1, Observation::Crashed);
    feed.breaks(1, served, "read-freshness/never-asked");
}

fn processed(effect: bool, reply: u64) -> Observation<'static> {
    Observation::SessionApplied {
        session: 4,
        sequence: 1,
        effect,
        reply,
    }
}

/// Node 0 carried out command 1 of session 4 at entry 1, and has applied entry 2, of the three that are committed.
fn carried_out() -> Feed {
    let mut feed = committed(3);
    feed.commit(1, 3);
    feed.ok(0, applied(entry(1, 1), 1));
    feed.ok(0, processed(true, 70));
    feed.ok(0, applied(entry(2, 1), 2));
    feed
}

#[test]
fn exactly_once_carried_out_twice() {
    carried_out().breaks(0, processed(true, 70), "exactly-once/carried-out-twice");
    let mut feed = carried_out();
    feed.ok(1, applied(entry(1, 1), 1));
    feed.ok(1, applied(entry(2, 1), 2));
    feed.breaks(1, processed(true, 70), "exactly-once/carried-out-twice");
}

#[test]
fn exactly_once_effect_lost() {
    let mut feed = carried_out();
    feed.ok(1, applied(entry(1, 1), 1));
    feed.breaks(1, processed(false, 70), "exactly-once/effect-lost");
}

#[test]
fn exactly_once_answer_differs() {
    carried_out().breaks(0, processed(false, 71), "exactly-once/answer-differs");
    let mut feed = carried_out();
    feed.ok(1, applied(entry(1, 1), 1));
    feed.breaks(1, processed(true, 71), "exactly-once/answer-differs");
}

#[test]
fn lease_disjointness_counts_a_leader_that_does_not_know_better() {
    // Node 0 is alive and leads term 1; a follower's commit under its lease is fine, a later leader's is not.
    let mut feed = overtaken(1_000_000);
    feed.ok(2, role(Role::Follower, 2));
    feed.ok(0, Observation::ReadAsked { read: 1 });
    feed.breaks(
        1,
        Observation::Committed { index: 1 },
        "lease-disjointness/commit-under-a-lease",
    );
}
