//! Online safety checks of replicated logs over plain observations.
//!
//! A harness tells [`Properties`] what it sees on each node ([`Observation`]); the first observation that breaks a
//! property comes back as a [`Violation`]. The checks believe nobody: they know only the numbers that they are told,
//! count majorities themselves, and keep history, so a second leader of a term is found also when the first has long
//! gone. Each is a constant number of loads and compares for an observation (the hash chain makes "the same log up to
//! here" one comparison); a boot costs time in the length of the recovered log. Nothing is allocated in the steady
//! state, apart from the amortised growth of vectors that are indexed by log index.
//!
//! | property | holds when | source |
//! |---|---|---|
//! | `election-safety` | a term is won at most once, ever | Raft figure 3, §5.2; raft.tla `elections`; etcd `ElectionSafetyInv` |
//! | `leader-append-only` | a leader only appends, and only entries of its own term | Raft figure 3, §5.3; CCF `PermittedLogChangesProp` |
//! | `log-matching` | entries of equal index and term, in memory or on disk, end equal logs | Raft figure 3, §5.3; etcd, CCF `LogMatchingInv` |
//! | `leader-completeness` | a leader's log holds all that leaders of earlier terms committed | Raft figure 3, §5.4; etcd `LeaderCompletenessInv` |
//! | `state-machine-safety` | what is committed or applied first at an index is so on every node, for ever | Raft figure 3, §5.4.3; etcd, CCF `LogInv` |
//! | `committed-durable` | what a leader commits is on the disks of a majority; nobody commits before a leader does | Raft §5.3; etcd `CommittedIsDurableInv`, `QuorumLogInv` |
//! | `commit-own-term` | a leader commits up to an entry of its own term | Raft figure 8, §5.4.2; CCF `NeverCommitEntryPrevTermsProp` |
//! | `one-durable-vote` | a node votes for one candidate in a term, across restarts, and only after the vote is durable | Raft §5.2; thesis §3.8; raft.tla `HandleRequestVoteRequest` |
//! | `monotonic-term` | terms never fall: in memory, on disk, over a restart, along a log | Raft §5.1; CCF `MonotonicTermProp`, `MonoLogInv` |
//! | `monotonic-commit` | a commit index never falls while the node is up | Raft figure 2; CCF `MonotonicCommitIndexProp` |
//! | `index-order` | snapshot ≤ applied ≤ commit ≤ last, and logs have no holes | Raft figure 2, §7; etcd's log panics |
//! | `committed-immutable` | a node never removes, or loses at a restart, what it holds of the committed log | Raft §5.4.3; CCF `CommittedLogAppendOnlyProp` |
//! | `legal-roles` | follower → pre-candidate → candidate → leader, and back to follower | Raft figure 4; thesis §9.6; CCF `StateTransitionsProp` |
//! | `apply-order` | entries are applied in order, without gap or repetition, and only when committed | Raft figure 2, §5.3; thesis §3.8 |
//! | `state-determinism` | the state machine is the same on all nodes at the same applied index | Raft §2; thesis §3.1 |
//!
//! Each property lives in a file of its own name, with the state that only it needs; what several read is in `ghost`.
//! Not checked here: liveness, what clients see (that is linearizability), and the private fields of a leader about its
//! peers.
//!
//! ```
//! use checker::properties::{At, Observation, Properties, Role};
//!
//! let mut properties = Properties::new(3);
//! let boot = Observation::Booted { term: 0, voted_for: None, snapshot: 0, entries: &[] };
//! for node in 0..3 {
//!     properties.observe(At { event: 0, time: 0 }, node, &boot).unwrap();
//! }
//! let at = At { event: 1, time: 1_000 };
//! let violation = properties.observe(at, 2, &Observation::Role { role: Role::Leader, term: 0 }).unwrap_err();
//! assert_eq!(violation.signature(), "legal-roles/follower-to-leader");
//! ```

mod apply_order;
mod commit_own_term;
mod committed_durable;
mod committed_immutable;
mod election_safety;
mod ghost;
mod index_order;
mod leader_append_only;
mod leader_completeness;
mod legal_roles;
mod log_matching;
mod monotonic_commit;
mod monotonic_term;
mod observation;
mod one_durable_vote;
mod state_determinism;
mod state_machine_safety;
#[cfg(test)]
mod tests;
mod violation;

use serde::Serialize;

use ghost::{Ghost, HardState};
pub use observation::{At, EntryMark, Observation, Role};
use violation::Step;
pub use violation::{Verdict, Violation};

/// What a property is called, what it says, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyInfo {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// Paper, thesis or specification, with section.
    pub source: &'static str,
}

