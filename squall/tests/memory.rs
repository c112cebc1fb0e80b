//! What a run takes of memory: on Linux, which tells the peak of a process.
#![cfg(target_os = "linux")]

use raft_kv::find;
use squall::run::{RunOptions, run};
use squall::scenario::parse;

/// The most resident memory that this process ever had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn seven_nodes_and_a_thousand_operations_take_less_than_fifty_mebibytes() {
    let settings = [
        ("cluster.nodes", "7"),
        ("cluster.spares", "0"),
        ("workload.clients", "6"),
        ("workload.think", "1ms..20ms"),
        ("time.chaos", "2m"),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let storm = find("storm").unwrap();
    let storm = parse(storm.name, storm.text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    let report = run(&storm, 7, RunOptions::default());
    assert_eq!(report.failure, None);
    assert!(report.operations >= 1_000, "{} operations", report.operations);
    let peak = peak_kib();
    assert!(peak < 50 << 10, "the peak was {peak} KiB");
}
