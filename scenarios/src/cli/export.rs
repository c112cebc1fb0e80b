//! `squall export`: a trace in the formats of other tools.

use super::error::CliError;
use super::files::{self, Draft, TraceReader};
use super::{Done, Global, exit, output};
use crate::export::{self, ExportError, Format};
use crate::timeline;
use clap::{Args, ValueEnum};
use simulator::trace::format::{self, TraceFooter};
use std::io::{self, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
perfetto  open the file at ui.perfetto.dev
shiviz    paste the file into ShiViz; its first line is the pattern
jsonl     the trace itself, uncompressed
csv       one line for each event
edn       what the clients saw of one key, as Jepsen records it (`squall check` reads it)
mermaid   a sequence diagram of the last messages

Examples:
  squall export trace.jsonl.zst --to perfetto -o run.json
  squall export trace.jsonl.zst --to edn --key k1 | squall check - --model kv";

/// Arguments of `squall export`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// The trace (compressed or not)
    trace: PathBuf,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: To,
    /// Where it goes, compressed if the name ends in .zst; to standard output if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// For edn, the key whose history is meant
    #[arg(long)]
    key: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum To {
    Perfetto,
    Shiviz,
    Jsonl,
    Csv,
    Edn,
    Mermaid,
}

/// Carries out `squall export`.
pub fn export(args: &ExportArgs, global: &Global) -> Done {
    let format = match args.to {
        To::Perfetto => Format::Perfetto,
        To::Shiviz => Format::Shiviz,
        To::Jsonl => Format::Jsonl,
        To::Csv => Format::Csv,
        To::Edn => Format::Edn,
        To::Mermaid => Format::Mermaid,
    };
    if args.key.is_some() && format != Format::Edn {
        return Err(CliError::Usage(
            "--key chooses a history, which only `--to edn` writes: leave it out".to_owned(),
        ));
    }
    if matches!(format, Format::Jsonl | Format::Csv) {
        return line_by_line(args, format, global);
    }
    let trace = files::trace(&args.trace)?;
    tell_cut_short(&trace.footer, trace.events.iter().map(|event| event.seq).max(), global);
    // Made in memory first: what a trace does not have is known before a file is touched.
    let mut text = Vec::new();
    export::write(&trace, format, args.key.as_deref(), &mut text).map_err(|error| match error {
        ExportError::Io(error) => CliError::Stdout(error),
        other => CliError::BadFile {
            path: args.trace.clone(),
            what: other.to_string(),
        },
    })?;
    match &args.output {
        None => output::raw(&text)?,
        Some(path) => {
            let path = Draft::create(path)?.write(|out| out.write_all(&text))?;
            output::notice(global, &format_args!("{}", path.display()));
        }
    }
    Ok(exit::PASSED)
}

/// Writes what needs one event at a time, while the trace is read.
fn line_by_line(args: &ExportArgs, format: Format, global: &Global) -> Done {
    let mut trace = TraceReader::open(&args.trace)?.however_cut();
    let Some(path) = &args.output else {
        let mut out = output::pieces();
        let written = lines(&mut trace, format, &mut out).and_then(|last| {
            out.flush()?;
            Ok(last)
        });
        return match written {
            // A reader that went away has seen enough.
            Err(Broken::Write(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
            Err(Broken::Read(error)) => Err(error),
            Ok(last) => {
                tell_cut_short(footer(&trace), last, global);
                Ok(exit::PASSED)
            }
            Err(Broken::Write(_)) => Ok(exit::PASSED),
        };
    };
    let mut writing = Draft::create(path)?.begin()?;
    match lines(&mut trace, format, &mut writing) {
        Ok(last) => {
            let path = writing.finish()?;
            output::notice(global, &format_args!("{}", path.display()));
            tell_cut_short(footer(&trace), last, global);
            Ok(exit::PASSED)
        }
        Err(Broken::Read(error)) => Err(error),
        Err(Broken::Write(error)) => Err(writing.failed(error)),
    }
}

/// Why lines do not come through.
enum Broken {
    Read(CliError),
    Write(io::Error),
}

impl From<CliError> for Broken {
    fn from(error: CliError) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Says where a trace ends that is cut short.
fn tell_cut_short(footer: &TraceFooter, last: Option<u64>, global: &Global) {
    if let Some(sentence) = timeline::cut_short(footer, last) {
        output::notice(global, &sentence);
    }
}

fn footer(trace: &TraceReader) -> &TraceFooter {
    trace.footer().expect("it was read to its end")
}

/// Writes them; the number of the last event.
fn lines(trace: &mut TraceReader, format: Format, out: &mut dyn Write) -> Result<Option<u64>, Broken> {
    let mut last = None;
    if format == Format::Csv {
        export::csv_head(out)?;
        while let Some(event) = trace.next_event()? {
            last = Some(event.seq);
            export::csv_line(&event, out)?;
        }
        return Ok(last);
    }
    let header = trace.header().clone();
    format::write_line(&mut &mut *out, &header)?;
    while let Some(line) = trace.next_line()? {
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")?;
    }
    last = trace.last_seq();
    // One that is missing stays missing.
    let footer = footer(trace);
    if !footer.is_missing() {
        format::write_line(&mut &mut *out, footer)?;
    }
    Ok(last)
}
