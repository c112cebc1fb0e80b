//! Who belongs to the cluster (thesis, chapter 4), as plain data: what a set of members is, what lies between two of them,
//! and which configuration a log says.

use crate::bugs::{Planted, bug};
use crate::quorum::{self, Vote};
use crate::types::{Index, NodeId};
use alloc::vec::Vec;

/// The members that an operator wants.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Members {
    /// They vote, and count in quorums.
    pub voters: Vec<NodeId>,
    /// They get the log and do not count.
    pub learners: Vec<NodeId>,
}

/// The members in force: one set of voters or, in between two, both (joint consensus, thesis, section 4.3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Configuration {
    /// The voters; while joint, those of the new configuration.
    pub voters: Vec<NodeId>,
    /// While joint, the voters of the old configuration; otherwise empty.
    pub outgoing: Vec<NodeId>,
    /// They get the log and do not count.
    pub learners: Vec<NodeId>,
    /// Old voters that become learners when the joint configuration is left: until then they still vote.
    pub learners_next: Vec<NodeId>,
}

impl Configuration {
    /// Most voters in one set.
    pub const VOTERS_MAX: usize = 32;

    /// The simple configuration of `voters`.
    #[must_use]
    pub fn of(voters: Vec<NodeId>) -> Self {
        Self {
            voters,
            ..Self::default()
        }
    }

    /// Whether two sets of voters decide.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the node votes, in either set.
    #[must_use]
    pub fn is_voter(&self, id: NodeId) -> bool {
        self.voters.contains(&id) || self.outgoing.contains(&id)
    }

    /// All members, each once.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + '_ {
        let lists = [&self.voters, &self.outgoing, &self.learners, &self.learners_next];
        let earlier = move |at: usize, id: &NodeId| lists[..at].iter().any(|list| list.contains(id));
        (0..4).flat_map(move |at| lists[at].iter().copied().filter(move |id| !earlier(at, id)))
    }

    /// Whether the node is a member.
    #[must_use]
    pub fn contains(&self, id: NodeId) -> bool {
        self.is_voter(id) || self.learners.contains(&id) || self.learners_next.contains(&id)
    }

    /// The next configuration on the way to `members`: at once if one voter comes or goes at most (thesis, section 4.1),
    /// else the joint one. `None` if they make no configuration.
    #[must_use]
    pub fn towards(&self, members: &Members) -> Option<Self> {
        debug_assert!(!self.is_joint(), "one change at a time");
        let Members { voters, learners } = members;
        let all: Vec<NodeId> = voters.iter().chain(learners).copied().collect();
        let distinct = all.iter().enumerate().all(|(at, id)| !all[..at].contains(id));
        if voters.is_empty() || voters.len() > Self::VOTERS_MAX || !distinct {
            return None;
        }
        let gone = self.voters.iter().filter(|id| !voters.contains(id)).count();
        let come = voters.iter().filter(|id| !self.voters.contains(id)).count();
        if gone + come <= 1 {
            return Some(Self {
                voters: voters.clone(),
                learners: learners.clone(),
                ..Self::default()
            });
        }
        let (learners_next, learners) = learners.iter().partition(|id| self.voters.contains(id));
        Some(Self {
            voters: voters.clone(),
            outgoing: self.voters.clone(),
            learners,
            learners_next,
        })
    }

    /// The configuration after a joint one.
    #[must_use]
    pub fn left(&self) -> Self {
        let learners = self.learners.iter().chain(&self.learners_next).copied().collect();
        Self {
            voters: self.voters.clone(),
            learners,
            ..Self::default()
        }
    }

    /// The largest value that a majority of each set of voters has reached; `value` gives each node's, and `majority` how
    /// many of so many decide. 0 when nobody votes.
    #[must_use]
    pub fn reached(&self, majority: impl Fn(usize) -> usize, value: impl Fn(NodeId) -> u64) -> u64 {
        let of = |voters: &[NodeId]| {
            let mut values = [0; Self::VOTERS_MAX];
            let values = &mut values[..voters.len()];
            values.iter_mut().zip(voters).for_each(|(slot, id)| *slot = value(*id));
            quorum::reached(values, majority(voters.len()))
        };
        match (self.voters.is_empty(), self.is_joint()) {
            (true, _) => 0,
            (false, false) => of(&self.voters),
            (false, true) => of(&self.voters).min(of(&self.outgoing)),
        }
    }

    /// How an election stands: won by a majority of each set of voters, lost in either.
    #[must_use]
    pub fn tally(&self, majority: impl Fn(usize) -> usize, granted: &[NodeId], refused: &[NodeId]) -> Vote {
        let of = |voters: &[NodeId]| {
            let count = |list: &[NodeId]| list.iter().filter(|id| voters.contains(id)).count();
            quorum::tally(voters.len(), majority(voters.len()), count(granted), count(refused))
        };
        match (of(&self.voters), self.is_joint().then(|| of(&self.outgoing))) {
            (vote, None) => vote,
            (Vote::Lost, _) | (_, Some(Vote::Lost)) => Vote::Lost,
            (Vote::Won, Some(Vote::Won)) => Vote::Won,
            _ => Vote::Pending,
        }
    }
}

