//! What becomes of a node whose storage fails: a write that fails, entries that are lost after they were durable, a disk that
//! forgets. One test for each claim of the module `storage`.

use crate::common::alone::{append, core, from_2, replies};
use crate::common::orders::{defaults, follower, outputs, refused, three_of_five};
use crate::common::{Cluster, MILLISECOND};
use raft_core::{
    Body, Config, Content, DurableState, Entry, HardState, Input, Mark, Message, NodeId, Outcome, Output, Pace,
    Persist, Raft, Refusal, RequestId, Role, Stamp, Time, WriteId,
};

/// A candidate with the best of logs, sent by the leader.
fn ask_for_vote(term: u64) -> Input {
    let last = Mark { term: 9, index: 99 };
    from_2(term, Body::RequestVote { last, transfer: true })
}

fn write_of(outputs: Vec<Output>) -> Persist {
    let mut writes = outputs.into_iter().filter_map(|output| match output {
        Output::Persist(write) => Some(write),
        _ => None,
    });
    writes.next().expect("something is written")
}

/// A follower whose write of an entry has failed, which is committed.
fn failed_follower() -> (Raft, WriteId) {
    let mut raft = core(3, 2, &[1], defaults);
    let id = write_of(outputs(&mut raft, from_2(2, append((1, 1), &[2], 1)))).id;
    outputs(&mut raft, Input::WriteFailed(id));
    (raft, id)
}

#[test]
fn a_node_whose_write_failed_takes_no_part_and_says_so() {
    let mut raft = follower(&[1]);
    let write = write_of(outputs(&mut raft, ask_for_vote(3)));
    assert!(outputs(&mut raft, Input::WriteFailed(write.id)).is_empty());
    assert!(outputs(&mut raft, ask_for_vote(3)).is_empty());
    let read = outputs(&mut raft, Input::Read { id: RequestId(7) });
    assert!(matches!(read[..], [Output::Answer(answer)] if answer.outcome == Outcome::Refused(Refusal::StorageFailed)));
    assert_eq!((raft.status().failed, raft.next_deadline()), (true, None));
}

#[test]
fn a_node_takes_part_again_once_the_write_that_failed_is_durable() {
    let (mut raft, id) = failed_follower();
    assert!(outputs(&mut raft, from_2(2, append((2, 2), &[2], 1))).is_empty());
    assert_eq!(raft.log().last_index(), 2, "it heard nothing");
    outputs(&mut raft, Input::Persisted(id));
    assert_eq!((raft.status().failed, raft.status().durable_index), (false, 2));
    let sent = replies(&mut raft, from_2(2, append((2, 2), &[2], 1)));
    assert!(matches!(sent[..], [(2, Body::AppendAccepted { match_index: 3, .. })]));
}

#[test]
fn a_node_that_takes_part_again_gives_its_leader_time() {
    let (mut raft, id) = failed_follower();
    let later = Time(10_000 * MILLISECOND);
    raft.handle(later, Input::Persisted(id));
    assert_eq!(raft.role(), Role::Follower);
    let deadline = raft.next_deadline().expect("it misses its leader again");
    assert!(
        deadline >= later.after(raft.config().election_timeout_min),
        "{deadline:?}"
    );
}

#[test]
fn of_several_writes_that_failed_the_last_one_counts() {
    let mut raft = follower(&[1]);
    let first = write_of(outputs(&mut raft, from_2(2, append((1, 1), &[2], 0)))).id;
    let second = write_of(outputs(&mut raft, from_2(2, append((2, 2), &[2], 0)))).id;
    for failed in [second, first] {
        outputs(&mut raft, Input::WriteFailed(failed));
    }
    outputs(&mut raft, Input::Persisted(first));
    assert_eq!((raft.status().failed, raft.status().durable_index), (true, 2));
    outputs(&mut raft, Input::Persisted(second));
    assert_eq!((raft.status().failed, raft.status().durable_index), (false, 3));
}

#[test]
fn the_state_machine_goes_on_while_a_write_has_failed() {
    let mut raft = core(3, 2, &[1, 1, 1], |config| config.unapplied_max = 1);
    // Not drained before the write fails: what was to be applied is still given out, and what was to be sent is not.
    raft.handle(Time(1), from_2(2, append((3, 1), &[2], 3)));
    let said = outputs(&mut raft, Input::WriteFailed(WriteId(1)));
    assert!(
        matches!(&said[..], [Output::Apply(entry)] if entry.index == 1),
        "{said:?}"
    );
    let said = outputs(&mut raft, Input::Applied(1));
    assert!(
        matches!(&said[..], [Output::Apply(entry)] if entry.index == 2),
        "{said:?}"
    );
}

