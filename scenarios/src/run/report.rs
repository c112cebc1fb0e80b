//! What came of a run, and what a trace says of it at its beginning and its end.

use super::{Mark, Run};
use crate::course::Course;
use crate::draw::Draw;
use crate::scenario::Scenario;
use crate::situations::{Situation, Situations};
use crate::system::System;
use crate::verdict::Failure;
use checker::history::History;
use simulator::trace::format::{TraceFooter, TraceHeader};
use simulator::{Digest, Exposure, Time, TraceEvent};
use std::collections::BTreeMap;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The seed.
    pub seed: u64,
    /// What it drew.
    pub draw: Draw,
    /// The scenario that it drew, where that has a `[swarm]`.
    pub resolved: Option<Box<Scenario>>,
    /// Why the run did not pass; `None` if it did.
    pub failure: Option<Failure>,
    /// What happened beside what follows from it, if it was asked for.
    pub course: Option<Box<Course>>,
    /// Marks, at the numbers of events that were asked for.
    pub marks: Vec<Mark>,
    /// The digest of all events.
    pub digest: Digest,
    /// How often each fault fired.
    pub exposure: Exposure,
    /// Of each `[[fault]]`, whether it had an effect; empty where the faults were not the scenario's own.
    pub effective: Vec<bool>,
    /// How often each situation was reached.
    pub situations: Situations,
    /// When after the faults the cluster reached each [`Milestone`](crate::recovery::Milestone): in thousandths of the longest
    /// election timeout, rounded up, and 0 where it did not.
    pub recovered: [u64; 4],
    /// Events handled.
    pub events: u64,
    /// True time at the end.
    pub end: Time,
    /// Operations that clients started, and those of unknown outcome.
    pub operations: usize,
    /// Of those, how many have an unknown outcome.
    pub unknown_outcomes: usize,
    /// The highest log index that was committed.
    pub committed: u64,
    /// What the clients saw.
    pub history: History,
    /// What was recorded in memory, if it was asked for.
    pub trace: Vec<TraceEvent>,
    /// How many events the trace has, in memory or wherever it went.
    pub trace_events: u64,
    /// How many events did not fit into the trace.
    pub trace_left_out: u64,
}

impl<S: System> Run<'_, S> {
    /// Of each of the scenario's faults, whether it had an effect.
    fn effective(&mut self) -> Vec<bool> {
        let Some(mut struck) = self.struck.take() else {
            return Vec::new();
        };
        for (index, origin) in self.origins.iter().enumerate() {
            if let Some(origin) = origin.filter(|_| self.world.has_struck(index)) {
                struck.struck(origin);
            }
        }
        struck.of_faults(self.scenario.faults.len(), &self.world)
    }

    pub(super) fn report(mut self, seed: u64, draw: Draw, failure: Option<Failure>, history: History) -> RunReport {
        let effective = self.effective();
        let mut situations = *self.watcher.situations();
        situations.reached(Situation::OutcomeUnknown, history.unknown_outcomes() as u64);
        RunReport {
            seed,
            draw,
            resolved: None,
            failure,
            course: None,
            marks: self.marks,
            digest: self.world.digest(),
            exposure: self.world.exposure().clone(),
            effective,
            situations,
            recovered: self.recovered.in_timeouts(self.scenario),
            events: self.world.steps(),
            end: self.world.now(),
            operations: history.len(),
            unknown_outcomes: history.unknown_outcomes(),
            committed: self.properties.committed(),
            history,
            trace: self.world.take_trace(),
            trace_events: self.world.trace_events(),
            trace_left_out: self.world.trace_left_out(),
        }
    }
}

impl RunReport {
    /// Of a run that never came to its first event.
    pub fn without_events(seed: u64, draw: Draw, failure: Failure) -> Self {
        Self {
            seed,
            draw,
            resolved: None,
            failure: Some(failure),
            course: None,
            marks: Vec::new(),
            digest: Digest([0; 32]),
            exposure: Exposure::default(),
            effective: Vec::new(),
            situations: Situations::default(),
            recovered: [0; 4],
            events: 0,
            end: Time(0),
            operations: 0,
            unknown_outcomes: 0,
            committed: 0,
            history: History::new(),
            trace: Vec::new(),
            trace_events: 0,
            trace_left_out: 0,
        }
    }

    /// The header of the run's trace.
    pub fn trace_header(&self, scenario: &str) -> TraceHeader {
        TraceHeader::new(crate::TOOL, scenario, self.seed, self.draw.nodes, self.draw.clients)
    }

    /// The footer of the run's trace.
    pub fn trace_footer(&self) -> TraceFooter {
        let mut counts = BTreeMap::new();
        counts.extend(
            self.exposure
                .iter()
                .map(|(class, count)| (class.name().to_owned(), count)),
        );
        counts.extend(
            self.situations
                .iter()
                .map(|(situation, count)| (situation.name().to_owned(), count)),
        );
        counts.insert("trace-left-out".to_owned(), self.trace_left_out);
        TraceFooter {
            verdict: self
                .failure
                .as_ref()
                .map_or("pass".to_owned(), |failure| failure.signature.clone()),
            digest: self.digest.to_string(),
            events: self.trace_events,
            end: self.end.0,
            counts,
        }
    }
}
