//! An operator with one order, given at its time and again until it is carried out.

use super::Line;
use crate::operation::{Operation, Reply};
use crate::scenario::{Order, ScriptedOrder};
use crate::system::{Answer, Attempt, System};
use serde_json::json;
use simulator::{Duration, NodeId, Time};

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

    pub(super) fn start<S: System>(&self, ctx: &mut Line<'_, '_, S>) {
        ctx.set_timer(Some(self.at));
    }

    /// Its time has come, or nobody has answered, or it was refused a while ago.
    pub(super) fn woken<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
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

    pub(super) fn answered<S: System>(&mut self, from: NodeId, answer: &Answer, ctx: &mut Line<'_, '_, S>) {
        if answer.sequence != self.sequence || self.is_done {
            return;
        }
        match &answer.reply {
            Reply::NotLeader { leader: Some(leader) } if NodeId(*leader) != from && self.only.is_none() => {
                self.node = NodeId(*leader);
                self.give(ctx);
            }
            Reply::Done => {
                ctx.trace("ordered", || json!({ "reply": answer.reply }));
                self.is_done = true;
                ctx.set_timer(None);
            }
            // An order that stands for election is given once: whether the node does is up to it.
            reply if self.only.is_some() => {
                ctx.trace("ordered", || json!({ "reply": reply }));
                self.is_done = true;
                ctx.set_timer(None);
            }
            _ => {
                let again = ctx.now() + RETRY_AFTER;
                ctx.set_timer(Some(again));
            }
        }
    }

    fn give<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        self.sequence += 1;
        let attempt = Attempt {
            session: u32::from(ctx.id().0),
            sequence: self.sequence,
        };
        ctx.ask(self.node, self.operation.clone(), attempt);
        let until = ctx.now() + self.timeout;
        ctx.set_timer(Some(until));
    }
}
