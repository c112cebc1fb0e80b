//! What a harness must not say: that a healthy cluster does not recover, that a fault which never struck was survived, that the
//! code under test panicked when the harness did. Small inputs that once made it say so; some more lie beside the workspace.

use raft_kv::find;
use squall::expectation::coverage;
use squall::run::{RunOptions, RunReport, run};
use squall::scenario::{Scenario, idle, parse};
use squall::sweep::{Group, Observer, Progress, Seeds, Sweep, SweepReport, sweep};
use squall::verdict::FailureKind;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
    fn found(&mut self, _: &Group) {}
}

fn swept(scenario: &Scenario, count: u64) -> SweepReport {
    let plan = Sweep {
        scenarios: std::slice::from_ref(scenario),
        seeds: Seeds::Range { first: 0, count },
        bug: None,
        jobs: 2,
        time: None,
        max_fail: 0,
        verify_every: 0,
        isolation: None,
    };
    sweep(&plan, &AtomicBool::new(false), &mut Silent)
}

fn signatures(report: &SweepReport) -> Vec<&str> {
    report
        .groups
        .iter()
        .map(|group| group.failure.signature.as_str())
        .collect()
}

/// A scenario that lies beside the workspace; none if it does not.
fn case(file: &str) -> Option<Scenario> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/cases")).join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return None;
    };
    Some(parse(file, &text, &[], &raft_kv::known()).unwrap_or_else(|error| panic!("{error}")))
}

