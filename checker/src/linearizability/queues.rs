//! First-in-first-out queues with distinct elements.
//!
//! An element that was taken out was put in, once, and not later. Elements leave in the order in which they came: one that was
//! put in before another was called to be leaves before it. And a removal that found nothing needs a moment at which nothing
//! was inside. **Theorem** (Henzinger, Sezgin and Vafeiadis 2013): that is all, so a violation needs two elements, or one
//! empty answer. (Lee and Mathur 2025 take the linearizable case apart element by element, which is what `order` does.)
//!
//! An insertion of unknown outcome happened exactly when its element was taken out. A removal of unknown outcome may have
//! taken any element that nobody else took; it is given one only where that one would be in the way, the most pressing first.
//! Where such removals and empty answers meet, the method may not decide.
//!
//! O(n log n).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::elements::{Element, Elements, Gathered};
use super::lower::{Lowered, NEVER, NONE};
use super::portfolio::Contradiction;

/// First in, first out.
impl Elements {
    /// The operations in an order that a queue allows; `None`: not decided.
    pub(super) fn as_queue(&self) -> Result<Option<Vec<u32>>, Contradiction> {
        let Some(gathered) = self.gather()? else {
            return Ok(None);
        };
        let Gathered {
            mut elements,
            offered,
            spare,
            empties,
        } = gathered;
        let is_there = |element: &&Element| {
            element.insert != NONE && (element.remove != NONE || self.returned(element.insert) != NEVER)
        };
        if !self.clear_the_way(&mut elements, &offered, &spare)? {
            return Ok(None);
        }
        let elements: Vec<Element> = elements.iter().filter(is_there).copied().collect();
        match self.sequence(&elements) {
            Some(sequence) => Ok(self.merge(&sequence, &empties)),
            None => self.overtaking(&elements).map_or(Ok(None), Err),
        }
    }

