//! The node's file: a sequence of checksummed records, one for each write of the core, and how the durable state is read
//! back from it.
//!
//! Each record names the one before it by its place and checksum, so that a record which an earlier incarnation left behind
//! the end, unsynced but kept, never continues a file that has since been written anew. And each says how far the file was
//! known to be durable when it was written, and how things stood: term, vote and last index.
//!
//! **What recovery can tell.** It reads up to the first place that does not go on. If nothing says more, that is the end: a
//! write that was never synced, so never acknowledged, and legal to drop. But when an intact record behind it says that the
//! place had been durable, or a record stands where it does not belong (its write was misdirected), or a sector behind it
//! cannot be read, then something durable was lost: the log ends there, and the node must not vote before it has again what
//! the latest intact record says that it had ([`DurableState::fence`]); term and vote are taken from that record too. If there
//! is no such record, nobody knows what was promised ([`DurableState::amnesia`]). This is the distinction of Alagappan and
//! others, *Protocol-Aware Recovery for Consensus-Based Storage* (FAST 2018).
//!
//! **What it cannot tell.** Damage to the last thing that was written: nothing vouches for it. So when a node has nothing to
//! write, it adds an empty record that does ([`LogFile::vouch`]), soon after the last sync. And a disk that lies: if it forgets
//! the end of the file, the file ends earlier, and that is all there is to see.
//!
//! After damage, writing goes on behind all that is on the disk, so that nothing which speaks of the loss is overwritten
//! before the record that remembers it is durable.
//!
//! **How the file stays small.** Once a snapshot stands for most of what was written, one record is added that holds all that
//! the file says ([`LogFile::rewrite`]): it goes on like any other, and when it is durable, all before it is given up. From
//! then on the file begins with it, and that it begins there vouches for it: if it is not intact, something durable was lost.
//! What is given up may be the only trace of a later write that landed there by mistake. So before that, everything written is
//! durable, and so is a record that vouches for it; nothing else is written meanwhile.

mod record;

use super::bugs::{Place as BugPlace, ServiceBug, planted};
use raft_core::{Content, DurableState, Entry, Log, Persist, Snapshot};
use record::{FileBytes, Header, Read, Record, RecordContent, Standing};
use simulator::DiskImage;
use std::ops::Range;

/// A file that is smaller is not written anew, in bytes.
const REWRITE_MIN: u64 = 64 << 10;
/// Nor is one that is smaller than so many times the commands and the snapshot that would be left of it: so writing anew costs
/// about a third of what was written before, at most.
const REWRITE_FACTOR: u64 = 4;

/// A place between two records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where the next record goes.
    end: u64,
    /// Where the last record ends.
    follows: u64,
    /// Its checksum.
    checksum: u32,
    /// How things stand.
    standing: Standing,
}

/// The writer of the file.
#[derive(Clone, Debug, Default)]
pub struct LogFile {
    /// All before this was given up.
    start: u64,
    place: Place,
    /// Everything before this is durable.
    durable: Place,
    /// The end of the last record that held more than how things stand.
    data_end: u64,
    /// What the last record vouched for.
    vouched: u64,
    epoch: u32,
    /// Reused for the bytes of each record.
    buffer: Vec<u8>,
    bug: Option<BugPlace>,
}

/// What a file held.
pub struct Recovered {
    /// The writer, at the end of what was recovered.
    pub file: LogFile,
    /// What the core restarts from.
    pub state: DurableState,
    /// Whether bytes stood behind the end that were no record of the file: a write that a crash had torn, or damage.
    pub torn: bool,
    /// Whether something is gone that had been durable. Then [`LogFile::vouch`] comes before all else.
    pub damaged: bool,
    /// What came of writing the file anew.
    pub rewritten: Rewritten,
}

/// What a file says of having been written anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rewritten {
    /// Nothing.
    #[default]
    Never,
    /// A record stands for all before it, and that is still there.
    Half,
    /// It begins with a record that stands for all that was before it.
    Done,
}

