//! The trace: what happened, event by event, each with the number of the event that caused it.
//!
//! Owns the shape of an event, and the recorder that makes a line of JSON of each and keeps it in memory or hands it to a
//! [`TraceSink`]. The lines before and after the events, and reading all of them back, are in [`mod@format`]. A world that records no trace pays nothing for
//! it, and its digest is the same.
//!
//! Event numbers (`seq`) are handed out whether a trace is recorded or not, so the number in a [`crate::Step`] of an unrecorded
//! run is the number of the same event in the trace of its repetition.
//!
//! | kind | fields | cause |
//! |---|---|---|
//! | `boot`, `restart` | `bytes` on the disk | for a restart, the crash |
//! | `send` | `from`, `to`, `type`, `message` | the event being handled |
//! | `deliver`, `request`, `response` | `from`, `to`, `type`, `message`, `copy` | the send |
//! | `duplicate` | `from`, `to` | the send |
//! | `drop` | `from`, `to`, `type`, `reason` | the send |
//! | `timer` | `local` (the node's clock) | the event that set it |
//! | `write` | `offset`, `len` | the event being handled |
//! | `discard` | `before` (the offset) | the event being handled |
//! | `sync-start`, `sync` | `token` | the event being handled; the `sync-start` |
//! | `kept`, `lost`, `torn` | `offset`, `len`, `survived` | the crash; `write` names the write |
//! | `crash`, `pause`, `resume`, `clock` | `target`, and what was asked | none: faults come from outside |
//! | `cut`, `mend`, `network`, `heal`, `skip` | what was asked | none |
//!
//! `from` and `to` are endpoints, as in `"n0"` and `"c0"`. What processes, clients and the harness tell of logs, terms, votes, operations
//! and verdicts is declared in [`mod@events`]; other kinds are their own, and mean nothing to the tools.

pub mod events;
mod fields;
pub mod format;
mod line;
mod scan;

pub use fields::Fields;

use crate::id::Endpoint;
use crate::time::Time;
use line::{Head, LineWriter};
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The longest line of a message that is not abbreviated where messages are, in bytes.
const WHOLE_MAX: usize = 4 << 10;

/// The keys of an event that its fields may not take.
const RESERVED: [&str; 6] = ["seq", "t", "node", "client", "kind", "cause"];

/// One event of a trace. In JSON one flat object; fields whose name is taken get an underscore at their end.
///
/// ```
/// use simulator::trace::TraceEvent;
/// let line = r#"{"seq":7,"t":1500,"node":2,"kind":"timer","cause":3,"local":1500}"#;
/// let event: TraceEvent = serde_json::from_str(line).unwrap();
/// assert_eq!((event.seq, event.node, event.cause), (7, Some(2), Some(3)));
/// assert_eq!(serde_json::to_string(&event).unwrap(), line);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TraceEvent {
    /// The number of the event, ascending.
    pub seq: u64,
    /// True time in nanoseconds.
    pub t: u64,
    /// The node where it happened, if it happened at one.
    pub node: Option<u16>,
    /// The client where it happened, if it happened at one.
    pub client: Option<u16>,
    /// What happened.
    pub kind: Cow<'static, str>,
    /// The event that made it happen, if that was an event.
    pub cause: Option<u64>,
    /// What else there is to say.
    pub fields: Fields,
}

