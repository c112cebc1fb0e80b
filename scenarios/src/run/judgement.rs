//! What the run makes of its clients' history: held once against the scenario's model, and told as it is.
//!
//! Owns the one judgement of a run. The failure, the trace, and through it `explain`, the page and the exports say what came of it
//! here; nobody judges again.

use super::LINEARIZABLE;
use crate::scenario::Model;
use crate::verdict::{Failure, FailureKind};
use crate::workloads::history::{self, Seen};
use checker::history::OperationId;
use checker::linearizability::{OperationLine, Options, Refusal, Report, Verdict};
use simulator::trace::events::{HistoryVerdict, Judged};
use simulator::{ClientOf, Process, World};

/// Most steps of the search.
const STEPS_MAX: u64 = 2_000_000;

/// What came of it.
pub(super) struct Judgement<'s> {
    model: Model,
    seen: &'s Seen,
    report: Report,
}

impl<'s> Judgement<'s> {
    /// Holds what clients saw against a model.
    pub fn of(model: Model, seen: &'s Seen) -> Self {
        let options = Options {
            steps_max: STEPS_MAX,
            ..Options::default()
        };
        let report = history::judge(model, seen, &options).expect("the workload's operations fit its model");
        Self { model, seen, report }
    }

    /// Why the run does not pass, if it does not.
    pub fn failure(&self) -> Option<Failure> {
        match &self.report.verdict {
            Verdict::Linearizable(_) => None,
            Verdict::NotLinearizable(refusal) => Some(self.refused(refusal)),
            Verdict::Unknown(unfinished) => Some(Failure::new(
                FailureKind::Inconclusive,
                LINEARIZABLE,
                "budget",
                unfinished.to_string(),
            )),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Failure {
        let message = "what the clients saw has no linearization".to_owned();
        let stuck = refusal.stuck.id;
        let others = refusal.core.iter().map(|line| line.id).filter(|id| *id != stuck);
        Failure {
            event: self.seen.end(stuck),
            time: self.seen.history.operation(stuck).returned,
            operations: self.calls(std::iter::once(stuck).chain(others)),
            details: refusal.to_string(),
            ..Failure::new(FailureKind::Safety, LINEARIZABLE, self.model.name(), message)
        }
    }

    /// Tells in the trace what came of it.
    pub fn tell<P: Process, C: ClientOf<P>>(&self, world: &mut World<P, C>) {
        world.tell(None, None, || self.told());
    }

    fn told(&self) -> Judged {
        let lines = |lines: &[OperationLine]| self.calls(lines.iter().map(|line| line.id));
        let told = Judged {
            model: self.model.name().to_owned(),
            verdict: HistoryVerdict::Linearizable,
            operations: self.report.operations as u64,
            objects: self.report.keys as u64,
            orders: Vec::new(),
            stuck: None,
            core: Vec::new(),
            context: Vec::new(),
            sentence: String::new(),
            details: String::new(),
        };
        match &self.report.verdict {
            Verdict::Linearizable(witness) => Judged {
                orders: witness
                    .orders()
                    .map(|order| self.calls(order.iter().copied()))
                    .collect(),
                ..told
            },
            Verdict::NotLinearizable(refusal) => Judged {
                verdict: HistoryVerdict::NotLinearizable,
                orders: vec![self.calls(refusal.legal_prefix.iter().copied())],
                stuck: Some(self.seen.call(refusal.stuck.id)),
                core: lines(&refusal.core),
                context: lines(&refusal.context),
                sentence: refusal.sentence.clone(),
                details: refusal.to_string(),
                ..told
            },
            Verdict::Unknown(unfinished) => Judged {
                verdict: HistoryVerdict::Undecided,
                sentence: unfinished.to_string(),
                ..told
            },
        }
    }

    fn calls(&self, ids: impl Iterator<Item = OperationId>) -> Vec<u64> {
        ids.map(|id| self.seen.call(id)).collect()
    }
}
