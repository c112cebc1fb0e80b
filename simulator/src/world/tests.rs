//! A process and a client that do what a test tells them, and the tests of the world by subject.

mod determinism;
mod disks;
mod faults;
mod life;
mod links;
mod storage;
mod timing;

use super::*;
use crate::client::Client;
use crate::digest::Stamp;
use crate::disk::{DiskError, DiskFault, SyncToken};
use crate::exposure::Exposure;
use crate::fault::{FaultAction, Held, OneWay, Target};
use crate::network::CutId;
use crate::random::{Ratio, Stream};
use crate::time::{Duration, LocalTime};
use crate::trace::TraceEvent;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

const fn at(millis: u64) -> Time {
    Time(millis * 1_000_000)
}

/// Something that a process does when it is told.
#[derive(Clone, Debug, serde::Serialize)]
enum Op {
    Say(NodeId, u64),
    Write(u64, Vec<u8>),
    Discard(u64),
    Sync(u64),
    Restart(Duration),
    /// On the local clock.
    Timer(Option<LocalTime>),
    Respond(u64),
    Work(u64),
    /// From now on this node does random things at every event.
    Babble,
}

#[derive(Clone, Debug, serde::Serialize)]
struct Told(Vec<Op>);

#[derive(Clone, Debug, serde::Serialize)]
struct Word(u64);

impl Payload for Told {
    fn kind(&self) -> &'static str {
        "told"
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.str(&format!("{:?}", self.0));
    }
}

impl Payload for Word {
    fn kind(&self) -> &'static str {
        "word"
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(self.0);
    }

    fn damaged(&self, stream: &mut Stream) -> Option<Self> {
        (self.0 == Self::UNGUARDED).then(|| Self(self.0 ^ 1 << stream.below(63)))
    }
}

impl Word {
    /// The one word whose damage nobody notices.
    const UNGUARDED: u64 = 1 << 63;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Word(NodeId, u64),
    Timer,
    Sync(u64),
    SyncFailed(u64, DiskError),
    Told,
    Worked(u64),
}

/// What a probe is told at each boot.
#[derive(Clone, Default)]
struct Setup {
    ops: Vec<Op>,
    primary: bool,
}

/// Keeps a list of all that happens to it.
#[derive(Clone)]
struct Probe {
    seen: Vec<(LocalTime, Seen)>,
    booted_from: Vec<u8>,
    /// The version and whether the disk was ever taken away.
    booted_as: (u32, bool),
    primary: bool,
    babbles: bool,
}

impl Probe {
    fn obey(&mut self, ops: Vec<Op>, client: Option<ClientId>, ctx: &mut Context<'_, Self>) {
        for op in ops {
            match op {
                Op::Say(to, word) => ctx.send(to, Word(word)),
                Op::Write(offset, bytes) => ctx.write(offset, &bytes),
                Op::Discard(end) => ctx.discard(end),
                Op::Sync(token) => ctx.sync(SyncToken(token)),
                Op::Restart(after) => ctx.restart(after),
                Op::Timer(deadline) => ctx.set_timer(deadline),
                Op::Work(token) => ctx.work(token),
                Op::Respond(word) => ctx.respond(client.expect("nobody to respond to"), Word(word)),
                Op::Babble => {
                    self.babbles = true;
                    ctx.set_timer(Some(ctx.now() + ms(1)));
                }
            }
        }
    }

    fn see(&mut self, seen: Seen, ctx: &mut Context<'_, Self>) {
        self.seen.push((ctx.now(), seen));
        ctx.trace("seen", || json!({ "count": self.seen.len() }));
        if !self.babbles {
            return;
        }
        let draw = ctx.random();
        let to = NodeId((draw % ctx.nodes().len() as u64) as u16);
        match draw >> 60 {
            0..4 if seen == Seen::Timer => ctx.send(to, Word(draw)),
            4..6 => ctx.write(draw % 4_096, &draw.to_le_bytes()),
            6..8 => ctx.sync(SyncToken(draw)),
            10 => ctx.work(draw),
            11 => ctx.discard(draw % 1_024),
            8..10 if seen == Seen::Told => ctx.respond(ClientId(0), Word(draw)),
            _ => {}
        }
        if seen == Seen::Timer || draw.is_multiple_of(7) {
            ctx.set_timer(Some(ctx.now() + Duration(draw % 3_000_000)));
        }
    }

    fn words(&self) -> Vec<u64> {
        let word = |(_, seen): &(LocalTime, Seen)| {
            if let Seen::Word(_, word) = seen {
                Some(*word)
            } else {
                None
            }
        };
        self.seen.iter().filter_map(word).collect()
    }
}

