//! `squall explore`: a search by states, by few strikes, or by seeds alone.

use super::error::CliError;
use super::output::{self, BAD, GOOD, grouped, span};
use super::signals::{self, interruption};
use super::subject::{Changes, Subject, quoted};
use super::sweep::processors;
use super::{Done, Global, ProgressStyle, artefacts, exit, seed};
use crate::TOOL;
use crate::capsule::Capsule;
use crate::explore::{Candidate, Exploration, ExplorationReport, Found, Progress, Strategy, explore as search};
use crate::scenario::Scenario;
use crate::verdict::Failure;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is explored when nothing is named.
const DEFAULT: &str = "gusts";
/// How long, when neither runs nor a time are given.
const TIME_DEFAULT: Duration = Duration::from_secs(60);
/// Where capsules go when no folder is given; made only if there are any.
const OUT_DEFAULT: &str = "target/squall";

const EXAMPLES: &str = "\
Examples:
  squall explore                                   a minute, guided by the states that are reached
  squall explore storm --runs 2000 --seed 7        the same each time, on any number of threads
  squall explore --bug R1 --strategy pct           few strikes at random times
  squall explore --time 10m --max-fail 0           all that ten minutes find";

/// Arguments of `squall explore`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExploreArgs {
    /// Built-in scenarios or paths to .toml files; `gusts`, in which each seed draws its own, if none are named
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// How runs are chosen: random, pct or coverage
    #[arg(long, value_name = "STRATEGY", default_value = "coverage", value_parser = parse_strategy)]
    strategy: Strategy,
    /// The first seed, of runs and of the choices
    #[arg(long, value_name = "SEED", default_value = "0", value_parser = seed::parse)]
    seed: u64,
    /// Make so many runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Start nothing after this time; 60s if neither this nor --runs is given
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time)]
    time: Option<Duration>,
    /// Threads; as many as there are processors if not given
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "SQUALL_JOBS")]
    jobs: Option<u16>,
    /// Stop after so many distinct failure signatures; 0 for never
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_fail: usize,
    /// The folder for the capsules of failures; target/squall, and only if something fails, if not given
    #[arg(long, value_name = "DIR", env = "SQUALL_OUT")]
    out: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

/// Reads the name of a strategy.
pub fn parse_strategy(text: &str) -> Result<Strategy, String> {
    let named = Strategy::ALL.into_iter().find(|strategy| strategy.name() == text);
    named.ok_or_else(|| "write random, pct or coverage".to_owned())
}

