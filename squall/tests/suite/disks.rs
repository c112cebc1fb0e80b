//! Disks that fail, decay and lie: a service that is written for them keeps its promises, and the same faults break one that
//! trusts too much. So each fault is real, and the silence of the scenarios about them means something.

use simulator::FaultClass;
use squall::run::{RunOptions, RunReport, run};
use squall::scenario;

/// The first `seeds` runs of a built-in scenario with some settings changed.
fn runs(name: &str, settings: &[(&str, &str)], seeds: u64) -> Vec<RunReport> {
    runs_with(name, settings, seeds, RunOptions::default())
}

fn runs_with(name: &str, settings: &[(&str, &str)], seeds: u64, options: RunOptions) -> Vec<RunReport> {
    let text = raft_kv::find(name).unwrap_or_else(|error| panic!("{error}")).text;
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let scenario = scenario::parse(name, text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    (0..seeds).map(|seed| run(&scenario, seed, options)).collect()
}

fn failures(runs: &[RunReport]) -> Vec<String> {
    let signature = |run: &RunReport| {
        run.failure
            .as_ref()
            .map(|failure| format!("{}: {}", run.seed, failure.signature))
    };
    runs.iter().filter_map(signature).collect()
}

fn count(runs: &[RunReport], class: FaultClass) -> u64 {
    runs.iter().map(|run| run.exposure.count(class)).sum()
}

#[test]
fn a_full_disk_costs_service_and_no_promise() {
    let runs = runs("disk-full", &[("time.chaos", "8s")], 6);
    assert_eq!(failures(&runs), Vec::<String>::new());
    assert!(count(&runs, FaultClass::DiskFull) > 0);
}

/// Snapshots come one after the other, so a file is soon stale for the most part; and now and then there is no space for the
/// record that is to stand for it, or for the one that vouches for that.
#[test]
fn the_file_of_a_service_that_takes_snapshots_stays_small() {
    let settings = [
        ("time.chaos", "10s"),
        ("cluster.snapshot_threshold", "1"),
        ("workload.value_bytes", "2KiB"),
        ("workload.keys", "4"),
        ("workload.think", "1ms..5ms"),
    ];
    let options = RunOptions {
        trace: true,
        ..RunOptions::default()
    };
    let runs = runs_with("disk-full", &settings, 3, options);
    assert_eq!(failures(&runs), Vec::<String>::new());
    assert!(count(&runs, FaultClass::DiskFull) > 0);
    for run in &runs {
        // For each node: how far it has written, and what it has given up.
        let mut files = std::collections::BTreeMap::<u16, (u64, u64)>::new();
        let mut largest = 0;
        for event in &run.trace {
            let (Some(node), number) = (event.node, |key| {
                event.fields.get(key).and_then(serde_json::Value::as_u64)
            }) else {
                continue;
            };
            let file = files.entry(node).or_default();
            match &*event.kind {
                "write" => file.0 = file.0.max(number("offset").unwrap() + number("len").unwrap()),
                "discard" => file.1 = number("before").unwrap(),
                _ => {}
            }
            largest = largest.max(file.0 - file.1);
        }
        let most = files.values().map(|file| file.0).max().unwrap();
        assert!(
            most > 1 << 20,
            "so much was written that a file which only grows would be large: {most}"
        );
        assert!(largest < most / 8, "{largest} of {most}");
    }
}

#[test]
fn failing_and_stalling_disks_cost_service_and_no_promise() {
    let runs = runs("failing-disks", &[("time.chaos", "8s")], 6);
    assert_eq!(failures(&runs), Vec::<String>::new());
    assert!(count(&runs, FaultClass::SyncError) > 0 && count(&runs, FaultClass::DiskStall) > 0);
}

#[test]
fn decaying_disks_of_a_minority_cost_no_promise() {
    let runs = runs("decaying-disks", &[("time.chaos", "8s")], 6);
    assert_eq!(failures(&runs), Vec::<String>::new());
    assert!(count(&runs, FaultClass::BitRot) > 0 && count(&runs, FaultClass::MisdirectedWrite) > 0);
}

#[test]
fn lying_disks_of_a_minority_do_no_harm_where_they_are_distrusted() {
    let runs = runs("lying-disks", &[("time.chaos", "8s")], 12);
    assert_eq!(failures(&runs), Vec::<String>::new());
    assert!(count(&runs, FaultClass::LyingSync) > 0);
}

#[test]
fn lying_disks_that_are_trusted_break_what_raft_promises() {
    let runs = runs("lying-disks", &[("disk.distrust", "false"), ("cluster.nodes", "3")], 40);
    let failures = failures(&runs);
    assert!(
        !failures.is_empty(),
        "nobody noticed that disks forgot votes and entries"
    );
}

#[test]
fn decay_that_the_budget_does_not_bound_takes_the_cluster_down() {
    let unlimited = [("budget.damage", "\"unlimited\""), ("cluster.nodes", "3")];
    let failures = failures(&runs("decaying-disks", &unlimited, 10));
    assert!(!failures.is_empty(), "majorities lost their data, and all went well");
}
