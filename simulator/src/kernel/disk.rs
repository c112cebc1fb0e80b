//! What is written: volatile writes, how their syncs end, and what a crash leaves of them.

use super::Kernel;
use crate::decision::Topic;
use crate::digest::Entry;
use crate::disk::{Completion, DiskError, DiskFull, Ending, Fate, Outcome, SyncToken};
use crate::event::{Event, NOBODY};
use crate::exposure::FaultClass;
use crate::id::NodeId;
use crate::process::Payload;
use crate::step::Halt;
use crate::time::Duration;
use serde_json::json;

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    #[inline]
    pub fn write(&mut self, node: NodeId, offset: u64, bytes: &[u8]) {
        let Some(bytes) = self.made(node, bytes) else { return };
        let len = bytes.len();
        let seq = self.note(Some(node.into()), "write", || json!({ "offset": offset, "len": len }));
        let mut stamp = self
            .digester
            .entry(Entry::Write, self.now.0, self.ticket, node.0, NOBODY);
        stamp.u64(offset);
        stamp.bytes(bytes);
        let (now, max_bytes) = (self.now, self.disk_config.max_bytes);
        let disk = &mut self.nodes[node.index()].disk;
        if let Err(DiskFull) = disk.write(offset, bytes, seq, now, max_bytes) {
            let halt = Halt::DiskFull {
                node,
                at: self.now,
                end: offset.saturating_add(len as u64),
                max_bytes,
            };
            self.halt.get_or_insert(halt);
        }
    }

    /// Gives up what lies before `end`.
    pub fn discard(&mut self, node: NodeId, end: u64) {
        if self.is_cut(node) {
            return;
        }
        let seq = self.note(Some(node.into()), "discard", || json!({ "before": end }));
        let mut stamp = self
            .digester
            .entry(Entry::Discard, self.now.0, self.ticket, node.0, NOBODY);
        stamp.u64(end);
        self.nodes[node.index()].disk.discard(end, seq);
    }

    /// Whether the power fails at what the node does with its disk now, or has failed before.
    fn is_cut(&mut self, node: NodeId) -> bool {
        self.blown.is_some() || self.fuses > 0 && self.burn(node).is_some_and(|fuse| fuse.part == 0)
    }

    /// How much of a write is made: all of it, unless the power fails at it or has failed before.
    #[inline]
    fn made<'b>(&mut self, node: NodeId, bytes: &'b [u8]) -> Option<&'b [u8]> {
        if self.blown.is_some() {
            return None;
        }
        if self.fuses == 0 {
            return Some(bytes);
        }
        let Some(fuse) = self.burn(node) else {
            return Some(bytes);
        };
        let kept = fuse.of(bytes.len());
        if kept > 0 && kept < bytes.len() {
            self.exposure.add(FaultClass::CutWrite);
        }
        (kept > 0).then_some(&bytes[..kept])
    }

    #[inline]
    pub fn sync(&mut self, node: NodeId, token: SyncToken) {
        if self.is_cut(node) {
            return;
        }
        let seq = self.note(Some(node.into()), "sync-start", || json!({ "token": token }));
        self.disk_stream.about(Topic::Sync, node);
        let (latency, slow) = self.disk_config.sync.draw(&mut self.disk_stream);
        if slow {
            self.exposure.add(FaultClass::SlowSync);
        }
        let state = &mut self.nodes[node.index()];
        let at = state.disk.sync(token, seq, self.now, latency);
        let incarnation = state.incarnation;
        self.schedule(at, Event::SyncDone { node, incarnation });
    }

    /// Lets a process stop when the event at hand is over.
    pub fn exit(&mut self, node: NodeId, restart_after: Duration) {
        let incarnation = self.nodes[node.index()].incarnation;
        let exit = Event::Exit {
            node,
            incarnation,
            restart_after,
        };
        self.schedule(self.now, exit);
    }

    /// Completes the oldest sync under way on a node, fails it, or lets it lie; nothing to tell if the power fails at that.
    pub fn end_sync(&mut self, node: NodeId) -> Option<Completion> {
        let fuse = if self.fuses > 0 { self.burn(node) } else { None };
        if fuse.is_some_and(|fuse| fuse.part == 0) {
            return None;
        }
        let done = self.conclude_sync(node);
        fuse.is_none().then_some(done)
    }

    fn conclude_sync(&mut self, node: NodeId) -> Completion {
        let mut disk = std::mem::take(&mut self.nodes[node.index()].disk);
        let (config, mut stream) = (self.disk_config, self.disk_stream.lend());
        stream.about(Topic::SyncError, node);
        let done = match disk.ending(&config, &mut stream, self.now) {
            Ending::Durable => {
                stream.topic(Topic::Damage);
                let (done, landed) = disk.complete(&config, &mut stream, self.now);
                if let Some(place) = landed {
                    self.exposure.add(FaultClass::MisdirectedWrite);
                    self.note_damage(node, "misdirected", place);
                }
                done
            }
            Ending::Lie => {
                let (done, promised) = disk.lie();
                self.note_lie(node, done.seq, promised);
                done
            }
            Ending::Fail(error) => {
                self.exposure.add(match error {
                    DiskError::Io => FaultClass::SyncError,
                    DiskError::NoSpace => FaultClass::DiskFull,
                });
                let (cause, sync) = (self.next_seq(), disk.due());
                self.trace.record(
                    cause,
                    self.now,
                    Some(node.into()),
                    "sync-fails",
                    Some(sync.seq),
                    || json!({ "token": sync.token, "error": error }),
                );
                disk.fail(error, &config, &mut stream, |outcome| {
                    self.decided(node, cause, &outcome);
                })
            }
        };
        self.disk_stream = stream;
        self.nodes[node.index()].disk = disk;
        done
    }

    fn note_lie(&mut self, node: NodeId, sync: u64, promised: u64) {
        let seq = self.next_seq();
        self.trace.record(
            seq,
            self.now,
            Some(node.into()),
            "sync-lies",
            Some(sync),
            || json!({ "writes": promised }),
        );
    }

    /// Puts damage to what was durable into digest and trace.
    pub fn note_damage(&mut self, node: NodeId, kind: &'static str, place: u64) {
        let mut stamp = self
            .digester
            .entry(Entry::Damage, self.now.0, self.ticket, node.0, NOBODY);
        stamp.str(kind);
        stamp.u64(place);
        self.note(Some(node.into()), kind, || json!({ "offset": place }));
    }

    /// Lets a crash decide what is left of a node's volatile writes. `crash` is the trace number of the crash.
    pub fn cut_power(&mut self, node: NodeId, crash: u64) {
        let mut disk = std::mem::take(&mut self.nodes[node.index()].disk);
        let (config, mut stream) = (self.disk_config, self.disk_stream.lend());
        stream.about(Topic::Fate, node);
        disk.crash(&config, &mut stream, |outcome| self.decided(node, crash, &outcome));
        self.disk_stream = stream;
        self.nodes[node.index()].disk = disk;
    }

    /// Counts and records the fate of a volatile write. `cause` is the trace number of the crash or of the failure.
    fn decided(&mut self, node: NodeId, cause: u64, outcome: &Outcome) {
        let (kind, class, survived) = match outcome.fate {
            Fate::Kept => ("kept", FaultClass::KeptWrite, outcome.len),
            Fate::Lost => ("lost", FaultClass::LostWrite, 0),
            Fate::Torn(survived) => ("torn", FaultClass::TornWrite, survived),
        };
        // That the old part of a file is still there, or not, is no fault.
        if !outcome.discards {
            self.exposure.add(class);
            if outcome.overtook {
                self.exposure.add(FaultClass::ReorderedWrite);
            }
            if outcome.promised && outcome.fate != Fate::Kept {
                self.exposure.add(FaultClass::LyingSync);
            }
        }
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
            Some(cause),
            || json!({ "offset": outcome.offset, "len": outcome.len, "survived": survived, "write": outcome.seq }),
        );
    }
}
