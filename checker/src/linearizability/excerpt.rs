//! The part of a history that a question is about, as it was known at one moment.
//!
//! Owns the cut: an operation that had not returned by then has no outcome, whatever it was told later, and one that had not been
//! called is not there. So nothing that is said of a moment rests on what came after it. And owns the copy: a question about few
//! operations of a long history is asked of a short one.

use crate::history::{History, Op, Operation, OperationId};

/// The moment at which `stuck` returned. Operations that returned at the same time are taken in the order of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    end: u64,
    stuck: OperationId,
}

impl Cut {
    /// The return of `stuck`, which has returned.
    pub(super) fn at(history: &History, stuck: OperationId) -> Self {
        Cut {
            end: history
                .returned(stuck)
                .expect("an operation that is stuck has returned"),
            stuck,
        }
    }

    /// The time.
    pub(super) fn end(self) -> u64 {
        self.end
    }

    /// Whether `id` had been called.
    pub(super) fn was_called(self, history: &History, id: OperationId) -> bool {
        history.call(id) <= self.end
    }

    /// `operation`, called `id`, as far as it was known.
    pub(super) fn known(self, operation: Operation, id: OperationId) -> Operation {
        self.known_if(operation, |returned| (returned, id) <= (self.end, self.stuck))
    }

    /// As [`known`](Self::known), just before the cut.
    pub(super) fn known_before(self, operation: Operation, id: OperationId) -> Operation {
        self.known_if(operation, |returned| (returned, id) < (self.end, self.stuck))
    }

    fn known_if(self, operation: Operation, is_known: impl Fn(u64) -> bool) -> Operation {
        if operation.returned.is_some_and(is_known) {
            return operation;
        }
        Operation {
            returned: None,
            output: None,
            ..operation
        }
    }
}

/// `operation` *set free*: its answer does not count, and a compare-and-set writes whatever it found.
pub(super) fn set_free(operation: Operation) -> Operation {
    let op = match operation.op {
        Op::Cas { key, to, .. } => Op::Write { key, value: to },
        op => op,
    };
    Operation {
        op,
        output: None,
        ..operation
    }
}

/// Some operations of a history as they were known at a cut: a history of their own.
pub(super) struct Excerpt {
    /// The copy. Its operations are in the order of `of`.
    pub(super) history: History,
    /// Their names in the whole history; ascending.
    pub(super) of: Vec<OperationId>,
}

impl Excerpt {
    /// The operations `ids`, ascending, which had been called by `cut`.
    pub(super) fn new(history: &History, ids: Vec<OperationId>, cut: Cut) -> Self {
        let mut copy = History::new();
        for &id in &ids {
            let Operation {
                client,
                call,
                returned,
                op,
                output,
            } = cut.known(history.operation(id), id);
            let id = copy.invoke(client, call, op.map(|atom| history.value(atom)));
            if let Some((returned, output)) = returned.zip(output) {
                copy.complete(id, returned, output.map(|atom| history.value(atom)));
            }
        }
        Excerpt { history: copy, of: ids }
    }

    /// The operation at `place`.
    pub(super) fn operation(&self, place: usize) -> Operation {
        self.history.operation(self.id(place))
    }

    /// The name of the operation at `place` within the copy.
    pub(super) fn id(&self, place: usize) -> OperationId {
        self.history.id(place).expect("a place among the operations")
    }

    /// The place of the operation that the whole history calls `id`.
    pub(super) fn place(&self, id: OperationId) -> Option<usize> {
        self.of.binary_search(&id).ok()
    }
}
