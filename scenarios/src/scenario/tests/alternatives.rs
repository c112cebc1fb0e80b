//! Lists in place of single values.

use super::overridden;
use crate::scenario::{Scenario, ScenarioError};
use std::collections::BTreeSet;

fn read(body: &str) -> Result<Scenario, ScenarioError> {
    overridden(
        &format!("schema = \"squall-scenario/1\"\nname = \"lists\"\n{body}"),
        &[],
    )
}

fn of_seeds<T: Ord>(scenario: &Scenario, what: impl Fn(&Scenario) -> T) -> BTreeSet<T> {
    (0..64).map(|seed| what(&scenario.of_seed(seed).unwrap())).collect()
}

#[test]
fn each_seed_draws_one_value_of_a_list() {
    let scenario =
        read("[network]\nqueue = [100, 1000]\nloss = [\"0%\", \"1%\"]\n[disk]\ndistrust = [true, false]").unwrap();
    assert_eq!(of_seeds(&scenario, |of| of.network.links.queue), [100, 1000].into());
    assert_eq!(of_seeds(&scenario, |of| of.network.loss_ppm), [0, 10_000].into());
    let both = of_seeds(&scenario, |of| (of.network.links.queue, of.disk.distrust));
    assert_eq!(both.len(), 4, "settings are drawn apart from each other");
    let one = scenario.of_seed(7).unwrap();
    assert_eq!(one, scenario.of_seed(7).unwrap());
    assert!(one.alternatives.is_empty());
}

#[test]
fn one_more_list_shifts_no_other() {
    let few = read("[network]\nqueue = [1, 2, 3, 4]").unwrap();
    let more = read("[network]\nqueue = [1, 2, 3, 4]\nloss = [\"0%\", \"1%\"]").unwrap();
    let queue = |scenario: &Scenario, seed| scenario.of_seed(seed).unwrap().network.links.queue;
    assert!((0..32).all(|seed| queue(&few, seed) == queue(&more, seed)));
}

#[test]
fn faults_weights_words_and_ranges_may_be_lists() {
    let scenario = read(
        "[workload]\nmix = { read = [1, 2], write = 3 }\n[operator]\nmin_voters = [1, 2]\n[network]\nshape = [\"uniform\", \"mixed\"]\n\
         latency = [\"1ms\", \"2ms..5ms\"]\n[[fault]]\nkind = \"hold\"\nat = [\"1s\", \"2s\"]\nfor = \"1s\"\ncount = [2, 7]\nreversed = [true, false]",
    )
    .unwrap();
    let paths: Vec<&str> = scenario.alternatives.iter().map(|of| of.path.as_str()).collect();
    for path in [
        "workload.mix.read",
        "operator.min_voters",
        "network.shape",
        "network.latency",
        "fault.0.at",
        "fault.0.count",
        "fault.0.reversed",
    ] {
        assert!(paths.contains(&path), "{path} is missing in {paths:?}");
    }
    assert_eq!(of_seeds(&scenario, |of| of.workload.mix.read), [1, 2].into());
    assert_eq!(
        of_seeds(&scenario, |of| of.network.latency.max_ns),
        [1_000_000, 5_000_000].into()
    );
}

#[test]
fn a_scenario_with_lists_reads_back_equal() {
    let scenario = read(
        "[network]\nqueue = [100, 1000]\n[workload]\nmix = { read = [1, 2] }\n[[fault]]\nkind = \"crash\"\nat = \"1s\"\nfor = \"1s\"\n\
         [[fault]]\nkind = \"replay-old\"\nat = \"1s\"\nmessages = [1, 5]",
    )
    .unwrap();
    let again = overridden(&scenario.to_toml(), &[]).unwrap();
    assert_eq!(again, scenario);
    assert!(scenario.to_toml().contains("queue = [100, 1000]"));
    assert!(scenario.to_toml().contains("messages = [1, 5]"));
}

#[test]
fn every_combination_is_checked_when_the_scenario_is_read() {
    let error = read("[disk]\nlost = [\"10%\", \"80%\"]\ntorn = [\"10%\", \"30%\"]")
        .unwrap_err()
        .to_string();
    assert!(error.contains("add up to more than 100%"), "{error}");
    let error = read("[network]\nqueue = [100, 0]").unwrap_err().to_string();
    assert!(error.contains("network.queue") && error.contains(":4:15"), "{error}");
    let error = read("[network]\nqueue = []").unwrap_err().to_string();
    assert!(error.contains("`network.queue` is an empty list"), "{error}");
    let long = "[1, 2, 3, 4, 5, 6, 7, 8]";
    let error = read(&format!(
        "[network]\nqueue = {long}\nslow_factor = [2, 3, 4, 5, 6, 7, 8, 9]\n[operator]\nmin_voters = [1, 2, 3, 1, 2, 3, 1, 2]\n\
         mix = {{ change = {long}, single = {long} }}"
    ))
    .unwrap_err()
    .to_string();
    assert!(error.contains("more than 4096 combinations"), "{error}");
}

#[test]
fn what_a_sweep_must_show_is_no_list() {
    let error = read("[expect]\nverdict = [\"pass\", \"inconclusive\"]")
        .unwrap_err()
        .to_string();
    assert!(error.contains("expect.verdict") && error.contains("a text"), "{error}");
}

#[test]
fn an_override_may_be_a_list_and_take_the_place_of_one() {
    let text = "schema = \"squall-scenario/1\"\nname = \"lists\"\n[network]\nqueue = [100, 1000]\n[swarm]";
    let parse = |value: &str| overridden(text, &[("network.queue", value)]).unwrap();
    assert_eq!(of_seeds(&parse("7"), |of| of.network.links.queue), [7].into());
    assert_eq!(of_seeds(&parse("[7, 8]"), |of| of.network.links.queue), [7, 8].into());
    let resolved = |seed| {
        crate::swarm::resolve(&parse("[7, 8]"), seed)
            .unwrap()
            .network
            .links
            .queue
    };
    assert_eq!((0..64).map(resolved).collect::<BTreeSet<_>>(), [7, 8].into());
}
