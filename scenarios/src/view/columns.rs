//! The events as columns of small numbers, which compress well and which a browser reads fast.
//!
//! Lanes, kinds and types are numbers in tables; times and numbers are differences to the line above; a cause is so many lines
//! up. What else an event says is its JSON as text, read only when somebody looks; what arrives says what was sent, so it says
//! nothing.

use crate::timeline::faults::{self, Band};
use crate::timeline::operations::{self, Operations, Outcome, Part};
use crate::timeline::state::{self, NodeLife};
use crate::timeline::{Row, Timeline, seconds};
use serde::Serialize;
use serde_json::{Value, json};
use simulator::TraceEvent;
use simulator::trace::events::{LogHeld, LogMark};
use std::collections::BTreeMap;

/// Longest detail of one event, in bytes.
const DETAIL_MAX: usize = 16 << 10;
/// Longest text of a fault or an operation, in bytes.
const LABEL_MAX: usize = 200;
/// So many distinct kinds and types have a name of their own.
const NAMES_MAX: usize = 1000;

/// The fields of events that are nanoseconds.
const TIMES: [(&str, &str); 5] = [
    ("violation", "at"),
    ("timer", "local"),
    ("crash", "restart_after"),
    ("pause", "resume_after"),
    ("clock", "by"),
];

/// All that a page can show of a trace.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The trace.
    pub timeline: &'a Timeline<'a>,
    /// Each node's life.
    pub lives: Vec<NodeLife>,
    /// The faults.
    pub bands: Vec<Band>,
    /// The operations of clients.
    pub operations: Operations,
}

impl<'a> Contents<'a> {
    /// Gathers them.
    pub fn new(timeline: &'a Timeline<'a>) -> Self {
        Self {
            timeline,
            lives: state::lives(timeline),
            bands: faults::bands(timeline),
            operations: operations::operations(timeline),
        }
    }

    /// The event that the page opens at: the one that was judged, the operation that cannot be placed, or else the end.
    pub fn focus(&self) -> Option<Row> {
        let stuck = || {
            let stuck = self
                .operations
                .list
                .iter()
                .find(|operation| operation.part == Part::Stuck)?;
            stuck.returned
        };
        let is_told = |event: &&TraceEvent| !matches!(&*event.kind, "verdict" | "history" | "violation");
        let last = || self.timeline.events.iter().rposition(is_told);
        let failed = || (!self.timeline.passed()).then(last).flatten();
        // The violation itself, where nothing else came between it and what it is about.
        let judged = self
            .timeline
            .failing()
            .map(|row| match self.timeline.events.get(row + 1) {
                Some(next) if next.kind == "violation" => row + 1,
                _ => row,
            });
        judged.or_else(stuck).or_else(failed)
    }

    /// The part of the page that depends on the trace, with those events that are flagged.
    pub fn data(&self, keep: &[bool]) -> Value {
        let rows = Rows::new(keep);
        json!({
            "lanes": self.timeline.lanes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "nodes": self.timeline.nodes(),
            "end": self.timeline.end(),
            "total": keep.len(),
            "focus": self.focus().map(|row| rows.at(row)),
            "passed": !self.timeline.failed(),
            "events": self.events(&rows),
            "lives": self.lives.iter().map(|life| packed(life, &rows)).collect::<Vec<_>>(),
            "bands": self.bands.iter().filter(|band| rows.exactly(band.row).is_some()).map(|band| json!([
                band.kind, shortened(band.label.clone(), LABEL_MAX), rows.at(band.row), band.from, band.to,
                band.lanes.iter().take(LABEL_MAX).collect::<Vec<_>>(),
            ])).collect::<Vec<_>>(),
            "operations": self.operations(&rows),
            "refusal": self.operations.refusal.as_ref().map(|(_, whole)| shortened(whole.clone(), DETAIL_MAX)),
            "linearizability": self.operations.verdict,
        })
    }

    fn events(&self, rows: &Rows) -> Events {
        let (mut names, mut events) = (Names::default(), Events::default());
        let (mut seq, mut time) = (0, 0);
        let number = |lane: Option<usize>| lane.map_or(-1, |lane| lane as i64);
        for (place, &row) in rows.kept.iter().enumerate() {
            let event = self.timeline.events[row];
            events.seq.push(i128::from(event.seq) - seq);
            events.t.push(i128::from(event.t) - time);
            (seq, time) = (event.seq.into(), event.t.into());
            events.lane.push(number(self.timeline.lane_of(event)));
            events.peer.push(number(self.timeline.peer_of(event)));
            events.kind.push(names.of(&event.kind));
            let sort = event.fields.text("type");
            events.sort.push(sort.map_or(-1, |sort| names.of(&sort)));
            let cause = self.timeline.causes[row].and_then(|cause| rows.exactly(cause));
            events.cause.push(cause.map_or(0, |cause| (place - cause) as u64));
            events.detail.push(self.detail(row, event));
        }
        events.names = names.list;
        events
    }

