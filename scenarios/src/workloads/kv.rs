//! A client of the key-value service: reads, writes, compare-and-sets and appends over a few contended keys.
//!
//! One operation is under way at a time. It is tried at one node after another, always under the same number of the
//! client's session, until an answer comes or its time is up; then its outcome is *unknown* for ever, and the client goes
//! on under a new name, as Jepsen's processes do. No refusal proves that nothing will happen: a copy of the request may
//! still be on its way.
//!
//! When the faults are over, each client *serves*: it writes and reads its share of the keys, without giving up.

use super::Actor;
use crate::systems::kv::{Key, Operation, Reply, Request, Response, Value};
use serde_json::json;
use simulator::{ClientContext, Duration, NodeId, Time};

/// What a client does.
#[derive(Clone, Debug)]
pub struct KvWorkload {
    /// Keys `0..keys` are used; at least 1.
    pub keys: u16,
    /// How many clients share the work.
    pub clients: u16,
    /// Weights of read, write, compare-and-set and append; not all 0.
    pub mix: [u32; 4],
    /// Shortest and longest pause between two operations.
    pub think: (Duration, Duration),
    /// How long an operation is tried before its outcome is unknown.
    pub timeout: Duration,
    /// How long one attempt is waited for.
    pub attempt: Duration,
    /// Most operations before the faults end.
    pub operations: u32,
    /// Values are padded to this many bytes.
    pub value_bytes: usize,
    /// Whether the client stays with its node while that answers at all.
    pub sticky: bool,
    /// When the faults end: the last moment at which an ordinary operation starts.
    pub faults_end: Time,
}

/// One operation as the client saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// The name under which the client ran then.
    pub process: u32,
    /// When it was called.
    pub call: Time,
    /// What was asked.
    pub operation: Operation,
    /// When it was answered, and what; `None` if the outcome is unknown.
    pub returned: Option<(Time, Reply)>,
}

/// One client.
#[derive(Clone, Debug)]
pub struct KvClient {
    workload: KvWorkload,
    /// The node that it asks.
    node: NodeId,
    /// The node that it last chose itself.
    tour: u16,
    process: u32,
    sequence: u64,
    current: Option<Current>,
    started: u32,
    /// What it read last of each key: compare-and-sets then often succeed.
    seen: Vec<Value>,
    history: Vec<Recorded>,
    /// Operations that are still to be served, last first, once the faults are over.
    to_serve: Option<Vec<Operation>>,
}

#[derive(Clone, Debug)]
struct Current {
    operation: Operation,
    call: Time,
    /// When the outcome becomes unknown; never while serving.
    give_up: Option<Time>,
    /// Whether nothing was heard since the last attempt.
    unanswered: bool,
    /// How often it was sent on since it last chose a node itself.
    redirects: u16,
}

type Ctx<'a> = ClientContext<'a, Actor>;

/// What happens to it.
impl KvClient {
    pub(super) fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.process = u32::from(ctx.id().0);
        self.tour = ctx.id().0 % ctx.nodes().len() as u16;
        self.node = NodeId(self.tour);
        self.pause(ctx);
    }

    pub(super) fn answered(&mut self, response: Response, ctx: &mut Ctx<'_>) {
        if self.current.is_none() || response.sequence != self.sequence {
            return; // late, or a second copy
        }
        match response.reply {
            Reply::NotLeader { leader } => {
                self.redirected(leader, ctx);
                let soon = ctx.now() + Duration(ctx.range(1_000_000, 20_000_000));
                self.wake(soon, ctx);
            }
            Reply::Unknown => self.attempt(ctx),
            Reply::Refused => unreachable!("only orders are refused"),
            reply => self.returned(reply, ctx),
        }
    }

    pub(super) fn woken(&mut self, ctx: &mut Ctx<'_>) {
        match &self.current {
            None => self.next_operation(ctx),
            Some(current) if current.give_up.is_some_and(|give_up| ctx.now() >= give_up) => self.outcome_unknown(ctx),
            Some(current) => {
                if current.unanswered {
                    self.move_on(ctx);
                }
                self.attempt(ctx);
            }
        }
    }
}

impl KvClient {
    /// A client that has not started.
    pub fn new(workload: KvWorkload) -> Self {
        let seen = vec![Value::from(""); usize::from(workload.keys)];
        Self {
            workload,
            node: NodeId(0),
            tour: 0,
            process: 0,
            sequence: 0,
            current: None,
            started: 0,
            seen,
            history: Vec::new(),
            to_serve: None,
        }
    }

