//! How a sweep's progress is shown, on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use super::journal::Journal;
use super::output::{self, grouped};
use super::subject::Subject;
use super::{Global, ProgressStyle, results, seed};
use crate::sweep::journal::Record;
use crate::sweep::{Group, Observer, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Pause between two lines where there is no terminal.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// Shows progress and failures as they are found, and keeps the journal.
pub struct Display<'a> {
    global: &'a Global,
    subjects: &'a [Subject],
    journal: Option<&'a mut Journal>,
    bar: Option<ProgressBar>,
    plain: bool,
    last_line: Duration,
}

impl<'a> Display<'a> {
    /// In the style that was asked for; what has to be kept goes to the journal.
    pub fn new(global: &'a Global, subjects: &'a [Subject], journal: Option<&'a mut Journal>) -> Self {
        let silent = global.quiet || global.progress == ProgressStyle::None;
        let draws = !silent && global.progress == ProgressStyle::Auto && std::io::stderr().is_terminal();
        let bar = draws.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)));
        Self {
            global,
            subjects,
            journal,
            bar,
            plain: !silent && !draws,
            last_line: Duration::ZERO,
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Display<'_> {
    fn progress(&mut self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            if bar.length() != progress.total || bar.position() == 0 {
                bar.set_style(style(progress.total.is_some()));
                if let Some(total) = progress.total {
                    bar.set_length(total);
                }
            }
            bar.set_message(format!("{} failed", progress.failed));
            bar.set_position(progress.done);
        } else if self.plain && progress.elapsed >= self.last_line + HEARTBEAT {
            self.last_line = progress.elapsed;
            output::notice(self.global, &line(progress));
        }
    }

    fn keep(&mut self, record: &Record) {
        if let Some(journal) = &mut self.journal {
            journal.add(record);
        }
    }

    fn found(&mut self, group: &Group) {
        let subject = &self.subjects[group.scenario];
        let replay = group
            .seed
            .map_or_else(String::new, |seed| subject.replay_of(seed, &group.failure));
        let tell = || {
            output::found(self.global, group.seed, &subject.scenario.name, &group.failure, &replay);
            if self.global.verbose {
                let seed = group.seed.map_or_else(String::new, seed::shown);
                let text = results::failed(&seed, &subject.scenario.name, &group.failure);
                output::notice(self.global, &text);
            }
        };
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }
}

/// A bar for reading a file of `bytes`; `None` where there is no terminal, or nobody wants one.
pub fn reading(global: &Global, bytes: u64) -> Option<ProgressBar> {
    let draws = !global.quiet && global.progress == ProgressStyle::Auto && std::io::stderr().is_terminal();
    let template = "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  ETA {eta}";
    draws.then(|| {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(5));
        bar.with_style(BarStyle::with_template(template).expect("the template is a constant"))
    })
}

/// A bar for a search whose end nobody knows, where there is a terminal; and whether lines are to be written instead.
pub fn spinner(global: &Global) -> (Option<ProgressBar>, bool) {
    let silent = global.quiet || global.progress == ProgressStyle::None;
    let draws = !silent && global.progress == ProgressStyle::Auto && std::io::stderr().is_terminal();
    let template = "{bar:30} {msg}  {elapsed}";
    let bar = draws.then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        bar.with_style(BarStyle::with_template(template).expect("the template is a constant"))
    });
    (bar, !silent && !draws)
}

fn style(bounded: bool) -> BarStyle {
    let template = if bounded {
        "{wide_bar} {human_pos}/{human_len} runs  {per_sec}  {msg}  ETA {eta}"
    } else {
        "{spinner} {human_pos} runs  {per_sec}  {msg}  {elapsed}"
    };
    BarStyle::with_template(template).expect("the template is a constant")
}

fn line(progress: &Progress) -> String {
    let seconds = progress.elapsed.as_secs().max(1);
    let total = progress
        .total
        .map_or_else(String::new, |total| format!(" of {}", grouped(total)));
    let left = progress
        .total
        .map(|total| (total - progress.done) * seconds / progress.done.max(1));
    let eta = left.map_or_else(String::new, |left| format!(", about {left} s to go"));
    format!(
        "{} s: {}{total} runs, {} runs/s, {} failed{eta}",
        progress.elapsed.as_secs(),
        grouped(progress.done),
        grouped(progress.done / seconds),
        grouped(progress.failed)
    )
}
