//! The kernel of a world: everything but the processes and the clients themselves.
//!
//! Owns virtual time, the queue, and the state of nodes and clients that is not theirs to touch: clocks, timers, disks,
//! streams. Turns the effects of processes and clients into future events, each with the number of the event that caused it.
//! Sending is in `network`, writing in `disk`; taking events out and handing them on is in [`crate::world`].

mod disk;
mod fuse;
mod hold;
mod memory;
mod network;
mod streams;
mod work;

use crate::clock::Clock;
use crate::config::WorldConfig;
use crate::decision::{Chance, Decisions, Topic, Whom};
use crate::digest::Digester;
use crate::disk::{Disk, DiskConfig};
use crate::event::{Event, Job};
use crate::exposure::{Exposure, FaultClass};
use crate::fault::Applied;
use crate::id::{ClientId, Endpoint, NodeId, NodeIds};
use crate::latency::Latency;
use crate::network::Network;
use crate::process::Payload;
use crate::queue::Queue;
use crate::random::Stream;
use crate::step::Halt;
use crate::time::{Duration, LocalTime, Time};
use crate::timer::{Fired, Timer};
use crate::trace::Recorder;
pub(crate) use fuse::{Blown, Fuse};
use hold::Holds;
use memory::Memory;
use serde::Serialize;
use std::collections::VecDeque;
use streams::StreamName;

/// The kernel's side of one node.
#[derive(Clone, Debug)]
pub(crate) struct NodeState<M, Q, R> {
    pub up: bool,
    pub paused: bool,
    /// Counts crashes, and pauses: what was scheduled for an earlier one is void.
    pub incarnation: u32,
    pub pauses: u32,
    /// How often a process was started.
    pub boots: u32,
    pub clock: Clock,
    /// Whether the clock started ahead of true time.
    clock_ahead: bool,
    pub timer: Timer,
    timer_cause: u64,
    pub disk: Disk,
    pub stream: Stream,
    /// What came while the node was paused, in order; not empty only while it is paused or catching up.
    pub waiting: VecDeque<Job<M, Q, R>>,
    /// The trace number of its last crash.
    pub crash_seq: Option<u64>,
    /// A crash that waits for a disk operation.
    fuse: Option<Fuse>,
    pub crash_loop: Option<CrashLoop>,
    /// Whether its disk was ever taken away, and whether it is then gone for ever.
    pub wiped: bool,
    pub retired: bool,
    /// Which version's settings it is to start with, and with which it started last.
    pub version: u32,
    pub booted_version: u32,
    /// Counts the times that its clock stood still: the end of an earlier one is void.
    pub freezes: u32,
    /// When the latest piece of its own work is done.
    work_until: Time,
}

impl<M, Q, R> NodeState<M, Q, R> {
    /// A crash forgets the pieces of work under way.
    pub fn forget_work(&mut self) {
        self.work_until = Time::ZERO;
    }
}

/// What is still to come of a crash loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CrashLoop {
    /// How often the process is still to be killed; above zero.
    pub left: u32,
    pub up: Duration,
    pub down: Duration,
}

#[derive(Clone, Debug)]
struct ClientState {
    timer: Timer,
    timer_cause: u64,
    stream: Stream,
}

