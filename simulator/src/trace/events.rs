//! The vocabulary of a trace: the events that mean something to the tools, as types.
//!
//! Owns their kinds, their fields with units and meaning, how they are written ([`Meaning::fields`]) and how they are read back
//! ([`Meaning::read`]). A system and a harness tell these and nothing of their own in their place; whatever reads a trace knows what a
//! node held from these alone, event by event, and reconstructs nothing. Events of the world itself (sends, arrivals, faults, disks)
//! are in the table of [`crate::trace`].
//!
//! Every event of a node stands behind all that the node told before it, so a reader that takes the events one by one knows at any
//! of them what the node was when the event under way was over: the state after the last event that was told before the next step.
//!
//! Log indices count from 1; 0 stands for the place before the first entry. Terms count from 0. Times are nanoseconds. Nodes and
//! clients go by their numbers.

use super::TraceEvent;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event with a meaning that the tools know.
pub trait Meaning: Serialize + DeserializeOwned {
    /// The kind of the event.
    const KIND: &'static str;
    /// What it says, in one sentence.
    const ABOUT: &'static str;

    /// The event's fields as they stand in a trace.
    fn fields(&self) -> Value {
        serde_json::to_value(self).expect("a vocabulary of numbers, texts and lists has a JSON form")
    }

    /// What an event of a trace says, if it is of this kind and says it in full.
    fn read(event: &TraceEvent) -> Option<Self> {
        if event.kind != Self::KIND {
            return None;
        }
        event.fields.read()
    }
}

/// Declares the events of the vocabulary, and the list of all of them.
macro_rules! vocabulary {
    ($($(#[doc = $doc:literal])+ $name:ident = $kind:literal $fields:tt)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name $fields

            impl Meaning for $name {
                const KIND: &'static str = $kind;
                const ABOUT: &'static str = concat!($($doc),+).trim_ascii();
            }
        )+

        /// Every event of the vocabulary: its kind and what it says.
        pub const VOCABULARY: &[(&str, &str)] = &[$(($name::KIND, $name::ABOUT)),+];
    };
}

/// The part that a node plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks whether it would win, in a term that it has not entered.
    PreCandidate,
    /// It stands for election in its term.
    Candidate,
    /// It has won its term.
    Leader,
}

/// One position in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMark {
    /// Index of the entry; 0 before the first.
    pub index: u64,
    /// Its term.
    pub term: u64,
}

/// The terms of entries that follow each other: `(term, index of the last entry of this term)`, ascending.
pub type TermSpans = Vec<(u64, u64)>;

/// What a node holds of the log: a start, all before which was given up, and the terms of the entries behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHeld {
    /// The entry just before the first that is held.
    pub start: LogMark,
    /// The entries behind it.
    pub terms: TermSpans,
}

impl LogHeld {
    /// Index of the last entry, or of the start if there is none.
    pub fn last(&self) -> u64 {
        self.terms.last().map_or(self.start.index, |(_, last)| *last)
    }

    /// A log that begins behind `start` with entries of these terms.
    pub fn new(start: LogMark, terms: impl IntoIterator<Item = u64>) -> Self {
        Self {
            start,
            terms: spans(start.index + 1, terms),
        }
    }
}

/// The spans of entries of these terms, of which the first has index `first`.
pub fn spans(first: u64, terms: impl IntoIterator<Item = u64>) -> TermSpans {
    let mut spans = TermSpans::new();
    for (index, term) in (first..).zip(terms) {
        match spans.last_mut() {
            Some((of, last)) if *of == term => *last = index,
            _ => spans.push((term, index)),
        }
    }
    spans
}