fn changed(name: &str, settings: &[(&str, &str)]) -> Scenario {
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let of = find(name).unwrap_or_else(|error| panic!("{error}"));
    parse(name, of.text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"))
}

fn passes(scenario: &Scenario, seeds: u64) {
    for seed in 0..seeds {
        let report = run(scenario, seed, RunOptions::default());
        let failure = report
            .failure
            .as_ref()
            .map(|failure| (&failure.signature, &failure.message));
        assert_eq!(failure, None, "{} seed {seed}", scenario.name);
    }
}

#[test]
fn a_fault_that_waits_for_what_never_comes_fails_a_sweep() {
    if let Some(scenario) = case("30-fault-never-fires.toml") {
        let report = swept(&scenario, 30);
        assert_eq!(signatures(&report), ["fault-never-fired/fault-0"]);
        assert_eq!(report.gravest(), Some(FailureKind::Inconclusive));
        let message = &report.groups[0].failure.message;
        assert!(
            message.contains("joint-leader-crashed") && message.contains("[operator]"),
            "{message}"
        );
    }
}

#[test]
fn a_fault_whose_situation_may_come_and_does_not_is_noticed_by_its_rate() {
    // One node never finds another candidate.
    let text = "schema = \"squall-scenario/1\"\nname = \"alone\"\n[cluster]\nnodes = 1\n[time]\nchaos = \"500ms\"\n\
                [[fault]]\nkind = \"pause\"\nwhen = \"two-candidates\"\nfor = \"10ms\"\nfires = \"1/2\"\n";
    let alone = parse("alone", text, &[], &raft_kv::known()).unwrap();
    assert_eq!(idle(&alone), []);
    let few = swept(&alone, 19);
    assert_eq!(
        (signatures(&few), few.thin[0].len(), few.thin[0][0].enough),
        (vec![], 1, 20)
    );
    assert_eq!(signatures(&swept(&alone, 20)), ["fault-never-fired/fault-0-pause"]);
}

#[test]
fn few_runs_of_a_scenario_pass_with_a_note_instead_of_failing_by_chance() {
    let swarm = changed("swarm", &[("time.chaos", "1s")]);
    let report = swept(&swarm, 8);
    assert_eq!(signatures(&report), [""; 0]);
    assert!(
        !report.thin[0].is_empty(),
        "eight runs do not show all that a swarm has"
    );
}

#[test]
fn a_class_of_faults_that_has_died_is_noticed_within_a_hundred_runs() {
    let crashes = changed("crash-loop", &[]);
    let mut report = swept(&crashes, 3);
    let tally = &mut report.scenarios[0];
    tally.runs = 100;
    assert!(coverage(&crashes, tally).findings.is_empty());
    tally.exposure = simulator::Exposure::default();
    let found = coverage(&crashes, tally).findings;
    assert!(
        found
            .iter()
            .any(|finding| finding.signature == "fault-never-fired/crash-loop"),
        "{found:?}"
    );
}

#[test]
fn clients_that_are_quicker_than_their_answers_recover() {
    if let Some(scenario) = case("54-false-liveness-short-timeouts.toml") {
        passes(&scenario, 10);
    }
    let hasty = [
        ("workload.timeout", "4ms"),
        ("workload.clients", "20"),
        ("time.chaos", "2s"),
        ("network.client_latency", "5ms..20ms"),
    ];
    passes(&changed("calm", &hasty), 5);
}

#[test]
fn a_client_that_waits_long_for_nodes_that_are_no_members_recovers() {
    if let Some(scenario) = case("55-false-liveness-sticky-operator.toml") {
        passes(&scenario, 10);
    }
}

#[test]
fn many_keys_high_latency_and_slow_syncs_recover() {
    passes(&changed("calm", &[("workload.keys", "512"), ("time.chaos", "2s")]), 2);
    passes(
        &changed("calm", &[("network.latency", "50ms"), ("time.chaos", "2s")]),
        8,
    );
    passes(
        &changed("calm", &[("disk.sync", "20ms..60ms"), ("time.chaos", "2s")]),
        4,
    );
    passes(&changed("orders-transitions", &[("time.chaos", "40s")]), 1);
}

#[test]
fn clients_that_ask_for_more_than_the_log_can_take_are_served_in_the_end() {
    // One entry under way at a time, 80 ms each, and twenty clients who ask again every 250 ms.
    let narrow = [
        ("cluster.nodes", "3"),
        ("cluster.max_inflight", "1"),
        ("cluster.max_entries_per_append", "1"),
        ("network.latency", "30ms..50ms"),
        ("workload.clients", "20"),
        ("workload.keys", "100"),
        ("workload.think", "0ms"),
        ("time.chaos", "3s"),
    ];
    passes(&changed("calm", &narrow), 2);
}

#[test]
fn an_override_of_a_swarm_fits_whatever_its_seeds_draw() {
    let gusts = changed("gusts", &[("cluster.pre_vote", "true")]);
    passes(&gusts, 10);
}

#[test]
fn what_no_cluster_could_keep_is_refused_when_it_is_read() {
    let refused = |settings: &[(&str, &str)]| {
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let calm = find("calm").unwrap();
        parse("calm", calm.text, &settings, &raft_kv::known()).map_err(|error| error.to_string())
    };
    let says = |settings: &[(&str, &str)], words: &str| {
        let error = refused(settings).expect_err("no cluster could");
        assert!(error.contains(words), "{error}");
    };
    says(&[("network.latency", "200ms")], "no election can end");
    says(&[("disk.sync", "1s")], "no election can end");
    says(&[("time.settle", "300ms")], "one election and one operation may take");
    says(&[("recovery.elect", "1")], "`recovery.elect` is 1 election timeouts");
    says(&[("recovery.serve", "1")], "`recovery.serve` is 1 election timeouts");
    let slow = [("network.latency", "200ms"), ("cluster.election", "2s..4s")];
    says(&slow, "one election and one operation may take");
    let patient = [&slow[..], &[("time.settle", "20s")]].concat();
    assert!(refused(&patient).is_ok());
}

#[test]
fn a_flood_of_old_answers_neither_panics_nor_starves_a_client() {
    let flooded = |scenario: &Scenario| -> RunReport {
        let report = run(scenario, 1, RunOptions::default());
        assert_eq!(report.failure, None);
        assert!(report.operations > 0);
        report
    };
    if let Some(scenario) = case("56-panic-redirect-counter.toml") {
        let mut short = scenario;
        short.time.chaos_ns = 3_000_000_000;
        flooded(&short);
    }
}

#[test]
fn holds_that_follow_one_another_cost_no_more_for_each_message() {
    if let Some(scenario) = case("57-slow-swizzle-clog.toml") {
        passes(&scenario, 1);
    }
}
