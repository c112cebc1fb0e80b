//! ReadIndex (thesis, section 6.4): a read is answered once a quorum has confirmed, after the read arrived, that the
//! leader still leads, and the state machine has caught up with what was committed then. The same rounds of confirmation
//! carry the lease: for a while after a round began, a quorum that answered it elects nobody else (section 6.4.1).

use crate::types::{Index, NodeId, RequestId, Time};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Who asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reader {
    /// A client of this node.
    Own(RequestId),
    /// Another node, for a client of its own.
    Node { id: NodeId, read: u64 },
}

/// A read that was passed on to the leader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forwarded {
    pub read: u64,
    pub id: RequestId,
    /// When it is given up.
    pub deadline: Time,
}

/// The reads of one node. One round of confirmation is under way for them at a time; what arrives meanwhile shares the
/// next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// The latest round, over all terms.
    pub(crate) round: u64,
    /// When each round began that no quorum has answered yet, oldest first; bounded.
    begun: VecDeque<(u64, Time)>,
    /// When the latest round began that a quorum has answered in this term.
    pub(crate) confirmed_at: Option<Time>,
    /// Arrived, and in no round yet.
    waiting: Vec<Reader>,
    /// In the round `confirming_round`.
    confirming: Vec<Reader>,
    confirming_round: u64,
    /// The commit index when that round began.
    confirming_index: Index,
    /// Confirmed; each waits for the state machine to reach its index. Indexes never decrease.
    confirmed: VecDeque<(Index, RequestId)>,
    /// Passed on, oldest first.
    pub(crate) forwarded: VecDeque<Forwarded>,
    /// The name of the next one.
    next_forwarded: u64,
}

impl Reads {
    /// Most rounds whose beginnings are remembered; older ones can't extend the lease any more.
    const BEGUN_MAX: usize = 64;

    pub(crate) fn arrived(&mut self, reader: Reader) {
        self.waiting.push(reader);
    }

    /// Whether reads wait for a round of their own.
    pub(crate) fn round_due(&self) -> bool {
        self.confirming.is_empty() && !self.waiting.is_empty()
    }

    /// Begins a round; every request from now on carries its number.
    pub(crate) fn begin_round(&mut self, now: Time) {
        self.round += 1;
        if self.begun.len() == Self::BEGUN_MAX {
            self.begun.pop_front();
        }
        self.begun.push_back((self.round, now));
    }

    /// The reads that wait share the round that has just begun, when the commit index is `commit`.
    pub(crate) fn join_round(&mut self, commit: Index) {
        debug_assert!(self.round_due(), "one round at a time");
        self.confirming_round = self.round;
        self.confirming_index = commit;
        core::mem::swap(&mut self.confirming, &mut self.waiting);
    }

    /// A quorum has answered `round` or a later one. Gives the reads of other nodes that it confirms, with their index.
    pub(crate) fn round_answered(&mut self, round: u64) -> Vec<(NodeId, u64, Index)> {
        while let Some((_, began)) = self.begun.pop_front_if(|(number, _)| *number <= round) {
            self.confirmed_at = Some(began);
        }
        let mut others = Vec::new();
        if round >= self.confirming_round {
            for reader in core::mem::take(&mut self.confirming) {
                match reader {
                    Reader::Own(id) => self.confirm(self.confirming_index, id),
                    Reader::Node { id, read } => others.push((id, read, self.confirming_index)),
                }
            }
        }
        others
    }

    /// This read needs no confirmation any more.
    pub(crate) fn confirm(&mut self, index: Index, id: RequestId) {
        let at = self.confirmed.partition_point(|(earlier, _)| *earlier <= index);
        self.confirmed.insert(at, (index, id));
    }

    /// The next read that the state machine, at `applied`, can answer, with its read index.
    pub(crate) fn next_readable(&mut self, applied: Index) -> Option<(Index, RequestId)> {
        self.confirmed.pop_front_if(|(index, _)| *index <= applied)
    }

