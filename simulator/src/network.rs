//! The network: which messages pass, when they arrive, and in which order.
//!
//! Owns links, cuts, and the draws that decide a message's fate. A link goes from one endpoint to another in one direction and
//! is first-in-first-out, except for messages that a draw lets fall behind: those take an extra delay and do not hold up
//! the link. Nodes are joined with nodes and with clients, clients only with nodes. It carries no payloads and schedules
//! nothing; that is for `kernel`. What makes links unlike each other is in [`links`](LinkConfig).

mod links;

use crate::decision::{Topic, Whom};
use crate::exposure::{Exposure, FaultClass};
use crate::id::Endpoint;
use crate::latency::Latency;
use crate::random::{Ratio, Stream};
use crate::time::{Duration, Time};
use links::{Links, Passage};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use links::{LinkConfig, Shape};

/// How the network behaves. Loss, duplication and reordering apply to every link, those of clients too unless these are connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// From node to node. Its tail counts as the fault `delay-tail`.
    pub latency: Latency,
    /// Between clients and nodes, requests and responses alike.
    pub client_latency: Latency,
    /// Whether clients speak with nodes over connections, as over TCP: in order, and each message once or, where a cut or a crash breaks the
    /// connection, not at all. Then loss, duplication, reordering, damage, the characters of links and memory are of links between nodes alone.
    #[serde(default, skip_serializing_if = "is_off")]
    pub client_connections: bool,
    /// How likely a message is lost.
    pub loss: Ratio,
    /// How likely a message arrives twice.
    pub duplicate: Ratio,
    /// The second copy arrives up to this much after the first.
    pub duplicate_delay_max: Duration,
    /// How likely a message falls behind, so that later ones may overtake it.
    pub reorder: Ratio,
    /// By how much it falls behind at most.
    pub reorder_delay_max: Duration,
    /// What makes links unlike each other, bounds what they carry, and damages it.
    #[serde(default)]
    pub links: LinkConfig,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_off(flag: &bool) -> bool {
    !*flag
}

impl Default for NetworkConfig {
    /// A calm local network: 1 ms from anywhere to anywhere, no faults.
    fn default() -> Self {
        Self {
            latency: Latency::fixed(Duration::from_millis(1)),
            client_latency: Latency::fixed(Duration::from_millis(1)),
            client_connections: false,
            loss: Ratio::ZERO,
            duplicate: Ratio::ZERO,
            duplicate_delay_max: Duration::ZERO,
            reorder: Ratio::ZERO,
            reorder_delay_max: Duration::ZERO,
            links: LinkConfig::default(),
        }
    }
}

impl NetworkConfig {
    /// The same network without its faults: no loss, duplication, reordering or long tail, and plain links.
    #[must_use]
    pub fn healed(mut self) -> Self {
        (self.loss, self.duplicate, self.reorder) = (Ratio::ZERO, Ratio::ZERO, Ratio::ZERO);
        (self.latency, self.client_latency) = (self.latency.without_tail(), self.client_latency.without_tail());
        self.links = LinkConfig::default();
        self
    }
}

/// Names a cut, so that it can be mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CutId(pub u32);

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// It was lost by chance.
    Loss,
    /// Its link was cut when it was sent or when it would have arrived.
    Partition,
    /// Its receiver was down.
    Crash,
    /// It, or another that made room for it, did not fit into the queue of its link.
    Overflow,
    /// Its frame was damaged, and the receiver noticed.
    Corrupt,
}

impl DropReason {
    /// The name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Partition => "partition",
            Self::Crash => "crash",
            Self::Overflow => "overflow",
            Self::Corrupt => "corrupt",
        }
    }
}

/// What becomes of a message that is being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It arrives, unless a cut or a crash comes first.
    Passes {
        arrival: Time,
        /// When its second copy arrives, if it has one.
        copy: Option<Time>,
        /// Its number on its link.
        order: u32,
        /// Whether its frame is damaged on the way.
        damaged: bool,
    },
    Dropped(DropReason),
}

