//! Three and five cores under arbitrary interleavings of deliveries, losses, repetitions, writes, crashes, timeouts and
//! requests. `common` holds the safety properties against every step.

use crate::common::Cluster;
use proptest::prelude::*;
use raft_core::{Config, Input, Members, NodeId};

/// One move, drawn as a number and two arguments; the weights make elections and progress likely.
type Move = (u8, u16, u16);

fn run(size: u64, seed: u64, moves: &[Move], configure: fn(&mut Config)) -> Result<Cluster, String> {
    run_founded_by(size, size, seed, moves, configure)
}

fn run_founded_by(
    founders: u64,
    size: u64,
    seed: u64,
    moves: &[Move],
    configure: fn(&mut Config),
) -> Result<Cluster, String> {
    let mut cluster = Cluster::founded_by(founders, size, seed, configure);
    for (step, (kind, a, b)) in moves.iter().enumerate() {
        let id = 1 + u64::from(*a) % size;
        let request = step as u64;
        let under_way = cluster.wire.len();
        match kind % 32 {
            0..=8 if under_way > 0 => cluster.deliver(0)?,
            9..=13 if under_way > 0 => cluster.deliver(usize::from(*b) % under_way)?,
            14 if under_way > 0 => drop(cluster.wire.remove(usize::from(*b) % under_way)),
            15 if under_way > 0 => cluster.wire.push(cluster.wire[usize::from(*b) % under_way].clone()),
            16..=22 => cluster.persist(id)?,
            23 | 24 => cluster.timeout(id)?,
            25 => cluster.pass(id, u64::from(*b) * 5_000)?,
            26 => cluster.crash(id, usize::from(*b) % 3),
            27..=29 => cluster.propose(id, request, &b.to_le_bytes())?,
            30 => cluster.read(id, request)?,
            // One node after the other: a whole round, so that something is committed now and then.
            31 => {
                (1..=size).try_for_each(|id| cluster.persist(id))?;
                for _ in 0..under_way {
                    cluster.deliver(0)?;
                }
            }
            _ => {}
        }
        // Operators are at work now and then, where the configuration asks for it.
        if founders < size && kind % 64 == 40 {
            operate(&mut cluster, size, request, *a, *b)?;
        }
    }
    Ok(cluster)
}

