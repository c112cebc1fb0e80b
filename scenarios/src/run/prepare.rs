//! A run before its first event: the world, the plan, and the checks that the scenario asks for.

use super::{Alone, LINEARIZABLE, Run, RunOptions, Steering};
use crate::course::Course;
use crate::draw::Draw;
use crate::nemesis::{self, Triggers};
use crate::recovery::Reached;
use crate::scenario::{Flip, Flips, Scenario};
use crate::setup::{self, Making};
use crate::situations::{Situation, Watcher};
use crate::system::{self as registered, Cluster, System};
use crate::workloads::history::Effects;
use crate::workloads::online::Online;
use checker::properties::{PROPERTIES, Properties, Timing};
use simulator::{Chance, ConfigError, Time};
use std::collections::BTreeSet;

/// A run before its first event.
pub(super) fn prepared<'a, S: System>(
    system: &'static S,
    (scenario, draw): (&'a Scenario, &'a Draw),
    seed: u64,
    (course, chance): (Option<&'a Course>, &Chance),
    (options, steering): (RunOptions, &mut Steering<'_>),
) -> Result<Run<'a, S>, ConfigError> {
    let (plan, origins) = match (steering.plan, course) {
        (Some(plan), _) => (plan.to_vec(), Vec::new()),
        (None, Some(course)) => (course.planned().collect(), Vec::new()),
        (None, None) => nemesis::attributed(scenario, draw, seed).into_iter().unzip(),
    };
    let is_own = steering.plan.is_none() && course.is_none();
    let making = Making {
        seed,
        chance,
        course,
        bug: options.bug,
        trace: options.trace,
    };
    let world = setup::world(system, (scenario, draw), plan, making, steering.sink.take())?;
    let info = registered::of(scenario);
    let mut watcher = Watcher::new(draw.all_nodes(), draw.nodes).admitting(&info.situations);
    let mut triggers = match course {
        None => Triggers::new(scenario, draw, seed, &mut watcher),
        Some(course) => Triggers::given(scenario, draw, course.afterwards()),
    };
    if steering.without_triggers {
        triggers.disarm();
    }
    let never = scenario.expect.never.iter();
    let never = never.filter_map(|name| Situation::from_name(name));
    watcher.forbid(never, scenario.expect.never_from_ns);
    let online = scenario.expect.online && is_listed(scenario, LINEARIZABLE);
    let cluster = Cluster {
        scenario,
        draw,
        flips: setup::flips(scenario, course),
        bug: options.bug,
    };
    let own = system.properties().into_iter();
    let own = own.filter(|property| is_listed(scenario, property.name));
    Ok(Run {
        system,
        own_properties: own.map(|property| (property.name, property.judge(&cluster))).collect(),
        world,
        scenario,
        draw: *draw,
        properties: properties(scenario, draw, setup::flips(scenario, course)),
        watcher,
        triggers,
        course,
        healed: usize::MAX,
        stop: Time::MAX,
        origins,
        struck: is_own.then(nemesis::Effects::default),
        marks: Vec::new(),
        mark_every: options.marks,
        events_max: options.events_max,
        effects: Effects::default(),
        states: steering.states.is_some().then(Vec::new),
        has_changed: false,
        online: Alone(online.then(|| Online::new(scenario.workload.model, draw.clients))),
        probe: Alone(None),
        broken_promises: vec![0; draw.all_nodes().into()],
        observes: !system.log_properties().is_empty(),
        lost: BTreeSet::new(),
        seed,
        faults_end: Time(scenario.time.chaos_ns),
        recovered: Reached::default(),
        progress: None,
    })
}

/// Whether a property is judged: those that `[expect] properties` may name only if it does.
pub(super) fn is_listed(scenario: &Scenario, property: &str) -> bool {
    let listed = scenario.expect.properties.iter().any(|listed| listed == property);
    listed || !scenario.known.properties.contains(&property)
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
