//! Chrome's trace events, as ui.perfetto.dev shows them: a process for each node and client, and one for the faults.
//!
//! The rules of the viewer that shape this: slices of one thread must not overlap, so roles are slices, and what may overlap
//! (faults, syncs, operations) is asynchronous; an arrow binds to slices, so a message has a short slice at either end. Slices of
//! one instant are laid one after another, [`SHORT`] each. Times are microseconds with three decimals.

use crate::timeline::operations::{self, Outcome};
use crate::timeline::state::{self, Stand};
use crate::timeline::{Row, Timeline, faults};
use serde_json::{Map, Number, Value, json};
use simulator::Endpoint;
use simulator::trace::events::Meaning;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// How long the slice of a message is, in nanoseconds.
const SHORT: u64 = 1_000;
/// The process of the faults; nodes lie below it, clients above.
const FAULTS: u64 = 100_000;
/// The threads of a process.
const ROLE: u64 = 0;
const MESSAGES: u64 = 1;
const DISK: u64 = 2;

/// Writes one document, event by event.
pub fn write(timeline: &Timeline<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (header, footer) = (&timeline.trace.header, &timeline.trace.footer);
    let verdict = timeline.cut_short().unwrap_or_else(|| footer.verdict.clone());
    let other = json!({
        "tool": header.tool, "scenario": header.scenario, "seed": header.seed, "verdict": verdict, "digest": footer.digest,
    });
    write!(out, r#"{{"displayTimeUnit":"ns","otherData":{other},"traceEvents":["#)?;
    let mut events = Events {
        timeline,
        out,
        is_first: true,
        error: None,
    };
    events.names();
    events.roles();
    events.messages();
    events.syncs();
    events.faults();
    events.operations();
    match events.error {
        Some(error) => Err(error),
        None => writeln!(out, "]}}"),
    }
}

fn process(endpoint: Endpoint) -> u64 {
    match endpoint {
        Endpoint::Node(node) => u64::from(node.0) + 1,
        Endpoint::Client(client) => FAULTS + 1 + u64::from(client.0),
    }
}

/// Nanoseconds as microseconds.
fn micros(ns: u64) -> Number {
    let text = format!("{}.{:03}", ns / 1_000, ns % 1_000);
    let float = text.parse().expect("digits, a point and digits are a number");
    Number::from_f64(float).expect("it is finite")
}

struct Events<'a> {
    timeline: &'a Timeline<'a>,
    out: &'a mut dyn Write,
    is_first: bool,
    /// Why nothing is written any more.
    error: Option<io::Error>,
}

