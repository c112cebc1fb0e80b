//! Disks that fail: each fault happens when it is on, and nothing of it when it is off.

use super::*;
use crate::latency::Latency;

fn write(offset: u64, bytes: &[u8]) -> Op {
    Op::Write(offset, bytes.to_vec())
}

fn strike(fault: DiskFault) -> FaultAction {
    FaultAction::Disk {
        target: Target::Node(NodeId(0)),
        fault,
    }
}

/// A world of one node that writes and syncs four bytes at each millisecond from 1 on, so many times, and is struck.
fn busy(rounds: u64, faults: &[(u64, FaultAction)], change: impl FnOnce(&mut WorldConfig)) -> World<Probe, Teller> {
    let mut config = config(7);
    config.disk.settle_age = ms(10);
    change(&mut config);
    for (millis, action) in faults {
        plan(&mut config, *millis, action.clone());
    }
    let scripts: Vec<[Op; 2]> = (0..rounds)
        .map(|round| [write(4 * round, &(round as u32 + 1).to_be_bytes()), Op::Sync(round)])
        .collect();
    let script: Vec<(u64, u16, &[Op])> = (1..).zip(&scripts).map(|(at, ops)| (at, 0, &ops[..])).collect();
    world(config, 1, &script)
}

/// The numbers on the disk, in order; zero where nothing is.
fn numbers(world: &World<Probe, Teller>) -> Vec<u32> {
    let bytes = world.disk(NodeId(0)).to_vec();
    bytes
        .chunks(4)
        .map(|four| four.try_into().map_or(0, u32::from_be_bytes))
        .collect()
}

fn failed(world: &World<Probe, Teller>) -> Vec<(u64, DiskError)> {
    let failure = |(_, seen): &(LocalTime, Seen)| match seen {
        Seen::SyncFailed(token, error) => Some((*token, *error)),
        _ => None,
    };
    world
        .process(NodeId(0))
        .unwrap()
        .seen
        .iter()
        .filter_map(failure)
        .collect()
}

#[test]
fn with_no_fault_of_disks_nothing_happens_to_them() {
    let mut world = busy(50, &[], |_| {});
    world.run_until(at(100));
    assert!(failed(&world).is_empty() && world.broken_promises(NodeId(0)) == 0);
    assert_eq!(numbers(&world), (1..=50).collect::<Vec<_>>());
    assert!(world.exposure().is_zero());
}

#[test]
fn a_sync_that_failed_leaves_its_writes_in_doubt_and_a_later_one_says_nothing_of_them() {
    let error = strike(DiskFault::Error { lasts: ms(10) });
    let mut world = busy(50, &[(10, error)], |config| config.disk.lost = Ratio::from_percent(50));
    world.run_until(at(100));
    let failed = failed(&world);
    assert_eq!(failed.len(), 10);
    assert!(failed.iter().all(|(_, error)| *error == DiskError::Io));
    let exposure = world.exposure();
    assert_eq!(exposure.count(FaultClass::SyncError), 10);
    let (kept, lost) = (
        exposure.count(FaultClass::KeptWrite),
        exposure.count(FaultClass::LostWrite),
    );
    assert!(kept + lost == 10 && kept > 0 && lost > 0, "{kept} {lost}");
    // The writes that failed were not made up for by the syncs that succeeded.
    assert_eq!(
        numbers(&world).iter().filter(|number| **number == 0).count() as u64,
        lost
    );
    assert_eq!(
        world.broken_promises(NodeId(0)),
        0,
        "nobody had said that they were durable"
    );
}

#[test]
fn syncs_fail_by_chance_as_often_as_the_ratio_says_until_the_world_is_healed() {
    let mut world = busy(1_000, &[], |config| config.disk.error = Ratio::from_percent(10));
    world.run_until(at(500));
    let before = failed(&world).len();
    assert!((30..70).contains(&before), "{before}");
    world.heal();
    world.run_until(at(1_100));
    assert_eq!(failed(&world).len(), before);
}

#[test]
fn a_full_disk_takes_no_more_until_there_is_space_and_overwrites_what_it_has() {
    let full = strike(DiskFault::Full { lasts: ms(10) });
    let mut world = busy(30, &[(10, full)], |_| {});
    world.run_until(at(12));
    world.run_until(at(100));
    let failed = failed(&world);
    assert_eq!(failed.len(), 10);
    assert!(failed.iter().all(|(_, error)| *error == DiskError::NoSpace));
    assert_eq!(world.exposure().count(FaultClass::DiskFull), 10);
    let numbers = numbers(&world);
    assert_eq!((numbers[8], numbers[19], numbers.len()), (9, 20, 30));
    assert!(
        !numbers.contains(&10) && !numbers.contains(&19),
        "a short write is not the write: {numbers:?}"
    );
}

#[test]
fn a_stalled_disk_completes_nothing_and_then_everything_in_order() {
    let stall = strike(DiskFault::Stall { lasts: ms(20) });
    let mut world = busy(30, &[(10, stall)], |_| {});
    world.run_until(at(29));
    let syncs = |world: &World<Probe, Teller>| {
        let syncs = world.process(NodeId(0)).unwrap().seen.iter();
        syncs
            .filter(|(_, seen)| matches!(seen, Seen::Sync(_)))
            .map(|(_, seen)| *seen)
            .collect::<Vec<_>>()
    };
    assert_eq!(syncs(&world).len(), 9);
    world.run_until(at(30));
    assert_eq!(syncs(&world), (0..30).map(Seen::Sync).collect::<Vec<_>>());
    assert_eq!(world.exposure().count(FaultClass::DiskStall), 20);
}

