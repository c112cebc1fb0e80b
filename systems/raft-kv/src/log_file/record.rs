//! The bytes of one record: a header that stands for itself, and a body.
//!
//! Owns the layout, the checksum, and finding records among bytes of which one does not know where they begin. What follows on
//! what is for the file to say.

use raft_core::{Configuration, Content, Entry, HardState, Index, Log, Mark, Persist, Snapshot};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::ops::Range;

/// Largest body of a record, in bytes; a length beyond it is damage, not data.
const BODY_BYTES_MAX: usize = 64 << 20;
/// `magic | length | checksum | chain | epoch: u32 LE each | offset | follows | durable: u64 LE each`.
const HEADER_BYTES: usize = 44;
/// The checksum is over all that comes after it.
const CHECKED_FROM: usize = 12;
const MAGIC: [u8; 4] = *b"SqL1";
/// Of a record that stands for all before it.
const MAGIC_WHOLE: [u8; 4] = *b"SqLW";

/// What a record says of the whole file at the moment when it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Term and vote.
    pub hard_state: HardState,
    /// The last index of the log.
    pub last: Index,
    /// Entries up to here were lost and are not all back.
    pub fence: Option<Index>,
    /// Term and vote may be forgotten.
    pub amnesia: bool,
}

/// Where a record stands, and what it says of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where it belongs.
    pub offset: u64,
    /// Where the record before it ends: at `offset`, unless damage lies between them.
    pub follows: u64,
    /// The checksum of the record before it.
    pub chain: u32,
    /// Numbers the incarnations of the writer.
    pub epoch: u32,
    /// Everything before this was durable when it was written.
    pub durable: u64,
    /// It stands for all before it.
    pub whole: bool,
}

/// What is left of a file: its bytes from `start` on.
#[derive(Clone, Copy)]
pub struct FileBytes<'a> {
    pub start: u64,
    pub bytes: &'a [u8],
}

impl<'a> FileBytes<'a> {
    /// One past the last byte.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The bytes from `place` on; none if that lies outside.
    pub fn from(&self, place: u64) -> Option<&'a [u8]> {
        self.bytes.get(usize::try_from(place.checked_sub(self.start)?).ok()?..)
    }
}

/// The body of a record.
#[derive(Serialize, Deserialize)]
pub struct Record<'a> {
    pub standing: Standing,
    pub snapshot: Option<Snapshot>,
    pub truncate: Option<Index>,
    pub start: Option<Mark>,
    /// Index of the first of `entries`; 0 if there are none.
    pub first: Index,
    #[serde(borrow)]
    pub entries: Vec<RecordEntry<'a>>,
}

#[derive(Serialize, Deserialize)]
pub struct RecordEntry<'a> {
    pub term: u64,
    #[serde(borrow)]
    pub content: RecordContent<'a>,
}

#[derive(Serialize, Deserialize)]
pub enum RecordContent<'a> {
    Noop,
    Command(#[serde(serialize_with = "as_bytes")] &'a [u8]),
    Configuration(Cow<'a, Configuration>),
}

/// Not as a sequence of numbers, which are the same bytes one by one.
fn as_bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// A record that checks.
pub struct Read<'a> {
    pub header: Header,
    pub record: Record<'a>,
    pub checksum: u32,
    /// With the header.
    pub length: u64,
}

impl<'a> Record<'a> {
    /// A record that holds nothing but how things stand.
    pub fn empty(standing: Standing) -> Self {
        Self {
            standing,
            snapshot: None,
            truncate: None,
            start: None,
            first: 0,
            entries: Vec::new(),
        }
    }

    /// The record of a write.
    pub fn of(persist: &'a Persist, standing: Standing) -> Self {
        Self {
            standing,
            snapshot: persist.snapshot.as_deref().cloned(),
            truncate: persist.truncate,
            start: persist.start,
            first: persist.entries.first().map_or(0, |entry| entry.index),
            entries: persist.entries.iter().map(RecordEntry::of).collect(),
        }
    }

