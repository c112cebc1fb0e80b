//! Faults of clocks: their keys and settings.

use super::{Kind, lasts, target};
use crate::scenario::Result;
use crate::scenario::error::Misfit;
use crate::scenario::fault::{FaultKind, Thaw};
use crate::scenario::read::HOUR;
use crate::scenario::section::Section;
use crate::scenario::spec::Cluster;

pub const KINDS: [Kind; 3] = [
    ("clock-step", &["kind", "at", "every", "target", "by"]),
    ("clock-drift", &["kind", "at", "every", "for", "target", "drift"]),
    ("clock-freeze", &["kind", "at", "every", "for", "target", "then"]),
];

pub const THAWS: [(&str, Thaw); 3] = [("any", Thaw::Any), ("leap", Thaw::Leap), ("on", Thaw::On)];

/// Reads the settings of a kind; `None` if it is not one of these.
pub fn settings(section: &Section<'_>, kind: &str, cluster: &Cluster) -> Result<Option<FaultKind>> {
    let target = || target(section, cluster);
    let lasts = || lasts(section);
    Ok(Some(match kind {
        "clock-step" => {
            let hour = i64::try_from(HOUR).expect("an hour of nanoseconds fits");
            let by = section.offsets("by", -hour..=hour)?;
            let by = by.ok_or_else(|| section.missing("by", "by = \"-500ms..500ms\", how far the clock jumps"))?;
            if (by.min_ns, by.max_ns) == (0, 0) {
                return Err(Misfit::unfit(
                    section.mark_of(&["by"]),
                    format!("`{}` moves no clock", section.path("by")),
                    "write a range such as \"-500ms..500ms\", how far the clock jumps, or remove the fault",
                ));
            }
            FaultKind::ClockStep { target: target()?, by }
        }
        "clock-drift" => {
            if section.get("drift").is_none() {
                return Err(section.missing("drift", "drift = \"500ppm\", how far the clock's rate goes off"));
            }
            FaultKind::ClockDrift {
                target: target()?,
                drift_max_ppm: section.ratio("drift", 1, 1..=100_000)?,
                lasts: lasts()?,
            }
        }
        "clock-freeze" => FaultKind::ClockFreeze {
            target: target()?,
            lasts: lasts()?,
            then: section.word("then", Thaw::Any, &THAWS)?,
        },
        _ => return Ok(None),
    }))
}
