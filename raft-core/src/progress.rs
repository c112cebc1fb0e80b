//! What a leader knows of one follower (paper, figure 2: `nextIndex` and `matchIndex`), how fast it may send to it, and how
//! often it must.

use crate::bugs::{Planted, bug};
use crate::types::{Index, Mark, NodeId, Snapshot, Time};
use alloc::collections::VecDeque;
use alloc::sync::Arc;

/// How the leader brings a follower up to date.
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
    /// The entries that it needs are compacted: it gets a snapshot.
    Snapshot {
        /// The snapshot's last entry.
        last: Mark,
        /// It has all bytes up to here.
        received: u64,
        /// Bytes up to here are under way.
        sent: u64,
    },
}

/// What limits the entries under way to one follower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub messages: usize,
    pub bytes: usize,
}

/// A leader's view of one follower. Invariant: `match_index < next_index`; entries are under way only while replicating.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The follower.
    pub id: NodeId,
    /// Which acquaintance this is: answers of an earlier one do not count.
    pub(crate) session: u64,
    /// The follower's log is durably the leader's up to here. Never decreases within a session.
    pub(crate) match_index: Index,
    /// The follower may have forgotten what it promised: it gets the log, and does not count. For good, within a session,
    /// since answers from before may still come.
    pub(crate) amnesia: bool,
    /// The first entry that the next message will hold.
    pub(crate) next_index: Index,
    pub(crate) pace: Pace,
    /// The snapshot that it is getting.
    snapshot: Option<Arc<Snapshot>>,
    /// Last index and bytes of each unanswered message with entries, oldest first.
    inflight: VecDeque<(Index, usize)>,
    inflight_bytes: usize,
    /// The latest round of leadership confirmation that the follower has answered.
    pub(crate) round: u64,
    /// When it last answered; at first, when it was met.
    pub(crate) heard: Time,
    /// When something was last sent to it.
    pub(crate) sent_at: Time,
    /// Heartbeats sent since it last answered.
    unanswered: u32,
    /// Ticks of the leader since it last made progress while something was under way.
    stalled: u8,
    pub(crate) planted: Planted,
}

impl Progress {
    /// After how many ticks without progress what is under way is taken for lost.
    const STALLED_MAX: u8 = 3;

    /// The view of a leader that meets a follower, and will send it the entry at `next_index` first (paper, section 5.3).
    pub(crate) fn new(id: NodeId, session: u64, next_index: Index, now: Time) -> Self {
        assert!(next_index > 0, "the first entry has index 1");
        Self {
            id,
            session,
            match_index: 0,
            amnesia: false,
            next_index,
            pace: Pace::Probe { sent: false },
            snapshot: None,
            inflight: VecDeque::new(),
            inflight_bytes: 0,
            round: 0,
            heard: now,
            sent_at: now,
            unanswered: 0,
            stalled: 0,
            planted: Planted::default(),
        }
    }

    #[cfg(feature = "bugs")]
    pub(crate) fn planted(&self) -> Planted {
        self.planted
    }

    /// The follower's log is durably the leader's up to here.
    #[must_use]
    pub fn match_index(&self) -> Index {
        self.match_index
    }

    /// What it has as a voter: all that it acknowledged, or nothing if it may forget.
    pub(crate) fn vouched_for(&self) -> Index {
        if self.amnesia { 0 } else { self.match_index }
    }

    /// The first entry that the next message will hold.
    #[must_use]
    pub fn next_index(&self) -> Index {
        self.next_index
    }

    /// Numbers this acquaintance with the follower; the answers that count name it. Never the same twice.
    #[must_use]
    pub fn acquaintance(&self) -> u64 {
        self.session
    }

    /// How it is brought up to date.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// How many messages with entries, and how many bytes of them, wait for an answer.
    #[must_use]
    pub fn under_way(&self) -> (usize, usize) {
        (self.inflight.len(), self.inflight_bytes)
    }

