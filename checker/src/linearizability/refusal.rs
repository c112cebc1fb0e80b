//! Why a history is not linearizable, for the person who has to find the bug.
//!
//! Owns the explanation of one key: the operation that cannot be placed, the core, the longest legal prefix, the moment. The
//! reason in words is in `sentence`, how all of it looks is in `prose` and `picture`.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::core::{Core, Known, Shrink, question_steps_max, search_among_others};
use super::portfolio::Impossible;
use super::search::Outcome;
use super::sentence::Case;
use super::{Options, items};
use crate::history::{Atom, Disturbance, History, OperationId, Value};
use crate::models::{Action, Misfit, Model};

/// Most states named in a sentence.
const STATES_SHOWN_MAX: usize = 4;

/// Most disturbances that stand beside a core.
const DISTURBANCES_SHOWN_MAX: usize = 8;

/// Most operations at the end of an order that an attempt keeps.
const LAST_SHOWN_MAX: usize = 4;

/// Fewest operations of a suffix that is searched when a method says that a long history is impossible.
const SUFFIX_MIN: usize = 64;

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
        }
    }

    pub(super) fn interval(&self) -> String {
        match self.returned {
            Some(returned) => format!("[{}, {returned}]", self.call),
            None => format!("[{}, …", self.call),
        }
    }
}

/// Why the operations of one key have no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key in words; empty for a history without keys.
    pub key: String,
    /// The first operation, by return, that cannot be placed: everything that had returned before it can.
    pub stuck: OperationLine,
    /// Operations that are impossible together, in the order of their calls, `stuck` among them.
    ///
    /// They stay impossible when every other operation of the key is *set free*: its answer no longer counts, and it may or may
    /// not have taken effect between its call and its return. So nothing outside the core could save it.
    pub core: Vec<OperationLine>,
    /// Whether setting free any single operation of the core makes the rest explainable, and nothing can be left out of the
    /// context. `false` only when the budget for it was spent.
    pub is_core_minimal: bool,
    /// Free operations that close the core, in the order of their calls: with them, and without any other operation, the rest
    /// of the core is explainable as soon as one of it is set free. The write that a stale read returns is one.
    pub context: Vec<OperationLine>,
    /// An order that explains every operation which had returned before `stuck` did; as long as any.
    pub legal_prefix: Vec<OperationId>,
    /// Values that the key has after orders like `legal_prefix`: at most four, none of which `stuck` accepts.
    pub states: Vec<String>,
    /// How each of `states` came about.
    pub attempts: Vec<Attempt>,
    /// What was done to the system between the first call of the core and the return of `stuck`, the last of it; at most eight.
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

/// Explains why `ids`, which a search has shown to be impossible, are; or a fast method, which knows more. `None` when the search finds an order after all, or does not end: then `ids` were
/// impossible only in a fast method's opinion.
pub(super) fn explain<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    known: Option<&Impossible>,
    options: &Options,
) -> Result<Option<Refusal>, Misfit> {
    let mut size = match known {
        Some(known) if known.is_exact => SUFFIX_MIN,
        _ => ids.len(),
    };
    let everything = ids;
    let wild = known.is_some_and(|known| known.interference);
    let (ids, free, all, due, tails) = loop {
        let Suffix { ids, free } = Suffix::new(history, model, everything, size);
        let is_free = |id: OperationId| free.binary_search(&id).is_ok();
        let compiled = model.compile(history, &ids, &|id| !is_free(id))?;
        let mut all = items(history, &ids, &compiled);
        all.iter_mut()
            .for_each(|item| item.required &= !is_free(ids[item.step as usize]));
        let mut budget = Budget::new(options.steps_max, options.configurations_max, None);
        let outcome = search_among_others(compiled, all.clone(), wild, &mut budget, STATES_SHOWN_MAX);
        if let Outcome::Impossible { due, tails, .. } = outcome {
            break (ids, free, all, due, tails);
        }
        if size >= everything.len() {
            // Outside of tests the search has the last word, and nobody gets a wrong one.
            assert!(
                !cfg!(test) || matches!(outcome, Outcome::Exhausted { .. }),
                "a method says that {ids:?} contradict each other, and the search finds an order"
            );
            return Ok(None);
        }
        size = size.saturating_mul(8);
    };
    let ids = &ids[..];
    let id = |item: u32| ids[all[item as usize].step as usize];
    let stuck = id(due);
    let present = until(history, ids, stuck);
    let budget = match known {
        // What a method names is little already, or as much as it must be: all that a list was read to hold, say.
        Some(known) if !known.is_exact && ids.len() > NAMED_MAX => options.core_steps_max.min(NAMED_STEPS_MAX),
        _ => options.core_steps_max,
    };
    let shrink = Shrink {
        history,
        model,
        known: &present,
        wild,
        free: &free,
        budget,
        question_steps_max: question_steps_max(budget),
    };
    let Core {
        core,
        context,
        is_minimal,
    } = shrink.run()?;
    assert!(
        core.contains(&stuck),
        "without the operation that is stuck everything can be explained"
    );
    let orders: Vec<Vec<OperationId>> = match known {
        Some(known) => vec![known.prefix.clone()],
        None => tails
            .iter()
            .map(|order| order.iter().map(|&item| id(item)).collect())
            .collect(),
    };
    let mut attempts: Vec<Attempt> = orders.iter().map(|order| attempt(history, model, order)).collect();
    attempts.sort_by(|one, other| one.state.cmp(&other.state));
    attempts.dedup_by(|one, other| one.state == other.state);
    let states: Vec<String> = attempts.iter().map(|attempt| attempt.state.clone()).collect();
    let legal_prefix = orders.into_iter().max_by_key(Vec::len).unwrap_or_default();
    let key = match history.value(history.operation(stuck).op.key()) {
        Value::Null => String::new(),
        key => key.to_string(),
    };
    let sentence = Case {
        history,
        stuck,
        core: &core,
        context: &context,
        states: &states,
    }
    .sentence();
    let (event, events) = events(history, stuck);
    let disturbances = disturbances(history, &core, stuck);
    let line = |&id: &OperationId| OperationLine::new(history, id);
    let core: Vec<OperationLine> = core.iter().map(line).collect();
    let context: Vec<OperationLine> = context.iter().map(line).collect();
    let stuck = line(&stuck);
    Ok(Some(Refusal {
        key,
        stuck,
        core,
        is_core_minimal: is_minimal,
        context,
        legal_prefix,
        states,
        attempts,
        disturbances,
        event,
        events,
        sentence,
    }))
}

