//! `squall replay`: a recorded run again, and whether it is the same.

use super::ci;
use super::error::CliError;
use super::output::notice;
use super::results::Comparison;
use super::run::{self, Outputs};
use super::subject::{self, Changes, Subject};
use super::{Done, Global, files, seed};
use clap::Args;
use scenarios::run::RunOptions;
use scenarios::scenario;
use scenarios::sweep::{attempt, first_difference};
use scenarios::systems::kv::PlantedBug;
use scenarios::verdict::FailureKind;
use serde::{Deserialize, Serialize};
use simulator::trace::format::{Trace, TraceHeader};
use std::path::Path;

const EXAMPLES: &str = "\
A trace is run again as its header says: `same` if the digests are equal, and the exit code of its verdict; `different`
with the first event that differs, and exit code 103. A seed is run as `squall run` does.

Examples:
  squall replay target/squall/failures/linearizable--kv/trace.jsonl.zst
  squall replay 0x3f7 leader-isolation";

/// Arguments of `squall replay`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// A trace (a name that ends in .zst is compressed), or a seed
    #[arg(value_name = "FILE|SEED")]
    what: String,
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
}

/// Carries out `squall replay`.
pub fn replay(args: &ReplayArgs, global: &Global) -> Done {
    if let Ok(seed) = seed::parse(&args.what) {
        let name = args.scenario.as_deref().unwrap_or(subject::DEFAULT);
        return run::seeded(&Subject::load(name, &args.changes)?, seed, &args.outputs, global);
    }
    let path = Path::new(&args.what);
    if !path.exists() {
        let seed = seed::parse(&args.what).expect_err("it was no seed");
        return Err(CliError::Usage(format!(
            "`{}` is neither a file nor a seed: {seed}",
            args.what
        )));
    }
    if args.scenario.is_some() || !args.changes.set.is_empty() || args.changes.bug.is_some() {
        let what =
            "a trace says itself what was run: leave the scenario, --set and --bug out, or give its seed instead";
        return Err(CliError::Usage(what.to_owned()));
    }
    let trace = files::trace(path)?;
    let (subject, seed) = recorded(path, &trace.header)?;
    notice(
        global,
        &format_args!("seed {}  {}", seed::shown(seed), subject.scenario.name),
    );
    let drafts = args.outputs.reports.drafts()?;
    let (report, mut result) = run::recorded(&subject, seed, &args.outputs)?;
    let same = result.digest == trace.footer.digest;
    result.comparison = Some(Comparison {
        same,
        recorded_digest: trace.footer.digest.clone(),
        recorded_verdict: trace.footer.verdict.clone(),
        recorded_by: trace.header.tool.clone(),
        first_difference: if same {
            None
        } else {
            difference(&trace, &subject, report.seed)
        },
    });
    let suite = result.suite("squall replay", &subject);
    ci::result(global, drafts, &result, &suite, || result.text(global.verbose))?;
    Ok(if same {
        result.exit_code()
    } else {
        FailureKind::NonDeterminism.exit_code()
    })
}

fn difference(trace: &Trace, subject: &Subject, seed: u64) -> Option<String> {
    let again = attempt(
        &subject.scenario,
        seed,
        RunOptions {
            bug: subject.bug,
            trace: true,
        },
    );
    first_difference(&trace.events, &again.trace)
}

/// The run that a header describes.
fn recorded(path: &Path, header: &TraceHeader) -> Result<(Subject, u64), CliError> {
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
    let scenario = scenario::parse(&source, &run.toml, &[], &scenarios::known())?;
    let bug = run.bug.as_deref().map(PlantedBug::find).transpose()?;
    Ok((
        Subject {
            name: run.name,
            scenario,
            set: run.set,
            bug,
        },
        seed,
    ))
}