/// Carries out `squall explore`.
pub fn explore(args: &ExploreArgs, global: &Global) -> Done {
    let names = match &args.scenarios[..] {
        [] => &[DEFAULT.to_owned()][..],
        named => named,
    };
    let subjects = Subject::load_all(names, &args.changes)?;
    let scenarios: Vec<Scenario> = subjects.iter().map(|subject| subject.scenario.clone()).collect();
    let exploration = Exploration {
        scenarios: &scenarios,
        strategy: args.strategy,
        seed: args.seed,
        bug: args.changes.bug()?,
        jobs: args.jobs.map_or_else(processors, usize::from),
        runs: args.runs,
        time: args.time.or(args.runs.is_none().then_some(TIME_DEFAULT)),
        max_fail: args.max_fail,
    };
    let interrupted = interruption();
    let bar = bar(global, &exploration);
    let out = args.out.as_deref().unwrap_or(Path::new(OUT_DEFAULT));
    let mut failures = Vec::new();
    let report = search(&exploration, &interrupted, |progress, found| {
        // Each is written down as soon as it is there: what its replay line names must not get lost.
        for found in &found[failures.len()..] {
            let failed = Failed::new(found, &subjects, out);
            let tell = || {
                output::found(
                    global,
                    Some(found.candidate.seed),
                    &failed.scenario,
                    &failed.failure,
                    &failed.replay,
                );
            };
            match &bar {
                Some(bar) => bar.suspend(tell),
                None => tell(),
            }
            failures.push(failed);
        }
        shown(bar.as_ref(), &exploration, progress);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    for (failed, found) in failures.iter_mut().zip(&report.found) {
        failed.count = found.count;
    }
    let result = ExploreResult::new(&exploration, &report, failures);
    output::verdict(global, &result, &result.verdict_line(), || result.text());
    Ok(result.exit_code)
}

fn bar(global: &Global, exploration: &Exploration<'_>) -> Option<ProgressBar> {
    let draws = !global.quiet && global.progress == ProgressStyle::Auto && std::io::stderr().is_terminal();
    draws.then(|| {
        let target = ProgressDrawTarget::stderr_with_hz(5);
        let bar = ProgressBar::with_draw_target(None, target);
        let style = BarStyle::with_template("{wide_bar} {msg}  ETA {eta}");
        bar.set_style(style.expect("the template is a constant"));
        bar.set_length(match (exploration.runs, exploration.time) {
            (Some(runs), _) => runs,
            (None, Some(time)) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            (None, None) => 1,
        });
        bar
    })
}

fn shown(bar: Option<&ProgressBar>, exploration: &Exploration<'_>, progress: Progress) {
    let Some(bar) = bar else { return };
    let elapsed = u64::try_from(progress.elapsed.as_millis()).unwrap_or(u64::MAX);
    bar.set_position(if exploration.runs.is_some() {
        progress.runs
    } else {
        elapsed
    });
    bar.set_message(format!(
        "{} runs  {} states  {} found",
        grouped(progress.runs),
        grouped(progress.states as u64),
        progress.found
    ));
}

/// The document of `squall explore`.
#[derive(Debug, Serialize)]
struct ExploreResult {
    /// `squall-explore/1`.
    schema: &'static str,
    tool: &'static str,
    exit_code: u8,
    interrupted: bool,
    strategy: Strategy,
    seed: String,
    runs: u64,
    /// Runs whose faults the search made.
    steered: u64,
    /// Runs that reached new states; with coverage only.
    with_news: u64,
    /// Abstract states; with coverage only.
    states: usize,
    events: u64,
    failed: u64,
    wall_ns: u128,
    cpu_ns: Option<u128>,
    failures: Vec<Failed>,
}

/// All failures of one signature.
#[derive(Debug, Serialize)]
struct Failed {
    failure: Failure,
    count: u64,
    scenario: String,
    seed: String,
    /// The file that holds the run, where the search made its faults.
    capsule: Option<PathBuf>,
    replay: String,
}

impl Failed {
    fn new(found: &Found, subjects: &[Subject], out: &Path) -> Self {
        let Candidate { scenario, seed: of, .. } = found.candidate;
        let subject = &subjects[scenario];
        let write = || -> Result<PathBuf, CliError> {
            let capsule = Capsule::of_candidate(&subject.name, &subject.scenario, &found.candidate, subject.bug);
            let capsule = capsule.map_err(|error| CliError::NoCapsule {
                seed: seed::shown(of),
                error: Box::new(error),
            })?;
            artefacts::write_capsule(out, &found.failure.signature, &capsule)
        };
        let (capsule, replay) = match found.candidate.plan {
            None => (None, subject.replay_line(of)),
            Some(_) => match output::spared(write) {
                Ok(path) => {
                    let replay = format!("squall replay {} --expect fail", quoted(&path.to_string_lossy()));
                    (Some(path), replay)
                }
                Err(error) => {
                    output::lost(&error);
                    (
                        None,
                        "none: its capsule could not be written; the same exploration finds it again".to_owned(),
                    )
                }
            },
        };
        Self {
            failure: found.failure.clone(),
            count: found.count,
            scenario: subject.scenario.name.clone(),
            seed: seed::shown(of),
            capsule,
            replay,
        }
    }
}

impl ExploreResult {
    fn new(exploration: &Exploration<'_>, report: &ExplorationReport, failures: Vec<Failed>) -> Self {
        let gravest = failures.iter().map(|failed| failed.failure.kind).max();
        Self {
            schema: "squall-explore/1",
            tool: TOOL,
            exit_code: match gravest {
                _ if report.interrupted => signals::exit_code(),
                Some(kind) => kind.exit_code(),
                None => exit::PASSED,
            },
            interrupted: report.interrupted,
            strategy: exploration.strategy,
            seed: seed::shown(exploration.seed),
            runs: report.runs,
            steered: report.steered,
            with_news: report.with_news,
            states: report.states,
            events: report.events,
            failed: report.failed,
            wall_ns: report.wall.as_nanos(),
            cpu_ns: report.cpu.map(|cpu| cpu.as_nanos()),
            failures,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for failed in &self.failures {
            let _ = writeln!(text, "{BAD}FAIL{BAD:#} {}  {}", failed.scenario, failed.failure);
            let _ = writeln!(text, "     {}: {}", failed.failure.kind.name(), failed.failure.message);
            let _ = writeln!(text, "     runs:   {} with this signature", grouped(failed.count));
            let _ = writeln!(text, "     replay: {}\n", failed.replay);
        }
        let _ = write!(text, "{}", self.strategy.name());
        if self.strategy == Strategy::Coverage {
            let _ = write!(
                text,
                ": {} abstract states, {} runs reached new ones",
                grouped(self.states as u64),
                grouped(self.with_news)
            );
        }
        let cpu = self
            .cpu_ns
            .map_or_else(String::new, |cpu| format!(", {} CPU", span(cpu)));
        let _ = writeln!(
            text,
            "; {} of {} runs with faults that the search made\n{} wall{cpu}, {} events",
            grouped(self.steered),
            grouped(self.runs),
            span(self.wall_ns),
            grouped(self.events)
        );
        let _ = writeln!(text, "{}", self.verdict_line());
        text
    }

    fn verdict_line(&self) -> String {
        let (failed, runs) = (grouped(self.failed), grouped(self.runs));
        match self.exit_code {
            _ if self.interrupted => format!("{BAD}INTERRUPTED{BAD:#} after {runs} runs, {failed} failed"),
            exit::PASSED => format!("{GOOD}PASS{GOOD:#} {failed} of {runs} runs failed"),
            _ => format!("{BAD}FAIL{BAD:#} {failed} of {runs} runs failed"),
        }
    }
}
