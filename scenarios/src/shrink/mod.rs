//! From a capsule to the smallest one that fails in the same way.
//!
//! Owns the search: what is tried in which order, and what counts as smaller. `cuts` and `settings` say what can be taken away or made
//! simpler, `change` how a capsule is changed, `pool` tries many candidates at once.
//!
//! Lists (faults, operations, decisions) are cut by delta debugging (Zeller and Hildebrandt, "Simplifying and isolating
//! failure-inducing input", 2002): large pieces first, then halves of them down to single items. Clients and nodes are removed one by
//! one, settings go back to their defaults, spans are halved. A candidate is tried with the decisions that the capsule has and,
//! because whatever is taken away shifts what chance meets, with fresh ones; those that turn out not to matter go later.
//!
//! A candidate counts if its run fails with the signature of the original and it is smaller. Of the candidates of one round the
//! first that counts is taken, whichever was tried first by the clock; so for a number of attempts the result is always the same, and
//! depends on the machine only where time ends the search. The time that a cluster has to recover is never cut: a bound that
//! is too short makes failures of its own.

mod change;
mod cuts;
mod pool;
mod settings;
#[cfg(test)]
mod tests;

use crate::capsule::{Capsule, Size};
use crate::clock::Stopwatch;
use cuts::Cuts;
use pool::{Pool, Variant};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How a capsule is made smaller.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads; at least 1.
    pub jobs: usize,
    /// No attempt starts after this time.
    pub time: Option<Duration>,
    /// Most attempts; `u64::MAX` for as many as it takes.
    pub attempts: u64,
}

/// Looks on.
pub trait Observer {
    /// An attempt was made, or something became smaller.
    fn progress(&mut self, progress: &Progress);
}

impl Observer for () {
    fn progress(&mut self, _: &Progress) {}
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being tried.
    pub pass: &'static str,
    /// How large the run was.
    pub before: Size,
    /// How large it is.
    pub now: Size,
    /// Runs tried.
    pub attempts: u64,
    /// Wall time so far.
    pub elapsed: Duration,
}

/// The result.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest capsule that was found.
    pub capsule: Capsule,
    /// How large the original was.
    pub before: Size,
    /// How large this one is.
    pub after: Size,
    /// Runs tried.
    pub attempts: u64,
    /// Whether nothing is left to be tried.
    pub finished: bool,
    /// Wall time.
    pub elapsed: Duration,
    /// Processor time, where the system tells.
    pub cpu: Option<Duration>,
}

/// Why a capsule is not made smaller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// It does not fail.
    #[error("its run passes, so there is no failure to keep: shrink one that fails")]
    Passes,
    /// It fails in another way than it says.
    #[error("its run fails otherwise ({now}) than the capsule says ({before}): make it anew from its seed")]
    Stale {
        /// What the capsule says.
        before: String,
        /// How it fails.
        now: String,
    },
    /// Two runs of one capsule differed.
    #[error("{0}")]
    NonDeterminism(String),
}

