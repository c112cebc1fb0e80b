//! A counter.

use super::{Answer, State};
use serde::{Deserialize, Serialize};

/// What can be asked of a counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CounterCall {
    /// Add this; the answer is the new total.
    Add(i64),
    /// The total.
    Read,
}

impl CounterCall {
    pub(super) fn is_query(&self) -> bool {
        *self == Self::Read
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Read => "read",
        }
    }
}

/// The total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter(i64);

impl State for Counter {
    type Call = CounterCall;

    fn apply(&mut self, call: &CounterCall) -> Answer {
        if let CounterCall::Add(amount) = call {
            self.0 = self.0.wrapping_add(*amount);
        }
        self.0.into()
    }
}
