//! Reads are fresh: a read sees all that was committed anywhere when it was asked (Raft §8; thesis §6.4).
//!
//! Remembers, for each read that a node was asked, the highest index committed on any node then. Asked twice before it is
//! answered, it is held to the first time. A crash forgets what a node was asked. Memory: one map entry for each read
//! under way, and for each that was refused, until the node restarts. Whether the answer is right is left to
//! linearizability.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "read-freshness",
    about: "a read is answered from a state that holds all that was committed anywhere when it was asked",
    source: "Raft section 8; thesis section 6.4; etcd ReadIndex",
};

/// A read that a node was asked.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// Highest index committed anywhere when it was asked first.
    floor: u64,
    /// How many answers are due.
    due: u32,
}

/// The reads under way.
#[derive(Clone, Debug, Default)]
pub struct ReadFreshness {
    /// By node, then by the number of the read. For look-up only.
    asked: Vec<HashMap<u64, Asked, FxBuildHasher>>,
}

impl ReadFreshness {
    /// The node of this step was asked `read`.
    pub fn asked(&mut self, ghost: &Ghost, step: Step, read: u64) {
        let place = step.node as usize;
        if place >= self.asked.len() {
            self.asked.resize_with(place + 1, HashMap::default);
        }
        let floor = ghost.committed_last();
        let asked = self.asked[place].entry(read).or_insert(Asked { floor, due: 0 });
        asked.due += 1;
    }

    /// The process of this step's node ended or began.
    pub fn restarted(&mut self, step: Step) {
        if let Some(asked) = self.asked.get_mut(step.node as usize) {
            asked.clear();
        }
    }

    /// The node of this step answered `read` from a state machine that had applied at least the log up to `index`.
    pub fn served(&mut self, ghost: &Ghost, step: Step, read: u64, index: u64) -> Verdict {
        let applied = ghost.node(step.node).applied;
        let (rule, other, message) = match self.take(step, read) {
            None => (
                "never-asked",
                0,
                format!("node {} answered read {read}, which it was not asked.", step.node),
            ),
            Some(floor) if index < floor => (
                "stale-read",
                floor,
                format!(
                    "node {} answered read {read} with read index {index}; {floor} entries were committed when it was asked.",
                    step.node
                ),
            ),
            Some(_) if index > applied => (
                "read-ahead-of-applied",
                applied,
                format!(
                    "node {} answered read {read} with read index {index}; it has applied {applied} entries.",
                    step.node
                ),
            ),
            Some(_) => return Ok(()),
        };
        let violation = step.broken(INFO.name, rule, message).at_index(index);
        Err(violation.about_entries([other]))
    }

    /// The floor of a read that is now answered; `None` if the node was not asked.
    fn take(&mut self, step: Step, read: u64) -> Option<u64> {
        let asked = self.asked.get_mut(step.node as usize)?;
        let this = asked.get_mut(&read)?;
        let floor = this.floor;
        this.due -= 1;
        if this.due == 0 {
            asked.remove(&read);
        }
        Some(floor)
    }
}
