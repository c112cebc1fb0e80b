//! `squall replay`: a recorded run again, and whether it is the same.

use super::ci::{self, Suite};
use super::error::CliError;
use super::expected::{self, Expect};
use super::files::TraceReader;
use super::output::{BAD, GOOD, notice};
use super::results::{self, RunResult};
use super::run::{self, Outputs};
use super::subject::{self, Changes, Subject};
use super::{Done, Global, exit, files, seed};
use crate::capsule::{Capsule, Comparison, Size};
use crate::run::RunOptions;
use crate::scenario;
use crate::sweep::{attempt_recorded, parting};
use crate::system;
use crate::verdict::FailureKind;
use clap::Args;
use serde::{Deserialize, Serialize};
use simulator::trace::format::TraceHeader;
use std::fmt::Write;
use std::path::Path;

const EXAMPLES: &str = "\
A capsule is run again and compared with what it says: `reproduced` if it fails as it did, `gone` if it passes now, and `stale`
if its digest is another, with the event from which on. The exit code is 0 if it ends as expected; else 97 (it should have
failed so), the code of the failure (it should have passed) or 103 (it should have been the same).

A trace is run again as its header says: `same` if the digests are equal, and the exit code of its verdict; `different`
with the first event that differs, and exit code 103. A seed is run as `squall run` does.

Examples:
  squall replay target/squall/failures/linearizable--kv/capsule.json
  squall replay bug.capsule.json --expect pass         is it mended?
  squall replay target/squall/failures/linearizable--kv/trace.jsonl.zst
  squall replay 0x3f7 leader-isolation";

/// Arguments of `squall replay`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// A capsule (.capsule.json), a trace (compressed or not), or a seed
    #[arg(value_name = "CAPSULE|TRACE|SEED")]
    what: String,
    /// How a capsule's run must end; as the capsule says if not given
    #[arg(long, value_enum, value_name = "HOW")]
    expect: Option<Expect>,
    /// For a seed, the scenario: a built-in name or a path to a .toml file; storm if not given
    scenario: Option<String>,
    #[command(flatten)]
    outputs: Outputs,
    #[command(flatten)]
    changes: Changes,
}

/// What a trace's header says about its run, beside the seed: the key `run`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// The scenario as it was named: a built-in name or a path.
    pub name: String,
    /// The scenario as it was run, overrides applied.
    pub toml: String,
    /// The overrides.
    pub set: Vec<(String, String)>,
    /// The planted bug's id.
    pub bug: Option<String>,
    /// The capsule, if the run is one's: its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capsule: Option<String>,
    /// Where the capsule lay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Carries out `squall replay`.
pub fn replay(args: &ReplayArgs, global: &Global) -> Done {
    let path = Path::new(&args.what);
    let is_capsule = path.exists() && files::is_capsule(path);
    if args.expect.is_some() && !is_capsule {
        return Err(CliError::Usage(
            "--expect is for capsules: a trace or a seed has nothing to be expected of".to_owned(),
        ));
    }
    if is_capsule {
        alone(args, "a capsule")?;
        return capsule(&files::capsule(path)?, &args.what, args, global);
    }
    if let Ok(seed) = seed::parse(&args.what) {
        let name = args.scenario.as_deref().unwrap_or(subject::DEFAULT);
        return run::seeded(&Subject::load(name, &args.changes)?, seed, &args.outputs, global);
    }
    if !path.exists() {
        let seed = seed::parse(&args.what).expect_err("it was no seed");
        return Err(CliError::Usage(format!(
            "`{}` is neither a file nor a seed: {seed}",
            args.what
        )));
    }
    alone(args, "a trace")?;
    let (header, footer) = TraceReader::open(path)?.ends()?;
    if let Some(of) = capsule_of(path, &header)? {
        return capsule(&of, &args.what, args, global);
    }
    let (subject, seed) = recorded(path, &header)?;
    notice(
        global,
        &format_args!("seed {}  {}", seed::shown(seed), subject.scenario.name),
    );
    let drafts = args.outputs.reports.drafts();
    let (report, mut result) = run::recorded(&subject, seed, &args.outputs, global);
    let same = result.digest == footer.digest;
    result.comparison = Some(results::Comparison {
        same,
        recorded_digest: footer.digest,
        recorded_verdict: footer.verdict,
        recorded_by: header.tool,
        first_difference: if same {
            None
        } else {
            difference(path, &subject, report.seed)?
        },
    });
    let suite = result.suite("squall replay", &subject);
    ci::result(global, drafts, &result, &suite, || result.rest(global.verbose));
    Ok(if same {
        result.exit_code()
    } else {
        FailureKind::NonDeterminism.exit_code()
    })
}

/// What says itself what was run takes no other word for it.
fn alone(args: &ReplayArgs, what: &str) -> Result<(), CliError> {
    if args.scenario.is_some() || !args.changes.set.is_empty() || args.changes.bug.is_some() {
        return Err(CliError::Usage(format!(
            "{what} says itself what was run: leave the scenario, --set and --bug out, or give its seed instead"
        )));
    }
    Ok(())
}

