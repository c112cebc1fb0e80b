//! What a sweep writes down as it goes, so that one that was killed can be taken up again.
//!
//! Records are deltas: [`Record::Progressed`] says what a stretch of jobs came to, in the order of their numbers, and [`Record::Early`]
//! what is known of a job before its turn. Added up ([`Begun::add`]) they give where the sweep was; what was under way is run again, and
//! as runs are deterministic the report in the end is that of a sweep which was never killed.

use super::{Begun, Group, Outcome, Tally, is_enough};
use crate::situations::{Situation, Situations};
use crate::verdict::Failure;
use serde::{Deserialize, Serialize};
use simulator::{Exposure, FaultClass};
use std::collections::BTreeMap;

/// One line of a journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// A stretch of jobs.
    Progressed(Progressed),
    /// A job before its turn, because it failed and had to wait.
    Early(Box<Early>),
    /// The sweep has ended by itself.
    End,
}

impl Record {
    /// Whether a failure is in it that somebody is about to be told of.
    pub fn is_finding(&self) -> bool {
        match self {
            Self::Progressed(stretch) => !stretch.first.is_empty(),
            Self::Early(_) => true,
            Self::End => false,
        }
    }
}

/// What a stretch of jobs came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Progressed {
    /// The first job.
    from: u64,
    /// The first that is not in it.
    to: u64,
    /// By scenario, for those that ran.
    tallies: Vec<(usize, Counted)>,
    /// How many runs failed, by signature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    failed: BTreeMap<String, u64>,
    /// The first failures of their signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    first: Vec<Group>,
}

/// A stretch that is being counted.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    from: u64,
    tallies: BTreeMap<usize, Tally>,
    failed: BTreeMap<String, u64>,
    first: Vec<Group>,
}

impl Stretch {
    /// A stretch that begins at a job.
    pub fn from(job: u64) -> Self {
        Self {
            from: job,
            ..Self::default()
        }
    }

    pub fn count(&mut self, scenario: usize, tally: &Tally) {
        self.tallies.entry(scenario).or_default().merge(tally);
    }

    pub fn failed(&mut self, signature: &str) {
        *self.failed.entry(signature.to_owned()).or_default() += 1;
    }

    pub fn found(&mut self, group: &Group) {
        self.first.push(group.clone());
    }

    /// The record of the stretch up to a job, and the next begins; `None` if nothing happened.
    pub fn take(&mut self, to: u64, tallies: &[Tally]) -> Option<Record> {
        if to == self.from {
            return None;
        }
        let stretch = std::mem::replace(self, Self::from(to));
        let counted = |(scenario, tally): (usize, Tally)| {
            let digests = tallies[scenario].digests;
            (scenario, Counted::of(&Tally { digests, ..tally }))
        };
        Some(Record::Progressed(Progressed {
            from: stretch.from,
            to,
            tallies: stretch.tallies.into_iter().map(counted).collect(),
            failed: stretch.failed,
            first: stretch.first,
        }))
    }
}

/// What is known of a job before its turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Early {
    /// The job.
    index: u64,
    /// Its counters.
    tally: Counted,
    /// How it failed.
    failure: Option<Failure>,
}

impl Early {
    pub(super) fn new(index: u64, outcome: &Outcome) -> Self {
        Self {
            index,
            tally: Counted::of(&outcome.tally),
            failure: outcome.failure.clone(),
        }
    }

    /// The job, and what came of it; `None` if this version has no such counters.
    pub(super) fn outcome(self) -> Option<(u64, Outcome)> {
        let outcome = Outcome {
            tally: self.tally.tally()?,
            failure: self.failure,
        };
        Some((self.index, outcome))
    }
}

/// A [`Tally`] as data: counters by name, those at zero left out. Where it stands for a stretch, `digests` is folded from the very first
/// job on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counted {
    runs: u64,
    failed: u64,
    verified: u64,
    events: u64,
    simulated_ns: u64,
    operations: u64,
    unknown_outcomes: u64,
    committed: u64,
    digests: u64,
    faults: BTreeMap<String, u64>,
    skipped: [u64; 2],
    undetected: [u64; 2],
    situations: BTreeMap<String, u64>,
    slowest: [u64; 4],
    runs_with_fault: BTreeMap<String, u64>,
    runs_with_situation: BTreeMap<String, u64>,
    runs_with_effect: Vec<u64>,
}

