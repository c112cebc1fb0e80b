//! Crashes at a disk operation: a fuse waits on a node, counts its writes, what it gives up, the starts of its syncs and their completions, and blows
//! at one of them.
//!
//! A process handles an event to its end whatever happens, so a fuse that blows voids the effects that are still to come of it;
//! the world then kills the process before anything else happens.

use super::Kernel;
use crate::exposure::FaultClass;
use crate::id::NodeId;
use crate::process::Payload;
use crate::random::Ratio;
use crate::time::Duration;

/// A crash that waits for a disk operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fuse {
    /// How many operations pass before.
    pub skip: u32,
    /// How much of the next one still happens, in parts per million.
    pub part: u32,
    pub restart_after: Option<Duration>,
}

impl Fuse {
    /// How many bytes of a write still happen.
    pub fn of(self, len: usize) -> usize {
        let kept = len as u64 * u64::from(self.part) / u64::from(Ratio::ONE.ppm());
        usize::try_from(kept).expect("it is at most the length")
    }
}

/// A node whose power has just been cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blown {
    pub node: NodeId,
    pub restart_after: Option<Duration>,
}

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// Puts a fuse on a node, in the place of one that waits there.
    pub fn put_fuse(&mut self, node: NodeId, fuse: Fuse) {
        let before = self.nodes[node.index()].fuse.replace(fuse);
        self.fuses += u32::from(before.is_none());
    }

    /// Takes all fuses away.
    pub fn take_fuses(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.fuse = None);
        self.fuses = 0;
    }

    /// Counts a disk operation of a node; gives the fuse that blows at it.
    #[cold]
    pub fn burn(&mut self, node: NodeId) -> Option<Fuse> {
        let fuse = self.nodes[node.index()].fuse.as_mut()?;
        if fuse.skip > 0 {
            fuse.skip -= 1;
            return None;
        }
        let fuse = *fuse;
        self.nodes[node.index()].fuse = None;
        self.fuses -= 1;
        self.exposure.add(FaultClass::DiskCrash);
        let restart_after = fuse.restart_after;
        self.blown = Some(Blown { node, restart_after });
        Some(fuse)
    }
}
