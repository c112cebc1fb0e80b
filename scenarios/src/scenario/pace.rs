//! How fast a cluster can be at its slowest, once the faults have ended: what elections and operations take under the latencies,
//! sync times and timeouts of a scenario. Bounds on recovery are held against this, so that none is judged by that no cluster
//! could keep.
//!
//! Integers only; times in nanoseconds.

use super::spec::{Cluster, Disk, DurationRange, Network, Workload};

/// Least and most that things take in the second phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// One election, from the last word of a leader to the first of the next: the longest timeout, the votes, their writes.
    pub election_ns: u64,
    /// So many elections that all of them come to nothing with a chance below one in a million.
    pub elections_ns: u64,
    /// One operation of a client that knows the leader, or is sent on to it.
    pub operation_ns: u64,
    /// One round trip between nodes, with the write that it waits for.
    pub trip_ns: u64,
    /// What the votes of an election take in the usual case.
    pub votes_ns: u64,
}

/// How often a client may be sent on until it is with the leader, and how long it waits each time.
const REDIRECTS: u64 = 4;
const REDIRECT_NS: u64 = 20_000_000;
/// No election that can succeed at all is taken for one with a lower chance than this, in parts per million.
const CHANCE_MIN: u64 = 50_000;

impl Pace {
    /// Of a cluster on its network and disks.
    pub fn of(cluster: &Cluster, network: &Network, disk: &Disk) -> Self {
        let middle = |range: DurationRange| u64::midpoint(range.min_ns, range.max_ns);
        let (latency, client, sync) = (network.latency.max_ns, network.client_latency.max_ns, disk.sync.max_ns);
        let asks = if cluster.pre_vote.largest() { 2 } else { 1 };
        // A lower priority waits for up to three timeouts more at first.
        let longest = cluster.election.max_ns * if cluster.priorities.largest() { 4 } else { 1 };
        let one = longest + asks * 2 * latency + 2 * sync;
        let later = cluster.election.max_ns + asks * 2 * latency + 2 * sync;
        let split = middle(network.latency) + middle(disk.sync);
        let spread = cluster.election.max_ns - cluster.election.min_ns;
        let voters = u64::from(cluster.nodes.largest() + cluster.spares.largest());
        let rounds = rounds(split, spread, voters);
        Self {
            election_ns: one,
            elections_ns: one.saturating_add(rounds.saturating_mul(later)),
            operation_ns: (1 + REDIRECTS) * 2 * client
                + REDIRECTS * REDIRECT_NS
                + 4 * latency
                + 2 * sync
                + cluster.heartbeat_ns,
            trip_ns: 2 * latency + sync,
            votes_ns: asks * 2 * middle(network.latency) + 2 * middle(disk.sync),
        }
    }

    /// How long a serving client waits for an answer at most before it asks another node: long enough for all that may be before
    /// its operation in the log.
    pub fn patience_ns(&self, workload: &Workload) -> u64 {
        const LONGEST: u64 = 60_000_000_000;
        (workload.timeout_ns / 4).max(self.operation_ns).max(LONGEST)
    }

    /// The least that a cluster needs to elect and then serve one operation.
    pub fn first_service_ns(&self) -> u64 {
        self.election_ns + self.operation_ns
    }
}

/// So many elections come to nothing, one after another, with a chance below one in a million. One does when a second candidate
/// stands up while the first one's request is under way: the others' timeouts, drawn over `spread`, must all lie `split` behind
/// the first.
fn rounds(split: u64, spread: u64, voters: u64) -> u64 {
    const WHOLE: u64 = 1_000_000;
    let free = u128::from(spread.saturating_sub(split)) * u128::from(WHOLE) / u128::from(spread.max(1));
    let free = u64::try_from(free).unwrap_or(0);
    let others = voters.saturating_sub(1);
    let chance = (0..others)
        .fold(WHOLE, |chance, _| chance * free / WHOLE)
        .max(CHANCE_MIN);
    let mut in_vain = WHOLE * WHOLE;
    let mut rounds = 0;
    while in_vain >= WHOLE {
        in_vain = in_vain / WHOLE * (WHOLE - chance) + in_vain % WHOLE * (WHOLE - chance) / WHOLE;
        rounds += 1;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_the_messages_the_more_elections_there_may_be() {
        assert_eq!(rounds(0, 150, 5), 1, "nobody stands up in between");
        assert_eq!(rounds(10, 150, 1), 1, "nor where there is nobody else");
        // 2/3 of the timeouts lie behind, for two others: 44%.
        assert_eq!(rounds(50, 150, 3), 24);
        assert_eq!(rounds(150, 150, 3), 270, "the least that is assumed");
        assert_eq!(rounds(1, 0, 3), 270);
    }
}
