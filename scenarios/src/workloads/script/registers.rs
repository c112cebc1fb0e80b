//! Transactions over registers. All registers are one object: a transaction is one moment for all of them.

use super::{Ctx, Unique, call};
use crate::operation::objects::{Call, RegistersCall, RegistersStep};
use crate::operation::{Key, Operation};

/// Most steps of a transaction.
const STEPS_MAX: u64 = 4;

/// Asks for transactions.
#[derive(Clone, Debug)]
pub struct Registers {
    registers: u16,
}

impl Registers {
    pub(super) fn new(registers: u16) -> Self {
        Self { registers }
    }

    /// There is one object, whatever the number of its registers.
    pub(super) fn keys(&self) -> u16 {
        1
    }

    pub(super) fn draw(&mut self, unique: Unique, ctx: &mut Ctx<'_>) -> Operation {
        let steps = ctx.range(1, STEPS_MAX);
        let steps = (0..steps).map(|step| {
            let register = ctx.range(0, u64::from(self.registers) - 1) as i64;
            if ctx.range(0, 1) == 0 {
                RegistersStep::Read(register)
            } else {
                RegistersStep::Write(register, unique.number() * 10 + step as i64)
            }
        });
        call(0, Call::Registers(RegistersCall::Txn(steps.collect())))
    }

    pub(super) fn serve(&self, key: Key, unique: Unique) -> Vec<Operation> {
        let all = (0..i64::from(self.registers)).map(RegistersStep::Read);
        let read: Vec<_> = all.collect();
        let writes =
            (0..i64::from(self.registers)).map(|register| RegistersStep::Write(register, unique.number() * 10));
        let write: Vec<_> = writes.collect();
        let txn = |steps: &[RegistersStep]| call(key, Call::Registers(RegistersCall::Txn(steps.to_vec())));
        vec![txn(&read), txn(&write), txn(&read)]
    }
}
