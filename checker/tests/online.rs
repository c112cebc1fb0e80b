//! Histories that are told call by call: each is refused at the event at which the check of all that is known refuses it first, or
//! not at all.

mod support;

use checker::history::{History, Op, Operation, OperationId, Output, OwnedValue};
use checker::linearizability::{InOrder, Online, OnlineCheck, Options, OutOfOrder, Verdict, check};
use checker::models::{KeyValue, Model, Visitor, visit};
use support::draws::Draws;
use support::long::{self, Shape};
use support::oracle::{self, Values};
use support::same::Same;
use support::small;

const SLICE: u64 = 1_000;

/// A call or a return, in the order in which they are told.
fn events(history: &History) -> Vec<(u64, bool, OperationId)> {
    let mut events: Vec<(u64, bool, OperationId)> = Vec::new();
    for id in history.ids() {
        let operation = history.operation(id);
        events.push((operation.call, false, id));
        events.extend(operation.returned.map(|returned| (returned, true, id)));
    }
    events.sort_unstable();
    events
}

fn op(history: &History, operation: &Operation) -> Op<OwnedValue> {
    let value = |atom| OwnedValue::from(history.value(atom));
    operation.op.map(value)
}

fn output(history: &History, operation: &Operation) -> Output<OwnedValue> {
    let output = operation.output.expect("it returned");
    output.map(|atom| OwnedValue::from(history.value(atom)))
}

/// The event at which `history` becomes impossible, told one by one.
struct Tell<'h> {
    history: &'h History,
    /// Decides when an operation of unknown outcome is said to be one.
    draws: Draws,
}

impl Visitor for Tell<'_> {
    type Output = Option<usize>;

    fn visit<M: Model>(mut self, model: &M) -> Option<usize> {
        let mut online = OnlineCheck::with_configurations(Same(model), 1 << 14);
        let mut calls = vec![None; self.history.operations().len()];
        for (time, is_return, id) in events(self.history) {
            let operation = self.history.operation(id);
            if is_return {
                let call = calls[id.index()].expect("it was called");
                online.complete(call, time, output(self.history, &operation).borrowed());
            } else {
                let call = online.invoke(operation.client, time, op(self.history, &operation).borrowed());
                calls[id.index()] = Some(call);
                if operation.returned.is_none() && self.draws.below(2) == 0 {
                    online.lose(call);
                }
            }
        }
        match online.settle(u64::MAX) {
            Online::Possible => None,
            Online::Impossible { event, .. } => Some(event),
            Online::GaveUp => panic!("seven operations need no more than 2^14 configurations"),
        }
    }
}

/// Checks what was known of a history after each of its returns, as a whole each time: in flight means that no answer is known.
struct Whole<'h>(&'h History);

impl Visitor for Whole<'_> {
    type Output = Option<usize>;

    fn visit<M: Model>(self, model: &M) -> Option<usize> {
        let events = events(self.0);
        let is_impossible = |&end: &u64| {
            let mut known = History::new();
            for id in self.0.ids() {
                let operation = self.0.operation(id);
                if operation.call <= end {
                    let id = known.invoke(operation.client, operation.call, op(self.0, &operation).borrowed());
                    if let Some(returned) = operation.returned.filter(|&returned| returned <= end) {
                        known.complete(id, returned, output(self.0, &operation).borrowed());
                    }
                }
            }
            let report = check(&known, model, &Options::default()).expect("the operations fit the model");
            assert!(!matches!(report.verdict, Verdict::Unknown(_)), "{report}");
            !report.is_linearizable()
        };
        let mut ends: Vec<u64> = self.0.operations().filter_map(|operation| operation.returned).collect();
        ends.sort_unstable();
        ends.dedup();
        // What is impossible stays so.
        let possible = ends.partition_point(|end| !is_impossible(end));
        let end = ends.get(possible)?;
        Some(events.iter().filter(|(time, ..)| time <= end).count())
    }
}

