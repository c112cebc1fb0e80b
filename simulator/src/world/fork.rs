//! Another future for a world: a clone of it whose chance is another from here on.

use super::World;
use crate::process::Process;
use crate::random::Stream;

impl<P: Process> World<P> {
    /// From here on chance is that of another seed: in the network, at the disks, for processes and for clients. What has
    /// happened stays, and so do the plan of faults and all that is on its way.
    ///
    /// With a clone of a world at some moment, this gives as many futures of that moment as there are seeds.
    pub fn reseed(&mut self, seed: u64) {
        self.kernel.reseed(seed);
        for (index, host) in (0..).zip(&mut self.hosts) {
            if let Some(process) = &mut host.process {
                process.reseed(Stream::new(seed, "fork", index).next_u64());
            }
        }
    }
}
