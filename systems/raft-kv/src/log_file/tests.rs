//! What is recovered from files that are whole, cut, torn, damaged or mixed up.

use super::*;
use proptest::prelude::*;
use raft_core::{Configuration, HardState, NodeId, Persist, WriteId};
use std::sync::Arc;

fn write(term: u64, truncate: Option<u64>, entries: &[(u64, u64, &[u8])]) -> Persist {
    let entry = |(index, term, bytes): &(u64, u64, &[u8])| Entry {
        index: *index,
        term: *term,
        content: Content::Command((*bytes).into()),
    };
    Persist {
        id: WriteId(1),
        hard_state: Some(HardState {
            term,
            voted_for: Some(NodeId(term)),
        }),
        snapshot: None,
        truncate,
        start: None,
        entries: entries.iter().map(entry).collect(),
        then: Vec::new(),
    }
}

fn file_of(writes: &[Persist]) -> Vec<u8> {
    let (mut file, mut bytes) = (LogFile::default(), Vec::new());
    for persist in writes {
        let (offset, record) = file.append(persist).expect("not a barrier");
        assert_eq!(offset, bytes.len() as u64);
        bytes.extend_from_slice(record);
    }
    bytes
}

fn three_writes() -> [Persist; 3] {
    [
        write(1, None, &[(1, 1, b"a"), (2, 1, b"b")]),
        write(2, Some(2), &[(2, 2, b"c")]),
        write(3, None, &[(3, 3, &[7; 900])]),
    ]
}

