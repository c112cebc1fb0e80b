//! A log with vector clocks, as ShiViz reads it: the pattern of a line, a blank line, one line for each event.
//!
//! The clocks follow from the causes: an arrival has seen what the sender had seen when it sent. What happens at no node and no
//! client has no clock and is left out.

use crate::timeline::Timeline;
use std::io::{self, Write};

/// The pattern that ShiViz is to apply to each line.
pub const PATTERN: &str = r"(?<host>\S+) (?<clock>\{[^}]*\}) (?<event>.*)";
/// Longest description of an event, in characters.
const SHOWN: usize = 200;

/// Writes all events with their clocks.
pub fn write(timeline: &Timeline<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{PATTERN}\n")?;
    let mut clocks: Vec<Vec<(usize, u64)>> = vec![Vec::new(); timeline.lanes.len()];
    let mut sent: Vec<Option<Vec<(usize, u64)>>> = vec![None; timeline.events.len()];
    for (row, event) in timeline.events.iter().enumerate() {
        let Some(lane) = timeline.lane_of(event) else { continue };
        let is_arrival = matches!(&*event.kind, "deliver" | "request" | "response");
        if let (true, Some(cause)) = (is_arrival, timeline.causes[row]) {
            let seen = sent[cause].clone().unwrap_or_default();
            seen.into_iter()
                .for_each(|(other, count)| raise(&mut clocks[lane], other, count));
        }
        tick(&mut clocks[lane], lane);
        if event.kind == "send" {
            sent[row] = Some(clocks[lane].clone());
        }
        let clock: Vec<String> = clocks[lane]
            .iter()
            .map(|(lane, count)| format!("\"{}\":{count}", timeline.lanes[*lane]))
            .collect();
        let sort = event.fields.text("type").unwrap_or_default();
        let peer = timeline
            .peer_of(event)
            .map_or_else(String::new, |peer| format!(" {}", timeline.lanes[peer]));
        let text: String = format!("{} {sort}{peer} #{} t={}", event.kind, event.seq, event.t)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(SHOWN)
            .collect();
        writeln!(out, "{} {{{}}} {text}", timeline.lanes[lane], clock.join(","))?;
    }
    Ok(())
}

/// A clock is a short ascending list: most processes have heard of few.
fn raise(clock: &mut Vec<(usize, u64)>, lane: usize, count: u64) {
    match clock.binary_search_by_key(&lane, |(lane, _)| *lane) {
        Ok(place) => clock[place].1 = clock[place].1.max(count),
        Err(place) => clock.insert(place, (lane, count)),
    }
}

fn tick(clock: &mut Vec<(usize, u64)>, lane: usize) {
    let now = clock
        .iter()
        .find(|(own, _)| *own == lane)
        .map_or(0, |(_, count)| *count);
    raise(clock, lane, now + 1);
}
