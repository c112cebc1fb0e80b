//! The transactions of a history in a form that the levels of isolation are told by.
//!
//! Owns who wrote what: keys and values have small numbers, each version its writer. A transaction that failed is none, but what it would
//! have written is known; it takes its place as one that does nothing. One of unknown outcome counts once somebody has seen what it wrote; what nobody has seen need not have happened.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::history::{Atom, History, Op, Operation, OperationId, Output, OwnedValue, Value};
use crate::models::{Access, accesses};

/// The transaction that stands for the start: it wrote what was there.
pub(super) const START: u32 = 0;

/// What one step of a transaction did; keys are numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Did {
    Read(u32, Atom),
    Write(u32, Atom),
    Append(u32, Atom),
}

/// A transaction that took effect, or may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Txn {
    /// `None` for [`START`].
    pub(super) id: Option<OperationId>,
    pub(super) client: u32,
    pub(super) call: u64,
    /// `None`: of unknown outcome.
    pub(super) returned: Option<u64>,
    steps: (u32, u32),
}

/// Who wrote a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// A transaction, and whether it was the last that it wrote to the key.
    Txn { txn: u32, is_last: bool },
    /// One that failed.
    Failed(OperationSource),
    /// Several, so that nobody can tell.
    Several,
}

/// Where an operation that failed is: among the operations, or among those that were dropped when the file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperationSource {
    History(OperationId),
    Dropped(usize),
}

pub(super) struct Database<'h> {
    pub(super) history: &'h History,
    pub(super) txns: Vec<Txn>,
    steps: Vec<Did>,
    /// The object and the register of each key.
    pub(super) keys: Vec<(Atom, Atom)>,
    pub(super) is_list: Vec<bool>,
    /// What a key holds at the start.
    initial: Vec<OwnedValue>,
    writers: HashMap<(u32, Atom), Writer, FxBuildHasher>,
}

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) String);

impl<'h> Database<'h> {
    /// The database of the operations `ids`, as `known` tells them; `None` where one had not been called.
    pub(super) fn new(
        history: &'h History,
        initial: &[(OwnedValue, OwnedValue)],
        ids: impl Iterator<Item = (OperationId, Operation)>,
    ) -> Self {
        let mut database = Database {
            history,
            txns: vec![Txn {
                id: None,
                client: u32::MAX,
                call: 0,
                returned: Some(0),
                steps: (0, 0),
            }],
            steps: Vec::new(),
            keys: Vec::new(),
            is_list: Vec::new(),
            initial: Vec::new(),
            writers: HashMap::default(),
        };
        let mut places = HashMap::default();
        for (id, operation) in ids {
            database.add(id, &operation, &mut places, initial);
        }
        for (place, failed) in history.import().failed.iter().enumerate() {
            database.fail(OperationSource::Dropped(place), failed, &mut places, initial);
        }
        database
    }

    fn key(
        &mut self,
        object: Atom,
        register: Atom,
        places: &mut HashMap<(Atom, Atom), u32, FxBuildHasher>,
        initial: &[(OwnedValue, OwnedValue)],
    ) -> u32 {
        *places.entry((object, register)).or_insert_with(|| {
            self.keys.push((object, register));
            self.is_list.push(false);
            let held = if initial.is_empty() {
                None
            } else {
                let register = OwnedValue::from(self.history.value(register));
                initial.iter().find(|(name, _)| *name == register)
            };
            self.initial
                .push(held.map_or(OwnedValue::Null, |(_, value)| value.clone()));
            self.keys.len() as u32 - 1
        })
    }

    fn add(
        &mut self,
        id: OperationId,
        operation: &Operation,
        places: &mut HashMap<(Atom, Atom), u32, FxBuildHasher>,
        initial: &[(OwnedValue, OwnedValue)],
    ) {
        if operation.output == Some(Output::Done(false)) {
            self.fail(OperationSource::History(id), operation, places, initial);
            let end = self.steps.len() as u32;
            self.txns.push(Txn {
                id: Some(id),
                client: operation.client,
                call: operation.call,
                returned: operation.returned,
                steps: (end, end),
            });
            return;
        }
        let Op::Txn { key: object, value } = operation.op else {
            return;
        };
        let mut read = match operation.output {
            Some(Output::Value(Atom::List(list))) => Some(self.history.list(list).iter()),
            _ => None,
        };
        let (txn, start) = (self.txns.len() as u32, self.steps.len() as u32);
        for access in accesses(self.history, value).unwrap_or_default() {
            let did = match access {
                Access::Read(register) => {
                    let key = self.key(object, register, places, initial);
                    let Some(&value) = read.as_mut().and_then(Iterator::next) else {
                        continue;
                    };
                    Did::Read(key, value)
                }
                Access::Write(register, value) => {
                    let key = self.key(object, register, places, initial);
                    self.wrote(txn, start, key, value);
                    Did::Write(key, value)
                }
                Access::Append(register, value) => {
                    let key = self.key(object, register, places, initial);
                    self.is_list[key as usize] = true;
                    self.wrote(txn, start, key, value);
                    Did::Append(key, value)
                }
            };
            self.steps.push(did);
        }
        self.txns.push(Txn {
            id: Some(id),
            client: operation.client,
            call: operation.call,
            returned: operation.returned,
            steps: (start, self.steps.len() as u32),
        });
    }

