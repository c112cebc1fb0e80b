//! How much simulation and checking a CPU-second buys. `make bench` runs it; `cargo bench -p squall-cli -- QUICK` with any
//! argument that is not a flag runs a tenth of each part.
//!
//! Every figure is per second of CPU time of this process, so that a busy machine does not matter much. What is measured:
//!
//! - *idle*: nothing but elections and heartbeats of `raft-core` in the simulator's world: simulated seconds. Election
//!   timeouts of 150 to 300 ms, a heartbeat every 50 ms, latencies of 1 to 10 ms, writes durable at once, nothing checked;
//!   the digest of the run is taken, as always.
//! - *replication*: the same with 64 outstanding proposals of 64 bytes at the leader: messages delivered, and entries
//!   committed. With up to 64 entries in a message, which is the default, and with one.
//! - *checked*: whole runs of `storm` with five nodes and 30 s of faults, with every check of `squall run`.
//! - *linearizability*: the histories of such runs, checked again and again: operations.

// A benchmark is about the time that passes, and divides.
#![allow(clippy::float_arithmetic, missing_docs)]

use raft_core::{Config, DurableState, Input, NodeId, Outcome, Output, Raft, RequestId, Time};
use raft_kv::Envelope;
use simulator::{
    ClientId, Context, DiskImage, Duration, Latency, LocalTime, NetworkConfig, Never, Process, StepKind, SyncToken,
    World, WorldConfig,
};
use squall::run::{RunOptions, run};
use squall::scenario::{self, Scenario};
use std::sync::Arc;

/// A core and nothing else: writes are durable at once, applying does nothing.
struct Bare {
    raft: Raft,
    /// How many proposals the leader keeps under way, and what they hold.
    outstanding: u64,
    payload: Arc<[u8]>,
    in_flight: u64,
    committed: u64,
}

#[derive(Clone)]
struct BareConfig {
    nodes: u64,
    outstanding: u64,
    entries_per_append: usize,
}

type Ctx<'a> = Context<'a, Bare>;

impl Process for Bare {
    type Config = BareConfig;
    type Message = Envelope;
    type Request = Never;
    type Response = Never;

    fn boot(config: &BareConfig, _disk: &DiskImage<'_>, ctx: &mut Ctx<'_>) -> Self {
        let voters = (0..config.nodes).map(NodeId).collect();
        let mut settings = Config::new(NodeId(ctx.id().0.into()), voters, ctx.random());
        settings.append_entries_max = config.entries_per_append;
        settings.inflight_max = 256;
        let raft = Raft::restore(settings, DurableState::default(), Time(ctx.now().0)).expect("a valid configuration");
        ctx.set_timer(raft.next_deadline().map(|at| LocalTime(at.0)));
        let outstanding = config.outstanding;
        Self {
            raft,
            outstanding,
            payload: [7; 64].as_slice().into(),
            in_flight: 0,
            committed: 0,
        }
    }

    fn on_message(&mut self, _from: simulator::NodeId, message: Envelope, ctx: &mut Ctx<'_>) {
        self.input(Input::Message(message.0), ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>) {
        self.input(Input::Timeout, ctx);
    }

    fn on_sync(&mut self, _token: SyncToken, _ctx: &mut Ctx<'_>) {}

    fn on_request(&mut self, _from: ClientId, request: Never, _ctx: &mut Ctx<'_>) {
        match request {}
    }
}

impl Bare {
    fn input(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        let now = Time(ctx.now().0);
        self.raft.handle(now, input);
        loop {
            let mut applied = None;
            let mut persisted = None;
            while let Some(output) = self.raft.poll_output() {
                match output {
                    Output::Send(message) => Self::send(message, ctx),
                    Output::Persist(write) => {
                        write.then.into_iter().for_each(|message| Self::send(message, ctx));
                        persisted = Some(write.id);
                    }
                    Output::Apply(entry) => applied = Some(entry.index),
                    Output::Restore(_) | Output::TakeSnapshot { .. } => unreachable!("snapshots are off"),
                    Output::Answer(answer) => {
                        self.in_flight -= 1;
                        self.committed += u64::from(matches!(answer.outcome, Outcome::Committed { .. }));
                    }
                }
            }
            match (persisted, applied) {
                (None, None) if !self.propose(now) => break,
                _ => {}
            }
            persisted
                .into_iter()
                .for_each(|id| self.raft.handle(now, Input::Persisted(id)));
            applied
                .into_iter()
                .for_each(|index| self.raft.handle(now, Input::Applied(index)));
        }
        ctx.set_timer(self.raft.next_deadline().map(|at| LocalTime(at.0)));
    }

    /// Fills up the proposals under way; returns whether there were any to make.
    fn propose(&mut self, now: Time) -> bool {
        let leads = self.raft.role() == raft_core::Role::Leader;
        let missing = if leads { self.outstanding - self.in_flight } else { 0 };
        for _ in 0..missing {
            self.in_flight += 1;
            self.raft.handle(
                now,
                Input::Propose {
                    id: RequestId(0),
                    payload: self.payload.clone(),
                },
            );
        }
        missing > 0
    }

    fn send(message: raft_core::Message, ctx: &mut Ctx<'_>) {
        ctx.send(simulator::NodeId(message.to.0 as u16), Envelope(message));
    }
}

fn bare_world(nodes: u64, outstanding: u64, entries_per_append: usize) -> World<Bare> {
    let mut config = WorldConfig::new(1);
    let latency = Latency::uniform(Duration::from_millis(1), Duration::from_millis(10));
    config.network = NetworkConfig {
        latency,
        ..NetworkConfig::default()
    };
    World::new(
        config,
        vec![
            BareConfig {
                nodes,
                outstanding,
                entries_per_append
            };
            nodes as usize
        ],
        Vec::new(),
    )
}

/// CPU time of this process, in nanoseconds.
fn cpu_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The median over five repetitions of `amounts` per CPU-second.
fn per_cpu_second<const N: usize>(mut repetition: impl FnMut() -> [u64; N]) -> [f64; N] {
    let mut rates: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..5 {
        let start = cpu_time();
        let amounts = repetition();
        let seconds = (cpu_time() - start) as f64 / 1e9;
        rates
            .iter_mut()
            .zip(amounts)
            .for_each(|(rates, amount)| rates.push(amount as f64 / seconds));
    }
    rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[2]
    })
}

