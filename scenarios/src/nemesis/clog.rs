//! Strikes that let messages wait: clogged nodes and links, chosen messages that are held.

use super::{Planner, aim};
use crate::scenario::{DurationRange, Side, Target};
use simulator::{Endpoint, FaultAction, Held, NodeId, OneWay, Target as Aim, Time};

impl Planner<'_> {
    /// Holds the chosen messages of one node; all of them clogs it.
    pub(super) fn hold(
        &mut self,
        at: Time,
        lasts: DurationRange,
        (target, side, with_clients): (Target, Side, bool),
        chosen: Held,
    ) {
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::HoldAround {
                id,
                target: aim(target),
                one_way: one_way(side),
                with_clients,
                chosen,
            },
        );
        let until = at + self.span(lasts);
        self.add_end(until, FaultAction::Release { id });
    }

    pub(super) fn clog_link(&mut self, at: Time, lasts: DurationRange) {
        let nodes = u64::from(self.draw.all_nodes());
        if nodes < 2 {
            return;
        }
        let from = self.stream.below(nodes);
        let to = (from + 1 + self.stream.below(nodes - 1)) % nodes;
        let id = self.cut_id();
        self.add(
            at,
            FaultAction::Hold {
                id,
                from: vec![Endpoint::Node(NodeId(from as u16))],
                to: vec![Endpoint::Node(NodeId(to as u16))],
                one_way: true,
                chosen: Held::default(),
            },
        );
        let until = at + self.span(lasts);
        self.add_end(until, FaultAction::Release { id });
    }

    /// Some of the nodes, one after another in random order, as long as faults strike; then they are released in another random order.
    pub(super) fn swizzle_clog(&mut self, at: Time, lasts: DurationRange, gap: DurationRange, end: Time) {
        let mut nodes: Vec<u16> = (0..self.draw.all_nodes()).collect();
        self.stream.shuffle(&mut nodes);
        let count = self.stream.range(1, nodes.len() as u64) as usize;
        nodes.truncate(count);
        let mut clogged = Vec::with_capacity(count);
        let mut at = at;
        for node in nodes {
            if at >= end {
                break;
            }
            let id = self.cut_id();
            let target = Aim::Node(NodeId(node));
            self.add(
                at,
                FaultAction::HoldAround {
                    id,
                    target,
                    one_way: OneWay::None,
                    with_clients: true,
                    chosen: Held::default(),
                },
            );
            clogged.push(id);
            at += self.span(gap);
        }
        at += self.span(lasts);
        self.stream.shuffle(&mut clogged);
        for id in clogged {
            self.add_end(at, FaultAction::Release { id });
            at += self.span(gap);
        }
    }
}

fn one_way(side: Side) -> OneWay {
    match side {
        Side::Both => OneWay::None,
        Side::In => OneWay::In,
        Side::Out => OneWay::Out,
    }
}
