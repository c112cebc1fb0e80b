//! Each milestone is missed for its own reason, and the failure says which.

use crate::raft_kv::find;
use crate::run::{RunOptions, run};
use crate::scenario::parse;

/// Signature and message of the first failure of a few runs under these settings.
fn failure(name: &str, settings: &[(&str, &str)]) -> Option<(String, String)> {
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let scenario = parse(name, find(name).unwrap().text, &settings, &crate::raft_kv::known());
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let mut failures = (0..12).filter_map(|seed| run(&scenario, seed, RunOptions::default()).failure);
    failures.next().map(|failure| (failure.signature, failure.message))
}

const SHORT: (&str, &str) = ("time.chaos", "4s");

#[test]
fn within_the_usual_bounds_nothing_is_missed() {
    assert_eq!(failure("power-loss", &[SHORT]), None);
}

#[cfg(feature = "bugs")]
#[test]
fn a_milestone_that_is_not_come_to_is_missed_by_its_name() {
    let gusts = find("gusts").unwrap();
    let gusts = parse(gusts.name, gusts.text, &[], &crate::raft_kv::known()).unwrap();
    for (bug, seed, milestone, why) in [
        ("E16", 1, "elect", "no node leads"),
        ("E18", 2, "elect", "no node leads"),
        ("R2", 0, "converge", "has committed"),
        ("S13", 1, "converge", "entries"),
    ] {
        let options = RunOptions {
            bug: Some(crate::raft_kv::bug(bug).unwrap()),
            ..RunOptions::default()
        };
        let failure = run(&gusts, seed, options).failure.expect("nothing moves");
        let (signature, message) = (failure.signature, failure.message);
        assert!(
            signature.starts_with(&format!("recovers/{milestone}-")),
            "{bug}: {signature}"
        );
        assert!(
            message.contains(&format!("`{milestone}` missed")) && message.contains(why),
            "{bug}: {message}"
        );
    }
}

#[test]
fn a_deadline_moves_on_while_clients_are_served_one_after_another() {
    // 64 keys, one after another, each for seconds: far beyond all bounds, and always on the way.
    let slow = [
        ("time.chaos", "1s"),
        ("network.client_latency", "400ms"),
        ("workload.timeout", "4s"),
        ("workload.keys", "64"),
        ("workload.clients", "1"),
        ("recovery.durable", "20"),
    ];
    assert_eq!(failure("calm", &slow), None);
}
