//! A text that is read piece by piece, so that no more of a file is in memory than one form of it takes.
//!
//! Owns the bytes that were read and not yet used, that they are text, and where in the file they stand.

use std::io::{BufRead, Read};

use super::edn::Reader;
use super::format::place_after;
use super::{HistoryError, Place};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 18;

/// Longest form at the top of a file, in bytes.
pub const FORM_BYTES_MAX: usize = 16 << 20;

/// What is left of a file.
pub(super) struct Stream<'r, R> {
    source: &'r mut R,
    /// Read, and not used.
    bytes: Vec<u8>,
    /// Where `bytes` begin.
    place: Place,
    /// Whether `bytes` are all that is left.
    is_whole: bool,
}

impl<'r, R: BufRead> Stream<'r, R> {
    pub(super) fn new(source: &'r mut R) -> Self {
        Stream {
            source,
            bytes: Vec::new(),
            place: Place::START,
            is_whole: false,
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether a form cannot become longer.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= FORM_BYTES_MAX
    }

    /// A reader of what is at hand; a character that is cut in two is left out.
    pub(super) fn reader(&self) -> Result<Reader<'_>, HistoryError> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Reader::of(text, self.place),
            Err(error) => {
                let (valid, rest) = self.bytes.split_at(error.valid_up_to());
                if self.is_whole || error.error_len().is_some() {
                    return Err(HistoryError::NotText {
                        place: place_after(self.place, valid),
                        found: rest[0],
                    });
                }
                Reader::of(std::str::from_utf8(valid).expect("valid up to there"), self.place)
            }
        }
    }

    /// Goes on behind the first `used` bytes, with more than there were before.
    pub(super) fn advance(&mut self, used: usize) -> Result<(), HistoryError> {
        if used == 0 && self.is_full() {
            return Err(HistoryError::TooLarge {
                place: self.place,
                what: "a form of an EDN file holds at most 16 MiB",
            });
        }
        self.place = place_after(self.place, &self.bytes[..used]);
        self.bytes.drain(..used);
        // As much again, so that a long form is not tried too often.
        let more = self.bytes.len().max(PIECE_BYTES);
        let read = self.source.by_ref().take(more as u64).read_to_end(&mut self.bytes)?;
        self.is_whole = read < more;
        Ok(())
    }
}
