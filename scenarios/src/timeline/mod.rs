//! A trace read as what a person looks at: lanes, messages, states of nodes, faults that last, operations of clients.
//!
//! Owns the order of events, who is who, and the way from an event to its cause; the files beside it own one sort of span each.
//! The page and the exports are made from this and never from the raw lines, so that they tell the same story. Nothing in a
//! trace is trusted: numbers may be absurd, causes may be missing, texts may be anything.

pub mod faults;
pub mod operations;
pub mod state;

use simulator::trace::events::{Meaning, Violated};
use simulator::trace::format::{Trace, TraceFooter};
use simulator::{Endpoint, TraceEvent};
use std::collections::BTreeMap;

/// So many nodes and clients of a header are believed without an event of theirs.
const DECLARED_MAX: u16 = 64;

/// The number of a line of a [`Timeline`].
pub type Row = usize;

/// A trace in the order of time, with its lanes.
#[derive(Debug)]
pub struct Timeline<'a> {
    /// The trace.
    pub trace: &'a Trace,
    /// Its events by time and number.
    pub events: Vec<&'a TraceEvent>,
    /// Nodes first, then clients, each ascending.
    pub lanes: Vec<Endpoint>,
    /// For each event, the event that caused it.
    pub causes: Vec<Option<Row>>,
    numbers: BTreeMap<Key, usize>,
}

/// An endpoint as it is sorted: nodes before clients.
type Key = (bool, u16);

fn key(endpoint: Endpoint) -> Key {
    match endpoint {
        Endpoint::Node(node) => (false, node.0),
        Endpoint::Client(client) => (true, client.0),
    }
}

impl<'a> Timeline<'a> {
    /// Reads a trace.
    pub fn new(trace: &'a Trace) -> Self {
        let mut events: Vec<&TraceEvent> = trace.events.iter().collect();
        if !events.is_sorted_by_key(|event| (event.t, event.seq)) {
            events.sort_by_key(|event| (event.t, event.seq));
        }
        let mut lanes = BTreeMap::new();
        let nodes = (0..trace.header.nodes.min(DECLARED_MAX)).map(|node| Endpoint::Node(simulator::NodeId(node)));
        let clients =
            (0..trace.header.clients.min(DECLARED_MAX)).map(|client| Endpoint::Client(simulator::ClientId(client)));
        let seen = events.iter().copied().filter_map(place);
        lanes.extend(
            nodes
                .chain(clients)
                .chain(seen)
                .map(|endpoint| (key(endpoint), endpoint)),
        );
        let numbers = lanes
            .keys()
            .copied()
            .enumerate()
            .map(|(lane, key)| (key, lane))
            .collect();
        // Numbers ascend with time but in traces that somebody has bent.
        let is_ascending = events.is_sorted_by(|one, other| one.seq < other.seq);
        let numbered = events.iter().enumerate().filter(|_| !is_ascending);
        let rows: BTreeMap<u64, Row> = numbered.map(|(row, event)| (event.seq, row)).collect();
        let row_of = |seq: u64| {
            if is_ascending {
                return events.binary_search_by_key(&seq, |event| event.seq).ok();
            }
            rows.get(&seq).copied()
        };
        let cause = |(row, event): (Row, &&TraceEvent)| {
            let cause = event.cause.and_then(row_of);
            cause.filter(|cause| *cause < row)
        };
        let causes = events.iter().enumerate().map(cause).collect();
        Self {
            trace,
            causes,
            events,
            lanes: lanes.into_values().collect(),
            numbers,
        }
    }

    /// The lane of an endpoint, if it has one.
    pub fn lane(&self, endpoint: Endpoint) -> Option<usize> {
        self.numbers.get(&key(endpoint)).copied()
    }

    /// The lane where an event happened.
    pub fn lane_of(&self, event: &TraceEvent) -> Option<usize> {
        self.lane(place(event)?)
    }

    /// The lane at the other end of what travels: of a send its receiver, of an arrival or a loss its sender.
    pub fn peer_of(&self, event: &TraceEvent) -> Option<usize> {
        let name = match &*event.kind {
            "send" => "to",
            "deliver" | "request" | "response" | "drop" => "from",
            _ => return None,
        };
        self.lane(event.fields.text(name)?.parse().ok()?)
    }

