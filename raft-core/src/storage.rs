//! Storage that fails: a write that did not succeed, entries that were damaged after they had been durable, and a disk that
//! may have forgotten term and vote. The one rule behind all three: a node that can't be sure of what it promised promises
//! nothing, and says so in its [`Status`](crate::Status).
//!
//! *A failed write* ([`Input::WriteFailed`]). Until the driver has made it durable after all, the node is as if it were cut
//! off: it hears nothing, its timers are stopped, a leader steps down. To be cut off is always safe, and so is to come back
//! from it: nothing that waited for the write has left, and all that is in memory is still to be written, in order.
//!
//! *Lost entries* ([`DurableState::fence`]), while term and vote are intact. The node refuses every vote until its log is a
//! leader's up to the fence, and durable: as far as anything that it had ever acknowledged. What is left of the log does not
//! count before a leader has confirmed it, however long it is: it may be an older version, whose entries were replaced by those
//! that are lost. Why that is enough:
//! without its vote, whoever is elected has a majority of others; each of these majorities meets each one that committed an
//! entry in a node other than this; so every leader of a later term has every committed entry, as in section 5.4.3, and
//! leaders of earlier terms are refused, because the term is intact. What the node takes over up to the fence is therefore
//! all that its acknowledgements may have committed, and from then on its vote defends that as well as before. Meanwhile it
//! acknowledges what it gets, since that is durable. It tells the leader of the loss (`lost`), who then forgets what it had
//! acknowledged. The same distinction between what was torn and what was lost after it had been durable is the heart of
//! Alagappan and others, *Protocol-Aware Recovery for Consensus-Based Storage* (FAST 2018).
//!
//! *Amnesia* ([`DurableState::amnesia`]). A node that may have forgotten its term or its vote can't be made sure again by
//! copying a log: it may have voted in a term of which nobody who can be reached has heard, and that vote may still be
//! under way; it may have left the term of the leader that it hears now. (Viewstamped Replication's recovery without disks
//! fails on just this: Michael and others, *Recovering Shared Objects Without Stable Storage*, DISC 2017.) So it never
//! votes again, and its acknowledgements are marked so that they count for nothing: neither for commitment nor to confirm
//! a leader. It gets the log like a learner, and is good for follower reads and as a copy, until it is replaced under a
//! new id.

use crate::io::{Input, Outcome, Output, Refusal};
use crate::message::Stamp;
use crate::raft::Raft;
use crate::types::{Index, WriteId};

impl Raft {
    /// Whether the node still knows all that it has ever promised. If not, it neither votes nor stands for election.
    pub(crate) fn remembers(&self) -> bool {
        self.fence.is_none() && !self.amnesia
    }

    /// The stamp that an answer carries: a node with amnesia confirms nobody's leadership, so it names no round.
    pub(crate) fn echo(&self, stamp: Stamp) -> Stamp {
        let round = if self.amnesia { 0 } else { stamp.round };
        Stamp { round, ..stamp }
    }

    /// A write has failed: from here on the node is as if it were cut off. What it was about to say goes unsaid; what is to be
    /// written, applied and answered stays.
    pub(crate) fn fail(&mut self, id: WriteId) {
        self.failed = self.failed.max(Some(id));
        self.become_follower(self.term(), None);
        self.outbox.retain(|output| !matches!(output, Output::Send(_)));
        for proposal in core::mem::take(&mut self.proposals) {
            self.answer(proposal.id, Outcome::Unknown);
        }
        self.refuse_reads(Refusal::StorageFailed);
    }

    /// While a write has failed, requests are refused, and nothing is heard but what the disk and the state machine say.
    /// Returns whether `input` is dealt with.
    pub(crate) fn is_cut_off_from(&mut self, input: &Input) -> bool {
        match input {
            _ if self.failed.is_none() => return false,
            Input::Propose { id, .. }
            | Input::Read { id }
            | Input::ChangeMembership { id, .. }
            | Input::Transfer { id, .. } => self.refuse(*id, Refusal::StorageFailed),
            Input::Message(_) | Input::Campaign | Input::Timeout => {}
            Input::Persisted(_) | Input::WriteFailed(_) | Input::Applied(_) | Input::SnapshotTaken { .. } => {
                return false;
            }
        }
        true
    }

    /// The write `id` is durable, with all before it: if one of them had failed, the node takes part again.
    pub(crate) fn recover_from_failure(&mut self, id: WriteId) {
        if self.failed.is_some_and(|failed| failed <= id) {
            self.failed = None;
            self.reset_election_timer();
        }
    }

    /// The log is the leader's up to `index`.
    pub(crate) fn confirm(&mut self, index: Index) {
        self.confirmed = self.confirmed.max(index);
        self.lift_fence();
    }

    /// The node has again all that it had once acknowledged.
    pub(crate) fn lift_fence(&mut self) {
        let again = self.writes.durable().min(self.confirmed);
        if self.fence.is_some_and(|fence| again >= fence) {
            self.fence = None;
        }
    }
}
