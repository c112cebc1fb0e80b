//! What is worth telling beside the chain of causes: that chain says how a message came to be sent, and not how its sender came
//! to believe what it believed. So for each node in question the story has what made it what it was, for each entry in question
//! where it was appended, committed and removed, and the faults that were in force.

use super::units::{Units, listed};
use super::words::{self, span};
use super::{Row, Scene};
use crate::timeline::faults::{self, Band};
use crate::timeline::operations::{Operation, Part};
use crate::timeline::state::{Stand, term_at};
use crate::timeline::{Timeline, place};
use serde_json::Value;
use simulator::{Endpoint, NodeId, TraceEvent};
use std::collections::BTreeSet;

/// Most units of a story.
const TOLD_MAX: usize = 36;
/// Most faults in it.
const FAULTS_MAX: usize = 6;
/// Hops that are told of what made a node what it is.
const HOPS_OF_STAND: usize = 4;
/// Most entries that are followed.
const ENTRIES_MAX: usize = 3;

/// The units of a story, in order.
#[derive(Debug, Default)]
pub struct Told {
    /// By the events that began them.
    pub units: Vec<Row>,
    /// Earlier ones that found no room.
    pub left_out: usize,
    /// Whether the event that is explained has a chain of causes worth telling.
    pub has_cause: bool,
}

/// Chooses what to tell of a cluster that does not recover: when the faults ended, and what became of the nodes
/// before and since.
pub fn tell_of_recovery(scene: &Scene<'_, '_>, focus: Row) -> Told {
    let events = &scene.timeline.events[..=focus];
    let tells = |event: &TraceEvent| {
        matches!(
            &*event.kind,
            "role" | "crash" | "restart" | "install" | "truncate" | "heal"
        )
    };
    let telling = events.iter().enumerate().filter(|(_, event)| tells(event));
    let all: BTreeSet<Row> = telling.map(|(row, _)| scene.units.root(row)).collect();
    let left_out = all.len().saturating_sub(TOLD_MAX);
    Told {
        units: all.into_iter().skip(left_out).collect(),
        left_out,
        has_cause: false,
    }
}

/// Chooses what to tell of an event.
pub fn tell(scene: &Scene<'_, '_>, focus: Row) -> Told {
    let units = &scene.units;
    let (chain, _) = units.chain(focus, false);
    let mut told: BTreeSet<Row> = chain.iter().copied().collect();
    let cast = cast(scene, focus);
    for &node in &cast {
        told.extend(became(scene, node, focus));
    }
    for entry in named(scene).entries.into_iter().take(ENTRIES_MAX) {
        told.extend(fate_of(scene, entry, &cast, focus));
    }
    told.extend(operations(scene, focus));
    let from = told.first().map_or(0, |row| scene.timeline.events[*row].t);
    told.extend(struck(scene, from, focus, &cast));
    told.retain(|row| *row <= focus);
    let mut units: Vec<Row> = told.into_iter().collect();
    // The chain itself stays; of the rest the earliest go first.
    let mut left_out = 0;
    while units.len() > TOLD_MAX {
        let Some(first) = units.iter().position(|row| !chain.contains(row)) else {
            break;
        };
        units.remove(first);
        left_out += 1;
    }
    Told {
        units,
        left_out,
        has_cause: true,
    }
}

/// The nodes in question: where it happened, those that the message names, and those that led or had committed most.
fn cast(scene: &Scene<'_, '_>, focus: Row) -> BTreeSet<usize> {
    let timeline = scene.timeline;
    let mut cast = named(scene).nodes;
    cast.extend(timeline.lane_of(timeline.events[focus]));
    let all = 0..scene.lives.len();
    cast.extend(all.clone().filter(|node| leads(scene, *node, focus)));
    cast.extend(all.max_by_key(|node| (scene.state(*node, focus).commit, std::cmp::Reverse(*node))));
    cast.retain(|lane| *lane < scene.lives.len());
    cast
}

fn leads(scene: &Scene<'_, '_>, node: usize, row: Row) -> bool {
    scene.state(node, row).stand == Stand::Leader
}

/// What a failure is about, as the run noted it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    /// The nodes, by their lanes.
    nodes: BTreeSet<usize>,
    /// The log entries.
    entries: BTreeSet<u64>,
    /// The calls of the operations.
    calls: BTreeSet<Row>,
}

