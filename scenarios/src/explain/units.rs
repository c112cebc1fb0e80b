//! Events that belong together: what set a place off and all that it did about it, in one moment. A chain of causes goes from
//! unit to unit, so a message is one hop and not a send and an arrival.

use super::words;
use crate::timeline::{Row, Timeline, place};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// So many hops are followed back.
const HOPS_MAX: usize = 60;

/// One thing that happened, in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sentence {
    /// The number of its event.
    pub seq: u64,
    /// True time, in nanoseconds.
    pub t: u64,
    /// Where: a node, a client, or `world`.
    pub place: String,
    /// What.
    pub text: String,
}

/// The units of a trace.
#[derive(Debug)]
pub struct Units<'t, 'a> {
    timeline: &'t Timeline<'a>,
    /// For each event the one that began its unit.
    roots: Vec<Row>,
    /// For each event the next of its unit; the event itself if it is the last.
    next: Vec<Row>,
}

impl<'t, 'a> Units<'t, 'a> {
    /// Of a trace.
    pub fn new(timeline: &'t Timeline<'a>) -> Self {
        let count = timeline.events.len();
        let (mut roots, mut next) = (Vec::with_capacity(count), (0..count).collect::<Vec<Row>>());
        // The last event so far of the unit that each began.
        let mut last = next.clone();
        for (row, event) in timeline.events.iter().enumerate() {
            // What a client does next at once belongs to what it was told; a node's timer is an event of its own.
            let arrives = matches!(
                &*event.kind,
                "deliver" | "request" | "response" | "drop" | "restart" | "sync" | "worked"
            ) || (event.kind == "timer" && event.node.is_some());
            let cause = timeline.causes[row].filter(|cause| {
                let cause = timeline.events[*cause];
                // What was judged is told of what it is about, however late.
                let is_verdict = event.kind == "violation";
                is_verdict || !arrives && cause.t == event.t && place(cause) == place(event)
            });
            let root = cause.map_or(row, |cause| roots[cause]);
            if root != row {
                next[std::mem::replace(&mut last[root], row)] = row;
            }
            roots.push(root);
        }
        Self { timeline, roots, next }
    }

    /// The event that began the unit of this one.
    pub fn root(&self, row: Row) -> Row {
        self.roots[row]
    }

    /// What else is in a unit, in order.
    pub fn members(&self, root: Row) -> impl Iterator<Item = Row> {
        let after = |row: Row| Some(self.next[row]).filter(|next| *next != row);
        let first = after(root).filter(|_| self.roots[root] == root);
        std::iter::successors(first, move |row| after(*row))
    }

    /// The units that led to an event, first cause first, and whether there were more. Unless the `whole` chain is wanted, it
    /// ends where something began of itself: at a client's operation or at a timer of a node.
    pub fn chain(&self, row: Row, whole: bool) -> (Vec<Row>, bool) {
        let mut chain = Vec::new();
        let mut at = Some(row);
        while let Some(row) = at {
            let root = self.roots[row];
            if chain.len() == HOPS_MAX {
                chain.reverse();
                if !whole {
                    self.skip_attempts(&mut chain);
                }
                return (chain, true);
            }
            chain.push(root);
            at = self.timeline.causes[root].filter(|_| whole || !self.begins(root));
        }
        chain.reverse();
        if !whole {
            self.skip_attempts(&mut chain);
        }
        (chain, false)
    }

    /// A client that asks in vain asks again: of its attempts the chain has the last.
    fn skip_attempts(&self, chain: &mut Vec<Row>) {
        let begun = chain
            .iter()
            .position(|root| self.begins(*root))
            .map_or(0, |begun| begun + 1);
        if let Some(last) = chain.iter().rposition(|root| self.is_attempt(*root)) {
            chain.drain(begun..last.max(begun));
        }
    }

    /// Whether a client asks again here.
    fn is_attempt(&self, root: Row) -> bool {
        let event = self.timeline.events[root];
        event.client.is_some() && event.kind == "timer" && !self.begins(root)
    }

    /// The how manieth attempt this is, counted from the operation's beginning.
    fn attempts(&self, root: Row) -> usize {
        let mut count = 1;
        let mut at = Some(root);
        while let Some(row) = at {
            let root = self.roots[row];
            count += usize::from(self.is_attempt(root));
            if self.begins(root) || count > 1_000 {
                break;
            }
            at = self.timeline.causes[root];
        }
        count
    }

    fn begins(&self, root: Row) -> bool {
        let kind = |row: Row| &*self.timeline.events[row].kind;
        (kind(root) == "timer" && self.timeline.events[root].node.is_some())
            || self.members(root).any(|row| matches!(kind(row), "invoke" | "order"))
    }

    /// What changed in a unit, in words.
    pub fn effects(&self, root: Row) -> Vec<String> {
        self.members(root)
            .filter_map(|row| Some((row, words::effect(self.timeline.events[row])?)))
            .map(|(row, effect)| effect + &self.votes(row))
            .collect()
    }

