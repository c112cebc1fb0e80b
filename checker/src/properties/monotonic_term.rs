//! Terms only rise: in a node's memory, on its disk, over a restart, and along its log (Raft §5.1).
//!
//! Stateless: compares with the mirrored term. A log never holds an entry of a term that its node has not entered.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::observation::EntryMark;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "monotonic-term",
    about: "a node's term never falls, in memory, on disk or over a restart, nor do terms along its log",
    source: "Raft section 5.1; CCF MonotonicTermProp, MonoTermInv and MonoLogInv",
};

/// The node of this step says that its current term is `term`.
pub fn entered(ghost: &Ghost, step: Step, term: u64) -> Verdict {
    let before = ghost.node(step.node).term;
    if term >= before {
        return Ok(());
    }
    let message = format!("node {} went from term {before} back to term {term}.", step.node);
    Err(step.broken(INFO.name, "term-fell", message).in_term(term))
}

/// The disk of this step's node is about to hold `term`.
pub fn durable(ghost: &Ghost, step: Step, term: u64) -> Verdict {
    let before = ghost.node(step.node).durable.term;
    if term >= before {
        return Ok(());
    }
    let message = format!(
        "the disk of node {} held term {before}, and now holds term {term}.",
        step.node
    );
    Err(step.broken(INFO.name, "durable-term-fell", message).in_term(term))
}

/// The node of this step is about to boot in `term`.
pub fn booted(ghost: &Ghost, step: Step, term: u64) -> Verdict {
    let before = ghost.node(step.node).durable.term;
    if term >= before {
        return Ok(());
    }
    let message = format!(
        "node {} restarted in term {term}, although its disk had held term {before}.",
        step.node
    );
    Err(step.broken(INFO.name, "term-lost-at-restart", message).in_term(term))
}

/// `entry` is about to be appended to the log of this step's node, or is recovered by it.
pub fn appended(ghost: &Ghost, step: Step, entry: &EntryMark) -> Verdict {
    let node = ghost.node(step.node);
    let EntryMark { index, term, .. } = *entry;
    let before = node.log.last_mark().term;
    let (rule, message) = if term < before {
        (
            "log-term-fell",
            format!(
                "node {} holds entry {index} of term {term} behind one of term {before}.",
                step.node
            ),
        )
    } else if term > node.term {
        let current = node.term;
        (
            "entry-of-a-later-term",
            format!(
                "node {}, in term {current}, holds entry {index} of term {term}.",
                step.node
            ),
        )
    } else {
        return Ok(());
    };
    Err(step.broken(INFO.name, rule, message).in_term(term).at_index(index))
}
