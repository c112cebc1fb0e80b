//! `squall explain --when`: from which moment on a failure could no longer be avoided.
//!
//! At checkpoints along the run the world is forked, and many random futures of each are followed for as long as the run itself
//! took to fail, and a little more. How many of them fail in the same way says how much had been decided by then.

use super::error::CliError;
use super::output::{DIM, Table, notice};
use super::signals::interruption;
use super::subject::Subject;
use super::{Global, ProgressStyle};
use crate::capsule::Capsule;
use crate::clock::Stopwatch;
use crate::explain::{Sentence, between, span};
use crate::run::{Fork, LINEARIZABLE};
use crate::setup::Draw;
use crate::timeline::Timeline;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use serde::Serialize;
use simulator::Time;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The last checkpoint is so long before the failure, and each one before that twice as long.
const NEAREST: u64 = 500_000;
/// Checkpoints between the last moment at which the failure could be avoided and the first at which it could not.
const FINER: u64 = 8;
/// Most of what happened in between that is told.
const TOLD: usize = 12;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Futures of each checkpoint.
    pub futures: u32,
    /// No future is begun after this time.
    pub time: Duration,
    /// How much later than the run itself a future may fail, in nanoseconds.
    pub slack: u64,
    /// Threads.
    pub jobs: usize,
}

/// The document of `squall explain --when`.
#[derive(Debug, Serialize)]
pub struct When {
    /// `squall-when/1`.
    schema: &'static str,
    /// The failure.
    signature: String,
    /// When the run failed, true time in nanoseconds.
    failed_at: u64,
    /// When a future that has not failed is given up, true time in nanoseconds.
    until: u64,
    /// What became of the futures of each checkpoint, in the order of time.
    checkpoints: Vec<Checkpoint>,
    /// The first checkpoint from which on every future failed in this way; null if there is none.
    inevitable_from: Option<u64>,
    /// The last checkpoint of which a future did not; null if there is none.
    avoidable_until: Option<u64>,
    /// What happened in between.
    between: Vec<Sentence>,
    /// Whether the time was up before all futures had been tried.
    incomplete: bool,
}

/// What became of the futures of one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
struct Checkpoint {
    /// True time, in nanoseconds.
    t: u64,
    /// Futures that were followed.
    futures: u64,
    /// Those that failed in the same way.
    same: u64,
    /// Those that failed in another way.
    otherwise: u64,
}

impl Checkpoint {
    fn is_certain(&self) -> bool {
        self.futures > 0 && self.same == self.futures
    }
}

