//! `squall check`: a recorded history against a model.

use super::error::CliError;
use super::files::Draft;
use super::output::{self, BAD, GOOD, WIDTH, notice, spared};
use super::{Done, Global, exit, files, progress};
use checker::consistency::{Sequential, check_sequential_history, with_stale_reads};
use checker::history::{Clock, Disturbance, Format, History, Import, Keys, OwnedValue};
use checker::linearizability::{
    Attempt, CheckError, OperationLine, Options, Refusal, Report, Verdict, check_history, picture, verify_history,
};
use checker::models;
use clap::{Args, ValueEnum};
use scenarios::TOOL;
use scenarios::verdict::FailureKind;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
The format is told by the content: JSON Lines, or Jepsen's EDN or log. A refusal shows the first operation that cannot be placed, the
smallest part of the history that is impossible already, the reason, and the moment. A history of which nothing succeeded says nothing,
and is inconclusive. A Jepsen file leaves out what failed, reads of nil and the nemesis; how much that was is counted.

Examples:
  squall check history.jsonl --model auto
  squall check jepsen.edn --model cas-register --initial null --svg why.svg
  squall check bank.jsonl --model bank --initial '[[\"a\",100],[\"b\",100]]'
  squall check orders.jsonl --model orders --initial '\"placed\"'
  squall check independent.edn --model cas-register --keys in-value
  squall check history.jsonl --model kv --witness order.json
  squall check history.jsonl --model kv --verify order.json
  squall check followers.jsonl --model kv --consistency stale:5000000
  zcat big.jsonl.gz | squall check - --model register --initial 0 --budget 100000000";

/// The name that lets the tool guess the model.
const AUTO: &str = "auto";

/// Arguments of `squall check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The history; `-` for standard input, and a name that ends in .zst is compressed
    history: String,
    /// What the system was meant to be (`squall list models`), or `auto`: the first that all operations fit
    #[arg(long)]
    model: String,
    /// What an object holds at the start, as JSON: null, 5, "five" (with its quotes), or a list
    #[arg(long, value_name = "JSON")]
    initial: Option<OwnedValue>,
    /// Where the keys of a Jepsen file are; JSON Lines name them
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = KeysIn::Auto)]
    keys: KeysIn,
    /// What the times of the history count; `auto`: nanoseconds where the last of them is a millisecond at least. Only how they are shown
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = Unit::Auto)]
    unit: Unit,
    /// How consistent it must be: `linearizable`, `sequential` (each client's own order, no real time), or `stale:BOUND`: reads may
    /// be answered as up to so much earlier, in the unit of the history
    #[arg(long, value_name = "LEVEL", default_value = "linearizable", value_parser = consistency)]
    consistency: Consistency,
    /// Most steps of the search; then the verdict is unknown
    #[arg(long, value_name = "STEPS", default_value_t = Options::default().steps_max)]
    budget: u64,
    /// Write the order that was found to this file
    #[arg(long, value_name = "FILE")]
    witness: Option<PathBuf>,
    /// Do not search: verify the order in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["witness", "svg", "budget", "consistency"])]
    verify: Option<PathBuf>,
    /// Draw a refusal into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Where the keys of a Jepsen file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeysIn {
    /// In the values if reads are invoked as `[key nil]`, as `jepsen.independent` does
    Auto,
    /// Each `:value` is `[key value]`
    InValue,
    /// Each `:value` is the value of one object
    None,
}

impl From<KeysIn> for Keys {
    fn from(keys: KeysIn) -> Self {
        match keys {
            KeysIn::Auto => Keys::Auto,
            KeysIn::InValue => Keys::InValue,
            KeysIn::None => Keys::None,
        }
    }
}

/// What the times of a history count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unit {
    Auto,
    Ns,
    Us,
    Ms,
    /// Nothing: they are shown as they stand
    None,
}

impl Unit {
    fn clock(self, history: &History) -> Clock {
        match self {
            Unit::Auto => Clock::guess(history.latest()),
            Unit::Ns => Clock::Nanoseconds,
            Unit::Us => Clock::Microseconds,
            Unit::Ms => Clock::Milliseconds,
            Unit::None => Clock::Counter,
        }
    }
}

/// What is asked of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consistency {
    Linearizable,
    Sequential,
    /// Reads may be this much behind, in the unit of the history's times.
    Stale(u64),
}

