//! A list that grows at its end and is read as a whole.

use super::{Action, Kind, Sequential};
use crate::history::{Atom, History, Op, Output};

/// A list, empty at first. Null and the empty list are the same answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppendList;

/// The items of what a read returned; `None` for what is no list.
fn items(history: &History, answer: Atom) -> Option<&[Atom]> {
    match answer {
        Atom::Null => Some(&[]),
        Atom::List(list) => Some(history.list(list)),
        Atom::Integer(_) | Atom::Text(_) => None,
    }
}

impl Sequential for AppendList {
    type State = Vec<Atom>;

    fn name(&self) -> &'static str {
        "append-list"
    }

    fn initial(&self) -> Vec<Atom> {
        Vec::new()
    }

    fn misfit(&self, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (Op::Append { .. }, None | Some(Output::Ok)) | (Op::Read { .. }, None) => None,
            (Op::Read { .. }, Some(Output::Value(answer))) if items(history, answer).is_some() => None,
            (Op::Append { .. }, _) => Some("an append to a list has no output; an `event-log` answers with the offset"),
            (Op::Read { .. }, _) => Some("a list is read as a list"),
            _ => Some("a list has append and read"),
        }
    }

    fn apply(&self, state: &mut Vec<Atom>, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        match (op, output) {
            (Op::Append { value, .. }, _) => {
                state.push(value);
                true
            }
            (Op::Read { .. }, Some(Output::Value(answer))) => items(history, answer) == Some(state),
            (Op::Read { .. }, _) => true,
            _ => false,
        }
    }

    fn show(&self, state: &Vec<Atom>, history: &History) -> String {
        super::shown(history, state.iter().copied())
    }

    fn kind(&self) -> Kind {
        Kind::List
    }

    fn action<'h>(&self, history: &'h History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<Action<'h>> {
        match (op, output) {
            (Op::Append { value, .. }, None | Some(Output::Ok)) => Some(Action::Insert(value)),
            (Op::Read { .. }, Some(Output::Value(answer))) => items(history, answer).map(Action::ReadAll),
            (Op::Read { .. }, None) => Some(Action::Nothing),
            _ => None,
        }
    }
}
