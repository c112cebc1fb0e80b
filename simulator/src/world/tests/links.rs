//! Links that are unlike each other, crowded, clogged, forgetful of time, or that damage what they carry: each does what it
//! says when it is on. That they do nothing when off is `without_faults_nothing_is_exposed`.

use super::*;
use crate::latency::Latency;
use crate::network::{LinkConfig, Shape};

const N0: Endpoint = Endpoint::Node(NodeId(0));
const N1: Endpoint = Endpoint::Node(NodeId(1));

/// Node 0 says `count` words to node 1, one each millisecond; time goes on for ten minutes.
fn monologue(config: WorldConfig, count: u64) -> World<Probe, Teller> {
    let ops: Vec<[Op; 1]> = (0..count).map(|word| [Op::Say(NodeId(1), word)]).collect();
    let script: Vec<(u64, u16, &[Op])> = ops.iter().enumerate().map(|(i, op)| (i as u64, 0, &op[..])).collect();
    let mut world = world(config, 2, &script);
    world.run_until(at(600_000));
    world
}

fn with_links(links: LinkConfig) -> WorldConfig {
    let mut config = config(1);
    config.network.latency = Latency::uniform(ms(1), ms(9));
    config.network.links = links;
    config
}

fn count(world: &World<Probe, Teller>, class: FaultClass) -> u64 {
    world.exposure().count(class)
}

#[test]
fn long_tailed_and_bimodal_links_have_far_latencies() {
    for shape in [Shape::LongTailed, Shape::Bimodal] {
        let world = monologue(
            with_links(LinkConfig {
                shape,
                ..LinkConfig::default()
            }),
            1_000,
        );
        assert_eq!(
            words(&world, 1),
            (0..1_000).collect::<Vec<_>>(),
            "in order all the same"
        );
        // One in eight, of the requests and of the words.
        let far = count(&world, FaultClass::FarLatency);
        assert!((180..320).contains(&far), "{shape:?}: {far}");
    }
}

#[test]
fn a_slow_link_multiplies_its_latency() {
    let mut config = with_links(LinkConfig {
        slow: Ratio::ONE,
        slow_factor: 100,
        ..LinkConfig::default()
    });
    config.network.client_latency = Latency::default();
    let world = monologue(config, 1);
    let (when, _) = seen(&world, 1)[0];
    assert!((100..=900).contains(&(when.0 / 1_000_000)), "{when}");
    assert_eq!(count(&world, FaultClass::SlowLink), 2);
}

#[test]
fn huge_delays_are_overtaken_and_end_at_their_bound() {
    let world = monologue(
        with_links(LinkConfig {
            huge: Ratio::from_percent(10),
            huge_max: Duration::from_secs(120),
            ..LinkConfig::default()
        }),
        1_000,
    );
    let heard = words(&world, 1);
    assert_eq!(heard.len(), 1_000);
    assert!(!heard.is_sorted());
    let last = seen(&world, 1).last().unwrap().0;
    assert!((30..242).contains(&(last.0 / 1_000_000_000)), "{last}");
    assert!((130..280).contains(&count(&world, FaultClass::HugeDelay)));
}

#[test]
fn a_narrow_link_makes_messages_wait_and_drops_what_its_queue_cannot_hold() {
    let mut config = with_links(LinkConfig {
        // A word has 64 bytes: one goes through each 6.4 ms, and one is said each millisecond.
        bandwidth: 10_000,
        queue_messages: 20,
        ..LinkConfig::default()
    });
    config.network.latency = Latency::fixed(ms(1));
    let world = monologue(config, 1_000);
    let heard = words(&world, 1);
    let dropped = count(&world, FaultClass::Overflow);
    assert_eq!(
        heard.len() as u64 + dropped,
        1_000,
        "a client's requests go through as they come"
    );
    assert!((100..200).contains(&heard.len()), "{}", heard.len());
    assert!(heard.is_sorted());
    assert!(count(&world, FaultClass::Bandwidth) > 100);
}

#[test]
fn a_clogged_link_delivers_everything_later_and_in_order() {
    let mut config = config(1);
    let id = CutId(1);
    plan(
        &mut config,
        100,
        FaultAction::Hold {
            id,
            from: vec![N0],
            to: vec![N1],
            one_way: true,
            chosen: Held::default(),
        },
    );
    let action = FaultAction::Release { id };
    config.plan.push(PlannedFault {
        at: at(600) + Duration(1),
        action,
    });
    plan(&mut config, 601, FaultAction::Release { id });
    let world = monologue(config, 1_000);
    assert_eq!(words(&world, 1), (0..1_000).collect::<Vec<_>>());
    assert_eq!(count(&world, FaultClass::Clog), 501);
    assert_eq!(world.exposure().skipped(), 1);
    let none = |(when, _): &&(LocalTime, Seen)| (100_000_000..600_000_001).contains(&when.0);
    assert_eq!(seen(&world, 1).iter().find(none), None);
}

