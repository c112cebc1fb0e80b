//! Faults in the life of a process beyond a single crash: at a disk operation, again and again, with its disk taken away, into
//! another version.

use super::describe;
use crate::client::ClientOf;
use crate::digest::Entry;
use crate::event::Event;
use crate::exposure::FaultClass;
use crate::fault::FaultAction;
use crate::id::NodeId;
use crate::kernel::{Blown, CrashLoop, Fuse};
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::time::Duration;
use crate::world::World;
use serde_json::json;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    pub(super) fn crash_at_disk(
        &mut self,
        node: NodeId,
        (skip, part): (u32, u32),
        restart_after: Option<Duration>,
        action: &FaultAction,
    ) -> Step {
        let fuse = Fuse {
            skip,
            part,
            restart_after,
        };
        self.kernel.put_fuse(node, fuse);
        self.record(Some(node), "disk", StepKind::DiskStruck, || describe(action))
    }

    /// The power of a node has failed at a disk operation: its process is killed before anything else happens.
    #[cold]
    pub(in crate::world) fn cut_power(&mut self, Blown { node, restart_after }: Blown) -> Step {
        self.kernel.exposure.add(FaultClass::Crash);
        self.fold(Entry::PowerCut, Some(node));
        let fields = || json!({ "action": "crash-at-disk", "restart_after": restart_after });
        let step = self.stop(node, "crash", restart_after, fields);
        self.kernel.current = 0;
        step
    }

    pub(super) fn crash_loop(
        &mut self,
        node: NodeId,
        times: u32,
        (up, down): (Duration, Duration),
        action: &FaultAction,
    ) -> Step {
        let left = times.saturating_sub(1);
        self.kernel.nodes[node.index()].crash_loop = (left > 0).then_some(CrashLoop { left, up, down });
        self.crash(node, Some(down), action)
    }

    /// After a start: the next crash of a loop is planned.
    pub(super) fn go_on_with_loop(&mut self, node: NodeId) {
        let state = &self.kernel.nodes[node.index()];
        let incarnation = state.incarnation;
        if let Some(crash_loop) = state.crash_loop {
            self.kernel
                .schedule(self.kernel.now + crash_loop.up, Event::LoopCrash { node, incarnation });
        }
    }

    pub(in crate::world) fn take_loop_crash(&mut self, node: NodeId, incarnation: u32) -> Option<Step> {
        let state = &mut self.kernel.nodes[node.index()];
        if state.incarnation != incarnation || !state.up {
            return None;
        }
        let crash_loop = state.crash_loop.take()?;
        let left = crash_loop.left - 1;
        self.kernel.nodes[node.index()].crash_loop = (left > 0).then_some(CrashLoop { left, ..crash_loop });
        self.fold(Entry::LoopCrash, Some(node));
        self.kernel.exposure.add(FaultClass::CrashLoop);
        self.kernel.exposure.add(FaultClass::Crash);
        let fields = || json!({ "action": "crash-loop", "left": left });
        Some(self.stop(node, "crash", Some(crash_loop.down), fields))
    }

    pub(super) fn wipe(&mut self, node: NodeId, restart_after: Option<Duration>, action: &FaultAction) -> Step {
        let step = if self.is_up(node) {
            self.stop(node, "crash", restart_after, || describe(action))
        } else {
            if let Some(after) = restart_after {
                let incarnation = self.kernel.nodes[node.index()].incarnation;
                self.kernel
                    .schedule(self.kernel.now + after, Event::Revival { node, incarnation });
            }
            self.record(Some(node), "disk", StepKind::DiskStruck, || describe(action))
        };
        let state = &mut self.kernel.nodes[node.index()];
        state.wiped = true;
        state.retired = restart_after.is_none();
        if state.disk.erase() {
            self.kernel.exposure.add(FaultClass::Wipe);
        }
        self.kernel.note_damage(node, "wiped", 0);
        step
    }

    pub(super) fn upgrade(
        &mut self,
        node: NodeId,
        version: u32,
        restart_after: Duration,
        action: &FaultAction,
    ) -> Step {
        self.kernel.nodes[node.index()].version = version;
        if self.is_up(node) {
            self.stop(node, "crash", Some(restart_after), || describe(action))
        } else {
            self.record(Some(node), "settings", StepKind::Reconfigured, || describe(action))
        }
    }
}
