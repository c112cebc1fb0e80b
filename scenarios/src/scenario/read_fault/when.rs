//! When a fault strikes: once, again and again, or whenever a situation is reached.

use crate::scenario::error::Misfit;
use crate::scenario::fault::{Trigger, When};
use crate::scenario::feasible::{in_time, soon};
use crate::scenario::read::{HOUR, MILLISECOND, WHOLE, duration, millis};
use crate::scenario::section::{Section, unknown_word};
use crate::scenario::spec::Timing;
use crate::scenario::{Known, Result};

/// The keys of a fault that waits for a situation; every kind has them.
pub const OF_TRIGGERS: [&str; 4] = ["when", "probability", "after", "limit"];

/// Reads when a fault strikes.
pub fn when(section: &Section<'_>, time: &Timing, known: &Known) -> Result<When> {
    if section.get("when").is_some() {
        return reached(section, time, known).map(When::Reached);
    }
    if let Some(stray) = OF_TRIGGERS.iter().find(|key| section.get(key).is_some()) {
        return Err(Misfit::unfit(
            section.mark_of(&[*stray]),
            format!("`{}` belongs to `when`, which is not given", section.path(stray)),
            "write `when` with a situation (`squall list situations`), or leave it out",
        ));
    }
    match (section.get("at"), section.get("every")) {
        (Some(_), None) => {
            let ns = section.duration("at", 0, 0..=HOUR)?;
            if ns < time.chaos_ns {
                return Ok(When::At { ns });
            }
            let (at, chaos) = (duration(ns), duration(time.chaos_ns));
            let what = format!(
                "`{}` is {at}, when the faults are over: `time.chaos` is {chaos}",
                section.path("at")
            );
            let remedy = in_time("let it strike", &section.path("at"), ns, &duration(time.chaos_ns / 2));
            Err(Misfit::unfit(section.mark_of(&["at"]), what, remedy))
        }
        (None, Some(_)) => {
            let pause = section.durations("every", millis(1, 1), MILLISECOND..=HOUR)?;
            if pause.min_ns < time.chaos_ns {
                return Ok(When::Every(pause));
            }
            let (every, chaos) = (duration(pause.min_ns), duration(time.chaos_ns));
            let what = format!(
                "`{}` starts at {every} and never strikes: `time.chaos` is {chaos}",
                section.path("every")
            );
            let remedy = in_time("let it strike", &section.path("every"), pause.min_ns, &soon(time.chaos_ns));
            Err(Misfit::unfit(section.mark_of(&["every"]), what, remedy))
        }
        (Some(_), Some(second)) => Err(Misfit::unfit(
            second.mark,
            format!(
                "`{}` and `{}` are both given",
                section.path("at"),
                section.path("every")
            ),
            "keep `at` for a fault that strikes once, or `every` for one that strikes again and again",
        )),
        (None, None) => Err(section.missing(
            "every",
            "every = \"2s..4s\" to strike again and again, at = \"3s\" for once, or when = \"leader-elected\" for each time",
        )),
    }
}

fn reached(section: &Section<'_>, time: &Timing, known: &Known) -> Result<Trigger> {
    if let Some(other) = ["at", "every"].into_iter().find(|key| section.get(key).is_some()) {
        return Err(Misfit::unfit(
            section.mark_of(&[other]),
            format!(
                "`{}` and `{}` are both given",
                section.path("when"),
                section.path(other)
            ),
            "keep `when` for a fault that waits for a situation, or the other for one that goes by the clock",
        ));
    }
    let Some((word, mark)) = section.text("when", "\"leader-elected\"")? else {
        unreachable!("`when` is there: its caller looked");
    };
    let situation = known.situations.iter().copied().find(|known| *known == word);
    let after = section.durations("after", millis(0, 0), 0..=HOUR)?;
    if after.min_ns >= time.chaos_ns {
        let after_ns = after.min_ns;
        let (after, chaos) = (duration(after_ns), duration(time.chaos_ns));
        return Err(Misfit::unfit(
            section.mark_of(&["after"]),
            format!(
                "`{}` starts at {after}, when the faults are over: `time.chaos` is {chaos}",
                section.path("after")
            ),
            in_time("let it strike", &section.path("after"), after_ns, &soon(time.chaos_ns)),
        ));
    }
    Ok(Trigger {
        situation: situation.ok_or_else(|| unknown_word(mark, &section.path("when"), word, known.situations))?,
        probability_ppm: section.ratio("probability", WHOLE, 1..=WHOLE)?,
        after,
        limit: section.count("limit", 10, 1..=100_000)?,
    })
}
