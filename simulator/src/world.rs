//! The world: takes the earliest event, hands it to its process or client, and says what happened.
//!
//! Owns the processes, the clients and the loop. How faults are applied is in `faults`, what can be seen from outside
//! in `view`, and what effects turn into in `kernel`.

mod faults;
mod fork;
mod storage;
mod view;

use crate::client::{ClientContext, ClientOf, NoClient};
use crate::config::{ConfigError, WorldConfig};
use crate::decision::Topic;
use crate::digest::Entry;
use crate::disk::DiskImage;
use crate::event::{Event, Job, NOBODY, Parcel, Transit, party};
use crate::exposure::FaultClass;
use crate::fault::PlannedFault;
use crate::id::{ClientId, Endpoint, NodeId};
use crate::kernel::Kernel;
use crate::network::{DropReason, Mark};
use crate::process::{Context, KernelOf, Payload, Process};
use crate::step::{Halt, Step, StepKind};
use crate::time::Time;
use crate::trace::{Recorder, TraceSink};
use serde::Serialize;
use serde_json::json;

/// Instants with more events than this have a process in them that goes round in circles.
const EVENTS_PER_INSTANT: u64 = 1 << 24;

struct Host<P: Process> {
    config: P::Config,
    /// None while crashed.
    process: Option<P>,
}

type JobOf<P> = Job<<P as Process>::Message, <P as Process>::Request, <P as Process>::Response>;
type EventOf<P> = Event<<P as Process>::Message, <P as Process>::Request, <P as Process>::Response>;
type TransitOf<P> = Transit<<P as Process>::Message, <P as Process>::Request, <P as Process>::Response>;

/// A simulated world of nodes that run `P`. See the crate's documentation for a complete example.
///
/// A clone goes on exactly as the original would; only the recorded trace stays behind.
pub struct World<P: Process, C: ClientOf<P> = NoClient<<P as Process>::Request, <P as Process>::Response>> {
    kernel: KernelOf<P>,
    hosts: Vec<Host<P>>,
    clients: Vec<C>,
    plan: Vec<PlannedFault>,
    /// Whether faults of the plan still fire; healing ends them.
    plan_stands: bool,
    /// Of each planned fault, whether it struck.
    struck: Vec<bool>,
    max_down: u16,
    steps: u64,
    /// How many events were taken since time last moved.
    in_this_instant: u64,
}

impl<P: Process + Clone, C: ClientOf<P> + Clone> Clone for World<P, C> {
    fn clone(&self) -> Self {
        self.copied(&|process| Some(process.clone()))
            .expect("every process can be cloned")
    }
}

impl<P: Process, C: ClientOf<P>> World<P, C> {
    /// Makes a world of one node for each configuration in `nodes`, boots all of them, in order, and starts all clients.
    ///
    /// # Panics
    ///
    /// When [`WorldConfig::check`] refuses the configuration; call that, or [`World::try_new`], on what a user wrote.
    pub fn new(config: WorldConfig, nodes: Vec<P::Config>, clients: Vec<C>) -> Self {
        match Self::try_new(config, nodes, clients) {
            Ok(world) => world,
            Err(error) => panic!("world: {error}"),
        }
    }

    /// As [`World::new`], with an error for a configuration that makes no world.
    ///
    /// # Errors
    ///
    /// What [`WorldConfig::check`] says.
    pub fn try_new(config: WorldConfig, nodes: Vec<P::Config>, clients: Vec<C>) -> Result<Self, ConfigError> {
        let recorder = Recorder::new(config.trace, config.max_trace);
        Self::with_recorder(config, nodes, clients, recorder)
    }

    /// As [`World::try_new`], with a trace that goes to a sink from the first boot on, while it comes about. What
    /// [`WorldConfig`] says of traces is not looked at.
    ///
    /// # Errors
    ///
    /// What [`WorldConfig::check`] says.
    pub fn recorded(
        config: WorldConfig,
        nodes: Vec<P::Config>,
        clients: Vec<C>,
        sink: Box<dyn TraceSink>,
    ) -> Result<Self, ConfigError> {
        Self::with_recorder(config, nodes, clients, Recorder::to(sink))
    }

