//! The search of Wing and Gong (1993) with Lowe's memoisation (2017), on configurations relative to the frontier.
//!
//! Works through the returns in order. An operation is placed *just in time*: when an operation must return that has not
//! taken effect, some sequence of operations in flight that ends with it is placed first; nothing is placed otherwise. (Any
//! linearization can be put into that form: what need not have happened by a return can happen after it.) A configuration is
//! the next return, the state, and one bit for each operation in flight: memory does not grow with the square of the history.
//!
//! What keeps the search small, each exact:
//!
//! 1. A read-only operation in flight whose output fits the state is placed at once, without a branch.
//! 2. Of equal operations in flight only the one that returns first is tried; of those without an outcome, the earliest.
//! 3. Operations without an outcome are tried last, and one whose effect the next operation would wipe out unseen is not
//!    placed: the same configuration is reached without it.
//! 4. A configuration is given up when one with the same state has failed that had used up fewer of those.
//!
//! Owns the search alone: no history, no clock, no model. Its budget counts steps: operations tried in a
//! configuration.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::bits::Bits;
use super::budget::Budget;
use super::timeline::{Item, Timeline};
use crate::models::Specification;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The items in an order that explains them all.
    Order(Vec<u32>),
    /// No order explains the return of `due`, the `returns`-th in order; all returns before it can be explained.
    Impossible {
        due: u32,
        returns: u32,
        tails: Vec<Vec<u32>>,
    },
    /// The budget is spent; the first `returns` returns can be explained.
    Exhausted { returns: u32 },
}

/// Runs a search. `budget` is the steps left, and counts down. `tails_max` orders are kept of those that lead up to
/// the return that cannot be explained, each into another state.
pub(super) fn search<S: Specification>(
    specification: &S,
    steps: &[S::Step],
    items: &[Item],
    budget: &mut Budget<'_>,
    tails_max: usize,
) -> Outcome {
    let timeline = Timeline::new(items);
    let (completed, optional) = timeline.widths();
    if completed.max(optional) <= 64 {
        run::<S, u64>(specification, steps, items, timeline, budget, tails_max)
    } else {
        run::<S, Box<[u64]>>(specification, steps, items, timeline, budget, tails_max)
    }
}

/// [`search`], with sets of operations in flight that are wide enough for `timeline`.
pub(super) fn run<S: Specification, B: Bits>(
    specification: &S,
    steps: &[S::Step],
    items: &[Item],
    timeline: Timeline,
    budget: &mut Budget<'_>,
    tails_max: usize,
) -> Outcome {
    let mut search = Search::<S, B>::new(specification, steps, items, timeline);
    match search.explore(budget) {
        Some(true) => return Outcome::Order(search.trail),
        None => {
            return Outcome::Exhausted {
                returns: search.furthest,
            };
        }
        Some(false) => {}
    }
    let mut tails = Tails {
        at: search.furthest,
        max: tails_max,
        states: Vec::new(),
        orders: Vec::new(),
    };
    if tails_max > 0 {
        // The same way once more, now that it is known where it ends: keeping the orders on the first way would copy one at
        // each return.
        search.restart();
        search.tails = Some(tails);
        let mut same = Budget::of_steps(u64::MAX);
        search.explore(&mut same);
        tails = search.tails.take().expect("put in above");
    }
    search.timeline.rewind(0);
    while search.timeline.position() < search.furthest {
        search.timeline.advance();
    }
    Outcome::Impossible {
        due: search.timeline.due(),
        returns: search.furthest,
        tails: tails.orders,
    }
}

/// What can be tried in a configuration.
enum Candidate<S> {
    /// Nothing any more.
    None,
    /// To let the due item return without effect.
    Skip,
    /// To place an item, which leads to the state.
    Place(u32, S),
}

/// A configuration in which the due item has not taken effect, and how far its alternatives have been tried.
struct Frame<S, B> {
    position: u32,
    /// Next candidate: nothing at all ([`SKIP`]), then the pending items, then the optional ones.
    cursor: u32,
    /// Length of the trail here.
    trail: u32,
    state: S,
    done: B,
    used: B,
    /// When an item was placed last that need not have been, and nothing has seen its effect: the state before it.
    before_optional: Option<S>,
}

/// Orders that lead up to the return that cannot be explained.
struct Tails<S> {
    at: u32,
    max: usize,
    states: Vec<S>,
    orders: Vec<Vec<u32>>,
}

/// Failed configurations: return, completed items placed, state; and a list of the sets of optional items used up.
type Failed<S, B> = HashMap<(u32, B, S), u32, FxBuildHasher>;

