//! One operation as a history keeps it: in less than half of what an [`Operation`] takes, which is made of it on demand.
//!
//! Owns that form, and the names of the keys.

use std::borrow::Cow;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::interned::{ListId, TextId};
use super::op::ARGUMENTS_MAX;
use super::{Atom, History, Op, Operation, OperationId, Output};

/// An operation, its values in words whose kinds stand apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) call: u64,
    /// Only when there is an answer.
    returned: u64,
    /// The arguments, and behind them the value of the answer.
    words: [u64; ARGUMENTS_MAX],
    pub(super) client: u32,
    /// Its place in [`KeyTable`].
    pub(super) key: u32,
    /// Where the value of the answer stands in the list of those that found no room among the words.
    elsewhere: u32,
    /// Index in [`OPERATIONS`](super::OPERATIONS).
    row: u8,
    answer: Answer,
    kinds: [Kind; ARGUMENTS_MAX],
}

/// What an operation was told, the value apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Nothing: the outcome is unknown.
    None,
    Ok,
    Refused,
    Done,
    Value,
    /// A value that is not among the words.
    ValueElsewhere,
}

/// The kind of the value in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Integer,
    Text,
    List,
}

/// Some operations, one after another.
pub(crate) struct Run<'h> {
    history: &'h History,
    records: Cow<'h, [Record]>,
}

impl<'h> Run<'h> {
    /// The operations `ids`, which are `records` of `history`: where they stand, or copied to where they are at hand.
    pub(super) fn new(history: &'h History, records: &'h [Record], ids: &[OperationId]) -> Self {
        let records = match ids {
            [first, .., last] if last.index().checked_sub(first.index()) == Some(ids.len() - 1) && ids.is_sorted() => {
                Cow::Borrowed(&records[first.index()..=last.index()])
            }
            _ => ids.iter().map(|&id| records[id.index()]).collect(),
        };
        Run { history, records }
    }

    /// The operation at `index`.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Operation {
        self.history.whole(&self.records[index])
    }
}

impl Record {
    /// An operation of unknown outcome, on the key at this place.
    pub(super) fn new(client: u32, call: u64, key: u32, op: Op<Atom>) -> Self {
        let mut record = Record {
            call,
            returned: 0,
            words: [0; ARGUMENTS_MAX],
            client,
            key,
            elsewhere: 0,
            row: op.index() as u8,
            answer: Answer::None,
            kinds: [Kind::Null; ARGUMENTS_MAX],
        };
        for (place, argument) in op.arguments().enumerate() {
            record.put(place, argument);
        }
        record
    }

    /// When it returned, if it did.
    pub(super) fn returned(&self) -> Option<u64> {
        (self.answer != Answer::None).then_some(self.returned)
    }

    /// Whether it was not refused; `None` when it has not returned.
    pub(super) fn has_succeeded(&self) -> Option<bool> {
        match self.answer {
            Answer::None => None,
            Answer::Refused => Some(false),
            Answer::Ok | Answer::Done | Answer::Value | Answer::ValueElsewhere => Some(true),
        }
    }

    /// Its return; `elsewhere` are the values of answers that found no room.
    pub(super) fn complete(&mut self, returned: u64, output: Output<Atom>, elsewhere: &mut Vec<Atom>) {
        self.returned = returned;
        self.answer = match output {
            Output::Ok => Answer::Ok,
            Output::Done(false) => Answer::Refused,
            Output::Done(true) => Answer::Done,
            Output::Value(value) if self.arguments() < ARGUMENTS_MAX => {
                self.put(self.arguments(), value);
                Answer::Value
            }
            Output::Value(value) => {
                self.elsewhere = elsewhere.len() as u32;
                elsewhere.push(value);
                Answer::ValueElsewhere
            }
        };
    }

    /// The whole operation. Always inline: who asks for it takes little of it.
    #[inline(always)]
    pub(super) fn operation(&self, keys: &[Atom], elsewhere: &[Atom]) -> Operation {
        let values = [self.value(0), self.value(1)];
        let output = match self.answer {
            Answer::None => None,
            Answer::Ok => Some(Output::Ok),
            Answer::Refused => Some(Output::Done(false)),
            Answer::Done => Some(Output::Done(true)),
            Answer::Value => Some(Output::Value(values[self.arguments()])),
            Answer::ValueElsewhere => Some(Output::Value(elsewhere[self.elsewhere as usize])),
        };
        Operation {
            client: self.client,
            call: self.call,
            returned: self.returned(),
            op: Op::of(self.row as usize, keys[self.key as usize], values),
            output,
        }
    }

    /// Index in [`OPERATIONS`](super::OPERATIONS).
    pub(super) fn row(&self) -> usize {
        self.row as usize
    }

    /// Whether `value` is among the arguments, or is the answer.
    pub(super) fn mentions(&self, value: Atom, elsewhere: &[Atom]) -> bool {
        (0..ARGUMENTS_MAX).any(|place| self.value(place) == value)
            || self.answer == Answer::ValueElsewhere && elsewhere[self.elsewhere as usize] == value
    }

    fn arguments(&self) -> usize {
        super::OPERATIONS[self.row as usize].arguments.len()
    }

    fn put(&mut self, place: usize, value: Atom) {
        (self.kinds[place], self.words[place]) = match value {
            Atom::Null => (Kind::Null, 0),
            Atom::Integer(integer) => (Kind::Integer, integer as u64),
            Atom::Text(text) => (Kind::Text, text.index() as u64),
            Atom::List(list) => (Kind::List, list.index() as u64),
        };
    }

    #[inline(always)]
    fn value(&self, place: usize) -> Atom {
        let word = self.words[place];
        match self.kinds[place] {
            Kind::Null => Atom::Null,
            Kind::Integer => Atom::Integer(word as i64),
            Kind::Text => Atom::Text(TextId::at(word as u32)),
            Kind::List => Atom::List(ListId::at(word as u32)),
        }
    }
}

/// The keys of a history, each once, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyTable {
    atoms: Vec<Atom>,
    places: HashMap<Atom, u32, FxBuildHasher>,
}

impl KeyTable {
    /// The place of `key`; there are no more keys than operations.
    pub(super) fn place(&mut self, key: Atom) -> u32 {
        let KeyTable { atoms, places } = self;
        if let [only] = atoms[..]
            && only == key
        {
            return 0;
        }
        *places.entry(key).or_insert_with(|| {
            atoms.push(key);
            atoms.len() as u32 - 1
        })
    }

    pub(super) fn atoms(&self) -> &[Atom] {
        &self.atoms
    }
}
