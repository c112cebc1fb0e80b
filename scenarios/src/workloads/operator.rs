//! An operator: gives orders to the cluster while clients work, until the faults end. Members are changed, leadership is
//! handed over, elections are called at bad moments. An order that is refused or gets no answer is dropped; the next one
//! comes in its time.

use super::Line;
use super::client::json;
use super::tasks::{Task, Tasks};
use crate::operation::{Operation, Reply};
use crate::scenario::OrderMix;
use crate::system::{Answer, Attempt, System};
use simulator::trace::events::{Order, Ordered};
use simulator::{Duration, NodeId, Time, Topic};
use std::collections::BTreeSet;

/// What an operator does.
#[derive(Clone, Debug)]
pub struct Orders {
    /// Shortest and longest pause between two orders.
    pub every: (Duration, Duration),
    /// Weights of the kinds of orders.
    pub mix: OrderMix,
    /// Fewest voters that an order leaves.
    pub min_voters: u16,
    /// How long an order is waited for.
    pub timeout: Duration,
    /// The last moment at which an order is given.
    pub faults_end: Time,
    /// From when on which nodes are gone for good, and are to be replaced by nodes that were never members.
    pub replaced: Vec<(Time, NodeId)>,
    /// The orders, if they are not to be drawn.
    pub given: Option<Tasks>,
}

/// The operator's state.
#[derive(Clone, Debug)]
pub struct Operator {
    orders: Orders,
    /// The node that is believed to lead.
    node: NodeId,
    sequence: u64,
    /// The order that waits for an answer, and until when.
    current: Option<(Operation, Time)>,
    /// The orders that were given, and the pauses before them.
    done: Vec<Operation>,
    pauses: Vec<Duration>,
    /// The voters that were last asked for; the founders at first.
    voters: Vec<u16>,
    /// All that were ever asked for as members.
    known: BTreeSet<u16>,
    /// Every set of voters that was ever asked for: a late order may be carried out at any time.
    asked: BTreeSet<Vec<u16>>,
}

impl Operator {
    /// One that has given no order yet, of a cluster of `founders`.
    pub fn new(orders: Orders, founders: u16) -> Self {
        Self {
            orders,
            node: NodeId(0),
            sequence: 0,
            current: None,
            done: Vec::new(),
            pauses: Vec::new(),
            voters: (0..founders).collect(),
            known: (0..founders).collect(),
            asked: BTreeSet::new(),
        }
    }

    /// Every set of voters that it ever asked for.
    pub fn asked(&self) -> impl Iterator<Item = &Vec<u16>> {
        self.asked.iter()
    }

