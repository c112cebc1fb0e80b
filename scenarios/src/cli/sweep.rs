//! `squall sweep`: many seeds of many scenarios.

mod document;
mod thin;

use super::ci::{self, Reports};
use super::error::CliError;
use super::isolate::{self, IsolateArgs};
use super::journal::{Header, Journal};
use super::output;
use super::progress::Display;
use super::shrink::Smallest;
use super::signals::interruption;
use super::subject::{Changes, Subject};
use super::{Done, Global, artefacts, seed};
use crate::scenario::Scenario;
use crate::shrink::Options;
use crate::sweep::journal::Record;
use crate::sweep::{Begun, Group, Seeds, Sweep, SweepReport, resume};
use clap::{Args, ValueEnum};
use document::{FailureGroup, SweepResult};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Seeds of each scenario when neither seeds nor a time are given.
const SEEDS_DEFAULT: u64 = 1000;
/// One seed in so many is run twice.
const VERIFY_DEFAULT: u64 = 20;
/// Signatures after which a sweep ends.
const MAX_FAIL_DEFAULT: usize = 1;
/// Where failures go when no folder is given; made only if there are any.
const OUT_DEFAULT: &str = "target/squall";
const EXAMPLES: &str = "\
Examples:
  squall sweep                                     every built-in scenario, seeds 0..1000 of each
  squall sweep storm calm --seeds 5000+1000 -j 4   two scenarios, seeds 5000 to 5999
  squall sweep --time 60s                          as many seeds as a minute allows
  squall sweep storm --bug E7 --out found          a planted bug; what is found goes to found/
  squall sweep --max-fail 0 --format json          never stop early; one JSON document
  squall sweep mine.toml --isolate --run-memory 1GiB   code that may abort, loop or eat all memory costs one run
  squall sweep --resume found                      go on where a sweep with --out found was killed or interrupted";

/// Arguments of `squall sweep`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SweepArgs {
    /// Built-in scenarios or paths to .toml files; all built-in ones if none are named
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// The seeds of each scenario: A..B (without B), A+N (N from A up) or S,S,…; 0..1000 if neither this nor --time is given
    #[arg(long, value_parser = seed::parse_set, env = "SQUALL_SEEDS")]
    seeds: Option<Seeds>,
    /// Start no run after this time (500ms, 60s, 10m, 2h); without --seeds, seeds from 0 up until then
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time)]
    time: Option<Duration>,
    /// Threads; as many as there are processors if not given
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "SQUALL_JOBS")]
    jobs: Option<u16>,
    /// The folder for results.json, failures/SIGNATURE/ and journal.jsonl, from which a sweep that was killed goes on; target/squall,
    /// without a journal and only if something fails, if not given
    #[arg(long, value_name = "DIR", env = "SQUALL_OUT")]
    out: Option<PathBuf>,
    /// Go on with the sweep of this --out folder: what was swept is in its journal; --time counts anew
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// How many seeds are run twice and compared: 1/N, all or off; 1/20 if not given
    #[arg(long, value_name = "SAMPLE", value_parser = seed::parse_sample)]
    verify_determinism: Option<u64>,
    /// Make the first failure of each signature smaller: capsule.json in its folder
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, env = "SQUALL_SHRINK")]
    shrink: Shrink,
    /// How long that may take for each signature (500ms, 60s)
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time, default_value = "20s")]
    shrink_time: Duration,
    /// Stop after so many distinct failure signatures; 0 for never; 1 if not given
    #[arg(long, value_name = "N")]
    max_fail: Option<usize>,
    #[command(flatten)]
    isolate: IsolateArgs,
    #[command(flatten)]
    reports: Reports,
    #[command(flatten)]
    changes: Changes,
}

/// Which failures are made smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Shrink {
    /// The first of each signature
    #[default]
    First,
    /// None
    Off,
}

/// Carries out `squall sweep`.
pub fn sweep(args: &SweepArgs, global: &Global) -> Done {
    let (swept, mut journal) = match &args.resume {
        Some(folder) => resumed(args, folder, global)?,
        None => begun(args, global)?,
    };
    let Swept {
        subjects,
        header,
        begun,
    } = swept;
    subjects.iter().for_each(|subject| subject.warn(global));
    let scenarios: Vec<Scenario> = subjects.iter().map(|subject| subject.scenario.clone()).collect();
    let interrupted = interruption();
    let drafts = args.reports.drafts();
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let isolation = header
        .isolated
        .map(|limits| isolate::isolation(&header, limits))
        .transpose()?;
    let plan = Sweep {
        scenarios: &scenarios,
        seeds: header.seeds.clone(),
        bug: subjects.iter().find_map(|subject| subject.bug),
        jobs,
        time: args.time,
        max_fail: header.max_fail,
        verify_every: header.verify_every,
        isolation: isolation.as_ref(),
    };
    let mut display = Display::new(global, &subjects, journal.as_mut());
    let report = resume(&plan, begun, &interrupted, &mut display);
    display.finish();
    if let Some(journal) = journal.as_mut().filter(|_| !report.interrupted) {
        journal.add(&Record::End);
    }
    let folder = args.resume.as_deref().or(args.out.as_deref());
    if report.interrupted && folder.is_none() {
        let text = "what has been swept is in no file, so it cannot be resumed: --out DIR keeps a journal";
        output::notice(global, &text);
    }
    let out = folder.unwrap_or(Path::new(OUT_DEFAULT));
    let shrinking = (args.shrink == Shrink::First).then_some(Options {
        jobs,
        time: Some(args.shrink_time),
        attempts: u64::MAX,
    });
    let failures = failures(&subjects, &report, |subject, group, of| {
        isolate::kept(global, subject, (group, of), out, (shrinking.as_ref(), &interrupted))
    });
    let result = SweepResult::new(&subjects, &report, failures, jobs);
    let suite = result.suite(&subjects);
    ci::result(global, drafts, &result, &suite, || result.text(global.verbose));
    if folder.is_some() || !result.failures.is_empty() {
        match output::spared(|| artefacts::write_results(out, &result)) {
            Ok(path) => output::notice(global, &format_args!("results: {}", path.display())),
            Err(error) => output::lost(&error),
        }
    }
    Ok(result.exit_code)
}

