//! What can be taken away from a capsule or made simpler in it: one pass each, in the order in which a search goes through them.

use super::change::{
    decisions, faults, lists, operations, span_of, with_decisions, without_client, without_decisions, without_faults,
    without_node, without_operations,
};
use crate::capsule::Capsule;
use crate::scenario::{Choice, Scenario, Shape};
use crate::setup::Draw;
use simulator::{Duration, Subject, Time};
use std::collections::BTreeSet;

/// How the candidates of a pass are made.
#[derive(Clone, Copy)]
pub(super) enum Cuts {
    /// A list, of which pieces are left out.
    List {
        /// How long it is.
        items: fn(&Capsule) -> usize,
        /// Without those from the one number up to the other.
        without: fn(&Capsule, usize, usize) -> Vec<Capsule>,
        /// Whether fresh decisions are tried too.
        fresh: bool,
        /// Into how many pieces it is cut at most.
        pieces: usize,
    },
    /// Changes that are tried one after the other.
    Each {
        /// All of them.
        candidates: fn(&Capsule) -> Vec<Capsule>,
        /// Whether fresh decisions are tried too.
        fresh: bool,
        /// Whether a change that makes nothing smaller is taken: it makes something plainer.
        even: bool,
    },
    /// Other decisions.
    Fresh,
}

/// All passes, with what a progress bar calls them. What makes every later attempt cheaper comes first.
pub(super) const PASSES: &[(&str, Cuts)] = &[
    ("time", each(shorter, true)),
    ("time", each(sooner, true)),
    ("faults", list(faults, without_faults, usize::MAX)),
    ("operations", list(operations, without_operations, 64)),
    ("nodes", each(fewer_nodes, true)),
    ("clients", each(fewer_clients, true)),
    ("time", each(sooner, true)),
    ("chance", Cuts::Fresh),
    ("decisions", each(fewer_topics, false)),
    ("pauses", each(shorter_pauses, false)),
    ("spans", each(shorter_spans, false)),
    (
        "settings",
        Cuts::Each {
            candidates: plainer,
            fresh: false,
            even: true,
        },
    ),
    ("decisions", each(fewer_subjects, false)),
    (
        "decisions",
        Cuts::List {
            items: decisions,
            without: without_decisions,
            fresh: false,
            pieces: 128,
        },
    ),
];

const fn each(candidates: fn(&Capsule) -> Vec<Capsule>, fresh: bool) -> Cuts {
    Cuts::Each {
        candidates,
        fresh,
        even: false,
    }
}

const fn list(
    items: fn(&Capsule) -> usize,
    without: fn(&Capsule, usize, usize) -> Vec<Capsule>,
    pieces: usize,
) -> Cuts {
    Cuts::List {
        items,
        without,
        fresh: true,
        pieces,
    }
}

fn changed(capsule: &Capsule, change: impl FnOnce(&mut Capsule)) -> Capsule {
    let mut changed = capsule.clone();
    change(&mut changed);
    changed
}

/// The shortest time of the faults that a scenario may have.
pub(super) const CHAOS_MIN: u64 = 100_000_000;

/// A little after the run's end.
pub(super) fn end_of(capsule: &Capsule) -> u64 {
    (capsule.outcome.end / 1_000_000 + 2) * 1_000_000
}

/// The faults end sooner. What comes after falls away.
fn shorter(capsule: &Capsule) -> Vec<Capsule> {
    let chaos = capsule.scenario.time.chaos_ns;
    let parts = [1, 2, 4, 6, 8, 10, 12, 14, 15].map(|part| chaos / 16 * part);
    let parts = parts
        .into_iter()
        .map(|shorter| shorter.max(CHAOS_MIN))
        .filter(|shorter| *shorter < chaos);
    let end = |end: u64| changed(capsule, |capsule| capsule.scenario.time.chaos_ns = end);
    parts.map(end).collect()
}

