//! The damage budget: which nodes' disks a run may destroy. A protocol that replicates survives the loss of a minority's data and
//! no more, so a plan names the nodes that may lose something before it strikes any.

use crate::scenario::{Damage, Scenario};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use simulator::{NodeId, Stream};

/// The nodes whose durable data may be lost or changed, fixed for a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Damageable(u16);

impl Damageable {
    /// Draws them, out of `all` nodes of which `nodes` found the cluster: a minority of the smallest number of voters that the
    /// run can have, so that every configuration keeps a majority whose disks do what they say; or all of them, if the
    /// scenario lifts the budget.
    pub fn draw(scenario: &Scenario, nodes: u16, all: u16, seed: u64) -> Self {
        let mut order: Vec<u16> = (0..all).collect();
        if scenario.budget.damage == Damage::Minority {
            Stream::new(seed, "budget", 0).shuffle(&mut order);
            let fewest = scenario.fewest_voters(nodes.into()) as usize;
            order.truncate((fewest - 1) / 2);
        }
        Self(order.into_iter().fold(0, |mask, node| mask | 1 << node))
    }

    /// Whether a node is one of them.
    pub fn contains(self, node: u16) -> bool {
        node < 16 && self.0 >> node & 1 == 1
    }

    /// They, in order.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        (0..16).filter(move |node| self.contains(*node)).map(NodeId)
    }
}

impl Serialize for Damageable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Damageable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let nodes = Vec::<NodeId>::deserialize(deserializer)?;
        match nodes.iter().find(|node| node.0 >= 16) {
            Some(node) => Err(de::Error::custom(format!(
                "{node} is no node: a cluster has at most 10"
            ))),
            None => Ok(nodes.into_iter().collect()),
        }
    }
}

impl FromIterator<NodeId> for Damageable {
    /// Of nodes below 16.
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        Self(nodes.into_iter().fold(0, |mask, node| mask | 1 << node.0))
    }
}
