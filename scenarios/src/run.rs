//! One run: a scenario and a seed, from the first boot to the verdict.
//!
//! A run has two phases. In the first, faults strike and clients work; every event is held against the safety properties.
//! Then the faults end, and within `time.settle` the cluster must elect a leader, serve every key and converge. At the
//! end the clients' history is held against the model.

mod fork;

pub use fork::Fork;

use crate::capsule::Course;
use crate::nemesis::{self, Triggers};
use crate::panics;
use crate::recovery::{self, Progress, Reached};
use crate::scenario::{Flip, Flips, Lasting, MESSAGE_KINDS, Model, Scenario};
use crate::setup::{self, Draw, Making};
use crate::situations::{Links, Situation, Situations, Watcher};
use crate::swarm;
use crate::systems::kv::{KvNode, PlantedBug, Told};
use crate::verdict::{Failure, FailureKind};
use crate::workloads::client::KvClient;
use crate::workloads::history::{self, Effects, Seen};
use crate::workloads::online::Online;
use checker::history::History;
use checker::linearizability::{Options, Verdict};
use checker::properties::{At, Observation, PROPERTIES, Properties, Timing, Violation};
use simulator::trace::format::{TraceFooter, TraceHeader};
use simulator::{
    Chance, ClientId, ConfigError, Digest, Exposure, LocalTime, NodeId, PlannedFault, Step, StepKind, Target, Time,
    TraceEvent, World,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The property that a client's view of the store is linearizable.
pub const LINEARIZABLE: &str = "linearizable";

/// How a run is carried out.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
    /// Whether everything is recorded.
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
#[derive(Debug, Default)]
pub struct Steering<'a> {
    /// The faults by the clock, instead of those that the seed draws.
    pub plan: Option<&'a [PlannedFault]>,
    /// Whether faults that wait for situations are left out.
    pub without_triggers: bool,
    /// Gets each abstract state that the cluster is in; the same one may come more than once.
    pub states: Option<&'a mut Vec<u64>>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The seed.
    pub seed: u64,
    /// What it drew.
    pub draw: Draw,
    /// The scenario that it drew, where that has a `[swarm]`.
    pub resolved: Option<Box<Scenario>>,
    /// Why the run did not pass; `None` if it did.
    pub failure: Option<Failure>,
    /// What happened beside what follows from it, if it was asked for.
    pub course: Option<Box<Course>>,
    /// Marks, at the numbers of events that were asked for.
    pub marks: Vec<Mark>,
    /// The digest of all events.
    pub digest: Digest,
    /// How often each fault fired.
    pub exposure: Exposure,
    /// How often each situation was reached.
    pub situations: Situations,
    /// When after the faults the cluster reached each [`Milestone`](crate::recovery::Milestone): in thousandths of the longest
    /// election timeout, rounded up, and 0 where it did not.
    pub recovered: [u64; 4],
    /// Events handled.
    pub events: u64,
    /// True time at the end.
    pub end: Time,
    /// Operations that clients started, and those of unknown outcome.
    pub operations: usize,
    /// Of those, how many have an unknown outcome.
    pub unknown_outcomes: usize,
    /// The highest log index that was committed.
    pub committed: u64,
    /// What the clients saw.
    pub history: History,
    /// What was recorded, if it was asked for.
    pub trace: Vec<TraceEvent>,
    /// How many events did not fit into the trace.
    pub trace_left_out: u64,
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
    carry_out(scenario, draw, seed, (None, &chance), (options, steering))
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
    options: RunOptions,
) -> Result<RunReport, ConfigError> {
    let draw = Draw {
        damageable: course.damageable,
        ..Draw::new(scenario, seed)
    };
    carry_out(
        scenario,
        draw,
        seed,
        (Some(course), chance),
        (options, Steering::default()),
    )
}

