//! What a refusal says, held against the history by somebody who does not trust the checker: every order is tried on the plain
//! specification (`orders`), and nothing is used of what makes the checker quick.
//!
//! The laws: cut at the named return, with what had not returned of unknown outcome, the history is refused; what had returned before
//! is explained by the longest legal prefix; the core is impossible with all others set free, and holds the operation that is stuck;
//! where it is said to be minimal, setting any of it free makes the rest possible, and then the context is enough; each state that is
//! named is left by an order of what had returned before; the sentence is so (`claims`). Where only the proof of a method is known,
//! there is no core.

use std::collections::BTreeSet;

use checker::history::{History, Op, Operation, OperationId};
use checker::linearizability::{OperationLine, Refusal};
use checker::models::Model;

use super::claims::Claims;
use super::orders::{Orders, Placed};

/// What came of holding a refusal to the laws.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Laws that were found broken.
    pub broken: Vec<String>,
    /// Questions that took more steps than allowed.
    pub open: u32,
    /// Questions that were answered.
    pub answered: u32,
    /// The kind of the sentence.
    pub kind: Option<&'static str>,
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
        Orders::new(self.model, self.history, placed, None, self.steps_max).is_possible()
    }

    /// Whether something explains all that had returned before what is stuck, and leaves `state`.
    fn is_reachable(&self, state: &str) -> Option<bool> {
        let placed = |&id: &OperationId| {
            let operation = self.known(id, |returned| (returned, id) < self.last());
            Placed {
                operation,
                is_required: operation.returned.is_some(),
            }
        };
        let placed = self.called().iter().map(placed).collect();
        Orders::new(self.model, self.history, placed, Some(state), self.steps_max).is_possible()
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
        for state in &self.refusal.states {
            ask(&format!("an order leaves {state}"), self.is_reachable(state), true);
        }
        let (kind, claims) = Claims::new(self.history, self.model.name(), self.refusal).hold();
        for (words, is_so) in claims {
            ask(&words, Some(is_so), true);
        }
        held.kind = kind;
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
