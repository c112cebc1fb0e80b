//! Tests of the properties: each fires on a stream that breaks it, and none on the streams of correct clusters.
//!
//! `cluster` is a small correct Raft that reports what it does; `clean` runs it under arbitrary schedules; `broken`
//! holds one stream for each rule of each property; `legal` holds the surprising streams that are correct; `only` is about
//! holding some properties.

mod broken;
mod clean;
mod cluster;
mod legal;
mod only;

use super::{At, EntryMark, Observation, Properties, Role, Timing, Verdict};

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
        self.observe_in_event(node, observation)
    }

    /// Event `n` takes place at `1_000 * n` ns.
    fn observe_in_event(&mut self, node: u32, observation: Observation<'_>) -> Verdict {
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

    /// Feeds an observation of the event under way that breaks nothing.
    fn also(&mut self, node: u32, observation: Observation<'_>) {
        if let Err(violation) = self.observe_in_event(node, observation) {
            panic!("{observation:?} on node {node} should be fine: {violation}");
        }
    }

    /// What the event under way left open breaks `signature`, when the next event begins and at the end of the run.
    fn leaves(&mut self, signature: &str) {
        let at = At {
            event: self.events,
            time: 0,
        };
        let at_rest = self.properties.at_rest(at).expect_err(signature);
        assert_eq!(at_rest.signature(), signature, "{at_rest}");
        let violation = self.observe(1, Observation::LeaseDropped).expect_err(signature);
        assert_eq!(violation.signature(), signature, "{violation}");
        assert_eq!(violation.at.event, self.events - 1);
    }

    /// The node appends and syncs an entry that holds a configuration, and acts under it, in one event.
    fn configure(&mut self, node: u32, entry: EntryMark, voters: &[u32], outgoing: &[u32]) {
        self.ok(node, Observation::Appended(entry));
        self.also(node, configuration(entry.index, voters, outgoing));
        self.also(node, Observation::ConfigurationActive { index: entry.index });
        self.also(node, Observation::DurableAppended(entry));
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

    /// As [`stand`](Self::stand), with the pre-votes of `others`.
    fn stand_with_pre_votes(&mut self, node: u32, term: u64, others: &[u32]) {
        let before = term - 1;
        self.ok(node, role(Role::PreCandidate, before));
        for from in others.iter().copied() {
            self.ok(node, Observation::PreVoteReceived { term, from });
        }
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

const TIMING: Timing = Timing {
    election_timeout_min: 150,
    election_timeout_max: 300,
    heartbeat_interval: 50,
    check_quorum: true,
};

/// The nodes of `feed` are set to [`TIMING`] from here on.
fn timed(mut feed: Feed) -> Feed {
    feed.properties = feed.properties.timing(TIMING);
    feed
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

fn configuration<'a>(index: u64, voters: &'a [u32], outgoing: &'a [u32]) -> Observation<'a> {
    Observation::ConfigurationAppended {
        index,
        voters,
        outgoing,
        learners: &[],
    }
}
