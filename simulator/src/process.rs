//! What runs on a node: the [`Process`] trait, what travels between processes, and the [`Context`] through which a process acts.
//!
//! A process is a plain state machine. It never blocks and reads nothing but its arguments; each method of its context takes
//! effect in the world's queue at once. What the effects mean is in `kernel`.

use crate::digest::Stamp;
use crate::disk::{DiskError, DiskImage, SyncToken};
use crate::id::{ClientId, Endpoint, NodeId, NodeIds};
use crate::kernel::Kernel;
use crate::latency::Latency;
use crate::random::Stream;
use crate::serialized;
use crate::time::{Duration, LocalTime};
use crate::trace::events::Meaning;
use serde::Serialize;

/// What travels: messages between nodes, requests, responses.
pub trait Payload: Clone + Serialize {
    /// What sort of payload it is, for the trace: `append-entries`, say. By default the name of its variant, or of its type, as it is
    /// serialized.
    fn kind(&self) -> &'static str {
        serialized::kind(self)
    }

    /// Folds a fixed encoding of the content into the digest. By default what is serialized.
    fn stamp(&self, stamp: &mut Stamp<'_>) {
        serialized::stamp(self, stamp);
    }

    /// About how many bytes it takes on the wire, for links of limited bandwidth.
    fn size(&self) -> u64 {
        64
    }

    /// What a receiver reads from a damaged frame of this payload: `None` when it notices the damage and drops the frame,
    /// which is what a checksum is for. A protocol with a codec encodes the payload, damages the bytes by draws from `stream`,
    /// and decodes them. Whatever comes back is delivered and counted by [`crate::Exposure::undetected`].
    fn damaged(&self, stream: &mut Stream) -> Option<Self> {
        let _ = stream;
        None
    }
}

/// A payload that does not exist, for protocols without requests or without responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Never {}

impl Payload for Never {
    fn kind(&self) -> &'static str {
        match *self {}
    }

    fn stamp(&self, _stamp: &mut Stamp<'_>) {
        match *self {}
    }
}

/// A protocol as a state machine, one instance on each node.
pub trait Process: Sized {
    /// What an instance is told at each boot.
    type Config: Clone;
    /// What nodes send each other.
    type Message: Payload;
    /// What clients send to nodes.
    type Request: Payload;
    /// What nodes answer.
    type Response: Payload;

    /// Starts from what the disk really kept: at the start of the world, from an empty disk, and after each crash.
    fn boot(config: &Self::Config, disk: &DiskImage<'_>, ctx: &mut Context<'_, Self>) -> Self;

    /// A message arrived.
    fn on_message(&mut self, from: NodeId, message: Self::Message, ctx: &mut Context<'_, Self>);

    /// The deadline of [`Context::set_timer`] has come, and is no longer set.
    /// By default nothing, for a process that sets no timer.
    fn on_timer(&mut self, ctx: &mut Context<'_, Self>) {
        let _ = ctx;
    }

    /// Chance is another from here on: what the process draws from a generator of its own comes from this seed now.
    fn reseed(&mut self, _seed: u64) {}

    /// Everything written before that call of [`Context::sync`] is durable. By default nothing, for a process that never syncs.
    fn on_sync(&mut self, token: SyncToken, ctx: &mut Context<'_, Self>) {
        let _ = (token, ctx);
    }

    /// That call of [`Context::sync`] failed. Everything written between the sync before it and that call is in doubt, each
    /// write kept, lost or torn, and no later sync says anything of it: a process that goes on must have written it anew. The
    /// usual answer is to stop, and to start again from what the disk really has: see [`Context::restart`].
    ///
    /// By default nothing: what waited for that sync waits for ever.
    fn on_sync_failed(&mut self, token: SyncToken, error: DiskError, ctx: &mut Context<'_, Self>) {
        let _ = (token, error, ctx);
    }

    /// A piece of work is done; see [`Context::work`]. By default nothing.
    fn on_worked(&mut self, token: u64, ctx: &mut Context<'_, Self>) {
        let _ = (token, ctx);
    }

    /// A client's request arrived. By default nothing, for a protocol without requests.
    fn on_request(&mut self, from: ClientId, request: Self::Request, ctx: &mut Context<'_, Self>) {
        let _ = (from, request, ctx);
    }

    /// Whether this node believes that it is the primary, for faults that aim at the primary.
    fn is_primary(&self) -> bool {
        false
    }
}

pub(crate) type KernelOf<P> = Kernel<<P as Process>::Message, <P as Process>::Request, <P as Process>::Response>;

/// What a process can see and do while it handles an event.
pub struct Context<'a, P: Process> {
    kernel: &'a mut KernelOf<P>,
    node: NodeId,
}

impl<'a, P: Process> Context<'a, P> {
    pub(crate) fn new(kernel: &'a mut KernelOf<P>, node: NodeId) -> Self {
        Self { kernel, node }
    }

    /// The node that this process runs on.
    #[inline]
    pub fn id(&self) -> NodeId {
        self.node
    }

