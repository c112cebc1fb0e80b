//! What a node lets the checkers see: plain observations of its log, its disk, its members, its votes, its reads and its
//! state, in the order in which they came about within one event.

use super::hearing;
use super::members::{Members, node_index};
use super::store::{Applied, Command, code};
use checker::properties::{EntryMark, Observation, Role};
use raft_core::{
    Body, Configuration, Content, DurableState, Entry, Mark, Message, Output, Persist, Raft, Refusal, RequestId, Term,
};
use squall::operation::Operation;
use squall::situations::Sign;
use squall::system::Tell;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The observations of one node since they were last taken.
#[derive(Clone, Debug)]
pub struct Observer {
    on: bool,
    pre_vote: bool,
    seen: Seen,
    notes: Vec<Note>,
    /// What a node that started again found on its disk; comes first of all.
    found: Vec<Sign>,
    /// Set at a boot; comes before `notes`.
    boot: Option<Boot>,
    /// The leaders' snapshots that were installed and whose writes are not durable yet.
    installed: Vec<Mark>,
    /// The node's own clock, which is taken to stand still where it goes back.
    clock: u64,
    members: Members,
    /// The order to hand over that the node has not answered.
    transfer: Option<RequestId>,
}

/// One observation, owned.
#[derive(Clone, Debug)]
enum Note {
    Plain(Observation<'static>),
    Sign(Sign),
    Configuration {
        index: u64,
        voters: Vec<u32>,
        outgoing: Vec<u32>,
        learners: Vec<u32>,
    },
}

/// What a node recovered when it booted.
#[derive(Clone, Debug)]
struct Boot {
    term: Term,
    voted_for: Option<u32>,
    snapshot: u64,
    entries: Vec<EntryMark>,
}

/// No entry has this index: whatever configuration is active has to be reported.
const NOT_TOLD: u64 = u64::MAX;

/// The part of a node's status that was last reported.
#[derive(Clone, Copy, Debug)]
struct Seen {
    term: Term,
    role: raft_core::Role,
    commit: u64,
    configuration: u64,
    lease_until: Option<u64>,
}

impl Observer {
    /// Of a node that boots with `state`. When not `on`, nothing is observed and nothing is spent.
    pub fn new(on: bool, pre_vote: bool, state: &DurableState) -> Self {
        let snapshot = state.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index);
        let recovered = || state.entries.iter().filter(|entry| entry.index > snapshot);
        let boot = || Boot {
            term: state.hard_state.term,
            voted_for: state.hard_state.voted_for.map(node_index),
            snapshot,
            entries: recovered().map(mark).collect(),
        };
        let seen = Seen {
            term: state.hard_state.term,
            role: raft_core::Role::Follower,
            commit: snapshot,
            configuration: 0,
            lease_until: None,
        };
        let mut observer = Self {
            on,
            pre_vote,
            seen,
            notes: Vec::new(),
            found: Vec::new(),
            boot: on.then(boot),
            installed: Vec::new(),
            clock: 0,
            members: Members::default(),
            transfer: None,
        };
        if let Some(snapshot) = state.snapshot.as_ref().filter(|_| on) {
            observer.configuration(snapshot.last.index, &snapshot.configuration);
        }
        recovered().for_each(|entry| observer.configuration_in(entry));
        observer
    }

    /// A node has started again, not for the first time, and found this on its disk.
    pub(super) fn found(&mut self, sign: Sign) {
        if self.on {
            self.found.push(sign);
        }
    }

    /// The core has started from what was recovered.
    pub(super) fn booted(&mut self, raft: &Raft) {
        self.seen.configuration = raft.configuration().0;
        if self.seen.configuration > 0 {
            self.note(Observation::ConfigurationActive {
                index: self.seen.configuration,
            });
        }
    }

