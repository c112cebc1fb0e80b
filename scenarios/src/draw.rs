//! What a seed draws from a scenario's choices, once, before anything else.

use crate::budget::Damageable;
use crate::scenario::{Choice, Codec, Scenario};
use serde::Serialize;
use simulator::Stream;

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

pub(crate) fn small(count: u32) -> u16 {
    u16::try_from(count).expect("the scenario format bounds every count")
}
