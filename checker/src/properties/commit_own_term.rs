//! A leader commits by counting copies only entries of its own term; earlier ones follow with them (Raft §5.4.2,
//! figure 8).
//!
//! Stateless. An old entry on a majority of disks may still be overwritten by a later leader, so counting its copies
//! decides nothing: each advance of a leader's commit index ends at an entry of its own term.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "commit-own-term",
    about: "a leader moves its commit index only to an entry of its own term",
    source: "Raft figure 8 and section 5.4.2; CCF NeverCommitEntryPrevTermsProp",
};

/// The node of this step is about to move its commit index to `index`, within its log.
pub fn committed(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let node = ghost.node(step.node);
    let entry_term = node
        .log
        .mark(index)
        .expect("a commit index within the log was checked by index-order")
        .term;
    if !node.leads() || entry_term == node.role_term {
        return Ok(());
    }
    let term = node.role_term;
    let message = format!(
        "node {}, leader of term {term}, moved its commit index from {} to {index}, an entry of term {entry_term}.",
        step.node, node.commit
    );
    Err(step
        .broken(INFO.name, "entry-of-an-earlier-term", message)
        .in_term(term)
        .at_index(index)
        .about_entries([node.commit]))
}
