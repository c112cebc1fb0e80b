//! Runs in processes of their own, so that one bad run costs one run.
//!
//! Each thread of the sweep has a worker: a process that is told the number of a job, runs it and answers with what came of it. A worker
//! that dies, or has to be killed because its limit is reached, takes one run with it; that is the run's failure, and a new worker goes
//! on. What a run counts is the same as without.
//!
//! Owns both ends of the pipe and what the end of a worker says about its run. Leaves to others: which program a worker is.

use super::journal::Early;
use super::{Outcome, Sweep, Tally, job, split, threads};
use crate::clock::{Stopwatch, cpu_time_of};
use crate::plain;
use crate::run::RunReport;
use crate::setup::Draw;
use crate::verdict::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The property that a run does not end, or have to be ended, with its process.
pub const PROCESS: &str = "process";
/// How often the limit of time is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How many times its limit of processor time a run may take by the clock on the wall: it may have to wait for a processor.
const WAITING: u32 = 10;
/// How many of the last lines of a worker's standard error are kept.
const LINES: usize = 6;
/// Longest of them, in characters.
const LINE_MAX: usize = 400;

/// What one run may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time of a run; ten times as much by the clock on the wall. A run that is done twice may use twice as much.
    pub time: Duration,
    /// Address space of a worker, in bytes.
    pub memory: u64,
}

impl Limits {
    /// Those that hold if none are given: 60 s and 4 GiB.
    pub const DEFAULT: Self = Self {
        time: Duration::from_secs(60),
        memory: 4 << 30,
    };
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and {} MiB for each run", self.time, self.memory >> 20)
    }
}

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Isolation {
    /// The program of a worker.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The first line that it reads: what is swept.
    pub brief: String,
    /// What each run may use.
    pub limits: Limits,
}

/// What a worker answers to the number of a job.
#[derive(Serialize, Deserialize)]
struct Answer(Early);

/// The end of the pipe at which runs are made: reads numbers of jobs, one in each line, and answers each, until there are no more.
///
/// # Errors
/// When the other end is gone.
pub fn work(sweep: &Sweep<'_>, jobs: impl BufRead + Send, mut answers: impl Write + Send) -> io::Result<()> {
    let (sender, receiver) = sync_channel::<io::Result<()>>(1);
    let jobs = Mutex::new(Some(jobs));
    let answers = Mutex::new(&mut answers);
    // The stack is that of a sweep's threads.
    threads(
        1,
        sender,
        &|sender| {
            let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let done = jobs.map_or(Ok(()), |jobs| answer_all(sweep, jobs, &mut **answers));
            let _ = sender.send(done);
        },
        || {},
    );
    receiver.recv().unwrap_or(Ok(()))
}

fn answer_all(sweep: &Sweep<'_>, jobs: impl BufRead, answers: &mut impl Write) -> io::Result<()> {
    for line in jobs.lines() {
        let index = line?.trim().parse().map_err(io::Error::other)?;
        let answer = Answer(Early::new(index, &job(sweep, index)));
        let text = serde_json::to_string(&answer).map_err(io::Error::other)?;
        // On a line of its own, whatever the code under test has printed before.
        answers.write_all(format!("\n{text}\n").as_bytes())?;
        answers.flush()?;
    }
    Ok(())
}

/// How the first run of a sweep failed, in a worker.
pub fn one(sweep: &Sweep<'_>) -> Option<Failure> {
    let isolation = sweep.isolation?;
    Isolated::new(sweep, isolation).job(0).failure
}

/// The runs of one thread of a sweep, each in the worker of that thread.
pub(super) struct Isolated<'a> {
    sweep: &'a Sweep<'a>,
    isolation: &'a Isolation,
    worker: Option<Worker>,
}

impl<'a> Isolated<'a> {
    pub fn new(sweep: &'a Sweep<'a>, isolation: &'a Isolation) -> Self {
        Self {
            sweep,
            isolation,
            worker: None,
        }
    }

