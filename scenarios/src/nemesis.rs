//! From a scenario's faults and a seed to a plan: an explicit list of timed actions, which is data from then on.
//!
//! Each `[[fault]]` draws from a stream of its own, so that one more fault at the end of a file shifts none of the others. Owns
//! when faults strike by the clock; `trigger` owns those that wait for a situation. What a strike is made of is in the modules
//! below, one for each domain.

mod clock;
mod clog;
mod disk;
mod effects;
mod network;
mod process;
mod shape;
#[cfg(test)]
mod tests;
mod trigger;

pub use effects::{Effects, Origin, Shows};
pub use trigger::{Strike, Triggers};

use crate::scenario::{DurationRange, Fault, FaultKind, Scenario, Target, When};
use crate::setup::Draw;
use simulator::{Duration, FaultAction, NodeId, PlannedFault, Stream, Target as Aim, Time};

/// Draws the plan of one run: sorted by time, and within the time of the faults except for what ends them.
pub fn plan(scenario: &Scenario, draw: &Draw, seed: u64) -> Vec<PlannedFault> {
    attributed(scenario, draw, seed)
        .into_iter()
        .map(|(planned, _)| planned)
        .collect()
}

/// The same plan, each action with the `[[fault]]` whose strike it is.
pub fn attributed(scenario: &Scenario, draw: &Draw, seed: u64) -> Vec<(PlannedFault, Option<Origin>)> {
    let mut planner = Planner::new(scenario, draw, seed);
    for (number, fault) in scenario.faults.iter().enumerate() {
        planner.stream = Stream::new(seed, "nemesis", number as u64);
        planner.origin = Some(number);
        planner.fault(fault, Time(scenario.time.chaos_ns));
    }
    planner.plan.sort_by_key(|(planned, _)| planned.at);
    planner.plan
}

#[derive(Clone)]
struct Planner<'a> {
    draw: &'a Draw,
    stream: Stream,
    plan: Vec<(PlannedFault, Option<Origin>)>,
    /// The `[[fault]]` that is planned now.
    origin: Option<usize>,
    next_cut: u32,
    /// The rate at which each node's clock drifts from the start, in parts per million.
    rates: Vec<i32>,
    /// The version of the latest upgrade.
    version: u32,
}

impl<'a> Planner<'a> {
    /// With the clocks' own drift as its only plan.
    fn new(scenario: &Scenario, draw: &'a Draw, seed: u64) -> Self {
        let mut planner = Self {
            draw,
            stream: Stream::new(seed, "drift", 0),
            plan: Vec::new(),
            origin: None,
            next_cut: 0,
            rates: Vec::new(),
            version: 0,
        };
        planner.start_clocks(scenario.clock.drift_max_ppm);
        planner
    }
}

impl Planner<'_> {
    /// Plans a strike of the present fault.
    fn add(&mut self, at: Time, action: FaultAction) {
        let shows_as = Shows::of(&action);
        let origin = self.origin.map(|fault| Origin { fault, shows_as });
        self.plan.push((PlannedFault { at, action }, origin));
    }

    /// Plans what ends a strike.
    fn add_end(&mut self, at: Time, action: FaultAction) {
        self.plan.push((PlannedFault { at, action }, None));
    }

    /// A uniform number from `min` to `max`.
    fn offset(&mut self, min: i64, max: i64) -> i64 {
        min.wrapping_add_unsigned(self.stream.range(0, max.abs_diff(min)))
    }

    fn span(&mut self, range: DurationRange) -> Duration {
        Duration(self.stream.range(range.min_ns, range.max_ns))
    }

    /// The strikes of one fault.
    fn fault(&mut self, fault: &Fault, end: Time) {
        match fault.when {
            When::At { ns } => self.strike(Time(ns), &fault.kind, end),
            When::Every(pause) => {
                let mut at = Time(0) + self.span(pause);
                while at < end {
                    self.strike(at, &fault.kind, end);
                    at += self.span(pause);
                }
            }
            // When that will be is not known before the run: see `trigger`.
            When::Reached(_) => {}
        }
    }

    fn strike(&mut self, at: Time, kind: &FaultKind, end: Time) {
        match kind {
            FaultKind::Partition { .. }
            | FaultKind::CutClients { .. }
            | FaultKind::CutLinks { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::OneWay { .. }
            | FaultKind::Clog { .. }
            | FaultKind::ClogLink { .. }
            | FaultKind::SwizzleClog { .. }
            | FaultKind::Hold { .. }
            | FaultKind::ReplayOld { .. } => {
                self.network(at, kind, end);
            }
            FaultKind::Crash { .. }
            | FaultKind::Pause { .. }
            | FaultKind::RollingRestart { .. }
            | FaultKind::CrashAtDisk { .. }
            | FaultKind::CrashLoop { .. }
            | FaultKind::Wipe { .. }
            | FaultKind::Upgrade { .. }
            | FaultKind::PowerLoss { .. } => self.process(at, kind, end),
            FaultKind::Disk(kind) => self.disk(at, *kind),
            FaultKind::ClockStep { .. } | FaultKind::ClockDrift { .. } | FaultKind::ClockFreeze { .. } => {
                self.clock(at, kind);
            }
        }
    }
}

fn aim(target: Target) -> Aim {
    match target {
        Target::Leader => Aim::Primary,
        Target::Backup => Aim::RandomBackup,
        // What was observed on no node in particular may strike any.
        Target::Any | Target::Observed => Aim::Random,
        Target::Node(node) => Aim::Node(NodeId(u16::try_from(node).expect("bounded by the scenario format"))),
    }
}
