//! Values and keys: what a caller passes ([`Value`], borrowed), what a history stores ([`Atom`], interned) and what
//! outlives both ([`OwnedValue`]).
//!
//! Owns the interning of text, so that an operation is a small `Copy` record and equal texts compare as integers. What a
//! value means (is a missing key an empty string?) is the business of the models.

use std::fmt;
use std::str::FromStr;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Longest rendering of one text in a report, in characters; the rest is cut and its length stated.
pub const SHOWN_CHARS_MAX: usize = 60;

/// A key or value as a caller passes it: null, a 64-bit integer or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<'a> {
    /// No value: an unset register, or the only key of a history without keys.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'a str),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Value::Integer(integer)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Integer(integer) => write!(f, "{integer}"),
            Value::Text(text) => match text.char_indices().nth(SHOWN_CHARS_MAX) {
                None => write!(f, "{text:?}"),
                Some((cut, _)) => write!(f, "{:?}… ({} bytes)", &text[..cut], text.len()),
            },
        }
    }
}

/// A value that owns its text: the initial value of a register, say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnedValue {
    /// No value.
    #[default]
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
}

impl OwnedValue {
    /// The same value, borrowed.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            OwnedValue::Null => Value::Null,
            OwnedValue::Integer(integer) => Value::Integer(*integer),
            OwnedValue::Text(text) => Value::Text(text),
        }
    }
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => OwnedValue::Null,
            Value::Integer(integer) => OwnedValue::Integer(integer),
            Value::Text(text) => OwnedValue::Text(text.to_owned()),
        }
    }
}

/// As on a command line: `null`, an integer, or else a text as it stands. Never fails.
impl FromStr for OwnedValue {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match (text, text.parse::<i64>()) {
            ("null" | "nil", _) => OwnedValue::Null,
            (_, Ok(integer)) => OwnedValue::Integer(integer),
            (_, Err(_)) => OwnedValue::Text(text.to_owned()),
        })
    }
}

/// The name of a text inside one [`History`](super::History): equal texts of a history have equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(u32);

impl TextId {
    /// The empty text, which every history knows.
    pub const EMPTY: TextId = TextId(0);

    /// Index among the texts of its history.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A key or value as a history stores it. Equal atoms of one history are equal values; atoms of two histories cannot be
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// A text of this history.
    Text(TextId),
}

/// Every distinct text of a history, stored once in one buffer.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    buffer: String,
    /// End of each text in `buffer`; its start is the end of the one before.
    ends: Vec<u32>,
    index: HashTable<u32>,
}

impl Texts {
    pub(super) fn new() -> Self {
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
    pub(super) fn intern(&mut self, text: &str) -> Option<TextId> {
        let hash = hash(text);
        let Texts { buffer, ends, index } = self;
        if let Some(&known) = index.find(hash, |&id| span(buffer, ends, id) == text) {
            return Some(TextId(known));
        }
        let end = u32::try_from(buffer.len() + text.len()).ok()?;
        let id = u32::try_from(ends.len()).ok()?;
        buffer.push_str(text);
        ends.push(end);
        index.insert_unique(hash, id, |&id| self::hash(span(buffer, ends, id)));
        Some(TextId(id))
    }

    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        self.index
            .find(hash(text), |&id| span(&self.buffer, &self.ends, id) == text)
            .map(|&id| TextId(id))
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, id: TextId) -> &str {
        span(&self.buffer, &self.ends, id.0)
    }
}

fn hash(text: &str) -> u64 {
    FxBuildHasher.hash_one(text)
}

fn span<'t>(buffer: &'t str, ends: &[u32], id: u32) -> &'t str {
    let start = if id == 0 { 0 } else { ends[id as usize - 1] };
    &buffer[start as usize..ends[id as usize] as usize]
}
