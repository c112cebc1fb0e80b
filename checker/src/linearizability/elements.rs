//! Collections whose elements are put in and taken out one by one: what the methods for queues, stacks and priority queues share.
//!
//! Owns the operations on such a collection; which element each of them is about, and what is impossible whatever the discipline:
//! to take out what was not put in, or the same twice; and which operation of unknown outcome takes what would be in the way.
//!
//! The methods rest on one more fact. Leave out some elements with all their operations, and what is left is a history of the
//! same type: so a contradiction between few elements stays one, whatever happened to the others.

use super::lower::{Lowered, Moment, NEVER, NONE, Names, Timed, by_call, known_at};
use super::portfolio::{Contradiction, Decision};
use crate::history::{Atom, History, OperationId};
use crate::models::{Action, Model};

/// What an operation on a collection did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ElementOp {
    Insert(u32),
    Remove(u32),
    /// Nobody knows which element, if any.
    RemoveSome,
    RemoveNothing,
}

/// The operations of one collection by call. Elements are numbers.
pub(super) struct Elements {
    ops: Vec<Timed<ElementOp>>,
    /// The value of each element that is an integer; 0 for the others.
    values: Vec<i64>,
}

impl Lowered for Elements {
    type What = ElementOp;

    fn ops(&self) -> &[Timed<ElementOp>] {
        &self.ops
    }
}

/// One element: its insertion and its removal, if there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) insert: u32,
    pub(super) remove: u32,
}

/// The operations by element.
pub(super) struct Gathered {
    /// With the removals that returned.
    pub(super) elements: Vec<Element>,
    /// For each element a removal of it that may not have happened.
    pub(super) offered: Vec<u32>,
    /// Removals of unknown outcome that may have taken any element, by call.
    pub(super) spare: Vec<u32>,
    /// Removals that found nothing, by call.
    pub(super) empties: Vec<u32>,
}

impl Elements {
    /// The operations `ids` as they were known at `until`; `None` when one of them is not of such a collection.
    pub(super) fn new<M: Model>(
        history: &History,
        model: &M,
        ids: &[OperationId],
        until: Option<Moment>,
    ) -> Option<Self> {
        let mut names = Names::new(history, ids.len(), None);
        let mut ops = Vec::with_capacity(ids.len());
        let mut values: Vec<i64> = Vec::new();
        let mut name = |value: Atom| {
            let name = names.name(value);
            if name as usize == values.len() {
                values.push(if let Atom::Integer(integer) = value { integer } else { 0 });
            }
            name
        };
        let run = history.run(ids);
        for at in 0..ids.len() {
            let Some(operation) = known_at(run.get(at), at, until) else {
                continue;
            };
            let what = match model.action(history, &operation)? {
                Action::Nothing => continue,
                Action::Insert(value) => ElementOp::Insert(name(value)),
                Action::Remove(Some(value)) => ElementOp::Remove(name(value)),
                Action::Remove(None) => ElementOp::RemoveSome,
                Action::RemoveNothing => ElementOp::RemoveNothing,
                _ => return None,
            };
            ops.push(Timed::new(&operation, at, what)?);
        }
        Some(Elements {
            ops: by_call(ops),
            values,
        })
    }

    /// What one of the disciplines says of the operations.
    pub(super) fn decide(&self, by: impl Fn(&Self) -> Result<Option<Vec<u32>>, Contradiction>) -> Decision {
        match by(self) {
            Ok(Some(order)) => Decision::Order(order.into_iter().map(|op| self.ops[op as usize].at).collect()),
            Ok(None) => Decision::Undecided,
            Err(contradiction) => Decision::Impossible(contradiction.map(|op| self.ops[op as usize].at)),
        }
    }

    pub(super) fn call(&self, op: u32) -> u64 {
        if op == NONE { NEVER } else { self.ops[op as usize].call }
    }

    pub(super) fn returned(&self, op: u32) -> u64 {
        if op == NONE {
            NEVER
        } else {
            self.ops[op as usize].returned
        }
    }

