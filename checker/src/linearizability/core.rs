//! The operations that make a history impossible, as few as can be shown.
//!
//! Deleting operations would not do: without the write, a read of its value is impossible for a reason that the history does
//! not have. So an operation that leaves the core is *set free* instead: its answer is forgotten, and it may have taken effect
//! at some moment between its call and its return, or not at all (a compare-and-set then writes whatever it found). That only ever
//! allows more; what is still impossible then is impossible because of the operations that remain, whatever the others did. A core is
//! *minimal* when setting free any single one of its operations makes the rest explainable. (Setting free is monotone, so one pass over
//! single operations is enough.)
//!
//! Nothing is taken on trust. That a core is impossible is the end of an exhaustive search, with every operation free that can matter
//! ([`freedom`](super::freedom)). That the rest of it is possible is an order, which is replayed against the model. What neither is known
//! of within the budget is not said: the core may then not be minimal.
//!
//! The *context* closes the core: as few free operations as explain the rest whenever one of the core is set free, all others
//! deleted. Core and context together are a history of their own that shows the fault, down to the write that a stale read
//! returns.
//!
//! Owns the choice of what to try as a core and of what to set free; the search is the same as everywhere.

use std::collections::BTreeSet;

use super::budget::Budget;
use super::excerpt::{Cut, Excerpt, set_free};
use super::freedom::{Around, around};
use super::search::{Outcome, search};
use super::timeline::Item;
use super::wild::interfere;
use crate::history::{Atom, History, OperationId, Output};
use crate::models::{Action, Compiled, Kind, Misfit, Model, Specification};

/// Fewest last operations that are tried as a core.
const WINDOW_MIN: usize = 4;

/// A single question may cost this part of the budget, and no less than so many steps; past it, it stays open. Where many operations
/// are free at once, the sets of what they may have done grow without end, and another question tells sooner.
const QUESTION_SHARE: u64 = 64;
const QUESTION_STEPS_MIN: u64 = 1 << 14;

/// Most times that a candidate is enlarged by what an order for it did against an answer.
const ENLARGED_MAX: usize = 8;

/// The core of an impossible history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Core {
    /// In the order of the calls, as `context`.
    pub(super) core: Vec<OperationId>,
    pub(super) context: Vec<OperationId>,
    /// Whether both were shrunk to the end.
    pub(super) is_minimal: bool,
}

/// What became of the search for a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Core(Core),
    /// There is an order of everything: at this moment the history is not impossible.
    Possible,
    /// The budget was spent before a core was shown.
    Unknown,
}

/// Where the search for a core begins.
pub(super) struct Quest<'a, M> {
    pub(super) history: &'a History,
    pub(super) model: &'a M,
    /// The operations of the key, ascending.
    pub(super) ids: &'a [OperationId],
    pub(super) cut: Cut,
    /// Operations that are said to contradict each other, ascending; or none.
    pub(super) hint: &'a [OperationId],
    /// Whether a search has shown that all operations are impossible at this cut.
    pub(super) is_proven: bool,
    /// Whether to give up with [`Found::Possible`] as soon as the hint has an order.
    pub(super) trusts_hint: bool,
    /// Last operations that are tried first, where there is no hint.
    pub(super) window: usize,
    /// Most steps until a core is shown.
    pub(super) steps: u64,
    /// Most steps to shrink it.
    pub(super) shrink_steps: u64,
}

