//! Why a history is not linearizable, for the person who has to find the bug.
//!
//! Owns the explanation of one key: the operation that cannot be placed, the core, the longest legal prefix, the moment. The
//! reason in words is in `sentence`, how all of it looks is in `prose` and `picture`.

use super::bits::Bits;
use super::budget::Budget;
use super::core::{Core, Found, Quest};
use super::excerpt::{Cut, Excerpt};
use super::portfolio::Impossible;
use super::search::{Outcome, search};
use super::sentence::Case;
use super::{Method, Options, items};
use crate::history::{Clock, Disturbance, History, OperationId, Value};
use crate::models::{Misfit, Model};

/// Most states named in a sentence.
const STATES_SHOWN_MAX: usize = 4;

/// Most disturbances that stand beside a core.
const DISTURBANCES_SHOWN_MAX: usize = 8;

/// Most operations at the end of an order that an attempt keeps.
const LAST_SHOWN_MAX: usize = 4;

/// Last operations that are tried first as a core: where a search has shown that all are impossible, and where a method only says so.
const WINDOW_SEARCHED: usize = 4;
const WINDOW_SAID: usize = 64;

/// Operations that a method names, above which they are shrunk with at most so many steps.
const NAMED_MAX: usize = 24;
const NAMED_STEPS_MAX: u64 = 20_000;

/// One operation in a report. Displays as `client 3  read "x" -> "a"  [21, 25]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationLine {
    /// Which operation.
    pub id: OperationId,
    /// Who asked.
    pub client: u32,
    /// What was asked and answered, in words.
    pub described: String,
    /// When it was called.
    pub call: u64,
    /// When it returned; `None`: never.
    pub returned: Option<u64>,
    /// What the times count.
    pub clock: Clock,
}

impl OperationLine {
    fn new(history: &History, id: OperationId) -> Self {
        let operation = history.operation(id);
        OperationLine {
            id,
            client: operation.client,
            described: history.describe(id),
            call: operation.call,
            returned: operation.returned,
            clock: history.clock(),
        }
    }

    pub(super) fn interval(&self) -> String {
        self.clock.interval(self.call, self.returned)
    }
}

/// Why the operations of one key have no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key in words; empty for a history without keys.
    pub key: String,
    /// The operation at whose return the history became impossible: cut there, with what had not returned of unknown outcome, nothing
    /// explains it.
    pub stuck: OperationLine,
    /// Whether everything that had returned before `stuck` can be explained, so that no earlier return is impossible. `false` only when
    /// the budget was spent before the first such return was found.
    pub is_first: bool,
    /// Operations that are impossible together, in the order of their calls, `stuck` among them.
    ///
    /// They stay impossible when every other operation of the key is *set free*: its answer no longer counts, and it may or may
    /// not have taken effect between its call and its return (a compare-and-set then writes whatever it found). So nothing outside the
    /// core could save it. One of the core that had not returned when `stuck` did has an unknown outcome in this.
    ///
    /// Empty where `said_by` is given.
    pub core: Vec<OperationLine>,
    /// The method whose proof the verdict rests on, where no core could be shown within the budget.
    pub said_by: Option<Method>,
    /// Whether it was shown that setting free any single operation of the core makes the rest explainable, and that nothing can be left
    /// out of the context. `false` only when the budget for it was spent.
    pub is_core_minimal: bool,
    /// Free operations that close the core, in the order of their calls: with them, and without any other operation, the rest
    /// of the core is explainable as soon as one of it is set free. The write that a stale read returns is one. Empty where it is not
    /// known which.
    pub context: Vec<OperationLine>,
    /// An order that explains every operation which had returned before `stuck` did; as long as any. What had not returned by then has
    /// an unknown outcome in it. Where `is_first` is false, an order for some earlier moment, or none.
    pub legal_prefix: Vec<OperationId>,
    /// Values that the key has after orders like `legal_prefix`: at most four, none of which `stuck` accepts. Orders in which `stuck`
    /// took effect while it was in flight, otherwise than its answer tells, are left out.
    pub states: Vec<String>,
    /// How each of `states` came about.
    pub attempts: Vec<Attempt>,
    /// What was done to the system between the first call of the core (or of `stuck`) and the return of `stuck`, the last of it; at most eight.
    pub disturbances: Vec<Disturbance>,
    /// How many calls and returns the history has up to the return of `stuck`, which is the one that cannot be explained.
    pub event: usize,
    /// How many calls and returns it has.
    pub events: usize,
    /// The reason in a sentence or two.
    pub sentence: String,
}

