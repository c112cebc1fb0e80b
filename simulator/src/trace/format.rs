//! A trace as a file: JSON Lines, a header first, a footer last, one event on each line between.
//!
//! Owns the header, the footer, and reading a whole file back with errors that say where and what to do. A file of another
//! version of the schema is refused by name, before anything else in it is looked at.

use super::{Outline, TraceEvent};
use crate::random::RNG;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};

/// The schema that this version reads and writes.
pub const SCHEMA: &str = "squall-trace/2";

/// The longest line that a reader takes, in bytes. A longer one is not written: of its message only the beginnings of long texts and
/// lists are.
pub const LINE_LIMIT: usize = 16 << 20;

/// The first line: what was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceHeader {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What wrote it, with its version.
    pub tool: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The seed as `0x` and 16 hexadecimal digits: JSON's numbers do not hold 64 bits everywhere.
    pub seed: String,
    /// How many nodes there are.
    pub nodes: u16,
    /// How many clients there are.
    pub clients: u16,
    /// The unit of time, always `ns`.
    pub clock: String,
    /// The random generator and the derivation of its streams.
    pub rng: String,
    /// What it takes to run this again, in the form of whoever ran it; nothing here looks into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Value>,
}

impl TraceHeader {
    /// The header for a run of this version.
    pub fn new(tool: &str, scenario: &str, seed: u64, nodes: u16, clients: u16) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: tool.to_owned(),
            scenario: scenario.to_owned(),
            seed: format!("{seed:#018x}"),
            nodes,
            clients,
            clock: "ns".to_owned(),
            rng: RNG.to_owned(),
            run: None,
        }
    }

    /// The seed as a number, if its text is one.
    pub fn seed(&self) -> Option<u64> {
        u64::from_str_radix(self.seed.strip_prefix("0x")?, 16).ok()
    }
}

/// The last line: how it ended. Told from an event by its `verdict` and its lack of a `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceFooter {
    /// The verdict on the run, in the words of whoever judged it.
    pub verdict: String,
    /// The digest of the world, in hexadecimal.
    pub digest: String,
    /// How many event lines there are.
    pub events: u64,
    /// The true time at the end, in nanoseconds.
    pub end: u64,
    /// Counts of exposure and of other situations, by name.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
}

/// What stands for the verdict of a trace that is cut short, of which no footer is left.
pub const CUT_SHORT: &str = "cut-short";

impl TraceFooter {
    /// In place of the footer that is missing: of so many events, the last of which was at `end`.
    fn missing(events: u64, end: u64) -> Self {
        Self {
            verdict: CUT_SHORT.to_owned(),
            digest: String::new(),
            events,
            end,
            counts: BTreeMap::new(),
        }
    }

    /// Whether it only stands for the one that is missing ([`Reader::however_cut`]): verdict and digest are not known then.
    pub fn is_missing(&self) -> bool {
        self.verdict == CUT_SHORT && self.digest.is_empty()
    }
}

/// A trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What was run.
    pub header: TraceHeader,
    /// What happened.
    pub events: Vec<TraceEvent>,
    /// How it ended, if that is known ([`TraceFooter::is_missing`]).
    pub footer: TraceFooter,
}

