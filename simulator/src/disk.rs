//! The disk of one node: writes are volatile until a sync has completed, and a crash decides what is left of them.
//!
//! Owns the volatile writes, the syncs under way, and the troubles that a disk may be in; the durable bytes are in `image`, what
//! becomes of a write in `fate`, and which bytes may decay in `settled`. When a sync completes is scheduled by `kernel`.
//!
//! A crash goes through the volatile writes in the order in which they were made. Each is kept, lost or torn, by the `disk`
//! stream; with the first that is lost or torn all later ones are lost too, unless the disk reorders. A sync that fails does
//! the same to the writes that it covers, as file systems do: a later sync that succeeds says nothing of them.
//!
//! What a process gives up at the start of its file stands among its writes, and meets the same fates; it cannot tear.
//!
//! Three troubles break the promise of a sync that completed: a sync may lie, a write may land elsewhere, and bytes decay.
//! `World::broken_promises` counts what came of them, for a harness that must know whom to believe.

mod config;
mod fate;
mod fault;
mod image;
mod settled;

use crate::latency::Latency;
use crate::random::Stream;
use crate::time::{Duration, Time};
pub use config::DiskConfig;
pub(crate) use fate::{Fate, Outcome};
pub use fault::DiskFault;
pub use image::DiskImage;
use image::Pages;
use serde::{Deserialize, Serialize};
use settled::Settling;
use std::collections::VecDeque;
use std::ops::Range;

/// Torn writes break at multiples of this many bytes of the file, or at any byte; sectors become unreadable as a whole.
pub const SECTOR_BYTES: u64 = 512;

/// How often a place for damage is looked for before it is given up.
const TRIES: u32 = 8;

/// Names one call of `sync`, for the process's own use. The world only hands it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncToken(pub u64);

/// Why a sync failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum DiskError {
    /// The device failed; what was written since the last sync that completed is in doubt.
    #[error("the sync failed with an I/O error: what it covers may be kept, lost or torn")]
    Io,
    /// There was no space for one of the writes.
    #[error("the sync failed because the disk is full: what it covers may be kept, lost or cut short")]
    NoSpace,
}

/// A sync that came to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub token: SyncToken,
    /// The trace number of the call.
    pub seq: u64,
    pub error: Option<DiskError>,
}

/// How a sync is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Durable,
    Lie,
    Fail(DiskError),
}

#[derive(Clone, Copy, Debug)]
struct VolatileWrite {
    /// Of something that is given up: where that ends.
    offset: u64,
    len: usize,
    seq: u64,
    /// Nothing is written: what lies before `offset` is given up.
    discards: bool,
    /// There was no space for it: the next sync fails.
    refused: bool,
    /// A sync has said that it is durable.
    promised: bool,
}

#[derive(Clone, Copy, Debug)]
struct PendingSync {
    token: SyncToken,
    /// The number of writes, since the start of the disk, that become durable with it.
    covers: u64,
    seq: u64,
}

/// What is wrong with a disk for a time, or once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    /// Until then every sync fails.
    pub error_until: Time,
    /// Until then there is no space for writes beyond the end.
    pub full_until: Time,
    /// Until then every sync lies.
    pub lie_until: Time,
    /// No sync completes now.
    pub stalled: bool,
    /// Numbers the stalls: the end of an earlier one is void.
    pub stalls: u32,
    /// How many syncs are due and held up.
    pub held: u32,
    /// The next write that becomes durable lands elsewhere.
    pub misdirects: bool,
}

/// A disk that would have to hold more than its configuration allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiskFull;

/// The disk of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    durable: Pages,
    /// Writes that are not durable, oldest first; their bytes lie one after the other in `bytes`, from `consumed` on.
    writes: VecDeque<VolatileWrite>,
    bytes: Vec<u8>,
    consumed: usize,
    /// Writes made and writes resolved since the start; `writes` are those between.
    made: u64,
    resolved: u64,
    /// How many of those made, and of those resolved, only gave something up: they vouch for nothing.
    discards_made: u64,
    discards_resolved: u64,
    /// In the order of their calls and of their completion.
    syncs: VecDeque<PendingSync>,
    /// When the latest sync under way completes: none may overtake it.
    last_completion: Time,
    settling: Settling,
    /// Where the last write belonged that landed elsewhere.
    astray: Option<Range<u64>>,
    pub troubles: Troubles,
    broken_promises: u64,
}

