//! Which operations can matter beside a core, when all but the core are set free.
//!
//! "Whatever the others did" is a claim about every other operation of the key, and a history may have a million of them. Most can do
//! nothing for the core: what is left out here changes no answer, by an argument for each data type.
//!
//! - *Registers.* Only the last write before an operation that asks for the value matters, so no more free writes are needed than
//!   operations of the core that ask. Of the writes of one value, one whose interval lies within those of as many others is not needed:
//!   one of them is idle and can take its place. Of those that had returned before the core began, one of each value is enough: nothing
//!   of the core lies between them. A value that nobody in the core asks for matters only to a compare-and-set that was refused; where
//!   there are many of those, they are stood for by [interference](super::wild), which can do more.
//! - *Queues, stacks, priority queues.* Leave out an element with all its operations, and what is left is a history of the same type. So
//!   only elements matter that the core mentions; every free removal may take any of them.
//! - *Lists.* A read shows all that is in the list, so what no read of the core shows was not there.
//! - *Sets.* Elements are independent of each other, and what the core does not mention need not have been touched.
//!
//! Anything else: all others are kept. Owns the choice, and no question.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::excerpt::{Cut, set_free};
use super::lower::NEVER;
use crate::history::{Atom, History, Op, Operation, OperationId, Output};
use crate::models::{Action, Kind, Model};

/// Most writes of values that nobody asks for which take part in a search one by one.
const ELSEWHERE_SEARCHED_MAX: usize = 32;

/// Most of them that are kept at all: the last.
const ELSEWHERE_MAX: usize = 1 << 12;

/// What there is besides a core; all ascending.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Operations that can matter.
    pub(super) free: Vec<OperationId>,
    /// Operations that bring a value nobody asks for, to be stood for by interference.
    pub(super) elsewhere: Vec<OperationId>,
}

/// A free operation: its interval, and its name.
type Interval = (u64, u64, OperationId);

/// What can matter beside `core`, ascending, of the operations `ids` of one key that had been called by `cut`.
pub(super) fn around<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    core: &[OperationId],
    cut: Cut,
) -> Around {
    let scan = Scan {
        history,
        model,
        ids,
        core,
        cut,
    };
    let found = match model.kind(history) {
        Kind::Register { .. } => scan.register(),
        Kind::Queue | Kind::Stack | Kind::PriorityQueue | Kind::LeastPriorityQueue => scan.collection(),
        Kind::List => scan.list(),
        Kind::Set => scan.set(),
        Kind::Transactions | Kind::Other => None,
    };
    let mut found = found.unwrap_or_else(|| Around {
        free: scan.others().map(|(id, _)| id).collect(),
        elsewhere: Vec::new(),
    });
    found.free.sort_unstable();
    found.elsewhere.sort_unstable();
    found
}

struct Scan<'a, M> {
    history: &'a History,
    model: &'a M,
    ids: &'a [OperationId],
    core: &'a [OperationId],
    cut: Cut,
}

