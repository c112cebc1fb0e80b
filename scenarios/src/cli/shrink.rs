//! `squall shrink`: the smallest capsule that fails as a seed or a capsule does.

use super::error::CliError;
use super::files::{self, Draft};
use super::output::{self, BAD, DIM, GOOD, Table, grouped, notice};
use super::progress;
use super::run::capsule_of;
use super::signals::{self, interruption};
use super::subject::{Changes, Subject, quoted};
use super::sweep::processors;
use super::{Done, Global, exit, seed};
use crate::TOOL;
use crate::capsule::{Capsule, Outcome, Size, compare, to_rust_test, to_scenario};
use crate::run::RunOptions;
use crate::shrink::{Observer, Options, Progress, Shrunk, shrink as search};
use clap::Args;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const EXAMPLES: &str = "\
Faults, operations, clients, nodes, time, noise and settings are taken away as long as the run fails with the same signature.

Examples:
  squall shrink storm --seed 0x3f7 --bug E7            writes shrunk.capsule.json
  squall shrink bug.capsule.json -o small.capsule.json
  squall shrink storm --seed 7 --bug D1 --toml small.toml --rust-test small.rs";

/// Arguments of `squall shrink`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShrinkArgs {
    /// A capsule (.capsule.json), or with --seed a scenario: a built-in name or a path to a .toml file
    #[arg(value_name = "CAPSULE|SCENARIO")]
    what: String,
    /// The seed of the scenario: decimal, 0x and hexadecimal digits, or a git hash
    #[arg(long, value_parser = seed::parse)]
    seed: Option<u64>,
    /// Where the capsule goes
    #[arg(short, long, value_name = "FILE", default_value = "shrunk.capsule.json")]
    output: PathBuf,
    /// Stop looking after this time (500ms, 60s, 10m)
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time, default_value = "60s")]
    time: Duration,
    /// Stop after so many attempts: the result is then the same on every machine that is fast enough
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    attempts: Option<u64>,
    /// Threads; as many as there are processors if not given
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "SQUALL_JOBS")]
    jobs: Option<u16>,
    /// Write a scenario file for people too: the faults at their times, and what it cannot say as comments
    #[arg(long, value_name = "FILE")]
    toml: Option<PathBuf>,
    /// Write a Rust test that replays the capsule too
    #[arg(long, value_name = "FILE")]
    rust_test: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

/// Carries out `squall shrink`.
pub fn shrink(args: &ShrinkArgs, global: &Global) -> Done {
    // Whenever a signal comes, the smallest that there is then is kept.
    let interrupted = interruption();
    let capsule = capsule(args)?;
    // An old file stays as it is until there is something better to put in its place.
    let draft = Draft::create(&args.output)?;
    let toml = args.toml.as_deref().map(Draft::create).transpose()?;
    let rust_test = args.rust_test.as_deref().map(Draft::create).transpose()?;
    let options = Options {
        jobs: args.jobs.map_or_else(processors, usize::from),
        time: Some(args.time),
        attempts: args.attempts.unwrap_or(u64::MAX),
    };
    if let (Some(of), Some(signature)) = (args.seed, capsule.signature()) {
        let subject = Subject::of_capsule(&capsule);
        let replay = Subject::load(&args.what, &args.changes)?.replay_line(of);
        output::found(global, args.seed, &subject.scenario.name, &signature, &replay);
    }
    let mut display = Display::new(global);
    let shrunk = search(&capsule, &options, &interrupted, &mut display);
    display.finish();
    let shrunk = shrunk.map_err(|error| CliError::Nothing(format!("{}: {error}", args.what)))?;
    draft.write_capsule(&shrunk.capsule)?;
    let result = ShrinkResult::new(&shrunk, &args.output, interrupted.load(Ordering::Relaxed));
    let line = format!("shrunk  {}  {}", result.signature, result.replay);
    output::verdict(global, &result, &line, || result.text());
    if let Some(draft) = toml {
        draft.write(|out| out.write_all(to_scenario(&shrunk.capsule).as_bytes()))?;
    }
    if let Some(draft) = rust_test {
        let text = to_rust_test(&shrunk.capsule, &args.output);
        draft.write(|out| out.write_all(text.as_bytes()))?;
    }
    Ok(if result.interrupted {
        signals::exit_code()
    } else {
        exit::PASSED
    })
}

