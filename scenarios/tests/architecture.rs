//! The direction of the dependencies: three pillars that know nothing of each other, and one crate that knows all three.

use serde_json::Value;
use std::process::Command;

/// The names that a workspace member depends on, development dependencies included.
fn dependencies(metadata: &Value, member: &str) -> Vec<(String, bool)> {
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages
        .iter()
        .find(|package| package["name"] == member)
        .expect("a member of the workspace");
    let entries = package["dependencies"].as_array().expect("dependencies");
    let name = |entry: &Value| entry["name"].as_str().expect("a name").to_owned();
    let needed = |entry: &Value| entry["kind"].is_null() && entry["optional"] == false;
    entries.iter().map(|entry| (name(entry), needed(entry))).collect()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

#[test]
fn the_pillars_do_not_depend_on_each_other() {
    const MEMBERS: [&str; 4] = ["raft-core", "simulator", "checker", "scenarios"];
    let metadata = metadata();
    for pillar in &MEMBERS[..3] {
        for (dependency, _) in dependencies(&metadata, pillar) {
            assert!(
                !MEMBERS.contains(&dependency.as_str()),
                "{pillar} must not depend on {dependency}"
            );
        }
    }
    let of_scenarios = dependencies(&metadata, "scenarios");
    let all = MEMBERS[..3]
        .iter()
        .all(|pillar| of_scenarios.iter().any(|(name, _)| name == pillar));
    assert!(all, "scenarios stands on all three pillars");
}

#[test]
fn the_core_needs_nothing() {
    let needed: Vec<_> = dependencies(&metadata(), "raft-core")
        .into_iter()
        .filter(|(_, needed)| *needed)
        .collect();
    assert_eq!(needed, [], "raft-core has no dependency that is not optional");
}
