//! A message as the frame that it would be on a real wire: its size, and what is left of it when the frame is damaged.
//!
//! Frames are made only when one is damaged, or when a node's settings name a codec; otherwise messages travel as they are.

use raft_core::wire::{Compression, Decoder, Encoder, Limits};
use raft_core::{Body, Content, Message};
use simulator::Stream;
use squall::scenario::Codec;
use std::collections::BTreeSet;

/// Header and fixed fields of a frame, about.
const FIXED_BYTES: u64 = 32;
/// What an entry takes beyond its command, about.
const ENTRY_BYTES: u64 = 8;
/// Most bits that are flipped in one frame.
const FLIPS_MAX: u64 = 32;

/// About how many bytes the frame of a message has, uncompressed.
pub fn size(message: &Message) -> u64 {
    let command = |content: &Content| match content {
        Content::Command(bytes) => bytes.len() as u64,
        Content::Noop | Content::Configuration(_) => 0,
    };
    FIXED_BYTES
        + match &message.body {
            Body::AppendEntries { entries, .. } => {
                entries.iter().map(|entry| ENTRY_BYTES + command(&entry.content)).sum()
            }
            Body::InstallSnapshot { chunk, .. } => chunk.len() as u64,
            _ => 0,
        }
}

/// What a receiver reads from the frame of this message, encoded so.
pub fn passed(message: &Message, codec: Codec) -> Message {
    let compression = match codec {
        Codec::Off | Codec::Plain => Compression::None,
        Codec::Lz4 => Compression::Lz4,
    };
    let mut decoder = Decoder::new(Limits::default());
    decoder.push(&encoded(message, compression));
    let read = decoder.next().expect("the frame is whole");
    read.expect("a frame that nobody damaged is sound")
}

fn encoded(message: &Message, compression: Compression) -> Vec<u8> {
    let mut frame = Vec::new();
    Encoder::new(Limits::default())
        .compress(compression, 0)
        .encode(message, &mut frame)
        .expect("a message of this service fits into a frame");
    frame
}

/// What a receiver reads from a frame of this message, compressed or not, of which 1 to 32 bits were flipped or the end is
/// missing; `None` if it notices.
pub fn damaged(message: &Message, stream: &mut Stream) -> Option<Message> {
    let compression = if stream.below(2) == 0 {
        Compression::None
    } else {
        Compression::Lz4
    };
    let mut frame = encoded(message, compression);
    damage(&mut frame, stream);
    let mut decoder = Decoder::new(Limits::default());
    decoder.push(&frame);
    decoder.next()?.ok()
}

/// Flips bits, each at most once, or cuts off the end.
fn damage(frame: &mut Vec<u8>, stream: &mut Stream) {
    if stream.below(4) == 0 {
        frame.truncate(stream.below(frame.len() as u64) as usize);
        return;
    }
    let bits = frame.len() as u64 * 8;
    // As often one bit as many.
    let most = 1 << stream.below(u64::from(FLIPS_MAX.ilog2()) + 1);
    let flips: BTreeSet<u64> = (0..stream.range(1, most)).map(|_| stream.below(bits)).collect();
    for bit in flips {
        frame[(bit / 8) as usize] ^= 1 << (bit % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::{Entry, NodeId, Stamp};

    fn message(bytes: usize) -> Message {
        let entry = |index| Entry {
            index,
            term: 3,
            content: Content::Command(vec![index as u8; bytes].into()),
        };
        Message {
            from: NodeId(1),
            to: NodeId(2),
            term: 3,
            body: Body::AppendEntries {
                prev: Default::default(),
                entries: vec![entry(1), entry(2)],
                commit: 0,
                quiesce: false,
                stamp: Stamp { round: 1, session: 1 },
            },
        }
    }

    #[test]
    fn every_damaged_frame_is_refused() {
        let mut stream = Stream::new(1, "test", 0);
        for bytes in [0, 1, 40, 600] {
            for _ in 0..500 {
                assert_eq!(damaged(&message(bytes), &mut stream), None);
            }
        }
    }

    #[test]
    fn damage_damages_and_no_damage_is_read_as_it_was() {
        let mut frame = Vec::new();
        Encoder::new(Limits::default())
            .encode(&message(40), &mut frame)
            .unwrap();
        let mut stream = Stream::new(1, "test", 0);
        for _ in 0..500 {
            let mut other = frame.clone();
            damage(&mut other, &mut stream);
            assert_ne!(other, frame);
        }
        let mut decoder = Decoder::new(Limits::default());
        decoder.push(&frame);
        assert_eq!(decoder.next(), Some(Ok(message(40))));
    }

    #[test]
    fn what_is_encoded_is_read_as_it_was() {
        for codec in [Codec::Off, Codec::Plain, Codec::Lz4] {
            for bytes in [0, 1, 40, 600] {
                assert_eq!(passed(&message(bytes), codec), message(bytes));
            }
        }
        let compressed = encoded(&message(600), Compression::Lz4);
        assert!(compressed.len() < 200, "{}", compressed.len());
    }

    #[test]
    fn the_size_is_about_that_of_the_frame() {
        for bytes in [0, 40, 600] {
            let mut frame = Vec::new();
            Encoder::new(Limits::default())
                .encode(&message(bytes), &mut frame)
                .unwrap();
            let (size, frame) = (size(&message(bytes)), frame.len() as u64);
            assert!(size.abs_diff(frame) <= frame / 3, "{size} for {frame}");
        }
    }
}
