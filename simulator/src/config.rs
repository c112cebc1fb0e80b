//! What a world is made of: seed, network, disks, clocks, plan, and the bounds that keep it from eating the machine.

use crate::clock::{ClockConfig, DRIFT_LIMIT_PPM};
use crate::decision::Chance;
use crate::disk::DiskConfig;
use crate::fault::{FaultError, PlannedFault};
use crate::latency::Latency;
use crate::network::NetworkConfig;
use crate::random::Ratio;
use serde::{Deserialize, Serialize};

/// The configuration of a world. Start from [`WorldConfig::new`] and change what matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldConfig {
    /// The seed: with the same configuration and the same processes it gives the same run.
    pub seed: u64,
    /// Whether the seed decides what happens, or something else does.
    #[serde(default)]
    pub chance: Chance,
    /// How the network behaves at first.
    pub network: NetworkConfig,
    /// How disks behave.
    pub disk: DiskConfig,
    /// How far clocks are off at first.
    pub clocks: ClockConfig,
    /// How long processes' own work takes (see [`crate::Context::work`]) until the faults end; nothing by default.
    #[serde(default)]
    pub work: Latency,
    /// What is done to the world, in any order; faults of one instant happen in the order of this list.
    pub plan: Vec<PlannedFault>,
    /// How many nodes may be down at once. A crash beyond that is skipped and counted.
    pub max_down: u16,
    /// How many events may be queued at once; more halt the world. A queued event takes some 100 bytes and its payload.
    pub max_queued: u32,
    /// Whether a trace is recorded from the first boot on.
    pub trace: bool,
    /// How many trace events are kept in memory until they are taken; later ones are left out and counted. A trace that goes to a
    /// sink is not bounded.
    pub max_trace: usize,
}

/// Why a configuration is no world's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A latency has its bounds in the wrong order.
    #[error("{what} has a minimum above its maximum, or a maximum above the end of its tail: swap them")]
    Latency {
        /// Which latency.
        what: &'static str,
    },
    /// More than everything is lost or torn.
    #[error("at a crash {lost} of the unsynced writes are lost and {torn} torn: together at most 100%")]
    CrashRatios {
        /// The share of lost writes.
        lost: Ratio,
        /// The share of torn writes.
        torn: Ratio,
    },
    /// Clocks drift too much.
    #[error("clocks drift by up to {ppm} ppm: at most {DRIFT_LIMIT_PPM}")]
    Drift {
        /// What was asked for.
        ppm: u32,
    },
    /// A fault of the plan does not fit.
    #[error("fault {index} of the plan (from 0): {error}")]
    Fault {
        /// Its index in the plan.
        index: usize,
        /// What is wrong with it.
        error: FaultError,
    },
    /// There are too many nodes or clients.
    #[error("there are {count} {what}: at most 65535")]
    TooMany {
        /// Nodes, clients or faults.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
}

impl WorldConfig {
    /// A calm world: 1 ms of latency, immediate syncs, exact clocks, no faults.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            chance: Chance::Drawn,
            network: NetworkConfig::default(),
            disk: DiskConfig::default(),
            clocks: ClockConfig::default(),
            work: Latency::default(),
            plan: Vec::new(),
            max_down: u16::MAX,
            max_queued: 1 << 22,
            trace: false,
            max_trace: 1 << 22,
        }
    }

    /// Whether a world of so many nodes and clients can be made from this.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what stands in the way.
    pub fn check(&self, nodes: usize, clients: usize) -> Result<(), ConfigError> {
        let count = |what, count: usize| match u16::try_from(count) {
            Ok(fitting) if fitting < u16::MAX => Ok(fitting),
            _ => Err(ConfigError::TooMany { what, count }),
        };
        let (nodes, clients) = (count("nodes", nodes)?, count("clients", clients)?);
        let latencies = [
            ("the latency between nodes", &self.network.latency),
            ("the latency between clients and nodes", &self.network.client_latency),
            ("the latency of syncs", &self.disk.sync),
            ("the latency of work", &self.work),
        ];
        if let Some((what, _)) = latencies.into_iter().find(|(_, latency)| !latency.is_valid()) {
            return Err(ConfigError::Latency { what });
        }
        let (lost, torn) = (self.disk.lost, self.disk.torn);
        if lost.ppm() + torn.ppm() > Ratio::ONE.ppm() {
            return Err(ConfigError::CrashRatios { lost, torn });
        }
        if self.clocks.drift_max_ppm > DRIFT_LIMIT_PPM {
            return Err(ConfigError::Drift {
                ppm: self.clocks.drift_max_ppm,
            });
        }
        if u32::try_from(self.plan.len()).is_err() {
            return Err(ConfigError::TooMany {
                what: "faults",
                count: self.plan.len(),
            });
        }
        let checked = self.plan.iter().enumerate();
        checked
            .map(|(index, fault)| fault.action.check(nodes, clients).map_err(|error| (index, error)))
            .try_for_each(|result| result.map_err(|(index, error)| ConfigError::Fault { index, error }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{FaultAction, Target};
    use crate::id::NodeId;
    use crate::latency::Latency;
    use crate::time::{Duration, Time};

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refusal = |change: fn(&mut WorldConfig)| {
            let mut config = WorldConfig::new(1);
            change(&mut config);
            config.check(3, 1).unwrap_err().to_string()
        };
        assert_eq!(WorldConfig::new(1).check(3, 1), Ok(()));
        assert!(
            refusal(|c| c.disk.sync = Latency::uniform(Duration(2), Duration(1))).starts_with("the latency of syncs")
        );
        assert!(
            refusal(|c| c.disk.torn = Ratio::from_ppm(1)).contains("100% of the unsynced writes are lost and 0.0001%")
        );
        assert!(refusal(|c| c.clocks.drift_max_ppm = 500_001).contains("at most 500000"));
        let action = FaultAction::Crash {
            target: Target::Node(NodeId(3)),
            restart_after: None,
        };
        let mut config = WorldConfig::new(1);
        config.plan.push(PlannedFault { at: Time(0), action });
        let error = config.check(3, 1).unwrap_err().to_string();
        assert!(
            error.starts_with("fault 0 of the plan (from 0): the fault names n3"),
            "{error}"
        );
        assert!(WorldConfig::new(1).check(70_000, 0).is_err());
    }

    #[test]
    fn a_configuration_round_trips_through_json() {
        let mut config = WorldConfig::new(u64::MAX);
        config.plan.push(PlannedFault {
            at: Time(5),
            action: FaultAction::Heal,
        });
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<WorldConfig>(&json).unwrap(), config);
    }
}
