//! `squall view`: a trace as one HTML page.

use super::files::Draft;
use super::output;
use super::{Done, Global, exit, run};
use crate::timeline;
use crate::view::{self, SIZE_LEAST, SIZE_MAX};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const EXAMPLES: &str = "\
The page needs no network and no other file. It shows the whole run, or says what it leaves out.

Examples:
  squall view target/squall/failures/read-freshness--stale-read/trace.jsonl.zst --open
  squall view trace.jsonl -o run.html --max-size 20000000
  squall view before.jsonl.zst --compare after.jsonl.zst -o both.html      two runs beside each other, from where they part on";

/// Arguments of `squall view`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ViewArgs {
    /// A trace (compressed or not), or a capsule (.json), which is carried out for it
    #[arg(value_name = "TRACE|CAPSULE")]
    trace: PathBuf,
    /// Where the page goes; beside the trace if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A second trace or capsule, shown below the first on the same axis of time
    #[arg(long, value_name = "TRACE")]
    compare: Option<PathBuf>,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
    /// Largest size of the page in bytes; what does not fit is left out, far from the failure first
    #[arg(long, value_name = "BYTES", default_value_t = SIZE_MAX as u64, value_parser = clap::value_parser!(u64).range(SIZE_LEAST as u64..=1_000_000_000))]
    max_size: u64,
}

/// Carries out `squall view`.
pub fn view(args: &ViewArgs, global: &Global) -> Done {
    let trace = run::trace_of(&args.trace)?;
    let other = args.compare.as_deref().map(run::trace_of).transpose()?;
    let output = args.output.clone().unwrap_or_else(|| beside(&args.trace));
    let draft = Draft::create(&output)?;
    let size_max = usize::try_from(args.max_size).unwrap_or(usize::MAX);
    let page = match &other {
        None => view::page(&trace, size_max),
        Some(other) => view::comparison(&trace, other, size_max),
    };
    let path = draft.write(|out| out.write_all(page.html.as_bytes()))?;
    let result = ViewResult {
        schema: "squall-view/1",
        page: path.display().to_string(),
        bytes: page.html.len(),
        events: page.events,
        shown: page.shown,
        cut_short: [Some(&trace), other.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|trace| timeline::cut_short(&trace.footer, trace.events.iter().map(|event| event.seq).max())),
    };
    output::result(global, &result, || result.text())?;
    if args.open {
        open(&path, global);
    }
    Ok(exit::PASSED)
}

/// The name of the page of a trace: without the endings that say how it is stored.
fn beside(trace: &Path) -> PathBuf {
    let name = trace.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".zst").unwrap_or(&name);
    let ending = [".jsonl", ".capsule.json", ".json"]
        .into_iter()
        .find(|ending| stem.ends_with(ending));
    let stem = stem.strip_suffix(ending.unwrap_or_default()).unwrap_or(stem);
    trace.with_file_name(format!("{stem}.html"))
}

/// Asks the desktop to show a file; that nobody does is worth a word and no failure.
fn open(path: &Path, global: &Global) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    let started = command
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !started.is_ok_and(|status| status.success()) {
        output::notice(
            global,
            &format_args!("`{opener}` shows no page here; open {} in a browser", path.display()),
        );
    }
}

/// The document of `squall view`.
#[derive(Debug, Serialize)]
struct ViewResult {
    /// `squall-view/1`.
    schema: &'static str,
    /// The file.
    page: String,
    /// Its size.
    bytes: usize,
    /// Events of the trace.
    events: usize,
    /// Events on the page.
    shown: usize,
    /// Where the trace ends, in a sentence, if it is cut short.
    cut_short: Option<String>,
}

impl ViewResult {
    fn text(&self) -> String {
        let events = output::grouped(self.events as u64);
        let shown = match self.events - self.shown {
            0 => format!("all {events} events"),
            _ => format!(
                "{} of {events} events: --max-size makes room for more",
                output::grouped(self.shown as u64)
            ),
        };
        let cut_short = self.cut_short.as_ref().map(|sentence| format!("{sentence}\n"));
        format!(
            "{}  {} bytes, {shown}\n{}",
            self.page,
            output::grouped(self.bytes as u64),
            cut_short.unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_beside_its_trace() {
        assert_eq!(beside(Path::new("a/trace.jsonl.zst")), Path::new("a/trace.html"));
        assert_eq!(beside(Path::new("run.jsonl")), Path::new("run.html"));
        assert_eq!(beside(Path::new("a/x.capsule.json")), Path::new("a/x.html"));
        assert_eq!(beside(Path::new("odd")), Path::new("odd.html"));
    }
}
