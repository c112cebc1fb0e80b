//! Each fast method against the general search, alone, on random histories that are larger than brute force could take.

use proptest::prelude::*;

use super::super::budget::Budget;
use super::super::lower::Cells;
use super::super::portfolio::Decision;
use super::super::search::{Outcome, search};
use super::super::{Method, Options, Witness, check, items, settling, zones};
use crate::history::{History, Op, OperationId, Output, OwnedValue};
use crate::models::{CasRegister, Kind, Model};

/// A client's turn: how long until it, how long it takes, what it does, with which values, and how it ends.
type Turn = (u64, u64, u8, u8, u8, u8);

fn turns(count: usize) -> impl Strategy<Value = Vec<Turn>> {
    prop::collection::vec((0..4u64, 0..6u64, 0..8u8, 0..4u8, 0..4u8, 0..24u8), 1..count)
}

/// Clients in turn, each with one operation in flight; operations take effect at a moment of their own. One answer in
/// twenty-four is wrong, and as many never come.
fn history_of(turns: &[Turn], clients: usize, distinct: bool) -> History {
    let mut free_at = vec![0; clients];
    let mut drawn = Vec::new();
    for (index, &(pause, lasts, kind, first, second, fate)) in turns.iter().enumerate() {
        let client = index % clients;
        let call: u64 = free_at[client] + pause;
        free_at[client] = call + lasts + 1;
        let point = call * 4 + lasts * u64::from(second);
        drawn.push((point, index, client, call, call + lasts, kind, first, second, fate));
    }
    drawn.sort_unstable();
    let fresh = |index: usize, value: u8| if distinct { 100 + index as i64 } else { i64::from(value) };
    let mut held = OwnedValue::Null;
    let mut rows = Vec::new();
    for (_, index, client, call, returned, kind, first, second, fate) in drawn {
        let before = held.clone();
        let wrong = fate == 0;
        let (op, output) = match kind {
            0..3 => {
                let read = if wrong {
                    OwnedValue::Integer(fresh(usize::from(first), first))
                } else {
                    before
                };
                (Op::Read { key: OwnedValue::Null }, Output::Value(read))
            }
            3..6 => {
                held = OwnedValue::Integer(fresh(index, first));
                (
                    Op::Write {
                        key: OwnedValue::Null,
                        value: held.clone(),
                    },
                    Output::Ok,
                )
            }
            _ => {
                let from = if first < 2 {
                    before.clone()
                } else {
                    OwnedValue::Integer(fresh(usize::from(first), first))
                };
                let to = OwnedValue::Integer(fresh(index, second));
                let done = before == from;
                if done {
                    held = to.clone();
                }
                (
                    Op::Cas {
                        key: OwnedValue::Null,
                        from,
                        to,
                    },
                    Output::Done(done != wrong),
                )
            }
        };
        rows.push((call, client, op, (fate != 1).then_some((returned, output))));
    }
    rows.sort_by_key(|row| row.0);
    let mut history = History::new();
    for (call, client, op, answer) in &rows {
        let op = match op {
            Op::Write { value, .. } => Op::write(0, value.as_value()),
            Op::Cas { from, to, .. } => Op::cas(0, from.as_value(), to.as_value()),
            _ => Op::read(0),
        };
        let id = history.invoke(*client as u32, *call, op);
        if let Some((returned, output)) = answer {
            let output = match output {
                Output::Value(value) => Output::Value(value.as_value()),
                Output::Done(done) => Output::Done(*done),
                _ => Output::Ok,
            };
            history.complete(id, *returned, output);
        }
    }
    history
}

/// Whether the search finds an order.
fn searched(history: &History, model: &CasRegister, ids: &[OperationId]) -> bool {
    let compiled = model.compile(history, ids, &|_| true).expect("fits");
    let items = items(history, ids, &compiled);
    let mut budget = Budget::of_steps(10_000_000);
    match search(&compiled.specification, &compiled.steps, &items, &mut budget, 0) {
        Outcome::Order(_) => true,
        Outcome::Impossible { .. } => false,
        Outcome::Exhausted { .. } => panic!("the histories are small"),
    }
}

/// Holds both methods for registers against the search; which of them decided.
fn hold(history: &History) -> Result<[bool; 2], TestCaseError> {
    let model = CasRegister::default();
    let ids: Vec<OperationId> = history.ids().collect();
    let expected = searched(history, &model, &ids);
    let Kind::Register { initial } = model.kind(history) else {
        unreachable!("it is one")
    };
    let cells = Cells::new(history, &model, &ids, initial, None).expect("fits");
    let mut budget = Budget::of_steps(10_000_000);
    let decisions = [zones::decide(&cells), settling::decide(&cells, &mut budget)];
    for (name, decision) in ["zones", "settling"].into_iter().zip(&decisions) {
        match decision {
            Decision::Order(order) => {
                prop_assert!(expected, "{} finds an order", name);
                let mut witness = Witness::default();
                witness.push_order(order.iter().map(|&at| ids[at as usize]).collect());
                prop_assert_eq!(witness.verify(history, &model), Ok(()), "{}: {:?}", name, order);
            }
            Decision::Impossible(contradiction) => {
                prop_assert!(!expected, "{} says impossible: {:?}", name, contradiction);
            }
            Decision::Undecided => {}
        }
    }
    Ok(decisions.map(|decision| decision != Decision::Undecided))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn registers_of_few_values_are_decided_as_by_the_search(turns in turns(40)) {
        for clients in [3, 6] {
            hold(&history_of(&turns, clients, false))?;
        }
    }

    #[test]
    fn registers_of_distinct_values_are_decided_as_by_the_search(turns in turns(40)) {
        for clients in [3, 6] {
            hold(&history_of(&turns, clients, true))?;
        }
    }
}

/// A refused compare-and-set may need a write of unknown outcome that nobody saw, and two of them need two.
#[test]
fn refused_compare_and_sets_find_the_lost_writes_that_excuse_them() {
    let misses = |lost: i64| {
        let mut history = History::new();
        for value in 0..lost {
            history.invoke(10 + value as u32, 1, Op::write("k", 80 + value));
        }
        let mut alone = |time: u64, op, output| {
            let id = history.invoke(1, time, op);
            history.complete(id, time + 1, output);
        };
        alone(2, Op::write("k", 1), Output::Ok);
        alone(4, Op::cas("k", 1, 70), Output::Done(false));
        alone(6, Op::write("k", 3), Output::Ok);
        alone(8, Op::cas("k", 3, 71), Output::Done(false));
        alone(10, Op::write("k", 5), Output::Ok);
        check(&history, &CasRegister::default(), &Options::default()).expect("fits")
    };
    for lost in [2, 3] {
        let report = misses(lost);
        assert!(report.is_linearizable(), "{report}");
        assert_eq!(report.methods, [(Method::Zones, 1)], "nothing had to be searched");
    }
    assert!(!misses(1).is_linearizable(), "one lost write takes effect once");
}
