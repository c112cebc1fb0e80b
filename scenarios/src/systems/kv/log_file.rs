//! The node's file: a sequence of checksummed records, one for each write of the core, and how the durable state is read
//! back from it.
//!
//! A record is `length: u32 LE | checksum: u32 LE | body`. The checksum is CRC-32C over the checksum of the record before
//! it and the body, so that a record which an earlier incarnation left behind the end, unsynced but kept, never continues
//! a file that has since been written anew. Recovery ends at the first record that does not check: what follows was not
//! synced.

use super::bugs::{Place, planted};
use raft_core::{Configuration, Content, DurableState, Entry, HardState, Mark, Persist, Snapshot};
use serde::{Deserialize, Serialize};
use simulator::DiskImage;
use std::borrow::Cow;

/// Largest body of a record, in bytes; a length beyond it is damage, not data.
const BODY_BYTES_MAX: usize = 64 << 20;
const HEADER_BYTES: usize = 8;

/// The body of a record.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    hard_state: Option<HardState>,
    snapshot: Option<Snapshot>,
    truncate: Option<u64>,
    start: Option<Mark>,
    /// Index of the first of `entries`; 0 if there are none.
    first: u64,
    #[serde(borrow)]
    entries: Vec<RecordEntry<'a>>,
}

#[derive(Serialize, Deserialize)]
struct RecordEntry<'a> {
    term: u64,
    #[serde(borrow)]
    content: RecordContent<'a>,
}

#[derive(Serialize, Deserialize)]
enum RecordContent<'a> {
    Noop,
    Command(&'a [u8]),
    Configuration(Cow<'a, Configuration>),
}

/// Where the next record goes.
#[derive(Clone, Debug, Default)]
pub struct LogFile {
    end: u64,
    checksum: u32,
    /// Reused for the bytes of each record.
    buffer: Vec<u8>,
    bug: Option<Place>,
}

/// What a file held.
pub struct Recovered {
    /// The writer, at the end of what was recovered.
    pub file: LogFile,
    /// What the core restarts from.
    pub state: DurableState,
    /// Whether bytes stood behind the end that were not a whole record: a write that the crash had torn.
    pub torn: bool,
}

impl LogFile {
    /// The bytes of a write and the offset at which they belong; none for a barrier.
    pub fn append(&mut self, persist: &Persist) -> Option<(u64, &[u8])> {
        let log_untouched = persist.truncate.is_none() && persist.start.is_none() && persist.entries.is_empty();
        if log_untouched && persist.hard_state.is_none() && persist.snapshot.is_none() {
            return None;
        }
        fn record_entry(entry: &Entry) -> RecordEntry<'_> {
            let content = match &entry.content {
                Content::Noop => RecordContent::Noop,
                Content::Command(command) => RecordContent::Command(command),
                Content::Configuration(configuration) => RecordContent::Configuration(Cow::Borrowed(configuration)),
            };
            RecordEntry {
                term: entry.term,
                content,
            }
        }
        let record = Record {
            hard_state: persist.hard_state,
            snapshot: persist.snapshot.as_deref().cloned(),
            truncate: persist.truncate,
            start: persist.start,
            first: persist.entries.first().map_or(0, |entry| entry.index),
            entries: persist.entries.iter().map(record_entry).collect(),
        };
        self.buffer.clear();
        self.buffer.resize(HEADER_BYTES, 0);
        let mut buffer =
            postcard::to_extend(&record, core::mem::take(&mut self.buffer)).expect("a record can be encoded");
        let body = buffer.len() - HEADER_BYTES;
        assert!(
            body <= BODY_BYTES_MAX,
            "a write of {body} bytes is beyond the limit of the log file"
        );
        self.checksum = crc32c::crc32c_append(self.checksum, &buffer[HEADER_BYTES..]);
        let length = match planted!(self.bug, CodecLenWrap) {
            true => u32::from(body as u16),
            false => body as u32,
        };
        buffer[..4].copy_from_slice(&length.to_le_bytes());
        buffer[4..HEADER_BYTES].copy_from_slice(&self.checksum.to_le_bytes());
        self.buffer = buffer;
        let offset = self.end;
        self.end += self.buffer.len() as u64;
        Some((offset, &self.buffer))
    }

    /// Reads a file back, up to the last record that checks.
    pub fn recover(image: &DiskImage<'_>) -> Recovered {
        Self::default().recover_from(image)
    }

    /// As [`recover`](Self::recover), with a planted bug in the reader and the writer.
    pub(super) fn recover_with(image: &DiskImage<'_>, bug: Option<Place>) -> Recovered {
        let file = Self { bug, ..Self::default() };
        file.recover_from(image)
    }

    fn recover_from(self, image: &DiskImage<'_>) -> Recovered {
        let bytes = image.as_slice();
        let mut recovered = Recovered {
            file: self,
            state: DurableState::default(),
            torn: false,
        };
        let file = &mut recovered.file;
        while let Some((record, checksum, length)) = record_at(&bytes[file.end as usize..], file.checksum, file.bug) {
            let Some(()) = replay(&mut recovered.state, record) else {
                break;
            };
            file.checksum = checksum;
            file.end += length as u64;
        }
        recovered.torn = bytes[file.end as usize..].iter().any(|byte| *byte != 0);
        recovered
    }
}

