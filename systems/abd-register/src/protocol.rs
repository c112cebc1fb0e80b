//! Registers that are replicated without a leader: the algorithm of Attiya, Bar-Noy and Dolev ("Sharing Memory Robustly in
//! Message-Passing Systems", 1995) for many writers.
//!
//! Whichever node a client asks carries its operation out in two rounds. In the first it asks all replicas for what they have, and waits
//! for a majority; in the second it lets a majority keep what is the newest: the newest that it has heard of for a read, and something
//! newer still for a write. Two majorities have a replica in common, so no later operation misses what an earlier one has left.

use serde::{Deserialize, Serialize};
use squall::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How new a value is: by number, and where numbers are equal by who wrote it. No two writes have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// One more than the highest that the writer had heard of.
    pub number: u64,
    /// The node that wrote it,
    pub node: u16,
    /// which start of that node,
    pub boot: u32,
    /// and which operation of that start.
    pub operation: u64,
}

/// What a replica keeps of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// How new it is.
    pub tag: Tag,
    /// The value; empty at first.
    pub value: Arc<str>,
}

/// What replicas send each other. `operation` is the number that the asking node gave to what it carries out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// What do you have?
    Query { operation: u64, key: u16 },
    /// This.
    Found {
        operation: u64,
        found: Versioned,
        /// Whether this replica's disk has it, too.
        durable: bool,
    },
    /// Keep this, unless you have something newer.
    Store {
        operation: u64,
        key: u16,
        newest: Versioned,
    },
    /// It is on my disk, or something newer is.
    Stored { operation: u64 },
}

/// What a client wants: `write` is the value for a write.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    pub sequence: u64,
    pub key: u16,
    pub write: Option<Arc<str>>,
}

/// What it is told.
#[derive(Clone, Debug, Serialize)]
pub struct Response {
    pub sequence: u64,
    /// What was read, for a read.
    pub read: Option<Arc<str>>,
}

impl Payload for Message {}
impl Payload for Request {}
impl Payload for Response {}

/// What a replica is told when it starts.
#[derive(Clone, Debug)]
pub struct ReplicaConfig {
    /// How many replicas there are.
    pub replicas: u16,
    /// Whether a read for which a majority has answered alike is over after one round.
    pub fast_reads: bool,
    /// What is wrong with it, to see whether that is found.
    pub mutant: Option<Mutant>,
}

/// Steps of the algorithm that are left out, each in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A read answers what it found and lets nobody keep it.
    ReadWithoutWriteBack,
    /// A write does not ask what there is, and counts for itself.
    WriteWithoutQuery,
    /// Half of the replicas are taken for a majority.
    HalfQuorum,
    /// A replica answers that it has kept a value before its disk has it.
    StoredBeforeSync,
    /// A replica keeps whatever comes last, be it older than what it has.
    OlderOverwrites,
    /// Two writes of one node may have the same tag.
    TagsRepeated,
    /// A read is over after one round though the disks of those who answered do not have the value yet.
    VolatileIsKept,
}

/// One replica.
#[derive(Clone, Debug)]
pub struct Replica {
    config: ReplicaConfig,
    boot: u32,
    registers: BTreeMap<u16, Versioned>,
    /// What has to survive: registers as they were kept, one after another.
    disk: Records<(u16, Versioned)>,
    /// Who waits for which write of the disk.
    waiting: Vec<(SyncToken, NodeId, u64)>,
    operations: BTreeMap<u64, Operation>,
    next_operation: u64,
    /// How many reads found replicas that differ.
    repairs: u32,
}

/// An operation that this node carries out for a client.
#[derive(Clone, Debug)]
struct Operation {
    client: ClientId,
    request: Request,
    /// The newest that it has heard of.
    newest: Versioned,
    /// Whether those who have answered did not all have the same.
    differs: bool,
    /// Whether the second round has begun.
    stores: bool,
    /// Who has answered in this round.
    answered: Vec<NodeId>,
}

