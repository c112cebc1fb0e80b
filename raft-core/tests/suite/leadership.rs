//! What a leader does beside replicating: transfer, leases, check-quorum, heartbeats, quiescence, priorities and
//! limits. One test for each claim.

use crate::common::orders::{defaults, follower, outputs, refused, three_of_five};
use crate::common::{Cluster, MILLISECOND};
use raft_core::{
    Body, Config, DurableState, HardState, Input, Mark, Message, NodeId, Outcome, Output, Raft, Refusal, Role, Stamp,
    Time,
};

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
fn thesis_3_10_the_target_is_brought_up_to_date_before_it_is_told_to_stand() {
    let mut cluster = three_of_five();
    cluster.propose(1, 1, b"x").unwrap();
    cluster.transfer(1, 2, 3);
    assert_eq!(orders_to_stand(&cluster), 0, "it lacks an entry");
    while orders_to_stand(&cluster) == 0 {
        let of_2 = |message: &Message| message.from == NodeId(2) || message.to == NodeId(2);
        cluster.wire.retain(|message| !of_2(message));
        (1..=3).for_each(|id| cluster.persist(id).unwrap());
        cluster.deliver(0).unwrap();
    }
    assert_eq!(cluster.terms(3), cluster.terms(1));
    cluster.settle();
    assert_eq!(cluster.role(3), Role::Leader);
}

#[test]
fn thesis_3_10_the_target_is_told_once() {
    let mut cluster = three_of_five();
    // Of the four that are to vote, one and two are no majority.
    cluster.change(1, 1, &[1, 2, 4, 5], &[]);
    cluster.settle_between(|from, to| from.max(to) <= 2);
    assert!(cluster.raft(1).status().joint);
    cluster.transfer(1, 2, 2);
    assert_eq!(orders_to_stand(&cluster), 1);
    // The joint configuration is committed and left meanwhile, and the target gets one more entry.
    for _ in 0..8 {
        cluster.pass(1, 25 * MILLISECOND).unwrap();
        while deliver_all_but_orders_to_stand(&mut cluster) {}
    }
    assert!(!cluster.raft(1).status().joint && cluster.terms(2) == cluster.terms(1));
    assert_eq!(orders_to_stand(&cluster), 1);
}

/// Whether there was anything to deliver or to persist.
fn deliver_all_but_orders_to_stand(cluster: &mut Cluster) -> bool {
    let busy = (1..=5).find(|id| !cluster.node(*id).writes.is_empty());
    let at = cluster.wire.iter().position(|message| message.body != Body::TimeoutNow);
    match (busy, at) {
        (Some(id), _) => cluster.persist(id).unwrap(),
        (None, Some(at)) => cluster.deliver(at).unwrap(),
        (None, None) => return false,
    }
    true
}

/// How many orders to stand for election are under way.
fn orders_to_stand(cluster: &Cluster) -> usize {
    let orders = |message: &&Message| message.body == Body::TimeoutNow;
    cluster.wire.iter().filter(orders).count()
}

#[test]
fn thesis_3_10_one_transfer_at_a_time() {
    let mut cluster = three_of_five();
    cluster.transfer(1, 1, 2);
    cluster.transfer(1, 2, 3);
    assert_eq!(cluster.outcome(2), refused(Refusal::Transferring));
    cluster.settle();
    assert_eq!(
        (cluster.outcome(1), cluster.role(2)),
        (Some(Outcome::Transferred), Role::Leader)
    );
}

#[test]
fn thesis_3_10_no_change_of_members_during_a_transfer() {
    let mut cluster = three_of_five();
    cluster.transfer(1, 1, 2);
    cluster.change(1, 2, &[1, 2, 3, 4], &[]);
    assert_eq!(cluster.outcome(2), refused(Refusal::Transferring));
}

#[test]
fn thesis_4_2_1_a_learner_does_not_obey_the_order_to_stand() {
    let mut cluster = three_of_five();
    cluster.change(1, 1, &[1, 2, 3], &[4]);
    cluster.settle();
    let order = Message {
        from: NodeId(1),
        to: NodeId(4),
        term: 1,
        body: Body::TimeoutNow,
    };
    cluster.input(4, Input::Message(order)).unwrap();
    assert_eq!((cluster.role(4), cluster.raft(4).term()), (Role::Follower, 1));
}

