//! What is written: volatile writes, syncs, and what a crash leaves of them.

use super::Kernel;
use crate::digest::Entry;
use crate::disk::{DiskFull, SyncToken};
use crate::event::{Event, NOBODY};
use crate::exposure::FaultClass;
use crate::id::NodeId;
use crate::process::Payload;
use crate::step::Halt;
use serde_json::json;

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    #[inline]
    pub fn write(&mut self, node: NodeId, offset: u64, bytes: &[u8]) {
        let len = bytes.len();
        let seq = self.note(Some(node.into()), "write", || json!({ "offset": offset, "len": len }));
        let mut stamp = self
            .digester
            .entry(Entry::Write, self.now.0, self.ticket, node.0, NOBODY);
        stamp.u64(offset);
        stamp.bytes(bytes);
        let max_bytes = self.disk_config.max_bytes;
        if let Err(DiskFull) = self.nodes[node.index()].disk.write(offset, bytes, seq, max_bytes) {
            let halt = Halt::DiskFull {
                node,
                at: self.now,
                end: offset.saturating_add(len as u64),
                max_bytes,
            };
            self.halt.get_or_insert(halt);
        }
    }

    #[inline]
    pub fn sync(&mut self, node: NodeId, token: SyncToken) {
        let seq = self.note(Some(node.into()), "sync-start", || json!({ "token": token }));
        let (latency, slow) = self.disk_config.sync.draw(&mut self.disk_stream);
        if slow {
            self.exposure.add(FaultClass::SlowSync);
        }
        let state = &mut self.nodes[node.index()];
        let at = state.disk.sync(token, seq, self.now, latency);
        let incarnation = state.incarnation;
        self.schedule(at, Event::SyncDone { node, incarnation });
    }

    /// Lets a crash decide what is left of a node's volatile writes. `crash` is the trace number of the crash.
    pub fn cut_power(&mut self, node: NodeId, crash: u64) {
        use crate::disk::Fate;
        let mut disk = std::mem::take(&mut self.nodes[node.index()].disk);
        let (config, mut stream) = (self.disk_config, self.disk_stream.clone());
        disk.crash(&config, &mut stream, |outcome| {
            let (kind, class, survived) = match outcome.fate {
                Fate::Kept => ("kept", FaultClass::KeptWrite, outcome.len),
                Fate::Lost => ("lost", FaultClass::LostWrite, 0),
                Fate::Torn(survived) => ("torn", FaultClass::TornWrite, survived),
            };
            self.exposure.add(class);
            let mut stamp = self
                .digester
                .entry(Entry::Surviving, self.now.0, self.ticket, node.0, NOBODY);
            stamp.u64(outcome.offset);
            stamp.u64(outcome.len);
            stamp.u64(survived);
            let seq = self.next_seq();
            self.trace.record(
                seq,
                self.now,
                Some(node.into()),
                kind,
                Some(crash),
                || json!({ "offset": outcome.offset, "len": outcome.len, "survived": survived, "write": outcome.seq }),
            );
        });
        self.disk_stream = stream;
        self.nodes[node.index()].disk = disk;
    }
}
