//! The classes of a swarm that kill processes in unusual ways, take disks away, and change settings under way.

use super::{Class, MILLISECOND, again, order};
use crate::scenario::{Codec, DurationRange, FaultKind, Flip, Flips, Identity, OrderMix, Target, Thaw};

const TARGETS: [Target; 3] = [Target::Leader, Target::Any, Target::Backup];

pub(super) const CRASH_AT_DISK: Class = Class {
    name: "crash-at-disk",
    about: "nodes crash between two disk operations, or in the middle of one",
    apply: |scenario, draws| {
        let kind = FaultKind::CrashAtDisk {
            target: draws.of(&TARGETS),
            lasts: draws.lasts(),
            within: draws.of(&[1, 3, 10, 100]),
            middle_ppm: draws.of(&[0, 500_000, 1_000_000]),
        };
        again(scenario, draws, kind);
    },
};

pub(super) const CRASH_LOOP: Class = Class {
    name: "crash-loop",
    about: "nodes crash again and again, soon after they started",
    apply: |scenario, draws| {
        let kind = FaultKind::CrashLoop {
            target: draws.of(&TARGETS),
            lasts: draws.around(1, 200),
            up: draws.up_to(1, 300),
            times: draws.of(&[2, 4, 10]),
        };
        again(scenario, draws, kind);
    },
};

pub(super) const WIPE: Class = Class {
    name: "wipe",
    about: "disks of a minority are gone: the nodes come back with empty ones, or an operator replaces them",
    apply: |scenario, draws| {
        let has_spares = scenario.cluster.spares.smallest() > 0;
        let identity = if has_spares {
            draws.of(&[Identity::New, Identity::Old])
        } else {
            Identity::Old
        };
        if identity == Identity::New {
            order(
                scenario,
                draws,
                OrderMix {
                    change: 0,
                    replace: 0,
                    transfer: 1,
                    campaign: 0,
                    single: 0,
                },
            );
        }
        let lasts = draws.lasts();
        again(scenario, draws, FaultKind::Wipe { lasts, identity });
    },
};

pub(super) const UPGRADE: Class = Class {
    name: "upgrade",
    about: "settings are flipped, node by node",
    apply: |scenario, draws| {
        let cluster = &scenario.cluster;
        let has_lease = cluster.lease_drift_ppm.largest().is_some();
        // Where members change, pre-vote stays on; where there is a lease, check-quorum does.
        let has_changes = cluster.spares.largest() > 0;
        let is_drawn: [bool; 4] = std::array::from_fn(|_| draws.flag());
        let picks = |flip| match flip {
            Flip::PreVote => is_drawn[0] && !has_changes,
            Flip::CheckQuorum => is_drawn[1] && !has_lease,
            Flip::Batches => is_drawn[2],
            Flip::Window => is_drawn[3],
            Flip::Compression => true,
        };
        let flips = Flips::of(picks).expect("compression is among them");
        let kind = FaultKind::Upgrade {
            lasts: draws.lasts(),
            gap: draws.up_to(10, 1_000),
            flips,
        };
        again(scenario, draws, kind);
    },
};

pub(super) const CLOCK_FREEZE: Class = Class {
    name: "clock-freeze",
    about: "clocks stand still, and go on or leap",
    apply: |scenario, draws| {
        let kind = FaultKind::ClockFreeze {
            target: draws.of(&[Target::Leader, Target::Any]),
            lasts: draws.lasts(),
            then: draws.of(&[Thaw::Any, Thaw::Leap, Thaw::On]),
        };
        again(scenario, draws, kind);
    },
};

pub(super) const SLOW_APPLY: Class = Class {
    name: "slow-apply",
    about: "state machines apply late",
    apply: |scenario, draws| {
        let longest = draws.log_uniform(2, 400) * MILLISECOND;
        scenario.cluster.apply = DurationRange {
            min_ns: draws.of(&[0, longest / 2]),
            max_ns: longest,
        };
    },
};

pub(super) const CODEC: Class = Class {
    name: "codec",
    about: "messages are encoded and decoded on their way",
    apply: |scenario, draws| {
        let codec = draws.of(&[Codec::Plain, Codec::Lz4]);
        scenario.cluster.codec = crate::scenario::Choice::one(codec);
    },
};
