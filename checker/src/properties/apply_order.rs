//! Entries are applied in the order of the log, each once in the life of a process, and only when committed (Raft
//! figure 2, §5.3).
//!
//! Stateless: compares with the mirrored applied and commit index. A boot starts again behind the snapshot.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "apply-order",
    about: "entries are applied in order, without gap or repetition, and only when committed",
    source: "Raft figure 2 and section 5.3; thesis section 3.8",
};

/// The node of this step applied the entry at `index`.
pub fn applied(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let node = ghost.node(step.node);
    let (applied, commit) = (node.applied, node.commit);
    let (rule, message) = if index <= applied {
        (
            "applied-again",
            format!("node {} applied entry {index} after entry {applied}.", step.node),
        )
    } else if index != applied + 1 {
        (
            "gap",
            format!("node {} applied entry {index} right after entry {applied}.", step.node),
        )
    } else if index > commit {
        (
            "not-committed",
            format!(
                "node {} applied entry {index}; its commit index is {commit}.",
                step.node
            ),
        )
    } else {
        return Ok(());
    };
    let violation = step.broken(INFO.name, rule, message);
    Err(violation.at_index(index).about_entries([applied]))
}
