//! What a scenario says once it is read: plain data, already validated.
//!
//! Owns the types of every section except the faults (`fault.rs`). Times are nanoseconds, ratios parts per million and
//! sizes bytes, all of them integers. Leaves to others: how a value is written (`quantity.rs`), how a section is read
//! and which bounds are enforced (`read.rs`), and every draw (whoever runs the scenario).

use super::Known;
use super::alternatives::Alternatives;
use super::fault::Fault;
use super::links::Links;
use super::rate::Expected;
use super::setting::Settings;
use serde::Serialize;

/// One scenario: a cluster, the world that it lives in, what its clients do, what goes wrong and what must hold.
///
/// A value of this type has passed every check that [`parse`](super::parse) makes, so the bounds stated on the fields
/// hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// `[system]`, `name`: which system it is for, and what that admits; default: the program's first.
    pub known: Known,
    /// `[system]`: the values of the system's own settings.
    pub settings: Settings,
    /// Kebab-case, 1 to 64 characters.
    pub name: String,
    /// What the scenario is for: one paragraph, at most 2,000 characters, with runs of white space folded into single
    /// spaces. May be empty.
    pub about: String,
    /// `[cluster]`: the nodes and the protocol's settings.
    pub cluster: Cluster,
    /// `[time]`: how long the two phases last.
    pub time: Timing,
    /// `[network]`: latency, loss, duplication and reordering on every link.
    pub network: Network,
    /// `[disk]`: how long a sync takes, and what a crash does to writes that were not synced.
    pub disk: Disk,
    /// `[budget]`: how much the faults may destroy.
    pub budget: Budget,
    /// `[clock]`: how far the nodes' clocks are apart from the start.
    pub clock: Clock,
    /// `[workload]`: what the clients do.
    pub workload: Workload,
    /// `[operator]`: who changes the membership and moves the leadership; `None` if the file has no such section.
    pub operator: Option<Operator>,
    /// `[[operator]]` with `at`: orders at given times, in the order of the file; at most [`MAX_ORDERS`](super::MAX_ORDERS).
    pub orders: Vec<ScriptedOrder>,
    /// `[[fault]]`, in the order of the file; at most [`MAX_FAULTS`](super::MAX_FAULTS).
    pub faults: Vec<Fault>,
    /// `[recovery]`: what the second phase is like.
    pub recovery: Recovery,
    /// `[expect]`: what must hold.
    pub expect: Expect,
    /// `[swarm]`: that each seed draws a scenario of its own from this one; `None` if the file has no such section.
    pub swarm: Option<Swarm>,
    /// The lists that stand for single values, in the order in which they are read; the value of each field is the first of its list.
    /// See [`Scenario::of_seed`].
    pub alternatives: Vec<Alternatives>,
}

impl Scenario {
    /// Lets the faults end at another time (ns). Orders that would be given later fall away.
    pub fn end_faults_at(&mut self, chaos_ns: u64) {
        self.time.chaos_ns = chaos_ns;
        self.orders.retain(|scripted| scripted.at_ns < chaos_ns);
    }

    /// The smallest number of voters that a run can have, which so many nodes found: what the operator leaves, and one less by each
    /// order at a given time that may take one away.
    pub fn fewest_voters(&self, founders: u32) -> u32 {
        let at_random = self.operator.map_or(u32::MAX, |operator| operator.min_voters);
        let sets = self.orders.iter().filter_map(|scripted| match &scripted.order {
            Order::Members { voters, .. } => Some(voters.len() as u32),
            _ => None,
        });
        let set = sets.fold(at_random.min(founders), u32::min);
        let takes_one = |scripted: &&ScriptedOrder| matches!(scripted.order, Order::Remove(_) | Order::AddLearner(_));
        let taken = self.orders.iter().filter(takes_one).count() as u32;
        set.saturating_sub(taken).max(1)
    }
}

/// `[recovery]`: what the second phase of a run is like, in which faults have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// `lasting`: what keeps some nodes, drawn for each seed and never so many that the others have no quorum, from ever coming
    /// back; default `none`: all nodes come back.
    pub lasting: Lasting,
    /// `elect`: within how many election timeouts, of the longest that `cluster.election` gives, a node must lead; 1 to 100,000;
    /// default 20. All four are counted from the end of the faults, and `time.settle` bounds them;
    /// none counts for less than [`Pace`](super::Pace) allows for, and the last three move on while what is left becomes less.
    pub elect: u32,
    /// `converge`: likewise, until all members are in the leader's state; default 40.
    pub converge: u32,
    /// `serve`: likewise, until each client has been served a fresh operation; default 40.
    pub serve: u32,
    /// `durable`: likewise, until every key has been read again; default 60.
    pub durable: u32,
}

