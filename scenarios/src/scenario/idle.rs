//! What a scenario switches on although nothing can come of it, whatever a seed draws.
//!
//! Says only what is certain: a fault or a setting that is merely unlikely to have an effect is for a sweep to notice. Each rule
//! names the means that are missing, so that the remedy is to add them.

use super::fault::{Fault, FaultKind, Split, Thaw, When};
use super::flips::Flip;
use super::spec::{Damage, Scenario};
use super::{DiskKind, document, error::Misfit, error::ScenarioError};
use std::fmt;

/// Something that is on and can have no effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Idle {
    /// What does not come about: the name of a fault class or of a situation, or the number of a fault as in `fault 2`.
    pub subject: String,
    /// Its key, with its section: `disk.torn`; of a fault, `fault.2` or `fault.2.when`.
    pub path: String,
    /// Why nothing can come of it.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` can have no effect: {}", self.path, self.why)
    }
}

impl Idle {
    /// With its place in the text that the scenario was read from.
    pub fn located(&self, source_name: &str, text: &str, overrides: &[(String, String)]) -> ScenarioError {
        let misfit = Misfit::unfit(
            document::mark_of(text, overrides, &self.path),
            self.to_string(),
            self.remedy.clone(),
        );
        ScenarioError::new(source_name, text, overrides, misfit)
    }
}

/// All of it in a scenario, in the order of its sections. Nothing is said of one whose seeds draw what is on, by
/// `[swarm]` or by lists in place of single values.
pub fn idle(scenario: &Scenario) -> Vec<Idle> {
    if scenario.swarm.is_some() || !scenario.alternatives.is_empty() {
        return Vec::new();
    }
    let means = Means::of(scenario);
    let mut all = settings(scenario, &means);
    for (index, fault) in scenario.faults.iter().enumerate() {
        all.extend(of_fault(scenario, &means, index, fault));
    }
    all.extend(expected(scenario, &means));
    all
}

/// What a scenario has that others of its parts rest on, for some seed at least.
struct Means {
    operator: bool,
    snapshots: bool,
    lease: bool,
    follower_reads: bool,
    pre_vote: bool,
    pauses: bool,
    cuts: bool,
    /// Something ends processes, the failure of their disks included.
    ends: bool,
    /// Something cuts a disk's power, or lets a sync fail.
    unsynced: bool,
    /// Most nodes, spares included.
    nodes: u32,
    /// The budget admits somebody's disk.
    damage: bool,
}

impl Means {
    fn of(scenario: &Scenario) -> Self {
        let cluster = &scenario.cluster;
        let any = |is: fn(&FaultKind) -> bool| scenario.faults.iter().any(|fault| is(&fault.kind));
        let flips_pre_vote = scenario.faults.iter().any(|fault| match fault.kind {
            FaultKind::Upgrade { flips, .. } => flips.has(Flip::PreVote),
            _ => false,
        });
        let fewest = scenario.fewest_voters(cluster.nodes.largest());
        let ends = any(ends_processes) || scenario.disk.error_ppm > 0;
        Self {
            operator: scenario.operator.is_some() || !scenario.orders.is_empty(),
            snapshots: cluster.snapshot_threshold.largest() > 0,
            lease: cluster.lease_drift_ppm.largest().is_some(),
            follower_reads: cluster.follower_reads.largest(),
            pre_vote: cluster.pre_vote.largest() || flips_pre_vote,
            pauses: any(|kind| matches!(kind, FaultKind::Pause { .. })),
            cuts: any(cuts_links),
            ends,
            unsynced: ends,
            nodes: cluster.nodes.largest() + cluster.spares.largest(),
            damage: scenario.budget.damage == Damage::Unlimited || fewest >= 3,
        }
    }
}

fn cuts_links(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Partition { .. } | FaultKind::CutLinks { .. } | FaultKind::Isolate { .. } | FaultKind::OneWay { .. }
    )
}

/// Whether it ends a process, itself or through its disk.
fn ends_processes(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Crash { .. }
            | FaultKind::RollingRestart { .. }
            | FaultKind::PowerLoss { .. }
            | FaultKind::CrashAtDisk { .. }
            | FaultKind::CrashLoop { .. }
            | FaultKind::Wipe { .. }
            | FaultKind::Upgrade { .. }
            | FaultKind::Disk(_)
    )
}