#[test]
fn a_node_can_be_clogged_in_one_direction() {
    for (one_way, held_in, held_out) in [(OneWay::In, 1, 0), (OneWay::Out, 0, 1), (OneWay::None, 1, 1)] {
        let mut config = config(1);
        plan(
            &mut config,
            0,
            FaultAction::HoldAround {
                id: CutId(1),
                target: Target::Node(NodeId(0)),
                one_way,
                with_clients: false,
                chosen: Held::default(),
            },
        );
        let mut world = world(
            config,
            2,
            &[(1, 0, &[Op::Say(NodeId(1), 1)]), (1, 1, &[Op::Say(NodeId(0), 2)])],
        );
        world.run_until(at(100));
        assert_eq!(
            (words(&world, 0).len(), words(&world, 1).len()),
            (1 - held_in, 1 - held_out),
            "{one_way:?}"
        );
        world.heal();
        world.run_until(at(101));
        assert_eq!(
            (words(&world, 0).len(), words(&world, 1).len()),
            (1, 1),
            "healing releases"
        );
    }
}

#[test]
fn chosen_messages_are_held_by_kind_and_number_and_may_come_back_reversed() {
    let hold = |kind: &str| {
        let mut config = config(1);
        let id = CutId(1);
        let chosen = Held {
            kind: Some(kind.to_owned()),
            skip: 3,
            count: Some(4),
            reversed: true,
        };
        let (from, to, one_way) = (vec![N0], vec![N1], false);
        plan(
            &mut config,
            0,
            FaultAction::Hold {
                id,
                from,
                to,
                one_way,
                chosen,
            },
        );
        plan(&mut config, 500, FaultAction::Release { id });
        monologue(config, 10)
    };
    let world = hold("word");
    assert_eq!(words(&world, 1), [0, 1, 2, 7, 8, 9, 6, 5, 4, 3]);
    assert_eq!(
        (count(&world, FaultClass::Hold), count(&world, FaultClass::Clog)),
        (4, 0)
    );
    assert_eq!(
        words(&hold("told"), 1),
        (0..10).collect::<Vec<_>>(),
        "no such message on this link"
    );
}

#[test]
fn old_messages_come_again() {
    let replays = |memory| {
        let mut config = config(1);
        config.network.links.memory = memory;
        plan(&mut config, 300_000, FaultAction::Replay { count: 20 });
        monologue(config, 100)
    };
    let world = replays(16);
    assert_eq!(count(&world, FaultClass::Replay), 20);
    let again: Vec<u64> = words(&world, 1).split_off(100);
    assert!(!again.is_empty() && again.iter().all(|word| *word < 100));
    // Words that are said again because their request came again are among them.
    assert!(seen(&world, 1).last().unwrap().0 > LocalTime(300_000_000_000));
    let without = replays(0);
    assert_eq!(
        (count(&without, FaultClass::Replay), without.exposure().skipped()),
        (0, 1)
    );
}

#[test]
fn damaged_frames_are_refused_unless_the_codec_is_blind() {
    let mut config = with_links(LinkConfig {
        corrupt: Ratio::from_percent(20),
        ..LinkConfig::default()
    });
    let refused = monologue(config.clone(), 1_000);
    let heard = words(&refused, 1).len() as u64;
    assert!((590..690).contains(&heard), "{heard}");
    assert_eq!(heard + count(&refused, FaultClass::Corrupt), 1_000);
    assert_eq!(refused.exposure().undetected(), 0);
    // A word above this is one whose codec has no checksum.
    config.network.client_latency = Latency::default();
    let ops = [Op::Say(NodeId(1), Word::UNGUARDED)];
    let script: Vec<(u64, u16, &[Op])> = (0..200).map(|i| (i, 0, &ops[..])).collect();
    let mut world = world(config, 2, &script);
    world.run_until(at(1_000));
    let wrong = words(&world, 1).iter().filter(|word| **word != Word::UNGUARDED).count();
    assert!(wrong > 15);
    assert_eq!(world.exposure().undetected(), wrong as u64);
}