/// Every property that [`Properties`] checks, in the order of the table above.
pub const PROPERTIES: &[PropertyInfo] = &[
    election_safety::INFO,
    leader_append_only::INFO,
    log_matching::INFO,
    leader_completeness::INFO,
    state_machine_safety::INFO,
    committed_durable::INFO,
    commit_own_term::INFO,
    one_durable_vote::INFO,
    monotonic_term::INFO,
    monotonic_commit::INFO,
    index_order::INFO,
    committed_immutable::INFO,
    legal_roles::INFO,
    apply_order::INFO,
    state_determinism::INFO,
];

/// All properties of one cluster over one run.
///
/// Tell it everything through [`observe`](Self::observe); ask [`at_rest`](Self::at_rest) once at the end. The first
/// violation is final: what follows a broken property means nothing, so every later call returns the same violation.
#[derive(Clone, Debug)]
pub struct Properties {
    ghost: Ghost,
    election_safety: election_safety::ElectionSafety,
    log_matching: log_matching::LogMatching,
    one_durable_vote: one_durable_vote::OneDurableVote,
    legal_roles: legal_roles::LegalRoles,
    state_determinism: state_determinism::StateDeterminism,
    violation: Option<Box<Violation>>,
}

impl Properties {
    /// The properties of a cluster whose nodes `0..voters` vote. Nodes with higher numbers (below 1024) may be observed
    /// too; they count in no quorum. Pre-vote is taken to be on: see [`pre_vote`](Self::pre_vote).
    ///
    /// # Panics
    ///
    /// If `voters` is 0 or above 1024.
    pub fn new(voters: u32) -> Self {
        Self {
            ghost: Ghost::new(voters),
            election_safety: election_safety::ElectionSafety::default(),
            log_matching: log_matching::LogMatching::default(),
            one_durable_vote: one_durable_vote::OneDurableVote::default(),
            legal_roles: legal_roles::LegalRoles::new(true),
            state_determinism: state_determinism::StateDeterminism::default(),
            violation: None,
        }
    }

    /// Says whether elections go through a pre-vote (thesis §9.6). Without one a follower may become candidate directly,
    /// and a candidate may stand again in the next term.
    #[must_use]
    pub fn pre_vote(mut self, on: bool) -> Self {
        self.legal_roles = legal_roles::LegalRoles::new(on);
        self
    }

    /// Highest log index that was committed on any node so far; 0 before the first commit.
    pub fn committed(&self) -> u64 {
        self.ghost.committed_last()
    }

    /// Takes one observation of `node`.
    ///
    /// # Errors
    ///
    /// The first property that does not hold. It is final: every later call returns it again.
    ///
    /// # Panics
    ///
    /// If `node` is 1024 or above.
    pub fn observe(&mut self, at: At, node: u32, observation: &Observation<'_>) -> Verdict {
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        self.ghost.admit(node);
        let verdict = self.check(Step { at, node }, observation);
        if let Err(violation) = &verdict {
            self.violation = Some(violation.clone());
        }
        verdict
    }

    /// Checks at the end of a run what holds at any moment but is too dear to ask each time: that the committed log is
    /// still on the disks of a majority.
    ///
    /// # Errors
    ///
    /// The first violation of the run, or the one found now.
    pub fn at_rest(&self, at: At) -> Verdict {
        match &self.violation {
            Some(violation) => Err(violation.clone()),
            None => committed_durable::at_rest(&self.ghost, at),
        }
    }

    fn check(&mut self, step: Step, observation: &Observation<'_>) -> Verdict {
        match *observation {
            Observation::Booted {
                term,
                voted_for,
                snapshot,
                entries,
            } => self.booted(step, HardState { term, voted_for }, snapshot, entries),
            Observation::Crashed => {
                self.ghost.node_mut(step.node).up = false;
                Ok(())
            }
            Observation::Term { term } => self.term(step, term),
            Observation::Role { role, term } => self.role(step, role, term),
            Observation::Truncated { from } => self.truncated(step, from),
            Observation::Appended(entry) => self.appended(step, &entry),
            Observation::DurableHardState { term, voted_for } => {
                self.durable_hard_state(step, HardState { term, voted_for })
            }
            Observation::DurableTruncated { from } => {
                self.ghost.node_mut(step.node).durable_log.truncate(from);
                Ok(())
            }
            Observation::DurableAppended(entry) => self.durable_appended(step, &entry),
            Observation::VoteCast { term, candidate } => self.one_durable_vote.cast(&self.ghost, step, term, candidate),
            Observation::Committed { index } => self.committed_up_to(step, index),
            Observation::Applied { entry, state_hash } => self.applied(step, &entry, state_hash),
            Observation::Installed { .. }
            | Observation::DurableInstalled { .. }
            | Observation::ConfigurationAppended { .. }
            | Observation::ConfigurationActive { .. }
            | Observation::LeaseHeld { .. }
            | Observation::LeaseDropped
            | Observation::ReadAsked { .. }
            | Observation::ReadServed { .. }
            | Observation::SessionApplied { .. }
            | Observation::TransferReceived { .. } => Ok(()),
        }
    }

