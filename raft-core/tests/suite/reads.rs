//! Reads through the log's leader: one test for each claim of the thesis' section 6.4. Leases are in `leadership.rs`.

use crate::common::MILLISECOND;
use crate::common::alone::{core, from_2, replies};
use crate::common::orders::{plain_cluster, without_pre_vote};
use raft_core::{Body, Input, Message, NodeId, Outcome, Refusal, RequestId, Role, Stamp};

#[test]
fn thesis_6_4_a_follower_asks_the_leader_for_the_read_index() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    cluster.read(3, 2).unwrap();
    assert_eq!(cluster.outcome(2), None);
    cluster.settle();
    assert_eq!(cluster.outcome(2), Some(Outcome::Readable { index: 2 }));
    assert_eq!(cluster.commands(3), [b"x".to_vec()]);
}

#[test]
fn a_forwarded_read_that_nobody_answers_is_refused() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.read(3, 1).unwrap();
    cluster.settle_between(|_, _| false);
    cluster.pass(3, 300 * MILLISECOND).unwrap();
    assert_eq!(cluster.outcome(1), Some(Outcome::Refused(Refusal::NoAnswer)));
}

#[test]
fn thesis_6_4_a_read_waits_for_a_quorum() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.read(1, 1).unwrap();
    assert_eq!(cluster.outcome(1), None);
    cluster.settle();
    assert_eq!(cluster.outcome(1), Some(Outcome::Readable { index: 1 }));
}

#[test]
fn thesis_6_4_a_leader_that_was_replaced_answers_no_read() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.elect_between(2, |from, to| from != 1 && to != 1);
    cluster.propose(2, 1, b"newer").unwrap();
    cluster.settle_between(|from, to| from != 1 && to != 1);
    cluster.read(1, 2).unwrap();
    cluster.settle_between(|from, to| from != 1 && to != 1);
    assert_eq!(
        (cluster.raft(1).status().role, cluster.outcome(2)),
        (Role::Leader, None)
    );
    cluster.pass(1, 50 * MILLISECOND).unwrap();
    cluster.settle();
    assert!(matches!(
        cluster.outcome(2),
        Some(Outcome::Refused(Refusal::NotLeader { .. }))
    ));
}

#[test]
fn thesis_6_4_a_new_leader_answers_reads_only_after_committing_in_its_term() {
    let mut raft = core(3, 3, &[1, 3], without_pre_vote);
    raft.handle(raft.next_deadline().unwrap(), Input::Timeout);
    replies(&mut raft, Input::Timeout);
    replies(&mut raft, from_2(4, Body::VoteReply { granted: true }));
    replies(&mut raft, Input::Read { id: RequestId(1) });
    replies(
        &mut raft,
        from_2(
            4,
            Body::AppendAccepted {
                match_index: 0,
                amnesia: false,
                stamp: Stamp { round: 9, session: 1 },
            },
        ),
    );
    assert_eq!(
        raft.status().reads_pending,
        1,
        "the commit index may lag behind what earlier leaders answered"
    );
    let sent = replies(
        &mut raft,
        from_2(
            4,
            Body::AppendAccepted {
                match_index: 3,
                amnesia: false,
                stamp: Stamp { round: 0, session: 1 },
            },
        ),
    );
    assert!(
        sent.iter().any(|(_, body)| matches!(
            body,
            Body::AppendEntries {
                stamp: Stamp { round: 2, .. },
                ..
            }
        )),
        "now it asks"
    );
}

#[test]
fn thesis_6_4_reads_that_arrive_together_share_a_round() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    for request in 1..=10 {
        cluster.read(1, request).unwrap();
    }
    assert_eq!(
        cluster.wire.len(),
        2,
        "one round is under way, the rest waits for the next"
    );
    cluster.settle();
    assert!((1..=10).all(|request| cluster.outcome(request) == Some(Outcome::Readable { index: 1 })));
}

#[test]
fn thesis_6_4_whatever_a_follower_answers_confirms_the_leader() {
    for with_snapshot in [false, true] {
        let mut cluster = plain_cluster(3);
        cluster.elect(1);
        cluster.settle();
        cluster.read(1, 1).unwrap();
        let to_2 = |message: &&Message| message.to == NodeId(2);
        let asked = cluster.wire.iter().find(to_2).cloned().unwrap();
        cluster.wire.clear();
        let Body::AppendEntries { prev, stamp, .. } = asked.body else {
            panic!("a round is a heartbeat, and not {asked:?}");
        };
        let (last, received) = (prev, 0);
        let body = match with_snapshot {
            true => Body::SnapshotProgress { last, received, stamp },
            false => Body::AppendRejected {
                prev_index: prev.index,
                hint: prev,
                lost: false,
                stamp,
            },
        };
        let (from, to, term) = (NodeId(2), NodeId(1), asked.term);
        let answer = Message { from, to, term, body };
        cluster.input(1, Input::Message(answer)).unwrap();
        assert!(matches!(cluster.outcome(1), Some(Outcome::Readable { .. })));
    }
}

#[test]
fn thesis_6_4_a_leader_alone_confirms_itself() {
    let mut cluster = plain_cluster(1);
    cluster.elect(1);
    cluster.settle();
    cluster.read(1, 1).unwrap();
    assert!(matches!(cluster.outcome(1), Some(Outcome::Readable { .. })));
}
