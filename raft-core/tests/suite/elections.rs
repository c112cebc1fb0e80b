//! Elections: one test for each claim of the paper's sections 5.1, 5.2 and 5.4.1, of the thesis' section 9.6, and of a start.

use crate::common::alone::{append, core, from_2, replies};
use crate::common::orders::{defaults, plain_cluster, without_pre_vote};
use crate::common::{Cluster, MILLISECOND};
use raft_core::{Body, Config, DurableState, Input, Mark, Message, NodeId, Raft, Role, Term, Time};

#[test]
fn section_5_1_a_server_adopts_a_later_term_and_becomes_follower() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    let term = cluster.raft(1).term();
    cluster
        .input(1, from_2(term + 5, Body::VoteReply { granted: false }))
        .unwrap();
    let status = cluster.raft(1).status();
    assert_eq!(
        (status.role, status.term, status.voted_for),
        (Role::Follower, term + 5, None)
    );
}

#[test]
fn section_5_1_a_request_of_an_old_term_is_rejected_with_the_current_one() {
    let mut raft = core(3, 4, &[1, 4], defaults);
    let sent = replies(&mut raft, from_2(3, append((2, 4), &[], 0)));
    assert!(matches!(sent[..], [(4, Body::AppendRejected { .. })]), "{sent:?}");
    let sent = replies(
        &mut raft,
        from_2(
            3,
            Body::RequestVote {
                last: Mark { term: 9, index: 9 },
                transfer: false,
            },
        ),
    );
    assert_eq!(sent, [(4, Body::VoteReply { granted: false })]);
}

#[test]
fn section_5_2_a_follower_that_hears_nothing_starts_an_election() {
    let mut raft = core(3, 4, &[], without_pre_vote);
    let deadline = raft.next_deadline().unwrap();
    assert!((150 * MILLISECOND..=300 * MILLISECOND).contains(&deadline.0));
    raft.handle(Time(deadline.0 - 1), Input::Timeout);
    assert_eq!(raft.status().role, Role::Follower);
    raft.handle(deadline, Input::Timeout);
    let status = raft.status();
    assert_eq!(
        (status.role, status.term, status.voted_for),
        (Role::Candidate, 5, Some(NodeId(1)))
    );
}

#[test]
fn section_5_2_election_timeouts_are_drawn_anew_each_time() {
    let mut raft = core(3, 0, &[], without_pre_vote);
    let mut timeouts = Vec::new();
    let mut now = Time(0);
    for _ in 0..8 {
        let deadline = raft.next_deadline().unwrap();
        timeouts.push(deadline.0 - now.0);
        now = deadline;
        raft.handle(now, Input::Timeout);
        while raft.poll_output().is_some() {}
    }
    timeouts.sort_unstable();
    timeouts.dedup();
    assert_eq!(timeouts.len(), 8);
}

#[test]
fn section_5_2_the_vote_goes_to_the_first_candidate_of_the_term() {
    let mut raft = core(5, 1, &[], defaults);
    let vote = Body::RequestVote {
        last: Mark::default(),
        transfer: false,
    };
    assert_eq!(
        replies(&mut raft, from_2(2, vote.clone())),
        [(2, Body::VoteReply { granted: true })]
    );
    let other = Message {
        from: NodeId(3),
        to: NodeId(1),
        term: 2,
        body: vote.clone(),
    };
    assert_eq!(
        replies(&mut raft, Input::Message(other)),
        [(2, Body::VoteReply { granted: false })]
    );
    assert_eq!(
        replies(&mut raft, from_2(2, vote)),
        [(2, Body::VoteReply { granted: true })],
        "asked again"
    );
}

#[test]
fn section_5_2_a_vote_survives_a_restart() {
    let mut cluster = plain_cluster(3);
    cluster.timeout(1).unwrap();
    cluster.persist(1).unwrap();
    let request = cluster.wire.iter().position(|m| m.to == NodeId(2)).unwrap();
    cluster.deliver(request).unwrap();
    cluster.persist(2).unwrap();
    cluster.crash(2, 0);
    assert_eq!(cluster.raft(2).status().voted_for, Some(NodeId(1)));
}

#[test]
fn section_5_2_a_vote_leaves_only_when_it_is_durable() {
    let mut cluster = plain_cluster(3);
    cluster.timeout(1).unwrap();
    assert!(cluster.wire.is_empty(), "the candidate's own vote is not durable yet");
    cluster.persist(1).unwrap();
    assert_eq!(cluster.wire.len(), 2);
    cluster.deliver(0).unwrap();
    assert_eq!(cluster.wire.len(), 1, "the voter's disk has not confirmed");
    cluster.persist(2).unwrap();
    assert_eq!(cluster.wire.len(), 2);
}

