//! Log compaction and snapshots (paper, section 7): one test for each claim.

use crate::common::alone::{append, core, from_2, replies};
use crate::common::orders::{follower, outputs};
use crate::common::{Cluster, MILLISECOND, snapshot_bytes};
use raft_core::{Body, Config, Configuration, Content, Entry, Input, Mark, Message, NodeId, Output, Raft, Stamp};

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
fn section_7_a_write_that_does_not_hold_the_snapshot_compacts_nothing() {
    let mut cluster = Cluster::new(1, 1, |config| config.snapshot_tail = 0);
    cluster.elect(1);
    for request in 1..=3 {
        cluster.propose(1, request, b"x").unwrap();
    }
    cluster.settle();
    let index = cluster.raft(1).status().applied;
    // One write is under way when the snapshot is made; the snapshot is in the one after it.
    cluster.propose(1, 4, b"x").unwrap();
    let data = snapshot_bytes(index);
    cluster.input(1, Input::SnapshotTaken { index, data }).unwrap();
    assert_eq!(cluster.node(1).writes.len(), 2);
    cluster.persist(1).unwrap();
    assert_eq!(
        cluster.raft(1).status().first_index,
        1,
        "a crash now would lose what is compacted"
    );
    cluster.persist(1).unwrap();
    assert_eq!(cluster.raft(1).status().first_index, index + 1);
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
    let configuration = Configuration::of(vec![NodeId(1), NodeId(2), NodeId(3)]);
    let (last, chunk) = (Mark { term, index }, snapshot_bytes(index));
    let body = Body::InstallSnapshot {
        last,
        configuration: Box::new(configuration),
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
fn section_7_every_server_takes_its_own_snapshots() {
    let mut cluster = Cluster::new(3, 1, with_snapshots);
    cluster.elect(1);
    for request in 1..=10 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.settle();
    }
    cluster.beat(2);
    assert!((1..=3).all(|id| cluster.raft(id).status().snapshot_index >= 4));
    let installs = |message: &Message| matches!(message.body, Body::InstallSnapshot { .. });
    assert!(!cluster.wire.iter().any(installs));
}

#[test]
fn section_7_the_consistency_check_holds_at_the_edge_of_the_compacted_log() {
    let mut cluster = Cluster::new(1, 1, |config| config.snapshot_tail = 0);
    cluster.elect(1);
    cluster.settle();
    let (index, term) = (cluster.raft(1).status().applied, cluster.raft(1).term());
    let data = snapshot_bytes(index);
    cluster.input(1, Input::SnapshotTaken { index, data }).unwrap();
    cluster.settle();
    assert_eq!(cluster.raft(1).status().first_index, index + 1, "no entry is left");
    // What the snapshot's last entry was is still known: what follows on it is accepted, and nothing else is known.
    assert_eq!(cluster.raft(1).log().term(index), Some(term));
    assert_eq!(cluster.raft(1).log().term(index + 1), None);
    let entry = |prev_index: u64| Message {
        from: NodeId(2),
        to: NodeId(1),
        term: term + 1,
        body: Body::AppendEntries {
            prev: Mark {
                term,
                index: prev_index,
            },
            entries: vec![Entry {
                index: prev_index + 1,
                term: term + 1,
                content: Content::Noop,
            }],
            commit: 0,
            quiesce: false,
            stamp: Stamp::default(),
        },
    };
    cluster.input(1, Input::Message(entry(index + 1))).unwrap();
    assert_eq!(cluster.raft(1).log().last_index(), index, "there is a gap");
    cluster.input(1, Input::Message(entry(index))).unwrap();
    assert_eq!(cluster.raft(1).log().last_index(), index + 1);
}

/// How often the core asks for a snapshot when it is told of each of `applied`.
fn asked_for(raft: &mut Raft, applied: impl Iterator<Item = u64>) -> Vec<u64> {
    let asks = |output: &Output| match output {
        Output::TakeSnapshot { index } => Some(*index),
        _ => None,
    };
    applied
        .flat_map(|index| {
            let outputs = outputs(raft, Input::Applied(index));
            outputs.iter().filter_map(asks).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn section_7_a_snapshot_is_asked_for_once_when_the_threshold_is_reached() {
    let mut raft = core(3, 2, &[1; 9], |config| config.snapshot_threshold = Some(4));
    replies_without_applying(&mut raft);
    assert_eq!(asked_for(&mut raft, 1..=6), [4]);
    let (index, data) = (4, snapshot_bytes(4));
    outputs(&mut raft, Input::SnapshotTaken { index, data });
    assert_eq!(raft.status().snapshot_index, 4);
    assert_eq!(asked_for(&mut raft, 7..=9), [8], "and again after as many");
}

/// A leader commits all nine entries.
fn replies_without_applying(raft: &mut Raft) {
    outputs(raft, from_2(2, append((9, 1), &[], 9)));
    assert_eq!(raft.commit_index(), 9);
}

#[test]
fn section_7_a_snapshot_that_comes_late_does_not_replace_a_later_one() {
    let mut raft = core(3, 2, &[1; 9], |_| {});
    replies_without_applying(&mut raft);
    outputs(&mut raft, Input::Applied(9));
    for index in [6, 4] {
        let data = snapshot_bytes(index);
        outputs(&mut raft, Input::SnapshotTaken { index, data });
        assert_eq!(raft.status().snapshot_index, 6);
    }
}

#[test]
fn section_7_a_transfer_under_way_is_finished_though_there_is_a_later_snapshot() {
    let mut cluster = with_a_snapshot_behind(3);
    let first = cluster.raft(1).status().snapshot_index;
    // The link heals, and a later snapshot is taken after the first chunks have left.
    let is_chunk = |message: &Message| matches!(message.body, Body::InstallSnapshot { .. });
    while !cluster.wire.iter().any(is_chunk) {
        cluster.pass(1, 25 * MILLISECOND).unwrap();
        (1..=3).for_each(|id| cluster.persist(id).unwrap());
        if let Some(at) = cluster.wire.iter().position(|message| !is_chunk(message)) {
            cluster.deliver(at).unwrap();
        }
    }
    let chunks = cluster.wire.iter().filter(|message| is_chunk(message)).count();
    assert_eq!(chunks, 2, "of three chunks, no more than two are under way");
    for request in 11..=20 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.settle_between(|from, to| from != 3 && to != 3);
    }
    assert!(cluster.raft(1).status().snapshot_index > first);
    cluster.beat(12);
    // The cluster on the table compares what is installed with what the snapshot is said to be.
    assert_eq!(cluster.raft(3).status().applied, cluster.raft(1).status().applied);
}

#[test]
fn section_7_a_chunk_beyond_the_end_of_the_snapshot_is_not_taken() {
    let mut raft = core(3, 2, &[1], |_| {});
    let install = |offset: u64, chunk: &[u8]| {
        let body = Body::InstallSnapshot {
            last: Mark { term: 1, index: 9 },
            configuration: Box::new(Configuration::default()),
            offset,
            total: 8,
            chunk: chunk.into(),
            stamp: Stamp::default(),
        };
        from_2(2, body)
    };
    let received = |replies: &[(u64, Body)]| match replies {
        [(_, Body::SnapshotProgress { received, .. })] => *received,
        other => panic!("{other:?}"),
    };
    assert_eq!(received(&replies(&mut raft, install(0, &[1; 4]))), 4);
    assert_eq!(received(&replies(&mut raft, install(4, &[1; 5]))), 4);
    assert_eq!(
        received(&replies(&mut raft, install(5, &[1; 1]))),
        4,
        "nor one behind a gap"
    );
}

#[test]
fn section_7_entries_from_before_the_compacted_log_are_no_conflict() {
    let mut raft = core(3, 2, &[1; 9], |config| config.snapshot_tail = 0);
    replies_without_applying(&mut raft);
    replies(&mut raft, Input::Applied(9));
    let (index, data) = (6, snapshot_bytes(6));
    replies(&mut raft, Input::SnapshotTaken { index, data });
    assert_eq!(raft.status().first_index, 7);
    let answers = replies(&mut raft, from_2(2, append((2, 1), &[1; 3], 9)));
    assert!(
        matches!(answers[..], [(2, Body::AppendAccepted { match_index: 9, .. })]),
        "{answers:?}"
    );
    assert_eq!(raft.log().last_index(), 9);
}

#[test]
fn section_7_an_empty_snapshot_is_one_empty_chunk() {
    let mut cluster = Cluster::new(3, 1, |config| config.snapshot_tail = 0);
    cluster.elect(1);
    for request in 1..=3 {
        cluster.propose(1, request, b"x").unwrap();
        cluster.settle_between(|from, to| from != 3 && to != 3);
    }
    let index = cluster.raft(1).status().applied;
    let data = [].as_slice().into();
    cluster.input(1, Input::SnapshotTaken { index, data }).unwrap();
    cluster.settle_between(|from, to| from != 3 && to != 3);
    let chunks = |cluster: &Cluster| {
        let empty =
            |body: &Body| matches!(body, Body::InstallSnapshot { offset: 0, total: 0, chunk, .. } if chunk.is_empty());
        cluster.wire.iter().filter(|message| empty(&message.body)).count()
    };
    // Node 3 answers where its log ends, and needs what is compacted.
    while chunks(&cluster) == 0 {
        cluster.pass(1, 25 * MILLISECOND).unwrap();
        while let Some(at) = cluster
            .wire
            .iter()
            .position(|message| !matches!(message.body, Body::InstallSnapshot { .. }))
        {
            cluster.deliver(at).unwrap();
            (1..=3).for_each(|id| cluster.persist(id).unwrap());
        }
    }
    cluster.pass(1, MILLISECOND).unwrap();
    assert_eq!(
        chunks(&cluster),
        1,
        "it is not sent again before it is answered, or given up"
    );
    let at = cluster
        .wire
        .iter()
        .position(|message| matches!(message.body, Body::InstallSnapshot { .. }));
    let message = cluster.wire.remove(at.unwrap());
    let raft = &mut cluster.nodes.get_mut(&NodeId(3)).unwrap().raft;
    raft.handle(raft_core::Time(u64::MAX / 2), Input::Message(message));
    assert_eq!((raft.status().snapshot_index, raft.commit_index()), (index, index));
}

#[test]
fn section_7_a_later_snapshot_takes_the_place_of_one_that_is_half_received() {
    let mut raft = core(3, 2, &[1], |_| {});
    let install = |index: u64, offset: u64, chunk: &[u8]| {
        let body = Body::InstallSnapshot {
            last: Mark { term: 1, index },
            configuration: Box::new(Configuration::of(vec![NodeId(1), NodeId(2), NodeId(3)])),
            offset,
            total: 8,
            chunk: chunk.into(),
            stamp: Stamp::default(),
        };
        from_2(2, body)
    };
    replies(&mut raft, install(7, 0, &[7; 4]));
    // The leader has changed, and the next one sends its own from the start.
    let begun = replies(&mut raft, install(9, 0, &[9; 4]));
    assert!(
        matches!(
            begun[..],
            [(
                2,
                Body::SnapshotProgress {
                    last: Mark { index: 9, .. },
                    received: 4,
                    ..
                }
            )]
        ),
        "{begun:?}"
    );
    raft.handle(raft_core::Time(1), install(9, 4, &[9; 4]));
    let restored = std::iter::from_fn(|| raft.poll_output()).find_map(|output| match output {
        Output::Restore(snapshot) => Some(snapshot),
        _ => None,
    });
    let restored = restored.expect("all of it is there");
    assert_eq!((restored.last.index, &restored.data[..]), (9, &[9; 8][..]));
}
