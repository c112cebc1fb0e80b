//! The search against brute force: every order of a few operations, carried out on the plain specification.

mod methods;

use proptest::prelude::*;

use super::bits::Bits;
use super::budget::{Budget, Spent};
use super::partition::Partitions;
use super::search::{Outcome, run, search};
use super::timeline::Timeline;
use super::{Options, Verdict, check, check_history, items};
use crate::history::{History, Op, Operation, OperationId, Output, OwnedValue, Value};
use crate::models::{CasRegister, KeyValue, Model, Register};

/// One random operation: what it is, when, and how its answer comes about.
#[derive(Clone, Debug)]
struct Draw {
    call: u64,
    lasts: u64,
    /// Where between call and return it takes effect, in thirds.
    point: u64,
    kind: u8,
    first: i64,
    second: i64,
    /// 0: outcome unknown, no effect; 1: outcome unknown, takes effect; 2: answered wrongly; above: answered rightly.
    fate: u8,
}

fn draw(kinds: u8) -> impl Strategy<Value = Draw> {
    (0..18u64, 0..8u64, 0..4u64, 0..kinds, 0..3i64, 0..3i64, 0..14u8).prop_map(
        |(call, lasts, point, kind, first, second, fate)| Draw {
            call,
            lasts,
            point,
            kind,
            first,
            second,
            fate,
        },
    )
}

fn draws(kinds: u8) -> impl Strategy<Value = Vec<Draw>> {
    prop::collection::vec(draw(kinds), 1..8)
}

const TEXTS: [&str; 3] = ["", "a", "ab"];

/// A history of the draws over one key; texts or integers, as the model wants.
fn history_of(draws: &[Draw], texts: bool) -> History {
    let mut order: Vec<usize> = (0..draws.len()).collect();
    order.sort_by_key(|&index| draws[index].call * 3 + draws[index].lasts * draws[index].point);
    let value = |number: i64| {
        if texts {
            Value::Text(TEXTS[number as usize])
        } else {
            Value::Integer(number)
        }
    };
    let mut held = if texts {
        OwnedValue::Text(String::new())
    } else {
        OwnedValue::Null
    };
    let mut answers: Vec<Option<(OwnedValue, bool)>> = vec![None; draws.len()];
    for index in order {
        let Draw {
            kind,
            first,
            second,
            fate,
            ..
        } = draws[index];
        if fate == 0 {
            continue;
        }
        let before = held.clone();
        let done = before.as_value() == value(first);
        match (kind, &mut held) {
            (1, held) => *held = value(first).into(),
            (2, held) if done => *held = value(second).into(),
            (0 | 2, _) => {}
            (_, OwnedValue::Text(text)) => text.push_str(["", "a", "b"][first as usize]),
            _ => unreachable!("only texts are appended to"),
        }
        if fate > 1 {
            let wrong = fate == 2;
            let read = if wrong { value(second).into() } else { before };
            answers[index] = Some((read, done != wrong));
        }
    }
    let mut history = History::new();
    for (
        index,
        Draw {
            call,
            lasts,
            kind,
            first,
            second,
            ..
        },
    ) in draws.iter().enumerate()
    {
        let op = match kind {
            0 => Op::read("k"),
            1 => Op::write("k", value(*first)),
            2 => Op::cas("k", value(*first), value(*second)),
            _ => Op::append("k", ["", "a", "b"][*first as usize]),
        };
        let id = history.invoke(index as u32, *call, op);
        if let Some((read, done)) = &answers[index] {
            let output = match kind {
                0 => Output::Value(read.as_value()),
                2 => Output::Done(*done),
                _ => Output::Ok,
            };
            history.complete(id, call + lasts, output);
        }
    }
    history
}

/// An operation that brute force must or may place.
#[derive(Clone)]
struct Placed {
    operation: Operation,
    required: bool,
}

/// Tries every order of every subset that holds the required operations.
fn brute<M: Model>(model: &M, history: &History, operations: &[Placed]) -> bool {
    fn go<M: Model>(model: &M, history: &History, rest: &[Placed], state: &M::State, latest_call: u64) -> bool {
        if rest.iter().all(|placed| !placed.required) {
            return true;
        }
        (0..rest.len()).any(|next| {
            let Placed { operation, .. } = &rest[next];
            let mut state = state.clone();
            if operation.returned.is_some_and(|returned| returned < latest_call)
                || !model.apply(&mut state, history, operation)
            {
                return false;
            }
            let mut rest = rest.to_vec();
            rest.remove(next);
            go(model, history, &rest, &state, latest_call.max(operation.call))
        })
    }
    go(model, history, operations, &model.initial(), 0)
}

