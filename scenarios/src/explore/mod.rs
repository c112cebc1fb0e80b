//! Search by states: many runs, of which those that reached something new are changed and run again.
//!
//! `search` chooses what to run, by one of three strategies; `plan` changes plans of faults. Here candidates are run, on many
//! threads, and folded in the order in which they were chosen, so that a search of so many runs from a seed is the same
//! whatever the threads. What a state is, is told by [`Watcher::abstraction`](crate::situations::Watcher::abstraction).

mod plan;
mod search;
#[cfg(test)]
mod tests;

pub use search::{Candidate, GENERATION, Search, Strategy};

use crate::clock::Stopwatch;
use crate::expectation;
use crate::panics;
use crate::run::{self, RunOptions, RunReport, Steering};
use crate::scenario::Scenario;
use crate::setup::Draw;
use crate::sweep::threads;
use crate::system::PlantedBug;
use crate::verdict::Failure;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// What to explore, and when to stop.
#[derive(Clone, Debug)]
pub struct Exploration<'a> {
    /// Over these.
    pub scenarios: &'a [Scenario],
    /// Chosen so.
    pub strategy: Strategy,
    /// The first seed: of runs, and of the choices.
    pub seed: u64,
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
    /// Worker threads, at least one.
    pub jobs: usize,
    /// No generation starts once so many runs were made.
    pub runs: Option<u64>,
    /// No generation starts after this much wall time.
    pub time: Option<Duration>,
    /// After so many distinct signatures the exploration ends; 0 for never.
    pub max_fail: usize,
}

/// What an exploration came to; but for the times, the same for any number of threads.
#[derive(Clone, Debug, Default)]
pub struct ExplorationReport {
    /// Runs made.
    pub runs: u64,
    /// Of those, runs of plans that were made by the search.
    pub steered: u64,
    /// Runs that reached a new state; with coverage only.
    pub with_news: u64,
    /// Abstract states seen; with coverage only.
    pub states: usize,
    /// Events handled.
    pub events: u64,
    /// By signature, in the order of finding.
    pub found: Vec<Found>,
    /// Runs that failed.
    pub failed: u64,
    /// Whether the caller's flag ended it.
    pub interrupted: bool,
    /// Wall time.
    pub wall: Duration,
    /// Processor time; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

/// The first failure of a signature.
#[derive(Clone, Debug)]
pub struct Found {
    /// The failure.
    pub failure: Failure,
    /// What failed so.
    pub candidate: Candidate,
    /// How many runs did.
    pub count: u64,
}

/// How far an exploration is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Runs made.
    pub runs: u64,
    /// States seen.
    pub states: usize,
    /// Signatures found.
    pub found: usize,
    /// Wall time so far.
    pub elapsed: Duration,
}

/// Explores, and tells the observer how far it is and all that was found so far. When `interrupted` becomes true, the generation that is under way is finished and counted.
pub fn explore(
    exploration: &Exploration<'_>,
    interrupted: &AtomicBool,
    mut observer: impl FnMut(Progress, &[Found]),
) -> ExplorationReport {
    let watch = Stopwatch::start();
    let mut search = Search::new(exploration.scenarios, exploration.strategy, exploration.seed);
    let mut report = ExplorationReport::default();
    loop {
        let out_of_time = exploration.time.is_some_and(|limit| watch.elapsed() >= limit);
        let out_of_runs = exploration.runs.is_some_and(|limit| report.runs >= limit);
        let enough = exploration.max_fail > 0 && report.found.len() >= exploration.max_fail;
        report.interrupted = interrupted.load(Ordering::Relaxed);
        if out_of_time || out_of_runs || enough || report.interrupted {
            break;
        }
        let mut candidates = search.generation();
        if let Some(limit) = exploration.runs {
            candidates.truncate(usize::try_from(limit - report.runs).unwrap_or(GENERATION));
        }
        let outcomes = run_all(exploration, &candidates);
        for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
            report.fold(&mut search, candidate, outcome);
        }
        report.states = search.seen();
        let progress = Progress {
            runs: report.runs,
            states: report.states,
            found: report.found.len(),
            elapsed: watch.elapsed(),
        };
        observer(progress, &report.found);
    }
    report.wall = watch.elapsed();
    report.cpu = watch.cpu();
    report
}

/// What is kept of a run.
pub(crate) struct Outcome {
    /// What counts as its failure.
    pub failure: Option<Failure>,
    /// Events handled.
    pub events: u64,
    /// Its states, each once.
    pub states: Vec<u64>,
}

/// In the order of the candidates.
fn run_all(exploration: &Exploration<'_>, candidates: &[Candidate]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel(candidates.len().max(1));
    let mut outcomes: Vec<Option<Outcome>> = candidates.iter().map(|_| None).collect();
    let options = RunOptions {
        bug: exploration.bug,
        trace: false,
        ..RunOptions::default()
    };
    let work = |sender: &std::sync::mpsc::SyncSender<(usize, Outcome)>| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(candidate) = candidates.get(index) else { return };
            let wants_states = exploration.strategy == Strategy::Coverage;
            let outcome = attempt(
                &exploration.scenarios[candidate.scenario],
                candidate,
                options,
                wants_states,
            );
            if sender.send((index, outcome)).is_err() {
                return;
            }
        }
    };
    threads(exploration.jobs, sender, &work, || {
        for (index, outcome) in receiver {
            outcomes[index] = Some(outcome);
        }
    });
    outcomes
        .into_iter()
        .map(|outcome| outcome.expect("each candidate was run"))
        .collect()
}

/// Runs a candidate, with a panic anywhere in it as its failure.
pub(crate) fn attempt(scenario: &Scenario, candidate: &Candidate, options: RunOptions, wants_states: bool) -> Outcome {
    let mut states = Vec::new();
    let report = rerun(scenario, candidate, options, wants_states.then_some(&mut states));
    states.sort_unstable();
    states.dedup();
    Outcome {
        events: report.events,
        failure: expectation::judged(scenario, report.failure),
        states,
    }
}

/// The run of a candidate, once more or for the first time: the same each time.
pub fn rerun(
    scenario: &Scenario,
    candidate: &Candidate,
    options: RunOptions,
    states: Option<&mut Vec<u64>>,
) -> RunReport {
    let steering = Steering {
        plan: candidate.plan.as_deref(),
        without_triggers: candidate.without_triggers,
        states,
        ..Steering::default()
    };
    let seed = candidate.seed;
    panics::caught(move || run::run_steered(scenario, seed, options, steering))
        .unwrap_or_else(|failure| RunReport::without_events(seed, Draw::new(scenario, seed), *failure))
}

impl ExplorationReport {
    fn fold(&mut self, search: &mut Search<'_>, candidate: Candidate, outcome: Outcome) {
        self.runs += 1;
        self.events += outcome.events;
        self.steered += u64::from(candidate.plan.is_some());
        let news = search.learn(candidate.clone(), &outcome.states);
        self.with_news += u64::from(news > 0);
        let Some(failure) = outcome.failure else { return };
        self.failed += 1;
        let known = |found: &&mut Found| found.failure.signature == failure.signature;
        match self.found.iter_mut().find(known) {
            Some(found) => found.count += 1,
            None => self.found.push(Found {
                failure,
                candidate,
                count: 1,
            }),
        }
    }
}
