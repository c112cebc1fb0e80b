//! What becomes of a write that was never synced, or whose sync failed: kept, lost, or torn.

use super::{DiskConfig, SECTOR_BYTES, VolatileWrite};
use crate::decision::Topic;
use crate::random::{Ratio, Stream};

/// What a crash, or a failed sync, made of one volatile write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// This many bytes from its start survived.
    Torn(u64),
}

impl Fate {
    /// As a decision of [`Topic::Fate`].
    fn number(self) -> u64 {
        match self {
            Self::Kept => 0,
            Self::Lost => 1,
            Self::Torn(survives) => 2 + survives,
        }
    }

    /// Of a write of `len` bytes. One that would keep all of them or none, because another write was meant, is torn no more.
    fn numbered(number: u64, len: u64) -> Self {
        match number {
            0 => Self::Kept,
            1 | 2 => Self::Lost,
            torn if torn - 2 < len => Self::Torn(torn - 2),
            _ => Self::Kept,
        }
    }
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
    /// Whether something was given up, and nothing written.
    pub discards: bool,
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
        stream.topic(Topic::WriteOrder);
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
        let fate = if write.refused || self.intact || self.reorders {
            self.decide_fate(write)
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
            discards: write.discards,
        }
    }

    /// One decision. Undecided, a write is kept if there was space for it.
    fn decide_fate(&mut self, write: &VolatileWrite) -> Fate {
        let (config, intact) = (self.config, self.intact);
        let neutral = if write.refused { Fate::Lost } else { Fate::Kept };
        self.stream.topic(Topic::Fate);
        let number = self.stream.decide(neutral.number(), |stream| {
            let fate = if write.refused {
                short(intact, write, stream)
            } else {
                draw(config, write, stream)
            };
            fate.number()
        });
        Fate::numbered(number, write.len as u64)
    }
}

/// There was no space for it: at best its beginning was written.
fn short(intact: bool, write: &VolatileWrite, stream: &mut Stream) -> Fate {
    match stream.below(2) {
        0 if intact => draw_tear(write, stream),
        _ => Fate::Lost,
    }
}

fn draw(config: &DiskConfig, write: &VolatileWrite, stream: &mut Stream) -> Fate {
    let draw = stream.below(u64::from(Ratio::ONE.ppm()));
    let lost = u64::from(config.lost.ppm());
    if draw < lost {
        Fate::Lost
    } else if draw < lost + u64::from(config.torn.ppm()) {
        draw_tear(write, stream)
    } else {
        Fate::Kept
    }
}

/// Where a write breaks: at a sector's boundary inside it or at any byte, each half of the time.
fn draw_tear(write: &VolatileWrite, stream: &mut Stream) -> Fate {
    let len = write.len as u64;
    if len < 2 {
        return Fate::Lost;
    }
    let first = SECTOR_BYTES - write.offset % SECTOR_BYTES;
    if stream.below(2) == 0 && first < len {
        let boundaries = (len - 1 - first) / SECTOR_BYTES + 1;
        return Fate::Torn(first + SECTOR_BYTES * stream.below(boundaries));
    }
    Fate::Torn(stream.range(1, len - 1))
}
