//! The command line: what it takes, and which code it exits with.
//!
//! Owns the arguments and the way from a command to an exit code. Each command has a module of its own; what they share is
//! in `subject` (which scenario, with which changes), `seed` (the ways to write seeds), `output` (the formats), `files` (what
//! is read and written) and `error`. Results go to standard output and nothing else does.

mod artefacts;
mod bugs;
mod check;
mod ci;
mod corpus;
mod diff;
mod error;
mod expected;
mod explain;
mod explore;
mod export;
mod files;
mod isolate;
mod journal;
mod list;
mod manual;
mod new;
mod output;
mod progress;
mod recording;
mod replay;
mod results;
mod run;
mod schema;
mod seed;
mod shrink;
mod signals;
mod subject;
mod sweep;
mod view;
mod when;

use crate::system::{self, Info};
#[cfg(feature = "bugs")]
use crate::whole::fault::{self, Injected};
use clap::{Args, Parser, Subcommand, ValueEnum};
use error::CliError;
#[cfg(feature = "bugs")]
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::OnceLock;

/// The system that is meant where a file does not say: `--system`, or the program's first.
fn system() -> &'static Info {
    SYSTEM.get().copied().unwrap_or_else(system::default)
}

static SYSTEM: OnceLock<&'static Info> = OnceLock::new();

/// Exit codes that are not verdicts; those are in `FailureKind::exit_code`.
mod exit {
    /// All that ran passed.
    pub const PASSED: u8 = 0;
    /// A file could not be written to its end, or something else went wrong that is nobody's input.
    pub const TROUBLE: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// A file is wrong: it cannot be read or made, or its content is invalid.
    pub const BAD_FILE: u8 = 3;
    /// Nothing was selected to run.
    pub const NOTHING: u8 = 4;
    /// The tool itself panicked.
    pub const OUR_PANIC: u8 = crate::verdict::OUR_PANIC;
    /// What was expected to fail did not fail so.
    pub const NOT_REPRODUCED: u8 = 97;
    /// Ctrl-C; other signals have codes of their own.
    pub const INTERRUPTED: u8 = 130;
}

const EXIT_CODES: &str = "\
Examples:
  squall sweep --time 60s                          a minute of every built-in scenario; what fails goes to target/squall
  squall run leader-isolation --seed 1 --bug L2 --trace stale.jsonl.zst
  squall explain stale.jsonl.zst                   what went wrong, and how it came to that
  squall view stale.jsonl.zst --open               the same to look at

Exit codes:
  0    all that ran passed
  1    trouble that is nobody's input (a disk ran full)
  2    the command line is wrong
  3    a file is wrong: unreadable, not to be created, or with invalid content
  4    nothing was selected to run
  70   squall itself panicked: a fault of the tool, and no word about the code under test
  97   a capsule's failure is gone, or has become another
  98   inconclusive: a checker gave up, or something expected never happened
  100  a safety violation
  101  a panic in the code under test
  102  a liveness violation
  103  non-determinism: one seed, two runs
  130  interrupted by Ctrl-C; what was found so far has been written
  143  the same by SIGTERM, and 129 by SIGHUP

A failure is printed the moment it is found. What cannot be written beside the verdict (traces, pages, reports, standard output itself)
is a warning on standard error, and changes neither the verdict nor the code. Files appear whole or not at all.";

