//! Processes of our own: for runs that may harm theirs (`--isolate`), and for what is made of a failure once it has been found.
//!
//! Both are this very binary, under a command that is not for people. Owns the arguments of `--isolate`, that command, and how a sweep
//! has a failure kept: whatever happens to the process that makes trace, page and smallest capsule, the sweep and its verdict stand.

use super::artefacts;
use super::error::CliError;
use super::journal::Header;
use super::output;
use super::shrink::{self, Smallest};
use super::signals;
use super::subject::Subject;
use super::{Done, Global, ProgressStyle, exit, seed};
use crate::shrink::Options;
use crate::sweep::isolate::{Isolation, Limits, PROCESS, one, work};
use crate::sweep::{Group, Seeds, Sweep};
use crate::verdict::Failure;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How often a signal is looked for while a failure is being kept.
const TICK: Duration = Duration::from_millis(100);

/// Whether runs get processes of their own, and what each may use.
#[derive(Args, Clone, Debug, Default)]
pub struct IsolateArgs {
    /// Make each run in a process of its own: an abort, a stack overflow, a loop without end or too much memory is a failure of that
    /// seed alone (`process/aborted`, `process/timeout`, …)
    #[arg(long)]
    isolate: bool,
    /// With --isolate: processor time that a run may use, and ten times as much by the clock; 60s if not given
    #[arg(long, value_name = "TIME", value_parser = seed::parse_time, requires = "isolate")]
    run_time: Option<Duration>,
    /// With --isolate: memory that a run may use, in address space (512MiB, 2GiB); 4GiB if not given
    #[arg(long, value_name = "SIZE", value_parser = parse_size, requires = "isolate")]
    run_memory: Option<u64>,
}

impl IsolateArgs {
    /// The limits, if runs are isolated.
    pub fn limits(&self) -> Option<Limits> {
        self.isolate.then(|| Limits {
            time: self.run_time.unwrap_or(Limits::DEFAULT.time),
            memory: self.run_memory.unwrap_or(Limits::DEFAULT.memory),
        })
    }
}

/// The options that say the same again, with a space before each.
pub fn options_of(limits: Limits) -> String {
    let mut line = " --isolate".to_owned();
    if limits.time != Limits::DEFAULT.time {
        line += &format!(" --run-time {}ms", limits.time.as_millis());
    }
    if limits.memory != Limits::DEFAULT.memory {
        line += &format!(" --run-memory {}MiB", limits.memory >> 20);
    }
    line
}

fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || "write a size as 512MiB or 2GiB, at least 64MiB".to_owned();
    let (number, shift) = match (text.strip_suffix("MiB"), text.strip_suffix("GiB")) {
        (Some(number), _) => (number, 20),
        (_, Some(number)) => (number, 30),
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << shift).ok_or_else(wrong)?;
    (bytes >= 64 << 20).then_some(bytes).ok_or_else(wrong)
}

