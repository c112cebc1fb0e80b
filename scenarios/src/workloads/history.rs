//! From what clients remember to a history for the checker, and the judgement of it by the model of the scenario.

use super::client::Recorded;
use crate::operation::objects::{
    ACCOUNTS, Answer, BankCall, Call, CounterCall, Datum, ListCall, LockCall, LogCall, OPENING_BALANCE, OrderCall,
    OrderState, PriorityQueueCall, QueueCall, RegistersCall, RegistersStep, SetCall, StackCall,
};
use crate::operation::{Key, Operation, Reply};
use crate::scenario::Model;
use checker::history::{Clock, History, Op, OperationId, Output, OwnedValue, Value};
use checker::linearizability::{Guide, Options, Report, check_guided};
use checker::models::{
    AppendList, Bank, Collection, Counter, EventLog, KeyValue, Lock, Misfit, Orders, Set, Transactions,
};
use checker::properties::Observation;

/// Where in the log each command took effect, as the nodes tell: at the same index on all of them, or it shows elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// By session and sequence number; 0 for a command that has not taken effect.
    indexes: Vec<Vec<u64>>,
    /// Index of the entry that was applied last.
    last: u64,
}

impl Effects {
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
                let (session, sequence) = (session as usize, sequence as usize);
                if self.indexes.len() <= session {
                    self.indexes.resize(session + 1, Vec::new());
                }
                let indexes = &mut self.indexes[session];
                if indexes.len() <= sequence {
                    indexes.resize(sequence + 1, 0);
                }
                if indexes[sequence] == 0 {
                    indexes[sequence] = self.last;
                }
            }
            _ => {}
        }
    }

    fn index(&self, (session, sequence): (u32, u64)) -> Option<u64> {
        let index = *self.indexes.get(session as usize)?.get(sequence as usize)?;
        (index > 0).then_some(index)
    }
}

/// What clients saw, and the order in which the log says that it happened.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What clients saw.
    pub history: History,
    /// Commands by the index at which they took effect, and queries after the last command in the state that answered them.
    pub order: Vec<OperationId>,
    /// For each operation of the history, the numbers of the events of its call and of its return.
    pub events: Vec<(u64, Option<u64>)>,
}

impl Seen {
    /// The number of the event of an operation's call.
    pub fn call(&self, id: OperationId) -> u64 {
        self.events[id.index()].0
    }

    /// The number of the event of an operation's return, if it is over.
    pub fn end(&self, id: OperationId) -> Option<u64> {
        self.events[id.index()].1
    }
}

/// The history of these operations, which may be in any order.
pub fn history(mut recorded: Vec<Recorded>, effects: &Effects) -> Seen {
    recorded.sort_by_key(|operation| (operation.call, operation.process));
    let mut history = History::new();
    history.set_clock(Clock::Nanoseconds);
    let mut order = Vec::with_capacity(recorded.len());
    for operation in &recorded {
        let asked = Asked::of(&operation.operation);
        let id = history.invoke(operation.process, operation.call.0, asked.op());
        if let Some((time, reply)) = &operation.returned {
            history.complete(id, time.0, output(reply, &owned_value(reply)));
        }
        let place = match is_query(&operation.operation) {
            true => operation.applied.map(|index| (index, true)),
            false => effects.index(operation.command).map(|index| (index, false)),
        };
        order.extend(place.map(|place| (place, id)));
    }
    order.sort_unstable();
    let order = order.into_iter().map(|(_, id)| id).collect();
    let events = recorded.iter().map(|operation| (operation.event, operation.end));
    Seen {
        history,
        order,
        events: events.collect(),
    }
}

pub(super) fn is_query(operation: &Operation) -> bool {
    match operation {
        Operation::Read { .. } => true,
        Operation::Call { call, .. } => call.is_query(),
        _ => false,
    }
}

