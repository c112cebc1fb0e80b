//! The proof of a *linearizable*: an order of the operations, and the few lines that verify it without the search.

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

    /// Replays every order against the model, and holds it against real time: linear in the number of operations. All orders
    /// side by side, a stretch of the history at a time, so that each operation is at hand.
    ///
    /// # Errors
    ///
    /// At the first operation that is out of place.
    pub fn verify<M: Model>(&self, history: &History, model: &M) -> Result<(), WitnessError> {
        let mut placed = vec![false; history.len()];
        let mut replays: Vec<Replay<'_, M>> = self.orders().filter_map(|order| Replay::new(history, model, order)).collect();
        replays.sort_unstable_by_key(|replay| replay.key);
        if let Some(pair) = replays.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(WitnessError::Misplaced { id: pair[1].order[0] });
        }
        let mut end = 0;
        while end < history.len() {
            end = if replays.len() > 1 { end + STRETCH } else { history.len() };
            for replay in &mut replays {
                replay.until(end, &mut placed)?;
            }
        }
        let is_missing = |id: &OperationId| !placed[id.index()] && history.returned(*id).is_some();
        match history.ids().find(is_missing) {
            Some(id) => Err(WitnessError::Missing { id }),
            None => Ok(()),
        }
    }
}

/// Operations that are replayed together.
const STRETCH: usize = 1 << 13;

/// The order of one key on its way through the verifier.
struct Replay<'a, M: Model> {
    history: &'a History,
    model: &'a M,
    key: Atom,
    /// What is left of the order.
    order: &'a [OperationId],
    state: M::State,
    latest_call: u64,
}

impl<'a, M: Model> Replay<'a, M> {
    /// `None`: an order of nothing.
    fn new(history: &'a History, model: &'a M, order: &'a [OperationId]) -> Option<Self> {
        Some(Replay {
            history,
            model,
            key: history.operation(*order.first()?).op.key(),
            order,
            state: model.initial(),
            latest_call: 0,
        })
    }

    /// Goes on to the first operation that stands in the history at `end` or behind.
    fn until(&mut self, end: usize, placed: &mut [bool]) -> Result<(), WitnessError> {
        while let [id, rest @ ..] = self.order
            && id.index() < end
        {
            let (id, operation) = (*id, self.history.at_hand(*id));
            let twice = std::mem::replace(&mut placed[id.index()], true);
            if twice || operation.op.key() != self.key {
                return Err(WitnessError::Misplaced { id });
            }
            self.latest_call = operation.call.max(self.latest_call);
            if operation.returned.is_some_and(|returned| returned < self.latest_call) {
                return Err(WitnessError::Late { id });
            }
            if !self.model.apply(&mut self.state, self.history, &operation) {
                return Err(WitnessError::Refused { id });
            }
            self.order = rest;
        }
        Ok(())
    }
}
