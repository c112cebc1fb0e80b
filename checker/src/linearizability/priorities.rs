//! Priority queues with distinct elements.
//!
//! Larger elements never stand in the way of smaller ones, so the smallest comes first: it is taken out as early as it can be
//! and put in as late as it can be, and is then inside for as short a time as possible. The next one is taken out at the first
//! moment at which no smaller one is inside, and so on; a removal that found nothing comes last, as if for an element larger than
//! all. Each choice leaves the most room to the larger ones, so a dead end is a proof. (The elements come in the order in which
//! Lee and Mathur 2025 take them away; the greedy choice of moments is this project's.)
//!
//! Insertions of unknown outcome happened exactly when their element was taken out. O(n log n).

use super::elements::{Covered, Element, Elements};
use super::lower::{NEVER, NONE};
use super::portfolio::Contradiction;

/// Most elements of a contradiction that is worth telling.
const CONTRADICTION_MAX: usize = 32;

/// The time that an element spends inside.
#[derive(Clone, Copy)]
struct Stay {
    element: Element,
    start: u64,
    /// [`NEVER`] when it stays.
    end: u64,
}

/// The best one leaves first.
impl Elements {
    /// The operations in an order that a priority queue allows from which the least leaves first, or the greatest. `None`: not decided.
    pub(super) fn by_priority(&self, greatest_first: bool) -> Result<Option<Vec<u32>>, Contradiction> {
        let rank = |element: &Element| {
            let value = i128::from(self.value(element));
            if greatest_first { -value } else { value }
        };
        self.settle(
            |elements, empties| {
                let mut elements = elements.to_vec();
                elements.sort_unstable_by_key(rank);
                self.prioritised(&elements, empties)
            },
            |element| (self.earliest_removal(element), rank(element), rank(element)),
        )
    }

    pub(super) fn earliest_removal(&self, element: &Element) -> u64 {
        self.call(element.remove).max(self.call(element.insert))
    }

    /// `elements` with the best first.
    fn prioritised(&self, elements: &[Element], empties: &[u32]) -> Result<Option<Vec<u32>>, Contradiction> {
        let mut covered = Covered::default();
        let mut stays: Vec<Stay> = Vec::with_capacity(elements.len());
        for &element in elements {
            let end = if element.remove == NONE {
                NEVER
            } else {
                covered.first_free(self.earliest_removal(&element))
            };
            if end > self.returned(element.remove) {
                return self.in_the_way(&stays, element, NONE);
            }
            let start = self.returned(element.insert).min(end);
            covered.cover(start, end);
            stays.push(Stay { element, start, end });
        }
        // At one moment: those leave that were inside; then it is as empty as it gets; then others come.
        let mut places: Vec<(u64, u8, u32, u32)> = Vec::with_capacity(2 * stays.len() + empties.len());
        for (rank, stay) in (0..).zip(&stays) {
            let Element { insert, remove } = stay.element;
            let is_short = stay.start == stay.end;
            places.push((stay.start, if is_short { 1 } else { 2 }, rank, insert));
            if stay.end != NEVER {
                places.push((stay.end, u8::from(is_short), rank, remove));
            }
        }
        for &empty in empties {
            let moment = covered.first_free(self.call(empty));
            if moment > self.returned(empty) {
                let nobody = Element {
                    insert: NONE,
                    remove: NONE,
                };
                return self.in_the_way(&stays, nobody, empty);
            }
            places.push((moment, 1, u32::MAX, empty));
        }
        // The insertion of a short stay comes before its removal: the sort is stable.
        places.sort_by_key(|&(moment, phase, rank, _)| (moment, phase, rank));
        Ok(Some(places.into_iter().map(|(.., op)| op).collect()))
    }

    /// The contradiction between `element`, or the removal `empty` that found nothing, and what was inside all along.
    fn in_the_way(&self, stays: &[Stay], element: Element, empty: u32) -> Result<Option<Vec<u32>>, Contradiction> {
        let mut together = Vec::new();
        // From when to when each of them waited, and how many are better.
        let mut waits = Vec::new();
        if empty == NONE {
            together.push(element);
            waits.push((
                self.earliest_removal(&element),
                self.returned(element.remove),
                stays.len(),
            ));
        } else {
            waits.push((self.call(empty), self.returned(empty), stays.len()));
        }
        while let Some((from, until, better)) = waits.pop() {
            let mut moment = from;
            while moment <= until && moment != NEVER {
                let inside = |&(_, stay): &(usize, &Stay)| stay.start < moment && moment < stay.end;
                let longest = stays[..better]
                    .iter()
                    .enumerate()
                    .filter(inside)
                    .max_by_key(|(_, stay)| stay.end);
                let Some((rank, stay)) = longest else { return Ok(None) };
                moment = stay.end;
                if together
                    .iter()
                    .any(|other: &Element| other.insert == stay.element.insert)
                {
                    continue;
                }
                together.push(stay.element);
                let earliest = self.earliest_removal(&stay.element);
                if stay.end != NEVER && earliest < stay.end {
                    // It would have gone sooner, if it could: at any moment before its end something better was inside.
                    waits.push((earliest, stay.end - 1, rank));
                }
            }
            if together.len() > CONTRADICTION_MAX {
                return Ok(None);
            }
        }
        Err(self.contradiction_of(&together, empty))
    }
}
