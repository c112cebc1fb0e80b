//! What clients are told, judged while the run goes on, so that it stops at the first answer that nothing explains.
//!
//! The nodes tell at which index each command took effect; as long as that order explains every answer, nothing else need be
//! asked, and an operation costs a step or two. Once it does not, the run asks the whole check. If that finds another order, the
//! rest is followed without the log's, as long as that takes few configurations. What is left open is decided at the end of the run,
//! as ever.

use super::client::{Client as Recorder, Recorded};
use super::history::{Asked, bank, is_query, output, owned_value};
use crate::scenario;
use checker::history::{History, Op, Output, Value};
use checker::linearizability::{CallId, InOrder, Online as Told, OnlineCheck};
use checker::models::{AppendList, Collection, Counter, EventLog, KeyValue, Lock, Model, Orders, Set, Transactions};
use checker::properties::Observation;

/// Most configurations of one key that are kept without the log's order.
const CONFIGURATIONS_MAX: usize = 256;

/// Watches the clients of one run.
pub struct Online {
    follows: Box<dyn Follow>,
    clients: Vec<Client>,
    /// Index of the entry that was applied last.
    last: u64,
    is_broken: bool,
}

/// What is known of one client, whose number is that of its session.
#[derive(Clone, Debug, Default)]
struct Client {
    /// Its operations by their numbers in the session, from 1, and whether each has taken effect.
    operations: Vec<(usize, bool)>,
    /// How many of them are over.
    recorded: usize,
}

/// One way to follow a history; operations go by their place in it.
trait Follow {
    fn invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> usize;
    fn take_effect(&mut self, operation: usize, index: u64) -> bool;
    fn complete(&mut self, operation: usize, time: u64, output: Output<Value<'_>>, asked_at: Option<u64>) -> bool;
    fn lose(&mut self, operation: usize);
    /// The same history from now on without an order; `None` when that is what it is.
    fn without_order(&self) -> Option<Box<dyn Follow>>;
}

impl<M: Model + Clone + 'static> Follow for InOrder<M> {
    fn invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> usize {
        InOrder::invoke(self, client, time, op).index()
    }

    fn take_effect(&mut self, operation: usize, index: u64) -> bool {
        let id = self.history().id(operation).expect("it was called");
        InOrder::take_effect(self, id, index).is_ok()
    }

    fn complete(&mut self, operation: usize, time: u64, output: Output<Value<'_>>, asked_at: Option<u64>) -> bool {
        let id = self.history().id(operation).expect("it was called");
        InOrder::complete(self, id, time, output, asked_at).is_ok()
    }

    fn lose(&mut self, operation: usize) {
        let id = self.history().id(operation).expect("it was called");
        InOrder::lose(self, id);
    }

    fn without_order(&self) -> Option<Box<dyn Follow>> {
        Some(Box::new(WithoutOrder::new(self.model().clone(), self.history())))
    }
}

/// Follows by configurations.
struct WithoutOrder<M: Model> {
    check: OnlineCheck<M>,
    calls: Vec<CallId>,
}

impl<M: Model> WithoutOrder<M> {
    /// What happened in `history` is told once more.
    fn new(model: M, history: &History) -> Self {
        let mut follows = Self {
            check: OnlineCheck::with_configurations(model, CONFIGURATIONS_MAX),
            calls: Vec::new(),
        };
        let mut events = Vec::new();
        for id in history.ids() {
            let operation = history.operation(id);
            events.push((operation.call, false, id));
            events.extend(operation.returned.map(|returned| (returned, true, id)));
        }
        events.sort_unstable();
        for (time, is_return, id) in events {
            let operation = history.operation(id);
            if is_return {
                let output = operation.output.expect("what returned was answered");
                follows
                    .check
                    .complete(follows.calls[id.index()], time, output.map(|atom| history.value(atom)));
            } else {
                let op = operation.op.map(|atom| history.value(atom));
                follows.invoke(operation.client, time, op);
            }
        }
        follows
    }
}