fn line(what: &str, rate: f64, unit: &str) {
    println!("{what:<46} {rate:>14.0}  {unit} per CPU-second");
}

fn idle(nodes: u64, seconds: u64) {
    let [rate] = per_cpu_second(|| {
        let mut world = bare_world(nodes, 0, 64);
        world.run_until(simulator::Time(Duration::from_secs(seconds).0));
        [seconds]
    });
    line(&format!("idle, {nodes} nodes"), rate, "simulated seconds");
}

fn replication(nodes: u64, entries_per_append: usize, seconds: u64) {
    let [messages, commits] = per_cpu_second(|| {
        let mut world = bare_world(nodes, 64, entries_per_append);
        let end = simulator::Time(Duration::from_secs(seconds).0);
        let mut delivered = 0;
        while let Some(step) = world.step_until(end) {
            delivered += u64::from(matches!(step.kind, StepKind::Delivered { .. }));
        }
        let committed = world
            .nodes()
            .map(|id| world.process(id).map_or(0, |bare| bare.committed))
            .sum();
        [delivered, committed]
    });
    let batch = if entries_per_append == 1 {
        "one a message"
    } else {
        "batched"
    };
    line(&format!("replication, {nodes} nodes, {batch}"), messages, "messages");
    line("", commits, "commits");
}

fn checked_scenario() -> Scenario {
    let storm = raft_kv::find("storm").expect("a built-in scenario");
    let settings =
        [("cluster.nodes", "5"), ("time.chaos", "30s")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    scenario::parse(storm.name, storm.text, &settings, &raft_kv::known()).expect("a valid scenario")
}

fn checked(runs: u64) {
    let scenario = checked_scenario();
    let mut histories = Vec::new();
    let [seeds, events, operations] = per_cpu_second(|| {
        histories.clear();
        let mut counts = [runs, 0, 0];
        for seed in 0..runs {
            let report = run(&scenario, seed, RunOptions::default());
            assert_eq!(report.failure, None, "seed {seed}");
            counts[1] += report.events;
            counts[2] += report.operations as u64;
            histories.push(report.history);
        }
        counts
    });
    line("checked, storm, 5 nodes, 30 s of faults", seeds, "seeds");
    line("", events, "events");
    line("", operations, "client operations");
    let [operations] = per_cpu_second(|| {
        let mut operations = 0;
        for history in &histories {
            let report = checker::linearizability::check(history, &checker::models::KeyValue, &Default::default());
            assert!(
                report.expect("a history of the model").is_linearizable(),
                "it was before"
            );
            operations += history.operations().len() as u64;
        }
        [operations]
    });
    line("linearizability, histories of these runs", operations, "operations");
}

fn main() {
    let quick = std::env::args().skip(1).any(|argument| !argument.starts_with('-'));
    let part = if quick { 1 } else { 10 };
    println!("medians of five repetitions, one thread");
    idle(3, 4_000 * part);
    idle(5, 2_000 * part);
    replication(3, 64, 20 * part);
    replication(3, 1, 10 * part);
    replication(5, 64, 10 * part);
    replication(5, 1, 5 * part);
    checked(10 * part);
}
