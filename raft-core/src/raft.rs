//! One server: its state (paper, figure 2), the way in, the way out, the timers, and the rules that hold for all servers.
//! Elections, replication and reads are in the files of those names.

use crate::bugs::bug;
use crate::config::{Config, ConfigError};
use crate::io::{Answer, Input, Outcome, Output, Refusal};
use crate::log::Log;
use crate::message::{Body, Message};
use crate::progress::Progress;
use crate::quorum;
use crate::random::Jitter;
use crate::reads::Reads;
use crate::types::{DurableState, HardState, Index, NodeId, RequestId, Term, Time};
use crate::writes::Writes;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// What a server is at the moment (paper, figure 4; the pre-candidate is of the thesis, section 9.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Role {
    /// Answers leaders and candidates.
    Follower,
    /// Asks whether an election could be won, in its old term.
    PreCandidate,
    /// Asks for votes in a new term.
    Candidate,
    /// Replicates.
    Leader,
}

/// A proposal whose entry is in the log and not committed yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proposal {
    pub index: Index,
    pub term: Term,
    pub id: RequestId,
}

/// A Raft server as a pure state machine.
///
/// Its methods come in three kinds. **Inputs**: [`handle`](Self::handle), with the node's own clock, which should not go
/// back (if it does, it is taken to stand still). **Outputs**: after each input, or after several at the same moment,
/// call [`poll_output`](Self::poll_output) until it returns `None`; proposals that were handled since share messages and
/// a write. **Time**: when the clock reaches [`next_deadline`](Self::next_deadline), give [`Input::Timeout`]. All else is
/// getters.
#[derive(Clone, Debug)]
pub struct Raft {
    pub(crate) config: Config,
    pub(crate) now: Time,
    pub(crate) jitter: Jitter,

    // Persistent state (figure 2). The guard of each is in one place: `adopt_term`, `grant_vote` and `merge`.
    pub(crate) hard_state: HardState,
    pub(crate) log: Log,
    pub(crate) writes: Writes,

    // Volatile state. Invariant: applied <= commit <= log.last_index().
    pub(crate) role: Role,
    pub(crate) leader: Option<NodeId>,
    pub(crate) commit: Index,
    pub(crate) applied: Index,
    /// When a follower or candidate starts an election.
    pub(crate) election_deadline: Time,
    /// When a leader last spoke: within the shortest election timeout of it, no pre-vote is granted.
    pub(crate) leader_heard: Option<Time>,

    /// Who granted and who refused, while the node is a candidate of either kind.
    pub(crate) granted: Vec<NodeId>,
    pub(crate) refused: Vec<NodeId>,

    // A leader's state (figure 2), made new at each election.
    pub(crate) peers: Vec<Progress>,
    pub(crate) heartbeat_deadline: Time,

    pub(crate) reads: Reads,
    /// By index.
    pub(crate) proposals: VecDeque<Proposal>,

    pub(crate) outbox: VecDeque<Output>,
    /// Reused by the counting of replicas.
    scratch: Vec<Index>,
}

impl Raft {
    /// Starts from what the disk kept; with [`DurableState::default`], a server that has never run. It starts as a
    /// follower, whatever it was, and nothing is committed until a leader says so.
    ///
    /// # Errors
    /// When `config` is not valid (see [`Config::validate`]).
    ///
    /// # Panics
    /// When `durable` breaks its own rules: indexes with gaps, terms that decrease or exceed the current term.
    pub fn restore(config: Config, durable: DurableState, now: Time) -> Result<Self, ConfigError> {
        config.validate()?;
        let log = Log::restore(durable.entries);
        assert!(
            log.last().term <= durable.hard_state.term,
            "no entry is of a term that the node has not seen"
        );
        let mut raft = Self {
            now,
            jitter: Jitter::new(config.seed),
            hard_state: durable.hard_state,
            writes: Writes::restore(log.last_index()),
            log,
            role: Role::Follower,
            leader: None,
            commit: 0,
            applied: 0,
            election_deadline: now,
            leader_heard: None,
            granted: Vec::new(),
            refused: Vec::new(),
            peers: Vec::new(),
            heartbeat_deadline: now,
            reads: Reads::default(),
            proposals: VecDeque::new(),
            outbox: VecDeque::new(),
            scratch: Vec::with_capacity(config.voters.len()),
            config,
        };
        raft.reset_election_timer();
        Ok(raft)
    }

