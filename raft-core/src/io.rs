//! What crosses the boundary of the core: inputs one way, outputs the other way.

use crate::message::Message;
use crate::types::{Entry, HardState, Index, NodeId, Payload, RequestId, Term, WriteId};
use alloc::vec::Vec;

/// Something that happened outside; given to [`crate::Raft::handle`] with the node's clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A message arrived. It may be late, repeated or out of order; never forged.
    Message(Message),
    /// A client wants `payload` in the log. Gets exactly one [`Answer`].
    Propose {
        /// Given back in the answer.
        id: RequestId,
        /// The command.
        payload: Payload,
    },
    /// A client wants to read the state machine (thesis, section 6.4). Gets exactly one [`Answer`].
    Read {
        /// Given back in the answer.
        id: RequestId,
    },
    /// This write, and every write before it, is durable.
    Persisted(WriteId),
    /// The state machine has applied every entry up to this index.
    Applied(Index),
    /// Nothing but the time: [`crate::Raft::next_deadline`] has passed.
    Timeout,
}

/// Something that the driver must do; taken from [`crate::Raft::poll_output`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send this now. It may be lost.
    Send(Message),
    /// Make this durable, after all earlier writes; then send what waits for it and say [`Input::Persisted`].
    Persist(Persist),
    /// Apply this committed entry. They come in order of index, each once in an incarnation.
    Apply(Entry),
    /// Tell the client.
    Answer(Answer),
}

/// One write. An empty one is a barrier: it is durable when all earlier ones are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Persist {
    /// Its name, for [`Input::Persisted`].
    pub id: WriteId,
    /// Term and vote, if they changed.
    pub hard_state: Option<HardState>,
    /// Remove the entries from this index on, before appending.
    pub truncate: Option<Index>,
    /// Append these entries, which follow on those that are left.
    pub entries: Vec<Entry>,
    /// Send these only once the write is durable: votes, and acknowledgements of what is in it.
    pub then: Vec<Message>,
}

/// The one answer to a proposal or a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Of the request.
    pub id: RequestId,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a proposal or a read ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The proposal is committed; its entry has just been given out in [`Output::Apply`].
    Committed {
        /// Where.
        index: Index,
        /// In which term it was appended.
        term: Term,
    },
    /// The state machine may be read now: it holds everything that was committed when the read arrived.
    Readable {
        /// The read index; the state machine has applied at least this.
        index: Index,
    },
    /// Refused; it has had no effect and never will.
    Refused(Refusal),
    /// The proposal's entry was replaced in this node's log. Another node may still hold it and commit it: the outcome
    /// is unknown, and only a client session can retry it safely (thesis, section 6.3).
    Unknown,
}

/// Why a request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// This node does not lead.
    NotLeader {
        /// Who does, as far as it knows.
        leader: Option<NodeId>,
    },
}
