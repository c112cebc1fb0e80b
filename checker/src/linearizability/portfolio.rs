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
//! | [`Method::Dependencies`] | transactions that write each value once to a key | Kingsbury and Alvaro 2020; of registers within a budget |
//! | [`Method::Search`] | anything, within a budget | Wing and Gong 1993, Lowe 2017 |
//!
//! The order that a fast method finds is replayed against the model before the verdict is given; the few operations that it says
//! contradict each other are where the search for a core begins, and a refusal rests on that core. One that cannot decide says so, and
//! the next one is asked.
//!
//! **What a "no" is worth.** The "no" of every fast method but [`Method::Elements`], which has none, is a proof of its own: of zones and
//! queues by the theorem that their modules state, of stacks and priorities because a choice that leaves the most room has met a dead
//! end, of dependencies because they are a cycle, of positions because the longest read leaves each operation one place, and of settling because every configuration is kept until
//! another can do all that it can. What is of unknown outcome is taken as whatever would help. So where the search finds neither a core
//! nor an order within its budget, the verdict is still the method's, and the refusal says only that; where it finds an order, which was
//! replayed, the method is not believed.
//!
//! Owns the choice, and the earliest return that is impossible (by halving: a fast method is cheap enough to be asked again).

use super::budget::Budget;
use super::dependencies::Dependencies;
use super::elements::Elements;
use super::lists::Lists;
use super::lower::{Cells, Lowered, Moment, NEVER, Timed};
use super::sets;
use super::{settling, zones};
use crate::history::{History, OperationId};
use crate::models::{Kind, Model};

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
    /// What transactions show of each other.
    Dependencies,
    /// The general search.
    Search,
}

impl Method {
    /// Every method, in the order in which they are tried.
    pub const ALL: [Method; 10] = [
        Method::Order,
        Method::Zones,
        Method::Settling,
        Method::Positions,
        Method::Queue,
        Method::Stack,
        Method::Priorities,
        Method::Elements,
        Method::Dependencies,
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
            Method::Dependencies => "dependencies",
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

    /// Whether an operation was named that has returned.
    pub(super) fn has_returned(&self) -> bool {
        self.returns.iter().any(|&returned| returned != 0 && returned != NEVER)
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

/// The earliest moment at which a partition became impossible, as far as a fast method knows. A core found by the search and a replay
/// of the prefix are what a refusal says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Impossible {
    /// Operations that contradict each other, in the order of the history; none when the method names only the moment.
    pub(super) contradiction: Vec<OperationId>,
    /// An order that explains every operation that had returned before.
    pub(super) prefix: Vec<OperationId>,
    /// The operation that could not return.
    pub(super) stuck: OperationId,
    /// Whether the method was asked about this very moment, of which no later answer was known. Otherwise it inferred it from the
    /// returns of the contradiction, and what had not returned by then may still have told.
    pub(super) is_proven: bool,
}

/// Asks the fast methods for `ids`, one partition. `None`: none of them can tell.
pub(super) fn decide<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    budget: &mut Budget<'_>,
) -> Option<(Method, Decided)> {
    decide_from(history, model, ids, Question::First, budget)
}

/// As [`decide`], for a partition that was possible before `impossible` and need not have become impossible there already: when
/// did it, asked of each moment with nothing known of later answers? `None`: the methods cannot tell.
pub(super) fn decide_later<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    impossible: &Impossible,
    budget: &mut Budget<'_>,
) -> Option<Impossible> {
    match decide_from(history, model, ids, Question::After(impossible), budget)? {
        (_, Decided::Impossible(impossible)) => Some(impossible),
        (_, Decided::Order(_)) => None,
    }
}

/// Whether a fast method says that `ids` are impossible as they were known when `stuck` returned.
pub(super) fn is_impossible_at<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    stuck: OperationId,
    budget: &mut Budget<'_>,
) -> bool {
    let Some((returned, place)) = history.returned(stuck).zip(ids.binary_search(&stuck).ok()) else {
        return false;
    };
    // Times are one more than recorded.
    let moment = (returned.saturating_add(1), place as u32);
    let decided = decide_from(history, model, ids, Question::At(moment), budget);
    matches!(decided, Some((_, Decided::Impossible(_))))
}

/// What the methods are asked.
#[derive(Clone, Copy)]
enum Question<'a> {
    /// Whether there is an order, and when not: since when.
    First,
    /// Since when there is none, which is not before this.
    After(&'a Impossible),
    /// Whether there is one of what was known at a moment.
    At(Moment),
}