impl<M: Model> Scan<'_, M> {
    /// The others as far as they were known.
    fn others(&self) -> impl Iterator<Item = (OperationId, Operation)> {
        let is_other =
            |id: &OperationId| self.cut.was_called(self.history, *id) && self.core.binary_search(id).is_err();
        let others = self.ids.iter().copied().filter(is_other);
        others.map(|id| (id, self.cut.known(self.history.at_hand(id), id)))
    }

    fn of_core(&self) -> impl Iterator<Item = Operation> {
        let known = |&id: &OperationId| self.cut.known(self.history.operation(id), id);
        self.core.iter().map(known)
    }

    /// When the first operation of the core that has returned was called.
    fn start(&self) -> u64 {
        let returned = self.of_core().filter(|operation| operation.returned.is_some());
        returned.map(|operation| operation.call).min().unwrap_or(0)
    }

    /// `None`: an operation does more than to read, write or compare.
    fn register(&self) -> Option<Around> {
        let mut asked: Vec<Atom> = Vec::new();
        let (mut asks, mut misses) = (0, 0);
        for operation in self.of_core() {
            match self.model.action(self.history, &operation)? {
                Action::Read(value) => {
                    asked.push(value);
                    asks += 1;
                }
                Action::Cas { from, done, .. } => {
                    asked.push(from);
                    asks += 1;
                    misses += usize::from(done == Some(false));
                }
                Action::Write(_) | Action::Nothing => {}
                _ => return None,
            }
        }
        asked.sort_unstable();
        asked.dedup();
        let start = self.start();
        let mut before: Vec<Option<OperationId>> = vec![None; asked.len()];
        let mut during: Vec<Vec<Interval>> = vec![Vec::new(); asked.len()];
        let (mut elsewhere_before, mut elsewhere) = (None, Vec::new());
        for (id, operation) in self.others() {
            let to = match self.model.action(self.history, &set_free(operation))? {
                Action::Write(to) => to,
                Action::Nothing | Action::Read(_) => continue,
                _ => return None,
            };
            let returned = operation.returned.unwrap_or(NEVER);
            let interval = (operation.call.max(start), returned, id);
            match asked.binary_search(&to) {
                // Rather a write than what says that it wrote nothing.
                Ok(place) if returned < start => {
                    if before[place].is_none() || operation.output != Some(Output::Done(false)) {
                        before[place] = Some(id);
                    }
                }
                Ok(place) => during[place].push(interval),
                Err(_) if misses == 0 => {}
                Err(_) if returned < start => elsewhere_before = Some(id),
                Err(_) => elsewhere.push(interval),
            }
        }
        let mut free: Vec<OperationId> = before.into_iter().flatten().collect();
        for writes in during {
            free.extend(uncovered(writes, asks));
        }
        let mut elsewhere = uncovered(elsewhere, misses);
        if elsewhere.len() <= ELSEWHERE_SEARCHED_MAX {
            free.append(&mut elsewhere);
            free.extend(elsewhere_before);
        } else {
            elsewhere.sort_unstable();
            elsewhere.drain(..elsewhere.len().saturating_sub(ELSEWHERE_MAX));
            elsewhere.extend(elsewhere_before);
        }
        Some(Around { free, elsewhere })
    }

    fn collection(&self) -> Option<Around> {
        // For each element of the core, how often the core takes it.
        let mut taken: BTreeMap<Atom, usize> = BTreeMap::new();
        let mut inserted = 0;
        let mut first_insert = NEVER;
        for operation in self.of_core() {
            match self.model.action(self.history, &operation)? {
                Action::Insert(value) => {
                    taken.entry(value).or_default();
                    inserted += 1;
                    first_insert = first_insert.min(operation.call);
                }
                Action::Remove(Some(value)) => *taken.entry(value).or_default() += 1,
                Action::Remove(None) | Action::RemoveNothing | Action::Nothing => {}
                _ => return None,
            }
        }
        let mut inserts: BTreeMap<Atom, Vec<Interval>> = BTreeMap::new();
        let mut removes = Vec::new();
        for (id, operation) in self.others() {
            let interval = (operation.call, operation.returned.unwrap_or(NEVER), id);
            match self.model.action(self.history, &set_free(operation))? {
                // What the core does not take is in nobody's way when it was never put in.
                Action::Insert(value) if taken.get(&value).is_some_and(|&count| count > 0) => {
                    inserts.entry(value).or_default().push(interval);
                }
                // A removal before anything was put in by the core has nothing of it to take.
                Action::Remove(None) if interval.1 >= first_insert => removes.push(interval),
                Action::Insert(_) | Action::Remove(None) | Action::Nothing => {}
                _ => return None,
            }
        }
        let mut free = uncovered(removes, inserted);
        for (value, inserts) in inserts {
            free.extend(uncovered(inserts, taken[&value]));
        }
        Some(Around {
            free,
            elsewhere: Vec::new(),
        })
    }

    fn list(&self) -> Option<Around> {
        let mut shown: Vec<Atom> = Vec::new();
        for operation in self.of_core() {
            match self.model.action(self.history, &operation)? {
                Action::ReadAll(values) => shown.extend(values),
                Action::Insert(_) | Action::Nothing => {}
                _ => return None,
            }
        }
        shown.sort_unstable();
        shown.dedup();
        let mut free = Vec::new();
        for (id, operation) in self.others() {
            match self.model.action(self.history, &set_free(operation))? {
                Action::Insert(value) if shown.binary_search(&value).is_ok() => free.push(id),
                Action::Insert(_) | Action::Nothing => {}
                _ => return None,
            }
        }
        Some(Around {
            free,
            elsewhere: Vec::new(),
        })
    }

    fn set(&self) -> Option<Around> {
        let mut mentioned: Vec<Atom> = Vec::new();
        for operation in self.of_core() {
            match operation.op {
                Op::Add { value, .. } | Op::Remove { value, .. } | Op::Contains { value, .. } => mentioned.push(value),
                Op::Read { .. } => {
                    if let Some(Output::Value(Atom::List(list))) = operation.output {
                        mentioned.extend(self.history.list(list));
                    }
                }
                _ => return None,
            }
        }
        mentioned.sort_unstable();
        mentioned.dedup();
        let mut changes: BTreeMap<(Atom, bool), Vec<Interval>> = BTreeMap::new();
        for (id, operation) in self.others() {
            let (value, is_added) = match operation.op {
                Op::Add { value, .. } => (value, true),
                Op::Remove { value, .. } => (value, false),
                Op::Contains { .. } | Op::Read { .. } => continue,
                _ => return None,
            };
            if mentioned.binary_search(&value).is_ok() {
                let interval = (operation.call, operation.returned.unwrap_or(NEVER), id);
                changes.entry((value, is_added)).or_default().push(interval);
            }
        }
        let most = self.core.len() + 1;
        let changes = changes.into_values();
        Some(Around {
            free: changes.flat_map(|changes| uncovered(changes, most)).collect(),
            elsewhere: Vec::new(),
        })
    }
}

/// Of free operations with one effect, those whose interval does not lie within the intervals of `most` others.
fn uncovered(mut operations: Vec<Interval>, most: usize) -> Vec<OperationId> {
    operations.sort_unstable_by_key(|&(call, returned, id)| (call, Reverse(returned), id));
    // The latest returns so far, the least of them first.
    let mut latest: BinaryHeap<Reverse<u64>> = BinaryHeap::with_capacity(most + 1);
    let mut kept = Vec::new();
    for (_, returned, id) in operations {
        let is_full = latest.len() >= most;
        if is_full && latest.peek().is_none_or(|least| least.0 >= returned) {
            continue;
        }
        latest.push(Reverse(returned));
        if is_full {
            latest.pop();
        }
        kept.push(id);
    }
    kept
}