/// Carries out a capsule, and says what has become of it.
fn capsule(capsule: &Capsule, file: &str, args: &ReplayArgs, global: &Global) -> Done {
    let drafts = args.outputs.reports.drafts();
    let (comparison, result) = run::recorded_capsule(capsule, file, &args.outputs, global);
    let expected = args.expect.unwrap_or_else(|| capsule.outcome.verdict.into());
    let missed = expected.missed(&comparison, result.ended());
    let replayed = Replayed {
        schema: "squall-replay/1",
        capsule: file,
        size: capsule.size(),
        expected: expected.name(),
        met: missed.is_none(),
        comparison: &comparison,
        run: &result,
    };
    let word = if replayed.met { "PASS" } else { "FAIL" };
    let was = comparison.recorded_signature.as_deref().unwrap_or("pass");
    let suite = Suite {
        name: "squall replay",
        verdict: format!("{word} {file}  {}: the capsule says {was}", comparison.outcome),
        of: "capsule",
        cases: vec![expected::case(
            capsule,
            file,
            &comparison,
            missed.as_ref().map(|(failure, _)| failure),
        )],
    };
    ci::result(global, drafts, &replayed, &suite, || replayed.rest(global.verbose));
    Ok(missed.map_or(exit::PASSED, |(_, code)| code))
}

/// The document of `squall replay` of a capsule.
#[derive(Debug, Serialize)]
struct Replayed<'a> {
    /// `squall-replay/1`.
    schema: &'static str,
    /// The file.
    capsule: &'a str,
    /// How large the capsule is.
    size: Size,
    /// How it had to end: `fail`, `pass` or `same`.
    expected: &'static str,
    /// Whether it did.
    met: bool,
    /// What has become of it.
    comparison: &'a Comparison,
    /// The run.
    run: &'a RunResult,
}

impl Replayed<'_> {
    /// What comes after the head of the run.
    fn rest(&self, all: bool) -> String {
        let mut text = self.run.rest(all);
        let Comparison { outcome, stale, .. } = self.comparison;
        let style = if self.met { GOOD } else { BAD };
        let was = self.comparison.recorded_signature.as_deref().unwrap_or("pass");
        let _ = write!(text, "\n{style}{outcome}{style:#}: the capsule says {was}");
        let _ = match stale {
            false => writeln!(text, ", and every event is the same"),
            true => writeln!(text, "; {BAD}stale{BAD:#}: the digest is another than it was"),
        };
        if let Some((same, differs)) = self.comparison.parts {
            let _ = writeln!(
                text,
                "the first {same} events are the same; by event {differs} the runs differ"
            );
        }
        if let Some(event) = &self.comparison.first_difference {
            let _ = writeln!(text, "after them, now:\n  {event}");
        }
        if !self.met {
            let _ = writeln!(text, "{BAD}expected{BAD:#}: {}", self.expected);
        }
        text
    }
}

/// The capsule in the header of a trace, if it is the trace of one.
///
/// # Errors
/// When what the header says is no capsule.
pub fn capsule_of(path: &Path, header: &TraceHeader) -> Result<Option<Capsule>, CliError> {
    let text = header
        .run
        .as_ref()
        .and_then(|run| run.get("capsule"))
        .and_then(|text| text.as_str());
    let parse = |text| Capsule::parse("the header", text);
    text.map(parse).transpose().map_err(|error| CliError::Capsule {
        path: path.to_owned(),
        error: Box::new(error),
    })
}

/// Runs again what a trace tells, and says where it parts from it.
fn difference(trace: &Path, subject: &Subject, seed: u64) -> Result<Option<String>, CliError> {
    let mut recorded = TraceReader::open(trace)?;
    let next = move || recorded.next_line().ok().flatten().map(str::to_owned);
    let options = RunOptions {
        bug: subject.bug,
        ..RunOptions::default()
    };
    Ok(parting::of_run(next, |sink| {
        attempt_recorded(&subject.scenario, seed, options, Some(sink));
    }))
}

/// The run that a header describes, and its seed.
///
/// # Errors
/// When the header does not say enough.
pub fn recorded(path: &Path, header: &TraceHeader) -> Result<(Subject, u64), CliError> {
    let bad = |what: &str| CliError::BadFile {
        path: path.to_owned(),
        what: format!("line 1: {what}"),
    };
    let remedy = "record the trace again, with `squall run … --trace`";
    let seed = header
        .seed()
        .ok_or_else(|| bad(&format!("`seed` is no seed; {remedy}")))?;
    let run = header
        .run
        .clone()
        .ok_or_else(|| bad(&format!("`run` is missing, so the scenario is unknown; {remedy}")))?;
    let run: Recorded = serde_json::from_value(run).map_err(|error| bad(&format!("`run`: {error}; {remedy}")))?;
    let source = format!(
        "scenario in the header of {}",
        path.file_name().unwrap_or_default().display()
    );
    let scenario = scenario::parse(&source, &run.toml, &[], &super::system().known)?;
    let bug = run
        .bug
        .as_deref()
        .map(|bug| system::of(&scenario).bug(bug))
        .transpose()?;
    Ok((
        Subject {
            name: run.name,
            scenario,
            set: run.set,
            bug,
            isolated: None,
            warnings: Vec::new(),
        },
        seed,
    ))
}
