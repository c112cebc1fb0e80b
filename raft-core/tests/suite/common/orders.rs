//! What an operator does to the cluster on the table, and how its time passes.

use super::{Cluster, MILLISECOND};
use raft_core::{
    Config, Content, DurableState, Entry, HardState, Input, Members, NodeId, Outcome, Output, Raft, Refusal, Role, Time,
};

pub fn defaults(_: &mut Config) {}

pub fn without_pre_vote(config: &mut Config) {
    config.pre_vote = false;
}

/// A cluster of `size` that elects as in the paper, without pre-vote.
pub fn plain_cluster(size: u64) -> Cluster {
    Cluster::new(size, 1, without_pre_vote)
}

pub fn members(voters: &[u64], learners: &[u64]) -> Members {
    let ids = |list: &[u64]| list.iter().copied().map(NodeId).collect();
    Members {
        voters: ids(voters),
        learners: ids(learners),
    }
}

impl Cluster {
    pub fn change(&mut self, at: u64, request: u64, voters: &[u64], learners: &[u64]) {
        let members = members(voters, learners);
        self.order(at, request, |id| Input::ChangeMembership { id, members })
            .unwrap();
    }

    pub fn transfer(&mut self, at: u64, request: u64, to: u64) {
        self.order(at, request, |id| Input::Transfer { id, to: NodeId(to) })
            .unwrap();
    }

    /// Heartbeat intervals pass on all nodes.
    pub fn beat(&mut self, times: u64) {
        self.beat_between(times, |_, _| true);
    }

    pub fn beat_between(&mut self, times: u64, linked: impl Fn(u64, u64) -> bool + Copy) {
        for _ in 0..times {
            for id in 1..=self.nodes.len() as u64 {
                self.pass(id, 25 * MILLISECOND).unwrap();
                self.settle_between(linked);
            }
        }
    }

    pub fn role(&self, id: u64) -> Role {
        self.raft(id).status().role
    }
}

pub fn refused(refusal: Refusal) -> Option<Outcome> {
    Some(Outcome::Refused(refusal))
}

/// Nodes 1 to 3 are the cluster, led by 1; 4 and 5 wait to be added.
pub fn three_of_five() -> Cluster {
    let mut cluster = Cluster::founded_by(3, 5, 1, defaults);
    cluster.elect(1);
    cluster
}

/// A follower of term 2 whose log holds entries of `terms`.
pub fn follower(terms: &[u64]) -> Raft {
    let entry = |(term, index): (&u64, u64)| Entry {
        index,
        term: *term,
        content: Content::Noop,
    };
    let entries = terms.iter().zip(1..).map(entry).collect();
    let hard_state = HardState {
        term: 2,
        voted_for: None,
    };
    let config = Config::new(NodeId(1), vec![NodeId(1), NodeId(2), NodeId(3)], 1);
    Raft::restore(
        config,
        DurableState {
            hard_state,
            entries,
            ..DurableState::default()
        },
        Time(0),
    )
    .unwrap()
}

pub fn outputs(raft: &mut Raft, input: Input) -> Vec<Output> {
    raft.handle(Time(1), input);
    std::iter::from_fn(|| raft.poll_output()).collect()
}
