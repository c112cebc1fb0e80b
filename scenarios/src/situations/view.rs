//! What the watcher knows of one node: role, log, members, lease. Sets of nodes are bit masks; a log is kept as the runs of its
//! terms, so that following it costs no memory per entry.

use super::cluster::{Mask, mask};
use checker::properties::Role;

/// The terms of a log: where each begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    /// First index and term, ascending.
    runs: Vec<(u64, u64)>,
}

impl Terms {
    /// The log ends with an entry of this term at this index.
    pub fn append(&mut self, index: u64, term: u64) {
        if self.runs.last().is_none_or(|(_, last)| *last != term) {
            self.runs.push((index, term));
        }
    }

    /// Entries from this index on are gone.
    pub fn truncate(&mut self, from: u64) {
        while self.runs.last().is_some_and(|(first, _)| *first >= from) {
            self.runs.pop();
        }
    }

    /// The whole log is what a snapshot up to this entry stands for.
    pub fn reset(&mut self, index: u64, term: u64) {
        self.runs.clear();
        if index > 0 {
            self.runs.push((index, term));
        }
    }

    /// The term of the entry at this index of a log that reaches so far; `None` before the log's start.
    pub fn at(&self, index: u64) -> Option<u64> {
        let run = self.runs.iter().rev().find(|(first, _)| *first <= index);
        run.map(|(_, term)| *term)
    }
}

/// The members of a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Members {
    /// Index of its entry.
    pub index: u64,
    pub voters: Mask,
    /// Of a joint configuration; nobody in a simple one.
    pub outgoing: Mask,
    pub learners: Mask,
}

impl Members {
    pub fn is_joint(&self) -> bool {
        self.outgoing != 0
    }

    /// All who vote.
    pub fn all_voters(&self) -> Mask {
        self.voters | self.outgoing
    }

    /// All whom the leader sends to.
    pub fn all(&self) -> Mask {
        self.all_voters() | self.learners
    }

    /// Whether these nodes decide.
    pub fn is_quorum(&self, nodes: Mask) -> bool {
        let majority = |of: Mask| 2 * (of & nodes).count_ones() > of.count_ones();
        majority(self.voters) && (self.outgoing == 0 || majority(self.outgoing))
    }
}

/// A lease, in true time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub until: u64,
    /// When half of it is over; `None` once that was told.
    pub half: Option<u64>,
}

/// One node.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub up: bool,
    pub role: Role,
    /// The term in which it holds its role.
    pub role_term: u64,
    pub term: u64,
    pub last: u64,
    pub durable: u64,
    pub commit: u64,
    pub terms: Terms,
    /// Of the configurations in its log, those that may still matter, oldest first.
    pub configurations: Vec<Members>,
    /// Index of the active configuration.
    pub active: u64,
    /// As a leader: the last entry of an earlier term, if its commitment was unknown at the election.
    pub inherited: Option<(u64, u64)>,
    pub lease: Option<Lease>,
    /// Whether it held a lease when it was paused.
    pub paused_with_lease: bool,
    /// The term of the leader whose snapshot it is receiving.
    pub receiving: Option<u64>,
    /// When it was a leader last and what of, if that is over.
    pub deposed: Option<(u64, u64)>,
    /// The term in which votes were received, and from whom.
    pub votes: (u64, Mask),
    /// True time of the latest restart.
    pub restarted: Option<u64>,
    /// All who ever were members by its log.
    pub seen_members: Mask,
}

impl View {
    /// A node before its first boot, in a cluster of these founders.
    pub fn new(founders: Mask) -> Self {
        let founding = Members {
            voters: founders,
            ..Members::default()
        };
        Self {
            up: true,
            role: Role::Follower,
            role_term: 0,
            term: 0,
            last: 0,
            durable: 0,
            commit: 0,
            terms: Terms::default(),
            configurations: vec![founding],
            active: 0,
            inherited: None,
            lease: None,
            paused_with_lease: false,
            receiving: None,
            deposed: None,
            votes: (0, 0),
            restarted: None,
            seen_members: founders,
        }
    }

    /// The members under whom it acts.
    pub fn members(&self) -> Members {
        let known = || self.configurations.iter().rev();
        let active = known().find(|members| members.index <= self.active);
        active.or(self.configurations.first()).copied().unwrap_or_default()
    }

    /// The configuration at `index` of the log is this; gives the one before it.
    pub fn configuration(
        &mut self,
        index: u64,
        voters: &[u32],
        outgoing: &[u32],
        learners: &[u32],
    ) -> (Members, Members) {
        // What lies behind is gone, and a few before it are as many as can come back.
        const KEPT: usize = 8;
        self.configurations.retain(|members| members.index < index);
        let before = self.configurations.last().copied().unwrap_or_default();
        let members = Members {
            index,
            voters: mask(voters),
            outgoing: mask(outgoing),
            learners: mask(learners),
        };
        if self.configurations.len() >= KEPT {
            self.configurations.remove(1);
        }
        self.configurations.push(members);
        self.seen_members |= before.all();
        (before, members)
    }

    pub fn leads(&self) -> bool {
        self.up && self.role == Role::Leader
    }
}
