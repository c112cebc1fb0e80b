//! The classes of a swarm that make disks fail, stand still, lie and decay. Those that destroy data stay within the budget.

use super::{Class, MILLISECOND, again, crash, when};
use crate::scenario::{DiskKind, FaultKind, RotForm, Target};

const TARGETS: [Target; 2] = [Target::Leader, Target::Any];

pub(super) const REORDERED_WRITES: Class = Class {
    name: "reordered-writes",
    about: "crashes find disks that have reordered their unsynced writes",
    apply: |scenario, draws| {
        scenario.disk.reorder_ppm = draws.ppm(100_000, 1_000_000);
        // There is an order to change only where several writes wait for a slow disk, and some of them are lost.
        scenario.disk.sync.max_ns = scenario.disk.sync.max_ns.max(draws.log_uniform(20, 60) * MILLISECOND);
        scenario.disk.slow_max_ns = scenario.disk.slow_max_ns.max(scenario.disk.sync.max_ns);
        (scenario.disk.lost_ppm, scenario.disk.torn_ppm) = (400_000, 200_000);
    },
};

pub(super) const SYNC_ERROR: Class = Class {
    name: "sync-error",
    about: "syncs fail, by chance and in bursts",
    apply: |scenario, draws| {
        scenario.disk.error_ppm = draws.ppm(200, 5_000);
        let (target, lasts) = (draws.of(&TARGETS), draws.lasts());
        again(scenario, draws, FaultKind::Disk(DiskKind::Error { target, lasts }));
    },
};

pub(super) const DISK_STALL: Class = Class {
    name: "disk-stall",
    about: "disks stand still, and then complete everything at once",
    apply: |scenario, draws| {
        let (target, lasts) = (draws.of(&TARGETS), draws.lasts());
        again(scenario, draws, FaultKind::Disk(DiskKind::Stall { target, lasts }));
    },
};

pub(super) const DISK_FULL: Class = Class {
    name: "disk-full",
    about: "disks take nothing more until space comes back",
    apply: |scenario, draws| {
        let (target, lasts) = (draws.of(&TARGETS), draws.lasts());
        again(scenario, draws, FaultKind::Disk(DiskKind::Full { target, lasts }));
    },
};

pub(super) const DISK_LIE: Class = Class {
    name: "disk-lie",
    about: "syncs of a minority, which is not trusted with votes, complete and leave the writes volatile",
    apply: |scenario, draws| {
        // Raft promises nothing over disks that lie and are believed.
        scenario.disk.distrust = true;
        let lasts = draws.lasts();
        again(scenario, draws, FaultKind::Disk(DiskKind::Lie { lasts }));
    },
};

pub(super) const DISK_ROT: Class = Class {
    name: "disk-rot",
    about: "what is durable on a minority decays",
    apply: |scenario, draws| {
        let form = draws.of(&[RotForm::Any, RotForm::Bits, RotForm::Sector]);
        again(scenario, draws, FaultKind::Disk(DiskKind::Rot { form }));
    },
};

pub(super) const DISK_MISDIRECT: Class = Class {
    name: "disk-misdirect",
    about: "writes of a minority land on other durable bytes",
    apply: |scenario, draws| again(scenario, draws, FaultKind::Disk(DiskKind::Misdirect)),
};

pub(super) const TRUNCATION: Class = Class {
    name: "truncation",
    about: "nodes crash when they have removed entries, or committed ahead of their own disk",
    apply: |scenario, draws| {
        let kind = crash(draws, &[Target::Observed]);
        when(scenario, draws, "entries-truncated", 200_000, kind);
        when(scenario, draws, "committed-before-own-sync", 3_000, kind);
    },
};

pub(super) const RECOVERY: Class = Class {
    name: "recovery",
    about: "nodes crash again soon after they started with something on their disk that is in doubt",
    apply: |scenario, draws| {
        let kind = crash(draws, &[Target::Observed]);
        when(scenario, draws, "restarted-with-tail", 200_000, kind);
        when(scenario, draws, "torn-tail-recovered", 300_000, kind);
    },
};
