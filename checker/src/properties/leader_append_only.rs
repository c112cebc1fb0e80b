//! Leader Append-Only: a leader never overwrites or deletes entries in its log (Raft figure 3, §5.3).
//!
//! Stateless. Also holds a leader to creating entries of its own term only. What a follower may remove is left to
//! `committed-immutable`.

use super::PropertyInfo;
use super::ghost::{Ghost, Node};
use super::observation::EntryMark;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "leader-append-only",
    about: "a leader only appends to its log, and only entries of its own term",
    source: "Raft figure 3 and section 5.3; CCF PermittedLogChangesProp",
};

/// Entries from `from` on, within the log, are about to be removed.
pub fn truncated(ghost: &Ghost, step: Step, from: u64) -> Verdict {
    let node = ghost.node(step.node);
    if !node.leads() {
        return Ok(());
    }
    let (term, last) = (node.role_term, node.log.last());
    let message = format!(
        "node {}, leader of term {term}, removed entries {from} to {last} of its log.",
        step.node
    );
    Err(step
        .broken(INFO.name, "leader-truncated", message)
        .in_term(term)
        .at_index(from))
}

/// A snapshot up to `index` is about to take the place of the log of `node`.
pub fn installed(node: &Node, step: Step, index: u64) -> Verdict {
    if !node.leads() {
        return Ok(());
    }
    let term = node.role_term;
    let message = format!(
        "node {}, leader of term {term}, installed a snapshot up to entry {index}.",
        step.node
    );
    Err(step
        .broken(INFO.name, "leader-installed", message)
        .in_term(term)
        .at_index(index))
}

/// `entry` is about to be appended to the log of `node`.
pub fn appended(node: &Node, step: Step, entry: &EntryMark) -> Verdict {
    if !node.leads() || entry.term == node.role_term {
        return Ok(());
    }
    let (term, index) = (node.role_term, entry.index);
    let message = format!(
        "node {}, leader of term {term}, appended entry {index} of term {}; a leader creates entries of its own term.",
        step.node, entry.term
    );
    Err(step
        .broken(INFO.name, "foreign-entry", message)
        .in_term(term)
        .at_index(index))
}