    /// All that it did, in order; the operation under way, if any, as one of unknown outcome.
    pub fn history(&self) -> impl Iterator<Item = Recorded> + '_ {
        let current = self.current.iter().map(|current| self.record(current, None));
        self.history.iter().cloned().chain(current)
    }

    /// Whether it has served its share since the faults ended.
    pub fn has_served(&self) -> bool {
        self.current.is_none() && self.to_serve.as_ref().is_some_and(Vec::is_empty)
    }

    /// What it still waits for after the faults.
    pub fn waits_for(&self) -> Option<&Operation> {
        self.current.as_ref().map(|current| &current.operation)
    }

    fn next_operation(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.now() >= self.workload.faults_end {
            return self.serve_next(ctx);
        }
        if self.started >= self.workload.operations {
            return self.wake(self.workload.faults_end, ctx);
        }
        self.started += 1;
        let operation = self.draw(ctx);
        let give_up = ctx.now() + self.workload.timeout;
        self.invoke(operation, Some(give_up), ctx);
    }

    /// The next operation of this client's share: a write and a read of every key whose number falls to it.
    fn serve_next(&mut self, ctx: &mut Ctx<'_>) {
        if self.to_serve.is_none() {
            let (own, clients) = (ctx.id().0, self.workload.clients);
            let mut share = Vec::new();
            for key in (0..self.workload.keys).filter(|key| key % clients == own) {
                let value = format!("served-{key}").into();
                // Taken from the end: what the faults left is read before it is overwritten.
                share.extend([
                    Operation::Read { key },
                    Operation::Write { key, value },
                    Operation::Read { key },
                ]);
            }
            self.to_serve = Some(share);
        }
        if let Some(operation) = self.to_serve.as_mut().and_then(Vec::pop) {
            self.invoke(operation, None, ctx);
        }
    }

    fn draw(&mut self, ctx: &mut Ctx<'_>) -> Operation {
        let [read, write, cas, append] = self.workload.mix;
        let key = ctx.range(0, u64::from(self.workload.keys) - 1) as Key;
        let total = u64::from(read) + u64::from(write) + u64::from(cas) + u64::from(append);
        let draw = ctx.range(0, total - 1) as u32;
        let unique = format!("{}.{}", ctx.id(), self.started);
        let padded = |text: String| Value::from(format!("{text:-<width$}", width = self.workload.value_bytes));
        if draw < read {
            Operation::Read { key }
        } else if draw < read + write {
            Operation::Write {
                key,
                value: padded(unique),
            }
        } else if draw < read + write + cas {
            Operation::Cas {
                key,
                from: self.seen[usize::from(key)].clone(),
                to: padded(unique),
            }
        } else {
            Operation::Append {
                key,
                value: format!("+{unique}").into(),
            }
        }
    }

    fn invoke(&mut self, operation: Operation, give_up: Option<Time>, ctx: &mut Ctx<'_>) {
        self.sequence += 1;
        let process = self.process;
        ctx.trace("invoke", || json!({ "process": process, "operation": operation }));
        self.current = Some(Current {
            operation,
            call: ctx.now(),
            give_up,
            unanswered: false,
            redirects: 0,
        });
        self.attempt(ctx);
    }

    /// Sends the operation to the present node and waits for a while.
    fn attempt(&mut self, ctx: &mut Ctx<'_>) {
        let current = self.current.as_mut().expect("an operation is under way");
        current.unanswered = true;
        let operation = current.operation.clone();
        ctx.send(
            self.node,
            Request {
                session: u32::from(ctx.id().0),
                sequence: self.sequence,
                operation,
            },
        );
        let patience = ctx.now() + self.workload.attempt;
        self.wake(patience, ctx);
    }

    /// Wakes at `at`, or when the operation's time is up.
    fn wake(&mut self, at: Time, ctx: &mut Ctx<'_>) {
        let give_up = self.current.as_ref().and_then(|current| current.give_up);
        ctx.set_timer(Some(give_up.map_or(at, |give_up| at.min(give_up))));
    }

    fn returned(&mut self, reply: Reply, ctx: &mut Ctx<'_>) {
        let current = self.current.take().expect("an operation is under way");
        let process = self.process;
        ctx.trace("return", || json!({ "process": process, "reply": reply }));
        if let (Reply::Value { value }, Operation::Read { key }) | (Reply::Done, Operation::Write { key, value }) =
            (&reply, &current.operation)
        {
            self.seen[usize::from(*key)] = value.clone();
        }
        self.history.push(self.record(&current, Some((ctx.now(), reply))));
        self.pause(ctx);
    }

    /// The operation's time is up. What becomes of it nobody will tell, so the client takes a new name.
    fn outcome_unknown(&mut self, ctx: &mut Ctx<'_>) {
        let current = self.current.take().expect("an operation is under way");
        let process = self.process;
        ctx.trace("return", || json!({ "process": process, "reply": "unknown" }));
        self.history.push(self.record(&current, None));
        self.process += u32::from(self.workload.clients);
        self.move_on(ctx);
        self.pause(ctx);
    }

    fn record(&self, current: &Current, returned: Option<(Time, Reply)>) -> Recorded {
        let Current { operation, call, .. } = current.clone();
        Recorded {
            process: self.process,
            call,
            operation,
            returned,
        }
    }

    /// A node has named the leader, or said that it knows none. Nodes that were removed send clients to and fro between
    /// leaders of the past, so after a few hints the client looks for itself.
    fn redirected(&mut self, leader: Option<u16>, ctx: &mut Ctx<'_>) {
        let current = self.current.as_mut().expect("an operation is under way");
        current.unanswered = false;
        current.redirects += 1;
        let trusted = current.redirects <= 3;
        match leader {
            _ if self.workload.sticky && self.to_serve.is_none() => {}
            Some(leader) if trusted => self.node = NodeId(leader),
            _ => {
                current.redirects = 0;
                self.next_node(ctx);
            }
        }
    }

    /// Nothing was heard of the node: asks another one, unless the client stays for better or worse.
    fn move_on(&mut self, ctx: &mut Ctx<'_>) {
        let leaves = !self.workload.sticky || self.to_serve.is_some() || ctx.range(0, 3) == 0;
        if leaves {
            self.next_node(ctx);
        }
    }

    /// Goes on through all nodes, wherever hints have led meanwhile.
    fn next_node(&mut self, ctx: &mut Ctx<'_>) {
        self.tour = (self.tour + 1) % ctx.nodes().len() as u16;
        self.node = NodeId(self.tour);
    }

    fn pause(&mut self, ctx: &mut Ctx<'_>) {
        let (min, max) = self.workload.think;
        let think = if ctx.now() >= self.workload.faults_end {
            0
        } else {
            ctx.range(min.0, max.0)
        };
        let wake = ctx.now() + Duration(think);
        ctx.set_timer(Some(wake));
    }
}
