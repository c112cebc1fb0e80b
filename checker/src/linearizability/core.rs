//! Shrinking a refusal to the operations that make it impossible.
//!
//! Deleting operations would not do: without the write, a read of its value is impossible for a reason that the history does
//! not have. So an operation that leaves the core is *set free* instead: its answer is forgotten, and it may have taken effect
//! at some moment between its call and its return, or not at all (a compare-and-set then writes whatever it found). That only ever allows more; what is still impossible then is
//! impossible because of the operations that remain. A core is *minimal* when setting free any single one of its operations
//! makes the rest explainable. (Setting free is monotone, so one pass over single operations is enough.)
//!
//! The *context* closes the core: as few free operations as explain the rest whenever one of the core is set free, all others
//! deleted. Core and context together are a history of their own that shows the fault, down to the write that a stale read
//! returns.
//!
//! Owns the choice of what to set free; the search is the same as everywhere.

use super::budget::Budget;
use super::search::{Outcome, search};
use super::timeline::Item;
use super::wild::interfere;
use crate::history::{History, OperationId, Output};
use crate::models::{Compiled, Misfit, Model, Specification};

/// Fewest last operations that are tried alone.
const WINDOW_MIN: usize = 4;

/// A single question may cost this part of the budget, and no less than so many steps; past it, it stays open. Where many operations
/// are free at once, the sets of what they may have done grow without end, and another question tells sooner.
const QUESTION_SHARE: u64 = 64;
const QUESTION_STEPS_MIN: u64 = 1 << 14;

/// An operation of one key as it was known at the moment that nothing can explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: OperationId,
    /// `None` when it was still in flight: it need not have taken effect yet, but if it had, it was to get its recorded answer.
    pub(super) returned: Option<u64>,
}

/// The core of an impossible history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Core {
    /// In the order of the calls, as `context`.
    pub(super) core: Vec<OperationId>,
    pub(super) context: Vec<OperationId>,
    /// Whether the budget was enough to shrink both to the end.
    pub(super) is_minimal: bool,
}

/// The search for the core of one history.
pub(super) struct Shrink<'a, M> {
    pub(super) history: &'a History,
    pub(super) model: &'a M,
    /// All operations, in the order of their calls.
    pub(super) known: &'a [Known],
    /// Operations that are free from the start; ascending.
    pub(super) free: &'a [OperationId],
    /// Whether there are other operations of the key, which could do anything but bring a value that one of `known` asks for.
    pub(super) wild: bool,
    /// Steps left.
    pub(super) budget: u64,
    /// Most steps of a single question.
    pub(super) question_steps_max: u64,
}

/// Most steps of a single question, where all of them have `budget`.
pub(super) fn question_steps_max(budget: u64) -> u64 {
    (budget / QUESTION_SHARE).max(QUESTION_STEPS_MIN)
}

