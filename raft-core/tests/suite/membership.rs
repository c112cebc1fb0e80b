//! Changes of members (thesis, chapter 4): one test for each claim.

use crate::common::orders::{defaults, refused, three_of_five};
use crate::common::{Cluster, MILLISECOND};
use raft_core::{Body, Input, Message, NodeId, Outcome, Refusal, Role, Stamp, Time};

#[test]
fn thesis_4_1_a_configuration_is_in_force_as_soon_as_it_is_in_the_log() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3, 4], &[]);
    let status = cluster.raft(1).status();
    assert_eq!(
        (status.configuration_index, status.commit, status.joint),
        (2, 1, false),
        "one voter more: one step"
    );
    assert_eq!(cluster.raft(1).configuration().1.voters.len(), 4);
}

#[test]
fn thesis_4_1_a_configuration_is_rolled_back_with_its_entry() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3, 4], &[]);
    cluster.settle_between(|_, _| false);
    cluster.elect_between(2, |from, to| from != 1 && to != 1);
    cluster.beat(2);
    let (index, configuration) = cluster.raft(1).configuration();
    assert_eq!((index, configuration.voters.len()), (1, 3));
    assert_eq!(cluster.outcome(1), Some(Outcome::Unknown));
}

#[test]
fn thesis_4_3_a_disjoint_set_of_voters_takes_over_by_joint_consensus() {
    let mut cluster = Cluster::founded_by(2, 5, 1, defaults);
    cluster.elect(1);
    cluster.propose(1, 1, b"kept").unwrap();
    cluster.change(1, 2, &[3, 4, 5], &[]);
    assert!(cluster.raft(1).status().joint);
    cluster.settle();
    assert_eq!(
        cluster.outcome(2),
        Some(Outcome::Committed { index: 4, term: 1 }),
        "joint at 3, left at 4"
    );
    assert_eq!(cluster.role(1), Role::Follower, "a leader that is not in it steps down");
    cluster.beat(40);
    let leader = cluster.leader().expect("one of the new voters leads");
    assert!(leader >= 3);
    cluster.propose(leader, 3, b"more").unwrap();
    cluster.settle();
    assert_eq!(cluster.commands(leader), [b"kept".to_vec(), b"more".to_vec()]);
}

#[test]
fn thesis_4_3_a_joint_configuration_needs_majorities_of_both_sets() {
    for absent in [2, 3] {
        let mut cluster = Cluster::founded_by(2, 3, 1, defaults);
        cluster.elect(1);
        cluster.change(1, 1, &[1, 3], &[]);
        assert!(cluster.raft(1).status().joint);
        cluster.beat_between(6, |from, to| from != absent && to != absent);
        assert_eq!(
            cluster.raft(1).status().commit,
            1,
            "without node {absent}, one of the sets has no majority"
        );
    }
}

#[test]
fn thesis_4_3_a_new_leader_leaves_the_joint_configuration_that_it_finds() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 4, 5], &[]);
    // The leader is gone as soon as everybody has the joint configuration, before it can be left.
    while (2..=5).any(|id| !cluster.raft(id).status().joint) {
        (2..=5).for_each(|id| cluster.persist(id).unwrap());
        cluster.deliver(0).unwrap();
    }
    cluster.settle_between(|from, to| from != 1 && to != 1);
    assert_eq!(cluster.raft(1).configuration().0, 2);
    cluster.elect_between(4, |from, to| from != 1 && to != 1);
    let status = cluster.raft(4).status();
    assert_eq!(
        (status.role, status.joint, status.commit),
        (Role::Leader, false, status.last_index)
    );
}

#[test]
fn thesis_4_3_a_new_leader_leaves_the_joint_configuration_that_is_committed_already() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 4, 5], &[]);
    let joint = cluster.raft(1).configuration().0;
    // All hear that it is committed, and nobody gets the entry that leaves it.
    let leaves = |message: &Message| match &message.body {
        Body::AppendEntries { entries, .. } => entries.iter().any(|entry| entry.index > joint),
        _ => false,
    };
    for _ in 0..4 {
        cluster.pass(1, 50 * MILLISECOND).unwrap();
        loop {
            (1..=5).for_each(|id| cluster.persist(id).unwrap());
            cluster.wire.retain(|message| !leaves(message));
            match cluster.wire.is_empty() {
                true => break,
                false => cluster.deliver(0).unwrap(),
            }
        }
    }
    assert!((2..=5).all(|id| cluster.raft(id).status().joint && cluster.raft(id).commit_index() == joint));
    cluster.elect_between(4, |from, to| from != 1 && to != 1);
    let status = cluster.raft(4).status();
    assert_eq!(
        (status.role, status.joint, status.commit),
        (Role::Leader, false, status.last_index)
    );
}

