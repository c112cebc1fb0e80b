//! Why a history is not linearizable, for the person who has to find the bug.
//!
//! Owns the explanation of one key: the operation that cannot be placed, the core, the longest legal prefix, and a sentence.

use std::fmt;

use super::budget::Budget;
use super::core::{Core, Known, Shrink, search_among_others};
use super::portfolio::Impossible;
use super::search::Outcome;
use super::{Options, items};
use crate::history::{History, OperationId, Value};
use crate::models::{Misfit, Model};

/// Most states named in a sentence.
const STATES_SHOWN_MAX: usize = 4;

/// Most lines of a core that are displayed; the rest is counted.
const LINES_SHOWN_MAX: usize = 40;

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

    fn interval(&self) -> String {
        match self.returned {
            Some(returned) => format!("[{}, {returned}]", self.call),
            None => format!("[{}, …", self.call),
        }
    }
}

impl fmt::Display for OperationLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}  {}  {}", self.client, self.described, self.interval())
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
    /// The reason in a sentence or two.
    pub sentence: String,
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
    let compiled = model.compile(history, ids, &|_| true)?;
    let all = items(history, ids, &compiled);
    let mut budget = Budget::new(options.steps_max, options.configurations_max, None);
    let wild = known.is_some_and(|known| known.interference);
    let outcome = search_among_others(compiled, all.clone(), wild, &mut budget, STATES_SHOWN_MAX);
    let Outcome::Impossible { due, tails, .. } = outcome else {
        // Outside of tests the search has the last word, and nobody gets a wrong one.
        assert!(
            !cfg!(test) || matches!(outcome, Outcome::Exhausted { .. }),
            "a method says that {ids:?} contradict each other, and the search finds an order"
        );
        return Ok(None);
    };
    let id = |item: u32| ids[all[item as usize].step as usize];
    let stuck = id(due);
    let present = until(history, ids, stuck);
    let shrink = Shrink {
        history,
        model,
        known: &present,
        wild,
        budget: options.core_steps_max,
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
    let mut states: Vec<String> = orders.iter().map(|order| state_after(history, model, order)).collect();
    states.sort_unstable();
    states.dedup();
    let legal_prefix = orders.into_iter().max_by_key(Vec::len).unwrap_or_default();
    let key = match history.value(history.operation(stuck).op.key()) {
        Value::Null => String::new(),
        key => key.to_string(),
    };
    let line = |&id: &OperationId| OperationLine::new(history, id);
    let core: Vec<OperationLine> = core.iter().map(line).collect();
    let context: Vec<OperationLine> = context.iter().map(line).collect();
    let stuck = line(&stuck);
    let sentence = sentence(&stuck, &core, &states);
    Ok(Some(Refusal {
        key,
        stuck,
        core,
        is_core_minimal: is_minimal,
        context,
        legal_prefix,
        states,
        sentence,
    }))
}

/// The operations that were called when `stuck` returned, by call; those still in flight then have no return.
fn until(history: &History, ids: &[OperationId], stuck: OperationId) -> Vec<Known> {
    let end = history
        .operation(stuck)
        .returned
        .expect("an operation that is stuck has returned");
    let mut ids: Vec<OperationId> = ids
        .iter()
        .copied()
        .filter(|&id| history.operation(id).call <= end)
        .collect();
    ids.sort_by_key(|&id| history.operation(id).call);
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

fn state_after<M: Model>(history: &History, model: &M, order: &[OperationId]) -> String {
    let mut state = model.initial();
    for &id in order {
        let fits = model.apply(&mut state, history, history.operation(id));
        assert!(fits, "{id} fits the model in an order of the search");
    }
    model.show(&state, history)
}

fn sentence(stuck: &OperationLine, core: &[OperationLine], states: &[String]) -> String {
    let returned = stuck.returned.expect("an operation that is stuck has returned");
    let held = match states {
        [] => String::new(),
        [only] => format!("; the nearest leave the key holding {only}"),
        [first @ .., last] => format!("; the nearest leave the key holding {} or {last}", first.join(", ")),
    };
    let mut sentence = format!(
        "No order of what was called by {returned} makes the answer of `{}` by client {} true{held}.",
        stuck.described, stuck.client
    );
    let rest = if core.len() == 1 {
        " Nothing could have made it true, whichever of the other operations happened.".to_owned()
    } else {
        format!(
            " The {} operations of the core contradict each other, whichever of the others happened.",
            core.len()
        )
    };
    sentence.push_str(&rest);
    sentence
}

/// The stuck operation, core and context as aligned lines, and the sentence.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "first operation that cannot be placed:")?;
        write_lines(f, &[(&self.stuck, "")])?;
        let minimal = if self.is_core_minimal {
            "minimal"
        } else {
            "not shown to be minimal"
        };
        let plural = if self.core.len() == 1 { "" } else { "s" };
        writeln!(
            f,
            "impossible already ({} operation{plural}, {minimal}), whatever the others did:",
            self.core.len()
        )?;
        let core = self.core.iter().map(|line| (line, ""));
        let context = self.context.iter().map(|line| (line, "  (for context)"));
        let mut lines: Vec<(&OperationLine, &str)> = core.chain(context).collect();
        lines.sort_by_key(|(line, _)| (line.call, line.id));
        write_lines(f, &lines)?;
        write!(f, "{}", self.sentence)
    }
}

fn write_lines(f: &mut fmt::Formatter<'_>, lines: &[(&OperationLine, &str)]) -> fmt::Result {
    let shown = &lines[..lines.len().min(LINES_SHOWN_MAX)];
    let widest = |length: fn(&OperationLine) -> usize| shown.iter().map(|(line, _)| length(line)).max().unwrap_or(0);
    let client_width = widest(|line| line.client.to_string().len());
    let width = widest(|line| line.described.chars().count());
    for (line, note) in shown {
        let (client, described, interval) = (line.client, &line.described, line.interval());
        writeln!(
            f,
            "  client {client:>client_width$}  {described:<width$}  {interval}{note}"
        )?;
    }
    match lines.len() - shown.len() {
        0 => Ok(()),
        more => writeln!(f, "  … and {more} more"),
    }
}