/// What distinguishes a message on its way from the first, sound one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Plain,
    /// A second copy.
    Copy,
    /// An old message that the network delivers again.
    Replayed,
    /// Its frame is damaged.
    Damaged,
}

impl Mark {
    pub fn is_copy(self) -> bool {
        matches!(self, Self::Copy | Self::Replayed)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// When the latest message that holds its place in the link arrives.
    last_arrival: Time,
    /// How many messages were sent, and the number of the youngest that arrived; both wrap.
    sent: u32,
    arrived: u32,
    /// How many cuts block it, and how many of them count as what.
    cuts: u32,
    cuts_one_way: u32,
    cuts_around_primary: u32,
}

/// What a cut is counted as when it stops a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutKind {
    pub one_way: bool,
    pub around_primary: bool,
}

#[derive(Clone, Debug)]
struct Cut {
    /// Sorted, each once.
    links: Vec<u32>,
    kind: CutKind,
}

/// The links between all endpoints, and the cuts through them.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: NetworkConfig,
    nodes: u32,
    clients: u32,
    links: Vec<Link>,
    cuts: BTreeMap<CutId, Cut>,
    /// Of each link, the cuts that have stopped no message of it yet.
    fresh: Vec<BTreeSet<CutId>>,
    /// The cuts that stopped something.
    effective: BTreeSet<CutId>,
    /// What the links are like, from the first time on that they are not plain.
    characters: Option<Box<Links>>,
    /// The stream that links draw from once they are not plain.
    link_stream: Stream,
}

impl Network {
    pub fn new(config: NetworkConfig, nodes: u16, clients: u16, link_stream: Stream) -> Self {
        let (nodes, clients) = (u32::from(nodes), u32::from(clients));
        let links = nodes as usize * (nodes as usize + 2 * clients as usize);
        let mut network = Self {
            config,
            nodes,
            clients,
            links: vec![Link::default(); links],
            cuts: BTreeMap::new(),
            fresh: vec![BTreeSet::new(); links],
            effective: BTreeSet::new(),
            characters: None,
            link_stream,
        };
        network.configure(config);
        network
    }

    /// Changes how the network behaves for messages sent from now on.
    pub fn configure(&mut self, config: NetworkConfig) {
        self.config = config;
        if self.characters.is_none() && !config.links.is_plain() {
            let stream = self.link_stream.clone();
            self.characters = Some(Box::new(Links::new(stream, self.links.len(), &config.links)));
        }
    }

    /// What links draw from, plain or not.
    pub fn link_stream(&self) -> &Stream {
        self.characters.as_deref().map_or(&self.link_stream, Links::stream)
    }

    /// The same, to be replaced.
    pub fn link_stream_mut(&mut self) -> &mut Stream {
        self.characters
            .as_deref_mut()
            .map_or(&mut self.link_stream, Links::stream_mut)
    }

    /// The index of the link from one endpoint to another; none between clients.
    #[inline]
    fn link(&self, from: Endpoint, to: Endpoint) -> Option<usize> {
        let (nodes, clients) = (self.nodes as usize, self.clients as usize);
        let requests = nodes * nodes;
        let responses = requests + clients * nodes;
        match (from, to) {
            (Endpoint::Node(from), Endpoint::Node(to)) => Some(from.index() * nodes + to.index()),
            (Endpoint::Client(from), Endpoint::Node(to)) => Some(requests + from.index() * nodes + to.index()),
            (Endpoint::Node(from), Endpoint::Client(to)) => Some(responses + to.index() * nodes + from.index()),
            (Endpoint::Client(_), Endpoint::Client(_)) => None,
        }
    }

    #[inline]
    fn expect_link(&self, from: Endpoint, to: Endpoint) -> usize {
        self.link(from, to)
            .expect("network: clients are not joined with each other")
    }

