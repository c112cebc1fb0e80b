//! What a capsule must do: be the run that its seed is, survive its file, and say what has become of it.

use super::*;
use crate::raft_kv::find;
use crate::verdict::FailureKind;
use simulator::TraceEvent;

fn scenario(name: &str, settings: &[(&str, &str)]) -> Scenario {
    let text = find(name).unwrap().text;
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    scenario::parse(name, text, &settings, &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"))
}

fn capsule(name: &str, seed: u64, settings: &[(&str, &str)]) -> Capsule {
    Capsule::of_seed(name, &scenario(name, settings), seed, None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What a trace says but for what it says of faults, whose targets a capsule names.
fn story(trace: &[TraceEvent]) -> Vec<String> {
    let is_told = |event: &&TraceEvent| {
        [
            "deliver", "drop", "request", "response", "timer", "sync", "write", "lost", "torn", "kept", "boot",
            "invoke", "return",
        ]
        .contains(&&*event.kind)
    };
    let told = |event: &TraceEvent| {
        // Events are numbered otherwise: faults that found no target are not in a capsule.
        let mut fields = event.fields.to_map();
        fields.remove("write");
        format!("{} {} {:?} {fields:?}", event.t, event.kind, (event.node, event.client))
    };
    trace.iter().filter(is_told).map(told).collect()
}

#[test]
fn a_capsule_is_the_run_that_its_seed_is() {
    let short = [("time.chaos", "12s")];
    for name in [
        "storm",
        "slow-links",
        "old-messages",
        "vote-then-cut",
        "membership-churn",
        "crash-torn-disks",
        "bank-sagas",
        "lock-fencing",
        "minority-lost",
        "rolling-upgrade",
        "swarm",
    ] {
        for seed in [0, 5] {
            let scenario = scenario(name, &short);
            let trace = RunOptions {
                trace: true,
                ..RunOptions::default()
            };
            let by_seed = attempt(&swarm::resolve(&scenario, seed).unwrap(), seed, trace);
            let capsule = Capsule::of_seed(name, &scenario, seed, None);
            let capsule = capsule.unwrap_or_else(|error| panic!("{name} {seed}: {error}"));
            let on_course = capsule.run(trace);
            let (one, other) = (story(&by_seed.trace), story(&on_course.trace));
            let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
            assert!(
                one == other,
                "{name} {seed}: of {} and {} events {same} are the same, then\n{:?}\n{:?}",
                one.len(),
                other.len(),
                one.get(same),
                other.get(same)
            );
            assert_eq!(signature(&by_seed), signature(&on_course), "{name} {seed}");
        }
    }
}

#[test]
fn a_capsule_survives_its_file_and_is_refused_with_a_place_when_it_is_damaged() {
    let calm = capsule("storm", 3, &[("time.chaos", "12s")]);
    let json = calm.to_json();
    assert_eq!(Capsule::parse("test", &json).unwrap(), calm);
    let refusal = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        Capsule::parse("test", &json.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    };
    assert!(refusal("squall-capsule/1", "squall-capsule/9").contains("make the capsule anew"));
    assert!(refusal("\"damageable\"", "\"damage\"").contains("line "));
    assert!(refusal("\"op\": \"read\"", "\"op\": \"reed\"").contains("reed"));
    assert!(refusal("nodes = ", "nodes = [3, 5] #").contains("list of choices"));
    assert!(refusal("\"key\": ", "\"key\": 9").contains("course.clients["));
    assert!(refusal("\"bug\": null", "\"bug\": \"Z99\"").contains("bug"));
    assert!(Capsule::parse("test", "").is_err() && Capsule::parse("test", "[]").is_err());
}

#[test]
fn what_has_become_of_a_capsule_is_told() {
    let mut capsule = capsule("storm", 3, &[("time.chaos", "12s")]);
    let outcome = |capsule: &Capsule| compare(capsule, RunOptions::default()).0;
    let same = outcome(&capsule);
    assert_eq!(
        (same.outcome, same.stale, same.parts),
        (Outcome::Reproduced, false, None)
    );
    capsule.outcome.signature = Some("linearizable/kv".to_owned());
    assert_eq!(outcome(&capsule).outcome, Outcome::Gone);
    // As if the code did something else now, from some message on.
    let delay: simulator::Subject = "delay n0>n1".parse().unwrap();
    let mut decisions = (*capsule.course.decisions).clone();
    assert!(decisions.get(delay, 20).is_some());
    decisions.insert(delay, 20, 1);
    capsule.course.decisions = Arc::new(decisions);
    let other = outcome(&capsule);
    let (same, differs) = other.parts.unwrap();
    assert!(other.stale && 0 < same && same < differs, "{same} {differs}");
    assert!(other.first_difference.is_some());
}

#[test]
fn an_order_of_a_node_that_there_is_not_is_refused_and_never_panics() {
    let mut capsule = capsule("calm", 1, &[("time.chaos", "1s")]);
    capsule.course.faults.push(Strike {
        at: simulator::Time(5),
        after: 0,
        action: simulator::FaultAction::Restart {
            node: simulator::NodeId(9),
        },
    });
    let refused = Capsule::parse("test", &capsule.to_json()).unwrap_err().to_string();
    assert!(
        refused.starts_with("`course.faults[0]`") && refused.contains("n9"),
        "{refused}"
    );
    let run = capsule.run(RunOptions::default());
    assert_eq!(run.failure.unwrap().kind, FailureKind::Inconclusive);
}

#[test]
fn a_draw_that_is_new_in_the_code_shifts_nothing_in_a_capsule() {
    // The seed decides nothing any more: streams of other seeds, as new draws would make of them, change nothing.
    let capsule = capsule("storm", 3, &[("time.chaos", "12s")]);
    let chance = Chance::Given(Arc::clone(&capsule.course.decisions));
    let digest = |seed| capsule.run_by(&chance, seed, RunOptions::default()).digest;
    assert_eq!(digest(0), digest(12_345));
}

#[test]
fn nothing_is_left_to_be_drawn_from_the_scenario_of_a_capsule() {
    for builtin in crate::raft_kv::builtin() {
        let scenario = scenario(builtin.name, &[]);
        let drawn = |scenario: &Scenario, seed| Draw {
            damageable: crate::budget::Damageable::default(),
            ..Draw::new(scenario, seed)
        };
        let first = drawn(&scenario, 0);
        let explicit = explicit(scenario, &first);
        for seed in 1..30 {
            assert_eq!(drawn(&explicit, seed), first, "{} {seed}", builtin.name);
        }
    }
}

#[test]
fn a_failure_among_nodes_of_two_versions_makes_a_capsule() {
    let scenario = scenario("rolling-upgrade", &[]);
    let bug = crate::raft_kv::bug("D8").unwrap();
    let capsule = Capsule::of_seed("rolling-upgrade", &scenario, 0, Some(bug));
    let capsule = capsule.unwrap_or_else(|error| panic!("{error}"));
    assert!(capsule.signature().is_some());
    let json = capsule.to_json();
    assert_eq!(Capsule::parse("test", &json).unwrap(), capsule);
    let refused = |from: &str, to: &str| Capsule::parse("test", &json.replacen(from, to, 1)).unwrap_err();
    let unknown = refused("\"pre-vote\"", "\"pre-vole\"").to_string();
    assert!(
        unknown.contains("`pre-vole` is no setting") && unknown.contains("check-quorum"),
        "{unknown}"
    );
}

#[test]
fn a_failure_of_every_scenario_makes_a_capsule_that_fails_in_the_same_way() {
    let bugs = ["E12", "R13", "L1", "E7", "S6", "D1"].map(|id| crate::raft_kv::bug(id).unwrap());
    let mut without = Vec::new();
    for builtin in crate::raft_kv::builtin() {
        let parsed = |settings: &[(String, String)]| {
            scenario::parse(builtin.name, builtin.text, settings, &crate::raft_kv::known())
        };
        let short = parsed(&[("time.chaos".to_owned(), "3s".to_owned())]);
        let scenario = short.or_else(|_| parsed(&[])).unwrap();
        let fails = |bug: &&'static PlantedBug| {
            let options = RunOptions {
                bug: Some(*bug),
                ..RunOptions::default()
            };
            let resolved = swarm::resolve(&scenario, 0).ok()?;
            attempt(&resolved, 0, options).failure
        };
        let Some(bug) = bugs.iter().copied().find(|bug| fails(bug).is_some()) else {
            without.push(builtin.name);
            continue;
        };
        // It refuses to be made when it ends otherwise than the seed did.
        let capsule = Capsule::of_seed(builtin.name, &scenario, 0, Some(bug));
        let capsule = capsule.unwrap_or_else(|error| panic!("{} {}: {error}", builtin.name, bug.id));
        assert!(capsule.signature().is_some());
        let read = Capsule::parse(builtin.name, &capsule.to_json());
        let read = read.unwrap_or_else(|error| panic!("{} {}: {error}", builtin.name, bug.id));
        assert_eq!(read, capsule, "{} {}", builtin.name, bug.id);
    }
    assert!(without.len() <= 3, "of these no failure was found: {without:?}");
}
