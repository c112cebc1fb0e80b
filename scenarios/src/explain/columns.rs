//! The last events of each node beside each other: a line for each, a column for each node.

use super::units::{Units, listed};
use super::words;
use super::{Row, Scene};
use crate::timeline::Timeline;
use crate::timeline::state::Stand;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the cells mean.
pub const LEGEND: &str = "\
f follower   p pre-candidate   c candidate   L leader   x crashed   z paused; the number is the term
^ role   v vote   + append   - truncation   = commit   @ snapshot   o start   ! failure   * anything else";

/// The last events of each node.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Columns {
    /// The nodes.
    pub nodes: Vec<String>,
    /// The lines, in order.
    pub lines: Vec<Line>,
}

/// What one node did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// The number of the event.
    pub seq: u64,
    /// True time, in nanoseconds.
    pub t: u64,
    /// The column.
    pub node: usize,
    /// What the node was then, and a mark for each thing that it did.
    pub cell: String,
    /// The same in words.
    pub text: String,
}

/// The columns up to an event: the last of each node that changed it, and what the story tells of nodes.
pub fn columns(scene: &Scene<'_, '_>, focus: Option<Row>, told: &[Row], last: usize) -> Columns {
    let timeline = scene.timeline;
    let nodes = scene.lives.len();
    let mut chosen: BTreeSet<Row> = told
        .iter()
        .copied()
        .filter(|row| timeline.lane_of(timeline.events[*row]).is_some_and(|lane| lane < nodes))
        .filter(|root| rows_of(scene, *root).any(|row| mark(&timeline.events[row].kind).is_some()))
        .collect();
    let mut missing = vec![last; nodes];
    let mut seen = BTreeSet::new();
    let until = focus.map_or(0, |row| row + 1);
    for row in (0..until).rev() {
        if missing.iter().all(|count| *count == 0) {
            break;
        }
        let Some(node) = timeline.lane_of(timeline.events[row]).filter(|lane| *lane < nodes) else {
            continue;
        };
        let root = scene.units.root(row);
        if missing[node] > 0 && mark(&timeline.events[row].kind).is_some() && seen.insert(root) {
            chosen.insert(root);
            missing[node] -= 1;
        }
    }
    Columns {
        nodes: timeline.lanes[..nodes].iter().map(ToString::to_string).collect(),
        lines: chosen.into_iter().filter_map(|root| line(scene, root)).collect(),
    }
}

/// The units that changed a node, and the faults.
pub fn changes(timeline: &Timeline<'_>, units: &Units<'_, '_>) -> BTreeSet<Row> {
    let events = timeline.events.iter().enumerate();
    let changing = events.filter(|(_, event)| mark(&event.kind).is_some() || matches!(&*event.kind, "cut" | "mend"));
    changing.map(|(row, _)| units.root(row)).collect()
}

/// All events of a unit.
fn rows_of(scene: &Scene<'_, '_>, root: Row) -> impl Iterator<Item = Row> {
    std::iter::once(root).chain(scene.units.members(root))
}

fn line(scene: &Scene<'_, '_>, root: Row) -> Option<Line> {
    let timeline = scene.timeline;
    let node = timeline.lane_of(timeline.events[root])?;
    let rows: Vec<Row> = rows_of(scene, root).collect();
    let last = rows.iter().rev().find(|row| timeline.events[**row].kind != "violation");
    let state = scene.state(node, last.copied().unwrap_or(root));
    let stand = match state.stand {
        _ if state.paused => 'z',
        Stand::Absent => '.',
        Stand::Follower => 'f',
        Stand::PreCandidate => 'p',
        Stand::Candidate => 'c',
        Stand::Leader => 'L',
        Stand::Crashed => 'x',
    };
    let kinds: BTreeMap<char, ()> = rows
        .iter()
        .filter_map(|row| Some((mark(&timeline.events[*row].kind)?, ())))
        .collect();
    let marks: String = kinds.keys().collect();
    let marks = if marks.is_empty() { "*".to_owned() } else { marks };
    let sentence = scene.units.sentence(root);
    // There is little room beside the columns: what changed says more than what brought it about.
    let effects = scene.units.effects(root);
    let text = if effects.is_empty() {
        sentence.text
    } else {
        listed(&effects)
    };
    Some(Line {
        seq: sentence.seq,
        t: sentence.t,
        node,
        cell: format!("{stand}{}{marks}", state.term),
        text: words::plain(&text),
    })
}

/// The mark of what changes a node.
fn mark(kind: &str) -> Option<char> {
    Some(match kind {
        "role" => '^',
        "vote" => 'v',
        "append" => '+',
        "truncate" => '-',
        "commit" => '=',
        "install" | "snapshot" => '@',
        "boot" | "restart" | "resume" => 'o',
        "violation" => '!',
        "crash" | "exit" | "pause" | "torn" | "lost" => '*',
        _ => return None,
    })
}
