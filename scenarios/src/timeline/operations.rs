//! What clients asked and were told, and where each operation took effect.
//!
//! Pairs invocations with returns, and marks them as the run judged them: the trace tells for which order, or which operation has no
//! place. Nothing is judged here, so that this says of every model what the run said. The history of a trace is the history of the
//! run: same operations, same order.

use super::{Row, Timeline};
use checker::history::{History, Op, Output, Value as Text};
use serde_json::Value;
use simulator::TraceEvent;
use simulator::trace::events::{HistoryVerdict, Judged, Meaning};
use std::collections::BTreeMap;

/// Longest text of a value, in characters.
const SHOWN: usize = 28;

/// What is known of an operation in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// The client gave up: it may have taken effect at any time since.
    Unknown,
    /// It was under way at the end.
    Open,
}

/// The part of an operation in a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Part {
    /// None.
    #[default]
    None,
    /// The first that cannot be placed.
    Stuck,
    /// Of those that are impossible together.
    Core,
    /// Needed to see why.
    Context,
}

/// One operation of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The client's lane.
    pub lane: usize,
    /// The client's name in the history: a new one after an unknown outcome.
    pub process: u32,
    /// Its invocation.
    pub call: Row,
    /// Its return, or when the client gave up.
    pub returned: Option<Row>,
    /// What was asked, in words.
    pub asked: String,
    /// What was answered, in words.
    pub answer: String,
    /// What is known of it.
    pub outcome: Outcome,
    /// The order of its taking effect within its key, from 1 on, and a true time in nanoseconds for it.
    pub point: Option<(u32, u64)>,
    /// Its part in a refusal.
    pub part: Part,
}

/// All operations, and what they say together.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    /// In the order of their calls.
    pub list: Vec<Operation>,
    /// What the run made of it, in a few words; empty where it did not judge what clients saw.
    pub verdict: String,
    /// Why there is no linearization: in a sentence or two, and with the operations.
    pub refusal: Option<(String, String)>,
}

/// All operations of a trace.
pub fn operations(timeline: &Timeline<'_>) -> Operations {
    let mut list = paired(timeline);
    list.sort_by_key(|operation| (timeline.events[operation.call].t, operation.process, operation.call));
    let mut found = Operations {
        list,
        ..Operations::default()
    };
    place(timeline, &mut found);
    found
}

/// The history of a trace; `None` when it has no operation that a history can hold.
pub fn history(timeline: &Timeline<'_>) -> Option<History> {
    let mut list = paired(timeline);
    list.sort_by_key(|operation| (timeline.events[operation.call].t, operation.process, operation.call));
    let mut history = History::new();
    for operation in &list {
        let event = timeline.events[operation.call];
        let Some(key) = key(event).filter(|_| event.kind == "invoke") else {
            continue;
        };
        let Some(op) = op(event, &key) else { continue };
        let id = history.invoke(operation.process, event.t, op);
        let returned = operation.returned.map(|row| timeline.events[row]);
        let reply = returned.and_then(|event| Some((event.t, output(event.fields.get("reply")?)?)));
        if let Some((time, output)) = reply.filter(|(_, output)| fits(&op, output)) {
            history.complete(id, time, output);
        }
    }
    (!history.is_empty()).then_some(history)
}

fn paired(timeline: &Timeline<'_>) -> Vec<Operation> {
    let mut list: Vec<Operation> = Vec::new();
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    for (row, event) in timeline.events.iter().enumerate() {
        let Some(lane) = timeline.lane_of(event) else { continue };
        match &*event.kind {
            "invoke" | "order" => {
                if let Some(given_up) = open.insert(lane, list.len()) {
                    let given_up: &mut Operation = &mut list[given_up];
                    (given_up.returned, given_up.outcome) = (Some(row), Outcome::Unknown);
                }
                let process = Timeline::number(event, "process").and_then(|process| u32::try_from(process).ok());
                list.push(Operation {
                    lane,
                    process: process.unwrap_or(u32::MAX),
                    call: row,
                    returned: None,
                    asked: event.fields.get("operation").map_or_else(String::new, asked),
                    answer: String::new(),
                    outcome: Outcome::Open,
                    point: None,
                    part: Part::None,
                });
            }
            "return" | "ordered" => {
                let Some(operation) = open.remove(&lane).map(|index| &mut list[index]) else {
                    continue;
                };
                let reply = event.fields.get("reply").unwrap_or(&Value::Null);
                operation.returned = Some(row);
                operation.answer = answered(reply);
                operation.outcome = match reply {
                    Value::String(unknown) if unknown == "unknown" => Outcome::Unknown,
                    Value::Null => Outcome::Unknown,
                    _ => Outcome::Answered,
                };
            }
            _ => {}
        }
    }
    list
}

/// A value in few characters: what pads it and what is beyond the bound goes, and its length is stated.
fn shown(value: &Value) -> String {
    if let Some(text) = value.as_str().filter(|text| is_abbreviated(text)) {
        let text = format!("{text:?}");
        return text.strip_suffix('"').unwrap_or(&text).to_owned();
    }
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), |text| format!("{text:?}"));
    let inner = text.strip_suffix('"').unwrap_or(&text);
    let padding = inner.chars().next_back();
    let bare = padding.map_or(inner, |padding| inner.trim_end_matches(padding));
    let length = text.chars().count();
    if bare.len() + 8 > inner.len() && length <= SHOWN {
        return text;
    }
    let head: String = bare.chars().take(SHOWN).collect();
    format!("{head}… ({length})")
}