#[test]
fn thesis_4_2_3_a_voter_hears_candidates_again_after_the_shortest_election_timeout() {
    let ask = Body::RequestVote {
        last: Mark { term: 9, index: 9 },
        transfer: false,
    };
    for (check_quorum, later, term) in [(true, 149, 2), (true, 150, 5), (false, 0, 5)] {
        let mut raft = follower(&[1]);
        let config = Config {
            check_quorum,
            ..raft.config().clone()
        };
        let hard_state = raft.hard_state();
        let durable = DurableState {
            hard_state,
            ..DurableState::default()
        };
        raft = Raft::restore(config, durable, Time(0)).unwrap();
        let message = |term, body| {
            let (from, to) = (NodeId(2), NodeId(1));
            Input::Message(Message { from, to, term, body })
        };
        let heartbeat = Body::AppendEntries {
            prev: Mark::default(),
            entries: Vec::new(),
            commit: 0,
            quiesce: false,
            stamp: Stamp::default(),
        };
        raft.handle(Time(MILLISECOND), message(2, heartbeat));
        raft.handle(Time((1 + later) * MILLISECOND), message(5, ask.clone()));
        assert_eq!(
            raft.term(),
            term,
            "{later} ms after the leader, check-quorum {check_quorum}"
        );
    }
}

