//! `squall bugs`: the planted bugs, and how long it takes to find each.

use super::error::CliError;
use super::output::{self, BAD, GOOD, Table, WIDTH, wrapped};
use super::subject::{Changes, Subject};
use super::sweep::{interruption, processors};
use super::{Done, Format, Global, ProgressStyle, chart, exit, files, seed};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use scenarios::TOOL;
use scenarios::bugs::{BugReport, Plan, Progress, Quantile, measure};
use scenarios::scenario::Scenario;
use scenarios::systems::kv::PlantedBug;
use scenarios::systems::kv::bugs::{NOT_PLANTED, NotPlanted, PLANTED_BUGS};
use serde::Serialize;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  squall bugs list                                 what is planted, and what is not and why
  squall bugs run                                  every bug, 120 s of processor time for each trial
  squall bugs run E7 R1 --budget 10s --ranges 5    two bugs
  squall bugs run --format markdown --svg bugs.svg a table for a README, and a chart
  squall bugs run --list canaries.txt --must-find  fails if one of these is not found";

/// Arguments of `squall bugs`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BugsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What is planted, and what is not and why
    List,
    /// Sweep each bug until it is found or out of budget
    Run(RunArgs),
}

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
struct RunArgs {
    /// Ids or names of planted bugs; all if none are named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// More names, one in each line; what follows a `#` is left out
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Processor time of one trial, of which each bug has two for each range: with all properties, and with what clients see
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = seed::parse_time)]
    budget: Duration,
    /// Most seeds of one trial
    #[arg(long, value_name = "N", default_value_t = 1 << 32, value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    seeds: u64,
    /// Disjoint ranges of seeds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    ranges: u64,
    /// Threads; as many as there are processors if not given. Times are those of the thread that has the trial
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "SQUALL_JOBS")]
    jobs: Option<u16>,
    /// Sweep this built-in scenario or .toml file, may be repeated; all built-in ones, the storm first, if not given
    #[arg(long, value_name = "SCENARIO")]
    scenario: Vec<String>,
    /// Leave the trials out in which only linearizability is held
    #[arg(long)]
    no_blind: bool,
    /// Exit with 98 if a bug was found in no trial
    #[arg(long)]
    must_find: bool,
    /// Write a bar chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Carries out `squall bugs`.
pub fn bugs(args: &BugsArgs, global: &Global) -> Done {
    match &args.action {
        Action::List => list(global),
        Action::Run(args) => run(args, global),
    }
}

/// One bug: the document of `squall bugs list` is an array of these.
#[derive(Debug, Serialize)]
struct Entry {
    /// The name to use.
    name: &'static str,
    /// The long name.
    title: &'static str,
    /// What is wrong; of a bug that is not planted, why.
    about: &'static str,
    /// Whether `--bug` knows it.
    planted: bool,
    /// The documented bugs behind it.
    origin: &'static str,
    /// The property that it breaks; null for a control.
    breaks: Option<&'static str>,
    exposed_by: &'static str,
    masked_by: &'static str,
}

/// Carries out `squall bugs list` and `squall list bugs`.
pub fn list(global: &Global) -> Done {
    let planted = PLANTED_BUGS.iter().map(Entry::planted);
    let entries: Vec<Entry> = planted.chain(NOT_PLANTED.iter().map(Entry::not_planted)).collect();
    output::result(global, &entries, || catalogue(&entries))?;
    Ok(exit::PASSED)
}

impl Entry {
    fn planted(bug: &PlantedBug) -> Self {
        Self {
            name: bug.id,
            title: bug.name,
            about: bug.about,
            planted: true,
            origin: bug.origin,
            breaks: bug.breaks,
            exposed_by: bug.exposed_by,
            masked_by: bug.masked_by,
        }
    }

    fn not_planted(bug: &NotPlanted) -> Self {
        Self {
            name: bug.id,
            title: bug.name,
            about: bug.reason,
            planted: false,
            origin: "",
            breaks: None,
            exposed_by: "",
            masked_by: "",
        }
    }
}

fn catalogue(entries: &[Entry]) -> String {
    let mut table = Table::new(
        2,
        [
            "bug",
            "what is wrong, what it breaks, what exposes it and what hides it",
        ],
    );
    for bug in entries {
        if !bug.planted {
            rows(
                &mut table,
                bug.name,
                &format!("{}: not planted: {}.", bug.title, bug.about),
            );
            continue;
        }
        let breaks = bug.breaks.unwrap_or("nothing: a control");
        let mut about = format!(
            "{}: {}. Breaks: {breaks}. Exposed by: {}.",
            bug.title, bug.about, bug.exposed_by
        );
        if !bug.masked_by.is_empty() {
            let _ = write!(about, " Hidden by: {}.", bug.masked_by);
        }
        rows(&mut table, bug.name, &format!("{about} ({})", bug.origin));
    }
    table.text()
}

