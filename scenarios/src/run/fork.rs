//! A run that stands still at a moment, from which it may go on in many ways.
//!
//! The world, the checkers and what they have seen are cloned; chance is another from there on (`World::reseed`), and the plan of
//! faults stays. So one moment has as many futures as there are numbers, and how many of them fail says what that moment has
//! decided already.

use super::judgement::Judgement;
use super::runner::runner;
use super::{Checked, LINEARIZABLE, Run, RunOptions, is_listed};
use crate::course::Course;
use crate::draw::Draw;
use crate::panics;
use crate::scenario::Scenario;
use crate::system::{PlantedBug, System};
use crate::verdict::{Failure, FailureKind};
use simulator::{Chance, ConfigError, Time};
use std::sync::Arc;

/// A run up to a moment.
pub struct Fork<'a> {
    run: Box<dyn Forked<'a> + 'a>,
}

/// A run of some system that stands still at a moment.
pub(super) trait Forked<'a> {
    /// Lets the checkers see what has booted. Whether the run can have more futures than one.
    fn begin(&mut self) -> Result<bool, Box<Failure>>;
    /// See [`Fork::copied`].
    fn copied(&self) -> Box<dyn Forked<'a> + 'a>;
    /// See [`Fork::advance`].
    fn advance(&mut self, to: Time) -> Checked;
    /// See [`Fork::future`].
    fn future(&self, number: u64, until: Time, judge: bool) -> Option<Box<Failure>>;
}

/// A run of this system.
pub(super) struct Begun<'a, S: System> {
    pub run: Run<'a, S>,
}

impl<'a> Fork<'a> {
    /// A run before its first event. `draw` is what the seed draws of the scenario, which has no `[swarm]`.
    ///
    /// # Errors
    /// The failure of a run that fails before anything happens, and one that is inconclusive for a system whose nodes cannot be copied.
    pub fn new(
        scenario: &'a Scenario,
        draw: &'a Draw,
        seed: u64,
        bug: Option<&'static PlantedBug>,
    ) -> Result<Self, Box<Failure>> {
        let options = RunOptions {
            bug,
            ..RunOptions::default()
        };
        let run = runner(scenario).begin(scenario, draw, seed, (None, &Chance::Drawn), options);
        Self::begun(
            run.expect("the scenario format admits only settings that make a world"),
            scenario,
        )
    }

    /// A run on a course of its own before its first event: a capsule's. `draw` is what a run of its scenario draws, with the course's own
    /// damageable nodes.
    ///
    /// # Errors
    /// As [`new`](Self::new), and of a course that does not fit its scenario.
    pub fn on_course(
        (scenario, course): (&'a Scenario, &'a Course),
        draw: &'a Draw,
        bug: Option<&'static PlantedBug>,
    ) -> Result<Self, Box<Failure>> {
        let options = RunOptions {
            bug,
            ..RunOptions::default()
        };
        let chance = Chance::Given(Arc::clone(&course.decisions));
        let run = runner(scenario).begin(scenario, draw, 0, (Some(course), &chance), options);
        let misfit = |error: ConfigError| {
            let kind = FailureKind::Inconclusive;
            Box::new(Failure::new(kind, "capsule", "misfit", error.to_string()))
        };
        Self::begun(run.map_err(misfit)?, scenario)
    }

    fn begun(mut run: Box<dyn Forked<'a> + 'a>, scenario: &Scenario) -> Result<Self, Box<Failure>> {
        if !run.begin()? {
            let message = format!(
                "the nodes of the system `{}` cannot be copied, so a run of it has no other futures: implement `System::copy`",
                scenario.known.system
            );
            let kind = FailureKind::Inconclusive;
            return Err(Box::new(Failure::new(kind, "fork", "not-copied", message)));
        }
        Ok(Self { run })
    }

    /// The same run, standing still at the same moment.
    pub fn copied(&self) -> Self {
        Self { run: self.run.copied() }
    }

    /// Goes on to a true time, as the run itself did.
    ///
    /// # Errors
    /// The failure of the run, if it comes before.
    pub fn advance(&mut self, to: Time) -> Result<(), Box<Failure>> {
        self.run.advance(to)
    }

