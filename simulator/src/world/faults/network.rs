//! Faults of the network: cuts and holds around groups and around single nodes.

use super::describe;
use crate::client::ClientOf;
use crate::decision::Topic;
use crate::fault::{FaultAction, Held, OneWay};
use crate::id::{Endpoint, NodeId};
use crate::network::{CutId, CutKind};
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::world::World;
use serde_json::json;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    pub(super) fn cut(
        &mut self,
        id: CutId,
        from: &[Endpoint],
        to: &[Endpoint],
        kind: CutKind,
        node: Option<NodeId>,
        action: &FaultAction,
    ) -> Step {
        self.kernel.network.cut(id, from, to, kind);
        self.record(node, "cut", StepKind::Cut { id }, || {
            let mut fields = describe(action);
            fields["from"] = json!(from);
            fields["to"] = json!(to);
            fields["one_way"] = kind.one_way.into();
            fields
        })
    }

    /// Whom a node is cut off from when it keeps so many of the other nodes.
    pub(super) fn cut_off(&mut self, node: NodeId, with_clients: bool, keeps: u16) -> Vec<Endpoint> {
        let mut nodes: Vec<NodeId> = self.nodes().filter(|other| *other != node).collect();
        if keeps > 0 {
            self.kernel.fault_stream.topic(Topic::Target);
            self.kernel.fault_stream.shuffle(&mut nodes);
            nodes.truncate(nodes.len().saturating_sub(keeps.into()));
            nodes.sort_unstable();
        }
        let clients = self.clients().filter(|_| with_clients).map(Endpoint::from);
        nodes.into_iter().map(Endpoint::from).chain(clients).collect()
    }

    pub(super) fn isolate(
        &mut self,
        id: CutId,
        node: NodeId,
        others: &[Endpoint],
        one_way: OneWay,
        action: &FaultAction,
    ) -> Step {
        let around_primary = self.process(node).is_some_and(P::is_primary);
        let kind = CutKind {
            one_way: one_way != OneWay::None,
            around_primary,
        };
        let node_side = [Endpoint::Node(node)];
        match one_way {
            OneWay::In => self.cut(id, others, &node_side, kind, Some(node), action),
            OneWay::None | OneWay::Out => self.cut(id, &node_side, others, kind, Some(node), action),
        }
    }

    pub(super) fn hold_around(
        &mut self,
        id: CutId,
        node: NodeId,
        (one_way, with_clients): (OneWay, bool),
        chosen: &Held,
        action: &FaultAction,
    ) -> Step {
        let (others, node_side) = (self.others(node, with_clients), [Endpoint::Node(node)]);
        match one_way {
            OneWay::In => self.kernel.hold(id, &others, &node_side, true, chosen),
            OneWay::Out => self.kernel.hold(id, &node_side, &others, true, chosen),
            OneWay::None => self.kernel.hold(id, &node_side, &others, false, chosen),
        }
        self.record(Some(node), "hold-links", StepKind::Held { id }, || describe(action))
    }

    /// All nodes but this one, and all clients if they are meant too.
    fn others(&self, node: NodeId, with_clients: bool) -> Vec<Endpoint> {
        let clients = self.clients().filter(|_| with_clients).map(Endpoint::from);
        let nodes = self.nodes().filter(|other| *other != node).map(Endpoint::from);
        nodes.chain(clients).collect()
    }
}
