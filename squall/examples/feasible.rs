//! Whether the harness itself raises alarms: random valid settings of the built-in scenarios, and random scenarios of faults, ten
//! seeds each. No bug is planted, so whatever fails is looked at: a liveness alarm is run again with ten times the time, and one
//! that is cured by it was no alarm but impatience.
//!
//! ```sh
//! cargo run --release -p squall-cli --example feasible -- SETTINGS FAULTS [FIRST]    # make feasible: 200 and 500, from 0 on
//! ```
//!
//! Everything is a function of the numbers. Exits with 1 if there was a false alarm, a panic, another failure, or a run of more
//! than a minute.

use raft_kv::builtin;
use simulator::Stream;
use squall::clock::Stopwatch;
use squall::run::{RunOptions, RunReport};
use squall::scenario::{Scenario, parse};
use squall::sweep::attempt;
use squall::verdict::FailureKind;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

const SEEDS: u64 = 10;
const RUN_MAX: Duration = Duration::from_secs(60);

/// One random scenario, as text with overrides.
#[derive(Clone)]
struct Case {
    name: String,
    text: String,
    set: Vec<(String, String)>,
}

/// Words and numbers, drawn.
struct Draws(Stream);

impl Draws {
    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        self.0.pick(words).copied().unwrap_or_default()
    }

    fn is(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// Around `from` to `to`, each order of magnitude as likely.
    fn octaves(&mut self, from: u64, to: u64) -> u64 {
        let octaves = (to / from.max(1)).max(1).ilog2() + 1;
        let low = from.max(1) << self.0.below(u64::from(octaves));
        self.0.range(low, low * 2).min(to)
    }

    /// A duration in microseconds, or a range from it up.
    fn span(&mut self, from_us: u64, to_us: u64) -> String {
        let low = self.octaves(from_us, to_us);
        if self.is(50) {
            return format!("{low}us");
        }
        format!("{low}us..{}us", low + self.octaves(1, low.max(2)))
    }
}

/// Random settings of a built-in scenario.
fn settings(number: u64) -> Case {
    let mut draws = Draws(Stream::new(number, "settings", 0));
    let all = builtin();
    let of = &all[draws.0.below(all.len() as u64) as usize];
    let mut set: Vec<(String, String)> = Vec::new();
    for _ in 0..draws.0.range(1, 4) {
        let (key, value) = match draws.0.below(20) {
            0 => ("cluster.nodes", draws.of(&["1", "2", "3", "4", "5", "7"]).to_owned()),
            1 => ("network.latency", draws.span(100, 200_000)),
            2 => ("network.client_latency", draws.span(100, 400_000)),
            3 => ("disk.sync", draws.span(10, 200_000)),
            4 => ("workload.keys", draws.octaves(1, 1_023).to_string()),
            5 => ("workload.clients", draws.octaves(1, 63).to_string()),
            6 => ("workload.timeout", format!("{}us", draws.octaves(1_000, 4_000_000))),
            7 => ("workload.think", draws.span(1, 500_000)),
            8 => ("cluster.max_inflight", draws.of(&["1", "2", "16"]).to_owned()),
            9 => ("cluster.max_entries_per_append", draws.of(&["1", "4", "64"]).to_owned()),
            10 => (
                "cluster.max_bytes_per_append",
                draws.of(&["64B", "1KiB", "64KiB"]).to_owned(),
            ),
            11 => (
                "cluster.snapshot_threshold",
                draws.of(&["0", "1", "10", "100"]).to_owned(),
            ),
            12 => ("cluster.snapshot_chunk", draws.of(&["16B", "256B", "4KiB"]).to_owned()),
            13 => ("cluster.election", {
                let low = draws.octaves(20, 4_000);
                format!("{low}ms..{}ms", low + draws.octaves(1, low))
            }),
            14 => ("time.chaos", format!("{}ms", draws.octaves(100, 20_000))),
            15 => ("time.settle", format!("{}ms", draws.octaves(100, 20_000))),
            16 => ("workload.sticky", draws.of(&["true", "false"]).to_owned()),
            17 => ("recovery.lasting", draws.of(&["none", "down", "cut", "any"]).to_owned()),
            18 => ("cluster.pre_vote", draws.of(&["true", "false"]).to_owned()),
            _ => ("cluster.heartbeat", format!("{}ms", draws.octaves(5, 100))),
        };
        set.push((key.to_owned(), value));
    }
    Case {
        name: of.name.to_owned(),
        text: of.text.to_owned(),
        set,
    }
}

