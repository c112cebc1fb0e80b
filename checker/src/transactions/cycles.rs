//! The shortest cycle of a component, of the kind that says most.

use std::collections::VecDeque;

use super::graph::{Edge, Sorted};
use super::level::Nodes;
use super::report::Cycle;

/// Most edges that are followed for one component.
const LOOKS_MAX: u64 = 4_000_000;

/// Which edges a cycle may have, the kinds with a worse name first.
#[derive(Clone, Copy)]
struct Kind {
    reads: bool,
    /// Most anti-dependencies: none, one, any.
    anti: u32,
    /// Whether the order of clients and real time may take part.
    order: bool,
}

const KINDS: [Kind; 8] = {
    const fn kind(reads: bool, anti: u32, order: bool) -> Kind {
        Kind { reads, anti, order }
    }
    [
        kind(false, 0, false),
        kind(true, 0, false),
        kind(true, 1, false),
        kind(true, u32::MAX, false),
        kind(false, 0, true),
        kind(true, 0, true),
        kind(true, 1, true),
        kind(true, u32::MAX, true),
    ]
};

impl Kind {
    fn takes(self, edge: Edge) -> bool {
        match edge {
            Edge::WriteWrite(_) | Edge::Step => true,
            Edge::WriteRead(_) | Edge::Seen(..) => self.reads,
            Edge::ReadWrite(_) => self.anti > 0,
            Edge::Session | Edge::RealTime => self.order,
        }
    }
}

/// The nodes of a component, numbered anew.
struct Part {
    nodes: Vec<u32>,
    after: Vec<Vec<(u32, Edge)>>,
}

/// The cycle to tell of `component`.
pub(super) fn shortest(sorted: &Sorted, component: &[u32], nodes: Nodes, txns: usize) -> Option<Cycle> {
    let mut numbers = component.to_vec();
    numbers.sort_unstable();
    let number = |node: u32| numbers.binary_search(&node).ok().map(|at| at as u32);
    let after = numbers.iter().map(|&node| {
        let inside = sorted
            .after(node)
            .iter()
            .filter_map(|&(to, edge)| Some((number(to)?, edge)));
        inside.collect()
    });
    let part = Part {
        after: after.collect(),
        nodes: numbers.clone(),
    };
    let mut looks = LOOKS_MAX;
    for kind in KINDS {
        if let Some(cycle) = part.shortest(kind, &mut looks) {
            return Some(part.told(&cycle, nodes, txns));
        }
    }
    None
}

impl Part {
    fn shortest(&self, kind: Kind, looks: &mut u64) -> Option<Vec<(u32, Edge)>> {
        let mut best: Option<Vec<(u32, Edge)>> = None;
        let mut best_weight = u32::MAX;
        if kind.anti == 1 {
            for (from, after) in self.after.iter().enumerate() {
                for &(to, edge) in after {
                    if !matches!(edge, Edge::ReadWrite(_)) {
                        continue;
                    }
                    let back = Kind { anti: 0, ..kind };
                    if let Some((weight, mut path)) = self.path(to, from as u32, back, best_weight, looks) {
                        path.insert(0, (from as u32, edge));
                        (best, best_weight) = (Some(path), weight);
                    }
                }
            }
            return best;
        }
        for start in 0..self.nodes.len() as u32 {
            if let Some((weight, path)) = self.path(start, start, kind, best_weight, looks) {
                (best, best_weight) = (Some(path), weight);
            }
        }
        best
    }

    /// The way from `from` to `to` with the least weight, if that is below `bound`; steps weigh nothing.
    fn path(&self, from: u32, to: u32, kind: Kind, bound: u32, looks: &mut u64) -> Option<(u32, Vec<(u32, Edge)>)> {
        let mut weights = vec![u32::MAX; self.nodes.len()];
        let mut came = vec![(u32::MAX, Edge::Step); self.nodes.len()];
        let mut queue = VecDeque::from([(from, 0u32)]);
        let mut is_first = true;
        while let Some((node, weight)) = queue.pop_front() {
            if weight >= bound || (!is_first && weights[node as usize] < weight) {
                continue;
            }
            if node == to && !is_first {
                let mut path = Vec::new();
                let mut at = to;
                loop {
                    let (before, edge) = came[at as usize];
                    path.push((before, edge));
                    at = before;
                    if at == from {
                        break;
                    }
                }
                path.reverse();
                return Some((weight, path));
            }
            if is_first && from != to {
                weights[from as usize] = 0;
            }
            is_first = false;
            for &(next, edge) in &self.after[node as usize] {
                *looks = looks.checked_sub(1)?;
                if !kind.takes(edge) {
                    continue;
                }
                let weighs = weight + u32::from(edge != Edge::Step);
                if weighs < weights[next as usize] {
                    weights[next as usize] = weighs;
                    came[next as usize] = (node, edge);
                    if edge == Edge::Step {
                        queue.push_front((next, weighs));
                    } else {
                        queue.push_back((next, weighs));
                    }
                }
            }
        }
        None
    }

    /// The cycle by its transactions: nodes that are none of one, and the two of one, are taken together.
    fn told(&self, cycle: &[(u32, Edge)], nodes: Nodes, txns: usize) -> Cycle {
        let txn = |place: u32| nodes.txn(self.nodes[place as usize], txns);
        let mut told: Cycle = Vec::new();
        // Begin at the first node of a transaction.
        let start = cycle.iter().position(|&(place, _)| txn(place).is_some()).unwrap_or(0);
        let mut why = Edge::Step;
        for step in 0..cycle.len() {
            let (place, edge) = cycle[(start + step) % cycle.len()];
            if let Some(txn) = txn(place) {
                match told.last_mut() {
                    Some(last) if last.0 == txn => {}
                    Some(last) => {
                        last.1 = why;
                        told.push((txn, Edge::Step));
                    }
                    None => told.push((txn, Edge::Step)),
                }
                why = Edge::Step;
            }
            if edge != Edge::Step {
                why = edge;
            }
        }
        if told.len() > 1 && told.first().map(|first| first.0) == told.last().map(|last| last.0) {
            told.pop();
        } else if let Some(last) = told.last_mut() {
            last.1 = why;
        }
        told
    }
}
