//! What a leader's dealings with its members let be seen: how long each was left without a message, and what the leader
//! believes of each. Owns when to tell it; what may be is left to the checkers.

use checker::properties::Observation;
use raft_core::{Body, Message, NodeId, Pace, Progress, Raft, Role, Stamp, Term};

/// The members of one leadership.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    term: Term,
    known: Vec<Member>,
    /// The group was quiet when the leader acted last.
    quiet: bool,
    /// Up to where the leader had committed when its accounts were told last.
    accounted: u64,
    /// The refusal that the leader is dealing with.
    refusal: Option<Refusal>,
}

/// A member's refusal of what the leader had sent.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    from: NodeId,
    acquaintance: u64,
    prev_index: u64,
}

impl Refusal {
    /// Of `message`, from this member, unless something newer contradicts it.
    fn of(message: &Message, peer: &Progress) -> Option<Self> {
        let Body::AppendRejected { prev_index, stamp, .. } = message.body else {
            return None;
        };
        let may_be = match peer.pace() {
            Pace::Probe { .. } => prev_index < peer.next_index(),
            Pace::Replicate => true,
            Pace::Snapshot { .. } => false,
        };
        (may_be && prev_index > peer.match_index()).then_some(Self {
            from: message.from,
            acquaintance: stamp.session,
            prev_index,
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Member {
    id: NodeId,
    /// When the last message left on the node's clock; at first, when it was met.
    sent: u64,
    /// When it answered, if it did since.
    answered: Option<u64>,
    /// When it was last heard; at first, when it was met.
    heard: u64,
    told: Option<Belief>,
}

/// What a leader believes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Belief {
    acquaintance: u64,
    match_index: u64,
    next_index: u64,
    messages: u64,
    bytes: u64,
}

impl Belief {
    fn of(peer: &Progress) -> Self {
        let (messages, bytes) = peer.under_way();
        Self {
            acquaintance: peer.acquaintance(),
            match_index: peer.match_index(),
            next_index: peer.next_index(),
            messages: messages as u64,
            bytes: bytes as u64,
        }
    }

    /// Whether it is told, when `before` was told last. A window that only fills is no news.
    fn is_news_after(&self, before: &Self) -> bool {
        (self.acquaintance, self.match_index) != (before.acquaintance, before.match_index)
            || self.next_index < before.next_index
            || (self.messages == 0 && self != before)
    }
}

impl Members {
    /// A message leaves a leader at `clock`.
    pub(super) fn sent(&mut self, message: &Message, clock: u64) {
        if !matches!(message.body, Body::AppendEntries { .. } | Body::InstallSnapshot { .. }) {
            return;
        }
        if let Some(member) = self.known.iter_mut().find(|member| member.id == message.to) {
            member.sent = clock;
            member.answered = None;
        }
    }

    /// A message reaches the node at `clock`, which may be a member's answer to a leader.
    pub(super) fn received(&mut self, message: &Message, raft: &Raft, clock: u64) {
        let stamp: Stamp = match message.body {
            Body::AppendAccepted { stamp, .. }
            | Body::AppendRejected { stamp, .. }
            | Body::SnapshotProgress { stamp, .. } => stamp,
            _ => return,
        };
        let known = |peer: &&Progress| peer.id == message.from && peer.acquaintance() == stamp.session;
        if message.term == raft.term()
            && let Some(peer) = raft.peers().iter().find(known)
            && let Some(member) = self.known.iter_mut().find(|member| member.id == message.from)
        {
            member.answered = Some(clock);
            member.heard = clock;
            self.refusal = Refusal::of(message, peer);
        }
    }

    /// The node has dealt with an input at `clock`, and all that it said has left.
    pub(super) fn acted(&mut self, raft: &Raft, clock: u64, mut tell: impl FnMut(Observation<'static>)) {
        let refusal = self.refusal.take();
        if raft.role() != Role::Leader {
            return;
        }
        if self.term != raft.term() {
            *self = Self {
                term: raft.term(),
                ..Self::default()
            };
        }
        let woke = std::mem::replace(&mut self.quiet, raft.is_quiet()) && !raft.is_quiet();
        let interval = raft.config().heartbeat_interval;
        self.known
            .retain(|member| raft.peers().iter().any(|peer| peer.id == member.id));
        for peer in raft.peers() {
            let member = self.member(peer.id, clock);
            let silence = clock - member.sent;
            if silence > interval && !raft.is_quiet() {
                tell(Observation::MemberSilent {
                    member: node_index(peer.id),
                    silence,
                    answered: member.answered.map(|at| clock - at),
                });
            }
            let belief = Belief::of(peer);
            // Nobody was asked to answer before.
            if woke || member.told.is_some_and(|told| told.acquaintance != belief.acquaintance) {
                member.heard = clock;
            }
            let unheard = clock - member.heard;
            if unheard > raft.config().election_timeout_max && !raft.is_quiet() {
                let member = node_index(peer.id);
                tell(Observation::MemberUnheard { member, unheard, clock });
            }
            let refusal =
                refusal.filter(|refusal| (refusal.from, refusal.acquaintance) == (peer.id, belief.acquaintance));
            if let Some(Refusal { prev_index, .. }) = refusal {
                tell(Observation::MemberRefused {
                    member: node_index(peer.id),
                    acquaintance: belief.acquaintance,
                    prev_index,
                    match_index: belief.match_index,
                    next_index: belief.next_index,
                });
            }
            if member.told.is_none_or(|told| belief.is_news_after(&told)) {
                tell(told(peer.id, belief));
            }
            member.told = Some(belief);
        }
        let (commit, last_index) = (raft.commit_index(), raft.log().last_index());
        if commit != self.accounted && commit == last_index && raft.status().applied == commit {
            self.accounted = commit;
            tell(Observation::Uncommitted {
                bytes: raft.uncommitted_bytes() as u64,
            });
        }
    }

    /// The members that the leader has not heard for `timeout`, at `clock`.
    pub(super) fn lost(&self, clock: u64, timeout: u64) -> impl Iterator<Item = u32> {
        let lost = move |member: &&Member| clock - member.heard >= timeout;
        self.known.iter().filter(lost).map(|member| node_index(member.id))
    }

    fn member(&mut self, id: NodeId, clock: u64) -> &mut Member {
        let at = self.known.iter().position(|member| member.id == id).unwrap_or_else(|| {
            self.known.push(Member {
                id,
                sent: clock,
                answered: None,
                heard: clock,
                told: None,
            });
            self.known.len() - 1
        });
        &mut self.known[at]
    }
}

fn told(member: NodeId, belief: Belief) -> Observation<'static> {
    let Belief {
        acquaintance,
        match_index,
        next_index,
        messages,
        bytes,
    } = belief;
    Observation::MemberProgress {
        member: node_index(member),
        acquaintance,
        match_index,
        next_index,
        messages,
        bytes,
    }
}

/// The number of a node in the world.
pub(super) fn node_index(id: NodeId) -> u32 {
    u32::try_from(id.0).expect("nodes are numbered from 0 by the world")
}
