//! Linearizability (Herlihy and Wing 1990): can every operation be given one moment between its call and its return, such
//! that the operations, in the order of those moments, answer as the model does?
//!
//! Owns the way from a history to a [`Report`]: partition by key, ask the methods in turn, and then either replay the order that
//! was found against the model or explain why there is none. The pieces: `portfolio` has the table of the methods and chooses;
//! `lower` brings operations into their form; `zones` with `misses` and `windows`, `settling` with `flight`, `paths` and `settle_replay`, `lists`,
//! `sets`,
//! `dependencies`, and `elements` with `queues`, `stacks` and `priorities`, are the fast ones; `timeline`, `bits` and `search` find an order in
//! any model; `budget` counts;
//! `witness` verifies an order, `core` with `excerpt`, `freedom` and `wild` finds what makes a history impossible; `refusal`, `sentence`, `prose`, `picture` and `report` say why;
//! `online` and `in_order` check while a history comes about.
//!
//! A verdict is never guessed: *linearizable* carries an order that was replayed, *not linearizable* follows from an
//! exhausted search: of a whole partition, or of a core with all others free; where that is beyond the budget, from the proof of a fast
//! method, and the refusal says so. A spent budget says *unknown*.

mod bits;
mod budget;
mod core;
mod dependencies;
mod elements;
mod excerpt;
mod flight;
mod freedom;
mod in_order;
mod lists;
mod lower;
mod misses;
mod online;
mod partition;
mod paths;
mod picture;
mod portfolio;
mod priorities;
mod prose;
mod queues;
mod refusal;
mod report;
mod search;
mod sentence;
mod sets;
mod settle_replay;
mod settling;
mod stacks;
mod timeline;
mod wild;
mod windows;
mod witness;
mod zones;

#[cfg(test)]
mod tests;

use crate::history::{History, OperationId, OwnedValue};
use crate::models::{self, Compiled, Misfit, Model, ModelError, Specification, Visitor};

pub use budget::Spent;
pub use in_order::{InOrder, OutOfOrder};
pub use online::{CallId, Online, OnlineCheck};
pub use picture::{PICTURE_OPERATIONS_MAX, picture};
pub use portfolio::Method;
pub use refusal::{Attempt, OperationLine, Refusal};
pub use report::{Report, Unfinished, Verdict};
pub use witness::{Witness, WitnessError};

use budget::Budget;
use partition::Partitions;
use portfolio::Decided;
use refusal::Explained;
use search::Outcome;
use timeline::Item;
use witness::Replay;

/// How far a check goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most steps of the search, over all keys; then the verdict is unknown. A step is one operation tried in one
    /// configuration. No wall clock: the same history gives the same verdict everywhere.
    pub steps_max: u64,
    /// Most configurations that the search keeps for one key; then the verdict is unknown. One takes some tens of bytes, and
    /// an eighth of a byte for each operation in flight.
    pub configurations_max: u64,
    /// Most steps to shrink a refusal, on top; then the core may not be minimal, and says so.
    pub core_steps_max: u64,
    /// The initial value of a register, for models that have one.
    pub initial: Option<OwnedValue>,
}

impl Default for Options {
    /// Ten million steps, as many configurations, five million steps for the core, and the model's own initial value.
    fn default() -> Self {
        Options {
            steps_max: 10_000_000,
            configurations_max: 10_000_000,
            core_steps_max: 5_000_000,
            initial: None,
        }
    }
}

/// Why a check did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// There is no such model, or it cannot begin as it was told to.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An operation that the model cannot mean.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// Checks `history` against the model called `model`, one of [`MODELS`](crate::models::MODELS).
///
/// # Errors
///
/// When there is no such model, it cannot begin as `options` say, or an operation does not fit it.
pub fn check_history(history: &History, model: &str, options: &Options) -> Result<Report, CheckError> {
    struct Check<'a>(&'a History, &'a Options);
    impl Visitor for Check<'_> {
        type Output = Result<Report, Misfit>;
        fn visit<M: Model>(self, model: &M) -> Self::Output {
            check(self.0, model, self.1)
        }
    }
    Ok(models::visit(
        model,
        options.initial.as_ref(),
        Check(history, options),
    )??)
}

