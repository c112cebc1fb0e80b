//! `squall bugs` and `squall explore` from outside.

use super::{Called, command, file, folder, squall};
use serde_json::Value;

fn names(table: &Value) -> Vec<&str> {
    table
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_measurement_says_what_found_which_bug_how_soon_and_whether_clients_see_it() {
    let svg = folder("bugs-run").join("bugs.svg");
    let args = [
        "bugs", "run", "L2", "D7", "--runs", "40", "--ranges", "2", "--format", "json", "--svg",
    ];
    let called = Called::from(command().args(args).arg(&svg).output().unwrap());
    assert_eq!(called.code, Some(0), "{called:?}");
    let json = called.json();
    assert_eq!((&json["schema"], &json["ranges"]), (&"squall-bugs/1".into(), &2.into()));
    let [read, control] = &json["bugs"].as_array().unwrap()[..] else {
        panic!("two bugs: {json}");
    };
    assert_eq!((&read["found"], &control["found"]), (&2.into(), &0.into()), "{json}");
    assert_eq!(read["trials"][0]["found"]["property"], "read-freshness");
    for quantile in [
        "runs_median",
        "runs_p90",
        "cpu_us_median",
        "cpu_us_p90",
        "blind_cpu_us_median",
    ] {
        assert!(read[quantile]["is"].is_string(), "{quantile}: {read}");
    }
    assert_eq!(
        control["runs_median"],
        serde_json::json!({ "is": "more-than", "value": 40 }),
        "censored, not dropped"
    );
    let chart = std::fs::read_to_string(&svg).unwrap();
    assert!(
        chart.starts_with("<svg") && chart.contains("L2") && chart.contains("&gt;"),
        "{chart}"
    );
}

#[test]
fn markdown_is_a_table_and_a_sentence() {
    let called = squall(&[
        "bugs",
        "run",
        "E7",
        "--runs",
        "40",
        "--ranges",
        "1",
        "--no-blind",
        "--format",
        "markdown",
    ]);
    let rows: Vec<&str> = called.out.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 3, "{}", called.out);
    assert!(rows[2].starts_with("| E7 | VoteWithoutLogCheck | 1/1 |"), "{}", rows[2]);
    assert!(called.out.contains("1 of 1 bugs found"), "{}", called.out);
}

#[test]
fn a_canary_that_is_not_found_fails() {
    let found = file("canary-found", "list.txt", "E7 # a vote without a look at the log\n\n");
    let missed = file("canary-missed", "list.txt", "E7\nM3\n");
    let run = |list: &str| {
        let args = [
            "bugs",
            "run",
            "--runs",
            "40",
            "--ranges",
            "1",
            "--no-blind",
            "--must-find",
            "--list",
            list,
        ];
        squall(&args)
    };
    assert_eq!(run(&found).code, Some(0));
    let called = run(&missed);
    assert_eq!(called.code, Some(98), "{called:?}");
    assert!(called.out.contains("not found: M3"), "{}", called.out);
}

#[test]
fn strategies_and_parts_stand_side_by_side() {
    let effort = ["--runs", "40", "--ranges", "1", "--format", "json"];
    let compared = squall(&[&["bugs", "compare", "E7", "L2", "D11"][..], &effort].concat());
    let json = compared.json();
    assert_eq!(names(&json["columns"]), ["random", "pct", "coverage"], "{compared:?}");
    assert_eq!(json["columns"][0]["trials"], 2, "a control is no bug to be found");
    let effort = ["--runs", "60", "--ranges", "1", "--format", "json"];
    let without = squall(&[&["bugs", "ablate", "S3"][..], &effort].concat()).json();
    let columns = without["columns"].as_array().unwrap();
    let found = |name: &str| columns.iter().find(|column| column["name"] == name).unwrap()["found"].clone();
    assert_eq!(
        (found("nothing"), found("snapshots")),
        (1.into(), 0.into()),
        "nothing is purged where nobody takes a snapshot"
    );
}

fn explored(more: &[&str]) -> Called {
    squall(&[&["explore", "--seed", "3", "--format", "json"][..], more].concat())
}

#[test]
fn a_search_of_so_many_runs_is_the_same_on_any_number_of_threads() {
    let of = |jobs: &str| {
        let mut json = explored(&["--runs", "70", "-j", jobs]).json();
        json["wall_ns"].take();
        json["cpu_ns"].take();
        json
    };
    let one = of("1");
    assert_eq!(one, of("2"));
    assert_eq!((&one["runs"], &one["exit_code"]), (&70.into(), &0.into()));
    assert!(
        one["states"].as_u64().unwrap() > 500 && one["steered"].as_u64().unwrap() > 5,
        "{one}"
    );
}

#[test]
fn what_a_search_finds_can_be_found_again() {
    let out = folder("explore");
    let out = out.to_str().unwrap();
    for strategy in ["random", "pct", "coverage"] {
        let called = explored(&["--bug", "E7", "--strategy", strategy, "--runs", "300", "--out", out]);
        assert_eq!(called.code, Some(100), "{called:?}");
        let json = called.json();
        let replay = json["failures"][0]["replay"].as_str().unwrap();
        let words: Vec<&str> = replay.split(' ').skip(1).collect();
        let again = command()
            .args(words)
            .args(["--format", "json"])
            .env("SQUALL_OUT", out)
            .output();
        let again = Called::from(again.unwrap());
        // A capsule is replayed to see its failure again; a seed's run fails as it did.
        let code = if replay.contains("--expect fail") { 0 } else { 100 };
        assert_eq!(again.code, Some(code), "{replay}: {again:?}");
        let signature = &json["failures"][0]["failure"]["signature"];
        assert!(again.out.contains(signature.as_str().unwrap()), "{signature} {again:?}");
    }
}

