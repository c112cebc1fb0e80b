//! What is said of a run is what there was.
//!
//! A probe looks at the live world after each step: what each node is, holds and acts under, who is down, paused and cut off. What the
//! page, `explain` and the exports read from the trace is held against that, step by step: it is told by other code than it is checked by.
//!
//! The slices here run with every `cargo test`; `make truth` runs one hundred seeds of every scenario and a failure of every planted bug.

#[path = "truth/held.rs"]
mod held;
#[path = "truth/said.rs"]
mod said;

use held::looked_at;
use squall::run::RunReport;
use squall::scenario::{self, Scenario};
use squall::system::PlantedBug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn builtin(name: &str) -> Scenario {
    let builtin = raft_kv::find(name).expect("a built-in scenario");
    scenario::parse(builtin.name, builtin.text, &[], &raft_kv::known()).expect("it is valid")
}

/// One run to be checked.
#[derive(Clone, Debug)]
struct Subject {
    scenario: String,
    seed: u64,
    bug: Option<&'static PlantedBug>,
    /// Whether the page and the exports are made of it, which takes its time.
    thorough: bool,
}

/// What is wrong with what is said of a run; nothing if all is right.
fn checked(subject: &Subject) -> (RunReport, Vec<String>) {
    let scenario = builtin(&subject.scenario);
    let (report, seen) = looked_at(&scenario, subject.seed, subject.bug);
    let wrong = said::wrong(&report, &seen, &subject.scenario, subject.thorough);
    (report, wrong)
}

/// Checks all, on as many threads as there are processors; gives how many failed, and every wrong word.
#[expect(
    clippy::disallowed_methods,
    reason = "each run has its own world; only the runs are dealt out to threads"
)]
fn all_of(subjects: &[Subject], jobs: usize) -> (usize, Vec<String>) {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(subject) = subjects.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (report, found) = checked(subject);
                    failed.fetch_add(usize::from(report.failure.is_some()), Ordering::Relaxed);
                    if !found.is_empty() {
                        let bug = subject.bug.map_or("", |bug| bug.id);
                        let head = format!("{} seed {} {bug}", subject.scenario, subject.seed);
                        let lines = found.into_iter().take(5).map(|line| format!("{head}: {line}"));
                        wrong.lock().unwrap().extend(lines);
                    }
                }
            });
        }
    });
    (failed.into_inner(), wrong.into_inner().unwrap())
}

fn of_scenarios(seeds: std::ops::Range<u64>, thorough: u64, names: &[&str]) -> Vec<Subject> {
    let subject = |seed, name: &&str| Subject {
        scenario: (*name).to_owned(),
        seed,
        bug: None,
        thorough: seed % thorough == 0,
    };
    seeds
        .flat_map(|seed| names.iter().map(move |name| subject(seed, name)))
        .collect()
}

fn all_names() -> Vec<&'static str> {
    raft_kv::builtin().iter().map(|builtin| builtin.name).collect()
}

fn assert_true(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} wrong words, such as\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

#[test]
fn what_is_said_of_passing_runs_is_true() {
    // Each of these has something that others have not: crashes of disks, members that change, snapshots, leases, slow state machines.
    let names = [
        "storm",
        "membership-churn",
        "snapshot-under-fire",
        "wiped-disks",
        "lease-reads",
        "failing-disks",
        "bank-sagas",
    ];
    let (failed, wrong) = all_of(&of_scenarios(0..1, 1, &names), 2);
    assert_true(&wrong);
    assert_eq!(failed, 0, "these runs pass");
}

#[test]
fn no_divergence_is_shown_of_the_storms_that_were_said_to_have_one() {
    for seed in [7, 12, 18, 21, 27, 37] {
        let subject = Subject {
            scenario: "storm".to_owned(),
            seed,
            bug: None,
            thorough: false,
        };
        let (report, wrong) = checked(&subject);
        assert_eq!(report.failure, None);
        assert_true(&wrong);
    }
}

