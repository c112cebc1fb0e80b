//! Order, timers and clocks.

use super::*;
use crate::latency::Latency;

#[test]
fn links_are_first_in_first_out() {
    let mut config = config(1);
    config.network.latency = Latency::uniform(Duration(0), ms(50));
    let ops: Vec<Op> = (0..100).map(|word| Op::Say(NodeId(1), word)).collect();
    let mut world = world(config, 2, &[(1, 0, &ops)]);
    world.run_until(at(100));
    assert_eq!(words(&world, 1), (0..100).collect::<Vec<_>>());
    assert!(world.exposure().is_zero());
}

#[test]
fn a_timer_that_is_put_off_fires_once_and_at_the_last_deadline() {
    let timer = |millis| [Op::Timer(Some(LocalTime(at(millis).0)))];
    let (a, b, c) = (timer(50), timer(60), timer(90));
    let mut world = world(config(1), 1, &[(1, 0, &a), (20, 0, &b), (30, 0, &c)]);
    let mut steps = vec![];
    while let Some(step) = world.step_until(at(500)) {
        steps.extend((step.kind == StepKind::Timer).then_some(step.time));
    }
    assert_eq!(steps, [at(90)]);
    assert_eq!(seen(&world, 0).last(), Some(&(LocalTime(at(90).0), Seen::Timer)));
}

#[test]
fn a_timer_that_is_moved_forward_fires_once_and_a_cleared_one_never() {
    let timer = |millis| [Op::Timer(Some(LocalTime(at(millis).0)))];
    let (a, b) = (timer(50), timer(40));
    let mut moved = world(config(1), 1, &[(1, 0, &a), (20, 0, &b)]);
    moved.run_until(at(500));
    assert_eq!(seen(&moved, 0)[2..], [(LocalTime(at(40).0), Seen::Timer)]);
    let mut cleared = world(config(1), 1, &[(1, 0, &a), (20, 0, &[Op::Timer(None)])]);
    cleared.run_until(at(500));
    assert!(seen(&cleared, 0).iter().all(|(_, seen)| *seen == Seen::Told));
}

#[test]
fn a_deadline_that_has_passed_fires_at_once() {
    let mut world = world(config(1), 1, &[(7, 0, &[Op::Timer(Some(LocalTime(3)))])]);
    world.run_until(at(100));
    assert_eq!(seen(&world, 0)[1..], [(LocalTime(at(7).0), Seen::Timer)]);
}

/// When, in true time, a timer for 100 ms on the local clock fires, under this fault at 50 ms.
fn timer_under(action: Option<FaultAction>) -> Vec<Time> {
    let mut config = config(1);
    if let Some(action) = action {
        plan(&mut config, 50, action);
    }
    let mut world = world(config, 1, &[(0, 0, &[Op::Timer(Some(LocalTime(at(100).0)))])]);
    let mut fired = vec![];
    while let Some(step) = world.step_until(at(1_000)) {
        fired.extend((step.kind == StepKind::Timer).then_some(step.time));
    }
    fired
}

#[test]
fn timers_follow_the_clock_of_their_node() {
    let target = Target::Node(NodeId(0));
    let step = |millis: i64| {
        Some(FaultAction::ClockStep {
            target,
            by: millis * 1_000_000,
        })
    };
    let drift = |ppm| Some(FaultAction::ClockDrift { target, ppm });
    assert_eq!(timer_under(None), [at(100)]);
    assert_eq!(timer_under(step(20)), [at(80)]);
    assert_eq!(timer_under(step(70)), [at(50)]);
    assert_eq!(timer_under(step(-20)), [at(120)]);
    assert_eq!(timer_under(step(-80)), [at(150)], "back as far as zero");
    assert_eq!(timer_under(drift(250_000)), [at(90)]);
    assert_eq!(timer_under(drift(-500_000)), [at(150)]);
}

#[test]
fn a_clock_that_starts_ahead_reads_later_and_goes_at_the_true_rate() {
    let ahead = |offset_max: Duration| {
        let config = || {
            let mut config = config(3);
            config.clocks.offset_max = offset_max;
            config
        };
        let offset = world(config(), 1, &[]).local_now(NodeId(0)).0;
        let timer = Op::Timer(Some(LocalTime(offset + at(100).0)));
        let mut world = world(config(), 1, &[(0, 0, &[timer])]);
        world.run_until(at(100));
        assert_eq!(
            seen(&world, 0).last(),
            Some(&(LocalTime(offset + at(100).0), Seen::Timer))
        );
        (offset, world.exposure().count(FaultClass::ClockOffset))
    };
    let (offset, counted) = ahead(ms(500));
    assert!(0 < offset && offset <= ms(500).0 && counted == 1);
    assert_eq!(ahead(Duration::ZERO), (0, 0));
}

