//! The usual line, read without ceremony: fields in any order, integers, texts without escapes, lists of these.
//!
//! Owns no error: whatever is unusual or wrong is `None`, and the line is read again by the parser of all JSON, which has the
//! words for it. So the two must never disagree on a line that this one takes (the tests hold one against the other).

use std::borrow::Cow;

use super::line::{Field, Line};
use crate::history::{LIST_DEPTH_MAX, OwnedValue};

/// The line in `text`, if it is a usual one.
pub(super) fn line(text: &str) -> Option<Line<'_>> {
    let mut rest = Rest { text, at: 0 };
    let (mut client, mut op, mut key, mut call, mut returned) = (None, None, None, None, None);
    let (mut value, mut output, mut from, mut to, mut ok) = (None, None, None, None, None);
    let mut passed = Vec::new();
    rest.expect(b'{')?;
    loop {
        let name = rest.text()?;
        rest.expect(b':')?;
        match name {
            "client" => once(&mut client, u32::try_from(rest.unsigned()?).ok()?),
            "op" => once(&mut op, rest.text()?),
            "key" => once(&mut key, rest.field(0)?),
            "value" => once(&mut value, rest.field(0)?),
            "output" => once(&mut output, rest.field(0)?),
            "from" => once(&mut from, rest.field(0)?),
            "to" => once(&mut to, rest.field(0)?),
            "ok" => once(&mut ok, rest.boolean()?),
            "call" => once(&mut call, rest.unsigned()?),
            "return" => once(&mut returned, rest.unsigned_or_null()?),
            _ => {
                rest.field_or_boolean()?;
                passed.push(Cow::Borrowed(name));
                Some(())
            }
        }?;
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    rest.is_done().then_some(Line {
        client: client?,
        op: Cow::Borrowed(op?),
        key: key?,
        value,
        output,
        from,
        to,
        ok,
        call: call?,
        returned: returned?,
        passed,
    })
}

/// `None` when the field was there before.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// What is left of a line.
struct Rest<'l> {
    text: &'l str,
    at: usize,
}

impl<'l> Rest<'l> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            self.at += 1;
            if !is_space(byte) {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    fn is_done(&self) -> bool {
        self.text.as_bytes()[self.at..].iter().all(|&byte| is_space(byte))
    }

    /// A text without escapes.
    fn text(&mut self) -> Option<&'l str> {
        self.expect(b'"')?;
        self.text_after_quote()
    }

    fn text_after_quote(&mut self) -> Option<&'l str> {
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' | 0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at - 1)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let is_next = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        is_next.then_some(())
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.next()? {
            b't' => self.word("rue").map(|()| true),
            b'f' => self.word("alse").map(|()| false),
            _ => None,
        }
    }

    fn unsigned(&mut self) -> Option<u64> {
        let first = self.next()?;
        self.digits(first)
    }

    fn unsigned_or_null(&mut self) -> Option<Option<u64>> {
        match self.next()? {
            b'n' => self.word("ull").map(|()| None),
            first => self.digits(first).map(Some),
        }
    }

    /// A number of which `first` is the first digit; whatever makes it none, or no integer, stands behind it.
    fn digits(&mut self, first: u8) -> Option<u64> {
        let mut number = digit(first)?;
        while let Some(next) = self.peek().and_then(digit) {
            if number == 0 {
                return None;
            }
            number = number.checked_mul(10)?.checked_add(next)?;
            self.at += 1;
        }
        Some(number)
    }

    fn field(&mut self, depth: usize) -> Option<Field<'l>> {
        Some(Field::Other(match self.next()? {
            b'"' => return self.text_after_quote().map(|text| Field::Text(Cow::Borrowed(text))),
            b'n' => self.word("ull").map(|()| OwnedValue::Null)?,
            b'[' => OwnedValue::List(self.list(depth)?),
            b'-' => match self.unsigned_here()? {
                0 => return None,
                number => OwnedValue::Integer(0i64.checked_sub_unsigned(number)?),
            },
            first => OwnedValue::Integer(i64::try_from(self.digits(first)?).ok()?),
        }))
    }

    fn field_or_boolean(&mut self) -> Option<()> {
        let start = self.at;
        if self.field(0).is_some() {
            return Some(());
        }
        self.at = start;
        self.boolean().map(drop)
    }

    fn unsigned_here(&mut self) -> Option<u64> {
        let first = self.peek()?;
        self.at += 1;
        self.digits(first)
    }

    fn list(&mut self, depth: usize) -> Option<Vec<OwnedValue>> {
        if depth == LIST_DEPTH_MAX {
            return None;
        }
        let mut items = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(items);
        }
        loop {
            items.push(match self.field(depth + 1)? {
                Field::Text(text) => OwnedValue::Text(text.into_owned()),
                Field::Other(value) => value,
            });
            match self.next()? {
                b',' => {}
                b']' => return Some(items),
                _ => return None,
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}
