//! ReadIndex (thesis, section 6.4): a read is answered once a quorum has confirmed, after the read arrived, that the
//! leader still leads, and the state machine has caught up with what was committed then.

use crate::types::{Index, RequestId};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The reads of one node. One round of confirmation is under way at a time; what arrives meanwhile shares the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// The latest round.
    pub(crate) round: u64,
    /// Arrived, and in no round yet.
    waiting: Vec<RequestId>,
    /// In the round under way.
    confirming: Vec<RequestId>,
    /// The commit index when the round under way began.
    confirming_index: Index,
    /// Confirmed; each waits for the state machine to reach its index. Indexes never decrease.
    confirmed: VecDeque<(Index, RequestId)>,
}

impl Reads {
    pub(crate) fn arrived(&mut self, id: RequestId) {
        self.waiting.push(id);
    }

    /// Whether a new round is due.
    pub(crate) fn round_due(&self) -> bool {
        self.confirming.is_empty() && !self.waiting.is_empty()
    }

    /// Begins a round for all that wait, when the commit index is `commit`.
    pub(crate) fn begin_round(&mut self, commit: Index) {
        debug_assert!(self.round_due(), "one round at a time");
        self.round += 1;
        self.confirming_index = commit;
        core::mem::swap(&mut self.confirming, &mut self.waiting);
    }

    /// A quorum has answered `round` or a later one.
    pub(crate) fn round_answered(&mut self, round: u64) {
        if round >= self.round {
            let index = self.confirming_index;
            self.confirmed.extend(self.confirming.drain(..).map(|id| (index, id)));
        }
    }

    /// This read needs no confirmation any more.
    pub(crate) fn confirm(&mut self, index: Index, id: RequestId) {
        self.confirmed.push_back((index, id));
    }

    /// The next read that the state machine, at `applied`, can answer, with its read index.
    pub(crate) fn next_readable(&mut self, applied: Index) -> Option<(Index, RequestId)> {
        self.confirmed.pop_front_if(|(index, _)| *index <= applied)
    }

    /// The node leads no more: gives up the reads that were not confirmed.
    pub(crate) fn abandon(&mut self) -> impl Iterator<Item = RequestId> + '_ {
        self.confirming.drain(..).chain(self.waiting.drain(..))
    }

    /// How many reads are unanswered.
    pub(crate) fn pending(&self) -> usize {
        self.waiting.len() + self.confirming.len() + self.confirmed.len()
    }
}
