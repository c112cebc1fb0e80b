//! The page: one HTML file that shows a trace, with nothing to fetch and nothing to install.
//!
//! Owns the way from a [`Timeline`] to the text of the file: `columns` packs the events, `cut` decides what is left out when it
//! would be too large, `html` puts the parts together. What the page does with them is in `page/`, plain JavaScript.
//!
//! A trace may come from anywhere, so its texts are never markup: they travel as compressed JSON in base64, the few that
//! stand in the page itself are escaped, the scripts only ever make text nodes of them, and the page's own policy allows no
//! script but ours, by its hash.

mod columns;
mod cut;
mod html;

use crate::timeline::Timeline;
use simulator::trace::format::Trace;

/// The size of a page unless somebody wants more, in bytes.
pub const SIZE_MAX: usize = 5_000_000;
/// The least that a page can be asked to be, in bytes: its own scripts need some.
pub const SIZE_LEAST: usize = 300_000;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The text of the file.
    pub html: String,
    /// How many events the trace has.
    pub events: usize,
    /// How many of them the page shows.
    pub shown: usize,
}

/// Makes the page of a trace, of at most `size_max` bytes (but no less than [`SIZE_LEAST`]).
pub fn page(trace: &Trace, size_max: usize) -> Page {
    let timeline = Timeline::new(trace);
    let contents = columns::Contents::new(&timeline);
    let around = html::Frame::new(&contents);
    let room = size_max.max(SIZE_LEAST).saturating_sub(around.size());
    let (data, shown) = cut::fit(&contents, room);
    Page {
        html: around.page(&data, shown),
        events: timeline.events.len(),
        shown,
    }
}

#[cfg(test)]
mod tests;