    fn booted(&mut self, step: Step, hard_state: HardState, snapshot: u64, entries: &[EntryMark]) -> Verdict {
        monotonic_term::booted(&self.ghost, step, hard_state.term)?;
        self.one_durable_vote.booted(&self.ghost, step, hard_state)?;
        index_order::booted(&self.ghost, step, snapshot, entries)?;
        let survivor = committed_immutable::survivor(&self.ghost, step);

        let base = self
            .ghost
            .committed_mark(snapshot)
            .expect("a snapshot of committed entries was checked by index-order");
        self.ghost.boot(step.node, hard_state, snapshot, base);
        for entry in entries {
            monotonic_term::appended(&self.ghost, step, entry)?;
            let mark = self.ghost.node(step.node).log.mark_next(entry);
            self.log_matching.appended(step, entry.index, mark)?;
            self.ghost.recover_entry(step.node, mark);
        }
        committed_immutable::booted(&self.ghost, step, survivor)
    }

    fn term(&mut self, step: Step, term: u64) -> Verdict {
        monotonic_term::entered(&self.ghost, step, term)?;
        self.ghost.node_mut(step.node).term = term;
        Ok(())
    }

    fn role(&mut self, step: Step, role: Role, term: u64) -> Verdict {
        monotonic_term::entered(&self.ghost, step, term)?;
        let before = self.ghost.node(step.node);
        if (before.role, before.role_term) == (role, term) {
            return Ok(());
        }
        self.legal_roles.changed(&self.ghost, step, role, term)?;
        if role == Role::Leader {
            self.election_safety.won(step, term)?;
            leader_completeness::won(&self.ghost, step, term)?;
        }
        let node = self.ghost.node_mut(step.node);
        node.term = term;
        node.role = role;
        node.role_term = term;
        Ok(())
    }

    fn truncated(&mut self, step: Step, from: u64) -> Verdict {
        if from > self.ghost.node(step.node).log.last() {
            return Ok(());
        }
        leader_append_only::truncated(&self.ghost, step, from)?;
        committed_immutable::truncated(&self.ghost, step, from)?;
        let node = self.ghost.node_mut(step.node);
        node.log.truncate(from);
        node.truncated_from = node.truncated_from.min(from);
        Ok(())
    }

    fn appended(&mut self, step: Step, entry: &EntryMark) -> Verdict {
        let node = self.ghost.node(step.node);
        index_order::appended(step, &node.log, entry.index)?;
        leader_append_only::appended(node, step, entry)?;
        monotonic_term::appended(&self.ghost, step, entry)?;
        let mark = node.log.mark_next(entry);
        self.log_matching.appended(step, entry.index, mark)?;
        self.ghost.node_mut(step.node).log.push(mark);
        Ok(())
    }

    fn durable_hard_state(&mut self, step: Step, hard_state: HardState) -> Verdict {
        monotonic_term::durable(&self.ghost, step, hard_state.term)?;
        self.one_durable_vote.durable(&self.ghost, step, hard_state)?;
        self.ghost.node_mut(step.node).durable = hard_state;
        Ok(())
    }

    fn durable_appended(&mut self, step: Step, entry: &EntryMark) -> Verdict {
        let node = self.ghost.node(step.node);
        index_order::appended(step, &node.durable_log, entry.index)?;
        let mark = node.durable_log.mark_next(entry);
        self.log_matching.appended(step, entry.index, mark)?;
        self.ghost.node_mut(step.node).durable_log.push(mark);
        Ok(())
    }

    fn committed_up_to(&mut self, step: Step, index: u64) -> Verdict {
        monotonic_commit::advanced(&self.ghost, step, index)?;
        if index == self.ghost.node(step.node).commit {
            return Ok(());
        }
        index_order::committed(&self.ghost, step, index)?;
        state_machine_safety::committed(&self.ghost, step, index)?;
        commit_own_term::committed(&self.ghost, step, index)?;
        committed_durable::committed(&self.ghost, step, index)?;
        leader_completeness::committed(&self.ghost, step, index)?;
        self.ghost.commit(step.node, index);
        Ok(())
    }

    fn applied(&mut self, step: Step, entry: &EntryMark, state_hash: u64) -> Verdict {
        apply_order::applied(&self.ghost, step, entry.index)?;
        state_machine_safety::applied(&self.ghost, step, entry)?;
        self.state_determinism.applied(step, entry.index, state_hash)?;
        self.ghost.node_mut(step.node).applied = entry.index;
        Ok(())
    }
}