/// Verifies `witness` against `history` and the model called `model`, which begins as `initial`: without any search.
///
/// # Errors
///
/// When there is no such model, or it cannot begin so; within that, what is wrong with the witness.
pub fn verify_history(
    history: &History,
    model: &str,
    initial: Option<&OwnedValue>,
    witness: &Witness,
) -> Result<Result<(), WitnessError>, ModelError> {
    struct Verify<'a>(&'a History, &'a Witness);
    impl Visitor for Verify<'_> {
        type Output = Result<(), WitnessError>;
        fn visit<M: Model>(self, model: &M) -> Self::Output {
            self.1.verify(self.0, model)
        }
    }
    models::visit(model, initial, Verify(history, witness))
}

/// What a caller adds to a check besides its [`Options`].
#[derive(Clone, Copy, Default)]
pub struct Guide<'a> {
    /// An order in which the operations may have taken effect: by the log index at which each was applied, say. Operations that
    /// need not have happened may be missing. If it explains the history, that is the verdict; if it does not, the other methods
    /// are asked, and [`Report::order`] says why it did not.
    pub order: Option<&'a [OperationId]>,
    /// Asked every few thousand steps; once it says yes, the verdict is unknown. For a deadline on the caller's clock.
    pub should_stop: Option<&'a dyn Fn() -> bool>,
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
    check_guided(history, model, options, Guide::default())
}

/// As [`check`], with what the caller knows.
///
/// # Errors
///
/// When an operation does not fit the model.
pub fn check_guided<M: Model>(
    history: &History,
    model: &M,
    options: &Options,
    guide: Guide<'_>,
) -> Result<Report, Misfit> {
    let partitions = Partitions::new(history);
    let (unknown_outcomes, succeeded) = history.outcomes();
    let mut report = Report {
        model: model.name(),
        operations: history.operations().len(),
        unknown_outcomes,
        succeeded,
        import: history.import().clone(),
        keys: partitions.len(),
        steps: 0,
        methods: Vec::new(),
        order: None,
        verdict: Verdict::Linearizable(Witness::default()),
    };
    if let Some(order) = guide.order {
        let witness = Witness::split(order, partitions.len(), |id| partitions.of(history, id));
        let verified = witness.verify(history, model);
        let explains = verified.is_ok();
        report.order = Some(verified);
        if explains {
            report.methods = vec![(Method::Order, partitions.len())];
            report.verdict = Verdict::Linearizable(witness);
            return Ok(report);
        }
    }
    let mut check = Check {
        history,
        model,
        options,
        budget: Budget::new(options.steps_max, options.configurations_max, guide.should_stop),
        witness: Witness::default(),
        replay: Replay::new(history, model),
        refused: Vec::new(),
        unfinished: None,
        decided: [0; Method::ALL.len()],
    };
    for index in 0..partitions.len() {
        check.decide(partitions.get(index))?;
    }
    report.steps = options.steps_max - check.budget.steps;
    let decided = Method::ALL.into_iter().zip(check.decided);
    report.methods = decided.filter(|&(_, count)| count > 0).collect();
    let refusal = check.first_refusal()?;
    report.verdict = match (refusal, check.unfinished) {
        (Some(refusal), _) => Verdict::NotLinearizable(refusal),
        (None, Some(unfinished)) => Verdict::Unknown(unfinished),
        (None, None) => {
            check.replay.finish().unwrap_or_else(|error| refused_order(&error));
            Verdict::Linearizable(check.witness)
        }
    };
    Ok(report)
}

fn refused_order(error: &WitnessError) {
    panic!("a method found an order that the model refuses: {error}")
}

/// A key that is not linearizable.
struct Refused<'a> {
    /// When it became impossible, or no later.
    returned: u64,
    why: Why<'a>,
}

enum Why<'a> {
    Explained(Box<Refusal>),
    /// Still to be explained: the operations of the key, and the one that the search could not get beyond.
    Searched(&'a [OperationId], OperationId),
}

/// One check on its way through the partitions.
struct Check<'a, M> {
    history: &'a History,
    model: &'a M,
    options: &'a Options,
    budget: Budget<'a>,
    witness: Witness,
    /// Verifies each order as soon as there is one, while its operations are at hand; unless the history is refused anyway.
    replay: Replay<'a, M>,
    /// The keys that went wrong; the one that did first is reported.
    refused: Vec<Refused<'a>>,
    /// The first key that was given up.
    unfinished: Option<Unfinished>,
    /// Keys decided, by method.
    decided: [usize; Method::ALL.len()],
}

