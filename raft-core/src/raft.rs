//! One server: its state (paper, figure 2), the way in, the way out, and the rules that hold for all servers. What it does
//! in each part of the protocol is in the files of those names.

use crate::bugs::Planted;
use crate::bugs::bug;
use crate::config::{Config, ConfigError};
use crate::configuration::{Configuration, Configurations};
use crate::io::{Answer, Input, Outcome, Output, Refusal};
use crate::log::Log;
use crate::message::{Body, Message};
use crate::progress::Progress;
use crate::random::Jitter;
use crate::reads::{Reader, Reads};
use crate::snapshot::Incoming;
use crate::transfer::Transfer;
use crate::types::{Content, DurableState, HardState, Index, NodeId, RequestId, Snapshot, Term, Time, WriteId};
use crate::writes::Writes;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
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

/// A proposal whose entry is in the log and not given out yet.
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

    // Persistent state (figure 2). The guard of each is in one place: `adopt_term`, `grant_vote` and `Log::merge`.
    pub(crate) hard_state: HardState,
    pub(crate) log: Log,
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    pub(crate) writes: Writes,
    /// Derived from the log and the snapshot, always.
    pub(crate) configurations: Configurations,
    /// The node has lost entries up to here: until it has them again, it neither votes nor stands for election.
    pub(crate) fence: Option<Index>,
    /// The log is a leader's up to here, or committed, as far as that was said since the start: asked while there is a fence.
    pub(crate) confirmed: Index,
    /// Term or vote may be forgotten: the node never votes again.
    pub(crate) amnesia: bool,
    /// The latest write that has failed: until it is durable after all, the node takes no part.
    pub(crate) failed: Option<WriteId>,

    // Volatile state. Invariant: applied <= given_out <= commit <= log.last_index().
    pub(crate) role: Role,
    pub(crate) leader: Option<NodeId>,
    pub(crate) commit: Index,
    /// Entries up to here have been given out to be applied.
    pub(crate) given_out: Index,
    pub(crate) applied: Index,
    /// When a follower or candidate starts an election.
    pub(crate) election_deadline: Time,
    /// How many elections in a row this node has begun and not won.
    pub(crate) elections_in_vain: u32,
    /// When a leader last spoke: within the shortest election timeout of it, no candidate is heard.
    pub(crate) leader_heard: Option<Time>,
    /// Nothing happens and nothing is expected: no heartbeats, no elections.
    pub(crate) quiet: bool,

    /// Who granted and who refused, while the node is a candidate of either kind.
    pub(crate) granted: Vec<NodeId>,
    pub(crate) refused: Vec<NodeId>,

    // A leader's state (figure 2), made new at each election.
    pub(crate) peers: Vec<Progress>,
    /// Numbers the acquaintances with followers.
    pub(crate) sessions: u64,
    /// When the next heartbeat interval ends.
    pub(crate) tick_deadline: Time,
    /// When there was last something to do.
    pub(crate) busy_at: Time,
    /// Bytes of entries of its own term that are not committed.
    pub(crate) uncommitted_bytes: usize,
    pub(crate) transfer: Option<Transfer>,
    /// Leadership was offered to another node in this term, who may take it at any time: no lease any more.
    pub(crate) lease_revoked: bool,
    /// The change of members under way.
    pub(crate) change: Option<RequestId>,

    /// A snapshot that is being received.
    pub(crate) incoming: Option<Incoming>,
    /// The write of the snapshot after which the log may be compacted.
    pub(crate) compact_after: Option<WriteId>,
    /// A snapshot was asked for and has not come.
    pub(crate) snapshot_asked: bool,

    pub(crate) reads: Reads,
    /// By index.
    pub(crate) proposals: VecDeque<Proposal>,
    pub(crate) outbox: VecDeque<Output>,
    /// The planted bug that is switched on; of no size without the feature `bugs`.
    pub(crate) planted: Planted,
}

impl Raft {
    /// Starts from what the disk kept; with [`DurableState::default`], a server that has never run. It starts as a
    /// follower, whatever it was, and nothing beyond the snapshot is committed until a leader says so. The driver's state
    /// machine starts from the same snapshot.
    ///
    /// # Errors
    /// When `config` is not valid (see [`Config::validate`]).
    ///
    /// # Panics
    /// When `durable` breaks its own rules: indexes with gaps, terms that decrease or exceed the current term.
    pub fn restore(config: Config, durable: DurableState, now: Time) -> Result<Self, ConfigError> {
        Self::restored(config, durable, now, Planted::default())
    }

