//! A cluster of cores on a table: every message, write and timer is moved by hand, and after every move the safety
//! properties of the paper (figure 3) are held against what all nodes have ever done.

pub mod alone;
pub mod orders;

use raft_core::{
    Answer, Config, Content, DurableState, Entry, Index, Input, Message, NodeId, Outcome, Output, Payload, Persist,
    Raft, RequestId, Role, Snapshot, Term, Time,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(feature = "bugs")]
std::thread_local! {
    /// The planted bug of all cores that this test starts.
    pub static BUG: std::cell::Cell<Option<raft_core::Bug>> = const { std::cell::Cell::new(None) };
}

pub const MILLISECOND: u64 = 1_000_000;

/// One node: the core, its disk, and what has been asked of the disk but is not durable yet.
pub struct Node {
    pub raft: Raft,
    pub disk: DurableState,
    pub writes: VecDeque<Persist>,
    pub applied: Vec<Entry>,
    pub now: Time,
    starts: u64,
}

/// A cluster of nodes 1 to n, and the messages that are under way.
pub struct Cluster {
    pub nodes: BTreeMap<NodeId, Node>,
    pub wire: Vec<Message>,
    pub answers: BTreeMap<RequestId, Outcome>,
    pub asked: BTreeSet<RequestId>,
    configure: fn(&mut Config),
    seed: u64,
    /// Nodes 1 to this many begin the cluster; the others wait to be added.
    founders: u64,
    ghost: Ghost,
}

/// What has ever happened: the history variables of the properties.
#[derive(Default)]
struct Ghost {
    leaders: BTreeMap<Term, NodeId>,
    votes: BTreeMap<(NodeId, Term), NodeId>,
    committed: BTreeMap<Index, Entry>,
    /// The highest index that a client has been told of, when each read was asked.
    read_floor: BTreeMap<RequestId, Index>,
    acknowledged: Index,
}

impl Cluster {
    pub fn new(size: u64, seed: u64, configure: fn(&mut Config)) -> Self {
        Self::founded_by(size, size, seed, configure)
    }

    /// A cluster of `size` nodes, of whom the first `founders` are its members at first.
    pub fn founded_by(founders: u64, size: u64, seed: u64, configure: fn(&mut Config)) -> Self {
        let mut cluster = Self {
            founders,
            nodes: BTreeMap::new(),
            wire: Vec::new(),
            answers: BTreeMap::new(),
            asked: BTreeSet::new(),
            configure,
            seed,
            ghost: Ghost::default(),
        };
        for id in 1..=size {
            let (id, disk) = (NodeId(id), DurableState::default());
            let raft = cluster.start(id, 0, &disk, Time(0));
            let node = Node {
                raft,
                disk,
                writes: VecDeque::new(),
                applied: Vec::new(),
                now: Time(0),
                starts: 0,
            };
            cluster.nodes.insert(id, node);
        }
        cluster
    }

    fn start(&self, id: NodeId, starts: u64, disk: &DurableState, now: Time) -> Raft {
        let seed = self
            .seed
            .wrapping_mul(1000)
            .wrapping_add(id.0 * 100)
            .wrapping_add(starts);
        let founders = if id.0 <= self.founders { self.founders } else { 0 };
        let mut config = Config::new(id, (1..=founders).map(NodeId).collect(), seed);
        (self.configure)(&mut config);
        #[cfg(feature = "bugs")]
        let raft = Raft::restore_with_bug(config, disk.clone(), now, BUG.get());
        #[cfg(not(feature = "bugs"))]
        let raft = Raft::restore(config, disk.clone(), now);
        raft.expect("a valid configuration")
    }

    pub fn node(&self, id: u64) -> &Node {
        &self.nodes[&NodeId(id)]
    }

    pub fn raft(&self, id: u64) -> &Raft {
        &self.node(id).raft
    }