    /// How many of the lanes are nodes; they come first.
    pub fn nodes(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.node().is_some()).count()
    }

    /// The true time of the end in nanoseconds: of the run, or of its last event if that is later.
    pub fn end(&self) -> u64 {
        let last = self.events.last().map_or(0, |event| event.t);
        last.max(self.trace.footer.end)
    }

    /// Whether the run passed; of a trace that is cut short nobody knows.
    pub fn passed(&self) -> bool {
        self.trace.footer.verdict == "pass"
    }

    /// Whether the run failed, as far as the trace says it.
    pub fn failed(&self) -> bool {
        !self.passed() && (self.cut_short().is_none() || self.violated().is_some())
    }

    /// Where the trace ends, in a sentence, if it is cut short.
    pub fn cut_short(&self) -> Option<String> {
        cut_short(&self.trace.footer, self.events.last().map(|event| event.seq))
    }

    /// What the run found to be violated.
    pub fn violated(&self) -> Option<Violated> {
        self.events.iter().rev().find_map(|event| Violated::read(event))
    }

    /// The last thing that happened in the event that was judged, and found to violate a property: what a node was after it is what
    /// it was judged by. Where that event is not in the trace, the last one that is before it.
    pub fn failing(&self) -> Option<Row> {
        let violated = self.violated()?;
        let judged = self.events.iter().rposition(|event| event.seq <= violated.event)?;
        if self.events[judged].seq != violated.event {
            return Some(judged);
        }
        let belongs = |row: &Row| {
            let event = self.events[*row];
            let begins = matches!(
                &*event.kind,
                "timer" | "deliver" | "request" | "response" | "sync" | "worked" | "restart" | "drop" | "violation"
            );
            !begins && self.causes[*row] == Some(judged) && event.t == self.events[judged].t
        };
        (judged + 1..self.events.len())
            .take_while(belongs)
            .last()
            .or(Some(judged))
    }

    /// How many nanoseconds a message was under way, and so on: the number in a field.
    pub(crate) fn number(event: &TraceEvent, field: &str) -> Option<u64> {
        event.fields.number(field)
    }
}

/// Where a trace ends whose last event has this number, in a sentence, if it is cut short.
pub fn cut_short(footer: &TraceFooter, last: Option<u64>) -> Option<String> {
    footer.is_missing().then(|| match last {
        Some(seq) => format!(
            "the trace is cut short: it ends after event {seq}, at {}, and how the run went on is not known",
            seconds(footer.end)
        ),
        None => "the trace is cut short before its first event".to_owned(),
    })
}

/// Seconds with nine digits: the place of an event in the run.
pub fn seconds(t: u64) -> String {
    format!("{}.{:09} s", t / 1_000_000_000, t % 1_000_000_000)
}

/// Where an event happened.
pub fn place(event: &TraceEvent) -> Option<Endpoint> {
    let node = event.node.map(|node| Endpoint::Node(simulator::NodeId(node)));
    node.or_else(|| event.client.map(|client| Endpoint::Client(simulator::ClientId(client))))
}

/// What becomes of one copy of what was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passage {
    /// The send.
    pub sent: Row,
    /// Its arrival or its loss; `None` for what was under way at the end.
    pub ended: Option<Row>,
    /// Whether it was lost.
    pub lost: bool,
}

impl Timeline<'_> {
    /// Every copy of every message, request and response, in the order of the sends.
    pub fn passages(&self) -> Vec<Passage> {
        let mut ends: Vec<Vec<Row>> = vec![Vec::new(); self.events.len()];
        for (row, event) in self.events.iter().enumerate() {
            let is_end = matches!(&*event.kind, "deliver" | "request" | "response" | "drop");
            if let (true, Some(sent)) = (is_end, self.causes[row]) {
                ends[sent].push(row);
            }
        }
        let mut passages = Vec::new();
        for (sent, event) in self.events.iter().enumerate() {
            if event.kind != "send" {
                continue;
            }
            let whole = |ended: Option<Row>| Passage {
                sent,
                ended,
                lost: ended.is_some_and(|row| self.events[row].kind == "drop"),
            };
            if ends[sent].is_empty() {
                passages.push(whole(None));
            }
            passages.extend(ends[sent].iter().map(|row| whole(Some(*row))));
        }
        passages
    }
}

#[cfg(test)]
pub(crate) mod tests;
