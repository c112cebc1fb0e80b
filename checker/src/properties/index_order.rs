//! The order of a node's indices, `snapshot ≤ applied ≤ commit ≤ last`, over a log without holes (Raft figure 2, §7).
//!
//! Stateless. Each part of the order is asked where it could break: `commit ≤ last` at a commit, the snapshot and the
//! holes at a boot, the snapshot when one is installed, the holes at each append. `applied ≤ commit` is asked by `apply-order`, and a truncation below the commit
//! index is refused by `committed-immutable`.

use super::PropertyInfo;
use super::ghost::{Ghost, Log};
use super::observation::EntryMark;
use super::violation::{Step, Verdict, Violation};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "index-order",
    about: "snapshot <= applied <= commit <= last on every node, and no log has a hole",
    source: "Raft figure 2 and section 7; the log panics of etcd; openraft state ordering",
};

/// The node of this step is about to move its commit index to `index`.
pub fn committed(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let last = ghost.node(step.node).log.last();
    if index <= last {
        return Ok(());
    }
    let message = format!(
        "node {} moved its commit index to {index}; its log ends at {last}.",
        step.node
    );
    let violation = step.broken(INFO.name, "commit-beyond-log", message);
    Err(violation.at_index(index).about_entries([last]))
}

/// An entry is about to be appended at `index` to this `log` of the step's node.
pub fn appended(step: Step, log: &Log, index: u64) -> Verdict {
    follows(step, log.last(), index)
}

/// The node of this step is about to boot from a snapshot and these entries.
pub fn booted(ghost: &Ghost, step: Step, snapshot: u64, entries: &[EntryMark]) -> Verdict {
    let committed = ghost.committed_last();
    if snapshot > committed {
        return Err(beyond_commit(step, "restarted from", snapshot, committed));
    }
    (snapshot..)
        .zip(entries)
        .try_for_each(|(last, entry)| follows(step, last, entry.index))
}

/// Memory or disk of this step's node is about to hold a snapshot up to `index`.
pub fn installed(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let committed = ghost.committed_last();
    if index <= committed {
        return Ok(());
    }
    Err(beyond_commit(step, "installed", index, committed))
}

#[cold]
fn beyond_commit(step: Step, how: &str, snapshot: u64, committed: u64) -> Box<Violation> {
    let node = step.node;
    let message = format!("node {node} {how} a snapshot up to entry {snapshot}; only {committed} are committed.");
    step.broken(INFO.name, "snapshot-beyond-commit", message)
        .at_index(snapshot)
}

fn follows(step: Step, last: u64, index: u64) -> Verdict {
    if index == last + 1 {
        return Ok(());
    }
    let message = format!("a log of node {} has entry {index} behind entry {last}.", step.node);
    Err(step.broken(INFO.name, "hole-or-overlap", message).at_index(index))
}
