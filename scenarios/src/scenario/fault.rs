//! What a `[[fault]]` says: a kind with its own settings, and when it strikes.
//!
//! Owns the types. Leaves to others: reading them (`read_fault.rs`), and turning them into a plan of timed actions for a
//! seed (whoever runs the scenario).

use super::disk_fault::DiskKind;
use super::flips::Flips;
use super::named::{CutLinks, Groups};
use super::rate::Rate;
use super::spec::{DurationRange, OffsetRange};

/// One `[[fault]]`: what happens and when. Faults strike during `time.chaos` only; when it ends, all of them heal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Once, or again and again.
    pub when: When,
    /// What happens.
    pub kind: FaultKind,
    /// `fires`: in how many of the runs it has an effect.
    pub fires: Fires,
}

/// In how many of the runs of a sweep a fault has an effect at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fires {
    /// The key is left out: what a sweep goes by is derived from when the fault strikes.
    #[default]
    Derived,
    /// `"off"`: nothing is expected of it.
    Off,
    /// `"1/50"`: in so many.
    At(Rate),
}

/// When a fault strikes; a `[[fault]]` gives exactly one of `at`, `every` and `when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `at = "3s"`: once, this many nanoseconds after the start of the run; less than `time.chaos`.
    At {
        /// Nanoseconds after the start of the run.
        ns: u64,
    },
    /// `every = "2s..4s"`: throughout `time.chaos`; each pause, the first one included, is drawn from the range. 1 ms to 1 h.
    /// Pauses are counted from strike to strike, so a fault that lasts longer than the pause overlaps with itself.
    Every(DurationRange),
    /// `when = "leader-elected"`: as often as a situation is reached during `time.chaos`, within limits.
    Reached(Trigger),
}

/// A situation that makes a fault strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// `when`: the situation's name.
    pub situation: &'static str,
    /// `probability`: in what share of the cases it strikes (ppm); 1 ppm to 100%; default 100%.
    pub probability_ppm: u32,
    /// `after`: how long after the situation was reached; up to 1 h; default 0: at once, before any other event.
    pub after: DurationRange,
    /// `limit`: how often it strikes at most in one run; 1 to 100,000; default 10.
    pub limit: u32,
}