impl Recovered {
    /// Takes the file for one that may have forgotten its end: from now on, term and vote may be forgotten.
    pub fn distrust(&mut self) {
        self.damaged |= !self.state.amnesia;
        self.state.amnesia = true;
        self.file.place.standing.amnesia = true;
        self.file.durable = self.file.place;
    }
}

impl LogFile {
    /// The bytes of a write and the offset at which they belong; none for a barrier.
    pub fn append(&mut self, persist: &Persist) -> Option<(u64, &[u8])> {
        let log_untouched = persist.truncate.is_none() && persist.start.is_none() && persist.entries.is_empty();
        if log_untouched && persist.hard_state.is_none() && persist.snapshot.is_none() {
            return None;
        }
        let mut standing = self.place.standing;
        standing.hard_state = persist.hard_state.unwrap_or(standing.hard_state);
        if let Some(from) = persist.truncate {
            standing.last = standing.last.min(from - 1);
        }
        standing.last = standing.last.max(persist.start.map_or(0, |start| start.index));
        standing.last = persist.entries.last().map_or(standing.last, |entry| entry.index);
        self.place.standing = standing;
        let offset = self.put(&Record::of(persist, standing), false);
        self.data_end = self.place.end;
        Some((offset, &self.buffer))
    }

    /// The bytes of a record that only says how things stand and how far the file is durable, and their offset.
    pub fn vouch(&mut self) -> (u64, &[u8]) {
        let offset = self.put(&Record::empty(self.place.standing), false);
        (offset, &self.buffer)
    }

    /// Whether the file is large enough to be written anew.
    pub fn is_large(&self) -> bool {
        self.place.end - self.start >= REWRITE_MIN
    }

    /// The bytes of a record that stands for all before it, and their offset: how things stand, and this snapshot and log,
    /// which are what the records so far amount to. `None` if that would leave too little to give up.
    pub fn rewrite(&mut self, snapshot: Option<&Snapshot>, log: &Log) -> Option<(u64, &[u8])> {
        let entries = log.from(log.start().index + 1);
        let left = entries.map(|entry| entry.content.size() as u64).sum::<u64>()
            + snapshot.map_or(0, |snapshot| snapshot.data.len() as u64);
        if !self.is_large() || (self.place.end - self.start) / REWRITE_FACTOR < left {
            return None;
        }
        let offset = self.put(&Record::whole(snapshot, log, self.place.standing), true);
        self.data_end = self.place.end;
        Some((offset, &self.buffer))
    }

    /// The record at `offset` stands for all before it, and that is given up.
    ///
    /// # Panics
    ///
    /// When something is not durable, or no durable record says so of the last one that matters.
    pub fn give_up_before(&mut self, offset: u64) {
        assert!(
            self.durable.end == self.place.end && !self.wants_vouching(),
            "what is given up may be all that tells of a write that went astray"
        );
        self.start = offset;
    }

    /// Whether everything is durable and no record says so of the last one that matters.
    pub fn wants_vouching(&self) -> bool {
        self.durable.end == self.place.end && self.vouched < self.data_end
    }

    /// Adds a record at the end and gives its offset; its bytes are in `buffer`.
    fn put(&mut self, record: &Record<'_>, whole: bool) -> u64 {
        let header = Header {
            offset: self.place.end,
            follows: self.place.follows,
            chain: self.place.checksum,
            epoch: self.epoch,
            durable: self.durable.end,
            whole,
        };
        self.place.checksum = record.encode(&header, &mut self.buffer);
        if planted!(self.bug, CodecLenWrap) {
            record::wrap_length(&mut self.buffer);
        }
        self.place.end += self.buffer.len() as u64;
        self.place.follows = self.place.end;
        self.vouched = header.durable;
        header.offset
    }