#[test]
fn thesis_4_2_one_change_at_a_time() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3, 4], &[]);
    cluster.change(1, 2, &[1, 2, 3, 5], &[]);
    assert_eq!(cluster.outcome(2), refused(Refusal::ChangeInProgress));
    cluster.settle();
    cluster.change(1, 3, &[1, 2, 3, 4, 5], &[]);
    cluster.settle();
    assert!(matches!(cluster.outcome(3), Some(Outcome::Committed { .. })));
}

#[test]
fn raft_dev_2015_no_change_before_the_leader_has_committed_in_its_term() {
    let mut cluster = three_of_five();
    cluster.elect_between(2, |_, _| true);
    cluster.nodes.get_mut(&NodeId(3)).unwrap().now = Time(u64::MAX / 4);
    cluster.timeout(3).unwrap();
    // Node 3 becomes leader, and nobody hears of its first entry.
    while cluster.role(3) != Role::Leader {
        cluster.persist(3).unwrap();
        cluster.persist(1).unwrap();
        match cluster
            .wire
            .iter()
            .position(|m| [1, 3].contains(&m.to.0) && [1, 3].contains(&m.from.0))
        {
            Some(at) => cluster.deliver(at).unwrap(),
            None => {
                cluster.pass(1, 200 * MILLISECOND).unwrap();
                cluster.timeout(3).unwrap();
            }
        }
    }
    cluster.change(3, 1, &[1, 2, 3, 4], &[]);
    assert_eq!(cluster.outcome(1), refused(Refusal::NotReady));
}

#[test]
fn thesis_4_2_1_a_learner_gets_the_log_and_does_not_count() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3], &[4]);
    cluster.settle();
    cluster.propose(1, 2, b"x").unwrap();
    cluster.settle_between(|from, to| [1, 4].contains(&from) && [1, 4].contains(&to));
    assert_eq!((cluster.raft(4).status().last_index, cluster.outcome(2)), (3, None));
    assert_eq!(cluster.raft(4).next_deadline(), None, "it does not stand for election");
}

#[test]
fn thesis_4_2_1_a_learner_is_promoted_when_it_has_caught_up() {
    let mut cluster = Cluster::founded_by(3, 4, 1, |config| config.promotion_lag_max = 2);
    cluster.elect(1);
    cluster.change(1, 1, &[1, 2, 3], &[4]);
    cluster.settle_between(|from, to| from != 4 && to != 4);
    for request in 2..8 {
        cluster.propose(1, request, b"x").unwrap();
    }
    cluster.settle_between(|from, to| from != 4 && to != 4);
    cluster.change(1, 10, &[1, 2, 3, 4], &[]);
    assert_eq!(cluster.outcome(10), refused(Refusal::NotCaughtUp));
    cluster.beat(4);
    cluster.change(1, 11, &[1, 2, 3, 4], &[]);
    cluster.settle();
    assert!(matches!(cluster.outcome(11), Some(Outcome::Committed { .. })));
}

#[test]
fn thesis_4_a_voter_is_demoted_to_learner_through_the_joint_configuration() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 4, 5], &[2, 3]);
    assert_eq!(cluster.raft(1).configuration().1.learners_next, [NodeId(2), NodeId(3)]);
    cluster.settle();
    assert_eq!(cluster.raft(1).configuration().1.learners, [NodeId(2), NodeId(3)]);
}

#[test]
fn thesis_4_members_that_make_no_configuration_are_refused() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[], &[1]);
    cluster.change(1, 2, &[1, 2], &[2]);
    cluster.change(2, 3, &[1], &[]);
    let outcomes = [1, 2, 3].map(|request| cluster.outcome(request).unwrap());
    let not_leader = Refusal::NotLeader {
        leader: Some(NodeId(1)),
    };
    assert_eq!(
        outcomes,
        [Refusal::BadMembers, Refusal::BadMembers, not_leader].map(Outcome::Refused)
    );
}

#[test]
fn thesis_4_2_2_a_removed_leader_manages_the_cluster_until_its_removal_is_committed() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[2, 3], &[]);
    assert_eq!(cluster.role(1), Role::Leader);
    cluster.settle();
    assert!(matches!(cluster.outcome(1), Some(Outcome::Committed { .. })));
    assert_eq!(
        (cluster.role(1), cluster.raft(1).status().voter),
        (Role::Follower, false)
    );
    cluster.beat(20);
    assert!(cluster.leader().is_some_and(|leader| leader != 1));
}