    /// Takes in one input at `now` on the node's clock. Then drain [`poll_output`](Self::poll_output).
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Message(message) => self.receive(message),
            Input::Propose { id, payload } => self.propose(id, payload),
            Input::Read { id } => self.read(id),
            Input::Persisted(id) => {
                self.writes.completed(id);
                self.own_vote_durable();
                self.advance_leader_commit();
            }
            Input::Applied(index) => {
                assert!(
                    index <= self.commit,
                    "applied up to {index}, past the commit index {}",
                    self.commit
                );
                self.applied = self.applied.max(index);
                self.answer_reads();
            }
            Input::Timeout => {}
        }
        self.check_timers();
    }

    /// The next thing to do, or `None` when all is done. Must be drained after [`handle`](Self::handle).
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outbox.is_empty() {
            if let Some(persist) = self.writes.next(&self.log, self.hard_state) {
                self.outbox.push_back(Output::Persist(persist));
            }
            if self.role == Role::Leader {
                self.send_appends();
            }
        }
        self.outbox.pop_front()
    }

    /// When to give [`Input::Timeout`], if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        match self.role {
            Role::Leader => Some(self.heartbeat_deadline),
            _ => Some(self.election_deadline),
        }
    }

    fn check_timers(&mut self) {
        match self.role {
            Role::Leader if self.now >= self.heartbeat_deadline => self.heartbeat_due(),
            Role::Leader => {}
            _ if self.now >= self.election_deadline => self.election_timeout(),
            _ => {}
        }
    }

    /// The rules for all servers (figure 2), then the rule of the message.
    fn receive(&mut self, message: Message) {
        let Message { from, to, term, body } = message;
        debug_assert_eq!(to, self.config.id, "a message reaches the node that it is for");
        // A pre-vote is asked, and granted, in a term that does not exist yet.
        let prospective = matches!(body, Body::PreVote(_) | Body::PreVoteReply { granted: true });
        if term > self.term() && !prospective {
            self.become_follower(term, None);
        }
        if term < self.term() {
            return self.answer_stale(from, &body);
        }
        match body {
            Body::PreVote(last) => self.on_pre_vote(from, term, last),
            Body::PreVoteReply { granted } => self.on_pre_vote_reply(from, term, granted),
            Body::RequestVote(last) => self.on_request_vote(from, last),
            Body::VoteReply { granted } => self.on_vote_reply(from, granted),
            Body::AppendEntries {
                prev_index,
                prev_term,
                entries,
                commit,
                round,
            } => {
                self.on_append_entries(from, prev_index, prev_term, entries, commit, round);
            }
            Body::AppendAccepted { match_index, round } => self.on_append_accepted(from, match_index, round),
            Body::AppendRejected {
                prev_index,
                hint_index,
                hint_term,
                round,
            } => {
                self.on_append_rejected(from, prev_index, hint_index, hint_term, round);
            }
        }
    }

    /// Tells the sender of an old term's request the current term; an old reply is nobody's business any more.
    fn answer_stale(&mut self, from: NodeId, body: &Body) {
        let reply = match *body {
            Body::PreVote(_) => Body::PreVoteReply { granted: false },
            Body::RequestVote(_) => Body::VoteReply { granted: false },
            Body::AppendEntries { prev_index, round, .. } => Body::AppendRejected {
                prev_index,
                hint_index: 0,
                hint_term: 0,
                round,
            },
            _ => return,
        };
        self.reply_after_hard_state(from, reply);
    }

    /// Becomes a follower in `term`, which is the current one or later. What a leader had promised and can't keep, it
    /// gives up here.
    pub(crate) fn become_follower(&mut self, term: Term, leader: Option<NodeId>) {
        self.adopt_term(term);
        if self.role == Role::Leader {
            self.peers.clear();
            self.reset_election_timer();
        }
        self.role = Role::Follower;
        self.leader = leader;
        let refusal = Outcome::Refused(Refusal::NotLeader { leader });
        let refused = self
            .reads
            .abandon()
            .map(|id| Output::Answer(Answer { id, outcome: refusal }));
        self.outbox.extend(refused);
    }

    /// The one place where the term moves and the vote is forgotten (figure 2: "if term > currentTerm").
    pub(crate) fn adopt_term(&mut self, term: Term) {
        assert!(term >= self.term(), "the term never decreases");
        if term > self.term() {
            self.hard_state = HardState { term, voted_for: None };
            self.writes.hard_state_changed();
        }
    }

    pub(crate) fn reset_election_timer(&mut self) {
        let timeout = self
            .jitter
            .between(self.config.election_timeout_min, self.config.election_timeout_max);
        self.election_deadline = self.now.after(timeout);
    }

    /// How many voters decide.
    pub(crate) fn quorum(&self) -> usize {
        let voters = self.config.voters.len();
        if bug!(self, HalfQuorum) {
            return voters.div_ceil(2);
        }
        quorum::majority(voters)
    }

    /// The largest value that a quorum has reached, this node with `own` and each peer with `of_peer`.
    pub(crate) fn reached_by_quorum(&mut self, own: u64, of_peer: impl Fn(&Progress) -> u64) -> u64 {
        let mut values = core::mem::take(&mut self.scratch);
        values.clear();
        values.push(own);
        values.extend(self.peers.iter().map(of_peer));
        let reached = quorum::reached(&mut values, self.quorum());
        self.scratch = values;
        reached
    }

    /// Moves the commit index forward to `index` and gives out what is newly committed, each entry once, in order, and
    /// after each the answer to its proposal.
    pub(crate) fn advance_commit(&mut self, index: Index) {
        assert!(
            index <= self.log.last_index(),
            "only what is in the log can be committed"
        );
        while self.commit < index {
            self.commit += 1;
            let entry = self
                .log
                .entry(self.commit)
                .expect("a committed entry is in the log")
                .clone();
            let term = entry.term;
            self.outbox.push_back(Output::Apply(entry));
            let committed = self.commit;
            while let Some(proposal) = self.proposals.pop_front_if(|proposal| proposal.index <= committed) {
                let outcome = match proposal.term == term {
                    true => Outcome::Committed {
                        index: proposal.index,
                        term,
                    },
                    false => Outcome::Unknown,
                };
                self.answer(proposal.id, outcome);
            }
        }
    }

    pub(crate) fn answer(&mut self, id: RequestId, outcome: Outcome) {
        self.outbox.push_back(Output::Answer(Answer { id, outcome }));
    }

    pub(crate) fn message(&self, to: NodeId, term: Term, body: Body) -> Message {
        Message {
            from: self.config.id,
            to,
            term,
            body,
        }
    }

    /// Sends now.
    pub(crate) fn send(&mut self, to: NodeId, body: Body) {
        let message = self.message(to, self.term(), body);
        self.outbox.push_back(Output::Send(message));
    }

    /// Replies once term and vote are durable: now, if they are.
    pub(crate) fn reply_after_hard_state(&mut self, to: NodeId, body: Body) {
        let message = self.message(to, self.term(), body);
        if self.writes.hard_state_durable() || bug!(self, VoteBeforePersist) {
            self.outbox.push_back(Output::Send(message));
        } else {
            self.writes.wait(message);
        }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The current term.
    #[must_use]
    pub fn term(&self) -> Term {
        self.hard_state.term
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What a leader knows of the others; empty on any other node.
    #[must_use]
    pub fn peers(&self) -> &[Progress] {
        &self.peers
    }

    /// The node's state at a glance.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            id: self.config.id,
            role: self.role,
            term: self.term(),
            voted_for: self.hard_state.voted_for,
            leader: self.leader,
            commit: self.commit,
            applied: self.applied,
            last_index: self.log.last_index(),
            durable_index: self.writes.durable(),
            reads_pending: self.reads.pending(),
            proposals_pending: self.proposals.len(),
        }
    }
}

/// A node's state at a glance; cheap to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    /// The node.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// Its current term.
    pub term: Term,
    /// Whom it voted for in that term.
    pub voted_for: Option<NodeId>,
    /// Who leads that term, as far as it knows.
    pub leader: Option<NodeId>,
    /// Entries up to here are known to be committed.
    pub commit: Index,
    /// Entries up to here are applied.
    pub applied: Index,
    /// The log ends here.
    pub last_index: Index,
    /// The log is durable up to here.
    pub durable_index: Index,
    /// Reads that have no answer yet.
    pub reads_pending: usize,
    /// Proposals that have no answer yet.
    pub proposals_pending: usize,
}
