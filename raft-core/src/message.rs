//! What servers say to each other: the RPCs of the paper (figures 2 and 13), each as a request and a reply, the pre-vote of
//! the thesis (section 9.6), leadership transfer (section 3.10) and forwarded reads (section 6.4).

use crate::configuration::Configuration;
use crate::types::{Entry, Index, Mark, NodeId, Payload, Term};
use alloc::boxed::Box;
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
    PreVote {
        /// What the sender's log ends with.
        last: Mark,
    },
    /// The answer to [`Body::PreVote`].
    PreVoteReply {
        /// Whether the receiver would vote for the sender.
        granted: bool,
    },
    /// `RequestVote` (paper, section 5.2).
    RequestVote {
        /// What the sender's log ends with.
        last: Mark,
        /// The leader itself has asked for this election: voters need not wait until they miss it (thesis, section 4.2.3).
        transfer: bool,
    },
    /// The answer to [`Body::RequestVote`].
    VoteReply {
        /// Whether the receiver has given its vote.
        granted: bool,
    },
    /// `AppendEntries` (paper, section 5.3); without entries, a heartbeat.
    AppendEntries {
        /// The entry just before the new ones.
        prev: Mark,
        /// The entries after it, in order; empty for a heartbeat.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
        /// Whether the group goes quiet: no more heartbeats until something happens.
        quiesce: bool,
        /// To be echoed.
        stamp: Stamp,
    },
    /// The entries were found in place or appended.
    AppendAccepted {
        /// The receiver's log, durably, is the leader's up to here.
        match_index: Index,
        /// The receiver may have forgotten what it promised: it has the entries, and does not count.
        amnesia: bool,
        /// That of the request.
        stamp: Stamp,
    },
    /// The receiver has no such entry as `prev`, or the request was of an old term.
    AppendRejected {
        /// The index of `prev` that was refused.
        prev_index: Index,
        /// The receiver's log may match the leader's up to here, not beyond.
        hint: Mark,
        /// The receiver has lost entries that it had acknowledged.
        lost: bool,
        /// That of the request.
        stamp: Stamp,
    },
    /// `InstallSnapshot` (paper, section 7), one chunk of it.
    InstallSnapshot {
        /// The last entry that the snapshot stands for.
        last: Mark,
        /// The members as of that entry.
        configuration: Box<Configuration>,
        /// Where the chunk begins.
        offset: u64,
        /// Bytes of the whole.
        total: u64,
        /// The bytes.
        #[cfg_attr(feature = "serde", serde(with = "crate::bytes"))]
        chunk: Payload,
        /// To be echoed.
        stamp: Stamp,
    },
    /// The answer to a chunk of a snapshot that is not complete yet; a complete one is answered by `AppendAccepted`.
    SnapshotProgress {
        /// The snapshot's last entry.
        last: Mark,
        /// The receiver has all bytes up to here.
        received: u64,
        /// That of the request.
        stamp: Stamp,
    },
    /// "Start an election now" (thesis, section 3.10).
    TimeoutNow,
    /// A follower asks for a read index (thesis, section 6.4).
    ReadIndex {
        /// The follower's name for the read.
        read: u64,
    },
    /// The answer to [`Body::ReadIndex`].
    ReadIndexReply {
        /// The follower's name for the read.
        read: u64,
        /// What the state machine must have applied before it is read; `None` if the receiver can't tell.
        index: Option<Index>,
    },
}

/// What a leader puts on its requests to recognise the answers by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stamp {
    /// The latest round of leadership confirmation (thesis, section 6.4).
    pub round: u64,
    /// The leader's acquaintance with this follower: a node that was removed and added again, or that lost its disk, begins a
    /// new one, and answers of the old one do not count.
    pub session: u64,
}

impl Body {
    /// Whether it answers another message.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        matches!(
            self,
            Self::PreVoteReply { .. }
                | Self::VoteReply { .. }
                | Self::AppendAccepted { .. }
                | Self::AppendRejected { .. }
                | Self::SnapshotProgress { .. }
                | Self::ReadIndexReply { .. }
        )
    }

    /// A short name, for traces and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PreVote { .. } => "pre-vote",
            Self::PreVoteReply { .. } => "pre-vote-reply",
            Self::RequestVote { .. } => "request-vote",
            Self::VoteReply { .. } => "vote-reply",
            Self::AppendEntries { entries, .. } if entries.is_empty() => "heartbeat",
            Self::AppendEntries { .. } => "append-entries",
            Self::AppendAccepted { .. } => "append-accepted",
            Self::AppendRejected { .. } => "append-rejected",
            Self::InstallSnapshot { .. } => "install-snapshot",
            Self::SnapshotProgress { .. } => "snapshot-progress",
            Self::TimeoutNow => "timeout-now",
            Self::ReadIndex { .. } => "read-index",
            Self::ReadIndexReply { .. } => "read-index-reply",
        }
    }
}
