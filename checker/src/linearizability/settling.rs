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
use super::lower::{CellOp, Cells, Lowered, NEVER, NONE, What};
use super::paths::{Paths, SUPPLY};
use super::portfolio::{Contradiction, Decision};

/// Most operations in flight that have a return.
const WIDTH: u32 = u128::BITS;

/// Most configurations at one moment.
const CONFIGURATIONS_MAX: usize = 1024;

/// A set of operations in flight, by slot.
type Slots = u128;

/// What may be the case at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Configuration {
    owes: Slots,
    usable: Slots,
    value: u32,
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

/// What is in flight, and what is still to come.
struct Flight<'a> {
    cells: &'a Cells,
    /// Whether what is still to come is known: `wanted`, `asked`, `coming`, `misses_coming`.
    foresight: bool,
    /// The operation in each slot.
    at: Vec<u32>,
    vacant: Vec<u32>,
    /// For each value: slots of the operations that read it, miss it, write it, set it if they can, and find it.
    readers: Vec<Slots>,
    missers: Vec<Slots>,
    writers: Vec<Slots>,
    setters: Vec<Slots>,
    takers: Vec<Slots>,
    misses: Slots,
    plain: Slots,
    /// Slots of plain writes whose value is not in supply.
    scarce: Slots,
    /// The sorts of operations of unknown outcome called so far; a sort is named by its place.
    sorts: Vec<What>,
    /// For each value: the sort that writes it, or [`NONE`]; sorts that find it; whether a sort sets it.
    supply: Vec<u32>,
    supply_from: Vec<Vec<u32>>,
    supply_to: Vec<bool>,
    /// Values that a sort writes and that somebody may still ask for, and at most one other.
    supplied: Vec<u32>,
    /// For each value: operations not called yet that must find it; that ask for it in any way; and that write it.
    wanted: Vec<u32>,
    asked: Vec<u32>,
    coming: Vec<u32>,
    /// Misses not called yet.
    misses_coming: u32,
}

/// What a sweep found.
enum Swept {
    Order(Vec<u32>),
    /// This operation cannot return.
    Stuck(u32),
    GaveUp,
}

/// Decides `cells`, within `budget`. A contradiction is the operation that cannot return, and all that had been called.
pub(super) fn decide(cells: &Cells, budget: &mut Budget<'_>) -> Decision {
    match Sweep::new(cells, true).run(budget) {
        Swept::Order(order) => Decision::Order(order.into_iter().map(|op| cells.ops[op as usize].at).collect()),
        Swept::GaveUp => Decision::Undecided,
        Swept::Stuck(_) => {
            // What is still to come may have told early. When did it show?
            let shown = match Sweep::new(cells, false).run(budget) {
                Swept::Stuck(due) => Some(due),
                Swept::Order(_) | Swept::GaveUp => cells.by_return().last().copied(),
            };
            let due = cells.ops[shown.expect("what is stuck returns") as usize];
            let mut contradiction = Contradiction::everything();
            contradiction.add(due.at, due.returned);
            Decision::Impossible(contradiction)
        }
    }
}

struct Sweep<'a> {
    flight: Flight<'a>,
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
                Some(false) => return Swept::Stuck(due),
                Some(true) => {}
            }
            self.paths.collect(
                self.configurations
                    .iter_mut()
                    .map(|configuration| &mut configuration.path),
            );
        }
        let best = self
            .configurations
            .iter()
            .min_by_key(|configuration| configuration.cost);
        let path = self
            .paths
            .of(best.expect("a sweep that did not stop keeps a configuration").path);
        super::settle_replay::order(cells, &by_return, &self.flight.sorts, &path).map_or(Swept::GaveUp, Swept::Order)
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

    /// Every configuration to one in which `due` owes nothing. `Some(false)`: there is none; `None`: the budget is spent.
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
        self.flight.leave(due, slot);
        self.configurations.clear();
        for index in 0..self.settled.len() {
            let mut configuration = self.settled[index];
            configuration.usable &= !slot;
            insert(&mut self.configurations, configuration, self.flight.scarce);
        }
        Some(!self.configurations.is_empty())
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

/// An operation that can be placed, and the value that it leaves.
#[derive(Clone, Copy, Default)]
struct Candidate {
    value: u32,
    /// Empty for one of a supply.
    slot: Slots,
    by: u32,
    is_plain: bool,
}

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

