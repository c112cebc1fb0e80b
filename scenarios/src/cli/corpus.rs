//! `squall corpus`: a folder of capsules that are kept, and replayed whenever the code changes.

use super::ci::{self, Reports, Suite};
use super::error::CliError;
use super::expected::{self, Expect};
use super::files::{self, Draft};
use super::output::{self, BAD, GOOD, Table, grouped};
use super::subject::quoted;
use super::{Done, Global, artefacts, exit, seed};
use crate::capsule::{Capsule, Expectation, Outcome, compare};
use crate::run::RunOptions;
use crate::whole;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
The folder is corpus where none is named. What a capsule expects is in its `outcome`: a planted bug's failure stays, and a
mended bug's capsule is expected to pass (`add --expect-pass`).

Examples:
  squall corpus add target/squall/failures/linearizable--kv/capsule.json
  squall corpus verify                                 all of them, as CI does
  squall corpus prune                                  keep the smallest of each signature and bug";

/// Arguments of `squall corpus`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CorpusArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Copy capsules into the folder, unless a smaller one of the same failure is there
    Add {
        /// Capsules
        #[arg(value_name = "CAPSULE", required = true)]
        capsules: Vec<PathBuf>,
        /// The folder
        #[arg(long, value_name = "DIR", default_value = DEFAULT)]
        dir: PathBuf,
        /// Expect that the run passes: the bug is mended
        #[arg(long)]
        expect_pass: bool,
    },
    /// Show what is in the folder
    List {
        /// The folder
        #[arg(value_name = "DIR", default_value = DEFAULT)]
        dir: PathBuf,
    },
    /// Run each capsule, and compare with what it says
    Verify {
        /// The folder
        #[arg(value_name = "DIR", default_value = DEFAULT)]
        dir: PathBuf,
        /// Fail too when a capsule is stale: it ends as expected, on other events than before
        #[arg(long)]
        same: bool,
        #[command(flatten)]
        reports: Reports,
    },
    /// Remove what is not the smallest of its failure, and what is reproduced no more
    Prune {
        /// The folder
        #[arg(value_name = "DIR", default_value = DEFAULT)]
        dir: PathBuf,
    },
}

impl CorpusArgs {
    /// Whether capsules are run again.
    pub fn verifies(&self) -> bool {
        matches!(self.what, What::Verify { .. })
    }
}

/// The folder of capsules where none is named.
const DEFAULT: &str = "corpus";

/// Carries out `squall corpus`.
pub fn corpus(args: &CorpusArgs, global: &Global) -> Done {
    match &args.what {
        What::Add {
            capsules,
            dir,
            expect_pass,
        } => add(capsules, dir, *expect_pass, global),
        What::List { dir } => list(dir, global),
        What::Verify { dir, same, reports } => verify(dir, *same, reports, global),
        What::Prune { dir } => prune(dir, global),
    }
}

/// A capsule of a folder.
struct Entry {
    path: PathBuf,
    capsule: Capsule,
}

impl Entry {
    /// What it is a capsule of: two of the same are one too many.
    fn failure(&self) -> (Option<&str>, Option<&str>, Expectation) {
        let bug = self.capsule.bug.map(|bug| bug.id);
        (bug, self.capsule.signature(), self.capsule.outcome.verdict)
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().display().to_string()
    }
}

