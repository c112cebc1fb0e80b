//! What is wrong with a scenario, where, and what to write instead.
//!
//! Owns the wording of every problem and the picture of the line that it stands in. Leaves finding problems to the
//! reading modules; how an error reaches the terminal, and with which exit code, is the caller's.

use super::document::Mark;
use super::quantity::QuantityError;
use std::fmt;

/// A scenario that cannot be used: the file, the place in it, the problem and the remedy.
///
/// [`Display`](fmt::Display) gives the whole paragraph, without a final line break:
///
/// ```text
/// my.toml:9:11: `network.latency`: "10" has no unit
///   |
/// 9 | latency = "1ms..10"
///   |           ^^^^^^^^^
///   = write a range of durations such as "1ms..10ms" or one duration; the units are ns, us, ms, s, m, h
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.render())]
pub struct ScenarioError(Box<Report>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    source_name: String,
    place: Place,
    problem: Problem,
}

/// Where a problem stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the text of the scenario.
    Text {
        /// Line, counted from 1.
        line: usize,
        /// Column in characters, counted from 1.
        column: usize,
        /// Offset in bytes from the start of the text.
        byte: usize,
        /// The part of the line around the place, fit for a terminal.
        excerpt: String,
        /// Characters of the excerpt before the place.
        indent: usize,
        /// Characters to underline; at least one.
        width: usize,
    },
    /// In an override; `key=value` as it was given, shortened if need be.
    Override(String),
    /// In the scenario as a whole: something is missing.
    Whole,
}

/// What is wrong. The display form names the problem; [`Problem::remedy`] says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("this is not TOML: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// More text than a scenario can need.
    #[error("the scenario is {bytes} bytes long")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The same key or section twice.
    #[error("`{key}` is given twice")]
    DuplicateKey {
        /// The key as it stands at the second place.
        key: String,
    },
    /// A schema that this version does not read.
    #[error("the schema \"{found}\" is not supported")]
    Schema {
        /// What the file says.
        found: String,
        /// What this version reads.
        supported: &'static str,
    },
    /// A key that no section, or not this one, has.
    #[error("{section} has no key `{key}`")]
    UnknownKey {
        /// The section, as `[network]` or "the top of the file".
        section: String,
        /// The key.
        key: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
        /// All keys of the section.
        known: &'static [&'static str],
    },
    /// A key of another kind of fault.
    #[error("`{key}` does not belong to a fault of kind \"{kind}\"")]
    ForeignKey {
        /// The key.
        key: &'static str,
        /// The fault's kind.
        kind: &'static str,
        /// The kinds to which the key belongs.
        kinds: Vec<&'static str>,
        /// The keys of the fault's kind.
        known: &'static [&'static str],
    },
    /// A key that has no default.
    #[error("{section} lacks `{key}`")]
    Missing {
        /// The section, as `[[fault]]` 0 or "the top of the file".
        section: String,
        /// The key.
        key: &'static str,
        /// A line that would do.
        example: &'static str,
    },
    /// A value of the wrong type.
    #[error("`{path}` must be {expected}, not {found}")]
    WrongType {
        /// The key with its section.
        path: String,
        /// The type wanted, with an article.
        expected: String,
        /// What is there.
        found: String,
        /// A value that would do, as it is written in TOML.
        example: String,
    },
    /// A text that is not the quantity which it should be.
    #[error("`{path}`: {error}")]
    Quantity {
        /// The key with its section.
        path: String,
        /// What is wrong with the text.
        error: QuantityError,
        /// What to write, with an example.
        instead: String,
    },
    /// A value beyond its bounds.
    #[error("`{path}` is {value}, outside {min} to {max}")]
    OutOfRange {
        /// The key with its section.
        path: String,
        /// The value.
        value: String,
        /// The smallest value allowed.
        min: String,
        /// The largest value allowed.
        max: String,
    },
    /// A range whose first value is above its second.
    #[error("`{path}` runs backwards: {first} is more than {second}")]
    Inverted {
        /// The key with its section.
        path: String,
        /// The value written first.
        first: String,
        /// The value written second.
        second: String,
    },
    /// A word that is none of those that are allowed.
    #[error("`{path}` cannot be \"{word}\"")]
    UnknownWord {
        /// The key with its section.
        path: String,
        /// The word.
        word: String,
        /// What was probably meant.
        nearest: Option<String>,
        /// All words allowed.
        known: Vec<String>,
    },
    /// A list that is empty, too long or repeats itself where it must not; a text that is not formed as it must be; values
    /// that contradict each other.
    #[error("{what}")]
    Unfit {
        /// The problem, with the values.
        what: String,
        /// What to write instead.
        remedy: String,
    },
}

impl Problem {
    /// What to write instead; one sentence without a full stop.
    pub fn remedy(&self) -> String {
        match self {
            Self::Syntax { .. } => {
                "write `key = value` with texts in double quotes, and sections as [network] or [[fault]]".to_owned()
            }
            Self::TooLong { max, .. } => format!("keep it to {max} bytes at most"),
            Self::DuplicateKey { .. } => "keep one of the two".to_owned(),
            Self::Schema { supported, .. } => {
                format!("write schema = \"{supported}\", or use the version of squall that the file was written for")
            }
            Self::UnknownKey { nearest, known, .. } => {
                suggestion(nearest.as_ref()) + &format!("the keys here are {}", list(known))
            }
            Self::ForeignKey { kind, kinds, known, .. } => {
                format!(
                    "it belongs to {}; the keys of \"{kind}\" are {}",
                    list(kinds),
                    list(known)
                )
            }
            Self::Missing { example, .. } => format!("add {example}"),
            Self::WrongType { example, .. } => format!("write, for example, {example}"),
            Self::Quantity { error, instead, .. } => match error {
                QuantityError::UnknownUnit { nearest, .. } => suggestion(nearest.as_ref()) + instead,
                _ => instead.clone(),
            },
            Self::OutOfRange { min, max, .. } => format!("write a value from {min} to {max}, both included"),
            Self::Inverted { first, second, .. } => format!("write \"{second}..{first}\""),
            Self::UnknownWord { nearest, known, .. } => {
                suggestion(nearest.as_ref()) + &format!("possible are {}", list(known))
            }
            Self::Unfit { remedy, .. } => remedy.clone(),
        }
    }
}

