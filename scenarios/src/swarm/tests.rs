//! What seeds draw: ordinary scenarios, functions of the seed, different enough, and open to overrides.

use super::*;
use crate::raft_kv::find;
use crate::scenario::parse;

fn swarm(overrides: &[(&str, &str)]) -> Scenario {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let overrides: Vec<_> = overrides.iter().map(owned).collect();
    parse(
        "swarm",
        find("swarm").unwrap().text,
        &overrides,
        &crate::raft_kv::known(),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

fn drawn(scenario: &Scenario, seed: u64) -> Scenario {
    resolve(scenario, seed)
        .unwrap_or_else(|error| panic!("{error}"))
        .into_owned()
}

#[test]
fn a_draw_is_a_scenario_like_any_other() {
    let scenario = swarm(&[]);
    for seed in 0..300 {
        let drawn = drawn(&scenario, seed);
        assert_eq!(drawn.swarm, None);
        let again = parse("drawn", &drawn.to_toml(), &[], &crate::raft_kv::known());
        assert_eq!(again.as_ref(), Ok(&drawn), "seed {seed}");
    }
}

#[test]
fn every_class_is_drawn_by_some_seeds_and_not_by_others() {
    let scenario = swarm(&[]);
    for class in CLASSES {
        let only = swarm(&[("swarm.classes", &format!("[\"{}\"]", class.name))]);
        let is_on = |seed: u64| {
            let none = swarm(&[("swarm.share", "1ppm")]);
            drawn(&only, seed).to_toml() != drawn(&none, seed).to_toml()
        };
        let on = (0..40).filter(|seed| is_on(*seed)).count();
        assert!((1..40).contains(&on), "{} is on in {on} of 40 seeds", class.name);
    }
    let sizes: std::collections::BTreeSet<u32> = (0..200)
        .map(|seed| drawn(&scenario, seed).cluster.nodes.smallest())
        .collect();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn leases_and_membership_are_drawn_only_within_what_raft_promises() {
    let scenario = swarm(&[]);
    let (mut leases, mut changes) = (0, 0);
    for seed in 0..300 {
        let drawn = drawn(&scenario, seed);
        if drawn.cluster.lease_drift_ppm.largest().is_some() {
            leases += 1;
            assert!(drawn.cluster.check_quorum.smallest());
            let (bound, drift) = (
                drawn.cluster.lease_drift_ppm.largest().unwrap(),
                drawn.clock.drift_max_ppm,
            );
            let (fastest, slowest) = (1_000_000 + u64::from(drift), 1_000_000 - u64::from(drift));
            assert!(
                fastest * 1_000_000 <= slowest * u64::from(1_000_000 + bound),
                "seed {seed}"
            );
            let of_clocks = |fault: &scenario::Fault| fault.kind.name().starts_with("clock");
            assert!(!drawn.faults.iter().any(of_clocks), "seed {seed}");
        }
        let mix = drawn.operator.map(|operator| operator.mix);
        if mix.is_some_and(|mix| mix.change + mix.replace + mix.single > 0) {
            changes += 1;
            assert!(drawn.cluster.pre_vote.smallest(), "seed {seed}");
        }
    }
    assert!(leases > 20 && changes > 20, "{leases} {changes}");
}

#[test]
fn overrides_have_the_last_word_and_shift_nothing() {
    let (plain, set) = (swarm(&[]), swarm(&[("cluster.nodes", "5"), ("network.loss", "7%")]));
    for seed in 0..20 {
        let mut expected = drawn(&plain, seed);
        expected.cluster.nodes = Choice::one(5);
        expected.network.loss_ppm = 70_000;
        assert_eq!(drawn(&set, seed), expected, "seed {seed}");
    }
}

#[test]
fn where_an_override_takes_pre_vote_away_members_are_removed_under_the_quorum_check() {
    let set = swarm(&[("cluster.pre_vote", "false"), ("swarm.share", "60%")]);
    let (mut removals, mut upgrades) = (0, 0);
    for seed in 0..100 {
        let drawn = drawn(&set, seed);
        if drawn.operator.is_some() {
            removals += 1;
            assert!(drawn.cluster.check_quorum.smallest(), "seed {seed}");
            for fault in &drawn.faults {
                if let FaultKind::Upgrade { flips, .. } = fault.kind {
                    upgrades += 1;
                    assert!(!flips.has(Flip::CheckQuorum), "seed {seed}");
                }
            }
        }
    }
    assert!(removals > 10 && upgrades > 5, "{removals} {upgrades}");
}

#[test]
fn an_override_of_a_drawn_fault_reaches_it_and_one_of_a_fault_that_was_not_drawn_is_an_error() {
    let none = swarm(&[("swarm.share", "1ppm"), ("fault.0.target", "any")]);
    let error = resolve(&none, 3).unwrap_err().to_string();
    assert!(error.contains("fault.0.target"), "{error}");
    let crashes = swarm(&[
        ("swarm.share", "100%"),
        ("swarm.classes", "[\"crash\"]"),
        ("fault.0.target", "n0"),
    ]);
    assert_eq!(
        drawn(&crashes, 3).faults[0].kind.target(),
        Some(scenario::Target::Node(0))
    );
}

#[test]
fn what_was_drawn_can_be_said() {
    let scenario = swarm(&[("swarm.share", "100%"), ("swarm.classes", "[\"loss\", \"crash\"]")]);
    let said = difference(&scenario, &drawn(&scenario, 3));
    assert!(said.iter().any(|line| line.starts_with("network.loss = ")), "{said:?}");
    assert!(
        said.iter()
            .any(|line| line.starts_with("fault kind = \"crash\", every = ")),
        "{said:?}"
    );
}
