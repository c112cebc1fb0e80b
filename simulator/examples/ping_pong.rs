//! A complete protocol in the simulator: numbered pings, counted on a disk, across loss and a crash.

use simulator::{
    ClientId, Context, DiskImage, Duration, FaultAction, FaultClass, Never, NodeId, Payload, PlannedFault, Process,
    Ratio, Stamp, SyncToken, Target, Time, World, WorldConfig,
};

const PINGER: NodeId = NodeId(0);
const PONGER: NodeId = NodeId(1);
const PATIENCE: Duration = Duration::from_millis(10);

/// The content is a number: which ping it is, or how many pings are on the disk.
#[derive(Clone, serde::Serialize)]
enum Message {
    Ping(u64),
    Pong(u64),
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ping(_) => "ping",
            Self::Pong(_) => "pong",
        }
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        let (variant, number) = match *self {
            Self::Ping(number) => (0, number),
            Self::Pong(number) => (1, number),
        };
        stamp.u8(variant);
        stamp.u64(number);
    }
}

struct PingPong {
    /// The pinger: the number of its last ping. The ponger: the highest ping that it has seen.
    number: u64,
}

impl PingPong {
    fn ping(&self, ctx: &mut Context<'_, Self>) {
        ctx.send(PONGER, Message::Ping(self.number));
        ctx.set_timer(Some(ctx.now() + PATIENCE));
    }
}

impl Process for PingPong {
    type Config = ();
    type Message = Message;
    type Request = Never;
    type Response = Never;

    fn boot(_config: &(), disk: &DiskImage<'_>, ctx: &mut Context<'_, Self>) -> Self {
        let kept = disk.read(0, 8).try_into().map_or(0, u64::from_le_bytes);
        let process = Self { number: kept };
        if ctx.id() == PINGER {
            process.ping(ctx);
        }
        process
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Context<'_, Self>) {
        match message {
            Message::Ping(number) => {
                assert_eq!(from, PINGER);
                self.number = self.number.max(number);
                ctx.write(0, &self.number.to_le_bytes());
                ctx.sync(SyncToken(self.number));
            }
            Message::Pong(number) if number >= self.number => {
                self.number += 1;
                self.ping(ctx);
            }
            Message::Pong(_) => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>) {
        self.ping(ctx);
    }

    fn on_sync(&mut self, token: SyncToken, ctx: &mut Context<'_, Self>) {
        ctx.send(PINGER, Message::Pong(token.0));
    }

    fn on_request(&mut self, _from: ClientId, request: Never, _ctx: &mut Context<'_, Self>) {
        match request {}
    }
}

fn main() {
    let run = |seed| {
        let mut config = WorldConfig::new(seed);
        config.network.loss = Ratio::from_percent(50);
        config.plan.push(PlannedFault {
            at: Time::ZERO + Duration::from_millis(500),
            action: FaultAction::Crash {
                target: Target::Node(PONGER),
                restart_after: Some(Duration::from_millis(100)),
            },
        });
        let mut world = World::<PingPong>::new(config, vec![(), ()], vec![]);
        world.run_until(Time::ZERO + Duration::from_secs(10));
        world
    };
    let world = run(42);
    let pinged = world.process(PINGER).unwrap().number;
    assert!(pinged > 100, "half of the messages are enough to go on");
    assert!(
        world.process(PONGER).unwrap().number >= pinged - 1,
        "what was answered was durable"
    );
    assert_eq!(world.exposure().count(FaultClass::Crash), 1);
    assert!(world.exposure().count(FaultClass::Loss) > 100);
    assert_eq!(world.digest(), run(42).digest(), "the same seed is the same run");
    assert_ne!(world.digest(), run(43).digest(), "another seed is another run");
}
