//! Histories as Jepsen records them: EDN maps of invocations and completions in real-time order.
//!
//! ```clojure
//! [{:process 0, :type :invoke, :f :cas, :value [1 2]}
//!  {:process 0, :type :ok, :f :cas, :value [1 2]}]
//! ```
//!
//! A vector, a list, or one map after another. Processes without a number (`:nemesis`) are no clients: what they did is kept as
//! [disturbances](History::disturbances), `:start…` until `:stop…`. `:fail` means that the operation did not happen: it is dropped, a failed `:cas` included. `:info` is an unknown outcome, as is an invocation that
//! the file never completes. A completed read of `nil` says nothing and is dropped. There is one key, null, and the times are the
//! positions of the events. Other fields (`:time`, `:index`, `:error`) are not looked at.
//!
//! Owns the pairing of events; the syntax is in [`edn`](super::edn).

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use super::disturbance;
use super::edn::{Form, Reader};
use super::format::place_after;
use super::jsonl::LINE_BYTES_MAX;
use super::op::ARGUMENTS_MAX;
use super::stream::Stream;
use super::{
    History, HistoryError, LIST_DEPTH_MAX, OPERATIONS, Op, OpInfo, OperationId, Output, OwnedValue, Place, Value,
};

/// One event of a numbered process.
struct Event<'f> {
    process: i64,
    kind: &'f str,
    function: &'f str,
    key: &'f Form<'f>,
    value: &'f Form<'f>,
}

/// What one map is about.
enum Line<'f> {
    Client(Event<'f>),
    /// What a process without a number did, if it says.
    Nemesis(Option<&'f str>),
}

/// Reads a history from the bytes of a file.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn parse(mut bytes: &[u8]) -> Result<History, HistoryError> {
    read(&mut bytes)
}

/// Reads a history, one form in memory at a time.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read(source: &mut impl BufRead) -> Result<History, HistoryError> {
    let mut stream = Stream::new(source);
    let mut import = Import::default();
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
    import: &mut Import,
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
                import.time += 1;
                match event_of(&form).map_err(|what| reader.syntax(offset, what))? {
                    Line::Client(event) => import.event(&reader, offset, &event)?,
                    Line::Nemesis(name) => import.disturb(name),
                }
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
/// spaces. Lines without a dash before these are skipped.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read_log(source: &mut impl BufRead) -> Result<History, HistoryError> {
    let mut import = Import {
        is_log: true,
        ..Import::default()
    };
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
        import.log_line(Reader::of(line, place)?)?;
        place = place_after(place, &bytes);
    }
}

#[derive(Default)]
struct Import {
    history: History,
    /// For each operation: whether it is one, or was dropped.
    keep: Vec<bool>,
    /// The operation in flight of each process.
    pending: BTreeMap<i64, OperationId>,
    /// Events so far.
    time: u64,
    /// In a log a failed compare-and-set found another value and a read of `nil` found none; elsewhere both say nothing.
    is_log: bool,
}

impl Import {
    fn finish(mut self) -> Result<History, HistoryError> {
        if self.time == 0 {
            return Err(HistoryError::Empty);
        }
        self.history.retain(&self.keep);
        Ok(self.history)
    }

    fn log_line(&mut self, mut fields: Reader<'_>) -> Result<(), HistoryError> {
        let Some(dash) = fields.text().find(" - ") else {
            return Ok(());
        };
        fields.skip_to(dash + 3);
        let reader = fields.clone();
        let mut form = || {
            if fields.peek()?.is_some() {
                fields.read()
            } else {
                Ok(Form::Nil)
            }
        };
        let (process, kind, function, value) = (form()?, form()?, form()?, form()?);
        self.time += 1;
        let (process, kind, function) = match (&process, &kind, &function) {
            (Form::Integer(process), Form::Keyword(kind), Form::Keyword(function)) => (process, kind, function),
            (Form::Keyword(_), Form::Keyword(_), Form::Keyword(name)) => {
                self.disturb(Some(name));
                return Ok(());
            }
            _ => return Ok(()),
        };
        let event = Event {
            process: *process,
            kind,
            function,
            key: &Form::Nil,
            value: &value,
        };
        self.event(&reader, reader.offset(), &event)
    }