impl Process for Probe {
    type Config = Setup;
    type Message = Word;
    type Request = Told;
    type Response = Word;

    fn boot(setup: &Setup, disk: &DiskImage<'_>, ctx: &mut Context<'_, Self>) -> Self {
        let (booted_from, primary) = (disk.to_vec(), setup.primary);
        let mut probe = Self {
            seen: vec![],
            booted_from,
            booted_as: (ctx.version(), ctx.wiped()),
            primary,
            babbles: false,
        };
        probe.obey(setup.ops.clone(), None, ctx);
        probe
    }

    fn on_message(&mut self, from: NodeId, word: Word, ctx: &mut Context<'_, Self>) {
        self.see(Seen::Word(from, word.0), ctx);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>) {
        self.see(Seen::Timer, ctx);
    }

    fn on_sync(&mut self, token: SyncToken, ctx: &mut Context<'_, Self>) {
        self.see(Seen::Sync(token.0), ctx);
    }

    fn on_sync_failed(&mut self, token: SyncToken, error: DiskError, ctx: &mut Context<'_, Self>) {
        self.see(Seen::SyncFailed(token.0, error), ctx);
    }

    fn on_worked(&mut self, token: u64, ctx: &mut Context<'_, Self>) {
        self.see(Seen::Worked(token), ctx);
    }

    fn on_request(&mut self, from: ClientId, told: Told, ctx: &mut Context<'_, Self>) {
        self.see(Seen::Told, ctx);
        self.obey(told.0, Some(from), ctx);
    }

    fn is_primary(&self) -> bool {
        self.primary
    }
}

/// Tells nodes what to do, at given times.
#[derive(Clone)]
struct Teller {
    /// Ascending.
    script: Vec<(Time, NodeId, Vec<Op>)>,
    told: usize,
    heard: Vec<(Time, u64)>,
}

impl Teller {
    fn new(script: &[(u64, u16, &[Op])]) -> Self {
        let script = script
            .iter()
            .map(|(millis, node, ops)| (at(*millis), NodeId(*node), ops.to_vec()))
            .collect();
        Self {
            script,
            told: 0,
            heard: vec![],
        }
    }
}

impl Client for Teller {
    type Request = Told;
    type Response = Word;

    fn on_start(&mut self, ctx: &mut ClientContext<'_, Self>) {
        ctx.set_timer(self.script.first().map(|(time, ..)| *time));
    }

    fn on_response(&mut self, _from: NodeId, word: Word, ctx: &mut ClientContext<'_, Self>) {
        self.heard.push((ctx.now(), word.0));
    }

    fn on_timer(&mut self, ctx: &mut ClientContext<'_, Self>) {
        while let Some((time, node, ops)) = self.script.get(self.told) {
            if *time > ctx.now() {
                return ctx.set_timer(Some(*time));
            }
            ctx.trace("tell", || json!({ "node": node }));
            ctx.send(*node, Told(ops.clone()));
            self.told += 1;
        }
    }
}

/// Requests take no time, so that what a script tells is done at once.
fn config(seed: u64) -> WorldConfig {
    let mut config = WorldConfig::new(seed);
    config.network.client_latency = crate::latency::Latency::default();
    config
}

fn world(config: WorldConfig, nodes: usize, script: &[(u64, u16, &[Op])]) -> World<Probe, Teller> {
    World::new(config, vec![Setup::default(); nodes], vec![Teller::new(script)])
}

fn plan(config: &mut WorldConfig, millis: u64, action: FaultAction) {
    config.plan.push(PlannedFault { at: at(millis), action });
}

fn crash(node: u16, restart_after: Option<Duration>) -> FaultAction {
    FaultAction::Crash {
        target: Target::Node(NodeId(node)),
        restart_after,
    }
}

fn seen(world: &World<Probe, Teller>, node: u16) -> &[(LocalTime, Seen)] {
    &world.process(NodeId(node)).expect("the node is up").seen
}

fn words(world: &World<Probe, Teller>, node: u16) -> Vec<u64> {
    world.process(NodeId(node)).expect("the node is up").words()
}

/// Three nodes that do random things, and everything that can go wrong.
/// What is done to the lives of processes, and to clocks that stand still, in each round of a storm.
fn lives(round: u32, target: Target) -> [(u64, FaultAction); 5] {
    let down = ms(5);
    [
        (
            7,
            FaultAction::CrashAtDisk {
                target,
                skip: round % 4,
                part: 250_000 * (round % 5),
                restart_after: Some(down),
            },
        ),
        (
            25,
            FaultAction::CrashLoop {
                target,
                times: 3,
                up: ms(3),
                down,
            },
        ),
        (
            48,
            FaultAction::Wipe {
                target,
                after: down,
                retires: false,
            },
        ),
        (
            66,
            FaultAction::Upgrade {
                target,
                version: round % 2,
                restart_after: down,
            },
        ),
        (
            81,
            FaultAction::ClockFreeze {
                target,
                lasts: Some(ms(12)),
                leap: round.is_multiple_of(2),
            },
        ),
    ]
}

