//! `squall bugs compare` and `squall bugs ablate`: whole measurements side by side, at equal processor time.

use super::super::output::{self, Table, WIDTH, wrapped};
use super::super::signals::{self, interruption};
use super::super::{Done, Format, Global, exit, seed};
use super::{Effort, bar, chosen, seconds, shown, text_of};
use crate::TOOL;
use crate::bugs::{ABLATIONS, Ablation, BugReport, Plan, Quantile, measure, median_of_medians};
use crate::explore::Strategy;
use crate::scenario::Scenario;
use crate::system::PlantedBug;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The scenario over which strategies are compared: one in which each seed is different, so that none has more to choose from.
const COMMON: &str = "gusts";

/// Arguments of `squall bugs compare`.
#[derive(Args, Debug)]
pub struct CompareArgs {
    #[command(flatten)]
    effort: Effort,
    /// Processor time of each strategy for each bug and range
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = seed::parse_time)]
    budget: Duration,
    /// Disjoint ranges of seeds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    ranges: u64,
}

/// Arguments of `squall bugs ablate`.
#[derive(Args, Debug)]
pub struct AblateArgs {
    #[command(flatten)]
    effort: Effort,
    /// Processor time for each bug and range, with each part out
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = seed::parse_time)]
    budget: Duration,
    /// Disjoint ranges of seeds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    ranges: u64,
}

/// What is measured in a column.
struct Variant {
    name: &'static str,
    about: &'static str,
    strategy: Option<Strategy>,
    ablation: Option<&'static Ablation>,
}

/// Carries out `squall bugs compare`.
pub fn compare(args: &CompareArgs, global: &Global) -> Done {
    let of = |strategy: Strategy| Variant {
        name: strategy.name(),
        about: strategy.about(),
        strategy: Some(strategy),
        ablation: None,
    };
    let mut effort = args.effort.scenario.clone();
    if effort.is_empty() {
        effort.push(COMMON.to_owned());
    }
    let scenarios = super::load(&effort)?;
    let variants: Vec<Variant> = Strategy::ALL.into_iter().map(of).collect();
    measured(&args.effort, &scenarios, (args.budget, args.ranges), &variants, global)
}

/// Carries out `squall bugs ablate`.
pub fn ablate(args: &AblateArgs, global: &Global) -> Done {
    let whole = Variant {
        name: "nothing",
        about: "the whole harness",
        strategy: None,
        ablation: None,
    };
    let without = ABLATIONS.iter().map(|ablation| Variant {
        name: ablation.name,
        about: ablation.about,
        strategy: None,
        ablation: Some(ablation),
    });
    let variants: Vec<Variant> = [whole].into_iter().chain(without).collect();
    let scenarios = args.effort.scenarios()?;
    measured(&args.effort, &scenarios, (args.budget, args.ranges), &variants, global)
}

fn measured(
    effort: &Effort,
    scenarios: &[Scenario],
    (budget, ranges): (Duration, u64),
    variants: &[Variant],
    global: &Global,
) -> Done {
    let harmful = |bug: &&'static PlantedBug| bug.is_harmful();
    let bugs: Vec<&'static PlantedBug> = chosen(effort)?.into_iter().filter(harmful).collect();
    let interrupted = interruption();
    let mut columns = Vec::new();
    for variant in variants {
        let plan = Plan {
            bugs: &bugs,
            scenarios,
            strategy: variant.strategy,
            ablation: variant.ablation,
            budget,
            blind_budget: budget,
            runs: effort.runs,
            ranges,
            blind: false,
            jobs: effort.jobs(),
        };
        columns.push(Column::new(variant, column(&plan, &interrupted, global)));
    }
    let interrupted = interrupted.load(Ordering::Relaxed);
    let result = ComparisonResult {
        schema: "squall-bugs-comparison/1",
        tool: TOOL,
        exit_code: if interrupted {
            signals::exit_code()
        } else {
            exit::PASSED
        },
        interrupted,
        budget_us: u64::try_from(budget.as_micros()).unwrap_or(u64::MAX),
        ranges,
        scenarios: scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
        columns,
    };
    match global.format {
        Format::Markdown => output::result(global, &result, || result.markdown())?,
        _ => output::result(global, &result, || result.text())?,
    }
    Ok(result.exit_code)
}

