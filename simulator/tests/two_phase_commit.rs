//! Bringing a protocol of one's own: two-phase commit, nothing of Raft, under the same world and the same faults.
//!
//! Node 0 coordinates, the others take part. A transaction commits only when all have promised to, on disk; the coordinator's
//! decision is durable before anybody hears of it, and one that it does not remember was aborted. [`Setup::hasty`] breaks
//! exactly that: the decision is sent beside its own sync. The sweep passes over the correct protocol and finds the hasty one.

use simulator::{
    Client, ClientContext, ClientId, Context, DiskImage, Duration, FaultAction, Latency, LocalTime, Never, NodeId,
    Payload, PlannedFault, Process, Ratio, Stamp, SyncToken, Target, Time, World, WorldConfig,
};
use std::collections::{BTreeMap, BTreeSet};

type Tx = u32;

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
enum Message {
    Prepare(Tx),
    Vote(Tx, bool),
    Decision(Tx, bool),
    /// What became of it?
    Ask(Tx),
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Prepare(_) => "prepare",
            Self::Vote(..) => "vote",
            Self::Decision(..) => "decision",
            Self::Ask(_) => "ask",
        }
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        let (tag, tx) = match *self {
            Self::Prepare(tx) => (0, tx),
            Self::Vote(tx, yes) => (1 + u8::from(yes), tx),
            Self::Decision(tx, commit) => (3 + u8::from(commit), tx),
            Self::Ask(tx) => (5, tx),
        };
        stamp.u8(tag);
        stamp.u32(tx);
    }
}

#[derive(Clone, Copy, serde::Serialize)]
struct Begin;

impl Payload for Begin {
    fn kind(&self) -> &'static str {
        "begin"
    }

    fn stamp(&self, _stamp: &mut Stamp<'_>) {}
}

/// Begins a transaction every 30 ms.
#[derive(Clone)]
struct Starter;

impl Client for Starter {
    type Request = Begin;
    type Response = Never;

    fn on_start(&mut self, ctx: &mut ClientContext<'_, Self>) {
        self.on_timer(ctx);
    }

    fn on_response(&mut self, _from: NodeId, response: Never, _ctx: &mut ClientContext<'_, Self>) {
        match response {}
    }

    fn on_timer(&mut self, ctx: &mut ClientContext<'_, Self>) {
        ctx.send(COORDINATOR, Begin);
        ctx.set_timer(Some(ctx.now() + Duration::from_millis(30)));
    }
}

const COORDINATOR: NodeId = NodeId(0);
const RETRY: Duration = Duration::from_millis(40);
const GIVE_UP: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Default)]
struct Setup {
    /// The coordinator sends its decisions before they are durable.
    hasty: bool,
}

/// A record of the log, which starts empty and is never cut short.
#[derive(Clone, Copy)]
enum Record {
    Promised,
    Aborted,
    Committed,
}

#[derive(Clone)]
struct Node {
    setup: Setup,
    /// One past the last record.
    end: u64,
    /// What waits for a sync, by its token.
    syncing: BTreeMap<u64, Message>,
    /// Coordinator: votes for yes, and since when a transaction is undecided.
    pending: BTreeMap<Tx, (BTreeSet<NodeId>, LocalTime)>,
    /// Participant: what it promised and does not know the outcome of.
    in_doubt: BTreeSet<Tx>,
    /// What is decided, and at participants done.
    outcomes: BTreeMap<Tx, bool>,
}

type Ctx<'a> = Context<'a, Node>;

impl Node {
    /// Writes a record; the message is to be acted on when it is durable.
    fn log(&mut self, record: Record, tx: Tx, then: Message, ctx: &mut Ctx<'_>) {
        let mut bytes = [record as u8 + 1, 0, 0, 0, 0];
        bytes[1..].copy_from_slice(&tx.to_le_bytes());
        ctx.write(self.end, &bytes);
        self.end += bytes.len() as u64;
        self.syncing.insert(self.end, then);
        ctx.sync(SyncToken(self.end));
    }

    fn broadcast(&self, message: Message, ctx: &mut Ctx<'_>) {
        ctx.nodes()
            .filter(|node| *node != COORDINATOR)
            .for_each(|node| ctx.send(node, message));
    }

    fn decide(&mut self, tx: Tx, commit: bool, ctx: &mut Ctx<'_>) {
        self.pending.remove(&tx);
        let (record, decision) = (
            if commit { Record::Committed } else { Record::Aborted },
            Message::Decision(tx, commit),
        );
        self.log(record, tx, decision, ctx);
        if self.setup.hasty {
            self.outcomes.insert(tx, commit);
            self.broadcast(decision, ctx);
        }
    }

    fn is_deciding(&self, tx: Tx) -> bool {
        let decides = |message: &Message| matches!(*message, Message::Decision(other, _) if other == tx);
        self.pending.contains_key(&tx) || self.syncing.values().any(decides)
    }
}

impl Process for Node {
    type Config = Setup;
    type Message = Message;
    type Request = Begin;
    type Response = Never;

    fn boot(setup: &Setup, disk: &DiskImage<'_>, ctx: &mut Ctx<'_>) -> Self {
        let mut node = Self {
            setup: *setup,
            end: 0,
            syncing: BTreeMap::new(),
            pending: BTreeMap::new(),
            in_doubt: BTreeSet::new(),
            outcomes: BTreeMap::new(),
        };
        for record in disk.to_vec().chunks_exact(5) {
            let tx = Tx::from_le_bytes([record[1], record[2], record[3], record[4]]);
            match record[0] {
                1 => {
                    node.in_doubt.insert(tx);
                }
                tag => {
                    node.in_doubt.remove(&tx);
                    node.outcomes.insert(tx, tag == 3);
                }
            }
            node.end += 5;
        }
        ctx.set_timer(Some(ctx.now() + RETRY));
        node
    }