fn settings(scenario: &Scenario, means: &Means) -> Vec<Idle> {
    let mut all = Vec::new();
    let crashes = "add a fault that crashes nodes (kind = \"crash\"), or let syncs fail (`disk.error`)";
    let of_crashes = [
        ("torn", scenario.disk.torn_ppm, "torn-write"),
        ("reorder", scenario.disk.reorder_ppm, "reordered-write"),
    ];
    for (key, ppm, class) in of_crashes {
        if ppm > 0 && !means.unsynced {
            all.push(Idle {
                subject: class.to_owned(),
                path: format!("disk.{key}"),
                why: "nothing crashes a node, and no sync fails".to_owned(),
                remedy: format!("{crashes}; or remove `{key}`"),
            });
        }
    }
    all
}

/// Why a fault can have no effect, if it can't.
fn of_fault(scenario: &Scenario, means: &Means, index: usize, fault: &Fault) -> Option<Idle> {
    let is_off = fault.fires == super::Fires::Off;
    let idle = |key: &str, why: &str, remedy: &str| {
        Some(Idle {
            subject: format!("fault {index}"),
            path: format!("fault.{index}{key}"),
            why: why.to_owned(),
            remedy: remedy.to_owned(),
        })
    };
    if is_off {
        return None;
    }
    if let When::Reached(trigger) = fault.when
        && let Some(why) = unreachable_because(trigger.situation, means)
    {
        let why = format!("`{}` is never reached: {why}", trigger.situation);
        return idle(".when", &why, "add what is missing, or wait for another situation");
    }
    let alone = means.nodes == 1;
    let destroys = matches!(
        fault.kind,
        FaultKind::Wipe { .. } | FaultKind::Disk(DiskKind::Lie { .. } | DiskKind::Rot { .. } | DiskKind::Misdirect)
    );
    if destroys && !means.damage {
        let why = "with fewer than three voters there is no minority whose disks may be damaged";
        let remedy = "write nodes = 3 or more in [cluster], or min_voters = 3 or more in [operator], or damage = \"unlimited\" in [budget]";
        return idle("", why, remedy);
    }
    match fault.kind {
        FaultKind::Partition { split, clients, .. } if !clients && parts_nobody(split, means.nodes) => {
            let why = format!("in this shape it cuts no link between {} nodes", means.nodes);
            idle(
                ".split",
                &why,
                "choose another `split`, or more nodes, or clients = true",
            )
        }
        FaultKind::Isolate { clients, keeps, .. } if !clients && keeps + 1 >= means.nodes => {
            let why = format!("the node keeps its links to all of {} nodes", means.nodes);
            idle(".keeps", &why, "lower `keeps`, or write clients = true, or more nodes")
        }
        FaultKind::OneWay { clients: false, .. } | FaultKind::Clog { clients: false, .. } | FaultKind::Hold { .. }
            if alone =>
        {
            idle(
                "",
                "there is one node, and no link between nodes",
                "write nodes = 2 or more in [cluster]",
            )
        }
        FaultKind::ClogLink { .. } if alone => idle(
            "",
            "there is one node, and no link between nodes",
            "write nodes = 2 or more in [cluster]",
        ),
        FaultKind::Hold {
            message: Some(message), ..
        } => {
            let why = never_sent_because(message, means)?;
            let why = format!("no message of kind `{message}` is ever sent: {why}");
            idle(".message", &why, "add what is missing, or hold another kind")
        }
        FaultKind::Disk(DiskKind::Lie { .. }) if !ends_beside_lies(scenario) => {
            let why = "what a disk lied about is lost at a crash, and nothing crashes a node";
            idle("", why, "add a fault that crashes nodes (kind = \"crash\")")
        }
        _ => None,
    }
}

fn ends_beside_lies(scenario: &Scenario) -> bool {
    let is_lie = |kind: &FaultKind| matches!(kind, FaultKind::Disk(DiskKind::Lie { .. } | DiskKind::Stall { .. }));
    let mut kinds = scenario.faults.iter().map(|fault| &fault.kind);
    scenario.disk.error_ppm > 0 || kinds.any(|kind| ends_processes(kind) && !is_lie(kind))
}

fn parts_nobody(split: Split, nodes: u32) -> bool {
    let fewest = match split {
        // Groups that part nobody are refused.
        Split::Named(_) => return false,
        Split::Ring => 4,
        Split::Bridge => 3,
        Split::Random | Split::Even | Split::Minority | Split::Thirds => 2,
    };
    nodes < fewest
}