impl<'a> Flight<'a> {
    fn new(cells: &'a Cells, foresight: bool) -> Self {
        let values = cells.values as usize;
        let none = || vec![0; values];
        let mut flight = Flight {
            cells,
            foresight,
            at: Vec::new(),
            vacant: Vec::new(),
            readers: none(),
            missers: none(),
            writers: none(),
            setters: none(),
            takers: none(),
            misses: 0,
            plain: 0,
            scarce: Slots::MAX,
            sorts: Vec::new(),
            supply: vec![NONE; values],
            supply_from: vec![Vec::new(); values],
            supply_to: vec![false; values],
            supplied: Vec::new(),
            wanted: vec![0; values],
            asked: vec![0; values],
            coming: vec![0; values],
            misses_coming: 0,
        };
        for op in &cells.ops {
            if let Some(value) = op.what.writes() {
                flight.coming[value as usize] += 1;
            }
            match op.what {
                What::Read(value) | What::Cas(value, _) | What::Miss(value) => flight.asked[value as usize] += 1,
                What::Write(_) => {}
            }
            match op.what {
                What::Read(value) | What::Cas(value, _) if op.returned != NEVER => flight.wanted[value as usize] += 1,
                What::Miss(_) => flight.misses_coming += 1,
                _ => {}
            }
        }
        flight
    }

    fn leaves_the_future(&mut self, what: What) {
        if let Some(value) = what.writes() {
            self.coming[value as usize] -= 1;
        }
        if let What::Read(value) | What::Cas(value, _) | What::Miss(value) = what {
            self.asked[value as usize] -= 1;
        }
    }

    /// Whether nobody will ever tell `value` from another that nobody asks for.
    fn is_dead(&self, value: u32) -> bool {
        let value = value as usize;
        let asks = self.readers[value] | self.takers[value] | self.missers[value];
        self.foresight && self.asked[value] == 0 && asks == 0 && self.supply_from[value].is_empty()
    }

    /// Of the values in supply, those that are worth writing.
    fn prune_supply(&mut self) {
        let mut supplied = std::mem::take(&mut self.supplied);
        let mut dead = 0;
        supplied.retain(|&value| {
            dead += u32::from(self.is_dead(value));
            !self.is_dead(value) || dead == 1
        });
        self.supplied = supplied;
    }

    fn supply_more(&mut self, what: What) {
        let sort = SUPPLY + self.sorts.len() as u32;
        match what {
            What::Write(value) if self.supply[value as usize] == NONE => {
                self.supply[value as usize] = sort;
                self.supplied.push(value);
                self.scarce &= !self.writers[value as usize];
                self.sorts.push(what);
            }
            What::Cas(from, to) => {
                let is_known = |&sort: &u32| self.sorts[(sort - SUPPLY) as usize] == what;
                if !self.supply_from[from as usize].iter().any(is_known) {
                    self.supply_from[from as usize].push(sort);
                    self.supply_to[to as usize] = true;
                    self.sorts.push(what);
                }
            }
            What::Write(_) | What::Read(_) | What::Miss(_) => {}
        }
    }

    fn enter(&mut self, index: u32) -> Option<Slots> {
        let place = match self.vacant.pop() {
            Some(place) => place,
            None if self.at.len() as u32 == WIDTH => return None,
            None => {
                self.at.push(NONE);
                self.at.len() as u32 - 1
            }
        };
        self.at[place as usize] = index;
        let slot = 1 << place;
        self.scarce |= slot;
        match self.cells.ops[index as usize].what {
            What::Read(value) => {
                self.wanted[value as usize] -= 1;
                self.readers[value as usize] |= slot;
            }
            What::Miss(value) => {
                self.misses_coming -= 1;
                self.misses |= slot;
                self.missers[value as usize] |= slot;
            }
            What::Write(value) => {
                self.plain |= slot;
                self.writers[value as usize] |= slot;
                if self.supply[value as usize] != NONE {
                    self.scarce &= !slot;
                }
            }
            What::Cas(from, to) => {
                self.wanted[from as usize] -= 1;
                self.takers[from as usize] |= slot;
                self.setters[to as usize] |= slot;
            }
        }
        Some(slot)
    }

    fn leave(&mut self, index: u32, slot: Slots) {
        self.vacant.push(slot.trailing_zeros());
        match self.cells.ops[index as usize].what {
            What::Read(value) => self.readers[value as usize] &= !slot,
            What::Miss(value) => {
                self.misses &= !slot;
                self.missers[value as usize] &= !slot;
            }
            What::Write(value) => {
                self.plain &= !slot;
                self.writers[value as usize] &= !slot;
            }
            What::Cas(from, to) => {
                self.takers[from as usize] &= !slot;
                self.setters[to as usize] &= !slot;
            }
        }
    }

