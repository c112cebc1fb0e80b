//! What a scenario expects, held against how its runs ended.
//!
//! Owns the step from how a run ended to whether that counts as a failure: a scenario may expect a violation, and may name
//! the fault classes that must have fired, and the situations that must have been reached, over a sweep of it.

use crate::scenario::{Scenario, Verdict};
use crate::situations::{Situation, Situations};
use crate::verdict::{Failure, FailureKind};
use simulator::{Exposure, FaultClass};

/// From how many runs of a scenario on it is a finding that a fault class never fired or a situation was never reached; fewer
/// may miss one by chance.
pub const RUNS_TO_TELL: u64 = 20;

/// What counts: the failure of a run that did not end as `[expect] verdict` says.
///
/// A run that ends as expected passes, also when that is a violation; one that passes where a violation is expected is
/// inconclusive, with the signature `expectation/no-…`. A panic is never what was expected.
pub fn judged(scenario: &Scenario, ended: Option<Failure>) -> Option<Failure> {
    let (expected, name) = match scenario.expect.verdict {
        Verdict::Pass => return ended,
        Verdict::SafetyViolation => (FailureKind::Safety, "safety-violation"),
        Verdict::LivenessViolation => (FailureKind::Liveness, "liveness-violation"),
        Verdict::Inconclusive => (FailureKind::Inconclusive, "inconclusive"),
    };
    match ended {
        Some(failure) if failure.kind == expected => None,
        Some(failure) => Some(failure),
        None => {
            let message = format!("the scenario expects `verdict = \"{name}\"`, and the run passed");
            Some(Failure::new(
                FailureKind::Inconclusive,
                "expectation",
                &format!("no-{name}"),
                message,
            ))
        }
    }
}

/// The classes that `[expect] fired` names and that never fired in `runs` runs, as findings.
pub fn never_fired(scenario: &Scenario, runs: u64, exposure: &Exposure) -> Vec<Failure> {
    if runs < RUNS_TO_TELL {
        return Vec::new();
    }
    let named = scenario
        .expect
        .fired
        .iter()
        .flatten()
        .filter_map(|name| FaultClass::from_name(name));
    let silent = named.filter(|class| exposure.count(*class) == 0);
    silent
        .map(|class| {
            let message = format!(
                "scenario `{}` expects faults of class `{}` ({}) and in {runs} runs none fired",
                scenario.name,
                class.name(),
                class.about()
            );
            Failure::new(FailureKind::Inconclusive, "fault-never-fired", class.name(), message)
        })
        .collect()
}

/// The situations that `[expect] reach` names and that were never reached in `runs` runs, as findings.
pub fn never_reached(scenario: &Scenario, runs: u64, situations: &Situations) -> Vec<Failure> {
    if runs < RUNS_TO_TELL {
        return Vec::new();
    }
    let named = scenario
        .expect
        .reach
        .iter()
        .filter_map(|name| Situation::from_name(name));
    let missed = named.filter(|situation| situations.count(*situation) == 0);
    missed
        .map(|situation| {
            let message = format!(
                "scenario `{}` expects `{}` ({}) and in {runs} runs it was never reached",
                scenario.name,
                situation.name(),
                situation.about()
            );
            Failure::new(
                FailureKind::Inconclusive,
                "situation-never-reached",
                situation.name(),
                message,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{find, parse};

    fn scenario(overrides: &[(&str, &str)]) -> Scenario {
        let overrides: Vec<_> = overrides
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        parse("calm", find("calm").unwrap().text, &overrides, &crate::known()).unwrap()
    }

    fn failure(kind: FailureKind) -> Option<Failure> {
        Some(Failure::new(kind, "p", "q", String::new()))
    }

    #[test]
    fn a_run_that_ends_as_expected_passes_and_one_that_passes_then_does_not() {
        let expects = scenario(&[("expect.verdict", "safety-violation")]);
        assert_eq!(judged(&expects, failure(FailureKind::Safety)), None);
        assert_eq!(
            judged(&expects, None).unwrap().signature,
            "expectation/no-safety-violation"
        );
        assert_eq!(
            judged(&expects, failure(FailureKind::Panic)),
            failure(FailureKind::Panic)
        );
        assert_eq!(
            judged(&scenario(&[]), failure(FailureKind::Safety)),
            failure(FailureKind::Safety)
        );
        assert_eq!(judged(&scenario(&[]), None), None);
    }

    #[test]
    fn a_class_that_is_expected_and_never_fired_is_a_finding_after_enough_runs() {
        let expects = scenario(&[("expect.fired", "[\"crash\"]")]);
        assert_eq!(never_fired(&expects, RUNS_TO_TELL - 1, &Exposure::default()), []);
        let found = never_fired(&expects, RUNS_TO_TELL, &Exposure::default());
        assert_eq!(
            (found.len(), found[0].signature.as_str()),
            (1, "fault-never-fired/crash")
        );
        assert_eq!(never_fired(&scenario(&[]), RUNS_TO_TELL, &Exposure::default()), []);
    }

    #[test]
    fn a_situation_that_is_expected_and_never_reached_is_a_finding_after_enough_runs() {
        let expects = scenario(&[("expect.reach", "[\"two-leaders\"]")]);
        let mut reached = Situations::default();
        assert_eq!(never_reached(&expects, RUNS_TO_TELL - 1, &reached), []);
        let found = never_reached(&expects, RUNS_TO_TELL, &reached);
        assert_eq!(
            (found.len(), found[0].signature.as_str()),
            (1, "situation-never-reached/two-leaders")
        );
        reached.reached(Situation::TwoLeaders, 1);
        assert_eq!(never_reached(&expects, RUNS_TO_TELL, &reached), []);
    }
}
