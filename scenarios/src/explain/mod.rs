//! A failure in words: what was violated and by whom, how it came to that, and what each node did last.
//!
//! Owns the [`Explanation`] of a trace. `units` puts events together that belong together and follows causes from one to the
//! next, `words` says what an event says, `story` chooses what is worth telling beside the bare chain of causes, `columns` lays
//! the last events of each node beside each other. Everything is read from a [`Timeline`], so that this tells the same story as
//! the page and the exports.

mod columns;
mod story;
#[cfg(test)]
mod tests;
mod units;
mod words;

pub use columns::{Columns, LEGEND, Line};
pub use units::Sentence;
pub use words::span;

use crate::system;
use crate::timeline::operations::{self, Operations, Part};
use crate::timeline::state::{self, NodeLife, NodeState};
use crate::timeline::{Row, Timeline};
use checker::properties::PROPERTIES;
use serde::Serialize;
use simulator::TraceEvent;
use simulator::trace::events::Violated;
use units::Units;

/// What is asked of a trace.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The event to explain, by its number; the failure if none is given.
    pub at: Option<u64>,
    /// How many of the last events of each node stand in the columns.
    pub last: usize,
}

/// No event has this number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the trace has no event {seq}: its events are numbered {first} to {last}")]
pub struct NoSuchEvent {
    /// What was asked for.
    pub seq: u64,
    /// The lowest number.
    pub first: u64,
    /// The highest.
    pub last: u64,
}

/// The document of `squall explain`: a trace in words.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// `squall-explain/1`.
    pub schema: &'static str,
    /// `pass`, the signature of the failure, or `cut-short`.
    pub verdict: String,
    /// Where the trace ends, in a sentence, if it is cut short.
    pub cut_short: Option<String>,
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: String,
    /// The digest of all events.
    pub digest: String,
    /// The property that does not hold, and what it says; null for a run that passed.
    pub property: Option<Property>,
    /// What was found, in a sentence or two.
    pub message: Option<String>,
    /// Which event was judged, and the nodes, entries and operations that it is about; null for a failure that is no event's.
    pub violation: Option<Violated>,
    /// For what clients saw: which operations contradict each other, and why.
    pub operations: Option<String>,
    /// The planted bug that was switched on.
    pub bug: Option<String>,
    /// The event that is explained; null in a trace without events.
    pub moment: Option<Sentence>,
    /// What is remarkable about that moment.
    pub remarks: Vec<String>,
    /// Every node then.
    pub nodes: Vec<NodeThen>,
    /// How it came to this: what began it, what followed, and what the nodes in question became before.
    pub story: Vec<Sentence>,
    /// How many more events there would be to tell, before those in `story`.
    pub story_left_out: usize,
    /// The bare chain of causes, from the first on.
    pub chain: Vec<Sentence>,
    /// The last events of each node.
    pub columns: Columns,
}

/// A property by its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// What it says.
    pub about: Option<&'static str>,
    /// Where it comes from.
    pub source: Option<&'static str>,
}

/// A node at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeThen {
    /// Its name.
    pub node: String,
    /// What it is: `follower` and so on, `crashed`, or `absent`.
    pub stand: &'static str,
    /// Whether it is held.
    pub paused: bool,
    /// Its term.
    pub term: u64,
    /// Whom it voted for in this term.
    pub vote: Option<u64>,
    /// Its commit index.
    pub commit: u64,
    /// The last entry that it applied.
    pub applied: u64,
    /// The last entry of its log.
    pub last: u64,
    /// The terms of its last entries: first and last entry of each term.
    pub log: Vec<(u64, u64, u64)>,
}

