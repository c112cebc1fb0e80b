//! The page: one HTML file that shows a trace, with nothing to fetch and nothing to install.
//!
//! Owns the way from a [`Timeline`] to the text of the file: `columns` packs the events, `cut` decides what is left out when it
//! would be too large, `html` puts the parts together. What the page does with them is in `page/`, plain JavaScript.
//!
//! A trace may come from anywhere, so its texts are never markup: they travel as compressed JSON in base64, the few that
//! stand in the page itself are escaped, the scripts only ever make text nodes of them, and the page's own policy allows no
//! script but ours, by its hash.

mod columns;
mod compare;
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
    let (data, keep) = cut::fit(&contents, room);
    let shown = kept(&keep);
    Page {
        html: around.page(&data, shown),
        events: timeline.events.len(),
        shown,
    }
}

fn kept(keep: &[bool]) -> usize {
    keep.iter().filter(|keep| **keep).count()
}

/// Makes the page of two traces beside each other, which opens where they part; sizes as for [`page`].
pub fn comparison(a: &Trace, b: &Trace, size_max: usize) -> Page {
    let (one, other) = (Timeline::new(a), Timeline::new(b));
    let contents = [&one, &other].map(columns::Contents::new);
    let parting = compare::parting(a, b);
    let around = html::Frame::comparing(&contents[0], compare::head(a, b, parting));
    let room = size_max.max(SIZE_LEAST).saturating_sub(around.size());
    let mut each = room / 2;
    loop {
        let [keep_a, keep_b] = [0, 1].map(|side: usize| cut::fit(&contents[side], each).1);
        let data = cut::packed(&compare::data(&contents[0], &contents[1], [&keep_a, &keep_b], parting));
        let shown = kept(&keep_a) + kept(&keep_b);
        // Two halves of the room fit together but for what the merging adds.
        if data.len() <= room || shown == 0 || each < 1_000 {
            return Page {
                html: around.page(&data, shown),
                events: one.events.len() + other.events.len(),
                shown,
            };
        }
        each = each / 10 * 8;
    }
}

#[cfg(test)]
mod tests;
