//! The committed log is immutable: a node never removes, nor loses at a restart, what it holds of it (Raft §5.4.3).
//!
//! Stateless. What is really implied takes care, because a *correct* node may remove a committed entry: one that lags in
//! an old term can hold an entry, be told by an old leader that lacks it to remove it, and only later learn of the new
//! term in which others committed that very entry. So a truncation is wrong
//!
//! - at or below the node's own commit index, always; and
//! - where the node holds a committed entry and has reached the term of the leader that committed it: every leader it
//!   can hear since holds that entry.
//!
//! Over a restart: an entry that is durable and committed, and that memory did not truncate since the last boot, must be
//! recovered, whatever the disk did with writes that were not yet synced. A disk that forgets a sync is found here.
//!
//! A truncation of the disk is not asked again: it follows one of memory, perhaps so late that the node's term and the
//! committed log have moved on. What it removes wrongly is missed by `committed-durable`.

use super::PropertyInfo;
use super::ghost::{Ghost, Mark};
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "committed-immutable",
    about: "a node never removes, or loses at a restart, an entry that it holds and must know to be committed",
    source: "Raft section 5.4.3; CCF CommittedLogAppendOnlyProp",
};

/// Entries from `from` on, within the log, are about to be removed from memory.
pub fn truncated(ghost: &Ghost, step: Step, from: u64) -> Verdict {
    let node = ghost.node(step.node);
    if from <= node.commit {
        let commit = node.commit;
        let message = format!(
            "node {} removed entries from {from} on; its commit index is {commit}.",
            step.node
        );
        return Err(step
            .broken(INFO.name, "truncated-own-commit", message)
            .in_term(node.term)
            .at_index(from)
            .about_entries([commit]));
    }
    // If any entry from here on is held and committed, this one is: equal logs have equal beginnings.
    let Some(committed) = ghost.committed(from) else {
        return Ok(());
    };
    if committed.leader_term > node.term || !node.log.holds(from, committed.mark) {
        return Ok(());
    }
    let message = format!(
        "node {}, in term {}, removed entries from {from} on; that entry, of term {}, was committed by the leader of term {}.",
        step.node, node.term, committed.mark.term, committed.leader_term
    );
    Err(step
        .broken(INFO.name, "truncated-committed", message)
        .in_term(node.term)
        .at_index(from))
}

/// The last committed position that the disk of this step's node must still hold when it boots.
pub fn survivor(ghost: &Ghost, step: Step) -> Option<(u64, Mark)> {
    let node = ghost.node(step.node);
    let untouched = node.truncated_from.saturating_sub(1);
    let index = node.durable_log.last().min(untouched).min(ghost.committed_last());
    let mark = ghost.committed(index)?.mark;
    node.durable_log.holds(index, mark).then_some((index, mark))
}

/// The node of this step has booted, and had `survivor` on its disk before.
pub fn booted(ghost: &Ghost, step: Step, survivor: Option<(u64, Mark)>) -> Verdict {
    let Some((index, mark)) = survivor else { return Ok(()) };
    let log = &ghost.node(step.node).log;
    if log.holds(index, mark) {
        return Ok(());
    }
    let message = format!(
        "node {} restarted without entry {index} of term {}, which is committed and was on its disk; its log ends at {}.",
        step.node,
        mark.term,
        log.last()
    );
    Err(step
        .broken(INFO.name, "lost-at-restart", message)
        .in_term(mark.term)
        .at_index(index))
}
