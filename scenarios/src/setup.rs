//! From a scenario and a seed to a world: the choices are drawn, and every part gets its settings.

use crate::course::Course;
use crate::draw::small;
use crate::scenario::{self, DurationRange, Fault, FaultKind, Flips, Lasting, Pace, Scenario};
use crate::system::{Cluster, PlantedBug, System};
use crate::workloads::client::Work;
use crate::workloads::operator::Orders;
use crate::workloads::script::{Script, Settings};
use crate::workloads::{Actor, WorldOf};
use simulator::{
    Chance, ClockConfig, ConfigError, DiskConfig, Duration, FaultAction, Latency, LinkConfig, NetworkConfig, NodeId,
    PlannedFault, Ratio, Shape, Target, Time, TraceSink, World, WorldConfig,
};

pub use crate::draw::Draw;

/// What a world is made of beside a scenario, what a seed drew from it, and the plan of faults.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// The seed.
    pub seed: u64,
    /// Where the decisions of the world come from.
    pub chance: &'a Chance,
    /// What happens beside the plan, where the seed does not say so.
    pub course: Option<&'a Course>,
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
    /// Whether everything from the first boot on is recorded.
    pub trace: bool,
}

/// Builds the world of one run under this plan of faults. A `sink` gets its trace, whatever `making` says of traces.
///
/// # Errors
/// When the settings make no world; the scenario format rules that out for all that it checks.
pub fn world<S: System>(
    system: &'static S,
    (scenario, draw): (&Scenario, &Draw),
    plan: Vec<PlannedFault>,
    making: Making<'_>,
    sink: Option<Box<dyn TraceSink>>,
) -> Result<WorldOf<S>, ConfigError> {
    let Making { seed, course, bug, .. } = making;
    let mut config = WorldConfig::new(seed);
    config.chance = making.chance.clone();
    config.network = network(scenario);
    config.disk = disk(scenario);
    // Drift is in the plan, so that a fault that changes it can be taken back.
    config.clocks = ClockConfig {
        offset_max: Duration(scenario.clock.offset_max_ns),
        drift_max_ppm: 0,
    };
    let replaced = replaced(&plan);
    config.plan = plan;
    config.work = latency(scenario.cluster.apply);
    config.max_down = match course {
        None => max_down(scenario, draw.all_nodes()),
        Some(_) => draw.all_nodes(),
    };
    if course.is_some_and(Course::replays_old) {
        config.network.links.memory = MEMORY;
    }
    config.trace = making.trace;
    let cluster = Cluster {
        scenario,
        draw,
        flips: flips(scenario, course),
        bug,
    };
    let nodes = (0..draw.all_nodes())
        .map(|node| system.boot(&cluster, NodeId(node)))
        .collect();
    let client = |id: u16| {
        let given = course.map(|course| course.tasks_of(id));
        let work = Work {
            given,
            ..work(scenario, draw)
        };
        Actor::client_of(system, work)
    };
    let clients = (0..draw.clients).map(client);
    let operator = scenario.operator.as_ref().map(|operator| {
        let given = course.map(|course| course.orders.clone().unwrap_or_default());
        let orders = Orders {
            given,
            replaced: replaced.clone(),
            ..orders(scenario, operator)
        };
        Actor::operator_of(system, orders, draw.nodes)
    });
    let faults_end = Time(scenario.time.chaos_ns);
    let scripted = scenario.orders.iter();
    let scripted = scripted.map(|order| Actor::scripted_of(system, order, faults_end));
    let clients = clients.chain(operator).chain(scripted).collect();
    match sink {
        None => World::try_new(config, nodes, clients),
        Some(sink) => World::recorded(config, nodes, clients, sink),
    }
}

/// How the network behaves until the faults end.
pub fn network(scenario: &Scenario) -> NetworkConfig {
    let from = &scenario.network;
    NetworkConfig {
        latency: latency(from.latency).with_tail(Ratio::from_ppm(from.tail_ppm), Duration(from.tail_max_ns)),
        client_latency: latency(from.client_latency),
        client_connections: from.client_connections,
        loss: Ratio::from_ppm(from.loss_ppm),
        duplicate: Ratio::from_ppm(from.duplicate_ppm),
        duplicate_delay_max: Duration(from.duplicate_delay_ns),
        reorder: Ratio::from_ppm(from.reorder_ppm),
        reorder_delay_max: Duration(from.reorder_delay_ns),
        links: links(scenario),
    }
}

/// How many old messages the network remembers where a fault delivers them again.
const MEMORY: u32 = 256;

