//! The classes of faults of a swarm: each is on or off as a whole for a seed, and draws how hard it strikes.
//!
//! Owns the list, the classes that a swarm had first, and what several share; the other ones are in the modules below.

mod disk;
mod network;
mod process;

use super::draws::Draws;
use crate::scenario::{
    Direction, DurationRange, Fault, FaultKind, Fires, OffsetRange, Operator, OrderMix, Scenario, Split, Target,
    Trigger, When,
};

const MILLISECOND: u64 = 1_000_000;

/// A class of faults.
pub struct Class {
    /// Its name in `[swarm] classes`.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    pub(super) apply: fn(&mut Scenario, &mut Draws),
}

/// All of them. New ones come last, so that they shift none.
pub const CLASSES: &[Class] = &[
    Class {
        name: "loss",
        about: "messages are lost",
        apply: |scenario, draws| scenario.network.loss_ppm = draws.ppm(1_000, 100_000),
    },
    Class {
        name: "duplicate",
        about: "messages arrive twice, the second time up to seconds later",
        apply: |scenario, draws| {
            scenario.network.duplicate_ppm = draws.ppm(1_000, 100_000);
            scenario.network.duplicate_delay_ns = draws.log_uniform(10, 5_000) * MILLISECOND;
        },
    },
    Class {
        name: "reorder",
        about: "messages are overtaken by later ones",
        apply: |scenario, draws| {
            scenario.network.reorder_ppm = draws.ppm(5_000, 300_000);
            scenario.network.reorder_delay_ns = draws.log_uniform(5, 200) * MILLISECOND;
        },
    },
    Class {
        name: "delay",
        about: "messages take longer, a few of them much longer",
        apply: |scenario, draws| {
            scenario.network.latency = DurationRange {
                min_ns: MILLISECOND,
                max_ns: draws.log_uniform(2, 40) * MILLISECOND,
            };
            scenario.network.tail_ppm = draws.ppm(1_000, 50_000);
            scenario.network.tail_max_ns = draws.log_uniform(100, 2_000) * MILLISECOND;
        },
    },
    Class {
        name: "partition",
        about: "the nodes fall into two or three groups",
        apply: |scenario, draws| {
            let split = draws.of(&[Split::Random, Split::Even, Split::Minority, Split::Thirds]);
            partition(scenario, draws, split);
        },
    },
    Class {
        name: "partial-partition",
        about: "the nodes reach each other in a ring, or across a bridge",
        apply: |scenario, draws| {
            let split = draws.of(&[Split::Ring, Split::Bridge]);
            partition(scenario, draws, split);
        },
    },
    Class {
        name: "cut-clients",
        about: "clients are cut off from nodes",
        apply: |scenario, draws| {
            let kind = FaultKind::CutClients { lasts: draws.lasts() };
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "isolate",
        about: "the leader, or any node, is cut off from all others or from all but one",
        apply: |scenario, draws| {
            let kind = FaultKind::Isolate {
                target: draws.of(&[Target::Leader, Target::Leader, Target::Any]),
                lasts: draws.lasts(),
                clients: draws.flag(),
                keeps: draws.of(&[0, 0, 1]),
            };
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "one-way",
        about: "a node hears nothing, or cannot be heard",
        apply: |scenario, draws| {
            let kind = FaultKind::OneWay {
                target: draws.of(&[Target::Leader, Target::Any]),
                direction: Direction::Any,
                lasts: draws.lasts(),
                clients: draws.flag(),
            };
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "crash",
        about: "nodes crash and restart",
        apply: |scenario, draws| {
            let kind = crash(draws, &[Target::Leader, Target::Any, Target::Backup]);
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "power-loss",
        about: "all nodes crash at once, or one after the other",
        apply: |scenario, draws| {
            let lasts = draws.lasts();
            let gap = draws.up_to(50, 800);
            let kind = draws.of(&[FaultKind::PowerLoss { lasts }, FaultKind::RollingRestart { lasts, gap }]);
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "pause",
        about: "nodes stand still while their clocks go on",
        apply: |scenario, draws| {
            let kind = FaultKind::Pause {
                target: draws.of(&[Target::Leader, Target::Any]),
                lasts: draws.lasts(),
            };
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "slow-disk",
        about: "some syncs take long",
        apply: |scenario, draws| {
            scenario.disk.slow_ppm = draws.ppm(5_000, 200_000);
            scenario.disk.slow_max_ns = draws.log_uniform(50, 600) * MILLISECOND;
        },
    },
    Class {
        name: "torn-writes",
        about: "a crash tears unsynced writes, or loses all of them",
        apply: |scenario, draws| {
            let (lost, torn) = draws.of(&[(0, 1_000_000), (1_000_000, 0), (300_000, 400_000), (100_000, 100_000)]);
            (scenario.disk.lost_ppm, scenario.disk.torn_ppm) = (lost, torn);
        },
    },
    Class {
        name: "clock-offset",
        about: "clocks start apart, and drift a little",
        apply: |scenario, draws| {
            scenario.clock.offset_max_ns = draws.log_uniform(10, 10_000) * MILLISECOND;
            scenario.clock.drift_max_ppm = draws.ppm(10, 5_000);
            if draws.mask.lease {
                // Two clocks then differ in rate by nearly as much as leases are told, and no more.
                scenario.clock.drift_max_ppm = draws.mask.lease_ppm / 20 * 9;
            }
        },
    },
    Class {
        name: "clock-step",
        about: "clocks jump",
        apply: |scenario, draws| {
            let reach = i64::try_from(draws.log_uniform(10, 1_000) * MILLISECOND).expect("a second fits");
            let by = OffsetRange {
                min_ns: -reach,
                max_ns: reach,
            };
            let target = Target::Any;
            again(scenario, draws, FaultKind::ClockStep { target, by });
        },
    },
    Class {
        name: "clock-drift",
        about: "clocks run fast or slow for a while",
        apply: |scenario, draws| {
            let kind = FaultKind::ClockDrift {
                target: Target::Any,
                drift_max_ppm: draws.ppm(1_000, 100_000),
                lasts: draws.lasts(),
            };
            again(scenario, draws, kind);
        },
    },
    Class {
        name: "membership",
        about: "an operator changes the members",
        apply: |scenario, draws| {
            let mix = OrderMix {
                change: draws.of(&[0, 2]),
                replace: draws.of(&[0, 1]),
                transfer: 0,
                campaign: 0,
                single: draws.of(&[1, 3]),
            };
            order(scenario, draws, mix);
        },
    },
    Class {
        name: "transfer",
        about: "an operator moves the leadership, and tells nodes to stand for election",
        apply: |scenario, draws| {
            let mix = OrderMix {
                change: 0,
                replace: 0,
                transfer: draws.of(&[1, 3]),
                campaign: draws.of(&[0, 1]),
                single: 0,
            };
            order(scenario, draws, mix);
        },
    },
    Class {
        name: "tail",
        about: "leaders crash with entries that are not committed, or that they inherited",
        apply: |scenario, draws| {
            let kind = crash(draws, &[Target::Observed]);
            when(scenario, draws, "leader-has-uncommitted-tail", 5_000, kind);
            when(scenario, draws, "tail-inherited", 300_000, kind);
        },
    },
    Class {
        name: "vote",
        about: "the network falls apart, or the voter crashes, right after a vote",
        apply: |scenario, draws| {
            let crash = crash(draws, &[Target::Observed]);
            let cut = FaultKind::Partition {
                lasts: draws.lasts(),
                split: Split::Random,
                clients: false,
            };
            let kind = draws.of(&[crash, cut]);
            when(scenario, draws, "vote-granted", 200_000, kind);
        },
    },
    Class {
        name: "sync",
        about: "nodes crash between an append and its sync",
        apply: |scenario, draws| {
            let kind = crash(draws, &[Target::Observed]);
            when(scenario, draws, "between-append-and-sync", 3_000, kind);
        },
    },
    Class {
        name: "lease",
        about: "leaders are cut off or paused when their lease is half spent",
        apply: |scenario, draws| {
            let (target, lasts) = (Target::Observed, draws.lasts());
            let cut = FaultKind::Isolate {
                target,
                lasts,
                clients: false,
                keeps: 0,
            };
            let kind = draws.of(&[cut, FaultKind::Pause { target, lasts }]);
            when(scenario, draws, "lease-half-spent", 100_000, kind);
        },
    },
    Class {
        name: "snapshot",
        about: "leaders are cut off, and receivers crash, while a snapshot is being sent",
        apply: |scenario, draws| {
            let receiver = crash(draws, &[Target::Observed]);
            let sender = crash(draws, &[Target::Leader]);
            let kind = draws.of(&[receiver, sender]);
            when(scenario, draws, "snapshot-being-sent", 200_000, kind);
        },
    },
    Class {
        name: "joint",
        about: "an operator swaps members, and leaders crash under the joint configuration",
        apply: |scenario, draws| {
            let mix = OrderMix {
                change: 1,
                replace: 2,
                transfer: 0,
                campaign: 0,
                single: 0,
            };
            order(scenario, draws, mix);
            let kind = crash(draws, &[Target::Leader]);
            when(scenario, draws, "joint-configuration", 100_000, kind);
        },
    },
    network::UNLIKE_LINKS,
    network::SLOW_LINKS,
    network::HUGE_DELAY,
    network::BANDWIDTH,
    network::CORRUPT,
    network::CLOG,
    network::SWIZZLE,
    network::HOLD,
    network::OLD_MESSAGES,
    network::NEW_LEADER,
    network::HANDOVER,
    disk::REORDERED_WRITES,
    disk::SYNC_ERROR,
    disk::DISK_STALL,
    disk::DISK_FULL,
    disk::DISK_LIE,
    disk::DISK_ROT,
    disk::DISK_MISDIRECT,
    disk::TRUNCATION,
    disk::RECOVERY,
    process::CRASH_AT_DISK,
    process::CRASH_LOOP,
    process::WIPE,
    process::UPGRADE,
    process::CLOCK_FREEZE,
    process::SLOW_APPLY,
    process::CODEC,
];

fn partition(scenario: &mut Scenario, draws: &mut Draws, split: Split) {
    let kind = FaultKind::Partition {
        lasts: draws.lasts(),
        split,
        clients: draws.flag(),
    };
    again(scenario, draws, kind);
}

fn crash(draws: &mut Draws, targets: &[Target]) -> FaultKind {
    FaultKind::Crash {
        target: draws.of(targets),
        lasts: draws.lasts(),
        max_down: None,
    }
}

/// The node on which a situation was observed is cut off from the others, or cannot be heard by them.
fn cut(draws: &mut Draws) -> FaultKind {
    let (target, lasts, clients) = (Target::Observed, draws.lasts(), draws.flag());
    let both = FaultKind::Isolate {
        target,
        lasts,
        clients,
        keeps: draws.of(&[0, 1]),
    };
    let one_way = FaultKind::OneWay {
        target,
        direction: Direction::Any,
        lasts,
        clients,
    };
    draws.of(&[both, one_way])
}

/// It strikes again and again.
fn again(scenario: &mut Scenario, draws: &mut Draws, kind: FaultKind) {
    let when = When::Every(draws.every());
    scenario.faults.push(Fault {
        when,
        kind,
        fires: Fires::Derived,
    });
}

/// It strikes when a situation is reached, more or less often than `usual` (parts per million).
fn when(scenario: &mut Scenario, draws: &mut Draws, situation: &'static str, usual: u32, kind: FaultKind) {
    let trigger = Trigger {
        situation,
        probability_ppm: draws.ppm(usual / 4, usual * 3),
        after: draws.up_to(1, 50),
        limit: draws.of(&[3, 10, 30]),
    };
    let when = When::Reached(trigger);
    scenario.faults.push(Fault {
        when,
        kind,
        fires: Fires::Derived,
    });
}

/// The operator gives these orders too.
fn order(scenario: &mut Scenario, draws: &mut Draws, mix: OrderMix) {
    let every = draws.around(200, 1_500);
    let all = scenario.cluster.nodes.smallest() + scenario.cluster.spares.smallest();
    // With fewer than three voters there is no minority whose disks may be damaged.
    let min_voters = draws.of(&[1, 1, 3]).min(all);
    let operator = scenario.operator.get_or_insert(Operator {
        every,
        mix,
        min_voters,
        timeout_ns: 1_500 * MILLISECOND,
    });
    operator.min_voters = operator.min_voters.min(min_voters);
    let so_far = operator.mix;
    if so_far != mix {
        operator.mix = OrderMix {
            change: so_far.change + mix.change,
            replace: so_far.replace + mix.replace,
            transfer: so_far.transfer + mix.transfer,
            campaign: so_far.campaign + mix.campaign,
            single: so_far.single + mix.single,
        };
    }
}
