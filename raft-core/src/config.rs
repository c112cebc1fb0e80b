//! What a node is told at its start, and the check that it makes sense.

use crate::configuration::{Configuration, Members};
use crate::types::NodeId;
use alloc::vec::Vec;
use core::fmt;

/// The settings of one node. Times in nanoseconds on the node's own clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// This node.
    pub id: NodeId,
    /// The members of a cluster that begins, the same on all of its nodes. Empty on a node that joins a cluster: it waits
    /// until a leader speaks to it. What the log and the snapshot say comes before this.
    pub members: Members,
    /// Shortest election timeout (paper, section 5.2); more than `heartbeat_interval`.
    pub election_timeout_min: u64,
    /// Longest election timeout; each is drawn from `election_timeout_min ..= election_timeout_max`.
    pub election_timeout_max: u64,
    /// How long a leader lets a follower be without a message, give or take a quarter; at least 1. Towards one that does not
    /// answer the pause doubles, up to half of `election_timeout_min`, rounded up to a whole interval.
    pub heartbeat_interval: u64,
    /// Whether to ask for pre-votes before an election (thesis, section 9.6).
    pub pre_vote: bool,
    /// Whether a leader that has not heard of a quorum for `election_timeout_max` steps down (thesis, section 6.2), and a
    /// voter that has heard of a leader within `election_timeout_min` ignores candidates (section 4.2.3).
    pub check_quorum: bool,
    /// Serve reads from a lease, given that no two clocks differ in rate by more than this many parts per million
    /// (thesis, section 6.4.1); needs `check_quorum` on all nodes. `None`: every read is confirmed by a quorum.
    pub lease_drift_ppm: Option<u32>,
    /// Elections are left to nodes of higher priority at first: for each step below [`Config::PRIORITY_MAX`] the first
    /// election timeout is longer by `election_timeout_max`, and after each that nobody won the delay halves.
    pub priority: u8,
    /// After how long without anything to do the group goes quiet: no heartbeats, no elections, until something happens.
    /// A leader that dies meanwhile is missed at the next request. `None`: never.
    pub quiesce_after: Option<u64>,
    /// Most entries in one `AppendEntries`; at least 1.
    pub append_entries_max: usize,
    /// Most bytes of commands in one `AppendEntries`. A single larger entry still travels, alone.
    pub append_bytes_max: usize,
    /// Most unanswered `AppendEntries` with entries to one follower; at least 1.
    pub inflight_max: usize,
    /// Most bytes of entries in them.
    pub inflight_bytes_max: usize,
    /// Most bytes of one command.
    pub entry_bytes_max: usize,
    /// Most bytes of entries of its own term that a leader has uncommitted; one is always admitted.
    pub uncommitted_bytes_max: usize,
    /// Most entries that are given out to be applied and not applied yet; at least 1. A leader with more than that
    /// committed takes no proposals.
    pub unapplied_max: u64,
    /// How far a learner may be behind, in entries, when it is made a voter.
    pub promotion_lag_max: u64,
    /// A snapshot is asked for after so many applied entries, at least 1; `None`: only the driver takes them.
    pub snapshot_threshold: Option<u64>,
    /// How many entries before a snapshot are kept for followers that are a little behind.
    pub snapshot_tail: u64,
    /// Bytes of one chunk of a snapshot; at least 1.
    pub snapshot_chunk_bytes: usize,
    /// Most chunks under way to one follower; at least 1.
    pub snapshot_chunks_inflight: usize,
    /// Seeds the jitter of the election timeouts; different on every node and at every start.
    pub seed: u64,
}

impl Config {
    /// The highest priority, and the usual one.
    pub const PRIORITY_MAX: u8 = 3;

    /// A node of a cluster of `voters` with the usual settings: election timeouts of 150 to 300 ms (paper, section 9.3), a
    /// heartbeat of 50 ms, pre-vote and check-quorum on, no leases, no snapshots unasked, never quiet.
    #[must_use]
    pub fn new(id: NodeId, voters: Vec<NodeId>, seed: u64) -> Self {
        Self {
            id,
            members: Members {
                voters,
                learners: Vec::new(),
            },
            election_timeout_min: 150_000_000,
            election_timeout_max: 300_000_000,
            heartbeat_interval: 50_000_000,
            pre_vote: true,
            check_quorum: true,
            lease_drift_ppm: None,
            priority: Self::PRIORITY_MAX,
            quiesce_after: None,
            append_entries_max: 64,
            append_bytes_max: 64 * 1024,
            inflight_max: 16,
            inflight_bytes_max: 1024 * 1024,
            entry_bytes_max: 16 * 1024 * 1024,
            uncommitted_bytes_max: 64 * 1024 * 1024,
            unapplied_max: 4096,
            promotion_lag_max: 64,
            snapshot_threshold: None,
            snapshot_tail: 64,
            snapshot_chunk_bytes: 64 * 1024,
            snapshot_chunks_inflight: 4,
            seed,
        }
    }

    /// Refuses settings that a node could not run with.
    ///
    /// # Errors
    /// Names the first setting that is out of its bounds.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let none = self.members == Members::default();
        let sensible = none || Configuration::default().towards(&self.members).is_some();
        let checks = [
            (
                sensible,
                "members must name 1 to 32 voters, and nobody twice, or nobody on a node that joins",
            ),
            (self.heartbeat_interval > 0, "heartbeat_interval must be at least 1 ns"),
            (
                self.election_timeout_min > self.heartbeat_interval,
                "election_timeout_min must be more than heartbeat_interval",
            ),
            (
                self.election_timeout_max >= self.election_timeout_min,
                "election_timeout_max must be at least election_timeout_min",
            ),
            (
                self.lease_drift_ppm.is_none() || self.check_quorum,
                "lease_drift_ppm needs check_quorum",
            ),
            (
                self.lease_drift_ppm.is_none_or(|ppm| ppm < 1_000_000),
                "lease_drift_ppm must be below 1,000,000",
            ),
            (self.priority <= Self::PRIORITY_MAX, "priority must be at most 3"),
            (self.append_entries_max > 0, "append_entries_max must be at least 1"),
            (self.inflight_max > 0, "inflight_max must be at least 1"),
            (self.unapplied_max > 0, "unapplied_max must be at least 1"),
            (
                self.snapshot_threshold != Some(0),
                "snapshot_threshold must be at least 1",
            ),
            (self.snapshot_chunk_bytes > 0, "snapshot_chunk_bytes must be at least 1"),
            (
                self.snapshot_chunks_inflight > 0,
                "snapshot_chunks_inflight must be at least 1",
            ),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(ConfigError { rule }),
            None => Ok(()),
        }
    }

    /// The longest pause between heartbeats to a follower that does not answer: safely below the election timeout, so that
    /// one that comes back is reached before it stands for election.
    pub(crate) fn heartbeat_interval_max(&self) -> u64 {
        self.heartbeat_interval.max(self.election_timeout_min / 2)
    }

    /// How long a lease lasts on the leader's clock, such that it ends before `election_timeout_min` has passed on any
    /// voter's, whose clock may run faster by the declared drift.
    pub(crate) fn lease_duration(&self) -> Option<u64> {
        let ppm = u128::from(self.lease_drift_ppm?);
        let duration = u128::from(self.election_timeout_min) * 1_000_000 / (1_000_000 + ppm);
        Some(duration as u64)
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