/// What a fault does. Durations are drawn for each strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// `partition`: the nodes fall apart at random in the shape of `split`. Nothing to split with one node.
    Partition {
        /// `for`: until the links mend; 1 us to 1 h.
        lasts: DurationRange,
        /// `split`: who still reaches whom; default `random`.
        split: Split,
        /// `clients`: whether each client falls into a group at random as well; default false (clients reach every node).
        clients: bool,
    },
    /// `cut-clients`: some of the clients, at least one, are cut off from some of the nodes, at least one; both at random.
    CutClients {
        /// `for`: until the links mend; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `cut-links`: these links are cut.
    CutLinks {
        /// `links`: which, and which way.
        links: CutLinks,
        /// `for`: until they mend; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `isolate`: one node cannot reach the others, nor they it.
    Isolate {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: until the links mend; 1 us to 1 h.
        lasts: DurationRange,
        /// `clients`: whether the node is cut from the clients too; default false.
        clients: bool,
        /// `keeps`: how many of the other nodes it still reaches, both ways; who they are is drawn when it strikes; 0 to 6;
        /// default 0.
        keeps: u32,
    },
    /// `one-way`: one node is cut in one direction only.
    OneWay {
        /// `target`: which node; default `any`.
        target: Target,
        /// `direction`: which way is cut; default `any`.
        direction: Direction,
        /// `for`: until the links mend; 1 us to 1 h.
        lasts: DurationRange,
        /// `clients`: whether the same direction is cut between the node and the clients; default false.
        clients: bool,
    },
    /// `clog`: messages from or to one node do not arrive until it is over; then all of them do.
    Clog {
        /// `target`: which node; default `any`.
        target: Target,
        /// `side`: what is clogged; default `both`.
        side: Side,
        /// `for`: until the messages arrive; 1 us to 1 h.
        lasts: DurationRange,
        /// `clients`: whether messages between the node and the clients are clogged too; default false.
        clients: bool,
    },
    /// `clog-link`: one direction of the link between two nodes, drawn for each strike, is clogged.
    ClogLink {
        /// `for`: until the messages arrive; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `swizzle-clog`: a random set of nodes is clogged one after another, and unclogged in another order.
    SwizzleClog {
        /// `for`: from the last clogging to the first unclogging; 1 us to 1 h.
        lasts: DurationRange,
        /// `gap`: from one clogging or unclogging to the next; up to 1 h; default 10 ms to 200 ms.
        gap: DurationRange,
    },
    /// `hold`: chosen messages from or to one node are held, and delivered later.
    Hold {
        /// `target`: which node; default `any`.
        target: Target,
        /// `side`: whether what it sends, what it receives, or both is held; default `out`.
        side: Side,
        /// `message`: only messages of this kind, one of [`Known::message_kinds`](super::Known::message_kinds); default: every kind.
        message: Option<&'static str>,
        /// `skip`: so many that would fit pass first, 0 to 1,000,000; default 0.
        skip: u32,
        /// `count`: at most so many are held, 1 to 1,000,000; default 1.
        count: u32,
        /// `for`: until they are delivered; 1 us to 1 h.
        lasts: DurationRange,
        /// `reversed`: whether they are delivered in the opposite order; default false.
        reversed: bool,
    },
    /// `replay-old`: messages of the past are delivered again; 256 of them are remembered, some recent, some old.
    ReplayOld {
        /// `messages`: how many at each strike, 1 to 1,000; default 5.
        messages: u32,
    },
    /// `crash`: one node stops at once, its unsynced writes suffer as `[disk]` says, and it restarts from its disk.
    Crash {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: time until the restart; 1 us to 1 h.
        lasts: DurationRange,
        /// `max_down`: a strike that would take more nodes down at once than this is skipped; 1 to 7; `None`: see
        /// [`FaultKind::max_down_of`].
        max_down: Option<u32>,
    },
    /// `pause`: one node stands still and later goes on with what has arrived meanwhile; its clock runs on.
    Pause {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: until it resumes; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `clock-step`: the clock of one node jumps.
    ClockStep {
        /// `target`: which node; default `any`.
        target: Target,
        /// `by`: how far, forward or back; at most 1 h either way.
        by: OffsetRange,
    },
    /// `clock-drift`: the clock of one node runs fast or slow for a while.
    ClockDrift {
        /// `target`: which node; default `any`.
        target: Target,
        /// `drift`: the rate is drawn between minus and plus this (ppm); 1 ppm to 10%.
        drift_max_ppm: u32,
        /// `for`: until the rate that the node started with returns; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `rolling-restart`: each node in turn crashes and restarts, in the order of their numbers.
    RollingRestart {
        /// `for`: how long each is down; 1 us to 1 h.
        lasts: DurationRange,
        /// `gap`: from one node's restart to the next one's crash; up to 1 h; default 200 ms to 1 s.
        gap: DurationRange,
    },
    /// `power-loss`: all nodes crash at the same instant.
    PowerLoss {
        /// `for`: time until the restart, drawn for each node; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `crash-at-disk`: one node crashes at one of its next disk operations, between it and the one before or in its middle.
    CrashAtDisk {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: time until the restart; 1 us to 1 h.
        lasts: DurationRange,
        /// `within`: how many of the next operations it may be, each as likely, 1 to 100,000; default 20. Operations are writes, the
        /// starts of syncs, and their completions.
        within: u32,
        /// `middle`: how often it is in the middle of one (ppm): a part of the write, a sync under way, a completion that nobody is
        /// told of; default 50%.
        middle_ppm: u32,
    },
    /// `crash-loop`: one node crashes, and crashes again each time that it has started.
    CrashLoop {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: how long it is down each time, drawn for each strike; 1 us to 1 h.
        lasts: DurationRange,
        /// `up`: how long it is up each time, drawn for each strike; up to 1 h; default 0 ms to 100 ms.
        up: DurationRange,
        /// `times`: how often it crashes at each strike, 2 to 1,000; default 5.
        times: u32,
    },
    /// `wipe`: the disk of one node, which the budget admits, is gone, and the node with it.
    Wipe {
        /// `for`: until somebody has put a new disk in; 1 us to 1 h.
        lasts: DurationRange,
        /// `identity`: under which name the node comes back; default `new`.
        identity: Identity,
    },
    /// `upgrade`: each node in turn stops and starts with other settings: those of `[cluster]` with some flipped, and at the next
    /// strike those of `[cluster]` again.
    Upgrade {
        /// `for`: how long each is down; 1 us to 1 h.
        lasts: DurationRange,
        /// `gap`: from one node's start to the next one's stop; up to 1 h; default 200 ms to 1 s.
        gap: DurationRange,
        /// `flips`: which settings; default all.
        flips: Flips,
    },
    /// `clock-freeze`: the clock of one node stands still.
    ClockFreeze {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: until it goes on; 1 us to 1 h.
        lasts: DurationRange,
        /// `then`: how it goes on; default `any`.
        then: Thaw,
    },
    /// `disk-...`: something happens to the disk of one node.
    Disk(DiskKind),
}

impl FaultKind {
    /// The kind's name in a scenario file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Partition { .. } => "partition",
            Self::CutClients { .. } => "cut-clients",
            Self::CutLinks { .. } => "cut-links",
            Self::Isolate { .. } => "isolate",
            Self::OneWay { .. } => "one-way",
            Self::Clog { .. } => "clog",
            Self::ClogLink { .. } => "clog-link",
            Self::SwizzleClog { .. } => "swizzle-clog",
            Self::Hold { .. } => "hold",
            Self::ReplayOld { .. } => "replay-old",
            Self::Crash { .. } => "crash",
            Self::Pause { .. } => "pause",
            Self::ClockStep { .. } => "clock-step",
            Self::ClockDrift { .. } => "clock-drift",
            Self::RollingRestart { .. } => "rolling-restart",
            Self::PowerLoss { .. } => "power-loss",
            Self::CrashAtDisk { .. } => "crash-at-disk",
            Self::CrashLoop { .. } => "crash-loop",
            Self::Wipe { .. } => "wipe",
            Self::Upgrade { .. } => "upgrade",
            Self::ClockFreeze { .. } => "clock-freeze",
            Self::Disk(kind) => kind.name(),
        }
    }

    /// The node that it strikes, for the kinds that strike one.
    pub fn target(&self) -> Option<Target> {
        let mut copy = *self;
        copy.target_mut().copied()
    }

    /// The same fault, aimed elsewhere if it strikes one node.
    #[must_use]
    pub fn aimed(mut self, at: Target) -> Self {
        if let Some(target) = self.target_mut() {
            *target = at;
        }
        self
    }

    fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Self::Isolate { target, .. }
            | Self::OneWay { target, .. }
            | Self::Clog { target, .. }
            | Self::Hold { target, .. }
            | Self::Crash { target, .. }
            | Self::Pause { target, .. }
            | Self::ClockStep { target, .. }
            | Self::ClockDrift { target, .. }
            | Self::CrashAtDisk { target, .. }
            | Self::CrashLoop { target, .. }
            | Self::ClockFreeze { target, .. } => Some(target),
            Self::Disk(kind) => kind.target_mut(),
            Self::Partition { .. }
            | Self::CutClients { .. }
            | Self::CutLinks { .. }
            | Self::ClogLink { .. }
            | Self::SwizzleClog { .. }
            | Self::ReplayOld { .. }
            | Self::RollingRestart { .. }
            | Self::Wipe { .. }
            | Self::Upgrade { .. }
            | Self::PowerLoss { .. } => None,
        }
    }

    /// How long it lasts; a step of a clock is never taken back.
    pub fn lasts(&self) -> Option<DurationRange> {
        match *self {
            Self::Partition { lasts, .. }
            | Self::CutClients { lasts }
            | Self::CutLinks { lasts, .. }
            | Self::Isolate { lasts, .. }
            | Self::OneWay { lasts, .. }
            | Self::Clog { lasts, .. }
            | Self::ClogLink { lasts }
            | Self::SwizzleClog { lasts, .. }
            | Self::Hold { lasts, .. }
            | Self::Crash { lasts, .. }
            | Self::Pause { lasts, .. }
            | Self::ClockDrift { lasts, .. }
            | Self::RollingRestart { lasts, .. }
            | Self::CrashAtDisk { lasts, .. }
            | Self::CrashLoop { lasts, .. }
            | Self::Wipe { lasts, .. }
            | Self::Upgrade { lasts, .. }
            | Self::ClockFreeze { lasts, .. }
            | Self::PowerLoss { lasts } => Some(lasts),
            Self::Disk(kind) => kind.lasts(),
            Self::ClockStep { .. } | Self::ReplayOld { .. } => None,
        }
    }

    /// How many nodes may be down at once while a `crash` strikes a cluster of `nodes`, where the scenario does not say:
    /// half of them, rounded down, but at least one. (With 4 nodes this takes the quorum away for a while.)
    pub fn max_down_of(max_down: Option<u32>, nodes: u32) -> u32 {
        max_down.unwrap_or((nodes / 2).max(1))
    }
}

/// Which node a fault strikes; found out at the instant when it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `leader`: the current leader, or any node if there is none.
    Leader,
    /// `backup`: any node but the leader.
    Backup,
    /// `any`: any node that is up.
    Any,
    /// `n2`: the node of this number, counted from 0; it exists under every choice of `cluster.nodes`.
    Node(u32),
    /// `observed`: the node on which the situation of `when` was observed; any node where it was on none in particular.
    Observed,
}

