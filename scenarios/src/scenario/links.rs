//! The keys of `[network]` that make links unlike each other, bound what they carry and damage it: type, reading, writing.

use super::Result;
use super::read::{MINUTE, SECOND, WHOLE};
use super::section::Section;
use super::write::{Writer, word};

/// What links are like. Everything ends with `time.chaos`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// `shape`: how the usual latency of a link is distributed within `latency`; default `uniform`.
    pub shape: Shape,
    /// `slow_links`: the share of links (ppm) that are slow, drawn once for each direction of each link; default 0.
    pub slow_ppm: u32,
    /// `slow_factor`: by how much the latency of a slow link is multiplied, 2 to 1,000; default 10.
    pub slow_factor: u32,
    /// `huge`: share of messages (ppm) that are held up hugely and overtaken; default 0.
    pub huge_ppm: u32,
    /// `huge_max`: the longest such delay, up to 10 min; the shortest is the largest usual latency; default 1 min.
    pub huge_max_ns: u64,
    /// `bandwidth`: bytes per second that a link carries, 64 B to 1,024 MiB; `None`, written "off", is the default: no bound.
    pub bandwidth: Option<u64>,
    /// `queue`: how many messages wait on a link at most where there is a bandwidth, 1 to 1,000,000; default 1,000.
    pub queue: u32,
    /// `queue_bytes`: how many bytes wait on a link at most where there is a bandwidth, 64 B to 1,024 MiB; default 1 MiB.
    pub queue_bytes: u64,
    /// `corrupt`: share of messages (ppm) whose frame has bits flipped or its end cut off on the way; default 0.
    pub corrupt_ppm: u32,
}

/// How the usual latency of a link is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `uniform`: every latency in the range is as likely.
    Uniform,
    /// `long-tailed`: most are near the minimum, one of eight is in the upper half.
    LongTailed,
    /// `bimodal`: seven of eight are near the minimum, the rest near the maximum.
    Bimodal,
    /// `mixed`: each link has one of the three, drawn once.
    Mixed,
}

const SHAPES: [(&str, Shape); 4] = [
    ("uniform", Shape::Uniform),
    ("long-tailed", Shape::LongTailed),
    ("bimodal", Shape::Bimodal),
    ("mixed", Shape::Mixed),
];

/// Reads the keys out of `[network]`.
pub fn read(section: &Section<'_>) -> Result<Links> {
    const SIZES: std::ops::RangeInclusive<u64> = 64..=1 << 30;
    Ok(Links {
        shape: section.word("shape", Shape::Uniform, &SHAPES)?,
        slow_ppm: section.ratio("slow_links", 0, 0..=WHOLE)?,
        slow_factor: section.count("slow_factor", 10, 2..=1_000)?,
        huge_ppm: section.ratio("huge", 0, 0..=WHOLE)?,
        huge_max_ns: section.duration("huge_max", MINUTE, SECOND / 1_000..=10 * MINUTE)?,
        bandwidth: section.size_or_off("bandwidth", SIZES)?,
        queue: section.count("queue", 1_000, 1..=1_000_000)?,
        queue_bytes: section.size("queue_bytes", 1 << 20, SIZES)?,
        corrupt_ppm: section.ratio("corrupt", 0, 0..=WHOLE)?,
    })
}

/// Writes the keys into `[network]`.
pub fn write(out: &mut Writer<'_>, links: &Links) {
    out.text("shape", word(&SHAPES, &links.shape));
    out.ratio("slow_links", links.slow_ppm);
    out.raw("slow_factor", links.slow_factor);
    out.ratio("huge", links.huge_ppm);
    out.duration("huge_max", links.huge_max_ns);
    out.size_or_off("bandwidth", links.bandwidth);
    out.raw("queue", links.queue);
    out.size_or_off("queue_bytes", Some(links.queue_bytes));
    out.ratio("corrupt", links.corrupt_ppm);
}
