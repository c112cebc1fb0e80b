//! `squall check`: what is said of a history, whatever its shape.

use super::{Called, folder, squall};
use serde_json::Value;
use std::path::PathBuf;

/// Writes a history of these lines and checks it.
fn check(test: &str, lines: &[&str], args: &[&str]) -> Called {
    let path = folder(test).join("history");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let path = path.to_str().unwrap();
    squall(&[&["check", path][..], args].concat())
}

/// A case of the folder beside the checkout, if it is there.
fn case(name: &str, args: &[&str]) -> Option<Called> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/cases")
        .join(name);
    let path = path.exists().then_some(path)?;
    Some(squall(&[&["check", path.to_str().unwrap()][..], args].concat()))
}

fn verdict(called: &Called) -> (Option<i32>, String) {
    let text = called.out.split(':').next().unwrap_or_default().to_owned();
    (called.code, text)
}

const INDEPENDENT: [&str; 8] = [
    "{:process 0, :type :invoke, :f :write, :value [:a 3]}",
    "{:process 0, :type :ok, :f :write, :value [:a 3]}",
    "{:process 1, :type :invoke, :f :cas, :value [:b [nil 2]]}",
    "{:process 1, :type :fail, :f :cas, :value [:b [nil 2]]}",
    "{:process 0, :type :invoke, :f :read, :value [:a nil]}",
    "{:process 0, :type :ok, :f :read, :value [:a 3]}",
    "{:process 1, :type :invoke, :f :read, :value [:b nil]}",
    "{:process 1, :type :ok, :f :read, :value [:b nil]}",
];

#[test]
fn keys_in_values_are_noticed_and_said_and_can_be_overruled() {
    for model in ["cas-register", "auto"] {
        let found = check("independent", &INDEPENDENT, &["--model", model]);
        assert_eq!(verdict(&found), (Some(0), "linearizable".to_owned()), "{found:?}");
        assert!(
            found.err.contains("keys: in the values, [key value] (reads are"),
            "{found:?}"
        );
    }
    let json = check(
        "independent-json",
        &INDEPENDENT,
        &["--model", "cas-register", "--format", "json"],
    )
    .json();
    assert_eq!(json["keys_in_values"], true);
    assert_eq!(json["left_out"]["failed_operations"], 1);
    assert_eq!(json["left_out"]["nil_reads"], 1);
    let whole = check(
        "independent-none",
        &INDEPENDENT[..6],
        &["--model", "cas-register", "--keys", "none"],
    );
    assert!(!whole.err.contains("keys:") && whole.code == Some(0), "{whole:?}");
    // Nothing shows it where only values are written; then it can be said.
    let blind = [
        "{:process 0, :type :invoke, :f :add, :value [0 7]}",
        "{:process 0, :type :ok, :f :add, :value [0 7]}",
    ];
    let told = check("independent-told", &blind, &["--model", "set", "--keys", "in-value"]);
    assert!(
        told.code == Some(0) && told.err.contains("keys: in the values, [key value]\n"),
        "{told:?}"
    );
    let wrong = check(
        "independent-wrong",
        &["{:process 0, :type :invoke, :f :add, :value 7}"],
        &["--model", "set", "--keys", "in-value"],
    );
    assert!(
        wrong.code == Some(3) && wrong.err.contains("`:value` is a vector [key value]"),
        "{wrong:?}"
    );
    let line = r#"{"client":1,"op":"read","key":"r","output":null,"call":4,"return":8}"#;
    let lines = check("independent-lines", &[line], &["--model", "register", "--keys", "none"]);
    assert!(lines.code == Some(2) && lines.err.contains("JSON Lines"), "{lines:?}");
}

#[test]
fn a_broken_history_with_keys_in_its_values_is_refused_at_its_key() {
    let mut lines = INDEPENDENT[..6].to_vec();
    lines.push("{:process 1, :type :invoke, :f :read, :value [:a nil]}");
    lines.push("{:process 1, :type :ok, :f :read, :value [:a 4]}");
    let found = check("independent-bad", &lines, &["--model", "cas-register"]);
    assert!(
        found.code == Some(100) && found.out.contains("read \"a\" -> 4"),
        "{found:?}"
    );
}

