//! Roles change only as the paper draws it (Raft figure 4; pre-vote: thesis §9.6; learners: thesis §4.2.1).
//!
//! ```text
//! follower → pre-candidate → candidate → leader        and from each back to follower
//! ```
//!
//! A candidate whose election timed out asks again as pre-candidate. Without pre-vote, a follower becomes candidate
//! directly and a candidate stands again in a later term. A candidate wins the term in which it stands. A learner never
//! stands. A boot makes a follower, so no node restarts as leader. A node that its leader told to stand (leadership
//! transfer, thesis §3.10) becomes candidate of the next term without pre-vote.
//!
//! Once a node has said which configuration it acts under, it becomes candidate or leader only as a voter of it. While
//! the entry of that configuration is not committed as far as the node knows, being a voter of the last one that is, or of any after
//! it, will do: a node that is removed may still be needed to elect a leader (thesis §4.2.2). How often a term may be won is left to
//! `election-safety`.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::observation::Role;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "legal-roles",
    about: "a node becomes leader only through pre-candidate and candidate, in the term in which it stands",
    source: "Raft figure 4; thesis sections 9.6 and 4.2.1; CCF StateTransitionsProp",
};

/// The rules of role changes, with or without pre-vote.
#[derive(Clone, Debug)]
pub struct LegalRoles {
    pre_vote: bool,
}

impl LegalRoles {
    /// Rules for elections with pre-vote, or without.
    pub fn new(pre_vote: bool) -> Self {
        Self { pre_vote }
    }

    /// The node of this step is about to take `role` in `term`; role or term differ from before.
    pub fn changed(&self, ghost: &Ghost, step: Step, role: Role, term: u64) -> Verdict {
        let node = ghost.node(step.node);
        let (before, before_term) = (node.role, node.role_term);
        let rule = match (role, before) {
            (Role::Follower | Role::Learner, _)
            | (Role::PreCandidate, Role::Follower | Role::PreCandidate | Role::Candidate)
            | (Role::Candidate, Role::PreCandidate) => None,
            (Role::PreCandidate | Role::Candidate, Role::Leader) => Some("leader-campaigns"),
            (Role::PreCandidate | Role::Candidate | Role::Leader, Role::Learner) => Some("learner-campaigns"),
            (Role::Candidate, Role::Follower | Role::Candidate) => {
                let told = node
                    .transfer
                    .is_some_and(|transfer| transfer.checked_add(1) == Some(term));
                (self.pre_vote && !told).then_some("skipped-pre-vote")
            }
            (Role::Leader, Role::Candidate) => (term != before_term).then_some("won-another-term"),
            (Role::Leader, Role::Follower) => Some("follower-to-leader"),
            (Role::Leader, Role::PreCandidate) => Some("pre-candidate-to-leader"),
            (Role::Leader, Role::Leader) => Some("leader-changed-term"),
        };
        let Some(rule) = rule else {
            return may_stand(ghost, step, role, term);
        };
        let message = format!(
            "node {}, {} in term {before_term}, became {} in term {term}.",
            step.node,
            before.name(),
            role.name()
        );
        Err(step.broken(INFO.name, rule, message).in_term(term))
    }
}

/// Whether the node of this step, about to take `role`, is a voter as far as that role takes one.
fn may_stand(ghost: &Ghost, step: Step, role: Role, term: u64) -> Verdict {
    let node = ghost.node(step.node);
    let (Role::Candidate | Role::Leader, Some(active)) = (role, node.membership.told()) else {
        return Ok(());
    };
    let votes = |id| ghost.configurations.get(id).votes(step.node);
    // Several may be uncommitted as far as the node knows, after a restart above all.
    let committed = node.membership.at(node.commit).index;
    let mut undecided = node
        .membership
        .placed()
        .iter()
        .filter(|placed| placed.index >= committed);
    if votes(active) || undecided.any(|placed| votes(placed.id)) {
        return Ok(());
    }
    let message = format!(
        "node {} became {} in term {term}; its configuration is {}.",
        step.node,
        role.name(),
        ghost.configurations.get(active).named()
    );
    Err(step.broken(INFO.name, "not-a-voter", message).in_term(term))
}
