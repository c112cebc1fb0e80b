//! Histories as JSON Lines: one operation per line, in any order.
//!
//! ```json
//! {"client":1,"op":"write","key":"r","value":1,"call":4,"return":8}
//! {"client":4,"op":"read","key":"r","output":null,"call":2,"return":3}
//! {"client":2,"op":"cas","key":"r","from":2,"to":4,"ok":true,"call":5,"return":10}
//! {"client":1,"op":"cas","key":"r","from":0,"to":2,"call":44,"return":null}
//! {"client":0,"op":"append","key":"0","value":"x","call":2,"return":3}
//! ```
//!
//! [`OPERATIONS`](super::OPERATIONS) has the names of all operations, the arguments of each (`value`, or `from` and `to`) and how
//! it may be answered: with a value (`output`), with yes or no (`ok`), or with neither.
//!
//! `return: null` is an unknown outcome; `output` and `ok` are then left out. Keys and values are null, 64-bit integers,
//! strings, or lists of these. A client may go on after an unknown outcome, but has one operation in flight at a time: an overlap is an error,
//! because it nearly always means that a recorder mixed up two sessions, and then no verdict is worth anything. Fields that say nothing of
//! an operation are passed over, and counted in [`History::import`].
//!
//! The same objects may stand in an array, or over several lines each. Objects with `type` and `process` are events as Jepsen records
//! them, `{"type":"invoke","process":"c1","f":"read","value":null}`, and read as such.

mod line;
mod quick;
mod write;

use std::io::{BufRead, Read};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::edn::Form;
use super::format::place_after;
use super::independent::{Evidence, Shape};
use super::jepsen::{Importer, look_at};
use super::objects::{self, Objects};
use super::{History, HistoryError, OperationId, Place};

pub(crate) use line::value;
pub use write::write;

use line::Origin;

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Reads a history, one line in memory at a time.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read(reader: &mut impl BufRead) -> Result<History, HistoryError> {
    let mut history = History::new();
    let mut origins: Vec<Origin> = Vec::new();
    let mut bytes = Vec::new();
    let mut origin = Origin {
        line: 1,
        column: 1,
        byte: 0,
    };
    loop {
        bytes.clear();
        reader
            .by_ref()
            .take(LINE_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        if bytes.len() > LINE_BYTES_MAX {
            return Err(HistoryError::LineTooLong {
                line: origin.line,
                max: LINE_BYTES_MAX,
            });
        }
        let skipped = if origin.byte == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let line = &bytes[skipped..];
        if !line.iter().all(u8::is_ascii_whitespace) {
            let start = Origin {
                byte: origin.byte + skipped as u64,
                column: 1 + skipped as u64,
                ..origin
            };
            line::read(&mut history, line, start)?;
            origins.push(start);
        }
        origin = Origin {
            line: origin.line + 1,
            column: 1,
            byte: origin.byte + bytes.len() as u64,
        };
    }
    if history.is_empty() {
        return Err(HistoryError::Empty);
    }
    refuse_overlaps(&history, &origins)?;
    Ok(history)
}

/// Reads a history of the same objects in an array, or over several lines each.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read_objects(source: &mut impl BufRead) -> Result<History, HistoryError> {
    let mut history = History::new();
    let mut origins: Vec<Origin> = Vec::new();
    let mut objects = Objects::new(source);
    while let Some((place, object)) = objects.next()? {
        let origin = Origin {
            line: place.line,
            column: place.column,
            byte: place.byte,
        };
        line::read(&mut history, object, origin)?;
        origins.push(origin);
    }
    if history.is_empty() {
        return Err(HistoryError::Empty);
    }
    refuse_overlaps(&history, &origins)?;
    Ok(history)
}

/// Reads a history of [events](super::jepsen) that are written as JSON: in an array or one after another.
pub(super) fn read_events(source: &mut impl BufRead, shape: Shape) -> Result<History, HistoryError> {
    let mut importer = Importer::new(shape, false);
    let mut objects = Objects::new(source);
    while let Some((place, object)) = objects.next()? {
        let text = event_text(place, object)?;
        let form = objects::form(text).map_err(|error| HistoryError::Syntax {
            place: place_after(place, &object[..line::offset_of(&error, text)]),
            what: error.to_string(),
        })?;
        importer.form(&form).map_err(|problem| problem.in_json(text, place))?;
    }
    importer.finish()
}

/// Looks at the events that `head` begins with, to tell how their values are put together. What is wrong with them is said when they
/// are read.
pub(super) fn look(mut head: &[u8], evidence: &mut Evidence) {
    let mut objects = Objects::new(&mut head);
    while let Ok(Some((place, object))) = objects.next() {
        let Ok(text) = event_text(place, object) else { return };
        let Ok(form) = objects::form(text) else { return };
        if look_at(&form, evidence) {
            return;
        }
    }
}

/// The first object of a file.
pub(super) struct First {
    /// Whether it is an event rather than an operation.
    pub(super) is_event: bool,
    pub(super) is_on_one_line: bool,
}

/// The first object of a file that begins as `head`, if it ends in that.
pub(super) fn first_object(mut head: &[u8]) -> Option<First> {
    let mut objects = Objects::new(&mut head);
    let (place, object) = objects.next().ok()??;
    let form = event_text(place, object).ok().and_then(|text| objects::form(text).ok());
    let has = |name: &str| match &form {
        Some(Form::Map(entries)) => entries.iter().any(|(key, _)| *key == Form::Text(name.into())),
        _ => false,
    };
    Some(First {
        is_event: has("type") && has("process") && !has("op"),
        is_on_one_line: !object.contains(&b'\n'),
    })
}

fn event_text(place: Place, object: &[u8]) -> Result<&str, HistoryError> {
    std::str::from_utf8(object).map_err(|error| HistoryError::NotText {
        place: place_after(place, &object[..error.valid_up_to()]),
        found: object[error.valid_up_to()],
    })
}

fn refuse_overlaps(history: &History, origins: &[Origin]) -> Result<(), HistoryError> {
    if is_in_order(history) {
        return Ok(());
    }
    let operation = |id: OperationId| history.operation(id);
    let mut ids: Vec<OperationId> = history.ids().collect();
    ids.sort_by_key(|&id| (operation(id).client, operation(id).call, operation(id).returned));
    for pair in ids.windows(2) {
        let (earlier, later) = (operation(pair[0]), operation(pair[1]));
        if let Some(returned) = earlier
            .returned
            .filter(|&end| earlier.client == later.client && end > later.call)
        {
            return Err(HistoryError::Overlap {
                place: origins[pair[1].index()].start(),
                client: later.client,
                call: later.call,
                returned,
                other: origins[pair[0].index()].line,
            });
        }
    }
    Ok(())
}

/// Whether each client's operations stand one after another, as they nearly always do.
fn is_in_order(history: &History) -> bool {
    let mut free_from: HashMap<u32, u64, FxBuildHasher> = HashMap::default();
    history.operations().all(|operation| {
        let end = operation.returned.unwrap_or(operation.call);
        let before = free_from.insert(operation.client, end);
        before.is_none_or(|before| before <= operation.call)
    })
}