fn consistency(text: &str) -> Result<Consistency, String> {
    match (text, text.strip_prefix("stale:").map(str::parse)) {
        ("linearizable", _) => Ok(Consistency::Linearizable),
        ("sequential", _) => Ok(Consistency::Sequential),
        (_, Some(Ok(bound))) => Ok(Consistency::Stale(bound)),
        (_, Some(Err(error))) => Err(format!(
            "the bound of stale:BOUND is an unsigned integer in the unit of the history's times: {error}"
        )),
        _ => Err("there are linearizable, sequential and stale:BOUND".to_owned()),
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable => f.write_str("linearizable"),
            Self::Sequential => f.write_str("sequential"),
            Self::Stale(bound) => write!(f, "stale:{bound}"),
        }
    }
}

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
    if format == Format::JsonLines && args.keys != KeysIn::Auto {
        return Err(CliError::Usage(format!(
            "{}: --keys is for the files of Jepsen, and this is JSON Lines, where each line names its key; leave it out",
            args.history
        )));
    }
    // The times of Jepsen's files are the places of the events.
    if format == Format::JsonLines {
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

/// The document of `squall check --consistency sequential`.
#[derive(Debug, Serialize)]
struct SequentialResult {
    /// `squall-sequential/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// The history as it was named.
    history: String,
    /// The model.
    model: String,
    /// `sequentially-consistent`, `not-sequentially-consistent` or `unknown`.
    verdict: &'static str,
    /// The exit code.
    exit_code: u8,
    /// Operations in the history.
    operations: usize,
    /// What was left out when the history was read.
    left_out: LeftOut,
    /// Where every order ends; null for a consistent history.
    reason: Option<String>,
}

/// The document of `squall check --verify`.
#[derive(Debug, Serialize)]
struct VerifyResult {
    /// `squall-verify/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// The history as it was named.
    history: String,
    /// The model.
    model: String,
    /// `linearizable` or `unknown`.
    verdict: &'static str,
    /// The exit code.
    exit_code: u8,
    /// Operations in the history.
    operations: usize,
    /// What is wrong with the witness; null for a good one.
    reason: Option<String>,
}

/// What a file has beside the operations that were checked.
#[derive(Debug, Serialize)]
struct LeftOut {
    /// Operations that failed.
    failed_operations: usize,
    /// Reads that returned nil.
    nil_reads: usize,
    /// Versions of values.
    versions: usize,
    /// Events of the nemesis.
    nemesis_events: usize,
}

impl From<&Import> for LeftOut {
    fn from(import: &Import) -> Self {
        Self {
            failed_operations: import.failed.len(),
            nil_reads: import.nil_reads,
            versions: import.versions,
            nemesis_events: import.nemesis_events,
        }
    }
}

/// The document of `squall check`.
#[derive(Debug, Serialize)]
struct CheckResult {
    /// `squall-check/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// The history as it was named.
    history: String,
    /// The model.
    model: &'static str,
    /// Whether the model was guessed.
    model_guessed: bool,
    /// What was asked for: `linearizable` or `stale:BOUND`.
    consistency: String,
    /// `linearizable`, `not-linearizable` or `unknown`.
    verdict: &'static str,
    /// The exit code.
    exit_code: u8,
    /// Operations in the history.
    operations: usize,
    /// Of those, how many have an unknown outcome.
    unknown_outcomes: usize,
    /// Operations that did what they were asked, or answered a question.
    succeeded: usize,
    /// What was left out when the history was read.
    left_out: LeftOut,
    /// Keys, each checked alone.
    keys: usize,
    /// Whether the keys were in the values, `[key value]`.
    keys_in_values: bool,
    /// What the times count: `nanoseconds`, `microseconds`, `milliseconds` or `counter`.
    clock: &'static str,
    /// Steps of the search.
    steps: u64,
    /// Why not, in words; null for a linearizable history.
    reason: Option<String>,
    /// The key that the reason is about.
    key: Option<String>,
    /// The first operation that cannot be placed.
    stuck: Option<String>,
    /// The refusal in parts.
    refusal: Option<RefusalPart>,
}

/// A refusal in parts, for programs.
#[derive(Debug, Serialize)]
struct RefusalPart {
    /// The reason in a sentence or two.
    sentence: String,
    /// The operations that are impossible together.
    core: Vec<OperationPart>,
    /// Whether it was shown that none of them can be left out.
    core_is_minimal: bool,
    /// Whether everything that had returned before can be explained.
    is_first: bool,
    /// The operations that close the core.
    context: Vec<OperationPart>,
    /// The nearest orders, none of which the stuck operation can follow.
    attempts: Vec<AttemptPart>,
    /// What was done to the system meanwhile, where the history tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disturbances: Vec<DisturbancePart>,
    /// Calls and returns up to the one at which it became impossible.
    event: usize,
    /// Calls and returns in all.
    events: usize,
    /// The longest order that explains all that had returned before; operations by their place in the history.
    legal_prefix: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct OperationPart {
    operation: usize,
    client: u32,
    described: String,
    call: u64,
    #[serde(rename = "return")]
    returned: Option<u64>,
}

#[derive(Debug, Serialize)]
struct DisturbancePart {
    name: String,
    from: u64,
    /// `null`: its end is not told.
    until: Option<u64>,
}

#[derive(Debug, Serialize)]
struct AttemptPart {
    /// Its last operations.
    last: Vec<usize>,
    /// How many it has.
    length: usize,
    /// What it leaves.
    state: String,
}

impl RefusalPart {
    fn new(refusal: &Refusal) -> Self {
        let operation = |line: &OperationLine| OperationPart {
            operation: line.id.index(),
            client: line.client,
            described: line.described.clone(),
            call: line.call,
            returned: line.returned,
        };
        let attempt = |attempt: &Attempt| AttemptPart {
            last: attempt.last.iter().map(|id| id.index()).collect(),
            length: attempt.length,
            state: attempt.state.clone(),
        };
        let disturbance = |disturbance: &Disturbance| DisturbancePart {
            name: disturbance.name.clone(),
            from: disturbance.from,
            until: disturbance.until,
        };
        Self {
            sentence: refusal.sentence.clone(),
            core: refusal.core.iter().map(operation).collect(),
            core_is_minimal: refusal.is_core_minimal,
            is_first: refusal.is_first,
            context: refusal.context.iter().map(operation).collect(),
            attempts: refusal.attempts.iter().map(attempt).collect(),
            disturbances: refusal.disturbances.iter().map(disturbance).collect(),
            event: refusal.event,
            events: refusal.events,
            legal_prefix: refusal.legal_prefix.iter().map(|id| id.index()).collect(),
        }
    }
}

impl CheckResult {
    fn new(args: &CheckArgs, report: &Report, clock: Clock) -> Self {
        let refusal = report.refusal();
        let (verdict, exit_code, reason) = match &report.verdict {
            Verdict::Linearizable(_) if report.is_about_nothing().is_some() => (
                "unknown",
                FailureKind::Inconclusive.exit_code(),
                report.is_about_nothing().map(str::to_owned),
            ),
            Verdict::Linearizable(_) => ("linearizable", exit::PASSED, None),
            Verdict::NotLinearizable(refusal) => (
                "not-linearizable",
                FailureKind::Safety.exit_code(),
                Some(refusal.text(WIDTH)),
            ),
            Verdict::Unknown(why) => ("unknown", FailureKind::Inconclusive.exit_code(), Some(why.to_string())),
        };
        Self {
            schema: "squall-check/1",
            tool: TOOL,
            history: args.history.clone(),
            model: report.model,
            model_guessed: false,
            consistency: args.consistency.to_string(),
            verdict,
            exit_code,
            operations: report.operations,
            unknown_outcomes: report.unknown_outcomes,
            succeeded: report.succeeded,
            left_out: (&report.import).into(),
            keys: report.keys,
            keys_in_values: report.import.has_keys_in_values,
            clock: match clock {
                Clock::Counter => "counter",
                Clock::Nanoseconds => "nanoseconds",
                Clock::Microseconds => "microseconds",
                Clock::Milliseconds => "milliseconds",
            },
            steps: report.steps,
            reason,
            key: refusal.map(|refusal| refusal.key.clone()),
            stuck: refusal.map(|refusal| refusal.stuck.to_string()),
            refusal: refusal.map(RefusalPart::new),
        }
    }
}
