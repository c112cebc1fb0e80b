//! Quorums that decide one after the other share a node (Raft §6; thesis §4.1 and §4.3).
//!
//! What is asked, exactly: each decision is taken under a configuration. An election is under the one that the winner
//! acts under; a commit, under the one that gave the leader its copies. A decision must overlap with the last commit of
//! something new before it, and with the last election won since then. Two configurations overlap when some voter set of
//! one and some voter set of the other cannot have majorities without a common node. Joint consensus (both neighbours of
//! a joint configuration share a voter set with it) and changes by one server (neighbouring majorities meet) give just
//! that.
//!
//! Decisions that come late are not decisions: a leader that learns that an old entry of its is committed, when others
//! have long committed it, or a candidate that wins a term below that of the last decision, may act under a configuration
//! that is long gone.
//!
//! Not asked: configurations under which nobody decides, such as those of followers; pairs of decisions further apart
//! (two uncommitted changes that never decided next to each other); whether a winner really had a quorum of votes.
//! Whether a commit had its quorum is asked by `committed-durable`.

use super::PropertyInfo;
use super::configuration::{ConfigurationId, FOUNDING};
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "quorum-overlap",
    about: "the quorums of elections and commits that follow each other have a common node",
    source: "Raft section 6; thesis sections 4.1 and 4.3; raft.tla quorum intersection",
};

/// A decision that was taken.
#[derive(Clone, Copy, Debug)]
struct Decision {
    term: u64,
    under: ConfigurationId,
}

/// The decisions that the next one must overlap with.
#[derive(Clone, Debug)]
pub struct QuorumOverlap {
    commit: Decision,
    /// Won in a later term than that of `commit`.
    election: Option<Decision>,
}

impl Default for QuorumOverlap {
    fn default() -> Self {
        Self {
            commit: Decision {
                term: 0,
                under: FOUNDING,
            },
            election: None,
        }
    }
}

impl QuorumOverlap {
    /// The node of this step became leader of `term`.
    pub fn won(&mut self, ghost: &Ghost, step: Step, term: u64) -> Verdict {
        let highest = self.election.unwrap_or(self.commit).term;
        if term < highest {
            return Ok(());
        }
        let under = ghost.node(step.node).membership.active();
        let decision = Decision { term, under };
        let verdict = self.follows(ghost, step, decision, "election");
        self.election = Some(decision);
        verdict
    }

    /// The leader of this step is about to be the first to commit up to `index`, with copies by configuration `under`.
    pub fn committed(&mut self, ghost: &Ghost, step: Step, index: u64, under: ConfigurationId) -> Verdict {
        let term = ghost.node(step.node).role_term;
        let decision = Decision { term, under };
        let verdict = self.follows(ghost, step, decision, "commit");
        self.commit = decision;
        self.election = self.election.filter(|election| election.term > term);
        verdict.map_err(|violation| violation.at_index(index))
    }

    fn follows(&self, ghost: &Ghost, step: Step, decision: Decision, what: &str) -> Verdict {
        for before in std::iter::once(self.commit).chain(self.election) {
            if before.under == decision.under {
                continue;
            }
            let (old, new) = (
                ghost.configurations.get(before.under),
                ghost.configurations.get(decision.under),
            );
            if !old.overlaps(new) {
                let message = format!(
                    "the {what} by node {} in term {} was decided under {}, and the decision before it, in term {}, \
                     under {}: their quorums need no common node.",
                    step.node,
                    decision.term,
                    new.named(),
                    before.term,
                    old.named()
                );
                let violation = step.broken(INFO.name, "disjoint-quorums", message);
                return Err(violation.in_term(decision.term));
            }
        }
        Ok(())
    }
}
