//! A leader is elected by a quorum: when a node takes the lead in a term, a quorum of the configuration that it acts under
//! has voted for it in that term (Raft §5.2).
//!
//! The votes are those that left the voters, or became durable on their disks; the winner's own among them. Asked at the
//! election itself, so a vote that was counted twice, or belongs to another term, shows although no second leader comes of it.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::one_durable_vote::OneDurableVote;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "elected-by-quorum",
    about: "a leader has the votes of a quorum of its configuration, given in its term",
    source: "Raft section 5.2; raft.tla BecomeLeader",
};

/// The node of this step is about to lead `term`.
pub fn won(ghost: &Ghost, votes: &OneDurableVote, step: Step, term: u64) -> Verdict {
    let configuration = ghost.configurations.get(ghost.node(step.node).membership.active());
    let voted = |voter| votes.given(voter, term) == Some(step.node);
    if configuration.decides(voted) {
        return Ok(());
    }
    let voters: Vec<u32> = ghost
        .nodes()
        .map(|(node, _)| node)
        .filter(|node| voted(*node))
        .collect();
    let message = format!(
        "node {} leads term {term} with the votes of {voters:?}; it acts under {}.",
        step.node,
        configuration.named()
    );
    let violation = step.broken(INFO.name, "too-few-votes", message);
    Err(violation.in_term(term).with_nodes(voters))
}