    /// Runs a job.
    pub fn job(&mut self, index: u64) -> Outcome {
        let (seed_index, _) = split(index, self.sweep.scenarios.len());
        let twice = self.sweep.verify_every > 0 && seed_index.is_multiple_of(self.sweep.verify_every);
        let limit = self.isolation.limits.time * if twice { 2 } else { 1 };
        // One that was idle and is gone says nothing of this run.
        let was_idle = self.worker.as_mut().is_some_and(|worker| worker.put(index).is_err());
        let started = match self.worker.take().filter(|_| !was_idle) {
            Some(worker) => Ok(worker),
            None => Worker::start(self.isolation).and_then(|mut worker| worker.put(index).map(|()| worker)),
        };
        let ended = match started {
            Err(error) => Ended::NotStarted(error.to_string()),
            Ok(mut worker) => match worker.answer(index, limit) {
                Ok(outcome) => {
                    self.worker = Some(worker);
                    return outcome;
                }
                Err(ended) => ended,
            },
        };
        let (seed_index, scenario) = split(index, self.sweep.scenarios.len());
        let (scenario, seed) = (&self.sweep.scenarios[scenario], self.sweep.seeds.at(seed_index));
        let failure = ended.failure(self.isolation.limits);
        let report = RunReport::without_events(seed, Draw::new(scenario, seed), failure.clone());
        let tally = Tally {
            failed: 1,
            ..Tally::of(&report)
        };
        Outcome {
            tally,
            failure: Some(failure),
        }
    }
}

/// How a worker ended in the middle of a run.
#[derive(Debug)]
enum Ended {
    /// It could not even be started.
    NotStarted(String),
    /// It was killed because its time was up.
    Late,
    /// By itself, or by somebody else; with the last lines of its standard error.
    Died(ExitStatus, Vec<String>),
}

impl Ended {
    fn failure(&self, limits: Limits) -> Failure {
        let (kind, place, what, lines): (_, _, _, &[String]) = match self {
            Self::NotStarted(error) => {
                let what = format!("no process could be started for this run: {error}");
                (FailureKind::Inconclusive, "not-started", what, &[])
            }
            Self::Late => {
                let what = format!(
                    "the run did not end within {:?} of processor time, and its process was killed: it may go on for ever",
                    limits.time
                );
                (FailureKind::Liveness, "timeout", what, &[])
            }
            Self::Died(status, lines) => {
                let (place, what) = cause(*status, lines, limits);
                (FailureKind::Panic, place, what, lines)
            }
        };
        let details = lines.iter().map(|line| format!("{line}\n")).collect();
        Failure {
            details,
            ..Failure::new(kind, PROCESS, place, what)
        }
    }
}

/// Place and message of a worker's death.
fn cause(status: ExitStatus, lines: &[String], limits: Limits) -> (&'static str, String) {
    let says = |text: &str| lines.iter().any(|line| line.contains(text));
    let mebibytes = limits.memory >> 20;
    if says("has overflowed its stack") {
        return ("stack-overflow", "the code under test overflowed its stack".to_owned());
    }
    if says("memory allocation of") {
        let message = format!("the run asked for more memory than its process may have, {mebibytes} MiB");
        return ("memory", message);
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            6 => ("aborted", "the process of the run was aborted (SIGABRT)".to_owned()),
            9 => (
                "killed",
                "the process of the run was killed from outside (SIGKILL): perhaps the machine ran out of memory"
                    .to_owned(),
            ),
            _ => ("signal", format!("the process of the run was ended by signal {signal}")),
        };
    }
    let code = status.code().unwrap_or_default();
    (
        "exited",
        format!("the code under test ended its process, with code {code}"),
    )
}

struct Worker {
    child: Child,
    jobs: ChildStdin,
    answers: Receiver<String>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
    /// Is through when standard error is at its end.
    read: Receiver<()>,
    /// Processor time that it had used when it was asked last.
    used: Duration,
}

