//! The planted bugs: documented consensus bugs as one removed guard or one replaced expression each, so that a harness
//! can be measured by what it catches. They exist only with the feature `bugs`, and then only one at a time, by choice.

/// Whether a planted bug is switched on; always `false`, at no cost, in a build without the feature `bugs`.
macro_rules! bug {
    ($raft:expr, $bug:ident) => {{
        #[cfg(feature = "bugs")]
        let on = $raft.config.bug == Some($crate::Bug::$bug);
        #[cfg(not(feature = "bugs"))]
        let on = false;
        on
    }};
}
pub(crate) use bug;

/// A planted bug of the core.
#[cfg(feature = "bugs")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// Votes leave before the term and the vote are durable.
    VoteBeforePersist,
    /// A vote is granted without comparing the logs.
    VoteWithoutLogCheck,
    /// Half of an even number of voters is taken for a majority.
    HalfQuorum,
    /// An entry of an earlier term is committed by counting its replicas.
    CommitPriorTerm,
    /// A follower's commit index is bounded by its last entry instead of the last entry that the leader verified.
    CommitNotCapped,
    /// A follower acknowledges entries before they are durable.
    AckBeforePersist,
    /// A leader answers reads without confirming that it still leads.
    LocalLeaderRead,
    /// A candidate advertises entries that its disk does not have yet. Expected to be harmless: a negative control.
    ElectOnUnpersistedLog,
}
