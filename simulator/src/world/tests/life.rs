//! Crashes at disk operations, crash loops, disks taken away, upgrades, clocks that stand still, slow work: each happens when it is
//! on, and nothing of it when it is off.

use super::*;
use crate::latency::Latency;
use crate::step::SkipReason;

const N0: NodeId = NodeId(0);
const TARGET: Target = Target::Node(N0);

fn write(offset: u64, bytes: &[u8]) -> Op {
    Op::Write(offset, bytes.to_vec())
}

/// A node that at 5 ms writes `abcd`, writes `efgh`, syncs, says a word and answers, with its power cut at one of these operations.
fn cut_at(skip: u32, part: u32) -> World<Probe, Teller> {
    let mut config = config(3);
    config.disk.sync = Latency::fixed(ms(2));
    config.disk.lost = Ratio::ZERO;
    let fuse = FaultAction::CrashAtDisk {
        target: TARGET,
        skip,
        part,
        restart_after: Some(ms(20)),
    };
    plan(&mut config, 1, fuse);
    let ops = [
        write(0, b"abcd"),
        write(4, b"efgh"),
        Op::Sync(1),
        Op::Say(NodeId(1), 9),
        Op::Respond(8),
    ];
    let mut world = world(config, 2, &[(5, 0, &ops)]);
    world.run_until(at(100));
    world
}

#[test]
fn the_power_fails_between_any_two_disk_operations_and_in_the_middle_of_one() {
    // What is not lost at the crash is what was written until then: all of it here.
    let kept = |skip, part| {
        let world = cut_at(skip, part);
        assert_eq!(world.exposure().count(FaultClass::DiskCrash), 1);
        assert_eq!(world.exposure().count(FaultClass::Crash), 1);
        assert_eq!(seen(&world, 0), [], "it has restarted");
        let bytes = world.disk(N0).to_vec();
        (
            String::from_utf8(bytes).unwrap(),
            words(&world, 1),
            world.exposure().count(FaultClass::CutWrite),
        )
    };
    assert_eq!(kept(0, 0), (String::new(), vec![], 0), "before the first write");
    assert_eq!(kept(0, 500_000), ("ab".to_owned(), vec![], 1), "in the middle of it");
    assert_eq!(kept(0, 1_000_000), ("abcd".to_owned(), vec![], 0), "after it");
    assert_eq!(kept(1, 750_000), ("abcdefg".to_owned(), vec![], 1));
    assert_eq!(kept(2, 0), ("abcdefgh".to_owned(), vec![], 0), "before the sync");
    assert_eq!(kept(2, 1), ("abcdefgh".to_owned(), vec![], 0), "when it has started");
    // What was said before the operation has left.
    assert_eq!(
        kept(3, 0),
        ("abcdefgh".to_owned(), vec![9], 0),
        "before the sync completes"
    );
    assert_eq!(
        kept(3, 1),
        ("abcdefgh".to_owned(), vec![9], 0),
        "when it has, and nobody was told"
    );
}

#[test]
fn a_completion_that_nobody_was_told_of_is_durable_and_one_before_it_is_not() {
    let durable = |part| {
        let mut config = config(3);
        config.disk.lost = Ratio::ONE;
        let fuse = FaultAction::CrashAtDisk {
            target: TARGET,
            skip: 2,
            part,
            restart_after: None,
        };
        plan(&mut config, 1, fuse);
        let mut world = world(config, 1, &[(5, 0, &[write(0, b"abcd"), Op::Sync(1)])]);
        world.run_until(at(100));
        world.disk(N0).len()
    };
    assert_eq!((durable(0), durable(1)), (0, 4));
}

#[test]
fn a_fuse_that_no_operation_reaches_does_nothing_and_healing_takes_it_away() {
    let waits = cut_at(4, 0);
    assert!(waits.exposure().is_zero() && words(&waits, 1) == [9]);
    let mut world = world(config(1), 1, &[(5, 0, &[write(0, b"ab"), Op::Sync(1)])]);
    world.apply(FaultAction::CrashAtDisk {
        target: TARGET,
        skip: 0,
        part: 0,
        restart_after: None,
    });
    world.heal();
    world.run_until(at(100));
    assert!(world.exposure().is_zero());
    assert_eq!(world.disk(N0).to_vec(), b"ab");
}

