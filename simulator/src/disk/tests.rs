//! What crashes may leave, as properties over all writes, syncs and draws.

use super::*;
use crate::random::Ratio;
use proptest::prelude::*;

const LIMIT: u64 = 1 << 20;

#[derive(Clone, Debug)]
enum Act {
    Write(u64, Vec<u8>),
    /// Gives up what lies before this offset.
    Discard(u64),
    Sync,
    Complete,
}

/// Where the file starts, and its bytes from 0 on.
#[derive(Clone, Debug, Default, PartialEq)]
struct File {
    start: u64,
    bytes: Vec<u8>,
}

impl File {
    /// Does what an act does, with a write of which so many bytes survive.
    fn act(&mut self, act: &Act, survives: usize) {
        match act {
            Act::Write(offset, bytes) if survives > 0 => {
                let (start, end) = (*offset as usize, *offset as usize + survives);
                self.bytes.resize(self.bytes.len().max(end), 0);
                self.bytes[start..end].copy_from_slice(&bytes[..survives]);
                self.start = self.start.min(*offset);
            }
            Act::Discard(end) => {
                self.start = self.start.max(*end).min(self.bytes.len() as u64);
                self.bytes[..self.start as usize].fill(0);
            }
            _ => {}
        }
    }

    fn of(disk: &Disk) -> Self {
        let image = disk.image();
        Self {
            start: image.start(),
            bytes: image.read(0, usize::MAX),
        }
    }
}

fn len(act: &Act) -> usize {
    if let Act::Write(_, bytes) = act { bytes.len() } else { 0 }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let write =
        (0_u64..2_000, prop::collection::vec(1_u8.., 0..1_200)).prop_map(|(offset, bytes)| Act::Write(offset, bytes));
    prop::collection::vec(
        prop_oneof![
            6 => write,
            1 => (0_u64..2_500).prop_map(Act::Discard),
            2 => Just(Act::Sync),
            2 => Just(Act::Complete)
        ],
        0..20,
    )
}

/// Plays `acts` on a disk; gives the disk, the file that is durable for sure, and what is volatile, oldest first.
fn play(acts: &[Act]) -> (Disk, File, Vec<Act>) {
    let (mut disk, mut durable, mut volatile, mut syncs) = (Disk::default(), File::default(), vec![], VecDeque::new());
    let (mut made, mut synced) = (0, 0);
    for act in acts {
        match act {
            Act::Write(offset, bytes) => {
                disk.write(*offset, bytes, 0, Time(0), LIMIT).unwrap();
                volatile.push(act.clone());
                made += 1;
            }
            Act::Discard(end) => {
                disk.discard(*end, 0);
                volatile.push(act.clone());
                made += 1;
            }
            Act::Sync => {
                disk.sync(SyncToken(made), 0, Time(0), Duration(0));
                syncs.push_back(made);
            }
            Act::Complete => {
                if let Some(covers) = syncs.pop_front() {
                    assert_eq!(
                        disk.complete(&DiskConfig::default(), &mut Stream::new(0, "disk", 0), Time(0))
                            .0
                            .token,
                        SyncToken(covers)
                    );
                    for act in volatile.drain(..(covers - synced) as usize) {
                        durable.act(&act, len(&act));
                    }
                    synced = covers;
                }
            }
        }
    }
    (disk, durable, volatile)
}

proptest! {
    #[test]
    fn after_a_crash_there_is_what_was_synced_and_a_prefix_of_the_rest_torn_at_most_once(
        acts in acts(), seed: u64, lost in 0_u32..500_000, torn in 0_u32..500_000,
    ) {
        let (mut disk, synced, volatile) = play(&acts);
        prop_assert_eq!(File::of(&disk), synced.clone());
        prop_assert_eq!(disk.image().to_vec(), synced.bytes[synced.start as usize..].to_vec());
        let config = DiskConfig { lost: Ratio::from_ppm(lost), torn: Ratio::from_ppm(torn), ..DiskConfig::default() };
        let mut outcomes = vec![];
        disk.crash(&config, &mut Stream::new(seed, "disk", 0), |outcome| outcomes.push(outcome));
        prop_assert_eq!(outcomes.len(), volatile.len());
        let mut legal = vec![synced.clone()];
        let mut image = synced;
        for act in &volatile {
            for kept in 1..=len(act) {
                let mut partial = image.clone();
                partial.act(act, kept);
                legal.push(partial);
            }
            image.act(act, len(act));
            legal.push(image.clone());
        }
        prop_assert!(legal.contains(&File::of(&disk)));
        prop_assert!(disk.writes.is_empty() && disk.syncs.is_empty() && disk.bytes.is_empty());
        let broken = outcomes.iter().position(|outcome| outcome.fate != Fate::Kept).unwrap_or(outcomes.len());
        prop_assert!(outcomes.iter().skip(broken + 1).all(|outcome| outcome.fate == Fate::Lost));
        if let Some(Outcome { len, fate: Fate::Torn(kept), .. }) = outcomes.get(broken) {
            prop_assert!(0 < *kept && kept < len);
        }
    }
}

