//! A capsule: one run as a file that survives changes of the code. It holds everything that happened in the run beside what
//! follows from it, so that no seed is needed to do it again, and what came of it, so that a run can be told to be the same, to
//! fail no more, or to have become another.
//!
//! `course` is what happens in a run, as data; `format` is the file; `replay` compares. What makes a capsule smaller is in
//! [`crate::shrink`].

mod format;
mod replay;
#[cfg(test)]
mod tests;
mod words;

pub use crate::course::{Course, FAULTS_MAX, Strike, ends_a_fault};
pub use format::{BYTES_MAX, CapsuleError, SCHEMA, json_schema};
pub use replay::{Comparison, Expectation, Marks, Outcome, compare, compare_recorded};
pub use words::{to_rust_test, to_scenario};

use crate::explore::{self, Candidate};
use crate::run::{RunOptions, RunReport, run_on_course};
use crate::scenario::{self, Scenario};
use crate::setup::Draw;
use crate::sweep::attempt;
use crate::system::PlantedBug;
use crate::verdict::Failure;
use crate::{panics, swarm};
use serde::{Deserialize, Serialize};
use simulator::{Chance, TraceSink};
use std::sync::Arc;

/// One run as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capsule {
    /// The scenario, of one choice each and without `[[fault]]` and `[swarm]`: what they drew is in the course.
    pub scenario: Scenario,
    /// Whatever the run was found by.
    pub origin: Origin,
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
    /// What happens.
    pub course: Course,
    /// What came of it when the capsule was made.
    pub outcome: Recorded,
}

/// Where a capsule's run comes from, for people; nothing of it decides anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What made the capsule, with its version.
    pub tool: String,
    /// The scenario that was run, as it was named.
    pub scenario: String,
    /// The seed, `0x` and 16 hexadecimal digits.
    pub seed: String,
    /// How large the run was before anything was taken away.
    pub size: Size,
}

/// How large a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Nodes.
    pub nodes: u16,
    /// Clients.
    pub clients: u16,
    /// Faults, without those that only end one.
    pub faults: usize,
    /// Operations of clients, and orders.
    pub operations: usize,
    /// What chance decides otherwise than the neutral way.
    pub decisions: usize,
    /// Events until the run failed or ended.
    pub events: u64,
}

/// What came of a run, as its capsule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// `pass` or `fail`.
    pub verdict: Expectation,
    /// For a failure, property and place; null for a run that passed.
    pub signature: Option<String>,
    /// For a failure, what was violated, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// For a failure that is an event's, which event was judged, and whom and what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedEvent>,
    /// The digest of all events.
    pub digest: String,
    /// Events handled.
    pub events: u64,
    /// True time at the end, in nanoseconds.
    pub end: u64,
    /// Parts of digests along the run, by which it is found where another parts from it.
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    pub marks: Marks,
}

/// The event that a failure judged, and whom and what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedEvent {
    /// Its number in the trace of the capsule's run.
    pub event: u64,
    /// Its true time, in nanoseconds.
    pub time: u64,
    /// The nodes, the one that was judged first.
    #[serde(default)]
    pub nodes: Vec<u32>,
    /// The log entries, by their indices.
    #[serde(default)]
    pub entries: Vec<u64>,
    /// The operations of clients, by the numbers of the events of their calls.
    #[serde(default)]
    pub operations: Vec<u64>,
}

impl JudgedEvent {
    fn of(failure: &Failure) -> Option<Self> {
        Some(Self {
            event: failure.event?,
            time: failure.time?,
            nodes: failure.nodes.clone(),
            entries: failure.entries.clone(),
            operations: failure.operations.clone(),
        })
    }
}

/// Why a seed makes no capsule.
#[derive(Debug, thiserror::Error)]
pub enum MakingError {
    /// What the seed draws and what was overridden contradict each other.
    #[error(transparent)]
    Scenario(#[from] scenario::ScenarioError),
    /// The run broke off before it could be written down.
    #[error("the run broke off before its course could be written down: {0}")]
    NoCourse(String),
    /// The course did not lead to the same end.
    #[error(
        "written out, the run ends otherwise ({now}) than by its seed ({before}); please report this with the seed"
    )]
    Otherwise {
        /// How it ended by its seed.
        before: String,
        /// How it ends on its course.
        now: String,
    },
}

impl Capsule {
    /// Runs a seed and writes the run out; `name` is what the scenario was called.
    ///
    /// # Errors
    /// When the run can't be written out. That the capsule ends as the seed did has been tried.
    pub fn of_seed(
        name: &str,
        scenario: &Scenario,
        seed: u64,
        bug: Option<&'static PlantedBug>,
    ) -> Result<Self, MakingError> {
        Self::of_run(name, scenario, seed, bug, |resolved, options| {
            attempt(resolved, seed, options)
        })
    }

