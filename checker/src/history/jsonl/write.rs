//! Writing the format.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::history::{History, Operation, Output, Value};

/// Writes `history`, one line per operation, in its own order; [`read`](super::read) gives the same history back.
///
/// # Errors
///
/// When `writer` fails.
pub fn write(history: &History, writer: &mut impl Write) -> io::Result<()> {
    for operation in history.operations() {
        serde_json::to_writer(&mut *writer, &Line(history, &operation))?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}

/// A line to be written; fields in the order of the format.
struct Line<'h>(&'h History, &'h Operation);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Line(history, operation) = *self;
        let value = |atom| Plain(history.value(atom));
        let info = operation.op.info();
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("client", &operation.client)?;
        line.serialize_entry("op", info.name)?;
        line.serialize_entry("key", &value(operation.op.key()))?;
        for (name, argument) in info.arguments.iter().zip(operation.op.arguments()) {
            line.serialize_entry(name, &value(argument))?;
        }
        match operation.output {
            Some(Output::Value(answer)) => line.serialize_entry("output", &value(answer))?,
            Some(Output::Done(done)) => line.serialize_entry("ok", &done)?,
            Some(Output::Ok) | None => {}
        }
        line.serialize_entry("call", &operation.call)?;
        line.serialize_entry("return", &operation.returned)?;
        line.end()
    }
}

struct Plain<'h>(Value<'h>);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Integer(integer) => serializer.serialize_i64(integer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(list) => {
                let mut items = serializer.serialize_seq(Some(list.len()))?;
                for item in list.iter() {
                    items.serialize_element(&Plain(item))?;
                }
                items.end()
            }
        }
    }
}
