//! Stacks with distinct elements, by divide and conquer.
//!
//! An element that is pushed and popped at overlapping times can be both at one moment, and is then in nobody's way. Any other
//! is inside *for sure* from the return of its push to the call of its pop. At a moment that no such stretch covers the stack may be
//! empty, and the history falls apart into what is before and what is after. Between two such moments something is always inside,
//! and so the same element is at the bottom all the time: one that can be pushed before anybody else's push must have happened, and
//! popped after anybody else's pop can. Any such element will do (to move its push to the front and its pop to the end breaks
//! nothing), and without it the rest may fall apart further. If there is none, that is a proof, and a few elements whose stretches
//! cover the time suffice for it. (Lee and Mathur 2025 take stacks apart in this way; Abdulla et al. 2025 prove it for complete
//! histories.)
//!
//! Pushes of unknown outcome happened exactly when their element was popped. O(c n log n) for c operations in flight.

use super::elements::{Covered, Element, Elements};
use super::lower::{NEVER, NONE};
use super::portfolio::Contradiction;

/// Last in, first out.
impl Elements {
    /// The operations in an order that a stack allows; `None`: not decided.
    pub(super) fn as_stack(&self) -> Result<Option<Vec<u32>>, Contradiction> {
        self.settle(
            |elements, empties| self.stacked(elements, empties),
            // What is above an element must be gone when it is popped.
            |element| {
                let (called, returned) = (self.call(element.insert), self.returned(element.insert));
                (self.call(element.remove), -i128::from(returned), -i128::from(called))
            },
        )
    }

    fn stacked(&self, elements: &[Element], empties: &[u32]) -> Result<Option<Vec<u32>>, Contradiction> {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        let mut covered = Covered::default();
        for &element in elements {
            let (from, to) = (self.returned(element.insert), self.call(element.remove));
            if from >= to {
                short.push((self.call(element.insert).max(to), element));
            } else {
                covered.cover(from, to);
                long.push(element);
            }
        }
        long.sort_unstable_by_key(|element| self.returned(element.insert));
        let mut moments = Vec::with_capacity(empties.len());
        for &empty in empties {
            let moment = covered.first_free(self.call(empty));
            if moment > self.returned(empty) {
                let chain = self.chain(&long, self.call(empty) - 1, self.returned(empty).saturating_add(1));
                return Err(self.contradiction_of(&chain, empty));
            }
            moments.push((moment, empty));
        }
        moments.sort_unstable();
        let sequence = Nest::new(self, &long).sequence(&moments)?;
        Ok(self.with_short(&sequence, short))
    }

    /// `sequence`, and between its operations those of elements that come and go at one moment.
    fn with_short(&self, sequence: &[u32], mut short: Vec<(u64, Element)>) -> Option<Vec<u32>> {
        short.sort_unstable_by_key(|&(moment, element)| (moment, element.insert));
        let mut short = short.into_iter().peekable();
        let mut order = Vec::with_capacity(sequence.len() + 2 * short.len());
        let mut now = 0;
        for &op in sequence {
            now = self.call(op).max(now);
            if now > self.returned(op) {
                return None;
            }
            while let Some((_, element)) = short.next_if(|&(moment, _)| moment < now) {
                order.extend([element.insert, element.remove]);
            }
            order.push(op);
        }
        order.extend(short.flat_map(|(_, element)| [element.insert, element.remove]));
        Some(order)
    }

    /// As few of `long` as cover every moment after `from` and before `to` for sure, as all of them do.
    pub(super) fn chain(&self, long: &[Element], from: u64, to: u64) -> Vec<Element> {
        let mut chain = Vec::new();
        let mut moment = from;
        while moment < to {
            let covers = |element: &&Element| {
                let start = self.returned(element.insert);
                (start < moment || chain.is_empty() && start == from) && self.call(element.remove) > moment
            };
            let Some(&furthest) = long
                .iter()
                .filter(covers)
                .max_by_key(|element| self.call(element.remove))
            else {
                break;
            };
            moment = self.call(furthest.remove);
            chain.push(furthest);
        }
        chain
    }
}

/// Elements that are inside for sure, of which one after another is put at the bottom.
struct Nest<'a> {
    elements: &'a Elements,
    /// By the return of the push.
    long: &'a [Element],
    /// The moments at which a stretch begins or ends.
    moments: Vec<u64>,
    /// How many stretches cover each moment.
    cover: Cover,
    /// The calls of the pushes of what is not yet at its place.
    calls: Least,
}

/// The element at the bottom of a stretch of time.
struct Bottom {
    place: usize,
    /// The first element behind the stretch.
    after: usize,
    /// Whether it is popped: not below what stays for ever.
    leaves: bool,
}

/// What is left to do.
enum Todo {
    Emit(u32),
    /// The elements from one place to another.
    Arrange(usize, usize),
}

impl<'a> Nest<'a> {
    fn new(elements: &'a Elements, long: &'a [Element]) -> Self {
        let mut moments: Vec<u64> = Vec::with_capacity(2 * long.len() + 1);
        for element in long {
            moments.extend([elements.returned(element.insert), elements.call(element.remove)]);
        }
        moments.push(NEVER);
        moments.sort_unstable();
        moments.dedup();
        let mut nest = Nest {
            elements,
            long,
            cover: Cover::new(moments.len()),
            calls: Least::new(long.iter().map(|element| elements.call(element.insert))),
            moments,
        };
        for &element in long {
            nest.count(element, 1);
        }
        nest
    }

    fn place(&self, moment: u64) -> usize {
        self.moments.partition_point(|&other| other < moment)
    }

    fn count(&mut self, element: Element, by: i32) {
        let from = self.place(self.elements.returned(element.insert));
        let to = self.place(self.elements.call(element.remove));
        self.cover.add(from + 1, to, by);
    }

