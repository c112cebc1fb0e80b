//! What one client alone sees of each model: answers that are right after a few operations, and answers that are not.

use super::{guess, registry};
use crate::history::{History, OwnedValue};
use crate::linearizability::{CheckError, Options, check_history};

/// A history of one client; each of `lines` is what stands between key and call.
fn history(lines: &[&str]) -> History {
    let line = |(index, line): (usize, &&str)| {
        let (call, end) = (2 * index, 2 * index + 1);
        format!(r#"{{"client":1,"key":"k",{line},"call":{call},"return":{end}}}"#)
    };
    let text: Vec<String> = lines.iter().enumerate().map(line).collect();
    History::read(text.join("\n").as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text:?}"))
}

/// Holds that after `before` each of `right` can be answered so and none of `wrong`.
fn hold(model: &str, initial: Option<&str>, before: &[&str], right: &[&str], wrong: &[&str]) {
    let options = Options {
        initial: initial.map(|text| text.parse().expect("any text is a value")),
        ..Options::default()
    };
    let verdict = |last: &&str| {
        let lines: Vec<&str> = before.iter().chain([last]).copied().collect();
        let report = check_history(&history(&lines), model, &options).unwrap_or_else(|error| panic!("{last}: {error}"));
        report.is_linearizable()
    };
    for last in right {
        assert!(verdict(last), "{model}: {last} is right");
    }
    for last in wrong {
        assert!(!verdict(last), "{model}: {last} is wrong");
    }
}

#[test]
fn a_deleted_key_is_absent() {
    let before = [r#""op":"write","value":"a""#, r#""op":"delete""#];
    let right = [
        r#""op":"read","output":"""#,
        r#""op":"delete","ok":false"#,
        r#""op":"cas","from":"","to":"b","ok":true"#,
    ];
    let wrong = [
        r#""op":"read","output":"a""#,
        r#""op":"delete","ok":true"#,
        r#""op":"cas","from":"a","to":"b","ok":true"#,
    ];
    hold("kv", None, &before, &right, &wrong);
    hold(
        "kv",
        None,
        &before[..1],
        &[r#""op":"delete","ok":true"#],
        &[r#""op":"delete","ok":false"#],
    );
}

#[test]
fn a_counter_tells_the_sum() {
    let before = [r#""op":"add","value":5"#, r#""op":"add","value":-2,"output":3"#];
    let right = [r#""op":"read","output":3"#, r#""op":"add","value":1,"output":4"#];
    let wrong = [r#""op":"read","output":5"#, r#""op":"add","value":1,"output":1"#];
    hold("counter", None, &before, &right, &wrong);
}

#[test]
fn a_set_holds_what_was_added_and_not_removed() {
    let before = [
        r#""op":"add","value":1"#,
        r#""op":"add","value":2,"ok":true"#,
        r#""op":"remove","value":1,"ok":true"#,
    ];
    let right = [
        r#""op":"read","output":[2]"#,
        r#""op":"contains","value":2,"ok":true"#,
        r#""op":"contains","value":1,"ok":false"#,
        r#""op":"add","value":2,"ok":false"#,
        r#""op":"remove","value":1,"ok":false"#,
    ];
    let wrong = [
        r#""op":"read","output":[1,2]"#,
        r#""op":"read","output":[2,2]"#,
        r#""op":"read","output":null"#,
        r#""op":"contains","value":1,"ok":true"#,
        r#""op":"add","value":2,"ok":true"#,
        r#""op":"remove","value":1,"ok":true"#,
    ];
    hold("set", None, &before, &right, &wrong);
}

#[test]
fn a_list_keeps_every_item_in_order() {
    let before = [r#""op":"append","value":1"#, r#""op":"append","value":2"#];
    let wrong = [
        r#""op":"read","output":[2,1]"#,
        r#""op":"read","output":[1]"#,
        r#""op":"read","output":null"#,
    ];
    hold("append-list", None, &before, &[r#""op":"read","output":[1,2]"#], &wrong);
    hold(
        "append-list",
        None,
        &[],
        &[r#""op":"read","output":null"#, r#""op":"read","output":[]"#],
        &[],
    );
}

#[test]
fn an_event_log_has_no_gap_no_duplicate_and_no_reordering() {
    let before = [
        r#""op":"append","value":"a","output":0"#,
        r#""op":"append","value":"b""#,
    ];
    let right = [
        r#""op":"append","value":"c","output":2"#,
        r#""op":"fetch","from":1,"output":["b"]"#,
        r#""op":"fetch","from":7,"output":null"#,
        r#""op":"read","output":["a","b"]"#,
    ];
    let wrong = [
        r#""op":"append","value":"c","output":3"#,
        r#""op":"append","value":"c","output":1"#,
        r#""op":"fetch","from":0,"output":["b"]"#,
        r#""op":"fetch","from":0,"output":["a","b","b"]"#,
        r#""op":"read","output":["b","a"]"#,
    ];
    hold("event-log", None, &before, &right, &wrong);
}

#[test]
fn collections_differ_in_what_leaves_first() {
    let queue = [
        r#""op":"enqueue","value":2"#,
        r#""op":"enqueue","value":1"#,
        r#""op":"enqueue","value":3"#,
    ];
    let dequeue = |value| format!(r#""op":"dequeue","output":{value}"#);
    hold(
        "queue",
        None,
        &queue,
        &[&dequeue("2")],
        &[&dequeue("1"), &dequeue("3"), &dequeue("null")],
    );
    let stack: Vec<String> = queue.iter().map(|line| line.replace("enqueue", "push")).collect();
    let stack: Vec<&str> = stack.iter().map(String::as_str).collect();
    let pop = |value| format!(r#""op":"pop","output":{value}"#);
    hold(
        "stack",
        None,
        &stack,
        &[&pop("3")],
        &[&pop("2"), &pop("1"), &pop("null")],
    );
    let heap: Vec<String> = queue.iter().map(|line| line.replace("enqueue", "insert")).collect();
    let heap: Vec<&str> = heap.iter().map(String::as_str).collect();
    let pop = |value| format!(r#""op":"pop-min","output":{value}"#);
    hold(
        "priority-queue",
        None,
        &heap,
        &[&pop("1")],
        &[&pop("2"), &pop("3"), &pop("null")],
    );
    hold("queue", None, &[], &[&dequeue("null")], &[&dequeue("1")]);
}

#[test]
fn a_bank_makes_no_money_and_loses_none() {
    let initial = Some(r#"[["a",5],["b",0]]"#);
    let before = [
        r#""op":"transfer","value":["a","b",2],"ok":true"#,
        r#""op":"reserve","value":["s","a","b",1],"ok":true"#,
    ];
    let right = [
        r#""op":"read","output":[["b",2],["a",2]]"#,
        r#""op":"transfer","value":["a","b",3],"ok":false"#,
        r#""op":"transfer","value":["a","nobody",1],"ok":false"#,
        r#""op":"reserve","value":["s","a","b",1],"ok":false"#,
        r#""op":"confirm","value":"s","ok":true"#,
        r#""op":"cancel","value":"t","ok":false"#,
    ];
    let wrong = [
        r#""op":"read","output":[["a",2],["b",3]]"#,
        r#""op":"read","output":[["a",3],["b",2]]"#,
        r#""op":"read","output":[["a",2]]"#,
        r#""op":"transfer","value":["a","b",3],"ok":true"#,
        r#""op":"confirm","value":"s","ok":false"#,
    ];
    hold("bank", initial, &before, &right, &wrong);
    let settled = |how: &'static str| [before[0], before[1], how];
    hold(
        "bank",
        initial,
        &settled(r#""op":"cancel","value":"s","ok":true"#),
        &[
            r#""op":"read","output":[["a",3],["b",2]]"#,
            r#""op":"confirm","value":"s","ok":false"#,
            r#""op":"reserve","value":["s","a","b",1],"ok":false"#,
        ],
        &[
            r#""op":"read","output":[["a",2],["b",3]]"#,
            // A saga is begun once, also when it is over.
            r#""op":"reserve","value":["s","a","b",1],"ok":true"#,
        ],
    );
    hold(
        "bank",
        initial,
        &settled(r#""op":"confirm","value":"s","ok":true"#),
        &[r#""op":"read","output":[["a",2],["b",3]]"#],
        &[
            r#""op":"read","output":[["a",3],["b",2]]"#,
            r#""op":"cancel","value":"s","ok":true"#,
        ],
    );
}

#[test]
fn an_old_fencing_token_is_refused_once_a_later_one_was_used() {
    let before = [
        r#""op":"acquire","output":1"#,
        r#""op":"release","value":1,"ok":true"#,
        r#""op":"acquire","output":2"#,
    ];
    let right = [
        r#""op":"acquire","output":null"#,
        r#""op":"guard","value":1,"ok":true"#,
        r#""op":"guard","value":3,"ok":false"#,
        r#""op":"release","value":1,"ok":false"#,
        r#""op":"release","value":2,"ok":true"#,
    ];
    let wrong = [
        r#""op":"acquire","output":3"#,
        r#""op":"guard","value":3,"ok":true"#,
        r#""op":"release","value":1,"ok":true"#,
    ];
    hold("lock", None, &before, &right, &wrong);
    let used = [before[0], before[1], before[2], r#""op":"guard","value":2,"ok":true"#];
    hold(
        "lock",
        None,
        &used,
        &[r#""op":"guard","value":1,"ok":false"#],
        &[r#""op":"guard","value":1,"ok":true"#],
    );
}

#[test]
fn an_order_moves_along_the_table_only() {
    let before = [r#""op":"transition","from":null,"to":"placed","ok":true"#];
    let right = [
        r#""op":"read","output":"placed""#,
        r#""op":"transition","from":"placed","to":"paid","ok":true"#,
        r#""op":"transition","from":"placed","to":"shipped","ok":false"#,
        r#""op":"transition","from":"paid","to":"shipped","ok":false"#,
    ];
    let wrong = [
        r#""op":"read","output":null"#,
        r#""op":"transition","from":"placed","to":"shipped","ok":true"#,
        r#""op":"transition","from":"paid","to":"shipped","ok":true"#,
        r#""op":"transition","from":"placed","to":"paid","ok":false"#,
    ];
    hold("orders", None, &before, &right, &wrong);
}

#[test]
fn a_transaction_happens_at_one_moment_or_not_at_all() {
    let before = [
        r#""op":"txn","value":[["w","x",1],["w","y",1]],"output":[]"#,
        r#""op":"txn","value":[["w","x",2],["w","y",2]],"ok":false"#,
    ];
    let right = [
        r#""op":"txn","value":[["r","x"],["w","x",3],["r","x"],["r","y"],["r","z"]],"output":[1,3,1,null]"#,
        r#""op":"txn","value":[["r","x"]],"ok":false"#,
    ];
    let wrong = [
        r#""op":"txn","value":[["r","x"],["r","y"]],"output":[1,2]"#,
        r#""op":"txn","value":[["r","x"],["r","y"]],"output":[1,null]"#,
    ];
    hold("transactions", None, &before, &right, &wrong);
}

#[test]
fn what_does_not_fit_a_model_is_said() {
    let say = |model: &str, line: &str| {
        let options = Options {
            initial: (model == "bank").then(|| OwnedValue::List(Vec::new())),
            ..Options::default()
        };
        match check_history(&history(&[line]), model, &options) {
            Err(CheckError::Misfit(misfit)) => misfit.what,
            other => panic!("{model} takes {line}: {other:?}"),
        }
    };
    assert_eq!(
        say("queue", r#""op":"push","value":1"#),
        "a queue has enqueue and dequeue"
    );
    assert_eq!(
        say("queue", r#""op":"enqueue","value":null"#),
        "null says that it is empty; give every element a value"
    );
    assert_eq!(
        say("priority-queue", r#""op":"pop-min","output":"a""#),
        "the elements of a priority queue are integers"
    );
    assert_eq!(
        say("counter", r#""op":"read","output":"a""#),
        "a counter is read as an integer"
    );
    assert_eq!(
        say("bank", r#""op":"read","output":7"#),
        "a bank is read as a list [[account, balance], …]"
    );
    for (model, line) in [
        ("bank", r#""op":"transfer","value":["a","b",-1],"ok":true"#),
        ("bank", r#""op":"reserve","value":["a","b",1],"ok":true"#),
        ("transactions", r#""op":"txn","value":[["x",1]],"output":[]"#),
        ("transactions", r#""op":"txn","value":[["r","x"]],"output":[]"#),
        ("event-log", r#""op":"fetch","from":-1,"output":[]"#),
        ("lock", r#""op":"release","value":"a","ok":true"#),
        ("set", r#""op":"read","output":1"#),
        ("append-list", r#""op":"append","value":1,"output":0"#),
        ("orders", r#""op":"write","value":1"#),
        ("kv", r#""op":"add","value":"a""#),
        ("kv", r#""op":"write","value":[1]"#),
    ] {
        say(model, line);
    }
}

#[test]
fn a_bank_needs_its_balances() {
    let history = history(&[r#""op":"read","output":[]"#]);
    for initial in [
        None,
        Some(r#"[["a",1],["a",2]]"#),
        Some(r#"[["a",-1]]"#),
        Some("7"),
        Some(r#"[["a"]]"#),
    ] {
        let options = Options {
            initial: initial.map(|text| text.parse().expect("any text is a value")),
            ..Options::default()
        };
        let error = check_history(&history, "bank", &options).expect_err("no accounts");
        assert!(
            error.to_string().starts_with("the model bank cannot begin so"),
            "{error}"
        );
    }
}

#[test]
fn the_model_is_guessed_from_the_operations() {
    for (line, expected) in [
        (r#""op":"read","output":1"#, "register"),
        (r#""op":"cas","from":1,"to":2,"ok":true"#, "cas-register"),
        (r#""op":"read","output":"""#, "kv"),
        (r#""op":"append","value":"a""#, "kv"),
        (r#""op":"append","value":1"#, "append-list"),
        (r#""op":"append","value":1,"output":0"#, "event-log"),
        (r#""op":"add","value":1"#, "counter"),
        (r#""op":"contains","value":1,"ok":true"#, "set"),
        (r#""op":"dequeue","output":1"#, "queue"),
        (r#""op":"pop","output":1"#, "stack"),
        (r#""op":"pop-min","output":1"#, "priority-queue"),
        (r#""op":"txn","value":[],"output":[]"#, "transactions"),
        (r#""op":"confirm","value":1,"ok":true"#, "bank"),
        (r#""op":"acquire","output":1"#, "lock"),
        (r#""op":"transition","from":1,"to":2,"ok":true"#, "orders"),
    ] {
        assert_eq!(
            guess(&history(&[line])).map(|model| model.name),
            Some(expected),
            "{line}"
        );
    }
    assert_eq!(
        guess(&history(&[r#""op":"push","value":1"#, r#""op":"enqueue","value":1"#])),
        None
    );
}

#[test]
fn the_models_are_in_alphabetical_order() {
    assert!(registry::MODELS.is_sorted_by_key(|model| model.name));
}