    fn slot_of(&self, index: u32) -> Slots {
        let place = self.at.iter().position(|&at| at == index);
        1 << place.expect("an operation that returns is in flight")
    }

    fn first_to_return(&self, candidates: Slots) -> Slots {
        let mut first = candidates & candidates.wrapping_neg();
        let mut rest = candidates & !first;
        let returned = |slot| (self.op_in(slot).returned, self.op_in(slot).at);
        while rest != 0 {
            let slot = rest & rest.wrapping_neg();
            rest &= !slot;
            if returned(slot) < returned(first) {
                first = slot;
            }
        }
        first
    }

    /// What owes nothing any more while `value` is held.
    fn satisfied_by(&self, value: u32) -> Slots {
        let value = value as usize;
        self.readers[value] | self.misses & !self.missers[value] | self.writers[value]
    }

    /// The plain writes that can be placed in `from`, of equal ones the first to return; one of a supply only where there is none.
    fn plain_writes(&self, from: &Configuration, add: &mut impl FnMut(Candidate)) {
        let mut rest = from.usable & self.plain;
        while rest != 0 {
            let one = rest & rest.wrapping_neg();
            let value = self.op_in(one).what.writes().expect("a write writes");
            let equal = from.usable & self.writers[value as usize];
            rest &= !equal;
            if value != from.value {
                let slot = self.first_to_return(equal);
                let by = self.at[slot.trailing_zeros() as usize];
                add(Candidate {
                    value,
                    slot,
                    by,
                    is_plain: true,
                });
            }
        }
        for &value in &self.supplied {
            if value != from.value && from.usable & self.writers[value as usize] == 0 {
                let by = self.supply[value as usize];
                add(Candidate {
                    value,
                    slot: 0,
                    by,
                    is_plain: true,
                });
            }
        }
    }

    /// The compare-and-sets that can be placed in `from`, in the same way; none while any but it of `asked` asks for the value.
    fn compare_and_sets(&self, from: &Configuration, asked: Slots, add: &mut impl FnMut(Candidate)) {
        let takers = from.usable & self.takers[from.value as usize];
        let mut rest = takers;
        while rest != 0 {
            let one = rest & rest.wrapping_neg();
            let value = self.op_in(one).what.writes().expect("a compare-and-set writes");
            let equal = takers & self.setters[value as usize];
            rest &= !equal;
            let slot = self.first_to_return(equal);
            if asked & !slot == 0 {
                let by = self.at[slot.trailing_zeros() as usize];
                add(Candidate {
                    value,
                    slot,
                    by,
                    is_plain: false,
                });
            }
        }
        for &by in &self.supply_from[from.value as usize] {
            let value = self.sorts[(by - SUPPLY) as usize]
                .writes()
                .expect("a compare-and-set writes");
            let is_there = takers & self.setters[value as usize] != 0 || self.supply[value as usize] != NONE;
            if asked == 0 && !is_there {
                add(Candidate {
                    value,
                    slot: 0,
                    by,
                    is_plain: false,
                });
            }
        }
    }

    fn op_in(&self, slot: Slots) -> &'a CellOp {
        &self.cells.ops[self.at[slot.trailing_zeros() as usize] as usize]
    }

    /// Whether `configuration`, in which the plain write `due` is free at its return, may have a use for it.
    fn is_last_chance(&self, configuration: &Configuration, due: Slots) -> bool {
        if configuration.usable & self.plain & self.scarce & due == 0 {
            return false;
        }
        let value = self.op_in(due).what.writes().expect("a write writes") as usize;
        let asks = self.readers[value] | self.takers[value];
        let is_wanted = !self.foresight
            || self.wanted[value] > 0
            || configuration.owes & asks != 0
            || self.supply_from_now_on(value);
        let is_missed = self.misses != 0 || self.misses_coming > 0;
        is_wanted || is_missed
    }

    /// Whether an operation of unknown outcome finds `value`, now or later.
    fn supply_from_now_on(&self, value: usize) -> bool {
        !self.supply_from[value].is_empty() || self.asked[value] > self.wanted[value]
    }

    /// The operations in flight that keep `configuration` from leaving its value, since nothing could bring it back; all
    /// when one not called yet does.
    fn asked_for(&self, configuration: &Configuration) -> Slots {
        let value = configuration.value as usize;
        let can_return = !self.foresight
            || self.coming[value] > 0
            || self.supply[value] != NONE
            || self.supply_to[value]
            || configuration.usable & (self.writers[value] | self.setters[value]) != 0;
        if can_return {
            0
        } else if self.wanted[value] > 0 {
            Slots::MAX
        } else {
            configuration.owes & self.takers[value]
        }
    }
}
