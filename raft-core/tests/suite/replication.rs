//! Replication and commitment: one test for each claim of the paper's sections 5.3, 5.4.2, 5.5 and 8 and of its figure 2.

use crate::common::alone::{append, core, from_2, replies};
use crate::common::orders::{defaults, plain_cluster, without_pre_vote};
use crate::common::{Cluster, MILLISECOND};
use raft_core::{Body, Content, Input, Mark, Message, NodeId, Outcome, Output, Refusal, Role, Stamp, Time};

#[test]
fn section_5_3_a_command_is_applied_everywhere_and_answered_once() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    assert_eq!(cluster.outcome(1), Some(Outcome::Committed { index: 2, term: 1 }));
    cluster.pass(1, 50 * MILLISECOND).unwrap();
    cluster.settle();
    for id in 1..=3 {
        assert_eq!(cluster.commands(id), [b"x".to_vec()], "node {id}");
    }
}

#[test]
fn section_5_3_a_follower_refuses_entries_whose_predecessor_it_does_not_have() {
    let mut raft = core(3, 3, &[1, 2], defaults);
    let sent = replies(&mut raft, from_2(3, append((5, 3), &[3], 0)));
    assert!(matches!(
        sent[..],
        [(
            3,
            Body::AppendRejected {
                prev_index: 5,
                hint: Mark { term: 2, index: 2 },
                ..
            }
        )]
    ));
    let sent = replies(&mut raft, from_2(3, append((2, 3), &[3], 0)));
    assert!(
        matches!(sent[..], [(3, Body::AppendRejected { prev_index: 2, .. })]),
        "right index, other term"
    );
    assert_eq!(raft.log().last_index(), 2);
}

#[test]
fn section_5_3_the_leader_makes_divergent_followers_its_own() {
    // Node 1 leads alone and appends what nobody else gets; node 2 leads meanwhile.
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    for request in 1..=4 {
        cluster.propose(1, request, b"lost").unwrap();
    }
    cluster.settle_between(|from, to| from != 1 && to != 1);
    cluster.elect_between(2, |from, to| from != 1 && to != 1);
    cluster.propose(2, 5, b"kept").unwrap();
    cluster.settle_between(|from, to| from != 1 && to != 1);
    cluster.pass(2, 50 * MILLISECOND).unwrap();
    cluster.settle();
    assert_eq!(cluster.terms(1), cluster.terms(2));
    cluster.pass(2, 50 * MILLISECOND).unwrap();
    cluster.settle();
    assert_eq!(cluster.commands(1), [b"kept".to_vec()]);
    let unknown = (1..=4).all(|request| cluster.outcome(request) == Some(Outcome::Unknown));
    assert!(unknown, "another node might have had the entries that were replaced");
}

#[test]
fn section_5_3_messages_are_limited_in_entries() {
    let mut cluster = Cluster::new(3, 1, |config| {
        without_pre_vote(config);
        config.append_entries_max = 2;
    });
    cluster.elect(1);
    for request in 1..=5 {
        cluster.propose(1, request, b"x").unwrap();
    }
    let size = |message: &Message| match &message.body {
        Body::AppendEntries { entries, .. } => entries.len(),
        _ => 0,
    };
    assert!(cluster.wire.iter().all(|message| size(message) <= 2));
    cluster.settle();
    assert_eq!(cluster.raft(3).log().last_index(), 6);
}

#[test]
fn section_5_3_entries_that_get_lost_are_sent_again() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle_between(|_, to| to == 1);
    assert_eq!(cluster.outcome(1), None);
    for _ in 0..5 {
        cluster.pass(1, 50 * MILLISECOND).unwrap();
        cluster.settle();
    }
    assert_eq!(cluster.outcome(1), Some(Outcome::Committed { index: 2, term: 1 }));
}

#[test]
fn section_5_3_a_follower_acknowledges_only_what_is_durable() {
    let mut raft = core(3, 1, &[1], defaults);
    raft.handle(Time(1), from_2(1, append((1, 1), &[1], 0)));
    let Some(Output::Persist(write)) = raft.poll_output() else {
        panic!("an entry to write")
    };
    assert_eq!((write.entries.len(), write.then.len()), (1, 1));
    assert_eq!(raft.poll_output(), None);
}

#[test]
fn section_5_4_2_entries_of_earlier_terms_are_not_committed_by_counting() {
    // Figure 8 (c): the leader of term 4 has an entry of term 2 on a majority.
    let mut old_leader = core(3, 3, &[1, 2], without_pre_vote);
    old_leader.handle(old_leader.next_deadline().unwrap(), Input::Timeout);
    replies(&mut old_leader, Input::Timeout);
    replies(&mut old_leader, from_2(4, Body::VoteReply { granted: true }));
    assert_eq!(
        (old_leader.status().role, old_leader.status().last_index),
        (Role::Leader, 3)
    );
    replies(
        &mut old_leader,
        from_2(
            4,
            Body::AppendAccepted {
                match_index: 2,
                amnesia: false,
                stamp: Stamp { round: 0, session: 1 },
            },
        ),
    );
    assert_eq!(
        old_leader.status().commit,
        0,
        "a majority has entry 2, but it is of term 2"
    );
    replies(
        &mut old_leader,
        from_2(
            4,
            Body::AppendAccepted {
                match_index: 3,
                amnesia: false,
                stamp: Stamp { round: 0, session: 1 },
            },
        ),
    );
    assert_eq!(old_leader.status().commit, 3);
}

#[test]
fn figure_2_a_follower_commits_no_further_than_the_leader_has_verified() {
    let mut raft = core(3, 2, &[1, 1, 1, 1], defaults);
    replies(&mut raft, from_2(2, append((1, 1), &[1], 9)));
    assert_eq!(raft.status().commit, 2, "entries 3 and 4 may not be the leader's");
}

