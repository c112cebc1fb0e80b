//! Results as data: the JSON documents of the command line, whose keys are stable, and what text and JSON share.

use super::ci::{Case, Failed, Suite};
use super::output::{BAD, GOOD, WIDTH, grouped, indented, labelled, span, wrapped};
use super::seed;
use super::subject::Subject;
use crate::TOOL;
use crate::expectation;
use crate::plain;
use crate::run::RunReport;
use crate::scenario::Known;
use crate::setup::Draw;
use crate::situations::Situations;
use crate::swarm;
use crate::verdict::{Failure, FailureKind};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use simulator::Exposure;
use std::fmt::Write;
use std::path::PathBuf;

/// One run: the document of `squall run` and `squall replay`.
///
/// Times are nanoseconds of virtual time; seeds are texts, as JSON's numbers do not hold 64 bits everywhere.
#[derive(Debug, Serialize)]
pub struct RunResult {
    /// `squall-run/1`.
    pub schema: &'static str,
    /// What wrote it, with its version.
    pub tool: &'static str,
    /// The scenario's own name.
    pub scenario: String,
    /// `0x` and 16 hexadecimal digits.
    pub seed: String,
    /// `pass` or `fail`.
    pub verdict: &'static str,
    /// Why the run does not count as passed; null if it does.
    pub failure: Option<Failure>,
    /// How the run ended, where the scenario expects a violation: the failure that makes it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Failure>,
    /// The line that does it again.
    pub replay: String,
    /// What the seed drew from the scenario's choices, as far as the system has them.
    #[serde(rename = "draw")]
    draw_told: Value,
    #[serde(skip)]
    draw: Draw,
    #[serde(skip)]
    known: Known,
    /// For a scenario with `[swarm]`, the scenario that the seed drew: a file of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<String>,
    /// The same as the settings that differ from the scenario's own, and the faults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub swarm: Vec<String>,
    /// Whether a swarm drew them, and not the lists alone that stand for single values.
    #[serde(skip)]
    is_swarm: bool,
    /// Events handled.
    pub events: u64,
    /// True time at the end.
    pub end_ns: u64,
    /// Operations that clients started.
    pub operations: usize,
    /// Of those, how many have an unknown outcome.
    pub unknown_outcomes: usize,
    /// Log entries committed.
    pub committed: u64,
    /// How many election timeouts after the faults the cluster reached each milestone of `[recovery]`.
    pub recovery: Recovered,
    /// How often each fault class fired.
    pub faults: Counts,
    /// Planned faults that found no target.
    pub faults_skipped: u64,
    /// How often each situation was reached.
    pub situations: Counts,
    /// The digest of all events.
    pub digest: String,
    /// What is to be known of the digest before it is compared with another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_note: Option<&'static str>,
    /// The trace that was written.
    pub trace: Option<PathBuf>,
    /// The history that was written.
    pub history: Option<PathBuf>,
    /// For `replay` of a trace, how it compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// How a run compares with the trace that it repeats.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Whether the digests are equal.
    pub same: bool,
    /// The digest in the trace's footer.
    pub recorded_digest: String,
    /// The verdict in the trace's footer.
    pub recorded_verdict: String,
    /// What recorded it.
    pub recorded_by: String,
    /// The first event that differs, if the digests do.
    pub first_difference: Option<String>,
}