/// What lasts for some nodes when the faults have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// `none`: nothing.
    None,
    /// `down`: they have crashed and stay down.
    Down,
    /// `cut`: they stay cut off from all other nodes and all clients.
    Cut,
    /// `any`: one or the other, drawn for each.
    Any,
}

/// `[swarm]`: what each seed draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swarm {
    /// `share`: how likely each class of faults is on (ppm); 1 ppm to 100%; default 40%.
    pub share_ppm: u32,
    /// `classes`: the classes that may be on; `None`, the default, for all that there are.
    pub classes: Option<Vec<String>>,
    /// The overrides that [`parse`](super::parse) was given, apart from those of `[swarm]`: they are applied to what is drawn.
    pub overrides: Vec<(String, String)>,
}

/// `[cluster]`: the nodes and the settings of the consensus protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// `nodes`: voting members at the start, 1 to 7; default 3. They have the numbers from 0 on.
    pub nodes: Choice<u32>,
    /// `spares`: nodes beyond `nodes` that run and are no members at first, 0 to 4; default 0. They have the numbers after
    /// the members'. The largest choices of `nodes` and `spares` together are at most 10.
    pub spares: Choice<u32>,
    /// `pre_vote`: whether a node asks before it raises its term (Raft thesis, section 9.6); default true.
    pub pre_vote: Choice<bool>,
    /// `check_quorum`: whether a leader that hears of no quorum for an election timeout steps down (Raft thesis, section
    /// 6.2), and voters that hear of a leader ignore candidates (section 4.2.3); default true.
    pub check_quorum: Choice<bool>,
    /// `lease`: a leader serves reads from a lease (Raft thesis, section 6.4.1), given that no two clocks differ in rate by
    /// more than this (ppm); 0 to 50%. `None`, written "off", is the default: a quorum confirms each read. With a ratio
    /// among the choices, all choices of `check_quorum` are true.
    pub lease_drift_ppm: Choice<Option<u32>>,
    /// `priorities`: whether node 0 is preferred as the leader; default false: all nodes are alike.
    pub priorities: Choice<bool>,
    /// `quiesce`: after how long without anything to do a group goes quiet, without heartbeats and elections, until
    /// something happens (ns); 1 ms to 10 min. `None`, written "off", is the default: never.
    pub quiesce_ns: Choice<Option<u64>>,
    /// `follower_reads`: whether clients send reads to any node rather than to the leader; default false.
    pub follower_reads: Choice<bool>,
    /// `election`: the election timeout, drawn anew for each wait; 1 ms to 60 s; default 150 ms to 300 ms.
    pub election: DurationRange,
    /// `heartbeat`: pause between a leader's heartbeats; 1 ms to 10 s and shorter than the shortest election timeout;
    /// default 50 ms.
    pub heartbeat_ns: u64,
    /// `max_entries_per_append`: 1 to 65,536 entries in one AppendEntries; default 64.
    pub max_entries_per_append: Choice<u32>,
    /// `max_bytes_per_append`: 64 B to 16 MiB of entries in one AppendEntries; default 64 KiB.
    pub max_bytes_per_append: Choice<u64>,
    /// `max_inflight`: 1 to 4,096 AppendEntries to one follower that wait for an answer; default 16.
    pub max_inflight: Choice<u32>,
    /// `snapshot_threshold`: a node takes a snapshot after so many applied entries, 1 to 1,000,000; 0, the default, is
    /// never.
    pub snapshot_threshold: Choice<u32>,
    /// `snapshot_tail`: entries before a snapshot that are kept for followers which are a little behind, 0 to 1,000,000;
    /// default 16.
    pub snapshot_tail: Choice<u32>,
    /// `snapshot_chunk`: 16 B to 1 MiB of a snapshot in one message; default 4 KiB.
    pub snapshot_chunk_bytes: Choice<u64>,
    /// `apply`: how long the state machine takes for what it is given at once, drawn each time; up to 10 s; default 0: it applies
    /// at once. Ends with `time.chaos`.
    pub apply: DurationRange,
    /// `codec`: what messages between nodes are encoded with; default `off`.
    pub codec: Choice<Codec>,
}

