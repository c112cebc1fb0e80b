//! `squall sweep`: many seeds of many scenarios.

use super::ci::{self, Case, Failed, Reports, Suite};
use super::error::CliError;
use super::output::{self, BAD, DIM, GOOD, Table, compact, grouped, indented, span};
use super::progress::Display;
use super::results::{Counts, Recovered, failed};
use super::shrink::Smallest;
use super::subject::{Changes, Subject};
use super::{Done, Global, artefacts, exit, seed};
use clap::{Args, ValueEnum};
use scenarios::TOOL;
use scenarios::scenario::Scenario;
use scenarios::shrink::Options;
use scenarios::sweep::{Group, Seeds, Sweep, SweepReport, Tally, sweep as run_all};
use scenarios::verdict::{Failure, FailureKind};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Seeds of each scenario when neither seeds nor a time are given.
const SEEDS_DEFAULT: u64 = 1000;
/// Where failures go when no folder is given; made only if there are any.
const OUT_DEFAULT: &str = "target/squall";
/// Most scenarios beside each other in a table.
const COLUMNS_MAX: usize = 12;

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

/// The document of `squall sweep`. All but `time` is the same for any number of threads, unless a limit on time or an
/// interruption ended the sweep.
#[derive(Debug, Serialize)]
struct SweepResult {
    /// `squall-sweep/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// `pass`, `fail` or `interrupted`.
    verdict: &'static str,
    /// The exit code.
    exit_code: u8,
    /// Whether `--max-fail` ended it.
    stopped_early: bool,
    /// Whether Ctrl-C ended it.
    interrupted: bool,
    /// All scenarios together.
    total: Row,
    /// Each scenario.
    scenarios: Vec<Row>,
    /// Failures by signature, in the order in which they came up.
    failures: Vec<FailureGroup>,
    /// What it took.
    time: Cost,
}

/// The runs of one scenario, or of all.
#[derive(Debug, Serialize)]
struct Row {
    /// The scenario's name, or `total`.
    name: String,
    /// Runs.
    runs: u64,
    /// Runs that failed.
    failed: u64,
    /// Runs that were done twice and compared.
    verified: u64,
    /// Events handled.
    events: u64,
    /// Virtual time, in milliseconds.
    simulated_ms: u64,
    /// Operations that clients started.
    operations: u64,
    /// Of those, how many have an unknown outcome.
    unknown_outcomes: u64,
    /// Log entries committed.
    committed: u64,
    /// The digests of all runs, folded in their order: equal for equal builds, whatever the number of threads.
    digests: String,
    /// How many election timeouts after the faults the slowest run reached each milestone of `[recovery]`.
    slowest_recovery: Recovered,
    /// How often each fault class fired.
    faults: Counts,
    /// Planned faults that found no target.
    faults_skipped: u64,
    /// In how many runs each fault class fired.
    runs_with_fault: Counts,
    /// How often each situation was reached.
    situations: Counts,
    /// In how many runs each situation was reached.
    runs_with_situation: Counts,
    /// Fault classes that must fire, by `[expect] fired`, and situations that must be reached, by `[expect] reach`.
    #[serde(skip)]
    musts: Vec<String>,
}

/// Failures of one signature.
#[derive(Debug, Serialize)]
struct FailureGroup {
    /// What they share.
    signature: String,
    /// How many runs failed so; 0 for what only the whole sweep shows.
    count: u64,
    /// The scenario of the first.
    scenario: String,
    /// Its seed; null for what only the whole sweep shows.
    seed: Option<String>,
    /// The line that runs it again.
    replay: Option<String>,
    /// The first failure.
    failure: Failure,
    /// The folder with its trace, history and summary.
    artefacts: Option<PathBuf>,
    /// What it was made smaller to.
    shrunk: Option<Smallest>,
}

/// What a sweep took.
#[derive(Debug, Serialize)]
struct Cost {
    /// Threads.
    jobs: usize,
    /// Wall time, in milliseconds.
    wall_ms: u64,
    /// Processor time, in milliseconds; wall time times threads where the system does not tell.
    cpu_ms: u64,
    /// Whether the processor time was measured.
    cpu_measured: bool,
    /// Runs (second ones to verify determinism included) per 1,000 seconds of processor time.
    runs_per_1000_cpu_seconds: u64,
}

