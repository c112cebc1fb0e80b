//! Strikes on the network: partitions, isolated nodes, links that work one way.

use super::shape::Shape;
use super::{Planner, aim};
use crate::scenario::{CutLinks, Direction, DurationRange, FaultKind, Split, Target};
use simulator::{ClientId, CutId, Endpoint, FaultAction, Held, NodeId, OneWay, Time};

impl Planner<'_> {
    /// Plans one strike.
    pub(super) fn network(&mut self, at: Time, kind: &FaultKind, end: Time) {
        match *kind {
            FaultKind::Partition { lasts, split, clients } => self.partition(at, lasts, split, clients),
            FaultKind::CutClients { lasts } => self.cut_clients(at, lasts),
            FaultKind::CutLinks { links, lasts } => self.cut_links(at, lasts, &links),
            FaultKind::Isolate {
                target,
                lasts,
                clients,
                keeps,
            } => self.isolate(at, lasts, (target, OneWay::None), clients, keeps),
            FaultKind::OneWay {
                target,
                direction,
                lasts,
                clients,
            } => {
                let inwards = self.stream.below(2) == 0;
                let one_way = match direction {
                    Direction::Out => OneWay::Out,
                    Direction::Any if !inwards => OneWay::Out,
                    Direction::In | Direction::Any => OneWay::In,
                };
                self.isolate(at, lasts, (target, one_way), clients, 0);
            }
            FaultKind::Clog {
                target,
                side,
                lasts,
                clients,
            } => self.hold(at, lasts, (target, side, clients), Held::default()),
            FaultKind::ClogLink { lasts } => self.clog_link(at, lasts),
            FaultKind::SwizzleClog { lasts, gap } => self.swizzle_clog(at, lasts, gap, end),
            FaultKind::Hold {
                target,
                side,
                message,
                skip,
                count,
                lasts,
                reversed,
            } => {
                let chosen = Held {
                    kind: message.map(str::to_owned),
                    skip,
                    count: Some(count),
                    reversed,
                };
                self.hold(at, lasts, (target, side, false), chosen);
            }
            FaultKind::ReplayOld { messages } => self.add(at, FaultAction::Replay { count: messages }),
            _ => unreachable!("nemesis: {} is no fault of the network", kind.name()),
        }
    }

    pub(super) fn partition(&mut self, at: Time, lasts: DurationRange, split: Split, clients: bool) {
        let nodes = self.draw.all_nodes();
        if nodes < 2 {
            return;
        }
        let mut order: Vec<u16> = (0..nodes).collect();
        self.stream.shuffle(&mut order);
        let size = match split {
            Split::Random => self.stream.range(1, u64::from(nodes) - 1),
            Split::Minority => self.stream.range(1, (u64::from(nodes - 1) / 2).max(1)),
            _ => 0,
        };
        let Shape { apart, sides } = Shape::new(split, &order, size as usize);
        let between = |(one, other): &(Vec<u16>, Vec<u16>)| (endpoints(one), endpoints(other));
        let mut cuts: Vec<_> = apart.iter().map(between).collect();
        for client in (0..self.draw.clients).filter(|_| clients) {
            let side = &sides[self.stream.below(sides.len() as u64) as usize];
            let lost: Vec<u16> = (0..nodes).filter(|node| !side.contains(node)).collect();
            cuts.push((vec![Endpoint::Client(ClientId(client))], endpoints(&lost)));
        }
        let until = at + self.span(lasts);
        for (from, to) in cuts {
            self.cut(at, until, from, to);
        }
    }

    fn cut_clients(&mut self, at: Time, lasts: DurationRange) {
        let some = |planner: &mut Self, count: u16| {
            let mut all: Vec<u16> = (0..count).collect();
            planner.stream.shuffle(&mut all);
            all.truncate(planner.stream.range(1, u64::from(count)) as usize);
            all
        };
        let (clients, nodes) = (some(self, self.draw.clients), some(self, self.draw.all_nodes()));
        let clients = clients.into_iter().map(|client| Endpoint::Client(ClientId(client)));
        let until = at + self.span(lasts);
        self.cut(at, until, clients.collect(), endpoints(&nodes));
    }

    /// Each link is a cut of its own, so that shrinking may leave some out; they mend together.
    fn cut_links(&mut self, at: Time, lasts: DurationRange, links: &CutLinks) {
        let until = at + self.span(lasts);
        for (from, to, one_way) in links.links() {
            let id = self.cut_id();
            self.add(
                at,
                FaultAction::Cut {
                    id,
                    from: endpoints(&[from]),
                    to: endpoints(&[to]),
                    one_way,
                },
            );
            self.add(until, FaultAction::Mend { id });
        }
    }

    fn cut(&mut self, at: Time, until: Time, from: Vec<Endpoint>, to: Vec<Endpoint>) {
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::Cut {
                id,
                from,
                to,
                one_way: false,
            },
        );
        self.add_end(until, FaultAction::Mend { id });
    }

    fn isolate(
        &mut self,
        at: Time,
        lasts: DurationRange,
        (target, one_way): (Target, OneWay),
        with_clients: bool,
        keeps: u32,
    ) {
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::Isolate {
                id,
                target: aim(target),
                one_way,
                with_clients,
                keeps: u16::try_from(keeps).expect("bounded by the scenario format"),
            },
        );
        self.mend(at, lasts, id);
    }

    pub(super) fn mend(&mut self, at: Time, lasts: DurationRange, id: CutId) {
        let until = at + self.span(lasts);
        self.add_end(until, FaultAction::Mend { id });
    }

    pub(super) fn cut_id(&mut self) -> CutId {
        self.next_cut += 1;
        CutId(self.next_cut)
    }
}

fn endpoints(nodes: &[u16]) -> Vec<Endpoint> {
    nodes.iter().map(|id| Endpoint::Node(NodeId(*id))).collect()
}
