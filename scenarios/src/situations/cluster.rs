//! What holds for the cluster as a whole: who reaches whom, and which states follow from that and from all nodes together.
//!
//! A state counts when it begins: [`States`] remembers which hold.

use super::Situation;
use super::view::{Members, View};

/// A set of nodes, one bit each.
pub type Mask = u32;

/// The set of these nodes.
pub(super) fn mask(nodes: &[u32]) -> Mask {
    nodes.iter().fold(0, |set, node| set | bit(*node as usize))
}

pub(super) fn bit(node: usize) -> Mask {
    1 << node
}

/// Which links between nodes are cut.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links {
    /// For each sender, whom its messages do not reach.
    cut: Vec<Mask>,
    any: bool,
}

impl Links {
    /// Between `nodes` nodes, where `is_cut` says whether messages from the first to the second are stopped.
    pub fn new(nodes: usize, is_cut: impl Fn(usize, usize) -> bool) -> Self {
        let row = |from: usize| {
            let lost = (0..nodes).filter(|to| *to != from && is_cut(from, *to));
            lost.fold(0, |set, to| set | bit(to))
        };
        let cut: Vec<Mask> = (0..nodes).map(row).collect();
        let any = cut.iter().any(|set| *set != 0);
        Self { cut, any }
    }

    /// Whether any is cut.
    pub fn any_cut(&self) -> bool {
        self.any
    }

    /// Whether a link to or from this node is cut.
    pub fn is_cut_around(&self, node: usize) -> bool {
        self.any && (self.cut[node] != 0 || self.cut.iter().any(|set| set & bit(node) != 0))
    }

    fn everyone(&self) -> Mask {
        bit(self.cut.len()) - 1
    }

    /// Whom a node's messages reach, itself included.
    fn sends_to(&self, node: usize) -> Mask {
        self.everyone() & !self.cut[node]
    }

    /// Whose messages reach a node, its own included.
    fn hears(&self, node: usize) -> Mask {
        let heard = (0..self.cut.len()).filter(|from| self.cut[*from] & bit(node) == 0);
        heard.fold(0, |set, from| set | bit(from))
    }

    /// Whom a node reaches both ways, itself included.
    fn reaches(&self, node: usize) -> Mask {
        self.sends_to(node) & self.hears(node)
    }

    /// Whether some two nodes do not reach each other while both reach a third.
    fn is_partial(&self) -> bool {
        let nodes = 0..self.cut.len();
        let apart = |one: usize, other: usize| {
            let reached = self.reaches(one);
            reached & bit(other) == 0 && reached & self.reaches(other) != 0
        };
        self.any
            && nodes
                .clone()
                .any(|one| nodes.clone().any(|other| one != other && apart(one, other)))
    }
}

/// The states that a leader can be in, by node.
const OF_LEADERS: [Situation; 5] = [
    Situation::LeaderIsolated,
    Situation::LeaderReachesOne,
    Situation::LeaderMute,
    Situation::LeaderDeaf,
    Situation::JointUnderPartition,
];

/// The states that held when they were last looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct States {
    of_leaders: [Mask; OF_LEADERS.len()],
    partial: bool,
    has_quorum: Option<bool>,
    all_down: bool,
}

impl States {
    /// Looks again, and tells `reached` which states begin, and on which node if on one.
    pub fn update(
        &mut self,
        views: &[View],
        links: &Links,
        members: Members,
        mut reached: impl FnMut(Situation, Option<usize>),
    ) {
        for (state, situation) in self.of_leaders.iter_mut().zip(OF_LEADERS) {
            let holds = |node: &usize| views[*node].leads() && links.any && of_leader(situation, *node, views, links);
            let now = (0..views.len()).filter(holds).fold(0, |set, node| set | bit(node));
            let begun = now & !std::mem::replace(state, now);
            (0..views.len())
                .filter(|node| begun & bit(*node) != 0)
                .for_each(|node| reached(situation, Some(node)));
        }
        let partial = links.is_partial();
        if partial && !std::mem::replace(&mut self.partial, partial) {
            reached(Situation::PartialPartition, None);
        }
        self.partial = partial;
        let up = (0..views.len()).filter(|node| views[*node].up);
        let up = up.fold(0, |set, node| set | bit(node));
        match (self.has_quorum.replace(members.is_quorum(up)), self.has_quorum) {
            (Some(true), Some(false)) => reached(Situation::QuorumLost, None),
            (Some(false), Some(true)) => reached(Situation::QuorumRegained, None),
            _ => {}
        }
        let all_down = up == 0;
        if all_down && !std::mem::replace(&mut self.all_down, all_down) {
            reached(Situation::WholeClusterDown, None);
        }
        self.all_down = all_down;
    }
}

fn of_leader(situation: Situation, node: usize, views: &[View], links: &Links) -> bool {
    let members = views[node].members();
    let (sends, hears) = (
        members.is_quorum(links.sends_to(node)),
        members.is_quorum(links.hears(node)),
    );
    let reaches = links.reaches(node);
    match situation {
        Situation::LeaderIsolated => !members.is_quorum(reaches),
        Situation::LeaderMute => hears && !sends,
        Situation::LeaderDeaf => sends && !hears,
        Situation::LeaderReachesOne => {
            let others = members.all_voters() & !bit(node);
            others.count_ones() >= 3 && (others & reaches).count_ones() == 1
        }
        Situation::JointUnderPartition => members.is_joint() && members.all_voters() & !reaches != 0,
        _ => unreachable!("{} is no state of a leader", situation.name()),
    }
}
