//! Clients of the system under test: seeded state machines that send requests and wait for responses.
//!
//! A client never crashes and reads true time, so that what it records is a history. Its own timeout makes the outcome of an
//! operation *unknown*; that is for the client to record, the world does not know of operations.

use crate::decision::Topic;
use crate::id::{ClientId, Endpoint, NodeId, NodeIds};
use crate::kernel::Kernel;
use crate::process::{Never, Payload, Process};
use crate::random::Stream;
use crate::time::Time;
use crate::trace::events::Meaning;
use serde_json::Value;
use std::marker::PhantomData;

/// A client as a state machine.
pub trait Client: Sized {
    /// What it sends.
    type Request: Payload;
    /// What it is answered.
    type Response: Payload;

    /// The world starts.
    fn on_start(&mut self, ctx: &mut ClientContext<'_, Self>);

    /// A response arrived, perhaps late, perhaps twice.
    fn on_response(&mut self, from: NodeId, response: Self::Response, ctx: &mut ClientContext<'_, Self>);

    /// The time of [`ClientContext::set_timer`] has come, and is no longer set.
    fn on_timer(&mut self, ctx: &mut ClientContext<'_, Self>);
}

/// A client that speaks with the nodes that run `P`.
pub trait ClientOf<P: Process>: Client<Request = P::Request, Response = P::Response> {}

impl<P: Process, C: Client<Request = P::Request, Response = P::Response>> ClientOf<P> for C {}

/// What a client needs of the kernel, without the messages between nodes, of which it knows nothing.
pub(crate) trait ClientHost<Request> {
    fn now(&self) -> Time;
    fn nodes(&self) -> NodeIds;
    fn send(&mut self, from: ClientId, to: NodeId, request: Request);
    fn set_timer(&mut self, client: ClientId, at: Option<Time>);
    fn stream(&mut self, client: ClientId) -> &mut Stream;
    fn tracing(&self) -> bool;
    fn note(&mut self, client: ClientId, kind: &'static str, fields: &mut dyn FnMut() -> Value) -> u64;
}

impl<M: Payload, Q: Payload, R: Payload> ClientHost<Q> for Kernel<M, Q, R> {
    fn now(&self) -> Time {
        self.now
    }

    fn nodes(&self) -> NodeIds {
        self.node_ids()
    }

    fn send(&mut self, from: ClientId, to: NodeId, request: Q) {
        self.send_request(from, to, request);
    }

    fn set_timer(&mut self, client: ClientId, at: Option<Time>) {
        self.set_client_timer(client, at);
    }

    fn stream(&mut self, client: ClientId) -> &mut Stream {
        self.client_stream(client)
    }

    fn tracing(&self) -> bool {
        self.trace.on
    }

    fn note(&mut self, client: ClientId, kind: &'static str, fields: &mut dyn FnMut() -> Value) -> u64 {
        Kernel::note(self, Some(Endpoint::Client(client)), kind, fields)
    }
}

/// What a client can see and do while it handles an event.
pub struct ClientContext<'a, C: Client> {
    host: &'a mut dyn ClientHost<C::Request>,
    client: ClientId,
}

impl<'a, C: Client> ClientContext<'a, C> {
    pub(crate) fn new(host: &'a mut dyn ClientHost<C::Request>, client: ClientId) -> Self {
        Self { host, client }
    }

    /// This client.
    pub fn id(&self) -> ClientId {
        self.client
    }

    /// All nodes.
    pub fn nodes(&self) -> NodeIds {
        self.host.nodes()
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.host.now()
    }

    /// Sends a request to a node.
    ///
    /// # Panics
    ///
    /// When there is no such node.
    pub fn send(&mut self, to: NodeId, request: C::Request) {
        self.host.send(self.client, to, request);
    }

    /// Sets, moves or clears the one timer of this client. A time that has passed fires at once, as an event of its own.
    pub fn set_timer(&mut self, at: Option<Time>) {
        self.host.set_timer(self.client, at);
    }

    /// This client's own stream of random numbers, its share of the workload's.
    pub fn stream(&mut self) -> &mut Stream {
        self.host.stream(self.client)
    }

    /// 64 random bits from this client's own stream.
    pub fn random(&mut self) -> u64 {
        self.stream().next_u64()
    }

    /// A uniform number from `min` to `max`, both included, from this client's own stream.
    ///
    /// # Panics
    ///
    /// When `min` is above `max`.
    pub fn range(&mut self, min: u64, max: u64) -> u64 {
        self.stream().range(min, max)
    }

    /// As [`range`](Self::range), for a decision of another topic than the client's work; one that is not given is `min`.
    ///
    /// # Panics
    ///
    /// When `min` is above `max`.
    pub fn range_about(&mut self, topic: Topic, min: u64, max: u64) -> u64 {
        self.stream().on(topic, |stream| stream.range(min, max))
    }

    /// Whether a trace is recorded. It must not change what the client does.
    pub fn tracing(&self) -> bool {
        self.host.tracing()
    }

    /// Adds an event to the trace, caused by the event being handled. `fields` is called only when a trace is recorded; it
    /// gives an object. Call this whether or not a trace is recorded: event numbers count the calls. Gives the event's number.
    pub fn trace(&mut self, kind: &'static str, fields: impl FnOnce() -> Value) -> u64 {
        let mut fields = Some(fields);
        self.host.note(self.client, kind, &mut || {
            fields.take().map_or(Value::Null, |fields| fields())
        })
    }

    /// Adds an event of the [vocabulary](crate::trace::events) to the trace, on the terms of [`ClientContext::trace`].
    pub fn tell<M: Meaning>(&mut self, event: impl FnOnce() -> M) -> u64 {
        self.trace(M::KIND, || event().fields())
    }
}

/// The client of a protocol that has none: there is no value of it.
#[derive(Debug)]
pub struct NoClient<Request = Never, Response = Never> {
    never: Never,
    payloads: PhantomData<fn() -> (Request, Response)>,
}

impl<Request, Response> Clone for NoClient<Request, Response> {
    fn clone(&self) -> Self {
        match self.never {}
    }
}

impl<Request: Payload, Response: Payload> Client for NoClient<Request, Response> {
    type Request = Request;
    type Response = Response;

    fn on_start(&mut self, _ctx: &mut ClientContext<'_, Self>) {
        match self.never {}
    }

    fn on_response(&mut self, _from: NodeId, _response: Response, _ctx: &mut ClientContext<'_, Self>) {
        match self.never {}
    }

    fn on_timer(&mut self, _ctx: &mut ClientContext<'_, Self>) {
        match self.never {}
    }
}
