//! What the command line reads and writes: scenarios, traces, histories. A name that ends in `.zst` is written compressed; what is
//! read may be compressed whatever its name.

use super::error::CliError;
use super::output;
use crate::capsule::{BYTES_MAX, Capsule};
use crate::scenario::MAX_TEXT;
use crate::whole::Whole;
use checker::history::{Format, History, HistoryError, Keys, OperationId, jsonl};
use checker::linearizability::Witness;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use simulator::TraceEvent;
use simulator::trace::format::{self, Trace, TraceError, TraceFooter, TraceHeader};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The fastest level of zstd: traces shrink more than tenfold at any.
const LEVEL: i32 = 1;
/// How a file begins that zstd has compressed.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How a file begins that gzip has compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The most events of a trace that is held in memory.
const TRACE_EVENTS_MAX: usize = 1 << 22;
/// The most bytes of its events.
const TRACE_BYTES_MAX: usize = 1 << 30;
/// From this size on, in bytes, a history deserves a notice.
pub const LARGE_HISTORY: u64 = 64 << 20;

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

/// The text of a scenario file.
pub fn scenario(path: &Path) -> Result<String, CliError> {
    let bad = |what: String| CliError::BadFile {
        path: path.to_owned(),
        what,
    };
    let mut bytes = Vec::new();
    // One byte more than may be, so that longer files are refused by the parser's own bound.
    let read = open(path)?.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| CliError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let (at, length) = (error.utf8_error().valid_up_to(), error.as_bytes().len());
        if length > MAX_TEXT {
            return bad(format!(
                "a scenario has at most {MAX_TEXT} bytes; is this the right file?"
            ));
        }
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let what = format!(
            "line {line} (byte {at}): this is not UTF-8 text; a scenario is a TOML file: is this the right one?"
        );
        bad(what)
    })
}

fn open(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|error| CliError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// Reads a file, and moves `bar` along. What is compressed begins so, whatever its name.
fn reader(path: &Path, bar: Option<&ProgressBar>) -> Result<Box<dyn BufRead + Send>, CliError> {
    let file: Box<dyn Read + Send> = match bar {
        Some(bar) => Box::new(bar.wrap_read(open(path)?)),
        None => Box::new(open(path)?),
    };
    let unreadable = |error| CliError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let mut file = BufReader::new(file);
    let start = file.fill_buf().map_err(unreadable)?;
    if start.starts_with(&ZSTD) {
        let decoder = zstd::Decoder::with_buffer(file).map_err(unreadable)?;
        Ok(Box::new(BufReader::new(Unpacking(decoder))))
    } else if start.starts_with(&GZIP) {
        Ok(Box::new(BufReader::new(Unpacking(MultiGzDecoder::new(file)))))
    } else {
        Ok(Box::new(file))
    }
}

/// What is compressed, as it was. Its errors say that it is compressed, for nobody knows it from the name.
struct Unpacking<R>(R);

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let what = format!("the file is compressed, and damaged or cut short ({error})");
            io::Error::new(error.kind(), what)
        })
    }
}

/// Reads a trace into memory, its long messages abbreviated, and one that is cut short as far as it goes.
pub fn trace(path: &Path) -> Result<Trace, CliError> {
    let mut trace = TraceReader::open(path)?.however_cut().abbreviating();
    let mut held = Held::default();
    while let Some(event) = trace.next_event()? {
        held.take(event);
        if held.is_too_long {
            break;
        }
    }
    let events = held.events(path)?;
    let (header, footer) = trace.ends()?;
    Ok(Trace { header, events, footer })
}

/// How long a trace is, or may be.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Events.
    pub events: usize,
    /// Bytes of their lines.
    pub bytes: usize,
}

impl Length {
    /// What is held in memory at most.
    pub const HELD: Self = Self {
        events: TRACE_EVENTS_MAX,
        bytes: TRACE_BYTES_MAX,
    };

    /// Whether neither number is above that of `most`.
    pub fn is_within(self, most: Self) -> bool {
        self.events <= most.events && self.bytes <= most.bytes
    }
}

/// The events of a trace that is held in memory, as many as the bounds allow.
pub struct Held {
    events: Vec<TraceEvent>,
    bytes: usize,
    most: Length,
    is_too_long: bool,
}

impl Default for Held {
    fn default() -> Self {
        Self::of(Length::HELD)
    }
}

impl Held {
    /// Holds so many at most.
    pub fn of(most: Length) -> Self {
        Self {
            events: Vec::new(),
            bytes: 0,
            most,
            is_too_long: false,
        }
    }

    /// Takes an event, unless there are too many.
    pub fn take(&mut self, event: TraceEvent) {
        let bytes = self.bytes + event.fields.line().map_or(0, str::len);
        let length = Length {
            events: self.events.len() + 1,
            bytes,
        };
        self.is_too_long |= !length.is_within(self.most);
        if !self.is_too_long {
            self.bytes = bytes;
            self.events.push(event);
        }
    }