/// Why a trace could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file could not be read, or is not text.
    #[error(
        "line {line}: {error}; a trace is UTF-8 text, one JSON object on each line, as it is or compressed by zstd or gzip"
    )]
    Io {
        /// 1-based.
        line: u64,
        /// What the system said.
        error: io::Error,
    },
    /// There is nothing in it.
    #[error("the trace is empty; its first line must be a header with \"schema\":\"{SCHEMA}\"")]
    Empty,
    /// The first line is no header.
    #[error(
        "line 1, column {column}: this is no trace header: {what}; the first line must have \"schema\":\"{SCHEMA}\""
    )]
    Header {
        /// 1-based.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// It is of another version.
    #[error(
        "line 1: the trace has the schema `{found}`, and this version reads `{SCHEMA}` only; record it again from its seed"
    )]
    Version {
        /// What the file says.
        found: String,
    },
    /// A line is no event and no footer.
    #[error(
        "line {line}, column {column}: this is no trace event: {what}; the file is damaged: record it again from its seed"
    )]
    Event {
        /// 1-based.
        line: u64,
        /// 1-based.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// A line is longer than [`LINE_LIMIT`].
    #[error("line {line} is longer than {LINE_LIMIT} bytes; no trace has such lines: is this the right file?")]
    LongLine {
        /// 1-based.
        line: u64,
    },
    /// There is no footer.
    #[error("the trace ends after line {line} without its footer; it was cut short: record it again from its seed")]
    NoFooter {
        /// The last line, 1-based.
        line: u64,
    },
    /// There is something after the footer.
    #[error(
        "line {line}: there is more after the footer; delete what follows it, or record the trace again from its seed"
    )]
    AfterFooter {
        /// 1-based.
        line: u64,
    },
    /// The footer counts other events than there are.
    #[error(
        "the footer counts {counted} events but there are {found}; lines are missing or added: record the trace again from its seed"
    )]
    Count {
        /// What the footer says.
        counted: u64,
        /// What the file has.
        found: u64,
    },
}

/// Writes a whole trace.
///
/// # Errors
///
/// What `out` reports.
pub fn write(mut out: impl Write, header: &TraceHeader, events: &[TraceEvent], footer: &TraceFooter) -> io::Result<()> {
    write_line(&mut out, header)?;
    for event in events {
        write_line(&mut out, event)?;
    }
    write_line(&mut out, footer)
}

/// Writes one line of a trace: its header, an event or its footer.
///
/// # Errors
///
/// What `out` reports.
pub fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Reads a whole trace into memory: [`Reader`] is for those of any length.
///
/// # Errors
///
/// [`TraceError`], with the line, for what is not a complete trace of this version.
pub fn read(input: impl BufRead) -> Result<Trace, TraceError> {
    let mut reader = Reader::new(input)?;
    let mut events = Vec::new();
    while let Some(event) = reader.next_event()? {
        events.push(event);
    }
    let (header, footer) = reader.ends();
    Ok(Trace { header, events, footer })
}