    /// Where the next record goes.
    pub fn place(&self) -> Place {
        self.place
    }

    /// All records before `place` are durable.
    pub fn synced(&mut self, place: Place) {
        self.durable = place;
    }

    /// Goes back to the end of what is durable: what was written behind it is in doubt, and is to be written anew.
    pub fn rewind(&mut self) {
        self.place = self.durable;
        self.data_end = self.data_end.min(self.place.end);
        self.epoch += 1;
    }

    /// Whether entries were lost that were not all back when that was last asked.
    pub fn is_fenced(&self) -> bool {
        self.place.standing.fence.is_some()
    }

    /// The entries that were lost are all back.
    pub fn lift_fence(&mut self) {
        self.place.standing.fence = None;
    }

    /// Reads a file back.
    pub fn recover(image: &DiskImage<'_>) -> Recovered {
        Self::recover_with(image, None)
    }

    /// As [`recover`](Self::recover), with a planted bug in the reader and the writer.
    pub(super) fn recover_with(image: &DiskImage<'_>, bug: Option<BugPlace>) -> Recovered {
        let bytes = image.to_vec();
        let bytes = FileBytes {
            start: image.start(),
            bytes: &bytes,
        };
        let mut reader = Reader::new(bytes, planted!(bug, ChecksumSkipped));
        let (mut state, mut rewritten) = (DurableState::default(), Rewritten::Never);
        loop {
            let place = reader.place;
            let Some(read) = reader.next() else { break };
            if read.header.whole {
                rewritten = match read.header.offset {
                    offset if offset == bytes.start => Rewritten::Done,
                    _ => Rewritten::Half,
                };
                state = DurableState::default();
            }
            if replay(&mut state, read.record).is_none() {
                reader.place = place;
                break;
            }
        }
        let place = reader.place;
        let torn = bytes
            .from(place.end)
            .is_some_and(|rest| rest.iter().any(|byte| *byte != 0));
        let unreadable = image.unreadable().any(|sector| sector.end > place.end);
        // D10: whatever does not check is taken for the torn end of the file.
        let loss = reader
            .loss(unreadable)
            .filter(|_| !planted!(bug, MidLogCorruptionTruncates));
        let mut file = Self {
            start: bytes.start,
            place,
            epoch: reader.epoch_max + 1,
            data_end: place.end,
            bug,
            ..Self::default()
        };
        if let Some(loss) = &loss {
            file.place.end = bytes.end();
            file.place.standing = *loss;
            (state.hard_state, state.fence, state.amnesia) = (loss.hard_state, loss.fence, loss.amnesia);
        }
        file.durable = file.place;
        Recovered {
            file,
            state,
            torn,
            damaged: loss.is_some(),
            rewritten,
        }
    }
}

/// Follows the records of a file from one to the next.
struct Reader<'a> {
    bytes: FileBytes<'a>,
    /// Whether no record was read yet.
    at_start: bool,
    /// A planted bug: the next record is taken whether it checks or not.
    credulous: bool,
    place: Place,
    epoch: u32,
    epoch_max: u32,
    /// Where damage was left behind by earlier incarnations.
    holes: Vec<Range<u64>>,
}

impl<'a> Reader<'a> {
    fn new(bytes: FileBytes<'a>, credulous: bool) -> Self {
        Self {
            bytes,
            at_start: true,
            credulous,
            place: Place {
                end: bytes.start,
                follows: bytes.start,
                ..Place::default()
            },
            epoch: 0,
            epoch_max: 0,
            holes: Vec::new(),
        }
    }