    /// All events of the trace of `path`, if they fitted.
    pub fn events(self, path: &Path) -> Result<Vec<TraceEvent>, CliError> {
        if !self.is_too_long {
            return Ok(self.events);
        }
        let what = format!(
            "the trace is longer than what is held in memory, which is {} events and {} bytes; \
             `squall diff`, `squall replay` and `squall export --to csv|jsonl` take any length",
            self.most.events, self.most.bytes
        );
        Err(CliError::BadFile {
            path: path.to_owned(),
            what,
        })
    }
}

fn bad_trace(path: &Path, error: TraceError) -> CliError {
    CliError::Trace {
        path: path.to_owned(),
        error: Box::new(error),
    }
}

/// Reads a trace event by event.
pub struct TraceReader {
    path: PathBuf,
    reader: format::Reader<Box<dyn BufRead + Send>>,
}

impl TraceReader {
    /// Opens a trace and reads its header.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let reader = format::Reader::new(reader(path, None)?).map_err(|error| bad_trace(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            reader,
        })
    }

    /// What was run.
    pub fn header(&self) -> &TraceHeader {
        self.reader.header()
    }

    /// As it is, but for long messages, of which [`TraceReader::next_event`] gives the beginnings.
    pub fn abbreviating(self) -> Self {
        Self {
            reader: self.reader.abbreviating(),
            ..self
        }
    }

    /// With an end also where it is cut short, and a footer that stands for the missing one.
    pub fn however_cut(self) -> Self {
        Self {
            reader: self.reader.however_cut(),
            ..self
        }
    }

    /// The next event; `None` after the last.
    pub fn next_event(&mut self) -> Result<Option<TraceEvent>, CliError> {
        self.reader.next_event().map_err(|error| bad_trace(&self.path, error))
    }

    /// The line of the next event; `None` after the last.
    pub fn next_line(&mut self) -> Result<Option<&str>, CliError> {
        self.reader.next_line().map_err(|error| bad_trace(&self.path, error))
    }

    /// The number of the last event that was read.
    pub fn last_seq(&self) -> Option<u64> {
        self.reader.last_seq()
    }

    /// How it ended; known once there is no event left.
    pub fn footer(&self) -> Option<&TraceFooter> {
        self.reader.footer()
    }

    /// Reads what is left: the header, and the footer that only a whole trace has.
    pub fn ends(mut self) -> Result<(TraceHeader, TraceFooter), CliError> {
        while self.next_line()?.is_some() {}
        Ok(self.reader.ends())
    }
}

/// Reads a capsule.
pub fn capsule(path: &Path) -> Result<Capsule, CliError> {
    let bad = |what: String| CliError::BadFile {
        path: path.to_owned(),
        what,
    };
    let mut bytes = Vec::new();
    // One byte more than may be, so that longer files are known.
    let read = reader(path, None)?.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| CliError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    if bytes.len() > BYTES_MAX {
        let what = format!("a capsule has at most {BYTES_MAX} bytes, and this has more: is this the right file?");
        return Err(bad(what));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| bad("this is not UTF-8 text; a capsule is a JSON file: is this the right one?".to_owned()))?;
    let name = path.file_name().unwrap_or_default().display().to_string();
    Capsule::parse(&name, &text).map_err(|error| CliError::Capsule {
        path: path.to_owned(),
        error: Box::new(error),
    })
}