#[test]
fn versions_of_registers_are_taken_off_and_counted() {
    let lines = [
        "{:process 0, :type :invoke, :f :write, :value [7 [nil 3]]}",
        "{:process 0, :type :ok, :f :write, :value [7 [1 3]]}",
        "{:process 0, :type :invoke, :f :read, :value [7 [nil nil]]}",
        "{:process 0, :type :ok, :f :read, :value [7 [1 3]]}",
    ];
    let found = check("versions", &lines, &["--model", "register"]);
    assert_eq!(verdict(&found), (Some(0), "linearizable".to_owned()), "{found:?}");
    assert!(found.out.contains("left out: 2 versions of values"), "{found:?}");
}

#[test]
fn a_mutex_needs_no_tokens() {
    let event =
        |process: u32, kind: &str, f: &str| format!("{{:process {process}, :type :{kind}, :f :{f}, :value nil}}");
    let run = |test: &str, events: &[(u32, &str, &str)]| {
        let lines: Vec<String> = events
            .iter()
            .map(|&(process, kind, f)| event(process, kind, f))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        check(test, &lines, &["--model", "mutex"]).code
    };
    let one = [(0, "invoke", "acquire"), (0, "ok", "acquire")];
    let other = [(1, "invoke", "acquire"), (1, "ok", "acquire")];
    let back = [(0, "invoke", "release"), (0, "ok", "release")];
    assert_eq!(run("mutex-one", &one), Some(0));
    assert_eq!(run("mutex-both", &[&one[..], &back, &other].concat()), Some(0));
    assert_eq!(run("mutex-two", &[&one[..], &other].concat()), Some(100));
    assert_eq!(run("mutex-free", &[&back[..], &one].concat()), Some(100));
    let lines = [
        r#"{"client":1,"op":"acquire","key":"m","ok":true,"call":4,"return":8}"#,
        r#"{"client":2,"op":"acquire","key":"m","ok":false,"call":9,"return":10}"#,
        r#"{"client":1,"op":"release","key":"m","value":null,"ok":true,"call":11,"return":12}"#,
    ];
    let found = check("mutex-lines", &lines, &["--model", "auto"]);
    assert!(
        found.code == Some(0) && found.err.contains("model mutex: guessed"),
        "{found:?}"
    );
}

#[test]
fn a_history_of_which_nothing_succeeded_is_inconclusive() {
    let failed = [
        "{:process 0, :type :invoke, :f :write, :value 1}",
        "{:process 0, :type :fail, :f :write, :value 1}",
        "{:process 1, :type :invoke, :f :read, :value nil}",
        "{:process 1, :type :fail, :f :read, :value nil}",
    ];
    let found = check("nothing", &failed, &["--model", "register"]);
    assert_eq!(found.code, Some(98), "{found:?}");
    assert!(
        found
            .out
            .starts_with("unknown: nothing was left to check: 0 operations"),
        "{found:?}"
    );
    assert!(found.out.contains("left out: 2 failed operations"), "{found:?}");
    let lost = r#"{"client":1,"op":"write","key":"m","value":1,"call":4,"return":null}"#;
    let found = check("nothing-lost", &[lost], &["--model", "register", "--format", "json"]);
    assert_eq!(
        (found.code, &found.json()["verdict"]),
        (Some(98), &Value::from("unknown")),
        "{found:?}"
    );
    assert!(
        found.json()["reason"].as_str().unwrap().contains("nothing succeeded"),
        "{found:?}"
    );
    let found = check(
        "nothing-sequential",
        &[lost],
        &["--model", "register", "--consistency", "sequential"],
    );
    assert_eq!(found.code, Some(98), "{found:?}");
}

