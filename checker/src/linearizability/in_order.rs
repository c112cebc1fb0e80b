//! Checking while a history comes about, by the order in which its operations are said to take effect.
//!
//! A replicated log knows the index at which each command took effect, before anybody is answered. So each effect is carried out on
//! the model as it is told, and each answer is held against the state that its operation found: a step or two for each operation.
//! As long as that succeeds, the order is a proof that the history so far is linearizable. Once it fails, either the history has
//! become impossible or the order is not the right one: [`check`](super::check) can tell, at that moment.
//!
//! Owns the history, since that is what has to be judged then, and the states that an operation in flight can still have found.

use std::collections::{BTreeMap, VecDeque};

use crate::history::{Atom, History, Op, OperationId, Output, Value};
use crate::models::Model;

/// A place in the order: an index of the log, and behind the command there, what was asked in the state that it left.
type Place = (u64, bool);

/// Why the order explains a history no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfOrder {
    /// It is told to take effect before something that took effect already.
    #[error("{0} took effect before an operation that was told first")]
    Late(OperationId),
    /// It is placed before something that had returned when it was called.
    #[error("{0} takes effect before an operation that had returned when it was called")]
    Early(OperationId),
    /// It returned, and nobody has told where it took effect.
    #[error("{0} was answered and never took effect")]
    Missing(OperationId),
    /// The model answers differently there.
    #[error("{0} cannot have been answered so where it took effect")]
    Refused(OperationId),
}

/// What a key has been, as far back as an operation in flight can have found it.
#[derive(Clone, Debug)]
struct Versions<S> {
    /// The state that the command at each index left; the first is as old as anybody can ask for.
    states: VecDeque<(u64, S)>,
    /// The last place of what returned before `latest.0`, and of what returned then.
    floor: Place,
    latest: (u64, Place),
    open: Vec<OperationId>,
}

/// What is known of one operation.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The last place of what had returned when it was called.
    floor: Place,
    /// Where it took effect; 0: not yet.
    index: u64,
}

/// Follows a history in the order in which its operations take effect.
#[derive(Clone, Debug)]
pub struct InOrder<M: Model> {
    model: M,
    history: History,
    known: Vec<Known>,
    keys: BTreeMap<Atom, Versions<M::State>>,
}

impl<M: Model> InOrder<M> {
    /// Nothing has happened yet.
    pub fn new(model: M) -> Self {
        InOrder {
            model,
            history: History::new(),
            known: Vec::new(),
            keys: BTreeMap::new(),
        }
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// What was told.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How many states are kept, over all keys.
    pub fn states(&self) -> usize {
        self.keys.values().map(|versions| versions.states.len()).sum()
    }

    /// A call at `time`, which is never smaller than that of what was told before.
    ///
    /// # Panics
    ///
    /// As [`History::invoke`].
    pub fn invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> OperationId {
        let id = self.history.invoke(client, time, op);
        let key = self.history.operation(id).op.key();
        let initial = || Versions {
            states: VecDeque::from([(0, self.model.initial())]),
            floor: (0, false),
            latest: (0, (0, false)),
            open: Vec::new(),
        };
        let versions = self.keys.entry(key).or_insert_with(initial);
        versions.pass(time);
        versions.open.push(id);
        self.known.push(Known {
            floor: versions.floor,
            index: 0,
        });
        id
    }

    /// `id`, a command, took effect at `index` of the log, from 1: behind all commands of its key that were told before.
    ///
    /// # Errors
    ///
    /// When that cannot be.
    pub fn take_effect(&mut self, id: OperationId, index: u64) -> Result<(), OutOfOrder> {
        let operation = self.history.operation(id);
        let versions = self.keys.get_mut(&operation.op.key()).expect("it was called");
        let (last, state) = versions.states.back().expect("the latest state is kept");
        if index <= *last {
            return Err(OutOfOrder::Late(id));
        }
        let known = &mut self.known[id.index()];
        if (index, false) < known.floor {
            return Err(OutOfOrder::Early(id));
        }
        known.index = index;
        let mut state = state.clone();
        let unanswered = crate::history::Operation {
            returned: None,
            output: None,
            ..operation
        };
        if !self.model.apply(&mut state, &self.history, &unanswered) {
            return Err(OutOfOrder::Refused(id));
        }
        versions.states.push_back((index, state));
        Ok(())
    }

    /// The return of `id` at `time`. `asked_at`: for what changes nothing, the index of the last command that had taken effect when
    /// it was answered.
    ///
    /// # Errors
    ///
    /// When the order does not explain the answer.
    ///
    /// # Panics
    ///
    /// As [`History::complete`].
    pub fn complete(
        &mut self,
        id: OperationId,
        time: u64,
        output: Output<Value<'_>>,
        asked_at: Option<u64>,
    ) -> Result<(), OutOfOrder> {
        self.history.complete(id, time, output);
        let known = self.known[id.index()];
        let operation = self.history.operation(id);
        let versions = self.keys.get_mut(&operation.op.key()).expect("it was called");
        versions.pass(time);
        let place = match asked_at {
            Some(index) => (index, true),
            None if known.index > 0 => (known.index, false),
            None => return Err(OutOfOrder::Missing(id)),
        };
        if place < known.floor {
            return Err(OutOfOrder::Early(id));
        }
        let found = versions.states.partition_point(|&(index, _)| (index, false) < place);
        let (_, state) = found
            .checked_sub(1)
            .and_then(|before| versions.states.get(before))
            .ok_or(OutOfOrder::Early(id))?;
        if !self.model.apply(&mut state.clone(), &self.history, &operation) {
            return Err(OutOfOrder::Refused(id));
        }
        versions.latest.1 = versions.latest.1.max(place);
        versions.close(id, &self.known);
        Ok(())
    }

    /// `id` will never return; it may still take effect.
    pub fn lose(&mut self, id: OperationId) {
        let key = self.history.operation(id).op.key();
        let versions = self.keys.get_mut(&key).expect("it was called");
        versions.close(id, &self.known);
    }
}

impl<S> Versions<S> {
    /// It is `time`: what returned before has returned.
    fn pass(&mut self, time: u64) {
        if time > self.latest.0 {
            self.floor = self.floor.max(self.latest.1);
            self.latest.0 = time;
        }
    }

    /// `id` is no longer in flight; states that nobody in flight can have found are dropped.
    fn close(&mut self, id: OperationId, known: &[Known]) {
        self.open.retain(|&other| other != id);
        let oldest = |id: &OperationId| {
            let Known { floor, index } = known[id.index()];
            if index > 0 { index - 1 } else { floor.0 }
        };
        let needed = self.open.iter().map(oldest).min().unwrap_or(u64::MAX);
        // One called from now on finds at least what has been seen.
        let needed = needed.min(self.floor.0);
        while self.states.get(1).is_some_and(|&(index, _)| index <= needed) {
            self.states.pop_front();
        }
    }
}