/// Holds a history against the specification of a scenario's model.
///
/// # Errors
/// When an operation does not fit the model; the scripts draw none that do not.
pub fn judge(model: Model, seen: &Seen, options: &Options) -> Result<Report, Misfit> {
    let (history, guide) = (
        &seen.history,
        Guide {
            order: Some(&seen.order),
            ..Guide::default()
        },
    );
    match model {
        Model::Kv | Model::Register => check_guided(history, &KeyValue, options, guide),
        Model::Counter => check_guided(history, &Counter, options, guide),
        Model::Set => check_guided(history, &Set, options, guide),
        Model::Queue => check_guided(history, &Collection::Queue, options, guide),
        Model::Stack => check_guided(history, &Collection::Stack, options, guide),
        Model::PriorityQueue => check_guided(history, &Collection::PriorityQueue, options, guide),
        Model::AppendList => check_guided(history, &AppendList, options, guide),
        Model::EventLog => check_guided(history, &EventLog, options, guide),
        Model::Transactions => check_guided(history, &Transactions::default(), options, guide),
        Model::Bank => check_guided(history, &bank(), options, guide),
        Model::Lock => check_guided(history, &Lock, options, guide),
        Model::Orders => check_guided(history, &Orders::default(), options, guide),
    }
}

/// The bank of the service, as its specification is told of it.
pub(super) fn bank() -> Bank {
    let pair = |account| OwnedValue::List(vec![OwnedValue::Integer(account), OwnedValue::Integer(OPENING_BALANCE)]);
    let accounts = OwnedValue::List((0..ACCOUNTS).map(pair).collect());
    Bank::new(&accounts).expect("a list of accounts, each once")
}

/// An operation with what the checker's form of it borrows.
pub(super) struct Asked<'a> {
    operation: &'a Operation,
    key: String,
    argument: OwnedValue,
}

impl<'a> Asked<'a> {
    pub(super) fn of(operation: &'a Operation) -> Self {
        let (key, argument) = match operation {
            Operation::Call { key, call } => (*key, argument(call)),
            Operation::Read { key }
            | Operation::Write { key, .. }
            | Operation::Cas { key, .. }
            | Operation::Append { key, .. } => (*key, OwnedValue::Null),
            _ => unreachable!("orders to the cluster are not part of the clients' history"),
        };
        Self {
            operation,
            key: name(key),
            argument,
        }
    }

    pub(super) fn op(&self) -> Op<Value<'_>> {
        let key = self.key.as_str();
        match self.operation {
            Operation::Write { value, .. } => Op::write(key, &**value),
            Operation::Cas { from, to, .. } => Op::cas(key, &**from, &**to),
            Operation::Append { value, .. } => Op::append(key, &**value),
            Operation::Call { call, .. } => op(key, call, self.argument.as_value()),
            _ => Op::read(key),
        }
    }
}

fn name(key: Key) -> String {
    format!("k{key}")
}

/// What a call carries, as one value.
fn argument(call: &Call) -> OwnedValue {
    let integers = |items: &[i64]| OwnedValue::List(items.iter().copied().map(OwnedValue::Integer).collect());
    OwnedValue::Integer(match *call {
        Call::Counter(CounterCall::Add(value))
        | Call::Set(SetCall::Add(value) | SetCall::Remove(value) | SetCall::Contains(value))
        | Call::Queue(QueueCall::Enqueue(value))
        | Call::Stack(StackCall::Push(value))
        | Call::PriorityQueue(PriorityQueueCall::Insert(value))
        | Call::List(ListCall::Append(value))
        | Call::Log(LogCall::Append(value) | LogCall::Fetch(value))
        | Call::Lock(LockCall::Release(value) | LockCall::Guard(value))
        | Call::Bank(BankCall::Confirm(value) | BankCall::Cancel(value)) => value,
        Call::Bank(BankCall::Transfer { from, to, amount }) => return integers(&[from, to, amount]),
        Call::Bank(BankCall::Reserve { saga, from, to, amount }) => return integers(&[saga, from, to, amount]),
        Call::Registers(RegistersCall::Txn(ref steps)) => return OwnedValue::List(steps.iter().map(step).collect()),
        _ => return OwnedValue::Null,
    })
}

