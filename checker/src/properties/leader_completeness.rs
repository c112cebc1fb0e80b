//! Leader Completeness: an entry committed in a term is in the logs of the leaders of all later terms (Raft figure 3,
//! §5.4).
//!
//! Stateless: reads the global record of commits. Asks twice: of a node that wins an election, and, because the leader of
//! an old term may learn late that its entry was committed, of the leaders of later terms when a commit becomes known.

use super::PropertyInfo;
use super::ghost::{Ghost, Mark};
use super::violation::{Step, Verdict, Violation};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "leader-completeness",
    about: "a leader's log holds every entry that was committed in an earlier term",
    source: "Raft figure 3 and section 5.4; etcd LeaderCompletenessInv; Vanlightly LeaderHasAllAckedValues",
};

/// The node of this step became leader of `term`.
pub fn won(ghost: &Ghost, step: Step, term: u64) -> Verdict {
    let index = ghost.committed_before_term(term);
    let Some(committed) = ghost.committed(index) else {
        return Ok(());
    };
    if ghost.node(step.node).log.holds(index, committed.mark) {
        return Ok(());
    }
    Err(incomplete(
        ghost,
        step,
        step.node,
        term,
        index,
        committed.mark,
        committed.leader_term,
    ))
}

/// The node of this step is about to move its commit index to `index`, within its log.
pub fn committed(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let node = ghost.node(step.node);
    if index <= ghost.committed_last() {
        return Ok(());
    }
    let mark = node
        .log
        .mark(index)
        .expect("a commit index within the log was checked by index-order");
    for (other, leader) in ghost.nodes() {
        if leader.leads() && leader.role_term > node.role_term && !leader.log.holds(index, mark) {
            return Err(incomplete(
                ghost,
                step,
                other,
                leader.role_term,
                index,
                mark,
                node.role_term,
            ));
        }
    }
    Ok(())
}

#[cold]
fn incomplete(
    ghost: &Ghost,
    step: Step,
    leader: u32,
    term: u64,
    index: u64,
    mark: Mark,
    leader_term: u64,
) -> Box<Violation> {
    let message = format!(
        "node {leader}, leader of term {term} with a log up to entry {}, lacks entry {index} of term {}, which the leader \
         of term {leader_term} committed.",
        ghost.node(leader).log.last(),
        mark.term
    );
    step.broken(INFO.name, "lacks-committed-entry", message)
        .in_term(term)
        .at_index(index)
        .with_nodes([leader])
}
