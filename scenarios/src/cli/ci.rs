//! What continuous integration reads: JUnit XML, annotations of GitHub, and a summary in Markdown. Each failure has its seed and
//! the line that runs it again.
//!
//! A result of a command is a [`Suite`] here; the three forms are made of that, to standard output (`--format`) or to files
//! (`--junit`, `--markdown`). Where `GITHUB_STEP_SUMMARY` names a file, the summary is added to it too.

use super::error::CliError;
use super::files::Draft;
use super::output;
use super::{Format, Global};
use crate::plain;
use crate::verdict::{Failure, FailureKind};
use crate::whole::Appended;
use anstream::adapter::strip_str;
use clap::Args;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Longest message of an annotation, in characters: GitHub cuts at 64 KiB.
const ANNOTATION_MAX: usize = 8_000;

/// Files for continuous integration.
#[derive(Args, Clone, Debug, Default)]
pub struct Reports {
    /// Write the results as JUnit XML, with seed and replay line of each failure
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a summary in Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Add that summary to this file
    #[arg(long, value_name = "FILE", env = "GITHUB_STEP_SUMMARY")]
    step_summary: Option<PathBuf>,
}

impl Reports {
    /// Begins the files, so that what cannot be made is known before anything runs.
    pub fn drafts(&self) -> Drafts {
        Drafts {
            junit: Draft::beside(self.junit.as_deref()),
            markdown: Draft::beside(self.markdown.as_deref()),
            step_summary: self.step_summary.clone().filter(|path| !path.as_os_str().is_empty()),
        }
    }
}

/// Files that are yet to be written.
#[derive(Debug)]
pub struct Drafts {
    junit: Option<Draft>,
    markdown: Option<Draft>,
    step_summary: Option<PathBuf>,
}

/// What a command has run.
#[derive(Debug)]
pub struct Suite {
    /// `squall run` and so on.
    pub name: &'static str,
    /// One line: verdict and extent.
    pub verdict: String,
    /// What a case that passed is called.
    pub of: &'static str,
    /// What passed and what failed.
    pub cases: Vec<Case>,
}

/// A scenario that passed, or a failure.
#[derive(Debug)]
pub struct Case {
    /// The scenario.
    pub scenario: String,
    /// The scenario's file, if it is one.
    pub file: Option<String>,
    /// What was run, in a few words.
    pub extent: String,
    /// How it failed.
    pub failed: Option<Failed>,
}

/// A failure of a case.
#[derive(Debug)]
pub struct Failed {
    /// The first of its kind.
    pub failure: Failure,
    /// Its seed; none for what only a whole sweep shows.
    pub seed: Option<String>,
    /// The line that runs it again.
    pub replay: Option<String>,
    /// The folder with its trace and page.
    pub artefacts: Option<String>,
}

/// Writes a verdict in the format that was asked for, and then the files that were asked for. What cannot be written is told, and
/// changes nothing of the verdict.
pub fn result(global: &Global, drafts: Drafts, json: &impl Serialize, suite: &Suite, human: impl FnOnce() -> String) {
    match global.format {
        Format::Junit => output::raw_verdict(&suite.verdict, || suite.junit()),
        Format::Github => output::raw_verdict(&suite.verdict, || suite.annotations()),
        Format::Markdown => output::raw_verdict(&suite.verdict, || plain::output(&suite.markdown())),
        Format::Human | Format::Json => output::verdict(global, json, &suite.verdict, human),
    }
    let Drafts {
        junit,
        markdown,
        step_summary,
    } = drafts;
    let junit = junit.map(|draft| output::spared(|| draft.write(|out| out.write_all(suite.junit().as_bytes()))));
    let markdown =
        markdown.map(|draft| output::spared(|| draft.write(|out| out.write_all(suite.markdown().as_bytes()))));
    let step_summary = step_summary.map(|path| output::spared(|| add(suite, path)));
    for error in [junit, markdown, step_summary]
        .into_iter()
        .flatten()
        .filter_map(Result::err)
    {
        output::lost(&error);
    }
}

