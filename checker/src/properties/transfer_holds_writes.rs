//! A transfer of leadership holds writes: from when a leader takes the order to hand over until it has done so or given up,
//! it appends no command (thesis §3.10, step 1). Otherwise the target, which must have all of the leader's log, may never catch up.
//!
//! Configurations are no commands: a joint one that is committed meanwhile is left. They are told right behind their
//! entry, so an entry is judged when its event is over. How long a transfer may take is not asked here.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "transfer-holds-writes",
    about: "a leader that hands over appends no commands",
    source: "thesis section 3.10",
};

/// The transfers under way.
#[derive(Clone, Debug, Default)]
pub struct TransferHoldsWrites {
    /// (node, term of its leadership), of each that hands over.
    begun: Vec<(u32, u64)>,
    /// An entry that such a leader appended in the event under way, and is no configuration as far as is known: step, term, index.
    open: Option<(Step, u64, u64)>,
}

impl TransferHoldsWrites {
    /// The node of this step takes the order to hand over.
    pub fn begun(&mut self, ghost: &Ghost, step: Step) {
        self.ended(step);
        self.begun.push((step.node, ghost.node(step.node).role_term));
    }

    /// It has handed over, given up, or refused.
    pub fn ended(&mut self, step: Step) {
        self.begun.retain(|(node, _)| *node != step.node);
    }

    /// The node of this step has appended the entry at `index`.
    #[inline]
    pub fn appended(&mut self, ghost: &Ghost, step: Step, index: u64) {
        if self.begun.is_empty() {
            return;
        }
        let node = ghost.node(step.node);
        if node.leads_now() && self.begun.contains(&(step.node, node.role_term)) {
            self.open = Some((step, node.role_term, index));
        }
    }

    /// The entry at `index` of this step's node holds a configuration.
    pub fn is_configuration(&mut self, step: Step, index: u64) {
        self.open = self.open.filter(|(open, _, at)| (open.node, *at) != (step.node, index));
    }

    /// Judges the events before `event`.
    #[inline]
    pub fn settle(&mut self, event: u64) -> Verdict {
        if self.open.is_none_or(|(step, ..)| step.at.event == event) {
            return Ok(());
        }
        let verdict = self.at_rest();
        self.open = None;
        verdict
    }

    /// Judges what is left: no event is under way.
    pub fn at_rest(&self) -> Verdict {
        let Some((step, term, index)) = self.open else {
            return Ok(());
        };
        let message = format!(
            "node {}, leader of term {term}, appended a command at entry {index} while it handed over.",
            step.node
        );
        let violation = step.broken(INFO.name, "command-during-a-transfer", message);
        Err(violation.in_term(term).at_index(index))
    }
}
