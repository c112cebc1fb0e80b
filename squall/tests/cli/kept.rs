//! What was found is told and kept, whatever becomes of the files and the pipes beside it.

use super::{BINARY, Called, command, file, folder, squall};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A run that fails at once.
const STALE: [&str; 5] = ["leader-isolation", "--bug", "L2", "--seed", "1"];
const SWEEP: [&str; 7] = ["sweep", "leader-isolation", "--bug", "L2", "--seeds", "0..3", "-q"];
const REPLAY: &str = "squall run leader-isolation --seed 0x0000000000000001 --bug L2";
const SIGNATURE: &str = "read-freshness/stale-read";

/// Seed, signature and replay line, in either stream.
#[track_caller]
fn told(text: &str) {
    for part in ["0x0000000000000001", SIGNATURE, REPLAY] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

pub fn shell(script: &str, args: &[&str]) -> Called {
    let mut command_ = command();
    let env: Vec<_> = command_
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
        .collect();
    let mut shell = Command::new("bash");
    shell.args(["-c", script, BINARY]).args(args);
    for (name, value) in env {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let _ = &mut command_;
    shell.output().expect("there is a bash").into()
}

/// The signals that end a command, with its exit codes. One that this process ignores, as under `nohup`, its children ignore too.
pub fn signals() -> Vec<(&'static str, i32)> {
    const HUP: u64 = 1;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let all = [("INT", 130), ("TERM", 143), ("HUP", 129)];
    let is_heard = |(name, _): &(&str, i32)| *name != "HUP" || ignored & HUP == 0;
    all.into_iter().filter(is_heard).collect()
}

/// The names in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_failure_is_told_before_anything_else_is_done_with_it() {
    let out = folder("kept-first");
    for format in ["human", "json", "junit", "github", "markdown"] {
        let sweep = squall(&[&SWEEP[..], &["--format", format, "--out", out.to_str().unwrap()]].concat());
        assert_eq!(sweep.code, Some(100), "{sweep:?}");
        told(&sweep.out);
        let first = if format == "human" { &sweep.out } else { &sweep.err };
        let lines: Vec<&str> = first.lines().take(2).collect();
        assert!(
            lines[0].starts_with("found 0x0000000000000001  leader-isolation  read-freshness/stale-read"),
            "{first}"
        );
        assert_eq!(lines[1].trim(), format!("replay: {REPLAY}"));
        if format == "json" {
            sweep.json();
        }
    }
}

#[test]
fn a_verdict_stands_without_its_files() {
    let blocked = file("kept-blocked", "file", "");
    let below = format!("{blocked}/below");
    let sweep = squall(&[&SWEEP[..], &["--out", &below, "--junit", &below, "--markdown", &below]].concat());
    assert_eq!(sweep.code, Some(100), "{sweep:?}");
    told(&sweep.out);
    assert!(
        sweep.err.contains("warning") && sweep.err.contains(&below),
        "{}",
        sweep.err
    );
    let files = [
        "--trace",
        &below,
        "--history",
        &below,
        "--capsule",
        &below,
        "--junit",
        &below,
    ];
    let run = squall(&[&["run"], &STALE[..], &files].concat());
    assert_eq!(run.code, Some(100), "{run:?}");
    told(&run.out);
    assert_eq!(run.err.matches("cannot be created").count(), 4, "{}", run.err);
    let run = squall(&["run", "calm", "--seed", "1", "--trace", "/dev/full"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.err.contains("/dev/full: cannot be written") && !run.out.contains("trace "),
        "{run:?}"
    );
    let summary = command()
        .env("GITHUB_STEP_SUMMARY", &below)
        .args(SWEEP)
        .args(["--out", &below])
        .output()
        .unwrap();
    let summary = Called::from(summary);
    assert_eq!(summary.code, Some(100), "{summary:?}");
    told(&summary.out);
    // What has no verdict fails where it cannot do what it is for.
    let shrink = squall(&["shrink", "leader-isolation", "--bug", "L2", "--seed", "1", "-o", &below]);
    assert_eq!(shrink.code, Some(3), "{shrink:?}");
}

#[test]
fn a_verdict_stands_without_standard_output() {
    let out = folder("kept-stdout");
    for (command, code) in [
        (&SWEEP[..], 100),
        (&[&["run"], &STALE[..]].concat(), 100),
        (&["run", "calm", "--seed", "1"], 0),
    ] {
        let mut args = command.to_vec();
        if command[0] == "sweep" {
            args.extend(["--out", out.to_str().unwrap()]);
        }
        let full = shell(r#""$0" "$@" > /dev/full"#, &args);
        assert_eq!(full.code, Some(code), "{full:?}");
        assert!(full.err.contains("standard output cannot be written"), "{full:?}");
        let closed = shell(r#"{ trap '' PIPE; "$0" "$@"; echo $? > "$1.code"; } | true"#, &args);
        assert_eq!(closed.out, "", "{closed:?}");
        let gone = shell(r#""$0" "$@" >&- 2>&-"#, &args);
        assert_eq!(gone.code, Some(code), "{gone:?}");
        if code != 0 {
            told(&full.err);
        }
    }
}

#[test]
fn a_closed_pipe_changes_no_code() {
    let mut child = command()
        .args(["run"])
        .args(STALE)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(100));
}

#[test]
fn a_limit_on_the_size_of_files_costs_the_file_and_no_verdict() {
    let out = folder("kept-limit");
    let trace = out.join("trace.jsonl");
    fs::write(&trace, "old").unwrap();
    let run = shell(
        r#"ulimit -f 8; "$0" run "$@""#,
        &[&STALE[..], &["--trace", trace.to_str().unwrap()]].concat(),
    );
    assert_eq!(run.code, Some(100), "{run:?}");
    told(&run.out);
    assert!(run.err.contains("cannot be written"), "{}", run.err);
    assert_eq!(
        (fs::read(&trace).unwrap(), names(&out)),
        (b"old".to_vec(), vec!["trace.jsonl".to_owned()])
    );
}

#[test]
fn an_old_file_stays_until_there_is_a_better_one() {
    let out = folder("kept-old");
    let at = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let (passing, mine) = (at("passing.capsule.json"), at("mine.capsule.json"));
    assert_eq!(
        squall(&["run", "calm", "--seed", "1", "--capsule", &passing]).code,
        Some(0)
    );
    fs::write(&mine, "mine").unwrap();
    let shrink = squall(&["shrink", &passing, "-o", &mine]);
    assert_eq!(shrink.code, Some(4), "{shrink:?}");
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    // In its own place.
    let failing = at("failing.capsule.json");
    assert_eq!(
        squall(&[&["run"], &STALE[..], &["--capsule", &failing]].concat()).code,
        Some(100)
    );
    let before = fs::read(&failing).unwrap();
    let shrink = squall(&["shrink", &failing, "-o", &failing, "--attempts", "50"]);
    assert_eq!(shrink.code, Some(0), "{shrink:?}");
    assert!(fs::read(&failing).unwrap().len() < before.len());
    assert_eq!(squall(&["replay", &failing, "--expect", "same"]).code, Some(0));
    let shrink = squall(&["shrink", &passing, "-o", &passing]);
    assert_eq!(shrink.code, Some(4), "{shrink:?}");
    assert_eq!(squall(&["replay", &passing]).code, Some(0));
    assert_eq!(
        names(&out).len(),
        3,
        "no half of a file stays behind: {:?}",
        names(&out)
    );
}

#[test]
fn a_shrink_that_is_interrupted_keeps_its_best() {
    let out = folder("kept-shrink");
    let (small, said) = (out.join("small.capsule.json"), out.join("said"));
    for (signal, code) in signals() {
        let script = format!(
            r#""$0" shrink leader-isolation --bug L2 --seed 1 --time 10m --progress none -o "$1" >"$2" & pid=$!
            until grep -q found "$2"; do sleep 0.02; done; sleep 0.1; kill -{signal} $pid; wait $pid; code=$?; cat "$2"; exit $code"#
        );
        let shrink = shell(&script, &[small.to_str().unwrap(), said.to_str().unwrap()]);
        assert_eq!(shrink.code, Some(code), "{shrink:?}");
        told(&shrink.out);
        assert!(shrink.out.contains("INTERRUPTED after "), "{}", shrink.out);
        assert_eq!(
            squall(&["replay", small.to_str().unwrap(), "--expect", "same"]).code,
            Some(0)
        );
        fs::remove_file(&small).unwrap();
        fs::remove_file(&said).unwrap();
    }
    assert_eq!(names(&out), Vec::<String>::new());
}

/// A sweep in which some runs fail in several ways, and its report without what depends on the machine.
const LONG: [&str; 9] = [
    "calm",
    "storm",
    "--seeds",
    "0..60",
    "--bug",
    "E7",
    "--max-fail",
    "0",
    "-q",
];

pub fn report(out: &Path) -> serde_json::Value {
    let mut report: serde_json::Value = serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    report["time"].take();
    // Each names a file in its own folder.
    let folder = out.to_str().unwrap();
    serde_json::from_str(&report.to_string().replace(folder, "OUT")).unwrap()
}

/// The signatures of failures that somebody was told of.
pub fn found_in(told: &str) -> Vec<String> {
    let found = told.lines().filter(|line| line.starts_with("found "));
    found
        .map(|line| line.split_whitespace().nth(3).unwrap().to_owned())
        .collect()
}

/// Begins a sweep, kills it after each of these times and takes it up again, until it ends by itself; what was told on the way.
pub fn killed_and_resumed(out: &Path, swept: &[&str], after_ms: &[u64]) -> String {
    let folder = out.to_str().unwrap();
    let mut told = String::new();
    for (number, after) in after_ms.iter().enumerate() {
        let again = ["--resume", folder, "-q"];
        let args = if number == 0 {
            [swept, &["--out", folder]].concat()
        } else {
            again.to_vec()
        };
        let script = format!(
            r#""$0" sweep "$@" & pid=$!; sleep {}.{:03}; kill -KILL $pid; wait $pid 2>/dev/null; exit 0"#,
            after / 1000,
            after % 1000
        );
        told += &shell(&script, &args).out;
    }
    if !out.join("journal.jsonl").exists() {
        told += &squall(&[&["sweep"], swept, &["--out", folder]].concat()).out;
        return told;
    }
    let last = squall(&["sweep", "--resume", folder, "-q"]);
    assert_eq!(last.code, Some(100), "{last:?}");
    told + &last.out
}

#[test]
fn a_sweep_that_was_killed_goes_on_and_comes_to_the_same() {
    let (whole, killed) = (folder("kept-whole"), folder("kept-killed"));
    let sweep = squall(&[&["sweep"], &LONG[..], &["--out", whole.to_str().unwrap()]].concat());
    assert_eq!(sweep.code, Some(100), "{sweep:?}");
    let told = killed_and_resumed(&killed, &LONG, &[400, 300, 500]);
    assert_eq!(report(&whole), report(&killed));
    let found = found_in(&told);
    assert!(!found.is_empty(), "{told}");
    let report = report(&killed).to_string();
    for signature in found {
        assert!(report.contains(&signature), "{signature} is lost");
    }
    // Once more, though nothing is left to be run.
    let again = squall(&["sweep", "--resume", killed.to_str().unwrap(), "-q"]);
    assert_eq!(again.code, Some(100), "{again:?}");
}

#[test]
fn a_journal_may_be_torn_at_its_end_and_is_of_one_sweep_alone() {
    let out = folder("kept-journal");
    let folder = out.to_str().unwrap();
    let journal = out.join("journal.jsonl");
    let swept = ["calm", "--seeds", "0..8", "-q"];
    assert_eq!(
        squall(&[&["sweep"], &swept[..], &["--out", folder]].concat()).code,
        Some(0)
    );
    let whole = fs::read_to_string(&journal).unwrap();
    let before = report(&out);
    assert!(
        whole.lines().count() >= 3 && whole.ends_with("{\"kind\":\"end\"}\n"),
        "{whole}"
    );
    for cut in [1, 5, 20, 200, whole.len() - whole.lines().next().unwrap().len() - 1] {
        fs::write(&journal, &whole[..whole.len() - cut]).unwrap();
        fs::remove_file(out.join("results.json")).unwrap();
        let resumed = squall(&["sweep", "--resume", folder, "-q"]);
        assert_eq!(resumed.code, Some(0), "cut by {cut}: {resumed:?}");
        assert_eq!(report(&out), before, "cut by {cut}");
    }
    let refused = |args: &[&str], text: &str| {
        let refused = squall(&[&["sweep", "--resume", folder], args].concat());
        assert!(
            refused.code == Some(3) && refused.out.is_empty() && refused.err.contains(text),
            "{refused:?}"
        );
    };
    refused(
        &["storm"],
        "it is the journal of another sweep, of the scenarios calm, and not storm",
    );
    refused(&["--seeds", "0..9"], "of the seeds 8 from 0 up, and not 9 from 0 up");
    refused(&["calm", "--bug", "E7"], "with the planted bug none, and not E7");
    refused(&["calm", "--set", "cluster.nodes=5"], "of another scenario `calm`");
    refused(&["--max-fail", "0"], "with --max-fail 1, and not 0");
    assert_eq!(
        squall(&["sweep", "--resume", folder, "calm", "--seeds", "0..8"]).code,
        Some(0)
    );
    for (from, to, text) in [
        (
            "squall-journal/1",
            "squall-journal/9",
            "line 1: it was written by squall ",
        ),
        (
            "\"build\":\"",
            "\"build\":\"0",
            "line 1: it was written by another build",
        ),
        ("nodes", "nodez", "line 1: a scenario in it has been changed"),
        (
            "\"from\":0",
            "\"from\":1",
            "line 2: it goes on at run 1, and those before it end at 0",
        ),
        (
            "\"kind\":\"progressed\"",
            "\"kind\":\"progress\"",
            "line 2: it is no record",
        ),
    ] {
        assert!(whole.contains(from), "{from}: {whole}");
        fs::write(&journal, whole.replacen(from, to, 1)).unwrap();
        refused(&[], text);
    }
    fs::write(&journal, "").unwrap();
    refused(&[], "line 1: it is cut off");
    fs::remove_file(&journal).unwrap();
    refused(&[], "there is no journal.jsonl in it");
}

#[test]
fn a_new_sweep_leaves_the_last_ones_results_until_it_has_its_own() {
    let out = folder("kept-results");
    let folder = out.to_str().unwrap();
    fs::write(out.join("results.json"), "old").unwrap();
    let script = r#""$0" sweep calm --time 60s --out "$1" -q & pid=$!
        until [ -e "$1/journal.jsonl" ]; do sleep 0.05; done; cat "$1/results.json"; kill -KILL $pid; wait $pid 2>/dev/null; exit 0"#;
    assert_eq!(shell(script, &[folder]).out, "old");
    // And the journal of one that did not end is kept beside the next.
    let next = squall(&["sweep", "calm", "--seeds", "0..1", "--out", folder]);
    assert!(next.code == Some(0) && next.err.contains("kept as "), "{next:?}");
    assert!(out.join("journal.previous.jsonl").exists() && fs::read(out.join("results.json")).unwrap() != b"old");
}

#[test]
fn signals_end_a_sweep_with_what_it_has() {
    for (signal, code) in signals() {
        let out = folder(&format!("kept-{signal}"));
        let script = format!(
            r#""$0" sweep calm storm --bug E7 --max-fail 0 --time 60s --shrink off --out "$1" & pid=$!
            until grep -q '"first":\[' "$1/journal.jsonl" 2>/dev/null; do sleep 0.05; done; kill -{signal} $pid; wait $pid"#
        );
        let sweep = shell(&script, &[out.to_str().unwrap()]);
        assert_eq!(sweep.code, Some(code), "{sweep:?}");
        let last = sweep.out.lines().last().unwrap();
        assert!(
            last.starts_with("INTERRUPTED after ") && last.ends_with(" failed"),
            "{last}"
        );
        let report = report(&out);
        assert_eq!(report["interrupted"], true);
        assert!(!report["failures"].as_array().unwrap().is_empty());
    }
}
