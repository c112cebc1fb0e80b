//! What there was: the world as a probe saw it after each step.

use raft_core::{NodeId as Id, Raft, Role};
use raft_kv::{KvNode, RaftKv};
use simulator::{Endpoint, NodeId, Step, StepKind};
use squall::run::{Probe, RunOptions, RunReport, Steering, run_steered};
use squall::scenario::Scenario;
use squall::system::PlantedBug;
use squall::workloads::WorldOf;
use std::collections::BTreeSet;

/// A node as it was after a step of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub up: bool,
    pub paused: bool,
    /// Of a process that runs.
    pub core: Option<Core>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    pub role: &'static str,
    pub term: u64,
    pub vote: Option<u64>,
    pub commit: u64,
    pub applied: u64,
    pub snapshot: u64,
    /// Index of the entry that holds the configuration, voters, outgoing voters, all members.
    pub members: (u64, BTreeSet<u64>, BTreeSet<u64>, BTreeSet<u64>),
    /// The entry just before the first.
    pub start: (u64, u64),
    /// The terms of the entries behind that.
    pub terms: Vec<u64>,
}

impl Core {
    pub fn last(&self) -> u64 {
        self.start.0 + self.terms.len() as u64
    }

    pub fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.start.0 && index > 0 {
            return Some(self.start.1);
        }
        let at = index.checked_sub(self.start.0 + 1)?;
        self.terms.get(usize::try_from(at).ok()?).copied()
    }

    fn of(node: &KvNode) -> Self {
        let raft: &Raft = node.raft();
        let (index, configuration) = raft.configuration();
        let ids = |list: &[Id]| list.iter().map(|id| id.0).collect();
        let start = raft.log().start();
        Self {
            role: match raft.role() {
                Role::Follower => "follower",
                Role::PreCandidate => "pre-candidate",
                Role::Candidate => "candidate",
                Role::Leader => "leader",
            },
            term: raft.term(),
            vote: raft.hard_state().voted_for.map(|id| id.0),
            commit: raft.commit_index(),
            applied: node.applied(),
            snapshot: raft.snapshot().map_or(0, |snapshot| snapshot.last.index),
            members: (
                index,
                ids(&configuration.voters),
                ids(&configuration.outgoing),
                configuration.members().map(|id| id.0).collect(),
            ),
            start: (start.index, start.term),
            terms: raft.log().from(start.index + 1).map(|entry| entry.term).collect(),
        }
    }
}

/// What was seen after a step.
#[derive(Clone, Debug)]
pub struct Look {
    /// The number of the event of the step, and of the last one that was told by then.
    pub seq: u64,
    pub until: u64,
    pub time: u64,
    /// The node of the step, and what it was; `None` where nothing of what is compared has changed since it was looked at last.
    pub node: Option<(usize, Option<Held>)>,
    /// Whether the power was cut in the middle of it: what the process did then has not happened.
    pub crashed: bool,
    /// Faults that were in force, where they were looked at.
    pub faults: Option<Faults>,
}

/// The faults that are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub down: BTreeSet<usize>,
    pub paused: BTreeSet<usize>,
    /// Links between nodes that are cut, each direction for itself.
    pub cut: BTreeSet<(usize, usize)>,
    /// Whether the network behaves otherwise than at the beginning.
    pub network: bool,
}

/// All that was seen of a run.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub looks: Vec<Look>,
}

/// So many steps go by between two looks at everything.
const EVERYTHING: usize = 64;

