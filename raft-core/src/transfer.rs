//! Leadership transfer (thesis, section 3.10).

use crate::io::{Outcome, Refusal};
use crate::message::Body;
use crate::raft::{Raft, Role};
use crate::types::{NodeId, RequestId, Time};

/// A transfer that a leader has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    id: RequestId,
    to: NodeId,
    /// When the leader gives it up and takes proposals again.
    pub(crate) deadline: Time,
    /// The target was told to stand for election.
    told: bool,
}

impl Raft {
    /// Stops taking proposals, brings the target up to date, and tells it to stand for election.
    pub(crate) fn transfer_leadership(&mut self, id: RequestId, to: NodeId) {
        let refusal = match () {
            () if self.role != Role::Leader => Some(Refusal::NotLeader {
                leader: self.known_leader(),
            }),
            () if self.transfer.is_some() => Some(Refusal::Transferring),
            () if to == self.config.id || !self.configurations.active().is_voter(to) => Some(Refusal::BadTarget),
            () => None,
        };
        if let Some(refusal) = refusal {
            return self.refuse(id, refusal);
        }
        let deadline = self.now.after(self.config.election_timeout_max);
        self.transfer = Some(Transfer {
            id,
            to,
            deadline,
            told: false,
        });
        self.hand_over_if_ready(to);
    }

    /// A follower has made progress: if it is the target and has everything, it may stand. From now on it may win an
    /// election at any time in spite of the promises that leases rest on, so there is no lease any more in this term.
    pub(crate) fn hand_over_if_ready(&mut self, follower: NodeId) {
        let last_index = self.log.last_index();
        let has_all = self
            .peers
            .iter()
            .any(|peer| peer.id == follower && peer.vouched_for() == last_index);
        let Some(transfer) = &mut self.transfer else { return };
        if transfer.to == follower && has_all && !transfer.told {
            transfer.told = true;
            self.lease_revoked = true;
            self.send(follower, Body::TimeoutNow);
        }
    }

    /// It has taken longer than an election timeout: the leader goes on as one.
    pub(crate) fn give_up_transfer(&mut self) {
        if self.transfer.is_some_and(|transfer| self.now >= transfer.deadline) {
            self.end_transfer(Outcome::Refused(Refusal::TransferTimedOut));
        }
    }

    pub(crate) fn end_transfer(&mut self, outcome: Outcome) {
        if let Some(transfer) = self.transfer.take() {
            self.answer(transfer.id, outcome);
        }
    }

    /// The leader asks this node to take over: no pre-vote, and voters need not wait.
    pub(crate) fn on_timeout_now(&mut self) {
        if self.role == Role::Follower && self.may_campaign() {
            self.start_election(true);
        }
    }
}