proptest! {
    #[test]
    fn a_process_reads_what_it_has_written_synced_or_not(acts in acts(), from in 0_usize..2_500, len in 0_usize..2_500) {
        let (disk, mut file, volatile) = play(&acts);
        volatile.iter().for_each(|act| file.act(act, self::len(act)));
        let end = file.bytes.len();
        let (from, to) = (from.min(end), (from + len).min(end));
        prop_assert_eq!(disk.read(from as u64, len), file.bytes[from..to.max(from)].to_vec());
    }
}

/// The fates of a write of 1,500 bytes at offset 100 over many seeds.
fn fates(lost: u32, torn: u32) -> Vec<Fate> {
    let config = DiskConfig {
        lost: Ratio::from_percent(lost),
        torn: Ratio::from_percent(torn),
        ..DiskConfig::default()
    };
    let fate = |seed| {
        let (mut disk, mut fate) = (Disk::default(), Fate::Lost);
        disk.write(100, &[1; 1_500], 0, Time(0), LIMIT).unwrap();
        disk.crash(&config, &mut Stream::new(seed, "disk", 0), |outcome| {
            fate = outcome.fate;
        });
        fate
    };
    (0..400).map(fate).collect()
}

#[test]
fn fates_come_as_often_as_their_ratios_say() {
    assert!(fates(100, 0).iter().all(|fate| *fate == Fate::Lost));
    assert!(fates(0, 0).iter().all(|fate| *fate == Fate::Kept));
    let mixed = fates(25, 25);
    let lost = mixed.iter().filter(|fate| **fate == Fate::Lost).count();
    let kept = mixed.iter().filter(|fate| **fate == Fate::Kept).count();
    assert!((70..130).contains(&lost) && (160..240).contains(&kept), "{lost} {kept}");
}

#[test]
fn writes_are_torn_at_sector_boundaries_and_elsewhere() {
    let torn = fates(0, 100);
    let at = |fate: &Fate| {
        if let Fate::Torn(kept) = fate {
            100 + kept
        } else {
            panic!("{fate:?}")
        }
    };
    let places: Vec<u64> = torn.iter().map(at).collect();
    for boundary in [512, 1_024, 1_536] {
        assert!(
            places.iter().filter(|place| **place == boundary).count() > 40,
            "{boundary}"
        );
    }
    assert!(places.iter().filter(|place| *place % SECTOR_BYTES != 0).count() > 150);
}

#[test]
fn a_disk_refuses_what_it_cannot_hold() {
    let mut disk = Disk::default();
    assert_eq!(disk.write(8, &[0; 8], 0, Time(0), 16), Ok(()));
    assert_eq!(disk.write(9, &[0; 8], 0, Time(0), 16), Err(DiskFull));
    assert_eq!(disk.write(u64::MAX, &[0; 8], 0, Time(0), 16), Err(DiskFull));
    assert_eq!(
        disk.write(0, &[0; 9], 0, Time(0), 16),
        Err(DiskFull),
        "volatile bytes are bounded too"
    );
}

#[test]
fn what_was_given_up_takes_no_space() {
    let (mut disk, mut stream) = (Disk::default(), Stream::new(0, "disk", 0));
    disk.write(0, &[1; 16], 0, Time(0), 16).unwrap();
    disk.discard(9, 0);
    assert_eq!(
        disk.write(16, &[1], 0, Time(0), 16),
        Err(DiskFull),
        "it is given up only when that is durable"
    );
    disk.sync(SyncToken(1), 0, Time(0), Duration(0));
    disk.complete(&DiskConfig::default(), &mut stream, Time(0));
    assert_eq!((disk.image().start(), disk.image().len()), (9, 16));
    assert_eq!(disk.write(16, &[1; 9], 0, Time(0), 16), Ok(()));
    assert_eq!(disk.write(25, &[1], 0, Time(0), 16), Err(DiskFull));
}

#[test]
fn a_disk_whose_image_is_lent_knows_where_its_file_begins() {
    let (mut disk, mut stream) = (Disk::default(), Stream::new(0, "disk", 0));
    disk.write(0, &[1; 16], 0, Time(0), 16).unwrap();
    disk.discard(9, 0);
    disk.sync(SyncToken(1), 0, Time(0), Duration(0));
    disk.complete(&DiskConfig::default(), &mut stream, Time(0));
    let image = disk.take_image();
    assert_eq!(disk.write(16, &[1; 9], 0, Time(0), 16), Ok(()));
    assert_eq!(disk.write(25, &[1], 0, Time(0), 16), Err(DiskFull));
    disk.put_image(image);
    assert_eq!((disk.image().start(), disk.image().to_vec()), (9, vec![1; 7]));
}

