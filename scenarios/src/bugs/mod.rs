//! How long the harness takes to find each planted bug.
//!
//! A *trial* runs one bug over its own range of seeds, scenarios by their shares or as a search chooses (`order`), until a run
//! fails or the trial has used up its processor time. A bug has several trials over disjoint ranges, and as many *blind*
//! ones, in which no white-box property is held: only what clients see, and assertions. A trial that ends without a
//! finding is *censored*: it counts as longer than its budget, and is never dropped.
//!
//! A trial runs on one thread, so its processor time is that thread's, whatever the others do; only the times depend on
//! the machine. Owns trials and their statistics (`report`). Leaves to others: what a run is, printing, files.

mod ablation;
mod order;
mod report;
#[cfg(all(test, feature = "bugs"))]
mod tests;

pub use ablation::{ABLATIONS, Ablation};
pub use report::{BugReport, Quantile, median_of_medians};

use crate::clock::ThreadStopwatch;
use crate::explore::{self, Strategy};
use crate::run::{LINEARIZABLE, RunOptions};
use crate::scenario::Scenario;
use crate::sweep::threads;
use crate::system::PlantedBug;
use crate::verdict::FailureKind;
use order::Source;
use serde::{Deserialize, Serialize};
use simulator::PlannedFault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Seeds from one range to the next.
pub const RANGE: u64 = 1 << 32;
/// How often an observer hears when nothing ends.
const TICK: Duration = Duration::from_millis(200);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The bugs.
    pub bugs: &'a [&'static PlantedBug],
    /// The scenarios.
    pub scenarios: &'a [Scenario],
    /// What chooses runs; the scenarios' shares if it is `None`.
    pub strategy: Option<Strategy>,
    /// What is taken out of every scenario.
    pub ablation: Option<&'static Ablation>,
    /// Processor time of one trial.
    pub budget: Duration,
    /// Processor time of one blind trial.
    pub blind_budget: Duration,
    /// Most runs of one trial.
    pub runs: u64,
    /// Disjoint ranges of seeds, each with one trial of either kind; at least 1.
    pub ranges: u64,
    /// Whether there are blind trials.
    pub blind: bool,
    /// Worker threads, at least 1.
    pub jobs: usize,
}

/// One sweep of one bug over one range of seeds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// The first seed.
    pub first_seed: u64,
    /// Runs, the one that failed included.
    pub runs: u64,
    /// Events of those that did not fail, and of the one that did.
    pub events: u64,
    /// Processor time, in microseconds.
    pub cpu_us: u64,
    /// What was found; `None` if the trial is censored.
    pub found: Option<Finding>,
}

/// The run that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The faults by the clock, where a search made them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Vec<PlannedFault>>,
    /// What sort of failure.
    pub kind: FailureKind,
    /// The property that was broken, which says which oracle fired first.
    pub property: String,
    /// Property and place.
    pub signature: String,
}

/// How far a measurement is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Trials done.
    pub done: u64,
    /// Trials in all.
    pub total: u64,
    /// Trials that found their bug.
    pub found: u64,
}

/// Which trial: `bug` is an index of the plan.
#[derive(Clone, Copy, Debug)]
struct Task {
    bug: usize,
    range: u64,
    blind: bool,
}

/// A trial that has ended, by itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// The bug's id.
    pub bug: String,
    /// The number of its range of seeds.
    pub range: u64,
    /// Whether it had only what clients see.
    pub blind: bool,
    /// What came of it.
    pub trial: Trial,
}

/// Measures. When `interrupted` becomes true no further run starts, and trials that were not begun are left out.
pub fn measure(plan: &Plan<'_>, interrupted: &AtomicBool, mut observer: impl FnMut(Progress)) -> Vec<BugReport> {
    resume(plan, &[], interrupted, |progress, _| observer(progress))
}

