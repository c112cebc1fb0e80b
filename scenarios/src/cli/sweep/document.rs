//! What a sweep says in the end: the document, the tables on a terminal, the suite for continuous integration.

use super::thin::{self, Thin};
use crate::TOOL;
use crate::cli::ci::{Case, Failed, Suite};
use crate::cli::exit;
use crate::cli::output::{BAD, DIM, GOOD, Table, compact, grouped, indented, span};
use crate::cli::results::{Counts, Recovered, failed};
use crate::cli::seed;
use crate::cli::shrink::Smallest;
use crate::cli::signals;
use crate::cli::subject::Subject;
use crate::sweep::{Group, SweepReport, Tally};
use crate::verdict::{Failure, FailureKind};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Most scenarios beside each other in a table.
const COLUMNS_MAX: usize = 12;

/// The document of `squall sweep`. All but `time` is the same for any number of threads, unless a limit on time or an
/// interruption ended the sweep.
#[derive(Debug, Serialize)]
pub(super) struct SweepResult {
    /// `squall-sweep/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// `pass`, `fail` or `interrupted`.
    verdict: &'static str,
    /// The exit code.
    pub(super) exit_code: u8,
    /// Whether `--max-fail` ended it.
    stopped_early: bool,
    /// Whether Ctrl-C ended it.
    interrupted: bool,
    /// All scenarios together.
    total: Row,
    /// Each scenario.
    scenarios: Vec<Row>,
    /// Failures by signature, in the order in which they came up.
    pub(super) failures: Vec<FailureGroup>,
    /// What was found beyond the run at which `--max-fail` ended the sweep, and told before that was known: it depends on the machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beyond: Vec<Beyond>,
    /// What has not come about, in too few runs for that to be a failure.
    thin_coverage: Vec<Thin>,
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
pub(super) struct FailureGroup {
    /// What they share.
    pub(super) signature: String,
    /// How many runs failed so; 0 for what only the whole sweep shows.
    pub(super) count: u64,
    /// The scenario of the first.
    pub(super) scenario: String,
    /// Its seed; null for what only the whole sweep shows.
    pub(super) seed: Option<String>,
    /// The line that runs it again.
    pub(super) replay: Option<String>,
    /// The first failure.
    pub(super) failure: Failure,
    /// The folder with its trace, history and summary.
    pub(super) artefacts: Option<PathBuf>,
    /// What it was made smaller to.
    pub(super) shrunk: Option<Smallest>,
}

/// A failure of a run that does not belong to the sweep any more.
#[derive(Debug, Serialize)]
struct Beyond {
    /// Property and place.
    signature: String,
    /// The scenario.
    scenario: String,
    /// The seed.
    seed: Option<String>,
    /// The line that runs it again.
    replay: Option<String>,
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
    pub(super) fn new(subjects: &[Subject], report: &SweepReport, failures: Vec<FailureGroup>, jobs: usize) -> Self {
        let mut total = Tally::default();
        report.scenarios.iter().for_each(|tally| total.merge(tally));
        let rows = subjects.iter().zip(&report.scenarios);
        let musts = |subject: &Subject| {
            let expect = &subject.scenario.expect;
            let fired = expect.fired.iter().flatten();
            fired
                .chain(&expect.reach)
                .map(|expected| expected.name.clone())
                .collect()
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
                signals::exit_code()
            } else {
                verdict_code
            },
            stopped_early: report.stopped_early,
            interrupted: report.interrupted,
            scenarios: rows
                .map(|(of, tally)| Row::new(of.scenario.name.clone(), tally, musts(of)))
                .collect(),
            failures,
            beyond: report.beyond.iter().map(|group| Beyond::new(group, subjects)).collect(),
            thin_coverage: Thin::of(report, subjects.iter().map(|subject| &subject.scenario)),
            time: Cost::new(&total, report, jobs),
            total: Row::new("total".to_owned(), &total, Vec::new()),
        }
    }

    pub(super) fn text(&self, all: bool) -> String {
        let mut text = self.runs_table();
        text += "\nFault classes: in how many runs, and how often, each fired (! : expected, and never did)\n";
        text += &self.counts_table(all, |row| (&row.faults, &row.runs_with_fault));
        text += "\nSituations: in how many runs, and how often, each was reached (! : expected, and never was)\n";
        text += &self.counts_table(all, |row| (&row.situations, &row.runs_with_situation));
        text.push('\n');
        for group in &self.failures {
            text += &group.text();
        }
        for beyond in &self.beyond {
            let seed = beyond.seed.as_deref().unwrap_or_default();
            let _ = writeln!(text, "also found {seed}  {}  {}", beyond.scenario, beyond.signature);
            let _ = writeln!(text, "     replay: {}", beyond.replay.as_deref().unwrap_or_default());
        }
        text += &thin::text(&self.thin_coverage);
        text + &self.time.text(&self.total) + &self.verdict_line()
    }

    /// For continuous integration: a case for each scenario that passed and for each signature.
    pub(super) fn suite(&self, subjects: &[Subject]) -> Suite {
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
            "pass" => format!(
                "{GOOD}PASS{GOOD:#} {} runs{}\n",
                grouped(self.total.runs),
                thin::note(&self.thin_coverage)
            ),
            "interrupted" => format!(
                "{BAD}INTERRUPTED{BAD:#} after {} runs, {} failed\n",
                grouped(self.total.runs),
                grouped(self.total.failed)
            ),
            _ => format!("{BAD}FAIL{BAD:#} {}{more}\n", self.reasons()),
        }
    }

    /// Why the sweep failed: runs, or what all of them never showed, or both.
    fn reasons(&self) -> String {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let signatures = self.failures.iter().filter(|group| group.count > 0).count();
        let missing = self.failures.len() - signatures;
        let runs = grouped(self.total.runs);
        let failed = format!(
            "{} of {runs} runs failed, {signatures} signature{}",
            grouped(self.total.failed),
            plural(signatures)
        );
        match (signatures, missing) {
            (_, 0) => failed,
            (0, _) => format!(
                "{missing} thing{} that must come about never did; of {runs} runs none failed by itself",
                plural(missing)
            ),
            _ => format!(
                "{failed}; {missing} thing{} that must come about never did",
                plural(missing)
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

impl Beyond {
    fn new(group: &Group, subjects: &[Subject]) -> Self {
        let subject = &subjects[group.scenario];
        Self {
            signature: group.failure.signature.clone(),
            scenario: subject.scenario.name.clone(),
            seed: group.seed.map(seed::shown),
            replay: group.seed.map(|of| subject.replay_of(of, &group.failure)),
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
