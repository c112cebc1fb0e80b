//! Many seeds of several scenarios on all cores, folded into one report.
//!
//! The jobs are numbered: seed by seed, and within a seed scenario by scenario. Workers take the next number from a counter;
//! the caller's thread folds the outcomes *in the order of the numbers*, and what ends a sweep early (enough failures)
//! ends it at a number. So the report depends on the jobs, never on how many threads there were or which was fastest; only a
//! limit on time and an interruption make it end wherever they strike.
//!
//! Owns running, folding and grouping. Leaves to others: what to run, printing (an [`Observer`] hears of progress), files.

use crate::clock::Stopwatch;
use crate::expectation::{self, Thin};
use crate::panics;
use crate::run::{self, RunOptions, RunReport, Steering};
use crate::scenario::Scenario;
use crate::setup::Draw;
use crate::system;
use crate::system::PlantedBug;
pub use crate::tally::Tally;
use crate::verdict::{Failure, FailureKind};
use isolate::{Isolated, Isolation};
use journal::{Early, Record, Stretch};
use serde::{Deserialize, Serialize};
use simulator::TraceSink;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

pub mod isolate;
pub mod journal;
pub mod parting;
#[cfg(test)]
mod tests;

/// How often an observer hears from a sweep in which nothing ends.
const TICK: Duration = Duration::from_millis(200);
/// How many outcomes may wait to be folded.
const BACKLOG: usize = 1024;
/// How long a failure may wait for the runs before it until it is told.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often at most and at least a sweep's progress is kept.
const KEPT_EVERY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Stack of a worker, in bytes: what the main thread has by default.
const STACK: usize = 8 << 20;

/// Which seeds a sweep runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seeds {
    /// `count` seeds from `first` up, wrapping at the end of the 64-bit numbers.
    Range {
        /// The first seed.
        first: u64,
        /// How many seeds.
        count: u64,
    },
    /// These, in this order.
    List(Vec<u64>),
}

impl Seeds {
    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Range { count, .. } => *count,
            Self::List(seeds) => seeds.len() as u64,
        }
    }

    /// The seed at `index`, which must be below the count.
    pub fn at(&self, index: u64) -> u64 {
        match self {
            Self::Range { first, .. } => first.wrapping_add(index),
            Self::List(seeds) => seeds[usize::try_from(index).expect("an index of a list in memory")],
        }
    }
}

/// What to sweep, and when to stop.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    /// The scenarios.
    pub scenarios: &'a [Scenario],
    /// The seeds of each.
    pub seeds: Seeds,
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
    /// Worker threads, at least one.
    pub jobs: usize,
    /// No run starts after this much wall time.
    pub time: Option<Duration>,
    /// After so many distinct signatures the sweep ends; 0 for never.
    pub max_fail: usize,
    /// Every so many seeds, counted from the first, each scenario runs twice and must do the same; 0 for never.
    pub verify_every: u64,
    /// How runs get processes of their own; `None` if they are made in this one.
    pub isolation: Option<&'a Isolation>,
}

/// What a sweep came to. Apart from [`wall`](Self::wall) and [`cpu`](Self::cpu), it is the same for any number of threads.
#[derive(Clone, Debug)]
pub struct SweepReport {
    /// In the order of the sweep.
    pub scenarios: Vec<Tally>,
    /// In the order in which their first failures were folded, that is of their jobs.
    pub groups: Vec<Group>,
    /// Failures that were told while runs before them were still under way, and that belong to runs after the one at which
    /// [`Sweep::max_fail`] ended the sweep: which there are depends on the machine.
    pub beyond: Vec<Group>,
    /// Of each scenario, in the order of the sweep, what has not come about in so few runs that this says nothing.
    pub thin: Vec<Vec<Thin>>,
    /// Whether [`Sweep::max_fail`] ended it.
    pub stopped_early: bool,
    /// Whether the caller's flag ended it.
    pub interrupted: bool,
    /// Wall time.
    pub wall: Duration,
    /// Processor time; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

/// Failures of one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The first of them; those of a later run differ in their numbers.
    pub failure: Failure,
    /// How many runs failed so; 0 for what only a whole sweep can show.
    pub count: u64,
    /// The scenario of the first, as an index.
    pub scenario: usize,
    /// The seed of the first, the lowest of a range; `None` for what only a whole sweep can show.
    pub seed: Option<u64>,
}

