//! Faults of clocks.

use super::describe;
use crate::exposure::FaultClass;
use crate::fault::FaultAction;
use crate::id::NodeId;
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::world::World;

impl<P: Process> World<P> {
    pub(super) fn step_clock(&mut self, node: NodeId, by: i64, action: &FaultAction) -> Step {
        let before = self.local_now(node);
        self.kernel.change_clock(node, |clock, now| clock.step(now, by));
        if self.local_now(node) != before {
            self.kernel.exposure.add(FaultClass::ClockStep);
        }
        self.record(Some(node), "clock", StepKind::ClockChanged, || describe(action))
    }
}