vocabulary! {
    /// A node has started from its disk, and this is all that it recovered.
    Recovered = "recovered" {
        /// Its term.
        pub term: u64,
        /// Whom it voted for in that term.
        pub vote: Option<u64>,
        /// The last entry that its snapshot stands for; index 0 without one.
        pub snapshot: LogMark,
        /// Its log.
        pub log: LogHeld,
        /// Its commit index.
        pub commit: u64,
        /// Index of the last entry that its state machine has applied.
        pub applied: u64,
    }

    /// A node takes a part, or enters a term in the part that it has.
    Stand = "role" {
        /// The part.
        pub role: Part,
        /// The term.
        pub term: u64,
    }

    /// A node gives its vote, or forgets the one that it gave in its term. In a term that it enters it has none until then.
    Vote = "vote" {
        /// The term.
        pub term: u64,
        /// The candidate, as a node's number; null for none any more.
        pub candidate: Option<u64>,
    }

    /// A node adds entries at the end of its log in memory.
    Append = "append" {
        /// Index of the last of them.
        pub last: u64,
        /// Where the log ended before.
        pub was: u64,
        /// The terms of the entries behind `was`.
        pub terms: TermSpans,
    }

    /// A node removes the entries at the end of its log in memory, because a leader's conflict with them.
    Truncate = "truncate" {
        /// Index of the last entry that is left.
        pub last: u64,
        /// Where the log ended before.
        pub was: u64,
    }

    /// A node gives up the beginning of its log in memory, for which its snapshot stands.
    Compact = "compact" {
        /// Index of the last entry that is gone.
        pub index: u64,
        /// Its term.
        pub term: u64,
    }

    /// A node has made a snapshot of its own state.
    Snapshot = "snapshot" {
        /// Index of the last entry that it stands for.
        pub index: u64,
        /// Its term.
        pub term: u64,
        /// Its size.
        pub bytes: u64,
    }

    /// A node puts a leader's snapshot in the place of its state and of its log, of which what follows may stay.
    Install = "install" {
        /// Index of the last entry that the snapshot stands for: all up to it is committed and applied.
        pub index: u64,
        /// Its term.
        pub term: u64,
        /// The log as it is then.
        pub log: LogHeld,
    }

    /// A node moves its commit index.
    Commit = "commit" {
        /// To here.
        pub index: u64,
        /// From here.
        pub was: u64,
    }

    /// A node's state machine applies an entry.
    Apply = "apply" {
        /// Its index.
        pub index: u64,
        /// Its term.
        pub term: u64,
    }

    /// A node acts under another configuration from here on.
    Configured = "configuration" {
        /// Index of the entry or of the snapshot that holds it; 0 for the one that the node began with.
        pub index: u64,
        /// The voters; while joint, the incoming ones.
        pub voters: Vec<u64>,
        /// While joint, the outgoing voters.
        pub outgoing: Vec<u64>,
        /// The nodes that get the log and do not vote.
        pub learners: Vec<u64>,
    }

    /// A leader may answer reads alone until a time, or no longer.
    Lease = "lease" {
        /// The end of the lease on the node's own clock, in nanoseconds; null when it is given up.
        pub until: Option<u64>,
    }

    /// A client calls an operation.
    Invoke = "invoke" {
        /// The client's name in the history; a new one after each unknown outcome.
        pub process: u64,
        /// What it asks for: `op`, mostly `key`, and what the operation takes.
        pub operation: Value,
    }

    /// An operation of a client is over.
    Return = "return" {
        /// The client's name in the history.
        pub process: u64,
        /// The answer; `unknown` when the client gave up waiting for one.
        pub reply: Value,
    }

    /// An operator gives an order to the cluster.
    Order = "order" {
        /// What it orders.
        pub operation: Value,
    }

    /// An operator's order is answered.
    Ordered = "ordered" {
        /// The answer.
        pub reply: Value,
    }

    /// A property does not hold: which, where, and who and what it is about.
    Violated = "violation" {
        /// Its name.
        pub property: String,
        /// Which of its rules was broken.
        pub rule: String,
        /// In a sentence or two.
        pub message: String,
        /// Number of the event that was judged, which may be earlier than the one at which it was noted.
        pub event: u64,
        /// True time of that event.
        pub at: u64,
        /// The nodes that it is about, the one that was judged first; empty for what clients saw.
        pub nodes: Vec<u64>,
        /// Indices of the log entries that it is about.
        pub entries: Vec<u64>,
        /// The operations of clients that it is about, by the numbers of the events of their calls.
        pub operations: Vec<u64>,
    }

    /// The run as a whole did not pass, for a reason that is no event's.
    Verdict = "verdict" {
        /// The property that does not hold.
        pub property: String,
        /// In a sentence or two.
        pub message: String,
        /// More lines, for a person.
        pub details: String,
    }

    /// What clients saw was held against a model, and this came of it.
    Judged = "history" {
        /// The model.
        pub model: String,
        /// What came of it.
        pub verdict: HistoryVerdict,
        /// How many operations were judged.
        pub operations: u64,
        /// How many objects they were on.
        pub objects: u64,
        /// For each object an order in which its operations can have taken effect, by the numbers of the events of their calls: of all
        /// that must have, or, where there is no such order, of those up to the one that cannot be placed.
        pub orders: Vec<Vec<u64>>,
        /// The operation that cannot be placed.
        pub stuck: Option<u64>,
        /// The operations that are impossible together.
        pub core: Vec<u64>,
        /// The operations that show why.
        pub context: Vec<u64>,
        /// Why, in a sentence or two; empty where there is nothing to explain.
        pub sentence: String,
        /// Why, with the operations.
        pub details: String,
    }
}

/// What came of holding a history against a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryVerdict {
    /// There is an order that explains it.
    Linearizable,
    /// There is none.
    NotLinearizable,
    /// The budget was spent before either was known.
    Undecided,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::time::Time;
    use crate::trace::Recorder;

    fn told<M: Meaning>(event: &M) -> TraceEvent {
        let mut recorder = Recorder::new(true, 1);
        let at = Some(NodeId(2).into());
        recorder.record(7, Time(5), at, M::KIND, None, || event);
        let line = serde_json::to_string(&recorder.take()[0]).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn what_is_told_is_read_back_from_a_line_of_a_trace() {
        let append = Append {
            last: 7,
            was: 4,
            terms: spans(5, [2, 2, 3]),
        };
        assert_eq!(append.terms, [(2, 6), (3, 7)]);
        let event = told(&append);
        assert_eq!(Append::read(&event), Some(append));
        assert_eq!(Truncate::read(&event), None, "it is of another kind");
        let recovered = Recovered {
            term: 3,
            vote: None,
            snapshot: LogMark { index: 9, term: 1 },
            log: LogHeld::new(LogMark { index: 5, term: 1 }, [1, 1, 1, 1, 3]),
            commit: 9,
            applied: 9,
        };
        assert_eq!(
            (recovered.log.last(), &recovered.log.terms[..]),
            (10, &[(1, 9), (3, 10)][..])
        );
        assert_eq!(Recovered::read(&told(&recovered)), Some(recovered));
    }

    #[test]
    fn an_event_that_leaves_something_out_says_nothing() {
        let line = r#"{"seq":1,"t":1,"node":0,"kind":"append","last":4,"term":1,"was":3}"#;
        assert_eq!(Append::read(&serde_json::from_str(line).unwrap()), None);
    }

    #[test]
    fn no_kind_is_declared_twice_and_each_says_what_it_means() {
        let mut kinds: Vec<&str> = VOCABULARY.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), VOCABULARY.len());
        assert!(VOCABULARY.iter().all(|(_, about)| about.ends_with('.')));
    }
}
