//! Log replication (paper, section 5.3) and commitment (section 5.4.2), on the leader and on the follower.

use crate::bugs::bug;
use crate::io::{Outcome, Output, Refusal};
use crate::message::{Body, Stamp};
use crate::progress::{Progress, Window};
use crate::raft::{Proposal, Raft, Role};
use crate::types::{Content, Entry, Index, Mark, NodeId, Payload, RequestId};
use alloc::vec::Vec;

/// The leader.
impl Raft {
    pub(crate) fn propose(&mut self, id: RequestId, payload: Payload) {
        if let Some(refusal) = self.refuses_proposal(payload.len()) {
            return self.refuse(id, refusal);
        }
        let term = self.term();
        let index = self.append(Content::Command(payload));
        self.proposals.push_back(Proposal { index, term, id });
    }

    fn refuses_proposal(&self, bytes: usize) -> Option<Refusal> {
        let config = &self.config;
        let full = self.uncommitted_bytes > 0 && self.uncommitted_bytes + bytes > config.uncommitted_bytes_max;
        if self.role != Role::Leader {
            Some(Refusal::NotLeader {
                leader: self.known_leader(),
            })
        } else if self.transfer.is_some() && !bug!(self, TransferKeepsWriting) {
            Some(Refusal::Transferring)
        } else if bytes > config.entry_bytes_max {
            Some(Refusal::TooLarge)
        } else if full {
            Some(Refusal::TooManyUncommitted)
        } else {
            (self.commit - self.applied > config.unapplied_max).then_some(Refusal::TooManyUnapplied)
        }
    }

    /// Appends a new entry to the leader's own log; a configuration is in force from here on.
    pub(crate) fn append(&mut self, content: Content) -> Index {
        self.uncommitted_bytes += content.size();
        let index = self.log.append(self.term(), content);
        self.read_configurations(index);
        index
    }

    /// Sends to each follower what it may get now; called when the outputs of the inputs so far are drained.
    pub(crate) fn send_appends(&mut self) {
        let last_index = self.log.last_index();
        let window = Window {
            messages: self.config.inflight_max,
            bytes: self.config.inflight_bytes_max,
        };
        for at in 0..self.peers.len() {
            self.send_snapshot_if_needed(at);
            while self.peers[at].may_send(last_index, window) {
                let next = self.peers[at].next_index;
                let limits = (self.config.append_entries_max, self.config.append_bytes_max);
                let (entries, bytes) = self.log.batch(next, limits.0, limits.1);
                let last_sent = next + entries.len() as Index - 1;
                self.send_append_entries(at, next - 1, entries, false);
                self.peers[at].sent(last_sent, bytes);
            }
        }
    }

    fn send_append_entries(&mut self, at: usize, prev_index: Index, entries: Vec<Entry>, quiesce: bool) {
        let prev = self.log.mark(prev_index);
        let body = Body::AppendEntries {
            prev,
            entries,
            commit: self.commit,
            quiesce,
            stamp: self.stamp(at),
        };
        self.send_to_peer(at, body);
    }

    pub(crate) fn send_to_peer(&mut self, at: usize, body: Body) {
        self.peers[at].sent_at = self.now;
        self.send(self.peers[at].id, body);
    }

    pub(crate) fn stamp(&self, at: usize) -> Stamp {
        Stamp {
            round: self.reads.round,
            session: self.peers[at].session,
        }
    }

    /// A heartbeat starts where the logs are known to agree, so that it is not refused in its own term; or where the log
    /// starts, if that is later.
    pub(crate) fn send_heartbeat(&mut self, at: usize, quiesce: bool) {
        let prev_index = self.peers[at].match_index.max(self.log.start().index);
        self.send_append_entries(at, prev_index, Vec::new(), quiesce);
        self.peers[at].heartbeat_sent();
    }

    /// The follower that an answer comes from, if the answer is to this leader's acquaintance with it.
    pub(crate) fn answering_peer(&mut self, from: NodeId, stamp: Stamp) -> Option<usize> {
        let at = self
            .peers
            .iter()
            .position(|peer| peer.id == from && peer.session == stamp.session)?;
        self.peers[at].answered(self.now);
        Some(at)
    }

    pub(crate) fn on_append_accepted(&mut self, from: NodeId, match_index: Index, amnesia: bool, stamp: Stamp) {
        let Some(at) = self.answering_peer(from, stamp) else {
            return;
        };
        assert!(
            match_index <= self.log.last_index(),
            "a follower can't have more of the leader's log than the leader"
        );
        self.peers[at].amnesia |= amnesia;
        let progressed = self.peers[at].accepted(match_index);
        self.round_answered(from, stamp.round);
        if progressed {
            self.hand_over_if_ready(from);
            self.advance_leader_commit();
            self.forget_former_members();
        }
    }

    pub(crate) fn on_append_rejected(&mut self, from: NodeId, prev: Index, hint: Mark, lost: bool, stamp: Stamp) {
        let bound = self.log.agreement_bound(hint).index;
        let Some(at) = self.answering_peer(from, stamp) else {
            return;
        };
        // What it has at the hint may be of another term: then it has lost that entry too.
        if lost && self.peers[at].match_index > hint.index.min(bound) {
            self.meet_again(at);
        } else {
            let bound = match bug!(self, NackHintLastIndex) {
                true => hint.index,
                false => bound,
            };
            if bug!(self, NackAdvancesMatch) {
                self.peers[at].accepted(hint.index);
            }
            self.peers[at].rejected(prev, bound);
        }
        // A refusal of the entries is still an answer to "do I lead?".
        self.round_answered(from, stamp.round);
    }

