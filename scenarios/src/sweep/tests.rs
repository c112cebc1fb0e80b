use super::*;
use crate::raft_kv::find;
use crate::scenario::parse;
use proptest::prelude::*;
use simulator::{TraceEvent, TraceSink};

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
    fn found(&mut self, _: &Group) {}
}

fn calm() -> Scenario {
    let short = [("time.chaos".to_owned(), "200ms".to_owned())];
    parse("calm", find("calm").unwrap().text, &short, &crate::raft_kv::known()).unwrap()
}

fn plan(scenarios: &[Scenario], seeds: Seeds) -> Sweep<'_> {
    Sweep {
        scenarios,
        seeds,
        bug: None,
        jobs: 1,
        time: None,
        max_fail: 1,
        verify_every: 0,
        isolation: None,
    }
}

fn outcome(signature: Option<&str>) -> Outcome {
    let failure = signature.map(|place| Failure::new(FailureKind::Safety, "p", place, String::new()));
    let tally = Tally {
        runs: 1,
        failed: u64::from(failure.is_some()),
        ..Tally::default()
    };
    Outcome { tally, failure }
}

#[test]
fn jobs_go_seed_by_seed_through_all_scenarios() {
    let jobs: Vec<_> = (0..5).map(|index| split(index, 2)).collect();
    assert_eq!(jobs, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]);
    assert_eq!(
        Seeds::Range {
            first: u64::MAX,
            count: 2
        }
        .at(1),
        0
    );
}

#[test]
fn a_sample_is_run_twice_and_every_run_is_counted() {
    let scenarios = [calm(), calm()];
    let seeds = Seeds::Range { first: 7, count: 5 };
    let report = sweep(
        &Sweep {
            verify_every: 2,
            ..plan(&scenarios, seeds)
        },
        &AtomicBool::new(false),
        &mut Silent,
    );
    assert!(report.groups.is_empty(), "{:?}", report.groups);
    let counts = |tally: &Tally| (tally.runs, tally.verified, tally.failed);
    assert_eq!(
        report.scenarios.iter().map(counts).collect::<Vec<_>>(),
        [(5, 3, 0), (5, 3, 0)]
    );
    assert!(!report.stopped_early && !report.interrupted);
}

#[test]
fn an_interrupted_sweep_and_one_without_time_start_nothing() {
    let scenarios = [calm()];
    let seeds = Seeds::Range { first: 0, count: 1000 };
    let report = sweep(&plan(&scenarios, seeds.clone()), &AtomicBool::new(true), &mut Silent);
    assert!(report.interrupted && report.scenarios[0].runs == 0);
    let no_time = Sweep {
        time: Some(Duration::ZERO),
        ..plan(&scenarios, seeds)
    };
    let report = sweep(&no_time, &AtomicBool::new(false), &mut Silent);
    assert!(!report.interrupted && report.scenarios[0].runs == 0);
}

#[test]
fn a_panic_in_a_run_is_its_failure() {
    let mut broken = calm();
    // No scenario file can say this: the core refuses it with an assertion.
    broken.cluster.heartbeat_ns = 2 * broken.cluster.election.max_ns;
    let scenarios = [broken];
    let report = sweep(
        &plan(&scenarios, Seeds::List(vec![3])),
        &AtomicBool::new(false),
        &mut Silent,
    );
    assert_eq!((report.gravest(), report.groups.len()), (Some(FailureKind::Panic), 1));
    assert!(
        report.groups[0].failure.signature.starts_with("panic/"),
        "{:?}",
        report.groups[0].failure
    );
}

#[test]
fn two_runs_that_differ_are_a_failure_of_their_own() {
    let scenario = calm();
    let run = |seed| attempt(&scenario, seed, RunOptions::default());
    assert_eq!(difference(&scenario, 1, None, &run(1), &run(1)), None);
    let failure = difference(&scenario, 1, None, &run(1), &run(2)).unwrap();
    assert_eq!(
        (failure.kind, failure.signature.as_str()),
        (FailureKind::NonDeterminism, "non-determinism/digest")
    );
    assert!(failure.details.contains("not known"), "{}", failure.details);
}

