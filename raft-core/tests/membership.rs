//! Changes of members (thesis, chapters 3.10 and 4), snapshots (paper, section 7), leases (thesis, section 6.4.1) and what
//! a leader does beside: one test for each claim.

mod common;

use common::{Cluster, MILLISECOND};
use raft_core::{
    Body, Config, DurableState, HardState, Input, Mark, Members, Message, NodeId, Outcome, Output, Pace, Raft, Refusal,
    RequestId, Role, Stamp, Time,
};

fn defaults(_: &mut Config) {}

fn members(voters: &[u64], learners: &[u64]) -> Members {
    let ids = |list: &[u64]| list.iter().copied().map(NodeId).collect();
    Members {
        voters: ids(voters),
        learners: ids(learners),
    }
}

impl Cluster {
    fn change(&mut self, at: u64, request: u64, voters: &[u64], learners: &[u64]) {
        let members = members(voters, learners);
        self.order(at, request, |id| Input::ChangeMembership { id, members })
            .unwrap();
    }

    fn transfer(&mut self, at: u64, request: u64, to: u64) {
        self.order(at, request, |id| Input::Transfer { id, to: NodeId(to) })
            .unwrap();
    }

    /// Heartbeat intervals pass on all nodes.
    fn beat(&mut self, times: u64) {
        self.beat_between(times, |_, _| true);
    }

    fn beat_between(&mut self, times: u64, linked: impl Fn(u64, u64) -> bool + Copy) {
        for _ in 0..times {
            for id in 1..=self.nodes.len() as u64 {
                self.pass(id, 25 * MILLISECOND).unwrap();
                self.settle_between(linked);
            }
        }
    }

    fn role(&self, id: u64) -> Role {
        self.raft(id).status().role
    }
}

fn refused(refusal: Refusal) -> Option<Outcome> {
    Some(Outcome::Refused(refusal))
}

/// Nodes 1 to 3 are the cluster, led by 1; 4 and 5 wait to be added.
fn three_of_five() -> Cluster {
    let mut cluster = Cluster::founded_by(3, 5, 1, defaults);
    cluster.elect(1);
    cluster
}

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
fn thesis_3_10_leadership_goes_to_the_target_once_it_has_everything() {
    let mut cluster = three_of_five();
    cluster.propose(1, 1, b"x").unwrap();
    cluster.transfer(1, 2, 3);
    cluster.propose(1, 3, b"y").unwrap();
    assert_eq!(cluster.outcome(3), refused(Refusal::Transferring));
    cluster.settle();
    assert_eq!((cluster.role(3), cluster.role(1)), (Role::Leader, Role::Follower));
    assert_eq!(
        (cluster.outcome(1).is_some(), cluster.outcome(2)),
        (true, Some(Outcome::Transferred))
    );
}

#[test]
fn thesis_3_10_a_transfer_is_given_up_after_an_election_timeout() {
    let mut cluster = three_of_five();
    cluster.propose(1, 1, b"x").unwrap();
    cluster.transfer(1, 2, 3);
    cluster.beat_between(13, |from, to| from != 3 && to != 3);
    assert_eq!(cluster.outcome(2), refused(Refusal::TransferTimedOut));
    cluster.propose(1, 3, b"y").unwrap();
    cluster.settle();
    assert!(matches!(cluster.outcome(3), Some(Outcome::Committed { .. })));
}

#[test]
fn thesis_3_10_leadership_is_not_offered_to_a_learner() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3], &[4]);
    cluster.settle();
    cluster.transfer(1, 2, 4);
    cluster.transfer(1, 3, 1);
    assert_eq!(
        (cluster.outcome(2), cluster.outcome(3)),
        (refused(Refusal::BadTarget), refused(Refusal::BadTarget))
    );
}

#[test]
fn thesis_6_2_a_leader_that_hears_no_quorum_steps_down() {
    let mut cluster = three_of_five();
    cluster.beat_between(14, |from, to| from != 1 && to != 1);
    assert_eq!(cluster.role(1), Role::Follower);
}

