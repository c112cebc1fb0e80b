//! The digests of a few seeds of every built-in scenario, as `tests/digests.txt` keeps them.
//!
//! After a change that is meant to change what runs do:
//!
//! ```sh
//! cargo run -p squall-cli --example digests > squall/tests/digests.txt
//! ```

use raft_kv::{builtin, find};
use squall::run::{RunOptions, run};
use squall::scenario::{Scenario, parse};
use squall::sweep::{Group, Observer, Progress, Seeds, Sweep};
use std::fmt::Write;
use std::sync::atomic::AtomicBool;

/// Seeds `0..SEEDS` of each scenario.
const SEEDS: u64 = 5;

/// One line for each run: scenario, seed, digest.
pub fn lines() -> String {
    let mut text = String::new();
    for builtin in builtin() {
        let scenario = parse(builtin.name, builtin.text, &[], &raft_kv::known()).expect("a built-in scenario is valid");
        for seed in 0..SEEDS {
            let report = run(&scenario, seed, RunOptions::default());
            let _ = writeln!(text, "{} {seed:#018x} {}", builtin.name, report.digest);
        }
    }
    text + &thousand()
}

/// One line for a thousand seeds of the swarm, shortened to six seconds of faults each: their digests folded into one.
pub fn thousand() -> String {
    let overrides = [("time.chaos".to_owned(), "6s".to_owned())];
    let swarm = find("swarm").expect("a built-in scenario");
    let swarm = parse(swarm.name, swarm.text, &overrides, &raft_kv::known()).expect("a built-in scenario is valid");
    format!("swarm 0..1000 {:#018x}\n", folded(&swarm, 1000, 2))
}

/// The digests of the first seeds of a scenario, folded in the order of the seeds, on so many threads.
pub fn folded(scenario: &Scenario, count: u64, jobs: usize) -> u64 {
    let sweep = Sweep {
        scenarios: std::slice::from_ref(scenario),
        seeds: Seeds::Range { first: 0, count },
        bug: None,
        jobs,
        time: None,
        max_fail: 0,
        verify_every: 0,
        isolation: None,
    };
    let report = squall::sweep::sweep(&sweep, &AtomicBool::new(false), &mut Silent);
    report.scenarios[0].digests
}

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
    fn found(&mut self, group: &Group) {
        eprintln!("seed {:?}: {}", group.seed, group.failure);
    }
}

fn main() {
    print!("{}", lines());
}
