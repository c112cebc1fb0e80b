//! Which actions fit a world of a given size, and why the others do not.

use super::{FaultAction, Target};
use crate::clock::DRIFT_LIMIT_PPM;
use crate::id::Endpoint;

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
    /// It cuts more than a whole off an operation.
    #[error("a part of {part} ppm of a disk operation is more than all of it: write at most 1000000")]
    Part {
        /// What was asked for.
        part: u32,
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
            Self::Cut { from, to, .. } | Self::Hold { from, to, .. } => {
                from.iter().chain(to).try_for_each(|endpoint| known(*endpoint))
            }
            Self::Restart { node } | Self::Resume { node } => known((*node).into()),
            Self::ClockDrift { ppm, .. } if ppm.unsigned_abs() > DRIFT_LIMIT_PPM => {
                Err(FaultError::Drift { ppm: *ppm })
            }
            Self::CrashAtDisk { part, .. } if *part > 1_000_000 => Err(FaultError::Part { part: *part }),
            Self::Network { config } if !(config.latency.is_valid() && config.client_latency.is_valid()) => {
                Err(FaultError::Latency)
            }
            _ => Ok(()),
        }
    }
}
