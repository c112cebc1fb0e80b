//! Checking while a history comes about: calls and returns are told one by one, and the first return that nothing explains is
//! told back at once.
//!
//! Nothing is kept of what has been decided. For each key there is every *configuration* in which it may be: a state, the
//! operations in flight that have taken effect already (each with the state that it found, to hold its answer against), and
//! those of unknown outcome that were used. A return that a configuration has not foreseen is given its place there, after any
//! other operations in flight (just-in-time linearization: Lowe 2017, section 5); where that leaves no configuration, the history
//! has become impossible. Memory depends on how many operations are in flight and of unknown outcome, not on how many there were;
//! distinct texts and lists are kept, integers are not.
//!
//! Owns neither a history nor an explanation: who wants one keeps the history, and asks [`check`](super::check) for it.
//! [`InOrder`](super::InOrder) costs less where the order of the effects is known.

use std::collections::BTreeMap;

use crate::history::{Atom, History, Op, Operation, Output, Value};
use crate::models::Model;

/// Names an operation in flight of one [`Online`]; a name is used again once its operation has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u32);

/// What became of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Online {
    /// Everything so far can be explained.
    Possible,
    /// Nothing explains the return of `call`.
    Impossible {
        /// The operation, by the name that it had.
        call: CallId,
        /// How many calls and returns there have been up to that return, those of the same time included.
        event: usize,
    },
    /// A key had too many configurations, or a return took too many steps; that key is not looked at any more.
    GaveUp,
}

/// An operation in flight, or of unknown outcome.
#[derive(Clone, Copy, Debug)]
struct Open {
    operation: Operation,
    /// Whether it will never return.
    is_lost: bool,
}

/// How a key may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Configuration<S> {
    state: S,
    /// Operations in flight that have taken effect, by name, and the states that they found.
    placed: Vec<(CallId, S)>,
    /// Operations of unknown outcome that have taken effect, by name.
    used: Vec<CallId>,
}

impl<S: Eq> Configuration<S> {
    /// Whether everything that `other` can become, `self` can.
    fn dominates(&self, other: &Self) -> bool {
        self.state == other.state
            && self.placed == other.placed
            && self.used.iter().all(|call| other.used.binary_search(call).is_ok())
    }
}

/// One key.
#[derive(Clone, Debug)]
struct Object<S> {
    /// Empty once it was given up.
    configurations: Vec<Configuration<S>>,
    open: Vec<CallId>,
}

/// Holds a history against a model while it comes about.
///
/// ```
/// use checker::history::{Op, Output};
/// use checker::linearizability::{Online, OnlineCheck};
/// use checker::models::KeyValue;
///
/// let mut check = OnlineCheck::new(KeyValue);
/// let write = check.invoke(1, 10, Op::write("x", "a"));
/// check.complete(write, 20, Output::Ok);
/// let read = check.invoke(2, 30, Op::read("x"));
/// check.complete(read, 40, Output::value(""));
/// assert!(matches!(check.settle(50), Online::Impossible { call, event: 4 } if call == read));
/// ```
#[derive(Clone, Debug)]
pub struct OnlineCheck<M: Model> {
    model: M,
    configurations_max: usize,
    /// No operations, only the values that they name.
    values: History,
    calls: Vec<Option<Open>>,
    vacant: Vec<CallId>,
    objects: BTreeMap<Atom, Object<M::State>>,
    /// Returns at the present time: what is called at that time is concurrent with them.
    returning: Vec<(CallId, Output<Atom>)>,
    now: u64,
    events: usize,
    verdict: Online,
}

impl<M: Model> OnlineCheck<M> {
    /// A check that keeps at most 1,024 configurations for each key.
    pub fn new(model: M) -> Self {
        Self::with_configurations(model, 1 << 10)
    }

    /// A check that keeps at most `configurations_max` configurations for each key, and takes at most 64 times as many steps for a
    /// return.
    pub fn with_configurations(model: M, configurations_max: usize) -> Self {
        OnlineCheck {
            model,
            configurations_max,
            values: History::new(),
            calls: Vec::new(),
            vacant: Vec::new(),
            objects: BTreeMap::new(),
            returning: Vec::new(),
            now: 0,
            events: 0,
            verdict: Online::Possible,
        }
    }