#[test]
fn a_clock_that_drifts_reaches_its_deadline_sooner_or_later() {
    let drifting = |drift_max_ppm: u32| {
        let mut config = config(3);
        config.clocks.drift_max_ppm = drift_max_ppm;
        let mut world = world(config, 1, &[(0, 0, &[Op::Timer(Some(LocalTime(at(100).0)))])]);
        let ppm = world.clock(NodeId(0)).drift_ppm();
        let mut fired = None;
        while let Some(step) = world.step_until(at(1_000)) {
            fired = fired.or((step.kind == StepKind::Timer).then_some(step.time));
        }
        (ppm, fired, world.exposure().count(FaultClass::ClockDrift))
    };
    let (ppm, fired, counted) = drifting(100_000);
    let exact = i128::from(at(100).0) * 1_000_000 / (1_000_000 + i128::from(ppm));
    let off = i128::from(fired.expect("it fires").0) - exact;
    assert!(ppm != 0 && (0..=1).contains(&off) && counted == 1);
    assert_eq!(drifting(0), (0, Some(at(100)), 0));
}

#[test]
fn clock_faults_are_counted_when_they_move_something() {
    let target = Target::Node(NodeId(0));
    let mut config = config(1);
    plan(&mut config, 10, FaultAction::ClockStep { target, by: 0 });
    plan(&mut config, 10, FaultAction::ClockDrift { target, ppm: 5 });
    let mut world = world(config, 1, &[]);
    world.run_until(at(100));
    assert!(world.exposure().is_zero(), "no reading and no timer was moved");
    let step = world.apply(FaultAction::ClockStep { target, by: -5 });
    assert_eq!((step.kind, step.node), (StepKind::ClockChanged, Some(NodeId(0))));
    assert_eq!(world.exposure().count(FaultClass::ClockStep), 1);
    let mut stormy = storm(stormy(1));
    stormy.run_until(at(100));
    assert!(stormy.exposure().count(FaultClass::ClockDrift) > 0);
    assert!(stormy.exposure().count(FaultClass::ClockOffset) > 0);
}

#[test]
fn time_moves_on_to_where_nothing_happens() {
    let mut world = world(config(1), 1, &[]);
    assert_eq!(world.step_until(at(5)), None);
    assert_eq!((world.now(), world.local_now(NodeId(0))), (at(5), LocalTime(at(5).0)));
    assert_eq!(world.step(), None);
    assert_eq!(world.now(), at(5));
    assert_eq!(world.world_time_of(NodeId(0), LocalTime(at(9).0)), at(9));
}

#[test]
fn a_full_queue_halts_the_world_and_says_so() {
    let mut config = config(1);
    config.max_queued = 10;
    let ops: Vec<Op> = (0..20).map(|word| Op::Say(NodeId(1), word)).collect();
    let mut world = world(config, 2, &[(1, 0, &ops)]);
    world.run_until(at(100));
    let halt = world.halted().expect("halted");
    assert_eq!(halt, Halt::QueueFull { at: at(1), queued: 10 });
    assert!(
        halt.to_string()
            .starts_with("the world halted at 1ms with 10 events queued")
    );
    assert_eq!(world.step(), None);
}

#[test]
fn requests_are_answered_to_their_client() {
    let mut config = config(1);
    config.network.client_latency = Latency::fixed(ms(2));
    let mut world = world(config, 1, &[(1, 0, &[Op::Respond(7)])]);
    let kinds: Vec<StepKind> = std::iter::from_fn(|| world.step()).map(|step| step.kind).collect();
    let (client, node) = (ClientId(0), NodeId(0));
    let expected = [
        StepKind::ClientTimer { client },
        StepKind::Request { from: client },
        StepKind::Response { from: node, client },
    ];
    assert_eq!(kinds, expected);
    assert_eq!(world.client(client).heard, [(at(5), 7)]);
}
