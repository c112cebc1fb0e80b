//! What a harness finds without one of its parts: each part can be taken out of any scenario.
//!
//! An ablation changes a scenario as it was drawn for a seed, so that all else stays as it was. What is left is a scenario
//! like any other, only with less in it.

use crate::recovery::RECOVERS;
use crate::run::LINEARIZABLE;
use crate::scenario::{Choice, DurationRange, Fault, FaultKind, Lasting, Scenario, Target, When};
use crate::swarm;
use serde::{Serialize, Serializer};

const MILLISECOND: u64 = 1_000_000;

/// One part that can be taken out.
pub struct Ablation {
    /// Its name on the command line and in tables.
    pub name: &'static str,
    /// What is out, in one line.
    pub about: &'static str,
    apply: fn(&mut Scenario),
}

impl std::fmt::Debug for Ablation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Ablation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Ablation {
    /// The scenario that this seed runs, without the part; `None` where the seed draws none that fits its overrides.
    pub fn of(&self, scenario: &Scenario, seed: u64) -> Option<Scenario> {
        let mut drawn = swarm::resolve(scenario, seed).ok()?.into_owned();
        (self.apply)(&mut drawn);
        Some(drawn)
    }
}

/// All parts.
pub const ABLATIONS: &[Ablation] = &[
    Ablation {
        name: "crashes",
        about: "no node crashes, and none stays down",
        apply: |scenario| {
            without(scenario, |kind| CRASHES.contains(&kind.name()));
            if matches!(scenario.recovery.lasting, Lasting::Down | Lasting::Any) {
                scenario.recovery.lasting = Lasting::Cut;
            }
        },
    },
    Ablation {
        name: "network",
        about: "no partition, no isolation, no link that is held up, no loss and no reordering",
        apply: |scenario| {
            without(scenario, |kind| NETWORK.contains(&kind.name()));
            scenario.network.loss_ppm = 0;
            scenario.network.reorder_ppm = 0;
            scenario.network.tail_ppm = 0;
        },
    },
    Ablation {
        name: "disk faults",
        about: "a crash loses and tears nothing, and no disk fails, fills up, lies or decays",
        apply: |scenario| {
            without(scenario, |kind| matches!(kind, FaultKind::Disk(_)));
            let disk = &mut scenario.disk;
            (
                disk.lost_ppm,
                disk.torn_ppm,
                disk.reorder_ppm,
                disk.error_ppm,
                disk.slow_ppm,
            ) = (0, 0, 0, 0, 0);
        },
    },
    Ablation {
        name: "clock faults",
        about: "all clocks show true time",
        apply: |scenario| {
            without(scenario, |kind| kind.name().starts_with("clock"));
            (scenario.clock.offset_max_ns, scenario.clock.drift_max_ppm) = (0, 0);
        },
    },
    Ablation {
        name: "duplication",
        about: "no message arrives twice",
        apply: |scenario| {
            without(scenario, |kind| matches!(kind, FaultKind::ReplayOld { .. }));
            scenario.network.duplicate_ppm = 0;
        },
    },
    Ablation {
        name: "membership",
        about: "the members stay who they are",
        apply: |scenario| {
            if let Some(operator) = &mut scenario.operator {
                let mix = &mut operator.mix;
                (mix.change, mix.replace, mix.single) = (0, 0, 0);
            }
            scenario.operator.take_if(|operator| operator.mix.total() == 0);
        },
    },
    Ablation {
        name: "snapshots",
        about: "no node takes a snapshot",
        apply: |scenario| scenario.cluster.snapshot_threshold = Choice::one(0),
    },
    Ablation {
        name: "masks",
        about: "three nodes with the usual batches, windows, features and clients, whatever was drawn",
        apply: usual,
    },
    Ablation {
        name: "triggers",
        about: "no fault waits for a situation",
        apply: |scenario| scenario.faults.retain(|fault| !matches!(fault.when, When::Reached(_))),
    },
    Ablation {
        name: "white-box",
        about: "only what clients see: linearizability, and recovery",
        apply: |scenario| scenario.expect.properties = vec![LINEARIZABLE.to_owned(), RECOVERS.to_owned()],
    },
];

/// Kinds of faults that end a process.
const CRASHES: [&str; 7] = [
    "crash",
    "crash-at-disk",
    "crash-loop",
    "power-loss",
    "rolling-restart",
    "upgrade",
    "wipe",
];

/// Kinds of faults of the network, but for what is delivered twice.
const NETWORK: [&str; 8] = [
    "partition",
    "cut-clients",
    "isolate",
    "one-way",
    "clog",
    "clog-link",
    "swizzle-clog",
    "hold",
];

fn without(scenario: &mut Scenario, is_out: impl Fn(&FaultKind) -> bool) {
    scenario.faults.retain(|fault| !is_out(&fault.kind));
}

fn usual(scenario: &mut Scenario) {
    let names_more = |fault: &Fault| matches!(fault.kind.target(), Some(Target::Node(node)) if node > 2);
    let cluster = &mut scenario.cluster;
    if !scenario.faults.iter().any(names_more) {
        cluster.nodes = Choice::one(3);
        if let Some(operator) = &mut scenario.operator {
            operator.min_voters = operator.min_voters.min(3 + cluster.spares.smallest());
        }
    }
    cluster.pre_vote = Choice::one(true);
    cluster.check_quorum = Choice::one(true);
    cluster.priorities = Choice::one(false);
    cluster.quiesce_ns = Choice::one(None);
    cluster.follower_reads = Choice::one(false);
    cluster.max_entries_per_append = Choice::one(64);
    cluster.max_bytes_per_append = Choice::one(64 << 10);
    cluster.max_inflight = Choice::one(16);
    let workload = &mut scenario.workload;
    workload.sticky = Choice::one(false);
    workload.value_bytes = Choice::one(8);
    workload.think = DurationRange {
        min_ns: 10 * MILLISECOND,
        max_ns: 100 * MILLISECOND,
    };
    scenario.recovery.lasting = Lasting::None;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_kv::builtin;
    use crate::scenario::parse;

    /// Every part out of every scenario leaves one that can be written down and read again, and takes nothing out twice.
    #[test]
    fn what_is_left_is_a_scenario_like_any_other() {
        for file in builtin() {
            let scenario = parse(file.name, file.text, &[], &crate::raft_kv::known()).unwrap();
            for ablation in ABLATIONS {
                let left = ablation.of(&scenario, 7).unwrap();
                let again = parse(file.name, &left.to_toml(), &[], &crate::raft_kv::known());
                assert_eq!(again.as_ref(), Ok(&left), "{} without {}", file.name, ablation.name);
            }
        }
    }

    #[test]
    fn each_part_is_in_some_scenario() {
        for ablation in ABLATIONS {
            let is_in = builtin().iter().any(|file| {
                let scenario = parse(file.name, file.text, &[], &crate::raft_kv::known()).unwrap();
                let drawn = swarm::resolve(&scenario, 7).unwrap().into_owned();
                ablation.of(&scenario, 7).unwrap() != drawn
            });
            assert!(is_in, "{}", ablation.name);
        }
    }
}