#[test]
fn a_leader_whose_write_failed_steps_down_and_the_others_go_on() {
    let mut cluster = three_of_five();
    cluster.propose(1, 1, b"x").unwrap();
    let id = cluster.node(1).writes[0].id;
    cluster.input(1, Input::WriteFailed(id)).unwrap();
    assert_eq!(cluster.outcome(1), Some(Outcome::Unknown));
    assert_eq!(cluster.role(1), Role::Follower);
    cluster.read(1, 2).unwrap();
    assert_eq!(cluster.outcome(2), refused(Refusal::StorageFailed));
    // Its disk is full: no write is tried again.
    let kept = std::mem::take(&mut cluster.nodes.get_mut(&NodeId(1)).unwrap().writes);
    cluster.beat(20);
    let leader = cluster.leader().expect("one of the others");
    assert_ne!(leader, 1);
    cluster.propose(leader, 3, b"y").unwrap();
    cluster.settle();
    assert!(matches!(cluster.outcome(3), Some(Outcome::Committed { .. })));
    // There is space again.
    cluster.nodes.get_mut(&NodeId(1)).unwrap().writes = kept;
    cluster.beat(10);
    assert_eq!(cluster.commands(1), cluster.commands(leader));
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
    raft.handle(Time(400 * MILLISECOND), from_2(3, Body::PreVote { last }));
    assert!(matches!(
        raft.poll_output(),
        Some(Output::Send(Message {
            body: Body::PreVoteReply { granted: false },
            ..
        }))
    ));
    replies(&mut raft, ask_for_vote(3));
    assert_eq!(raft.status().voted_for, None);
    for index in 1..=2 {
        let prev = (index - 1, index - 1);
        let sent = replies(&mut raft, from_2(3, append(prev, &[index], 0)));
        assert!(
            matches!(sent[..], [(3, Body::AppendAccepted { amnesia: false, match_index, .. })] if match_index == index),
            "what it has again, it acknowledges: {sent:?}"
        );
        assert_eq!(raft.status().fenced, index < 2);
    }
    replies(&mut raft, ask_for_vote(4));
    assert_eq!(raft.status().voted_for, Some(NodeId(2)));
}

#[test]
fn what_is_left_of_a_log_is_not_taken_for_what_was_lost_however_long_it_is() {
    // Three entries of term 1 are an older version of the log: the last two had been replaced, in term 4, and were committed.
    let entry = |index| Entry {
        index,
        term: 1,
        content: Content::Noop,
    };
    let damaged = DurableState {
        hard_state: HardState {
            term: 9,
            voted_for: None,
        },
        entries: (1..=3).map(entry).collect(),
        fence: Some(3),
        ..DurableState::default()
    };
    let config = Config::new(NodeId(1), vec![NodeId(1), NodeId(2), NodeId(3)], 1);
    let mut raft = Raft::restore(config, damaged, Time(0)).unwrap();
    assert!(raft.status().fenced);
    assert_eq!(raft.next_deadline(), None, "it does not stand for election");
    let sent = replies(&mut raft, from_2(9, append((3, 4), &[], 0)));
    assert!(
        matches!(sent[..], [(9, Body::AppendRejected { lost: true, .. })]),
        "{sent:?}"
    );
    replies(&mut raft, from_2(9, append((1, 1), &[4], 2)));
    assert!(raft.status().fenced, "confirmed up to 2");
    replies(&mut raft, from_2(9, append((2, 4), &[4], 2)));
    assert!(!raft.status().fenced);
}

#[test]
fn a_log_that_is_all_there_needs_a_leaders_word() {
    let mut cluster = damaged(false, 5);
    assert!(cluster.raft(3).status().fenced);
    cluster.beat(2);
    assert!(!cluster.raft(3).status().fenced, "no entry had to be sent");
}

#[test]
fn a_fence_falls_only_when_the_entries_are_durable() {
    let (hard_state, fence) = (
        HardState {
            term: 2,
            voted_for: None,
        },
        Some(1),
    );
    let damaged = DurableState {
        hard_state,
        fence,
        ..DurableState::default()
    };
    let config = Config::new(NodeId(1), vec![NodeId(1), NodeId(2), NodeId(3)], 1);
    let mut raft = Raft::restore(config, damaged, Time(0)).unwrap();
    let id = write_of(outputs(&mut raft, from_2(2, append((0, 0), &[1], 1)))).id;
    assert!(raft.status().fenced);
    outputs(&mut raft, Input::Persisted(id));
    assert!(!raft.status().fenced);
}

