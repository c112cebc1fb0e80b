//! The proof of a *linearizable*: an order of the operations, and the few lines that verify it without the search.

use super::bits::Bits;
use crate::history::{Atom, History, OperationId};
use crate::models::Model;

/// For each key an order of its operations that the model can carry out and that respects real time. Operations of unknown
/// outcome that need not have happened are left out.
///
/// One order for all keys follows (Herlihy and Wing 1990, theorem 1: linearizability is local).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    operations: Vec<OperationId>,
    /// End of each key's order in `operations`.
    ends: Vec<usize>,
}

/// What is wrong with a witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// The model cannot give the recorded answer.
    #[error("{id} cannot have been answered so at its place in the order")]
    Refused {
        /// The operation.
        id: OperationId,
    },
    /// An operation is placed after one that was called when it had returned.
    #[error("{id} had returned before an operation ahead of it in the order was called")]
    Late {
        /// The operation.
        id: OperationId,
    },
    /// An operation of two keys in one order, or one placed twice.
    #[error("{id} is placed twice, or among operations of another key")]
    Misplaced {
        /// The operation.
        id: OperationId,
    },
    /// A completed operation is not placed.
    #[error("{id} completed and is not in the order")]
    Missing {
        /// The operation.
        id: OperationId,
    },
}

impl Witness {
    /// Adds the order of one key.
    pub(super) fn push_order(&mut self, order: Vec<OperationId>) {
        if self.operations.is_empty() {
            self.operations = order;
        } else {
            self.operations.extend(order);
        }
        self.ends.push(self.operations.len());
    }

    /// `order`, which may mix keys, as orders of `keys` keys; `key` tells which one an operation is of.
    pub(super) fn split(order: &[OperationId], keys: usize, key: impl Fn(OperationId) -> usize) -> Self {
        let mut ends = vec![0; keys];
        order.iter().for_each(|&id| ends[key(id)] += 1);
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        let mut operations = order.to_vec();
        for &id in order {
            let end = &mut ends[key(id)];
            operations[*end] = id;
            *end += 1;
        }
        Witness { operations, ends }
    }

    /// A witness of these orders, one for each key: of a file, say. [`verify`](Self::verify) tells what it is worth.
    pub fn from_orders(orders: impl IntoIterator<Item = Vec<OperationId>>) -> Self {
        let mut witness = Witness::default();
        for order in orders {
            witness.push_order(order);
        }
        witness
    }

    /// The order of each key.
    pub fn orders(&self) -> impl Iterator<Item = &[OperationId]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.operations[start..end])
    }

    /// Replays every order against the model, and holds it against real time: linear in the number of operations.
    ///
    /// # Errors
    ///
    /// At the first operation that is out of place.
    pub fn verify<M: Model>(&self, history: &History, model: &M) -> Result<(), WitnessError> {
        let mut replay = Replay::new(history, model);
        self.orders().try_for_each(|order| replay.order(order))?;
        replay.finish()
    }
}

/// Operations that are brought together to be replayed.
const STRETCH: usize = 1 << 10;

/// A witness on its way through the verifier, key by key.
pub(super) struct Replay<'a, M> {
    history: &'a History,
    model: &'a M,
    /// Which operations had their place.
    placed: Box<[u64]>,
    /// Each key, with its first operation.
    keys: Vec<(Atom, OperationId)>,
}

impl<'a, M: Model> Replay<'a, M> {
    pub(super) fn new(history: &'a History, model: &'a M) -> Self {
        Replay {
            history,
            model,
            placed: Bits::empty(history.len()),
            keys: Vec::new(),
        }
    }

    /// Replays `order`, that of one key.
    pub(super) fn order(&mut self, order: &[OperationId]) -> Result<(), WitnessError> {
        let Some(&first) = order.first() else { return Ok(()) };
        let key = self.history.operation(first).op.key();
        self.keys.push((key, first));
        let mut state = self.model.initial();
        let mut latest_call = 0;
        for stretch in order.chunks(STRETCH) {
            let run = self.history.run(stretch);
            for (at, &id) in stretch.iter().enumerate() {
                let operation = run.get(at);
                if self.placed.contains(id.index() as u32) || operation.op.key() != key {
                    return Err(WitnessError::Misplaced { id });
                }
                self.placed.insert(id.index() as u32);
                latest_call = operation.call.max(latest_call);
                if operation.returned.is_some_and(|returned| returned < latest_call) {
                    return Err(WitnessError::Late { id });
                }
                if !self.model.apply(&mut state, self.history, &operation) {
                    return Err(WitnessError::Refused { id });
                }
            }
        }
        Ok(())
    }

    /// What only all orders together can tell: that each key has one, and that nothing is missing.
    pub(super) fn finish(mut self) -> Result<(), WitnessError> {
        self.keys.sort_unstable();
        if let Some(pair) = self.keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(WitnessError::Misplaced { id: pair[1].1 });
        }
        let is_missing =
            |id: &OperationId| !self.placed.contains(id.index() as u32) && self.history.returned(*id).is_some();
        match self.history.ids().find(is_missing) {
            Some(id) => Err(WitnessError::Missing { id }),
            None => Ok(()),
        }
    }
}
