//! One line of the format: its fields, what an operation takes of them, and what is said about a line that is wrong.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::quick;
use crate::history::format::place_after;
use crate::history::nearest::nearest;
use crate::history::op::ARGUMENTS_MAX;
use crate::history::{History, HistoryError, LIST_DEPTH_MAX, OPERATIONS, Op, OpInfo, Output, OwnedValue, Place, Value};

/// Where a line, or an object of an array, stands, for its errors.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) line: u64,
    /// Byte in the line at which it begins, from 1.
    pub(super) column: u64,
    /// Byte in the file at which it begins.
    pub(super) byte: u64,
}

impl Origin {
    /// Where it begins.
    pub(super) fn start(self) -> Place {
        Place {
            line: self.line,
            column: self.column,
            byte: self.byte,
        }
    }

    /// A byte of `text`, which stands here.
    fn place(self, text: &[u8], offset: usize) -> Place {
        place_after(self.start(), &text[..offset.min(text.len())])
    }

    fn syntax(self, what: impl Into<String>) -> HistoryError {
        HistoryError::Syntax {
            place: self.start(),
            what: what.into(),
        }
    }
}

/// One line, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    pub(super) client: u32,
    pub(super) op: Cow<'l, str>,
    pub(super) key: Field<'l>,
    pub(super) value: Option<Field<'l>>,
    pub(super) output: Option<Field<'l>>,
    pub(super) from: Option<Field<'l>>,
    pub(super) to: Option<Field<'l>>,
    pub(super) ok: Option<bool>,
    pub(super) call: u64,
    pub(super) returned: Option<u64>,
    /// Names of fields that say nothing about an operation.
    pub(super) passed: Vec<Cow<'l, str>>,
}

impl<'de: 'l, 'l> Deserialize<'de> for Line<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the fields of an operation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
        let (mut client, mut op, mut key, mut call, mut returned) = (None, None, None, None, None);
        let (mut value, mut output, mut from, mut to, mut ok) = (None, None, None, None, None);
        let mut passed = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "client" => once("client", &mut client, map.next_value()?),
                "op" => once("op", &mut op, map.next_value::<Name<'de>>()?.0),
                "key" => once("key", &mut key, map.next_value()?),
                "value" => once("value", &mut value, map.next_value()?),
                "output" => once("output", &mut output, map.next_value()?),
                "from" => once("from", &mut from, map.next_value()?),
                "to" => once("to", &mut to, map.next_value()?),
                "ok" => once("ok", &mut ok, map.next_value()?),
                "call" => once("call", &mut call, map.next_value()?),
                "return" => once("return", &mut returned, map.next_value()?),
                _ => {
                    map.next_value::<de::IgnoredAny>()?;
                    passed.push(name);
                    Ok(())
                }
            }?;
        }
        let missing = |field: &'static str| match nearest(field, passed.iter().map(|name| &**name)) {
            Some(name) => A::Error::custom(format!(
                "missing field `{field}`; there is `{name}`, which no operation has"
            )),
            None => A::Error::missing_field(field),
        };
        Ok(Line {
            client: client.ok_or_else(|| missing("client"))?,
            op: op.ok_or_else(|| missing("op"))?,
            key: key.ok_or_else(|| missing("key"))?,
            call: call.ok_or_else(|| missing("call"))?,
            returned: returned.ok_or_else(|| missing("return"))?,
            value,
            output,
            from,
            to,
            ok: ok.flatten(),
            passed,
        })
    }
}

fn once<T, E: de::Error>(name: &'static str, field: &mut Option<T>, value: T) -> Result<(), E> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// A text that is not copied where it has no escapes.
struct Name<'l>(Cow<'l, str>);

impl<'de: 'l, 'l> Deserialize<'de> for Name<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// A key or value of a line. A text without escapes is not copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Field<'l> {
    Text(Cow<'l, str>),
    Other(OwnedValue),
}

impl Field<'_> {
    fn as_value(&self) -> Value<'_> {
        match self {
            Field::Text(text) => Value::Text(text),
            Field::Other(value) => value.as_value(),
        }
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for Field<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor { depth: 0 })
    }
}

