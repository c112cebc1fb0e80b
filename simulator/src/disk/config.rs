//! How disks behave: the settings, which hold for all disks of a world and for the whole run.

use crate::latency::Latency;
use crate::random::Ratio;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// How disks behave. All nodes have the same sort of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskConfig {
    /// How long a sync takes. Its tail counts as a slow sync. Syncs of one node complete in the order of their calls.
    pub sync: Latency,
    /// How likely a volatile write is lost at a crash, with all later ones. At [`Ratio::ONE`] a crash loses all that was not
    /// synced, always.
    pub lost: Ratio,
    /// How likely a volatile write is torn at a crash: some bytes from its start survive, at least one and not all. A write of
    /// one byte cannot be torn and is lost instead. `lost` and `torn` together are at most one.
    pub torn: Ratio,
    /// How likely a crash finds the disk in the middle of reordering: then each volatile write has a fate of its own, and a
    /// later one may be kept though an earlier one was lost.
    #[serde(default)]
    pub reorder: Ratio,
    /// How likely a sync fails with [`crate::DiskError::Io`].
    #[serde(default)]
    pub error: Ratio,
    /// Bytes decay only when they have been durable for so long, and when something written after the process knew of that
    /// is durable too. A process that notes now and then how far its file is durable can so tell what decayed from what a
    /// crash tore; without the delay no process could.
    #[serde(default = "settle_age")]
    pub settle_age: Duration,
    /// The greatest size of a file in bytes, what was given up at its start not counted, and the greatest amount of volatile
    /// bytes. A process that exceeds either halts the world.
    pub max_bytes: u64,
}

const fn settle_age() -> Duration {
    Duration::from_millis(1_000)
}

impl Default for DiskConfig {
    /// Syncs take no time and never fail, crashes lose all that was not synced, disks hold 256 MiB.
    fn default() -> Self {
        Self {
            sync: Latency::default(),
            lost: Ratio::ONE,
            torn: Ratio::ZERO,
            reorder: Ratio::ZERO,
            error: Ratio::ZERO,
            settle_age: settle_age(),
            max_bytes: 256 << 20,
        }
    }
}
