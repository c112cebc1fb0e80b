//! The disk of one node: writes are volatile until a sync has completed, and a crash decides what is left of them.
//!
//! Owns the durable image, the writes that are not durable yet, the syncs under way, and what a crash makes of them. When a
//! sync completes is scheduled by `kernel`.
//!
//! A crash goes through the volatile writes in the order in which they were made. Each is kept, lost or torn, by the `disk`
//! stream; with the first that is lost or torn all later ones are lost too. So the image after a crash is what was synced, then
//! a prefix of the rest, torn at most once. Disks that reorder their volatile writes, lie about a sync, fill up or decay are
//! further fates for `Fate` and further states for `Disk`.

use crate::latency::Latency;
use crate::random::{Ratio, Stream};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Torn writes break at multiples of this many bytes of the file, or at any byte.
pub const SECTOR_BYTES: u64 = 512;

/// How disks behave. All nodes have the same sort of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskConfig {
    /// How long a sync takes. Its tail counts as a slow sync. Syncs of one node complete in the order of their calls.
    pub sync: Latency,
    /// How likely a volatile write is lost at a crash, with all later ones. At [`Ratio::ONE`] a crash loses all that was not
    /// synced, always.
    pub lost: Ratio,
    /// How likely a volatile write is torn at a crash: some bytes from its start survive, at least one and not all. A write of
    /// one byte cannot be torn and is lost instead. `lost` and `torn` together are at most one.
    pub torn: Ratio,
    /// The greatest size of a disk in bytes, and the greatest amount of volatile bytes. A process that exceeds it halts the
    /// world.
    pub max_bytes: u64,
}

impl Default for DiskConfig {
    /// Syncs take no time, crashes lose all that was not synced, disks hold 256 MiB.
    fn default() -> Self {
        Self {
            sync: Latency::default(),
            lost: Ratio::ONE,
            torn: Ratio::ZERO,
            max_bytes: 256 << 20,
        }
    }
}

/// Names one call of `sync`, for the process's own use. The world only hands it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncToken(pub u64);

/// What a disk really kept: a flat file of bytes, in which what was never written reads as zero.
#[derive(Clone, Copy, Debug)]
pub struct DiskImage<'a> {
    bytes: &'a [u8],
}

impl<'a> DiskImage<'a> {
    /// An image of these bytes, for tests of what boots from it.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// One past the last byte ever written and kept.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether the disk never kept anything.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes from `offset` on, at most `len` of them; fewer, or none, at the end of the image.
    pub fn read(&self, offset: u64, len: usize) -> &'a [u8] {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        let end = start.saturating_add(len).min(self.bytes.len());
        &self.bytes[start..end]
    }

    /// The whole image.
    pub fn as_slice(&self) -> &'a [u8] {
        self.bytes
    }
}

/// What a crash made of one volatile write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// This many bytes from its start survived.
    Torn(u64),
}

/// A volatile write whose fate a crash decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub offset: u64,
    pub len: u64,
    pub fate: Fate,
    /// The trace number of the write.
    pub seq: u64,
}

/// A sync that completed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub token: SyncToken,
    /// The trace number of the call.
    pub seq: u64,
}

#[derive(Clone, Copy, Debug)]
struct VolatileWrite {
    offset: u64,
    len: usize,
    seq: u64,
}

#[derive(Clone, Copy, Debug)]
struct PendingSync {
    token: SyncToken,
    /// The number of writes, since the start of the disk, that become durable with it.
    covers: u64,
    seq: u64,
}

/// A disk that would have to hold more than its configuration allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiskFull;

/// The disk of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    durable: Vec<u8>,
    /// Writes that are not durable, oldest first; their bytes lie one after the other in `bytes`, from `consumed` on.
    writes: VecDeque<VolatileWrite>,
    bytes: Vec<u8>,
    consumed: usize,
    /// Writes made and writes resolved since the start; `writes` are those between.
    made: u64,
    resolved: u64,
    /// In the order of their calls and of their completion.
    syncs: VecDeque<PendingSync>,
    /// When the latest sync under way completes: none may overtake it.
    last_completion: Time,
}

