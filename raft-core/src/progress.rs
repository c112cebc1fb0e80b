//! What a leader knows of one follower (paper, figure 2: `nextIndex` and `matchIndex`), and how fast it may send to it.

use crate::types::{Index, NodeId};
use alloc::collections::VecDeque;

/// How the leader sends entries to a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Pace {
    /// Where the logs agree is not known: one message at a time.
    Probe {
        /// A probe is under way; the next one leaves after an answer.
        sent: bool,
    },
    /// The logs agree up to `next_index - 1`, or will once what is under way arrives: send without waiting.
    Replicate,
}

/// A leader's view of one follower. Invariant: `match_index < next_index`.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The follower.
    pub id: NodeId,
    /// The follower's log is durably the leader's up to here. Never decreases within a term.
    pub(crate) match_index: Index,
    /// The first entry that the next message will hold.
    pub(crate) next_index: Index,
    pub(crate) pace: Pace,
    /// Last index of each unanswered message with entries, oldest first; empty unless replicating.
    inflight: VecDeque<Index>,
    /// The latest round of leadership confirmation that the follower has answered.
    pub(crate) round: u64,
    /// Heartbeats sent since the follower last made progress while entries were under way.
    stalled: u8,
}

impl Progress {
    /// After how many heartbeats without an acknowledgement entries under way are taken for lost.
    const STALLED_MAX: u8 = 3;

    /// The view of a new leader whose log ends at `last_index` (paper, section 5.3).
    pub(crate) fn new(id: NodeId, last_index: Index) -> Self {
        Self {
            id,
            match_index: 0,
            next_index: last_index + 1,
            pace: Pace::Probe { sent: false },
            inflight: VecDeque::new(),
            round: 0,
            stalled: 0,
        }
    }

    /// The follower's log is durably the leader's up to here.
    #[must_use]
    pub fn match_index(&self) -> Index {
        self.match_index
    }

    /// The first entry that the next message will hold.
    #[must_use]
    pub fn next_index(&self) -> Index {
        self.next_index
    }

    /// How entries are sent.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Whether a message with entries may leave now, when the log ends at `last_index`.
    pub(crate) fn may_send(&self, last_index: Index, inflight_max: usize) -> bool {
        self.next_index <= last_index
            && match self.pace {
                Pace::Probe { sent } => !sent,
                Pace::Replicate => self.inflight.len() < inflight_max,
            }
    }

    /// A message with entries up to `last_sent` leaves.
    pub(crate) fn sent(&mut self, last_sent: Index) {
        match &mut self.pace {
            Pace::Probe { sent } => *sent = true,
            Pace::Replicate => {
                self.inflight.push_back(last_sent);
                self.next_index = last_sent + 1;
            }
        }
    }

    /// The follower has the leader's log up to `match_index`. Returns whether that is news.
    pub(crate) fn accepted(&mut self, match_index: Index) -> bool {
        let progressed = match_index > self.match_index;
        self.match_index = self.match_index.max(match_index);
        match &mut self.pace {
            // A reply to a heartbeat, which starts from `match_index`, says nothing of the entries before `next_index`,
            // but the follower is there: probe again.
            Pace::Probe { sent } if match_index + 1 < self.next_index => *sent = false,
            Pace::Probe { .. } => self.become_replicate(),
            Pace::Replicate => while self.inflight.pop_front_if(|last| *last <= match_index).is_some() {},
        }
        self.next_index = self.next_index.max(self.match_index + 1);
        if progressed {
            self.stalled = 0;
        }
        progressed
    }

    /// The follower refused the entries after `prev_index`; the logs may agree up to `bound`. A refusal that is not of
    /// the last probe, or of something acknowledged meanwhile, is stale and changes nothing.
    pub(crate) fn rejected(&mut self, prev_index: Index, bound: Index) {
        let stale = match self.pace {
            Pace::Probe { .. } => prev_index + 1 != self.next_index,
            Pace::Replicate => prev_index <= self.match_index,
        };
        if !stale {
            self.become_probe(bound.min(prev_index.saturating_sub(1)) + 1);
        }
    }

    /// A heartbeat is due: entries that stay unanswered for too long are sent again.
    pub(crate) fn heartbeat(&mut self) {
        if self.inflight.is_empty() {
            self.stalled = 0;
            return;
        }
        self.stalled += 1;
        if self.stalled >= Self::STALLED_MAX {
            self.become_probe(self.match_index + 1);
        }
    }

    fn become_probe(&mut self, next_index: Index) {
        self.pace = Pace::Probe { sent: false };
        self.next_index = next_index.max(self.match_index + 1);
        self.inflight.clear();
        self.stalled = 0;
    }

    fn become_replicate(&mut self) {
        self.pace = Pace::Replicate;
        self.inflight.clear();
        self.stalled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probing(next_index: Index) -> Progress {
        Progress::new(NodeId(2), next_index - 1)
    }

    #[test]
    fn a_probe_is_one_message_at_a_time() {
        let mut peer = probing(5);
        assert!(peer.may_send(7, 4));
        peer.sent(7);
        assert!(!peer.may_send(7, 4));
        assert_eq!(peer.next_index, 5, "a probe does not move on before it is answered");
    }

    #[test]
    fn an_accepted_probe_opens_the_window() {
        let mut peer = probing(5);
        peer.sent(7);
        assert!(peer.accepted(7));
        assert_eq!((peer.pace, peer.match_index, peer.next_index), (Pace::Replicate, 7, 8));
        peer.sent(8);
        peer.sent(9);
        assert!(!peer.may_send(10, 2), "two messages fill a window of two");
        peer.accepted(9);
        assert!(peer.may_send(10, 2), "an acknowledgement covers all before it");
    }

    #[test]
    fn an_answered_heartbeat_does_not_end_probing() {
        let mut peer = probing(5);
        peer.sent(7);
        assert!(!peer.accepted(0));
        assert_eq!(peer.pace, Pace::Probe { sent: false });
    }

    #[test]
    fn stale_refusals_change_nothing() {
        let mut peer = probing(5);
        peer.rejected(9, 2);
        assert_eq!(peer.next_index, 5, "not the probe that is under way");
        peer.accepted(6);
        peer.rejected(4, 1);
        assert_eq!(
            (peer.pace, peer.next_index),
            (Pace::Replicate, 7),
            "acknowledged meanwhile"
        );
    }

    #[test]
    fn a_refusal_backs_up_but_never_below_what_is_acknowledged() {
        let mut peer = probing(9);
        peer.rejected(8, 20);
        assert_eq!(peer.next_index, 8, "every refusal backs up by one at least");
        peer.accepted(7);
        peer.sent(12);
        peer.rejected(12, 3);
        assert_eq!((peer.pace, peer.next_index), (Pace::Probe { sent: false }, 8));
    }

    #[test]
    fn unanswered_entries_are_sent_again() {
        let mut peer = probing(1);
        peer.accepted(0);
        assert_eq!(peer.pace, Pace::Replicate);
        peer.sent(3);
        for _ in 0..Progress::STALLED_MAX {
            peer.heartbeat();
        }
        assert_eq!((peer.pace, peer.next_index), (Pace::Probe { sent: false }, 1));
    }
}
