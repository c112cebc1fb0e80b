//! Each fault does what it says when it is on, and nothing when it is off.

use super::*;
use crate::latency::Latency;
use crate::step::SkipReason;

const N0: Endpoint = Endpoint::Node(NodeId(0));
const N1: Endpoint = Endpoint::Node(NodeId(1));
const C0: Endpoint = Endpoint::Client(ClientId(0));

/// Node 0 says 1,000 words to node 1, one each millisecond.
fn monologue(config: WorldConfig) -> World<Probe, Teller> {
    let ops: Vec<[Op; 1]> = (0..1_000).map(|word| [Op::Say(NodeId(1), word)]).collect();
    let script: Vec<(u64, u16, &[Op])> = ops.iter().enumerate().map(|(i, op)| (i as u64, 0, &op[..])).collect();
    let mut world = world(config, 2, &script);
    world.run_until(at(5_000));
    world
}

#[test]
fn without_faults_nothing_is_exposed() {
    let world = monologue(config(1));
    assert_eq!(words(&world, 1), (0..1_000).collect::<Vec<_>>());
    assert!(world.exposure().is_zero());
}

/// A network whose requests are not disturbed, because loss and its like apply to clients too.
fn undisturbed_requests(config: &WorldConfig) -> Vec<u64> {
    let mut config = config.clone();
    config.network.client_latency = Latency::default();
    words(&monologue(config), 1)
}

#[test]
fn loss_loses() {
    let mut config = config(1);
    config.network.loss = Ratio::from_percent(20);
    let heard = undisturbed_requests(&config).len();
    // Both the request and the word must come through.
    assert!((590..690).contains(&heard), "{heard}");
    let lost = monologue(config).exposure().count(FaultClass::Loss) as usize;
    assert_eq!(lost, 1_000 - heard);
}

#[test]
fn duplicates_arrive_twice() {
    let mut config = config(1);
    config.network.duplicate = Ratio::ONE;
    config.network.duplicate_delay_max = ms(7);
    let world = monologue(config);
    // Requests arrive twice, each word is then said twice, and each of those arrives twice.
    let heard = words(&world, 1);
    assert!((0..1_000).all(|word| heard.iter().filter(|heard| **heard == word).count() == 4));
    assert_eq!(world.exposure().count(FaultClass::Duplicate), 3_000);
    assert_eq!(world.exposure().count(FaultClass::Reorder), 0);
}

#[test]
fn reordered_messages_are_overtaken() {
    let mut config = config(1);
    config.network.reorder = Ratio::from_percent(10);
    config.network.reorder_delay_max = ms(5);
    let world = monologue(config);
    let mut heard = words(&world, 1);
    assert!(!heard.is_sorted());
    heard.sort_unstable();
    assert_eq!(heard, (0..1_000).collect::<Vec<_>>());
    let overtaken = world.exposure().count(FaultClass::Reorder);
    assert!((50..250).contains(&overtaken), "{overtaken}");
}

#[test]
fn a_long_tail_delays_and_holds_up_its_link() {
    let mut config = config(1);
    config.network.latency = Latency::fixed(ms(1)).with_tail(Ratio::from_percent(1), ms(200));
    let world = monologue(config);
    assert!(words(&world, 1).is_sorted());
    let late = world.exposure().count(FaultClass::DelayTail);
    assert!((3..25).contains(&late), "{late}");
}

/// What each of two nodes hears of the other and what the client hears, when both talk at 10 ms under this cut.
fn heard_under(action: FaultAction) -> (bool, bool, bool, World<Probe, Teller>) {
    let mut config = config(1);
    plan(&mut config, 5, action);
    let a = [Op::Say(NodeId(1), 1), Op::Respond(1)];
    let setup = |ops: &[Op]| Setup {
        ops: ops.to_vec(),
        primary: false,
    };
    let timer = [Op::Timer(None)];
    let mut world = World::<Probe, Teller>::new(
        config,
        vec![setup(&timer), setup(&timer)],
        vec![
            Teller::new(&[(10, 0, &a)]),
            Teller::new(&[(10, 1, &[Op::Say(NodeId(0), 2)])]),
        ],
    );
    world.run_until(at(50));
    let (zero, one) = (words(&world, 0) == [2], words(&world, 1) == [1]);
    (zero, one, !world.client(ClientId(0)).heard.is_empty(), world)
}

