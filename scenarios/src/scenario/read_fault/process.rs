//! Faults of processes: their keys and settings.

use super::{Kind, lasts, target};
use crate::scenario::Result;
use crate::scenario::fault::FaultKind;
use crate::scenario::read::{HOUR, millis};
use crate::scenario::section::Section;
use crate::scenario::spec::Cluster;

pub const KINDS: [Kind; 4] = [
    ("crash", &["kind", "at", "every", "for", "target", "max_down"]),
    ("pause", &["kind", "at", "every", "for", "target"]),
    ("rolling-restart", &["kind", "at", "every", "for", "gap"]),
    ("power-loss", &["kind", "at", "every", "for"]),
];

/// Reads the settings of a kind; `None` if it is not one of these.
pub fn settings(section: &Section<'_>, kind: &str, cluster: &Cluster) -> Result<Option<FaultKind>> {
    let target = || target(section, cluster);
    let lasts = || lasts(section);
    Ok(Some(match kind {
        "crash" => FaultKind::Crash {
            target: target()?,
            lasts: lasts()?,
            max_down: {
                let most = section.count("max_down", 1, 1..=7)?;
                section.get("max_down").map(|_| most)
            },
        },
        "pause" => FaultKind::Pause {
            target: target()?,
            lasts: lasts()?,
        },
        "rolling-restart" => FaultKind::RollingRestart {
            lasts: lasts()?,
            gap: section.durations("gap", millis(200, 1_000), 0..=HOUR)?,
        },
        "power-loss" => FaultKind::PowerLoss { lasts: lasts()? },
        _ => return Ok(None),
    }))
}
