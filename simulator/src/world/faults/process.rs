//! Faults of processes: crashes, restarts, pauses, and their ends.

use super::describe;
use crate::client::ClientOf;
use crate::digest::Entry;
use crate::event::{Event, Job};
use crate::exposure::FaultClass;
use crate::fault::FaultAction;
use crate::id::NodeId;
use crate::network::DropReason;
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::time::Duration;
use crate::world::World;
use serde_json::Value;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    pub(in crate::world) fn take_revival(&mut self, node: NodeId, incarnation: u32) -> Option<Step> {
        let state = &self.kernel.nodes[node.index()];
        (state.incarnation == incarnation && !state.up && !state.retired).then(|| self.restart(node))
    }

    pub(in crate::world) fn take_wakeup(&mut self, node: NodeId, pauses: u32) -> Option<Step> {
        let state = &self.kernel.nodes[node.index()];
        (state.pauses == pauses && state.paused).then(|| {
            self.fold(Entry::Resume, Some(node));
            self.resume(node)
        })
    }

    pub(super) fn crash(&mut self, node: NodeId, restart_after: Option<Duration>, action: &FaultAction) -> Step {
        self.kernel.exposure.add(FaultClass::Crash);
        self.stop(node, "crash", restart_after, || describe(action))
    }

    /// Ends a process and cuts its disk's power.
    pub(in crate::world) fn stop(
        &mut self,
        node: NodeId,
        kind: &'static str,
        restart_after: Option<Duration>,
        fields: impl FnOnce() -> Value,
    ) -> Step {
        let step = self.record(Some(node), kind, StepKind::Crashed, fields);
        self.hosts[node.index()].process = None;
        let state = &mut self.kernel.nodes[node.index()];
        state.up = false;
        state.paused = false;
        state.incarnation = state.incarnation.wrapping_add(1);
        state.timer.clear();
        state.forget_work();
        state.crash_seq = Some(step.seq);
        let (incarnation, waiting) = (state.incarnation, std::mem::take(&mut state.waiting));
        for job in waiting {
            if let Job::Parcel(transit) = job {
                self.kernel
                    .drop_parcel(&transit.parcel, transit.cause, DropReason::Crash);
            }
        }
        self.kernel.cut_power(node, step.seq);
        if let Some(after) = restart_after {
            self.kernel
                .schedule(self.kernel.now + after, Event::Revival { node, incarnation });
        }
        step
    }

    pub(super) fn restart(&mut self, node: NodeId) -> Step {
        self.kernel.exposure.add(FaultClass::Restart);
        let cause = self.kernel.nodes[node.index()].crash_seq;
        let seq = self.boot(node, "restart", cause);
        self.go_on_with_loop(node);
        self.step_at(seq, Some(node), StepKind::Restarted)
    }

    pub(super) fn pause(&mut self, node: NodeId, resume_after: Option<Duration>, action: &FaultAction) -> Step {
        let state = &mut self.kernel.nodes[node.index()];
        state.paused = true;
        state.pauses = state.pauses.wrapping_add(1);
        let pauses = state.pauses;
        if let Some(after) = resume_after {
            self.kernel
                .schedule(self.kernel.now + after, Event::Wakeup { node, pauses });
        }
        self.record(Some(node), "pause", StepKind::Paused, || describe(action))
    }

    pub(super) fn resume(&mut self, node: NodeId) -> Step {
        let state = &mut self.kernel.nodes[node.index()];
        state.paused = false;
        if !state.waiting.is_empty() {
            self.kernel.schedule(self.kernel.now, Event::Drain { node });
        }
        self.record(Some(node), "resume", StepKind::Resumed, || Value::Null)
    }
}