fn faults(exposure: &Exposure) -> BTreeMap<String, u64> {
    let fired = exposure.iter().filter(|(_, count)| *count > 0);
    fired.map(|(class, count)| (class.name().to_owned(), count)).collect()
}

fn exposure(faults: &BTreeMap<String, u64>, skipped: u64, undetected: u64) -> Option<Exposure> {
    let class = |(name, count): (&String, &u64)| Some((FaultClass::from_name(name)?, *count));
    let counts: Option<Vec<_>> = faults.iter().map(class).collect();
    Some(Exposure::of(counts?, skipped, undetected))
}

fn reached(situations: &Situations) -> BTreeMap<String, u64> {
    let reached = situations.iter().filter(|(_, count)| *count > 0);
    reached
        .map(|(situation, count)| (situation.name().to_owned(), count))
        .collect()
}

fn situations(reached: &BTreeMap<String, u64>) -> Option<Situations> {
    let mut situations = Situations::default();
    for (name, count) in reached {
        situations.reached(Situation::from_name(name)?, *count);
    }
    Some(situations)
}

impl Counted {
    fn of(tally: &Tally) -> Self {
        Self {
            runs: tally.runs,
            failed: tally.failed,
            verified: tally.verified,
            events: tally.events,
            simulated_ns: u64::try_from(tally.simulated_ns).unwrap_or(u64::MAX),
            operations: tally.operations,
            unknown_outcomes: tally.unknown_outcomes,
            committed: tally.committed,
            digests: tally.digests,
            faults: faults(&tally.exposure),
            skipped: [tally.exposure.skipped(), tally.runs_with_fault.skipped()],
            undetected: [tally.exposure.undetected(), tally.runs_with_fault.undetected()],
            situations: reached(&tally.situations),
            slowest: tally.slowest,
            runs_with_fault: faults(&tally.runs_with_fault),
            runs_with_situation: reached(&tally.runs_with_situation),
            runs_with_effect: tally.runs_with_effect.clone(),
        }
    }

    /// `None` if a counter has a name that this version does not know.
    fn tally(&self) -> Option<Tally> {
        Some(Tally {
            runs: self.runs,
            failed: self.failed,
            verified: self.verified,
            events: self.events,
            simulated_ns: self.simulated_ns.into(),
            operations: self.operations,
            unknown_outcomes: self.unknown_outcomes,
            committed: self.committed,
            digests: self.digests,
            exposure: exposure(&self.faults, self.skipped[0], self.undetected[0])?,
            situations: situations(&self.situations)?,
            slowest: self.slowest,
            runs_with_fault: exposure(&self.runs_with_fault, self.skipped[1], self.undetected[1])?,
            runs_with_situation: situations(&self.runs_with_situation)?,
            runs_with_effect: self.runs_with_effect.clone(),
        })
    }
}

/// Why a record does not go on where the ones before it end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Gap {
    /// Jobs are missing, or come twice.
    #[error("it goes on at run {from}, and those before it end at {next}")]
    Jobs {
        /// Where the record begins.
        from: u64,
        /// Where it should.
        next: u64,
    },
    /// A number or a name that this sweep does not have.
    #[error("it counts what this sweep does not have")]
    Unknown,
}

impl Begun {
    /// Adds what a record says.
    ///
    /// # Errors
    /// When the record does not follow the ones before it.
    pub fn add(&mut self, record: Record) -> Result<(), Gap> {
        match record {
            Record::End => Ok(()),
            Record::Early(early) => {
                let (index, outcome) = early.outcome().ok_or(Gap::Unknown)?;
                // Its turn may have come since.
                if index >= self.next {
                    self.early.insert(index, outcome);
                }
                Ok(())
            }
            Record::Progressed(stretch) => self.progress(stretch),
        }
    }

    fn progress(&mut self, stretch: Progressed) -> Result<(), Gap> {
        if stretch.from != self.next || stretch.to <= stretch.from {
            return Err(Gap::Jobs {
                from: stretch.from,
                next: self.next,
            });
        }
        for (scenario, counted) in &stretch.tallies {
            let tally = self.tallies.get_mut(*scenario).ok_or(Gap::Unknown)?;
            tally.merge(&counted.tally().ok_or(Gap::Unknown)?);
            tally.digests = counted.digests;
        }
        for group in stretch.first {
            if group.scenario >= self.tallies.len() {
                return Err(Gap::Unknown);
            }
            self.groups.push(Group { count: 0, ..group });
        }
        for (signature, count) in stretch.failed {
            let known = self
                .groups
                .iter_mut()
                .find(|group| group.failure.signature == signature);
            known.ok_or(Gap::Unknown)?.count += count;
        }
        self.next = stretch.to;
        self.early.retain(|index, _| *index >= stretch.to);
        Ok(())
    }

