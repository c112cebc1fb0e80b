//! The list of situations: the name of each in scenarios and reports, and when it counts as reached.

use std::fmt;
use std::sync::{PoisonError, RwLock};

/// Something that a run may reach: one of the list below, or one that a system declares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Situation(u8);

/// Declares the situations once, so that their order, names and meanings cannot part.
macro_rules! situations {
    ($($variant:ident $name:literal $about:literal,)*) => {
        /// The places of the situations in the order of the reports.
        #[allow(dead_code, reason = "a place is only counted")]
        enum Place {
            $($variant,)*
        }

        #[expect(non_upper_case_globals, reason = "they are matched like the variants of an enumeration")]
        impl Situation {
            $(#[doc = $about] pub const $variant: Self = Self(Place::$variant as u8);)*

            /// All that any system may reach, in the order of the reports.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The names of those.
            pub const NAMES: [&str; Self::ALL.len()] = [$($name),*];

            const ABOUT: [&str; Self::ALL.len()] = [$($about),*];
        }
    };
}

situations! {
    // Elections.
    LeaderElected "leader-elected" "a node became leader",
    LeaderDeposed "leader-deposed" "a leader became follower or candidate",
    ElectionLost "election-lost" "a candidate's term ended and it had not won",
    PreVoteLost "pre-vote-lost" "a node that asked for pre-votes went back to being a follower",
    TwoCandidates "two-candidates" "a second node stood for election in a term",
    SplitVote "split-vote" "a candidate stood again because its term, in which others stood too, brought no leader",
    TwoLeaders "two-leaders" "a node became leader while another still believed that it leads, in another term",
    VoteGranted "vote-granted" "a vote for another node left its voter",
    DuplicateVote "duplicate-vote" "a vote was delivered a second time",
    LateVote "late-vote" "a vote was delivered when its term was over or its election won",
    StaleAppendRefused "stale-append-refused" "an append or snapshot of a leader whose term was over arrived",
    StaleLeaderAppended "stale-leader-appended" "a leader appended an entry while a leader of a later term existed",
    RemovedNodeCampaigned "removed-node-campaigned" "a node stood for election that the latest leader's configuration leaves out",
    TransferStarted "transfer-started" "a leader was asked to hand over",
    TransferReceived "transfer-received" "a node was told by its leader to take over",
    TransferAborted "transfer-aborted" "a transfer of the leadership took too long and was given up",
    UpdateHeldUp "update-held-up" "an update was refused because the leadership was being handed over",
    TermNotDurable "term-not-durable" "a node entered a term, perhaps with a vote, that its disk does not have yet",
    // The log.
    TailUncommitted "leader-has-uncommitted-tail" "a leader appended an entry where all before it was committed",
    BetweenAppendAndSync "between-append-and-sync" "a node appended an entry where its disk had all before it",
    EarlierEntryAppended "earlier-entry-appended" "a follower appended an entry of an earlier term than its own",
    EntriesTruncated "entries-truncated" "a node removed entries that conflicted with its leader's",
    DurableTruncated "durable-entries-truncated" "a node removed conflicting entries that its disk already had",
    LongDivergence "long-divergence" "a node removed five or more conflicting entries at once",
    InheritedTail "tail-inherited" "a leader was elected with entries of earlier terms that it knew of no commitment of",
    InheritedTailCommitted "inherited-tail-committed" "a leader committed what it had inherited, by an entry of its own term",
    FigureEight "figure-eight" "a leader ended with an entry of an earlier term on a majority and uncommitted (Raft paper, figure 8)",
    CommittedBeforeOwnSync "committed-before-own-sync" "a leader committed an entry that its own disk did not have yet",
    // Crashes and restarts.
    LeaderCrashed "leader-crashed" "a leader crashed",
    LeaderCrashedWithTail "leader-crashed-with-tail" "a leader crashed with entries that were not committed",
    CrashedBeforeSync "crashed-before-sync" "a node crashed with entries that its disk did not have yet",
    TornTailRecovered "torn-tail-recovered" "a node found a torn write when it started again",
    RewrittenLogRecovered "rewritten-log-recovered" "a node started again from a log file that it had written anew",
    RewriteCutShort "rewrite-cut-short" "a node had written its log file anew, and crashed before the old part of it was given up for good",
    RestartedWithTail "restarted-with-tail" "a node started with entries on its disk that nobody had committed",
    StaleNodeRejoined "stale-node-rejoined" "a node started again two or more terms behind",
    MassRestart "mass-restart" "a majority of the nodes started again within one second",
    WholeClusterDown "whole-cluster-down" "all nodes were down at once",
    QuorumLost "quorum-lost" "too few of the voters were up to elect or commit",
    QuorumRegained "quorum-regained" "enough of the voters were up again",
    LeaderPaused "leader-paused" "a leader was paused",
    PausedLeaderSuperseded "paused-leader-superseded" "a leader went on after a pause in which another was elected",
    // Partitions.
    LeaderIsolated "leader-isolated" "a leader was cut off from a majority of the voters and not deposed yet",
    LeaderReachesOne "leader-reaches-one" "a leader of four or more voters had exactly one other left to reach",
    LeaderMute "leader-mute" "a leader heard a majority of the voters and could not send to one",
    LeaderDeaf "leader-deaf" "a leader could send to a majority of the voters and heard none",
    PartialPartition "partial-partition" "two nodes were cut off from each other and both reached a third",
    ElectedUnderPartition "elected-under-partition" "a node became leader while links between nodes were cut",
    // Snapshots.
    SnapshotBeingSent "snapshot-being-sent" "the first chunk of a leader's snapshot arrived",
    SnapshotInstalled "snapshot-installed" "a node installed a leader's snapshot",
    SnapshotDuringLeaderChange "snapshot-during-leader-change" "a leader was elected while a node was receiving the snapshot of an earlier one",
    SnapshotCutShort "snapshot-cut-short" "a node crashed while it was receiving a snapshot",
    SnapshotUnderPartition "snapshot-under-partition" "a node installed a snapshot while links between nodes were cut",
    SnapshotReplacedTail "snapshot-replaced-tail" "a node installed a snapshot over entries that it had not known to be committed",
    // Membership.
    JointConfiguration "joint-configuration" "a node came under a joint configuration",
    ConfigurationRolledBack "configuration-rolled-back" "a node went back to an earlier configuration, as the later one's entry was removed",
    JointUnderPartition "joint-under-partition" "a leader under a joint configuration was cut off from some of its voters",
    JointLeaderCrashed "joint-leader-crashed" "a leader crashed under a joint configuration",
    JointInherited "joint-inherited" "a node became leader under a joint configuration that an earlier leader had begun",
    LearnerPromoted "learner-promoted" "a learner became a voter",
    VoterDemoted "voter-demoted" "a voter became a learner",
    NodeReturned "node-returned" "a node that had been removed became a member again",
    LeaderRemovedItself "leader-removed-itself" "a leader ended because its configuration leaves it out",
    ChangeRefused "change-refused" "a change of the members was refused",
    // Reads, leases, clients.
    LeaseHeld "lease-held" "a leader came to hold a lease",
    LeaseDropped "lease-dropped" "a leader gave up its lease while it led",
    LeaseHalfSpent "lease-half-spent" "half of a leader's lease had passed without renewal",
    LeaseAcrossPause "lease-held-across-pause" "a leader went on after a pause within the lease that it held before",
    LeaseRanOutInPause "lease-ran-out-in-pause" "a leader went on after a pause that outlasted its lease",
    ReadForwarded "read-forwarded" "a node passed a client's read on to the leader",
    ReadRefused "read-refused" "a client's read was refused",
    StaleLeaderRefusedRead "stale-leader-refused-read" "a leader refused a read while a leader of a later term existed",
    CommandRepeated "command-repeated" "a command came a second time and was recognised",
    StaleCommand "stale-command" "a command came so late that its session had moved on",
    OutcomeUnknown "outcome-unknown" "a client gave up: an operation's outcome is unknown",
}

/// A situation that a system declares: something that should happen sometimes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sometimes {
    /// Its name in scenarios and reports: lower-case words with dashes between them.
    pub name: &'static str,
    /// When it counts as reached, in one line.
    pub about: &'static str,
}

