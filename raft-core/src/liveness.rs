//! Time: election timeouts (paper, section 5.2), heartbeats that are left out where replication serves as one and back off
//! where nobody answers, check-quorum (thesis, section 6.2), and quiescence.

use crate::bugs::bug;
use crate::io::{Input, Refusal};
use crate::message::Body;
use crate::raft::{Raft, Role};
use crate::types::{NodeId, Time};

impl Raft {
    /// When to give [`Input::Timeout`], if nothing else comes before; `None` when only an input can change anything.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if self.failed.is_some() {
            return None;
        }
        let read = self.reads.forwarded.front().map(|forwarded| forwarded.deadline);
        let role = match self.role {
            _ if self.quiet => None,
            Role::Leader => self.leader_deadline(),
            _ => self.may_campaign().then_some(self.election_deadline),
        };
        earlier(read, role)
    }

    pub(crate) fn check_timers(&mut self) {
        if self.failed.is_some() {
            return;
        }
        self.give_up_forwarded_reads();
        match self.role {
            _ if self.quiet => {}
            Role::Leader => self.leader_timers(),
            _ if self.now >= self.election_deadline && self.may_campaign() => self.election_timeout(),
            _ => {}
        }
    }

    /// A voter that has all it ever acknowledged stands for election. So does one that its own log leaves out, until that is
    /// committed as far as it knows: it may be the only one whose log is good enough to win, and to commit its removal (thesis,
    /// section 4.2.2). It does not count its own vote then; the configuration sees to that.
    pub(crate) fn may_campaign(&self) -> bool {
        let voter = self.configurations.may_need(self.config.id, self.commit) || bug!(self, LearnerCampaigns);
        voter && self.remembers()
    }

    /// Who leads, as far as this node knows. What a node that has no election timer heard long ago is no knowledge.
    pub(crate) fn known_leader(&self) -> Option<NodeId> {
        let recent = |heard: Time| self.now < heard.after(2 * self.config.election_timeout_max);
        let current = self.quiet || self.role == Role::Leader || self.leader_heard.is_some_and(recent);
        self.leader.filter(|_| current)
    }

    /// Draws the next election timeout (section 5.2). A node of lower priority waits longer at first, and less after each
    /// election that came to nothing, so that it can never keep the cluster without a leader.
    pub(crate) fn reset_election_timer(&mut self) {
        let timeout = match bug!(self, FixedElectionTimeout) {
            true => self.config.election_timeout_min,
            false => self
                .jitter
                .between(self.config.election_timeout_min, self.config.election_timeout_max),
        };
        let steps = u64::from(crate::Config::PRIORITY_MAX - self.config.priority);
        let delay = (steps * self.config.election_timeout_max) >> self.elections_in_vain.min(63);
        self.election_deadline = self.now.after(timeout).after(delay);
    }

    /// A leader of the current term has spoken.
    pub(crate) fn hear_leader(&mut self, leader: NodeId) {
        assert_ne!(self.role, Role::Leader, "there is one leader in a term");
        self.become_follower(self.term(), Some(leader));
        self.elections_in_vain = 0;
        self.reset_election_timer();
        self.leader_heard = Some(self.now);
    }

    /// Whether this node believes that a leader is at work: it is one, or has heard of one within the shortest election
    /// timeout.
    pub(crate) fn leader_alive(&self) -> bool {
        let heard = self
            .leader_heard
            .is_some_and(|heard| self.now < heard.after(self.config.election_timeout_min));
        let heard = heard && !bug!(self, LeaseWithoutStickiness);
        self.role == Role::Leader || heard || (self.leader.is_some() && bug!(self, PreCandidateKeepsLeader))
    }

    /// Thesis, section 4.2.3: a candidate that comes while a leader is at work is not heard at all, unless the leader has
    /// sent it. Removed servers can't disturb the others, and leases hold.
    pub(crate) fn ignores(&self, body: &Body) -> bool {
        if bug!(self, IgnoreHigherTermInReply) && body.is_reply() {
            return true;
        }
        let uncalled = matches!(body, Body::RequestVote { transfer: false, .. });
        uncalled && self.config.check_quorum && self.leader_alive()
    }

    /// A leader with followers acts once in each heartbeat interval, for all of them.
    fn leader_deadline(&self) -> Option<Time> {
        let tick = (!self.peers.is_empty()).then_some(self.tick_deadline);
        let transfer = self.transfer.as_ref().map(|transfer| transfer.deadline);
        earlier(tick, transfer)
    }

    fn leader_timers(&mut self) {
        self.give_up_transfer();
        if self.now >= self.tick_deadline {
            self.tick();
            if self.role == Role::Leader && !self.quiet {
                self.send_heartbeats();
            }
        }
    }

    /// A heartbeat interval has passed.
    pub(crate) fn tick(&mut self) {
        self.tick_deadline = self.now.after(self.config.heartbeat_interval);
        if self.config.check_quorum && !self.hears_quorum() && !bug!(self, NoCheckQuorum) {
            return self.become_follower(self.term(), None);
        }
        if bug!(self, TermBumpWithoutStepDown) && self.leader != Some(self.config.id) {
            return self.become_follower(self.term(), self.leader);
        }
        self.reads.begin_round(self.now);
        self.round_confirmed();
        self.peers.iter_mut().for_each(crate::Progress::tick);
        if self.may_go_quiet() {
            self.go_quiet();
        }
    }

    /// Whether a quorum has answered within the longest election timeout.
    fn hears_quorum(&self) -> bool {
        let heard = self.reached_by_quorum(self.now.0, |peer| peer.heard.0);
        self.now < Time(heard).after(self.config.election_timeout_max)
    }

    /// Section 5.2: heartbeats keep the others from starting elections. Whoever got a message lately needs none: one that
    /// falls due within a quarter of the interval is sent now, any other waits for the next tick.
    fn send_heartbeats(&mut self) {
        let (interval, max) = (self.config.heartbeat_interval, self.config.heartbeat_interval_max());
        let soon = self.now.after(interval / 4);
        for at in 0..self.peers.len() {
            if self.peers[at].heartbeat_due(interval, max) <= soon {
                self.send_heartbeat(at, false);
            }
        }
    }

    pub(crate) fn broadcast_heartbeat(&mut self) {
        (0..self.peers.len()).for_each(|at| self.send_heartbeat(at, false));
    }

    /// A group goes quiet when there was nothing to do for long enough, everybody has everything, and everybody is there.
    fn may_go_quiet(&self) -> bool {
        let last_index = self.log.last_index();
        let idle = |after| self.now >= self.busy_at.after(after);
        let settled = |peer: &crate::Progress| {
            peer.match_index == last_index && self.now < peer.heard.after(self.config.election_timeout_min)
        };
        self.config.quiesce_after.is_some_and(idle)
            && self.commit == last_index
            && self.reads.pending() == 0
            && self.transfer.is_none()
            && self.peers.iter().all(settled)
    }

    fn go_quiet(&mut self) {
        (0..self.peers.len()).for_each(|at| self.send_heartbeat(at, true));
        self.quiet = true;
    }

    /// The leader goes quiet, and so does a follower that has everything.
    pub(crate) fn follow_into_quiet(&mut self, quiesce: bool) {
        self.quiet = quiesce && self.commit == self.log.last_index() && self.role == Role::Follower;
    }

    /// Whatever is not part of falling quiet ends it: a leader speaks to everybody, the others wait for it to.
    pub(crate) fn wake_for(&mut self, input: &Input) {
        if bug!(self, TimerResetByTraffic)
            && matches!(input, Input::Message(_) | Input::Propose { .. } | Input::Read { .. })
        {
            self.reset_election_timer();
        }
        let part_of_it = match input {
            Input::Message(message) => {
                matches!(
                    message.body,
                    Body::AppendAccepted { .. } | Body::AppendEntries { quiesce: true, .. }
                )
            }
            Input::Persisted(_) | Input::Applied(_) | Input::SnapshotTaken { .. } | Input::Timeout => true,
            _ => false,
        };
        if part_of_it {
            return;
        }
        if !matches!(input, Input::Message(_)) {
            self.busy_at = self.now;
        }
        if self.quiet {
            self.quiet = false;
            self.busy_at = self.now;
            self.reset_election_timer();
            if self.role == Role::Leader {
                // Nobody has been asked to answer meanwhile.
                let now = self.now;
                self.peers.iter_mut().for_each(|peer| peer.answered(now));
                self.tick();
                self.broadcast_heartbeat();
            }
        }
    }

    /// Reads that were passed on to a leader who does not answer.
    fn give_up_forwarded_reads(&mut self) {
        while let Some(read) = self.reads.forwarded.pop_front_if(|read| read.deadline <= self.now) {
            self.refuse(read.id, Refusal::NoAnswer);
        }
    }
}

fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
