//! `squall check`: a recorded history against a model.

use super::output::{self, BAD, GOOD, notice};
use super::{Done, Global, exit, files};
use checker::history::{History, OwnedValue};
use checker::linearizability::{Options, Refusal, Report, Verdict, check_history};
use clap::Args;
use scenarios::TOOL;
use scenarios::verdict::FailureKind;
use serde::Serialize;

const EXAMPLES: &str = "\
The format is told by the content: JSON Lines, or Jepsen's EDN.

Examples:
  squall check history.jsonl --model kv
  squall check jepsen.edn --model cas-register --initial null
  zcat big.jsonl.gz | squall check - --model register --initial 0 --budget 100000000";

/// Arguments of `squall check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The history; `-` for standard input, and a name that ends in .zst is compressed
    history: String,
    /// What the system was meant to be (`squall list models`)
    #[arg(long)]
    model: String,
    /// The value of a register at the start: null, an integer, or a text
    #[arg(long, value_name = "VALUE")]
    initial: Option<OwnedValue>,
    /// Most steps of the search; then the verdict is unknown
    #[arg(long, value_name = "STEPS", default_value_t = Options::default().steps_max)]
    budget: u64,
}

/// Carries out `squall check`.
pub fn check(args: &CheckArgs, global: &Global) -> Done {
    let options = Options {
        steps_max: args.budget,
        initial: args.initial.clone(),
        ..Options::default()
    };
    // The model is looked at before a file that may be large.
    check_history(&History::new(), &args.model, &options)?;
    let size = std::fs::metadata(&args.history).map_or(0, |metadata| metadata.len());
    if size >= files::LARGE_HISTORY {
        notice(global, &format_args!("{}: reading {} MiB", args.history, size >> 20));
    }
    let history = files::history(&args.history)?;
    let report = check_history(&history, &args.model, &options)?;
    let result = CheckResult::new(args, &report);
    output::result(global, &result, || text(&report))?;
    Ok(result.exit_code)
}

fn text(report: &Report) -> String {
    let style = if report.is_linearizable() { GOOD } else { BAD };
    let text = report.to_string();
    let (verdict, rest) = text.split_once(':').unwrap_or((&text, ""));
    format!("{style}{verdict}{style:#}:{rest}\n")
}

/// The document of `squall check`.
#[derive(Debug, Serialize)]
struct CheckResult {
    /// `squall-check/1`.
    schema: &'static str,
    /// What wrote it, with its version.
    tool: &'static str,
    /// The history as it was named.
    history: String,
    /// The model.
    model: &'static str,
    /// `linearizable`, `not-linearizable` or `unknown`.
    verdict: &'static str,
    /// The exit code.
    exit_code: u8,
    /// Operations in the history.
    operations: usize,
    /// Of those, how many have an unknown outcome.
    unknown_outcomes: usize,
    /// Keys, each checked alone.
    keys: usize,
    /// Steps of the search.
    steps: u64,
    /// Why not, in words; null for a linearizable history.
    reason: Option<String>,
    /// The key that the reason is about.
    key: Option<String>,
    /// The first operation that cannot be placed.
    stuck: Option<String>,
}

impl CheckResult {
    fn new(args: &CheckArgs, report: &Report) -> Self {
        let refusal = report.refusal();
        let (verdict, exit_code, reason) = match &report.verdict {
            Verdict::Linearizable(_) => ("linearizable", exit::PASSED, None),
            Verdict::NotLinearizable(refusal) => (
                "not-linearizable",
                FailureKind::Safety.exit_code(),
                Some(refusal.to_string()),
            ),
            Verdict::Unknown(why) => ("unknown", FailureKind::Inconclusive.exit_code(), Some(why.to_string())),
        };
        Self {
            schema: "squall-check/1",
            tool: TOOL,
            history: args.history.clone(),
            model: report.model,
            verdict,
            exit_code,
            operations: report.operations,
            unknown_outcomes: report.unknown_outcomes,
            keys: report.keys,
            steps: report.steps,
            reason,
            key: refusal.map(|refusal: &Refusal| refusal.key.clone()),
            stuck: refusal.map(|refusal| refusal.stuck.to_string()),
        }
    }
}
