//! How a refusal looks as text: aligned lines, wrapped to a width.

use std::fmt;

use super::refusal::{Attempt, OperationLine, Refusal};

/// Width of a refusal that is displayed without saying how wide, in columns.
const WIDTH: usize = 100;

/// Most lines of a core that are shown; the rest is counted.
const LINES_SHOWN_MAX: usize = 40;

impl fmt::Display for OperationLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}  {}  {}", self.client, self.described, self.interval())
    }
}

/// [`Refusal::text`], a hundred columns wide.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(WIDTH))
    }
}

impl Refusal {
    /// The refusal for a terminal of `width` columns: the stuck operation, core and context, the reason, the nearest orders, and
    /// the moment. Lines of operations are never broken.
    pub fn text(&self, width: usize) -> String {
        let is_shown = self.said_by.is_none();
        let mut text = String::from(if self.is_first {
            "first operation that cannot be placed:\n"
        } else if !is_shown {
            "with its return the history is impossible (whether it was before was not found out within the budget):\n"
        } else {
            "operation that cannot be placed (whether it is the first was not found out within the budget):\n"
        });
        push_lines(&mut text, &[(&self.stuck, "")]);
        let minimal = if self.is_core_minimal {
            "minimal"
        } else {
            "not shown to be minimal"
        };
        let plural = if self.core.len() == 1 { "" } else { "s" };
        let count = self.core.len();
        let heading = format!("impossible already ({count} operation{plural}, {minimal}), whatever the others did:");
        if is_shown {
            text += &wrapped(&heading, width, "");
            text.push('\n');
        }
        let core = self.core.iter().map(|line| (line, ""));
        let context = self.context.iter().map(|line| (line, "  (for context)"));
        let mut lines: Vec<(&OperationLine, &str)> = core.chain(context).collect();
        lines.sort_by_key(|(line, _)| (line.call, line.id));
        push_lines(&mut text, &lines);
        if !self.disturbances.is_empty() {
            let told: Vec<String> = self.disturbances.iter().map(ToString::to_string).collect();
            text += &wrapped(&format!("meanwhile: {}", told.join(", ")), width, "");
            text.push('\n');
        }
        text += &wrapped(&self.sentence, width, "");
        text.push('\n');
        if !self.attempts.is_empty() {
            text += "the nearest orders, and why each is refused:\n";
        }
        for attempt in &self.attempts {
            text += &wrapped(&refused(attempt, &self.stuck), width, "  ");
            text.push('\n');
        }
        let end = self.stuck.returned.map_or_else(String::new, |returned| {
            format!(" at {}", self.stuck.clock.time(returned))
        });
        let (event, events, length) = (self.event, self.events, self.legal_prefix.len());
        let plural = if length == 1 { "" } else { "s" };
        let moment = if self.is_first {
            format!(
                "it became impossible{end}, with event {event} of {events} (calls and returns); the longest legal prefix has {length} operation{plural}"
            )
        } else {
            format!(
                "it is impossible{end}, with event {event} of {events} (calls and returns), and may have been before"
            )
        };
        text + &wrapped(&moment, width, "")
    }
}

fn refused(attempt: &Attempt, stuck: &OperationLine) -> String {
    let more = if attempt.length > attempt.last.len() {
        "…, "
    } else {
        ""
    };
    let last: Vec<String> = attempt
        .described
        .iter()
        .map(|described| format!("`{described}`"))
        .collect();
    let order = if last.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{more}{}", last.join(", "))
    };
    format!(
        "after {order} the key holds {}: `{}` cannot follow",
        attempt.state, stuck.described
    )
}

fn push_lines(text: &mut String, lines: &[(&OperationLine, &str)]) {
    let shown = &lines[..lines.len().min(LINES_SHOWN_MAX)];
    let widest = |length: fn(&OperationLine) -> usize| shown.iter().map(|(line, _)| length(line)).max().unwrap_or(0);
    let client_width = widest(|line| line.client.to_string().len());
    let width = widest(|line| line.described.chars().count());
    for (line, note) in shown {
        let (client, described, interval) = (line.client, &line.described, line.interval());
        *text += &format!("  client {client:>client_width$}  {described:<width$}  {interval}{note}\n");
    }
    if lines.len() > shown.len() {
        *text += &format!("  … and {} more\n", lines.len() - shown.len());
    }
}

/// `text` in lines of at most `width` columns, as far as its words allow, each after `indent`; lines after the first a step
/// further in when there is an indent.
pub(super) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines = String::from(indent);
    let mut column = indent.chars().count();
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > width {
            lines.push('\n');
            lines += indent;
            lines += indent;
            column = 2 * indent.chars().count();
        } else if index > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += length;
    }
    lines
}