    /// The record that goes on from here: the next one, or one behind damage that an earlier incarnation found.
    fn next(&mut self) -> Option<Read<'a>> {
        let Place { end, checksum, .. } = self.place;
        let goes_on = |(at, read): &(u64, Read<'_>)| {
            let header = read.header;
            let begins = self.at_start && header.whole && *at == end;
            let follows = header.follows == end && header.chain == checksum && header.epoch >= self.epoch;
            header.offset == *at && (begins || follows)
        };
        let here = record::read_with(self.bytes, end, self.credulous)
            .map(|read| (end, read))
            .filter(&goes_on);
        let (at, read) = here.or_else(|| record::find(self.bytes, end..u64::MAX).find(&goes_on))?;
        if at > end {
            self.holes.push(end..at);
        }
        self.at_start = false;
        self.epoch = read.header.epoch;
        self.epoch_max = self.epoch;
        self.place = Place {
            end: at + read.length,
            follows: at + read.length,
            checksum: read.checksum,
            standing: read.record.standing,
        };
        Some(read)
    }

    /// How the node stands if something that had been durable is gone.
    fn loss(&mut self, unreadable: bool) -> Option<Standing> {
        let end = self.place.end;
        let holes = self.holes.iter().cloned().chain(std::iter::once(end..u64::MAX));
        let found = holes
            .flat_map(|range| record::find(self.bytes, range))
            .collect::<Vec<_>>();
        self.epoch_max = found
            .iter()
            .map(|(_, read)| read.header.epoch)
            .fold(self.epoch, u32::max);
        let recent = || found.iter().filter(|(_, read)| read.header.epoch >= self.epoch);
        // It follows on another record than the one that stands here, which is older then.
        let contradicts = |header: Header| {
            let follows = header.follows == end && header.durable == end;
            follows && !self.at_start && header.chain != self.place.checksum
        };
        let tells = |(at, read): &(u64, Read<'_>)| {
            read.header.durable > end || read.header.offset != *at || contradicts(read.header)
        };
        // What a file begins with was durable before what came before it was given up.
        let begins_with_nothing = self.at_start && self.bytes.start > 0;
        if !unreadable && !begins_with_nothing && !recent().any(tells) {
            return None;
        }
        // In the place of a beginning that is lost there may be something intact that is older; then only what was written when
        // that beginning was durable tells how things stand.
        let is_later = |read: &Read<'_>| !begins_with_nothing || read.header.durable > end;
        let beyond = recent().filter(|(_, read)| read.header.offset >= end && is_later(read));
        let latest = beyond.max_by_key(|(_, read)| (read.header.epoch, read.header.offset));
        let standing = latest.map(|(_, read)| read.record.standing);
        Some(standing.map_or(
            Standing {
                amnesia: true,
                ..self.place.standing
            },
            |standing| Standing {
                fence: standing.fence.max(Some(standing.last)),
                ..standing
            },
        ))
    }
}

/// Does to the state what the write did; `None` if the record does not follow on it.
fn replay(state: &mut DurableState, record: Record<'_>) -> Option<()> {
    let Standing {
        hard_state,
        fence,
        amnesia,
        ..
    } = record.standing;
    (state.hard_state, state.fence, state.amnesia) = (hard_state, fence, amnesia);
    if record.snapshot.is_some() {
        state.snapshot = record.snapshot;
    }
    if let Some(from) = record.truncate {
        let kept = from.checked_sub(state.start.index + 1)?;
        state.entries.truncate(usize::try_from(kept).ok()?);
    }
    if let Some(start) = record.start {
        state.entries.retain(|entry| entry.index > start.index);
        state.start = start;
    }
    let next = state.start.index + state.entries.len() as u64 + 1;
    if !record.entries.is_empty() && record.first != next {
        return None;
    }
    for (entry, index) in record.entries.into_iter().zip(record.first..) {
        let content = match entry.content {
            RecordContent::Noop => Content::Noop,
            RecordContent::Command(command) => Content::Command(command.into()),
            RecordContent::Configuration(configuration) => Content::Configuration(Box::new(configuration.into_owned())),
        };
        state.entries.push(Entry {
            index,
            term: entry.term,
            content,
        });
    }
    Some(())
}

#[cfg(test)]
mod tests;
