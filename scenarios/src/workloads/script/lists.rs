//! Lists and logs. Elements are distinct.

use super::{Ctx, Unique, call, key};
use crate::operation::objects::{Answer, Call, Datum, ListCall, LogCall};
use crate::operation::{Key, Operation, Reply};

/// Asks for lists, or for logs.
#[derive(Clone, Debug)]
pub struct Lists {
    keys: u16,
    logs: bool,
    /// Of each log, the offset of the latest record that was seen.
    latest: Vec<i64>,
}

impl Lists {
    pub(super) fn new(keys: u16, logs: bool) -> Self {
        Self {
            keys,
            logs,
            latest: vec![0; keys.into()],
        }
    }

    pub(super) fn keys(&self) -> u16 {
        self.keys
    }

    pub(super) fn draw(&mut self, unique: Unique, ctx: &mut Ctx<'_>) -> Operation {
        let key = key(self.keys, ctx);
        let appends = ctx.range(0, 9) < 5;
        // A consumer goes back a little: records are to be the same each time.
        let back = ctx.range(0, 8) as i64;
        call(
            key,
            match (self.logs, appends) {
                (false, true) => Call::List(ListCall::Append(unique.number())),
                (false, false) => Call::List(ListCall::Read),
                (true, true) => Call::Log(LogCall::Append(unique.number())),
                (true, false) => Call::Log(LogCall::Fetch((self.latest[usize::from(key)] - back).max(0))),
            },
        )
    }

    pub(super) fn answered(&mut self, operation: &Operation, reply: &Reply) {
        let (
            Operation::Call { key, call },
            Reply::Answer {
                answer: Answer::Value(value),
            },
        ) = (operation, reply)
        else {
            return;
        };
        let latest = match (call, value) {
            (Call::Log(LogCall::Append(_)), Datum::Number(offset)) => *offset,
            (Call::Log(LogCall::Fetch(from)), Datum::List(records)) => from + records.len() as i64 - 1,
            _ => return,
        };
        let known = &mut self.latest[usize::from(*key)];
        *known = latest.max(*known);
    }

    pub(super) fn serve(&self, key: Key, unique: Unique) -> Vec<Operation> {
        let number = unique.number();
        let calls = if self.logs {
            [LogCall::Fetch(0), LogCall::Append(number), LogCall::Fetch(0)].map(Call::Log)
        } else {
            [ListCall::Read, ListCall::Append(number), ListCall::Read].map(Call::List)
        };
        calls.into_iter().map(|asked| call(key, asked)).collect()
    }
}
