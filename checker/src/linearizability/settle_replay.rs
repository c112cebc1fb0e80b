//! From the placements of a sweep to an order of all operations: what the sweep took silently gets its place.

use std::collections::VecDeque;

use super::lower::{Cells, NEVER, What};
use super::paths::{Placement, SUPPLY};

/// The order of `cells` in which the changes of value are `placements`; `supplies` are the sorts of operations of unknown outcome
/// as the sweep named them. `None` when more of a sort were used than had been called.
pub(super) fn order(cells: &Cells, by_return: &[u32], supplies: &[What], placements: &[Placement]) -> Option<Vec<u32>> {
    let mut replay = Replay {
        cells,
        value: cells.initial,
        waiting: Vec::new(),
        order: Vec::with_capacity(cells.ops.len()),
        supplies: supplies.iter().map(|&what| (what, VecDeque::new())).collect(),
        is_placed: vec![false; cells.ops.len()],
    };
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
    replay.waiting.is_empty().then_some(replay.order)
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
            let place = if is_satisfied(self.value, op.what) {
                &mut self.order
            } else {
                &mut self.waiting
            };
            place.push(index);
        }
    }

    fn place(&mut self, by: u32) -> Option<()> {
        let index = match by.checked_sub(SUPPLY) {
            None => by,
            Some(sort) => self.supplies[sort as usize].1.pop_front()?,
        };
        let what = self.cells.ops[index as usize].what;
        if matches!(what, What::Write(_)) {
            self.let_go(|_, what| matches!(what, What::Write(_)));
        }
        self.order.push(index);
        self.value = what.writes().expect("what is placed writes");
        self.let_go(is_satisfied);
        Some(())
    }

    fn let_go(&mut self, which: impl Fn(u32, What) -> bool) {
        let (cells, value, order) = (self.cells, self.value, &mut self.order);
        self.waiting.retain(|&index| {
            let goes = which(value, cells.ops[index as usize].what);
            if goes {
                order.push(index);
            }
            !goes
        });
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