/// A problem with its place in a document, before the file's name and text are at hand to show it.
#[derive(Debug)]
pub struct Misfit {
    pub mark: Mark,
    pub problem: Box<Problem>,
}

impl Misfit {
    pub fn new(mark: Mark, problem: Problem) -> Self {
        Self {
            mark,
            problem: Box::new(problem),
        }
    }

    /// Values that do not fit, each alone or together; see [`Problem::Unfit`].
    pub fn unfit(mark: Mark, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(
            mark,
            Problem::Unfit {
                what: what.into(),
                remedy: remedy.into(),
            },
        )
    }
}

impl ScenarioError {
    /// Puts the problem into its place: a line of `text`, or one of `overrides`.
    pub(super) fn new(source_name: &str, text: &str, overrides: &[(String, String)], misfit: Misfit) -> Self {
        let place = match misfit.mark {
            Mark::Text { start, end } => locate(text, start, end),
            Mark::Override(index) => {
                let (key, value) = &overrides[index];
                Place::Override(format!("{}={}", shown(key), shown(value)))
            }
            Mark::Whole => Place::Whole,
        };
        Self(Box::new(Report {
            source_name: shown(source_name),
            place,
            problem: *misfit.problem,
        }))
    }

    /// The name of the file or built-in scenario, as the caller gave it.
    pub fn source_name(&self) -> &str {
        &self.0.source_name
    }

    /// Where the problem stands.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }
}

impl Report {
    fn render(&self) -> String {
        let Self {
            source_name,
            place,
            problem,
        } = self;
        let remedy = problem.remedy();
        match place {
            Place::Text {
                line,
                column,
                excerpt,
                indent,
                width,
                ..
            } => {
                let number = line.to_string();
                let gutter = " ".repeat(number.len());
                format!(
                    "{source_name}:{line}:{column}: {problem}\n{gutter} |\n{number} | {excerpt}\n{gutter} | {}{}\n{gutter} = {remedy}",
                    " ".repeat(*indent),
                    "^".repeat(*width),
                )
            }
            Place::Override(given) => format!("{source_name}, --set {given}: {problem}\n  = {remedy}"),
            Place::Whole => format!("{source_name}: {problem}\n  = {remedy}"),
        }
    }
}

/// Characters of a line that are shown at most.
const EXCERPT: usize = 120;

fn locate(text: &str, start: usize, end: usize) -> Place {
    let start = floor_boundary(text, start.min(text.len()));
    let end = floor_boundary(text, end.clamp(start, text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let before = text[line_start..start].chars().count();
    let width = text[start..end.min(line_end)].chars().count().max(1);
    // A long line is shown from a little before the place.
    let skipped = if before < EXCERPT * 2 / 3 {
        0
    } else {
        before - EXCERPT / 3
    };
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let excerpt: String = text[line_start..line_end]
        .chars()
        .skip(skipped)
        .take(EXCERPT)
        .map(visible)
        .collect();
    Place::Text {
        line: text[..start].matches('\n').count() + 1,
        column: before + 1,
        byte: start,
        indent: before - skipped,
        width: width.min(EXCERPT - (before - skipped)),
        excerpt: excerpt.trim_end().to_owned(),
    }
}

fn floor_boundary(text: &str, mut index: usize) -> usize {
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// A word of the user's as it may stand in a message: no control characters, and no longer than a line.
pub fn shown(word: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = word
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if word.chars().nth(LONGEST).is_some() {
        shown.push_str("...");
    }
    shown
}

fn suggestion<T: fmt::Display>(nearest: Option<T>) -> String {
    nearest.map_or_else(String::new, |word| format!("did you mean `{word}`? "))
}

fn list<T: fmt::Display>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{EXCERPT, Place, locate, shown};

    #[test]
    fn a_place_in_a_long_line_is_shown_with_what_surrounds_it() {
        let text = format!("first\n{}here{}", "a".repeat(300), "b".repeat(300));
        let Place::Text {
            line,
            column,
            byte,
            excerpt,
            indent,
            width,
        } = locate(&text, 306, 310)
        else {
            panic!("a place in a text is in a text");
        };
        assert_eq!((line, column, byte), (2, 301, 306));
        assert_eq!(excerpt.chars().count(), EXCERPT);
        assert_eq!(&excerpt[indent..indent + width], "here");
    }

    #[test]
    fn a_place_inside_a_character_or_past_the_end_is_moved_to_one_that_exists() {
        let place = |start, end| match locate("\u{b5}s\n", start, end) {
            Place::Text {
                line,
                column,
                byte,
                width,
                ..
            } => (line, column, byte, width),
            other => panic!("{other:?} is not in the text"),
        };
        assert_eq!(place(1, 1), (1, 1, 0, 1));
        assert_eq!(place(0, 3), (1, 1, 0, 2));
        assert_eq!(place(9, 12), (2, 1, 4, 1));
        assert_eq!(place(2, 0), (1, 2, 2, 1));
    }

    #[test]
    fn a_shown_word_fits_a_line() {
        assert_eq!(shown("a\nb\u{1b}"), "a b ");
        assert_eq!(shown(&"x".repeat(61)), format!("{}...", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), "x".repeat(60));
    }
}
