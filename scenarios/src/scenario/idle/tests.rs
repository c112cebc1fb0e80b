//! What is on and can have no effect is named with its place; what can have one is not.

use super::*;
use crate::scenario::parse;

fn idle_in(text: &str) -> Vec<(String, String)> {
    let text = format!("schema = \"squall-scenario/1\"\nname = \"idle\"\n{text}");
    let scenario = parse("idle.toml", &text, &[], &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
    let of = |idle: Idle| (idle.path, idle.why);
    idle(&scenario).into_iter().map(of).collect()
}

fn paths(text: &str) -> Vec<String> {
    idle_in(text).into_iter().map(|(path, _)| path).collect()
}

const CRASH: &str = "[[fault]]\nkind = \"crash\"\nevery = \"1s\"\nfor = \"1s\"\n";

#[test]
fn unsynced_writes_suffer_only_where_something_crashes_or_a_sync_fails() {
    assert_eq!(
        paths("[disk]\ntorn = \"20%\"\nreorder = \"5%\"\n"),
        ["disk.torn", "disk.reorder"]
    );
    assert_eq!(paths(&format!("[disk]\ntorn = \"20%\"\n{CRASH}")), [""; 0]);
    assert_eq!(paths("[disk]\ntorn = \"20%\"\nerror = \"1%\"\n"), [""; 0]);
    assert_eq!(
        paths("[disk]\ntorn = \"0%\"\n"),
        [""; 0],
        "a rate of zero is simply off"
    );
}

#[test]
fn a_fault_that_waits_for_what_never_comes_is_named() {
    let waits = |situation: &str, more: &str| {
        paths(&format!(
            "{more}[[fault]]\nkind = \"pause\"\nfor = \"1s\"\nwhen = \"{situation}\"\n"
        ))
    };
    assert_eq!(waits("joint-leader-crashed", ""), ["fault.0.when"]);
    assert_eq!(waits("joint-configuration", ""), ["fault.0.when"]);
    assert_eq!(waits("joint-configuration", "[operator]\n"), [""; 0]);
    assert_eq!(waits("lease-held", ""), ["fault.0.when"]);
    assert_eq!(waits("lease-held", "[cluster]\nlease = [\"off\", \"5%\"]\n"), [""; 0]);
    assert_eq!(waits("snapshot-installed", ""), ["fault.0.when"]);
    assert_eq!(waits("leader-isolated", ""), ["fault.0.when"]);
    assert_eq!(waits("leader-elected", ""), [""; 0]);
    let off = "[[fault]]\nkind = \"pause\"\nfor = \"1s\"\nwhen = \"lease-held\"\nfires = \"off\"\n";
    assert_eq!(paths(off), [""; 0], "nothing is expected of it");
}

#[test]
fn a_fault_that_finds_nothing_to_strike_is_named() {
    let one = |kind: &str| paths(&format!("[cluster]\nnodes = 1\n[[fault]]\nevery = \"1s\"\n{kind}"));
    assert_eq!(one("kind = \"partition\"\nfor = \"1s\"\n"), ["fault.0.split"]);
    assert_eq!(one("kind = \"partition\"\nfor = \"1s\"\nclients = true\n"), [""; 0]);
    assert_eq!(one("kind = \"isolate\"\nfor = \"1s\"\n"), ["fault.0.keeps"]);
    assert_eq!(one("kind = \"one-way\"\nfor = \"1s\"\n"), ["fault.0"]);
    assert_eq!(one("kind = \"clog-link\"\nfor = \"1s\"\n"), ["fault.0"]);
    assert_eq!(one("kind = \"disk-rot\"\n"), ["fault.0"]);
    let three = |kind: &str| paths(&format!("[[fault]]\nevery = \"1s\"\nfor = \"1s\"\n{kind}"));
    assert_eq!(three("kind = \"partition\"\nsplit = \"ring\"\n"), ["fault.0.split"]);
    assert_eq!(three("kind = \"isolate\"\nkeeps = 2\n"), ["fault.0.keeps"]);
    assert_eq!(
        three("kind = \"hold\"\nmessage = \"install-snapshot\"\n"),
        ["fault.0.message"]
    );
    assert_eq!(three("kind = \"hold\"\nmessage = \"append-entries\"\n"), [""; 0]);
    assert_eq!(three("kind = \"disk-lie\"\n"), ["fault.0"]);
}

#[test]
fn an_expectation_of_what_is_off_is_named() {
    let found = idle_in("[expect]\nfired = [\"pause\"]\nreach = [\"lease-held\", \"leader-elected\"]\n");
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["expect.fired", "expect.reach"]);
    assert!(found[0].1.contains("`pause`"), "{found:?}");
}

#[test]
fn nothing_is_idle_in_the_built_in_scenarios() {
    for builtin in crate::raft_kv::builtin() {
        let scenario = parse(builtin.name, builtin.text, &[], &crate::raft_kv::known()).unwrap();
        assert_eq!(idle(&scenario), [], "{}", builtin.name);
    }
}

#[test]
fn what_is_idle_is_shown_in_its_place() {
    let text = "schema = \"squall-scenario/1\"\nname = \"idle\"\n[disk]\ntorn = \"20%\"\n";
    let scenario = parse("idle.toml", text, &[], &crate::raft_kv::known()).unwrap();
    let shown = idle(&scenario)[0].located("idle.toml", text, &[]).to_string();
    assert!(
        shown.starts_with("idle.toml:4:8: `disk.torn` can have no effect: "),
        "{shown}"
    );
}
