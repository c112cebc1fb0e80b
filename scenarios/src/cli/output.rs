//! How results look: JSON or text, tables, numbers for people. Owns every write to standard output.
//!
//! Two ways lead there. [`result`] is for commands whose only product is what they print: if that cannot be written they have failed.
//! [`verdict`] is for those that judge: what they found stands, whether it can be printed or not.

use super::error::CliError;
use super::{Format, Global, seed};
use crate::plain;
use crate::whole::fault::{self, Call};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How wide text for people gets, in columns.
pub const WIDTH: usize = 100;

/// The style of what passed.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// The style of what failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of what is less important.
pub const DIM: Style = Style::new().dimmed();

/// Writes a result in the format that was asked for. A reader that went away is no error: it has seen enough.
///
/// # Errors
/// When standard output cannot be written.
pub fn result(global: &Global, json: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), CliError> {
    put(&text_of(global, json, human))
}

/// Writes bytes of a format of its own to standard output, as they are.
///
/// # Errors
/// When standard output cannot be written.
pub fn raw(bytes: &[u8]) -> Result<(), CliError> {
    unless_gone(Out.write_all(bytes).and_then(|()| Out.flush()))
}

/// Writes a result that is a verdict, or what goes with one. If it cannot be printed, that and the verdict in one line are told on
/// standard error; nothing of it changes how the command ends.
pub fn verdict(global: &Global, json: &impl Serialize, line: &str, human: impl FnOnce() -> String) {
    printed(line, || put(&text_of(global, json, human)));
}

/// As [`verdict`], of a format of its own.
pub fn raw_verdict(line: &str, text: impl FnOnce() -> String) {
    printed(line, || raw(text().as_bytes()));
}

fn printed(line: &str, print: impl FnOnce() -> Result<(), CliError>) {
    if let Err(error) = spared(print) {
        lost(&error);
        let _ = writeln!(anstream::stderr(), "{}", plain::output(line));
    }
}

/// Does what only goes with a verdict: a panic in it is an error like others.
///
/// # Errors
/// As `decoration`, and when it panics.
pub fn spared<T>(decoration: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    catch_unwind(AssertUnwindSafe(decoration)).unwrap_or(Err(CliError::OurPanic))
}

/// Writes a part of a result for people, ahead of the rest.
pub fn ahead(text: &str) {
    if spared(|| put(&plain::output(text))).is_err() {
        let _ = write!(anstream::stderr(), "{}", plain::output(text));
    }
}

/// Tells of a failure the moment it is found, whatever becomes of the command afterwards: with the results for people, and on
/// standard error where those are one document.
pub fn found(global: &Global, of: Option<u64>, scenario: &str, failure: &dyn Display, replay: &str) {
    let seed = of.map_or_else(|| "(whole sweep)".to_owned(), seed::shown);
    let (scenario, failure) = (plain::line(scenario), failure.to_string());
    let failure = plain::line(&failure);
    let text = format!(
        "{BAD}found{BAD:#} {seed}  {scenario}  {BAD}{failure}{BAD:#}\n      replay: {}\n",
        plain::line(replay)
    );
    if global.format == Format::Human {
        ahead(&text);
    } else {
        let _ = write!(anstream::stderr(), "{}", plain::output(&text));
    }
}

fn text_of(global: &Global, json: &impl Serialize, human: impl FnOnce() -> String) -> String {
    match global.format {
        Format::Json => serde_json::to_string_pretty(json).expect("results are JSON: their keys are texts") + "\n",
        // The others are made by `ci`, for the commands that have them.
        Format::Human | Format::Markdown | Format::Junit | Format::Github => plain::output(&human()),
    }
}

/// Writes text to standard output, with its colours if somebody sees them.
fn put(text: &str) -> Result<(), CliError> {
    let is_plain = anstream::AutoStream::choice(&io::stdout()) == anstream::ColorChoice::Never;
    let written = if is_plain {
        Out.write_all(anstream::adapter::strip_str(text).to_string().as_bytes())
    } else {
        Out.write_all(text.as_bytes())
    };
    unless_gone(written.and_then(|()| Out.flush()))
}

fn unless_gone(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
        _ => Ok(()),
    }
}

