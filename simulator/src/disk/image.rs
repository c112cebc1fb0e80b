//! What is durable on a disk: sparse pages that clones share until one of them writes.
//!
//! Owns the bytes and how a process reads them when it boots. A page that nobody wrote takes no memory, so an idle node costs
//! the pages of its file and nothing for the size that its disk could have.

use super::SECTOR_BYTES;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of one page: the grain of sharing.
const PAGE_BYTES: usize = 4096;

/// The durable bytes of one disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    pages: BTreeMap<u64, Arc<[u8; PAGE_BYTES]>>,
    /// What lies before it was given up.
    start: u64,
    len: u64,
    /// Sectors that cannot be read until they are written again.
    unreadable: BTreeSet<u64>,
}

impl Pages {
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn start(&self) -> u64 {
        self.start
    }

    /// As long, and begun as late, without a byte in it.
    pub fn shell(&self) -> Self {
        Self {
            start: self.start,
            len: self.len,
            ..Self::default()
        }
    }

    /// How many bytes of memory the pages take, whoever shares them.
    pub fn resident(&self) -> usize {
        self.pages.len() * PAGE_BYTES
    }

    /// Writes `bytes` at `offset`.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.each_page(offset, bytes.len(), |page, place, source| {
            page[place].copy_from_slice(&bytes[source]);
        });
        self.start = self.start.min(offset);
        self.len = self.len.max(offset + bytes.len() as u64);
        if !self.unreadable.is_empty() {
            let touched = sectors(offset..offset + bytes.len() as u64);
            self.unreadable.retain(|sector| !touched.contains(sector));
        }
    }

    /// Gives up what lies before `end`, or before the end of the file if that comes first. Whole pages of it take no memory any
    /// more; all of it reads as zero.
    pub fn discard(&mut self, end: u64) {
        let end = end.min(self.len);
        if end <= self.start {
            return;
        }
        let page = end / PAGE_BYTES as u64;
        self.pages = self.pages.split_off(&page);
        if let Some(page) = self.pages.get_mut(&page) {
            Arc::make_mut(page)[..(end % PAGE_BYTES as u64) as usize].fill(0);
        }
        self.unreadable.retain(|sector| (sector + 1) * SECTOR_BYTES > end);
        self.start = end;
    }

    /// Flips one bit.
    pub fn flip(&mut self, offset: u64, bit: u8) {
        self.each_page(offset, 1, |page, place, _| page[place.start] ^= 1 << (bit % 8));
    }

    /// Makes a sector unreadable: it reads as zeros, and says so, until it is written again.
    pub fn lose_sector(&mut self, sector: u64) {
        let start = sector * SECTOR_BYTES;
        let end = self.len.min(start + SECTOR_BYTES);
        self.each_page(start, (end - start) as usize, |page, place, _| page[place].fill(0));
        self.unreadable.insert(sector);
    }

    /// Reads into the whole of `out`; what was never written reads as zero.
    pub fn read(&self, offset: u64, out: &mut [u8]) {
        each_part(offset, out.len(), |number, place, target| {
            match self.pages.get(&number) {
                Some(page) => out[target].copy_from_slice(&page[place]),
                None => out[target].fill(0),
            }
        });
    }

    fn each_page(&mut self, offset: u64, len: usize, mut act: impl FnMut(&mut [u8], Range<usize>, Range<usize>)) {
        each_part(offset, len, |number, place, part| {
            let page = self.pages.entry(number).or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            act(&mut Arc::make_mut(page)[..], place, part);
        });
    }
}

/// The sectors that a range of bytes touches.
fn sectors(bytes: Range<u64>) -> Range<u64> {
    bytes.start / SECTOR_BYTES..bytes.end.div_ceil(SECTOR_BYTES)
}

/// Cuts `len` bytes at `offset` at the pages' bounds: page, place in it, place among the bytes.
fn each_part(offset: u64, len: usize, mut act: impl FnMut(u64, Range<usize>, Range<usize>)) {
    let mut done = 0;
    while done < len {
        let at = offset + done as u64;
        let place = (at % PAGE_BYTES as u64) as usize;
        let part = (PAGE_BYTES - place).min(len - done);
        act(at / PAGE_BYTES as u64, place..place + part, done..done + part);
        done += part;
    }
}