/// The record at the start of `bytes`, its checksum and its length with the header.
fn record_at(bytes: &[u8], previous: u32, bug: Option<Place>) -> Option<(Record<'_>, u32, usize)> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length == 0 || length > BODY_BYTES_MAX {
        return None;
    }
    let body = rest.get(..length)?;
    let checksum = crc32c::crc32c_append(previous, body);
    let record = postcard::from_bytes(body).ok()?;
    let holds = checksum == u32::from_le_bytes([c0, c1, c2, c3]) || planted!(bug, ChecksumSkipped);
    holds.then_some((record, checksum, HEADER_BYTES + length))
}

/// Does to the state what the write did; `None` if the record does not follow on it.
fn replay(state: &mut DurableState, record: Record<'_>) -> Option<()> {
    if let Some(hard_state) = record.hard_state {
        state.hard_state = hard_state;
    }
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use raft_core::{NodeId, WriteId};

    fn write(term: u64, truncate: Option<u64>, entries: &[(u64, u64, &[u8])]) -> Persist {
        let entry = |(index, term, bytes): &(u64, u64, &[u8])| Entry {
            index: *index,
            term: *term,
            content: Content::Command((*bytes).into()),
        };
        Persist {
            id: WriteId(1),
            hard_state: Some(HardState {
                term,
                voted_for: Some(NodeId(term)),
            }),
            snapshot: None,
            truncate,
            start: None,
            entries: entries.iter().map(entry).collect(),
            then: Vec::new(),
        }
    }

    fn file_of(writes: &[Persist]) -> Vec<u8> {
        let (mut file, mut bytes) = (LogFile::default(), Vec::new());
        for persist in writes {
            let (offset, record) = file.append(persist).expect("not a barrier");
            assert_eq!(offset, bytes.len() as u64);
            bytes.extend_from_slice(record);
        }
        bytes
    }

    fn three_writes() -> [Persist; 3] {
        [
            write(1, None, &[(1, 1, b"a"), (2, 1, b"b")]),
            write(2, Some(2), &[(2, 2, b"c")]),
            write(3, None, &[(3, 3, &[7; 900])]),
        ]
    }

    #[test]
    fn what_was_written_is_recovered() {
        let recovered = LogFile::recover(&DiskImage::new(&file_of(&three_writes())));
        assert_eq!(
            recovered.state.hard_state,
            HardState {
                term: 3,
                voted_for: Some(NodeId(3))
            }
        );
        assert_eq!(
            recovered.state.entries.iter().map(|e| e.term).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert!(!recovered.torn);
    }

    #[test]
    fn a_barrier_writes_nothing() {
        let mut file = LogFile::default();
        let barrier = Persist {
            hard_state: None,
            ..write(1, None, &[])
        };
        assert!(file.append(&barrier).is_none());
    }

    #[test]
    fn a_record_left_behind_by_an_earlier_incarnation_is_not_taken_for_a_new_one() {
        let [first, second, third] = three_writes();
        let old = file_of(&[first.clone(), second.clone(), third]);
        // The crash loses the second write and keeps the third; the new incarnation then writes as many bytes as the
        // lost one had.
        let mut bytes = old.clone();
        let start = file_of(std::slice::from_ref(&first)).len();
        let end = file_of(&[first, second]).len();
        bytes[start..end].fill(0);
        let mut recovered = LogFile::recover(&DiskImage::new(&bytes));
        assert!(recovered.torn);
        let (offset, record) = recovered
            .file
            .append(&write(2, Some(2), &[(2, 2, b"d")]))
            .expect("a record");
        assert_eq!((offset as usize, record.len()), (start, end - start));
        bytes[start..end].copy_from_slice(record);
        let state = LogFile::recover(&DiskImage::new(&bytes)).state;
        assert_eq!(
            (state.entries.len(), state.hard_state.term),
            (2, 2),
            "the stale third write must not be read"
        );
    }

    proptest! {
        #[test]
        fn a_cut_file_recovers_a_prefix_of_its_writes(cut in 0usize..1000) {
            let writes = three_writes();
            let whole = file_of(&writes);
            let cut = cut.min(whole.len());
            let recovered = LogFile::recover(&DiskImage::new(&whole[..cut]));
            let kept = (0..=3).rfind(|n| file_of(&writes[..*n]).len() <= cut).expect("the empty prefix at least");
            let expected = LogFile::recover(&DiskImage::new(&file_of(&writes[..kept]))).state;
            prop_assert_eq!(recovered.state, expected);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let recovered = LogFile::recover(&DiskImage::new(&bytes));
            prop_assert!(recovered.file.end <= bytes.len() as u64);
        }

        #[test]
        fn a_flipped_bit_is_never_read_as_data(at in 0usize..980, bit in 0u8..8) {
            let mut bytes = file_of(&three_writes());
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << bit;
            let recovered = LogFile::recover(&DiskImage::new(&bytes));
            prop_assert!(recovered.file.end as usize <= at);
        }
    }
}
