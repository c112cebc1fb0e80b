//! One test for each claim of the paper (extended version, 2014) and of the thesis that the core implements, named after
//! its section.

mod common;

use common::alone::{append, core, from_2, replies};
use common::{Cluster, MILLISECOND};
use raft_core::{
    Body, Config, Content, DurableState, Input, Mark, Message, NodeId, Outcome, Output, Raft, Refusal, RequestId, Role,
    Stamp, Term, Time,
};

fn defaults(_: &mut Config) {}

fn without_pre_vote(config: &mut Config) {
    config.pre_vote = false;
}

fn cluster(size: u64) -> Cluster {
    Cluster::new(size, 1, without_pre_vote)
}

#[test]
fn section_5_1_a_server_adopts_a_later_term_and_becomes_follower() {
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
fn section_5_3_a_command_is_applied_everywhere_and_answered_once() {
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
    cluster.elect(1);
    cluster.elect(2);
    assert_eq!(cluster.terms(2), [1, 2]);
    assert_eq!(cluster.raft(2).log().entry(2).unwrap().content, Content::Noop);
    assert_eq!(cluster.raft(2).status().commit, 2);
}

#[test]
fn thesis_4_the_first_leader_writes_down_the_founders() {
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(1);
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
    let mut cluster = cluster(5);
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
    let mut cluster = cluster(3);
    cluster.elect(1);
    cluster.propose(2, 1, b"x").unwrap();
    let refused = Outcome::Refused(Refusal::NotLeader {
        leader: Some(NodeId(1)),
    });
    assert_eq!(cluster.outcome(1), Some(refused));
}

#[test]
fn thesis_6_4_a_follower_asks_the_leader_for_the_read_index() {
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
    cluster.elect(1);
    cluster.read(3, 1).unwrap();
    cluster.settle_between(|_, _| false);
    cluster.pass(3, 300 * MILLISECOND).unwrap();
    assert_eq!(cluster.outcome(1), Some(Outcome::Refused(Refusal::NoAnswer)));
}

#[test]
fn thesis_6_4_a_read_waits_for_a_quorum() {
    let mut cluster = cluster(3);
    cluster.elect(1);
    cluster.read(1, 1).unwrap();
    assert_eq!(cluster.outcome(1), None);
    cluster.settle();
    assert_eq!(cluster.outcome(1), Some(Outcome::Readable { index: 1 }));
}

#[test]
fn thesis_6_4_a_leader_that_was_replaced_answers_no_read() {
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
    let mut cluster = cluster(3);
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
