//! An operator with one order, given at its time and again until it is carried out.

use super::Actor;
use crate::scenario::{Order, ScriptedOrder};
use crate::systems::kv::{Operation, Reply, Request, Response};
use serde_json::json;
use simulator::{ClientContext, Duration, NodeId, Time};

/// From a refusal to the next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// The operator's state.
#[derive(Clone, Debug)]
pub struct Scripted {
    operation: Operation,
    /// Whom the order names, where it goes to that node and no other.
    only: Option<NodeId>,
    at: Time,
    timeout: Duration,
    faults_end: Time,
    /// The node that is believed to lead.
    node: NodeId,
    sequence: u64,
    is_done: bool,
}

type Ctx<'a> = ClientContext<'a, Actor>;

impl Scripted {
    /// One that waits for the time of its order.
    pub fn new(scripted: &ScriptedOrder, faults_end: Time) -> Self {
        let operation = match &scripted.order {
            Order::Add(node) => Operation::Join {
                node: *node,
                learner: false,
            },
            Order::AddLearner(node) => Operation::Join {
                node: *node,
                learner: true,
            },
            Order::Remove(node) => Operation::Leave { node: *node },
            Order::Members { voters, learners } => Operation::Change {
                voters: voters.clone(),
                learners: learners.clone(),
            },
            Order::Transfer(node) => Operation::Transfer { to: *node },
            Order::Campaign(_) => Operation::Campaign,
        };
        let only = match scripted.order {
            Order::Campaign(node) => Some(NodeId(node)),
            _ => None,
        };
        Self {
            operation,
            only,
            at: Time(scripted.at_ns),
            timeout: Duration(scripted.timeout_ns),
            faults_end,
            node: only.unwrap_or(NodeId(0)),
            sequence: 0,
            is_done: false,
        }
    }

    /// What it orders.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    pub(super) fn start(&self, ctx: &mut Ctx<'_>) {
        ctx.set_timer(Some(self.at));
    }

    /// Its time has come, or nobody has answered, or it was refused a while ago.
    pub(super) fn woken(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_done || ctx.now() >= self.faults_end {
            return;
        }
        if self.sequence == 0 {
            ctx.trace("order", || json!({ "operation": self.operation }));
        } else if self.only.is_none() {
            self.node = NodeId((self.node.0 + 1) % ctx.nodes().len() as u16);
        }
        self.give(ctx);
    }

    pub(super) fn answered(&mut self, from: NodeId, response: &Response, ctx: &mut Ctx<'_>) {
        if response.sequence != self.sequence || self.is_done {
            return;
        }
        match &response.reply {
            Reply::NotLeader { leader: Some(leader) } if NodeId(*leader) != from && self.only.is_none() => {
                self.node = NodeId(*leader);
                self.give(ctx);
            }
            Reply::Done => {
                ctx.trace("ordered", || json!({ "reply": response.reply }));
                self.is_done = true;
                ctx.set_timer(None);
            }
            // An order that stands for election is given once: whether the node does is up to it.
            reply if self.only.is_some() => {
                ctx.trace("ordered", || json!({ "reply": reply }));
                self.is_done = true;
                ctx.set_timer(None);
            }
            _ => ctx.set_timer(Some(ctx.now() + RETRY_AFTER)),
        }
    }

    fn give(&mut self, ctx: &mut Ctx<'_>) {
        self.sequence += 1;
        let request = Request {
            session: u32::from(ctx.id().0),
            sequence: self.sequence,
            operation: self.operation.clone(),
        };
        ctx.send(self.node, request);
        ctx.set_timer(Some(ctx.now() + self.timeout));
    }
}
