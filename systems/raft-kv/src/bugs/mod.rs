//! The planted bugs: documented consensus bugs, each one guard removed or one expression replaced, in the core or in the
//! service. They show that the harness can fail; the two controls show that it does not fail for nothing.
//!
//! Owns the names and finding them; `catalogue` has the table. The mutations stand where the guards stand, in the core as
//! `bug!`, in this service as `planted!`. How long it takes to find them is measured by [`squall::bugs`].

#[cfg(feature = "bugs")]
mod catalogue;
#[cfg(feature = "bugs")]
pub mod sabotage;
#[cfg(test)]
mod tests;

use squall::system::{NotPlanted, PlantedBug};
use std::sync::LazyLock;

/// Whether this planted bug of the service is switched on; always `false`, at no cost, in a build without the feature `bugs`.
macro_rules! planted {
    ($bug:expr, $name:ident) => {
        cfg!(feature = "bugs") && $bug == Some(ServiceBug::$name.place())
    };
}
pub(super) use planted;

/// A planted bug, and where it stands.
pub(super) struct Planted {
    id: &'static str,
    name: &'static str,
    about: &'static str,
    origin: &'static str,
    breaks: Option<&'static str>,
    exposed_by: &'static str,
    masked_by: &'static str,
    place: Place,
}

/// Where the mutated line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In the core.
    #[cfg(feature = "bugs")]
    Core(raft_core::Bug),
    /// In the service.
    Service(ServiceBug),
    /// Nowhere in the algorithm: it harms the process that the run is in.
    #[cfg(feature = "bugs")]
    Process(sabotage::Harm),
}

/// The planted bugs of the service; the catalogue says what each is.
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

impl ServiceBug {
    /// Where it stands.
    pub(super) const fn place(self) -> Place {
        Place::Service(self)
    }
}

/// All that this build has; none without the feature `bugs`.
pub(super) fn planted_bugs() -> &'static [PlantedBug] {
    static BUGS: LazyLock<Vec<PlantedBug>> = LazyLock::new(|| catalogue().iter().map(Planted::told).collect());
    &BUGS
}

/// What the drills of the tool need; none without the feature `bugs`.
pub(super) fn drills() -> &'static [PlantedBug] {
    static DRILLS: LazyLock<Vec<PlantedBug>> = LazyLock::new(|| harms().iter().map(Planted::told).collect());
    &DRILLS
}

#[cfg(feature = "bugs")]
fn catalogue() -> &'static [Planted] {
    catalogue::CATALOGUE
}

#[cfg(not(feature = "bugs"))]
fn catalogue() -> &'static [Planted] {
    &[]
}

#[cfg(feature = "bugs")]
fn harms() -> &'static [Planted] {
    sabotage::SABOTAGE
}

#[cfg(not(feature = "bugs"))]
fn harms() -> &'static [Planted] {
    &[]
}

impl Planted {
    /// What the harness is told of it.
    fn told(&self) -> PlantedBug {
        PlantedBug {
            id: self.id,
            name: self.name,
            about: self.about,
            origin: self.origin,
            breaks: self.breaks,
            exposed_by: self.exposed_by,
            masked_by: self.masked_by,
        }
    }
}

/// Where a planted bug stands.
pub(super) fn place(bug: &PlantedBug) -> Place {
    let mut all = catalogue().iter().chain(harms());
    let planted = all.find(|planted| planted.id == bug.id);
    planted.expect("a planted bug comes from the catalogue").place
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
