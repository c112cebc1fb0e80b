//! What a check may spend: steps, configurations kept, and the caller's patience.
//!
//! Owns the counting. No wall clock: a caller who wants one passes a hook that reads it.

use std::fmt;

/// Steps between two looks at the caller's hook.
const STEPS_PER_LOOK: u64 = 1 << 12;

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// [`Options::steps_max`](super::Options::steps_max).
    Steps,
    /// [`Options::configurations_max`](super::Options::configurations_max).
    Configurations,
    /// [`Guide::should_stop`](super::Guide::should_stop) said so.
    Stopped,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Spent::Steps => "steps",
            Spent::Configurations => "configurations kept in memory",
            Spent::Stopped => "the caller's patience",
        })
    }
}

/// The rest of a budget.
pub(super) struct Budget<'a> {
    pub(super) steps: u64,
    pub(super) configurations: u64,
    should_stop: Option<&'a dyn Fn() -> bool>,
    until_look: u64,
    pub(super) spent: Option<Spent>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(steps: u64, configurations: u64, should_stop: Option<&'a dyn Fn() -> bool>) -> Self {
        Budget {
            steps,
            configurations,
            should_stop,
            until_look: STEPS_PER_LOOK,
            spent: None,
        }
    }

    /// As many steps, nothing else bounded.
    pub(super) fn of_steps(steps: u64) -> Self {
        Budget::new(steps, u64::MAX, None)
    }

    /// Takes `count` steps. `None` when there are not as many, or the caller wants to stop.
    pub(super) fn step(&mut self, count: u64) -> Option<()> {
        match self.steps.checked_sub(count) {
            Some(left) => self.steps = left,
            None => return self.fail(Spent::Steps),
        }
        match self.until_look.checked_sub(count) {
            Some(left) => self.until_look = left,
            None => {
                self.until_look = STEPS_PER_LOOK;
                if self.should_stop.is_some_and(|should_stop| should_stop()) {
                    return self.fail(Spent::Stopped);
                }
            }
        }
        Some(())
    }

    /// Whether another configuration may be kept besides `kept` others.
    pub(super) fn keeps(&mut self, kept: usize) -> bool {
        (kept as u64) < self.configurations || self.fail(Spent::Configurations).is_some()
    }

    fn fail(&mut self, spent: Spent) -> Option<()> {
        self.spent = Some(spent);
        None
    }
}
