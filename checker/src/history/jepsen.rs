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
//! the file never completes. A completed read of `nil` says nothing and is dropped, also within a transaction. What is dropped is counted
//! in [`History::import`]. There is one key, null, unless the values are `[key value]` ([`Keys`]), and the times are the
//! positions of the events. Other fields (`:time`, `:index`, `:error`) are not looked at.
//!
//! Owns the pairing of events; the syntax is in [`edn`](super::edn).

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use super::disturbance;
use super::edn::{Form, Reader};
use super::format::place_after;
use super::independent::{Evidence, Shape};
use super::jsonl::LINE_BYTES_MAX;
use super::op::ARGUMENTS_MAX;
use super::stream::Stream;
use super::{
    Format, History, HistoryError, Keys, LIST_DEPTH_MAX, OPERATIONS, Op, OpInfo, OperationId, Output, OwnedValue,
    Place, Value,
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
            Format::JsonLines => Ok(()),
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
                if let Ok(Line::Client(event)) = event_of(&form)
                    && event.kind == "invoke"
                    && evidence.invocation(event.function, event.value)
                {
                    return Ok(());
                }
            }
        }
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
    let mut import = Import {
        shape,
        ..Import::default()
    };
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
    let mut import = Import {
        is_log: true,
        shape,
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
    shape: Shape,
    /// In a log a failed compare-and-set found another value and a read of `nil` found none; elsewhere both say nothing.
    is_log: bool,
}

impl Import {
    fn finish(mut self) -> Result<History, HistoryError> {
        if self.time == 0 {
            return Err(HistoryError::Empty);
        }
        self.history.retain(&self.keep);
        self.history.import.has_keys_in_values = self.shape.has_keys;
        Ok(self.history)
    }

    fn log_line(&mut self, mut fields: Reader<'_>) -> Result<(), HistoryError> {
        let Some(start) = log_fields(fields.text()) else {
            return Ok(());
        };
        fields.skip_to(start);
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
        self.history.import.nemesis_events += 1;
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
        if asked.name() != name(event.function) && !matches!(asked, Op::Txn { .. }) {
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
            "fail" => {
                self.keep[id.index()] = false;
                let mut failed = self.history.operation(id);
                failed.returned = Some(self.time);
                self.history.import.failed.push(failed);
            }
            "info" => {}
            _ => return Err(reader.syntax(offset, "`:type` is one of :invoke, :ok, :fail and :info")),
        }
        Ok(())
    }