impl Cluster {
    /// Takes the settings of a replicated log from another cluster.
    pub(crate) fn without_log_settings(&mut self, other: &Self) {
        *self = Self {
            nodes: self.nodes.clone(),
            spares: self.spares.clone(),
            election: self.election,
            heartbeat_ns: self.heartbeat_ns,
            apply: self.apply,
            ..other.clone()
        };
    }
}

/// What messages between nodes are encoded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// `off`: they travel as values; those that are damaged on their way are encoded all the same.
    Off,
    /// `plain`: each is encoded by its sender and decoded.
    Plain,
    /// `lz4`: likewise, and compressed.
    Lz4,
}

/// `[time]`: the two phases of a run, in true (virtual) time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// `chaos`: how long the faults strike while clients work, from the start of the run; 100 ms to 1 h; default 20 s.
    pub chaos_ns: u64,
    /// `settle`: after everything has healed, the time within which the cluster must elect a leader, converge and serve, or be on
    /// its way; 100 ms to 10 min, and no less than one election and one operation may take; default 10 s, or twice that.
    pub settle_ns: u64,
    /// `max_events`: after so many events a run breaks off as inconclusive; default 200 million.
    pub max_events: u32,
    /// `max_time`: after so much true time a run breaks off as inconclusive, whatever it waits for; 1 s to 24 h; default 4 h.
    pub max_time_ns: u64,
}

impl Timing {
    /// The default of `max_events`.
    pub const MAX_EVENTS: u32 = 200_000_000;
    /// The default of `max_time`.
    pub const MAX_TIME_NS: u64 = 4 * 3_600 * 1_000_000_000;
}

/// `[network]`: what befalls messages between nodes, and between nodes and clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// `latency`: the usual one-way delay between nodes, drawn for each message; up to 1 min; default 1 ms to 10 ms.
    pub latency: DurationRange,
    /// `tail`: share of messages (ppm) whose delay is drawn from the long tail instead, between the largest usual
    /// latency and `tail_max`; default 0.
    pub tail_ppm: u32,
    /// `tail_max`: the longest delay of the tail; not below the largest usual latency, up to 10 min; default ten times
    /// the largest usual latency, or 10 min if that is less.
    pub tail_max_ns: u64,
    /// `loss`: share of messages (ppm) that are dropped; default 0.
    pub loss_ppm: u32,
    /// `duplicate`: share of messages (ppm) that arrive twice; default 0.
    pub duplicate_ppm: u32,
    /// `duplicate_delay`: how much later the second copy arrives at most; up to 10 min; default 100 ms.
    pub duplicate_delay_ns: u64,
    /// `reorder`: share of messages (ppm) that let later ones of the same link overtake them; default 0.
    pub reorder_ppm: u32,
    /// `reorder_delay`: how long such a message is held up at most; up to 10 min; default 50 ms.
    pub reorder_delay_ns: u64,
    /// `client_latency`: the one-way delay between a client and a node; up to 1 min; default 1 ms to 5 ms.
    pub client_latency: DurationRange,
    /// `clients`: whether clients speak with nodes over `connections` (in order, and each message once or, where a cut or a crash breaks
    /// the connection, not at all) or by `datagrams`, which suffer all that messages between nodes do; default: as the system does.
    pub client_connections: bool,
    /// What makes links unlike each other.
    pub links: Links,
}

