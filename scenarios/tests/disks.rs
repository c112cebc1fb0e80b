//! Disks that fail, decay and lie: a service that is written for them keeps its promises, and the same faults break one that
//! trusts too much. So each fault is real, and the silence of the scenarios about them means something.

use scenarios::run::{RunOptions, RunReport, run};
use scenarios::scenario;
use simulator::FaultClass;

/// The first `seeds` runs of a built-in scenario with some settings changed.
fn runs(name: &str, settings: &[(&str, &str)], seeds: u64) -> Vec<RunReport> {
    let text = scenario::find(name).unwrap_or_else(|error| panic!("{error}")).text;
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let scenario =
        scenario::parse(name, text, &settings, &scenarios::known()).unwrap_or_else(|error| panic!("{error}"));
    (0..seeds)
        .map(|seed| run(&scenario, seed, RunOptions::default()))
        .collect()
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
