//! The second phase of a run: after the faults, the cluster must elect a leader, serve every client and converge; and if it
//! does not, this says why.

mod left;
mod losses;
mod milestones;
#[cfg(test)]
mod tests;

pub use losses::losses;
pub use milestones::{Milestone, Progress, Reached};

use crate::scenario::Scenario;
use crate::system::{Obstacle, Survivors, System};
use crate::verdict::{Failure, FailureKind};
use crate::workloads::WorldOf;
use crate::workloads::client::Client;
use simulator::{Duration, NodeId, Time};
use std::collections::BTreeSet;

pub use crate::verdict::RECOVERS;

/// Why a cluster missed a milestone by the deadline.
pub fn why_not<S: System>(
    system: &S,
    world: &WorldOf<S>,
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
    let survivors = Survivors::of(world, lost);
    let nobody_leads = || {
        let sentence = "no node takes itself for the one that leads".to_owned();
        let is_late = false;
        (!system.is_led(&survivors)).then_some(Obstacle {
            place: "no-primary",
            sentence,
            is_late,
        })
    };
    let obstacle = system.obstacle(&survivors).or_else(nobody_leads);
    // What keeps clients waiting is first of all that nobody leads, or that the leader can't commit.
    let shown = |obstacle: Obstacle| (obstacle.place, obstacle.sentence);
    let obstacle = match obstacle {
        Some(obstacle) if !of_clients || !obstacle.is_late => Some(shown(obstacle)),
        late => unserved().or(late.map(shown)),
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

fn clients_are_served<S: System>(world: &WorldOf<S>) -> bool {
    world
        .clients()
        .all(|client| world.client(client).client().is_none_or(Client::has_served))
}
