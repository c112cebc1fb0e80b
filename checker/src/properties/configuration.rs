//! Configurations: who votes, which sets of voters decide, and which configuration each log puts in force.
//!
//! Owns the registry of all configurations of a run (each stored once, compared by number), the record of those that are
//! committed, and, for one node, the configuration entries of its log. The majorities are counted here, not asked of the
//! system under test. When a change is allowed is left to the properties.

use std::collections::BTreeMap;

use super::ghost::NODES_MAX;

/// Number of a configuration in [`Configurations`]: equal numbers, equal members.
pub type ConfigurationId = u32;

/// The configuration that the run began with, unless a node tells more of it: the founding voters, no learners.
pub const FOUNDING: ConfigurationId = 0;

/// Size of the smallest majority of a voter set.
pub fn majority(voters: &[u32]) -> usize {
    voters.len() / 2 + 1
}

/// Voters and learners, each in ascending order. With outgoing voters it is joint: a decision then takes a majority of
/// both voter sets (Raft §6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    voters: Vec<u32>,
    outgoing: Vec<u32>,
    learners: Vec<u32>,
}

impl Configuration {
    /// Nodes `0..voters` vote.
    fn of_first(voters: u32) -> Self {
        Self {
            voters: (0..voters).collect(),
            outgoing: Vec::new(),
            learners: Vec::new(),
        }
    }

    fn of(members: Members<'_>) -> Self {
        let sorted = |nodes: &[u32]| {
            let mut nodes = nodes.to_vec();
            nodes.sort_unstable();
            nodes.dedup();
            nodes
        };
        Self {
            voters: sorted(members.voters),
            outgoing: sorted(members.outgoing),
            learners: sorted(members.learners),
        }
    }

    fn consists_of(&self, members: Members<'_>) -> bool {
        let equal = |own: &[u32], told: &[u32]| own.len() == told.len() && told.iter().all(|node| own.contains(node));
        equal(&self.voters, members.voters)
            && equal(&self.outgoing, members.outgoing)
            && equal(&self.learners, members.learners)
    }

    /// The voter sets, a majority of each of which a decision takes: one, or two while joint.
    pub fn voter_sets(&self) -> impl Iterator<Item = &[u32]> {
        let outgoing = (!self.outgoing.is_empty()).then_some(self.outgoing.as_slice());
        std::iter::once(self.voters.as_slice()).chain(outgoing)
    }

    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether `node` votes, in whichever voter set.
    pub fn votes(&self, node: u32) -> bool {
        self.voter_sets().any(|voters| voters.contains(&node))
    }

    /// Whether the nodes of which `agrees` holds decide.
    pub fn decides(&self, agrees: impl Fn(u32) -> bool) -> bool {
        self.voter_sets()
            .all(|voters| voters.iter().filter(|voter| agrees(**voter)).count() >= majority(voters))
    }

    /// Whether some voter set of this configuration and some of `other` cannot have majorities without a common node.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.voter_sets()
            .any(|own| other.voter_sets().any(|others| majorities_meet(own, others)))
    }

    /// The members as words for a sentence, for example `voters [0, 1, 2]`.
    pub fn named(&self) -> String {
        use std::fmt::Write;

        let mut named = format!("voters {:?}", self.voters);
        for (what, nodes) in [("outgoing", &self.outgoing), ("learners", &self.learners)] {
            if !nodes.is_empty() {
                write!(named, ", {what} {nodes:?}").expect("writing to a string does not fail");
            }
        }
        named
    }
}

/// Whether every majority of `one` meets every majority of `two`.
fn majorities_meet(one: &[u32], two: &[u32]) -> bool {
    let common = one.iter().filter(|node| two.contains(node)).count();
    // A majority that avoids the other set where it can still needs this many of the common nodes.
    let needs = |voters: &[u32]| majority(voters).saturating_sub(voters.len() - common);
    needs(one) + needs(two) > common
}

/// The members of a configuration as a harness tells them: in any order.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    pub voters: &'a [u32],
    pub outgoing: &'a [u32],
    pub learners: &'a [u32],
}

/// A configuration, and the entry or snapshot that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub index: u64,
    pub id: ConfigurationId,
}

/// Every configuration of a run.
#[derive(Clone, Debug)]
pub struct Configurations {
    known: Vec<Configuration>,
    /// By the hash chain up to and including the entry that holds it.
    of_entry: BTreeMap<u64, ConfigurationId>,
    /// Those in the committed log, in ascending order of indices, behind the founding one.
    committed: Vec<Placed>,
    /// Whether a node has told the founding one, with its learners.
    founding_told: bool,
}

impl Configurations {
    /// The founding configuration: nodes `0..voters` vote.
    pub fn new(voters: u32) -> Self {
        Self {
            known: vec![Configuration::of_first(voters)],
            of_entry: BTreeMap::new(),
            committed: vec![Placed { index: 0, id: FOUNDING }],
            founding_told: false,
        }
    }

    pub fn get(&self, id: ConfigurationId) -> &Configuration {
        &self.known[id as usize]
    }

