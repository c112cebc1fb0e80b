//! What `squall check --format json` writes.

use super::args::CheckArgs;
use crate::TOOL;
use crate::cli::exit;
use crate::cli::output::WIDTH;
use crate::verdict::FailureKind;
use checker::history::{Clock, Disturbance, Import};
use checker::linearizability::{Attempt, Method, OperationLine, Refusal, Report, Verdict};
use serde::Serialize;

/// The document of `squall check --consistency sequential`.
#[derive(Debug, Serialize)]
pub(super) struct SequentialResult {
    /// `squall-sequential/1`.
    pub(super) schema: &'static str,
    /// What wrote it, with its version.
    pub(super) tool: &'static str,
    /// The history as it was named.
    pub(super) history: String,
    /// The model.
    pub(super) model: String,
    /// `sequentially-consistent`, `not-sequentially-consistent` or `unknown`.
    pub(super) verdict: &'static str,
    /// The exit code.
    pub(super) exit_code: u8,
    /// Operations in the history.
    pub(super) operations: usize,
    /// What was left out when the history was read.
    pub(super) left_out: LeftOut,
    /// Where every order ends; null for a consistent history.
    pub(super) reason: Option<String>,
}

/// The document of `squall check --verify`.
#[derive(Debug, Serialize)]
pub(super) struct VerifyResult {
    /// `squall-verify/1`.
    pub(super) schema: &'static str,
    /// What wrote it, with its version.
    pub(super) tool: &'static str,
    /// The history as it was named.
    pub(super) history: String,
    /// The model.
    pub(super) model: String,
    /// `linearizable` or `unknown`.
    pub(super) verdict: &'static str,
    /// The exit code.
    pub(super) exit_code: u8,
    /// Operations in the history.
    pub(super) operations: usize,
    /// What is wrong with the witness; null for a good one.
    pub(super) reason: Option<String>,
}

/// What a file has beside the operations that were checked.
#[derive(Debug, Serialize)]
pub(super) struct LeftOut {
    /// Operations that failed.
    pub(super) failed_operations: usize,
    /// Reads that returned nil.
    pub(super) nil_reads: usize,
    /// Versions of values.
    pub(super) versions: usize,
    /// Events of the nemesis.
    pub(super) nemesis_events: usize,
    /// Fields that say nothing about an operation, so were passed over.
    pub(super) passed_fields: usize,
}

impl From<&Import> for LeftOut {
    fn from(import: &Import) -> Self {
        Self {
            failed_operations: import.failed.len(),
            nil_reads: import.nil_reads,
            versions: import.versions,
            nemesis_events: import.nemesis_events,
            passed_fields: import.passed_fields,
        }
    }
}

/// The document of `squall check`.
#[derive(Debug, Serialize)]
pub(super) struct CheckResult {
    /// `squall-check/1`.
    pub(super) schema: &'static str,
    /// What wrote it, with its version.
    pub(super) tool: &'static str,
    /// The history as it was named.
    pub(super) history: String,
    /// The model.
    pub(super) model: &'static str,
    /// Whether the model was guessed.
    pub(super) model_guessed: bool,
    /// What was asked for: `linearizable` or `stale:BOUND`.
    pub(super) consistency: String,
    /// `linearizable`, `not-linearizable` or `unknown`.
    pub(super) verdict: &'static str,
    /// The exit code.
    pub(super) exit_code: u8,
    /// Operations in the history.
    pub(super) operations: usize,
    /// Of those, how many have an unknown outcome.
    pub(super) unknown_outcomes: usize,
    /// Operations that did what they were asked, or answered a question.
    pub(super) succeeded: usize,
    /// What was left out when the history was read.
    pub(super) left_out: LeftOut,
    /// Keys, each checked alone.
    pub(super) keys: usize,
    /// Whether the keys were in the values, `[key value]`.
    pub(super) keys_in_values: bool,
    /// What the times count: `nanoseconds`, `microseconds`, `milliseconds` or `counter`.
    pub(super) clock: &'static str,
    /// Steps of the search.
    pub(super) steps: u64,
    /// Why not, in words; null for a linearizable history.
    pub(super) reason: Option<String>,
    /// The key that the reason is about.
    pub(super) key: Option<String>,
    /// The first operation that cannot be placed.
    pub(super) stuck: Option<String>,
    /// The refusal in parts.
    pub(super) refusal: Option<RefusalPart>,
}