/// Whether a text says itself that it was cut, and how long it was, as those of long messages do.
fn is_abbreviated(text: &str) -> bool {
    let length = text.rsplit_once("… (").and_then(|(_, length)| length.strip_suffix(')'));
    text.len() <= 400 && length.is_some_and(|length| length.parse::<u64>().is_ok())
}

/// An operation in words: its name, its key, and whatever else it says.
pub(crate) fn asked(operation: &Value) -> String {
    let Some(fields) = operation.as_object() else {
        return shown(operation);
    };
    let name = fields.get("op").and_then(Value::as_str).unwrap_or("?");
    let key = fields.get("key").map_or_else(String::new, |key| match key.as_u64() {
        Some(key) => format!(" k{key}"),
        None => format!(" {}", shown(key)),
    });
    let others = fields
        .iter()
        .filter(|(field, _)| !["op", "key"].contains(&field.as_str()));
    let others: Vec<String> = others
        .map(|(field, value)| match field.as_str() {
            "value" | "from" => shown(value),
            "to" if name == "cas" => format!("→ {}", shown(value)),
            _ => format!("{field} {}", shown(value)),
        })
        .collect();
    let gap = if others.is_empty() { "" } else { " " };
    format!("{name}{key}{gap}{}", others.join(" "))
}

pub(crate) fn answered(reply: &Value) -> String {
    match output(reply) {
        Some(Output::Value(Text::Text(text))) => shown(&Value::from(text)),
        Some(Output::Done(swapped)) => if swapped { "swapped" } else { "not swapped" }.to_owned(),
        _ => match reply.get("answer").and_then(|answer| answer.get("answer")) {
            Some(answer) => object_answer(answer),
            None => reply.as_str().map_or_else(|| shown(reply), str::to_owned),
        },
    }
}

/// What an object answered.
fn object_answer(answer: &Value) -> String {
    match answer.as_object().and_then(|fields| fields.iter().next()) {
        Some((_, inner)) => shown(inner),
        None => answer.as_str().map_or_else(|| shown(answer), str::to_owned),
    }
}

/// What the checker understands of a reply; `None` for an outcome that nobody knows.
fn output(reply: &Value) -> Option<Output<Text<'_>>> {
    match reply {
        Value::String(done) if done == "done" => Some(Output::Ok),
        Value::Object(fields) => {
            let value = fields.get("value").and_then(|value| value.get("value"));
            let swapped = fields.get("swapped").and_then(|swapped| swapped.get("swapped"));
            let value = value
                .and_then(Value::as_str)
                .map(|text| Output::Value(Text::Text(text)));
            value.or_else(|| swapped.and_then(Value::as_bool).map(Output::Done))
        }
        _ => None,
    }
}

/// What the checker understands of an operation.
fn op<'a>(event: &'a TraceEvent, key: &'a str) -> Option<Op<Text<'a>>> {
    let fields = event.fields.get("operation")?.as_object()?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    Some(match fields.get("op")?.as_str()? {
        "read" => Op::read(key),
        "write" => Op::write(key, text("value")?),
        "cas" => Op::cas(key, text("from")?, text("to")?),
        "append" => Op::append(key, text("value")?),
        _ => return None,
    })
}

fn key(event: &TraceEvent) -> Option<String> {
    event
        .fields
        .get("operation")?
        .get("key")?
        .as_u64()
        .map(|key| format!("k{key}"))
}

/// Whether an answer is one to this question: a trace may say anything.
fn fits(op: &Op<Text<'_>>, output: &Output<Text<'_>>) -> bool {
    let info = op.info();
    match output {
        Output::Value(_) => info.answers_value,
        Output::Ok => info.answers_ok,
        Output::Done(_) => info.answers_done,
    }
}

/// Marks the operations as the run judged them.
fn place(timeline: &Timeline<'_>, found: &mut Operations) {
    let Some(judged) = timeline.events.iter().rev().find_map(|event| Judged::read(event)) else {
        return;
    };
    let calls = found.list.iter().enumerate();
    let places: BTreeMap<u64, usize> = calls
        .map(|(index, operation)| (timeline.events[operation.call].seq, index))
        .collect();
    let place = |call: &u64| places.get(call).copied();
    for order in &judged.orders {
        number(timeline, &mut found.list, order.iter().filter_map(place));
    }
    let parts = [
        (Part::Context, &judged.context[..]),
        (Part::Core, &judged.core[..]),
        (Part::Stuck, judged.stuck.as_slice()),
    ];
    for (part, calls) in parts {
        calls
            .iter()
            .filter_map(place)
            .for_each(|index| found.list[index].part = part);
    }
    let verdict = match judged.verdict {
        HistoryVerdict::Linearizable => "linearizable",
        HistoryVerdict::NotLinearizable => "not linearizable",
        HistoryVerdict::Undecided => "not decided within the budget",
    };
    let many = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    found.verdict = format!(
        "{} on {}, by the model {}: {verdict}",
        many(judged.operations, "operation"),
        many(judged.objects, "object"),
        judged.model
    );
    if judged.verdict == HistoryVerdict::NotLinearizable {
        found.refusal = Some((judged.sentence, judged.details));
    }
}

/// Gives the operations of an order their numbers, and each a time as early as may be.
fn number(timeline: &Timeline<'_>, list: &mut [Operation], order: impl Iterator<Item = usize>) {
    let mut latest = 0;
    for (number, index) in (1..).zip(order) {
        latest = latest.max(timeline.events[list[index].call].t);
        list[index].point = Some((number, latest));
    }
}
