//! Configurations, transfers and installed snapshots that look wrong and are not.

use super::super::{Feed, Observation, Role, applied, booted, configuration, entry, role, vote};

/// Nodes 0 to 4 are up, 0 to 2 vote; node 0 leads term 1 and committed entry 1, which all hold.
fn five() -> Feed {
    let mut feed = Feed::new(3);
    for node in [3, 4] {
        feed.ok(node, booted(0, None, 0, &[]));
    }
    feed.elect(0, 1, &[0, 1]);
    for node in 0..5 {
        feed.ok(node, Observation::Term { term: 1 });
        feed.store(node, entry(1, 1));
    }
    feed.commit(0, 1);
    feed
}

/// The nodes hold entry `index` of `term` with a configuration, the last of them last.
fn configured(feed: &mut Feed, nodes: &[u32], (index, term): (u64, u64), voters: &[u32], outgoing: &[u32]) {
    for node in nodes {
        feed.configure(*node, entry(index, term), voters, outgoing);
    }
}

#[test]
fn a_cluster_moves_to_other_nodes_through_a_joint_configuration() {
    let mut feed = five();
    configured(&mut feed, &[0, 1, 3, 4], (2, 1), &[3, 4], &[0, 1, 2]);
    // The commit of the joint configuration and the append that leaves it come in one event, the append first.
    feed.ok(0, Observation::Appended(entry(3, 1)));
    feed.also(0, configuration(3, &[4, 3], &[]));
    feed.also(0, Observation::ConfigurationActive { index: 3 });
    feed.also(0, Observation::Committed { index: 2 });
    configured(&mut feed, &[3, 4], (3, 1), &[3, 4], &[]);
    // Decided by others alone; the leader is not among them and steps down.
    feed.commit(0, 3);
    feed.follow(0, 1);
    feed.elect(3, 2, &[3, 4]);
    feed.store(3, entry(4, 2));
    feed.store(4, entry(4, 2));
    feed.commit(3, 4);
    // The disks of the old voters count no more.
    for node in 0..3 {
        feed.ok(node, Observation::Crashed);
    }
    feed.properties.at_rest(Default::default()).unwrap();
}

#[test]
fn decisions_that_come_late_decide_nothing() {
    let mut feed = five();
    feed.ok(5, booted(1, None, 0, &[]));
    feed.store(5, entry(1, 1));
    feed.stand(5, 2);
    for node in [0, 1, 2, 3, 4] {
        feed.store(node, entry(2, 1));
    }
    // Node 1 moves the cluster to {3, 4}, while node 0 still leads {0, 1, 2}, and node 5 waits for votes from there.
    feed.elect(1, 3, &[1, 2]);
    for node in [1, 2, 3, 4] {
        feed.ok(node, Observation::Term { term: 3 });
        feed.store(node, entry(3, 3));
    }
    feed.commit(1, 3);
    configured(&mut feed, &[1, 2, 3, 4], (4, 3), &[3, 4], &[0, 1, 2]);
    feed.commit(1, 4);
    configured(&mut feed, &[1, 3, 4], (5, 3), &[3, 4], &[]);
    feed.commit(1, 5);
    feed.commit(0, 2);
    feed.ok(5, role(Role::Leader, 2));
    feed.store(3, entry(6, 3));
    feed.store(4, entry(6, 3));
    feed.ok(1, Observation::Appended(entry(6, 3)));
    feed.commit(1, 6);
}

