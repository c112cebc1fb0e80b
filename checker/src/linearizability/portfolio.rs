//! The methods, in the order in which they are tried on each partition.
//!
//! | method | decides | rests on |
//! |---|---|---|
//! | [`Method::Order`] | any model, when the caller knows an order: replay it | its replay |
//! | [`Method::Zones`] | registers whose observed values are each written once | Gibbons and Korach 1997 |
//! | [`Method::Settling`] | registers with any values, within a budget | Lowe 2017, with reductions |
//! | [`Method::Positions`] | lists with distinct elements | the longest read is the order |
//! | [`Method::Queue`] | queues with distinct elements | Henzinger, Sezgin and Vafeiadis 2013 |
//! | [`Method::Stack`] | stacks with distinct elements | Lee and Mathur 2025 |
//! | [`Method::Priorities`] | priority queues with distinct elements | Lee and Mathur 2025 |
//! | [`Method::Elements`] | sets without reads of the whole that are linearizable | Herlihy and Wing 1990: locality |
//! | [`Method::Search`] | anything, within a budget | Wing and Gong 1993, Lowe 2017 |
//!
//! A fast method is never believed alone. The order that it finds is replayed against the model before the verdict is given;
//! the few operations that it says contradict each other are searched exhaustively as a history of their own. One that cannot
//! decide says so, and the next one is asked.
//!
//! Owns the choice, and the earliest return that is impossible (by halving: a fast method is cheap enough to be asked again).

use super::budget::Budget;
use super::elements::Elements;
use super::lists::Lists;
use super::lower::{Cells, Lowered, Moment, NEVER, Timed};
use super::sets;
use super::{settling, zones};
use crate::history::{History, OperationId};
use crate::models::{Action, Kind, Model};

/// How a partition was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The caller's order was replayed.
    Order,
    /// Zones with chains of compare-and-sets.
    Zones,
    /// The settling sweep.
    Settling,
    /// Positions in a list.
    Positions,
    /// The order of elements in a queue.
    Queue,
    /// What is at the bottom of a stack.
    Stack,
    /// Elements of a priority queue, the best first.
    Priorities,
    /// The elements of a set, each by the methods for registers.
    Elements,
    /// The general search.
    Search,
}

impl Method {
    /// Every method, in the order in which they are tried.
    pub const ALL: [Method; 9] = [
        Method::Order,
        Method::Zones,
        Method::Settling,
        Method::Positions,
        Method::Queue,
        Method::Stack,
        Method::Priorities,
        Method::Elements,
        Method::Search,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Method::Order => "order",
            Method::Zones => "zones",
            Method::Settling => "settling",
            Method::Positions => "positions",
            Method::Queue => "queue",
            Method::Stack => "stack",
            Method::Priorities => "priorities",
            Method::Elements => "elements",
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
    /// For each its return where that counts, else 0.
    returns: Vec<u64>,
    /// All operations called until then are meant, and `ops` are only those that stand out.
    is_everything: bool,
    /// An order of everything that had returned before the latest return, where the method has one at hand.
    pub(super) before: Option<Vec<u32>>,
}

impl Contradiction {
    /// The contradiction of all operations called until the latest return that is added.
    pub(super) fn everything() -> Self {
        Contradiction {
            is_everything: true,
            ..Contradiction::default()
        }
    }

    /// Adds an operation whose answer contradicts the others'.
    pub(super) fn add(&mut self, op: u32, returned: u64) {
        self.add_context(op);
        if returned != NEVER
            && let Some(place) = self.ops.iter().position(|&other| other == op)
        {
            self.returns[place] = returned;
        }
    }

    /// Adds an operation without which the others would be impossible for another reason.
    pub(super) fn add_context(&mut self, op: u32) {
        if !self.contains(op) {
            self.ops.push(op);
            self.returns.push(0);
        }
    }

    pub(super) fn ops(&self) -> &[u32] {
        &self.ops
    }

    pub(super) fn contains(&self, op: u32) -> bool {
        self.ops.contains(&op)
    }

    pub(super) fn map(mut self, to: impl Fn(u32) -> u32) -> Self {
        self.ops.iter_mut().for_each(|op| *op = to(*op));
        self
    }

