//! Lists in place of single values: each seed draws one of them, from a stream that is named after the setting.
//!
//! The settings whose type is a [`Choice`](super::Choice) keep their list themselves. For all others a list means several scenarios
//! of one text: every combination is read once, so that none can turn out to contradict itself in the middle of a sweep, and
//! a seed gets its own by [`Scenario::of_seed`].
//!
//! Owns finding the lists, checking their combinations and drawing. Leaves to others: which keys may be lists (`section.rs`).

use super::document::{self, Node, Table, Value};
use super::error::Misfit;
use super::write::quoted;
use super::{Known, Result, Scenario, ScenarioError, parse, read};
use simulator::Stream;
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// Most combinations of values that the lists of a scenario may have.
const MAX_COMBINATIONS: usize = 4_096;

/// A setting with the values of which each seed draws one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternatives {
    /// The dotted path of the setting, as overrides write it: `network.queue`, `fault.0.max_down`.
    pub path: String,
    /// The values as they are written in TOML, in the order of the file; at least one. One that is listed twice is drawn twice as
    /// often.
    pub options: Vec<String>,
}

/// Where the reader notes lists that stand for one value: their paths.
pub(super) type Lists = Rc<RefCell<Vec<String>>>;

/// Reads a document in which lists may stand for single values. What comes back has the first value of each list, and the lists
/// beside it.
pub(super) fn read(document: &mut Table, known: &Known) -> Result<Scenario> {
    let lists = Lists::default();
    watch(document, &lists);
    let mut scenario = read::scenario(document, known)?;
    let paths = lists.take();
    if paths.is_empty() {
        return Ok(scenario);
    }
    let alternatives: Vec<Alternatives> = paths.into_iter().map(|path| alternatives(document, path)).collect();
    combinations(document, &alternatives, known)?;
    scenario.alternatives = alternatives;
    Ok(scenario)
}

fn watch(table: &mut Table, lists: &Lists) {
    table.lists = Some(Rc::clone(lists));
    for entry in &mut table.entries {
        watch_node(&mut entry.node, lists);
    }
}

fn watch_node(node: &mut Node, lists: &Lists) {
    match &mut node.value {
        Value::Table(table) => watch(table, lists),
        Value::List(items) => items.iter_mut().for_each(|item| watch_node(item, lists)),
        _ => {}
    }
}

fn alternatives(document: &mut Table, path: String) -> Alternatives {
    let options = list(document, &path).iter().map(|item| match &item.value {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(_) | Value::Table(_) | Value::Alien(..) => {
            unreachable!("`{path}` was read, and has {}", item.described())
        }
    });
    Alternatives {
        options: options.collect(),
        path,
    }
}

fn list<'t>(document: &'t mut Table, path: &str) -> &'t [Node] {
    match document::find(document, path).map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => unreachable!("`{path}` was noted as a list"),
    }
}

/// Reads every combination of the values, so that those which contradict each other are refused now.
fn combinations(document: &mut Table, alternatives: &[Alternatives], known: &Known) -> Result<()> {
    let sizes = || alternatives.iter().map(|setting| setting.options.len());
    let count = sizes().try_fold(1_usize, |count, size| {
        count.checked_mul(size).filter(|count| *count <= MAX_COMBINATIONS)
    });
    let Some(count) = count else {
        let last = alternatives.last().expect("without lists there is one combination");
        let mark = document::find(document, &last.path).map_or(document::Mark::Whole, |node| node.mark);
        let paths: Vec<String> = alternatives
            .iter()
            .map(|setting| format!("`{}`", setting.path))
            .collect();
        return Err(Misfit::unfit(
            mark,
            format!(
                "the lists of {} have more than {MAX_COMBINATIONS} combinations, and each is checked",
                paths.join(", ")
            ),
            "shorten the lists, or split the scenario",
        ));
    };
    // The first has been read.
    for number in 1..count {
        let mut rest = number;
        let mut chosen = document.clone();
        for (setting, size) in alternatives.iter().zip(sizes()) {
            let node = document::find(&mut chosen, &setting.path).expect("it was found before");
            if let Value::List(items) = &mut node.value {
                *node = items.swap_remove(rest % size);
            }
            rest /= size;
        }
        read::scenario(&chosen, known)?;
    }
    Ok(())
}

impl Scenario {
    /// The scenario that a seed runs, with one value of each list; it draws nothing for a swarm.
    ///
    /// # Errors
    /// Never for a scenario that was parsed: every combination has been read. A value that was built by hand may be refused.
    pub fn of_seed(&self, seed: u64) -> std::result::Result<Cow<'_, Self>, ScenarioError> {
        if self.alternatives.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        let draw = |setting: &Alternatives| {
            let place = Stream::new(seed, &setting.path, 0).below(setting.options.len() as u64);
            (setting.path.clone(), setting.options[place as usize].clone())
        };
        let drawn: Vec<_> = self.alternatives.iter().map(draw).collect();
        let plain = Self {
            alternatives: Vec::new(),
            // A swarm keeps the overrides for what it draws, and must not take these for its own.
            swarm: None,
            ..self.clone()
        };
        let name = format!("{} as drawn by seed {seed:#018x}", self.name);
        let chosen = parse(&name, &plain.to_toml(), &drawn, &self.known)?;
        Ok(Cow::Owned(Self {
            swarm: self.swarm.clone(),
            ..chosen
        }))
    }
}
