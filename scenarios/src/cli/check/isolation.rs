//! `squall check --consistency LEVEL` of transactions.

use super::args::CheckArgs;
use super::document::LeftOut;
use super::{counted, left_out};
use crate::TOOL;
use crate::cli::error::CliError;
use crate::cli::output::{self, BAD, GOOD, notice};
use crate::cli::{Done, Global, exit};
use crate::verdict::FailureKind;
use checker::history::{History, OwnedValue};
use checker::linearizability::CheckError;
use checker::models::{Model, ModelError, Transactions};
use checker::transactions::{self, Anomaly, Level, Report, Verdict};
use serde::Serialize;

/// The document of `squall check --consistency` with a level of isolation.
#[derive(Debug, Serialize)]
struct IsolationResult {
    /// `squall-isolation/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// The history as it was named.
    history: String,
    /// The model.
    model: &'static str,
    /// What was asked for.
    consistency: &'static str,
    /// The level, `not-` and the level, or `unknown`.
    verdict: String,
    /// The exit code.
    exit_code: u8,
    /// Transactions in the history.
    operations: usize,
    /// Of those, how many have an unknown outcome.
    unknown_outcomes: usize,
    /// How many took effect and returned.
    succeeded: usize,
    /// Keys of the database.
    keys: usize,
    /// What was left out when the history was read.
    left_out: LeftOut,
    /// What is forbidden and was found: at most eight, each with a shortest cycle.
    anomalies: Vec<AnomalyPart>,
    /// Why nothing can be said; null otherwise.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct AnomalyPart {
    /// The name in the literature: `G0`, `G1a`, `G-single` and so on.
    name: &'static str,
    /// The same in words.
    about: &'static str,
    /// The transactions by their places in the history, in the order of the cycle.
    transactions: Vec<usize>,
    /// Why each comes before the next, and the last before the first.
    edges: Vec<&'static str>,
    /// The reason.
    sentence: String,
}

impl From<&Anomaly> for AnomalyPart {
    fn from(anomaly: &Anomaly) -> Self {
        AnomalyPart {
            name: anomaly.name,
            about: anomaly.about,
            transactions: anomaly.transactions.iter().map(|id| id.index()).collect(),
            edges: anomaly.edges.clone(),
            sentence: anomaly.sentence.clone(),
        }
    }
}

/// Checks the transactions of `history` at `level`.
pub(super) fn isolation(args: &CheckArgs, global: &Global, history: &History, model: &str, level: Level) -> Done {
    if model != "transactions" {
        return Err(CliError::Usage(format!(
            "--consistency {level} is a level of isolation, which the model transactions has and {model} does not; choose `--model transactions`, or \
             linearizable, sequential or stale:BOUND"
        )));
    }
    let database = Transactions::new(args.initial.as_ref().unwrap_or(&OwnedValue::Null)).map_err(|what| {
        CheckError::from(ModelError::BadInitial {
            model: "transactions",
            what,
        })
    })?;
    let report =
        transactions::check(history, &Model::registers(&database), level, args.budget).map_err(CheckError::from)?;
    if args.witness.is_some() || args.svg.is_some() {
        notice(
            global,
            &"--witness and --svg are for linearizability; nothing is written",
        );
    }
    let (verdict, exit_code, reason) = match &report.verdict {
        Verdict::Consistent if report.succeeded == 0 => (
            "unknown".to_owned(),
            FailureKind::Inconclusive.exit_code(),
            Some("nothing succeeded, so nothing was checked".to_owned()),
        ),
        Verdict::Consistent => (level.name().to_owned(), exit::PASSED, None),
        Verdict::Inconsistent(_) => (format!("not-{level}"), FailureKind::Safety.exit_code(), None),
        Verdict::Unknown(why) => (
            "unknown".to_owned(),
            FailureKind::Inconclusive.exit_code(),
            Some(why.clone()),
        ),
    };
    let anomalies = match &report.verdict {
        Verdict::Inconsistent(anomalies) => anomalies.iter().map(AnomalyPart::from).collect(),
        Verdict::Consistent | Verdict::Unknown(_) => Vec::new(),
    };
    let document = IsolationResult {
        schema: "squall-isolation/1",
        tool: TOOL,
        history: args.history.clone(),
        model: "transactions",
        consistency: level.name(),
        verdict: verdict.clone(),
        exit_code,
        operations: report.transactions,
        unknown_outcomes: report.unknown_outcomes,
        succeeded: report.succeeded,
        keys: report.keys,
        left_out: history.import().into(),
        anomalies,
        reason,
    };
    output::verdict(global, &document, &verdict, || text(&document, &report, history));
    Ok(exit_code)
}

fn text(document: &IsolationResult, report: &Report, history: &History) -> String {
    let style = if document.exit_code == exit::PASSED { GOOD } else { BAD };
    let words = document.verdict.replacen("not-", "not ", 1);
    let keys = if report.keys == 1 { "key" } else { "keys" };
    let unknown = if report.unknown_outcomes > 0 {
        format!(" ({} of unknown outcome)", report.unknown_outcomes)
    } else {
        String::new()
    };
    let mut text = format!(
        "{style}{words}{style:#}: {}{unknown}, {} {keys}, model transactions{}\n",
        counted(report.transactions),
        report.keys,
        left_out(history.import())
    );
    for anomaly in &document.anomalies {
        let sentence = anomaly.sentence.replace(". T", ".\n  T").replace("; T", ";\n  T");
        text += &format!("{} ({}):\n  {sentence}\n", anomaly.name, anomaly.about);
    }
    if let Some(reason) = &document.reason {
        text += &format!("{reason}\n");
    }
    text
}