/// Standard output, each write of which can be made to fail.
struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(fault::gate_write(Call::Stdout, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// Standard output for what is written piece by piece, as it is.
pub fn pieces() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::new(io::stdout().lock())
}

/// Writes a line for a person to standard error, unless they want quiet.
pub fn notice(global: &Global, text: &dyn Display) {
    if !global.quiet {
        // Nobody can be told that standard error is gone.
        let _ = writeln!(anstream::stderr(), "{}", plain::output(&text.to_string()));
    }
}

/// Writes an error to standard error.
pub fn complain(error: &CliError) {
    let _ = writeln!(
        anstream::stderr(),
        "{BAD}error{BAD:#}: {}",
        plain::output(&error.to_string())
    );
}

/// Tells what could not be done beside the verdict, which stands.
pub fn lost(error: &CliError) {
    let _ = writeln!(
        anstream::stderr(),
        "{BAD}warning{BAD:#}: {}",
        plain::output(&error.to_string())
    );
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in at most six columns: `99999`, `1234k`, `1234M`; a dot for none.
pub fn compact(count: u64) -> String {
    match count {
        0 => "·".to_owned(),
        1..100_000 => count.to_string(),
        100_000..100_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// A span of nanoseconds with one decimal, in the largest unit of which there are two.
pub fn span(ns: u128) -> String {
    const UNITS: [(u128, &str); 4] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
    ];
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| ns >= 2 * unit)
        .unwrap_or((1_000_000, "ms"));
    let tenths = ns * 10 / unit;
    format!("{}.{} {name}", grouped(tenths / 10), tenths % 10)
}

/// Each line with `indent` spaces before it.
pub fn indented(text: &str, indent: usize) -> String {
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("{:indent$}{line}\n", "")
            }
        })
        .collect()
}

/// Text broken at its spaces into lines of at most `width` columns; a longer word stays whole.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a last line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

/// A label, and words that go on below each other when they do not fit beside it.
pub fn labelled(label: &str, words: &[String]) -> String {
    const LABEL: usize = 12;
    let (mut text, mut column) = (format!("{label:<LABEL$}"), LABEL);
    for (index, word) in words.iter().enumerate() {
        let width = width(word);
        if index > 0 && column + 2 + width > WIDTH {
            let _ = write!(text, "\n{:LABEL$}", "");
            column = LABEL;
        } else if index > 0 {
            text.push_str("  ");
            column += 2;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
    text
}

/// Columns that a text takes; all that is printed here is one column for each character.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Lines of cells below a head, aligned: the first `left` columns to the left, the others to the right.
#[derive(Debug)]
pub struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a head.
    pub fn new<T: Into<String>>(left: usize, head: impl IntoIterator<Item = T>) -> Self {
        Self {
            left,
            rows: vec![head.into_iter().map(Into::into).collect()],
        }
    }

    /// Adds a row, which has as many cells as the head.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(
            cells.len(),
            self.rows[0].len(),
            "every row of a table has the cells of its head"
        );
        self.rows.push(cells);
    }

    /// The table as text.
    pub fn text(&self) -> String {
        let columns = 0..self.rows[0].len();
        let column_width = |column: usize| {
            self.rows
                .iter()
                .map(|row: &Vec<String>| width(&row[column]))
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = columns.map(column_width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let _ = match column < self.left {
                    true => write!(line, "{gap}{cell:<width$}"),
                    false => write!(line, "{gap}{cell:>width$}"),
                };
            }
            let line = line.trim_end();
            let _ = if number == 0 {
                writeln!(text, "{DIM}{line}{DIM:#}")
            } else {
                writeln!(text, "{line}")
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0_u64), "0");
        assert_eq!(grouped(1_234_567_u64), "1,234,567");
        assert_eq!(grouped(123_u64), "123");
        assert_eq!(
            (compact(0), compact(99_999), compact(100_000)),
            ("·".into(), "99999".into(), "100k".into())
        );
        assert_eq!(compact(u64::MAX), "18446744073709M");
        assert_eq!(span(26_150_000_000), "26.1 s");
        assert_eq!(span(7_200_000_000_000), "2.0 h");
        assert_eq!(span(0), "0.0 ms");
    }

    #[test]
    fn a_table_is_aligned_by_characters() {
        let mut table = Table::new(1, ["name", "count"]);
        table.row(["a", "5"]);
        table.row(["größte …", "1,000"]);
        let plain = anstream::adapter::strip_str(&table.text()).to_string();
        assert_eq!(plain, "name      count\na             5\ngrößte …  1,000\n");
    }

    #[test]
    fn words_wrap_below_their_label() {
        let words: Vec<String> = (0..30).map(|n| format!("word-{n} {n}")).collect();
        let text = labelled("faults", &words);
        assert!(
            text.lines().count() > 2 && text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(
            text.lines().skip(1).all(|line| line.starts_with("            word-")),
            "{text}"
        );
    }
}
