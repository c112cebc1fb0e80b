//! Which nodes the second phase has to do without.
//!
//! A majority of the voters that is alive can always elect one of them, as long as the members do not change: whose log is the
//! newest wins. In the middle of a change it need not be so. A learner of the old members that is to vote among the new ones, and
//! does not know it yet, stands for no election; and it gives its vote to nobody whose log is older than its own. So those who stay
//! must have somebody among them who can win as their logs are.

use crate::scenario::Lasting;
use crate::systems::kv::{KvNode, Operation};
use crate::workloads::Actor;
use crate::workloads::operator::Operator;
use raft_core::{Configuration, Mark};
use simulator::{CutId, FaultAction, NodeId, OneWay, Stream, Target, World};
use std::collections::BTreeSet;

/// Which nodes never come back, and what keeps them: a random set without which every configuration that some node acts under, or
/// that an operator has asked for, still has a quorum of nodes that can vote, and one of them can win. Those that were down when
/// the faults ended come first: who dies in the middle of something, and is never seen again, leaves more behind than who had
/// long been idle.
pub fn losses(world: &World<KvNode>, fallen: &[NodeId], lasting: Lasting, seed: u64) -> Vec<FaultAction> {
    let mut stream = Stream::new(seed, "lasting", 0);
    let mut order: Vec<NodeId> = world.nodes().collect();
    stream.shuffle(&mut order);
    order.sort_by_key(|node| !fallen.contains(node));
    let most = stream.range(0, order.len() as u64 - 1) as usize;
    let mut lost: Vec<NodeId> = Vec::new();
    for node in order {
        lost.push(node);
        if lost.len() > most || !can_go_on_without(world, &lost) {
            lost.pop();
        }
    }
    let mut losses = Vec::new();
    for (number, node) in lost.into_iter().enumerate() {
        let is_down = match lasting {
            Lasting::None => continue,
            Lasting::Down => true,
            Lasting::Cut => false,
            Lasting::Any => stream.below(2) == 0,
        };
        let target = Target::Node(node);
        let cut = FaultAction::Isolate {
            id: CutId(FIRST_LASTING_CUT + number as u32),
            target,
            one_way: OneWay::None,
            with_clients: true,
            keeps: 0,
        };
        let down = FaultAction::Crash {
            target,
            restart_after: None,
        };
        losses.push(if is_down { down } else { cut });
    }
    losses
}

/// Cuts that last are named from here on, out of the way of all others.
const FIRST_LASTING_CUT: u32 = 1 << 28;

/// A node that stays, as far as elections are concerned.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) id: raft_core::NodeId,
    /// It is sure of what it has promised.
    pub(super) votes: bool,
    /// What its log ends with.
    pub(super) last: Mark,
    /// The members that it acts under; empty until it has heard of any.
    pub(super) members: Configuration,
}

fn can_go_on_without(world: &World<KvNode>, lost: &[NodeId]) -> bool {
    let standing = |node: NodeId| {
        let raft = world.process(node)?.raft();
        let status = raft.status();
        Some(Standing {
            id: status.id,
            votes: !lost.contains(&node) && !status.fenced && !status.failed && !status.amnesia,
            last: raft.log().last(),
            members: raft.configuration().1.clone(),
        })
    };
    let standings: Vec<Standing> = world.nodes().filter_map(standing).collect();
    let scripted = sets_after_scripted_orders(world, &standings);
    // An order that is still under way may be carried out when the faults are over.
    let operators = world.clients().filter_map(|client| world.client(client).operator());
    let mut asked = operators.flat_map(Operator::asked).chain(&scripted);
    let named = |voters: &Vec<u16>| -> Vec<raft_core::NodeId> {
        let id = |voter: &u16| raft_core::NodeId(u64::from(*voter));
        voters.iter().map(id).collect()
    };
    asked.all(|voters| is_majority(&standings, &named(voters), |_| true)) && can_elect(&standings)
}

/// The sets of voters that orders at given times may still make of those that somebody acts under, in whatever order they are
/// carried out.
fn sets_after_scripted_orders(world: &World<KvNode>, standings: &[Standing]) -> BTreeSet<Vec<u16>> {
    let scripted = world.clients().filter_map(|client| match world.client(client) {
        Actor::Scripted(scripted) => Some(scripted.operation().clone()),
        _ => None,
    });
    let orders: Vec<Operation> = scripted.collect();
    if orders.is_empty() {
        return BTreeSet::new();
    }
    let number = |id: &raft_core::NodeId| u16::try_from(id.0).expect("nodes are numbered from 0 by the world");
    let voters = |standing: &Standing| standing.members.voters.iter().map(number).collect::<BTreeSet<_>>();
    let mut sets: BTreeSet<BTreeSet<u16>> = standings.iter().map(voters).filter(|set| !set.is_empty()).collect();
    loop {
        let mut more = sets.clone();
        for (set, order) in sets.iter().flat_map(|set| orders.iter().map(move |order| (set, order))) {
            let mut after = set.clone();
            match order {
                Operation::Change { voters, .. } => after = voters.iter().copied().collect(),
                Operation::Join { node, learner: false } => _ = after.insert(*node),
                Operation::Join { node, .. } | Operation::Leave { node } => _ = after.remove(node),
                _ => {}
            }
            if !after.is_empty() {
                more.insert(after);
            }
        }
        if more.len() == sets.len() {
            return sets.into_iter().map(|set| set.into_iter().collect()).collect();
        }
        sets = more;
    }
}

/// Whether most of `voters` are sure of their promises and as `is_for` wants them.
fn is_majority(standings: &[Standing], voters: &[raft_core::NodeId], is_for: impl Fn(&Standing) -> bool) -> bool {
    let votes = |id: &&raft_core::NodeId| {
        let of_voter = |standing: &Standing| standing.id == **id && standing.votes && is_for(standing);
        standings.iter().any(of_voter)
    };
    2 * voters.iter().filter(votes).count() > voters.len()
}

fn is_quorum(standings: &[Standing], members: &Configuration, is_for: impl Fn(&Standing) -> bool) -> bool {
    let old = &members.outgoing;
    is_majority(standings, &members.voters, &is_for) && (old.is_empty() || is_majority(standings, old, &is_for))
}

/// Whether all members that somebody acts under have a quorum that votes, and somebody can win an election.
pub(super) fn can_elect(standings: &[Standing]) -> bool {
    let mut founded = standings
        .iter()
        .filter(|standing| !standing.members.voters.is_empty())
        .peekable();
    if founded.peek().is_none() {
        return true;
    }
    let has_quorum = |standing: &Standing| is_quorum(standings, &standing.members, |_| true);
    let can_win = |one: &Standing| {
        one.votes && one.members.is_voter(one.id) && is_quorum(standings, &one.members, |voter| voter.last <= one.last)
    };
    founded.clone().all(has_quorum) && founded.any(can_win)
}