/// `[disk]`: the disk of each node. Writes are volatile until a sync has completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// `sync`: how long a sync takes, drawn for each; up to 10 s; default 0 to 1 ms.
    pub sync: DurationRange,
    /// `slow`: share of syncs (ppm) that are slow: they take between the longest usual time and `slow_max`; default 0.
    pub slow_ppm: u32,
    /// `slow_max`: the longest slow sync; not below the longest usual one, up to 1 min; default ten times the longest
    /// usual sync, or 1 min if that is less.
    pub slow_max_ns: u64,
    /// `lost`: at a crash, the share of unsynced writes (ppm) that vanish; default 50%. `lost` and `torn` together are at
    /// most 100%; what remains is kept as if it had been synced.
    pub lost_ppm: u32,
    /// `torn`: at a crash, the share of unsynced writes (ppm) of which only a part remains; default 0.
    pub torn_ppm: u32,
    /// `reorder`: the share of crashes (ppm) that find the disk reordering its unsynced writes: then a later one may be kept
    /// though an earlier one is lost; default 0, each crash keeps a beginning of them.
    pub reorder_ppm: u32,
    /// `error`: share of syncs (ppm) that fail with an I/O error: what they cover is kept, lost or torn as at a crash; default
    /// 0.
    pub error_ppm: u32,
    /// `rot_age`: only what has been durable for so long, and was followed by something durable, decays or is hit by a
    /// misdirected write; up to 1 min; default 1 s. A service that notes how far its file is durable needs some time to
    /// do so, and must have it: damage that nothing vouches against cannot be told from a torn write.
    pub rot_age_ns: u64,
    /// `distrust`: whether the nodes whose disks may be damaged (see `[budget]`) take each restart for one after which the
    /// disk may have forgotten what it was told to keep: they never vote again; default false.
    pub distrust: bool,
}

/// `[budget]`: how much of the cluster's durable data the faults may destroy: by lying syncs, rot and misdirected writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// `damage`: whose; default `minority`.
    pub damage: Damage,
}

/// Whose durable data may be destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// `minority`: that of a minority of the smallest number of voters that a run can have, drawn once for each run.
    Minority,
    /// `unlimited`: anybody's. No protocol survives that: expect a violation, or no service.
    Unlimited,
}

/// `[clock]`: how the nodes' clocks differ from true time from the start of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// `offset`: each node's clock starts ahead by a draw between zero and this; up to 1 h; default 0.
    pub offset_max_ns: u64,
    /// `drift`: each node's clock runs fast or slow by a draw between minus and plus this (ppm); up to 10%; default 0.
    pub drift_max_ppm: u32,
}

/// `[workload]`: what the clients do, and how long they wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// `model`: which service the clients use and which specification judges their history; default `kv`.
    pub model: Model,
    /// `clients`: 1 to 64; default 4.
    pub clients: Choice<u32>,
    /// `keys`: how many keys the clients contend for, 1 to 1,024; default 5.
    pub keys: Choice<u32>,
    /// `mix`: weights of the kinds of operation.
    pub mix: Mix,
    /// `think`: a client's pause between two operations; up to 1 min; default 10 ms to 100 ms.
    pub think: DurationRange,
    /// `timeout`: how long a client waits for an answer before it gives the outcome up as unknown; 1 ms to 10 min;
    /// default 1 s.
    pub timeout_ns: u64,
    /// `operations`: the most operations that one client starts during the faults, 1 to 100,000; default 500.
    pub operations: Choice<u32>,
    /// `value_bytes`: the size of a written value, 1 B to 64 KiB; default 8 B.
    pub value_bytes: Choice<u64>,
    /// `sticky`: whether a client stays with the node that it started with instead of following redirects to the leader;
    /// default false.
    pub sticky: Choice<bool>,
}

/// The service under test together with the sequential specification that judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// `kv`: a map from keys to texts with read, write, compare-and-set and append.
    Kv,
    /// `register`: the same with reads and writes alone.
    Register,
    /// `counter`: additions and their sum.
    Counter,
    /// `set`: elements that are added, removed and looked for.
    Set,
    /// `queue`: first in, first out.
    Queue,
    /// `stack`: last in, first out.
    Stack,
    /// `priority-queue`: the least comes out first.
    PriorityQueue,
    /// `append-list`: a list that grows at its end.
    AppendList,
    /// `event-log`: records with offsets.
    EventLog,
    /// `transactions`: several reads and writes of registers at one moment; `keys` is the number of registers.
    Transactions,
    /// `bank`: transfers, and sagas of reserve, confirm and cancel.
    Bank,
    /// `lock`: locks with fencing tokens, and what they protect.
    Lock,
    /// `orders`: orders that move along a table of legal transitions; `keys` is the number of orders that are open at a time.
    Orders,
}

