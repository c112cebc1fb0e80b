//! Lease reads are as safe as the declared bound on clock drift is true: beyond it, the checkers find a stale read, which
//! shows that the silence within it means something.

use squall::run::{RunOptions, run};
use squall::scenario;

const FIXTURE: &str = include_str!("fixtures/lease-beyond-bound.toml");

/// The signatures of the failures among the first `seeds` runs.
fn failures(lease: &str, properties: &str, seeds: u64) -> Vec<String> {
    let settings = [("cluster.lease", lease), ("expect.properties", properties)];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let scenario = scenario::parse("lease-beyond-bound", FIXTURE, &settings, &raft_kv::known());
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let failure = |seed| run(&scenario, seed, RunOptions::default()).failure;
    (0..seeds)
        .filter_map(failure)
        .map(|failure| failure.signature)
        .collect()
}

#[test]
fn beyond_the_declared_drift_clients_see_stale_reads() {
    let found = failures("1%", r#"["linearizable"]"#, 60);
    assert!(
        !found.is_empty(),
        "clocks drift apart by up to 20%, and leases are cut for 1%"
    );
    assert!(
        found.iter().all(|signature| signature == "linearizable/kv"),
        "{found:?}"
    );
}

#[test]
fn beyond_the_declared_drift_leases_overlap_with_later_leaders() {
    let found = failures("1%", r#"["lease-disjointness"]"#, 60);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|signature| signature.starts_with("lease-disjointness/")),
        "{found:?}"
    );
}

#[test]
fn within_the_declared_drift_nothing_is_found() {
    let all = format!("{:?}", raft_kv::known().properties);
    assert_eq!(failures("30%", &all, 60), Vec::<String>::new());
}
