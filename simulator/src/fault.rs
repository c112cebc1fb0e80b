//! Faults as data: what can be done to a world, to whom, and when.
//!
//! Owns the actions, their targets, their JSON form and their place in the digest. Which node a target means is decided at the
//! moment when the fault fires, and what it does then is in [`crate::world`]. A plan is a list of [`PlannedFault`], in any order.

use crate::clock::DRIFT_LIMIT_PPM;
use crate::digest::Stamp;
use crate::id::{Endpoint, NodeId};
use crate::network::{CutId, NetworkConfig};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A fault at its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// True time.
    pub at: Time,
    /// What happens then.
    pub action: FaultAction,
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
    },
    /// Kills a process. What it had not synced is lost, kept or torn. Skipped when too many nodes are down already.
    Crash {
        /// The node.
        target: Target,
        /// How long it stays down; until somebody restarts it when absent.
        #[serde(default)]
        restart_after: Option<Duration>,
    },
    /// Starts a crashed process again from its disk. Skipped when it is up.
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
        /// From now on, in parts per million; at most [`DRIFT_LIMIT_PPM`] either way.
        ppm: i32,
    },
    /// Changes how the network behaves, for messages sent from now on.
    Network {
        /// The new behaviour.
        config: NetworkConfig,
    },
    /// Ends all faults: see [`crate::World::heal`].
    Heal,
}

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

/// Why an action cannot be applied to a world of a given size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It names an endpoint that the world does not have.
    #[error("the fault names {endpoint}, but there are {nodes} nodes (from n0) and {clients} clients (from c0)")]
    NoSuchEndpoint {
        /// The endpoint.
        endpoint: Endpoint,
        /// How many nodes there are.
        nodes: u16,
        /// How many clients there are.
        clients: u16,
    },
    /// It asks for more drift than a clock can have.
    #[error("a clock drift of {ppm} ppm is too much: write a number from -{DRIFT_LIMIT_PPM} to {DRIFT_LIMIT_PPM}")]
    Drift {
        /// What was asked for.
        ppm: i32,
    },
    /// Its network has a latency whose minimum is above its maximum.
    #[error(
        "the fault's network has a latency whose minimum is above its maximum, or whose maximum is above its tail: swap them"
    )]
    Latency,
}

impl FaultAction {
    /// Whether this can be applied to a world of so many nodes and clients.
    ///
    /// # Errors
    ///
    /// [`FaultError`] says what cannot be.
    pub fn check(&self, nodes: u16, clients: u16) -> Result<(), FaultError> {
        let known = |endpoint: Endpoint| match endpoint {
            Endpoint::Node(node) if node.0 < nodes => Ok(()),
            Endpoint::Client(client) if client.0 < clients => Ok(()),
            _ => Err(FaultError::NoSuchEndpoint {
                endpoint,
                nodes,
                clients,
            }),
        };
        if let Some(Target::Node(node)) = self.target() {
            known(node.into())?;
        }
        match self {
            Self::Cut { from, to, .. } => from.iter().chain(to).try_for_each(|endpoint| known(*endpoint)),
            Self::Restart { node } | Self::Resume { node } => known((*node).into()),
            Self::ClockDrift { ppm, .. } if ppm.unsigned_abs() > DRIFT_LIMIT_PPM => {
                Err(FaultError::Drift { ppm: *ppm })
            }
            Self::Network { config } if !(config.latency.is_valid() && config.client_latency.is_valid()) => {
                Err(FaultError::Latency)
            }
            _ => Ok(()),
        }
    }

