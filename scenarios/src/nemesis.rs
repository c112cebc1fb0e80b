//! From a scenario's faults and a seed to a plan: an explicit list of timed actions, which is data from then on.
//!
//! Each `[[fault]]` draws from a stream of its own, so that one more fault at the end of a file shifts none of the others.

use crate::scenario::{Direction, DurationRange, Fault, FaultKind, OffsetRange, Scenario, Split, Target, When};
use crate::setup::Draw;
use simulator::{
    ClientId, CutId, Duration, Endpoint, FaultAction, NodeId, OneWay, PlannedFault, Stream, Target as Aim, Time,
};

/// Draws the plan of one run: sorted by time, and within the time of the faults except for what ends them.
pub fn plan(scenario: &Scenario, draw: &Draw, seed: u64) -> Vec<PlannedFault> {
    let mut planner = Planner {
        draw,
        stream: Stream::new(seed, "drift", 0),
        plan: Vec::new(),
        next_cut: 0,
        rates: Vec::new(),
    };
    planner.start_clocks(scenario.clock.drift_max_ppm);
    for (number, fault) in scenario.faults.iter().enumerate() {
        planner.stream = Stream::new(seed, "nemesis", number as u64);
        planner.fault(fault, Time(scenario.time.chaos_ns));
    }
    planner.plan.sort_by_key(|planned| planned.at);
    planner.plan
}

struct Planner<'a> {
    draw: &'a Draw,
    stream: Stream,
    plan: Vec<PlannedFault>,
    next_cut: u32,
    /// The rate at which each node's clock drifts from the start, in parts per million.
    rates: Vec<i32>,
}