/// A refusal in parts, for programs.
#[derive(Debug, Serialize)]
pub(super) struct RefusalPart {
    /// The reason in a sentence or two.
    pub(super) sentence: String,
    /// The operations that are impossible together.
    pub(super) core: Vec<OperationPart>,
    /// The method whose proof the verdict rests on, where no core could be shown within the budget: then `core` is empty. Else null.
    said_by: Option<&'static str>,
    /// Whether it was shown that none of them can be left out.
    core_is_minimal: bool,
    /// Whether everything that had returned before can be explained.
    pub(super) is_first: bool,
    /// The operations that close the core.
    pub(super) context: Vec<OperationPart>,
    /// The nearest orders, none of which the stuck operation can follow.
    pub(super) attempts: Vec<AttemptPart>,
    /// What was done to the system meanwhile, where the history tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) disturbances: Vec<DisturbancePart>,
    /// Calls and returns up to the one at which it became impossible.
    pub(super) event: usize,
    /// Calls and returns in all.
    pub(super) events: usize,
    /// The longest order that explains all that had returned before; operations by their place in the history.
    pub(super) legal_prefix: Vec<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct OperationPart {
    pub(super) operation: usize,
    pub(super) client: u32,
    pub(super) described: String,
    pub(super) call: u64,
    #[serde(rename = "return")]
    pub(super) returned: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct DisturbancePart {
    pub(super) name: String,
    pub(super) from: u64,
    /// `null`: its end is not told.
    pub(super) until: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct AttemptPart {
    /// Its last operations.
    pub(super) last: Vec<usize>,
    /// How many it has.
    pub(super) length: usize,
    /// What it leaves.
    pub(super) state: String,
}

impl RefusalPart {
    fn new(refusal: &Refusal) -> Self {
        let operation = |line: &OperationLine| OperationPart {
            operation: line.id.index(),
            client: line.client,
            described: line.described.clone(),
            call: line.call,
            returned: line.returned,
        };
        let attempt = |attempt: &Attempt| AttemptPart {
            last: attempt.last.iter().map(|id| id.index()).collect(),
            length: attempt.length,
            state: attempt.state.clone(),
        };
        let disturbance = |disturbance: &Disturbance| DisturbancePart {
            name: disturbance.name.clone(),
            from: disturbance.from,
            until: disturbance.until,
        };
        Self {
            sentence: refusal.sentence.clone(),
            core: refusal.core.iter().map(operation).collect(),
            said_by: refusal.said_by.map(Method::name),
            core_is_minimal: refusal.is_core_minimal,
            is_first: refusal.is_first,
            context: refusal.context.iter().map(operation).collect(),
            attempts: refusal.attempts.iter().map(attempt).collect(),
            disturbances: refusal.disturbances.iter().map(disturbance).collect(),
            event: refusal.event,
            events: refusal.events,
            legal_prefix: refusal.legal_prefix.iter().map(|id| id.index()).collect(),
        }
    }
}

impl CheckResult {
    pub(super) fn new(args: &CheckArgs, report: &Report, clock: Clock) -> Self {
        let refusal = report.refusal();
        let (verdict, exit_code, reason) = match &report.verdict {
            Verdict::Linearizable(_) if report.is_about_nothing().is_some() => (
                "unknown",
                FailureKind::Inconclusive.exit_code(),
                report.is_about_nothing().map(str::to_owned),
            ),
            Verdict::Linearizable(_) => ("linearizable", exit::PASSED, None),
            Verdict::NotLinearizable(refusal) => (
                "not-linearizable",
                FailureKind::Safety.exit_code(),
                Some(refusal.text(WIDTH)),
            ),
            Verdict::Unknown(why) => ("unknown", FailureKind::Inconclusive.exit_code(), Some(why.to_string())),
        };
        Self {
            schema: "squall-check/1",
            tool: TOOL,
            history: args.history.clone(),
            model: report.model,
            model_guessed: false,
            consistency: args.consistency.to_string(),
            verdict,
            exit_code,
            operations: report.operations,
            unknown_outcomes: report.unknown_outcomes,
            succeeded: report.succeeded,
            left_out: (&report.import).into(),
            keys: report.keys,
            keys_in_values: report.import.has_keys_in_values,
            clock: match clock {
                Clock::Counter => "counter",
                Clock::Nanoseconds => "nanoseconds",
                Clock::Microseconds => "microseconds",
                Clock::Milliseconds => "milliseconds",
            },
            steps: report.steps,
            reason,
            key: refusal.map(|refusal| refusal.key.clone()),
            stuck: refusal.map(|refusal| refusal.stuck.to_string()),
            refusal: refusal.map(RefusalPart::new),
        }
    }
}
