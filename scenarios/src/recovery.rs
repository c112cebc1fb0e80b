//! The second phase of a run: after the faults, the cluster must elect a leader, serve every client and converge; and if it
//! does not, this says why.

mod left;
mod losses;
mod milestones;
#[cfg(test)]
mod tests;

pub use losses::losses;
pub use milestones::{Milestone, Progress, Reached};

use crate::scenario::{Flip, Flips, Scenario};
use crate::setup::Draw;
use crate::systems::kv::KvNode;
use crate::verdict::{Failure, FailureKind};
use crate::workloads::client::KvClient;
use raft_core::{Role, Status};
use simulator::{Duration, NodeId, Time, World};
use std::collections::BTreeSet;

/// The property that the cluster recovers once the faults end.
pub const RECOVERS: &str = "recovers";

/// How long the members that are furthest behind need to catch up, beyond the time that a scenario allows for recovery: one
/// round trip and one write for each window of entries that they lack, at their slowest. `flips`: what upgrades flip, and may
/// have left flipped.
pub fn catch_up_allowance(world: &World<KvNode>, scenario: &Scenario, draw: &Draw, flips: Option<Flips>) -> Duration {
    let last = |id: NodeId| world.process(id).map_or(0, |node| node.raft().status().last_index);
    let longest = world.nodes().map(last).max().unwrap_or(0);
    let shortest = world.nodes().map(last).min().unwrap_or(0);
    let round_trip = 2 * scenario.network.latency.max_ns + scenario.disk.sync.max_ns;
    let logs = world
        .nodes()
        .filter_map(|id| world.process(id))
        .map(|node| node.raft().log());
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

/// What keeps a cluster from having recovered: a short name and a sentence.
type Obstacle = (&'static str, String);

/// Why a cluster missed a milestone by the deadline.
pub fn why_not(
    world: &World<KvNode>,
    lost: &BTreeSet<NodeId>,
    scenario: &Scenario,
    (milestone, faults_end, deadline): (Milestone, Time, Time),
) -> Failure {
    let waits = |client| Some((client, world.client(client).client()?.waits_for()?));
    let unserved = || {
        let (client, operation) = world.clients().find_map(waits)?;
        Some(("not-served", format!("{client} still waits for {operation:?}")))
    };
    let of_clients = matches!(milestone, Milestone::Serve | Milestone::Durable);
    // What keeps clients waiting is first of all that nobody leads, or that the leader can't commit.
    let obstacle = match obstacle(world, lost) {
        Some(obstacle) if !of_clients || !LATE.contains(&obstacle.0) => Some(obstacle),
        late => unserved().or(late),
    };
    let (place, reason) = obstacle.unwrap_or(("not-served", "a client has not been served".to_owned()));
    let waited = Duration(deadline.0 - faults_end.0);
    let timeouts = waited.0.div_ceil(scenario.cluster.election.max_ns);
    let milestone = milestone.name();
    let message =
        format!("`{milestone}` missed: {waited} ({timeouts} election timeouts) after the faults ended, {reason}");
    let failure = Failure::new(
        FailureKind::Liveness,
        RECOVERS,
        &format!("{milestone}-{place}"),
        message,
    );
    Failure {
        time: Some(deadline.0),
        ..failure
    }
}

/// Obstacles that keep no client waiting.
const LATE: [&str; 3] = ["node-down", "not-converged", "state-differs"];

fn clients_are_served(world: &World<KvNode>) -> bool {
    world
        .clients()
        .all(|client| world.client(client).client().is_none_or(KvClient::has_served))
}

/// The leader of the latest term.
fn leader<'w>(world: &'w World<KvNode>, lost: &BTreeSet<NodeId>) -> Option<(NodeId, &'w KvNode)> {
    let core = world.nodes().filter(|node| !lost.contains(node));
    let nodes = core.filter_map(|id| Some((id, world.process(id)?)));
    nodes
        .filter(|(_, node)| node.raft().status().role == Role::Leader)
        .max_by_key(|(_, node)| node.raft().term())
}

/// Why the members are not all in the leader's state; `None` if they are.
fn obstacle(world: &World<KvNode>, lost: &BTreeSet<NodeId>) -> Option<Obstacle> {
    let Some((leader, of_leader)) = leader(world, lost) else {
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
    let core = world.nodes().filter(|node| !lost.contains(node));
    core.filter(is_member).find_map(|node| {
        let Some(process) = world.process(node) else {
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

fn unlike(node: NodeId, have: &Status, leader: NodeId, want: &Status) -> Option<Obstacle> {
    let same = (have.term, have.last_index, have.applied) == (want.term, want.last_index, want.applied);
    (!same).then(|| {
        let message = format!(
            "{node} is in term {} with {} entries, {} applied; leader {leader} is in term {} with {}, {} applied",
            have.term, have.last_index, have.applied, want.term, want.last_index, want.applied
        );
        ("not-converged", message)
    })
}
