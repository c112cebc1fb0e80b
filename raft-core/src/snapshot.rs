//! Log compaction and snapshots (paper, section 7): taking one, sending it in chunks that can be resumed, installing it.

use crate::bugs::bug;
use crate::configuration::Configuration;
use crate::io::Output;
use crate::message::{Body, Stamp};
use crate::progress::Pace;
use crate::raft::Raft;
use crate::types::{Index, Mark, NodeId, Payload, Snapshot, WriteId};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A snapshot that is being received, as far as it has come.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    last: Mark,
    configuration: Configuration,
    total: u64,
    bytes: Vec<u8>,
}

impl Incoming {
    /// A snapshot of which nothing has come yet.
    pub(crate) fn expected(last: Mark, configuration: Configuration, total: u64) -> Self {
        Self {
            last,
            configuration,
            total,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The last entry that it stands for.
    pub(crate) fn last(&self) -> Index {
        self.last.index
    }

    /// Takes in a chunk, if it goes on where the last one ended.
    fn add(&mut self, offset: u64, chunk: &[u8]) {
        if offset == self.received() && self.received() + chunk.len() as u64 <= self.total {
            self.bytes.extend_from_slice(chunk);
        }
    }
}

/// Taking.
impl Raft {
    /// Asks the driver for a snapshot once enough entries are applied since the last.
    pub(crate) fn ask_for_snapshot(&mut self) {
        let since = self.applied - self.snapshot_index();
        if self
            .config
            .snapshot_threshold
            .is_some_and(|threshold| since >= threshold)
            && !self.snapshot_asked
        {
            self.snapshot_asked = true;
            self.outbox.push_back(Output::TakeSnapshot { index: self.applied });
        }
    }

    pub(crate) fn snapshot_index(&self) -> Index {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index)
    }

    /// The driver has made a snapshot. It must be durable before what it stands for is forgotten.
    pub(crate) fn snapshot_taken(&mut self, index: Index, data: Payload) {
        assert!(
            index <= self.applied,
            "a snapshot at {index} of what is applied up to {}",
            self.applied
        );
        let index = match bug!(self, SnapshotIndexAhead) {
            true => self.commit,
            false => index,
        };
        self.snapshot_asked = false;
        if index <= self.snapshot_index() {
            return; // a leader's snapshot has come meanwhile
        }
        let configuration = match bug!(self, SnapshotDropsConfig) {
            true => Configuration::of(self.configurations.as_of(index).voters.clone()),
            false => self.configurations.as_of(index).clone(),
        };
        let last = self.log.mark(index);
        self.adopt_snapshot(Arc::new(Snapshot {
            last,
            configuration,
            data,
        }));
    }

    fn adopt_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.writes.snapshot_taken(Arc::clone(&snapshot));
        self.compact_after = Some(self.writes.next_id());
        self.snapshot = Some(snapshot);
        if bug!(self, CompactBeforeSnapshotDurable) {
            self.compact_if_due(self.writes.next_id());
        }
    }

    /// The write `id` is durable; if it held the snapshot, the log before it goes, but for a tail that followers a little
    /// behind may still want.
    pub(crate) fn compact_if_due(&mut self, id: WriteId) {
        if self.compact_after.is_none_or(|due| id < due) {
            return;
        }
        self.compact_after = None;
        let start = self.snapshot_index().saturating_sub(self.config.snapshot_tail);
        if start > self.log.start().index {
            self.log.compact(start);
            self.writes.compacted(self.log.start());
        }
    }
}

