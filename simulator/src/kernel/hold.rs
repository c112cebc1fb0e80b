//! Messages that are held at the end of their links until something is released: clogged links, and chosen messages.
//!
//! Owns who is held by what, in which order they go on, and their count. What is released comes to the end of its link again,
//! so cuts and other holds apply to it. Where a crowd of holds follow one another on a link, what waits there stays until the
//! last of the crowd is gone, so that the work for a message does not grow with their number.

use super::Kernel;
use crate::event::{Event, Transit};
use crate::exposure::FaultClass;
use crate::fault::Held;
use crate::id::Endpoint;
use crate::network::CutId;
use crate::process::Payload;
use crate::step::Halt;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// From so many other holds of a link on, a hold that ends leaves what it has to the next one, instead of letting each message
/// come up and be held again.
const CROWD: usize = 16;

/// Held messages of one link, each with its place in the order in which all held messages came.
type Waiting<M, Q, R> = Vec<(u64, Transit<M, Q, R>)>;

/// Something that holds messages.
#[derive(Clone, Debug)]
struct Hold<M, Q, R> {
    id: CutId,
    /// Sorted, each once.
    links: Vec<u32>,
    chosen: Held,
    /// How many messages fitted so far.
    fitting: u32,
    /// What it holds, by link.
    waiting: BTreeMap<u32, Waiting<M, Q, R>>,
}

/// All holds of a world.
#[derive(Clone, Debug)]
pub(crate) struct Holds<M, Q, R> {
    /// By their place in the order in which they began.
    holds: BTreeMap<u64, Hold<M, Q, R>>,
    places: BTreeMap<CutId, u64>,
    /// Of each link, the places of the holds that may still take something of it.
    on_link: BTreeMap<u32, BTreeSet<u64>>,
    begun: u64,
    /// How many messages were held so far, and how many are.
    taken: u64,
    held: usize,
    /// The holds that held something.
    effective: BTreeSet<CutId>,
}

impl<M, Q, R> Default for Holds<M, Q, R> {
    fn default() -> Self {
        Self {
            holds: BTreeMap::new(),
            places: BTreeMap::new(),
            on_link: BTreeMap::new(),
            begun: 0,
            taken: 0,
            held: 0,
            effective: BTreeSet::new(),
        }
    }
}

impl<M: Payload, Q: Payload, R: Payload> Holds<M, Q, R> {
    /// Whether nothing holds anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// The holds that held something so far.
    pub fn effective(&self) -> &BTreeSet<CutId> {
        &self.effective
    }

    fn begin(&mut self, id: CutId, links: Vec<u32>, chosen: &Held) {
        self.begun += 1;
        let place = self.begun;
        for &link in &links {
            self.on_link.entry(link).or_default().insert(place);
        }
        self.places.insert(id, place);
        let hold = Hold {
            id,
            links,
            chosen: chosen.clone(),
            fitting: 0,
            waiting: BTreeMap::new(),
        };
        self.holds.insert(place, hold);
    }

    fn forget(&mut self, link: u32, place: u64) {
        if let Some(places) = self.on_link.get_mut(&link) {
            places.remove(&place);
            if places.is_empty() {
                self.on_link.remove(&link);
            }
        }
    }

    /// The hold that takes a message of this link and kind, if one does.
    fn taker(&mut self, link: u32, kind: &str) -> Option<u64> {
        let mut spent = Vec::new();
        let mut taker = None;
        for &place in self.on_link.get(&link)? {
            let hold = self.holds.get_mut(&place)?;
            match hold.takes(kind) {
                Takes::It => {
                    taker = Some(place);
                    break;
                }
                Takes::NothingMore => spent.push(place),
                Takes::NotThis => {}
            }
        }
        for place in spent {
            self.forget(link, place);
        }
        taker
    }

