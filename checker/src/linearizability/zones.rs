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

mod contradictions;

use super::lower::{CellOp, Cells, NEVER, NONE, What, by_time};
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

/// The operations of one value. Where nothing asks for it, its writers do not matter and are not kept.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    writer: u32,
    /// The compare-and-set that took it.
    taker: u32,
    /// Its first read.
    reads: u32,
    is_observed: bool,
    /// Whether it must have been there.
    is_seen: bool,
}

/// The clusters of a register.
pub(super) struct Zones<'a> {
    cells: &'a Cells,
    clusters: Vec<Cluster>,
    /// For each read: the next one of its value.
    next_read: Vec<u32>,
    /// How many completed reads and compare-and-sets there are.
    answers: usize,
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
    let order = zones.arrange()?;
    super::misses::place(&zones, order)
}

impl<'a> Zones<'a> {
    /// The clusters. `None`: two operations write one observed value.
    fn new(cells: &'a Cells) -> Result<Option<Self>, Contradiction> {
        let nothing = Cluster {
            writer: NONE,
            taker: NONE,
            reads: NONE,
            is_observed: false,
            is_seen: false,
        };
        let mut zones = Zones {
            cells,
            clusters: vec![nothing; cells.values as usize],
            next_read: vec![NONE; cells.ops.len()],
            answers: 0,
            sequence: Vec::new(),
            blocks: Vec::new(),
        };
        let mut open = Vec::new();
        // Two compare-and-sets that were done and found the same value.
        let mut taken_twice = None;
        for (index, op) in (0..).zip(&cells.ops) {
            let (value, is_answered) = match op.what {
                What::Read(value) => (value, true),
                What::Cas(value, _) => (value, op.returned != NEVER),
                What::Miss(value) => (value, false),
                What::Write(_) => continue,
            };
            let cluster = &mut zones.clusters[value as usize];
            cluster.is_observed = true;
            cluster.is_seen |= is_answered;
            zones.answers += usize::from(is_answered);
            if let What::Cas(..) = op.what {
                if !is_answered {
                    open.push(index);
                } else {
                    let other = std::mem::replace(&mut cluster.taker, index);
                    if other != NONE {
                        taken_twice.get_or_insert((other, index));
                    }
                }
            }
        }
        let mut is_ambiguous = false;
        for (index, op) in (0..cells.ops.len() as u32).zip(&cells.ops).rev() {
            if let Some(value) = op.what.writes() {
                let cluster = &mut zones.clusters[value as usize];
                if cluster.is_observed {
                    is_ambiguous |= value == cells.initial || cluster.writer != NONE;
                    cluster.writer = index;
                }
            }
            if let What::Read(value) = op.what {
                let first = &mut zones.clusters[value as usize].reads;
                zones.next_read[index as usize] = std::mem::replace(first, index);
            }
        }
        if is_ambiguous {
            return Ok(None);
        }
        if let Some((one, other)) = taken_twice {
            return Err(zones.taken_twice(one, other));
        }
        zones.see(&open)?;
        Ok(Some(zones))
    }

    fn op(&self, index: u32) -> &'a CellOp {
        &self.cells.ops[index as usize]
    }

    /// Of the compare-and-sets of unknown outcome, which happened: those whose value was there, and so what they found was.
    fn see(&mut self, open: &[u32]) -> Result<(), Contradiction> {
        for &open in open {
            let mut by = open;
            while let What::Cas(from, to) = self.op(by).what
                && self.op(by).returned == NEVER
                && self.clusters[to as usize].is_seen
                && self.clusters[from as usize].taker != by
            {
                let Cluster { taker, writer, .. } = self.clusters[from as usize];
                if taker != NONE {
                    return Err(self.taken_twice(taker, by));
                }
                self.clusters[from as usize].taker = by;
                if std::mem::replace(&mut self.clusters[from as usize].is_seen, true) || writer == NONE {
                    break;
                }
                by = writer;
            }
        }
        Ok(())
    }

    /// Two compare-and-sets found one value. Only one can: the value does not come back.
    fn taken_twice(&self, one: u32, other: u32) -> Contradiction {
        let mut contradiction = Contradiction::default();
        for op in [one, other] {
            self.add_with_origin(&mut contradiction, op);
        }
        contradiction
    }

    /// Puts every operation that happened and is no miss into its block.
    fn build(&mut self) -> Result<(), Contradiction> {
        self.sequence.reserve(self.cells.ops.len());
        let mut placed = self.build_block(NONE)?;
        for index in 0..self.cells.ops.len() as u32 {
            let op = self.op(index);
            if let What::Write(value) = op.what
                && (op.returned != NEVER || self.clusters[value as usize].is_seen)
            {
                placed += self.build_block(index)?;
            }
        }
        if placed == self.answers {
            Ok(())
        } else {
            Err(self.unwritten())
        }
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
            let cluster = self.clusters[value as usize];
            if !cluster.is_observed {
                break;
            }
            let mut latest = earlier;
            let mut read = cluster.reads;
            while read != NONE {
                count += 1;
                self.append(&mut block, read, earlier)?;
                latest = latest.max((self.op(read).call, read));
                read = self.next_read[read as usize];
            }
            earlier = latest;
            writer = cluster.taker;
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

    /// The operations of the blocks in an order of the blocks: again and again one that nothing left over must precede.
    fn arrange(&self) -> Result<Vec<u32>, Contradiction> {
        let count = self.blocks.len();
        let block = |index: u32| &self.blocks[index as usize];
        // The blocks by return as a list, from which they are taken.
        let by_return = by_time(count as u32, |index| block(index).returned);
        let (mut next, mut back) = (vec![NONE; count], vec![NONE; count]);
        for pair in by_return.windows(2) {
            next[pair[0] as usize] = pair[1];
            back[pair[1] as usize] = pair[0];
        }
        let mut least = by_return.first().copied().unwrap_or(NONE);
        drop(by_return);
        // The operations are by call, so these are the blocks by their latest call.
        let mut last_called = vec![NONE; self.cells.ops.len()];
        for (index, block) in (0..).zip(&self.blocks) {
            last_called[block.called_by as usize] = index;
        }
        let mut by_call = last_called.into_iter().filter(|&block| block != NONE).peekable();
        let mut is_emitted = vec![false; count];
        let mut order = Vec::with_capacity(self.cells.ops.len());
        while least != NONE {
            while by_call.next_if(|&block| is_emitted[block as usize]).is_some() {}
            let &latest = by_call.peek().expect("a block is left");
            let second = next[least as usize];
            let fits = |index: u32| {
                let other = if index == least { second } else { least };
                other == NONE || block(index).called <= block(other).returned
            };
            let chosen = if fits(latest) {
                latest
            } else if fits(least) {
                least
            } else {
                return Err(self.entangled(least, second));
            };
            is_emitted[chosen as usize] = true;
            let &Block { start, end, .. } = block(chosen);
            order.extend_from_slice(&self.sequence[start as usize..end as usize]);
            let (before, after) = (back[chosen as usize], next[chosen as usize]);
            if let Some(link) = back.get_mut(after as usize) {
                *link = before;
            }
            match next.get_mut(before as usize) {
                Some(link) => *link = after,
                None => least = after,
            }
        }
        Ok(order)
    }

    pub(super) fn cells(&self) -> &'a Cells {
        self.cells
    }
}
