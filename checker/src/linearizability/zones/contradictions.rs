//! Which operations contradict each other where the blocks can't be put in order, as few of them as the case needs.

use super::{Block, Zones};
use crate::linearizability::lower::{NEVER, NONE, What};
use crate::linearizability::portfolio::Contradiction;

impl Zones<'_> {
    /// `op`, and what brought the values that it needs.
    pub(super) fn add_with_origin(&self, contradiction: &mut Contradiction, op: u32) {
        contradiction.add(op, self.op(op).returned);
        let mut needed = match self.op(op).what {
            What::Read(value) | What::Cas(value, _) => Some(value),
            What::Write(_) | What::Miss(_) => None,
        };
        // No longer than there are operations: a circle ends at what is there already.
        while let Some(value) = needed {
            let writer = self.clusters[value as usize].writer;
            if writer == NONE || contradiction.contains(writer) {
                break;
            }
            contradiction.add_context(writer);
            needed = match self.op(writer).what {
                What::Cas(from, _) => Some(from),
                _ => None,
            };
        }
        if self.op(op).returned == NEVER
            && let Some(value) = self.op(op).what.writes()
        {
            self.add_witness(contradiction, value);
        }
    }

    /// Completed operations that show that `value` was there.
    pub(super) fn add_witness(&self, contradiction: &mut Contradiction, value: u32) {
        let mut value = value;
        loop {
            let mut read = self.clusters[value as usize].reads;
            let mut first = NONE;
            while read != NONE {
                if first == NONE || self.op(read).returned < self.op(first).returned {
                    first = read;
                }
                read = self.next_read[read as usize];
            }
            if first != NONE {
                return contradiction.add(first, self.op(first).returned);
            }
            let taker = self.clusters[value as usize].taker;
            if taker == NONE || contradiction.contains(taker) {
                return;
            }
            contradiction.add(taker, self.op(taker).returned);
            if self.op(taker).returned != NEVER {
                return;
            }
            value = self.op(taker).what.writes().expect("a compare-and-set writes");
        }
    }

    /// `index` had returned when `earlier`, which comes first in their block, was called.
    pub(super) fn too_late(&self, earlier: u32, index: u32) -> Contradiction {
        let mut contradiction = Contradiction::default();
        self.add_with_origin(&mut contradiction, index);
        if matches!(self.op(earlier).what, What::Read(_)) {
            self.add_with_origin(&mut contradiction, earlier);
        } else {
            contradiction.add_context(earlier);
        }
        contradiction
    }

    /// Each of the two blocks must precede the other: in each, of the operations called after the other's first return, the one that
    /// returned first shows it.
    pub(super) fn entangled(&self, one: u32, other: u32) -> Contradiction {
        let mut contradiction = Contradiction::default();
        for (block, other) in [(one, other), (other, one)] {
            let Block {
                start,
                end,
                returned_by,
                called_by,
                ..
            } = self.blocks[block as usize];
            let after = self.blocks[other as usize].returned;
            let called = self.sequence[start as usize..end as usize]
                .iter()
                .copied()
                .filter(|&op| self.op(op).call > after)
                .min_by_key(|&op| self.op(op).returned);
            for op in [returned_by, called.unwrap_or(called_by)] {
                if op != NONE {
                    self.add_with_origin(&mut contradiction, op);
                }
            }
        }
        contradiction
    }

    /// A value was there that nobody wrote, or that only came about by itself.
    pub(super) fn unwritten(&self) -> Contradiction {
        let mut placed = vec![false; self.cells.ops.len()];
        self.sequence.iter().for_each(|&op| placed[op as usize] = true);
        // Of what was not placed, the first that needs a value without a writer; or else a circle.
        let mut circle = None;
        for (index, op) in self.cells.ops.iter().enumerate() {
            let (What::Read(value) | What::Cas(value, _)) = op.what else {
                continue;
            };
            if placed[index] || op.returned == NEVER {
                continue;
            }
            let mut contradiction = Contradiction::default();
            if self.clusters[value as usize].writer == NONE {
                contradiction.add(index as u32, op.returned);
                return contradiction;
            }
            circle.get_or_insert(index as u32);
        }
        let mut contradiction = Contradiction::default();
        self.add_with_origin(
            &mut contradiction,
            circle.expect("called when something was not placed"),
        );
        contradiction
    }

    /// The place of each operation in the blocks, one after another; [`NONE`] for those that are in none.
    pub(in crate::linearizability) fn places(&self) -> Vec<u32> {
        let mut places = vec![NONE; self.cells.ops.len()];
        for (place, &op) in (0..).zip(&self.sequence) {
            places[op as usize] = place;
        }
        places
    }

    /// Three operations between which the missed value was there throughout the miss, if there are; `places` as of
    /// [`places`](Self::places).
    pub(in crate::linearizability) fn miss_within(&self, miss: u32, places: &[u32]) -> Option<Contradiction> {
        let What::Miss(value) = self.op(miss).what else {
            unreachable!("only a miss misses")
        };
        let is_initial = value == self.cells.initial;
        if !is_initial && (self.clusters[value as usize].writer == NONE || !self.clusters[value as usize].is_seen) {
            return None;
        }
        let any = if is_initial {
            self.clusters[value as usize].reads
        } else {
            self.clusters[value as usize].writer
        };
        let place = *places.get(any as usize).filter(|&&place| place != NONE)?;
        let block = &self.blocks[self.blocks.partition_point(|block| block.end <= place)];
        let sequence = &self.sequence[block.start as usize..block.end as usize];
        // The operations that leave one value stand together, its writer first.
        let first = if is_initial { 0 } else { (place - block.start) as usize };
        let is_of = |&&op: &&u32| self.op(op).what.leaves() == Some(value);
        let last = first + sequence[first..].iter().take_while(is_of).count() - 1;
        let from = if is_initial {
            None
        } else {
            Some(*sequence[first..].iter().min_by_key(|&&op| self.op(op).returned)?)
        };
        let to = *sequence[..sequence.len().min(last + 2)]
            .iter()
            .max_by_key(|&&op| self.op(op).call)?;
        let is_within = from.is_none_or(|from| self.op(from).returned < self.op(miss).call)
            && self.op(miss).returned < self.op(to).call;
        is_within.then(|| {
            let mut contradiction = Contradiction::default();
            contradiction.add(miss, self.op(miss).returned);
            for op in from.into_iter().chain([to]) {
                self.add_with_origin(&mut contradiction, op);
            }
            contradiction
        })
    }
}
