//! A model by reference, without its data type: only the general search knows what to do with it.

use checker::history::{History, Operation, OperationId};
use checker::models::{Compiled, Misfit, Model};

/// A borrowed model that does not say what data type it is.
pub struct Same<'m, M>(pub &'m M);

impl<M: Model> Model for Same<'_, M> {
    type State = M::State;
    type Compact<'h> = M::Compact<'h>;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn initial(&self) -> M::State {
        self.0.initial()
    }

    fn apply(&self, state: &mut M::State, history: &History, operation: &Operation) -> bool {
        self.0.apply(state, history, operation)
    }

    fn show(&self, state: &M::State, history: &History) -> String {
        self.0.show(state, history)
    }

    fn compile<'h>(
        &self,
        history: &'h History,
        partition: &[OperationId],
        counts: &dyn Fn(OperationId) -> bool,
    ) -> Result<Compiled<M::Compact<'h>>, Misfit> {
        self.0.compile(history, partition, counts)
    }
}