    fn with_recorder(
        config: WorldConfig,
        nodes: Vec<P::Config>,
        clients: Vec<C>,
        recorder: Recorder,
    ) -> Result<Self, ConfigError> {
        config.check(nodes.len(), clients.len())?;
        let mut kernel = Kernel::new(&config, nodes.len() as u16, clients.len() as u16, recorder);
        for (index, fault) in config.plan.iter().enumerate() {
            kernel.schedule(fault.at, Event::Planned { index: index as u32 });
        }
        let hosts = nodes.into_iter().map(|config| Host { config, process: None }).collect();
        let mut world = Self {
            kernel,
            hosts,
            clients,
            struck: vec![false; config.plan.len()],
            plan: config.plan,
            plan_stands: true,
            max_down: config.max_down,
            steps: 0,
            in_this_instant: 0,
        };
        for node in world.nodes() {
            world.boot(node, "boot", None);
        }
        for (index, client) in world.clients.iter_mut().enumerate() {
            let id = ClientId(index as u16);
            client.on_start(&mut ClientContext::new(&mut world.kernel, id));
        }
        Ok(world)
    }

    /// Handles one event; `None` when there is none left, or the world has halted.
    pub fn step(&mut self) -> Option<Step> {
        self.step_until(Time::MAX)
    }

    /// Handles one event if one is due at `until` or before. When none is, time moves on to `until` (if that is not
    /// [`Time::MAX`]) and there is no step.
    pub fn step_until(&mut self, until: Time) -> Option<Step> {
        while self.kernel.halt.is_none() {
            if let Some(blown) = self.kernel.blown.take() {
                self.steps += 1;
                return Some(self.cut_power(blown));
            }
            if self.kernel.queue.next_time().is_none_or(|time| time > until) {
                if until != Time::MAX && until > self.kernel.now {
                    self.kernel.now = until;
                    self.in_this_instant = 0;
                }
                return None;
            }
            let due = self.kernel.queue.pop()?;
            self.enter(due.time, due.ticket);
            let step = self.take(due.event);
            self.kernel.current = 0;
            if step.is_some() {
                self.steps += 1;
                return step;
            }
        }
        None
    }

    /// Handles all events that are due at `until` or before, and moves time on to `until`. Gives the number of steps.
    pub fn run_until(&mut self, until: Time) -> u64 {
        let before = self.steps;
        while self.step_until(until).is_some() {}
        self.steps - before
    }

    // --- the loop ---

    /// Moves time on to an event.
    #[inline]
    fn enter(&mut self, time: Time, ticket: u64) {
        let kernel = &mut self.kernel;
        debug_assert!(
            time >= kernel.now,
            "world: an event of {time} comes up at {}",
            kernel.now
        );
        if time > kernel.now {
            self.in_this_instant = 0;
        }
        self.in_this_instant += 1;
        if self.in_this_instant > EVENTS_PER_INSTANT {
            kernel.halt = Some(Halt::Livelock {
                at: time,
                events: self.in_this_instant,
            });
        }
        kernel.now = time;
        kernel.ticket = ticket;
    }

    /// Takes an event that left the queue; no step when it turns out to be void or has to wait.
    #[inline]
    fn take(&mut self, event: EventOf<P>) -> Option<Step> {
        match event {
            Event::Arrival(transit) => self.take_arrival(transit),
            Event::Timer { node, generation } => self.admit(node, Job::Timer { generation }),
            Event::SyncDone { node, incarnation } => {
                let current = self.kernel.nodes[node.index()].incarnation == incarnation;
                current.then(|| self.take_sync_done(node)).flatten()
            }
            Event::ClientTimer { client, generation } => self.handle_client_timer(client, generation),
            Event::Drain { node } => self.drain(node),
            Event::Planned { index } => self.take_planned(index),
            Event::LoopCrash { node, incarnation } => self.take_loop_crash(node, incarnation),
            Event::Thaw { node, freezes, leap } => self.take_thaw(node, freezes, leap),
            Event::Worked {
                node,
                incarnation,
                token,
                cause,
            } => {
                let current = self.kernel.nodes[node.index()].incarnation == incarnation;
                current
                    .then(|| self.admit(node, Job::Worked { token, cause }))
                    .flatten()
            }
            Event::DiskFreed { node, stalls } => self.take_disk_freed(node, stalls),
            Event::Exit {
                node,
                incarnation,
                restart_after,
            } => self.take_exit(node, incarnation, restart_after),
            Event::Revival { node, incarnation } => self.take_revival(node, incarnation),
            Event::Wakeup { node, pauses } => self.take_wakeup(node, pauses),
        }
    }