/// Explains a trace.
///
/// # Errors
/// When the event that is asked for is not in the trace.
pub fn explain(timeline: &Timeline<'_>, question: Question) -> Result<Explanation, NoSuchEvent> {
    let scene = Scene::new(timeline);
    let focus = match question.at {
        Some(seq) => Some(scene.row_of(seq)?),
        None => scene.focus(),
    };
    let (header, footer) = (&timeline.trace.header, &timeline.trace.footer);
    // Of a trace that is cut short after the violation, what was found is known.
    let verdict = match &scene.violated {
        Some(violated) if footer.is_missing() => format!("{}/{}", violated.property, violated.rule),
        _ => footer.verdict.clone(),
    };
    let told = match focus {
        // Of a cluster that does not recover the last event is no more to blame than any other.
        Some(row) if question.at.is_none() && is_liveness(&verdict) => story::tell_of_recovery(&scene, row),
        Some(row) => story::tell(&scene, row),
        None => story::Told::default(),
    };
    let short = |text: &str| words::plain(text);
    Ok(Explanation {
        schema: "squall-explain/1",
        verdict: short(&verdict),
        cut_short: timeline.cut_short(),
        scenario: short(&header.scenario),
        seed: short(&header.seed),
        digest: short(&footer.digest),
        property: timeline.failed().then(|| property(&verdict)),
        message: scene.message(),
        violation: scene.violated.clone(),
        operations: scene.contradiction(),
        bug: scene.bug(),
        moment: focus.map(|row| scene.units.sentence(scene.units.root(row))),
        remarks: focus.map(|row| story::remarks(&scene, row)).unwrap_or_default(),
        nodes: focus.map(|row| scene.nodes(row)).unwrap_or_default(),
        chain: focus
            .filter(|_| told.has_cause)
            .map(|row| scene.chain(row, false).0)
            .unwrap_or_default(),
        columns: columns::columns(&scene, focus, &told.units, question.last),
        story: scene.units.sentences(&told.units),
        story_left_out: told.left_out,
    })
}

/// The chain of causes of one event, first cause first, and whether it goes back further than it is told.
///
/// # Errors
/// When the event is not in the trace.
pub fn why(timeline: &Timeline<'_>, seq: u64) -> Result<(Vec<Sentence>, bool), NoSuchEvent> {
    let scene = Scene::new(timeline);
    Ok(scene.chain(scene.row_of(seq)?, true))
}

/// When a run failed, in nanoseconds of true time; `None` if it passed or has no events.
pub fn failed_at(timeline: &Timeline<'_>) -> Option<u64> {
    let focus = Scene::new(timeline).focus().filter(|_| timeline.failed())?;
    Some(timeline.events[focus].t)
}

/// What changed a node, or struck one, after one true time and up to another, in nanoseconds; if nothing did, all that nodes went
/// through.
pub fn between(timeline: &Timeline<'_>, after: u64, until: u64) -> Vec<Sentence> {
    let units = Units::new(timeline);
    let inside = |row: &Row| (after.saturating_add(1)..=until).contains(&timeline.events[*row].t);
    let mut told: Vec<Row> = columns::changes(timeline, &units).into_iter().filter(inside).collect();
    if told.is_empty() {
        let of_nodes = |row: &Row| timeline.events[*row].node.is_some() && units.root(*row) == *row;
        told = (0..timeline.events.len()).filter(of_nodes).filter(inside).collect();
    }
    units.sentences(&told)
}

fn is_liveness(signature: &str) -> bool {
    let name = signature.split('/').next();
    name == Some(crate::recovery::RECOVERS) || name == Some("runs-on")
}

fn property(signature: &str) -> Property {
    let name = signature.split('/').next().unwrap_or(signature);
    let known = PROPERTIES.iter().find(|property| property.name == name);
    let about = match name {
        crate::run::LINEARIZABLE => Some("what clients saw is what one copy of the data would have shown them"),
        crate::run::MUST_NOT_HAPPEN => Some("no situation that the scenario's `[expect] never` names is reached"),
        crate::recovery::RECOVERS => Some("after the faults the cluster elects, converges and serves within a bound"),
        _ => known.map(|property| property.about),
    };
    Property {
        name: words::plain(name),
        about,
        source: known.map(|property| property.source),
    }
}

/// A text of many lines without control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

/// A trace and all that is read from it.
#[derive(Debug)]
struct Scene<'t, 'a> {
    timeline: &'t Timeline<'a>,
    units: Units<'t, 'a>,
    lives: Vec<NodeLife>,
    operations: Operations,
    violated: Option<Violated>,
}