impl Worker {
    fn start(isolation: &Isolation) -> io::Result<Self> {
        let mut command = Command::new(&isolation.program);
        command
            .args(&isolation.arguments)
            // What a run says at its end is kept, and a trace of calls would crowd it out.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A signal of the terminal is for the sweep, which finishes what is under way.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let gone = || io::Error::other("a pipe is missing");
        let mut jobs = child.stdin.take().ok_or_else(gone)?;
        let (out, err) = (
            child.stdout.take().ok_or_else(gone)?,
            child.stderr.take().ok_or_else(gone)?,
        );
        let (sender, answers) = sync_channel(1);
        std::thread::Builder::new().name("answers".to_owned()).spawn(move || {
            for line in BufReader::new(out).lines() {
                if !line.is_ok_and(|line| sender.send(line).is_ok()) {
                    return;
                }
            }
        })?;
        let last_lines = Arc::default();
        let kept = Arc::clone(&last_lines);
        let (through, read) = sync_channel(1);
        std::thread::Builder::new().name("errors".to_owned()).spawn(move || {
            keep_last_lines(BufReader::new(err), &kept);
            let _ = through.send(());
        })?;
        // If it is dead already, the first question finds out.
        let _ = writeln!(jobs, "{}", isolation.brief);
        Ok(Self {
            child,
            jobs,
            answers,
            last_lines,
            read,
            used: Duration::ZERO,
        })
    }

    /// Asks for a job.
    fn put(&mut self, index: u64) -> io::Result<()> {
        self.used = cpu_time_of(self.child.id()).unwrap_or_default();
        writeln!(self.jobs, "{index}")
    }

    /// What comes of the job that was asked for, within a time.
    fn answer(&mut self, index: u64, limit: Duration) -> Result<Outcome, Ended> {
        let watch = Stopwatch::start();
        let before = self.used;
        let used = |child: &Child| cpu_time_of(child.id());
        loop {
            match self.answers.recv_timeout(TICK) {
                Ok(line) => {
                    let answer = serde_json::from_str::<Answer>(&line).ok();
                    let outcome = answer.and_then(|Answer(early)| early.outcome());
                    // All else is what the code under test has printed.
                    if let Some((_, outcome)) = outcome.filter(|(answered, _)| *answered == index) {
                        return Ok(outcome);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.died()),
                Err(RecvTimeoutError::Timeout) => {
                    let elapsed = watch.elapsed();
                    let cpu = used(&self.child).map_or(elapsed, |now| now.saturating_sub(before));
                    if cpu > limit || elapsed > limit * WAITING {
                        self.end();
                        return Err(Ended::Late);
                    }
                }
            }
        }
    }

    fn end(&mut self) {
        // One that is gone already cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn died(&mut self) -> Ended {
        // Standard output may be at its end a moment before the process is.
        let _ = self.read.recv_timeout(Duration::from_secs(5));
        let status = match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            _ => {
                let _ = self.child.kill();
                self.child.wait()
            }
        };
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        match status {
            Ok(status) => Ended::Died(status, lines.iter().cloned().collect()),
            Err(error) => Ended::NotStarted(error.to_string()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

fn keep_last_lines(mut err: impl BufRead, kept: &Mutex<VecDeque<String>>) {
    let mut bytes = Vec::new();
    while err.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&bytes);
        let line: String = without_numbers(&plain::line(text.trim_end()))
            .chars()
            .take(LINE_MAX)
            .collect();
        bytes.clear();
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !line.is_empty() {
            kept.push_back(line);
        }
        if kept.len() > LINES {
            kept.pop_front();
        }
    }
}

/// Without the numbers of threads, which differ each time: ` (1234)`.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (") {
        out.push_str(before);
        match after.split_once(')') {
            Some((number, after)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest = after,
            _ => {
                out.push_str(" (");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_threads_are_left_out() {
        assert_eq!(
            without_numbers("thread 'sweep-0' (123) has overflowed its stack (really)"),
            "thread 'sweep-0' has overflowed its stack (really)"
        );
    }

    #[test]
    #[cfg(unix)]
    fn the_end_of_a_process_says_what_its_run_did() {
        use std::os::unix::process::ExitStatusExt;
        let place = |status, line: &str| cause(ExitStatus::from_raw(status), &[line.to_owned()], Limits::DEFAULT).0;
        assert_eq!(place(6, ""), "aborted");
        assert_eq!(place(6, "memory allocation of 8 bytes failed"), "memory");
        assert_eq!(place(6, "thread 'a' has overflowed its stack"), "stack-overflow");
        assert_eq!(place(9, ""), "killed");
        assert_eq!(place(11, ""), "signal");
        assert_eq!(place(3 << 8, ""), "exited");
    }
}
