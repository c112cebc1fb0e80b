//! A refusal as a picture: clients as lanes, operations as bars along the clock, the culprit in red.
//!
//! Owns the drawing, a self-contained SVG of bounded size. Time is drawn by rank, not to scale, so that a long pause takes no
//! room. What was done to the system meanwhile is a band across the lanes. Numbers in circles are the linearization points of the longest legal prefix.

use std::fmt::Write as _;

use super::prose::wrapped;
use super::refusal::Refusal;
use crate::history::{Disturbance, History, OperationId};

/// Most operations in a picture: core and context, and then those nearest before the stuck return.
pub const PICTURE_OPERATIONS_MAX: usize = 60;

/// Most characters of an operation in its bar.
const LABEL_CHARS_MAX: usize = 22;

/// Most disturbances in a picture.
const BANDS_MAX: usize = 24;

/// Measures in pixels: the names of the clients, one step of time, one lane.
const MARGIN: usize = 90;
const STEP: usize = 44;
const LANE: usize = 34;
const TOP: usize = 30;

/// The picture of `refusal`, which is one of `history`: a whole SVG file.
pub fn picture(history: &History, refusal: &Refusal) -> String {
    let shown = shown(history, refusal);
    let operation = |id: OperationId| history.operation(id);
    let mut times: Vec<u64> = shown
        .iter()
        .flat_map(|&id| [Some(operation(id).call), operation(id).returned])
        .flatten()
        .collect();
    times.sort_unstable();
    times.dedup();
    let mut clients: Vec<u32> = shown.iter().map(|&id| operation(id).client).collect();
    clients.sort_unstable();
    clients.dedup();
    let end = MARGIN + STEP * (times.len() + 1);
    let x = |time: u64| MARGIN + STEP * times.partition_point(|&other| other < time);
    let y = |client: u32| TOP + LANE * clients.partition_point(|&other| other < client);
    let prose = wrapped(&refusal.sentence, (end / 8).max(60), "");
    let text_top = TOP + LANE * clients.len() + 30;
    let (width, height) = (end.max(520) + 20, text_top + 18 * (prose.lines().count() + 1));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"monospace\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    let ends = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
    let bottom = TOP + LANE * clients.len();
    for disturbance in bands(history, ends) {
        let to = disturbance.until.filter(|&until| until <= ends.1).map_or(end, x);
        band(&mut svg, disturbance, (x(disturbance.from), to.min(end)), bottom);
    }
    for &client in &clients {
        let middle = y(client) + 16;
        let _ = writeln!(svg, "<text x=\"8\" y=\"{middle}\">client {client}</text>");
    }
    for &id in &shown {
        let (from, top) = (x(operation(id).call), y(operation(id).client));
        let to = operation(id).returned.map_or(end, x);
        bar(&mut svg, history, refusal, id, (from, to, top));
    }
    let mut latest_call = 0;
    for (number, &id) in refusal.legal_prefix.iter().enumerate() {
        latest_call = operation(id).call.max(latest_call);
        if shown.contains(&id) {
            let (at, middle) = (x(latest_call) + 8, y(operation(id).client) + 26);
            let _ = writeln!(
                svg,
                "<circle cx=\"{at}\" cy=\"{middle}\" r=\"8\" fill=\"white\" stroke=\"black\"/>\
                 <text x=\"{at}\" y=\"{}\" text-anchor=\"middle\" font-size=\"8\">{}</text>",
                middle + 3,
                number + 1
            );
        }
    }
    for (line, text) in prose.lines().enumerate() {
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{}\">{}</text>",
            text_top + 18 * line,
            escaped(text)
        );
    }
    svg + "</svg>\n"
}

/// Core and context, then what was called last before the stuck operation returned, as many as there is room for.
fn shown(history: &History, refusal: &Refusal) -> Vec<OperationId> {
    let mut shown: Vec<OperationId> = refusal
        .core
        .iter()
        .chain(&refusal.context)
        .map(|line| line.id)
        .collect();
    shown.truncate(PICTURE_OPERATIONS_MAX);
    let key = history.operation(refusal.stuck.id).op.key();
    let end = refusal.stuck.returned.unwrap_or(u64::MAX);
    let near = |id: &OperationId| {
        let operation = history.operation(*id);
        operation.op.key() == key && operation.call <= end && !shown.contains(id)
    };
    let mut others: Vec<OperationId> = history.ids().filter(near).collect();
    others.sort_by_key(|&id| std::cmp::Reverse((history.call(id), id)));
    others.truncate((PICTURE_OPERATIONS_MAX - shown.len()).min(24));
    shown.extend(others);
    shown.sort_by_key(|&id| (history.call(id), id));
    shown
}

/// The last disturbances that touch the time shown.
fn bands(history: &History, (from, until): (u64, u64)) -> impl Iterator<Item = &Disturbance> {
    let all = history.disturbances().iter().rev();
    all.filter(move |one| one.touches(from, until)).take(BANDS_MAX)
}

/// A disturbance as a band across all lanes, with its name at the top.
fn band(svg: &mut String, disturbance: &Disturbance, (from, to): (usize, usize), bottom: usize) {
    let width = (to - from.min(to)).max(STEP / 8);
    let label: String = disturbance.name.chars().take(LABEL_CHARS_MAX).collect();
    let _ = writeln!(
        svg,
        "<g class=\"disturbance\"><title>{}</title><rect x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"{}\" fill=\"#8e4ec6\" \
         fill-opacity=\"0.12\"/><text x=\"{}\" y=\"{}\" fill=\"#8e4ec6\">{}</text></g>",
        escaped(&disturbance.to_string()),
        TOP / 2,
        bottom - TOP / 2,
        from + 3,
        TOP / 2 + 10,
        escaped(&label)
    );
}

fn bar(
    svg: &mut String,
    history: &History,
    refusal: &Refusal,
    id: OperationId,
    (from, to, top): (usize, usize, usize),
) {
    let is_of = |lines: &[super::OperationLine]| lines.iter().any(|line| line.id == id);
    let (fill, what) = match id {
        _ if id == refusal.stuck.id => ("#e5484d", "cannot be placed"),
        _ if is_of(&refusal.core) => ("#f5a65b", "core"),
        _ if is_of(&refusal.context) => ("#f5dfb8", "context"),
        _ => ("#d9dee4", "other"),
    };
    let dashed = if history.returned(id).is_none() {
        " stroke-dasharray=\"4 3\""
    } else {
        ""
    };
    let described = history.describe(id);
    let label: String = described.chars().take(LABEL_CHARS_MAX).collect();
    let width = (to - from).max(STEP / 2);
    let _ = writeln!(
        svg,
        "<g><title>{} ({what})</title><rect x=\"{from}\" y=\"{top}\" width=\"{width}\" height=\"18\" rx=\"3\" fill=\"{fill}\" \
         stroke=\"#555\"{dashed}/><text x=\"{}\" y=\"{}\">{}</text></g>",
        escaped(&described),
        from + 3,
        top + 13,
        escaped(&label)
    );
}

/// `text` with what XML gives a meaning to written as entities, and control characters, which it has not, as a mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
