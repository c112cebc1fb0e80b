//! What a fault is aimed at: which node, in which direction, which messages.
//!
//! Owns the spelling in plans. Which node a target means is decided when the fault fires, in [`crate::world`].

use crate::id::{Endpoint, NodeId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The one direction that an isolated node is cut off in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OneWay {
    /// Not one-way: nothing passes either way.
    #[default]
    None,
    /// Nothing reaches the node; what it sends passes.
    In,
    /// Nothing leaves the node; what is sent to it passes.
    Out,
}

/// Which messages are held. The default is all of them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Held {
    /// Only payloads of this kind, see [`crate::Payload::kind`].
    pub kind: Option<String>,
    /// So many that would fit pass first.
    pub skip: u32,
    /// At most so many are held.
    pub count: Option<u32>,
    /// Whether they go on in the opposite order.
    pub reversed: bool,
}

impl Held {
    /// Whether all messages are held.
    pub fn is_all(&self) -> bool {
        self.kind.is_none() && self.skip == 0 && self.count.is_none()
    }
}

/// The node that a fault is aimed at. In JSON a string: `"n0"`, `"primary"`, `"random"` or `"random-backup"`.
///
/// A node is *live* when it is up and not paused. A target that finds no node is skipped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// This node, live or not.
    Node(NodeId),
    /// A live node that says it is the primary; any live node when none does.
    Primary,
    /// Any live node.
    Random,
    /// Any live node that does not say it is the primary.
    RandomBackup,
}

/// A text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no target: write `primary`, `random`, `random-backup`, or a node as in `n0`")]
pub struct TargetError(pub String);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Primary => f.write_str("primary"),
            Self::Random => f.write_str("random"),
            Self::RandomBackup => f.write_str("random-backup"),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        match text {
            "primary" => Ok(Self::Primary),
            "random" => Ok(Self::Random),
            "random-backup" => Ok(Self::RandomBackup),
            _ => match text.parse() {
                Ok(Endpoint::Node(node)) => Ok(Self::Node(node)),
                _ => Err(TargetError(text.chars().take(40).collect())),
            },
        }
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}
