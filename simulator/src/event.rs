//! What the queue holds: parcels on their way, timers, completions, and faults to come.
//!
//! Owns the shapes only. Who schedules them is `kernel`, who takes them is [`crate::world`].

use crate::disk::{DiskError, SyncToken};
use crate::id::{ClientId, Endpoint, NodeId};
use crate::network::{DropReason, Mark};
use crate::process::Payload;
use crate::random::Stream;
use crate::time::Duration;
use serde::Serialize;

/// Stands for nobody where the digest names a party.
pub(crate) const NOBODY: u16 = u16::MAX;

/// The party's number in the digest; which sort of endpoint it is follows from the entry.
pub(crate) fn party(endpoint: Endpoint) -> u16 {
    match endpoint {
        Endpoint::Node(node) => node.0,
        Endpoint::Client(client) => client.0,
    }
}

/// What travels through the network.
#[derive(Clone, Debug)]
pub(crate) enum Parcel<M, Q, R> {
    Message { from: NodeId, to: NodeId, message: M },
    Request { from: ClientId, to: NodeId, request: Q },
    Response { from: NodeId, to: ClientId, response: R },
}

impl<M: Payload, Q: Payload, R: Payload> Parcel<M, Q, R> {
    #[inline]
    pub fn ends(&self) -> (Endpoint, Endpoint) {
        match *self {
            Self::Message { from, to, .. } => (from.into(), to.into()),
            Self::Request { from, to, .. } => (from.into(), to.into()),
            Self::Response { from, to, .. } => (from.into(), to.into()),
        }
    }

    /// The kind of its payload.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message { message, .. } => message.kind(),
            Self::Request { request, .. } => request.kind(),
            Self::Response { response, .. } => response.kind(),
        }
    }

    /// The size of its payload in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Message { message, .. } => message.size(),
            Self::Request { request, .. } => request.size(),
            Self::Response { response, .. } => response.size(),
        }
    }

    /// What its receiver makes of it when its frame is damaged.
    pub fn damaged(self, stream: &mut Stream) -> Option<Self> {
        match self {
            Self::Message { from, to, message } => {
                message
                    .damaged(stream)
                    .map(|message| Self::Message { from, to, message })
            }
            Self::Request { from, to, request } => {
                request
                    .damaged(stream)
                    .map(|request| Self::Request { from, to, request })
            }
            Self::Response { from, to, response } => {
                response
                    .damaged(stream)
                    .map(|response| Self::Response { from, to, response })
            }
        }
    }

    /// The fields of a trace event about it.
    pub fn fields(&self) -> ParcelFields<'_, M, Q, R> {
        let (from, to) = self.ends();
        ParcelFields {
            copy: None,
            from,
            message: match self {
                Self::Message { message, .. } => Body::Message(message),
                Self::Request { request, .. } => Body::Request(request),
                Self::Response { response, .. } => Body::Response(response),
            },
            reason: None,
            to,
            kind: self.kind(),
        }
    }

    pub fn drop_fields(&self, reason: DropReason) -> ParcelFields<'_, M, Q, R> {
        ParcelFields {
            reason: Some(reason.name()),
            ..self.fields()
        }
    }
}

/// What a trace event tells of a parcel, in the order of the names.
#[derive(Serialize)]
pub(crate) struct ParcelFields<'a, M, Q, R> {
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<bool>,
    from: Endpoint,
    message: Body<'a, M, Q, R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    to: Endpoint,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<M, Q, R> ParcelFields<'_, M, Q, R> {
    /// Says of a second copy that it is one.
    pub fn of_copy(mut self, is_copy: bool) -> Self {
        self.copy = is_copy.then_some(true);
        self
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a, M, Q, R> {
    Message(&'a M),
    Request(&'a Q),
    Response(&'a R),
}

/// A parcel on its way.
#[derive(Clone, Debug)]
pub(crate) struct Transit<M, Q, R> {
    pub parcel: Parcel<M, Q, R>,
    /// The trace number of the send.
    pub cause: u64,
    /// Its number on its link.
    pub order: u32,
    /// Whether it is a copy, or damaged.
    pub mark: Mark,
}

/// What the queue holds.
#[derive(Clone, Debug)]
pub(crate) enum Event<M, Q, R> {
    Arrival(Transit<M, Q, R>),
    Timer {
        node: NodeId,
        generation: u32,
    },
    ClientTimer {
        client: ClientId,
        generation: u32,
    },
    SyncDone {
        node: NodeId,
        incarnation: u32,
    },
    /// A node that was paused handles the next event that waited.
    Drain {
        node: NodeId,
    },
    /// A fault of the plan, unless the world was healed since.
    Planned {
        index: u32,
    },
    /// The end of a disk's stall, unless it was mended or stalled again since.
    DiskFreed {
        node: NodeId,
        stalls: u32,
    },
    /// A process stops of its own accord, unless it has crashed since, and is started again.
    Exit {
        node: NodeId,
        incarnation: u32,
        restart_after: Duration,
    },
    /// The end of a crash, unless the node was restarted or crashed again since.
    Revival {
        node: NodeId,
        incarnation: u32,
    },
    /// The next crash of a crash loop, unless the node has crashed or the loop has ended since.
    LoopCrash {
        node: NodeId,
        incarnation: u32,
    },
    /// The end of a clock's standing still, unless it was set going since.
    Thaw {
        node: NodeId,
        freezes: u32,
        leap: bool,
    },
    /// A piece of a process's own work is done, unless it has crashed since.
    Worked {
        node: NodeId,
        incarnation: u32,
        token: u64,
        cause: u64,
    },
    /// The end of a pause, unless the node was resumed or crashed since.
    Wakeup {
        node: NodeId,
        pauses: u32,
    },
}

/// An event of a node that has come, and is to be handled now or when the node goes on.
#[derive(Clone, Debug)]
pub(crate) enum Job<M, Q, R> {
    Parcel(Transit<M, Q, R>),
    Timer {
        generation: u32,
    },
    Synced {
        token: SyncToken,
        error: Option<DiskError>,
        cause: u64,
    },
    Worked {
        token: u64,
        cause: u64,
    },
}