fn named(scene: &Scene<'_, '_>) -> Named {
    let Some(violated) = &scene.violated else {
        return Named::default();
    };
    let timeline = scene.timeline;
    let node = |number: &u64| timeline.lane(Endpoint::Node(NodeId(u16::try_from(*number).ok()?)));
    let call = |seq: &u64| timeline.events.iter().position(|event| event.seq == *seq);
    Named {
        nodes: violated.nodes.iter().filter_map(node).collect(),
        entries: violated.entries.iter().copied().collect(),
        calls: violated.operations.iter().filter_map(call).collect(),
    }
}

/// How a node came to be what it is: the unit in which it became it, and those that led there.
fn became(scene: &Scene<'_, '_>, node: usize, focus: Row) -> Vec<Row> {
    let states = &scene.lives[node].states;
    let now = scene.state(node, focus);
    let since = states
        .iter()
        .take_while(|(row, _)| *row <= focus)
        .filter(|(_, state)| (state.stand, state.term) != (now.stand, now.term))
        .count();
    let Some((row, _)) = states.get(since).filter(|(row, _)| *row <= focus) else {
        return Vec::new();
    };
    let (chain, _) = scene.units.chain(*row, false);
    let hops = match now.stand {
        Stand::Leader | Stand::Candidate | Stand::PreCandidate => HOPS_OF_STAND,
        _ => 2,
    };
    last_hops(scene, chain, hops)
}

/// The end of a chain; a disk that is done is no hop of its own.
fn last_hops(scene: &Scene<'_, '_>, chain: Vec<Row>, hops: usize) -> Vec<Row> {
    let mut left = hops;
    let wanted = |root: &Row| {
        let is_hop = scene.units.written(*root).is_none();
        let fits = left > 0;
        left -= usize::from(is_hop && fits);
        fits
    };
    chain.into_iter().rev().take_while(wanted).collect()
}

/// Where an entry was appended on the nodes in question, where it was removed, and who committed it first.
fn fate_of(scene: &Scene<'_, '_>, entry: u64, cast: &BTreeSet<usize>, focus: Row) -> Vec<Row> {
    let timeline = scene.timeline;
    let (mut rows, mut committed) = (Vec::new(), false);
    let mut appended = vec![None; scene.lives.len()];
    for (row, event) in timeline.events.iter().enumerate().take(focus + 1) {
        let Some(node) = timeline.lane_of(event).filter(|node| *node < scene.lives.len()) else {
            continue;
        };
        let spans =
            |low: Option<u64>, high: Option<u64>| low.zip(high).is_some_and(|(low, high)| low < entry && entry <= high);
        let number = |field| Timeline::number(event, field);
        match &*event.kind {
            "commit" if !committed && spans(number("was"), number("index")) => {
                committed = true;
                let (chain, _) = scene.units.chain(row, false);
                rows.extend(last_hops(scene, chain, HOPS_OF_STAND));
            }
            "append" if cast.contains(&node) && spans(number("was"), number("last")) => appended[node] = Some(row),
            "truncate" if cast.contains(&node) && spans(number("last"), number("was")) => rows.push(row),
            _ => {}
        }
    }
    rows.extend(appended.into_iter().flatten());
    rows.into_iter().map(|row| scene.units.root(row)).collect()
}

/// The calls and answers of the operations that contradict each other, and who served them.
fn operations(scene: &Scene<'_, '_>, focus: Row) -> Vec<Row> {
    let mut rows = Vec::new();
    let named = named(scene).calls;
    let parts = [Part::Stuck, Part::Core, Part::Context];
    let asked = |one: &&Operation| parts.contains(&one.part) || named.contains(&one.call);
    for operation in scene.operations.list.iter().filter(asked) {
        rows.push(scene.units.root(operation.call));
        if let Some(row) = operation.returned.filter(|row| *row <= focus) {
            let (chain, _) = scene.units.chain(row, false);
            rows.extend(last_hops(scene, chain, HOPS_OF_STAND));
        }
    }
    rows
}

/// The last faults that struck the nodes in question since the story began, by the events that began them.
fn struck(scene: &Scene<'_, '_>, from: u64, focus: Row, cast: &BTreeSet<usize>) -> Vec<Row> {
    let until = scene.timeline.events[focus].t;
    let bands = faults::bands(scene.timeline);
    let touches = |band: &&Band| band.lanes.iter().any(|lane| cast.contains(lane));
    let inside = |band: &&Band| band.row <= focus && band.from <= until && band.to >= from;
    let all: Vec<Row> = bands
        .iter()
        .filter(inside)
        .filter(touches)
        .map(|band| band.row)
        .collect();
    all.into_iter().rev().take(FAULTS_MAX).collect()
}