impl SweepResult {
    fn new(subjects: &[Subject], report: &SweepReport, failures: Vec<FailureGroup>, jobs: usize) -> Self {
        let mut total = Tally::default();
        report.scenarios.iter().for_each(|tally| total.merge(tally));
        let rows = subjects.iter().zip(&report.scenarios);
        let musts = |subject: &Subject| {
            let expect = &subject.scenario.expect;
            let fired = expect.fired.iter().flatten();
            fired.chain(&expect.reach).cloned().collect()
        };
        let verdict_code = report.gravest().map_or(exit::PASSED, FailureKind::exit_code);
        Self {
            schema: "squall-sweep/1",
            tool: TOOL,
            verdict: match (report.interrupted, failures.is_empty()) {
                (true, _) => "interrupted",
                (false, true) => "pass",
                (false, false) => "fail",
            },
            exit_code: if report.interrupted {
                exit::INTERRUPTED
            } else {
                verdict_code
            },
            stopped_early: report.stopped_early,
            interrupted: report.interrupted,
            scenarios: rows
                .map(|(of, tally)| Row::new(of.scenario.name.clone(), tally, musts(of)))
                .collect(),
            failures,
            time: Cost::new(&total, report, jobs),
            total: Row::new("total".to_owned(), &total, Vec::new()),
        }
    }

    fn text(&self, all: bool) -> String {
        let mut text = self.runs_table();
        text += "\nFault classes: in how many runs, and how often, each fired (! : expected, and never did)\n";
        text += &self.counts_table(all, |row| (&row.faults, &row.runs_with_fault));
        text += "\nSituations: in how many runs, and how often, each was reached (! : expected, and never was)\n";
        text += &self.counts_table(all, |row| (&row.situations, &row.runs_with_situation));
        text.push('\n');
        for group in &self.failures {
            text += &group.text();
        }
        text + &self.time.text(&self.total) + &self.verdict_line()
    }

    /// For continuous integration: a case for each scenario that passed and for each signature.
    fn suite(&self, subjects: &[Subject]) -> Suite {
        let file = |name: &str| {
            subjects
                .iter()
                .find(|one| one.scenario.name == name)
                .and_then(Subject::file)
        };
        let failed = |name: &str| self.failures.iter().any(|group| group.scenario == name);
        let passed = self.scenarios.iter().filter(|row| row.runs > 0 && !failed(&row.name));
        let passed = passed.map(|row| Case {
            scenario: row.name.clone(),
            file: file(&row.name),
            extent: format!("{} runs", grouped(row.runs)),
            failed: None,
        });
        let failures = self.failures.iter().map(|group| Case {
            scenario: group.scenario.clone(),
            file: file(&group.scenario),
            extent: grouped(group.count),
            failed: Some(Failed {
                failure: group.failure.clone(),
                seed: group.seed.clone(),
                replay: group.replay.clone(),
                artefacts: group.artefacts.as_ref().map(|path| path.display().to_string()),
            }),
        });
        Suite {
            of: "scenario",
            name: "squall sweep",
            verdict: anstream::adapter::strip_str(self.verdict_line().trim_end()).to_string(),
            cases: passed.chain(failures).collect(),
        }
    }

    fn runs_table(&self) -> String {
        let head = [
            "#",
            "scenario",
            "runs",
            "failed",
            "twice",
            "events",
            "simulated",
            "operations",
            "unknown",
        ];
        let mut table = Table::new(2, head);
        let total = (self.scenarios.len() > 1).then_some(&self.total);
        for (number, row) in self.scenarios.iter().chain(total).enumerate() {
            let number = if number < self.scenarios.len() {
                (number + 1).to_string()
            } else {
                String::new()
            };
            let counts = [row.runs, row.failed, row.verified, row.events].map(grouped);
            let [runs, failed, verified, events] = counts;
            let simulated = span(u128::from(row.simulated_ms) * 1_000_000);
            let [operations, unknown] = [row.operations, row.unknown_outcomes].map(grouped);
            table.row([
                number,
                row.name.clone(),
                runs,
                failed,
                verified,
                events,
                simulated,
                operations,
                unknown,
            ]);
        }
        table.text()
    }