fn rows(table: &mut Table, id: &str, about: &str) {
    for (line, part) in wrapped(about, WIDTH - 6).into_iter().enumerate() {
        table.row([if line == 0 { id } else { "" }, &part]);
    }
}

fn run(args: &RunArgs, global: &Global) -> Done {
    let bugs = chosen(args)?;
    let mut subjects = Subject::load_all(&args.scenario, &Changes::default())?;
    if args.scenario.is_empty() {
        // The widest first: it finds most.
        subjects.sort_by_key(|subject| subject.name != super::subject::DEFAULT);
    }
    let scenarios: Vec<Scenario> = subjects.into_iter().map(|subject| subject.scenario).collect();
    let draft = args.svg.as_deref().map(files::Draft::create).transpose()?;
    let interrupted = interruption()?;
    let plan = Plan {
        bugs: &bugs,
        scenarios: &scenarios,
        budget: args.budget,
        seeds: args.seeds,
        ranges: args.ranges,
        blind: !args.no_blind,
        jobs: args.jobs.map_or_else(processors, usize::from),
    };
    let bar = bar(global);
    let reports = measure(&plan, &interrupted, |progress| shown(bar.as_ref(), progress));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let result = BugsResult::new(&plan, reports, interrupted.load(Ordering::Relaxed), args.must_find);
    if let Some(draft) = draft {
        let chart = chart::svg(&result.bugs, args.budget);
        draft.write(|file| file.write_all(chart.as_bytes()))?;
    }
    match global.format {
        Format::Markdown => output::result(global, &result, || result.markdown())?,
        _ => output::result(global, &result, || result.text())?,
    }
    Ok(result.exit_code)
}

fn chosen(args: &RunArgs) -> Result<Vec<&'static PlantedBug>, CliError> {
    let mut names = args.names.clone();
    if let Some(path) = &args.list {
        let text = files::scenario(path)?;
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim());
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    if names.is_empty() && args.list.is_none() {
        return Ok(PLANTED_BUGS.iter().collect());
    }
    if names.is_empty() {
        return Err(CliError::Nothing(
            "the list names no bug: there is nothing to run".to_owned(),
        ));
    }
    Ok(names
        .iter()
        .map(|name| PlantedBug::find(name))
        .collect::<Result<_, _>>()?)
}

fn bar(global: &Global) -> Option<ProgressBar> {
    let draws = !global.quiet && global.progress == ProgressStyle::Auto && std::io::stderr().is_terminal();
    draws.then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        let style = BarStyle::with_template("{wide_bar} {human_pos}/{human_len} trials  {msg}  ETA {eta}");
        bar.set_style(style.expect("the template is a constant"));
        bar
    })
}

fn shown(bar: Option<&ProgressBar>, progress: Progress) {
    if let Some(bar) = bar {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(format!("{} found", progress.found));
    }
}

/// The document of `squall bugs run`. Times are processor time in microseconds; seeds up to 2^53 are exact.
#[derive(Debug, Serialize)]
pub struct BugsResult {
    /// `squall-bugs/1`.
    schema: &'static str,
    tool: &'static str,
    exit_code: u8,
    interrupted: bool,
    /// Of one trial, in microseconds.
    budget_us: u64,
    ranges: u64,
    scenarios: Vec<String>,
    bugs: Vec<Row>,
}

/// One bug.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its trials.
    #[serde(flatten)]
    pub report: BugReport,
    found: usize,
    found_blind: usize,
    client_visible: bool,
    seeds_median: Option<Quantile>,
    seeds_p90: Option<Quantile>,
    /// Median processor time to the detection.
    pub cpu_us_median: Option<Quantile>,
    cpu_us_p90: Option<Quantile>,
    blind_cpu_us_median: Option<Quantile>,
}

impl BugsResult {
    fn new(plan: &Plan<'_>, reports: Vec<BugReport>, interrupted: bool, must_find: bool) -> Self {
        let bugs: Vec<Row> = reports.into_iter().map(Row::new).collect();
        let fooled = |row: &Row| !row.report.bug.is_harmful() && row.found + row.found_blind > 0;
        let missed = |row: &Row| must_find && row.report.bug.is_harmful() && row.found == 0;
        Self {
            schema: "squall-bugs/1",
            tool: TOOL,
            exit_code: match () {
                () if interrupted => exit::INTERRUPTED,
                () if bugs.iter().any(fooled) => scenarios::verdict::FailureKind::Safety.exit_code(),
                () if bugs.iter().any(missed) => scenarios::verdict::FailureKind::Inconclusive.exit_code(),
                () => exit::PASSED,
            },
            interrupted,
            budget_us: u64::try_from(plan.budget.as_micros()).unwrap_or(u64::MAX),
            ranges: plan.ranges,
            scenarios: plan.scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
            bugs,
        }
    }