/// A random scenario of faults.
fn faults(number: u64) -> Case {
    let mut draws = Draws(Stream::new(number, "faults", 0));
    let mut text = "schema = \"squall-scenario/1\"\nname = \"random\"\n".to_owned();
    let nodes = draws.of(&["1", "2", "3", "3", "4", "5", "5", "7"]);
    let spares = draws.of(&["0", "0", "1", "2", "3"]);
    let _ = write!(
        text,
        "[cluster]\nnodes = {nodes}\nspares = {spares}\nsnapshot_threshold = {}\nsnapshot_tail = {}\nfollower_reads = {}\n\
         max_entries_per_append = {}\ncodec = \"{}\"\npriorities = {}\n[time]\nchaos = \"{}s\"\n[network]\nlatency = \"{}\"\n\
         loss = \"{}\"\nduplicate = \"{}\"\ncorrupt = \"{}\"\nhuge = \"{}\"\n[disk]\nsync = \"{}\"\ntorn = \"{}\"\nerror = \"{}\"\n\
         [workload]\nclients = {}\nkeys = {}\nthink = \"{}\"\nsticky = {}\ntimeout = \"{}\"\n[recovery]\nlasting = \"{}\"\n",
        draws.of(&["0", "5", "50"]),
        draws.of(&["1", "16"]),
        draws.of(&["true", "false"]),
        draws.of(&["1", "64"]),
        draws.of(&["off", "plain", "lz4"]),
        draws.of(&["true", "false", "false"]),
        draws.of(&["2", "3", "5"]),
        draws.of(&["0ms", "1ms..10ms", "5ms..40ms", "30ms..50ms"]),
        draws.of(&["0%", "1%", "10%"]),
        draws.of(&["0%", "2%", "20%"]),
        draws.of(&["0%", "5%"]),
        draws.of(&["0%", "1%"]),
        draws.of(&["0ms..1ms", "5ms..30ms", "50ms"]),
        draws.of(&["0%", "20%"]),
        draws.of(&["0%", "0%", "1%"]),
        draws.of(&["1", "4", "20"]),
        draws.of(&["1", "5", "100"]),
        draws.of(&["0ms", "10ms..100ms"]),
        draws.of(&["true", "false"]),
        draws.of(&["20ms", "1s", "3s"]),
        draws.of(&["none", "none", "down", "cut", "any"]),
    );
    if draws.is(40) {
        let _ = write!(
            text,
            "[operator]\nevery = \"200ms..1s\"\nmix = {{ change = {}, replace = 1, transfer = 2, campaign = 1, single = {} }}\n",
            draws.0.below(4),
            draws.0.below(3)
        );
    }
    for _ in 0..draws.0.range(1, 3) {
        text += &fault(&mut draws, spares != "0");
    }
    Case {
        name: format!("random {number}"),
        text,
        set: Vec::new(),
    }
}

fn fault(draws: &mut Draws, has_spares: bool) -> String {
    const KINDS: [&str; 26] = [
        "partition",
        "cut-clients",
        "isolate",
        "one-way",
        "clog",
        "clog-link",
        "swizzle-clog",
        "hold",
        "replay-old",
        "crash",
        "pause",
        "clock-step",
        "clock-drift",
        "rolling-restart",
        "power-loss",
        "crash-at-disk",
        "crash-loop",
        "wipe",
        "upgrade",
        "clock-freeze",
        "disk-error",
        "disk-full",
        "disk-stall",
        "disk-lie",
        "disk-rot",
        "disk-misdirect",
    ];
    let kind = draws.of(&KINDS);
    let mut text = format!("[[fault]]\nkind = \"{kind}\"\n");
    let _ = match draws.0.below(4) {
        0 => writeln!(text, "at = \"{}ms\"", draws.0.range(1, 1_999)),
        1 if kind != "wipe" => writeln!(
            text,
            "when = \"{}\"\nprobability = \"{}%\"",
            draws.of(&[
                "leader-elected",
                "leader-deposed",
                "vote-granted",
                "between-append-and-sync",
                "two-candidates"
            ]),
            draws.0.range(1, 100)
        ),
        _ => writeln!(
            text,
            "every = \"{}\"",
            draws.span(1_000, 2_000_000).replace("us..1000us", "us..2000us")
        ),
    };
    let lasts = !["replay-old", "clock-step", "disk-rot", "disk-misdirect"].contains(&kind);
    if lasts {
        let _ = writeln!(text, "for = \"{}\"", draws.span(1, 2_000_000));
    }
    let _ = match kind {
        "partition" => writeln!(
            text,
            "split = \"{}\"",
            draws.of(&["random", "even", "minority", "thirds", "ring", "bridge"])
        ),
        "isolate" | "one-way" | "clog" => writeln!(
            text,
            "clients = {}\ntarget = \"{}\"",
            draws.of(&["true", "false"]),
            draws.of(&["leader", "any", "backup", "n0"])
        ),
        "swizzle-clog" | "rolling-restart" | "upgrade" => writeln!(text, "gap = \"{}\"", draws.span(1, 500_000)),
        "replay-old" => writeln!(text, "messages = {}", draws.octaves(1, 1_000)),
        "clock-step" => writeln!(text, "by = \"-{0}us..{0}us\"", draws.octaves(1_000, 10_000_000)),
        "clock-drift" => writeln!(text, "drift = \"{}%\"", draws.0.range(1, 10)),
        "wipe" if !has_spares || draws.is(50) => writeln!(text, "identity = \"old\""),
        "wipe" => writeln!(text, "identity = \"new\""),
        _ => Ok(()),
    };
    text
}

