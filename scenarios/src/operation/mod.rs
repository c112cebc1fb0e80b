//! What clients and operators ask for, and what they are told: the vocabulary of all workloads. A system turns an operation into a
//! request of its own, and says what its response means.

pub mod objects;

use objects::{Answer, Call};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A key: a small number, shown as `k3`.
pub type Key = u16;

/// A value: a text; an absent key reads as the empty one.
pub type Value = Arc<str>;

/// What a client wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
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
    /// A call of another object than a text.
    Call {
        /// Which.
        key: Key,
        /// What is asked of it.
        call: Call,
    },
    /// An operator's order: other members.
    Change {
        /// The nodes that are to vote.
        voters: Vec<u16>,
        /// The nodes that are to get the log.
        learners: Vec<u16>,
    },
    /// An operator's order: one member more than the leader's configuration has, or the same with another part in it.
    Join {
        /// Which.
        node: u16,
        /// Whether it only gets the log.
        learner: bool,
    },
    /// An operator's order: one member less than the leader's configuration has.
    Leave {
        /// Which.
        node: u16,
    },
    /// An operator's order: leadership to this node.
    Transfer {
        /// Which.
        to: u16,
    },
    /// An operator's order: the node that gets it stands for election.
    Campaign,
}

impl Operation {
    /// Whether it is an order to change the members.
    pub fn changes_members(&self) -> bool {
        matches!(self, Self::Change { .. } | Self::Join { .. } | Self::Leave { .. })
    }
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// What an object answered.
    Answer {
        /// The answer.
        answer: Answer,
    },
    /// This node can't serve; this attempt has no effect.
    NotLeader {
        /// Who leads, as far as it knows.
        leader: Option<u16>,
    },
    /// This attempt may or may not take effect: ask again under the same number.
    Unknown,
    /// An order was refused.
    Refused,
}