impl<M: Model> Follow for WithoutOrder<M> {
    fn invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> usize {
        self.calls.push(self.check.invoke(client, time, op));
        self.calls.len() - 1
    }

    fn take_effect(&mut self, _: usize, _: u64) -> bool {
        true
    }

    fn complete(&mut self, operation: usize, time: u64, output: Output<Value<'_>>, _: Option<u64>) -> bool {
        self.check.complete(self.calls[operation], time, output);
        // Nothing is called at the very time at which another client is answered but by that client itself.
        self.check.settle(time + 1) == Told::Possible
    }

    fn lose(&mut self, operation: usize) {
        self.check.lose(self.calls[operation]);
    }

    fn without_order(&self) -> Option<Box<dyn Follow>> {
        None
    }
}

impl Online {
    /// Nothing has happened yet; `clients` is how many there are.
    pub fn new(model: scenario::Model, clients: u16) -> Self {
        fn follow<M: Model + Clone + 'static>(model: M) -> Box<dyn Follow> {
            Box::new(InOrder::new(model))
        }
        let follows = match model {
            scenario::Model::Kv | scenario::Model::Register => follow(KeyValue),
            scenario::Model::Counter => follow(Counter),
            scenario::Model::Set => follow(Set),
            scenario::Model::Queue => follow(Collection::Queue),
            scenario::Model::Stack => follow(Collection::Stack),
            scenario::Model::PriorityQueue => follow(Collection::PriorityQueue),
            scenario::Model::AppendList => follow(AppendList),
            scenario::Model::EventLog => follow(EventLog),
            scenario::Model::Transactions => follow(Transactions::default()),
            scenario::Model::Bank => follow(bank()),
            scenario::Model::Lock => follow(Lock),
            scenario::Model::Orders => follow(Orders::default()),
        };
        Self {
            follows,
            clients: vec![Client::default(); clients.into()],
            last: 0,
            is_broken: false,
        }
    }

    /// Takes in what a node tells.
    pub fn observe(&mut self, observation: &Observation<'_>) {
        match *observation {
            Observation::Applied { entry, .. } => self.last = entry.index,
            Observation::SessionApplied {
                session,
                sequence,
                effect: true,
                ..
            } => {
                let client = self.clients.get_mut(session as usize);
                let place = (sequence as usize).checked_sub(1);
                let known = client
                    .zip(place)
                    .and_then(|(client, place)| client.operations.get_mut(place));
                if let Some((operation, took_effect)) = known
                    && !std::mem::replace(took_effect, true)
                {
                    self.is_broken |= !self.follows.take_effect(*operation, self.last);
                }
            }
            _ => {}
        }
    }

    /// Takes in what `client` has done since it was looked at last.
    pub fn look(&mut self, number: u16, client: &Recorder) {
        let Some(known) = self.clients.get_mut(usize::from(number)) else {
            return;
        };
        for recorded in &client.recorded()[known.recorded..] {
            let place = recorded.command.1 as usize - 1;
            let &(operation, _) = known
                .operations
                .get(place)
                .expect("a client is looked at after each of its steps");
            match &recorded.returned {
                Some((time, reply)) => {
                    let value = owned_value(reply);
                    let asked_at = recorded.applied.filter(|_| is_query(&recorded.operation));
                    let output = output(reply, &value);
                    self.is_broken |= !self.follows.complete(operation, time.0, output, asked_at);
                }
                None => self.follows.lose(operation),
            }
            known.recorded += 1;
        }
        if let Some(Recorded {
            process,
            call,
            operation,
            command,
            ..
        }) = client.under_way()
            && command.1 as usize > known.operations.len()
        {
            let asked = Asked::of(&operation);
            let operation = self.follows.invoke(process, call.0, asked.op());
            known.operations.push((operation, false));
        }
    }

    /// Whether something was answered that this way of following does not explain.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// All was well, in another order: goes on without the log's. `None`: there is no other way.
    pub fn without_order(self) -> Option<Self> {
        Some(Self {
            follows: self.follows.without_order()?,
            is_broken: false,
            ..self
        })
    }
}