#[test]
fn thesis_3_10_only_a_follower_obeys_the_order_to_stand() {
    let order = |raft: &Raft| {
        Input::Message(Message {
            from: NodeId(2),
            to: NodeId(1),
            term: raft.term(),
            body: Body::TimeoutNow,
        })
    };
    let mut raft = follower(&[1, 1]);
    let input = order(&raft);
    outputs(&mut raft, input.clone());
    assert_eq!((raft.role(), raft.term()), (Role::Candidate, 3));
    // One that stands already goes on with its own election.
    for until in [Role::PreCandidate, Role::Candidate] {
        let mut raft = follower(&[1, 1]);
        outputs(&mut raft, Input::Campaign);
        if until == Role::Candidate {
            let granted = Message {
                from: NodeId(2),
                to: NodeId(1),
                term: 3,
                body: Body::PreVoteReply { granted: true },
            };
            outputs(&mut raft, Input::Message(granted));
        }
        let (role, term, input) = (raft.role(), raft.term(), order(&raft));
        assert_eq!(role, until);
        outputs(&mut raft, input);
        assert_eq!((raft.role(), raft.term()), (role, term));
    }
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
fn thesis_6_4_1_who_has_answered_a_leader_with_a_lease_does_not_stand_by_order_either() {
    let mut cluster = Cluster::new(3, 1, with_lease);
    cluster.elect(1);
    cluster.beat(4);
    cluster.input(2, Input::Campaign).unwrap();
    assert_eq!(cluster.role(2), Role::Follower, "its vote is promised");
    cluster.nodes.get_mut(&NodeId(2)).unwrap().now.0 += 150 * MILLISECOND;
    cluster.input(2, Input::Campaign).unwrap();
    assert_eq!(cluster.role(2), Role::PreCandidate);
    // Where there are no leases, nobody relies on it.
    let mut cluster = Cluster::new(3, 1, defaults);
    cluster.elect(1);
    cluster.beat(4);
    cluster.input(2, Input::Campaign).unwrap();
    assert_eq!(cluster.role(2), Role::PreCandidate);
}

#[test]
fn thesis_6_4_1_a_new_leader_serves_no_reads_from_its_lease_before_it_has_committed_in_its_term() {
    let mut cluster = Cluster::new(3, 1, with_lease);
    cluster.elect(1);
    cluster.settle();
    let node = cluster.nodes.get_mut(&NodeId(2)).unwrap();
    node.now = Time(1_000 * MILLISECOND);
    cluster.nodes.get_mut(&NodeId(3)).unwrap().now = Time(1_000 * MILLISECOND);
    cluster.timeout(2).unwrap();
    let brings =
        |message: &Message| matches!(&message.body, Body::AppendEntries { entries, .. } if !entries.is_empty());
    for _ in 0..60 {
        (1..=3).for_each(|id| cluster.persist(id).unwrap());
        cluster
            .wire
            .retain(|message| message.from.0 + message.to.0 == 5 && !brings(message));
        if !cluster.wire.is_empty() {
            cluster.deliver(0).unwrap();
        }
    }
    let (leader, now) = (cluster.raft(2), cluster.node(2).now);
    assert!(
        leader.lease_until().is_some_and(|until| now < until),
        "heartbeats were answered"
    );
    cluster.read(2, 1).unwrap();
    assert_eq!(
        cluster.outcome(1),
        None,
        "what earlier leaders committed is not known yet"
    );
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
    // Half of the shortest election timeout is 75 ms; the leader acts every 50.
    assert!(pauses.iter().skip(1).all(|pause| *pause == 100), "{pauses:?}");
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
fn a_leader_that_wakes_speaks_to_everybody_at_once() {
    let mut cluster = Cluster::new(3, 1, quiet_soon);
    cluster.elect(1);
    cluster.beat(12);
    assert!(cluster.raft(1).is_quiet() && cluster.wire.is_empty());
    // A leader does not stand for election: the order does nothing but wake it.
    cluster.nodes.get_mut(&NodeId(1)).unwrap().now.0 += 10_000 * MILLISECOND;
    cluster.input(1, Input::Campaign).unwrap();
    let woken: Vec<NodeId> = cluster.wire.iter().map(|message| message.to).collect();
    assert_eq!(woken, [2, 3].map(NodeId));
    let next = cluster.raft(1).next_deadline().expect("it is awake");
    assert!(next > cluster.node(1).now, "the next heartbeat is due in an interval");
}

#[test]
fn a_leader_that_wakes_does_not_miss_answers_that_nobody_asked_for() {
    let mut cluster = Cluster::new(3, 1, quiet_soon);
    cluster.elect(1);
    cluster.beat(12);
    assert!(cluster.raft(1).is_quiet());
    for node in cluster.nodes.values_mut() {
        node.now = node.now.after(10_000 * MILLISECOND);
    }
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    assert_eq!(cluster.role(1), Role::Leader);
    assert!(matches!(cluster.outcome(1), Some(Outcome::Committed { .. })));
}

#[test]
fn a_leader_does_not_fall_quiet_while_a_follower_is_behind_or_does_not_answer() {
    let to_3 = |message: &Message| message.to == NodeId(3);
    let brings =
        |message: &Message| matches!(&message.body, Body::AppendEntries { entries, .. } if !entries.is_empty());
    for silent in [false, true] {
        let mut cluster = Cluster::new(3, 1, quiet_soon);
        cluster.elect(1);
        if !silent {
            cluster.propose(1, 1, b"x").unwrap();
        }
        for _ in 0..24 {
            cluster.pass(1, 25 * MILLISECOND).unwrap();
            for _ in 0..40 {
                (1..=3).for_each(|id| cluster.persist(id).unwrap());
                cluster
                    .wire
                    .retain(|message| !to_3(message) || !(silent || brings(message)));
                if !cluster.wire.is_empty() {
                    cluster.deliver(0).unwrap();
                }
            }
        }
        assert_eq!((cluster.role(1), cluster.raft(1).is_quiet()), (Role::Leader, false));
    }
}

#[test]
fn a_follower_that_is_behind_does_not_fall_quiet() {
    for (commit, quiet) in [(1, false), (2, true)] {
        let mut raft = follower(&[1, 1]);
        let prev = Mark { term: 1, index: 2 };
        let body = Body::AppendEntries {
            prev,
            entries: Vec::new(),
            commit,
            quiesce: true,
            stamp: Stamp::default(),
        };
        let (from, to) = (NodeId(2), NodeId(1));
        outputs(
            &mut raft,
            Input::Message(Message {
                from,
                to,
                term: 2,
                body,
            }),
        );
        assert_eq!(raft.is_quiet(), quiet, "two entries, of which {commit} are committed");
        assert_eq!(raft.next_deadline().is_none(), quiet);
    }
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
fn one_entry_is_admitted_however_large_where_nothing_is_uncommitted() {
    let mut cluster = Cluster::new(3, 1, |config| config.uncommitted_bytes_max = 15);
    cluster.elect(1);
    cluster.propose(1, 1, &[0; 16]).unwrap();
    cluster.propose(1, 2, &[0; 1]).unwrap();
    assert_eq!(cluster.outcome(2), refused(Refusal::TooManyUncommitted));
    cluster.settle();
    assert!(matches!(cluster.outcome(1), Some(Outcome::Committed { .. })));
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
fn thesis_6_4_an_answer_to_a_request_of_an_earlier_term_confirms_nothing() {
    // Node 2 has voted for node 1 in term 5 and gets a request that node 1 had sent in term 3, before it crashed.
    let hard_state = HardState {
        term: 5,
        voted_for: Some(NodeId(1)),
    };
    let config = Config::new(NodeId(2), vec![NodeId(1), NodeId(2), NodeId(3)], 1);
    let durable = DurableState {
        hard_state,
        ..DurableState::default()
    };
    let mut voter = Raft::restore(config, durable, Time(0)).unwrap();
    let stamp = Stamp { round: 7, session: 1 };
    let body = Body::AppendEntries {
        prev: Mark::default(),
        entries: Vec::new(),
        commit: 0,
        quiesce: false,
        stamp,
    };
    let late = Message {
        from: NodeId(1),
        to: NodeId(2),
        term: 3,
        body,
    };
    let [Output::Send(answer)] = &outputs(&mut voter, Input::Message(late))[..] else {
        panic!("one answer")
    };
    // Node 1 leads term 5 by now, and its rounds have begun again at 1.
    assert!(
        matches!(
            answer.body,
            Body::AppendRejected {
                stamp: Stamp { round: 0, session: 0 },
                ..
            }
        ),
        "{answer:?}"
    );
}