/// As [`measure`], after the trials that have ended before: those are counted and not run again. The observer hears of each trial as it
/// ends.
pub fn resume(
    plan: &Plan<'_>,
    known: &[Ended],
    interrupted: &AtomicBool,
    mut observer: impl FnMut(Progress, Option<&Ended>),
) -> Vec<BugReport> {
    assert!(
        plan.jobs > 0 && plan.ranges > 0,
        "a measurement has a thread and a range"
    );
    let blind: Vec<Scenario> = plan.scenarios.iter().map(blinded).collect();
    let mut reports: Vec<BugReport> = plan.bugs.iter().map(|bug| BugReport::new(bug)).collect();
    let mut tasks = tasks(plan);
    let total = tasks.len() as u64;
    let (mut done, mut found) = (0, 0);
    tasks.retain(|task| {
        let is_it = |ended: &&Ended| (ended.range, ended.blind) == (task.range, task.blind);
        let mut of_bug = known.iter().filter(|ended| ended.bug == plan.bugs[task.bug].id);
        let Some(ended) = of_bug.find(is_it) else { return true };
        done += 1;
        found += u64::from(ended.trial.found.is_some());
        reports[task.bug].add(task.range, task.blind, ended.trial.clone());
        false
    });
    let next = AtomicU64::new(0);
    let (sender, receiver) = sync_channel(tasks.len().max(1));
    let work = |sender: &std::sync::mpsc::SyncSender<(Task, Trial)>| {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            let scenarios = if task.blind { &blind } else { plan.scenarios };
            let trial = trial(plan, scenarios, *task, interrupted);
            if interrupted.load(Ordering::Relaxed) && trial.found.is_none() {
                return; // neither found nor out of budget: it says nothing
            }
            if sender.send((*task, trial)).is_err() {
                return;
            }
        }
    };
    threads(plan.jobs, sender, &work, || {
        loop {
            let ended = match receiver.recv_timeout(TICK) {
                Ok((task, trial)) => {
                    done += 1;
                    found += u64::from(trial.found.is_some());
                    reports[task.bug].add(task.range, task.blind, trial.clone());
                    let bug = plan.bugs[task.bug].id.to_owned();
                    let Task { range, blind, .. } = task;
                    Some(Ended {
                        bug,
                        range,
                        blind,
                        trial,
                    })
                }
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            observer(Progress { done, total, found }, ended.as_ref());
        }
    });
    reports
}

/// All first ranges before all second ones: an interruption then leaves something of every bug.
fn tasks(plan: &Plan<'_>) -> Vec<Task> {
    let mut tasks = Vec::new();
    for range in 0..plan.ranges {
        for blind in [false, true].into_iter().take(1 + usize::from(plan.blind)) {
            tasks.extend((0..plan.bugs.len()).map(|bug| Task { bug, range, blind }));
        }
    }
    tasks
}

/// The scenario, held only to what clients see.
fn blinded(scenario: &Scenario) -> Scenario {
    let mut blind = scenario.clone();
    blind.expect.properties = vec![LINEARIZABLE.to_owned()];
    blind
}

fn trial(plan: &Plan<'_>, scenarios: &[Scenario], task: Task, interrupted: &AtomicBool) -> Trial {
    let watch = ThreadStopwatch::start();
    let options = RunOptions {
        bug: Some(plan.bugs[task.bug]),
        trace: false,
        ..RunOptions::default()
    };
    let mut trial = Trial {
        first_seed: task.range * RANGE,
        runs: 0,
        events: 0,
        cpu_us: 0,
        found: None,
    };
    let mut source = Source::new(scenarios, plan.strategy, trial.first_seed);
    let budget = if task.blind { plan.blind_budget } else { plan.budget };
    while trial.runs < plan.runs && watch.cpu() < budget && !interrupted.load(Ordering::Relaxed) {
        let candidate = source.next();
        let scenario = &scenarios[candidate.scenario];
        let ablated = plan.ablation.and_then(|ablation| ablation.of(scenario, candidate.seed));
        let scenario = ablated.as_ref().unwrap_or(scenario);
        let outcome = explore::attempt(scenario, &candidate, options, source.wants_states());
        trial.runs += 1;
        trial.events += outcome.events;
        // That a checker gave up shows nothing.
        let failure = outcome
            .failure
            .as_ref()
            .filter(|failure| failure.kind != FailureKind::Inconclusive);
        if let Some(failure) = failure {
            trial.found = Some(Finding {
                scenario: scenario.name.clone(),
                seed: candidate.seed,
                plan: candidate.plan,
                kind: failure.kind,
                property: failure.property.clone(),
                signature: failure.signature.clone(),
            });
            break;
        }
        source.passed(candidate, outcome);
    }
    trial.cpu_us = u64::try_from(watch.cpu().as_micros()).unwrap_or(u64::MAX);
    trial
}