/// How a `partition` divides the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `random`: the size of one group is drawn from 1 to all but one.
    Random,
    /// `even`: the groups differ by at most one node; no side has a majority of an even number.
    Even,
    /// `minority`: one group has fewer than half of the nodes, at least one; the other has a majority.
    Minority,
    /// `thirds`: three groups whose sizes differ by at most one node.
    Thirds,
    /// `ring`: each node reaches only its two neighbours in a ring.
    Ring,
    /// `bridge`: two groups that differ by at most one node, and one node that belongs to both.
    Bridge,
    /// `n0 n1 | n2`: these groups, the same at each strike.
    Named(Groups),
}

/// Which way a `one-way` fault cuts its node off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `in`: it can send and does not receive.
    In,
    /// `out`: it receives and cannot send.
    Out,
    /// `any`: one of the two, drawn for each strike.
    Any,
}

/// Which messages of a node a `clog` or `hold` keeps from arriving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `both`: what it sends and what it receives.
    Both,
    /// `in`: what it receives.
    In,
    /// `out`: what it sends.
    Out,
}

/// Under which name a node whose disk is gone comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// `new`: a spare takes its place, when the operator has removed the old name and added the spare's; the old one never returns.
    New,
    /// `old`: its own, told that its disk is new: it gets the log, and never votes again.
    Old,
}

/// How a clock that stood still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thaw {
    /// `any`: one of the two, drawn for each strike.
    Any,
    /// `leap`: with a leap to what it would read if it had not stood still.
    Leap,
    /// `on`: from where it stood.
    On,
}
