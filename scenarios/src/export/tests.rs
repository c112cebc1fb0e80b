use super::*;
use crate::timeline::tests::{STALE, traced, written};
use checker::history::History;
use checker::linearizability::{Options, check_history};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn exported(trace: &Trace, format: Format, key: Option<&str>) -> String {
    let mut out = Vec::new();
    write(trace, format, key, &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).unwrap()
}

/// Three decimals of a microsecond, as nanoseconds.
fn nanos(value: &Value) -> u64 {
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<u64>().unwrap() * 1_000 + format!("{part:0<3}").parse::<u64>().unwrap()
}

#[test]
fn perfetto_slices_do_not_overlap_and_every_arrow_binds_to_two_of_them() {
    let (trace, _) = traced("storm", 1, None);
    let document: Value = serde_json::from_str(&exported(&trace, Format::Perfetto, None)).unwrap();
    let events = document["traceEvents"].as_array().unwrap();
    let named: BTreeSet<u64> = events
        .iter()
        .filter(|event| event["name"] == "process_name")
        .map(|event| event["pid"].as_u64().unwrap())
        .collect();
    let mut slices: BTreeMap<(u64, u64), BTreeMap<u64, u64>> = BTreeMap::new();
    let mut open: BTreeMap<(String, String), i64> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] != "M") {
        assert!(named.contains(&event["pid"].as_u64().unwrap()), "{event}");
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let at = nanos(&event["ts"]);
        match event["ph"].as_str().unwrap() {
            "X" => {
                let end = at + nanos(&event["dur"]);
                assert!(end > at, "{event}");
                assert_eq!(slices.entry(thread).or_default().insert(at, end), None, "{event}");
            }
            phase @ ("b" | "e") => {
                let id = (event["cat"].to_string(), event["id"].to_string());
                *open.entry(id).or_default() += if phase == "b" { 1 } else { -1 };
            }
            "s" | "f" | "C" | "i" => {}
            other => panic!("{other}: {event}"),
        }
    }
    assert!(open.values().all(|count| *count == 0));
    for (thread, slices) in &slices {
        let overlap = slices
            .iter()
            .zip(slices.iter().skip(1))
            .find(|((_, end), (next, _))| end > next);
        assert_eq!(overlap, None, "{thread:?}");
    }
    let mut flows: BTreeMap<u64, Vec<(&str, u64)>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "s" || event["ph"] == "f") {
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let at = nanos(&event["ts"]);
        let slice = slices[&thread].range(..=at).next_back();
        assert!(slice.is_some_and(|(_, end)| at < *end), "{event}");
        flows
            .entry(event["id"].as_u64().unwrap())
            .or_default()
            .push((event["ph"].as_str().unwrap(), at));
    }
    let delivered = trace.events.iter().filter(|event| event.kind == "deliver").count();
    assert!(flows.len() >= delivered && delivered > 0, "{} arrows", flows.len());
    for ends in flows.values() {
        assert!(matches!(&ends[..], [("s", from), ("f", to)] if from < to), "{ends:?}");
    }
}

#[test]
fn shiviz_clocks_count_their_own_events_and_an_arrival_has_seen_its_send() {
    let (trace, _) = traced("storm", 1, None);
    let text = exported(&trace, Format::Shiviz, None);
    let mut lines = text.lines();
    assert_eq!((lines.next(), lines.next()), (Some(shiviz::PATTERN), Some("")));
    let mut own: BTreeMap<String, u64> = BTreeMap::new();
    let mut clocks: BTreeMap<u64, BTreeMap<String, u64>> = BTreeMap::new();
    for line in lines {
        let (host, rest) = line.split_once(' ').unwrap();
        let (clock, event) = rest.split_once("} ").unwrap();
        let clock: BTreeMap<String, u64> = serde_json::from_str(&format!("{clock}}}")).unwrap();
        let count = own.entry(host.to_owned()).or_default();
        *count += 1;
        assert_eq!(clock[host], *count, "{line}");
        let seq = event
            .split('#')
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        clocks.insert(seq, clock);
    }
    let mut arrivals = 0;
    for event in trace.events.iter().filter(|event| event.kind == "deliver") {
        let (sent, arrived) = (&clocks[&event.cause.unwrap()], &clocks[&event.seq]);
        assert!(sent.iter().all(|(host, count)| arrived[host] >= *count), "{event:?}");
        arrivals += 1;
    }
    assert!(arrivals > 50, "{arrivals}");
}