/// Everything in a world but processes, clients and plan.
#[derive(Clone)]
pub(crate) struct Kernel<M, Q, R> {
    pub now: Time,
    /// The number of the last trace event, recorded or not.
    seq: u64,
    /// The trace event being handled: the cause of what is done now. Zero outside of all events.
    pub current: u64,
    /// The ticket of the queue event being handled.
    pub ticket: u64,
    pub queue: Queue<Event<M, Q, R>>,
    pub nodes: Vec<NodeState<M, Q, R>>,
    clients: Vec<ClientState>,
    pub network: Network,
    /// Messages that are held, by what holds them.
    pub holds: Holds<M, Q, R>,
    /// Old messages, for those that are to be delivered again.
    memory: Memory<M, Q, R>,
    /// How many nodes have a fuse, and the node of the one that has just blown.
    fuses: u32,
    pub blown: Option<Blown>,
    pub disk_config: DiskConfig,
    /// How long processes' own work takes.
    pub work: Latency,
    work_stream: Stream,
    network_stream: Stream,
    damage_stream: Stream,
    pub disk_stream: Stream,
    pub fault_stream: Stream,
    /// What the streams of the start decided, where that is recorded.
    clock_decisions: Decisions,
    /// What was done to the world, where that is recorded.
    pub applied: Option<Vec<Applied>>,
    pub exposure: Exposure,
    pub digester: Digester,
    pub trace: Recorder,
    pub halt: Option<Halt>,
}

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    pub fn new(config: &WorldConfig, nodes: u16, clients: u16, trace: Recorder) -> Self {
        let stream = |name: StreamName| name.of(config.seed, &config.chance);
        // Drawn from before anything happens, and never again.
        let mut clocks = Stream::new(config.seed, "clocks", 0).taped(&config.chance, Topic::Clock, Whom::World);
        let node = |index: u16| {
            clocks.about(Topic::Clock, NodeId(index));
            let clock = Clock::draw(&config.clocks, &mut clocks);
            NodeState {
                up: false,
                paused: false,
                incarnation: 0,
                pauses: 0,
                boots: 0,
                clock_ahead: clock.local(Time::ZERO) > LocalTime::ZERO,
                clock,
                timer: Timer::default(),
                timer_cause: 0,
                disk: Disk::default(),
                stream: stream(StreamName::Node(NodeId(index))),
                waiting: VecDeque::new(),
                crash_seq: None,
                fuse: None,
                crash_loop: None,
                wiped: false,
                retired: false,
                version: 0,
                booted_version: 0,
                freezes: 0,
                work_until: Time::ZERO,
            }
        };
        let client = |index: u16| ClientState {
            timer: Timer::default(),
            timer_cause: 0,
            stream: stream(StreamName::Client(ClientId(index))),
        };
        let states = (0..nodes).map(node).collect();
        Self {
            now: Time::ZERO,
            seq: 0,
            current: 0,
            ticket: 0,
            queue: Queue::new(config.max_queued),
            nodes: states,
            clients: (0..clients).map(client).collect(),
            network: Network::new(config.network, nodes, clients, stream(StreamName::Links)),
            holds: Holds::default(),
            memory: Memory::new(stream(StreamName::Replay)),
            fuses: 0,
            blown: None,
            disk_config: config.disk,
            work: config.work,
            work_stream: stream(StreamName::OwnWork),
            network_stream: stream(StreamName::Network),
            damage_stream: stream(StreamName::Damage),
            disk_stream: stream(StreamName::Disk),
            fault_stream: stream(StreamName::Faults),
            clock_decisions: clocks.recorded().cloned().unwrap_or_default(),
            applied: (config.chance != Chance::Drawn).then(Vec::new),
            exposure: Exposure::default(),
            digester: Digester::new(),
            trace,
            halt: None,
        }
    }

    // --- numbers, trace ---

    #[inline]
    pub fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    #[inline]
    fn cause(&self) -> Option<u64> {
        (self.current > 0).then_some(self.current)
    }

    /// Adds an event to the trace, caused by the event being handled.
    #[inline]
    pub fn note<F: Serialize>(&mut self, at: Option<Endpoint>, kind: &'static str, fields: impl FnOnce() -> F) -> u64 {
        let cause = self.cause();
        self.note_caused(at, kind, cause, fields)
    }

    /// Adds an event to the trace, caused by this one.
    #[inline]
    pub fn note_caused<F: Serialize>(
        &mut self,
        at: Option<Endpoint>,
        kind: &'static str,
        cause: Option<u64>,
        fields: impl FnOnce() -> F,
    ) -> u64 {
        let seq = self.next_seq();
        self.trace.record(seq, self.now, at, kind, cause, fields);
        seq
    }

    /// The number of the last event.
    pub fn last_seq(&self) -> u64 {
        self.seq
    }

    // --- who is there ---

    #[inline]
    pub fn node_ids(&self) -> NodeIds {
        NodeIds::new(self.nodes.len() as u16)
    }

    pub fn client_count(&self) -> u16 {
        self.clients.len() as u16
    }

    #[inline]
    pub fn local_now(&self, node: NodeId) -> LocalTime {
        self.nodes[node.index()].clock.local(self.now)
    }

    #[inline]
    pub fn node_stream(&mut self, node: NodeId) -> &mut Stream {
        &mut self.nodes[node.index()].stream
    }

    pub fn client_stream(&mut self, client: ClientId) -> &mut Stream {
        &mut self.clients[client.index()].stream
    }

    /// All that was decided so far, where that is recorded.
    pub fn decisions(&self) -> Decisions {
        let recorded = self.stream_names().map(|name| self.stream(name).recorded());
        let all = recorded.chain([Some(&self.clock_decisions)]);
        all.flatten().flat_map(Decisions::iter).collect()
    }

    // --- scheduling ---

    /// Schedules an event, or halts the world when the queue is full.
    #[inline]
    pub fn schedule(&mut self, at: Time, event: Event<M, Q, R>) {
        if !self.queue.push(at, event) && self.halt.is_none() {
            self.halt = Some(Halt::QueueFull {
                at: self.now,
                queued: self.queue.len(),
            });
        }
    }

    // --- timers and clocks ---

    #[inline]
    pub fn set_timer(&mut self, node: NodeId, deadline: Option<LocalTime>) {
        let cause = self.current;
        let state = &mut self.nodes[node.index()];
        state.timer_cause = cause;
        if let Some(generation) = state.timer.set(deadline.map(|deadline| deadline.0)) {
            self.schedule_timer(node, deadline.unwrap_or(LocalTime::MAX), generation);
        }
    }

    #[inline]
    fn schedule_timer(&mut self, node: NodeId, deadline: LocalTime, generation: u32) {
        let at = self.nodes[node.index()].clock.true_time(deadline).max(self.now);
        // The end of time stands for never.
        if at < Time::MAX {
            self.schedule(at, Event::Timer { node, generation });
        }
    }

    #[inline]
    pub fn set_client_timer(&mut self, client: ClientId, at: Option<Time>) {
        let cause = self.current;
        let state = &mut self.clients[client.index()];
        state.timer_cause = cause;
        if let Some(generation) = state.timer.set(at.map(|at| at.0)) {
            self.schedule_client_timer(client, at.unwrap_or(Time::MAX), generation);
        }
    }

    fn schedule_client_timer(&mut self, client: ClientId, at: Time, generation: u32) {
        if at < Time::MAX {
            self.schedule(at.max(self.now), Event::ClientTimer { client, generation });
        }
    }

    /// Takes a node's timer event: true when the process is to be called, with the trace number of what set it.
    pub fn fire_timer(&mut self, node: NodeId, generation: u32) -> Option<u64> {
        let local = self.local_now(node);
        let state = &mut self.nodes[node.index()];
        match state.timer.fire(generation, local.0) {
            Fired::Nothing => None,
            Fired::Early { deadline, generation } => {
                self.schedule_timer(node, LocalTime(deadline), generation);
                None
            }
            Fired::Due => {
                if state.clock.drift_ppm() != 0 {
                    self.exposure.add(FaultClass::ClockDrift);
                }
                if state.clock_ahead {
                    self.exposure.add(FaultClass::ClockOffset);
                }
                Some(state.timer_cause)
            }
        }
    }

    /// Takes a client's timer event: as [`Kernel::fire_timer`].
    pub fn fire_client_timer(&mut self, client: ClientId, generation: u32) -> Option<u64> {
        let now = self.now.0;
        let state = &mut self.clients[client.index()];
        match state.timer.fire(generation, now) {
            Fired::Nothing => None,
            Fired::Early { deadline, generation } => {
                self.schedule_client_timer(client, Time(deadline), generation);
                None
            }
            Fired::Due => Some(state.timer_cause),
        }
    }

    /// Changes a node's clock and derives its timer again. Gives whether it has one set.
    pub fn change_clock(&mut self, node: NodeId, change: impl FnOnce(&mut Clock, Time)) -> bool {
        let now = self.now;
        let state = &mut self.nodes[node.index()];
        change(&mut state.clock, now);
        let requeued = state.timer.requeue();
        if let Some((deadline, generation)) = requeued {
            self.schedule_timer(node, LocalTime(deadline), generation);
        }
        requeued.is_some()
    }
}
