//! Registers whose observed values are each written once: zones with chains of compare-and-sets.
//!
//! The *cluster* of a value is its writer and its reads; nothing else can come between them. A compare-and-set that was done
//! glues the cluster that it found directly before the one that it begins, so a plain write begins a *block* of clusters with
//! a forced inner order. Block A must precede block B exactly when the earliest return in A, `f(A)`, is before the latest
//! call in B, `s(B)`.
//!
//! **Theorem.** The blocks can be put in order exactly when no two must precede each other. (Gibbons and Korach 1997, section
//! 4, for plain writes: zones. With blocks: take a cycle of "must precede", in it the block A of least f, and P that must
//! precede A. Then f(A) ≤ f(the one before P) < s(P), so A must precede P as well.)
//!
//! A compare-and-set of unknown outcome, or such a write, happened exactly when somebody saw its value; unseen it is left
//! out. Refused compare-and-sets change nothing: each gets the earliest gap in the order that holds another value. Where one
//! finds none although no three operations contradict each other, the method does not decide (`windows` tries again nearby).
//!
//! O(n log n) for the sorting of the blocks, linear for the rest.

use super::lower::{CellOp, Cells, NEVER, NONE, What};
use super::portfolio::{Contradiction, Decision};

/// A plain write with all that is glued to it, or the initial value with that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// The first of its operations in [`Zones::sequence`].
    start: u32,
    end: u32,
    /// Earliest return, and whose.
    returned: u64,
    returned_by: u32,
    /// Latest call, and whose.
    called: u64,
    called_by: u32,
}

/// The clusters of a register.
pub(super) struct Zones<'a> {
    cells: &'a Cells,
    /// For each value: whether anything asks for it.
    observed: Vec<bool>,
    /// For each observed value: its writer; the compare-and-set that took it; its first read.
    writer: Vec<u32>,
    taker: Vec<u32>,
    reads: Vec<u32>,
    /// For each read: the next one of its value.
    next_read: Vec<u32>,
    /// For each observed value: whether it must have been there.
    seen: Vec<bool>,
    /// Operations of the blocks, block by block, in their forced order.
    sequence: Vec<u32>,
    blocks: Vec<Block>,
}

/// Decides `cells`, or does not.
pub(super) fn decide(cells: &Cells) -> Decision {
    match order(cells) {
        Ok(Some(order)) => Decision::Order(order.into_iter().map(|op| cells.ops[op as usize].at).collect()),
        Ok(None) => Decision::Undecided,
        Err(contradiction) => Decision::Impossible(contradiction.map(|op| cells.ops[op as usize].at)),
    }
}

/// `None`: the method does not decide. `Err`: operations of `cells` that contradict each other.
fn order(cells: &Cells) -> Result<Option<Vec<u32>>, Contradiction> {
    let Some(mut zones) = Zones::new(cells)? else {
        return Ok(None);
    };
    zones.build()?;
    let blocks = zones.arrange()?;
    let mut order: Vec<u32> = Vec::with_capacity(cells.ops.len());
    for &block in &blocks {
        let Block { start, end, .. } = zones.blocks[block as usize];
        order.extend_from_slice(&zones.sequence[start as usize..end as usize]);
    }
    super::misses::place(&zones, &order)
}

impl<'a> Zones<'a> {
    /// The clusters. `None`: two operations write one observed value.
    fn new(cells: &'a Cells) -> Result<Option<Self>, Contradiction> {
        let values = cells.values as usize;
        let mut zones = Zones {
            cells,
            observed: vec![false; values],
            writer: vec![NONE; values],
            taker: vec![NONE; values],
            reads: vec![NONE; values],
            next_read: vec![NONE; cells.ops.len()],
            seen: vec![false; values],
            sequence: Vec::new(),
            blocks: Vec::new(),
        };
        for op in &cells.ops {
            if let What::Read(value) | What::Cas(value, _) | What::Miss(value) = op.what {
                zones.observed[value as usize] = true;
            }
        }
        let mut is_ambiguous = false;
        for (index, op) in cells.ops.iter().enumerate().rev() {
            if let Some(value) = op.what.writes().filter(|&value| zones.observed[value as usize]) {
                is_ambiguous |= value == cells.initial || zones.writer[value as usize] != NONE;
                zones.writer[value as usize] = index as u32;
            }
            if let What::Read(value) = op.what {
                zones.next_read[index] = zones.reads[value as usize];
                zones.reads[value as usize] = index as u32;
            }
        }
        if is_ambiguous {
            return Ok(None);
        }
        zones.see()?;
        Ok(Some(zones))
    }