    /// The value of an element, which was put in.
    pub(super) fn value(&self, element: &Element) -> i64 {
        match self.ops[element.insert as usize].what {
            ElementOp::Insert(name) => self.values[name as usize],
            _ => unreachable!("an element is put in by an insertion"),
        }
    }

    pub(super) fn contradiction(&self, ops: &[u32]) -> Contradiction {
        let mut contradiction = Contradiction::default();
        ops.iter().for_each(|&op| contradiction.add(op, self.returned(op)));
        contradiction
    }

    /// The contradiction of these elements, and of `op` unless it is [`NONE`].
    pub(super) fn contradiction_of(&self, elements: &[Element], op: u32) -> Contradiction {
        let ops = elements.iter().flat_map(|element| [element.insert, element.remove]);
        let ops: Vec<u32> = ops.chain([op]).filter(|&op| op != NONE).collect();
        self.contradiction(&ops)
    }

    /// `Ok(None)`: one value was put in twice.
    pub(super) fn gather(&self) -> Result<Option<Gathered>, Contradiction> {
        let nobody = Element {
            insert: NONE,
            remove: NONE,
        };
        let mut elements = vec![nobody; self.values.len()];
        let mut offered = vec![NONE; self.values.len()];
        let (mut spare, mut empties) = (Vec::new(), Vec::new());
        let mut twice = None;
        for (index, op) in (0..).zip(&self.ops) {
            match op.what {
                ElementOp::Insert(value) if elements[value as usize].insert != NONE => return Ok(None),
                ElementOp::Insert(value) => elements[value as usize].insert = index,
                ElementOp::Remove(value) if op.returned == NEVER => offered[value as usize] = index,
                ElementOp::Remove(value) => {
                    let other = std::mem::replace(&mut elements[value as usize].remove, index);
                    if other != NONE {
                        twice.get_or_insert((value, other, index));
                    }
                }
                ElementOp::RemoveSome => spare.push(index),
                ElementOp::RemoveNothing => empties.push(index),
            }
        }
        if let Some((value, one, other)) = twice {
            let mut contradiction = self.contradiction(&[one, other]);
            if elements[value as usize].insert != NONE {
                contradiction.add_context(elements[value as usize].insert);
            }
            return Err(contradiction);
        }
        for element in &elements {
            if element.remove == NONE {
                continue;
            }
            if element.insert == NONE || self.returned(element.remove) < self.call(element.insert) {
                return Err(self.contradiction(&[element.remove]));
            }
        }
        Ok(Some(Gathered {
            elements,
            offered,
            spare,
            empties,
        }))
    }

    /// Asks `discipline` for an order of the elements that were inside, and the removals that found nothing.
    ///
    /// `obstructs` tells of an element, or of a removal that found nothing, which elements must be gone before it: those of smaller
    /// rank whose insertion returned before its moment.
    pub(super) fn settle(
        &self,
        discipline: impl Fn(&[Element], &[u32]) -> Result<Option<Vec<u32>>, Contradiction>,
        obstructs: impl Fn(&Element) -> (u64, i128, i128),
    ) -> Result<Option<Vec<u32>>, Contradiction> {
        let Some(gathered) = self.gather()? else {
            return Ok(None);
        };
        let Gathered {
            elements,
            offered,
            spare,
            empties,
        } = gathered;
        let mut inside: Vec<Element> = Vec::with_capacity(elements.len());
        for (element, own) in elements.iter().zip(offered) {
            let is_there = element.remove != NONE || self.returned(element.insert) != NEVER;
            if element.insert != NONE && is_there {
                // To leave at the end, in flight for ever, never hurts.
                let remove = if element.remove == NONE { own } else { element.remove };
                inside.push(Element { remove, ..*element });
            }
        }
        match discipline(&inside, &empties) {
            Err(refused) if spare.is_empty() => return Err(refused),
            Err(_) => {}
            order => return order,
        }
        // Nobody knows what the spare removals took: at most, all that was left.
        let taken: Vec<Element> = inside
            .iter()
            .copied()
            .filter(|element| element.remove != NONE)
            .collect();
        discipline(&taken, &empties)?;
        self.give_spares(&mut inside, &spare, &empties, obstructs);
        Ok(discipline(&inside, &empties).unwrap_or(None))
    }