fn cut(from: Endpoint, to: Endpoint, one_way: bool) -> FaultAction {
    FaultAction::Cut {
        id: CutId(1),
        from: vec![from],
        to: vec![to],
        one_way,
    }
}

fn isolate(one_way: OneWay, with_clients: bool) -> FaultAction {
    FaultAction::Isolate {
        id: CutId(1),
        target: Target::Node(NodeId(0)),
        one_way,
        with_clients,
        keeps: 0,
    }
}

#[test]
fn cuts_block_the_directions_that_they_name() {
    let case = |action| {
        let (zero, one, client, world) = heard_under(action);
        let count = |class| world.exposure().count(class);
        (
            (zero, one, client),
            (count(FaultClass::Partition), count(FaultClass::OneWayPartition)),
        )
    };
    assert_eq!(case(cut(N0, N1, false)), ((false, false, true), (2, 0)));
    assert_eq!(case(cut(N0, N1, true)), ((true, false, true), (0, 1)));
    assert_eq!(case(cut(N1, N0, true)), ((false, true, true), (0, 1)));
    assert_eq!(case(cut(N0, C0, true)), ((true, true, false), (0, 1)));
    // The client's request never arrives, so node 0 says nothing at all.
    assert_eq!(case(cut(C0, N0, true)), ((true, false, false), (0, 1)));
    assert_eq!(case(isolate(OneWay::None, false)), ((false, false, true), (2, 0)));
    assert_eq!(case(isolate(OneWay::In, false)), ((false, true, true), (0, 1)));
    assert_eq!(case(isolate(OneWay::Out, false)), ((true, false, true), (0, 1)));
    assert_eq!(case(isolate(OneWay::Out, true)), ((true, false, false), (0, 2)));
}

#[test]
fn an_isolated_node_stays_joined_with_as_many_others_as_it_keeps() {
    let apart = |keeps| {
        let mut world = world(config(7), 5, &[]);
        world.apply(FaultAction::Isolate {
            id: CutId(1),
            target: Target::Node(NodeId(0)),
            one_way: OneWay::None,
            with_clients: false,
            keeps,
        });
        let from_zero = world.nodes().filter(|node| world.is_cut(N0, *node)).count();
        let elsewhere = world.nodes().any(|one| {
            world
                .nodes()
                .any(|two| one.0 > 0 && two.0 > 0 && world.is_cut(one, two))
        });
        (from_zero, elsewhere)
    };
    assert_eq!([0, 1, 3, 4, 9].map(apart), [4, 3, 1, 0, 0].map(|cut| (cut, false)));
}

#[test]
fn a_cut_stops_messages_that_are_on_their_way_and_mending_lets_later_ones_pass() {
    let mut config = config(1);
    config.network.latency = Latency::fixed(ms(10));
    plan(&mut config, 5, cut(N0, N1, false));
    plan(&mut config, 20, FaultAction::Mend { id: CutId(1) });
    plan(&mut config, 20, FaultAction::Mend { id: CutId(2) });
    let say = |word| [Op::Say(NodeId(1), word)];
    let (a, b, c) = (say(1), say(2), say(3));
    let mut world = world(config, 2, &[(1, 0, &a), (12, 0, &b), (21, 0, &c)]);
    world.run_until(at(50));
    assert_eq!(words(&world, 1), [3]);
    assert_eq!(world.exposure().count(FaultClass::Partition), 2);
    assert_eq!(world.exposure().skipped(), 1, "there was no cut 2 to mend");
}

