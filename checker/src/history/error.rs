//! What can be wrong with a history file, for the person who has to correct it.

use std::fmt;
use std::io;

/// Where in a file. Displays as `line 3, column 14 (byte 233)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u64,
    /// Byte in the line, from 1.
    pub column: u64,
    /// Byte in the file, from 0.
    pub byte: u64,
}

impl Place {
    /// The beginning of a file.
    pub(crate) const START: Place = Place {
        line: 1,
        column: 1,
        byte: 0,
    };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (byte {})", self.line, self.column, self.byte)
    }
}

/// Why a history cannot be read: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("the history cannot be read: {0}; check the path and its permissions")]
    Io(#[from] io::Error),
    /// There is nothing in the file.
    #[error("the history is empty: it holds no operation; check that the recorder ran and that the file was flushed")]
    Empty,
    /// The file begins like neither format.
    #[error(
        "at {place}: not a history: it begins with {found:?}; expected JSON Lines ({{\"client\":1,\"op\":\"read\",…}}) or Jepsen EDN \
         ([{{:process 0, :type :invoke, …}}])"
    )]
    UnknownFormat {
        /// The first character that is not space.
        place: Place,
        /// That character.
        found: char,
    },
    /// Bytes that are not text.
    #[error("at {place}: byte 0x{found:02x} is not UTF-8 text; if the file is compressed, decompress it first")]
    NotText {
        /// The first such byte.
        place: Place,
        /// The byte.
        found: u8,
    },
    /// A line beyond the bound.
    #[error("line {line} is longer than {max} bytes; write one operation per line, or shorten its values")]
    LineTooLong {
        /// The line, from 1.
        line: u64,
        /// The bound, in bytes.
        max: usize,
    },
    /// More than a history holds.
    #[error("at {place}: the history is too large: {what}; split it by key or by time and check the parts")]
    TooLarge {
        /// Where the bound is passed.
        place: Place,
        /// The bound.
        what: &'static str,
    },
    /// The file ends in the middle of something.
    #[error(
        "at {place}: the file ends in the middle of {what}; it was probably cut off while it was written: record it again, or \
         remove the incomplete end"
    )]
    Truncated {
        /// The end of the file.
        place: Place,
        /// What is incomplete.
        what: &'static str,
    },
    /// The text is not JSON or EDN, or a field has the wrong name, type or range.
    #[error("at {place}: {what}")]
    Syntax {
        /// Where.
        place: Place,
        /// What is wrong, and what to do.
        what: String,
    },
    /// An operation returns before it is called.
    #[error("at {place}: the operation returns at {returned}, before its call at {call}; check the recorder's clock")]
    ReturnBeforeCall {
        /// Its line.
        place: Place,
        /// When it was called.
        call: u64,
        /// When it returned.
        returned: u64,
    },
    /// One client has two operations in flight.
    #[error(
        "at {place}: client {client} calls an operation at {call}, while its operation of line {other} is in flight until {returned}; a \
         client does one thing at a time: give concurrent sessions different client numbers"
    )]
    Overlap {
        /// The later call.
        place: Place,
        /// The client.
        client: u32,
        /// When the later one was called.
        call: u64,
        /// When the earlier one returned.
        returned: u64,
        /// The line of the earlier one.
        other: u64,
    },
    /// Events of a process that do not pair up.
    #[error("at {place}: process {process} {what}")]
    Pairing {
        /// The event.
        place: Place,
        /// The process.
        process: i64,
        /// What is wrong, and what to do.
        what: String,
    },
}
