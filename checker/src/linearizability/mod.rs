//! Linearizability (Herlihy and Wing 1990): can every operation be given one moment between its call and its return, such
//! that the operations, in the order of those moments, answer as the model does?
//!
//! Owns the way from a history to a [`Report`]: partition by key, compile, search, and then either replay the order that
//! was found against the model or explain why there is none. The pieces: `timeline`, `bits` and `search` find an order,
//! `witness` verifies it, `core` shrinks a refusal, `refusal` and `report` put it into words.
//!
//! A verdict is never guessed: *linearizable* carries an order that was replayed, *not linearizable* follows from an
//! exhausted search, and a spent budget says *unknown*.

mod bits;
mod core;
mod refusal;
mod report;
mod search;
mod timeline;
mod witness;

#[cfg(test)]
mod tests;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::history::{Atom, History, OperationId, OwnedValue};
use crate::models::{CasRegister, Compiled, KeyValue, MODELS, Misfit, Model, Register, Specification};

pub use refusal::{OperationLine, Refusal};
pub use report::{Report, Unfinished, Verdict};
pub use witness::{Witness, WitnessError};

use search::Outcome;
use timeline::Item;

/// How far a check goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most steps of the search, over all keys; then the verdict is unknown. A step is one operation tried in one
    /// configuration, and takes some tens of bytes at worst. No wall clock: the same history gives the same verdict everywhere.
    pub steps_max: u64,
    /// Most steps to shrink a refusal, on top; then the core may not be minimal, and says so.
    pub core_steps_max: u64,
    /// The initial value of a register, for models that have one.
    pub initial: Option<OwnedValue>,
}

impl Default for Options {
    /// Ten million steps, five million for the core, and the model's own initial value.
    fn default() -> Self {
        Options {
            steps_max: 10_000_000,
            core_steps_max: 5_000_000,
            initial: None,
        }
    }
}

/// Why a check did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// No model has this name.
    #[error("no model is called {name:?}; there are {}", names())]
    UnknownModel {
        /// The name that was given.
        name: String,
    },
    /// An initial value for a model that has none.
    #[error("the model {model} takes no initial value; leave it out, or choose a register model")]
    NoInitial {
        /// The model.
        model: &'static str,
    },
    /// An operation that the model cannot mean.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

fn names() -> String {
    MODELS.iter().map(|model| model.name).collect::<Vec<_>>().join(", ")
}

/// Checks `history` against the model called `model`, one of [`MODELS`].
///
/// # Errors
///
/// When there is no such model, it takes no initial value, or an operation does not fit it.
pub fn check_history(history: &History, model: &str, options: &Options) -> Result<Report, CheckError> {
    let initial = || options.initial.clone().unwrap_or_default();
    let report = match model {
        "register" => check(history, &Register { initial: initial() }, options)?,
        "cas-register" => check(history, &CasRegister { initial: initial() }, options)?,
        "kv" if options.initial.is_some() => return Err(CheckError::NoInitial { model: "kv" }),
        "kv" => check(history, &KeyValue, options)?,
        _ => return Err(CheckError::UnknownModel { name: model.to_owned() }),
    };
    Ok(report)
}

/// Checks `history` against `model`.
///
/// Of several keys that are not linearizable the one is reported that went wrong first: whose unexplainable operation returned
/// earliest.
///
/// # Errors
///
/// When an operation does not fit the model.
pub fn check<M: Model>(history: &History, model: &M, options: &Options) -> Result<Report, Misfit> {
    let partitions = partition(history);
    let mut budget = options.steps_max;
    let mut witness = Witness::with_capacity(history.operations().len());
    let mut first_refused: Option<(u64, usize, u32)> = None;
    let mut first_unfinished: Option<Unfinished> = None;
    for (index, ids) in partitions.iter().enumerate() {
        let compiled = model.compile(history, ids, &|_| true)?;
        let items = items(history, ids, &compiled);
        match search::search(&compiled.specification, &compiled.steps, &items, &mut budget, 0) {
            Outcome::Order(order) => {
                witness.push_order(order.into_iter().map(|item| ids[items[item as usize].step as usize]));
            }
            Outcome::Impossible { due, returns, .. } => {
                let time = items[due as usize].returned.expect("an item that is due returns");
                if first_refused.is_none_or(|(earliest, ..)| time < earliest) {
                    first_refused = Some((time, index, returns));
                }
            }
            Outcome::Exhausted { returns } => {
                let unfinished = || Unfinished::new(history, ids, returns, options.steps_max);
                first_unfinished.get_or_insert_with(unfinished);
            }
        }
    }
    let steps = options.steps_max - budget;
    let verdict = if let Some((_, index, _)) = first_refused {
        Verdict::NotLinearizable(Box::new(refusal::explain(history, model, &partitions[index], options)?))
    } else if let Some(unfinished) = first_unfinished {
        Verdict::Unknown(unfinished)
    } else {
        witness
            .verify(history, model)
            .unwrap_or_else(|error| panic!("the search found an order that the model refuses: {error}"));
        Verdict::Linearizable(witness)
    };
    Ok(Report {
        model: model.name(),
        operations: history.operations().len(),
        unknown_outcomes: history.unknown_outcomes(),
        keys: partitions.len(),
        steps,
        verdict,
    })
}

/// The operations of each key, in the order of the history; keys in the order of their first operation.
fn partition(history: &History) -> Vec<Vec<OperationId>> {
    let mut index: HashMap<Atom, usize, FxBuildHasher> = HashMap::default();
    let mut partitions: Vec<Vec<OperationId>> = Vec::new();
    for (id, operation) in history.ids().zip(history.operations()) {
        let place = *index.entry(operation.op.key()).or_insert_with(|| {
            partitions.push(Vec::new());
            partitions.len() - 1
        });
        partitions[place].push(id);
    }
    partitions
}

/// What has to be searched: every operation of the partition but the reads of unknown outcome, which say nothing.
fn items<S: Specification>(history: &History, ids: &[OperationId], compiled: &Compiled<S>) -> Vec<Item> {
    let mut items = Vec::with_capacity(ids.len());
    for (step, &id) in ids.iter().enumerate() {
        let operation = history.operation(id);
        if operation.returned.is_some() || !compiled.specification.is_read_only(&compiled.steps[step]) {
            items.push(Item {
                step: step as u32,
                call: operation.call,
                returned: operation.returned,
                required: operation.returned.is_some(),
            });
        }
    }
    items
}