impl Disk {
    pub fn image(&self) -> DiskImage<'_> {
        DiskImage::of(&self.durable)
    }

    /// Bytes of memory that the disk takes, shared pages included.
    pub fn resident(&self) -> usize {
        self.durable.resident() + self.bytes.capacity() + self.writes.capacity() * size_of::<VolatileWrite>()
    }

    /// How often something was lost or changed that a completed sync had made durable.
    pub fn broken_promises(&self) -> u64 {
        self.broken_promises
    }

    /// Lends the image to a process that boots from it. Until it is put back the disk takes writes and syncs, but completes
    /// nothing.
    pub fn take_image(&mut self) -> Pages {
        let shell = self.durable.shell();
        std::mem::replace(&mut self.durable, shell)
    }

    pub fn put_image(&mut self, image: Pages) {
        assert!(
            self.durable.resident() == 0 && (self.durable.start(), self.durable.len()) == (image.start(), image.len()),
            "disk: the image changed while it was lent"
        );
        self.durable = image;
    }

    /// Makes a volatile write; for want of space it may come to nothing, which the next sync tells.
    pub fn write(&mut self, offset: u64, bytes: &[u8], seq: u64, now: Time, max_bytes: u64) -> Result<(), DiskFull> {
        let end = offset.checked_add(bytes.len() as u64).ok_or(DiskFull)?;
        let volatile = (self.bytes.len() - self.consumed + bytes.len()) as u64;
        if end.saturating_sub(self.durable.start()) > max_bytes || volatile > max_bytes {
            return Err(DiskFull);
        }
        let refused = now < self.troubles.full_until && end > self.durable.len();
        self.writes.push_back(VolatileWrite {
            offset,
            len: bytes.len(),
            seq,
            discards: false,
            refused,
            promised: false,
        });
        self.bytes.extend_from_slice(bytes);
        self.made += 1;
        Ok(())
    }

    /// Gives up, in its turn among the writes, what lies before `end`; as volatile as they are.
    pub fn discard(&mut self, end: u64, seq: u64) {
        self.writes.push_back(VolatileWrite {
            offset: end,
            len: 0,
            seq,
            discards: true,
            refused: false,
            promised: false,
        });
        self.made += 1;
        self.discards_made += 1;
    }

    /// The bytes from `offset` on, at most `len` of them, as a process reads them back: what is volatile lies over what is durable.
    pub fn read(&self, offset: u64, len: usize) -> Vec<u8> {
        let mut out = self.image().read(offset, len);
        let until = offset.saturating_add(len as u64);
        let written = self.writes.iter().filter(|write| !write.refused && write.len > 0);
        let end = written.map(|write| write.offset + write.len as u64).max().unwrap_or(0);
        // What lies between the end of the file and a write beyond it is zero.
        out.resize(out.len().max(end.min(until).saturating_sub(offset) as usize), 0);
        let mut from = self.consumed;
        for write in &self.writes {
            let bytes = &self.bytes[from..from + write.len];
            from += write.len;
            let (start, end) = (write.offset, write.offset + write.len as u64);
            if write.discards {
                let given_up = write.offset.clamp(offset, offset + out.len() as u64) - offset;
                out[..given_up as usize].fill(0);
            } else if !write.refused && start < until && end > offset {
                let (first, last) = (start.max(offset), end.min(until));
                let part = &bytes[(first - start) as usize..(last - start) as usize];
                out[(first - offset) as usize..(last - offset) as usize].copy_from_slice(part);
            }
        }
        out
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

    /// How the oldest sync under way ends. Whether it fails by chance is drawn only when it may.
    pub fn ending(&self, config: &DiskConfig, stream: &mut Stream, now: Time) -> Ending {
        let by_chance = !config.error.is_zero() && stream.chance(config.error);
        if now < self.troubles.error_until || by_chance {
            Ending::Fail(DiskError::Io)
        } else if self.covered().any(|write| write.refused) {
            Ending::Fail(DiskError::NoSpace)
        } else if now < self.troubles.lie_until {
            Ending::Lie
        } else {
            Ending::Durable
        }
    }

    /// The oldest sync under way, as it would complete.
    pub fn due(&self) -> Completion {
        let sync = self.syncs.front().expect("disk: a sync is due that nobody called");
        sync.done(None)
    }

    fn covered(&self) -> impl Iterator<Item = &VolatileWrite> {
        let covers = self.syncs.front().map_or(0, |sync| sync.covers);
        self.writes.iter().take(covers.saturating_sub(self.resolved) as usize)
    }

    fn pop_sync(&mut self) -> PendingSync {
        self.syncs
            .pop_front()
            .expect("disk: a sync completes that nobody called")
    }

    /// Completes the oldest sync under way: what it covers is durable. Gives the place where a write landed by mistake.
    pub fn complete(&mut self, config: &DiskConfig, stream: &mut Stream, now: Time) -> (Completion, Option<u64>) {
        let sync = self.pop_sync();
        let mut landed = None;
        while self.resolved < sync.covers {
            let write = self.pop_write();
            let bytes = write.offset..write.offset + write.len as u64;
            let astray = self
                .troubles
                .misdirects
                .then(|| self.astray(&bytes, config, stream, now))
                .flatten();
            if astray.is_some() {
                self.troubles.misdirects = false;
                self.astray = Some(bytes.clone());
                self.broken_promises += 1;
            }
            landed = landed.or(astray);
            let offset = astray.unwrap_or(write.offset);
            self.resolve(&VolatileWrite { offset, ..write }, Some(write.len));
            if !write.discards {
                self.settling.add(bytes, now, config.settle_age, self.vouchers());
            }
            if let Some(astray) = astray {
                // It was written just now, wherever it is: nothing that follows vouches for it yet.
                let bytes = astray..astray + write.len as u64;
                self.settling.add(bytes, now, config.settle_age, self.vouchers());
            }
        }
        self.compact();
        (sync.done(None), landed)
    }

    /// Says that the oldest sync under way is complete, and leaves its writes volatile. Gives how many.
    pub fn lie(&mut self) -> (Completion, u64) {
        let sync = self.pop_sync();
        let covered = sync.covers.saturating_sub(self.resolved) as usize;
        let promised = self.writes.iter_mut().take(covered);
        let promised = promised.map(|write| write.promised = true).count();
        (sync.done(None), promised as u64)
    }

    /// Fails the oldest sync under way: each write that it covers meets its fate, and is not volatile any more.
    pub fn fail(
        &mut self,
        error: DiskError,
        config: &DiskConfig,
        stream: &mut Stream,
        outcome: impl FnMut(Outcome),
    ) -> Completion {
        let sync = self.pop_sync();
        self.decide(sync.covers, config, stream, outcome);
        sync.done(Some(error))
    }

    /// Cuts the power: decides the fate of each volatile write, and forgets the syncs under way.
    pub fn crash(&mut self, config: &DiskConfig, stream: &mut Stream, outcome: impl FnMut(Outcome)) {
        self.decide(self.made, config, stream, outcome);
        self.syncs.clear();
        self.last_completion = Time::ZERO;
        self.troubles.held = 0;
    }

    /// Takes away all that is durable. The process is down, so nothing is volatile. Gives whether there was anything.
    pub fn erase(&mut self) -> bool {
        assert!(
            self.writes.is_empty(),
            "disk: it is erased while there are volatile writes"
        );
        let held = self.durable.len() > 0;
        self.broken_promises += u64::from(held);
        self.durable = Pages::default();
        self.settling = Settling::default();
        self.astray = None;
        held
    }

    /// Decides on the volatile writes up to the number `covers`, oldest first.
    fn decide(&mut self, covers: u64, config: &DiskConfig, stream: &mut Stream, mut outcome: impl FnMut(Outcome)) {
        let count = covers.saturating_sub(self.resolved) as usize;
        let mut judge = fate::Judge::new(config, stream, count);
        for _ in 0..count {
            let write = self.pop_write();
            let decided = judge.decide(&write);
            let survives = match decided.fate {
                Fate::Kept => Some(write.len),
                Fate::Lost => None,
                Fate::Torn(kept) => Some(kept as usize),
            };
            self.broken_promises += u64::from(decided.promised && survives.unwrap_or(0) < write.len);
            self.resolve(&write, survives);
            outcome(decided);
        }
        self.settling.shaken(self.made - self.discards_made);
        self.compact();
    }

    /// The process has been told of every sync that completed.
    pub fn told(&mut self) {
        self.settling.told(self.made - self.discards_made);
    }

    /// Flips a few bits near each other, in bytes that have settled. Gives the place of the first; none if there is none.
    pub fn rot(&mut self, config: &DiskConfig, stream: &mut Stream, now: Time) -> Option<u64> {
        let first = self.settled_place(1, config, stream, now)?.start;
        let mut offset = first;
        for _ in 0..stream.range(1, 8) {
            self.durable.flip(offset, stream.below(8) as u8);
            offset += stream.range(1, 4);
            if !self.has_settled(&(offset..offset + 1), config, now) {
                break;
            }
        }
        self.broken_promises += 1;
        Some(first)
    }

    /// Makes a settled sector unreadable. Gives its first byte; none if there is none.
    pub fn lose_sector(&mut self, config: &DiskConfig, stream: &mut Stream, now: Time) -> Option<u64> {
        let place = self.settled_place(1, config, stream, now)?;
        let sector = place.start / SECTOR_BYTES;
        let bytes = sector * SECTOR_BYTES..((sector + 1) * SECTOR_BYTES).min(self.durable.len());
        if !self.has_settled(&bytes, config, now) {
            return None;
        }
        self.durable.lose_sector(sector);
        self.broken_promises += 1;
        Some(bytes.start)
    }

    /// Where a write that belongs at `bytes` lands by mistake; none if nothing has settled that it could fall on, or if it may
    /// be the one that vouches for the last that went astray.
    fn astray(&self, bytes: &Range<u64>, config: &DiskConfig, stream: &mut Stream, now: Time) -> Option<u64> {
        if self
            .astray
            .as_ref()
            .is_some_and(|last| !self.has_settled(last, config, now))
        {
            return None;
        }
        let place = self.settled_place(bytes.end - bytes.start, config, stream, now)?;
        let apart = place.end <= bytes.start || bytes.end <= place.start;
        apart.then_some(place.start)
    }

    /// A random range of `len` bytes that has settled.
    fn settled_place(&self, len: u64, config: &DiskConfig, stream: &mut Stream, now: Time) -> Option<Range<u64>> {
        let first = self.durable.start();
        let room = (self.durable.len() + 1 - first)
            .checked_sub(len)
            .filter(|room| *room > 0 && len > 0)?;
        let mut draw = || {
            let start = first + stream.below(room);
            start..start + len
        };
        let mut places = (0..TRIES).map(|_| draw());
        places.find(|place| self.has_settled(place, config, now))
    }

    fn has_settled(&self, bytes: &Range<u64>, config: &DiskConfig, now: Time) -> bool {
        bytes.end <= self.durable.len() && self.settling.has(bytes, now, config.settle_age, self.vouchers())
    }

    /// How many resolved writes may vouch for what was durable before them.
    fn vouchers(&self) -> u64 {
        self.resolved - self.discards_resolved
    }

    fn pop_write(&mut self) -> VolatileWrite {
        self.writes
            .pop_front()
            .expect("disk: a sync covers a write that nobody made")
    }

    /// Does to the image what the oldest volatile write does of which so many bytes survive; `None` if it is lost.
    fn resolve(&mut self, write: &VolatileWrite, survives: Option<usize>) {
        let source = self.consumed;
        self.consumed += write.len;
        self.resolved += 1;
        self.discards_resolved += u64::from(write.discards);
        match survives {
            Some(_) if write.discards => self.durable.discard(write.offset),
            Some(survives) => self.durable.write(write.offset, &self.bytes[source..source + survives]),
            None => {}
        }
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

    /// Ends what is wrong with the disk. Gives how many syncs were held up.
    pub fn mend(&mut self) -> u32 {
        let Troubles { stalls, held, .. } = self.troubles;
        self.troubles = Troubles {
            stalls: stalls.wrapping_add(1),
            ..Troubles::default()
        };
        held
    }
}

impl PendingSync {
    fn done(&self, error: Option<DiskError>) -> Completion {
        Completion {
            token: self.token,
            seq: self.seq,
            error,
        }
    }
}

impl DiskConfig {
    /// The same without the troubles that come by chance: no slow syncs and no failing ones. What a crash does stays.
    #[must_use]
    pub fn healed(self) -> Self {
        Self {
            sync: Latency::without_tail(self.sync),
            error: crate::random::Ratio::ZERO,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