    fn op(&self, index: u32) -> &'a CellOp {
        &self.cells.ops[index as usize]
    }

    /// Which values must have been there, and what took them: completed reads and compare-and-sets show it, and whatever
    /// brought a value that was there has happened.
    fn see(&mut self) -> Result<(), Contradiction> {
        let mut unsettled: Vec<u32> = Vec::new();
        for index in 0..self.cells.ops.len() as u32 {
            let op = self.op(index);
            let value = match op.what {
                What::Read(value) => value,
                What::Cas(from, _) if op.returned != NEVER => {
                    self.take(from, index)?;
                    from
                }
                _ => continue,
            };
            if !std::mem::replace(&mut self.seen[value as usize], true) {
                unsettled.push(value);
            }
        }
        while let Some(value) = unsettled.pop() {
            let writer = self.writer[value as usize];
            if writer == NONE || self.op(writer).returned != NEVER {
                continue;
            }
            if let What::Cas(from, _) = self.op(writer).what {
                self.take(from, writer)?;
                if !std::mem::replace(&mut self.seen[from as usize], true) {
                    unsettled.push(from);
                }
            }
        }
        Ok(())
    }

    /// The compare-and-set `by` found `value`. Only one can: the value does not come back.
    fn take(&mut self, value: u32, by: u32) -> Result<(), Contradiction> {
        let other = std::mem::replace(&mut self.taker[value as usize], by);
        if other == NONE {
            return Ok(());
        }
        let mut contradiction = Contradiction::default();
        for op in [other, by] {
            self.add_with_origin(&mut contradiction, op);
        }
        Err(contradiction)
    }

    /// Puts every operation that happened and is no miss into its block.
    fn build(&mut self) -> Result<(), Contradiction> {
        let mut left = 0;
        for op in &self.cells.ops {
            left += usize::from(
                matches!(op.what, What::Read(_)) || matches!(op.what, What::Cas(..)) && op.returned != NEVER,
            );
        }
        self.sequence.reserve(self.cells.ops.len());
        let mut placed = self.build_block(NONE)?;
        for index in 0..self.cells.ops.len() as u32 {
            let op = self.op(index);
            if let What::Write(value) = op.what
                && (op.returned != NEVER || self.observed[value as usize] && self.seen[value as usize])
            {
                placed += self.build_block(index)?;
            }
        }
        if placed == left { Ok(()) } else { Err(self.unwritten()) }
    }

    /// The block that the plain write `first` begins, or the initial value. How many completed reads and compare-and-sets it
    /// has.
    fn build_block(&mut self, first: u32) -> Result<usize, Contradiction> {
        let start = self.sequence.len() as u32;
        let mut block = Block {
            start,
            end: start,
            returned: if first == NONE { 0 } else { NEVER },
            returned_by: NONE,
            called: 0,
            called_by: NONE,
        };
        // Latest call of the segments before this one, and whose; a segment is a writer, or the reads of a value.
        let mut earlier = (0, NONE);
        let mut count = 0;
        let mut writer = first;
        loop {
            let mut value = self.cells.initial;
            if writer != NONE {
                let op = self.op(writer);
                count += usize::from(matches!(op.what, What::Cas(..)) && op.returned != NEVER);
                value = op.what.writes().expect("a writer writes");
                self.append(&mut block, writer, earlier)?;
                earlier = earlier.max((op.call, writer));
            }
            if !self.observed[value as usize] {
                break;
            }
            let mut latest = earlier;
            let mut read = self.reads[value as usize];
            while read != NONE {
                count += 1;
                self.append(&mut block, read, earlier)?;
                latest = latest.max((self.op(read).call, read));
                read = self.next_read[read as usize];
            }
            earlier = latest;
            writer = self.taker[value as usize];
            if writer == NONE {
                break;
            }
        }
        block.end = self.sequence.len() as u32;
        if block.start < block.end {
            self.blocks.push(block);
        }
        Ok(count)
    }

    fn append(&mut self, block: &mut Block, index: u32, earlier: (u64, u32)) -> Result<(), Contradiction> {
        let op = self.op(index);
        self.sequence.push(index);
        if op.returned < earlier.0 {
            return Err(self.too_late(earlier.1, index));
        }
        if op.returned < block.returned {
            (block.returned, block.returned_by) = (op.returned, index);
        }
        if op.call > block.called {
            (block.called, block.called_by) = (op.call, index);
        }
        Ok(())
    }

    /// The blocks in order, by index: again and again one that nothing left over must precede.
    fn arrange(&self) -> Result<Vec<u32>, Contradiction> {
        let count = self.blocks.len();
        let by = |key: fn(&Block) -> u64| {
            let mut order: Vec<(u64, u32)> = self.blocks.iter().map(key).zip(0..).collect();
            order.sort_unstable();
            order
        };
        let (by_call, by_return) = (by(|block| block.called), by(|block| block.returned));
        // `by_return` as a list, from which blocks are taken; `count` is its end.
        let mut next: Vec<u32> = (1..=count as u32).collect();
        let mut back: Vec<u32> = (0..count as u32).map(|place| place.wrapping_sub(1)).collect();
        let mut place_of = vec![0; count];
        for (place, &(_, block)) in by_return.iter().enumerate() {
            place_of[block as usize] = place as u32;
        }
        let mut head = 0;
        let mut emitted = vec![false; count];
        let mut order = Vec::with_capacity(count);
        let mut called = by_call.iter().map(|&(_, block)| block).peekable();
        while order.len() < count {
            while called.next_if(|&block| emitted[block as usize]).is_some() {}
            let &latest = called.peek().expect("a block is left");
            let least = by_return[head as usize].1;
            let second = by_return.get(next[head as usize] as usize).map(|&(_, block)| block);
            let fits = |block: u32| {
                let other = if block == least { second } else { Some(least) };
                other.is_none_or(|other| self.blocks[block as usize].called <= self.blocks[other as usize].returned)
            };
            let block = if fits(latest) {
                latest
            } else if fits(least) {
                least
            } else {
                return Err(self.entangled(least, second.expect("a block alone fits")));
            };
            emitted[block as usize] = true;
            order.push(block);
            let place = place_of[block as usize] as usize;
            let (before, after) = (back[place], next[place]);
            if let Some(link) = back.get_mut(after as usize) {
                *link = before;
            }
            match next.get_mut(before as usize) {
                Some(link) if before != NONE => *link = after,
                _ => head = after,
            }
        }
        Ok(order)
    }

    pub(super) fn cells(&self) -> &'a Cells {
        self.cells
    }
}

