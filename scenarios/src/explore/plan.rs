//! Plans of faults as material: taken apart into strikes, changed, and put together again.
//!
//! A *strike* is what begins and ends together: a cut and its mending, a hold and its release, or one action that ends by itself.
//! Every change stays within what a scenario may do: disks that are damaged stay those that the budget admits, clocks get no
//! rate and no step that the scenario has not drawn, and all faults begin during `time.chaos`.

use simulator::{CutId, Duration, FaultAction, Held, NodeId, OneWay, PlannedFault, Stream, Target, Time};

const MILLISECOND: u64 = 1_000_000;
/// Most strikes of a plan; one that has more does not grow.
const STRIKES: usize = 256;

/// What a plan may strike, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Nodes, spares included.
    pub nodes: u16,
    /// The end of the faults.
    pub end: Time,
    /// The kinds of messages that the system names.
    pub message_kinds: &'static [&'static str],
}

/// What begins and ends together, by time.
pub type Strike = Vec<PlannedFault>;

/// Takes a plan apart. What ends nothing that began is a strike of its own.
pub fn strikes(plan: &[PlannedFault]) -> Vec<Strike> {
    let mut strikes: Vec<Strike> = Vec::new();
    for planned in plan {
        let begun = ends(&planned.action).and_then(|id| {
            strikes
                .iter_mut()
                .rev()
                .find(|strike| begins(&strike[0].action) == Some(id) && strike.len() == 1)
        });
        match begun {
            Some(strike) => strike.push(planned.clone()),
            None => strikes.push(vec![planned.clone()]),
        }
    }
    strikes
}

/// Puts strikes together, each with a name of its own for its cut or hold.
pub fn together(strikes: Vec<Strike>) -> Vec<PlannedFault> {
    let mut plan: Vec<PlannedFault> = Vec::new();
    for (number, mut strike) in strikes.into_iter().enumerate() {
        for planned in &mut strike {
            rename(&mut planned.action, CutId(number as u32 + 1));
        }
        plan.append(&mut strike);
    }
    plan.sort_by_key(|planned| planned.at);
    plan
}

/// The name of what an action begins, if it has one.
pub fn begins(action: &FaultAction) -> Option<CutId> {
    match action {
        FaultAction::Cut { id, .. }
        | FaultAction::Isolate { id, .. }
        | FaultAction::Hold { id, .. }
        | FaultAction::HoldAround { id, .. } => Some(*id),
        _ => None,
    }
}

fn ends(action: &FaultAction) -> Option<CutId> {
    match action {
        FaultAction::Mend { id } | FaultAction::Release { id } => Some(*id),
        _ => None,
    }
}

fn rename(action: &mut FaultAction, name: CutId) {
    match action {
        FaultAction::Cut { id, .. }
        | FaultAction::Isolate { id, .. }
        | FaultAction::Hold { id, .. }
        | FaultAction::HoldAround { id, .. }
        | FaultAction::Mend { id }
        | FaultAction::Release { id } => *id = name,
        _ => {}
    }
}

/// A plan that differs from another in one thing, in most cases; in more with falling chance.
pub fn mutated(plan: &[PlannedFault], bounds: Bounds, stream: &mut Stream) -> Vec<PlannedFault> {
    let mut strikes = strikes(plan);
    loop {
        mutate(&mut strikes, bounds, stream);
        if stream.below(2) == 0 {
            return together(strikes);
        }
    }
}

fn mutate(strikes: &mut Vec<Strike>, bounds: Bounds, stream: &mut Stream) {
    // Rates of clocks that are set at the start are the scenario's own, and no strikes.
    let movable: Vec<usize> = (0..strikes.len())
        .filter(|index| strikes[*index][0].at > Time(0))
        .collect();
    let chosen = stream.pick(&movable).copied();
    match (chosen, stream.below(8)) {
        (Some(index), 0) => {
            strikes.remove(index);
        }
        (Some(index), 1 | 2) => shift(&mut strikes[index], bounds, stream),
        (Some(index), 3) => retarget(&mut strikes[index], bounds, stream),
        (Some(index), 4) => stretch(&mut strikes[index], stream),
        (Some(index), 5) if strikes.len() < STRIKES => {
            let mut copy = strikes[index].clone();
            shift(&mut copy, bounds, stream);
            strikes.push(copy);
        }
        _ if strikes.len() < STRIKES => strikes.push(fresh(bounds, stream)),
        _ => {}
    }
}

/// A random number that is as likely to be in each doubling.
fn log_uniform(stream: &mut Stream, min: u64, max: u64) -> u64 {
    let low = min << stream.range(0, u64::from((max / min).ilog2()));
    stream.range(low, (low * 2).min(max))
}