    /// The same with a planted bug.
    pub(crate) fn restored(
        config: Config,
        durable: DurableState,
        now: Time,
        planted: Planted,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let DurableState {
            hard_state,
            snapshot,
            start,
            entries,
            fence,
            amnesia,
        } = durable;
        let log = Log::restore(start, entries);
        let applied = snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index);
        assert!(
            log.last().term <= hard_state.term,
            "no entry is of a term that the node has not seen"
        );
        assert!(
            start.index <= applied && applied <= log.last_index(),
            "snapshot and log leave no gap"
        );
        let configurations = match &snapshot {
            Some(snapshot) => Configurations::new(applied, snapshot.configuration.clone()),
            None => Configurations::new(0, initial(&config)),
        };
        // A voter that has run before may have heard of a leader just before it stopped, and promised to wait for it.
        let leader_heard = (config.check_quorum && hard_state.term > 0).then_some(now);
        let mut jitter = Jitter::new(config.seed);
        let mut raft = Self {
            now,
            hard_state,
            writes: Writes::restore(log.last_index()),
            log,
            snapshot: snapshot.map(Arc::new),
            configurations,
            fence,
            confirmed: applied,
            amnesia,
            failed: None,
            role: Role::Follower,
            leader: None,
            commit: applied,
            given_out: applied,
            applied,
            election_deadline: now,
            elections_in_vain: 0,
            leader_heard,
            quiet: false,
            granted: Vec::new(),
            refused: Vec::new(),
            peers: Vec::new(),
            sessions: 0,
            tick_deadline: now,
            busy_at: now,
            uncommitted_bytes: 0,
            transfer: None,
            lease_revoked: false,
            change: None,
            incoming: None,
            compact_after: None,
            snapshot_asked: false,
            reads: Reads::starting_after(jitter.between(0, u64::MAX)),
            jitter,
            proposals: VecDeque::new(),
            outbox: VecDeque::new(),
            planted,
            config,
        };
        raft.log.planted = planted;
        raft.writes.planted = planted;
        raft.configurations.planted = planted;
        raft.read_configurations(applied + 1);
        raft.lift_fence();
        raft.reset_election_timer();
        #[cfg(feature = "bugs")]
        raft.resume_leadership();
        Ok(raft)
    }

    /// Takes in one input at `now` on the node's clock. Then drain [`poll_output`](Self::poll_output).
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        if self.is_cut_off_from(&input) {
            return;
        }
        self.wake_for(&input);
        match input {
            Input::Message(message) => self.receive(message),
            Input::Propose { id, payload } => self.propose(id, payload),
            Input::Read { id } => self.read(id),
            Input::ChangeMembership { id, members } => self.change_membership(id, &members),
            Input::Transfer { id, to } => self.transfer_leadership(id, to),
            Input::Campaign => self.campaign_by_order(),
            Input::Persisted(id) => self.persisted(id),
            Input::WriteFailed(id) if bug!(self, IgnoreWriteError) => self.persisted(id),
            Input::WriteFailed(id) => self.fail(id),
            Input::Applied(index) => self.applied(index),
            Input::SnapshotTaken { index, data } => self.snapshot_taken(index, data),
            Input::Timeout => {}
        }
        self.check_timers();
    }

    /// The next thing to do, or `None` when all is done. Must be drained after [`handle`](Self::handle).
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outbox.pop_front() {
            return Some(output);
        }
        if self.failed.is_some() {
            return None;
        }
        if let Some(persist) = self.writes.next(&self.log, self.hard_state) {
            return Some(Output::Persist(persist));
        }
        if self.role == Role::Leader {
            self.send_appends();
        }
        self.outbox.pop_front()
    }

    /// The rules for all servers (figure 2), then the rule of the message.
    fn receive(&mut self, message: Message) {
        let Message { from, to, term, body } = message;
        debug_assert_eq!(to, self.config.id, "a message reaches the node that it is for");
        if term > self.term() && self.ignores(&body) {
            return;
        }
        if term > self.term() && self.role == Role::Leader && self.puts_off_stepping_down(&body) {
            self.leader = Some(from);
            return self.adopt_term(term);
        }
        // A pre-vote is asked, and granted, in a term that does not exist yet.
        let prospective = matches!(body, Body::PreVote { .. } | Body::PreVoteReply { granted: true });
        if term > self.term() && !prospective {
            self.become_follower(term, None);
        }
        if term < self.term() && !self.takes_stale(&body) {
            return self.answer_stale(from, &body);
        }
        match body {
            Body::PreVote { last } => self.on_pre_vote(from, term, last),
            Body::PreVoteReply { granted } => self.on_pre_vote_reply(from, term, granted),
            Body::RequestVote { last, .. } => self.on_request_vote(from, last),
            Body::VoteReply { granted } => self.on_vote_reply(from, granted),
            Body::AppendEntries {
                prev,
                entries,
                commit,
                quiesce,
                stamp,
            } => {
                self.hear_leader(from);
                self.on_append_entries(from, prev, entries, commit, self.echo(stamp));
                self.follow_into_quiet(quiesce);
            }
            Body::AppendAccepted {
                match_index,
                amnesia,
                stamp,
            } => self.on_append_accepted(from, match_index, amnesia, stamp),
            Body::AppendRejected {
                prev_index,
                hint,
                lost,
                stamp,
            } => {
                self.on_append_rejected(from, prev_index, hint, lost, stamp);
            }
            Body::InstallSnapshot {
                last,
                configuration,
                offset,
                total,
                chunk,
                stamp,
            } => {
                self.hear_leader(from);
                self.on_install_snapshot(
                    from,
                    Incoming::expected(last, *configuration, total),
                    offset,
                    &chunk,
                    self.echo(stamp),
                );
            }
            Body::SnapshotProgress { last, received, stamp } => self.on_snapshot_progress(from, last, received, stamp),
            Body::TimeoutNow => self.on_timeout_now(),
            Body::ReadIndex { read } => self.on_read_index(from, read),
            Body::ReadIndexReply { read, index } => self.on_read_index_reply(read, index),
        }
    }

    /// Tells the sender of an old term's request the current term; an old reply is nobody's business any more.
    fn answer_stale(&mut self, from: NodeId, body: &Body) {
        let reply = match *body {
            Body::PreVote { .. } if bug!(self, PreVoteLowTermDropped) => return,
            Body::PreVote { .. } => Body::PreVoteReply { granted: false },
            Body::RequestVote { .. } => Body::VoteReply { granted: false },
            Body::AppendEntries { prev, .. } => self.rejection(prev.index),
            Body::InstallSnapshot { last, .. } => self.rejection(last.index),
            Body::ReadIndex { read } => Body::ReadIndexReply { read, index: None },
            _ => return,
        };
        self.reply_after_hard_state(from, reply);
    }

    /// Whether a leader that hears of a later term goes on until its next tick: never, but for a planted bug.
    fn puts_off_stepping_down(&self, body: &Body) -> bool {
        matches!(body, Body::AppendEntries { .. }) && bug!(self, TermBumpWithoutStepDown)
    }

    /// Whether a message of an earlier term is dealt with like one of the current: never, but for planted bugs.
    fn takes_stale(&self, body: &Body) -> bool {
        match body {
            Body::VoteReply { granted } => *granted && bug!(self, StaleVoteRespCounted),
            Body::AppendEntries { .. } => self.role != Role::Leader && bug!(self, AcceptStaleTermAppend),
            _ => false,
        }
    }

    /// Becomes a follower in `term`, which is the current one or later. What a leader had promised and can't keep, it
    /// gives up here.
    pub(crate) fn become_follower(&mut self, term: Term, leader: Option<NodeId>) {
        let (later, led) = (term > self.term(), self.role == Role::Leader);
        self.adopt_term(term);
        if led {
            if !bug!(self, LateProgressReset) {
                self.peers.clear();
            }
            self.uncommitted_bytes = 0;
            self.lease_revoked = false;
            self.reset_election_timer();
            self.end_transfer(if later { Outcome::Transferred } else { Outcome::Unknown });
            self.change
                .take()
                .into_iter()
                .for_each(|id| self.answer(id, Outcome::Unknown));
        }
        self.role = Role::Follower;
        self.leader = leader;
        if led {
            self.abandon_reads();
        }
    }

    /// Only a leader has reads that wait for a quorum.
    fn abandon_reads(&mut self) {
        let leader = self.leader;
        for reader in self.reads.abandon() {
            match reader {
                Reader::Own(id) => self.answer(id, Outcome::Refused(Refusal::NotLeader { leader })),
                Reader::Node { id, read } => {
                    self.reply_after_hard_state(id, Body::ReadIndexReply { read, index: None });
                }
            }
        }
    }

    /// The one place where the term moves and the vote is forgotten (figure 2: "if term > currentTerm").
    pub(crate) fn adopt_term(&mut self, term: Term) {
        assert!(term >= self.term(), "the term never decreases");
        if term > self.term() || bug!(self, VoteClearedSameTerm) {
            self.hard_state = HardState { term, voted_for: None };
            self.writes.hard_state_changed();
        }
    }

    /// A write is durable, with all before it.
    fn persisted(&mut self, id: WriteId) {
        self.writes.completed(id);
        self.recover_from_failure(id);
        self.lift_fence();
        self.own_vote_durable();
        self.compact_if_due(id);
        if !bug!(self, SingleVoterNeverCommits) {
            self.advance_leader_commit();
        }
    }

    /// Reads off which configurations the log holds from `from` on.
    pub(crate) fn read_configurations(&mut self, from: Index) {
        for entry in self.log.from(from) {
            if let Content::Configuration(configuration) = &entry.content {
                self.configurations.appended(entry.index, (**configuration).clone());
            }
        }
    }

    pub(crate) fn answer(&mut self, id: RequestId, outcome: Outcome) {
        self.outbox.push_back(Output::Answer(Answer { id, outcome }));
    }

    pub(crate) fn refuse(&mut self, id: RequestId, refusal: Refusal) {
        self.answer(id, Outcome::Refused(refusal));
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
        if self.writes.hard_state_durable() || bug!(self, TermVoteNotPersisted) {
            self.send(to, body);
        } else {
            let message = self.message(to, self.term(), body);
            self.writes.wait(message);
        }
    }
}

/// The configuration of a cluster that begins.
fn initial(config: &Config) -> Configuration {
    let members = config.members.clone();
    Configuration {
        voters: members.voters,
        learners: members.learners,
        ..Configuration::default()
    }
}