    /// Whether a message with entries may leave now, when the log ends at `last_index`. A single message may exceed the
    /// window in bytes.
    pub(crate) fn may_send(&self, last_index: Index, window: Window) -> bool {
        let open = match self.pace {
            Pace::Probe { sent } => !sent,
            Pace::Replicate => self.inflight.len() < window.messages && self.inflight_bytes < window.bytes.max(1),
            Pace::Snapshot { .. } => false,
        };
        open && self.next_index <= last_index
    }

    /// A message with entries up to `last_sent`, of so many bytes, leaves.
    pub(crate) fn sent(&mut self, last_sent: Index, bytes: usize) {
        match &mut self.pace {
            Pace::Probe { sent } => *sent = true,
            Pace::Replicate => {
                self.inflight.push_back((last_sent, bytes));
                self.inflight_bytes += bytes;
                self.next_index = last_sent + 1;
            }
            Pace::Snapshot { .. } => unreachable!("no entries are sent beside a snapshot"),
        }
    }

    /// The follower has answered something.
    pub(crate) fn answered(&mut self, now: Time) {
        self.heard = now;
        if !bug!(self, BackoffNotCleared) {
            self.unanswered = 0;
        }
    }

    /// The follower has the leader's log up to `match_index`. Returns whether that is news.
    pub(crate) fn accepted(&mut self, match_index: Index) -> bool {
        let progressed = match_index > self.match_index;
        self.match_index = match bug!(self, MatchRegress) {
            true => match_index,
            false => self.match_index.max(match_index),
        };
        let ends_snapshot = !bug!(self, SnapshotAckLost);
        match &mut self.pace {
            // A reply to a heartbeat, which starts from `match_index`, says nothing of the entries before `next_index`,
            // but the follower is there: probe again.
            Pace::Probe { sent } if match_index + 1 < self.next_index => *sent = false,
            Pace::Probe { .. } => self.enter(Pace::Replicate),
            Pace::Replicate => {
                while let Some((_, bytes)) = self.inflight.pop_front_if(|(last, _)| *last <= match_index) {
                    self.inflight_bytes -= bytes;
                }
            }
            Pace::Snapshot { last, .. } if match_index >= last.index && ends_snapshot => {
                self.next_index = match_index + 1;
                self.enter(Pace::Replicate);
            }
            Pace::Snapshot { .. } => {}
        }
        self.next_index = self.next_index.max(self.match_index + 1);
        if progressed {
            self.stalled = 0;
        }
        progressed
    }

    /// The follower refused the entries after `prev_index`; the logs may agree up to `bound`. A refusal of something that
    /// was acknowledged meanwhile, or that is behind what is probed now, is stale and changes nothing.
    pub(crate) fn rejected(&mut self, prev_index: Index, bound: Index) {
        let stale = match self.pace {
            Pace::Probe { .. } => prev_index <= self.match_index || prev_index >= self.next_index,
            Pace::Replicate => prev_index <= self.match_index,
            Pace::Snapshot { .. } => true,
        };
        if matches!(self.pace, Pace::Replicate) && bug!(self, NoProbeFallback) {
            return;
        }
        if bug!(self, NackHintLastIndex) && !stale {
            return self.probe_from(bound + 1);
        }
        if !stale || bug!(self, StaleNackRewinds) {
            self.probe_from(bound.min(prev_index.saturating_sub(1)) + 1);
        }
    }

    /// The follower needs a snapshot, and gets this one, unless it is getting it already.
    pub(crate) fn start_snapshot(&mut self, snapshot: &Arc<Snapshot>) {
        if self.snapshot.is_none() {
            self.enter(Pace::Snapshot {
                last: snapshot.last,
                received: 0,
                sent: 0,
            });
            self.snapshot = Some(Arc::clone(snapshot));
        }
    }

