//! Transactions over several registers, each at one moment: strict serialisability (Papadimitriou 1979; with real time,
//! linearizability of the database as one object, Herlihy and Wing 1990, section 3.3).

use std::collections::BTreeMap;

use super::Sequential;
use crate::history::{Atom, History, Op, Output, Value};

/// A database of registers that start as null. A transaction is a list of `["r", register]` and `["w", register, value]`;
/// the answer lists what its reads returned, in their order. One that was aborted changed nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transactions;

/// A read or a write within a transaction.
enum Access {
    Read(Atom),
    Write(Atom, Atom),
}

/// The accesses of a transaction; `None` when `value` is no list of them.
fn accesses(history: &History, value: Atom) -> Option<Vec<Access>> {
    let list = |atom| match atom {
        Atom::List(list) => Some(history.list(list)),
        Atom::Null | Atom::Integer(_) | Atom::Text(_) => None,
    };
    let access = |&item: &Atom| match *list(item)? {
        [name, register] if history.value(name) == Value::Text("r") => Some(Access::Read(register)),
        [name, register, value] if history.value(name) == Value::Text("w") => Some(Access::Write(register, value)),
        _ => None,
    };
    list(value)?.iter().map(access).collect()
}

impl Sequential for Transactions {
    /// The registers that are not null.
    type State = BTreeMap<Atom, Atom>;

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
            return Some("a transaction is a list of [\"r\", register] and [\"w\", register, value]");
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
                    let held = state.get(&register).copied().unwrap_or(Atom::Null);
                    if read.as_mut().is_some_and(|read| read.next() != Some(&held)) {
                        return false;
                    }
                }
                Access::Write(register, Atom::Null) => {
                    state.remove(&register);
                }
                Access::Write(register, value) => {
                    state.insert(register, value);
                }
            }
        }
        true
    }

    fn show(&self, state: &Self::State, history: &History) -> String {
        let registers = state
            .iter()
            .map(|(&register, &value)| format!("{} = {}", history.value(register), history.value(value)));
        super::joined(registers)
    }
}
