//! A leader that removes itself leads on until its removal is committed (thesis §4.2.2). If it quits before, nobody may be
//! left who has the entry, and who could be elected under it: the change, and with it the cluster, waits for a timeout.
//!
//! Asked of the event in which the leader appends a configuration in which it has no vote: only that it hears no quorum any
//! more can have made it quit its own term then. Later it may for other reasons, such as a write that failed.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::observation::Role;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "leads-until-removed",
    about: "a leader that appends its own removal leads on until that is committed",
    source: "thesis section 4.2.2",
};

/// The latest removal that a leader appended of itself.
#[derive(Clone, Debug, Default)]
pub struct LeadsUntilRemoved {
    /// Where, and at which entry.
    removal: Option<(Step, u64)>,
    /// The members that it has lost sight of by then.
    lost: Vec<u32>,
}

impl LeadsUntilRemoved {
    /// The log of this step's node has got a configuration at `index`.
    pub fn appended(&mut self, ghost: &Ghost, step: Step, index: u64) {
        let node = ghost.node(step.node);
        let id = node.membership.at(index).id;
        if node.leads_now() && !ghost.configurations.get(id).votes(step.node) {
            self.removal = Some((step, index));
            self.lost.clear();
        }
    }

    /// The leader of this step has not heard `member` for an election timeout, and quits.
    pub fn lost(&mut self, step: Step, member: u32) {
        if self.removal.is_some_and(|(removal, _)| is_same_event(removal, step)) {
            self.lost.push(member);
        }
    }

    /// The node of this step is about to take a role.
    pub fn changed(&self, ghost: &Ghost, step: Step, role: Role, term: u64) -> Verdict {
        let node = ghost.node(step.node);
        let quits = node.leads() && role != Role::Leader && term == node.role_term;
        let open = |(removal, index): &(Step, u64)| is_same_event(*removal, step) && node.commit < *index;
        let Some((_, index)) = self.removal.filter(|removal| quits && open(removal)) else {
            return Ok(());
        };
        let configuration = ghost.configurations.get(node.membership.at(index).id);
        if !configuration.decides(|voter| !self.lost.contains(&voter)) {
            return Ok(());
        }
        let message = format!(
            "node {}, leader of term {term}, has appended its removal at entry {index}, which is not committed, and leads no \
             more.",
            step.node
        );
        let violation = step.broken(INFO.name, "quit-before-committed", message);
        Err(violation.in_term(term).at_index(index))
    }
}

fn is_same_event(one: Step, other: Step) -> bool {
    (one.node, one.at.event) == (other.node, other.at.event)
}
