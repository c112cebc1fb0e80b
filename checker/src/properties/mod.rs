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
//! | `elected-by-quorum` | a leader has the votes of a quorum of its configuration, given in its term | Raft §5.2; raft.tla `BecomeLeader` |
//! | `monotonic-term` | terms never fall: in memory, on disk, over a restart, along a log | Raft §5.1; CCF `MonotonicTermProp`, `MonoLogInv` |
//! | `monotonic-commit` | a commit index never falls while the node is up | Raft figure 2; CCF `MonotonicCommitIndexProp` |
//! | `index-order` | snapshot ≤ applied ≤ commit ≤ last, and logs have no holes | Raft figure 2, §7; etcd's log panics |
//! | `committed-immutable` | a node never removes, or loses at a restart, what it holds of the committed log | Raft §5.4.3; CCF `CommittedLogAppendOnlyProp` |
//! | `legal-roles` | follower → pre-candidate → candidate → leader, and back to follower | Raft figure 4; thesis §9.6; CCF `StateTransitionsProp` |
//! | `apply-order` | entries are applied in order, without gap or repetition, and only when committed | Raft figure 2, §5.3; thesis §3.8 |
//! | `state-determinism` | the state machine is the same on all nodes at the same applied index | Raft §2; thesis §3.1 |
//! | `configuration-of-log` | a node acts under the last configuration in its log, committed or not | Raft §6; thesis §4.1 |
//! | `one-change-at-a-time` | a leader appends a configuration only when the one before, and an entry of its term, are committed | Raft §6; thesis §4.1, §4.3 |
//! | `quorum-overlap` | quorums of elections and commits that follow each other have a common node | Raft §6; thesis §4.1, §4.3 |
//! | `lease-disjointness` | while a leader's lease lasts, nobody else has one and no later leader commits | thesis §6.4.1 |
//! | `read-freshness` | a read sees all that was committed anywhere when it was asked | Raft §8; thesis §6.4 |
//! | `exactly-once` | a command of a session is carried out at one place of the log, and gets one answer | Raft §8; thesis §6.3 |
//! | `no-disruption` | a node with a leader helps no candidate; a candidate comes with the pre-votes of a quorum | thesis §9.6, §4.2.3 |
//! | `leader-progress` | what a leader believes of its members' logs is true, and only rises | Raft figure 2; CCF `MonotonicMatchIndexProp` |
//! | `bounded-catch-up` | a leader heeds a member's refusals, and finds where the logs agree in as many as the logs have terms | Raft §5.3 |
//! | `nothing-under-way` | a leader's accounts of what is under way and uncommitted are empty when nothing is | etcd's `Inflights`, `uncommittedSize` |
//! | `heartbeat-pause` | a leader at work lets no member be without a message for an election timeout | Raft §5.2; thesis §3.4 |
//! | `check-quorum` | a leader that has heard from no quorum for an election timeout steps down | thesis §6.2 |
//! | `leads-until-removed` | a leader that appends its own removal leads on until that is committed | thesis §4.2.2 |
//! | `transfer-holds-writes` | a leader that hands over appends no commands | thesis §3.10 |
//!
//! Each property lives in a file of its own name, with the state that only it needs; what several read is in `ghost` and
//! `configuration`, and `dispatch` says which observation is put to which properties, in which order. Those from
//! `configuration-of-log` on ask only about what the harness tells: without configurations, leases, reads or sessions they
//! hold, and `no-disruption`, `elected-by-quorum`, `heartbeat-pause` and `check-quorum` need the settings of the nodes
//! ([`Properties::timing`]).
//!
//! Not checked here: liveness, and what clients see (that is linearizability).
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
mod bounded_catch_up;
mod check_quorum;
mod commit_own_term;
mod committed_durable;
mod committed_immutable;
mod configuration;
mod configuration_of_log;
mod dispatch;
mod elected_by_quorum;
mod election_safety;
mod exactly_once;
mod ghost;
mod heartbeat_pause;
mod index_order;
mod judged;
mod leader_append_only;
mod leader_completeness;
mod leader_progress;
mod leads_until_removed;
mod lease_disjointness;
mod legal_roles;
mod log_matching;
mod monotonic_commit;
mod monotonic_term;
mod no_disruption;
mod nothing_under_way;
mod observation;
mod one_change_at_a_time;
mod one_durable_vote;
mod quorum_overlap;
mod read_freshness;
mod state_determinism;
mod state_machine_safety;
#[cfg(test)]
mod tests;
mod transfer_holds_writes;
mod violation;

