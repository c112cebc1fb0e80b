//! The search: what comes of it fails as before, is smaller, and is the same on every machine.

use super::*;
use crate::raft_kv::find;
use crate::scenario::parse;

fn failing(name: &str, seed: u64, bug: &str) -> Capsule {
    let scenario =
        parse(name, find(name).unwrap().text, &[], &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    let capsule = Capsule::of_seed(name, &scenario, seed, Some(crate::raft_kv::bug(bug).unwrap()));
    let capsule = capsule.unwrap_or_else(|error| panic!("{error}"));
    assert!(capsule.signature().is_some(), "{name} {seed} passes with {bug}");
    capsule
}

fn shrunk(capsule: &Capsule, jobs: usize, attempts: u64) -> Shrunk {
    let options = Options {
        jobs,
        time: None,
        attempts,
    };
    shrink(capsule, &options, &AtomicBool::new(false), &mut ()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_stale_read_comes_down_to_a_few_operations() {
    let capsule = failing("lossy-network", 0, "A1");
    let shrunk = shrunk(&capsule, 2, 1_500);
    assert_eq!(shrunk.capsule.signature(), capsule.signature());
    let (before, after) = (shrunk.before, shrunk.after);
    assert!(
        after.events < before.events && after.decisions * 4 < before.decisions,
        "{before:?} {after:?}"
    );
    assert!(after.operations <= 3 && after.faults == 0, "{after:?}");
    let again = Capsule::parse("shrunk", &shrunk.capsule.to_json()).unwrap();
    assert_eq!(again, shrunk.capsule, "what was shrunk is a capsule like any other");
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let capsule = failing("slow-links", 0, "Q1");
    let (one, three) = (shrunk(&capsule, 1, 60), shrunk(&capsule, 3, 60));
    assert_eq!((one.attempts, &one.capsule), (three.attempts, &three.capsule));
}

#[test]
fn what_passes_or_has_become_stale_is_not_shrunk() {
    let mut capsule = failing("slow-links", 0, "Q1");
    let try_it = |capsule: &Capsule| {
        let options = Options {
            jobs: 1,
            time: None,
            attempts: 5,
        };
        shrink(capsule, &options, &AtomicBool::new(false), &mut ()).map(|shrunk| shrunk.after)
    };
    capsule.outcome.signature = Some("linearizable/kv".to_owned());
    assert!(matches!(try_it(&capsule), Err(ShrinkError::Stale { .. })));
    capsule.outcome.signature = None;
    assert_eq!(try_it(&capsule), Err(ShrinkError::Passes));
}

#[test]
fn a_node_that_goes_takes_what_is_about_it_along_and_the_others_close_up() {
    use simulator::{FaultAction, NodeId, Target};
    let mut capsule = failing("slow-links", 0, "Q1");
    let strike = |target: u16| crate::capsule::Strike {
        at: simulator::Time(5),
        after: 0,
        action: FaultAction::Crash {
            target: Target::Node(NodeId(target)),
            restart_after: None,
        },
    };
    capsule.course.faults = vec![strike(1), strike(2)];
    let without = change::without_node(&capsule, 1).unwrap();
    assert_eq!(without.course.faults, [strike(1)]);
    let nodes = capsule.scenario.cluster.nodes.largest();
    assert_eq!(without.scenario.cluster.nodes.options(), [nodes - 1]);
    let last = format!("n{}", nodes - 1);
    let names = without.course.decisions.iter().map(|(subject, ..)| subject.to_string());
    assert!(names.into_iter().all(|name| !name.contains(&last)));
}

#[test]
fn a_crash_that_waited_for_a_situation_still_strikes_when_nearly_all_before_it_is_gone() {
    // Between the writes of a vote and its term: at a fixed time it misses them as soon as anything is cut.
    let capsule = failing("transfer-cut", 0, "E2");
    let shrunk = shrunk(&capsule, 2, 1_000);
    let (before, after) = (shrunk.before, shrunk.after);
    assert!(
        after.events * 20 < before.events && after.faults <= 3,
        "{before:?} {after:?}"
    );
    let is_at_disk =
        |strike: &crate::capsule::Strike| matches!(strike.action, simulator::FaultAction::CrashAtDisk { .. });
    assert!(shrunk.capsule.course.faults.iter().any(is_at_disk));
}

#[test]
fn one_client_takes_over_the_work_of_another_in_the_order_of_its_time() {
    let mut capsule = failing("slow-links", 0, "Q1");
    capsule.scenario.workload.clients = crate::scenario::Choice::one(2);
    let task = |pause: u64, value: &str| crate::workloads::tasks::Task {
        pause: simulator::Duration(pause),
        operation: crate::operation::Operation::Write {
            key: 0,
            value: value.into(),
        },
    };
    let tasks = |tasks: Vec<_>| crate::workloads::tasks::Tasks {
        tasks,
        rest: simulator::Duration::ZERO,
    };
    capsule.course.clients = vec![
        tasks(vec![task(10, "a"), task(30, "d")]),
        tasks(vec![task(20, "b"), task(5, "c")]),
    ];
    let merged = &change::merged_clients(&capsule)[0];
    assert_eq!(merged.size().clients, 1);
    let all = vec![task(10, "a"), task(10, "b"), task(5, "c"), task(15, "d")];
    assert_eq!(merged.course.clients, [tasks(all)]);
}

#[test]
fn settings_that_are_tried_are_ones_that_a_file_may_have() {
    let capsule = failing("stale-node", 0, "S1");
    let tried = [settings::sooner_snapshots, settings::quieter, settings::plainer].map(|of| of(&capsule));
    assert!(tried.iter().all(|some| !some.is_empty()));
    for candidate in tried.iter().flatten() {
        let text = candidate.scenario.to_toml();
        let read = parse("candidate", &text, &[], &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, candidate.scenario);
    }
}