impl Model {
    /// All models with their names in scenario files, which are those of the checker.
    pub const ALL: [(&'static str, Self); 13] = [
        ("kv", Self::Kv),
        ("register", Self::Register),
        ("counter", Self::Counter),
        ("set", Self::Set),
        ("queue", Self::Queue),
        ("stack", Self::Stack),
        ("priority-queue", Self::PriorityQueue),
        ("append-list", Self::AppendList),
        ("event-log", Self::EventLog),
        ("transactions", Self::Transactions),
        ("bank", Self::Bank),
        ("lock", Self::Lock),
        ("orders", Self::Orders),
    ];

    /// Whether its objects are texts, so that `mix` and `value_bytes` are its own.
    pub fn is_of_texts(self) -> bool {
        matches!(self, Self::Kv | Self::Register)
    }

    /// Its name in scenario files.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.into_iter().find(|(_, model)| *model == self);
        named.map_or("?", |(name, _)| name)
    }
}

/// `mix`: how often each kind of operation is drawn, as weights of 0 to 1,000. At least one is above zero.
///
/// A mix that is written names every kind that it wants: what it leaves out has weight 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Weight of reads; default 4.
    pub read: u32,
    /// Weight of writes; default 3.
    pub write: u32,
    /// Weight of compare-and-set; default 2.
    pub cas: u32,
    /// Weight of appends; default 1.
    pub append: u32,
}

impl Mix {
    /// The sum of the weights; never zero in a validated scenario, and at most 4,000.
    pub fn total(&self) -> u32 {
        self.read + self.write + self.cas + self.append
    }
}

/// `[operator]`: orders to the cluster, one after another, during `time.chaos`; the settings of what a person or a tool
/// would do to a cluster in service. Without the section there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// `every`: from one order to the next, and from the start to the first; 1 ms to 1 h, the shortest less than
    /// `time.chaos`; default 1 s to 3 s.
    pub every: DurationRange,
    /// `mix`: weights of the kinds of order.
    pub mix: OrderMix,
    /// `min_voters`: no order asks for fewer voters, 1 to 10 and at most as many as the smallest choices of
    /// `cluster.nodes` and `cluster.spares` together; default 1.
    pub min_voters: u32,
    /// `timeout`: how long an order may take before the operator gives it up and its outcome is unknown; 1 ms to 10 min;
    /// default 2 s.
    pub timeout_ns: u64,
}

/// `[[operator]]` with `at`: an operator with one order, who gives it at its time and again until it is carried out, at the latest
/// until `time.chaos` is over. Each is somebody else: orders at the same time meet each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedOrder {
    /// `at`: when it is first given (ns); less than `time.chaos`.
    pub at_ns: u64,
    /// `timeout`: how long an answer is waited for before another node is asked; 1 ms to 10 min; default 2 s.
    pub timeout_ns: u64,
    /// What is to be done; nodes that every choice of `cluster.nodes` and `cluster.spares` has.
    pub order: Order,
}

/// What a scripted order asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// `add = "n3"`: this node votes, beside those that do.
    Add(u16),
    /// `add_learner = "n3"`: this node gets the log and does not vote; a voter becomes a learner.
    AddLearner(u16),
    /// `remove = "n1"`: this node is no member.
    Remove(u16),
    /// `members = ["n0", "n3"]`, and `learners` beside it: these and no others.
    Members {
        /// Who votes; at least one.
        voters: Vec<u16>,
        /// Who gets the log.
        learners: Vec<u16>,
    },
    /// `transfer = "n2"`: this node is to lead.
    Transfer(u16),
    /// `campaign = "n2"`: this node stands for election.
    Campaign(u16),
}

/// `operator.mix`: how often each kind of order is drawn, as weights of 0 to 1,000. At least one is above zero.
///
/// A mix that is written names every kind that it wants: what it leaves out has weight 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderMix {
    /// Weight of changes to a random set of voters and learners out of all nodes, spares included; default 3.
    pub change: u32,
    /// Weight of changes to a set of voters that has none, or as few as there must be, in common with the present one;
    /// default 1.
    pub replace: u32,
    /// Weight of transfers of the leadership to a random voter; default 2.
    pub transfer: u32,
    /// Weight of telling a random node to stand for election; default 1.
    pub campaign: u32,
    /// Weight of changes in one step, which add one voter or remove one (Raft thesis, section 4.1); default 0.
    pub single: u32,
}