#[test]
fn thesis_4_2_3_a_voter_that_hears_a_leader_ignores_candidates_the_leader_has_not_sent() {
    let mut cluster = three_of_five();
    let term = cluster.raft(2).term();
    let ask = |transfer| {
        let last = Mark { term: 9, index: 9 };
        Input::Message(Message {
            from: NodeId(3),
            to: NodeId(2),
            term: term + 1,
            body: Body::RequestVote { last, transfer },
        })
    };
    cluster.input(2, ask(false)).unwrap();
    assert_eq!(cluster.raft(2).term(), term, "not even its term is heard");
    cluster.input(2, ask(true)).unwrap();
    assert_eq!(cluster.raft(2).status().voted_for, Some(NodeId(3)));
}

fn with_lease(config: &mut Config) {
    config.lease_drift_ppm = Some(100_000);
}

#[test]
fn thesis_6_4_1_a_lease_answers_reads_alone_and_ends_before_a_voter_may_elect() {
    let mut cluster = Cluster::new(3, 1, with_lease);
    cluster.elect(1);
    cluster.beat(4);
    let until = cluster.raft(1).status().lease_until.expect("a quorum has answered");
    let heard = cluster.node(1).now;
    assert!(
        until <= heard.after(150 * MILLISECOND * 10 / 11),
        "counted from when it was asked, less the drift"
    );
    cluster.read(1, 1).unwrap();
    assert!(matches!(cluster.outcome(1), Some(Outcome::Readable { .. })), "at once");
    cluster.pass(1, 150 * MILLISECOND).unwrap();
    cluster.settle_between(|_, _| false);
    cluster.read(1, 2).unwrap();
    assert_eq!(cluster.outcome(2), None, "the lease is over");
}

#[test]
fn thesis_6_4_1_a_transfer_ends_the_lease_for_the_rest_of_the_term() {
    let mut cluster = Cluster::new(3, 1, with_lease);
    cluster.elect(1);
    cluster.beat(4);
    cluster.transfer(1, 1, 3);
    cluster.settle_between(|_, to| to != 3);
    assert_eq!(cluster.raft(1).status().lease_until, None);
    cluster.beat_between(13, |_, to| to != 3);
    assert_eq!(
        (cluster.outcome(1), cluster.role(1)),
        (refused(Refusal::TransferTimedOut), Role::Leader)
    );
    assert_eq!(
        cluster.raft(1).status().lease_until,
        None,
        "the target may still take the offer"
    );
}

#[test]
fn thesis_6_4_1_a_restarted_voter_keeps_the_promise_that_leases_rest_on() {
    let mut cluster = three_of_five();
    cluster.crash(2, 9);
    let last = Mark { term: 9, index: 9 };
    let body = Body::RequestVote { last, transfer: false };
    let ask = Message {
        from: NodeId(3),
        to: NodeId(2),
        term: 5,
        body,
    };
    cluster.input(2, Input::Message(ask.clone())).unwrap();
    assert_eq!(cluster.raft(2).term(), 1, "it may have heard of a leader just before");
    let before = Time(cluster.raft(2).next_deadline().unwrap().0 - 1);
    cluster.nodes.get_mut(&NodeId(2)).unwrap().now = before;
    cluster.input(2, Input::Message(ask)).unwrap();
    assert_eq!(cluster.raft(2).term(), 5);
}

fn with_snapshots(config: &mut Config) {
    config.snapshot_threshold = Some(4);
    config.snapshot_tail = 1;
    config.snapshot_chunk_bytes = 8;
    config.snapshot_chunks_inflight = 2;
}

fn with_a_snapshot_behind(cut_off: u64) -> Cluster {
    let mut cluster = Cluster::new(3, 1, with_snapshots);
    cluster.elect(1);
    for request in 1..=10 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.settle_between(|from, to| from != cut_off && to != cut_off);
    }
    assert!(cluster.raft(1).log().start().index > cluster.raft(cut_off).log().last_index());
    cluster
}