/// Counters by name, in the order in which reports show them.
#[derive(Clone, Debug)]
pub struct Counts(pub Vec<(&'static str, u64)>);

impl Counts {
    /// Of the fault classes.
    pub fn of_faults(exposure: &Exposure) -> Self {
        Self(exposure.iter().map(|(class, count)| (class.name(), count)).collect())
    }

    /// Of the situations.
    pub fn of_situations(situations: &Situations) -> Self {
        Self(
            situations
                .iter()
                .map(|(situation, count)| (situation.name(), count))
                .collect(),
        )
    }

    /// Name and count, in words; those at zero only if `all`.
    fn words(&self, all: bool) -> Vec<String> {
        let shown = self.0.iter().filter(|(_, count)| all || *count > 0);
        let words: Vec<_> = shown
            .map(|(name, count)| format!("{name} {}", grouped(*count)))
            .collect();
        if words.is_empty() {
            vec!["none".to_owned()]
        } else {
            words
        }
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0
            .iter()
            .try_for_each(|(name, count)| map.serialize_entry(name, count))?;
        map.end()
    }
}

/// Milestones of the recovery, in whole election timeouts, rounded up; 0 for what was not reached.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Recovered {
    elect: u64,
    converge: u64,
    serve: u64,
    durable: u64,
}

impl Recovered {
    /// From thousandths of an election timeout.
    pub fn of(thousandths: [u64; 4]) -> Self {
        let [elect, converge, serve, durable] = thousandths.map(|of| of.div_ceil(1_000));
        Self {
            elect,
            converge,
            serve,
            durable,
        }
    }
}

impl RunResult {
    /// From a run of `subject`.
    pub fn new(subject: &Subject, report: &RunReport) -> Self {
        let failure = expectation::judged(&subject.scenario, report.failure.clone());
        let replay = match &failure {
            Some(failure) => subject.replay_of(report.seed, failure),
            None => subject.replay_line(report.seed),
        };
        let expected = if failure.is_none() {
            report.failure.clone()
        } else {
            None
        };
        Self {
            schema: "squall-run/1",
            tool: TOOL,
            scenario: subject.scenario.name.clone(),
            seed: seed::shown(report.seed),
            verdict: if failure.is_some() { "fail" } else { "pass" },
            failure,
            expected,
            replay,
            draw_told: draw_told(&report.draw, &subject.scenario.known),
            draw: report.draw,
            known: subject.scenario.known,
            drawn: report.resolved.as_ref().map(|drawn| drawn.to_toml()),
            is_swarm: subject.scenario.swarm.is_some(),
            swarm: report
                .resolved
                .as_ref()
                .map_or_else(Vec::new, |drawn| swarm::difference(&subject.scenario, drawn)),
            events: report.events,
            end_ns: report.end.0,
            operations: report.operations,
            unknown_outcomes: report.unknown_outcomes,
            committed: report.committed,
            recovery: Recovered::of(report.recovered),
            faults: Counts::of_faults(&report.exposure),
            faults_skipped: report.exposure.skipped(),
            situations: Counts::of_situations(&report.situations),
            digest: report.digest.to_string(),
            digest_note: None,
            trace: None,
            history: None,
            comparison: None,
        }
    }

    /// How the run ended, whatever was expected of it.
    pub fn ended(&self) -> Option<&Failure> {
        self.failure.as_ref().or(self.expected.as_ref())
    }

    /// The code to exit with, by the verdict alone.
    pub fn exit_code(&self) -> u8 {
        self.failure
            .as_ref()
            .map_or(super::exit::PASSED, |failure| failure.kind.exit_code())
    }

    /// For continuous integration: a case of its own for the run, and one for a digest that is not that of the record.
    pub fn suite(&self, name: &'static str, subject: &Subject) -> Suite {
        let failed = |failure: &Failure| Failed {
            failure: failure.clone(),
            seed: Some(self.seed.clone()),
            replay: Some(self.replay.clone()),
            artefacts: self.trace.as_ref().map(|path| path.display().to_string()),
        };
        let case = |failed| Case {
            scenario: self.scenario.clone(),
            file: subject.file(),
            extent: format!("seed {}", self.seed),
            failed,
        };
        let mut cases = vec![case(self.failure.as_ref().map(failed))];
        if let Some(comparison) = self.comparison.as_ref().filter(|comparison| !comparison.same) {
            let differs = comparison
                .first_difference
                .as_deref()
                .unwrap_or("no recorded event differs");
            let message = format!("the digest is not the recorded one: {differs}");
            let failure = Failure::new(FailureKind::NonDeterminism, "deterministic", "digest", message);
            cases.push(case(Some(failed(&failure))));
        }
        let passed = cases.iter().all(|case| case.failed.is_none());
        let verdict = self
            .failure
            .as_ref()
            .map_or_else(String::new, |failure| format!("  {failure}"));
        let word = if passed { "PASS" } else { "FAIL" };
        Suite {
            name,
            of: "scenario",
            verdict: format!("{word} {}  {}{verdict}", self.seed, self.scenario),
            cases,
        }
    }

    /// For a person; with `all`, counters at zero too.
    pub fn text(&self, all: bool) -> String {
        self.head() + &self.rest(all)
    }

    /// The verdict, with all that it takes to come to it again if it is a failure.
    pub fn head(&self) -> String {
        let mut text = String::new();
        let _ = match (&self.failure, &self.expected) {
            (Some(failure), _) => write!(
                text,
                "{}{}",
                failed(&self.seed, &self.scenario, failure),
                indented(&format!("replay: {}", self.replay), 5)
            ),
            (None, None) => writeln!(text, "{GOOD}PASS{GOOD:#} {}  {}", self.seed, self.scenario),
            (None, Some(failure)) => {
                writeln!(
                    text,
                    "{GOOD}PASS{GOOD:#} {}  {}  as expected: {failure}",
                    self.seed, self.scenario
                )
            }
        };
        text
    }

    /// What comes after the head; with `all`, counters at zero too.
    pub fn rest(&self, all: bool) -> String {
        let mut text = labelled("drawn", &drawn(&self.draw, &self.known));
        if !self.swarm.is_empty() {
            text += &labelled(if self.is_swarm { "swarm" } else { "lists" }, &self.swarm);
        }
        let operations = format!(
            "{} operations ({} of unknown outcome)",
            grouped(self.operations as u64),
            grouped(self.unknown_outcomes as u64)
        );
        let mut ran = vec![
            format!("{} events", grouped(self.events)),
            format!("{} simulated", span(self.end_ns.into())),
            operations,
        ];
        if self.known.has_log_settings {
            ran.push(format!("{} entries committed", grouped(self.committed)));
        }
        text += &labelled("ran", &ran);
        text += &labelled("faults", &self.faults.words(all));
        text += &labelled("situations", &self.situations.words(all));
        let digest = std::iter::once(self.digest.clone()).chain(self.digest_note.map(|note| format!("({note})")));
        text += &labelled("digest", &digest.collect::<Vec<_>>());
        for (label, path) in [("trace", &self.trace), ("history", &self.history)] {
            if let Some(path) = path {
                text += &labelled(label, &[path.display().to_string()]);
            }
        }
        if let Some(comparison) = &self.comparison {
            text += &comparison.text();
        }
        if self.failure.is_none() {
            text += &labelled("replay", std::slice::from_ref(&self.replay));
        }
        text
    }
}

impl Comparison {
    fn text(&self) -> String {
        if self.same {
            return labelled("comparison", &[format!("{GOOD}same{GOOD:#} digest as in the trace")]);
        }
        let mut text = labelled(
            "comparison",
            &[format!(
                "{BAD}different{BAD:#} digest: the trace has {}",
                self.recorded_digest
            )],
        );
        text += &indented(
            &format!(
                "recorded by {}, with the verdict {}",
                self.recorded_by, self.recorded_verdict
            ),
            12,
        );
        text + &indented(
            self.first_difference.as_deref().unwrap_or("no recorded event differs"),
            12,
        )
    }
}

/// The head of a failure and its reasons, for a person.
pub fn failed(seed: &str, scenario: &str, failure: &Failure) -> String {
    const INDENT: usize = 5;
    let what = failure.to_string();
    let (scenario, what) = (plain::line(scenario), plain::line(&what));
    let head = format!("{BAD}FAIL{BAD:#} {seed}  {scenario}  {BAD}{what}{BAD:#}\n");
    let message = wrapped(&format!("{}: {}", failure.kind.name(), failure.message), WIDTH - INDENT).join("\n");
    head + &indented(&plain::block(&message), INDENT) + &indented(&failure.details, INDENT)
}

/// What is drawn, without the settings that the system does not have.
fn draw_told(draw: &Draw, known: &Known) -> Value {
    let mut told = serde_json::to_value(draw).expect("numbers and words have a JSON form");
    if let (Value::Object(told), false) = (&mut told, known.has_log_settings) {
        let of_any = [
            "nodes",
            "clients",
            "keys",
            "operations",
            "value_bytes",
            "sticky",
            "spares",
            "damageable",
        ];
        told.retain(|key, _| of_any.contains(&key.as_str()));
    }
    told
}

fn drawn(draw: &Draw, known: &Known) -> Vec<String> {
    let mut drawn = vec![
        format!("{} nodes", draw.nodes),
        format!("{} clients{}", draw.clients, if draw.sticky { " (sticky)" } else { "" }),
        format!("{} keys", draw.keys),
        format!("{} operations each", draw.operations),
        format!("{} B values", draw.value_bytes),
    ];
    if !known.has_log_settings {
        return drawn;
    }
    drawn.extend([
        format!("pre-vote {}", if draw.pre_vote { "on" } else { "off" }),
        format!("{} entries per append", draw.max_entries_per_append),
        format!("{} B per append", draw.max_bytes_per_append),
        format!("{} in flight", draw.max_inflight),
    ]);
    drawn
}
