//! Locks with fencing tokens.
//!
//! A client takes the lock, uses what it protects, and gives it back. One whose answer got lost holds the lock without
//! knowing it; whoever waits too long takes that for death and gives the lock back for him: the next token after all that
//! he has seen is the one to try. Now and then a client comes with a token that it has long given back.

use super::{Ctx, call, key};
use crate::operation::objects::{Answer, Call, Datum, LockCall};
use crate::operation::{Key, Operation, Reply};

/// How often a lock is found taken before somebody breaks it.
const PATIENCE: u32 = 3;

/// Works under locks.
#[derive(Clone, Debug)]
pub struct Worker {
    locks: Vec<View>,
}

/// What a client knows of a lock.
#[derive(Clone, Copy, Debug, Default)]
struct View {
    /// The token that it holds, as far as it knows.
    held: Option<i64>,
    /// The greatest token that it has held, or found held by nobody.
    latest: i64,
    /// How often it found the lock taken since it held it last.
    refused: u32,
}

impl Worker {
    pub(super) fn new(locks: u16) -> Self {
        Self {
            locks: vec![View::default(); locks.into()],
        }
    }

    pub(super) fn keys(&self) -> u16 {
        self.locks.len() as u16
    }

    pub(super) fn draw(&mut self, ctx: &mut Ctx<'_>) -> Operation {
        let key = key(self.keys(), ctx);
        let view = self.locks[usize::from(key)];
        let tenth = ctx.range(0, 9);
        let asked = match view.held {
            Some(token) if tenth < 6 => LockCall::Guard(token),
            Some(token) => LockCall::Release(token),
            None if tenth == 0 && view.latest > 0 => LockCall::Guard(view.latest),
            None if view.refused >= PATIENCE => LockCall::Release(view.latest + 1),
            None => LockCall::Acquire,
        };
        call(key, Call::Lock(asked))
    }

    pub(super) fn answered(&mut self, operation: &Operation, reply: &Reply) {
        let (
            Operation::Call {
                key,
                call: Call::Lock(asked),
            },
            Reply::Answer { answer },
        ) = (operation, reply)
        else {
            return;
        };
        let view = &mut self.locks[usize::from(*key)];
        match (asked, answer) {
            (LockCall::Acquire, Answer::Value(Datum::Number(token))) => {
                *view = View {
                    held: Some(*token),
                    latest: *token,
                    refused: 0,
                };
            }
            (LockCall::Acquire, _) => view.refused += 1,
            (LockCall::Release(token), _) => {
                // Given back, by this client or by another; or it was not the one, and the next may be.
                view.held = None;
                view.latest = view.latest.max(*token);
                view.refused = if *answer == Answer::Done(true) { 0 } else { view.refused };
            }
            (LockCall::Guard(token), Answer::Done(false)) if view.held == Some(*token) => view.held = None,
            (LockCall::Guard(_), _) => {}
        }
        // Beyond the tokens that exist nothing will be found: begin again with asking.
        if view.refused > 8 * PATIENCE {
            view.refused = 0;
        }
    }

    pub(super) fn serve(&self, key: Key) -> Vec<Operation> {
        let token = self.locks[usize::from(key)].latest.max(1);
        [LockCall::Acquire, LockCall::Guard(token), LockCall::Release(token)]
            .into_iter()
            .map(|asked| call(key, Call::Lock(asked)))
            .collect()
    }
}