fn stormy(seed: u64) -> WorldConfig {
    use crate::latency::Latency;
    let mut config = WorldConfig::new(seed);
    let network = &mut config.network;
    network.latency = Latency::uniform(Duration(0), ms(3)).with_tail(Ratio::from_percent(5), ms(40));
    (network.loss, network.duplicate, network.reorder) =
        (Ratio::from_percent(5), Ratio::from_percent(5), Ratio::from_percent(10));
    (network.duplicate_delay_max, network.reorder_delay_max) = (ms(20), ms(10));
    network.links = crate::network::LinkConfig {
        shape: crate::network::Shape::Mixed,
        slow: Ratio::from_percent(10),
        slow_factor: 3,
        huge: Ratio::from_percent(1),
        huge_max: ms(80),
        bandwidth: 20_000,
        queue_messages: 2,
        corrupt: Ratio::from_percent(1),
        memory: 8,
        ..crate::network::LinkConfig::default()
    };
    config.disk.sync = Latency::uniform(Duration(0), ms(2)).with_tail(Ratio::from_percent(20), ms(30));
    (config.disk.lost, config.disk.torn) = (Ratio::from_percent(30), Ratio::from_percent(40));
    (config.disk.reorder, config.disk.error) = (Ratio::from_percent(50), Ratio::from_percent(2));
    config.disk.settle_age = ms(50);
    (config.clocks.offset_max, config.clocks.drift_max_ppm) = (ms(500), 400);
    config.max_down = 2;
    config.work = Latency::uniform(Duration(0), ms(2));
    let (one, primary, backup) = (Target::Random, Target::Primary, Target::RandomBackup);
    let n = |node| Endpoint::Node(NodeId(node));
    for round in 0..20 {
        let (start, id) = (round * 100, CutId(round as u32));
        let lasts = ms(30);
        let disk_faults = [
            DiskFault::Full { lasts },
            DiskFault::Stall { lasts },
            DiskFault::Lie { lasts: ms(90) },
            DiskFault::Rot,
            DiskFault::Unreadable,
            DiskFault::Misdirect,
        ];
        for (place, fault) in (10..).step_by(15).zip(disk_faults) {
            plan(&mut config, start + place, FaultAction::Disk { target: one, fault });
        }
        plan(
            &mut config,
            start,
            FaultAction::Crash {
                target: one,
                restart_after: Some(ms(30)),
            },
        );
        for (place, action) in lives(round as u32, one) {
            plan(&mut config, start + place, action);
        }
        plan(
            &mut config,
            start + 20,
            FaultAction::Pause {
                target: backup,
                resume_after: Some(ms(25)),
            },
        );
        plan(
            &mut config,
            start + 40,
            FaultAction::Isolate {
                id,
                target: primary,
                one_way: OneWay::None,
                with_clients: true,
                keeps: 0,
            },
        );
        plan(
            &mut config,
            start + 60,
            FaultAction::Cut {
                id,
                from: vec![n(0)],
                to: vec![n(1), n(2)],
                one_way: true,
            },
        );
        plan(&mut config, start + 80, FaultAction::Mend { id });
        let hold = |chosen, one_way| FaultAction::HoldAround {
            id,
            target: one,
            one_way,
            with_clients: true,
            chosen,
        };
        let word = Held {
            kind: Some("word".to_owned()),
            ..Held::default()
        };
        plan(&mut config, start + 5, hold(Held::default(), OneWay::None));
        plan(&mut config, start + 25, hold(word, OneWay::None));
        plan(&mut config, start + 55, FaultAction::Release { id });
        plan(&mut config, start + 70, FaultAction::Replay { count: 3 });
        plan(
            &mut config,
            start + 85,
            FaultAction::ClockStep {
                target: one,
                by: -(round as i64) * 1_000_000,
            },
        );
        plan(
            &mut config,
            start + 90,
            FaultAction::ClockDrift { target: one, ppm: 300 },
        );
    }
    config
}

fn storm(config: WorldConfig) -> World<Probe, Teller> {
    let setup = |primary| Setup {
        ops: vec![Op::Babble],
        primary,
    };
    let script: Vec<(u64, u16, &[Op])> = (0..200)
        .map(|round| (round * 10, (round % 3) as u16, &[][..]))
        .collect();
    World::new(
        config,
        vec![setup(true), setup(false), setup(false)],
        vec![Teller::new(&script)],
    )
}