/// Hears how a sweep goes, on the caller's thread.
pub trait Observer {
    /// After each run, and at least five times in a second.
    fn progress(&mut self, progress: &Progress);
    /// The first failure of a signature.
    fn found(&mut self, group: &Group);
    /// What has to be kept so that the sweep can be taken up again; before a failure in it is told.
    fn keep(&mut self, _record: &Record) {}
}

/// How far a sweep has come: where it begins, or goes on.
#[derive(Clone, Debug)]
pub struct Begun {
    tallies: Vec<Tally>,
    groups: Vec<Group>,
    /// The job that is folded next: all before it are counted.
    next: u64,
    /// What is known of jobs after that.
    early: BTreeMap<u64, Outcome>,
}

impl Begun {
    /// At the first job of a sweep of so many scenarios.
    pub fn new(scenarios: usize) -> Self {
        Self {
            tallies: vec![Tally::default(); scenarios],
            groups: Vec::new(),
            next: 0,
            early: BTreeMap::new(),
        }
    }

    /// Runs that are counted.
    pub fn runs(&self) -> u64 {
        self.next
    }

    /// What was found.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Runs that failed.
    pub fn failed(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Runs done.
    pub done: u64,
    /// Runs there will be at most; `None` if only time limits them.
    pub total: Option<u64>,
    /// Runs that failed.
    pub failed: u64,
    /// Wall time so far.
    pub elapsed: Duration,
}

impl SweepReport {
    /// The gravest kind of failure; `None` if all passed.
    pub fn gravest(&self) -> Option<FailureKind> {
        self.groups.iter().map(|group| group.failure.kind).max()
    }
}

/// What is kept of one run.
#[derive(Clone, Debug)]
struct Outcome {
    tally: Tally,
    failure: Option<Failure>,
}

/// Sweeps. When `interrupted` becomes true no further run starts; what is under way is finished and counted.
pub fn sweep(plan: &Sweep<'_>, interrupted: &AtomicBool, observer: &mut dyn Observer) -> SweepReport {
    resume(plan, Begun::new(plan.scenarios.len()), interrupted, observer)
}

/// As [`sweep`], from where one was left: the report is that of one which never stopped.
pub fn resume(sweep: &Sweep<'_>, begun: Begun, interrupted: &AtomicBool, observer: &mut dyn Observer) -> SweepReport {
    assert!(sweep.jobs > 0, "a sweep needs a thread to run on");
    assert_eq!(
        begun.tallies.len(),
        sweep.scenarios.len(),
        "it was begun with other scenarios"
    );
    let watch = Stopwatch::start();
    let total = sweep.seeds.count().saturating_mul(sweep.scenarios.len() as u64);
    let pool = Pool {
        sweep,
        interrupted,
        watch,
        total,
        next: AtomicU64::new(begun.next),
        known: begun.early.keys().copied().collect(),
        enough: AtomicBool::new(is_enough(begun.groups.len(), sweep.max_fail)),
    };
    let mut fold = Fold::new(sweep, begun);
    let (sender, receiver) = sync_channel(BACKLOG);
    let work = |sender: &SyncSender<(u64, Outcome)>| pool.work(sender);
    threads(pool.sweep.jobs, sender, &work, || {
        fold.take_all(&pool, &receiver, observer);
    });
    fold.keep_progress(observer);
    fold.finish(watch, interrupted.load(Ordering::Relaxed))
}

/// Does `work` on so many threads, each with a sender of its own, while the caller's thread does `meanwhile`.
#[expect(
    clippy::disallowed_methods,
    reason = "each run has one thread to itself; only a sweep has several"
)]
pub(crate) fn threads<T: Send>(
    jobs: usize,
    sender: SyncSender<T>,
    work: &(impl Fn(&SyncSender<T>) + Sync),
    meanwhile: impl FnOnce(),
) {
    std::thread::scope(|scope| {
        for number in 0..jobs {
            let sender = sender.clone();
            let builder = std::thread::Builder::new()
                .name(format!("sweep-{number}"))
                .stack_size(STACK);
            let started = builder.spawn_scoped(scope, move || work(&sender));
            // One thread is enough to go on with; without any, the system has bigger troubles.
            assert!(
                started.is_ok() || number > 0,
                "the system starts no thread: {:?}",
                started.err()
            );
        }
        drop(sender);
        meanwhile();
    });
}

