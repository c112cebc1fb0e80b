//! A client of the service: it does what its [`Script`] says, and remembers what it was told.
//!
//! One operation is under way at a time. It is tried at one node after another, always under the same number of the
//! client's session, until an answer comes or its time is up; then its outcome is *unknown* for ever, and the client goes
//! on under a new name, as Jepsen's processes do. No refusal proves that nothing will happen: a copy of the request may
//! still be on its way.
//!
//! When the faults are over, each client *serves*: it uses its share of the objects, without giving up.

use super::Line;
use super::script::{Ctx, Script, Unique};
use super::tasks::Tasks;
use crate::operation::{Operation, Reply};
use crate::system::{Answer, Attempt, System};
use serde::Serialize;
use serde_json::Value;
use simulator::trace::events::{Invoke, Return};
use simulator::{Duration, NodeId, Time, Topic};

/// What a client does.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it asks for.
    pub script: Script,
    /// How many clients share the work.
    pub clients: u16,
    /// Shortest and longest pause between two operations.
    pub think: (Duration, Duration),
    /// How long an operation is tried before its outcome is unknown.
    pub timeout: Duration,
    /// How long one attempt is waited for.
    pub attempt: Duration,
    /// How long an attempt is waited for at most once the faults are over, when all nodes have been tried in vain.
    pub attempt_max: Duration,
    /// Most operations before the faults end.
    pub operations: u32,
    /// Whether the client stays with its node while that answers at all.
    pub sticky: bool,
    /// When the faults end: the last moment at which an ordinary operation starts.
    pub faults_end: Time,
    /// What it does until then, if that is not for the script to draw.
    pub given: Option<Tasks>,
}

/// One operation as the client saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// The name under which the client ran then.
    pub process: u32,
    /// When it was called.
    pub call: Time,
    /// The number of the event of its call.
    pub event: u64,
    /// What was asked.
    pub operation: Operation,
    /// When it was answered, and what; `None` if the outcome is unknown.
    pub returned: Option<(Time, Reply)>,
    /// The number of the event of its return; `None` while it is under way.
    pub end: Option<u64>,
    /// The session and the number of the command.
    pub command: (u32, u64),
    /// Index of the last log entry in the state that answered.
    pub applied: Option<u64>,
}

/// One client.
#[derive(Clone, Debug)]
pub struct Client {
    work: Work,
    /// The node that it asks.
    node: NodeId,
    /// The node that it last chose itself.
    tour: u16,
    session: u32,
    process: u32,
    sequence: u64,
    current: Option<Current>,
    started: u32,
    /// What the script wants to do next, because of the answer that it got last.
    follow_up: Option<Operation>,
    history: Vec<Recorded>,
    /// The pauses during the faults, the one before the first operation first.
    pauses: Vec<Duration>,
    /// Operations that are still to be served, next one last, once the faults are over.
    to_serve: Option<Vec<Operation>>,
    /// Whether one of those has been served.
    served_fresh: bool,
}

#[derive(Clone, Debug)]
struct Current {
    /// The number of the event of its call.
    event: u64,
    operation: Operation,
    call: Time,
    /// When the outcome becomes unknown; never while serving.
    give_up: Option<Time>,
    /// Whether nothing was heard since the last attempt.
    unanswered: bool,
    /// How often the client followed a hint since it last chose a node itself; at most [`HINTS`].
    redirects: u16,
    /// How many answers came since the last attempt that did not serve it; at most [`ANSWERS_MAX`].
    answers: u16,
    /// How many attempts had no answer.
    in_vain: u32,
}

/// So many answers that do not serve it an attempt has at most: of more, old copies among them, none is looked at.
const ANSWERS_MAX: u16 = 32;

/// So many hints in a row a client follows: nodes that were removed send it to and fro between leaders of the past.
const HINTS: u16 = 3;

/// What happens to it.
impl Client {
    pub(super) fn start<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        self.session = u32::from(ctx.id().0);
        self.process = self.session;
        self.tour = ctx.id().0 % ctx.nodes().len() as u16;
        self.node = NodeId(self.tour);
        self.pause(ctx);
    }

    pub(super) fn answered<S: System>(&mut self, answer: Answer, ctx: &mut Line<'_, '_, S>) {
        if self.current.is_none() || answer.sequence != self.sequence {
            return; // late, or a second copy
        }
        match answer.reply {
            // A flood of copies says nothing new, and must not put off the next attempt for ever.
            Reply::NotLeader { .. }
                if self
                    .current
                    .as_ref()
                    .is_some_and(|current| current.answers >= ANSWERS_MAX) => {}
            Reply::NotLeader { leader } => {
                self.redirected(leader, ctx);
                let soon = ctx.now() + Duration(ctx.range_about(Topic::Manner, 1_000_000, 20_000_000));
                self.wake(soon, ctx);
            }
            Reply::Unknown => self.attempt(ctx),
            Reply::Refused => unreachable!("only orders are refused"),
            reply => self.returned(reply, answer.applied, ctx),
        }
    }

    pub(super) fn woken<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        match &self.current {
            None => self.next_operation(ctx),
            Some(current) if current.give_up.is_some_and(|give_up| ctx.now() >= give_up) => self.outcome_unknown(ctx),
            Some(current) if current.unanswered && !ctx.may_repeat(&current.operation) => match current.give_up {
                // Perhaps it is on its way.
                Some(give_up) => ctx.set_timer(Some(give_up)),
                None => self.ask_anew(ctx),
            },
            Some(current) => {
                if current.unanswered {
                    self.count_in_vain();
                    self.move_on(ctx);
                }
                self.attempt(ctx);
            }
        }
    }
}

