//! What the clients saw of one key, as Jepsen records it: a map for each invocation and each completion, in real-time order.
//!
//! A compare-and-set that found another value is a `:fail`, as Jepsen has it: whoever reads the file back knows that it did not
//! happen, and no more that another value was there. An append is an `:append`. Values are texts; a key without one reads as
//! the empty text.

use super::ExportError;
use crate::timeline::{Timeline, operations};
use checker::history::{Atom, History, Operation, Output, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Writes the history of `key`, or of the only key there is.
pub fn write(timeline: &Timeline<'_>, key: Option<&str>, out: &mut dyn Write) -> Result<(), ExportError> {
    let history = operations::history(timeline).ok_or(ExportError::NoHistory)?;
    let key = chosen(&history, key)?;
    let mut lines: Vec<(u64, u8, String)> = Vec::new();
    let mut ends: BTreeMap<u32, (u64, u8)> = BTreeMap::new();
    for operation in history.operations().filter(|operation| operation.op.key() == key) {
        let call = (operation.call, call_phase(ends.get(&operation.client), operation.call));
        lines.push((call.0, call.1, invoked(&history, &operation)));
        if let Some(returned) = operation.returned {
            let end = (returned, if returned == call.0 { call.1 + 1 } else { 1 });
            ends.insert(operation.client, end);
            lines.push((end.0, end.1, completed(&history, &operation)));
        }
    }
    lines.sort_by_key(|(time, phase, _)| (*time, *phase));
    writeln!(out, "[")?;
    for (_, _, line) in lines {
        writeln!(out, " {line}")?;
    }
    writeln!(out, "]")?;
    Ok(())
}

/// Calls of an instant come before its returns, for operations that touch overlap; but a client's own return before its next call.
fn call_phase(end: Option<&(u64, u8)>, call: u64) -> u8 {
    match end {
        Some((time, phase)) if *time == call => phase + 1,
        _ => 0,
    }
}

/// The key that is meant.
fn chosen(history: &History, key: Option<&str>) -> Result<Atom, ExportError> {
    let keys: BTreeSet<Atom> = history.operations().map(|operation| operation.op.key()).collect();
    let name = |key: &Atom| match history.value(*key) {
        Value::Text(text) => text.to_owned(),
        other => other.to_string(),
    };
    let names = || {
        let mut names: Vec<String> = keys.iter().map(name).collect();
        names.sort();
        names
    };
    match (key, keys.first()) {
        (Some(wanted), _) => {
            keys.iter()
                .find(|key| name(key) == wanted)
                .copied()
                .ok_or_else(|| ExportError::UnknownKey {
                    key: wanted.to_owned(),
                    keys: names(),
                })
        }
        (None, Some(only)) if keys.len() == 1 => Ok(*only),
        (None, _) => Err(ExportError::SeveralKeys { keys: names() }),
    }
}

fn event(operation: &Operation, kind: &str, value: &str) -> String {
    format!(
        "{{:process {}, :type :{kind}, :f :{}, :value {value}}}",
        operation.client,
        operation.op.name()
    )
}

fn asked(history: &History, operation: &Operation) -> String {
    let arguments: Vec<String> = operation.op.arguments().map(|atom| text(history.value(atom))).collect();
    match &arguments[..] {
        [] => "nil".to_owned(),
        [only] => only.clone(),
        several => format!("[{}]", several.join(" ")),
    }
}

fn invoked(history: &History, operation: &Operation) -> String {
    event(operation, "invoke", &asked(history, operation))
}

fn completed(history: &History, operation: &Operation) -> String {
    match operation.output {
        Some(Output::Value(read)) => event(operation, "ok", &text(history.value(read))),
        Some(Output::Done(false)) => event(operation, "fail", &asked(history, operation)),
        _ => event(operation, "ok", &asked(history, operation)),
    }
}

/// A value as EDN; of a text's characters those are escaped that EDN escapes.
fn text(value: Value<'_>) -> String {
    let text = match value {
        Value::Null => return "nil".to_owned(),
        Value::Integer(integer) => return integer.to_string(),
        Value::Text(text) => text,
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(text).collect();
            return format!("[{}]", items.join(" "));
        }
    };
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