/// Expected classes that nothing in the scenario can set off, and situations that it never reaches.
fn expected(scenario: &Scenario, means: &Means) -> Vec<Idle> {
    let fired = scenario.expect.fired.iter().flatten();
    let fired = fired.filter(|expected| !can_fire(&expected.name, scenario, means));
    let fired = fired.map(|expected| Idle {
        subject: expected.name.clone(),
        path: "expect.fired".to_owned(),
        why: format!("nothing in the scenario sets `{}` off", expected.name),
        remedy: "switch it on (`squall list faults` says how), or take it from the list".to_owned(),
    });
    let reached = scenario.expect.reach.iter().filter_map(|expected| {
        let why = unreachable_because(&expected.name, means)?;
        Some(Idle {
            subject: expected.name.clone(),
            path: "expect.reach".to_owned(),
            why: format!("`{}` is never reached: {why}", expected.name),
            remedy: "add what is missing, or take it from the list".to_owned(),
        })
    });
    fired.chain(reached).collect()
}

/// Why a situation cannot come about, if it can't.
fn unreachable_because(situation: &str, means: &Means) -> Option<&'static str> {
    const OF_OPERATOR: [&str; 13] = [
        "joint-configuration",
        "joint-under-partition",
        "joint-leader-crashed",
        "joint-inherited",
        "learner-promoted",
        "voter-demoted",
        "node-returned",
        "leader-removed-itself",
        "change-refused",
        "transfer-started",
        "transfer-received",
        "transfer-aborted",
        "update-held-up",
    ];
    let missing = [
        (
            !means.operator && OF_OPERATOR.contains(&situation),
            "nobody gives the cluster orders (no [operator])",
        ),
        (
            !means.snapshots && situation.starts_with("snapshot-"),
            "no node takes snapshots (`cluster.snapshot_threshold` is 0)",
        ),
        (
            !means.lease && situation.starts_with("lease-"),
            "there are no leases (`cluster.lease` is off)",
        ),
        (
            !means.follower_reads && situation == "read-forwarded",
            "clients read from the leader alone (`cluster.follower_reads` is off)",
        ),
        (
            !means.pre_vote && situation == "pre-vote-lost",
            "there are no pre-votes (`cluster.pre_vote` is off)",
        ),
        (
            !means.pauses
                && [
                    "leader-paused",
                    "paused-leader-superseded",
                    "lease-held-across-pause",
                    "lease-ran-out-in-pause",
                ]
                .contains(&situation),
            "nothing pauses a node",
        ),
        (
            !means.cuts
                && [
                    "leader-isolated",
                    "leader-reaches-one",
                    "leader-mute",
                    "leader-deaf",
                    "partial-partition",
                    "elected-under-partition",
                    "snapshot-under-partition",
                    "joint-under-partition",
                ]
                .contains(&situation),
            "nothing cuts links between nodes",
        ),
        (
            !means.ends
                && [
                    "leader-crashed",
                    "leader-crashed-with-tail",
                    "crashed-before-sync",
                    "torn-tail-recovered",
                    "rewritten-log-recovered",
                    "rewrite-cut-short",
                    "restarted-with-tail",
                    "stale-node-rejoined",
                    "mass-restart",
                    "whole-cluster-down",
                    "snapshot-cut-short",
                    "joint-leader-crashed",
                ]
                .contains(&situation),
            "nothing crashes a node",
        ),
    ];
    missing.into_iter().find(|(is_so, _)| *is_so).map(|(_, why)| why)
}

/// Why no message of a kind is ever sent, if none is.
fn never_sent_because(message: &str, means: &Means) -> Option<&'static str> {
    match message {
        "install-snapshot" | "snapshot-progress" if !means.snapshots => {
            Some("no node takes snapshots (`cluster.snapshot_threshold` is 0)")
        }
        "pre-vote" | "pre-vote-reply" if !means.pre_vote => Some("there are no pre-votes (`cluster.pre_vote` is off)"),
        "timeout-now" if !means.operator => Some("nobody hands the leadership over (no [operator])"),
        "read-index" | "read-index-reply" if !means.follower_reads => {
            Some("clients read from the leader alone (`cluster.follower_reads` is off)")
        }
        _ => None,
    }
}

