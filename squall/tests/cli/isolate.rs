//! Code under test that harms the process that it runs in.

use super::{command, folder, squall};
use serde_json::Value;

/// Some of these seeds come to a third term, and some do not.
const SWEPT: [&str; 8] = [
    "sweep",
    "calm",
    "leader-isolation",
    "--seeds",
    "0..4",
    "--max-fail",
    "0",
    "-q",
];

fn json(args: &[&str]) -> (Option<i32>, Value) {
    let called = squall(&[args, &["--format", "json"]].concat());
    let mut json = called.json();
    json["time"].take();
    (called.code, json)
}

#[test]
fn the_report_is_the_same_as_without_processes_of_their_own() {
    let out = folder("isolate-same");
    let out = out.to_str().unwrap();
    let sweep = |more: &[&str]| json(&[&SWEPT[..], &["--bug", "L2", "--out", out], more].concat());
    let (code, plain) = sweep(&[]);
    assert_eq!(code, Some(100));
    assert_eq!((code, plain), sweep(&["--isolate", "-j", "3"]));
}

#[test]
fn whatever_a_run_does_to_its_process_is_a_failure_of_that_seed_alone() {
    for (bug, signature, code) in [
        ("sabotage-abort", "process/aborted", 101),
        ("sabotage-exit", "process/exited", 101),
        ("sabotage-stack", "process/stack-overflow", 101),
        ("sabotage-memory", "process/memory", 101),
        ("sabotage-loop", "process/timeout", 102),
    ] {
        let out = folder(&format!("isolate-{bug}"));
        let limits = [
            "--isolate",
            "--run-time",
            "1s",
            "--run-memory",
            "1GiB",
            "--out",
            out.to_str().unwrap(),
        ];
        let (ended, sweep) = json(&[&SWEPT[..], &["--bug", bug], &limits].concat());
        assert_eq!(ended, Some(code), "{sweep}");
        let groups = sweep["failures"].as_array().unwrap();
        assert_eq!(
            (groups.len(), &groups[0]["signature"]),
            (1, &signature.into()),
            "{sweep}"
        );
        let (runs, failed) = (
            sweep["total"]["runs"].as_u64().unwrap(),
            sweep["total"]["failed"].as_u64().unwrap(),
        );
        assert!(
            runs == 8 && 0 < failed && failed < 8 && groups[0]["count"] == failed,
            "{sweep}"
        );
        let replay = groups[0]["replay"].as_str().unwrap();
        assert!(
            replay.ends_with(&format!("--bug {bug} --isolate --run-time 1000ms --run-memory 1024MiB")),
            "{replay}"
        );
        let words: Vec<&str> = replay.split(' ').skip(1).collect();
        let again = squall(&words);
        assert!(
            again.code == Some(code) && again.out.contains(signature) && again.out.contains(replay),
            "{again:?}"
        );
        let summary = std::fs::read_to_string(
            out.join("failures")
                .join(signature.replace('/', "--"))
                .join("summary.md"),
        );
        assert!(summary.unwrap().contains(replay));
    }
    // A panic needs no process of its own.
    let args = [&SWEPT[..], &["--bug", "sabotage-panic"]].concat();
    let out = folder("isolate-panic");
    let sweep = command().args(args).arg("--out").arg(&out).output().unwrap();
    assert_eq!(sweep.status.code(), Some(101), "{sweep:?}");
}

#[test]
fn a_sweep_of_runs_in_processes_is_resumed_with_the_same_limits() {
    let out = folder("isolate-resume");
    let folder = out.to_str().unwrap();
    let swept = [
        "sweep",
        "calm",
        "--seeds",
        "0..3",
        "--isolate",
        "--run-time",
        "30s",
        "-q",
    ];
    assert_eq!(squall(&[&swept[..], &["--out", folder]].concat()).code, Some(0));
    assert_eq!(squall(&["sweep", "--resume", folder, "-q"]).code, Some(0));
    let other = squall(&["sweep", "--resume", folder, "--isolate"]);
    assert!(
        other.code == Some(3) && other.err.contains("with --isolate 30s and 4096 MiB"),
        "{other:?}"
    );
    assert_eq!(
        squall(&["sweep", "--run-time", "1s"]).code,
        Some(2),
        "a limit of nothing"
    );
    // And without: limits of events and of simulated time, as settings.
    for (setting, place) in [("time.max_events=100", "run/events"), ("time.max_time=1s", "run/time")] {
        let run = squall(&["run", "calm", "--seed", "1", "--set", setting]);
        assert!(run.code == Some(98) && run.out.contains(place), "{run:?}");
    }
}

#[test]
fn the_command_that_is_not_for_people_says_so() {
    let worker = command()
        .args(["worker", "run"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(worker.status.code(), Some(2));
    assert!(!squall(&["--help"]).out.contains("worker"));
}