/// Failures of planted bugs that are soon found: scenario, seed, bug.
#[cfg_attr(not(feature = "bugs"), expect(dead_code, reason = "only planted bugs fail"))]
const FOUND: [(&str, u64, &str); 5] = [
    ("leader-isolation", 1, "L2"),
    ("gusts", 0, "E4"),
    ("figure-eight", 0, "R1"),
    ("power-loss", 0, "A1"),
    ("membership-churn", 0, "M6"),
];

#[cfg(feature = "bugs")]
#[test]
fn what_is_said_of_failing_runs_is_true() {
    for (scenario, first_seed, bug) in FOUND {
        let bug = raft_kv::bug(bug).expect("a planted bug");
        let failing = (first_seed..first_seed + 200).find(|seed| said::fails(&builtin(scenario), *seed, bug));
        let subject = Subject {
            scenario: scenario.to_owned(),
            seed: failing.expect("it is soon found"),
            bug: Some(bug),
            thorough: true,
        };
        let (report, wrong) = checked(&subject);
        assert!(report.failure.is_some(), "{subject:?}");
        assert_true(&wrong);
    }
}

#[expect(clippy::disallowed_methods, reason = "how much is checked, and not what a run does")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// One hundred seeds of every scenario; `TRUTH_SEEDS` and `TRUTH_JOBS` say otherwise.
#[test]
#[ignore = "takes an hour or so: make truth"]
fn what_is_said_of_one_hundred_seeds_of_every_scenario_is_true() {
    let (seeds, jobs) = (setting("TRUTH_SEEDS", 100), setting("TRUTH_JOBS", 2) as usize);
    let subjects = of_scenarios(0..seeds, 10, &all_names());
    let (failed, wrong) = all_of(&subjects, jobs);
    println!("{} runs, {failed} failed, {} wrong words", subjects.len(), wrong.len());
    wrong.iter().for_each(|line| println!("{line}"));
    assert_true(&wrong);
}

/// One failure of every planted bug that is found within `TRUTH_BUDGET` seconds of processor time.
#[cfg(feature = "bugs")]
#[test]
#[ignore = "takes an hour or so: make truth"]
fn what_is_said_of_a_failure_of_every_planted_bug_is_true() {
    use squall::bugs::{Plan, measure};

    let jobs = setting("TRUTH_JOBS", 2) as usize;
    let bugs: Vec<&'static PlantedBug> = raft_kv::info().bugs.iter().collect();
    let scenarios: Vec<Scenario> = all_names().into_iter().map(builtin).collect();
    let plan = Plan {
        bugs: &bugs,
        scenarios: &scenarios,
        strategy: None,
        ablation: None,
        budget: std::time::Duration::from_secs(setting("TRUTH_BUDGET", 120)),
        blind_budget: std::time::Duration::ZERO,
        runs: u64::MAX,
        ranges: 1,
        blind: false,
        jobs,
    };
    let reports = measure(&plan, &std::sync::atomic::AtomicBool::new(false), |_| {});
    let (mut subjects, mut silent) = (Vec::new(), Vec::new());
    for (report, bug) in reports.iter().zip(&bugs) {
        match report.typical() {
            Some(finding) => subjects.push(Subject {
                scenario: finding.scenario.clone(),
                seed: finding.seed,
                bug: Some(bug),
                thorough: true,
            }),
            None => silent.push(bug.id),
        }
    }
    let (failed, wrong) = all_of(&subjects, jobs);
    println!(
        "{} bugs, {} found, {failed} failed again, {} wrong words; not found: {}",
        bugs.len(),
        subjects.len(),
        wrong.len(),
        silent.join(" ")
    );
    wrong.iter().for_each(|line| println!("{line}"));
    assert_eq!(failed, subjects.len(), "a failure is found again");
    assert_true(&wrong);
}
