//! Shrinking a refusal to the operations that make it impossible.
//!
//! Deleting operations would not do: without the write, a read of its value is impossible for a reason that the history does
//! not have. So an operation that leaves the core is *set free* instead: its answer is forgotten, and it may take effect at
//! any moment after its call, any number of times, or never. That only ever allows more; what is still impossible then is
//! impossible because of the operations that remain. A core is *minimal* when setting free any single one of its operations
//! makes the rest explainable. (Setting free is monotone, so one pass over single operations is enough.)
//!
//! Owns the choice of what to set free; the search is the same as everywhere.

use super::search::{Outcome, search};
use super::timeline::Item;
use crate::models::Specification;

/// The core of an impossible set of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Core {
    /// Places in `items`, in order.
    pub(super) items: Vec<usize>,
    /// Whether setting free any one of them was shown to make the rest explainable.
    pub(super) is_minimal: bool,
}

/// Shrinks `items`, which a search has shown to be impossible.
pub(super) fn shrink<S: Specification>(
    specification: &S,
    steps: &[S::Step],
    items: &[Item],
    budget: &mut u64,
) -> Core {
    let mut kept: Vec<usize> = (0..items.len()).collect();
    let mut is_minimal = true;
    let mut test = |kept: &[usize]| {
        let relaxed = relax(specification, steps, items, kept);
        search(specification, steps, &relaxed, budget, 0)
    };
    // Long before the end nothing is usually needed: halves first, then ever smaller pieces, oldest first.
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < kept.len() {
            let end = (start + size).min(kept.len());
            let rest: Vec<usize> = kept[..start].iter().chain(&kept[end..]).copied().collect();
            match test(&rest) {
                Outcome::Impossible { .. } => kept = rest,
                Outcome::Exhausted { .. } if size == 1 => {
                    is_minimal = false;
                    start = end;
                }
                Outcome::Order(_) | Outcome::Exhausted { .. } => start = end,
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    Core { items: kept, is_minimal }
}

/// The items with all but `kept`, in ascending order, set free.
pub(super) fn relax<S: Specification>(specification: &S, steps: &[S::Step], items: &[Item], kept: &[usize]) -> Vec<Item> {
    let mut kept = kept.iter().copied().peekable();
    let mut relaxed = Vec::with_capacity(items.len());
    for (index, &item) in items.iter().enumerate() {
        if kept.next_if_eq(&index).is_some() {
            relaxed.push(item);
        } else if !specification.is_read_only(&steps[item.step as usize]) {
            relaxed.push(Item { returned: None, free: true, ..item });
        }
    }
    relaxed
}
