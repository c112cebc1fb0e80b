//! Faults of disks: their keys and settings.

use super::{Kind, lasts, target};
use crate::scenario::Result;
use crate::scenario::disk_fault::{DiskKind, RotForm};
use crate::scenario::fault::FaultKind;
use crate::scenario::section::Section;
use crate::scenario::spec::Cluster;

pub const KINDS: [Kind; 6] = [
    ("disk-error", &["kind", "at", "every", "for", "target"]),
    ("disk-full", &["kind", "at", "every", "for", "target"]),
    ("disk-stall", &["kind", "at", "every", "for", "target"]),
    ("disk-lie", &["kind", "at", "every", "for"]),
    ("disk-rot", &["kind", "at", "every", "how"]),
    ("disk-misdirect", &["kind", "at", "every"]),
];

pub const ROT_FORMS: [(&str, RotForm); 3] = [
    ("any", RotForm::Any),
    ("bits", RotForm::Bits),
    ("sector", RotForm::Sector),
];

/// Reads the settings of a kind; `None` if it is not one of these.
pub fn settings(section: &Section<'_>, kind: &str, cluster: &Cluster) -> Result<Option<FaultKind>> {
    let target = || target(section, cluster);
    let lasts = || lasts(section);
    Ok(Some(FaultKind::Disk(match kind {
        "disk-error" => DiskKind::Error {
            target: target()?,
            lasts: lasts()?,
        },
        "disk-full" => DiskKind::Full {
            target: target()?,
            lasts: lasts()?,
        },
        "disk-stall" => DiskKind::Stall {
            target: target()?,
            lasts: lasts()?,
        },
        "disk-lie" => DiskKind::Lie { lasts: lasts()? },
        "disk-rot" => DiskKind::Rot {
            form: section.word("how", RotForm::Any, &ROT_FORMS)?,
        },
        "disk-misdirect" => DiskKind::Misdirect,
        _ => return Ok(None),
    })))
}
