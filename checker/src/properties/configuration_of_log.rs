//! A configuration takes effect when its entry is appended, and goes with it: a node acts under the last configuration in
//! its log, or in its snapshot (thesis §4.1).
//!
//! Compares what the node says with the mirrored log, after each append, truncation, installed snapshot and boot. Within
//! one event a node may say it late, so the comparison is made when the event is over. Also holds the harness's telling of
//! configurations to the log: one entry holds one configuration, and a snapshot holds the one that was committed up to it.
//! Whether the change was allowed is left to `one-change-at-a-time`.

use super::PropertyInfo;
use super::configuration::Members;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "configuration-of-log",
    about: "a node acts under the last configuration in its log, committed or not",
    source: "thesis section 4.1; Raft section 6; CCF configurations as a function of the log",
};

/// The nodes that still have to say, in the event under way, which configuration they now act under.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationOfLog {
    open: Vec<Step>,
}

impl ConfigurationOfLog {
    /// Log or configuration of this step's node have changed.
    pub fn changed(&mut self, ghost: &Ghost, step: Step) {
        let membership = &ghost.node(step.node).membership;
        let agree = membership.active() == membership.in_force().id;
        if !agree && self.open.iter().all(|open| open.node != step.node) {
            self.open.push(step);
        }
    }

    /// Judges the events before `event`.
    #[inline]
    pub fn settle(&mut self, ghost: &Ghost, event: u64) -> Verdict {
        if self.open.first().is_none_or(|open| open.at.event == event) {
            return Ok(());
        }
        let verdict = self.at_rest(ghost);
        self.open.clear();
        verdict
    }

    /// Judges what is left: no event is under way.
    pub fn at_rest(&self, ghost: &Ghost) -> Verdict {
        self.open.iter().try_for_each(|step| agrees(ghost, *step))
    }
}

fn agrees(ghost: &Ghost, step: Step) -> Verdict {
    let node = ghost.node(step.node);
    let (active, in_force) = (node.membership.active(), node.membership.in_force());
    if active == in_force.id || !node.up {
        return Ok(());
    }
    let named = |id| ghost.configurations.get(id).named();
    let message = format!(
        "node {} acts under {}; its log up to entry {} puts {} in force, by entry {}.",
        step.node,
        named(active),
        node.log.last(),
        named(in_force.id),
        in_force.index
    );
    Err(step
        .broken(INFO.name, "not-the-last-of-the-log", message)
        .in_term(node.term)
        .at_index(in_force.index))
}

/// The entry or snapshot at `index` of the step's node is said to hold these members.
pub fn told(ghost: &Ghost, step: Step, index: u64, members: Members<'_>) -> Verdict {
    let node = ghost.node(step.node);
    let Some(mark) = node.log.mark(index) else {
        return not_in_log(ghost, step, index);
    };
    let (known, rule) = match ghost.configurations.of_entry(mark.chain) {
        Some(known) => (known, "entry-differs"),
        None if index > 0 && index == node.snapshot => (ghost.configurations.committed_at(index), "snapshot-differs"),
        None => return Ok(()),
    };
    if ghost.configurations.consists_of(known, members) {
        return Ok(());
    }
    let Members {
        voters,
        outgoing,
        learners,
    } = members;
    let message = format!(
        "node {} holds, up to entry {index}, voters {voters:?}, outgoing {outgoing:?}, learners {learners:?}; that log \
         was known to hold {}.",
        step.node,
        ghost.configurations.get(known).named()
    );
    Err(step.broken(INFO.name, rule, message).at_index(index))
}

/// The node of this step says that it acts under the configuration of the entry at `index`.
pub fn activated(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    if index <= ghost.node(step.node).log.last() {
        return Ok(());
    }
    not_in_log(ghost, step, index)
}

#[cold]
fn not_in_log(ghost: &Ghost, step: Step, index: u64) -> Verdict {
    let last = ghost.node(step.node).log.last();
    let message = format!(
        "node {} has a configuration of entry {index}, which its log, up to entry {last}, does not hold.",
        step.node
    );
    Err(step.broken(INFO.name, "not-in-log", message).at_index(index))
}