    /// A unit in a sentence.
    pub fn sentence(&self, root: Row) -> Sentence {
        let event = self.timeline.events[root];
        let mut text = words::trigger(self.timeline, event);
        if let Some(more) = self.since(root) {
            text += &more;
        }
        let effects = self.effects(root);
        if effects.is_empty() && event.client.is_some() {
            text = self.asks_again(root).unwrap_or(text);
        }
        // What a client begins it begins at a timer; that says nothing.
        let begins = event.client.is_some() && event.kind == "timer" && !effects.is_empty();
        let text = match (begins, effects.is_empty()) {
            (true, _) => effects.join(", "),
            (false, true) => text,
            (false, false) => format!("{text}: {}", listed(&effects)),
        };
        Sentence {
            seq: event.seq,
            t: event.t,
            place: words::at(event),
            text,
        }
    }

    /// What a client does at a timer that begins no operation, or on an answer that it does not take.
    fn asks_again(&self, root: Row) -> Option<String> {
        let mut events = self.members(root).map(|row| self.timeline.events[row]);
        let sent = events.find(|event| event.kind == "send")?;
        let sends = words::trigger(self.timeline, sent);
        self.is_attempt(root)
            .then(|| format!("{sends} (attempt {})", self.attempts(root)))
    }

    /// Units in sentences. That a disk is done is told with what was written, where nothing else follows from it at once.
    pub fn sentences(&self, roots: &[Row]) -> Vec<Sentence> {
        let (mut told, mut places): (Vec<Sentence>, BTreeMap<Row, usize>) = (Vec::new(), BTreeMap::new());
        for &root in roots {
            let written = self.written(root).and_then(|written| places.get(&written));
            if let Some(&place) = written {
                let event = self.timeline.events[root];
                let later = words::span(event.t.saturating_sub(told[place].t));
                told[place].text += &format!("; durable {later} later");
                places.insert(root, place);
            } else {
                places.insert(root, told.len());
                told.push(self.sentence(root));
            }
        }
        told
    }

    /// The unit that wrote what a disk is done with, if this unit is nothing else.
    pub fn written(&self, root: Row) -> Option<Row> {
        let is_done = self.timeline.events[root].kind == "sync" && self.effects(root).is_empty();
        let cause = self.timeline.causes[root].filter(|_| is_done)?;
        Some(self.roots[cause])
    }

    /// Of an arrival how long it took, of a timer since when it ran and why.
    fn since(&self, root: Row) -> Option<String> {
        let event = self.timeline.events[root];
        let cause = self.timeline.causes[root]?;
        let before = words::span(event.t.saturating_sub(self.timeline.events[cause].t));
        match &*event.kind {
            "deliver" | "request" | "response" => Some(format!(", sent {before} before")),
            "timer" if event.node.is_some() => self.silence(root),
            "sync" => Some(format!(", asked {before} before")),
            "restart" => Some(format!(", {before} after its crash")),
            _ => None,
        }
    }

    /// Since when a node that stands for election has heard no leader.
    fn silence(&self, root: Row) -> Option<String> {
        let event = self.timeline.events[root];
        self.members(root)
            .any(|row| self.timeline.events[row].kind == "role")
            .then_some(())?;
        let sort = |event: &simulator::TraceEvent| event.fields.text("type").map(Cow::into_owned);
        let from_leader = |before: &&&simulator::TraceEvent| {
            before.kind == "deliver"
                && before.node == event.node
                && matches!(
                    sort(before).as_deref(),
                    Some("heartbeat" | "append-entries" | "install-snapshot")
                )
        };
        let heard = self.timeline.events[..root].iter().rev().find(from_leader)?;
        let from = heard.fields.get("from").and_then(Value::as_str).unwrap_or("?");
        let before = words::span(event.t.saturating_sub(heard.t));
        Some(format!(
            ", {before} after it last heard a leader ({})",
            words::plain(from)
        ))
    }

    /// Whose votes made a leader.
    fn votes(&self, row: Row) -> String {
        let event = self.timeline.events[row];
        let is_leader = event.kind == "role" && event.fields.get("role").and_then(Value::as_str) == Some("leader");
        let term = Timeline::number(event, "term");
        let (Some(node), true) = (event.node, is_leader) else {
            return String::new();
        };
        let granted = |before: &&simulator::TraceEvent| {
            let is_reply = before.kind == "deliver"
                && before.node == Some(node)
                && before.fields.text("type").as_deref() == Some("vote-reply");
            is_reply && {
                let message = before.fields.get("message");
                let body = message.and_then(|message| message.get("body"));
                message.and_then(|message| message.get("term")).and_then(Value::as_u64) == term
                    && body.and_then(|body| body.get("granted")) == Some(&Value::Bool(true))
            }
        };
        let mut voters: Vec<String> = Vec::new();
        for vote in self.timeline.events[..row].iter().filter(|event| granted(event)) {
            let from = vote.fields.get("from").and_then(Value::as_str).unwrap_or("?");
            let from = words::plain(from);
            if !voters.contains(&from) {
                voters.push(from);
            }
        }
        if voters.is_empty() {
            return String::new();
        }
        format!(" with the votes of {}", listed(&voters))
    }
}

/// `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
