//! The words that everything else is spelled in: nodes, terms, indexes, entries, and what survives a crash.

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
    Command(Payload),
}

impl Content {
    /// Bytes of the command; 0 for a no-op.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Noop => 0,
            Self::Command(payload) => payload.len(),
        }
    }

    /// Whether there are no bytes to apply.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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

/// What a disk kept: the input of [`crate::Raft::restore`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DurableState {
    /// Term and vote.
    pub hard_state: HardState,
    /// The whole log, from index 1 on, without gaps, terms never decreasing and never above `hard_state.term`.
    pub entries: Vec<Entry>,
}

/// Names one [`crate::Persist`]. Ids grow by one and are never used twice within an incarnation, so that the completion
/// of an overwritten write can't be taken for that of the write that replaced it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct WriteId(pub u64);

/// Names a proposal or a read; chosen by the driver, given back in its [`crate::Answer`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);