impl Disk {
    pub fn image(&self) -> DiskImage<'_> {
        DiskImage { bytes: &self.durable }
    }

    /// Lends the image to a process that boots from it. Until it is put back the disk takes writes and syncs, but completes
    /// nothing.
    pub fn take_image(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.durable)
    }

    pub fn put_image(&mut self, image: Vec<u8>) {
        assert!(self.durable.is_empty(), "disk: the image changed while it was lent");
        self.durable = image;
    }

    /// Makes a volatile write.
    pub fn write(&mut self, offset: u64, bytes: &[u8], seq: u64, max_bytes: u64) -> Result<(), DiskFull> {
        let end = offset.checked_add(bytes.len() as u64).ok_or(DiskFull)?;
        let volatile = (self.bytes.len() - self.consumed + bytes.len()) as u64;
        if end > max_bytes || volatile > max_bytes {
            return Err(DiskFull);
        }
        self.writes.push_back(VolatileWrite {
            offset,
            len: bytes.len(),
            seq,
        });
        self.bytes.extend_from_slice(bytes);
        self.made += 1;
        Ok(())
    }

    /// Starts a sync of all writes made so far, and says when it completes.
    pub fn sync(&mut self, token: SyncToken, seq: u64, now: Time, latency: Duration) -> Time {
        self.syncs.push_back(PendingSync {
            token,
            covers: self.made,
            seq,
        });
        self.last_completion = self.last_completion.max(now + latency);
        self.last_completion
    }

    /// Completes the oldest sync under way.
    pub fn complete(&mut self) -> Completion {
        let sync = self
            .syncs
            .pop_front()
            .expect("disk: a sync completes that nobody called");
        while self.resolved < sync.covers {
            let write = self
                .writes
                .pop_front()
                .expect("disk: a sync covers a write that nobody made");
            self.resolve(&write, write.len);
        }
        self.compact();
        Completion {
            token: sync.token,
            seq: sync.seq,
        }
    }

    /// Cuts the power: decides the fate of each volatile write, oldest first, and forgets the syncs under way.
    pub fn crash(&mut self, config: &DiskConfig, stream: &mut Stream, mut outcome: impl FnMut(Outcome)) {
        let mut intact = true;
        while let Some(write) = self.writes.pop_front() {
            let fate = if intact {
                draw_fate(&write, config, stream)
            } else {
                Fate::Lost
            };
            intact &= fate == Fate::Kept;
            let survives = match fate {
                Fate::Kept => write.len,
                Fate::Lost => 0,
                Fate::Torn(kept) => kept as usize,
            };
            self.resolve(&write, survives);
            outcome(Outcome {
                offset: write.offset,
                len: write.len as u64,
                fate,
                seq: write.seq,
            });
        }
        self.syncs.clear();
        self.last_completion = Time::ZERO;
        self.compact();
    }

    /// Puts the first `survives` bytes of the oldest volatile write into the image.
    fn resolve(&mut self, write: &VolatileWrite, survives: usize) {
        let source = self.consumed;
        self.consumed += write.len;
        self.resolved += 1;
        if survives == 0 {
            return;
        }
        let start = write.offset as usize;
        if self.durable.len() < start + survives {
            self.durable.resize(start + survives, 0);
        }
        self.durable[start..start + survives].copy_from_slice(&self.bytes[source..source + survives]);
    }

    /// Gives consumed bytes back, at a cost that is constant per byte.
    fn compact(&mut self) {
        if self.consumed == self.bytes.len() {
            self.bytes.clear();
            self.consumed = 0;
        } else if self.consumed > self.bytes.len() / 2 {
            self.bytes.drain(..self.consumed);
            self.consumed = 0;
        }
    }
}

fn draw_fate(write: &VolatileWrite, config: &DiskConfig, stream: &mut Stream) -> Fate {
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

#[cfg(test)]
mod tests;
