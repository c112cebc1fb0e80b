//! Sequential consistency and bounded staleness, each against a search through all orders.

mod support;

use checker::consistency::{Sequential, check_sequential, with_stale_reads};
use checker::history::{Atom, History, Op, Operation, OperationId, Output, OwnedValue};
use checker::linearizability::{Options, check};
use checker::models::{Model, Visitor, visit};
use support::{oracle, small};

const SLICE: u64 = 600;

/// Whether some order of `rest` that begins in `states` answers as `model` does; one that precedes another comes before it.
fn has_order<M: Model>(
    history: &History,
    model: &M,
    rest: &[OperationId],
    states: &[(Atom, M::State)],
    precedes: &dyn Fn(OperationId, OperationId) -> bool,
) -> bool {
    if rest.iter().all(|&id| history.operation(id).returned.is_none()) {
        return true;
    }
    rest.iter().any(|&next| {
        let operation = history.operation(next);
        let mut after = states.to_vec();
        let key = operation.op.key();
        let place = after.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            after.push((key, model.initial()));
            after.len() - 1
        });
        if rest.iter().any(|&other| other != next && precedes(other, next))
            || !model.apply(&mut after[place].1, history, &operation)
        {
            return false;
        }
        let rest: Vec<OperationId> = rest.iter().copied().filter(|&id| id != next).collect();
        has_order(history, model, &rest, &after, precedes)
    })
}

/// When an operation was called and returned, what was asked and answered.
type Drawn = (u64, Option<u64>, Op<OwnedValue>, Option<Output<OwnedValue>>);

/// Operations of some small histories, one for each key, by three clients.
fn mixed(model: &str, seed: u64, keys: i64) -> History {
    let mut all: Vec<Drawn> = Vec::new();
    for key in 0..keys {
        let one = small::history(model, seed.wrapping_mul(7) + key as u64, if keys == 1 { 6 } else { 3 });
        for Operation {
            call,
            returned,
            op,
            output,
            ..
        } in one.operations()
        {
            let mut is_key = true;
            let op = op.map(|atom| match std::mem::take(&mut is_key) {
                true => OwnedValue::Integer(key),
                false => OwnedValue::from(one.value(atom)),
            });
            let output = output.map(|output| output.map(|atom| OwnedValue::from(one.value(atom))));
            all.push((call, returned, op, output));
        }
    }
    all.sort_by_key(|(call, ..)| *call);
    let mut history = History::new();
    for (place, (call, returned, op, output)) in (0..).zip(&all) {
        let id = history.invoke(place % 3, *call, op.borrowed());
        if let (Some(returned), Some(output)) = (returned, output) {
            history.complete(id, *returned, output.borrowed());
        }
    }
    history
}

struct InOrderOfClients<'h>(&'h History);

impl Visitor for InOrderOfClients<'_> {
    type Output = bool;

    fn visit<M: Model>(self, model: &M) -> bool {
        let history = self.0;
        let ids: Vec<OperationId> = history.ids().collect();
        // The history is by call. What has no outcome holds nobody up.
        let precedes = |one: OperationId, other: OperationId| {
            let (one_op, other_op) = (history.operation(one), history.operation(other));
            one < other && one_op.client == other_op.client && one_op.returned.is_some()
        };
        let expected = has_order(history, model, &ids, &[], &precedes);
        let found = check_sequential(history, model, &Options::default()).expect("the operations fit the model");
        match &found {
            Sequential::Consistent(order) => {
                let completed = ids.iter().filter(|&&id| history.operation(id).returned.is_some());
                assert!(
                    completed.into_iter().all(|id| order.contains(id)),
                    "something is missing in {order:?}"
                );
                let mut states: Vec<(Atom, M::State)> = Vec::new();
                for (place, &id) in order.iter().enumerate() {
                    assert!(
                        !order[place + 1..].iter().any(|&later| precedes(later, id)),
                        "{id} is too early"
                    );
                    let operation = history.operation(id);
                    let key = operation.op.key();
                    if !states.iter().any(|(known, _)| *known == key) {
                        states.push((key, model.initial()));
                    }
                    let state = states
                        .iter_mut()
                        .find(|(known, _)| *known == key)
                        .expect("put in above");
                    assert!(model.apply(&mut state.1, history, &operation), "{id} is refused");
                }
            }
            Sequential::Inconsistent(dead) => assert!(!dead.next.is_empty() && !dead.to_string().is_empty()),
            Sequential::Unknown { .. } => panic!("six operations need few steps"),
        }
        let found = matches!(found, Sequential::Consistent(_));
        assert_eq!(found, expected, "{}: {history:?}", model.name());
        found
    }
}