fn column(plan: &Plan<'_>, interrupted: &AtomicBool, global: &Global) -> Vec<BugReport> {
    let bar = bar(global);
    let reports = measure(plan, interrupted, |progress| shown(bar.as_ref(), progress));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    reports
}

/// The document of both commands. Times are processor time in microseconds.
#[derive(Debug, Serialize)]
struct ComparisonResult {
    /// `squall-bugs-comparison/1`.
    schema: &'static str,
    tool: &'static str,
    exit_code: u8,
    interrupted: bool,
    budget_us: u64,
    ranges: u64,
    scenarios: Vec<String>,
    columns: Vec<Column>,
}

/// One measurement.
#[derive(Debug, Serialize)]
struct Column {
    name: &'static str,
    about: &'static str,
    /// Trials that found their bug, of all.
    detections: usize,
    trials: usize,
    /// Bugs that were found in a trial.
    found: usize,
    cpu_us_median: Option<Quantile>,
    bugs: Vec<BugReport>,
}

impl Column {
    fn new(variant: &Variant, bugs: Vec<BugReport>) -> Self {
        Self {
            name: variant.name,
            about: variant.about,
            detections: bugs.iter().map(BugReport::times_found).sum(),
            trials: bugs.iter().map(|bug| bug.trials.len()).sum(),
            found: bugs.iter().filter(|bug| bug.times_found() > 0).count(),
            cpu_us_median: median_of_medians(&bugs),
            bugs,
        }
    }

    /// The bugs that another measurement found and this one did not.
    fn lost(&self, other: &Self) -> Vec<&'static str> {
        let pairs = other.bugs.iter().zip(&self.bugs);
        let lost = pairs.filter(|(there, here)| there.times_found() > 0 && here.times_found() == 0);
        lost.map(|(there, _)| there.bug.id).collect()
    }
}

const HEAD: [&str; 6] = [
    "variant",
    "what it is",
    "bugs found",
    "detections",
    "median CPU s",
    "lost",
];

impl ComparisonResult {
    fn cells(&self, column: &Column) -> [String; 6] {
        let best = self.columns.iter().max_by_key(|column| column.found);
        let lost = best.map_or_else(Vec::new, |best| column.lost(best));
        [
            column.name.to_owned(),
            column.about.to_owned(),
            format!("{}/{}", column.found, column.bugs.len()),
            format!("{}/{}", column.detections, column.trials),
            text_of(column.cpu_us_median, seconds),
            lost.join(" "),
        ]
    }

    fn text(&self) -> String {
        let mut table = Table::new(2, HEAD);
        for column in &self.columns {
            let [name, about, found, detections, median, lost] = self.cells(column);
            let mut lines = wrapped(&lost, WIDTH / 2).into_iter();
            let first = lines.next().unwrap_or_default();
            table.row([name, about, found, detections, median, first]);
            for line in lines {
                table.row(["", "", "", "", "", line.as_str()]);
            }
        }
        format!("{}\n{}\n", table.text(), self.summary())
    }

    fn markdown(&self) -> String {
        let mut text = format!("| {} |\n|---|---|---:|---:|---:|---|", HEAD.join(" | "));
        for column in &self.columns {
            let _ = write!(text, "\n| {} |", self.cells(column).join(" | "));
        }
        let _ = write!(text, "\n\n{}\n\n{}", self.summary(), self.each());
        text
    }

    /// Each bug with its median in each measurement.
    fn each(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let mut text = format!("| bug | name | {} |\n|---|---|", names.join(" | "));
        text += &"---:|".repeat(names.len());
        for (place, bug) in self
            .columns
            .first()
            .map_or(&[][..], |column| &column.bugs)
            .iter()
            .enumerate()
        {
            let median = |column: &Column| text_of(column.bugs[place].cpu_us(50), seconds);
            let medians: Vec<String> = self.columns.iter().map(median).collect();
            let _ = write!(
                text,
                "\n| {} | {} | {} |",
                bug.bug.id,
                bug.bug.name,
                medians.join(" | ")
            );
        }
        text + "\n"
    }

    fn summary(&self) -> String {
        format!(
            "{} of processor time for each bug and range, {} ranges; the median is over all bugs, those that were not found \
             last; lost are those that the best one found",
            output::span(u128::from(self.budget_us) * 1000),
            self.ranges
        )
    }
}
