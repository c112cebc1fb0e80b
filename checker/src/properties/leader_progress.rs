//! What a leader believes of its members is true (Raft figure 2: `matchIndex`, `nextIndex`).
//!
//! - The match index only rises, as long as the leader takes the member for the same: one that was removed and added
//!   again, or has lost its disk, is met anew.
//! - The next index is above it.
//! - The member's disk holds the leader's log up to the match index.
//!
//! The last is not asked of a member that is in a later term than the leader: it may have truncated since what it had
//! acknowledged. Nor of one whose disk has broken its promises in this run, which the leader learns of later.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "leader-progress",
    about: "a leader's match index of a member only rises, is below the next index, and is what the member's disk holds",
    source: "Raft figure 2; CCF MonotonicMatchIndexProp; Schultz 2022, AsyncRaft H_LeaderMatchIndexValid",
};

/// What a leader believes of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    pub member: u32,
    pub acquaintance: u64,
    pub match_index: u64,
    pub next_index: u64,
}

/// The latest belief of each leader about each member.
#[derive(Clone, Debug, Default)]
pub struct LeaderProgress {
    /// By leader: the term of its leadership, and what it believes.
    beliefs: Vec<(u64, Vec<Belief>)>,
    /// The nodes whose disks have broken their promises.
    damaged: Vec<u32>,
}

impl LeaderProgress {
    /// The disk of this step's node has lost or changed what it held.
    pub fn damaged(&mut self, step: Step) {
        self.damaged.push(step.node);
    }

    /// The leader of this step believes this now.
    pub fn believed(&mut self, ghost: &Ghost, step: Step, belief: Belief) -> Verdict {
        let node = ghost.node(step.node);
        if !node.leads_now() {
            return Ok(());
        }
        let Belief {
            member,
            match_index,
            next_index,
            ..
        } = belief;
        let before = self.replace(step.node, node.role_term, belief);
        let fell = before.filter(|before| before.match_index > match_index);
        let (rule, message) = if let Some(before) = fell {
            let message = format!(
                "has its match index of node {member} fall from {} to {match_index}.",
                before.match_index
            );
            ("match-fell", message)
        } else if next_index <= match_index {
            let message =
                format!("would send node {member} entry {next_index} next, and {match_index} is acknowledged.");
            ("next-not-above-match", message)
        } else if !self.is_true(ghost, step, belief) {
            let holds = ghost
                .nodes()
                .nth(member as usize)
                .map_or(0, |(_, peer)| peer.durable_log.last());
            let message = format!(
                "believes that the disk of node {member} holds its log up to {match_index}; that disk holds another log, or \
                 ends at {holds}."
            );
            ("match-not-durable", message)
        } else {
            return Ok(());
        };
        let message = format!("node {}, leader of term {}, {message}", step.node, node.role_term);
        let violation = step.broken(INFO.name, rule, message);
        let violation = violation.in_term(node.role_term).at_index(match_index);
        Err(violation.with_nodes([member]))
    }

    /// Records a belief; gives the one before it, of the same acquaintance in the same leadership.
    fn replace(&mut self, leader: u32, term: u64, belief: Belief) -> Option<Belief> {
        let place = leader as usize;
        if place >= self.beliefs.len() {
            self.beliefs.resize(place + 1, (0, Vec::new()));
        }
        let (known_term, beliefs) = &mut self.beliefs[place];
        if *known_term != term {
            *known_term = term;
            beliefs.clear();
        }
        match beliefs.iter_mut().find(|known| known.member == belief.member) {
            Some(known) => {
                let before = std::mem::replace(known, belief);
                Some(before).filter(|before| before.acquaintance == belief.acquaintance)
            }
            None => {
                beliefs.push(belief);
                None
            }
        }
    }

    fn is_true(&self, ghost: &Ghost, step: Step, belief: Belief) -> bool {
        let Belief {
            member, match_index, ..
        } = belief;
        let leader = ghost.node(step.node);
        let Some((_, peer)) = ghost.nodes().nth(member as usize) else {
            return match_index == 0;
        };
        let moved_on = peer.term.max(peer.durable.term) > leader.role_term;
        if match_index == 0 || moved_on || self.damaged.contains(&member) {
            return true;
        }
        let mark = leader.log.mark(match_index);
        let below = match_index < leader.snapshot;
        let mark = mark.or_else(|| ghost.committed_mark(match_index).filter(|_| below));
        mark.is_some_and(|mark| peer.durable_log.holds(match_index, mark))
    }
}
