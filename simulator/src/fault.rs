//! Faults as data: what can be done to a world, to whom, and when.
//!
//! Owns the actions and their JSON form; their targets, their place in the digest and which of them fit a world are in the
//! modules below. What an action does is in [`crate::world`]. A plan is a list of [`PlannedFault`], in any order.

mod check;
mod stamp;
mod target;
#[cfg(test)]
mod tests;

pub use check::FaultError;
pub use target::{Held, OneWay, Target, TargetError};

use crate::disk::DiskFault;
use crate::id::{Endpoint, NodeId};
use crate::network::{CutId, NetworkConfig};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};

/// A fault at its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// True time.
    pub at: Time,
    /// What happens then.
    pub action: FaultAction,
}

/// Something that was done to a world, for whoever wants to do it again without its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What and when. It names the node that was struck, whomever it was aimed at.
    pub fault: PlannedFault,
    /// How many events of its instant came before. What the plan says comes before all of them.
    pub after: u64,
}

/// Something that is done to the world from outside. In JSON an object with its `kind` in kebab case.
///
/// ```
/// use simulator::{FaultAction, Target};
/// let json = r#"{"kind":"crash","target":"primary","restart_after":2000000000}"#;
/// let action: FaultAction = serde_json::from_str(json).unwrap();
/// assert!(matches!(action, FaultAction::Crash { target: Target::Primary, .. }));
/// assert_eq!(serde_json::to_string(&action).unwrap(), json);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultAction {
    // --- network ---
    /// Blocks all messages from each of `from` to each of `to`, and back unless it is one-way.
    Cut {
        /// Its name, for [`FaultAction::Mend`]. A standing cut of the same name is mended first.
        id: CutId,
        /// One side.
        from: Vec<Endpoint>,
        /// The other side.
        to: Vec<Endpoint>,
        /// Whether messages from `to` to `from` still pass.
        #[serde(default)]
        one_way: bool,
    },
    /// Ends a cut. Skipped when there is none of this name.
    Mend {
        /// The name of the cut.
        id: CutId,
    },
    /// Cuts one node off from all other nodes. Ends with [`FaultAction::Mend`].
    Isolate {
        /// The name of the cut.
        id: CutId,
        /// The node.
        target: Target,
        /// Which direction still passes, if one does.
        #[serde(default)]
        one_way: OneWay,
        /// Whether it is cut off from all clients too.
        #[serde(default)]
        with_clients: bool,
        /// How many of the other nodes it stays joined with; who they are is drawn when it fires.
        #[serde(default)]
        keeps: u16,
    },
    /// Holds messages from each of `from` to each of `to`, and back unless it is one-way, at the end of their way: all of
    /// them, which clogs the links, or chosen ones. Ends with [`FaultAction::Release`].
    Hold {
        /// Its name. A hold of the same name is released first.
        id: CutId,
        /// One side.
        from: Vec<Endpoint>,
        /// The other side.
        to: Vec<Endpoint>,
        /// Whether messages from `to` to `from` still pass.
        #[serde(default)]
        one_way: bool,
        /// Which messages.
        #[serde(default)]
        chosen: Held,
    },
    /// Holds what one node sends to other nodes, what it receives from them, or both.
    HoldAround {
        /// Its name. A hold of the same name is released first.
        id: CutId,
        /// The node.
        target: Target,
        /// Which direction is held, if it is only one.
        #[serde(default)]
        one_way: OneWay,
        /// Whether messages between it and the clients are held too.
        #[serde(default)]
        with_clients: bool,
        /// Which messages.
        #[serde(default)]
        chosen: Held,
    },
    /// Ends a hold: what it held is delivered. Skipped when there is none of this name.
    Release {
        /// The name of the hold.
        id: CutId,
    },
    /// Delivers old messages again: as many as this, of those that [`crate::network::LinkConfig::memory`] keeps. Skipped when
    /// it keeps none.
    Replay {
        /// How many.
        count: u32,
    },
    /// Changes how the network behaves, for messages sent from now on.
    Network {
        /// The new behaviour.
        config: NetworkConfig,
    },
    // --- process ---
    /// Kills a process. What it had not synced is lost, kept or torn. Skipped when too many nodes are down already.
    Crash {
        /// The node.
        target: Target,
        /// How long it stays down; until somebody restarts it when absent.
        #[serde(default)]
        restart_after: Option<Duration>,
    },
    /// Kills a process at one of its next disk operations: a write, the start of a sync, or its completion. What the process
    /// does after that operation, in the same event, does not happen. Of several that wait on a node the last one stands. Skipped
    /// when too many nodes are down already; how many are when it strikes does not matter.
    CrashAtDisk {
        /// The node.
        target: Target,
        /// How many operations pass before.
        skip: u32,
        /// How much of the next one still happens, in parts per million: none of it at zero; of a write so much of its beginning,
        /// of a sync its start, of a completion all but the process's being told.
        #[serde(default)]
        part: u32,
        /// How long it stays down; until somebody restarts it when absent.
        #[serde(default)]
        restart_after: Option<Duration>,
    },
    /// Kills a process, and kills it again each time that it has started, so many times in all.
    CrashLoop {
        /// The node.
        target: Target,
        /// How often it is killed, the first time included.
        times: u32,
        /// How long it is up between two crashes.
        up: Duration,
        /// How long it stays down each time.
        down: Duration,
    },
    /// Takes a node's disk away, and kills its process if it is up. A process that starts afterwards finds an empty disk, and
    /// [`crate::Context::wiped`] tells it so.
    Wipe {
        /// The node.
        target: Target,
        /// How long it takes until the process starts again; or, if it does not, until somebody may notice, which is for the
        /// harness to see to.
        after: Duration,
        /// Whether it stays down for ever, whatever would restart it.
        #[serde(default)]
        retires: bool,
    },
    /// Stops a process, and starts it again with the settings of another version, which [`crate::Context::version`] tells it. A
    /// node that is down gets them at its next start.
    Upgrade {
        /// The node.
        target: Target,
        /// The version.
        version: u32,
        /// How long it is down.
        restart_after: Duration,
    },
    /// Starts a crashed process again from its disk. Skipped when it is up, and when its disk was taken away for ever.
    Restart {
        /// The node.
        node: NodeId,
    },
    /// Holds a process: all that would happen to it waits. Its clock and its disk go on.
    Pause {
        /// The node.
        target: Target,
        /// How long it is held; until somebody resumes it when absent.
        #[serde(default)]
        resume_after: Option<Duration>,
    },
    /// Lets a paused process go on: first with what waited, in order. Skipped when it is not paused.
    Resume {
        /// The node.
        node: NodeId,
    },
    // --- clock ---
    /// Moves a node's clock.
    ClockStep {
        /// The node.
        target: Target,
        /// By so many nanoseconds; back when negative, as far as zero.
        by: i64,
    },
    /// Changes the drift of a node's clock.
    ClockDrift {
        /// The node.
        target: Target,
        /// From now on, in parts per million; at most 500,000 either way.
        ppm: i32,
    },
    /// Lets a node's clock stand still. Skipped while it stands still already.
    ClockFreeze {
        /// The node.
        target: Target,
        /// How long; until the faults end when absent.
        #[serde(default)]
        lasts: Option<Duration>,
        /// Whether it then jumps to what it would read by now. Otherwise it goes on from where it stood.
        #[serde(default)]
        leap: bool,
    },
    // --- disk ---
    /// Does something to the disk of a node, whether the node is up or not. Skipped when there is nothing to damage.
    Disk {
        /// The node.
        target: Target,
        /// What.
        fault: DiskFault,
    },
    // --- all ---
    /// Ends all faults: see [`crate::World::heal`].
    Heal,
}