#[test]
fn healing_ends_a_stall_at_once_and_a_crash_forgets_what_it_held_up() {
    let stall = strike(DiskFault::Stall { lasts: ms(1_000) });
    let mut world = busy(20, &[(10, stall.clone())], |_| {});
    world.run_until(at(40));
    world.heal();
    world.run_until(at(41));
    assert_eq!(numbers(&world).len(), 20);
    let mut world = busy(20, &[(10, stall), (15, crash(0, Some(ms(1))))], |_| {});
    world.run_until(at(900));
    assert_eq!(numbers(&world).len(), 9, "what the crash took was never synced");
    world.run_until(at(2_000));
    assert_eq!(
        numbers(&world).len(),
        20,
        "but writes of the next incarnation were held up only"
    );
}

#[test]
fn what_a_lying_sync_covers_is_lost_at_a_crash_unless_an_honest_sync_follows() {
    let lie = || strike(DiskFault::Lie { lasts: ms(10) });
    let crash_in_the_lie = (15, crash(0, Some(ms(100))));
    let mut world = busy(14, &[(5, lie()), crash_in_the_lie], |_| {});
    world.run_until(at(14));
    assert!(failed(&world).is_empty());
    assert_eq!(
        world.process(NodeId(0)).unwrap().seen.len(),
        28,
        "every sync has said that it is done"
    );
    world.run_until(at(15));
    assert_eq!((numbers(&world).len(), world.broken_promises(NodeId(0))), (4, 10));
    assert_eq!(world.exposure().count(FaultClass::LyingSync), 10);
    let mut world = busy(30, &[(5, lie()), (19, crash(0, Some(ms(100))))], |_| {});
    world.run_until(at(21));
    assert_eq!((numbers(&world).len(), world.broken_promises(NodeId(0))), (18, 0));
}

#[test]
fn bits_rot_only_where_they_have_settled() {
    let rot = || strike(DiskFault::Rot);
    let mut world = busy(100, &[(5, rot()), (100, rot())], |_| {});
    world.run_until(at(99));
    assert_eq!(
        (world.exposure().count(FaultClass::BitRot), world.exposure().skipped()),
        (0, 1)
    );
    world.run_until(at(200));
    assert_eq!(
        (
            world.exposure().count(FaultClass::BitRot),
            world.broken_promises(NodeId(0))
        ),
        (1, 1)
    );
    let wrong: Vec<usize> = (0..100)
        .filter(|place| numbers(&world)[*place] != *place as u32 + 1)
        .collect();
    assert!(!wrong.is_empty() && wrong.iter().all(|place| *place < 90), "{wrong:?}");
    // The last thing written does not decay however old it is: nothing vouches for it.
    let mut world = busy(1, &[(500, rot())], |_| {});
    world.run_until(at(1_000));
    assert_eq!(world.exposure().count(FaultClass::BitRot), 0);
}

#[test]
fn an_unreadable_sector_reads_as_zeros_and_says_so() {
    let lose = strike(DiskFault::Unreadable);
    let mut world = busy(600, &[(590, lose)], |_| {});
    world.run_until(at(1_000));
    assert_eq!(world.exposure().count(FaultClass::UnreadableSector), 1);
    let lost: Vec<_> = world.disk(NodeId(0)).unreadable().collect();
    assert_eq!((lost.len(), world.broken_promises(NodeId(0))), (1, 1));
    assert!(
        world
            .disk(NodeId(0))
            .read(lost[0].start, 512)
            .iter()
            .all(|byte| *byte == 0)
    );
}

#[test]
fn a_misdirected_write_lands_on_other_bytes_and_its_place_keeps_what_it_held() {
    let mut world = busy(100, &[(50, strike(DiskFault::Misdirect))], |_| {});
    world.run_until(at(200));
    assert_eq!(world.exposure().count(FaultClass::MisdirectedWrite), 1);
    let numbers = numbers(&world);
    assert_eq!((numbers[49], numbers.len()), (0, 100), "its own place");
    assert!(
        numbers[..40].iter().zip(1..).any(|(number, round)| *number != round),
        "somebody else's place"
    );
}

#[test]
fn with_reordering_a_crash_may_keep_a_later_write_and_lose_an_earlier_one() {
    let overtaken = |reorder: Ratio| {
        let run = |seed: u64| {
            let mut world = busy(9, &[(10, crash(0, Some(ms(5))))], |config| {
                config.seed = seed;
                config.disk.sync = Latency::fixed(ms(100));
                (config.disk.lost, config.disk.reorder) = (Ratio::from_percent(50), reorder);
            });
            world.run_until(at(20));
            let numbers = numbers(&world);
            let hole = numbers.iter().position(|number| *number == 0);
            assert_eq!(world.exposure().count(FaultClass::ReorderedWrite) > 0, hole.is_some());
            usize::from(hole.is_some())
        };
        (0..40).map(run).sum::<usize>()
    };
    assert_eq!(overtaken(Ratio::ZERO), 0);
    let (half, all) = (overtaken(Ratio::from_percent(50)), overtaken(Ratio::ONE));
    assert!((8..32).contains(&half) && half < all, "{half} {all}");
}

#[test]
fn a_process_may_stop_and_start_again_and_that_is_no_fault() {
    let mut world = world(
        config(1),
        1,
        &[(5, 0, &[write(0, &[1]), Op::Restart(ms(10)), write(1, &[2])])],
    );
    let kinds: Vec<StepKind> = std::iter::from_fn(|| world.step()).map(|step| step.kind).collect();
    assert_eq!(kinds[kinds.len() - 2..], [StepKind::Crashed, StepKind::Restarted]);
    assert_eq!((world.now(), world.exposure().count(FaultClass::Crash)), (at(15), 0));
    assert!(world.process(NodeId(0)).unwrap().booted_from.is_empty());
}
