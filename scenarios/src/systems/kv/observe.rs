//! What a node lets the checkers see: plain observations of its log, its disk, its votes and its state, in the order in
//! which they came about within one event.

use checker::properties::{EntryMark, Observation, Role};
use raft_core::{Body, Content, DurableState, Entry, Message, Output, Persist, Raft, Status};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The observations of one node since they were last taken.
#[derive(Clone, Debug)]
pub struct Observer {
    on: bool,
    pre_vote: bool,
    seen: Seen,
    observations: Vec<Observation<'static>>,
    /// Set at a boot; comes before `observations`.
    boot: Option<Boot>,
}

/// What a node recovered when it booted.
#[derive(Clone, Debug)]
pub struct Boot {
    term: u64,
    voted_for: Option<u32>,
    entries: Vec<EntryMark>,
}

/// The part of a node's status that was last reported.
#[derive(Clone, Copy, Debug)]
struct Seen {
    term: u64,
    role: raft_core::Role,
    commit: u64,
}

impl Observer {
    /// Of a node that boots with `state`. When not `on`, nothing is observed and nothing is spent.
    pub fn new(on: bool, pre_vote: bool, state: &DurableState) -> Self {
        let boot = || Boot {
            term: state.hard_state.term,
            voted_for: state.hard_state.voted_for.map(node_index),
            entries: state.entries.iter().map(mark).collect(),
        };
        Self {
            on,
            pre_vote,
            seen: Seen { term: state.hard_state.term, role: raft_core::Role::Follower, commit: 0 },
            observations: Vec::new(),
            boot: on.then(boot),
        }
    }

    /// Gives every observation so far to `see`, in order, and forgets them.
    ///
    /// # Errors
    /// The first error of `see`; the rest is then forgotten too.
    pub fn take<E>(&mut self, mut see: impl FnMut(&Observation<'_>) -> Result<(), E>) -> Result<(), E> {
        if let Some(Boot { term, voted_for, entries }) = self.boot.take() {
            see(&Observation::Booted { term, voted_for, snapshot: 0, entries: &entries })?;
        }
        self.observations.drain(..).try_for_each(|observation| see(&observation))
    }

    /// Whether anything waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty() && self.boot.is_none()
    }

    /// The core has handled an input and said `outputs`. Its role and term come first, then what it did to its log, then
    /// how far it has committed.
    pub(super) fn handled(&mut self, raft: &Raft, outputs: &[Output]) {
        if !self.on {
            return;
        }
        let status = raft.status();
        let role_changed = status.role != self.seen.role || status.term != self.seen.term;
        // A leader that steps down in its own term has acted as one until then: on the timer, after the message.
        let acted_as_leader = self.seen.role == raft_core::Role::Leader && status.term == self.seen.term;
        if role_changed && !acted_as_leader {
            self.role_changed(&status, raft.configuration().1.voters.len(), outputs);
        }
        for persist in outputs.iter().filter_map(written) {
            self.observations.extend(persist.truncate.map(|from| Observation::Truncated { from }));
            self.observations.extend(persist.entries.iter().map(|entry| Observation::Appended(mark(entry))));
        }
        if status.commit != self.seen.commit {
            self.observations.push(Observation::Committed { index: status.commit });
        }
        if role_changed && acted_as_leader {
            self.role_changed(&status, raft.configuration().1.voters.len(), outputs);
        }
        self.seen = Seen { term: status.term, role: status.role, commit: status.commit };
    }

    fn role_changed(&mut self, status: &Status, voters: usize, outputs: &[Output]) {
        let term = status.term;
        // A node whose own pre-vote decides passes from follower to candidate within one event.
        let asks = |output: &Output| matches!(output, Output::Send(Message { body: Body::PreVote { .. }, .. }));
        let passed_pre_vote = self.pre_vote
            && status.role == raft_core::Role::Candidate
            && self.seen.role != raft_core::Role::PreCandidate
            && (voters == 1 || outputs.iter().any(asks));
        if passed_pre_vote {
            self.observations.push(Observation::Role { role: Role::PreCandidate, term: self.seen.term });
        }
        if term != self.seen.term {
            self.observations.push(Observation::Term { term });
        }
        self.observations.push(Observation::Role { role: role(status.role), term });
    }

    /// A message leaves the node; votes among them count.
    pub(super) fn sent(&mut self, message: &Message) {
        let candidate = match message.body {
            Body::VoteReply { granted: true } => message.to,
            Body::RequestVote { .. } => message.from,
            _ => return,
        };
        if self.on {
            let (term, candidate) = (message.term, node_index(candidate));
            self.observations.push(Observation::VoteCast { term, candidate });
        }
    }

    /// A write is durable.
    pub(super) fn durable(&mut self, persist: &Persist) {
        if !self.on {
            return;
        }
        let hard_state = persist.hard_state.map(|hard_state| Observation::DurableHardState {
            term: hard_state.term,
            voted_for: hard_state.voted_for.map(node_index),
        });
        self.observations.extend(hard_state);
        self.observations.extend(persist.truncate.map(|from| Observation::DurableTruncated { from }));
        self.observations.extend(persist.entries.iter().map(|entry| Observation::DurableAppended(mark(entry))));
    }

    /// The state machine has applied an entry.
    pub(super) fn applied(&mut self, entry: &Entry, state_hash: u64) {
        if self.on {
            self.observations.push(Observation::Applied { entry: mark(entry), state_hash });
        }
    }
}

fn written(output: &Output) -> Option<&Persist> {
    match output {
        Output::Persist(persist) => Some(persist),
        _ => None,
    }
}

fn mark(entry: &Entry) -> EntryMark {
    let digest = match &entry.content {
        Content::Noop => 0,
        Content::Command(bytes) => xxh3_64_with_seed(bytes, 1),
        Content::Configuration(configuration) => {
            let bytes = postcard::to_allocvec(configuration).expect("a configuration can be encoded");
            xxh3_64_with_seed(&bytes, 2)
        }
    };
    EntryMark { index: entry.index, term: entry.term, digest }
}

fn role(role: raft_core::Role) -> Role {
    match role {
        raft_core::Role::Follower => Role::Follower,
        raft_core::Role::PreCandidate => Role::PreCandidate,
        raft_core::Role::Candidate => Role::Candidate,
        raft_core::Role::Leader => Role::Leader,
    }
}

fn node_index(id: raft_core::NodeId) -> u32 {
    u32::try_from(id.0).expect("nodes are numbered from 0 by the world")
}