    /// The configuration in the log entry whose hash chain this is, if that was ever told.
    pub fn of_entry(&self, chain: u64) -> Option<ConfigurationId> {
        self.of_entry.get(&chain).copied()
    }

    /// Whether configuration `id` has these members.
    pub fn consists_of(&self, id: ConfigurationId, members: Members<'_>) -> bool {
        self.get(id).consists_of(members)
    }

    /// The configuration that the committed log up to `index` puts in force.
    pub fn committed_at(&self, index: u64) -> ConfigurationId {
        let at = self.committed.iter().rev().find(|placed| placed.index <= index);
        at.expect("the founding configuration is at index 0").id
    }

    /// A node says that it began with this configuration; the first to say so is a founder.
    pub(super) fn found(&mut self, id: ConfigurationId) {
        if !self.founding_told {
            self.founding_told = true;
            self.committed[0].id = id;
        }
    }

    /// The number of the configuration with these members, new or not.
    pub(super) fn admit(&mut self, members: Members<'_>) -> ConfigurationId {
        let place = self
            .known
            .iter()
            .position(|known| known.consists_of(members))
            .unwrap_or_else(|| {
                self.known.push(Configuration::of(members));
                self.known.len() - 1
            });
        ConfigurationId::try_from(place).expect("a run has fewer than 2^32 configurations")
    }

    pub(super) fn remember_entry(&mut self, chain: u64, id: ConfigurationId) {
        self.of_entry.insert(chain, id);
    }

    /// Records those of `placed`, a node's, that are in the log behind `before` up to `index`: they are now committed.
    pub(super) fn commit(&mut self, placed: &[Placed], before: u64, index: u64) {
        let fresh = placed
            .iter()
            .filter(|placed| placed.index > before && placed.index <= index);
        self.committed.extend(fresh);
    }
}

impl Members<'_> {
    /// One above the highest node number; 0 without members.
    pub fn nodes_end(self) -> u32 {
        let all = self.voters.iter().chain(self.outgoing).chain(self.learners);
        let highest = all.max().copied();
        highest.map_or(0, |node| {
            assert!(
                node < NODES_MAX,
                "node numbers are below {NODES_MAX}, a configuration has node {node}"
            );
            node + 1
        })
    }
}

/// The configurations in one node's log, and the one it acts under.
#[derive(Clone, Debug)]
pub struct Membership {
    /// In ascending order of indices; the first is the base, in the snapshot or the founding one.
    placed: Vec<Placed>,
    /// As the node says.
    active: ConfigurationId,
    /// Whether the node has said so since it booted.
    told: bool,
    /// The last event in which `active` changed, and what it was before.
    changed: Option<(u64, ConfigurationId)>,
}

impl Default for Membership {
    fn default() -> Self {
        Self {
            placed: vec![Placed { index: 0, id: FOUNDING }],
            active: FOUNDING,
            told: false,
            changed: None,
        }
    }
}

impl Membership {
    /// All of them, the base first.
    pub fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// The last configuration of the log, which the node must act under.
    pub fn in_force(&self) -> Placed {
        *self.placed.last().expect("the base configuration is never removed")
    }

    /// The configuration that the node says it acts under, if it has said so since it booted.
    pub fn told(&self) -> Option<ConfigurationId> {
        self.told.then_some(self.active)
    }

    /// The configuration that the node acts under: what it says, or the founding one.
    pub fn active(&self) -> ConfigurationId {
        self.active
    }

    /// The configuration that the node acted under when `event` began.
    pub fn active_before(&self, event: u64) -> ConfigurationId {
        match self.changed {
            Some((changed_in, before)) if changed_in == event => before,
            _ => self.active,
        }
    }

    /// The configuration that the log up to `index` puts in force; the base below it.
    pub fn at(&self, index: u64) -> Placed {
        let at = self.placed.iter().rev().find(|placed| placed.index <= index);
        *at.unwrap_or(&self.placed[0])
    }

    pub(super) fn activate(&mut self, event: u64, id: ConfigurationId) {
        if self.changed.is_none_or(|(changed_in, _)| changed_in != event) {
            self.changed = Some((event, self.active));
        }
        self.active = id;
        self.told = true;
    }

    /// Adds a configuration of the log, unless it is there.
    pub(super) fn place(&mut self, placed: Placed) {
        let before = self.placed.partition_point(|other| other.index < placed.index);
        if before > 0 && self.placed.get(before).is_none_or(|other| other.index != placed.index) {
            self.placed.insert(before, placed);
        }
    }

    pub(super) fn set_base(&mut self, id: ConfigurationId) {
        self.placed[0].id = id;
        if !self.told {
            self.active = id;
        }
    }

    pub(super) fn truncate(&mut self, from: u64) {
        let keep = self.placed.partition_point(|placed| placed.index < from);
        self.placed.truncate(keep.max(1));
    }

    /// The log is now a snapshot with this base and nothing behind it.
    pub(super) fn replace(&mut self, base: Placed) {
        self.placed.clear();
        self.placed.push(base);
    }

    pub(super) fn restart(&mut self, base: Placed) {
        self.replace(base);
        self.active = FOUNDING;
        self.told = false;
        self.changed = None;
    }
}