use serde::Serialize;

use ghost::Ghost;
use judged::Judged;
pub use judged::UnknownProperty;
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
    elected_by_quorum::INFO,
    monotonic_term::INFO,
    monotonic_commit::INFO,
    index_order::INFO,
    committed_immutable::INFO,
    legal_roles::INFO,
    apply_order::INFO,
    state_determinism::INFO,
    configuration_of_log::INFO,
    one_change_at_a_time::INFO,
    quorum_overlap::INFO,
    lease_disjointness::INFO,
    read_freshness::INFO,
    exactly_once::INFO,
    no_disruption::INFO,
    leader_progress::INFO,
    bounded_catch_up::INFO,
    nothing_under_way::INFO,
    heartbeat_pause::INFO,
    check_quorum::INFO,
    leads_until_removed::INFO,
    transfer_holds_writes::INFO,
];

/// The settings of the nodes that some properties are about; the same on all nodes. Times in nanoseconds on a node's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The shortest election timeout.
    pub election_timeout_min: u64,
    /// The longest election timeout.
    pub election_timeout_max: u64,
    /// How often a leader speaks to each member.
    pub heartbeat_interval: u64,
    /// Whether a leader that hears no quorum steps down (thesis §6.2), and a node that has heard of a leader within the
    /// shortest election timeout hears no candidate (§4.2.3).
    pub check_quorum: bool,
}

/// All properties of one cluster over one run.
///
/// Tell it everything through [`observe`](Self::observe); ask [`at_rest`](Self::at_rest) once at the end. The first
/// violation is final: what follows a broken property means nothing, so every later call returns the same violation.
#[derive(Clone, Debug)]
pub struct Properties {
    ghost: Ghost,
    judged: Judged,
    /// The mirror lost the nodes: a property that is not held broke the order of a log.
    lost: bool,
    election_safety: election_safety::ElectionSafety,
    log_matching: log_matching::LogMatching,
    one_durable_vote: one_durable_vote::OneDurableVote,
    legal_roles: legal_roles::LegalRoles,
    state_determinism: state_determinism::StateDeterminism,
    configuration_of_log: configuration_of_log::ConfigurationOfLog,
    one_change_at_a_time: one_change_at_a_time::OneChangeAtATime,
    quorum_overlap: quorum_overlap::QuorumOverlap,
    lease_disjointness: lease_disjointness::LeaseDisjointness,
    read_freshness: read_freshness::ReadFreshness,
    exactly_once: exactly_once::ExactlyOnce,
    no_disruption: no_disruption::NoDisruption,
    check_quorum: check_quorum::CheckQuorum,
    leader_progress: leader_progress::LeaderProgress,
    bounded_catch_up: bounded_catch_up::BoundedCatchUp,
    leads_until_removed: leads_until_removed::LeadsUntilRemoved,
    transfer_holds_writes: transfer_holds_writes::TransferHoldsWrites,
    pre_vote: bool,
    timing: Option<Timing>,
    violation: Option<Box<Violation>>,
}

impl Properties {
    /// The properties of a cluster whose founding voters are the nodes `0..voters`. Nodes with higher numbers (below 1024)
    /// may be observed too; they count in no quorum until a configuration makes them voters. Pre-vote is taken to be on: see [`pre_vote`](Self::pre_vote).
    ///
    /// # Panics
    ///
    /// If `voters` is 0 or above 1024.
    pub fn new(voters: u32) -> Self {
        Self {
            ghost: Ghost::new(voters),
            judged: Judged::ALL,
            lost: false,
            election_safety: election_safety::ElectionSafety::default(),
            log_matching: log_matching::LogMatching::default(),
            one_durable_vote: one_durable_vote::OneDurableVote::default(),
            legal_roles: legal_roles::LegalRoles::new(true),
            state_determinism: state_determinism::StateDeterminism::default(),
            configuration_of_log: configuration_of_log::ConfigurationOfLog::default(),
            one_change_at_a_time: one_change_at_a_time::OneChangeAtATime::default(),
            quorum_overlap: quorum_overlap::QuorumOverlap::default(),
            lease_disjointness: lease_disjointness::LeaseDisjointness::default(),
            read_freshness: read_freshness::ReadFreshness::default(),
            exactly_once: exactly_once::ExactlyOnce::default(),
            no_disruption: no_disruption::NoDisruption::new(true, None),
            check_quorum: check_quorum::CheckQuorum::default(),
            leader_progress: leader_progress::LeaderProgress::default(),
            bounded_catch_up: bounded_catch_up::BoundedCatchUp::default(),
            leads_until_removed: leads_until_removed::LeadsUntilRemoved::default(),
            transfer_holds_writes: transfer_holds_writes::TransferHoldsWrites::default(),
            pre_vote: true,
            timing: None,
            violation: None,
        }
    }