#[test]
fn section_7_the_log_is_compacted_only_once_the_snapshot_is_durable() {
    let mut cluster = Cluster::new(1, 1, with_snapshots);
    cluster.elect(1);
    for request in 1..=6 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.persist(1).unwrap();
        let status = cluster.raft(1).status();
        assert!(status.first_index == 1 || cluster.node(1).disk.snapshot.is_some());
    }
    cluster.settle();
    let status = cluster.raft(1).status();
    assert!(
        status.snapshot_index >= 4 && status.first_index == status.snapshot_index,
        "all but a tail of one"
    );
}

#[test]
fn section_7_a_follower_that_needs_compacted_entries_gets_the_snapshot_in_chunks() {
    let mut cluster = with_a_snapshot_behind(3);
    cluster.beat(6);
    assert_eq!(cluster.raft(3).status().applied, cluster.raft(1).status().applied);
    assert!(cluster.raft(3).status().snapshot_index >= 4);
    assert_eq!(cluster.commands(3).len(), 10);
}

#[test]
fn section_7_a_transfer_of_a_snapshot_goes_on_where_it_got_stuck() {
    let mut cluster = with_a_snapshot_behind(3);
    // The link heals, and the second chunk is lost.
    let mut lost = false;
    for _ in 0..40 {
        cluster.pass(1, 25 * MILLISECOND).unwrap();
        while !cluster.wire.is_empty() || cluster.nodes.values().any(|node| !node.writes.is_empty()) {
            (1..=3).for_each(|id| cluster.persist(id).unwrap());
            if cluster.wire.is_empty() {
                continue;
            }
            let second = matches!(cluster.wire[0].body, Body::InstallSnapshot { offset: 8, .. });
            if second && !lost {
                lost = true;
                cluster.wire.remove(0);
            } else {
                cluster.deliver(0).unwrap();
            }
        }
    }
    assert!(lost);
    assert_eq!(cluster.raft(3).status().applied, cluster.raft(1).status().applied);
}

#[test]
fn section_7_a_node_that_crashes_in_the_middle_of_a_snapshot_recovers() {
    let mut cluster = with_a_snapshot_behind(3);
    cluster.pass(1, 50 * MILLISECOND).unwrap();
    while !cluster
        .wire
        .iter()
        .any(|m| matches!(m.body, Body::SnapshotProgress { .. }))
    {
        (1..=3).for_each(|id| cluster.persist(id).unwrap());
        match cluster.wire.is_empty() {
            true => cluster.pass(1, 50 * MILLISECOND).unwrap(),
            false => cluster.deliver(0).unwrap(),
        }
    }
    cluster.crash(3, 0);
    assert_eq!(cluster.raft(3).status().snapshot_index, 0);
    cluster.beat(30);
    let leader = cluster.leader().expect("a leader");
    assert_eq!(cluster.raft(3).status().applied, cluster.raft(leader).status().applied);
}

fn snapshot_message(index: u64, term: u64, to_term: u64) -> Input {
    let configuration = raft_core::Configuration::of(vec![NodeId(1), NodeId(2), NodeId(3)]);
    let (last, chunk) = (Mark { term, index }, common::snapshot_bytes(index));
    let body = Body::InstallSnapshot {
        last,
        configuration,
        offset: 0,
        total: 20,
        chunk,
        stamp: Stamp::default(),
    };
    Input::Message(Message {
        from: NodeId(2),
        to: NodeId(1),
        term: to_term,
        body,
    })
}

/// A follower of term 2 whose log holds entries of `terms`.
fn follower(terms: &[u64]) -> Raft {
    let entry = |(term, index): (&u64, u64)| raft_core::Entry {
        index,
        term: *term,
        content: raft_core::Content::Noop,
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

fn outputs(raft: &mut Raft, input: Input) -> Vec<Output> {
    raft.handle(Time(1), input);
    std::iter::from_fn(|| raft.poll_output()).collect()
}

#[test]
fn section_7_a_snapshot_keeps_the_suffix_that_follows_on_it() {
    let mut raft = follower(&[1, 1, 1, 2]);
    let outputs = outputs(&mut raft, snapshot_message(3, 1, 2));
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Restore(snapshot) if snapshot.last.index == 3))
    );
    assert_eq!((raft.status().commit, raft.status().last_index), (3, 4));
}

