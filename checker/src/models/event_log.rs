//! A log of records with offsets: nothing missing, nothing twice, nothing out of order.

use super::Sequential;
use crate::history::{Atom, History, Op, Output};

/// A log, empty at first. The record appended n-th has the offset n - 1; a fetch returns every record from an offset on, a
/// read all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventLog;

/// Whether `answer` lists exactly `records`.
fn lists(history: &History, answer: Atom, records: &[Atom]) -> bool {
    match answer {
        Atom::Null => records.is_empty(),
        Atom::List(list) => history.list(list) == records,
        Atom::Integer(_) | Atom::Text(_) => false,
    }
}

impl Sequential for EventLog {
    type State = Vec<Atom>;

    fn name(&self) -> &'static str {
        "event-log"
    }

    fn initial(&self) -> Vec<Atom> {
        Vec::new()
    }

    #[expect(
        clippy::match_same_arms,
        reason = "an arm for each operation reads like the specification"
    )]
    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (Op::Append { .. }, None | Some(Output::Ok | Output::Value(Atom::Integer(_)))) => None,
            (
                Op::Fetch {
                    from: Atom::Integer(0..),
                    ..
                }
                | Op::Read { .. },
                None,
            ) => None,
            (
                Op::Fetch {
                    from: Atom::Integer(0..),
                    ..
                }
                | Op::Read { .. },
                Some(Output::Value(Atom::Null | Atom::List(_))),
            ) => None,
            (Op::Append { .. }, _) => Some("an append answers with the offset, an integer, or not at all"),
            (Op::Fetch { .. } | Op::Read { .. }, _) => {
                Some("a fetch is from an offset, an integer from 0, and answers with a list")
            }
            _ => Some("an event log has append, fetch and read"),
        }
    }

    fn apply(&self, state: &mut Vec<Atom>, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let answer = match output {
            Some(Output::Value(answer)) => Some(answer),
            _ => None,
        };
        match op {
            Op::Append { value, .. } => {
                let offset = state.len() as i64;
                state.push(value);
                answer.is_none_or(|answer| answer == Atom::Integer(offset))
            }
            Op::Fetch {
                from: Atom::Integer(from),
                ..
            } => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(state.len());
                answer.is_none_or(|answer| lists(history, answer, &state[from..]))
            }
            Op::Read { .. } => answer.is_none_or(|answer| lists(history, answer, state)),
            _ => false,
        }
    }

    fn show(&self, state: &Vec<Atom>, history: &History) -> String {
        super::shown(history, state.iter().copied())
    }
}
