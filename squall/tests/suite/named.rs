//! What a scenario names: nodes that are cut apart, orders at given times, situations that must not be reached, and lists in place
//! of single values.

use raft_kv::find;
use simulator::FaultClass;
use squall::capsule::Capsule;
use squall::run::{RunOptions, RunReport, run};
use squall::scenario::{Scenario, parse};
use squall::situations::Situation;
use squall::sweep::attempt;
use std::path::Path;

fn scenario(more: &str) -> Scenario {
    let text = format!(
        "{}\n{more}",
        find("calm").unwrap_or_else(|error| panic!("{error}")).text
    );
    let settings = [("time.chaos", "4s"), ("cluster.nodes", "3")];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    parse("calm", &text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"))
}

fn traced(scenario: &Scenario, seed: u64) -> RunReport {
    let options = RunOptions {
        trace: true,
        ..RunOptions::default()
    };
    run(scenario, seed, options)
}

/// What the operators asked for, and the answers, in order.
fn orders(report: &RunReport) -> Vec<String> {
    let events = report
        .trace
        .iter()
        .filter(|event| ["order", "ordered"].contains(&event.kind.as_ref()));
    events
        .map(|event| event.fields.values().map(ToString::to_string).collect())
        .collect()
}

#[test]
fn orders_are_given_at_their_times_and_until_they_are_carried_out() {
    let both = "[[operator]]\nat = \"1s\"\nremove = \"n1\"\n[[operator]]\nat = \"1s\"\nremove = \"n2\"\n";
    let report = traced(&scenario(both), 3);
    assert_eq!(report.failure, None);
    let orders = orders(&report);
    assert_eq!(
        orders.len(),
        4,
        "two orders, and both are carried out in the end: {orders:?}"
    );
    assert!(orders[0].contains("leave") && orders[1].contains("leave"), "{orders:?}");
    assert!(
        report.situations.count(Situation::ChangeRefused) > 0,
        "one had to wait for the other"
    );
    let order = report.trace.iter().find(|event| event.kind == "order").unwrap();
    assert_eq!(order.t, 1_000_000_000);
}

#[test]
fn members_come_in_whole_and_leaders_are_named() {
    let text = "[[operator]]\nat = \"1s\"\nmembers = [\"n0\", \"n1\"]\nlearners = [\"n2\"]\n\
                [[operator]]\nat = \"2s\"\nadd = \"n2\"\n\
                [[operator]]\nat = \"3s\"\ntransfer = \"n2\"\n";
    let report = traced(&scenario(text), 5);
    assert_eq!(report.failure, None);
    assert_eq!(orders(&report).len(), 6, "{:?}", orders(&report));
    let leaders = report
        .trace
        .iter()
        .filter(|event| event.t > 3_000_000_000 && event.fields.get("role").is_some_and(|role| role == "leader"));
    assert!(leaders.clone().all(|event| event.node == Some(2)) && leaders.count() > 0);
}

#[test]
fn a_capsule_keeps_orders_at_given_times() {
    let text = "[[operator]]\nat = \"1s\"\nremove = \"n1\"\n[[fault]]\nkind = \"partition\"\nsplit = \"n0 | n1 n2\"\nat = \"500ms\"\nfor = \"1s\"\n";
    let scenario = scenario(text);
    let capsule = Capsule::of_seed("calm", &scenario, 3, None).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(capsule.scenario.orders, scenario.orders);
    let report = attempt(&scenario, 3, RunOptions::default());
    assert_eq!(capsule.signature(), None);
    assert!(report.failure.is_none() && capsule.to_json().contains("[[operator]]"));
}

#[test]
fn named_links_are_cut_in_their_direction() {
    let fault = |links: &str| {
        scenario(&format!(
            "[[fault]]\nkind = \"cut-links\"\nlinks = [{links}]\nat = \"1s\"\nfor = \"1s\"\n"
        ))
    };
    let two_ways = traced(&fault("\"n0-n1\""), 1);
    let one_way = traced(&fault("\"n0>n1\""), 1);
    assert!(two_ways.exposure.count(FaultClass::Partition) > 0);
    assert!(one_way.exposure.count(FaultClass::OneWayPartition) > 0);
    assert_eq!(one_way.exposure.count(FaultClass::Partition), 0);
    let lost = |report: &RunReport| {
        let dropped = report.trace.iter().filter(|event| event.kind == "drop");
        dropped
            .map(|event| format!("{}{}", event.fields["from"], event.fields["to"]))
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(lost(&one_way).into_iter().collect::<Vec<_>>(), ["\"n0\"\"n1\""]);
    assert_eq!(lost(&two_ways).len(), 2);
}

#[test]
fn a_run_breaks_off_where_what_must_not_happen_does() {
    let isolated = "[[fault]]\nkind = \"isolate\"\ntarget = \"leader\"\nat = \"1s\"\nfor = \"2s\"\n";
    let never = |situation: &str| scenario(&format!("{isolated}[expect]\nnever = [\"{situation}\"]\n"));
    let report = traced(&never("leader-deposed"), 1);
    let failure = report.failure.as_ref().expect("the leader loses its office");
    assert_eq!(failure.signature, "must-not-happen/leader-deposed");
    assert_eq!(failure.kind.exit_code(), 100);
    assert_eq!(
        report.situations.count(Situation::LeaderDeposed),
        1,
        "it broke off at once"
    );
    let violation = report
        .trace
        .iter()
        .rev()
        .find(|event| event.kind == "violation")
        .unwrap();
    assert_eq!(Some(violation.t), failure.time);
    let leaders = |from: &str| {
        let never = format!("[expect]\nnever = [\"leader-elected\"]\n{from}");
        traced(&scenario(&never), 1).failure.map(|failure| failure.signature)
    };
    assert_eq!(leaders("").as_deref(), Some("must-not-happen/leader-elected"));
    assert_eq!(leaders("never_from = \"2s\""), None, "what came before does not count");
}

#[test]
fn the_kept_scenarios_that_others_wrote_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    let names = [
        "31-lists",
        "32-named-groups",
        "34-must-not-happen",
        "38-scripted-change",
    ];
    for name in names {
        let Ok(text) = std::fs::read_to_string(folder.join(name).with_extension("toml")) else {
            continue;
        };
        let scenario = parse(name, &text, &[], &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
        for seed in 0..3 {
            assert_eq!(
                attempt(&scenario, seed, RunOptions::default()).failure,
                None,
                "{name}, seed {seed}"
            );
        }
    }
}
