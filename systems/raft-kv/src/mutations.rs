//! The planted bugs of the driver: what it does differently when one of them is switched on. With none, each of these
//! changes nothing. Those of the state machine and of the log file stand there.

use super::bugs::{ServiceBug, planted};
use super::node::{Ctx, KvNode};
use super::protocol::{Request, Response};
use super::store::Command;
use raft_core::{HardState, Index, Output, Persist, RequestId};
use simulator::Process;
use squall::operation::{Operation, Reply};

impl KvNode {
    /// Harms the process, if this node leads in a late term and such a thing is planted.
    #[cfg(feature = "bugs")]
    pub(super) fn harm(&self) {
        if let Some(super::bugs::Place::Process(harm)) = self.bug
            && self.is_primary()
            && self.raft.term() >= 3
        {
            harm.strike();
        }
    }

    /// A1: tells the client that its update is done as soon as this node, as leader, has appended it.
    pub(super) fn answer_on_append(&mut self, id: RequestId, ctx: &mut Ctx<'_>) {
        if !planted!(self.bug, AckOnAppend) {
            return;
        }
        let Some(pending) = self.pending.get_mut(&id.0) else {
            return;
        };
        let reply = match &pending.operation {
            Operation::Write { .. } | Operation::Append { .. } => Reply::Done,
            Operation::Cas { key, from, .. } => {
                let swapped = self.store.get(*key) == *from;
                Reply::Swapped { swapped }
            }
            _ => return,
        };
        pending.answered = true;
        let sequence = pending.sequence;
        ctx.respond(
            pending.client,
            Response {
                sequence,
                reply,
                applied: self.applied,
            },
        );
    }

    /// What is answered without the log. X1: a command that was applied before, as far as this node knows. A7: a
    /// compare-and-set whose condition does not hold in the leader's state.
    pub(super) fn answers_at_once(&self, request: &Request) -> Option<Reply> {
        if planted!(self.bug, DedupeAtProposeOnly) {
            return self.store.answered(request.session, request.sequence);
        }
        match &request.operation {
            Operation::Cas { key, from, .. } if planted!(self.bug, CasAtPropose) && self.is_primary() => {
                (self.store.get(*key) != *from).then_some(Reply::Swapped { swapped: false })
            }
            _ => None,
        }
    }

    /// A7: a compare-and-set whose condition held when it was proposed is a plain write from then on.
    pub(super) fn checked_already<'a>(&self, command: Command<'a>) -> Command<'a> {
        match planted!(self.bug, CasAtPropose) {
            true => command.unconditional(),
            false => command,
        }
    }

    /// A7: what such a write answers its client, who had asked for a compare-and-set.
    pub(super) fn reply_to(&self, operation: &Operation, reply: Reply) -> Reply {
        match (operation, reply) {
            (Operation::Cas { .. }, Reply::Done) if planted!(self.bug, CasAtPropose) => {
                Reply::Swapped { swapped: true }
            }
            (_, reply) => reply,
        }
    }

    /// A2: the index of an entry that waits for the state machine, for the core to be told that it is applied.
    pub(super) fn applied_already(&self, output: &Output) -> Option<Index> {
        match output {
            Output::Apply(entry) if planted!(self.bug, AppliedBeforeApply) => Some(entry.index),
            _ => None,
        }
    }

    /// E2: a vote that is written before the term in which it was given, for a crash to keep without it.
    pub(super) fn written_before(&mut self, persist: &Persist) -> Option<Persist> {
        let HardState { term, voted_for } = persist.hard_state?;
        let earlier = self.written_term;
        self.written_term = term;
        let torn = voted_for.is_some() && earlier > 0 && earlier < term && planted!(self.bug, TornTermVote);
        torn.then(|| Persist {
            id: persist.id,
            hard_state: Some(HardState {
                term: earlier,
                voted_for,
            }),
            snapshot: None,
            truncate: None,
            start: None,
            entries: Vec::new(),
            then: Vec::new(),
        })
    }

    /// S12: the write that compacts the log takes the vote with it.
    pub(super) fn forgets_at_compaction(&self, persist: &mut Persist) {
        if persist.start.is_some() && planted!(self.bug, CompactLosesHardState) {
            persist.hard_state = Some(HardState {
                term: self.raft.log().term(self.raft.log().last_index()).unwrap_or_default(),
                voted_for: None,
            });
        }
    }

    /// D11: whether this write waits until the messages of this event have left.
    pub(super) fn keeps_back(&self, persist: &Persist) -> bool {
        let own_entries_only = persist.hard_state.is_none() && persist.then.is_empty();
        // A leader alone has no messages to send first, and nothing would come to end the delay.
        own_entries_only && !self.raft.peers().is_empty() && planted!(self.bug, LeaderSendsBeforePersist)
    }

    /// Starts the write that [`keeps_back`](Self::keeps_back) held up at an earlier event.
    pub(super) fn start_kept_back(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(persist) = self.kept_back.take() {
            self.write(persist, ctx);
        }
    }
}
