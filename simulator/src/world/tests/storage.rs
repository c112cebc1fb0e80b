//! Disks in the world: what syncs promise, and what crashes leave.

use super::*;
use crate::latency::Latency;

fn write(offset: u64, byte: u8) -> Op {
    Op::Write(offset, vec![byte; 4])
}

#[test]
fn what_was_synced_survives_and_the_rest_does_not() {
    let mut config = config(1);
    config.disk.sync = Latency::fixed(ms(10));
    plan(&mut config, 15, crash(0, Some(ms(5))));
    let ops = [write(0, 1), Op::Sync(1), write(4, 2)];
    let mut world = world(config, 1, &[(1, 0, &ops), (8, 0, &[Op::Sync(2)])]);
    world.run_until(at(14));
    assert_eq!(seen(&world, 0)[2..], [(LocalTime(at(11).0), Seen::Sync(1))]);
    assert_eq!(world.disk(NodeId(0)).to_vec(), [1; 4]);
    world.run_until(at(100));
    // The second sync was under way and died with the process.
    assert_eq!(seen(&world, 0), []);
    assert_eq!(world.process(NodeId(0)).unwrap().booted_from, [1; 4]);
    assert_eq!(world.exposure().count(FaultClass::LostWrite), 1);
    assert_eq!(world.exposure().count(FaultClass::Restart), 1);
}

#[test]
fn unsynced_writes_may_be_kept_too() {
    let mut config = config(1);
    config.disk.lost = Ratio::ZERO;
    plan(&mut config, 15, crash(0, Some(ms(5))));
    let mut world = world(config, 1, &[(1, 0, &[write(2, 1), write(4, 2)])]);
    world.run_until(at(100));
    assert_eq!(world.process(NodeId(0)).unwrap().booted_from, [0, 0, 1, 1, 2, 2, 2, 2]);
    assert_eq!(world.exposure().count(FaultClass::KeptWrite), 2);
}

#[test]
fn a_sync_that_takes_no_time_is_an_event_of_its_own() {
    let mut world = world(config(1), 1, &[(1, 0, &[write(0, 1), Op::Sync(1), write(0, 2)])]);
    let kinds: Vec<StepKind> = std::iter::from_fn(|| world.step()).map(|step| step.kind).collect();
    assert_eq!(kinds.last(), Some(&StepKind::Synced { token: SyncToken(1) }));
    assert_eq!((world.now(), world.disk(NodeId(0)).to_vec()), (at(1), vec![1; 4]));
}

#[test]
fn syncs_complete_in_the_order_of_their_calls() {
    let mut config = config(3);
    config.disk.sync = Latency::uniform(Duration(0), ms(20)).with_tail(Ratio::from_percent(30), ms(100));
    let ops: Vec<Op> = (0..50).map(Op::Sync).collect();
    let mut world = world(config, 1, &[(1, 0, &ops)]);
    world.run_until(at(1_000));
    let tokens: Vec<Seen> = seen(&world, 0)[1..].iter().map(|(_, seen)| *seen).collect();
    assert_eq!(tokens, (0..50).map(Seen::Sync).collect::<Vec<_>>());
    assert!(world.exposure().count(FaultClass::SlowSync) > 5);
}

#[test]
fn a_paused_process_does_not_stop_its_disk() {
    let mut config = config(1);
    config.disk.sync = Latency::fixed(ms(10));
    plan(
        &mut config,
        5,
        FaultAction::Pause {
            target: Target::Random,
            resume_after: None,
        },
    );
    plan(&mut config, 20, crash(0, None));
    let mut world = world(config, 1, &[(1, 0, &[write(0, 1), Op::Sync(1)])]);
    world.run_until(at(30));
    assert_eq!(world.disk(NodeId(0)).to_vec(), [1; 4]);
    assert!(!world.is_up(NodeId(0)) && world.process(NodeId(0)).is_none());
}

#[test]
fn a_process_may_write_and_sync_while_it_boots() {
    let mut config = config(1);
    plan(&mut config, 10, crash(0, Some(ms(1))));
    let setup = Setup {
        ops: vec![write(0, 9), Op::Sync(1)],
        primary: false,
    };
    let mut world = World::<Probe, Teller>::new(config, vec![setup], vec![]);
    world.run_until(at(20));
    assert_eq!(world.process(NodeId(0)).unwrap().booted_from, [9; 4]);
    assert_eq!(world.disk(NodeId(0)).to_vec(), [9; 4]);
}

#[test]
fn what_is_given_up_is_gone_after_a_crash_only_once_that_was_synced() {
    for (synced, left) in [(true, vec![2; 4]), (false, vec![1, 1, 1, 1, 2, 2, 2, 2])] {
        let mut config = config(1);
        config.disk.lost = Ratio::ONE;
        plan(&mut config, 10, crash(0, Some(ms(1))));
        let mut ops = vec![write(0, 1), write(4, 2), Op::Sync(1), Op::Discard(4)];
        ops.extend(synced.then_some(Op::Sync(2)));
        let setup = Setup { ops, primary: false };
        let mut world = World::<Probe, Teller>::new(config, vec![setup], vec![]);
        world.run_until(at(9));
        let start = world.disk(NodeId(0)).start();
        assert_eq!(start, if synced { 4 } else { 0 });
        world.run_until(at(20));
        assert_eq!(world.process(NodeId(0)).unwrap().booted_from, left);
        assert_eq!(
            world.exposure().count(FaultClass::LostWrite),
            0,
            "nothing that was written is lost"
        );
    }
}

#[test]
fn a_disk_that_is_full_halts_the_world_and_says_so() {
    let mut config = config(1);
    config.disk.max_bytes = 100;
    let mut world = world(config, 1, &[(1, 0, &[write(96, 1), write(97, 1)])]);
    world.run_until(at(10));
    let halt = world.halted().expect("halted").to_string();
    assert!(
        halt.contains("n0 wrote as far as byte 101") && halt.contains("holds 100 bytes"),
        "{halt}"
    );
}