    /// The latest return that counts; operations are indices in the partition.
    fn latest(&self) -> Moment {
        let returns = self.returns.iter().copied().zip(self.ops.iter().copied());
        returns
            .max()
            .expect("a contradiction names an operation that has returned")
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
    /// The operation that could not return.
    pub(super) stuck: OperationId,
    /// Whether there are operations besides the contradiction that could have interfered.
    pub(super) interference: bool,
    /// Whether the contradiction is all that had been called, and the method as exhaustive as the search.
    pub(super) is_exact: bool,
}

/// Asks the fast methods for `ids`, one partition. `None`: none of them can tell.
pub(super) fn decide<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    budget: &mut Budget<'_>,
) -> Option<(Method, Decided)> {
    match model.kind(history) {
        Kind::Register { initial } => {
            let lower = || Cells::new(history, model, ids, initial);
            let mut compares = false;
            let (method, mut decided) = ask(history, ids, lower, |cells| {
                compares |= cells.compares;
                match zones::decide(cells) {
                    Decision::Undecided => (Method::Settling, settling::decide(cells, budget)),
                    decision => (Method::Zones, decision),
                }
            })?;
            if let Decided::Impossible(impossible) = &mut decided
                && !impossible.is_exact
            {
                add_other_writers(history, model, ids, impossible, compares);
            }
            Some((method, decided))
        }
        Kind::List => {
            let lower = || Lists::new(history, model, ids);
            ask(history, ids, lower, |lists| (Method::Positions, lists.decide()))
        }
        Kind::Queue => {
            let lower = || Elements::new(history, model, ids);
            ask(history, ids, lower, |queue| {
                (Method::Queue, queue.decide(Elements::as_queue))
            })
        }
        Kind::Stack => {
            let lower = || Elements::new(history, model, ids);
            ask(history, ids, lower, |stack| {
                (Method::Stack, stack.decide(Elements::as_stack))
            })
        }
        kind @ (Kind::PriorityQueue | Kind::LeastPriorityQueue) => {
            let lower = || Elements::new(history, model, ids);
            let greatest_first = kind == Kind::PriorityQueue;
            ask(history, ids, lower, |queue| {
                (
                    Method::Priorities,
                    queue.decide(|queue| queue.by_priority(greatest_first)),
                )
            })
        }
        Kind::Set => {
            let order = sets::order(history, model, ids, budget)?;
            Some((Method::Elements, Decided::Order(order)))
        }
        Kind::Other => None,
    }
}

/// Asks `method` about what `lower` makes of the partition, and on a no for the earliest return at which it says so.
fn ask<L: Lowered>(
    history: &History,
    ids: &[OperationId],
    lower: impl Fn() -> Option<L>,
    mut method: impl FnMut(&L) -> (Method, Decision),
) -> Option<(Method, Decided)> {
    let id = |op: u32| ids[op as usize];
    let mut known = lower()?;
    let (by, contradiction) = match method(&known) {
        (by, Decision::Order(order)) => return Some((by, Decided::Order(order.into_iter().map(id).collect()))),
        (_, Decision::Undecided) => return None,
        (by, Decision::Impossible(contradiction)) => (by, contradiction),
    };
    let mut earliest = Earliest {
        by,
        stuck: contradiction.latest(),
        contradiction,
        prefix: Vec::new(),
    };
    // Most often everything before can be explained.
    let before = |moment: Moment| {
        moment
            .1
            .checked_sub(1)
            .map_or((moment.0 - 1, u32::MAX), |at| (moment.0, at))
    };
    if let Some(prefix) = earliest.contradiction.before.take() {
        earliest.prefix = prefix;
    } else if let Some(next) = last_until(&known, before(earliest.stuck)) {
        known.cut(next);
        match method(&known) {
            (_, Decision::Order(prefix)) => earliest.prefix = prefix,
            (_, Decision::Undecided) => return None,
            (by, Decision::Impossible(contradiction)) => {
                (earliest.by, earliest.contradiction) = (by, contradiction);
                earliest.stuck = next;
                earliest.approach(known, lower, method)?;
            }
        }
    }
    let Earliest {
        by,
        contradiction,
        stuck,
        prefix,
    } = earliest;
    let stuck = id(stuck.1);
    let mut ops: Vec<OperationId> = if contradiction.is_everything {
        let end = history.returned(stuck);
        let was_called = |&id: &OperationId| Some(history.call(id)) <= end;
        ids.iter().copied().filter(was_called).collect()
    } else {
        contradiction.ops.into_iter().map(id).collect()
    };
    ops.sort_unstable();
    let impossible = Impossible {
        contradiction: ops,
        stuck,
        prefix: prefix.into_iter().map(id).collect(),
        interference: !contradiction.is_everything,
        is_exact: contradiction.is_everything,
    };
    Some((by, Decided::Impossible(impossible)))
}

/// The last return up to `moment`.
fn last_until<L: Lowered>(known: &L, moment: Moment) -> Option<Moment> {
    let returns = known.ops().iter().map(Timed::moment);
    returns
        .filter(|&(returned, at)| returned != NEVER && (returned, at) <= moment)
        .max()
}

/// The earliest return so far that a method calls impossible, why, and an order of what had returned before some earlier one.
struct Earliest {
    by: Method,
    contradiction: Contradiction,
    stuck: Moment,
    prefix: Vec<u32>,
}

impl Earliest {
    /// Goes back from a return that is impossible, by twice as many each time, and then halves. `known` is what was known then.
    fn approach<L: Lowered>(
        &mut self,
        mut known: L,
        lower: impl Fn() -> Option<L>,
        mut method: impl FnMut(&L) -> (Method, Decision),
    ) -> Option<()> {
        let moments = known.moments(self.stuck);
        let rank = |last: Moment| moments.partition_point(|&moment| moment <= last);
        let mut known_until = moments.len();
        // What had returned by `possible` can be explained, what had by `impossible` cannot.
        let (mut possible, mut impossible) = (0, moments.len().min(rank(self.contradiction.latest())));
        let mut back = 1;
        while impossible - possible > 1 {
            let next = impossible
                .saturating_sub(back)
                .max(possible + (impossible - possible) / 2);
            if next > known_until {
                known = lower()?;
            }
            known.cut(moments[next - 1]);
            known_until = next;
            match method(&known) {
                (_, Decision::Order(order)) => {
                    self.prefix = order;
                    possible = next;
                    back = moments.len();
                }
                (by, Decision::Impossible(contradiction)) => {
                    impossible = next.min(rank(contradiction.latest()));
                    (self.by, self.contradiction) = (by, contradiction);
                    back = back.saturating_mul(2);
                }
                (_, Decision::Undecided) => return None,
            }
        }
        self.stuck = moments[impossible - 1];
        Some(())
    }
}

/// Most operations that [`add_other_writers`] adds of each sort.
const OTHER_WRITERS_MAX: usize = 32;

/// Adds the other compare-and-sets to a value of the contradiction, since it matters that they were refused, or found that
/// value; and the last others that wrote anything else, which explain the rest where one of the contradiction is not believed.
/// `compares`: whether there are compare-and-sets at all.
fn add_other_writers<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    impossible: &mut Impossible,
    compares: bool,
) {
    let contradiction = &mut impossible.contradiction;
    let action = |id: OperationId| model.action(history, &history.at_hand(id));
    let mut values = Vec::new();
    let mut end = 0;
    for &id in contradiction.iter() {
        end = end.max(history.returned(id).unwrap_or(0));
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
            history.call(id) <= end && action(id).is_some_and(wanted) && contradiction.binary_search(&id).is_err()
        };
        ids.iter()
            .rev()
            .copied()
            .filter(is_other)
            .take(OTHER_WRITERS_MAX)
            .collect()
    };
    let mut added = Vec::new();
    if compares {
        added.extend(others(
            &|action| matches!(action, Action::Cas { to, .. } if is_known(to)),
        ));
    }
    added.extend(others(&|action| match action {
        Action::Write(_) => true,
        Action::Cas { to, .. } => !is_known(to),
        _ => false,
    }));
    contradiction.extend(added);
    contradiction.sort_unstable();
    impossible.interference = ids.iter().any(|&id| {
        let writes = matches!(action(id), Some(Action::Write(_) | Action::Cas { .. }));
        writes && history.call(id) <= end && contradiction.binary_search(&id).is_err()
    });
}
