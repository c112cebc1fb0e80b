//! What one map of a file says: who, what, and how far it has come; and where in it something is wrong.

use super::clients::Process;
use crate::history::edn::{Form, Reader};
use crate::history::format::place_after;
use crate::history::{HistoryError, Place};

/// One event of a client.
pub(super) struct Event<'f> {
    pub(super) process: Process<'f>,
    pub(super) kind: &'f str,
    pub(super) function: Option<&'f str>,
    pub(super) key: &'f Form<'f>,
    pub(super) value: &'f Form<'f>,
}

/// What one map is about.
pub(super) enum Line<'f> {
    Client(Event<'f>),
    /// What the nemesis did, if it says.
    Nemesis(Option<&'f str>),
}

/// The fields of a map that say what it is about.
const FIELDS: [&str; 4] = ["process", "type", "f", "value"];

/// Fields that every event of Jepsen has besides.
const USUAL: [&str; 3] = ["key", "index", "time"];

/// What is wrong with an event, and where in it.
#[derive(Debug)]
pub(crate) struct Problem {
    what: String,
    /// The place of a field in [`FIELDS`]; `None`: the event as a whole.
    field: Option<usize>,
    /// Places of items within its value, from the outside to the inside.
    path: Vec<usize>,
    /// The process, of events that do not pair up.
    unpaired: Option<i64>,
}

impl Problem {
    pub(super) fn whole(what: impl Into<String>) -> Self {
        Problem {
            what: what.into(),
            field: None,
            path: Vec::new(),
            unpaired: None,
        }
    }

    pub(super) fn of(field: &str, what: impl Into<String>) -> Self {
        Problem {
            field: FIELDS.iter().position(|name| *name == field),
            ..Problem::whole(what)
        }
    }

    /// In the item at `place`.
    pub(super) fn inside(mut self, place: usize) -> Self {
        self.path.insert(0, place);
        self
    }

    pub(super) fn pairing(process: i64, what: impl Into<String>) -> Self {
        Problem {
            unpaired: Some(process),
            ..Problem::whole(what)
        }
    }

    /// The error, of an event that is the map at `offset`.
    pub(super) fn of_map(self, reader: &Reader<'_>, offset: usize) -> HistoryError {
        let place = self.field.and_then(|field| {
            let mut inside = reader.clone();
            inside.skip_to(offset + reader.text()[offset..].find('{')? + 1);
            loop {
                if inside.peek().ok()?? == '}' {
                    return None;
                }
                let key = inside.read().ok()?;
                inside.peek().ok()?;
                if word(&key) == Some(FIELDS[field]) {
                    return Some(inside.offset());
                }
                inside.read().ok()?;
            }
        });
        self.at(reader, place.unwrap_or(offset))
    }

    /// The error, of an event whose fields begin at `offsets`.
    pub(super) fn of_fields(self, reader: &Reader<'_>, offsets: [usize; 4]) -> HistoryError {
        let offset = offsets[self.field.unwrap_or(0)];
        self.at(reader, offset)
    }

    /// The error, of an event of which no more than its place is known.
    fn at_start(self, place: Place) -> HistoryError {
        match self.unpaired {
            Some(process) => HistoryError::Pairing {
                place,
                process,
                what: self.what,
            },
            None => HistoryError::Syntax { place, what: self.what },
        }
    }

    /// The error, of an event that is the object `text` of JSON, which stands at `start`.
    pub(crate) fn in_json(self, text: &str, start: Place) -> HistoryError {
        let offset = self.field.and_then(|field| {
            let name = format!("\"{}\"", FIELDS[field]);
            let after = text.match_indices(&name).map(|(at, _)| at + name.len());
            let colon = after.filter_map(|at| Some((at, text[at..].trim_start().strip_prefix(':')?)));
            let value = colon.map(|(_, rest)| text.len() - rest.trim_start().len());
            value.min()
        });
        self.at_start(place_after(start, &text.as_bytes()[..offset.unwrap_or(0)]))
    }

    fn at(self, reader: &Reader<'_>, mut offset: usize) -> HistoryError {
        for &item in &self.path {
            match item_at(reader, offset, item) {
                Some(inner) => offset = inner,
                None => break,
            }
        }
        self.at_start(reader.place(offset))
    }
}

/// Where the item `place` of the sequence at `offset` begins.
fn item_at(reader: &Reader<'_>, offset: usize, place: usize) -> Option<usize> {
    let mut inside = reader.clone();
    inside.skip_to(offset);
    let begins = inside.peek().ok()??;
    matches!(begins, '[' | '(').then(|| inside.skip_to(inside.offset() + 1))?;
    for _ in 0..place {
        inside.read().ok()?;
    }
    inside.peek().ok()?;
    Some(inside.offset())
}

/// A keyword, or a text that stands for one, as in JSON.
pub(super) fn word<'f>(form: &'f Form<'_>) -> Option<&'f str> {
    match form {
        Form::Keyword(word) => Some(word),
        Form::Text(text) => Some(text.strip_prefix(':').unwrap_or(text)),
        _ => None,
    }
}

/// The event that `form` is.
pub(super) fn event_of<'f>(form: &'f Form<'f>) -> Result<Line<'f>, Problem> {
    let Form::Map(entries) = form else {
        return Err(Problem::whole(
            "an event is a map {:process …, :type …, :f …, :value …}",
        ));
    };
    let field = |name: &str| {
        entries
            .iter()
            .find(|(key, _)| word(key) == Some(name))
            .map(|(_, value)| value)
    };
    let process = field("process").ok_or_else(|| Problem::whole("`:process` is missing"))?;
    let process = match process {
        Form::Integer(process) => Process::Number(*process),
        Form::Text(name) if !name.contains("nemesis") && !name.starts_with(':') => match name.parse() {
            Ok(number) => Process::Number(number),
            Err(_) => Process::Name(name),
        },
        Form::Keyword(_) | Form::Text(_) => return Ok(Line::Nemesis(field("f").and_then(word))),
        _ => {
            let what = "`:process` is a number or a name, or a keyword such as :nemesis";
            return Err(Problem::of("process", what));
        }
    };
    let kind = match field("type") {
        None => {
            return Err(Problem::whole(
                "`:type` is missing; it is one of :invoke, :ok, :fail and :info",
            ));
        }
        Some(kind) => word(kind).ok_or_else(|| {
            Problem::of(
                "type",
                "`:type` is no keyword; it is one of :invoke, :ok, :fail and :info",
            )
        })?,
    };
    let function = match field("f") {
        None | Some(Form::Nil) => None,
        Some(function) => Some(word(function).ok_or_else(|| {
            Problem::of(
                "f",
                "`:f` is no keyword; it names the operation, as :read, :write and :cas do",
            )
        })?),
    };
    Ok(Line::Client(Event {
        process,
        kind,
        function,
        key: field("key").unwrap_or(&Form::Nil),
        value: field("value").unwrap_or(&Form::Nil),
    }))
}

/// Calls `pass` with the name of each field that nobody looks at.
pub(super) fn passed_over(form: &Form<'_>, mut pass: impl FnMut(&str)) {
    if let Form::Map(entries) = form {
        for (key, _) in entries {
            match word(key) {
                Some(name) if FIELDS.contains(&name) || USUAL.contains(&name) => {}
                Some(name) => pass(name),
                None => pass("(a key that is no keyword)"),
            }
        }
    }
}
