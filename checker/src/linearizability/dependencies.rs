//! Transactions by what their answers show of each other: an order of all that is known to depend on something, or a cycle.
//!
//! Owns the way from a partition to [`transactions`](crate::transactions) and back; exact where each value is written once.

use super::lower::{Lowered, Moment, NEVER, Timed, by_call, known_at};
use super::portfolio::{Contradiction, Decision};
use crate::history::{History, Operation, OperationId, OwnedValue};
use crate::models::{Sequential, Transactions};
use crate::transactions::strict_order;

/// The transactions of one database by call.
pub(super) struct Dependencies<'h> {
    history: &'h History,
    ids: &'h [OperationId],
    initial: &'h [(OwnedValue, OwnedValue)],
    ops: Vec<Timed<()>>,
    known: Vec<(OperationId, Operation)>,
}

impl Lowered for Dependencies<'_> {
    type What = ();

    fn ops(&self) -> &[Timed<()>] {
        &self.ops
    }
}

impl<'h> Dependencies<'h> {
    /// The transactions `ids`, ascending, as they were known at `until`; `None` when one of them is no transaction.
    pub(super) fn new(
        history: &'h History,
        initial: &'h [(OwnedValue, OwnedValue)],
        ids: &'h [OperationId],
        until: Option<Moment>,
    ) -> Option<Self> {
        let (mut ops, mut known) = (Vec::new(), Vec::new());
        for (at, &id) in ids.iter().enumerate() {
            let operation = history.operation(id);
            if Transactions::default()
                .misfit(history, operation.op, operation.output)
                .is_some()
            {
                return None;
            }
            if let Some(operation) = known_at(operation, at, until) {
                ops.push(Timed::new(&operation, at, ())?);
                known.push((id, operation));
            }
        }
        Some(Dependencies {
            history,
            ids,
            initial,
            ops: by_call(ops),
            known,
        })
    }

    /// Decides with at most `steps` steps of search.
    pub(super) fn decide(&self, steps: u64) -> Decision {
        let place = |id: OperationId| self.ids.binary_search(&id).expect("one of the partition") as u32;
        match strict_order(self.history, self.initial, self.known.iter().copied(), steps) {
            None => Decision::Undecided,
            Some(Ok(order)) => Decision::Order(order.into_iter().map(place).collect()),
            Some(Err(ids)) => {
                let returned = |id: OperationId| {
                    let known = self.known.iter().find(|(known, _)| *known == id);
                    known
                        .and_then(|(_, operation)| operation.returned)
                        .map(|returned| returned + 1)
                };
                let mut contradiction = Contradiction::default();
                for id in ids {
                    contradiction.add(place(id), returned(id).unwrap_or(NEVER));
                }
                if !contradiction.has_returned() {
                    contradiction = Contradiction::everything();
                    let returned = self.ops.iter().filter(|op| op.returned != NEVER);
                    returned.for_each(|op| contradiction.add(op.at, op.returned));
                }
                Decision::Impossible(contradiction)
            }
        }
    }
}
