//! Situations of interest that a run reached, counted: what a fault is for is to bring them about.

use checker::properties::{Observation, Role};
use serde::Serialize;

/// Something that a run may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Situation {
    /// A node became leader.
    LeaderElected,
    /// A candidate's term ended without a leader of it.
    ElectionLost,
    /// A leader became follower, candidate or nothing.
    LeaderDeposed,
    /// A node removed entries that conflicted with its leader's.
    EntriesTruncated,
    /// A leader crashed with entries that were not committed.
    LeaderCrashedWithTail,
    /// A node crashed with entries that its disk did not have yet.
    CrashedBeforeSync,
    /// A node found a torn write when it started again.
    TornTailRecovered,
    /// Two nodes believed that they lead, in different terms.
    TwoLeaders,
    /// A client gave up: an operation's outcome is unknown.
    OutcomeUnknown,
    /// A node came under a joint configuration.
    JointConfiguration,
    /// A node went back to an earlier configuration, because the entry of the later one was removed.
    ConfigurationRolledBack,
    /// A node installed a leader's snapshot.
    SnapshotInstalled,
    /// A node was told by its leader to take over.
    TransferReceived,
    /// A leader held a lease.
    LeaseHeld,
    /// A leader lost its lease while it led.
    LeaseDropped,
    /// A command came a second time and was recognised.
    CommandRepeated,
}

impl Situation {
    /// All, in the order of the reports.
    pub const ALL: [Self; 16] = [
        Self::LeaderElected,
        Self::ElectionLost,
        Self::LeaderDeposed,
        Self::EntriesTruncated,
        Self::LeaderCrashedWithTail,
        Self::CrashedBeforeSync,
        Self::TornTailRecovered,
        Self::TwoLeaders,
        Self::OutcomeUnknown,
        Self::JointConfiguration,
        Self::ConfigurationRolledBack,
        Self::SnapshotInstalled,
        Self::TransferReceived,
        Self::LeaseHeld,
        Self::LeaseDropped,
        Self::CommandRepeated,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaderElected => "leader-elected",
            Self::ElectionLost => "election-lost",
            Self::LeaderDeposed => "leader-deposed",
            Self::EntriesTruncated => "entries-truncated",
            Self::LeaderCrashedWithTail => "leader-crashed-with-tail",
            Self::CrashedBeforeSync => "crashed-before-sync",
            Self::TornTailRecovered => "torn-tail-recovered",
            Self::TwoLeaders => "two-leaders",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::JointConfiguration => "joint-configuration",
            Self::ConfigurationRolledBack => "configuration-rolled-back",
            Self::SnapshotInstalled => "snapshot-installed",
            Self::TransferReceived => "transfer-received",
            Self::LeaseHeld => "lease-held",
            Self::LeaseDropped => "lease-dropped",
            Self::CommandRepeated => "command-repeated",
        }
    }
}

/// How often each situation was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Situations {
    counts: [u64; Situation::ALL.len()],
}

impl Situations {
    /// Counts a situation `times` times.
    pub fn reached(&mut self, situation: Situation, times: u64) {
        self.counts[situation as usize] += times;
    }

    /// How often it was reached.
    pub fn count(&self, situation: Situation) -> u64 {
        self.counts[situation as usize]
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(other.counts)
            .for_each(|(count, more)| *count += more);
    }

    /// All situations with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Situation, u64)> + '_ {
        Situation::ALL
            .into_iter()
            .map(|situation| (situation, self.count(situation)))
    }
}

/// Follows the observations of a run and counts what they amount to.
#[derive(Clone, Debug)]
pub struct Watcher {
    situations: Situations,
    nodes: Vec<Watched>,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    role: Role,
    last: u64,
    durable: u64,
    commit: u64,
    /// Index of the active configuration.
    configuration: u64,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            role: Role::Follower,
            last: 0,
            durable: 0,
            commit: 0,
            configuration: 0,
        }
    }
}

impl Watcher {
    /// Of a cluster of `nodes`.
    pub fn new(nodes: u16) -> Self {
        Self {
            situations: Situations::default(),
            nodes: vec![Watched::default(); nodes.into()],
        }
    }

