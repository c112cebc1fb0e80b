//! One server of the key-value service: the driver around the core. It gives the core what happens, and carries out what
//! the core says, in the order in which it says it.

use super::backlog::Backlog;
use super::bugs::{Place, ServiceBug, planted};
use super::config::NodeConfig;
use super::frame;
use super::log_file::{LogFile, Rewritten};
use super::observe::Observer;
use super::protocol::{Envelope, Request, Response};
use super::storage::Storage;
use super::store::{Command, Store};
use super::traced::Traced;
use raft_core::{
    Answer, Content, Input, Members, Message, NodeId, Outcome, Output, Persist, Raft, Refusal, RequestId, Role,
    Snapshot, Time,
};
use simulator::trace::events::Apply;
use simulator::{ClientId, Context, DiskError, DiskImage, LocalTime, Process, SyncToken};
use squall::operation::{Operation, Reply};
use squall::scenario::Codec;
use squall::situations::Sign;
use std::collections::BTreeMap;

/// One server.
#[derive(Clone, Debug)]
pub struct KvNode {
    pub(super) raft: Raft,
    pub(super) store: Store,
    /// Index of the last entry that is in `store`.
    pub(super) applied: u64,
    storage: Storage,
    /// Requests that wait for the core's answer.
    pub(super) pending: BTreeMap<u64, Pending>,
    next_request: u64,
    /// Replies of commands that were just applied, by log index, until their answers are given.
    replies: BTreeMap<u64, Option<Reply>>,
    /// What the core said, reused.
    outputs: Vec<Output>,
    pub(super) observer: Observer,
    pub(super) bug: Option<Place>,
    /// A write that a planted bug keeps back.
    pub(super) kept_back: Option<Persist>,
    /// The term of the last write that held one.
    pub(super) written_term: u64,
    follower_reads: bool,
    codec: Codec,
    /// What the state machine has not done yet.
    pub(super) backlog: Backlog,
    /// What the trace has said so far.
    traced: Traced,
}

#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) client: ClientId,
    pub(super) sequence: u64,
    pub(super) operation: Operation,
    /// A planted bug has answered it already.
    pub(super) answered: bool,
}

pub(super) type Ctx<'a> = Context<'a, KvNode>;

impl Process for KvNode {
    type Config = NodeConfig;
    type Message = Envelope;
    type Request = Request;
    type Response = Response;

    fn reseed(&mut self, seed: u64) {
        self.raft.reseed(seed);
    }

    fn boot(config: &NodeConfig, disk: &DiskImage<'_>, ctx: &mut Ctx<'_>) -> Self {
        let bug = config.bug;
        let mut recovered = LogFile::recover_with(disk, bug);
        if planted!(bug, AmnesiacRejoin) {
            recovered = LogFile::recover_with(&DiskImage::new(&[]), bug);
        }
        if config.distrust && ctx.boots() > 1 || ctx.wiped() {
            recovered.distrust();
        }
        let storage = Storage::new(&recovered, ctx);
        let (mut raft, codec) = config.in_version(ctx.version());
        raft.seed = ctx.random();
        #[cfg(feature = "bugs")]
        let core_bug = match config.bug {
            Some(Place::Core(bug)) => Some(bug),
            _ => None,
        };
        let mut observer = Observer::new(config.observe, raft.pre_vote, &recovered.state);
        let snapshot = recovered.state.snapshot.as_ref();
        let applied = snapshot.map_or(0, |snapshot| snapshot.last.index);
        let store = snapshot.map(|snapshot| Store::decode(&snapshot.data).expect("what a node of this service wrote"));
        #[cfg(feature = "bugs")]
        let raft = Raft::restore_with_bug(raft, recovered.state, now(ctx), core_bug);
        #[cfg(not(feature = "bugs"))]
        let raft = Raft::restore(raft, recovered.state, now(ctx));
        let raft = raft.expect("the configuration was checked with the scenario");
        observer.clock(now(ctx).0);
        if ctx.boots() > 1 {
            found(&mut observer, recovered.torn, recovered.rewritten);
        }
        observer.booted(&raft);
        let (traced, written_term) = (Traced::booted(&raft, applied, ctx), raft.hard_state().term);
        // Requests are named apart from those of other nodes and of earlier incarnations.
        let next_request = raft.config().seed;
        let node = Self {
            raft,
            store: store.unwrap_or_default().with_bug(bug),
            applied,
            storage,
            pending: BTreeMap::new(),
            next_request,
            replies: BTreeMap::new(),
            outputs: Vec::new(),
            observer,
            bug,
            kept_back: None,
            written_term,
            follower_reads: config.follower_reads,
            codec,
            backlog: Backlog::default(),
            traced,
        };
        node.set_timer(ctx);
        node
    }

