//! The short way to a model: what is accepted, what is done, how a state is shown.
//!
//! Owns [`Sequential`], which is a [`Model`] by itself, and [`Direct`], the form in which it is searched: on the states of the
//! specification, each stored once and named by a number, each transition carried out once. The numbers make a configuration
//! small; the price of a new state is that of cloning and hashing it, so types with large states want a fast method
//! ([`Sequential::kind`]) or a compact form of their own.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use hashbrown::{HashMap, HashTable};
use rustc_hash::FxBuildHasher;

use super::{Action, Compiled, Kind, Misfit, Model, Specification};
use crate::history::{Atom, History, Op, Operation, OperationId, Output, OwnedValue};

/// A sequential specification on plain states: the short way to write a [`Model`].
///
/// ```
/// use checker::history::{Atom, History, Op, Output};
/// use checker::linearizability::{Options, check};
/// use checker::models::Sequential;
///
/// /// A flag that is raised once (`write`) and read as 0 or 1.
/// #[derive(Clone)]
/// struct Flag;
///
/// impl Sequential for Flag {
///     type State = bool;
///
///     fn name(&self) -> &'static str {
///         "flag"
///     }
///
///     fn initial(&self) -> bool {
///         false
///     }
///
///     fn misfit(&self, _: &History, op: Op<Atom>, _: Option<Output<Atom>>) -> Option<&'static str> {
///         match op {
///             Op::Read { .. } | Op::Write { .. } => None,
///             _ => Some("a flag is read and raised"),
///         }
///     }
///
///     fn apply(&self, raised: &mut bool, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
///         match (op, output) {
///             (Op::Read { .. }, Some(Output::Value(seen))) => seen == Atom::Integer(i64::from(*raised)),
///             (Op::Write { .. }, _) => {
///                 *raised = true;
///                 true
///             }
///             _ => true,
///         }
///     }
///
///     fn show(&self, raised: &bool, _: &History) -> String {
///         if *raised { "raised" } else { "down" }.to_owned()
///     }
/// }
///
/// let mut history = History::new();
/// let raise = history.invoke(1, 10, Op::write("f", 1));
/// history.complete(raise, 20, Output::Ok);
/// let read = history.invoke(2, 30, Op::read("f"));
/// history.complete(read, 40, Output::value(0));
/// assert!(!check(&history, &Flag, &Options::default())?.is_linearizable());
/// # Ok::<(), checker::models::Misfit>(())
/// ```
pub trait Sequential {
    /// The state of one key.
    type State: Clone + Eq + Hash;