impl Client {
    /// A client that has not started.
    pub fn new(work: Work) -> Self {
        Self {
            work,
            node: NodeId(0),
            tour: 0,
            session: 0,
            process: 0,
            sequence: 0,
            current: None,
            started: 0,
            follow_up: None,
            history: Vec::new(),
            pauses: Vec::new(),
            to_serve: None,
            served_fresh: false,
        }
    }

    /// All that it did, in order; the operation under way, if any, as one of unknown outcome.
    pub fn history(&self) -> impl Iterator<Item = Recorded> + '_ {
        let current = self.current.iter().map(|current| self.record(current, None));
        self.history.iter().cloned().chain(current)
    }

    /// What is over of it, answered or not, in order.
    pub fn recorded(&self) -> &[Recorded] {
        &self.history
    }

    /// The operation under way.
    pub fn under_way(&self) -> Option<Recorded> {
        self.current.as_ref().map(|current| self.record(current, None))
    }

    /// What it did during the faults.
    pub fn tasks(&self) -> Tasks {
        let done = self.history().take(self.started as usize);
        Tasks::new(&self.pauses, done.map(|recorded| recorded.operation))
    }

    /// Whether it has served its share since the faults ended.
    pub fn has_served(&self) -> bool {
        self.current.is_none() && self.follow_up.is_none() && self.to_serve.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether it has been served something since the faults ended, or has nothing left to ask for.
    pub fn is_being_served(&self) -> bool {
        self.served_fresh || self.has_served()
    }

    /// How many operations of its share it has still before it, the one under way included.
    pub fn left_to_serve(&self) -> usize {
        let under_way = usize::from(self.current.is_some()) + usize::from(self.follow_up.is_some());
        match &self.to_serve {
            Some(left) => left.len() + under_way,
            None => usize::MAX,
        }
    }

    /// What it still waits for after the faults.
    pub fn waits_for(&self) -> Option<&Operation> {
        self.current.as_ref().map(|current| &current.operation)
    }

    fn next_operation<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        if ctx.now() >= self.work.faults_end {
            return self.serve_next(ctx);
        }
        let Some(operation) = self.draw(ctx) else {
            return self.wake(self.work.faults_end, ctx);
        };
        self.started += 1;
        let give_up = ctx.now() + self.work.timeout;
        self.invoke(operation, Some(give_up), ctx);
    }

    /// What to do next while there are faults, if there is anything.
    fn draw<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) -> Option<Operation> {
        if let Some(given) = &self.work.given {
            let task = given.tasks.get(self.started as usize)?;
            return Some(task.operation.clone());
        }
        if self.started >= self.work.operations {
            return None;
        }
        let unique = Unique::new(ctx.id(), self.started + 1);
        let follow_up = self.follow_up.take();
        Some(follow_up.unwrap_or_else(|| {
            let now = ctx.now();
            self.work.script.draw(unique, &mut Ctx::new(now, ctx.stream()))
        }))
    }

    /// The next operation of this client's share of the objects.
    fn serve_next<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        if self.to_serve.is_none() {
            // What the faults left half done stays so.
            self.follow_up = None;
            ctx.stream().topic(Topic::Serve);
            let share = self.work.script.share(ctx.id(), self.work.clients);
            self.to_serve = Some(share.into_iter().rev().collect());
        }
        let next = self
            .follow_up
            .take()
            .or_else(|| self.to_serve.as_mut().and_then(Vec::pop));
        if let Some(operation) = next {
            self.invoke(operation, None, ctx);
        }
    }

    fn invoke<S: System>(&mut self, operation: Operation, give_up: Option<Time>, ctx: &mut Line<'_, '_, S>) {
        self.sequence += 1;
        let process = self.process.into();
        let event = ctx.tell(|| Invoke {
            process,
            operation: json(&operation),
        });
        self.current = Some(Current {
            event,
            operation,
            call: ctx.now(),
            give_up,
            unanswered: false,
            redirects: 0,
            answers: 0,
            in_vain: 0,
        });
        self.attempt(ctx);
    }

    /// Sends the operation to the present node and waits for a while.
    fn attempt<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let current = self.current.as_mut().expect("an operation is under way");
        current.unanswered = true;
        current.answers = 0;
        let operation = current.operation.clone();
        let attempt = Attempt {
            session: self.session,
            sequence: self.sequence,
        };
        let has = ctx.ask(self.node, operation, attempt);
        assert!(has, "a system has every operation of the workloads that it serves");
        let mut patience = self.work.attempt;
        if self.to_serve.is_some() {
            // An operation that has come around in vain may only take longer than one attempt, with others before it in the log:
            // then asking again would add to what it waits for.
            let more = current.in_vain.saturating_sub(ctx.nodes().len() as u32).min(20);
            let longer = Duration(patience.0.saturating_mul(1 << more));
            patience = longer.min(self.work.attempt_max).max(patience);
        }
        let until = ctx.now() + patience;
        self.wake(until, ctx);
    }

    /// Wakes at `at`, or when the operation's time is up.
    fn wake<S: System>(&mut self, at: Time, ctx: &mut Line<'_, '_, S>) {
        let give_up = self.current.as_ref().and_then(|current| current.give_up);
        ctx.set_timer(Some(give_up.map_or(at, |give_up| at.min(give_up))));
    }

    fn returned<S: System>(&mut self, reply: Reply, applied: Option<u64>, ctx: &mut Line<'_, '_, S>) {
        let current = self.current.take().expect("an operation is under way");
        let process = self.process.into();
        let end = ctx.tell(|| Return {
            process,
            reply: json(&reply),
        });
        self.served_fresh = self.to_serve.is_some();
        let now = ctx.now();
        let draws = &mut Ctx::new(now, ctx.stream());
        self.follow_up = self.work.script.answered(&current.operation, &reply, draws);
        self.history.push(Recorded {
            applied,
            end: Some(end),
            ..self.record(&current, Some((ctx.now(), reply)))
        });
        self.pause(ctx);
    }

    /// The operation's time is up. What becomes of it nobody will tell, so the client takes a new name.
    fn outcome_unknown<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let current = self.current.take().expect("an operation is under way");
        let process = self.process.into();
        let end = ctx.tell(|| Return {
            process,
            reply: json(&Reply::Unknown),
        });
        self.history.push(Recorded {
            end: Some(end),
            ..self.record(&current, None)
        });
        self.process += u32::from(self.work.clients);
        self.move_on(ctx);
        self.pause(ctx);
    }

    /// Nobody has answered what is to be served and may not be asked for twice: its outcome is unknown, and another one like it takes
    /// its place.
    fn ask_anew<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let operation = self.current.as_ref().map(|current| current.operation.clone());
        if let Some(left) = &mut self.to_serve {
            left.extend(operation);
        }
        self.outcome_unknown(ctx);
    }

    fn record(&self, current: &Current, returned: Option<(Time, Reply)>) -> Recorded {
        let Current {
            event, operation, call, ..
        } = current.clone();
        Recorded {
            process: self.process,
            call,
            event,
            operation,
            returned,
            end: None,
            command: (self.session, self.sequence),
            applied: None,
        }
    }

    fn count_in_vain(&mut self) {
        if let Some(current) = &mut self.current {
            current.in_vain = current.in_vain.saturating_add(1);
        }
    }

    /// A node has named the leader, or said that it knows none. After a few hints the client looks for itself.
    fn redirected<S: System>(&mut self, leader: Option<u16>, ctx: &mut Line<'_, '_, S>) {
        let current = self.current.as_mut().expect("an operation is under way");
        current.unanswered = false;
        current.answers += 1;
        match leader {
            _ if self.work.sticky && self.to_serve.is_none() => {}
            Some(leader) if current.redirects < HINTS => {
                current.redirects += 1;
                self.node = NodeId(leader);
            }
            _ => {
                current.redirects = 0;
                self.next_node(ctx);
            }
        }
    }

    /// Nothing was heard of the node: asks another one, unless the client stays for better or worse.
    fn move_on<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let leaves = !self.work.sticky || self.to_serve.is_some() || ctx.range_about(Topic::Manner, 0, 3) == 0;
        if leaves {
            self.next_node(ctx);
        }
    }

    /// Goes on through all nodes, wherever hints have led meanwhile.
    fn next_node<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        self.tour = (self.tour + 1) % ctx.nodes().len() as u16;
        self.node = NodeId(self.tour);
    }

    fn pause<S: System>(&mut self, ctx: &mut Line<'_, '_, S>) {
        let mut think = Duration::ZERO;
        if ctx.now() < self.work.faults_end {
            think = self.think(ctx);
            self.pauses.push(think);
        }
        let wake = ctx.now() + think;
        ctx.set_timer(Some(wake));
    }

    fn think<S: System>(&self, ctx: &mut Line<'_, '_, S>) -> Duration {
        let (min, max) = self.work.think;
        match &self.work.given {
            None => Duration(ctx.range(min.0, max.0)),
            Some(given) => {
                let next = given.tasks.get(self.started as usize);
                next.map_or(given.rest, |task| task.pause)
            }
        }
    }
}

/// What is asked or answered, as a trace has it.
pub(super) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("what travels has a JSON form")
}