    fn wrote(&mut self, txn: u32, start: u32, key: u32, value: Atom) {
        for &did in &self.steps[start as usize..] {
            if let Did::Write(other, before) | Did::Append(other, before) = did
                && other == key
                && let Some(Writer::Txn { is_last, .. }) = self.writers.get_mut(&(key, before))
            {
                *is_last = false;
            }
        }
        let is_list = self.is_list[key as usize];
        let writer = self.writers.entry((key, value));
        writer
            .and_modify(|writer| {
                let is_own = !is_list && matches!(writer, Writer::Txn { txn: own, .. } if *own == txn);
                // A register may be set to one value twice by one transaction.
                *writer = if is_own {
                    Writer::Txn { txn, is_last: true }
                } else {
                    Writer::Several
                };
            })
            .or_insert(Writer::Txn { txn, is_last: true });
    }

    fn fail(
        &mut self,
        source: OperationSource,
        operation: &Operation,
        places: &mut HashMap<(Atom, Atom), u32, FxBuildHasher>,
        initial: &[(OwnedValue, OwnedValue)],
    ) {
        let Op::Txn { key: object, value } = operation.op else {
            return;
        };
        for access in accesses(self.history, value).unwrap_or_default() {
            let (register, value) = match access {
                Access::Read(_) => continue,
                Access::Write(register, value) | Access::Append(register, value) => (register, value),
            };
            let key = self.key(object, register, places, initial);
            self.is_list[key as usize] |= matches!(access, Access::Append(..));
            // Who succeeded in writing the same may be meant, and comes first.
            self.writers.entry((key, value)).or_insert(Writer::Failed(source));
        }
    }

    pub(super) fn steps(&self, txn: u32) -> &[Did] {
        let (start, end) = self.txns[txn as usize].steps;
        &self.steps[start as usize..end as usize]
    }

    pub(super) fn writer(&self, key: u32, value: Atom) -> Option<Writer> {
        self.writers.get(&(key, value)).copied()
    }

    /// Whether `value` is what a register held at the start. Nothing, and the empty list, are the same.
    pub(super) fn is_initial(&self, key: u32, value: Atom) -> bool {
        let initial = self.initial[key as usize].as_value();
        let is_empty = |value: Value<'_>| match value {
            Value::Null => true,
            Value::List(items) => items.is_empty(),
            Value::Integer(_) | Value::Text(_) => false,
        };
        let value = self.history.value(value);
        initial == value || is_empty(initial) && is_empty(value)
    }

    /// The items that a list held at the start.
    pub(super) fn initial_items(&self, key: u32) -> usize {
        match &self.initial[key as usize] {
            OwnedValue::List(items) => items.len(),
            _ => 0,
        }
    }

    /// Whether `item` is the one at `place` of what a list held at the start.
    pub(super) fn is_initial_item(&self, key: u32, place: usize, item: Atom) -> bool {
        match &self.initial[key as usize] {
            OwnedValue::List(items) => items
                .get(place)
                .is_some_and(|held| held.as_value() == self.history.value(item)),
            _ => false,
        }
    }

    /// The name of a key in words.
    pub(super) fn name(&self, key: u32) -> String {
        let (object, register) = self.keys[key as usize];
        match self.history.value(object) {
            Value::Null => self.history.value(register).to_string(),
            object => format!("{} of {object}", self.history.value(register)),
        }
    }

    /// One that failed.
    pub(super) fn failed(&self, source: OperationSource) -> Operation {
        match source {
            OperationSource::History(id) => self.history.operation(id),
            OperationSource::Dropped(place) => self.history.import().failed[place],
        }
    }
}