    fn on_request(&mut self, _from: ClientId, _request: Begin, ctx: &mut Ctx<'_>) {
        let tx = ctx.random() as Tx;
        self.pending.insert(tx, (BTreeSet::new(), ctx.now()));
        self.broadcast(Message::Prepare(tx), ctx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_>) {
        match message {
            Message::Prepare(tx) if self.in_doubt.contains(&tx) => ctx.send(COORDINATOR, Message::Vote(tx, true)),
            Message::Prepare(tx) if !self.outcomes.contains_key(&tx) => {
                if ctx.random().is_multiple_of(8) {
                    ctx.send(COORDINATOR, Message::Vote(tx, false));
                } else {
                    self.log(Record::Promised, tx, Message::Vote(tx, true), ctx);
                }
            }
            Message::Vote(tx, yes) => {
                let others = ctx.nodes().len() - 1;
                let Some((votes, _)) = self.pending.get_mut(&tx) else {
                    return;
                };
                votes.insert(from);
                if !yes || votes.len() == others {
                    self.decide(tx, yes, ctx);
                }
            }
            Message::Decision(tx, commit) if self.in_doubt.contains(&tx) => {
                let record = if commit { Record::Committed } else { Record::Aborted };
                self.log(record, tx, message, ctx);
            }
            Message::Ask(tx) if !self.is_deciding(tx) => {
                let commit = self.outcomes.get(&tx).copied().unwrap_or(false);
                ctx.send(from, Message::Decision(tx, commit));
            }
            _ => {}
        }
    }

    fn on_sync(&mut self, token: SyncToken, ctx: &mut Ctx<'_>) {
        match self.syncing.remove(&token.0) {
            Some(Message::Decision(tx, commit)) => {
                self.in_doubt.remove(&tx);
                self.outcomes.insert(tx, commit);
                if ctx.id() == COORDINATOR {
                    self.broadcast(Message::Decision(tx, commit), ctx);
                }
            }
            Some(vote @ Message::Vote(tx, _)) => {
                self.in_doubt.insert(tx);
                ctx.send(COORDINATOR, vote);
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let late = |since: LocalTime| now.since(since) > GIVE_UP;
        let given_up: Vec<Tx> = self
            .pending
            .iter()
            .filter(|(_, (_, since))| late(*since))
            .map(|(tx, _)| *tx)
            .collect();
        given_up.into_iter().for_each(|tx| self.decide(tx, false, ctx));
        self.pending
            .keys()
            .for_each(|tx| self.broadcast(Message::Prepare(*tx), ctx));
        self.in_doubt
            .iter()
            .for_each(|tx| ctx.send(COORDINATOR, Message::Ask(*tx)));
        ctx.set_timer(Some(now + RETRY));
    }
}

/// Runs one seed; the number of transactions that a participant carried out, or the one that two carried out differently.
fn run(setup: Setup, seed: u64) -> Result<usize, Tx> {
    let mut config = WorldConfig::new(seed);
    config.network.latency = Latency::uniform(Duration::from_millis(1), Duration::from_millis(15));
    config.network.loss = Ratio::from_percent(5);
    config.network.duplicate = Ratio::from_percent(5);
    config.network.duplicate_delay_max = Duration::from_secs(1);
    config.disk.sync = Latency::uniform(Duration::from_millis(1), Duration::from_millis(10));
    for round in 1..20 {
        let (at, target) = (
            Time(round * 150_000_000),
            if round % 2 == 0 {
                Target::Random
            } else {
                Target::Node(COORDINATOR)
            },
        );
        let restart_after = Some(Duration::from_millis(20));
        config.plan.push(PlannedFault {
            at,
            action: FaultAction::Crash { target, restart_after },
        });
    }
    let mut world: World<Node, Starter> = World::new(config, vec![setup; 4], vec![Starter]);
    let mut done: BTreeMap<Tx, bool> = BTreeMap::new();
    while let Some(step) = world.step_until(Time(4_000_000_000)) {
        let Some(node) = step.node.filter(|node| *node != COORDINATOR) else {
            continue;
        };
        for (tx, outcome) in world.process(node).iter().flat_map(|process| &process.outcomes) {
            if *done.entry(*tx).or_insert(*outcome) != *outcome {
                return Err(*tx);
            }
        }
    }
    Ok(done.len())
}

#[test]
fn a_sweep_passes_over_two_phase_commit_and_finds_the_hasty_one() {
    for seed in 0..40 {
        let done = run(Setup { hasty: false }, seed).unwrap_or_else(|tx| panic!("seed {seed}: {tx} is not atomic"));
        assert!(done > 20, "seed {seed}: only {done} transactions came to an end");
    }
    let found: Vec<u64> = (0..40)
        .filter(|seed| run(Setup { hasty: true }, *seed).is_err())
        .collect();
    assert!(!found.is_empty(), "40 seeds and no transaction fell apart");
    assert_eq!(
        run(Setup { hasty: true }, found[0]),
        run(Setup { hasty: true }, found[0]),
        "one seed is one run"
    );
}