impl Events<'_> {
    fn lane(&self, lane: usize) -> u64 {
        process(self.timeline.lanes[lane])
    }

    fn push(&mut self, phase: &str, name: &str, process: u64, thread: u64, at: u64, more: Value) {
        let mut event = json!({ "ph": phase, "name": name, "pid": process, "tid": thread, "ts": micros(at) });
        let (Some(event_fields), Value::Object(more)) = (event.as_object_mut(), more) else {
            return;
        };
        event_fields.extend(more);
        self.write(&event);
    }

    fn write(&mut self, event: &Value) {
        if self.error.is_some() {
            return;
        }
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        self.error = write!(self.out, "{comma}{event}").err();
    }

    fn names(&mut self) {
        let name = |process: u64, name: String, order: usize| {
            [
                json!({ "ph": "M", "name": "process_name", "pid": process, "args": { "name": name } }),
                json!({ "ph": "M", "name": "process_sort_index", "pid": process, "args": { "sort_index": order } }),
            ]
        };
        name(FAULTS, "faults".to_owned(), 0)
            .iter()
            .for_each(|event| self.write(event));
        for (order, lane) in self.timeline.lanes.iter().enumerate() {
            name(process(*lane), lane.to_string(), order + 1)
                .iter()
                .for_each(|event| self.write(event));
            let threads: &[(u64, &str)] = match lane {
                Endpoint::Node(_) => &[(ROLE, "role"), (MESSAGES, "messages"), (DISK, "disk")],
                Endpoint::Client(_) => &[(MESSAGES, "messages")],
            };
            let thread = |(thread, name): &(u64, &str)| json!({ "ph": "M", "name": "thread_name", "pid": process(*lane), "tid": thread, "args": { "name": name } });
            threads.iter().map(thread).for_each(|event| self.write(&event));
        }
    }

    /// Roles as slices, terms and commit indexes as counters.
    fn roles(&mut self) {
        for (lane, life) in state::lives(self.timeline).iter().enumerate() {
            let process = self.lane(lane);
            let mut since: Option<(u64, Stand, u64)> = None;
            let mut told = (u64::MAX, u64::MAX);
            for (row, now) in &life.states {
                let at = self.timeline.events[*row].t;
                if since.is_none_or(|(_, stand, term)| (stand, term) != (now.stand, now.term)) {
                    self.role(process, since, at);
                    since = Some((at, now.stand, now.term));
                }
                if told != (now.term, now.commit) {
                    told = (now.term, now.commit);
                    self.push(
                        "C",
                        "term and commit",
                        process,
                        ROLE,
                        at,
                        json!({ "args": { "term": now.term, "commit": now.commit } }),
                    );
                }
            }
            self.role(process, since, self.timeline.end());
        }
    }

    fn role(&mut self, process: u64, since: Option<(u64, Stand, u64)>, to: u64) {
        if let Some((from, stand, term)) = since.filter(|(from, ..)| *from < to) {
            let name = format!("{} T{term}", stand.name());
            self.push(
                "X",
                &name,
                process,
                ROLE,
                from,
                json!({ "dur": micros(to - from), "args": { "term": term } }),
            );
        }
    }

    fn messages(&mut self) {
        let mut free: BTreeMap<usize, u64> = BTreeMap::new();
        let mut slices: BTreeMap<Row, u64> = BTreeMap::new();
        for (row, event) in self.timeline.events.iter().enumerate() {
            let kind = &*event.kind;
            let Some(lane) = self.timeline.lane_of(event) else {
                continue;
            };
            if !matches!(kind, "send" | "deliver" | "request" | "response" | "drop") {
                continue;
            }
            let at = event.t.max(free.get(&lane).copied().unwrap_or(0));
            free.insert(lane, at + SHORT);
            slices.insert(row, at);
            let mut fields = event.fields.to_map();
            let sort = event.fields.text("type").unwrap_or("message".into());
            let name = if kind == "send" {
                sort.into_owned()
            } else {
                format!("{kind} {sort}")
            };
            let mut args = Map::from_iter([("seq".to_owned(), event.seq.into())]);
            let mut told = |name: &str| fields.remove(name).map(|value| (name.to_owned(), value));
            args.extend(told("message").filter(|_| kind == "send"));
            args.extend(told("reason"));
            self.push(
                "X",
                &name,
                self.lane(lane),
                MESSAGES,
                at,
                json!({ "dur": micros(SHORT), "args": args }),
            );
        }
        let passages = self.timeline.passages();
        for (id, passage) in passages.iter().enumerate().filter(|(_, passage)| !passage.lost) {
            let ends = passage
                .ended
                .and_then(|ended| Some((passage.sent, *slices.get(&passage.sent)?, ended, *slices.get(&ended)?)));
            let Some((sent, from, ended, to)) = ends.filter(|(_, from, _, to)| from < to) else {
                continue;
            };
            for (phase, row, at) in [("s", sent, from), ("f", ended, to)] {
                let lane = self
                    .timeline
                    .lane_of(self.timeline.events[row])
                    .expect("it has a slice");
                let more = json!({ "id": id, "cat": "message", "bp": "e" });
                self.push(phase, "message", self.lane(lane), MESSAGES, at, more);
            }
        }
    }

    fn span(
        &mut self,
        name: &str,
        category: &str,
        (process, thread): (u64, u64),
        id: &str,
        span: (u64, u64),
        args: &Value,
    ) {
        for (phase, at) in [("b", span.0), ("e", span.1)] {
            let args = if phase == "b" { args.clone() } else { json!({}) };
            self.push(
                phase,
                name,
                process,
                thread,
                at,
                json!({ "cat": category, "id": id, "args": args }),
            );
        }
    }

    fn syncs(&mut self) {
        for (row, event) in self
            .timeline
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.kind == "sync")
        {
            let (Some(lane), Some(start)) = (self.timeline.lane_of(event), self.timeline.causes[row]) else {
                continue;
            };
            let span = (self.timeline.events[start].t, event.t);
            self.span(
                "sync",
                "disk",
                (self.lane(lane), DISK),
                &format!("sync{row}"),
                span,
                &json!({}),
            );
        }
    }

    fn faults(&mut self) {
        for (number, band) in faults::bands(self.timeline).into_iter().enumerate() {
            let id = format!("fault{number}");
            self.span(
                &band.label,
                "fault",
                (FAULTS, 0),
                &id,
                (band.from, band.to),
                &json!({ "kind": band.kind }),
            );
        }
        if let (Some(violated), Some(row)) = (self.timeline.violated(), self.timeline.failing()) {
            let at = self.timeline.events[row].t;
            self.push(
                "i",
                "violation",
                FAULTS,
                0,
                at,
                json!({ "s": "g", "args": violated.fields() }),
            );
        }
    }

    fn operations(&mut self) {
        for (number, operation) in operations::operations(self.timeline).list.into_iter().enumerate() {
            let from = self.timeline.events[operation.call].t;
            let to = operation
                .returned
                .map_or(self.timeline.end(), |row| self.timeline.events[row].t);
            let outcome = match operation.outcome {
                Outcome::Answered => operation.answer,
                Outcome::Unknown => "unknown".to_owned(),
                Outcome::Open => "under way".to_owned(),
            };
            let place = (self.lane(operation.lane), 0);
            self.span(
                &operation.asked,
                "operation",
                place,
                &format!("op{number}"),
                (from, to),
                &json!({ "answer": outcome }),
            );
        }
    }
}
