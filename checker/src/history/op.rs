//! What a client can ask, and what it can be told: one table of operations, from which the type, the names in files and the
//! words of reports follow.
//!
//! Which of them a model accepts, and what they do, is in [`crate::models`].

use super::{OwnedValue, Value};

/// One row of the table: an operation as files name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpInfo {
    /// The name.
    pub name: &'static str,
    /// The names of its arguments after the key: `value`, or `from` and `to`.
    pub arguments: &'static [&'static str],
    /// Whether it may be answered with nothing but its having returned.
    pub answers_ok: bool,
    /// Whether it may be answered with yes or no.
    pub answers_done: bool,
    /// Whether it may be answered with a value.
    pub answers_value: bool,
}

/// Most arguments of an operation, the key apart.
pub(super) const ARGUMENTS_MAX: usize = 2;

macro_rules! operations {
    ($($(#[doc = $about:literal])* $variant:ident $function:ident $name:literal
        ($($(#[doc = $meaning:literal])* $argument:ident),*) $($answer:ident)|+;)*) => {
        /// What a client asked. `V` is [`Value`] on the way in and [`Atom`](super::Atom) inside a history.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op<V> {
            $($(#[doc = $about])* $variant {
                /// The object that the operation is about; objects are checked one by one.
                key: V,
                $($(#[doc = $meaning])* $argument: V,)*
            },)*
        }

        /// The places of the rows.
        enum Row { $($variant,)* }

        /// Every operation, in the order of the type.
        pub const OPERATIONS: &[OpInfo] = &[$(OpInfo {
            name: $name,
            arguments: &[$(stringify!($argument)),*],
            answers_ok: Answer::contains(&[$(Answer::$answer),+], Answer::Ok),
            answers_done: Answer::contains(&[$(Answer::$answer),+], Answer::Done),
            answers_value: Answer::contains(&[$(Answer::$answer),+], Answer::Value),
        },)*];

        impl<'a> Op<Value<'a>> {
            $(
                #[doc = concat!("[`Op::", stringify!($variant), "`].")]
                pub fn $function(key: impl Into<Value<'a>>, $($argument: impl Into<Value<'a>>),*) -> Self {
                    Op::$variant { key: key.into(), $($argument: $argument.into(),)* }
                }
            )*
        }

        impl<V> Op<V> {
            /// The name of the operation in files and messages.
            pub fn name(&self) -> &'static str {
                self.info().name
            }

            /// Its row in [`OPERATIONS`].
            pub fn info(&self) -> &'static OpInfo {
                &OPERATIONS[self.index()]
            }

            /// Index of its row in [`OPERATIONS`].
            pub fn index(&self) -> usize {
                match self {
                    $(Op::$variant { .. } => Row::$variant as usize,)*
                }
            }
        }

        impl Op<OwnedValue> {
            /// The same operation with borrowed values.
            pub fn borrowed(&self) -> Op<Value<'_>> {
                match self {
                    $(Op::$variant { key, $($argument),* } => Op::$variant {
                        key: key.as_value(),
                        $($argument: $argument.as_value(),)*
                    },)*
                }
            }
        }

        impl<V: Copy> Op<V> {
            /// The operation of a row of [`OPERATIONS`], of which `arguments` begins with as many as it takes.
            #[inline(always)]
            pub(super) fn of(row: usize, key: V, arguments: [V; ARGUMENTS_MAX]) -> Op<V> {
                let mut arguments = arguments.into_iter();
                let mut argument = || arguments.next().expect("no row takes more");
                let _ = &mut argument;
                $(
                    if row == Row::$variant as usize {
                        return Op::$variant { key, $($argument: argument(),)* };
                    }
                )*
                unreachable!("row {row} of {}", OPERATIONS.len())
            }

            /// The object that the operation is about.
            pub fn key(&self) -> V {
                match *self {
                    $(Op::$variant { key, .. } => key,)*
                }
            }

            /// The arguments after the key, in the order of the row.
            pub fn arguments(&self) -> impl Iterator<Item = V> + use<V> {
                let arguments: [Option<V>; ARGUMENTS_MAX] = match *self {
                    $(Op::$variant { $($argument,)* .. } => padded([$($argument),*]),)*
                };
                arguments.into_iter().flatten()
            }

            /// The same operation on other values.
            pub fn map<W>(self, mut map: impl FnMut(V) -> W) -> Op<W> {
                self.try_map(|value| Some(map(value))).expect("no value is refused")
            }

            pub(super) fn try_map<W>(self, mut map: impl FnMut(V) -> Option<W>) -> Option<Op<W>> {
                Some(match self {
                    $(Op::$variant { key, $($argument),* } => Op::$variant {
                        key: map(key)?,
                        $($argument: map($argument)?,)*
                    },)*
                })
            }
        }
    };
}

/// A kind of answer, for the table.
#[derive(Clone, Copy)]
enum Answer {
    Ok = 0,
    Done = 1,
    Value = 2,
}

impl Answer {
    const fn contains(answers: &[Answer], answer: Answer) -> bool {
        let mut index = 0;
        while index < answers.len() {
            if answers[index] as u8 == answer as u8 {
                return true;
            }
            index += 1;
        }
        false
    }
}

fn padded<V: Copy, const N: usize>(arguments: [V; N]) -> [Option<V>; ARGUMENTS_MAX] {
    std::array::from_fn(|index| arguments.get(index).copied())
}

operations! {
    /// Return the value of a register, the total of a counter, all elements of a set or list, the balances of a bank, the state
    /// of an order.
    Read read "read" () Value;
    /// Set to `value`.
    Write write "write" (
        /// The new value.
        value
    ) Ok;
    /// Compare and set: set to `to` if the value is `from`, and tell whether it was.
    Cas cas "cas" (
        /// The value that must be held.
        from,
        /// The new value.
        to
    ) Done;
    /// Append `value` to a text, a list or a log; a log answers with the offset.
    Append append "append" (
        /// What is appended.
        value
    ) Ok | Value;
    /// Remove the value of the key; the answer may tell whether there was one.
    Delete delete "delete" () Ok | Done;
    /// Add `value` to a counter, which may answer with the new total, or to a set, which may tell whether it is new.
    Add add "add" (
        /// The amount, or the element.
        value
    ) Ok | Done | Value;
    /// Remove `value` from a set, which may tell whether it was there.
    Remove remove "remove" (
        /// The element.
        value
    ) Ok | Done;
    /// Tell whether `value` is in a set.
    Contains contains "contains" (
        /// The element.
        value
    ) Done;
    /// Put `value` at the end of a queue.
    Enqueue enqueue "enqueue" (
        /// The element.
        value
    ) Ok;
    /// Take the first of a queue; null when it is empty.
    Dequeue dequeue "dequeue" () Value;
    /// Put `value` on a stack.
    Push push "push" (
        /// The element.
        value
    ) Ok;
    /// Take the top of a stack; null when it is empty.
    Pop pop "pop" () Value;
    /// Put `value` into a priority queue.
    Insert insert "insert" (
        /// The element, which is its own priority.
        value
    ) Ok;
    /// Take the least of a priority queue; null when it is empty.
    PopMin pop_min "pop-min" () Value;
    /// Carry out a list of `["r", register]` and `["w", register, value]` at one moment; the answer lists what the reads
    /// returned, or tells that the transaction was aborted (`false`).
    Txn txn "txn" (
        /// The list.
        value
    ) Value | Done;
    /// Move money: `[from, to, amount]`; refused when `from` has less, or either is unknown.
    Transfer transfer "transfer" (
        /// The list `[from, to, amount]`.
        value
    ) Done;
    /// Begin a saga: `[saga, from, to, amount]` takes the money from `from` and holds it.
    Reserve reserve "reserve" (
        /// The list `[saga, from, to, amount]`.
        value
    ) Done;
    /// Complete a saga: the money that it holds goes to its destination.
    Confirm confirm "confirm" (
        /// The saga.
        value
    ) Done;
    /// Compensate a saga: the money that it holds goes back.
    Cancel cancel "cancel" (
        /// The saga.
        value
    ) Done;
    /// Take a lock: the answer is its fencing token, or null while somebody holds it; of a lock without tokens, whether it was taken.
    Acquire acquire "acquire" () Value | Done;
    /// Give back the lock of which `value` is the token; null for a lock without tokens.
    Release release "release" (
        /// The fencing token.
        value
    ) Done;
    /// Use what the lock protects, with the fencing token `value`; refused once a later token has been used.
    Guard guard "guard" (
        /// The fencing token.
        value
    ) Done;
    /// Move an order from one state to another; refused when it is in another, or the table forbids it.
    Transition transition "transition" (
        /// The state in which the order must be.
        from,
        /// The new state.
        to
    ) Done;
    /// Return the records of a log from an offset on.
    Fetch fetch "fetch" (
        /// The offset, from 0.
        from
    ) Value;
}

impl OpInfo {
    /// The row of the operation called `name`.
    pub(super) fn find(name: &str) -> Option<usize> {
        OPERATIONS.iter().position(|info| info.name == name)
    }
}

/// What a client was told. `V` is [`Value`] on the way in and [`Atom`](super::Atom) inside a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output<V> {
    /// A value: what a read returned, what was taken, a token, an offset.
    Value(V),
    /// It was done, and no more is known.
    Ok,
    /// Whether it was done, or is so. Whatever was not done has changed nothing.
    Done(bool),
}

impl<'a> Output<Value<'a>> {
    /// [`Output::Value`]; `Output::value(Value::Null)` for a read that found nothing.
    pub fn value(value: impl Into<Value<'a>>) -> Self {
        Output::Value(value.into())
    }
}

impl Output<OwnedValue> {
    /// The same answer with a borrowed value.
    pub fn borrowed(&self) -> Output<Value<'_>> {
        match self {
            Output::Value(value) => Output::Value(value.as_value()),
            Output::Ok => Output::Ok,
            Output::Done(done) => Output::Done(*done),
        }
    }
}

impl<V> Output<V> {
    /// The same answer with another value.
    pub fn map<W>(self, mut map: impl FnMut(V) -> W) -> Output<W> {
        self.try_map(|value| Some(map(value))).expect("no value is refused")
    }

    pub(super) fn try_map<W>(self, mut map: impl FnMut(V) -> Option<W>) -> Option<Output<W>> {
        Some(match self {
            Output::Value(value) => Output::Value(map(value)?),
            Output::Ok => Output::Ok,
            Output::Done(done) => Output::Done(done),
        })
    }
}