/// Makes a capsule smaller. When `interrupted` becomes true, what was found so far is the result.
///
/// The result has been run twice more.
///
/// # Errors
/// When there is no failure to keep.
pub fn shrink(
    capsule: &Capsule,
    options: &Options,
    interrupted: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Shrunk, ShrinkError> {
    assert!(options.jobs > 0, "shrinking needs a thread to run on");
    let signature = capsule.signature().ok_or(ShrinkError::Passes)?.to_owned();
    let pool = Pool {
        signature: &signature,
        options,
        interrupted,
        watch: Stopwatch::start(),
    };
    let own = Variant::own(capsule.clone());
    let now = pool::evaluate(&own, 0).map_err(|now| match now {
        None => ShrinkError::Passes,
        Some(now) => ShrinkError::Stale {
            before: signature.clone(),
            now,
        },
    })?;
    if now.signature() != Some(&*signature) {
        let now = now.signature().unwrap_or("pass").to_owned();
        return Err(ShrinkError::Stale { before: signature, now });
    }
    let before = if capsule.origin.size.events > 0 {
        capsule.origin.size
    } else {
        capsule.size()
    };
    let now = without_the_rest(now);
    let mut search = Search {
        pool,
        current: now,
        before,
        attempts: 0,
        observer,
        pass: "",
        fresh: 0,
    };
    let finished = search.exhaust();
    let (mut smallest, attempts, watch) = (search.current, search.attempts, search.pool.watch);
    smallest.seal().map_err(ShrinkError::NonDeterminism)?;
    debug_assert_eq!(
        smallest.signature(),
        Some(&*signature),
        "shrink: the result fails in another way"
    );
    Ok(Shrunk {
        before,
        after: smallest.size(),
        capsule: smallest,
        attempts,
        finished,
        elapsed: watch.elapsed(),
        cpu: watch.cpu(),
    })
}

/// The same, with the faults' end right after the run's where the failure came before it: nothing that happened is changed, and an
/// attempt that does not fail is over sooner.
fn without_the_rest(mut capsule: Capsule) -> Capsule {
    let end = cuts::end_of(&capsule).max(cuts::CHAOS_MIN);
    let chaos = end.min(capsule.scenario.time.chaos_ns);
    capsule.scenario.end_faults_at(chaos);
    capsule
}

/// What a capsule costs to be understood, in tenths of an event. Faults and operations are what a reader has to hold in mind.
pub(crate) fn cost(size: &Size) -> u64 {
    let Size {
        nodes,
        clients,
        faults,
        operations,
        decisions,
        events,
    } = *size;
    let weighed = [
        (u64::from(nodes), 200),
        (u64::from(clients), 100),
        (faults as u64, 1_000),
        (operations as u64, 50),
        (decisions as u64, 1),
        (events, 10),
    ];
    weighed.iter().map(|(count, weight)| count * weight).sum()
}

/// How a search goes on after one round.
struct Search<'a> {
    pool: Pool<'a>,
    /// The smallest so far.
    current: Capsule,
    before: Size,
    attempts: u64,
    observer: &'a mut dyn Observer,
    pass: &'static str,
    /// How many sets of fresh decisions each candidate gets beside its own.
    fresh: u64,
}

/// Sets of fresh decisions that are looked through for one in which the failure comes sooner.
const REROLLS: u64 = 48;
/// The events that they may take together: of long runs, where all else is yet to be cut, fewer sets are tried.
const REROLLED_EVENTS: u64 = 100_000;
/// How often that is done at most.
const REROLLED_MAX: u64 = 3;
/// Most pieces that a list is cut into at first.
const PIECES: usize = 32;