    /// Decides what becomes of a message; `size` gives its bytes. From `stream` it takes the same draws whether the link is
    /// cut or not, and whatever it is like.
    #[inline]
    pub fn send(
        &mut self,
        now: Time,
        (from, to): (Endpoint, Endpoint),
        size: impl FnOnce() -> u64,
        stream: &mut Stream,
        seen: &mut Exposure,
    ) -> Sent {
        let index = self.expect_link(from, to);
        let config = &self.config;
        let between_nodes = index < (self.nodes * self.nodes) as usize;
        let latency = if between_nodes {
            &config.latency
        } else {
            &config.client_latency
        };
        stream.about(Topic::Loss, Whom::Link(from, to));
        let is_connection = !between_nodes && config.client_connections;
        let lost = stream.chance(config.loss) && !is_connection;
        stream.topic(Topic::Delay);
        let (mut delay, in_tail) = latency.draw(stream);
        stream.topic(Topic::Behind);
        let behind = perhaps(stream, config.reorder, config.reorder_delay_max);
        let mut behind = behind.filter(|_| !is_connection);
        stream.topic(Topic::Copy);
        let twice = perhaps(stream, config.duplicate, config.duplicate_delay_max);
        let twice = twice.filter(|_| !is_connection);
        let link = &mut self.links[index];
        if link.cuts > 0 {
            self.count_stopped(index, seen);
            return Sent::Dropped(DropReason::Partition);
        }
        if lost {
            seen.add(FaultClass::Loss);
            return Sent::Dropped(DropReason::Loss);
        }
        if in_tail {
            seen.add(FaultClass::DelayTail);
        }
        let order = link.sent.wrapping_add(1);
        let mut is_damaged = false;
        let is_plain = is_connection || config.links.is_plain();
        if let Some(characters) = self.characters.as_deref_mut().filter(|_| !is_plain) {
            characters.about(from, to);
            let message = (order, if config.links.bandwidth > 0 { size() } else { 0 });
            match characters.pass(index, message, (now, &config.links), (latency, delay), seen) {
                Passage::Passes {
                    delay: in_all,
                    behind: falls_behind,
                    damaged,
                } => {
                    (delay, is_damaged) = (in_all, damaged);
                    behind = behind.or(falls_behind.then_some(Duration::ZERO));
                }
                Passage::Overflow => return Sent::Dropped(DropReason::Overflow),
            }
        }
        let arrival = if let Some(extra) = behind {
            now + delay + extra
        } else {
            link.last_arrival = link.last_arrival.max(now + delay);
            link.last_arrival
        };
        link.sent = order;
        Sent::Passes {
            arrival,
            copy: twice.map(|extra| arrival + extra),
            order,
            damaged: is_damaged,
        }
    }

    /// Lets a message through that comes to the end of its link, unless the link is cut by now or its queue had no room;
    /// else says why.
    #[inline]
    pub fn arrive(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        order: u32,
        mark: Mark,
        seen: &mut Exposure,
    ) -> Option<DropReason> {
        let index = self.expect_link(from, to);
        if self.links[index].cuts > 0 {
            self.count_stopped(index, seen);
            return Some(DropReason::Partition);
        }
        let characters = self.characters.as_deref_mut().filter(|_| !mark.is_copy());
        let dropped = characters.is_some_and(|characters| characters.was_dropped(index, order));
        dropped.then_some(DropReason::Overflow)
    }

    /// Notes that a message was delivered, and counts it if it is a second copy or out of order.
    #[inline]
    pub fn delivered(&mut self, from: Endpoint, to: Endpoint, order: u32, mark: Mark, seen: &mut Exposure) {
        let index = self.expect_link(from, to);
        let link = &mut self.links[index];
        if mark == Mark::Copy {
            seen.add(FaultClass::Duplicate);
        } else if mark == Mark::Replayed {
            seen.add(FaultClass::Replay);
        } else if order.wrapping_sub(link.arrived) > u32::MAX / 2 {
            seen.add(FaultClass::Reorder);
        } else {
            link.arrived = order;
        }
    }

