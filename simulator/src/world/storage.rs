//! Syncs that end, and processes that stop because of one.

use super::World;
use crate::client::ClientOf;
use crate::digest::Entry;
use crate::disk::{DiskError, SyncToken};
use crate::event::{Event, Job, NOBODY};
use crate::exposure::FaultClass;
use crate::id::NodeId;
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::time::Duration;
use serde_json::json;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    /// A sync is due. The disk does not wait for a paused process, but a disk that stands still makes the sync wait.
    pub(super) fn take_sync_done(&mut self, node: NodeId) -> Option<Step> {
        let troubles = &mut self.kernel.nodes[node.index()].disk.troubles;
        if troubles.stalled {
            troubles.held += 1;
            self.kernel.exposure.add(FaultClass::DiskStall);
            return None;
        }
        let done = self.kernel.end_sync(node)?;
        let job = Job::Synced {
            token: done.token,
            error: done.error,
            cause: done.seq,
        };
        self.admit(node, job)
    }

    /// A disk goes on: the syncs that were held up are due now, in order.
    pub(super) fn take_disk_freed(&mut self, node: NodeId, stalls: u32) -> Option<Step> {
        let troubles = &mut self.kernel.nodes[node.index()].disk.troubles;
        if troubles.stalls == stalls {
            troubles.stalled = false;
            let held = std::mem::take(&mut troubles.held);
            self.release(node, held);
        }
        None
    }

    pub(super) fn release(&mut self, node: NodeId, held: u32) {
        let incarnation = self.kernel.nodes[node.index()].incarnation;
        for _ in 0..held {
            self.kernel
                .schedule(self.kernel.now, Event::SyncDone { node, incarnation });
        }
    }

    pub(super) fn handle_synced(
        &mut self,
        node: NodeId,
        token: SyncToken,
        error: Option<DiskError>,
        cause: u64,
    ) -> Step {
        let kernel = &mut self.kernel;
        let entry = error.map_or(Entry::Sync, |_| Entry::SyncFailed);
        let mut stamp = kernel
            .digester
            .entry(entry, kernel.now.0, kernel.ticket, node.0, NOBODY);
        stamp.u64(token.0);
        if let Some(error) = error {
            stamp.u8(error as u8);
        }
        let state = &mut kernel.nodes[node.index()];
        if state.waiting.is_empty() {
            state.disk.told();
        }
        let Some(error) = error else {
            let seq = self.begin(Some(node.into()), "sync", Some(cause), || json!({ "token": token }));
            self.with_process(node, |process, ctx| process.on_sync(token, ctx));
            return self.step_at(seq, Some(node), StepKind::Synced { token });
        };
        let fields = || json!({ "token": token, "error": error });
        let seq = self.begin(Some(node.into()), "sync-failed", Some(cause), fields);
        self.with_process(node, |process, ctx| process.on_sync_failed(token, error, ctx));
        self.step_at(seq, Some(node), StepKind::SyncFailed { token, error })
    }

    /// A process stops of its own accord.
    pub(super) fn take_exit(&mut self, node: NodeId, incarnation: u32, restart_after: Duration) -> Option<Step> {
        let state = &self.kernel.nodes[node.index()];
        (state.incarnation == incarnation && state.up).then(|| {
            self.fold(Entry::Exit, Some(node));
            self.stop(
                node,
                "exit",
                Some(restart_after),
                || json!({ "restart_after": restart_after }),
            )
        })
    }
}
