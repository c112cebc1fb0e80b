//! How a run ended, and which exit code says so.

use checker::properties::Violation;
use serde::{Deserialize, Serialize};
use simulator::{Halt, Time};
use std::fmt;

/// The property that a client's view of the store is linearizable.
pub const LINEARIZABLE: &str = "linearizable";

/// The property that the cluster recovers once the faults end.
pub const RECOVERS: &str = "recovers";

/// The exit code of a panic of the tool itself, apart from those of the code under test.
pub const OUR_PANIC: u8 = 70;

/// What sort of failure it is, in the order of gravity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A checker gave up within its budget, or a fault class that is on never fired: neither passed nor failed.
    Inconclusive,
    /// The harness panicked: neither passed nor failed, and no word about the code under test.
    Harness,
    /// A safety property was broken, or a history is not linearizable.
    Safety,
    /// The code under test panicked.
    Panic,
    /// After the faults, the cluster did not elect, converge and serve in time.
    Liveness,
    /// Two runs of one seed differed.
    NonDeterminism,
}

impl FailureKind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Inconclusive => 98,
            Self::Harness => OUR_PANIC,
            Self::Safety => 100,
            Self::Panic => 101,
            Self::Liveness => 102,
            Self::NonDeterminism => 103,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inconclusive => "inconclusive",
            Self::Harness => "panic of the harness",
            Self::Safety => "safety violation",
            Self::Panic => "panic",
            Self::Liveness => "liveness violation",
            Self::NonDeterminism => "non-determinism",
        }
    }
}

/// Why a run did not pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// What sort.
    pub kind: FailureKind,
    /// The property that does not hold.
    pub property: String,
    /// Property and place without anything that is this run's own: failures of one cause share it.
    pub signature: String,
    /// One or two sentences.
    pub message: String,
    /// The event that was judged, as numbered in the trace.
    pub event: Option<u64>,
    /// The true time of that, in nanoseconds.
    pub time: Option<u64>,
    /// The node that was judged.
    pub node: Option<u32>,
    /// Every node that it is about, the one that was judged first.
    pub nodes: Vec<u32>,
    /// The log entries that it is about, by their indices.
    pub entries: Vec<u64>,
    /// The operations of clients that it is about, by the numbers of the events of their calls.
    pub operations: Vec<u64>,
    /// More lines, for a person.
    pub details: String,
}

impl Failure {
    /// Without event, node and details.
    pub fn new(kind: FailureKind, property: &str, place: &str, message: String) -> Self {
        Self {
            kind,
            property: property.to_owned(),
            signature: format!("{property}/{place}"),
            message,
            event: None,
            time: None,
            node: None,
            nodes: Vec::new(),
            entries: Vec::new(),
            operations: Vec::new(),
            details: String::new(),
        }
    }

    /// Which of the property's rules was broken: what the signature says beside the property.
    pub fn rule(&self) -> &str {
        let rest = self.signature.strip_prefix(&self.property);
        rest.and_then(|rest| rest.strip_prefix('/')).unwrap_or(&self.signature)
    }

    /// The world could not go on.
    pub fn halted(halt: &Halt) -> Self {
        let place = match halt {
            Halt::QueueFull { .. } => "queue-full",
            Halt::DiskFull { .. } => "disk-full",
            Halt::Livelock { .. } => "livelock",
        };
        let failure = Self::new(FailureKind::Liveness, "runs-on", place, halt.to_string());
        Self {
            time: Some(halt.at().0),
            ..failure
        }
    }
}

impl From<&Violation> for Failure {
    fn from(violation: &Violation) -> Self {
        Self {
            kind: FailureKind::Safety,
            property: violation.property.to_owned(),
            signature: violation.signature(),
            message: violation.message.clone(),
            event: Some(violation.at.event),
            time: Some(violation.at.time),
            node: Some(violation.node),
            nodes: violation.nodes.clone(),
            entries: violation.entries.clone(),
            operations: Vec::new(),
            details: String::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.signature)?;
        if let Some(node) = self.node {
            write!(f, "  n{node}")?;
        }
        if let Some(time) = self.time {
            write!(f, "  t={}", simulator::Duration(Time(time).0))?;
        }
        if let Some(event) = self.event {
            write!(f, "  event {event}")?;
        }
        Ok(())
    }
}