#[test]
fn section_7_a_snapshot_replaces_a_log_that_does_not_have_its_last_entry() {
    let mut raft = follower(&[1, 1, 1, 1]);
    let outputs = outputs(&mut raft, snapshot_message(3, 2, 2));
    assert_eq!((raft.status().commit, raft.status().last_index), (3, 3));
    let write = outputs.iter().find_map(|output| match output {
        Output::Persist(write) => Some(write),
        _ => None,
    });
    let write = write.expect("the snapshot is written");
    assert_eq!(
        (write.truncate, write.start, write.then.len()),
        (Some(1), Some(Mark { term: 2, index: 3 }), 1)
    );
}

#[test]
fn section_7_a_snapshot_of_a_node_that_joined_knows_the_founders() {
    let mut cluster = Cluster::founded_by(3, 4, 1, |config| config.snapshot_threshold = Some(1));
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    cluster.change(1, 2, &[1, 2, 3], &[4]);
    cluster.beat(4);
    let snapshot = cluster.raft(4).snapshot().expect("one entry is enough");
    assert_eq!(snapshot.configuration.voters, [1, 2, 3].map(NodeId));
}

#[test]
fn section_7_a_stale_snapshot_is_not_installed() {
    let mut raft = follower(&[1, 1, 1]);
    outputs(&mut raft, snapshot_message(3, 1, 2));
    let again = outputs(&mut raft, snapshot_message(2, 1, 2));
    assert!(!again.iter().any(|output| matches!(output, Output::Restore(_))));
    assert_eq!(raft.status().commit, 3);
}

#[test]
fn section_7_a_snapshot_carries_the_configuration_joint_and_learners_included() {
    let mut cluster = Cluster::founded_by(3, 6, 1, with_snapshots);
    cluster.elect(1);
    cluster.change(1, 1, &[1, 4, 5], &[2, 6]);
    // Only the old voters and one new one are there: the joint configuration can't be left.
    cluster.settle_between(|from, to| from <= 3 && to <= 3);
    let joint = cluster.raft(1).configuration().1.clone();
    assert!(joint.is_joint());
    cluster.crash(2, 9);
    assert_eq!(cluster.raft(2).configuration().1, &joint, "from the log");
    cluster.beat(3);
    for request in 2..12 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.settle_between(|from, to| from != 6 && to != 6);
    }
    cluster.beat(8);
    let (index, configuration) = cluster.raft(6).configuration();
    assert_eq!(
        (index, configuration),
        (
            cluster.raft(6).status().snapshot_index,
            cluster.raft(1).configuration().1
        )
    );
    cluster.crash(6, 9);
    assert_eq!(
        cluster.raft(6).configuration().1,
        cluster.raft(1).configuration().1,
        "and after a restart"
    );
}

#[test]
fn heartbeats_are_left_out_where_replication_serves_as_one() {
    let mut cluster = three_of_five();
    cluster.beat(2);
    cluster.pass(1, 30 * MILLISECOND).unwrap();
    cluster.settle();
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    cluster.pass(1, 30 * MILLISECOND).unwrap();
    let idle = cluster
        .wire
        .iter()
        .filter(|message| message.body.name() == "heartbeat")
        .count();
    assert_eq!(idle, 0);
}

#[test]
fn heartbeats_to_a_node_that_does_not_answer_back_off_below_the_election_timeout() {
    let mut cluster = three_of_five();
    let mut sent = Vec::new();
    for _ in 0..200 {
        cluster.pass(1, 5 * MILLISECOND).unwrap();
        let to_3 = cluster.wire.iter().any(|message| message.to == NodeId(3));
        sent.extend(to_3.then(|| cluster.node(1).now.0 / MILLISECOND));
        cluster.settle_between(|from, to| from != 3 && to != 3);
    }
    let pauses: Vec<_> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        pauses.iter().skip(1).all(|pause| *pause == 75),
        "half of the shortest election timeout: {pauses:?}"
    );
    cluster.beat(2);
    let before = cluster.node(1).now;
    cluster.timeout(1).unwrap();
    assert!(
        cluster.node(1).now.0 - before.0 <= 50 * MILLISECOND,
        "its first answer ends the pauses"
    );
}

