//! The system under test, as the engine sees it: what a system says of itself, and what it is told.
//!
//! [`System`] is the trait that somebody's own code implements; everything in it beyond the first tier has a default, and each tier
//! lights up more of the tool:
//!
//! | tier | the system gives | and gets |
//! |---|---|---|
//! | 0 | its [`Process`], how an [`Operation`] becomes its request, what its response means | scenarios, faults, sweeps, capsules, shrinking, histories held against a model; stories and pages, which call each node a follower as yet |
//! | 1 | a [`Stand`] of each node; `Process::is_primary` | whether somebody leads, when recovery is judged; faults that aim at the primary |
//! | 2 | [observations](System::observe) of a replicated log | the properties of [`checker::properties`], counted situations, triggers, the log on the page |
//! | 3 | properties and settings of its own | its own words in `[expect]` and `[system]` |
//! | 4 | [planted bugs](System::bugs) | `squall bugs` for that system |
//!
//! Owns the trait and the register of the systems of this program ([`Info`]). Running one is for [`mod@crate::run`].

mod bug;
mod info;
mod property;

pub use bug::{NotPlanted, PlantedBug, UnknownBug};
pub use info::{Info, UnknownSystem, all, default, find, of, register};
pub(crate) use property::Judge;
pub use property::{Broken, Moment, OwnProperty, Property};

use crate::draw::Draw;
use crate::operation::{Operation, Reply};
use crate::scenario::{Flips, Model, Scenario, Setting, SettingValue};
use crate::situations::{Sign, Situation, Sometimes};
use checker::properties::Observation;
use simulator::{ClientOf, Duration, LocalTime, NodeId, Process, World};
use std::collections::BTreeSet;

/// What clients send to the nodes of a system.
pub type RequestOf<S> = <<S as System>::Process as Process>::Request;
/// What they are answered.
pub type ResponseOf<S> = <<S as System>::Process as Process>::Response;
/// What a node of a system is booted with.
pub type ConfigOf<S> = <<S as System>::Process as Process>::Config;

