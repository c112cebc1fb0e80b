//! Carries transactions out one after another, each when what it has read is there and nobody needs what it overwrites.
//!
//! Of registers, and of what nobody has read of lists; what is known of lists is in the graph. A transaction that writes nothing is carried out as soon as it can be: that is
//! in nobody's way. Which of several others is next is a choice, and where it ends nowhere the next one is tried.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::database::{Database, START};
use super::graph::{Graph, Sorted};
use super::infer::Inferred;
use super::level::{Nodes, committed};
use super::polygraph::Steps;

/// What a transaction needs and does.
#[derive(Clone, Debug, Default)]
struct Task {
    /// Keys that it has read, and from whom.
    reads: Vec<(u32, u32)>,
    writes: Vec<u32>,
    /// By when it should be done.
    due: u64,
    is_there: bool,
    /// Of a snapshot that was taken: who had written each of `writes` last.
    begun: Vec<u32>,
}

pub(super) struct Schedule {
    nodes: Nodes,
    tasks: Vec<Task>,
    sorted: Sorted,
    /// Nodes that have to be done before, and are not.
    waits: Vec<u32>,
    ready: Vec<u32>,
    /// Who has written each key last.
    held: Vec<u32>,
    /// How many have read a version of a key and are not done, by key and writer.
    readers: hashbrown::HashMap<(u32, u32), u32, FxBuildHasher>,
    left: usize,
    order: Vec<u32>,
    /// Each configuration from which something was tried, as the sum of a number for all that it consists of.
    tried: HashSet<u128, FxBuildHasher>,
    sum: u128,
}

/// What is done and may be undone.
struct Move {
    node: u32,
    before: Vec<(u32, u32)>,
    /// Its place among those that were ready, and how many became so.
    place: usize,
    pushed: usize,
}

/// A number for three (splitmix64, Steele et al. 2014, twice).
fn mixed(what: u32, of: u32, which: u32) -> u128 {
    let half = |salt: u64| {
        let mut mixed = (u64::from(what) << 32 | u64::from(of)) ^ (u64::from(which) << 17) ^ salt;
        for _ in 0..2 {
            mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
        }
        mixed
    };
    u128::from(half(0)) << 64 | u128::from(half(0x5bd1_e995))
}

const DONE: u32 = 0;
const HELD: u32 = 1;
const BEGUN: u32 = 2;

impl Schedule {
    pub(super) fn new(database: &Database<'_>, inferred: &Inferred, graph: &Graph, nodes: Nodes) -> Self {
        let txns = database.txns.len();
        let mut tasks = vec![Task::default(); txns];
        for txn in committed(inferred) {
            let task = &mut tasks[txn as usize];
            task.is_there = true;
            task.due = database.txns[txn as usize].returned.unwrap_or(u64::MAX);
        }
        for (key, writers) in inferred.writers.iter().enumerate() {
            for &writer in writers {
                tasks[writer as usize].writes.push(key as u32);
            }
        }
        for (key, writers) in inferred.unread.iter().enumerate() {
            if nodes.is_snapshot && writers.len() > 1 {
                for &writer in writers {
                    tasks[writer as usize].writes.push(key as u32);
                }
            }
        }
        let mut readers = hashbrown::HashMap::default();
        for view in &inferred.views {
            if !database.is_list[view.key as usize] {
                tasks[view.txn as usize].reads.push((view.key, view.writer));
                *readers.entry((view.key, view.writer)).or_default() += 1;
            }
        }
        let sorted = graph.sorted();
        let mut waits = vec![0; sorted.len()];
        for node in 0..sorted.len() as u32 {
            for &(to, _) in sorted.after(node) {
                waits[to as usize] += 1;
            }
        }
        let ready = (0..sorted.len() as u32)
            .filter(|&node| waits[node as usize] == 0)
            .collect();
        Schedule {
            nodes,
            left: sorted.len(),
            tasks,
            sorted,
            waits,
            ready,
            held: vec![START; database.keys.len()],
            readers,
            order: Vec::new(),
            tried: HashSet::default(),
            sum: 0,
        }
    }

    /// An order, or `None` within if there is none; `None` if the steps were spent.
    pub(super) fn run(&mut self, steps: &mut Steps) -> Option<Option<Vec<u32>>> {
        // Each choice that was made, and what is left to choose.
        let mut choices: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut moves: Vec<Move> = Vec::new();
        loop {
            self.settle(&mut moves, steps)?;
            if self.left == 0 {
                return Some(Some(self.order.clone()));
            }
            let mut next: Vec<u32> = Vec::new();
            if self.tried.insert(self.sum) {
                for &node in &self.ready {
                    steps.0 = steps.0.checked_sub(1)?;
                    if self.can(node) {
                        next.push(node);
                    }
                }
                // The one that is due first is tried first.
                next.sort_by_key(|&node| std::cmp::Reverse((self.due(node), node)));
            }
            choices.push((moves.len(), next));
            loop {
                let Some((length, next)) = choices.last_mut() else {
                    return Some(None);
                };
                let length = *length;
                while moves.len() > length {
                    let last = moves.pop().expect("longer");
                    self.undo(last);
                }
                match next.pop() {
                    Some(node) => {
                        let done = self.carry_out(node);
                        moves.push(done);
                        break;
                    }
                    None => drop(choices.pop()),
                }
            }
        }
    }