    fn on_message(&mut self, _from: simulator::NodeId, message: Envelope, ctx: &mut Ctx<'_>) {
        self.observer.clock(now(ctx).0);
        self.observer.received(&message.0, &self.raft);
        self.input(Input::Message(message.0), ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>) {
        self.storage.wake(ctx);
        if self.raft.next_deadline().is_some_and(|deadline| deadline <= now(ctx)) {
            self.input(Input::Timeout, ctx);
        } else {
            self.set_timer(ctx);
        }
    }

    fn on_sync(&mut self, token: SyncToken, ctx: &mut Ctx<'_>) {
        let Some(synced) = self.storage.synced(token) else {
            return;
        };
        while let Some(persist) = self.storage.pop_durable(synced) {
            self.observer.durable(&persist);
            for message in persist.then {
                self.send(message, ctx);
            }
        }
        self.storage.settle(|| self.raft.status().fenced, ctx);
        self.input(Input::Persisted(synced.id), ctx);
    }

    fn on_sync_failed(&mut self, token: SyncToken, error: DiskError, ctx: &mut Ctx<'_>) {
        if let Some(id) = self.storage.failed(token, error, ctx) {
            self.input(Input::WriteFailed(id), ctx);
        }
    }

    fn on_worked(&mut self, token: u64, ctx: &mut Ctx<'_>) {
        if let Some(applied) = self.catch_up(token, ctx) {
            self.input(Input::Applied(applied), ctx);
        }
    }

    fn on_request(&mut self, from: ClientId, request: Request, ctx: &mut Ctx<'_>) {
        let id = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        if let Some(reply) = self.answers_at_once(&request) {
            let sequence = request.sequence;
            return ctx.respond(
                from,
                Response {
                    sequence,
                    reply,
                    applied: self.applied,
                },
            );
        }
        let Some(input) = self.input_of(id, &request) else {
            let leader = self.raft.status().leader.map(node_number);
            let response = Response {
                sequence: request.sequence,
                reply: Reply::NotLeader { leader },
                applied: self.applied,
            };
            return ctx.respond(from, response);
        };
        match input {
            Input::Read { id } => self.observer.read_asked(id),
            Input::Transfer { id, .. } if self.is_primary() => self.observer.transfer_asked(id),
            _ => {}
        }
        let Request {
            sequence, operation, ..
        } = request;
        if operation == Operation::Campaign {
            ctx.respond(
                from,
                Response {
                    sequence,
                    reply: Reply::Done,
                    applied: self.applied,
                },
            );
        } else {
            self.pending.insert(
                id.0,
                Pending {
                    client: from,
                    sequence,
                    operation,
                    answered: false,
                },
            );
        }
        self.input(input, ctx);
        self.answer_on_append(id, ctx);
    }

    fn is_primary(&self) -> bool {
        self.raft.role() == Role::Leader
    }
}

impl KvNode {
    /// The core.
    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    /// The state machine.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Index of the last entry that the state machine has applied, or that the snapshot stood for which it took over.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// What the checkers may see.
    pub fn observer(&mut self) -> &mut Observer {
        &mut self.observer
    }

