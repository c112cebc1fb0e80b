//! Committed is durable: what a leader commits is on the disks of a majority of the voters (Raft §5.3; etcd
//! `CommittedIsDurableInv`).
//!
//! Stateless: reads the mirrored disks. The majority is counted here, of each voter set of the configuration that the
//! leader acts under (both while joint; learners never); the disk of a node that is down counts, and the leader's own
//! memory does not. So does what a disk had and lost by its own fault (`Damaged`), until the end of the run: its node said that it
//! has it, and a leader may hear that late. Where the configuration changes in the event of the commit, the one before it will do too. Because
//! only a leader decides that an entry is committed, no other node may be first to commit it. Whether a leader may commit
//! that entry by counting is left to `commit-own-term`, whether it acts under the right configuration to
//! `configuration-of-log`.

use super::PropertyInfo;
use super::configuration::{ConfigurationId, majority};
use super::ghost::{Ghost, Mark};
use super::observation::At;
use super::violation::{Step, Verdict, Violation};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "committed-durable",
    about: "what a leader commits is on the disks of a majority, and nobody commits before a leader does",
    source: "Raft section 5.3; etcd CommittedIsDurableInv and QuorumLogInv; Vanlightly CommittedEntriesReachMajority",
};

/// The node of this step is about to move its commit index to `index`, within its log; `under` is the configuration in
/// which, if it leads, it has the copies.
pub fn committed(ghost: &Ghost, step: Step, index: u64, under: Option<ConfigurationId>) -> Verdict {
    let node = ghost.node(step.node);
    if !node.leads() {
        let first = ghost.committed_last();
        if index <= first {
            return Ok(());
        }
        let (node, role) = (step.node, node.role.name());
        let message = format!("node {node}, a {role}, committed up to entry {index}; leaders committed up to {first}.");
        let violation = step.broken(INFO.name, "ahead-of-leaders", message);
        return Err(violation.at_index(index).about_entries([first]));
    }
    if under.is_some() {
        return Ok(());
    }
    let mark = node
        .log
        .mark(index)
        .expect("a commit index within the log was checked by index-order");
    let under = node.membership.active();
    Err(too_few(ghost, step, "too-few-copies", under, index, mark).in_term(node.role_term))
}

/// The run is over: the committed log must still be on the disks of a majority, of the configuration under which its end
/// was committed.
pub fn at_rest(ghost: &Ghost, at: At) -> Verdict {
    let index = ghost.committed_last();
    let Some(committed) = ghost.committed(index) else {
        return Ok(());
    };
    let under = ghost.decided_under;
    if ghost.durable_under(under, index, committed.mark) {
        return Ok(());
    }
    let mut voters = ghost.configurations.get(under).voter_sets().flatten();
    let lacks = |voter: &&u32| !ghost.node(**voter).durable_log.holds(index, committed.mark);
    let node = voters.find(lacks).copied().expect("a majority of the voters lacks it");
    let step = Step { at, node };
    Err(too_few(ghost, step, "copies-lost", under, index, committed.mark))
}

#[cold]
fn too_few(
    ghost: &Ghost,
    step: Step,
    rule: &'static str,
    under: ConfigurationId,
    index: u64,
    mark: Mark,
) -> Box<Violation> {
    let holders_of = |voters: &[u32]| -> Vec<u32> {
        let holds = |voter: &u32| ghost.node(*voter).durable_log.holds(index, mark);
        voters.iter().copied().filter(holds).collect()
    };
    let short = ghost
        .configurations
        .get(under)
        .voter_sets()
        .find(|voters| holders_of(voters).len() < majority(voters));
    let voters = short.expect("a voter set without a majority of copies was found");
    let holders = holders_of(voters);
    let message = format!(
        "entry {index} of term {} is committed, and on the disks of {} of {} voters ({holders:?}); a majority is {}.",
        mark.term,
        holders.len(),
        voters.len(),
        majority(voters)
    );
    step.broken(INFO.name, rule, message)
        .at_index(index)
        .with_nodes(voters.iter().copied())
}
