use super::*;
use raft_core::{Config, DurableState, Index, Input, NodeId, Stamp, Time};

const LEADER: NodeId = NodeId(0);
const FOLLOWER: NodeId = NodeId(1);

fn members(ids: &[u64]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

/// A follower that gets, as its first entry, that `voters` are the members, from the leader of `term`; returns the indexes of
/// the configurations that it then says to act under.
fn told_active(raft: &mut Raft, observer: &mut Observer, term: Term, voters: &[u64]) -> Vec<Index> {
    let entry = Entry {
        term,
        index: 1,
        content: Content::Configuration(Box::new(Configuration::of(members(voters)))),
    };
    let body = Body::AppendEntries {
        prev: Mark::default(),
        entries: vec![entry],
        commit: 0,
        quiesce: false,
        stamp: Stamp::default(),
    };
    let message = Message {
        from: LEADER,
        to: FOLLOWER,
        term,
        body,
    };
    raft.handle(Time(term), Input::Message(message));
    let outputs: Vec<Output> = std::iter::from_fn(|| raft.poll_output()).collect();
    observer.handled(raft, &outputs);
    let mut active = Active::default();
    assert_eq!(observer.tell(&mut active), Ok(()));
    active.0
}

/// The indexes of the configurations that a node says to act under.
#[derive(Default)]
struct Active(Vec<Index>);

impl Tell for Active {
    type Stop = ();

    fn observation(&mut self, observation: &Observation<'_>) -> Result<(), ()> {
        if let Observation::ConfigurationActive { index } = observation {
            self.0.push(*index);
        }
        Ok(())
    }

    fn sometimes(&mut self, _: &str) {}

    fn sign(&mut self, _: Sign) {}
}

/// Once in some thirteen hundred runs of `single-server-change` the checkers took such a node for one that acts under the members of
/// the entry that is gone.
#[test]
fn a_configuration_that_takes_the_index_of_another_is_told() {
    let config = Config::new(FOLLOWER, members(&[0, 1, 2]), 1);
    let state = DurableState::default();
    let mut observer = Observer::new(true, true, &state);
    let mut raft = Raft::restore(config, state, Time(0)).expect("a good configuration");
    assert_eq!(told_active(&mut raft, &mut observer, 1, &[0, 1, 2, 3]), [1]);
    let again = told_active(&mut raft, &mut observer, 1, &[0, 1, 2, 3]);
    assert!(again.is_empty(), "nothing is new");
    assert_eq!(told_active(&mut raft, &mut observer, 2, &[0, 1, 2, 4]), [1]);
    assert_eq!(raft.configuration().1.voters, members(&[0, 1, 2, 4]));
}
