//! No disruption: a node that comes back, or that was removed, deposes no leader whom the others hear (thesis §9.6, §4.2.3).
//!
//! Three rules make that so, and each is asked of the node that keeps it, on that node's own clock:
//!
//! - with pre-vote, a node grants one only if it leads nobody, and has heard nothing of the leader of its term for the
//!   shortest election timeout;
//! - with check-quorum, a request for a vote that comes sooner than that, and not on the leader's order, does not move
//!   the node to the request's term;
//! - with pre-vote, a node that no leader has told to stand (§3.10) enters an election only with the pre-votes of a quorum
//!   of the configuration that it acts under.
//!
//! Not asked: that no term ever changes while a leader is at work. A correct leader steps down when it hears no quorum,
//! and a quorum that has not heard from it for long enough elects another; who hears whom is for the network to decide.
//! Nor what a node promised in an earlier life, which is for leases (`lease-disjointness`).

use super::PropertyInfo;
use super::Timing;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "no-disruption",
    about: "a node with a leader helps no candidate, and a candidate comes with the pre-votes of a quorum",
    source: "thesis sections 9.6 and 4.2.3",
};

/// What one node has heard in this life.
#[derive(Clone, Debug, Default)]
struct Ear {
    /// Term of the leader that spoke last, and when on the node's own clock.
    leader: Option<(u64, u64)>,
    /// The event in which a candidate asked who was not to be heard, and the term that it asked for.
    unheard: Option<(u64, u64)>,
    /// The pre-votes that came: for which term, and from whom. One of an earlier life may be for a later term.
    pre_votes: Vec<(u64, u32)>,
}

/// What all nodes have heard, and the rules that are held.
#[derive(Clone, Debug)]
pub struct NoDisruption {
    pre_vote: bool,
    timing: Option<Timing>,
    /// By node.
    ears: Vec<Ear>,
}

impl NoDisruption {
    /// The rules of clusters with pre-vote, or without; without `timing` nothing is asked.
    pub fn new(pre_vote: bool, timing: Option<Timing>) -> Self {
        Self {
            pre_vote,
            timing,
            ears: Vec::new(),
        }
    }

    fn ear(&mut self, node: u32) -> &mut Ear {
        let place = node as usize;
        if place >= self.ears.len() {
            self.ears.resize(place + 1, Ear::default());
        }
        &mut self.ears[place]
    }

    /// The node of this step starts anew.
    pub fn restarted(&mut self, step: Step) {
        *self.ear(step.node) = Ear::default();
    }

    /// The leader of `term` spoke to the node of this step at `clock`.
    pub fn leader_heard(&mut self, step: Step, term: u64, clock: u64) {
        self.ear(step.node).leader = Some((term, clock));
    }

    /// A candidate of `term` asked the node of this step for its vote at `clock`.
    pub fn vote_asked(&mut self, ghost: &Ghost, step: Step, term: u64, clock: u64) {
        let on = self.timing.is_some_and(|timing| timing.check_quorum);
        if on && self.has_leader(ghost, step, clock) {
            self.ear(step.node).unheard = Some((step.at.event, term));
        }
    }

    /// A granted pre-vote for `term` left the node of this step at `clock`.
    pub fn pre_vote_granted(&mut self, ghost: &Ghost, step: Step, term: u64, clock: u64) -> Verdict {
        if !self.pre_vote || !self.has_leader(ghost, step, clock) {
            return Ok(());
        }
        let own = ghost.node(step.node).term;
        let message = match self.ear(step.node).leader {
            Some((heard, at)) if heard == own => format!(
                "node {} granted a pre-vote for term {term} {} ns after the leader of its term {own} had spoken.",
                step.node,
                clock - at
            ),
            _ => format!(
                "node {}, the leader of term {own}, granted a pre-vote for term {term}.",
                step.node
            ),
        };
        Err(step
            .broken(INFO.name, "pre-vote-beside-a-leader", message)
            .in_term(term))
    }

    /// A granted pre-vote for `term` from node `from` reached the node of this step.
    pub fn pre_vote_received(&mut self, step: Step, term: u64, from: u32) {
        let pre_votes = &mut self.ear(step.node).pre_votes;
        if !pre_votes.contains(&(term, from)) {
            pre_votes.push((term, from));
        }
    }

    /// The node of this step is about to enter `term`.
    pub fn entered(&mut self, ghost: &Ghost, step: Step, term: u64) -> Verdict {
        let own = ghost.node(step.node).term;
        let unheard = self.ears.get(step.node as usize).and_then(|ear| ear.unheard);
        if term == own || unheard != Some((step.at.event, term)) {
            return Ok(());
        }
        let message = format!(
            "node {} left term {own}, whose leader it had just heard, for a candidate of term {term}.",
            step.node
        );
        Err(step.broken(INFO.name, "heard-a-candidate", message).in_term(term))
    }

    /// The node of this step is about to stand for election in `term`.
    pub fn stands(&mut self, ghost: &Ghost, step: Step, term: u64) -> Verdict {
        let node = ghost.node(step.node);
        let told = node.transfer.is_some_and(|by| by.checked_add(1) == Some(term));
        if !self.pre_vote || self.timing.is_none() || told {
            return Ok(());
        }
        let pre_votes = &mut self.ear(step.node).pre_votes;
        pre_votes.retain(|(asked, _)| *asked >= term);
        let granted = || {
            pre_votes
                .iter()
                .filter(|(asked, _)| *asked == term)
                .map(|(_, from)| *from)
        };
        let configuration = ghost.configurations.get(node.membership.active());
        if configuration.decides(|voter| voter == step.node || granted().any(|from| from == voter)) {
            return Ok(());
        }
        let message = format!(
            "node {} stands for election in term {term}; it has the pre-votes of {:?} for it, and acts under {}.",
            step.node,
            granted().collect::<Vec<_>>(),
            configuration.named()
        );
        let granted: Vec<u32> = granted().collect();
        let violation = step.broken(INFO.name, "stood-without-pre-votes", message);
        Err(violation.in_term(term).with_nodes(granted))
    }

    /// Whether the node of this step, at `clock`, leads or has just heard the leader of its term.
    fn has_leader(&mut self, ghost: &Ghost, step: Step, clock: u64) -> bool {
        let Some(timing) = self.timing else { return false };
        let node = ghost.node(step.node);
        let heard = self.ear(step.node).leader;
        let recent = |at: u64| clock < at.saturating_add(timing.election_timeout_min);
        node.leads_now() || heard.is_some_and(|(term, at)| term == node.term && recent(at))
    }
}
