//! The ghost state: what the harness has been told so far, mirrored once for all properties.
//!
//! Owns one [`Node`] per node (memory and disk) and the global record of committed entries; configurations are in
//! `configuration`. It only records: what must not happen is left to the properties, which read it and never change it.
//!
//! A log is kept as a hash chain, `h(i) = H(h(i - 1), term, digest)`, so two logs agree up to an index exactly when their
//! hashes there are equal (up to collisions of a 64-bit hash), and the comparison costs one load. Memory: 16 bytes for
//! each entry of each log, in memory and on disk, and 24 for each committed index.

use xxhash_rust::xxh3::xxh3_64;

use super::configuration::{ConfigurationId, Configurations, FOUNDING, Members, Membership, Placed};
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

    /// A snapshot up to `index`, where the committed log is at `mark`, takes the place of the log. What follows stays if
    /// the log held that position, and then this log keeps also what the snapshot covers; says whether it did.
    pub(super) fn install(&mut self, index: u64, mark: Mark) -> bool {
        let held = self.holds(index, mark);
        if !held {
            self.restart(index, mark);
        }
        held
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
    /// Its disk has lost something durable since it last booted.
    pub damaged: bool,
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
    /// What its disk had held each time that it was damaged: it was acknowledged, and a leader may learn of that late.
    pub forfeited: Vec<Log>,
    pub membership: Membership,
    /// Index of the snapshot that the node booted from or installed last; 0 without one.
    pub snapshot: u64,
    /// Highest term in which the node was told to stand for election, since it booted.
    pub transfer: Option<u64>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            up: false,
            damaged: false,
            term: 0,
            role: Role::Follower,
            role_term: 0,
            commit: 0,
            applied: 0,
            log: Log::default(),
            truncated_from: u64::MAX,
            durable: HardState::default(),
            durable_log: Log::default(),
            forfeited: Vec::new(),
            membership: Membership::default(),
            snapshot: 0,
            transfer: None,
        }
    }
}

impl Node {
    /// Whether the node is up and the leader of some term.
    pub fn leads(&self) -> bool {
        self.up && self.role == Role::Leader
    }

    /// Whether the node leads its current term: it has not entered a later one.
    pub fn leads_now(&self) -> bool {
        self.leads() && self.role_term == self.term
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

/// The mirror of the whole cluster.
#[derive(Clone, Debug)]
pub struct Ghost {
    pub configurations: Configurations,
    /// The configuration under which a leader was the last to commit something new.
    pub decided_under: ConfigurationId,
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
            configurations: Configurations::new(voters),
            decided_under: FOUNDING,
            nodes,
            committed: Vec::new(),
        }
    }

    /// Makes room for a node that is not a founding voter.
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

    /// Whether the disks of the voters decide, under configuration `id`, that the entry of `mark` at `index` and the log
    /// up to it are durable. Whether a node is up does not matter.
    pub fn durable_under(&self, id: ConfigurationId, index: u64, mark: Mark) -> bool {
        let holds = |voter: u32| self.node(voter).durable_log.holds(index, mark);
        self.configurations.get(id).decides(holds)
    }

    /// The configuration under which the node decides in `event` that the entry of `mark` at `index` is durable: the one
    /// that it acted under when the event began, or the one since; `None` if neither has the copies. A copy that a disk had and
    /// broke its promise of counts: the leader may go by what the node acknowledged before.
    pub fn decides_under(&self, node: u32, event: u64, index: u64, mark: Mark) -> Option<ConfigurationId> {
        let membership = &self.node(node).membership;
        let (before, active) = (membership.active_before(event), membership.active());
        let since = (active != before).then_some(active);
        let mut under = std::iter::once(before).chain(since);
        let held = |voter: u32| {
            let node = self.node(voter);
            let forfeited = || node.forfeited.iter().any(|log| log.holds(index, mark));
            node.durable_log.holds(index, mark) || forfeited()
        };
        under.find(|id| self.configurations.get(*id).decides(held))
    }

    /// The node's disk has lost something of what it held.
    pub(super) fn forfeit(&mut self, node: u32) {
        let node = self.node_mut(node);
        let held = std::mem::take(&mut node.durable_log);
        node.forfeited.push(held);
    }

    /// Starts the node from what its disk held; the entries follow by [`Ghost::recover_entry`].
    pub(super) fn boot(&mut self, node: u32, hard_state: HardState, snapshot: u64, base: Mark) {
        let configuration = Placed {
            index: snapshot,
            id: self.configurations.committed_at(snapshot),
        };
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
        node.membership.restart(configuration);
        node.snapshot = snapshot;
        node.transfer = None;
    }

    /// Adds a recovered entry to the logs of a node that is booting.
    pub(super) fn recover_entry(&mut self, node: u32, mark: Mark) {
        let node = &mut self.nodes[node as usize];
        node.log.push(mark);
        node.durable_log.push(mark);
        if let Some(id) = self.configurations.of_entry(mark.chain) {
            let index = node.log.last();
            node.membership.place(Placed { index, id });
        }
    }

    /// Puts a snapshot up to `index`, where the committed log is at `mark`, in place of the log in memory.
    pub(super) fn install(&mut self, node: u32, index: u64, mark: Mark) {
        let base = Placed {
            index,
            id: self.configurations.committed_at(index),
        };
        let node = self.node_mut(node);
        if !node.log.install(index, mark) {
            node.membership.replace(base);
        }
        node.commit = index;
        node.applied = index;
        node.snapshot = index;
    }

    /// Records that the entry at `index`, whose hash chain this is, holds a configuration.
    pub(super) fn place_configuration(&mut self, node: u32, index: u64, chain: u64, members: Members<'_>) {
        let id = self.admit_configuration(members);
        self.configurations.remember_entry(chain, id);
        self.node_mut(node).membership.place(Placed { index, id });
    }

    /// The number of the configuration with these members; all of them are nodes from now on.
    pub(super) fn admit_configuration(&mut self, members: Members<'_>) -> ConfigurationId {
        if let Some(last) = members.nodes_end().checked_sub(1) {
            self.admit(last);
        }
        self.configurations.admit(members)
    }

    /// Records the node's new commit index, and what it commits for the first time anywhere, which was decided `under`
    /// this configuration.
    pub(super) fn commit(&mut self, node: u32, index: u64, under: ConfigurationId) {
        let before = self.committed_last();
        let node = &mut self.nodes[node as usize];
        node.commit = index;
        if index <= before {
            return;
        }
        for fresh in before + 1..=index {
            let mark = node
                .log
                .mark(fresh)
                .expect("a commit index within the log was checked by index-order");
            self.committed.push(Committed {
                mark,
                leader_term: node.role_term,
            });
        }
        self.configurations.commit(node.membership.placed(), before, index);
        self.decided_under = under;
    }
}
