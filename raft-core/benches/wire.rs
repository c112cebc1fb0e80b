//! What the wire codec costs, against what the `serde` feature gives: `cargo bench -p raft-core --features
//! serde,wire-lz4,wire-zstd --bench wire`.
//!
//! Each figure is CPU time of this process, the median of seven repetitions of about 20 ms each. *Encode* turns a message
//! into bytes in a buffer that is used again; *decode* turns bytes that have arrived into a message that owns its commands.
//! For frames, decoding includes [`Decoder::push`], so the bytes are copied twice, and both include the checksums. JSON is
//! `serde_json` and postcard is `postcard` on the crate's own `Serialize`; postcard can't decode the enum of bodies, which
//! carries its tag inside, so for it the body is measured as an enum of the bench with the same fields.
//!
//! The incompressible bytes are those of a small generator; the compressible ones are log-like text.

// A benchmark is about the time that passes, and divides.
#![allow(clippy::float_arithmetic, missing_docs)]

use raft_core::wire::{Compression, Decoder, Encoder, Limits};
use raft_core::{Body, Configuration, Content, Entry, Mark, Message, NodeId, Payload, Stamp};
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// [`Body`], for the formats that can't carry a tag inside; only the variants that are measured.
#[derive(Serialize, Deserialize)]
enum Plain {
    RequestVote {
        last: Mark,
        transfer: bool,
    },
    AppendEntries {
        prev: Mark,
        entries: Vec<Entry>,
        commit: u64,
        quiesce: bool,
        stamp: Stamp,
    },
    InstallSnapshot {
        last: Mark,
        configuration: Configuration,
        offset: u64,
        total: u64,
        chunk: Payload,
        stamp: Stamp,
    },
}

#[derive(Serialize, Deserialize)]
struct PlainMessage {
    from: NodeId,
    to: NodeId,
    term: u64,
    body: Plain,
}

fn plain(message: &Message) -> PlainMessage {
    let body = match message.body.clone() {
        Body::RequestVote { last, transfer } => Plain::RequestVote { last, transfer },
        Body::AppendEntries {
            prev,
            entries,
            commit,
            quiesce,
            stamp,
        } => Plain::AppendEntries {
            prev,
            entries,
            commit,
            quiesce,
            stamp,
        },
        Body::InstallSnapshot {
            last,
            configuration,
            offset,
            total,
            chunk,
            stamp,
        } => Plain::InstallSnapshot {
            last,
            configuration: *configuration,
            offset,
            total,
            chunk,
            stamp,
        },
        other => unreachable!("{} is not measured", other.name()),
    };
    let Message { from, to, term, .. } = *message;
    PlainMessage { from, to, term, body }
}

fn message(body: Body) -> Message {
    Message {
        from: NodeId(1),
        to: NodeId(2),
        term: 12,
        body,
    }
}

const STAMP: Stamp = Stamp {
    round: 70_000,
    session: 3,
};
const LAST: Mark = Mark {
    term: 12,
    index: 1_000_000,
};

/// Each entry has its part of `bytes`, of `each` bytes.
fn append(each: usize, bytes: &Payload) -> Message {
    let entry = |(index, part): (u64, &[u8])| Entry {
        index,
        term: 12,
        content: Content::Command(part.into()),
    };
    message(Body::AppendEntries {
        prev: LAST,
        entries: (LAST.index + 1..).zip(bytes.chunks(each)).map(entry).collect(),
        commit: LAST.index,
        quiesce: false,
        stamp: STAMP,
    })
}

fn chunk(payload: Payload) -> Message {
    message(Body::InstallSnapshot {
        last: LAST,
        configuration: Box::new(Configuration::of([1, 2, 3].map(NodeId).to_vec())),
        offset: 0,
        total: 64 << 20,
        chunk: payload,
        stamp: STAMP,
    })
}

