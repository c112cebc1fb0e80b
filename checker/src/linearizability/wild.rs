//! A specification with interference: operations that leave a value which nobody asks for, at any moment, as often as wanted.
//!
//! They stand for everything that was left out when a few operations are searched as a history of their own. What is
//! impossible even so is impossible whatever the others did, as long as all that could have brought one of *their* values is
//! among the few.

use super::timeline::Item;
use crate::models::{Compiled, Specification};

/// `S`, and steps that lead elsewhere: `None`.
pub(super) struct Wild<S: Specification> {
    inner: S,
    elsewhere: S::State,
}

impl<S: Specification> Specification for Wild<S> {
    type State = S::State;
    type Step = Option<S::Step>;

    fn initial(&self) -> S::State {
        self.inner.initial()
    }

    fn step(&self, state: &S::State, step: &Option<S::Step>) -> Option<S::State> {
        match step {
            Some(step) => self.inner.step(state, step),
            None => Some(self.elsewhere.clone()),
        }
    }

    fn is_read_only(&self, step: &Option<S::Step>) -> bool {
        step.as_ref().is_some_and(|step| self.inner.is_read_only(step))
    }
}

/// `compiled` with interference between any two of `items`; as it was when the specification knows no value that nobody asks for.
pub(super) fn interfere<S: Specification>(
    compiled: Compiled<S>,
    items: &mut Vec<Item>,
) -> Result<Compiled<Wild<S>>, Compiled<S>> {
    let Some(elsewhere) = compiled.specification.elsewhere() else {
        return Err(compiled);
    };
    let mut steps: Vec<Option<S::Step>> = compiled.steps.into_iter().map(Some).collect();
    steps.push(None);
    let step = steps.len() as u32 - 1;
    let wild = Item {
        step,
        call: 0,
        returned: None,
        required: false,
    };
    items.extend(vec![wild; items.len() + 1]);
    Ok(Compiled {
        specification: Wild {
            inner: compiled.specification,
            elsewhere,
        },
        steps,
    })
}
