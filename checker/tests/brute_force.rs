//! Every verdict on tiny random histories of every model against brute force.
//!
//! The suite checks a slice; `make fuzz-checker` checks 200,000 histories of each model.

mod support;

use checker::brute;
use checker::history::History;
use checker::linearizability::{Options, Report, Verdict, check};
use checker::models::{MODELS, Model, Visitor, visit};
use support::{oracle, small};

/// Histories of each model in the test suite.
const SLICE: u64 = 1_500;

/// Most operations of a history.
const OPERATIONS_MAX: u64 = 7;

/// How often each verdict was given.
#[derive(Debug, Default)]
struct Seen {
    linearizable: u64,
    refused: u64,
}

struct Hold<'h> {
    history: &'h History,
    seed: u64,
}

impl Visitor for Hold<'_> {
    type Output = Report;

    fn visit<M: Model>(self, model: &M) -> Report {
        let Hold { history, seed } = self;
        let place = || format!("model {}, seed {seed}:\n{}", model.name(), written(history));
        let report =
            check(history, model, &Options::default()).unwrap_or_else(|misfit| panic!("{misfit}; {}", place()));
        let expected = brute::is_linearizable(history, model);
        match &report.verdict {
            Verdict::Linearizable(witness) => {
                assert!(expected, "there is no order, and one was found; {}", place());
                assert_eq!(witness.verify(history, model), Ok(()), "{}", place());
            }
            Verdict::NotLinearizable(_) => assert!(!expected, "there is an order; {}{report}", place()),
            Verdict::Unknown(why) => panic!("{why}; {}", place()),
        }
        report
    }
}

fn written(history: &History) -> String {
    let mut bytes = Vec::new();
    checker::history::jsonl::write(history, &mut bytes).expect("memory does not fail");
    String::from_utf8(bytes).expect("JSON is text")
}

fn hold(model: &str, seeds: std::ops::Range<u64>) -> Seen {
    let mut seen = Seen::default();
    for seed in seeds {
        let history = small::history(model, seed, OPERATIONS_MAX);
        let report = visit(
            model,
            oracle::initial(model).as_ref(),
            Hold {
                history: &history,
                seed,
            },
        )
        .expect("a known model");
        if report.is_linearizable() {
            seen.linearizable += 1;
        } else {
            seen.refused += 1;
        }
    }
    seen
}

#[test]
fn every_model_is_drawn() {
    let mut drawn = oracle::MODELS.to_vec();
    drawn.sort_unstable();
    assert_eq!(drawn, MODELS.iter().map(|model| model.name).collect::<Vec<_>>());
}

#[test]
fn a_slice_of_small_histories_is_judged_as_brute_force_does() {
    for model in oracle::MODELS {
        let seen = hold(model, 0..SLICE);
        println!("{model}: {seen:?}");
        assert!(
            seen.linearizable > SLICE / 5 && seen.refused > SLICE / 12,
            "{model}: the histories are too much alike: {seen:?}"
        );
    }
}

/// `make fuzz-checker` runs it; the slice above is a part of every test run.
#[test]
#[ignore = "it takes minutes: `make fuzz-checker`"]
fn two_hundred_thousand_small_histories_of_each_model() {
    for model in oracle::MODELS {
        println!("{model}: {:?}", hold(model, 1 << 32..(1 << 32) + 200_000));
    }
}