/// What the workers share.
struct Pool<'a> {
    sweep: &'a Sweep<'a>,
    interrupted: &'a AtomicBool,
    watch: Stopwatch,
    total: u64,
    next: AtomicU64,
    /// Jobs whose outcome is known.
    known: BTreeSet<u64>,
    enough: AtomicBool,
}

/// Whether so many signatures end a sweep.
fn is_enough(signatures: usize, max_fail: usize) -> bool {
    max_fail > 0 && signatures >= max_fail
}

impl Pool<'_> {
    fn work(&self, sender: &SyncSender<(u64, Outcome)>) {
        let mut isolated = self
            .sweep
            .isolation
            .map(|isolation| Isolated::new(self.sweep, isolation));
        let mut job = |index| match &mut isolated {
            Some(isolated) => isolated.job(index),
            None => job(self.sweep, index),
        };
        while !self.is_over() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if self.known.contains(&index) {
                continue;
            }
            if index >= self.total || sender.send((index, job(index))).is_err() {
                return;
            }
        }
    }

    fn is_over(&self) -> bool {
        let out_of_time = || self.sweep.time.is_some_and(|limit| self.watch.elapsed() >= limit);
        self.interrupted.load(Ordering::Relaxed) || self.enough.load(Ordering::Relaxed) || out_of_time()
    }
}

/// Runs a job, twice if it is one of those that verify determinism.
fn job(sweep: &Sweep<'_>, index: u64) -> Outcome {
    let (seed_index, scenario) = split(index, sweep.scenarios.len());
    let (scenario, seed) = (&sweep.scenarios[scenario], sweep.seeds.at(seed_index));
    let options = RunOptions {
        bug: sweep.bug,
        ..RunOptions::default()
    };
    let report = attempt(scenario, seed, options);
    let mut tally = Tally::of(&report);
    if scenario.swarm.is_some() {
        // The faults of one seed are not those of another.
        tally.runs_with_effect.clear();
    }
    let mut failure = expectation::judged(scenario, report.failure.clone());
    if sweep.verify_every > 0 && seed_index.is_multiple_of(sweep.verify_every) {
        tally.verified = 1;
        let again = attempt(scenario, seed, options);
        failure = difference(scenario, seed, sweep.bug, &report, &again).or(failure);
    }
    tally.failed = u64::from(failure.is_some());
    Outcome { tally, failure }
}

/// The first failure of its signature, in a job.
fn group(sweep: &Sweep<'_>, index: u64, failure: Failure) -> Group {
    let (seed_index, scenario) = split(index, sweep.scenarios.len());
    Group {
        failure,
        count: 1,
        scenario,
        seed: Some(sweep.seeds.at(seed_index)),
    }
}

/// The seed's index and the scenario's of a job.
fn split(index: u64, scenarios: usize) -> (u64, usize) {
    let scenarios = scenarios as u64;
    (index / scenarios, (index % scenarios) as usize)
}