impl<M: Model> Quest<'_, M> {
    pub(super) fn run(mut self) -> Result<Found, Misfit> {
        if !self.hint.is_empty() {
            // What a method calls a contradiction may name what was called later.
            let mut candidate = self.hint.to_vec();
            candidate.retain(|&id| self.cut.was_called(self.history, id));
            for round in 0..ENLARGED_MAX {
                let mut shrink = self.shrink(&candidate);
                match shrink.ask(&shrink.all(), None, self.steps)? {
                    Answer::Impossible => return shrink.run(self.shrink_steps).map(Found::Core),
                    Answer::Unknown => break,
                    Answer::Possible(_) if round == 0 && self.trusts_hint => return Ok(Found::Possible),
                    Answer::Possible(order) => {
                        let more = self.against_answers(&shrink, &order);
                        if more.is_empty() {
                            break;
                        }
                        candidate.extend(more);
                        candidate.sort_unstable();
                        candidate.dedup();
                    }
                }
                self.steps -= shrink.spent.min(self.steps);
            }
        }
        self.widen()
    }

    /// Tries the hint and the last operations, ever more of them.
    fn widen(&mut self) -> Result<Found, Misfit> {
        let mut called: Vec<OperationId> = self.ids.to_vec();
        called.retain(|&id| self.cut.was_called(self.history, id));
        called.sort_by_key(|&id| self.history.call(id));
        let mut size = self.window;
        loop {
            let is_everything = size >= called.len();
            let last = &called[called.len().saturating_sub(size)..];
            let mut candidate: Vec<OperationId> = self.hint.iter().chain(last).copied().collect();
            candidate.retain(|&id| self.cut.was_called(self.history, id));
            // What was in flight at the same time is of the same moment.
            let start = last.iter().map(|&id| self.history.call(id)).min().unwrap_or(0);
            candidate.extend(self.in_flight(&called[..called.len() - last.len()], start, size));
            candidate.sort_unstable();
            candidate.dedup();
            let mut shrink = self.shrink(&candidate);
            if is_everything && self.is_proven {
                return shrink.run(self.shrink_steps).map(Found::Core);
            }
            let most = if self.is_proven {
                question_steps_max(self.shrink_steps)
            } else {
                self.steps
            };
            match shrink.ask(&shrink.all(), None, most)? {
                Answer::Impossible => return shrink.run(self.shrink_steps).map(Found::Core),
                Answer::Possible(_) if is_everything => return Ok(Found::Possible),
                Answer::Unknown if is_everything => return Ok(Found::Unknown),
                Answer::Possible(_) | Answer::Unknown => {}
            }
            self.steps -= shrink.spent.min(self.steps);
            size = size.saturating_mul(if self.window > WINDOW_MIN { 8 } else { 2 });
        }
    }

    /// Operations of `earlier` that go on after `start`, the last `most`.
    fn in_flight(&self, earlier: &[OperationId], start: u64, most: usize) -> Vec<OperationId> {
        let goes_on = |id: &OperationId| {
            let known = self.cut.known(self.history.operation(*id), *id);
            known.returned.is_none_or(|returned| returned >= start)
        };
        earlier.iter().rev().copied().filter(goes_on).take(most).collect()
    }

    fn shrink(&self, candidate: &[OperationId]) -> Shrink<'_, M> {
        Shrink::new(self.history, self.model, self.ids, candidate, self.hint, self.cut)
    }

    /// Operations outside the candidate that `order` has do what they say they did not; and of a collection every removal that has
    /// returned, since each may have been the one.
    fn against_answers(&self, shrink: &Shrink<'_, M>, order: &[usize]) -> Vec<OperationId> {
        let excerpt = &shrink.excerpt;
        let mut state = self.model.initial();
        let mut against = Vec::new();
        for &place in order {
            let operation = excerpt.operation(place);
            let is_of_candidate = shrink.candidate.binary_search(&place).is_ok();
            if !is_of_candidate {
                let mut recorded = state.clone();
                if !self.model.apply(&mut recorded, &excerpt.history, &operation)
                    || recorded != {
                        let mut free = state.clone();
                        self.model.apply(&mut free, &excerpt.history, &set_free(operation));
                        free
                    }
                {
                    against.push(excerpt.of[place]);
                }
            }
            let operation = if is_of_candidate {
                operation
            } else {
                set_free(operation)
            };
            self.model.apply(&mut state, &excerpt.history, &operation);
        }
        if !against.is_empty() && shrink.is_collection {
            let is_removal = |&&place: &&usize| excerpt.operation(place).returned.is_some() && shrink.removes[place];
            against.extend(shrink.free.iter().filter(is_removal).map(|&place| excerpt.of[place]));
        }
        against
    }
}