/// Contradictions.
impl Zones<'_> {
    /// `op`, and what brought the values that it needs.
    fn add_with_origin(&self, contradiction: &mut Contradiction, op: u32) {
        contradiction.add(op, self.op(op).returned);
        let mut needed = match self.op(op).what {
            What::Read(value) | What::Cas(value, _) => Some(value),
            What::Write(_) | What::Miss(_) => None,
        };
        // No longer than there are operations: a circle ends at what is there already.
        while let Some(value) = needed {
            let writer = self.writer[value as usize];
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
    fn add_witness(&self, contradiction: &mut Contradiction, value: u32) {
        let mut value = value;
        loop {
            let mut read = self.reads[value as usize];
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
            let taker = self.taker[value as usize];
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
    fn too_late(&self, earlier: u32, index: u32) -> Contradiction {
        let mut contradiction = Contradiction::default();
        self.add_with_origin(&mut contradiction, index);
        if matches!(self.op(earlier).what, What::Read(_)) {
            self.add_with_origin(&mut contradiction, earlier);
        } else {
            contradiction.add_context(earlier);
        }
        contradiction
    }

    /// Each of the two blocks must precede the other.
    fn entangled(&self, one: u32, other: u32) -> Contradiction {
        let mut contradiction = Contradiction::default();
        for block in [one, other] {
            let Block {
                returned_by, called_by, ..
            } = self.blocks[block as usize];
            for op in [returned_by, called_by] {
                if op != NONE {
                    self.add_with_origin(&mut contradiction, op);
                }
            }
        }
        contradiction
    }

    /// A value was there that nobody wrote, or that only came about by itself.
    fn unwritten(&self) -> Contradiction {
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
            if self.writer[value as usize] == NONE {
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
    pub(super) fn places(&self) -> Vec<u32> {
        let mut places = vec![NONE; self.cells.ops.len()];
        for (place, &op) in (0..).zip(&self.sequence) {
            places[op as usize] = place;
        }
        places
    }

    /// Three operations between which the missed value was there throughout the miss, if there are; `places` as of
    /// [`places`](Self::places).
    pub(super) fn miss_within(&self, miss: u32, places: &[u32]) -> Option<Contradiction> {
        let What::Miss(value) = self.op(miss).what else {
            unreachable!("only a miss misses")
        };
        let is_initial = value == self.cells.initial;
        if !is_initial && (self.writer[value as usize] == NONE || !self.seen[value as usize]) {
            return None;
        }
        let any = if is_initial {
            self.reads[value as usize]
        } else {
            self.writer[value as usize]
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
