//! What a scenario expects, held against how its runs ended.
//!
//! Owns the step from how a run ended to whether that counts as a failure: a scenario may expect a violation. And the one from
//! what all runs of it did to whether something is missing: each thing that a sweep must show has a rate, and that it stayed
//! away is a finding where so many runs make that less likely than one in a million ([`ACCIDENT`]); in fewer runs the coverage
//! is thin, and it is said how many would be enough. What a scenario switches on and can have no effect is always a finding.

mod chance;
mod due;

pub use chance::{ACCIDENT, runs_to_tell};
pub use due::{Due, What, due};

use crate::scenario::{self, Idle, Rate, Scenario, Verdict};
use crate::situations::Situation;
use crate::tally::Tally;
use crate::verdict::{Failure, FailureKind};

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

/// What all runs of a scenario show of what they are due to show.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// What never came about, and not by accident.
    pub findings: Vec<Failure>,
    /// What has not come about, in so few runs that this says nothing.
    pub thin: Vec<Thin>,
}

/// Something that has not come about yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thin {
    /// A fault class, a situation, or the number of a `[[fault]]`.
    pub what: String,
    /// In how many of the runs it is expected.
    pub rate: Rate,
    /// So many runs would tell.
    pub enough: u64,
}

/// Holds what is due against the runs of a scenario.
pub fn coverage(scenario: &Scenario, tally: &Tally) -> Coverage {
    let mut coverage = Coverage::default();
    if tally.runs == 0 {
        return coverage;
    }
    let idle = scenario::idle(scenario);
    for idle in &idle {
        let Idle { subject, remedy, .. } = idle;
        let message = format!("scenario `{}`: {idle}; {remedy}", scenario.name);
        let kind = if Situation::from_name(subject).is_some() {
            UNREACHED
        } else {
            UNFIRED
        };
        let place = subject.replace(' ', "-");
        let failure = Failure::new(FailureKind::Inconclusive, kind, &place, message);
        if coverage
            .findings
            .iter()
            .all(|finding| finding.signature != failure.signature)
        {
            coverage.findings.push(failure);
        }
    }
    for Due { what, rate } in due(scenario) {
        let name = what.name();
        if came_about(what, tally) || idle.iter().any(|idle| idle.subject == name) {
            continue;
        }
        let enough = runs_to_tell(rate);
        if tally.runs < enough {
            coverage.thin.push(Thin {
                what: name,
                rate,
                enough,
            });
        } else {
            coverage.findings.push(silent(scenario, what, rate, tally.runs));
        }
    }
    coverage
}

fn came_about(what: What, tally: &Tally) -> bool {
    match what {
        What::Class(class) => tally.exposure.count(class) > 0,
        What::Situation(situation) => tally.situations.count(situation) > 0,
        What::Fault(number) => tally.runs_with_effect.get(number).is_some_and(|runs| *runs > 0),
    }
}

const UNFIRED: &str = "fault-never-fired";
const UNREACHED: &str = "situation-never-reached";

fn silent(scenario: &Scenario, what: What, rate: Rate, runs: u64) -> Failure {
    let name = &scenario.name;
    let (kind, place, never) = match what {
        What::Class(class) => {
            let never = format!(
                "faults of class `{}` ({}) and in {runs} runs none fired",
                class.name(),
                class.about()
            );
            (UNFIRED, class.name().to_owned(), never)
        }
        What::Situation(situation) => {
            let never = format!(
                "`{}` ({}) and in {runs} runs it was never reached",
                situation.name(),
                situation.about()
            );
            (UNREACHED, situation.name().to_owned(), never)
        }
        What::Fault(number) => {
            let kind = scenario.faults[number].kind.name();
            let never =
                format!("[[fault]] {number} (kind = \"{kind}\") to have an effect, and in {runs} runs it had none");
            (UNFIRED, format!("fault-{number}-{kind}"), never)
        }
    };
    let message = format!("scenario `{name}` expects {never}; at a rate of {rate} that is no accident");
    Failure::new(FailureKind::Inconclusive, kind, &place, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_kv::find;
    use crate::scenario::parse;

    fn scenario(overrides: &[(&str, &str)]) -> Scenario {
        let overrides: Vec<_> = overrides
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        parse("calm", find("calm").unwrap().text, &overrides, &crate::raft_kv::known()).unwrap()
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

    fn tally(runs: u64) -> Tally {
        Tally {
            runs,
            ..Tally::default()
        }
    }

    fn signatures(found: &Coverage) -> Vec<&str> {
        found
            .findings
            .iter()
            .map(|finding| finding.signature.as_str())
            .collect()
    }

    fn thin(found: &Coverage) -> Vec<(&str, u64)> {
        found
            .thin
            .iter()
            .map(|thin| (thin.what.as_str(), thin.enough))
            .collect()
    }

    const REACH: &str = "[{ name = \"two-leaders\", rate = \"1/2\" }, \"election-lost\"]";

    #[test]
    fn a_situation_that_stays_away_is_a_finding_after_so_many_runs_as_its_rate_asks_for() {
        let expects = scenario(&[("expect.reach", REACH)]);
        let few = coverage(&expects, &tally(19));
        assert_eq!(
            (signatures(&few), thin(&few)),
            (vec![], vec![("two-leaders", 20), ("election-lost", 90)])
        );
        let some = coverage(&expects, &tally(20));
        assert_eq!(
            (signatures(&some), thin(&some)),
            (vec!["situation-never-reached/two-leaders"], vec![("election-lost", 90)])
        );
        let mut reached = tally(90);
        reached.situations.reached(Situation::TwoLeaders, 1);
        assert_eq!(
            signatures(&coverage(&expects, &reached)),
            ["situation-never-reached/election-lost"]
        );
        reached.situations.reached(Situation::ElectionLost, 1);
        assert_eq!(signatures(&coverage(&expects, &reached)), [""; 0]);
    }

    #[test]
    fn what_is_switched_on_is_due_without_being_named() {
        let lossy = scenario(&[("network.loss", "2%")]);
        let found = coverage(&lossy, &tally(20));
        assert_eq!(signatures(&found), ["fault-never-fired/loss"], "{found:?}");
        assert_eq!(coverage(&scenario(&[]), &tally(1_000)).findings, []);
    }

    #[test]
    fn each_fault_is_due_for_itself() {
        let text = "schema = \"squall-scenario/1\"\nname = \"two\"\n[[fault]]\nkind = \"crash\"\nevery = \"1s\"\nfor = \"1s\"\n\
                    [[fault]]\nkind = \"crash\"\nwhen = \"leader-elected\"\nfor = \"1s\"\nfires = \"1/2\"\n";
        let two = parse("two", text, &[], &crate::raft_kv::known()).unwrap();
        let one_strikes = Tally {
            runs_with_effect: vec![20, 0],
            ..tally(20)
        };
        assert_eq!(
            signatures(&coverage(&two, &one_strikes)),
            ["fault-never-fired/fault-1-crash"]
        );
        let both = Tally {
            runs_with_effect: vec![20, 1],
            ..tally(20)
        };
        assert_eq!(signatures(&coverage(&two, &both)), [""; 0]);
    }

    #[test]
    fn what_can_have_no_effect_is_a_finding_after_a_single_run() {
        let expects = scenario(&[("expect.fired", "[\"pause\"]"), ("disk.torn", "10%")]);
        let found = coverage(&expects, &tally(1));
        assert_eq!(
            (signatures(&found), thin(&found)),
            (vec!["fault-never-fired/torn-write", "fault-never-fired/pause"], vec![])
        );
        assert_eq!(coverage(&expects, &tally(0)).findings, [], "nothing was run");
    }
}