/// Most steps of a single question, where all of them have `budget`.
pub(super) fn question_steps_max(budget: u64) -> u64 {
    (budget / QUESTION_SHARE).max(QUESTION_STEPS_MIN)
}

/// What is known of some operations with all others free.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// An order, which was replayed.
    Possible(Vec<usize>),
    Impossible,
    Unknown,
}

/// A candidate for a core, and what can matter beside it. Operations are places in the excerpt.
struct Shrink<'a, M> {
    model: &'a M,
    excerpt: Excerpt,
    candidate: Vec<usize>,
    free: Vec<usize>,
    /// Free operations that interference stands for.
    elsewhere: Vec<usize>,
    is_collection: bool,
    /// For each place of a collection: whether it removes.
    removes: Vec<bool>,
    /// Of a collection, places whose elements the hint does not mention: left out, the rest is a history of the same type.
    aside: BTreeSet<usize>,
    /// Steps taken.
    spent: u64,
}

impl<'a, M: Model> Shrink<'a, M> {
    /// `candidate` and `hint` are ascending.
    fn new(
        history: &History,
        model: &'a M,
        ids: &[OperationId],
        candidate: &[OperationId],
        hint: &[OperationId],
        cut: Cut,
    ) -> Self {
        let Around { free, elsewhere } = around(history, model, ids, candidate, cut);
        let mut all: Vec<OperationId> = candidate.iter().chain(&free).chain(&elsewhere).copied().collect();
        all.sort_unstable();
        let excerpt = Excerpt::new(history, all, cut);
        let places = |ids: &[OperationId]| -> Vec<usize> { ids.iter().filter_map(|&id| excerpt.place(id)).collect() };
        let (candidate, free, elsewhere) = (places(candidate), places(&free), places(&elsewhere));
        let kind = model.kind(&excerpt.history);
        let is_collection = matches!(
            kind,
            Kind::Queue | Kind::Stack | Kind::PriorityQueue | Kind::LeastPriorityQueue
        );
        let (mut removes, mut aside) = (Vec::new(), BTreeSet::new());
        if is_collection {
            let element = |place: usize| match model.action(&excerpt.history, &excerpt.operation(place)) {
                Some(Action::Insert(value) | Action::Remove(Some(value))) => Some(value),
                _ => None,
            };
            let of_hint: BTreeSet<Atom> = places(hint).into_iter().filter_map(element).collect();
            let inserts = |place: usize| {
                matches!(
                    model.action(&excerpt.history, &excerpt.operation(place)),
                    Some(Action::Insert(_))
                )
            };
            removes = (0..excerpt.of.len()).map(|place| !inserts(place)).collect();
            if !of_hint.is_empty() {
                let is_aside = |&place: &usize| element(place).is_some_and(|value| !of_hint.contains(&value));
                aside = (0..excerpt.of.len()).filter(is_aside).collect();
            }
        }
        Shrink {
            model,
            excerpt,
            candidate,
            free,
            elsewhere,
            is_collection,
            removes,
            aside,
            spent: 0,
        }
    }

    fn all(&self) -> Vec<usize> {
        self.candidate.clone()
    }