/// How the workers of a sweep are started.
///
/// # Errors
/// When this binary does not know where it is.
pub fn isolation(header: &Header, limits: Limits) -> Result<Isolation, CliError> {
    let brief = Brief {
        header: header.clone(),
        memory: limits.memory,
    };
    Ok(Isolation {
        program: std::env::current_exe().map_err(CliError::NoProcess)?,
        arguments: ["worker", "run"].map(OsString::from).to_vec(),
        brief: json(&brief),
        limits,
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are JSON")
}

/// How a seed harms the process that it runs in; `None` if it does not, or is not to be isolated.
///
/// # Errors
/// When this binary does not know where it is.
pub fn harmful(subject: &Subject, of: u64) -> Result<Option<Failure>, CliError> {
    let Some(limits) = subject.isolated else {
        return Ok(None);
    };
    let header = Header::new(std::slice::from_ref(subject), &Seeds::List(vec![of]), (0, 0), None);
    let isolation = isolation(&header, limits)?;
    let plan = Sweep {
        scenarios: std::slice::from_ref(&subject.scenario),
        seeds: header.seeds.clone(),
        bug: subject.bug,
        jobs: 1,
        time: None,
        max_fail: 0,
        verify_every: 0,
        isolation: Some(&isolation),
    };
    let failure = one(&plan);
    Ok(failure.filter(|failure| failure.property == PROCESS))
}

/// Arguments of the command that is not for people.
#[derive(Args, Debug)]
pub struct WorkerArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make runs, as told on standard input
    Run,
    /// Keep a failure, as told on standard input
    Keep,
}

impl WorkerArgs {
    /// Whether signals do to it what they do to any process: how it ends says something of the run.
    pub fn is_bare(&self) -> bool {
        matches!(self.what, What::Run)
    }
}

/// What the workers of a sweep are told first.
#[derive(Serialize, Deserialize)]
struct Brief {
    header: Header,
    memory: u64,
}

/// Carries out `squall worker`.
pub fn worker(args: &WorkerArgs, global: &Global) -> Done {
    end_with_the_parent();
    match args.what {
        What::Run => run(),
        What::Keep => keep(global),
    }
}

/// Nobody is left to whom its answers would mean anything.
fn end_with_the_parent() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // Without it, the end of its standard input ends it too, once its run is over.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}

fn run() -> Done {
    let mut stdin = BufReader::new(io::stdin());
    let brief: Brief = told(&mut stdin)?;
    limit(brief.memory);
    let subjects = brief.header.subjects()?;
    let scenarios: Vec<_> = subjects.iter().map(|subject| subject.scenario.clone()).collect();
    let plan = Sweep {
        scenarios: &scenarios,
        seeds: brief.header.seeds.clone(),
        bug: subjects.iter().find_map(|subject| subject.bug),
        jobs: 1,
        time: None,
        max_fail: 0,
        verify_every: brief.header.verify_every,
        isolation: None,
    };
    work(&plan, stdin, io::stdout()).map_err(CliError::Stdout)?;
    Ok(exit::PASSED)
}

fn told<T: for<'a> Deserialize<'a>>(stdin: &mut impl BufRead) -> Result<T, CliError> {
    let mut line = String::new();
    stdin.read_line(&mut line).map_err(CliError::NoProcess)?;
    serde_json::from_str(&line).map_err(|error| {
        CliError::Usage(format!(
            "this command is for squall itself, which tells it on standard input what to do: {error}"
        ))
    })
}

/// Limits the memory of this process; where the system has no such limit, there is none.
fn limit(memory: u64) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let to = |most| Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        let _ = setrlimit(Resource::As, to(memory));
        // A run that dies is run again to be looked at; its memory is of no use.
        let _ = setrlimit(Resource::Core, to(0));
    }
    #[cfg(not(unix))]
    let _ = memory;
}

/// What is to be made of a failure.
#[derive(Serialize, Deserialize)]
struct Order {
    header: Header,
    group: Group,
    seed: u64,
    out: PathBuf,
    /// Time and threads of making it smaller; none if that is not wanted.
    shrink: Option<(Duration, usize)>,
    limits: Option<Limits>,
}

/// What has been made of it, a line for each as soon as it is there.
#[derive(Serialize, Deserialize)]
enum Made {
    Artefacts(PathBuf),
    Shrunk(Smallest),
}

/// Makes what there is to see of a failure, and makes it smaller: both in a process of their own.
pub fn kept(
    global: &Global,
    subject: &Subject,
    (group, of): (&Group, u64),
    out: &Path,
    (shrink, interrupted): (Option<&Options>, &AtomicBool),
) -> (Option<PathBuf>, Option<Smallest>) {
    let shrink = shrink.filter(|_| group.failure.property != PROCESS && !interrupted.load(Ordering::Relaxed));
    let order = Order {
        header: Header::new(std::slice::from_ref(subject), &Seeds::List(vec![of]), (0, 0), None),
        group: group.clone(),
        seed: of,
        out: out.to_owned(),
        shrink: shrink.map(|options| (options.time.unwrap_or(Duration::MAX), options.jobs)),
        limits: subject.isolated,
    };
    let mut made = (None, None);
    let lost = |why: String| {
        let signature = group.failure.signature.clone();
        output::lost(&CliError::NotKept { signature, why });
    };
    match ask(global, &order, interrupted, &mut made) {
        Ok(None) => {}
        Ok(Some(why)) => lost(why),
        Err(error) => lost(error.to_string()),
    }
    made
}

