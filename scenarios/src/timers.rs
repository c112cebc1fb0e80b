//! Several timers on the one that a node has: what a process with an election timeout, a heartbeat and a retry needs.
//!
//! ```
//! # use simulator::LocalTime;
//! use squall::timers::Timers;
//!
//! #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
//! enum Timer {
//!     Election,
//!     Heartbeat,
//! }
//!
//! let mut timers = Timers::default();
//! timers.set(Timer::Election, LocalTime(300));
//! timers.set(Timer::Heartbeat, LocalTime(50));
//! timers.set(Timer::Heartbeat, LocalTime(60));
//! assert_eq!(timers.next(), Some(LocalTime(60)));
//! assert_eq!(timers.take_due(LocalTime(60)), Some(Timer::Heartbeat));
//! assert_eq!(timers.take_due(LocalTime(60)), None);
//! ```

use simulator::{Context, LocalTime, Process};
use std::collections::BTreeMap;

/// When each timer is due, on the node's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timers<K> {
    due: BTreeMap<K, LocalTime>,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self { due: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// Sets a timer, or moves it. [`arm`](Self::arm) tells the node of it.
    pub fn set(&mut self, timer: K, at: LocalTime) {
        self.due.insert(timer, at);
    }

    /// Clears a timer.
    pub fn clear(&mut self, timer: K) {
        self.due.remove(&timer);
    }

    /// Whether a timer is set.
    pub fn is_set(&self, timer: K) -> bool {
        self.due.contains_key(&timer)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<LocalTime> {
        self.due.values().copied().min()
    }

    /// The timer that is due by now, the one that was due first, and by the order of the timers where several were; it is no longer set.
    pub fn take_due(&mut self, now: LocalTime) -> Option<K> {
        let due = self
            .due
            .iter()
            .filter(|(_, at)| **at <= now)
            .min_by_key(|(timer, at)| (**at, **timer));
        let timer = due.map(|(timer, _)| *timer)?;
        self.due.remove(&timer);
        Some(timer)
    }

    /// Sets the node's timer to the next one: to be called when all has been done that an event asked for.
    pub fn arm<P: Process>(&self, ctx: &mut Context<'_, P>) {
        ctx.set_timer(self.next());
    }
}