/// The candidate that lets the due item return without effect, where it may.
const SKIP: u32 = 0;

/// End of a list in [`Search::failed_used`].
const END: u32 = u32::MAX;

struct Search<'a, S: Specification, B> {
    specification: &'a S,
    steps: &'a [S::Step],
    items: &'a [Item],
    timeline: Timeline,
    /// For each optional item, by slot: the slot of the equal one that must be used before it.
    optional_before: Vec<u32>,
    frames: Vec<Frame<S::State, B>>,
    trail: Vec<u32>,
    failed: Failed<S::State, B>,
    failed_used: Vec<(B, u32)>,
    furthest: u32,
    tails: Option<Tails<S::State>>,
}

impl<'a, S: Specification, B: Bits> Search<'a, S, B> {
    fn new(specification: &'a S, steps: &'a [S::Step], items: &'a [Item], timeline: Timeline) -> Self {
        let optional_before = chain_equal(steps, items, timeline.all_optional());
        Search {
            specification,
            steps,
            items,
            timeline,
            optional_before,
            frames: Vec::new(),
            trail: Vec::with_capacity(items.len()),
            failed: HashMap::default(),
            failed_used: Vec::new(),
            furthest: 0,
            tails: None,
        }
    }

    fn restart(&mut self) {
        assert!(
            self.frames.is_empty(),
            "a search ends with every configuration given up"
        );
        self.timeline.rewind(0);
        self.trail.clear();
        self.failed.clear();
        self.failed_used.clear();
    }

    fn step(&self, state: &S::State, item: u32) -> Option<S::State> {
        self.specification
            .step(state, &self.steps[self.items[item as usize].step as usize])
    }

