//! One operation of a history: what a client asked, when, and what it was told; and the same in words.

use std::fmt;

use super::{Atom, History, Op, Output, Value};

/// Names an operation of one [`History`]: its index in [`History::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(u32);

impl OperationId {
    pub(crate) fn new(index: usize) -> Option<Self> {
        if index >= super::OPERATIONS_MAX {
            None
        } else {
            u32::try_from(index).ok().map(OperationId)
        }
    }

    /// Index in [`History::operations`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {}", self.0)
    }
}

/// One operation of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who asked. A client has one operation in flight at a time.
    pub client: u32,
    /// When it was called.
    pub call: u64,
    /// When it returned, at or after `call`; `None` when the outcome is unknown for ever.
    pub returned: Option<u64>,
    /// What was asked.
    pub op: Op<Atom>,
    /// What was answered: `Some` exactly when `returned` is.
    pub output: Option<Output<Atom>>,
}

pub(super) fn describe(history: &History, operation: &Operation) -> String {
    let value = |atom| history.value(atom);
    let key = match value(operation.op.key()) {
        Value::Null => String::new(),
        key => format!(" {key}"),
    };
    let mut asked = format!("{}{key}", operation.op.name());
    let separator = if matches!(operation.op, Op::Cas { .. } | Op::Transition { .. }) {
        " -> "
    } else {
        " "
    };
    for (index, argument) in operation.op.arguments().enumerate() {
        asked.push_str(if index == 0 { " " } else { separator });
        asked.push_str(&value(argument).to_string());
    }
    match operation.output {
        Some(Output::Value(answer)) => format!("{asked} -> {}", value(answer)),
        Some(Output::Ok) => asked,
        Some(Output::Done(done)) => {
            let answer = match (operation.op, done) {
                (Op::Contains { .. }, true) => "yes",
                (Op::Contains { .. }, false) => "no",
                (_, true) => "ok",
                (_, false) => "refused",
            };
            format!("{asked}: {answer}")
        }
        None => format!("{asked} (outcome unknown)"),
    }
}
