//! Faults of processes: their keys and settings.

use super::{Kind, lasts, target};
use crate::scenario::Result;
use crate::scenario::error::Misfit;
use crate::scenario::fault::{FaultKind, Identity};
use crate::scenario::flips::{self, Flip, Flips};
use crate::scenario::read::{HOUR, WHOLE, millis};
use crate::scenario::section::Section;
use crate::scenario::spec::Cluster;

pub const KINDS: [Kind; 8] = [
    ("crash", &["kind", "at", "every", "for", "target", "max_down"]),
    ("pause", &["kind", "at", "every", "for", "target"]),
    ("rolling-restart", &["kind", "at", "every", "for", "gap"]),
    ("power-loss", &["kind", "at", "every", "for"]),
    (
        "crash-at-disk",
        &["kind", "at", "every", "for", "target", "within", "middle"],
    ),
    ("crash-loop", &["kind", "at", "every", "for", "target", "up", "times"]),
    ("wipe", &["kind", "at", "every", "for", "identity"]),
    ("upgrade", &["kind", "at", "every", "for", "gap", "flips"]),
];

pub const IDENTITIES: [(&str, Identity); 2] = [("new", Identity::New), ("old", Identity::Old)];

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
        "crash-at-disk" => FaultKind::CrashAtDisk {
            target: target()?,
            lasts: lasts()?,
            within: section.count("within", 20, 1..=100_000)?,
            middle_ppm: section.ratio("middle", WHOLE / 2, 0..=WHOLE)?,
        },
        "crash-loop" => FaultKind::CrashLoop {
            target: target()?,
            lasts: lasts()?,
            up: section.durations("up", millis(0, 100), 0..=HOUR)?,
            times: section.count("times", 5, 2..=1_000)?,
        },
        "wipe" => FaultKind::Wipe {
            lasts: lasts()?,
            identity: identity(section, cluster)?,
        },
        "upgrade" => FaultKind::Upgrade {
            lasts: lasts()?,
            gap: section.durations("gap", millis(200, 1_000), 0..=HOUR)?,
            flips: flips(section, cluster)?,
        },
        _ => return Ok(None),
    }))
}

fn identity(section: &Section<'_>, cluster: &Cluster) -> Result<Identity> {
    let identity = section.word("identity", Identity::New, &IDENTITIES)?;
    let is_strict = section.get("when").is_some();
    if identity == Identity::New && is_strict {
        return Err(Misfit::unfit(
            section.mark_of(&["when"]),
            format!(
                "`{}` waits for a situation, and the operator must know beforehand whom to replace",
                section.path("when")
            ),
            "write `at` or `every` in its place, or identity = \"old\"",
        ));
    }
    if identity == Identity::New && cluster.spares.smallest() == 0 {
        return Err(Misfit::unfit(
            section.mark_of(&["identity", "kind"]),
            "a node that comes back under a new name takes that of a spare, and `cluster.spares` may be 0",
            "write spares = 1 or more in [cluster], or identity = \"old\"",
        ));
    }
    Ok(identity)
}

fn flips(section: &Section<'_>, cluster: &Cluster) -> Result<Flips> {
    let flips = flips::read(section)?;
    if flips.has(Flip::CheckQuorum) && cluster.lease_drift_ppm.largest().is_some() {
        return Err(Misfit::unfit(
            section.mark_of(&["flips", "kind"]),
            "an upgrade that flips `check-quorum` takes from some voters what a lease rests on, and `cluster.lease` may be on",
            "list other settings in `flips`, or write lease = \"off\" in [cluster]",
        ));
    }
    Ok(flips)
}
