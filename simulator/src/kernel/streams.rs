//! The streams that a world draws from: the one list of them, from which each gets its key, its decisions are collected, and another
//! seed is given to all.
//!
//! A stream that is not in [`StreamName`] cannot be made here, and the match in [`Kernel::stream`] says where each one is kept; so
//! none can be forgotten where all are meant.

use super::Kernel;
use crate::decision::{Chance, Topic, Whom};
use crate::id::{ClientId, NodeId};
use crate::process::Payload;
use crate::random::Stream;

/// One stream of a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum StreamName {
    /// What links are like, and what becomes of messages on links that are not plain.
    Links,
    /// What becomes of messages.
    Network,
    /// Where frames are damaged.
    Damage,
    /// What disks do.
    Disk,
    /// Whom faults strike that leave it open.
    Faults,
    /// How long processes' own work takes.
    OwnWork,
    /// Which old messages the network keeps, and which come again.
    Replay,
    /// What a node's process asks for.
    Node(NodeId),
    /// What a client asks for.
    Client(ClientId),
}

impl StreamName {
    /// Those that are of no node and no client.
    const OF_WORLD: [Self; 7] = [
        Self::Links,
        Self::Network,
        Self::Damage,
        Self::Disk,
        Self::Faults,
        Self::OwnWork,
        Self::Replay,
    ];

    /// The name and number from which its key is derived. They are the meaning of every seed.
    fn key(self) -> (&'static str, u64) {
        match self {
            Self::Links => ("links", 0),
            Self::Network => ("network", 0),
            Self::Damage => ("damage", 0),
            Self::Disk => ("disk", 0),
            Self::Faults => ("faults", 0),
            Self::OwnWork => ("own-work", 0),
            Self::Replay => ("replay", 0),
            Self::Node(node) => ("node", node.0.into()),
            Self::Client(client) => ("workload", client.0.into()),
        }
    }

    /// What its decisions are about unless something else is said.
    fn subject(self) -> (Topic, Whom) {
        match self {
            Self::Links => (Topic::Link, Whom::World),
            Self::Network => (Topic::Loss, Whom::World),
            Self::Damage => (Topic::Frame, Whom::World),
            Self::Disk => (Topic::Sync, Whom::World),
            Self::Faults => (Topic::Target, Whom::World),
            Self::OwnWork => (Topic::OwnWork, Whom::World),
            Self::Replay => (Topic::Replay, Whom::World),
            Self::Node(node) => (Topic::Process, node.into()),
            Self::Client(client) => (Topic::Work, client.into()),
        }
    }

    /// The stream of this name in the run with this seed.
    pub fn drawn(self, seed: u64) -> Stream {
        let (name, index) = self.key();
        Stream::new(seed, name, index)
    }

    /// The same, with decisions that come from where `chance` says.
    pub fn of(self, seed: u64, chance: &Chance) -> Stream {
        let (topic, whom) = self.subject();
        self.drawn(seed).taped(chance, topic, whom)
    }
}

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// The names of all streams of this world, in the order in which their decisions are listed.
    pub(super) fn stream_names(&self) -> impl Iterator<Item = StreamName> + use<M, Q, R> {
        let nodes = self.node_ids().map(StreamName::Node);
        let clients = (0..self.client_count()).map(|client| StreamName::Client(ClientId(client)));
        StreamName::OF_WORLD.into_iter().chain(nodes).chain(clients)
    }

    /// Where a stream is kept that is drawn from.
    pub(super) fn stream(&self, name: StreamName) -> &Stream {
        match name {
            StreamName::Links => self.network.link_stream(),
            StreamName::Network => &self.network_stream,
            StreamName::Damage => &self.damage_stream,
            StreamName::Disk => &self.disk_stream,
            StreamName::Faults => &self.fault_stream,
            StreamName::OwnWork => &self.work_stream,
            StreamName::Replay => self.memory.stream(),
            StreamName::Node(node) => &self.nodes[node.index()].stream,
            StreamName::Client(client) => &self.clients[client.index()].stream,
        }
    }

    fn stream_mut(&mut self, name: StreamName) -> &mut Stream {
        match name {
            StreamName::Links => self.network.link_stream_mut(),
            StreamName::Network => &mut self.network_stream,
            StreamName::Damage => &mut self.damage_stream,
            StreamName::Disk => &mut self.disk_stream,
            StreamName::Faults => &mut self.fault_stream,
            StreamName::OwnWork => &mut self.work_stream,
            StreamName::Replay => self.memory.stream_mut(),
            StreamName::Node(node) => &mut self.nodes[node.index()].stream,
            StreamName::Client(client) => &mut self.clients[client.index()].stream,
        }
    }

    /// Draws all that is yet to be drawn from the streams of `seed`, which no world begins with.
    pub fn reseed(&mut self, seed: u64) {
        let seed = Stream::new(seed, "fork", u64::MAX).next_u64();
        for name in self.stream_names() {
            *self.stream_mut(name) = name.drawn(seed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WorldConfig;
    use crate::network::LinkConfig;
    use crate::process::Never;
    use crate::random::Ratio;

    type Plain = Kernel<Never, Never, Never>;

    fn kernel(links: LinkConfig) -> Plain {
        let mut config = WorldConfig::new(7);
        config.network.links = links;
        Plain::new(&config, 2, 2, crate::trace::Recorder::new(false, 0))
    }

    fn firsts(kernel: &Plain) -> Vec<(StreamName, u64)> {
        let first = |name| (name, kernel.stream(name).clone().next_u64());
        kernel.stream_names().map(first).collect()
    }

    #[test]
    fn every_stream_is_another_under_another_seed_and_none_is_shared() {
        let slow = LinkConfig {
            slow: Ratio::from_percent(50),
            ..LinkConfig::default()
        };
        for links in [LinkConfig::default(), slow] {
            let mut kernel = kernel(links);
            let original = firsts(&kernel);
            let mut all: Vec<u64> = original.iter().map(|(_, first)| *first).collect();
            for seed in 0..3 {
                kernel.reseed(seed);
                let other = firsts(&kernel);
                for ((name, before), (_, after)) in original.iter().zip(&other) {
                    assert_ne!(before, after, "{name:?} goes on as before under seed {seed}");
                }
                kernel.reseed(seed);
                assert_eq!(other, firsts(&kernel), "a seed is one future");
                all.extend(other.iter().map(|(_, first)| *first));
            }
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "two streams draw the same");
        }
    }

    #[test]
    fn every_stream_that_a_world_draws_from_is_on_the_list() {
        // Each field of the kernel that holds a stream shows it in its debug form.
        let config = WorldConfig::new(7);
        let mut kernel = Plain::new(&config, 2, 2, crate::trace::Recorder::new(false, 0));
        kernel.reseed(1);
        let kept = format!(
            "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
            kernel.network,
            kernel.network_stream,
            kernel.damage_stream,
            kernel.disk_stream,
            kernel.fault_stream,
            kernel.work_stream,
            kernel.memory,
            kernel.nodes,
            kernel.clients
        );
        assert_eq!(kept.matches("Stream {").count(), kernel.stream_names().count());
    }
}
