//! A counter: additions commute, and a read tells their sum.

use super::Sequential;
use crate::history::{Atom, History, Op, Output};

/// A counter that starts at zero. An addition may be negative, and may answer with the new total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter;

impl Sequential for Counter {
    /// Wide enough for 2^32 additions of any size.
    type State = i128;

    fn name(&self) -> &'static str {
        "counter"
    }

    fn initial(&self) -> i128 {
        0
    }

    #[expect(
        clippy::match_same_arms,
        reason = "an arm for each operation reads like the specification"
    )]
    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (
                Op::Add {
                    value: Atom::Integer(_),
                    ..
                },
                None | Some(Output::Ok | Output::Value(Atom::Integer(_))),
            ) => None,
            (Op::Read { .. }, None | Some(Output::Value(Atom::Integer(_)))) => None,
            (Op::Add { .. }, _) => Some("an integer is added to a counter, and the answer, if any, is the new total"),
            (Op::Read { .. }, _) => Some("a counter is read as an integer"),
            _ => Some("a counter has add and read"),
        }
    }

    fn apply(&self, state: &mut i128, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        match op {
            Op::Add {
                value: Atom::Integer(amount),
                ..
            } => *state += i128::from(amount),
            Op::Read { .. } => {}
            _ => return false,
        }
        match output {
            Some(Output::Value(Atom::Integer(total))) => i128::from(total) == *state,
            _ => true,
        }
    }

    fn show(&self, state: &i128, _: &History) -> String {
        state.to_string()
    }
}