    /// Gives the spare removals to elements that nobody took and that are in the way of others, the most pressing first.
    fn give_spares(
        &self,
        inside: &mut [Element],
        spare: &[u32],
        empties: &[u32],
        obstructs: impl Fn(&Element) -> (u64, i128, i128),
    ) {
        // (moment, rank, deadline) of what can be obstructed, the latest moment first.
        let mut obstructed: Vec<(u64, i128, u64)> = Vec::new();
        let mut left: Vec<(u64, i128, usize)> = Vec::new();
        for (index, element) in inside.iter().enumerate() {
            let (moment, rank, own) = obstructs(element);
            if element.remove == NONE {
                left.push((self.returned(element.insert), own, index));
            } else {
                obstructed.push((moment, rank, self.returned(element.remove)));
            }
        }
        obstructed.extend(empties.iter().map(|&op| (self.call(op), i128::MAX, self.returned(op))));
        obstructed.sort_unstable_by(|one, other| other.cmp(one));
        left.sort_unstable_by(|one, other| other.cmp(one));
        let mut ranks: Vec<i128> = obstructed.iter().map(|&(_, rank, _)| rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let mut least = LeastAbove::new(ranks.len());
        let mut pressing = Vec::new();
        let mut seen = 0;
        for (returned, rank, index) in left {
            let is_due = |&&(moment, ..): &&(u64, i128, u64)| moment > returned;
            while let Some(&(_, rank, deadline)) = obstructed.get(seen).filter(is_due) {
                least.lower(ranks.partition_point(|&other| other < rank), deadline);
                seen += 1;
            }
            let deadline = least.above(ranks.partition_point(|&other| other <= rank));
            if deadline != NEVER {
                pressing.push((deadline, index));
            }
        }
        pressing.sort_unstable();
        for ((_, index), &remove) in pressing.into_iter().zip(spare) {
            inside[index].remove = remove;
        }
    }
}

/// The least number at or above a place, as numbers come in: a Fenwick tree from behind.
struct LeastAbove {
    tree: Vec<u64>,
}

impl LeastAbove {
    fn new(places: usize) -> Self {
        LeastAbove {
            tree: vec![NEVER; places + 1],
        }
    }

    fn lower(&mut self, place: usize, number: u64) {
        let mut at = self.tree.len() - 1 - place;
        while let Some(least) = self.tree.get_mut(at) {
            *least = number.min(*least);
            at += at & at.wrapping_neg();
        }
    }

    fn above(&self, place: usize) -> u64 {
        let mut at = self.tree.len() - 1 - place;
        let mut least = NEVER;
        while at > 0 {
            least = least.min(self.tree[at]);
            at &= at - 1;
        }
        least
    }
}

/// Stretches of time during which something is inside for sure, without their ends.
#[derive(Default)]
pub(super) struct Covered {
    /// From the end to the start: apart from each other, or touching.
    stretches: std::collections::BTreeMap<u64, u64>,
}

impl Covered {
    /// The first moment from `moment` on that is not covered; [`NEVER`] when there is none.
    pub(super) fn first_free(&self, moment: u64) -> u64 {
        match self.stretches.range(moment.saturating_add(1)..).next() {
            Some((&end, &start)) if start < moment => end,
            _ => moment,
        }
    }

    /// Covers the moments between `start` and `end`.
    pub(super) fn cover(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((&other_end, &other_start)) = self.stretches.range(start.saturating_add(1)..).next() {
            if other_start >= end {
                break;
            }
            self.stretches.remove(&other_end);
            start = start.min(other_start);
            end = end.max(other_end);
        }
        self.stretches.insert(end, start);
    }
}
