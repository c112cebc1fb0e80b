//! Refused compare-and-sets in an order of everything else: each goes to the earliest gap that holds another value.
//!
//! For a fixed order of the rest this is exact. The gaps that real time allows a miss are an interval whose lower end only
//! grows with its call; a value that is written once holds one stretch of the order, so at most one stretch is jumped over;
//! and a miss put as early as possible leaves the most room to those called after it has returned.
//!
//! Owns the gaps; what happens when there is none is decided by the caller's contradictions, or by [`windows`](super::windows).

use super::lower::{Cells, NONE, What};
use super::portfolio::Contradiction;
use super::windows::{self, Homeless};
use super::zones::Zones;

/// `order` with the misses in it. `None`: some miss has no gap, although no three operations contradict each other.
pub(super) fn place(zones: &Zones<'_>, order: Vec<u32>) -> Result<Option<Vec<u32>>, Contradiction> {
    let cells = zones.cells();
    let misses: Vec<u32> = (0..cells.ops.len() as u32)
        .filter(|&op| matches!(cells.ops[op as usize].what, What::Miss(_)))
        .collect();
    if misses.is_empty() {
        return Ok(Some(order));
    }
    let gaps = Gaps::new(cells, &order);
    let (mut placed, homeless) = gaps.fill(&misses);
    placed.sort_by_key(|&(gap, _)| gap);
    if homeless.is_empty() {
        return Ok(Some(merge(&order, &placed)));
    }
    let places = zones.places();
    for homeless in &homeless {
        if let Some(contradiction) = zones.miss_within(homeless.miss, &places) {
            return Err(contradiction);
        }
    }
    Ok(windows::arrange(cells, &order, &placed, &homeless))
}

/// The gaps of an order: gap `p` is before its `p`-th operation.
struct Gaps<'a> {
    cells: &'a Cells,
    order: &'a [u32],
    /// For each gap the latest call before it.
    called: Vec<u64>,
    /// For each gap the earliest return after it.
    returned: Vec<u64>,
    /// For each value the last operation in the order that leaves it.
    last: Vec<u32>,
}

impl<'a> Gaps<'a> {
    fn new(cells: &'a Cells, order: &'a [u32]) -> Self {
        let mut called = Vec::with_capacity(order.len() + 1);
        let mut last = vec![NONE; cells.values as usize];
        let mut latest = 0;
        called.push(latest);
        for (place, &op) in order.iter().enumerate() {
            let op = &cells.ops[op as usize];
            latest = latest.max(op.call);
            called.push(latest);
            if let Some(value) = op.what.leaves() {
                last[value as usize] = place as u32;
            }
        }
        let mut returned = vec![u64::MAX; order.len() + 1];
        for (place, &op) in order.iter().enumerate().rev() {
            returned[place] = returned[place + 1].min(cells.ops[op as usize].returned);
        }
        Gaps {
            cells,
            order,
            called,
            returned,
            last,
        }
    }

    fn held(&self, gap: usize) -> Option<u32> {
        match gap.checked_sub(1) {
            None => Some(self.cells.initial),
            Some(before) => self.cells.ops[self.order[before] as usize].what.leaves(),
        }
    }

    /// `(gap, miss)` by call, and the misses without a gap.
    fn fill(&self, misses: &[u32]) -> (Vec<(u32, u32)>, Vec<Homeless>) {
        let (mut placed, mut homeless) = (Vec::with_capacity(misses.len()), Vec::new());
        let mut earliest = 0;
        // No miss called after another had returned comes before it. Only those that had to jump can be in the way.
        let mut floor = 0;
        let mut jumped: Vec<(u64, usize)> = Vec::new();
        for &miss in misses {
            let op = &self.cells.ops[miss as usize];
            let What::Miss(value) = op.what else {
                unreachable!("only misses are placed here")
            };
            while self.returned[earliest] < op.call {
                earliest += 1;
            }
            jumped.retain(|&(returned, gap)| {
                if returned < op.call {
                    floor = floor.max(gap);
                }
                returned >= op.call
            });
            let mut gap = earliest.max(floor);
            if self.held(gap) == Some(value) {
                // Behind the operation that ends the stretch.
                gap = match self.last[value as usize] {
                    NONE => 1,
                    last => last as usize + 2,
                };
            }
            if gap > self.order.len() || self.called[gap] > op.returned {
                let last = self.called.partition_point(|&called| called <= op.returned);
                homeless.push(Homeless {
                    miss,
                    first: earliest,
                    last: last.saturating_sub(1).max(earliest),
                });
                continue;
            }
            if gap > earliest {
                jumped.push((op.returned, gap));
            }
            placed.push((gap as u32, miss));
        }
        (placed, homeless)
    }
}

/// `order` with each miss in its gap, those of one gap by call.
fn merge(order: &[u32], placed: &[(u32, u32)]) -> Vec<u32> {
    let mut merged = Vec::with_capacity(order.len() + placed.len());
    let mut start = 0;
    for &(gap, miss) in placed {
        merged.extend_from_slice(&order[start..gap as usize]);
        start = gap as usize;
        merged.push(miss);
    }
    merged.extend_from_slice(&order[start..]);
    merged
}
