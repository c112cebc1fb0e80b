//! `squall bugs run`: how long it takes to find each planted bug.

use super::super::output::{self, BAD, GOOD, Table};
use super::super::signals::{self, interruption};
use super::super::{Done, Format, Global, exit, files, seed};
use super::trials::Trials;
use super::{Effort, bar, chart, chosen, seconds, shown, text_of, told};
use crate::TOOL;
use crate::bugs::{BugReport, Ended, Plan, Quantile, median_of_medians, resume};
use crate::explore::Strategy;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Arguments of `squall bugs run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    effort: Effort,
    /// Processor time of one trial, of which each bug has two for each range: with all properties, and with what clients see
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = seed::parse_time)]
    budget: Duration,
    /// Processor time of one trial with what clients see alone; as the others, if not given
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time)]
    blind_budget: Option<Duration>,
    /// Disjoint ranges of seeds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    ranges: u64,
    /// Choose runs as `squall explore` does, instead of scenarios by their shares
    #[arg(long, value_name = "STRATEGY", value_parser = super::super::explore::parse_strategy)]
    strategy: Option<Strategy>,
    /// Leave the trials out in which only linearizability is held
    #[arg(long)]
    no_blind: bool,
    /// Exit with 98 if a bug was found in no trial
    #[arg(long)]
    must_find: bool,
    /// Keep each trial in this file as soon as it has ended, a line of JSON each
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on with the measurement whose trials are in this file; the other arguments are the same
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// Write a bar chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Carries out `squall bugs run`.
pub fn run(args: &RunArgs, global: &Global) -> Done {
    let bugs = chosen(&args.effort)?;
    let scenarios = args.effort.scenarios()?;
    let draft = files::Draft::beside(args.svg.as_deref());
    let interrupted = interruption();
    let plan = Plan {
        bugs: &bugs,
        scenarios: &scenarios,
        budget: args.budget,
        blind_budget: args.blind_budget.unwrap_or(args.budget),
        strategy: args.strategy,
        ablation: None,
        runs: args.effort.runs,
        ranges: args.ranges,
        blind: !args.no_blind,
        jobs: args.effort.jobs(),
    };
    let (mut trials, known) = match (&args.out, &args.resume) {
        (_, Some(path)) => {
            let (trials, known) = Trials::resume(path, &plan)?;
            output::notice(
                global,
                &format_args!("resumed after {} trials", output::grouped(known.len() as u64)),
            );
            (Some(trials), known)
        }
        (Some(path), None) => (Some(Trials::begin(path, &plan)?), Vec::new()),
        (None, None) => (None, Vec::new()),
    };
    let bar = bar(global);
    let reports = resume(&plan, &known, &interrupted, |progress, ended| {
        if let Some(ended) = ended {
            if let Some(trials) = &mut trials {
                trials.add(ended);
            }
            told(bar.as_ref(), global, &line(ended));
        }
        shown(bar.as_ref(), progress);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let result = BugsResult::new(&plan, reports, interrupted.load(Ordering::Relaxed), args.must_find);
    output::verdict(global, &result, &result.summary(), || match global.format {
        Format::Markdown => result.markdown(),
        _ => result.text(),
    });
    let drawn = output::spared(|| {
        let draw = |draft: files::Draft| {
            let chart = chart::svg(&result.bugs, args.budget);
            draft.write(|file| file.write_all(chart.as_bytes()))
        };
        draft.map(draw).transpose()
    });
    if let Err(error) = drawn {
        output::lost(&error);
    }
    Ok(result.exit_code)
}

/// What is told of a trial when it has ended.
fn line(ended: &Ended) -> String {
    let Ended {
        bug,
        range,
        blind,
        trial,
    } = ended;
    let cost = format!(
        "in {} run{}, {} s",
        output::grouped(trial.runs),
        if trial.runs == 1 { "" } else { "s" },
        seconds(trial.cpu_us)
    );
    let blind = if *blind { ", blind" } else { "" };
    match &trial.found {
        Some(found) => format!(
            "{bug} range {range}{blind}: found {cost}: {} {}  {}",
            found.scenario,
            seed::shown(found.seed),
            found.signature
        ),
        None => format!("{bug} range {range}{blind}: not found {cost}"),
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
    /// Of one trial with what clients see alone; null if there were none.
    blind_budget_us: Option<u64>,
    ranges: u64,
    /// What chose the runs; null for the scenarios' shares.
    strategy: Option<Strategy>,
    scenarios: Vec<String>,
    /// Median over the harmful bugs of their medians.
    cpu_us_median: Option<Quantile>,
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
    runs_median: Option<Quantile>,
    runs_p90: Option<Quantile>,
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
                () if interrupted => signals::exit_code(),
                () if bugs.iter().any(fooled) => crate::verdict::FailureKind::Safety.exit_code(),
                () if bugs.iter().any(missed) => crate::verdict::FailureKind::Inconclusive.exit_code(),
                () => exit::PASSED,
            },
            interrupted,
            budget_us: micros(plan.budget),
            blind_budget_us: plan.blind.then(|| micros(plan.blind_budget)),
            ranges: plan.ranges,
            strategy: plan.strategy,
            cpu_us_median: median_of_medians(
                bugs.iter()
                    .filter(|row| row.report.bug.is_harmful())
                    .map(|row| &row.report),
            ),
            scenarios: plan.scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
            bugs,
        }
    }

    fn text(&self) -> String {
        let mut table = Table::new(2, HEAD);
        self.bugs.iter().for_each(|row| table.row(row.cells()));
        let verdict = match self.exit_code {
            _ if self.interrupted => format!("{BAD}INTERRUPTED{BAD:#} "),
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
        let ids = |of: &dyn Fn(&&Row) -> bool| harmful().filter(of).map(|row| row.report.bug.id).collect::<Vec<&str>>();
        // An interruption leaves bugs of which nothing is known.
        let untried = ids(&|row| row.report.trials.is_empty());
        let missed = ids(&|row| row.found == 0 && !row.report.trials.is_empty());
        let all = harmful().count();
        let found = all - missed.len() - untried.len();
        let controls = self.bugs.len() - all;
        let within = |limit: u64| harmful().filter(|row| row.is_found_within(limit)).count();
        let mut text = format!(
            "{found} of {all} bugs found in at least one of {} ranges of seeds, {} in most of them, within {} of processor time \
             for each range; median over the bugs {} s, {} of them in less than 0.2 s",
            self.ranges,
            within(self.budget_us.saturating_mul(2)),
            output::span(u128::from(self.budget_us) * 1000),
            text_of(self.cpu_us_median, seconds),
            within(200_000),
        );
        if let Some(blind) = self.blind_budget_us {
            let seen = harmful().filter(|row| row.found_blind > 0).count();
            let _ = write!(
                text,
                "; {seen} found within {} by what clients see alone",
                output::span(u128::from(blind) * 1000)
            );
        }
        if !missed.is_empty() {
            let _ = write!(text, "; not found: {}", missed.join(" "));
        }
        if !untried.is_empty() {
            let _ = write!(text, "; not tried: {}", untried.join(" "));
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
    "runs",
    "p90",
    "CPU s",
    "p90",
    "blind",
    "CPU s",
    "found by",
    "first oracle",
];

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Row {
    /// Whether it was found in most ranges, and the median time is less than this, in microseconds.
    fn is_found_within(&self, limit: u64) -> bool {
        matches!(self.cpu_us_median, Some(Quantile::Exactly(us)) if us < limit)
    }

    fn new(report: BugReport) -> Self {
        Self {
            found: report.times_found(),
            found_blind: report.times_found_blind(),
            client_visible: report.is_visible(),
            runs_median: report.runs(50),
            runs_p90: report.runs(90),
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
            count(self.runs_median),
            count(self.runs_p90),
            seconds(self.cpu_us_median),
            seconds(self.cpu_us_p90),
            times(self.found_blind, self.report.blind.len()),
            seconds(self.blind_cpu_us_median),
            typical.map_or("–", |finding| finding.scenario.as_str()).to_owned(),
            oracle,
        ]
    }
}