    /// Gives one input to a node at its present time and carries out what comes of it.
    pub fn input(&mut self, id: u64, input: Input) -> Result<(), String> {
        let id = NodeId(id);
        let node = self.nodes.get_mut(&id).expect("a node of the cluster");
        let role = node.raft.status().role;
        node.raft.handle(node.now, input);
        let mut answers = Vec::new();
        while let Some(output) = node.raft.poll_output() {
            match output {
                Output::Send(message) => {
                    self.ghost.vote_left(&message)?;
                    self.wire.push(message);
                }
                Output::Persist(write) => node.writes.push_back(write),
                Output::Apply(entry) => {
                    if entry.index != node.applied.len() as Index + 1 {
                        return Err(format!("{id} applied {} after {}", entry.index, node.applied.len()));
                    }
                    self.ghost.committed(id, &entry)?;
                    let index = entry.index;
                    node.applied.push(entry);
                    node.raft.handle(node.now, Input::Applied(index));
                }
                Output::Answer(answer) => answers.push(answer),
                Output::Restore(snapshot) => {
                    let index = snapshot.last.index;
                    let taken = u64::from_le_bytes(snapshot.data[..8].try_into().expect("at least eight bytes"));
                    if taken != index {
                        return Err(format!("{id} was given the snapshot at {taken} as that at {index}"));
                    }
                    node.applied = self.ghost.prefix(index);
                    node.raft.handle(node.now, Input::Applied(index));
                }
                Output::TakeSnapshot { index } => {
                    let data = snapshot_bytes(index);
                    node.raft.handle(node.now, Input::SnapshotTaken { index, data });
                }
            }
        }
        let status = node.raft.status();
        if status.role == Role::Leader && role != Role::Leader {
            self.ghost.elected(&node.raft)?;
        }
        answers.into_iter().try_for_each(|answer| self.answered(answer))?;
        self.log_matching(id)
    }

    fn answered(&mut self, answer: Answer) -> Result<(), String> {
        if let Some(earlier) = self.answers.insert(answer.id, answer.outcome) {
            return Err(format!(
                "{:?} was answered twice: {earlier:?}, {:?}",
                answer.id, answer.outcome
            ));
        }
        match answer.outcome {
            Outcome::Committed { index, term } => {
                self.ghost.acknowledged = self.ghost.acknowledged.max(index);
                match self.ghost.committed.get(&index) {
                    Some(entry) if entry.term == term => Ok(()),
                    other => Err(format!(
                        "({index}, term {term}) was said to be committed; committed is {other:?}"
                    )),
                }
            }
            Outcome::Readable { index } if index < self.ghost.read_floor[&answer.id] => Err(format!(
                "a read at {index} misses entry {}, acknowledged before it was asked",
                self.ghost.read_floor[&answer.id]
            )),
            _ => Ok(()),
        }
    }

    /// Log Matching (section 5.3): the same index and term means the same log up to there.
    fn log_matching(&self, id: NodeId) -> Result<(), String> {
        let log = self.nodes[&id].raft.log();
        for (other, node) in self.nodes.iter().filter(|(other, _)| **other != id) {
            let theirs = node.raft.log();
            let bottom = log.start().index.max(theirs.start().index) + 1;
            let shared = (bottom..=log.last_index().min(theirs.last_index())).rev();
            let Some(top) = shared.into_iter().find(|i| log.term(*i) == theirs.term(*i)) else {
                continue;
            };
            if (bottom..=top).any(|i| log.entry(i) != theirs.entry(i)) {
                return Err(format!(
                    "log matching: {id} and {other} agree at {top} and differ below"
                ));
            }
        }
        Ok(())
    }

    /// The message at this position of the wire arrives.
    pub fn deliver(&mut self, at: usize) -> Result<(), String> {
        let message = self.wire.remove(at);
        self.input(message.to.0, Input::Message(message))
    }

    /// The oldest write of the node becomes durable.
    pub fn persist(&mut self, id: u64) -> Result<(), String> {
        let node = self.nodes.get_mut(&NodeId(id)).expect("a node of the cluster");
        let Some(write) = node.writes.pop_front() else {
            return Ok(());
        };
        keep(&mut node.disk, &write);
        write
            .then
            .iter()
            .try_for_each(|message| self.ghost.vote_left(message))?;
        self.wire.extend(write.then);
        self.input(id, Input::Persisted(write.id))
    }

