//! From `[cluster]` and `[operator]` to a [`Cluster`] and who gives it orders: keys, defaults, bounds, and what must hold
//! between them.

use super::Result;
use super::error::Misfit;
use super::read::{HOUR, KIB, MIB, MILLISECOND, MINUTE, SECOND, WHOLE, duration, millis, ratio};
use super::section::Section;
use super::spec::{Cluster, Codec, Operator, OrderMix, Timing};

/// Most nodes of a cluster, its spares included.
const MAX_NODES: u32 = 10;

pub(super) const CODECS: [(&str, Codec); 3] = [("off", Codec::Off), ("plain", Codec::Plain), ("lz4", Codec::Lz4)];

/// Reads `[cluster]`.
pub fn cluster(section: Section<'_>) -> Result<Cluster> {
    section.only(&[
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
    ])?;
    let cluster = Cluster {
        nodes: section.counts("nodes", 3, 1..=7)?,
        spares: section.counts("spares", 0, 0..=4)?,
        pre_vote: section.flags("pre_vote", true)?,
        check_quorum: section.flags("check_quorum", true)?,
        lease_drift_ppm: section.ratios_or_off("lease", 0..=WHOLE / 2)?,
        priorities: section.flags("priorities", false)?,
        quiesce_ns: section.durations_or_off("quiesce", MILLISECOND..=10 * MINUTE)?,
        follower_reads: section.flags("follower_reads", false)?,
        election: section.durations("election", millis(150, 300), MILLISECOND..=MINUTE)?,
        heartbeat_ns: section.duration("heartbeat", 50 * MILLISECOND, MILLISECOND..=10 * SECOND)?,
        max_entries_per_append: section.counts("max_entries_per_append", 64, 1..=65_536)?,
        max_bytes_per_append: section.sizes("max_bytes_per_append", 64 * KIB, 64..=16 * MIB)?,
        max_inflight: section.counts("max_inflight", 16, 1..=4_096)?,
        snapshot_threshold: section.counts("snapshot_threshold", 0, 0..=1_000_000)?,
        snapshot_tail: section.counts("snapshot_tail", 16, 0..=1_000_000)?,
        snapshot_chunk_bytes: section.sizes("snapshot_chunk", 4 * KIB, 16..=MIB)?,
        apply: section.durations("apply", millis(0, 0), 0..=10 * SECOND)?,
        codec: section.word_choice("codec", Codec::Off, &CODECS)?,
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

/// Reads `[operator]`, if there is one.
pub fn operator(top: &Section<'_>, cluster: &Cluster, time: &Timing) -> Result<Option<Operator>> {
    if top.get("operator").is_none() {
        return Ok(None);
    }
    let section = top.child("operator", "operator.", "[operator]")?;
    section.only(&["every", "mix", "min_voters", "timeout"])?;
    let operator = Operator {
        every: section.durations("every", millis(1_000, 3_000), MILLISECOND..=HOUR)?,
        mix: mix(&section)?,
        min_voters: section.count("min_voters", 1, 1..=MAX_NODES)?,
        timeout_ns: section.duration("timeout", 2 * SECOND, MILLISECOND..=10 * MINUTE)?,
    };
    if operator.every.min_ns >= time.chaos_ns {
        let (every, chaos) = (duration(operator.every.min_ns), duration(time.chaos_ns));
        return Err(Misfit::unfit(
            section.mark_of(&["every"]),
            format!("`operator.every` starts at {every} and no order is given: `time.chaos` is {chaos}"),
            "let the orders follow each other faster, or make `time.chaos` longer",
        ));
    }
    let (nodes, spares) = (cluster.nodes.smallest(), cluster.spares.smallest());
    if operator.min_voters > nodes + spares {
        return Err(Misfit::unfit(
            section.mark_of(&["min_voters"]),
            format!(
                "`operator.min_voters` is {}, but `cluster.nodes` may be {nodes} and `cluster.spares` {spares}",
                operator.min_voters
            ),
            format!(
                "write at most {}, or raise the smallest values of `nodes` and `spares`",
                nodes + spares
            ),
        ));
    }
    Ok(Some(operator))
}

fn mix(operator: &Section<'_>) -> Result<OrderMix> {
    let Some(node) = operator.get("mix") else {
        return Ok(OrderMix {
            change: 3,
            replace: 1,
            transfer: 2,
            campaign: 1,
            single: 0,
        });
    };
    let example = "mix = { change = 3, replace = 1, transfer = 2, campaign = 1 }";
    let section = Section::of(node, "operator.mix.", "`operator.mix`", example)?;
    section.only(&["change", "replace", "transfer", "campaign", "single"])?;
    let weight = |key| section.count(key, 0, 0..=1_000);
    let mix = OrderMix {
        change: weight("change")?,
        replace: weight("replace")?,
        transfer: weight("transfer")?,
        campaign: weight("campaign")?,
        single: weight("single")?,
    };
    if mix.total() == 0 {
        let remedy = "give at least one kind of order a weight, such as { transfer = 1 }, or leave [operator] out";
        return Err(Misfit::unfit(node.mark, "`operator.mix` leaves nothing to do", remedy));
    }
    Ok(mix)
}
