//! One change of configuration at a time (Raft §6; thesis §4.1 and §4.3).
//!
//! A leader appends a configuration only when
//!
//! - it has committed an entry of its own term: before, a change of an earlier leader that it does not know of may still
//!   win (the bug of single-server changes that Ongaro reported in 2015); and
//! - the configuration before, in its log, is committed: so a joint one is left only when it is, and at most one is
//!   uncommitted.
//!
//! The first entry of a log may be a configuration too: with it, the first leader writes down who founded the cluster.
//!
//! A commit and the append that it permits may come in one event, the append first; so an append whose permission is
//! missing is judged when the event is over. What the new configuration may be is left to `quorum-overlap`. What a leader
//! inherits uncommitted, in whatever number, is not its own doing and is not asked.

use super::PropertyInfo;
use super::configuration::Placed;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "one-change-at-a-time",
    about: "a leader appends a configuration only when the one before, and an entry of its term, are committed",
    source: "Raft section 6; thesis sections 4.1 and 4.3; Ongaro 2015, bug in single-server membership changes",
};

/// A configuration that a leader appended before what permits it.
#[derive(Clone, Copy, Debug)]
struct Change {
    step: Step,
    term: u64,
    index: u64,
    before: Placed,
}

/// The changes of the event under way that still lack their permission.
#[derive(Clone, Debug, Default)]
pub struct OneChangeAtATime {
    open: Vec<Change>,
}

impl OneChangeAtATime {
    /// The node of this step is about to hold a configuration at `index` of its log, behind that of `before`.
    pub fn appended(&mut self, ghost: &Ghost, step: Step, index: u64, before: Placed) {
        let node = ghost.node(step.node);
        if !node.leads() || index == 1 {
            return;
        }
        let change = Change {
            step,
            term: node.role_term,
            index,
            before,
        };
        if missing(ghost, &change).is_some() {
            self.open.push(change);
        }
    }

    /// Judges the events before `event`.
    #[inline]
    pub fn settle(&mut self, ghost: &Ghost, event: u64) -> Verdict {
        if self.open.first().is_none_or(|open| open.step.at.event == event) {
            return Ok(());
        }
        let verdict = self.at_rest(ghost);
        self.open.clear();
        verdict
    }

    /// Judges what is left: no event is under way.
    pub fn at_rest(&self, ghost: &Ghost) -> Verdict {
        self.open.iter().try_for_each(|change| permitted(ghost, change))
    }
}

/// The rule that stands against the change, if any.
fn missing(ghost: &Ghost, change: &Change) -> Option<&'static str> {
    let node = ghost.node(change.step.node);
    let committed_term = node.log.mark(node.commit).map(|mark| mark.term);
    if committed_term.is_none_or(|term| term < change.term) {
        Some("before-own-term")
    } else if node.commit >= change.before.index {
        None
    } else if ghost.configurations.get(change.before.id).is_joint() {
        Some("left-uncommitted-joint")
    } else {
        Some("second-uncommitted-change")
    }
}

fn permitted(ghost: &Ghost, change: &Change) -> Verdict {
    let Some(rule) = missing(ghost, change) else {
        return Ok(());
    };
    let Change {
        step,
        term,
        index,
        before,
    } = *change;
    let commit = ghost.node(step.node).commit;
    let message = format!(
        "node {}, leader of term {term}, appended a configuration at entry {index}, behind that of entry {}; its commit \
         index is {commit}.",
        step.node, before.index
    );
    let violation = step.broken(INFO.name, rule, message).in_term(term);
    Err(violation.at_index(index).about_entries([before.index]))
}
