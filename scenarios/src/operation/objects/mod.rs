//! Replicated objects beside the map of texts: counters, sets, lists, queues, a bank with sagas, locks, orders, logs and
//! registers under transactions.
//!
//! Each file holds one type: its calls, its state, and what a call does to it. They are the *system under test*; the
//! specifications that judge them are in `checker::models`, and share no code with these. Everything is a function of the
//! log: no object reads a clock or draws a number, so every replica gets the same state (thesis, section 6.3).

mod bank;
mod collections;
mod counter;
mod datum;
mod list;
mod lock;
mod order;
mod registers;

pub use bank::{ACCOUNTS, BankCall, OPENING_BALANCE};
pub use collections::{PriorityQueueCall, QueueCall, SetCall, StackCall};
pub use counter::CounterCall;
pub use datum::{Answer, Datum};
pub use list::{ListCall, LogCall};
pub use lock::LockCall;
pub use order::{OrderCall, OrderState};
pub use registers::{RegistersCall, RegistersStep};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A type of object: what can be asked of it, and what that does.
trait State {
    /// What can be asked.
    type Call;

    /// Carries out a call, at its place in the log.
    fn apply(&mut self, call: &Self::Call) -> Answer;
}

macro_rules! objects {
    ($($(#[doc = $about:literal])* $variant:ident($state:ty, $call:ty),)*) => {
        /// One object, of the type that its first call makes it.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Object {
            $($(#[doc = $about])* $variant($state),)*
        }

        /// What can be asked of an object, by type.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Call {
            $($(#[doc = $about])* $variant($call),)*
        }

        impl Object {
            /// The object that has seen no call yet, of the type that `call` is for.
            pub fn new(call: &Call) -> Self {
                match call {
                    $(Call::$variant(_) => Self::$variant(<$state>::default()),)*
                }
            }

            /// Carries out a call at its place in the log. A call for another type of object is refused.
            pub fn apply(&mut self, call: &Call) -> Answer {
                match (self, call) {
                    $((Self::$variant(state), Call::$variant(call)) => state.apply(call),)*
                    _ => Answer::Done(false),
                }
            }
        }

        impl Call {
            /// Whether it leaves every object as it is, so that it needs no entry in the log.
            pub fn is_query(&self) -> bool {
                match self {
                    $(Self::$variant(call) => call.is_query(),)*
                }
            }

            /// Its name in traces.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(call) => call.name(),)*
                }
            }
        }
    };
}

objects! {
    /// A number that is added to.
    Counter(counter::Counter, CounterCall),
    /// A set of numbers.
    Set(collections::Set, SetCall),
    /// A first-in-first-out queue.
    Queue(collections::Queue, QueueCall),
    /// A last-in-first-out stack.
    Stack(collections::Stack, StackCall),
    /// A queue of which the least comes first.
    PriorityQueue(collections::PriorityQueue, PriorityQueueCall),
    /// A list that grows at its end.
    List(list::List, ListCall),
    /// A log of records with offsets.
    Log(list::Log, LogCall),
    /// Registers under transactions.
    Registers(registers::Registers, RegistersCall),
    /// Accounts, transfers and sagas.
    Bank(bank::Bank, BankCall),
    /// A lock with fencing tokens, and what it protects.
    Lock(lock::Lock, LockCall),
    /// An order that moves through a table of legal transitions.
    Order(order::Order, OrderCall),
}

impl Call {
    /// A fixed encoding.
    pub fn bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("a call of numbers can be encoded")
    }
}

impl Object {
    /// The answer to a query; the object stays as it is.
    pub fn query(&self, call: &Call) -> Answer {
        debug_assert!(
            call.is_query(),
            "a call that changes an object needs a place in the log"
        );
        self.clone().apply(call)
    }

    /// A hash of the whole, with `seed` mixed in.
    pub fn hash(&self, seed: u64) -> u64 {
        let bytes = postcard::to_allocvec(self).expect("an object of numbers can be encoded");
        xxh3_64_with_seed(&bytes, seed)
    }
}

#[cfg(test)]
mod tests;
