//! Another future for a world: a clone of it whose chance is another from here on.

use super::{Host, World};
use crate::client::ClientOf;
use crate::process::Process;
use crate::random::Stream;

impl<P: Process, C: ClientOf<P> + Clone> World<P, C> {
    /// A clone of this world, whose processes are copied by `copy`; `None` if it copies one of them to nothing. For processes that
    /// cannot be cloned, or some of which cannot.
    pub fn copied(&self, copy: &dyn Fn(&P) -> Option<P>) -> Option<Self> {
        let host = |host: &Host<P>| {
            Some(Host {
                config: host.config.clone(),
                process: match &host.process {
                    Some(process) => Some(copy(process)?),
                    None => None,
                },
            })
        };
        Some(Self {
            kernel: self.kernel.clone(),
            hosts: self.hosts.iter().map(host).collect::<Option<_>>()?,
            clients: self.clients.clone(),
            plan: self.plan.clone(),
            struck: self.struck.clone(),
            ..*self
        })
    }
}

impl<P: Process, C: ClientOf<P>> World<P, C> {
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
