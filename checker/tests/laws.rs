//! Every part of every refusal against brute force, of all models, on histories of all sizes.
//!
//! The suite checks a slice; `make fuzz-checker` holds 10,000 small and as many large refusals of each model to the laws of
//! `support/laws.rs`.

mod support;

use std::collections::BTreeMap;

use checker::history::History;
use checker::linearizability::{Options, Verdict, check};
use checker::models::{Model, Visitor, visit};
use support::claims::KINDS;
use support::draws::Draws;
use support::laws::{Held, Laws};
use support::long::{self, Shape};
use support::oracle::{self, Values};
use support::small;

/// Refusals of each model in the test suite.
const SLICE: u64 = 60;

/// What became of some histories.
#[derive(Clone, Debug, Default)]
struct Seen {
    refused: u64,
    linearizable: u64,
    unknown: u64,
    /// Refusals of which every question was answered; cores that are said to be minimal; moments that are said to be the first.
    whole: u64,
    minimal: u64,
    first: u64,
    /// Refusals that rest on the proof of a method, no core having been shown.
    bare: u64,
    core: usize,
    /// How many sentences there were of each kind.
    kinds: BTreeMap<&'static str, u64>,
}

struct Hold<'h> {
    history: &'h History,
    options: Options,
    steps_max: u64,
    place: String,
}

impl Visitor for Hold<'_> {
    type Output = (Seen, Held);

    fn visit<M: Model>(self, model: &M) -> Self::Output {
        let report = check(self.history, model, &self.options).expect("the operations fit the model");
        let mut seen = Seen::default();
        match &report.verdict {
            Verdict::Linearizable(_) => seen.linearizable = 1,
            Verdict::Unknown(_) => seen.unknown = 1,
            Verdict::NotLinearizable(refusal) => {
                let laws = Laws {
                    model,
                    history: self.history,
                    refusal,
                    steps_max: self.steps_max,
                };
                let held = laws.hold();
                assert!(
                    held.broken.is_empty(),
                    "{}: {:?}\n{report}\n{}",
                    self.place,
                    held.broken,
                    written(self.history)
                );
                seen = Seen {
                    refused: 1,
                    whole: u64::from(held.open == 0),
                    minimal: u64::from(refusal.is_core_minimal),
                    first: u64::from(refusal.is_first),
                    bare: u64::from(refusal.said_by.is_some()),
                    core: refusal.core.len(),
                    kinds: held.kind.map(|kind| (kind, 1)).into_iter().collect(),
                    ..seen
                };
                return (seen, held);
            }
        }
        (seen, Held::default())
    }
}

fn written(history: &History) -> String {
    let mut bytes = Vec::new();
    checker::history::jsonl::write(history, &mut bytes).expect("memory does not fail");
    String::from_utf8(bytes).expect("JSON is text")
}

