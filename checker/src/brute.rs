//! Every order of a few operations, carried out on the plain specification: the judge of the judges.
//!
//! Owns the definition of linearizability as one would write it on a blackboard, without a single short cut that would have to
//! be argued for. It takes time that grows with the factorial of the operations: for tests, and for the few operations of a core.

use crate::history::{History, OperationId};
use crate::models::Model;

/// Most operations of one key that [`is_linearizable`] takes on.
pub const OPERATIONS_MAX: usize = 12;

/// Whether some order of the operations of each key, all completed ones and any of the others, respects real time and is one
/// that `model` can carry out.
///
/// # Panics
///
/// When a key has more than [`OPERATIONS_MAX`] operations.
pub fn is_linearizable<M: Model>(history: &History, model: &M) -> bool {
    let mut keys: Vec<_> = history.operations().map(|operation| operation.op.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().all(|key| {
        let rest: Vec<OperationId> = history
            .ids()
            .filter(|&id| history.operation(id).op.key() == key)
            .collect();
        assert!(
            rest.len() <= OPERATIONS_MAX,
            "{} operations have too many orders to try them all",
            rest.len()
        );
        has_order(history, model, &rest, &model.initial())
    })
}

/// Whether the operations of `rest` have an order that begins in `state`.
fn has_order<M: Model>(history: &History, model: &M, rest: &[OperationId], state: &M::State) -> bool {
    let returned = |id: OperationId| history.operation(id).returned;
    if rest.iter().all(|&id| returned(id).is_none()) {
        return true;
    }
    rest.iter().any(|&next| {
        let operation = history.operation(next);
        let precedes = |&other: &OperationId| returned(other).is_some_and(|returned| returned < operation.call);
        let mut after = state.clone();
        if rest.iter().any(precedes) || !model.apply(&mut after, history, &operation) {
            return false;
        }
        let rest: Vec<OperationId> = rest.iter().copied().filter(|&id| id != next).collect();
        has_order(history, model, &rest, &after)
    })
}
