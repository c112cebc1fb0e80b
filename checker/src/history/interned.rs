//! Interning: every distinct text and list of a history is stored once, so that an operation is a small `Copy` record and
//! equal values compare as integers.
//!
//! Owns the two tables. What a value is, is in `value`.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::value::{Atom, List, Value};

/// The name of a text inside one [`History`](super::History): equal texts of a history have equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(u32);

impl TextId {
    /// The empty text, which every history knows.
    pub const EMPTY: TextId = TextId(0);

    /// The text at `index` of its history.
    pub(super) fn at(index: u32) -> Self {
        TextId(index)
    }

    /// Index among the texts of its history.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The name of a list inside one [`History`](super::History): equal lists of a history have equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(u32);

impl ListId {
    /// The list at `index` of its history.
    pub(super) fn at(index: u32) -> Self {
        ListId(index)
    }

    /// Index among the lists of its history.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts and lists of one history.
#[derive(Clone, Debug)]
pub(super) struct Interned {
    texts: Texts,
    lists: Lists,
}

impl Interned {
    pub(super) fn new() -> Self {
        Interned {
            texts: Texts::new(),
            lists: Lists::default(),
        }
    }

    /// The atom of `value`, or `None` when there is no room for it.
    pub(super) fn intern(&mut self, value: Value<'_>) -> Option<Atom> {
        Some(match value {
            Value::Null => Atom::Null,
            Value::Integer(integer) => Atom::Integer(integer),
            Value::Text(text) => Atom::Text(self.texts.intern(text)?),
            Value::List(list) => {
                let items = list
                    .iter()
                    .map(|item| self.intern(item))
                    .collect::<Option<Vec<Atom>>>()?;
                Atom::List(self.lists.intern(&items)?)
            }
        })
    }

    /// The atom of `value`, or `None` for one that holds an unknown text or list.
    pub(super) fn find(&self, value: Value<'_>) -> Option<Atom> {
        Some(match value {
            Value::Null => Atom::Null,
            Value::Integer(integer) => Atom::Integer(integer),
            Value::Text(text) => Atom::Text(self.texts.find(text)?),
            Value::List(list) => {
                let items = list.iter().map(|item| self.find(item)).collect::<Option<Vec<Atom>>>()?;
                Atom::List(self.lists.find(&items)?)
            }
        })
    }

    pub(super) fn value(&self, atom: Atom) -> Value<'_> {
        match atom {
            Atom::Null => Value::Null,
            Atom::Integer(integer) => Value::Integer(integer),
            Atom::Text(id) => Value::Text(self.text(id)),
            Atom::List(id) => Value::List(List::interned(self, id)),
        }
    }

    /// How many different texts there are.
    pub(super) fn texts(&self) -> usize {
        self.texts.ends.len()
    }

    pub(super) fn text(&self, id: TextId) -> &str {
        self.texts.get(id)
    }

    pub(super) fn list(&self, id: ListId) -> &[Atom] {
        self.lists.get(id.0)
    }
}

/// Every distinct list of a history, stored once in one buffer.
#[derive(Clone, Debug, Default)]
struct Lists {
    items: Vec<Atom>,
    /// End of each list in `items`; its start is the end of the one before.
    ends: Vec<u32>,
    index: HashTable<u32>,
}

impl Lists {
    /// The name of the list of `items`, or `None` when all lists together would exceed 2^32 items.
    fn intern(&mut self, items: &[Atom]) -> Option<ListId> {
        if let Some(known) = self.find(items) {
            return Some(known);
        }
        let Lists {
            items: all,
            ends,
            index,
        } = self;
        let end = u32::try_from(all.len() + items.len()).ok()?;
        let id = u32::try_from(ends.len()).ok()?;
        all.extend_from_slice(items);
        ends.push(end);
        let slice = |id: u32| &all[span(ends, id)];
        index.insert_unique(FxBuildHasher.hash_one(items), id, |&id| {
            FxBuildHasher.hash_one(slice(id))
        });
        Some(ListId(id))
    }

    fn find(&self, items: &[Atom]) -> Option<ListId> {
        self.index
            .find(FxBuildHasher.hash_one(items), |&id| self.get(id) == items)
            .map(|&id| ListId(id))
    }

    fn get(&self, id: u32) -> &[Atom] {
        &self.items[span(&self.ends, id)]
    }
}

/// Every distinct text of a history, stored once in one buffer.
#[derive(Clone, Debug)]
struct Texts {
    buffer: String,
    /// End of each text in `buffer`; its start is the end of the one before.
    ends: Vec<u32>,
    index: HashTable<u32>,
}

impl Texts {
    fn new() -> Self {
        let mut texts = Texts {
            buffer: String::new(),
            ends: Vec::new(),
            index: HashTable::new(),
        };
        let empty = texts.intern("").expect("the empty text fits");
        assert_eq!(empty, TextId::EMPTY, "the empty text is the first");
        texts
    }

    /// The name of `text`, or `None` when all texts together would exceed 4 GiB.
    fn intern(&mut self, text: &str) -> Option<TextId> {
        let hash = hash(text);
        let Texts { buffer, ends, index } = self;
        if let Some(&known) = index.find(hash, |&id| buffer[span(ends, id)] == *text) {
            return Some(TextId(known));
        }
        let end = u32::try_from(buffer.len() + text.len()).ok()?;
        let id = u32::try_from(ends.len()).ok()?;
        buffer.push_str(text);
        ends.push(end);
        index.insert_unique(hash, id, |&id| self::hash(&buffer[span(ends, id)]));
        Some(TextId(id))
    }

    fn find(&self, text: &str) -> Option<TextId> {
        self.index
            .find(hash(text), |&id| self.buffer[span(&self.ends, id)] == *text)
            .map(|&id| TextId(id))
    }

    fn get(&self, id: TextId) -> &str {
        &self.buffer[span(&self.ends, id.0)]
    }
}

fn hash(text: &str) -> u64 {
    FxBuildHasher.hash_one(text)
}

/// Where the thing called `id` stands, of things one after another that end at `ends`.
fn span(ends: &[u32], id: u32) -> std::ops::Range<usize> {
    let start = if id == 0 { 0 } else { ends[id as usize - 1] };
    start as usize..ends[id as usize] as usize
}
