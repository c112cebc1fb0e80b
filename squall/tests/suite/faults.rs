//! The table of faults says what there is, each class is shown by a test that exists, and no class can fall silent unnoticed.

use raft_kv::{builtin, find};
use simulator::FaultClass;
use squall::scenario::{Scenario, When, parse};
use squall::swarm::{CLASSES, resolve};
use std::collections::BTreeSet;

#[path = "../../examples/faults.rs"]
#[expect(dead_code, reason = "the example's `main` writes the table")]
mod example;

#[test]
fn the_table_of_faults_is_the_kept_one() {
    assert_eq!(
        example::file(),
        include_str!("../../FAULTS.md"),
        "write it anew: cargo run -p squall-cli --example faults > squall/FAULTS.md"
    );
}

#[test]
fn every_class_is_shown_by_a_test_that_exists() {
    let sources = [
        include_str!("../../../simulator/src/world/tests/disks.rs"),
        include_str!("../../../simulator/src/world/tests/faults.rs"),
        include_str!("../../../simulator/src/world/tests/life.rs"),
        include_str!("../../../simulator/src/world/tests/links.rs"),
        include_str!("../../../simulator/src/world/tests/storage.rs"),
        include_str!("../../../simulator/src/world/tests/timing.rs"),
    ];
    let is_there = |name: &str| sources.iter().any(|source| source.contains(&format!("fn {name}()")));
    let named = FaultClass::ALL.into_iter().map(example::shown_by).chain(example::OFF);
    let missing: Vec<&str> = named.filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

fn swarm(share: &str) -> Scenario {
    let settings = [("swarm.share".to_owned(), share.to_owned())];
    let swarm = find("swarm").unwrap_or_else(|error| panic!("{error}"));
    parse(swarm.name, swarm.text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_sweep_of_the_swarm_fails_when_any_class_of_faults_never_fires() {
    let expected: BTreeSet<String> = swarm("25%")
        .expect
        .fired
        .into_iter()
        .flatten()
        .map(|expected| expected.name)
        .collect();
    let all: BTreeSet<String> = FaultClass::ALL.iter().map(|class| class.name().to_owned()).collect();
    let silent: Vec<_> = all.difference(&expected).collect();
    assert!(silent.is_empty(), "missing from swarm's `[expect] fired`: {silent:?}");
}

#[test]
fn a_sweep_fails_when_what_the_triggers_of_the_swarm_wait_for_is_never_reached() {
    let all = swarm("100%");
    let waited_for: BTreeSet<&str> = (0..40)
        .flat_map(|seed| {
            resolve(&all, seed)
                .unwrap_or_else(|error| panic!("{error}"))
                .into_owned()
                .faults
        })
        .filter_map(|fault| match fault.when {
            When::Reached(trigger) => Some(trigger.situation),
            _ => None,
        })
        .collect();
    assert!(waited_for.len() > 10, "{waited_for:?}");
    // What few swarms reach, a scenario of its own has to.
    let expected: BTreeSet<String> = builtin()
        .iter()
        .map(|builtin| parse(builtin.name, builtin.text, &[], &raft_kv::known()))
        .flat_map(|scenario| scenario.unwrap_or_else(|error| panic!("{error}")).expect.reach)
        .map(|expected| expected.name)
        .collect();
    let missing: Vec<_> = waited_for
        .iter()
        .filter(|situation| !expected.contains(**situation))
        .collect();
    assert!(missing.is_empty(), "in nobody's `[expect] reach`: {missing:?}");
}

#[test]
fn the_swarm_knows_every_kind_of_fault() {
    let all = swarm("100%");
    let drawn: BTreeSet<String> = (0..200)
        .flat_map(|seed| {
            resolve(&all, seed)
                .unwrap_or_else(|error| panic!("{error}"))
                .into_owned()
                .faults
        })
        .map(|fault| fault.kind.name().to_owned())
        .collect();
    let keys = squall::scenario::keys(&raft_kv::known());
    let mut kinds: BTreeSet<String> = keys
        .iter()
        .filter_map(|key| key.path.strip_prefix("fault.")?.split('.').next().map(str::to_owned))
        .collect();
    assert!(
        kinds.remove("cut-links"),
        "names its links; `partition` and `one-way` cut any"
    );
    let never: Vec<_> = kinds.difference(&drawn).collect();
    assert!(never.is_empty(), "no seed of the swarm draws {never:?}");
    assert!(CLASSES.len() > 50, "{}", CLASSES.len());
}
