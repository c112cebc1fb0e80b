//! One line for each event, quoted as RFC 4180 says. What an event says beside its columns is JSON in the last one.

use crate::timeline::place;
use serde_json::Value;
use simulator::TraceEvent;
use std::io::{self, Write};

const HEAD: &str = "seq,t_ns,at,kind,cause,type,from,to,detail";

/// Writes the names of the columns.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{HEAD}\r\n")
}

/// Writes the line of an event.
pub fn line(event: &TraceEvent, out: &mut dyn Write) -> io::Result<()> {
    let mut fields = event.fields.to_map();
    let mut text = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (sort, from, to) = (text("type"), text("from"), text("to"));
    let detail = if fields.is_empty() {
        String::new()
    } else {
        Value::from(fields).to_string()
    };
    let cells = [
        event.seq.to_string(),
        event.t.to_string(),
        place(event).map_or_else(String::new, |place| place.to_string()),
        event.kind.to_string(),
        event.cause.map_or_else(String::new, |cause| cause.to_string()),
        sort,
        from,
        to,
        detail,
    ];
    let line: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    write!(out, "{}\r\n", line.join(","))
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