/// Finds it out for a run that failed at `failed_at`.
///
/// # Errors
/// When Ctrl-C cannot be caught.
pub fn when(
    whose: &Whose,
    timeline: &Timeline<'_>,
    failed_at: u64,
    effort: Effort,
    global: &Global,
) -> Result<When, CliError> {
    let signature = timeline.trace.footer.verdict.clone();
    let search = Search {
        whose,
        draw: whose.draw(),
        judge: signature.starts_with(LINEARIZABLE),
        signature: &signature,
        until: failed_at.saturating_add(effort.slack),
        effort,
        watch: Stopwatch::start(),
        interrupted: interruption(),
        done: AtomicU64::new(0),
    };
    let bar = bar(global);
    let mut times: Vec<u64> = std::iter::successors(Some(NEAREST), |before| before.checked_mul(2))
        .map_while(|before| failed_at.checked_sub(before))
        .collect();
    times.push(0);
    times.reverse();
    let mut checkpoints = search.tried(&times, bar.as_ref());
    let (mut avoidable, mut inevitable) = turn(&checkpoints);
    if let (Some(low), Some(high)) = (avoidable, inevitable) {
        let step = (high - low) / (FINER + 1);
        let finer: Vec<u64> = (1..=FINER)
            .map(|at| low + at * step)
            .filter(|at| (low + 1..high).contains(at))
            .collect();
        checkpoints.extend(search.tried(&finer, bar.as_ref()));
        checkpoints.sort_by_key(|checkpoint| checkpoint.t);
        (avoidable, inevitable) = turn(&checkpoints);
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let told = match (avoidable, inevitable) {
        (Some(low), Some(high)) => between(timeline, low, high),
        _ => Vec::new(),
    };
    let incomplete = checkpoints
        .iter()
        .any(|checkpoint| checkpoint.futures < u64::from(effort.futures));
    if incomplete {
        notice(
            global,
            &"the time was up before all futures had been followed: --time gives more",
        );
    }
    Ok(When {
        schema: "squall-when/1",
        failed_at,
        until: search.until,
        checkpoints,
        inevitable_from: inevitable,
        avoidable_until: avoidable,
        between: told,
        incomplete,
        signature: signature.clone(),
    })
}

/// The last checkpoint at which the failure could be avoided, and the next, if it could not be from there on.
fn turn(checkpoints: &[Checkpoint]) -> (Option<u64>, Option<u64>) {
    let tried: Vec<&Checkpoint> = checkpoints.iter().filter(|one| one.futures > 0).collect();
    let last = tried.iter().rposition(|checkpoint| !checkpoint.is_certain());
    let next = last.map_or(0, |last| last + 1);
    (
        last.map(|last| tried[last].t),
        tried.get(next).map(|checkpoint| checkpoint.t),
    )
}

/// Whose futures are asked for.
#[derive(Debug)]
pub enum Whose {
    /// A seed's.
    Seed(Box<Subject>, u64),
    /// A capsule's.
    Capsule(Box<Capsule>),
}

impl Whose {
    fn draw(&self) -> Draw {
        match self {
            Self::Seed(subject, seed) => Draw::new(&subject.scenario, *seed),
            Self::Capsule(capsule) => Draw {
                damageable: capsule.course.damageable,
                ..Draw::new(&capsule.scenario, 0)
            },
        }
    }

    fn begun<'a>(&'a self, draw: &'a Draw) -> Option<Fork<'a>> {
        match self {
            Self::Seed(subject, seed) => Fork::new(&subject.scenario, draw, *seed, subject.bug),
            Self::Capsule(capsule) => Fork::on_course((&capsule.scenario, &capsule.course), draw, capsule.bug),
        }
        .ok()
    }
}

struct Search<'s> {
    whose: &'s Whose,
    draw: Draw,
    judge: bool,
    signature: &'s str,
    until: u64,
    effort: Effort,
    watch: Stopwatch,
    interrupted: std::sync::Arc<AtomicBool>,
    done: AtomicU64,
}

impl Search<'_> {
    /// Follows futures from each of these times, on all threads.
    #[expect(
        clippy::disallowed_methods,
        reason = "futures of one moment know nothing of each other"
    )]
    fn tried(&self, times: &[u64], bar: Option<&ProgressBar>) -> Vec<Checkpoint> {
        if let Some(bar) = bar {
            bar.inc_length(times.len() as u64 * u64::from(self.effort.futures));
        }
        let jobs = self.effort.jobs.max(1);
        let parts: Vec<Vec<Checkpoint>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs)
                .map(|job| scope.spawn(move || self.share(times, job, jobs, bar)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a future's panic is its failure"))
                .collect()
        });
        let sum = |at: usize| {
            let zero = Checkpoint {
                t: times[at],
                ..Checkpoint::default()
            };
            parts
                .iter()
                .filter_map(|part| part.get(at))
                .fold(zero, |sum, one| Checkpoint {
                    t: sum.t,
                    futures: sum.futures + one.futures,
                    same: sum.same + one.same,
                    otherwise: sum.otherwise + one.otherwise,
                })
        };
        (0..times.len()).map(sum).collect()
    }

    /// One thread's futures: every `jobs`th of each checkpoint, those of all checkpoints in turn.
    fn share(&self, times: &[u64], job: usize, jobs: usize, bar: Option<&ProgressBar>) -> Vec<Checkpoint> {
        let Some(mut run) = self.whose.begun(&self.draw) else {
            return Vec::new();
        };
        let mut forks = Vec::new();
        for &t in times {
            if run.advance(Time(t)).is_err() {
                break;
            }
            forks.push((
                run.copied(),
                Checkpoint {
                    t,
                    ..Checkpoint::default()
                },
            ));
        }
        for number in (job..self.effort.futures as usize).step_by(jobs) {
            for (fork, checkpoint) in &mut forks {
                if self.watch.elapsed() > self.effort.time || self.interrupted.load(Ordering::Relaxed) {
                    return forks.into_iter().map(|(_, checkpoint)| checkpoint).collect();
                }
                let failure = fork.future(number as u64, Time(self.until), self.judge);
                let is_same = failure
                    .as_ref()
                    .is_some_and(|failure| failure.signature == self.signature);
                checkpoint.futures += 1;
                checkpoint.same += u64::from(is_same);
                checkpoint.otherwise += u64::from(failure.is_some() && !is_same);
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(bar) = bar {
                    bar.set_position(done);
                }
            }
        }
        forks.into_iter().map(|(_, checkpoint)| checkpoint).collect()
    }
}

