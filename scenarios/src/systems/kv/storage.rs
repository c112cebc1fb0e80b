//! The node's side of its disk: which writes are on their way, and what is done when one of them fails.
//!
//! After a failed sync nothing that it covered can be relied on, whatever a later sync says. When there was no space, the node
//! waits and writes everything anew that was not known to be durable; after an I/O error it stops, and starts again from what
//! the disk really has. Either way the core takes no part meanwhile. When there is nothing to write, a record is added that
//! vouches for the last one: see `log_file` for what that is good for.

use super::log_file::{LogFile, Place, Recovered};
use super::node::KvNode;
use raft_core::{Persist, WriteId};
use simulator::{Context, DiskError, Duration, LocalTime, SyncToken};
use std::collections::VecDeque;

/// How long nothing is written before a record vouches for the last one; short beside the age at which disks decay.
const VOUCH_AFTER: Duration = Duration::from_millis(100);
/// From a write that found no space to the next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// From an I/O error to the stop, so that those who wait are told, and from there to the start.
const STOP_AFTER: Duration = Duration::from_millis(100);
const RESTART_AFTER: Duration = Duration::from_millis(200);
/// A sync's token is the number of the attempt above these bits, and the write's id below.
const ID_BITS: u32 = 48;

/// The log file with its writes under way.
#[derive(Clone, Debug)]
pub struct Storage {
    file: LogFile,
    /// Not durable yet, oldest first.
    writes: VecDeque<Write>,
    last_id: WriteId,
    /// Counts the failures: what syncs of an earlier attempt say does not count.
    attempt: u64,
    /// What failed last, until it is tried again.
    trouble: Option<DiskError>,
    /// When there is something to do.
    wakes: Option<LocalTime>,
}

#[derive(Clone, Debug)]
struct Write {
    id: WriteId,
    /// None for a record that only vouches.
    persist: Option<Persist>,
    /// The end of its record.
    place: Place,
}

type Ctx<'a> = Context<'a, KvNode>;

impl Storage {
    /// Goes on with a file. Where something is lost, that is remembered before all else.
    pub fn new(recovered: &Recovered, ctx: &mut Ctx<'_>) -> Self {
        let mut storage = Self {
            file: recovered.file.clone(),
            writes: VecDeque::new(),
            last_id: WriteId(0),
            attempt: 0,
            trouble: None,
            wakes: recovered.file.wants_vouching().then(|| ctx.now() + VOUCH_AFTER),
        };
        if recovered.damaged {
            storage.vouch(ctx);
        }
        storage
    }

    /// When [`wake`](Self::wake) is to be called.
    pub fn wakes(&self) -> Option<LocalTime> {
        self.wakes
    }

    /// Starts a write.
    pub fn write(&mut self, persist: Persist, ctx: &mut Ctx<'_>) {
        self.last_id = persist.id;
        let write = Write {
            id: persist.id,
            persist: Some(persist),
            place: self.file.place(),
        };
        if self.trouble.is_some() {
            return self.writes.push_back(write);
        }
        self.wakes = None;
        self.put(write, ctx);
        self.sync(ctx);
    }

    /// Writes without a sync of its own: for a planted bug that cuts a write in two.
    pub(super) fn write_unsynced(&mut self, persist: &Persist, ctx: &mut Ctx<'_>) {
        if self.trouble.is_none()
            && let Some((offset, bytes)) = self.file.append(persist)
        {
            ctx.write(offset, bytes);
        }
    }

    /// Adds a record that vouches for those before it.
    fn vouch(&mut self, ctx: &mut Ctx<'_>) {
        let write = Write {
            id: self.last_id,
            persist: None,
            place: self.file.place(),
        };
        self.put(write, ctx);
        self.sync(ctx);
    }

    fn put(&mut self, write: Write, ctx: &mut Ctx<'_>) {
        let record = match &write.persist {
            Some(persist) => self.file.append(persist),
            None => Some(self.file.vouch()),
        };
        if let Some((offset, bytes)) = record {
            ctx.write(offset, bytes);
        }
        let place = self.file.place();
        self.writes.push_back(Write { place, ..write });
    }

    fn sync(&self, ctx: &mut Ctx<'_>) {
        ctx.sync(SyncToken(self.attempt << ID_BITS | self.last_id.0));
    }

    /// The write that a sync names; none if that sync does not count any more.
    fn named(&self, token: SyncToken) -> Option<WriteId> {
        let (attempt, id) = (token.0 >> ID_BITS, token.0 & ((1 << ID_BITS) - 1));
        (attempt == self.attempt).then_some(WriteId(id))
    }

    /// What a completed sync has made durable: which write it was, for the core.
    pub fn synced(&mut self, token: SyncToken) -> Option<WriteId> {
        self.named(token)
    }

    /// The next write that is durable, up to this one.
    pub fn pop_durable(&mut self, upto: WriteId) -> Option<Persist> {
        while let Some(write) = self.writes.pop_front_if(|write| write.id <= upto) {
            self.file.synced(write.place);
            if write.persist.is_some() {
                return write.persist;
            }
        }
        None
    }

    /// All that is durable has been dealt with: soon somebody must vouch for it. `fenced`: whether entries are still
    /// lost; asked only if some were.
    pub fn settle(&mut self, fenced: impl FnOnce() -> bool, ctx: &Ctx<'_>) {
        if self.file.is_fenced() && !fenced() {
            self.file.lift_fence();
        }
        if self.trouble.is_none() {
            self.wakes = self.file.wants_vouching().then(|| ctx.now() + VOUCH_AFTER);
        }
    }

    /// A sync failed: gives the write that failed, for the core.
    pub fn failed(&mut self, token: SyncToken, error: DiskError, ctx: &Ctx<'_>) -> Option<WriteId> {
        let id = self.named(token)?;
        self.attempt += 1;
        self.trouble = Some(error);
        let pause = match error {
            DiskError::NoSpace => RETRY_AFTER,
            DiskError::Io => STOP_AFTER,
        };
        self.wakes = Some(ctx.now() + pause);
        Some(id)
    }

    /// Does what is due.
    pub fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if self.wakes.is_none_or(|at| at > ctx.now()) {
            return;
        }
        self.wakes = None;
        match self.trouble {
            None => self.vouch(ctx),
            Some(DiskError::Io) => ctx.restart(RESTART_AFTER),
            Some(DiskError::NoSpace) => {
                self.trouble = None;
                self.file.rewind();
                for write in std::mem::take(&mut self.writes) {
                    self.put(write, ctx);
                }
                self.sync(ctx);
            }
        }
    }
}