    /// What the core is told of a request; `None` if this node does not serve it.
    fn input_of(&self, id: RequestId, request: &Request) -> Option<Input> {
        if let Some(command) = Command::of(request) {
            let command = self.checked_already(command);
            return Some(Input::Propose {
                id,
                payload: command.encode(),
            });
        }
        let ids = |list: &[u16]| list.iter().map(|id| NodeId(u64::from(*id))).collect();
        match &request.operation {
            Operation::Read { .. } | Operation::Call { .. } => {
                // A group that has gone quiet must hear of every request, also of one that would be turned away: nobody else tells
                // it that its leader is gone.
                let serves = self.follower_reads || self.is_primary() || self.raft.status().quiet;
                serves.then_some(Input::Read { id })
            }
            Operation::Change { voters, learners } => {
                let members = Members {
                    voters: ids(voters),
                    learners: ids(learners),
                };
                Some(Input::ChangeMembership { id, members })
            }
            Operation::Join { node, learner } => Some(self.one_member(id, *node, Some(*learner))),
            Operation::Leave { node } => Some(self.one_member(id, *node, None)),
            Operation::Transfer { to } => Some(Input::Transfer {
                id,
                to: NodeId(u64::from(*to)),
            }),
            _ => Some(Input::Campaign),
        }
    }

    /// The members that this node knows, with one of them a voter, a learner, or none any more.
    fn one_member(&self, id: RequestId, node: u16, learner: Option<bool>) -> Input {
        let node = NodeId(u64::from(node));
        let now = self.raft.configuration().1;
        let others = |list: &[NodeId]| list.iter().copied().filter(|member| *member != node).collect();
        let mut members = Members {
            voters: others(&now.voters),
            learners: others(&now.learners),
        };
        match learner {
            Some(true) => members.learners.push(node),
            Some(false) => members.voters.push(node),
            None => {}
        }
        Input::ChangeMembership { id, members }
    }

    /// Gives one input to the core and carries out all that comes of it.
    fn input(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        self.start_kept_back(ctx);
        #[cfg(feature = "bugs")]
        self.harm();
        self.observer.clock(now(ctx).0);
        self.raft.handle(now(ctx), input);
        let mut snapshot_due = false;
        loop {
            let mut outputs = core::mem::take(&mut self.outputs);
            outputs.extend(std::iter::from_fn(|| self.raft.poll_output()));
            self.observer.handled(&self.raft, &outputs);
            self.traced.handled(&self.raft, &outputs, ctx);
            let mut applied = None;
            let is_late = !self.backlog.is_empty() || ctx.work_takes_time();
            for output in outputs.drain(..) {
                match output {
                    Output::Send(message) => self.send(message, ctx),
                    Output::Persist(persist) => self.persist(persist, ctx),
                    output @ (Output::Apply(_) | Output::Answer(_)) if is_late && self.waits(&output) => {
                        applied = self.applied_already(&output).or(applied);
                        self.backlog.push(output);
                    }
                    Output::Apply(entry) => applied = Some(self.apply(&entry, ctx)),
                    Output::Restore(snapshot) => {
                        self.give_up_backlog(ctx);
                        applied = Some(self.restore(&snapshot));
                    }
                    Output::TakeSnapshot { .. } => snapshot_due = true,
                    Output::Answer(answer) => self.answer(answer, ctx),
                }
            }
            self.outputs = outputs;
            self.backlog.close(ctx);
            if let Some(index) = applied {
                self.raft.handle(now(ctx), Input::Applied(index));
            } else if std::mem::take(&mut snapshot_due) {
                let (index, data) = (self.raft.status().applied, self.store.encode());
                self.raft.handle(now(ctx), Input::SnapshotTaken { index, data });
            } else {
                break;
            }
        }
        self.replies.clear();
        // A write that is still to come is in the core's log already.
        if self.storage.is_rewrite_due() && self.kept_back.is_none() && !self.raft.status().failed {
            self.storage.rewrite(self.raft.snapshot(), self.raft.log(), ctx);
        }
        self.observer.acted(&self.raft);
        self.set_timer(ctx);
    }

    fn set_timer(&self, ctx: &mut Ctx<'_>) {
        let core = self.raft.next_deadline().map(local);
        ctx.set_timer(core.into_iter().chain(self.storage.wakes()).min());
    }

    fn send(&mut self, message: Message, ctx: &mut Ctx<'_>) {
        self.observer.sent(&message);
        let message = match self.codec {
            Codec::Off => message,
            codec => frame::passed(&message, codec),
        };
        let to = simulator::NodeId(u16::try_from(message.to.0).expect("nodes are numbered from 0 by the world"));
        ctx.send(to, Envelope(message));
    }

