//! Streams of another seed, for a world that is to go on otherwise.

use super::Kernel;
use crate::process::Payload;
use crate::random::Stream;

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// Draws all that is yet to be drawn from the streams of `seed`, which no world begins with.
    pub fn reseed(&mut self, seed: u64) {
        let stream =
            |name: &str, index: usize| Stream::new(Stream::new(seed, "fork", u64::MAX).next_u64(), name, index as u64);
        self.network_stream = stream("network", 0);
        self.damage_stream = stream("damage", 0);
        self.disk_stream = stream("disk", 0);
        self.fault_stream = stream("faults", 0);
        for (index, node) in self.nodes.iter_mut().enumerate() {
            node.stream = stream("node", index);
        }
        for (index, client) in self.clients.iter_mut().enumerate() {
            client.stream = stream("workload", index);
        }
    }
}