    /// Runs what a search has chosen and writes the run out; `name` is what the scenario was called.
    ///
    /// # Errors
    /// As [`of_seed`](Self::of_seed).
    pub fn of_candidate(
        name: &str,
        scenario: &Scenario,
        candidate: &Candidate,
        bug: Option<&'static PlantedBug>,
    ) -> Result<Self, MakingError> {
        Self::of_run(name, scenario, candidate.seed, bug, |resolved, options| {
            explore::rerun(resolved, candidate, options, None)
        })
    }

    fn of_run(
        name: &str,
        scenario: &Scenario,
        seed: u64,
        bug: Option<&'static PlantedBug>,
        run: impl Fn(&Scenario, RunOptions) -> RunReport,
    ) -> Result<Self, MakingError> {
        let resolved = swarm::resolve(scenario, seed)?.into_owned();
        let options = RunOptions {
            bug,
            course: true,
            trace: false,
            ..RunOptions::default()
        };
        let mut report = run(&resolved, options);
        let Some(course) = report.course.take() else {
            let why = report.failure.map_or_else(String::new, |failure| failure.message);
            return Err(MakingError::NoCourse(why));
        };
        let mut capsule = Self {
            scenario: explicit(resolved, &report.draw),
            origin: Origin {
                tool: crate::TOOL.to_owned(),
                scenario: name.to_owned(),
                seed: format!("{seed:#018x}"),
                size: Size::default(),
            },
            bug,
            course: *course,
            outcome: Recorded::of(&report),
        };
        capsule.origin.size = capsule.size();
        let again = capsule.run(RunOptions::default());
        if signature(&again) != signature(&report) {
            let shown = |report: &RunReport| signature(report).unwrap_or("pass").to_owned();
            return Err(MakingError::Otherwise {
                before: shown(&report),
                now: shown(&again),
            });
        }
        capsule.outcome = Recorded::of(&again);
        capsule.seal().map_err(MakingError::NoCourse)?;
        Ok(capsule)
    }

    /// Carries it out. The capsule says which bug is planted, whatever the options say. A panic is the failure of the run.
    pub fn run(&self, options: RunOptions) -> RunReport {
        self.run_recorded(options, None)
    }

    /// As [`Capsule::run`]; `sink` gets the trace of the run while it goes on.
    pub fn run_recorded(&self, options: RunOptions, sink: Option<Box<dyn TraceSink>>) -> RunReport {
        let chance = Chance::Given(Arc::clone(&self.course.decisions));
        self.carried_out(&chance, 0, (options, sink))
    }

    /// Carries it out with other decisions than its own: those of a seed, which is used for nothing else, or none.
    pub fn run_by(&self, chance: &Chance, seed: u64, options: RunOptions) -> RunReport {
        self.carried_out(chance, seed, (options, None))
    }

    fn carried_out(
        &self,
        chance: &Chance,
        seed: u64,
        (options, sink): (RunOptions, Option<Box<dyn TraceSink>>),
    ) -> RunReport {
        let options = RunOptions {
            bug: self.bug,
            ..options
        };
        let run = || run_on_course(&self.scenario, seed, &self.course, chance, (options, sink));
        panics::caught(|| {
            run().map_err(|error| {
                let kind = crate::verdict::FailureKind::Inconclusive;
                Box::new(Failure::new(kind, "capsule", "misfit", error.to_string()))
            })
        })
        .and_then(|run| run)
        .unwrap_or_else(|failure| RunReport::without_events(seed, Draw::new(&self.scenario, seed), *failure))
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        let draw = Draw::new(&self.scenario, 0);
        Size {
            nodes: draw.all_nodes(),
            clients: draw.clients,
            faults: self.course.strikes(),
            operations: self.course.operations(),
            decisions: self.course.decisions.len(),
            events: self.outcome.events,
        }
    }

    /// Its failure's signature, if it fails.
    pub fn signature(&self) -> Option<&str> {
        self.outcome.signature.as_deref()
    }
}

impl Recorded {
    /// Of a run.
    pub fn of(report: &RunReport) -> Self {
        Self {
            verdict: if report.failure.is_some() {
                Expectation::Fail
            } else {
                Expectation::Pass
            },
            signature: signature(report).map(str::to_owned),
            message: report.failure.as_ref().map(|failure| failure.message.clone()),
            judged: report.failure.as_ref().and_then(JudgedEvent::of),
            digest: report.digest.to_string(),
            events: report.events,
            end: report.end.0,
            marks: Marks::default(),
        }
    }
}

/// How a run failed, if it did.
fn signature(report: &RunReport) -> Option<&str> {
    report.failure.as_ref().map(|failure| failure.signature.as_str())
}

/// A scenario in which nothing is left to be drawn. What its runs are expected to show is forgotten: a capsule says that itself.
fn explicit(mut scenario: Scenario, draw: &Draw) -> Scenario {
    draw.fix(&mut scenario);
    scenario.faults.clear();
    scenario.swarm = None;
    scenario.expect.fired = None;
    scenario.expect.reach.clear();
    scenario
}