#[test]
fn what_was_written_is_recovered() {
    let recovered = LogFile::recover(&DiskImage::new(&file_of(&three_writes())));
    assert_eq!(
        recovered.state.hard_state,
        HardState {
            term: 3,
            voted_for: Some(NodeId(3))
        }
    );
    assert_eq!(
        recovered.state.entries.iter().map(|e| e.term).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(!recovered.torn);
}

#[test]
fn a_barrier_writes_nothing() {
    let mut file = LogFile::default();
    let barrier = Persist {
        hard_state: None,
        ..write(1, None, &[])
    };
    assert!(file.append(&barrier).is_none());
}

#[test]
fn a_record_left_behind_by_an_earlier_incarnation_is_not_taken_for_a_new_one() {
    let [first, second, third] = three_writes();
    let old = file_of(&[first.clone(), second.clone(), third]);
    // The crash loses the second write and keeps the third; the new incarnation then writes as many bytes as the
    // lost one had.
    let mut bytes = old.clone();
    let start = file_of(std::slice::from_ref(&first)).len();
    let end = file_of(&[first, second]).len();
    bytes[start..end].fill(0);
    let mut recovered = LogFile::recover(&DiskImage::new(&bytes));
    assert!(recovered.torn);
    let (offset, record) = recovered
        .file
        .append(&write(2, Some(2), &[(2, 2, b"d")]))
        .expect("a record");
    assert_eq!((offset as usize, record.len()), (start, end - start));
    bytes[start..end].copy_from_slice(record);
    let state = LogFile::recover(&DiskImage::new(&bytes)).state;
    assert_eq!(
        (state.entries.len(), state.hard_state.term),
        (2, 2),
        "the stale third write must not be read"
    );
}

proptest! {
    #[test]
    fn a_cut_file_recovers_a_prefix_of_its_writes(cut in 0usize..1_200) {
        let writes = three_writes();
        let whole = file_of(&writes);
        let cut = cut.min(whole.len());
        let recovered = LogFile::recover(&DiskImage::new(&whole[..cut]));
        let kept = (0..=3).rfind(|n| file_of(&writes[..*n]).len() <= cut).expect("the empty prefix at least");
        let expected = LogFile::recover(&DiskImage::new(&file_of(&writes[..kept]))).state;
        prop_assert_eq!(recovered.state, expected);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let recovered = LogFile::recover(&DiskImage::new(&bytes));
        prop_assert!(recovered.file.place.end <= bytes.len() as u64);
    }

    #[test]
    fn a_flipped_bit_is_never_read_as_data(at in 0usize..1_150, bit in 0u8..8) {
        let mut bytes = file_of(&three_writes());
        let at = at.min(bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        let recovered = LogFile::recover(&DiskImage::new(&bytes));
        prop_assert!(recovered.file.place.end as usize <= at);
    }
}

/// A file of so many writes of one entry each, all but the last known to be durable; the bounds of the records.
fn vouched(count: u64) -> (Vec<u8>, Vec<u64>) {
    let (mut file, mut bytes, mut bounds) = (LogFile::default(), Vec::new(), vec![0]);
    for index in 1..=count {
        let (_, record) = file
            .append(&write(index, None, &[(index, index, b"x")]))
            .expect("not a barrier");
        bytes.extend_from_slice(record);
        bounds.push(bytes.len() as u64);
        file.synced(file.place());
    }
    (bytes, bounds)
}

/// A file that was written anew: after so many snapshots, and with so many bytes of them in it, a record stands for all before
/// it. Gives the writer, the bytes, and where that record begins.
fn rewritten(snapshots: u64) -> (LogFile, Vec<u8>, u64) {
    let (mut file, mut bytes) = (LogFile::default(), Vec::new());
    for index in 1..=snapshots {
        let Snapshot { last, .. } = snapshot(index);
        let persist = Persist {
            snapshot: Some(Arc::new(snapshot(index))),
            start: Some(last),
            ..write(index, None, &[(index + 1, index, b"x")])
        };
        put(&mut bytes, file.append(&persist).expect("not a barrier"));
        file.synced(file.place());
    }
    let snapshot = snapshot(snapshots);
    let core = core_of(&recover(&bytes).state);
    let (offset, record) = file.rewrite(Some(&snapshot), core.log()).expect("most of it is stale");
    let record = (offset, record.to_vec());
    put(&mut bytes, (record.0, &record.1));
    (file, bytes, offset)
}

/// Makes all of it durable, has it vouched for, and gives up what lies before `offset`. Gives how long the vouching record is.
fn give_up(file: &mut LogFile, bytes: &mut Vec<u8>, offset: u64) -> usize {
    file.synced(file.place());
    assert!(file.wants_vouching());
    let (place, record) = file.vouch();
    let (length, record) = (record.len(), record.to_vec());
    put(bytes, (place, &record));
    file.synced(file.place());
    file.give_up_before(offset);
    bytes.drain(..offset as usize);
    length
}

fn snapshot(index: u64) -> Snapshot {
    Snapshot {
        last: raft_core::Mark { index, term: index },
        configuration: Configuration::default(),
        data: vec![index as u8; 2_000].into(),
    }
}

/// A core that restarts from this.
fn core_of(state: &DurableState) -> raft_core::Raft {
    let config = raft_core::Config::new(NodeId(1), vec![NodeId(1)], 0);
    raft_core::Raft::restore(config, state.clone(), raft_core::Time(0)).expect("a legal configuration")
}

fn recover(bytes: &[u8]) -> Recovered {
    LogFile::recover(&DiskImage::new(bytes))
}

/// Puts a record where the file wants it.
fn put(bytes: &mut Vec<u8>, (offset, record): (u64, &[u8])) {
    bytes.resize(bytes.len().max(offset as usize + record.len()), 0);
    bytes[offset as usize..offset as usize + record.len()].copy_from_slice(record);
}

#[test]
fn damage_in_what_was_durable_is_told_from_a_torn_tail() {
    let (whole, bounds) = vouched(5);
    for record in 0..5 {
        let mut bytes = whole.clone();
        bytes[bounds[record] as usize + 20] ^= 1;
        let recovered = recover(&bytes);
        assert_eq!(recovered.state.entries.len(), record);
        assert!(recovered.torn);
        // Nothing vouches for the last record: it may never have been synced.
        assert_eq!(recovered.damaged, record < 4, "record {record}");
        let fence = recovered.damaged.then_some(5);
        assert_eq!((recovered.state.fence, recovered.state.amnesia), (fence, false));
        let term = if recovered.damaged { 5 } else { 4 };
        assert_eq!(
            recovered.state.hard_state.term, term,
            "term and vote of the latest intact record"
        );
    }
}

#[test]
fn a_record_that_vouches_lets_damage_to_the_last_write_be_found() {
    let (mut bytes, bounds) = vouched(3);
    let mut file = recover(&bytes).file;
    assert!(file.wants_vouching());
    put(&mut bytes, file.vouch());
    bytes[bounds[2] as usize + 30] ^= 4;
    let recovered = recover(&bytes);
    assert_eq!((recovered.damaged, recovered.state.fence), (true, Some(3)));
}

#[test]
fn a_write_without_a_successor_wants_vouching_once_it_is_durable() {
    let mut file = LogFile::default();
    file.append(&write(1, None, &[(1, 1, b"x")]));
    assert!(!file.wants_vouching());
    file.synced(file.place());
    assert!(file.wants_vouching());
    file.vouch();
    file.synced(file.place());
    assert!(!file.wants_vouching());
}

#[test]
fn damage_is_remembered_until_the_entries_are_back_and_then_forgotten() {
    let (mut bytes, bounds) = vouched(4);
    bytes[bounds[1] as usize + 20] ^= 1;
    let mut found = recover(&bytes);
    let evidence = bytes.clone();
    put(&mut bytes, found.file.vouch());
    assert_eq!(
        bytes[..evidence.len()],
        evidence,
        "nothing that speaks of the loss is overwritten"
    );
    // A crash here tears the record that remembers the loss: then the loss is found again.
    let torn = &bytes[..bytes.len() - 3];
    assert_eq!(recover(torn).state.fence, Some(4));
    found.file.synced(found.file.place());
    put(
        &mut bytes,
        found.file.append(&write(6, None, &[(2, 6, b"y")])).expect("a record"),
    );
    let again = recover(&bytes);
    assert_eq!(
        (again.damaged, again.state.fence, again.state.entries.len()),
        (false, Some(4), 2)
    );
    let mut file = again.file;
    file.lift_fence();
    put(
        &mut bytes,
        file.append(&write(6, None, &[(3, 6, b"z"), (4, 6, b"z")]))
            .expect("a record"),
    );
    let healed = recover(&bytes);
    assert_eq!(
        (healed.damaged, healed.state.fence, healed.state.entries.len()),
        (false, None, 4)
    );
    // Fresh damage behind the old is found as well.
    let place = found.file.place.end as usize - 10;
    bytes[place] ^= 1;
    let twice = recover(&bytes);
    assert!(twice.damaged && twice.state.fence == Some(4), "{:?}", twice.state);
}

#[test]
fn a_write_that_was_misdirected_shows_itself() {
    let (mut bytes, bounds) = vouched(6);
    // The last write lands on the second, and nothing was written after it.
    let last = bytes.split_off(bounds[5] as usize);
    let at = bounds[1] as usize;
    bytes[at..at + last.len()].copy_from_slice(&last);
    let recovered = recover(&bytes);
    assert_eq!(
        (recovered.damaged, recovered.state.fence, recovered.state.entries.len()),
        (true, Some(6), 1)
    );
    assert_eq!(recovered.state.hard_state.term, 6);
}

#[test]
fn a_file_that_cannot_be_trusted_says_so_from_then_on() {
    let (mut bytes, _) = vouched(2);
    let mut recovered = recover(&bytes);
    assert!(!recovered.state.amnesia);
    recovered.distrust();
    assert!(recovered.state.amnesia && recovered.damaged);
    put(&mut bytes, recovered.file.vouch());
    assert!(recover(&bytes).state.amnesia);
}

#[test]
fn what_failed_is_written_anew_at_the_same_place() {
    let mut file = LogFile::default();
    file.append(&write(1, None, &[(1, 1, b"a")]));
    file.synced(file.place());
    let durable = file.place();
    file.append(&write(1, None, &[(2, 1, b"b")]));
    file.rewind();
    let (offset, _) = file.append(&write(1, None, &[(2, 1, b"b")])).expect("a record");
    assert_eq!(offset, durable.end);
}

#[test]
fn a_file_that_was_written_anew_holds_the_same_whether_the_old_part_was_given_up_or_not() {
    let (_, bytes, offset) = rewritten(40);
    let before = recover(&bytes[..offset as usize]);
    let half = recover(&bytes);
    let rest = &bytes[offset as usize..];
    let done = LogFile::recover(&DiskImage::starting_at(offset, rest));
    assert_eq!(
        (before.rewritten, half.rewritten, done.rewritten),
        (Rewritten::Never, Rewritten::Half, Rewritten::Done)
    );
    assert_eq!(half.state, before.state);
    assert_eq!(done.state, before.state);
    let end = bytes.len() as u64;
    assert_eq!(
        (half.file.place.end, done.file.place.end),
        (end, end),
        "all of it was read"
    );
    assert_eq!(done.state.entries.len(), 1);
    assert!(!half.damaged && !done.damaged && !done.torn);
    assert!(
        rest.len() * REWRITE_FACTOR as usize <= offset as usize,
        "{} of {offset}",
        rest.len()
    );
}

#[test]
fn a_file_is_written_anew_only_if_that_makes_it_much_smaller() {
    let (mut file, mut bytes, offset) = rewritten(40);
    let snapshot = snapshot(40);
    let core = core_of(&recover(&bytes).state);
    give_up(&mut file, &mut bytes, offset);
    assert!(!file.is_large());
    assert!(file.rewrite(Some(&snapshot), core.log()).is_none());
    // All that there is is needed: entries that no snapshot stands for.
    let entries = (1..=40).map(|index| (index, 1, &[7; 2_000][..])).collect::<Vec<_>>();
    let (mut file, persist) = (LogFile::default(), write(1, None, &entries));
    let bytes = file.append(&persist).expect("not a barrier").1.to_vec();
    let core = core_of(&recover(&bytes).state);
    assert!(file.is_large() && file.rewrite(None, core.log()).is_none());
}

#[test]
fn writing_goes_on_after_the_old_part_was_given_up() {
    let (mut file, mut bytes, offset) = rewritten(40);
    give_up(&mut file, &mut bytes, offset);
    let (place, record) = file.append(&write(50, None, &[(42, 50, b"y")])).expect("a record");
    put(&mut bytes, (place - offset, record));
    let mut again = LogFile::recover(&DiskImage::starting_at(offset, &bytes));
    assert_eq!((again.state.entries.len(), again.state.hard_state.term), (2, 50));
    let (place, record) = again
        .file
        .append(&write(51, None, &[(43, 51, b"z")]))
        .expect("a record");
    put(&mut bytes, (place - offset, record));
    let state = LogFile::recover(&DiskImage::starting_at(offset, &bytes)).state;
    assert_eq!((state.entries.len(), state.hard_state.term), (3, 51));
}

#[test]
#[should_panic(expected = "all that tells of a write that went astray")]
fn the_old_part_is_given_up_only_when_all_is_vouched_for() {
    let (mut file, _, offset) = rewritten(40);
    file.synced(file.place());
    file.give_up_before(offset);
}

#[test]
fn damage_to_what_the_file_begins_with_is_told_from_a_torn_tail() {
    let (mut file, mut bytes, offset) = rewritten(40);
    let vouching = give_up(&mut file, &mut bytes, offset);
    let whole = bytes.len() - vouching;
    let (place, record) = file.append(&write(50, None, &[(42, 50, b"y")])).expect("a record");
    put(&mut bytes, (place - offset, record));
    bytes[100] ^= 1;
    // Something behind it says how things stood.
    let found = LogFile::recover(&DiskImage::starting_at(offset, &bytes));
    assert!(found.damaged && found.state.entries.is_empty() && found.state.snapshot.is_none());
    assert_eq!((found.state.fence, found.state.amnesia), (Some(42), false));
    assert_eq!(found.state.hard_state.term, 50);
    // Nothing does; but a file never begins with what was not durable.
    for left in [&bytes[..whole], &bytes[..60], &[]] {
        let found = LogFile::recover(&DiskImage::starting_at(offset, left));
        assert!(found.damaged && found.state.amnesia, "{} bytes", left.len());
    }
    // What is written from there on remembers it.
    let mut found = LogFile::recover(&DiskImage::starting_at(offset, &bytes[..whole]));
    let (place, record) = found.file.vouch();
    assert_eq!(place, offset + whole as u64);
    bytes.truncate(whole);
    bytes.extend_from_slice(record);
    let again = LogFile::recover(&DiskImage::starting_at(offset, &bytes));
    assert!(!again.damaged && again.state.amnesia);
}

/// A crash keeps the record that stands for all, and loses the one before it; the next incarnation writes another in its place,
/// as long as it was, and writes the file anew. That write goes astray, and the older one is still in its place, intact.
#[test]
fn an_older_record_is_not_taken_for_what_the_file_began_with() {
    let anew = |bytes: &mut Vec<u8>, vote: u64| {
        let mut file = recover(bytes).file;
        put(bytes, file.append(&write(vote, None, &[])).expect("a vote"));
        file.synced(file.place());
        let core = core_of(&recover(bytes).state);
        let (offset, record) = file
            .rewrite(Some(&snapshot(40)), core.log())
            .expect("most of it is stale");
        let record = record.to_vec();
        put(bytes, (offset, &record));
        (file, offset, record)
    };
    let (_, written, before) = rewritten(40);
    let old = written[..before as usize].to_vec();
    let (_, offset, stale) = anew(&mut old.clone(), 60);
    let mut bytes = old;
    let (mut file, begin, record) = anew(&mut bytes, 61);
    assert_eq!((offset, stale.len()), (begin, record.len()));
    give_up(&mut file, &mut bytes, begin);
    let intact = LogFile::recover(&DiskImage::starting_at(begin, &bytes));
    assert_eq!((intact.damaged, intact.state.hard_state.term), (false, 61));
    bytes[..stale.len()].copy_from_slice(&stale);
    let found = LogFile::recover(&DiskImage::starting_at(begin, &bytes));
    assert!(
        found.damaged && found.state.fence.is_some(),
        "{:?}",
        found.state.hard_state
    );
    assert_eq!(found.state.hard_state.term, 61, "the record that vouches tells");
}

#[test]
fn in_place_of_a_lost_beginning_only_what_was_written_after_it_was_durable_is_believed() {
    let (mut file, mut bytes, offset) = rewritten(40);
    let whole = bytes.len() - offset as usize;
    put(
        &mut bytes,
        file.append(&write(50, None, &[(42, 50, b"y")])).expect("a record"),
    );
    bytes.drain(..offset as usize);
    bytes[..whole].fill(0);
    let found = LogFile::recover(&DiskImage::starting_at(offset, &bytes));
    assert!(
        found.damaged && found.state.amnesia,
        "an earlier incarnation may have left it there"
    );
}

proptest! {
    #[test]
    fn a_crash_while_the_file_is_written_anew_loses_nothing(cut in 0usize..4_000) {
        let (_, bytes, offset) = rewritten(40);
        let before = recover(&bytes[..offset as usize]);
        let cut = (offset as usize + cut).min(bytes.len());
        let recovered = recover(&bytes[..cut]);
        prop_assert_eq!(recovered.state, before.state);
        prop_assert!(!recovered.damaged);
        prop_assert_eq!(recovered.rewritten == Rewritten::Half, cut == bytes.len());
    }

    #[test]
    fn a_flipped_bit_in_what_the_file_begins_with_is_never_read_as_data(at in 0usize..2_200, bit in 0u8..8) {
        let (_, mut bytes, offset) = rewritten(40);
        bytes.drain(..offset as usize);
        let at = at.min(bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        let recovered = LogFile::recover(&DiskImage::starting_at(offset, &bytes));
        prop_assert!(recovered.damaged && recovered.state.amnesia && recovered.state.snapshot.is_none());
    }
}