/// A change of members, a transfer, an election by order.
fn operate(cluster: &mut Cluster, size: u64, request: u64, a: u16, b: u16) -> Result<(), String> {
    let ids = |mask: u16| (1..=size).filter(move |id| mask >> id & 1 == 1).map(NodeId);
    let at = cluster.leader().unwrap_or(1);
    match a % 8 {
        0..=4 => {
            let learners = ids(b >> 8).filter(|id| b >> id.0 & 1 == 0).collect();
            let members = Members {
                voters: ids(b).collect(),
                learners,
            };
            cluster.order(at, request, |id| Input::ChangeMembership { id, members })
        }
        5 | 6 => cluster.order(at, request, |id| Input::Transfer {
            id,
            to: NodeId(1 + u64::from(b) % size),
        }),
        _ => cluster.input(1 + u64::from(b) % size, Input::Campaign),
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(any::<Move>(), 50..500)
}

fn paper(config: &mut Config) {
    config.pre_vote = false;
    config.append_entries_max = 2;
    config.inflight_max = 2;
}

fn one_by_one(config: &mut Config) {
    config.append_entries_max = 1;
    config.inflight_max = 1;
}

/// Snapshots every few entries, in tiny chunks; leases; priorities; quiet when idle for a while.
fn everything(config: &mut Config) {
    config.append_entries_max = 2;
    config.snapshot_threshold = Some(4);
    config.snapshot_tail = 1;
    config.snapshot_chunk_bytes = 8;
    config.snapshot_chunks_inflight = 2;
    config.priority = (config.id.0 % 4) as u8;
    config.quiesce_after = Some(500 * crate::common::MILLISECOND);
}

fn no_check_quorum(config: &mut Config) {
    everything(config);
    config.check_quorum = false;
    config.pre_vote = false;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn three_cores_are_safe(seed: u64, moves in moves()) {
        run(3, seed, &moves, |_| {}).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn three_cores_without_pre_vote_are_safe(seed: u64, moves in moves()) {
        run(3, seed, &moves, paper).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn four_cores_are_safe(seed: u64, moves in moves()) {
        run(4, seed, &moves, paper).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn five_cores_one_entry_at_a_time_are_safe(seed: u64, moves in moves()) {
        run(5, seed, &moves, one_by_one).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn changing_members_are_safe(seed: u64, moves in moves()) {
        run_founded_by(3, 5, seed, &moves, everything).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn changing_members_without_check_quorum_are_safe(seed: u64, moves in moves()) {
        run_founded_by(4, 7, seed, &moves, no_check_quorum).map_err(TestCaseError::fail)?;
    }

    /// Whatever happened, once messages arrive and writes succeed, a leader comes and all that was asked is answered by
    /// the nodes that did not crash meanwhile; and every log becomes the leader's.
    #[test]
    fn three_cores_recover(seed: u64, moves in moves()) {
        let mut cluster = run(3, seed, &moves, |_| {}).map_err(TestCaseError::fail)?;
        cluster.settle();
        for _ in 0..200 {
            for id in 1..=3 {
                cluster.pass(id, 10 * crate::common::MILLISECOND).map_err(TestCaseError::fail)?;
                cluster.settle();
            }
        }
        cluster.propose_to_leader(u64::MAX)?;
        for _ in 0..20 {
            for id in 1..=3 {
                cluster.pass(id, 10 * crate::common::MILLISECOND).map_err(TestCaseError::fail)?;
                cluster.settle();
            }
        }
        prop_assert_eq!(cluster.terms(1), cluster.terms(2));
        prop_assert_eq!(cluster.terms(1), cluster.terms(3));
        for id in 1..=3 {
            let status = cluster.raft(id).status();
            prop_assert_eq!(status.commit, status.last_index);
            prop_assert_eq!((status.reads_pending, status.proposals_pending), (0, 0));
        }
    }
}

impl Cluster {
    fn propose_to_leader(&mut self, request: u64) -> Result<(), TestCaseError> {
        let leader = (1..=3).find(|id| self.raft(*id).status().role == raft_core::Role::Leader);
        let leader = leader.ok_or_else(|| TestCaseError::fail("no leader after two seconds without faults"))?;
        self.propose(leader, request, b"last").map_err(TestCaseError::fail)
    }
}

/// The properties can fail: each planted bug of the core is noticed by the same moves.
#[cfg(feature = "bugs")]
mod planted {
    use super::*;
    use crate::common::BUG;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config as RunnerConfig, RngAlgorithm, TestRng, TestRunner};
    use raft_core::Bug;

    /// The first complaint within `cases` runs.
    fn complaint(size: u64, cases: u32, configure: fn(&mut Config)) -> Option<String> {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(RunnerConfig::default(), rng);
        let moves = prop::collection::vec(any::<Move>(), 500..900);
        (0..u64::from(cases)).find_map(|seed| {
            let drawn = moves.new_tree(&mut runner).expect("moves can be drawn").current();
            run(size, seed, &drawn, configure).err()
        })
    }

    macro_rules! noticed {
        ($name:ident, $bug:ident, $size:expr, $says:expr) => {
            #[test]
            fn $name() {
                let complaint = complaint($size, 3000, |config| {
                    paper(config);
                    BUG.set(Some(Bug::$bug));
                });
                let complaint = complaint.expect("the planted bug is noticed");
                assert!(
                    $says.iter().any(|says: &&str| complaint.contains(says)),
                    "{complaint}"
                );
            }
        };
    }

    noticed!(
        a_vote_before_it_is_durable,
        TermVoteNotPersisted,
        3,
        ["voted for", "election safety"]
    );
    noticed!(
        a_vote_without_log_check,
        VoteWithoutLogCheck,
        3,
        ["leader completeness"]
    );
    noticed!(
        half_a_quorum,
        HalfQuorum,
        4,
        ["election safety", "leader completeness", "state machine safety"]
    );
    noticed!(
        an_ack_before_it_is_durable,
        AckBeforePersist,
        3,
        ["leader completeness", "state machine safety"]
    );
    noticed!(
        commit_not_capped,
        CommitNotCapped,
        3,
        ["state machine safety", "leader completeness"]
    );
    noticed!(a_local_read, LocalLeaderRead, 3, ["misses entry"]);

    #[test]
    fn a_candidate_that_advertises_what_is_not_durable_is_harmless() {
        let complaint = complaint(3, 1000, |config| {
            paper(config);
            BUG.set(Some(Bug::ElectOnUnpersistedLog));
        });
        assert_eq!(complaint, None);
    }
}
