use super::*;
use crate::system::PlantedBug;
use crate::timeline::tests::{STALE, traced, written};

const QUESTION: Question = Question { at: None, last: 6 };

fn explained(trace: &simulator::trace::format::Trace) -> Explanation {
    explain(&Timeline::new(trace), QUESTION).unwrap()
}

fn bug(name: &str) -> Option<&'static PlantedBug> {
    Some(crate::raft_kv::bug(name).expect("a planted bug"))
}

/// The first seed of a scenario that fails with a planted bug, explained.
fn first_failure(scenario: &str, name: &str, property: &str) -> Explanation {
    for seed in 0..60 {
        let (trace, report) = traced(scenario, seed, bug(name));
        if report.failure.is_some_and(|failure| failure.property == property) {
            return explained(&trace);
        }
    }
    panic!("{name} breaks {property} in none of the seeds")
}

#[test]
fn a_stale_read_is_told_from_both_elections() {
    let told = first_failure("leader-isolation", "L2", "read-freshness");
    let stale = told.moment.as_ref().unwrap().place.clone();
    assert_eq!(told.property.as_ref().unwrap().name, "read-freshness");
    assert!(
        told.remarks.iter().any(|remark| remark.starts_with("2 nodes lead: ")),
        "{:?}",
        told.remarks
    );
    let story: Vec<String> = told
        .story
        .iter()
        .map(|one| format!("{} {}", one.place, one.text))
        .collect();
    let leaders = story
        .iter()
        .filter(|line| line.contains("becomes leader of term") && line.contains("with the votes of"));
    assert!(leaders.count() >= 2, "{story:#?}");
    assert!(
        story.iter().any(|line| line.contains("the network is cut: ")),
        "{story:#?}"
    );
    assert!(
        story
            .iter()
            .any(|line| !line.starts_with(&stale) && line.contains("commits up to entry")),
        "{story:#?}"
    );
    let last = story.last().unwrap();
    assert!(
        last.starts_with(&stale) && last.contains("breaks read-freshness"),
        "{last}"
    );
    let first = &told.chain.first().unwrap().text;
    assert!(first.contains("asks: read k"), "{first}");
    assert!(told.story.is_sorted_by_key(|one| one.t), "in the order of time");
}

#[test]
fn the_columns_have_the_last_events_of_every_node_up_to_the_failure() {
    let told = first_failure("leader-isolation", "L2", "read-freshness");
    let columns = &told.columns;
    assert_eq!(columns.nodes, ["n0", "n1", "n2"]);
    for node in 0..3 {
        let lines: Vec<&Line> = columns.lines.iter().filter(|line| line.node == node).collect();
        assert!(lines.len() >= QUESTION.last, "{node} {lines:#?}");
    }
    assert!(
        columns.lines.last().unwrap().cell.ends_with('!'),
        "{:?}",
        columns.lines.last()
    );
    assert!(columns.lines.iter().any(|line| line.cell.starts_with('L')));
}

#[test]
fn an_impossible_answer_is_told_with_the_operations_that_it_contradicts() {
    let told = explained(&written(&STALE, "linearizable/kv"));
    assert_eq!(told.moment.as_ref().map(|one| one.seq), Some(6));
    assert!(
        told.operations.as_ref().unwrap().contains("cannot be placed"),
        "{told:#?}"
    );
    let seqs: Vec<u64> = told.story.iter().map(|one| one.seq).collect();
    assert!(seqs.contains(&3) && seqs.contains(&5) && seqs.contains(&6), "{seqs:?}");
}

#[test]
fn why_goes_back_to_the_first_cause() {
    let (trace, _) = traced("calm", 1, None);
    let timeline = Timeline::new(&trace);
    let leader = timeline.events.iter().find(|event| {
        event.kind == "role" && event.fields.get("role").and_then(|role| role.as_str()) == Some("leader")
    });
    let (chain, more) = why(&timeline, leader.expect("somebody led").seq).unwrap();
    assert!(
        !more && chain.last().unwrap().text.contains("becomes leader"),
        "{chain:#?}"
    );
    let first = timeline.events.iter().find(|event| event.seq == chain[0].seq).unwrap();
    assert!(first.cause.is_none(), "{chain:#?}");
    let votes = chain.iter().filter(|one| one.text.contains("request-vote")).count();
    assert_eq!(votes, 1, "a message is one hop: {chain:#?}");
    let error = why(&timeline, 1 << 40).unwrap_err().to_string();
    assert!(
        error.starts_with("the trace has no event 1099511627776: its events are numbered 1 to "),
        "{error}"
    );
}

#[test]
fn a_cluster_that_does_not_recover_is_told_from_the_end_of_the_faults_on() {
    let told = first_failure("leader-isolation", "E19", "recovers");
    assert!(
        told.message.as_ref().unwrap().contains("after the faults ended"),
        "{told:#?}"
    );
    assert!(told.chain.is_empty() && told.story.len() > 2, "{:#?}", told.story);
    assert!(
        told.story.iter().any(|one| one.text == "all faults end"),
        "{:#?}",
        told.story
    );
    assert!(
        told.story.iter().all(|one| !one.text.contains("attempt")),
        "{:#?}",
        told.story
    );
    assert!(told.remarks.contains(&"nobody leads".to_owned()), "{:?}", told.remarks);
}

#[test]
fn hostile_and_empty_traces_are_explained_all_the_same() {
    let told = explained(&written(&[], "x"));
    assert!(told.moment.is_none() && told.columns.lines.is_empty());
    let evil = "\u{1b}[2J\u{7}\r".repeat(100);
    let lines = [
        r#"{"seq":1,"t":1,"node":0,"kind":"role","role":"EVIL","term":"EVIL"}"#,
        r#"{"seq":2,"t":18446744073709551615,"node":65535,"kind":"EVIL","cause":1,"EVIL":"EVIL"}"#,
        r#"{"seq":3,"t":2,"node":0,"kind":"deliver","cause":1,"from":"EVIL","type":"EVIL","message":{"body":{"entries":[{"index":"EVIL"}]}}}"#,
        r#"{"seq":4,"t":3,"client":0,"kind":"invoke","operation":{"op":"EVIL","key":"EVIL"}}"#,
        r#"{"seq":5,"t":4,"client":0,"kind":"return","reply":{"value":{"value":"EVIL"}}}"#,
        r#"{"seq":6,"t":5,"node":1,"kind":"violation","property":"EVIL","message":"EVIL node 99999999999999999999 entry 0"}"#,
    ];
    let escaped = serde_json::to_string(&evil).unwrap();
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.replace("EVIL", escaped.trim_matches('"')))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let trace = written(&lines, &evil);
    let told = explained(&trace);
    let whole = format!("{}", serde_json::to_value(&told).unwrap());
    assert!(
        !whole.contains("\\u001b") && !whole.contains("\\u0007") && !whole.contains("\\r"),
        "{whole}"
    );
    for seq in 1..=6 {
        let question = Question { at: Some(seq), last: 3 };
        explain(&Timeline::new(&trace), question).unwrap();
        why(&Timeline::new(&trace), seq).unwrap();
    }
}
