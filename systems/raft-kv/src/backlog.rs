//! A state machine that is slow: what it has been given and has not done yet, with the answers that wait for it.
//!
//! The core gives out each committed entry with the answer to its proposal; both wait here, in order, as long as a piece of work
//! takes in this world. Where work takes no time nothing comes here.

use super::node::{Ctx, KvNode};
use raft_core::{Answer, Index, Outcome, Output};
use std::collections::VecDeque;

/// Entries and answers that wait, oldest first, each with the number of its piece of work.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    waiting: VecDeque<(u64, Output)>,
    /// The number of the latest piece of work that was started.
    started: u64,
}

impl Backlog {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds something to the next piece of work.
    pub fn push(&mut self, output: Output) {
        self.waiting.push_back((self.started + 1, output));
    }

    /// Starts the next piece of work, if there is anything in it.
    pub fn close(&mut self, ctx: &mut Ctx<'_>) {
        if self.waiting.back().is_some_and(|(piece, _)| *piece > self.started) {
            self.started += 1;
            ctx.work(self.started);
        }
    }

    fn pop(&mut self, done: u64) -> Option<Output> {
        let (_, output) = self.waiting.pop_front_if(|(piece, _)| *piece <= done)?;
        Some(output)
    }
}

impl KvNode {
    /// Whether this has to wait for the state machine: entries, and the answers that say what became of them.
    pub(super) fn waits(&self, output: &Output) -> bool {
        match output {
            Output::Answer(Answer {
                outcome: Outcome::Committed { .. },
                ..
            }) => !self.backlog.is_empty(),
            Output::Answer(_) => false,
            _ => true,
        }
    }

    /// The state machine has done everything up to this piece of work. Gives the last index that it has applied with it.
    pub(super) fn catch_up(&mut self, done: u64, ctx: &mut Ctx<'_>) -> Option<Index> {
        let mut applied = None;
        while let Some(output) = self.backlog.pop(done) {
            match output {
                Output::Apply(entry) => applied = Some(self.apply(&entry, ctx)),
                Output::Answer(answer) => self.answer(answer, ctx),
                _ => unreachable!("only entries and their answers wait"),
            }
        }
        applied
    }

    /// A snapshot takes the place of everything that waits: what became of it nobody here can say.
    pub(super) fn give_up_backlog(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(output) = self.backlog.pop(u64::MAX) {
            if let Output::Answer(Answer { id, .. }) = output {
                let outcome = Outcome::Unknown;
                self.answer(Answer { id, outcome }, ctx);
            }
        }
    }
}
