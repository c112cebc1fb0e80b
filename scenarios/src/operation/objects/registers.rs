//! Registers under transactions: several reads and writes at one moment.

use super::{Answer, Datum, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistersStep {
    /// What the register holds, after the steps before this one.
    Read(i64),
    /// Set a register.
    Write(i64, i64),
}

/// What can be asked of registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistersCall {
    /// Carry out all steps at one moment; the answer lists what the reads found.
    Txn(Vec<RegistersStep>),
}

impl RegistersCall {
    pub(super) fn is_query(&self) -> bool {
        let Self::Txn(steps) = self;
        steps.iter().all(|step| matches!(step, RegistersStep::Read(_)))
    }

    pub(super) fn name(&self) -> &'static str {
        "txn"
    }
}

/// What each register holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers(BTreeMap<i64, i64>);

impl State for Registers {
    type Call = RegistersCall;

    fn apply(&mut self, RegistersCall::Txn(steps): &RegistersCall) -> Answer {
        let mut found = Vec::new();
        for step in steps {
            match step {
                RegistersStep::Read(register) => {
                    found.push(
                        self.0
                            .get(register)
                            .map_or(Datum::Nothing, |value| Datum::Number(*value)),
                    );
                }
                RegistersStep::Write(register, value) => {
                    self.0.insert(*register, *value);
                }
            }
        }
        Answer::Value(Datum::List(found))
    }
}
