//! What the checkers get to see of each step, and what they say.

use super::judgement::Judgement;
use super::told::Told;
use super::{Checked, MUST_NOT_HAPPEN, Mark, Run};
use crate::situations::Links;
use crate::system::{Moment, System};
use crate::verdict::{Failure, FailureKind};
use crate::workloads::WorldOf;
use crate::workloads::client::Client;
use crate::workloads::history::{self, Seen};
use checker::properties::{At, Observation, Violation};
use simulator::trace::events::{Verdict, Violated};
use simulator::{ClientId, NodeId, Step, StepKind};

/// A node of which nothing is known but that it runs.
const UP: Observation<'static> = Observation::Booted {
    term: 0,
    voted_for: None,
    snapshot: 0,
    entries: &[],
};

impl<S: System> Run<'_, S> {
    /// Lets the checkers see what a step did.
    pub(super) fn stepped(&mut self, step: &Step) -> Checked {
        self.seen_by_checkers(step)?;
        self.own_properties_hold(Some(step))?;
        self.nothing_forbidden(step)
    }

    /// Whether the system's own properties hold after a step, or at the end.
    fn own_properties_hold(&mut self, step: Option<&Step>) -> Checked {
        if self.own_properties.is_empty() {
            return Ok(());
        }
        let moment = Moment::new(&self.world, step);
        for (name, property) in &mut self.own_properties {
            let judged = match step {
                Some(_) => property.judge(&moment),
                None => property.at_rest(&moment),
            };
            if let Err(broken) = judged {
                let nodes: Vec<u32> = broken.nodes.iter().map(|node| node.0.into()).collect();
                let failure = Failure::new(FailureKind::Safety, name, broken.rule, broken.message);
                return Err(Box::new(Failure {
                    event: Some(step.map_or_else(|| self.world.last_event(), |step| step.seq)),
                    time: Some(moment.now().0),
                    node: nodes.first().copied(),
                    nodes,
                    ..failure
                }));
            }
        }
        Ok(())
    }

    /// Whether the situations of `[expect] never` are still unreached.
    fn nothing_forbidden(&self, step: &Step) -> Checked {
        let Some((situation, node)) = self.watcher.broken() else {
            return Ok(());
        };
        let message = format!(
            "`{}` was reached ({}), which `[expect] never` rules out",
            situation.name(),
            situation.about()
        );
        Err(Box::new(Failure {
            event: Some(step.seq),
            time: Some(step.time.0),
            node,
            nodes: node.into_iter().collect(),
            ..Failure::new(FailureKind::Safety, MUST_NOT_HAPPEN, situation.name(), message)
        }))
    }

    fn seen_by_checkers(&mut self, step: &Step) -> Checked {
        if let Some(probe) = &mut self.probe.0 {
            (probe.0)(&self.world, step);
        }
        self.watcher.at(step.time.0);
        if self.mark_every > 0 && self.world.steps() / self.mark_every > self.marks.len() as u64 {
            self.mark(step);
        }
        if matches!(
            step.kind,
            StepKind::Cut { .. } | StepKind::Mended { .. } | StepKind::Healed
        ) {
            self.watcher.links(links::<S>(&self.world));
        }
        if let StepKind::Response { client, .. } | StepKind::ClientTimer { client } = step.kind {
            self.look_at(client);
            self.judge_clients(step)?;
        }
        self.within_limits(step)?;
        let Some(node) = step.node else { return Ok(()) };
        let at = At {
            event: step.seq,
            time: step.time.0,
        };
        if step.kind == StepKind::Restarted {
            self.judge_disk(at, node)?;
        }
        match step.kind {
            StepKind::Crashed => {
                self.watcher.observe(node.0.into(), &Observation::Crashed);
                let verdict = self.properties.observe(at, node.0.into(), &Observation::Crashed);
                return verdict.or_else(|violation| self.violated(&violation));
            }
            StepKind::Restarted => self.restarted(node),
            StepKind::Paused => self.watcher.paused(node.index()),
            StepKind::Resumed => self.watcher.resumed(node.index()),
            _ => {}
        }
        let verdict = self.observe(at, node);
        self.note_state();
        verdict
    }

    /// Breaks off a run that goes on for longer than it may.
    fn within_limits(&self, step: &Step) -> Checked {
        let timing = &self.scenario.time;
        let steps = self.world.steps();
        let (place, message) = if self.events_max > 0 && steps > self.events_max {
            (
                "events",
                format!("the run broke off after {} events, as it was told to", self.events_max),
            )
        } else if steps > timing.max_events.into() {
            (
                "events",
                format!("the run broke off after {steps} events: `time.max_events` allows no more"),
            )
        } else if step.time.0 > timing.max_time_ns {
            let longest = simulator::Duration(timing.max_time_ns);
            (
                "time",
                format!("the run broke off after {longest} of simulated time: `time.max_time` allows no more"),
            )
        } else {
            return Ok(());
        };
        Err(Box::new(Failure::new(FailureKind::Inconclusive, "run", place, message)))
    }

    /// A node runs again. Where nothing else is observed of it, that is all that the situations go by.
    fn restarted(&mut self, node: NodeId) {
        if !self.observes {
            self.watcher.observe(node.0.into(), &UP);
        }
    }

    /// Notes the cluster's abstract state, if somebody wants it and something was observed.
    fn note_state(&mut self) {
        let Some(states) = &mut self.states else { return };
        if std::mem::take(&mut self.has_changed) {
            let kinds = self.scenario.known.message_kinds;
            let kind_bit = |kind| {
                kinds
                    .iter()
                    .position(|known| *known == kind)
                    .map_or(0, |place| 1 << place)
            };
            let under_way = self.world.kinds_under_way().fold(0, |set, kind| set | kind_bit(kind));
            states.push(self.watcher.abstraction(under_way));
        }
    }

    /// Lets the online check see what a client did.
    fn look_at(&mut self, client: ClientId) {
        if let (Some(online), Some(kv)) = (&mut self.online.0, self.world.client(client).client()) {
            online.look(client.0, kv);
        }
    }

    /// Asks the whole check, once the log's order does not explain what clients were told.
    fn judge_clients(&mut self, step: &Step) -> Checked {
        let Some(online) = self.online.0.take_if(|online| online.is_broken()) else {
            return Ok(());
        };
        let seen = self.seen();
        let judgement = Judgement::of(self.scenario.workload.model, &seen);
        match judgement.failure() {
            None => self.online.0 = online.without_order(),
            Some(failure) if failure.kind == FailureKind::Safety => {
                judgement.tell(&mut self.world);
                let (event, time) = (failure.event.or(Some(step.seq)), failure.time.or(Some(step.time.0)));
                return Err(Box::new(Failure { event, time, ..failure }));
            }
            // Too hard for now; the end of the run decides.
            Some(_) => {}
        }
        Ok(())
    }

    #[cold]
    fn mark(&mut self, step: &Step) {
        let [first, second, ..] = self.world.digest().0;
        self.marks.push(Mark {
            seq: step.seq,
            digest: u16::from_be_bytes([first, second]),
        });
    }

    /// Tells the properties before a node's boot is judged that its disk has not kept its promises since the last one.
    fn judge_disk(&mut self, at: At, node: NodeId) -> Checked {
        let broken = self.world.broken_promises(node);
        let before = std::mem::replace(&mut self.broken_promises[node.index()], broken);
        if broken == before {
            return Ok(());
        }
        let verdict = self.properties.observe(at, node.0.into(), &Observation::Damaged);
        verdict.or_else(|violation| self.violated(&violation))
    }

    fn observe(&mut self, at: At, node: NodeId) -> Checked {
        let clock = *self.world.clock(node);
        let Some(process) = self.world.process_mut(node) else {
            return Ok(());
        };
        let mut told = Told {
            at,
            node: node.0.into(),
            clock: &clock,
            properties: &mut self.properties,
            watcher: &mut self.watcher,
            effects: &mut self.effects,
            online: self.online.0.as_mut(),
            has_changed: &mut self.has_changed,
        };
        let verdict = self.system.observe(process, &mut told);
        let properties = &mut self.properties;
        let verdict = verdict.and_then(|()| properties.event_over());
        verdict.or_else(|violation| self.violated(&violation))
    }

    #[cold]
    fn violated(&self, violation: &Violation) -> Checked {
        let operations = violation.commands.iter().filter_map(|command| self.call_of(*command));
        Err(Box::new(Failure {
            operations: operations.collect(),
            ..Failure::from(violation)
        }))
    }

    /// The number of the event at which a command of a session was called.
    fn call_of(&self, command: (u32, u64)) -> Option<u64> {
        let client = ClientId(u16::try_from(command.0).ok()?);
        let client = self.world.clients().find(|other| *other == client)?;
        let mut recorded = self.world.client(client).client()?.history();
        recorded.find(|one| one.command == command).map(|one| one.event)
    }

    /// Tells in the trace why the run did not pass: which event was judged and whom it is about, or that it is no event's doing.
    pub(super) fn tell(&mut self, failure: &Failure) {
        let Failure {
            property,
            message,
            details,
            node,
            ..
        } = failure;
        let (property, message) = (property.clone(), message.clone());
        let Some(event) = failure.event else {
            let details = details.clone();
            let verdict = || Verdict {
                property,
                message,
                details,
            };
            self.world.tell(None, None, verdict);
            return;
        };
        let at = node.and_then(|node| u16::try_from(node).ok());
        let violated = || Violated {
            property,
            rule: failure.rule().to_owned(),
            message,
            event,
            at: failure.time.unwrap_or_default(),
            nodes: failure.nodes.iter().map(|node| u64::from(*node)).collect(),
            entries: failure.entries.clone(),
            operations: failure.operations.clone(),
        };
        self.world
            .tell(at.map(|node| NodeId(node).into()), Some(event), violated);
    }

    pub(super) fn observe_all(&mut self) -> Checked {
        let at = At {
            event: self.world.last_event(),
            time: self.world.now().0,
        };
        self.world.nodes().try_for_each(|node| self.observe(at, node))
    }

    pub(super) fn at_rest(&mut self) -> Checked {
        let at = At {
            event: self.world.last_event(),
            time: self.world.now().0,
        };
        let verdict = self.properties.at_rest(at);
        verdict.or_else(|violation| self.violated(&violation))?;
        self.own_properties_hold(None)
    }

    /// A damaged frame that its receiver took for a sound one.
    pub(super) fn undetected_damage(&self) -> Option<Box<Failure>> {
        let count = self.world.exposure().undetected();
        (count > 0).then(|| {
            let message = format!("{count} damaged frames were decoded as if they were sound");
            Box::new(Failure::new(FailureKind::Safety, "wire", "undetected-damage", message))
        })
    }

    /// What all clients saw.
    pub(super) fn seen(&self) -> Seen {
        let clients = self
            .world
            .clients()
            .filter_map(|client| self.world.client(client).client());
        history::history(clients.flat_map(Client::history).collect(), &self.effects)
    }
}

/// Which links between nodes are cut.
pub(super) fn links<S: System>(world: &WorldOf<S>) -> Links {
    let node = |index: usize| NodeId(index as u16);
    Links::new(world.nodes().count(), |from, to| world.is_cut(node(from), node(to)))
}
