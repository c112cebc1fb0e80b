//! Leases are disjoint: while a leader may answer reads alone, no leader of another term does, or commits (thesis §6.4.1).
//!
//! Everything is in true time, which no node can read: the harness turns the end of a lease on the leader's clock into
//! it, so a clock that runs outside the bound that leases allow for is found here. A lease counts from when it is told
//! until its end, as long as its node is up and leads the term that it led then; a node that is paused counts, because it
//! may answer as soon as it goes on. What a read then sees is left to `read-freshness`.

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "lease-disjointness",
    about: "while a leader's lease lasts, nobody else has one and no leader of a later term commits",
    source: "thesis section 6.4.1; Moraru, Andersen and Kaminsky 2014, Paxos quorum leases",
};

/// The lease that a node had last.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    term: u64,
    until: u64,
}

/// The leases of all nodes.
#[derive(Clone, Debug, Default)]
pub struct LeaseDisjointness {
    /// By node.
    leases: Vec<Lease>,
    /// The latest end of any lease ever: behind it there is nothing to look for.
    end: u64,
}

impl LeaseDisjointness {
    /// The node of this step may answer reads alone until `until`.
    pub fn held(&mut self, ghost: &Ghost, step: Step, until: u64) -> Verdict {
        let node = ghost.node(step.node);
        let term = node.role_term;
        let place = step.node as usize;
        if place >= self.leases.len() {
            self.leases.resize(place + 1, Lease::default());
        }
        self.leases[place] = Lease { term, until };
        if until <= step.at.time {
            return Ok(());
        }
        let other = self.valid(ghost, step.at.time).find(|(other, _)| *other != step.node);
        self.end = self.end.max(until);
        let committed = ghost.committed(ghost.committed_last());
        let later = committed
            .map(|committed| committed.leader_term)
            .filter(|later| *later > term);
        let (rule, message) = if !node.leads_now() {
            let (role, now) = (node.role.name(), node.term);
            (
                "not-the-leader",
                format!("node {}, {role} in term {now}, holds a lease.", step.node),
            )
        } else if let Some((other, lease)) = other {
            let message = format!(
                "node {} holds a lease of term {term} until {until} ns, and node {other} one of term {} until {} ns.",
                step.node, lease.term, lease.until
            );
            ("two-leases", message)
        } else if let Some(later) = later {
            let message = format!(
                "node {} holds a lease of term {term} until {until} ns; the leader of term {later} has committed before.",
                step.node
            );
            ("lease-after-a-later-commit", message)
        } else {
            return Ok(());
        };
        let violation = step.broken(INFO.name, rule, message).in_term(term);
        Err(violation.with_nodes(other.map(|(other, _)| other)))
    }

    /// The node of this step gave up its lease.
    pub fn dropped(&mut self, step: Step) {
        if let Some(lease) = self.leases.get_mut(step.node as usize) {
            *lease = Lease::default();
        }
    }

    /// The node of this step is about to move its commit index.
    #[inline]
    pub fn committed(&self, ghost: &Ghost, step: Step) -> Verdict {
        if step.at.time >= self.end || !ghost.node(step.node).leads() {
            return Ok(());
        }
        let term = ghost.node(step.node).role_term;
        let earlier = self.valid(ghost, step.at.time).find(|(_, lease)| lease.term < term);
        let Some((holder, lease)) = earlier else {
            return Ok(());
        };
        let message = format!(
            "node {}, leader of term {term}, committed at {} ns; node {holder} has a lease of term {} until {} ns.",
            step.node, step.at.time, lease.term, lease.until
        );
        let violation = step.broken(INFO.name, "commit-under-a-lease", message);
        Err(violation.in_term(term).with_nodes([holder]))
    }

    /// The leases that are valid at `time`.
    fn valid<'a>(&'a self, ghost: &'a Ghost, time: u64) -> impl Iterator<Item = (u32, Lease)> + 'a {
        (0..).zip(self.leases.iter().copied()).filter(move |(holder, lease)| {
            let node = ghost.node(*holder);
            lease.until > time && node.leads_now() && node.role_term == lease.term
        })
    }
}
