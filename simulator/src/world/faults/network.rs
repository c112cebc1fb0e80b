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

    /// Whom a node is cut off from when it keeps so many of the other nodes.
    pub(super) fn cut_off(&mut self, node: NodeId, with_clients: bool, keeps: u16) -> Vec<Endpoint> {
        let mut nodes: Vec<NodeId> = self.nodes().filter(|other| *other != node).collect();
        if keeps > 0 {
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
}
