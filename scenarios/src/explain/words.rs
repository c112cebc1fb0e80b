//! What an event says, as a part of a sentence whose subject is the place where it happened.
//!
//! Nothing in a trace is trusted: what is missing is left out, and no text brings control characters along.

use crate::timeline::{Timeline, faults, operations, place};
use serde_json::Value;
use simulator::TraceEvent;
use simulator::trace::events::{Append, Configured, Meaning, Recovered, Truncate};

/// Longest text of one event, in characters.
const TEXT_MAX: usize = 160;

/// A text on one line, of bounded length, without control characters.
pub fn plain(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(TEXT_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(TEXT_MAX).is_some() {
        out.push('…');
    }
    out
}

/// A span of nanoseconds, to three digits or so.
pub fn span(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{}.{} µs", ns / 1_000, ns % 1_000 / 100),
        1_000_000..1_000_000_000 => format!("{}.{} ms", ns / 1_000_000, ns % 1_000_000 / 100_000),
        _ => format!("{}.{:02} s", ns / 1_000_000_000, ns % 1_000_000_000 / 10_000_000),
    }
}

fn text<'e>(event: &'e TraceEvent, field: &str) -> &'e str {
    event.fields.get(field).and_then(Value::as_str).unwrap_or("?")
}

fn number(value: Option<&Value>) -> String {
    value
        .and_then(Value::as_u64)
        .map_or_else(|| "?".to_owned(), |number| number.to_string())
}

/// What changed by an event, or `None` if it is not worth a word beside what brought it about.
pub fn effect(event: &TraceEvent) -> Option<String> {
    let field = |name: &str| number(event.fields.get(name));
    let words = match &*event.kind {
        "role" => {
            let of = if text(event, "role") == "leader" { "of" } else { "in" };
            format!("becomes {} {of} term {}", text(event, "role"), field("term"))
        }
        "vote" => {
            let candidate = Timeline::number(event, "candidate");
            let whom = match candidate {
                Some(candidate) if event.node.map(u64::from) == Some(candidate) => "itself".to_owned(),
                Some(candidate) => format!("n{candidate}"),
                None => return Some(format!("forgets its vote of term {}", field("term"))),
            };
            format!("votes for {whom} in term {}", field("term"))
        }
        "append" => appends(&Append::read(event)?),
        "truncate" => {
            let Truncate { last, was } = Truncate::read(event)?;
            match was.saturating_sub(last) {
                1 => format!("removes its entry {was}"),
                _ => format!("removes its entries {} to {was}", last.saturating_add(1)),
            }
        }
        "compact" => format!(
            "gives up its entries up to {}, for which its snapshot stands",
            field("index")
        ),
        "recovered" => recovers(&Recovered::read(event)?)?,
        "configuration" => acts_under(&Configured::read(event)?)?,
        "commit" => format!("commits up to entry {}", field("index")),
        "install" => format!(
            "installs a snapshot up to entry {} (term {})",
            field("index"),
            field("term")
        ),
        "snapshot" => format!("takes a snapshot up to entry {}", field("index")),
        "invoke" => format!("asks: {}", operation(event)),
        "order" => format!("orders: {}", operation(event)),
        "return" | "ordered" => format!("is told: {}", reply(event.fields.get("reply"))),
        "violation" | "verdict" => format!("breaks {}", text(event, "property")),
        "torn" => format!(
            "has a write torn: {} of {} bytes survive",
            field("survived"),
            field("len")
        ),
        "lost" => format!("loses an unsynced write of {} bytes", field("len")),
        "send" if text(event, "to").starts_with('c') && event.node.is_some() => {
            format!("answers {}: {}", text(event, "to"), answer(event))
        }
        _ => return None,
    };
    Some(plain(&words))
}

/// What set an event off, as what happened to its place.
pub fn trigger(timeline: &Timeline<'_>, event: &TraceEvent) -> String {
    let from = || text(event, "from");
    let words = match &*event.kind {
        "boot" => "starts with an empty disk".to_owned(),
        "restart" => format!(
            "restarts from the {} bytes on its disk",
            number(event.fields.get("bytes"))
        ),
        "crash" => "crashes".to_owned(),
        "exit" => "stops of its own accord".to_owned(),
        "pause" => "is paused".to_owned(),
        "resume" => "goes on".to_owned(),
        "timer" => "its timer expires".to_owned(),
        "deliver" => format!("gets {} from {}", parcel(event), from()),
        "request" => format!("gets a request of {}: {}", from(), parcel(event)),
        "response" => format!("gets the answer of {}: {}", from(), answer(event)),
        "drop" => format!(
            "never gets {} of {}: lost ({})",
            parcel(event),
            from(),
            text(event, "reason")
        ),
        "send" => format!("sends {} to {}", parcel(event), text(event, "to")),
        "duplicate" => "the network makes a copy of what it sent".to_owned(),
        "sync" => "its disk has made durable what it wrote".to_owned(),
        "discard" => "gives up the oldest part of its file".to_owned(),
        "sync-start" => "asks its disk to make that durable".to_owned(),
        "write" => format!("writes {} bytes", number(event.fields.get("len"))),
        "apply" => format!("applies entry {}", number(event.fields.get("index"))),
        "cut" => format!("the network is cut: {}", faults::label(timeline, event)),
        "mend" => "a cut of the network ends".to_owned(),
        "heal" => "all faults end".to_owned(),
        "skip" => "a planned fault finds nobody to strike".to_owned(),
        "clock" => faults::label(timeline, event),
        _ => effect(event).unwrap_or_else(|| other(event)),
    };
    plain(&words)
}

