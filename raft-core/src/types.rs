//! The words that everything else is spelled in: nodes, terms, indexes, entries, and what survives a crash.

use crate::configuration::Configuration;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// Names one server of the cluster; any value, unique within it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A term, the logical clock of Raft (paper, section 5.1). Terms begin at 1; 0 is "before any election".
pub type Term = u64;

/// A position in the log. The first entry has index 1; 0 is "before the first entry".
pub type Index = u64;

/// Nanoseconds on the node's own clock, from any fixed origin. The core compares and adds; it never reads a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Time(pub u64);

impl Time {
    /// The moment `nanoseconds` later, at most the end of time.
    #[must_use]
    pub fn after(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }
}

/// The bytes of one command. Shared, so that an entry in the log, in a message and in a write is one allocation.
pub type Payload = Arc<[u8]>;

/// What an entry holds.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Content {
    /// Nothing: the entry that a leader appends at the start of its term, so that it can commit what came before it
    /// (paper, section 8).
    Noop,
    /// A command for the state machine.
    Command(#[cfg_attr(feature = "serde", serde(with = "crate::bytes"))] Payload),
    /// The members from here on (thesis, chapter 4): in force as soon as it is in the log.
    /// Boxed, because it is rare and large.
    Configuration(Box<Configuration>),
}

impl Content {
    /// Bytes that count against the limits: those of the command, or 8 for each member.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Noop => 0,
            Self::Command(payload) => payload.len(),
            Self::Configuration(configuration) => 8 * configuration.members().count(),
        }
    }
}

/// One entry of the replicated log (paper, figure 2).
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// Its position, from 1 on without gaps.
    pub index: Index,
    /// The term of the leader that created it.
    pub term: Term,
    /// What it holds.
    pub content: Content,
}

/// The part of a node's state, beside the log, that must be durable before the node answers (paper, figure 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HardState {
    /// The latest term that the node has seen.
    pub term: Term,
    /// The candidate that got its vote in that term.
    pub voted_for: Option<NodeId>,
}

/// An entry's place in the log: its index and its term. Of two logs, the one whose last mark is greater is the more
/// up-to-date (paper, section 5.4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mark {
    // The order of the fields is the order of the comparison: the later term wins, then the longer log.
    /// Term of the entry.
    pub term: Term,
    /// Index of the entry.
    pub index: Index,
}

/// The state machine as of one entry, with all that the entries up to there had said of the members (paper, section 7).
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The last entry that it stands for.
    pub last: Mark,
    /// The members as of that entry.
    pub configuration: Configuration,
    /// The state machine's own bytes; the core does not look into them.
    #[cfg_attr(feature = "serde", serde(with = "crate::bytes"))]
    pub data: Payload,
}

/// What a disk kept: the input of [`crate::Raft::restore`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DurableState {
    /// Term and vote.
    pub hard_state: HardState,
    /// The latest snapshot.
    pub snapshot: Option<Snapshot>,
    /// The entry just before the first of `entries`; zero if nothing was compacted.
    pub start: Mark,
    /// The log after `start`, without gaps, terms never decreasing and never above `hard_state.term`. With the snapshot it
    /// leaves no gap either.
    pub entries: Vec<Entry>,
    /// Entries up to here were durable once, and some of them are lost: the node neither votes nor stands for election until
    /// a leader has confirmed its log up to here and that is durable. At least the last index that it has ever acknowledged,
    /// and `hard_state` is the last one that was durable; where either can't be known, say `amnesia`. To be given again at
    /// each restart until the status is no longer `fenced`. `None` when nothing is lost.
    pub fence: Option<Index>,
    /// `hard_state` may be older than what the node has promised: its disk was wiped, or lied. It never votes again and does
    /// not count in any quorum; replace it under a new id. To be given again at each later restart.
    /// `hard_state.term` must still be at least that of the last entry.
    pub amnesia: bool,
}

/// Names one [`crate::Persist`]. Ids grow by one and are never used twice within an incarnation, so that the completion
/// of an overwritten write can't be taken for that of the write that replaced it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct WriteId(pub u64);

/// Names a proposal or a read; chosen by the driver, given back in its [`crate::Answer`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);
