//! Refused compare-and-sets that found no gap in an order: a piece of the order around each is arranged anew, with them in it.
//!
//! A piece that begins and ends where a block does can be put in any order of its own, as long as it respects real time within: what
//! stands before and behind stays there. The first value is the one that the piece finds, and what it leaves is wiped out by the
//! write behind it. So a piece with its misses is a small register of its own, which the settling sweep decides. A piece that is not
//! enough is made longer, a few times.
//!
//! Owns the choice of pieces. The order as a whole is held against real time and values before anybody sees it.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::budget::Budget;
use super::lower::{CellOp, Cells, NEVER, What, by_call};
use super::portfolio::Decision;
use super::settling;

/// Operations on each side of the gaps of a miss that a piece has at first, and at most.
const REACH: usize = 24;
const REACH_MAX: usize = 1 << 11;

/// Most writes of unknown outcome that are offered to one piece.
const BREAKERS_MAX: usize = 16;

/// Steps of the sweep for one piece.
const STEPS_MAX: u64 = 1 << 16;

/// A miss without a gap, and the gaps that real time allows it.
#[derive(Clone, Copy)]
pub(super) struct Homeless {
    pub(super) miss: u32,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// `order` with all misses: those `placed` as `(gap, miss)`, sorted, and the homeless ones. `None` when that was not found.
pub(super) fn arrange(cells: &Cells, order: &[u32], placed: &[(u32, u32)], homeless: &[Homeless]) -> Option<Vec<u32>> {
    let mut merged = Vec::with_capacity(cells.ops.len());
    let mut breakers = breakers(cells, order);
    let mut homeless: Vec<Homeless> = homeless.to_vec();
    homeless.sort_unstable_by_key(|homeless| homeless.first);
    let mut misses = placed.iter().peekable();
    let mut copied = 0;
    let mut next = 0;
    while next < homeless.len() {
        let mut reach = REACH;
        let (piece, start, end, after) = loop {
            let start = block_start(cells, order, homeless[next].first.saturating_sub(reach)).max(copied);
            let mut end = homeless[next].last;
            let mut after = next;
            // Others that want to be in the same piece.
            while after < homeless.len() && homeless[after].first <= end + reach {
                end = end.max(homeless[after].last);
                after += 1;
            }
            let end = block_end(cells, order, (end + reach).min(order.len()));
            let own = placed[placed.partition_point(|&(gap, _)| gap as usize <= start)..]
                .iter()
                .take_while(|&&(gap, _)| (gap as usize) < end);
            let with = own
                .map(|&(_, miss)| miss)
                .chain(homeless[next..after].iter().map(|homeless| homeless.miss));
            let ops: Vec<u32> = order[start..end].iter().copied().chain(with).collect();
            match arranged(cells, held(cells, order, start), &ops, &breakers) {
                Some(piece) => break (piece, start, end, after),
                None if reach >= REACH_MAX || start <= copied && end == order.len() => return None,
                None => reach *= 4,
            }
        };
        // What stands before the piece, and the misses in gaps up to its start.
        for place in copied..=start {
            while let Some(&(_, miss)) = misses.next_if(|&&(gap, _)| gap as usize <= place) {
                merged.push(miss);
            }
            merged.extend(order.get(place).filter(|_| place < start));
        }
        while misses.next_if(|&&(gap, _)| (gap as usize) < end).is_some() {}
        breakers.retain(|breaker| !piece.contains(breaker));
        merged.extend(piece);
        copied = end;
        next = after;
    }
    for place in copied..=order.len() {
        while let Some(&(_, miss)) = misses.next_if(|&&(gap, _)| gap as usize <= place) {
            merged.push(miss);
        }
        merged.extend(order.get(place));
    }
    is_legal(cells, &merged).then_some(merged)
}

/// The place at or before `place` at which a block begins.
fn block_start(cells: &Cells, order: &[u32], mut place: usize) -> usize {
    while place > 0 && !is_write(cells, order, place) {
        place -= 1;
    }
    place
}

/// The place at or behind `place` at which a block has ended.
fn block_end(cells: &Cells, order: &[u32], mut place: usize) -> usize {
    while place < order.len() && !is_write(cells, order, place) {
        place += 1;
    }
    place
}

fn is_write(cells: &Cells, order: &[u32], place: usize) -> bool {
    let op = order.get(place).map(|&op| cells.ops[op as usize].what);
    matches!(op, None | Some(What::Write(_)))
}

/// The value before the operation at `place`.
fn held(cells: &Cells, order: &[u32], place: usize) -> u32 {
    place
        .checked_sub(1)
        .and_then(|before| cells.ops[order[before] as usize].what.leaves())
        .unwrap_or(cells.initial)
}

/// Writes of unknown outcome that nobody saw: each may have taken effect anywhere before a write, and then a miss finds its value.
fn breakers(cells: &Cells, order: &[u32]) -> Vec<u32> {
    let mut is_placed = vec![false; cells.ops.len()];
    order.iter().for_each(|&op| is_placed[op as usize] = true);
    let is_breaker = |&op: &u32| {
        let CellOp { what, returned, .. } = cells.ops[op as usize];
        !is_placed[op as usize] && returned == NEVER && matches!(what, What::Write(_))
    };
    (0..cells.ops.len() as u32).filter(is_breaker).collect()
}

/// `ops` in an order of their own, with the first of `breakers` where they are needed.
fn arranged(cells: &Cells, initial: u32, ops: &[u32], breakers: &[u32]) -> Option<Vec<u32>> {
    let bound = ops.len();
    let ops: Vec<u32> = ops.iter().chain(breakers.iter().take(BREAKERS_MAX)).copied().collect();
    let mut names: HashMap<u32, u32, FxBuildHasher> = HashMap::default();
    let mut name = |value: u32| {
        let next = names.len() as u32;
        *names.entry(value).or_insert(next)
    };
    let initial = name(initial);
    let small: Vec<CellOp> = (0..)
        .zip(&ops)
        .map(|(at, &op)| {
            let op = cells.ops[op as usize];
            let what = match op.what {
                What::Read(value) => What::Read(name(value)),
                What::Write(value) => What::Write(name(value)),
                What::Cas(from, to) => What::Cas(name(from), name(to)),
                What::Miss(value) => What::Miss(name(value)),
            };
            // What happened without an answer happened, and within the piece.
            let is_bound = (at as usize) < bound;
            let returned = op.returned.min(if is_bound { NEVER - 1 } else { NEVER });
            CellOp {
                returned,
                what,
                at,
                ..op
            }
        })
        .collect();
    let small = Cells {
        compares: cells.compares,
        ops: by_call(small),
        values: names.len() as u32,
        initial,
    };
    match settling::decide(&small, &mut Budget::of_steps(STEPS_MAX)) {
        Decision::Order(order) => Some(order.into_iter().map(|at| ops[at as usize]).collect()),
        Decision::Impossible(_) | Decision::Undecided => None,
    }
}

/// Whether `order` respects real time, and every operation finds the value that it says.
fn is_legal(cells: &Cells, order: &[u32]) -> bool {
    let (mut value, mut latest) = (cells.initial, 0);
    order.iter().all(|&op| {
        let op = &cells.ops[op as usize];
        latest = op.call.max(latest);
        let fits = match op.what {
            What::Read(from) | What::Cas(from, _) => from == value,
            What::Miss(from) => from != value,
            What::Write(_) => true,
        };
        value = op.what.writes().unwrap_or(value);
        fits && op.returned >= latest
    })
}
