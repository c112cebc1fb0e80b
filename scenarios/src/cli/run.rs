//! `squall run`: one seed of one scenario.

use super::ci::{self, Reports};
use super::error::CliError;
use super::files::{self, Draft, Held, Length};
use super::isolate::{self, IsolateArgs};
use super::output::{self, notice};
use super::recording::Recording;
use super::results::RunResult;
use super::subject::{self, Changes, Subject, quoted};
use super::{Done, Format, Global, seed};
use crate::capsule::{Capsule, Comparison, compare_recorded};
use crate::clock;
use crate::run::{RunOptions, RunReport};
use crate::scenario::Scenario;
use crate::setup::Draw;
use crate::swarm;
use crate::sweep::attempt_recorded;
use clap::Args;
use simulator::trace::format::{Trace, TraceHeader};
use simulator::{EventLine, TraceSink};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const EXAMPLES: &str = "\
Examples:
  squall run                                           the harshest scenario, a fresh seed
  squall run leader-isolation --seed 0x3f7             this very run, to the last event
  squall run storm --seed 7 --trace trace.jsonl.zst    with everything that happened
  squall run my.toml --set cluster.nodes=5             a scenario of your own, changed
  squall run storm --bug E7 --seed 1                   with a planted bug";

/// Arguments of `squall run`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// A built-in scenario (`squall list scenarios`) or a path to a .toml file
    #[arg(default_value = subject::DEFAULT)]
    scenario: String,
    /// The seed: decimal, 0x and hexadecimal digits, or a git hash (its first 16 digits); a fresh one if not given
    #[arg(long, value_parser = seed::parse)]
    seed: Option<u64>,
    #[command(flatten)]
    isolate: IsolateArgs,
    #[command(flatten)]
    outputs: Outputs,
    #[command(flatten)]
    changes: Changes,
}

/// Where the records of a run go.
#[derive(Args, Clone, Debug, Default)]
pub struct Outputs {
    /// Write everything that happened, as JSON Lines; compressed if the name ends in .zst
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Write what the clients saw, as JSON Lines; compressed if the name ends in .zst
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    #[command(flatten)]
    pub reports: Reports,
    /// Write the run as a capsule: everything that happened beside what follows from it, without the seed
    #[arg(long, value_name = "FILE")]
    pub capsule: Option<PathBuf>,
}

/// Carries out `squall run`.
pub fn run(args: &RunArgs, global: &Global) -> Done {
    let subject = Subject {
        isolated: args.isolate.limits(),
        ..Subject::load(&args.scenario, &args.changes)?
    };
    subject.warn(global);
    let seed = args.seed.unwrap_or_else(clock::fresh_seed);
    seeded(&subject, seed, &args.outputs, global)
}

/// Runs one seed and reports; the seed is printed before anything can go wrong.
pub fn seeded(subject: &Subject, seed: u64, outputs: &Outputs, global: &Global) -> Done {
    notice(
        global,
        &format_args!("seed {}  {}", seed::shown(seed), subject.scenario.name),
    );
    // An override may not fit what this seed draws.
    swarm::resolve(&subject.scenario, seed)?;
    let drafts = outputs.reports.drafts();
    let result = match isolate::harmful(subject, seed)? {
        // It would harm this process just the same.
        Some(failure) => {
            let report = RunReport::without_events(seed, Draw::new(&subject.scenario, seed), failure);
            let result = RunResult::new(subject, &report);
            told(global, &result, false);
            result
        }
        None => recorded(subject, seed, outputs, global).1,
    };
    let suite = result.suite("squall run", subject);
    ci::result(global, drafts, &result, &suite, || result.rest(global.verbose));
    Ok(result.exit_code())
}

/// Runs one seed, tells its verdict, and writes its records.
pub fn recorded(subject: &Subject, seed: u64, outputs: &Outputs, global: &Global) -> (RunReport, RunResult) {
    let trace = Draft::beside(outputs.trace.as_deref());
    let history = Draft::beside(outputs.history.as_deref());
    let capsule = Draft::beside(outputs.capsule.as_deref());
    let trace = trace.map(|draft| Recording::begin(draft, &trace_header(subject, seed)));
    let options = RunOptions {
        bug: subject.bug,
        ..RunOptions::default()
    };
    let report = attempt_recorded(&subject.scenario, seed, options, trace.as_ref().map(Recording::sink));
    let mut result = RunResult::new(subject, &report);
    let is_recorded = trace.is_some() || history.is_some() || capsule.is_some();
    told(global, &result, is_recorded);
    result.trace = kept(trace, |recording| recording.finish(&report.trace_footer()));
    result.history = kept(history, |draft| draft.write_history(&report.history));
    kept(capsule, |draft| draft.write_capsule(&capsule_of(subject, seed)?));
    (report, result)
}

/// Tells how a run ended before anything else is done with it: the head of the result for people, and a failure on standard error where
/// the result is a document that is yet to come.
fn told(global: &Global, result: &RunResult, is_more_to_come: bool) {
    if global.format == Format::Human {
        output::ahead(&result.head());
    } else if let Some(failure) = result.failure.as_ref().filter(|_| is_more_to_come) {
        let seed = seed::parse(&result.seed).ok();
        output::found(global, seed, &result.scenario, failure, &result.replay);
    }
}