/// The cells of a line as RFC 4180 has them.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let cell = cells.last_mut().unwrap();
        match c {
            '"' if is_quoted && characters.peek() == Some(&'"') => cell.push(characters.next().unwrap()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    assert!(!is_quoted, "{line}");
    cells
}

#[test]
fn csv_has_a_line_for_each_event_and_nothing_is_lost() {
    let (trace, _) = traced("storm", 1, None);
    let text = exported(&trace, Format::Csv, None);
    let mut lines = text.split_terminator("\r\n").map(cells);
    let head = lines.next().unwrap();
    assert_eq!(head.last().map(String::as_str), Some("detail"));
    let mut count = 0;
    for (line, event) in lines.zip(&trace.events) {
        assert_eq!(line.len(), head.len(), "{line:?}");
        assert_eq!((&line[0], &line[3]), (&event.seq.to_string(), &event.kind.to_string()));
        let mut fields: serde_json::Map<String, Value> = match &*line[8] {
            "" => serde_json::Map::new(),
            detail => serde_json::from_str(detail).unwrap(),
        };
        for (name, cell) in [("type", 5), ("from", 6), ("to", 7)] {
            // A cut's sides are lists, which are JSON in a cell.
            let value = serde_json::from_str(&line[cell]).ok().filter(Value::is_array);
            let text = (!line[cell].is_empty()).then(|| Value::from(&*line[cell]));
            fields.extend(value.or(text).map(|value| (name.to_owned(), value)));
        }
        assert_eq!(fields, event.fields.to_map());
        count += 1;
    }
    assert_eq!(count, trace.events.len());
}

#[test]
fn jsonl_is_the_trace() {
    let (trace, _) = traced("calm", 1, None);
    let text = exported(&trace, Format::Jsonl, None);
    assert_eq!(format::read(text.as_bytes()).unwrap(), trace);
}

#[test]
fn mermaid_knows_its_participants_and_stays_small() {
    let (mut trace, _) = traced("storm", 1, None);
    trace.header.scenario = "x\nn0->>n1: forged".to_owned();
    let text = exported(&trace, Format::Mermaid, None);
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("%% x_n0-__n1_ forged seed "));
    assert_eq!(lines.next(), Some("sequenceDiagram"));
    let (mut participants, mut messages) = (BTreeSet::new(), 0);
    for line in lines.map(str::trim) {
        if let Some(name) = line.strip_prefix("participant ") {
            participants.insert(name);
        } else if let Some(note) = line.strip_prefix("Note over ") {
            assert!(participants.contains(note.split(':').next().unwrap()), "{line}");
        } else {
            let (ends, sort) = line.split_once(": ").unwrap();
            let (from, to) = ends.split_once("->>").or_else(|| ends.split_once("-x")).unwrap();
            assert!(
                participants.contains(from) && participants.contains(to) && !sort.is_empty(),
                "{line}"
            );
            messages += 1;
        }
    }
    assert_eq!(messages, mermaid::MESSAGES_MAX);
}

/// The verdict of the checker on a history, and how many operations it has.
fn judged(history: &History) -> (bool, usize) {
    let report = check_history(history, "kv", &Options::default()).unwrap();
    (report.is_linearizable(), report.operations)
}

#[test]
fn edn_is_read_back_with_the_same_verdict() {
    let read = |text: &str| judged(&History::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}")));
    let stale = exported(&written(&STALE, "linearizable/kv"), Format::Edn, None);
    assert_eq!(read(&stale), (false, 3), "{stale}");
    let fresh: Vec<String> = STALE
        .iter()
        .map(|line| line.replace(r#"{"value":"a"}"#, r#"{"value":"b"}"#))
        .collect();
    let fresh = written(&fresh.iter().map(String::as_str).collect::<Vec<_>>(), "pass");
    assert_eq!(read(&exported(&fresh, Format::Edn, Some("k1"))), (true, 3));
    let (trace, _) = traced("calm", 1, None);
    let timeline = Timeline::new(&trace);
    let whole = crate::timeline::operations::history(&timeline).unwrap();
    assert!(judged(&whole).0);
    let keys: BTreeSet<String> = whole
        .operations()
        .map(|operation| whole.value(operation.op.key()).to_string())
        .collect();
    for key in &keys {
        let text = exported(&trace, Format::Edn, Some(key.trim_matches('"')));
        let (is_linearizable, operations) = read(&text);
        assert!(is_linearizable && operations > 5, "{key} {operations}");
    }
}

#[test]
fn a_history_of_several_keys_asks_which() {
    let (trace, _) = traced("calm", 1, None);
    let error = |key| {
        write(&trace, Format::Edn, key, &mut Vec::new())
            .unwrap_err()
            .to_string()
    };
    assert!(
        error(None).contains("choose it with --key, one of k0"),
        "{}",
        error(None)
    );
    assert!(error(Some("zebra")).starts_with("the history has no key `zebra`; it has k0"));
    let none = write(&written(&[], "pass"), Format::Edn, None, &mut Vec::new())
        .unwrap_err()
        .to_string();
    assert!(none.starts_with("the trace has no operations of clients"), "{none}");
}