#[test]
fn a_fuse_is_not_put_on_a_node_when_as_many_are_down_as_may_be() {
    let mut config = config(1);
    config.max_down = 1;
    plan(
        &mut config,
        1,
        FaultAction::Crash {
            target: Target::Node(NodeId(1)),
            restart_after: None,
        },
    );
    plan(
        &mut config,
        2,
        FaultAction::CrashAtDisk {
            target: TARGET,
            skip: 0,
            part: 0,
            restart_after: None,
        },
    );
    let mut world = world(config, 2, &[(5, 0, &[write(0, b"ab"), Op::Sync(1)])]);
    world.run_until(at(100));
    assert!(world.is_up(N0) && world.disk(N0).to_vec() == b"ab");
    assert_eq!(
        (
            world.exposure().count(FaultClass::DiskCrash),
            world.exposure().skipped()
        ),
        (0, 1)
    );
}

/// When node 0 crashes and restarts in a loop from 10 ms on: three times, 3 ms up and 5 ms down.
fn looped(heal_at: Option<u64>) -> (Vec<Time>, Vec<Time>, World<Probe, Teller>) {
    let mut config = config(1);
    plan(
        &mut config,
        10,
        FaultAction::CrashLoop {
            target: TARGET,
            times: 3,
            up: ms(3),
            down: ms(5),
        },
    );
    let mut world = world(config, 1, &[]);
    let (mut down, mut up) = (vec![], vec![]);
    for until in heal_at.into_iter().chain([1_000]) {
        while let Some(step) = world.step_until(at(until)) {
            down.extend((step.kind == StepKind::Crashed).then_some(step.time));
            up.extend((step.kind == StepKind::Restarted).then_some(step.time));
        }
        world.heal();
    }
    (down, up, world)
}

#[test]
fn a_loop_crashes_as_often_as_it_says_and_healing_ends_it() {
    let (down, up, world) = looped(None);
    assert_eq!((down, up), (vec![at(10), at(18), at(26)], vec![at(15), at(23), at(31)]));
    assert_eq!(world.exposure().count(FaultClass::CrashLoop), 2);
    assert_eq!(world.exposure().count(FaultClass::Crash), 3);
    let (down, up, world) = looped(Some(16));
    assert_eq!((down, up), (vec![at(10)], vec![at(15)]));
    assert_eq!(world.exposure().count(FaultClass::CrashLoop), 0);
}

/// A world whose node 0 has two durable bytes and then loses its disk.
fn wiped(restart_after: Option<Duration>) -> World<Probe, Teller> {
    let mut config = config(1);
    plan(
        &mut config,
        10,
        FaultAction::Wipe {
            target: TARGET,
            after: restart_after.unwrap_or_default(),
            retires: restart_after.is_none(),
        },
    );
    let mut world = world(config, 1, &[(1, 0, &[write(0, b"ab"), Op::Sync(1)])]);
    world.run_until(at(9));
    assert!(world.disk(N0).len() == 2 && world.process(N0).unwrap().booted_as == (0, false));
    world.run_until(at(100));
    assert!(world.disk(N0).is_empty() && world.broken_promises(N0) == 1);
    assert_eq!(world.exposure().count(FaultClass::Wipe), 1);
    world
}

#[test]
fn a_node_whose_disk_was_taken_away_is_told_so_or_never_comes_back() {
    let world = wiped(Some(ms(5)));
    assert_eq!(world.process(N0).unwrap().booted_as, (0, true));
    let mut world = wiped(None);
    assert!(world.is_retired(N0));
    world.heal();
    world.run_until(at(200));
    assert!(!world.is_up(N0));
    let step = world.apply(FaultAction::Restart { node: N0 });
    let reason = SkipReason::AlreadySo;
    assert_eq!(step.kind, StepKind::Skipped { reason });
}

#[test]
fn an_empty_disk_that_is_taken_away_is_no_loss() {
    let mut world = world(config(1), 1, &[]);
    world.apply(FaultAction::Wipe {
        target: TARGET,
        after: ms(1),
        retires: false,
    });
    assert!(world.exposure().is_zero() && world.broken_promises(N0) == 0);
}

