//! Less than linearizability, on request: sequential consistency, and reads that may be stale within a bound.
//!
//! *Sequential consistency* (Lamport 1979) asks for one order of all operations that answers as the model does and keeps the order of
//! each client's own operations; real time does not matter. Unlike linearizability it is not local: each key alone may be
//! consistent and all together not, so the search runs over all keys at once. What is linearizable is sequentially consistent; only
//! the rest is searched, in the worst case exponentially in the number of clients.
//!
//! *Bounded staleness* lets an operation that changes nothing be answered as it might have been up to a bound earlier than its call:
//! what a follower may answer that lags at most so far. It is linearizability of the history with those calls moved.
//!
//! An operation of unknown outcome may take effect at any moment after those of its client that came before it, or never.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use crate::history::{Atom, History, Op, OperationId};
use crate::linearizability::{Options, check};
use crate::models::{self, Compiled, Misfit, Model, ModelError, Specification, Visitor};

/// Whether an operation asks and changes nothing, whatever it is answered.
fn is_read(op: Op<Atom>) -> bool {
    matches!(op, Op::Read { .. } | Op::Contains { .. } | Op::Fetch { .. })
}

/// `history`, in which every read may have been answered up to `bound` before its call. Identifiers stay the same.
pub fn with_stale_reads(history: &History, bound: u64) -> History {
    let mut stale = history.clone();
    for id in history.ids() {
        let operation = history.operation(id);
        if is_read(operation.op) {
            stale.call_earlier(id, bound);
        }
    }
    stale
}

/// What a check for sequential consistency found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sequential {
    /// This order explains everything.
    Consistent(Vec<OperationId>),
    /// There is none.
    Inconsistent(Dead),
    /// The budget of steps was spent.
    Unknown {
        /// [`Options::steps_max`].
        steps_max: u64,
    },
}

/// Where every order ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The key that is inconsistent alone; `None`: it takes several.
    pub key: Option<String>,
    /// Completed operations that the longest order has, and how many there are.
    pub explained: usize,
    /// See `explained`.
    pub completed: usize,
    /// The operation of each client that cannot come next there.
    pub next: Vec<OperationId>,
    /// The same in words.
    pub described: Vec<String>,
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) if key != "null" => writeln!(f, "key {key} alone has no order that its clients can have seen;")?,
            Some(_) => writeln!(f, "there is no order that all clients can have seen;")?,
            None => writeln!(
                f,
                "each key alone has an order, all together have none that all clients can have seen;"
            )?,
        }
        writeln!(
            f,
            "the longest explains {} of {} completed operations, and then none of these can come next:",
            self.explained, self.completed
        )?;
        for (place, line) in self.described.iter().enumerate() {
            let end = if place + 1 < self.described.len() { "\n" } else { "" };
            write!(f, "  {line}{end}")?;
        }
        Ok(())
    }
}

/// Checks `history` against `model` for sequential consistency.
///
/// # Errors
///
/// When an operation does not fit the model.
pub fn check_sequential<M: Model>(history: &History, model: &M, options: &Options) -> Result<Sequential, Misfit> {
    if let crate::linearizability::Verdict::Linearizable(witness) = check(history, model, options)?.verdict {
        let order = by_time(history, witness.orders());
        // What a client calls at the very time of its last answer is concurrent with that, in real time.
        if keeps_clients(history, &order) {
            return Ok(Sequential::Consistent(order));
        }
    }
    let all: Vec<OperationId> = history.ids().collect();
    let mut keys: Vec<Atom> = history.operations().map(|operation| operation.op.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut steps = options.steps_max;
    if keys.len() > 1 {
        for &key in &keys {
            let of_key: Vec<OperationId> = all
                .iter()
                .copied()
                .filter(|&id| history.operation(id).op.key() == key)
                .collect();
            if let Sequential::Inconsistent(dead) = search(history, model, &of_key, &mut steps, options)? {
                let key = Some(history.value(key).to_string());
                return Ok(Sequential::Inconsistent(Dead { key, ..dead }));
            }
        }
    }
    let verdict = search(history, model, &all, &mut steps, options)?;
    Ok(match verdict {
        Sequential::Inconsistent(dead) if keys.len() == 1 => Sequential::Inconsistent(Dead {
            key: Some(history.value(keys[0]).to_string()),
            ..dead
        }),
        verdict => verdict,
    })
}

/// [`check_sequential`] against the model called `model`, which begins as `options` say.
///
/// # Errors
///
/// When there is no such model, it cannot begin so, or an operation does not fit it.
pub fn check_sequential_history(
    history: &History,
    model: &str,
    options: &Options,
) -> Result<Result<Sequential, Misfit>, ModelError> {
    struct Check<'a>(&'a History, &'a Options);
    impl Visitor for Check<'_> {
        type Output = Result<Sequential, Misfit>;
        fn visit<M: Model>(self, model: &M) -> Self::Output {
            check_sequential(self.0, model, self.1)
        }
    }
    models::visit(model, options.initial.as_ref(), Check(history, options))
}

