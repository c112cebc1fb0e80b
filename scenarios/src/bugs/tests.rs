use super::*;
use crate::raft_kv::find;
use crate::scenario::parse;
use std::sync::atomic::AtomicBool;

fn scenario(name: &str) -> Scenario {
    parse(name, find(name).unwrap().text, &[], &crate::raft_kv::known()).unwrap()
}

fn measured(bugs: &[&'static PlantedBug], runs: u64, ranges: u64) -> Vec<BugReport> {
    let plan = Plan {
        bugs,
        scenarios: &[scenario("leader-isolation")],
        budget: Duration::from_secs(60),
        blind_budget: Duration::from_secs(60),
        strategy: None,
        ablation: None,
        runs,
        ranges,
        blind: true,
        jobs: 1,
    };
    measure(&plan, &AtomicBool::new(false), |_| {})
}

fn trial(first_seed: u64, cpu_us: u64, found: Option<&str>) -> Trial {
    Trial {
        first_seed,
        runs: 1,
        events: 1,
        cpu_us,
        found: found.map(|property| Finding {
            scenario: "s".to_owned(),
            seed: first_seed,
            plan: None,
            kind: FailureKind::Safety,
            property: property.to_owned(),
            signature: property.to_owned(),
        }),
    }
}

#[test]
fn a_bug_is_found_with_and_without_the_white_box_and_a_control_is_not() {
    let bugs = ["L2", "D7"].map(|name| crate::raft_kv::bug(name).unwrap());
    let [local_read, control] = &measured(&bugs, 3, 2)[..] else {
        panic!("a report for each bug");
    };
    assert_eq!(local_read.times_found(), 2, "{local_read:?}");
    assert_eq!(local_read.typical().unwrap().property, "read-freshness");
    assert!(local_read.is_visible() || local_read.times_found_blind() == 0);
    assert_eq!(
        (control.times_found(), control.times_found_blind()),
        (0, 0),
        "{control:?}"
    );
    assert!(matches!(control.runs(50), Some(Quantile::MoreThan(3))));
}

#[test]
fn quantiles_put_censored_trials_last_and_never_drop_them() {
    let mut report = BugReport::new(&crate::raft_kv::info().bugs[0]);
    for (range, found) in [Some("a"), None, Some("b"), Some("b"), None].into_iter().enumerate() {
        // A censored trial may have used less than another one needed to find the bug.
        let cpu = if found.is_some() { 100 * range as u64 } else { 5 };
        report.add(range as u64, false, trial(range as u64, cpu, found));
    }
    assert_eq!(report.times_found(), 3);
    assert_eq!(report.cpu_us(50), Some(Quantile::Exactly(300)));
    assert_eq!(report.cpu_us(90), Some(Quantile::MoreThan(5)));
    assert_eq!(report.typical().unwrap().property, "b");
    assert_eq!(report.blind_cpu_us(50), None);
}

#[test]
fn an_interrupted_measurement_gives_what_is_there() {
    let plan = Plan {
        bugs: &[&crate::raft_kv::info().bugs[0]],
        scenarios: &[scenario("calm")],
        budget: Duration::from_secs(1),
        blind_budget: Duration::from_secs(1),
        strategy: None,
        ablation: None,
        runs: 1,
        ranges: 1,
        blind: false,
        jobs: 1,
    };
    let reports = measure(&plan, &AtomicBool::new(true), |_| {});
    assert!(reports[0].trials.len() <= 1);
}
