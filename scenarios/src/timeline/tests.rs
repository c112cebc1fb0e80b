//! Traces for the tests of what is made of traces: of real runs, and one by hand with everything that a run rarely has.

use super::operations::{self, Outcome, Part};
use super::*;
use crate::run::{RunOptions, RunReport, run};
use crate::scenario;
use crate::system::PlantedBug;
use serde_json::Value;
use simulator::trace::format;

/// The trace of a run of a built-in scenario with three nodes.
pub fn traced(name: &str, seed: u64, bug: Option<&'static PlantedBug>) -> (Trace, RunReport) {
    let builtin = crate::raft_kv::find(name).expect("a built-in scenario");
    let settings = [("cluster.nodes".to_owned(), "3".to_owned())];
    let scenario =
        scenario::parse(builtin.name, builtin.text, &settings, &crate::raft_kv::known()).expect("it is valid");
    let report = run(
        &scenario,
        seed,
        RunOptions {
            bug,
            trace: true,
            ..RunOptions::default()
        },
    );
    let trace = Trace {
        header: report.trace_header(name),
        events: report.trace.clone(),
        footer: report.trace_footer(),
    };
    (trace, report)
}

/// A trace of these event lines; `verdict` is its footer's.
pub fn written(lines: &[&str], verdict: &str) -> Trace {
    let header = r#"{"schema":"squall-trace/2","tool":"t","scenario":"s","seed":"0x1","nodes":2,"clients":2,"clock":"ns","rng":"r"}"#;
    let footer = format!(
        r#"{{"verdict":{},"digest":"00","events":{},"end":100,"counts":{{}}}}"#,
        Value::from(verdict),
        lines.len()
    );
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = format!("{header}\n{lines}{footer}\n");
    format::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// Two clients; the second reads what the first had overwritten before.
pub const STALE: [&str; 8] = [
    r#"{"seq":1,"t":10,"client":0,"kind":"invoke","process":0,"operation":{"op":"write","key":1,"value":"a"}}"#,
    r#"{"seq":2,"t":20,"client":0,"kind":"return","process":0,"reply":"done"}"#,
    r#"{"seq":3,"t":30,"client":0,"kind":"invoke","process":0,"operation":{"op":"write","key":1,"value":"b"}}"#,
    r#"{"seq":4,"t":40,"client":0,"kind":"return","process":0,"reply":"done"}"#,
    r#"{"seq":5,"t":50,"client":1,"kind":"invoke","process":1,"operation":{"op":"read","key":1}}"#,
    r#"{"seq":6,"t":60,"client":1,"kind":"return","process":1,"reply":{"value":{"value":"a"}}}"#,
    r#"{"seq":7,"t":60,"kind":"history","model":"kv","verdict":"not-linearizable","operations":3,"objects":1,"orders":[[1,3]],"stuck":5,"core":[3,5],"context":[1],"sentence":"It read what was overwritten.","details":"The read cannot be placed."}"#,
    r#"{"seq":8,"t":60,"kind":"violation","cause":6,"property":"linearizable","rule":"kv","message":"what the clients saw has no linearization","event":6,"at":60,"nodes":[],"entries":[],"operations":[5,3]}"#,
];

#[test]
fn the_history_of_a_trace_is_the_history_of_the_run() {
    let (trace, report) = traced("storm", 5, None);
    let history = operations::history(&Timeline::new(&trace)).expect("clients were at work");
    let lines = |history: &checker::history::History| -> Vec<_> {
        let line = |id| {
            (
                history.operation(id).client,
                history.operation(id).call,
                history.operation(id).returned,
                history.describe(id),
            )
        };
        history.ids().map(line).collect()
    };
    assert!(report.operations > 20, "{}", report.operations);
    assert_eq!(lines(&history), lines(&report.history));
}

#[test]
fn linearization_points_lie_within_their_operations_and_ascend_within_a_key() {
    let (trace, _) = traced("storm", 5, None);
    let timeline = Timeline::new(&trace);
    let found = operations::operations(&timeline);
    assert!(
        found.verdict.ends_with("linearizable") && found.refusal.is_none(),
        "{found:?}"
    );
    let time = |row: Row| timeline.events[row].t;
    for operation in &found.list {
        let answered = operation.outcome == Outcome::Answered && timeline.events[operation.call].kind == "invoke";
        assert!(operation.point.is_some() || !answered, "{operation:?}");
        if let Some((_, point)) = operation.point {
            let until = operation.returned.filter(|_| answered).map_or(u64::MAX, time);
            assert!((time(operation.call)..=until).contains(&point), "{operation:?}");
        }
    }
}

#[test]
fn the_first_operation_that_cannot_be_placed_is_marked() {
    let trace = written(&STALE, "linearizable/kv");
    let found = operations::operations(&Timeline::new(&trace));
    let parts: Vec<Part> = found.list.iter().map(|operation| operation.part).collect();
    assert_eq!(parts, [Part::Context, Part::Core, Part::Stuck], "as the run said");
    assert!(
        found.verdict.ends_with("not linearizable") && found.refusal.is_some(),
        "{found:?}"
    );
}

#[test]
fn every_copy_of_a_message_has_one_end() {
    let (trace, _) = traced("storm", 1, None);
    let timeline = Timeline::new(&trace);
    let passages = timeline.passages();
    let ends = timeline
        .events
        .iter()
        .filter(|event| matches!(&*event.kind, "deliver" | "request" | "response" | "drop"));
    assert_eq!(
        passages.iter().filter(|passage| passage.ended.is_some()).count(),
        ends.count()
    );
    let lost = timeline.events.iter().filter(|event| event.kind == "drop").count();
    assert!(lost > 0);
    assert_eq!(passages.iter().filter(|passage| passage.lost).count(), lost);
    for passage in &passages {
        let end = passage.ended.map(|row| timeline.events[row]);
        assert!(end.is_none_or(|end| end.t >= timeline.events[passage.sent].t));
    }
}

#[test]
fn a_fault_lasts_from_its_event_to_the_one_that_ends_it() {
    let trace = written(
        &[
            r#"{"seq":1,"t":10,"node":0,"kind":"crash","action":"crash"}"#,
            r#"{"seq":2,"t":12,"kind":"cut","id":7,"from":["n0"],"to":["n1","c0"],"one_way":true}"#,
            r#"{"seq":3,"t":15,"node":1,"kind":"pause"}"#,
            r#"{"seq":4,"t":20,"node":0,"kind":"restart","cause":1}"#,
            r#"{"seq":5,"t":30,"kind":"heal"}"#,
        ],
        "pass",
    );
    let timeline = Timeline::new(&trace);
    let bands: Vec<_> = faults::bands(&timeline)
        .into_iter()
        .map(|band| (band.label, band.from, band.to, band.lanes))
        .collect();
    assert_eq!(
        bands,
        [
            ("n0 crash".to_owned(), 10, 20, vec![0]),
            ("n0 ⇥ n1 +1 clients".to_owned(), 12, 30, vec![0]),
            ("n1 pause".to_owned(), 15, 100, vec![1]),
        ]
    );
}

#[test]
fn a_trace_that_makes_no_sense_is_read_all_the_same() {
    let trace = written(
        &[
            r#"{"seq":9,"t":18446744073709551615,"node":65535,"kind":"role","role":7,"term":"x","cause":9}"#,
            r#"{"seq":9,"t":3,"client":9,"kind":"return","reply":{"value":5}}"#,
            r#"{"seq":2,"t":3,"node":0,"kind":"append","last":18446744073709551615,"term":18446744073709551615,"was":0}"#,
            r#"{"seq":3,"t":3,"node":0,"kind":"truncate","last":0}"#,
            r#"{"seq":4,"t":3,"node":0,"kind":"deliver","cause":2,"from":5,"to":[],"message":{"body":{"entries":[{"index":0,"term":0},{}],"prev":{"term":1,"index":0}}}}"#,
            r#"{"seq":5,"t":4,"kind":"cut","id":-1,"from":"n0","to":[1,"x"]}"#,
            r#"{"seq":6,"t":5,"client":0,"kind":"invoke","operation":[[]]}"#,
            r#"{"seq":7,"t":6,"client":0,"kind":"invoke","process":0,"operation":{"op":"read","key":0}}"#,
            r#"{"seq":8,"t":7,"client":0,"kind":"return","reply":"done"}"#,
            r#"{"seq":10,"t":8,"kind":"violation"}"#,
        ],
        "x",
    );
    let timeline = Timeline::new(&trace);
    assert_eq!(
        timeline.events.last().map(|event| event.t),
        Some(u64::MAX),
        "in the order of time"
    );
    state::lives(&timeline);
    faults::bands(&timeline);
    assert!(operations::operations(&timeline).refusal.is_none());
    timeline.passages();
    crate::view::page(&trace, crate::view::SIZE_MAX);
}
