//! The event queue: what happens next, in a total order.
//!
//! Owns the order `(time, ticket)`, where a ticket is the number of the event in the order of scheduling, so that events of
//! one instant happen in the order in which they were scheduled. Heap entries are small; the events themselves lie still in a
//! slab with a free list, so the steady state allocates nothing. What events mean is for `kernel` to know.

use crate::time::Time;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A place in the order of events. Ordered backwards, because the standard heap gives the greatest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    time: u64,
    ticket: u64,
    slot: u32,
}

impl Ord for Place {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.ticket).cmp(&(self.time, self.ticket))
    }
}

impl PartialOrd for Place {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Clone, Debug)]
enum Slot<T> {
    /// Empty; `next` is the next empty slot, `NO_SLOT` at the end.
    Vacant {
        next: u32,
    },
    Occupied(T),
}

const NO_SLOT: u32 = u32::MAX;

/// An event that left the queue.
pub(crate) struct Due<T> {
    pub time: Time,
    pub ticket: u64,
    pub event: T,
}

/// Events in the order `(time, ticket)`.
#[derive(Clone, Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Place>,
    slots: Vec<Slot<T>>,
    free: u32,
    next_ticket: u64,
    bound: u32,
}

impl<T> Queue<T> {
    /// An empty queue that holds at most `bound` events.
    pub fn new(bound: u32) -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: NO_SLOT,
            next_ticket: 0,
            bound: bound.min(NO_SLOT - 1),
        }
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// What is in it, in no order that means anything; the same for the same past.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Occupied(event) => Some(event),
            Slot::Vacant { .. } => None,
        })
    }

    /// Whether so many more events would fit.
    pub fn has_room_for(&self, more: usize) -> bool {
        self.heap.len() + more <= self.bound as usize
    }

    /// When the next event is due.
    #[inline]
    pub fn next_time(&self) -> Option<Time> {
        self.heap.peek().map(|place| Time(place.time))
    }

    /// Schedules an event; false, and nothing done, when the queue is full.
    #[inline]
    pub fn push(&mut self, time: Time, event: T) -> bool {
        if self.heap.len() >= self.bound as usize {
            return false;
        }
        let slot = self.fill_slot(event);
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.heap.push(Place {
            time: time.0,
            ticket,
            slot,
        });
        true
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<Due<T>> {
        let Place { time, ticket, slot } = self.heap.pop()?;
        let vacant = Slot::Vacant { next: self.free };
        let Slot::Occupied(event) = std::mem::replace(&mut self.slots[slot as usize], vacant) else {
            unreachable!("queue: slot {slot} of a queued event is vacant");
        };
        self.free = slot;
        Some(Due {
            time: Time(time),
            ticket,
            event,
        })
    }

    #[inline]
    fn fill_slot(&mut self, event: T) -> u32 {
        if self.free == NO_SLOT {
            self.slots.push(Slot::Occupied(event));
            return (self.slots.len() - 1) as u32;
        }
        let slot = self.free;
        let place = &mut self.slots[slot as usize];
        let Slot::Vacant { next } = *place else {
            unreachable!("queue: slot {slot} of the free list is occupied");
        };
        self.free = next;
        *place = Slot::Occupied(event);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_queue_refuses_and_keeps_what_it_has() {
        let mut queue = Queue::new(2);
        assert!(queue.push(Time(2), 'a') && queue.push(Time(1), 'b'));
        assert!(!queue.push(Time(0), 'c'));
        assert_eq!((queue.len(), queue.next_time()), (2, Some(Time(1))));
        assert_eq!(queue.pop().map(|due| due.event), Some('b'));
        assert!(queue.push(Time(3), 'd'));
    }

    #[test]
    fn slots_are_reused() {
        let mut queue = Queue::new(100);
        for round in 0..1_000 {
            queue.push(Time(round), round);
            queue.push(Time(round), round);
            queue.pop();
            queue.pop();
        }
        assert_eq!(queue.slots.len(), 2);
    }

    proptest! {
        #[test]
        fn events_leave_by_time_and_then_in_the_order_of_scheduling(steps in prop::collection::vec((0_u64..8, any::<bool>()), 1..200)) {
            let mut queue = Queue::new(1_000);
            let mut model: Vec<(u64, usize)> = Vec::new();
            for (number, (time, pop)) in steps.into_iter().enumerate() {
                if pop {
                    model.sort_unstable();
                    let expected = if model.is_empty() { None } else { Some(model.remove(0)) };
                    prop_assert_eq!(queue.pop().map(|due| (due.time.0, due.event)), expected);
                } else {
                    queue.push(Time(time), number);
                    model.push((time, number));
                }
            }
        }
    }
}
