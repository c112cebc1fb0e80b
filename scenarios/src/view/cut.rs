//! What a page leaves out when it would be too large: what is far from the failure, and last of all what changed a node.
//!
//! Kept in any case, as long as it fits: what changed roles and votes, faults, operations of clients, and the events that led to
//! the one that the page opens at. Of the rest a stretch that ends with the run's failure, as long as fits.

use super::columns::Contents;
use crate::timeline::Row;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// So many events tell how much room the others take.
const SAMPLE: usize = 20_000;
/// The longest chain of causes that is kept.
const CHAIN_MAX: usize = 5_000;

/// The data as base64 in at most `room` bytes, and which events are in it.
pub fn fit(contents: &Contents<'_>, room: usize) -> (String, Vec<bool>) {
    let total = contents.timeline.events.len();
    let end = contents.focus().map_or(total, |row| (row + 1 + total / 100).min(total));
    let mut size = guessed(contents, end);
    if size <= room.saturating_mul(2) {
        let all = vec![true; total];
        let whole = packed(&contents.data(&all));
        if whole.len() <= room {
            return (whole, all);
        }
        size = whole.len();
    }
    let mut important = important(contents);
    let mut stretch = total;
    loop {
        // A little less than in proportion, so that few attempts are needed.
        stretch = (stretch as u128 * room as u128 / size as u128 * 9 / 10) as usize;
        if stretch < 200 && important.iter().any(|keep| *keep) {
            important = vec![false; total];
            stretch = total / 2;
        }
        let keep = kept(&important, end, stretch);
        let data = packed(&contents.data(&keep));
        if data.len() <= room || stretch == 0 {
            return (data, keep);
        }
        size = data.len().max(room + 1);
    }
}

/// About how many bytes all events would take; 0 for so few that trying is no trouble.
fn guessed(contents: &Contents<'_>, end: Row) -> usize {
    let total = contents.timeline.events.len();
    if total <= 5 * SAMPLE {
        return 0;
    }
    let sample = kept(&vec![false; total], end.max(SAMPLE), SAMPLE);
    let size = packed(&contents.data(&sample)).len() as u128;
    usize::try_from(size * total as u128 / SAMPLE as u128).unwrap_or(usize::MAX)
}

fn kept(important: &[bool], end: Row, stretch: usize) -> Vec<bool> {
    let from = end.saturating_sub(stretch);
    let inside = |row: Row| (from..end).contains(&row);
    important
        .iter()
        .enumerate()
        .map(|(row, keep)| *keep || inside(row))
        .collect()
}

fn important(contents: &Contents<'_>) -> Vec<bool> {
    const KINDS: [&str; 14] = [
        "boot",
        "crash",
        "restart",
        "pause",
        "resume",
        "cut",
        "mend",
        "network",
        "heal",
        "clock",
        "role",
        "vote",
        "violation",
        "install",
    ];
    let events = &contents.timeline.events;
    let mut keep: Vec<bool> = events.iter().map(|event| KINDS.contains(&&*event.kind)).collect();
    for operation in &contents.operations.list {
        keep[operation.call] = true;
        operation.returned.into_iter().for_each(|row| keep[row] = true);
    }
    contents.bands.iter().for_each(|band| keep[band.row] = true);
    let chain = std::iter::successors(contents.focus(), |row| contents.timeline.causes[*row]);
    chain.take(CHAIN_MAX).for_each(|row| keep[row] = true);
    keep
}

/// Compressed, and as base64.
pub fn packed(data: &serde_json::Value) -> String {
    let json = serde_json::to_vec(data).expect("numbers and texts are JSON");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(&json).and_then(|()| encoder.finish());
    STANDARD.encode(compressed.expect("a vector takes all that is written"))
}
