//! The ghost state: what the harness has been told so far, mirrored once for all properties.
//!
//! Owns one [`Node`] per node (memory and disk), the voters in force, and the global record of committed entries. It
//! only records: what must not happen is left to the properties, which read it and never change it.
//!
//! A log is kept as a hash chain, `h(i) = H(h(i - 1), term, digest)`, so two logs agree up to an index exactly when their
//! hashes there are equal (up to collisions of a 64-bit hash), and the comparison costs one load. Memory: 16 bytes for
//! each entry of each log, in memory and on disk, and 24 for each committed index.

use xxhash_rust::xxh3::xxh3_64;

use super::observation::{EntryMark, Role};

/// Most nodes that one run can hold, voters and others together.
pub const NODES_MAX: u32 = 1024;

/// Hash of the empty log.
const CHAIN_EMPTY: u64 = 0;

/// Extends a hash chain by one entry.
pub fn chain_next(previous: u64, term: u64, digest: u64) -> u64 {
    let mut bytes = [0u8; 24];
    bytes[..8].copy_from_slice(&previous.to_le_bytes());
    bytes[8..16].copy_from_slice(&term.to_le_bytes());
    bytes[16..].copy_from_slice(&digest.to_le_bytes());
    xxh3_64(&bytes)
}

/// A position in a log: the term of the entry there, and the hash of the log up to and including it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub term: u64,
    pub chain: u64,
}

impl Mark {
    /// The position before the first entry.
    const ORIGIN: Self = Self {
        term: 0,
        chain: CHAIN_EMPTY,
    };
}

/// A log as a hash chain over the entries behind its snapshot.
#[derive(Clone, Debug)]
pub struct Log {
    /// Index of the last entry that the snapshot covers; 0 without one.
    snapshot: u64,
    /// The position at `snapshot`.
    base: Mark,
    /// Entry `i` is at `i - snapshot - 1`: no hole, by construction.
    marks: Vec<Mark>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            snapshot: 0,
            base: Mark::ORIGIN,
            marks: Vec::new(),
        }
    }
}

impl Log {
    /// Index of the last entry, or of the snapshot if none follows it.
    pub fn last(&self) -> u64 {
        self.snapshot + self.marks.len() as u64
    }

    /// The position at the end of the log.
    pub fn last_mark(&self) -> Mark {
        self.marks.last().copied().unwrap_or(self.base)
    }

    /// The position at `index`; `None` beyond the end and below the snapshot.
    pub fn mark(&self, index: u64) -> Option<Mark> {
        if index == self.snapshot {
            return Some(self.base);
        }
        let offset = usize::try_from(index.checked_sub(self.snapshot)?).ok()?;
        self.marks.get(offset - 1).copied()
    }

    /// The position that this entry takes when it is appended next.
    pub fn mark_next(&self, entry: &EntryMark) -> Mark {
        Mark {
            term: entry.term,
            chain: chain_next(self.last_mark().chain, entry.term, entry.digest),
        }
    }

    /// Whether this log holds the entry of `mark` at `index`, and with it the whole log up to there. What the snapshot
    /// covers is held: only committed entries get there.
    pub fn holds(&self, index: u64, mark: Mark) -> bool {
        index < self.snapshot || self.mark(index) == Some(mark)
    }

    pub(super) fn push(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    pub(super) fn truncate(&mut self, from: u64) {
        let keep = from.saturating_sub(self.snapshot + 1);
        self.marks.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
    }

    fn restart(&mut self, snapshot: u64, base: Mark) {
        self.snapshot = snapshot;
        self.base = base;
        self.marks.clear();
    }
}

/// Term and vote, as a disk holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    pub term: u64,
    pub voted_for: Option<u32>,
}

/// One node: its memory (void while it is down) and its disk (which counts also then).
#[derive(Clone, Debug)]
pub struct Node {
    pub up: bool,
    /// Current term in memory.
    pub term: u64,
    pub role: Role,
    /// The term in which `role` is held; behind `term` between a change of term and the change of role that follows.
    pub role_term: u64,
    pub commit: u64,
    pub applied: u64,
    pub log: Log,
    /// Lowest index from which memory was truncated since the boot: below it, memory and disk never parted.
    pub truncated_from: u64,
    pub durable: HardState,
    pub durable_log: Log,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            up: false,
            term: 0,
            role: Role::Follower,
            role_term: 0,
            commit: 0,
            applied: 0,
            log: Log::default(),
            truncated_from: u64::MAX,
            durable: HardState::default(),
            durable_log: Log::default(),
        }
    }
}