#[test]
fn thesis_4_2_3_a_removed_server_does_not_disturb_the_others() {
    let mut cluster = Cluster::founded_by(3, 3, 1, |config| config.pre_vote = false);
    cluster.elect(1);
    cluster.change(1, 1, &[1, 2], &[]);
    cluster.settle_between(|from, to| from != 3 && to != 3);
    let term = cluster.raft(1).term();
    for _ in 0..10 {
        cluster.timeout(3).unwrap();
        cluster.settle();
        cluster.beat_between(1, |from, to| from != 3 && to != 3);
    }
    assert!(cluster.raft(3).term() > term, "it stands for election again and again");
    assert_eq!((cluster.raft(1).term(), cluster.role(1)), (term, Role::Leader));
}

#[test]
fn an_answer_to_an_earlier_acquaintance_does_not_count() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3], &[4]);
    cluster.settle();
    cluster.change(1, 2, &[1, 2, 3], &[]);
    cluster.settle();
    cluster.change(1, 3, &[1, 2, 3], &[4]);
    let stale = Body::AppendAccepted {
        match_index: 2,
        amnesia: false,
        stamp: Stamp { round: 0, session: 3 },
    };
    let message = Message {
        from: NodeId(4),
        to: NodeId(1),
        term: 1,
        body: stale,
    };
    cluster.input(1, Input::Message(message)).unwrap();
    let progress = cluster
        .raft(1)
        .peers()
        .iter()
        .find(|peer| peer.id == NodeId(4))
        .unwrap();
    assert_eq!(progress.match_index(), 0);
}

#[test]
fn thesis_4_2_2_a_node_that_an_uncommitted_configuration_leaves_out_may_still_be_needed() {
    // Not a voter at first, a voter in the joint configuration, left out by the last: after a restart it knows of no commit.
    let ids = |list: &[u64]| list.iter().copied().map(NodeId).collect::<Vec<_>>();
    let learner = raft_core::Configuration {
        learners: ids(&[4]),
        ..raft_core::Configuration::of(ids(&[1]))
    };
    let joint = raft_core::Configuration {
        outgoing: ids(&[1, 4]),
        ..raft_core::Configuration::of(ids(&[1, 2]))
    };
    let last = raft_core::Configuration::of(ids(&[1, 2]));
    let entry = |(index, configuration): (u64, &raft_core::Configuration)| raft_core::Entry {
        index,
        term: 1,
        content: raft_core::Content::Configuration(Box::new(configuration.clone())),
    };
    let waits = |configurations: &[&raft_core::Configuration]| {
        let entries = (1..).zip(configurations.iter().copied()).map(entry).collect();
        let hard_state = raft_core::HardState {
            term: 1,
            voted_for: None,
        };
        let durable = raft_core::DurableState {
            hard_state,
            entries,
            ..raft_core::DurableState::default()
        };
        let config = raft_core::Config::new(NodeId(4), Vec::new(), 1);
        raft_core::Raft::restore(config, durable, Time(0))
            .unwrap()
            .next_deadline()
    };
    assert!(waits(&[&learner, &joint, &last]).is_some(), "it stands for election");
    assert!(waits(&[&learner, &last]).is_none(), "it never voted");
}

#[test]
fn thesis_4_2_2_the_others_learn_at_once_that_the_removal_of_their_leader_is_committed() {
    let mut cluster = three_of_five();
    cluster.settle();
    cluster.change(1, 1, &[2, 3], &[]);
    // No time passes: what tells them is no heartbeat that was due.
    cluster.settle();
    let removal = cluster.raft(1).configuration().0;
    assert_eq!(cluster.role(1), Role::Follower);
    assert!([2, 3].iter().all(|id| cluster.raft(*id).commit_index() >= removal));
}

#[test]
fn thesis_4_2_3_a_removed_member_is_forgotten_when_it_has_the_entry_that_says_so_and_not_before() {
    let mut cluster = three_of_five();
    cluster.settle();
    let knows_3 = |cluster: &Cluster| cluster.raft(1).peers().iter().any(|peer| peer.id == NodeId(3));
    cluster.change(1, 1, &[1, 2], &[]);
    cluster.settle_between(|from, to| from != 3 && to != 3);
    assert!(matches!(cluster.outcome(1), Some(Outcome::Committed { .. })));
    assert!(knows_3(&cluster), "it has not heard of its removal");
    cluster.beat(6);
    assert!(!knows_3(&cluster));
    assert_eq!(cluster.raft(3).configuration(), cluster.raft(1).configuration());
}
