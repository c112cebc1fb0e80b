//! What is left to do until a cluster has recovered, and whether it becomes less.
//!
//! All of it is bounded and counted in one direction, each at its best so far: operations that clients are still to be served,
//! entries of the log as it was when the faults ended that a node has not got, not applied, or does not know to be committed,
//! bytes of a snapshot that is under way. So what moves for ever without coming any nearer is no progress. What clients have added to
//! the log since then counts where less of it is left than when it was last looked at.

use crate::system::System;
use crate::workloads::WorldOf;
use simulator::NodeId;
use std::collections::BTreeSet;

/// The best of each so far.
#[derive(Clone, Debug)]
pub struct Left {
    /// The longest log when the faults ended.
    entries: u64,
    nodes: Vec<Node>,
    /// The fewest operations that each client had before it.
    clients: Vec<usize>,
    /// How many entries the nodes had not committed or not got, all together, when it was last looked at.
    behind: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Node {
    up: bool,
    entries: u64,
    applied: u64,
    committed: u64,
    /// The last entry of the snapshot that it receives, and how much of it has come.
    snapshot: (u64, u64),
}

impl Left {
    /// As it is now.
    pub fn new<S: System>(system: &S, world: &WorldOf<S>) -> Self {
        let ends = |id: NodeId| world.process(id).map_or(0, |node| system.advance(node).has);
        let mut left = Self {
            entries: world.nodes().map(ends).max().unwrap_or(0),
            nodes: vec![Node::default(); world.nodes().count()],
            clients: Vec::new(),
            behind: u64::MAX,
        };
        left.has_moved(system, world, &BTreeSet::new());
        left
    }

    /// Looks again. Whether anything has become less since the last time.
    pub fn has_moved<S: System>(&mut self, system: &S, world: &WorldOf<S>, lost: &BTreeSet<NodeId>) -> bool {
        let mut has_moved = false;
        let mut ends: Vec<(u64, u64)> = Vec::new();
        for id in world.nodes().filter(|id| !lost.contains(id)) {
            let Some(process) = world.process(id) else { continue };
            let advance = system.advance(process);
            let now = Node {
                up: true,
                entries: advance.has.min(self.entries),
                applied: advance.applied.min(self.entries),
                committed: advance.decided.min(self.entries),
                snapshot: advance.receiving,
            };
            ends.push((advance.has, advance.decided));
            let best = &mut self.nodes[id.index()];
            let better = Node {
                up: true,
                entries: best.entries.max(now.entries),
                applied: best.applied.max(now.applied),
                committed: best.committed.max(now.committed),
                snapshot: best.snapshot.max(now.snapshot),
            };
            has_moved |= better != *best;
            *best = better;
        }
        let longest = ends.iter().map(|(last, _)| *last).max().unwrap_or(0);
        let behind = ends
            .iter()
            .map(|(last, commit)| (longest - last) + longest.saturating_sub(*commit))
            .sum();
        has_moved |= behind < std::mem::replace(&mut self.behind, behind);
        let clients = world.clients().filter_map(|client| world.client(client).client());
        for (number, client) in clients.enumerate() {
            let left = client.left_to_serve();
            match self.clients.get_mut(number) {
                Some(least) if left < *least => {
                    *least = left;
                    has_moved = true;
                }
                Some(_) => {}
                None => self.clients.push(left),
            }
        }
        has_moved
    }
}
