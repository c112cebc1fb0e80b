//! What a cluster must have reached once the faults have ended, each within a bound of its own in election timeouts.

use super::clients_are_served;
use super::left::Left;
use crate::scenario::{Pace, Scenario};
use crate::system::{Survivors, System};
use crate::workloads::WorldOf;
use crate::workloads::client::Client;
use simulator::{Duration, NodeId, Time};
use std::collections::BTreeSet;

/// One of them, in the order in which they are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Milestone {
    /// A node of the core leads.
    Elect,
    /// All members of the core are in the leader's state.
    Converge,
    /// Each client has been served a fresh operation.
    Serve,
    /// Every key has been read again.
    Durable,
}

impl Milestone {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Elect, Self::Converge, Self::Serve, Self::Durable];

    /// The key of its bound in `[recovery]`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elect => "elect",
            Self::Converge => "converge",
            Self::Serve => "serve",
            Self::Durable => "durable",
        }
    }

    /// Its bound in a scenario, in election timeouts of the longest kind.
    fn bound(self, scenario: &Scenario) -> u32 {
        let recovery = &scenario.recovery;
        match self {
            Self::Elect => recovery.elect,
            Self::Converge => recovery.converge,
            Self::Serve => recovery.serve,
            Self::Durable => recovery.durable,
        }
    }
}

/// When each milestone was first reached, counted from the end of the faults; none that was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached([Option<Duration>; 4]);

impl Reached {
    /// When one was.
    pub fn at(&self, milestone: Milestone) -> Option<Duration> {
        self.0[milestone as usize]
    }

    /// The same in thousandths of an election timeout, rounded up; 0 for what was not reached.
    pub fn in_timeouts(&self, scenario: &Scenario) -> [u64; 4] {
        let timeout = scenario.cluster.election.max_ns;
        self.0
            .map(|reached| reached.map_or(0, |after| (after.0.saturating_mul(1_000)).div_ceil(timeout)))
    }
}

/// The way of a cluster back, in a run.
#[derive(Clone, Debug)]
pub struct Progress {
    faults_end: Time,
    /// By when each milestone must have been reached.
    deadlines: [Time; 4],
    /// By when all of them must hold at once.
    last: Time,
    reached: Reached,
    /// What is still to be done, when it was last looked at, and when it last was less than before.
    left: Left,
    next_look: Time,
    moved: Time,
    /// For so long nothing may move where there is something left.
    patience: Duration,
    /// The same where clients wait: one may have waited long, and now waits as long again.
    waiting: Duration,
}

/// How many operations may pass between two that are served, and how often what is left is looked at in that time.
const OPERATIONS: u64 = 8;
const LOOKS: u64 = 4;

impl Progress {
    /// At the end of the faults. Members that are far behind have `allowance` more; nothing takes longer than `time.settle` and
    /// that. But nobody is judged by less than what elections and operations may take at the latencies and sync times of the
    /// scenario, and whoever is on the way has more time: see [`Progress::goes_on`].
    pub fn new<S: System>(
        system: &S,
        scenario: &Scenario,
        faults_end: Time,
        allowance: Duration,
        world: &WorldOf<S>,
    ) -> Self {
        let pace = Pace::of(&scenario.cluster, &scenario.network, &scenario.disk);
        let elections = Duration(pace.elections_ns);
        let attempts = Duration(pace.patience_ns(&scenario.workload).saturating_mul(2));
        let operations = elections + Duration(pace.operation_ns.saturating_mul(OPERATIONS));
        let attempt = Duration((scenario.workload.timeout_ns / 4).saturating_mul(2));
        let patience = operations + attempt;
        let last = faults_end + Duration(scenario.time.settle_ns) + allowance;
        let begin = faults_end.max(elections_begin_by(system, world));
        let deadline = |milestone: Milestone| {
            let bound = u64::from(milestone.bound(scenario)).saturating_mul(scenario.cluster.election.max_ns);
            let (more, least) = match milestone {
                Milestone::Elect => (Duration::ZERO, elections),
                _ => (allowance, operations),
            };
            (faults_end + Duration(bound) + more).min(last).max(begin + least)
        };
        Self {
            faults_end,
            deadlines: Milestone::ALL.map(deadline),
            last: last.max(begin + operations),
            reached: Reached::default(),
            left: Left::new(system, world),
            next_look: faults_end,
            moved: faults_end,
            patience,
            waiting: patience + attempts,
        }
    }