/// Reads a value at this depth of lists.
#[derive(Clone, Copy)]
struct FieldVisitor {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a 64-bit signed integer, a string or a list of these")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Field<'de>, E> {
        Ok(Field::Other(OwnedValue::Null))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Field<'de>, E> {
        Ok(Field::Other(OwnedValue::Integer(integer)))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Field<'de>, E> {
        let integer = i64::try_from(integer).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(integer), &self))?;
        Ok(Field::Other(OwnedValue::Integer(integer)))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field<'de>, A::Error> {
        if self.depth == LIST_DEPTH_MAX {
            return Err(de::Error::custom(format!(
                "lists are nested deeper than {LIST_DEPTH_MAX}"
            )));
        }
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(FieldVisitor { depth: self.depth + 1 })? {
            list.push(match item {
                Field::Text(text) => OwnedValue::Text(text.into_owned()),
                Field::Other(value) => value,
            });
        }
        Ok(Field::Other(OwnedValue::List(list)))
    }
}

/// The value that `text` writes as JSON does, or what is wrong with it.
pub(crate) fn value(text: &str) -> Result<OwnedValue, String> {
    match serde_json::from_str(text) {
        Ok(Field::Other(value)) => Ok(value),
        Ok(Field::Text(text)) => Ok(OwnedValue::Text(text.into_owned())),
        Err(error) => Err(error.to_string()),
    }
}

/// Adds the operation of one line, the newline included, to `history`.
pub(super) fn read(history: &mut History, line: &[u8], origin: Origin) -> Result<(), HistoryError> {
    let not_text = |at: usize| HistoryError::NotText {
        place: origin.place(line, at),
        found: line[at],
    };
    let text = std::str::from_utf8(line).map_err(|error| not_text(error.valid_up_to()))?;
    let parsed = match quick::line(text).map_or_else(|| serde_json::from_str(text), Ok) {
        Ok(parsed) => parsed,
        // JSON has no zero byte outside of its escapes, so one that is there has made the parser stumble.
        Err(error) => {
            return Err(line
                .iter()
                .position(|&byte| byte == 0)
                .map_or_else(|| json_error(&error, text, origin), not_text));
        }
    };
    if let Some(returned) = parsed.returned.filter(|&returned| returned < parsed.call) {
        return Err(HistoryError::ReturnBeforeCall {
            place: origin.start(),
            call: parsed.call,
            returned,
        });
    }
    let row = OpInfo::find(&parsed.op).ok_or_else(|| {
        let names: Vec<&str> = OPERATIONS.iter().map(|info| info.name).collect();
        let field = text.find("\"op\"").map_or(0, |at| at + 4);
        let at = text[field..].find(&*parsed.op).map_or(0, |at| field + at);
        let near = nearest(&parsed.op, names.iter().copied());
        let near = near.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        HistoryError::Syntax {
            place: origin.place(line, at),
            what: format!(
                "no operation is called `{}`; there are {}{near}",
                parsed.op,
                names.join(", ")
            ),
        }
    })?;
    let op = parsed.op(row, origin)?;
    let output = parsed.output(&OPERATIONS[row], origin)?;
    let full = || HistoryError::TooLarge {
        place: origin.start(),
        what: "a history holds at most 2^32 - 2 operations, 4 GiB of distinct text and 2^32 items of lists",
    };
    for name in &parsed.passed {
        history.import.pass(name);
    }
    let id = history.try_invoke(parsed.client, parsed.call, op).ok_or_else(full)?;
    if let Some((returned, output)) = parsed.returned.zip(output) {
        history.try_complete(id, returned, output).ok_or_else(full)?;
    }
    Ok(())
}