impl Planner<'_> {
    fn add(&mut self, at: Time, action: FaultAction) {
        self.plan.push(PlannedFault { at, action });
    }

    /// Every clock has a drift of its own from the start.
    fn start_clocks(&mut self, max_ppm: u32) {
        self.rates = (0..self.draw.all_nodes()).map(|_| self.drift(max_ppm)).collect();
        self.reset_rates(Time(0));
    }

    fn reset_rates(&mut self, at: Time) {
        for (node, ppm) in self.rates.clone().into_iter().enumerate().filter(|(_, ppm)| *ppm != 0) {
            self.add(
                at,
                FaultAction::ClockDrift {
                    target: Aim::Node(NodeId(node as u16)),
                    ppm,
                },
            );
        }
    }

    fn drift(&mut self, max_ppm: u32) -> i32 {
        let max = i64::from(max_ppm);
        i32::try_from(self.offset(-max, max)).expect("a drift is at most 10%")
    }

    /// A uniform number from `min` to `max`.
    fn offset(&mut self, min: i64, max: i64) -> i64 {
        min.wrapping_add_unsigned(self.stream.range(0, max.abs_diff(min)))
    }

    fn span(&mut self, range: DurationRange) -> Duration {
        Duration(self.stream.range(range.min_ns, range.max_ns))
    }

    /// The strikes of one fault.
    fn fault(&mut self, fault: &Fault, end: Time) {
        match fault.when {
            When::At { ns } => self.strike(Time(ns), &fault.kind, end),
            When::Every(pause) => {
                let mut at = Time(0) + self.span(pause);
                while at < end {
                    self.strike(at, &fault.kind, end);
                    at += self.span(pause);
                }
            }
        }
    }

    fn strike(&mut self, at: Time, kind: &FaultKind, end: Time) {
        match *kind {
            FaultKind::Partition { lasts, split, clients } => self.partition(at, lasts, split, clients),
            FaultKind::Isolate { target, lasts, clients } => {
                self.isolate(at, lasts, target, OneWay::None, clients);
            }
            FaultKind::OneWay {
                target,
                direction,
                lasts,
                clients,
            } => {
                let inwards = self.stream.below(2) == 0;
                let one_way = match direction {
                    Direction::Out => OneWay::Out,
                    Direction::Any if !inwards => OneWay::Out,
                    Direction::In | Direction::Any => OneWay::In,
                };
                self.isolate(at, lasts, target, one_way, clients);
            }
            FaultKind::Crash { target, lasts, .. } => {
                let restart_after = Some(self.span(lasts));
                self.add(
                    at,
                    FaultAction::Crash {
                        target: aim(target),
                        restart_after,
                    },
                );
            }
            FaultKind::Pause { target, lasts } => {
                let resume_after = Some(self.span(lasts));
                self.add(
                    at,
                    FaultAction::Pause {
                        target: aim(target),
                        resume_after,
                    },
                );
            }
            FaultKind::ClockStep {
                target,
                by: OffsetRange { min_ns, max_ns },
            } => {
                let by = self.offset(min_ns, max_ns);
                self.add(
                    at,
                    FaultAction::ClockStep {
                        target: aim(target),
                        by,
                    },
                );
            }
            FaultKind::ClockDrift {
                target,
                drift_max_ppm,
                lasts,
            } => {
                let ppm = self.drift(drift_max_ppm);
                self.add(
                    at,
                    FaultAction::ClockDrift {
                        target: aim(target),
                        ppm,
                    },
                );
                let until = at + self.span(lasts);
                self.take_drift_back(until);
            }
            FaultKind::RollingRestart { lasts, gap } => self.rolling_restart(at, lasts, gap, end),
            FaultKind::PowerLoss { lasts } => {
                for node in 0..self.draw.all_nodes() {
                    let restart_after = Some(self.span(lasts));
                    self.add(
                        at,
                        FaultAction::Crash {
                            target: Aim::Node(NodeId(node)),
                            restart_after,
                        },
                    );
                }
            }
        }
    }

    /// Who was struck is known only then, so every clock gets its own rate back.
    fn take_drift_back(&mut self, at: Time) {
        for (node, ppm) in self.rates.clone().into_iter().enumerate() {
            self.add(
                at,
                FaultAction::ClockDrift {
                    target: Aim::Node(NodeId(node as u16)),
                    ppm,
                },
            );
        }
    }

    fn partition(&mut self, at: Time, lasts: DurationRange, split: Split, clients: bool) {
        let nodes = self.draw.all_nodes();
        if nodes < 2 {
            return;
        }
        let mut order: Vec<u16> = (0..nodes).collect();
        self.stream.shuffle(&mut order);
        let size = match split {
            Split::Even => nodes / 2,
            Split::Random => self.stream.range(1, u64::from(nodes) - 1) as u16,
        };
        let (one, other) = order.split_at(usize::from(size));
        let endpoints = |ids: &[u16]| ids.iter().map(|id| Endpoint::Node(NodeId(*id))).collect::<Vec<_>>();
        let (mut from, mut to) = (endpoints(one), endpoints(other));
        for client in (0..self.draw.clients).filter(|_| clients) {
            let side = if self.stream.below(2) == 0 { &mut from } else { &mut to };
            side.push(Endpoint::Client(ClientId(client)));
        }
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::Cut {
                id,
                from,
                to,
                one_way: false,
            },
        );
        self.mend(at, lasts, id);
    }

    fn isolate(&mut self, at: Time, lasts: DurationRange, target: Target, one_way: OneWay, with_clients: bool) {
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::Isolate {
                id,
                target: aim(target),
                one_way,
                with_clients,
            },
        );
        self.mend(at, lasts, id);
    }

    fn mend(&mut self, at: Time, lasts: DurationRange, id: CutId) {
        let until = at + self.span(lasts);
        self.add(until, FaultAction::Mend { id });
    }

    fn rolling_restart(&mut self, at: Time, lasts: DurationRange, gap: DurationRange, end: Time) {
        let mut at = at;
        for node in (0..self.draw.all_nodes()).map(NodeId) {
            let down = self.span(lasts);
            if at < end {
                self.add(
                    at,
                    FaultAction::Crash {
                        target: Aim::Node(node),
                        restart_after: Some(down),
                    },
                );
            }
            at += down;
            at += self.span(gap);
        }
    }

    fn cut_id(&mut self) -> CutId {
        self.next_cut += 1;
        CutId(self.next_cut)
    }
}

