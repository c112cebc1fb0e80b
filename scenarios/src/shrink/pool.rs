//! Many candidates at once: each is run on a thread of its own, and the order of the list decides, never the clock.

use super::{Options, cost};
use crate::capsule::{Capsule, Recorded};
use crate::clock::Stopwatch;
use crate::run::RunOptions;
use crate::scenario;
use crate::sweep::threads;
use simulator::{Chance, Decisions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// A candidate, and where its decisions come from.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    capsule: Capsule,
    chance: Chance,
    seed: u64,
}

impl Variant {
    /// With the decisions that it has.
    pub fn own(capsule: Capsule) -> Self {
        let chance = Chance::Given(Arc::clone(&capsule.course.decisions));
        Self {
            capsule,
            chance,
            seed: 0,
        }
    }

    /// With none: everything falls out the neutral way.
    pub fn neutral(capsule: Capsule) -> Self {
        let chance = Chance::Given(Arc::new(Decisions::default()));
        Self {
            capsule,
            chance,
            seed: 0,
        }
    }

    /// With those that this seed draws.
    pub fn fresh(capsule: Capsule, seed: u64) -> Self {
        let chance = Chance::Recorded;
        Self { capsule, chance, seed }
    }
}

/// Runs a candidate, for at most so many events (0: any), and makes of it a capsule of what really happened: what did not come about is not in it.
///
/// # Errors
/// The failure's message when the run breaks off before its first event; none when it passes.
pub(super) fn evaluate(variant: &Variant, events_max: u64) -> Result<Capsule, Option<String>> {
    let options = RunOptions {
        course: true,
        events_max,
        ..RunOptions::default()
    };
    let mut report = variant.capsule.run_by(&variant.chance, variant.seed, options);
    let failure = report.failure.as_ref().ok_or(None)?;
    let Some(course) = report.course.take() else {
        return Err(Some(failure.message.clone()));
    };
    Ok(Capsule {
        course: *course,
        outcome: Recorded::of(&report),
        ..variant.capsule.clone()
    })
}

/// What a search needs to try candidates.
pub(super) struct Pool<'a> {
    pub signature: &'a str,
    pub options: &'a Options,
    pub interrupted: &'a AtomicBool,
    pub watch: Stopwatch,
}

/// What came of a list of candidates.
pub(super) struct Found {
    /// The one that was taken, with its index.
    pub taken: Option<(usize, Capsule)>,
    /// How many counted: all up to the one that was taken.
    pub attempts: u64,
}

impl Pool<'_> {
    pub fn is_over(&self) -> bool {
        let out_of_time = || self.options.time.is_some_and(|limit| self.watch.elapsed() >= limit);
        self.interrupted.load(Ordering::Relaxed) || out_of_time()
    }

    /// The first candidate that fails with the signature and costs less than `than`.
    pub fn first(&self, variants: &[Variant], than: u64, most: u64) -> Found {
        let mut counting = self.all(variants, than, most, true);
        counting.sort_by_key(|(index, _)| *index);
        let taken = counting.into_iter().next();
        let attempts = taken.as_ref().map_or(variants.len(), |(index, _)| index + 1) as u64;
        Found {
            taken,
            attempts: attempts.min(most),
        }
    }

    /// The candidate that costs least, the first of several.
    pub fn best(&self, variants: &[Variant], than: u64, most: u64) -> Found {
        let counting = self.all(variants, than, most, false);
        let taken = counting
            .into_iter()
            .min_by_key(|(index, capsule)| (cost(&capsule.size()), *index));
        Found {
            taken,
            attempts: (variants.len() as u64).min(most),
        }
    }

    /// Those that count; with `until_first`, at least all up to the first of them.
    fn all(&self, variants: &[Variant], than: u64, most: u64, until_first: bool) -> Vec<(usize, Capsule)> {
        let variants = &variants[..variants.len().min(usize::try_from(most).unwrap_or(usize::MAX))];
        let (next, first) = (AtomicU64::new(0), AtomicUsize::new(usize::MAX));
        let work = |sender: &SyncSender<(usize, Capsule)>| {
            while !self.is_over() {
                let index = next.fetch_add(1, Ordering::Relaxed) as usize;
                if index >= variants.len() || until_first && index > first.load(Ordering::Relaxed) {
                    return;
                }
                if let Some(capsule) = self.counts(&variants[index], than) {
                    first.fetch_min(index, Ordering::Relaxed);
                    if sender.send((index, capsule)).is_err() {
                        return;
                    }
                }
            }
        };
        let (sender, receiver) = sync_channel(variants.len().max(1));
        let mut counting = Vec::new();
        let jobs = self.options.jobs.min(variants.len()).max(1);
        threads(jobs, sender, &work, || counting.extend(receiver.iter()));
        counting
    }

    fn counts(&self, variant: &Variant, than: u64) -> Option<Capsule> {
        let capsule = evaluate(variant, than / 10 + 1).ok()?;
        let counts = capsule.signature() == Some(self.signature) && cost(&capsule.size()) < than;
        (counts && reads_back(&capsule)).then_some(capsule)
    }
}

/// Whether a file may say this: settings bound each other, and what is in the course.
fn reads_back(capsule: &Capsule) -> bool {
    let scenario = &capsule.scenario;
    capsule.check().is_ok()
        && scenario::parse("shrink", &scenario.to_toml(), &[], &scenario.known).is_ok_and(|read| read == *scenario)
}
