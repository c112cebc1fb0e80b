//! What can be done to one disk, as data.

use crate::digest::Stamp;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// Something that is done to a disk. In JSON, as part of [`crate::FaultAction::Disk`], a name or an object with one:
/// `{"stall":{"lasts":5}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DiskFault {
    /// Every sync that ends within this time fails with [`crate::DiskError::Io`].
    Error {
        /// How long.
        lasts: Duration,
    },
    /// Writes beyond the end of what is durable find no space: the sync that covers them fails with
    /// [`crate::DiskError::NoSpace`].
    Full {
        /// Until the space comes back.
        lasts: Duration,
    },
    /// No sync completes; those that are due complete when it is over, in order.
    Stall {
        /// How long.
        lasts: Duration,
    },
    /// Syncs complete, and what they cover stays volatile until an honest one completes. Breaks what a sync promises.
    Lie {
        /// How long.
        lasts: Duration,
    },
    /// A few bits flip in what has settled (see [`crate::DiskConfig::settle_age`]). Breaks what a sync promises.
    Rot,
    /// A settled sector cannot be read any more until it is written again. Breaks what a sync promises.
    Unreadable,
    /// The next write that becomes durable lands on settled bytes elsewhere, and its place keeps what it held. Breaks what a
    /// sync promises.
    Misdirect,
}

impl DiskFault {
    /// The name in traces and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::Full { .. } => "full",
            Self::Stall { .. } => "stall",
            Self::Lie { .. } => "lie",
            Self::Rot => "rot",
            Self::Unreadable => "unreadable",
            Self::Misdirect => "misdirect",
        }
    }

    /// Whether it may take away, or change, what a completed sync had made durable. No protocol survives that on a
    /// majority of its nodes: a plan must say whom it strikes.
    pub const fn destroys(self) -> bool {
        matches!(self, Self::Lie { .. } | Self::Rot | Self::Unreadable | Self::Misdirect)
    }

    /// How long it lasts, if it lasts.
    pub const fn lasts(self) -> Option<Duration> {
        match self {
            Self::Error { lasts } | Self::Full { lasts } | Self::Stall { lasts } | Self::Lie { lasts } => Some(lasts),
            Self::Rot | Self::Unreadable | Self::Misdirect => None,
        }
    }

    pub(crate) fn stamp(self, stamp: &mut Stamp<'_>) {
        stamp.str(self.name());
        stamp.option_u64(self.lasts().map(Duration::as_nanos));
    }
}