    /// The name in [`MODELS`](super::MODELS), or the implementor's own.
    fn name(&self) -> &'static str;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// Why an operation or its answer is none of the model's; `None` when it is.
    fn misfit(&self, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str>;

    /// Carries `op` out on `state`. `false` when `output` cannot be given in `state`; `state` is then unspecified. Without an
    /// output, any answer will do.
    fn apply(&self, state: &mut Self::State, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool;

    /// The state in words, for a report.
    fn show(&self, state: &Self::State, history: &History) -> String;

    /// Whether the operation leaves every state as it is in which it can be answered so. When in doubt, `false`: that costs
    /// time and nothing else.
    fn is_read_only(&self, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        matches!(op, Op::Read { .. } | Op::Contains { .. } | Op::Fetch { .. }) || output == Some(Output::Done(false))
    }

    /// This specification where no other operations than `ids` can follow, each once at most: its states may then forget what none
    /// of them can tell apart, and there are fewer to search. By default it is the same.
    #[must_use]
    fn among(&self, history: &History, ids: &[OperationId]) -> Self
    where
        Self: Clone,
    {
        let _ = (history, ids);
        self.clone()
    }

    /// As [`Model::remark`].
    fn remark(
        &self,
        history: &History,
        operation: &Operation,
        called: &mut dyn Iterator<Item = Operation>,
    ) -> Option<String> {
        let _ = (history, operation, called);
        None
    }

    /// As [`Model::kind`].
    fn kind(&self) -> Kind {
        Kind::Other
    }

    /// As [`Model::action`].
    fn action<'h>(&self, history: &'h History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<Action<'h>> {
        let _ = (history, op, output);
        None
    }

    /// As [`Model::registers`].
    fn registers(&self) -> Vec<(OwnedValue, OwnedValue)> {
        Vec::new()
    }
}

impl<M: Sequential + Clone + 'static> Model for M {
    fn name(&self) -> &'static str {
        Sequential::name(self)
    }

    type State = <M as Sequential>::State;

    fn initial(&self) -> Self::State {
        Sequential::initial(self)
    }

    fn apply(&self, state: &mut Self::State, history: &History, operation: &Operation) -> bool {
        Sequential::apply(self, state, history, operation.op, operation.output)
    }

    fn show(&self, state: &Self::State, history: &History) -> String {
        Sequential::show(self, state, history)
    }

    fn remark(
        &self,
        history: &History,
        operation: &Operation,
        called: &mut dyn Iterator<Item = Operation>,
    ) -> Option<String> {
        Sequential::remark(self, history, operation, called)
    }

    fn kind(&self, _: &History) -> Kind {
        Sequential::kind(self)
    }

    fn action<'h>(&self, history: &'h History, operation: &Operation) -> Option<Action<'h>> {
        Sequential::action(self, history, operation.op, operation.output)
    }

    fn registers(&self) -> Vec<(OwnedValue, OwnedValue)> {
        Sequential::registers(self)
    }

    type Compact<'h> = Direct<'h>;

    fn compile<'h>(
        &self,
        history: &'h History,
        partition: &[OperationId],
        counts: &dyn Fn(OperationId) -> bool,
    ) -> Result<Compiled<Direct<'h>>, Misfit> {
        let mut calls: Vec<Call> = Vec::new();
        let mut index: HashMap<Call, u32, FxBuildHasher> = HashMap::default();
        let mut steps = Vec::with_capacity(partition.len());
        for &id in partition {
            let operation = history.operation(id);
            if let Some(what) = self.misfit(history, operation.op, operation.output) {
                return Err(Misfit::new(history, id, Sequential::name(self), what));
            }
            let call = (operation.op, operation.output.filter(|_| counts(id)));
            steps.push(*index.entry(call).or_insert_with(|| {
                calls.push(call);
                calls.len() as u32 - 1
            }));
        }
        let is_read_only = calls
            .iter()
            .map(|&(op, output)| Sequential::is_read_only(self, op, output))
            .collect();
        let mut machine = Machine {
            model: self.among(history, partition),
            history,
            calls,
            states: Vec::new(),
            index: HashTable::new(),
            next: HashMap::default(),
        };
        machine.name(Sequential::initial(self));
        Ok(Compiled {
            specification: Direct {
                machine: RefCell::new(Box::new(machine)),
                is_read_only,
            },
            steps,
        })
    }
}

/// An operation with its answer.
type Call = (Op<Atom>, Option<Output<Atom>>);

/// A [`Sequential`] model, searched on its own states. One type for all of them, so that the search is compiled once.
pub struct Direct<'h> {
    machine: RefCell<Box<dyn Transitions + 'h>>,
    /// For each distinct operation.
    is_read_only: Vec<bool>,
}

impl fmt::Debug for Direct<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

/// A state machine whose states and operations are numbers.
trait Transitions {
    fn step(&mut self, state: u32, step: u32) -> Option<u32>;
}

/// The states of a model that were reached, and how they follow each other.
struct Machine<'h, M: Sequential> {
    model: M,
    history: &'h History,
    /// The distinct operations of the partition; a step is an index.
    calls: Vec<Call>,
    /// Each state once; the first is the initial one.
    states: Vec<M::State>,
    index: HashTable<u32>,
    next: HashMap<(u32, u32), Option<u32>, FxBuildHasher>,
}

impl<M: Sequential> Machine<'_, M> {
    fn name(&mut self, state: M::State) -> u32 {
        let hash = FxBuildHasher.hash_one(&state);
        let Machine { states, index, .. } = self;
        if let Some(&known) = index.find(hash, |&name| states[name as usize] == state) {
            return known;
        }
        let name = u32::try_from(states.len()).expect("memory ends before 2^32 states");
        states.push(state);
        index.insert_unique(hash, name, |&name| FxBuildHasher.hash_one(&states[name as usize]));
        name
    }
}

impl<M: Sequential> Transitions for Machine<'_, M> {
    fn step(&mut self, state: u32, step: u32) -> Option<u32> {
        if let Some(&known) = self.next.get(&(state, step)) {
            return known;
        }
        let mut after = self.states[state as usize].clone();
        let (op, output) = self.calls[step as usize];
        let fits = self.model.apply(&mut after, self.history, op, output);
        let next = fits.then(|| self.name(after));
        self.next.insert((state, step), next);
        next
    }
}

impl Specification for Direct<'_> {
    type State = u32;
    type Step = u32;

    fn initial(&self) -> u32 {
        0
    }

    fn step(&self, &state: &u32, &step: &u32) -> Option<u32> {
        self.machine.borrow_mut().step(state, step)
    }

    fn is_read_only(&self, &step: &u32) -> bool {
        self.is_read_only[step as usize]
    }
}
