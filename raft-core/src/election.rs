//! Elections (paper, sections 5.2 and 5.4.1; pre-vote: thesis, section 9.6).

use crate::bugs::bug;
use crate::io::Output;
use crate::message::Body;
use crate::quorum::Vote;
use crate::raft::{Raft, Role};
use crate::types::{Content, Mark, NodeId, Term};
use alloc::boxed::Box;
use alloc::vec::Vec;

impl Raft {
    /// Nothing was heard of a leader for an election timeout.
    pub(crate) fn election_timeout(&mut self) {
        if !bug!(self, PreCandidateKeepsLeader) {
            self.leader = None;
        }
        self.elections_in_vain = self.elections_in_vain.saturating_add(1);
        if self.config.pre_vote && !bug!(self, NoPreVote) {
            self.start_pre_vote();
        } else {
            self.start_election(false);
        }
    }

    /// An operator wants this node to stand for election. Where there are leases, a leader may be reading alone on the strength of
    /// what this node has just answered: then its vote is promised, to itself no less than to others (section 6.4.1).
    pub(crate) fn campaign_by_order(&mut self) {
        let promised = self.config.lease_duration().is_some() && self.leader_alive();
        if self.role != Role::Leader && self.may_campaign() && !promised {
            self.election_timeout();
        }
    }

    /// Asks whether an election in the next term could be won, without starting it: a node that was cut off can't depose
    /// a working leader when it comes back.
    fn start_pre_vote(&mut self) {
        self.role = Role::PreCandidate;
        self.reset_election_timer();
        self.clear_votes();
        let (term, last) = (self.term() + 1, self.candidate_last());
        for to in self.other_voters() {
            let message = self.message(to, term, Body::PreVote { last });
            self.outbox.push_back(Output::Send(message));
        }
        self.count_vote(self.config.id, true);
    }

    /// Starts an election (section 5.2): a new term, a vote for itself, and requests that leave once both are durable.
    pub(crate) fn start_election(&mut self, transfer: bool) {
        self.adopt_term(self.term() + 1);
        self.role = Role::Candidate;
        self.leader = None;
        self.reset_election_timer();
        self.clear_votes();
        self.grant_vote(self.config.id);
        let last = self.candidate_last();
        for to in self.other_voters() {
            if bug!(self, SelfVoteAfterSend) {
                self.send(to, Body::RequestVote { last, transfer });
            } else {
                self.reply_after_hard_state(to, Body::RequestVote { last, transfer });
            }
        }
    }

    /// A candidate counts its own vote like any other: once it is durable.
    pub(crate) fn own_vote_durable(&mut self) {
        if self.role == Role::Candidate && self.writes.hard_state_durable() {
            self.count_vote(self.config.id, true);
        }
    }

    /// What this node's log ends with, as far as its disk can vouch for it.
    fn candidate_last(&self) -> Mark {
        if bug!(self, ElectOnUnpersistedLog) {
            return self.log.last();
        }
        let index = self.writes.durable();
        // While a snapshot is being written, the disk vouches for nothing that is still in the log.
        self.log
            .term(index)
            .map_or(Mark::default(), |term| Mark { term, index })
    }

    fn other_voters(&self) -> Vec<NodeId> {
        let configuration = self.configurations.active();
        configuration
            .members()
            .filter(|id| *id != self.config.id && configuration.is_voter(*id))
            .collect()
    }

    /// Section 5.4.1: the voter denies its vote if its own log is more up-to-date than the candidate's.
    fn up_to_date(&self, candidate: Mark) -> bool {
        let last = self.log.last();
        if bug!(self, LogCompareComponentwise) {
            return candidate.term >= last.term && candidate.index >= last.index;
        }
        candidate >= last || bug!(self, VoteWithoutLogCheck)
    }