fn appends(Append { last, was, terms }: &Append) -> String {
    let mut before = *was;
    let spans = terms.iter().map(|(term, last)| {
        let first = std::mem::replace(&mut before, *last).saturating_add(1);
        if first == *last {
            format!("entry {first} (term {term})")
        } else {
            format!("entries {first} to {last} (term {term})")
        }
    });
    let spans: Vec<String> = spans.collect();
    match &spans[..] {
        [] => format!("appends up to entry {last}"),
        spans => format!("appends {}", spans.join(", ")),
    }
}

/// What a node found on its disk; nothing is said of an empty one.
fn recovers(recovered: &Recovered) -> Option<String> {
    let (term, last, snapshot) = (recovered.term, recovered.log.last(), recovered.snapshot.index);
    (term > 0 || last > 0).then_some(())?;
    let log = match last {
        0 => "an empty log".to_owned(),
        _ => format!("a log up to entry {last}"),
    };
    let snapshot = match snapshot {
        0 => String::new(),
        _ => format!(" (a snapshot up to {snapshot})"),
    };
    Some(format!("recovers term {term} and {log}{snapshot}"))
}

/// The members under which a node acts; nothing is said of those that it began with.
fn acts_under(configured: &Configured) -> Option<String> {
    (configured.index > 0).then_some(())?;
    let names = |nodes: &[u64]| {
        let names: Vec<String> = nodes.iter().map(|node| format!("n{node}")).collect();
        names.join(" ")
    };
    let mut words = format!(
        "acts under the configuration of entry {}: voters {}",
        configured.index,
        names(&configured.voters)
    );
    for (what, nodes) in [("outgoing", &configured.outgoing), ("learners", &configured.learners)] {
        if !nodes.is_empty() {
            words += &format!(", {what} {}", names(nodes));
        }
    }
    Some(words)
}

fn other(event: &TraceEvent) -> String {
    let fields: Vec<String> = event
        .fields
        .iter()
        .filter(|(name, _)| *name != "kind")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} {}", event.kind, fields.join(" "))
}

fn operation(event: &TraceEvent) -> String {
    event
        .fields
        .get("operation")
        .map_or_else(|| "?".to_owned(), operations::asked)
}

fn reply(reply: Option<&Value>) -> String {
    match reply.and_then(|reply| reply.get("not-leader")) {
        Some(told) => match told.get("leader").and_then(Value::as_u64) {
            Some(leader) => format!("not the leader, n{leader} is"),
            None => "not the leader".to_owned(),
        },
        None => reply.map_or_else(|| "?".to_owned(), operations::answered),
    }
}

/// The answer in a message to a client.
fn answer(event: &TraceEvent) -> String {
    reply(event.fields.get("message").and_then(|message| message.get("reply")))
}

/// What travels, in a few words.
pub fn parcel(event: &TraceEvent) -> String {
    let message = event.fields.get("message");
    if let Some(asked) = message.and_then(|message| message.get("operation")) {
        return plain(&operations::asked(asked));
    }
    if message.is_some_and(|message| message.get("reply").is_some()) {
        return plain(&answer(event));
    }
    let body = message.and_then(|message| message.get("body"));
    let field = |name: &str| body.and_then(|body| body.get(name));
    let (sort, term) = (
        text(event, "type"),
        number(message.and_then(|message| message.get("term"))),
    );
    let index = |mark: &str| number(field(mark).and_then(|mark| mark.get("index")));
    let words = match sort {
        "append-entries" => format!("append-entries of term {term} ({})", entries(field("entries"))),
        "heartbeat" => format!("a heartbeat of term {term}"),
        "append-accepted" => format!("append-accepted up to entry {}", number(field("match_index"))),
        "append-rejected" => format!(
            "append-rejected: no entry {}, try {}",
            number(field("prev_index")),
            index("hint")
        ),
        "request-vote" | "pre-vote" => format!("{sort} of term {term} (log up to entry {})", index("last")),
        "vote-reply" | "pre-vote-reply" => match field("granted").and_then(Value::as_bool) {
            Some(true) => format!("a granted {sort} of term {term}"),
            _ => format!("a refused {sort} of term {term}"),
        },
        "install-snapshot" => format!("install-snapshot up to entry {} of term {term}", index("last")),
        _ => format!("{sort} of term {term}"),
    };
    plain(&words)
}

fn entries(entries: Option<&Value>) -> String {
    let marks: Vec<u64> = entries
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("index")?.as_u64())
        .collect();
    match (marks.first(), marks.last()) {
        (Some(first), Some(last)) if first < last => format!("entries {first} to {last}"),
        (Some(only), _) => format!("entry {only}"),
        _ => "no entries".to_owned(),
    }
}

/// Where an event happened: a node, a client, or the world.
pub fn at(event: &TraceEvent) -> String {
    match &*event.kind {
        "cut" | "mend" | "heal" | "network" | "skip" | "verdict" | "history" => "world".to_owned(),
        _ => place(event).map_or_else(|| "world".to_owned(), |place| place.to_string()),
    }
}
