//! Checks many generated histories, for measuring from outside: `time many_histories [HISTORIES] [OPERATIONS] [REPEATS]`.
//!
//! Each history has five clients and five keys of a map of texts, one operation in fifty without an outcome. All are
//! linearizable by construction; every second history writes new values only.

#[path = "../tests/support/mod.rs"]
mod support;

use checker::linearizability::{Options, check};
use checker::models::KeyValue;
use support::long::{self, Shape};
use support::oracle::Values;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u32>().expect("a number"));
    let histories = arguments.next().unwrap_or(1000);
    let operations = arguments.next().unwrap_or(400);
    let repeats = arguments.next().unwrap_or(20);
    let (mut checked, mut steps) = (0, 0);
    for seed in 0..u64::from(histories) {
        let shape = Shape {
            model: "kv",
            clients: 5,
            keys: 5,
            values: if seed % 2 == 0 {
                Values::Distinct
            } else {
                Values::Few(3)
            },
            unknown: 20,
            operations: operations as usize,
            is_broken: false,
        };
        let history = long::history(shape, seed).history;
        for _ in 0..repeats {
            let report = check(&history, &KeyValue, &Options::default()).expect("the operations fit the model");
            assert!(report.is_linearizable(), "seed {seed}: {report}");
            checked += report.operations;
            steps += report.steps;
        }
    }
    println!("{histories} histories checked {repeats} times: {checked} operations, {steps} steps");
}