    #[inline]
    fn take_arrival(&mut self, transit: TransitOf<P>) -> Option<Step> {
        let (from, to) = transit.parcel.ends();
        let Kernel { network, exposure, .. } = &mut self.kernel;
        if let Some(reason) = network.arrive(from, to, transit.order, transit.mark, exposure) {
            return Some(self.drop_transit(&transit, reason));
        }
        let mut transit = transit;
        if !self.kernel.holds.is_empty() {
            match self.kernel.try_hold(transit) {
                Ok(()) => return None,
                Err(passes) => transit = passes,
            }
        }
        if transit.mark == Mark::Damaged {
            match self.kernel.read_damaged(transit) {
                Ok(read) => transit = read,
                Err(refused) => return Some(self.drop_transit(&refused, DropReason::Corrupt)),
            }
        }
        match to {
            Endpoint::Node(node) if !self.kernel.nodes[node.index()].up => {
                Some(self.drop_transit(&transit, DropReason::Crash))
            }
            Endpoint::Node(node) => self.admit(node, Job::Parcel(transit)),
            Endpoint::Client(_) => Some(self.handle_parcel(transit)),
        }
    }

    #[cold]
    fn drop_transit(&mut self, transit: &TransitOf<P>, reason: DropReason) -> Step {
        let (from, to) = transit.parcel.ends();
        let seq = self.kernel.drop_parcel(&transit.parcel, transit.cause, reason);
        self.step_at(seq, to.node(), StepKind::Dropped { from, to, reason })
    }

    /// Handles an event of a node, or lets it wait if the node is paused or still catching up.
    #[inline]
    fn admit(&mut self, node: NodeId, job: JobOf<P>) -> Option<Step> {
        let state = &mut self.kernel.nodes[node.index()];
        if state.paused || !state.waiting.is_empty() {
            state.waiting.push_back(job);
            self.kernel.exposure.add(FaultClass::Pause);
            return None;
        }
        self.handle(node, job)
    }

    /// Handles the first of the events that waited for a node, and comes back for the next.
    fn drain(&mut self, node: NodeId) -> Option<Step> {
        let state = &mut self.kernel.nodes[node.index()];
        if state.paused {
            return None;
        }
        let job = state.waiting.pop_front()?;
        if !state.waiting.is_empty() {
            self.kernel.schedule(self.kernel.now, Event::Drain { node });
        }
        self.handle(node, job)
    }

    #[inline]
    fn handle(&mut self, node: NodeId, job: JobOf<P>) -> Option<Step> {
        match job {
            Job::Parcel(transit) => Some(self.handle_parcel(transit)),
            Job::Timer { generation } => self.handle_timer(node, generation),
            Job::Synced { token, error, cause } => Some(self.handle_synced(node, token, error, cause)),
            Job::Worked { token, cause } => Some(self.handle_worked(node, token, cause)),
        }
    }

    #[inline]
    fn handle_parcel(&mut self, transit: TransitOf<P>) -> Step {
        let Transit {
            parcel,
            cause,
            order,
            mark,
        } = transit;
        let (from, to) = parcel.ends();
        let kernel = &mut self.kernel;
        kernel.network.delivered(from, to, order, mark, &mut kernel.exposure);
        let (entry, kind) = match parcel {
            Parcel::Message { .. } => (Entry::Deliver, "deliver"),
            Parcel::Request { .. } => (Entry::Request, "request"),
            Parcel::Response { .. } => (Entry::Response, "response"),
        };
        let mut stamp = kernel
            .digester
            .entry(entry, kernel.now.0, kernel.ticket, party(to), party(from));
        match &parcel {
            Parcel::Message { message, .. } => message.stamp(&mut stamp),
            Parcel::Request { request, .. } => request.stamp(&mut stamp),
            Parcel::Response { response, .. } => response.stamp(&mut stamp),
        }
        let seq = self.begin(Some(to), kind, Some(cause), || parcel.fields().of_copy(mark.is_copy()));
        match parcel {
            Parcel::Message { from, to, message } => {
                self.with_process(to, |process, ctx| process.on_message(from, message, ctx));
                self.step_at(seq, Some(to), StepKind::Delivered { from })
            }
            Parcel::Request { from, to, request } => {
                self.with_process(to, |process, ctx| process.on_request(from, request, ctx));
                self.step_at(seq, Some(to), StepKind::Request { from })
            }
            Parcel::Response { from, to, response } => {
                let ctx = &mut ClientContext::new(&mut self.kernel, to);
                self.clients[to.index()].on_response(from, response, ctx);
                self.step_at(seq, None, StepKind::Response { from, client: to })
            }
        }
    }

