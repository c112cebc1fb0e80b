//! What a refusal says, held against the history by somebody who does not trust the checker: every order is tried on the plain
//! specification, with a memory for what has failed, and nothing is used of what makes the checker quick.
//!
//! The laws: cut at the named return, with what had not returned of unknown outcome, the history is refused; what had returned before
//! is explained by the longest legal prefix; the core is impossible with all others set free, and holds the operation that is stuck;
//! where it is said to be minimal, setting any of it free makes the rest possible, and then the context is enough. Where only the
//! proof of a method is known, there is no core.

use std::collections::{BTreeMap, BTreeSet};

use checker::history::{Atom, History, Op, Operation, OperationId, Output, Value};
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
    failed: BTreeMap<BTreeSet<usize>, Vec<M::State>>,
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
        if self.failed.get(done).is_some_and(|states| states.contains(state)) {
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
        self.failed.entry(done.clone()).or_default().push(state.clone());
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
            failed: BTreeMap::new(),
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
        if self.refusal.said_by.is_some() {
            let is_bare = core.is_empty() && context.is_empty() && !is_core_minimal;
            ask("what was not shown is not said", Some(is_bare), true);
        } else {
            ask("the core is impossible", self.is_possible(&called, &core), false);
            let holds_stuck = core.contains(&self.refusal.stuck.id);
            ask("the core holds what is stuck", Some(holds_stuck), true);
        }
        let shown: Vec<OperationId> = core.iter().chain(&context).copied().collect();
        let were_called = shown.iter().all(|id| called.contains(id));
        ask("core and context had been called", Some(were_called), true);
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
        for (words, is_so) in claims(self.history, self.refusal) {
            ask(&format!("{words:?} is so"), Some(is_so), true);
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

/// What the sentence claims, in the words that it uses, and whether it is so.
fn claims(history: &History, refusal: &Refusal) -> Vec<(&'static str, bool)> {
    let stuck = history.operation(refusal.stuck.id);
    let end = stuck.returned.expect("what is stuck has returned");
    let by_then: Vec<(OperationId, Operation)> = history
        .ids()
        .map(|id| (id, history.operation(id)))
        .filter(|(id, operation)| {
            operation.op.key() == stuck.op.key() && operation.call <= end && *id != refusal.stuck.id
        })
        .collect();
    let brings = |operation: &Operation| match (operation.op, operation.output) {
        (_, Some(Output::Done(false))) => None,
        (
            Op::Write { value, .. }
            | Op::Cas { to: value, .. }
            | Op::Append { value, .. }
            | Op::Enqueue { value, .. }
            | Op::Push { value, .. }
            | Op::Insert { value, .. },
            _,
        ) => Some(value),
        _ => None,
    };
    let found = match (stuck.op, stuck.output) {
        (Op::Cas { from, .. }, Some(Output::Done(true))) => Some(from),
        (_, Some(Output::Value(value))) => Some(value),
        _ => None,
    };
    let same = |one: Atom, other: Atom| {
        let is_empty = |atom: Atom| matches!(history.value(atom), Value::Null | Value::Text(""));
        one == other || is_empty(one) && is_empty(other)
    };
    let brought: Vec<&Operation> = by_then
        .iter()
        .map(|(_, operation)| operation)
        .filter(|operation| {
            brings(operation)
                .zip(found)
                .is_some_and(|(one, other)| same(one, other))
        })
        .collect();
    let precedes = |one: &Operation, other: &Operation| one.returned.is_some_and(|returned| returned < other.call);
    let takers = by_then.iter().filter(|(_, operation)| {
        matches!(operation.op, Op::Dequeue { .. } | Op::Pop { .. } | Op::PopMin { .. })
            && operation.returned.is_some_and(|returned| returned <= end)
            && operation.output == stuck.output
    });
    let overwritten = by_then
        .iter()
        .any(|(_, between)| precedes(between, &stuck) && brought.iter().all(|writer| precedes(writer, between)));
    let said = [
        ("which nobody had written by", brought.is_empty()),
        ("which nobody had put in by", brought.is_empty()),
        ("was never written again", overwritten && !brought.is_empty()),
        ("was never written.", overwritten && brought.is_empty()),
        ("had taken it already", takers.count() >= brought.len()),
        ("whichever of the other operations happened", refusal.core.len() == 1),
        (
            "of the core contradict each other",
            refusal
                .sentence
                .contains(&format!("The {} operations of the core", refusal.core.len())),
        ),
        (
            "nobody else had brought",
            refusal.sentence.contains("compare-and-set") || brought.is_empty() || found.is_none(),
        ),
    ];
    let is_said = |(words, _): &(&str, bool)| refusal.sentence.contains(words);
    said.into_iter().filter(is_said).collect()
}