fn json_error(error: &serde_json::Error, text: &str, origin: Origin) -> HistoryError {
    let is_cut = error.is_eof() && !text.ends_with('\n');
    let offset = offset_of(error, text);
    let place = origin.place(text.as_bytes(), offset);
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

/// The byte of `text` at which `error` was found.
pub(super) fn offset_of(error: &serde_json::Error, text: &str) -> usize {
    let lines = text.split_inclusive('\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(str::len).sum();
    // serde_json counts the newline at the end as a line of its own.
    (before + error.column().saturating_sub(1)).min(text.trim_end().len())
}

impl<'l> Line<'l> {
    fn op(&self, row: usize, origin: Origin) -> Result<Op<Value<'_>>, HistoryError> {
        let info = &OPERATIONS[row];
        let given: [(&str, Option<&Field<'l>>); 3] = [
            ("value", self.value.as_ref()),
            ("from", self.from.as_ref()),
            ("to", self.to.as_ref()),
        ];
        for (name, field) in given {
            if field.is_some() && !info.arguments.contains(&name) {
                return Err(alien(name, info, origin));
            }
        }
        let mut arguments = [Value::Null; ARGUMENTS_MAX];
        for (argument, name) in arguments.iter_mut().zip(info.arguments) {
            let field = given
                .iter()
                .find(|(given, _)| given == name)
                .and_then(|(_, field)| *field);
            let missing = || {
                let near = self.instead(name);
                origin.syntax(format!("`{name}` is missing; write null for no value{near}"))
            };
            *argument = field.ok_or_else(missing)?.as_value();
        }
        Ok(Op::of(row, self.key.as_value(), arguments))
    }

    /// The field that was perhaps meant to be `name`, in words.
    fn instead(&self, name: &str) -> String {
        let passed = self.passed.iter().map(|name| &**name);
        nearest(name, passed).map_or_else(String::new, |near| {
            format!("; there is `{near}`, which no operation has")
        })
    }

    /// `None` for an unknown outcome.
    fn output(&self, info: &OpInfo, origin: Origin) -> Result<Option<Output<Value<'_>>>, HistoryError> {
        let output = self.output.as_ref().map(Field::as_value);
        for (name, is_given, takes) in [
            ("output", output.is_some(), info.answers_value),
            ("ok", self.ok.is_some(), info.answers_done),
        ] {
            if is_given && !takes {
                return Err(alien(name, info, origin));
            }
        }
        if self.returned.is_none() {
            let is_known = output.is_some_and(|output| output != Value::Null) || self.ok.is_some();
            let what = "the outcome is unknown (`return` is null), so there can be no `output` and no `ok`; remove it, or give the return";
            return if is_known { Err(origin.syntax(what)) } else { Ok(None) };
        }
        match (output, self.ok) {
            (Some(_), Some(_)) => Err(origin.syntax("an answer is `output` or `ok`, not both; remove one")),
            (Some(output), None) => Ok(Some(Output::Value(output))),
            (None, Some(done)) => Ok(Some(Output::Done(done))),
            (None, None) if info.answers_ok => Ok(Some(Output::Ok)),
            (None, None) => {
                let name = if info.answers_value { "output" } else { "ok" };
                let near = self.instead(name);
                Err(origin.syntax(format!(
                    "`{name}` is missing; an operation that has returned has an answer{near}"
                )))
            }
        }
    }
}

/// The field `name` is given, and the operation does not take it.
fn alien(name: &str, info: &OpInfo, origin: Origin) -> HistoryError {
    let mut takes = info.arguments.to_vec();
    takes.extend(info.answers_value.then_some("output"));
    takes.extend(info.answers_done.then_some("ok"));
    let takes = if takes.is_empty() {
        "neither argument nor answer".to_owned()
    } else {
        takes.join(", ")
    };
    origin.syntax(format!(
        "`{name}` does not belong to this operation, which takes {takes}; remove it"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::quick;
    use super::Line;

    /// What the two parsers make of a line.
    fn both(text: &str) -> (Option<Line<'_>>, Option<Line<'_>>) {
        (quick::line(text), serde_json::from_str(text).ok())
    }

    const USUAL: &str =
        r#"{"client":1,"op":"write","key":"r","value":[1,"a",[null,-7]],"call":4,"return":18446744073709551615}"#;

    #[test]
    fn the_usual_line_is_read_without_ceremony() {
        for line in [
            USUAL,
            r#"{"client":0,"op":"read","key":null,"output":-9223372036854775808,"call":0,"return":7}"#,
            " { \"op\" : \"cas\", \"client\": 7, \"key\": 3, \"from\": 1, \"to\" :2, \"ok\":true ,\"return\":null, \"call\":5 } \r\n",
            r#"{"client":2,"op":"read","key":"é","output":[],"call":1,"return":2}"#,
        ] {
            let (quick, all) = both(line);
            assert!(quick.is_some(), "{line}");
            assert_eq!(quick, all, "{line}");
        }
    }

    proptest! {
        /// A few characters of the usual line are bent: never is a line taken that is none, and never differently.
        #[test]
        fn the_quick_parser_takes_no_line_that_means_something_else(
            edits in proptest::collection::vec((0..USUAL.len(), proptest::sample::select(br#"{}[]",:\0123456789-+.eE ntrufalsclvk"#.to_vec()), 0..3u8), 0..4)
        ) {
            let mut bytes = USUAL.as_bytes().to_vec();
            for (at, byte, how) in edits {
                let at = at.min(bytes.len() - 1);
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            let text = String::from_utf8(bytes).expect("ASCII");
            let (quick, all) = both(&text);
            if quick.is_some() {
                prop_assert_eq!(quick, all);
            }
        }
    }
}