    /// How often a process was started on this node, this time included: what a supervisor counts, and no disk forgets.
    #[inline]
    pub fn boots(&self) -> u32 {
        self.kernel.nodes[self.node.index()].boots
    }

    /// Whether this node's disk was ever taken away: a process that finds its disk empty cannot tell this from a first start, and
    /// whoever put the new disk in tells it.
    pub fn wiped(&self) -> bool {
        self.kernel.nodes[self.node.index()].wiped
    }

    /// The version whose settings this process runs with: 0 until an upgrade says otherwise.
    pub fn version(&self) -> u32 {
        self.kernel.nodes[self.node.index()].version
    }

    /// All nodes, this one included.
    #[inline]
    pub fn nodes(&self) -> NodeIds {
        self.kernel.node_ids()
    }

    /// The reading of this node's own clock.
    #[inline]
    pub fn now(&self) -> LocalTime {
        self.kernel.local_now(self.node)
    }

    /// Sends a message to a node. A message to oneself travels like any other.
    ///
    /// # Panics
    ///
    /// When there is no such node.
    #[inline]
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.kernel.send_message(self.node, to, message);
    }

    /// Sends a response to a client.
    ///
    /// # Panics
    ///
    /// When there is no such client.
    #[inline]
    pub fn respond(&mut self, client: ClientId, response: P::Response) {
        self.kernel.send_response(self.node, client, response);
    }

    /// Writes to this node's disk. The write is volatile until a later [`Context::sync`] has completed. A write that would let the
    /// file take more than [`crate::DiskConfig::max_bytes`] halts the world.
    #[inline]
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.kernel.write(self.node, offset, bytes);
    }

    /// Reads this node's file, from `offset` on and at most `len` bytes, as it stands for the process: with what it has written and not
    /// synced. Fewer bytes come back at the end of the file; what was given up, or cannot be read, is zero. While a process boots, the
    /// file is what it was given for that, and nothing is read here.
    pub fn read(&self, offset: u64, len: usize) -> Vec<u8> {
        self.kernel.nodes[self.node.index()].disk.read(offset, len)
    }

    /// Gives up what lies before `end` in this node's file, as a log does with its oldest segments: it takes no space any more,
    /// reads as zero, and [`DiskImage::start`] tells a later boot where the file begins. Like a write it is volatile until a
    /// sync that comes after it has completed, and a crash may lose it, or keep it and lose a write that came before it: so
    /// what takes the place of the discarded must be durable first. Nothing beyond the file's durable end is given up.
    pub fn discard(&mut self, end: u64) {
        self.kernel.discard(self.node, end);
    }

    /// Starts to make durable all that was written before this call; [`Process::on_sync`] with the same token says when that is
    /// done. Syncs of a node complete in the order of their calls.
    #[inline]
    pub fn sync(&mut self, token: SyncToken) {
        self.kernel.sync(self.node, token);
    }

    /// Whether work takes time at present: see [`crate::WorldConfig::work`]. Where it takes none, a process does it at once.
    #[inline]
    pub fn work_takes_time(&self) -> bool {
        self.kernel.work != Latency::default()
    }

    /// Starts a piece of this process's own work, such as applying what was agreed on. [`Process::on_worked`] with the same token
    /// says when it is done; pieces are done in the order of these calls, and a crash forgets them.
    pub fn work(&mut self, token: u64) {
        self.kernel.start_work(self.node, token);
    }

    /// Stops this process after the event being handled, and starts it again from its disk after a while. What it had not
    /// synced meets the same fate as at a crash; that it stopped is counted as no fault.
    pub fn restart(&mut self, after: Duration) {
        self.kernel.exit(self.node, after);
    }

    /// Sets, moves or clears the one timer of this node. A deadline that has passed fires at once, as an event of its own.
    #[inline]
    pub fn set_timer(&mut self, deadline: Option<LocalTime>) {
        self.kernel.set_timer(self.node, deadline);
    }

    /// 64 random bits from this node's own stream, which goes on across crashes.
    #[inline]
    pub fn random(&mut self) -> u64 {
        self.kernel.node_stream(self.node).next_u64()
    }

    /// Whether a trace is recorded. It must not change what the process does.
    #[inline]
    pub fn tracing(&self) -> bool {
        self.kernel.trace.on
    }

    /// Adds an event to the trace, caused by the event being handled. `fields` is called only when a trace is recorded; it
    /// gives an object, or what is written as one. Call this whether or not a trace is recorded: event numbers count the calls.
    #[inline]
    pub fn trace<F: Serialize>(&mut self, kind: &'static str, fields: impl FnOnce() -> F) {
        if self.kernel.blown.is_some() {
            return;
        }
        self.kernel.note(Some(Endpoint::Node(self.node)), kind, fields);
    }

    /// Adds an event of the [vocabulary](crate::trace::events) to the trace, on the terms of [`Context::trace`].
    #[inline]
    pub fn tell<M: Meaning>(&mut self, event: impl FnOnce() -> M) {
        self.trace(M::KIND, event);
    }
}
