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
//! `return: null` is an unknown outcome; `output` and `ok` are then left out. Keys and values are null, 64-bit integers or
//! strings. A client may go on after an unknown outcome, but has one operation in flight at a time: an overlap is an error,
//! because it nearly always means that a recorder mixed up two sessions, and then no verdict is worth anything.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::{History, HistoryError, Op, OperationId, Output, Place, Value};

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// One line, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    client: u32,
    op: Name,
    #[serde(deserialize_with = "present")]
    key: Field,
    #[serde(default, deserialize_with = "some")]
    value: Option<Field>,
    #[serde(default, deserialize_with = "some")]
    output: Option<Field>,
    #[serde(default, deserialize_with = "some")]
    from: Option<Field>,
    #[serde(default, deserialize_with = "some")]
    to: Option<Field>,
    #[serde(default)]
    ok: Option<bool>,
    call: u64,
    #[serde(rename = "return", deserialize_with = "Option::deserialize")]
    returned: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Read,
    Write,
    Cas,
    Append,
}

/// A key or value of a line.
struct Field(super::OwnedValue);

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field, D::Error> {
    deserializer.deserialize_any(FieldVisitor)
}

fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Field>, D::Error> {
    present(deserializer).map(Some)
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a 64-bit signed integer or a string")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Field, E> {
        Ok(Field(super::OwnedValue::Null))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Field, E> {
        Ok(Field(super::OwnedValue::Integer(integer)))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Field, E> {
        let integer = i64::try_from(integer).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(integer), &self))?;
        Ok(Field(super::OwnedValue::Integer(integer)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Field, E> {
        Ok(Field(super::OwnedValue::Text(text.to_owned())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Field, E> {
        Ok(Field(super::OwnedValue::Text(text)))
    }
}

/// Where a line stands, for its errors.
#[derive(Clone, Copy)]
struct Origin {
    line: u64,
    /// Byte in the file at which the line begins.
    byte: u64,
}

impl Origin {
    fn place(self, offset: usize) -> Place {
        Place {
            line: self.line,
            column: offset as u64 + 1,
            byte: self.byte + offset as u64,
        }
    }

    fn syntax(self, what: impl Into<String>) -> HistoryError {
        HistoryError::Syntax {
            place: self.place(0),
            what: what.into(),
        }
    }
}

/// Reads a history, one line in memory at a time.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn read(reader: &mut impl BufRead) -> Result<History, HistoryError> {
    let mut history = History::new();
    let mut origins: Vec<Origin> = Vec::new();
    let mut bytes = Vec::new();
    let mut origin = Origin { line: 1, byte: 0 };
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
                ..origin
            };
            read_line(&mut history, line, start)?;
            origins.push(start);
        }
        origin = Origin {
            line: origin.line + 1,
            byte: origin.byte + bytes.len() as u64,
        };
    }
    if history.is_empty() {
        return Err(HistoryError::Empty);
    }
    refuse_overlaps(&history, &origins)?;
    Ok(history)
}

fn read_line(history: &mut History, line: &[u8], origin: Origin) -> Result<(), HistoryError> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to();
        HistoryError::NotText {
            place: origin.place(at),
            found: line[at],
        }
    })?;
    if let Some(at) = text.find('\0') {
        return Err(HistoryError::NotText {
            place: origin.place(at),
            found: 0,
        });
    }
    let parsed: Line = serde_json::from_str(text).map_err(|error| json_error(&error, text, origin))?;
    if let Some(returned) = parsed.returned.filter(|&returned| returned < parsed.call) {
        return Err(HistoryError::ReturnBeforeCall {
            place: origin.place(0),
            call: parsed.call,
            returned,
        });
    }
    let op = op_of(&parsed, origin)?;
    let output = output_of(&parsed, origin)?;
    let full = || HistoryError::TooLarge {
        place: origin.place(0),
        what: "a history holds at most 2^32 - 2 operations and 4 GiB of distinct text",
    };
    let id = history.try_invoke(parsed.client, parsed.call, op).ok_or_else(full)?;
    if let Some((returned, output)) = parsed.returned.zip(output) {
        history.try_complete(id, returned, output).ok_or_else(full)?;
    }
    Ok(())
}

fn json_error(error: &serde_json::Error, text: &str, origin: Origin) -> HistoryError {
    let is_cut = error.is_eof() && !text.ends_with('\n');
    // serde_json counts the newline at the end as a line of its own.
    let offset = if error.line() > 1 {
        text.trim_end().len()
    } else {
        error.column().saturating_sub(1).min(text.len())
    };
    let place = origin.place(offset);
    if is_cut {
        return HistoryError::Truncated { place, what: "a line" };
    }
    let said = error.to_string();
    let what = said.rfind(" at line ").map_or(said.as_str(), |end| &said[..end]);
    let example = r#"{"client":1,"op":"write","key":"r","value":1,"call":4,"return":8}"#;
    HistoryError::Syntax {
        place,
        what: format!("{what}; a line looks like {example}"),
    }
}

