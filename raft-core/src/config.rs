//! What a node is told at its start, and the check that it makes sense.

use crate::types::NodeId;
use alloc::vec::Vec;
use core::fmt;

/// The settings of one node. Times in nanoseconds on the node's own clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// This node; one of `voters`.
    pub id: NodeId,
    /// All voting members, this one included; 1 to [`Config::VOTERS_MAX`], no two alike. All nodes are given the same.
    pub voters: Vec<NodeId>,
    /// Shortest election timeout (paper, section 5.2); more than `heartbeat_interval`.
    pub election_timeout_min: u64,
    /// Longest election timeout; each is drawn from `election_timeout_min ..= election_timeout_max`.
    pub election_timeout_max: u64,
    /// How often a leader speaks to every follower; at least 1.
    pub heartbeat_interval: u64,
    /// Whether to ask for pre-votes before an election (thesis, section 9.6).
    pub pre_vote: bool,
    /// Most entries in one `AppendEntries`; at least 1.
    pub append_entries_max: usize,
    /// Most bytes of commands in one `AppendEntries`. A single larger entry still travels, alone.
    pub append_bytes_max: usize,
    /// Most unanswered `AppendEntries` with entries to one follower; at least 1.
    pub inflight_max: usize,
    /// Seeds the jitter of the election timeouts; different on every node and at every start.
    pub seed: u64,
    /// The planted bug that is switched on.
    #[cfg(feature = "bugs")]
    pub bug: Option<crate::Bug>,
}

impl Config {
    /// Most voters in a cluster.
    pub const VOTERS_MAX: usize = 32;

    /// A node with the usual settings: election timeouts of 150 to 300 ms (paper, section 9.3), a heartbeat of 50 ms,
    /// pre-vote on.
    #[must_use]
    pub fn new(id: NodeId, voters: Vec<NodeId>, seed: u64) -> Self {
        Self {
            id,
            voters,
            election_timeout_min: 150_000_000,
            election_timeout_max: 300_000_000,
            heartbeat_interval: 50_000_000,
            pre_vote: true,
            append_entries_max: 64,
            append_bytes_max: 64 * 1024,
            inflight_max: 16,
            seed,
            #[cfg(feature = "bugs")]
            bug: None,
        }
    }

    /// Refuses settings that a node could not run with.
    ///
    /// # Errors
    /// Names the first setting that is out of its bounds.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let distinct = self
            .voters
            .iter()
            .enumerate()
            .all(|(i, id)| !self.voters[..i].contains(id));
        let checks = [
            (self.voters.contains(&self.id), "voters must contain the node itself"),
            (distinct, "voters must all be different"),
            (self.voters.len() <= Self::VOTERS_MAX, "there must be at most 32 voters"),
            (self.heartbeat_interval > 0, "heartbeat_interval must be at least 1 ns"),
            (
                self.election_timeout_min > self.heartbeat_interval,
                "election_timeout_min must be more than heartbeat_interval",
            ),
            (
                self.election_timeout_max >= self.election_timeout_min,
                "election_timeout_max must be at least election_timeout_min",
            ),
            (self.append_entries_max > 0, "append_entries_max must be at least 1"),
            (self.inflight_max > 0, "inflight_max must be at least 1"),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(ConfigError { rule }),
            None => Ok(()),
        }
    }
}

/// A setting is out of its bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConfigError {
    rule: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid Raft configuration: {}", self.rule)
    }
}

impl core::error::Error for ConfigError {}