    /// Tells every observation so far, in order, and forgets them. Leases are told in the node's own time.
    ///
    /// # Errors
    /// The first error of `tell`; the rest is then forgotten too.
    pub fn tell<T: Tell>(&mut self, tell: &mut T) -> Result<(), T::Stop> {
        self.found.drain(..).for_each(|sign| tell.sign(sign));
        if let Some(Boot {
            term,
            voted_for,
            snapshot,
            entries,
        }) = self.boot.take()
        {
            tell.observation(&Observation::Booted {
                term,
                voted_for,
                snapshot,
                entries: &entries,
            })?;
        }
        self.notes.drain(..).try_for_each(|note| match &note {
            Note::Plain(observation) => tell.observation(observation),
            Note::Sign(sign) => {
                tell.sign(*sign);
                Ok(())
            }
            Note::Configuration {
                index,
                voters,
                outgoing,
                learners,
            } => tell.observation(&Observation::ConfigurationAppended {
                index: *index,
                voters,
                outgoing,
                learners,
            }),
        })
    }

    /// Whether anything waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.boot.is_none()
    }

    fn note(&mut self, observation: Observation<'static>) {
        if self.on {
            self.notes.push(Note::Plain(observation));
        }
    }

    /// Something that only who counts situations wants to know.
    pub(super) fn sign(&mut self, sign: Sign) {
        if self.on {
            self.notes.push(Note::Sign(sign));
        }
    }

    fn configuration(&mut self, index: u64, configuration: &Configuration) {
        if self.on {
            let ids = |list: &[raft_core::NodeId]| list.iter().copied().map(node_index).collect();
            let mut learners: Vec<u32> = ids(&configuration.learners);
            // Old voters that are to become learners vote until then.
            let next: Vec<u32> = ids(&configuration.learners_next);
            learners.extend(next.into_iter().filter(|_| !configuration.is_joint()));
            let (voters, outgoing) = (ids(&configuration.voters), ids(&configuration.outgoing));
            self.notes.push(Note::Configuration {
                index,
                voters,
                outgoing,
                learners,
            });
        }
    }

    fn configuration_in(&mut self, entry: &Entry) {
        if let Content::Configuration(configuration) = &entry.content {
            self.configuration(entry.index, configuration);
        }
    }

    /// The node's clock shows `clock`, as the core will be told next.
    pub(super) fn clock(&mut self, clock: u64) {
        self.clock = self.clock.max(clock);
    }

    /// A message has arrived, and the core will get it next.
    pub(super) fn received(&mut self, message: &Message, raft: &Raft) {
        let is_over = message.term < raft.term();
        match message.body {
            Body::TimeoutNow if !is_over => self.note(Observation::TransferReceived { term: message.term }),
            Body::VoteReply { granted: true } => self.sign(Sign::Vote {
                from: node_index(message.from),
                term: message.term,
            }),
            Body::AppendEntries { .. } | Body::InstallSnapshot { .. } if is_over => self.sign(Sign::StaleAppend),
            Body::InstallSnapshot { last, .. } if last.index > self.seen.commit => {
                self.sign(Sign::SnapshotChunk { term: message.term });
            }
            _ => {}
        }
        if self.on {
            let heard = hearing::heard(message, raft, self.clock);
            self.notes.extend(heard.map(Note::Plain));
            self.members.received(message, raft, self.clock);
        }
    }

    /// A leader is given the order `id` to hand over.
    pub(super) fn transfer_asked(&mut self, id: RequestId) {
        self.sign(Sign::TransferStarted);
        // A second order is refused, and changes nothing.
        if self.on && self.transfer.is_none() {
            self.transfer = Some(id);
            self.note(Observation::TransferBegun);
        }
    }

    /// The core has dealt with an input, and all that it said was carried out.
    pub(super) fn acted(&mut self, raft: &Raft) {
        if self.on {
            let (members, notes) = (&mut self.members, &mut self.notes);
            members.acted(raft, self.clock, |observation| notes.push(Note::Plain(observation)));
        }
    }

    /// The core has handled an input and said `outputs`. Its role and term come first, then what it did to its log, then
    /// how far it has committed, then what it may answer.
    pub(super) fn handled(&mut self, raft: &Raft, outputs: &[Output]) {
        if !self.on {
            return;
        }
        let (role, term) = (raft.role(), raft.term());
        let (commit, configuration) = (raft.commit_index(), raft.configuration().0);
        let role_changed = role != self.seen.role || term != self.seen.term;
        // A leader that steps down in its own term has acted as one until then: on the timer, after the message.
        let acted_as_leader = self.seen.role == raft_core::Role::Leader && term == self.seen.term;
        if role_changed && !acted_as_leader {
            self.role_changed(raft, outputs);
        }
        self.transfer_answered(outputs);
        outputs.iter().for_each(|output| self.log_changed(output));
        if commit != self.seen.commit {
            self.note(Observation::Committed { index: commit });
        }
        if configuration != self.seen.configuration {
            self.note(Observation::ConfigurationActive { index: configuration });
        }
        if role_changed && acted_as_leader {
            let lost = self.members.lost(self.clock, raft.config().election_timeout_max);
            let lost = lost.map(|member| Note::Plain(Observation::MemberLost { member }));
            self.notes.extend(lost);
            self.role_changed(raft, outputs);
        }
        let lease_until = raft.lease_until().map(|until| until.0);
        if lease_until != self.seen.lease_until {
            self.note(lease_until.map_or(Observation::LeaseDropped, |until| Observation::LeaseHeld { until }));
        }
        self.seen = Seen {
            term,
            role,
            commit,
            configuration,
            lease_until,
        };
    }

    fn transfer_answered(&mut self, outputs: &[Output]) {
        let Some(transfer) = self.transfer else { return };
        let answers = |output: &Output| matches!(output, Output::Answer(answer) if answer.id == transfer);
        if outputs.iter().any(answers) {
            self.transfer = None;
            self.note(Observation::TransferEnded);
        }
    }

    fn role_changed(&mut self, raft: &Raft, outputs: &[Output]) {
        let term = raft.term();
        // A node whose own pre-vote decides passes from follower to candidate within one event.
        let asks = |output: &Output| {
            matches!(
                output,
                Output::Send(Message {
                    body: Body::PreVote { .. },
                    ..
                })
            )
        };
        let alone = raft.configuration().1.voters.len() == 1;
        let passed_pre_vote = self.pre_vote
            && raft.role() == raft_core::Role::Candidate
            && self.seen.role != raft_core::Role::PreCandidate
            && (alone || outputs.iter().any(asks));
        if passed_pre_vote {
            self.note(Observation::Role {
                role: Role::PreCandidate,
                term: self.seen.term,
            });
        }
        if term != self.seen.term {
            self.note(Observation::Term { term });
        }
        self.note(Observation::Role {
            role: role(raft.role()),
            term,
        });
    }

    /// What an output says of the log in memory.
    fn log_changed(&mut self, output: &Output) {
        match output {
            Output::Restore(snapshot) => {
                let Mark { term, index } = snapshot.last;
                self.installed.push(snapshot.last);
                self.note(Observation::Installed { term, index });
                self.configuration(index, &snapshot.configuration);
                self.seen.commit = index;
                // Even if the entry of the active configuration had the same index.
                self.seen.configuration = NOT_TOLD;
            }
            Output::Persist(persist) => {
                // What a snapshot has replaced is told as its installation.
                if let Some(from) = persist.truncate.filter(|_| self.installs(persist).is_none()) {
                    self.note(Observation::Truncated { from });
                }
                for entry in &persist.entries {
                    self.note(Observation::Appended(mark(entry)));
                    self.configuration_in(entry);
                    if entry.index == self.seen.configuration {
                        // The active configuration was rolled back, and what takes its index may be another.
                        self.seen.configuration = NOT_TOLD;
                    }
                }
            }
            _ => {}
        }
    }

    /// The leader's snapshot that this write holds, if it holds one.
    fn installs(&self, persist: &Persist) -> Option<Mark> {
        persist
            .snapshot
            .as_ref()
            .map(|snapshot| snapshot.last)
            .filter(|last| self.installed.contains(last))
    }

    /// A message leaves the node; votes among them count.
    pub(super) fn sent(&mut self, message: &Message) {
        let candidate = match message.body {
            Body::VoteReply { granted: true } => message.to,
            Body::RequestVote { .. } => message.from,
            Body::ReadIndex { .. } => return self.sign(Sign::ReadForwarded),
            Body::PreVoteReply { granted: true } => {
                let (term, clock) = (message.term, self.clock);
                return self.note(Observation::PreVoteGranted { term, clock });
            }
            _ => return self.members.sent(message, self.clock),
        };
        self.note(Observation::VoteCast {
            term: message.term,
            candidate: node_index(candidate),
        });
    }

    /// A write is durable.
    pub(super) fn durable(&mut self, persist: &Persist) {
        if !self.on {
            return;
        }
        if let Some(hard_state) = persist.hard_state {
            let voted_for = hard_state.voted_for.map(node_index);
            self.note(Observation::DurableHardState {
                term: hard_state.term,
                voted_for,
            });
        }
        match (self.installs(persist), persist.truncate) {
            (Some(Mark { term, index }), _) => {
                self.installed.retain(|last| last.index > index);
                self.note(Observation::DurableInstalled { term, index });
            }
            (None, Some(from)) => self.note(Observation::DurableTruncated { from }),
            (None, None) => {}
        }
        persist
            .entries
            .iter()
            .for_each(|entry| self.note(Observation::DurableAppended(mark(entry))));
    }

    /// The state machine has applied an entry.
    pub(super) fn applied(&mut self, entry: &Entry, state_hash: u64) {
        if self.on {
            self.note(Observation::Applied {
                entry: mark(entry),
                state_hash,
            });
        }
    }

    /// The state machine has dealt with a command of a session.
    pub(super) fn command(&mut self, command: &Command<'_>, applied: &Applied) {
        if let Some(reply) = &applied.reply {
            let ((session, sequence), reply) = (command.operation(), code(reply));
            self.note(Observation::SessionApplied {
                session,
                sequence,
                effect: applied.effect,
                reply,
            });
        } else {
            self.sign(Sign::StaleCommand);
        }
    }

    /// A request is refused.
    pub(super) fn refused(&mut self, operation: &Operation, refusal: &Refusal) {
        match (operation, refusal) {
            (Operation::Read { .. }, _) => self.sign(Sign::ReadRefused),
            (Operation::Transfer { .. }, Refusal::TransferTimedOut) => self.sign(Sign::TransferAborted),
            (operation, _) if operation.changes_members() => self.sign(Sign::ChangeRefused),
            (_, Refusal::Transferring) => self.sign(Sign::UpdateHeldUp),
            _ => {}
        }
    }

    /// A client's read is given to the core.
    pub(super) fn read_asked(&mut self, id: RequestId) {
        self.note(Observation::ReadAsked { read: id.0 });
    }

    /// A client's read is answered from the state machine.
    pub(super) fn read_served(&mut self, id: RequestId, index: u64) {
        self.note(Observation::ReadServed { read: id.0, index });
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
    EntryMark {
        index: entry.index,
        term: entry.term,
        digest,
    }
}

fn role(role: raft_core::Role) -> Role {
    match role {
        raft_core::Role::Follower => Role::Follower,
        raft_core::Role::PreCandidate => Role::PreCandidate,
        raft_core::Role::Candidate => Role::Candidate,
        raft_core::Role::Leader => Role::Leader,
    }
}

#[cfg(test)]
mod tests;
