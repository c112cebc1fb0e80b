//! Crashes at disk operations, crash loops, wiped disks, upgrades, frozen clocks and slow state machines: each happens to the service
//! when it is on and not when it is off, and costs no promise.

use simulator::FaultClass;
use squall::run::{RunOptions, RunReport, run};
use squall::scenario;

/// The first runs of a built-in scenario with some settings changed.
fn runs(name: &str, settings: &[(&str, &str)], seeds: u64) -> Vec<RunReport> {
    let text = raft_kv::find(name).unwrap_or_else(|error| panic!("{error}")).text;
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let scenario = scenario::parse(name, text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    let options = RunOptions {
        trace: true,
        ..RunOptions::default()
    };
    (0..seeds).map(|seed| run(&scenario, seed, options)).collect()
}

/// Runs of the quietest scenario, with more text at its end.
fn calm_with(text: &str, seeds: u64) -> Vec<RunReport> {
    let text = format!("{}\n{text}\n", raft_kv::find("calm").unwrap().text);
    let settings = [("time.chaos".to_owned(), "4s".to_owned())];
    let scenario =
        scenario::parse("calm", &text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    let options = RunOptions {
        trace: true,
        ..RunOptions::default()
    };
    (0..seeds).map(|seed| run(&scenario, seed, options)).collect()
}

fn count(runs: &[RunReport], class: FaultClass) -> u64 {
    runs.iter().map(|run| run.exposure.count(class)).sum()
}

fn all_pass(runs: &[RunReport]) {
    for run in runs {
        assert_eq!(run.failure, None, "seed {}", run.seed);
    }
}

const NEW: [FaultClass; 8] = [
    FaultClass::DiskCrash,
    FaultClass::CutWrite,
    FaultClass::CrashLoop,
    FaultClass::Wipe,
    FaultClass::Upgrade,
    FaultClass::ClockFreeze,
    FaultClass::ClockLeap,
    FaultClass::SlowApply,
];

#[test]
fn none_of_them_happens_where_it_is_off() {
    let runs = runs("storm", &[("time.chaos", "16s")], 2);
    all_pass(&runs);
    for class in NEW {
        assert_eq!(count(&runs, class), 0, "{}", class.name());
    }
    assert!(count(&runs, FaultClass::Crash) > 0);
}

#[test]
fn each_happens_in_its_scenario_and_costs_no_promise() {
    let in_scenario: [(&str, &[FaultClass]); 7] = [
        ("crash-at-disk", &NEW[..2]),
        ("crash-loop", &NEW[2..3]),
        ("wiped-disks", &NEW[3..4]),
        ("replaced-nodes", &NEW[3..4]),
        ("rolling-upgrade", &NEW[4..5]),
        ("frozen-clocks", &NEW[5..7]),
        ("slow-apply", &NEW[7..]),
    ];
    for (name, classes) in in_scenario {
        let runs = runs(name, &[("time.chaos", "9s")], 5);
        all_pass(&runs);
        for class in classes {
            assert!(count(&runs, *class) > 0, "{} in {name}", class.name());
        }
    }
}

#[test]
fn a_node_that_lost_its_disk_is_replaced_and_the_old_one_stays_away() {
    let replaced = "[operator]\nevery = \"100ms..300ms\"\nmix = { transfer = 1 }\nmin_voters = 3\n\
                    [[fault]]\nkind = \"wipe\"\nat = \"1s\"\nfor = \"200ms\"";
    let text = raft_kv::find("calm")
        .unwrap()
        .text
        .replace("[cluster]", "[cluster]\nspares = 1");
    assert!(text.contains("spares"), "the scenario has a section for its cluster");
    let settings = [("time.chaos", "4s"), ("cluster.nodes", "[3, 5]")];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let scenario = scenario::parse("calm", &format!("{text}\n{replaced}\n"), &settings, &raft_kv::known());
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let options = RunOptions {
        trace: true,
        ..RunOptions::default()
    };
    for seed in 0..6 {
        let run = run(&scenario, seed, options);
        assert_eq!(run.failure, None);
        let wiped = run
            .trace
            .iter()
            .find(|event| event.kind == "wiped")
            .and_then(|event| event.node);
        let Some(wiped) = wiped else {
            panic!("seed {seed}: nobody lost a disk")
        };
        let restarts = |event: &&simulator::TraceEvent| event.kind == "restart" && event.node == Some(wiped);
        assert_eq!(
            run.trace.iter().filter(restarts).count(),
            0,
            "seed {seed}: n{wiped} came back"
        );
        let orders = run.trace.iter().filter(|event| event.kind == "order");
        let order = orders.map(|event| event.fields["operation"].to_string());
        let mut changes = order.filter(|order| order.contains("change") || order.contains("Change"));
        // The spare has the number after the founders'.
        let spare = run.draw.nodes.to_string();
        if wiped < run.draw.nodes {
            let change = changes
                .next()
                .unwrap_or_else(|| panic!("seed {seed}: no order replaces n{wiped}"));
            assert!(
                change.contains(&spare) && !change.contains(&wiped.to_string()),
                "{change}"
            );
        }
    }
}

#[test]
fn clients_wait_for_a_slow_state_machine() {
    let longest = |apply: &str| {
        let runs = runs(
            "calm",
            &[("time.chaos", "3s"), ("cluster.apply", apply), ("cluster.nodes", "1")],
            2,
        );
        all_pass(&runs);
        let spans = runs.iter().flat_map(|run| run.history.operations());
        let spans = spans.filter_map(|operation| Some(operation.returned? - operation.call));
        (spans.max().unwrap_or(0), count(&runs, FaultClass::SlowApply))
    };
    let (usual, none) = longest("0ms");
    let (slow, some) = longest("600ms");
    assert!(usual < 500_000_000 && none == 0, "{usual} {none}");
    assert!(slow >= 600_000_000 && some > 0, "{slow} {some}");
}

#[test]
fn an_upgrade_flips_the_settings_it_names() {
    let runs = calm_with(
        "[[fault]]\nkind = \"upgrade\"\nat = \"1s\"\nfor = \"100ms\"\ngap = \"300ms\"\nflips = [\"batches\", \"compression\"]",
        2,
    );
    all_pass(&runs);
    for run in &runs {
        assert_eq!(run.exposure.count(FaultClass::Upgrade), u64::from(run.draw.all_nodes()));
    }
}