    /// The key and the value of an event: what stands in `:value`, taken apart.
    fn key_and_value<'f>(&mut self, event: &Event<'f>) -> Result<(&'f Form<'f>, &'f Form<'f>), &'static str> {
        let (mut key, mut value) = (event.key, event.value);
        if self.shape.has_keys {
            match pair(value) {
                Some(parts) => (key, value) = parts,
                None if event.kind == "invoke" || event.kind == "ok" => {
                    return Err(
                        "the keys of this file are in its values, so `:value` is a vector [key value]; `--keys none` takes values as they stand",
                    );
                }
                None => {}
            }
        }
        if self.shape.has_versions
            && let Some((version, versioned)) = pair(value)
        {
            value = versioned;
            self.history.import.versions += usize::from(event.kind == "ok" && *version != Form::Nil);
        }
        Ok((key, value))
    }

    fn invoke(&mut self, event: &Event<'_>) -> Result<OperationId, &'static str> {
        let (key, value) = self.key_and_value(event)?;
        let function = if is_transaction(value) {
            "txn"
        } else {
            name(event.function)
        };
        let row = OpInfo::find(function).ok_or(
            "`:f` is none of the operations that can be imported, :read, :write, :cas, :append, :add, :enqueue, :dequeue, :txn and so on",
        )?;
        let given = match (OPERATIONS[row].arguments, value) {
            ([], _) => Vec::new(),
            (["from", "to"], Form::Sequence(pair)) if pair.len() == 2 => vec![value_of(&pair[0])?, value_of(&pair[1])?],
            (["from", "to"], _) => return Err("the `:value` of this `:f` is a vector [from to]"),
            (_, value) if function == "txn" => vec![accesses(value)?.0],
            (_, value) if function == "transfer" => vec![transfer(value)?],
            (_, value) => vec![value_of(value)?],
        };
        let mut arguments = [Value::Null; ARGUMENTS_MAX];
        for (argument, given) in arguments.iter_mut().zip(&given) {
            *argument = given.as_value();
        }
        let key = value_of(key)?;
        let client = u32::try_from(event.process).map_err(|_| "`:process` is a number from 0 to 2^32 - 1")?;
        self.keep.push(true);
        self.history
            .try_invoke(client, self.time, Op::of(row, key.as_value(), arguments))
            .ok_or(FULL)
    }

    fn complete(&mut self, id: OperationId, event: &Event<'_>) -> Result<(), &'static str> {
        let (_, value) = self.key_and_value(event)?;
        let op = self.history.operation(id).op;
        let info = op.info();
        let answer;
        let output = match op {
            Op::Read { .. } if *value == Form::Nil && !self.is_log => {
                self.keep[id.index()] = false;
                self.history.import.nil_reads += 1;
                return Ok(());
            }
            Op::Txn { key, .. } => {
                let (asked, read) = accesses(value)?;
                let nil_reads = read.iter().filter(|value| **value == OwnedValue::Null).count();
                if nil_reads > 0 {
                    // What a read of nil saw is not known: it is as if it had not been asked.
                    self.history.import.nil_reads += nil_reads;
                    let key: OwnedValue = self.history.value(key).into();
                    let asked = without_reads_of_nil(asked, &read);
                    let op = Op::txn(key.as_value(), asked.as_value());
                    self.history.try_ask_instead(id, op).ok_or(FULL)?;
                }
                answer = OwnedValue::List(read.into_iter().filter(|value| *value != OwnedValue::Null).collect());
                Output::Value(answer.as_value())
            }
            // Whoever gets a lock without a token has it, and that is all.
            Op::Acquire { .. } if *value == Form::Nil => Output::Done(true),
            _ if info.answers_ok => Output::Ok,
            _ if info.answers_value => {
                answer = value_of(value)?;
                Output::Value(answer.as_value())
            }
            _ => Output::Done(*value != Form::Boolean(false)),
        };
        self.history.try_complete(id, self.time, output).ok_or(FULL)
    }
}

fn pair<'f>(form: &'f Form<'f>) -> Option<(&'f Form<'f>, &'f Form<'f>)> {
    match form {
        Form::Sequence(items) => match &items[..] {
            [first, second] => Some((first, second)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether `value` is a vector of reads and writes: then it is a transaction, whatever `:f` calls it.
fn is_transaction(value: &Form<'_>) -> bool {
    let is_access = |form: &Form<'_>| matches!(form, Form::Sequence(parts) if matches!(&parts[..], [Form::Keyword("r" | "w" | "read" | "write"), _, _]));
    matches!(value, Form::Sequence(forms) if !forms.is_empty() && forms.iter().all(is_access))
}

/// `asked` without the reads of which `read` has nil.
fn without_reads_of_nil(asked: OwnedValue, read: &[OwnedValue]) -> OwnedValue {
    let OwnedValue::List(accesses) = asked else {
        return asked;
    };
    let mut read = read.iter();
    let is_kept = |access: &OwnedValue| {
        let is_read = matches!(access, OwnedValue::List(parts) if parts.len() == 2);
        !is_read || read.next() != Some(&OwnedValue::Null)
    };
    let mut is_kept = is_kept;
    OwnedValue::List(accesses.into_iter().filter(|access| is_kept(access)).collect())
}

/// A transfer of money as `[from to amount]`, or as `{:from …, :to …, :amount …}`.
fn transfer(value: &Form<'_>) -> Result<OwnedValue, &'static str> {
    let Form::Map(entries) = value else {
        return value_of(value);
    };
    let field = |name: &str| {
        let entry = entries.iter().find(|(key, _)| *key == Form::Keyword(name));
        entry.map(|(_, value)| value_of(value))
    };
    match (field("from"), field("to"), field("amount")) {
        (Some(from), Some(to), Some(amount)) => Ok(OwnedValue::List(vec![from?, to?, amount?])),
        _ => Err("the `:value` of a :transfer is [from to amount], or a map {:from …, :to …, :amount …}"),
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
fn accesses(value: &Form<'_>) -> Result<(OwnedValue, Vec<OwnedValue>), &'static str> {
    const WHAT: &str = "the `:value` of a :txn is a vector of [:r key value] and [:w key value]";
    let Form::Sequence(forms) = value else { return Err(WHAT) };
    let (mut asked, mut read) = (Vec::new(), Vec::new());
    for form in forms {
        let Form::Sequence(parts) = form else { return Err(WHAT) };
        let [Form::Keyword(kind @ ("r" | "w" | "read" | "write")), key, value] = &parts[..] else {
            return Err(WHAT);
        };
        let mut access = vec![OwnedValue::Text(kind[..1].to_owned()), value_of(key)?];
        if kind.starts_with('w') {
            access.push(value_of(value)?);
        } else {
            read.push(value_of(value)?);
        }
        asked.push(OwnedValue::List(access));
    }
    Ok((OwnedValue::List(asked), read))
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
        Form::Sequence(_) | Form::Set(_) | Form::Map(_) if depth >= LIST_DEPTH_MAX => {
            Err("a value is nested deeper than 8 vectors")
        }
        Form::Sequence(items) | Form::Set(items) => {
            let items = items.iter().map(|item| nested_value_of(item, depth + 1));
            items.collect::<Result<_, _>>().map(OwnedValue::List)
        }
        // The balances of a bank, say: as a list of pairs.
        Form::Map(entries) => {
            let entry = |(key, value): &(Form<'_>, Form<'_>)| {
                let pair = [nested_value_of(key, depth + 1)?, nested_value_of(value, depth + 1)?];
                Ok(OwnedValue::List(pair.to_vec()))
            };
            entries
                .iter()
                .map(entry)
                .collect::<Result<_, _>>()
                .map(OwnedValue::List)
        }
        Form::Boolean(_) | Form::Other(_) => {
            Err("a value is nil, a 64-bit integer, a string, a keyword, or a vector, set or map of these")
        }
    }
}