/// Writes a record; what stands in the way is told, and is no trouble of the run.
fn kept<T>(record: Option<T>, write: impl FnOnce(T) -> Result<PathBuf, CliError>) -> Option<PathBuf> {
    let written = output::spared(|| record.map(write).transpose());
    written.unwrap_or_else(|error| {
        output::lost(&error);
        None
    })
}

/// The capsule of a seed.
pub fn capsule_of(subject: &Subject, seed: u64) -> Result<Capsule, CliError> {
    Capsule::of_seed(&subject.name, &subject.scenario, seed, subject.bug).map_err(|error| CliError::NoCapsule {
        seed: seed::shown(seed),
        error: Box::new(error),
    })
}

/// What is to be known of a capsule's digest.
const CAPSULE_DIGEST: &str =
    "the capsule's own: it aims each fault at the node that was struck, and not as the seed drew it";

/// Carries out a capsule and writes its records: as [`recorded`], and how it compares. `file` is where it lies.
pub fn recorded_capsule(capsule: &Capsule, file: &str, outputs: &Outputs, global: &Global) -> (Comparison, RunResult) {
    let trace = Draft::beside(outputs.trace.as_deref());
    let history = Draft::beside(outputs.history.as_deref());
    let copy = Draft::beside(outputs.capsule.as_deref());
    let trace = trace.map(|draft| Recording::begin(draft, &capsule_header(capsule, file)));
    let sink = trace.as_ref().map(Recording::sink);
    let (comparison, report) = compare_recorded(capsule, RunOptions::default(), sink);
    let mut result = RunResult::new(&Subject::of_capsule(capsule), &report);
    result.seed.clone_from(&capsule.origin.seed);
    result.replay = format!("squall replay {}", quoted(file));
    result.digest_note = Some(CAPSULE_DIGEST);
    told(global, &result, trace.is_some() || history.is_some() || copy.is_some());
    result.trace = kept(trace, |recording| recording.finish(&report.trace_footer()));
    result.history = kept(history, |draft| draft.write_history(&report.history));
    kept(copy, |draft| draft.write_capsule(capsule));
    (comparison, result)
}

/// The trace in a file, or the trace of the run of the capsule in it.
pub fn trace_of(path: &Path) -> Result<Trace, CliError> {
    if !files::is_capsule(path) {
        return files::trace(path);
    }
    trace_of_capsule(path, Length::HELD)
}

/// The trace of the run of the capsule in a file, if it is no longer than that.
pub fn trace_of_capsule(path: &Path, most: Length) -> Result<Trace, CliError> {
    let capsule = files::capsule(path)?;
    let held = Arc::new(Mutex::new(Held::of(most)));
    let report = capsule.run_recorded(RunOptions::default(), Some(Box::new(Holding(Arc::clone(&held)))));
    let held = std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Trace {
        header: capsule_header(&capsule, &path.display().to_string()),
        footer: report.trace_footer(),
        events: held.events(path)?,
    })
}

/// Holds the trace of a run in memory, as [`files::trace`] holds one that is read.
struct Holding(Arc<Mutex<Held>>);

impl TraceSink for Holding {
    fn record(&mut self, event: EventLine<'_>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.take(event.abbreviated());
    }
}

/// The header of the trace of a capsule's run, with the capsule in it; `file` is where it lies.
pub fn capsule_header(capsule: &Capsule, file: &str) -> TraceHeader {
    let run = super::replay::Recorded {
        name: capsule.origin.scenario.clone(),
        toml: capsule.scenario.to_toml(),
        set: Vec::new(),
        bug: capsule.bug.map(|bug| bug.id.to_owned()),
        capsule: Some(capsule.to_json()),
        file: Some(file.to_owned()),
    };
    let run = serde_json::to_value(run).expect("a record of texts is JSON");
    TraceHeader {
        run: Some(run),
        seed: capsule.origin.seed.clone(),
        ..header(&capsule.scenario, 0)
    }
}

/// The header of a run's trace, with all that it takes to run it again. It is known before the run begins.
pub fn trace_header(subject: &Subject, seed: u64) -> TraceHeader {
    // Of a scenario that cannot be drawn from there is a run too, if one without events.
    let resolved = swarm::resolve(&subject.scenario, seed).unwrap_or(Cow::Borrowed(&subject.scenario));
    let run = super::replay::Recorded {
        name: subject.name.clone(),
        toml: resolved.to_toml(),
        set: subject.set.clone(),
        bug: subject.bug.map(|bug| bug.id.to_owned()),
        capsule: None,
        file: None,
    };
    let run = serde_json::to_value(run).expect("a record of texts is JSON");
    TraceHeader {
        run: Some(run),
        ..TraceHeader {
            scenario: subject.scenario.name.clone(),
            ..header(&resolved, seed)
        }
    }
}

fn header(scenario: &Scenario, seed: u64) -> TraceHeader {
    let draw = Draw::new(scenario, seed);
    TraceHeader::new(crate::TOOL, &scenario.name, seed, draw.nodes, draw.clients)
}