/// One run, with a panic anywhere in it as its failure.
pub fn attempt(scenario: &Scenario, seed: u64, options: RunOptions) -> RunReport {
    attempt_recorded(scenario, seed, options, None)
}

/// As [`attempt`]; `sink` gets the trace of the run while it goes on.
pub fn attempt_recorded(
    scenario: &Scenario,
    seed: u64,
    options: RunOptions,
    sink: Option<Box<dyn TraceSink>>,
) -> RunReport {
    let steering = Steering {
        sink,
        ..Steering::default()
    };
    panics::caught(|| run::run_steered(scenario, seed, options, steering))
        .unwrap_or_else(|failure| RunReport::without_events(seed, Draw::new(scenario, seed), *failure))
}

/// The failure of two runs of one seed that differ; both are repeated with their traces on to name the first difference.
fn difference(
    scenario: &Scenario,
    seed: u64,
    bug: Option<&'static PlantedBug>,
    one: &RunReport,
    other: &RunReport,
) -> Option<Failure> {
    if one.digest == other.digest && one.failure == other.failure {
        return None;
    }
    let message = format!(
        "two runs of one seed differ: digests {} and {}",
        one.digest.short(),
        other.digest.short()
    );
    let traced = |sink| {
        let options = RunOptions {
            bug,
            ..RunOptions::default()
        };
        attempt_recorded(scenario, seed, options, Some(sink));
    };
    let details = match parting::of_runs(traced, traced) {
        Some(place) => place,
        None => "two more runs with the trace on did the same, so the first difference is not known".to_owned(),
    };
    let failure = Failure::new(FailureKind::NonDeterminism, "non-determinism", "digest", message);
    Some(Failure { details, ..failure })
}

/// Brings the outcomes into the order of their jobs and adds them up.
struct Fold<'a> {
    sweep: &'a Sweep<'a>,
    tallies: Vec<Tally>,
    groups: Vec<Group>,
    /// The job that is folded next.
    next: u64,
    /// Outcomes that came before their turn.
    early: BTreeMap<u64, Outcome>,
    /// When they came.
    came: BTreeMap<u64, Duration>,
    /// Signatures of which somebody has been told.
    told: BTreeSet<String>,
    /// Failures that were told before their turn.
    told_early: BTreeMap<u64, Group>,
    /// What is yet to be kept.
    stretch: Stretch,
    kept_at: Duration,
    failed: u64,
    is_over: bool,
}

impl<'a> Fold<'a> {
    fn new(sweep: &'a Sweep<'a>, begun: Begun) -> Self {
        let failed = begun.failed();
        let Begun {
            tallies,
            groups,
            next,
            early,
        } = begun;
        let mut fold = Self {
            sweep,
            tallies,
            told: groups.iter().map(|group| group.failure.signature.clone()).collect(),
            is_over: is_enough(groups.len(), sweep.max_fail),
            groups,
            next,
            came: early.keys().map(|index| (*index, Duration::ZERO)).collect(),
            told_early: BTreeMap::new(),
            early,
            stretch: Stretch::from(next),
            kept_at: Duration::ZERO,
            failed,
        };
        for (index, outcome) in &fold.early {
            if let Some(failure) = &outcome.failure {
                fold.told.insert(failure.signature.clone());
                fold.told_early.insert(*index, group(sweep, *index, failure.clone()));
            }
        }
        fold
    }