/// Orders of single keys as one: by the latest call so far in each.
fn by_time<'o>(history: &History, orders: impl Iterator<Item = &'o [OperationId]>) -> Vec<OperationId> {
    let mut merged: Vec<(u64, usize, usize, OperationId)> = Vec::new();
    for (key, order) in orders.enumerate() {
        let mut latest = 0;
        for (place, &id) in order.iter().enumerate() {
            latest = latest.max(history.operation(id).call);
            merged.push((latest, key, place, id));
        }
    }
    merged.sort_unstable();
    merged.into_iter().map(|(.., id)| id).collect()
}

/// Whether no completed operation of a client comes after a later one of its own.
fn keeps_clients(history: &History, order: &[OperationId]) -> bool {
    let mut first_behind: BTreeMap<u32, (u64, OperationId)> = BTreeMap::new();
    order.iter().rev().all(|&id| {
        let operation = history.operation(id);
        let own = (operation.call, id);
        let is_kept = first_behind.get(&operation.client).is_none_or(|&first| own < first);
        if operation.returned.is_some() {
            let first = first_behind.entry(operation.client).or_insert(own);
            *first = own.min(*first);
        }
        is_kept
    })
}

/// One operation, ready to be searched.
struct Step<T> {
    id: OperationId,
    object: usize,
    step: T,
}

/// How far an order has come.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Configuration<S> {
    /// How many operations of each client are placed.
    placed: Vec<u32>,
    /// Operations of unknown outcome that took effect, ascending.
    used: Vec<u32>,
    states: Vec<S>,
}

struct Search<S: Specification> {
    objects: Vec<S>,
    /// Each client's completed operations in order.
    clients: Vec<Vec<Step<S::Step>>>,
    /// Operations of unknown outcome, with the client and how many of its completed ones come before.
    lost: Vec<(usize, u32, Step<S::Step>)>,
}

fn search<M: Model>(
    history: &History,
    model: &M,
    ids: &[OperationId],
    steps: &mut u64,
    options: &Options,
) -> Result<Sequential, Misfit> {
    let mut search = Search::new(history, model, ids)?;
    let completed: usize = search.clients.iter().map(Vec::len).sum();
    let start = Configuration {
        placed: vec![0; search.clients.len()],
        used: Vec::new(),
        states: search.objects.iter().map(Specification::initial).collect(),
    };
    let mut known: HashSet<Configuration<_>, FxBuildHasher> = HashSet::default();
    let mut furthest = (0, start.placed.clone());
    let mut frames = vec![(start, Vec::new())];
    while let Some((mut configuration, mut order)) = frames.pop() {
        search.take_reads(&mut configuration, &mut order);
        let explained = configuration.placed.iter().map(|&placed| placed as usize).sum();
        if explained == completed {
            return Ok(Sequential::Consistent(order));
        }
        if explained > furthest.0 {
            furthest = (explained, configuration.placed.clone());
        }
        if known.len() as u64 >= options.configurations_max || !known.insert(configuration.clone()) {
            continue;
        }
        // The last one pushed is tried first: what returned goes before what may never have happened.
        for next in search
            .lost_steps(&configuration)
            .chain(search.client_steps(&configuration))
        {
            let Some(left) = steps.checked_sub(1) else {
                return Ok(Sequential::Unknown {
                    steps_max: options.steps_max,
                });
            };
            *steps = left;
            let (id, after) = next;
            let mut longer = order.clone();
            longer.push(id);
            frames.push((after, longer));
        }
    }
    let next: Vec<OperationId> = search
        .clients
        .iter_mut()
        .zip(furthest.1)
        .filter_map(|(steps, placed)| steps.get(placed as usize).map(|step| step.id))
        .collect();
    let describe = |&id: &OperationId| format!("client {}  {}", history.operation(id).client, history.describe(id));
    Ok(Sequential::Inconsistent(Dead {
        key: None,
        explained: furthest.0,
        completed,
        described: next.iter().map(describe).collect(),
        next,
    }))
}