    /// The text that an event has beside its columns; null if its cause says it.
    fn detail(&self, row: Row, event: &TraceEvent) -> Option<String> {
        let mut fields = event.fields.to_map();
        let is_end = matches!(&*event.kind, "deliver" | "request" | "response" | "drop");
        let sent = self.timeline.causes[row].map(|cause| self.timeline.events[cause]);
        if let (true, Some(sent)) = (is_end, sent.filter(|sent| sent.kind == "send")) {
            let sent = sent.fields.to_map();
            fields.retain(|name, value| sent.get(name) != Some(value));
        }
        for (name, told) in [("type", true), ("from", event.kind == "send"), ("to", is_end)] {
            if told {
                fields.remove(name);
            }
        }
        for (_, name) in TIMES.iter().filter(|(kind, _)| *kind == event.kind) {
            if let Some(time) = fields.get_mut(*name)
                && let Some(ns) = time.as_i64()
            {
                let sign = if ns < 0 { "-" } else { "" };
                *time = format!("{sign}{}", seconds(ns.unsigned_abs())).into();
            }
        }
        if fields.is_empty() {
            return None;
        }
        Some(shortened(Value::from(fields).to_string(), DETAIL_MAX))
    }

    fn operations(&self, rows: &Rows) -> Vec<Value> {
        let inside = |row: Row| rows.exactly(row).is_some();
        let list = self.operations.list.iter();
        let seen = list.filter(|operation| inside(operation.call) || operation.returned.is_some_and(inside));
        let time = |row: Row| self.timeline.events[row].t;
        let packed = seen.map(|operation| {
            let outcome = match operation.outcome {
                Outcome::Answered => 0,
                Outcome::Unknown => 1,
                Outcome::Open => 2,
            };
            let (number, point) = operation.point.map_or((0, 0), |point| point);
            json!([
                operation.lane,
                rows.at(operation.call),
                operation.returned.map(|row| rows.at(row)),
                time(operation.call),
                operation.returned.map(time),
                shortened(operation.asked.clone(), LABEL_MAX),
                shortened(operation.answer.clone(), LABEL_MAX),
                outcome,
                number,
                point,
                operation.part as u8,
            ])
        });
        packed.collect()
    }
}

/// A text of at most so many bytes; what is missing is counted.
pub fn shortened(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let more = text.len() - limit;
        text.truncate(text.floor_char_boundary(limit));
        text.push_str(&format!("… ({more} bytes more)"));
    }
    text
}

/// Which events are kept, and where they are then.
#[derive(Debug)]
pub struct Rows {
    /// The rows that are kept, ascending.
    pub kept: Vec<Row>,
}

impl Rows {
    /// Those that are flagged.
    pub fn new(keep: &[bool]) -> Self {
        let kept = keep.iter().enumerate().filter(|(_, keep)| **keep);
        Self {
            kept: kept.map(|(row, _)| row).collect(),
        }
    }

    /// The place of an event that is kept.
    fn exactly(&self, row: Row) -> Option<usize> {
        self.kept.binary_search(&row).ok()
    }

    /// The place of an event, or of the next that is kept.
    pub fn at(&self, row: Row) -> usize {
        self.kept
            .binary_search(&row)
            .unwrap_or_else(|next| next.min(self.kept.len().saturating_sub(1)))
    }
}

/// The columns, one value for each event.
#[derive(Debug, Default, Serialize)]
struct Events {
    names: Vec<String>,
    seq: Vec<i128>,
    t: Vec<i128>,
    lane: Vec<i64>,
    peer: Vec<i64>,
    kind: Vec<i64>,
    sort: Vec<i64>,
    cause: Vec<u64>,
    detail: Vec<Option<String>>,
}

#[derive(Debug, Default)]
struct Names {
    list: Vec<String>,
    numbers: BTreeMap<String, i64>,
}

impl Names {
    fn of(&mut self, name: &str) -> i64 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let name = match self.list.len() {
            0..NAMES_MAX => shortened(name.to_owned(), 100),
            _ => "(other)".to_owned(),
        };
        let number = self.list.len() as i64;
        if self.list.len() <= NAMES_MAX {
            self.list.push(name.clone());
            self.numbers.insert(name, number);
            return number;
        }
        NAMES_MAX as i64
    }
}

/// A life as columns; of several changes before one kept event the last counts.
fn packed(life: &NodeLife, rows: &Rows) -> Value {
    let states = seen(&life.states, rows);
    let logs = seen(&life.logs, rows);
    let column =
        |value: &dyn Fn(&state::NodeState) -> Value| states.values().map(|state| value(state)).collect::<Vec<_>>();
    json!({
        "row": states.keys().collect::<Vec<_>>(),
        "stand": column(&|state| (state.stand as u8).into()),
        "paused": column(&|state| u8::from(state.paused).into()),
        "term": column(&|state| state.term.into()),
        "vote": column(&|state| state.vote.into()),
        "commit": column(&|state| state.commit.into()),
        "applied": column(&|state| state.applied.into()),
        "last": column(&|state| state.last.into()),
        "snapshot": column(&|state| state.snapshot.into()),
        "logs": logs.iter().map(|(row, log)| json!([row, spans(log)])).collect::<Vec<_>>(),
    })
}

/// What was noted, by the kept events from which on it shows; what changed after the last of them shows nowhere.
fn seen<'l, T>(noted: &'l [(Row, T)], rows: &Rows) -> BTreeMap<usize, &'l T> {
    let last = rows.kept.last().copied();
    let shown = noted.iter().filter(|(row, _)| last.is_some_and(|last| *row <= last));
    shown.map(|(row, noted)| (rows.at(*row), noted)).collect()
}

/// The terms of a log as `[term, last index]`, from entry 1 on: 0 for those that are given up, of whose terms nothing is known.
fn spans(log: &LogHeld) -> Vec<(u64, u64)> {
    let LogMark { index, term } = log.start;
    let unknown = (index > 1).then(|| (0, index - 1));
    let start = (index > 0).then_some((term, index));
    unknown
        .into_iter()
        .chain(start)
        .chain(log.terms.iter().copied())
        .collect()
}
