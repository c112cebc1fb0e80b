//! Histories as Jepsen records them: EDN maps of invocations and completions in real-time order.
//!
//! ```clojure
//! [{:process 0, :type :invoke, :f :cas, :value [1 2]}
//!  {:process 0, :type :ok, :f :cas, :value [1 2]}]
//! ```
//!
//! A vector, a list, or one map after another. Processes without a number (`:nemesis`) are skipped. `:fail` means that the
//! operation did not happen: it is dropped, a failed `:cas` included. `:info` is an unknown outcome, as is an invocation that
//! the file never completes. A completed read of `nil` says nothing and is dropped. There is one key, null, and the times are the
//! positions of the events. Other fields (`:time`, `:index`, `:error`) are not looked at.
//!
//! Owns the pairing of events; the syntax is in [`edn`](super::edn).

use std::collections::BTreeMap;

use super::edn::{Form, Reader};
use super::{History, HistoryError, Op, OperationId, Output, Value};

/// One event of a numbered process.
struct Event<'f> {
    process: i64,
    kind: &'f str,
    function: &'f str,
    value: &'f Form<'f>,
}

/// Reads a history from the bytes of a file.
///
/// # Errors
///
/// See [`HistoryError`]; reading stops at the first.
pub fn parse(bytes: &[u8]) -> Result<History, HistoryError> {
    let mut reader = Reader::new(bytes)?;
    let mut import = Import {
        history: History::new(),
        keep: Vec::new(),
        pending: BTreeMap::new(),
        time: 0,
    };
    let end = match reader.peek()? {
        Some('[') => Some((reader.take('[')?, ']')),
        Some('(') => Some((reader.take('(')?, ')')),
        _ => None,
    };
    loop {
        match (reader.peek()?, end) {
            (Some(next), Some((_, end))) if next == end => {
                reader.take(end)?;
                if reader.peek()?.is_some() {
                    return Err(reader.syntax(reader.offset(), "something follows the end of the history; remove it"));
                }
                break;
            }
            (None, None) => break,
            (None, Some(_)) => {
                return Err(HistoryError::Truncated {
                    place: reader.place(bytes.len()),
                    what: "the vector of events",
                });
            }
            (Some(_), _) => {
                let offset = reader.offset();
                let form = reader.read()?;
                import.event(&reader, offset, &form)?;
            }
        }
    }
    if import.time == 0 {
        return Err(HistoryError::Empty);
    }
    import.history.retain(&import.keep);
    Ok(import.history)
}

struct Import {
    history: History,
    /// For each operation: whether it is one, or was dropped.
    keep: Vec<bool>,
    /// The operation in flight of each process.
    pending: BTreeMap<i64, OperationId>,
    /// Events so far.
    time: u64,
}

impl Import {
    fn event(&mut self, reader: &Reader<'_>, offset: usize, form: &Form<'_>) -> Result<(), HistoryError> {
        self.time += 1;
        let Some(event) = event_of(form).map_err(|what| reader.syntax(offset, what))? else {
            return Ok(());
        };
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
            let id = self.invoke(&event).map_err(|what| reader.syntax(offset, what))?;
            self.pending.insert(event.process, id);
            return Ok(());
        }
        let Some(id) = self.pending.remove(&event.process) else {
            return Err(pairing(
                "completes an operation that it did not invoke; check that the file is whole",
            ));
        };
        let asked = self.history.operation(id).op;
        if asked.name() != event.function {
            return Err(pairing(
                "completes another :f than it invoked; check the order of the events",
            ));
        }
        match event.kind {
            "ok" => self.complete(id, &event).map_err(|what| reader.syntax(offset, what))?,
            "fail" => self.keep[id.index()] = false,
            "info" => {}
            _ => return Err(reader.syntax(offset, "`:type` is one of :invoke, :ok, :fail and :info")),
        }
        Ok(())
    }

    fn invoke(&mut self, event: &Event<'_>) -> Result<OperationId, &'static str> {
        let key = Value::Null;
        let op = match event.function {
            "read" => Op::Read { key },
            "write" => Op::Write {
                key,
                value: value_of(event.value)?,
            },
            "cas" => match event.value {
                Form::Sequence(pair) if pair.len() == 2 => Op::Cas {
                    key,
                    from: value_of(&pair[0])?,
                    to: value_of(&pair[1])?,
                },
                _ => return Err("the `:value` of a :cas is a vector [from to]"),
            },
            "append" => Op::Append {
                key,
                value: value_of(event.value)?,
            },
            _ => return Err("`:f` is one of :read, :write, :cas and :append; other operations cannot be imported"),
        };
        let client = u32::try_from(event.process).map_err(|_| "`:process` is a number from 0 to 2^32 - 1")?;
        self.keep.push(true);
        self.history
            .try_invoke(client, self.time, op)
            .ok_or("a history holds at most 2^32 - 2 operations")
    }

    fn complete(&mut self, id: OperationId, event: &Event<'_>) -> Result<(), &'static str> {
        let output = match self.history.operation(id).op {
            Op::Read { .. } => match value_of(event.value)? {
                Value::Null => {
                    self.keep[id.index()] = false;
                    return Ok(());
                }
                value => Output::Value(value),
            },
            Op::Cas { .. } => Output::Done(true),
            _ => Output::Ok,
        };
        self.history
            .try_complete(id, self.time, output)
            .ok_or("a history holds at most 4 GiB of text")
    }
}

/// `None` for an event of a process without a number.
fn event_of<'f>(form: &'f Form<'f>) -> Result<Option<Event<'f>>, &'static str> {
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
        Form::Keyword(_) => return Ok(None),
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
        "`:f` is missing, or not a keyword; it is one of :read, :write, :cas and :append",
    )?;
    Ok(Some(Event {
        process,
        kind,
        function,
        value: field("value").unwrap_or(&Form::Nil),
    }))
}

fn value_of<'f>(form: &'f Form<'f>) -> Result<Value<'f>, &'static str> {
    match form {
        Form::Nil => Ok(Value::Null),
        Form::Integer(integer) => Ok(Value::Integer(*integer)),
        Form::Text(text) => Ok(Value::Text(text)),
        Form::Boolean(_) | Form::Keyword(_) | Form::Sequence(_) | Form::Map(_) | Form::Other(_) => {
            Err("a value is nil, a 64-bit integer or a string")
        }
    }
}
