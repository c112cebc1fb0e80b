//! One operation: what a client asked, when, and what it was told.
//!
//! Owns the closed list of operations that histories can hold. Which of them a model accepts, and what they do, is in
//! [`crate::models`].

use std::fmt;

use super::{Atom, History, Value};

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

/// What a client asked. `V` is [`Value`] on the way in and [`Atom`] inside a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op<V> {
    /// Return the value of `key`.
    Read {
        /// The key.
        key: V,
    },
    /// Set `key` to `value`.
    Write {
        /// The key.
        key: V,
        /// The new value.
        value: V,
    },
    /// Compare and set: set `key` to `to` if it holds `from`, and tell whether it did.
    Cas {
        /// The key.
        key: V,
        /// The value that `key` must hold.
        from: V,
        /// The new value.
        to: V,
    },
    /// Append `value` to the text of `key`.
    Append {
        /// The key.
        key: V,
        /// The text to append.
        value: V,
    },
}

impl<'a> Op<Value<'a>> {
    /// [`Op::Read`].
    pub fn read(key: impl Into<Value<'a>>) -> Self {
        Op::Read { key: key.into() }
    }

    /// [`Op::Write`].
    pub fn write(key: impl Into<Value<'a>>, value: impl Into<Value<'a>>) -> Self {
        Op::Write {
            key: key.into(),
            value: value.into(),
        }
    }

    /// [`Op::Cas`].
    pub fn cas(key: impl Into<Value<'a>>, from: impl Into<Value<'a>>, to: impl Into<Value<'a>>) -> Self {
        Op::Cas {
            key: key.into(),
            from: from.into(),
            to: to.into(),
        }
    }

    /// [`Op::Append`].
    pub fn append(key: impl Into<Value<'a>>, value: impl Into<Value<'a>>) -> Self {
        Op::Append {
            key: key.into(),
            value: value.into(),
        }
    }
}

impl<V: Copy> Op<V> {
    /// The key that the operation is about.
    pub fn key(&self) -> V {
        match *self {
            Op::Read { key } | Op::Write { key, .. } | Op::Cas { key, .. } | Op::Append { key, .. } => key,
        }
    }

    /// The values that the operation brings along, its key apart.
    pub(crate) fn values(&self) -> [Option<V>; 2] {
        match *self {
            Op::Read { .. } => [None, None],
            Op::Write { value, .. } | Op::Append { value, .. } => [Some(value), None],
            Op::Cas { from, to, .. } => [Some(from), Some(to)],
        }
    }

    pub(super) fn try_map<W>(self, mut map: impl FnMut(V) -> Option<W>) -> Option<Op<W>> {
        Some(match self {
            Op::Read { key } => Op::Read { key: map(key)? },
            Op::Write { key, value } => Op::Write {
                key: map(key)?,
                value: map(value)?,
            },
            Op::Cas { key, from, to } => Op::Cas {
                key: map(key)?,
                from: map(from)?,
                to: map(to)?,
            },
            Op::Append { key, value } => Op::Append {
                key: map(key)?,
                value: map(value)?,
            },
        })
    }
}

impl<V> Op<V> {
    /// The name of the operation in files and messages: `read`, `write`, `cas` or `append`.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Read { .. } => "read",
            Op::Write { .. } => "write",
            Op::Cas { .. } => "cas",
            Op::Append { .. } => "append",
        }
    }
}

/// What a client was told. `V` is [`Value`] on the way in and [`Atom`] inside a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output<V> {
    /// The value that a read returned.
    Value(V),
    /// A write or an append was done.
    Ok,
    /// A compare-and-set was done (`true`), or found another value (`false`).
    Cas(bool),
}

impl<'a> Output<Value<'a>> {
    /// [`Output::Value`]; `Output::value(Value::Null)` for a read that found nothing.
    pub fn value(value: impl Into<Value<'a>>) -> Self {
        Output::Value(value.into())
    }
}

impl<V> Output<V> {
    pub(super) fn try_map<W>(self, mut map: impl FnMut(V) -> Option<W>) -> Option<Output<W>> {
        Some(match self {
            Output::Value(value) => Output::Value(map(value)?),
            Output::Ok => Output::Ok,
            Output::Cas(done) => Output::Cas(done),
        })
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
    let asked = match operation.op {
        Op::Read { .. } => format!("read{key}"),
        Op::Write { value: written, .. } => format!("write{key} {}", value(written)),
        Op::Cas { from, to, .. } => format!("cas{key} {} -> {}", value(from), value(to)),
        Op::Append { value: appended, .. } => format!("append{key} {}", value(appended)),
    };
    match operation.output {
        Some(Output::Value(read)) => format!("{asked} -> {}", value(read)),
        Some(Output::Ok) => asked,
        Some(Output::Cas(true)) => format!("{asked}: ok"),
        Some(Output::Cas(false)) => format!("{asked}: refused"),
        None => format!("{asked} (outcome unknown)"),
    }
}