/// What is swept, and from where on.
struct Swept {
    subjects: Vec<Subject>,
    header: Header,
    begun: Begun,
}

/// A sweep from its first run on.
fn begun(args: &SweepArgs, global: &Global) -> Result<(Swept, Option<Journal>), CliError> {
    let (subjects, header) = wanted(args, None)?;
    let journal = args
        .out
        .as_deref()
        .map(|folder| Journal::begin(folder, &header, global));
    let begun = Begun::new(subjects.len());
    Ok((
        Swept {
            subjects,
            header,
            begun,
        },
        journal,
    ))
}

/// A sweep that was left, from where its journal ends.
fn resumed(args: &SweepArgs, folder: &Path, global: &Global) -> Result<(Swept, Option<Journal>), CliError> {
    let (journal, header, begun) = Journal::resume(folder)?;
    let (_, wanted) = wanted(args, Some(&header))?;
    journal.refuse_another(&header, &wanted)?;
    let subjects = header.subjects()?;
    output::notice(
        global,
        &format_args!(
            "resumed after {} runs, {} failed",
            output::grouped(begun.runs()),
            output::grouped(begun.failed())
        ),
    );
    // The kill may have come between a failure's record and the telling of it.
    for group in begun.groups() {
        let subject = &subjects[group.scenario];
        let replay = group
            .seed
            .map_or_else(String::new, |of| subject.replay_of(of, &group.failure));
        output::found(global, group.seed, &subject.scenario.name, &group.failure, &replay);
    }
    Ok((
        Swept {
            subjects,
            header,
            begun,
        },
        Some(journal),
    ))
}

/// What the command line says is swept; what it leaves out is as in the journal, if there is one.
fn wanted(args: &SweepArgs, journal: Option<&Header>) -> Result<(Vec<Subject>, Header), CliError> {
    let says_what = !args.scenarios.is_empty() || !args.changes.set.is_empty() || args.changes.bug.is_some();
    let subjects = match journal.filter(|_| !says_what) {
        Some(header) => header.subjects()?,
        None => Subject::load_all(&args.scenarios, &args.changes)?,
    };
    let seeds = args
        .seeds
        .clone()
        .or_else(|| journal.map(|header| header.seeds.clone()));
    let seeds = seeds.unwrap_or(Seeds::Range {
        first: 0,
        count: if args.time.is_some() { u64::MAX } else { SEEDS_DEFAULT },
    });
    if seeds.count() == 0 {
        return Err(CliError::Nothing(
            "the range of seeds is empty: there is nothing to run".to_owned(),
        ));
    }
    let verify_every = args.verify_determinism.or(journal.map(|header| header.verify_every));
    let max_fail = args.max_fail.or(journal.map(|header| header.max_fail));
    let numbers = (
        verify_every.unwrap_or(VERIFY_DEFAULT),
        max_fail.unwrap_or(MAX_FAIL_DEFAULT),
    );
    let isolated = args.isolate.limits().or(journal.and_then(|header| header.isolated));
    let header = Header::new(&subjects, &seeds, numbers, isolated);
    // What the header says is what everything goes by; only warnings have the places of the file itself.
    let mut swept = header.subjects()?;
    for (subject, read) in swept.iter_mut().zip(subjects) {
        subject.warnings = read.warnings;
    }
    Ok((swept, header))
}

pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn failures(
    subjects: &[Subject],
    report: &SweepReport,
    keep: impl Fn(&Subject, &Group, u64) -> (Option<PathBuf>, Option<Smallest>),
) -> Vec<FailureGroup> {
    let write = |group: &Group| {
        let subject = &subjects[group.scenario];
        let (artefacts, shrunk) = group.seed.map_or((None, None), |of| keep(subject, group, of));
        FailureGroup {
            signature: group.failure.signature.clone(),
            count: group.count,
            scenario: subject.scenario.name.clone(),
            seed: group.seed.map(seed::shown),
            replay: group.seed.map(|of| subject.replay_of(of, &group.failure)),
            failure: group.failure.clone(),
            artefacts,
            shrunk,
        }
    };
    report.groups.iter().map(write).collect()
}