    /// The record of everything that a file is to hold.
    pub fn whole(snapshot: Option<&Snapshot>, log: &'a Log, standing: Standing) -> Self {
        let first = log.start().index + 1;
        Self {
            snapshot: snapshot.cloned(),
            start: Some(log.start()),
            first,
            entries: log.from(first).map(RecordEntry::of).collect(),
            ..Self::empty(standing)
        }
    }

    /// Puts the record into `buffer`, whose content is overwritten, and gives its checksum.
    pub fn encode(&self, header: &Header, buffer: &mut Vec<u8>) -> u32 {
        buffer.clear();
        buffer.resize(HEADER_BYTES, 0);
        let mut bytes = postcard::to_extend(self, std::mem::take(buffer)).expect("a record can be encoded");
        let body = bytes.len() - HEADER_BYTES;
        assert!(
            body <= BODY_BYTES_MAX,
            "a write of {body} bytes is beyond the limit of the log file"
        );
        bytes[..4].copy_from_slice(if header.whole { &MAGIC_WHOLE } else { &MAGIC });
        bytes[4..8].copy_from_slice(&(body as u32).to_le_bytes());
        bytes[12..16].copy_from_slice(&header.chain.to_le_bytes());
        bytes[16..20].copy_from_slice(&header.epoch.to_le_bytes());
        bytes[20..28].copy_from_slice(&header.offset.to_le_bytes());
        bytes[28..36].copy_from_slice(&header.follows.to_le_bytes());
        bytes[36..44].copy_from_slice(&header.durable.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[8..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        *buffer = bytes;
        checksum
    }
}

impl<'a> RecordEntry<'a> {
    fn of(entry: &'a Entry) -> Self {
        let content = match &entry.content {
            Content::Noop => RecordContent::Noop,
            Content::Command(command) => RecordContent::Command(command),
            Content::Configuration(configuration) => RecordContent::Configuration(Cow::Borrowed(configuration)),
        };
        Self {
            term: entry.term,
            content,
        }
    }
}

/// A planted bug: the length loses all but its lower half.
pub fn wrap_length(buffer: &mut [u8]) {
    buffer[6..8].fill(0);
}

/// The record at `place`, if one that checks begins there and is all there, wherever it belongs.
pub fn read(file: FileBytes<'_>, place: u64) -> Option<Read<'_>> {
    read_with(file, place, false)
}

/// As [`read`]; with a planted bug, also one that does not check.
pub fn read_with(file: FileBytes<'_>, place: u64, credulous: bool) -> Option<Read<'_>> {
    let (header, rest) = file.from(place)?.split_at_checked(HEADER_BYTES)?;
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    let length = word(4) as usize;
    let whole = header[..4] == MAGIC_WHOLE;
    if !whole && header[..4] != MAGIC || length == 0 || length > BODY_BYTES_MAX {
        return None;
    }
    let body = rest.get(..length)?;
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&header[CHECKED_FROM..]), body);
    if checksum != word(8) && !credulous {
        return None;
    }
    Some(Read {
        header: Header {
            chain: word(12),
            epoch: word(16),
            offset: long(20),
            follows: long(28),
            durable: long(36),
            whole,
        },
        record: postcard::from_bytes(body).ok()?,
        checksum,
        length: (HEADER_BYTES + length) as u64,
    })
}

/// Every record that begins in `range`, with its place: also where none is expected.
pub fn find(file: FileBytes<'_>, range: Range<u64>) -> impl Iterator<Item = (u64, Read<'_>)> {
    let end = file.end().min(range.end);
    let starts = move |place: &u64| {
        file.from(*place)
            .is_some_and(|bytes| bytes.starts_with(&MAGIC) || bytes.starts_with(&MAGIC_WHOLE))
    };
    let places = (range.start..end).filter(starts);
    places.filter_map(move |place| Some((place, read(file, place)?)))
}
