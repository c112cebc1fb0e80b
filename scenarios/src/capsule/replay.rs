//! A capsule's run again, and how it compares with what the capsule says.
//!
//! A run is marked: at regular numbers of events, a part of the digest so far. Two runs of one course are the same up to the
//! last mark that they share.

use super::{Capsule, Recorded};
use crate::run::{RunOptions, RunReport};
use serde::{Deserialize, Serialize};
use simulator::{EventLine, TraceSink};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// About how many marks a run gets at most.
const MARKS: u64 = 2_000;
/// Hexadecimal digits of one mark.
const DIGITS: usize = 4;

/// How a capsule's run is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// It passes.
    Pass,
    /// It fails, with the same signature.
    Fail,
}

/// Parts of digests along a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// Events from one mark to the next.
    pub every: u64,
    /// Four hexadecimal digits for each mark.
    pub digests: String,
}

impl Marks {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }
}

/// What a repetition shows of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ended as the capsule says.
    Reproduced,
    /// The capsule's run failed, and this one passed.
    Gone,
    /// It failed, and the capsule says otherwise.
    Another,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reproduced => "reproduced",
            Self::Gone => "gone",
            Self::Another => "another failure",
        })
    }
}

/// How a run compares with its capsule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the digest is another than the capsule's, so that the code has changed what happens on this course.
    pub stale: bool,
    /// The digest that the capsule has.
    pub recorded_digest: String,
    /// The signature that the capsule has.
    pub recorded_signature: Option<String>,
    /// What made the capsule.
    pub recorded_by: String,
    /// Of a stale one: how many events are surely the same, and how many may be, until the runs part.
    pub parts: Option<(u64, u64)>,
    /// The first event, of this run, that may be another.
    pub first_difference: Option<String>,
}

impl Capsule {
    /// Runs it twice with marks, and takes over what came of it.
    ///
    /// # Errors
    /// When the two runs differ: something is not deterministic.
    pub fn seal(&mut self) -> Result<(), String> {
        let every = self.outcome.events.div_ceil(MARKS).max(1);
        let marked = || {
            self.run(RunOptions {
                marks: every,
                ..RunOptions::default()
            })
        };
        let (one, other) = (marked(), marked());
        if one.digest != other.digest || one.failure != other.failure {
            let (one, other) = (one.digest.short(), other.digest.short());
            return Err(format!("two runs of the capsule differ: digests {one} and {other}"));
        }
        self.outcome = Recorded {
            marks: Marks {
                every,
                digests: text(&one),
            },
            ..Recorded::of(&one)
        };
        Ok(())
    }
}

/// The marks of a run as text.
fn text(report: &RunReport) -> String {
    let marks = report.marks.iter().map(|mark| format!("{:0DIGITS$x}", mark.digest));
    marks.collect()
}

/// Runs a capsule again and compares. Gives the run too.
pub fn compare(capsule: &Capsule, options: RunOptions) -> (Comparison, RunReport) {
    compare_recorded(capsule, options, None)
}

/// As [`compare`]; `sink` gets the trace of the run while it goes on.
pub fn compare_recorded(
    capsule: &Capsule,
    options: RunOptions,
    sink: Option<Box<dyn TraceSink>>,
) -> (Comparison, RunReport) {
    let marks = capsule.outcome.marks.every;
    let report = capsule.run_recorded(RunOptions { marks, ..options }, sink);
    let recorded = &capsule.outcome;
    let now = super::signature(&report);
    let outcome = match (recorded.signature.as_deref(), now) {
        (before, now) if before == now => Outcome::Reproduced,
        (_, None) => Outcome::Gone,
        (_, Some(_)) => Outcome::Another,
    };
    let stale = report.digest.to_string() != recorded.digest;
    let parts = stale.then(|| parts(recorded, &report)).flatten();
    let first_difference = parts.and_then(|(same, _)| first_after(capsule, &report, same));
    let comparison = Comparison {
        outcome,
        stale,
        recorded_digest: recorded.digest.clone(),
        recorded_signature: recorded.signature.clone(),
        recorded_by: capsule.origin.tool.clone(),
        parts,
        first_difference,
    };
    (comparison, report)
}

/// Up to which event the runs are the same, and from which on they are not; none if there are no marks to tell.
fn parts(recorded: &Recorded, report: &RunReport) -> Option<(u64, u64)> {
    let Marks { every, digests } = &recorded.marks;
    if *every == 0 {
        return None;
    }
    let now = text(report);
    let (before, now) = (digests.as_bytes(), now.as_bytes());
    let pairs = before.chunks(DIGITS).zip(now.chunks(DIGITS));
    let same = pairs.take_while(|(before, now)| before == now).count() as u64;
    let both = before.len().min(now.len()) / DIGITS;
    let differs = if same < both as u64 {
        (same + 1) * every
    } else {
        recorded.events.max(report.events)
    };
    Some((same * every, differs))
}

/// The first event after so many, as it stands in a trace of the run.
fn first_after(capsule: &Capsule, report: &RunReport, same: u64) -> Option<String> {
    let every = capsule.outcome.marks.every;
    let mark = same.checked_div(every).filter(|number| *number > 0);
    let seq = mark.map_or(0, |number| {
        report.marks.get(number as usize - 1).map_or(0, |mark| mark.seq)
    });
    let found = Arc::new(Mutex::new(None));
    let after = After {
        seq,
        found: Arc::clone(&found),
    };
    capsule.run_recorded(RunOptions::default(), Some(Box::new(after)));
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Keeps the first event after one, but for sends, of which its digest knows nothing.
struct After {
    seq: u64,
    found: Arc<Mutex<Option<String>>>,
}

impl TraceSink for After {
    fn record(&mut self, event: EventLine<'_>) {
        if event.seq > self.seq && event.kind != "send" {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.get_or_insert_with(|| event.json.to_owned());
        }
    }
}