/// One way to explain everything before the stuck operation, which it then refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The last operations of the order, at most four.
    pub last: Vec<OperationId>,
    /// The same in words.
    pub described: Vec<String>,
    /// How many operations the order has.
    pub length: usize,
    /// The value that it leaves.
    pub state: String,
}

/// What became of an explanation.
pub(super) enum Explained {
    Refusal(Box<Refusal>),
    /// At the moment that a method named there is an order after all.
    Later,
    /// Nothing was shown within the budget.
    Unknown,
}

/// Explains why `ids` are impossible, as a fast method says they are. All that is said is shown by the search, or replayed: the method is
/// asked for nothing but where to look.
pub(super) fn explain<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    known: &Impossible,
    options: &Options,
) -> Result<Explained, Misfit> {
    let cut = Cut::at(history, known.stuck);
    if !explains_before(history, model, ids, &known.prefix, cut) {
        return Ok(Explained::Unknown);
    }
    let shrink_steps = if known.contradiction.len() > NAMED_MAX {
        // It is little already, or as much as it must be: all that a list was read to hold, say.
        options.core_steps_max.min(NAMED_STEPS_MAX)
    } else {
        options.core_steps_max
    };
    let quest = Quest {
        history,
        model,
        ids,
        cut,
        hint: &known.contradiction,
        is_proven: false,
        trusts_hint: !known.is_proven,
        window: WINDOW_SAID,
        steps: options.steps_max,
        shrink_steps,
    };
    match quest.run()? {
        Found::Core(core) if core.core.contains(&known.stuck) => {
            let evidence = Evidence {
                cut,
                is_first: true,
                orders: vec![known.prefix.clone()],
            };
            Ok(Explained::Refusal(Box::new(refusal(
                history,
                model,
                known.stuck,
                core,
                evidence,
            ))))
        }
        Found::Possible => Ok(Explained::Later),
        Found::Core(_) | Found::Unknown => Ok(Explained::Unknown),
    }
}

/// Explains why `ids` are impossible, which a search has shown; it could not get beyond the return of `due`, later answers known.
pub(super) fn explain_searched<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    due: OperationId,
    options: &Options,
) -> Result<Refusal, Misfit> {
    let (stuck, evidence) = first_impossible(history, model, ids, due, options)?;
    let quest = Quest {
        history,
        model,
        ids,
        cut: evidence.cut,
        hint: &[],
        is_proven: true,
        trusts_hint: false,
        window: WINDOW_SEARCHED,
        steps: options.core_steps_max,
        shrink_steps: options.core_steps_max,
    };
    match quest.run()? {
        Found::Core(core) => Ok(refusal(history, model, stuck, core, evidence)),
        Found::Possible | Found::Unknown => unreachable!("everything together is a core, as a search has shown"),
    }
}

/// The refusal of `ids` that rests on the proof of `method`, no core having been shown. It says that they are impossible at the return
/// of `stuck` if there is a `prefix`, which may explain what had returned before; else once all of them had returned.
pub(super) fn unexplained<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    method: Method,
    stuck: OperationId,
    prefix: Option<&[OperationId]>,
) -> Box<Refusal> {
    let last = || ids.iter().copied().max_by_key(|&id| (history.returned(id), id));
    let stuck = match prefix {
        Some(_) => stuck,
        None => last().expect("what is impossible has an operation"),
    };
    let cut = Cut::at(history, stuck);
    let prefix = prefix.filter(|prefix| explains_before(history, model, ids, prefix, cut));
    let evidence = Evidence {
        cut,
        is_first: prefix.is_some(),
        orders: prefix.map(<[OperationId]>::to_vec).into_iter().collect(),
    };
    let none = Core {
        core: Vec::new(),
        context: Vec::new(),
        is_minimal: false,
    };
    let mut refusal = refusal(history, model, stuck, none, evidence);
    refusal.said_by = Some(method);
    refusal.sentence = format!(
        "No order of what was called by {} explains the answers known by then, as the method \"{}\" proves; which few operations \
         contradict each other could not be shown within the budget.",
        history.clock().time(history.returned(stuck).unwrap_or(u64::MAX)),
        method.name(),
    );
    Box::new(refusal)
}