fn quiet_soon(config: &mut Config) {
    config.quiesce_after = Some(200 * MILLISECOND);
}

#[test]
fn an_idle_group_goes_quiet_and_wakes_at_the_next_request() {
    let mut cluster = Cluster::new(3, 1, quiet_soon);
    cluster.elect(1);
    cluster.beat(12);
    assert!((1..=3).all(|id| cluster.raft(id).status().quiet && cluster.raft(id).next_deadline().is_none()));
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    assert!(matches!(cluster.outcome(1), Some(Outcome::Committed { .. })));
    assert!((1..=3).all(|id| !cluster.raft(id).status().quiet));
}

#[test]
fn a_quiet_group_misses_its_dead_leader_at_the_next_request() {
    let mut cluster = Cluster::new(3, 1, quiet_soon);
    cluster.elect(1);
    cluster.beat(12);
    cluster.read(2, 1).unwrap();
    for _ in 0..60 {
        for id in 2..=3 {
            cluster.pass(id, 25 * MILLISECOND).unwrap();
            cluster.settle_between(|from, to| from != 1 && to != 1);
        }
    }
    assert_eq!(cluster.outcome(1), refused(Refusal::NoAnswer));
    assert!(cluster.leader().is_some_and(|leader| leader != 1));
}

#[test]
fn priority_prefers_a_leader_and_never_blocks_an_election() {
    let mut low = Config::new(NodeId(1), vec![NodeId(1), NodeId(2), NodeId(3)], 1);
    low.priority = 0;
    let mut raft = Raft::restore(low, DurableState::default(), Time(0)).unwrap();
    let mut waits = Vec::new();
    let mut now = Time(0);
    for _ in 0..5 {
        let deadline = raft.next_deadline().unwrap();
        waits.push((deadline.0 - now.0) / MILLISECOND);
        now = deadline;
        raft.handle(now, Input::Timeout);
        while raft.poll_output().is_some() {}
    }
    assert!(waits[0] >= 1050, "three steps of 300 ms more: {waits:?}");
    assert!(waits[4] < 400, "and less each time: {waits:?}");
}

#[test]
fn a_leader_refuses_what_exceeds_its_limits() {
    let mut cluster = Cluster::new(3, 1, |config| {
        config.entry_bytes_max = 10;
        config.uncommitted_bytes_max = 15;
    });
    cluster.elect(1);
    cluster.propose(1, 1, &[0; 11]).unwrap();
    cluster.propose(1, 2, &[0; 10]).unwrap();
    cluster.propose(1, 3, &[0; 6]).unwrap();
    cluster.propose(1, 4, &[0; 5]).unwrap();
    assert_eq!(cluster.outcome(1), refused(Refusal::TooLarge));
    assert_eq!(cluster.outcome(3), refused(Refusal::TooManyUncommitted));
    cluster.settle();
    assert!(
        [2, 4]
            .iter()
            .all(|request| matches!(cluster.outcome(*request), Some(Outcome::Committed { .. })))
    );
}

#[test]
fn no_more_is_given_out_than_the_state_machine_can_take() {
    let mut raft = follower(&[1, 1, 1, 1]);
    let config = Config {
        unapplied_max: 2,
        ..raft.config().clone()
    };
    let entries = raft.log().from(1).cloned().collect();
    let hard_state = HardState {
        term: 2,
        voted_for: None,
    };
    raft = Raft::restore(
        config,
        DurableState {
            hard_state,
            entries,
            ..DurableState::default()
        },
        Time(0),
    )
    .unwrap();
    let prev = Mark { term: 1, index: 4 };
    let stamp = Stamp::default();
    let body = Body::AppendEntries {
        prev,
        entries: Vec::new(),
        commit: 4,
        quiesce: false,
        stamp,
    };
    let count = |outputs: &[Output]| {
        outputs
            .iter()
            .filter(|output| matches!(output, Output::Apply(_)))
            .count()
    };
    let message = Message {
        from: NodeId(2),
        to: NodeId(1),
        term: 2,
        body,
    };
    assert_eq!(count(&outputs(&mut raft, Input::Message(message))), 2);
    assert_eq!(count(&outputs(&mut raft, Input::Applied(1))), 1);
    assert_eq!(count(&outputs(&mut raft, Input::Applied(3))), 1);
}