impl Node {
    /// Whether the node is up and the leader of some term.
    pub fn leads(&self) -> bool {
        self.up && self.role == Role::Leader
    }
}

/// The first commit of an index, anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The committed entry, with the whole log before it.
    pub mark: Mark,
    /// Term of the leader that committed it first. Never falls from one index to the next: a later leader holds all that
    /// an earlier one committed, and commits beyond it.
    pub leader_term: u64,
}

/// The voters in force, and which sets of them are a quorum. The majority is counted here, not asked of the system.
#[derive(Clone, Debug)]
pub struct Configuration {
    voters: Vec<u32>,
}

impl Configuration {
    /// Nodes `0..voters` vote.
    pub fn of_first(voters: u32) -> Self {
        Self {
            voters: (0..voters).collect(),
        }
    }

    /// The voters, in ascending order.
    pub fn voters(&self) -> &[u32] {
        &self.voters
    }

    /// Size of the smallest majority.
    pub fn majority(&self) -> usize {
        self.voters.len() / 2 + 1
    }
}

/// The mirror of the whole cluster.
#[derive(Clone, Debug)]
pub struct Ghost {
    pub configuration: Configuration,
    nodes: Vec<Node>,
    /// Index `i` is at `i - 1`; contiguous from 1.
    committed: Vec<Committed>,
}

impl Ghost {
    pub fn new(voters: u32) -> Self {
        assert!(
            (1..=NODES_MAX).contains(&voters),
            "a cluster has 1 to {NODES_MAX} voters, this one was said to have {voters}"
        );
        let nodes = vec![Node::default(); voters as usize];
        Self {
            configuration: Configuration::of_first(voters),
            nodes,
            committed: Vec::new(),
        }
    }

    /// Makes room for a node that is not a voter.
    pub fn admit(&mut self, node: u32) {
        if node as usize >= self.nodes.len() {
            assert!(
                node < NODES_MAX,
                "node numbers are below {NODES_MAX}, observed node {node}"
            );
            self.nodes.resize(node as usize + 1, Node::default());
        }
    }

    pub fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    pub fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0..).zip(&self.nodes)
    }

    pub(super) fn node_mut(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    /// Highest index that was committed anywhere; 0 before the first.
    pub fn committed_last(&self) -> u64 {
        self.committed.len() as u64
    }

    /// The first commit of `index`; `None` if nobody committed it, and for index 0.
    pub fn committed(&self, index: u64) -> Option<&Committed> {
        self.committed.get(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    /// The position at `index` in the committed log; at 0 the position before the first entry.
    pub fn committed_mark(&self, index: u64) -> Option<Mark> {
        if index == 0 {
            Some(Mark::ORIGIN)
        } else {
            self.committed(index).map(|committed| committed.mark)
        }
    }

    /// Highest index that a leader of a term before `term` was the first to commit; 0 if there is none.
    pub fn committed_before_term(&self, term: u64) -> u64 {
        self.committed.partition_point(|committed| committed.leader_term < term) as u64
    }

    /// Number of voters whose disk holds the entry of `mark` at `index`, and the log up to it. Whether the node is up
    /// does not matter.
    pub fn durable_copies(&self, index: u64, mark: Mark) -> usize {
        let holds = |voter: &&u32| self.node(**voter).durable_log.holds(index, mark);
        self.configuration.voters().iter().filter(holds).count()
    }

    /// Starts the node from what its disk held; the entries follow by [`Ghost::recover_entry`].
    pub(super) fn boot(&mut self, node: u32, hard_state: HardState, snapshot: u64, base: Mark) {
        let node = self.node_mut(node);
        node.up = true;
        node.term = hard_state.term;
        node.role = Role::Follower;
        node.role_term = hard_state.term;
        node.commit = snapshot;
        node.applied = snapshot;
        node.truncated_from = u64::MAX;
        node.durable = hard_state;
        node.log.restart(snapshot, base);
        node.durable_log.restart(snapshot, base);
    }

    /// Adds a recovered entry to the logs of a node that is booting.
    pub(super) fn recover_entry(&mut self, node: u32, mark: Mark) {
        let node = self.node_mut(node);
        node.log.push(mark);
        node.durable_log.push(mark);
    }

    /// Records the node's new commit index, and what it commits for the first time anywhere.
    pub(super) fn commit(&mut self, node: u32, index: u64) {
        let node = &mut self.nodes[node as usize];
        node.commit = index;
        for fresh in self.committed.len() as u64 + 1..=index {
            let mark = node
                .log
                .mark(fresh)
                .expect("a commit index within the log was checked by index-order");
            self.committed.push(Committed {
                mark,
                leader_term: node.role_term,
            });
        }
    }
}
