//! What becomes of a write that was never synced, or whose sync failed: kept, lost, or torn.

use super::{DiskConfig, SECTOR_BYTES, VolatileWrite};
use crate::random::{Ratio, Stream};

/// What a crash, or a failed sync, made of one volatile write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// This many bytes from its start survived.
    Torn(u64),
}

/// A volatile write whose fate was decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub offset: u64,
    pub len: u64,
    pub fate: Fate,
    /// The trace number of the write.
    pub seq: u64,
    /// Whether it was kept, in whole or in part, though an earlier one was not.
    pub overtook: bool,
    /// Whether a sync had said that it is durable.
    pub promised: bool,
}

/// Decides on the volatile writes of one disk, oldest first.
pub(super) struct Judge<'a> {
    config: &'a DiskConfig,
    stream: &'a mut Stream,
    /// No write before this one was lost or torn.
    intact: bool,
    reorders: bool,
}

impl<'a> Judge<'a> {
    /// Of `writes` writes. Whether they are reordered is drawn only when they may be.
    pub fn new(config: &'a DiskConfig, stream: &'a mut Stream, writes: usize) -> Self {
        let reorders = !config.reorder.is_zero() && writes > 1 && stream.chance(config.reorder);
        Self {
            config,
            stream,
            intact: true,
            reorders,
        }
    }

    /// The fate of the next write.
    pub fn decide(&mut self, write: &VolatileWrite) -> Outcome {
        let fate = if write.refused {
            self.short(write)
        } else if self.intact || self.reorders {
            self.draw(write)
        } else {
            Fate::Lost
        };
        let overtook = !self.intact && fate != Fate::Lost;
        self.intact &= fate == Fate::Kept;
        Outcome {
            offset: write.offset,
            len: write.len as u64,
            fate,
            seq: write.seq,
            overtook,
            promised: write.promised,
        }
    }

    /// There was no space for it: at best its beginning was written.
    fn short(&mut self, write: &VolatileWrite) -> Fate {
        match self.stream.below(2) {
            0 if self.intact => self.draw_tear(write),
            _ => Fate::Lost,
        }
    }

    fn draw(&mut self, write: &VolatileWrite) -> Fate {
        let draw = self.stream.below(u64::from(Ratio::ONE.ppm()));
        let lost = u64::from(self.config.lost.ppm());
        if draw < lost {
            Fate::Lost
        } else if draw < lost + u64::from(self.config.torn.ppm()) {
            self.draw_tear(write)
        } else {
            Fate::Kept
        }
    }

    /// Where a write breaks: at a sector's boundary inside it or at any byte, each half of the time.
    fn draw_tear(&mut self, write: &VolatileWrite) -> Fate {
        let len = write.len as u64;
        if len < 2 {
            return Fate::Lost;
        }
        let first = SECTOR_BYTES - write.offset % SECTOR_BYTES;
        if self.stream.below(2) == 0 && first < len {
            let boundaries = (len - 1 - first) / SECTOR_BYTES + 1;
            return Fate::Torn(first + SECTOR_BYTES * self.stream.below(boundaries));
        }
        Fate::Torn(self.stream.range(1, len - 1))
    }
}
