//! `[time]` and `[recovery]`, and whether a cluster can keep the bounds that they set.
//!
//! A bound that no cluster could keep would make every run of the scenario fail, whatever the code under test does. What is
//! certain to be so is refused here, with the reason; a bound that is merely tight is for the run to see to. So is a combination in
//! which Raft itself promises no progress.

use super::Result;
use super::document::Value;
use super::error::Misfit;
use super::fault::{Fault, FaultKind};
use super::flips::Flip;
use super::pace::Pace;
use super::read::{HOUR, LASTINGS, MILLISECOND, MINUTE, SECOND, duration};
use super::section::Section;
use super::spec::{Choice, Cluster, Lasting, Operator, Order, Recovery, ScriptedOrder, Timing, Verdict};

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

/// Refuses members that are removed in a cluster that has neither pre-vote nor the quorum check all the time: a server that misses its
/// removal hears from no leader any more, stands for election again and again and deposes whoever leads (Raft thesis, section 4.2.3).
/// A scenario that expects such a failure may have it.
pub fn removals(top: &Section<'_>, read: &Removals<'_>) -> Result<()> {
    let Some(removes) = read.who_removes() else {
        return Ok(());
    };
    if read.verdict == Verdict::LivenessViolation {
        return Ok(());
    }
    let Cluster {
        pre_vote, check_quorum, ..
    } = read.cluster;
    let (Some((fault, no_pre_vote)), Some((_, no_check_quorum))) = (
        read.who_switches_off(Flip::PreVote, "pre_vote", pre_vote),
        read.who_switches_off(Flip::CheckQuorum, "check_quorum", check_quorum),
    ) else {
        return Ok(());
    };
    let mark = match fault.zip(top.get("fault").map(|node| &node.value)) {
        Some((index, Value::List(items))) => {
            let title = format!("[[fault]] {index}");
            Section::of(&items[index], "", &title, "[[fault]] above the keys of each")?.mark_of(&["flips", "kind"])
        }
        _ => top.child("cluster", "cluster.", "[cluster]")?.mark_of(&["pre_vote"]),
    };
    Err(Misfit::unfit(
        mark,
        format!(
            "{no_pre_vote} and {no_check_quorum}, while {removes} takes nodes out of the cluster: one that misses its removal may stand \
             for election for ever, and depose each leader (Raft thesis, section 4.2.3)"
        ),
        "keep pre-vote or check-quorum on in all nodes all the time, or let nobody be removed, or write verdict = \"liveness-violation\" \
         in [expect] if that is what the scenario is to show",
    ))
}

/// What [`removals`] looks at.
pub struct Removals<'a> {
    pub cluster: &'a Cluster,
    pub faults: &'a [Fault],
    pub operator: Option<&'a Operator>,
    pub orders: &'a [ScriptedOrder],
    pub verdict: Verdict,
}

impl Removals<'_> {
    /// What makes a setting be off on some node at some time, if anything does: the place of the fault that flips it, and words.
    fn who_switches_off(&self, flip: Flip, key: &str, setting: &Choice<bool>) -> Option<(Option<usize>, String)> {
        let flips = |fault: &Fault| matches!(fault.kind, FaultKind::Upgrade { flips, .. } if flips.has(flip));
        if let Some(index) = self.faults.iter().position(flips) {
            return Some((Some(index), format!("[[fault]] {index} flips `{key}`")));
        }
        (!setting.smallest()).then(|| (None, format!("`cluster.{key}` may be false")))
    }

    /// Whose orders may take a node out of the cluster.
    fn who_removes(&self) -> Option<&'static str> {
        let at_random = |operator: &Operator| operator.mix.change + operator.mix.replace + operator.mix.single > 0;
        if self.operator.is_some_and(at_random) {
            return Some("[operator]");
        }
        let founders = (0..self.cluster.nodes.largest()).filter_map(|node| u16::try_from(node).ok());
        let mut members: Vec<u16> = founders.collect();
        for scripted in self.orders {
            match &scripted.order {
                Order::Remove(_) => return Some("an [[operator]]"),
                Order::Members { voters, learners } => {
                    if members
                        .iter()
                        .any(|member| !voters.contains(member) && !learners.contains(member))
                    {
                        return Some("an [[operator]]");
                    }
                    members.extend(voters.iter().chain(learners));
                }
                Order::Add(node) | Order::AddLearner(node) => members.push(*node),
                Order::Transfer(_) | Order::Campaign(_) => {}
            }
        }
        None
    }
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

/// A range within the first phase, whatever its length.
pub fn soon(chaos_ns: u64) -> String {
    format!("{}..{}", duration(chaos_ns / 4), duration(chaos_ns / 2))
}

/// How what would come too late comes in time: by a longer first phase, or by a value that fits into it.
pub fn in_time(sooner: &str, path: &str, late_ns: u64, fits: &str) -> String {
    format!(
        "let `time.chaos` be longer than {}, or {sooner} sooner, as with --set {path}={fits}",
        duration(late_ns)
    )
}
