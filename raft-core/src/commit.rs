//! What a quorum has is committed, and what is committed is given out to the state machine (paper, sections 5.3 and 5.4).

use crate::bugs::bug;
use crate::configuration::Configuration;
use crate::io::{Outcome, Output};
use crate::progress::Progress;
use crate::quorum;
use crate::raft::Raft;
use crate::types::Index;
use alloc::borrow::Cow;

impl Raft {
    /// How many of so many voters decide.
    pub(crate) fn majority(&self) -> impl Fn(usize) -> usize + use<> {
        let half = bug!(self, HalfQuorum);
        move |voters| {
            if half {
                voters.div_ceil(2)
            } else {
                quorum::majority(voters)
            }
        }
    }

    /// The configuration whose quorums decide: the active one.
    pub(crate) fn deciding(&self) -> Cow<'_, Configuration> {
        let active = self.configurations.active();
        if bug!(self, UnionQuorum) && active.is_joint() {
            return Cow::Owned(active.united());
        }
        if bug!(self, LearnerCounted) {
            return Cow::Owned(active.with_learners_voting());
        }
        Cow::Borrowed(active)
    }

    /// The largest value that a quorum has reached, this node with `own` and each peer with `of_peer`.
    pub(crate) fn reached_by_quorum(&self, own: u64, of_peer: impl Fn(&Progress) -> u64) -> u64 {
        self.deciding().reached(self.majority(), |id| {
            match self.peers.iter().find(|peer| peer.id == id) {
                Some(peer) => of_peer(peer),
                None if id == self.config.id => own,
                None => 0,
            }
        })
    }

    /// Moves the commit index forward to `index` and gives out what is newly committed.
    pub(crate) fn advance_commit(&mut self, index: Index) {
        assert!(
            index <= self.log.last_index(),
            "only what is in the log can be committed"
        );
        self.commit = match bug!(self, CommitRegress) {
            true => index,
            false => self.commit.max(index),
        };
        self.give_out();
    }

    /// Gives out committed entries, each once, in order, and after each the answer to its proposal; no more than so many
    /// ahead of the state machine.
    fn give_out(&mut self) {
        let end = match bug!(self, ApplyUncommitted) {
            true => self.log.last_index(),
            false => self.commit,
        };
        while self.given_out < end && self.given_out - self.applied < self.config.unapplied_max {
            self.given_out += 1;
            let index = self.given_out;
            let entry = self
                .log
                .entry(index)
                .expect("a committed entry is in the log until it is applied")
                .clone();
            let term = entry.term;
            if term == self.term() {
                self.uncommitted_bytes = self.uncommitted_bytes.saturating_sub(entry.content.size());
            }
            self.outbox.push_back(Output::Apply(entry));
            while let Some(proposal) = self.proposals.pop_front_if(|proposal| proposal.index <= index) {
                let outcome = match proposal.term == term && proposal.index == index {
                    true => Outcome::Committed { index, term },
                    false => Outcome::Unknown,
                };
                self.answer(proposal.id, outcome);
            }
        }
    }

    /// The state machine has done what was given out up to `index`.
    pub(crate) fn applied(&mut self, index: Index) {
        assert!(
            index <= self.given_out,
            "applied up to {index}, and only {} was given out",
            self.given_out
        );
        self.applied = self.applied.max(index);
        self.give_out();
        self.answer_reads();
        self.ask_for_snapshot();
    }

    /// A snapshot stands for everything up to `index`, for the state machine too.
    pub(crate) fn jump_to(&mut self, index: Index) {
        self.commit = index;
        self.given_out = index;
        while let Some(proposal) = self.proposals.pop_front_if(|proposal| proposal.index <= index) {
            self.answer(proposal.id, Outcome::Unknown);
        }
    }
}