impl<S: Specification> Search<S> {
    fn new<'h, M: Model<Compact<'h> = S>>(
        history: &'h History,
        model: &M,
        ids: &[OperationId],
    ) -> Result<Self, Misfit> {
        let operation = |id: OperationId| history.operation(id);
        let mut by_key: Vec<OperationId> = ids.to_vec();
        by_key.sort_by_key(|&id| operation(id).op.key());
        let mut objects = Vec::new();
        let mut all: Vec<Step<S::Step>> = Vec::with_capacity(ids.len());
        for of_key in by_key.chunk_by(|&one, &other| operation(one).op.key() == operation(other).op.key()) {
            let Compiled { specification, steps } = model.compile(history, of_key, &|_| true)?;
            let object = objects.len();
            objects.push(specification);
            all.extend(of_key.iter().zip(steps).map(|(&id, step)| Step { id, object, step }));
        }
        all.sort_by_key(|step| (operation(step.id).client, operation(step.id).call, step.id));
        let (mut clients, mut lost) = (Vec::new(), Vec::new());
        let mut last = None;
        for step in all {
            let client = operation(step.id).client;
            if last != Some(client) {
                clients.push(Vec::new());
                last = Some(client);
            }
            let place = clients.len() - 1;
            let own: &mut Vec<Step<S::Step>> = &mut clients[place];
            if operation(step.id).returned.is_some() {
                own.push(step);
            } else if !objects[step.object].is_read_only(&step.step) {
                lost.push((place, own.len() as u32, step));
            }
        }
        Ok(Search { objects, clients, lost })
    }

    /// Places every read that can come next: it changes nothing, so it is in nobody's way.
    fn take_reads(&self, configuration: &mut Configuration<S::State>, order: &mut Vec<OperationId>) {
        for (client, steps) in self.clients.iter().enumerate() {
            while let Some(step) = steps.get(configuration.placed[client] as usize)
                && self.objects[step.object].is_read_only(&step.step)
                && self.after(configuration, step).is_some()
            {
                configuration.placed[client] += 1;
                order.push(step.id);
            }
        }
    }

    fn after(&self, configuration: &Configuration<S::State>, step: &Step<S::Step>) -> Option<S::State> {
        self.objects[step.object].step(&configuration.states[step.object], &step.step)
    }

    fn client_steps<'s>(
        &'s self,
        from: &'s Configuration<S::State>,
    ) -> impl Iterator<Item = (OperationId, Configuration<S::State>)> + 's {
        self.clients.iter().enumerate().filter_map(move |(client, steps)| {
            let step = steps.get(from.placed[client] as usize)?;
            let state = self.after(from, step)?;
            let mut to = from.clone();
            to.placed[client] += 1;
            to.states[step.object] = state;
            Some((step.id, to))
        })
    }

    fn lost_steps<'s>(
        &'s self,
        from: &'s Configuration<S::State>,
    ) -> impl Iterator<Item = (OperationId, Configuration<S::State>)> + 's {
        (0..).zip(&self.lost).filter_map(move |(index, (client, after, step))| {
            let place = from.used.binary_search(&index).err()?;
            if from.placed[*client] < *after {
                return None;
            }
            let state = self.after(from, step)?;
            if state == from.states[step.object] {
                return None;
            }
            let mut to = from.clone();
            to.used.insert(place, index);
            to.states[step.object] = state;
            Some((step.id, to))
        })
    }
}
