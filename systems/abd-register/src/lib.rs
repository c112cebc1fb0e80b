//! The smallest system under test: a replicated register, and what it takes to bring one. `protocol.rs` is somebody's code, a process of the simulator that
//! knows nothing of scenarios, faults, clients or checks; this file is all that Squall has to be told of it. `words.rs` has what is its own
//! (a setting, a situation, a property), and `mutants.rs` the names of what can be left out.
//!
//! ```text
//! cargo run -p abd-register -- sweep --seeds 0..100
//! cargo run -p abd-register -- sweep crashes --seeds 0..100 --bug older-overwrites
//! ```

mod mutants;
#[expect(missing_docs, reason = "somebody else's code")]
pub mod protocol;
mod words;

use mutants::{MUTANTS, PLANTED, planted};
use protocol::{Replica, ReplicaConfig, Request, Response};
use squall::prelude::*;
use words::{FAST_READS, READ_REPAIRED, TagsGrow};

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