    /// Gives every element that nobody took, and that one put in later overtook, a removal that may have taken it. `false`: there
    /// are not enough, which decides nothing. `Err`: nothing could have taken it.
    fn clear_the_way(&self, elements: &mut [Element], offered: &[u32], spare: &[u32]) -> Result<bool, Contradiction> {
        // Taken elements by the call of their insertion, and from each on the earliest return of a removal.
        let mut taken: Vec<(u64, u64, u32)> = Vec::new();
        for (index, element) in (0..).zip(elements.iter()) {
            if element.remove != NONE {
                taken.push((self.call(element.insert), self.returned(element.remove), index));
            }
        }
        taken.sort_unstable();
        let mut earliest = vec![(NEVER, NONE); taken.len() + 1];
        for (place, &(_, returned, index)) in taken.iter().enumerate().rev() {
            earliest[place] = earliest[place + 1].min((returned, index));
        }
        let mut pressing = Vec::new();
        for (index, element) in (0..).zip(elements.iter_mut()) {
            if element.insert == NONE || element.remove != NONE || self.returned(element.insert) == NEVER {
                continue;
            }
            let later = taken.partition_point(|&(call, ..)| call <= self.returned(element.insert));
            let (deadline, overtaker) = earliest[later];
            if overtaker == NONE {
                continue;
            }
            let own = offered[index as usize];
            if own != NONE && self.call(own) <= deadline {
                element.remove = own;
            } else if own != NONE {
                return Ok(false);
            } else {
                pressing.push((deadline, index, overtaker));
            }
        }
        if spare.is_empty()
            && let Some(&(_, index, overtaker)) = pressing.iter().min()
        {
            let overtaker = elements[overtaker as usize];
            let mut contradiction = self.contradiction(&[elements[index as usize].insert, overtaker.remove]);
            contradiction.add_context(overtaker.insert);
            return Err(contradiction);
        }
        pressing.sort_unstable();
        let mut spare = spare.iter();
        for (deadline, index, _) in pressing {
            match spare.next() {
                Some(&remove) if self.call(remove) <= deadline => elements[index as usize].remove = remove,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The elements in the order in which they come and go: again and again one that no other must come or leave before. `None`
    /// when there is none.
    fn sequence(&self, elements: &[Element]) -> Option<Vec<Element>> {
        let inserts = |element: &Element| element.insert;
        let removes = |element: &Element| element.remove;
        let mut coming = Frontier::new(self, elements, inserts);
        let mut leaving = Frontier::new(self, elements, removes);
        let mut sides = vec![0; elements.len()];
        let mut ready = BinaryHeap::new();
        let mut gone = vec![false; elements.len()];
        let mut sequence = Vec::with_capacity(elements.len());
        while sequence.len() < elements.len() {
            for frontier in [&mut coming, &mut leaving] {
                while let Some(index) = frontier.next(&gone) {
                    sides[index as usize] += 1;
                    if sides[index as usize] == 2 {
                        let element = &elements[index as usize];
                        // Who may leave first comes first, to keep few inside.
                        ready.push(Reverse((
                            self.call(element.remove),
                            self.returned(element.insert),
                            index,
                        )));
                    }
                }
            }
            let Reverse((.., index)) = ready.pop()?;
            gone[index as usize] = true;
            sequence.push(elements[index as usize]);
        }
        Some(sequence)
    }

    /// Two elements of which one came before the other and left after it.
    fn overtaking(&self, elements: &[Element]) -> Option<Contradiction> {
        let mut by_insert: Vec<&Element> = elements.iter().filter(|element| element.remove != NONE).collect();
        by_insert.sort_unstable_by_key(|element| self.call(element.insert));
        // From each on, the element that was gone first.
        let mut first_gone: Vec<&Element> = Vec::with_capacity(by_insert.len());
        for &element in by_insert.iter().rev() {
            let first = match first_gone.last() {
                Some(first) if self.returned(first.remove) <= self.returned(element.remove) => first,
                _ => element,
            };
            first_gone.push(first);
        }
        first_gone.reverse();
        let mut worst: Option<(u64, Contradiction)> = None;
        for element in &by_insert {
            let later = by_insert.partition_point(|other| self.call(other.insert) <= self.returned(element.insert));
            let Some(other) = first_gone.get(later) else { continue };
            if self.returned(other.remove) < self.call(element.remove) && self.returned(element.remove) != NEVER {
                let shown = self.returned(element.remove).max(self.returned(other.remove));
                if worst.as_ref().is_none_or(|(earlier, _)| shown < *earlier) {
                    let mut contradiction = self.contradiction(&[element.insert, element.remove, other.remove]);
                    contradiction.add_context(other.insert);
                    worst = Some((shown, contradiction));
                }
            }
        }
        worst.map(|(_, contradiction)| contradiction)
    }

    /// Insertions and removals, each in the order of `sequence`, merged: a removal as soon as it may be, an empty answer as soon as
    /// nothing is inside. `None` when something finds no place.
    fn merge(&self, sequence: &[Element], empties: &[u32]) -> Option<Vec<u32>> {
        let inserts: Vec<u32> = sequence.iter().map(|element| element.insert).collect();
        let removes: Vec<u32> = sequence
            .iter()
            .map(|element| element.remove)
            .take_while(|&op| op != NONE)
            .collect();
        let earliest = |ops: &[u32]| {
            let mut earliest = vec![NEVER; ops.len() + 1];
            for (place, &op) in ops.iter().enumerate().rev() {
                earliest[place] = earliest[place + 1].min(self.returned(op));
            }
            earliest
        };
        let (insert_returns, remove_returns) = (earliest(&inserts), earliest(&removes));
        let mut by_return = empties.to_vec();
        by_return.sort_by_key(|&op| self.returned(op));
        let mut placed = vec![false; self.ops().len()];
        let mut order = Vec::with_capacity(self.ops().len());
        let (mut inside, mut gone, mut empty, mut first) = (0, 0, 0, 0);
        loop {
            while by_return.get(first).is_some_and(|&op| placed[op as usize]) {
                first += 1;
            }
            let empty_return = by_return.get(first).map_or(NEVER, |&op| self.returned(op));
            let others = |returns: u64| returns.min(empty_return);
            if let Some(&op) = empties.get(empty)
                && inside == gone
                && self.call(op) <= insert_returns[inside].min(remove_returns[gone]).min(empty_return)
            {
                placed[op as usize] = true;
                order.push(op);
                empty += 1;
            } else if let Some(&op) = removes.get(gone)
                && gone < inside
                && self.call(op) <= others(insert_returns[inside])
            {
                order.push(op);
                gone += 1;
            } else if let Some(&op) = inserts.get(inside)
                && self.call(op) <= others(remove_returns[gone])
            {
                order.push(op);
                inside += 1;
            } else {
                let is_done = inside == inserts.len() && gone == removes.len() && empty == empties.len();
                return is_done.then_some(order);
            }
        }
    }
}

/// The elements of which no other must come first on one side, as elements are taken away.
struct Frontier {
    /// Calls of the side's operations with their elements, and returns.
    by_call: Vec<(u64, u32)>,
    by_return: Vec<(u64, u32)>,
    next_call: usize,
    next_return: usize,
}

impl Frontier {
    fn new(queue: &Elements, elements: &[Element], side: impl Fn(&Element) -> u32) -> Self {
        let sorted = |time: &dyn Fn(u32) -> u64| {
            let mut sorted: Vec<(u64, u32)> = elements.iter().map(|element| time(side(element))).zip(0..).collect();
            sorted.sort_unstable();
            sorted
        };
        Frontier {
            by_call: sorted(&|op| queue.call(op)),
            by_return: sorted(&|op| queue.returned(op)),
            next_call: 0,
            next_return: 0,
        }
    }

    /// The next element called no later than the earliest return among those that are not `gone`.
    fn next(&mut self, gone: &[bool]) -> Option<u32> {
        while self
            .by_return
            .get(self.next_return)
            .is_some_and(|&(_, index)| gone[index as usize])
        {
            self.next_return += 1;
        }
        let &(earliest, _) = self.by_return.get(self.next_return)?;
        let &(call, index) = self.by_call.get(self.next_call)?;
        (call <= earliest).then(|| {
            self.next_call += 1;
            index
        })
    }
}
