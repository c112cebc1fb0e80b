//! What can be seen of a node from outside: for operators, and for checkers.

use crate::config::Config;
use crate::configuration::Configuration;
use crate::log::Log;
use crate::progress::Progress;
use crate::raft::{Raft, Role};
use crate::types::{HardState, Index, NodeId, Snapshot, Term, Time};

impl Raft {
    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The jitter of its timeouts is that of another seed from here on: for who asks what else could have become of this node.
    pub fn reseed(&mut self, seed: u64) {
        self.jitter = crate::random::Jitter::new(seed);
    }

    /// What it is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Entries up to here are known to be committed.
    #[must_use]
    pub fn commit_index(&self) -> Index {
        self.commit
    }

    /// Term and vote.
    #[must_use]
    pub fn hard_state(&self) -> HardState {
        self.hard_state
    }

    /// The current term.
    #[must_use]
    pub fn term(&self) -> Term {
        self.hard_state.term
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The latest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
    }

    /// The members in force, and the index of the entry that says so.
    #[must_use]
    pub fn configuration(&self) -> (Index, &Configuration) {
        (self.configurations.active_index(), self.configurations.active())
    }

    /// What a leader knows of the others; empty on any other node.
    #[must_use]
    pub fn peers(&self) -> &[Progress] {
        &self.peers
    }

    /// Whether the group is quiet, as far as this node knows: no heartbeats, no elections.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a write has failed and is not durable yet, so that the node takes no part.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Bytes of entries of its own term that a leader has not committed.
    #[must_use]
    pub fn uncommitted_bytes(&self) -> usize {
        self.uncommitted_bytes
    }

    /// The last entry of the snapshot that is being received, and how many of its bytes have come.
    #[must_use]
    pub fn receiving(&self) -> Option<(Index, u64)> {
        let incoming = self.incoming.as_ref()?;
        Some((incoming.last(), incoming.received()))
    }

    /// The node's state at a glance. What is asked for at every input has a getter of its own.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            id: self.config.id,
            role: self.role,
            term: self.term(),
            voted_for: self.hard_state.voted_for,
            leader: self.leader,
            commit: self.commit,
            applied: self.applied,
            first_index: self.log.start().index + 1,
            last_index: self.log.last_index(),
            durable_index: self.writes.durable(),
            snapshot_index: self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index),
            configuration_index: self.configurations.active_index(),
            joint: self.configurations.active().is_joint(),
            voter: self.configurations.active().is_voter(self.config.id),
            lease_until: self.lease_until(),
            quiet: self.quiet,
            fenced: self.fence.is_some(),
            amnesia: self.amnesia,
            failed: self.failed.is_some(),
            reads_pending: self.reads.pending(),
            proposals_pending: self.proposals.len(),
        }
    }
}

/// A node's state at a glance; cheap to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    /// The node.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// Its current term.
    pub term: Term,
    /// Whom it voted for in that term.
    pub voted_for: Option<NodeId>,
    /// Who leads that term, as far as it knows.
    pub leader: Option<NodeId>,
    /// Entries up to here are known to be committed.
    pub commit: Index,
    /// Entries up to here are applied.
    pub applied: Index,
    /// The first entry that is not compacted, if there is one.
    pub first_index: Index,
    /// The log ends here.
    pub last_index: Index,
    /// The log is durable up to here.
    pub durable_index: Index,
    /// The latest snapshot stands for the entries up to here.
    pub snapshot_index: Index,
    /// The entry that says who the members are; 0 for those of the start.
    pub configuration_index: Index,
    /// Whether two sets of voters decide.
    pub joint: bool,
    /// Whether this node votes.
    pub voter: bool,
    /// A leader may serve reads alone until then, on its own clock.
    pub lease_until: Option<Time>,
    /// Whether the group is quiet, as far as this node knows.
    pub quiet: bool,
    /// Whether it has lost what it once acknowledged, and so neither votes nor stands for election.
    pub fenced: bool,
    /// Whether it may have forgotten its term or its vote, and so never votes again: replace it under a new id.
    pub amnesia: bool,
    /// Whether a write has failed and is not durable yet, so that it takes no part.
    pub failed: bool,
    /// Reads that have no answer yet.
    pub reads_pending: usize,
    /// Proposals that have no answer yet.
    pub proposals_pending: usize,
}