impl Seen {
    fn add(&mut self, other: &Seen) {
        self.refused += other.refused;
        self.linearizable += other.linearizable;
        self.unknown += other.unknown;
        self.whole += other.whole;
        self.minimal += other.minimal;
        self.first += other.first;
        self.bare += other.bare;
        self.core += other.core;
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

fn hold(model: &str, history: &History, steps_max: u64, place: String, seen: &mut Seen) {
    hold_with(model, history, (Options::default(), steps_max), place, seen);
}

fn hold_with(model: &str, history: &History, (options, steps_max): (Options, u64), place: String, seen: &mut Seen) {
    let hold = Hold {
        history,
        options,
        steps_max,
        place,
    };
    let (one, _) = visit(model, oracle::initial(model).as_ref(), hold).expect("a known model");
    seen.add(&one);
}

/// Tiny histories of one object until `refusals` were refused.
fn small_refusals(model: &str, refusals: u64, first: u64) -> Seen {
    let mut seen = Seen::default();
    for seed in first.. {
        if seen.refused == refusals {
            break;
        }
        let operations_max = 5 + seed % 6;
        let history = small::history(model, seed, operations_max);
        hold(
            model,
            &history,
            200_000,
            format!("{model}, small, seed {seed}"),
            &mut seen,
        );
    }
    seen
}

/// Large histories of any shape, each broken by a stale answer or by several.
fn large_refusals(model: &'static str, refusals: u64, first: u64, operations_max: u64) -> Seen {
    let mut seen = Seen::default();
    for seed in first..first + 10 * refusals {
        if seen.refused >= refusals {
            break;
        }
        let mut draws = Draws::new(seed ^ 0x1a35);
        let values = match draws.below(6) {
            0 => Values::Distinct,
            1 => Values::Few(2),
            2 => Values::Few(3 + draws.below(5)),
            3 => Values::Few(100),
            4 => Values::Few(1_000),
            _ => Values::Few(2 + draws.below(999)),
        };
        let size = draws.below(u64::from(operations_max.ilog2()) + 1);
        let shape = Shape {
            model,
            clients: [5, 6, 8, 12, 20, 40, 70, 100][draws.below(8) as usize],
            keys: 1,
            values,
            unknown: [0, 0, 20, 100][draws.below(4) as usize],
            operations: (8 + draws.below(2 << size)).min(operations_max) as usize,
            is_broken: true,
        };
        let history = long::broken(shape, seed, [1, 5, 30][draws.below(3) as usize]);
        // What is unknown with little is unknown sooner.
        let options = Options {
            steps_max: 200_000,
            core_steps_max: 200_000,
            ..Options::default()
        };
        hold_with(
            model,
            &history,
            (options, 20_000),
            format!("{shape:?}, seed {seed}"),
            &mut seen,
        );
    }
    seen
}

#[test]
fn refusals_of_small_histories_obey_the_laws() {
    for model in oracle::MODELS {
        let seen = small_refusals(model, SLICE, 0);
        println!("{model}: {seen:?}");
        assert!(seen.minimal >= SLICE * 9 / 10, "{model}: {seen:?}");
    }
}

#[test]
fn refusals_of_larger_histories_obey_the_laws() {
    for model in oracle::MODELS {
        let seen = large_refusals(model, SLICE / 6, 0, 200);
        println!("{model}: {seen:?}");
        assert!(seen.refused >= SLICE / 12, "{model}: {seen:?}");
    }
}

/// With hardly any budget nothing can be searched: whatever a fast method proves is refused all the same, and no core is named.
#[test]
fn what_a_method_proves_is_refused_without_a_core_that_nobody_could_show() {
    for model in ["register", "cas-register", "queue", "stack", "priority-queue"] {
        let mut seen = Seen::default();
        for seed in 0..8 * SLICE {
            let history = small::history(model, seed, 5 + seed % 6);
            let options = Options {
                steps_max: 8,
                core_steps_max: 8,
                ..Options::default()
            };
            let place = format!("{model}, small, seed {seed}");
            hold_with(model, &history, (options, 200_000), place, &mut seen);
        }
        println!("{model}: {seen:?}");
        assert!(seen.bare > 0, "{model}: {seen:?}");
    }
}

/// Each sentence that there is was said of some history, and so was held.
#[test]
fn every_sentence_is_held() {
    let mut seen = Seen::default();
    let models = [
        ("cas-register", 2_000),
        ("kv", 1_000),
        ("queue", 1_000),
        ("stack", 400),
        ("priority-queue", 400),
        ("append-list", 400),
        ("bank", 1_200),
    ];
    for (model, refusals) in models {
        seen.add(&small_refusals(model, refusals, 1 << 40));
    }
    for (kind, _) in KINDS.iter().filter(|(kind, _)| !kind.contains("as the method")) {
        assert!(seen.kinds.contains_key(kind), "{kind}: {:#?}", seen.kinds);
    }
}

/// What failed was dropped when the file was read, and is named only if nobody else brought the value.
#[test]
fn what_is_said_of_operations_that_were_dropped_is_held() {
    let event = |process: u32, kind: &str, f: &str, value: &str| {
        format!("{{:process {process}, :type :{kind}, :f :{f}, :value {value}}}\n")
    };
    let call = |process: u32, kind: &str, f: &str, value: &str| {
        let asked = if f == "read" { "nil" } else { value };
        event(process, "invoke", f, asked) + &event(process, kind, f, value)
    };
    let text = call(1, "fail", "add", "1")
        + &call(1, "fail", "add", "2")
        + &call(2, "ok", "add", "1")
        + &call(2, "ok", "read", "[1 2]");
    let history = History::read(text.as_bytes()).expect("valid");
    let mut seen = Seen::default();
    hold("set", &history, 1_000, "two failed additions".to_owned(), &mut seen);
    let kinds: Vec<&str> = seen.kinds.into_keys().collect();
    assert!(
        matches!(kinds[..], [kind] if kind.contains("aborted read")),
        "{kinds:?}"
    );
}

/// `make fuzz-checker` runs it.
#[test]
#[ignore = "it takes long: `make fuzz-checker`"]
fn ten_thousand_small_refusals_of_each_model_obey_the_laws() {
    for model in oracle::MODELS {
        println!("{model}, small: {:?}", small_refusals(model, 10_000, 1 << 32));
    }
}

/// `make fuzz-checker` runs it; it takes hours.
#[test]
#[ignore = "it takes long: `make fuzz-checker`"]
fn ten_thousand_large_refusals_of_each_model_obey_the_laws() {
    let mut seen = vec![Seen::default(); oracle::MODELS.len()];
    // By and by, so that an interrupted run has seen some of every model.
    for part in 0..1_000 {
        for (model, seen) in oracle::MODELS.iter().zip(&mut seen) {
            let first = (1 << 32) + part * 100;
            seen.add(&large_refusals(model, 10, first, 2_000));
            println!("{model}, large, after part {part}: {seen:?}");
        }
    }
}
