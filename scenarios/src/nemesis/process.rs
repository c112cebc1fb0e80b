//! Strikes on processes: crashes, pauses, rolling restarts, loss of power.

use super::{Planner, aim};
use crate::scenario::{DurationRange, FaultKind};
use simulator::{FaultAction, NodeId, Target as Aim, Time};

impl Planner<'_> {
    /// Plans one strike.
    pub(super) fn process(&mut self, at: Time, kind: &FaultKind, end: Time) {
        match *kind {
            FaultKind::Crash { target, lasts, .. } => {
                let restart_after = Some(self.span(lasts));
                self.add(
                    at,
                    FaultAction::Crash {
                        target: aim(target),
                        restart_after,
                    },
                );
            }
            FaultKind::Pause { target, lasts } => {
                let resume_after = Some(self.span(lasts));
                self.add(
                    at,
                    FaultAction::Pause {
                        target: aim(target),
                        resume_after,
                    },
                );
            }
            FaultKind::RollingRestart { lasts, gap } => self.rolling_restart(at, lasts, gap, end),
            FaultKind::PowerLoss { lasts } => {
                for node in 0..self.draw.all_nodes() {
                    let restart_after = Some(self.span(lasts));
                    self.add(
                        at,
                        FaultAction::Crash {
                            target: Aim::Node(NodeId(node)),
                            restart_after,
                        },
                    );
                }
            }
            _ => unreachable!("nemesis: {} is no fault of processes", kind.name()),
        }
    }

    pub(super) fn rolling_restart(&mut self, at: Time, lasts: DurationRange, gap: DurationRange, end: Time) {
        let mut at = at;
        for node in (0..self.draw.all_nodes()).map(NodeId) {
            let down = self.span(lasts);
            if at < end {
                self.add(
                    at,
                    FaultAction::Crash {
                        target: Aim::Node(node),
                        restart_after: Some(down),
                    },
                );
            }
            at += down;
            at += self.span(gap);
        }
    }
}
