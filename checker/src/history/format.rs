//! Tells the file formats apart by their content. Owns nothing of either format.

use std::io::{BufRead, Cursor, Read};

use super::{History, HistoryError, Place, edn, jepsen, jsonl};

/// Most bytes looked at to tell the formats apart; beyond that much leading space no history begins.
const LOOK_BYTES_MAX: usize = 1 << 16;

/// A file format of histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line: [`jsonl`](super::jsonl).
    JsonLines,
    /// Jepsen's EDN: [`jepsen`](super::jepsen).
    JepsenEdn,
    /// Lines of Jepsen's log: [`jepsen`](super::jepsen).
    JepsenLog,
}

impl History {
    /// Reads a history in any format, told apart by its content. JSON Lines are streamed; EDN and logs are read as a whole.
    ///
    /// # Errors
    ///
    /// See [`HistoryError`]; reading stops at the first.
    pub fn read(mut reader: impl BufRead) -> Result<History, HistoryError> {
        let mut head = Vec::new();
        let format = loop {
            let length = head.len();
            reader.by_ref().take(256).read_to_end(&mut head)?;
            let ended = head.len() == length;
            match detect(&head, ended)? {
                Some(format) => break format,
                None if ended => return Err(HistoryError::Empty),
                None if head.len() > LOOK_BYTES_MAX => {
                    let place = Place {
                        line: 1,
                        column: 1,
                        byte: 0,
                    };
                    return Err(HistoryError::TooLarge {
                        place,
                        what: "it begins with more than 64 KiB of space",
                    });
                }
                None => {}
            }
        };
        let mut whole = Cursor::new(head).chain(reader);
        match format {
            Format::JsonLines => jsonl::read(&mut whole),
            Format::JepsenEdn | Format::JepsenLog => {
                let mut bytes = Vec::new();
                whole.take(edn::BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
                if format == Format::JepsenEdn {
                    jepsen::parse(&bytes)
                } else {
                    jepsen::parse_log(&bytes)
                }
            }
        }
    }
}

/// The format that `head` begins in; `None` while only space has been seen. `ended`: nothing follows.
fn detect(head: &[u8], ended: bool) -> Result<Option<Format>, HistoryError> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
    let start = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let Some(first) = head[start..]
        .iter()
        .position(|byte| !is_space(byte))
        .map(|at| start + at)
    else {
        return Ok(None);
    };
    match head[first] {
        b'[' | b'(' | b';' | b'#' => Ok(Some(Format::JepsenEdn)),
        b'{' => match head[first + 1..].iter().find(|byte| !is_space(byte)) {
            Some(b':') => Ok(Some(Format::JepsenEdn)),
            Some(_) => Ok(Some(Format::JsonLines)),
            None => Ok(ended.then_some(Format::JsonLines)),
        },
        b'I' if head[first..].starts_with(b"INFO") => Ok(Some(Format::JepsenLog)),
        found if found.is_ascii() && !found.is_ascii_control() => Err(HistoryError::UnknownFormat {
            place: place(head, first),
            found: char::from(found),
        }),
        found => Err(HistoryError::NotText {
            place: place(head, first),
            found,
        }),
    }
}

/// The place of byte `at` of `bytes`, a file from its beginning.
pub(super) fn place(bytes: &[u8], at: usize) -> Place {
    let before = &bytes[..at];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    let start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    Place {
        line,
        column: (at - start) as u64 + 1,
        byte: at as u64,
    }
}
