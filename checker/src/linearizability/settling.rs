//! Registers with any values: a sweep over the calls and returns that keeps every configuration worth keeping.
//!
//! A configuration is the value held, what each operation in flight still *owes* (it must take effect by its return), and
//! which of them are still *usable*. As in the search of Lowe (2017), nothing is placed before a return demands it. What keeps
//! the configurations few, each exact:
//!
//! 1. A read or a miss in flight that the value satisfies is taken at once: it changes nothing.
//! 2. A plain write in flight can have taken effect unseen just before another plain write, or while its value is held. It then
//!    owes nothing, and is still usable until it returns, in place of that: it is *free*.
//! 3. One configuration dominates another with the same value when it owes no more and can use no less.
//! 4. Of equal operations the one that returns first is used.
//! 5. A value that a later operation asks for is not left when nothing can bring it back.
//! 6. Operations of unknown outcome are a supply: of equal ones any number may be used. "Impossible" is then final. An order
//!    that used more than there were decides nothing, so orders with few of them are preferred.
//!
//! Memory grows with the operations in flight; besides them only the placements of the surviving orders are kept, for the
//! witness.
//!
//! Source: "settling" is this project's; its skeleton is the just-in-time linearization of Lowe (2017, section 5) and of
//! Knossos' `linear`.

use super::budget::Budget;
use super::flight::{Candidate, Flight, Slots};
use super::lower::{Cells, NEVER, NONE, What};
use super::paths::Paths;
use super::portfolio::{Contradiction, Decision};

/// Most configurations at one moment.
const CONFIGURATIONS_MAX: usize = 1024;

/// What may be the case at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) owes: Slots,
    pub(super) usable: Slots,
    pub(super) value: u32,
    /// The last placement that led here, in [`Paths`].
    path: u32,
    /// How many operations of unknown outcome it used.
    cost: u32,
}

impl Configuration {
    /// Whether `self` can do all that `other` can; `counts` are the slots whose use matters.
    fn dominates(&self, other: &Configuration, counts: Slots) -> bool {
        self.value == other.value && self.owes & !other.owes == 0 && other.usable & counts & !self.usable == 0
    }

    /// As [`dominates`](Self::dominates), and cheaper where neither can do more.
    fn is_better(&self, other: &Configuration, counts: Slots) -> bool {
        self.dominates(other, counts) && (self.cost <= other.cost || !other.dominates(self, counts))
    }
}

/// What a sweep found.
enum Swept {
    Order(Vec<u32>),
    /// This operation cannot return. An order of what had returned before; none where it was not asked for, or takes more of a
    /// supply than there is.
    Stuck(u32, Option<Vec<u32>>),
    GaveUp,
}

/// Decides `cells`, within `budget`; when a contradiction shows may cost as much again. A contradiction is the operation that cannot
/// return, and all that had been called.
pub(super) fn decide(cells: &Cells, budget: &mut Budget<'_>) -> Decision {
    let steps = budget.steps;
    let in_partition = |order: Vec<u32>| order.into_iter().map(|op| cells.ops[op as usize].at).collect();
    match Sweep::new(cells, true).run(budget) {
        Swept::Order(order) => Decision::Order(in_partition(order)),
        Swept::GaveUp => Decision::Undecided,
        Swept::Stuck(..) => {
            // What is still to come may have told early. When did it show?
            budget.steps = steps;
            let (shown, before) = match Sweep::new(cells, false).run(budget) {
                Swept::Stuck(due, before) => (Some(due), before),
                Swept::Order(_) | Swept::GaveUp => (cells.by_return().last().copied(), None),
            };
            let due = cells.ops[shown.expect("what is stuck returns") as usize];
            let mut contradiction = Contradiction::everything();
            contradiction.add(due.at, due.returned);
            contradiction.before = before.map(in_partition);
            Decision::Impossible(contradiction)
        }
    }
}