/// Reads a trace event by event, in the memory of one line.
///
/// ```
/// use simulator::trace::format::{Reader, TraceHeader};
/// let header = serde_json::to_string(&TraceHeader::new("a tool", "calm", 7, 3, 2)).unwrap();
/// let event = r#"{"seq":1,"t":0,"node":0,"kind":"boot","bytes":0}"#;
/// let footer = r#"{"verdict":"pass","digest":"00","events":1,"end":5}"#;
/// let text = format!("{header}\n{event}\n{footer}\n");
/// let mut reader = Reader::new(text.as_bytes()).unwrap();
/// assert_eq!(reader.header().scenario, "calm");
/// assert_eq!(reader.next_event().unwrap().map(|event| event.seq), Some(1));
/// assert_eq!(reader.next_event().unwrap(), None);
/// assert_eq!(reader.footer().map(|footer| &*footer.verdict), Some("pass"));
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    header: TraceHeader,
    events: u64,
    footer: Option<TraceFooter>,
    abbreviates: bool,
    /// Whether an end that is missing is no error.
    is_lenient: bool,
    /// Number and time of the last event.
    last: Option<(u64, u64)>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`TraceError`] for what does not begin as a trace of this version does.
    pub fn new(input: R) -> Result<Self, TraceError> {
        let mut lines = Lines {
            input,
            line: 0,
            text: String::new(),
            is_torn: false,
        };
        let header = parse_header(lines.next()?.ok_or(TraceError::Empty)?)?;
        Ok(Self {
            lines,
            header,
            events: 0,
            footer: None,
            abbreviates: false,
            is_lenient: false,
            last: None,
        })
    }

    /// Has a trace that was cut short, by a kill or a full disk, end with its last whole event, and not with an error; its footer is then
    /// [missing](TraceFooter::is_missing). What is damaged before its end is refused as ever.
    pub fn however_cut(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    /// Has [`Reader::next_event`] abbreviate long messages: of long texts and of long lists of numbers in them the beginnings are kept,
    /// and how much more there was. So a trace is held in a memory that goes by the number of its events.
    pub fn abbreviating(mut self) -> Self {
        self.abbreviates = true;
        self
    }

    /// What was run.
    pub fn header(&self) -> &TraceHeader {
        &self.header
    }

    /// How it ended; known once there is no event left.
    pub fn footer(&self) -> Option<&TraceFooter> {
        self.footer.as_ref()
    }

    /// The number of the last event that was read.
    pub fn last_seq(&self) -> Option<u64> {
        self.last.map(|(seq, _)| seq)
    }

    /// The header and the footer of a trace that was read to its end.
    ///
    /// # Panics
    ///
    /// When it was not: neither [`Reader::next_event`] nor [`Reader::next_line`] has given `None`.
    pub fn ends(self) -> (TraceHeader, TraceFooter) {
        let footer = self.footer.expect("trace: it was read to its end");
        (self.header, footer)
    }

    /// The next event; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`TraceError`], with the line, for what is no event and no end of a trace.
    pub fn next_event(&mut self) -> Result<Option<TraceEvent>, TraceError> {
        let Some(line) = self.advance()? else { return Ok(None) };
        match TraceEvent::of_line(self.text()) {
            Ok(mut event) => {
                self.last = Some((event.seq, event.t));
                if self.abbreviates {
                    event.abbreviate_long();
                }
                Ok(Some(event))
            }
            Err(error) => self.torn(line, &error).map(|()| None),
        }
    }

    /// The line of the next event as it stands in the trace, which is known to be one; `None` after the last.
    ///
    /// # Errors
    ///
    /// As [`Reader::next_event`].
    pub fn next_line(&mut self) -> Result<Option<&str>, TraceError> {
        let Some(line) = self.advance()? else { return Ok(None) };
        match serde_json::from_str::<Outline<'_>>(self.text()).map(|outline| (outline.seq, outline.t)) {
            Ok(last) => {
                self.last = Some(last);
                Ok(Some(self.text()))
            }
            Err(error) => self.torn(line, &error).map(|()| None),
        }
    }

    fn text(&self) -> &str {
        &self.lines.text
    }

    /// Takes a line that is no event for the torn end of the trace, if it may be that.
    fn torn(&mut self, line: u64, error: &serde_json::Error) -> Result<(), TraceError> {
        if !(self.is_lenient && self.lines.is_torn) {
            return Err(TraceError::event(line, error));
        }
        self.events -= 1;
        self.footer = Some(TraceFooter::missing(self.events, self.last.map_or(0, |(_, t)| t)));
        Ok(())
    }

    /// Reads on to the next line that is no footer, and gives its number; at the end holds the footer against what was read.
    fn advance(&mut self) -> Result<Option<u64>, TraceError> {
        loop {
            if self.footer.as_ref().is_some_and(TraceFooter::is_missing) {
                return Ok(None);
            }
            match self.lines.next() {
                Ok(Some(_)) => {}
                Ok(None) => return self.end(),
                // What was compressed and is cut gives what it has, and then this.
                Err(TraceError::Io { error, .. })
                    if self.is_lenient && error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    return self.end();
                }
                Err(error) => return Err(error),
            }
            let line = self.lines.line;
            if self.footer.is_some() {
                return Err(TraceError::AfterFooter { line });
            }
            match footer_of(&self.lines.text) {
                Ok(Some(footer)) => self.footer = Some(footer),
                Ok(None) => {
                    self.events += 1;
                    return Ok(Some(line));
                }
                Err(error) => {
                    self.events += 1;
                    return self.torn(line, &error).map(|()| None);
                }
            }
        }
    }

    fn end(&mut self) -> Result<Option<u64>, TraceError> {
        let line = self.lines.line;
        if self.footer.is_none() && self.is_lenient {
            self.footer = Some(TraceFooter::missing(self.events, self.last.map_or(0, |(_, t)| t)));
        }
        let footer = self.footer.as_ref().ok_or(TraceError::NoFooter { line })?;
        if footer.events == self.events {
            return Ok(None);
        }
        Err(TraceError::Count {
            counted: footer.events,
            found: self.events,
        })
    }
}