/// A system under test: a protocol that runs on the simulator's nodes, and what the engine has to know of it.
pub trait System: Sized + Send + Sync + 'static {
    /// What runs on each node.
    type Process: Process<Config: Send, Message: 'static, Request: 'static, Response: 'static> + 'static;

    /// Its name, for `--system` and the key `system` of scenario files: lower-case words with dashes between them.
    fn name(&self) -> &'static str;

    /// What it is, in one line.
    fn about(&self) -> &'static str {
        ""
    }

    /// Which workloads it serves, the usual one first; at least one.
    fn models(&self) -> &'static [Model];

    /// What a node is told at each boot.
    fn boot(&self, cluster: &Cluster<'_>, node: NodeId) -> ConfigOf<Self>;

    /// The request by which a client asks for an operation. All attempts at one operation have the same session and sequence number,
    /// whichever node they go to. `None` for an operation that the system does not have, such as an operator's order; of the workloads
    /// that it serves it has all.
    fn request(&self, operation: Operation, attempt: Attempt) -> Option<RequestOf<Self>>;

    /// Whether an operation that is asked for twice takes effect once, because the system knows it again by its session and number. One
    /// of which this is not so is asked for once: without an answer its outcome is unknown. By default all are.
    fn is_idempotent(&self, operation: &Operation) -> bool {
        let _ = operation;
        true
    }

    /// What a response means.
    fn answer(&self, response: ResponseOf<Self>) -> Answer;

    /// The scenarios that it is run under where none is named: name and text of each. By default those
    /// [for any system](crate::scenario::FOR_ANY_SYSTEM).
    fn scenarios(&self) -> Vec<(&'static str, &'static str)> {
        crate::scenario::FOR_ANY_SYSTEM.to_vec()
    }

    /// The kinds of its messages, as [`simulator::Payload::kind`] names them: the values of `message` of a `hold`.
    fn message_kinds(&self) -> &'static [&'static str] {
        &[]
    }

    /// The settings of its own: the keys of `[system]` in a scenario file.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// Whether it is a replicated log with a leader that the settings of such a one are for: `cluster.pre_vote`, `cluster.max_inflight`,
    /// `cluster.snapshot_threshold` and so on, which it then finds in [`Cluster::draw`]. By default it is not, and its scenarios have no such
    /// keys.
    fn has_log_settings(&self) -> bool {
        false
    }

    /// Whether clients speak with its nodes over connections, as over TCP, unless a scenario says otherwise; by default they do. By
    /// datagrams a request may come twice, or long after it was sent.
    fn has_client_connections(&self) -> bool {
        true
    }

    /// A copy of a node's process that goes on as the original would, for runs that are forked: `explain --when`. `None`, the default,
    /// where it cannot be copied.
    fn copy(&self, process: &Self::Process) -> Option<Self::Process> {
        let _ = process;
        None
    }

    /// What a node takes itself for, in the protocol's own words.
    fn stand(&self, process: &Self::Process) -> Option<Stand> {
        let _ = process;
        None
    }

    /// The properties of [`checker::properties`] that its observations can break; none by default.
    fn log_properties(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The situations that its runs can reach; by default those that need no observation.
    fn situations(&self) -> Vec<Situation> {
        Situation::of_the_world().collect()
    }

    /// The situations of its own, counted in reports, demanded by `[expect] reach` and waited for by a fault's `when`; told through
    /// [`Tell::sometimes`].
    fn sometimes(&self) -> &'static [Sometimes] {
        &[]
    }

    /// The properties of its own, in the order in which they are judged.
    fn properties(&self) -> Vec<OwnProperty<Self::Process>> {
        Vec::new()
    }

    /// Tells what a node has done since it was last asked, in the words of a replicated log.
    ///
    /// # Errors
    /// What `tell` says: nothing more is to be told then.
    fn observe<T: Tell>(&self, process: &mut Self::Process, tell: &mut T) -> Result<(), T::Stop> {
        let _ = (process, tell);
        Ok(())
    }

    /// The planted bugs of this build.
    fn bugs(&self) -> &'static [PlantedBug] {
        &[]
    }

    /// What can be switched on like a planted bug and is none: what the drills of the tool itself need.
    fn drills(&self) -> &'static [PlantedBug] {
        &[]
    }

    /// Documented bugs that are not planted, and why.
    fn not_planted(&self) -> &'static [NotPlanted] {
        &[]
    }

    /// Whether somebody leads, once the faults are over; by default whether a node stands as the primary, where nodes have a stand.
    fn is_led(&self, survivors: &Survivors<'_, Self::Process>) -> bool {
        let mut stands = survivors.up().filter_map(|(_, process)| self.stand(process)).peekable();
        stands.peek().is_none() || stands.any(|stand| stand.is_primary)
    }

    /// What keeps the nodes that are left from being in order, once the faults are over; by default nothing: that clients are served is
    /// all that is asked.
    fn obstacle(&self, survivors: &Survivors<'_, Self::Process>) -> Option<Obstacle> {
        let _ = survivors;
        None
    }

    /// How far a node has got: as long as this grows somewhere, a cluster is on its way to recovery. By default only what clients are
    /// served counts.
    fn advance(&self, process: &Self::Process) -> Advance {
        let _ = process;
        Advance::default()
    }

    /// How long those that are furthest behind need to catch up when the faults end, beyond what a scenario allows for recovery.
    fn catch_up(&self, survivors: &Survivors<'_, Self::Process>, cluster: &Cluster<'_>) -> Duration {
        let _ = (survivors, cluster);
        Duration::ZERO
    }

    /// Until when, on its own clock, a node waits for others before it acts itself.
    fn waits_until(&self, process: &Self::Process) -> Option<LocalTime> {
        let _ = process;
        None
    }

    /// Whether the others can go on without these nodes, for ever; by default whether they are most of the nodes. `asked`: every set of
    /// members that an operator has asked for, and `scripted`: the operators' orders at given times.
    fn can_do_without(
        &self,
        lost: &BTreeSet<NodeId>,
        all: &Survivors<'_, Self::Process>,
        (asked, scripted): (&BTreeSet<Vec<u16>>, &[Operation]),
    ) -> bool {
        let _ = (asked, scripted);
        2 * lost.len() < all.count()
    }
}

/// The cluster that a run is about to boot.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What the seed drew of it.
    pub draw: &'a Draw,
    /// The settings that upgrades flip, if there are any.
    pub flips: Option<Flips>,
    /// The planted bug that is switched on.
    pub bug: Option<&'static PlantedBug>,
}

impl Cluster<'_> {
    /// The nodes that found the cluster; those after them are spares.
    pub fn founders(&self) -> u16 {
        self.draw.nodes
    }

    /// All nodes, spares included.
    pub fn nodes(&self) -> u16 {
        self.draw.all_nodes()
    }

    /// The clients that there are at most.
    pub fn clients(&self) -> u16 {
        self.draw.clients
    }

    /// The value of a setting of the system that is `true` or `false`.
    ///
    /// # Panics
    /// When the system declares no such setting.
    pub fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            SettingValue::Flag(flag) => flag,
            value => panic!("the setting `{name}` is no flag: it is {value:?}"),
        }
    }

    /// The value of a setting of the system that is a number: a count, or bytes, nanoseconds, parts per million.
    ///
    /// # Panics
    /// When the system declares no such setting.
    pub fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            SettingValue::Number(number) => number,
            value => panic!("the setting `{name}` is no number: it is {value:?}"),
        }
    }

    /// The value of a setting of the system that is a word.
    ///
    /// # Panics
    /// When the system declares no such setting.
    pub fn word(&self, name: &str) -> &'static str {
        match self.value(name) {
            SettingValue::Word(word) => word,
            value => panic!("the setting `{name}` is no word: it is {value:?}"),
        }
    }

    fn value(&self, name: &str) -> SettingValue {
        let value = self.scenario.settings.get(&self.scenario.known, name);
        value.unwrap_or_else(|| {
            panic!(
                "the system `{}` declares no setting `{name}`",
                self.scenario.known.system
            )
        })
    }

    /// Whether a bug is planted under this id or name.
    pub fn has_bug(&self, name: &str) -> bool {
        self.bug.is_some_and(|bug| bug.is_called(name))
    }
}

