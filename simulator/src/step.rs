//! What a world tells its observer: one [`Step`] for each event that it handled, and why it stopped if it had to.

use crate::disk::{DiskError, SyncToken};
use crate::id::{ClientId, Endpoint, NodeId};
use crate::network::{CutId, DropReason};
use crate::time::{Duration, Time};

/// One handled event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// True time.
    pub time: Time,
    /// The number of the event, as in the trace.
    pub seq: u64,
    /// The node that it happened to, if it happened to one.
    pub node: Option<NodeId>,
    /// What happened.
    pub kind: StepKind,
}

/// What happened in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A node handled a message.
    Delivered {
        /// Its sender.
        from: NodeId,
    },
    /// A message, request or response came to its end without being handled. What is lost when it is sent makes no step.
    Dropped {
        /// Its sender.
        from: Endpoint,
        /// Who would have received it.
        to: Endpoint,
        /// Why.
        reason: DropReason,
    },
    /// A node handled its timer.
    Timer,
    /// A node was told that a sync has completed.
    Synced {
        /// Which sync.
        token: SyncToken,
    },
    /// A node was told that a sync has failed.
    SyncFailed {
        /// Which sync.
        token: SyncToken,
        /// Why.
        error: DiskError,
    },
    /// A node was told that a piece of its own work is done.
    Worked,
    /// A node handled a request.
    Request {
        /// Who sent it.
        from: ClientId,
    },
    /// A client handled a response.
    Response {
        /// Who sent it.
        from: NodeId,
        /// Who handled it.
        client: ClientId,
    },
    /// A client handled its timer.
    ClientTimer {
        /// Which client.
        client: ClientId,
    },
    /// A process was killed, or stopped of its own accord.
    Crashed,
    /// A process started again.
    Restarted,
    /// A process was paused.
    Paused,
    /// A process may go on.
    Resumed,
    /// A clock was stepped or drifts otherwise.
    ClockChanged,
    /// A node that is down has other settings from its next start on.
    Reconfigured,
    /// A disk was struck.
    DiskStruck,
    /// Links were cut.
    Cut {
        /// The name of the cut.
        id: CutId,
    },
    /// A cut was mended.
    Mended {
        /// The name of the cut.
        id: CutId,
    },
    /// Links hold messages from now on.
    Held {
        /// The name of the hold.
        id: CutId,
    },
    /// A hold ended.
    Released {
        /// The name of the hold.
        id: CutId,
    },
    /// The network behaves otherwise.
    NetworkChanged,
    /// All faults were ended.
    Healed,
    /// A fault could do nothing.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
}

/// Why a fault could do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// No live node fits its target.
    NoTarget,
    /// As many nodes are down as may be.
    TooManyDown,
    /// The node, or the cut, is not in the state that the fault would change.
    AlreadySo,
    /// There is nothing yet on the disk that may decay.
    NothingSettled,
}

impl SkipReason {
    /// The name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoTarget => "no-target",
            Self::TooManyDown => "too-many-down",
            Self::AlreadySo => "already-so",
            Self::NothingSettled => "nothing-settled",
        }
    }
}

/// Why a world cannot go on. It is not the fault of the system under test as such, but it may be its doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// More events are queued than the configuration allows.
    #[error(
        "the world halted at {at} with {queued} events queued, its bound: the system under test sends more than it handles, \
         or raise `max_queued`"
    )]
    QueueFull {
        /// True time.
        at: Time,
        /// How many events were queued.
        queued: usize,
    },
    /// A process wrote more than a disk holds.
    #[error(
        "the world halted at {at}: {node} wrote as far as byte {end}, or kept too much unsynced, and its disk holds \
         {max_bytes} bytes from where its file begins: give up what is old earlier, or raise `disk.max_bytes`"
    )]
    DiskFull {
        /// Which node.
        node: NodeId,
        /// True time.
        at: Time,
        /// One past the last byte of the write.
        end: u64,
        /// The bound of the disk.
        max_bytes: u64,
    },
    /// Events follow one another without time passing.
    #[error(
        "the world halted at {at} after {events} events in that one instant: a process or client sets its timer to now each time it fires"
    )]
    Livelock {
        /// True time.
        at: Time,
        /// How many events there were.
        events: u64,
    },
}

impl Halt {
    /// When the world halted.
    pub const fn at(&self) -> Time {
        match self {
            Self::QueueFull { at, .. } | Self::DiskFull { at, .. } | Self::Livelock { at, .. } => *at,
        }
    }

    /// How long the world had run.
    pub const fn after(&self) -> Duration {
        Duration(self.at().0)
    }
}
