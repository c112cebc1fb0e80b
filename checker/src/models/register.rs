//! A register per key, with or without compare-and-set. Owns the specification of one such register.

use super::cell::Domain;
use super::{Action, Cell, Compiled, Kind, Misfit, Model};
use crate::history::{Atom, History, Op, Operation, OperationId, Output, OwnedValue};

/// A register: read and write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// The value before the first write.
    pub initial: OwnedValue,
}

/// A register with compare-and-set. A refused compare-and-set asserts that the register held another value than `from`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CasRegister {
    /// The value before the first write.
    pub initial: OwnedValue,
}

impl Register {
    const NAME: &'static str = "register";
    const DOMAIN: Domain = Domain {
        name: Register::NAME,
        canonical: Ok,
    };
}

impl CasRegister {
    const NAME: &'static str = "cas-register";
    const DOMAIN: Domain = Domain {
        name: CasRegister::NAME,
        canonical: Ok,
    };
}

#[inline]
fn apply(state: &mut OwnedValue, history: &History, operation: &Operation) -> bool {
    match operation.op {
        Op::Read { .. } => match operation.output {
            Some(Output::Value(value)) => history.value(value) == state.as_value(),
            _ => true,
        },
        Op::Write { value, .. } => {
            *state = history.value(value).into();
            true
        }
        Op::Cas { from, to, .. } => {
            let done = history.value(from) == state.as_value();
            if done {
                *state = history.value(to).into();
            }
            operation.output.is_none_or(|output| output == Output::Done(done))
        }
        _ => false,
    }
}

/// `refused` says why an operation is not one of the model's.
fn refuse(
    history: &History,
    partition: &[OperationId],
    model: &'static str,
    refused: impl Fn(&Op<Atom>) -> Option<&'static str>,
) -> Result<(), Misfit> {
    let misfit = |&id: &OperationId| {
        let what = refused(&history.operation(id).op)?;
        Some(Misfit::new(history, id, model, what))
    };
    partition.iter().find_map(misfit).map_or(Ok(()), Err)
}

macro_rules! register_model {
    ($model:ty, $refused:expr) => {
        impl Model for $model {
            fn name(&self) -> &'static str {
                <$model>::NAME
            }

            type State = OwnedValue;

            fn initial(&self) -> OwnedValue {
                self.initial.clone()
            }

            fn apply(&self, state: &mut OwnedValue, history: &History, operation: &Operation) -> bool {
                apply(state, history, operation)
            }

            fn show(&self, state: &OwnedValue, _: &History) -> String {
                state.to_string()
            }

            fn kind(&self, history: &History) -> Kind {
                Kind::Register {
                    initial: history.atom(self.initial.as_value()),
                }
            }

            #[inline]
            fn action<'h>(&self, _: &'h History, operation: &Operation) -> Option<Action<'h>> {
                let refused: fn(&Op<Atom>) -> Option<&'static str> = $refused;
                match refused(&operation.op) {
                    Some(_) => None,
                    None => <$model>::DOMAIN.action(operation),
                }
            }

            type Compact<'h> = Cell<'h>;

            fn compile<'h>(
                &self,
                history: &'h History,
                partition: &[OperationId],
                counts: &dyn Fn(OperationId) -> bool,
            ) -> Result<Compiled<Cell<'h>>, Misfit> {
                refuse(history, partition, <$model>::NAME, $refused)?;
                // An initial text that the history never mentions is one that no operation can observe.
                let initial = history.atom(self.initial.as_value());
                <$model>::DOMAIN.compile(history, partition, counts, initial)
            }
        }
    };
}

register_model!(Register, |op| match op {
    Op::Read { .. } | Op::Write { .. } => None,
    Op::Cas { .. } => Some("a register has no compare-and-set; `cas-register` has"),
    _ => Some("a register has only read and write"),
});

register_model!(CasRegister, |op| match op {
    Op::Read { .. } | Op::Write { .. } | Op::Cas { .. } => None,
    _ => Some("a register has only read, write and cas"),
});