impl<M: Model> Shrink<'_, M> {
    /// Shrinks `known`, which a search has shown to be impossible.
    pub(super) fn run(mut self) -> Result<Core, Misfit> {
        let everything: Vec<usize> = (0..self.known.len()).collect();
        let mut is_minimal = true;
        // What is impossible is usually so because of the last few operations.
        let (free, known) = (self.free, self.known);
        let is_bound = |&place: &usize| free.binary_search(&known[place].id).is_err();
        let mut kept: Vec<usize> = everything.iter().copied().filter(is_bound).collect();
        let mut size = WINDOW_MIN;
        while size < everything.len() {
            let last = everything[everything.len() - size..].iter().copied().filter(is_bound);
            let last: Vec<usize> = last.collect();
            if self.is_possible(&last, &everything, self.wild)? == Some(false) {
                kept = last;
                break;
            }
            size *= 2;
        }
        let core = self.delete(kept, &mut is_minimal, |shrink, rest| {
            Ok(shrink
                .is_possible(rest, &everything, shrink.wild)?
                .map(|possible| !possible))
        })?;
        let mut others: Vec<usize> = everything
            .iter()
            .copied()
            .filter(|place| !core.contains(place))
            .collect();
        // What was refused makes a poor explanation, so it goes first.
        others.sort_by_key(|&place| self.history.operation(self.known[place].id).output != Some(Output::Done(false)));
        if self.wild && self.closes(&core, &others)? != Some(true) {
            is_minimal = false;
        }
        let context = self.delete(others, &mut is_minimal, |shrink, rest| shrink.closes(&core, rest))?;
        let ids = |mut places: Vec<usize>| {
            places.sort_unstable();
            places.into_iter().map(|place| self.known[place].id).collect()
        };
        Ok(Core {
            core: ids(core),
            context: ids(context),
            is_minimal,
        })
    }

    /// Deletes from `set`, in ever smaller pieces, oldest first, whatever `holds` can do without.
    fn delete(
        &mut self,
        mut set: Vec<usize>,
        is_minimal: &mut bool,
        mut holds: impl FnMut(&mut Self, &[usize]) -> Result<Option<bool>, Misfit>,
    ) -> Result<Vec<usize>, Misfit> {
        let mut size = set.len();
        while size > 0 {
            let mut start = 0;
            while start < set.len() {
                let end = (start + size).min(set.len());
                let rest: Vec<usize> = set[..start].iter().chain(&set[end..]).copied().collect();
                match holds(self, &rest)? {
                    Some(true) => set = rest,
                    Some(false) => start = end,
                    None => {
                        *is_minimal &= size > 1;
                        start = end;
                    }
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        Ok(set)
    }

    /// Whether `context` explains `core` whenever one of it is set free.
    fn closes(&mut self, core: &[usize], context: &[usize]) -> Result<Option<bool>, Misfit> {
        let mut present: Vec<usize> = core.iter().chain(context).copied().collect();
        present.sort_unstable();
        for &free in core {
            let kept: Vec<usize> = core.iter().copied().filter(|&place| place != free).collect();
            match self.is_possible(&kept, &present, false)? {
                Some(true) => {}
                other => return Ok(other),
            }
        }
        Ok(Some(true))
    }

    /// Whether there is an order when of the operations `present` only `kept` must be explained and all others are free; both
    /// ascending. `wild`: and others may interfere. `None`: the budget is spent.
    fn is_possible(&mut self, kept: &[usize], present: &[usize], wild: bool) -> Result<Option<bool>, Misfit> {
        // Compiling is no search, but takes its time.
        let Some(left) = self.budget.checked_sub(present.len() as u64) else {
            return Ok(None);
        };
        self.budget = left;
        let ids: Vec<OperationId> = present.iter().map(|&place| self.known[place].id).collect();
        let mut kept_ids: Vec<OperationId> = kept.iter().map(|&place| self.known[place].id).collect();
        kept_ids.sort_unstable();
        let compiled = self
            .model
            .compile(self.history, &ids, &|id| kept_ids.binary_search(&id).is_ok())?;
        let mut items = Vec::with_capacity(present.len());
        for (step, &place) in present.iter().enumerate() {
            let Known { id, returned } = self.known[place];
            let required = returned.is_some() && kept.binary_search(&place).is_ok();
            if required || !compiled.specification.is_read_only(&compiled.steps[step]) {
                items.push(Item {
                    step: step as u32,
                    call: self.history.call(id),
                    returned,
                    required,
                });
            }
        }
        let most = self.budget.min(self.question_steps_max);
        let mut budget = Budget::of_steps(most);
        let outcome = search_among_others(compiled, items, wild, &mut budget, 0);
        self.budget -= most - budget.steps;
        Ok(match outcome {
            Outcome::Order(_) => Some(true),
            Outcome::Impossible { .. } => Some(false),
            Outcome::Exhausted { .. } => None,
        })
    }
}

/// [`search`], where others may interfere if `wild`.
pub(super) fn search_among_others<S: Specification>(
    compiled: Compiled<S>,
    mut items: Vec<Item>,
    wild: bool,
    budget: &mut Budget<'_>,
    tails_max: usize,
) -> Outcome {
    let interfered = if wild {
        interfere(compiled, &mut items)
    } else {
        Err(compiled)
    };
    match interfered {
        Ok(wild) => search(&wild.specification, &wild.steps, &items, budget, tails_max),
        Err(compiled) => search(&compiled.specification, &compiled.steps, &items, budget, tails_max),
    }
}