    /// A call at `time`, which is never smaller than that of what was told before. The operation fits the model.
    ///
    /// # Panics
    ///
    /// When there have been more than 4 GiB of distinct text.
    pub fn invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> CallId {
        self.settle(time);
        self.events += 1;
        let op = self.values.intern_op(op).expect("at most 4 GiB of distinct text");
        let open = Open {
            operation: Operation {
                client,
                call: time,
                returned: None,
                op,
                output: None,
            },
            is_lost: false,
        };
        let call = match self.vacant.pop() {
            Some(call) => call,
            None => {
                self.calls.push(None);
                CallId(u32::try_from(self.calls.len() - 1).expect("fewer than 2^32 operations in flight"))
            }
        };
        self.calls[call.0 as usize] = Some(open);
        let initial = || Object {
            configurations: vec![Configuration {
                state: self.model.initial(),
                placed: Vec::new(),
                used: Vec::new(),
            }],
            open: Vec::new(),
        };
        self.objects.entry(op.key()).or_insert_with(initial).open.push(call);
        call
    }

    /// The return of `call`, which is in flight, at `time`. It is judged as soon as something is told of a later time.
    ///
    /// # Panics
    ///
    /// When there have been more than 4 GiB of distinct text.
    pub fn complete(&mut self, call: CallId, time: u64, output: Output<Value<'_>>) -> Online {
        self.settle(time);
        self.events += 1;
        let output = self
            .values
            .intern_output(output)
            .expect("at most 4 GiB of distinct text");
        self.returning.push((call, output));
        self.verdict
    }

    /// `call` will never return; it may take effect at any moment, or never.
    pub fn lose(&mut self, call: CallId) {
        let open = self.calls[call.0 as usize].as_mut().expect("what is lost is in flight");
        open.is_lost = true;
        let object = self.objects.get_mut(&open.operation.op.key()).expect("it was called");
        for configuration in &mut object.configurations {
            if let Some(place) = configuration.placed.iter().position(|&(placed, _)| placed == call) {
                configuration.placed.remove(place);
                let place = configuration.used.partition_point(|&used| used < call);
                configuration.used.insert(place, call);
            }
        }
        self.forget_used(call);
    }

    /// Judges all returns before `time`; what becomes of the history is told once and for all.
    pub fn settle(&mut self, time: u64) -> Online {
        if time > self.now {
            for (call, output) in std::mem::take(&mut self.returning) {
                if !matches!(self.verdict, Online::Impossible { .. }) {
                    self.judge(call, output);
                }
            }
            self.now = time;
        }
        self.verdict
    }

    /// How many configurations there are, over all keys.
    pub fn configurations(&self) -> usize {
        self.objects.values().map(|object| object.configurations.len()).sum()
    }

    /// How many operations are in flight or of unknown outcome.
    pub fn open(&self) -> usize {
        self.calls.len() - self.vacant.len()
    }

    fn judge(&mut self, call: CallId, output: Output<Atom>) {
        let mut due = self.calls[call.0 as usize]
            .expect("what returns is in flight")
            .operation;
        (due.returned, due.output) = (Some(self.now), Some(output));
        let key = due.op.key();
        let mut object = self.objects.remove(&key).expect("it was called");
        let was_given_up = object.configurations.is_empty();
        let mut kept: Vec<Configuration<M::State>> = Vec::new();
        let mut steps = 64 * self.configurations_max;
        let mut is_overfull = false;
        for mut configuration in std::mem::take(&mut object.configurations) {
            match configuration.placed.iter().position(|&(placed, _)| placed == call) {
                Some(place) => {
                    let (_, mut found) = configuration.placed.remove(place);
                    if self.model.apply(&mut found, &self.values, &due) {
                        keep(&mut kept, configuration);
                    }
                }
                None => is_overfull |= !self.place(configuration, (call, &due), &object.open, &mut kept, &mut steps),
            }
            is_overfull |= kept.len() > self.configurations_max;
            if is_overfull {
                break;
            }
        }
        if is_overfull {
            kept.clear();
            self.verdict = Online::GaveUp;
        } else if kept.is_empty() && !was_given_up {
            let event = self.events;
            self.verdict = Online::Impossible { call, event };
        }
        object.configurations = kept;
        object.open.retain(|&other| other != call);
        let lost: Vec<CallId> = object.open.iter().copied().filter(|&call| self.is_lost(call)).collect();
        self.objects.insert(key, object);
        self.free(call);
        lost.into_iter().for_each(|call| self.forget_used(call));
    }

