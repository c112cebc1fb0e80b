//! Values and keys: what a caller passes ([`Value`], borrowed), what a history stores ([`Atom`], interned) and what
//! outlives both ([`OwnedValue`]).
//!
//! Owns what a value is, and how it is shown and compared; interning is in `interned`. What a value means (is a missing key
//! an empty string?) is the business of the models.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::interned::{Interned, ListId, TextId};

/// Longest rendering of one text in a report, in characters; the rest is cut and its length stated.
pub const SHOWN_CHARS_MAX: usize = 60;

/// Most items of one list that a report shows; the rest is cut and counted.
pub const SHOWN_ITEMS_MAX: usize = 16;

/// Deepest nesting of lists in a value that is read from a file or from a command line.
pub const LIST_DEPTH_MAX: usize = 8;

/// A key or value as a caller passes it: null, a 64-bit integer, a text or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<'a> {
    /// No value: an unset register, or the only key of a history without keys.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// A list of values.
    List(List<'a>),
}

/// The items of a list, wherever they are kept: `Value::from(&[Value::from(1), Value::Null][..])`.
#[derive(Clone, Copy)]
pub struct List<'a>(Items<'a>);

#[derive(Clone, Copy)]
enum Items<'a> {
    Values(&'a [Value<'a>]),
    Owned(&'a [OwnedValue]),
    Interned(&'a Interned, &'a [Atom]),
}

impl<'a> List<'a> {
    pub(super) fn interned(interned: &'a Interned, id: ListId) -> Self {
        List(Items::Interned(interned, interned.list(id)))
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        match self.0 {
            Items::Values(values) => values.len(),
            Items::Owned(values) => values.len(),
            Items::Interned(_, atoms) => atoms.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`, from 0.
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self.0 {
            Items::Values(values) => values.get(index).copied(),
            Items::Owned(values) => values.get(index).map(OwnedValue::as_value),
            Items::Interned(interned, atoms) => atoms.get(index).map(|&atom| interned.value(atom)),
        }
    }

    /// The items, in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        (0..self.len()).map(move |index| self.get(index).expect("within the length"))
    }
}

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for List<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for List<'_> {}

impl PartialOrd for List<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for List<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl Hash for List<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|value| value.hash(state));
    }
}

impl<'a> From<&'a [Value<'a>]> for Value<'a> {
    fn from(items: &'a [Value<'a>]) -> Self {
        Value::List(List(Items::Values(items)))
    }
}

impl<'a, const N: usize> From<&'a [Value<'a>; N]> for Value<'a> {
    fn from(items: &'a [Value<'a>; N]) -> Self {
        Value::from(&items[..])
    }
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
            Value::List(list) => {
                f.write_str("[")?;
                for (index, item) in list.iter().take(SHOWN_ITEMS_MAX).enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{item}")?;
                }
                match list.len().checked_sub(SHOWN_ITEMS_MAX) {
                    None | Some(0) => f.write_str("]"),
                    Some(more) => write!(f, ", … and {more} more]"),
                }
            }
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
    /// A list of values.
    List(Vec<OwnedValue>),
}

impl OwnedValue {
    /// The same value, borrowed.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            OwnedValue::Null => Value::Null,
            OwnedValue::Integer(integer) => Value::Integer(*integer),
            OwnedValue::Text(text) => Value::Text(text),
            OwnedValue::List(items) => Value::List(List(Items::Owned(items))),
        }
    }
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => OwnedValue::Null,
            Value::Integer(integer) => OwnedValue::Integer(integer),
            Value::Text(text) => OwnedValue::Text(text.to_owned()),
            Value::List(list) => OwnedValue::List(list.iter().map(OwnedValue::from).collect()),
        }
    }
}

impl fmt::Display for OwnedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_value().fmt(f)
    }
}

/// A value written as JSON: `null`, `5`, `"five"`, `[["a",100],["b",100]]`.
impl FromStr for OwnedValue {
    type Err = NotAValue;

    fn from_str(text: &str) -> Result<Self, NotAValue> {
        super::jsonl::value(text).map_err(|what| NotAValue {
            text: text.to_owned(),
            what,
        })
    }
}

/// A text that is no value in JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no value: {what}; a value is written as JSON: null, 5, \"five\", [[\"a\",100],[\"b\",100]]")]
pub struct NotAValue {
    text: String,
    what: String,
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
    /// A list of this history.
    List(ListId),
}
