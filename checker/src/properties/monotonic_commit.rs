//! The commit index never falls while a node is up (Raft figure 2).
//!
//! Stateless: compares with the mirrored commit index, which a boot sets back to the snapshot.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "monotonic-commit",
    about: "a node's commit index never falls while the node is up",
    source: "Raft figure 2; CCF MonotonicCommitIndexProp",
};

/// The node of this step is about to move its commit index to `index`.
pub fn advanced(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let before = ghost.node(step.node).commit;
    if index >= before {
        return Ok(());
    }
    let message = format!(
        "node {} moved its commit index from {before} back to {index}.",
        step.node
    );
    let violation = step.broken(INFO.name, "commit-fell", message);
    Err(violation.at_index(index).about_entries([before]))
}
