//! The masks of a swarm: settings and habits under which bugs show that the usual ones cover.

use super::draws::Draws;
use crate::scenario::{Choice, DurationRange, Lasting, Scenario};

const MILLISECOND: u64 = 1_000_000;
/// How far clocks may differ in rate under a lease, in parts per million: as little as clocks do, or so much that a lease which
/// forgot it would outlive an election.
const LEASE_PPM: [u32; 2] = [20_000, 200_000];

/// Bytes of a large value.
const LARGE: u64 = 16 << 10;

/// What the masks say to the classes.
#[derive(Clone, Copy, Default)]
pub(super) struct Mask {
    /// Faults are many and short rather than few and long.
    pub many: bool,
    /// Leaders answer reads from leases.
    pub lease: bool,
    /// How far clocks may differ in rate then, in parts per million.
    pub lease_ppm: u32,
}

/// Draws the masks, given the classes of faults that are on.
/// What was thought of later is drawn from `late`, a stream of its own, so that it shifts nothing.
pub(super) fn apply(scenario: &mut Scenario, on: &[&str], draws: &mut Draws, late: &mut Draws) -> Mask {
    let has = |class: &str| on.contains(&class);
    let mask = Mask {
        many: draws.flag(),
        // A clock that is set by hand, or that drifts without a bound, keeps within none that a lease could declare.
        lease: draws.flag() && !has("clock-step") && !has("clock-drift") && !has("clock-freeze"),
        lease_ppm: late.of(&LEASE_PPM),
    };
    cluster(scenario, on, mask, draws);
    workload(scenario, draws);
    // Values of which a few make a record, or a snapshot, of more than 64 KiB.
    let large = late.of(&[false, false, false, false, false, true]);
    // Over narrow links, or in small pieces, they would not get there in time.
    if large && !has("bandwidth") {
        scenario.workload.value_bytes = Choice::one(LARGE);
        scenario.cluster.snapshot_chunk_bytes = Choice::one(4 << 10);
    }
    scenario.recovery.lasting = draws.of(&[Lasting::None, Lasting::None, Lasting::Down, Lasting::Cut, Lasting::Any]);
    mask
}

fn cluster(scenario: &mut Scenario, on: &[&str], mask: Mask, draws: &mut Draws) {
    let cluster = &mut scenario.cluster;
    let has_changes = ["membership", "joint"].iter().any(|class| on.contains(class));
    let may_replace = on.contains(&"wipe") && draws.flag();
    // Even sizes too, and clusters that a single node decides for.
    cluster.nodes = Choice::one(draws.of(&[1, 2, 3, 3, 3, 4, 5, 5, 6, 7]));
    let spares = draws.of(&[1, 2, 3]);
    let has_changes = has_changes || may_replace;
    cluster.spares = Choice::one(if has_changes { spares } else { 0 });
    // Without pre-vote a node that missed its removal raises terms faster than a small cluster can elect (Raft thesis,
    // sections 4.2.3 and 9.6).
    cluster.pre_vote = Choice::one(draws.flag() || has_changes);
    // Voters that listen to every candidate keep no lease.
    cluster.check_quorum = Choice::one(draws.flag() || mask.lease);
    cluster.lease_drift_ppm = Choice::one(mask.lease.then_some(mask.lease_ppm));
    cluster.priorities = Choice::one(draws.flag());
    cluster.quiesce_ns = Choice::one(
        draws
            .of(&[None, None, Some(300), Some(1_000)])
            .map(|ms: u64| ms * MILLISECOND),
    );
    cluster.follower_reads = Choice::one(draws.flag());
    cluster.max_entries_per_append = Choice::one(draws.of(&[1, 1, 4, 64]));
    cluster.max_bytes_per_append = Choice::one(draws.of(&[256, 4 << 10, 64 << 10]));
    cluster.max_inflight = Choice::one(draws.of(&[1, 1, 2, 16]));
    cluster.snapshot_threshold = Choice::one(draws.of(&[0, 1, 10, 50]));
    cluster.snapshot_tail = Choice::one(draws.of(&[0, 2, 16]));
    cluster.snapshot_chunk_bytes = Choice::one(draws.of(&[64, 256, 4 << 10]));
    scenario.disk.sync = draws.up_to(1, 30);
    // The end of the tail is never below the longest usual time.
    scenario.disk.slow_max_ns = scenario.disk.slow_max_ns.max(scenario.disk.sync.max_ns);
}

fn workload(scenario: &mut Scenario, draws: &mut Draws) {
    let workload = &mut scenario.workload;
    workload.clients = Choice::one(draws.of(&[1, 3, 5, 6]));
    workload.keys = Choice::one(draws.of(&[1, 3, 8]));
    workload.sticky = Choice::one(draws.flag());
    workload.value_bytes = Choice::one(draws.of(&[8, 8, 700]));
    // Idle spells: long enough that timers which only run when nothing happens come to run.
    let (min, max) = draws.of(&[(1, 20), (5, 60), (5, 60), (100, 2_000)]);
    workload.think = DurationRange {
        min_ns: min * MILLISECOND,
        max_ns: max * MILLISECOND,
    };
}