impl Serialize for TraceEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("seq", &self.seq)?;
        map.serialize_entry("t", &self.t)?;
        if let Some(node) = self.node {
            map.serialize_entry("node", &node)?;
        }
        if let Some(client) = self.client {
            map.serialize_entry("client", &client)?;
        }
        map.serialize_entry("kind", &self.kind)?;
        if let Some(cause) = self.cause {
            map.serialize_entry("cause", &cause)?;
        }
        for (name, value) in &self.fields.to_map() {
            if RESERVED.contains(&name.as_str()) {
                map.serialize_entry(&format!("{name}_"), value)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for TraceEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn typed<T: serde::de::DeserializeOwned, E: serde::de::Error>(
            fields: &mut Map<String, Value>,
            name: &'static str,
        ) -> Result<Option<T>, E> {
            let Some(value) = fields.remove(name) else {
                return Ok(None);
            };
            serde_json::from_value(value)
                .map(Some)
                .map_err(|error| E::custom(format!("key `{name}`: {error}")))
        }
        let mut fields = Map::deserialize(deserializer)?;
        Ok(Self {
            seq: typed(&mut fields, "seq")?.ok_or_else(|| D::Error::missing_field("seq"))?,
            t: typed(&mut fields, "t")?.ok_or_else(|| D::Error::missing_field("t"))?,
            node: typed(&mut fields, "node")?,
            client: typed(&mut fields, "client")?,
            kind: typed::<String, _>(&mut fields, "kind")?
                .ok_or_else(|| D::Error::missing_field("kind"))?
                .into(),
            cause: typed(&mut fields, "cause")?,
            fields: fields.into(),
        })
    }
}

impl TraceEvent {
    /// The event in a line of a trace. It keeps the line as its fields.
    ///
    /// # Errors
    ///
    /// What is wrong with the line, and in which column.
    pub fn of_line(line: &str) -> Result<Self, serde_json::Error> {
        let outline: Outline<'_> = serde_json::from_str(line)?;
        Ok(Self {
            seq: outline.seq,
            t: outline.t,
            node: outline.node,
            client: outline.client,
            kind: known(outline.kind),
            cause: outline.cause,
            fields: Fields::of_line(line),
        })
    }

    /// Shortens its message if its line is long.
    fn abbreviate_long(&mut self) {
        let has_message = matches!(&*self.kind, "send" | "deliver" | "request" | "response" | "drop");
        let line = self.fields.line().filter(|line| has_message && line.len() > WHOLE_MAX);
        if let Some(Ok(short)) = line.map(scan::abbreviated) {
            self.fields = Fields::of_line(&short);
        }
    }
}

/// What every event has beside its fields.
#[derive(Deserialize)]
struct Outline<'a> {
    seq: u64,
    t: u64,
    #[serde(default)]
    node: Option<u16>,
    #[serde(default)]
    client: Option<u16>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    cause: Option<u64>,
}

/// A kind without a text of its own, where it is one of those that most events have.
fn known(kind: Cow<'_, str>) -> Cow<'static, str> {
    const KINDS: [&str; 24] = [
        "append",
        "apply",
        "commit",
        "crash",
        "deliver",
        "discard",
        "drop",
        "duplicate",
        "invoke",
        "kept",
        "lost",
        "request",
        "response",
        "restart",
        "return",
        "role",
        "send",
        "sync",
        "sync-start",
        "timer",
        "vote",
        "work",
        "worked",
        "write",
    ];
    match KINDS.binary_search(&&*kind) {
        Ok(place) => KINDS[place].into(),
        Err(_) => kind.into_owned().into(),
    }
}

/// Takes the events of a world while they happen, so that a trace of any length takes no memory: into a file, say.
///
/// A sink sees each event once, in order, and keeps its own account of what goes wrong: the world goes on whatever happens, for a
/// run does not depend on who writes it down. Give it to [`crate::World::recorded`].
pub trait TraceSink: Send {
    /// Takes one event.
    fn record(&mut self, event: EventLine<'_>);
}

/// An event as it is handed to a [`TraceSink`].
#[derive(Clone, Copy, Debug)]
pub struct EventLine<'a> {
    /// The number of the event.
    pub seq: u64,
    /// What happened.
    pub kind: &'static str,
    /// All of it as a line of JSON, as it stands in a trace, without the end of the line.
    pub json: &'a str,
}

impl EventLine<'_> {
    /// The event itself, its message abbreviated if it is long: as [`format::Reader::abbreviating`] does.
    pub fn abbreviated(&self) -> TraceEvent {
        let mut event = self.parsed();
        event.abbreviate_long();
        event
    }

    /// The event itself.
    pub fn parsed(&self) -> TraceEvent {
        TraceEvent::of_line(self.json).expect("trace: a line that was just written is an event")
    }
}