    /// Whether so many signatures have been found that nothing more is run.
    pub fn is_over(&self, max_fail: usize) -> bool {
        is_enough(self.groups.len(), max_fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_kv::find;
    use crate::scenario::{Scenario, parse};
    use crate::sweep::{Observer, Progress, Seeds, Sweep, SweepReport, resume, sweep};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Keeps everything as text, and stops after so many records.
    struct Keeper<'a> {
        lines: Vec<String>,
        told: Vec<String>,
        stop: (&'a AtomicBool, usize),
    }

    impl Observer for Keeper<'_> {
        fn progress(&mut self, _: &Progress) {}
        fn found(&mut self, group: &Group) {
            self.told.push(group.failure.signature.clone());
        }
        fn keep(&mut self, record: &Record) {
            self.lines.push(serde_json::to_string(record).unwrap());
            self.stop.0.store(self.lines.len() >= self.stop.1, Ordering::Relaxed);
        }
    }

    fn same(one: &SweepReport, other: &SweepReport) {
        assert_eq!(format!("{:?}", one.scenarios), format!("{:?}", other.scenarios));
        assert_eq!(one.groups, other.groups);
        assert_eq!(one.stopped_early, other.stopped_early);
    }

    #[test]
    fn a_sweep_that_goes_on_from_its_records_comes_to_the_same() {
        let load = |name: &str| parse(name, find(name).unwrap().text, &[], &crate::raft_kv::known()).unwrap();
        let scenarios: [Scenario; 2] = [load("calm"), load("leader-isolation")];
        let plan = Sweep {
            scenarios: &scenarios,
            seeds: Seeds::Range { first: 0, count: 6 },
            bug: Some(crate::raft_kv::bug("L2").unwrap()),
            jobs: 2,
            time: None,
            max_fail: 0,
            verify_every: 10,
            isolation: None,
        };
        let never = AtomicBool::new(false);
        let mut all = Keeper {
            lines: Vec::new(),
            told: Vec::new(),
            stop: (&never, usize::MAX),
        };
        let whole = sweep(&plan, &never, &mut all);
        assert!(!whole.groups.is_empty() && all.lines.len() > 1, "{:?}", all.lines);
        for kept in 0..=all.lines.len() {
            let mut begun = Begun::new(2);
            for line in &all.lines[..kept] {
                begun.add(serde_json::from_str(line).unwrap()).unwrap();
            }
            same(
                &whole,
                &resume(
                    &plan,
                    begun,
                    &never,
                    &mut Keeper {
                        lines: Vec::new(),
                        told: Vec::new(),
                        stop: (&never, usize::MAX),
                    },
                ),
            );
        }
        let mut begun = Begun::new(2);
        let second = serde_json::from_str(&all.lines[1]).unwrap();
        assert!(matches!(begun.add(second), Err(Gap::Jobs { next: 0, .. })));
    }

    #[test]
    fn what_is_known_early_is_not_run_again_and_counts_in_its_turn() {
        let scenarios = [parse("calm", find("calm").unwrap().text, &[], &crate::raft_kv::known()).unwrap()];
        let plan = Sweep {
            scenarios: &scenarios,
            seeds: Seeds::Range { first: 0, count: 6 },
            bug: None,
            jobs: 1,
            time: None,
            max_fail: 0,
            verify_every: 0,
            isolation: None,
        };
        // It never happened: so it can only come from the record.
        let failure = Failure::new(crate::verdict::FailureKind::Safety, "p", "q", String::new());
        let outcome = Outcome {
            tally: Tally {
                runs: 1,
                failed: 1,
                ..Tally::default()
            },
            failure: Some(failure),
        };
        let mut begun = Begun::new(1);
        begun.add(Record::Early(Box::new(Early::new(4, &outcome)))).unwrap();
        let never = AtomicBool::new(false);
        let mut keeper = Keeper {
            lines: Vec::new(),
            told: Vec::new(),
            stop: (&never, usize::MAX),
        };
        let report = resume(&plan, begun, &never, &mut keeper);
        assert_eq!((report.scenarios[0].runs, report.scenarios[0].failed), (6, 1));
        assert_eq!((report.groups.len(), report.groups[0].seed), (1, Some(4)));
        assert_eq!(keeper.told, Vec::<String>::new(), "somebody was told before");
    }
}
