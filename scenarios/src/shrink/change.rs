//! Changes to a capsule: what takes something out, and keeps what is left consistent.

use crate::capsule::{Capsule, ends_a_fault};
use crate::operation::Operation;
use crate::scenario::{Choice, Damage};
use crate::setup::Draw;
use crate::workloads::tasks::{Task, Tasks};
use simulator::{ClientId, CutId, DiskFault, Duration, Endpoint, FaultAction, NodeId, Subject, Target, Whom};
use std::sync::Arc;

/// How many faults there are that are no mere ends of others, what lasts included.
pub(super) fn faults(capsule: &Capsule) -> usize {
    capsule.course.strikes()
}

/// Without some of these faults, and their ends.
pub(super) fn without_faults(capsule: &Capsule, from: usize, to: usize) -> Vec<Capsule> {
    let mut smaller = capsule.clone();
    let course = &mut smaller.course;
    let (mut number, mut ended) = (0, Vec::new());
    course.faults.retain(|strike| {
        if ends_a_fault(&strike.action) {
            return name_of(&strike.action).is_none_or(|id| !ended.contains(&id));
        }
        number += 1;
        let goes = (from..to).contains(&(number - 1));
        if goes {
            ended.extend(name_of(&strike.action));
        }
        !goes
    });
    course.losses.retain(|_| {
        number += 1;
        !(from..to).contains(&(number - 1))
    });
    vec![smaller]
}

/// The name of a cut or hold that an action begins or ends.
fn name_of(action: &FaultAction) -> Option<CutId> {
    match action {
        FaultAction::Cut { id, .. }
        | FaultAction::Isolate { id, .. }
        | FaultAction::Mend { id }
        | FaultAction::Hold { id, .. }
        | FaultAction::HoldAround { id, .. }
        | FaultAction::Release { id } => Some(*id),
        _ => None,
    }
}

/// How many operations and orders there are.
pub(super) fn operations(capsule: &Capsule) -> usize {
    capsule.course.operations()
}

/// Without some of the operations, and once with, once without the time that they took.
pub(super) fn without_operations(capsule: &Capsule, from: usize, to: usize) -> Vec<Capsule> {
    let cut = |keeps_time: bool| {
        let mut smaller = capsule.clone();
        let mut number = 0;
        for tasks in lists(&mut smaller) {
            let mut saved = Duration::ZERO;
            let mut kept = Vec::with_capacity(tasks.tasks.len());
            for mut task in std::mem::take(&mut tasks.tasks) {
                number += 1;
                if (from..to).contains(&(number - 1)) {
                    saved = saved + task.pause;
                    continue;
                }
                if keeps_time {
                    task.pause = task.pause + saved;
                }
                saved = Duration::ZERO;
                kept.push(task);
            }
            tasks.tasks = kept;
        }
        smaller
    };
    vec![cut(true), cut(false)]
}

/// The tasks of all clients and of the operator.
pub(super) fn lists(capsule: &mut Capsule) -> impl Iterator<Item = &mut Tasks> {
    capsule.course.clients.iter_mut().chain(&mut capsule.course.orders)
}

/// How many decisions there are.
pub(super) fn decisions(capsule: &Capsule) -> usize {
    capsule.course.decisions.len()
}

/// Without some of the decisions: they fall out the neutral way.
pub(super) fn without_decisions(capsule: &Capsule, from: usize, to: usize) -> Vec<Capsule> {
    let mut number = 0;
    vec![with_decisions(capsule, |_| {
        number += 1;
        !(from..to).contains(&(number - 1))
    })]
}

/// With only those decisions that `keep` says.
pub(super) fn with_decisions(capsule: &Capsule, mut keep: impl FnMut(Subject) -> bool) -> Capsule {
    let mut smaller = capsule.clone();
    let kept = capsule.course.decisions.iter().filter(|(subject, ..)| keep(*subject));
    smaller.course.decisions = Arc::new(kept.collect());
    smaller
}

/// Without a client; those after it take the numbers below theirs.
pub(super) fn without_client(capsule: &Capsule, client: u16) -> Option<Capsule> {
    let clients = Draw::new(&capsule.scenario, 0).clients;
    if clients <= 1 {
        return None;
    }
    let mut smaller = capsule.clone();
    smaller.scenario.workload.clients = Choice::one(u32::from(clients) - 1);
    if usize::from(client) < smaller.course.clients.len() {
        smaller.course.clients.remove(client.into());
    }
    rename(&mut smaller, |endpoint| match endpoint {
        Endpoint::Client(ClientId(id)) => closing_up(id, client).map(|id| ClientId(id).into()),
        Endpoint::Node(_) => Some(endpoint),
    });
    Some(smaller)
}

/// With the work of two clients done by one of them: any two.
pub(super) fn merged_clients(capsule: &Capsule) -> Vec<Capsule> {
    let clients = Draw::new(&capsule.scenario, 0).clients;
    let pairs = (0..clients).flat_map(|to| (0..clients).rev().map(move |from| (from, to)));
    pairs
        .filter(|(from, to)| from != to)
        .filter_map(|(from, to)| {
            let mut merged = capsule.clone();
            let course = &mut merged.course;
            course.clients.resize(clients.into(), Tasks::default());
            let tasks = interleaved(&course.clients[usize::from(from)], &course.clients[usize::from(to)]);
            course.clients[usize::from(to)] = tasks;
            without_client(&merged, from)
        })
        .collect()
}