#[test]
fn reads_of_nil_say_nothing_of_a_register_and_are_counted_and_in_a_transaction_they_found_the_start() {
    let register = [
        "{:process 0, :type :invoke, :f :write, :value 1}",
        "{:process 0, :type :ok, :f :write, :value 1}",
        "{:process 1, :type :invoke, :f :read, :value nil}",
        "{:process 1, :type :ok, :f :read, :value nil}",
        "{:process :nemesis, :type :info, :f :start, :value nil}",
    ];
    let found = check("nil-register", &register, &["--model", "register", "--initial", "null"]);
    assert_eq!(found.code, Some(0));
    assert!(found.out.starts_with("linearizable: 1 operation, 1 key"), "{found:?}");
    assert!(
        found.out.contains("left out: 1 read of nil, 1 event of the nemesis"),
        "{found:?}"
    );
    let transactions = [
        "{:process 0, :type :invoke, :f :txn, :value [[:w 1 5]]}",
        "{:process 0, :type :ok, :f :txn, :value [[:w 1 5]]}",
        "{:process 1, :type :invoke, :f :txn, :value [[:r 2 nil] [:r 1 nil]]}",
        "{:process 1, :type :ok, :f :txn, :value [[:r 2 nil] [:r 1 5]]}",
    ];
    let found = check("nil-transactions", &transactions, &["--model", "transactions"]);
    assert_eq!(found.code, Some(0), "{found:?}");
    let stale = transactions.map(|line| line.replace("[:r 2 nil] [:r 1 5]", "[:r 2 nil] [:r 1 nil]"));
    let stale = stale.each_ref().map(String::as_str);
    let found = check("nil-transactions-stale", &stale, &["--model", "transactions"]);
    assert_eq!(found.code, Some(100), "{found:?}");
}

#[test]
fn an_aborted_read_is_told_with_who_wrote_it() {
    let lines = [
        "{:process 3, :type :invoke, :f :write, :value 7}",
        "{:process 3, :type :fail, :f :write, :value 7}",
        "{:process 2, :type :invoke, :f :read, :value nil}",
        "{:process 2, :type :ok, :f :read, :value 7}",
    ];
    let found = check("aborted", &lines, &["--model", "register"]);
    let said = found.out.replace('\n', " ");
    assert!(
        said.contains("client 3 wrote 7 and was told that it failed"),
        "{found:?}"
    );
    assert!(!said.contains("which nobody had written"), "{found:?}");
    let queue = [
        r#"{"client":1,"op":"txn","key":null,"value":[["w","x",9]],"ok":false,"call":1,"return":2}"#,
        r#"{"client":2,"op":"txn","key":null,"value":[["r","x"]],"output":[9],"call":3,"return":4}"#,
    ];
    let found = check("aborted-transaction", &queue, &["--model", "transactions"]);
    let said = found.out.replace('\n', " ");
    assert!(
        said.contains("client 1 wrote 9 to register \"x\" and was told that it failed"),
        "{found:?}"
    );
}