/// The same scenario with ten times the time to recover.
fn patient(scenario: &Scenario) -> Scenario {
    let mut patient = scenario.clone();
    let tenfold = |bound: &mut u32| *bound = bound.saturating_mul(10);
    patient.time.settle_ns = patient.time.settle_ns.saturating_mul(10);
    tenfold(&mut patient.recovery.elect);
    tenfold(&mut patient.recovery.converge);
    tenfold(&mut patient.recovery.serve);
    tenfold(&mut patient.recovery.durable);
    patient
}

#[derive(Default)]
struct Counts {
    scenarios: u64,
    refused: u64,
    runs: u64,
    passed: u64,
    false_alarms: u64,
    alarms: u64,
    others: BTreeMap<String, u64>,
    slow: u64,
    slowest: Duration,
}

impl Counts {
    fn case(&mut self, case: &Case) {
        self.scenarios += 1;
        let scenario = match parse(&case.name, &case.text, &case.set, &raft_kv::known()) {
            Ok(scenario) => scenario,
            Err(error) => {
                self.refused += 1;
                println!("refused: {}", error.to_string().lines().next().unwrap_or_default());
                return;
            }
        };
        for seed in 0..SEEDS {
            self.run(case, &scenario, seed);
        }
    }

    fn run(&mut self, case: &Case, scenario: &Scenario, seed: u64) {
        let watch = Stopwatch::start();
        let report = attempt(scenario, seed, RunOptions::default());
        let took = watch.elapsed();
        self.runs += 1;
        self.slowest = self.slowest.max(took);
        let said = |what: &str, report: &RunReport| {
            let failure = report.failure.as_ref();
            let failure = failure.map_or_else(String::new, |failure| format!("{failure}: {}", failure.message));
            println!(
                "{what}: {} {:?} seed {seed} ({} ms): {failure}",
                case.name,
                case.set,
                took.as_millis()
            );
            if case.set.is_empty() {
                println!("{}", case.text);
            }
        };
        if took > RUN_MAX {
            self.slow += 1;
            said("slow", &report);
        }
        let Some(failure) = squall::expectation::judged(scenario, report.failure.clone()) else {
            self.passed += 1;
            return;
        };
        if failure.kind != FailureKind::Liveness {
            *self.others.entry(failure.signature).or_default() += 1;
            return said("failed", &report);
        }
        let again = attempt(&patient(scenario), seed, RunOptions::default());
        if again.failure.is_none() {
            self.false_alarms += 1;
            said("FALSE ALARM", &report);
        } else {
            self.alarms += 1;
            said("alarm, also with ten times the time", &again);
        }
    }
}

fn main() -> std::process::ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u64>().ok());
    let (of_settings, of_faults) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(500));
    let first = numbers.next().unwrap_or(0);
    let mut counts = Counts::default();
    let cases = (first..first + of_settings).map(settings);
    for case in cases.chain((first..first + of_faults).map(faults)) {
        counts.case(&case);
    }
    let Counts {
        scenarios,
        refused,
        runs,
        passed,
        false_alarms,
        alarms,
        others,
        slow,
        slowest,
    } = counts;
    println!(
        "{scenarios} scenarios, {refused} refused; {runs} runs, {passed} passed; {false_alarms} false alarms, {alarms} alarms that \
         stay with ten times the time, {} other failures {others:?}; {slow} runs beyond a minute, the slowest {} ms",
        others.values().sum::<u64>(),
        slowest.as_millis()
    );
    let is_fine = false_alarms == 0 && alarms == 0 && others.is_empty() && slow == 0;
    std::process::ExitCode::from(u8::from(!is_fine))
}
