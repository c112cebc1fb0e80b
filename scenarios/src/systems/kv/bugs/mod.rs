//! The planted bugs: documented consensus bugs, each one guard removed or one expression replaced, in the core or in the
//! service. They show that the harness can fail; the two controls show that it does not fail for nothing.
//!
//! Owns the names and finding them; `catalogue` has the table. The mutations stand where the guards stand, in the core as
//! `bug!`, in this service as `planted!`. How long it takes to find them is measured by [`crate::bugs`].

#[cfg(feature = "bugs")]
mod catalogue;
#[cfg(feature = "bugs")]
pub mod sabotage;
#[cfg(test)]
mod tests;

use serde::Serialize;
use std::fmt;

/// Whether this planted bug of the service is switched on; always `false`, at no cost, in a build without the feature `bugs`.
macro_rules! planted {
    ($bug:expr, $name:ident) => {{
        #[cfg(feature = "bugs")]
        let on = $bug
            == Some($crate::systems::kv::bugs::Place::Service(
                $crate::systems::kv::bugs::ServiceBug::$name,
            ));
        #[cfg(not(feature = "bugs"))]
        let on = {
            let _ = $bug;
            false
        };
        on
    }};
}
pub(super) use planted;

/// A planted bug of the core or of the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct PlantedBug {
    /// Its short name in the catalogue.
    pub id: &'static str,
    /// Its long name.
    pub name: &'static str,
    /// What is wrong.
    pub about: &'static str,
    /// The documented bugs behind it, as numbered in the collection that the catalogue was drawn from.
    pub origin: &'static str,
    /// The property that it breaks, often with others; `None` for a control, which is expected to break nothing.
    pub breaks: Option<&'static str>,
    /// What brings it to light.
    pub exposed_by: &'static str,
    /// What hides it.
    pub masked_by: &'static str,
    #[serde(skip)]
    pub(super) place: Place,
}

/// Where the mutated line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In the core.
    #[cfg(feature = "bugs")]
    Core(raft_core::Bug),
    /// In the service.
    #[cfg(feature = "bugs")]
    Service(ServiceBug),
    /// Nowhere in the algorithm: it harms the process that the run is in.
    #[cfg(feature = "bugs")]
    Process(sabotage::Harm),
}

/// The planted bugs of the service; the catalogue says what each is.
#[cfg(feature = "bugs")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ServiceBug {
    TornTermVote,
    LeaderSendsBeforePersist,
    MidLogCorruptionTruncates,
    CompactLosesHardState,
    AmnesiacRejoin,
    AckOnAppend,
    AppliedBeforeApply,
    NondeterministicApply,
    CasAtPropose,
    DedupeAtProposeOnly,
    SnapshotWithoutSessions,
    DedupeReturnsFresh,
    CodecLenWrap,
    ChecksumSkipped,
}

/// All that this build has; none without the feature `bugs`.
#[cfg(feature = "bugs")]
pub const PLANTED_BUGS: &[PlantedBug] = catalogue::CATALOGUE;

/// All that this build has; none without the feature `bugs`.
#[cfg(not(feature = "bugs"))]
pub const PLANTED_BUGS: &[PlantedBug] = &[];

/// A documented bug that is not planted, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct NotPlanted {
    /// Its short name.
    pub id: &'static str,
    /// Its long name.
    pub name: &'static str,
    /// Why it has no place in this code, or what it would take.
    pub reason: &'static str,
}

/// What the design rules out, or what is still to come.
pub const NOT_PLANTED: &[NotPlanted] = &[
    NotPlanted {
        id: "S15",
        name: "CampaignDuringInstall",
        reason: "ruled out: the pieces of a snapshot never touch the log, and snapshot and log change in one record, so there \
                 is no half-installed state to stand for election from",
    },
    NotPlanted {
        id: "M8",
        name: "CampaignWithUnappliedConf",
        reason: "ruled out: a configuration is in force when it is appended, so none is committed and not in force",
    },
    NotPlanted {
        id: "W1",
        name: "CompensateByLocalTimer",
        reason: "needs the workload of sagas",
    },
];

impl PlantedBug {
    /// Whether it is expected to break anything; a control is not.
    pub fn is_harmful(&self) -> bool {
        self.breaks.is_some()
    }

    /// Finds a planted bug by its id or its name, in any case.
    ///
    /// # Errors
    /// When there is none of that name in this build.
    pub fn find(name: &str) -> Result<&'static Self, UnknownBug> {
        let matches = |bug: &&Self| bug.id.eq_ignore_ascii_case(name) || bug.name.eq_ignore_ascii_case(name);
        let known = PLANTED_BUGS.iter();
        #[cfg(feature = "bugs")]
        let known = known.chain(sabotage::SABOTAGE);
        known
            .into_iter()
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
        if let Some(bug) = NOT_PLANTED
            .iter()
            .find(|bug| bug.id.eq_ignore_ascii_case(&self.name) || bug.name.eq_ignore_ascii_case(&self.name))
        {
            return write!(f, "the bug {} ({}) is not planted: {}", bug.id, bug.name, bug.reason);
        }
        write!(
            f,
            "there is no planted bug '{}'; there are {}",
            self.name,
            PLANTED_BUGS.len()
        )
    }
}

impl std::error::Error for UnknownBug {}
