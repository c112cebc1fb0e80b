//! Who can win an election of those that stay, and how much can be under way to a member at once.

use super::super::find;
use super::{Standing, can_elect, window};
use raft_core::{Configuration, Mark, NodeId};
use squall::draw::Draw;
use squall::scenario::{Flips, parse};

fn ids(ids: &[u64]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

fn standing(id: u64, (term, index): (u64, u64), members: &Configuration) -> Standing {
    Standing {
        id: NodeId(id),
        votes: true,
        last: Mark { term, index },
        members: members.clone(),
    }
}

#[test]
fn an_upgrade_may_leave_one_entry_under_way_at_a_time() {
    let of = |max_entries_per_append, max_inflight, names: &[&str]| {
        let scenario = parse("calm", find("calm").unwrap().text, &[], &super::super::known()).unwrap();
        let draw = Draw {
            max_entries_per_append,
            max_inflight,
            max_bytes_per_append: 64 << 10,
            ..Draw::new(&scenario, 0)
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        window(&draw, Flips::try_from(names).ok(), 8)
    };
    assert_eq!(of(64, 16, &[]), 64 * 16);
    assert_eq!(of(64, 16, &["pre-vote", "compression"]), 64 * 16);
    assert_eq!(of(64, 16, &["window"]), 64);
    assert_eq!(of(64, 16, &["batches"]), 16);
    assert_eq!(of(64, 16, &["batches", "window"]), 1);
    assert_eq!(
        of(1, 1, &["batches", "window"]),
        1,
        "a flip to more is no help to those that are not flipped"
    );
}

#[test]
fn of_large_entries_few_go_into_one_append() {
    let scenario = parse("calm", find("calm").unwrap().text, &[], &super::super::known()).unwrap();
    let of = |max_bytes_per_append, largest| {
        let draw = Draw {
            max_entries_per_append: 64,
            max_inflight: 2,
            max_bytes_per_append,
            ..Draw::new(&scenario, 0)
        };
        window(&draw, None, largest)
    };
    assert_eq!(of(256, 16 << 10), 2, "one that is too large goes alone");
    assert_eq!(of(64 << 10, 8 << 10), 2 * 8);
    assert_eq!(of(64 << 10, 8), 2 * 64);
}

#[test]
fn of_a_majority_that_stays_the_newest_log_can_win() {
    let members = Configuration::of(ids(&[0, 1, 2]));
    let mut stay = vec![standing(1, (2, 5), &members), standing(2, (1, 9), &members)];
    assert!(can_elect(&stay));
    stay[0].votes = false;
    assert!(!can_elect(&stay), "one of three votes");
}

/// A node that was taken out may not know it, and acts under its old members for ever: those too must have a quorum left, whoever
/// else can win.
#[test]
fn whoever_stays_has_a_quorum_of_the_members_that_it_knows() {
    let (old, new) = (Configuration::of(ids(&[0, 1, 2])), Configuration::of(ids(&[3, 4, 5])));
    let mut stay = vec![
        standing(0, (1, 5), &old),
        standing(3, (2, 9), &new),
        standing(4, (2, 9), &new),
    ];
    assert!(!can_elect(&stay), "node 0 alone of its three");
    stay.push(standing(2, (1, 5), &old));
    assert!(can_elect(&stay));
}

/// The swarm's seed 0x5304b: the entry that makes node 2 a voter is on node 3 alone, and the log of node 2 is newer.
#[test]
fn a_learner_that_is_to_vote_and_has_the_newest_log_blocks_the_others() {
    let old = Configuration {
        learners: ids(&[0, 2]),
        ..Configuration::of(ids(&[1, 3, 4]))
    };
    let joint = Configuration {
        outgoing: ids(&[1, 3, 4]),
        ..Configuration::of(ids(&[0, 2, 3]))
    };
    let mut stay = vec![
        standing(2, (5, 171), &old),
        standing(3, (3, 171), &joint),
        standing(4, (3, 158), &old),
    ];
    assert!(!can_elect(&stay));
    // Node 1 would win under the old members, whose newest log it has; and node 3, if that of node 2 were no newer.
    stay.push(standing(1, (7, 173), &old));
    assert!(can_elect(&stay));
    stay.pop();
    stay[0].last = Mark { term: 3, index: 170 };
    assert!(can_elect(&stay));
}
