//! The smallest system under test: a replicated register, in two files. `protocol.rs` is somebody's code, a process of the simulator that
//! knows nothing of scenarios, faults, clients or checks; this file is all that Squall has to be told of it.
//!
//! ```text
//! cargo run -p abd-register -- sweep --seeds 0..100
//! cargo run -p abd-register -- run clients-cut-off --seed 3 --bug read-without-write-back
//! ```

#[expect(missing_docs, reason = "somebody else's code")]
pub mod protocol;

use protocol::{Mutant, Replica, ReplicaConfig, Request, Response, Tag};
use squall::prelude::*;
use std::collections::BTreeMap;

/// The system.
#[derive(Clone, Copy, Debug)]
pub struct AbdRegister;

impl System for AbdRegister {
    type Process = Replica;

    fn name(&self) -> &'static str {
        "abd-register"
    }

    fn about(&self) -> &'static str {
        "registers on a majority of replicas, without a leader (Attiya, Bar-Noy and Dolev 1995)"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Register]
    }

    fn boot(&self, cluster: &Cluster<'_>, _: NodeId) -> ReplicaConfig {
        ReplicaConfig {
            replicas: cluster.founders(),
            fast_reads: cluster.flag("fast_reads"),
            mutant: MUTANTS.into_iter().find(|mutant| cluster.has_bug(planted(*mutant).id)),
        }
    }

    fn request(&self, operation: Operation, attempt: Attempt) -> Option<Request> {
        let (key, write) = match operation {
            Operation::Read { key } => (key, None),
            Operation::Write { key, value } => (key, Some(value)),
            _ => return None,
        };
        let sequence = attempt.sequence;
        Some(Request { sequence, key, write })
    }

    fn is_idempotent(&self, operation: &Operation) -> bool {
        // A write that is carried out twice is two writes: the second may undo what came between.
        matches!(operation, Operation::Read { .. })
    }

    fn answer(&self, response: Response) -> Answer {
        let reply = response.read.map_or(Reply::Done, |value| Reply::Value { value });
        Answer::new(response.sequence, reply)
    }

    fn settings(&self) -> &'static [Setting] {
        &[FAST_READS]
    }

    fn sometimes(&self) -> &'static [Sometimes] {
        &[READ_REPAIRED]
    }

    fn observe<T: Tell>(&self, replica: &mut Replica, tell: &mut T) -> Result<(), T::Stop> {
        (0..replica.take_repairs()).for_each(|_| tell.sometimes(READ_REPAIRED.name));
        Ok(())
    }

    fn properties(&self) -> Vec<OwnProperty<Replica>> {
        vec![OwnProperty::new::<TagsGrow>(
            "tags-grow",
            "what a replica keeps is never replaced by something older",
        )]
    }

    fn message_kinds(&self) -> &'static [&'static str] {
        &["query", "found", "store", "stored"]
    }

    fn copy(&self, replica: &Replica) -> Option<Replica> {
        Some(replica.clone())
    }

    fn bugs(&self) -> &'static [PlantedBug] {
        &PLANTED
    }
}

const FAST_READS: Setting = Setting::flag(
    "fast_reads",
    true,
    "whether a read for which a majority has answered alike is over after one round",
)
.drawn(&[SettingValue::Flag(true), SettingValue::Flag(false)]);

const READ_REPAIRED: Sometimes = Sometimes {
    name: "read-repaired",
    about: "a read found replicas that differ, and let a majority keep the newest",
};

/// What each replica kept of each register, its crashes included: what was durable comes back.
#[derive(Clone, Debug, Default)]
struct TagsGrow(BTreeMap<(NodeId, u16), Tag>);

impl Property<Replica> for TagsGrow {
    fn judge(&mut self, moment: &Moment<'_, Replica>) -> Result<(), Broken> {
        let Some((node, replica)) = moment.node() else {
            return Ok(());
        };
        for (key, kept) in replica.registers() {
            let before = self.0.insert((node, *key), kept.tag).unwrap_or_default();
            // A crash may lose what was not durable yet, and nobody has been told of it.
            if kept.tag < before && !moment.has_restarted() {
                let message = format!(
                    "{node} had {before:?} of register {key} and replaces it by {:?}",
                    kept.tag
                );
                return Err(Broken::new("older", message).of(node));
            }
        }
        Ok(())
    }
}

const MUTANTS: [Mutant; 6] = [
    Mutant::ReadWithoutWriteBack,
    Mutant::WriteWithoutQuery,
    Mutant::HalfQuorum,
    Mutant::StoredBeforeSync,
    Mutant::OlderOverwrites,
    Mutant::TagsRepeated,
];

const PLANTED: [PlantedBug; 6] = {
    let mut planted_bugs = [planted(MUTANTS[0]); 6];
    let mut at = 1;
    while at < planted_bugs.len() {
        planted_bugs[at] = planted(MUTANTS[at]);
        at += 1;
    }
    planted_bugs
};

/// What is said of a mutant where bugs are listed.
const fn planted(mutant: Mutant) -> PlantedBug {
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
    };
    PlantedBug::new(id, about, Some("linearizable"))
}
