//! What a refusal says, held against the history by somebody who does not trust the checker: every order is tried on the plain
//! specification, with a memory for what has failed, and nothing is used of what makes the checker quick.
//!
//! The laws: cut at the named return, with what had not returned of unknown outcome, the history is refused; what had returned before
//! is explained by the longest legal prefix; the core is impossible with all others set free, and holds the operation that is stuck;
//! where it is said to be minimal, setting any of it free makes the rest possible, and then the context is enough.

use std::collections::BTreeSet;

use checker::history::{History, Op, Operation, OperationId};
use checker::linearizability::{OperationLine, Refusal};
use checker::models::Model;

/// What came of holding a refusal to the laws.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Laws that were found broken.
    pub broken: Vec<String>,
    /// Questions that took more steps than allowed.
    pub open: u32,
    /// Questions that were answered.
    pub answered: u32,
}

/// An operation that must have an order, or may.
#[derive(Clone, Copy)]
struct Placed {
    operation: Operation,
    is_required: bool,
}

/// Every order, with a memory.
struct Orders<'a, M: Model> {
    model: &'a M,
    history: &'a History,
    placed: Vec<Placed>,
    failed: Vec<(BTreeSet<usize>, M::State)>,
    steps: u64,
}

impl<M: Model> Orders<'_, M> {
    fn is_possible(&mut self, done: &BTreeSet<usize>, state: &M::State) -> Option<bool> {
        let is_left = |index: &usize| !done.contains(index);
        let left: Vec<usize> = (0..self.placed.len()).filter(is_left).collect();
        let required: Vec<usize> = left
            .iter()
            .copied()
            .filter(|&index| self.placed[index].is_required)
            .collect();
        let Some(first_return) = required
            .iter()
            .map(|&index| {
                self.placed[index]
                    .operation
                    .returned
                    .expect("what is required has returned")
            })
            .min()
        else {
            return Some(true);
        };
        if self.failed.iter().any(|(known, held)| known == done && held == state) {
            return Some(false);
        }
        for index in left {
            self.steps = self.steps.checked_sub(1)?;
            let operation = self.placed[index].operation;
            if operation.call > first_return {
                continue;
            }
            let mut after = state.clone();
            if !self.model.apply(&mut after, self.history, &operation) {
                continue;
            }
            if !self.placed[index].is_required && after == *state {
                continue;
            }
            let mut done = done.clone();
            done.insert(index);
            // What had to take effect before this was called, and did not, never will.
            for other in 0..self.placed.len() {
                if self.placed[other]
                    .operation
                    .returned
                    .is_some_and(|returned| returned < operation.call)
                {
                    done.insert(other);
                }
            }
            if self.is_possible(&done, &after)? {
                return Some(true);
            }
        }
        self.failed.push((done.clone(), state.clone()));
        Some(false)
    }
}

/// A history and one refusal of it.
pub struct Laws<'a, M> {
    pub model: &'a M,
    pub history: &'a History,
    pub refusal: &'a Refusal,
    /// Most steps of one question.
    pub steps_max: u64,
}

fn ids(lines: &[OperationLine]) -> Vec<OperationId> {
    lines.iter().map(|line| line.id).collect()
}

impl<M: Model> Laws<'_, M> {
    fn last(&self) -> (u64, OperationId) {
        let stuck = self.refusal.stuck.id;
        let returned = self.history.operation(stuck).returned;
        (returned.expect("what is stuck has returned"), stuck)
    }

    /// The operations of the key that had been called.
    fn called(&self) -> Vec<OperationId> {
        let key = self.history.operation(self.refusal.stuck.id).op.key();
        let is_called = |id: &OperationId| {
            let operation = self.history.operation(*id);
            operation.op.key() == key && operation.call <= self.last().0
        };
        self.history.ids().filter(is_called).collect()
    }

    fn known(&self, id: OperationId, is_known: impl Fn(u64) -> bool) -> Operation {
        let mut operation = self.history.operation(id);
        if !operation.returned.is_some_and(is_known) {
            (operation.returned, operation.output) = (None, None);
        }
        operation
    }

    /// Whether `kept` of the operations `present` can be explained, all others free.
    fn is_possible(&self, present: &[OperationId], kept: &[OperationId]) -> Option<bool> {
        let last = self.last();
        let mut placed = Vec::new();
        for &id in present {
            let mut operation = self.known(id, |returned| (returned, id) <= last);
            let is_kept = kept.contains(&id);
            if !is_kept {
                operation.output = None;
                if let Op::Cas { key, to, .. } = operation.op {
                    operation.op = Op::Write { key, value: to };
                }
            }
            placed.push(Placed {
                operation,
                is_required: is_kept && operation.returned.is_some(),
            });
        }
        let mut orders = Orders {
            model: self.model,
            history: self.history,
            placed,
            failed: Vec::new(),
            steps: self.steps_max,
        };
        orders.is_possible(&BTreeSet::new(), &self.model.initial())
    }

    /// Holds the refusal to all of them.
    pub fn hold(&self) -> Held {
        let mut held = Held::default();
        let mut ask = |law: &str, answer: Option<bool>, expected: bool| match answer {
            None => held.open += 1,
            Some(answer) => {
                held.answered += 1;
                if answer != expected {
                    held.broken.push(law.to_owned());
                }
            }
        };
        let Refusal {
            is_first,
            is_core_minimal,
            ..
        } = *self.refusal;
        let called = self.called();
        let (core, context) = (ids(&self.refusal.core), ids(&self.refusal.context));
        ask(
            "cut at the named return it is refused",
            self.is_possible(&called, &called),
            false,
        );
        ask("the core is impossible", self.is_possible(&called, &core), false);
        ask(
            "the core holds what is stuck",
            Some(core.contains(&self.refusal.stuck.id)),
            true,
        );
        if is_first {
            ask(
                "the longest prefix explains what had returned before",
                Some(self.prefix_explains()),
                true,
            );
        }
        if is_core_minimal {
            let mut closed: Vec<OperationId> = core.iter().chain(&context).copied().collect();
            closed.sort_unstable();
            for &one in &core {
                let rest: Vec<OperationId> = core.iter().copied().filter(|&other| other != one).collect();
                ask(&format!("the core needs {one}"), self.is_possible(&called, &rest), true);
                ask(
                    &format!("the context closes the core without {one}"),
                    self.is_possible(&closed, &rest),
                    true,
                );
            }
        }
        held
    }

    fn prefix_explains(&self) -> bool {
        let last = self.last();
        let mut state = self.model.initial();
        let mut latest_call = 0;
        let mut placed = BTreeSet::new();
        let prefix = &self.refusal.legal_prefix;
        let fits = prefix.iter().all(|&id| {
            let operation = self.known(id, |returned| (returned, id) < last);
            latest_call = operation.call.max(latest_call);
            placed.insert(id)
                && operation.returned.is_none_or(|returned| returned >= latest_call)
                && operation.call <= last.0
                && self.model.apply(&mut state, self.history, &operation)
        });
        let had_returned = |id: &OperationId| {
            let returned = self.history.operation(*id).returned;
            returned.is_some_and(|returned| (returned, *id) < last)
        };
        fits && self
            .called()
            .iter()
            .filter(|id| had_returned(id))
            .all(|id| placed.contains(id))
    }
}
