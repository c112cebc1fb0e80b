//! Faults as spans: from the event that began one to the event that ended it.

use super::{Row, Timeline};
use serde_json::Value;
use simulator::{Endpoint, TraceEvent};
use std::collections::BTreeMap;

/// A fault while it lasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// `crash`, `pause`, `cut`, `hold-links`, `network`, or whatever an event of a moment is called.
    pub kind: String,
    /// In a few words.
    pub label: String,
    /// The event that began it.
    pub row: Row,
    /// The event that ended it; `None` for one that lasts to the end of the trace. A fault of a moment ends with its own event.
    pub end: Option<Row>,
    /// True time in nanoseconds.
    pub from: u64,
    /// True time in nanoseconds; `from` for a fault of a moment.
    pub to: u64,
    /// Whom it strikes: of a cut the smaller side.
    pub lanes: Vec<usize>,
}

impl Band {
    /// Whether it is in force just after an event.
    pub fn is_in_force(&self, row: Row) -> bool {
        self.row <= row && self.end.is_none_or(|end| end > row)
    }
}

/// What ends a fault: its sort and the number of its node or cut.
type Open = BTreeMap<(&'static str, u64), Vec<usize>>;

/// All faults in the order of their beginnings.
pub fn bands(timeline: &Timeline<'_>) -> Vec<Band> {
    let (mut bands, mut open) = (Vec::new(), Open::new());
    for (row, event) in timeline.events.iter().enumerate() {
        let node = u64::from(event.node.unwrap_or(u16::MAX));
        let cut = Timeline::number(event, "id").unwrap_or(u64::MAX);
        let (ends, begins) = match &*event.kind {
            "crash" => (Some(("pause", node)), Some(("crash", node))),
            "restart" => (Some(("crash", node)), None),
            "pause" => (None, Some(("pause", node))),
            "resume" => (Some(("pause", node)), None),
            "cut" => (Some(("cut", cut)), Some(("cut", cut))),
            "mend" => (Some(("cut", cut)), None),
            "hold-links" => (Some(("hold", cut)), Some(("hold", cut))),
            "release" => (Some(("hold", cut)), None),
            "network" => (Some(("network", 0)), Some(("network", 0))),
            "heal" => {
                let lasting = |(kind, _): &&(&str, u64)| *kind != "crash" && *kind != "pause";
                let keys: Vec<_> = open.keys().filter(lasting).copied().collect();
                keys.into_iter()
                    .for_each(|key| end(&mut bands, &mut open, key, (row, event.t)));
                (None, None)
            }
            "skip" => continue,
            // Whatever else was done to the world: a moment.
            _ if event.cause.is_none() && event.fields.text("action").is_some() => (None, None),
            _ => continue,
        };
        if let Some(key) = ends {
            end(&mut bands, &mut open, key, (row, event.t));
        }
        if let Some(key) = begins {
            open.entry(key).or_default().push(bands.len());
        }
        // What a world begins with is no fault.
        if begins.is_some() || (event.kind != "heal" && event.t > 0 && ends.is_none()) {
            let ends = begins.is_none().then_some((row, event.t));
            bands.push(band(timeline, event, row, ends));
        }
    }
    let last = timeline.end();
    bands
        .iter_mut()
        .filter(|band| band.end.is_none())
        .for_each(|band| band.to = last);
    bands
}

fn end(bands: &mut [Band], open: &mut Open, key: (&'static str, u64), (row, at): (Row, u64)) {
    for index in open.remove(&key).unwrap_or_default() {
        (bands[index].end, bands[index].to) = (Some(row), at);
    }
}

/// A fault in a few words.
pub(crate) fn label(timeline: &Timeline<'_>, event: &TraceEvent) -> String {
    band(timeline, event, 0, None).label
}

fn band(timeline: &Timeline<'_>, event: &TraceEvent, row: Row, ends: Option<(Row, u64)>) -> Band {
    let own = || timeline.lane_of(event).into_iter().collect();
    let (label, lanes) = match &*event.kind {
        "cut" => cut(timeline, event),
        "network" => ("network behaves otherwise".to_owned(), Vec::new()),
        "clock" => (clock(event), own()),
        kind @ ("crash" | "pause") => (format!("{} {kind}", name(event)), own()),
        kind => {
            let action = event.fields.get("action").and_then(Value::as_str).unwrap_or(kind);
            (format!("{} {action}", name(event)), own())
        }
    };
    Band {
        kind: event.kind.to_string(),
        label,
        row,
        end: ends.map(|(row, _)| row),
        from: event.t,
        to: ends.map_or(u64::MAX, |(_, to)| to),
        lanes,
    }
}

fn name(event: &TraceEvent) -> String {
    event.node.map_or_else(String::new, |node| format!("n{node}"))
}

fn clock(event: &TraceEvent) -> String {
    let number = |field: &str| event.fields.get(field).and_then(Value::as_i64);
    match (number("by"), number("ppm")) {
        (Some(by), _) => format!("{} clock {:+} ms", name(event), by / 1_000_000),
        (None, Some(ppm)) => format!("{} clock drifts {ppm:+} ppm", name(event)),
        (None, None) => format!("{} clock", name(event)),
    }
}

/// The nodes of the smaller side stand for a cut.
fn cut(timeline: &Timeline<'_>, event: &TraceEvent) -> (String, Vec<usize>) {
    let side = |field: &str| -> Vec<Endpoint> {
        let names = event.fields.get(field).and_then(Value::as_array);
        let parsed = |name: &Value| name.as_str()?.parse().ok();
        names.into_iter().flatten().filter_map(parsed).collect()
    };
    let (from, to) = (side("from"), side("to"));
    let nodes = |side: &[Endpoint]| side.iter().filter(|end| end.node().is_some()).count();
    let one_way = event.fields.get("one_way") == Some(&Value::Bool(true));
    let arrow = if one_way { "⇥" } else { "∥" };
    let names = |side: &[Endpoint]| {
        let nodes: Vec<String> = side
            .iter()
            .filter(|end| end.node().is_some())
            .map(ToString::to_string)
            .collect();
        let clients = side.len() - nodes.len();
        let more = if clients > 0 {
            format!(" +{clients} clients")
        } else {
            String::new()
        };
        format!("{}{more}", nodes.join(" "))
    };
    let smaller = if nodes(&to) < nodes(&from) && nodes(&to) > 0 {
        &to
    } else {
        &from
    };
    let lanes = smaller.iter().filter_map(|end| timeline.lane(*end)).collect();
    (format!("{} {arrow} {}", names(&from), names(&to)), lanes)
}