impl Order {
    /// The same with other names for the nodes, or none when one that it must name has none any more.
    pub fn renamed(&self, name: impl Fn(u16) -> Option<u16>) -> Option<Self> {
        Some(match self {
            Self::Add(node) => Self::Add(name(*node)?),
            Self::AddLearner(node) => Self::AddLearner(name(*node)?),
            Self::Remove(node) => Self::Remove(name(*node)?),
            Self::Transfer(node) => Self::Transfer(name(*node)?),
            Self::Campaign(node) => Self::Campaign(name(*node)?),
            Self::Members { voters, learners } => {
                let names = |nodes: &[u16]| nodes.iter().filter_map(|node| name(*node)).collect::<Vec<_>>();
                let (voters, learners) = (names(voters), names(learners));
                return (!voters.is_empty()).then_some(Self::Members { voters, learners });
            }
        })
    }
}

impl OrderMix {
    /// The sum of the weights; never zero in a validated scenario, and at most 5,000.
    pub fn total(&self) -> u32 {
        self.change + self.replace + self.transfer + self.campaign + self.single
    }
}

/// `[expect]`: what a run, or a sweep of runs, must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// `properties`: names of the properties to check, in the order written; default: all that the caller knows.
    pub properties: Vec<String>,
    /// `fired`: fault classes that must fire over a sweep, each in how many of the runs at least; `None` if the file names none.
    /// What it switches on must have an effect all the same.
    pub fired: Option<Vec<Expected>>,
    /// `reach`: situations that must be reached over a sweep, each in how many of the runs at least; default: none.
    pub reach: Vec<Expected>,
    /// `never`: situations that no run may reach from `never_from` to its end; default: none. A run that reaches one breaks off as
    /// a safety violation.
    pub never: Vec<String>,
    /// `never_from`: from which true time on (ns), up to 1 h; by default from when the first fault with `at` or `every` can strike,
    /// so that what a cluster does to find its first leader does not count, and from the start where there is no such fault.
    pub never_from_ns: u64,
    /// `verdict`: how every run should end; default `pass`.
    pub verdict: Verdict,
    /// `online`: whether what clients are told is judged while the run goes on, which then stops at the first answer that nothing
    /// explains; default true. Otherwise it is judged at the end.
    pub online: bool,
}

/// How a run is expected to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// `pass`: every property holds and the cluster recovers.
    Pass,
    /// `safety-violation`: a property is broken or a history is not linearizable.
    SafetyViolation,
    /// `liveness-violation`: the cluster does not elect, converge and serve within `time.settle`.
    LivenessViolation,
    /// `inconclusive`: a checker gives up within its budget.
    Inconclusive,
}

/// A count, a flag, a size or a setting that can be "off", for which a scenario gives one value or a list; each seed draws one from the list.
///
/// Never empty, and at most [`MAX_CHOICES`](super::MAX_CHOICES) long. A value that is listed twice is drawn twice as often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T> {
    options: Vec<T>,
}

impl<T: Copy + Ord> Choice<T> {
    /// The choice of one value.
    pub fn one(value: T) -> Self {
        Self { options: vec![value] }
    }

    /// The choice among `options`, or `None` if there are none.
    pub fn among(options: Vec<T>) -> Option<Self> {
        (!options.is_empty()).then_some(Self { options })
    }

    /// What is to be drawn from, in the order of the file; never empty.
    pub fn options(&self) -> &[T] {
        &self.options
    }

    /// The option that a uniform draw below `options().len()` selects.
    ///
    /// # Panics
    ///
    /// If `draw` is not below the number of options: the draw was made for another choice.
    pub fn pick(&self, draw: usize) -> T {
        assert!(
            draw < self.options.len(),
            "a choice of {} options got draw {draw}",
            self.options.len()
        );
        self.options[draw]
    }

    /// The smallest option.
    pub fn smallest(&self) -> T {
        *self.options.iter().min().expect("a choice is never empty")
    }

    /// The largest option.
    pub fn largest(&self) -> T {
        *self.options.iter().max().expect("a choice is never empty")
    }
}

/// A duration that is drawn per use: nanoseconds, both ends included, `min_ns <= max_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationRange {
    /// Shortest, in nanoseconds.
    pub min_ns: u64,
    /// Longest, in nanoseconds; equal to the shortest if there is nothing to draw.
    pub max_ns: u64,
}

/// A shift in time, forward or back, that is drawn per use: nanoseconds, both ends included, `min_ns <= max_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetRange {
    /// Furthest back (or least far forward), in nanoseconds.
    pub min_ns: i64,
    /// Furthest forward (or least far back), in nanoseconds.
    pub max_ns: i64,
}
