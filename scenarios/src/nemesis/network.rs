//! Strikes on the network: partitions, isolated nodes, links that work one way.

use super::{Planner, aim};
use crate::scenario::{Direction, DurationRange, FaultKind, Split, Target};
use simulator::{ClientId, CutId, Endpoint, FaultAction, NodeId, OneWay, Time};

impl Planner<'_> {
    /// Plans one strike.
    pub(super) fn network(&mut self, at: Time, kind: &FaultKind) {
        match *kind {
            FaultKind::Partition { lasts, split, clients } => self.partition(at, lasts, split, clients),
            FaultKind::Isolate { target, lasts, clients } => {
                self.isolate(at, lasts, target, OneWay::None, clients);
            }
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
                self.isolate(at, lasts, target, one_way, clients);
            }
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
            Split::Even => nodes / 2,
            Split::Random => self.stream.range(1, u64::from(nodes) - 1) as u16,
        };
        let (one, other) = order.split_at(usize::from(size));
        let endpoints = |ids: &[u16]| ids.iter().map(|id| Endpoint::Node(NodeId(*id))).collect::<Vec<_>>();
        let (mut from, mut to) = (endpoints(one), endpoints(other));
        for client in (0..self.draw.clients).filter(|_| clients) {
            let side = if self.stream.below(2) == 0 { &mut from } else { &mut to };
            side.push(Endpoint::Client(ClientId(client)));
        }
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
        self.mend(at, lasts, id);
    }

    pub(super) fn isolate(
        &mut self,
        at: Time,
        lasts: DurationRange,
        target: Target,
        one_way: OneWay,
        with_clients: bool,
    ) {
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::Isolate {
                id,
                target: aim(target),
                one_way,
                with_clients,
            },
        );
        self.mend(at, lasts, id);
    }

    pub(super) fn mend(&mut self, at: Time, lasts: DurationRange, id: CutId) {
        let until = at + self.span(lasts);
        self.add(until, FaultAction::Mend { id });
    }

    pub(super) fn cut_id(&mut self) -> CutId {
        self.next_cut += 1;
        CutId(self.next_cut)
    }
}
