//! What is sent: from an effect to its arrivals in the queue, or to its drop.

use super::Kernel;
use crate::digest::Entry;
use crate::event::{Event, Parcel, Transit, party};
use crate::id::{ClientId, NodeId};
use crate::network::{DropReason, Sent};
use crate::process::Payload;
use serde_json::json;

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    #[inline]
    pub fn send_message(&mut self, from: NodeId, to: NodeId, message: M) {
        assert!(
            to.index() < self.nodes.len(),
            "process: {from} sends to {to}, which does not exist"
        );
        self.transmit(Parcel::Message { from, to, message });
    }

    #[inline]
    pub fn send_request(&mut self, from: ClientId, to: NodeId, request: Q) {
        assert!(
            to.index() < self.nodes.len(),
            "client: {from} sends to {to}, which does not exist"
        );
        self.transmit(Parcel::Request { from, to, request });
    }

    #[inline]
    pub fn send_response(&mut self, from: NodeId, to: ClientId, response: R) {
        assert!(
            to.index() < self.clients.len(),
            "process: {from} responds to {to}, which does not exist"
        );
        self.transmit(Parcel::Response { from, to, response });
    }

    #[inline]
    fn transmit(&mut self, parcel: Parcel<M, Q, R>) {
        let (from, to) = parcel.ends();
        let cause = self.note(Some(from), "send", || parcel.fields());
        match self
            .network
            .send(self.now, from, to, &mut self.network_stream, &mut self.exposure)
        {
            Sent::Dropped(reason) => {
                self.drop_parcel(&parcel, cause, reason);
            }
            Sent::Passes { arrival, copy, order } => {
                let copy = copy.map(|at| (at, parcel.clone()));
                self.schedule(
                    arrival,
                    Event::Arrival(Transit {
                        parcel,
                        cause,
                        order,
                        copy: false,
                    }),
                );
                if let Some((at, parcel)) = copy {
                    let seq = self.next_seq();
                    self.trace.record(
                        seq,
                        self.now,
                        Some(from),
                        "duplicate",
                        Some(cause),
                        || json!({"from": from, "to": to}),
                    );
                    self.schedule(
                        at,
                        Event::Arrival(Transit {
                            parcel,
                            cause,
                            order,
                            copy: true,
                        }),
                    );
                }
            }
        }
    }

    /// Notes that a parcel does not arrive; gives the trace number.
    #[cold]
    pub fn drop_parcel(&mut self, parcel: &Parcel<M, Q, R>, cause: u64, reason: DropReason) -> u64 {
        let (from, to) = parcel.ends();
        let mut stamp = self
            .digester
            .entry(Entry::Drop, self.now.0, self.ticket, party(to), party(from));
        stamp.u8(reason as u8);
        let seq = self.next_seq();
        self.trace.record(seq, self.now, Some(to), "drop", Some(cause), || {
            parcel.drop_fields(reason)
        });
        seq
    }
}
