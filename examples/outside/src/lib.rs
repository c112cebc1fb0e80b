//! A store that copies each write to the other nodes before it answers, and asks nobody when it reads. It is wrong: two nodes that take writes of one
//! key at the same time end with two values. `cargo run -- sweep --seeds 0..20` finds that out, and makes it small.

use serde::Serialize;
use squall::prelude::*;
use std::collections::BTreeMap;

/// What nodes send each other.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// Keep this.
    Copy(u64, Key, Value),
    /// Kept.
    Kept(u64),
}

/// What clients ask: the number of their operation, the key, and what to write.
#[derive(Clone, Debug, Serialize)]
pub struct Ask(u64, Key, Option<Value>);

/// What they are told: the number, and what was read.
#[derive(Clone, Debug, Serialize)]
pub struct Told(u64, Option<Value>);

impl Payload for Message {}
impl Payload for Ask {}
impl Payload for Told {}

/// One node.
pub struct Node {
    values: BTreeMap<Key, Value>,
    /// Who waits for how many copies.
    waiting: BTreeMap<u64, (ClientId, u64, usize)>,
    copies: u64,
}

impl Process for Node {
    type Config = ();
    type Message = Message;
    type Request = Ask;
    type Response = Told;

    fn boot(_: &(), _: &DiskImage<'_>, _: &mut Context<'_, Self>) -> Self {
        Self {
            values: BTreeMap::new(),
            waiting: BTreeMap::new(),
            copies: 0,
        }
    }

    fn on_request(&mut self, client: ClientId, Ask(number, key, write): Ask, ctx: &mut Context<'_, Self>) {
        let Some(value) = write else {
            let read = self.values.get(&key).cloned().unwrap_or_default();
            return ctx.respond(client, Told(number, Some(read)));
        };
        self.values.insert(key, value.clone());
        let others: Vec<NodeId> = ctx.nodes().filter(|node| *node != ctx.id()).collect();
        if others.is_empty() {
            return ctx.respond(client, Told(number, None));
        }
        self.copies += 1;
        self.waiting.insert(self.copies, (client, number, others.len()));
        for other in others {
            ctx.send(other, Message::Copy(self.copies, key, value.clone()));
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Context<'_, Self>) {
        match message {
            Message::Copy(copy, key, value) => {
                self.values.insert(key, value);
                ctx.send(from, Message::Kept(copy));
            }
            Message::Kept(copy) => {
                let Some((client, number, missing)) = self.waiting.get_mut(&copy) else { return };
                *missing -= 1;
                if *missing == 0 {
                    ctx.respond(*client, Told(*number, None));
                    self.waiting.remove(&copy);
                }
            }
        }
    }
}

/// What Squall is told of it.
pub struct CopyingStore;

impl System for CopyingStore {
    type Process = Node;

    fn name(&self) -> &'static str {
        "copying-store"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Register]
    }

    fn boot(&self, _: &Cluster<'_>, _: NodeId) {}

    fn request(&self, operation: Operation, attempt: Attempt) -> Option<Ask> {
        match operation {
            Operation::Read { key } => Some(Ask(attempt.sequence, key, None)),
            Operation::Write { key, value } => Some(Ask(attempt.sequence, key, Some(value))),
            _ => None,
        }
    }

    fn is_idempotent(&self, operation: &Operation) -> bool {
        matches!(operation, Operation::Read { .. })
    }

    fn answer(&self, Told(number, read): Told) -> Answer {
        Answer::new(number, read.map_or(Reply::Done, |value| Reply::Value { value }))
    }
}