    /// Whom it is aimed at, if it is aimed.
    pub fn target(&self) -> Option<Target> {
        match self {
            Self::Isolate { target, .. }
            | Self::Crash { target, .. }
            | Self::Pause { target, .. }
            | Self::ClockStep { target, .. }
            | Self::ClockDrift { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// The kind in plans and reports.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cut { .. } => "cut",
            Self::Mend { .. } => "mend",
            Self::Isolate { .. } => "isolate",
            Self::Crash { .. } => "crash",
            Self::Restart { .. } => "restart",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::ClockStep { .. } => "clock-step",
            Self::ClockDrift { .. } => "clock-drift",
            Self::Network { .. } => "network",
            Self::Heal => "heal",
        }
    }

    /// Folds it into the digest; whom it hit is folded in by the caller.
    pub(crate) fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.str(self.kind());
        match self {
            Self::Cut { id, from, to, one_way } => {
                stamp.u32(id.0);
                for side in [from, to] {
                    stamp.u64(side.len() as u64);
                    for endpoint in side {
                        stamp_endpoint(*endpoint, stamp);
                    }
                }
                stamp.bool(*one_way);
            }
            Self::Mend { id } => stamp.u32(id.0),
            Self::Isolate {
                id,
                one_way,
                with_clients,
                ..
            } => {
                stamp.u32(id.0);
                stamp.u8(*one_way as u8);
                stamp.bool(*with_clients);
            }
            Self::Crash {
                restart_after: span, ..
            }
            | Self::Pause { resume_after: span, .. } => {
                stamp.option_u64(span.map(Duration::as_nanos));
            }
            Self::Restart { node } | Self::Resume { node } => stamp.u16(node.0),
            Self::ClockStep { by, .. } => stamp.u64(*by as u64),
            Self::ClockDrift { ppm, .. } => stamp.u32(*ppm as u32),
            Self::Network { config } => stamp_network(config, stamp),
            Self::Heal => {}
        }
    }
}

fn stamp_endpoint(endpoint: Endpoint, stamp: &mut Stamp<'_>) {
    match endpoint {
        Endpoint::Node(node) => stamp.u32(u32::from(node.0)),
        Endpoint::Client(client) => stamp.u32(0x1_0000 | u32::from(client.0)),
    }
}

fn stamp_network(config: &NetworkConfig, stamp: &mut Stamp<'_>) {
    for latency in [&config.latency, &config.client_latency] {
        for span in [latency.min, latency.max, latency.tail_max] {
            stamp.u64(span.0);
        }
        stamp.u32(latency.tail.ppm());
    }
    for ratio in [config.loss, config.duplicate, config.reorder] {
        stamp.u32(ratio.ppm());
    }
    stamp.u64(config.duplicate_delay_max.0);
    stamp.u64(config.reorder_delay_max.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ClientId;
    use crate::random::Ratio;

    fn samples() -> Vec<FaultAction> {
        let (id, target) = (CutId(3), Target::Random);
        let network = NetworkConfig {
            loss: Ratio::from_percent(2),
            ..NetworkConfig::default()
        };
        vec![
            FaultAction::Cut {
                id,
                from: vec![NodeId(0).into()],
                to: vec![ClientId(1).into()],
                one_way: true,
            },
            FaultAction::Mend { id },
            FaultAction::Isolate {
                id,
                target: Target::Primary,
                one_way: OneWay::In,
                with_clients: true,
            },
            FaultAction::Crash {
                target,
                restart_after: Some(Duration(5)),
            },
            FaultAction::Restart { node: NodeId(1) },
            FaultAction::Pause {
                target: Target::RandomBackup,
                resume_after: None,
            },
            FaultAction::Resume { node: NodeId(1) },
            FaultAction::ClockStep {
                target: Target::Node(NodeId(2)),
                by: -5,
            },
            FaultAction::ClockDrift { target, ppm: -100 },
            FaultAction::Network { config: network },
            FaultAction::Heal,
        ]
    }

    #[test]
    fn actions_round_trip_through_json() {
        for action in samples() {
            let fault = PlannedFault { at: Time(7), action };
            let json = serde_json::to_string(&fault).unwrap();
            assert!(
                json.contains(&format!("\"kind\":\"{}\"", fault.action.kind())),
                "{json}"
            );
            assert_eq!(serde_json::from_str::<PlannedFault>(&json).unwrap(), fault, "{json}");
        }
    }

    #[test]
    fn unknown_keys_kinds_and_targets_are_refused() {
        for json in [
            r#"{"kind":"crash","target":"random","after":5}"#,
            r#"{"kind":"earthquake"}"#,
            r#"{"kind":"crash","target":"c0"}"#,
            r#"{"kind":"cut","id":1,"from":["n0"],"to":["x"]}"#,
        ] {
            assert!(serde_json::from_str::<FaultAction>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn actions_that_do_not_fit_the_world_are_refused() {
        assert!(samples().iter().all(|action| action.check(3, 2).is_ok()));
        assert!(
            samples()[0]
                .check(3, 1)
                .unwrap_err()
                .to_string()
                .starts_with("the fault names c1, but there are 3 nodes")
        );
        assert!(samples()[4].check(1, 2).is_err());
        assert!(samples()[7].check(2, 2).is_err());
        assert!(
            FaultAction::ClockDrift {
                target: Target::Random,
                ppm: i32::MIN
            }
            .check(3, 2)
            .is_err()
        );
    }
}