#[test]
fn figure_2_the_commit_index_never_goes_back() {
    let mut raft = core(3, 2, &[1, 1, 1], defaults);
    replies(&mut raft, from_2(2, append((3, 1), &[], 3)));
    replies(&mut raft, from_2(2, append((3, 1), &[], 1)));
    assert_eq!(raft.status().commit, 3);
}

#[test]
fn section_5_5_requests_may_be_repeated() {
    let mut raft = core(3, 1, &[1], defaults);
    for _ in 0..3 {
        let sent = replies(&mut raft, from_2(1, append((1, 1), &[1, 1], 2)));
        assert!(matches!(sent[..], [(1, Body::AppendAccepted { match_index: 3, .. })]));
    }
    assert_eq!((raft.log().last_index(), raft.status().commit), (3, 2));
}

#[test]
fn section_8_a_new_leader_commits_a_no_op_of_its_term() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.elect(2);
    assert_eq!(cluster.terms(2), [1, 2]);
    assert_eq!(cluster.raft(2).log().entry(2).unwrap().content, Content::Noop);
    assert_eq!(cluster.raft(2).status().commit, 2);
}

#[test]
fn thesis_4_the_first_leader_writes_down_the_founders() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    let founders = raft_core::Configuration::of((1..=3).map(NodeId).collect());
    assert_eq!(
        cluster.raft(1).log().entry(1).unwrap().content,
        Content::Configuration(Box::new(founders))
    );
    assert_eq!(cluster.raft(1).status().commit, 1);
}

#[test]
fn a_cluster_of_one_commits_alone_once_its_disk_confirms() {
    let mut cluster = plain_cluster(1);
    cluster.timeout(1).unwrap();
    assert_eq!(cluster.raft(1).status().role, Role::Candidate);
    cluster.persist(1).unwrap();
    assert_eq!(
        (cluster.raft(1).status().role, cluster.raft(1).status().commit),
        (Role::Leader, 0)
    );
    cluster.persist(1).unwrap();
    assert_eq!(cluster.raft(1).status().commit, 1);
}

#[test]
fn thesis_10_2_1_a_leader_counts_itself_only_when_its_own_write_is_durable() {
    let mut cluster = plain_cluster(5);
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    let mut acknowledge = |id: u64| {
        let at = cluster
            .wire
            .iter()
            .position(|m| m.to == NodeId(id))
            .expect("it leaves beside the leader's own write");
        cluster.deliver(at).unwrap();
        cluster.persist(id).unwrap();
        let ack = cluster.wire.iter().position(|m| m.from == NodeId(id)).unwrap();
        cluster.deliver(ack).unwrap();
        cluster.outcome(1)
    };
    assert_eq!(acknowledge(2), None);
    assert_eq!(acknowledge(3), None, "three have it in memory, two on disk");
    assert_eq!(
        acknowledge(4),
        Some(Outcome::Committed { index: 2, term: 1 }),
        "a majority without the leader"
    );
}

#[test]
fn a_follower_refuses_and_names_the_leader() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.propose(2, 1, b"x").unwrap();
    let refused = Outcome::Refused(Refusal::NotLeader {
        leader: Some(NodeId(1)),
    });
    assert_eq!(cluster.outcome(1), Some(refused));
}

#[test]
fn figure_2_an_acknowledgement_in_a_new_term_waits_until_the_term_is_durable() {
    let mut raft = core(3, 2, &[1], defaults);
    raft.handle(Time(1), from_2(3, append((1, 1), &[], 0)));
    let said: Vec<Output> = std::iter::from_fn(|| raft.poll_output()).collect();
    assert!(
        matches!(&said[..], [Output::Persist(write)] if write.hard_state.is_some() && write.then.len() == 1),
        "{said:?}"
    );
}

#[test]
fn section_5_3_a_request_that_begins_before_the_commit_index_still_brings_what_is_after_it() {
    let mut raft = core(3, 1, &[1, 1], defaults);
    replies(&mut raft, from_2(1, append((2, 1), &[], 2)));
    let sent = replies(&mut raft, from_2(1, append((1, 1), &[1, 1], 2)));
    assert!(matches!(sent[..], [(1, Body::AppendAccepted { match_index: 3, .. })]));
    assert_eq!(raft.log().last_index(), 3);
}

#[test]
fn section_5_3_a_proposal_whose_entry_is_removed_is_answered_at_once() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle_between(|_, _| false);
    // Node 2 is elected by node 3, and gets nothing through to it afterwards: what it appends is not committed.
    for id in 2..=3 {
        cluster.nodes.get_mut(&NodeId(id)).unwrap().now = Time(1_000 * MILLISECOND);
    }
    cluster.timeout(2).unwrap();
    while cluster.raft(2).role() != Role::Leader {
        (2..=3).for_each(|id| cluster.persist(id).unwrap());
        cluster
            .wire
            .retain(|message| message.from != NodeId(1) && message.to != NodeId(1));
        if !cluster.wire.is_empty() {
            cluster.deliver(0).unwrap();
        }
    }
    for _ in 0..40 {
        cluster
            .wire
            .retain(|message| (message.from, message.to) == (NodeId(2), NodeId(1)));
        match cluster.wire.is_empty() {
            true => cluster.timeout(2).unwrap(),
            false => cluster.deliver(0).unwrap(),
        }
        if cluster.terms(1) == cluster.terms(2) {
            break;
        }
    }
    assert_eq!((cluster.terms(1), cluster.raft(1).commit_index()), (vec![1, 2], 1));
    assert_eq!(cluster.outcome(1), Some(Outcome::Unknown));
}
