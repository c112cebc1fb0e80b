//! Changes of the members (thesis, chapter 4): by joint consensus, or in one step where one voter comes or goes. A
//! configuration is in force as soon as it is in the log.

use crate::bugs::bug;
use crate::configuration::Members;
use crate::io::{Outcome, Refusal};
use crate::progress::Progress;
use crate::raft::{Raft, Role};
use crate::types::{Content, NodeId, RequestId};
use alloc::boxed::Box;
use alloc::vec::Vec;

impl Raft {
    pub(crate) fn change_membership(&mut self, id: RequestId, members: &Members) {
        if let Some(refusal) = self.refuses_change(members) {
            return self.refuse(id, refusal);
        }
        let Some(next) = self.configurations.active().towards(members) else {
            return self.refuse(id, Refusal::BadMembers);
        };
        self.change = Some(id);
        self.append(Content::Configuration(Box::new(next)));
        self.meet_peers();
        self.quit_if_removed();
    }

    /// M10: steps down from what is appended instead of from what is committed.
    fn quit_if_removed(&mut self) {
        if bug!(self, RemovedLeaderQuitsEarly) && !self.configurations.active().is_voter(self.config.id) {
            self.become_follower(self.term(), None);
        }
    }

    fn refuses_change(&self, members: &Members) -> Option<Refusal> {
        let behind = |id: &NodeId| {
            let learns = self.configurations.active().learners.contains(id);
            let peer = self.peers.iter().find(|peer| peer.id == *id);
            learns && peer.is_none_or(|p| p.match_index + self.config.promotion_lag_max < self.log.last_index())
        };
        if self.role != Role::Leader {
            Some(Refusal::NotLeader {
                leader: self.known_leader(),
            })
        } else if self.transfer.is_some() {
            Some(Refusal::Transferring)
        } else if !self.has_committed_in_term() && !bug!(self, ConfChangeBeforeTermCommit) {
            Some(Refusal::NotReady)
        } else if self.change.is_some() || !self.configuration_is_settled() {
            Some(Refusal::ChangeInProgress)
        } else {
            members.voters.iter().any(behind).then_some(Refusal::NotCaughtUp)
        }
    }

    /// Whether the active configuration is committed and simple: only then may the next change begin.
    fn configuration_is_settled(&self) -> bool {
        self.configurations.active_index() <= self.commit && !self.configurations.active().is_joint()
    }

    /// The commit index of a leader has moved. A joint configuration that is committed is left; a simple one ends the
    /// change, and the leader's office if it is not in it (section 4.2.2).
    pub(crate) fn configuration_committed(&mut self) {
        let (index, active) = (self.configurations.active_index(), self.configurations.active());
        if index > self.commit {
            return;
        }
        if active.is_joint() {
            let left = active.left();
            self.append(Content::Configuration(Box::new(left)));
            self.meet_peers();
            return self.quit_if_removed();
        }
        let outside = !active.is_voter(self.config.id);
        let term = self.log.term(index).unwrap_or_default();
        self.change
            .take()
            .into_iter()
            .for_each(|id| self.answer(id, Outcome::Committed { index, term }));
        self.forget_former_members();
        if outside {
            // The others learn at once what is committed; then they elect one of them.
            self.broadcast_heartbeat();
            self.become_follower(self.term(), None);
        }
    }

    /// Makes the acquaintance of every member that the leader does not know yet. Each acquaintance is a session of its
    /// own: what a member answered before it was removed and added again does not count.
    pub(crate) fn meet_peers(&mut self) {
        let strangers: Vec<NodeId> = {
            let known = |id: &NodeId| *id == self.config.id || self.peers.iter().any(|peer| peer.id == *id);
            self.configurations.active().members().filter(|id| !known(id)).collect()
        };
        for id in strangers {
            let progress = self.acquaintance(id);
            self.peers.push(progress);
        }
    }

    /// The first probe holds the leader's last entry, which is there from the start of its term.
    fn acquaintance(&mut self, id: NodeId) -> Progress {
        self.sessions += 1;
        let mut progress = Progress::new(id, self.sessions, self.log.last_index(), self.now);
        progress.planted = self.planted();
        progress
    }

    /// A follower has lost what it had acknowledged: begins anew with it.
    pub(crate) fn meet_again(&mut self, at: usize) {
        self.peers[at] = self.acquaintance(self.peers[at].id);
    }

    /// Those that are no members any more are forgotten once they have the entry that says so: one that never hears of its
    /// removal stands for election again and again. (A later leader does not know them.)
    pub(crate) fn forget_former_members(&mut self) {
        let (index, active) = (self.configurations.active_index(), self.configurations.active());
        if index <= self.commit {
            self.peers
                .retain(|peer| active.contains(peer.id) || peer.match_index < index);
        }
    }
}
