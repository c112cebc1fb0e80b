//! How fast the world turns: two nodes hold some balls and throw each back as soon as it arrives, without a trace.
//!
//! `time cargo run --release -p simulator --example throughput [EVENTS] [BALLS]` prints the number of events; divide by the
//! user time. With loss at zero the balls stay in play for ever.

use simulator::{ClientId, Context, DiskImage, Never, NodeId, Payload, Process, Stamp, SyncToken, World, WorldConfig};

#[derive(Clone, serde::Serialize)]
struct Ball(u64);

impl Payload for Ball {
    fn kind(&self) -> &'static str {
        "ball"
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(self.0);
    }
}

struct Player;

impl Process for Player {
    type Config = u64;
    type Message = Ball;
    type Request = Never;
    type Response = Never;

    fn boot(balls: &u64, _disk: &DiskImage<'_>, ctx: &mut Context<'_, Self>) -> Self {
        let other = NodeId(1 - ctx.id().0);
        (0..*balls).for_each(|_| ctx.send(other, Ball(0)));
        Self
    }

    fn on_message(&mut self, from: NodeId, ball: Ball, ctx: &mut Context<'_, Self>) {
        ctx.send(from, Ball(ball.0 + 1));
    }

    fn on_timer(&mut self, _ctx: &mut Context<'_, Self>) {}

    fn on_sync(&mut self, _token: SyncToken, _ctx: &mut Context<'_, Self>) {}

    fn on_request(&mut self, _from: ClientId, request: Never, _ctx: &mut Context<'_, Self>) {
        match request {}
    }
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse().ok());
    let events: u64 = numbers.next().unwrap_or(20_000_000);
    let balls: u64 = numbers.next().unwrap_or(1);
    let mut world = World::<Player>::new(WorldConfig::new(1), vec![balls, 0], vec![]);
    while world.steps() < events && world.step().is_some() {}
    println!("{} events, digest {}", world.steps(), world.digest().short());
}
