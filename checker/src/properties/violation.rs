//! A property that did not hold: which, where, and in plain words why.
//!
//! Owns the value that a failed check hands back. Grouping, printing and replaying are left to the caller.

use serde::Serialize;

use super::observation::At;

/// The outcome of a check. The violation is boxed: it is large, and the good case must stay cheap.
pub type Verdict = Result<(), Box<Violation>>;

/// One property that did not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{property} violated on node {node} at event {}: {message}", at.event)]
pub struct Violation {
    /// Name of the property, in kebab-case, as listed in [`PROPERTIES`](super::PROPERTIES).
    pub property: &'static str,
    /// Which of the property's rules was broken, in kebab-case: the part of the place that is the same in every run.
    pub rule: &'static str,
    /// Event and time of what broke it. A property that can be judged only when the event is over is told later, and names this
    /// event all the same.
    pub at: At,
    /// The node that broke it, in that event.
    pub node: u32,
    /// The term that it concerns, where there is one.
    pub term: Option<u64>,
    /// The log index that it concerns, where there is one.
    pub index: Option<u64>,
    /// Every node that it is about: [`node`](Self::node) first, then those that it contradicts or that have a part in it.
    pub nodes: Vec<u32>,
    /// Every log entry that it is about, ascending.
    pub entries: Vec<u64>,
    /// The commands of clients that it is about, by session and number.
    pub commands: Vec<(u32, u64)>,
    /// One or two sentences with the numbers.
    pub message: String,
}

impl Violation {
    /// The key under which failures of the same kind are grouped: property and rule, without any number of the run, for
    /// example `election-safety/second-leader`.
    pub fn signature(&self) -> String {
        format!("{}/{}", self.property, self.rule)
    }
}

/// Where the observation under check stands: what every check needs in order to report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub at: At,
    pub node: u32,
}

impl Step {
    /// Starts a violation of `property` at this step; term, index and message follow by the methods below.
    #[cold]
    pub fn broken(self, property: &'static str, rule: &'static str, message: String) -> Box<Violation> {
        Box::new(Violation {
            property,
            rule,
            at: self.at,
            node: self.node,
            term: None,
            index: None,
            nodes: vec![self.node],
            entries: Vec::new(),
            commands: Vec::new(),
            message,
        })
    }
}

impl Violation {
    pub(super) fn in_term(mut self: Box<Self>, term: u64) -> Box<Self> {
        self.term = Some(term);
        self
    }

    pub(super) fn at_index(mut self: Box<Self>, index: u64) -> Box<Self> {
        self.index = Some(index);
        self.about_entries([index])
    }

    /// It is about these entries too; 0 stands for none.
    pub(super) fn about_entries(mut self: Box<Self>, entries: impl IntoIterator<Item = u64>) -> Box<Self> {
        self.entries.extend(entries.into_iter().filter(|entry| *entry > 0));
        self.entries.sort_unstable();
        self.entries.dedup();
        self
    }

    /// It is about these nodes too.
    pub(super) fn with_nodes(mut self: Box<Self>, nodes: impl IntoIterator<Item = u32>) -> Box<Self> {
        for node in nodes {
            if !self.nodes.contains(&node) {
                self.nodes.push(node);
            }
        }
        self
    }

    /// It is about this command of a client too.
    pub(super) fn with_command(mut self: Box<Self>, session: u32, sequence: u64) -> Box<Self> {
        self.commands.push((session, sequence));
        self
    }
}