/// What a disk really kept: a flat file of bytes, in which what was never written reads as zero.
#[derive(Clone, Copy, Debug)]
pub struct DiskImage<'a> {
    source: Source<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Flat { start: u64, bytes: &'a [u8] },
    Pages(&'a Pages),
}

impl<'a> DiskImage<'a> {
    /// An image of these bytes, for tests of what boots from it.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::starting_at(0, bytes)
    }

    /// An image of which all before `start` was given up (see [`Context::discard`](crate::Context::discard)), and which holds
    /// these bytes from there on.
    ///
    /// # Panics
    ///
    /// When the image would end beyond 2⁶⁴ - 1.
    pub fn starting_at(start: u64, bytes: &'a [u8]) -> Self {
        assert!(
            start.checked_add(bytes.len() as u64).is_some(),
            "an image ends below 2^64"
        );
        Self {
            source: Source::Flat { start, bytes },
        }
    }

    pub(crate) fn of(pages: &'a Pages) -> Self {
        Self {
            source: Source::Pages(pages),
        }
    }

    /// The first byte that was not given up: 0 until the process discards something.
    pub fn start(&self) -> u64 {
        match self.source {
            Source::Flat { start, .. } => start,
            Source::Pages(pages) => pages.start,
        }
    }

    /// One past the last byte ever written and kept.
    pub fn len(&self) -> u64 {
        match self.source {
            Source::Flat { start, bytes } => start + bytes.len() as u64,
            Source::Pages(pages) => pages.len,
        }
    }

    /// Whether the disk never kept anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes from `offset` on, at most `len` of them; fewer, or none, at the end of the image. What was given up is zero
    /// here, and so is what cannot be read, which [`unreadable`](Self::unreadable) names.
    pub fn read(&self, offset: u64, len: usize) -> Vec<u8> {
        let start = offset.min(self.len());
        let end = start.saturating_add(len as u64).min(self.len());
        match self.source {
            Source::Flat { start: first, bytes } => {
                let given_up = first.clamp(start, end);
                let mut out = vec![0; (given_up - start) as usize];
                out.extend_from_slice(
                    &bytes[given_up.saturating_sub(first) as usize..end.saturating_sub(first) as usize],
                );
                out
            }
            Source::Pages(pages) => {
                let mut out = vec![0; (end - start) as usize];
                pages.read(start, &mut out);
                out
            }
        }
    }

    /// All from [`start`](Self::start) to the end, as [`read`](Self::read) gives it.
    pub fn to_vec(&self) -> Vec<u8> {
        self.read(self.start(), usize::MAX)
    }

    /// The ranges of bytes that the disk cannot read (a latent sector error), in order, one for each sector.
    pub fn unreadable(&self) -> impl Iterator<Item = Range<u64>> + 'a {
        let sectors = match self.source {
            Source::Flat { .. } => None,
            Source::Pages(pages) => Some(pages.unreadable.iter()),
        };
        let range = |sector: &u64| sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
        sectors.into_iter().flatten().map(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_their_pages_until_one_of_them_writes() {
        let mut one = Pages::default();
        one.write(4_000, &[7; 10_000]);
        let mut two = one.clone();
        let shared = |one: &Pages, two: &Pages| {
            let pairs = one.pages.values().zip(two.pages.values());
            pairs.filter(|(one, two)| Arc::ptr_eq(one, two)).count()
        };
        assert_eq!((shared(&one, &two), one.pages.len()), (4, 4));
        two.write(0, &[1]);
        assert_eq!(shared(&one, &two), 3);
        assert_eq!(
            (DiskImage::of(&one).read(0, 1), DiskImage::of(&two).read(0, 1)),
            (vec![0], vec![1])
        );
    }

    #[test]
    fn a_disk_that_is_written_far_apart_takes_only_the_pages_written() {
        let mut pages = Pages::default();
        pages.write(0, &[1]);
        pages.write(200 << 20, &[1]);
        assert_eq!((pages.resident(), pages.len()), (2 * PAGE_BYTES, (200 << 20) + 1));
        assert_eq!(DiskImage::of(&pages).read(100 << 20, 3), [0; 3]);
    }

    #[test]
    fn an_unreadable_sector_is_named_until_it_is_written_again() {
        let mut pages = Pages::default();
        pages.write(0, &[7; 1_200]);
        pages.lose_sector(1);
        let image = DiskImage::of(&pages);
        assert!(image.unreadable().eq(std::iter::once(512..1_024)));
        assert_eq!((image.read(511, 3), image.read(1_023, 2)), (vec![7, 0, 0], vec![0, 7]));
        pages.write(600, &[1]);
        assert_eq!(DiskImage::of(&pages).unreadable().count(), 0);
    }

    #[test]
    fn what_is_given_up_takes_no_memory_and_reads_as_zero() {
        let mut pages = Pages::default();
        pages.write(0, &[7; 10_000]);
        pages.lose_sector(1);
        pages.lose_sector(16);
        let shared = pages.clone();
        pages.discard(8_200);
        assert_eq!(
            (pages.start(), pages.len(), pages.resident()),
            (8_200, 10_000, PAGE_BYTES)
        );
        let image = DiskImage::of(&pages);
        assert_eq!((image.read(8_198, 3), image.to_vec().len()), (vec![0; 3], 1_800));
        assert_eq!(image.read(9_999, 9), [7]);
        assert!(
            image.unreadable().eq(std::iter::once(8_192..8_704)),
            "the sector is part of what is left"
        );
        assert_eq!(DiskImage::of(&shared).read(9_000, 1), [7]);
        pages.discard(5);
        assert_eq!(pages.start(), 8_200, "nothing comes back");
        pages.discard(1 << 40);
        assert_eq!(
            (pages.start(), pages.len()),
            (10_000, 10_000),
            "there is nothing beyond the end to give up"
        );
        pages.write(100, &[1]);
        let image = DiskImage::of(&pages);
        assert_eq!((image.start(), image.read(99, 3)), (100, vec![0, 1, 0]));
    }

    #[test]
    fn an_image_may_start_late() {
        let image = DiskImage::starting_at(5, &[1, 2, 3]);
        assert_eq!((image.start(), image.len(), image.to_vec()), (5, 8, vec![1, 2, 3]));
        assert_eq!(
            (image.read(3, 4), image.read(0, 2), image.read(6, 9)),
            (vec![0, 0, 1, 2], vec![0, 0], vec![2, 3])
        );
    }

    #[test]
    fn images_read_no_further_than_they_go() {
        let image = DiskImage::new(&[1, 2, 3]);
        assert_eq!(image.read(1, 2), [2, 3]);
        assert_eq!(image.read(1, usize::MAX), [2, 3]);
        assert!(image.read(3, 1).is_empty() && image.read(u64::MAX, 1).is_empty());
        assert!(!image.is_empty() && image.len() == 3);
    }
}