fn within(bounds: Bounds, at: u64) -> u64 {
    at.clamp(1, bounds.end.0.saturating_sub(1).max(1))
}

/// The strike comes sooner or later.
fn shift(strike: &mut Strike, bounds: Bounds, stream: &mut Stream) {
    let by = log_uniform(stream, MILLISECOND, 1_024 * MILLISECOND);
    let first = strike[0].at.0;
    let moved = within(
        bounds,
        if stream.below(2) == 0 {
            first.saturating_sub(by)
        } else {
            first + by
        },
    );
    for planned in strike {
        planned.at = Time(moved + (planned.at.0 - first));
    }
}

/// The strike comes at a random time of the faults.
pub fn place(strike: &mut Strike, bounds: Bounds, stream: &mut Stream) {
    let first = strike[0].at.0;
    let moved = within(bounds, stream.range(1, bounds.end.0.max(1)));
    for planned in strike {
        planned.at = Time(moved + (planned.at.0 - first));
    }
}

/// The strike is aimed at somebody else, unless it may strike only certain nodes.
fn retarget(strike: &mut Strike, bounds: Bounds, stream: &mut Stream) {
    let aim = aim(bounds, stream);
    match &mut strike[0].action {
        FaultAction::Isolate { target, .. }
        | FaultAction::HoldAround { target, .. }
        | FaultAction::Crash { target, .. }
        | FaultAction::Pause { target, .. }
        | FaultAction::ClockStep { target, .. } => *target = aim,
        _ => {}
    }
}

/// The strike ends sooner or later.
fn stretch(strike: &mut Strike, stream: &mut Stream) {
    let lasts = log_uniform(stream, MILLISECOND, 2_048 * MILLISECOND);
    let first = strike[0].at;
    match &mut strike[..] {
        [_, end] => end.at = first + Duration(lasts),
        [only] => match &mut only.action {
            FaultAction::Crash {
                restart_after: after, ..
            }
            | FaultAction::Pause {
                resume_after: after, ..
            } => {
                *after = Some(Duration(lasts));
            }
            _ => {}
        },
        _ => {}
    }
}

fn aim(bounds: Bounds, stream: &mut Stream) -> Target {
    match stream.below(4) {
        0 => Target::Primary,
        1 => Target::Random,
        _ => Target::Node(NodeId(stream.below(bounds.nodes.into()) as u16)),
    }
}

/// A strike that any scenario can bear: a crash, a pause, a node cut off, messages held.
fn fresh(bounds: Bounds, stream: &mut Stream) -> Strike {
    let at = Time(within(bounds, stream.range(1, bounds.end.0.max(1))));
    let target = aim(bounds, stream);
    let lasts = Duration(log_uniform(stream, 4 * MILLISECOND, 2_048 * MILLISECOND));
    let one = |action| vec![PlannedFault { at, action }];
    match stream.below(4) {
        0 => one(FaultAction::Crash {
            target,
            restart_after: Some(lasts),
        }),
        1 => one(FaultAction::Pause {
            target,
            resume_after: Some(lasts),
        }),
        2 => {
            let action = FaultAction::Isolate {
                id: CutId(0),
                target,
                one_way: one_way(stream),
                with_clients: stream.below(2) == 0,
                keeps: stream.below(2) as u16,
            };
            let (at, mend) = (at + lasts, FaultAction::Mend { id: CutId(0) });
            one(action)
                .into_iter()
                .chain([PlannedFault { at, action: mend }])
                .collect()
        }
        _ => held(bounds, stream),
    }
}

fn one_way(stream: &mut Stream) -> OneWay {
    *stream
        .pick(&[OneWay::None, OneWay::In, OneWay::Out])
        .expect("there are three")
}

/// Some messages of a node, all or those of one kind, come later than others.
pub fn held(bounds: Bounds, stream: &mut Stream) -> Strike {
    let at = Time(within(bounds, stream.range(1, bounds.end.0.max(1))));
    let kind = stream.pick(bounds.message_kinds).filter(|_| stream.below(4) > 0);
    let kind = kind.map(|kind| (*kind).to_owned());
    let action = FaultAction::HoldAround {
        id: CutId(0),
        target: aim(bounds, stream),
        one_way: one_way(stream),
        with_clients: false,
        chosen: Held {
            kind,
            skip: 0,
            count: Some(1 << stream.below(5)),
            reversed: stream.below(4) == 0,
        },
    };
    let until = at + Duration(log_uniform(stream, 4 * MILLISECOND, 2_048 * MILLISECOND));
    let release = FaultAction::Release { id: CutId(0) };
    vec![
        PlannedFault { at, action },
        PlannedFault {
            at: until,
            action: release,
        },
    ]
}
