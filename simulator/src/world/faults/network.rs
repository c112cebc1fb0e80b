//! Faults of the network: cuts around groups and around single nodes.

use super::describe;
use crate::fault::{FaultAction, OneWay};
use crate::id::{Endpoint, NodeId};
use crate::network::{CutId, CutKind};
use crate::process::Process;
use crate::step::{Step, StepKind};
use crate::world::World;
use serde_json::json;

impl<P: Process> World<P> {
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

    pub(super) fn isolate(
        &mut self,
        id: CutId,
        node: NodeId,
        one_way: OneWay,
        with_clients: bool,
        action: &FaultAction,
    ) -> Step {
        let clients = self.clients().filter(|_| with_clients).map(Endpoint::from);
        let others: Vec<Endpoint> = self
            .nodes()
            .filter(|other| *other != node)
            .map(Endpoint::from)
            .chain(clients)
            .collect();
        let around_primary = self.process(node).is_some_and(P::is_primary);
        let kind = CutKind {
            one_way: one_way != OneWay::None,
            around_primary,
        };
        let node_side = [Endpoint::Node(node)];
        match one_way {
            OneWay::In => self.cut(id, &others, &node_side, kind, Some(node), action),
            OneWay::None | OneWay::Out => self.cut(id, &node_side, &others, kind, Some(node), action),
        }
    }
}
