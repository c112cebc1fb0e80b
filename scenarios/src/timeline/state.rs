//! What each node was at each moment: role, term, vote, configuration, commit and applied index, and the terms of its log.
//!
//! One pass over the events, one event at a time: [`Node::take`] knows what a node was from what it told and from what was done to it,
//! and from nothing else. What a node did not tell is not known, and no arrival of a message is taken for its acceptance.

use super::{Row, Timeline};
use simulator::TraceEvent;
use simulator::trace::events::{
    Append, Apply, Commit, Compact, Configured, Install, LogHeld, LogMark, Meaning, Part, Recovered, Snapshot,
    Stand as Took, TermSpans, Truncate, Vote,
};

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Stand {
    /// Not started yet.
    #[default]
    Absent,
    /// Follower.
    Follower,
    /// Asks whether it would win.
    PreCandidate,
    /// Candidate.
    Candidate,
    /// Leader.
    Leader,
    /// Killed, or stopped of its own accord.
    Crashed,
}

impl Stand {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Follower => "follower",
            Self::PreCandidate => "pre-candidate",
            Self::Candidate => "candidate",
            Self::Leader => "leader",
            Self::Crashed => "crashed",
        }
    }
}

impl From<Part> for Stand {
    fn from(part: Part) -> Self {
        match part {
            Part::Follower => Self::Follower,
            Part::PreCandidate => Self::PreCandidate,
            Part::Candidate => Self::Candidate,
            Part::Leader => Self::Leader,
        }
    }
}

/// A node from one event on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NodeState {
    /// What it is.
    pub stand: Stand,
    /// Whether it is held.
    pub paused: bool,
    /// Its term.
    pub term: u64,
    /// Whom it voted for in this term.
    pub vote: Option<u64>,
    /// Its commit index.
    pub commit: u64,
    /// The last entry that it applied.
    pub applied: u64,
    /// The last entry of its log.
    pub last: u64,
    /// The last entry that its snapshot replaces.
    pub snapshot: u64,
}

/// The members under which a node acts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    /// Index of the entry or snapshot that says so.
    pub index: u64,
    /// The voters; while joint, the incoming ones.
    pub voters: Vec<u64>,
    /// While joint, the outgoing voters.
    pub outgoing: Vec<u64>,
    /// Nodes that get the log and do not vote.
    pub learners: Vec<u64>,
}

/// So many terms of a log are told apart.
const TERMS_MAX: usize = 500;

/// A node as far as the trace has told of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Node {
    /// What it is.
    pub state: NodeState,
    /// Its log.
    pub log: LogHeld,
    /// Its members.
    pub members: Members,
}

impl Node {
    /// Takes in the next event of this node.
    pub fn take(&mut self, event: &TraceEvent) {
        let now = &mut self.state;
        match &*event.kind {
            // What it has recovered it tells itself.
            "boot" | "restart" => {
                *self = Self {
                    state: NodeState {
                        stand: Stand::Follower,
                        ..NodeState::default()
                    },
                    ..Self::default()
                };
            }
            "crash" | "exit" => (now.stand, now.paused) = (Stand::Crashed, false),
            "pause" => now.paused = true,
            "resume" => now.paused = false,
            _ => self.told(event),
        }
        self.state.last = self.log.last();
    }

