//! Election Safety: at most one leader in a term (Raft figure 3, §5.2).
//!
//! Keeps the winner of every term for the whole run, so that a second leader is found also when the first one is long
//! gone. Each election is for a term that the candidate has just entered, so winning the same term twice is wrong for
//! one node too. Whether a node may win from the role it was in is left to `legal-roles`.

use std::collections::BTreeMap;

use super::PropertyInfo;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "election-safety",
    about: "a term is won at most once, by one node, over the whole run",
    source: "Raft figure 3 and section 5.2; raft.tla elections; etcd ElectionSafetyInv",
};

/// The winner of each term: one entry for each election that was won.
#[derive(Clone, Debug, Default)]
pub struct ElectionSafety {
    winners: BTreeMap<u64, u32>,
}

impl ElectionSafety {
    /// The node of this step became leader of `term`.
    pub fn won(&mut self, step: Step, term: u64) -> Verdict {
        let Some(first) = self.winners.insert(term, step.node) else {
            return Ok(());
        };
        let node = step.node;
        let (rule, message) = if first == node {
            (
                "term-won-twice",
                format!("node {node} became leader of term {term} again, after it had ceased to be."),
            )
        } else {
            (
                "second-leader",
                format!("node {node} became leader of term {term}, which node {first} had won before."),
            )
        };
        Err(step.broken(INFO.name, rule, message).in_term(term).with_nodes([first]))
    }
}
