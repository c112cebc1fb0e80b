//! The models by their names: what there is, which of them a history fits, and how to use one that is known by name only.

use super::{
    AppendList, Bank, CasRegister, Collection, Counter, EventLog, KeyValue, Lock, Model, Mutex, Orders, Register, Set,
    Transactions,
};
use crate::history::{Atom, History, Op, OperationId, Output, OwnedValue};

/// A model as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// The name to pass.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Whether an initial value can be given.
    pub has_initial: bool,
}

const fn row(name: &'static str, about: &'static str) -> ModelInfo {
    ModelInfo {
        name,
        about,
        has_initial: false,
    }
}

const fn row_with_initial(name: &'static str, about: &'static str) -> ModelInfo {
    ModelInfo {
        name,
        about,
        has_initial: true,
    }
}

/// Every model, in alphabetical order.
pub const MODELS: &[ModelInfo] = &[
    row("append-list", "a list that grows at its end: append, read"),
    row_with_initial(
        "bank",
        "accounts whose total never changes: read, transfer, and sagas: reserve, confirm, cancel; --initial lists the balances",
    ),
    row_with_initial(
        "cas-register",
        "one register per key: read, write, compare-and-set; starts as null or --initial",
    ),
    row("counter", "additions and their sum: add, read; starts at 0"),
    row(
        "event-log",
        "records with offsets, none missing, twice or out of order: append, fetch, read",
    ),
    row(
        "kv",
        "a map of texts: read, write, append, compare-and-set, delete; an absent key reads \"\"",
    ),
    row("lock", "a lock with fencing tokens 1, 2, 3, …: acquire, release, guard"),
    row("mutex", "a lock without tokens: acquire, release"),
    row_with_initial(
        "orders",
        "an order that moves along a table of legal transitions: transition, read; starts as null or --initial",
    ),
    row("priority-queue", "the least integer leaves first: insert, pop-min"),
    row("queue", "first in, first out: enqueue, dequeue"),
    row_with_initial(
        "register",
        "one register per key: read, write; starts as null or --initial",
    ),
    row("set", "a set: add, remove, contains, read"),
    row("stack", "last in, first out: push, pop"),
    row_with_initial(
        "transactions",
        "registers and lists that transactions read, write and append to together: txn; at any level of isolation (--consistency); --initial \
         lists registers",
    ),
];

/// The model called `name`.
pub fn find(name: &str) -> Option<&'static ModelInfo> {
    MODELS.iter().find(|model| model.name == name)
}

/// Why a model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No model has this name.
    #[error("no model is called {name:?}; there are {}", names())]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// An initial value for a model that has none.
    #[error(
        "the model {model} takes no initial value; leave it out, or choose one of {}",
        names_with_initial()
    )]
    NoInitial {
        /// The model.
        model: &'static str,
    },
    /// An initial value that the model cannot begin with, or none where it needs one.
    #[error("the model {model} cannot begin so: {what}; write --initial '[[\"a\",100],[\"b\",100]]', say")]
    BadInitial {
        /// The model.
        model: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

fn names() -> String {
    MODELS.iter().map(|model| model.name).collect::<Vec<_>>().join(", ")
}

fn names_with_initial() -> String {
    let with = MODELS.iter().filter(|model| model.has_initial);
    with.map(|model| model.name).collect::<Vec<_>>().join(", ")
}

/// What is done with a model whose type only [`visit`] knows.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Is called once, with the model.
    fn visit<M: Model>(self, model: &M) -> Self::Output;
}

/// Hands the model called `name`, which begins as `initial`, to `visitor`.
///
/// # Errors
///
/// When there is no such model, or it cannot begin so.
pub fn visit<V: Visitor>(name: &str, initial: Option<&OwnedValue>, visitor: V) -> Result<V::Output, ModelError> {
    let info = find(name).ok_or_else(|| ModelError::Unknown { name: name.to_owned() })?;
    if initial.is_some() && !info.has_initial {
        return Err(ModelError::NoInitial { model: info.name });
    }
    let given = || initial.cloned().unwrap_or_default();
    let bank = || {
        let model = Bank::new(&given());
        model.map_err(|what| ModelError::BadInitial { model: info.name, what })
    };
    Ok(match info.name {
        "append-list" => visitor.visit(&AppendList),
        "bank" => visitor.visit(&bank()?),
        "cas-register" => visitor.visit(&CasRegister { initial: given() }),
        "counter" => visitor.visit(&Counter),
        "event-log" => visitor.visit(&EventLog),
        "kv" => visitor.visit(&KeyValue),
        "lock" => visitor.visit(&Lock),
        "mutex" => visitor.visit(&Mutex),
        "orders" => visitor.visit(&Orders {
            initial: given(),
            ..Orders::default()
        }),
        "priority-queue" => visitor.visit(&Collection::PriorityQueue),
        "queue" => visitor.visit(&Collection::Queue),
        "register" => visitor.visit(&Register { initial: given() }),
        "set" => visitor.visit(&Set),
        "stack" => visitor.visit(&Collection::Stack),
        "transactions" => {
            let model = Transactions::new(&given());
            let model = model.map_err(|what| ModelError::BadInitial { model: info.name, what })?;
            visitor.visit(&model)
        }
        other => unreachable!("{other} is in the table of models"),
    })
}

/// The order in which [`guess`] tries the models: the narrower first.
const GUESSES: &[&str] = &[
    "register",
    "cas-register",
    "kv",
    "append-list",
    "event-log",
    "counter",
    "set",
    "queue",
    "stack",
    "priority-queue",
    "transactions",
    "bank",
    "lock",
    "mutex",
    "orders",
];

/// The first model that every operation of `history` fits, the narrower tried first. A history of reads and writes in which
/// something reads as the empty text without its having been written is one of a map of texts.
pub fn guess(history: &History) -> Option<&'static ModelInfo> {
    let is_map = reads_empty_unwritten(history);
    let fits = |name: &&str| !(is_map && name.ends_with("register")) && fits(history, name);
    GUESSES.iter().copied().find(|name| fits(name)).and_then(find)
}

fn reads_empty_unwritten(history: &History) -> bool {
    let empty = history.atom("".into());
    let is_written = |op: Op<Atom>| match op {
        Op::Write { value, .. } | Op::Cas { to: value, .. } => Some(value) == empty,
        _ => false,
    };
    let mut operations = history.operations();
    operations.clone().any(|operation| {
        operation
            .output
            .is_some_and(|output| Some(output) == empty.map(Output::Value))
    }) && !operations.any(|operation| is_written(operation.op))
}

fn fits(history: &History, name: &str) -> bool {
    struct Fits<'h>(&'h History);
    impl Visitor for Fits<'_> {
        type Output = bool;
        fn visit<M: Model>(self, model: &M) -> bool {
            let all: Vec<OperationId> = self.0.ids().collect();
            model.compile(self.0, &all, &|_| true).is_ok()
        }
    }
    // Which accounts there are does not matter to what fits.
    let initial = (name == "bank").then(|| OwnedValue::List(Vec::new()));
    visit(name, initial.as_ref(), Fits(history)).is_ok_and(|fits| fits)
}