#[test]
fn messages_for_a_crashed_node_are_dropped_and_its_timer_dies() {
    let mut config = config(1);
    plan(&mut config, 5, crash(1, Some(ms(20))));
    let timer = [Op::Timer(Some(LocalTime(at(15).0)))];
    let say = [Op::Say(NodeId(1), 1)];
    let mut world = world(config, 2, &[(1, 1, &timer), (10, 0, &say), (30, 0, &say)]);
    let mut dropped = vec![];
    while let Some(step) = world.step_until(at(100)) {
        dropped.extend(matches!(step.kind, StepKind::Dropped { .. }).then_some(step));
    }
    let kind = StepKind::Dropped {
        from: N0,
        to: N1,
        reason: DropReason::Crash,
    };
    assert_eq!(
        dropped,
        [Step {
            time: at(11),
            seq: dropped[0].seq,
            node: Some(NodeId(1)),
            kind
        }]
    );
    assert_eq!(seen(&world, 1), [(LocalTime(at(31).0), Seen::Word(NodeId(0), 1))]);
}

#[test]
fn a_restarted_node_is_not_restarted_by_the_end_of_an_earlier_crash() {
    let mut config = config(1);
    plan(&mut config, 5, crash(0, Some(ms(20))));
    plan(&mut config, 10, FaultAction::Restart { node: NodeId(0) });
    plan(&mut config, 15, crash(0, None));
    plan(&mut config, 16, crash(0, None));
    let mut world = world(config, 1, &[]);
    world.run_until(at(100));
    assert!(!world.is_up(NodeId(0)));
    let exposure = world.exposure();
    assert_eq!(
        (
            exposure.count(FaultClass::Crash),
            exposure.count(FaultClass::Restart),
            exposure.skipped()
        ),
        (2, 1, 1)
    );
}

#[test]
fn crashes_beyond_the_limit_are_skipped() {
    let mut config = config(1);
    config.max_down = 1;
    plan(&mut config, 5, crash(0, None));
    plan(&mut config, 6, crash(1, None));
    let mut world = world(config, 3, &[]);
    let steps: Vec<StepKind> = std::iter::from_fn(|| world.step()).map(|step| step.kind).collect();
    assert_eq!(
        steps,
        [
            StepKind::Crashed,
            StepKind::Skipped {
                reason: SkipReason::TooManyDown
            }
        ]
    );
    assert_eq!(world.exposure().skipped(), 1);
}

#[test]
fn what_a_paused_node_missed_it_handles_in_order_when_it_goes_on() {
    let mut config = config(1);
    let target = Target::Node(NodeId(1));
    plan(
        &mut config,
        5,
        FaultAction::Pause {
            target,
            resume_after: Some(ms(20)),
        },
    );
    let timer = [Op::Timer(Some(LocalTime(at(12).0)))];
    let say = |word| [Op::Say(NodeId(1), word)];
    // The third word arrives at the very instant of the resumption, after it.
    let (a, b, c, d) = (say(1), say(2), say(3), say(4));
    let mut world = world(
        config,
        2,
        &[(1, 1, &timer), (8, 0, &a), (14, 0, &b), (24, 0, &c), (30, 0, &d)],
    );
    world.run_until(at(24));
    assert!(world.is_paused(NodeId(1)) && seen(&world, 1).len() == 1);
    world.run_until(at(100));
    let (n0, resumed) = (NodeId(0), LocalTime(at(25).0));
    let expected = [
        (resumed, Seen::Word(n0, 1)),
        (resumed, Seen::Timer),
        (resumed, Seen::Word(n0, 2)),
        (resumed, Seen::Word(n0, 3)),
        (LocalTime(at(31).0), Seen::Word(n0, 4)),
    ];
    assert_eq!(seen(&world, 1)[1..], expected);
    assert!(world.exposure().count(FaultClass::Pause) >= 3);
}

#[test]
fn what_a_paused_node_missed_is_lost_when_it_crashes() {
    let mut config = config(1);
    let target = Target::Node(NodeId(1));
    plan(
        &mut config,
        5,
        FaultAction::Pause {
            target,
            resume_after: Some(ms(20)),
        },
    );
    plan(&mut config, 15, crash(1, Some(ms(1))));
    let mut world = world(
        config,
        2,
        &[(8, 0, &[Op::Say(NodeId(1), 1)]), (20, 0, &[Op::Say(NodeId(1), 2)])],
    );
    world.run_until(at(100));
    assert_eq!(seen(&world, 1), [(LocalTime(at(21).0), Seen::Word(NodeId(0), 2))]);
}