#[test]
fn told_one_by_one_a_history_becomes_impossible_when_the_whole_check_says_so() {
    for model in oracle::MODELS {
        let mut refused = 0;
        for seed in 0..SLICE {
            let history = small::history(model, (1 << 40) + seed, 7);
            let initial = oracle::initial(model);
            let draws = Draws::new(seed);
            let tell = Tell {
                history: &history,
                draws,
            };
            let told = visit(model, initial.as_ref(), tell).expect("a known model");
            let whole = visit(model, initial.as_ref(), Whole(&history)).expect("a known model");
            assert_eq!(told, whole, "model {model}, seed {seed}: {history:?}");
            refused += u64::from(told.is_some());
        }
        assert!(
            refused > SLICE / 20,
            "{model}: the histories are too much alike: {refused}"
        );
    }
}

fn shape(is_broken: bool) -> Shape {
    Shape {
        model: "kv",
        clients: 5,
        keys: 3,
        values: Values::Few(3),
        unknown: 0,
        operations: 3_000,
        is_broken,
    }
}

/// Tells the effects in the order of the generator, each as late as it can be.
fn follow(long: &long::Long) -> Result<InOrder<KeyValue>, (OutOfOrder, usize)> {
    let mut follower = InOrder::new(KeyValue);
    let mut effects = (1..).zip(&long.order).peekable();
    let mut done = vec![false; long.history.operations().len()];
    for (event, (time, is_return, id)) in (1..).zip(events(&long.history)) {
        let operation = long.history.operation(id);
        if !is_return {
            follower.invoke(operation.client, time, op(&long.history, &operation).borrowed());
            continue;
        }
        while !done[id.index()] {
            let (index, &effect) = effects.next().expect("what returned took effect");
            done[effect.index()] = true;
            follower.take_effect(effect, index).map_err(|error| (error, event))?;
        }
        let answer = output(&long.history, &operation);
        let verdict = follower.complete(id, time, answer.borrowed(), None);
        verdict.map_err(|error| (error, event))?;
    }
    Ok(follower)
}

#[test]
fn an_order_that_explains_the_history_is_followed_to_the_end_with_few_states() {
    for seed in 0..20 {
        let long = long::history(shape(false), seed);
        let follower = follow(&long).unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
        assert!(follower.states() < 40, "seed {seed}: {} states", follower.states());
    }
}

#[test]
fn an_order_is_left_at_the_event_at_which_the_history_becomes_impossible() {
    for seed in 0..20 {
        let long = long::history(shape(true), seed);
        let (error, event) = follow(&long).expect_err("one answer is stale");
        assert!(matches!(error, OutOfOrder::Refused(_)), "seed {seed}: {error}");
        assert_eq!(Whole(&long.history).visit(&KeyValue), Some(event), "seed {seed}");
    }
}

#[test]
fn memory_does_not_grow_with_the_history() {
    let mut online = OnlineCheck::new(KeyValue);
    for round in 0..10_000u64 {
        let write = online.invoke(1, 4 * round, Op::write("x", ["a", "b"][round as usize % 2]));
        let read = online.invoke(2, 4 * round + 1, Op::read("x"));
        online.complete(write, 4 * round + 2, Output::Ok);
        online.complete(read, 4 * round + 3, Output::value(["a", "b"][round as usize % 2]));
        assert!(online.open() <= 2 && online.configurations() <= 4);
    }
    assert_eq!(online.settle(u64::MAX), Online::Possible);
}

#[test]
fn what_returns_and_what_is_called_at_one_time_are_concurrent() {
    let mut online = OnlineCheck::new(KeyValue);
    let write = online.invoke(1, 0, Op::write("x", "a"));
    online.complete(write, 5, Output::Ok);
    let read = online.invoke(2, 5, Op::read("x"));
    online.complete(read, 6, Output::value(""));
    assert_eq!(online.settle(7), Online::Possible);
    let mut follower = InOrder::new(KeyValue);
    let write = follower.invoke(1, 0, Op::write("x", "a"));
    follower.take_effect(write, 1).expect("it is the first");
    follower.complete(write, 5, Output::Ok, None).expect("it was told");
    let read = follower.invoke(2, 5, Op::read("x"));
    assert_eq!(follower.complete(read, 6, Output::value(""), Some(0)), Ok(()));
    let late = follower.invoke(2, 7, Op::read("x"));
    let early = OutOfOrder::Early(late);
    assert_eq!(follower.complete(late, 8, Output::value(""), Some(0)), Err(early));
}