fn aim(target: Target) -> Aim {
    match target {
        Target::Leader => Aim::Primary,
        Target::Backup => Aim::RandomBackup,
        Target::Any => Aim::Random,
        Target::Node(node) => Aim::Node(NodeId(u16::try_from(node).expect("bounded by the scenario format"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn plan_of(faults: &str, seed: u64) -> Vec<PlannedFault> {
        let text = format!("schema = \"squall-scenario/1\"\nname = \"test\"\n[cluster]\nnodes = 5\n{faults}");
        let scenario = scenario::parse("test", &text, &[], &crate::known()).unwrap_or_else(|error| panic!("{error}"));
        plan(&scenario, &Draw::new(&scenario, seed), seed)
    }

    const ISOLATE: &str = "[[fault]]\nkind = \"isolate\"\nevery = \"1s..3s\"\nfor = \"200ms..900ms\"\n";
    const CRASH: &str = "[[fault]]\nkind = \"crash\"\nevery = \"1s..2s\"\nfor = \"1s\"\n";

    #[test]
    fn a_plan_is_sorted_and_a_function_of_the_seed() {
        let both = format!("{ISOLATE}{CRASH}");
        let plan = plan_of(&both, 7);
        assert!(plan.is_sorted_by_key(|planned| planned.at));
        assert_eq!(plan, plan_of(&both, 7));
        assert_ne!(plan, plan_of(&both, 8));
    }

    #[test]
    fn every_cut_is_mended_later() {
        let partition = "[[fault]]\nkind = \"partition\"\nevery = \"1s..3s\"\nfor = \"200ms..900ms\"\nclients = true\n";
        let plan = plan_of(&format!("{ISOLATE}{partition}"), 3);
        let cut = |planned: &PlannedFault| match planned.action {
            FaultAction::Cut { id, .. } | FaultAction::Isolate { id, .. } => Some((id, planned.at)),
            _ => None,
        };
        let cuts: Vec<_> = plan.iter().filter_map(cut).collect();
        assert!(cuts.len() > 10, "{}", cuts.len());
        for (id, at) in cuts {
            let mends = plan
                .iter()
                .filter(|planned| planned.action == FaultAction::Mend { id } && planned.at > at);
            assert_eq!(mends.count(), 1, "cut {id:?}");
        }
    }

    #[test]
    fn a_fault_at_the_end_of_a_file_shifts_none_before_it() {
        let crashes = |plan: Vec<PlannedFault>| {
            let is_crash = |planned: &PlannedFault| matches!(planned.action, FaultAction::Crash { .. });
            plan.into_iter().filter(is_crash).collect::<Vec<_>>()
        };
        assert_eq!(
            crashes(plan_of(CRASH, 5)),
            crashes(plan_of(&format!("{CRASH}{ISOLATE}"), 5))
        );
    }

    #[test]
    fn a_drift_is_taken_back_to_what_each_clock_had() {
        let drift = "[clock]\ndrift = \"100ppm\"\n[[fault]]\nkind = \"clock-drift\"\nat = \"5s\"\nfor = \"1s\"\ndrift = \"5%\"\n";
        let rates = |plan: &[PlannedFault], at: Time| {
            let rate = |planned: &PlannedFault| match planned.action {
                FaultAction::ClockDrift {
                    target: Aim::Node(node),
                    ppm,
                } if planned.at == at => Some((node, ppm)),
                _ => None,
            };
            plan.iter().filter_map(rate).collect::<Vec<_>>()
        };
        let plan = plan_of(drift, 2);
        let start = rates(&plan, Time(0));
        assert!(!start.is_empty() && start.iter().all(|(_, ppm)| ppm.abs() <= 100));
        let after = rates(&plan, Time(6_000_000_000));
        assert!(start.iter().all(|rate| after.contains(rate)), "{after:?}");
    }
}