/// All decisions of a topic fall away, or of all topics.
fn fewer_topics(capsule: &Capsule) -> Vec<Capsule> {
    let decisions = capsule.course.decisions.iter();
    let topics: BTreeSet<_> = decisions.map(|(subject, ..)| subject.topic).collect();
    let all = (!topics.is_empty()).then(|| with_decisions(capsule, |_| false));
    let of = |topic| with_decisions(capsule, |subject| subject.topic != topic);
    all.into_iter().chain(topics.into_iter().map(of)).collect()
}

/// All decisions about one link or party fall away.
fn fewer_subjects(capsule: &Capsule) -> Vec<Capsule> {
    let subjects: BTreeSet<Subject> = capsule.course.decisions.iter().map(|(subject, ..)| subject).collect();
    let of = |gone| with_decisions(capsule, |subject| subject != gone);
    subjects.into_iter().take(64).map(of).collect()
}

fn fewer_nodes(capsule: &Capsule) -> Vec<Capsule> {
    let nodes = Draw::new(&capsule.scenario, 0).all_nodes();
    (0..nodes)
        .rev()
        .filter_map(|node| without_node(capsule, node))
        .collect()
}

/// First all clients that do nothing.
fn fewer_clients(capsule: &Capsule) -> Vec<Capsule> {
    let clients = Draw::new(&capsule.scenario, 0).clients;
    let mut order: Vec<u16> = (0..clients).collect();
    order.sort_by_key(|client| capsule.course.tasks_of(*client).tasks.len());
    order
        .into_iter()
        .filter_map(|client| without_client(capsule, client))
        .collect()
}

/// All that happens comes sooner, or what comes after one of the faults.
fn sooner(capsule: &Capsule) -> Vec<Capsule> {
    let part = |ns: u64, of: (u64, u64)| ns / of.1 * of.0;
    let scaled = |by: (u64, u64)| {
        changed(capsule, |capsule| {
            capsule.scenario.time.chaos_ns = part(capsule.scenario.time.chaos_ns, by).max(CHAOS_MIN);
            for strike in &mut capsule.course.faults {
                strike.at = Time(part(strike.at.0, by));
                if let Some(span) = span_of(&mut strike.action) {
                    *span = Duration(part(span.0, by));
                }
            }
            for task in lists(capsule).flat_map(|tasks| &mut tasks.tasks) {
                task.pause = Duration(part(task.pause.0, by));
            }
        })
    };
    let mut candidates: Vec<Capsule> = [(1, 4), (1, 2), (3, 4), (7, 8)].map(scaled).into();
    let mut before = 0;
    let times: BTreeSet<u64> = capsule.course.faults.iter().map(|strike| strike.at.0).collect();
    for at in times.into_iter().take(64) {
        for by in [(1, 1), (1, 2), (1, 4)] {
            let less = part(at - before, by);
            if less >= 1_000_000 {
                candidates.push(changed(capsule, |capsule| earlier_from(capsule, at, less)));
            }
        }
        before = at;
    }
    candidates
}

/// The faults from this time on strike earlier by so much.
fn earlier_from(capsule: &mut Capsule, from: u64, by: u64) {
    for strike in capsule.course.faults.iter_mut().filter(|strike| strike.at.0 >= from) {
        strike.at.0 -= by;
    }
    let chaos = &mut capsule.scenario.time.chaos_ns;
    *chaos = chaos.saturating_sub(by).max(CHAOS_MIN);
}

/// Less time between operations.
fn shorter_pauses(capsule: &Capsule) -> Vec<Capsule> {
    let with = |change: &dyn Fn(usize, &mut Duration)| {
        changed(capsule, |capsule| {
            let tasks = lists(capsule).flat_map(|tasks| &mut tasks.tasks);
            tasks
                .enumerate()
                .for_each(|(number, task)| change(number, &mut task.pause));
        })
    };
    let mut candidates = vec![
        with(&|_, pause| *pause = Duration::ZERO),
        with(&|_, pause| pause.0 /= 2),
    ];
    for one in 0..operations(capsule).min(64) {
        candidates.push(with(&|number, pause| pause.0 *= u64::from(number != one)));
        candidates.push(with(&|number, pause| pause.0 /= 1 + u64::from(number == one)));
    }
    candidates
}