    fn persist(&mut self, persist: Persist, ctx: &mut Ctx<'_>) {
        // Whatever a planted bug holds up, writes stay in their order.
        self.start_kept_back(ctx);
        if self.keeps_back(&persist) {
            self.kept_back = Some(persist);
        } else {
            self.write(persist, ctx);
        }
    }

    pub(super) fn write(&mut self, mut persist: Persist, ctx: &mut Ctx<'_>) {
        self.forgets_at_compaction(&mut persist);
        if let Some(before) = self.written_before(&persist) {
            self.storage.write_unsynced(&before, ctx);
        }
        self.storage.write(persist, ctx);
    }

    /// Applies a committed entry and returns its index.
    pub(super) fn apply(&mut self, entry: &raft_core::Entry, ctx: &mut Ctx<'_>) -> u64 {
        self.applied = entry.index;
        if let Content::Command(bytes) = &entry.content {
            let command = Command::decode(bytes).expect("what is committed was proposed by a node of this service");
            self.store.clock = ctx.now().0;
            let applied = self.store.apply(&command, entry.index);
            self.observer.applied(entry, self.store.hash());
            self.observer.command(&command, &applied);
            if !self.pending.is_empty() {
                self.replies.insert(entry.index, applied.reply);
            }
        } else {
            self.observer.applied(entry, self.store.hash());
        }
        let (index, term) = (entry.index, entry.term);
        ctx.tell(|| Apply { index, term });
        index
    }

    /// Takes over the state of a snapshot and returns its index.
    fn restore(&mut self, snapshot: &Snapshot) -> u64 {
        let store = Store::decode(&snapshot.data).expect("what a node of this service sent");
        self.store = store.with_bug(self.bug);
        let index = snapshot.last.index;
        self.applied = index;
        index
    }

    pub(super) fn answer(&mut self, answer: Answer, ctx: &mut Ctx<'_>) {
        let pending = self
            .pending
            .remove(&answer.id.0)
            .expect("the core answers each request once");
        if let Outcome::Refused(refusal) = &answer.outcome {
            self.observer.refused(&pending.operation, refusal);
        }
        let reply = match answer.outcome {
            Outcome::Committed { .. } if pending.operation.changes_members() => Reply::Done,
            Outcome::Committed { index, .. } => match self.replies.remove(&index).expect("applied just before") {
                Some(reply) => self.reply_to(&pending.operation, reply),
                None => return, // the session has moved on: nobody waits
            },
            Outcome::Readable { index } => match pending.operation {
                Operation::Read { key } => {
                    self.observer.read_served(answer.id, index);
                    Reply::Value {
                        value: self.store.get(key),
                    }
                }
                Operation::Call { key, ref call } => {
                    self.observer.read_served(answer.id, index);
                    Reply::Answer {
                        answer: self.store.query(key, call),
                    }
                }
                _ => unreachable!("the core calls readable only what was given to it as a read"),
            },
            Outcome::Transferred => Reply::Done,
            Outcome::Refused(Refusal::NotLeader { leader }) => Reply::NotLeader {
                leader: leader.map(node_number),
            },
            Outcome::Refused(_) => match &pending.operation {
                Operation::Transfer { .. } => Reply::Refused,
                operation if operation.changes_members() => Reply::Refused,
                _ => Reply::NotLeader { leader: None }, // ask again, here or elsewhere
            },
            Outcome::Unknown => Reply::Unknown,
        };
        if !pending.answered {
            ctx.respond(
                pending.client,
                Response {
                    sequence: pending.sequence,
                    reply,
                    applied: self.applied,
                },
            );
        }
    }
}

/// Tells what a node that starts again has found in its file.
fn found(observer: &mut Observer, torn: bool, rewritten: Rewritten) {
    if torn {
        observer.found(Sign::TornTail);
    }
    match rewritten {
        Rewritten::Never => {}
        Rewritten::Half => observer.found(Sign::RewriteCutShort),
        Rewritten::Done => observer.found(Sign::RewrittenLog),
    }
}

fn now(ctx: &Ctx<'_>) -> Time {
    Time(ctx.now().0)
}

fn local(time: Time) -> LocalTime {
    LocalTime(time.0)
}

fn node_number(id: NodeId) -> u16 {
    u16::try_from(id.0).expect("nodes are numbered from 0 by the world")
}
