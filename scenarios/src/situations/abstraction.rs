//! What a cluster's state is like, as one number: the same for states that differ only in what a search should not tell apart.
//!
//! Absolute terms, indexes and the names of the nodes are left out; what is kept of each node is its role, how far its term,
//! log, commit index and disk are behind the foremost, its part in the configuration, and whether it is receiving a snapshot,
//! holds a lease, or has cut links. Nodes are put in order, so that clusters which are alike up to their numbers are one. Which
//! kinds of messages are under way comes from whoever sees the network.

use super::cluster::{Mask, bit};
use super::view::View;
use super::watcher::Watcher;
use checker::properties::Role;

/// Most nodes of a cluster.
const NODES: usize = 16;

impl Watcher {
    /// The abstract state of the cluster, with these kinds of messages under way, a bit for each.
    pub fn abstraction(&self, under_way: u32) -> u64 {
        let views = self.views();
        let of = |value: fn(&View) -> u64| views.iter().map(value).max().unwrap_or(0);
        let foremost = Foremost {
            term: of(|view| view.term),
            last: of(|view| view.last),
            last_term: of(|view| view.terms.at(view.last).unwrap_or(0)),
            commit: of(|view| view.commit),
            voters: self.members().voters,
            outgoing: self.members().outgoing,
            learners: self.members().learners,
        };
        let mut codes = [0_u32; NODES];
        let count = views.len().min(NODES);
        for (node, view) in views.iter().enumerate().take(count) {
            codes[node] = code(node, view, &foremost) | u32::from(self.has_cut_links(node)) << 24;
        }
        codes[..count].sort_unstable();
        let seed = mix(u64::from(under_way) << 8 | count as u64);
        codes[..count]
            .iter()
            .fold(seed, |hash, code| mix(hash ^ u64::from(*code)))
    }
}

/// What the nodes are compared with.
struct Foremost {
    term: u64,
    last: u64,
    last_term: u64,
    commit: u64,
    voters: Mask,
    outgoing: Mask,
    learners: Mask,
}

/// One node in 24 bits.
fn code(node: usize, view: &View, foremost: &Foremost) -> u32 {
    let part = match bit(node) {
        own if foremost.voters & foremost.outgoing & own != 0 => 3,
        own if foremost.voters & own != 0 => 2,
        own if foremost.outgoing & own != 0 => 4,
        own if foremost.learners & own != 0 => 1,
        _ => 0,
    };
    let role = match view.role {
        Role::Follower => 0,
        Role::PreCandidate => 1,
        Role::Candidate => 2,
        Role::Leader => 3,
        Role::Learner => 4,
    };
    let fields = [
        (u32::from(view.up), 1),
        (role, 3),
        (step(foremost.term - view.term), 2),
        (step(foremost.last - view.last), 2),
        (step(foremost.last_term - view.terms.at(view.last).unwrap_or(0)), 2),
        (step(foremost.commit - view.commit), 2),
        (step(view.last.saturating_sub(view.commit)), 2),
        (u32::from(view.durable < view.last), 1),
        (part, 3),
        (u32::from(view.members().is_joint()), 1),
        (u32::from(view.receiving.is_some()), 1),
        (u32::from(view.lease.is_some()), 1),
        (u32::from(view.inherited.is_some()), 1),
    ];
    fields.into_iter().fold(0, |code, (value, bits)| code << bits | value)
}

/// A distance: none, one, a few, many.
fn step(distance: u64) -> u32 {
    match distance {
        0 => 0,
        1 => 1,
        2..=5 => 2,
        _ => 3,
    }
}

/// A permutation of the 64-bit numbers that leaves no pattern (the finaliser of SplitMix64).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use checker::properties::Observation;

    fn watcher() -> Watcher {
        let mut watcher = Watcher::new(3, 3);
        for node in 0..3 {
            let booted = Observation::Booted {
                term: 0,
                voted_for: None,
                snapshot: 0,
                entries: &[],
            };
            watcher.observe(node, &booted);
        }
        watcher
    }

    fn led(leader: u32, term: u64) -> Watcher {
        let mut watcher = watcher();
        for node in 0..3 {
            watcher.observe(node, &Observation::Term { term });
        }
        let role = Role::Leader;
        watcher.observe(leader, &Observation::Role { role, term });
        watcher
    }

    #[test]
    fn names_and_absolute_terms_make_no_difference() {
        assert_eq!(led(0, 3).abstraction(5), led(2, 7).abstraction(5));
    }

    #[test]
    fn roles_lags_messages_and_crashes_make_one() {
        let mut others = vec![
            watcher().abstraction(0),
            led(0, 3).abstraction(0),
            led(0, 3).abstraction(1),
        ];
        let mut behind = led(0, 3);
        behind.observe(1, &Observation::Term { term: 4 });
        others.push(behind.abstraction(0));
        behind.observe(1, &Observation::Crashed);
        others.push(behind.abstraction(0));
        let count = others.len();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), count);
    }
}
