//! What can be wrong with bytes that claim to be a frame: what, where, and what to do about it.

use super::frame::Kind;

/// Why bytes were refused, or why a value could not be put on the wire.
///
/// `at` is the position of the frame: bytes since the start of the stream that a [`super::Decoder`] reads, or of the slice.
/// `body_at` is a position inside the frame's body, after decompression.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside a frame.
    #[error(
        "frame at byte {at}: {have} of at least {needed} bytes are there; wait for the rest, or give the stream up"
    )]
    Truncated {
        /// Where the frame begins.
        at: u64,
        /// Bytes that the frame is known to need so far.
        needed: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The frame is of another version of this format, or the bytes are something else.
    #[error(
        "frame at byte {at}: version {found}, and this codec reads version {}; is the peer of another release?",
        super::VERSION
    )]
    Version {
        /// Where the frame begins.
        at: u64,
        /// The version byte.
        found: u8,
    },
    /// The header was damaged on its way. Where the next frame begins can't be known.
    #[error("frame at byte {at}: the header does not match its checksum; close the connection and open it anew")]
    HeaderChecksum {
        /// Where the frame begins.
        at: u64,
    },
    /// The header is intact and says something that this version has no meaning for.
    #[error(
        "frame at byte {at}: unknown flags {flags:#04x}, kind {kind} or reserved byte {reserved}; is the peer of a later release?"
    )]
    UnknownHeader {
        /// Where the frame begins.
        at: u64,
        /// The flags byte.
        flags: u8,
        /// The kind byte.
        kind: u8,
        /// The byte that is 0 in this version.
        reserved: u8,
    },
    /// The body is longer, as it travels, than [`super::Limits::body_bytes_max`].
    #[error(
        "frame at byte {at}: a body of {bytes} bytes exceeds the limit of {max}; raise body_bytes_max on both sides"
    )]
    TooLarge {
        /// Where the frame begins; 0 when encoding.
        at: u64,
        /// Bytes of the body.
        bytes: u64,
        /// The limit.
        max: usize,
    },
    /// The body was damaged on its way. The next frame begins where the header says.
    #[error("frame at byte {at}: the body does not match its checksum; the frame is lost, the next ones are not")]
    BodyChecksum {
        /// Where the frame begins.
        at: u64,
    },
    /// The body is compressed by a method that this build leaves out.
    #[error("the body is compressed with {method}; build raft-core with the feature {feature}")]
    NotBuilt {
        /// The method.
        method: &'static str,
        /// The cargo feature that has it.
        feature: &'static str,
    },
    /// The body does not decompress to what its length field says, or compressing it failed.
    #[error("{method}: {reason}")]
    Compression {
        /// The method.
        method: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// The frame holds another kind of value than was asked for.
    #[error("the frame holds a {found:?} and a {wanted:?} was asked for")]
    WrongKind {
        /// What was asked for.
        wanted: Kind,
        /// What is there.
        found: Kind,
    },
    /// The body is no Protocol Buffers message of this schema.
    #[error("body byte {body_at}: {reason}")]
    Malformed {
        /// Where, in the body.
        body_at: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// More entries and node ids than [`super::Limits::items_max`].
    #[error("body byte {body_at}: more than {max} entries and node ids; raise items_max on both sides")]
    TooManyItems {
        /// The first that is too many; 0 when encoding.
        body_at: usize,
        /// The limit.
        max: usize,
    },
    /// A field without which the value has no meaning is absent, or is one that only a later release knows.
    #[error("{field} is missing, or of a kind that this release does not know")]
    Missing {
        /// The field, as `message.field` of the schema.
        field: &'static str,
    },
    /// A set of voters is larger than [`crate::Configuration::VOTERS_MAX`].
    #[error(
        "a configuration with {found} voters in one set; at most {} make one",
        crate::Configuration::VOTERS_MAX
    )]
    TooManyVoters {
        /// How many there are.
        found: usize,
    },
}

impl WireError {
    /// Whether the stream is lost: the start of the next frame is not known. After any other error a [`super::Decoder`]
    /// goes on with the next frame.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Truncated { .. }
            | Self::Version { .. }
            | Self::HeaderChecksum { .. }
            | Self::UnknownHeader { .. }
            | Self::TooLarge { .. } => true,
            Self::BodyChecksum { .. }
            | Self::NotBuilt { .. }
            | Self::Compression { .. }
            | Self::WrongKind { .. }
            | Self::Malformed { .. }
            | Self::TooManyItems { .. }
            | Self::Missing { .. }
            | Self::TooManyVoters { .. } => false,
        }
    }
}