/// Nothing intact that a process could read speaks of what was written before it.
#[test]
fn to_give_something_up_vouches_for_nothing() {
    let config = DiskConfig::default();
    let (mut disk, mut stream) = (Disk::default(), Stream::new(1, "disk", 0));
    let (start, later) = (Time(0), Time::ZERO + config.settle_age);
    let sync = |disk: &mut Disk, stream: &mut Stream, now| {
        disk.sync(SyncToken(0), 0, now, Duration(0));
        disk.complete(&config, stream, now);
        disk.told();
    };
    disk.write(0, &[1; 1_000], 0, start, LIMIT).unwrap();
    sync(&mut disk, &mut stream, start);
    disk.discard(500, 0);
    sync(&mut disk, &mut stream, later);
    assert!((0..100).all(|_| disk.rot(&config, &mut stream, later).is_none()));
    disk.write(1_000, &[2], 0, later, LIMIT).unwrap();
    sync(&mut disk, &mut stream, later);
    let places = (0..100).filter_map(|_| disk.rot(&config, &mut stream, later));
    let places = places.collect::<Vec<_>>();
    assert!(
        !places.is_empty() && places.iter().all(|place| (500..1_000).contains(place)),
        "{places:?}"
    );
}

#[test]
fn no_sync_overtakes_another() {
    let mut disk = Disk::default();
    assert_eq!(disk.sync(SyncToken(1), 0, Time(5), Duration(10)), Time(15));
    assert_eq!(disk.sync(SyncToken(2), 0, Time(6), Duration(1)), Time(15));
    assert_eq!(disk.sync(SyncToken(3), 0, Time(7), Duration(20)), Time(27));
    disk.crash(&DiskConfig::default(), &mut Stream::new(0, "disk", 0), |_| {});
    assert_eq!(
        disk.sync(SyncToken(4), 0, Time(8), Duration(1)),
        Time(9),
        "a crash ends the syncs under way"
    );
}

#[test]
fn bytes_of_old_writes_are_given_back() {
    let mut disk = Disk::default();
    for round in 0..10_000 {
        disk.write(0, &[7; 100], 0, Time(0), LIMIT).unwrap();
        disk.sync(SyncToken(round), 0, Time(0), Duration(0));
        if round >= 3 {
            disk.complete(&DiskConfig::default(), &mut Stream::new(0, "disk", 0), Time(0));
        }
    }
    assert!(disk.bytes.len() <= 1_000, "{}", disk.bytes.len());
}

/// Damage to the last thing that was written is beyond any file format, also where it was written in the wrong place.
#[test]
fn what_landed_by_mistake_decays_no_sooner_than_anything_else_that_was_written_last() {
    let config = DiskConfig::default();
    let (mut disk, mut stream) = (Disk::default(), Stream::new(1, "disk", 0));
    let mut made = 0;
    let mut write = |disk: &mut Disk, stream: &mut Stream, offset, bytes: &[u8], now| {
        made += 1;
        disk.write(offset, bytes, 0, now, LIMIT).unwrap();
        disk.sync(SyncToken(made), 0, now, Duration(0));
        let (_, landed) = disk.complete(&config, stream, now);
        disk.told();
        landed
    };
    let later = Time::ZERO + Duration(2 * config.settle_age.0);
    write(&mut disk, &mut stream, 0, &[1; 1_000], Time::ZERO);
    write(&mut disk, &mut stream, 1_000, &[2], Time::ZERO + config.settle_age);
    disk.troubles.misdirects = true;
    let landed =
        write(&mut disk, &mut stream, 5_000, &[7; 100], later).expect("there is something to fall on") as usize;
    for _ in 0..200 {
        disk.rot(&config, &mut stream, later + config.settle_age);
    }
    let bytes = disk.image().to_vec();
    assert_eq!(bytes[landed..landed + 100], [7; 100]);
    assert!(
        bytes[..1_000].iter().any(|byte| ![1, 7].contains(byte)),
        "the rest decays"
    );
}

/// Two in a row would leave nothing in its place that tells of the first.
#[test]
fn a_write_that_vouches_for_one_that_went_astray_does_not_go_astray_itself() {
    let config = DiskConfig::default();
    let (mut disk, mut stream) = (Disk::default(), Stream::new(1, "disk", 0));
    let mut write = |disk: &mut Disk, offset, now| {
        disk.troubles.misdirects = offset >= 2_000;
        disk.write(offset, &[7; 10], 0, now, LIMIT).unwrap();
        disk.sync(SyncToken(offset), 0, now, Duration(0));
        let (_, landed) = disk.complete(&config, &mut stream, now);
        disk.told();
        landed.is_some()
    };
    let age = config.settle_age;
    let at = |ages: u64| Time::ZERO + Duration(ages * age.0);
    for offset in 0..200 {
        write(&mut disk, 10 * offset, at(0));
    }
    write(&mut disk, 1_990, at(1));
    assert!(write(&mut disk, 2_000, at(3)), "there is enough to fall on");
    assert!(!write(&mut disk, 2_010, at(3)), "nothing durable tells of it yet");
    assert!(!write(&mut disk, 2_020, at(3)), "something does, but only just");
    assert!(!write(&mut disk, 2_030, at(5)), "this one vouches");
    assert!(write(&mut disk, 2_040, at(5)));
}
