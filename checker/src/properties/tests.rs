//! Tests of the properties: each fires on a stream that breaks it, and none on the streams of correct clusters.
//!
//! `cluster` is a small correct Raft that reports what it does; `clean` runs it under arbitrary schedules; `broken`
//! holds one stream for each rule of each property; `legal` holds the surprising streams that are correct.

mod broken;
mod clean;
mod cluster;
mod legal;

use super::{At, EntryMark, Observation, Properties, Role, Verdict};

/// Feeds observations one by one, numbering the events.
struct Feed {
    properties: Properties,
    events: u64,
}

impl Feed {
    /// `voters` nodes that booted from empty disks.
    fn new(voters: u32) -> Self {
        let mut feed = Self {
            properties: Properties::new(voters),
            events: 0,
        };
        for node in 0..voters {
            feed.ok(node, booted(0, None, 0, &[]));
        }
        feed
    }

    fn observe(&mut self, node: u32, observation: Observation<'_>) -> Verdict {
        self.events += 1;
        self.properties.observe(
            At {
                event: self.events,
                time: self.events * 1_000,
            },
            node,
            &observation,
        )
    }

    /// Feeds an observation that breaks nothing.
    fn ok(&mut self, node: u32, observation: Observation<'_>) {
        if let Err(violation) = self.observe(node, observation) {
            panic!("{observation:?} on node {node} should be fine: {violation}");
        }
    }

    /// Feeds an observation that breaks `signature` and nothing before it.
    fn breaks(&mut self, node: u32, observation: Observation<'_>, signature: &str) {
        let violation = self.observe(node, observation).expect_err(signature);
        assert_eq!(violation.signature(), signature, "{violation}");
        assert_eq!(violation.at.event, self.events);
        assert!(
            super::PROPERTIES
                .iter()
                .any(|property| property.name == violation.property)
        );
    }

    /// The node stands for election and, if it wins, leads; each of `voters` votes for it, durably.
    fn elect(&mut self, node: u32, term: u64, voters: &[u32]) {
        self.stand(node, term);
        for voter in voters {
            self.ok(*voter, Observation::Term { term });
            self.vote(*voter, term, node);
        }
        self.ok(node, role(Role::Leader, term));
    }

    /// The node stands for election in `term`, from the term before.
    fn stand(&mut self, node: u32, term: u64) {
        let before = term - 1;
        self.ok(node, role(Role::PreCandidate, before));
        self.ok(node, role(Role::Candidate, term));
    }

    /// The node stands for election without entering a new term.
    fn stand_in_same_term(&mut self, node: u32, term: u64) {
        self.ok(node, role(Role::PreCandidate, term));
        self.ok(node, role(Role::Candidate, term));
    }

    /// The node makes its vote durable and lets it leave.
    fn vote(&mut self, node: u32, term: u64, candidate: u32) {
        self.ok(node, durable(term, Some(candidate)));
        self.ok(node, vote(term, candidate));
    }

    fn follow(&mut self, node: u32, term: u64) {
        self.ok(node, role(Role::Follower, term));
    }

    /// The node appends the entry and syncs it.
    fn store(&mut self, node: u32, entry: EntryMark) {
        self.ok(node, Observation::Appended(entry));
        self.ok(node, Observation::DurableAppended(entry));
    }

    fn commit(&mut self, node: u32, index: u64) {
        self.ok(node, Observation::Committed { index });
    }
}

/// An entry whose content is a function of index and term.
fn entry(index: u64, term: u64) -> EntryMark {
    EntryMark {
        index,
        term,
        digest: index.wrapping_mul(1_000) + term,
    }
}

fn role(role: Role, term: u64) -> Observation<'static> {
    Observation::Role { role, term }
}

fn vote(term: u64, candidate: u32) -> Observation<'static> {
    Observation::VoteCast { term, candidate }
}

fn durable(term: u64, voted_for: Option<u32>) -> Observation<'static> {
    Observation::DurableHardState { term, voted_for }
}

fn applied(entry: EntryMark, state_hash: u64) -> Observation<'static> {
    Observation::Applied { entry, state_hash }
}

fn booted(term: u64, voted_for: Option<u32>, snapshot: u64, entries: &[EntryMark]) -> Observation<'_> {
    Observation::Booted {
        term,
        voted_for,
        snapshot,
        entries,
    }
}