impl<'a, M: Model> Check<'a, M> {
    fn decide(&mut self, ids: &'a [OperationId]) -> Result<(), Misfit> {
        let (history, model) = (self.history, self.model);
        match portfolio::decide(history, model, ids, &mut self.budget) {
            None => self.search(ids),
            Some((method, Decided::Order(order))) => {
                self.decided[method as usize] += 1;
                self.explain(order);
                Ok(())
            }
            Some((method, Decided::Impossible(impossible))) => self.refuse_by(ids, method, impossible),
        }
    }

    /// Refuses `ids`, of which `method` says that they are impossible, as far as the search can show it.
    fn refuse_by(
        &mut self,
        ids: &'a [OperationId],
        method: Method,
        mut impossible: portfolio::Impossible,
    ) -> Result<(), Misfit> {
        let (history, model) = (self.history, self.model);
        let refusal = loop {
            match refusal::explain(history, model, ids, &impossible, self.options)? {
                Explained::Refusal(refusal) => break refusal,
                // An order of everything known at that moment, which the method has called impossible.
                Explained::Later if impossible.is_proven => return self.search(ids),
                Explained::Unknown => break self.unexplained(ids, method, &impossible),
                Explained::Later => {}
            }
            match portfolio::decide_later(history, model, ids, &impossible, &mut self.budget) {
                Some(later) => impossible = later,
                None => break self.unexplained(ids, method, &impossible),
            }
        };
        self.decided[method as usize] += 1;
        let returned = refusal.stuck.returned.expect("an operation that is stuck has returned");
        self.refuse(returned, Why::Explained(refusal));
        Ok(())
    }

    /// The refusal of `ids` that rests on the word of `method`: as it was known at the moment that it has named, if it says the same
    /// of that; else with everything known.
    fn unexplained(&mut self, ids: &[OperationId], method: Method, impossible: &portfolio::Impossible) -> Box<Refusal> {
        let (history, model) = (self.history, self.model);
        let stuck = impossible.stuck;
        let is_named =
            impossible.is_proven || portfolio::is_impossible_at(history, model, ids, stuck, &mut self.budget);
        let prefix = is_named.then_some(&impossible.prefix[..]);
        refusal::unexplained(history, model, ids, method, stuck, prefix)
    }

    /// The general search, for what no fast method decides.
    fn search(&mut self, ids: &'a [OperationId]) -> Result<(), Misfit> {
        let compiled = self.model.compile(self.history, ids, &|_| true)?;
        let items = items(self.history, ids, &compiled);
        match search::search(&compiled.specification, &compiled.steps, &items, &mut self.budget, 0) {
            Outcome::Order(order) => {
                let order = order.into_iter().map(|item| ids[items[item as usize].step as usize]);
                self.explain(order.collect());
            }
            Outcome::Impossible { due, .. } => {
                let due = &items[due as usize];
                let returned = due.returned.expect("an item that is due returns");
                self.refuse(returned, Why::Searched(ids, ids[due.step as usize]));
            }
            Outcome::Exhausted { returns } => {
                let spent = self.budget.spent.expect("a search gives up when something is spent");
                let unfinished = || Unfinished::new(self.history, ids, returns, self.options.steps_max, spent);
                self.unfinished.get_or_insert_with(unfinished);
                return Ok(());
            }
        }
        self.decided[Method::Search as usize] += 1;
        Ok(())
    }

    fn explain(&mut self, order: Vec<OperationId>) {
        if self.refused.is_empty() {
            self.replay.order(&order).unwrap_or_else(|error| refused_order(&error));
        }
        self.witness.push_order(order);
    }

    fn refuse(&mut self, returned: u64, why: Why<'a>) {
        self.refused.push(Refused { returned, why });
    }

    /// The refusal of the key that went wrong first.
    fn first_refusal(&mut self) -> Result<Option<Box<Refusal>>, Misfit> {
        loop {
            let returns = self
                .refused
                .iter()
                .enumerate()
                .map(|(index, refused)| (refused.returned, index));
            let Some((_, first)) = returns.min() else {
                return Ok(None);
            };
            let refused = &mut self.refused[first];
            match &refused.why {
                Why::Explained(refusal) => return Ok(Some(refusal.clone())),
                &Why::Searched(ids, due) => {
                    let refusal = refusal::explain_searched(self.history, self.model, ids, due, self.options)?;
                    // It may have become impossible later than the search could tell, and another key before.
                    refused.returned = refusal.stuck.returned.expect("an operation that is stuck has returned");
                    refused.why = Why::Explained(Box::new(refusal));
                }
            }
        }
    }
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