fn step(step: &RegistersStep) -> OwnedValue {
    let text = |text: &str| OwnedValue::Text(text.to_owned());
    OwnedValue::List(match step {
        RegistersStep::Read(register) => vec![text("r"), OwnedValue::Integer(*register)],
        RegistersStep::Write(register, value) => {
            vec![text("w"), OwnedValue::Integer(*register), OwnedValue::Integer(*value)]
        }
    })
}

fn op<'a>(key: &'a str, call: &'a Call, argument: Value<'a>) -> Op<Value<'a>> {
    let state = |state: &OrderState| state.name().map_or(Value::Null, Value::Text);
    match call {
        Call::Counter(CounterCall::Read)
        | Call::Set(SetCall::Read)
        | Call::List(ListCall::Read)
        | Call::Bank(BankCall::Read)
        | Call::Order(OrderCall::Read) => Op::read(key),
        Call::Counter(CounterCall::Add(_)) | Call::Set(SetCall::Add(_)) => Op::add(key, argument),
        Call::Set(SetCall::Remove(_)) => Op::remove(key, argument),
        Call::Set(SetCall::Contains(_)) => Op::contains(key, argument),
        Call::Queue(QueueCall::Enqueue(_)) => Op::enqueue(key, argument),
        Call::Queue(QueueCall::Dequeue) => Op::dequeue(key),
        Call::Stack(StackCall::Push(_)) => Op::push(key, argument),
        Call::Stack(StackCall::Pop) => Op::pop(key),
        Call::PriorityQueue(PriorityQueueCall::Insert(_)) => Op::insert(key, argument),
        Call::PriorityQueue(PriorityQueueCall::PopMin) => Op::pop_min(key),
        Call::List(ListCall::Append(_)) | Call::Log(LogCall::Append(_)) => Op::append(key, argument),
        Call::Log(LogCall::Fetch(_)) => Op::fetch(key, argument),
        Call::Registers(RegistersCall::Txn(_)) => Op::txn(key, argument),
        Call::Bank(BankCall::Transfer { .. }) => Op::transfer(key, argument),
        Call::Bank(BankCall::Reserve { .. }) => Op::reserve(key, argument),
        Call::Bank(BankCall::Confirm(_)) => Op::confirm(key, argument),
        Call::Bank(BankCall::Cancel(_)) => Op::cancel(key, argument),
        Call::Lock(LockCall::Acquire) => Op::acquire(key),
        Call::Lock(LockCall::Release(_)) => Op::release(key, argument),
        Call::Lock(LockCall::Guard(_)) => Op::guard(key, argument),
        Call::Order(OrderCall::Transition(from, to)) => Op::transition(key, state(from), state(to)),
    }
}

fn owned(datum: &Datum) -> OwnedValue {
    match datum {
        Datum::Nothing => OwnedValue::Null,
        Datum::Number(number) => OwnedValue::Integer(*number),
        Datum::Name(name) => OwnedValue::Text(name.clone()),
        Datum::List(items) => OwnedValue::List(items.iter().map(owned).collect()),
    }
}

/// What an answer carries, for [`output`] to borrow.
pub(super) fn owned_value(reply: &Reply) -> OwnedValue {
    match reply {
        Reply::Answer {
            answer: Answer::Value(datum),
        } => owned(datum),
        _ => OwnedValue::Null,
    }
}

pub(super) fn output<'a>(reply: &'a Reply, value: &'a OwnedValue) -> Output<Value<'a>> {
    match reply {
        Reply::Value { value } => Output::value(&**value),
        Reply::Done => Output::Ok,
        Reply::Swapped { swapped } => Output::Done(*swapped),
        Reply::Answer { answer } => match answer {
            Answer::Ok => Output::Ok,
            Answer::Done(done) => Output::Done(*done),
            Answer::Value(_) => Output::Value(value.as_value()),
        },
        Reply::NotLeader { .. } | Reply::Unknown | Reply::Refused => unreachable!("a client takes these for no answer"),
    }
}
