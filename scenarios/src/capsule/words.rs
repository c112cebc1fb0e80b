//! A capsule as other files: a scenario for people to read and vary, and a Rust test.

use super::{Capsule, ends_a_fault};
use crate::run::RunOptions;
use crate::scenario;
use crate::sweep::attempt;
use simulator::{Duration, FaultAction, Target, Time};
use std::fmt::Write;
use std::path::Path;

/// Seeds of a capsule's scenario in which its failure is looked for.
const SEEDS: u64 = 64;

/// The capsule's scenario with its faults as `[[fault]]` sections at their times, where the format can say them; all else stands in
/// comments. Its seeds draw operations and decisions of their own: it is the situation that is kept, not the run. Some of them are
/// tried, and the text says which of them fails in the same way, if one does.
pub fn to_scenario(capsule: &Capsule) -> String {
    let scenario = sections(capsule);
    let bug = capsule.bug.map_or_else(String::new, |bug| format!(" --bug {}", bug.id));
    let tried = match seed_that_fails_so(capsule, &scenario) {
        Some(seed) => format!("# Its seed {seed} fails in the same way: squall run FILE --seed {seed}{bug}"),
        None => {
            format!("# None of its seeds 0..{SEEDS} fails in the same way: it takes the capsule to see the failure.")
        }
    };
    let mut text = format!(
        "# Shrunk from `{}`, seed {}: {}\n# A scenario draws its operations and latencies: see the capsule for the very run.\n{tried}\n",
        capsule.origin.scenario,
        capsule.origin.seed,
        capsule.signature().unwrap_or("pass"),
    );
    if let Some(bug) = capsule.bug {
        let _ = writeln!(text, "# Planted bug: {} ({})", bug.id, bug.name);
    }
    for (client, tasks) in capsule.course.clients.iter().enumerate() {
        for task in &tasks.tasks {
            let operation = serde_json::to_string(&task.operation).expect("operations are JSON");
            let _ = writeln!(text, "# c{client} after {}: {operation}", task.pause);
        }
    }
    for task in capsule.course.orders.iter().flat_map(|orders| &orders.tasks) {
        let operation = serde_json::to_string(&task.operation).expect("operations are JSON");
        let _ = writeln!(text, "# operator after {}: {operation}", task.pause);
    }
    text + &scenario
}

/// The first of some seeds with which a scenario fails as the capsule does.
fn seed_that_fails_so(capsule: &Capsule, text: &str) -> Option<u64> {
    let scenario = scenario::parse("the capsule's scenario", text, &[], &capsule.scenario.known).ok()?;
    let options = RunOptions {
        bug: capsule.bug,
        ..RunOptions::default()
    };
    (0..SEEDS).find(|seed| super::signature(&attempt(&scenario, *seed, options)) == capsule.signature())
}

/// The scenario with its faults.
fn sections(capsule: &Capsule) -> String {
    let mut text = capsule.scenario.to_toml();
    let chaos = capsule.scenario.time.chaos_ns;
    for strike in capsule
        .course
        .faults
        .iter()
        .filter(|strike| !ends_a_fault(&strike.action))
    {
        let lasts = || until_its_end(capsule, &strike.action, strike.at);
        match section(&strike.action, lasts).filter(|_| strike.at.0 < chaos) {
            Some(section) => {
                let _ = write!(text, "\n[[fault]]\n{section}at = \"{}\"\n", Duration(strike.at.0));
            }
            None => {
                let action = serde_json::to_string(&strike.action).expect("actions are JSON");
                let _ = write!(text, "\n# at {}: {action}\n", Duration(strike.at.0));
            }
        }
    }
    text
}

/// The keys of a `[[fault]]` that does this.
fn section(action: &FaultAction, until: impl FnOnce() -> Duration) -> Option<String> {
    let node = |target: &Target| match target {
        Target::Node(node) => Some(format!("target = \"n{}\"\n", node.0)),
        _ => None,
    };
    match action {
        FaultAction::Crash { target, restart_after } => {
            let lasts = restart_after.unwrap_or_else(until);
            Some(format!("kind = \"crash\"\n{}for = \"{lasts}\"\n", node(target)?))
        }
        FaultAction::Pause { target, resume_after } => {
            let lasts = resume_after.unwrap_or_else(until);
            Some(format!("kind = \"pause\"\n{}for = \"{lasts}\"\n", node(target)?))
        }
        FaultAction::Isolate {
            target,
            one_way: simulator::OneWay::None,
            with_clients,
            keeps: 0,
            ..
        } => Some(format!(
            "kind = \"isolate\"\n{}for = \"{}\"\nclients = {with_clients}\n",
            node(target)?,
            until()
        )),
        FaultAction::ClockStep { target, by } if *by >= 0 => Some(format!(
            "kind = \"clock-step\"\n{}by = \"{}\"\n",
            node(target)?,
            Duration(by.unsigned_abs())
        )),
        _ => None,
    }
}

/// How long a fault lasts that something else ends.
fn until_its_end(capsule: &Capsule, action: &FaultAction, at: Time) -> Duration {
    let ends = |other: &FaultAction| match (action, other) {
        (FaultAction::Isolate { id, .. }, FaultAction::Mend { id: ended }) => id == ended,
        (FaultAction::Crash { target, .. }, FaultAction::Restart { node })
        | (FaultAction::Pause { target, .. }, FaultAction::Resume { node }) => *target == Target::Node(*node),
        _ => false,
    };
    let mut later = capsule.course.faults.iter().filter(|strike| strike.at >= at);
    let end = later.find(|strike| ends(&strike.action)).map(|strike| strike.at);
    end.unwrap_or(Time(capsule.scenario.time.chaos_ns)).since(at)
}

/// A test that replays the capsule, to be put beside it.
pub fn to_rust_test(capsule: &Capsule, path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().display().to_string();
    let signature = capsule.signature().unwrap_or("pass");
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    let name: String = signature
        .chars()
        .map(|c| if is_plain(c) { c.to_ascii_lowercase() } else { '_' })
        .collect();
    format!(
        "//! Shrunk from `{}`, seed {}.\n\n\
         use squall::capsule::Capsule;\n\
         use squall::run::RunOptions;\n\n\
         #[test]\nfn {name}_is_gone() {{\n    \
             let capsule = Capsule::parse({file:?}, include_str!({file:?})).unwrap_or_else(|error| panic!(\"{{error}}\"));\n    \
             let report = capsule.run(RunOptions::default());\n    \
             assert_eq!(report.failure, None);\n}}\n",
        capsule.origin.scenario, capsule.origin.seed,
    )
}
