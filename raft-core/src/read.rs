//! Reads (thesis, section 6.4): on the leader by a round of confirmation or from its lease, on any other node by asking the
//! leader for the index that must be applied first.

use crate::bugs::bug;
use crate::io::{Outcome, Refusal};
use crate::message::Body;
use crate::quorum;
use crate::raft::{Raft, Role};
use crate::reads::Reader;
use crate::types::{Index, NodeId, RequestId, Time};

impl Raft {
    pub(crate) fn read(&mut self, id: RequestId) {
        if self.role == Role::Leader {
            if bug!(self, LocalLeaderRead) {
                self.reads.confirm(self.applied, id);
                return self.answer_reads();
            }
            if self.lease_until().is_some_and(|until| self.now < until) && self.may_confirm_reads() {
                self.reads.confirm(self.commit, id);
                return self.answer_reads();
            }
            self.reads.arrived(Reader::Own(id));
            return self.start_round_if_due();
        }
        if bug!(self, LocalFollowerRead) {
            self.reads.confirm(self.applied, id);
            return self.answer_reads();
        }
        match self.known_leader() {
            Some(leader) => {
                let read = self.reads.forward(id, self.now.after(self.config.election_timeout_max));
                self.reply_after_hard_state(leader, Body::ReadIndex { read });
            }
            None => self.refuse(id, Refusal::NotLeader { leader: None }),
        }
    }

    /// Another node asks for a client of its own.
    pub(crate) fn on_read_index(&mut self, from: NodeId, read: u64) {
        if self.role == Role::Leader {
            self.reads.arrived(Reader::Node { id: from, read });
            self.start_round_if_due();
        } else {
            self.reply_after_hard_state(from, Body::ReadIndexReply { read, index: None });
        }
    }

    pub(crate) fn on_read_index_reply(&mut self, read: u64, index: Option<Index>) {
        let Some(id) = self.reads.forwarded_answered(read) else {
            return;
        };
        match index {
            Some(index) => {
                self.reads.confirm(index, id);
                self.answer_reads();
            }
            None => self.refuse(id, Refusal::NotLeader { leader: None }),
        }
    }

    /// A round may begin only once an entry of the leader's own term is committed: before, its commit index may lag
    /// behind what earlier leaders have answered.
    fn may_confirm_reads(&self) -> bool {
        self.has_committed_in_term() || bug!(self, ReadIndexWithoutTermCommit)
    }

    pub(crate) fn start_round_if_due(&mut self) {
        if self.role == Role::Leader && self.reads.round_due() && self.may_confirm_reads() {
            self.reads.begin_round(self.now);
            self.reads.join_round(self.commit);
            self.broadcast_heartbeat();
            self.round_confirmed();
        }
    }

    pub(crate) fn round_answered(&mut self, from: NodeId, round: u64) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == from) else {
            return;
        };
        if round > peer.round {
            peer.round = round;
            self.round_confirmed();
        }
    }

    /// A quorum may have answered a later round.
    pub(crate) fn round_confirmed(&mut self) {
        let confirmed = self.round_of_quorum();
        let before = self.reads.confirmed_at;
        let others = self.reads.round_answered(confirmed);
        if bug!(self, LeaseFromAckTime) && self.reads.confirmed_at != before {
            self.reads.confirmed_at = Some(self.now);
        }
        for (id, read, index) in others {
            self.send(
                id,
                Body::ReadIndexReply {
                    read,
                    index: Some(index),
                },
            );
        }
        self.answer_reads();
        self.start_round_if_due();
    }

    /// The latest round that a quorum has answered.
    fn round_of_quorum(&self) -> u64 {
        if bug!(self, ReadQuorumMinusOne) {
            let fewer = |voters| quorum::majority(voters).saturating_sub(1).max(1);
            let of_peer = |id| {
                self.peers
                    .iter()
                    .find(|peer| peer.id == id)
                    .map_or(self.reads.round, |peer| peer.round)
            };
            return self.configurations.active().reached(fewer, of_peer);
        }
        self.reached_by_quorum(self.reads.round, |peer| peer.round)
    }

    /// Until when a leader may answer reads alone (section 6.4.1): counted from when the round *began* that a quorum has
    /// answered, since its members promised to elect nobody for a while from when they answered, which was later.
    #[must_use]
    pub fn lease_until(&self) -> Option<Time> {
        let duration = match bug!(self, LeaseIgnoresDrift) {
            true => self.config.lease_drift_ppm.map(|_| self.config.election_timeout_min)?,
            false => self.config.lease_duration()?,
        };
        let leads = self.role == Role::Leader && !self.lease_revoked;
        self.reads.confirmed_at.filter(|_| leads).map(|at| at.after(duration))
    }

    /// Answers the confirmed reads that the state machine has caught up with.
    pub(crate) fn answer_reads(&mut self) {
        let readable = match bug!(self, ReadBeforeApplied) {
            true => self.commit,
            false => self.applied,
        };
        while let Some((index, id)) = self.reads.next_readable(readable) {
            self.answer(id, Outcome::Readable { index });
        }
    }

    /// Gives up every read.
    pub(crate) fn refuse_reads(&mut self, refusal: Refusal) {
        let own = self.reads.abandon().into_iter().filter_map(|reader| match reader {
            Reader::Own(id) => Some(id),
            Reader::Node { .. } => None,
        });
        let forwarded = self
            .reads
            .forwarded
            .drain(..)
            .map(|read| read.id)
            .collect::<alloc::vec::Vec<_>>();
        let confirmed = core::iter::from_fn(|| self.reads.next_readable(Index::MAX)).map(|(_, id)| id);
        let confirmed = confirmed.collect::<alloc::vec::Vec<_>>();
        for id in own.chain(forwarded).chain(confirmed) {
            self.refuse(id, refusal);
        }
    }
}
