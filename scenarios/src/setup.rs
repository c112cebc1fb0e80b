//! From a scenario and a seed to a world: the choices are drawn, and every part gets its settings.

use crate::budget::Damageable;
use crate::capsule::Course;
use crate::scenario::{self, Choice, Codec, DurationRange, Fault, FaultKind, Flips, Lasting, Pace, Scenario};
use crate::systems::kv::{KvNode, NodeConfig, PlantedBug};
use crate::workloads::Actor;
use crate::workloads::client::{KvClient, Work};
use crate::workloads::operator::{Operator, Orders};
use crate::workloads::script::{Script, Settings};
use crate::workloads::scripted::Scripted;
use raft_core::{Config, NodeId};
use serde::Serialize;
use simulator::{
    Chance, ClockConfig, ConfigError, DiskConfig, Duration, FaultAction, Latency, LinkConfig, NetworkConfig,
    PlannedFault, Ratio, Shape, Stream, Target, Time, TraceSink, World, WorldConfig,
};

/// What a seed has drawn from the scenario's choices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Draw {
    /// Nodes of the cluster.
    pub nodes: u16,
    /// Clients.
    pub clients: u16,
    /// Keys that they contend for.
    pub keys: u16,
    /// Most operations of one client.
    pub operations: u32,
    /// Bytes of a written value.
    pub value_bytes: u64,
    /// Whether clients stay with their node.
    pub sticky: bool,
    /// Whether elections begin with a pre-vote.
    pub pre_vote: bool,
    /// Most entries of one `AppendEntries`.
    pub max_entries_per_append: u32,
    /// Most bytes of one `AppendEntries`.
    pub max_bytes_per_append: u64,
    /// Most unanswered `AppendEntries` to one follower.
    pub max_inflight: u32,
    /// Nodes beyond `nodes` that can be added.
    pub spares: u16,
    /// Whether leaders step down without a quorum, and voters ignore candidates while they hear a leader.
    pub check_quorum: bool,
    /// The declared bound on clock drift, in parts per million, where reads are served from leases.
    pub lease_drift_ppm: Option<u32>,
    /// Whether node 0 is preferred as leader, node 1 next, and so on.
    pub priorities: bool,
    /// After how many idle nanoseconds the group goes quiet.
    pub quiesce_ns: Option<u64>,
    /// Whether every node serves reads.
    pub follower_reads: bool,
    /// A snapshot is taken after so many entries; 0: never.
    pub snapshot_threshold: u32,
    /// Entries that are kept before a snapshot.
    pub snapshot_tail: u32,
    /// Bytes of one chunk of a snapshot.
    pub snapshot_chunk_bytes: u64,
    /// What messages between nodes are encoded with.
    pub codec: Codec,
    /// The nodes whose durable data may be destroyed; drawn from the stream `budget`.
    pub damageable: Damageable,
}

impl Draw {
    /// Draws from the stream `setup`, in the order of the fields; a choice of one draws too, so that making it a list
    /// shifts nothing else.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut stream = Stream::new(seed, "setup", 0);
        let (cluster, workload) = (&scenario.cluster, &scenario.workload);
        let mut draw = Self {
            nodes: small(pick(&mut stream, &cluster.nodes)),
            clients: small(pick(&mut stream, &workload.clients)),
            keys: small(pick(&mut stream, &workload.keys)),
            operations: pick(&mut stream, &workload.operations),
            value_bytes: pick(&mut stream, &workload.value_bytes),
            sticky: pick(&mut stream, &workload.sticky),
            pre_vote: pick(&mut stream, &cluster.pre_vote),
            max_entries_per_append: pick(&mut stream, &cluster.max_entries_per_append),
            max_bytes_per_append: pick(&mut stream, &cluster.max_bytes_per_append),
            max_inflight: pick(&mut stream, &cluster.max_inflight),
            spares: small(pick(&mut stream, &cluster.spares)),
            check_quorum: pick(&mut stream, &cluster.check_quorum),
            lease_drift_ppm: pick(&mut stream, &cluster.lease_drift_ppm),
            priorities: pick(&mut stream, &cluster.priorities),
            quiesce_ns: pick(&mut stream, &cluster.quiesce_ns),
            follower_reads: pick(&mut stream, &cluster.follower_reads),
            snapshot_threshold: pick(&mut stream, &cluster.snapshot_threshold),
            snapshot_tail: pick(&mut stream, &cluster.snapshot_tail),
            snapshot_chunk_bytes: pick(&mut stream, &cluster.snapshot_chunk_bytes),
            codec: pick(&mut stream, &cluster.codec),
            damageable: Damageable::default(),
        };
        draw.damageable = Damageable::draw(scenario, draw.nodes, draw.all_nodes(), seed);
        draw
    }
}