    fn told(&mut self, event: &TraceEvent) {
        let (now, log) = (&mut self.state, &mut self.log);
        if let Some(recovered) = Recovered::read(event) {
            *now = NodeState {
                term: recovered.term,
                vote: recovered.vote,
                commit: recovered.commit,
                applied: recovered.applied,
                snapshot: recovered.snapshot.index,
                ..*now
            };
            *log = bounded(recovered.log);
        } else if let Some(Took { role, term }) = Took::read(event) {
            now.vote = now.vote.filter(|_| term == now.term);
            (now.stand, now.term) = (role.into(), term);
        } else if let Some(Vote { candidate, .. }) = Vote::read(event) {
            now.vote = candidate;
        } else if let Some(Append { was, terms, .. }) = Append::read(event) {
            append(log, was, terms);
        } else if let Some(Truncate { last, .. }) = Truncate::read(event) {
            truncate(log, last);
        } else if let Some(Compact { index, term }) = Compact::read(event) {
            compact(log, LogMark { index, term });
        } else if let Some(Snapshot { index, .. }) = Snapshot::read(event) {
            now.snapshot = index;
        } else if let Some(installed) = Install::read(event) {
            let index = installed.index;
            (now.snapshot, now.commit, now.applied) = (index, index, index);
            *log = bounded(installed.log);
        } else if let Some(Commit { index, .. }) = Commit::read(event) {
            now.commit = index;
        } else if let Some(Apply { index, .. }) = Apply::read(event) {
            now.applied = index;
        } else if let Some(configured) = Configured::read(event) {
            let Configured {
                index,
                voters,
                outgoing,
                learners,
            } = configured;
            self.members = Members {
                index,
                voters,
                outgoing,
                learners,
            };
        }
    }
}

/// The life of one node.
#[derive(Clone, Debug, Default)]
pub struct NodeLife {
    /// What it was, from which event on.
    pub states: Vec<(Row, NodeState)>,
    /// Its log, from which event on.
    pub logs: Vec<(Row, LogHeld)>,
    /// Its members, from which event on.
    pub members: Vec<(Row, Members)>,
}

impl NodeLife {
    fn note(&mut self, row: Row, node: &Node) {
        note(&mut self.states, row, &node.state);
        note(&mut self.logs, row, &node.log);
        note(&mut self.members, row, &node.members);
    }

    /// What it was just after an event.
    pub fn state_at(&self, row: Row) -> NodeState {
        at(&self.states, row).copied().unwrap_or_default()
    }

    /// Its log just after an event.
    pub fn log_at(&self, row: Row) -> Option<&LogHeld> {
        at(&self.logs, row)
    }

    /// Its members just after an event.
    pub fn members_at(&self, row: Row) -> Option<&Members> {
        at(&self.members, row)
    }
}

fn note<T: Clone + PartialEq + Default>(noted: &mut Vec<(Row, T)>, row: Row, now: &T) {
    match noted.last() {
        Some((_, last)) if last == now => {}
        None if *now == T::default() => {}
        _ => noted.push((row, now.clone())),
    }
}

fn at<T>(noted: &[(Row, T)], row: Row) -> Option<&T> {
    let after = noted.partition_point(|(from, _)| *from <= row);
    after.checked_sub(1).map(|at| &noted[at].1)
}

/// The term of the entry at `index`, if the log has it, be it as the one that it begins behind.
pub fn term_at(log: &LogHeld, index: u64) -> Option<u64> {
    if index == log.start.index {
        return Some(log.start.term).filter(|_| index > 0);
    }
    let spans = log.terms.iter().find(|(_, last)| index <= *last);
    spans.map(|(term, _)| *term).filter(|_| index > log.start.index)
}

/// Adds entries of these terms behind the one at `was`.
fn append(log: &mut LogHeld, was: u64, terms: TermSpans) {
    truncate(log, was);
    for (term, last) in terms {
        if last <= log.last() {
            continue;
        }
        match log.terms.last_mut() {
            Some((of, end)) if *of == term => *end = last,
            _ => log.terms.push((term, last)),
        }
    }
    bound(log);
}

/// Leaves the entries up to `last`.
fn truncate(log: &mut LogHeld, last: u64) {
    if last >= log.last() {
        return;
    }
    let keep = log.terms.partition_point(|(_, end)| *end < last);
    log.terms.truncate(keep + 1);
    if let Some((_, end)) = log.terms.last_mut() {
        *end = last;
    }
    if last <= log.start.index {
        log.terms.clear();
    }
}

/// Leaves the entries behind `start`.
fn compact(log: &mut LogHeld, start: LogMark) {
    log.terms.retain(|(_, last)| *last > start.index);
    log.start = start;
}