fn links(scenario: &Scenario) -> LinkConfig {
    let from = &scenario.network.links;
    let replays = |fault: &Fault| matches!(fault.kind, FaultKind::ReplayOld { .. });
    LinkConfig {
        shape: match from.shape {
            scenario::Shape::Uniform => Shape::Uniform,
            scenario::Shape::LongTailed => Shape::LongTailed,
            scenario::Shape::Bimodal => Shape::Bimodal,
            scenario::Shape::Mixed => Shape::Mixed,
        },
        slow: Ratio::from_ppm(from.slow_ppm),
        slow_factor: from.slow_factor,
        huge: Ratio::from_ppm(from.huge_ppm),
        huge_max: Duration(from.huge_max_ns),
        bandwidth: from.bandwidth.unwrap_or(0),
        queue_messages: from.queue,
        queue_bytes: from.queue_bytes,
        corrupt: Ratio::from_ppm(from.corrupt_ppm),
        memory: if scenario.faults.iter().any(replays) { MEMORY } else { 0 },
    }
}

fn disk(scenario: &Scenario) -> DiskConfig {
    let from = &scenario.disk;
    DiskConfig {
        sync: latency(from.sync).with_tail(Ratio::from_ppm(from.slow_ppm), Duration(from.slow_max_ns)),
        lost: Ratio::from_ppm(from.lost_ppm),
        torn: Ratio::from_ppm(from.torn_ppm),
        reorder: Ratio::from_ppm(from.reorder_ppm),
        error: Ratio::from_ppm(from.error_ppm),
        settle_age: Duration(from.rot_age_ns),
        ..DiskConfig::default()
    }
}

fn latency(range: DurationRange) -> Latency {
    Latency::uniform(Duration(range.min_ns), Duration(range.max_ns))
}

fn max_down(scenario: &Scenario, nodes: u16) -> u16 {
    if scenario.recovery.lasting != Lasting::None {
        // Who stays down is chosen so that the others have a quorum.
        return nodes;
    }
    let of_fault = |kind: &FaultKind| match kind {
        FaultKind::Crash { max_down, .. } => small(FaultKind::max_down_of(*max_down, nodes.into())),
        FaultKind::CrashAtDisk { .. } | FaultKind::CrashLoop { .. } | FaultKind::Wipe { .. } => {
            small(FaultKind::max_down_of(None, nodes.into()))
        }
        FaultKind::PowerLoss { .. } => nodes,
        _ => 1,
    };
    scenario
        .faults
        .iter()
        .map(|fault| of_fault(&fault.kind))
        .max()
        .unwrap_or(nodes)
}

/// The settings that some upgrade of the run flips, if there is one: as the course says, or the scenario where there is none.
pub fn flips(scenario: &Scenario, course: Option<&Course>) -> Option<Flips> {
    if let Some(course) = course {
        return course.flips;
    }
    let of_fault = |fault: &Fault| match fault.kind {
        FaultKind::Upgrade { flips, .. } => Some(flips),
        _ => None,
    };
    let upgrades: Vec<Flips> = scenario.faults.iter().filter_map(of_fault).collect();
    Flips::of(|flip| upgrades.iter().any(|flips| flips.has(flip)))
}

/// From when on somebody may know which nodes of a plan are gone for good, in the order of these times.
fn replaced(plan: &[PlannedFault]) -> Vec<(Time, NodeId)> {
    let gone = |planned: &PlannedFault| match planned.action {
        FaultAction::Wipe {
            target: Target::Node(node),
            after,
            retires: true,
        } => Some((planned.at + after, node)),
        _ => None,
    };
    let mut replaced: Vec<_> = plan.iter().filter_map(gone).collect();
    replaced.sort_unstable();
    replaced
}

fn orders(scenario: &Scenario, from: &scenario::Operator) -> Orders {
    Orders {
        every: (Duration(from.every.min_ns), Duration(from.every.max_ns)),
        mix: from.mix,
        min_voters: small(from.min_voters),
        timeout: Duration(from.timeout_ns),
        faults_end: Time(scenario.time.chaos_ns),
        replaced: Vec::new(),
        given: None,
    }
}

fn work(scenario: &Scenario, draw: &Draw) -> Work {
    let (from, mix) = (&scenario.workload, &scenario.workload.mix);
    let timeout = Duration(from.timeout_ns);
    let settings = Settings {
        model: from.model,
        keys: draw.keys,
        mix: [mix.read, mix.write, mix.cas, mix.append],
        value_bytes: usize::try_from(draw.value_bytes).expect("bounded by the scenario format"),
        chaos: Duration(scenario.time.chaos_ns),
    };
    Work {
        script: Script::new(&settings),
        clients: draw.clients,
        think: (Duration(from.think.min_ns), Duration(from.think.max_ns)),
        timeout,
        // An operation is tried at several nodes before it is given up.
        attempt: Duration((timeout.0 / 4).max(1)),
        attempt_max: Duration(Pace::of(&scenario.cluster, &scenario.network, &scenario.disk).patience_ns(from)),
        operations: draw.operations,
        sticky: draw.sticky,
        faults_end: Time(scenario.time.chaos_ns),
        given: None,
    }
}
