//! What is left to do until a cluster has recovered, and whether it becomes less.
//!
//! All of it is bounded and counted in one direction, each at its best so far: operations that clients are still to be served,
//! entries of the log as it was when the faults ended that a node has not got, not applied, or does not know to be committed,
//! bytes of a snapshot that is under way. So what moves for ever without coming any nearer is no progress.

use crate::systems::kv::KvNode;
use simulator::{NodeId, World};
use std::collections::BTreeSet;

/// The best of each so far.
#[derive(Clone, Debug)]
pub struct Left {
    /// The longest log when the faults ended.
    entries: u64,
    nodes: Vec<Node>,
    /// The fewest operations that each client had before it.
    clients: Vec<usize>,
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
    pub fn new(world: &World<KvNode>) -> Self {
        let ends = |id: NodeId| world.process(id).map_or(0, |node| node.raft().status().last_index);
        let mut left = Self {
            entries: world.nodes().map(ends).max().unwrap_or(0),
            nodes: vec![Node::default(); world.nodes().count()],
            clients: Vec::new(),
        };
        left.has_moved(world, &BTreeSet::new());
        left
    }

    /// Looks again. Whether anything has become less since the last time.
    pub fn has_moved(&mut self, world: &World<KvNode>, lost: &BTreeSet<NodeId>) -> bool {
        let mut has_moved = false;
        for id in world.nodes().filter(|id| !lost.contains(id)) {
            let Some(process) = world.process(id) else { continue };
            let status = process.raft().status();
            let now = Node {
                up: true,
                entries: status.last_index.min(self.entries),
                applied: status.applied.min(self.entries),
                committed: status.commit.min(self.entries),
                snapshot: process.raft().receiving().unwrap_or_default(),
            };
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