    /// Shrinks the candidate, which was shown to be impossible, with at most `budget` steps.
    fn run(mut self, budget: u64) -> Result<Core, Misfit> {
        let question = question_steps_max(budget);
        let end = self.spent.saturating_add(budget);
        let left = |shrink: &Self| end.saturating_sub(shrink.spent).min(question);
        let mut is_minimal = true;
        let mut kept = self.candidate.clone();
        // It is seldom impossible because of what was still in flight.
        let returned: Vec<usize> = kept
            .iter()
            .copied()
            .filter(|&place| self.excerpt.operation(place).returned.is_some())
            .collect();
        if returned.len() < kept.len() {
            let most = left(&self);
            if self.ask(&returned, None, most)? == Answer::Impossible {
                kept = returned;
            }
        }
        kept.sort_by_key(|&place| self.excerpt.operation(place).call);
        let core = self.delete(kept, &mut is_minimal, |shrink, rest| {
            let most = left(shrink);
            Ok(match shrink.ask(rest, None, most)? {
                Answer::Impossible => Some(true),
                Answer::Possible(_) => Some(false),
                Answer::Unknown => None,
            })
        })?;
        // What the orders use that explain the rest of the core closes it.
        let mut context: BTreeSet<usize> = BTreeSet::new();
        let mut is_closed = true;
        for &one in &core {
            let rest: Vec<usize> = core.iter().copied().filter(|&place| place != one).collect();
            let most = left(&self);
            match self.ask(&rest, None, most)? {
                Answer::Possible(order) => context.extend(order),
                Answer::Impossible | Answer::Unknown => (is_minimal, is_closed) = (false, false),
            }
        }
        let mut context: Vec<usize> = context.into_iter().filter(|place| !core.contains(place)).collect();
        if is_closed {
            // What was refused makes a poor explanation, so it goes first.
            context.sort_by_key(|&place| {
                let operation = self.excerpt.operation(place);
                (operation.output != Some(Output::Done(false)), operation.call)
            });
            context = self.delete(context, &mut is_minimal, |shrink, rest| {
                for &one in &core {
                    let kept: Vec<usize> = core.iter().copied().filter(|&place| place != one).collect();
                    let mut present: Vec<usize> = core.iter().chain(rest).copied().collect();
                    present.sort_unstable();
                    let most = left(shrink);
                    match shrink.ask(&kept, Some(&present), most)? {
                        Answer::Possible(_) => {}
                        Answer::Impossible => return Ok(Some(false)),
                        Answer::Unknown => return Ok(None),
                    }
                }
                Ok(Some(true))
            })?;
        } else {
            context.clear();
        }
        let ids = |mut places: Vec<usize>| {
            places.sort_by_key(|&place| (self.excerpt.operation(place).call, place));
            places.into_iter().map(|place| self.excerpt.of[place]).collect()
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

    /// Whether there is an order when only `kept` must be explained and all others are free; of the operations `present`, ascending, if
    /// they are given, else of all that can matter.
    fn ask(&mut self, kept: &[usize], present: Option<&[usize]>, most: u64) -> Result<Answer, Misfit> {
        let mut kept = kept.to_vec();
        kept.sort_unstable();
        if let Some(present) = present {
            return self.search(&kept, present, false, most);
        }
        let mut all: Vec<usize> = self.candidate.iter().chain(&self.free).copied().collect();
        all.sort_unstable();
        if kept.iter().any(|place| self.aside.contains(place)) {
            // Without the other elements there is less to search, and what is impossible then is impossible.
            let near: Vec<usize> = all
                .iter()
                .copied()
                .filter(|place| {
                    !self.aside.contains(place) || self.removes[*place] && kept.binary_search(place).is_err()
                })
                .collect();
            let rest: Vec<usize> = kept
                .iter()
                .copied()
                .filter(|place| !self.aside.contains(place))
                .collect();
            if self.search(&rest, &near, false, most)? == Answer::Impossible {
                return Ok(Answer::Impossible);
            }
        }
        self.search(&kept, &all, !self.elsewhere.is_empty(), most)
    }

    fn search(&mut self, kept: &[usize], present: &[usize], is_wild: bool, most: u64) -> Result<Answer, Misfit> {
        // Compiling is no search, but takes its time.
        self.spent += present.len() as u64;
        let Some(most) = most.checked_sub(present.len() as u64) else {
            return Ok(Answer::Unknown);
        };
        let excerpt = &self.excerpt;
        let ids: Vec<OperationId> = present.iter().map(|&place| excerpt.id(place)).collect();
        let counts = |id: OperationId| kept.binary_search(&id.index()).is_ok();
        let compiled = self.model.compile(&excerpt.history, &ids, &counts)?;
        let mut items = Vec::with_capacity(present.len());
        for (step, &place) in present.iter().enumerate() {
            let operation = excerpt.operation(place);
            let required = operation.returned.is_some() && counts(ids[step]);
            if required || !compiled.specification.is_read_only(&compiled.steps[step]) {
                items.push(Item {
                    step: step as u32,
                    call: operation.call,
                    returned: operation.returned,
                    required,
                });
            }
        }
        let real = items.len();
        let steps: Vec<usize> = items.iter().map(|item| present[item.step as usize]).collect();
        let mut budget = Budget::of_steps(most);
        let outcome = search_among_others(compiled, items, is_wild, &mut budget);
        self.spent += most - budget.steps;
        Ok(match outcome {
            Outcome::Impossible { .. } => Answer::Impossible,
            Outcome::Exhausted { .. } => Answer::Unknown,
            Outcome::Order(order) => {
                let place = |item: u32| steps.get(item as usize).copied().filter(|_| (item as usize) < real);
                let order: Vec<Option<usize>> = order.into_iter().map(place).collect();
                self.replay(order, kept).map_or(Answer::Unknown, Answer::Possible)
            }
        })
    }

    /// `order` with free operations for what interference did, if it explains `kept`: by the model, and against real time.
    fn replay(&self, order: Vec<Option<usize>>, kept: &[usize]) -> Option<Vec<usize>> {
        let order = self.without_interference(order)?;
        let excerpt = &self.excerpt;
        let (mut state, mut latest_call) = (self.model.initial(), 0);
        let mut placed = BTreeSet::new();
        for &place in &order {
            let operation = excerpt.operation(place);
            latest_call = operation.call.max(latest_call);
            let is_late = operation.returned.is_some_and(|returned| returned < latest_call);
            let operation = if kept.binary_search(&place).is_ok() {
                operation
            } else {
                set_free(operation)
            };
            if is_late || !placed.insert(place) || !self.model.apply(&mut state, &excerpt.history, &operation) {
                return None;
            }
        }
        let is_explained = |place: &usize| placed.contains(place) || excerpt.operation(*place).returned.is_none();
        kept.iter().all(is_explained).then_some(order)
    }

    /// Puts a free operation in each place of `order` where interference was, the one that must take effect first.
    fn without_interference(&self, order: Vec<Option<usize>>) -> Option<Vec<usize>> {
        if order.iter().all(Option::is_some) {
            return order.into_iter().collect();
        }
        let of = |place: usize| self.excerpt.operation(place);
        let returned = |place: usize| of(place).returned.unwrap_or(u64::MAX);
        let mut unused = self.elsewhere.clone();
        let mut first_return = vec![u64::MAX; order.len() + 1];
        for (index, place) in order.iter().enumerate().rev() {
            first_return[index] = place.map_or(u64::MAX, returned).min(first_return[index + 1]);
        }
        let mut latest_call = 0;
        let mut whole = Vec::with_capacity(order.len());
        for (index, place) in order.into_iter().enumerate() {
            let place = match place {
                Some(place) => place,
                None => {
                    let fits = |&(_, &place): &(usize, &usize)| {
                        returned(place) >= latest_call && of(place).call <= first_return[index]
                    };
                    let fitting = unused.iter().enumerate().filter(fits);
                    let (at, _) = fitting.min_by_key(|&(_, &place)| (returned(place), of(place).call))?;
                    unused.swap_remove(at)
                }
            };
            latest_call = of(place).call.max(latest_call);
            whole.push(place);
        }
        Some(whole)
    }
}

/// [`search`], where others may interfere if `is_wild`.
fn search_among_others<S: Specification>(
    compiled: Compiled<S>,
    mut items: Vec<Item>,
    is_wild: bool,
    budget: &mut Budget<'_>,
) -> Outcome {
    let interfered = if is_wild {
        interfere(compiled, &mut items)
    } else {
        Err(compiled)
    };
    match interfered {
        Ok(wild) => search(&wild.specification, &wild.steps, &items, budget, 0),
        Err(compiled) => search(&compiled.specification, &compiled.steps, &items, budget, 0),
    }
}
