//! Messages that are held at the end of their links until something is released: clogged links, and chosen messages.
//!
//! Owns who is held by what, in which order they go on, and their count. What is released comes to the end of its link again,
//! so cuts and other holds apply to it.

use super::Kernel;
use crate::event::{Event, Transit};
use crate::exposure::FaultClass;
use crate::fault::Held;
use crate::id::Endpoint;
use crate::network::CutId;
use crate::process::Payload;
use crate::step::Halt;
use serde_json::json;

/// Something that holds messages.
#[derive(Clone, Debug)]
pub(crate) struct Hold<M, Q, R> {
    id: CutId,
    /// Sorted, each once.
    links: Vec<u32>,
    chosen: Held,
    /// How many messages fitted so far.
    fitting: u32,
    transits: Vec<Transit<M, Q, R>>,
}

impl<M: Payload, Q: Payload, R: Payload> Hold<M, Q, R> {
    /// Whether it takes a message that fits its links; counts it if it is of the chosen kind.
    fn takes(&mut self, kind: &str) -> bool {
        if self.chosen.kind.as_ref().is_some_and(|chosen| chosen != kind) {
            return false;
        }
        self.fitting = self.fitting.saturating_add(1);
        let number = self.fitting - 1;
        let end = self
            .chosen
            .count
            .map_or(u32::MAX, |count| self.chosen.skip.saturating_add(count));
        (self.chosen.skip..end).contains(&number)
    }
}

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// From now on holds messages of the links from each of `from` to each of `to`. A hold of the same name is released first.
    pub fn hold(&mut self, id: CutId, from: &[Endpoint], to: &[Endpoint], one_way: bool, chosen: &Held) {
        self.release(id);
        self.holds.push(Hold {
            id,
            links: self.network.links_between(from, to, one_way),
            chosen: chosen.clone(),
            fitting: 0,
            transits: Vec::new(),
        });
    }

    /// Whether there is a hold of this name.
    pub fn has_hold(&self, id: CutId) -> bool {
        self.holds.iter().any(|hold| hold.id == id)
    }

    /// Ends a hold: what it holds comes to the end of its links now, in order or the other way round.
    pub fn release(&mut self, id: CutId) {
        let Some(index) = self.holds.iter().position(|hold| hold.id == id) else {
            return;
        };
        let mut hold = self.holds.remove(index);
        if hold.chosen.reversed {
            hold.transits.reverse();
        }
        for transit in hold.transits {
            self.schedule(self.now, Event::Arrival(transit));
        }
    }

    /// Ends all holds.
    pub fn release_all(&mut self) {
        while let Some(id) = self.holds.first().map(|hold| hold.id) {
            self.release(id);
        }
    }

    /// Gives a message that comes to the end of its link to the first hold that takes it, if any does.
    #[cold]
    pub fn try_hold(&mut self, transit: Transit<M, Q, R>) -> Result<(), Transit<M, Q, R>> {
        let (from, to) = transit.parcel.ends();
        let link = self.network.link_number(from, to);
        let kind = transit.parcel.kind();
        let takes = |hold: &mut Hold<M, Q, R>| hold.links.binary_search(&link).is_ok() && hold.takes(kind);
        let Some(index) = self.holds.iter_mut().position(takes) else {
            return Err(transit);
        };
        let class = if self.holds[index].chosen.is_all() {
            FaultClass::Clog
        } else {
            FaultClass::Hold
        };
        self.exposure.add(class);
        let (seq, id) = (self.next_seq(), self.holds[index].id);
        self.trace.record(
            seq,
            self.now,
            Some(to),
            "hold",
            Some(transit.cause),
            || json!({ "from": from, "to": to, "type": kind, "id": id }),
        );
        self.holds[index].transits.push(transit);
        let held: usize = self.holds.iter().map(|hold| hold.transits.len()).sum();
        if !self.queue.has_room_for(held) && self.halt.is_none() {
            self.halt = Some(Halt::QueueFull {
                at: self.now,
                queued: self.queue.len() + held,
            });
        }
        Ok(())
    }
}