impl FaultAction {
    /// Whom it is aimed at, if it is aimed.
    pub fn target(&self) -> Option<Target> {
        match self {
            Self::Isolate { target, .. }
            | Self::HoldAround { target, .. }
            | Self::Crash { target, .. }
            | Self::CrashAtDisk { target, .. }
            | Self::CrashLoop { target, .. }
            | Self::Wipe { target, .. }
            | Self::Upgrade { target, .. }
            | Self::ClockFreeze { target, .. }
            | Self::Pause { target, .. }
            | Self::ClockStep { target, .. }
            | Self::ClockDrift { target, .. }
            | Self::Disk { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// The same, aimed at this node; as it is if it is not aimed.
    #[must_use]
    pub fn aimed(mut self, node: NodeId) -> Self {
        match &mut self {
            Self::Isolate { target, .. }
            | Self::HoldAround { target, .. }
            | Self::Crash { target, .. }
            | Self::CrashAtDisk { target, .. }
            | Self::CrashLoop { target, .. }
            | Self::Wipe { target, .. }
            | Self::Upgrade { target, .. }
            | Self::ClockFreeze { target, .. }
            | Self::Pause { target, .. }
            | Self::ClockStep { target, .. }
            | Self::ClockDrift { target, .. }
            | Self::Disk { target, .. } => *target = Target::Node(node),
            _ => {}
        }
        self
    }

    /// The kind in plans and reports.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cut { .. } => "cut",
            Self::Mend { .. } => "mend",
            Self::Isolate { .. } => "isolate",
            Self::Crash { .. } => "crash",
            Self::CrashAtDisk { .. } => "crash-at-disk",
            Self::CrashLoop { .. } => "crash-loop",
            Self::Wipe { .. } => "wipe",
            Self::Upgrade { .. } => "upgrade",
            Self::Restart { .. } => "restart",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::ClockStep { .. } => "clock-step",
            Self::ClockDrift { .. } => "clock-drift",
            Self::ClockFreeze { .. } => "clock-freeze",
            Self::Hold { .. } => "hold",
            Self::HoldAround { .. } => "hold-around",
            Self::Release { .. } => "release",
            Self::Replay { .. } => "replay",
            Self::Network { .. } => "network",
            Self::Disk { .. } => "disk",
            Self::Heal => "heal",
        }
    }
}
