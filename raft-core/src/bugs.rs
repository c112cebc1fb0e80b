//! The planted bugs: documented consensus bugs as one removed guard or one replaced expression each, so that a harness
//! can be measured by what it catches. They exist only with the feature `bugs`, and then only one at a time, by choice.
//!
//! Owns the names and how a line asks for them. Each mutation stands in the line whose guard it removes, as
//! `bug!(self, Name)`. What a bug breaks, what exposes it and what hides it is told by the catalogue of whoever measures.

/// Whether a planted bug is switched on; always `false`, at no cost, in a build without the feature `bugs`. Its first
/// argument is whatever has a method `planted`.
macro_rules! bug {
    ($holder:expr, $bug:ident) => {{
        #[cfg(feature = "bugs")]
        let on = $holder.planted().is($crate::Bug::$bug);
        #[cfg(not(feature = "bugs"))]
        let on = false;
        on
    }};
}
pub(crate) use bug;

/// Which bug is switched on, for those parts that do not see the settings. Takes no room without the feature `bugs`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Planted {
    #[cfg(feature = "bugs")]
    pub(crate) bug: Option<Bug>,
}

impl Planted {
    #[cfg(feature = "bugs")]
    pub(crate) fn is(self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

impl crate::Raft {
    /// The bug that is switched on.
    pub(crate) fn planted(&self) -> Planted {
        self.planted
    }
}

#[cfg(feature = "bugs")]
impl crate::Raft {
    /// As [`restore`](Self::restore), with a planted bug that is switched on.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn restore_with_bug(
        config: crate::Config,
        durable: crate::DurableState,
        now: crate::Time,
        bug: Option<Bug>,
    ) -> Result<Self, crate::ConfigError> {
        Self::restored(config, durable, now, Planted { bug })
    }

    /// D6: a node that had voted for itself in the term of its last entry led that term, and takes up where it stopped.
    pub(crate) fn resume_leadership(&mut self) {
        let led = self.hard_state.voted_for == Some(self.config.id) && self.log.last().term == self.hard_state.term;
        if bug!(self, ResumeLeaderAfterRestart) && led {
            self.role = crate::Role::Leader;
            self.leader = Some(self.config.id);
            self.meet_peers();
        }
    }
}

impl crate::Configuration {
    /// M1: one set of all voters instead of two.
    pub(crate) fn united(&self) -> Self {
        let voters = self.members().filter(|id| self.is_voter(*id)).collect();
        Self {
            voters,
            outgoing: alloc::vec::Vec::new(),
            ..self.clone()
        }
    }