    fn handle_timer(&mut self, node: NodeId, generation: u32) -> Option<Step> {
        let cause = self.kernel.fire_timer(node, generation)?;
        let kernel = &mut self.kernel;
        kernel
            .digester
            .entry(Entry::Timer, kernel.now.0, kernel.ticket, node.0, NOBODY);
        let local = kernel.local_now(node);
        let seq = self.begin(
            Some(node.into()),
            "timer",
            (cause > 0).then_some(cause),
            || json!({ "local": local }),
        );
        self.with_process(node, P::on_timer);
        Some(self.step_at(seq, Some(node), StepKind::Timer))
    }

    fn handle_worked(&mut self, node: NodeId, token: u64, cause: u64) -> Step {
        let kernel = &mut self.kernel;
        let (now, ticket) = (kernel.now.0, kernel.ticket);
        kernel
            .digester
            .entry(Entry::Worked, now, ticket, node.0, NOBODY)
            .u64(token);
        let seq = self.begin(Some(node.into()), "worked", Some(cause), || json!({ "token": token }));
        self.with_process(node, |process, ctx| process.on_worked(token, ctx));
        self.step_at(seq, Some(node), StepKind::Worked)
    }

    fn handle_client_timer(&mut self, client: ClientId, generation: u32) -> Option<Step> {
        let cause = self.kernel.fire_client_timer(client, generation)?;
        let kernel = &mut self.kernel;
        kernel
            .digester
            .entry(Entry::ClientTimer, kernel.now.0, kernel.ticket, client.0, NOBODY);
        let seq = self.begin(Some(client.into()), "timer", (cause > 0).then_some(cause), || ());
        self.clients[client.index()].on_timer(&mut ClientContext::new(&mut self.kernel, client));
        Some(self.step_at(seq, None, StepKind::ClientTimer { client }))
    }

    // --- shared by events and faults ---

    /// Numbers the event that is handled from now on, and records it.
    #[inline]
    fn begin<F: Serialize>(
        &mut self,
        at: Option<Endpoint>,
        kind: &'static str,
        cause: Option<u64>,
        fields: impl FnOnce() -> F,
    ) -> u64 {
        let kernel = &mut self.kernel;
        let seq = kernel.next_seq();
        kernel.trace.record(seq, kernel.now, at, kind, cause, fields);
        kernel.current = seq;
        seq
    }

    #[inline]
    fn step_at(&self, seq: u64, node: Option<NodeId>, kind: StepKind) -> Step {
        Step {
            time: self.kernel.now,
            seq,
            node,
            kind,
        }
    }

    #[inline]
    fn with_process(&mut self, node: NodeId, call: impl FnOnce(&mut P, &mut Context<'_, P>)) {
        let process = self.hosts[node.index()].process.as_mut();
        let process = process.expect("world: an event is handled by a process that is down");
        call(process, &mut Context::new(&mut self.kernel, node));
    }

    /// Starts the process of a node from its disk.
    fn boot(&mut self, node: NodeId, kind: &'static str, cause: Option<u64>) -> u64 {
        let state = &mut self.kernel.nodes[node.index()];
        assert!(!state.up, "world: {node} boots while it is up");
        state.up = true;
        state.boots = state.boots.saturating_add(1);
        if state.booted_version != state.version {
            state.booted_version = state.version;
            self.kernel.exposure.add(FaultClass::Upgrade);
        }
        let state = &mut self.kernel.nodes[node.index()];
        state.stream.about(Topic::Process, node);
        let image = state.disk.image();
        let bytes = image.len() - image.start();
        let (now, ticket) = (self.kernel.now.0, self.kernel.ticket);
        self.kernel
            .digester
            .entry(Entry::Boot, now, ticket, node.0, NOBODY)
            .u64(bytes);
        let seq = self.begin(Some(node.into()), kind, cause, || json!({ "bytes": bytes }));
        // The disk is lent to the process while it boots from it; it may write to it only after that.
        let host = &mut self.hosts[node.index()];
        let image = self.kernel.nodes[node.index()].disk.take_image();
        let process = P::boot(
            &host.config,
            &DiskImage::of(&image),
            &mut Context::new(&mut self.kernel, node),
        );
        self.kernel.nodes[node.index()].disk.put_image(image);
        host.process = Some(process);
        self.kernel.current = 0;
        seq
    }
}

#[cfg(test)]
mod tests;
