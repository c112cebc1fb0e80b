//! A file of records: what many a process keeps on its disk. Each record is written behind the last, with its length and a checksum that
//! continues that of the record before it, so that a record which a crash has torn, and whatever lies behind one, is never taken for one.
//!
//! It survives crashes: what was durable is found again. It does not find out that what was durable has rotted, or was given up by a
//! disk that lied: then the records end early. A process that must know keeps its own account.
//!
//! ```
//! use simulator::DiskImage;
//! use squall::records::Records;
//!
//! let (records, found) = Records::<u64>::recover(&DiskImage::new(&[]));
//! assert_eq!((found.len(), records.len()), (0, 0));
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use simulator::{Context, DiskImage, Process, SyncToken};
use std::marker::PhantomData;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes before a record: its length, and its checksum.
const HEAD: usize = 12;

/// The end of a file of records, and how far it is durable.
#[derive(Clone, Debug)]
pub struct Records<T> {
    /// Where the next record begins.
    end: u64,
    /// How many there are.
    len: u64,
    /// The checksum of the last one.
    chain: u64,
    /// What has been written and no sync covers yet.
    is_dirty: bool,
    /// The last sync that was asked for, and the last one that is over.
    asked: u64,
    done: u64,
    of: PhantomData<fn(&T)>,
}

impl<T: Serialize + DeserializeOwned> Records<T> {
    /// Reads all records that are whole, the oldest first, and goes on behind them.
    pub fn recover(image: &DiskImage<'_>) -> (Self, Vec<T>) {
        let bytes = image.read(0, usize::try_from(image.len()).unwrap_or(usize::MAX));
        let (mut end, mut chain, mut found) = (0, 0, Vec::new());
        while let Some((record, len, checksum)) = whole(&bytes[end..], chain) {
            found.push(record);
            end += len;
            chain = checksum;
        }
        let records = Self {
            end: end as u64,
            len: found.len() as u64,
            chain,
            is_dirty: false,
            asked: 0,
            done: 0,
            of: PhantomData,
        };
        (records, found)
    }

    /// How many records there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes a record. It is volatile until a sync that is asked for after it is over.
    ///
    /// # Panics
    /// When the record cannot be serialized, or takes more than 4 GiB.
    pub fn append<P: Process>(&mut self, record: &T, ctx: &mut Context<'_, P>) {
        let body = postcard::to_allocvec(record).unwrap_or_else(|error| panic!("a record cannot be written: {error}"));
        self.chain = xxh3_64_with_seed(&body, self.chain);
        let len = u32::try_from(body.len()).expect("a record takes less than 4 GiB");
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend(len.to_le_bytes());
        bytes.extend(self.chain.to_le_bytes());
        bytes.extend(&body);
        ctx.write(self.end, &bytes);
        self.end += bytes.len() as u64;
        self.len += 1;
        self.is_dirty = true;
    }

    /// Asks for all that was written to be durable, if it is not asked for already. Gives the token of the sync that covers it, for
    /// [`is_durable`](Self::is_durable).
    pub fn sync<P: Process>(&mut self, ctx: &mut Context<'_, P>) -> SyncToken {
        if std::mem::take(&mut self.is_dirty) {
            self.asked += 1;
            ctx.sync(SyncToken(self.asked));
        }
        SyncToken(self.asked)
    }

    /// That sync is over: what `Process::on_sync` is told.
    pub fn synced(&mut self, token: SyncToken) {
        self.done = self.done.max(token.0);
    }

    /// Whether all that a sync covers is durable.
    pub fn is_durable(&self, token: SyncToken) -> bool {
        token.0 <= self.done
    }
}

/// The record at the beginning of these bytes, its length and its checksum, if it is whole and follows a record of checksum `chain`.
fn whole<T: DeserializeOwned>(bytes: &[u8], chain: u64) -> Option<(T, usize, u64)> {
    let len = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let checksum = u64::from_le_bytes(bytes.get(4..HEAD)?.try_into().ok()?);
    let body = bytes.get(HEAD..HEAD.checked_add(len)?)?;
    if checksum != xxh3_64_with_seed(body, chain) {
        return None;
    }
    Some((postcard::from_bytes(body).ok()?, HEAD + len, checksum))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of these records, as `append` writes it.
    fn file(records: &[u64]) -> Vec<u8> {
        let (mut bytes, mut chain) = (Vec::new(), 0);
        for record in records {
            let body = postcard::to_allocvec(record).unwrap();
            chain = xxh3_64_with_seed(&body, chain);
            bytes.extend((body.len() as u32).to_le_bytes());
            bytes.extend(chain.to_le_bytes());
            bytes.extend(&body);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<u64> {
        Records::recover(&DiskImage::new(bytes)).1
    }

    #[test]
    fn a_torn_record_ends_the_file_wherever_it_is_torn() {
        let whole = file(&[5, 6, 7_000]);
        assert_eq!(read(&whole), [5, 6, 7_000]);
        for cut in 0..whole.len() {
            let found = read(&whole[..cut]);
            assert!([5, 6, 7_000].starts_with(&found) && found.len() < 3, "{cut}: {found:?}");
        }
    }

    #[test]
    fn what_lies_behind_a_lost_record_is_not_taken_for_one_that_follows_another() {
        let old = file(&[5, 6, 7]);
        // The second record was lost, and another of the same length has been written in its place; the third is the old one.
        let mut file = file(&[5, 9]);
        file.extend(&old[file.len()..]);
        assert_eq!(read(&file), [5, 9]);
    }
}