/// Which trials a file has: bug, range, whether it was blind, and what was found.
fn trials(path: &str) -> Vec<(String, u64, bool, bool)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
    let mut all: Vec<_> = lines
        .map(|one: Value| {
            let (bug, range) = (one["bug"].as_str().unwrap(), one["range"].as_u64().unwrap());
            let is_found = !one["trial"]["found"].is_null();
            (bug.to_owned(), range, one["blind"] == true, is_found)
        })
        .collect();
    all.sort();
    all
}

/// Runs and findings of each trial in a result.
fn measured(result: &Value) -> Vec<(u64, Value)> {
    let bugs = result["bugs"].as_array().unwrap().iter();
    bugs.flat_map(|bug| [&bug["trials"], &bug["blind"]])
        .flat_map(|trials| trials.as_array().unwrap().clone())
        .map(|trial| (trial["runs"].as_u64().unwrap(), trial["found"].clone()))
        .collect()
}

#[test]
fn each_trial_is_kept_as_it_ends_and_a_measurement_goes_on_after_them() {
    let kept = folder("bugs-kept").join("trials.jsonl");
    let path = kept.to_str().unwrap();
    let effort = [
        "bugs", "run", "L2", "D7", "--runs", "20", "--ranges", "2", "--format", "json",
    ];
    let run = |more: &[&str]| squall(&[&effort[..], more].concat());
    let whole = run(&["--out", path]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let all = trials(path);
    assert_eq!(all.len(), 8, "two bugs, two ranges, two kinds: {all:?}");
    let told = whole.err.lines().filter(|line| line.contains(" range ")).count();
    assert_eq!(told, 8, "{}", whole.err);
    assert!(
        whole.err.contains("D7 range 1, blind: not found in 20 runs, "),
        "{}",
        whole.err
    );
    // What is there is not begun anew.
    let again = run(&["--out", path]);
    assert!(again.code == Some(3) && again.err.contains("--resume"), "{again:?}");

    // As a kill leaves it: three trials, and the beginning of a fourth.
    let text = std::fs::read_to_string(path).unwrap();
    let end = text.match_indices('\n').nth(3).unwrap().0 + 20;
    let cut = file("bugs-kept", "cut.jsonl", &text[..end]);
    let resumed = run(&["--resume", &cut]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(resumed.err.contains("resumed after 3 trials"), "{}", resumed.err);
    let told = resumed.err.lines().filter(|line| line.contains(" range ")).count();
    assert_eq!(told, 5, "the others are not run again: {}", resumed.err);
    assert_eq!(trials(&cut), all);
    assert_eq!(measured(&resumed.json()), measured(&whole.json()));
    let nothing = run(&["--resume", &cut]);
    assert!(nothing.err.contains("resumed after 8 trials") && !nothing.err.contains(" range "));

    // Another measurement is none of this.
    let other = squall(&["bugs", "run", "L2", "--runs", "20", "--ranges", "2", "--resume", &cut]);
    assert!(
        other.code == Some(3) && other.err.contains("of other bugs"),
        "{other:?}"
    );
    let other = run(&["--budget", "7s", "--resume", &cut]);
    assert!(other.err.contains("with another --budget"), "{other:?}");
}

#[cfg(unix)]
#[test]
fn a_measurement_that_is_interrupted_keeps_and_says_what_it_has() {
    let kept = folder("bugs-signal").join("trials.jsonl");
    let script = r#""$0" bugs run L2 D7 E15 --ranges 1 --no-blind -j 1 --budget 60s --out "$1" & pid=$!
        until [ "$(wc -l < "$1" 2>/dev/null || echo 0)" -ge 2 ]; do sleep 0.05; done; sleep 0.2; kill -TERM $pid; wait $pid"#;
    let mut shell = std::process::Command::new("sh");
    let called = shell.args(["-c", script, super::BINARY]).arg(&kept).output().unwrap();
    let called = Called::from(called);
    assert_eq!(called.code, Some(143), "{called:?}");
    assert_eq!(trials(kept.to_str().unwrap()), [("L2".to_owned(), 0, false, true)]);
    assert!(called.out.contains("INTERRUPTED 1 of 2 bugs found"), "{}", called.out);
    // D7 is a control; of E15 nothing is known, which is not the same as not found.
    assert!(
        called.out.contains("; not tried: E15") && !called.out.contains("not found"),
        "{}",
        called.out
    );
}

#[test]
fn a_list_without_a_bug_is_nothing_to_run() {
    let list = file("bugs-empty", "list.txt", "# E7\n\n");
    let called = squall(&["bugs", "run", "--list", &list]);
    assert!(
        called.code != Some(0) && called.err.contains("names no bug"),
        "{called:?}"
    );
}