#[test]
fn an_uncommitted_configuration_goes_with_its_entry() {
    let mut feed = five();
    feed.configure(0, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.elect(1, 2, &[1, 2]);
    feed.store(1, entry(2, 2));
    feed.store(2, entry(2, 2));
    feed.commit(1, 2);
    feed.follow(0, 2);
    feed.ok(0, Observation::Truncated { from: 2 });
    feed.also(0, Observation::Appended(entry(2, 2)));
    feed.also(0, Observation::ConfigurationActive { index: 0 });
    feed.ok(0, Observation::DurableTruncated { from: 2 });
    feed.ok(0, Observation::DurableAppended(entry(2, 2)));
    configured(&mut feed, &[1, 2], (3, 2), &[0, 1], &[]);
    feed.configure(0, entry(3, 2), &[0, 1], &[]);
    feed.commit(1, 3);
}

#[test]
fn a_node_that_restarts_acts_under_the_configuration_of_its_disk() {
    let mut feed = five();
    configured(&mut feed, &[0, 1, 2, 3], (2, 1), &[0, 1, 2, 3], &[]);
    feed.commit(0, 2);
    for told in [false, true] {
        feed.ok(3, Observation::Crashed);
        feed.ok(3, booted(1, None, 0, &[entry(1, 1), entry(2, 1)]));
        if told {
            feed.also(3, configuration(2, &[0, 1, 2, 3], &[]));
        }
        feed.also(3, Observation::ConfigurationActive { index: 2 });
    }
    // From a snapshot, the index of which stands for its configuration.
    feed.ok(3, Observation::Crashed);
    feed.ok(3, booted(1, None, 2, &[]));
    feed.also(3, configuration(2, &[0, 1, 2, 3], &[]));
    feed.also(3, Observation::ConfigurationActive { index: 2 });
    feed.ok(2, Observation::LeaseDropped);
}

#[test]
fn an_installed_snapshot_brings_its_configuration() {
    let mut feed = five();
    configured(&mut feed, &[0, 1, 3], (2, 1), &[0, 1, 2, 3], &[]);
    feed.store(0, entry(3, 1));
    feed.store(1, entry(3, 1));
    feed.store(3, entry(3, 1));
    feed.commit(0, 3);
    feed.ok(2, Observation::Installed { term: 1, index: 3 });
    feed.also(2, configuration(3, &[0, 1, 2, 3], &[]));
    feed.also(2, Observation::ConfigurationActive { index: 3 });
    feed.ok(2, Observation::DurableInstalled { term: 1, index: 3 });
    // It counts for a majority from now on, and goes on behind the snapshot.
    feed.store(0, entry(4, 1));
    feed.store(1, entry(4, 1));
    feed.store(2, entry(4, 1));
    feed.commit(0, 4);
    feed.commit(2, 4);
    feed.ok(2, applied(entry(4, 1), 4));
    feed.ok(2, Observation::Crashed);
    feed.ok(2, booted(1, None, 3, &[entry(4, 1)]));
    feed.also(2, Observation::ConfigurationActive { index: 2 });
    feed.ok(2, Observation::LeaseDropped);
}

#[test]
fn an_installed_snapshot_leaves_what_follows_it() {
    let mut feed = five();
    feed.configure(1, entry(2, 1), &[0, 1, 2, 3], &[]);
    feed.ok(1, Observation::Installed { term: 1, index: 1 });
    feed.ok(1, Observation::DurableInstalled { term: 1, index: 1 });
    feed.store(1, entry(3, 1));
}

#[test]
fn a_transfer_skips_the_pre_vote() {
    let mut feed = five();
    feed.ok(1, Observation::TransferReceived { term: 1 });
    feed.also(1, Observation::Term { term: 2 });
    feed.also(1, role(Role::Candidate, 2));
    for voter in [1, 2] {
        feed.ok(voter, Observation::Term { term: 2 });
        feed.vote(voter, 2, 1);
    }
    feed.ok(1, role(Role::Leader, 2));
    feed.ok(2, vote(2, 1));
}

#[test]
fn a_node_stands_while_its_removal_is_not_committed() {
    let mut feed = five();
    feed.configure(1, entry(2, 1), &[0, 2], &[]);
    feed.elect(1, 2, &[1, 2]);
}

#[test]
fn a_founding_configuration_may_have_learners() {
    let founding = Observation::ConfigurationAppended {
        index: 0,
        voters: &[2, 1, 0],
        outgoing: &[],
        learners: &[3],
    };
    let mut feed = five();
    for node in 0..4 {
        feed.ok(node, founding);
        feed.also(node, Observation::ConfigurationActive { index: 0 });
    }
    feed.ok(4, Observation::Installed { term: 1, index: 1 });
    feed.also(
        4,
        Observation::ConfigurationAppended {
            index: 1,
            voters: &[0, 1, 2],
            outgoing: &[],
            learners: &[3],
        },
    );
    feed.also(4, Observation::ConfigurationActive { index: 1 });
    feed.store(0, entry(2, 1));
    feed.store(1, entry(2, 1));
    feed.commit(0, 2);
    assert_eq!(feed.properties.committed(), 2);
}
