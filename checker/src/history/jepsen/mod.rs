//! Histories as Jepsen records them: EDN maps of invocations and completions in real-time order.
//!
//! ```clojure
//! [{:process 0, :type :invoke, :f :cas, :value [1 2]}
//!  {:process 0, :type :ok, :f :cas, :value [1 2]}]
//! ```
//!
//! A vector, a list, or one map after another. Processes without a number (`:nemesis`) are no clients: what they did is kept as
//! [disturbances](History::disturbances), `:start…` until `:stop…`. `:fail` means that the operation did not happen: it is dropped, a failed
//! `:cas` included. `:info` is an unknown outcome, as is an invocation that
//! the file never completes. A completed read of `nil` says nothing and is dropped; within a transaction it has found what was there at the
//! start, as in Elle. What is dropped is counted in [`History::import`]. There is one key, null, unless the values are `[key value]`
//! ([`Keys`]), and the times are the positions of the events. Other fields (`:time`, `:index`, `:error`) are not looked at.
//!
//! Owns how events stand in a file: `event` has what one of them says, `importer` pairs them up, `values` has what their values mean, and
//! `clients` who is a client. The syntax is in [`edn`](super::edn); events written as JSON come through [`jsonl`].

mod clients;
mod event;
mod importer;
mod values;

use std::io::{BufRead, Read};

use super::edn::{Form, Reader};
use super::format::place_after;
use super::independent::{Evidence, Shape};
use super::jsonl::{self, LINE_BYTES_MAX};
use super::stream::Stream;
use super::{Format, History, HistoryError, Keys, Place};

use event::{Line, event_of};
pub(super) use importer::Importer;

/// Reads a history from the bytes of a file, whose beginning tells where the keys are.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn parse(mut bytes: &[u8]) -> Result<History, HistoryError> {
    let shape = shape(bytes, Format::JepsenEdn, Keys::Auto);
    read_shaped(&mut bytes, shape)
}

/// Reads a history without keys, one form in memory at a time.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read(source: &mut impl BufRead) -> Result<History, HistoryError> {
    read_shaped(source, Shape::default())
}

/// How the values of a file that begins as `head` are put together.
pub(super) fn shape(head: &[u8], format: Format, keys: Keys) -> Shape {
    let mut evidence = Evidence::default();
    if keys != Keys::None {
        // What is wrong with the file is said when it is read.
        let _ = match format {
            Format::JsonLines | Format::JsonArray => Ok(()),
            Format::JsonEvents => {
                jsonl::look(head, &mut evidence);
                Ok(())
            }
            Format::JepsenEdn => look(head, &mut evidence),
            Format::JepsenLog => look_log(head, &mut evidence),
        };
    }
    let shape = evidence.shape();
    Shape {
        has_keys: shape.has_keys || keys == Keys::InValue,
        ..shape
    }
}

fn look(head: &[u8], evidence: &mut Evidence) -> Result<(), HistoryError> {
    let mut reader = Reader::of(valid_text(head), Place::START)?;
    let mut frame = Frame::Before;
    loop {
        match frame.next(&mut reader)? {
            Next::Frame(Frame::Over) => return Ok(()),
            Next::Frame(next) => frame = next,
            Next::Form(_, form) => {
                if look_at(&form, evidence) {
                    return Ok(());
                }
            }
        }
    }
}

/// Looks at one event; whether nothing more has to be looked at.
pub(super) fn look_at(form: &Form<'_>, evidence: &mut Evidence) -> bool {
    match event_of(form) {
        Ok(Line::Client(event)) if event.kind == "invoke" => {
            evidence.invocation(event.function.unwrap_or("txn"), event.value)
        }
        _ => false,
    }
}

fn look_log(head: &[u8], evidence: &mut Evidence) -> Result<(), HistoryError> {
    for line in valid_text(head).lines() {
        let mut fields = Reader::of(line, Place::START)?;
        let Some(start) = log_fields(line) else { continue };
        fields.skip_to(start);
        let (process, kind, function) = (fields.read()?, fields.read()?, fields.read()?);
        if let (Form::Integer(_), Form::Keyword("invoke"), Form::Keyword(function)) = (process, kind, function)
            && fields.peek()?.is_some()
            && evidence.invocation(function, &fields.read()?)
        {
            break;
        }
    }
    Ok(())
}

fn valid_text(head: &[u8]) -> &str {
    match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).expect("valid up to there"),
    }
}

/// Where the fields of a line of a log begin: behind a dash, as old logs have it, or behind the name of who wrote it.
fn log_fields(line: &str) -> Option<usize> {
    let dash = line.find(" - ").map(|at| at + 3);
    dash.or_else(|| line.find("jepsen.util: ").map(|at| at + "jepsen.util: ".len()))
}