/// Two lists as one, by when each task would begin if nothing took any time.
fn interleaved(one: &Tasks, other: &Tasks) -> Tasks {
    let begun = |tasks: &Tasks| {
        let mut time = Duration::ZERO;
        let each = tasks.tasks.iter().map(move |task| {
            time = time + task.pause;
            (time, task.operation.clone())
        });
        each.collect::<Vec<_>>()
    };
    let mut all = begun(one);
    all.extend(begun(other));
    all.sort_by_key(|(time, _)| *time);
    let mut before = Duration::ZERO;
    let tasks = all.into_iter().map(|(time, operation)| {
        let pause = Duration(time.0 - before.0);
        before = time;
        Task { pause, operation }
    });
    Tasks {
        tasks: tasks.collect(),
        rest: other.rest,
    }
}

/// Without a node; those after it take the numbers below theirs.
///
/// None where that might make a failure of its own: where nodes never come back, or where a majority of what is left may lose
/// its data.
pub(super) fn without_node(capsule: &Capsule, node: u16) -> Option<Capsule> {
    let draw = Draw::new(&capsule.scenario, 0);
    if draw.all_nodes() <= 1 || !capsule.course.losses.is_empty() {
        return None;
    }
    let mut smaller = capsule.clone();
    let cluster = &mut smaller.scenario.cluster;
    if node < draw.nodes {
        cluster.nodes = Choice::one(u32::from(draw.nodes.checked_sub(1).filter(|left| *left > 0)?));
    } else {
        cluster.spares = Choice::one(u32::from(draw.spares) - 1);
    }
    let left = u32::from(draw.all_nodes()) - 1;
    if let Some(operator) = &mut smaller.scenario.operator {
        operator.min_voters = operator.min_voters.min(left);
    }
    smaller.scenario.orders.retain_mut(|scripted| {
        let renamed = scripted.order.renamed(|id| closing_up(id, node));
        renamed.map(|order| scripted.order = order).is_some()
    });
    rename(&mut smaller, |endpoint| match endpoint {
        Endpoint::Node(NodeId(id)) => closing_up(id, node).map(|id| NodeId(id).into()),
        Endpoint::Client(_) => Some(endpoint),
    });
    let founders = smaller.scenario.cluster.nodes.largest();
    let fewest = smaller.scenario.fewest_voters(founders) as usize;
    let bounded = smaller.scenario.budget.damage == Damage::Minority;
    (!bounded || smaller.course.damageable.iter().count() <= (fewest - 1) / 2).then_some(smaller)
}

/// The number of whoever has `id` when `gone` is no more.
fn closing_up(id: u16, gone: u16) -> Option<u16> {
    match id.cmp(&gone) {
        std::cmp::Ordering::Less => Some(id),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(id - 1),
    }
}

/// Gives nodes and clients other names; what is about those that have none any more goes.
fn rename(capsule: &mut Capsule, name: impl Fn(Endpoint) -> Option<Endpoint>) {
    let course = &mut capsule.course;
    let node = |id: NodeId| name(id.into()).and_then(Endpoint::node);
    course
        .faults
        .retain_mut(|strike| rename_action(&mut strike.action, &name).is_some());
    course
        .losses
        .retain_mut(|action| rename_action(action, &name).is_some());
    course.damageable = course.damageable.iter().filter_map(node).collect();
    let subject = |Subject { topic, whom }: Subject| {
        let whom = match whom {
            Whom::World => Whom::World,
            Whom::One(party) => Whom::One(name(party)?),
            Whom::Link(from, to) => Whom::Link(name(from)?, name(to)?),
        };
        Some(Subject { topic, whom })
    };
    let decisions = course.decisions.iter();
    let renamed = decisions.filter_map(|(of, number, value)| Some((subject(of)?, number, value)));
    course.decisions = Arc::new(renamed.collect());
    if let Some(orders) = &mut course.orders {
        let id = |id: &u16| node(NodeId(*id)).map(|node| node.0);
        orders.tasks.retain_mut(|task| match &mut task.operation {
            Operation::Change { voters, learners } => {
                *voters = voters.iter().filter_map(id).collect();
                *learners = learners.iter().filter_map(id).collect();
                !voters.is_empty()
            }
            Operation::Transfer { to } => id(to).map(|id| *to = id).is_some(),
            _ => true,
        });
    }
}

/// None when nothing is left of it.
fn rename_action(action: &mut FaultAction, name: &impl Fn(Endpoint) -> Option<Endpoint>) -> Option<()> {
    match action {
        FaultAction::Cut { from, to, .. } | FaultAction::Hold { from, to, .. } => {
            *from = from.iter().filter_map(|endpoint| name(*endpoint)).collect();
            *to = to.iter().filter_map(|endpoint| name(*endpoint)).collect();
            (!from.is_empty() && !to.is_empty()).then_some(())
        }
        FaultAction::Restart { node } | FaultAction::Resume { node } => {
            *node = name((*node).into())?.node()?;
            Some(())
        }
        _ => {
            if let Some(Target::Node(node)) = action.target() {
                *action = action.clone().aimed(name(node.into())?.node()?);
            }
            Some(())
        }
    }
}

/// The spans of a fault that can be shorter.
pub(super) fn span_of(action: &mut FaultAction) -> Option<&mut Duration> {
    match action {
        FaultAction::Crash { restart_after, .. } => restart_after.as_mut(),
        FaultAction::Pause { resume_after, .. } => resume_after.as_mut(),
        FaultAction::Disk {
            fault:
                DiskFault::Error { lasts }
                | DiskFault::Full { lasts }
                | DiskFault::Stall { lasts }
                | DiskFault::Lie { lasts },
            ..
        } => Some(lasts),
        _ => None,
    }
}
