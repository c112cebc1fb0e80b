//! Faults that wait for a situation strike when it is reached, as often as they may, and are in the trace like planned ones.

use raft_kv::find;
use simulator::FaultClass;
use squall::run::{RunOptions, RunReport, run};
use squall::scenario::parse;
use squall::situations::Situation;

/// A run of `calm` with one fault.
fn under(fault: &str, seed: u64) -> RunReport {
    let text = format!("{}\n[[fault]]\n{fault}\n", find("calm").unwrap().text);
    let settings = [("time.chaos".to_owned(), "3s".to_owned())];
    let scenario = parse("calm", &text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    let report = run(
        &scenario,
        seed,
        RunOptions {
            trace: true,
            ..RunOptions::default()
        },
    );
    assert_eq!(report.failure, None);
    report
}

const CRASH: &str =
    "kind = \"crash\"\nwhen = \"leader-has-uncommitted-tail\"\ntarget = \"observed\"\nfor = \"300ms\"\n";

/// True times of the trace's events of this kind.
fn times(report: &RunReport, kind: &str) -> Vec<u64> {
    let of_kind = report.trace.iter().filter(|event| event.kind == kind);
    of_kind.map(|event| event.t).collect()
}

#[test]
fn a_leader_crashes_when_it_has_an_uncommitted_tail_and_as_often_as_the_limit_says() {
    for limit in [1, 3] {
        let report = under(&format!("{CRASH}limit = {limit}"), 7);
        assert_eq!(report.exposure.count(FaultClass::Crash), limit);
        assert_eq!(report.situations.count(Situation::LeaderCrashedWithTail), limit);
        assert_eq!(times(&report, "trigger"), times(&report, "crash"), "at once");
    }
}

#[test]
fn a_trigger_can_wait_and_can_leave_out() {
    let first = |keys: &str| times(&under(&format!("{CRASH}limit = 1\n{keys}"), 7), "crash")[0];
    assert_eq!(first("after = \"100ms\""), first("") + 100_000_000);
    let never = under(&format!("{CRASH}probability = \"1ppm\""), 7);
    assert_eq!(never.exposure.count(FaultClass::Crash), 0);
    assert!(never.situations.count(Situation::TailUncommitted) > 10);
    let without = under("kind = \"crash\"\nat = \"2999ms\"\nfor = \"1s\"", 7);
    assert!(without.situations.count(Situation::TailUncommitted) > 10);
}

#[test]
fn a_cut_that_a_situation_brought_about_is_mended() {
    let report = under(
        "kind = \"partition\"\nwhen = \"vote-granted\"\nfor = \"200ms\"\nlimit = 2",
        3,
    );
    let (cut, mended) = (times(&report, "cut"), times(&report, "mend"));
    assert!(!cut.is_empty());
    let later: Vec<u64> = cut.iter().map(|at| at + 200_000_000).collect();
    assert_eq!(mended, later);
}

#[test]
fn a_triggered_run_is_a_function_of_its_seed() {
    let digest = |seed| under(&format!("{CRASH}probability = \"20%\"\nafter = \"0ms..50ms\""), seed).digest;
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}
