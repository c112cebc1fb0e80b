//! What can be seen of a world from outside, between its steps.

use super::World;
use crate::client::ClientOf;
use crate::clock::Clock;
use crate::decision::Decisions;
use crate::digest::Digest;
use crate::disk::DiskImage;
use crate::event::{Event, Parcel};
use crate::exposure::Exposure;
use crate::fault::Applied;
use crate::id::{ClientId, ClientIds, Endpoint, NodeId, NodeIds};
use crate::network::{CutId, NetworkConfig};
use crate::process::{Payload, Process};
use crate::step::Halt;
use crate::time::{LocalTime, Time};
use crate::trace::TraceEvent;
use crate::trace::events::Meaning;
use serde::Serialize;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    /// True time.
    pub fn now(&self) -> Time {
        self.kernel.now
    }

    /// When the next event is due, or a little before: some events turn out to be void.
    pub fn next_time(&self) -> Option<Time> {
        self.kernel.queue.next_time()
    }

    /// Why the world cannot go on, if it cannot.
    pub fn halted(&self) -> Option<Halt> {
        self.kernel.halt
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many events were taken since time last moved.
    pub fn events_of_instant(&self) -> u64 {
        self.in_this_instant
    }

    /// Whether the planned fault of this index has come up and could do something.
    pub fn has_struck(&self, index: usize) -> bool {
        self.struck.get(index).copied().unwrap_or(false)
    }

    /// Whether the cut or the hold of this name has stopped or held a message so far.
    pub fn is_effective(&self, id: CutId) -> bool {
        self.kernel.network.effective().contains(&id) || self.kernel.holds.effective().contains(&id)
    }

    /// How many events are queued.
    pub fn queued(&self) -> usize {
        self.kernel.queue.len()
    }

    /// The kinds of the messages between nodes that are on their way, one for each message, in no order that means anything.
    /// What is held, or waits at a paused node, is left out.
    pub fn kinds_under_way(&self) -> impl Iterator<Item = &'static str> {
        self.kernel.queue.iter().filter_map(|event| match event {
            Event::Arrival(transit) => match &transit.parcel {
                Parcel::Message { message, .. } => Some(message.kind()),
                Parcel::Request { .. } | Parcel::Response { .. } => None,
            },
            _ => None,
        })
    }

    /// The reading of a node's own clock.
    pub fn local_now(&self, node: NodeId) -> LocalTime {
        self.kernel.local_now(node)
    }

    /// The first true time at which a node's clock, as it goes now, reads `local` or later.
    pub fn world_time_of(&self, node: NodeId, local: LocalTime) -> Time {
        self.clock(node).true_time(local)
    }

    /// A node's own clock.
    pub fn clock(&self, node: NodeId) -> &Clock {
        &self.kernel.nodes[node.index()].clock
    }

    /// All nodes.
    pub fn nodes(&self) -> NodeIds {
        self.kernel.node_ids()
    }

    /// All clients.
    pub fn clients(&self) -> ClientIds {
        ClientIds::new(self.kernel.client_count())
    }

    /// The process on a node; none while it is crashed.
    pub fn process(&self, node: NodeId) -> Option<&P> {
        self.hosts[node.index()].process.as_ref()
    }

    /// The process on a node, to be changed behind the world's back: the digest does not know of it.
    pub fn process_mut(&mut self, node: NodeId) -> Option<&mut P> {
        self.hosts[node.index()].process.as_mut()
    }

    /// The configuration that a node boots with.
    pub fn node_config(&self, node: NodeId) -> &P::Config {
        &self.hosts[node.index()].config
    }

    /// A client.
    pub fn client(&self, client: ClientId) -> &C {
        &self.clients[client.index()]
    }

    /// A client, to be changed behind the world's back: the digest does not know of it.
    pub fn client_mut(&mut self, client: ClientId) -> &mut C {
        &mut self.clients[client.index()]
    }

    /// Whether the process on a node runs, paused or not.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.kernel.nodes[node.index()].up
    }

    /// Whether the process on a node is paused.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.kernel.nodes[node.index()].paused
    }

    /// Whether a node's disk was taken away for ever, so that it never starts again.
    pub fn is_retired(&self, node: NodeId) -> bool {
        self.kernel.nodes[node.index()].retired
    }

    /// The version whose settings a node has, or gets at its next start.
    pub fn version(&self, node: NodeId) -> u32 {
        self.kernel.nodes[node.index()].version
    }

    /// Whether a message from one endpoint to the other would be stopped by a cut now.
    pub fn is_cut(&self, from: impl Into<Endpoint>, to: impl Into<Endpoint>) -> bool {
        self.kernel.network.is_cut(from.into(), to.into())
    }

    /// What is durable on a node's disk now, whether the node is up or not.
    pub fn disk(&self, node: NodeId) -> DiskImage<'_> {
        self.kernel.nodes[node.index()].disk.image()
    }

    /// How often a node's disk has lost or changed, so far, what a completed sync had made durable.
    pub fn broken_promises(&self, node: NodeId) -> u64 {
        self.kernel.nodes[node.index()].disk.broken_promises()
    }

    /// Bytes of memory that a node's disk takes, pages that clones share included.
    pub fn disk_memory(&self, node: NodeId) -> usize {
        self.kernel.nodes[node.index()].disk.resident()
    }

    /// How the network behaves now.
    pub fn network(&self) -> &NetworkConfig {
        &self.kernel.network.config
    }

    /// All that was decided so far, apart from what fell out the neutral way; nothing in a world of
    /// [`Chance::Drawn`](crate::Chance::Drawn).
    pub fn decisions(&self) -> Decisions {
        self.kernel.decisions()
    }

    /// All that was done to the world so far, in order, without what was skipped; nothing in a world of
    /// [`Chance::Drawn`](crate::Chance::Drawn).
    pub fn applied(&self) -> &[Applied] {
        self.kernel.applied.as_deref().unwrap_or_default()
    }

    /// How often each class of fault fired and hit something, so far.
    pub fn exposure(&self) -> &Exposure {
        &self.kernel.exposure
    }

    /// The digest of all that happened so far. Costs a hash of what was not hashed yet, at most some tens of kilobytes.
    pub fn digest(&self) -> Digest {
        self.kernel.digester.digest()
    }

    /// Starts or stops recording a trace. To have the first boots in it too, use [`crate::WorldConfig::trace`].
    pub fn record_trace(&mut self, on: bool) {
        self.kernel.trace.on = on;
    }

    /// Takes what was recorded since the last time; nothing when no trace is recorded, or when a sink takes it.
    pub fn take_trace(&mut self) -> Vec<TraceEvent> {
        self.kernel.trace.take()
    }

    /// How many events the trace has, taken or not.
    pub fn trace_events(&self) -> u64 {
        self.kernel.trace.recorded
    }

    /// How many events were left out of the trace because [`crate::WorldConfig::max_trace`] were waiting to be taken.
    pub fn trace_left_out(&self) -> u64 {
        self.kernel.trace.left_out
    }

    /// Adds an event of the harness to the trace and gives its number. `fields` is called only when a trace is recorded. Like
    /// a process, call this whether or not a trace is recorded: event numbers count the calls.
    pub fn note<F: Serialize>(&mut self, at: Option<Endpoint>, kind: &'static str, fields: impl FnOnce() -> F) -> u64 {
        self.kernel.note(at, kind, fields)
    }

    /// Adds an event of the [vocabulary](crate::trace::events) to the trace, as the doing of the event of number `cause`; on the terms
    /// of [`World::note`].
    pub fn tell<M: Meaning>(&mut self, at: Option<Endpoint>, cause: Option<u64>, event: impl FnOnce() -> M) -> u64 {
        self.kernel.note_caused(at, M::KIND, cause, event)
    }

    /// The number of the last event, as a trace has it, recorded or not.
    pub fn last_event(&self) -> u64 {
        self.kernel.last_seq()
    }
}
