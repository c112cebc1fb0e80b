//! The wire codec as its users see it: what goes in comes out, however the stream is cut; what is damaged is noticed; and
//! no bytes whatever make it panic or allocate beyond its limits.
#![cfg(feature = "wire")]

use proptest::prelude::*;
use raft_core::wire::{Compression, Decoder, Encoder, Frame, Kind, Limits, VERSION, Wire, WireError};
use raft_core::{Body, Configuration, Content, Entry, HardState, Mark, Message, NodeId, Payload, Snapshot, Stamp};

const HEADER_BYTES: usize = 16;

/// Small numbers, which are usual, and any.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..300, any::<u64>()]
}

fn mark() -> impl Strategy<Value = Mark> {
    (number(), number()).prop_map(|(term, index)| Mark { term, index })
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (number(), number()).prop_map(|(round, session)| Stamp { round, session })
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Payload::from),
        (any::<u8>(), 0usize..4000).prop_map(|(byte, length)| Payload::from(vec![byte; length])),
    ]
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let ids = |most| prop::collection::vec(number().prop_map(NodeId), 0..most);
    (ids(33), ids(5), ids(40), ids(3)).prop_map(|(voters, outgoing, learners, learners_next)| Configuration {
        voters,
        outgoing,
        learners,
        learners_next,
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let content = prop_oneof![
        Just(Content::Noop),
        payload().prop_map(Content::Command),
        configuration().prop_map(|configuration| Content::Configuration(Box::new(configuration))),
    ];
    (number(), number(), content).prop_map(|(index, term, content)| Entry { index, term, content })
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    (mark(), configuration(), payload()).prop_map(|(last, configuration, data)| Snapshot {
        last,
        configuration,
        data,
    })
}

fn body() -> impl Strategy<Value = Body> {
    let append = (
        mark(),
        prop::collection::vec(entry(), 0..6),
        number(),
        any::<bool>(),
        stamp(),
    );
    let chunk = (mark(), configuration(), number(), number(), payload(), stamp());
    prop_oneof![
        mark().prop_map(|last| Body::PreVote { last }),
        any::<bool>().prop_map(|granted| Body::PreVoteReply { granted }),
        (mark(), any::<bool>()).prop_map(|(last, transfer)| Body::RequestVote { last, transfer }),
        any::<bool>().prop_map(|granted| Body::VoteReply { granted }),
        append.prop_map(|(prev, entries, commit, quiesce, stamp)| Body::AppendEntries {
            prev,
            entries,
            commit,
            quiesce,
            stamp,
        }),
        (number(), any::<bool>(), stamp()).prop_map(|(match_index, amnesia, stamp)| Body::AppendAccepted {
            match_index,
            amnesia,
            stamp
        }),
        (number(), mark(), any::<bool>(), stamp()).prop_map(|(prev_index, hint, lost, stamp)| Body::AppendRejected {
            prev_index,
            hint,
            lost,
            stamp,
        }),
        chunk.prop_map(
            |(last, configuration, offset, total, chunk, stamp)| Body::InstallSnapshot {
                last,
                configuration: Box::new(configuration),
                offset,
                total,
                chunk,
                stamp,
            }
        ),
        (mark(), number(), stamp()).prop_map(|(last, received, stamp)| Body::SnapshotProgress {
            last,
            received,
            stamp
        }),
        Just(Body::TimeoutNow),
        number().prop_map(|read| Body::ReadIndex { read }),
        (number(), prop::option::of(number())).prop_map(|(read, index)| Body::ReadIndexReply { read, index }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    (number(), number(), number(), body()).prop_map(|(from, to, term, body)| Message {
        from: NodeId(from),
        to: NodeId(to),
        term,
        body,
    })
}

/// The methods that this build has, with their flags.
fn methods() -> Vec<(Compression, u8)> {
    vec![
        #[cfg(feature = "wire-lz4")]
        (Compression::Lz4, 1),
        #[cfg(feature = "wire-zstd")]
        (Compression::Zstd { level: 1 }, 2),
    ]
}

fn compression() -> impl Strategy<Value = Compression> {
    let methods = methods().into_iter().map(|(method, _)| method);
    prop::sample::select(methods.chain([Compression::None]).collect::<Vec<_>>())
}

fn frame<T: Wire>(value: &T, compression: Compression) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(Limits::default()).compress(compression, 0);
    encoder.encode(value, &mut out).expect("it is within the limits");
    out
}

fn read(bytes: Vec<u8>, limits: &Limits) -> Result<Message, WireError> {
    Frame::read(&bytes.into(), limits)?.decode(limits)
}

fn round_trip<T: Wire + PartialEq + std::fmt::Debug>(value: &T, compression: Compression) {
    let frame = Frame::read(&frame(value, compression).into(), &Limits::default()).expect("an intact frame");
    assert_eq!(frame.decode::<T>(&Limits::default()).as_ref(), Ok(value));
}

/// A frame around any body, with checksums that are right.
fn forge(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION, flags, kind, 0];
    bytes.extend_from_slice(&u32::try_from(body.len()).expect("a short body").to_le_bytes());
    bytes.extend_from_slice(&checksum(body).to_le_bytes());
    let of_header = checksum(&bytes);
    bytes.extend_from_slice(&of_header.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// CRC-32C bit by bit, as its definition goes (RFC 3720, appendix B.4).
fn checksum(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
    let step = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc));
    !bytes.iter().fold(!0, step)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_message_comes_back_as_it_was(message in message(), compression in compression()) {
        round_trip(&message, compression);
    }

    #[test]
    fn entries_snapshots_and_hard_states_come_back_as_they_were(
        entry in entry(), snapshot in snapshot(), term in number(), vote in prop::option::of(number()),
        compression in compression(),
    ) {
        round_trip(&entry, compression);
        round_trip(&snapshot, compression);
        round_trip(&HardState { term, voted_for: vote.map(NodeId) }, compression);
    }

    #[test]
    fn a_stream_may_be_cut_anywhere(
        messages in prop::collection::vec((message(), compression()), 1..6),
        pieces in prop::collection::vec(1usize..300, 1..20),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(|(message, compression)| frame(message, *compression)).collect();
        let mut decoder = Decoder::new(Limits::default());
        let mut got = Vec::new();
        let (mut rest, mut pieces) = (&stream[..], pieces.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(*pieces.next().expect("a cycle")));
            decoder.push(piece);
            rest = after;
            got.extend(decoder.by_ref());
        }
        prop_assert_eq!(got, messages.into_iter().map(|(message, _)| Ok(message)).collect::<Vec<_>>());
        prop_assert_eq!((decoder.finish(), decoder.position()), (Ok(()), stream.len() as u64));
    }

    #[test]
    fn what_is_cut_off_is_not_read(message in message(), compression in compression(), at in any::<prop::sample::Index>()) {
        let mut bytes = frame(&message, compression);
        bytes.truncate(at.index(bytes.len()));
        let mut decoder = Decoder::new(Limits::default());
        decoder.push(&bytes);
        prop_assert_eq!(decoder.next(), None);
        prop_assert_eq!(decoder.finish().is_err(), !bytes.is_empty());
        let refused = matches!(read(bytes, &Limits::default()), Err(WireError::Truncated { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn up_to_three_flipped_bits_are_always_noticed(
        message in message(), compression in compression(), flips in prop::collection::btree_set(any::<u32>(), 1..4),
    ) {
        let intact = frame(&message, compression);
        let bits = 8 * u32::try_from(intact.len()).expect("a short frame");
        let flips: std::collections::BTreeSet<u32> = flips.into_iter().map(|bit| bit % bits).collect();
        let mut damaged = intact;
        flips.iter().for_each(|bit| damaged[(bit / 8) as usize] ^= 1 << (bit % 8));
        let error = read(damaged, &Limits::default());
        let noticed = matches!(
            error,
            Err(WireError::Version { .. } | WireError::HeaderChecksum { .. } | WireError::BodyChecksum { .. })
        );
        prop_assert!(noticed, "{error:?}");
    }

    #[test]
    fn a_damaged_body_costs_one_frame(a in message(), b in message(), c in message(), at in any::<prop::sample::Index>()) {
        let [a, mut b_frame, c_frame] = [&a, &b, &c].map(|message| frame(message, Compression::None));
        prop_assume!(b_frame.len() > HEADER_BYTES);
        let at = HEADER_BYTES + at.index(b_frame.len() - HEADER_BYTES);
        b_frame[at] ^= 0x40;
        let mut decoder = Decoder::new(Limits::default());
        [&a, &b_frame, &c_frame].into_iter().for_each(|bytes| decoder.push(bytes));
        let got: Vec<_> = decoder.by_ref().skip(1).collect();
        prop_assert_eq!(got, [Err(WireError::BodyChecksum { at: a.len() as u64 }), Ok(c)]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = Decoder::new(Limits::default());
        decoder.push(&bytes);
        prop_assert!(decoder.by_ref().count() <= bytes.len());
    }

    #[test]
    fn any_body_with_right_checksums_is_read_or_refused(
        body in prop::collection::vec(any::<u8>(), 0..120), kind in 0u8..6, flags in 0u8..4,
    ) {
        any_of(kind, flags, &body);
    }

    #[test]
    fn a_body_that_was_tampered_with_is_read_or_refused(
        message in message(), compression in compression(), byte: u8, at in any::<prop::sample::Index>(), cut: bool,
    ) {
        let frame = frame(&message, compression);
        let mut body = frame[HEADER_BYTES..].to_vec();
        prop_assume!(!body.is_empty());
        let at = at.index(body.len());
        body[at] = byte;
        if cut {
            body.truncate(at + 1);
        }
        any_of(1, frame[1], &body);
    }
}

/// Reads a forged frame as everything that it might be; what counts is that nothing panics.
fn any_of(kind: u8, flags: u8, body: &[u8]) {
    let limits = Limits {
        body_bytes_max: 1 << 20,
        items_max: 64,
    };
    let Ok(frame) = Frame::read(&forge(kind, flags, body).into(), &limits) else {
        return;
    };
    let _ = (frame.decode::<Message>(&limits), frame.decode::<Entry>(&limits));
    let _ = (frame.decode::<Snapshot>(&limits), frame.decode::<HardState>(&limits));
}

fn heartbeat() -> Message {
    Message {
        from: NodeId(1),
        to: NodeId(2),
        term: 300,
        body: Body::AppendEntries {
            prev: Mark { term: 3, index: 9 },
            entries: Vec::new(),
            commit: 9,
            quiesce: false,
            stamp: Stamp { round: 5, session: 1 },
        },
    }
}

/// The format itself: a change of these bytes is a change of version.
#[test]
fn the_bytes_of_version_1_do_not_change() {
    let body = [
        &[0x08, 1, 0x10, 2, 0x18, 0xac, 0x02, 0x42, 14][..],
        &[0x0a, 4, 0x08, 3, 0x10, 9, 0x18, 9, 0x2a, 4, 0x08, 5, 0x10, 1][..],
    ]
    .concat();
    assert_eq!(frame(&heartbeat(), Compression::None), forge(1, 0, &body));
    let noop = Entry {
        index: 1,
        term: 2,
        content: Content::Noop,
    };
    assert_eq!(
        frame(&noop, Compression::None),
        forge(2, 0, &[0x08, 1, 0x10, 2, 0x1a, 0])
    );
    let command = Entry {
        content: Content::Command(b"hi".as_slice().into()),
        ..noop
    };
    let bytes = [0x08, 1, 0x10, 2, 0x22, 2, b'h', b'i'];
    assert_eq!(frame(&command, Compression::None), forge(2, 0, &bytes));
}

#[test]
fn fields_of_a_later_release_are_skipped_and_a_frame_keeps_them() {
    let mut body = frame(&heartbeat(), Compression::None)[HEADER_BYTES..].to_vec();
    // Field 99 as a number, 100 as bytes, 101 of eight bytes, 102 of four.
    body.extend_from_slice(&[0x98, 0x06, 7, 0xa2, 0x06, 2, b'h', b'i']);
    body.extend_from_slice(&[0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xb5, 0x06, 1, 2, 3, 4]);
    let bytes = forge(1, 0, &body);
    let kept = Frame::read(&bytes.clone().into(), &Limits::default()).expect("an intact frame");
    assert_eq!(kept.decode(&Limits::default()), Ok(heartbeat()));
    assert_eq!((kept.kind(), &kept.bytes()[..]), (Kind::Message, &bytes[..]));
}

#[test]
fn what_is_wrong_with_a_body_is_said_with_its_place() {
    let limits = Limits::default();
    let refused = |body: &[u8]| read(forge(1, 0, body), &limits).expect_err("a body that is wrong");
    let malformed = |body_at, reason| WireError::Malformed { body_at, reason };
    assert_eq!(refused(&[]), WireError::Missing { field: "Message.body" });
    assert_eq!(refused(&[8, 1, 0x80]), malformed(2, "a number that does not end"));
    assert_eq!(
        refused(&[8, 1, 0x42, 9, 0]),
        malformed(3, "a length that goes beyond the end")
    );
    assert_eq!(refused(&[0x0a, 0]), malformed(0, "bytes where the schema has a number"));
    assert_eq!(
        refused(&[8, 1, 0x0b, 0x0c]),
        malformed(2, "a group, which this schema does not use")
    );
    assert_eq!(
        refused(&[0x42, 2, 0x12, 0]),
        WireError::Missing { field: "Entry.content" }
    );
    let kinds = Frame::read(&forge(2, 0, &[]).into(), &limits).and_then(|frame| frame.decode::<HardState>(&limits));
    let (wanted, found) = (Kind::HardState, Kind::Entry);
    assert_eq!(kinds, Err(WireError::WrongKind { wanted, found }));
    assert_eq!(
        read(forge(9, 0, &[]), &limits),
        Err(WireError::UnknownHeader {
            at: 0,
            flags: 0,
            kind: 9,
            reserved: 0,
        })
    );
    let mut reserved = forge(1, 0, &[]);
    reserved[3] = 1;
    let of_header = checksum(&reserved[..12]).to_le_bytes();
    reserved[12..].copy_from_slice(&of_header);
    let unknown = WireError::UnknownHeader {
        at: 0,
        flags: 0,
        kind: 1,
        reserved: 1,
    };
    assert_eq!(read(reserved, &limits), Err(unknown));
    assert_eq!(read(vec![2; 40], &limits), Err(WireError::Version { at: 0, found: 2 }));
}

#[test]
fn more_voters_than_the_core_can_count_are_refused() {
    let voters = (0..=Configuration::VOTERS_MAX as u64).map(NodeId).collect();
    let content = Content::Configuration(Box::new(Configuration::of(voters)));
    let frame = Frame::read(
        &frame(
            &Entry {
                index: 1,
                term: 1,
                content,
            },
            Compression::None,
        )
        .into(),
        &Limits::default(),
    );
    let refused = frame.and_then(|frame| frame.decode::<Entry>(&Limits::default()));
    assert_eq!(refused, Err(WireError::TooManyVoters { found: 33 }));
}

#[test]
fn limits_hold_on_both_sides() {
    let small = Limits {
        body_bytes_max: 1000,
        items_max: 3,
    };
    let append = |count: u64, bytes: usize| {
        let payload = Payload::from(vec![0; bytes]);
        let entry = |index| Entry {
            index,
            term: 1,
            content: Content::Command(payload.clone()),
        };
        let mut message = heartbeat();
        let Body::AppendEntries { entries, .. } = &mut message.body else {
            unreachable!("a heartbeat is one")
        };
        entries.extend((1..=count).map(entry));
        message
    };
    let mut out = vec![7];
    let mut encoder = Encoder::new(small);
    let too_large = encoder
        .encode(&append(1, 1000), &mut out)
        .expect_err("1000 bytes and a little");
    assert_eq!(
        too_large,
        WireError::TooLarge {
            at: 0,
            bytes: 1034,
            max: 1000
        }
    );
    let too_many = encoder.encode(&append(4, 1), &mut out).expect_err("four entries");
    assert_eq!(
        (too_many, &out[..]),
        (WireError::TooManyItems { body_at: 0, max: 3 }, &[7][..])
    );

    assert_eq!(
        read(frame(&append(3, 100), Compression::None), &small),
        Ok(append(3, 100))
    );
    let four = read(frame(&append(4, 100), Compression::None), &small);
    assert!(
        matches!(four, Err(WireError::TooManyItems { body_at: 300.., max: 3 })),
        "{four:?}"
    );
    let mut decoder = Decoder::new(small);
    decoder.push(&frame(&append(1, 1000), Compression::None)[..HEADER_BYTES]);
    assert_eq!(
        decoder.next(),
        Some(Err(WireError::TooLarge {
            at: 0,
            bytes: 1034,
            max: 1000
        }))
    );
    decoder.push(&frame(&heartbeat(), Compression::None));
    assert_eq!((decoder.next(), decoder.is_broken()), (None, true));
}

#[test]
fn node_ids_are_counted_however_they_are_written() {
    let limits = Limits {
        body_bytes_max: 1000,
        items_max: 3,
    };
    let check = |lists: &[u8]| {
        let length = u8::try_from(lists.len()).expect("a short list");
        let body = [&[0x2a, length], lists].concat();
        Frame::read(&forge(2, 0, &body).into(), &limits)
            .and_then(|frame| frame.decode::<Entry>(&limits))
            .map(|entry| match entry.content {
                Content::Configuration(configuration) => configuration.members().count(),
                _ => 0,
            })
    };
    assert_eq!(check(&[0x0a, 2, 1, 2, 0x1a, 1, 3]), Ok(3), "packed");
    assert_eq!(check(&[0x08, 1, 0x08, 2, 0x18, 3]), Ok(3), "one by one");
    let too_many = |body_at| Err(WireError::TooManyItems { body_at, max: 3 });
    assert_eq!(check(&[0x0a, 2, 1, 2, 0x1a, 2, 3, 4]), too_many(9));
    assert_eq!(check(&[0x08, 1, 0x08, 2, 0x18, 3, 0x18, 4]), too_many(9));
}

#[test]
fn two_bytes_that_ask_for_an_entry_each_are_refused_before_they_get_it() {
    let mut body = vec![0x42, 0x80, 0x80, 0x80, 0x08]; // AppendEntries of 16 MiB
    body.resize(body.len() + (16 << 20), 0);
    body[5..].chunks_exact_mut(2).for_each(|entry| entry[0] = 0x12);
    let refused = read(forge(1, 0, &body), &Limits::default());
    assert_eq!(
        refused,
        Err(WireError::TooManyItems {
            body_at: 5 + 2 * 65_536 + 2,
            max: 65_536
        })
    );
}

#[cfg(feature = "wire-zstd")]
#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let limits = Limits {
        body_bytes_max: 1 << 20,
        items_max: 10,
    };
    let bomb = zstd_of(64 << 20);
    assert!(bomb.len() < 16_384, "{} bytes", bomb.len());
    let lying = [&1000u32.to_le_bytes()[..], &bomb[4..]].concat();
    let reason = |body: &[u8]| match read(forge(1, 2, body), &limits) {
        Err(WireError::Compression { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&bomb), "the plain length exceeds body_bytes_max");
    assert_eq!(reason(&lying), "the body does not decompress to its plain length");
    let mut short = zstd_of(900);
    short[..4].copy_from_slice(&1000u32.to_le_bytes());
    assert_eq!(reason(&short), "the body is shorter than its plain length");
}

/// The compressed body of a snapshot of so many zeros.
#[cfg(feature = "wire-zstd")]
fn zstd_of(zeros: usize) -> Vec<u8> {
    let snapshot = Snapshot {
        last: Mark::default(),
        configuration: Configuration::default(),
        data: vec![0; zeros].into(),
    };
    let mut out = Vec::new();
    let limits = Limits {
        body_bytes_max: 65 << 20,
        items_max: 0,
    };
    let mut encoder = Encoder::new(limits).compress(Compression::Zstd { level: 1 }, 0);
    encoder.encode(&snapshot, &mut out).expect("it compresses");
    out.split_off(HEADER_BYTES)
}

#[test]
fn only_what_shrinks_is_compressed() {
    let flags = |message: &Message, from: usize, compression| {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(Limits::default()).compress(compression, from);
        encoder.encode(message, &mut out).expect("within the limits");
        out[1]
    };
    let mut large = heartbeat();
    large.body = Body::InstallSnapshot {
        last: Mark::default(),
        configuration: Box::default(),
        offset: 0,
        total: 4096,
        chunk: Payload::from(vec![1; 4096]),
        stamp: Stamp::default(),
    };
    for (compression, method) in methods() {
        assert_eq!(flags(&large, 4096, compression), method);
        assert_eq!(flags(&large, 8192, compression), 0);
        assert_eq!(flags(&heartbeat(), 0, compression), 0);
    }
}