/// A run with its trace, and what a probe saw of it.
pub fn looked_at(scenario: &Scenario, seed: u64, bug: Option<&'static PlantedBug>) -> (RunReport, Seen) {
    let mut seen = Seen::default();
    let mut last: Vec<Option<(Brief, usize)>> = Vec::new();
    let mut network = None;
    let look = |world: &WorldOf<RaftKv>, step: &Step| {
        let usual = *network.get_or_insert_with(|| *world.network());
        last.resize(world.nodes().count(), None);
        let node = step.node.map(|node| {
            let now = (Brief::of(world, node), seen.looks.len());
            let before = &mut last[node.index()];
            let is_known = before
                .as_ref()
                .is_some_and(|(brief, at)| *brief == now.0 && now.1 - at < EVERYTHING);
            let held = (!is_known).then(|| held(world, node));
            if !is_known {
                *before = Some(now);
            }
            (node.index(), held)
        });
        let crashed = step.kind == StepKind::Crashed;
        if crashed
            && let Some(before) = seen
                .looks
                .iter_mut()
                .rev()
                .find(|look| look.node.as_ref().map(|node| node.0) == node.as_ref().map(|node| node.0))
        {
            // What is cut off in the middle has not been done; only a crash at the disk comes at the very time of a step.
            before.crashed |= before.time == step.time.0;
        }
        let is_fault = !matches!(
            step.kind,
            StepKind::Delivered { .. }
                | StepKind::Timer
                | StepKind::Synced { .. }
                | StepKind::Worked
                | StepKind::Request { .. }
                | StepKind::Response { .. }
                | StepKind::ClientTimer { .. }
                | StepKind::Dropped { .. }
        );
        let faults = (is_fault || seen.looks.len() % EVERYTHING == 0)
            .then(|| faults(world, ![usual, usual.healed()].contains(world.network())));
        seen.looks.push(Look {
            seq: step.seq,
            until: world.last_event(),
            time: step.time.0,
            node,
            crashed: false,
            faults,
        });
    };
    let steering = Steering {
        probe: Some(Probe::new::<RaftKv>(look)),
        ..Steering::default()
    };
    let options = RunOptions {
        bug,
        trace: true,
        ..RunOptions::default()
    };
    let report = run_steered(scenario, seed, options, steering);
    (report, seen)
}

/// What is cheap to compare.
#[derive(Clone, PartialEq, Eq)]
struct Brief(Option<[u64; 11]>, bool);

impl Brief {
    fn of(world: &WorldOf<RaftKv>, node: NodeId) -> Self {
        let of = |node: &KvNode| {
            let raft = node.raft();
            let last = raft.log().last();
            [
                raft.role() as u64,
                raft.term(),
                raft.hard_state().voted_for.map_or(u64::MAX, |id| id.0),
                raft.commit_index(),
                node.applied(),
                raft.snapshot().map_or(0, |snapshot| snapshot.last.index),
                raft.configuration().0,
                raft.log().start().index,
                last.index,
                last.term,
                // What is not committed may be replaced by as many others.
                raft.log()
                    .from(raft.log().start().index.max(raft.commit_index().min(last.index)) + 1)
                    .fold(0, |sum: u64, entry| sum.wrapping_mul(31).wrapping_add(entry.term)),
            ]
        };
        Self(world.process(node).map(of), world.is_paused(node))
    }
}

fn held(world: &WorldOf<RaftKv>, node: NodeId) -> Held {
    Held {
        up: world.is_up(node),
        paused: world.is_paused(node),
        core: world.process(node).map(Core::of),
    }
}

fn faults(world: &WorldOf<RaftKv>, network: bool) -> Faults {
    let nodes = || world.nodes();
    let those = |which: &dyn Fn(NodeId) -> bool| nodes().filter(|node| which(*node)).map(NodeId::index).collect();
    let pairs = nodes().flat_map(|from| nodes().map(move |to| (from, to)));
    let is_cut = |(from, to): &(NodeId, NodeId)| from != to && world.is_cut(Endpoint::Node(*from), Endpoint::Node(*to));
    Faults {
        down: those(&|node| !world.is_up(node)),
        paused: those(&|node| world.is_paused(node)),
        cut: pairs
            .filter(is_cut)
            .map(|(from, to)| (from.index(), to.index()))
            .collect(),
        network,
    }
}
