//! A lock with fencing tokens (Kleppmann 2016, "How to do distributed locking"): whoever was thought dead and comes back finds
//! its token too old.

use super::Sequential;
use crate::history::{Atom, History, Op, Output};

/// A lock, free at first. The n-th grant has the token n. A release of the current token by anybody frees the lock: an expired
/// lease is a release by the service. What the lock protects refuses a token older than one that it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock;

/// What a [`Lock`] knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LockState {
    /// Grants so far: the latest token.
    pub granted: i64,
    /// Whether the latest token holds the lock.
    pub is_held: bool,
    /// The latest token that has been used, at most `granted`.
    pub used: i64,
}

impl Sequential for Lock {
    type State = LockState;

    fn name(&self) -> &'static str {
        "lock"
    }

    fn initial(&self) -> LockState {
        LockState::default()
    }

    #[expect(
        clippy::match_same_arms,
        reason = "an arm for each operation reads like the specification"
    )]
    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (Op::Acquire { .. }, None | Some(Output::Value(Atom::Integer(_) | Atom::Null))) => None,
            (
                Op::Release {
                    value: Atom::Integer(_),
                    ..
                }
                | Op::Guard {
                    value: Atom::Integer(_),
                    ..
                },
                None | Some(Output::Done(_)),
            ) => None,
            (Op::Acquire { .. }, _) => {
                Some("an acquire answers with a token, an integer, or with null; `mutex` has no tokens")
            }
            (Op::Release { .. } | Op::Guard { .. }, _) => Some("a token is an integer, and the answer is yes or no"),
            _ => Some("a lock has acquire, release and guard"),
        }
    }

    fn apply(&self, state: &mut LockState, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let answer = match op {
            Op::Acquire { .. } if state.is_held => Output::Value(Atom::Null),
            Op::Acquire { .. } => {
                state.granted += 1;
                state.is_held = true;
                Output::Value(Atom::Integer(state.granted))
            }
            Op::Release {
                value: Atom::Integer(token),
                ..
            } => {
                let is_holder = state.is_held && token == state.granted;
                state.is_held &= !is_holder;
                Output::Done(is_holder)
            }
            Op::Guard {
                value: Atom::Integer(token),
                ..
            } => {
                let is_valid = (1..=state.granted).contains(&token) && token >= state.used;
                if is_valid {
                    state.used = token;
                }
                Output::Done(is_valid)
            }
            _ => return false,
        };
        output.is_none_or(|output| output == answer)
    }

    fn is_read_only(&self, _: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        matches!(output, Some(Output::Done(false) | Output::Value(Atom::Null)))
    }

    fn show(&self, state: &LockState, _: &History) -> String {
        let LockState { granted, is_held, used } = state;
        let held = if *is_held {
            format!("held by token {granted}")
        } else {
            format!("free after {granted} grants")
        };
        format!("{held}, latest token used {used}")
    }
}
