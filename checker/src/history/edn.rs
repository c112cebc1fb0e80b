//! A reader of EDN, as Clojure prints it: nil, booleans, integers, strings, keywords, vectors, lists, sets and maps, with comments and
//! commas as space. A record (`#jepsen.history.Op{…}`) is the map that it is, a tagged list that stands for a set is one, and what has
//! metadata is read without. Other forms (floats, ratios, integers beyond 64 bits, characters, regexes, vars, symbolic and tagged values,
//! symbols) are kept as [`Form::Other`], so that a history may carry them in fields that nobody looks at.
//!
//! Owns the syntax alone; what the maps of a Jepsen history mean is in [`jepsen`](super::jepsen).

use std::borrow::Cow;

use super::format::place_after;
use super::{HistoryError, Place};

pub use super::stream::FORM_BYTES_MAX;

/// Deepest nesting of one form.
pub const DEPTH_MAX: usize = 64;

/// One EDN value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form<'t> {
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// A 64-bit integer.
    Integer(i64),
    /// A string, its escapes undone.
    Text(Cow<'t, str>),
    /// A keyword, without its colon.
    Keyword(&'t str),
    /// A vector or a list.
    Sequence(Vec<Form<'t>>),
    /// A set, in the order of the file.
    Set(Vec<Form<'t>>),
    /// A map, in the order of the file.
    Map(Vec<(Form<'t>, Form<'t>)>),
    /// Anything else, as it stands.
    Other(Cow<'t, str>),
}

/// Reads forms from a text, one after another.
#[derive(Clone, Debug)]
pub struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Where `text` begins.
    start: Place,
}

impl<'t> Reader<'t> {
    /// A reader of `text`, which begins at `start` of a file; a byte order mark at its beginning is skipped.
    ///
    /// # Errors
    ///
    /// When there is a zero byte in `text`.
    pub fn of(text: &'t str, start: Place) -> Result<Self, HistoryError> {
        if let Some(at) = text.find('\0') {
            return Err(HistoryError::NotText {
                place: place_after(start, &text.as_bytes()[..at]),
                found: 0,
            });
        }
        let is_marked = start.byte == 0 && text.starts_with('\u{feff}');
        Ok(Reader {
            text,
            at: if is_marked { 3 } else { 0 },
            start,
        })
    }

    /// Goes on at this byte of the text.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether nothing of the text is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// All of the text.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Byte of the next form, once space was skipped.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The place of a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        place_after(self.start, &self.text.as_bytes()[..offset])
    }

    /// An error at a byte offset.
    pub(super) fn syntax(&self, offset: usize, what: impl Into<String>) -> HistoryError {
        HistoryError::Syntax {
            place: self.place(offset),
            what: what.into(),
        }
    }

    fn truncated(&self, what: &'static str) -> HistoryError {
        HistoryError::Truncated {
            place: self.place(self.text.len()),
            what,
        }
    }

    /// The first character of the next form, after space, commas, comments and discarded forms; `None` at the end.
    ///
    /// # Errors
    ///
    /// When a discarded form (`#_`) is malformed.
    pub fn peek(&mut self) -> Result<Option<char>, HistoryError> {
        self.peek_at(0)
    }

    fn peek_at(&mut self, depth: usize) -> Result<Option<char>, HistoryError> {
        loop {
            let rest = &self.text[self.at..];
            let Some(next) = rest.chars().next() else {
                return Ok(None);
            };
            if next.is_whitespace() || next == ',' {
                self.at += next.len_utf8();
            } else if next == ';' {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("#_") {
                self.at += 2;
                self.form(depth + 1)?;
            } else {
                return Ok(Some(next));
            }
        }
    }

    /// Takes `expected` if it is next.
    ///
    /// # Errors
    ///
    /// As [`peek`](Self::peek).
    pub fn take(&mut self, expected: char) -> Result<bool, HistoryError> {
        let is_next = self.peek()? == Some(expected);
        if is_next {
            self.at += expected.len_utf8();
        }
        Ok(is_next)
    }

    /// Reads the next form.
    ///
    /// # Errors
    ///
    /// When there is none, it is malformed, or nested deeper than [`DEPTH_MAX`].
    pub fn read(&mut self) -> Result<Form<'t>, HistoryError> {
        self.form(0)
    }

    fn form(&mut self, depth: usize) -> Result<Form<'t>, HistoryError> {
        if depth > DEPTH_MAX {
            return Err(self.syntax(
                self.at,
                format!("forms are nested deeper than {DEPTH_MAX}; this is no history"),
            ));
        }
        let Some(first) = self.peek_at(depth)? else {
            return Err(self.truncated("a form"));
        };
        match first {
            '[' => Ok(Form::Sequence(self.sequence(']', depth)?)),
            '(' => Ok(Form::Sequence(self.sequence(')', depth)?)),
            '{' => self.map(depth),
            '"' => self.string(),
            ']' | ')' | '}' => Err(self.syntax(
                self.at,
                format!("`{first}` closes nothing that is open here; check the brackets"),
            )),
            '#' => self.dispatch(depth),
            '\\' => self.character(),
            '^' => {
                self.at += 1;
                self.form(depth + 1)?;
                self.form(depth + 1)
            }
            _ => self.token(),
        }
    }

    fn sequence(&mut self, end: char, depth: usize) -> Result<Vec<Form<'t>>, HistoryError> {
        self.at += 1;
        let mut forms = Vec::new();
        loop {
            match self.peek_at(depth)? {
                None => return Err(self.truncated("a vector, list or set")),
                Some(next) if next == end => break,
                Some(_) => forms.push(self.form(depth + 1)?),
            }
        }
        self.at += 1;
        Ok(forms)
    }

    fn map(&mut self, depth: usize) -> Result<Form<'t>, HistoryError> {
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            match self.peek_at(depth)? {
                None => return Err(self.truncated("a map")),
                Some('}') => break,
                Some(_) => {}
            }
            let key = self.form(depth + 1)?;
            match self.peek_at(depth)? {
                None => return Err(self.truncated("a map")),
                Some('}') => {
                    return Err(self.syntax(self.at, "the last key of this map has no value; complete the pair"));
                }
                Some(_) => {}
            }
            entries.push((key, self.form(depth + 1)?));
        }
        self.at += 1;
        Ok(Form::Map(entries))
    }

    /// `#{…}`, `#tag form` and the like.
    fn dispatch(&mut self, depth: usize) -> Result<Form<'t>, HistoryError> {
        let start = self.at;
        self.at += 1;
        match self.text[self.at..].chars().next() {
            Some('{') => return Ok(Form::Set(self.sequence('}', depth)?)),
            // A symbolic value, `##Inf` or `##NaN`, and a var: `#'jepsen.core/run!`.
            Some('#' | '\'') => {
                self.at += 1;
                self.token()?;
            }
            // A regex: a backslash stands for itself and what follows.
            Some('"') => self.regex()?,
            // Metadata, as it was written of old.
            Some('^') => {
                self.at += 1;
                self.form(depth + 1)?;
                return self.form(depth + 1);
            }
            _ => {
                let tag_at = self.at;
                self.token()?;
                let tag = &self.text[tag_at..self.at];
                match self.form(depth + 1)? {
                    Form::Map(entries) if tag.contains('.') => return Ok(Form::Map(entries)),
                    Form::Sequence(items) | Form::Set(items) if is_set(tag) => return Ok(Form::Set(items)),
                    _ => {}
                }
            }
        }
        Ok(Form::Other(Cow::Borrowed(&self.text[start..self.at])))
    }

    fn regex(&mut self) -> Result<(), HistoryError> {
        let mut chars = self.text[self.at + 1..].char_indices();
        while let Some((offset, next)) = chars.next() {
            match next {
                '"' => {
                    self.at += offset + 2;
                    return Ok(());
                }
                '\\' => drop(chars.next()),
                _ => {}
            }
        }
        Err(self.truncated("a regex"))
    }

    fn character(&mut self) -> Result<Form<'t>, HistoryError> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let Some(first) = rest.chars().next() else {
            return Err(self.truncated("a character"));
        };
        let tail = rest[first.len_utf8()..]
            .find(ends_token)
            .unwrap_or(rest.len() - first.len_utf8());
        self.at += 1 + first.len_utf8() + tail;
        Ok(Form::Other(Cow::Borrowed(&self.text[start..self.at])))
    }

    fn string(&mut self) -> Result<Form<'t>, HistoryError> {
        let start = self.at + 1;
        let rest = &self.text[start..];
        let mut undone: Option<String> = None;
        let mut chars = rest.char_indices();
        while let Some((offset, next)) = chars.next() {
            match next {
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(Form::Text(undone.map_or(Cow::Borrowed(&rest[..offset]), Cow::Owned)));
                }
                '\\' => {
                    let undone = undone.get_or_insert_with(|| rest[..offset].to_owned());
                    match chars.next() {
                        Some((_, 'n')) => undone.push('\n'),
                        Some((_, 't')) => undone.push('\t'),
                        Some((_, 'r')) => undone.push('\r'),
                        Some((_, same @ ('"' | '\\'))) => undone.push(same),
                        Some((_, 'b')) => undone.push('\u{8}'),
                        Some((_, 'f')) => undone.push('\u{c}'),
                        Some((_, 'u')) => undone.push(self.unicode(&mut chars, start + offset)?),
                        Some((_, octal @ '0'..='7')) => undone.push(character_of_octal(octal, &mut chars)),
                        Some((_, other)) => {
                            return Err(self.syntax(
                                start + offset,
                                format!("`\\{other}` is no escape; write `\\\\` for a backslash"),
                            ));
                        }
                        None => break,
                    }
                }
                other => {
                    if let Some(undone) = &mut undone {
                        undone.push(other);
                    }
                }
            }
        }
        Err(self.truncated("a string"))
    }

    fn unicode(&self, chars: &mut std::str::CharIndices<'_>, offset: usize) -> Result<char, HistoryError> {
        let mut unit = self.code_unit(chars, offset)?;
        // Beyond the first 65,536 a character is written as two of them.
        if (0xd800..0xdc00).contains(&unit) && chars.as_str().starts_with("\\u") {
            chars.nth(1);
            let low = self.code_unit(chars, offset)?;
            if (0xdc00..0xe000).contains(&low) {
                unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        char::from_u32(unit)
            .ok_or_else(|| self.syntax(offset, "this `\\u` names no character; write the character itself"))
    }

    fn code_unit(&self, chars: &mut std::str::CharIndices<'_>, offset: usize) -> Result<u32, HistoryError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = chars.next().and_then(|(_, digit)| digit.to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.syntax(offset, "`\\u` needs four hexadecimal digits"))?;
        }
        Ok(code)
    }

    fn token(&mut self) -> Result<Form<'t>, HistoryError> {
        let rest = &self.text[self.at..];
        let token = &rest[..rest.find(ends_token).unwrap_or(rest.len())];
        if token.is_empty() {
            return Err(self.syntax(self.at, "a name is missing here; remove the stray character"));
        }
        let start = self.at;
        self.at += token.len();
        Ok(match token {
            "nil" => Form::Nil,
            "true" => Form::Boolean(true),
            "false" => Form::Boolean(false),
            _ => match token.strip_prefix(':') {
                Some("") => return Err(self.syntax(start, "a keyword has no name")),
                Some(keyword) => Form::Keyword(keyword),
                None => number_or_symbol(token),
            },
        })
    }
}

/// Integers beyond 64 bits are kept as they stand, like floats and ratios.
fn number_or_symbol(token: &str) -> Form<'_> {
    let digits = token.strip_suffix('N').unwrap_or(token);
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let is_integer = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(integer) if is_integer => Form::Integer(integer),
        _ => Form::Other(Cow::Borrowed(token)),
    }
}

/// Whether a tag says that the list behind it is a set, as `#ordered/set` does.
fn is_set(tag: &str) -> bool {
    tag == "set" || tag.ends_with("/set") || tag.ends_with("-set") || tag.ends_with("Set")
}

/// Up to three octal digits, of which `first` is the first: as Clojure prints control characters.
fn character_of_octal(first: char, chars: &mut std::str::CharIndices<'_>) -> char {
    let mut code = first.to_digit(8).expect("an octal digit");
    for _ in 0..2 {
        let Some(digit) = chars.as_str().chars().next().and_then(|next| next.to_digit(8)) else {
            break;
        };
        chars.next();
        code = code * 8 + digit;
    }
    char::from_u32(code).expect("below 512")
}

fn ends_token(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '"' | '(' | ')' | '[' | ']' | '{' | '}')
}
