//! One run: a scenario and a seed, from the first boot to the verdict.
//!
//! A run has two phases. In the first, faults strike and clients work; every event is held against the safety properties.
//! Then the faults end, and within `time.settle` the cluster must elect a leader, serve every key and converge. At the
//! end the clients' history is held against the model.

mod fork;
mod judgement;
mod phases;
mod prepare;
mod report;
mod runner;
mod told;
mod watch;

pub use fork::Fork;
pub use report::RunReport;
pub use runner::register;

use crate::course::Course;
use crate::draw::Draw;
use crate::nemesis::{self, Triggers};
use crate::panics;
use crate::recovery::{Progress, Reached};
use crate::scenario::Scenario;
use crate::setup;
use crate::situations::Watcher;
use crate::swarm;
use crate::system::{Judge, PlantedBug, System};
use crate::verdict::{Failure, FailureKind};
use crate::workloads::WorldOf;
use crate::workloads::history::Effects;
use crate::workloads::online::Online;
use checker::properties::Properties;
use judgement::Judgement;
use prepare::{is_listed, prepared};
use runner::runner;
use simulator::{Chance, ConfigError, NodeId, PlannedFault, Step, Time, TraceSink};
use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

pub use crate::verdict::LINEARIZABLE;

/// The property that no situation of `[expect] never` is reached.
pub const MUST_NOT_HAPPEN: &str = "must-not-happen";

/// How a run is carried out.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
    /// Whether everything is recorded in memory, which is for short runs: see [`Steering::sink`].
    pub trace: bool,
    /// Whether the course of the run is written down: [`RunReport::course`].
    pub course: bool,
    /// After how many events each a mark is made: [`RunReport::marks`]; 0 for never.
    pub marks: u64,
    /// After how many events the run breaks off as inconclusive; 0 for never.
    pub events_max: u64,
}

/// What is known of a run after a number of its events, to compare it with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The last event, as numbered in the trace.
    pub seq: u64,
    /// The beginning of the digest so far.
    pub digest: u16,
}

/// What steers a run beside its scenario, its seed and its options.
#[derive(Default)]
pub struct Steering<'a> {
    /// The faults by the clock, instead of those that the seed draws.
    pub plan: Option<&'a [PlannedFault]>,
    /// Whether faults that wait for situations are left out.
    pub without_triggers: bool,
    /// Gets each abstract state that the cluster is in; the same one may come more than once.
    pub states: Option<&'a mut Vec<u64>>,
    /// Gets the trace event by event, instead of [`RunReport::trace`]; it decides nothing.
    pub sink: Option<Box<dyn TraceSink>>,
    /// Looks at the world after each step.
    pub probe: Option<Probe<'a>>,
}

/// Whoever looks at the world after each of its steps, before anybody judges it. What it sees is what there is; it changes nothing.
pub struct Probe<'a>(Box<dyn Look + 'a>);

trait Look: FnMut(&dyn Any, &Step) + Send {}

impl<F: FnMut(&dyn Any, &Step) + Send> Look for F {}