#[test]
fn a_node_whose_write_failed_takes_no_part_and_says_so() {
    let mut raft = follower(&[1]);
    let vote = Body::RequestVote {
        last: Mark { term: 9, index: 9 },
        transfer: true,
    };
    let ask = Message {
        from: NodeId(2),
        to: NodeId(1),
        term: 3,
        body: vote,
    };
    let wrote = outputs(&mut raft, Input::Message(ask.clone()));
    let Some(Output::Persist(write)) = wrote.first() else {
        panic!("the vote is written: {wrote:?}")
    };
    assert!(outputs(&mut raft, Input::WriteFailed(write.id)).is_empty());
    assert!(outputs(&mut raft, Input::Message(ask)).is_empty());
    let read = outputs(&mut raft, Input::Read { id: RequestId(7) });
    assert!(matches!(read[..], [Output::Answer(answer)] if answer.outcome == Outcome::Refused(Refusal::StorageFailed)));
    assert_eq!((raft.status().failed, raft.next_deadline()), (true, None));
}

#[test]
fn a_node_that_lost_entries_votes_again_only_when_it_has_them_again() {
    let config = Config::new(NodeId(1), vec![NodeId(1), NodeId(2), NodeId(3)], 1);
    let hard_state = HardState {
        term: 2,
        voted_for: None,
    };
    let damaged = DurableState {
        hard_state,
        fence: Some(2),
        ..DurableState::default()
    };
    let mut raft = Raft::restore(config, damaged, Time(0)).unwrap();
    assert_eq!(raft.next_deadline(), None, "it does not stand for election");
    let last = Mark { term: 9, index: 9 };
    let ask = |term| {
        let body = Body::RequestVote { last, transfer: true };
        Input::Message(Message {
            from: NodeId(2),
            to: NodeId(1),
            term,
            body,
        })
    };
    outputs(&mut raft, ask(3));
    assert_eq!(raft.status().voted_for, None);
    for (prev, index) in [(Mark::default(), 1), (Mark { term: 1, index: 1 }, 2)] {
        let entry = raft_core::Entry {
            index,
            term: 1,
            content: raft_core::Content::Noop,
        };
        let stamp = Stamp::default();
        let body = Body::AppendEntries {
            prev,
            entries: vec![entry],
            commit: 0,
            quiesce: false,
            stamp,
        };
        let said = outputs(
            &mut raft,
            Input::Message(Message {
                from: NodeId(2),
                to: NodeId(1),
                term: 3,
                body,
            }),
        );
        let writes = said.iter().filter_map(|output| match output {
            Output::Persist(write) => Some(write.id),
            _ => None,
        });
        writes
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|id| drop(outputs(&mut raft, Input::Persisted(id))));
        assert_eq!(raft.status().fenced, index < 2);
    }
    outputs(&mut raft, ask(4));
    assert_eq!(raft.status().voted_for, Some(NodeId(2)));
}

#[test]
fn a_leader_begins_anew_with_a_follower_that_lost_what_it_had_acknowledged() {
    let mut cluster = three_of_five();
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    let stamp = Stamp { round: 0, session: 1 };
    let body = Body::AppendRejected {
        prev_index: 2,
        hint: Mark::default(),
        lost: true,
        stamp,
    };
    cluster
        .input(
            1,
            Input::Message(Message {
                from: NodeId(2),
                to: NodeId(1),
                term: 1,
                body,
            }),
        )
        .unwrap();
    let progress = &cluster.raft(1).peers()[0];
    assert_eq!((progress.id, progress.match_index()), (NodeId(2), 0));
    assert!(matches!(progress.pace(), Pace::Probe { .. }));
    cluster.beat(2);
    assert_eq!(cluster.raft(1).peers()[0].match_index(), 2);
}
