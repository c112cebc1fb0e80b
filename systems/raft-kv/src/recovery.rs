//! The service after the faults: who leads, what keeps the members from being alike, and which nodes it can do without.

#[cfg(test)]
mod tests;

use super::node::KvNode;
use raft_core::{Configuration, Mark, Role, Status};
use simulator::{Duration, NodeId};
use squall::draw::Draw;
use squall::operation::Operation;
use squall::scenario::{Flip, Flips};
use squall::system::{Cluster, Obstacle, Survivors};
use std::collections::BTreeSet;

/// How long the members that are furthest behind need to catch up, beyond the time that a scenario allows for recovery: one
/// round trip and one write for each window of entries that they lack, at their slowest. What upgrades flip they may
/// have left flipped.
pub fn catch_up_allowance(all: &Survivors<'_, KvNode>, cluster: &Cluster<'_>) -> Duration {
    let Cluster {
        scenario, draw, flips, ..
    } = *cluster;
    let last = |(_, process): (NodeId, Option<&KvNode>)| process.map_or(0, |node| node.raft().status().last_index);
    let longest = all.each().map(last).max().unwrap_or(0);
    let shortest = all.each().map(last).min().unwrap_or(0);
    let round_trip = 2 * scenario.network.latency.max_ns + scenario.disk.sync.max_ns;
    let logs = all.up().map(|(_, node)| node.raft().log());
    let entries = logs.flat_map(|log| log.from(log.start().index + 1));
    let largest = entries.map(|entry| entry.content.size() as u64).max().unwrap_or(0);
    let window = window(draw, flips, largest.max(draw.value_bytes));
    Duration((longest - shortest).div_ceil(window) * round_trip)
}

/// How many entries, none larger than so many bytes, can be under way to a member at once, whichever of the settings that upgrades
/// flip may be left flipped.
fn window(draw: &Draw, flips: Option<Flips>, largest: u64) -> u64 {
    let is_flipped = |flip| flips.is_some_and(|flips| flips.has(flip));
    // One that is too large goes alone.
    let that_fit = draw.max_bytes_per_append / largest.max(1);
    let batch = u64::from(draw.max_entries_per_append).min(that_fit.max(1));
    // The flip of a setting above 1 is 1.
    let at_least = |flip, drawn: u64| if is_flipped(flip) { 1 } else { drawn };
    at_least(Flip::Batches, batch) * at_least(Flip::Window, draw.max_inflight.into())
}

/// The leader of the latest term.
pub fn leader<'w>(survivors: &Survivors<'w, KvNode>) -> Option<(NodeId, &'w KvNode)> {
    survivors
        .up()
        .filter(|(_, node)| node.raft().status().role == Role::Leader)
        .max_by_key(|(_, node)| node.raft().term())
}

/// Why the members are not all in the leader's state; `None` if they are.
pub fn obstacle(survivors: &Survivors<'_, KvNode>) -> Option<Obstacle> {
    let (place, sentence) = unlike_leader(survivors)?;
    Some(Obstacle {
        place,
        sentence,
        is_late: LATE.contains(&place),
    })
}

/// Obstacles that keep no client waiting.
const LATE: [&str; 3] = ["node-down", "not-converged", "state-differs"];

/// What keeps a cluster from having recovered: a short name and a sentence.
type Named = (&'static str, String);

fn unlike_leader(survivors: &Survivors<'_, KvNode>) -> Option<Named> {
    let Some((leader, of_leader)) = leader(survivors) else {
        return Some(("no-leader", "no node leads".to_owned()));
    };
    let want = of_leader.raft().status();
    if want.commit < want.last_index {
        let message = format!(
            "{leader} leads and has committed {} of {} entries",
            want.commit, want.last_index
        );
        return Some(("uncommitted-tail", message));
    }
    if want.joint {
        return Some((
            "joint",
            format!("{leader} leads and has not left the joint configuration"),
        ));
    }
    let members = of_leader.raft().configuration().1;
    let is_member = |node: &NodeId| members.contains(raft_core::NodeId(node.0.into()));
    survivors
        .each()
        .filter(|(node, _)| is_member(node))
        .find_map(|(node, process)| {
            let Some(process) = process else {
                return Some(("node-down", format!("{node} is down")));
            };
            unlike(node, &process.raft().status(), leader, &want).or_else(|| {
                let differs = process.store().hash() != of_leader.store().hash();
                differs.then(|| {
                    (
                        "state-differs",
                        format!("{node} and leader {leader} have applied the same and differ"),
                    )
                })
            })
        })
}

fn unlike(node: NodeId, have: &Status, leader: NodeId, want: &Status) -> Option<Named> {
    let same = (have.term, have.last_index, have.applied) == (want.term, want.last_index, want.applied);
    (!same).then(|| {
        let message = format!(
            "{node} is in term {} with {} entries, {} applied; leader {leader} is in term {} with {}, {} applied",
            have.term, have.last_index, have.applied, want.term, want.last_index, want.applied
        );
        ("not-converged", message)
    })
}

/// A node that stays, as far as elections are concerned.
#[derive(Clone, Debug)]
struct Standing {
    id: raft_core::NodeId,
    /// It is sure of what it has promised.
    votes: bool,
    /// What its log ends with.
    last: Mark,
    /// The members that it acts under; empty until it has heard of any.
    members: Configuration,
}

/// Whether every configuration that some node acts under, or that an operator has asked for, still has a quorum of nodes that can vote
/// without the lost ones, and one of them can win.
///
/// A majority of the voters that is alive can always elect one of them, as long as the members do not change: whose log is the
/// newest wins. In the middle of a change it need not be so. A learner of the old members that is to vote among the new ones, and
/// does not know it yet, stands for no election; and it gives its vote to nobody whose log is older than its own. So those who stay
/// must have somebody among them who can win as their logs are.
pub fn can_go_on_without(
    all: &Survivors<'_, KvNode>,
    lost: &BTreeSet<NodeId>,
    asked: &BTreeSet<Vec<u16>>,
    scripted: &[Operation],
) -> bool {
    let standing = |(node, process): (NodeId, Option<&KvNode>)| {
        let raft = process?.raft();
        let status = raft.status();
        Some(Standing {
            id: status.id,
            votes: !lost.contains(&node) && !status.fenced && !status.failed && !status.amnesia,
            last: raft.log().last(),
            members: raft.configuration().1.clone(),
        })
    };
    let standings: Vec<Standing> = all.each().filter_map(standing).collect();
    let scripted = sets_after_scripted_orders(scripted, &standings);
    let mut asked = asked.iter().chain(&scripted);
    let named = |voters: &Vec<u16>| -> Vec<raft_core::NodeId> {
        let id = |voter: &u16| raft_core::NodeId(u64::from(*voter));
        voters.iter().map(id).collect()
    };
    asked.all(|voters| is_majority(&standings, &named(voters), |_| true)) && can_elect(&standings)
}

/// The sets of voters that orders at given times may still make of those that somebody acts under, in whatever order they are
/// carried out.
fn sets_after_scripted_orders(orders: &[Operation], standings: &[Standing]) -> BTreeSet<Vec<u16>> {
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
fn can_elect(standings: &[Standing]) -> bool {
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