/// GitHub shows what is in this file on the page of the job; other steps may have written to it.
fn add(suite: &Suite, path: PathBuf) -> Result<PathBuf, CliError> {
    let added = Appended::open(&path).and_then(|mut file| file.add(suite.markdown().as_bytes()));
    match added {
        Ok(()) => Ok(path),
        Err(error) => Err(CliError::NotAdded { path, error }),
    }
}

impl Suite {
    /// As JUnit XML.
    pub fn junit(&self) -> String {
        let mut report = Report::new(self.name);
        let mut suite = TestSuite::new(self.name);
        suite.set_system_out(format!("{}\n", plain::block(&self.verdict)));
        suite.add_test_cases(self.cases.iter().map(Case::junit));
        report.add_test_suite(suite);
        report.to_string().expect("a report of texts is XML")
    }

    /// As workflow commands of GitHub: one error for each failure, and a notice.
    pub fn annotations(&self) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let Some(failed) = &case.failed else { continue };
            let title = format!("{}: {}", case.scenario, failed.failure.signature);
            let file = case
                .file
                .as_ref()
                .map_or_else(String::new, |file| format!("file={},", property(file)));
            let message: String = failed.text().chars().take(ANNOTATION_MAX).collect();
            let _ = writeln!(text, "::error {file}title={}::{}", property(&title), data(&message));
        }
        let _ = writeln!(text, "::notice title={}::{}", self.name, data(&self.verdict));
        text
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}: {}\n\n", self.name, cell(&self.verdict));
        let failures = self.cases.iter().filter_map(|case| Some((case, case.failed.as_ref()?)));
        let failures: Vec<_> = failures.collect();
        if !failures.is_empty() {
            text += "| failure | scenario | seed | runs |\n|---|---|---|---|\n";
        }
        for (case, failed) in &failures {
            let seed = failed
                .seed
                .as_deref()
                .map_or_else(|| "–".to_owned(), |seed| format!("`{seed}`"));
            let signature = cell(&failed.failure.signature);
            let _ = writeln!(
                text,
                "| {signature} | {} | {seed} | {} |",
                cell(&case.scenario),
                cell(&case.extent)
            );
        }
        for (_, failed) in &failures {
            let fence = fence(&failed.text());
            let _ = writeln!(
                text,
                "\n<details><summary>{}</summary>\n\n{fence}text\n{}{fence}\n\n</details>",
                cell(&failed.failure.signature),
                failed.text()
            );
        }
        let passed = self.cases.iter().filter(|case| case.failed.is_none()).count();
        if passed > 0 {
            let s = if passed == 1 { "" } else { "s" };
            let _ = writeln!(text, "\n{passed} {}{s} passed.", self.of);
        }
        text + "\n"
    }
}

impl Case {
    fn junit(&self) -> TestCase {
        let Some(failed) = &self.failed else {
            let mut case = TestCase::new(&*plain::line(&self.extent), TestCaseStatus::success());
            case.set_classname(&*plain::line(&self.scenario));
            return case;
        };
        let kind = match failed.failure.kind {
            FailureKind::Inconclusive | FailureKind::Harness | FailureKind::Panic => NonSuccessKind::Error,
            FailureKind::Safety | FailureKind::Liveness | FailureKind::NonDeterminism => NonSuccessKind::Failure,
        };
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(&*plain::block(&strip_str(&failed.failure.message).to_string()));
        status.set_type(&*plain::line(&failed.failure.signature));
        status.set_description(failed.text());
        let mut case = TestCase::new(&*plain::line(&failed.failure.signature), status);
        case.set_classname(&*plain::line(&self.scenario));
        let named = [
            ("seed", &failed.seed),
            ("replay", &failed.replay),
            ("artefacts", &failed.artefacts),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                case.add_property((name, &*plain::line(value)));
            }
        }
        case.set_system_out(failed.text());
        case
    }
}