fn carry_out(
    scenario: &Scenario,
    draw: Draw,
    seed: u64,
    (course, chance): (Option<&Course>, &Chance),
    (options, steering): (RunOptions, Steering<'_>),
) -> Result<RunReport, ConfigError> {
    let mut run = prepared(scenario, &draw, seed, (course, chance), (options, &steering))?;
    let drive = panics::caught(|| run.drive()).unwrap_or_else(Err);
    if let (Some(wanted), Some(states)) = (steering.states, run.states.take()) {
        wanted.extend(states);
    }
    let mut failure = drive.err().filter(|failure| is_listed(scenario, &failure.property));
    // Whatever else went wrong follows from a frame that says what nobody sent.
    failure = run.undetected_damage().or(failure);
    let seen = run.seen();
    if failure.is_none() && is_listed(scenario, LINEARIZABLE) {
        failure = check_history(scenario.workload.model, &seen).err();
    }
    if let Some(failure) = failure.as_deref() {
        run.tell(failure);
    }
    let is_recorded = options.course && *chance != Chance::Drawn;
    let recorded = is_recorded.then(|| Course {
        damageable: draw.damageable,
        flips: setup::flips(scenario, course),
        ..Course::of(&run.world, run.healed)
    });
    let report = run.report(seed, draw, failure.map(|failure| *failure), seen.history);
    Ok(RunReport {
        course: recorded.map(Box::new),
        ..report
    })
}

/// A run before its first event.
fn prepared<'a>(
    scenario: &'a Scenario,
    draw: &'a Draw,
    seed: u64,
    (course, chance): (Option<&'a Course>, &Chance),
    (options, steering): (RunOptions, &Steering<'_>),
) -> Result<Run<'a>, ConfigError> {
    let plan = match (steering.plan, course) {
        (Some(plan), _) => plan.to_vec(),
        (None, Some(course)) => course.planned().collect(),
        (None, None) => nemesis::plan(scenario, draw, seed),
    };
    let making = Making {
        seed,
        chance,
        course,
        bug: options.bug,
        trace: options.trace,
    };
    let world = setup::world(scenario, draw, plan, making)?;
    let mut watcher = Watcher::new(draw.all_nodes(), draw.nodes);
    let mut triggers = match course {
        None => Triggers::new(scenario, draw, seed, &mut watcher),
        Some(course) => Triggers::given(scenario, draw, course.afterwards()),
    };
    if steering.without_triggers {
        triggers.disarm();
    }
    let online = scenario.expect.online && is_listed(scenario, LINEARIZABLE);
    Ok(Run {
        world,
        scenario,
        draw: *draw,
        properties: properties(scenario, draw, setup::flips(scenario, course)),
        watcher,
        triggers,
        course,
        healed: usize::MAX,
        stop: Time::MAX,
        marks: Vec::new(),
        mark_every: options.marks,
        events_max: options.events_max,
        effects: Effects::default(),
        states: steering.states.is_some().then(Vec::new),
        has_changed: false,
        online: Alone(online.then(|| Online::new(scenario.workload.model, draw.clients))),
        broken_promises: vec![0; draw.all_nodes().into()],
        lost: BTreeSet::new(),
        seed,
        faults_end: Time(scenario.time.chaos_ns),
        recovered: Reached::default(),
        progress: None,
    })
}

/// Whether a property is judged: those that `[expect] properties` may name only if it does.
fn is_listed(scenario: &Scenario, property: &str) -> bool {
    let listed = scenario.expect.properties.iter().any(|listed| listed == property);
    listed || !crate::known().properties.contains(&property)
}

/// The online checks that the scenario asks for.
fn properties(scenario: &Scenario, draw: &Draw, flips: Option<Flips>) -> Properties {
    let online = |name: &&str| PROPERTIES.iter().any(|property| property.name == *name);
    let listed: Vec<&str> = scenario
        .expect
        .properties
        .iter()
        .map(String::as_str)
        .filter(online)
        .collect();
    // What an upgrade changes holds only on some nodes, and not all the time.
    let is_sure = |flip| !flips.is_some_and(|flips| flips.has(flip));
    let timing = Timing {
        election_timeout_min: scenario.cluster.election.min_ns,
        election_timeout_max: scenario.cluster.election.max_ns,
        heartbeat_interval: scenario.cluster.heartbeat_ns,
        check_quorum: draw.check_quorum && is_sure(Flip::CheckQuorum),
    };
    let all = Properties::new(draw.nodes.into())
        .pre_vote(draw.pre_vote && is_sure(Flip::PreVote))
        .timing(timing);
    all.only(&listed).expect("every listed property is one of them")
}

#[derive(Clone)]
struct Run<'a> {
    world: World<KvNode>,
    scenario: &'a Scenario,
    draw: Draw,
    properties: Properties,
    watcher: Watcher,
    triggers: Triggers<'a>,
    /// What happens, where the seed does not say so.
    course: Option<&'a Course>,
    /// How many faults had struck when they ended; more than there are before that.
    healed: usize,
    marks: Vec<Mark>,
    mark_every: u64,
    events_max: u64,
    effects: Effects,
    /// Gets each abstract state, if somebody wants them.
    states: Option<Vec<u64>>,
    /// Whether something was observed since the last one.
    has_changed: bool,
    /// What clients are told, judged as it comes; `None` when that is left to the end.
    online: Alone,
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

/// The check of what clients are told, which goes along with one run alone: a fork leaves it to its end.
struct Alone(Option<Online>);

impl Clone for Alone {
    fn clone(&self) -> Self {
        Self(None)
    }
}

type Checked = Result<(), Box<Failure>>;

impl Run<'_> {
    fn drive(&mut self) -> Checked {
        self.observe_all()?;
        self.resume()
    }

    /// Goes on until the run is over, or to the time at which it is to stand still.
    fn resume(&mut self) -> Checked {
        if self.healed == usize::MAX {
            self.suffer_faults()?;
            if self.stands_still() {
                return Ok(());
            }
            self.end_faults()?;
        }
        self.recover()
    }

    /// The second phase: from milestone to milestone.
    fn recover(&mut self) -> Checked {
        loop {
            let (milestone, deadline) = self.progress().next_deadline();
            if let Some(step) = self.world.step_until(deadline.min(self.stop)) {
                self.stepped(&step)?;
                if may_recover(&step) && self.look() {
                    return self.at_rest();
                }
                continue;
            }
            if self.stands_still() {
                return Ok(());
            }
            let missed = (milestone, self.faults_end, deadline);
            return Err(Box::new(match self.world.halted() {
                Some(halt) => Failure::halted(&halt),
                None => recovery::why_not(&self.world, &self.lost, self.scenario, missed),
            }));
        }
    }

    fn progress(&mut self) -> &mut Progress {
        self.progress.as_mut().expect("the faults have ended")
    }

    /// Whether the cluster has come to all milestones.
    fn look(&mut self) -> bool {
        let mut progress = self.progress.take().expect("the faults have ended");
        let is_there = progress.look(&self.world, &self.lost);
        self.recovered = progress.reached();
        self.progress = Some(progress);
        is_there
    }

    fn stands_still(&self) -> bool {
        self.world.now() >= self.stop
    }

    fn end_faults(&mut self) -> Checked {
        let allowance = recovery::catch_up_allowance(&self.world, self.scenario, &self.draw);
        self.progress = Some(Progress::new(self.scenario, self.faults_end, allowance));
        self.healed = self.world.applied().len();
        let fallen: Vec<NodeId> = self.world.nodes().filter(|node| !self.world.is_up(*node)).collect();
        self.world.heal();
        self.watcher.links(links(&self.world));
        self.observe_all()?;
        self.leave_some_behind(&fallen)
    }

    /// Some nodes do not come back from the faults, if the scenario says so.
    fn leave_some_behind(&mut self, fallen: &[NodeId]) -> Checked {
        self.lost
            .extend(self.world.nodes().filter(|node| self.world.is_retired(*node)));
        let lasting = self.scenario.recovery.lasting;
        if lasting == Lasting::None && self.course.is_none_or(|course| course.losses.is_empty()) {
            return Ok(());
        }
        // Those that restart now do so first.
        while let Some(step) = self.world.step_until(self.faults_end) {
            self.stepped(&step)?;
        }
        let losses = match self.course {
            None => recovery::losses(&self.world, fallen, lasting, self.seed),
            Some(course) => course.losses.clone(),
        };
        for action in losses {
            let node = match action.target() {
                Some(Target::Node(node)) => Some(node),
                _ => None,
            };
            let step = self.world.apply(action);
            self.stepped(&step)?;
            self.lost.extend(node);
        }
        Ok(())
    }

    /// The first phase.
    fn suffer_faults(&mut self) -> Checked {
        loop {
            let until = self
                .triggers
                .next()
                .map_or(self.faults_end, |at| at.min(self.faults_end));
            if let Some(step) = self.world.step_until(until.min(self.stop)) {
                self.stepped(&step)?;
                self.strike(self.world.events_of_instant())?;
            } else if self.world.halted().is_some() || (self.stop < until && self.stands_still()) {
                return Ok(());
            } else {
                self.strike(u64::MAX)?;
                if self.world.now() >= self.faults_end {
                    return Ok(());
                }
            }
        }
    }

    /// Applies the faults that are due after so many events of this instant, and those that they bring about in turn.
    fn strike(&mut self, events: u64) -> Checked {
        loop {
            let now = self.world.now();
            while let Some((situation, node)) = self.watcher.take() {
                self.triggers.reached(now, situation, node);
            }
            let Some(strike) = self.triggers.due(now, events) else {
                return Ok(());
            };
            let (when, fault) = (strike.situation.map(Situation::name), strike.fault);
            self.world
                .note(None, "trigger", || serde_json::json!({ "fault": fault, "when": when }));
            let step = self.world.apply(strike.action);
            self.stepped(&step)?;
        }
    }

    /// Lets the checkers see what a step did.
    fn stepped(&mut self, step: &Step) -> Checked {
        self.watcher.at(step.time.0);
        if self.mark_every > 0 && self.world.steps() / self.mark_every > self.marks.len() as u64 {
            self.mark(step);
        }
        if matches!(
            step.kind,
            StepKind::Cut { .. } | StepKind::Mended { .. } | StepKind::Healed
        ) {
            self.watcher.links(links(&self.world));
        }
        if let StepKind::Response { client, .. } | StepKind::ClientTimer { client } = step.kind {
            self.look_at(client);
            self.judge_clients(step)?;
        }
        if self.events_max > 0 && self.world.steps() > self.events_max {
            let message = format!("the run broke off after {} events, as it was told to", self.events_max);
            let failure = Failure::new(FailureKind::Inconclusive, "run", "events", message);
            return Err(Box::new(failure));
        }
        let Some(node) = step.node else { return Ok(()) };
        let at = At {
            event: step.seq,
            time: step.time.0,
        };
        if step.kind == StepKind::Restarted {
            self.judge_disk(at, node)?;
        }
        match step.kind {
            StepKind::Crashed => {
                self.watcher.observe(node.0.into(), &Observation::Crashed);
                let verdict = self.properties.observe(at, node.0.into(), &Observation::Crashed);
                return verdict.or_else(|violation| self.violated(node, &violation));
            }
            StepKind::Restarted if self.world.process(node).is_some_and(KvNode::recovered_torn) => {
                self.watcher.reached(Situation::TornTailRecovered, node.index());
            }
            StepKind::Paused => self.watcher.paused(node.index()),
            StepKind::Resumed => self.watcher.resumed(node.index()),
            _ => {}
        }
        let verdict = self.observe(at, node);
        self.note_state();
        verdict
    }

    /// Notes the cluster's abstract state, if somebody wants it and something was observed.
    fn note_state(&mut self) {
        let Some(states) = &mut self.states else { return };
        if std::mem::take(&mut self.has_changed) {
            let kind_bit = |kind| {
                MESSAGE_KINDS
                    .iter()
                    .position(|known| *known == kind)
                    .map_or(0, |place| 1 << place)
            };
            let under_way = self.world.kinds_under_way().fold(0, |set, kind| set | kind_bit(kind));
            states.push(self.watcher.abstraction(under_way));
        }
    }

    /// Lets the online check see what a client did.
    fn look_at(&mut self, client: ClientId) {
        if let (Some(online), Some(kv)) = (&mut self.online.0, self.world.client(client).client()) {
            online.look(client.0, kv);
        }
    }

    /// Asks the whole check, once the log's order does not explain what clients were told.
    fn judge_clients(&mut self, step: &Step) -> Checked {
        let Some(online) = self.online.0.take_if(|online| online.is_broken()) else {
            return Ok(());
        };
        match check_history(self.scenario.workload.model, &self.seen()) {
            Ok(()) => self.online.0 = online.without_order(),
            Err(failure) if failure.kind == FailureKind::Safety => {
                self.world.note(
                    None,
                    "violation",
                    || serde_json::json!({ "property": LINEARIZABLE, "message": failure.message }),
                );
                return Err(Box::new(Failure {
                    event: Some(step.seq),
                    time: Some(step.time.0),
                    ..*failure
                }));
            }
            // Too hard for now; the end of the run decides.
            Err(_) => {}
        }
        Ok(())
    }

    #[cold]
    fn mark(&mut self, step: &Step) {
        let [first, second, ..] = self.world.digest().0;
        self.marks.push(Mark {
            seq: step.seq,
            digest: u16::from_be_bytes([first, second]),
        });
    }

    /// Tells the properties before a node's boot is judged that its disk has not kept its promises since the last one.
    fn judge_disk(&mut self, at: At, node: NodeId) -> Checked {
        let broken = self.world.broken_promises(node);
        let before = std::mem::replace(&mut self.broken_promises[node.index()], broken);
        if broken == before {
            return Ok(());
        }
        let verdict = self.properties.observe(at, node.0.into(), &Observation::Damaged);
        verdict.or_else(|violation| self.violated(node, &violation))
    }

    fn observe(&mut self, at: At, node: NodeId) -> Checked {
        let clock = *self.world.clock(node);
        let Some(process) = self.world.process_mut(node) else {
            return Ok(());
        };
        let (properties, watcher, effects) = (&mut self.properties, &mut self.watcher, &mut self.effects);
        let has_changed = &mut self.has_changed;
        let online = &mut self.online.0;
        let verdict = process.observer().take(|told| {
            *has_changed = true;
            let observation = match told {
                // The node tells its own time; everybody else speaks of true time.
                Told::Observation(Observation::LeaseHeld { until }) => &Observation::LeaseHeld {
                    until: clock.true_time(LocalTime(*until)).0,
                },
                Told::Observation(observation) => observation,
                Told::Sign(sign) => {
                    watcher.sign(node.0.into(), sign);
                    return Ok(());
                }
            };
            watcher.observe(node.0.into(), observation);
            effects.observe(observation);
            if let Some(online) = online {
                online.observe(observation);
            }
            properties.observe(at, node.0.into(), observation)
        });
        verdict.or_else(|violation| self.violated(node, &violation))
    }

    #[cold]
    fn violated(&mut self, node: NodeId, violation: &Violation) -> Checked {
        self.world.note(
            Some(node.into()),
            "violation",
            || serde_json::json!({ "property": violation.property, "message": violation.message }),
        );
        Err(Box::new(Failure::from(violation)))
    }

    /// Notes in the trace what no event of it says: a verdict on the run as a whole.
    fn tell(&mut self, failure: &Failure) {
        if failure.event.is_none() || failure.node.is_none() {
            self.world.note(
                None,
                "verdict",
                || serde_json::json!({ "property": failure.property, "message": failure.message, "details": failure.details }),
            );
        }
    }

    fn observe_all(&mut self) -> Checked {
        let at = At {
            event: self.world.steps(),
            time: self.world.now().0,
        };
        self.world.nodes().try_for_each(|node| self.observe(at, node))
    }

    fn at_rest(&mut self) -> Checked {
        let at = At {
            event: self.world.steps(),
            time: self.world.now().0,
        };
        let verdict = self.properties.at_rest(at);
        verdict.or_else(|violation| self.violated(NodeId(violation.node as u16), &violation))
    }

    /// A damaged frame that its receiver took for a sound one.
    fn undetected_damage(&self) -> Option<Box<Failure>> {
        let count = self.world.exposure().undetected();
        (count > 0).then(|| {
            let message = format!("{count} damaged frames were decoded as if they were sound");
            Box::new(Failure::new(FailureKind::Safety, "wire", "undetected-damage", message))
        })
    }

    /// What all clients saw.
    fn seen(&self) -> Seen {
        let clients = self
            .world
            .clients()
            .filter_map(|client| self.world.client(client).client());
        history::history(clients.flat_map(KvClient::history).collect(), &self.effects)
    }

    fn report(mut self, seed: u64, draw: Draw, failure: Option<Failure>, history: History) -> RunReport {
        let mut situations = *self.watcher.situations();
        situations.reached(Situation::OutcomeUnknown, history.unknown_outcomes() as u64);
        RunReport {
            seed,
            draw,
            resolved: None,
            failure,
            course: None,
            marks: self.marks,
            digest: self.world.digest(),
            exposure: self.world.exposure().clone(),
            situations,
            recovered: self.recovered.in_timeouts(self.scenario),
            events: self.world.steps(),
            end: self.world.now(),
            operations: history.len(),
            unknown_outcomes: history.unknown_outcomes(),
            committed: self.properties.committed(),
            history,
            trace: self.world.take_trace(),
            trace_left_out: self.world.trace_left_out(),
        }
    }
}