#[test]
fn a_bank_whose_total_is_wrong_names_it() {
    let lines = [
        r#"{"client":0,"op":"transfer","key":"b","value":["a","b",4],"call":1,"return":2,"ok":true}"#,
        r#"{"client":1,"op":"read","key":"b","call":3,"return":4,"output":[["a",10],["b",4]]}"#,
    ];
    let found = check(
        "total",
        &lines,
        &["--model", "bank", "--initial", r#"[["a",10],["b",0]]"#],
    );
    assert!(
        found.code == Some(100) && found.out.contains("the total is 14, it was 10"),
        "{found:?}"
    );
}

#[test]
fn times_are_in_seconds_where_they_are_nanoseconds() {
    let lines = [
        r#"{"client":0,"op":"write","key":"r","value":1,"call":1500000000,"return":1600000000}"#,
        r#"{"client":1,"op":"read","key":"r","output":2,"call":2000000000,"return":2000000001}"#,
    ];
    let found = check("seconds", &lines, &["--model", "register"]);
    assert!(found.out.contains("[2, 2.000000001] s"), "{found:?}");
    assert!(!found.out.contains("2000000001"), "{found:?}");
    assert!(found.err.contains("times: in seconds"), "{found:?}");
    let found = check("ticks", &lines, &["--model", "register", "--unit", "none"]);
    assert!(found.out.contains("[2000000000, 2000000001]"), "{found:?}");
}

#[test]
fn the_initial_value_is_json() {
    let line = |value: &str| format!(r#"{{"client":1,"op":"read","key":"r","output":{value},"call":4,"return":8}}"#);
    let code = |value: &str, initial: &str| {
        let line = line(value);
        check("initial", &[&line], &["--model", "register", "--initial", initial]).code
    };
    assert_eq!(code("null", "null"), Some(0));
    assert_eq!(code("5", "5"), Some(0));
    assert_eq!(code(r#""5""#, "5"), Some(100));
    assert_eq!(code(r#""5""#, r#""5""#), Some(0));
    assert_eq!(code(r#""nil""#, r#""nil""#), Some(0));
    assert_eq!(code("[1,2]", "[1,2]"), Some(0));
    for wrong in ["nil", "five", "1.5", "{}", "[1"] {
        let found = check(
            "initial-wrong",
            &[&line("5")],
            &["--model", "register", "--initial", wrong],
        );
        assert!(
            found.code == Some(2) && found.err.contains("written as JSON"),
            "{wrong}: {found:?}"
        );
    }
}

#[test]
fn a_witness_file_has_a_limit_of_size() {
    let line = r#"{"client":1,"op":"read","key":"r","output":null,"call":4,"return":8}"#;
    let path = folder("witness-limit").join("witness.json");
    std::fs::write(&path, " ".repeat(1 << 20)).unwrap();
    let found = check(
        "witness-limit-history",
        &[line],
        &["--model", "register", "--verify", path.to_str().unwrap()],
    );
    assert!(found.code == Some(3) && found.err.contains("has at most"), "{found:?}");
}

/// A value that nobody wrote is one, among however many writes of unknown outcome.
#[test]
fn a_read_that_nobody_wrote_is_refused_among_300_lost_writes() {
    let mut lines: Vec<String> = (0..300)
        .map(|client| {
            format!(
                r#"{{"client":{client},"op":"write","key":"r","value":{},"call":1,"return":null}}"#,
                client % 7
            )
        })
        .collect();
    lines.push(r#"{"client":900,"op":"cas","key":"r","from":1,"to":2,"ok":false,"call":2,"return":3}"#.to_owned());
    lines.push(r#"{"client":900,"op":"read","key":"r","output":77,"call":4,"return":8}"#.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = check("unwritten", &lines, &["--model", "cas-register", "--initial", "0"]);
    assert!(
        found.code == Some(100) && found.out.contains("found 77, which nobody had written by 8"),
        "{found:?}"
    );
}

#[test]
fn the_cases_beside_the_checkout_have_their_right_answers() {
    let bank = r#"[[0,10],[1,0]]"#;
    let expected: [(&str, &[&str], i32, &str); 22] = [
        (
            "26-serializable-only.edn",
            &["--model", "transactions", "--consistency", "serializable"],
            0,
            "serializable: 3 operations",
        ),
        ("08-txn-append.edn", &["--model", "transactions"], 0, "linearizable"),
        ("16-json-array.json", &["--model", "register"], 0, "linearizable"),
        (
            "25-txn-initial.edn",
            &["--model", "transactions", "--initial", "[[1,2]]"],
            0,
            "linearizable",
        ),
        ("39-extra-field.jsonl", &["--model", "register"], 0, "linearizable"),
        ("01-independent-cas.edn", &["--model", "cas-register"], 0, "2 keys"),
        (
            "03-independent-set.edn",
            &["--model", "set"],
            0,
            "linearizable: 2 operations",
        ),
        ("05-mutex-good.edn", &["--model", "mutex"], 0, "linearizable"),
        (
            "06-mutex-one-acquire.edn",
            &["--model", "mutex"],
            0,
            "linearizable: 1 operation,",
        ),
        (
            "10-txn-under-other-f.edn",
            &["--model", "transactions"],
            0,
            "linearizable",
        ),
        (
            "12-bank-maps.edn",
            &["--model", "bank", "--initial", bank],
            0,
            "linearizable",
        ),
        (
            "13-bank-wrong-total.jsonl",
            &["--model", "bank", "--initial", bank],
            100,
            "the total is 14, it was 10",
        ),
        ("14-set-braces.edn", &["--model", "set"], 0, "linearizable"),
        ("18-symbolic-values.edn", &["--model", "register"], 0, "linearizable"),
        (
            "22-aborted-read.edn",
            &["--model", "register"],
            100,
            "client 3 wrote 7 and was told that it failed",
        ),
        (
            "23-nothing-succeeded.edn",
            &["--model", "register"],
            98,
            "nothing was left to check",
        ),
        (
            "24-nil-read-after-write.edn",
            &["--model", "register", "--initial", "null"],
            0,
            "left out: 1 read of nil",
        ),
        ("28-jepsen.log", &["--model", "register"], 0, "linearizable"),
        (
            "41-refusal-names-too-early.jsonl",
            &["--model", "cas-register", "--initial", "0"],
            100,
            "[7.229851702, 7.265660074] s",
        ),
        ("50-core-is-possible-stack.jsonl", &["--model", "stack"], 100, "minimal"),
        ("51-core-is-possible-queue.jsonl", &["--model", "queue"], 100, "minimal"),
        ("53-core-is-possible-stack.jsonl", &["--model", "stack"], 100, "minimal"),
    ];
    for (name, args, code, said) in expected {
        let Some(found) = case(name, args) else {
            eprintln!("skipped: no cases beside the checkout");
            return;
        };
        let out = found.out.replace("\n    ", " ").replace('\n', " ");
        assert!(found.code == Some(code) && out.contains(said), "{name}: {found:?}");
    }
    let auto = case("01-independent-cas.edn", &["--model", "auto"]).unwrap();
    assert_eq!(auto.code, Some(0), "{auto:?}");
    let heap = case(
        "52-core-is-possible-priority-queue.jsonl",
        &["--model", "priority-queue"],
    )
    .unwrap();
    assert_eq!(heap.code, Some(100), "{heap:?}");
}

/// With no budget at all the refusal rests on the word of a method, and says whose.
#[test]
fn a_refusal_without_a_core_names_the_method() {
    let lines = [
        r#"{"client":1,"op":"enqueue","key":null,"value":1,"call":1,"return":2}"#,
        r#"{"client":1,"op":"enqueue","key":null,"value":2,"call":3,"return":4}"#,
        r#"{"client":2,"op":"dequeue","key":null,"output":2,"call":5,"return":6}"#,
    ];
    let args = ["--model", "queue", "--format", "json"];
    let shown = check("core-shown", &lines, &args);
    assert_eq!(shown.code, Some(100), "{shown:?}");
    let refusal = &shown.json()["refusal"];
    assert!(refusal["said_by"].is_null(), "{refusal}");
    assert!(!refusal["core"].as_array().unwrap().is_empty(), "{refusal}");
    let bare = check("core-not-shown", &lines, &[&args[..], &["--budget", "1"]].concat());
    assert_eq!(bare.code, Some(100), "{bare:?}");
    let refusal = &bare.json()["refusal"];
    assert_eq!(refusal["said_by"], "queue", "{refusal}");
    assert!(refusal["core"].as_array().unwrap().is_empty(), "{refusal}");
    assert!(
        refusal["sentence"]
            .as_str()
            .unwrap()
            .contains("as the method \"queue\" proves")
    );
}

/// Two transactions that each read what the other one writes.
#[test]
fn transactions_are_checked_at_the_level_that_is_asked_for() {
    let lines = [
        "{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 1]]}",
        "{:process 1, :type :invoke, :f :txn, :value [[:r :y nil] [:append :x 2]]}",
        "{:process 0, :type :ok, :f :txn, :value [[:r :x []] [:append :y 1]]}",
        "{:process 1, :type :ok, :f :txn, :value [[:r :y []] [:append :x 2]]}",
    ];
    let at = |level: &str, more: &[&str]| {
        let args = [&["--model", "transactions", "--consistency", level][..], more].concat();
        check(&format!("isolation-{level}"), &lines, &args)
    };
    for level in ["read-committed", "read-atomic", "causal", "snapshot-isolation"] {
        let found = at(level, &[]);
        assert_eq!(verdict(&found), (Some(0), level.to_owned()), "{found:?}");
    }
    let found = at("serializable", &[]);
    assert_eq!(verdict(&found), (Some(100), "not serializable".to_owned()), "{found:?}");
    assert!(found.out.contains("G2-item (write skew):"), "{found:?}");
    let json = at("strict-serializable", &["--format", "json"]).json();
    assert_eq!(json["verdict"], "not-strict-serializable");
    assert_eq!(json["anomalies"][0]["edges"], serde_json::json!(["rw", "rw"]));
    let wrong = at("serialisable", &[]);
    assert!(
        wrong.code == Some(2) && wrong.err.contains("snapshot-isolation, "),
        "{wrong:?}"
    );
    let wrong = check(
        "isolation-model",
        &lines,
        &["--model", "register", "--consistency", "causal"],
    );
    assert!(
        wrong.code == Some(2) && wrong.err.contains("--model transactions"),
        "{wrong:?}"
    );
}