impl<'a> Probe<'a> {
    /// Calls this after each step of a run of this system; runs of other systems are not looked at.
    pub fn new<S: System>(mut look: impl FnMut(&WorldOf<S>, &Step) + Send + 'a) -> Self {
        Self(Box::new(move |world: &dyn Any, step: &Step| {
            if let Some(world) = world.downcast_ref::<WorldOf<S>>() {
                look(world, step);
            }
        }))
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// Runs one seed of a scenario. The same scenario, seed and options give the same report, everywhere.
///
/// A panic of the code under test is the failure of the run, and what was recorded up to it is kept. A property that
/// `[expect] properties` leaves out is not judged.
pub fn run(scenario: &Scenario, seed: u64, options: RunOptions) -> RunReport {
    run_steered(scenario, seed, options, Steering::default())
}

/// As [`run`], steered: a function of the steering too. It shifts no draw but those that the faults make which it changes.
pub fn run_steered(scenario: &Scenario, seed: u64, options: RunOptions, steering: Steering<'_>) -> RunReport {
    match swarm::resolve(scenario, seed) {
        Ok(Cow::Borrowed(scenario)) => run_as_it_is(scenario, seed, options, steering),
        Ok(Cow::Owned(drawn)) => RunReport {
            resolved: Some(Box::new(drawn.clone())),
            ..run_as_it_is(&drawn, seed, options, steering)
        },
        Err(error) => {
            let failure = Failure::new(FailureKind::Inconclusive, "swarm", "override", error.to_string());
            RunReport::without_events(seed, Draw::new(scenario, seed), failure)
        }
    }
}

fn run_as_it_is(scenario: &Scenario, seed: u64, options: RunOptions, steering: Steering<'_>) -> RunReport {
    let chance = if options.course {
        Chance::Recorded
    } else {
        Chance::Drawn
    };
    let draw = Draw::new(scenario, seed);
    runner(scenario)
        .carry_out(scenario, draw, seed, (None, &chance), (options, steering))
        .expect("the scenario format admits only settings that make a world")
}

/// Runs a scenario on a course of its own instead of what its seed would draw. The scenario is one of a single choice each, as
/// [`Draw::fix`] makes it. Where `chance` does not give the decisions, the seed draws those and nothing else.
///
/// # Errors
/// When the course names nodes or clients that the scenario does not have.
pub fn run_on_course(
    scenario: &Scenario,
    seed: u64,
    course: &Course,
    chance: &Chance,
    (options, sink): (RunOptions, Option<Box<dyn TraceSink>>),
) -> Result<RunReport, ConfigError> {
    let steering = Steering {
        sink,
        ..Steering::default()
    };
    let draw = Draw {
        damageable: course.damageable,
        ..Draw::new(scenario, seed)
    };
    runner(scenario).carry_out(scenario, draw, seed, (Some(course), chance), (options, steering))
}

fn carry_out<S: System>(
    system: &'static S,
    (scenario, draw): (&Scenario, Draw),
    seed: u64,
    (course, chance): (Option<&Course>, &Chance),
    (options, mut steering): (RunOptions, Steering<'_>),
) -> Result<RunReport, ConfigError> {
    let mut run = prepared(
        system,
        (scenario, &draw),
        seed,
        (course, chance),
        (options, &mut steering),
    )?;
    run.probe = Alone(steering.probe.take());
    let drive = panics::caught(|| run.drive()).unwrap_or_else(Err);
    if let (Some(wanted), Some(states)) = (steering.states, run.states.take()) {
        wanted.extend(states);
    }
    let mut failure = drive.err().filter(|failure| is_listed(scenario, &failure.property));
    // Whatever else went wrong follows from a frame that says what nobody sent.
    failure = run.undetected_damage().or(failure);
    let seen = run.seen();
    if failure.is_none() && is_listed(scenario, LINEARIZABLE) {
        let judgement = Judgement::of(scenario.workload.model, &seen);
        judgement.tell(&mut run.world);
        failure = judgement.failure().map(Box::new);
    }
    if let Some(failure) = failure.as_deref() {
        run.tell(failure);
    }
    let is_recorded = options.course && *chance != Chance::Drawn;
    let recorded = is_recorded.then(|| Course {
        damageable: draw.damageable,
        flips: setup::flips(scenario, course),
        ..Course::of::<S>(&run.world, run.healed)
    });
    let report = run.report(seed, draw, failure.map(|failure| *failure), seen.history);
    Ok(RunReport {
        course: recorded.map(Box::new),
        ..report
    })
}

struct Run<'a, S: System> {
    system: &'static S,
    world: WorldOf<S>,
    scenario: &'a Scenario,
    draw: Draw,
    properties: Properties,
    own_properties: Vec<Named<S::Process>>,
    watcher: Watcher,
    triggers: Triggers<'a>,
    /// What happens, where the seed does not say so.
    course: Option<&'a Course>,
    /// How many faults had struck when they ended; more than there are before that.
    healed: usize,
    /// Of each planned fault, whose strike it is.
    origins: Vec<Option<nemesis::Origin>>,
    /// What has struck; none where the faults are not the scenario's own.
    struck: Option<nemesis::Effects>,
    marks: Vec<Mark>,
    mark_every: u64,
    events_max: u64,
    effects: Effects,
    /// Gets each abstract state, if somebody wants them.
    states: Option<Vec<u64>>,
    /// Whether something was observed since the last one.
    has_changed: bool,
    /// What clients are told, judged as it comes; `None` when that is left to the end.
    online: Alone<Online>,
    /// Looks at the world after each step.
    probe: Alone<Probe<'a>>,
    /// Whether the nodes tell what happens to them.
    observes: bool,
    /// The nodes that never come back.
    lost: BTreeSet<NodeId>,
    seed: u64,
    faults_end: Time,
    recovered: Reached,
    /// How far the second phase is, once it has begun.
    progress: Option<Progress>,
    /// The run stands still at this time; [`Time::MAX`] for one that goes through.
    stop: Time,
    /// How often each node's disk had broken its promises when the node booted last.
    broken_promises: Vec<u64>,
}

/// What goes along with one run alone, and not with its copies: they leave the check of what clients are told to their end.
struct Alone<T>(Option<T>);

impl<S: System> Run<'_, S> {
    /// A run that goes on as this one would; `None` if the system's processes cannot be copied.
    fn copied(&self) -> Option<Self> {
        Some(Self {
            system: self.system,
            world: self.world.copied(&|process| self.system.copy(process))?,
            scenario: self.scenario,
            draw: self.draw,
            properties: self.properties.clone(),
            own_properties: self
                .own_properties
                .iter()
                .map(|(name, own)| (*name, own.copied()))
                .collect(),
            watcher: self.watcher.clone(),
            triggers: self.triggers.clone(),
            course: self.course,
            healed: self.healed,
            origins: self.origins.clone(),
            struck: self.struck.clone(),
            marks: self.marks.clone(),
            mark_every: self.mark_every,
            events_max: self.events_max,
            effects: self.effects.clone(),
            states: self.states.clone(),
            has_changed: self.has_changed,
            online: Alone(None),
            probe: Alone(None),
            observes: self.observes,
            lost: self.lost.clone(),
            seed: self.seed,
            faults_end: self.faults_end,
            recovered: self.recovered,
            progress: self.progress.clone(),
            stop: self.stop,
            broken_promises: self.broken_promises.clone(),
        })
    }
}

/// A property of the system's own, with its name.
type Named<P> = (&'static str, Box<dyn Judge<P>>);

type Checked = Result<(), Box<Failure>>;
