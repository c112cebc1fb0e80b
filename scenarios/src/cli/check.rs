//! `squall check`: a recorded history against a model.

mod args;
mod document;
mod isolation;

use super::error::CliError;
use super::files::Draft;
use super::output::{self, BAD, GOOD, notice, spared};
use super::{Done, Global, exit, files, progress};
use crate::TOOL;
use crate::verdict::FailureKind;
use args::{AUTO, Consistency, KeysIn, Unit};
use checker::consistency::{Sequential, check_sequential_history, with_stale_reads};
use checker::history::{Format, History, Import};
use checker::linearizability::{CheckError, Options, Report, Verdict, check_history, picture, verify_history};
use checker::models;
use document::{CheckResult, SequentialResult, VerifyResult};
use std::path::{Path, PathBuf};

pub use args::CheckArgs;

/// Carries out `squall check`.
pub fn check(args: &CheckArgs, global: &Global) -> Done {
    let options = Options {
        steps_max: args.budget,
        initial: args.initial.clone(),
        ..Options::default()
    };
    if args.model != AUTO {
        // The model is looked at before a file that may be large.
        check_history(&History::new(), &args.model, &options)?;
    }
    let (mut history, format) = read(args, global)?;
    if format.has_operations() && args.keys != KeysIn::Auto {
        return Err(CliError::Usage(format!(
            "{}: --keys is for the files of Jepsen, and this is JSON Lines, where each line names its key; leave it out",
            args.history
        )));
    }
    // The times of Jepsen's files are the places of the events.
    if format.has_operations() {
        history.set_clock(args.unit.clock(&history));
    }
    tell_shape(global, args, &history);
    let (model, is_guessed) = model(args, &history)?;
    if is_guessed {
        notice(
            global,
            &format_args!("model {model}: guessed, the first that all operations fit (`--model` overrules)"),
        );
    }
    if let Some(path) = &args.verify {
        return verify(args, global, &history, model, path);
    }
    let history = match args.consistency {
        Consistency::Sequential => return sequential(args, global, &history, model, &options),
        Consistency::Stale(bound) => {
            notice(
                global,
                &format_args!(
                    "reads may be stale by {}: their calls are taken to be so much earlier",
                    history.clock().time(bound)
                ),
            );
            with_stale_reads(&history, bound)
        }
        Consistency::Isolation(level) => return isolation::isolation(args, global, &history, model, level),
        Consistency::Linearizable => history,
    };
    let report = check_history(&history, model, &options)?;
    let result = CheckResult {
        model_guessed: is_guessed,
        ..CheckResult::new(args, &report, history.clock())
    };
    output::verdict(global, &result, result.verdict, || text(&report));
    write_files(args, global, &history, &report);
    Ok(result.exit_code)
}

/// Says what was made of the values and times of the file, where that is not plain.
fn tell_shape(global: &Global, args: &CheckArgs, history: &History) {
    let import = history.import();
    if import.has_keys_in_values {
        let why = if args.keys == KeysIn::Auto {
            " (reads are invoked as [key nil]; `--keys none` overrules)"
        } else {
            ""
        };
        notice(global, &format_args!("keys: in the values, [key value]{why}"));
    }
    if import.versions > 0 {
        notice(
            global,
            &"values: with versions, [version value]; the versions are not checked",
        );
    }
    if global.verbose && import.passed_fields > 0 {
        let names: Vec<String> = import
            .passed_names
            .iter()
            .map(|(name, count)| format!("{} ({count})", crate::plain::line(name)))
            .collect();
        notice(
            global,
            &format_args!(
                "passed over: {} field{} that say nothing about an operation: {}",
                import.passed_fields,
                if import.passed_fields == 1 { "" } else { "s" },
                names.join(", ")
            ),
        );
    }
    if args.unit == Unit::Auto && history.clock().is_known() {
        notice(global, &"times: in seconds, taken as nanoseconds (`--unit` overrules)");
    }
}

fn read(args: &CheckArgs, global: &Global) -> Result<(History, Format), CliError> {
    let keys = args.keys.into();
    let size = std::fs::metadata(&args.history).map_or(0, |metadata| metadata.len());
    if size < files::LARGE_HISTORY {
        return files::history(&args.history, None, keys);
    }
    let bar = progress::reading(global, size);
    if bar.is_none() {
        notice(global, &format_args!("{}: reading {} MiB", args.history, size >> 20));
    }
    let history = files::history(&args.history, bar.as_ref(), keys);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    history
}

/// The model to use, and whether it was guessed.
fn model<'a>(args: &'a CheckArgs, history: &History) -> Result<(&'a str, bool), CliError> {
    if args.model != AUTO {
        return Ok((&args.model, false));
    }
    let nothing = || {
        CliError::Usage(format!(
            "{}: no model fits all operations of this history; name one with --model, and the first that does not fit is shown",
            args.history
        ))
    };
    models::guess(history)
        .map(|model| (model.name, true))
        .ok_or_else(nothing)
}