/// Node 3 of three has lost its disk, but for what `left` leaves of it; the term is known to be intact if it is not forgotten.
fn damaged(amnesia: bool, left: usize) -> Cluster {
    let mut cluster = Cluster::new(3, 1, defaults);
    cluster.elect(1);
    for request in 1..=4 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.settle();
    }
    cluster.crash_damaged(3, 0, |disk| {
        disk.fence = (!amnesia).then_some(disk.entries.len() as u64);
        disk.amnesia = amnesia;
        disk.entries.truncate(left);
    });
    cluster
}

#[test]
fn a_node_that_lost_entries_gets_them_from_the_leader_and_is_a_voter_again() {
    let mut cluster = damaged(false, 2);
    assert!(cluster.raft(3).status().fenced);
    cluster.beat(8);
    assert!(!cluster.raft(3).status().fenced);
    assert_eq!(cluster.commands(3), cluster.commands(1));
    // It counts again: with the leader's it makes a majority.
    cluster.propose(1, 9, b"y").unwrap();
    cluster.settle_between(|from, to| from != 2 && to != 2);
    assert!(matches!(cluster.outcome(9), Some(Outcome::Committed { .. })));
}

#[test]
fn a_node_with_amnesia_gets_the_log_and_counts_for_nothing() {
    let mut cluster = damaged(true, 0);
    assert_eq!(cluster.raft(3).next_deadline(), None, "it does not stand for election");
    let linked = |from, to| from != 2 && to != 2;
    cluster.propose(1, 9, b"y").unwrap();
    cluster.read(1, 10).unwrap();
    cluster.beat_between(4, linked);
    assert_eq!(cluster.raft(3).log().last_index(), cluster.raft(1).log().last_index());
    assert!(cluster.raft(3).status().amnesia);
    assert_eq!((cluster.outcome(9), cluster.outcome(10)), (None, None));
    cluster.beat(4);
    assert!(matches!(cluster.outcome(9), Some(Outcome::Committed { .. })));
    assert!(matches!(cluster.outcome(10), Some(Outcome::Readable { .. })));
    replies(&mut cluster.nodes.get_mut(&NodeId(3)).unwrap().raft, Input::Campaign);
    assert_eq!(cluster.role(3), Role::Follower);
}

#[test]
fn a_node_with_amnesia_neither_votes_nor_is_handed_the_leadership() {
    let mut cluster = damaged(true, 0);
    cluster.beat(8);
    cluster.transfer(1, 9, 3);
    let told = |message: &Message| matches!(message.body, Body::TimeoutNow);
    assert!(!cluster.wire.iter().any(told), "though it has the whole log");
    cluster.beat(14);
    assert_eq!(cluster.outcome(9), refused(Refusal::TransferTimedOut));
    let raft = &mut cluster.nodes.get_mut(&NodeId(3)).unwrap().raft;
    let last = Mark { term: 9, index: 99 };
    let ask = Message {
        from: NodeId(2),
        to: NodeId(3),
        term: 9,
        body: Body::RequestVote { last, transfer: true },
    };
    replies(raft, Input::Message(ask));
    assert_eq!((raft.term(), raft.status().voted_for), (9, None));
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

#[test]
fn a_leader_begins_anew_with_a_follower_that_has_an_entry_of_another_term_where_it_had_the_leaders() {
    let mut cluster = three_of_five();
    cluster.elect(2);
    cluster.settle();
    let last = cluster.raft(2).log().last_index();
    let at = |cluster: &Cluster| {
        cluster
            .raft(2)
            .peers()
            .iter()
            .position(|peer| peer.id == NodeId(3))
            .unwrap()
    };
    let progress = |cluster: &Cluster| cluster.raft(2).peers()[at(cluster)].clone();
    let before = progress(&cluster);
    assert_eq!(before.match_index(), last);
    // An unfinished entry of the term before lies where the acknowledged one of this term was.
    let stamp = Stamp {
        round: 0,
        session: before.acquaintance(),
    };
    let body = Body::AppendRejected {
        prev_index: last,
        hint: Mark {
            term: cluster.raft(2).term() - 1,
            index: last,
        },
        lost: true,
        stamp,
    };
    let (from, to, term) = (NodeId(3), NodeId(2), cluster.raft(2).term());
    cluster
        .input(2, Input::Message(Message { from, to, term, body }))
        .unwrap();
    assert_ne!(progress(&cluster).acquaintance(), before.acquaintance());
    assert_eq!(progress(&cluster).match_index(), 0);
}
