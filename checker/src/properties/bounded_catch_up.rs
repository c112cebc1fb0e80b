//! A leader finds in few messages where a member's log agrees with its own (Raft §5.3, the optimisation by terms).
//!
//! - A member's refusal is heeded: the leader goes back behind the entry that the member has not.
//! - It goes back a whole term at a time: between two advances of the match index, refusals move the leader to new places at
//!   most once for each term in either log above the match index, and once more for the end of the log.
//!
//! A leader that does neither brings the member up to date all the same, by a timeout or one entry at a time: the log is
//! never wrong, and the member is away for long. How soon a cluster has caught up when the faults are over is for whoever
//! drives the run to bound. When the member restarts, counting starts again: its log may have become shorter.

use super::PropertyInfo;
use super::ghost::{Ghost, Log};
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "bounded-catch-up",
    about: "a leader heeds a member's refusals, and finds where the logs agree in as many as the logs have terms",
    source: "Raft §5.3; openraft 50f7269d; ClickHouse NuRaft #657",
};

/// A refusal that a leader has dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub member: u32,
    pub acquaintance: u64,
    pub prev_index: u64,
    pub match_index: u64,
    pub next_index: u64,
}

/// How far each leader has gone back with each member since it last knew more of it.
#[derive(Clone, Debug, Default)]
pub struct BoundedCatchUp {
    searches: Vec<Search>,
}

#[derive(Clone, Copy, Debug)]
struct Search {
    leader: u32,
    member: u32,
    term: u64,
    acquaintance: u64,
    match_index: u64,
    /// The lowest next index so far.
    lowest: u64,
    /// How often it was a new one.
    moves: u64,
    moves_max: u64,
}

impl BoundedCatchUp {
    /// This step's node has restarted: its log may be shorter than it was.
    pub fn restarted(&mut self, step: Step) {
        self.searches
            .retain(|search| search.member != step.node && search.leader != step.node);
    }

    /// The leader of this step has dealt with a member's refusal.
    pub fn refused(&mut self, ghost: &Ghost, step: Step, refused: Refused) -> Verdict {
        let node = ghost.node(step.node);
        if !node.leads_now() {
            return Ok(());
        }
        let Refused {
            member,
            prev_index,
            next_index,
            ..
        } = refused;
        let (rule, message) = if next_index > prev_index {
            let message = format!(
                "was told by node {member} that it has not the entry {prev_index}, and would send it entry {next_index} next."
            );
            ("refusal-unheeded", message)
        } else if let Some(search) = self.moved(ghost, step, refused) {
            let message = format!(
                "has gone back {} times to find where the log of node {member} agrees, now to entry {next_index}; with the terms in \
                 both logs above {} it takes {} times at most.",
                search.moves, search.match_index, search.moves_max
            );
            ("walks-back", message)
        } else {
            return Ok(());
        };
        let message = format!("node {}, leader of term {}, {message}", step.node, node.role_term);
        let violation = step.broken(INFO.name, rule, message);
        let violation = violation.in_term(node.role_term).at_index(prev_index);
        Err(violation.with_nodes([member]))
    }

    /// The search that has gone on for too long with this refusal.
    fn moved(&mut self, ghost: &Ghost, step: Step, refused: Refused) -> Option<Search> {
        let Refused {
            member,
            acquaintance,
            match_index,
            next_index,
            ..
        } = refused;
        let term = ghost.node(step.node).role_term;
        let same = |search: &Search| search.leader == step.node && search.member == member;
        let at = self.searches.iter().position(same);
        let goes_on = at.map(|at| self.searches[at]).filter(|search| {
            (search.term, search.acquaintance, search.match_index) == (term, acquaintance, match_index)
        });
        let search = match goes_on {
            Some(search) if next_index >= search.lowest => return None,
            Some(search) => Search {
                lowest: next_index,
                moves: search.moves + 1,
                ..search
            },
            None => Search {
                leader: step.node,
                member,
                term,
                acquaintance,
                match_index,
                lowest: next_index,
                moves: 1,
                moves_max: moves_max(ghost, step.node, member, match_index),
            },
        };
        match at {
            Some(at) => self.searches[at] = search,
            None => self.searches.push(search),
        }
        Some(search).filter(|search| search.moves > search.moves_max)
    }
}

/// Each refusal leaves a term of either log behind; the first may only say where the member's log ends.
fn moves_max(ghost: &Ghost, leader: u32, member: u32, match_index: u64) -> u64 {
    let of = |node: u32| {
        let log = ghost.nodes().nth(node as usize).map(|(_, node)| &node.log);
        log.map_or(0, |log| terms_above(log, match_index))
    };
    of(leader) + of(member) + 1
}

/// How many terms the entries after `index` are of.
fn terms_above(log: &Log, index: u64) -> u64 {
    let mut terms = 0;
    let mut last = None;
    for index in index + 1..=log.last() {
        let term = log.mark(index).map(|mark| mark.term);
        terms += u64::from(term != last);
        last = term;
    }
    terms
}
