//! What can be taken away from a capsule or made simpler in it: one pass each, in the order in which a search goes through them.

use super::change::{
    decisions, faults, lists, merged_clients, operations, span_of, with_decisions, without_client, without_decisions,
    without_faults, without_node, without_operations,
};
use super::settings::{plainer, quieter, sooner_snapshots};
use crate::capsule::{Capsule, Strike};
use crate::setup::Draw;
use simulator::{Duration, FaultAction, Subject, Time};
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
        /// How many sets of fresh decisions are tried too: none, or at least so many.
        fresh: u64,
        /// How much larger the capsule may become, in tenths of an event and less than that: 1 for changes that make something
        /// plainer, more for those which let others succeed that come later.
        slack: u64,
    },
    /// Other decisions.
    Fresh,
}

/// All passes, with what a progress bar calls them. What makes every later attempt cheaper comes first.
pub(super) const PASSES: &[(&str, Cuts)] = &[
    ("time", each(shorter, 1)),
    (
        "crashes",
        Cuts::Each {
            candidates: crashes_at_disk,
            fresh: 0,
            slack: 1_000,
        },
    ),
    ("chance", Cuts::Fresh),
    ("time", each(sooner, 1)),
    ("snapshots", each(sooner_snapshots, 16)),
    ("faults", list(faults, without_faults, usize::MAX)),
    ("operations", list(operations, without_operations, 64)),
    ("nodes", each(fewer_nodes, 1)),
    ("clients", each(fewer_clients, 1)),
    ("time", each(sooner, 1)),
    ("chance", Cuts::Fresh),
    ("decisions", each(fewer_topics, 0)),
    ("pauses", each(shorter_pauses, 0)),
    ("spans", each(shorter_spans, 0)),
    (
        "settings",
        Cuts::Each {
            candidates: plainer,
            fresh: 0,
            slack: 1,
        },
    ),
    ("clients", each(merged_clients, 1)),
    ("quiet", each(quieter, 0)),
    ("decisions", each(fewer_subjects, 0)),
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

const fn each(candidates: fn(&Capsule) -> Vec<Capsule>, fresh: u64) -> Cuts {
    Cuts::Each {
        candidates,
        fresh,
        slack: 0,
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

pub(super) fn changed(capsule: &Capsule, change: impl FnOnce(&mut Capsule)) -> Capsule {
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
    let end = |end: u64| changed(capsule, |capsule| capsule.scenario.end_faults_at(end));
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
            for scripted in &mut capsule.scenario.orders {
                scripted.at_ns = part(scripted.at_ns, by);
            }
            let chaos = part(capsule.scenario.time.chaos_ns, by).max(CHAOS_MIN);
            capsule.scenario.end_faults_at(chaos);
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
    let chaos = capsule.scenario.time.chaos_ns.saturating_sub(by).max(CHAOS_MIN);
    capsule.scenario.end_faults_at(chaos);
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

/// Crashes that waited for a situation come at a disk operation instead of at a time. In a capsule such a crash stands at an instant,
/// behind the very events that brought it about; whatever is cut before makes them come at another time, and the crash miss them. At the
/// next disk operation after a time it strikes as before where little is changed, and the same write where much is.
fn crashes_at_disk(capsule: &Capsule) -> Vec<Capsule> {
    let is_exact = |strike: &Strike| strike.after > 0 && matches!(strike.action, FaultAction::Crash { .. });
    let Some(index) = capsule.course.faults.iter().rposition(is_exact) else {
        return Vec::new();
    };
    let mut candidates = Vec::new();
    for sooner in [50_000_000, 10_000_000, 2_000_000, 200_000, 0] {
        for skip in 0..=8 {
            for part in [1_000_000, 0] {
                candidates.push(changed(capsule, |capsule| {
                    let strike = &mut capsule.course.faults[index];
                    let at = Time(strike.at.0.saturating_sub(sooner));
                    if let FaultAction::Crash { target, restart_after } = strike.action {
                        let action = FaultAction::CrashAtDisk {
                            target,
                            skip,
                            part,
                            restart_after,
                        };
                        *strike = Strike { at, after: 0, action };
                    }
                    capsule.course.faults.sort_by_key(|strike| strike.at);
                }));
            }
        }
    }
    candidates
}
