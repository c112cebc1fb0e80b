//! Strikes on disks. What destroys durable data strikes only nodes that the budget admits.

use super::{Planner, aim};
use crate::scenario::{DiskKind, RotForm};
use simulator::{DiskFault, FaultAction, NodeId, Target as Aim, Time};

impl Planner<'_> {
    /// Plans one strike.
    pub(super) fn disk(&mut self, at: Time, kind: DiskKind) {
        let fault = match kind {
            DiskKind::Error { lasts, .. } => DiskFault::Error {
                lasts: self.span(lasts),
            },
            DiskKind::Full { lasts, .. } => DiskFault::Full {
                lasts: self.span(lasts),
            },
            DiskKind::Stall { lasts, .. } => DiskFault::Stall {
                lasts: self.span(lasts),
            },
            DiskKind::Lie { lasts } => DiskFault::Lie {
                lasts: self.span(lasts),
            },
            DiskKind::Rot { form } => self.rot(form),
            DiskKind::Misdirect => DiskFault::Misdirect,
        };
        if let Some(target) = kind.target().map(aim).or_else(|| self.victim().map(Aim::Node)) {
            self.add(at, FaultAction::Disk { target, fault });
        }
    }

    fn rot(&mut self, form: RotForm) -> DiskFault {
        let bits = self.stream.below(2) == 0;
        match form {
            RotForm::Bits => DiskFault::Rot,
            RotForm::Any if bits => DiskFault::Rot,
            RotForm::Any | RotForm::Sector => DiskFault::Unreadable,
        }
    }

    /// A node whose data may be destroyed; none in a cluster that can spare nobody's.
    pub(super) fn victim(&mut self) -> Option<NodeId> {
        let damageable: Vec<_> = self.draw.damageable.iter().collect();
        self.stream.pick(&damageable).copied()
    }
}
