//! `squall bugs`: the planted bugs, and how long it takes to find each.
//!
//! Owns the arguments that the measurements share, and the list. `run` measures each bug, `compare` whole measurements with each
//! other: strategies, and the harness without one of its parts.

mod chart;
mod compare;
mod run;
mod trials;

use super::error::CliError;
use super::output::{self, Table, WIDTH, wrapped};
use super::subject::{Changes, Subject};
use super::sweep::processors;
use super::{Done, Global, ProgressStyle, exit, files};
use crate::bugs::{Progress, Quantile};
use crate::scenario::Scenario;
use crate::system::NotPlanted;
use crate::system::PlantedBug;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use serde::Serialize;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  squall bugs list                                 what is planted, and what is not and why
  squall bugs run                                  every bug, 120 s of processor time for each trial
  squall bugs run E7 R1 --budget 10s --ranges 5    two bugs
  squall bugs run --format markdown --svg bugs.svg a table for a README, and a chart
  squall bugs run --list canaries.txt --must-find  fails if one of these is not found
  squall bugs run --out trials.jsonl               keeps each trial as it ends
  squall bugs run --resume trials.jsonl            goes on where that was killed or interrupted
  squall bugs compare                              the strategies of `squall explore`, side by side
  squall bugs ablate                               what is found without crashes, without disk faults, …";

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
    Run(run::RunArgs),
    /// What the strategies of `squall explore` find at equal processor time
    Compare(compare::CompareArgs),
    /// What is found with one part of the harness out at a time
    Ablate(compare::AblateArgs),
}

/// What is measured, and with how much of everything.
#[derive(Args, Debug)]
struct Effort {
    /// Ids or names of planted bugs; all if none are named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// More names, one in each line; what follows a `#` is left out
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Most runs of one trial, each of a seed of its own
    #[arg(long, value_name = "N", default_value_t = 1 << 32, value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    runs: u64,
    /// Threads; as many as there are processors if not given. Times are those of the thread that has the trial
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "SQUALL_JOBS")]
    jobs: Option<u16>,
    /// Run this built-in scenario or .toml file, may be repeated; all built-in ones, each by its share, if not given
    #[arg(long, value_name = "SCENARIO")]
    scenario: Vec<String>,
}

/// Carries out `squall bugs`.
pub fn bugs(args: &BugsArgs, global: &Global) -> Done {
    match &args.action {
        Action::List => list(global),
        Action::Run(args) => run::run(args, global),
        Action::Compare(args) => compare::compare(args, global),
        Action::Ablate(args) => compare::ablate(args, global),
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
    let system = super::system();
    let planted = system.bugs.iter().map(Entry::planted);
    let not_planted = system.not_planted.iter().map(Entry::not_planted);
    let entries: Vec<Entry> = planted.chain(not_planted).collect();
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

impl Effort {
    fn scenarios(&self) -> Result<Vec<Scenario>, CliError> {
        load(&self.scenario)
    }

    fn jobs(&self) -> usize {
        self.jobs.map_or_else(processors, usize::from)
    }
}

/// These scenarios, or all built-in ones.
fn load(names: &[String]) -> Result<Vec<Scenario>, CliError> {
    let subjects = Subject::load_all(names, &Changes::default())?;
    Ok(subjects.into_iter().map(|subject| subject.scenario).collect())
}

fn chosen(args: &Effort) -> Result<Vec<&'static PlantedBug>, CliError> {
    let mut names = args.names.clone();
    if let Some(path) = &args.list {
        let text = files::scenario(path)?;
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim());
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    if names.is_empty() && args.list.is_none() {
        return Ok(super::system().bugs.iter().collect());
    }
    if names.is_empty() {
        return Err(CliError::Nothing(
            "the list names no bug: there is nothing to run".to_owned(),
        ));
    }
    Ok(names
        .iter()
        .map(|name| super::system().bug(name))
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

/// Tells something while a measurement goes on.
fn told(bar: Option<&ProgressBar>, global: &Global, text: &dyn std::fmt::Display) {
    match bar {
        Some(bar) => bar.suspend(|| output::notice(global, text)),
        None => output::notice(global, text),
    }
}

fn shown(bar: Option<&ProgressBar>, progress: Progress) {
    if let Some(bar) = bar {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(format!("{} found", progress.found));
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
