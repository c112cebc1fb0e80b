//! The two phases: faults strike while clients work; then the faults end, and the cluster has to recover.

use super::watch::links;
use super::{Checked, Run};
use crate::recovery::{self, Milestone, Progress};
use crate::scenario::Lasting;
use crate::setup;
use crate::situations::Situation;
use crate::system::{Cluster, Survivors, System};
use crate::verdict::Failure;
use crate::workloads::WorldOf;
use simulator::{Duration, NodeId, Step, StepKind, Target, Time};
use std::collections::BTreeSet;

/// Within this time of the end of the faults, whoever has stopped of its own accord is back.
const BACK_WITHIN: Duration = Duration::from_millis(1_000);

impl<S: System> Run<'_, S> {
    pub(super) fn drive(&mut self) -> Checked {
        self.observe_all()?;
        self.resume()
    }

    /// Goes on until the run is over, or to the time at which it is to stand still.
    pub(super) fn resume(&mut self) -> Checked {
        if self.healed == usize::MAX {
            self.suffer_faults()?;
            if self.stands_still() {
                return Ok(());
            }
            self.end_faults()?;
        }
        self.recover()
    }

    /// The second phase: from milestone to milestone.
    fn recover(&mut self) -> Checked {
        loop {
            let (milestone, deadline) = self.progress().next_deadline();
            let until = deadline.min(self.progress().next_look()).min(self.stop);
            if let Some(step) = self.world.step_until(until) {
                self.stepped(&step)?;
                if may_recover(&step) && self.look() {
                    return self.at_rest();
                }
                continue;
            }
            if self.stands_still() {
                return Ok(());
            }
            if self.world.halted().is_none() && self.goes_on(milestone, deadline) {
                continue;
            }
            let missed = (milestone, self.faults_end, deadline);
            return Err(Box::new(match self.world.halted() {
                Some(halt) => Failure::halted(&halt),
                None => recovery::why_not(self.system, &self.world, &self.lost, self.scenario, missed),
            }));
        }
    }

    /// Whether there is time left until the deadline, or more because the cluster is on its way.
    fn goes_on(&mut self, milestone: Milestone, deadline: Time) -> bool {
        let mut progress = self.progress.take().expect("the faults have ended");
        let goes_on = if self.world.now() < deadline {
            progress.look_at_what_is_left(self.system, &self.world, &self.lost);
            true
        } else {
            progress.goes_on(self.system, milestone, &self.world, &self.lost)
        };
        self.progress = Some(progress);
        goes_on
    }

    fn progress(&mut self) -> &mut Progress {
        self.progress.as_mut().expect("the faults have ended")
    }

    /// Whether the cluster has come to all milestones.
    fn look(&mut self) -> bool {
        let mut progress = self.progress.take().expect("the faults have ended");
        let is_there = progress.look(self.system, &self.world, &self.lost);
        self.recovered = progress.reached();
        self.progress = Some(progress);
        is_there
    }

    fn stands_still(&self) -> bool {
        self.world.now() >= self.stop
    }

    fn end_faults(&mut self) -> Checked {
        let cluster = Cluster {
            scenario: self.scenario,
            draw: &self.draw,
            flips: setup::flips(self.scenario, self.course),
            bug: None,
        };
        let nobody = BTreeSet::new();
        let allowance = self.system.catch_up(&Survivors::of(&self.world, &nobody), &cluster);
        self.healed = self.world.applied().len();
        let fallen: Vec<NodeId> = self.world.nodes().filter(|node| !self.world.is_up(*node)).collect();
        self.world.heal();
        self.progress = Some(Progress::new(
            self.system,
            self.scenario,
            self.faults_end,
            allowance,
            &self.world,
        ));
        self.watcher.links(links::<S>(&self.world));
        self.observe_all()?;
        self.leave_some_behind(&fallen)
    }

    /// Some nodes do not come back from the faults, if the scenario says so.
    fn leave_some_behind(&mut self, fallen: &[NodeId]) -> Checked {
        self.lost
            .extend(self.world.nodes().filter(|node| self.world.is_retired(*node)));
        let lasting = self.scenario.recovery.lasting;
        if lasting == Lasting::None && self.course.is_none_or(|course| course.losses.is_empty()) {
            return Ok(());
        }
        // Those that restart now do so first.
        while let Some(step) = self.world.step_until(self.faults_end) {
            self.stepped(&step)?;
        }
        // So do those that have stopped of their own accord: whoever is down already cannot be kept down, and what its log says
        // counts too.
        let is_away = |world: &WorldOf<S>, node| !world.is_up(node) && !world.is_retired(node);
        while self.world.nodes().any(|node| is_away(&self.world, node))
            && let Some(step) = self.world.step_until(self.faults_end + BACK_WITHIN)
        {
            self.stepped(&step)?;
        }
        let losses = match self.course {
            None => recovery::losses(self.system, &self.world, fallen, lasting, self.seed),
            Some(course) => course.losses.clone(),
        };
        for action in losses {
            let node = match action.target() {
                Some(Target::Node(node)) => Some(node),
                _ => None,
            };
            let step = self.world.apply(action);
            self.stepped(&step)?;
            self.lost.extend(node);
        }
        Ok(())
    }

    /// The first phase.
    fn suffer_faults(&mut self) -> Checked {
        loop {
            let until = self
                .triggers
                .next()
                .map_or(self.faults_end, |at| at.min(self.faults_end));
            if let Some(step) = self.world.step_until(until.min(self.stop)) {
                self.stepped(&step)?;
                self.strike(self.world.events_of_instant())?;
            } else if self.world.halted().is_some() || (self.stop < until && self.stands_still()) {
                return Ok(());
            } else {
                self.strike(u64::MAX)?;
                if self.world.now() >= self.faults_end {
                    return Ok(());
                }
            }
        }
    }

    /// Applies the faults that are due after so many events of this instant, and those that they bring about in turn.
    fn strike(&mut self, events: u64) -> Checked {
        loop {
            let now = self.world.now();
            while let Some((situation, node)) = self.watcher.take() {
                self.triggers.reached(now, situation, node);
            }
            let Some(strike) = self.triggers.due(now, events) else {
                return Ok(());
            };
            let (when, fault) = (strike.situation.map(Situation::name), strike.fault);
            self.world
                .note(None, "trigger", || serde_json::json!({ "fault": fault, "when": when }));
            let step = self.world.apply(strike.action);
            let could = !matches!(step.kind, StepKind::Skipped { .. });
            if let (Some(struck), Some(origin), true) = (&mut self.struck, strike.origin, could) {
                struck.struck(origin);
            }
            self.stepped(&step)?;
        }
    }
}

/// Whether a step can have brought the cluster closer to its recovery: nodes become alike by a message, a sync or what they have
/// applied, and clients are through with their share at a timer of their own.
fn may_recover(step: &Step) -> bool {
    matches!(
        step.kind,
        StepKind::Delivered { .. } | StepKind::Synced { .. } | StepKind::Worked | StepKind::ClientTimer { .. }
    )
}
