//! What grows at its end: a list, and a log of records with offsets.

use super::{Answer, State};
use serde::{Deserialize, Serialize};

/// What can be asked of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListCall {
    /// Put it at the end.
    Append(i64),
    /// All of it.
    Read,
}

/// What can be asked of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogCall {
    /// Put a record at the end; the answer is its offset, from 0 on.
    Append(i64),
    /// All records from this offset on.
    Fetch(i64),
}

impl ListCall {
    pub(super) fn is_query(&self) -> bool {
        *self == Self::Read
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Append(_) => "append",
            Self::Read => "read",
        }
    }
}

impl LogCall {
    pub(super) fn is_query(&self) -> bool {
        matches!(self, Self::Fetch(_))
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Append(_) => "append",
            Self::Fetch(_) => "fetch",
        }
    }
}

/// The elements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List(Vec<i64>);

impl State for List {
    type Call = ListCall;

    fn apply(&mut self, call: &ListCall) -> Answer {
        match call {
            ListCall::Append(element) => {
                self.0.push(*element);
                Answer::Ok
            }
            ListCall::Read => Answer::numbers(self.0.iter().copied()),
        }
    }
}

/// The records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log(Vec<i64>);

impl State for Log {
    type Call = LogCall;

    fn apply(&mut self, call: &LogCall) -> Answer {
        match call {
            LogCall::Append(record) => {
                self.0.push(*record);
                (self.0.len() as i64 - 1).into()
            }
            LogCall::Fetch(from) => {
                let from = usize::try_from(*from).unwrap_or(0);
                Answer::numbers(self.0.iter().skip(from).copied())
            }
        }
    }
}