    /// Q2: learners vote as well.
    pub(crate) fn with_learners_voting(&self) -> Self {
        let voters = self.voters.iter().chain(&self.learners).copied().collect();
        Self { voters, ..self.clone() }
    }
}

/// A planted bug of the core.
#[cfg(feature = "bugs")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    // Elections and terms.
    /// Votes leave before the term and the vote are durable.
    TermVoteNotPersisted,
    /// A candidate asks for votes before its own vote is durable.
    SelfVoteAfterSend,
    /// The vote is forgotten whenever a node becomes follower, also in the same term.
    VoteClearedSameTerm,
    /// A vote is granted without comparing the logs.
    VoteWithoutLogCheck,
    /// A candidate must be ahead both in the term and in the length of its log.
    LogCompareComponentwise,
    /// A vote that was granted in an earlier term is counted.
    StaleVoteRespCounted,
    /// Votes are counted by message instead of by voter.
    VoteRespCountedPerMessage,
    /// A reply of a later term is dropped.
    IgnoreHigherTermInReply,
    /// Entries of a leader of an earlier term are taken.
    AcceptStaleTermAppend,
    /// A leader enters a later term at once and steps down only at its next tick.
    TermBumpWithoutStepDown,
    /// A pre-vote request of an earlier term is dropped, and its sender never learns of the later one.
    PreVoteLowTermDropped,
    /// A node that stands for election goes on believing in the leader that it misses.
    PreCandidateKeepsLeader,
    /// The election timeout is the same on all nodes, each time.
    FixedElectionTimeout,
    /// Whatever arrives resets the election timer.
    TimerResetByTraffic,
    /// Elections begin without the pre-vote that was asked for.
    NoPreVote,
    /// A leader that hears no quorum stays.
    NoCheckQuorum,
    // Quorums and commitment.
    /// Half of an even number of voters is taken for a majority.
    HalfQuorum,
    /// Learners count in quorums.
    LearnerCounted,
    /// A leader commits only when somebody else acknowledges.
    SingleVoterNeverCommits,
    /// An entry of an earlier term is committed by counting its replicas.
    CommitPriorTerm,
    /// The search for what can be committed ends at the first entry of an earlier term.
    CommitBreakAtOldTerm,
    // Log replication.
    /// A follower compares the index of the preceding entry and not its term.
    SkipPrevTermCheck,
    /// A follower removes all that follows the preceding entry, whether it conflicts or not.
    TruncateUnconditionally,
    /// A conflicting entry is replaced, and those that follow it stay.
    AppendWithoutTruncate,
    /// An entry that does not fit into a message is skipped, and smaller ones behind it are sent.
    BatchGap,
    /// Where entries begin before what is committed, those that are there already are appended again.
    PrevZeroMatches,
    /// A follower's commit index is bounded by its last entry instead of the last entry that the leader verified.
    CommitNotCapped,
    /// The commit index may fall.
    CommitRegress,
    /// The match index may fall.
    MatchRegress,
    /// A follower acknowledges its last entry instead of the last that the leader verified.
    AckLastIndex,
    /// A leader takes the hint of a refusal for an acknowledgement.
    NackAdvancesMatch,
    /// The hint of a refusal is the follower's last entry, and the leader goes on from there.
    NackHintLastIndex,
    /// A leader goes back at a refusal that is out of date, even behind what was acknowledged.
    StaleNackRewinds,
    /// A new leader begins with what it knew of its followers when it led before.
    LateProgressReset,
    // Storage and durability.
    /// A follower acknowledges entries before they are durable.
    AckBeforePersist,
    /// A write that failed is taken for durable.
    IgnoreWriteError,
    /// A leader counts its own entries before they are durable.
    LeaderSelfAckBeforePersist,
    /// A node that led before it stopped starts as leader.
    ResumeLeaderAfterRestart,
    /// A candidate advertises entries that its disk does not have yet. Expected to be harmless: a negative control.
    ElectOnUnpersistedLog,
    /// The completion of a write confirms entries that have replaced those which it held.
    AsyncAppendAba,
    // Snapshots and compaction.
    /// Installing a snapshot sets the current term to that of its last entry.
    SnapshotSetsTerm,
    /// A snapshot of what is committed already is installed.
    AcceptStaleSnapshot,
    /// Entries that begin before the start of a compacted log are taken for a conflict, and the log is cleared.
    PurgedPrevIsConflict,
    /// A leader sends entries to a follower whose next entry is the last that was compacted.
    SnapshotBoundaryOffByOne,
    /// Installing a snapshot clears the log, also what follows on the snapshot.
    SnapshotDropsMatchingSuffix,
    /// A snapshot holds the incoming voters of a configuration and nothing else of it.
    SnapshotDropsConfig,
    /// A snapshot is labelled with the commit index, applied or not.
    SnapshotIndexAhead,
    /// The log is compacted before the snapshot that replaces it is durable.
    CompactBeforeSnapshotDurable,
    /// A leader ignores the acknowledgement that ends the sending of a snapshot.
    SnapshotAckLost,
    // Membership.
    /// In a joint configuration a majority of all voters decides, instead of one of each set.
    UnionQuorum,
    /// A new leader changes the members before it has committed an entry of its own term.
    ConfChangeBeforeTermCommit,
    /// A new leader leaves a joint configuration that is not committed.
    LeaveJointEarly,
    /// A configuration stays in force when its entry is removed from the log.
    ConfigNotRolledBack,
    /// A leader steps down as soon as it has appended a configuration without itself.
    RemovedLeaderQuitsEarly,
    /// A node that does not know itself as a voter refuses to vote.
    LearnerRefusesVote,
    /// Nodes that are no voters stand for election.
    LearnerCampaigns,
    /// The configuration of a snapshot replaces a later one from the log.
    JoinerAcceptsOlderConfig,
    // Reads, leases, transfer.
    /// A leader confirms reads before it has committed an entry of its own term.
    ReadIndexWithoutTermCommit,
    /// A leader answers reads without confirming that it still leads.
    LocalLeaderRead,
    /// One answer less than a quorum confirms a read.
    ReadQuorumMinusOne,
    /// A read is answered when its index is committed, applied or not.
    ReadBeforeApplied,
    /// A lease begins when its confirmation arrives.
    LeaseFromAckTime,
    /// A lease lasts as if all clocks went at the same rate.
    LeaseIgnoresDrift,
    /// Voters hear candidates although a leader has just spoken.
    LeaseWithoutStickiness,
    /// A follower answers reads from its own state.
    LocalFollowerRead,
    /// A leader takes proposals while it hands over.
    TransferKeepsWriting,
    // Applying and flow control.
    /// Entries are given out as soon as they are appended.
    ApplyUncommitted,
    /// A change of pace forgets which messages are under way, and not their bytes.
    InflightLeak,
    /// An answer does not end the back-off of heartbeats.
    BackoffNotCleared,
    /// The pause between heartbeats to a silent follower doubles without bound.
    HeartbeatBackoffUncapped,
    /// A refusal does not stop the sending of entries without waiting.
    NoProbeFallback,
}
