//! Strikes on processes: crashes of all kinds, pauses, rolling restarts, loss of power, disks taken away, upgrades.

use super::{Planner, aim};
use crate::scenario::{DurationRange, FaultKind, Identity};
use simulator::{FaultAction, NodeId, Ratio, Target as Aim, Time};

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
            FaultKind::CrashAtDisk {
                target,
                lasts,
                within,
                middle_ppm,
            } => {
                let skip = self.stream.below(within.into()) as u32;
                let is_middle = self.stream.chance(Ratio::from_ppm(middle_ppm));
                // Short of the whole, so that a write is really cut.
                let part = self.stream.range(1, u64::from(Ratio::ONE.ppm()) - 1) as u32;
                let crash = FaultAction::CrashAtDisk {
                    target: aim(target),
                    skip,
                    part: if is_middle { part } else { 0 },
                    restart_after: Some(self.span(lasts)),
                };
                self.add(at, crash);
            }
            FaultKind::CrashLoop {
                target,
                lasts,
                up,
                times,
            } => {
                let (down, up) = (self.span(lasts), self.span(up));
                let target = aim(target);
                self.add(
                    at,
                    FaultAction::CrashLoop {
                        target,
                        times,
                        up,
                        down,
                    },
                );
            }
            FaultKind::Wipe { lasts, identity } => self.wipe(at, lasts, identity),
            FaultKind::Upgrade { lasts, gap, .. } => self.upgrade(at, lasts, gap, end),
            _ => unreachable!("nemesis: {} is no fault of processes", kind.name()),
        }
    }

    /// Takes a disk away that the budget admits.
    fn wipe(&mut self, at: Time, lasts: DurationRange, identity: Identity) {
        let after = self.span(lasts);
        let Some(victim) = self.victim() else { return };
        let wipe = FaultAction::Wipe {
            target: Aim::Node(victim),
            after,
            retires: identity == Identity::New,
        };
        self.add(at, wipe);
    }

    fn upgrade(&mut self, at: Time, lasts: DurationRange, gap: DurationRange, end: Time) {
        self.version += 1;
        let version = self.version;
        let mut at = at;
        for node in (0..self.draw.all_nodes()).map(NodeId) {
            let down = self.span(lasts);
            if at < end {
                let upgrade = FaultAction::Upgrade {
                    target: Aim::Node(node),
                    version,
                    restart_after: down,
                };
                self.add(at, upgrade);
            }
            at += down;
            at += self.span(gap);
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
