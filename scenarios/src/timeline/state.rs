//! What each node was at each moment: role, term, vote, commit and applied index, and the terms of its log.
//!
//! The trace tells what changed. The contents of a log follow from the appends and from the entries that were delivered;
//! what a crash left of it follows from the first change after the restart, which says how long the log was.

use super::{Row, Timeline};
use serde_json::Value;
use simulator::TraceEvent;

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
    /// Killed.
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

    fn of(role: &str) -> Option<Self> {
        let all = [Self::Follower, Self::PreCandidate, Self::Candidate, Self::Leader];
        all.into_iter().find(|stand| stand.name() == role)
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

/// So many terms of a log are told apart.
const TERMS_MAX: usize = 500;

/// The terms of a log: `(term, last index of this term)`, ascending; term 0 for entries that a snapshot replaced unseen.
pub type Terms = Vec<(u64, u64)>;

/// The life of one node.
#[derive(Clone, Debug, Default)]
pub struct NodeLife {
    /// What it was, from which event on.
    pub states: Vec<(Row, NodeState)>,
    /// The terms of its log, from which event on.
    pub logs: Vec<(Row, Terms)>,
}

impl NodeLife {
    fn now(&self) -> NodeState {
        self.states.last().map_or_else(NodeState::default, |(_, state)| *state)
    }

    fn terms(&self) -> &[(u64, u64)] {
        self.logs.last().map_or(&[], |(_, terms)| terms)
    }

    fn set(&mut self, row: Row, state: NodeState) {
        match self.states.last_mut() {
            Some((_, last)) if *last == state => {}
            Some((at, last)) if *at == row => *last = state,
            _ => self.states.push((row, state)),
        }
    }

    fn set_terms(&mut self, row: Row, terms: Terms) {
        match self.logs.last_mut() {
            Some((_, last)) if *last == terms => {}
            Some((at, last)) if *at == row => *last = terms,
            _ => self.logs.push((row, terms)),
        }
    }
}

/// The term of the entry at `index`, if the log reaches so far.
fn term_at(terms: &[(u64, u64)], index: u64) -> Option<u64> {
    terms.iter().find(|(_, last)| index <= *last).map(|(term, _)| *term)
}

fn truncate(terms: &mut Terms, last: u64) {
    let keep = terms.iter().position(|(_, end)| *end >= last);
    if let Some(keep) = keep {
        terms.truncate(keep + 1);
        terms[keep].1 = last;
    }
    if last == 0 {
        terms.clear();
    }
}

fn extend(terms: &mut Terms, term: u64, last: u64) {
    match terms.last_mut() {
        Some((end_term, end)) if *end_term == term => *end = last.max(*end),
        Some((_, end)) if *end >= last => {}
        _ => terms.push((term, last)),
    }
    // A log of so many terms is no run of ours; the oldest are forgotten.
    if terms.len() > TERMS_MAX {
        terms.remove(0);
    }
}

/// Puts the entry `(term, index)` into a log, as Raft does: what conflicts with it goes, and all after that.
fn put(terms: &mut Terms, term: u64, index: u64) {
    if index == 0 || term_at(terms, index) == Some(term) {
        return;
    }
    truncate(terms, terms.last().map_or(0, |(_, last)| *last).min(index - 1));
    extend(terms, term, index);
}

/// The entries of an append, `(term, index)`, and what they follow.
struct Appended {
    previous: (u64, u64),
    entries: Vec<(u64, u64)>,
}

fn appended(event: &TraceEvent) -> Option<Appended> {
    // Of all that arrives little is an append; no tree is kept of it.
    if event.fields.text("type").as_deref() != Some("append-entries") {
        return None;
    }
    let fields = event.fields.to_map();
    let body = fields.get("message")?.get("body")?;
    let mark = |value: &Value| Some((value.get("term")?.as_u64()?, value.get("index")?.as_u64()?));
    let entries = body.get("entries")?.as_array()?.iter().filter_map(mark).collect();
    Some(Appended {
        previous: mark(body.get("prev")?)?,
        entries,
    })
}

/// The life of every node.
pub fn lives(timeline: &Timeline<'_>) -> Vec<NodeLife> {
    let nodes = timeline.nodes();
    let mut lives = vec![NodeLife::default(); nodes];
    let lengths = lengths_after_restarts(timeline);
    for (row, event) in timeline.events.iter().enumerate() {
        if let Some(life) = timeline.lane_of(event).and_then(|lane| lives.get_mut(lane)) {
            change(timeline, life, row, lengths[row]);
        }
    }
    lives
}

/// For each restart, how long the log of its node was then, as its next change says.
fn lengths_after_restarts(timeline: &Timeline<'_>) -> Vec<Option<u64>> {
    let mut lengths = vec![None; timeline.events.len()];
    let mut next: Vec<Option<u64>> = vec![None; timeline.nodes()];
    for (row, event) in timeline.events.iter().enumerate().rev() {
        let Some(next) = timeline.lane_of(event).and_then(|lane| next.get_mut(lane)) else {
            continue;
        };
        match &*event.kind {
            "append" | "truncate" => *next = Timeline::number(event, "was"),
            "install" | "crash" => *next = None,
            "restart" => lengths[row] = *next,
            _ => {}
        }
    }
    lengths
}

fn change(timeline: &Timeline<'_>, life: &mut NodeLife, row: Row, length: Option<u64>) {
    let event = timeline.events[row];
    let mut now = life.now();
    let field = |name| Timeline::number(event, name);
    match &*event.kind {
        "boot" => now.stand = Stand::Follower,
        "crash" => (now.stand, now.paused) = (Stand::Crashed, false),
        "restart" => {
            let (commit, applied) = (now.snapshot, now.snapshot);
            now = NodeState {
                stand: Stand::Follower,
                commit,
                applied,
                ..now
            };
            if let Some(length) = length {
                now.last = length;
                life.set_terms(row, recovered(life, length));
            }
        }
        "pause" => now.paused = true,
        "resume" => now.paused = false,
        "role" => {
            let stand = event.fields.get("role").and_then(Value::as_str).and_then(Stand::of);
            now.stand = stand.unwrap_or(now.stand);
            let term = field("term").unwrap_or(now.term);
            now.vote = now.vote.filter(|_| term == now.term);
            now.term = term;
        }
        "vote" => now.vote = field("candidate"),
        "commit" => now.commit = field("index").unwrap_or(now.commit),
        "apply" => now.applied = field("index").unwrap_or(now.applied),
        "snapshot" => now.snapshot = field("index").unwrap_or(now.snapshot),
        "deliver" => delivered(life, row, event),
        "append" | "truncate" => {
            now.last = field("last").unwrap_or(now.last);
            life.set_terms(row, changed_log(timeline, life, row, now.last));
        }
        "install" => {
            let (index, term) = (field("index").unwrap_or(0), field("term").unwrap_or(0));
            let terms = installed(life.terms(), term, index);
            now.last = terms.last().map_or(index, |(_, last)| *last);
            (now.snapshot, now.commit, now.applied) = (index, index.max(now.commit), index);
            life.set_terms(row, terms);
        }
        _ => return,
    }
    life.set(row, now);
}

/// The log after a snapshot up to `(term, index)` replaced what it did not agree with: of the entries before nothing is known.
fn installed(terms: &[(u64, u64)], term: u64, index: u64) -> Terms {
    if index == 0 || term_at(terms, index) == Some(term) {
        return terms.to_vec();
    }
    let unknown = (index > 1).then_some((0, index - 1));
    unknown.into_iter().chain([(term, index)]).collect()
}

/// A log of this length, as the node last had one.
fn recovered(life: &NodeLife, length: u64) -> Terms {
    let long = |terms: &&Terms| terms.last().is_some_and(|(_, last)| *last >= length);
    let mut terms = life
        .logs
        .iter()
        .rev()
        .map(|(_, terms)| terms)
        .find(long)
        .cloned()
        .unwrap_or_default();
    truncate(&mut terms, length);
    terms
}

/// Entries that overwrite others of the same number change no length, so no event tells of them.
fn delivered(life: &mut NodeLife, row: Row, event: &TraceEvent) {
    let Some(Appended { previous, entries }) = appended(event) else {
        return;
    };
    let follows = previous.1 == 0 || term_at(life.terms(), previous.1) == Some(previous.0);
    let conflicts = |(term, index): &(u64, u64)| term_at(life.terms(), *index).is_some_and(|own| own != *term);
    if follows && entries.iter().any(conflicts) {
        let mut terms = life.terms().to_vec();
        entries.iter().for_each(|(term, index)| put(&mut terms, *term, *index));
        life.set_terms(row, terms);
    }
}

/// The log after an event says that its length changed.
fn changed_log(timeline: &Timeline<'_>, life: &NodeLife, row: Row, last: u64) -> Terms {
    let mut terms = life.terms().to_vec();
    let event = timeline.events[row];
    let cause = timeline.causes[row].map(|cause| timeline.events[cause]);
    if let Some(append) = cause.filter(|cause| cause.kind == "deliver").and_then(appended) {
        append
            .entries
            .iter()
            .for_each(|(term, index)| put(&mut terms, *term, *index));
    }
    if let Some(term) = Timeline::number(event, "term").filter(|_| event.kind == "append") {
        put(&mut terms, term, last);
    }
    truncate(&mut terms, last);
    terms
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
        let last: Vec<(NodeState, &[(u64, u64)])> = lives.iter().map(|life| (life.now(), life.terms())).collect();
        let highest = last.iter().map(|(state, _)| state.commit).max();
        assert_eq!(highest, Some(report.committed));
        assert!(last.iter().any(|(state, _)| state.stand == Stand::Leader), "{last:?}");
        for (state, terms) in &last {
            let up_to = state.commit.min(terms.last().map_or(0, |(_, last)| *last));
            let known = |index: &u64| *index > last.iter().map(|(state, _)| state.snapshot).max().unwrap_or(0);
            for index in (1..=up_to).filter(known) {
                let others = last.iter().filter(|(other, _)| other.commit >= index);
                assert!(others.clone().count() > 0);
                for (_, other) in others {
                    assert_eq!(term_at(other, index), term_at(terms, index), "entry {index}\n{last:?}");
                }
            }
            assert_eq!(
                terms.last().map_or(state.snapshot, |(_, last)| *last),
                state.last,
                "{state:?} {terms:?}"
            );
        }
    }

    #[test]
    fn entries_replace_what_conflicts_with_them_and_all_after_it() {
        let mut terms = vec![(1, 3), (2, 7)];
        put(&mut terms, 1, 2);
        assert_eq!(terms, [(1, 3), (2, 7)], "what is there stays");
        put(&mut terms, 3, 5);
        assert_eq!(terms, [(1, 3), (2, 4), (3, 5)]);
        put(&mut terms, 3, 6);
        put(&mut terms, 4, 1);
        assert_eq!(terms, [(4, 1)]);
        truncate(&mut terms, 0);
        assert_eq!((terms.len(), term_at(&terms, 1)), (0, None));
        assert_eq!(installed(&[(1, 3)], 2, 7), [(0, 6), (2, 7)]);
        assert_eq!(installed(&[(1, 3), (2, 9)], 2, 7), [(1, 3), (2, 9)]);
    }
}