/// Makes lines of events, and keeps them in memory, as many as its bound allows, or gives them to a sink.
pub(crate) struct Recorder {
    pub on: bool,
    bound: usize,
    pub left_out: u64,
    pub recorded: u64,
    writer: LineWriter,
    sink: Option<Box<dyn TraceSink>>,
    lines: Vec<Box<str>>,
}

impl Clone for Recorder {
    /// A forked world goes its own way from here: it records if the original does, but starts empty. Without the original's sink,
    /// which belongs to one story.
    fn clone(&self) -> Self {
        Self::new(self.on && self.sink.is_none(), self.bound)
    }
}

impl Recorder {
    pub fn new(on: bool, bound: usize) -> Self {
        Self {
            on,
            bound,
            left_out: 0,
            recorded: 0,
            writer: LineWriter::default(),
            sink: None,
            lines: Vec::new(),
        }
    }

    /// One that gives all events to a sink.
    pub fn to(sink: Box<dyn TraceSink>) -> Self {
        Self {
            sink: Some(sink),
            ..Self::new(true, 0)
        }
    }

    /// Records an event, if the recorder is on; `fields` is called only then.
    #[inline]
    pub fn record<F: Serialize>(
        &mut self,
        seq: u64,
        now: Time,
        at: Option<Endpoint>,
        kind: &'static str,
        cause: Option<u64>,
        fields: impl FnOnce() -> F,
    ) {
        if self.on {
            self.push(seq, now, at, kind, cause, &fields());
        }
    }

    #[cold]
    fn push(
        &mut self,
        seq: u64,
        now: Time,
        at: Option<Endpoint>,
        kind: &'static str,
        cause: Option<u64>,
        fields: &impl Serialize,
    ) {
        if self.sink.is_none() && self.lines.len() >= self.bound {
            self.left_out += 1;
            return;
        }
        self.recorded += 1;
        let head = Head {
            seq,
            t: now.0,
            node: at.and_then(Endpoint::node).map(|node| node.0),
            client: at.and_then(Endpoint::client).map(|client| client.0),
            kind,
            cause,
        };
        let json = self.writer.line(&head, fields);
        match &mut self.sink {
            Some(sink) => sink.record(EventLine { seq, kind, json }),
            None => self.lines.push(json.into()),
        }
    }

    pub fn take(&mut self) -> Vec<TraceEvent> {
        let lines = std::mem::take(&mut self.lines);
        let parsed = |line: Box<str>| TraceEvent::of_line(&line).expect("trace: a line that was written is an event");
        lines.into_iter().map(parsed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ClientId;
    use serde_json::json;

    #[test]
    fn fields_cannot_shadow_the_keys_of_an_event() {
        let mut recorder = Recorder::new(true, 10);
        recorder.record(
            1,
            Time(5),
            Some(ClientId(3).into()),
            "invoke",
            None,
            || json!({"seq": "mine", "key": "x"}),
        );
        let line = serde_json::to_string(&recorder.take()[0]).unwrap();
        assert_eq!(
            line,
            r#"{"seq":1,"t":5,"client":3,"kind":"invoke","key":"x","seq_":"mine"}"#
        );
    }

    #[test]
    fn a_recorder_that_is_off_calls_nobody_and_one_that_is_full_counts() {
        let mut recorder = Recorder::new(false, 1);
        recorder.record(1, Time(0), None, "a", None, || -> Value { panic!("called while off") });
        recorder.on = true;
        recorder.record(2, Time(0), None, "b", None, || json!(7));
        recorder.record(3, Time(0), None, "c", None, || Value::Null);
        assert_eq!(recorder.left_out, 1);
        let events = recorder.take();
        assert_eq!((events.len(), &events[0].fields["value"]), (1, &json!(7)));
    }

    #[test]
    fn an_event_without_its_number_is_refused() {
        let error = serde_json::from_str::<TraceEvent>(r#"{"t":1,"kind":"a"}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("seq"), "{error}");
        let error = serde_json::from_str::<TraceEvent>(r#"{"seq":1,"t":-1,"kind":"a"}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("key `t`"), "{error}");
    }
}
