//! Transactions over several registers and lists, each at one moment: strict serialisability (Papadimitriou 1979; with real time,
//! linearizability of the database as one object, Herlihy and Wing 1990, section 3.3).
//!
//! Weaker levels of isolation are in [`crate::transactions`].

use std::collections::BTreeMap;

use super::{Kind, Sequential};
use crate::history::{Atom, History, Op, Output, OwnedValue, Value};

/// A database of registers and lists. A transaction is a list of `["r", register]`, `["w", register, value]` and
/// `["append", register, item]`; the answer lists what its reads returned, in their order. One that was aborted changed nothing. A register
/// that was never written reads as null, and as the empty list; what is appended to something that is no list makes one of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transactions {
    initial: BTreeMap<OwnedValue, OwnedValue>,
}

/// What a register holds that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    /// A value that was written.
    Value(Atom),
    /// Items that were appended to what was there.
    List {
        /// Whether the items of the register's initial value come before.
        after_initial: bool,
        /// The items.
        items: Vec<Atom>,
    },
}

/// A step of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read(Atom),
    Write(Atom, Atom),
    Append(Atom, Atom),
}

/// The steps of a transaction; `None` when `value` is no list of them.
pub(crate) fn accesses(history: &History, value: Atom) -> Option<Vec<Access>> {
    let list = |atom| match atom {
        Atom::List(list) => Some(history.list(list)),
        Atom::Null | Atom::Integer(_) | Atom::Text(_) => None,
    };
    let access = |&item: &Atom| match *list(item)? {
        [name, register] if history.value(name) == Value::Text("r") => Some(Access::Read(register)),
        [name, register, value] if history.value(name) == Value::Text("w") => Some(Access::Write(register, value)),
        [name, register, value] if history.value(name) == Value::Text("append") => {
            Some(Access::Append(register, value))
        }
        _ => None,
    };
    list(value)?.iter().map(access).collect()
}

impl Transactions {
    /// The database whose registers `initial` lists as `[[register, value], …]`.
    ///
    /// # Errors
    ///
    /// When it is no such list, or names a register twice.
    pub fn new(initial: &OwnedValue) -> Result<Self, &'static str> {
        const WHAT: &str = "the registers of a database are a list [[register, value], …], each register once";
        let OwnedValue::List(pairs) = initial else {
            return if *initial == OwnedValue::Null {
                Ok(Self::default())
            } else {
                Err(WHAT)
            };
        };
        let mut registers = BTreeMap::new();
        for pair in pairs {
            let OwnedValue::List(pair) = pair else { return Err(WHAT) };
            let [register, value] = &pair[..] else { return Err(WHAT) };
            if registers.insert(register.clone(), value.clone()).is_some() {
                return Err(WHAT);
            }
        }
        Ok(Transactions { initial: registers })
    }

    fn initially(&self, history: &History, register: Atom) -> Value<'_> {
        if self.initial.is_empty() {
            return Value::Null;
        }
        let register = OwnedValue::from(history.value(register));
        self.initial.get(&register).map_or(Value::Null, OwnedValue::as_value)
    }

    /// Whether a read of `register` that finds `held` may return `read`.
    fn may_read(&self, history: &History, register: Atom, held: Option<&Held>, read: Atom) -> bool {
        let is_empty = |value: Value<'_>| match value {
            Value::Null => true,
            Value::List(items) => items.is_empty(),
            Value::Integer(_) | Value::Text(_) => false,
        };
        let read_value = history.value(read);
        match held {
            Some(&Held::Value(value)) => value == read || is_empty(history.value(value)) && is_empty(read_value),
            None => {
                let initial = self.initially(history, register);
                initial == read_value || is_empty(initial) && is_empty(read_value)
            }
            Some(Held::List { after_initial, items }) => {
                let Atom::List(list) = read else { return false };
                let list = history.list(list);
                let before = match self.initially(history, register) {
                    Value::List(initial) if *after_initial => initial.len(),
                    _ => 0,
                };
                list.len() == before + items.len()
                    && list[before..] == **items
                    && list[..before]
                        .iter()
                        .enumerate()
                        .all(|(place, &item)| match self.initially(history, register) {
                            Value::List(initial) => initial.get(place) == Some(history.value(item)),
                            _ => false,
                        })
            }
        }
    }
}

impl Sequential for Transactions {
    /// The registers that were changed.
    type State = BTreeMap<Atom, Held>;

    fn name(&self) -> &'static str {
        "transactions"
    }

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn misfit(&self, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        let Op::Txn { value, .. } = op else {
            return Some("a database of registers has txn");
        };
        let Some(accesses) = accesses(history, value) else {
            return Some(
                "a transaction is a list of [\"r\", register], [\"w\", register, value] and [\"append\", register, item]",
            );
        };
        let reads = accesses
            .iter()
            .filter(|access| matches!(access, Access::Read(_)))
            .count();
        match output {
            Some(Output::Value(Atom::List(read))) if history.list(read).len() == reads => None,
            Some(Output::Done(false)) | None => None,
            Some(_) => Some("the answer lists one value for each read of the transaction, or is `\"ok\":false`"),
        }
    }

    fn apply(&self, state: &mut Self::State, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let Op::Txn { value, .. } = op else { return false };
        let mut read = match output {
            Some(Output::Value(Atom::List(list))) => Some(history.list(list).iter()),
            Some(Output::Done(false)) => return true,
            _ => None,
        };
        for access in accesses(history, value).unwrap_or_default() {
            match access {
                Access::Read(register) => {
                    let held = state.get(&register);
                    let is_right =
                        |read: Option<&Atom>| read.is_some_and(|&read| self.may_read(history, register, held, read));
                    if read.as_mut().is_some_and(|read| !is_right(read.next())) {
                        return false;
                    }
                }
                Access::Write(register, Atom::Null) if self.initial.is_empty() => {
                    state.remove(&register);
                }
                Access::Write(register, value) => {
                    state.insert(register, Held::Value(value));
                }
                Access::Append(register, item) => {
                    let held = state.entry(register).or_insert(Held::List {
                        after_initial: true,
                        items: Vec::new(),
                    });
                    if let Held::Value(value) = *held {
                        *held = Held::List {
                            after_initial: false,
                            items: match value {
                                Atom::List(list) => history.list(list).to_vec(),
                                Atom::Null | Atom::Integer(_) | Atom::Text(_) => Vec::new(),
                            },
                        };
                    }
                    if let Held::List { items, .. } = held {
                        items.push(item);
                    }
                }
            }
        }
        true
    }

    fn kind(&self) -> Kind {
        Kind::Transactions
    }

    fn registers(&self) -> Vec<(OwnedValue, OwnedValue)> {
        let registers = self.initial.iter();
        registers
            .map(|(register, value)| (register.clone(), value.clone()))
            .collect()
    }

    fn show(&self, state: &Self::State, history: &History) -> String {
        let shown = |held: &Held| match held {
            Held::Value(value) => history.value(*value).to_string(),
            Held::List { items, .. } => {
                let items: Vec<Value<'_>> = items.iter().map(|&item| history.value(item)).collect();
                Value::from(&items[..]).to_string()
            }
        };
        let registers = state
            .iter()
            .map(|(&register, held)| format!("{} = {}", history.value(register), shown(held)));
        super::joined(registers)
    }
}