#[derive(Debug)]
struct Lines<R> {
    input: R,
    line: u64,
    text: String,
    /// Whether the last line had no end of its own.
    is_torn: bool,
}

impl<R: BufRead> Lines<R> {
    /// The next line, without its end.
    fn next(&mut self) -> Result<Option<&str>, TraceError> {
        let line = self.line + 1;
        self.text.clear();
        self.text.shrink_to(1 << 20);
        let limit = LINE_LIMIT as u64 + 2;
        let read = (&mut self.input).take(limit).read_line(&mut self.text);
        let length = match read {
            Ok(length) => length,
            // A character that the end cuts in two is no other text.
            Err(error) if error.kind() == io::ErrorKind::InvalidData && self.is_at_end() => {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, error);
                return Err(TraceError::Io { line, error });
            }
            Err(error) => return Err(TraceError::Io { line, error }),
        };
        if length == 0 {
            return Ok(None);
        }
        self.is_torn = !self.text.ends_with('\n');
        let whole = self.text.trim_end_matches(['\n', '\r']).len();
        if whole > LINE_LIMIT {
            return Err(TraceError::LongLine { line });
        }
        self.text.truncate(whole);
        self.line = line;
        Ok(Some(&self.text))
    }

    fn is_at_end(&mut self) -> bool {
        match self.input.fill_buf() {
            Ok(rest) => rest.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        }
    }
}

fn parse_header(text: &str) -> Result<TraceHeader, TraceError> {
    let refuse = |error: serde_json::Error| TraceError::Header {
        column: error.column().max(1),
        what: plain(&error),
    };
    let value: Value = serde_json::from_str(text).map_err(refuse)?;
    match value.get("schema").and_then(Value::as_str) {
        None => Err(TraceError::Header {
            column: 1,
            what: "it has no text under `schema`".to_owned(),
        }),
        Some(SCHEMA) => serde_json::from_value(value).map_err(refuse),
        Some(found) => Err(TraceError::Version {
            found: found.chars().take(40).collect(),
        }),
    }
}

/// The footer in a line, if it is one.
fn footer_of(text: &str) -> Result<Option<TraceFooter>, serde_json::Error> {
    // As every event begins that was written here.
    if text.starts_with("{\"seq\":") {
        return Ok(None);
    }
    let value: Value = serde_json::from_str(text)?;
    if value.get("verdict").is_none() || value.get("seq").is_some() {
        return Ok(None);
    }
    serde_json::from_value(value).map(Some)
}

impl TraceError {
    fn event(line: u64, error: &serde_json::Error) -> Self {
        Self::Event {
            line,
            column: error.column().max(1),
            what: plain(error),
        }
    }
}