#[test]
fn section_5_2_a_majority_elects_and_every_voter_counts_once() {
    let mut raft = core(5, 0, &[], without_pre_vote);
    raft.handle(raft.next_deadline().unwrap(), Input::Timeout);
    replies(&mut raft, Input::Timeout);
    for _ in 0..3 {
        replies(&mut raft, from_2(1, Body::VoteReply { granted: true }));
    }
    assert_eq!(raft.status().role, Role::Candidate, "one voter, three times");
    let third = Message {
        from: NodeId(3),
        to: NodeId(1),
        term: 1,
        body: Body::VoteReply { granted: true },
    };
    replies(&mut raft, Input::Message(third));
    assert_eq!(raft.status().role, Role::Leader);
}

#[test]
fn section_5_2_a_vote_of_an_earlier_term_does_not_count() {
    let mut raft = core(3, 0, &[], without_pre_vote);
    raft.handle(raft.next_deadline().unwrap(), Input::Timeout);
    raft.handle(raft.next_deadline().unwrap(), Input::Timeout);
    replies(&mut raft, from_2(1, Body::VoteReply { granted: true }));
    assert_eq!((raft.term(), raft.status().role), (2, Role::Candidate));
}

#[test]
fn section_5_2_a_candidate_yields_to_the_leader_of_its_term() {
    let mut raft = core(3, 0, &[], without_pre_vote);
    raft.handle(raft.next_deadline().unwrap(), Input::Timeout);
    replies(&mut raft, from_2(1, append((0, 0), &[], 0)));
    let status = raft.status();
    assert_eq!(
        (status.role, status.leader, status.voted_for),
        (Role::Follower, Some(NodeId(2)), Some(NodeId(1)))
    );
}

#[test]
fn section_5_2_heartbeats_keep_a_follower_from_starting_an_election() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    let term = cluster.raft(1).term();
    for _ in 0..40 {
        for id in 1..=3 {
            cluster.pass(id, 50 * MILLISECOND).unwrap();
            cluster.settle();
        }
    }
    assert_eq!(
        (cluster.raft(1).term(), cluster.raft(1).status().role),
        (term, Role::Leader)
    );
}

#[test]
fn section_5_4_1_the_voter_compares_the_logs() {
    let vote = |last: (Term, u64)| {
        let mut raft = core(3, 3, &[1, 1, 3], defaults);
        let candidate = Mark {
            term: last.0,
            index: last.1,
        };
        replies(
            &mut raft,
            from_2(
                4,
                Body::RequestVote {
                    last: candidate,
                    transfer: false,
                },
            ),
        )[0]
        .1 == Body::VoteReply { granted: true }
    };
    assert!(vote((3, 3)), "as up-to-date");
    assert!(vote((3, 4)), "same term, longer");
    assert!(vote((4, 1)), "later term, shorter");
    assert!(!vote((3, 2)), "same term, shorter");
    assert!(!vote((1, 9)), "earlier term, longer");
}

#[test]
fn thesis_9_6_a_node_that_was_cut_off_does_not_raise_the_term() {
    let mut cluster = Cluster::new(3, 1, defaults);
    cluster.elect(1);
    let term = cluster.raft(1).term();
    for _ in 0..20 {
        cluster.timeout(3).unwrap();
        cluster.settle_between(|from, to| from != 3 && to != 3);
    }
    assert_eq!(
        (cluster.raft(3).status().role, cluster.raft(3).term()),
        (Role::PreCandidate, term)
    );
}

#[test]
fn thesis_9_6_no_pre_vote_is_granted_while_a_leader_is_heard() {
    let ask = Body::PreVote {
        last: Mark { term: 9, index: 9 },
    };
    let mut raft = core(3, 1, &[1], defaults);
    replies(&mut raft, from_2(1, append((1, 1), &[], 0)));
    let other = Message {
        from: NodeId(3),
        to: NodeId(1),
        term: 2,
        body: ask.clone(),
    };
    assert_eq!(
        replies(&mut raft, Input::Message(other.clone())),
        [(1, Body::PreVoteReply { granted: false })]
    );
    raft.handle(Time(raft.next_deadline().unwrap().0 - 1), Input::Timeout);
    while raft.poll_output().is_some() {}
    assert_eq!(
        replies(&mut raft, Input::Message(other)),
        [(2, Body::PreVoteReply { granted: true })]
    );
    assert_eq!(raft.term(), 1, "asking changes nothing");
}

