//! A mutex: a lock without tokens, which one holds at a time.

use super::Sequential;
use crate::history::{Atom, History, Op, Output};

/// A mutex, free at first. An acquire that is done found it free, a release that is done found it held, by whomever; one that is refused
/// found the contrary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutex;

impl Sequential for Mutex {
    /// Whether it is held.
    type State = bool;

    fn name(&self) -> &'static str {
        "mutex"
    }

    fn initial(&self) -> bool {
        false
    }

    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (Op::Acquire { .. } | Op::Release { value: Atom::Null, .. }, None | Some(Output::Done(_))) => None,
            (Op::Acquire { .. }, _) => {
                Some("an acquire of a mutex answers yes or no (`\"ok\"`); `lock` has fencing tokens")
            }
            (Op::Release { .. }, _) => Some("a mutex is released without a token (`\"value\":null`); `lock` has them"),
            _ => Some("a mutex has acquire and release"),
        }
    }

    fn apply(&self, is_held: &mut bool, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let is_acquire = matches!(op, Op::Acquire { .. });
        let done = *is_held != is_acquire;
        if done {
            *is_held = is_acquire;
        }
        output.is_none_or(|output| output == Output::Done(done))
    }

    fn show(&self, is_held: &bool, _: &History) -> String {
        if *is_held { "held" } else { "free" }.to_owned()
    }
}