    fn text(&self) -> String {
        let mut table = Table::new(2, HEAD);
        self.bugs.iter().for_each(|row| table.row(row.cells()));
        let verdict = match self.exit_code {
            exit::INTERRUPTED => format!("{BAD}INTERRUPTED{BAD:#} "),
            exit::PASSED => format!("{GOOD}DONE{GOOD:#} "),
            _ => format!("{BAD}FAIL{BAD:#} "),
        };
        format!("{}\n{verdict}{}\n", table.text(), self.summary())
    }

    fn markdown(&self) -> String {
        let mut text = format!("| {} |\n|", HEAD.join(" | "));
        for (column, _) in HEAD.iter().enumerate() {
            text += if (2..8).contains(&column) { "---:|" } else { "---|" };
        }
        for row in &self.bugs {
            let _ = write!(text, "\n| {} |", row.cells().join(" | "));
        }
        format!("{text}\n\n{}\n", self.summary())
    }

    fn summary(&self) -> String {
        let harmful = || self.bugs.iter().filter(|row| row.report.bug.is_harmful());
        let found = harmful().filter(|row| row.found > 0).count();
        let missed: Vec<&str> = harmful()
            .filter(|row| row.found == 0)
            .map(|row| row.report.bug.id)
            .collect();
        let controls = self.bugs.len() - harmful().count();
        let budget = output::span(u128::from(self.budget_us) * 1000);
        let mut text = format!(
            "{found} of {} bugs found within {budget} of processor time for each trial, {} ranges of seeds",
            harmful().count(),
            self.ranges
        );
        if !missed.is_empty() {
            let _ = write!(text, "; not found: {}", missed.join(" "));
        }
        if controls > 0 {
            let fired = self
                .bugs
                .iter()
                .filter(|row| !row.report.bug.is_harmful() && row.found > 0)
                .count();
            let _ = write!(text, "; {fired} of {controls} controls fired");
        }
        text
    }
}

const HEAD: [&str; 11] = [
    "bug",
    "name",
    "found",
    "seeds",
    "p90",
    "CPU s",
    "p90",
    "blind",
    "CPU s",
    "found by",
    "first oracle",
];

impl Row {
    fn new(report: BugReport) -> Self {
        Self {
            found: report.times_found(),
            found_blind: report.times_found_blind(),
            client_visible: report.is_visible(),
            seeds_median: report.seeds(50),
            seeds_p90: report.seeds(90),
            cpu_us_median: report.cpu_us(50),
            cpu_us_p90: report.cpu_us(90),
            blind_cpu_us_median: report.blind_cpu_us(50),
            report,
        }
    }

    fn cells(&self) -> Vec<String> {
        let times = |found, of: usize| {
            if of == 0 {
                "–".to_owned()
            } else {
                format!("{found}/{of}")
            }
        };
        let count = |quantile: Option<Quantile>| text_of(quantile, output::grouped);
        let seconds = |quantile| text_of(quantile, seconds);
        let typical = self.report.typical();
        let mut oracle = typical.map_or("–", |finding| finding.property.as_str()).to_owned();
        if self.client_visible {
            oracle += " (clients see it)";
        }
        vec![
            self.report.bug.id.to_owned(),
            self.report.bug.name.to_owned(),
            times(self.found, self.report.trials.len()),
            count(self.seeds_median),
            count(self.seeds_p90),
            seconds(self.cpu_us_median),
            seconds(self.cpu_us_p90),
            times(self.found_blind, self.report.blind.len()),
            seconds(self.blind_cpu_us_median),
            typical.map_or("–", |finding| finding.scenario.as_str()).to_owned(),
            oracle,
        ]
    }
}

fn text_of(quantile: Option<Quantile>, show: impl Fn(u64) -> String) -> String {
    match quantile {
        None => "–".to_owned(),
        Some(Quantile::Exactly(value)) => show(value),
        Some(Quantile::MoreThan(value)) => format!(">{}", show(value)),
    }
}

/// Microseconds as seconds with two decimals.
pub fn seconds(us: u64) -> String {
    let hundredths = us.div_ceil(10_000);
    format!("{}.{:02}", output::grouped(hundredths / 100), hundredths % 100)
}
