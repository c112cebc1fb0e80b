//! A sequence diagram of the last messages between nodes, for a page of documentation or an issue.
//!
//! Diagrams of this kind are for tens of messages, so only [`MESSAGES_MAX`] before the violation (or the end) are written, without
//! heartbeats, and with what changed the nodes as notes.

use crate::timeline::state::{self, Stand};
use crate::timeline::{Row, Timeline};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// So many messages, at most.
pub const MESSAGES_MAX: usize = 60;

/// Writes the diagram.
pub fn write(timeline: &Timeline<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lines = lines(timeline);
    writeln!(
        out,
        "%% {} seed {}: {}",
        plain(&timeline.trace.header.scenario),
        plain(&timeline.trace.header.seed),
        plain(
            &timeline
                .cut_short()
                .unwrap_or_else(|| timeline.trace.footer.verdict.clone())
        )
    )?;
    writeln!(out, "sequenceDiagram")?;
    for node in &timeline.lanes[..timeline.nodes()] {
        writeln!(out, "    participant {node}")?;
    }
    for (_, line) in lines {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

/// The lines in the order of their events.
fn lines(timeline: &Timeline<'_>) -> Vec<(Row, String)> {
    let last = timeline.failing().map_or(timeline.events.len(), |row| row + 1);
    let nodes = timeline.nodes();
    let passages = timeline.passages();
    let between = passages.iter().rev().filter_map(|passage| {
        let sent = timeline.events[passage.sent];
        let (from, to) = (timeline.lane_of(sent)?, timeline.peer_of(sent)?);
        let sort = sent.fields.text("type").unwrap_or("message".into());
        let row = passage.ended.unwrap_or(passage.sent);
        (row < last && from < nodes && to < nodes && sort != "heartbeat").then(|| {
            let arrow = if passage.lost || passage.ended.is_none() {
                "-x"
            } else {
                "->>"
            };
            (
                row,
                format!(
                    "{}{arrow}{}: {}",
                    timeline.lanes[from],
                    timeline.lanes[to],
                    plain(&sort)
                ),
            )
        })
    });
    let mut lines: Vec<(Row, String)> = between.collect();
    lines.sort();
    let mut lines = lines.split_off(lines.len().saturating_sub(MESSAGES_MAX));
    let first = lines.first().map_or(0, |(row, _)| *row);
    lines.extend(notes(timeline, first, last));
    lines.sort();
    lines
}

/// What became of the nodes meanwhile.
fn notes(timeline: &Timeline<'_>, first: Row, last: Row) -> BTreeMap<Row, String> {
    let mut notes = BTreeMap::new();
    for (lane, life) in state::lives(timeline).iter().enumerate() {
        let mut before = Stand::Absent;
        for (row, state) in &life.states {
            if state.stand != before && (first..last).contains(row) {
                notes.insert(
                    *row,
                    format!(
                        "Note over {}: {} of term {}",
                        timeline.lanes[lane],
                        state.stand.name(),
                        state.term
                    ),
                );
            }
            before = state.stand;
        }
    }
    let place = timeline.failing().map(|row| (row, timeline.events[row]));
    let judged =
        place.and_then(|(row, event)| Some((row, timeline.lane_of(event).filter(|lane| *lane < timeline.nodes())?)));
    if let (Some((row, lane)), Some(violated)) = (judged, timeline.violated()) {
        let note = format!(
            "Note over {}: VIOLATION {}",
            timeline.lanes[lane],
            plain(&violated.property)
        );
        notes.entry(row).and_modify(|_| {}).or_insert(note);
    }
    notes
}

/// A text without what means something in a diagram.
fn plain(text: &str) -> String {
    let is_plain = |c: &char| c.is_alphanumeric() || " ._/-".contains(*c);
    text.chars()
        .map(|c| if is_plain(&c) { c } else { '_' })
        .take(80)
        .collect()
}
