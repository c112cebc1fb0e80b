//! The course of a run as data: which faults strike when, what each client asks for, and what chance decides. What a seed
//! stands for, written out, so that it can be kept, changed in one place, and run without the seed.

use crate::budget::Damageable;
use crate::scenario::Flips;
use crate::system::System;
use crate::workloads::WorldOf;
use crate::workloads::client::Client;
use crate::workloads::tasks::Tasks;
use serde::{Deserialize, Serialize};
use simulator::{Decisions, FaultAction, PlannedFault, Target, Time};
use std::sync::Arc;

/// Most faults of a course.
pub const FAULTS_MAX: usize = 100_000;

/// What happens in a run beside what follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// Faults, by time. Those of one instant strike in this order.
    pub faults: Vec<Strike>,
    /// What lasts when the faults have ended: nodes that never come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<FaultAction>,
    /// What each client does, client 0 first; a client that is not listed does nothing.
    pub clients: Vec<Tasks>,
    /// What the operator orders, if the scenario has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Tasks>,
    /// The nodes whose disks may be damaged.
    #[serde(default)]
    pub damageable: Damageable,
    /// The settings that upgrades flip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flips: Option<Flips>,
    /// What chance decides otherwise than the neutral way.
    #[serde(default)]
    pub decisions: Arc<Decisions>,
}

/// A fault at its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strike {
    /// True time in nanoseconds.
    pub at: Time,
    /// How many events of its instant come before it; it waits for no more than there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: u64,
    /// What is done, to whom.
    pub action: FaultAction,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Course {
    /// What happened in a world that recorded it: `healed` of the faults had struck when they ended. What is settled before a run
    /// begins, a world does not know: whose disks may be damaged, and what upgrades flip.
    pub fn of<S: System>(world: &WorldOf<S>, healed: usize) -> Self {
        let is_fault = |action: &FaultAction| *action != FaultAction::Heal;
        let applied = world.applied();
        let (faults, losses) = applied.split_at(healed.min(applied.len()));
        let strike = |applied: &simulator::Applied| Strike {
            at: applied.fault.at,
            after: applied.after,
            action: applied.fault.action.clone(),
        };
        let actors = || world.clients().map(|client| world.client(client));
        let losses = losses.iter().map(|applied| applied.fault.action.clone());
        // What those with one order do is in the scenario.
        let orders = actors().find_map(|actor| actor.operator().map(crate::workloads::operator::Operator::tasks));
        let mut decisions = world.decisions();
        // What clients do is told by their tasks.
        decisions.retain(|subject, _, _| subject.topic != simulator::Topic::Work);
        Self {
            faults: faults.iter().map(strike).collect(),
            losses: losses.filter(is_fault).collect(),
            clients: actors().filter_map(|actor| actor.client()).map(Client::tasks).collect(),
            orders,
            decisions: Arc::new(decisions),
            ..Self::default()
        }
    }

    /// The faults that strike before all else of their instants.
    pub fn planned(&self) -> impl Iterator<Item = PlannedFault> + '_ {
        let first = self.faults.iter().filter(|strike| strike.after == 0);
        first.map(|strike| PlannedFault {
            at: strike.at,
            action: strike.action.clone(),
        })
    }

    /// The faults for which other events of their instants come first.
    pub fn afterwards(&self) -> impl Iterator<Item = &Strike> + '_ {
        self.faults.iter().filter(|strike| strike.after > 0)
    }

    /// What a client does.
    pub fn tasks_of(&self, client: u16) -> Tasks {
        self.clients.get(usize::from(client)).cloned().unwrap_or_default()
    }

    /// Whether old messages are delivered again.
    pub fn replays_old(&self) -> bool {
        let replays = |strike: &Strike| matches!(strike.action, FaultAction::Replay { .. });
        self.faults.iter().any(replays)
    }

    /// How many faults strike, without those that only end one.
    pub fn strikes(&self) -> usize {
        let strikes = self.faults.iter().filter(|strike| !ends_a_fault(&strike.action));
        strikes.count() + self.losses.len()
    }

    /// How many operations and orders there are.
    pub fn operations(&self) -> usize {
        let all = self.clients.iter().chain(&self.orders);
        all.map(|tasks| tasks.tasks.len()).sum()
    }
}

/// Whether an action only ends what another began.
pub fn ends_a_fault(action: &FaultAction) -> bool {
    match action {
        FaultAction::Mend { .. }
        | FaultAction::Release { .. }
        | FaultAction::Restart { .. }
        | FaultAction::Resume { .. }
        | FaultAction::Heal => true,
        FaultAction::ClockDrift { ppm: 0, target } => matches!(target, Target::Node(_)),
        _ => false,
    }
}