#[test]
fn sequential_consistency_is_what_a_search_through_all_orders_finds() {
    for model in oracle::MODELS {
        let mut consistent = 0;
        for seed in 0..SLICE {
            let history = mixed(model, seed, 1 + (seed % 2) as i64);
            let is_consistent = visit(model, oracle::initial(model).as_ref(), InOrderOfClients(&history));
            consistent += u64::from(is_consistent.expect("a known model"));
        }
        assert!(
            (SLICE / 10..SLICE - 10).contains(&consistent),
            "{model}: {consistent} of {SLICE}"
        );
    }
}

struct WithStaleReads<'h>(&'h History, u64);

impl Visitor for WithStaleReads<'_> {
    type Output = bool;

    fn visit<M: Model>(self, model: &M) -> bool {
        let WithStaleReads(history, bound) = self;
        let ids: Vec<OperationId> = history.ids().collect();
        let precedes = |one: OperationId, other: OperationId| {
            let (one, other) = (history.operation(one), history.operation(other));
            let is_read = matches!(other.op, Op::Read { .. } | Op::Contains { .. } | Op::Fetch { .. });
            let lag = if is_read { bound } else { 0 };
            one.returned
                .is_some_and(|returned| returned.saturating_add(lag) < other.call)
        };
        let expected = has_order(history, model, &ids, &[], &precedes);
        let stale = with_stale_reads(history, bound);
        let report = check(&stale, model, &Options::default()).expect("the operations fit the model");
        assert_eq!(
            report.is_linearizable(),
            expected,
            "{}, bound {bound}: {history:?}",
            model.name()
        );
        expected
    }
}

#[test]
fn bounded_staleness_is_what_a_search_through_all_orders_finds() {
    let (mut strict, mut stale) = (0, 0);
    for model in oracle::MODELS {
        for seed in 0..SLICE {
            let history = small::history(model, seed, 6);
            let initial = oracle::initial(model);
            let holds = |bound| visit(model, initial.as_ref(), WithStaleReads(&history, bound)).expect("a known model");
            let (without, with) = (holds(0), holds(8));
            assert!(
                with || !without,
                "{model}, seed {seed}: more is allowed and less is possible"
            );
            strict += u64::from(without);
            stale += u64::from(with);
        }
    }
    assert!(stale > strict + 50, "{strict} and {stale}");
}

#[test]
fn keys_that_are_consistent_alone_need_not_be_together() {
    // Each client reads what the other wrote before it is written, in the order of its own operations.
    let lines = [
        r#"{"client":1,"op":"write","key":"x","value":1,"call":1,"return":2}"#,
        r#"{"client":1,"op":"read","key":"y","output":null,"call":3,"return":4}"#,
        r#"{"client":2,"op":"write","key":"y","value":1,"call":1,"return":2}"#,
        r#"{"client":2,"op":"read","key":"x","output":null,"call":3,"return":4}"#,
    ];
    let history = History::read(lines.join("\n").as_bytes()).expect("the lines are sound");
    let model = checker::models::Register::default();
    let verdict = check_sequential(&history, &model, &Options::default()).expect("the operations fit");
    let Sequential::Inconsistent(dead) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(dead.key, None);
    assert_eq!(dead.completed, 4);
}
