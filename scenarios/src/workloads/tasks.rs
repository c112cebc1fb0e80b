//! What a client or an operator does during the faults, as a list: the explicit form of what its script draws.

use crate::operation::Operation;
use serde::{Deserialize, Serialize};
use simulator::Duration;

/// One operation, and the pause before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// From the answer to the one before, or from when that was given up; in nanoseconds.
    pub pause: Duration,
    /// What is asked for.
    pub operation: Operation,
}

/// All that one client or operator does during the faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// In order.
    pub tasks: Vec<Task>,
    /// The pause after the last of them, in nanoseconds. Whoever is through then waits for the end of the faults.
    #[serde(default)]
    pub rest: Duration,
}

impl Tasks {
    /// Of operations and the pauses before them; a pause more is the rest.
    pub fn new(pauses: &[Duration], operations: impl Iterator<Item = Operation>) -> Self {
        let tasks: Vec<Task> = pauses
            .iter()
            .zip(operations)
            .map(|(pause, operation)| Task {
                pause: *pause,
                operation,
            })
            .collect();
        let rest = pauses.get(tasks.len()).copied().unwrap_or(Duration::ZERO);
        Self { tasks, rest }
    }
}