    fn take_all(&mut self, pool: &Pool<'_>, receiver: &Receiver<(u64, Outcome)>, observer: &mut dyn Observer) {
        let total = (pool.total < u64::MAX).then_some(pool.total);
        self.take_those_in_turn(observer);
        loop {
            match receiver.recv_timeout(TICK) {
                Ok((index, outcome)) => {
                    self.came.insert(index, pool.watch.elapsed());
                    self.early.insert(index, outcome);
                    self.take_those_in_turn(observer);
                    pool.enough.fetch_or(self.is_over, Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = pool.watch.elapsed();
            self.tell_those_that_waited(now, observer);
            // A kill costs a fiftieth of the work, and a sweep of a day keeps no more than it must.
            if now >= self.kept_at + (now / 50).clamp(KEPT_EVERY.0, KEPT_EVERY.1) {
                self.kept_at = now;
                self.keep_progress(observer);
            }
            observer.progress(&Progress {
                done: self.next,
                total,
                failed: self.failed,
                elapsed: pool.watch.elapsed(),
            });
        }
    }

    /// Once it is over, what still comes in belongs to later jobs and is dropped.
    fn take_those_in_turn(&mut self, observer: &mut dyn Observer) {
        while !self.is_over
            && let Some(outcome) = self.early.remove(&self.next)
        {
            self.came.remove(&self.next);
            self.told_early.remove(&self.next);
            self.take(self.next, outcome, observer);
        }
    }

    /// A run that goes on for long must not hide what was found behind it.
    fn tell_those_that_waited(&mut self, now: Duration, observer: &mut dyn Observer) {
        if self.is_over {
            return;
        }
        for (index, outcome) in &self.early {
            let Some(failure) = &outcome.failure else { continue };
            let waits = self.came.get(index).is_some_and(|came| now >= *came + PATIENCE);
            if waits && self.told.insert(failure.signature.clone()) {
                let group = group(self.sweep, *index, failure.clone());
                observer.keep(&Record::Early(Box::new(Early::new(*index, outcome))));
                observer.found(&group);
                self.told_early.insert(*index, group);
            }
        }
    }

    /// Gives out what has been counted since the last time.
    fn keep_progress(&mut self, observer: &mut dyn Observer) {
        if let Some(record) = self.stretch.take(self.next, &self.tallies) {
            observer.keep(&record);
        }
    }

    fn take(&mut self, index: u64, outcome: Outcome, observer: &mut dyn Observer) {
        let (_, scenario) = split(index, self.sweep.scenarios.len());
        self.next = index + 1;
        self.tallies[scenario].merge(&outcome.tally);
        self.stretch.count(scenario, &outcome.tally);
        let Some(failure) = outcome.failure else { return };
        self.failed += 1;
        self.stretch.failed(&failure.signature);
        if let Some(group) = self
            .groups
            .iter_mut()
            .find(|group| group.failure.signature == failure.signature)
        {
            group.count += 1;
            return;
        }
        let group = group(self.sweep, index, failure);
        self.stretch.found(&group);
        self.keep_progress(observer);
        if self.told.insert(group.failure.signature.clone()) {
            observer.found(&group);
        }
        self.groups.push(group);
        self.is_over = is_enough(self.groups.len(), self.sweep.max_fail);
    }

    fn finish(mut self, watch: Stopwatch, interrupted: bool) -> SweepReport {
        let mut thin = Vec::with_capacity(self.tallies.len());
        for (scenario, tally) in self.tallies.iter_mut().enumerate() {
            let of = &self.sweep.scenarios[scenario];
            // What a journal or another process has told names only what was reached.
            for situations in [&mut tally.situations, &mut tally.runs_with_situation] {
                situations.admit(&system::of(of).situations);
            }
            let found = expectation::coverage(of, tally);
            thin.push(found.thin);
            self.groups.extend(found.findings.into_iter().map(|failure| Group {
                failure,
                count: 0,
                scenario,
                seed: None,
            }));
        }
        let signatures: BTreeSet<String> = self
            .groups
            .iter()
            .map(|group| group.failure.signature.clone())
            .collect();
        let known = |group: &Group| signatures.contains(&group.failure.signature);
        SweepReport {
            scenarios: self.tallies,
            beyond: self.told_early.into_values().filter(|group| !known(group)).collect(),
            groups: self.groups,
            thin,
            stopped_early: self.is_over,
            interrupted,
            wall: watch.elapsed(),
            cpu: watch.cpu(),
        }
    }
}
