//! The names of what can be left out of the algorithm, to see whether that is found.

use super::protocol::Mutant;
use squall::prelude::PlantedBug;

pub(super) const MUTANTS: [Mutant; 7] = [
    Mutant::ReadWithoutWriteBack,
    Mutant::WriteWithoutQuery,
    Mutant::HalfQuorum,
    Mutant::StoredBeforeSync,
    Mutant::OlderOverwrites,
    Mutant::TagsRepeated,
    Mutant::VolatileIsKept,
];

pub(super) const PLANTED: [PlantedBug; 7] = {
    let mut planted_bugs = [planted(MUTANTS[0]); 7];
    let mut at = 1;
    while at < planted_bugs.len() {
        planted_bugs[at] = planted(MUTANTS[at]);
        at += 1;
    }
    planted_bugs
};

/// What is said of a mutant where bugs are listed.
pub(super) const fn planted(mutant: Mutant) -> PlantedBug {
    let (id, about) = match mutant {
        Mutant::ReadWithoutWriteBack => (
            "read-without-write-back",
            "a read answers what it found and lets nobody keep it",
        ),
        Mutant::WriteWithoutQuery => (
            "write-without-query",
            "a write does not ask what there is, and counts for itself",
        ),
        Mutant::HalfQuorum => ("half-quorum", "half of the replicas are taken for a majority"),
        Mutant::StoredBeforeSync => (
            "stored-before-sync",
            "a replica says that it has kept what its disk does not have yet",
        ),
        Mutant::OlderOverwrites => (
            "older-overwrites",
            "a replica keeps what comes last, be it older than what it has",
        ),
        Mutant::TagsRepeated => ("tags-repeated", "two writes of one node may have the same tag"),
        Mutant::VolatileIsKept => (
            "volatile-is-kept",
            "a read is over after one round though the disks of those who answered do not have the value yet",
        ),
    };
    PlantedBug::new(id, about, Some("linearizable"))
}
