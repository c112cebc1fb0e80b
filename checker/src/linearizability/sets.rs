//! Sets: each element is a register of its own, which holds whether the element is in.
//!
//! Adding an element that is said to be new is a compare-and-set from out to in, one that is said not to be is a read of in,
//! and one that says nothing is a write of in; so the methods for registers decide each element. Their orders merge by the
//! latest call so far in each: no operation that had returned is after one that was called later (Herlihy and Wing 1990,
//! theorem 1: linearizability is local).
//!
//! Decides only what is linearizable; the rest, and reads of the whole set, are for the search.

use super::budget::Budget;
use super::lower::{Cells, Timed, What, by_call};
use super::portfolio::Decision;
use super::{settling, zones};
use crate::history::{Atom, History, OperationId};
use crate::models::{Action, Model};

const OUT: u32 = 0;
const IN: u32 = 1;

/// An order of `ids`, the operations of a set, if this method finds one.
pub(super) fn order<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    budget: &mut Budget<'_>,
) -> Option<Vec<OperationId>> {
    let mut ops: Vec<(Atom, Timed<What>)> = Vec::with_capacity(ids.len());
    let run = history.run(ids);
    for at in 0..ids.len() {
        let operation = run.get(at);
        let is_open = operation.returned.is_none();
        let (element, what) = match model.action(history, &operation)? {
            Action::Nothing => continue,
            Action::Contains(element, is_in) => (element, What::Read(if is_in { IN } else { OUT })),
            Action::Add(element, done) => (element, change(OUT, IN, done)),
            Action::Delete(element, done) => (element, change(IN, OUT, done)),
            _ => return None,
        };
        if is_open && what.writes().is_none() {
            continue;
        }
        ops.push((element, Timed::new(&operation, at, what)?));
    }
    ops.sort_by_key(|&(element, _)| element);
    let mut merged: Vec<(u64, Atom, u32, OperationId)> = Vec::with_capacity(ops.len());
    for of_one in ops.chunk_by(|one, other| one.0 == other.0) {
        let cells = Cells {
            compares: true,
            ops: by_call(of_one.iter().map(|&(_, op)| op).collect()),
            values: 2,
            initial: OUT,
        };
        let decision = match zones::decide(&cells) {
            Decision::Undecided => settling::decide(&cells, budget),
            decision => decision,
        };
        let Decision::Order(order) = decision else { return None };
        let mut latest_call = 0;
        for (place, at) in (0..).zip(order) {
            let id = ids[at as usize];
            latest_call = latest_call.max(history.call(id));
            merged.push((latest_call, of_one[0].0, place, id));
        }
    }
    merged.sort_unstable();
    Some(merged.into_iter().map(|(.., id)| id).collect())
}

/// What a change `from` one state `to` the other does, that was `done` or not.
fn change(from: u32, to: u32, done: Option<bool>) -> What {
    match done {
        Some(true) => What::Cas(from, to),
        Some(false) => What::Read(to),
        None => What::Write(to),
    }
}
