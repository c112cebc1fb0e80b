//! Heartbeats are paused, never stopped: a leader that is awake leaves no member without a message for so long that it may
//! take the leader for dead (Raft §5.2), however long the member has not answered; and a member that does answer gets one in
//! each heartbeat interval.
//!
//! Asked whenever the leader acts, on its own clock: a process that was held up cannot have sent anything meanwhile, and
//! whoever acts again has sent what was overdue when it is done. A heartbeat may be left out where it would come within a
//! quarter of the interval behind another message, and a leader looks at its clock once in an interval: hence the bounds.

use super::PropertyInfo;
use super::Timing;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "heartbeat-pause",
    about: "a leader at work leaves no member without a message for an election timeout, nor one that answers for two intervals",
    source: "Raft section 5.2; thesis section 3.4; exponential back-off with a cap",
};

/// The leader of this step has acted, and its last message to `member` left `silence` ns ago; since then the member has
/// answered, `answered` ns ago, or it has not.
pub fn silent(
    ghost: &Ghost,
    step: Step,
    timing: Option<Timing>,
    member: u32,
    silence: u64,
    answered: Option<u64>,
) -> Verdict {
    let Some(timing) = timing.filter(|_| ghost.node(step.node).leads_now()) else {
        return Ok(());
    };
    let two = timing.heartbeat_interval.saturating_mul(2);
    let (longest, usual) = (
        timing.election_timeout_min.max(two),
        two - timing.heartbeat_interval / 4,
    );
    let (rule, bound, since) = if silence >= longest {
        ("silent-for-an-election-timeout", longest, silence)
    } else if let Some(answered) = answered.filter(|answered| *answered >= usual) {
        ("back-off-from-one-that-answers", usual, answered)
    } else {
        return Ok(());
    };
    let message = format!(
        "node {}, a leader at work, has let node {member} be without a message for {since} ns; less than {bound} ns is allowed.",
        step.node
    );
    Err(step
        .broken(INFO.name, rule, message)
        .in_term(ghost.node(step.node).term)
        .with_nodes([member]))
}
