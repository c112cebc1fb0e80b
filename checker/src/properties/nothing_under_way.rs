//! Nothing is under way where nothing can be: a leader's account of what it has sent to a member, and what limits how much
//! more it may send, comes back to zero (etcd's leaks of in-flight windows and of uncommitted bytes).
//!
//! - Without messages under way there are no bytes under way.
//! - Once a member has acknowledged all that was sent to it, no message is.
//! - Once a leader has committed its whole log, it counts no uncommitted bytes.
//!
//! An account that stays too high narrows the window, for ever or until the next leader. That it is not too low, and what
//! the limits are, is not asked.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "nothing-under-way",
    about: "a leader's accounts of what is under way and uncommitted are empty when nothing is",
    source: "etcd/raft tracker.Inflights and uncommittedSize; etcd a370b6f, e419ba5",
};

/// What a leader counts as under way to one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    pub member: u32,
    pub messages: u64,
    pub bytes: u64,
    /// All that was sent is acknowledged.
    pub acknowledged: bool,
}

/// The leader of this step counts this.
pub fn counted(ghost: &Ghost, step: Step, under_way: UnderWay) -> Verdict {
    let UnderWay {
        member,
        messages,
        bytes,
        acknowledged,
    } = under_way;
    let rule = if messages == 0 && bytes > 0 {
        "bytes-without-messages"
    } else if acknowledged && messages > 0 {
        "messages-after-their-acknowledgement"
    } else {
        return Ok(());
    };
    let message = format!(
        "node {} counts {messages} messages with {bytes} bytes under way to node {member}{}.",
        step.node,
        if acknowledged {
            ", which has acknowledged all"
        } else {
            ""
        }
    );
    Err(step
        .broken(INFO.name, rule, message)
        .in_term(ghost.node(step.node).term)
        .with_nodes([member]))
}

/// The leader of this step counts so many bytes of entries of its term as uncommitted.
pub fn uncommitted(ghost: &Ghost, step: Step, bytes: u64) -> Verdict {
    let node = ghost.node(step.node);
    if bytes == 0 || !node.leads_now() || node.commit < node.log.last() {
        return Ok(());
    }
    let message = format!(
        "node {}, leader of term {}, has committed its whole log and counts {bytes} bytes as uncommitted.",
        step.node, node.role_term
    );
    Err(step
        .broken(INFO.name, "uncommitted-without-entries", message)
        .in_term(node.role_term))
}
