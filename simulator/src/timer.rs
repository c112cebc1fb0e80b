//! A lazy timer: one deadline, and at most one live event in the queue.
//!
//! Most deadlines are moved later long before they come due (each message puts an election off). So a move to later leaves
//! the queued event alone; when that event comes up early it is queued again for the real deadline, and nobody is told.
//! Owns that bookkeeping only; deadlines are plain numbers on whatever clock the owner of the timer uses.

/// What to do with a timer event that left the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// Nothing: a later event took its place, or the timer was cleared.
    Nothing,
    /// Queue it again, for this deadline and with this generation.
    Early { deadline: u64, generation: u32 },
    /// Call the owner.
    Due,
}

/// The one timer of a node or a client.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timer {
    deadline: Option<u64>,
    /// The deadline of the live event in the queue; never later than `deadline` while both are there.
    queued: Option<u64>,
    /// Marks the live event; events of other generations are dead.
    generation: u32,
}

impl Timer {
    /// Sets, moves or clears the deadline; gives the generation for a new event if one must be queued for it.
    #[inline]
    pub fn set(&mut self, deadline: Option<u64>) -> Option<u32> {
        self.deadline = deadline;
        match (deadline, self.queued) {
            (None, _) => None,
            (Some(deadline), Some(queued)) if queued <= deadline => None,
            (Some(deadline), _) => Some(self.queue(deadline)),
        }
    }

    /// Takes the event of `generation`, which came up when the clock read `now`.
    pub fn fire(&mut self, generation: u32, now: u64) -> Fired {
        if generation != self.generation {
            return Fired::Nothing;
        }
        self.queued = None;
        match self.deadline {
            None => Fired::Nothing,
            Some(deadline) if deadline <= now => {
                self.deadline = None;
                Fired::Due
            }
            Some(deadline) => Fired::Early {
                deadline,
                generation: self.queue(deadline),
            },
        }
    }

    /// After the clock changed: the deadline for which a new event must be queued, and its generation. Whatever was queued is
    /// dead: on a clock that stood still it may never have been in the queue.
    pub fn requeue(&mut self) -> Option<(u64, u32)> {
        let Some(deadline) = self.deadline else {
            self.clear();
            return None;
        };
        Some((deadline, self.queue(deadline)))
    }

    /// Forgets the deadline and kills the queued event.
    pub fn clear(&mut self) {
        *self = Self {
            deadline: None,
            queued: None,
            generation: self.generation.wrapping_add(1),
        };
    }

    fn queue(&mut self, deadline: u64) -> u32 {
        self.queued = Some(deadline);
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_move_to_later_queues_nothing_until_the_event_comes_up_early() {
        let mut timer = Timer::default();
        let first = timer.set(Some(10)).unwrap();
        assert_eq!(timer.set(Some(15)), None);
        assert_eq!(timer.set(Some(20)), None);
        let Fired::Early {
            deadline: 20,
            generation,
        } = timer.fire(first, 10)
        else {
            panic!()
        };
        assert_eq!(timer.fire(first, 20), Fired::Nothing);
        assert_eq!(timer.fire(generation, 20), Fired::Due);
        assert_eq!(timer.fire(generation, 20), Fired::Nothing);
    }

    #[test]
    fn a_move_to_earlier_kills_the_later_event() {
        let mut timer = Timer::default();
        let late = timer.set(Some(20)).unwrap();
        let soon = timer.set(Some(10)).unwrap();
        assert_eq!(timer.fire(soon, 10), Fired::Due);
        assert_eq!(timer.fire(late, 20), Fired::Nothing);
    }

    #[test]
    fn what_was_queued_before_the_clock_changed_is_not_relied_upon() {
        // The clock stands still, so nobody queues an event for this deadline, which is then given up.
        let mut timer = Timer::default();
        timer.set(Some(10)).unwrap();
        assert_eq!(timer.set(None), None);
        assert_eq!(timer.requeue(), None);
        assert!(timer.set(Some(20)).is_some(), "a new event for a new deadline");
    }

    proptest! {
        #[test]
        fn each_deadline_that_stands_fires_exactly_once_and_on_time(changes in prop::collection::vec((0_u64..10, prop::option::of(0_u64..30)), 1..60)) {
            // Against a timer that simply knows its deadline.
            let (mut timer, mut deadline, mut now) = (Timer::default(), None, 0);
            let mut queue: Vec<(u64, u32)> = Vec::new();
            for (wait, change) in changes {
                for time in now..now + wait {
                    let mut due = 0;
                    while let Some(at) = queue.iter().position(|event| event.0 <= time) {
                        match timer.fire(queue.remove(at).1, time) {
                            Fired::Due => due += 1,
                            Fired::Early { deadline, generation } => queue.push((deadline, generation)),
                            Fired::Nothing => {}
                        }
                    }
                    prop_assert_eq!(due, usize::from(deadline.is_some_and(|deadline| deadline <= time)));
                    deadline = deadline.filter(|deadline| *deadline > time);
                }
                now += wait;
                deadline = change.map(|after| now + after);
                queue.extend(timer.set(deadline).map(|generation| (deadline.unwrap(), generation)));
            }
        }
    }
}