fn decide_from<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    question: Question<'_>,
    budget: &mut Budget<'_>,
) -> Option<(Method, Decided)> {
    match model.kind(history) {
        Kind::Register { initial } => {
            let lower = |until| Cells::new(history, model, ids, initial, until);
            ask(ids, question, lower, |cells| match zones::decide(cells) {
                Decision::Undecided => (Method::Settling, settling::decide(cells, budget)),
                decision => (Method::Zones, decision),
            })
        }
        Kind::List => {
            let lower = |until| Lists::new(history, model, ids, until);
            ask(ids, question, lower, |lists| (Method::Positions, lists.decide()))
        }
        Kind::Queue => {
            let lower = |until| Elements::new(history, model, ids, until);
            ask(ids, question, lower, |queue| {
                (Method::Queue, queue.decide(Elements::as_queue))
            })
        }
        Kind::Stack => {
            let lower = |until| Elements::new(history, model, ids, until);
            ask(ids, question, lower, |stack| {
                (Method::Stack, stack.decide(Elements::as_stack))
            })
        }
        kind @ (Kind::PriorityQueue | Kind::LeastPriorityQueue) => {
            let lower = |until| Elements::new(history, model, ids, until);
            let greatest_first = kind == Kind::PriorityQueue;
            ask(ids, question, lower, |queue| {
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
        Kind::Transactions => {
            let initial = model.registers();
            let steps = budget.steps;
            let lower = |until| Dependencies::new(history, &initial, ids, until);
            ask(ids, question, lower, |known| {
                (Method::Dependencies, known.decide(steps))
            })
        }
        Kind::Other => None,
    }
}

/// Asks `method` about what `lower` makes of the partition, as it was known at a moment if that is given; and on a no for the
/// earliest return at which it says so, unless the question is about one moment.
fn ask<L: Lowered>(
    ids: &[OperationId],
    question: Question<'_>,
    lower: impl Fn(Option<Moment>) -> Option<L>,
    mut method: impl FnMut(&L) -> (Method, Decision),
) -> Option<(Method, Decided)> {
    let id = |op: u32| ids[op as usize];
    let at = match question {
        Question::At(moment) => Some(moment),
        Question::First | Question::After(_) => None,
    };
    let known = lower(at)?;
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
        is_proven: false,
    };
    let moments = || known.moments();
    if at.is_some() {
        earliest.is_proven = true;
    } else if let Question::After(from) = question {
        let moments = moments();
        let place = moments.iter().position(|&moment| id(moment.1) == from.stuck)?;
        let hint = place + 1;
        let prefix = from.prefix.iter();
        // Places in the partition, which is in the order of the history.
        earliest.prefix = prefix
            .filter_map(|id| ids.binary_search(id).ok().map(|at| at as u32))
            .collect();
        earliest.approach(&moments, (place, moments.len()), hint, &lower, &mut method)?;
    } else if let Some(prefix) = earliest.contradiction.before.take() {
        earliest.prefix = prefix;
    } else if let Some(before) = last_before(&known, earliest.stuck) {
        // Most often everything before can be explained.
        match method(&lower(Some(before))?) {
            (_, Decision::Order(prefix)) => earliest.prefix = prefix,
            (_, Decision::Undecided) => return None,
            (by, Decision::Impossible(contradiction)) => {
                let moments = moments();
                let rank = |last: Moment| moments.partition_point(|&moment| moment <= last);
                let (impossible, hint) = (rank(before), rank(contradiction.latest()));
                (earliest.by, earliest.contradiction) = (by, contradiction);
                earliest.approach(&moments, (0, impossible), hint, &lower, &mut method)?;
            }
        }
    }
    let Earliest {
        by,
        contradiction,
        stuck,
        prefix,
        is_proven,
    } = earliest;
    let mut ops: Vec<OperationId> = if contradiction.is_everything {
        Vec::new()
    } else {
        contradiction.ops.into_iter().map(id).collect()
    };
    ops.sort_unstable();
    let impossible = Impossible {
        contradiction: ops,
        stuck: id(stuck.1),
        prefix: prefix.into_iter().map(id).collect(),
        is_proven,
    };
    Some((by, Decided::Impossible(impossible)))
}

/// The last return before `moment`.
fn last_before<L: Lowered>(known: &L, moment: Moment) -> Option<Moment> {
    let returns = known.ops().iter().map(Timed::moment);
    returns.filter(|&other| other.0 != NEVER && other < moment).max()
}

/// The earliest return so far that a method calls impossible, why, and an order of what had returned before some earlier one.
struct Earliest {
    by: Method,
    contradiction: Contradiction,
    stuck: Moment,
    prefix: Vec<u32>,
    /// Whether the method was asked about `stuck` itself.
    is_proven: bool,
}

impl Earliest {
    /// Narrows down where the partition became impossible: what had returned by the first `possible` of `moments` can be explained,
    /// what had by the first `impossible` cannot. The last contradiction says `hint`, which is right most often; otherwise by twice as
    /// many each time, and then by halves.
    fn approach<L: Lowered>(
        &mut self,
        moments: &[Moment],
        (mut possible, mut impossible): (usize, usize),
        mut hint: usize,
        lower: &impl Fn(Option<Moment>) -> Option<L>,
        method: &mut impl FnMut(&L) -> (Method, Decision),
    ) -> Option<()> {
        let rank = |last: Moment| moments.partition_point(|&moment| moment <= last);
        let (mut back, mut ahead) = (1, 1);
        let mut is_hinted = true;
        while impossible - possible > 1 {
            let middle = possible + (impossible - possible) / 2;
            let by_hint = if hint > possible + 1 { hint - 1 } else { hint };
            let next = if is_hinted && (possible + 1..impossible).contains(&by_hint) {
                by_hint
            } else if possible > 0 {
                (possible + ahead).min(middle)
            } else {
                impossible.saturating_sub(back).max(middle)
            };
            is_hinted = !is_hinted;
            match method(&lower(Some(moments[next - 1]))?) {
                (_, Decision::Order(order)) => {
                    self.prefix = order;
                    possible = next;
                    ahead = ahead.saturating_mul(2);
                }
                (by, Decision::Impossible(contradiction)) => {
                    impossible = next;
                    hint = rank(contradiction.latest());
                    (self.by, self.contradiction) = (by, contradiction);
                    back = back.saturating_mul(2);
                    is_hinted = true;
                }
                (_, Decision::Undecided) => return None,
            }
        }
        self.stuck = moments[impossible - 1];
        self.is_proven = true;
        Some(())
    }
}
