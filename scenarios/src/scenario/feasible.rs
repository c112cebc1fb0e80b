//! `[time]` and `[recovery]`, and whether a cluster can keep the bounds that they set.
//!
//! A bound that no cluster could keep would make every run of the scenario fail, whatever the code under test does. What is
//! certain to be so is refused here, with the reason; a bound that is merely tight is for the run to see to.

use super::Result;
use super::error::Misfit;
use super::pace::Pace;
use super::read::{HOUR, LASTINGS, MILLISECOND, MINUTE, SECOND, duration};
use super::section::Section;
use super::spec::{Cluster, Lasting, Recovery, Timing};

/// Refuses a cluster whose elections cannot end.
pub fn elections(top: &Section<'_>, cluster: &Cluster, pace: &Pace) -> Result<()> {
    if pace.votes_ns < cluster.election.max_ns {
        return Ok(());
    }
    let section = |name, prefix, title| top.child(name, prefix, title);
    let network = section("network", "network.", "[network]")?;
    let disk = section("disk", "disk.", "[disk]")?;
    let of_cluster = section("cluster", "cluster.", "[cluster]")?;
    let mark = [(network, "latency"), (disk, "sync"), (of_cluster, "election")]
        .into_iter()
        .find_map(|(section, key)| section.get(key).map(|node| node.mark))
        .unwrap_or_else(|| network.mark_of(&["latency"]));
    let (votes, longest) = (duration(pace.votes_ns), duration(cluster.election.max_ns));
    Err(Misfit::unfit(
        mark,
        format!(
            "no election can end: asking for votes takes some {votes} with this `network.latency` and `disk.sync`, and whoever \
             asks begins anew after {longest} at most (`cluster.election`)"
        ),
        "raise `cluster.election` to several times that, or lower `network.latency` or `disk.sync`",
    ))
}

/// Reads `[time]`.
pub fn time(section: &Section<'_>, pace: &Pace) -> Result<Timing> {
    section.only(&["chaos", "settle", "max_events", "max_time"])?;
    const LONGEST: u64 = 10 * MINUTE;
    let least = pace.first_service_ns().min(LONGEST);
    let usual = (10 * SECOND).max(least.saturating_mul(2)).min(LONGEST);
    let timing = Timing {
        chaos_ns: section.duration("chaos", 20 * SECOND, 100 * MILLISECOND..=HOUR)?,
        settle_ns: section.duration("settle", usual, 100 * MILLISECOND..=LONGEST)?,
        max_events: section.count("max_events", Timing::MAX_EVENTS, 1..=u32::MAX)?,
        max_time_ns: section.duration("max_time", Timing::MAX_TIME_NS, SECOND..=24 * HOUR)?,
    };
    if timing.settle_ns < least {
        return Err(Misfit::unfit(
            section.mark_of(&["settle"]),
            format!(
                "`time.settle` is {}, and one election and one operation may take {}",
                duration(timing.settle_ns),
                duration(least)
            ),
            format!("write {} or more, or leave it out", duration(usual)),
        ));
    }
    Ok(timing)
}

/// Reads `[recovery]`.
pub fn recovery(section: &Section<'_>, cluster: &Cluster, pace: &Pace) -> Result<Recovery> {
    section.only(&["lasting", "elect", "converge", "serve", "durable"])?;
    let bound = |key: &'static str, default: u32, least_ns: u64| {
        let least = u32::try_from(least_ns.div_ceil(cluster.election.max_ns)).unwrap_or(u32::MAX);
        let bound = section.count(key, default.max(least.min(MOST)), 1..=MOST)?;
        if bound >= least.min(MOST) {
            return Ok(bound);
        }
        Err(Misfit::unfit(
            section.mark_of(&[key]),
            format!(
                "`recovery.{key}` is {bound} election timeouts, {}, and it may take {}",
                duration(u64::from(bound).saturating_mul(cluster.election.max_ns)),
                duration(least_ns)
            ),
            format!("write {least} or more, or leave it out"),
        ))
    };
    const MOST: u32 = 100_000;
    Ok(Recovery {
        lasting: section.word("lasting", Lasting::None, &LASTINGS)?,
        elect: bound("elect", 20, pace.election_ns)?,
        converge: bound("converge", 40, pace.election_ns + pace.trip_ns)?,
        serve: bound("serve", 40, pace.first_service_ns())?,
        durable: bound("durable", 60, pace.first_service_ns())?,
    })
}
