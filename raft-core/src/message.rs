//! What servers say to each other: the two RPCs of the paper (figure 2), each as a request and a reply, and the
//! pre-vote of the thesis (section 9.6).

use crate::types::{Entry, Index, NodeId, Term};
use alloc::vec::Vec;

/// A message between two servers.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Message {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// The sender's current term; in a pre-vote request and in a granted pre-vote, the term that the candidate would have.
    pub term: Term,
    /// What is said.
    pub body: Body,
}

/// What a [`Message`] says.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "kebab-case"))]
pub enum Body {
    /// "Would you vote for me?": changes nothing at the receiver (thesis, section 9.6).
    PreVote(LastEntry),
    /// The answer to [`Body::PreVote`].
    PreVoteReply {
        /// Whether the receiver would vote for the sender.
        granted: bool,
    },
    /// `RequestVote` (paper, section 5.2).
    RequestVote(LastEntry),
    /// The answer to [`Body::RequestVote`].
    VoteReply {
        /// Whether the receiver has given its vote.
        granted: bool,
    },
    /// `AppendEntries` (paper, section 5.3); without entries, a heartbeat.
    AppendEntries {
        /// Index of the entry just before the new ones.
        prev_index: Index,
        /// Term of that entry.
        prev_term: Term,
        /// The entries after it, in order; empty for a heartbeat.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
        /// The latest round of leadership confirmation; echoed in the reply (thesis, section 6.4).
        round: u64,
    },
    /// The entries were found in place or appended.
    AppendAccepted {
        /// The receiver's log, durably, is the leader's up to here: `prev_index` plus the number of entries.
        match_index: Index,
        /// The round of the request.
        round: u64,
    },
    /// The receiver has no entry of `prev_term` at `prev_index`, or the request was of an old term.
    AppendRejected {
        /// The `prev_index` that was refused.
        prev_index: Index,
        /// The receiver's log may match the leader's up to here, not beyond.
        hint_index: Index,
        /// The term of the receiver's entry at `hint_index`.
        hint_term: Term,
        /// The round of the request.
        round: u64,
    },
}

/// What a candidate's log ends with: compared with the voter's (paper, section 5.4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LastEntry {
    // The order of the fields is the order of the comparison: the later term wins, then the longer log.
    /// Term of the last entry.
    pub term: Term,
    /// Index of the last entry.
    pub index: Index,
}

impl Body {
    /// A short name, for traces and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PreVote(_) => "pre-vote",
            Self::PreVoteReply { .. } => "pre-vote-reply",
            Self::RequestVote(_) => "request-vote",
            Self::VoteReply { .. } => "vote-reply",
            Self::AppendEntries { entries, .. } if entries.is_empty() => "heartbeat",
            Self::AppendEntries { .. } => "append-entries",
            Self::AppendAccepted { .. } => "append-accepted",
            Self::AppendRejected { .. } => "append-rejected",
        }
    }
}
