//! The placements that led to each configuration of a sweep, as a tree that is pruned to what survives.

use super::lower::NONE;

/// One placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// An operation; or, from [`SUPPLY`] on, one of a supply.
    pub(super) by: u32,
    /// The return at which it was placed.
    pub(super) event: u32,
}

/// The first of the names of supplies.
pub(super) const SUPPLY: u32 = 1 << 31;

/// Placements before the first pruning.
const PRUNE_AT_LEAST: usize = 1 << 16;

/// A tree of placements: a path is named by its last one, the empty path by [`NONE`].
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Each placement with the one before it, which has a smaller index.
    nodes: Vec<(u32, Placement)>,
    prune_at: usize,
}

impl Paths {
    pub(super) fn push(&mut self, path: u32, by: u32, event: u32) -> u32 {
        self.nodes.push((path, Placement { by, event }));
        self.nodes.len() as u32 - 1
    }

    /// Drops what none of `paths` needs, now and then, and renames them.
    pub(super) fn collect<'p>(&mut self, paths: impl Iterator<Item = &'p mut u32>) {
        if self.nodes.len() < self.prune_at.max(PRUNE_AT_LEAST) {
            return;
        }
        let paths: Vec<&mut u32> = paths.collect();
        let mut renamed = vec![NONE; self.nodes.len()];
        for path in &paths {
            let mut node = **path;
            // Any other name than `NONE` will do as a mark.
            while node != NONE && renamed[node as usize] == NONE {
                renamed[node as usize] = 0;
                node = self.nodes[node as usize].0;
            }
        }
        let mut kept = 0;
        for node in 0..self.nodes.len() {
            if renamed[node] != NONE {
                let (before, placement) = self.nodes[node];
                let before = if before == NONE { NONE } else { renamed[before as usize] };
                self.nodes[kept] = (before, placement);
                renamed[node] = kept as u32;
                kept += 1;
            }
        }
        self.nodes.truncate(kept);
        for path in paths {
            if *path != NONE {
                *path = renamed[*path as usize];
            }
        }
        self.prune_at = 2 * kept;
    }

    /// The placements of `path`, first to last.
    pub(super) fn of(&self, path: u32) -> Vec<Placement> {
        let mut placements = Vec::new();
        let mut node = path;
        while node != NONE {
            let (before, placement) = self.nodes[node as usize];
            placements.push(placement);
            node = before;
        }
        placements.reverse();
        placements
    }
}