/// What the systems of this program have declared, in the order in which they were registered.
static DECLARED: RwLock<Vec<Sometimes>> = RwLock::new(Vec::new());

/// So many situations there may be in a program.
pub(super) const MOST: usize = 128;

impl Situation {
    /// Makes a situation known under its name, if it is not. Two systems that declare one of the same name count the same.
    ///
    /// # Panics
    /// When a program declares more than there is room for.
    pub(crate) fn declare(sometimes: Sometimes) -> Self {
        if let Some(known) = Self::from_name(sometimes.name) {
            return known;
        }
        let mut declared = DECLARED.write().unwrap_or_else(PoisonError::into_inner);
        let place = Self::ALL.len() + declared.len();
        assert!(
            place < MOST,
            "a program has at most {MOST} situations, and `{}` is one more",
            sometimes.name
        );
        declared.push(sometimes);
        Self(place as u8)
    }

    fn declared(self) -> Option<Sometimes> {
        let place = self.index().checked_sub(Self::ALL.len())?;
        DECLARED
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(place)
            .copied()
    }

    /// Its place among all.
    pub(super) fn index(self) -> usize {
        self.0.into()
    }

    /// The same as a bit.
    pub(super) fn bit(self) -> u128 {
        1 << self.0
    }

    /// All of this program, in the order of the reports.
    pub fn all() -> impl Iterator<Item = Self> {
        let declared = DECLARED.read().unwrap_or_else(PoisonError::into_inner).len();
        (0..Self::ALL.len() + declared).map(|place| Self(place as u8))
    }

    /// Its name in scenarios and reports.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.get(self.index()).copied();
        named.or_else(|| Some(self.declared()?.name)).unwrap_or("?")
    }

    /// When it counts as reached, in one line.
    pub fn about(self) -> &'static str {
        let told = Self::ABOUT.get(self.index()).copied();
        told.or_else(|| Some(self.declared()?.about)).unwrap_or("?")
    }

    /// Those that show in the world itself, whatever runs on its nodes.
    pub fn of_the_world() -> impl Iterator<Item = Self> {
        [
            Self::MassRestart,
            Self::WholeClusterDown,
            Self::QuorumLost,
            Self::QuorumRegained,
            Self::PartialPartition,
            Self::OutcomeUnknown,
        ]
        .into_iter()
    }

    /// The situation of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|situation| situation.name() == name)
    }
}

impl fmt::Debug for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
