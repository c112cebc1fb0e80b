//! What a sweep leaves on disk: `results.json`, and for each signature a folder with the trace, its page, the history and a summary of
//! the first run that failed so.

use super::error::CliError;
use super::files::{self, Draft};
use super::recording::Recording;
use super::results::RunResult;
use super::run::trace_header;
use super::seed;
use super::subject::{Subject, quoted};
use anstream::adapter::strip_str;
use scenarios::capsule::Capsule;
use scenarios::run::RunOptions;
use scenarios::sweep::{Group, attempt_recorded};
use scenarios::view;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest name of a folder, in bytes: signatures may hold paths.
const NAME_MAX: usize = 150;

/// Makes a folder, and those above it.
pub fn folder(path: &Path) -> Result<(), CliError> {
    fs::create_dir_all(path).map_err(|error| CliError::NotCreatable {
        path: path.to_owned(),
        error,
    })
}

/// Creates `results.json` in `folder`, to be written in the end.
pub fn results_draft(path: &Path) -> Result<Draft, CliError> {
    folder(path)?;
    Draft::create(&path.join("results.json"))
}

/// Writes `results.json`.
pub fn write_results(draft: Draft, results: &impl Serialize) -> Result<PathBuf, CliError> {
    draft.write(|out| {
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

/// Runs the first failure of a group again with its trace on and writes what there is to see; the folder's path.
pub fn write_failure(out: &Path, subject: &Subject, group: &Group, of: u64) -> Result<PathBuf, CliError> {
    let path = out.join("failures").join(folder_name(&group.failure.signature));
    folder(&path)?;
    let draft = Draft::create(&path.join("trace.jsonl.zst"))?;
    let recording = Recording::begin(draft, &trace_header(subject, of));
    let options = RunOptions {
        bug: subject.bug,
        ..RunOptions::default()
    };
    let report = attempt_recorded(&subject.scenario, of, options, Some(recording.sink()));
    let result = RunResult::new(subject, &report);
    let trace = recording.finish(&report.trace_footer())?;
    Draft::create(&path.join("history.jsonl"))?.write_history(&report.history)?;
    write_page(&path.join("view.html"), &trace)?;
    let summary = summary(subject, group, of, &result, &trace);
    Draft::create(&path.join("summary.md"))?.write(|out| out.write_all(summary.as_bytes()))?;
    Ok(path)
}

/// Writes the page of a trace, and beside it what happened in words.
fn write_page(path: &Path, trace: &Path) -> Result<PathBuf, CliError> {
    let trace = files::trace(trace)?;
    Draft::create(&path.with_file_name("explained.txt"))?
        .write(|out| out.write_all(super::explain::told(&trace).as_bytes()))?;
    let page = view::page(&trace, view::SIZE_MAX);
    Draft::create(path)?.write(|out| out.write_all(page.html.as_bytes()))
}

/// A signature as the name of a folder.
pub fn folder_name(signature: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    let name = signature.replace('/', "--");
    let name: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .take(NAME_MAX)
        .collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_stays_in_its_folder() {
        assert_eq!(
            folder_name("panic/raft-core/src/raft.rs:12"),
            "panic--raft-core--src--raft.rs:12"
        );
        assert_eq!(folder_name("../../etc"), "_..--..--etc");
        assert_eq!(folder_name("a b\0c"), "a_b_c");
        assert_eq!(folder_name(&"x".repeat(1000)).len(), NAME_MAX);
    }
}