/// Whether something in the scenario can set a class of faults off.
fn can_fire(class: &str, scenario: &Scenario, means: &Means) -> bool {
    let Scenario {
        network,
        disk,
        clock,
        cluster,
        faults,
        recovery,
        ..
    } = scenario;
    let links = &network.links;
    let any = |is: fn(&FaultKind) -> bool| faults.iter().any(|fault| is(&fault.kind));
    match class {
        "loss" => network.loss_ppm > 0,
        "duplicate" => network.duplicate_ppm > 0,
        // Whatever is delayed more than what follows it.
        "reorder" => {
            network.reorder_ppm > 0
                || links.huge_ppm > 0
                || any(|kind| {
                    matches!(
                        kind,
                        FaultKind::Clog { .. }
                            | FaultKind::ClogLink { .. }
                            | FaultKind::SwizzleClog { .. }
                            | FaultKind::Hold { .. }
                    )
                })
        }
        "delay-tail" => network.tail_ppm > 0,
        "partition" => {
            recovery.lasting != super::Lasting::None
                || any(|kind| {
                    matches!(
                        kind,
                        FaultKind::Partition { .. } | FaultKind::Isolate { .. } | FaultKind::CutClients { .. }
                    )
                })
        }
        "one-way-partition" => any(|kind| matches!(kind, FaultKind::OneWay { .. })),
        "isolate-primary" => {
            recovery.lasting != super::Lasting::None
                || any(|kind| matches!(kind, FaultKind::Isolate { .. } | FaultKind::OneWay { .. }))
        }
        "far-latency" => links.shape != super::Shape::Uniform,
        "slow-link" => links.slow_ppm > 0,
        "huge-delay" => links.huge_ppm > 0,
        "bandwidth" | "overflow" => links.bandwidth.is_some(),
        "clog" => any(|kind| {
            matches!(
                kind,
                FaultKind::Clog { .. } | FaultKind::ClogLink { .. } | FaultKind::SwizzleClog { .. }
            )
        }),
        "hold" => any(|kind| matches!(kind, FaultKind::Hold { .. })),
        "replay" => any(|kind| matches!(kind, FaultKind::ReplayOld { .. })),
        "corrupt" => links.corrupt_ppm > 0,
        "crash" => recovery.lasting != super::Lasting::None || any(ends_processes),
        "restart" => means.ends || recovery.lasting != super::Lasting::None,
        "pause" => means.pauses,
        "lost-write" => disk.lost_ppm > 0 && means.unsynced,
        "kept-write" => disk.lost_ppm + disk.torn_ppm < 1_000_000 && means.unsynced,
        "torn-write" => disk.torn_ppm > 0 && means.unsynced,
        "reordered-write" => disk.reorder_ppm > 0 && means.unsynced,
        "slow-sync" => disk.slow_ppm > 0,
        "disk-stall" => any(|kind| matches!(kind, FaultKind::Disk(DiskKind::Stall { .. }))),
        "sync-error" => disk.error_ppm > 0 || any(|kind| matches!(kind, FaultKind::Disk(DiskKind::Error { .. }))),
        "disk-full" => any(|kind| matches!(kind, FaultKind::Disk(DiskKind::Full { .. }))),
        "lying-sync" => any(|kind| matches!(kind, FaultKind::Disk(DiskKind::Lie { .. }))),
        "bit-rot" | "unreadable-sector" => any(|kind| matches!(kind, FaultKind::Disk(DiskKind::Rot { .. }))),
        "misdirected-write" => any(|kind| matches!(kind, FaultKind::Disk(DiskKind::Misdirect))),
        "clock-offset" => clock.offset_max_ns > 0,
        "clock-drift" => clock.drift_max_ppm > 0 || any(|kind| matches!(kind, FaultKind::ClockDrift { .. })),
        "clock-step" => any(|kind| matches!(kind, FaultKind::ClockStep { .. })),
        "clock-freeze" => any(|kind| matches!(kind, FaultKind::ClockFreeze { .. })),
        "clock-leap" => any(|kind| {
            matches!(
                kind,
                FaultKind::ClockFreeze {
                    then: Thaw::Any | Thaw::Leap,
                    ..
                }
            )
        }),
        "disk-crash" | "cut-write" => any(|kind| matches!(kind, FaultKind::CrashAtDisk { .. })),
        "crash-loop" => any(|kind| matches!(kind, FaultKind::CrashLoop { .. })),
        "wipe" => any(|kind| matches!(kind, FaultKind::Wipe { .. })),
        "upgrade" => any(|kind| matches!(kind, FaultKind::Upgrade { .. })),
        "slow-apply" => cluster.apply.max_ns > 0,
        // A class that this list does not know may be set off by anything.
        _ => true,
    }
}

#[cfg(test)]
mod tests;