impl<'t, 'a> Scene<'t, 'a> {
    fn new(timeline: &'t Timeline<'a>) -> Self {
        Self {
            timeline,
            units: Units::new(timeline),
            lives: state::lives(timeline),
            operations: operations::operations(timeline),
            violated: timeline.violated(),
        }
    }

    fn row_of(&self, seq: u64) -> Result<Row, NoSuchEvent> {
        let events = &self.timeline.events;
        let found = events.iter().position(|event| event.seq == seq);
        let numbers = || events.iter().map(|event| event.seq);
        found.ok_or_else(|| NoSuchEvent {
            seq,
            first: numbers().min().unwrap_or(0),
            last: numbers().max().unwrap_or(0),
        })
    }

    /// The event that was judged, the answer that cannot be, or the last event.
    fn focus(&self) -> Option<Row> {
        let stuck = || {
            let stuck = self.operations.list.iter().find(|one| one.part == Part::Stuck)?;
            stuck.returned
        };
        let is_told = |event: &&TraceEvent| !matches!(&*event.kind, "verdict" | "history" | "violation");
        let last = || self.timeline.events.iter().rposition(is_told);
        self.timeline.failing().or_else(stuck).or_else(last)
    }

    /// What was found, as the run noted it.
    fn message(&self) -> Option<String> {
        let noted = self
            .timeline
            .events
            .iter()
            .rev()
            .find(|event| matches!(&*event.kind, "violation" | "verdict"));
        let message = noted.and_then(|event| event.fields.get("message")?.as_str());
        let refusal = || self.operations.refusal.as_ref().map(|(sentence, _)| sentence.as_str());
        message.or_else(refusal).map(printable)
    }

    /// Which operations contradict each other, as the run noted it.
    fn contradiction(&self) -> Option<String> {
        let found = self.operations.refusal.as_ref().map(|(_, whole)| whole.as_str());
        let mut verdicts = self
            .timeline
            .events
            .iter()
            .rev()
            .filter(|event| event.kind == "verdict");
        let noted = || {
            verdicts
                .find_map(|event| event.fields.get("details")?.as_str())
                .filter(|text| !text.is_empty())
        };
        found.or_else(noted).map(printable)
    }

    fn bug(&self) -> Option<String> {
        let id = self.timeline.trace.header.run.as_ref()?.get("bug")?.as_str()?;
        let about = system::all().iter().find_map(|system| Some(system.bug(id).ok()?.about));
        Some(match about {
            Some(about) => format!("{}: {about}", words::plain(id)),
            None => words::plain(id),
        })
    }

    /// A node just after an event.
    fn state(&self, node: usize, row: Row) -> NodeState {
        self.lives[node].state_at(row)
    }

    fn nodes(&self, row: Row) -> Vec<NodeThen> {
        let then = |node: usize| {
            let state = self.state(node, row);
            NodeThen {
                node: self.timeline.lanes[node].to_string(),
                stand: state.stand.name(),
                paused: state.paused,
                term: state.term,
                vote: state.vote,
                commit: state.commit,
                applied: state.applied,
                last: state.last,
                log: self.log(node, row),
            }
        };
        (0..self.lives.len()).map(then).collect()
    }

    /// The last terms of a node's log: term, first and last entry.
    fn log(&self, node: usize, row: Row) -> Vec<(u64, u64, u64)> {
        const TERMS: usize = 3;
        let Some(log) = self.lives[node].log_at(row) else {
            return Vec::new();
        };
        let starts = std::iter::once(log.start.index).chain(log.terms.iter().map(|(_, last)| *last));
        let all = starts.zip(&log.terms);
        let all = all.map(|(before, (term, last))| (*term, before.saturating_add(1), *last));
        all.skip(log.terms.len().saturating_sub(TERMS)).collect()
    }

    fn chain(&self, row: Row, whole: bool) -> (Vec<Sentence>, bool) {
        let (roots, more) = self.units.chain(row, whole);
        (self.units.sentences(&roots), more)
    }
}
