//! Queue, stack and priority queue: what is put in leaves one by one, and the discipline says which is next.

use std::collections::VecDeque;

use super::{Action, Kind, Sequential};
use crate::history::{Atom, History, Op, Output};

/// A collection of elements that are taken out one by one. An empty one answers null, so null is no element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// First in, first out: `enqueue`, `dequeue`.
    Queue,
    /// Last in, first out: `push`, `pop`.
    Stack,
    /// The least leaves first: `insert`, `pop-min`. Elements are integers.
    PriorityQueue,
}

/// What an operation does to a collection.
enum Change {
    Put(Atom),
    Take,
}

impl Collection {
    /// `None` for an operation of another type.
    fn change(self, op: Op<Atom>) -> Option<Change> {
        match (self, op) {
            (Collection::Queue, Op::Enqueue { value, .. })
            | (Collection::Stack, Op::Push { value, .. })
            | (Collection::PriorityQueue, Op::Insert { value, .. }) => Some(Change::Put(value)),
            (Collection::Queue, Op::Dequeue { .. })
            | (Collection::Stack, Op::Pop { .. })
            | (Collection::PriorityQueue, Op::PopMin { .. }) => Some(Change::Take),
            _ => None,
        }
    }

    fn is_element(self, value: Atom) -> bool {
        match self {
            Collection::Queue | Collection::Stack => value != Atom::Null,
            Collection::PriorityQueue => matches!(value, Atom::Integer(_)),
        }
    }
}

impl Sequential for Collection {
    /// What is inside; the next to leave a queue or a priority queue is first, the next to leave a stack last.
    type State = VecDeque<Atom>;

    fn name(&self) -> &'static str {
        match self {
            Collection::Queue => "queue",
            Collection::Stack => "stack",
            Collection::PriorityQueue => "priority-queue",
        }
    }

    fn initial(&self) -> VecDeque<Atom> {
        VecDeque::new()
    }

    #[expect(
        clippy::match_same_arms,
        reason = "an arm for each operation reads like the specification"
    )]
    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        let Some(change) = self.change(op) else {
            return Some(match self {
                Collection::Queue => "a queue has enqueue and dequeue",
                Collection::Stack => "a stack has push and pop",
                Collection::PriorityQueue => "a priority queue has insert and pop-min",
            });
        };
        let is_element = match (change, output) {
            (Change::Put(value), None | Some(Output::Ok)) => self.is_element(value),
            (Change::Take, None | Some(Output::Value(Atom::Null))) => true,
            (Change::Take, Some(Output::Value(value))) => self.is_element(value),
            (Change::Put(_) | Change::Take, Some(_)) => return Some("its output is of another operation"),
        };
        match self {
            _ if is_element => None,
            Collection::PriorityQueue => Some("the elements of a priority queue are integers"),
            Collection::Queue | Collection::Stack => Some("null says that it is empty; give every element a value"),
        }
    }

    fn apply(&self, state: &mut VecDeque<Atom>, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let taken = match (self.change(op), self) {
            (Some(Change::Put(value)), Collection::Queue | Collection::Stack) => {
                state.push_back(value);
                return true;
            }
            (Some(Change::Put(value)), Collection::PriorityQueue) => {
                state.insert(state.partition_point(|&other| other <= value), value);
                return true;
            }
            (Some(Change::Take), Collection::Queue | Collection::PriorityQueue) => state.pop_front(),
            (Some(Change::Take), Collection::Stack) => state.pop_back(),
            (None, _) => return false,
        };
        output.is_none_or(|output| output == Output::Value(taken.unwrap_or(Atom::Null)))
    }

    fn is_read_only(&self, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        matches!(self.change(op), Some(Change::Take)) && output == Some(Output::Value(Atom::Null))
    }

    fn show(&self, state: &VecDeque<Atom>, history: &History) -> String {
        super::shown(history, state.iter().copied())
    }

    fn kind(&self) -> Kind {
        match self {
            Collection::Queue => Kind::Queue,
            Collection::Stack => Kind::Stack,
            Collection::PriorityQueue => Kind::LeastPriorityQueue,
        }
    }

    fn action<'h>(&self, history: &'h History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<Action<'h>> {
        if self.misfit(history, op, output).is_some() {
            return None;
        }
        Some(match (self.change(op)?, output) {
            (Change::Put(value), _) => Action::Insert(value),
            (Change::Take, Some(Output::Value(Atom::Null))) => Action::RemoveNothing,
            (Change::Take, Some(Output::Value(value))) => Action::Remove(Some(value)),
            (Change::Take, _) => Action::Remove(None),
        })
    }
}
