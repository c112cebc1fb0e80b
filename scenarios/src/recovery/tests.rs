//! Each milestone is missed for its own reason, and the failure says which.

use crate::run::{RunOptions, run};
use crate::scenario::{find, parse};

/// Signature and message of the first failure of a few runs under these settings.
fn failure(name: &str, settings: &[(&str, &str)]) -> Option<(String, String)> {
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let scenario = parse(name, find(name).unwrap().text, &settings, &crate::known());
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let mut failures = (0..12).filter_map(|seed| run(&scenario, seed, RunOptions::default()).failure);
    failures.next().map(|failure| (failure.signature, failure.message))
}

const SHORT: (&str, &str) = ("time.chaos", "4s");

#[test]
fn within_the_usual_bounds_nothing_is_missed() {
    assert_eq!(failure("power-loss", &[SHORT]), None);
}

#[test]
fn a_milestone_with_too_tight_a_bound_is_missed_by_its_name() {
    // Nobody elects within 1 ms, nor catches up within 2.
    let tight = ("cluster.election", "1500ms..1501ms");
    for (bound, name) in [("recovery.elect", "power-loss"), ("recovery.converge", "power-loss")] {
        let milestone = bound.strip_prefix("recovery.").unwrap();
        let (signature, message) = failure(name, &[SHORT, tight, (bound, "1")]).expect("too tight");
        assert!(
            signature.starts_with(&format!("recovers/{milestone}-")),
            "{signature}: {message}"
        );
        assert!(message.contains(&format!("`{milestone}` missed")), "{message}");
        assert!(message.contains("1 election timeouts"), "{message}");
    }
}

#[test]
fn clients_that_are_not_served_are_told_from_keys_that_were_not_read() {
    // A round trip of a client takes longer than an election timeout here.
    let slow = [
        SHORT,
        ("network.client_latency", "400ms"),
        ("workload.timeout", "4s"),
        ("workload.keys", "8"),
        ("workload.clients", "1"),
    ];
    let with = |bound: (&'static str, &'static str)| failure("calm", &[&slow[..], &[bound]].concat());
    let (signature, message) = with(("recovery.serve", "2")).expect("too tight");
    assert!(signature.starts_with("recovers/serve-"), "{signature}: {message}");
    let (signature, message) = with(("recovery.durable", "4")).expect("too tight");
    assert!(signature.starts_with("recovers/durable-"), "{signature}: {message}");
    assert!(message.contains("still waits for"), "{message}");
}