    /// Pushes and pops, with the removals `empties` that found nothing at their moments, which nothing covers.
    fn sequence(mut self, empties: &[(u64, u32)]) -> Result<Vec<u32>, Contradiction> {
        let mut todo = Vec::new();
        let mut end = self.long.len();
        for &(moment, empty) in empties.iter().rev() {
            let start = self
                .long
                .partition_point(|element| self.elements.returned(element.insert) < moment);
            todo.extend([Todo::Arrange(start, end), Todo::Emit(empty)]);
            end = start;
        }
        todo.push(Todo::Arrange(0, end));
        let mut sequence = Vec::with_capacity(2 * self.long.len() + empties.len());
        while let Some(next) = todo.pop() {
            match next {
                Todo::Emit(op) => sequence.push(op),
                Todo::Arrange(start, end) => {
                    let Some(first) = self.calls.next(start, end, NEVER - 1) else {
                        continue;
                    };
                    let Bottom {
                        place: bottom,
                        after,
                        leaves,
                    } = self.bottom(first, end)?;
                    let Element { insert, remove } = self.long[bottom];
                    todo.push(Todo::Arrange(after, end));
                    if leaves {
                        todo.push(Todo::Emit(remove));
                    }
                    todo.extend([Todo::Arrange(first, after), Todo::Emit(insert)]);
                    self.calls.remove(bottom);
                    self.count(self.long[bottom], -1);
                }
            }
        }
        Ok(sequence)
    }

    /// What is at the bottom from the push of `first` until nothing need be inside.
    fn bottom(&self, first: usize, end: usize) -> Result<Bottom, Contradiction> {
        let elements = self.elements;
        let from = elements.returned(self.long[first].insert);
        let until = self.moments[self.cover.first_zero(self.place(from) + 1)];
        let after = first + self.long[first..end].partition_point(|element| elements.returned(element.insert) < until);
        let mut next = first;
        while let Some(candidate) = self.calls.next(next, after, from) {
            if elements.returned(self.long[candidate].remove) >= until {
                return Ok(Bottom {
                    place: candidate,
                    after,
                    leaves: until != NEVER,
                });
            }
            next = candidate + 1;
        }
        let left: Vec<Element> = (first..after)
            .filter(|&place| self.calls.is_there(place))
            .map(|place| self.long[place])
            .collect();
        let chain = elements.chain(&left, from, until);
        Err(elements.contradiction_of(&chain, NONE))
    }
}

/// Counters over places: add to a range, find the first zero. A tree in an array; the counters of a node's children are relative to it.
struct Cover {
    leaves: usize,
    least: Vec<i32>,
    added: Vec<i32>,
}

impl Cover {
    fn new(places: usize) -> Self {
        let leaves = places.next_power_of_two();
        Cover {
            leaves,
            least: vec![0; 2 * leaves],
            added: vec![0; 2 * leaves],
        }
    }

    fn add(&mut self, from: usize, to: usize, by: i32) {
        if from < to {
            self.add_below(1, 0, self.leaves, (from, to), by);
        }
    }

    fn add_below(&mut self, node: usize, start: usize, width: usize, (from, to): (usize, usize), by: i32) {
        if from <= start && start + width <= to {
            self.least[node] += by;
            self.added[node] += by;
            return;
        }
        let half = width / 2;
        if from < start + half {
            self.add_below(2 * node, start, half, (from, to), by);
        }
        if to > start + half {
            self.add_below(2 * node + 1, start + half, half, (from, to), by);
        }
        self.least[node] = self.added[node] + self.least[2 * node].min(self.least[2 * node + 1]);
    }

    /// The first place from `from` on that nothing covers. Nothing covers the last one.
    fn first_zero(&self, from: usize) -> usize {
        self.zero_below(1, 0, self.leaves, from, 0)
            .expect("nothing covers the last moment")
    }

    fn zero_below(&self, node: usize, start: usize, width: usize, from: usize, above: i32) -> Option<usize> {
        if start + width <= from || self.least[node] + above > 0 {
            return None;
        }
        if width == 1 {
            return Some(start);
        }
        let (half, above) = (width / 2, above + self.added[node]);
        self.zero_below(2 * node, start, half, from, above)
            .or_else(|| self.zero_below(2 * node + 1, start + half, half, from, above))
    }
}

/// Numbers over places: remove one, find the next that is small enough.
struct Least {
    leaves: usize,
    least: Vec<u64>,
}

impl Least {
    fn new(numbers: impl ExactSizeIterator<Item = u64>) -> Self {
        let leaves = numbers.len().next_power_of_two();
        let mut least = vec![NEVER; 2 * leaves];
        for (place, number) in numbers.enumerate() {
            least[leaves + place] = number;
        }
        for node in (1..leaves).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Least { leaves, least }
    }

    fn is_there(&self, place: usize) -> bool {
        self.least[self.leaves + place] != NEVER
    }

    fn remove(&mut self, place: usize) {
        let mut node = self.leaves + place;
        self.least[node] = NEVER;
        while node > 1 {
            node /= 2;
            self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]);
        }
    }

    /// The first place from `from` on and before `to` whose number is at most `most`.
    fn next(&self, from: usize, to: usize, most: u64) -> Option<usize> {
        self.next_below(1, 0, self.leaves, (from, to), most)
    }

    fn next_below(&self, node: usize, start: usize, width: usize, range: (usize, usize), most: u64) -> Option<usize> {
        if start + width <= range.0 || range.1 <= start || self.least[node] > most {
            return None;
        }
        if width == 1 {
            return Some(start);
        }
        let half = width / 2;
        self.next_below(2 * node, start, half, range, most)
            .or_else(|| self.next_below(2 * node + 1, start + half, half, range, most))
    }
}