    /// The node's clock reaches its next deadline.
    pub fn timeout(&mut self, id: u64) -> Result<(), String> {
        let node = self.nodes.get_mut(&NodeId(id)).expect("a node of the cluster");
        match node.raft.next_deadline() {
            Some(deadline) => node.now = node.now.max(deadline),
            None => return Ok(()),
        }
        self.input(id, Input::Timeout)
    }

    /// The node's clock moves by `nanoseconds`; timers that are due fire.
    pub fn pass(&mut self, id: u64, nanoseconds: u64) -> Result<(), String> {
        let node = self.nodes.get_mut(&NodeId(id)).expect("a node of the cluster");
        node.now = node.now.after(nanoseconds);
        self.input(id, Input::Timeout)
    }

    /// The node crashes and starts again; of the writes that were not durable, the oldest `kept` survive.
    pub fn crash(&mut self, id: u64, kept: usize) {
        self.crash_damaged(id, kept, |_| {});
    }

    /// As [`crash`](Self::crash), and what the disk has then is damaged.
    pub fn crash_damaged(&mut self, id: u64, kept: usize, damage: impl FnOnce(&mut DurableState)) {
        let (mut disk, now, starts) = {
            let node = self.node(id);
            (node.disk.clone(), node.now, node.starts + 1)
        };
        self.node(id)
            .writes
            .iter()
            .take(kept)
            .for_each(|write| keep(&mut disk, write));
        damage(&mut disk);
        let raft = self.start(NodeId(id), starts, &disk, now);
        let applied = self
            .ghost
            .prefix(disk.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index));
        let fresh = Node {
            raft,
            disk,
            writes: VecDeque::new(),
            applied,
            now,
            starts,
        };
        self.nodes.insert(NodeId(id), fresh);
    }

    pub fn propose(&mut self, id: u64, request: u64, command: &[u8]) -> Result<(), String> {
        self.asked.insert(RequestId(request));
        self.input(
            id,
            Input::Propose {
                id: RequestId(request),
                payload: command.into(),
            },
        )
    }

    pub fn read(&mut self, id: u64, request: u64) -> Result<(), String> {
        self.asked.insert(RequestId(request));
        self.ghost
            .read_floor
            .insert(RequestId(request), self.ghost.acknowledged);
        self.input(id, Input::Read { id: RequestId(request) })
    }

    /// An operator's request.
    pub fn order(&mut self, id: u64, request: u64, input: impl FnOnce(RequestId) -> Input) -> Result<(), String> {
        self.asked.insert(RequestId(request));
        self.input(id, input(RequestId(request)))
    }

    /// The leader of the latest term, if a node believes that it leads.
    pub fn leader(&self) -> Option<u64> {
        let leaders = self
            .nodes
            .iter()
            .filter(|(_, node)| node.raft.status().role == Role::Leader);
        leaders.max_by_key(|(_, node)| node.raft.term()).map(|(id, _)| id.0)
    }

    pub fn outcome(&self, request: u64) -> Option<Outcome> {
        self.answers.get(&RequestId(request)).copied()
    }

    /// Delivers and persists, in order, until nothing is under way.
    pub fn settle(&mut self) {
        self.settle_between(|_, _| true);
    }

    /// As [`settle`](Self::settle); messages between nodes for which `linked` is false are lost.
    pub fn settle_between(&mut self, linked: impl Fn(u64, u64) -> bool) {
        loop {
            let idle: Vec<u64> = self
                .nodes
                .iter()
                .filter(|(_, n)| !n.writes.is_empty())
                .map(|(id, _)| id.0)
                .collect();
            idle.iter().for_each(|id| self.persist(*id).unwrap());
            self.wire.retain(|m| linked(m.from.0, m.to.0));
            match self.wire.is_empty() {
                false => self.deliver(0).unwrap(),
                true if idle.is_empty() => return,
                true => {}
            }
        }
    }

    /// Makes node `id` the leader of a quiet cluster.
    pub fn elect(&mut self, id: u64) {
        self.elect_between(id, |_, _| true);
    }

    pub fn elect_between(&mut self, id: u64, linked: impl Fn(u64, u64) -> bool + Copy) {
        // The others have not heard of a leader for a while, and their own timers wait a little longer.
        let ids: Vec<u64> = self.nodes.keys().map(|id| id.0).collect();
        for other in ids {
            let node = self.nodes.get_mut(&NodeId(other)).unwrap();
            if node.raft.status().role != Role::Leader
                && let Some(deadline) = node.raft.next_deadline()
            {
                node.now = node.now.max(Time(deadline.0 - 1));
            }
        }
        self.timeout(id).unwrap();
        self.settle_between(linked);
        assert_eq!(self.raft(id).status().role, Role::Leader, "node {id} was to be elected");
    }

    /// The terms of a node's log.
    pub fn terms(&self, id: u64) -> Vec<Term> {
        self.raft(id).log().from(1).map(|entry| entry.term).collect()
    }

    /// The commands that a node has applied.
    pub fn commands(&self, id: u64) -> Vec<Vec<u8>> {
        let command = |entry: &Entry| match &entry.content {
            Content::Command(bytes) => Some(bytes.to_vec()),
            Content::Noop | Content::Configuration(_) => None,
        };
        self.node(id).applied.iter().filter_map(command).collect()
    }
}

