//! Plans: a function of the seed, and complete.

use super::*;
use crate::scenario;

fn plan_of(faults: &str, seed: u64) -> Vec<PlannedFault> {
    let text = format!("schema = \"squall-scenario/1\"\nname = \"test\"\n[cluster]\nnodes = 5\n{faults}");
    let scenario =
        scenario::parse("test", &text, &[], &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    plan(&scenario, &Draw::new(&scenario, seed), seed)
}

const ISOLATE: &str = "[[fault]]\nkind = \"isolate\"\nevery = \"1s..3s\"\nfor = \"200ms..900ms\"\n";
const CRASH: &str = "[[fault]]\nkind = \"crash\"\nevery = \"1s..2s\"\nfor = \"1s\"\n";

#[test]
fn a_plan_is_sorted_and_a_function_of_the_seed() {
    let both = format!("{ISOLATE}{CRASH}");
    let plan = plan_of(&both, 7);
    assert!(plan.is_sorted_by_key(|planned| planned.at));
    assert_eq!(plan, plan_of(&both, 7));
    assert_ne!(plan, plan_of(&both, 8));
}

#[test]
fn every_cut_is_mended_later() {
    let partition = "[[fault]]\nkind = \"partition\"\nevery = \"1s..3s\"\nfor = \"200ms..900ms\"\nclients = true\n";
    let plan = plan_of(&format!("{ISOLATE}{partition}"), 3);
    let cut = |planned: &PlannedFault| match planned.action {
        FaultAction::Cut { id, .. } | FaultAction::Isolate { id, .. } => Some((id, planned.at)),
        _ => None,
    };
    let cuts: Vec<_> = plan.iter().filter_map(cut).collect();
    assert!(cuts.len() > 10, "{}", cuts.len());
    for (id, at) in cuts {
        let mends = plan
            .iter()
            .filter(|planned| planned.action == FaultAction::Mend { id } && planned.at > at);
        assert_eq!(mends.count(), 1, "cut {id:?}");
    }
}

#[test]
fn a_fault_at_the_end_of_a_file_shifts_none_before_it() {
    let crashes = |plan: Vec<PlannedFault>| {
        let is_crash = |planned: &PlannedFault| matches!(planned.action, FaultAction::Crash { .. });
        plan.into_iter().filter(is_crash).collect::<Vec<_>>()
    };
    assert_eq!(
        crashes(plan_of(CRASH, 5)),
        crashes(plan_of(&format!("{CRASH}{ISOLATE}"), 5))
    );
}

#[test]
fn a_drift_is_taken_back_to_what_each_clock_had() {
    let drift =
        "[clock]\ndrift = \"100ppm\"\n[[fault]]\nkind = \"clock-drift\"\nat = \"5s\"\nfor = \"1s\"\ndrift = \"5%\"\n";
    let rates = |plan: &[PlannedFault], at: Time| {
        let rate = |planned: &PlannedFault| match planned.action {
            FaultAction::ClockDrift {
                target: Aim::Node(node),
                ppm,
            } if planned.at == at => Some((node, ppm)),
            _ => None,
        };
        plan.iter().filter_map(rate).collect::<Vec<_>>()
    };
    let plan = plan_of(drift, 2);
    let start = rates(&plan, Time(0));
    assert!(!start.is_empty() && start.iter().all(|(_, ppm)| ppm.abs() <= 100));
    let after = rates(&plan, Time(6_000_000_000));
    assert!(start.iter().all(|rate| after.contains(rate)), "{after:?}");
}

#[test]
fn what_destroys_data_strikes_a_minority_of_the_fewest_voters_and_always_the_same_one() {
    let destroys = |planned: &PlannedFault| match planned.action {
        FaultAction::Disk { target, fault } if fault.destroys() => Some(target),
        _ => None,
    };
    let disks = "[[fault]]\nkind = \"disk-rot\"\nevery = \"500ms\"\n[[fault]]\nkind = \"disk-misdirect\"\nevery = \"700ms\"\n\
                 [[fault]]\nkind = \"disk-lie\"\nevery = \"1s\"\nfor = \"300ms\"\n";
    let operator = "[operator]\nmin_voters = 3\n";
    let unlimited = "[budget]\ndamage = \"unlimited\"\n";
    for (with, most) in [("", 2), (operator, 1), ("[operator]\n", 0), (unlimited, 5)] {
        let mut all = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let plan = plan_of(&format!("{with}{disks}"), seed);
            let mut struck: Vec<_> = plan.iter().filter_map(destroys).map(String::from).collect();
            struck.sort_unstable();
            struck.dedup();
            assert_eq!(struck.len(), most, "seed {seed}: {struck:?}");
            all.extend(struck);
        }
        assert_eq!(
            all.len(),
            if most == 0 { 0 } else { 5 },
            "over many seeds it may be anybody: {all:?}"
        );
    }
}