/// What is known of the moment at which a history became impossible.
struct Evidence {
    cut: Cut,
    is_first: bool,
    /// Orders of what had returned before, each leaving another state.
    orders: Vec<Vec<OperationId>>,
}

/// What a search says of `ids` as they were known at one return.
enum Probe {
    /// Orders that lead up to it.
    Impossible(Vec<Vec<OperationId>>),
    Possible(Vec<OperationId>),
    Exhausted,
}

fn probe<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    cut: Cut,
    options: &Options,
) -> Result<Probe, Misfit> {
    let mut called = ids.to_vec();
    called.retain(|&id| cut.was_called(history, id));
    let excerpt = Excerpt::new(history, called, cut);
    let all: Vec<OperationId> = excerpt.history.ids().collect();
    let compiled = model.compile(&excerpt.history, &all, &|_| true)?;
    let items = items(&excerpt.history, &all, &compiled);
    let mut budget = Budget::new(options.steps_max, options.configurations_max, None);
    let outcome = search(
        &compiled.specification,
        &compiled.steps,
        &items,
        &mut budget,
        STATES_SHOWN_MAX,
    );
    let whole = |order: Vec<u32>| -> Vec<OperationId> {
        let place = |item: u32| items[item as usize].step as usize;
        order.into_iter().map(|item| excerpt.of[place(item)]).collect()
    };
    Ok(match outcome {
        Outcome::Order(order) => Probe::Possible(whole(order)),
        Outcome::Impossible { tails, .. } => Probe::Impossible(tails.into_iter().map(whole).collect()),
        Outcome::Exhausted { .. } => Probe::Exhausted,
    })
}

/// The first return at which `ids` are impossible when nothing is known of later answers; not before that of `due`.
fn first_impossible<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    due: OperationId,
    options: &Options,
) -> Result<(OperationId, Evidence), Misfit> {
    let mut returns: Vec<(u64, OperationId)> = ids
        .iter()
        .filter_map(|&id| history.returned(id).map(|returned| (returned, id)))
        .collect();
    returns.sort_unstable();
    let first = returns.partition_point(|&(returned, id)| (Some(returned), id) < (history.returned(due), due));
    // At the last return everything is known, and that is impossible. What had returned before the `possible`-th can be explained.
    let (mut possible, mut impossible) = (first, returns.len() - 1);
    let (mut ahead, mut next) = (1, first);
    let (mut orders, mut before, mut is_first) = (None, None, true);
    loop {
        let cut = Cut::at(history, returns[next].1);
        match probe(history, model, ids, cut, options)? {
            Probe::Impossible(tails) => (impossible, orders) = (next, Some(tails)),
            Probe::Possible(order) => (possible, before) = (next + 1, Some(order)),
            Probe::Exhausted => {
                is_first = false;
                break;
            }
        }
        if possible >= impossible && orders.is_some() {
            break;
        }
        next = (possible + ahead - 1).min(possible + (impossible - possible) / 2);
        ahead *= 2;
    }
    let stuck = returns[impossible].1;
    // Where later answers told early, the orders of the last search end early, too.
    let orders = match (before, orders) {
        (Some(before), _) => vec![before],
        (None, Some(orders)) if is_first => orders,
        (None, _) => Vec::new(),
    };
    let cut = Cut::at(history, stuck);
    Ok((stuck, Evidence { cut, is_first, orders }))
}

/// Whether `order` explains everything that had returned before the operation of `cut` did: by the model, and against real time.
fn explains_before<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    order: &[OperationId],
    cut: Cut,
) -> bool {
    let mut placed = <Box<[u64]> as Bits>::empty(history.len());
    let (mut state, mut latest_call) = (model.initial(), 0);
    for &id in order {
        let operation = cut.known_before(history.at_hand(id), id);
        latest_call = operation.call.max(latest_call);
        if placed.contains(id.index() as u32)
            || operation.call > cut.end()
            || operation.returned.is_some_and(|returned| returned < latest_call)
            || !model.apply(&mut state, history, &operation)
        {
            return false;
        }
        placed.insert(id.index() as u32);
    }
    let is_missing = |&id: &OperationId| {
        !placed.contains(id.index() as u32) && cut.known_before(history.at_hand(id), id).returned.is_some()
    };
    !ids.iter().any(is_missing)
}

