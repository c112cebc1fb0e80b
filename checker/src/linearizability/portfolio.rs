//! The methods, in the order in which they are tried on each partition.
//!
//! | method | decides | rests on |
//! |---|---|---|
//! | [`Method::Order`] | any model, when the caller knows an order: replay it | its replay |
//! | [`Method::Zones`] | registers whose observed values are each written once | Gibbons and Korach 1997 |
//! | [`Method::Search`] | anything, within a budget | Wing and Gong 1993, Lowe 2017 |
//!
//! A fast method is never believed alone. The order that it finds is replayed against the model before the verdict is given;
//! the few operations that it says contradict each other are searched exhaustively as a history of their own. One that cannot
//! decide says so, and the next one is asked.
//!
//! Owns the choice, and the earliest return that is impossible (by halving: a fast method is cheap enough to be asked again).

use super::lower::{Cells, NEVER};
use super::zones;
use crate::history::{History, OperationId};
use crate::models::{Action, Kind, Model};

/// How a partition was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The caller's order was replayed.
    Order,
    /// Zones with chains of compare-and-sets.
    Zones,
    /// The general search.
    Search,
}

impl Method {
    /// Every method, in the order in which they are tried.
    pub const ALL: [Method; 3] = [Method::Order, Method::Zones, Method::Search];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Method::Order => "order",
            Method::Zones => "zones",
            Method::Search => "search",
        }
    }
}

/// What a fast method says. Operations are indices in the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// An order that should explain everything.
    Order(Vec<u32>),
    /// There is none, because of these.
    Impossible(Contradiction),
    /// The method does not tell.
    Undecided,
}

/// Few operations that no order explains, as a history of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contradiction {
    ops: Vec<u32>,
    /// The latest return that counts.
    returned: u64,
}

impl Contradiction {
    /// Adds an operation whose answer contradicts the others'.
    pub(super) fn add(&mut self, op: u32, returned: u64) {
        if returned != NEVER {
            self.returned = self.returned.max(returned);
        }
        self.add_context(op);
    }

    /// Adds an operation without which the others would be impossible for another reason.
    pub(super) fn add_context(&mut self, op: u32) {
        if !self.contains(op) {
            self.ops.push(op);
        }
    }

    pub(super) fn contains(&self, op: u32) -> bool {
        self.ops.contains(&op)
    }

    pub(super) fn map(mut self, to: impl Fn(u32) -> u32) -> Self {
        self.ops.iter_mut().for_each(|op| *op = to(*op));
        self
    }
}

/// A decided partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    Order(Vec<OperationId>),
    Impossible(Impossible),
}

/// The earliest moment at which a partition became impossible, as far as a fast method knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Impossible {
    /// Impossible as a history of their own; in the order of the history.
    pub(super) contradiction: Vec<OperationId>,
    /// An order that explains every operation that had returned before.
    pub(super) prefix: Vec<OperationId>,
    /// Whether there are operations besides the contradiction that could have interfered.
    pub(super) interference: bool,
}

/// Asks the fast methods for `ids`, one partition. `None`: none of them can tell.
pub(super) fn decide<M: Model>(history: &History, model: &M, ids: &[OperationId]) -> Option<(Method, Decided)> {
    match model.kind(history) {
        Kind::Register { initial } => {
            let cells = Cells::new(history, model, ids, initial)?;
            let mut decided = ask(&cells, ids, zones::decide)?;
            if let Decided::Impossible(impossible) = &mut decided {
                add_other_writers(history, model, ids, impossible);
            }
            Some((Method::Zones, decided))
        }
        _ => None,
    }
}

/// Asks `method`, and on a no for the earliest return at which it says so.
fn ask(cells: &Cells, ids: &[OperationId], method: impl Fn(&Cells) -> Decision) -> Option<Decided> {
    let id = |op: u32| ids[op as usize];
    let mut contradiction = match method(cells) {
        Decision::Order(order) => return Some(Decided::Order(order.into_iter().map(id).collect())),
        Decision::Undecided => return None,
        Decision::Impossible(contradiction) => contradiction,
    };
    let by_return = cells.by_return();
    let rank = |returned: u64| by_return.partition_point(|&op| cells.ops[op as usize].returned <= returned);
    // What had returned by `possible` can be explained, what had by `impossible` cannot. Most often it is the last one.
    let (mut possible, mut impossible) = (0, rank(contradiction.returned));
    let mut prefix = Vec::new();
    let mut next = impossible.saturating_sub(1);
    while impossible - possible > 1 {
        match method(&cells.until(&by_return, next)) {
            Decision::Order(order) => {
                prefix = order;
                possible = next;
            }
            Decision::Impossible(earlier) => {
                impossible = next.min(rank(earlier.returned));
                contradiction = earlier;
            }
            Decision::Undecided => return None,
        }
        next = possible + (impossible - possible) / 2;
    }
    let mut contradiction: Vec<OperationId> = contradiction.ops.into_iter().map(id).collect();
    contradiction.sort_unstable();
    Some(Decided::Impossible(Impossible {
        contradiction,
        prefix: prefix.into_iter().map(id).collect(),
        interference: true,
    }))
}

/// Most operations that [`add_other_writers`] adds of each sort.
const OTHER_WRITERS_MAX: usize = 32;

/// Adds the other compare-and-sets to a value of the contradiction, since it matters that they were refused, or found that
/// value; and the last others that wrote anything else, which explain the rest where one of the contradiction is not believed.
fn add_other_writers<M: Model>(history: &History, model: &M, ids: &[OperationId], impossible: &mut Impossible) {
    let contradiction = &mut impossible.contradiction;
    let action = |id: OperationId| model.action(history, history.operation(id));
    let mut values = Vec::new();
    let mut end = 0;
    for &id in contradiction.iter() {
        end = end.max(history.operation(id).returned.unwrap_or(0));
        match action(id) {
            Some(Action::Read(value) | Action::Write(value)) => values.push(value),
            Some(Action::Cas { from, to, .. }) => values.extend([from, to]),
            _ => {}
        }
    }
    values.sort_unstable();
    let is_known = |value| values.binary_search(&value).is_ok();
    let others = |wanted: &dyn Fn(Action<'_>) -> bool| -> Vec<OperationId> {
        let is_other = |&id: &OperationId| {
            history.operation(id).call <= end
                && action(id).is_some_and(wanted)
                && contradiction.binary_search(&id).is_err()
        };
        ids.iter()
            .rev()
            .copied()
            .filter(is_other)
            .take(OTHER_WRITERS_MAX)
            .collect()
    };
    let mut added = others(&|action| matches!(action, Action::Cas { to, .. } if is_known(to)));
    added.extend(others(&|action| match action {
        Action::Write(_) => true,
        Action::Cas { to, .. } => !is_known(to),
        _ => false,
    }));
    contradiction.extend(added);
    contradiction.sort_unstable();
    impossible.interference = ids.iter().any(|&id| {
        let writes = matches!(action(id), Some(Action::Write(_) | Action::Cas { .. }));
        writes && history.operation(id).call <= end && contradiction.binary_search(&id).is_err()
    });
}
