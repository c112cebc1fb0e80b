//! Sequential specifications: what one client alone would see.
//!
//! [`MODELS`] lists them. A model describes one object; the key of an operation names the object, and each is checked alone.
//!
//! A register and a map of texts say everything twice, on purpose. [`Model::apply`] is the specification: a few lines over plain
//! values, written to be read, and what every witness is replayed against. [`Model::compile`] turns one partition of a history
//! into a [`Specification`] over compact states, which is what the search runs on; the two share no code, and the tests hold
//! one against the other. All other models are [`Sequential`]: the specification alone, searched on its own states.

mod action;
mod append_list;
mod bank;
mod cell;
mod collections;
mod counter;
mod event_log;
mod kv;
mod lock;
mod mutex;
mod orders;
mod register;
mod registry;
mod sequential;
mod set;
mod transactions;

#[cfg(test)]
mod tests;

use std::hash::Hash;

use crate::history::{Atom, History, Operation, OperationId, OwnedValue, Value};

pub use action::{Action, Kind};
pub use append_list::AppendList;
pub use bank::{Bank, BankState, Transfer};
pub use cell::{Cell, CellState, CellStep};
pub use collections::Collection;
pub use counter::Counter;
pub use event_log::EventLog;
pub use kv::KeyValue;
pub use lock::{Lock, LockState};
pub use mutex::Mutex;
pub use orders::Orders;
pub use register::{CasRegister, Register};
pub use registry::{MODELS, ModelError, ModelInfo, Visitor, find, guess, visit};
pub use sequential::{Direct, Sequential};
pub use set::Set;
pub use transactions::Transactions;
pub(crate) use transactions::{Access, accesses};

/// The items of a state in words.
fn shown(history: &History, atoms: impl ExactSizeIterator<Item = Atom>) -> String {
    let items: Vec<Value<'_>> = atoms.map(|atom| history.value(atom)).collect();
    Value::from(&items[..]).to_string()
}

/// The parts of a state in words, between braces.
fn joined(parts: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", parts.collect::<Vec<String>>().join(", "))
}

/// A sequential specification over the operations of a history, written independently of any system.
///
/// A model describes *one partition*: operations with different keys never influence each other, so each key is checked
/// alone (Herlihy and Wing 1990, section 3: linearizability is local).
pub trait Model {
    /// The name in [`MODELS`], or the implementor's own.
    fn name(&self) -> &'static str;

    /// The state of one key as the specification sees it.
    type State: Clone + Eq;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// Carries `operation` out on `state`. `false` when its recorded output cannot be given in `state`; `state` is then
    /// unspecified. An operation without output may have had any.
    fn apply(&self, state: &mut Self::State, history: &History, operation: &Operation) -> bool;

    /// The state in words, for a report.
    fn show(&self, state: &Self::State, history: &History) -> String;

    /// What is plainly wrong with the answer of `operation`, which no order explains, in a sentence: of a bank that its total has changed.
    /// `called`: all operations of the key that had been called, as far as they were known. `None` when there is nothing to add.
    fn remark(
        &self,
        history: &History,
        operation: &Operation,
        called: &mut dyn Iterator<Item = Operation>,
    ) -> Option<String> {
        let _ = (history, operation, called);
        None
    }

    /// The data type of a partition, where one of the fast methods knows it; [`Kind::Other`] leaves it to the general search.
    fn kind(&self, history: &History) -> Kind {
        let _ = history;
        Kind::Other
    }

    /// `operation` as one of the data type that [`kind`](Self::kind) names; `None` when it is none of its operations, or does
    /// not fit the model: the general search then takes the partition, or says what does not fit.
    fn action<'h>(&self, history: &'h History, operation: &Operation) -> Option<Action<'h>> {
        let _ = (history, operation);
        None
    }

    /// What the registers of a database hold at the start, where [`kind`](Self::kind) says that it is one.
    fn registers(&self) -> Vec<(OwnedValue, OwnedValue)> {
        Vec::new()
    }

    /// The compact form that the search runs on.
    type Compact<'h>: Specification;

    /// Compiles the operations of one key.
    ///
    /// `counts` tells whether the answer of an operation counts. One whose answer does not may compile to any step that allows
    /// at least what the operation might have done; so a compact form can forget what nobody asks for.
    ///
    /// # Errors
    ///
    /// When an operation, a value or an output does not fit the model.
    fn compile<'h>(
        &self,
        history: &'h History,
        partition: &[OperationId],
        counts: &dyn Fn(OperationId) -> bool,
    ) -> Result<Compiled<Self::Compact<'h>>, Misfit>;
}

/// One partition, ready to be searched.
#[derive(Clone, Debug)]
pub struct Compiled<S: Specification> {
    /// The specification of this partition.
    pub specification: S,
    /// One step for each operation of the partition, in the same order.
    pub steps: Vec<S::Step>,
}

/// A deterministic state machine over compiled operations.
///
/// It may merge states that no operation of its partition can tell apart: fewer states, smaller searches.
pub trait Specification {
    /// A state; cheap to clone, to compare and to hash.
    type State: Clone + Eq + Hash;
    /// One operation with its recorded output. Equal steps are interchangeable.
    type Step: Clone + Eq + Hash;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state after `step` in `state`, or `None` when its recorded output cannot be given there.
    fn step(&self, state: &Self::State, step: &Self::Step) -> Option<Self::State>;

    /// A state that stands for every value which no operation of the partition asks for, if there is such a state. What was left
    /// out of a partition can then be stood for by operations that lead there.
    fn elsewhere(&self) -> Option<Self::State> {
        None
    }

    /// Whether `step` leaves every state as it is. Without an output it then says nothing at all.
    fn is_read_only(&self, step: &Self::Step) -> bool;
}

/// An operation that a model cannot mean.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{id} (`{described}` by client {client}, called at {at}) does not fit the model {model}: {what}; choose another model (`squall list models`) or \
     correct the history"
)]
pub struct Misfit {
    /// Which operation.
    pub id: OperationId,
    /// The operation in words.
    pub described: String,
    /// Who asked.
    pub client: u32,
    /// When.
    pub call: u64,
    /// The same in words.
    at: String,
    /// The model.
    pub model: &'static str,
    /// What does not fit.
    pub what: &'static str,
}

impl Misfit {
    /// The misfit of operation `id` of `history`.
    pub fn new(history: &History, id: OperationId, model: &'static str, what: &'static str) -> Self {
        let operation = history.operation(id);
        Misfit {
            id,
            described: history.describe(id),
            client: operation.client,
            call: operation.call,
            at: history.clock().time(operation.call),
            model,
            what,
        }
    }
}
