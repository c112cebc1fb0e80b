//! The systems of this program as what runs them: one step from a scenario, which names its system, to code that was made for it.
//!
//! Whatever is above a run (sweeps, shrinking, capsules, the command line) knows no system's types; one call through a table leads to
//! a run, and everything within one is made for its system.

use super::fork::{Begun, Forked};
use super::{RunOptions, RunReport, Steering, carry_out, prepared};
use crate::course::Course;
use crate::draw::Draw;
use crate::scenario::Scenario;
use crate::system::{self, Info, System};
use simulator::{Chance, ConfigError};
use std::sync::{PoisonError, RwLock};

/// Runs a system.
pub(super) trait Runner: Send + Sync {
    /// Carries out one run.
    fn carry_out(
        &self,
        scenario: &Scenario,
        draw: Draw,
        seed: u64,
        given: (Option<&Course>, &Chance),
        how: (RunOptions, Steering<'_>),
    ) -> Result<RunReport, ConfigError>;

    /// Makes a run that stands still before its first event.
    fn begin<'a>(
        &self,
        scenario: &'a Scenario,
        draw: &'a Draw,
        seed: u64,
        given: (Option<&'a Course>, &Chance),
        options: RunOptions,
    ) -> Result<Box<dyn Forked<'a> + 'a>, ConfigError>;
}

struct Of<S: System>(&'static S);

impl<S: System> Runner for Of<S> {
    fn carry_out(
        &self,
        scenario: &Scenario,
        draw: Draw,
        seed: u64,
        given: (Option<&Course>, &Chance),
        how: (RunOptions, Steering<'_>),
    ) -> Result<RunReport, ConfigError> {
        carry_out(self.0, (scenario, draw), seed, given, how)
    }

    fn begin<'a>(
        &self,
        scenario: &'a Scenario,
        draw: &'a Draw,
        seed: u64,
        given: (Option<&'a Course>, &Chance),
        options: RunOptions,
    ) -> Result<Box<dyn Forked<'a> + 'a>, ConfigError> {
        let run = prepared(
            self.0,
            (scenario, draw),
            seed,
            given,
            (options, &mut Steering::default()),
        )?;
        Ok(Box::new(Begun { run }))
    }
}

static RUNNERS: RwLock<Vec<(&'static str, &'static dyn Runner)>> = RwLock::new(Vec::new());

/// Makes a system known to this program under its name; the first one is the default. A second system of the same name is not taken:
/// what is known of the first is given.
pub fn register<S: System>(system: S) -> &'static Info {
    let mut runners = RUNNERS.write().unwrap_or_else(PoisonError::into_inner);
    let info = system::register(&system);
    if runners.iter().all(|(name, _)| *name != info.name) {
        runners.push((info.name, Box::leak(Box::new(Of(Box::leak(Box::new(system)))))));
    }
    info
}

/// What runs the system of a scenario.
pub(super) fn runner(scenario: &Scenario) -> &'static dyn Runner {
    let name = scenario.known.system;
    let runners = RUNNERS.read().unwrap_or_else(PoisonError::into_inner);
    let found = runners.iter().find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("the system `{name}` is not registered in this program: see `squall::register`"))
        .1
}