/// Whether a step can have brought the cluster closer to its recovery: nodes become alike by a message, a sync or what they have
/// applied, and clients are through with their share at a timer of their own.
fn may_recover(step: &Step) -> bool {
    matches!(
        step.kind,
        StepKind::Delivered { .. } | StepKind::Synced { .. } | StepKind::Worked | StepKind::ClientTimer { .. }
    )
}

/// Which links between nodes are cut.
fn links(world: &World<KvNode>) -> Links {
    let node = |index: usize| NodeId(index as u16);
    Links::new(world.nodes().count(), |from, to| world.is_cut(node(from), node(to)))
}

fn check_history(model: Model, seen: &Seen) -> Checked {
    let options = Options {
        steps_max: 2_000_000,
        ..Options::default()
    };
    let report = history::judge(model, seen, &options).expect("the workload's operations fit its model");
    match &report.verdict {
        Verdict::Linearizable(_) => Ok(()),
        Verdict::NotLinearizable(refusal) => {
            let message = "what the clients saw has no linearization".to_owned();
            let failure = Failure::new(FailureKind::Safety, LINEARIZABLE, model.name(), message);
            Err(Box::new(Failure {
                details: refusal.to_string(),
                ..failure
            }))
        }
        Verdict::Unknown(unfinished) => Err(Box::new(Failure::new(
            FailureKind::Inconclusive,
            LINEARIZABLE,
            "budget",
            unfinished.to_string(),
        ))),
    }
}

