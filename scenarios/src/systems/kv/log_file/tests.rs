//! What is recovered from files that are whole, cut, torn, damaged or mixed up.

use super::*;
use proptest::prelude::*;
use raft_core::{HardState, NodeId, Persist, WriteId};

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