    /// Whoever asks may be answered, member or not: this node may not know of its own or the candidate's membership yet
    /// (thesis, section 4.1).
    pub(crate) fn on_pre_vote(&mut self, from: NodeId, term: Term, candidate: Mark) {
        let free = term > self.term() || (self.leader.is_none() && self.may_vote_for(from));
        let granted = free && self.remembers() && self.up_to_date(candidate) && self.may_vote();
        if granted && !self.leader_alive() {
            let message = self.message(from, term, Body::PreVoteReply { granted: true });
            // It promises nothing, so it waits for nothing.
            self.outbox.push_back(Output::Send(message));
        } else {
            self.reply_after_hard_state(from, Body::PreVoteReply { granted: false });
        }
    }

    pub(crate) fn on_pre_vote_reply(&mut self, from: NodeId, term: Term, granted: bool) {
        let asked_for = if granted { self.term() + 1 } else { self.term() };
        if self.role == Role::PreCandidate && term == asked_for {
            self.count_vote(from, granted);
        }
    }

    pub(crate) fn on_request_vote(&mut self, from: NodeId, candidate: Mark) {
        let granted = self.may_vote_for(from) && self.remembers() && self.up_to_date(candidate) && self.may_vote();
        if granted {
            self.grant_vote(from);
            self.reset_election_timer();
        }
        self.reply_after_hard_state(from, Body::VoteReply { granted });
    }

    pub(crate) fn on_vote_reply(&mut self, from: NodeId, granted: bool) {
        if self.role == Role::Candidate {
            self.count_vote(from, granted);
        }
    }

    /// Section 5.2: one vote in a term, first come, first served.
    fn may_vote_for(&self, candidate: NodeId) -> bool {
        self.hard_state.voted_for.is_none_or(|voted_for| voted_for == candidate)
    }

    /// Whether the node may vote at all: yes, whatever it knows of its own membership, which may be out of date.
    fn may_vote(&self) -> bool {
        !bug!(self, LearnerRefusesVote) || self.configurations.active().is_voter(self.config.id)
    }

    /// The one place where a vote is given.
    fn grant_vote(&mut self, candidate: NodeId) {
        assert!(self.may_vote_for(candidate), "one vote in a term");
        if self.hard_state.voted_for.is_none() {
            self.hard_state.voted_for = Some(candidate);
            self.writes.hard_state_changed();
        }
    }

    fn clear_votes(&mut self) {
        self.granted.clear();
        self.refused.clear();
    }

    /// Counts each node once, however often it is heard; who votes, the configuration says.
    fn count_vote(&mut self, from: NodeId, granted: bool) {
        let heard = self.granted.contains(&from) || self.refused.contains(&from);
        if heard && !bug!(self, VoteRespCountedPerMessage) {
            return;
        }
        if granted {
            self.granted.push(from);
        } else {
            self.refused.push(from);
        }
        match self.deciding().tally(self.majority(), &self.granted, &self.refused) {
            Vote::Pending => {}
            Vote::Lost => self.become_follower(self.term(), self.leader),
            Vote::Won if self.role == Role::PreCandidate => self.start_election(false),
            Vote::Won => self.become_leader(),
        }
    }

    /// Sections 5.2 and 8: an entry of its own term without effect lets the leader commit what earlier terms left, and heartbeats tell
    /// the others.
    fn become_leader(&mut self) {
        assert_eq!(self.role, Role::Candidate, "only a candidate wins an election");
        self.role = Role::Leader;
        self.leader = Some(self.config.id);
        self.elections_in_vain = 0;
        self.busy_at = self.now;
        self.uncommitted_bytes = 0;
        self.lease_revoked = false;
        self.append(self.first_entry());
        if bug!(self, LeaveJointEarly) && self.configurations.active().is_joint() {
            self.append(Content::Configuration(Box::new(self.configurations.active().left())));
        }
        self.meet_peers();
        self.tick();
        self.broadcast_heartbeat();
    }

    /// What a leader appends first. In an empty log it writes down the founders, so that who joins later, and every
    /// snapshot, knows them from the log.
    fn first_entry(&self) -> Content {
        match self.log.last_index() {
            0 => Content::Configuration(Box::new(self.configurations.active().clone())),
            _ => Content::Noop,
        }
    }
}