type Ctx<'a> = Context<'a, Replica>;

impl Process for Replica {
    type Config = ReplicaConfig;
    type Message = Message;
    type Request = Request;
    type Response = Response;

    fn boot(config: &ReplicaConfig, image: &DiskImage<'_>, ctx: &mut Ctx<'_>) -> Self {
        // Of one register, what was kept last is the newest.
        let (disk, kept) = Records::recover(image);
        Self {
            config: config.clone(),
            boot: ctx.boots(),
            registers: kept.into_iter().collect(),
            disk,
            waiting: Vec::new(),
            operations: BTreeMap::new(),
            // No answer to an operation of an earlier start is taken for one to an operation of this.
            next_operation: u64::from(ctx.boots()) << 32,
            repairs: 0,
        }
    }

    fn on_request(&mut self, client: ClientId, request: Request, ctx: &mut Ctx<'_>) {
        let (operation, key) = (self.next_operation, request.key);
        self.next_operation += 1;
        let counts_alone = request.write.is_some() && self.config.mutant == Some(Mutant::WriteWithoutQuery);
        let newest = self.registers.get(&key).cloned().unwrap_or_default();
        let begun = Operation {
            client,
            request,
            newest: if counts_alone { newest } else { Versioned::default() },
            differs: false,
            stores: false,
            answered: Vec::new(),
        };
        self.operations.insert(operation, begun);
        self.patience(ctx);
        match counts_alone {
            true => self.store(operation, ctx),
            false => self.send_to_all(&Message::Query { operation, key }, ctx),
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_>) {
        match message {
            Message::Query { operation, key } => {
                let found = self.registers.get(&key).cloned().unwrap_or_default();
                let token = self.disk.sync(ctx);
                let durable = self.disk.is_durable(token) || self.config.mutant == Some(Mutant::VolatileIsKept);
                let answer = Message::Found {
                    operation,
                    found,
                    durable,
                };
                ctx.send(from, answer);
            }
            Message::Found {
                operation,
                found,
                durable,
            } => {
                if let Some(of) = self.operations.get_mut(&operation).filter(|of| !of.stores) {
                    // What a crash may still take away, nobody can be said to have.
                    of.differs |= !durable || !of.answered.is_empty() && found.tag != of.newest.tag;
                    if found.tag > of.newest.tag {
                        of.newest = found;
                    }
                    if self.is_majority(operation, from) {
                        self.store(operation, ctx);
                    }
                }
            }
            Message::Store { operation, key, newest } => self.keep(from, operation, key, newest, ctx),
            Message::Stored { operation } => {
                let is_second_round = self.operations.get(&operation).is_some_and(|of| of.stores);
                if is_second_round && self.is_majority(operation, from) {
                    self.answer(operation, ctx);
                }
            }
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>) {
        // Whoever has not answered may not have been asked.
        let asked: Vec<(NodeId, Message)> = self
            .operations
            .iter()
            .flat_map(|(number, of)| of.unanswered(*number, self.config.replicas))
            .collect();
        asked
            .into_iter()
            .for_each(|(replica, message)| ctx.send(replica, message));
        if !self.operations.is_empty() {
            self.patience(ctx);
        }
    }

    fn on_sync(&mut self, token: SyncToken, ctx: &mut Ctx<'_>) {
        self.disk.synced(token);
        let durable = |(waited, ..): &mut (SyncToken, NodeId, u64)| *waited <= token;
        for (_, to, operation) in self.waiting.extract_if(.., durable) {
            ctx.send(to, Message::Stored { operation });
        }
    }

    fn on_sync_failed(&mut self, _: SyncToken, _: DiskError, ctx: &mut Ctx<'_>) {
        // What is on the disk is not known any more: start again from what there really is.
        ctx.restart(Duration::from_millis(10));
    }
}

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(80);

impl Operation {
    /// What its present round asks of those who have not answered.
    fn unanswered(&self, operation: u64, replicas: u16) -> impl Iterator<Item = (NodeId, Message)> {
        let key = self.request.key;
        let message = match self.stores {
            true => Message::Store {
                operation,
                key,
                newest: self.newest.clone(),
            },
            false => Message::Query { operation, key },
        };
        let waits = |replica: &NodeId| !self.answered.contains(replica);
        (0..replicas)
            .map(NodeId)
            .filter(waits)
            .map(move |replica| (replica, message.clone()))
    }
}

impl Replica {
    fn patience(&self, ctx: &mut Ctx<'_>) {
        ctx.set_timer(Some(ctx.now() + PATIENCE));
    }

    /// Begins the second round.
    fn store(&mut self, operation: u64, ctx: &mut Ctx<'_>) {
        let boot = self.boot;
        let Some(of) = self.operations.get_mut(&operation) else {
            return;
        };
        of.stores = true;
        of.answered.clear();
        if let Some(value) = &of.request.write {
            let mut tag = Tag {
                number: of.newest.tag.number + 1,
                node: ctx.id().0,
                boot,
                operation,
            };
            if self.config.mutant == Some(Mutant::TagsRepeated) {
                (tag.boot, tag.operation) = (0, 0);
            }
            let value = value.clone();
            of.newest = Versioned { tag, value };
        } else if of.differs {
            self.repairs += 1;
        }
        let is_over = match self.config.mutant {
            Some(Mutant::ReadWithoutWriteBack) => true,
            _ => self.config.fast_reads && !of.differs,
        };
        if of.request.write.is_none() && is_over {
            return self.answer(operation, ctx);
        }
        let (key, newest) = (of.request.key, of.newest.clone());
        self.send_to_all(&Message::Store { operation, key, newest }, ctx);
    }

    /// Keeps what is newer than what this replica has, and says so when the disk has it.
    fn keep(&mut self, from: NodeId, operation: u64, key: u16, newest: Versioned, ctx: &mut Ctx<'_>) {
        let register = self.registers.entry(key).or_default();
        if newest.tag > register.tag || self.config.mutant == Some(Mutant::OlderOverwrites) {
            *register = newest.clone();
            self.disk.append(&(key, newest), ctx);
        }
        // Something newer may still be on its way to the disk: an answer waits for all of it.
        let token = self.disk.sync(ctx);
        if self.disk.is_durable(token) || self.config.mutant == Some(Mutant::StoredBeforeSync) {
            ctx.send(from, Message::Stored { operation });
        } else {
            self.waiting.push((token, from, operation));
        }
    }

    /// Counts an answer. Whether a majority has answered in this round.
    fn is_majority(&mut self, operation: u64, from: NodeId) -> bool {
        let replicas = usize::from(self.config.replicas);
        let quorum = match self.config.mutant {
            Some(Mutant::HalfQuorum) => (replicas / 2).max(1),
            _ => replicas / 2 + 1,
        };
        let Some(of) = self.operations.get_mut(&operation) else {
            return false;
        };
        if !of.answered.contains(&from) {
            of.answered.push(from);
        }
        of.answered.len() >= quorum
    }

    fn answer(&mut self, operation: u64, ctx: &mut Ctx<'_>) {
        if let Some(Operation {
            client,
            request,
            newest,
            ..
        }) = self.operations.remove(&operation)
        {
            let read = request.write.is_none().then_some(newest.value);
            let sequence = request.sequence;
            ctx.respond(client, Response { sequence, read });
        }
    }

    fn send_to_all(&self, message: &Message, ctx: &mut Ctx<'_>) {
        for replica in (0..self.config.replicas).map(NodeId) {
            ctx.send(replica, message.clone());
        }
    }

    /// What it keeps.
    pub fn registers(&self) -> &BTreeMap<u16, Versioned> {
        &self.registers
    }

    /// How many reads found replicas that differ since this was asked last.
    pub fn take_repairs(&mut self) -> u32 {
        std::mem::take(&mut self.repairs)
    }
}
