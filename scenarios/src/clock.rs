//! The machine's own time: how long a command took, how much processor it used, and one number that differs from call to
//! call.
//!
//! The only place of the workspace that reads a wall clock. Nothing that a run decides may come from here: a fresh seed is
//! printed before it is used, and every other figure is only ever shown.

// The ban keeps real time out of runs; what is measured here never reaches one.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line measures itself"
)]

use simulator::Stream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Ticks per second of the processor times in `/proc`: fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: u64 = 100;

/// Measures from its making on.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
    cpu_at_start: Option<Duration>,
}

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            cpu_at_start: cpu_time(),
        }
    }

    /// Wall time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Processor time of all threads of the process since the start, to 10 ms; `None` where the system does not tell.
    pub fn cpu(&self) -> Option<Duration> {
        cpu_time()?.checked_sub(self.cpu_at_start?)
    }
}

/// Measures one thread: the processor time that it uses from here on, or wall time where the system does not tell.
#[derive(Clone, Copy, Debug)]
pub struct ThreadStopwatch {
    started: Instant,
    cpu_at_start: Option<Duration>,
}

impl ThreadStopwatch {
    /// Starts measuring the calling thread.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            cpu_at_start: thread_cpu_time(),
        }
    }

    /// Processor time of the calling thread since the start, which must be the thread that started it.
    pub fn cpu(&self) -> Duration {
        let measured = || thread_cpu_time()?.checked_sub(self.cpu_at_start?);
        measured().unwrap_or_else(|| self.started.elapsed())
    }
}

/// Processor time that this thread has used so far, from `/proc/thread-self/schedstat`: the first number, in nanoseconds.
fn thread_cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Processor time that the process has used so far, user and system, from `/proc/self/stat`; with that of its processes that have ended.
fn cpu_time() -> Option<Duration> {
    ticks(&std::fs::read_to_string("/proc/self/stat").ok()?, 4)
}

/// Processor time that a process has used so far; `None` where the system does not tell.
pub fn cpu_time_of(process: u32) -> Option<Duration> {
    ticks(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?, 2)
}

/// Fields of `stat` (proc(5)) from the 14th on: its own time in user and system mode, and that of the children it has waited for. They are
/// counted after the command's name, which may hold spaces and parentheses.
fn ticks(stat: &str, fields: usize) -> Option<Duration> {
    let after_name = stat.rsplit_once(") ")?.1;
    let counted = after_name.split(' ').skip(11).take(fields).map(str::parse);
    let counted: Vec<u64> = counted.collect::<Result<_, _>>().ok()?;
    let all = counted.iter().sum::<u64>();
    (counted.len() == fields).then_some(Duration::from_millis(all * (1000 / TICKS_PER_SECOND)))
}

/// A seed that nobody chose: the nanoseconds since 1970 and the process's number, mixed so that all 64 bits vary.
pub fn fresh_seed() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stream::new(since_1970.as_nanos() as u64, "fresh-seed", std::process::id().into()).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a ) b) R 1 7 7 0 -1 4194304 100 0 0 0 250 50 100 20 20 0 1 0 100";
        assert_eq!(ticks(stat, 2), Some(Duration::from_secs(3)));
        assert_eq!(ticks(stat, 4), Some(Duration::from_millis(4200)));
        assert_eq!(ticks("7 (a) R 1", 2), None);
        assert_eq!(ticks("", 2), None);
    }

    #[test]
    fn a_threads_time_passes_while_it_works_and_not_while_it_waits() {
        let watch = ThreadStopwatch::start();
        let mut number = 1_u64;
        for step in 0..5_000_000_u64 {
            number = std::hint::black_box(number.wrapping_mul(step | 1));
        }
        assert!(watch.cpu() > Duration::ZERO, "{number}");
    }

    #[test]
    fn fresh_seeds_differ() {
        assert_ne!(fresh_seed(), fresh_seed());
    }
}