/// One attempt at an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Who asks: a number of one's own for each client and operator.
    pub session: u32,
    /// The number of the operation within the session, from 1 on; a later operation has a greater one.
    pub sequence: u64,
}

/// What a response means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The number of the operation that it answers.
    pub sequence: u64,
    /// What it says.
    pub reply: Reply,
    /// Where in an order of all operations that the system knows the answer stands, by which the checker can look for an order.
    pub applied: Option<u64>,
}

impl Answer {
    /// An answer to the operation of this number.
    pub fn new(sequence: u64, reply: Reply) -> Self {
        Self {
            sequence,
            reply,
            applied: None,
        }
    }
}

/// What a node takes itself for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stand {
    /// In the protocol's own word: `primary`, `acceptor`.
    pub word: &'static str,
    /// The term, ballot or view in which it does, 0 where there are none.
    pub epoch: u64,
    /// Whether it takes itself for the one that leads.
    pub is_primary: bool,
}

/// Who is told what the nodes of a replicated log do.
pub trait Tell {
    /// Why nothing more is to be told.
    type Stop;

    /// An observation for the properties. A lease is told in the node's own time.
    ///
    /// # Errors
    /// When it breaks a property.
    fn observation(&mut self, observation: &Observation<'_>) -> Result<(), Self::Stop>;

    /// Something that should happen sometimes has happened: a situation of [`System::sometimes`], by its name.
    fn sometimes(&mut self, name: &str);

    /// Something about a replicated log that only who counts situations wants to know.
    fn sign(&mut self, sign: Sign);
}

/// The nodes of a world without those that never come back.
pub struct Survivors<'a, P: Process> {
    nodes: &'a dyn Nodes<P>,
    lost: &'a BTreeSet<NodeId>,
}

/// The nodes of a world, whoever its clients are.
trait Nodes<P> {
    fn count(&self) -> u16;
    fn process(&self, node: NodeId) -> Option<&P>;
}

impl<P: Process, C: ClientOf<P>> Nodes<P> for World<P, C> {
    fn count(&self) -> u16 {
        self.nodes().count() as u16
    }

    fn process(&self, node: NodeId) -> Option<&P> {
        Self::process(self, node)
    }
}

impl<'a, P: Process> Survivors<'a, P> {
    /// Those of a world, without the lost ones.
    pub fn of<C: ClientOf<P>>(world: &'a World<P, C>, lost: &'a BTreeSet<NodeId>) -> Self {
        Self { nodes: world, lost }
    }

    /// How many there are in all, the lost ones included.
    pub fn count(&self) -> usize {
        self.nodes.count().into()
    }

    /// Each with its process; `None` while it is down.
    pub fn each(&self) -> impl Iterator<Item = (NodeId, Option<&'a P>)> + '_ {
        let nodes = (0..self.nodes.count()).map(NodeId);
        nodes
            .filter(|node| !self.lost.contains(node))
            .map(|node| (node, self.nodes.process(node)))
    }

    /// Those that are up.
    pub fn up(&self) -> impl Iterator<Item = (NodeId, &'a P)> + '_ {
        self.each().filter_map(|(node, process)| Some((node, process?)))
    }

    /// The process of one, if it is up.
    pub fn process(&self, node: NodeId) -> Option<&'a P> {
        self.nodes.process(node)
    }
}

/// What keeps a cluster from having recovered: a short name and a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obstacle {
    /// A short name: lower-case words with dashes between them.
    pub place: &'static str,
    /// The same in words.
    pub sentence: String,
    /// Whether clients can be served all the same.
    pub is_late: bool,
}

/// How far a node has got. Each number only grows as it comes nearer to the others.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Advance {
    /// What it has of the others' operations: the last index of its log, say.
    pub has: u64,
    /// How many of them it has applied.
    pub applied: u64,
    /// How many it knows to be decided.
    pub decided: u64,
    /// What it receives in one piece, and how much of it has come: the index of a snapshot and its bytes.
    pub receiving: (u64, u64),
}