fn capsule(args: &ShrinkArgs) -> Result<Capsule, CliError> {
    let path = Path::new(&args.what);
    if let Some(of) = args.seed {
        let subject = Subject::load(&args.what, &args.changes)?;
        return capsule_of(&subject, of);
    }
    if !files::is_capsule(path) {
        return Err(CliError::Usage(format!(
            "`{}` is no capsule (a .json file): for a scenario, say which --seed fails",
            args.what
        )));
    }
    if !args.changes.set.is_empty() || args.changes.bug.is_some() {
        let what = "a capsule says itself what is run: leave --set and --bug out, or give a scenario and a --seed";
        return Err(CliError::Usage(what.to_owned()));
    }
    files::capsule(path)
}

/// What a sweep's failure was made smaller to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Smallest {
    /// The capsule.
    pub capsule: PathBuf,
    /// The size of the seed's run.
    before: Size,
    /// The size of the capsule's.
    after: Size,
    /// Wall time, in milliseconds.
    wall_ms: u64,
    /// The line that runs it.
    replay: String,
}

impl Smallest {
    /// For a person: how much smaller, and the line.
    pub fn text(&self) -> String {
        let Self {
            before, after, wall_ms, ..
        } = self;
        let counts = |of: fn(&Size) -> u64| format!("{} → {}", grouped(of(before)), grouped(of(after)));
        format!(
            "shrunk: {} events, {} faults, {} operations in {}.{} s\n        {}",
            counts(|size| size.events),
            counts(|size| size.faults as u64),
            counts(|size| size.operations as u64),
            wall_ms / 1000,
            wall_ms % 1000 / 100,
            self.replay,
        )
    }
}

/// Makes the failure of a sweep's seed smaller and writes it to `folder`, unless a smaller capsule of its signature is there. What
/// stands in the way is told, and is no trouble of the sweep.
pub fn in_sweep(
    global: &Global,
    subject: &Subject,
    of: u64,
    folder: &Path,
    (options, interrupted): (&Options, &AtomicBool),
) -> Option<Smallest> {
    let mut display = Display::new(global);
    let mut shrunk = || -> Result<Smallest, Box<dyn std::error::Error>> {
        let capsule = capsule_of(subject, of)?;
        let shrunk = search(&capsule, options, interrupted, &mut display)?;
        let path = folder.join("capsule.json");
        let kept = files::capsule(&path).ok().filter(|kept| {
            let is_smaller =
                kept.size().events <= shrunk.after.events && kept.signature() == shrunk.capsule.signature();
            is_smaller
                && kept.bug == shrunk.capsule.bug
                && compare(kept, RunOptions::default()).0.outcome == Outcome::Reproduced
        });
        let after = kept.as_ref().map_or(shrunk.after, Capsule::size);
        if kept.is_none() {
            Draft::create(&path)?.write_capsule(&shrunk.capsule)?;
        }
        Ok(Smallest {
            before: shrunk.before,
            after,
            wall_ms: u64::try_from(shrunk.elapsed.as_millis()).unwrap_or(u64::MAX),
            replay: format!("squall replay {}", quoted(&path.display().to_string())),
            capsule: path,
        })
    };
    let shrunk = shrunk();
    display.finish();
    shrunk
        .map_err(|error| notice(global, &format_args!("not shrunk: {error}")))
        .ok()
}