/// Sending.
impl Raft {
    /// Sends the next chunks to a follower that needs entries which are compacted.
    pub(crate) fn send_snapshot_if_needed(&mut self, at: usize) {
        let start = self.log.start().index;
        let needed = match bug!(self, SnapshotBoundaryOffByOne) {
            true => self.peers[at].next_index < start,
            false => self.peers[at].next_index <= start,
        };
        if !needed {
            // Late acknowledgements may have brought it back to where the log begins.
            return self.peers[at].leave_snapshot();
        }
        // One that is under way is finished even if there is a newer one, or a slow follower would never have any.
        let begun = self.peers[at].snapshot().cloned();
        let Some(snapshot) = begun.or_else(|| self.snapshot.clone()) else {
            return;
        };
        self.peers[at].start_snapshot(&snapshot);
        let (total, size) = (snapshot.data.len() as u64, self.config.snapshot_chunk_bytes as u64);
        let window = size * self.config.snapshot_chunks_inflight as u64;
        while let Pace::Snapshot { received, sent, .. } = self.peers[at].pace {
            // An empty snapshot is one empty chunk.
            let begun = sent > 0 || received > 0;
            if (sent >= total && (total > 0 || begun)) || sent - received >= window {
                break;
            }
            let end = (sent + size).min(total);
            let chunk = snapshot.data[sent as usize..end as usize].into();
            self.send_chunk(at, &snapshot, sent, total, chunk);
            // One past the end says that the empty chunk is under way.
            let sent = if total == 0 { 1 } else { end };
            self.peers[at].pace = Pace::Snapshot {
                last: snapshot.last,
                received,
                sent,
            };
        }
    }

    fn send_chunk(&mut self, at: usize, snapshot: &Snapshot, offset: u64, total: u64, chunk: Payload) {
        let (last, configuration) = (snapshot.last, Box::new(snapshot.configuration.clone()));
        let stamp = self.stamp(at);
        self.send_to_peer(
            at,
            Body::InstallSnapshot {
                last,
                configuration,
                offset,
                total,
                chunk,
                stamp,
            },
        );
    }

    pub(crate) fn on_snapshot_progress(&mut self, from: NodeId, last: Mark, received: u64, stamp: Stamp) {
        let Some(at) = self.answering_peer(from, stamp) else {
            return;
        };
        self.peers[at].snapshot_received(last, received);
        self.round_answered(from, stamp.round);
    }
}

/// Installing.
impl Raft {
    pub(crate) fn on_install_snapshot(
        &mut self,
        from: NodeId,
        expected: Incoming,
        offset: u64,
        chunk: &[u8],
        stamp: Stamp,
    ) {
        if expected.last.index <= self.commit && !bug!(self, AcceptStaleSnapshot) {
            // Nothing new: all up to the commit index is the leader's (section 5.4).
            self.incoming = None;
            return self.acknowledge(from, self.commit, stamp);
        }
        let mut incoming = match self.incoming.take() {
            Some(incoming) if incoming.last == expected.last && incoming.total == expected.total => incoming,
            _ => expected,
        };
        incoming.add(offset, chunk);
        if incoming.received() == incoming.total {
            let index = incoming.last.index;
            self.install(incoming);
            self.acknowledge(from, index, stamp);
        } else {
            let (last, received) = (incoming.last, incoming.received());
            self.incoming = Some(incoming);
            self.reply_after_hard_state(from, Body::SnapshotProgress { last, received, stamp });
        }
    }

    /// Section 7: entries that follow on the snapshot's last are kept if the log has that one; otherwise the snapshot
    /// stands for the whole log.
    fn install(&mut self, incoming: Incoming) {
        let Incoming {
            last,
            configuration,
            bytes,
            ..
        } = incoming;
        let has_last = self.log.term(last.index) == Some(last.term) && !bug!(self, SnapshotDropsMatchingSuffix);
        if !has_last {
            self.truncated(self.log.start().index.max(self.commit) + 1);
            self.writes.truncated(self.log.start().index + 1);
            self.log.reset(last);
            self.writes.compacted(last);
        }
        self.configurations.restored(last.index, configuration.clone());
        self.jump_to(last.index);
        self.confirm(last.index);
        if bug!(self, SnapshotSetsTerm) {
            self.hard_state.term = last.term;
            self.writes.hard_state_changed();
        }
        let snapshot = Arc::new(Snapshot {
            last,
            configuration,
            data: bytes.into(),
        });
        self.outbox.push_back(Output::Restore(Arc::clone(&snapshot)));
        self.adopt_snapshot(snapshot);
    }
}