#[test]
fn an_upgrade_starts_a_process_with_another_version_and_so_does_one_of_a_node_that_is_down() {
    let upgrade = FaultAction::Upgrade {
        target: TARGET,
        version: 3,
        restart_after: ms(5),
    };
    for down_before in [false, true] {
        let mut config = config(1);
        if down_before {
            plan(
                &mut config,
                9,
                FaultAction::Crash {
                    target: TARGET,
                    restart_after: Some(ms(6)),
                },
            );
        }
        plan(&mut config, 10, upgrade.clone());
        let mut world = world(config, 1, &[]);
        world.run_until(at(14));
        assert!(!world.is_up(N0) && world.version(N0) == 3);
        assert_eq!(
            world.exposure().count(FaultClass::Upgrade),
            0,
            "nothing runs with it yet"
        );
        world.run_until(at(15));
        assert_eq!(world.process(N0).unwrap().booted_as.0, 3);
        assert_eq!(world.exposure().count(FaultClass::Upgrade), 1);
    }
}

/// When, in true time, a timer for 100 ms on the local clock fires on a clock that stands still from 50 ms on.
fn fired(lasts: Option<Duration>, leap: bool, heal_at: Option<u64>) -> (Vec<Time>, u64, u64) {
    let mut config = config(1);
    plan(
        &mut config,
        50,
        FaultAction::ClockFreeze {
            target: TARGET,
            lasts,
            leap,
        },
    );
    let mut world = world(config, 1, &[(0, 0, &[Op::Timer(Some(LocalTime(at(100).0)))])]);
    let mut fired = vec![];
    for until in heal_at.into_iter().chain([10_000]) {
        while let Some(step) = world.step_until(at(until)) {
            fired.extend((step.kind == StepKind::Timer).then_some(step.time));
        }
        if heal_at.is_some() {
            world.heal();
        }
    }
    let count = |class| world.exposure().count(class);
    (fired, count(FaultClass::ClockFreeze), count(FaultClass::ClockLeap))
}

#[test]
fn a_clock_that_stands_still_holds_its_timer_up_unless_it_leaps() {
    assert_eq!(fired(Some(ms(30)), false, None), (vec![at(130)], 1, 0));
    assert_eq!(fired(Some(ms(30)), true, None), (vec![at(100)], 1, 1));
    assert_eq!(fired(Some(ms(80)), true, None), (vec![at(130)], 1, 1));
    assert_eq!(fired(None, true, None), (vec![], 1, 0));
    assert_eq!(
        fired(None, true, Some(70)),
        (vec![at(120)], 1, 0),
        "healed without a leap"
    );
    assert_eq!(fired(Some(ms(30)), true, Some(60)), (vec![at(110)], 1, 0));
}

#[test]
fn a_clock_that_stands_still_while_nothing_waits_for_it_is_not_counted() {
    let mut world = world(config(1), 1, &[]);
    world.apply(FaultAction::ClockFreeze {
        target: TARGET,
        lasts: None,
        leap: false,
    });
    assert!(world.exposure().is_zero() && world.clock(N0).is_frozen());
}

#[test]
fn work_is_done_in_order_and_takes_time_until_the_faults_end() {
    let mut config = config(1);
    config.work = Latency::fixed(ms(10));
    let (two, one) = ([Op::Work(1), Op::Work(2)], [Op::Work(3)]);
    let mut world = world(config, 1, &[(5, 0, &two), (50, 0, &one)]);
    world.run_until(at(40));
    let done = |world: &World<Probe, Teller>| {
        let seen = seen(world, 0).iter().copied();
        seen.filter(|(_, seen)| matches!(seen, Seen::Worked(_)))
            .collect::<Vec<_>>()
    };
    let worked = |millis, token| (LocalTime(at(millis).0), Seen::Worked(token));
    assert_eq!(done(&world), [worked(15, 1), worked(15, 2)]);
    assert_eq!(world.exposure().count(FaultClass::SlowApply), 2);
    world.heal();
    world.run_until(at(100));
    assert_eq!(done(&world)[2..], [worked(50, 3)]);
    assert_eq!(world.exposure().count(FaultClass::SlowApply), 2);
}

#[test]
fn a_crash_forgets_work_under_way() {
    let mut config = config(1);
    config.work = Latency::fixed(ms(10));
    plan(
        &mut config,
        8,
        FaultAction::Crash {
            target: TARGET,
            restart_after: Some(ms(1)),
        },
    );
    let mut world = world(config, 1, &[(5, 0, &[Op::Work(1)])]);
    world.run_until(at(100));
    assert_eq!(seen(&world, 0), []);
}
