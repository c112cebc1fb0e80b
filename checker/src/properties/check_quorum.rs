//! With check-quorum, a leader that hears no quorum steps down (thesis §6.2): within the longest election timeout, and one
//! heartbeat interval more, since it looks once in each.
//!
//! Asked whenever the leader acts, on its own clock, under the configuration that it has acted under for an interval at
//! least: one that loses the members that it hears by a change learns that at its next look.

use super::configuration::ConfigurationId;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};
use super::{PropertyInfo, Timing};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "check-quorum",
    about: "a leader that has not heard from a quorum for an election timeout steps down",
    source: "thesis section 6.2",
};

/// What one leader has not heard.
#[derive(Clone, Debug, Default)]
struct Deafness {
    term: u64,
    under: ConfigurationId,
    /// The leader's clock when a member was first unheard under this configuration.
    since: u64,
    event: u64,
    /// The members that were unheard for too long in `event`.
    unheard: Vec<u32>,
}

/// What all leaders have not heard.
#[derive(Clone, Debug, Default)]
pub struct CheckQuorum {
    /// By node.
    leaders: Vec<Deafness>,
}

impl CheckQuorum {
    /// The leader of this step acts at `clock`, and has not heard from `member` for `unheard` ns.
    pub fn unheard(
        &mut self,
        ghost: &Ghost,
        step: Step,
        timing: Option<Timing>,
        (member, unheard, clock): (u32, u64, u64),
    ) -> Verdict {
        let node = ghost.node(step.node);
        let Some(timing) = timing.filter(|timing| timing.check_quorum && node.leads_now()) else {
            return Ok(());
        };
        let (term, under) = (node.role_term, node.membership.active());
        let place = step.node as usize;
        if place >= self.leaders.len() {
            self.leaders.resize(place + 1, Deafness::default());
        }
        let deafness = &mut self.leaders[place];
        if (deafness.term, deafness.under) != (term, under) {
            *deafness = Deafness {
                term,
                under,
                since: clock,
                ..Deafness::default()
            };
        }
        if deafness.event != step.at.event {
            deafness.event = step.at.event;
            deafness.unheard.clear();
        }
        let bound = timing.election_timeout_max.saturating_add(timing.heartbeat_interval);
        if unheard >= bound {
            deafness.unheard.push(member);
        }
        let configuration = ghost.configurations.get(under);
        let heard = |voter: u32| voter == step.node || !deafness.unheard.contains(&voter);
        if clock < deafness.since.saturating_add(timing.heartbeat_interval) || configuration.decides(heard) {
            return Ok(());
        }
        let message = format!(
            "node {} still leads term {term}, and has not heard from {:?} for {bound} ns; it acts under {}.",
            step.node,
            deafness.unheard,
            configuration.named()
        );
        let unheard = deafness.unheard.iter().copied();
        let violation = step.broken(INFO.name, "deaf-leader", message);
        Err(violation.in_term(term).with_nodes(unheard))
    }
}
