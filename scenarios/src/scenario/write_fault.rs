//! From a [`Fault`] back to its `[[fault]]` section.

use super::OFF;
use super::disk_fault::DiskKind;
use super::fault::{Fault, FaultKind, Fires, Split, Target, When};
use super::quantity::{DURATION, format_range};
use super::read_fault::{DIRECTIONS, IDENTITIES, ROT_FORMS, SIDES, SPLITS, THAWS};
use super::write::{Writer, word};
use std::fmt::Display;

/// Writes one section.
pub(super) fn write_fault(out: &mut Writer<'_>, fault: &Fault) {
    out.section("[[fault]]");
    out.text("kind", fault.kind.name());
    match fault.when {
        When::At { ns } => out.duration("at", ns),
        When::Every(pause) => out.durations("every", pause),
        When::Reached(trigger) => {
            out.text("when", trigger.situation);
            out.ratio("probability", trigger.probability_ppm);
            out.durations("after", trigger.after);
            out.raw("limit", trigger.limit);
        }
    }
    match fault.fires {
        Fires::Derived => {}
        Fires::Off => out.text("fires", OFF),
        Fires::At(rate) => out.text("fires", &rate.to_string()),
    }
    if let Some(target) = fault.kind.target() {
        out.text("target", &target.to_string());
    }
    if let Some(lasts) = fault.kind.lasts() {
        out.durations("for", lasts);
    }
    match fault.kind {
        FaultKind::Partition { split, clients, .. } => {
            match split {
                Split::Named(groups) => out.text("split", &groups.to_string()),
                split => out.text("split", word(&SPLITS, &split)),
            }
            out.raw("clients", clients);
        }
        FaultKind::CutLinks { links, .. } => out.texts("links", &links.names()),
        FaultKind::Isolate { clients, keeps, .. } => {
            out.raw("clients", clients);
            out.raw("keeps", keeps);
        }
        FaultKind::OneWay { direction, clients, .. } => {
            out.text("direction", word(&DIRECTIONS, &direction));
            out.raw("clients", clients);
        }
        FaultKind::Crash {
            max_down: Some(max_down),
            ..
        } => out.raw("max_down", max_down),
        FaultKind::ClockStep { by, .. } => {
            out.text("by", &format_range(&DURATION, by.min_ns.into(), by.max_ns.into()));
        }
        FaultKind::ClockDrift { drift_max_ppm, .. } => out.ratio("drift", drift_max_ppm),
        FaultKind::Clog { side, clients, .. } => {
            out.text("side", word(&SIDES, &side));
            out.raw("clients", clients);
        }
        FaultKind::Hold {
            side,
            message,
            skip,
            count,
            reversed,
            ..
        } => {
            out.text("side", word(&SIDES, &side));
            if let Some(message) = message {
                out.text("message", message);
            }
            out.raw("skip", skip);
            out.raw("count", count);
            out.raw("reversed", reversed);
        }
        FaultKind::ReplayOld { messages } => out.raw("messages", messages),
        FaultKind::SwizzleClog { gap, .. } | FaultKind::RollingRestart { gap, .. } => out.durations("gap", gap),
        FaultKind::CrashAtDisk { within, middle_ppm, .. } => {
            out.raw("within", within);
            out.ratio("middle", middle_ppm);
        }
        FaultKind::CrashLoop { up, times, .. } => {
            out.durations("up", up);
            out.raw("times", times);
        }
        FaultKind::Wipe { identity, .. } => out.text("identity", word(&IDENTITIES, &identity)),
        FaultKind::Upgrade { gap, flips, .. } => {
            out.durations("gap", gap);
            out.texts("flips", &flips.names());
        }
        FaultKind::ClockFreeze { then, .. } => out.text("then", word(&THAWS, &then)),
        FaultKind::Disk(DiskKind::Rot { form }) => out.text("how", word(&ROT_FORMS, &form)),
        FaultKind::Disk(_)
        | FaultKind::CutClients { .. }
        | FaultKind::ClogLink { .. }
        | FaultKind::Crash { max_down: None, .. }
        | FaultKind::Pause { .. }
        | FaultKind::PowerLoss { .. } => {}
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Leader => f.write_str("leader"),
            Self::Backup => f.write_str("backup"),
            Self::Any => f.write_str("any"),
            Self::Node(number) => write!(f, "n{number}"),
            Self::Observed => f.write_str("observed"),
        }
    }
}
