//! Faults of clocks.

use super::describe;
use crate::client::ClientOf;
use crate::clock::Clock;
use crate::digest::Entry;
use crate::event::Event;
use crate::exposure::FaultClass;
use crate::fault::FaultAction;
use crate::id::NodeId;
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::time::Duration;
use crate::world::World;
use serde_json::json;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    pub(super) fn step_clock(&mut self, node: NodeId, by: i64, action: &FaultAction) -> Step {
        let before = self.local_now(node);
        self.kernel.change_clock(node, |clock, now| clock.step(now, by));
        if self.local_now(node) != before {
            self.kernel.exposure.add(FaultClass::ClockStep);
        }
        self.record(Some(node), "clock", StepKind::ClockChanged, || describe(action))
    }

    pub(super) fn freeze_clock(
        &mut self,
        node: NodeId,
        lasts: Option<Duration>,
        leap: bool,
        action: &FaultAction,
    ) -> Step {
        if self.kernel.change_clock(node, Clock::freeze) {
            self.kernel.exposure.add(FaultClass::ClockFreeze);
        }
        let state = &mut self.kernel.nodes[node.index()];
        state.freezes = state.freezes.wrapping_add(1);
        let freezes = state.freezes;
        if let Some(lasts) = lasts {
            let thaw = Event::Thaw { node, freezes, leap };
            self.kernel.schedule(self.kernel.now + lasts, thaw);
        }
        self.record(Some(node), "clock", StepKind::ClockChanged, || describe(action))
    }

    /// A clock that stood still goes on, unless the faults have ended meanwhile.
    pub(in crate::world) fn take_thaw(&mut self, node: NodeId, freezes: u32, leap: bool) -> Option<Step> {
        let state = &self.kernel.nodes[node.index()];
        if state.freezes != freezes || !state.clock.is_frozen() {
            return None;
        }
        self.fold(Entry::Thaw, Some(node));
        let before = self.local_now(node);
        self.kernel.change_clock(node, |clock, now| clock.thaw(now, leap));
        if self.local_now(node) != before {
            self.kernel.exposure.add(FaultClass::ClockLeap);
        }
        let fields = || json!({ "action": "clock-thaw", "leap": leap });
        Some(self.record(Some(node), "clock", StepKind::ClockChanged, fields))
    }
}