/// Carries out a run of `calm`, which tells its trace to a sink.
fn tell(sink: Box<dyn TraceSink>) {
    attempt_recorded(&calm(), 1, RunOptions::default(), Some(sink));
}

#[test]
fn two_runs_of_one_seed_part_nowhere_and_others_at_an_event_that_is_named() {
    assert_eq!(parting::of_runs(tell, tell), None);
    let other = |sink| {
        attempt_recorded(&calm(), 2, RunOptions::default(), Some(sink));
    };
    let place = parting::of_runs(tell, other).unwrap();
    assert!(place.starts_with("after ") && place.lines().count() == 3, "{place}");
}

#[test]
fn a_run_parts_from_a_trace_at_the_first_event_that_differs() {
    let options = RunOptions {
        trace: true,
        ..RunOptions::default()
    };
    let trace = attempt(&calm(), 1, options).trace;
    let against = |trace: &[TraceEvent]| {
        let lines = trace.iter().map(|event| serde_json::to_string(event).unwrap());
        let mut lines = lines.collect::<Vec<_>>().into_iter();
        parting::of_run(move || lines.next(), tell)
    };
    assert_eq!(against(&trace), None);
    let mut bent = trace.clone();
    bent[9].t += 1;
    bent[20].t += 1;
    let place = against(&bent).unwrap();
    assert!(place.starts_with("after 9 equal events:\n  {"), "{place}");
    let place = against(&trace[..5]).unwrap();
    assert!(
        place.starts_with("after 5 equal events:\n  (the trace ends)\n  {"),
        "{place}"
    );
    let mut longer = trace.clone();
    longer.push(trace[0].clone());
    let place = against(&longer).unwrap();
    assert!(place.ends_with("\n  (the trace ends)"), "{place}");
}

#[test]
fn failures_are_grouped_and_the_lowest_seed_stands_for_its_group() {
    let scenarios = [calm()];
    let sweep = Sweep {
        max_fail: 0,
        ..plan(&scenarios, Seeds::Range { first: 100, count: 9 })
    };
    let mut fold = Fold::new(&sweep, Begun::new(sweep.scenarios.len()));
    for (index, place) in [(3, Some("a")), (1, Some("b")), (0, None), (2, Some("a"))] {
        fold.early.insert(index, outcome(place));
        fold.take_those_in_turn(&mut Silent);
    }
    let groups: Vec<_> = fold
        .groups
        .iter()
        .map(|group| (&*group.failure.signature, group.count, group.seed))
        .collect();
    assert_eq!(groups, [("p/b", 1, Some(101)), ("p/a", 2, Some(102))]);
}

proptest! {
    /// Whatever the order in which the outcomes come in, the fold is the same, early end included.
    #[test]
    fn the_fold_does_not_depend_on_the_order_of_arrival(
        fails in prop::collection::vec(prop::option::weighted(0.2, 0_u8..4), 1..40),
        order in any::<prop::sample::Index>(),
        stride in 1_usize..40,
        max_fail in 0_usize..4,
    ) {
        let scenarios = [calm()];
        let sweep = Sweep { max_fail, ..plan(&scenarios, Seeds::Range { first: 0, count: 40 }) };
        let folded = |indices: &[usize]| {
            let mut fold = Fold::new(&sweep, Begun::new(sweep.scenarios.len()));
            for &index in indices {
                fold.early.insert(index as u64, outcome(fails[index].map(|place| place.to_string()).as_deref()));
                fold.take_those_in_turn(&mut Silent);
            }
            let groups: Vec<_> = fold.groups.iter().map(|group| (group.failure.clone(), group.count, group.seed)).collect();
            (groups, fold.tallies[0].runs, fold.failed, fold.is_over)
        };
        let in_turn: Vec<usize> = (0..fails.len()).collect();
        let mut shuffled = in_turn.clone();
        shuffled.rotate_left(order.index(fails.len()));
        shuffled.sort_by_key(|index| (index * stride) % fails.len());
        prop_assert_eq!(folded(&in_turn), folded(&shuffled));
    }
}
