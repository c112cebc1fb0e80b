//! Committed is durable: what a leader commits is on the disks of a majority of the voters (Raft §5.3; etcd
//! `CommittedIsDurableInv`).
//!
//! Stateless: reads the mirrored disks. The majority is counted here, over all voters; the disk of a node that is down
//! counts, and the leader's own memory does not. Because only a leader decides that an entry is committed, no other node
//! may be first to commit it. Whether a leader may commit that entry by counting is left to `commit-own-term`.

use super::PropertyInfo;
use super::ghost::{Ghost, Mark};
use super::observation::At;
use super::violation::{Step, Verdict, Violation};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "committed-durable",
    about: "what a leader commits is on the disks of a majority, and nobody commits before a leader does",
    source: "Raft section 5.3; etcd CommittedIsDurableInv and QuorumLogInv; Vanlightly CommittedEntriesReachMajority",
};

/// The node of this step is about to move its commit index to `index`, within its log.
pub fn committed(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let node = ghost.node(step.node);
    if !node.leads() {
        let first = ghost.committed_last();
        if index <= first {
            return Ok(());
        }
        let (node, role) = (step.node, node.role.name());
        let message = format!("node {node}, a {role}, committed up to entry {index}; leaders committed up to {first}.");
        return Err(step.broken(INFO.name, "ahead-of-leaders", message).at_index(index));
    }
    let mark = node
        .log
        .mark(index)
        .expect("a commit index within the log was checked by index-order");
    if ghost.durable_copies(index, mark) >= ghost.configuration.majority() {
        return Ok(());
    }
    Err(too_few(ghost, step, "too-few-copies", index, mark).in_term(node.role_term))
}

/// The run is over: the committed log must still be on the disks of a majority.
pub fn at_rest(ghost: &Ghost, at: At) -> Verdict {
    let index = ghost.committed_last();
    let Some(committed) = ghost.committed(index) else {
        return Ok(());
    };
    if ghost.durable_copies(index, committed.mark) >= ghost.configuration.majority() {
        return Ok(());
    }
    let node = ghost.configuration.voters()[0];
    Err(too_few(ghost, Step { at, node }, "copies-lost", index, committed.mark))
}

#[cold]
fn too_few(ghost: &Ghost, step: Step, rule: &'static str, index: u64, mark: Mark) -> Box<Violation> {
    let voters = ghost.configuration.voters();
    let holders: Vec<u32> = voters
        .iter()
        .copied()
        .filter(|voter| ghost.node(*voter).durable_log.holds(index, mark))
        .collect();
    let message = format!(
        "entry {index} of term {} is committed, and on the disks of {} of {} voters ({holders:?}); a majority is {}.",
        mark.term,
        holders.len(),
        voters.len(),
        ghost.configuration.majority()
    );
    step.broken(INFO.name, rule, message).at_index(index)
}
