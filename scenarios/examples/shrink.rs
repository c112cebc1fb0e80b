//! How small the failures of planted bugs become, as a table in Markdown.
//!
//! For each bug the first failure of a sweep over all built-in scenarios from seed 0 is shrunk. A bug that a sweep does not find within
//! [`SEEDS`] seeds of each is passed over.
//!
//! ```sh
//! cargo run --release -p scenarios --example shrink -- 20 60    # twenty bugs, at most 60 s each
//! ```

use scenarios::capsule::{Capsule, Size};
use scenarios::scenario::{Scenario, builtin, parse};
use scenarios::shrink::{Options, Shrunk, shrink};
use scenarios::sweep::{Group, Observer, Progress, Seeds, Sweep, sweep};
use scenarios::systems::kv::PlantedBug;
use scenarios::systems::kv::bugs::PLANTED_BUGS;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Seeds of each scenario in which a failure is looked for.
const SEEDS: u64 = 6;

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
    fn found(&mut self, _: &Group) {}
}

fn main() {
    let number = |at: usize, default: u64| {
        std::env::args()
            .nth(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (count, seconds) = (number(1, 20) as usize, number(2, 60));
    let read = |builtin: &scenarios::scenario::Builtin| parse(builtin.name, builtin.text, &[], &scenarios::known());
    let scenarios: Vec<Scenario> = builtin()
        .iter()
        .map(|of| read(of).expect("a built-in scenario is valid"))
        .collect();
    println!("| bug | failure | nodes | faults | operations | events | fewer events | attempts | wall | CPU |");
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let (mut factors, mut few) = (Vec::new(), 0);
    for bug in PLANTED_BUGS.iter().filter(|bug| bug.breaks.is_some()) {
        if factors.len() == count {
            break;
        }
        let Some(capsule) = found(&scenarios, bug) else {
            continue;
        };
        let options = Options {
            jobs: 2,
            time: Some(Duration::from_secs(seconds)),
            attempts: u64::MAX,
        };
        match shrink(&capsule, &options, &AtomicBool::new(false), &mut ()) {
            Ok(shrunk) => {
                assert_eq!(shrunk.capsule.signature(), capsule.signature(), "{}", bug.id);
                factors.push(row(bug, &shrunk));
                few += usize::from(shrunk.after.faults <= 3);
            }
            Err(error) => println!("| {} | {error} |", bug.id),
        }
    }
    factors.sort_unstable();
    if let Some(median) = factors.get(factors.len() / 2) {
        let tenths = format!("{}.{}", median / 10, median % 10);
        println!(
            "\nMedian of {}: {tenths} times fewer events; {few} have three faults or fewer.",
            factors.len()
        );
    }
}

/// The capsule of the first seed that fails with a bug.
fn found(scenarios: &[Scenario], bug: &'static PlantedBug) -> Option<Capsule> {
    let plan = Sweep {
        scenarios,
        seeds: Seeds::Range { first: 0, count: SEEDS },
        bug: Some(bug),
        jobs: 2,
        time: None,
        max_fail: 1,
        verify_every: 0,
    };
    let report = sweep(&plan, &AtomicBool::new(false), &mut Silent);
    let group = report.groups.first().filter(|group| group.seed.is_some())?;
    let scenario = &scenarios[group.scenario];
    let capsule = Capsule::of_seed(&scenario.name, scenario, group.seed?, Some(bug));
    capsule.map_err(|error| println!("| {} | {error} |", bug.id)).ok()
}

/// One row; gives ten times the factor by which the events have become fewer.
fn row(bug: &PlantedBug, shrunk: &Shrunk) -> u64 {
    let Shrunk {
        before,
        after,
        attempts,
        elapsed,
        cpu,
        ..
    } = shrunk;
    let both = |of: fn(&Size) -> u64| format!("{} → {}", of(before), of(after));
    let factor = before.events * 10 / after.events.max(1);
    let seconds = |time: Duration| format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100);
    println!(
        "| {} | `{}` | {} | {} | {} | {} | {}.{} × | {attempts} | {} | {} |",
        bug.id,
        shrunk.capsule.signature().unwrap_or_default(),
        both(|size| size.nodes.into()),
        both(|size| size.faults as u64),
        both(|size| size.operations as u64),
        both(|size| size.events),
        factor / 10,
        factor % 10,
        seconds(*elapsed),
        cpu.map_or_else(String::new, seconds),
    );
    factor
}
