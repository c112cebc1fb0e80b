//! What a sweep leaves on disk: `results.json`, and for each signature a folder with the trace, its page, the history and a summary of
//! the first run that failed so.
//!
//! Story and page are made of a trace that is held in memory, so a failure with a long one has those of the capsule that it was made
//! smaller to, or none: nothing that a sweep makes by itself grows with the length of a run.

use super::error::CliError;
use super::files::{self, Draft, Length};
use super::output;
use super::recording::Recording;
use super::results::RunResult;
use super::run::{trace_header, trace_of_capsule};
use super::subject::{Subject, quoted};
use super::{Global, seed};
use crate::capsule::Capsule;
use crate::run::RunOptions;
use crate::sweep::isolate::PROCESS;
use crate::sweep::{Group, attempt_recorded};
use crate::{view, whole};
use anstream::adapter::strip_str;
use serde::Serialize;
use simulator::trace::format::Trace;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// Longest name of a folder, in bytes: signatures may hold paths.
const NAME_MAX: usize = 150;

/// The longest trace of which story and page are made unasked: they take some 900 bytes an event, and four times its size.
const SHOWN_MAX: Length = Length {
    events: 50_000,
    bytes: 10 << 20,
};
/// The story beside a trace.
const STORY: &str = "explained.txt";
/// The page beside it.
const PAGE: &str = "view.html";

/// Makes a folder, and those above it.
pub fn folder(path: &Path) -> Result<(), CliError> {
    whole::create_folder(path).map_err(|error| CliError::NotCreatable {
        path: path.to_owned(),
        error,
    })
}

/// Writes `results.json` into a folder; until then, the last sweep's stays there.
pub fn write_results(path: &Path, results: &impl Serialize) -> Result<PathBuf, CliError> {
    folder(path)?;
    Draft::create(&path.join("results.json"))?.write(|out| {
        serde_json::to_writer_pretty(&mut *out, results)?;
        out.write_all(b"\n")
    })
}

/// Writes a run that a search made into the folder of its signature, as a capsule; the file's path.
pub fn write_capsule(out: &Path, signature: &str, capsule: &Capsule) -> Result<PathBuf, CliError> {
    let path = out.join("failures").join(folder_name(signature));
    folder(&path)?;
    Draft::create(&path.join("capsule.json"))?.write_capsule(capsule)
}

/// What has been written of a failure.
pub struct Written {
    /// The folder.
    pub folder: PathBuf,
    /// The trace in it, if it is too long for a story and a page of it.
    pub long: Option<PathBuf>,
}

/// Runs the first failure of a group again with its trace on and writes what there is to see.
pub fn write_failure(out: &Path, subject: &Subject, group: &Group, of: u64) -> Result<Written, CliError> {
    let path = out.join("failures").join(folder_name(&group.failure.signature));
    folder(&path)?;
    if group.failure.property == PROCESS {
        // Its run would harm this process too: there is no more to be seen of it than what is known.
        let summary = summary_of_process(subject, group, of);
        Draft::create(&path.join("summary.md"))?.write(|out| out.write_all(summary.as_bytes()))?;
        return Ok(Written {
            folder: path,
            long: None,
        });
    }
    let draft = |name: &str| Draft::create(&path.join(name));
    let recording = draft("trace.jsonl.zst").map_err(|error| output::lost(&error)).ok();
    let recording = recording.map(|draft| Recording::begin(draft, &trace_header(subject, of)));
    let options = RunOptions {
        bug: subject.bug,
        ..RunOptions::default()
    };
    let report = attempt_recorded(&subject.scenario, of, options, recording.as_ref().map(Recording::sink));
    let length = recording.as_ref().map(Recording::length);
    let is_long = length.is_some_and(|length| !length.is_within(SHOWN_MAX));
    // Each for itself: where one does not fit, others may.
    let result = RunResult::new(subject, &report);
    let mut text = summary(subject, group, of, &result, &path.join("trace.jsonl.zst"));
    if is_long {
        text += &of_long(&path.join("trace.jsonl.zst"));
    }
    kept(|| draft("summary.md")?.write(|out| out.write_all(text.as_bytes())));
    kept(|| draft("history.jsonl")?.write_history(&report.history));
    let footer = report.trace_footer();
    // What comes now needs memory, and this none of it.
    drop(report);
    let trace = recording.and_then(|recording| kept(|| recording.finish(&footer)));
    let mut written = Written {
        folder: path,
        long: None,
    };
    match trace {
        Some(trace) if is_long => {
            // Those of an earlier sweep are of another run.
            for name in [STORY, PAGE] {
                let _ = whole::remove(&written.folder.join(name));
            }
            written.long = Some(trace);
        }
        Some(trace) => match output::spared(|| files::trace(&trace)) {
            Ok(trace) => show(&written.folder, &trace),
            Err(error) => output::lost(&error),
        },
        None => {}
    }
    Ok(written)
}

