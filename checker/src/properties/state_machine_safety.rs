//! State Machine Safety: no two nodes commit or apply different entries at the same index (Raft figure 3, §5.4.3).
//!
//! Stateless: reads the global record of commits, which the first commit of an index fills for ever. The comparison is of
//! hash chains, so one index answers for all before it.

use super::PropertyInfo;
use super::ghost::{Ghost, chain_next};
use super::observation::EntryMark;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "state-machine-safety",
    about: "what was committed first at an index is what every node commits and applies there, for ever",
    source: "Raft figure 3 and section 5.4.3; etcd and CCF LogInv; Vanlightly NoLogDivergence",
};

/// The node of this step is about to move its commit index to `index`, within its log.
pub fn committed(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let shared = index.min(ghost.committed_last());
    let Some(first) = ghost.committed(shared) else {
        return Ok(());
    };
    let log = &ghost.node(step.node).log;
    if log.holds(shared, first.mark) {
        return Ok(());
    }
    let message = format!(
        "node {} committed up to entry {index}, and its log up to entry {shared} (there of term {}) differs from what was \
         committed before (there of term {}, by the leader of term {}).",
        step.node,
        log.mark(shared).map_or(0, |mark| mark.term),
        first.mark.term,
        first.leader_term
    );
    Err(step
        .broken(INFO.name, "committed-another-entry", message)
        .in_term(first.mark.term)
        .at_index(shared))
}

/// The node of this step applied `entry`, at or below its commit index.
pub fn applied(ghost: &Ghost, step: Step, entry: &EntryMark) -> Verdict {
    let index = entry.index;
    let first = ghost
        .committed(index)
        .expect("an applied entry is committed, as apply-order checked");
    let before = ghost
        .committed_mark(index - 1)
        .expect("the record of commits has no holes");
    if chain_next(before.chain, entry.term, entry.digest) == first.mark.chain {
        return Ok(());
    }
    let message = format!(
        "node {} applied entry {index} of term {} with digest {:016x}; what was committed there, an entry of term {}, is \
         another one.",
        step.node, entry.term, entry.digest, first.mark.term
    );
    Err(step
        .broken(INFO.name, "applied-another-entry", message)
        .in_term(entry.term)
        .at_index(index))
}

/// Memory or disk of this step's node is about to hold a snapshot that ends with an entry of `term` at `index`, which is
/// committed.
pub fn installed(ghost: &Ghost, step: Step, index: u64, term: u64) -> Verdict {
    let first = ghost
        .committed_mark(index)
        .expect("a snapshot of committed entries was checked by index-order");
    if first.term == term {
        return Ok(());
    }
    let message = format!(
        "node {} installed a snapshot up to entry {index} of term {term}; what was committed there is of term {}.",
        step.node, first.term
    );
    Err(step
        .broken(INFO.name, "installed-another-entry", message)
        .in_term(term)
        .at_index(index))
}