    /// What it has ordered.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(&self.pauses, self.done.iter().cloned())
    }

    /// Whether nothing more is to come.
    pub fn is_done(&self, now: Time) -> bool {
        now >= self.orders.faults_end
    }

    pub(super) fn start<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        self.pause(ctx);
    }

    pub(super) fn woken<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        if self.current.take().is_some() {
            // No answer: perhaps another node leads.
            self.node = NodeId((self.node.0 + 1) % ctx.nodes().len() as u16);
            match self.next_task() {
                Some(task) if task.pause > Duration::ZERO => return self.pause(ctx),
                _ => self.pauses.push(Duration::ZERO),
            }
        }
        if !self.is_done(ctx.now())
            && let Some(operation) = self.next(ctx)
        {
            if let Operation::Change { voters, learners } = &operation {
                self.known.extend(voters.iter().chain(learners));
                self.asked.insert(voters.clone());
            }
            self.done.push(operation.clone());
            ctx.tell(|| Order {
                operation: json(&operation),
            });
            self.current = Some((operation, ctx.now() + self.orders.timeout));
            self.give(ctx);
        }
    }

    pub(super) fn answered<S: System>(&mut self, from: NodeId, answer: &Answer, ctx: &mut Line<'_, '_, S>) {
        if answer.sequence != self.sequence || self.current.is_none() {
            return;
        }
        match &answer.reply {
            Reply::NotLeader { leader: Some(leader) } if NodeId(*leader) != from => {
                self.node = NodeId(*leader);
                self.give(ctx);
            }
            Reply::NotLeader { .. } => {} // the timer goes on
            reply => {
                if let (Reply::Done, Some((Operation::Change { voters, .. }, _))) = (reply, &self.current) {
                    self.voters.clone_from(voters);
                }
                ctx.tell(|| Ordered { reply: json(reply) });
                self.current = None;
                self.pause(ctx);
            }
        }
    }

    fn give<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let Some((operation, until)) = self.current.clone() else {
            return;
        };
        self.sequence += 1;
        let to = match operation {
            Operation::Campaign => {
                let last = ctx.nodes().len() as u64 - 1;
                NodeId(ctx.range_about(Topic::Manner, 0, last) as u16)
            }
            _ => self.node,
        };
        let attempt = Attempt {
            session: u32::from(ctx.id().0),
            sequence: self.sequence,
        };
        // An order that the system does not have waits for an answer in vain, as one to a node that is gone.
        ctx.ask(to, operation, attempt);
        ctx.set_timer(Some(until));
    }

    fn pause<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let (min, max) = self.orders.every;
        let pause = match &self.orders.given {
            None => Some(Duration(ctx.range(min.0, max.0))),
            Some(_) => self.next_task().map(|task| task.pause),
        };
        self.pauses.extend(pause);
        let now = ctx.now();
        ctx.set_timer(pause.map(|pause| now + pause));
    }

    /// What comes next of what is given.
    fn next_task(&self) -> Option<&Task> {
        self.orders.given.as_ref()?.tasks.get(self.done.len())
    }

    /// The next order, if there is one.
    fn next<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) -> Option<Operation> {
        match &self.orders.given {
            None => Some(self.replacement(ctx).unwrap_or_else(|| self.draw(ctx))),
            Some(_) => self.next_task().map(|task| task.operation.clone()),
        }
    }

    fn draw<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) -> Operation {
        let OrderMix {
            change,
            replace,
            transfer,
            campaign,
            ..
        } = self.orders.mix;
        let draw = ctx.range(0, u64::from(self.orders.mix.total()) - 1) as u32;
        if draw < change {
            self.any_members(ctx)
        } else if draw < change + replace {
            self.other_members(ctx)
        } else if draw < change + replace + transfer {
            let at = ctx.range(0, self.voters.len() as u64 - 1) as usize;
            Operation::Transfer { to: self.voters[at] }
        } else if draw < change + replace + transfer + campaign {
            Operation::Campaign
        } else {
            self.one_more_or_less(ctx)
        }
    }

    /// The nodes that there are, without those that are gone for good.
    fn there<S: System>(&self, ctx: &Line<'_, '_, S>) -> Vec<u16> {
        let is_gone = |node: &NodeId| {
            let mut gone = self.orders.replaced.iter().filter(|(at, _)| *at <= ctx.now());
            gone.any(|(_, gone)| gone == node)
        };
        ctx.nodes().filter(|node| !is_gone(node)).map(|node| node.0).collect()
    }

    /// A change that puts other nodes, first of all such as were never members, in the place of voters that are gone.
    fn replacement<S: System>(&self, ctx: &Line<'_, '_, S>) -> Option<Operation> {
        let there = self.there(ctx);
        let mut voters = self.voters.clone();
        voters.retain(|voter| there.contains(voter));
        let missing = self.voters.len() - voters.len();
        let mut others: Vec<u16> = there.into_iter().filter(|node| !voters.contains(node)).collect();
        others.sort_by_key(|node| self.known.contains(node));
        voters.extend(others.into_iter().take(missing));
        (missing > 0 && !voters.is_empty()).then_some(Operation::Change {
            voters,
            learners: Vec::new(),
        })
    }

    /// One voter more, or one less where that leaves enough.
    fn one_more_or_less<S: System>(&self, ctx: &mut Line<'_, '_, S>) -> Operation {
        let mut voters = self.voters.clone();
        let mut outside = self.there(ctx);
        outside.retain(|id| !voters.contains(id));
        let may_shrink = voters.len() > usize::from(self.orders.min_voters.max(1));
        let grows = !outside.is_empty() && (!may_shrink || ctx.range(0, 1) == 0);
        if grows {
            voters.push(outside[ctx.range(0, outside.len() as u64 - 1) as usize]);
        } else if may_shrink {
            voters.remove(ctx.range(0, voters.len() as u64 - 1) as usize);
        }
        Operation::Change {
            voters,
            learners: Vec::new(),
        }
    }

    /// Each node votes, learns or is left out.
    fn any_members<S: System>(&self, ctx: &mut Line<'_, '_, S>) -> Operation {
        let mut nodes = self.there(ctx);
        ctx.stream().shuffle(&mut nodes);
        let most = nodes.len() as u64;
        let least = u64::from(self.orders.min_voters).clamp(1, most);
        let count = ctx.range(least, most) as usize;
        let learners = nodes
            .split_off(count)
            .into_iter()
            .filter(|_| ctx.range(0, 1) == 0)
            .collect();
        Operation::Change {
            voters: nodes,
            learners,
        }
    }

    /// As many voters as now, of those that do not vote now as far as there are any.
    fn other_members<S: System>(&self, ctx: &mut Line<'_, '_, S>) -> Operation {
        let mut nodes = self.there(ctx);
        ctx.stream().shuffle(&mut nodes);
        nodes.sort_by_key(|id| self.voters.contains(id));
        nodes.truncate(self.voters.len().max(usize::from(self.orders.min_voters)));
        Operation::Change {
            voters: nodes,
            learners: Vec::new(),
        }
    }
}
