//! Leases, reads and sessions that look wrong and are not.

use super::super::{Feed, Observation, applied, booted, entry};

/// Node 0 led term 1 with a lease until `until`; node 1 leads term 2 and has entry 1 on a majority of disks.
fn overtaken(until: u64) -> Feed {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.ok(0, Observation::LeaseHeld { until });
    feed.elect(1, 2, &[1, 2]);
    feed.store(1, entry(1, 2));
    feed.store(2, entry(1, 2));
    feed
}

#[test]
fn a_lease_ends_with_its_time_its_role_its_term_and_its_process() {
    let mut feed = overtaken(5_000);
    feed.commit(1, 1);
    feed.ok(1, Observation::LeaseHeld { until: 1_000_000 });
    for end in [
        Observation::LeaseDropped,
        Observation::Term { term: 2 },
        Observation::Crashed,
    ] {
        let mut feed = overtaken(1_000_000);
        feed.ok(0, end);
        feed.commit(1, 1);
        feed.ok(1, Observation::LeaseHeld { until: 1_000_000 });
    }
    let mut feed = overtaken(1_000_000);
    feed.follow(0, 2);
    feed.commit(1, 1);
}

#[test]
fn a_lease_is_free_to_end_when_the_next_begins() {
    let mut feed = overtaken(0);
    let now = (feed.events + 2) * 1_000; // When the next lease begins.
    feed.ok(0, Observation::LeaseHeld { until: now });
    feed.ok(1, Observation::LeaseHeld { until: 1_000_000 });
    feed.commit(1, 1);
}

#[test]
fn a_leader_commits_and_renews_under_its_own_lease() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    feed.ok(0, Observation::LeaseHeld { until: 1_000_000 });
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.commit(0, 1);
    feed.ok(0, Observation::LeaseHeld { until: 2_000_000 });
}

#[test]
fn a_read_sees_what_was_committed_when_it_was_asked_and_need_not_see_more() {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    for index in 1..=2 {
        feed.store(0, entry(index, 1));
        feed.store(1, entry(index, 1));
    }
    feed.commit(0, 1);
    feed.commit(1, 1);
    feed.ok(1, applied(entry(1, 1), 1));
    feed.ok(1, Observation::ReadAsked { read: 5 });
    feed.commit(0, 2);
    // Asked again after the second commit, and answered twice: an answer to the first is enough for both.
    feed.ok(1, Observation::ReadAsked { read: 5 });
    feed.ok(1, Observation::ReadServed { read: 5, index: 1 });
    feed.ok(1, Observation::ReadServed { read: 5, index: 1 });
}

#[test]
fn a_node_that_restarts_carries_out_its_log_again() {
    let processed = |effect| Observation::SessionApplied {
        session: 4,
        sequence: 1,
        effect,
        reply: 70,
    };
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    for index in 1..=2 {
        feed.store(0, entry(index, 1));
        feed.store(1, entry(index, 1));
    }
    feed.commit(0, 2);
    for life in 0..2 {
        feed.ok(0, applied(entry(1, 1), 1));
        feed.ok(0, processed(true));
        feed.ok(0, applied(entry(2, 1), 2));
        feed.ok(0, processed(false));
        if life == 0 {
            feed.ok(0, Observation::Crashed);
            feed.ok(0, booted(1, Some(0), 0, &[entry(1, 1), entry(2, 1)]));
            feed.commit(0, 2);
        }
    }
}