#[test]
fn thesis_9_6_a_pre_candidate_learns_a_later_term_from_a_refusal() {
    let mut raft = core(3, 1, &[1], defaults);
    raft.handle(raft.next_deadline().unwrap(), Input::Timeout);
    replies(&mut raft, from_2(7, Body::PreVoteReply { granted: false }));
    assert_eq!((raft.term(), raft.status().role), (7, Role::Follower));
}

#[test]
fn a_restarted_node_is_a_follower_with_its_term_vote_and_log_and_nothing_committed() {
    let mut cluster = plain_cluster(3);
    cluster.elect(1);
    cluster.propose(1, 1, b"x").unwrap();
    cluster.settle();
    let before = cluster.raft(1).status();
    cluster.crash(1, 0);
    let after = cluster.raft(1).status();
    assert_eq!((after.role, after.commit, after.applied), (Role::Follower, 0, 0));
    assert_eq!(
        (after.term, after.voted_for, after.last_index),
        (before.term, before.voted_for, before.last_index)
    );
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let mut config = Config::new(NodeId(1), vec![NodeId(2), NodeId(2)], 1);
    let text = Raft::restore(config.clone(), DurableState::default(), Time(0))
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "invalid Raft configuration: members must name 1 to 32 voters, and nobody twice, or nobody on a node that joins"
    );

    config.members.voters = vec![NodeId(1)];
    config.heartbeat_interval = config.election_timeout_min;
    let text = config.validate().unwrap_err().to_string();
    assert_eq!(
        text,
        "invalid Raft configuration: election_timeout_min must be more than heartbeat_interval"
    );
}

#[test]
fn thesis_9_6_a_pre_vote_for_the_current_term_is_refused_where_the_vote_is_given() {
    let last = Mark { term: 9, index: 99 };
    let mut raft = core(3, 3, &[1], defaults);
    let sent = replies(&mut raft, from_2(3, Body::PreVote { last }));
    assert_eq!(sent, [(3, Body::PreVoteReply { granted: true })]);
    let other = Message {
        from: NodeId(3),
        to: NodeId(1),
        term: 3,
        body: Body::RequestVote { last, transfer: true },
    };
    replies(&mut raft, Input::Message(other));
    let sent = replies(&mut raft, from_2(3, Body::PreVote { last }));
    assert_eq!(sent, [(3, Body::PreVoteReply { granted: false })]);
}

#[test]
fn thesis_9_6_a_pre_vote_counts_only_in_the_term_that_was_asked_for() {
    let mut raft = core(3, 2, &[1], defaults);
    raft.handle(Time(1_000 * MILLISECOND), Input::Timeout);
    assert_eq!(raft.role(), Role::PreCandidate);
    replies(&mut raft, from_2(9, Body::PreVoteReply { granted: true }));
    assert_eq!((raft.role(), raft.term()), (Role::PreCandidate, 2));
    replies(&mut raft, from_2(3, Body::PreVoteReply { granted: true }));
    assert_eq!((raft.role(), raft.term()), (Role::Candidate, 3));
}

#[test]
fn section_5_2_who_grants_a_vote_waits_for_the_one_it_has_chosen() {
    let mut raft = core(3, 2, &[1], defaults);
    let due = raft.next_deadline().unwrap();
    let last = Mark { term: 9, index: 99 };
    replies(&mut raft, from_2(3, Body::RequestVote { last, transfer: true }));
    assert!(raft.next_deadline().unwrap() >= due.after(100 * MILLISECOND));
}

#[test]
fn section_5_2_a_split_vote_is_followed_by_an_election_in_the_next_term() {
    let mut cluster = plain_cluster(4);
    cluster.timeout(1).unwrap();
    cluster.timeout(2).unwrap();
    // Each has the vote of one other, and that is half of four.
    cluster.settle_between(|from, to| from % 2 == to % 2);
    assert_eq!((cluster.role(1), cluster.role(2)), (Role::Candidate, Role::Candidate));
    assert_eq!((cluster.raft(1).term(), cluster.raft(2).term()), (1, 1));
    cluster.timeout(1).unwrap();
    assert_eq!((cluster.role(1), cluster.raft(1).term()), (Role::Candidate, 2));
    cluster.settle();
    assert_eq!((cluster.role(1), cluster.raft(1).term()), (Role::Leader, 2));
}
