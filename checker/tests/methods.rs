//! The fast methods against the general search, through the front door, on histories that are too long for brute force.

mod support;

use checker::history::History;
use checker::linearizability::{Method, Options, Report, Verdict, check, check_history};
use checker::models::{Model, Visitor, visit};
use support::long::{self, Shape};
use support::oracle::Values;
use support::same::Same;

/// Histories of each model and shape in the test suite.
const SLICE: u64 = 6;

const MODELS: [(&str, &[Method]); 8] = [
    ("register", &[Method::Zones, Method::Settling]),
    ("cas-register", &[Method::Zones, Method::Settling]),
    ("kv", &[Method::Zones, Method::Settling]),
    ("set", &[Method::Elements]),
    ("append-list", &[Method::Positions]),
    ("queue", &[Method::Queue]),
    ("stack", &[Method::Stack]),
    ("priority-queue", &[Method::Priorities]),
];

struct Both<'h>(&'h History);

impl Visitor for Both<'_> {
    type Output = (Report, Report);

    fn visit<M: Model>(self, model: &M) -> Self::Output {
        // Where the search would be long, there is nothing to compare with.
        let options = Options {
            steps_max: 50_000,
            configurations_max: 20_000,
            core_steps_max: 5_000,
            ..Options::default()
        };
        let fits = "the operations fit the model";
        (
            check(self.0, model, &options).expect(fits),
            check(self.0, &Same(model), &options).expect(fits),
        )
    }
}

/// Holds the methods against each other; how many histories of distinct values were decided by one that was meant to.
fn hold(model: &'static str, methods: &[Method], seeds: std::ops::Range<u64>) -> (u64, u64) {
    let (mut fast, mut all) = (0, 0);
    for seed in seeds {
        for (values, unknown) in [
            (Values::Distinct, 0),
            (Values::Distinct, 100),
            (Values::Few(3), 0),
            (Values::Few(3), 100),
        ] {
            for is_broken in [false, true] {
                // Of few equal elements one more or less is hardly told.
                if is_broken && values != Values::Distinct && !model.ends_with("register") {
                    continue;
                }
                let shape = Shape {
                    model,
                    clients: 3 + (seed % 3) as u32,
                    keys: 1,
                    values,
                    unknown,
                    operations: 32,
                    is_broken,
                };
                let history = long::history(shape, seed).history;
                let (report, searched) = visit(model, None, Both(&history)).expect("a known model");
                let is_unknown = |report: &Report| matches!(report.verdict, Verdict::Unknown(_));
                let is_open = is_unknown(&report) || is_unknown(&searched);
                assert!(
                    is_open || report.is_linearizable() == searched.is_linearizable(),
                    "{shape:?}, seed {seed}:\n{report}\n{searched}"
                );
                if values == Values::Distinct {
                    all += 1;
                    fast += u64::from(report.methods.iter().any(|(method, _)| methods.contains(method)));
                }
            }
        }
    }
    (fast, all)
}

#[test]
fn every_fast_method_says_what_the_search_says_and_decides_most_of_its_own() {
    for (model, methods) in MODELS {
        let (fast, all) = hold(model, methods, 0..SLICE);
        println!("{model}: {fast} of {all}");
        // Texts that are appended to are for the search, as are sets that are read as a whole or refused.
        let share = if matches!(model, "kv" | "set") { 0 } else { all * 3 / 4 };
        assert!(
            fast >= share,
            "{model}: only {fast} of {all} were decided by a fast method"
        );
    }
}

#[test]
fn queues_with_many_empty_answers_are_decided_by_their_own_method() {
    for (seed, clients, is_broken) in [
        (1, 20, false),
        (2, 5, false),
        (3, 100, false),
        (4, 20, true),
        (5, 5, true),
    ] {
        let shape = Shape {
            model: "queue",
            clients,
            keys: 1,
            values: Values::Distinct,
            unknown: 0,
            operations: 5_000,
            is_broken,
        };
        let history = long::history(shape, seed).history;
        let report = check_history(&history, "queue", &Options::default()).expect("the operations fit the model");
        assert_eq!(report.is_linearizable(), !is_broken, "{shape:?}: {report}");
        assert_eq!(report.methods, [(Method::Queue, 1)], "{shape:?}");
    }
}

/// `make fuzz-checker` runs it.
#[test]
#[ignore = "it takes minutes: `make fuzz-checker`"]
fn thousands_of_longer_histories_are_decided_alike() {
    for (model, methods) in MODELS {
        println!("{model}: {:?}", hold(model, methods, 1 << 32..(1 << 32) + 2_000));
    }
}