/// Holds the order of a file against the history. A false one says nothing of the history.
fn verify(args: &CheckArgs, global: &Global, history: &History, model: &str, path: &Path) -> Done {
    let witness = files::witness(path, history)?;
    let verified = verify_history(history, model, args.initial.as_ref(), &witness).map_err(CheckError::from)?;
    let operations = history.operations().len();
    let (verdict, exit_code, reason) = match verified {
        Ok(()) => ("linearizable", exit::PASSED, None),
        Err(error) => (
            "unknown",
            FailureKind::Inconclusive.exit_code(),
            Some(format!(
                "the witness is false: {error}; that says nothing of the history"
            )),
        ),
    };
    let document = VerifyResult {
        schema: "squall-verify/1",
        tool: TOOL,
        history: args.history.clone(),
        model: model.to_owned(),
        verdict,
        exit_code,
        operations,
        reason: reason.clone(),
    };
    output::verdict(global, &document, verdict, || {
        let style = if reason.is_none() { GOOD } else { BAD };
        let reason = reason.unwrap_or_else(|| "the witness was verified".to_owned());
        let operations = counted(operations);
        format!("{style}{verdict}{style:#}: {operations}, model {model}: {reason}\n")
    });
    Ok(exit_code)
}

/// Sequential consistency, which has a document of its own.
fn sequential(args: &CheckArgs, global: &Global, history: &History, model: &str, options: &Options) -> Done {
    let verdict = check_sequential_history(history, model, options)
        .map_err(CheckError::from)?
        .map_err(CheckError::from)?;
    let succeeded = history.operations().any(|operation| operation.output.is_some());
    let (verdict, exit_code, reason) = match verdict {
        Sequential::Consistent(_) if !succeeded => (
            "unknown",
            FailureKind::Inconclusive.exit_code(),
            Some("nothing succeeded, so nothing was checked".to_owned()),
        ),
        Sequential::Consistent(_) => ("sequentially-consistent", exit::PASSED, None),
        Sequential::Inconsistent(dead) => (
            "not-sequentially-consistent",
            FailureKind::Safety.exit_code(),
            Some(dead.to_string()),
        ),
        Sequential::Unknown { steps_max } => (
            "unknown",
            FailureKind::Inconclusive.exit_code(),
            Some(format!(
                "the budget of {steps_max} steps was spent; a larger --budget would help"
            )),
        ),
    };
    if args.witness.is_some() || args.svg.is_some() {
        notice(
            global,
            &"--witness and --svg are for linearizability; nothing is written",
        );
    }
    let document = SequentialResult {
        schema: "squall-sequential/1",
        tool: TOOL,
        history: args.history.clone(),
        model: model.to_owned(),
        verdict,
        exit_code,
        operations: history.operations().len(),
        left_out: history.import().into(),
        reason,
    };
    output::verdict(global, &document, verdict, || {
        let style = if exit_code == exit::PASSED { GOOD } else { BAD };
        let reason = document
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!("\n{reason}"));
        let words = verdict.replace('-', " ");
        let left_out = left_out(history.import());
        format!(
            "{style}{words}{style:#}: {}, model {model}{left_out}{reason}\n",
            counted(document.operations)
        )
    });
    Ok(exit_code)
}

fn write_files(args: &CheckArgs, global: &Global, history: &History, report: &Report) {
    let tell = |what: &str, written: Result<PathBuf, CliError>| match written {
        Ok(path) => notice(global, &format_args!("{what}: {}", path.display())),
        Err(error) => output::lost(&error),
    };
    match (&args.witness, &report.verdict) {
        (Some(path), Verdict::Linearizable(witness)) => {
            tell("witness", spared(|| Draft::create(path)?.write_witness(witness)));
        }
        (Some(_), _) => notice(global, &"no witness is written: no order was found"),
        (None, _) => {}
    }
    match (&args.svg, report.refusal()) {
        (Some(path), Some(refusal)) => {
            let draw = || {
                let svg = picture(history, refusal);
                Draft::create(path)?.write(|out| out.write_all(svg.as_bytes()))
            };
            tell("picture", spared(draw));
        }
        (Some(_), None) => notice(global, &"no picture is drawn: there is no refusal"),
        (None, _) => {}
    }
}

/// `1 operation`, `2 operations`.
fn counted(operations: usize) -> String {
    format!("{operations} operation{}", if operations == 1 { "" } else { "s" })
}

fn left_out(import: &Import) -> String {
    if import.leaves_out() {
        format!("\nleft out: {import}")
    } else {
        String::new()
    }
}

fn text(report: &Report) -> String {
    if let Some(reason) = report.is_about_nothing() {
        let (operations, left_out) = (counted(report.operations), left_out(&report.import));
        return format!(
            "{BAD}unknown{BAD:#}: {reason}: {operations}, model {}{left_out}\n",
            report.model
        );
    }
    let style = if report.is_linearizable() { GOOD } else { BAD };
    let text = report.to_string();
    let (verdict, rest) = text.split_once(':').unwrap_or((&text, ""));
    format!("{style}{verdict}{style:#}:{rest}\n")
}