/// What is remarkable about the moment of an event.
pub fn remarks(scene: &Scene<'_, '_>, focus: Row) -> Vec<String> {
    let timeline = scene.timeline;
    let name = |node: usize| timeline.lanes[node].to_string();
    let mut remarks = Vec::new();
    let all = 0..scene.lives.len();
    let leaders: Vec<String> = all
        .clone()
        .filter(|node| leads(scene, *node, focus))
        .map(|node| led(scene, node, focus))
        .collect();
    match leaders.len() {
        0 => remarks.push("nobody leads".to_owned()),
        1 => remarks.push(format!("{} leads", leaders[0])),
        count => remarks.push(format!("{count} nodes lead: {}", listed(&leaders))),
    }
    let now = timeline.events[focus].t;
    for band in faults::bands(timeline) {
        if band.is_in_force(focus) {
            let label = words::plain(&band.label);
            let label = if band.kind == "cut" {
                format!("cut {label}")
            } else {
                label
            };
            remarks.push(format!("{label}, since {}", span(now - band.from)));
        }
    }
    remarks.extend(differing(scene, focus, &name));
    if let Some(answer) = served(timeline, &scene.units, focus) {
        remarks.push(answer);
    }
    remarks
}

fn led(scene: &Scene<'_, '_>, node: usize, focus: Row) -> String {
    let state = scene.state(node, focus);
    let states = scene.lives[node].states.iter().take_while(|(row, _)| *row <= focus);
    let since = states
        .filter(|(_, then)| then.stand == Stand::Leader && then.term == state.term)
        .map(|(row, _)| scene.timeline.events[*row].t)
        .next();
    let now = scene.timeline.events[focus].t;
    let since = since.map_or_else(String::new, |since| {
        format!(", for {}", span(now.saturating_sub(since)))
    });
    format!(
        "{} (term {}{since}, committed up to {})",
        scene.timeline.lanes[node], state.term, state.commit
    )
}

/// So many entries below what is committed are compared.
const COMPARED_MAX: u64 = 10_000;

/// Nodes whose logs differ from what somebody has committed: a divergence where both have committed the entry. Where only one has,
/// the other's entry is to be overwritten yet; that is nothing to remark of a run that passed.
fn differing(scene: &Scene<'_, '_>, focus: Row, name: &impl Fn(usize) -> String) -> Vec<String> {
    let all = 0..scene.lives.len();
    let commit = |node: usize| scene.state(node, focus).commit;
    let Some(best) = all.clone().max_by_key(|node| (commit(*node), std::cmp::Reverse(*node))) else {
        return Vec::new();
    };
    let term = |node: usize, index: u64| term_at(scene.lives[node].log_at(focus)?, index);
    let first = |other: usize, until: u64| {
        let from = until.saturating_sub(COMPARED_MAX).max(1);
        (from..=until)
            .filter_map(|index| Some((index, term(other, index)?, term(best, index)?)))
            .find(|(_, own, right)| own != right)
    };
    let remark = |other: usize| {
        let both = commit(other).min(commit(best));
        if let Some((index, own, right)) = first(other, both) {
            return Some(format!(
                "{} has committed entry {index} of term {own}, and {} one of term {right} there",
                name(other),
                name(best)
            ));
        }
        if scene.timeline.passed() {
            return None;
        }
        let (index, own, right) = first(other, commit(best).min(scene.state(other, focus).last))?;
        Some(format!(
            "{} has entry {index} of term {own}, not committed; {} has committed one of term {right} there",
            name(other),
            name(best)
        ))
    };
    all.filter(|other| *other != best).filter_map(remark).collect()
}

/// Who served the answer that is explained, if it is one.
fn served(timeline: &Timeline<'_>, units: &Units<'_, '_>, focus: Row) -> Option<String> {
    let root = timeline.events[units.root(focus)];
    (root.kind == "response").then_some(())?;
    let sent = timeline.causes[units.root(focus)]?;
    let server: &TraceEvent = timeline.events[sent];
    let from = place(server)?;
    let sort = server.fields.get("type").and_then(Value::as_str).unwrap_or("answer");
    Some(format!(
        "{from} gave this {} {} before",
        words::plain(sort),
        span(root.t.saturating_sub(server.t))
    ))
}
