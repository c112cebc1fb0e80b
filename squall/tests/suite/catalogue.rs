//! What the built-in scenarios show together.

use raft_kv::builtin;
use simulator::FaultClass;
use squall::scenario::parse;

#[test]
fn every_class_of_faults_must_fire_in_some_scenario() {
    let mut fired: Vec<String> = Vec::new();
    for builtin in builtin() {
        let scenario = parse(builtin.name, builtin.text, &[], &raft_kv::known()).unwrap();
        fired.extend(
            scenario
                .expect
                .fired
                .into_iter()
                .flatten()
                .map(|expected| expected.name),
        );
    }
    let forgotten = FaultClass::ALL.iter().map(|class| class.name());
    let forgotten: Vec<&str> = forgotten
        .filter(|name| !fired.iter().any(|fired| fired == name))
        .collect();
    assert!(
        forgotten.is_empty(),
        "in no scenario's `[expect] fired`, so that nobody would notice if they did nothing: {forgotten:?}"
    );
}

#[test]
fn there_are_thirty_scenarios_or_more() {
    assert!(builtin().len() >= 30, "{}", builtin().len());
}