/// Shorter crashes, pauses and troubles of disks.
fn shorter_spans(capsule: &Capsule) -> Vec<Capsule> {
    let mut candidates = Vec::new();
    for one in 0..capsule.course.faults.len().min(64) {
        for part in [16, 2] {
            let mut shorter = capsule.clone();
            if let Some(span) = span_of(&mut shorter.course.faults[one].action)
                && span.0 >= 1_000_000
            {
                span.0 /= part;
                candidates.push(shorter);
            }
        }
    }
    candidates
}

/// Settings as they are by default, or as plain as can be.
fn plainer(capsule: &Capsule) -> Vec<Capsule> {
    let end = end_of(capsule);
    let changes: &[&dyn Fn(&mut Scenario)] = &[
        &|scenario| scenario.workload.keys = Choice::one(1),
        &|scenario| scenario.cluster.pre_vote = Choice::one(true),
        &|scenario| scenario.cluster.check_quorum = Choice::one(true),
        &|scenario| scenario.cluster.lease_drift_ppm = Choice::one(None),
        &|scenario| scenario.cluster.priorities = Choice::one(false),
        &|scenario| scenario.cluster.quiesce_ns = Choice::one(None),
        &|scenario| scenario.cluster.follower_reads = Choice::one(false),
        &|scenario| scenario.cluster.max_entries_per_append = Choice::one(64),
        &|scenario| scenario.cluster.max_bytes_per_append = Choice::one(64 * 1024),
        &|scenario| scenario.cluster.max_inflight = Choice::one(16),
        &|scenario| scenario.cluster.snapshot_threshold = Choice::one(0),
        &|scenario| scenario.cluster.snapshot_tail = Choice::one(16),
        &|scenario| scenario.cluster.snapshot_chunk_bytes = Choice::one(4096),
        &|scenario| scenario.workload.sticky = Choice::one(false),
        &|scenario| scenario.workload.operations = Choice::one(500),
        &|scenario| scenario.workload.value_bytes = Choice::one(8),
        &|scenario| {
            let links = &mut scenario.network.links;
            (links.shape, links.bandwidth) = (Shape::Uniform, None);
            (links.slow_ppm, links.huge_ppm, links.corrupt_ppm) = (0, 0, 0);
        },
        &|scenario| {
            let network = &mut scenario.network;
            (
                network.tail_ppm,
                network.loss_ppm,
                network.duplicate_ppm,
                network.reorder_ppm,
            ) = (0, 0, 0, 0);
        },
        &|scenario| {
            let disk = &mut scenario.disk;
            (disk.slow_ppm, disk.torn_ppm, disk.reorder_ppm, disk.error_ppm) = (0, 0, 0, 0);
        },
        &|scenario| (scenario.clock.offset_max_ns, scenario.clock.drift_max_ppm) = (0, 0),
        &|scenario| scenario.time.chaos_ns = scenario.time.chaos_ns.min(end.max(CHAOS_MIN)),
    ];
    let mut candidates: Vec<Capsule> = changes
        .iter()
        .map(|change| changed(capsule, |capsule| change(&mut capsule.scenario)))
        .filter(|candidate| candidate.scenario != capsule.scenario)
        .collect();
    let is_idle = capsule
        .course
        .orders
        .as_ref()
        .is_none_or(|orders| orders.tasks.is_empty());
    if capsule.scenario.operator.is_some() && is_idle {
        candidates.push(changed(capsule, |capsule| {
            capsule.scenario.operator = None;
            capsule.course.orders = None;
        }));
    }
    candidates
}
