//! `squall sweep`: many seeds of many scenarios.

mod document;
mod thin;

use super::ci::{self, Reports};
use super::error::CliError;
use super::output;
use super::progress::Display;
use super::shrink::Smallest;
use super::subject::{Changes, Subject};
use super::{Done, Global, artefacts, exit, seed};
use clap::{Args, ValueEnum};
use document::{FailureGroup, SweepResult};
use scenarios::scenario::Scenario;
use scenarios::shrink::Options;
use scenarios::sweep::{Group, Seeds, Sweep, SweepReport, sweep as run_all};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Seeds of each scenario when neither seeds nor a time are given.
const SEEDS_DEFAULT: u64 = 1000;
/// Where failures go when no folder is given; made only if there are any.
const OUT_DEFAULT: &str = "target/squall";
const EXAMPLES: &str = "\
Examples:
  squall sweep                                     every built-in scenario, seeds 0..1000 of each
  squall sweep storm calm --seeds 5000+1000 -j 4   two scenarios, seeds 5000 to 5999
  squall sweep --time 60s                          as many seeds as a minute allows
  squall sweep storm --bug E7 --out found          a planted bug; what is found goes to found/
  squall sweep --max-fail 0 --format json          never stop early; one JSON document";

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
    /// The folder for results.json and for failures/SIGNATURE/; target/squall, and only if something fails, if not given
    #[arg(long, value_name = "DIR", env = "SQUALL_OUT")]
    out: Option<PathBuf>,
    /// How many seeds are run twice and compared: 1/N, all or off
    #[arg(long, value_name = "SAMPLE", default_value = "1/20", value_parser = seed::parse_sample)]
    verify_determinism: u64,
    /// Make the first failure of each signature smaller: capsule.json in its folder
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, env = "SQUALL_SHRINK")]
    shrink: Shrink,
    /// How long that may take for each signature (500ms, 60s)
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time, default_value = "20s")]
    shrink_time: Duration,
    /// Stop after so many distinct failure signatures; 0 for never
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_fail: usize,
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
    let subjects = Subject::load_all(&args.scenarios, &args.changes)?;
    subjects.iter().for_each(|subject| subject.warn(global));
    let scenarios: Vec<Scenario> = subjects.iter().map(|subject| subject.scenario.clone()).collect();
    let seeds = args.seeds.clone().unwrap_or(match args.time {
        None => Seeds::Range {
            first: 0,
            count: SEEDS_DEFAULT,
        },
        Some(_) => Seeds::Range {
            first: 0,
            count: u64::MAX,
        },
    });
    if seeds.count() == 0 {
        return Err(CliError::Nothing(
            "the range of seeds is empty: there is nothing to run".to_owned(),
        ));
    }
    let interrupted = interruption()?;
    let results_draft = args.out.as_deref().map(artefacts::results_draft).transpose()?;
    let drafts = args.reports.drafts()?;
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let plan = Sweep {
        scenarios: &scenarios,
        seeds,
        bug: args.changes.bug()?,
        jobs,
        time: args.time,
        max_fail: args.max_fail,
        verify_every: args.verify_determinism,
    };
    let mut display = Display::new(global, &subjects);
    let report = run_all(&plan, &interrupted, &mut display);
    display.finish();
    let out = args.out.as_deref().unwrap_or(Path::new(OUT_DEFAULT));
    let shrinking = (args.shrink == Shrink::First).then_some(Options {
        jobs,
        time: Some(args.shrink_time),
        attempts: u64::MAX,
    });
    let failures = failures(&subjects, &report, out, &mut |subject, of, folder| {
        shrinking.and_then(|options| super::shrink::in_sweep(global, subject, of, folder, (&options, &interrupted)))
    })?;
    let result = SweepResult::new(&subjects, &report, failures, jobs);
    let draft = match results_draft {
        None if !result.failures.is_empty() => Some(artefacts::results_draft(out)?),
        given => given,
    };
    if let Some(draft) = draft {
        let path = artefacts::write_results(draft, &result)?;
        output::notice(global, &format_args!("results: {}", path.display()));
    }
    let suite = result.suite(&subjects);
    ci::result(global, drafts, &result, &suite, || result.text(global.verbose))?;
    Ok(result.exit_code)
}

pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// A flag that the first Ctrl-C sets; the second ends the process at once.
pub fn interruption() -> Result<Arc<AtomicBool>, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
    })?;
    Ok(flag)
}

fn failures(
    subjects: &[Subject],
    report: &SweepReport,
    out: &Path,
    shrink: &mut dyn FnMut(&Subject, u64, &Path) -> Option<Smallest>,
) -> Result<Vec<FailureGroup>, CliError> {
    let write = |group: &Group| {
        let subject = &subjects[group.scenario];
        let artefacts = group
            .seed
            .map(|seed| artefacts::write_failure(out, subject, group, seed))
            .transpose()?;
        let shrunk = match (group.seed, &artefacts) {
            (Some(seed), Some(folder)) => shrink(subject, seed, folder),
            _ => None,
        };
        Ok(FailureGroup {
            signature: group.failure.signature.clone(),
            count: group.count,
            scenario: subject.scenario.name.clone(),
            seed: group.seed.map(seed::shown),
            replay: group.seed.map(|seed| subject.replay_line(seed)),
            failure: group.failure.clone(),
            artefacts,
            shrunk,
        })
    };
    report.groups.iter().map(write).collect()
}