    /// Does all that is in nobody's way.
    fn settle(&mut self, moves: &mut Vec<Move>, steps: &mut Steps) -> Option<()> {
        loop {
            let mut found = None;
            for place in 0..self.ready.len() {
                steps.0 = steps.0.checked_sub(1)?;
                let node = self.ready[place];
                if self.is_harmless(node) && self.can(node) {
                    found = Some(node);
                    break;
                }
            }
            let Some(node) = found else { return Some(()) };
            let done = self.carry_out(node);
            moves.push(done);
        }
    }

    fn task(&self, node: u32) -> Option<(&Task, bool, bool)> {
        let txn = self.nodes.txn(node, self.tasks.len())?;
        let task = &self.tasks[txn as usize];
        task.is_there
            .then_some((task, self.nodes.begin(txn) == node, self.nodes.end(txn) == node))
    }

    fn due(&self, node: u32) -> u64 {
        self.task(node).map_or(0, |(task, ..)| task.due)
    }

    /// Whether doing it can keep nothing else from being done.
    fn is_harmless(&self, node: u32) -> bool {
        self.task(node).is_none_or(|(task, ..)| task.writes.is_empty())
    }

    fn can(&self, node: u32) -> bool {
        let Some((task, is_begin, is_end)) = self.task(node) else {
            return true;
        };
        let reads = !is_begin
            || task
                .reads
                .iter()
                .all(|&(key, writer)| self.held[key as usize] == writer);
        // Of two that write one key, one ends before the other begins.
        let is_alone = is_begin
            || !is_end
            || task
                .writes
                .iter()
                .zip(&task.begun)
                .all(|(&key, &held)| self.held[key as usize] == held);
        let writes = !is_end
            || is_alone
                && task.writes.iter().all(|&key| {
                    let held = self.held[key as usize];
                    let own = is_begin && task.reads.contains(&(key, held));
                    let waiting = self.readers.get(&(key, held)).copied().unwrap_or(0);
                    waiting == u32::from(own) * task.reads.iter().filter(|&&read| read == (key, held)).count() as u32
                });
        reads && writes
    }

    fn carry_out(&mut self, node: u32) -> Move {
        let mut before = Vec::new();
        if let Some(txn) = self.nodes.txn(node, self.tasks.len())
            && self.tasks[txn as usize].is_there
        {
            let (is_begin, is_end) = (self.nodes.begin(txn) == node, self.nodes.end(txn) == node);
            let task = &mut self.tasks[txn as usize];
            if is_begin {
                for read in &task.reads {
                    *self.readers.get_mut(read).expect("it is counted") -= 1;
                }
                if !is_end {
                    task.begun = task.writes.iter().map(|&key| self.held[key as usize]).collect();
                    for (&key, &held) in task.writes.iter().zip(&task.begun) {
                        self.sum = self.sum.wrapping_add(mixed(BEGUN ^ key << 2, txn, held));
                    }
                }
            }
            if is_end {
                for &key in &task.writes {
                    let held = std::mem::replace(&mut self.held[key as usize], txn);
                    before.push((key, held));
                    self.sum = self.sum.wrapping_sub(mixed(HELD, key, held));
                    self.sum = self.sum.wrapping_add(mixed(HELD, key, txn));
                }
                self.order.push(txn);
            }
        }
        self.left -= 1;
        self.sum = self.sum.wrapping_add(mixed(DONE, node, 0));
        let place = self.ready.iter().position(|&one| one == node).expect("it is ready");
        self.ready.swap_remove(place);
        let mut pushed = 0;
        for at in 0..self.sorted.after(node).len() {
            let to = self.sorted.after(node)[at].0;
            self.waits[to as usize] -= 1;
            if self.waits[to as usize] == 0 {
                self.ready.push(to);
                pushed += 1;
            }
        }
        Move {
            node,
            before,
            place,
            pushed,
        }
    }

    fn undo(&mut self, last: Move) {
        let Move {
            node,
            before,
            place,
            pushed,
        } = last;
        for at in 0..self.sorted.after(node).len() {
            self.waits[self.sorted.after(node)[at].0 as usize] += 1;
        }
        self.ready.truncate(self.ready.len() - pushed);
        self.ready.push(node);
        let end = self.ready.len() - 1;
        self.ready.swap(place, end);
        self.left += 1;
        self.sum = self.sum.wrapping_sub(mixed(DONE, node, 0));
        if let Some(txn) = self.nodes.txn(node, self.tasks.len())
            && self.tasks[txn as usize].is_there
        {
            let (is_begin, is_end) = (self.nodes.begin(txn) == node, self.nodes.end(txn) == node);
            if is_end {
                self.order.pop();
                for (key, writer) in before {
                    self.sum = self.sum.wrapping_sub(mixed(HELD, key, txn));
                    self.sum = self.sum.wrapping_add(mixed(HELD, key, writer));
                    self.held[key as usize] = writer;
                }
            }
            if is_begin {
                let task = &mut self.tasks[txn as usize];
                for read in &task.reads {
                    *self.readers.get_mut(read).expect("it is counted") += 1;
                }
                if !is_end {
                    for (&key, &held) in task.writes.iter().zip(&task.begun) {
                        self.sum = self.sum.wrapping_sub(mixed(BEGUN ^ key << 2, txn, held));
                    }
                    task.begun.clear();
                }
            }
        }
    }
}