/// The state machine as of `index`; the ghost knows the rest.
pub fn snapshot_bytes(index: Index) -> Payload {
    let mut bytes = index.to_le_bytes().to_vec();
    bytes.resize(20, 0);
    bytes.into()
}

/// What a disk does with a write.
fn keep(disk: &mut DurableState, write: &Persist) {
    if let Some(hard_state) = write.hard_state {
        disk.hard_state = hard_state;
    }
    if let Some(snapshot) = &write.snapshot {
        disk.snapshot = Some(Snapshot::clone(snapshot));
    }
    if let Some(from) = write.truncate {
        disk.entries.retain(|entry| entry.index < from);
    }
    if let Some(start) = write.start {
        disk.entries.retain(|entry| entry.index > start.index);
        disk.start = start;
    }
    disk.entries.extend(write.entries.iter().cloned());
}

impl Ghost {
    /// What was committed up to `index`.
    fn prefix(&self, index: Index) -> Vec<Entry> {
        self.committed.range(..=index).map(|(_, entry)| entry.clone()).collect()
    }

    /// Election Safety (section 5.2) and Leader Completeness (section 5.4).
    fn elected(&mut self, raft: &Raft) -> Result<(), String> {
        let (id, term) = (raft.config().id, raft.term());
        let first = *self.leaders.entry(term).or_insert(id);
        if first != id {
            return Err(format!("election safety: {first} and {id} both lead term {term}"));
        }
        match self
            .committed
            .values()
            .find(|entry| raft.log().start().index < entry.index && raft.log().entry(entry.index) != Some(entry))
        {
            Some(missing) => Err(format!(
                "leader completeness: {id} leads term {term} without {missing:?}"
            )),
            None => Ok(()),
        }
    }

    /// State Machine Safety (section 5.4.3).
    fn committed(&mut self, id: NodeId, entry: &Entry) -> Result<(), String> {
        let first = self.committed.entry(entry.index).or_insert_with(|| entry.clone());
        match first == entry {
            true => Ok(()),
            false => Err(format!(
                "state machine safety: {id} applied {entry:?}, another node {first:?}"
            )),
        }
    }

    /// One vote in a term (section 5.2), across restarts.
    fn vote_left(&mut self, message: &Message) -> Result<(), String> {
        let candidate = match message.body {
            raft_core::Body::VoteReply { granted: true } => message.to,
            raft_core::Body::RequestVote { .. } => message.from,
            _ => return Ok(()),
        };
        let first = *self.votes.entry((message.from, message.term)).or_insert(candidate);
        match first == candidate {
            true => Ok(()),
            false => Err(format!(
                "{} voted for {first} and {candidate} in term {}",
                message.from, message.term
            )),
        }
    }
}