fn noise(bytes: usize) -> Payload {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn text(bytes: usize) -> Payload {
    let line = |nth: usize| {
        format!(
            "{{\"account\":{},\"amount\":{},\"note\":\"transfer\"}}\n",
            nth * 7919 % 4093,
            nth % 977
        )
    };
    let text: Vec<u8> = (0..).flat_map(|nth| line(nth).into_bytes()).take(bytes).collect();
    text.into()
}

/// CPU time of this process, in nanoseconds.
fn cpu_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds of CPU time that one call takes.
fn measure(mut call: impl FnMut()) -> f64 {
    let timed = |calls: u64, call: &mut dyn FnMut()| {
        let start = cpu_time();
        (0..calls).for_each(|_| call());
        cpu_time() - start
    };
    let calls = (20_000_000 / timed(3, &mut call).div_ceil(3).max(1)).max(1);
    let mut times = [0; 7].map(|_: u64| timed(calls, &mut call));
    times.sort_unstable();
    times[3] as f64 / calls as f64
}

fn row(what: &str, format: &str, payload: usize, bytes: usize, encode: f64, decode: f64) {
    let rate = |nanoseconds: f64| {
        if payload < 1024 {
            "".to_owned()
        } else {
            format!("{:.2}", payload as f64 / nanoseconds)
        }
    };
    let (fast_in, fast_out) = (rate(encode), rate(decode));
    println!("| {what} | {format} | {bytes} | {encode:.0} | {decode:.0} | {fast_in} | {fast_out} |");
}

fn frames(what: &str, format: &str, message: &Message, payload: usize, compression: Compression) {
    let mut encoder = Encoder::new(Limits::default()).compress(compression, Encoder::COMPRESS_FROM);
    let mut bytes = Vec::new();
    let encode = measure(|| {
        bytes.clear();
        encoder
            .encode(black_box(message), &mut bytes)
            .expect("within the limits");
    });
    let mut decoder = Decoder::new(Limits::default());
    let decode = measure(|| {
        decoder.push(black_box(&bytes));
        let decoded = decoder.next().expect("a whole frame").expect("an intact frame");
        black_box(decoded);
    });
    row(what, format, payload, bytes.len(), encode, decode);
}

fn json(what: &str, message: &Message, payload: usize) {
    let mut bytes = Vec::new();
    let encode = measure(|| {
        bytes.clear();
        serde_json::to_writer(&mut bytes, black_box(message)).expect("it serialises");
    });
    let decode = measure(|| {
        let decoded: Message = serde_json::from_slice(black_box(&bytes)).expect("it was serialised");
        black_box(decoded);
    });
    row(what, "JSON", payload, bytes.len(), encode, decode);
}

fn postcard(what: &str, message: &Message, payload: usize) {
    let message = plain(message);
    let mut bytes = Vec::new();
    let encode = measure(|| {
        bytes = postcard::to_extend(black_box(&message), {
            let mut buffer = std::mem::take(&mut bytes);
            buffer.clear();
            buffer
        })
        .expect("it serialises");
    });
    let decode = measure(|| {
        let decoded: PlainMessage = postcard::from_bytes(black_box(&bytes)).expect("it was serialised");
        black_box(decoded);
    });
    row(what, "postcard", payload, bytes.len(), encode, decode);
}

fn main() {
    println!("| message | format | bytes | encode, ns | decode, ns | encode, GB/s | decode, GB/s |");
    println!("|---|---|--:|--:|--:|--:|--:|");
    let vote = message(Body::RequestVote {
        last: LAST,
        transfer: false,
    });
    let empty = append(1, &noise(0));
    let cases = [
        ("heartbeat", &empty, 0),
        ("vote request", &vote, 0),
        ("append of 1 x 64 B", &append(64, &noise(64)), 64),
        ("append of 1 x 1 KiB, noise", &append(1024, &noise(1024)), 1024),
        ("append of 64 x 1 KiB, noise", &append(1024, &noise(64 << 10)), 64 << 10),
        ("append of 64 x 1 KiB, text", &append(1024, &text(64 << 10)), 64 << 10),
        ("snapshot chunk of 1 MiB, noise", &chunk(noise(1 << 20)), 1 << 20),
        ("snapshot chunk of 1 MiB, text", &chunk(text(1 << 20)), 1 << 20),
    ];
    for (what, message, payload) in cases {
        frames(what, "frame", message, payload, Compression::None);
        if payload >= 1024 {
            frames(what, "frame, LZ4", message, payload, Compression::Lz4);
            frames(
                what,
                "frame, Zstandard 1",
                message,
                payload,
                Compression::Zstd { level: 1 },
            );
        }
        postcard(what, message, payload);
        json(what, message, payload);
    }
}
