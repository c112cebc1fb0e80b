//! Applying faults: the one path of planned faults, of faults that the harness applies, and of their ends.
//!
//! Owns who is meant, what stands in the way, and the dispatch; what each domain's faults do is in the modules below.

mod clock;
mod disk;
mod life;
mod network;
mod process;

use super::World;
use crate::client::ClientOf;
use crate::decision::Topic;
use crate::digest::Entry;
use crate::event::{Event, NOBODY};
use crate::fault::{Applied, FaultAction, OneWay, PlannedFault, Target};
use crate::id::{Endpoint, NodeId};
use crate::latency::Latency;
use crate::network::{CutId, CutKind};
use crate::process::Process;
use crate::step::{SkipReason, Step, StepKind};
use serde_json::{Value, json};

impl<P: Process, C: ClientOf<P>> World<P, C> {
    /// Applies a fault now, on the same path that planned faults take, and says what came of it.
    ///
    /// # Panics
    ///
    /// When [`FaultAction::check`] refuses the action for this world.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an action is spent on the world that it is applied to"
    )]
    pub fn apply(&mut self, action: FaultAction) -> Step {
        let step = self.apply_action(&action, self.in_this_instant);
        self.kernel.current = 0;
        step
    }

    /// Ends all faults: cuts are mended; what was held is delivered; links are plain; loss, duplication, reordering, long tails
    /// and failures end, in the network and on the disks;
    /// paused nodes go on; clocks go, and stop drifting (what they are off by stays); work takes no time; planned faults, and those
    /// that wait for a disk operation, are dropped. Crashed nodes restart at this same instant: each as an event of its own, so that
    /// each makes a step. Those whose disks were taken away for ever stay down, and settings stay those of the latest version.
    pub fn heal(&mut self) {
        self.apply(FaultAction::Heal);
    }

    pub(super) fn take_planned(&mut self, index: u32) -> Option<Step> {
        if !self.plan_stands {
            return None;
        }
        let action = self.plan[index as usize].action.clone();
        let step = self.apply_action(&action, 0);
        self.struck[index as usize] = !matches!(step.kind, StepKind::Skipped { .. });
        Some(step)
    }

    fn apply_action(&mut self, action: &FaultAction, after: u64) -> Step {
        if let Err(error) = action.check(self.kernel.nodes.len() as u16, self.kernel.client_count()) {
            panic!("world: {error}");
        }
        let node = match action.target().map(|target| self.resolve(target)) {
            Some(None) => return self.skip(action, None, SkipReason::NoTarget),
            Some(Some(node)) => Some(node),
            None => None,
        };
        if let Some(reason) = self.hindrance(action, node) {
            return self.skip(action, node, reason);
        }
        if !matches!(action, FaultAction::Isolate { keeps: 1.., .. }) {
            let done = |node| action.clone().aimed(node);
            self.log(node.map_or_else(|| action.clone(), done), after);
        }
        let (now, ticket) = (self.kernel.now.0, self.kernel.ticket);
        let to = node.map_or(NOBODY, |node| node.0);
        action.stamp(&mut self.kernel.digester.entry(Entry::Fault, now, ticket, to, NOBODY));
        match (action, node) {
            (FaultAction::Cut { id, from, to, one_way }, _) => {
                let kind = CutKind {
                    one_way: *one_way,
                    around_primary: false,
                };
                self.cut(*id, from, to, kind, None, action)
            }
            (
                FaultAction::Isolate {
                    id,
                    one_way,
                    with_clients,
                    keeps,
                    ..
                },
                Some(node),
            ) => {
                let others = self.cut_off(node, *with_clients, *keeps);
                if *keeps > 0 {
                    self.log(drawn_cut(*id, node, &others, *one_way), after);
                }
                self.isolate(*id, node, &others, *one_way, action)
            }
            (FaultAction::Mend { id }, _) => {
                self.kernel.network.mend(*id);
                self.record(None, "mend", StepKind::Mended { id: *id }, || json!({ "id": id }))
            }
            (
                FaultAction::Hold {
                    id,
                    from,
                    to,
                    one_way,
                    chosen,
                },
                _,
            ) => {
                self.kernel.hold(*id, from, to, *one_way, chosen);
                self.record(None, "hold-links", StepKind::Held { id: *id }, || describe(action))
            }
            (
                FaultAction::HoldAround {
                    id,
                    one_way,
                    with_clients,
                    chosen,
                    ..
                },
                Some(node),
            ) => self.hold_around(*id, node, (*one_way, *with_clients), chosen, action),
            (FaultAction::Release { id }, _) => {
                self.kernel.release(*id);
                self.record(None, "release", StepKind::Released { id: *id }, || json!({ "id": id }))
            }
            (FaultAction::Replay { count }, _) => {
                let step = self.record(None, "replay-old", StepKind::NetworkChanged, || describe(action));
                self.kernel.replay(*count);
                step
            }
            (FaultAction::Crash { restart_after, .. }, Some(node)) => self.crash(node, *restart_after, action),
            (
                FaultAction::CrashAtDisk {
                    skip,
                    part,
                    restart_after,
                    ..
                },
                Some(node),
            ) => self.crash_at_disk(node, (*skip, *part), *restart_after, action),
            (FaultAction::CrashLoop { times, up, down, .. }, Some(node)) => {
                self.crash_loop(node, *times, (*up, *down), action)
            }
            (FaultAction::Wipe { after, retires, .. }, Some(node)) => {
                self.wipe(node, (!*retires).then_some(*after), action)
            }
            (
                FaultAction::Upgrade {
                    version, restart_after, ..
                },
                Some(node),
            ) => self.upgrade(node, *version, *restart_after, action),
            (FaultAction::Restart { node }, _) => self.restart(*node),
            (FaultAction::Pause { resume_after, .. }, Some(node)) => self.pause(node, *resume_after, action),
            (FaultAction::Resume { node }, _) => self.resume(*node),
            (FaultAction::ClockStep { by, .. }, Some(node)) => self.step_clock(node, *by, action),
            (FaultAction::ClockFreeze { lasts, leap, .. }, Some(node)) => {
                self.freeze_clock(node, *lasts, *leap, action)
            }
            (FaultAction::ClockDrift { ppm, .. }, Some(node)) => {
                self.kernel.change_clock(node, |clock, now| clock.set_drift(now, *ppm));
                self.record(Some(node), "clock", StepKind::ClockChanged, || describe(action))
            }
            (FaultAction::Network { config }, _) => {
                self.kernel.network.configure(*config);
                self.record(None, "network", StepKind::NetworkChanged, || describe(action))
            }
            (FaultAction::Disk { fault, .. }, Some(node)) => self.strike_disk(node, *fault, action),
            (FaultAction::Heal, _) => self.end_faults(),
            (_, None) => unreachable!("world: an aimed fault was applied without its target"),
        }
    }

    /// Writes down what is done now, where that is asked for.
    fn log(&mut self, action: FaultAction, after: u64) {
        let at = self.kernel.now;
        if let Some(applied) = &mut self.kernel.applied {
            let fault = PlannedFault { at, action };
            applied.push(Applied { fault, after });
        }
    }

    /// The node that a target means now.
    fn resolve(&mut self, target: Target) -> Option<NodeId> {
        if let Target::Node(node) = target {
            return Some(node);
        }
        let live = |world: &Self, node: NodeId| world.is_up(node) && !world.is_paused(node);
        let primary = |world: &Self, node: NodeId| world.process(node).is_some_and(P::is_primary);
        let all: Vec<NodeId> = self.nodes().filter(|node| live(self, *node)).collect();
        let (primaries, backups): (Vec<NodeId>, Vec<NodeId>) = all.iter().partition(|node| primary(self, **node));
        let candidates = match target {
            Target::Primary if !primaries.is_empty() => &primaries,
            Target::RandomBackup => &backups,
            _ => &all,
        };
        self.kernel.fault_stream.topic(Topic::Target);
        self.kernel.fault_stream.pick(candidates).copied()
    }

    /// Why an action can do nothing now, if it cannot.
    fn hindrance(&self, action: &FaultAction, node: Option<NodeId>) -> Option<SkipReason> {
        let pointless = match (action, node) {
            (FaultAction::Crash { .. } | FaultAction::CrashLoop { .. }, Some(node)) if !self.is_up(node) => true,
            (FaultAction::Wipe { .. }, Some(node)) if self.is_retired(node) => true,
            (FaultAction::Wipe { .. } | FaultAction::Upgrade { .. }, Some(node)) if !self.is_up(node) => false,
            (
                FaultAction::Crash { .. }
                | FaultAction::CrashAtDisk { .. }
                | FaultAction::CrashLoop { .. }
                | FaultAction::Wipe { .. }
                | FaultAction::Upgrade { .. },
                _,
            ) if self.down() >= usize::from(self.max_down) => {
                return Some(SkipReason::TooManyDown);
            }
            (FaultAction::ClockFreeze { .. }, Some(node)) => self.clock(node).is_frozen(),
            (FaultAction::Pause { .. }, Some(node)) => !self.is_up(node) || self.is_paused(node),
            (FaultAction::Restart { node }, _) => self.is_up(*node) || self.is_retired(*node),
            (FaultAction::Resume { node }, _) => !self.is_paused(*node),
            (FaultAction::Mend { id }, _) => !self.kernel.network.has_cut(*id),
            (FaultAction::Release { id }, _) => !self.kernel.has_hold(*id),
            (FaultAction::Replay { .. }, _) => !self.kernel.remembers(),
            _ => false,
        };
        pointless.then_some(SkipReason::AlreadySo)
    }

    /// How many nodes are down and may come back.
    fn down(&self) -> usize {
        self.nodes()
            .filter(|node| !self.is_up(*node) && !self.is_retired(*node))
            .count()
    }

    fn skip(&mut self, action: &FaultAction, node: Option<NodeId>, reason: SkipReason) -> Step {
        self.kernel.exposure.add_skipped();
        let (now, ticket) = (self.kernel.now.0, self.kernel.ticket);
        let to = node.map_or(NOBODY, |node| node.0);
        let mut stamp = self.kernel.digester.entry(Entry::Skip, now, ticket, to, NOBODY);
        stamp.u8(reason as u8);
        action.stamp(&mut stamp);
        self.record(
            node,
            "skip",
            StepKind::Skipped { reason },
            || json!({ "reason": reason.name(), "action": action }),
        )
    }

    fn end_faults(&mut self) -> Step {
        let step = self.record(None, "heal", StepKind::Healed, || Value::Null);
        self.plan_stands = false;
        self.kernel.network.heal();
        self.kernel.release_all();
        self.kernel.forget();
        self.mend_disks();
        self.kernel.take_fuses();
        self.kernel.work = Latency::default();
        for node in self.nodes() {
            self.kernel.nodes[node.index()].crash_loop = None;
            if self.clock(node).is_frozen() {
                self.kernel.change_clock(node, |clock, now| clock.thaw(now, false));
            }
            self.kernel.change_clock(node, |clock, now| clock.set_drift(now, 0));
            if self.is_paused(node) {
                self.resume(node);
            }
            if !self.is_up(node) && !self.is_retired(node) {
                let incarnation = self.kernel.nodes[node.index()].incarnation;
                self.kernel
                    .schedule(self.kernel.now, Event::Revival { node, incarnation });
            }
        }
        step
    }

    pub(in crate::world) fn fold(&mut self, entry: Entry, node: Option<NodeId>) {
        let (now, ticket) = (self.kernel.now.0, self.kernel.ticket);
        self.kernel
            .digester
            .entry(entry, now, ticket, node.map_or(NOBODY, |node| node.0), NOBODY);
    }

    /// Numbers and records what came of a fault.
    fn record(
        &mut self,
        node: Option<NodeId>,
        kind: &'static str,
        step: StepKind,
        fields: impl FnOnce() -> Value,
    ) -> Step {
        let seq = self.begin(node.map(Endpoint::from), kind, None, fields);
        self.step_at(seq, node, step)
    }
}

/// What cutting a node off from those that were drawn comes to.
fn drawn_cut(id: CutId, node: NodeId, others: &[Endpoint], one_way: OneWay) -> FaultAction {
    let (node, others) = (vec![Endpoint::Node(node)], others.to_vec());
    let (from, to) = match one_way {
        OneWay::In => (others, node),
        OneWay::None | OneWay::Out => (node, others),
    };
    let one_way = one_way != OneWay::None;
    FaultAction::Cut { id, from, to, one_way }
}

/// What was asked for, as fields of a trace event; `kind` becomes `action`.
pub(super) fn describe(action: &FaultAction) -> Value {
    let mut value = serde_json::to_value(action).unwrap_or(Value::Null);
    if let Some(kind) = value.as_object_mut().and_then(|fields| fields.remove("kind")) {
        value["action"] = kind;
    }
    value
}