    /// The follower does not need the snapshot any more that it may be getting.
    pub(crate) fn leave_snapshot(&mut self) {
        if matches!(self.pace, Pace::Snapshot { .. }) && !bug!(self, SnapshotAckLost) {
            self.probe_from(self.match_index + 1);
        }
    }

    /// The snapshot that it is getting.
    pub(crate) fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// The follower has all bytes of the snapshot up to `bytes`. If that is less than it had, it has crashed meanwhile, or
    /// the answer is late; it gets the rest again either way.
    pub(crate) fn snapshot_received(&mut self, of: Mark, bytes: u64) {
        if let Pace::Snapshot { last, received, sent } = &mut self.pace
            && *last == of
            && bytes != *received
        {
            *sent = if bytes < *received { bytes } else { bytes.max(*sent) };
            *received = bytes;
            self.stalled = 0;
        }
    }

    /// A heartbeat leaves.
    pub(crate) fn heartbeat_sent(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// A heartbeat interval has passed: what stays unanswered for too long is sent again.
    pub(crate) fn tick(&mut self) {
        let under_way = !self.inflight.is_empty() || matches!(self.pace, Pace::Snapshot { .. });
        self.stalled = if under_way { self.stalled + 1 } else { 0 };
        if self.stalled < Self::STALLED_MAX {
            return;
        }
        self.stalled = 0;
        match &mut self.pace {
            Pace::Snapshot { received, sent, .. } => *sent = *received,
            _ => self.probe_from(self.match_index + 1),
        }
    }

    /// When the next heartbeat is due: `interval` after the last message, and twice as long after each that stayed
    /// unanswered, up to `interval_max`.
    pub(crate) fn heartbeat_due(&self, interval: u64, interval_max: u64) -> Time {
        self.sent_at.after(self.heartbeat_pause(interval, interval_max))
    }

    fn heartbeat_pause(&self, interval: u64, interval_max: u64) -> u64 {
        let doublings = self.unanswered.saturating_sub(1).min(16);
        let pause = interval << doublings;
        if bug!(self, HeartbeatBackoffUncapped) {
            return pause;
        }
        pause.min(interval_max.max(interval))
    }

    fn probe_from(&mut self, next_index: Index) {
        self.enter(Pace::Probe { sent: false });
        self.next_index = match bug!(self, StaleNackRewinds) {
            true => next_index,
            false => next_index.max(self.match_index + 1),
        };
    }

    /// Every change of pace forgets what was under way.
    fn enter(&mut self, pace: Pace) {
        self.pace = pace;
        self.snapshot = None;
        self.inflight.clear();
        if !bug!(self, InflightLeak) {
            self.inflight_bytes = 0;
        }
        self.stalled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        messages: 2,
        bytes: 100,
    };

    fn probing(next_index: Index) -> Progress {
        Progress::new(NodeId(2), 1, next_index, Time(0))
    }

    #[test]
    fn a_probe_is_one_message_at_a_time() {
        let mut peer = probing(5);
        assert!(peer.may_send(7, WINDOW));
        peer.sent(7, 1);
        assert!(!peer.may_send(7, WINDOW));
        assert_eq!(peer.next_index, 5, "a probe does not move on before it is answered");
    }

    #[test]
    fn an_accepted_probe_opens_the_window_in_messages_and_bytes() {
        let mut peer = probing(5);
        peer.sent(7, 1);
        assert!(peer.accepted(7));
        assert_eq!((peer.pace, peer.match_index, peer.next_index), (Pace::Replicate, 7, 8));
        peer.sent(8, 10);
        peer.sent(9, 10);
        assert!(!peer.may_send(10, WINDOW), "two messages fill a window of two");
        peer.accepted(9);
        assert!(peer.may_send(10, WINDOW), "an acknowledgement covers all before it");
        peer.sent(10, 100);
        assert!(!peer.may_send(11, WINDOW), "100 bytes fill a window of 100");
        peer.rejected(10, 9);
        assert_eq!(peer.under_way(), (0, 0), "a change of pace forgets what was under way");
    }

    #[test]
    fn an_answered_heartbeat_does_not_end_probing() {
        let mut peer = probing(5);
        peer.sent(7, 1);
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
        peer.sent(12, 1);
        peer.rejected(12, 3);
        assert_eq!((peer.pace, peer.next_index), (Pace::Probe { sent: false }, 8));
    }

    #[test]
    fn unanswered_entries_are_sent_again() {
        let mut peer = probing(1);
        peer.accepted(0);
        assert_eq!(peer.pace, Pace::Replicate);
        peer.sent(3, 1);
        for _ in 0..Progress::STALLED_MAX {
            peer.tick();
        }
        assert_eq!((peer.pace, peer.next_index), (Pace::Probe { sent: false }, 1));
    }

    #[test]
    fn progress_shows_that_nothing_is_lost() {
        let mut peer = probing(1);
        peer.accepted(0);
        for last in 1..=4 {
            peer.sent(last, 10);
            peer.tick();
            peer.tick();
            peer.accepted(last);
            assert_eq!((peer.pace, peer.under_way()), (Pace::Replicate, (0, 0)));
        }
    }

    #[test]
    fn a_receiver_that_has_less_than_before_gets_the_rest_again_at_once() {
        let last = Mark { term: 1, index: 9 };
        let mut peer = probing(3);
        peer.pace = Pace::Snapshot {
            last,
            received: 200,
            sent: 400,
        };
        peer.snapshot_received(last, 100);
        let (received, sent) = (100, 100);
        assert_eq!(peer.pace, Pace::Snapshot { last, received, sent });
        peer.snapshot_received(last, 300);
        let (received, sent) = (300, 300);
        assert_eq!(peer.pace, Pace::Snapshot { last, received, sent });
    }

    #[test]
    fn a_snapshot_resumes_where_it_got_stuck_and_ends_with_an_acknowledgement() {
        let last = Mark { term: 1, index: 9 };
        let mut peer = probing(3);
        let configuration = crate::Configuration::default();
        peer.start_snapshot(&Arc::new(Snapshot {
            last,
            configuration,
            data: [].as_slice().into(),
        }));
        peer.pace = Pace::Snapshot {
            last,
            received: 0,
            sent: 300,
        };
        peer.snapshot_received(last, 100);
        peer.snapshot_received(Mark { term: 1, index: 8 }, 200);
        for _ in 0..Progress::STALLED_MAX {
            peer.tick();
        }
        assert_eq!(
            peer.pace,
            Pace::Snapshot {
                last,
                received: 100,
                sent: 100
            }
        );
        peer.accepted(4);
        assert!(matches!(peer.pace, Pace::Snapshot { .. }), "an old acknowledgement");
        peer.accepted(9);
        assert_eq!((peer.pace, peer.next_index), (Pace::Replicate, 10));
    }

    #[test]
    fn a_follower_that_needs_no_snapshot_any_more_gets_entries_again() {
        let last = Mark { term: 1, index: 9 };
        let mut peer = probing(3);
        peer.start_snapshot(&Arc::new(Snapshot {
            last,
            configuration: crate::Configuration::default(),
            data: [].as_slice().into(),
        }));
        peer.accepted(5);
        assert!(!peer.may_send(9, WINDOW));
        peer.leave_snapshot();
        assert!(peer.may_send(9, WINDOW));
        assert_eq!(peer.next_index, 6);
    }

    #[test]
    fn heartbeats_to_a_silent_follower_back_off_up_to_a_bound_and_return_at_its_first_answer() {
        let mut peer = probing(1);
        let mut due = Vec::new();
        for _ in 0..4 {
            due.push(peer.heartbeat_due(50, 150).0);
            peer.heartbeat_sent();
        }
        assert_eq!(due, [50, 50, 100, 150]);
        peer.answered(Time(1));
        assert_eq!(peer.heartbeat_due(50, 150).0, 50);
    }

    use alloc::vec::Vec;
}
