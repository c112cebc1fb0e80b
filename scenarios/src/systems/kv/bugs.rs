//! The catalogue of planted bugs: documented consensus bugs, each one guard removed or one expression replaced, in the
//! core or in the service. They show that the harness can fail; the two controls show that it does not fail for nothing.

use std::fmt;

/// A planted bug of the core or of the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlantedBug {
    /// Its short name in the catalogue.
    pub id: &'static str,
    /// Its long name.
    pub name: &'static str,
    /// What is wrong.
    pub about: &'static str,
    /// Whether it is expected to break anything; a control is not.
    pub harmful: bool,
    pub(super) place: Place,
}

/// Where the mutated line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    #[cfg(feature = "bugs")]
    Core(raft_core::Bug),
    /// The service answers an update when its leader has appended it.
    #[cfg(feature = "bugs")]
    AnswerOnAppend,
    /// The service gives a leader's own entries to the disk only after the messages that carry them have left.
    #[cfg(feature = "bugs")]
    WriteAfterSend,
}

/// All that this build has; none without the feature `bugs`.
#[cfg(feature = "bugs")]
pub const PLANTED_BUGS: &[PlantedBug] = {
    use raft_core::Bug;
    const fn bug(id: &'static str, name: &'static str, place: Place, about: &'static str) -> PlantedBug {
        PlantedBug {
            id,
            name,
            about,
            harmful: true,
            place,
        }
    }
    const fn control(id: &'static str, name: &'static str, place: Place, about: &'static str) -> PlantedBug {
        PlantedBug {
            id,
            name,
            about,
            harmful: false,
            place,
        }
    }
    &[
        bug(
            "E1",
            "TermVoteNotPersisted",
            Place::Core(Bug::VoteBeforePersist),
            "votes leave before the term and the vote are durable",
        ),
        bug(
            "E7",
            "VoteWithoutLogCheck",
            Place::Core(Bug::VoteWithoutLogCheck),
            "a vote is granted without comparing the logs",
        ),
        bug(
            "Q1",
            "HalfQuorum",
            Place::Core(Bug::HalfQuorum),
            "half of an even number of voters is taken for a majority",
        ),
        bug(
            "R1",
            "CommitPriorTerm",
            Place::Core(Bug::CommitPriorTerm),
            "an entry of an earlier term is committed by counting its replicas",
        ),
        bug(
            "R9",
            "CommitNotCapped",
            Place::Core(Bug::CommitNotCapped),
            "a follower commits up to its last entry instead of up to what the leader verified",
        ),
        bug(
            "D1",
            "AckBeforePersist",
            Place::Core(Bug::AckBeforePersist),
            "a follower acknowledges entries before they are durable",
        ),
        bug(
            "L2",
            "LocalLeaderRead",
            Place::Core(Bug::LocalLeaderRead),
            "a leader answers reads without confirming that it still leads",
        ),
        bug(
            "A1",
            "AckOnAppend",
            Place::AnswerOnAppend,
            "a client is told that its update is done when the leader appends it",
        ),
        control(
            "D7",
            "ElectOnUnpersistedLog",
            Place::Core(Bug::ElectOnUnpersistedLog),
            "a candidate advertises entries that its disk does not have yet (harmless: a control)",
        ),
        control(
            "D11",
            "LeaderSendsBeforePersist",
            Place::WriteAfterSend,
            "a leader's own write starts only after its messages have left (harmless: a control)",
        ),
    ]
};

/// All that this build has; none without the feature `bugs`.
#[cfg(not(feature = "bugs"))]
pub const PLANTED_BUGS: &[PlantedBug] = &[];

impl PlantedBug {
    /// Finds a planted bug by its id or its name, in any case.
    ///
    /// # Errors
    /// When there is none of that name in this build.
    pub fn find(name: &str) -> Result<&'static Self, UnknownBug> {
        let matches = |bug: &&Self| bug.id.eq_ignore_ascii_case(name) || bug.name.eq_ignore_ascii_case(name);
        PLANTED_BUGS
            .iter()
            .find(matches)
            .ok_or_else(|| UnknownBug { name: name.to_owned() })
    }
}

/// No planted bug is called that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownBug {
    name: String,
}

impl fmt::Display for UnknownBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if PLANTED_BUGS.is_empty() {
            return write!(f, "this build has no planted bugs: build with the cargo feature `bugs`");
        }
        write!(f, "there is no planted bug '{}'; there are", self.name)?;
        PLANTED_BUGS
            .iter()
            .try_for_each(|bug| write!(f, " {} ({})", bug.id, bug.name))
    }
}

impl std::error::Error for UnknownBug {}
