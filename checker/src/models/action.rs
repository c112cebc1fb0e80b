//! What an operation does, in the few words that the fast methods of [`linearizability`](crate::linearizability) know.
//!
//! A model that is one of these data types says so with [`Model::kind`](super::Model::kind) and translates its operations with
//! [`Model::action`](super::Model::action); it is then checked by a method for that type where the values allow it. All other
//! models, and all other operations, go to the general search. Nothing here is trusted: an order that a fast method found is
//! replayed against the model.

use crate::history::Atom;

/// The data type of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One value that is read, written, compared and set: [`Action::Read`], [`Action::Write`], [`Action::Cas`].
    Register {
        /// The value before the first operation; `None` when it is one that the history never mentions.
        initial: Option<Atom>,
    },
    /// A list that grows at its end, empty at first: [`Action::Insert`], [`Action::ReadAll`].
    List,
    /// First in, first out, empty at first: [`Action::Insert`], [`Action::Remove`], [`Action::RemoveNothing`].
    Queue,
    /// Last in, first out, empty at first; as [`Kind::Queue`].
    Stack,
    /// The greatest value leaves first, empty at first; as [`Kind::Queue`]. Values are integers.
    PriorityQueue,
    /// The least value leaves first, empty at first; as [`Kind::Queue`]. Values are integers.
    LeastPriorityQueue,
    /// A set, empty at first: [`Action::Add`], [`Action::Delete`], [`Action::Contains`].
    Set,
    /// Registers and lists under transactions, which begin as [`Model::registers`](super::Model::registers) says; their operations have no
    /// action.
    Transactions,
    /// Anything else.
    Other,
}

/// One operation with its answer, values in canonical form: equal values are equal atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'h> {
    /// It changed nothing, and nobody knows what it saw: a read of unknown outcome.
    Nothing,
    /// A register was read, and held this value.
    Read(Atom),
    /// A register was set to this value.
    Write(Atom),
    /// A register was set to `to` if it held `from`.
    Cas {
        /// The value to hold.
        from: Atom,
        /// The new value.
        to: Atom,
        /// Whether it did; `None`: nobody knows.
        done: Option<bool>,
    },
    /// A value was put in: appended, enqueued or pushed.
    Insert(Atom),
    /// A value was taken out, this one; `None`: nobody knows which, or whether there was one.
    Remove(Option<Atom>),
    /// A value was to be taken out, and there was none.
    RemoveNothing,
    /// A list was read, and held these values in this order.
    ReadAll(&'h [Atom]),
    /// A value was to be in a set from now on; whether it is new there (`None`: nobody knows).
    Add(Atom, Option<bool>),
    /// A value was to leave a set; whether it was there (`None`: nobody knows).
    Delete(Atom, Option<bool>),
    /// Whether a value is in a set.
    Contains(Atom, bool),
}
