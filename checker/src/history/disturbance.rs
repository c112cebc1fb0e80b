//! What was done to the system while clients used it, as far as a recorder told: the faults of Jepsen's nemesis.
//!
//! Owns when each fault began and ended. No verdict depends on it; it stands beside the operations in a refusal.

use std::fmt;

/// Most disturbances that a history keeps; later ones are left out.
pub const DISTURBANCES_MAX: usize = 10_000;

/// Most characters of a name that are kept.
const NAME_CHARS_MAX: usize = 60;

/// A fault, on the clock of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// What it was, in the words of the recorder: `start-partition`.
    pub name: String,
    /// When it began.
    pub from: u64,
    /// When it ended; `None` when nobody said. The same as `from` for what is over at once, or of unknown nature.
    pub until: Option<u64>,
}

impl Disturbance {
    /// Whether it goes on at some moment of `from..=until`.
    pub fn touches(&self, from: u64, until: u64) -> bool {
        self.from <= until && self.until.is_none_or(|end| end >= from)
    }
}

/// As `start-partition [12, 40]`; without an end, `start-partition [12, …`.
impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "{} [{}, {until}]", self.name, self.from),
            None => write!(f, "{} [{}, …", self.name, self.from),
        }
    }
}

/// Adds an event `name` at `time` to `disturbances`: `start…` begins what `stop…` ends. A recorder that writes each event down as it
/// begins and once more as it is done means one.
pub(super) fn add(disturbances: &mut Vec<Disturbance>, name: &str, time: u64) {
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let is_start = name.starts_with("start");
    if let Some(what) = name.strip_prefix("stop") {
        let begins = |one: &&mut Disturbance| one.name.strip_prefix("start") == Some(what);
        if let Some(begun) = disturbances.iter_mut().rev().find(begins) {
            begun.until = Some(time);
            return;
        }
    } else if is_start {
        let goes_on = |one: &Disturbance| one.name == name && one.until.is_none();
        if disturbances.iter().rev().any(goes_on) {
            return;
        }
    } else if let Some(last) = disturbances.last_mut().filter(|last| last.name == name) {
        last.until = Some(time);
        return;
    }
    if disturbances.len() < DISTURBANCES_MAX {
        disturbances.push(Disturbance {
            name,
            from: time,
            until: if is_start { None } else { Some(time) },
        });
    }
}
