//! What travels: requests and responses between clients and nodes, Raft messages between nodes, and how each is folded
//! into the digest of a run.

use raft_core::{Body, Content, Entry, LastEntry, Message};
use serde::Serialize;
use simulator::{Payload, Stamp};
use std::sync::Arc;

/// A key: a small number, shown as `k3`.
pub type Key = u16;

/// A value: a text; an absent key reads as the empty one.
pub type Value = Arc<str>;

/// What a client wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Operation {
    /// The value of a key, as of now.
    Read {
        /// Which.
        key: Key,
    },
    /// Set a key.
    Write {
        /// Which.
        key: Key,
        /// To what.
        value: Value,
    },
    /// Set a key if it holds `from`.
    Cas {
        /// Which.
        key: Key,
        /// What it must hold.
        from: Value,
        /// To what.
        to: Value,
    },
    /// Append to the value of a key.
    Append {
        /// Which.
        key: Key,
        /// What.
        value: Value,
    },
}

/// One attempt at an operation. All attempts at one operation carry the same session and sequence number, by which the
/// service recognises repetitions (thesis, section 6.3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    /// The client's session.
    pub session: u32,
    /// Number of the operation within the session, from 1 on.
    pub sequence: u64,
    /// What is wanted.
    pub operation: Operation,
}

/// The answer to a [`Request`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Response {
    /// The operation that it answers.
    pub sequence: u64,
    /// The answer.
    pub reply: Reply,
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// The value that was read.
    Value {
        /// Empty for an absent key.
        value: Value,
    },
    /// Written or appended.
    Done,
    /// The outcome of a compare-and-set.
    Swapped {
        /// Whether the key held the expected value.
        swapped: bool,
    },
    /// This node can't serve; this attempt has no effect.
    NotLeader {
        /// Who leads, as far as it knows.
        leader: Option<u16>,
    },
    /// This attempt may or may not take effect: ask again under the same number.
    Unknown,
}

/// A Raft message on the simulated wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Envelope(pub Message);

impl Payload for Envelope {
    fn kind(&self) -> &'static str {
        self.0.body.name()
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(self.0.term);
        match &self.0.body {
            Body::PreVote(last) => stamp_last(stamp, 1, *last),
            Body::PreVoteReply { granted } => stamp.u64(2 | u64::from(*granted) << 8),
            Body::RequestVote(last) => stamp_last(stamp, 3, *last),
            Body::VoteReply { granted } => stamp.u64(4 | u64::from(*granted) << 8),
            Body::AppendEntries { prev_index, prev_term, entries, commit, round } => {
                stamp.u64(5 | (entries.len() as u64) << 8);
                [*prev_index, *prev_term, *commit, *round].into_iter().for_each(|word| stamp.u64(word));
                entries.iter().for_each(|entry| stamp_entry(stamp, entry));
            }
            Body::AppendAccepted { match_index, round } => {
                stamp.u64(6);
                stamp.u64(*match_index);
                stamp.u64(*round);
            }
            Body::AppendRejected { prev_index, hint_index, hint_term, round } => {
                stamp.u64(7);
                [*prev_index, *hint_index, *hint_term, *round].into_iter().for_each(|word| stamp.u64(word));
            }
        }
    }
}

fn stamp_last(stamp: &mut Stamp<'_>, tag: u64, last: LastEntry) {
    stamp.u64(tag);
    stamp.u64(last.term);
    stamp.u64(last.index);
}

fn stamp_entry(stamp: &mut Stamp<'_>, entry: &Entry) {
    stamp.u64(entry.term);
    match &entry.content {
        Content::Noop => {}
        Content::Command(payload) => stamp.bytes(payload),
    }
}

impl Payload for Request {
    fn kind(&self) -> &'static str {
        match self.operation {
            Operation::Read { .. } => "read",
            Operation::Write { .. } => "write",
            Operation::Cas { .. } => "cas",
            Operation::Append { .. } => "append",
        }
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(u64::from(self.session));
        stamp.u64(self.sequence);
        match &self.operation {
            Operation::Read { key } => stamp.u64(u64::from(*key)),
            Operation::Write { key, value } => {
                stamp.u64(1 << 16 | u64::from(*key));
                stamp.bytes(value.as_bytes());
            }
            Operation::Cas { key, from, to } => {
                stamp.u64(2 << 16 | u64::from(*key));
                stamp.bytes(from.as_bytes());
                stamp.bytes(to.as_bytes());
            }
            Operation::Append { key, value } => {
                stamp.u64(3 << 16 | u64::from(*key));
                stamp.bytes(value.as_bytes());
            }
        }
    }
}

impl Payload for Response {
    fn kind(&self) -> &'static str {
        match self.reply {
            Reply::Value { .. } => "value",
            Reply::Done => "done",
            Reply::Swapped { .. } => "swapped",
            Reply::NotLeader { .. } => "not-leader",
            Reply::Unknown => "unknown",
        }
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(self.sequence);
        match &self.reply {
            Reply::Value { value } => stamp.bytes(value.as_bytes()),
            Reply::Done => stamp.u64(1),
            Reply::Swapped { swapped } => stamp.u64(2 | u64::from(*swapped) << 8),
            Reply::NotLeader { leader } => stamp.u64(3 | leader.map_or(0, |id| u64::from(id) + 1) << 8),
            Reply::Unknown => stamp.u64(4),
        }
    }
}