    /// Says whether elections go through a pre-vote (thesis §9.6). Without one a follower may become candidate directly,
    /// and a candidate may stand again in the next term.
    #[must_use]
    pub fn pre_vote(mut self, on: bool) -> Self {
        self.pre_vote = on;
        self.legal_roles = legal_roles::LegalRoles::new(on);
        self.no_disruption = no_disruption::NoDisruption::new(on, self.timing);
        self
    }

    /// Says how the nodes are set. Without it `no-disruption`, `elected-by-quorum`, `heartbeat-pause` and `check-quorum` ask
    /// nothing; with it, who stands for election must have been told to have pre-votes, where those are on, and who wins,
    /// to have votes.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = Some(timing);
        self.no_disruption = no_disruption::NoDisruption::new(self.pre_vote, self.timing);
        self
    }

    /// Holds only the properties of these names; the others are followed and not judged. The first violation of one that
    /// is held is final as ever. What a broken property leads to may then be found by others: hold what the run is about.
    ///
    /// Where `index-order` is not held and a log gets a hole, a commit beyond its end, or a snapshot of what nobody
    /// committed, nothing more can be known of the nodes: the rest of the run is not judged.
    ///
    /// # Errors
    ///
    /// A name that is in no row of [`PROPERTIES`].
    ///
    /// ```
    /// use checker::properties::Properties;
    ///
    /// assert!(Properties::new(3).only(&["election-safety", "one-durable-vote"]).is_ok());
    /// let unknown = Properties::new(3).only(&["election-safty"]).unwrap_err();
    /// assert!(unknown.to_string().starts_with("no property is called `election-safty`"));
    /// ```
    pub fn only(mut self, names: &[&str]) -> Result<Self, UnknownProperty> {
        self.judged = Judged::of(names)?;
        Ok(self)
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
        if self.lost {
            return Ok(());
        }
        self.ghost.admit(node);
        let step = Step { at, node };
        let verdict = self.settle(at.event).and_then(|()| self.check(step, observation));
        let Err(violation) = verdict else { return Ok(()) };
        if !self.judged.holds(violation.property) {
            self.lost = true;
            return Ok(());
        }
        self.violation = Some(violation.clone());
        Err(violation)
    }

    /// Says that the event under way is over: judges what that event left open, and names it and its node.
    ///
    /// Whatever is left open is judged at the next observation of another event in any case; a harness that calls this after
    /// each event learns of a violation before anything else has happened.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    pub fn event_over(&mut self) -> Verdict {
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        if self.lost {
            return Ok(());
        }
        let verdict = self.settle(u64::MAX);
        if let Err(violation) = &verdict {
            self.violation = Some(violation.clone());
        }
        verdict
    }

    /// Checks at the end of a run what holds at any moment but is too dear to ask each time, that the committed log is
    /// still on the disks of a majority, and what the last event has left open.
    ///
    /// # Errors
    ///
    /// The first violation of the run, or the one found now.
    pub fn at_rest(&self, at: At) -> Verdict {
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        if self.lost {
            return Ok(());
        }
        self.judged.pass(self.configuration_of_log.at_rest(&self.ghost))?;
        self.judged.pass(self.one_change_at_a_time.at_rest(&self.ghost))?;
        self.judged.pass(self.transfer_holds_writes.at_rest())?;
        self.judged.pass(committed_durable::at_rest(&self.ghost, at))
    }
}
