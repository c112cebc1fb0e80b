//! Situations of interest that a run reached, counted: what a fault is for is to bring them about.
//!
//! One vocabulary serves three ends: reports count situations, `[expect] reach` demands them, and a `[[fault]]` may strike
//! `when` one is reached. [`Situation`] is the list; [`Watcher`] follows a run's observations, signs and steps and says which
//! were reached, on which node; `view` is what it knows of one node, `cluster` what follows from all of them together, and
//! `abstraction` the state of all of them as one number, for a search that wants to see new ones.
//! Judging is left to the checker: nothing here is right or wrong.

mod abstraction;
mod catalog;
mod cluster;
mod view;
mod watcher;

#[cfg(test)]
mod tests;

pub use catalog::{Situation, Sometimes};
pub use cluster::Links;
pub use watcher::Watcher;

use catalog::MOST;

/// Something about messages and answers that no [`Observation`](checker::properties::Observation) tells, because no property
/// needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// A granted vote arrived.
    Vote {
        /// The voter.
        from: u32,
        /// The term that it is for.
        term: u64,
    },
    /// An append or a chunk of a snapshot arrived from the leader of a term that is over.
    StaleAppend,
    /// A chunk of a snapshot arrived in the receiver's term, or in a later one.
    SnapshotChunk {
        /// The leader's term.
        term: u64,
    },
    /// A read was passed on to the leader.
    ReadForwarded,
    /// A read was refused: ask again, here or elsewhere.
    ReadRefused,
    /// An update was refused because the leadership was being handed over.
    UpdateHeldUp,
    /// A change of the members was refused.
    ChangeRefused,
    /// A transfer of the leadership began.
    TransferStarted,
    /// A transfer of the leadership took too long and was given up.
    TransferAborted,
    /// A command came so late that its session has moved on.
    StaleCommand,
    /// A node that started again found a torn write at the end of its file.
    TornTail,
    /// A node that started again found a log file that it had written anew.
    RewrittenLog,
    /// A node that started again found a log file that it had written anew, and had not given up the old part of it for good.
    RewriteCutShort,
}

/// How often each situation was reached, of those that a system may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Situations {
    counts: [u64; MOST],
    /// Those that may be reached, as bits.
    admitted: u128,
}

impl Default for Situations {
    fn default() -> Self {
        Self {
            counts: [0; MOST],
            admitted: 0,
        }
    }
}

impl Situations {
    /// None of these has been reached.
    pub fn of(admitted: impl IntoIterator<Item = Situation>) -> Self {
        Self {
            admitted: admitted.into_iter().fold(0, |bits, situation| bits | situation.bit()),
            ..Self::default()
        }
    }

    /// These may be reached, too.
    pub fn admit(&mut self, situations: &[Situation]) {
        self.admitted = situations
            .iter()
            .fold(self.admitted, |bits, situation| bits | situation.bit());
    }

    /// Counts a situation `times` times.
    pub fn reached(&mut self, situation: Situation, times: u64) {
        self.counts[situation.index()] += times;
        self.admitted |= situation.bit();
    }

    /// How often it was reached.
    pub fn count(&self, situation: Situation) -> u64 {
        self.counts[situation.index()]
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(other.counts)
            .for_each(|(count, more)| *count += more);
        self.admitted |= other.admitted;
    }

    /// One for each situation that was reached at all: added up over runs, the number of runs that reached it.
    #[must_use]
    pub fn present(&self) -> Self {
        Self {
            counts: self.counts.map(|count| count.min(1)),
            ..*self
        }
    }

    /// All that may be reached, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Situation, u64)> + '_ {
        Situation::all()
            .filter(|situation| self.admitted & situation.bit() != 0)
            .map(|situation| (situation, self.count(situation)))
    }
}