impl RunReport {
    /// Of a run that never came to its first event.
    pub fn without_events(seed: u64, draw: Draw, failure: Failure) -> Self {
        Self {
            seed,
            draw,
            resolved: None,
            failure: Some(failure),
            course: None,
            marks: Vec::new(),
            digest: Digest([0; 32]),
            exposure: Exposure::default(),
            situations: Situations::default(),
            recovered: [0; 4],
            events: 0,
            end: Time(0),
            operations: 0,
            unknown_outcomes: 0,
            committed: 0,
            history: History::new(),
            trace: Vec::new(),
            trace_left_out: 0,
        }
    }

    /// The header of the run's trace.
    pub fn trace_header(&self, scenario: &str) -> TraceHeader {
        TraceHeader::new(crate::TOOL, scenario, self.seed, self.draw.nodes, self.draw.clients)
    }

    /// The footer of the run's trace.
    pub fn trace_footer(&self) -> TraceFooter {
        let mut counts = BTreeMap::new();
        counts.extend(
            self.exposure
                .iter()
                .map(|(class, count)| (class.name().to_owned(), count)),
        );
        counts.extend(
            self.situations
                .iter()
                .map(|(situation, count)| (situation.name().to_owned(), count)),
        );
        counts.insert("trace-left-out".to_owned(), self.trace_left_out);
        TraceFooter {
            verdict: self
                .failure
                .as_ref()
                .map_or("pass".to_owned(), |failure| failure.signature.clone()),
            digest: self.digest.to_string(),
            events: self.trace.len() as u64,
            end: self.end.0,
            counts,
        }
    }
}
