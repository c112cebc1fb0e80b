//! What an object answers.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// A value as it travels to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Datum {
    /// There is none: an empty queue, an unset register, a lock that somebody holds.
    Nothing,
    /// A number.
    Number(i64),
    /// A name, such as the state of an order.
    Name(String),
    /// Several, in order.
    List(Vec<Datum>),
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is done, and there is no more to say.
    Ok,
    /// Whether it was done, or is so. What was not done has changed nothing.
    Done(bool),
    /// A value.
    Value(Datum),
}

impl Answer {
    /// A number for each answer, for the hash of the session table.
    pub fn code(&self) -> u64 {
        xxh3_64(&self.bytes())
    }

    /// A fixed encoding.
    pub fn bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("an answer of numbers and names can be encoded")
    }

    /// A list of numbers.
    pub(super) fn numbers(numbers: impl IntoIterator<Item = i64>) -> Self {
        Self::Value(Datum::List(numbers.into_iter().map(Datum::Number).collect()))
    }
}

impl From<i64> for Answer {
    fn from(number: i64) -> Self {
        Self::Value(Datum::Number(number))
    }
}

impl From<Option<i64>> for Answer {
    fn from(number: Option<i64>) -> Self {
        Self::Value(number.map_or(Datum::Nothing, Datum::Number))
    }
}
