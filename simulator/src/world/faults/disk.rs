//! Faults of disks: troubles that last, and damage to what was durable.

use super::describe;
use crate::client::ClientOf;
use crate::decision::Topic;
use crate::disk::DiskFault;
use crate::event::Event;
use crate::exposure::FaultClass;
use crate::fault::FaultAction;
use crate::id::NodeId;
use crate::process::Process;
use crate::step::{SkipReason, Step, StepKind};
use crate::time::Duration;
use crate::world::World;

impl<P: Process, C: ClientOf<P>> World<P, C> {
    pub(super) fn strike_disk(&mut self, node: NodeId, fault: DiskFault, action: &FaultAction) -> Step {
        let now = self.kernel.now;
        let troubles = &mut self.kernel.nodes[node.index()].disk.troubles;
        match fault {
            DiskFault::Error { lasts } => troubles.error_until = troubles.error_until.max(now + lasts),
            DiskFault::Full { lasts } => troubles.full_until = troubles.full_until.max(now + lasts),
            DiskFault::Lie { lasts } => troubles.lie_until = troubles.lie_until.max(now + lasts),
            DiskFault::Stall { lasts } => self.stall_disk(node, lasts),
            DiskFault::Misdirect => troubles.misdirects = true,
            DiskFault::Rot | DiskFault::Unreadable => return self.decay(node, fault, action),
        }
        self.record(Some(node), "disk", StepKind::DiskStruck, || describe(action))
    }

    /// A stall that begins while another lasts takes its place.
    fn stall_disk(&mut self, node: NodeId, lasts: Duration) {
        let troubles = &mut self.kernel.nodes[node.index()].disk.troubles;
        troubles.stalled = true;
        troubles.stalls = troubles.stalls.wrapping_add(1);
        let stalls = troubles.stalls;
        self.kernel
            .schedule(self.kernel.now + lasts, Event::DiskFreed { node, stalls });
    }

    fn decay(&mut self, node: NodeId, fault: DiskFault, action: &FaultAction) -> Step {
        let kernel = &mut self.kernel;
        let disk = &mut kernel.nodes[node.index()].disk;
        let (config, now) = (kernel.disk_config, kernel.now);
        kernel.disk_stream.about(Topic::Damage, node);
        let (place, class) = match fault {
            DiskFault::Rot => (disk.rot(&config, &mut kernel.disk_stream, now), FaultClass::BitRot),
            _ => (
                disk.lose_sector(&config, &mut kernel.disk_stream, now),
                FaultClass::UnreadableSector,
            ),
        };
        let Some(place) = place else {
            return self.skip(action, Some(node), SkipReason::NothingSettled);
        };
        self.kernel.exposure.add(class);
        let step = self.record(Some(node), "disk", StepKind::DiskStruck, || describe(action));
        self.kernel.note_damage(node, fault.name(), place);
        step
    }

    /// Ends all that is wrong with the disks; what was damaged stays so.
    pub(super) fn mend_disks(&mut self) {
        self.kernel.disk_config = self.kernel.disk_config.healed();
        for node in self.nodes() {
            let held = self.kernel.nodes[node.index()].disk.mend();
            self.release(node, held);
        }
    }
}