/// The end of a history that is too long to be searched, and of what was before all that can matter.
struct Suffix {
    /// In the order of the history.
    ids: Vec<OperationId>,
    /// Those of them whose answer does not count and that need not have happened: the last that brought each value. Any state that
    /// the others could have left is one that these can leave.
    free: Vec<OperationId>,
}

impl Suffix {
    /// The `size` operations of `ids` that were called last, and those that were in flight with them.
    fn new<M: Model>(history: &History, model: &M, ids: &[OperationId], size: usize) -> Self {
        let mut calls: Vec<u64> = ids.iter().map(|&id| history.call(id)).collect();
        calls.sort_unstable();
        let start = calls.len().checked_sub(size).map_or(0, |first| calls[first]);
        let mut last: BTreeMap<Atom, (u64, OperationId)> = BTreeMap::new();
        let mut lost: BTreeMap<(Atom, Option<Atom>), usize> = BTreeMap::new();
        let mut kept: Vec<OperationId> = Vec::new();
        for &id in ids.iter().rev() {
            let operation = history.operation(id);
            let action = model.action(history, &operation);
            match (operation.returned, action) {
                // More of one kind than there are operations in the suffix are of no use.
                (None, Some(Action::Write(to))) if start > operation.call => {
                    let count = lost.entry((to, None)).or_default();
                    *count += 1;
                    kept.extend((*count <= size).then_some(id));
                }
                (None, Some(Action::Cas { from, to, .. })) if start > operation.call => {
                    let count = lost.entry((to, Some(from))).or_default();
                    *count += 1;
                    kept.extend((*count <= size).then_some(id));
                }
                (
                    Some(returned),
                    Some(
                        Action::Write(to)
                        | Action::Cas {
                            to, done: Some(true), ..
                        },
                    ),
                ) if returned < start => {
                    let latest = last.entry(to).or_insert((returned, id));
                    *latest = (*latest).max((returned, id));
                }
                (Some(returned), Some(_)) if returned < start => {}
                _ => kept.push(id),
            }
        }
        let mut free: Vec<OperationId> = last.into_values().map(|(_, id)| id).collect();
        free.sort_unstable();
        kept.extend(&free);
        kept.sort_unstable();
        Suffix { ids: kept, free }
    }
}

/// The last disturbances between the first call of `core` and the return of `stuck`.
fn disturbances(history: &History, core: &[OperationId], stuck: OperationId) -> Vec<Disturbance> {
    let from = core.iter().map(|&id| history.call(id)).min().unwrap_or(0);
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

/// The operations that were called when `stuck` returned, by call; those still in flight then have no return.
fn until(history: &History, ids: &[OperationId], stuck: OperationId) -> Vec<Known> {
    let end = history
        .operation(stuck)
        .returned
        .expect("an operation that is stuck has returned");
    let mut ids: Vec<OperationId> = ids.iter().copied().filter(|&id| history.call(id) <= end).collect();
    ids.sort_by_key(|&id| history.call(id));
    let known = |id| {
        // The search takes equal returns in the order of the history.
        let returned = history
            .operation(id)
            .returned
            .filter(|&returned| (returned, id) <= (end, stuck));
        Known { id, returned }
    };
    ids.into_iter().map(known).collect()
}

/// What `order`, one that a method found, leaves.
fn attempt<M: Model>(history: &History, model: &M, order: &[OperationId]) -> Attempt {
    let mut state = model.initial();
    for &id in order {
        let fits = model.apply(&mut state, history, &history.at_hand(id));
        assert!(fits, "{id} fits the model in an order of the search");
    }
    let last = order[order.len().saturating_sub(LAST_SHOWN_MAX)..].to_vec();
    Attempt {
        described: last.iter().map(|&id| history.describe(id)).collect(),
        last,
        length: order.len(),
        state: model.show(&state, history),
    }
}