    /// Adds to `kept` every way to let `due` take effect in `from`, after others. `false`: that took too many steps.
    fn place(
        &self,
        from: Configuration<M::State>,
        (call, due): (CallId, &Operation),
        open: &[CallId],
        kept: &mut Vec<Configuration<M::State>>,
        steps: &mut usize,
    ) -> bool {
        let mut tried = vec![from];
        let mut next = 0;
        while next < tried.len() {
            let Some(left) = steps.checked_sub(1 + tried.len() / 16) else {
                return false;
            };
            *steps = left;
            let here = tried[next].clone();
            next += 1;
            for &other in open {
                if other != call
                    && let Some(after) = self.before_due(&here, other, open)
                    && !tried.iter().any(|known| known.dominates(&after))
                {
                    tried.push(after);
                }
            }
            let mut after = here;
            if self.model.apply(&mut after.state, &self.values, due) {
                keep(kept, after);
            }
        }
        true
    }

    /// `here` once `other` has taken effect, if that can matter.
    fn before_due(
        &self,
        here: &Configuration<M::State>,
        other: CallId,
        open: &[CallId],
    ) -> Option<Configuration<M::State>> {
        let Open { operation, is_lost } = self.calls[other.0 as usize].expect("it is in flight");
        let is_placed =
            here.placed.iter().any(|&(placed, _)| placed == other) || here.used.binary_search(&other).is_ok();
        let is_same = |&equal: &CallId| {
            let equal_open = self.calls[equal.0 as usize].expect("it is in flight");
            equal < other
                && equal_open.is_lost
                && equal_open.operation.op == operation.op
                && here.used.binary_search(&equal).is_err()
        };
        if is_placed || is_lost && open.iter().any(is_same) {
            return None;
        }
        let mut after = here.clone();
        if !self.model.apply(&mut after.state, &self.values, &operation) {
            return None;
        }
        if is_lost {
            if after.state == here.state {
                return None;
            }
            let place = after.used.partition_point(|&used| used < other);
            after.used.insert(place, other);
        } else {
            let place = after.placed.partition_point(|&(placed, _)| placed < other);
            after.placed.insert(place, (other, here.state.clone()));
        }
        Some(after)
    }

    fn is_lost(&self, call: CallId) -> bool {
        self.calls[call.0 as usize].is_some_and(|open| open.is_lost)
    }

    /// Forgets a lost operation that has taken effect whatever the case.
    fn forget_used(&mut self, call: CallId) {
        let open = self.calls[call.0 as usize].expect("what is lost is open");
        let object = self.objects.get_mut(&open.operation.op.key()).expect("it was called");
        let is_used = |configuration: &Configuration<M::State>| configuration.used.binary_search(&call).is_ok();
        if object.configurations.is_empty() || object.configurations.iter().all(is_used) {
            for configuration in &mut object.configurations {
                configuration.used.retain(|&used| used != call);
            }
            object.open.retain(|&other| other != call);
            self.free(call);
        }
    }

    fn free(&mut self, call: CallId) {
        self.calls[call.0 as usize] = None;
        self.vacant.push(call);
    }
}

/// Adds `configuration` unless one in `kept` can become all that it can, and drops those of which it can.
fn keep<S: Eq>(kept: &mut Vec<Configuration<S>>, configuration: Configuration<S>) {
    if !kept.iter().any(|other| other.dominates(&configuration)) {
        kept.retain(|other| !configuration.dominates(other));
        kept.push(configuration);
    }
}
