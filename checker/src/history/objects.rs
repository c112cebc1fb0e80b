//! The objects of a JSON file, one in memory at a time: in an array, or one after another, whatever the lines are.
//!
//! Owns where they begin and end; what they hold is for a parser of JSON.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::edn::{DEPTH_MAX, Form};
use super::format::place_after;
use super::stream::FORM_BYTES_MAX;
use super::{HistoryError, Place};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 18;

/// What is left of a file.
pub(super) struct Objects<'r, R> {
    source: &'r mut R,
    /// Read, and not used before `at`.
    bytes: Vec<u8>,
    at: usize,
    /// Where `at` is in the file.
    place: Place,
    is_whole: bool,
    frame: Frame,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Before,
    Bare,
    In,
    After,
}

impl<'r, R: BufRead> Objects<'r, R> {
    pub(super) fn new(source: &'r mut R) -> Self {
        Objects {
            source,
            bytes: Vec::new(),
            at: 0,
            place: Place::START,
            is_whole: false,
            frame: Frame::Before,
        }
    }

    /// The next object and where it begins; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Place, &[u8])>, HistoryError> {
        loop {
            let Some(&next) = self.bytes.get(self.at) else {
                if self.is_whole {
                    return match self.frame {
                        Frame::In => Err(self.truncated("the array of operations")),
                        _ => Ok(None),
                    };
                }
                self.more()?;
                continue;
            };
            match (self.frame, next) {
                (Frame::Before, 0xef) if self.bytes[self.at..].starts_with(b"\xef\xbb\xbf") => self.skip(3),
                (_, next) if next.is_ascii_whitespace() => self.skip(1),
                (Frame::Before, b'[') => {
                    self.frame = Frame::In;
                    self.skip(1);
                }
                (Frame::In, b',') => self.skip(1),
                (Frame::In, b']') => {
                    self.frame = Frame::After;
                    self.skip(1);
                }
                (Frame::Before | Frame::Bare | Frame::In, b'{') => break,
                (Frame::After, _) => return Err(self.wrong("something follows the end of the array; remove it")),
                _ => return Err(self.wrong("an object is expected here: one for each operation or event")),
            }
        }
        if self.frame == Frame::Before {
            self.frame = Frame::Bare;
        }
        let length = loop {
            match length_of(&self.bytes[self.at..]) {
                Some(length) => break length,
                None if self.is_whole => {
                    self.skip(self.bytes.len() - self.at);
                    return Err(self.truncated("an object"));
                }
                None if self.bytes.len() - self.at > FORM_BYTES_MAX => {
                    return Err(HistoryError::TooLarge {
                        place: self.place,
                        what: "an object holds at most 16 MiB",
                    });
                }
                None => self.more()?,
            }
        };
        let (place, start) = (self.place, self.at);
        self.skip(length);
        Ok(Some((place, &self.bytes[start..start + length])))
    }

    fn skip(&mut self, length: usize) {
        self.place = place_after(self.place, &self.bytes[self.at..self.at + length]);
        self.at += length;
    }

    fn more(&mut self) -> Result<(), HistoryError> {
        self.bytes.drain(..self.at);
        self.at = 0;
        let more = self.bytes.len().max(PIECE_BYTES);
        let read = self.source.by_ref().take(more as u64).read_to_end(&mut self.bytes)?;
        self.is_whole = read < more;
        Ok(())
    }

    fn truncated(&self, what: &'static str) -> HistoryError {
        HistoryError::Truncated {
            place: self.place,
            what,
        }
    }

    fn wrong(&self, what: &str) -> HistoryError {
        HistoryError::Syntax {
            place: self.place,
            what: what.to_owned(),
        }
    }
}

/// How long the object is that `bytes` begin with; `None` when it does not end in them.
fn length_of(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut is_text, mut is_escaped) = (0u32, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The same as a form of EDN: names of fields are texts.
pub(super) fn form(text: &str) -> Result<Form<'_>, serde_json::Error> {
    serde_json::from_str::<Json<'_>>(text).map(|json| json.0)
}

struct Json<'t>(Form<'t>);

impl<'de: 't, 't> Deserialize<'de> for Json<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Json)
    }
}

// The parser of JSON has a bound of its own on how deep a value is nested.
const _: () = assert!(DEPTH_MAX <= 128);

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Form<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Form<'de>, E> {
        Ok(Form::Nil)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Form<'de>, E> {
        Ok(Form::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Form<'de>, E> {
        Ok(Form::Integer(integer))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Form<'de>, E> {
        Ok(match i64::try_from(integer) {
            Ok(integer) => Form::Integer(integer),
            Err(_) => Form::Other(Cow::Owned(integer.to_string())),
        })
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Form<'de>, E> {
        Ok(Form::Other(Cow::Owned(number.to_string())))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Form<'de>, E> {
        Ok(Form::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Form<'de>, E> {
        Ok(Form::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Form<'de>, A::Error> {
        let mut forms = Vec::new();
        while let Some(Json(form)) = items.next_element()? {
            forms.push(form);
        }
        Ok(Form::Sequence(forms))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Form<'de>, A::Error> {
        let mut forms = Vec::new();
        while let Some((Json(name), Json(form))) = entries.next_entry()? {
            forms.push((name, form));
        }
        Ok(Form::Map(forms))
    }
}
