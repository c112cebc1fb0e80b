//! A trace in the formats of other tools.
//!
//! Owns the list of formats and the way to each; one file beside this for each format that is more than the trace's own lines.
//! All that are more than a line for each event are written from a [`Timeline`], so that they tell what the page tells; a line of CSV
//! needs its event alone, so a trace of any length passes through.

mod csv;
mod edn;
mod mermaid;
mod perfetto;
mod shiviz;

use crate::timeline::Timeline;
use simulator::trace::format::{self, Trace};
use std::io::{self, Write};

/// What a trace can be turned into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Chrome's trace events, as ui.perfetto.dev shows them.
    Perfetto,
    /// A log with vector clocks, as ShiViz shows it.
    Shiviz,
    /// The trace itself, uncompressed.
    Jsonl,
    /// One line for each event.
    Csv,
    /// What the clients saw, as Jepsen records it.
    Edn,
    /// A sequence diagram of the last messages.
    Mermaid,
}

/// Why a trace cannot be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Nothing that a history could hold.
    #[error(
        "the trace has no operations of clients that a history can hold; record it with a workload of reads and writes"
    )]
    NoHistory,
    /// Jepsen's histories are of one register.
    #[error("the history has {} keys and the format holds one: choose it with --key, one of {}", keys.len(), keys.join(", "))]
    SeveralKeys {
        /// The keys.
        keys: Vec<String>,
    },
    /// There is no such key.
    #[error("the history has no key `{key}`; it has {}", keys.join(", "))]
    UnknownKey {
        /// What was asked for.
        key: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// The file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes `trace` as `format`; `key` chooses one where a format holds one.
///
/// # Errors
///
/// [`ExportError`]: the trace has nothing for this format, or `out` reports an error.
pub fn write(trace: &Trace, format: Format, key: Option<&str>, out: &mut dyn Write) -> Result<(), ExportError> {
    match format {
        Format::Perfetto => perfetto::write(&Timeline::new(trace), out)?,
        Format::Shiviz => shiviz::write(&Timeline::new(trace), out)?,
        Format::Jsonl => format::write(out, &trace.header, &trace.events, &trace.footer)?,
        Format::Csv => {
            csv::head(out)?;
            trace.events.iter().try_for_each(|event| csv::line(event, out))?;
        }
        Format::Edn => edn::write(&Timeline::new(trace), key, out)?,
        Format::Mermaid => mermaid::write(&Timeline::new(trace), out)?,
    }
    Ok(())
}

pub use csv::{head as csv_head, line as csv_line};

#[cfg(test)]
mod tests;
