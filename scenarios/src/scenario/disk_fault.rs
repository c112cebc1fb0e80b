//! What a `[[fault]]` does to a disk.

use super::fault::Target;
use super::spec::DurationRange;

/// The kinds that strike disks. Those without a target destroy durable data: they strike the nodes that `[budget]` admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskKind {
    /// `disk-error`: every sync of one node fails with an I/O error.
    Error {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: until syncs succeed again; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `disk-full`: the disk of one node takes nothing more.
    Full {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: until space comes back; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `disk-stall`: no sync of one node completes; then all do, in order.
    Stall {
        /// `target`: which node; default `any`.
        target: Target,
        /// `for`: until the disk goes on; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `disk-lie`: syncs of one node complete, and what they cover stays volatile: it is lost at the next crash.
    Lie {
        /// `for`: until syncs are honest again; 1 us to 1 h.
        lasts: DurationRange,
    },
    /// `disk-rot`: something durable on one disk decays, where it is at least `disk.rot_age` old.
    Rot {
        /// `how`: what becomes of it; default `any`.
        form: RotForm,
    },
    /// `disk-misdirect`: the next write of one node that becomes durable lands on other durable bytes.
    Misdirect,
}

/// How bytes decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotForm {
    /// `any`: one of the two, drawn for each strike.
    Any,
    /// `bits`: up to eight bits flip.
    Bits,
    /// `sector`: a sector of 512 bytes cannot be read any more.
    Sector,
}

impl DiskKind {
    /// The kind's name in a scenario file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error { .. } => "disk-error",
            Self::Full { .. } => "disk-full",
            Self::Stall { .. } => "disk-stall",
            Self::Lie { .. } => "disk-lie",
            Self::Rot { .. } => "disk-rot",
            Self::Misdirect => "disk-misdirect",
        }
    }

    /// The node that it strikes, for the kinds that may strike any.
    pub fn target(mut self) -> Option<Target> {
        self.target_mut().copied()
    }

    pub(super) fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Self::Error { target, .. } | Self::Full { target, .. } | Self::Stall { target, .. } => Some(target),
            Self::Lie { .. } | Self::Rot { .. } | Self::Misdirect => None,
        }
    }

    /// How long it lasts; decay and misdirected writes are never taken back.
    pub fn lasts(self) -> Option<DurationRange> {
        match self {
            Self::Error { lasts, .. } | Self::Full { lasts, .. } | Self::Stall { lasts, .. } | Self::Lie { lasts } => {
                Some(lasts)
            }
            Self::Rot { .. } | Self::Misdirect => None,
        }
    }
}