/// The refusal of a key that is impossible at the return of `stuck`, because of `core`.
fn refusal<M: Model>(history: &History, model: &M, stuck: OperationId, core: Core, evidence: Evidence) -> Refusal {
    let Core {
        core,
        context,
        is_minimal,
    } = core;
    let Evidence { cut, is_first, orders } = evidence;
    let of_order = |order: &Vec<OperationId>| attempt(history, model, order, stuck, cut);
    let mut attempts: Vec<Attempt> = if is_first {
        orders.iter().filter_map(of_order).collect()
    } else {
        Vec::new()
    };
    attempts.sort_by(|one, other| one.state.cmp(&other.state));
    attempts.dedup_by(|one, other| one.state == other.state);
    let states: Vec<String> = attempts.iter().map(|attempt| attempt.state.clone()).collect();
    let legal_prefix = orders.into_iter().max_by_key(Vec::len).unwrap_or_default();
    let key = match history.value(history.operation(stuck).op.key()) {
        Value::Null => String::new(),
        key => key.to_string(),
    };
    let called = |id: &OperationId| cut.was_called(history, *id);
    let of_key = history.key_place(stuck);
    let mut others = history
        .ids()
        .filter(called)
        .filter(|&id| history.key_place(id) == of_key);
    let mut others = others.by_ref().map(|id| cut.known(history.at_hand(id), id));
    let remark = model.remark(history, &history.operation(stuck), &mut others);
    let sentence = Case {
        history,
        remark,
        stuck,
        cut,
        core: &core,
        context: &context,
        states: &states,
    }
    .sentence();
    let (event, events) = events(history, stuck);
    let disturbances = disturbances(history, &core, stuck);
    let line = |&id: &OperationId| OperationLine::new(history, id);
    Refusal {
        key,
        stuck: line(&stuck),
        is_first,
        core: core.iter().map(line).collect(),
        said_by: None,
        is_core_minimal: is_minimal,
        context: context.iter().map(line).collect(),
        legal_prefix,
        states,
        attempts,
        disturbances,
        event,
        events,
        sentence,
    }
}

/// The last disturbances between the first call of `core` and the return of `stuck`.
fn disturbances(history: &History, core: &[OperationId], stuck: OperationId) -> Vec<Disturbance> {
    let from = core
        .iter()
        .chain([&stuck])
        .map(|&id| history.call(id))
        .min()
        .unwrap_or(0);
    let until = history.returned(stuck).unwrap_or(u64::MAX);
    let touching = |one: &&Disturbance| one.touches(from, until);
    let mut last: Vec<Disturbance> = history
        .disturbances()
        .iter()
        .rev()
        .filter(touching)
        .take(DISTURBANCES_SHOWN_MAX)
        .cloned()
        .collect();
    last.reverse();
    last
}

/// Calls and returns up to the return of `stuck`, and in all.
fn events(history: &History, stuck: OperationId) -> (usize, usize) {
    let end = history.returned(stuck).unwrap_or(u64::MAX);
    let (mut until, mut all) = (0, 0);
    for time in history.events() {
        until += usize::from(time <= end);
        all += 1;
    }
    (until, all)
}

/// What `order` leaves; `None` when `stuck` could follow, as where it took effect while it was in flight otherwise than its answer tells.
fn attempt<M: Model>(
    history: &History,
    model: &M,
    order: &[OperationId],
    stuck: OperationId,
    cut: Cut,
) -> Option<Attempt> {
    let known = |id: OperationId| cut.known_before(history.at_hand(id), id);
    let mut state = model.initial();
    for &id in order {
        if !model.apply(&mut state, history, &known(id)) {
            return None;
        }
    }
    if model.apply(&mut state.clone(), history, &history.at_hand(stuck)) {
        return None;
    }
    let last = order[order.len().saturating_sub(LAST_SHOWN_MAX)..].to_vec();
    Some(Attempt {
        described: last.iter().map(|&id| history.describe_as(&known(id))).collect(),
        last,
        length: order.len(),
        state: model.show(&state, history),
    })
}