    /// When what is left is to be looked at again.
    pub fn next_look(&self) -> Time {
        self.next_look
    }

    /// Looks at what is left.
    pub fn look_at_what_is_left<S: System>(&mut self, system: &S, world: &WorldOf<S>, lost: &BTreeSet<NodeId>) {
        self.next_look = world.now() + Duration((self.patience.0 / LOOKS).max(1));
        if self.left.has_moved(system, world, lost) {
            self.moved = world.now();
        }
    }

    /// A deadline has come. Whether the cluster is still on its way, so that the deadline moves: what was left of the work has
    /// become less within the time that the slowest links, disks and clients of the run need for a part of it.
    pub fn goes_on<S: System>(
        &mut self,
        system: &S,
        milestone: Milestone,
        world: &WorldOf<S>,
        lost: &BTreeSet<NodeId>,
    ) -> bool {
        if milestone == Milestone::Elect {
            return false;
        }
        self.look_at_what_is_left(system, world, lost);
        let patience = match milestone {
            Milestone::Serve | Milestone::Durable => self.waiting,
            Milestone::Elect | Milestone::Converge => self.patience,
        };
        let until = self.moved + patience;
        if until <= world.now() {
            return false;
        }
        let deadline = &mut self.deadlines[milestone as usize];
        *deadline = until.max(*deadline);
        self.last = until.max(self.last);
        true
    }

    /// What has been reached.
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// Looks which milestones the cluster has come to. Gives whether all of them are behind it, and it still is well.
    pub fn look<S: System>(&mut self, system: &S, world: &WorldOf<S>, lost: &BTreeSet<NodeId>) -> bool {
        let survivors = &Survivors::of(world, lost);
        let now = world.now();
        let obstacle_free = self.note(Milestone::Elect, now, || system.is_led(survivors))
            && self.note_now(Milestone::Converge, now, || system.obstacle(survivors).is_none());
        let served = self.note(Milestone::Serve, now, || {
            all_clients::<S>(world, Client::is_being_served)
        }) && self.note(Milestone::Durable, now, || clients_are_served::<S>(world));
        obstacle_free && served
    }

    /// Notes a milestone that once reached stays so.
    fn note(&mut self, milestone: Milestone, now: Time, is_reached: impl FnOnce() -> bool) -> bool {
        self.reached.at(milestone).is_some() || self.note_now(milestone, now, is_reached)
    }

    fn note_now(&mut self, milestone: Milestone, now: Time, is_reached: impl FnOnce() -> bool) -> bool {
        let is_reached = is_reached();
        if is_reached {
            let since = Duration(now.0 - self.faults_end.0);
            self.reached.0[milestone as usize].get_or_insert(since);
        }
        is_reached
    }

    /// The next milestone that is missed, and when. When each has been reached, but they do not hold all at once, what is left is to
    /// converge again.
    pub fn next_deadline(&self) -> (Milestone, Time) {
        let open = Milestone::ALL
            .into_iter()
            .filter(|milestone| self.reached.at(*milestone).is_none());
        let deadline = |milestone: Milestone| (milestone, self.deadlines[milestone as usize]);
        let first = open.map(deadline).min_by_key(|(_, deadline)| *deadline);
        first.unwrap_or((Milestone::Converge, self.last))
    }
}

/// By when every node that is up has come to its next timer. A clock that was set back makes a node wait longer for a leader that it has
/// heard of, and ignore candidates meanwhile; it goes by its own clock, and does not know better.
fn elections_begin_by<S: System>(system: &S, world: &WorldOf<S>) -> Time {
    let timer = |id: NodeId| {
        let deadline = system.waits_until(world.process(id)?)?;
        Some(world.clock(id).true_time(deadline))
    };
    world.nodes().filter_map(timer).max().unwrap_or(Time(0))
}

fn all_clients<S: System>(world: &WorldOf<S>, is_so: impl Fn(&Client) -> bool) -> bool {
    let mut clients = world.clients().filter_map(|client| world.client(client).client());
    clients.all(is_so)
}