/// All capsules of a folder, by name.
fn entries(dir: &Path) -> Result<Vec<Entry>, CliError> {
    let unreadable = |error| CliError::Unreadable {
        path: dir.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if files::is_capsule(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let capsule = files::capsule(&path)?;
        Ok(Entry { path, capsule })
    };
    paths.into_iter().map(read).collect()
}

fn add(capsules: &[PathBuf], dir: &Path, expect_pass: bool, global: &Global) -> Done {
    artefacts::folder(dir)?;
    let mut there = entries(dir)?;
    let mut text = String::new();
    for path in capsules {
        let mut capsule = files::capsule(path)?;
        if expect_pass {
            capsule.outcome.verdict = Expectation::Pass;
        }
        let (comparison, report) = compare(&capsule, RunOptions::default());
        let ended = report.failure.as_ref().map(|failure| failure.signature.as_str());
        let is_met = match capsule.outcome.verdict {
            Expectation::Pass => ended.is_none(),
            Expectation::Fail => comparison.outcome == Outcome::Reproduced,
        };
        if !is_met {
            return Err(CliError::BadFile {
                path: path.clone(),
                what: format!(
                    "it ends otherwise ({}) than expected, so it cannot be kept: make it anew, or see --expect-pass",
                    ended.unwrap_or("pass")
                ),
            });
        }
        let entry = Entry {
            path: dir.join(artefacts::folder_name(&name_of(&capsule)) + ".capsule.json"),
            capsule,
        };
        let smaller = there.iter().find(|kept| {
            kept.failure() == entry.failure() && kept.capsule.outcome.events <= entry.capsule.outcome.events
        });
        if let Some(kept) = smaller {
            let _ = writeln!(
                text,
                "{}: {} is of the same failure and not larger",
                path.display(),
                kept.name()
            );
            continue;
        }
        let entry = Entry {
            path: free(entry.path.clone(), &entry, &there),
            capsule: entry.capsule,
        };
        Draft::create(&entry.path)?.write_capsule(&entry.capsule)?;
        let _ = writeln!(text, "{}: added as {}", path.display(), entry.path.display());
        there.retain(|kept| kept.path != entry.path);
        there.push(entry);
    }
    output::result(global, &text, || text.clone())?;
    Ok(exit::PASSED)
}

/// The path of a capsule, or the next like it: one of that name may be of another failure, and is not written over.
fn free(path: PathBuf, entry: &Entry, there: &[Entry]) -> PathBuf {
    let is_free = |path: &Path| {
        there
            .iter()
            .all(|kept| kept.path != path || kept.failure() == entry.failure())
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".capsule.json").unwrap_or(&name).to_owned();
    let others = (2..).map(|number| path.with_file_name(format!("{stem}-{number}.capsule.json")));
    let mut paths = std::iter::once(path.clone()).chain(others);
    paths.find(|path| is_free(path)).unwrap_or(path)
}

fn name_of(capsule: &Capsule) -> String {
    let bug = capsule
        .bug
        .map_or_else(|| "none".to_owned(), |bug| bug.id.to_ascii_lowercase());
    let ends = match capsule.outcome.verdict {
        Expectation::Pass => "-passes",
        Expectation::Fail => "",
    };
    format!(
        "{bug}-{}{ends}",
        capsule.signature().unwrap_or(&capsule.origin.scenario)
    )
}

/// A line of `list` and `verify`.
#[derive(Debug, Serialize)]
struct Line {
    /// The file's name.
    capsule: String,
    /// The planted bug.
    bug: Option<&'static str>,
    /// The failure it is of.
    signature: Option<String>,
    /// How it must end.
    expect: Expectation,
    /// Faults.
    faults: usize,
    /// Operations.
    operations: usize,
    /// Events.
    events: u64,
    /// What has become of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<String>,
    /// Whether its events are others than they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<bool>,
}

impl Line {
    fn new(entry: &Entry) -> Self {
        let size = entry.capsule.size();
        Self {
            capsule: entry.name(),
            bug: entry.capsule.bug.map(|bug| bug.id),
            signature: entry.capsule.signature().map(str::to_owned),
            expect: entry.capsule.outcome.verdict,
            faults: size.faults,
            operations: size.operations,
            events: size.events,
            now: None,
            stale: None,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let mut table = Table::new(4, ["capsule", "bug", "expect", "now", "faults", "operations", "events"]);
    for line in lines {
        let expect = match line.expect {
            Expectation::Pass => "pass",
            Expectation::Fail => "fail",
        };
        let stale = if line.stale == Some(true) { ", stale" } else { "" };
        table.row([
            line.capsule.clone(),
            line.bug.unwrap_or("").to_owned(),
            expect.to_owned(),
            line.now.clone().unwrap_or_default() + stale,
            line.faults.to_string(),
            line.operations.to_string(),
            grouped(line.events),
        ]);
    }
    table.text()
}

fn list(dir: &Path, global: &Global) -> Done {
    let lines: Vec<Line> = entries(dir)?.iter().map(Line::new).collect();
    output::result(global, &lines, || table(&lines))?;
    Ok(exit::PASSED)
}

fn verify(dir: &Path, same: bool, reports: &Reports, global: &Global) -> Done {
    let drafts = reports.drafts();
    let entries = entries(dir)?;
    if entries.is_empty() {
        return Err(CliError::Nothing(format!(
            "{}: there is no capsule in it",
            dir.display()
        )));
    }
    let (mut lines, mut cases, mut code) = (Vec::new(), Vec::new(), exit::PASSED);
    for entry in &entries {
        let (comparison, report) = compare(&entry.capsule, RunOptions::default());
        let ended = report.failure.as_ref();
        let expected = Expect::from(entry.capsule.outcome.verdict);
        let missed = expected.missed(&comparison, ended);
        let missed = missed.or_else(|| Expect::Same.missed(&comparison, ended).filter(|_| same));
        code = code.max(missed.as_ref().map_or(exit::PASSED, |(_, code)| *code));
        let file = entry.path.display().to_string();
        let failure = missed.as_ref().map(|(failure, _)| failure);
        if let Some(failure) = failure {
            let replay = format!("squall replay {}", quoted(&file));
            let seed = seed::parse(&entry.capsule.origin.seed).ok();
            output::found(global, seed, &entry.capsule.origin.scenario, failure, &replay);
        }
        cases.push(expected::case(&entry.capsule, &file, &comparison, failure));
        lines.push(Line {
            now: Some(match ended {
                None => "passes".to_owned(),
                Some(_) if comparison.outcome == Outcome::Reproduced => "fails as expected".to_owned(),
                Some(failure) => failure.signature.clone(),
            }),
            stale: Some(comparison.stale),
            ..Line::new(entry)
        });
    }
    let (style, word) = if code == exit::PASSED {
        (GOOD, "PASS")
    } else {
        (BAD, "FAIL")
    };
    let suite = Suite {
        name: "squall corpus verify",
        verdict: format!("{word} {} capsules", lines.len()),
        of: "capsule",
        cases,
    };
    let verdict = || format!("{style}{word}{style:#} {} capsules\n", lines.len());
    ci::result(global, drafts, &lines, &suite, || table(&lines) + &verdict());
    Ok(code)
}

fn prune(dir: &Path, global: &Global) -> Done {
    let entries = entries(dir)?;
    let mut text = String::new();
    let mut gone = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let size = |entry: &Entry| entry.capsule.outcome.events;
        let smaller = entries
            .iter()
            .enumerate()
            .find(|(other, kept)| kept.failure() == entry.failure() && (size(kept), *other) < (size(entry), number));
        let ends_otherwise = || {
            let (comparison, _) = compare(&entry.capsule, RunOptions::default());
            entry.capsule.outcome.verdict == Expectation::Fail && comparison.outcome != Outcome::Reproduced
        };
        let why = match smaller {
            Some((_, kept)) => format!("{} is smaller", kept.name()),
            None if ends_otherwise() => "its failure is gone".to_owned(),
            None => continue,
        };
        whole::remove(&entry.path).map_err(|error| CliError::Unwritable {
            path: entry.path.clone(),
            error,
        })?;
        let _ = writeln!(text, "removed {}: {why}", entry.name());
        gone.push(entry.name());
    }
    let _ = writeln!(text, "{} of {} capsules removed", gone.len(), entries.len());
    output::result(global, &gone, || text)?;
    Ok(exit::PASSED)
}
