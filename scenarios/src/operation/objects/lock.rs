//! A lock with fencing tokens, and the resource that it protects.
//!
//! Whoever holds the lock may be cut off or asleep while somebody else takes it over; so each acquisition gets a greater
//! token, and the resource refuses whoever comes with a lesser one than it has seen.

use super::{Answer, State};
use serde::{Deserialize, Serialize};

/// What can be asked of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockCall {
    /// Take it; the answer is the fencing token, or nothing while somebody holds it.
    Acquire,
    /// Give it back; refused unless this token holds it.
    Release(i64),
    /// Use what it protects; refused once a greater token has been used.
    Guard(i64),
}

impl LockCall {
    pub(super) fn is_query(&self) -> bool {
        false
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Release(_) => "release",
            Self::Guard(_) => "guard",
        }
    }
}

/// A lock and its resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The token that was given out last; 0 before the first.
    last: i64,
    /// Whether that token still holds the lock.
    held: bool,
    /// The greatest token that the resource has seen.
    used: i64,
}

impl State for Lock {
    type Call = LockCall;

    fn apply(&mut self, call: &LockCall) -> Answer {
        match *call {
            LockCall::Acquire if self.held => None.into(),
            LockCall::Acquire => {
                (self.last, self.held) = (self.last + 1, true);
                self.last.into()
            }
            LockCall::Release(token) => {
                let holds = self.held && token == self.last;
                self.held &= !holds;
                Answer::Done(holds)
            }
            LockCall::Guard(token) => {
                let admitted = (1..=self.last).contains(&token) && token >= self.used;
                if admitted {
                    self.used = token;
                }
                Answer::Done(admitted)
            }
        }
    }
}
