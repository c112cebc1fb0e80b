//! The direction of the dependencies: three pillars that know nothing of each other, an engine on two of them that knows no system, and
//! systems that do not know each other.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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
    const MEMBERS: [&str; 4] = ["raft-core", "simulator", "checker", "squall"];
    let metadata = metadata();
    for pillar in &MEMBERS[..3] {
        for (dependency, _) in dependencies(&metadata, pillar) {
            assert!(
                !MEMBERS.contains(&dependency.as_str()),
                "{pillar} must not depend on {dependency}"
            );
        }
    }
    let of_engine: Vec<String> = needed(&metadata, "squall");
    for pillar in ["simulator", "checker"] {
        assert!(
            of_engine.iter().any(|name| name == pillar),
            "the engine stands on {pillar}"
        );
    }
}

/// What a member needs to be built, its own tests apart.
fn needed(metadata: &Value, member: &str) -> Vec<String> {
    let dependencies = dependencies(metadata, member).into_iter();
    dependencies
        .filter(|(_, needed)| *needed)
        .map(|(name, _)| name)
        .collect()
}

/// The packages under `systems/`.
fn systems(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let is_system = |package: &&Value| {
        package["manifest_path"]
            .as_str()
            .is_some_and(|path| path.contains("/systems/"))
    };
    packages
        .filter(is_system)
        .map(|package| package["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn the_engine_knows_no_system_and_no_system_knows_another() {
    let metadata = metadata();
    let systems = systems(&metadata);
    assert!(systems.contains(&"raft-kv".to_owned()), "{systems:?}");
    for member in systems
        .iter()
        .map(String::as_str)
        .chain(["squall", "simulator", "checker", "raft-core"])
    {
        for dependency in needed(&metadata, member) {
            assert!(
                !systems.contains(&dependency),
                "{member} must not depend on the system {dependency}"
            );
            let is_core = dependency == "raft-core";
            assert!(
                !is_core || member == "raft-kv",
                "{member} must not depend on a consensus core"
            );
        }
    }
}

/// A system's crate, its types and its words have no place in the engine: only in what is compiled for its tests.
#[test]
fn the_sources_of_the_engine_name_no_system() {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).expect("a source");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let names = ["raft_core", "raft_kv", "KvNode", "systems::"];
                found.extend(
                    names
                        .iter()
                        .filter(|name| code.contains(*name))
                        .map(|name| format!("{}: {name}", path.display())),
                );
            }
        }
    }
    let mut found = Vec::new();
    walk(
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/src")),
        &mut found,
    );
    found.retain(|found| !found.contains("/tests/"));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_core_needs_nothing() {
    let needed: Vec<_> = dependencies(&metadata(), "raft-core")
        .into_iter()
        .filter(|(_, needed)| *needed)
        .collect();
    assert_eq!(needed, [], "raft-core has no dependency that is not optional");
}

/// What each module of the engine uses of the others, apart from its tests.
fn uses(folder: &std::path::Path, top: Option<&str>, graph: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if ["tests", "lib", "prelude"].contains(&&*stem) {
            continue;
        }
        let module = top.unwrap_or(&stem).to_owned();
        if path.is_dir() {
            uses(&path, Some(&module), graph);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
            for line in lines.filter(|line| line.contains("crate::")) {
                let names = line.split("crate::").skip(1);
                let name = |rest: &str| -> String {
                    rest.chars()
                        .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                        .collect()
                };
                graph
                    .entry(module.clone())
                    .or_default()
                    .extend(names.map(name).filter(|name| *name != module));
            }
        }
    }
}

/// One direction: no module of the engine uses one that uses it.
#[test]
fn the_modules_of_the_engine_go_in_no_circle() {
    let mut graph = BTreeMap::new();
    let sources = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/src"));
    uses(sources, None, &mut graph);
    assert!(graph.len() > 20 && graph["run"].contains("setup"), "{graph:?}");
    // Takes away what uses nothing that is left, until nothing goes.
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        graph.retain(|_, used| used.iter().any(|name| left.contains(name)));
        if graph.len() == left.len() {
            break;
        }
    }
    // What is left is in circles, or uses what is.
    assert_eq!(graph.keys().collect::<Vec<_>>(), Vec::<&String>::new());
}
