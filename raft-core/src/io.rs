//! What crosses the boundary of the core: inputs one way, outputs the other way.

use crate::configuration::Members;
use crate::message::Message;
use crate::types::{Entry, HardState, Index, Mark, NodeId, Payload, RequestId, Snapshot, Term, WriteId};
use alloc::sync::Arc;
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
    /// A client wants to read the state machine (thesis, section 6.4), on any node. Gets exactly one [`Answer`].
    Read {
        /// Given back in the answer.
        id: RequestId,
    },
    /// An operator wants other members. Gets exactly one [`Answer`], when the last step of the change is committed.
    ChangeMembership {
        /// Given back in the answer.
        id: RequestId,
        /// The members that are wanted; any set, however different from the present one.
        members: Members,
    },
    /// An operator wants another leader (thesis, section 3.10). Gets exactly one [`Answer`].
    Transfer {
        /// Given back in the answer.
        id: RequestId,
        /// Who should lead.
        to: NodeId,
    },
    /// An operator wants this node to stand for election now. With leases, a node that has heard a leader within the shortest
    /// election timeout does not.
    Campaign,
    /// This write, and every write before it, is durable.
    Persisted(WriteId),
    /// This write failed: the disk is full, or has an error. The node takes no part until [`Input::Persisted`] says that this
    /// write or a later one is durable after all, with all before it: the driver keeps the [`Persist`]s, in order, and tries
    /// again all that were not durable (after a failed sync the disk may have dropped any of them). Or the node is restarted
    /// from what its disk has, or replaced.
    WriteFailed(WriteId),
    /// The state machine has applied every entry up to this index.
    Applied(Index),
    /// The state machine as of this index, which it has applied: as asked by [`Output::TakeSnapshot`], or unasked.
    SnapshotTaken {
        /// The last entry that it stands for.
        index: Index,
        /// Its bytes.
        data: Payload,
    },
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
    /// Replace the state machine by this snapshot, then say [`Input::Applied`] with its index. Entries go on after it.
    Restore(Arc<Snapshot>),
    /// The log has grown by [`crate::Config::snapshot_threshold`] applied entries: give [`Input::SnapshotTaken`], whenever it
    /// is ready.
    TakeSnapshot {
        /// What the state machine has applied now.
        index: Index,
    },
    /// Tell who asked.
    Answer(Answer),
}

/// One write. An empty one is a barrier: it is durable when all earlier ones are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Persist {
    /// Its name, for [`Input::Persisted`].
    pub id: WriteId,
    /// Term and vote, if they changed.
    pub hard_state: Option<HardState>,
    /// A new snapshot; it replaces the one before.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Remove the entries from this index on.
    pub truncate: Option<Index>,
    /// The log now begins after this entry: those up to it are not needed any more.
    pub start: Option<Mark>,
    /// Append these entries, which follow on those that are left, or on `start`.
    pub entries: Vec<Entry>,
    /// Send these only once the write is durable: votes, and acknowledgements of what is in it.
    pub then: Vec<Message>,
}

/// The one answer to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Of the request.
    pub id: RequestId,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The proposal, or the last step of the change of members, is committed; its entry has just been given out in
    /// [`Output::Apply`].
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
    /// Leadership has passed to a later term.
    Transferred,
    /// Refused; it has had no effect and never will. (A transfer that was given up may still have one.)
    Refused(Refusal),
    /// The proposal's entry was replaced in this node's log, or its fate can't be seen from here. Another node may still
    /// hold it and commit it: the outcome is unknown, and only a client session can retry it safely (thesis, section 6.3).
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
    /// Leadership is being handed over.
    Transferring,
    /// The command is larger than [`crate::Config::entry_bytes_max`].
    TooLarge,
    /// As many bytes as [`crate::Config::uncommitted_bytes_max`] wait to be committed.
    TooManyUncommitted,
    /// As many entries as [`crate::Config::unapplied_max`] wait to be applied.
    TooManyUnapplied,
    /// The leader has not committed an entry of its own term yet (Ongaro, raft-dev, 2015).
    NotReady,
    /// An earlier change of members is not finished.
    ChangeInProgress,
    /// The members make no configuration: no voters, too many, or one named twice.
    BadMembers,
    /// A learner that is to vote is too far behind.
    NotCaughtUp,
    /// Leadership can't go to a node that does not vote, nor to the leader itself.
    BadTarget,
    /// The transfer took longer than an election timeout.
    TransferTimedOut,
    /// The leader did not answer.
    NoAnswer,
    /// A write of this node has failed.
    StorageFailed,
}
