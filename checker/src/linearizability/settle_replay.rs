//! From the placements of a sweep to an order of all operations: what the sweep took silently gets its place.

use std::collections::VecDeque;

use super::lower::{CellOp, Cells, NEVER, What};
use super::paths::{Placement, SUPPLY};

/// The order of `cells`, up to the last of the returns `by_return`, in which the changes of value are `placements`; `supplies` are
/// the sorts of operations of unknown outcome as the sweep named them. `None` when more of a sort were used than had been called,
/// and no other will do.
pub(super) fn order(cells: &Cells, by_return: &[u32], supplies: &[What], placements: &[Placement]) -> Option<Vec<u32>> {
    let mut replay = Replay {
        cells,
        value: cells.initial,
        waiting: Vec::new(),
        order: Vec::with_capacity(cells.ops.len()),
        supplies: supplies.iter().map(|&what| (what, VecDeque::new())).collect(),
        is_placed: vec![false; cells.ops.len()],
        asked: vec![0; cells.values as usize],
    };
    for op in &cells.ops {
        if let Some(value) = tells(op) {
            replay.asked[value as usize] += 1;
        }
    }
    for placement in placements {
        if placement.by < SUPPLY {
            replay.is_placed[placement.by as usize] = true;
        }
    }
    let (mut called, mut next) = (0, 0);
    for (event, &due) in by_return.iter().enumerate() {
        while cells
            .ops
            .get(called)
            .is_some_and(|op| op.call <= cells.ops[due as usize].returned)
        {
            replay.call(called as u32);
            called += 1;
        }
        while let Some(placement) = placements
            .get(next)
            .filter(|placement| placement.event as usize == event)
        {
            replay.place(placement.by)?;
            next += 1;
        }
    }
    let last = by_return.last().map(|&due| cells.ops[due as usize].moment());
    let is_due = |&index: &u32| Some(cells.ops[index as usize].moment()) <= last;
    (!replay.waiting.iter().any(is_due)).then_some(replay.order)
}

struct Replay<'a> {
    cells: &'a Cells,
    value: u32,
    /// Operations in flight that change nothing where they get their place.
    waiting: Vec<u32>,
    order: Vec<u32>,
    /// Operations of unknown outcome not used yet, by sort.
    supplies: Vec<(What, VecDeque<u32>)>,
    /// Whether an operation is one of the placements.
    is_placed: Vec<bool>,
    /// For each value: operations without a place that can tell it from others.
    asked: Vec<u32>,
}

impl Replay<'_> {
    fn call(&mut self, index: u32) {
        let op = self.cells.ops[index as usize];
        if op.returned == NEVER {
            let supply = self.supplies.iter_mut().find(|(what, _)| *what == op.what);
            if let Some((_, unused)) = supply {
                unused.push_back(index);
            }
        } else if !self.is_placed[index as usize] {
            if is_satisfied(self.value, op.what) {
                self.push(index);
            } else {
                self.waiting.push(index);
            }
        }
    }

    fn place(&mut self, by: u32) -> Option<()> {
        let index = match by.checked_sub(SUPPLY) {
            None => by,
            Some(sort) => self.take(sort as usize)?,
        };
        let what = self.cells.ops[index as usize].what;
        if matches!(what, What::Write(_)) {
            self.let_go(|_, what| matches!(what, What::Write(_)));
        }
        self.push(index);
        self.value = what.writes().expect("what is placed writes");
        self.let_go(is_satisfied);
        Some(())
    }

    /// An unused operation of the `sort`. Of the writes that nobody asks for one is as good as another, and the sweep names
    /// only one of them.
    fn take(&mut self, sort: usize) -> Option<u32> {
        if let Some(index) = self.supplies[sort].1.pop_front() {
            return Some(index);
        }
        let is_nobodys = |what: What| matches!(what, What::Write(value) if self.asked[value as usize] == 0);
        if !is_nobodys(self.supplies[sort].0) {
            return None;
        }
        let other = |(what, unused): &&mut (What, VecDeque<u32>)| is_nobodys(*what) && !unused.is_empty();
        self.supplies.iter_mut().find(other)?.1.pop_front()
    }

    fn push(&mut self, index: u32) {
        if let Some(value) = tells(&self.cells.ops[index as usize]) {
            self.asked[value as usize] -= 1;
        }
        self.order.push(index);
    }

    fn let_go(&mut self, which: impl Fn(u32, What) -> bool) {
        let Replay {
            cells,
            value,
            waiting,
            order,
            asked,
            ..
        } = self;
        waiting.retain(|&index| {
            let op = &cells.ops[index as usize];
            let goes = which(*value, op.what);
            if goes {
                if let Some(value) = tells(op) {
                    asked[value as usize] -= 1;
                }
                order.push(index);
            }
            !goes
        });
    }
}

/// The value that `op` can tell from others: by what it finds, or since it may take its place while that value is held.
fn tells(op: &CellOp) -> Option<u32> {
    match op.what {
        What::Read(value) | What::Cas(value, _) | What::Miss(value) => Some(value),
        What::Write(value) => (op.returned != NEVER).then_some(value),
    }
}

/// Whether `what`, in flight, changes nothing while `value` is held, and may be so.
fn is_satisfied(value: u32, what: What) -> bool {
    match what {
        What::Read(read) | What::Write(read) => value == read,
        What::Miss(missed) => value != missed,
        What::Cas(..) => false,
    }
}