    /// Blocks the links from each of `from` to each of `to`, and back unless the cut is one-way. A cut of the same name is
    /// mended first.
    pub fn cut(&mut self, id: CutId, from: &[Endpoint], to: &[Endpoint], kind: CutKind) {
        self.mend(id);
        let links = self.links_between(from, to, kind.one_way);
        for &index in &links {
            let link = &mut self.links[index as usize];
            link.cuts += 1;
            link.cuts_one_way += u32::from(kind.one_way);
            link.cuts_around_primary += u32::from(kind.around_primary);
            self.fresh[index as usize].insert(id);
        }
        self.cuts.insert(id, Cut { links, kind });
    }

    /// The links from each of `from` to each of `to`, and back unless one way is meant: sorted, each once.
    pub fn links_between(&self, from: &[Endpoint], to: &[Endpoint], one_way: bool) -> Vec<u32> {
        let mut links = Vec::new();
        for (&from, &to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
            if from == to {
                continue;
            }
            links.extend(self.link(from, to).map(|index| index as u32));
            if !one_way {
                links.extend(self.link(to, from).map(|index| index as u32));
            }
        }
        links.sort_unstable();
        links.dedup();
        links
    }

    /// The number of the link from one endpoint to another, as in [`Network::links_between`].
    pub fn link_number(&self, from: Endpoint, to: Endpoint) -> u32 {
        self.expect_link(from, to) as u32
    }

    /// Unblocks the links of a cut; false when there is none of this name.
    pub fn mend(&mut self, id: CutId) -> bool {
        let Some(cut) = self.cuts.remove(&id) else { return false };
        for index in cut.links {
            let link = &mut self.links[index as usize];
            link.cuts = link
                .cuts
                .checked_sub(1)
                .expect("network: a link has fewer cuts than the cuts through it");
            link.cuts_one_way -= u32::from(cut.kind.one_way);
            link.cuts_around_primary -= u32::from(cut.kind.around_primary);
            self.fresh[index as usize].remove(&id);
        }
        true
    }

    /// Whether messages from one endpoint to the other go over a connection.
    pub fn is_connection(&self, from: Endpoint, to: Endpoint) -> bool {
        let is_client = |end| matches!(end, Endpoint::Client(_));
        self.config.client_connections && (is_client(from) || is_client(to))
    }

    /// Whether there is a cut of this name.
    pub fn has_cut(&self, id: CutId) -> bool {
        self.cuts.contains_key(&id)
    }

    /// The cuts that stopped something so far.
    pub fn effective(&self) -> &BTreeSet<CutId> {
        &self.effective
    }

    /// Mends all cuts and ends all faults.
    pub fn heal(&mut self) {
        while let Some((&id, _)) = self.cuts.first_key_value() {
            self.mend(id);
        }
        self.config = self.config.healed();
        if let Some(characters) = &mut self.characters {
            characters.clear();
            // Whatever still creeps along a slow or crowded link holds up nothing that is sent from now on.
            self.links.iter_mut().for_each(|link| link.last_arrival = Time::ZERO);
        }
    }

    /// Whether a message from one endpoint to the other would be stopped by a cut now.
    pub fn is_cut(&self, from: Endpoint, to: Endpoint) -> bool {
        self.link(from, to).is_none_or(|index| self.links[index].cuts > 0)
    }

    /// Every cut through the link counts.
    #[cold]
    fn count_stopped(&mut self, index: usize, seen: &mut Exposure) {
        let link = &self.links[index];
        let both_ways = link.cuts - link.cuts_one_way;
        seen.add_many(FaultClass::OneWayPartition, link.cuts_one_way);
        seen.add_many(FaultClass::Partition, both_ways);
        seen.add_many(FaultClass::IsolatePrimary, link.cuts_around_primary);
        self.effective.append(&mut self.fresh[index]);
    }
}

/// A span up to `max` with the probability `ratio`: one decision.
#[inline]
fn perhaps(stream: &mut Stream, ratio: Ratio, max: Duration) -> Option<Duration> {
    let more = stream.decide(0, |stream| {
        let span = stream.chance(ratio).then(|| stream.duration(Duration::ZERO, max));
        span.map_or(0, |span| span.0.saturating_add(1))
    });
    more.checked_sub(1).map(Duration)
}

#[cfg(test)]
mod tests;
