//! Strikes on clocks, and the drift that every clock has from the start.

use super::{Planner, aim};
use crate::scenario::{FaultKind, OffsetRange, Thaw};
use simulator::{FaultAction, NodeId, Target as Aim, Time};

impl Planner<'_> {
    /// Every clock has a drift of its own from the start.
    pub(super) fn start_clocks(&mut self, max_ppm: u32) {
        self.rates = (0..self.draw.all_nodes()).map(|_| self.drift(max_ppm)).collect();
        self.reset_rates(Time(0));
    }

    pub(super) fn reset_rates(&mut self, at: Time) {
        for (node, ppm) in self.rates.clone().into_iter().enumerate().filter(|(_, ppm)| *ppm != 0) {
            self.add_end(
                at,
                FaultAction::ClockDrift {
                    target: Aim::Node(NodeId(node as u16)),
                    ppm,
                },
            );
        }
    }

    pub(super) fn drift(&mut self, max_ppm: u32) -> i32 {
        let max = i64::from(max_ppm);
        i32::try_from(self.offset(-max, max)).expect("a drift is at most 10%")
    }

    /// Plans one strike.
    pub(super) fn clock(&mut self, at: Time, kind: &FaultKind) {
        match *kind {
            FaultKind::ClockStep {
                target,
                by: OffsetRange { min_ns, max_ns },
            } => {
                let by = self.offset(min_ns, max_ns);
                self.add(
                    at,
                    FaultAction::ClockStep {
                        target: aim(target),
                        by,
                    },
                );
            }
            FaultKind::ClockDrift {
                target,
                drift_max_ppm,
                lasts,
            } => {
                let ppm = self.drift(drift_max_ppm);
                self.add(
                    at,
                    FaultAction::ClockDrift {
                        target: aim(target),
                        ppm,
                    },
                );
                let until = at + self.span(lasts);
                self.take_drift_back(until);
            }
            FaultKind::ClockFreeze { target, lasts, then } => {
                let leaps = self.stream.below(2) == 0;
                let freeze = FaultAction::ClockFreeze {
                    target: aim(target),
                    lasts: Some(self.span(lasts)),
                    leap: then == Thaw::Leap || then == Thaw::Any && leaps,
                };
                self.add(at, freeze);
            }
            _ => unreachable!("nemesis: {} is no fault of clocks", kind.name()),
        }
    }

    /// Who was struck is known only then, so every clock gets its own rate back.
    pub(super) fn take_drift_back(&mut self, at: Time) {
        for (node, ppm) in self.rates.clone().into_iter().enumerate() {
            self.add_end(
                at,
                FaultAction::ClockDrift {
                    target: Aim::Node(NodeId(node as u16)),
                    ppm,
                },
            );
        }
    }
}
