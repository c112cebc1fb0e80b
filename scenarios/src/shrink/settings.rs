//! Settings of a capsule's scenario: plainer ones, those under which less has to happen before the failure, and those under which less
//! happens meanwhile. None of them takes from a cluster what it needs to recover.

use super::cuts::{CHAOS_MIN, changed, end_of};
use crate::capsule::Capsule;
use crate::scenario::{Choice, DurationRange, Scenario, Shape};
use crate::shrink::change::with_decisions;
use simulator::{Endpoint, Topic, Whom};

/// Snapshots after fewer entries, and with fewer of them kept: what it takes to come to one is then done sooner.
pub(super) fn sooner_snapshots(capsule: &Capsule) -> Vec<Capsule> {
    let cluster = &capsule.scenario.cluster;
    let (threshold, tail) = (cluster.snapshot_threshold.largest(), cluster.snapshot_tail.largest());
    if threshold == 0 {
        return Vec::new();
    }
    let fewer = |now: u32, least: u32| {
        [least, 2, now / 2]
            .into_iter()
            .filter(move |of| (least..now).contains(of))
    };
    let thresholds = fewer(threshold, 1).flat_map(|threshold| [(threshold, 0), (threshold, tail.min(threshold))]);
    let tails = fewer(tail, 0).map(|tail| (threshold, tail));
    let with = |(threshold, tail)| {
        changed(capsule, |capsule| {
            let cluster = &mut capsule.scenario.cluster;
            cluster.snapshot_threshold = Choice::one(threshold);
            cluster.snapshot_tail = Choice::one(tail);
        })
    };
    thresholds.chain(tails).map(with).collect()
}

/// How far away clients that ask seldom are, in nanoseconds.
const FAR: u64 = 50_000_000;

/// Clients that are far away, so that one which is refused again and again asks less often; heartbeats as seldom as elections allow.
pub(super) fn quieter(capsule: &Capsule) -> Vec<Capsule> {
    let mut candidates = Vec::new();
    if capsule.scenario.network.client_latency.max_ns < FAR {
        let is_of_client = |party| matches!(party, Endpoint::Client(_));
        let mut far = with_decisions(capsule, |subject| match (subject.topic, subject.whom) {
            (Topic::Delay, Whom::Link(from, to)) => !is_of_client(from) && !is_of_client(to),
            _ => true,
        });
        far.scenario.network.client_latency = DurationRange {
            min_ns: FAR,
            max_ns: FAR,
        };
        candidates.push(far);
    }
    let seldom = capsule.scenario.cluster.election.min_ns / 2;
    if capsule.scenario.cluster.heartbeat_ns < seldom {
        candidates.push(changed(capsule, |capsule| {
            capsule.scenario.cluster.heartbeat_ns = seldom;
        }));
    }
    candidates
}

/// Settings as they are by default, or as plain as can be.
pub(super) fn plainer(capsule: &Capsule) -> Vec<Capsule> {
    let end = end_of(capsule);
    let changes: &[&dyn Fn(&mut Scenario)] = &[
        &|scenario| scenario.workload.keys = Choice::one(1),
        &|scenario| scenario.cluster.pre_vote = Choice::one(true),
        &|scenario| scenario.cluster.check_quorum = Choice::one(true),
        &|scenario| scenario.cluster.lease_drift_ppm = Choice::one(None),
        &|scenario| scenario.cluster.priorities = Choice::one(false),
        &|scenario| scenario.cluster.quiesce_ns = Choice::one(None),
        &|scenario| scenario.cluster.follower_reads = Choice::one(false),
        &|scenario| scenario.cluster.max_entries_per_append = Choice::one(64),
        &|scenario| scenario.cluster.max_bytes_per_append = Choice::one(64 * 1024),
        &|scenario| scenario.cluster.max_inflight = Choice::one(16),
        &|scenario| scenario.cluster.snapshot_threshold = Choice::one(0),
        &|scenario| scenario.cluster.snapshot_tail = Choice::one(16),
        &|scenario| scenario.cluster.snapshot_chunk_bytes = Choice::one(4096),
        &|scenario| scenario.workload.sticky = Choice::one(false),
        &|scenario| scenario.workload.operations = Choice::one(500),
        &|scenario| scenario.workload.value_bytes = Choice::one(8),
        &|scenario| {
            let links = &mut scenario.network.links;
            (links.shape, links.bandwidth) = (Shape::Uniform, None);
            (links.slow_ppm, links.huge_ppm, links.corrupt_ppm) = (0, 0, 0);
        },
        &|scenario| {
            let network = &mut scenario.network;
            (
                network.tail_ppm,
                network.loss_ppm,
                network.duplicate_ppm,
                network.reorder_ppm,
            ) = (0, 0, 0, 0);
        },
        &|scenario| {
            let disk = &mut scenario.disk;
            (disk.slow_ppm, disk.torn_ppm, disk.reorder_ppm, disk.error_ppm) = (0, 0, 0, 0);
        },
        &|scenario| (scenario.clock.offset_max_ns, scenario.clock.drift_max_ppm) = (0, 0),
        &|scenario| scenario.end_faults_at(scenario.time.chaos_ns.min(end.max(CHAOS_MIN))),
    ];
    let mut candidates: Vec<Capsule> = changes
        .iter()
        .map(|change| changed(capsule, |capsule| change(&mut capsule.scenario)))
        .filter(|candidate| candidate.scenario != capsule.scenario)
        .collect();
    let of_system = capsule.scenario.settings.each(&capsule.scenario.known);
    let of_system = of_system.filter(|(_, setting, value)| setting.default() != *value);
    candidates.extend(
        of_system
            .map(|(at, setting, _)| changed(capsule, |capsule| capsule.scenario.settings.set(at, setting.default()))),
    );
    let orders = 0..capsule.scenario.orders.len();
    candidates.extend(orders.map(|order| {
        changed(capsule, |capsule| {
            capsule.scenario.orders.remove(order);
        })
    }));
    let is_idle = capsule
        .course
        .orders
        .as_ref()
        .is_none_or(|orders| orders.tasks.is_empty());
    if capsule.scenario.operator.is_some() && is_idle {
        candidates.push(changed(capsule, |capsule| {
            capsule.scenario.operator = None;
            capsule.course.orders = None;
        }));
    }
    candidates
}
