//! A set: what was added is in it until it is removed.

use std::collections::BTreeSet;

use super::{Action, Kind, Sequential};
use crate::history::{Atom, History, Op, Output};

/// A set of values, empty at first. A read lists every element once, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set;

impl Sequential for Set {
    type State = BTreeSet<Atom>;

    fn name(&self) -> &'static str {
        "set"
    }

    fn initial(&self) -> BTreeSet<Atom> {
        BTreeSet::new()
    }

    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (Op::Add { .. } | Op::Remove { .. }, None | Some(Output::Ok | Output::Done(_)))
            | (Op::Contains { .. }, None | Some(Output::Done(_)))
            | (Op::Read { .. }, None | Some(Output::Value(Atom::Null | Atom::List(_)))) => None,
            (Op::Read { .. }, _) => Some("a set is read as a list of its elements"),
            (Op::Add { .. } | Op::Remove { .. } | Op::Contains { .. }, _) => Some("its output is of another operation"),
            _ => Some("a set has add, remove, contains and read"),
        }
    }

    fn apply(&self, state: &mut BTreeSet<Atom>, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let done = match op {
            Op::Add { value, .. } => state.insert(value),
            Op::Remove { value, .. } => state.remove(&value),
            Op::Contains { value, .. } => state.contains(&value),
            Op::Read { .. } => {
                return match output {
                    Some(Output::Value(Atom::List(list))) => {
                        let read = history.list(list);
                        read.len() == state.len() && read.iter().copied().collect::<BTreeSet<_>>() == *state
                    }
                    Some(_) => state.is_empty(),
                    None => true,
                };
            }
            _ => return false,
        };
        match output {
            Some(Output::Done(said)) => said == done,
            _ => true,
        }
    }

    fn show(&self, state: &BTreeSet<Atom>, history: &History) -> String {
        super::shown(history, state.iter().copied())
    }

    fn kind(&self) -> Kind {
        Kind::Set
    }

    fn action<'h>(&self, history: &'h History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<Action<'h>> {
        if self.misfit(history, op, output).is_some() {
            return None;
        }
        let done = match output {
            Some(Output::Done(done)) => Some(done),
            _ => None,
        };
        match (op, done) {
            (Op::Add { value, .. }, done) => Some(Action::Add(value, done)),
            (Op::Remove { value, .. }, done) => Some(Action::Delete(value, done)),
            (Op::Contains { value, .. }, Some(done)) => Some(Action::Contains(value, done)),
            (Op::Contains { .. }, None) => Some(Action::Nothing),
            (Op::Read { .. }, _) if output.is_none() => Some(Action::Nothing),
            _ => None,
        }
    }
}
