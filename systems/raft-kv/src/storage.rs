//! The node's side of its disk: which writes are on their way, and what is done when one of them fails.
//!
//! After a failed sync nothing that it covered can be relied on, whatever a later sync says. When there was no space, the node
//! waits and writes everything anew that was not known to be durable; after an I/O error it stops, and starts again from what
//! the disk really has. Either way the core takes no part meanwhile. When there is nothing to write, a record is added that
//! vouches for the last one; and when a snapshot stands for most of the file, it is written anew, and the old part given up:
//! see `log_file` for both.

use super::log_file::{LogFile, Place, Recovered};
use super::node::KvNode;
use raft_core::{Log, Persist, Snapshot, WriteId};
use serde_json::json;
use simulator::{Context, DiskError, Duration, LocalTime, SyncToken};
use std::collections::VecDeque;

/// How long nothing is written before a record vouches for the last one; short beside the age at which disks decay.
const VOUCH_AFTER: Duration = Duration::from_millis(100);
/// From a write that found no space to the next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// From an I/O error to the stop, so that those who wait are told, and from there to the start.
const STOP_AFTER: Duration = Duration::from_millis(100);
const RESTART_AFTER: Duration = Duration::from_millis(200);
/// A sync's token is the number of the attempt above these bits, and the write's id below; between them, a number that keeps the
/// syncs under way apart.
const ID_BITS: u32 = 40;
const ATTEMPT_SHIFT: u32 = 48;

/// The log file with its writes under way.
#[derive(Clone, Debug)]
pub struct Storage {
    file: LogFile,
    /// Not durable yet, oldest first.
    writes: VecDeque<Write>,
    last_id: WriteId,
    /// How many records were put into the file.
    records: u64,
    /// The syncs under way, each with the number of the last record that it covers.
    syncs: Vec<(SyncToken, u64)>,
    /// Counts the failures: what syncs of an earlier attempt say does not count.
    attempt: u64,
    /// A durable record begins here that stands for all before it, which is to be given up as soon as everything written is
    /// durable and vouched for.
    giving_up: Option<u64>,
    /// What waits for that, oldest first.
    held: Vec<Persist>,
    /// Whether a snapshot was taken or the log cut since it was last considered to write the file anew; also after a start.
    compacted: bool,
    /// What failed last, until it is tried again.
    trouble: Option<DiskError>,
    /// When there is something to do.
    wakes: Option<LocalTime>,
}

#[derive(Clone, Debug)]
struct Write {
    /// Number of its record.
    record: u64,
    /// None for a record of the file's own.
    persist: Option<Persist>,
    /// Where its record begins, if that stands for all before it.
    whole: Option<u64>,
    /// The end of its record.
    place: Place,
}

impl Write {
    fn new(persist: Option<Persist>) -> Self {
        Self {
            record: 0,
            persist,
            whole: None,
            place: Place::default(),
        }
    }
}

/// What a sync is about.
#[derive(Clone, Copy, Debug)]
pub struct Synced {
    /// The last write, for the core.
    pub id: WriteId,
    record: u64,
}

type Ctx<'a> = Context<'a, KvNode>;

