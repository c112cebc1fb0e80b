//! Faults that wait for a situation: when one is reached, they strike as a planned fault of that moment would.
//!
//! Owns which strikes are due when. Noticing situations is for the watcher, applying strikes for whoever drives the run. Each
//! trigger draws from a stream of its own.

use super::{Origin, Planner};
use crate::course;
use crate::draw::Draw;
use crate::scenario::{Fault, FaultKind, Scenario, Target, Trigger, When};
use crate::situations::{Situation, Watcher};
use simulator::{FaultAction, Ratio, Stream, Time};
use std::collections::BTreeMap;

/// Cuts of triggered faults are named from here on, out of the way of planned ones.
const FIRST_CUT: u32 = 1 << 24;

/// Something that is done to the world because of a situation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Strike {
    /// What.
    pub action: FaultAction,
    /// The number of its `[[fault]]` in the scenario.
    pub fault: usize,
    /// The same, where it is a strike and not the end of one.
    pub origin: Option<Origin>,
    /// The situation that brought it about; none if its time was known beforehand.
    pub situation: Option<Situation>,
    /// How many events of its instant come before it.
    pub after: u64,
}

/// All faults of a run that wait for situations, and what is still to come of them.
#[derive(Clone)]
pub struct Triggers<'a> {
    planner: Planner<'a>,
    armed: Vec<Armed>,
    end: Time,
    /// By time, and in the order in which they were drawn.
    coming: BTreeMap<(Time, u64), Strike>,
    drawn: u64,
}

#[derive(Clone)]
struct Armed {
    fault: usize,
    situation: Situation,
    trigger: Trigger,
    kind: FaultKind,
    /// How often it may strike yet.
    left: u32,
    stream: Stream,
}

impl<'a> Triggers<'a> {
    /// Of one run. The watcher is told which situations are waited for.
    pub fn new(scenario: &Scenario, draw: &'a Draw, seed: u64, watcher: &mut Watcher) -> Self {
        let mut planner = Planner::new(scenario, draw, seed);
        planner.plan.clear();
        planner.next_cut = FIRST_CUT;
        let armed = |(fault, of): (usize, &Fault)| {
            let When::Reached(trigger) = of.when else { return None };
            Some(Armed {
                fault,
                situation: Situation::from_name(trigger.situation)?,
                trigger,
                kind: of.kind,
                left: trigger.limit,
                stream: Stream::new(seed, "trigger", fault as u64),
            })
        };
        let armed: Vec<Armed> = scenario.faults.iter().enumerate().filter_map(armed).collect();
        armed.iter().for_each(|armed| watcher.want(armed.situation));
        Self {
            planner,
            armed,
            end: Time(scenario.time.chaos_ns),
            coming: BTreeMap::new(),
            drawn: 0,
        }
    }

    /// Nothing strikes from now on.
    pub fn disarm(&mut self) {
        self.armed.clear();
    }

    /// Of a run in which these strike.
    pub fn given<'b>(scenario: &Scenario, draw: &'a Draw, strikes: impl Iterator<Item = &'b course::Strike>) -> Self {
        let strike = |(number, given): (usize, &course::Strike)| {
            let strike = Strike {
                action: given.action.clone(),
                fault: number,
                origin: None,
                situation: None,
                after: given.after,
            };
            ((given.at, number as u64), strike)
        };
        Self {
            planner: Planner::new(scenario, draw, 0),
            armed: Vec::new(),
            end: Time(scenario.time.chaos_ns),
            coming: strikes.enumerate().map(strike).collect(),
            drawn: 0,
        }
    }

    /// A situation was reached, on this node if it was on one.
    pub fn reached(&mut self, now: Time, situation: Situation, node: Option<u32>) {
        for armed in self.armed.iter_mut().filter(|armed| armed.situation == situation) {
            let often = Ratio::from_ppm(armed.trigger.probability_ppm);
            if armed.left == 0 || !armed.stream.chance(often) {
                continue;
            }
            armed.left -= 1;
            let at = now + {
                let after = armed.trigger.after;
                simulator::Duration(armed.stream.range(after.min_ns, after.max_ns))
            };
            let kind = match (armed.kind.target(), node) {
                (Some(Target::Observed), Some(node)) => armed.kind.aimed(Target::Node(node)),
                _ => armed.kind,
            };
            std::mem::swap(&mut self.planner.stream, &mut armed.stream);
            self.planner.origin = Some(armed.fault);
            self.planner.strike(at, &kind, self.end);
            std::mem::swap(&mut self.planner.stream, &mut armed.stream);
            for (planned, origin) in self.planner.plan.drain(..) {
                let strike = Strike {
                    action: planned.action,
                    fault: armed.fault,
                    origin,
                    situation: Some(situation),
                    after: 0,
                };
                self.coming.insert((planned.at, self.drawn), strike);
                self.drawn += 1;
            }
        }
    }

    /// When the next strike is due.
    pub fn next(&self) -> Option<Time> {
        self.coming.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next strike, if it is due by now, after so many events of this instant.
    pub fn due(&mut self, now: Time, events: u64) -> Option<Strike> {
        let ((at, _), strike) = self.coming.first_key_value()?;
        let is_due = *at < now || *at == now && strike.after <= events;
        is_due.then(|| self.coming.pop_first().map(|(_, strike)| strike))?
    }
}
