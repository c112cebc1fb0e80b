//! Collections of numbers: set, queue, stack, priority queue.

use super::{Answer, State};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What can be asked of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetCall {
    /// Put it in; the answer tells whether it was not there.
    Add(i64),
    /// Take it out; the answer tells whether it was there.
    Remove(i64),
    /// Whether it is there.
    Contains(i64),
    /// All of it, ascending.
    Read,
}

/// What can be asked of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueCall {
    /// Put it at the end.
    Enqueue(i64),
    /// Take the first.
    Dequeue,
}

/// What can be asked of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackCall {
    /// Put it on top.
    Push(i64),
    /// Take the top.
    Pop,
}

/// What can be asked of a priority queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityQueueCall {
    /// Put it in; it is its own priority.
    Insert(i64),
    /// Take the least.
    PopMin,
}

impl SetCall {
    pub(super) fn is_query(&self) -> bool {
        matches!(self, Self::Contains(_) | Self::Read)
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Contains(_) => "contains",
            Self::Read => "read",
        }
    }
}

impl QueueCall {
    pub(super) fn is_query(&self) -> bool {
        false
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Enqueue(_) => "enqueue",
            Self::Dequeue => "dequeue",
        }
    }
}

impl StackCall {
    pub(super) fn is_query(&self) -> bool {
        false
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Push(_) => "push",
            Self::Pop => "pop",
        }
    }
}

impl PriorityQueueCall {
    pub(super) fn is_query(&self) -> bool {
        false
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Insert(_) => "insert",
            Self::PopMin => "pop-min",
        }
    }
}

/// The elements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set(BTreeSet<i64>);

impl State for Set {
    type Call = SetCall;

    fn apply(&mut self, call: &SetCall) -> Answer {
        match call {
            SetCall::Add(element) => Answer::Done(self.0.insert(*element)),
            SetCall::Remove(element) => Answer::Done(self.0.remove(element)),
            SetCall::Contains(element) => Answer::Done(self.0.contains(element)),
            SetCall::Read => Answer::numbers(self.0.iter().copied()),
        }
    }
}

/// The elements, first first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue(VecDeque<i64>);

impl State for Queue {
    type Call = QueueCall;

    fn apply(&mut self, call: &QueueCall) -> Answer {
        match call {
            QueueCall::Enqueue(element) => {
                self.0.push_back(*element);
                Answer::Ok
            }
            QueueCall::Dequeue => self.0.pop_front().into(),
        }
    }
}

/// The elements, top last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack(Vec<i64>);

impl State for Stack {
    type Call = StackCall;

    fn apply(&mut self, call: &StackCall) -> Answer {
        match call {
            StackCall::Push(element) => {
                self.0.push(*element);
                Answer::Ok
            }
            StackCall::Pop => self.0.pop().into(),
        }
    }
}

/// How often each element is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorityQueue(BTreeMap<i64, u32>);

impl State for PriorityQueue {
    type Call = PriorityQueueCall;

    fn apply(&mut self, call: &PriorityQueueCall) -> Answer {
        match call {
            PriorityQueueCall::Insert(element) => {
                *self.0.entry(*element).or_default() += 1;
                Answer::Ok
            }
            PriorityQueueCall::PopMin => {
                let least = self.0.first_entry().map(|mut entry| {
                    let element = *entry.key();
                    *entry.get_mut() -= 1;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                    element
                });
                least.into()
            }
        }
    }
}