/// A log of so many terms is no run of ours; of the oldest nothing is said.
fn bound(log: &mut LogHeld) {
    while log.terms.len() > TERMS_MAX {
        let (term, index) = log.terms[0];
        compact(log, LogMark { index, term });
    }
}

/// The same log, if its indices ascend; as far as they do.
fn bounded(told: LogHeld) -> LogHeld {
    let mut log = LogHeld {
        start: told.start,
        terms: TermSpans::new(),
    };
    append(&mut log, told.start.index, told.terms);
    log
}

/// All nodes' lives, by the number of their lane.
pub fn lives(timeline: &Timeline<'_>) -> Vec<NodeLife> {
    let mut lives = vec![NodeLife::default(); timeline.nodes()];
    let mut nodes = vec![Node::default(); lives.len()];
    for (row, event) in timeline.events.iter().enumerate() {
        let Some(lane) = timeline.lane_of(event).filter(|lane| *lane < lives.len()) else {
            continue;
        };
        nodes[lane].take(event);
        lives[lane].note(row, &nodes[lane]);
    }
    lives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::tests::traced;

    #[test]
    fn the_logs_of_a_run_that_passed_agree_as_far_as_they_are_committed() {
        let (trace, report) = traced("storm", 3, None);
        assert_eq!(report.failure, None);
        let lives = lives(&Timeline::new(&trace));
        let last: Vec<(NodeState, &LogHeld)> = lives
            .iter()
            .map(|life| (life.state_at(Row::MAX), life.log_at(Row::MAX).expect("it has a log")))
            .collect();
        let highest = last.iter().map(|(state, _)| state.commit).max();
        assert_eq!(highest, Some(report.committed));
        assert!(last.iter().any(|(state, _)| state.stand == Stand::Leader), "{last:?}");
        for (state, log) in &last {
            assert_eq!(log.last(), state.last, "{state:?} {log:?}");
            for index in log.start.index.max(1)..=state.commit {
                for (_, other) in last.iter().filter(|(other, _)| other.commit >= index) {
                    let (own, others) = (term_at(log, index), term_at(other, index));
                    assert!(own == others || others.is_none(), "entry {index}\n{last:?}");
                }
            }
        }
    }

    fn log(start: (u64, u64), terms: &[(u64, u64)]) -> LogHeld {
        let (term, index) = start;
        LogHeld {
            start: LogMark { index, term },
            terms: terms.to_vec(),
        }
    }

    #[test]
    fn entries_are_added_removed_and_given_up_as_told() {
        let mut held = log((0, 0), &[(1, 3), (2, 7)]);
        truncate(&mut held, 9);
        assert_eq!(held.last(), 7, "there is nothing to remove");
        truncate(&mut held, 4);
        assert_eq!(held.terms, [(1, 3), (2, 4)]);
        append(&mut held, 4, vec![(2, 5), (3, 6)]);
        assert_eq!(held.terms, [(1, 3), (2, 5), (3, 6)]);
        compact(&mut held, LogMark { index: 3, term: 1 });
        assert_eq!(held, log((1, 3), &[(2, 5), (3, 6)]));
        let at = |index| term_at(&held, index);
        assert_eq!(
            [at(0), at(2), at(3), at(4), at(6), at(7)],
            [None, None, Some(1), Some(2), Some(3), None]
        );
        truncate(&mut held, 3);
        assert_eq!((held.terms.len(), held.last()), (0, 3));
        truncate(&mut held, 0);
        assert_eq!(held.last(), 3, "what a snapshot stands for is not removed");
    }

    #[test]
    fn what_makes_no_sense_is_taken_as_far_as_it_does() {
        let mut held = log((1, 5), &[]);
        append(&mut held, 2, vec![(3, 4), (3, 6), (2, 6), (2, u64::MAX)]);
        assert_eq!(held.terms, [(3, 6), (2, u64::MAX)]);
        for term in 0..2 * TERMS_MAX as u64 {
            append(&mut held, 5 + term, vec![(term, 6 + term)]);
        }
        assert_eq!(held.terms.len(), TERMS_MAX);
    }
}