/// Whether a file is named as a capsule: traces and histories are JSON Lines.
pub fn is_capsule(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// Reads a history, with its keys where `keys` says, and moves `bar` along; `-` is standard input.
pub fn history(name: &str, bar: Option<&ProgressBar>, keys: Keys) -> Result<(History, Format), CliError> {
    let wrong = |error: HistoryError| CliError::History {
        path: name.to_owned(),
        error: Box::new(error),
    };
    if name == "-" {
        return History::read_with(io::stdin().lock(), keys).map_err(wrong);
    }
    History::read_with(reader(Path::new(name), bar)?, keys).map_err(wrong)
}

/// Reads a witness that `squall check --witness` has written.
pub fn witness(path: &Path, history: &History) -> Result<Witness, CliError> {
    let bad = |what: String| CliError::BadFile {
        path: path.to_owned(),
        what,
    };
    // More than any witness of this history takes, were each number on a line of its own.
    let bytes_max = WITNESS_BYTES + WITNESS_BYTES_PER_OPERATION * history.len() as u64;
    let mut limited = reader(path, None)?.take(bytes_max + 1);
    let file: Result<WitnessFile, _> = serde_json::from_reader(&mut limited);
    if limited.limit() == 0 {
        return Err(bad(format!(
            "a witness of {} operations has at most {bytes_max} bytes, and this file has more; is it the right one?",
            history.len()
        )));
    }
    let file = file.map_err(|error| {
        bad(format!(
            "this is no witness: {error}; write one with `squall check --witness FILE`"
        ))
    })?;
    if file.schema != WITNESS_SCHEMA {
        return Err(bad(format!(
            "the schema is {:?}, and {WITNESS_SCHEMA:?} is what can be read",
            file.schema
        )));
    }
    let id = |index: usize| {
        let unknown = || {
            bad(format!(
                "operation {index} is not in the history; is the witness of another one?"
            ))
        };
        history.id(index).ok_or_else(unknown)
    };
    let order = |order: Vec<usize>| order.into_iter().map(id).collect::<Result<Vec<_>, _>>();
    let orders = file.orders.into_iter().map(order).collect::<Result<Vec<_>, _>>()?;
    Ok(Witness::from_orders(orders))
}

/// Most bytes of a witness: so many, and so many for each operation of the history.
const WITNESS_BYTES: u64 = 64 << 10;
const WITNESS_BYTES_PER_OPERATION: u64 = 64;

/// The schema of [`WitnessFile`].
const WITNESS_SCHEMA: &str = "squall-witness/1";

/// A witness on disk.
#[derive(Deserialize, Serialize)]
struct WitnessFile {
    /// `squall-witness/1`.
    schema: String,
    /// For each key, the operations in the order in which they took effect: lines of the history from 0.
    orders: Vec<Vec<usize>>,
}

/// A file that is yet to be written: what cannot be made is known before anything runs, and an old file stays as it is until the new
/// one is whole.
#[derive(Debug)]
pub struct Draft(Whole);

impl Draft {
    /// Begins a file.
    ///
    /// # Errors
    /// When none can be made there.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        Whole::create(path).map(Self).map_err(|error| CliError::NotCreatable {
            path: path.to_owned(),
            error,
        })
    }

    /// Begins a file that goes with a verdict, if one was asked for: if it cannot be made that is said, and the command does without.
    pub fn beside(path: Option<&Path>) -> Option<Self> {
        let path = path?;
        output::spared(|| Self::create(path))
            .map_err(|error| output::lost(&error))
            .ok()
    }

    /// Writes all of it, compressed if its name says so.
    ///
    /// # Errors
    /// When it cannot be written to its end: then there is no new file.
    pub fn write(self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<PathBuf, CliError> {
        let mut writing = self.begin()?;
        match content(&mut writing) {
            Ok(()) => writing.finish(),
            Err(error) => Err(writing.failed(error)),
        }
    }

    /// Begins to write it piece by piece, compressed if its name says so.
    pub fn begin(self) -> Result<Writing, CliError> {
        let Self(file) = self;
        let path = file.path().to_owned();
        let out = BufWriter::new(file);
        let out = if is_compressed(&path) {
            match zstd::Encoder::new(out, LEVEL) {
                Ok(encoder) => Out::Compressed(encoder),
                Err(error) => return Err(CliError::Unwritable { path, error }),
            }
        } else {
            Out::Plain(out)
        };
        Ok(Writing { path, out })
    }

    /// Writes a capsule.
    pub fn write_capsule(self, capsule: &Capsule) -> Result<PathBuf, CliError> {
        self.write(|out| out.write_all(capsule.to_json().as_bytes()))
    }

    /// Writes a witness as JSON.
    pub fn write_witness(self, witness: &Witness) -> Result<PathBuf, CliError> {
        let order = |order: &[OperationId]| order.iter().map(|id| id.index()).collect();
        let file = WitnessFile {
            schema: WITNESS_SCHEMA.to_owned(),
            orders: witness.orders().map(order).collect(),
        };
        self.write(|mut out| {
            serde_json::to_writer(&mut out, &file)?;
            out.write_all(b"\n")
        })
    }

    /// Writes a history as JSON Lines.
    pub fn write_history(self, history: &History) -> Result<PathBuf, CliError> {
        self.write(|mut out| jsonl::write(history, &mut out))
    }
}

/// A file under way. Nobody sees it before [`Writing::finish`].
pub struct Writing {
    path: PathBuf,
    out: Out,
}

enum Out {
    Plain(BufWriter<Whole>),
    Compressed(zstd::Encoder<'static, BufWriter<Whole>>),
}

impl Writing {
    /// Writes what is left, and puts the file into its place; its path.
    pub fn finish(self) -> Result<PathBuf, CliError> {
        let whole = match self.out {
            Out::Plain(out) => Ok(out),
            Out::Compressed(encoder) => encoder.finish(),
        };
        let file = whole.and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
        file.and_then(Whole::commit)
            .map_err(|error| CliError::Unwritable { path: self.path, error })
    }

    /// What to say of a file of which a piece could not be written.
    pub fn failed(self, error: io::Error) -> CliError {
        CliError::Unwritable { path: self.path, error }
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::Plain(out) => out.write(bytes),
            Out::Compressed(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Plain(out) => out.flush(),
            Out::Compressed(encoder) => encoder.flush(),
        }
    }
}
