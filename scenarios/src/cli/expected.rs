//! Whether a capsule's run ended as it should, and what continuous integration is told of it: shared by `replay` and `corpus verify`.

use super::ci::{Case, Failed};
use super::exit;
use super::subject::quoted;
use crate::capsule::{Capsule, Comparison, Expectation, Outcome};
use crate::verdict::{Failure, FailureKind};
use clap::ValueEnum;

/// How a capsule's run must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Expect {
    /// With the capsule's failure
    Fail,
    /// Without a failure
    Pass,
    /// With the capsule's digest: every event is the same
    Same,
}

impl From<Expectation> for Expect {
    fn from(verdict: Expectation) -> Self {
        match verdict {
            Expectation::Fail => Self::Fail,
            Expectation::Pass => Self::Pass,
        }
    }
}

impl Expect {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
            Self::Same => "same",
        }
    }

    /// What is wrong with a run that ended so, and the code to exit with; none if it ended as expected.
    pub fn missed(self, comparison: &Comparison, ended: Option<&Failure>) -> Option<(Failure, u8)> {
        let said = comparison.recorded_signature.as_deref().unwrap_or("pass");
        match self {
            Self::Pass => ended.map(|failure| (failure.clone(), failure.kind.exit_code())),
            Self::Fail if comparison.outcome == Outcome::Reproduced && ended.is_some() => None,
            Self::Fail => {
                let (kind, place, now) = match ended {
                    None => (FailureKind::Inconclusive, "gone", "its run passes now".to_owned()),
                    Some(failure) => (failure.kind, "another", format!("now: {}", failure.message)),
                };
                let message = format!("the capsule says {said}; {now}");
                Some((Failure::new(kind, "capsule", place, message), exit::NOT_REPRODUCED))
            }
            Self::Same if comparison.stale => {
                let kind = FailureKind::NonDeterminism;
                let from = comparison.parts.map_or_else(String::new, |(same, differs)| {
                    format!(": the first {same} events are the same, by event {differs} the runs differ")
                });
                let message = format!("the digest is not the capsule's{from}");
                Some((Failure::new(kind, "capsule", "stale", message), kind.exit_code()))
            }
            Self::Same => None,
        }
    }
}

/// The case of a capsule that lies in `file`.
pub fn case(capsule: &Capsule, file: &str, comparison: &Comparison, missed: Option<&Failure>) -> Case {
    let failed = |failure: &Failure| Failed {
        failure: failure.clone(),
        seed: Some(capsule.origin.seed.clone()),
        replay: Some(format!("squall replay {}", quoted(file))),
        artefacts: None,
    };
    let stale = if comparison.stale { ", stale" } else { "" };
    Case {
        scenario: capsule.origin.scenario.clone(),
        file: Some(file.to_owned()),
        extent: format!("{file}: {}{stale}", comparison.outcome),
        failed: missed.map(failed),
    }
}
