//! The search is a function of its seed, changes plans within their bounds, and finds what there is to find.

use super::plan::{Bounds, begins, mutated, strikes, together};
use super::*;
use crate::raft_kv::find;
use crate::scenario::parse;
use crate::setup::Draw;
use crate::{nemesis, swarm};
use simulator::{FaultAction, Stream, Time};

fn scenario(name: &str) -> Scenario {
    parse(name, find(name).unwrap().text, &[], &crate::raft_kv::known()).unwrap()
}

fn explored(strategy: Strategy, runs: u64, jobs: usize, bug: Option<&str>) -> ExplorationReport {
    let exploration = Exploration {
        scenarios: &[scenario("gusts")],
        strategy,
        seed: 1 << 40,
        bug: bug.map(|name| crate::raft_kv::bug(name).unwrap()),
        jobs,
        runs: Some(runs),
        time: None,
        max_fail: usize::from(bug.is_some()),
    };
    explore(&exploration, &AtomicBool::new(false), |_, _| {})
}

/// The plans of some seeds, with what may be changed of them.
fn plans() -> impl Iterator<Item = (u64, Scenario, Draw, Vec<simulator::PlannedFault>)> {
    let swarm = scenario("gusts");
    (0..60).map(move |seed| {
        let drawn = swarm::resolve(&swarm, seed).unwrap().into_owned();
        let draw = Draw::new(&drawn, seed);
        let plan = nemesis::plan(&drawn, &draw, seed);
        (seed, drawn, draw, plan)
    })
}

fn bounds(scenario: &Scenario, draw: &Draw) -> Bounds {
    Bounds {
        nodes: draw.all_nodes(),
        end: Time(scenario.time.chaos_ns),
        message_kinds: scenario.known.message_kinds,
    }
}

#[test]
fn a_search_is_the_same_on_any_number_of_threads() {
    for strategy in Strategy::ALL {
        let (one, three) = (explored(strategy, 100, 1, None), explored(strategy, 100, 3, None));
        let told = |report: &ExplorationReport| {
            (
                report.runs,
                report.steered,
                report.with_news,
                report.states,
                report.events,
                report.failed,
            )
        };
        assert_eq!(told(&one), told(&three), "{}", strategy.name());
        assert_eq!(one.runs, 100);
    }
}

#[test]
fn coverage_sees_states_and_changes_what_reached_new_ones() {
    let report = explored(Strategy::Coverage, 200, 2, None);
    assert!(report.states > 1_000, "{report:?}");
    assert!(report.steered > 20 && report.steered < 180, "{report:?}");
    let random = explored(Strategy::Random, 64, 2, None);
    assert_eq!((random.steered, random.states), (0, 0));
}

#[test]
#[cfg(feature = "bugs")]
fn every_strategy_finds_a_shallow_bug_and_its_run_can_be_made_again() {
    for strategy in Strategy::ALL {
        let report = explored(strategy, 400, 2, Some("E7"));
        let found = &report
            .found
            .first()
            .unwrap_or_else(|| panic!("{} found nothing", strategy.name()));
        let options = RunOptions {
            bug: Some(crate::raft_kv::bug("E7").unwrap()),
            trace: true,
            ..RunOptions::default()
        };
        let again = rerun(&scenario("gusts"), &found.candidate, options, None);
        assert_eq!(
            again.failure.map(|failure| failure.signature),
            Some(found.failure.signature.clone())
        );
    }
}

#[test]
fn a_plan_that_is_taken_apart_and_put_together_does_the_same() {
    for (seed, _, _, plan) in plans() {
        let again = together(strikes(&plan));
        let times = |plan: &[simulator::PlannedFault]| plan.iter().map(|planned| planned.at).collect::<Vec<_>>();
        assert_eq!(times(&again), times(&plan), "seed {seed}");
        let kinds = |plan: &[simulator::PlannedFault]| {
            let mut kinds: Vec<_> = plan.iter().map(|planned| planned.action.kind()).collect();
            kinds.sort_unstable();
            kinds
        };
        assert_eq!(kinds(&again), kinds(&plan), "seed {seed}");
    }
}

/// Whatever is changed: clocks keep the rates that were drawn, disks are damaged only where they were, faults begin in time, every
/// cut is mended, and the plan fits the world.
#[test]
fn changed_plans_stay_within_what_the_scenario_may_do() {
    let mut changed = 0;
    for (seed, scenario, draw, plan) in plans() {
        let bounds = bounds(&scenario, &draw);
        let mut stream = Stream::new(seed, "test", 0);
        for _ in 0..20 {
            let new = mutated(&plan, bounds, &mut stream);
            changed += u32::from(new != plan);
            assert!(new.is_sorted_by_key(|planned| planned.at));
            for planned in &new {
                planned.action.check(draw.all_nodes(), draw.clients).unwrap();
                match &planned.action {
                    FaultAction::Disk { .. } | FaultAction::ClockDrift { .. } => {
                        assert!(
                            plan.iter().any(|old| old.action == planned.action),
                            "seed {seed}: {planned:?}"
                        );
                    }
                    FaultAction::Mend { id } | FaultAction::Release { id } => {
                        let begun = new.iter().filter(|begun| begins(&begun.action) == Some(*id));
                        assert_eq!(begun.count(), 1, "seed {seed}");
                    }
                    _ => assert!(planned.at < bounds.end, "seed {seed}: {planned:?}"),
                }
            }
        }
    }
    assert!(changed > 1_000, "{changed}");
}