    /// The node leads no more: gives up the reads that were not confirmed, and the lease.
    pub(crate) fn abandon(&mut self) -> Vec<Reader> {
        self.begun.clear();
        self.confirmed_at = None;
        self.confirming.drain(..).chain(self.waiting.drain(..)).collect()
    }

    /// A read is passed on to the leader; gives its name.
    pub(crate) fn forward(&mut self, id: RequestId, deadline: Time) -> u64 {
        self.next_forwarded = self.next_forwarded.wrapping_add(1);
        self.forwarded.push_back(Forwarded {
            read: self.next_forwarded,
            id,
            deadline,
        });
        self.next_forwarded
    }

    /// The leader has answered.
    pub(crate) fn forwarded_answered(&mut self, read: u64) -> Option<RequestId> {
        let at = self.forwarded.iter().position(|forwarded| forwarded.read == read)?;
        self.forwarded.remove(at).map(|forwarded| forwarded.id)
    }

    /// The names of forwarded reads begin after `name`. It is drawn anew at each start, so that a late answer to an earlier
    /// incarnation is not taken for one to this.
    pub(crate) fn starting_after(name: u64) -> Self {
        Self {
            next_forwarded: name,
            ..Self::default()
        }
    }

    /// How many reads are unanswered.
    pub(crate) fn pending(&self) -> usize {
        self.waiting.len() + self.confirming.len() + self.confirmed.len() + self.forwarded.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn reads_of_one_index_are_answered_in_the_order_in_which_they_were_confirmed() {
        let mut reads = Reads::default();
        for (index, id) in [(5, 1), (7, 2), (5, 3), (6, 4), (5, 5)] {
            reads.confirm(index, RequestId(id));
        }
        let answered: Vec<u64> = core::iter::from_fn(|| reads.next_readable(7))
            .map(|(_, id)| id.0)
            .collect();
        assert_eq!(answered, vec![1, 3, 5, 4, 2]);
    }

    #[test]
    fn thesis_6_4_a_read_waits_until_its_index_is_applied() {
        let mut reads = Reads::default();
        reads.confirm(5, RequestId(1));
        assert_eq!(reads.next_readable(4), None);
        assert_eq!(reads.next_readable(5), Some((5, RequestId(1))));
    }

    #[test]
    fn thesis_6_4_1_a_lease_ends_with_the_leadership_that_it_was_confirmed_in() {
        let mut reads = Reads::default();
        reads.begin_round(Time(10));
        reads.begin_round(Time(20));
        reads.round_answered(1);
        assert_eq!(reads.confirmed_at, Some(Time(10)));
        reads.abandon();
        assert_eq!(reads.confirmed_at, None);
        // The round that was still open began in that leadership: a late answer confirms nothing in the next.
        reads.round_answered(2);
        assert_eq!(reads.confirmed_at, None);
    }

    #[test]
    fn thesis_6_4_1_a_lease_counts_from_when_the_latest_answered_round_began() {
        let mut reads = Reads::default();
        for began in 1..=70 {
            reads.begin_round(Time(began));
        }
        reads.round_answered(3);
        assert_eq!(reads.confirmed_at, None, "a round so long ago is forgotten");
        reads.round_answered(69);
        assert_eq!(reads.confirmed_at, Some(Time(69)));
        reads.round_answered(69);
        assert_eq!(reads.confirmed_at, Some(Time(69)));
    }

    #[test]
    fn thesis_6_4_a_read_that_comes_during_a_round_waits_for_the_next() {
        let mut reads = Reads::default();
        reads.arrived(Reader::Own(RequestId(1)));
        reads.begin_round(Time(1));
        reads.join_round(4);
        reads.arrived(Reader::Own(RequestId(2)));
        assert!(!reads.round_due(), "one round at a time");
        reads.round_answered(1);
        assert_eq!(reads.next_readable(9), Some((4, RequestId(1))));
        assert_eq!(reads.next_readable(9), None);
        assert!(reads.round_due());
        assert_eq!(reads.pending(), 1);
    }
}
