//! What the network remembers: a sample of old messages that may be delivered again, much later and across elections.
//!
//! The sample is bounded; each new message takes the place of a random old one in one case of eight, so that some are recent
//! and some are from long ago. Draws from the stream `replay`, and only while the network remembers.

use super::Kernel;
use crate::decision::Topic;
use crate::event::{Event, Parcel, Transit};
use crate::network::Mark;
use crate::process::Payload;
use crate::random::Stream;
use serde_json::json;

/// A new message replaces an old one in one of so many cases.
const REPLACED_OF: u64 = 8;

/// The sample.
#[derive(Clone, Debug)]
pub(crate) struct Memory<M, Q, R> {
    stream: Stream,
    transits: Vec<Transit<M, Q, R>>,
}

impl<M: Payload, Q: Payload, R: Payload> Memory<M, Q, R> {
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            transits: Vec::new(),
        }
    }

    /// What the sample is drawn from.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The same, to be replaced.
    pub fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Keeps a message, or not.
    pub fn offer(&mut self, parcel: &Parcel<M, Q, R>, cause: u64, order: u32, most: u32) {
        self.stream.topic(Topic::Replay);
        let is_full = self.transits.len() >= most as usize;
        if is_full && self.stream.below(REPLACED_OF) > 0 {
            return;
        }
        let transit = Transit {
            parcel: parcel.clone(),
            cause,
            order,
            mark: Mark::Replayed,
        };
        if is_full {
            let index = self.stream.below(self.transits.len() as u64) as usize;
            self.transits[index] = transit;
        } else {
            self.transits.push(transit);
        }
    }
}

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// Whether the network remembers any message.
    pub fn remembers(&self) -> bool {
        !self.memory.transits.is_empty()
    }

    /// Sends so many of the remembered messages again, each drawn from all of them, with a latency of now.
    pub fn replay(&mut self, count: u32) {
        for _ in 0..count {
            self.memory.stream.topic(Topic::Replay);
            let Some(transit) = self.memory.stream.pick(&self.memory.transits).cloned() else {
                return;
            };
            let (delay, _) = self.network.config.latency.without_tail().draw(&mut self.memory.stream);
            let (from, to) = transit.parcel.ends();
            let seq = self.next_seq();
            self.trace.record(
                seq,
                self.now,
                Some(from),
                "replay",
                Some(transit.cause),
                || json!({ "from": from, "to": to }),
            );
            self.schedule(self.now + delay, Event::Arrival(transit));
        }
    }

    /// Forgets all messages.
    pub fn forget(&mut self) {
        self.memory.transits.clear();
    }
}
