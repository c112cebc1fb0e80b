//! Registers, of which nobody knows in which order they were written: of any two transactions that wrote one key, either is first.
//!
//! A choice that would close a cycle forces the other one (Papadimitriou's polygraphs; pruned as in Cobra, Tan et al. 2020); when both would,
//! there is no order. What is left open is decided by carrying the transactions out one after another, with what has to come first done first,
//! going back where that ends: the problem is NP-complete, so there is a budget.

use super::database::{Database, START};
use super::graph::{Edge, Graph};
use super::infer::Inferred;
use super::level::Nodes;

/// Most nodes of which it is kept who is after whom.
const NODES_MAX: usize = 1 << 14;

/// Steps of the search.
pub(super) struct Steps(pub(super) u64);

impl Steps {
    fn take(&mut self, count: u64) -> Option<()> {
        self.0 = self.0.checked_sub(count)?;
        Some(())
    }
}

/// Who is after whom.
struct After {
    words: usize,
    bits: Vec<u64>,
}

impl After {
    /// `None`: there are cycles, or too many nodes.
    fn new(graph: &Graph) -> Option<Self> {
        let sorted = graph.sorted();
        if sorted.len() > NODES_MAX {
            return None;
        }
        let order = sorted.order().ok()?;
        let words = sorted.len().div_ceil(64);
        let mut after = After {
            words,
            bits: vec![0; words * sorted.len()],
        };
        for &node in order.iter().rev() {
            for &(to, _) in sorted.after(node) {
                after.join(node as usize, to as usize);
            }
        }
        Some(after)
    }

    fn has(&self, from: u32, to: u32) -> bool {
        from == to || self.bits[from as usize * self.words + to as usize / 64] >> (to % 64) & 1 == 1
    }

    fn join(&mut self, from: usize, to: usize) {
        self.bits[from * self.words + to / 64] |= 1 << (to % 64);
        for word in 0..self.words {
            self.bits[from * self.words + word] |= self.bits[to * self.words + word];
        }
    }

    fn add(&mut self, from: u32, to: u32) {
        if self.has(from, to) {
            return;
        }
        for node in 0..(self.bits.len() / self.words) as u32 {
            if self.has(node, from) && !self.has(node, to) {
                self.join(node as usize, to as usize);
            }
        }
    }
}

/// Of one key: the transactions that wrote it, and who has read from each.
struct Key {
    key: u32,
    writers: Vec<(u32, Vec<u32>)>,
}

/// Of snapshots, what nobody has read has to be ordered too: of two transactions that write one key, one ends before the other begins.
fn keys(database: &Database<'_>, inferred: &Inferred, is_snapshot: bool) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let mut places = vec![usize::MAX; database.keys.len()];
    for (key, writers) in inferred.writers.iter().enumerate() {
        if !writers.is_empty() {
            places[key] = keys.len();
            let all = std::iter::once(START).chain(writers.iter().copied());
            keys.push(Key {
                key: key as u32,
                writers: all.map(|writer| (writer, Vec::new())).collect(),
            });
        }
    }
    for (key, writers) in inferred.unread.iter().enumerate() {
        if is_snapshot && writers.len() > 1 {
            let all = std::iter::once(START).chain(writers.iter().copied());
            keys.push(Key {
                key: key as u32,
                writers: all.map(|writer| (writer, Vec::new())).collect(),
            });
        }
    }
    for view in &inferred.views {
        if let Some(key) = keys.get_mut(places[view.key as usize])
            && let Ok(place) = key.writers.binary_search_by_key(&view.writer, |writer| writer.0)
        {
            key.writers[place].1.push(view.txn);
        }
    }
    keys
}

/// What came of it.
pub(super) enum Outcome {
    /// The transactions in an order; of snapshots in that of their ends.
    Order(Vec<u32>),
    /// A cycle is in the graph now.
    Cycle,
    /// Every order was tried.
    None,
    Unknown(&'static str),
}

pub(super) fn decide(
    database: &Database<'_>,
    inferred: &Inferred,
    graph: &mut Graph,
    nodes: Nodes,
    steps: &mut Steps,
) -> Outcome {
    let keys = keys(database, inferred, nodes.is_snapshot);
    // What was there at the start comes before all else.
    for key in &keys {
        let first = &key.writers[0].1;
        for &(writer, _) in &key.writers[1..] {
            for &reader in first {
                if reader != writer {
                    let (from, to) = nodes.ends(reader, writer, Edge::ReadWrite(key.key));
                    graph.add(from, to, Edge::ReadWrite(key.key));
                }
            }
        }
    }
    if graph.sorted().order().is_err() {
        return Outcome::Cycle;
    }
    if let Some(mut after) = After::new(graph) {
        match prune(&keys, graph, nodes, &mut after, steps) {
            Some(true) => {}
            Some(false) => return Outcome::Cycle,
            None => return Outcome::Unknown("the budget was spent before the order of the writes was found"),
        }
    }
    let mut schedule = super::schedule::Schedule::new(database, inferred, graph, nodes);
    match schedule.run(steps) {
        Some(Some(order)) => Outcome::Order(order),
        Some(None) => Outcome::None,
        None => Outcome::Unknown("the budget was spent before an order was found"),
    }
}

/// Takes every choice of which one side is impossible, until there is none. `false`: both sides of one are.
fn prune(keys: &[Key], graph: &mut Graph, nodes: Nodes, after: &mut After, steps: &mut Steps) -> Option<bool> {
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        for one in 1..key.writers.len() {
            steps.take(key.writers.len() as u64)?;
            open.extend((one + 1..key.writers.len()).map(|other| (index, one, other)));
        }
    }
    loop {
        let before = open.len();
        let mut left = Vec::with_capacity(before);
        for (index, one, other) in open {
            let key = &keys[index];
            steps.take(1 + (key.writers[one].1.len() + key.writers[other].1.len()) as u64 / 8)?;
            let may = |first: usize, second: usize| {
                let ((writer, readers), later) = (&key.writers[first], key.writers[second].0);
                !after.has(nodes.begin(later), nodes.end(*writer))
                    && !readers
                        .iter()
                        .any(|&reader| reader != later && after.has(nodes.end(later), nodes.begin(reader)))
            };
            let (first, second) = match (may(one, other), may(other, one)) {
                (true, true) => {
                    left.push((index, one, other));
                    continue;
                }
                (true, false) => (one, other),
                (false, true) => (other, one),
                (false, false) => {
                    // Either way there is a cycle: take one.
                    choose(key, one, other, graph, nodes, None);
                    return Some(false);
                }
            };
            steps.take((after.bits.len() / after.words) as u64 / 8)?;
            choose(key, first, second, graph, nodes, Some(after));
        }
        open = left;
        if open.len() == before || open.is_empty() {
            return Some(true);
        }
    }
}

/// Writes down that the first writer comes before the second, and so do those who have read from it.
fn choose(key: &Key, first: usize, second: usize, graph: &mut Graph, nodes: Nodes, mut after: Option<&mut After>) {
    let ((writer, readers), later) = (&key.writers[first], key.writers[second].0);
    let mut add = |from, to, edge| {
        let (from, to) = nodes.ends(from, to, edge);
        if after.as_ref().is_some_and(|after| after.has(from, to)) {
            return;
        }
        graph.add(from, to, edge);
        if let Some(after) = &mut after {
            after.add(from, to);
        }
    };
    add(*writer, later, Edge::WriteWrite(key.key));
    for &reader in readers.iter().filter(|&&reader| reader != later) {
        add(reader, later, Edge::ReadWrite(key.key));
    }
}