/// The configurations that a node's log says, oldest first. The active one is a function of the log: the last that was
/// appended, committed or not (thesis, section 4.1), and it is rolled back when its entry is truncated.
#[derive(Clone, Debug)]
pub(crate) struct Configurations {
    /// By the index of the entry; the first is that of the start or of a snapshot. Never empty.
    history: Vec<(Index, Configuration)>,
    pub(crate) planted: Planted,
}

impl Configurations {
    pub(crate) fn new(index: Index, configuration: Configuration) -> Self {
        Self {
            history: alloc::vec![(index, configuration)],
            planted: Planted::default(),
        }
    }

    #[cfg(feature = "bugs")]
    pub(crate) fn planted(&self) -> Planted {
        self.planted
    }

    /// The one place that says which configuration is in force.
    pub(crate) fn active(&self) -> &Configuration {
        &self.history.last().expect("there is always one").1
    }

    /// Index of the entry of the active one.
    pub(crate) fn active_index(&self) -> Index {
        self.history.last().expect("there is always one").0
    }

    /// The one that was in force as of the entry at `index`, which is not compacted.
    pub(crate) fn as_of(&self, index: Index) -> &Configuration {
        let at = self.history.partition_point(|(from, _)| *from <= index);
        &self.history[at.saturating_sub(1)].1
    }

    /// Whether the node votes in any configuration that may still decide: the one in force as of `commit`, and all after it.
    pub(crate) fn may_need(&self, id: NodeId, commit: Index) -> bool {
        if self.active_index() <= commit {
            return self.active().is_voter(id);
        }
        let at = self.history.partition_point(|(from, _)| *from <= commit);
        self.history[at.saturating_sub(1)..]
            .iter()
            .any(|(_, configuration)| configuration.is_voter(id))
    }

    pub(crate) fn appended(&mut self, index: Index, configuration: Configuration) {
        debug_assert!(index > self.active_index(), "configurations are appended in order");
        self.history.push((index, configuration));
    }

    /// The entries from `from` on are gone. Returns whether the active configuration is another now.
    pub(crate) fn truncated(&mut self, from: Index) -> bool {
        if bug!(self, ConfigNotRolledBack) {
            return false;
        }
        let kept = self.history.partition_point(|(index, _)| *index < from).max(1);
        let changed = kept < self.history.len();
        self.history.truncate(kept);
        changed
    }

    /// The log up to `index` was replaced by a snapshot with this configuration; later entries stay.
    pub(crate) fn restored(&mut self, index: Index, configuration: Configuration) {
        let keeps_later = !bug!(self, JoinerAcceptsOlderConfig);
        self.history.retain(|(at, _)| *at > index && keeps_later);
        self.history.insert(0, (index, configuration));
    }
}
