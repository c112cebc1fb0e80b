//! Which `[[fault]]` of a scenario had an effect in a run.
//!
//! That something was planned, or even done, is no effect: a cut must stop a message, a crash at a disk operation must come to
//! that operation. Cuts and holds are told from each other by their names; of other kinds it is known which strikes could do
//! something, and whether effects of their class were counted in the run.

use simulator::{ClientOf, CutId, DiskFault, Exposure, FaultAction, FaultClass, Process, World};
use std::collections::BTreeSet;

/// Whose strike an action is, and how its effect shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin {
    /// The number of the `[[fault]]` in the scenario.
    pub fault: usize,
    /// Where to look for it.
    pub shows_as: Shows,
}

/// How it shows that a strike had an effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shows {
    /// It could do something.
    AtOnce,
    /// The cut or the hold of this name has stopped or held a message.
    Link(CutId),
    /// Something of one of these classes was counted.
    Class([FaultClass; 2]),
}

impl Shows {
    /// Of an action.
    pub fn of(action: &FaultAction) -> Self {
        let class = |class| Self::Class([class, class]);
        match action {
            FaultAction::Cut { id, .. }
            | FaultAction::Isolate { id, .. }
            | FaultAction::Hold { id, .. }
            | FaultAction::HoldAround { id, .. } => Self::Link(*id),
            FaultAction::Replay { .. } => class(FaultClass::Replay),
            FaultAction::CrashAtDisk { .. } => Self::Class([FaultClass::DiskCrash, FaultClass::CutWrite]),
            FaultAction::Pause { .. } => class(FaultClass::Pause),
            FaultAction::Wipe { .. } => class(FaultClass::Wipe),
            FaultAction::Upgrade { .. } => class(FaultClass::Upgrade),
            FaultAction::ClockStep { .. } => class(FaultClass::ClockStep),
            FaultAction::ClockDrift { .. } => class(FaultClass::ClockDrift),
            FaultAction::ClockFreeze { .. } => class(FaultClass::ClockFreeze),
            FaultAction::Disk { fault, .. } => match fault {
                DiskFault::Error { .. } => class(FaultClass::SyncError),
                DiskFault::Full { .. } => class(FaultClass::DiskFull),
                DiskFault::Stall { .. } => class(FaultClass::DiskStall),
                DiskFault::Lie { .. } => class(FaultClass::LyingSync),
                DiskFault::Misdirect => class(FaultClass::MisdirectedWrite),
                DiskFault::Rot | DiskFault::Unreadable => Self::AtOnce,
            },
            _ => Self::AtOnce,
        }
    }
}

/// What has struck in a run, and which faults had an effect.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The strikes that could do something, each kind of them once for a fault, unless they are told from each other.
    struck: BTreeSet<Origin>,
}

impl Effects {
    /// A strike could do something.
    pub fn struck(&mut self, origin: Origin) {
        self.struck.insert(origin);
    }

    /// Of each of so many faults, whether it had an effect by now.
    pub fn of_faults<P: Process, C: ClientOf<P>>(&self, count: usize, world: &World<P, C>) -> Vec<bool> {
        let mut had = vec![false; count];
        for Origin { fault, shows_as } in &self.struck {
            had[*fault] |= match shows_as {
                Shows::AtOnce => true,
                Shows::Link(id) => world.is_effective(*id),
                Shows::Class(classes) => classes.iter().any(|class| was_counted(world.exposure(), *class)),
            };
        }
        had
    }
}

fn was_counted(exposure: &Exposure, class: FaultClass) -> bool {
    exposure.count(class) > 0
}
