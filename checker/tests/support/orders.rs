//! Every order of some operations, tried one after another on the plain specification with a memory for what has failed: brute
//! force that shares nothing with what makes the checker quick.

use checker::history::{History, Operation};
use checker::models::Model;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// An operation that must have a place in the order, or may.
#[derive(Clone, Copy)]
pub struct Placed {
    pub operation: Operation,
    pub is_required: bool,
}

/// A set of places.
type Set = Box<[u64]>;

fn holds(set: &Set, place: usize) -> bool {
    set[place / 64] >> (place % 64) & 1 == 1
}

fn put(set: &mut Set, place: usize) {
    set[place / 64] |= 1 << (place % 64);
}

/// A search for an order.
pub struct Orders<'a, M: Model> {
    model: &'a M,
    history: &'a History,
    /// In the order of the calls.
    placed: Vec<Placed>,
    /// The state that an order has to end in, as the model shows it; any if none is given.
    end: Option<&'a str>,
    failed: HashMap<Set, Vec<M::State>, FxBuildHasher>,
    steps: u64,
}

impl<'a, M: Model> Orders<'a, M> {
    pub fn new(
        model: &'a M,
        history: &'a History,
        mut placed: Vec<Placed>,
        end: Option<&'a str>,
        steps_max: u64,
    ) -> Self {
        placed.sort_by_key(|placed| placed.operation.call);
        Orders {
            model,
            history,
            placed,
            end,
            failed: HashMap::default(),
            steps: steps_max,
        }
    }

    /// Whether there is an order; `None` if that took more steps than allowed.
    pub fn is_possible(&mut self) -> Option<bool> {
        let done = vec![0; self.placed.len().div_ceil(64)].into_boxed_slice();
        self.go_on(0, &done, &self.model.initial())
    }

    /// Whether what is not done can follow on `state`; everything before the place `first` is done.
    fn go_on(&mut self, mut first: usize, done: &Set, state: &M::State) -> Option<bool> {
        while first < self.placed.len() && holds(done, first) {
            first += 1;
        }
        let mut first_return = u64::MAX;
        let mut is_anything_due = false;
        for place in first..self.placed.len() {
            let Placed { operation, is_required } = self.placed[place];
            // Whoever is called later returns later.
            if operation.call > first_return {
                break;
            }
            if is_required && !holds(done, place) {
                is_anything_due = true;
                first_return = first_return.min(operation.returned.expect("what is required has returned"));
            }
        }
        if !is_anything_due && self.end.is_none_or(|end| end == self.model.show(state, self.history)) {
            return Some(true);
        }
        if self.failed.get(done).is_some_and(|states| states.contains(state)) {
            return Some(false);
        }
        for place in first..self.placed.len() {
            let Placed { operation, is_required } = self.placed[place];
            if operation.call > first_return {
                break;
            }
            if holds(done, place) {
                continue;
            }
            self.steps = self.steps.checked_sub(1)?;
            let mut after = state.clone();
            if !self.model.apply(&mut after, self.history, &operation) {
                continue;
            }
            if !is_required && after == *state {
                continue;
            }
            let mut done = done.clone();
            put(&mut done, place);
            // What had to take effect before this was called, and did not, never will.
            for other in first..place {
                if self.placed[other]
                    .operation
                    .returned
                    .is_some_and(|returned| returned < operation.call)
                {
                    put(&mut done, other);
                }
            }
            if self.go_on(first, &done, &after)? {
                return Some(true);
            }
        }
        self.failed.entry(done.clone()).or_default().push(state.clone());
        Some(false)
    }
}