    /// Takes in one observation.
    pub fn observe(&mut self, node: u32, observation: &Observation<'_>) {
        let watched = &mut self.nodes[node as usize];
        match *observation {
            Observation::Booted { entries, snapshot, .. } => {
                let last = entries.last().map_or(snapshot, |entry| entry.index);
                *watched = Watched {
                    last,
                    durable: last,
                    ..Watched::default()
                };
            }
            Observation::Crashed => self.crashed(node),
            Observation::Role { role, .. } => self.role_changed(node, role),
            Observation::Truncated { from } => {
                watched.last = from - 1;
                watched.durable = watched.durable.min(from - 1);
                self.situations.reached(Situation::EntriesTruncated, 1);
            }
            Observation::Appended(entry) => watched.last = entry.index,
            Observation::DurableAppended(entry) => watched.durable = entry.index,
            Observation::Committed { index } => watched.commit = index,
            Observation::Installed { index, .. } => {
                (watched.last, watched.commit) = (watched.last.max(index), index);
                self.situations.reached(Situation::SnapshotInstalled, 1);
            }
            Observation::ConfigurationAppended { outgoing, .. } if !outgoing.is_empty() => {
                self.situations.reached(Situation::JointConfiguration, 1);
            }
            Observation::ConfigurationActive { index } => {
                let before = std::mem::replace(&mut watched.configuration, index);
                self.situations
                    .reached(Situation::ConfigurationRolledBack, u64::from(index < before));
            }
            Observation::TransferReceived { .. } => self.situations.reached(Situation::TransferReceived, 1),
            Observation::LeaseHeld { .. } => self.situations.reached(Situation::LeaseHeld, 1),
            Observation::LeaseDropped => self.situations.reached(Situation::LeaseDropped, 1),
            Observation::SessionApplied { effect: false, .. } => {
                self.situations.reached(Situation::CommandRepeated, 1);
            }
            _ => {}
        }
    }

    fn crashed(&mut self, node: u32) {
        let Watched {
            role,
            last,
            durable,
            commit,
            ..
        } = std::mem::take(&mut self.nodes[node as usize]);
        if role == Role::Leader && last > commit {
            self.situations.reached(Situation::LeaderCrashedWithTail, 1);
        }
        if last > durable {
            self.situations.reached(Situation::CrashedBeforeSync, 1);
        }
    }

    fn role_changed(&mut self, node: u32, role: Role) {
        let before = std::mem::replace(&mut self.nodes[node as usize].role, role);
        match (before, role) {
            (_, Role::Leader) => {
                self.situations.reached(Situation::LeaderElected, 1);
                let leaders = self.nodes.iter().filter(|watched| watched.role == Role::Leader).count();
                self.situations.reached(Situation::TwoLeaders, u64::from(leaders > 1));
            }
            (Role::Leader, _) => self.situations.reached(Situation::LeaderDeposed, 1),
            (Role::Candidate, _) => self.situations.reached(Situation::ElectionLost, 1),
            _ => {}
        }
    }

    /// What was reached so far, to add to.
    pub fn situations(&mut self) -> &mut Situations {
        &mut self.situations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checker::properties::EntryMark;

    const LEADER: Observation<'_> = Observation::Role {
        role: Role::Leader,
        term: 1,
    };

    fn entry(index: u64) -> EntryMark {
        EntryMark {
            index,
            term: 1,
            digest: 0,
        }
    }

    #[test]
    fn a_leader_that_crashes_with_a_tail_is_counted_and_one_without_is_not() {
        let mut watcher = Watcher::new(2);
        watcher.observe(0, &LEADER);
        watcher.observe(0, &Observation::Appended(entry(1)));
        watcher.observe(0, &Observation::DurableAppended(entry(1)));
        watcher.observe(0, &Observation::Crashed);
        assert_eq!(watcher.situations().count(Situation::LeaderCrashedWithTail), 1);
        assert_eq!(watcher.situations().count(Situation::CrashedBeforeSync), 0);
        watcher.observe(1, &LEADER);
        watcher.observe(1, &Observation::Appended(entry(1)));
        watcher.observe(1, &Observation::Committed { index: 1 });
        watcher.observe(1, &Observation::Crashed);
        assert_eq!(watcher.situations().count(Situation::LeaderCrashedWithTail), 1);
        assert_eq!(watcher.situations().count(Situation::CrashedBeforeSync), 1);
    }

    #[test]
    fn two_leaders_at_once_are_noticed() {
        let mut watcher = Watcher::new(2);
        watcher.observe(0, &LEADER);
        assert_eq!(watcher.situations().count(Situation::TwoLeaders), 0);
        watcher.observe(
            1,
            &Observation::Role {
                role: Role::Leader,
                term: 2,
            },
        );
        assert_eq!(watcher.situations().count(Situation::TwoLeaders), 1);
    }
}