/// Deterministic simulation testing for consensus: one seed is one run.
#[derive(Debug, Parser)]
#[command(name = "squall", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// How results are written: for people, as one JSON document, or for continuous integration
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "SQUALL_FORMAT",
        value_name = "FORMAT"
    )]
    format: Format,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more: counters at zero, failures as they are found
    #[arg(short, long, global = true)]
    verbose: bool,
    /// When to use colours; `auto` respects NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "SQUALL_COLOR",
        value_name = "WHEN"
    )]
    color: Color,
    /// How progress is shown, on standard error; `auto` draws a bar on a terminal and writes a line every 10 s elsewhere
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "SQUALL_PROGRESS",
        value_name = "HOW"
    )]
    progress: ProgressStyle,
    /// The system under test, where a file does not name it (`squall list systems`); the first of them if it is left out
    #[arg(long, global = true, value_name = "NAME")]
    system: Option<String>,
    /// For tests: lets the n-th call that writes something fail
    #[cfg(feature = "bugs")]
    #[arg(long, global = true, hide = true, value_name = "HOW:N")]
    inject: Option<Injected>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
    /// A summary in Markdown; of run, sweep, replay, corpus verify and bugs
    Markdown,
    /// JUnit XML; of run, sweep, replay and corpus verify
    Junit,
    /// Annotations of GitHub; of run, sweep, replay and corpus verify
    Github,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum ProgressStyle {
    #[default]
    Auto,
    Plain,
    None,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one seed of a scenario and check everything
    Run(run::RunArgs),
    /// Run many seeds of many scenarios on all cores
    Sweep(sweep::SweepArgs),
    /// Run a capsule or a trace's run again, and compare
    Replay(replay::ReplayArgs),
    /// Say in words what a failed run did wrong, and how it came to that
    Explain(explain::ExplainArgs),
    /// Make a failure smaller, as long as it stays the same
    Shrink(shrink::ShrinkArgs),
    /// Keep capsules in a folder, and replay them
    Corpus(corpus::CorpusArgs),
    /// Make one HTML page of a trace
    View(view::ViewArgs),
    /// Turn a trace into the format of another tool
    Export(export::ExportArgs),
    /// Compare two traces, or two files of digests, up to where they part
    Diff(diff::DiffArgs),
    /// Check a recorded history against a model
    Check(check::CheckArgs),
    /// Search by states: run what reaches new ones again, with other faults
    Explore(explore::ExploreArgs),
    /// Measure how long it takes to find the planted bugs
    Bugs(bugs::BugsArgs),
    /// List what there is to choose from
    List(list::ListArgs),
    /// Write a file to begin with
    New(new::NewArgs),
    /// Print a format as JSON Schema
    Schema(schema::SchemaArgs),
    /// Print the completions of a shell
    Completions(manual::CompletionsArgs),
    /// Print or write the manual pages
    Man(manual::ManArgs),
    /// For squall itself
    #[command(hide = true)]
    Worker(isolate::WorkerArgs),
}

/// Reads the command line, carries it out, and tells the exit code. The systems of this program have been registered.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(name) = &cli.global.system {
        match system::find(name) {
            Ok(system) => _ = SYSTEM.set(system),
            Err(error) => {
                output::complain(&CliError::UnknownSystem(error));
                return ExitCode::from(exit::USAGE);
            }
        }
    }
    let choice = match cli.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    let is_bare = matches!(&cli.command, Command::Worker(args) if args.is_bare());
    let done = if is_bare {
        Ok(())
    } else {
        signals::listen().map_err(CliError::Signal)
    };
    #[cfg(feature = "bugs")]
    if let Some(fault) = cli.global.inject {
        fault::inject(fault);
    }
    let done = done.and_then(|()| {
        let carried_out = catch_unwind(AssertUnwindSafe(|| carried_out(&cli)));
        carried_out.unwrap_or(Err(CliError::OurPanic))
    });
    let code = done.unwrap_or_else(|error| {
        output::complain(&error);
        error.exit_code()
    });
    #[cfg(feature = "bugs")]
    if fault::has_struck() {
        let _ = writeln!(std::io::stderr(), "injected");
    }
    ExitCode::from(code)
}

/// A fault that is injected into this process is injected into those that it starts, too.
fn pass_on_faults(global: &Global, command: &mut std::process::Command) {
    #[cfg(feature = "bugs")]
    if let Some(fault) = global.inject {
        command.arg("--inject").arg(fault.to_string());
    }
    let _ = (global, command);
}

fn carried_out(cli: &Cli) -> Done {
    let global = &cli.global;
    match &cli.command {
        command if !command.writes(global.format) => Err(CliError::Usage(
            "this command has no such format; use --format human or json".to_owned(),
        )),
        Command::Run(args) => run::run(args, global),
        Command::Sweep(args) => sweep::sweep(args, global),
        Command::Replay(args) => replay::replay(args, global),
        Command::Explain(args) => explain::explain(args, global),
        Command::Shrink(args) => shrink::shrink(args, global),
        Command::Corpus(args) => corpus::corpus(args, global),
        Command::View(args) => view::view(args, global),
        Command::Export(args) => export::export(args, global),
        Command::Diff(args) => diff::diff(args, global),
        Command::Check(args) => check::check(args, global),
        Command::Explore(args) => explore::explore(args, global),
        Command::Bugs(args) => bugs::bugs(args, global),
        Command::List(args) => list::list(args, global),
        Command::New(args) => new::new(args, global),
        Command::Schema(args) => schema::schema(args, global),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(args, global),
        Command::Worker(args) => isolate::worker(args, global),
    }
}

impl Command {
    /// Whether a command has results of this format.
    fn writes(&self, format: Format) -> bool {
        let is_for_ci = match self {
            Self::Run(_) | Self::Sweep(_) | Self::Replay(_) => true,
            Self::Corpus(args) => args.verifies(),
            _ => false,
        };
        match format {
            Format::Human | Format::Json => true,
            Format::Markdown => is_for_ci || matches!(self, Self::Bugs(_)),
            Format::Junit | Format::Github => is_for_ci,
        }
    }
}

type Done = Result<u8, CliError>;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
