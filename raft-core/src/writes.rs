//! What has been given to the disk and what the disk has confirmed. Here stands the rule that nothing is said before it
//! is durable: a message either leaves now or is put into the [`Persist`] that it waits for.

use crate::bugs::{Planted, bug};
use crate::io::Persist;
use crate::log::Log;
use crate::message::Message;
use crate::types::{HardState, Index, Mark, Snapshot, WriteId};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The state of a node's writes. Invariant: `durable <= written <= log.last_index()`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writes {
    last_id: WriteId,
    in_flight: VecDeque<InFlight>,
    /// Entries up to here are durable.
    durable: Index,
    /// Entries up to here have been given to the disk.
    written: Index,
    /// The next write removes the entries from here on, which the disk may have.
    truncate: Option<Index>,
    /// The next write holds this snapshot.
    snapshot: Option<Arc<Snapshot>>,
    /// The next write says that the log begins after this.
    start: Option<Mark>,
    /// Term or vote changed since the last write.
    hard_state_changed: bool,
    /// Writes in flight that hold a term or a vote.
    hard_states_in_flight: usize,
    /// Messages that wait for the next write.
    then: Vec<Message>,
    pub(crate) planted: Planted,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    id: WriteId,
    /// The log is durable up to here once this write is; lowered by a later truncation.
    last_index: Index,
    hard_state: bool,
}

impl Writes {
    /// The state after a start: the disk has the log up to `last_index`.
    pub(crate) fn restore(last_index: Index) -> Self {
        Self {
            durable: last_index,
            written: last_index,
            ..Self::default()
        }
    }

    #[cfg(feature = "bugs")]
    pub(crate) fn planted(&self) -> Planted {
        self.planted
    }

    /// Entries up to here are durable.
    pub(crate) fn durable(&self) -> Index {
        self.durable
    }

    /// Whether the current term and vote are durable.
    pub(crate) fn hard_state_durable(&self) -> bool {
        !self.hard_state_changed && self.hard_states_in_flight == 0
    }

    /// Term or vote changed: the next write holds them.
    pub(crate) fn hard_state_changed(&mut self) {
        self.hard_state_changed = true;
    }

    /// There is a new snapshot: the next write holds it.
    pub(crate) fn snapshot_taken(&mut self, snapshot: Arc<Snapshot>) {
        self.snapshot = Some(snapshot);
    }

    /// The log in memory begins after `start` now.
    pub(crate) fn compacted(&mut self, start: Mark) {
        self.start = Some(start);
        // A snapshot stands for entries that were never written.
        self.written = self.written.max(start.index);
    }

    /// The name of the next write.
    pub(crate) fn next_id(&self) -> WriteId {
        WriteId(self.last_id.0 + 1)
    }

    /// The entries from `from` on were removed from the log in memory.
    pub(crate) fn truncated(&mut self, from: Index) {
        let kept = from - 1;
        if self.written > kept {
            self.truncate = Some(self.truncate.map_or(from, |earlier| earlier.min(from)));
        }
        self.written = self.written.min(kept);
        self.durable = self.durable.min(kept);
        if bug!(self, AsyncAppendAba) {
            return;
        }
        for write in &mut self.in_flight {
            write.last_index = write.last_index.min(kept);
        }
    }

    /// Holds `message` back until all that is now in memory is durable.
    pub(crate) fn wait(&mut self, message: Message) {
        self.then.push(message);
    }

    /// The next write, if there is anything to write or to wait for.
    pub(crate) fn next(&mut self, log: &Log, hard_state: HardState) -> Option<Persist> {
        let last_index = log.last_index();
        let log_idle = self.written == last_index && self.truncate.is_none() && self.start.is_none();
        if log_idle && !self.hard_state_changed && self.snapshot.is_none() && self.then.is_empty() {
            return None;
        }
        self.last_id = self.next_id();
        let hard_state = core::mem::take(&mut self.hard_state_changed).then_some(hard_state);
        self.hard_states_in_flight += usize::from(hard_state.is_some());
        let compacted_first = self.start.is_some() && bug!(self, CompactBeforeSnapshotDurable);
        let snapshot = self.snapshot.take_if(|_| !compacted_first);
        let persist = Persist {
            id: self.last_id,
            hard_state,
            snapshot,
            truncate: self.truncate.take(),
            start: self.start.take(),
            entries: log.from(self.written + 1).cloned().collect(),
            then: core::mem::take(&mut self.then),
        };
        self.written = last_index;
        self.in_flight.push_back(InFlight {
            id: persist.id,
            last_index,
            hard_state: hard_state.is_some(),
        });
        Some(persist)
    }

    /// This write and all before it are durable. A completion that is unknown or repeated changes nothing.
    pub(crate) fn completed(&mut self, id: WriteId) {
        while let Some(write) = self.in_flight.pop_front_if(|write| write.id <= id) {
            self.durable = self.durable.max(write.last_index);
            self.hard_states_in_flight -= usize::from(write.hard_state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Content;
    use alloc::vec;

    #[test]
    fn a_completion_does_not_confirm_entries_that_a_later_write_replaced() {
        let mut log = Log::default();
        let mut writes = Writes::default();
        log.append(1, Content::Noop);
        log.append(1, Content::Noop);
        let first = writes.next(&log, HardState::default()).expect("two entries to write");
        let replaced = crate::types::Entry {
            index: 2,
            term: 2,
            content: Content::Noop,
        };
        let merged = log.merge(1, vec![replaced]);
        writes.truncated(merged.truncated.expect("the second entry conflicts"));
        let second = writes.next(&log, HardState::default()).expect("one entry to replace");
        assert_eq!((second.truncate, second.entries.len()), (Some(2), 1));
        writes.completed(first.id);
        assert_eq!(
            writes.durable(),
            1,
            "index 2 of the first write is not the entry that stands there now"
        );
        writes.completed(second.id);
        assert_eq!(writes.durable(), 2);
    }

    #[test]
    fn term_and_vote_are_durable_when_every_write_that_holds_them_is() {
        let log = Log::default();
        let mut writes = Writes::default();
        let write = |writes: &mut Writes| {
            writes.hard_state_changed();
            writes
                .next(&log, HardState::default())
                .expect("a hard state to write")
                .id
        };
        let (first, second) = (write(&mut writes), write(&mut writes));
        writes.completed(first);
        assert!(!writes.hard_state_durable(), "the second may hold another vote");
        writes.completed(second);
        assert!(writes.hard_state_durable());
        writes.hard_state_changed();
        assert!(!writes.hard_state_durable(), "not even given to the disk");
    }

    #[test]
    fn of_two_truncations_before_a_write_the_deeper_counts() {
        let mut log = Log::default();
        for _ in 1..=5 {
            log.append(1, Content::Noop);
        }
        let mut writes = Writes::default();
        writes.next(&log, HardState::default()).expect("five entries to write");
        for (term, index) in [(2, 4), (3, 2)] {
            let replaced = crate::types::Entry {
                index,
                term,
                content: Content::Noop,
            };
            let merged = log.merge(index - 1, vec![replaced]);
            writes.truncated(merged.truncated.expect("it conflicts"));
        }
        let write = writes.next(&log, HardState::default()).expect("the new tail");
        assert_eq!((write.truncate, write.entries.len()), (Some(2), 1));
    }

    #[test]
    fn entries_that_the_disk_never_got_need_no_truncation() {
        let mut log = Log::default();
        let mut writes = Writes::default();
        log.append(1, Content::Noop);
        writes.truncated(1);
        assert_eq!(writes.truncate, None);
    }
}
