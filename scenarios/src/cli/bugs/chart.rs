//! A bar chart as SVG: processor time to the first detection of each planted bug, on a logarithmic scale.

use super::run::Row;
use super::seconds;
use crate::bugs::Quantile;
use std::fmt::Write;
use std::time::Duration;

const LABELS: u64 = 250;
const BARS: u64 = 520;
const LINE: u64 = 16;
const TOP: u64 = 40;
/// The scale begins at 10 ms.
const FIRST_US: u64 = 10_000;

/// The chart. A bug that was not found in half of its trials has a hollow bar up to where its trials ended.
pub fn svg(rows: &[Row], budget: Duration) -> String {
    let end = u64::try_from(budget.as_micros()).unwrap_or(u64::MAX).max(10 * FIRST_US);
    let (width, height) = (LABELS + BARS + 80, TOP + LINE * rows.len() as u64 + 10);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\" fill=\"#888\">\n<title>Processor time to the first detection of each planted bug</title>\n"
    );
    let decades = std::iter::successors(Some(FIRST_US), |us| us.checked_mul(10)).take_while(|us| *us <= end);
    for us in decades {
        let x = LABELS + across(us, end);
        let _ = writeln!(
            text,
            "<line x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{height}\" stroke=\"#8884\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{} s</text>",
            TOP - 6,
            TOP - 12,
            seconds(us)
        );
    }
    for (number, row) in rows.iter().enumerate() {
        text += &bar(row, TOP + LINE * number as u64, end);
    }
    text + "</svg>\n"
}

fn bar(row: &Row, y: u64, end: u64) -> String {
    let bug = row.report.bug;
    let label = format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} {}</text>",
        LABELS - 8,
        y + 11,
        bug.id,
        bug.name
    );
    let Some(median) = row.cpu_us_median else {
        return label + "\n";
    };
    let (us, style, mark) = match median {
        Quantile::Exactly(us) => (us, "fill=\"#4c8\"", ""),
        Quantile::MoreThan(us) => (us, "fill=\"none\" stroke=\"#c84\"", "&gt; "),
    };
    let length = across(us, end).max(2);
    format!(
        "{label}<rect x=\"{LABELS}\" y=\"{}\" width=\"{length}\" height=\"{}\" {style}/>\
         <text x=\"{}\" y=\"{}\">{mark}{}</text>\n",
        y + 2,
        LINE - 4,
        LABELS + length + 5,
        y + 11,
        seconds(us)
    )
}

/// How far to the right a time stands, in units of the picture: by powers of two with straight lines between them.
fn across(us: u64, end: u64) -> u64 {
    let log = |us: u64| {
        let ratio = (us.max(FIRST_US) << 16) / FIRST_US;
        let whole = u64::from(ratio.ilog2());
        (whole << 16) + ((ratio << 16 >> whole) - (1 << 16))
    };
    (BARS * (log(us) - log(FIRST_US)) / (log(end) - log(FIRST_US)).max(1)).min(BARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_logarithmic_and_ends_at_the_budget() {
        let end = 10_000_000;
        assert_eq!((across(FIRST_US, end), across(end, end), across(0, end)), (0, BARS, 0));
        let step = across(100_000, end);
        assert!(across(1_000_000, end).abs_diff(2 * step) <= BARS / 50, "{step}");
        assert!((0..100).all(|n| across(n * 100_000, end) <= across((n + 1) * 100_000, end)));
    }
}