/// The document of `squall shrink`.
#[derive(Debug, Serialize)]
struct ShrinkResult<'a> {
    /// `squall-shrink/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// What failed, and still does.
    signature: &'a str,
    /// The size of the run before.
    before: Size,
    /// The size of the run now.
    after: Size,
    /// Runs tried.
    attempts: u64,
    /// Whether nothing was left to be tried.
    finished: bool,
    /// Whether a signal ended it.
    interrupted: bool,
    /// Wall time, in milliseconds.
    wall_ms: u64,
    /// Processor time, in milliseconds; null where the system does not tell.
    cpu_ms: Option<u64>,
    /// The capsule.
    capsule: &'a Path,
    /// The line that runs it again.
    replay: String,
}

impl<'a> ShrinkResult<'a> {
    fn new(shrunk: &'a Shrunk, path: &'a Path, interrupted: bool) -> Self {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            schema: "squall-shrink/1",
            tool: TOOL,
            signature: shrunk.capsule.signature().unwrap_or_default(),
            before: shrunk.before,
            after: shrunk.after,
            attempts: shrunk.attempts,
            finished: shrunk.finished,
            interrupted: interrupted && !shrunk.finished,
            wall_ms: ms(shrunk.elapsed),
            cpu_ms: shrunk.cpu.map(ms),
            capsule: path,
            replay: format!("squall replay {}", quoted(&path.display().to_string())),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if self.interrupted {
            let _ = writeln!(
                text,
                "{BAD}INTERRUPTED{BAD:#} after {} attempts",
                grouped(self.attempts)
            );
        }
        let _ = writeln!(text, "{GOOD}shrunk{GOOD:#}  {}", self.signature);
        let mut table = Table::new(
            1,
            ["", "nodes", "clients", "faults", "operations", "decisions", "events"],
        );
        for (name, size) in [("before", &self.before), ("after", &self.after)] {
            let numbers = [
                size.nodes.into(),
                size.clients.into(),
                size.faults as u64,
                size.operations as u64,
                size.decisions as u64,
                size.events,
            ];
            table.row(std::iter::once(name.to_owned()).chain(numbers.map(grouped)));
        }
        text += &table.text();
        let end = match (self.finished, self.interrupted) {
            (true, _) => "nothing left to try",
            (false, true) => "interrupted: this is the smallest so far",
            (false, false) => "stopped",
        };
        let _ = writeln!(
            text,
            "{DIM}{} attempts in {}.{} s, {end}; run twice more{DIM:#}",
            grouped(self.attempts),
            self.wall_ms / 1000,
            self.wall_ms % 1000 / 100,
        );
        let _ = writeln!(text, "replay      {}", self.replay);
        text
    }
}

/// Shows how the size goes down.
pub struct Display<'a> {
    global: &'a Global,
    bar: Option<ProgressBar>,
    plain: bool,
    last_line: Duration,
}

impl<'a> Display<'a> {
    /// In the style that was asked for.
    pub fn new(global: &'a Global) -> Self {
        let (bar, plain) = progress::spinner(global);
        Self {
            global,
            bar,
            plain,
            last_line: Duration::ZERO,
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Display<'_> {
    fn progress(&mut self, progress: &Progress) {
        let Progress {
            pass,
            before,
            now,
            attempts,
            elapsed,
        } = progress;
        let line = || {
            format!(
                "{} → {} events, {} → {} faults, {} → {} operations  ({pass}, {} attempts)",
                grouped(before.events),
                grouped(now.events),
                before.faults,
                now.faults,
                before.operations,
                now.operations,
                grouped(*attempts),
            )
        };
        if let Some(bar) = &self.bar {
            let gone = before.events.saturating_sub(now.events);
            bar.set_length(before.events.max(1));
            bar.set_position(gone);
            bar.set_message(line());
        } else if self.plain && *elapsed >= self.last_line + progress::HEARTBEAT {
            self.last_line = *elapsed;
            notice(self.global, &format_args!("{} s: {}", elapsed.as_secs(), line()));
        }
    }
}