struct Sweep<'a> {
    flight: Flight<'a>,
    foresight: bool,
    configurations: Vec<Configuration>,
    paths: Paths,
    /// Buffers of [`settle`](Self::settle).
    open: Vec<Configuration>,
    settled: Vec<Configuration>,
    /// Whether a configuration had more alternatives than are tried.
    is_overfull: bool,
}

impl<'a> Sweep<'a> {
    /// `foresight`: whether what is still to come may be used.
    fn new(cells: &'a Cells, foresight: bool) -> Self {
        Sweep {
            flight: Flight::new(cells, foresight),
            foresight,
            configurations: vec![Configuration {
                owes: 0,
                usable: 0,
                value: cells.initial,
                path: NONE,
                cost: 0,
            }],
            paths: Paths::default(),
            open: Vec::new(),
            settled: Vec::new(),
            is_overfull: false,
        }
    }

    fn run(mut self, budget: &mut Budget<'_>) -> Swept {
        let cells = self.flight.cells;
        let by_return = cells.by_return();
        let mut called = 0;
        for (event, &due) in by_return.iter().enumerate() {
            let end = cells.ops[due as usize].returned;
            while cells.ops.get(called).is_some_and(|op| op.call <= end) {
                if !self.call(called as u32) {
                    return Swept::GaveUp;
                }
                called += 1;
            }
            if budget.step(self.configurations.len() as u64).is_none() {
                return Swept::GaveUp;
            }
            match self.settle(due, event as u32, budget) {
                None => return Swept::GaveUp,
                Some(false) => {
                    let before = || self.order(&by_return[..event]);
                    return Swept::Stuck(due, if self.foresight { None } else { before() });
                }
                Some(true) => {}
            }
            self.paths.collect(
                self.configurations
                    .iter_mut()
                    .map(|configuration| &mut configuration.path),
            );
        }
        self.order(&by_return).map_or(Swept::GaveUp, Swept::Order)
    }

    /// The order of a configuration that is left once these have returned.
    fn order(&self, by_return: &[u32]) -> Option<Vec<u32>> {
        let best = self
            .configurations
            .iter()
            .min_by_key(|configuration| configuration.cost)
            .expect("a sweep keeps the configurations from which it goes on");
        let path = self.paths.of(best.path);
        super::settle_replay::order(self.flight.cells, by_return, &self.flight.sorts, &path)
    }

    /// `false` when too many operations are in flight.
    fn call(&mut self, index: u32) -> bool {
        let flight = &mut self.flight;
        let op = flight.cells.ops[index as usize];
        flight.leaves_the_future(op.what);
        if op.returned == NEVER {
            flight.supply_more(op.what);
            return true;
        }
        let Some(slot) = flight.enter(index) else { return false };
        for configuration in &mut self.configurations {
            let holds = |value: u32| configuration.value == value;
            let (owes, usable) = match op.what {
                What::Read(value) => (!holds(value), false),
                What::Miss(value) => (holds(value), false),
                What::Write(value) => (!holds(value), true),
                What::Cas(..) => (true, true),
            };
            configuration.owes |= if owes { slot } else { 0 };
            configuration.usable |= if usable { slot } else { 0 };
        }
        true
    }