impl Search<'_> {
    /// Tries everything until nothing becomes smaller; false when something ended it before.
    fn exhaust(&mut self) -> bool {
        let mut cost_before = u64::MAX;
        for round in 0.. {
            let cost_now = cost(&self.current.size());
            if cost_now >= cost_before {
                return true;
            }
            cost_before = cost_now;
            // Fresh decisions are for the large steps; later on they only cost time.
            self.fresh = if round < 2 { 2 } else { 6 };
            for (pass, cuts) in cuts::PASSES {
                self.pass = pass;
                self.go_through(*cuts);
                if self.is_over() {
                    return false;
                }
            }
        }
        true
    }

    fn is_over(&self) -> bool {
        self.pool.is_over() || self.attempts >= self.pool.options.attempts
    }

    fn go_through(&mut self, cuts: Cuts) {
        match cuts {
            Cuts::List {
                items,
                without,
                fresh,
                pieces,
            } => self.cut_list(items, without, fresh, pieces),
            Cuts::Each {
                candidates,
                fresh,
                slack,
            } => self.try_each(candidates, fresh, slack),
            Cuts::Fresh => self.reroll(),
        }
    }

    /// Delta debugging: removes pieces of a list, ever smaller ones.
    fn cut_list(
        &mut self,
        items: fn(&Capsule) -> usize,
        without: fn(&Capsule, usize, usize) -> Vec<Capsule>,
        fresh: bool,
        pieces: usize,
    ) {
        let mut size = items(&self.current);
        let mut start = 0;
        while size > 0 && !self.is_over() {
            let count = items(&self.current);
            if start >= count {
                if count.div_ceil(size) >= pieces {
                    return;
                }
                (size, start) = (size.min(count) / 2, 0);
                continue;
            }
            let starts: Vec<usize> = (start..count).step_by(size).take(PIECES).collect();
            let mut candidates = Vec::new();
            for start in &starts {
                let changed = without(&self.current, *start, (*start + size).min(count));
                candidates.extend(changed.into_iter().map(|capsule| (*start, capsule)));
            }
            let fresh = if fresh { self.fresh } else { 0 };
            start = match self.first_of(candidates, fresh, 0) {
                Some(at) => at,
                None => starts.last().map_or(count, |last| last + size),
            };
        }
    }

    /// Tries candidates until none of them counts; each that does gives new ones.
    fn try_each(&mut self, candidates: fn(&Capsule) -> Vec<Capsule>, fresh: u64, slack: u64) {
        let fresh = if fresh > 0 { fresh.max(self.fresh) } else { 0 };
        while !self.is_over() {
            let candidates = candidates(&self.current).into_iter().map(|capsule| (0, capsule));
            if self.first_of(candidates.collect(), fresh, slack).is_none() {
                return;
            }
        }
    }

    /// Looks for decisions under which the failure comes sooner, and for still others where that helps much.
    fn reroll(&mut self) {
        for turn in 0..REROLLED_MAX {
            let before = cost(&self.current.size());
            let mut variants = vec![Variant::neutral(self.current.clone())];
            let many = (REROLLED_EVENTS / self.current.size().events.max(1)).clamp(4, REROLLS);
            let seeds = turn * REROLLS + 1..=turn * REROLLS + many;
            variants.extend(seeds.map(|seed| Variant::fresh(self.current.clone(), seed)));
            self.best_of(&variants);
            if self.is_over() || cost(&self.current.size()) * 10 > before * 9 {
                return;
            }
        }
    }

    /// Takes the first candidate that counts, first with its own decisions, then with fresh ones; gives what it came with.
    fn first_of(&mut self, candidates: Vec<(usize, Capsule)>, fresh: u64, slack: u64) -> Option<usize> {
        let (marks, capsules): (Vec<usize>, Vec<Capsule>) = candidates.into_iter().unzip();
        let mut variants: Vec<Variant> = capsules.iter().cloned().map(Variant::own).collect();
        if fresh > 0 {
            variants.extend(capsules.iter().cloned().map(Variant::neutral));
            for seed in 1..=fresh {
                variants.extend(capsules.iter().cloned().map(|capsule| Variant::fresh(capsule, seed)));
            }
        }
        let found = self
            .pool
            .first(&variants, cost(&self.current.size()) + slack, self.left());
        self.attempts += found.attempts;
        let taken = found.taken.map(|(index, capsule)| {
            self.current = capsule;
            marks[index % marks.len()]
        });
        self.tell();
        taken
    }

    fn best_of(&mut self, variants: &[Variant]) {
        let found = self.pool.best(variants, cost(&self.current.size()), self.left());
        self.attempts += found.attempts;
        if let Some((_, capsule)) = found.taken {
            self.current = capsule;
        }
        self.tell();
    }

    /// Attempts that may still be made.
    fn left(&self) -> u64 {
        self.pool.options.attempts - self.attempts
    }

    fn tell(&mut self) {
        self.observer.progress(&Progress {
            pass: self.pass,
            before: self.before,
            now: self.current.size(),
            attempts: self.attempts,
            elapsed: self.pool.watch.elapsed(),
        });
    }
}
