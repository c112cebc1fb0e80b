//! The digests of a few seeds of every built-in scenario, as `tests/digests.txt` keeps them.
//!
//! After a change that is meant to change what runs do:
//!
//! ```sh
//! cargo run -p scenarios --example digests > scenarios/tests/digests.txt
//! ```

use scenarios::run::{RunOptions, run};
use scenarios::scenario::{builtin, parse};
use std::fmt::Write;

/// Seeds `0..SEEDS` of each scenario.
const SEEDS: u64 = 5;

/// One line for each run: scenario, seed, digest.
pub fn lines() -> String {
    let mut text = String::new();
    for builtin in builtin() {
        let scenario =
            parse(builtin.name, builtin.text, &[], &scenarios::known()).expect("a built-in scenario is valid");
        for seed in 0..SEEDS {
            let report = run(&scenario, seed, RunOptions::default());
            let _ = writeln!(text, "{} {seed:#018x} {}", builtin.name, report.digest);
        }
    }
    text
}

fn main() {
    print!("{}", lines());
}