    /// Every configuration to one in which `due` owes nothing. `Some(false)`: there is none, and all are as they were; `None`: the
    /// budget is spent.
    fn settle(&mut self, due: u32, event: u32, budget: &mut Budget<'_>) -> Option<bool> {
        let slot = self.flight.slot_of(due);
        self.settled.clear();
        self.open.clear();
        for &configuration in &self.configurations {
            if configuration.owes & slot != 0 {
                self.open.push(configuration);
            } else {
                insert(&mut self.settled, configuration, self.flight.scarce);
                if self.flight.is_last_chance(&configuration, slot) {
                    self.open.push(configuration);
                }
            }
        }
        if !self.open.is_empty() {
            self.flight.prune_supply();
        }
        let mut next = 0;
        while let Some(&configuration) = self.open.get(next) {
            next += 1;
            // To hold one configuration against the others is work, too.
            budget.step(1 + self.open.len() as u64 / 32)?;
            self.expand(&configuration, slot, event);
            if self.open.len().max(self.settled.len()) > CONFIGURATIONS_MAX || self.is_overfull {
                return None;
            }
        }
        if self.settled.is_empty() {
            return Some(false);
        }
        self.flight.leave(due, slot);
        self.configurations.clear();
        for index in 0..self.settled.len() {
            let mut configuration = self.settled[index];
            configuration.usable &= !slot;
            insert(&mut self.configurations, configuration, self.flight.scarce);
        }
        Some(true)
    }

    /// Places one more operation in `from`, each that can be: settled where `due` owes nothing any more, else still open.
    fn expand(&mut self, from: &Configuration, due: Slots, event: u32) {
        let flight = &self.flight;
        let asked = flight.asked_for(from);
        if asked == Slots::MAX {
            return;
        }
        let mut candidates: [Candidate; CANDIDATES_MAX] = [Candidate::default(); CANDIDATES_MAX];
        let mut count = 0;
        let mut add = |candidate: Candidate| {
            if let Some(place) = candidates.get_mut(count) {
                *place = candidate;
            }
            count += 1;
        };
        if asked == 0 {
            flight.plain_writes(from, &mut add);
        }
        flight.compare_and_sets(from, asked, &mut add);
        if count > CANDIDATES_MAX {
            self.is_overfull = true;
        }
        for candidate in &candidates[..count.min(CANDIDATES_MAX)] {
            self.place(from, candidate, due, event);
        }
    }

    fn place(&mut self, from: &Configuration, candidate: &Candidate, due: Slots, event: u32) {
        let &Candidate {
            value,
            slot,
            by,
            is_plain,
        } = candidate;
        // A plain write lets the others in flight take effect just before it.
        let owes = from.owes & !slot & if is_plain { !self.flight.plain } else { Slots::MAX };
        let to = Configuration {
            owes: owes & !self.flight.satisfied_by(value),
            usable: from.usable & !slot,
            value,
            path: from.path,
            cost: from.cost + u32::from(slot == 0),
        };
        let was_owed = from.owes & due != 0;
        let is_settled = if was_owed { to.owes & due == 0 } else { slot == due };
        let mut path = NONE;
        if is_settled {
            // What the due operation can still do does not matter once it has returned.
            let settled = Configuration {
                usable: to.usable & !due,
                ..to
            };
            self.paths
                .add(&mut self.settled, settled, self.flight.scarce, by, event, &mut path);
        }
        if !is_settled || slot != due && self.flight.is_last_chance(&to, due) {
            self.paths
                .add(&mut self.open, to, self.flight.scarce, by, event, &mut path);
        }
    }
}

/// Most alternatives in one configuration.
const CANDIDATES_MAX: usize = 96;

impl Paths {
    /// Adds `to`, which `by` led to, unless one in `kept` is better. `path` is its placement once there is one.
    fn add(
        &mut self,
        kept: &mut Vec<Configuration>,
        mut to: Configuration,
        counts: Slots,
        by: u32,
        event: u32,
        path: &mut u32,
    ) {
        if kept.iter().any(|other| other.is_better(&to, counts)) {
            return;
        }
        if *path == NONE {
            *path = self.push(to.path, by, event);
        }
        to.path = *path;
        kept.push(to);
    }
}

/// Adds `configuration` unless one in `kept` dominates it, and drops those that it dominates.
fn insert(kept: &mut Vec<Configuration>, configuration: Configuration, counts: Slots) {
    if !kept.iter().any(|other| other.is_better(&configuration, counts)) {
        kept.retain(|other| !configuration.is_better(other, counts));
        kept.push(configuration);
    }
}