    /// Names down, scenarios across by their numbers; first of all, the runs of all scenarios in which it came about.
    fn counts_table<'a>(&'a self, all: bool, counts: impl Fn(&'a Row) -> (&'a Counts, &'a Counts)) -> String {
        let mut text = String::new();
        for (block, rows) in self.scenarios.chunks(COLUMNS_MAX).enumerate() {
            let numbers = (1..=rows.len()).map(|number| (block * COLUMNS_MAX + number).to_string());
            let head = [String::new(), "runs".to_owned()];
            let mut table = Table::new(1, head.into_iter().chain(numbers));
            let (_, runs) = counts(&self.total);
            for (line, (name, runs)) in runs.0.iter().enumerate() {
                let cell = |row: &'a Row| match counts(row).0.0[line].1 {
                    0 if row.runs > 0 && row.musts.iter().any(|must| must == name) => "!".to_owned(),
                    count => compact(count),
                };
                let cells: Vec<String> = rows.iter().map(cell).collect();
                if all || cells.iter().any(|cell| cell != &compact(0)) {
                    let label = [(*name).to_owned(), compact(*runs)];
                    table.row(label.into_iter().chain(cells));
                }
            }
            text += &table.text();
        }
        text
    }

    fn verdict_line(&self) -> String {
        let more = if self.stopped_early {
            "; stopped early (--max-fail)"
        } else {
            ""
        };
        match self.verdict {
            "pass" => format!("{GOOD}PASS{GOOD:#} {} runs\n", grouped(self.total.runs)),
            "interrupted" => format!("{BAD}INTERRUPTED{BAD:#} after {} runs\n", grouped(self.total.runs)),
            _ => format!(
                "{BAD}FAIL{BAD:#} {} of {} runs failed, {} signature{}{more}\n",
                grouped(self.total.failed),
                grouped(self.total.runs),
                self.failures.len(),
                if self.failures.len() == 1 { "" } else { "s" }
            ),
        }
    }
}

impl Row {
    fn new(name: String, tally: &Tally, musts: Vec<String>) -> Self {
        Self {
            name,
            runs: tally.runs,
            failed: tally.failed,
            verified: tally.verified,
            events: tally.events,
            simulated_ms: u64::try_from(tally.simulated_ns / 1_000_000).unwrap_or(u64::MAX),
            operations: tally.operations,
            unknown_outcomes: tally.unknown_outcomes,
            committed: tally.committed,
            digests: format!("{:#018x}", tally.digests),
            slowest_recovery: Recovered::of(tally.slowest),
            faults: Counts::of_faults(&tally.exposure),
            faults_skipped: tally.exposure.skipped(),
            runs_with_fault: Counts::of_faults(&tally.runs_with_fault),
            situations: Counts::of_situations(&tally.situations),
            runs_with_situation: Counts::of_situations(&tally.runs_with_situation),
            musts,
        }
    }
}

impl FailureGroup {
    fn text(&self) -> String {
        let seed = self.seed.as_deref().unwrap_or("(whole sweep)");
        let mut text = failed(seed, &self.scenario, &self.failure);
        if self.count > 0 {
            text += &indented(&format!("runs:   {} with this signature", grouped(self.count)), 5);
        }
        if let Some(replay) = &self.replay {
            text += &indented(&format!("replay: {replay}"), 5);
        }
        if let Some(shrunk) = &self.shrunk {
            text += &indented(&shrunk.text(), 5);
        }
        if let Some(artefacts) = &self.artefacts {
            text += &indented(&format!("look:   {}", artefacts.display()), 5);
        }
        text + "\n"
    }
}

impl Cost {
    fn new(total: &Tally, report: &SweepReport, jobs: usize) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let wall_ms = millis(report.wall);
        let cpu_ms = report.cpu.map_or(wall_ms.saturating_mul(jobs as u64), millis);
        Self {
            jobs,
            wall_ms,
            cpu_ms,
            cpu_measured: report.cpu.is_some(),
            runs_per_1000_cpu_seconds: (total.runs + total.verified).saturating_mul(1_000_000) / cpu_ms.max(1),
        }
    }

    fn text(&self, total: &Row) -> String {
        let mut text = String::new();
        let rate = self.runs_per_1000_cpu_seconds;
        let how = if self.cpu_measured {
            "CPU"
        } else {
            "CPU (wall time × threads)"
        };
        let simulated = total.simulated_ms / self.cpu_ms.max(1);
        let _ = writeln!(
            text,
            "{DIM}{} wall, {} {how}, {} thread{}: {}.{} runs and {} simulated seconds per CPU second{DIM:#}",
            span(u128::from(self.wall_ms) * 1_000_000),
            span(u128::from(self.cpu_ms) * 1_000_000),
            self.jobs,
            if self.jobs == 1 { "" } else { "s" },
            grouped(rate / 1000),
            rate % 1000 / 100,
            grouped(simulated),
        );
        text
    }
}
