//! How small the failures of planted bugs become, as the table of `squall/SHRINKING.md`.
//!
//! For each bug the first failure of a sweep over all built-in scenarios from seed 0 is shrunk on two threads. A bug that a sweep does not
//! find within [`SEEDS`] seeds of each is told, and has no row.
//!
//! ```sh
//! cargo run --release -p squall-cli --example shrink -- 60          # all rows, at most 60 s each
//! cargo run --release -p squall-cli --example shrink -- 60 E2 D8    # two of them
//! ```

use raft_kv::builtin;
use squall::capsule::{Capsule, Size};
use squall::scenario::{Scenario, parse};
use squall::shrink::{Options, Shrunk, shrink};
use squall::sweep::{Group, Observer, Progress, Seeds, Sweep, sweep};
use squall::system::PlantedBug;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Seeds of each scenario in which a failure is looked for.
const SEEDS: u64 = 200;

/// The bugs of the table: some of each part of the algorithm and of each kind of failure.
const BUGS: [&str; 22] = [
    "L2", "E2", "R4", "M1", "S1", "D1", "R9", "E7", "L1", "R5", "R6", "S2", "S6", "X1", "M6", "E12", "R14", "E4", "L4",
    "R13", "X2", "D8",
];

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
    fn found(&mut self, _: &Group) {}
}

fn main() {
    let mut args = std::env::args().skip(1);
    let seconds = args.next().and_then(|text| text.parse().ok()).unwrap_or(60);
    let named: Vec<String> = args.collect();
    let read = |builtin: &squall::scenario::Builtin| parse(builtin.name, builtin.text, &[], &raft_kv::known());
    let scenarios: Vec<Scenario> = builtin()
        .iter()
        .map(|of| read(of).expect("a built-in scenario is valid"))
        .collect();
    println!("| bug | run | failure | nodes | faults | operations | events | fewer events | attempts | wall | CPU |");
    println!("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let (mut factors, mut few) = (Vec::new(), 0);
    let is_wanted = |id: &&str| named.is_empty() || named.iter().any(|named| named == id);
    for id in BUGS.into_iter().filter(is_wanted) {
        let bug = raft_kv::bug(id).unwrap_or_else(|error| panic!("{error}"));
        let Some(capsule) = found(&scenarios, bug) else {
            eprintln!("{id}: not found in {SEEDS} seeds of each scenario");
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
        isolation: None,
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
        finished,
        ..
    } = shrunk;
    let both = |of: fn(&Size) -> u64| format!("{} → {}", of(before), of(after));
    let factor = before.events * 10 / after.events.max(1);
    let seconds = |time: Duration| format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100);
    println!(
        "| {} | {}, seed {} | `{}` | {} | {} | {} | {} | {}.{} × | {attempts} | {}{} | {} |",
        bug.id,
        shrunk.capsule.origin.scenario,
        seed_of(shrunk),
        shrunk.capsule.signature().unwrap_or_default(),
        both(|size| size.nodes.into()),
        both(|size| size.faults as u64),
        both(|size| size.operations as u64),
        both(|size| size.events),
        factor / 10,
        factor % 10,
        seconds(*elapsed),
        if *finished { "" } else { " (time)" },
        cpu.map_or_else(String::new, seconds),
    );
    factor
}

/// The seed as a number.
fn seed_of(shrunk: &Shrunk) -> u64 {
    let seed = &shrunk.capsule.origin.seed;
    u64::from_str_radix(seed.trim_start_matches("0x"), 16).expect("a capsule's seed is hexadecimal")
}
