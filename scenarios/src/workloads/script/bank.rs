//! Transfers and sagas.
//!
//! A saga is reserved, then confirmed or cancelled by its client as soon as it has the answer. If the answer never comes, the
//! client leaves the saga lying, and another one that comes across its number cancels it: compensation travels through the
//! log like everything else, and never hangs on anybody's timer.

use super::{Ctx, Unique, call, key};
use crate::operation::objects::{ACCOUNTS, Answer, BankCall, Call, OPENING_BALANCE};
use crate::operation::{Key, Operation, Reply};

/// Moves money.
#[derive(Clone, Debug)]
pub struct Teller {
    banks: u16,
}

impl Teller {
    pub(super) fn new(banks: u16) -> Self {
        Self { banks }
    }

    pub(super) fn keys(&self) -> u16 {
        self.banks
    }

    pub(super) fn draw(&mut self, unique: Unique, ctx: &mut Ctx<'_>) -> Operation {
        let key = key(self.banks, ctx);
        let from = ctx.range(0, ACCOUNTS as u64 - 1) as i64;
        let to = (from + ctx.range(1, ACCOUNTS as u64 - 1) as i64) % ACCOUNTS;
        // Often more than the account has.
        let amount = ctx.range(1, OPENING_BALANCE as u64) as i64;
        let asked = match ctx.range(0, 9) {
            0..3 => BankCall::Transfer { from, to, amount },
            3..6 => BankCall::Reserve {
                saga: unique.number(),
                from,
                to,
                amount,
            },
            6 => BankCall::Cancel(self.found(unique, ctx)),
            _ => BankCall::Read,
        };
        call(key, Call::Bank(asked))
    }

    /// The number of a saga that this or another client may have begun and left lying.
    fn found(&self, unique: Unique, ctx: &mut Ctx<'_>) -> i64 {
        let client = ctx.range(0, u64::from(unique.client.0) + 2) as i64 + 1;
        let number = ctx.range(1, u64::from(unique.number)) as i64;
        client * 1_000_000 + number
    }

    pub(super) fn answered(&mut self, operation: &Operation, reply: &Reply, ctx: &mut Ctx<'_>) -> Option<Operation> {
        let Operation::Call {
            key,
            call: Call::Bank(BankCall::Reserve { saga, .. }),
        } = operation
        else {
            return None;
        };
        let reserved = matches!(
            reply,
            Reply::Answer {
                answer: Answer::Done(true)
            }
        );
        reserved.then(|| {
            let fails = ctx.range(0, 3) == 0;
            let step = if fails {
                BankCall::Cancel(*saga)
            } else {
                BankCall::Confirm(*saga)
            };
            call(*key, Call::Bank(step))
        })
    }

    pub(super) fn serve(&self, key: Key, unique: Unique) -> Vec<Operation> {
        let transfer = BankCall::Transfer {
            from: unique.number() % ACCOUNTS,
            to: (unique.number() + 1) % ACCOUNTS,
            amount: 1,
        };
        [BankCall::Read, transfer, BankCall::Read]
            .into_iter()
            .map(|asked| call(key, Call::Bank(asked)))
            .collect()
    }
}