/// The message without the position that the error of a one-line document carries.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> String {
        let header = TraceHeader::new("squall 0.1.0", "calm", 1015, 3, 2);
        let event = r#"{"seq":1,"t":0,"node":0,"kind":"boot","bytes":0}"#;
        let footer = TraceFooter {
            verdict: "pass".to_owned(),
            digest: "00".to_owned(),
            events: 1,
            end: 5,
            counts: BTreeMap::from([("loss".to_owned(), 3)]),
        };
        format!(
            "{}\n{event}\n{}\n",
            serde_json::to_string(&header).unwrap(),
            serde_json::to_string(&footer).unwrap()
        )
    }

    fn error(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_trace_round_trips() {
        let trace = read(sample().as_bytes()).unwrap();
        assert_eq!(trace.header.seed, "0x00000000000003f7");
        assert_eq!(trace.header.seed(), Some(1015));
        let mut written = Vec::new();
        write(&mut written, &trace.header, &trace.events, &trace.footer).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), sample());
    }

    #[test]
    fn what_is_no_trace_is_refused_with_its_place_and_a_remedy() {
        let sample = sample();
        assert_eq!(
            error(""),
            "the trace is empty; its first line must be a header with \"schema\":\"squall-trace/2\""
        );
        assert_eq!(
            error(&sample.replace("trace/2", "trace/3")),
            "line 1: the trace has the schema `squall-trace/3`, and this version reads `squall-trace/2` only; record it \
             again from its seed"
        );
        assert!(error("[]").contains("no text under `schema`"));
        assert!(error("{").starts_with("line 1, column 1: this is no trace header: EOF while parsing an object"));
        assert!(
            error(&sample.replace("\"seq\"", "seq")).starts_with("line 2, column 2: this is no trace event: key must")
        );
        assert!(error(&sample.replace("\"events\":1", "\"events\":2")).contains("counts 2 events but there are 1"));
        let cut = sample.lines().take(2).collect::<Vec<_>>().join("\n");
        assert!(error(&cut).starts_with("the trace ends after line 2 without its footer"));
        assert!(error(&format!("{sample}{{}}")).starts_with("line 4: there is more after the footer"));
    }

    /// How many events are read of a text, and its footer.
    fn leniently(text: &[u8]) -> Result<(u64, TraceFooter), TraceError> {
        let mut reader = Reader::new(text)?.however_cut();
        let mut events = 0;
        while let Some(event) = reader.next_event()? {
            events += 1;
            assert_eq!(event.seq, events);
        }
        assert!(matches!(reader.next_event(), Ok(None)), "the end stays the end");
        let mut lines = Reader::new(text)?.however_cut();
        while lines.next_line()?.is_some() {}
        assert_eq!((lines.last_seq(), lines.footer()), (reader.last_seq(), reader.footer()));
        Ok((events, reader.ends().1))
    }

    #[test]
    fn a_trace_that_is_cut_anywhere_is_read_however_cut() {
        let sample = sample();
        let (head, rest) = sample.split_once("{\"seq\":1").unwrap();
        let second = "{\"seq\":2,\"t\":7,\"node\":1,\"kind\":\"boot\",\"what\":\"ä\"}\n";
        let (first, foot) = rest.split_once('\n').unwrap();
        let foot = foot.replace("\"events\":1", "\"events\":2");
        let whole = format!("{head}{{\"seq\":1{first}\n{second}{foot}");
        let ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at).collect();
        for length in ends[0]..whole.len() - 1 {
            let (events, footer) = leniently(&whole.as_bytes()[..length]).unwrap();
            let complete = ends[1..3].iter().filter(|end| length >= **end).count() as u64;
            assert_eq!(events, complete, "cut after {length} bytes");
            assert!(footer.is_missing());
            assert_eq!(
                (footer.events, footer.end),
                (complete, if complete == 2 { 7 } else { 0 })
            );
            assert!(read(&whole.as_bytes()[..length]).is_err(), "it is not whole");
        }
        for length in [whole.len() - 1, whole.len()] {
            let (events, footer) = leniently(&whole.as_bytes()[..length]).unwrap();
            assert!(events == 2 && !footer.is_missing() && footer.verdict == "pass");
        }
        // Damage is no cut, and neither is a line that is missing.
        for bad in [
            whole.replacen("{\"seq\":1", "{\"seq:1", 1),
            whole.replacen(second, "", 1),
            whole.replacen(second, "{\"seq\":2,\n", 1),
            head[..head.len() / 2].to_owned(),
        ] {
            assert!(leniently(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(
            leniently(&[whole.as_bytes(), b"{}"].concat()).is_err(),
            "more after the footer"
        );
    }

    #[test]
    fn binary_input_is_refused() {
        let error = read(&[0x28, 0xb5, 0x2f, 0xfd, 0xff][..]).unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: stream did not contain valid UTF-8"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn a_damaged_trace_never_panics(at in 0_usize..500, byte: u8) {
            let mut bytes = sample().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes[..]);
            let _ = read(&bytes[..at]);
        }
    }
}
