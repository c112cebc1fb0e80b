//! State machines are deterministic: equal applied index, equal state (Raft §2).
//!
//! Keeps the state hash of each applied index as the first node had it: 16 bytes for each. Which entry was applied is
//! left to `state-machine-safety`: where both hold, a difference is the state machine's own.

use super::PropertyInfo;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "state-determinism",
    about: "all nodes have the same state at the same applied index",
    source: "Raft section 2; thesis section 3.1",
};

/// The state at one applied index, as the first node had it.
#[derive(Clone, Copy, Debug)]
struct First {
    state_hash: u64,
    node: u32,
}

/// What stands for an index that a snapshot jumped over before anybody was seen to apply it.
const NOBODY: First = First {
    state_hash: 0,
    node: u32::MAX,
};

/// The state hash at each applied index.
#[derive(Clone, Debug, Default)]
pub struct StateDeterminism {
    /// Index `i` is at `i - 1`.
    first: Vec<First>,
}

impl StateDeterminism {
    /// The node of this step has `state_hash` after it applied the committed entry at `index`.
    pub fn applied(&mut self, step: Step, index: u64, state_hash: u64) -> Verdict {
        let offset = usize::try_from(index - 1).expect("a log that is held in memory has an index that fits it");
        if offset >= self.first.len() {
            self.first.resize(offset + 1, NOBODY);
        }
        let first = &mut self.first[offset];
        if first.node == NOBODY.node {
            *first = First {
                state_hash,
                node: step.node,
            };
        }
        if first.state_hash == state_hash {
            return Ok(());
        }
        let message = format!(
            "after entry {index} node {} has state {state_hash:016x}, and node {} had {:016x}.",
            step.node, first.node, first.state_hash
        );
        let other = first.node;
        let violation = step.broken(INFO.name, "state-differs", message);
        Err(violation.at_index(index).with_nodes([other]))
    }
}