impl Draw {
    /// Fixes what was drawn: from now on every seed draws this from the scenario.
    pub fn fix(&self, scenario: &mut Scenario) {
        let (cluster, workload) = (&mut scenario.cluster, &mut scenario.workload);
        cluster.nodes = Choice::one(self.nodes.into());
        cluster.spares = Choice::one(self.spares.into());
        cluster.pre_vote = Choice::one(self.pre_vote);
        cluster.check_quorum = Choice::one(self.check_quorum);
        cluster.lease_drift_ppm = Choice::one(self.lease_drift_ppm);
        cluster.priorities = Choice::one(self.priorities);
        cluster.quiesce_ns = Choice::one(self.quiesce_ns);
        cluster.follower_reads = Choice::one(self.follower_reads);
        cluster.max_entries_per_append = Choice::one(self.max_entries_per_append);
        cluster.max_bytes_per_append = Choice::one(self.max_bytes_per_append);
        cluster.max_inflight = Choice::one(self.max_inflight);
        cluster.snapshot_threshold = Choice::one(self.snapshot_threshold);
        cluster.snapshot_tail = Choice::one(self.snapshot_tail);
        cluster.snapshot_chunk_bytes = Choice::one(self.snapshot_chunk_bytes);
        cluster.codec = Choice::one(self.codec);
        workload.clients = Choice::one(self.clients.into());
        workload.keys = Choice::one(self.keys.into());
        workload.operations = Choice::one(self.operations);
        workload.value_bytes = Choice::one(self.value_bytes);
        workload.sticky = Choice::one(self.sticky);
    }

    /// All nodes that exist, members or not.
    pub fn all_nodes(&self) -> u16 {
        self.nodes + self.spares
    }
}

fn pick<T: Copy + Ord>(stream: &mut Stream, choice: &Choice<T>) -> T {
    choice.pick(stream.below(choice.options().len() as u64) as usize)
}

fn small(count: u32) -> u16 {
    u16::try_from(count).expect("the scenario format bounds every count")
}

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
pub fn world(
    scenario: &Scenario,
    draw: &Draw,
    plan: Vec<PlannedFault>,
    making: Making<'_>,
    sink: Option<Box<dyn TraceSink>>,
) -> Result<World<KvNode>, ConfigError> {
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
    let flips = flips(scenario, course);
    let node = |id| NodeConfig {
        flips,
        ..node(scenario, draw, id, bug)
    };
    let nodes = (0..draw.all_nodes()).map(node).collect();
    let client = |id: u16| {
        let given = course.map(|course| course.tasks_of(id));
        Actor::Client(KvClient::new(Work {
            given,
            ..work(scenario, draw)
        }))
    };
    let clients = (0..draw.clients).map(client);
    let operator = scenario.operator.as_ref().map(|operator| {
        let given = course.map(|course| course.orders.clone().unwrap_or_default());
        let orders = Orders {
            given,
            replaced: replaced.clone(),
            ..orders(scenario, operator)
        };
        Actor::Operator(Operator::new(orders, draw.nodes))
    });
    let faults_end = Time(scenario.time.chaos_ns);
    let scripted = scenario.orders.iter();
    let scripted = scripted.map(|order| Actor::Scripted(Scripted::new(order, faults_end)));
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

fn node(scenario: &Scenario, draw: &Draw, id: u16, bug: Option<&'static PlantedBug>) -> NodeConfig {
    let founders = if id < draw.nodes { draw.nodes } else { 0 };
    let voters = (0..founders).map(|id| NodeId(id.into())).collect();
    let size = |bytes: u64| usize::try_from(bytes).expect("bounded by the scenario format");
    let mut raft = Config::new(NodeId(id.into()), voters, 0);
    raft.election_timeout_min = scenario.cluster.election.min_ns;
    raft.election_timeout_max = scenario.cluster.election.max_ns;
    raft.heartbeat_interval = scenario.cluster.heartbeat_ns;
    raft.pre_vote = draw.pre_vote;
    raft.check_quorum = draw.check_quorum;
    raft.lease_drift_ppm = draw.lease_drift_ppm;
    raft.priority = if draw.priorities {
        Config::PRIORITY_MAX - (id as u8).min(Config::PRIORITY_MAX)
    } else {
        Config::PRIORITY_MAX
    };
    raft.quiesce_after = draw.quiesce_ns;
    raft.append_entries_max = draw.max_entries_per_append as usize;
    raft.append_bytes_max = size(draw.max_bytes_per_append);
    raft.inflight_max = draw.max_inflight as usize;
    raft.snapshot_threshold = (draw.snapshot_threshold > 0).then_some(draw.snapshot_threshold.into());
    raft.snapshot_tail = draw.snapshot_tail.into();
    raft.snapshot_chunk_bytes = size(draw.snapshot_chunk_bytes);
    NodeConfig {
        raft,
        codec: draw.codec,
        flips: None,
        follower_reads: draw.follower_reads,
        distrust: scenario.disk.distrust && draw.damageable.contains(id),
        observe: true,
        bug,
    }
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
fn replaced(plan: &[PlannedFault]) -> Vec<(Time, simulator::NodeId)> {
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
