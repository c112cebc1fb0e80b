//! The wire codec: [`Message`], [`Entry`], [`Snapshot`] and [`HardState`] as Protocol Buffers in checksummed frames.
//!
//! It stands beside the core, never inside it: nothing of the algorithm knows it, and a driver may as well use another.
//!
//! ```
//! use raft_core::wire::{Decoder, Encoder, Limits};
//! use raft_core::{Body, Message, NodeId};
//!
//! let message = Message { from: NodeId(1), to: NodeId(2), term: 7, body: Body::TimeoutNow };
//! let mut stream = Vec::new();
//! Encoder::new(Limits::default()).encode(&message, &mut stream)?;
//!
//! let mut decoder = Decoder::new(Limits::default());
//! for piece in stream.chunks(5) {
//!     decoder.push(piece); // as they come from a socket
//! }
//! assert_eq!(decoder.next(), Some(Ok(message)));
//! assert_eq!(decoder.next(), None);
//! # Ok::<(), raft_core::wire::WireError>(())
//! ```
//!
//! # A frame
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version of the format: 1 |
//! | 1 | compression of the body: 0 none, 1 LZ4 (block format), 2 Zstandard |
//! | 2 | kind: 1 message, 2 entry, 3 snapshot, 4 hard state |
//! | 3 | 0 |
//! | 4..8 | length of the body, little endian |
//! | 8..12 | CRC-32C of the body, little endian |
//! | 12..16 | CRC-32C of bytes 0..12, little endian |
//! | 16.. | the body: a message of `raft.proto`; when compressed, its plain length (4 bytes, little endian) and the compressed bytes |
//!
//! The header has a checksum of its own, so that a damaged length is noticed at once and not after waiting for gigabytes
//! that never come. CRC-32C tells every change of up to three bits apart in bodies up to [`Limits::BODY_BYTES_CEILING`],
//! and every burst of up to 32 bits; of other damage, it misses one case in 2^32. It protects from accidents, not from
//! an adversary.
//!
//! # What survives
//!
//! A decoder skips fields that its schema does not have, and they are gone when the value is encoded again. A [`Frame`]
//! keeps them: it can be forwarded byte by byte ([`Frame::bytes`]) with or without having been decoded. A message whose
//! *kind* is not known is refused ([`WireError::Missing`]) and the stream goes on.
//!
//! # Bounds
//!
//! Any bytes at all give a value or a [`WireError`]. Decoding a frame allocates at most its body as it came, the plain body
//! and the bytes of its commands (each at most [`Limits::body_bytes_max`]), and less than 1 KiB for each of at most
//! [`Limits::items_max`] entries and node ids: both are counted before anything is allocated. Zstandard has a
//! working area of its own beside that, whose size does not depend on the frame.
//!
//! # What it costs
//!
#![doc = include_str!("measured.md")]

mod compression;
mod convert;
mod decoder;
mod encoder;
mod error;
mod frame;
mod scan;
mod schema;

pub use compression::Compression;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::WireError;
pub use frame::{Frame, Kind};

use crate::message::Message;
use crate::types::{Entry, HardState, Snapshot};

/// Version of the frame format.
pub const VERSION: u8 = 1;

/// How much a frame may hold. Both sides of a connection should have the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most bytes of a body, as it travels and when decompressed; what is above [`Limits::BODY_BYTES_CEILING`] is that.
    pub body_bytes_max: usize,
    /// Most entries and node ids in one body.
    pub items_max: usize,
}

impl Limits {
    /// The largest `body_bytes_max`, 256 MiB less 1 KiB: as far as CRC-32C tells every change of three bits apart.
    pub const BODY_BYTES_CEILING: usize = (256 << 20) - 1024;

    pub(crate) fn body_bytes_bound(&self) -> usize {
        self.body_bytes_max.min(Self::BODY_BYTES_CEILING)
    }
}

/// 32 MiB, twice [`crate::Config::entry_bytes_max`] as it usually is, and 65,536 items.
impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 32 << 20,
            items_max: 1 << 16,
        }
    }
}

/// What can be put into a frame; these four types and no others.
pub trait Wire: convert::Coded {}

impl Wire for Message {}
impl Wire for Entry {}
impl Wire for Snapshot {}
impl Wire for HardState {}
