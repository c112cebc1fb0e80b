//! Tells the file formats apart by their content. Owns nothing of either format.

use std::io::{BufRead, Cursor, Read};

use super::independent::LOOK_BYTES_MAX as KEYS_LOOK_BYTES_MAX;
use super::{History, HistoryError, Keys, Place, jepsen, jsonl};

/// Most bytes looked at to tell the formats apart; beyond that much leading space no history begins.
const LOOK_BYTES_MAX: usize = 1 << 16;

/// A file format of histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line: [`jsonl`](super::jsonl).
    JsonLines,
    /// The same objects in an array, or over several lines each.
    JsonArray,
    /// Jepsen's events as JSON, in an array or one after another.
    JsonEvents,
    /// Jepsen's EDN: [`jepsen`](super::jepsen).
    JepsenEdn,
    /// Lines of Jepsen's log: [`jepsen`](super::jepsen).
    JepsenLog,
}

impl Format {
    /// Whether operations stand whole, with their keys and times, rather than as events.
    pub fn has_operations(self) -> bool {
        matches!(self, Format::JsonLines | Format::JsonArray)
    }
}

impl History {
    /// Reads a history in any format, told apart by its content. It is streamed: one line or one form of it is in memory at a time.
    ///
    /// # Errors
    ///
    /// See [`HistoryError`]; reading stops at the first.
    pub fn read(reader: impl BufRead) -> Result<History, HistoryError> {
        History::read_with(reader, Keys::Auto).map(|(history, _)| history)
    }

    /// As [`read`](Self::read), and the format; `keys` says where the keys of a Jepsen file are. JSON Lines name them.
    ///
    /// # Errors
    ///
    /// See [`HistoryError`]; reading stops at the first.
    pub fn read_with(mut reader: impl BufRead, keys: Keys) -> Result<(History, Format), HistoryError> {
        let mut head = Vec::new();
        let format = loop {
            let length = head.len();
            reader.by_ref().take(256).read_to_end(&mut head)?;
            let ended = head.len() == length;
            match detect(&head, ended)? {
                Some(format) => break format,
                None if ended => return Err(HistoryError::Empty),
                None if head.len() > LOOK_BYTES_MAX => {
                    return Err(HistoryError::TooLarge {
                        place: Place::START,
                        what: "it begins with more than 64 KiB of space",
                    });
                }
                None => {}
            }
        };
        let mut format = format;
        if format == Format::JsonLines || format == Format::JsonArray {
            format = json_format(format, &mut head, &mut reader)?;
        }
        if !format.has_operations() && keys == Keys::Auto {
            let more = KEYS_LOOK_BYTES_MAX.saturating_sub(head.len());
            reader.by_ref().take(more as u64).read_to_end(&mut head)?;
        }
        let shape = jepsen::shape(&head, format, keys);
        let mut whole = Cursor::new(head).chain(reader);
        let history = match format {
            Format::JsonLines => jsonl::read(&mut whole),
            Format::JsonArray => jsonl::read_objects(&mut whole),
            Format::JsonEvents => jsonl::read_events(&mut whole, shape),
            Format::JepsenEdn => jepsen::read_shaped(&mut whole, shape),
            Format::JepsenLog => jepsen::read_log_shaped(&mut whole, shape),
        }?;
        Ok((history, format))
    }
}

/// What the first object of a JSON file says it is; more of it is read into `head` until that has its end.
fn json_format(format: Format, head: &mut Vec<u8>, reader: &mut impl BufRead) -> Result<Format, HistoryError> {
    loop {
        match jsonl::first_object(head) {
            Some(first) if first.is_event => return Ok(Format::JsonEvents),
            Some(first) if first.is_on_one_line => return Ok(format),
            Some(_) => return Ok(Format::JsonArray),
            None => {}
        }
        // Whatever is wrong is said when it is read.
        if head.len() > LOOK_BYTES_MAX || reader.by_ref().take(1 << 14).read_to_end(head)? == 0 {
            return Ok(format);
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
        b'[' => {
            let mut after = head[first + 1..].iter().filter(|byte| !is_space(byte));
            match (after.next(), after.next()) {
                (Some(b'{'), Some(b'"')) => Ok(Some(Format::JsonArray)),
                (Some(b'{'), None) | (None, _) if !ended => Ok(None),
                _ => Ok(Some(Format::JepsenEdn)),
            }
        }
        b'(' | b';' | b'#' => Ok(Some(Format::JepsenEdn)),
        b'{' => match head[first + 1..].iter().find(|byte| !is_space(byte)) {
            Some(b':') => Ok(Some(Format::JepsenEdn)),
            Some(_) => Ok(Some(Format::JsonLines)),
            None => Ok(ended.then_some(Format::JsonLines)),
        },
        b'I' if head[first..].starts_with(b"INFO") => Ok(Some(Format::JepsenLog)),
        // Today's logs begin with the date.
        found if found.is_ascii_digit() => match head[first..].iter().position(|&byte| byte == b'\n') {
            Some(end) if is_dated(&head[first..first + end]) => Ok(Some(Format::JepsenLog)),
            None if !ended && head.len() < LOOK_BYTES_MAX => Ok(None),
            None if is_dated(&head[first..]) => Ok(Some(Format::JepsenLog)),
            _ => Err(HistoryError::UnknownFormat {
                place: place_after(Place::START, &head[..first]),
                found: char::from(found),
            }),
        },
        found if found.is_ascii() && !found.is_ascii_control() => Err(HistoryError::UnknownFormat {
            place: place_after(Place::START, &head[..first]),
            found: char::from(found),
        }),
        found => Err(HistoryError::NotText {
            place: place_after(Place::START, &head[..first]),
            found,
        }),
    }
}

/// Whether a line begins with a date, as in `2025-01-01 00:00:00,001{GMT}`, a tab and `INFO`.
fn is_dated(line: &[u8]) -> bool {
    let date = line.get(..11).is_some_and(|date| {
        let is_shaped = |(index, byte): (usize, &u8)| match index {
            4 | 7 => *byte == b'-',
            10 => matches!(byte, b' ' | b'T'),
            _ => byte.is_ascii_digit(),
        };
        date.iter().enumerate().all(is_shaped)
    });
    date && [&b"INFO"[..], b"WARN", b"ERROR", b"DEBUG"]
        .iter()
        .any(|level| line.windows(level.len()).any(|window| window == *level))
}

/// The place behind `bytes`, which begin at `start`.
pub(super) fn place_after(start: Place, bytes: &[u8]) -> Place {
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
    let column = match bytes.iter().rposition(|&byte| byte == b'\n') {
        Some(newline) => (bytes.len() - newline) as u64,
        None => start.column + bytes.len() as u64,
    };
    Place {
        line: start.line + lines,
        column,
        byte: start.byte + bytes.len() as u64,
    }
}
