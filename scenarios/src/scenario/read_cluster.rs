//! From `[cluster]` to a [`Cluster`]: keys, defaults, bounds, and what must hold between them.

use super::error::Misfit;
use super::read::{KIB, MIB, MILLISECOND, MINUTE, SECOND, WHOLE, duration, millis, ratio};
use super::section::Section;
use super::spec::{Cluster, Codec};
use super::{Known, Result};

/// Most nodes of a cluster, its spares included.
pub(super) const MAX_NODES: u32 = 10;

pub(super) const CODECS: [(&str, Codec); 3] = [("off", Codec::Off), ("plain", Codec::Plain), ("lz4", Codec::Lz4)];

/// The keys of every system.
const KEYS: [&str; 5] = ["nodes", "spares", "election", "heartbeat", "apply"];

/// The keys of a replicated log with a leader.
const KEYS_OF_A_LOG: [&str; 18] = [
    "nodes",
    "spares",
    "pre_vote",
    "check_quorum",
    "lease",
    "priorities",
    "quiesce",
    "follower_reads",
    "election",
    "heartbeat",
    "max_entries_per_append",
    "max_bytes_per_append",
    "max_inflight",
    "snapshot_threshold",
    "snapshot_tail",
    "snapshot_chunk",
    "apply",
    "codec",
];

/// Reads `[cluster]`.
pub fn cluster(section: Section<'_>, known: &Known) -> Result<Cluster> {
    section.only(if known.has_log_settings { &KEYS_OF_A_LOG } else { &KEYS })?;
    // What is no setting of the system is as it is by default, and nobody hears of it.
    let of_log = if known.has_log_settings {
        section
    } else {
        section.left_out()
    };
    let cluster = Cluster {
        nodes: section.counts("nodes", 3, 1..=7)?,
        spares: section.counts("spares", 0, 0..=4)?,
        pre_vote: of_log.flags("pre_vote", true)?,
        check_quorum: of_log.flags("check_quorum", true)?,
        lease_drift_ppm: of_log.ratios_or_off("lease", 0..=WHOLE / 2)?,
        priorities: of_log.flags("priorities", false)?,
        quiesce_ns: of_log.durations_or_off("quiesce", MILLISECOND..=10 * MINUTE)?,
        follower_reads: of_log.flags("follower_reads", false)?,
        election: section.durations("election", millis(150, 300), MILLISECOND..=MINUTE)?,
        heartbeat_ns: section.duration("heartbeat", 50 * MILLISECOND, MILLISECOND..=10 * SECOND)?,
        max_entries_per_append: of_log.counts("max_entries_per_append", 64, 1..=65_536)?,
        max_bytes_per_append: of_log.sizes("max_bytes_per_append", 64 * KIB, 64..=16 * MIB)?,
        max_inflight: of_log.counts("max_inflight", 16, 1..=4_096)?,
        snapshot_threshold: of_log.counts("snapshot_threshold", 0, 0..=1_000_000)?,
        snapshot_tail: of_log.counts("snapshot_tail", 16, 0..=1_000_000)?,
        snapshot_chunk_bytes: of_log.sizes("snapshot_chunk", 4 * KIB, 16..=MIB)?,
        apply: section.durations("apply", millis(0, 0), 0..=10 * SECOND)?,
        codec: of_log.word_choice("codec", Codec::Off, &CODECS)?,
    };
    consistent(&section, &cluster)?;
    Ok(cluster)
}

fn consistent(section: &Section<'_>, cluster: &Cluster) -> Result<()> {
    if cluster.heartbeat_ns >= cluster.election.min_ns {
        let (heartbeat, election) = (duration(cluster.heartbeat_ns), duration(cluster.election.min_ns));
        return Err(Misfit::unfit(
            section.mark_of(&["heartbeat", "election"]),
            format!("`cluster.heartbeat` is {heartbeat}, not below the shortest election timeout, {election}"),
            "lower `heartbeat`, to a third of the shortest election timeout or less, or raise `election`",
        ));
    }
    // Choices are drawn independently of each other: every combination must do.
    let (nodes, spares) = (cluster.nodes.largest(), cluster.spares.largest());
    if nodes + spares > MAX_NODES {
        return Err(Misfit::unfit(
            section.mark_of(&["spares", "nodes"]),
            format!(
                "`cluster.nodes` (up to {nodes}) and `cluster.spares` (up to {spares}) add up to more than {MAX_NODES}"
            ),
            "lower the largest value of one of them",
        ));
    }
    if let Some(lease) = cluster.lease_drift_ppm.largest()
        && !cluster.check_quorum.smallest()
    {
        return Err(Misfit::unfit(
            section.mark_of(&["lease", "check_quorum"]),
            format!(
                "`cluster.lease` may be {} while `cluster.check_quorum` may be false",
                ratio(lease)
            ),
            "write check_quorum = true, without which voters do not keep a lease, or lease = \"off\"",
        ));
    }
    Ok(())
}