/// Writes the story and the page of the capsule that a failure with a long trace was made smaller to; if there is none, or if its run is
/// long too, says how they are made.
pub fn show_smaller(global: &Global, written: &Written, smallest: Option<&Path>) {
    let Some(long) = &written.long else { return };
    let trace = smallest.and_then(|capsule| output::spared(|| trace_of_capsule(capsule, SHOWN_MAX)).ok());
    match trace {
        Some(trace) => show(&written.folder, &trace),
        None => output::notice(
            global,
            &format_args!(
                "the trace is too long for a story and a page to be made of it unasked: `squall explain {0}` and `squall view {0}` make \
                 them",
                quoted(&long.display().to_string())
            ),
        ),
    }
}

/// Writes the story and the page of a trace.
fn show(folder: &Path, trace: &Trace) {
    let draft = |name: &str| Draft::create(&folder.join(name));
    kept(|| draft(STORY)?.write(|out| out.write_all(super::explain::told(trace).as_bytes())));
    kept(|| {
        let page = view::page(trace, view::SIZE_MAX);
        draft(PAGE)?.write(|out| out.write_all(page.html.as_bytes()))
    });
}

/// Writes one of them; what stands in the way is told.
fn kept(write: impl FnOnce() -> Result<PathBuf, CliError>) -> Option<PathBuf> {
    output::spared(write).map_err(|error| output::lost(&error)).ok()
}

/// A signature as the name of a folder.
pub fn folder_name(signature: &str) -> String {
    // A colon is no part of a name on some systems, and ends it in lists of paths.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let readable = signature.replace('/', "--").replace(':', "-");
    let mut name: String = readable
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .take(NAME_MAX)
        .collect();
    // What had to be bent may be what another signature is bent to.
    if name != readable {
        let mark = format!("-{:08x}", xxh3_64(signature.as_bytes()) >> 32);
        name.truncate(NAME_MAX - mark.len());
        name += &mark;
    }
    // `.` and `..` are no names, and neither is a hidden folder a place where anybody looks.
    if name.starts_with('.') {
        format!("_{name}")
    } else {
        name
    }
}

fn summary(subject: &Subject, group: &Group, of: u64, result: &RunResult, trace: &Path) -> String {
    let failure = &group.failure;
    let again = match &result.failure {
        Some(again) if again.signature == failure.signature => "The run with the trace on ended in the same way.",
        _ => "**The run with the trace on ended otherwise**: the system under test is not deterministic.",
    };
    format!(
        "# {signature}\n\n{kind}: {message}\n\nSeen in {count} run{s}; first in scenario `{scenario}`, seed `{seed}`. {again}\n\n\
         ```sh\n{replay}\nsquall replay {trace}\n```\n\n```text\n{text}```\n",
        signature = failure.signature,
        kind = failure.kind.name(),
        message = failure.message,
        count = group.count,
        s = if group.count == 1 { "" } else { "s" },
        scenario = subject.scenario.name,
        seed = seed::shown(of),
        replay = result.replay,
        trace = quoted(&trace.display().to_string()),
        text = strip_str(&result.text(true)),
    )
}

/// What the summary says of a trace that is long.
fn of_long(trace: &Path) -> String {
    format!(
        "\nThe trace is long, so `{STORY}` and `{PAGE}`, if they are here, are of the smaller run in `capsule.json`. Those of this run:\n\n\
         ```sh\nsquall explain {trace}\nsquall view {trace}\n```\n",
        trace = quoted(&trace.display().to_string())
    )
}

fn summary_of_process(subject: &Subject, group: &Group, of: u64) -> String {
    let failure = &group.failure;
    format!(
        "# {signature}\n\n{kind}: {message}\n\nSeen in {count} run{s}; first in scenario `{scenario}`, seed `{seed}`. The run ends its process \
         before there is a trace.\n\n```sh\n{replay}\n```\n\n```text\n{details}```\n",
        signature = failure.signature,
        kind = failure.kind.name(),
        message = failure.message,
        count = group.count,
        s = if group.count == 1 { "" } else { "s" },
        scenario = subject.scenario.name,
        seed = seed::shown(of),
        replay = subject.replay_of(of, failure),
        details = failure.details,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_stays_in_its_folder() {
        assert_eq!(
            folder_name("panic/raft-core/src/raft.rs:12"),
            "panic--raft-core--src--raft.rs-12"
        );
        assert_eq!(folder_name("../../etc"), "_..--..--etc");
        assert!(folder_name("a b\0c").starts_with("a_b_c-"));
        assert_ne!(folder_name("a b"), folder_name("a_b"));
        assert_ne!(folder_name("a b"), folder_name("a\tb"));
        assert_eq!(folder_name(&"x".repeat(1000)).len(), NAME_MAX);
    }
}