    /// Ends a hold and gives what is to go on, in order. What another hold clogs stays.
    fn end(&mut self, id: CutId) -> Vec<Transit<M, Q, R>> {
        let Some(place) = self.places.remove(&id) else {
            return Vec::new();
        };
        let Some(mut hold) = self.holds.remove(&place) else {
            return Vec::new();
        };
        for &link in &hold.links {
            self.forget(link, place);
        }
        let mut released: Vec<(u64, Transit<M, Q, R>)> = Vec::new();
        for (link, transits) in std::mem::take(&mut hold.waiting) {
            let others = self.on_link.get(&link).filter(|places| places.len() >= CROWD);
            let next = others.and_then(|places| places.first());
            match next.and_then(|place| self.holds.get_mut(place)) {
                Some(next) if next.chosen.is_all() => {
                    self.effective.insert(next.id);
                    next.waiting.entry(link).or_default().extend(transits);
                }
                _ => released.extend(transits),
            }
        }
        self.held -= released.len();
        released.sort_unstable_by_key(|(number, _)| *number);
        let mut released: Vec<_> = released.into_iter().map(|(_, transit)| transit).collect();
        if hold.chosen.reversed {
            released.reverse();
        }
        released
    }
}

/// What a hold makes of a message of its links.
enum Takes {
    It,
    NotThis,
    /// Neither this nor any that comes later.
    NothingMore,
}

impl<M: Payload, Q: Payload, R: Payload> Hold<M, Q, R> {
    /// Whether it takes a message that fits its links; counts it if it is of the chosen kind.
    fn takes(&mut self, kind: &str) -> Takes {
        if self.chosen.kind.as_ref().is_some_and(|chosen| chosen != kind) {
            return Takes::NotThis;
        }
        let end = self
            .chosen
            .count
            .map_or(u32::MAX, |count| self.chosen.skip.saturating_add(count));
        let number = self.fitting;
        self.fitting = self.fitting.saturating_add(1);
        if number >= end {
            Takes::NothingMore
        } else if number < self.chosen.skip {
            Takes::NotThis
        } else {
            Takes::It
        }
    }
}

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// From now on holds messages of the links from each of `from` to each of `to`. A hold of the same name is released first.
    pub fn hold(&mut self, id: CutId, from: &[Endpoint], to: &[Endpoint], one_way: bool, chosen: &Held) {
        self.release(id);
        let links = self.network.links_between(from, to, one_way);
        self.holds.begin(id, links, chosen);
    }

    /// Whether there is a hold of this name.
    pub fn has_hold(&self, id: CutId) -> bool {
        self.holds.places.contains_key(&id)
    }

    /// Ends a hold: what it holds comes to the end of its links now, in order or the other way round, unless another hold
    /// clogs its link.
    pub fn release(&mut self, id: CutId) {
        for transit in self.holds.end(id) {
            self.schedule(self.now, Event::Arrival(transit));
        }
    }

    /// Ends all holds.
    pub fn release_all(&mut self) {
        let mut all: Vec<CutId> = self.holds.holds.values().map(|hold| hold.id).collect();
        for id in all.drain(..) {
            self.release(id);
        }
    }

    /// Gives a message that comes to the end of its link to the first hold that takes it, if any does.
    #[cold]
    pub fn try_hold(&mut self, transit: Transit<M, Q, R>) -> Result<(), Transit<M, Q, R>> {
        let (from, to) = transit.parcel.ends();
        let link = self.network.link_number(from, to);
        let kind = transit.parcel.kind();
        let Some(place) = self.holds.taker(link, kind) else {
            return Err(transit);
        };
        let seq = self.next_seq();
        let Self { holds, exposure, .. } = self;
        let hold = holds.holds.get_mut(&place).expect("holds: the one that takes is there");
        exposure.add(if hold.chosen.is_all() {
            FaultClass::Clog
        } else {
            FaultClass::Hold
        });
        holds.effective.insert(hold.id);
        let (id, cause) = (hold.id, transit.cause);
        holds.taken += 1;
        holds.held += 1;
        hold.waiting.entry(link).or_default().push((holds.taken, transit));
        self.trace.record(
            seq,
            self.now,
            Some(to),
            "hold",
            Some(cause),
            || json!({ "from": from, "to": to, "type": kind, "id": id }),
        );
        let held = self.holds.held;
        if !self.queue.has_room_for(held) && self.halt.is_none() {
            self.halt = Some(Halt::QueueFull {
                at: self.now,
                queued: self.queue.len() + held,
            });
        }
        Ok(())
    }
}