    fn disturb(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            disturbance::add(&mut self.history.disturbances, name, self.time);
        }
    }

    fn event(&mut self, reader: &Reader<'_>, offset: usize, event: &Event<'_>) -> Result<(), HistoryError> {
        let pairing = |what| HistoryError::Pairing {
            place: reader.place(offset),
            process: event.process,
            what,
        };
        if event.kind == "invoke" {
            if self.pending.contains_key(&event.process) {
                return Err(pairing(
                    "invokes an operation while another of its own is in flight; complete that one first (as :info if its outcome is unknown)",
                ));
            }
            let id = self.invoke(event).map_err(|what| reader.syntax(offset, what))?;
            self.pending.insert(event.process, id);
            return Ok(());
        }
        let Some(id) = self.pending.remove(&event.process) else {
            return Err(pairing(
                "completes an operation that it did not invoke; check that the file is whole",
            ));
        };
        let asked = self.history.operation(id).op;
        if asked.name() != name(event.function) {
            return Err(pairing(
                "completes another :f than it invoked; check the order of the events",
            ));
        }
        match event.kind {
            "ok" => self.complete(id, event).map_err(|what| reader.syntax(offset, what))?,
            "fail" if self.is_log && matches!(asked, Op::Cas { .. }) && !says_why(event.value) => {
                let output = Output::Done(false);
                let full = || reader.syntax(offset, FULL);
                self.history.try_complete(id, self.time, output).ok_or_else(full)?;
            }
            "fail" => self.keep[id.index()] = false,
            "info" => {}
            _ => return Err(reader.syntax(offset, "`:type` is one of :invoke, :ok, :fail and :info")),
        }
        Ok(())
    }

    fn invoke(&mut self, event: &Event<'_>) -> Result<OperationId, &'static str> {
        let row = OpInfo::find(name(event.function)).ok_or(
            "`:f` is none of the operations that can be imported, :read, :write, :cas, :append, :add, :enqueue, :dequeue, :txn and so on",
        )?;
        let given = match (OPERATIONS[row].arguments, event.value) {
            ([], _) => Vec::new(),
            (["from", "to"], Form::Sequence(pair)) if pair.len() == 2 => vec![value_of(&pair[0])?, value_of(&pair[1])?],
            (["from", "to"], _) => return Err("the `:value` of this `:f` is a vector [from to]"),
            (_, value) if event.function == "txn" => vec![accesses(value)?.0],
            (_, value) => vec![value_of(value)?],
        };
        let mut arguments = [Value::Null; ARGUMENTS_MAX];
        for (argument, given) in arguments.iter_mut().zip(&given) {
            *argument = given.as_value();
        }
        let key = value_of(event.key)?;
        let client = u32::try_from(event.process).map_err(|_| "`:process` is a number from 0 to 2^32 - 1")?;
        self.keep.push(true);
        self.history
            .try_invoke(client, self.time, Op::of(row, key.as_value(), arguments))
            .ok_or(FULL)
    }

    fn complete(&mut self, id: OperationId, event: &Event<'_>) -> Result<(), &'static str> {
        let op = self.history.operation(id).op;
        let info = op.info();
        let answer;
        let output = match op {
            Op::Read { .. } if *event.value == Form::Nil && !self.is_log => {
                self.keep[id.index()] = false;
                return Ok(());
            }
            Op::Txn { .. } => {
                answer = accesses(event.value)?.1;
                Output::Value(answer.as_value())
            }
            _ if info.answers_ok => Output::Ok,
            _ if info.answers_value => {
                answer = value_of(event.value)?;
                Output::Value(answer.as_value())
            }
            _ => Output::Done(*event.value != Form::Boolean(false)),
        };
        self.history.try_complete(id, self.time, output).ok_or(FULL)
    }
}

const FULL: &str = "a history holds at most 2^32 - 2 operations, 4 GiB of distinct text and 2^32 items of lists";

/// The name of an operation that goes by another one in a file.
fn name(function: &str) -> &str {
    match function {
        "get" => "read",
        "put" => "write",
        other => other,
    }
}

/// Whether a failure has a reason of its own, such as `:timed-out`, in place of the value.
fn says_why(value: &Form<'_>) -> bool {
    matches!(value, Form::Keyword(_))
}

/// The accesses of a transaction, reads without their values, and the values of the reads.
fn accesses(value: &Form<'_>) -> Result<(OwnedValue, OwnedValue), &'static str> {
    const WHAT: &str = "the `:value` of a :txn is a vector of [:r key value] and [:w key value]";
    let Form::Sequence(forms) = value else { return Err(WHAT) };
    let (mut asked, mut read) = (Vec::new(), Vec::new());
    for form in forms {
        let Form::Sequence(parts) = form else { return Err(WHAT) };
        let [kind @ Form::Keyword("r" | "w"), key, value] = &parts[..] else {
            return Err(WHAT);
        };
        let mut access = vec![value_of(kind)?, value_of(key)?];
        if *kind == Form::Keyword("w") {
            access.push(value_of(value)?);
        } else {
            read.push(value_of(value)?);
        }
        asked.push(OwnedValue::List(access));
    }
    Ok((OwnedValue::List(asked), OwnedValue::List(read)))
}

fn event_of<'f>(form: &'f Form<'f>) -> Result<Line<'f>, &'static str> {
    let Form::Map(entries) = form else {
        return Err("an event is a map {:process …, :type …, :f …, :value …}");
    };
    let field = |name: &str| {
        entries
            .iter()
            .find(|(key, _)| *key == Form::Keyword(name))
            .map(|(_, value)| value)
    };
    let process = match field("process").ok_or("`:process` is missing")? {
        Form::Integer(process) => *process,
        Form::Keyword(_) => {
            return Ok(Line::Nemesis(match field("f") {
                Some(Form::Keyword(name)) => Some(name),
                _ => None,
            }));
        }
        _ => return Err("`:process` is a number, or a keyword such as :nemesis"),
    };
    let keyword = |name, missing| match field(name) {
        Some(Form::Keyword(keyword)) => Ok(*keyword),
        _ => Err(missing),
    };
    let kind = keyword(
        "type",
        "`:type` is missing, or not a keyword; it is one of :invoke, :ok, :fail and :info",
    )?;
    let function = keyword(
        "f",
        "`:f` is missing, or not a keyword; it names the operation, as :read, :write and :cas do",
    )?;
    Ok(Line::Client(Event {
        process,
        kind,
        function,
        key: field("key").unwrap_or(&Form::Nil),
        value: field("value").unwrap_or(&Form::Nil),
    }))
}

fn value_of(form: &Form<'_>) -> Result<OwnedValue, &'static str> {
    nested_value_of(form, 0)
}

fn nested_value_of(form: &Form<'_>, depth: usize) -> Result<OwnedValue, &'static str> {
    match form {
        Form::Nil => Ok(OwnedValue::Null),
        Form::Integer(integer) => Ok(OwnedValue::Integer(*integer)),
        Form::Text(text) => Ok(OwnedValue::Text(text.clone().into_owned())),
        Form::Keyword(keyword) => Ok(OwnedValue::Text((*keyword).to_owned())),
        Form::Sequence(_) if depth == LIST_DEPTH_MAX => Err("a value is nested deeper than 8 vectors"),
        Form::Sequence(items) => {
            let items = items.iter().map(|item| nested_value_of(item, depth + 1));
            items.collect::<Result<_, _>>().map(OwnedValue::List)
        }
        Form::Boolean(_) | Form::Map(_) | Form::Other(_) => {
            Err("a value is nil, a 64-bit integer, a string, a keyword or a vector of these")
        }
    }
}