#[test]
fn targets_are_resolved_when_the_fault_fires() {
    let hit = |target, primaries: &[u16], seed| {
        let setup = |node| Setup {
            ops: vec![],
            primary: primaries.contains(&node),
        };
        let mut world = World::<Probe, Teller>::new(config(seed), (0..5).map(setup).collect(), vec![]);
        world
            .apply(FaultAction::Crash {
                target,
                restart_after: None,
            })
            .node
            .map(|node| node.0)
    };
    let hits = |target, primaries: &[u16]| {
        (0..60)
            .filter_map(|seed| hit(target, primaries, seed))
            .collect::<Vec<_>>()
    };
    let sorted = |mut nodes: Vec<u16>| {
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    };
    assert_eq!(sorted(hits(Target::Primary, &[3])), [3]);
    assert_eq!(sorted(hits(Target::Primary, &[1, 3])), [1, 3]);
    assert_eq!(sorted(hits(Target::Primary, &[])), [0, 1, 2, 3, 4]);
    assert_eq!(sorted(hits(Target::Random, &[3])), [0, 1, 2, 3, 4]);
    assert_eq!(sorted(hits(Target::RandomBackup, &[3])), [0, 1, 2, 4]);
    assert_eq!(sorted(hits(Target::Node(NodeId(2)), &[3])), [2]);
    assert!(hits(Target::RandomBackup, &[0, 1, 2, 3, 4]).is_empty());
}

#[test]
fn isolating_the_primary_is_counted_only_if_it_was_the_primary() {
    let isolated = |primary| {
        let setup = Setup {
            ops: vec![Op::Say(NodeId(1), 1)],
            primary,
        };
        let mut world = World::<Probe, Teller>::new(config(1), vec![setup, Setup::default()], vec![]);
        world.apply(isolate(OneWay::None, false));
        world.run_until(at(10));
        let count = |class| world.exposure().count(class);
        (count(FaultClass::Partition), count(FaultClass::IsolatePrimary))
    };
    assert_eq!(isolated(true), (1, 1));
    assert_eq!(isolated(false), (1, 0));
}

#[test]
fn healing_ends_all_faults() {
    let mut config = stormy(3);
    plan(&mut config, 750, crash(0, None));
    plan(
        &mut config,
        760,
        FaultAction::Pause {
            target: Target::Node(NodeId(1)),
            resume_after: None,
        },
    );
    let mut world = storm(config);
    world.run_until(at(770));
    assert!(!world.is_up(NodeId(0)) && world.is_paused(NodeId(1)));
    world.heal();
    world.run_until(at(770));
    assert!(world.nodes().all(|node| world.is_up(node) && !world.is_paused(node)));
    assert!(world.nodes().all(|node| world.clock(node).drift_ppm() == 0));
    assert!(!world.is_cut(NodeId(0), NodeId(1)) && !world.is_cut(ClientId(0), NodeId(2)));
    assert_eq!(*world.network(), world.network().healed());
    // Late copies and tails of the past may still arrive, but nothing new goes wrong.
    world.run_until(at(900));
    let before = world.exposure().clone();
    world.run_until(at(2_500));
    for (class, count) in world.exposure().iter() {
        if class != FaultClass::ClockOffset {
            assert_eq!(count, before.count(class), "{}", class.name());
        }
    }
}

#[test]
fn a_storm_exposes_every_class() {
    let mut all = Exposure::default();
    for seed in 0..5 {
        let mut world = storm(stormy(seed));
        world.run_until(at(2_500));
        all.merge(world.exposure());
    }
    for (class, count) in all.iter() {
        assert!(count > 0, "{} never fired", class.name());
    }
}

#[test]
#[should_panic(expected = "world: the fault names n7, but there are 1 nodes")]
fn a_fault_on_a_node_that_does_not_exist_is_refused() {
    world(config(1), 1, &[]).apply(crash(7, None));
}