impl Storage {
    /// Goes on with a file. Where something is lost, that is remembered before all else.
    pub fn new(recovered: &Recovered, ctx: &mut Ctx<'_>) -> Self {
        let mut storage = Self {
            file: recovered.file.clone(),
            writes: VecDeque::new(),
            last_id: WriteId(0),
            records: 0,
            syncs: Vec::new(),
            attempt: 0,
            giving_up: None,
            held: Vec::new(),
            compacted: true,
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
        if self.giving_up.is_some() {
            return self.held.push(persist);
        }
        let write = Write::new(Some(persist));
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
            && self.giving_up.is_none()
            && let Some((offset, bytes)) = self.file.append(persist)
        {
            ctx.write(offset, bytes);
        }
    }

    /// Adds a record that vouches for those before it.
    fn vouch(&mut self, ctx: &mut Ctx<'_>) {
        self.put(Write::new(None), ctx);
        self.sync(ctx);
    }

    /// Whether it is time to consider writing the file anew.
    pub fn is_rewrite_due(&self) -> bool {
        let is_under_way = || self.writes.iter().any(|write| write.whole.is_some());
        let may = self.trouble.is_none() && self.giving_up.is_none();
        self.compacted && self.file.is_large() && may && !is_under_way()
    }

    /// Writes the file anew if that is worth it. `snapshot` and `log` are what all writes so far amount to.
    pub fn rewrite(&mut self, snapshot: Option<&Snapshot>, log: &Log, ctx: &mut Ctx<'_>) {
        self.compacted = false;
        let Some((offset, bytes)) = self.file.rewrite(snapshot, log) else {
            return;
        };
        ctx.write(offset, bytes);
        ctx.trace("rewrite", || json!({ "bytes": bytes.len() }));
        self.wakes = None;
        self.queue(Write {
            whole: Some(offset),
            ..Write::new(None)
        });
        self.sync(ctx);
    }

    /// Gives up the old part of the file, once nothing that was written can have its only trace there.
    fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        let Some(offset) = self.giving_up.filter(|_| self.writes.is_empty()) else {
            return;
        };
        if self.file.wants_vouching() {
            return self.vouch(ctx);
        }
        self.giving_up = None;
        self.file.give_up_before(offset);
        ctx.discard(offset);
        if !self.held.is_empty() {
            for persist in std::mem::take(&mut self.held) {
                self.put(Write::new(Some(persist)), ctx);
            }
            self.sync(ctx);
        }
    }

    fn put(&mut self, write: Write, ctx: &mut Ctx<'_>) {
        let record = match &write.persist {
            Some(persist) => {
                self.last_id = persist.id;
                self.compacted |= persist.start.is_some() || persist.snapshot.is_some();
                self.file.append(persist)
            }
            None => Some(self.file.vouch()),
        };
        if let Some((offset, bytes)) = record {
            ctx.write(offset, bytes);
        }
        self.queue(write);
    }

    /// Notes a write whose record has just been put at the end of the file.
    fn queue(&mut self, write: Write) {
        let place = self.file.place();
        self.records += 1;
        let record = self.records;
        self.writes.push_back(Write { record, place, ..write });
    }

    fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let token = |number: u64| SyncToken(self.attempt << ATTEMPT_SHIFT | number << ID_BITS | self.last_id.0);
        let is_free = |token: &SyncToken| self.syncs.iter().all(|(other, _)| other != token);
        let token = (0u64..).map(token).find(is_free).expect("few syncs are under way");
        self.syncs.push((token, self.records));
        ctx.sync(token);
    }

    /// What a sync that has ended is about; none if it does not count any more.
    pub fn synced(&mut self, token: SyncToken) -> Option<Synced> {
        let at = self.syncs.iter().position(|(other, _)| *other == token)?;
        let (_, record) = self.syncs.swap_remove(at);
        let id = WriteId(token.0 & ((1 << ID_BITS) - 1));
        Some(Synced { id, record })
    }

    /// The next write that this sync has made durable.
    pub fn pop_durable(&mut self, synced: Synced) -> Option<Persist> {
        while let Some(write) = self.writes.pop_front_if(|write| write.record <= synced.record) {
            self.file.synced(write.place);
            self.giving_up = self.giving_up.or(write.whole);
            if write.persist.is_some() {
                return write.persist;
            }
        }
        None
    }

    /// All that is durable has been dealt with: soon somebody must vouch for it. `fenced`: whether entries are still
    /// lost; asked only if some were.
    pub fn settle(&mut self, fenced: impl FnOnce() -> bool, ctx: &mut Ctx<'_>) {
        if self.file.is_fenced() && !fenced() {
            self.file.lift_fence();
        }
        if self.trouble.is_none() {
            self.give_up(ctx);
            self.wakes = self.file.wants_vouching().then(|| ctx.now() + VOUCH_AFTER);
        }
    }

    /// A sync failed: gives the write that failed, for the core.
    pub fn failed(&mut self, token: SyncToken, error: DiskError, ctx: &Ctx<'_>) -> Option<WriteId> {
        let Synced { id, .. } = self.synced(token)?;
        self.attempt += 1;
        self.syncs.clear();
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
                    self.compacted |= write.whole.is_some();
                    self.put(Write::new(write.persist), ctx);
                }
                self.sync(ctx);
            }
        }
    }
}
