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

use super::elements::{Covered, Element, Elements, Gathered};
use super::lower::{Lowered, NEVER, NONE};
use super::portfolio::Contradiction;

/// First in, first out.
impl Elements {
    /// The operations in an order that a queue allows; `None`: not decided.
    pub(super) fn as_queue(&self) -> Result<Option<Vec<u32>>, Contradiction> {
        let Some(mut gathered) = self.gather()? else {
            return Ok(None);
        };
        if !self.clear_the_way(&mut gathered)? {
            return Ok(None);
        }
        let is_there = |element: &&Element| {
            element.insert != NONE && (element.remove != NONE || self.returned(element.insert) != NEVER)
        };
        let elements: Vec<Element> = gathered.elements.iter().filter(is_there).copied().collect();
        let Some(moments) = self.moments(&elements, &gathered)? else {
            return Ok(None);
        };
        match self.sequence(&elements, &moments) {
            Some(sequence) => Ok(self.merge(&sequence, &moments)),
            None => self.overtaking(&elements).map_or(Ok(None), Err),
        }
    }

    /// Gives every element that nobody took, and that one put in later overtook or an empty answer denies, a removal that may have
    /// taken it. `false`: there are not enough, which decides nothing. `Err`: nothing could have taken it.
    fn clear_the_way(&self, gathered: &mut Gathered) -> Result<bool, Contradiction> {
        let Gathered {
            elements,
            offered,
            spare,
            empties,
        } = gathered;
        // Calls before which what was inside must be gone when an operation returns: insertions of what was taken, empty answers.
        let mut denials: Vec<(u64, u64, [u32; 2])> = Vec::new();
        for element in elements.iter().filter(|element| element.remove != NONE) {
            let Element { insert, remove } = *element;
            denials.push((self.call(insert), self.returned(remove), [remove, insert]));
        }
        denials.extend(empties.iter().map(|&op| (self.call(op), self.returned(op), [op, op])));
        denials.sort_unstable();
        // From each on, the earliest return.
        let mut earliest = vec![(NEVER, [NONE; 2]); denials.len() + 1];
        for (place, &(_, returned, ops)) in denials.iter().enumerate().rev() {
            earliest[place] = earliest[place + 1].min((returned, ops));
        }
        let mut pressing = Vec::new();
        for (index, element) in elements.iter_mut().enumerate() {
            if element.insert == NONE || element.remove != NONE || self.returned(element.insert) == NEVER {
                continue;
            }
            let later = denials.partition_point(|&(call, ..)| call <= self.returned(element.insert));
            let (deadline, denial) = earliest[later];
            if denial[0] == NONE {
                continue;
            }
            if offered[index] != NONE && self.call(offered[index]) <= deadline {
                element.remove = offered[index];
            } else {
                pressing.push((deadline, index, denial));
            }
        }
        pressing.sort_unstable();
        if let Some(&(_, index, [op, context])) = pressing.first()
            && spare.is_empty()
        {
            let mut contradiction = self.contradiction(&[elements[index].insert, op]);
            for context in [context, offered[index]] {
                if context != NONE {
                    contradiction.add_context(context);
                }
            }
            return Err(contradiction);
        }
        let mut spare = spare.iter();
        for (deadline, index, _) in pressing {
            match spare.next() {
                Some(&remove) if self.call(remove) <= deadline => elements[index].remove = remove,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The empty answers, each with a moment at which nothing need be inside, by that moment. `None`: it hangs on what removals of
    /// unknown outcome took.
    fn moments(&self, elements: &[Element], gathered: &Gathered) -> Result<Option<Vec<(u64, u32)>>, Contradiction> {
        if gathered.empties.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut covered = Covered::default();
        for element in elements {
            covered.cover(self.returned(element.insert), self.call(element.remove));
        }
        let mut moments = Vec::with_capacity(gathered.empties.len());
        for &empty in &gathered.empties {
            let moment = covered.first_free(self.call(empty));
            if moment > self.returned(empty) {
                let chain = self.chain(elements, self.call(empty) - 1, self.returned(empty).saturating_add(1));
                let is_open = chain.iter().any(|element| self.returned(element.remove) == NEVER);
                let has_takers = !gathered.spare.is_empty() || gathered.offered.iter().any(|&op| op != NONE);
                if is_open && has_takers {
                    return Ok(None);
                }
                return Err(self.contradiction_of(&chain, empty));
            }
            moments.push((moment, empty));
        }
        moments.sort_unstable();
        Ok(Some(moments))
    }

    /// The element was put in by then.
    fn is_in(&self, element: &Element) -> u64 {
        self.returned(element.insert).min(self.returned(element.remove))
    }

    /// The elements in the order in which they come and go: again and again one that no other must come or leave before. `None`
    /// when there is none.
    ///
    /// At each of the free `moments` nothing is inside. Whoever was put in or taken out for sure before it has come and gone; whoever
    /// must be before one of these is one of these as well, so that all of them can go first.
    fn sequence(&self, elements: &[Element], moments: &[(u64, u32)]) -> Option<Vec<Element>> {
        let span = |call: u64, returned: u64| Span { call, returned };
        let coming = elements
            .iter()
            .map(|element| span(self.call(element.insert), self.is_in(element)));
        let leaving = elements
            .iter()
            .map(|element| span(self.earliest_removal(element), self.returned(element.remove)));
        let (mut coming, mut leaving) = (Frontier::new(coming), Frontier::new(leaving));
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
                        let block = self.block(element, moments);
                        // Who may leave first comes first, to keep few inside.
                        ready.push(Reverse((block, self.call(element.remove), index)));
                    }
                }
            }
            let Reverse((.., index)) = ready.pop()?;
            gone[index as usize] = true;
            sequence.push(elements[index as usize]);
        }
        Some(sequence)
    }

    /// How many of the free `moments` are before the element.
    fn block(&self, element: &Element, moments: &[(u64, u32)]) -> usize {
        moments.partition_point(|&(moment, _)| moment <= self.is_in(element))
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

    /// The operations of `sequence`, and each empty answer at its moment. `None` when something finds no place.
    fn merge(&self, sequence: &[Element], moments: &[(u64, u32)]) -> Option<Vec<u32>> {
        let mut order = Vec::with_capacity(self.ops().len());
        let mut answered = 0;
        for block in sequence.chunk_by(|one, other| self.block(one, moments) == self.block(other, moments)) {
            let before = self.block(&block[0], moments);
            order.extend(moments[answered..before].iter().map(|&(_, empty)| empty));
            answered = before;
            self.merge_block(block, &mut order)?;
        }
        order.extend(moments[answered..].iter().map(|&(_, empty)| empty));
        Some(order)
    }

    /// Insertions and removals, each in the order of `sequence`, merged: a removal as soon as it may be. `None` when one finds no place.
    fn merge_block(&self, sequence: &[Element], order: &mut Vec<u32>) -> Option<()> {
        let earliest = |side: fn(&Element) -> u32| {
            let mut earliest = vec![NEVER; sequence.len() + 1];
            for (place, element) in sequence.iter().enumerate().rev() {
                earliest[place] = earliest[place + 1].min(self.returned(side(element)));
            }
            earliest
        };
        let (insert_returns, remove_returns) = (earliest(|element| element.insert), earliest(|element| element.remove));
        let (mut inside, mut gone) = (0, 0);
        loop {
            let returns = insert_returns[inside].min(remove_returns[gone]);
            if gone < inside && sequence[gone].remove != NONE && self.call(sequence[gone].remove) <= returns {
                order.push(sequence[gone].remove);
                gone += 1;
            } else if inside < sequence.len() && self.call(sequence[inside].insert) <= returns {
                order.push(sequence[inside].insert);
                inside += 1;
            } else {
                let is_done = inside == sequence.len() && sequence[gone..].iter().all(|element| element.remove == NONE);
                return is_done.then_some(());
            }
        }
    }
}

/// When something can have happened.
#[derive(Clone, Copy)]
struct Span {
    call: u64,
    returned: u64,
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
    fn new(spans: impl Iterator<Item = Span> + Clone) -> Self {
        let mut by_call: Vec<(u64, u32)> = spans.clone().map(|span| span.call).zip(0..).collect();
        let mut by_return: Vec<(u64, u32)> = spans.map(|span| span.returned).zip(0..).collect();
        by_call.sort_unstable();
        by_return.sort_unstable();
        Frontier {
            by_call,
            by_return,
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
