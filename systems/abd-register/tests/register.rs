//! The register under storms: it holds, each of its mutants is found, and a failure is shrunk to next to nothing.

use abd_register::AbdRegister;
use squall::capsule::Capsule;
use squall::check::Check;
use squall::run::{RunOptions, run};
use squall::scenario;
use squall::shrink::{Options, shrink};
use squall::situations::Situation;
use squall::system::{self, Info};
use std::sync::atomic::AtomicBool;

squall::check! {
    /// Whatever happens, a read gives what was written last, and no replica goes back.
    the_register_survives_storms(AbdRegister, "tests/storm.toml", cases = 24)
}

fn info() -> &'static Info {
    squall::register(AbdRegister)
}

fn storm() -> scenario::Scenario {
    let text = include_str!("storm.toml");
    scenario::parse("storm.toml", text, &[], &info().known).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_scenario_for_any_system_is_one_for_the_register() {
    for builtin in &info().scenarios {
        let scenario = scenario::parse(builtin.name, builtin.text, &[], &info().known);
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, builtin.name);
        assert_eq!(
            run(&scenario, 1, RunOptions::default()).failure,
            None,
            "{}",
            builtin.name
        );
    }
}

#[test]
fn each_mutant_is_found_and_the_code_without_it_passes_the_same_seed() {
    let storm = storm();
    for bug in info().bugs {
        let options = RunOptions {
            bug: Some(bug),
            ..RunOptions::default()
        };
        let found = (0..300).find_map(|seed| Some((seed, run(&storm, seed, options).failure?)));
        let (seed, failure) = found.unwrap_or_else(|| panic!("`{}` is not found in 300 seeds", bug.id));
        let expected = ["linearizable/register", "tags-grow/older"];
        assert!(expected.contains(&failure.signature.as_str()), "{}: {failure}", bug.id);
        assert_eq!(run(&storm, seed, RunOptions::default()).failure, None, "{}", bug.id);
    }
}

#[test]
fn its_own_words_are_counted_drawn_and_shrunk() {
    let storm = storm();
    let repaired = Situation::from_name("read-repaired").expect("the system declares it");
    let reports: Vec<_> = (0..8).map(|seed| run(&storm, seed, RunOptions::default())).collect();
    assert!(reports.iter().any(|report| report.situations.count(repaired) > 0));
    let of_leaders =
        |report: &squall::run::RunReport| report.situations.iter().any(|(of, _)| of.name().contains("leader"));
    assert!(!reports.iter().any(of_leaders), "a register has no leaders");
    let bug = system::of(&storm).bug("half-quorum").unwrap();
    let fails = |seed: &u64| {
        let options = RunOptions {
            bug: Some(bug),
            ..RunOptions::default()
        };
        run(&storm, *seed, options).failure.is_some()
    };
    let seed = (0..60).find(fails).expect("half of the replicas are no majority");
    let capsule = Capsule::of_seed("storm.toml", &storm, seed, Some(bug)).unwrap();
    let options = Options {
        jobs: 1,
        time: None,
        attempts: 400,
    };
    let small = shrink(&capsule, &options, &AtomicBool::new(false), &mut ())
        .unwrap()
        .capsule;
    assert_eq!(small.signature(), capsule.signature());
    assert!(
        small.outcome.events < capsule.outcome.events / 4,
        "{}",
        small.outcome.events
    );
    let again = Capsule::parse("the capsule", &small.to_json()).unwrap();
    assert_eq!(again.scenario.known.system, "abd-register");
    assert_eq!(
        again.run(RunOptions::default()).digest.to_string(),
        small.outcome.digest
    );
}

#[test]
fn a_setting_is_read_with_its_bounds_and_its_place() {
    let refused = |text: &str| {
        let text = format!("schema = \"squall-scenario/1\"\nname = \"mine\"\n{text}\n");
        scenario::parse("mine.toml", &text, &[], &info().known)
            .unwrap_err()
            .to_string()
    };
    let slow = refused("[system]\nfast_reeds = true");
    assert!(
        slow.contains("mine.toml:4:1") && slow.contains("did you mean `fast_reads`?"),
        "{slow}"
    );
    assert!(refused("[system]\nfast_reads = 3").contains("mine.toml:4:14"));
    assert!(refused("[system]\nname = \"raft\"").contains("this program has no system \"raft\""));
    assert!(refused("[workload]\nmodel = \"bank\"").contains("possible are register"));
    let storm = storm();
    assert_eq!(
        scenario::parse("again", &storm.to_toml(), &[], &info().known).unwrap(),
        storm
    );
}

#[test]
fn a_mutant_fails_a_property_test_and_is_kept() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("capsules");
    let _ = std::fs::remove_dir_all(&folder);
    let check = Check::new(AbdRegister, env!("CARGO_MANIFEST_DIR"), "tests/storm.toml");
    let check = check.with_bug("read-without-write-back").keeping_in(&folder);
    let failure = squall::check_seeds!(check, 64).unwrap_err();
    assert!(failure.contains("linearizable/register"), "{failure}");
    assert!(check.kept().unwrap_err().contains("kept from before"));
}