/// As [`read`], where the values are put together so.
pub(super) fn read_shaped(source: &mut impl BufRead, shape: Shape) -> Result<History, HistoryError> {
    let mut stream = Stream::new(source);
    let mut import = Importer::new(shape, false);
    let mut frame = Frame::Before;
    loop {
        stream.advance(import_pieces(&stream, &mut frame, &mut import)?)?;
        if frame == Frame::Over {
            return import.finish();
        }
    }
}

/// Imports the forms that are whole in what `stream` has at hand; how many bytes they take.
fn import_pieces<R: BufRead>(
    stream: &Stream<'_, R>,
    frame: &mut Frame,
    import: &mut Importer,
) -> Result<usize, HistoryError> {
    let mut reader = stream.reader()?;
    loop {
        let start = reader.offset();
        let next = frame.next(&mut reader);
        // What ends where the piece does may go on behind, and what is wrong may only be cut.
        let may_go_on = match &next {
            Ok(_) => reader.is_at_end(),
            Err(HistoryError::Truncated { .. }) => true,
            Err(_) => !stream.is_full(),
        };
        if may_go_on && !stream.is_whole() {
            return Ok(start);
        }
        match next? {
            Next::Frame(Frame::Over) => {
                *frame = Frame::Over;
                return Ok(reader.offset());
            }
            Next::Frame(next) => *frame = next,
            Next::Form(offset, form) => {
                import.form(&form).map_err(|problem| problem.of_map(&reader, offset))?;
            }
        }
    }
}

/// Where in a file the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// Nothing was seen.
    Before,
    /// Among maps that stand one after another.
    Bare,
    /// In a vector or a list that this ends.
    In(char),
    /// Behind that.
    After,
    /// At the end of the file.
    Over,
}

/// What comes next in a file.
enum Next<'t> {
    Frame(Frame),
    /// A form, and at which byte it begins.
    Form(usize, Form<'t>),
}

impl Frame {
    fn next<'t>(self, reader: &mut Reader<'t>) -> Result<Next<'t>, HistoryError> {
        let next = reader.peek()?;
        let brackets = [('[', ']'), ('(', ')')];
        Ok(match (self, next) {
            (Frame::Before, Some(next)) => match brackets.iter().find(|(begin, _)| *begin == next) {
                Some(&(begin, end)) => {
                    reader.take(begin)?;
                    Next::Frame(Frame::In(end))
                }
                None => Next::Frame(Frame::Bare),
            },
            (Frame::In(end), Some(next)) if next == end => {
                reader.take(end)?;
                Next::Frame(Frame::After)
            }
            (Frame::In(_), None) => {
                return Err(HistoryError::Truncated {
                    place: reader.place(reader.offset()),
                    what: "the vector of events",
                });
            }
            (Frame::After, Some(_)) => {
                let what = "something follows the end of the history; remove it";
                return Err(reader.syntax(reader.offset(), what));
            }
            (_, None) => Next::Frame(Frame::Over),
            (_, Some(_)) => {
                let offset = reader.offset();
                Next::Form(offset, reader.read()?)
            }
        })
    }
}

/// Reads a history from a log, one line in memory at a time: lines that end in process, type, function and value, apart by tabs or
/// spaces. Lines without a dash, or the name `jepsen.util`, before these are skipped.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read_log(source: &mut impl BufRead) -> Result<History, HistoryError> {
    read_log_shaped(source, Shape::default())
}

/// As [`read_log`], where the values are put together so.
pub(super) fn read_log_shaped(source: &mut impl BufRead, shape: Shape) -> Result<History, HistoryError> {
    let mut import = Importer::new(shape, true);
    let mut bytes = Vec::new();
    let mut place = Place::START;
    loop {
        bytes.clear();
        source
            .by_ref()
            .take(LINE_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return import.finish();
        }
        if bytes.len() > LINE_BYTES_MAX {
            return Err(HistoryError::LineTooLong {
                line: place.line,
                max: LINE_BYTES_MAX,
            });
        }
        let line = std::str::from_utf8(&bytes).map_err(|error| HistoryError::NotText {
            place: place_after(place, &bytes[..error.valid_up_to()]),
            found: bytes[error.valid_up_to()],
        })?;
        log_line(&mut import, Reader::of(line, place)?)?;
        place = place_after(place, &bytes);
    }
}

fn log_line(import: &mut Importer, mut fields: Reader<'_>) -> Result<(), HistoryError> {
    let Some(start) = log_fields(fields.text()) else {
        return Ok(());
    };
    fields.skip_to(start);
    let reader = fields.clone();
    let mut offsets = [start; 4];
    let mut forms = [const { Form::Nil }; 4];
    for (offset, form) in offsets.iter_mut().zip(&mut forms) {
        if fields.peek()?.is_some() {
            *offset = fields.offset();
            *form = fields.read()?;
        }
    }
    import
        .log_fields(&forms)
        .map_err(|problem| problem.of_fields(&reader, offsets))
}
