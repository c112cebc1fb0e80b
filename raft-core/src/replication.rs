//! Log replication (paper, section 5.3) and commitment (section 5.4.2), on the leader and on the follower, and the reads
//! that ride on it (thesis, section 6.4).

use crate::bugs::bug;
use crate::io::{Outcome, Output, Refusal};
use crate::message::Body;
use crate::raft::{Proposal, Raft, Role};
use crate::types::{Content, Entry, Index, NodeId, Payload, RequestId, Term};
use alloc::vec::Vec;

/// The leader.
impl Raft {
    pub(crate) fn propose(&mut self, id: RequestId, payload: Payload) {
        if self.role != Role::Leader {
            let leader = self.leader;
            return self.answer(id, Outcome::Refused(Refusal::NotLeader { leader }));
        }
        let term = self.term();
        let index = self.log.append(term, Content::Command(payload));
        self.proposals.push_back(Proposal { index, term, id });
    }

    /// Sends to each follower what it may get now; called when the outputs of the inputs so far are drained.
    pub(crate) fn send_appends(&mut self) {
        let last_index = self.log.last_index();
        for at in 0..self.peers.len() {
            while self.peers[at].may_send(last_index, self.config.inflight_max) {
                let next = self.peers[at].next_index;
                let batch = self
                    .log
                    .batch(next, self.config.append_entries_max, self.config.append_bytes_max);
                let (entries, last_sent) = (batch.to_vec(), next + batch.len() as Index - 1);
                self.send_append_entries(at, next - 1, entries);
                self.peers[at].sent(last_sent);
            }
        }
    }

    fn send_append_entries(&mut self, at: usize, prev_index: Index, entries: Vec<Entry>) {
        let prev_term = self.log.term(prev_index).expect("a leader has what it sends");
        let (commit, round) = (self.commit, self.reads.round);
        let body = Body::AppendEntries {
            prev_index,
            prev_term,
            entries,
            commit,
            round,
        };
        self.send(self.peers[at].id, body);
    }

    /// Section 5.2: heartbeats keep the others from starting elections.
    pub(crate) fn heartbeat_due(&mut self) {
        self.heartbeat_deadline = self.now.after(self.config.heartbeat_interval);
        for peer in &mut self.peers {
            peer.heartbeat();
        }
        self.broadcast_heartbeat();
    }

    /// A heartbeat starts where the logs are known to agree, so that it is never refused in its own term.
    fn broadcast_heartbeat(&mut self) {
        for at in 0..self.peers.len() {
            self.send_append_entries(at, self.peers[at].match_index, Vec::new());
        }
    }

    pub(crate) fn on_append_accepted(&mut self, from: NodeId, match_index: Index, round: u64) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == from) else {
            return;
        };
        assert!(
            match_index <= self.log.last_index(),
            "a follower can't have more of the leader's log than the leader"
        );
        let progressed = peer.accepted(match_index);
        self.round_answered(from, round);
        if progressed {
            self.advance_leader_commit();
        }
    }

    pub(crate) fn on_append_rejected(&mut self, from: NodeId, prev: Index, hint: Index, hint_term: Term, round: u64) {
        let bound = self.log.agreement_bound(hint, hint_term).index;
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == from) else {
            return;
        };
        peer.rejected(prev, bound);
        // A refusal of the entries is still an answer to "do I lead?".
        self.round_answered(from, round);
    }

    /// Section 5.3 and 5.4.2: an entry is committed once a majority has it, the leader itself only when its own disk
    /// does, and only entries of the current term are committed by counting.
    pub(crate) fn advance_leader_commit(&mut self) {
        if self.role != Role::Leader {
            return;
        }
        let own = self.writes.durable();
        let replicated = self.reached_by_quorum(own, |peer| peer.match_index);
        if replicated > self.commit && self.is_of_current_term(replicated) {
            self.advance_commit(replicated);
            self.start_round_if_due();
        }
    }

    fn is_of_current_term(&self, index: Index) -> bool {
        self.log.term(index) == Some(self.term()) || bug!(self, CommitPriorTerm)
    }
}

/// The follower.
impl Raft {
    pub(crate) fn on_append_entries(
        &mut self,
        from: NodeId,
        prev_index: Index,
        prev_term: Term,
        entries: Vec<Entry>,
        leader_commit: Index,
        round: u64,
    ) {
        assert_ne!(self.role, Role::Leader, "there is one leader in a term");
        self.become_follower(self.term(), Some(from));
        self.reset_election_timer();
        self.leader_heard = Some(self.now);

        if self.log.term(prev_index) != Some(prev_term) {
            let bound = self.log.agreement_bound(prev_index, prev_term);
            let (hint_index, hint_term) = (bound.index, bound.term);
            return self.reply_after_hard_state(
                from,
                Body::AppendRejected {
                    prev_index,
                    hint_index,
                    hint_term,
                    round,
                },
            );
        }
        let merged = self.log.merge(prev_index, entries);
        if let Some(truncated) = merged.truncated {
            self.truncated(truncated);
        }
        self.learn_commit(leader_commit, merged.verified);
        self.acknowledge(from, merged.verified, round);
    }

    /// The entries from `from` on conflicted with the leader's and are gone.
    fn truncated(&mut self, from: Index) {
        assert!(
            from > self.commit,
            "committed entries stay: truncation at {from}, commit index {}",
            self.commit
        );
        self.writes.truncated(from);
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
        self.advance_commit(self.commit.max(leader_commit.min(verified)));
    }

    /// Says what is durable of the leader's log, once it is.
    fn acknowledge(&mut self, to: NodeId, match_index: Index, round: u64) {
        let body = Body::AppendAccepted { match_index, round };
        let durable = match_index <= self.writes.durable() && self.writes.hard_state_durable();
        let message = self.message(to, self.term(), body);
        if durable || bug!(self, AckBeforePersist) {
            self.outbox.push_back(Output::Send(message));
        } else {
            self.writes.wait(message);
        }
    }
}

/// Reads (thesis, section 6.4).
impl Raft {
    pub(crate) fn read(&mut self, id: RequestId) {
        if self.role != Role::Leader {
            let leader = self.leader;
            return self.answer(id, Outcome::Refused(Refusal::NotLeader { leader }));
        }
        if bug!(self, LocalLeaderRead) {
            self.reads.confirm(self.applied, id);
            return self.answer_reads();
        }
        self.reads.arrived(id);
        self.start_round_if_due();
    }

    /// A round may begin only once an entry of the leader's own term is committed: before, its commit index may lag
    /// behind what earlier leaders have answered.
    fn start_round_if_due(&mut self) {
        if self.reads.round_due() && self.log.term(self.commit) == Some(self.term()) {
            self.reads.begin_round(self.commit);
            self.broadcast_heartbeat();
            self.round_confirmed();
        }
    }

    fn round_answered(&mut self, from: NodeId, round: u64) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == from) else {
            return;
        };
        if round > peer.round {
            peer.round = round;
            self.round_confirmed();
        }
    }

    fn round_confirmed(&mut self) {
        let confirmed = self.reached_by_quorum(self.reads.round, |peer| peer.round);
        self.reads.round_answered(confirmed);
        self.answer_reads();
        self.start_round_if_due();
    }

    /// Answers the confirmed reads that the state machine has caught up with.
    pub(crate) fn answer_reads(&mut self) {
        while let Some((index, id)) = self.reads.next_readable(self.applied) {
            self.answer(id, Outcome::Readable { index });
        }
    }
}
