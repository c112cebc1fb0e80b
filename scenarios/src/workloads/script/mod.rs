//! What clients ask for: one script for each model, drawn over a few contended objects.
//!
//! A script draws operations, looks at the answers, and may want something done because of one: a saga that was reserved is
//! confirmed or cancelled. It does not know about nodes, attempts and timeouts, which are in [`super::client`], nor about
//! right and wrong, which is for the checker.

mod bank;
mod collections;
mod lists;
mod lock;
mod orders;
mod registers;
mod texts;

pub use texts::Texts;

use crate::operation::objects::Call;
use crate::operation::{Key, Operation, Reply};
use crate::scenario::Model;
use simulator::{ClientId, Duration, Stream, Time};

/// What a script draws from.
#[derive(Debug)]
pub struct Ctx<'a> {
    now: Time,
    stream: &'a mut Stream,
}

impl<'a> Ctx<'a> {
    /// At this true time, from a client's own stream.
    pub fn new(now: Time, stream: &'a mut Stream) -> Self {
        Self { now, stream }
    }

    fn now(&self) -> Time {
        self.now
    }

    fn range(&mut self, min: u64, max: u64) -> u64 {
        self.stream.range(min, max)
    }
}

/// What makes values unique within a run: who draws, and which draw of his it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unique {
    client: ClientId,
    number: u32,
}

/// Numbers from here on belong to what is served after the faults.
const SERVED: u32 = 900_000;

impl Unique {
    /// The `number`-th draw of a client, from 1 on and below 900,000.
    pub fn new(client: ClientId, number: u32) -> Self {
        Self { client, number }
    }

    /// A value for the `number`-th object that a client serves.
    fn served(client: ClientId, number: usize) -> Self {
        Self::new(client, SERVED + number as u32)
    }

    /// As a positive number below 2^36.
    fn number(self) -> i64 {
        (i64::from(self.client.0) + 1) * 1_000_000 + i64::from(self.number)
    }
}

/// What one client asks for.
#[derive(Clone, Debug)]
pub enum Script {
    /// Texts: read, write, compare-and-set, append.
    Texts(Texts),
    /// Counters, sets, queues, stacks, priority queues.
    Collection(collections::Collections),
    /// Lists and logs.
    Lists(lists::Lists),
    /// Transactions over registers.
    Registers(registers::Registers),
    /// Transfers and sagas.
    Bank(bank::Teller),
    /// A lock and what it protects.
    Lock(lock::Worker),
    /// Orders.
    Orders(orders::Clerk),
}

/// What a script is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What judges the history.
    pub model: Model,
    /// Objects `0..keys` are used; at least 1.
    pub keys: u16,
    /// Of texts: weights of read, write, compare-and-set and append; not all 0.
    pub mix: [u32; 4],
    /// Of texts: values are padded to this many bytes.
    pub value_bytes: usize,
    /// How long the faults last.
    pub chaos: Duration,
}

impl Script {
    /// The script of a client that has not asked for anything yet.
    pub fn new(settings: &Settings) -> Self {
        let keys = settings.keys;
        match settings.model {
            Model::Kv | Model::Register => Self::Texts(Texts::new(keys, settings.mix, settings.value_bytes)),
            Model::Counter | Model::Set | Model::Queue | Model::Stack | Model::PriorityQueue => {
                Self::Collection(collections::Collections::new(settings.model, keys))
            }
            Model::AppendList => Self::Lists(lists::Lists::new(keys, false)),
            Model::EventLog => Self::Lists(lists::Lists::new(keys, true)),
            Model::Transactions => Self::Registers(registers::Registers::new(keys)),
            Model::Bank => Self::Bank(bank::Teller::new(keys)),
            Model::Lock => Self::Lock(lock::Worker::new(keys)),
            Model::Orders => Self::Orders(orders::Clerk::new(keys, settings.chaos)),
        }
    }

    /// How many keys a script of this model may ask for, where the scenario has `keys`: of orders, so many are open at a time.
    pub fn keys_max(model: Model, keys: u16) -> u16 {
        match model {
            Model::Orders => keys.max(orders::ORDERS_MAX as u16),
            _ => keys,
        }
    }

    /// Draws the next operation. Every value that it writes is of `unique`, and so occurs once in a run.
    pub fn draw(&mut self, unique: Unique, ctx: &mut Ctx<'_>) -> Operation {
        match self {
            Self::Texts(script) => script.draw(unique, ctx),
            Self::Collection(script) => script.draw(unique, ctx),
            Self::Lists(script) => script.draw(unique, ctx),
            Self::Registers(script) => script.draw(unique, ctx),
            Self::Bank(script) => script.draw(unique, ctx),
            Self::Lock(script) => script.draw(ctx),
            Self::Orders(script) => script.draw(ctx),
        }
    }

    /// Takes in an answer, and says what is to be done because of it.
    pub fn answered(&mut self, operation: &Operation, reply: &Reply, ctx: &mut Ctx<'_>) -> Option<Operation> {
        match self {
            Self::Texts(script) => script.answered(operation, reply),
            Self::Collection(script) => return script.answered(operation, reply),
            Self::Lists(script) => script.answered(operation, reply),
            Self::Registers(_) => {}
            Self::Bank(script) => return script.answered(operation, reply, ctx),
            Self::Lock(script) => script.answered(operation, reply),
            Self::Orders(script) => script.answered(operation, reply),
        }
        None
    }

    /// What `client`, one of `clients`, does after the faults: it uses every object whose number falls to it.
    pub fn share(&self, client: ClientId, clients: u16) -> Vec<Operation> {
        let own = |keys: u16| {
            (0..keys)
                .rev()
                .filter(move |key| key % clients == client.0)
                .enumerate()
                .map(move |(number, key)| (key, Unique::served(client, number)))
        };
        match self {
            Self::Texts(script) => own(script.keys()).flat_map(|(key, _)| script.serve(key)).collect(),
            Self::Collection(script) => own(script.keys())
                .flat_map(|(key, unique)| script.serve(key, unique))
                .collect(),
            Self::Lists(script) => own(script.keys())
                .flat_map(|(key, unique)| script.serve(key, unique))
                .collect(),
            Self::Registers(script) => own(script.keys())
                .flat_map(|(key, unique)| script.serve(key, unique))
                .collect(),
            Self::Bank(script) => own(script.keys())
                .flat_map(|(key, unique)| script.serve(key, unique))
                .collect(),
            Self::Lock(script) => own(script.keys()).flat_map(|(key, _)| script.serve(key)).collect(),
            Self::Orders(script) => own(script.keys()).flat_map(|(key, _)| script.serve(key)).collect(),
        }
    }
}

/// One of `0..keys`.
fn key(keys: u16, ctx: &mut Ctx<'_>) -> Key {
    ctx.range(0, u64::from(keys) - 1) as Key
}

fn call(key: Key, call: Call) -> Operation {
    Operation::Call { key, call }
}