    /// How one of its futures fails, if it does so until a true time. Futures of the same number are the same. What clients have
    /// seen by then is held against the model only with `judge`, for that takes its time.
    pub fn future(&self, number: u64, until: Time, judge: bool) -> Option<Box<Failure>> {
        self.run.future(number, until, judge)
    }
}

impl<'a, S: System> Forked<'a> for Begun<'a, S> {
    fn begin(&mut self) -> Result<bool, Box<Failure>> {
        self.run.observe_all()?;
        Ok(self.run.copied().is_some())
    }

    fn copied(&self) -> Box<dyn Forked<'a> + 'a> {
        let run = self.run.copied().expect("it could be copied when it began");
        Box::new(Self { run })
    }

    fn advance(&mut self, to: Time) -> Checked {
        self.run.stop = to;
        panics::caught(|| self.run.resume()).unwrap_or_else(Err)
    }

    fn future(&self, number: u64, until: Time, judge: bool) -> Option<Box<Failure>> {
        let mut run = self.run.copied().expect("it could be copied when it began");
        run.world.reseed(number);
        run.stop = until;
        let went: Checked = panics::caught(|| run.resume()).unwrap_or_else(Err);
        let scenario = run.scenario;
        let failure = went.err().filter(|failure| is_listed(scenario, &failure.property));
        if failure.is_some() || !judge || !is_listed(scenario, LINEARIZABLE) {
            return failure;
        }
        let failure = Judgement::of(scenario.workload.model, &run.seen()).failure();
        failure.map(Box::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run;
    use crate::scenario;

    const SEED: u64 = 1;

    fn stale_reads() -> (Scenario, Option<&'static PlantedBug>) {
        let builtin = crate::raft_kv::find("leader-isolation").expect("a built-in scenario");
        let scenario = scenario::parse(builtin.name, builtin.text, &[], &crate::raft_kv::known()).expect("it is valid");
        (scenario, Some(crate::raft_kv::bug("L2").expect("a planted bug")))
    }

    #[test]
    fn standing_still_on_the_way_changes_nothing() {
        let (scenario, bug) = stale_reads();
        let options = RunOptions {
            bug,
            ..RunOptions::default()
        };
        let whole = run(&scenario, SEED, options).failure.expect("it fails");
        let draw = Draw::new(&scenario, SEED);
        let mut fork = Fork::new(&scenario, &draw, SEED, bug).unwrap();
        for tenths in 0..=60 {
            fork.advance(Time(tenths * 100_000_000)).unwrap();
        }
        assert_eq!(*fork.advance(Time::MAX).unwrap_err(), whole);
    }

    #[test]
    fn what_is_on_its_way_is_decided_and_what_is_not_yet_drawn_is_open() {
        let (scenario, bug) = stale_reads();
        let draw = Draw::new(&scenario, SEED);
        let mut fork = Fork::new(&scenario, &draw, SEED, bug).unwrap();
        let failed_at = 6_356_178_072;
        let until = Time(failed_at + 250_000_000);
        fork.advance(Time(5_000_000_000)).unwrap();
        let early: Vec<_> = (0..6).map(|number| fork.future(number, until, false)).collect();
        assert!(early.iter().any(Option::is_none), "{early:?}");
        assert_eq!(early[3], fork.future(3, until, false), "a number is one future");
        fork.advance(Time(failed_at - 1_000)).unwrap();
        for number in 0..6 {
            let late = fork.future(number, until, false).expect("the read is on its way");
            assert_eq!(late.signature, "read-freshness/stale-read");
        }
    }

    #[test]
    fn a_run_that_passes_is_over_however_often_it_stands_still() {
        let (scenario, _) = stale_reads();
        let draw = Draw::new(&scenario, SEED);
        let mut fork = Fork::new(&scenario, &draw, SEED, None).unwrap();
        for seconds in [19, 20, 20, 21] {
            fork.advance(Time(seconds * 1_000_000_000)).unwrap();
        }
        fork.advance(Time::MAX).unwrap();
        assert!(fork.future(1, Time::MAX, true).is_none());
    }
}