fn as_recorded(history: &History) -> Vec<Placed> {
    let placed = |operation: Operation| Placed {
        operation,
        required: operation.returned.is_some(),
    };
    history.operations().map(placed).collect()
}

/// The operations as they were known when `stuck` returned, all but `kept` set free, as the core's documentation says.
fn set_free(history: &History, present: &[OperationId], kept: &[OperationId], stuck: OperationId) -> Vec<Placed> {
    let end = history.returned(stuck);
    let free = |&id: &OperationId| {
        let mut operation = known_by(history, id, (end, stuck));
        let required = kept.contains(&id) && operation.returned.is_some();
        if !kept.contains(&id) {
            operation.output = None;
            if let Op::Cas { key, to, .. } = operation.op {
                operation.op = Op::Write { key, value: to };
            }
        }
        Placed { operation, required }
    };
    let called = present.iter().filter(|&&id| Some(history.call(id)) <= end);
    called.map(free).collect()
}

/// An operation without the outcome that came after `last`.
fn known_by(history: &History, id: OperationId, last: (Option<u64>, OperationId)) -> Operation {
    let mut operation = history.operation(id);
    if operation.returned.is_none() || (operation.returned, id) > last {
        (operation.returned, operation.output) = (None, None);
    }
    operation
}

/// Checks verdict, core, context and legal prefix of one history.
fn hold_against_brute_force<M: Model>(model: &M, history: &History) -> Result<(), TestCaseError> {
    let report = check(history, model, &Options::default()).expect("the draws fit the model");
    let expected = brute(model, history, &as_recorded(history));
    let refusal = match &report.verdict {
        Verdict::Linearizable(witness) => {
            prop_assert!(expected, "brute force finds no order");
            prop_assert_eq!(witness.verify(history, model), Ok(()));
            return Ok(());
        }
        Verdict::NotLinearizable(refusal) => refusal,
        Verdict::Unknown(unfinished) => return Err(TestCaseError::fail(unfinished.to_string())),
    };
    prop_assert!(!expected, "brute force finds an order, the search says {}", refusal);
    prop_assert!(refusal.is_core_minimal, "{} {:?}", refusal, history);
    let ids = |lines: &[super::OperationLine]| lines.iter().map(|line| line.id).collect::<Vec<_>>();
    let (core, context) = (ids(&refusal.core), ids(&refusal.context));
    let end = refusal.stuck.returned.expect("what is stuck has returned");
    let everything: Vec<OperationId> = history.ids().collect();
    prop_assert!(
        !brute(model, history, &set_free(history, &everything, &core, refusal.stuck.id)),
        "the core is not impossible: {}",
        refusal
    );
    let closed: Vec<OperationId> = core.iter().chain(&context).copied().collect();
    for &id in &core {
        let rest: Vec<OperationId> = core.iter().copied().filter(|&other| other != id).collect();
        let known: Vec<OperationId> = everything
            .iter()
            .copied()
            .filter(|&id| history.call(id) <= end)
            .collect();
        prop_assert!(
            brute(model, history, &set_free(history, &known, &rest, refusal.stuck.id)),
            "{} is not needed: {}",
            id,
            refusal
        );
        prop_assert!(
            brute(model, history, &set_free(history, &closed, &rest, refusal.stuck.id)),
            "the context is too small: {}",
            refusal
        );
    }
    // Everything that had returned before the stuck operation can be explained, and is in the legal prefix.
    prop_assert!(refusal.is_first);
    let last = history.ids().filter_map(|id| {
        let moment = (history.returned(id), id);
        (moment.0.is_some() && moment < (Some(end), refusal.stuck.id)).then_some(moment)
    });
    let last = last.max();
    let mut state = model.initial();
    for &id in &refusal.legal_prefix {
        let operation = known_by(history, id, last.unwrap_or((Some(0), id)));
        prop_assert!(model.apply(&mut state, history, &operation));
    }
    // Cut at the return, it is refused.
    prop_assert!(
        !brute(
            model,
            history,
            &set_free(history, &everything, &everything, refusal.stuck.id)
        ),
        "it became impossible later: {}",
        refusal
    );
    let before = |id: &OperationId| history.returned(*id).is_some_and(|returned| returned < end);
    prop_assert!(
        history
            .ids()
            .filter(before)
            .all(|id| refusal.legal_prefix.contains(&id)),
        "{:?} is not all that had returned: {} {:?}",
        refusal.legal_prefix,
        refusal,
        history
    );
    // While it was in flight it may have taken effect otherwise than its answer tells.
    prop_assert!(
        refusal.legal_prefix.contains(&refusal.stuck.id)
            || !model.apply(&mut state, history, &history.operation(refusal.stuck.id)),
        "nothing is stuck: {}",
        refusal
    );
    Ok(())
}

