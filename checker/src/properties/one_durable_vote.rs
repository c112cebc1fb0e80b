//! One durable vote: a node votes for at most one candidate in a term, across restarts, and its vote is durable before it
//! leaves (Raft §5.2; thesis §3.8).
//!
//! Keeps every vote of every node, as it left the node or became durable, for the whole run: 16 bytes for each. A vote
//! may leave late, when the disk is already in a later term: then it is harmless, because the node cannot vote in its
//! term again. Pre-votes are not votes and are not told.

use super::PropertyInfo;
use super::ghost::{Ghost, HardState};
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "one-durable-vote",
    about: "a node votes for one candidate in a term, across restarts, and its vote is durable before it leaves",
    source: "Raft section 5.2; thesis section 3.8; raft.tla HandleRequestVoteRequest",
};

/// Every vote of every node.
#[derive(Clone, Debug, Default)]
pub struct OneDurableVote {
    /// By node: (term, candidate), in ascending order of terms.
    votes: Vec<Vec<(u64, u32)>>,
}

impl OneDurableVote {
    /// A vote left the node of this step.
    pub fn cast(&mut self, ghost: &Ghost, step: Step, term: u64, candidate: u32) -> Verdict {
        self.remember(step, term, candidate, "second-vote")?;
        let durable = ghost.node(step.node).durable;
        if durable.term > term || (durable.term, durable.voted_for) == (term, Some(candidate)) {
            return Ok(());
        }
        let message = format!(
            "node {} let its vote of term {term} for node {candidate} leave while its disk held term {} and {}.",
            step.node,
            durable.term,
            named(durable.voted_for)
        );
        let violation = step.broken(INFO.name, "vote-not-durable", message);
        Err(violation.in_term(term).with_nodes([candidate]))
    }

    /// Whom `node` voted for in `term`, as far as its vote has left or become durable.
    pub fn given(&self, node: u32, term: u64) -> Option<u32> {
        let votes = self.votes.get(node as usize)?;
        let at = votes.binary_search_by_key(&term, |(voted_term, _)| *voted_term).ok()?;
        Some(votes[at].1)
    }

    /// The disk of this step's node is about to hold `hard_state`, of no earlier term than before.
    pub fn durable(&mut self, ghost: &Ghost, step: Step, hard_state: HardState) -> Verdict {
        self.replaced(ghost, step, hard_state, "durable-vote-changed")
    }

    /// The node of this step is about to boot with `hard_state`, of no earlier term than its disk held.
    pub fn booted(&mut self, ghost: &Ghost, step: Step, hard_state: HardState) -> Verdict {
        self.replaced(ghost, step, hard_state, "vote-lost-at-restart")
    }

    fn replaced(&mut self, ghost: &Ghost, step: Step, hard_state: HardState, rule: &'static str) -> Verdict {
        let HardState { term, voted_for } = hard_state;
        let before = ghost.node(step.node).durable;
        if before.term == term && before.voted_for.is_some() && before.voted_for != voted_for {
            let message = format!(
                "the disk of node {} held {} in term {term}, and now holds {}.",
                step.node,
                named(before.voted_for),
                named(voted_for)
            );
            let candidates = before.voted_for.into_iter().chain(voted_for);
            let violation = step.broken(INFO.name, rule, message);
            return Err(violation.in_term(term).with_nodes(candidates));
        }
        voted_for.map_or(Ok(()), |candidate| self.remember(step, term, candidate, rule))
    }

    /// Records a vote, and objects if the node voted for somebody else in that term.
    fn remember(&mut self, step: Step, term: u64, candidate: u32, rule: &'static str) -> Verdict {
        let node = step.node as usize;
        if node >= self.votes.len() {
            self.votes.resize(node + 1, Vec::new());
        }
        let votes = &mut self.votes[node];
        // Terms only rise, so the place is at the end or next to it.
        let above = votes
            .iter()
            .rev()
            .take_while(|(voted_term, _)| *voted_term > term)
            .count();
        let place = votes.len() - above;
        let first = match place.checked_sub(1).map(|before| votes[before]) {
            Some((voted_term, first)) if voted_term == term => first,
            _ => {
                votes.insert(place, (term, candidate));
                return Ok(());
            }
        };
        if first == candidate {
            return Ok(());
        }
        let message = format!("node {node} voted for node {candidate} in term {term}, and before for node {first}.");
        let violation = step.broken(INFO.name, rule, message);
        Err(violation.in_term(term).with_nodes([candidate, first]))
    }
}

fn named(voted_for: Option<u32>) -> String {
    voted_for.map_or_else(
        || "no vote".to_owned(),
        |candidate| format!("a vote for node {candidate}"),
    )
}