    /// Section 5.3 and 5.4.2: an entry is committed once a majority has it, the leader itself only when its own disk
    /// does, and only entries of the current term are committed by counting.
    pub(crate) fn advance_leader_commit(&mut self) {
        if self.role != Role::Leader {
            return;
        }
        let own = match bug!(self, LeaderSelfAckBeforePersist) {
            true => self.log.last_index(),
            false => self.writes.durable(),
        };
        let replicated = self.reached_by_quorum(own, Progress::vouched_for);
        if replicated > self.commit && self.is_of_current_term(replicated) {
            // A new leader may find a configuration committed that its predecessor did not come to deal with.
            let news = self.configurations.active_index() > self.commit || !self.has_committed_in_term();
            self.advance_commit(replicated);
            self.start_round_if_due();
            if news {
                self.configuration_committed();
            }
        }
    }

    fn is_of_current_term(&self, index: Index) -> bool {
        if bug!(self, CommitBreakAtOldTerm) && self.log.term(self.commit + 1) != Some(self.term()) {
            return false;
        }
        self.log.term(index) == Some(self.term()) || bug!(self, CommitPriorTerm)
    }

    /// Whether the leader has committed an entry of its own term: only then does its commit index hold all that earlier
    /// leaders have committed.
    pub(crate) fn has_committed_in_term(&self) -> bool {
        self.log.term(self.commit) == Some(self.term())
    }
}

/// The follower.
impl Raft {
    pub(crate) fn on_append_entries(
        &mut self,
        from: NodeId,
        prev: Mark,
        mut entries: Vec<Entry>,
        leader_commit: Index,
        stamp: Stamp,
    ) {
        let mut verified = prev.index + entries.len() as Index;
        let mut prev_index = prev.index;
        if bug!(self, PurgedPrevIsConflict) && prev_index < self.log.start().index {
            return self.clear_log(from, stamp);
        }
        if bug!(self, PrevZeroMatches) && prev_index < self.log.start().index {
            // The entries go to the end of the log, wherever they belong.
        } else if prev_index < self.commit {
            // All up to the commit index is the leader's already (section 5.4), compacted or not.
            entries.retain(|entry| entry.index > self.commit);
            prev_index = self.commit;
            verified = verified.max(self.commit);
        } else if !self.agrees_at(prev) {
            let rejection = self.rejection_with_hint(prev, stamp);
            return self.reply_after_hard_state(from, rejection);
        }
        let merged = self.log.merge(prev_index, entries);
        if let Some(truncated) = merged.truncated {
            self.truncated(truncated);
        }
        if let Some(appended) = merged.appended {
            self.read_configurations(appended);
        }
        self.confirm(verified);
        self.learn_commit(leader_commit, verified);
        self.acknowledge(from, verified, stamp);
    }

    /// Section 5.3: the consistency check, by index and term.
    fn agrees_at(&self, prev: Mark) -> bool {
        let term = self.log.term(prev.index);
        term == Some(prev.term) || (term.is_some() && bug!(self, SkipPrevTermCheck))
    }

    /// S3: takes the compacted part of the log for a conflict.
    fn clear_log(&mut self, from: NodeId, stamp: Stamp) {
        let start = self.log.start();
        self.log.reset(start);
        self.writes.truncated(start.index + 1);
        self.configurations.truncated(start.index + 1);
        let rejection = self.rejection_with_hint(start, stamp);
        self.reply_after_hard_state(from, rejection);
    }

    /// What a request of an old term gets. It tells the current term and nothing else: its sender may lead that term by
    /// now, with rounds and sessions of the same numbers, so it must not be taken for an answer to any of those.
    pub(crate) fn rejection(&self, prev_index: Index) -> Body {
        Body::AppendRejected {
            prev_index,
            hint: Mark::default(),
            lost: false,
            stamp: Stamp::default(),
        }
    }

    fn rejection_with_hint(&self, prev: Mark, stamp: Stamp) -> Body {
        let hint = match bug!(self, NackHintLastIndex) {
            true => self.log.last(),
            false => self.log.agreement_bound(prev),
        };
        Body::AppendRejected {
            prev_index: prev.index,
            hint,
            lost: !self.remembers(),
            stamp,
        }
    }

    /// The entries from `from` on conflicted with the leader's and are gone, and the configurations in them.
    pub(crate) fn truncated(&mut self, from: Index) {
        assert!(
            from > self.commit,
            "committed entries stay: truncation at {from}, commit index {}",
            self.commit
        );
        self.writes.truncated(from);
        self.configurations.truncated(from);
        self.confirmed = self.confirmed.min(from - 1);
        while let Some(proposal) = self.proposals.pop_back_if(|proposal| proposal.index >= from) {
            self.answer(proposal.id, Outcome::Unknown);
        }
    }

    /// Figure 2, AppendEntries 5: not beyond what this request has verified.
    fn learn_commit(&mut self, leader_commit: Index, verified: Index) {
        let verified = if bug!(self, CommitNotCapped) {
            self.log.last_index()
        } else {
            verified
        };
        self.advance_commit(leader_commit.min(verified));
    }

    /// Says what is durable of the leader's log, once it is.
    pub(crate) fn acknowledge(&mut self, to: NodeId, match_index: Index, stamp: Stamp) {
        let match_index = match bug!(self, AckLastIndex) {
            true => self.log.last_index(),
            false => match_index,
        };
        let body = Body::AppendAccepted {
            match_index,
            amnesia: self.amnesia,
            stamp,
        };
        let message = self.message(to, self.term(), body);
        let durable = match_index <= self.writes.durable() && self.writes.hard_state_durable();
        if durable || bug!(self, AckBeforePersist) {
            self.outbox.push_back(Output::Send(message));
        } else {
            self.writes.wait(message);
        }
    }
}