/// The search with sets of any size finds what the one with 64 bits does.
fn search_wide<M: Model>(model: &M, history: &History) -> (Outcome, Outcome) {
    fn search<M: Model, B: Bits>(model: &M, history: &History) -> Outcome {
        let partitions = Partitions::new(history);
        let ids = partitions.get(0);
        let compiled = model.compile(history, ids, &|_| true).expect("the draws fit the model");
        let items = items(history, ids, &compiled);
        let mut budget = Budget::of_steps(1_000_000);
        run::<_, B>(
            &compiled.specification,
            &compiled.steps,
            &items,
            Timeline::new(&items),
            &mut budget,
            4,
        )
    }
    (
        search::<M, u64>(model, history),
        search::<M, Box<[u64]>>(model, history),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn register_verdicts_are_those_of_brute_force(draws in draws(2)) {
        hold_against_brute_force(&Register::default(), &history_of(&draws, false))?;
    }

    #[test]
    fn cas_register_verdicts_are_those_of_brute_force(draws in draws(3)) {
        let history = history_of(&draws, false);
        hold_against_brute_force(&CasRegister::default(), &history)?;
        let (narrow, wide) = search_wide(&CasRegister::default(), &history);
        prop_assert_eq!(narrow, wide);
    }

    #[test]
    fn kv_verdicts_are_those_of_brute_force(draws in draws(4)) {
        hold_against_brute_force(&KeyValue, &history_of(&draws, true))?;
    }
}

/// `(client, call, return, op, output)`; a return of zero is none.
type Row<'a> = (u32, u64, u64, Op<Value<'a>>, Output<Value<'a>>);

fn history(rows: &[Row<'_>]) -> History {
    let mut history = History::new();
    for &(client, call, returned, op, output) in rows {
        let id = history.invoke(client, call, op);
        if returned > 0 {
            history.complete(id, returned, output);
        }
    }
    history
}

#[test]
fn a_stale_read_is_explained_with_the_write_it_returns() {
    let history = history(&[
        (1, 1, 2, Op::write("x", "old"), Output::Ok),
        (1, 3, 4, Op::write("x", "new"), Output::Ok),
        (3, 3, 9, Op::append("y", "noise"), Output::Ok),
        (2, 5, 6, Op::read("x"), Output::value("old")),
        (2, 7, 8, Op::read("x"), Output::value("new")),
    ]);
    let report = check(&history, &KeyValue, &Options::default()).expect("fits");
    let expected = "\
not linearizable: 5 operations, 2 keys, model kv
first operation that cannot be placed:
  client 2  read \"x\" -> \"old\"  [5, 6]
impossible already (2 operations, minimal), whatever the others did:
  client 1  write \"x\" \"old\"    [1, 2]  (for context)
  client 1  write \"x\" \"new\"    [3, 4]
  client 2  read \"x\" -> \"old\"  [5, 6]
`read \"x\" -> \"old\"` by client 2 [5, 6] began after `write \"x\" \"new\"` by client 1 [3, 4] had
returned, which began after `write \"x\" \"old\"` by client 1 [1, 2] had returned; \"old\" was never
written again.
the nearest orders, and why each is refused:
  after `write \"x\" \"old\"`, `write \"x\" \"new\"` the key holds \"new\": `read \"x\" -> \"old\"` cannot follow
it became impossible at 6, with event 7 of 10 (calls and returns); the longest legal prefix has 2
operations";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn an_absent_key_reads_as_the_empty_text_and_null_means_the_same() {
    let read = |at, value| (1, at, at + 1, Op::read("x"), Output::Value(value));
    let rows = [
        read(1, Value::Null),
        read(3, Value::Text("")),
        (1, 5, 6, Op::cas("x", Value::Null, "a"), Output::Done(true)),
        (1, 7, 8, Op::write("x", Value::Null), Output::Ok),
        read(9, Value::Text("")),
    ];
    assert!(
        check(&history(&rows), &KeyValue, &Options::default())
            .expect("fits")
            .is_linearizable()
    );
}

#[test]
fn equal_times_are_concurrent() {
    let rows = [
        (1, 1, 5, Op::write("x", "a"), Output::Ok),
        (2, 5, 6, Op::read("x"), Output::value("")),
    ];
    assert!(
        check(&history(&rows), &KeyValue, &Options::default())
            .expect("fits")
            .is_linearizable()
    );
    let later = [rows[0], (2, 6, 7, Op::read("x"), Output::value(""))];
    assert!(
        !check(&history(&later), &KeyValue, &Options::default())
            .expect("fits")
            .is_linearizable()
    );
}

#[test]
fn an_operation_of_unknown_outcome_takes_effect_late_once_or_never() {
    let lost = (1, 1, 0, Op::append("x", "a"), Output::Ok);
    let read = |client, at, text| (client, at, at + 1, Op::read("x"), Output::value(text));
    let verdict = |rows: &[Row<'_>]| {
        check(&history(rows), &KeyValue, &Options::default())
            .expect("fits")
            .is_linearizable()
    };
    assert!(verdict(&[lost, read(2, 10, ""), read(2, 20, "")]), "never");
    assert!(verdict(&[lost, read(2, 10, ""), read(2, 20, "a")]), "late");
    assert!(!verdict(&[lost, read(2, 10, "a"), read(2, 20, "aa")]), "once");
    assert!(!verdict(&[lost, read(2, 10, "a"), read(2, 20, "")]), "for good");
    assert!(
        !verdict(&[(1, 15, 0, lost.3, lost.4), read(2, 10, "a")]),
        "not before its call"
    );
}

#[test]
fn an_operation_set_free_does_not_stand_in_for_an_equal_one() {
    let history = history(&[
        (1, 1, 5, Op::write(0, 1), Output::Ok),
        (2, 1, 10, Op::write(0, 1), Output::Ok),
        (3, 2, 3, Op::write(0, 2), Output::Ok),
        (4, 11, 12, Op::read(0), Output::value(2)),
    ]);
    let ids: Vec<OperationId> = history.ids().collect();
    let compiled = Register::default().compile(&history, &ids, &|_| true).expect("fits");
    let mut items = items(&history, &ids, &compiled);
    items[0].required = false;
    let mut budget = Budget::of_steps(1000);
    let found = search(&compiled.specification, &compiled.steps, &items, &mut budget, 0);
    assert_eq!(
        found,
        Outcome::Order(vec![1, 2, 3]),
        "the second write comes first, and the first one not at all"
    );
}

#[test]
fn a_spent_budget_is_no_verdict() {
    let history = history(&[
        (1, 1, 10, Op::append("x", "a"), Output::Ok),
        (2, 1, 10, Op::append("x", "b"), Output::Ok),
        (3, 11, 12, Op::read("x"), Output::value("c")),
    ]);
    let options = Options {
        steps_max: 2,
        ..Options::default()
    };
    let report = check(&history, &KeyValue, &options).expect("fits");
    let Verdict::Unknown(unfinished) = &report.verdict else {
        panic!("{report}")
    };
    assert_eq!(
        (unfinished.steps_max, unfinished.completed, unfinished.key.as_str()),
        (2, 3, "\"x\"")
    );
    assert!(
        report
            .to_string()
            .starts_with("unknown: 3 operations, 1 key, model kv\nthe budget of 2 steps was spent")
    );
}

#[test]
fn of_several_keys_the_one_that_went_wrong_first_is_reported() {
    let wrong = |client, at, key| (client, at, at + 1, Op::read(key), Output::value("never written"));
    let report = check(
        &history(&[wrong(1, 20, "a"), wrong(2, 10, "b"), wrong(3, 30, "c")]),
        &KeyValue,
        &Options::default(),
    );
    assert_eq!(report.expect("fits").refusal().expect("wrong").key, "\"b\"");
}

#[test]
fn many_operations_in_flight_fit_no_word_and_are_checked_all_the_same() {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for client in 0..100 {
        rows.push((client, 1, 1000, Op::write(0, i64::from(client)), Output::Ok));
        rows.push((client + 100, 1, 0, Op::write(0, i64::from(client) + 100), Output::Ok));
    }
    rows.push((300, 1001, 1002, Op::read(0), Output::value(77)));
    rows.push((300, 1003, 1004, Op::read(0), Output::value(177)));
    let report = check(&history(&rows), &Register::default(), &Options::default()).expect("fits");
    assert!(report.is_linearizable(), "{report}");
}

#[test]
fn an_empty_history_is_linearizable() {
    assert!(
        check(&History::new(), &KeyValue, &Options::default())
            .expect("fits")
            .is_linearizable()
    );
}

#[test]
fn what_does_not_fit_is_an_error_that_names_it() {
    let check = |model, row, initial| {
        check_history(
            &history(&[row]),
            model,
            &Options {
                initial,
                ..Options::default()
            },
        )
    };
    let said = |model, row| check(model, row, None).expect_err("does not fit").to_string();
    let read = (1, 1, 2, Op::read("x"), Output::value("a"));
    assert!(said("nope", read).contains("cas-register, counter, event-log, kv"));
    assert!(
        check("kv", read, Some(OwnedValue::Null))
            .expect_err("no initial")
            .to_string()
            .contains("takes no initial value")
    );
    let cas = (7, 3, 4, Op::cas("x", "a", "b"), Output::Done(true));
    assert!(said("register", cas).contains("operation 0 (`cas \"x\" \"a\" -> \"b\": ok` by client 7, called at 3)"));
    assert!(said("cas-register", (1, 1, 2, Op::append("x", "a"), Output::Ok)).contains("only read, write and cas"));
    assert!(said("kv", (1, 1, 2, Op::write("x", 3), Output::Ok)).contains("neither integers nor lists"));
    assert!(said("kv", (1, 1, 2, Op::write("x", "a"), Output::Done(true))).contains("another operation"));
}

#[test]
fn the_initial_value_is_what_an_untouched_register_reads() {
    let read = history(&[(1, 1, 2, Op::read("x"), Output::value(5))]);
    let check = |initial: &str| {
        let initial = Some(initial.parse().expect("JSON"));
        check_history(
            &read,
            "register",
            &Options {
                initial,
                ..Options::default()
            },
        )
        .expect("fits")
        .is_linearizable()
    };
    assert_eq!([check("5"), check("null"), check("\"five\"")], [true, false, false]);
}

#[test]
fn a_caller_without_patience_is_asked_now_and_then_and_gets_an_unknown() {
    // All at once, each value twice: nothing but a long search can tell.
    let mut history = History::new();
    for client in 0..24u32 {
        let write = history.invoke(client, 0, Op::write("k", i64::from(client % 12)));
        history.complete(write, 1_000, Output::Ok);
    }
    for client in 24..44u32 {
        let read = history.invoke(client, 0, Op::read("k"));
        history.complete(read, 1_000, Output::value(i64::from(client % 12)));
    }
    let late = history.invoke(44, 2_000, Op::read("k"));
    history.complete(late, 2_001, Output::value(99));
    let model = Register::default();
    let asked = std::cell::Cell::new(0u32);
    let should_stop = || {
        asked.set(asked.get() + 1);
        asked.get() == 3
    };
    let options = Options {
        steps_max: u64::MAX,
        ..Options::default()
    };
    let partitions = Partitions::new(&history);
    let ids = partitions.get(0);
    let compiled = model.compile(&history, ids, &|_| true).expect("it fits");
    let all = items(&history, ids, &compiled);
    let mut budget = Budget::new(options.steps_max, options.configurations_max, Some(&should_stop));
    let outcome = search(&compiled.specification, &compiled.steps, &all, &mut budget, 0);
    assert!(matches!(outcome, Outcome::Exhausted { .. }), "{outcome:?}");
    assert_eq!(budget.spent, Some(Spent::Stopped));
    assert_eq!(asked.get(), 3, "and is not asked again");
}

/// A core that a small budget does not let shrink is one all the same, and is not said to be minimal.
#[test]
fn a_core_that_is_not_shrunk_to_the_end_says_so() {
    let mut rows: Vec<Row<'_>> = (0..12)
        .map(|client| (client, 1, 90, Op::write("k", i64::from(client)), Output::Ok))
        .collect();
    rows.push((20, 91, 92, Op::read("k"), Output::value(3)));
    rows.push((20, 93, 94, Op::read("k"), Output::value(4)));
    let history = history(&rows);
    let refusal = |core_steps_max| {
        let options = Options {
            core_steps_max,
            ..Options::default()
        };
        let report = check(&history, &Register::default(), &options).expect("fits");
        report.refusal().expect("what was overwritten is read").clone()
    };
    let (small, large) = (refusal(0), refusal(1_000_000));
    assert!(!small.is_core_minimal && large.is_core_minimal);
    assert!(small.core.len() >= large.core.len() && large.core.len() == 2, "{large}");
    assert!(small.core.iter().any(|line| line.id == small.stuck.id), "{small}");
}
