//! What is sent: from an effect to its arrivals in the queue, or to its drop.

use super::Kernel;
use crate::decision::{Topic, Whom};
use crate::digest::Entry;
use crate::event::{Event, Parcel, Transit, party};
use crate::exposure::FaultClass;
use crate::id::{ClientId, NodeId};
use crate::network::{DropReason, Mark, Sent};
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
        if self.blown.is_some() {
            return;
        }
        let (from, to) = parcel.ends();
        let cause = self.note(Some(from), "send", || parcel.fields());
        let Self {
            network,
            network_stream,
            exposure,
            ..
        } = self;
        match network.send(self.now, (from, to), || parcel.size(), network_stream, exposure) {
            Sent::Dropped(reason) => {
                self.drop_parcel(&parcel, cause, reason);
            }
            Sent::Passes {
                arrival,
                copy,
                order,
                damaged,
            } => {
                let memory = self.network.config.links.memory;
                if memory > 0 && !self.network.is_connection(from, to) {
                    self.memory.offer(&parcel, cause, order, memory);
                }
                let copy = copy.map(|at| (at, parcel.clone()));
                let mark = if damaged { Mark::Damaged } else { Mark::Plain };
                let transit = |parcel, mark| Transit {
                    parcel,
                    cause,
                    order,
                    mark,
                };
                self.schedule(arrival, Event::Arrival(transit(parcel, mark)));
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
                    self.schedule(at, Event::Arrival(transit(parcel, Mark::Copy)));
                }
            }
        }
    }

    /// Lets a receiver read a damaged frame: what it makes of it, or back the transit if it notices.
    #[cold]
    pub fn read_damaged(&mut self, transit: Transit<M, Q, R>) -> Result<Transit<M, Q, R>, Transit<M, Q, R>> {
        let (from, to) = transit.parcel.ends();
        self.damage_stream.about(Topic::Frame, Whom::Link(from, to));
        match transit.parcel.clone().damaged(&mut self.damage_stream) {
            None => {
                self.exposure.add(FaultClass::Corrupt);
                Err(transit)
            }
            Some(parcel) => {
                self.exposure.add_undetected();
                Ok(Transit {
                    parcel,
                    mark: Mark::Plain,
                    ..transit
                })
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