impl Failed {
    /// What is to be read where there is room, seed and replay line first.
    fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.failure.kind.name(), strip_str(&self.failure.message));
        for (name, value) in [
            ("seed", &self.seed),
            ("replay", &self.replay),
            ("look", &self.artefacts),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        let _ = writeln!(text, "at: {}", self.failure);
        if !self.failure.details.is_empty() {
            let _ = writeln!(text, "{}", strip_str(self.failure.details.trim_end()));
        }
        plain::block(&text).into_owned()
    }
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    plain::block(text.trim_end())
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A text in a table or a heading of Markdown.
fn cell(text: &str) -> String {
    let special = |c: char| "\\`*_[]<>|#".contains(c);
    let mut out = String::new();
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for c in plain::line(&text).chars() {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A fence that no line of the text closes.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Suite {
        let failure = Failure {
            details: "  line one ```\n  100% of \u{1b}[31mit\u{1b}[0m".to_owned(),
            ..Failure::new(
                FailureKind::Safety,
                "linearizable",
                "kv",
                "no <order> & none | at all".to_owned(),
            )
        };
        let failed = Failed {
            failure,
            seed: Some("0x0000000000000007".to_owned()),
            replay: Some("squall run './a,b:c.toml' --seed 0x0000000000000007".to_owned()),
            artefacts: None,
        };
        let case = |scenario: &str, failed| Case {
            scenario: scenario.to_owned(),
            file: Some("a,b:c.toml".to_owned()),
            extent: "5 runs".to_owned(),
            failed,
        };
        Suite {
            name: "squall sweep",
            verdict: "FAIL 1 of 10 runs failed".to_owned(),
            of: "scenario",
            cases: vec![case("calm", None), case("storm", Some(failed))],
        }
    }

    #[test]
    fn junit_is_read_back_with_seed_and_replay_line() {
        let xml = suite().junit();
        let report = Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
        let suite = &report.test_suites[0];
        assert_eq!((suite.tests, suite.failures, suite.errors), (2, 1, 0));
        let failed = &suite.test_cases[1];
        assert_eq!(
            (failed.name.as_str(), failed.classname.as_ref().unwrap().as_str()),
            ("linearizable/kv", "storm")
        );
        let properties: Vec<_> = failed
            .properties
            .iter()
            .map(|one| (one.name.as_str(), one.value.as_str()))
            .collect();
        let replay = "squall run './a,b:c.toml' --seed 0x0000000000000007";
        assert_eq!(properties, [("seed", "0x0000000000000007"), ("replay", replay)]);
        let TestCaseStatus::NonSuccess { message, .. } = &failed.status else {
            panic!("{failed:?}");
        };
        assert_eq!(message.as_ref().unwrap().as_str(), "no <order> & none | at all");
        assert!(failed.system_out.as_ref().unwrap().as_str().contains(replay));
    }

    #[test]
    fn an_annotation_is_one_line_whose_parts_can_be_told_apart() {
        let text = suite().annotations();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let (properties, message) = lines[0].strip_prefix("::error ").unwrap().split_once("::").unwrap();
        assert_eq!(properties, "file=a%2Cb%3Ac.toml,title=storm%3A linearizable/kv");
        assert!(
            message.contains("%0Aseed: 0x0000000000000007%0Areplay: squall run './a,b:c.toml'"),
            "{message}"
        );
        assert!(
            message.contains("100%25 of it") && !message.contains('\u{1b}'),
            "{message}"
        );
        assert_eq!(lines[1], "::notice title=squall sweep::FAIL 1 of 10 runs failed");
    }

    #[test]
    fn a_summary_in_markdown_keeps_its_table_and_its_fences() {
        let text = suite().markdown();
        assert!(
            text.contains("| linearizable/kv | storm | `0x0000000000000007` | 5 runs |"),
            "{text}"
        );
        assert_eq!(
            text.matches("````").count(),
            2,
            "a longer fence than the text has: {text}"
        );
        assert!(text.contains("1 scenario passed."), "{text}");
        assert_eq!(cell("a|b\n<c>"), "a\\|b \\<c\\>");
    }
}