    /// `Some(true)`: the trail explains everything. `None`: the budget is spent.
    fn explore(&mut self, budget: &mut Budget<'_>) -> Option<bool> {
        let (completed, optional) = self.timeline.widths();
        if self.timeline.len() == 0
            || self.enter(
                self.specification.initial(),
                B::empty(completed),
                B::empty(optional),
                None,
            )
        {
            return Some(true);
        }
        while let Some(frame) = self.frames.last() {
            self.timeline.rewind(frame.position);
            self.trail.truncate(frame.trail as usize);
            let ended = match self.next_candidate(budget)? {
                Candidate::None => {
                    if !budget.keeps(self.failed_used.len()) {
                        return None;
                    }
                    self.give_up();
                    false
                }
                Candidate::Skip => {
                    let frame = self.frames.last().expect("the loop's condition");
                    let (state, done, used) = (frame.state.clone(), frame.done.clone(), frame.used.clone());
                    !self.timeline.advance() || self.enter(state, done, used, None)
                }
                Candidate::Place(item, state) => self.place(item, state),
            };
            if ended {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Places `item` in the last frame's configuration, which takes it to `state`. `true` when no return is left.
    fn place(&mut self, item: u32, state: S::State) -> bool {
        let frame = self.frames.last().expect("an item is placed in a frame");
        let (mut done, mut used) = (frame.done.clone(), frame.used.clone());
        let Item { returned, required, .. } = self.items[item as usize];
        let slot = self.timeline.slot(item);
        if returned.is_some() {
            done.insert(slot);
        } else {
            used.insert(slot);
        }
        let before_optional = (!required).then(|| frame.state.clone());
        self.trail.push(item);
        self.enter(state, done, used, before_optional)
    }

    /// Places everything that needs no choice and pushes a frame at the first return that does, unless that configuration
    /// is known to fail. `true` when no return is left.
    fn enter(&mut self, state: S::State, mut done: B, used: B, mut before_optional: Option<S::State>) -> bool {
        loop {
            if self.absorb(&state, &mut done) {
                before_optional = None;
            }
            let due = self.timeline.slot(self.timeline.due());
            if !done.contains(due) {
                break;
            }
            done.remove(due);
            before_optional = None;
            if !self.timeline.advance() {
                return true;
            }
        }
        let position = self.timeline.position();
        self.furthest = self.furthest.max(position);
        if self.has_failed(position, &state, &done, &used) {
            return false;
        }
        self.keep_tail(position, &state);
        let trail = self.trail.len() as u32;
        let cursor = if self.items[self.timeline.due() as usize].required {
            SKIP + 1
        } else {
            SKIP
        };
        self.frames.push(Frame {
            position,
            cursor,
            trail,
            state,
            done,
            used,
            before_optional,
        });
        false
    }

    /// Places every read-only item in flight that fits `state`; whether there was one.
    fn absorb(&mut self, state: &S::State, done: &mut B) -> bool {
        let mut any = false;
        for index in 0..self.timeline.pending().len() {
            let item = self.timeline.pending()[index];
            let slot = self.timeline.slot(item);
            let step = &self.steps[self.items[item as usize].step as usize];
            if self.specification.is_read_only(step) && !done.contains(slot) && self.step(state, item).is_some() {
                done.insert(slot);
                self.trail.push(item);
                any = true;
            }
        }
        any
    }

    /// What the last frame tries next. `None`: the budget is spent.
    fn next_candidate(&mut self, budget: &mut Budget<'_>) -> Option<Candidate<S::State>> {
        let mut frame = self.frames.pop().expect("called with a frame");
        let candidate = self.candidate(&mut frame, budget);
        self.frames.push(frame);
        candidate
    }

    fn candidate(&self, frame: &mut Frame<S::State, B>, budget: &mut Budget<'_>) -> Option<Candidate<S::State>> {
        if frame.cursor == SKIP {
            frame.cursor += 1;
            return Some(Candidate::Skip);
        }
        let pending = self.timeline.pending();
        let optional = self.timeline.optional();
        loop {
            let place = (frame.cursor - SKIP - 1) as usize;
            let Some(&item) = pending.get(place).or_else(|| optional.get(place - pending.len())) else {
                return Some(Candidate::None);
            };
            frame.cursor += 1;
            budget.step(1)?;
            let superfluous = if place < pending.len() {
                frame.done.contains(self.timeline.slot(item)) || self.has_equal(&pending[..place], item, &frame.done)
            } else {
                self.is_superfluous(item, &frame.used)
            };
            if superfluous {
                continue;
            }
            let Some(state) = self.step(&frame.state, item) else {
                continue;
            };
            let is_idle = state == frame.state && !self.items[item as usize].required;
            let unseen = |before: &S::State| self.step(before, item).as_ref() == Some(&state);
            if !is_idle && !frame.before_optional.as_ref().is_some_and(unseen) {
                return Some(Candidate::Place(item, state));
            }
        }
    }

    /// Whether one of `earlier`, not placed, can take the place of `item`: it is equal, and must take effect if `item` must.
    fn has_equal(&self, earlier: &[u32], item: u32, done: &B) -> bool {
        let replaces = |&other: &u32| {
            let (other_item, item) = (&self.items[other as usize], &self.items[item as usize]);
            !done.contains(self.timeline.slot(other))
                && (other_item.required || !item.required)
                && self.steps[other_item.step as usize] == self.steps[item.step as usize]
        };
        earlier.iter().any(replaces)
    }

    /// Whether the optional `item` is used up, or an equal one comes before it.
    fn is_superfluous(&self, item: u32, used: &B) -> bool {
        let slot = self.timeline.slot(item);
        let before = self.optional_before[slot as usize];
        used.contains(slot) || before != END && !used.contains(before)
    }

    fn give_up(&mut self) {
        let frame = self.frames.pop().expect("called with a frame");
        let place = u32::try_from(self.failed_used.len()).expect("the budget keeps failed configurations below 2^32");
        let after = self
            .failed
            .insert((frame.position, frame.done, frame.state), place)
            .unwrap_or(END);
        self.failed_used.push((frame.used, after));
    }

    fn has_failed(&self, position: u32, state: &S::State, done: &B, used: &B) -> bool {
        if self.failed.is_empty() {
            return false;
        }
        let mut next = self
            .failed
            .get(&(position, done.clone(), state.clone()))
            .copied()
            .unwrap_or(END);
        while next != END {
            let (fewer, after) = &self.failed_used[next as usize];
            if fewer.is_subset(used) {
                return true;
            }
            next = *after;
        }
        false
    }

    fn keep_tail(&mut self, position: u32, state: &S::State) {
        let Some(tails) = &mut self.tails else { return };
        if tails.at == position && tails.orders.len() < tails.max && !tails.states.contains(state) {
            tails.states.push(state.clone());
            tails.orders.push(self.trail.clone());
        }
    }
}

/// For each of the `optional` items: the slot of the equal one that must be used before it, or [`END`].
fn chain_equal<T: Eq + std::hash::Hash>(steps: &[T], items: &[Item], optional: &[u32]) -> Vec<u32> {
    let mut last: HashMap<&T, u32, FxBuildHasher> = HashMap::default();
    let before = |(slot, &item): (usize, &u32)| {
        last.insert(&steps[items[item as usize].step as usize], slot as u32)
            .unwrap_or(END)
    };
    optional.iter().enumerate().map(before).collect()
}