fn op_of(line: &Line, origin: Origin) -> Result<Op<Value<'_>>, HistoryError> {
    let takes: &[&str] = match line.op {
        Name::Read => &["output"],
        Name::Write | Name::Append => &["value"],
        Name::Cas => &["from", "to", "ok"],
    };
    let given = [
        ("value", line.value.is_some()),
        ("output", line.output.is_some()),
        ("from", line.from.is_some()),
        ("to", line.to.is_some()),
        ("ok", line.ok.is_some()),
    ];
    if let Some((name, _)) = given.iter().find(|(name, is_given)| *is_given && !takes.contains(name)) {
        let takes = takes.join(", ");
        return Err(origin.syntax(format!(
            "`{name}` does not belong to this operation, which takes {takes}; remove it"
        )));
    }
    let needed = |name: &str, field: &'_ Option<Field>| match field {
        Some(_) => Ok(()),
        None => Err(origin.syntax(format!("`{name}` is missing; write null for no value"))),
    };
    let key = line.key.0.as_value();
    let given = |field| Option::as_ref(field).map_or(Value::Null, |field: &Field| field.0.as_value());
    Ok(match line.op {
        Name::Read => Op::Read { key },
        Name::Write => {
            needed("value", &line.value)?;
            Op::Write {
                key,
                value: given(&line.value),
            }
        }
        Name::Append => {
            needed("value", &line.value)?;
            Op::Append {
                key,
                value: given(&line.value),
            }
        }
        Name::Cas => {
            needed("from", &line.from)?;
            needed("to", &line.to)?;
            Op::Cas {
                key,
                from: given(&line.from),
                to: given(&line.to),
            }
        }
    })
}

/// `None` for an unknown outcome.
fn output_of(line: &Line, origin: Origin) -> Result<Option<Output<Value<'_>>>, HistoryError> {
    let output = line.output.as_ref().map(|field| field.0.as_value());
    if line.returned.is_none() {
        let is_known = output.is_some_and(|output| output != Value::Null) || line.ok.is_some();
        let what = "the outcome is unknown (`return` is null), so there can be no `output` and no `ok`; remove it, or give the return";
        return if is_known { Err(origin.syntax(what)) } else { Ok(None) };
    }
    let missing = |name| {
        origin.syntax(format!(
            "`{name}` is missing; an operation that has returned has an answer"
        ))
    };
    Ok(Some(match line.op {
        Name::Read => Output::Value(output.ok_or_else(|| missing("output"))?),
        Name::Write | Name::Append => Output::Ok,
        Name::Cas => Output::Cas(line.ok.ok_or_else(|| missing("ok"))?),
    }))
}

fn refuse_overlaps(history: &History, origins: &[Origin]) -> Result<(), HistoryError> {
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
                place: origins[pair[1].index()].place(0),
                client: later.client,
                call: later.call,
                returned,
                other: origins[pair[0].index()].line,
            });
        }
    }
    Ok(())
}

/// Writes `history`, one line per operation, in its own order; [`read`] gives the same history back.
///
/// # Errors
///
/// When `writer` fails.
pub fn write(history: &History, writer: &mut impl Write) -> io::Result<()> {
    let value = |atom| match history.value(atom) {
        Value::Null => Plain::Null(()),
        Value::Integer(integer) => Plain::Integer(integer),
        Value::Text(text) => Plain::Text(text),
    };
    for operation in history.operations() {
        let mut line = Written::new(
            operation.client,
            value(operation.op.key()),
            operation.call,
            operation.returned,
        );
        match operation.op {
            Op::Read { .. } => line.op = Some(Name::Read),
            Op::Write { value: written, .. } => (line.op, line.value) = (Some(Name::Write), Some(value(written))),
            Op::Append { value: added, .. } => (line.op, line.value) = (Some(Name::Append), Some(value(added))),
            Op::Cas { from, to, .. } => {
                line.op = Some(Name::Cas);
                (line.from, line.to) = (Some(value(from)), Some(value(to)));
            }
        }
        match operation.output {
            Some(Output::Value(read)) => line.output = Some(value(read)),
            Some(Output::Cas(done)) => line.ok = Some(done),
            Some(Output::Ok) | None => {}
        }
        serde_json::to_writer(&mut *writer, &line)?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(untagged)]
enum Plain<'h> {
    Null(()),
    Integer(i64),
    Text(&'h str),
}

/// A line to be written; fields in the order of the format.
#[derive(Serialize)]
struct Written<'h> {
    client: u32,
    op: Option<Name>,
    key: Plain<'h>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Plain<'h>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Plain<'h>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Plain<'h>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Plain<'h>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    call: u64,
    #[serde(rename = "return")]
    returned: Option<u64>,
}

impl<'h> Written<'h> {
    fn new(client: u32, key: Plain<'h>, call: u64, returned: Option<u64>) -> Self {
        Written {
            client,
            op: None,
            key,
            value: None,
            from: None,
            to: None,
            output: None,
            ok: None,
            call,
            returned,
        }
    }
}