/// Has an order carried out; what ended it before its end, if anything did.
fn ask(
    global: &Global,
    order: &Order,
    interrupted: &AtomicBool,
    made: &mut (Option<PathBuf>, Option<Smallest>),
) -> io::Result<Option<String>> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["worker", "keep"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if global.quiet {
        command.arg("--quiet");
    }
    command.arg("--progress").arg(match global.progress {
        ProgressStyle::Auto => "auto",
        ProgressStyle::Plain => "plain",
        ProgressStyle::None => "none",
    });
    super::pass_on_faults(global, &mut command);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let was_interrupted = interrupted.load(Ordering::Relaxed);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that is dead already has said so in its status.
        let _ = writeln!(stdin, "{}", json(order));
    }
    let (sender, lines) = sync_channel(1);
    if let Some(out) = child.stdout.take() {
        std::thread::Builder::new().name("kept".to_owned()).spawn(move || {
            for line in BufReader::new(out).lines() {
                if !line.is_ok_and(|line| sender.send(line).is_ok()) {
                    return;
                }
            }
        })?;
    }
    let mut is_told = was_interrupted;
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(Made::Artefacts(path)) => made.0 = Some(path),
                Ok(Made::Shrunk(smallest)) => made.1 = Some(smallest),
                // Something that the code under test has printed.
                Err(_) => {}
            },
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if !is_told && interrupted.load(Ordering::Relaxed) {
            is_told = true;
            interrupt(&child);
        }
    }
    let status = child.wait()?;
    Ok((!status.success()).then(|| format!("its process ended with {status}")))
}

fn interrupt(child: &Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // One that has just ended needs no signal.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
    #[cfg(not(unix))]
    let _ = child;
}

fn keep(global: &Global) -> Done {
    // From here on a signal ends the search for something smaller, and not what is being written.
    let interrupted = signals::interruption();
    let order: Order = told(&mut BufReader::new(io::stdin()))?;
    let mut subjects = order.header.subjects()?;
    let mut subject = subjects.remove(0);
    subject.isolated = order.limits;
    let written = artefacts::write_failure(&order.out, &subject, &order.group, order.seed)?;
    say(&Made::Artefacts(written.folder.clone()))?;
    let mut smallest = None;
    if let Some((time, jobs)) = order.shrink {
        let options = Options {
            jobs,
            time: Some(time),
            attempts: u64::MAX,
        };
        let shrunk = shrink::in_sweep(global, &subject, order.seed, &written.folder, (&options, &interrupted));
        if let Some(shrunk) = shrunk {
            smallest = Some(shrunk.capsule.clone());
            say(&Made::Shrunk(shrunk))?;
        }
    }
    artefacts::show_smaller(global, &written, smallest.as_deref());
    Ok(exit::PASSED)
}

fn say(made: &Made) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{}", json(made))
        .and_then(|()| out.flush())
        .map_err(CliError::Stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_and_a_least() {
        assert_eq!(parse_size("512MiB"), Ok(512 << 20));
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert!(parse_size("2").is_err() && parse_size("1MiB").is_err() && parse_size("99999999999GiB").is_err());
    }

    #[test]
    fn limits_are_said_again_where_they_are_not_the_usual_ones() {
        assert_eq!(options_of(Limits::DEFAULT), " --isolate");
        let limits = Limits {
            time: Duration::from_secs(2),
            memory: 1 << 30,
        };
        assert_eq!(options_of(limits), " --isolate --run-time 2000ms --run-memory 1024MiB");
    }
}