fn bar(global: &Global) -> Option<ProgressBar> {
    let draws = !global.quiet && global.progress == ProgressStyle::Auto && std::io::stderr().is_terminal();
    draws.then(|| {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        let style = BarStyle::with_template("{wide_bar} {human_pos}/{human_len} futures  ETA {eta}");
        bar.with_style(style.expect("the template is a constant"))
    })
}

impl When {
    /// For a person.
    pub fn text(&self) -> String {
        const BAR: u64 = 30;
        let mut table = Table::new(0, ["from", "before the failure", "fail so", "of", "otherwise"]);
        for one in &self.checkpoints {
            table.row([
                seconds(one.t),
                span(self.failed_at - one.t),
                one.same.to_string(),
                one.futures.to_string(),
                one.otherwise.to_string(),
            ]);
        }
        let mut text = format!(
            "{DIM}Futures from moments of the run, until {}: how many fail with {}{DIM:#}\n",
            seconds(self.until),
            self.signature
        );
        let bars = self
            .checkpoints
            .iter()
            .map(|one| "█".repeat((one.same * BAR / one.futures.max(1)) as usize));
        let rows = table.text();
        for (line, bar) in rows.lines().zip(std::iter::once(String::new()).chain(bars)) {
            let _ = writeln!(text, "  {}", format!("{line}  {bar}").trim_end());
        }
        text.push('\n');
        match (self.avoidable_until, self.inevitable_from) {
            (Some(low), Some(high)) => {
                let _ = writeln!(
                    text,
                    "Inevitable from {} on, {} before the failure; at {} it could still be avoided. In between:",
                    seconds(high),
                    span(self.failed_at - high),
                    seconds(low)
                );
                text += &super::explain::sentences(&self.between[self.between.len().saturating_sub(TOLD)..]);
            }
            (None, Some(_)) => text += "Inevitable from the start: every future fails so.\n",
            _ => text += "At no checkpoint inevitable: it takes what happens just before it.\n",
        }
        text
    }
}

fn seconds(t: u64) -> String {
    format!("{}.{:06} s", t / 1_000_000_000, t % 1_000_000_000 / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_is_after_the_last_checkpoint_that_leaves_a_way_out() {
        let checkpoint = |t: u64, futures: u64, same: u64| Checkpoint {
            t,
            futures,
            same,
            otherwise: 0,
        };
        let of = |shares: &[(u64, u64)]| {
            let all: Vec<_> = (0..)
                .zip(shares)
                .map(|(t, (futures, same))| checkpoint(t, *futures, *same))
                .collect();
            turn(&all)
        };
        assert_eq!(of(&[(9, 1), (9, 9), (9, 8), (9, 9), (9, 9)]), (Some(2), Some(3)));
        assert_eq!(of(&[(9, 9), (9, 9)]), (None, Some(0)));
        assert_eq!(of(&[(9, 1), (9, 2)]), (Some(1), None));
        assert_eq!(
            of(&[(9, 1), (0, 0), (9, 9)]),
            (Some(0), Some(2)),
            "what was not tried says nothing"
        );
        assert_eq!(of(&[]), (None, None));
    }
}
