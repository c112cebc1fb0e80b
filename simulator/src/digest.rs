//! The digest: one short value that two runs share exactly when the same things happened in both.
//!
//! Owns the fixed little-endian encoding of what is folded in, the buffering, and the hash, BLAKE3. The encoding goes into a
//! buffer that is hashed in large blocks, because hashing each event by itself costs twenty times as much.

use std::fmt;

/// The buffer is hashed when it is this full, in bytes: above the 16 KiB from which BLAKE3 uses the widest vectors, and
/// still within a first-level cache.
const BLOCK: usize = 24 * 1024;

/// BLAKE3 of all that happened in a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The first 16 hexadecimal digits, enough to tell runs apart at a glance.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(16);
        text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Takes the fixed encoding of a payload into the digest.
///
/// Fold in everything that tells two payloads apart, a length before each list, a number before each variant; floats,
/// addresses and unordered iteration have no place here.
#[derive(Debug)]
pub struct Stamp<'a> {
    buffer: &'a mut Vec<u8>,
}

#[cfg(test)]
impl<'a> Stamp<'a> {
    /// Into a buffer of one's own.
    pub(crate) fn into(buffer: &'a mut Vec<u8>) -> Self {
        Self { buffer }
    }
}

impl Stamp<'_> {
    /// Folds in one byte.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.buffer.push(value);
    }

    /// Folds in a truth value.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Folds in 16 bits.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    /// Folds in 32 bits.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    /// Folds in 64 bits.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    /// Folds in a number that may be absent.
    #[inline]
    pub fn option_u64(&mut self, value: Option<u64>) {
        self.bool(value.is_some());
        self.u64(value.unwrap_or(0));
    }

    /// Folds in bytes, after their length.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.buffer.extend_from_slice(bytes);
    }

    /// Folds in the bytes of a text, after their length.
    #[inline]
    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

/// What an entry of the digest is about. The numbers are part of the encoding: add, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Entry {
    Deliver = 1,
    Request = 2,
    Response = 3,
    Timer = 4,
    ClientTimer = 5,
    Sync = 6,
    Drop = 7,
    Write = 8,
    Fault = 9,
    Skip = 10,
    Boot = 11,
    Surviving = 12,
    Resume = 13,
    SyncFailed = 20,
    Damage = 21,
    Exit = 22,
    PowerCut = 23,
    LoopCrash = 24,
    Thaw = 25,
    Worked = 26,
    Discard = 27,
}

/// The running digest of a world.
#[derive(Clone)]
pub(crate) struct Digester {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Digester {
    pub fn new() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            buffer: Vec::with_capacity(2 * BLOCK),
        }
    }

    /// Starts an entry: what it is, when, its number in the queue's order, and two parties (`u16::MAX` for none).
    #[inline]
    pub fn entry(&mut self, entry: Entry, time: u64, ticket: u64, to: u16, from: u16) -> Stamp<'_> {
        if self.buffer.len() >= BLOCK {
            self.flush();
        }
        let mut head = [0; 21];
        head[0] = entry as u8;
        head[1..9].copy_from_slice(&time.to_le_bytes());
        head[9..17].copy_from_slice(&ticket.to_le_bytes());
        head[17..19].copy_from_slice(&to.to_le_bytes());
        head[19..21].copy_from_slice(&from.to_le_bytes());
        self.buffer.extend_from_slice(&head);
        Stamp {
            buffer: &mut self.buffer,
        }
    }

    /// The digest of all entries so far.
    pub fn digest(&self) -> Digest {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.buffer);
        Digest(*hasher.finalize().as_bytes())
    }

    #[cold]
    fn flush(&mut self) {
        self.hasher.update(&self.buffer);
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_blocks_end_does_not_matter() {
        let mut digester = Digester::new();
        let mut bytes = Vec::new();
        for number in 0..5_000_u64 {
            digester
                .entry(Entry::Timer, number, number + 1, 2, u16::MAX)
                .u64(number);
            bytes.push(4);
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&(number + 1).to_le_bytes());
            bytes.extend_from_slice(&[2, 0, 255, 255]);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        assert!(bytes.len() > 3 * BLOCK);
        assert_eq!(digester.digest().0, *blake3::hash(&bytes).as_bytes());
    }

    #[test]
    fn each_part_of_an_entry_counts() {
        let digest = |entry, time, ticket, to, from, byte| {
            let mut digester = Digester::new();
            digester.entry(entry, time, ticket, to, from).u8(byte);
            digester.digest()
        };
        let base = digest(Entry::Timer, 1, 2, 3, 4, 5);
        assert_eq!(base, digest(Entry::Timer, 1, 2, 3, 4, 5));
        assert_ne!(base, digest(Entry::Sync, 1, 2, 3, 4, 5));
        assert_ne!(base, digest(Entry::Timer, 0, 2, 3, 4, 5));
        assert_ne!(base, digest(Entry::Timer, 1, 0, 3, 4, 5));
        assert_ne!(base, digest(Entry::Timer, 1, 2, 0, 4, 5));
        assert_ne!(base, digest(Entry::Timer, 1, 2, 3, 0, 5));
        assert_ne!(base, digest(Entry::Timer, 1, 2, 3, 4, 0));
    }

    #[test]
    fn a_digest_is_shown_in_hexadecimal() {
        let digest = Digest([0x0f; 32]);
        assert_eq!(digest.to_string(), "0f".repeat(32));
        assert_eq!(digest.short(), "0f".repeat(8));
    }
}
