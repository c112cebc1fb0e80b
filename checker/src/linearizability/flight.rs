//! What is in flight at one moment of a settling sweep, what has been called and will never return, and what is still to come.
//!
//! Owns the slots of the operations in flight, by value and kind; the supply of operations of unknown outcome; the counts of
//! what is not called yet; and which operations can be placed next. Which configurations there are is the business of
//! [`settling`](super::settling), where the rules have their numbers.

use super::lower::{CellOp, Cells, NEVER, NONE, What};
use super::paths::SUPPLY;
use super::settling::Configuration;

/// Most operations in flight that have a return.
const WIDTH: u32 = u128::BITS;

/// A set of operations in flight, by slot.
pub(super) type Slots = u128;

/// What is in flight, and what is still to come.
pub(super) struct Flight<'a> {
    pub(super) cells: &'a Cells,
    /// Whether what is still to come is known: `wanted`, `asked`, `coming`, `misses_coming`.
    foresight: bool,
    /// The operation in each slot.
    pub(super) at: Vec<u32>,
    vacant: Vec<u32>,
    /// For each value: slots of the operations that read it, miss it, write it, set it if they can, and find it.
    readers: Vec<Slots>,
    missers: Vec<Slots>,
    writers: Vec<Slots>,
    setters: Vec<Slots>,
    takers: Vec<Slots>,
    misses: Slots,
    pub(super) plain: Slots,
    /// Slots of plain writes whose value is not in supply.
    pub(super) scarce: Slots,
    /// The sorts of operations of unknown outcome called so far; a sort is named by its place.
    pub(super) sorts: Vec<What>,
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

/// An operation that can be placed, and the value that it leaves.
#[derive(Clone, Copy, Default)]
pub(super) struct Candidate {
    pub(super) value: u32,
    /// Empty for one of a supply.
    pub(super) slot: Slots,
    pub(super) by: u32,
    pub(super) is_plain: bool,
}

impl<'a> Flight<'a> {
    pub(super) fn new(cells: &'a Cells, foresight: bool) -> Self {
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

    pub(super) fn leaves_the_future(&mut self, what: What) {
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
    pub(super) fn prune_supply(&mut self) {
        let mut supplied = std::mem::take(&mut self.supplied);
        let mut dead = 0;
        supplied.retain(|&value| {
            dead += u32::from(self.is_dead(value));
            !self.is_dead(value) || dead == 1
        });
        self.supplied = supplied;
    }

    pub(super) fn supply_more(&mut self, what: What) {
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

    pub(super) fn enter(&mut self, index: u32) -> Option<Slots> {
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

    pub(super) fn leave(&mut self, index: u32, slot: Slots) {
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

    pub(super) fn slot_of(&self, index: u32) -> Slots {
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
    pub(super) fn satisfied_by(&self, value: u32) -> Slots {
        let value = value as usize;
        self.readers[value] | self.misses & !self.missers[value] | self.writers[value]
    }

    /// The plain writes that can be placed in `from`, of equal ones the first to return; one of a supply only where there is none.
    pub(super) fn plain_writes(&self, from: &Configuration, add: &mut impl FnMut(Candidate)) {
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
    pub(super) fn compare_and_sets(&self, from: &Configuration, asked: Slots, add: &mut impl FnMut(Candidate)) {
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
    pub(super) fn is_last_chance(&self, configuration: &Configuration, due: Slots) -> bool {
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
    pub(super) fn asked_for(&self, configuration: &Configuration) -> Slots {
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
