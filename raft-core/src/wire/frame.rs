//! One frame: sixteen bytes of header and a body. What the body means is left to `convert.rs`.

use super::compression::{self, Method};
use super::convert::Coded;
use super::error::WireError;
use super::{Limits, VERSION, Wire, scan};
use bytes::{Bytes, BytesMut};
use prost::Message as _;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A [`crate::Message`].
    Message = 1,
    /// An [`crate::Entry`].
    Entry = 2,
    /// A [`crate::Snapshot`].
    Snapshot = 3,
    /// A [`crate::HardState`].
    HardState = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Message, Self::Entry, Self::Snapshot, Self::HardState]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// What a header says.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub kind: Kind,
    pub method: Method,
    pub body_bytes: usize,
    pub body_checksum: u32,
}

impl Header {
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = VERSION;
        bytes[1] = self.method as u8;
        bytes[2] = self.kind as u8;
        let length = u32::try_from(self.body_bytes).expect("a body is shorter than the ceiling");
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.body_checksum.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..12]);
        bytes[12..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header of the frame at `at`, of which `bytes` are the first ones.
    fn parse(bytes: &[u8], at: u64, limits: &Limits) -> Result<Self, WireError> {
        let found = bytes.first().copied().unwrap_or(VERSION);
        if found != VERSION {
            return Err(WireError::Version { at, found });
        }
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            let have = bytes.len();
            return Err(WireError::Truncated {
                at,
                needed: HEADER_BYTES,
                have,
            });
        };
        let word = |from: usize| u32::from_le_bytes([0, 1, 2, 3].map(|nth| header[from + nth]));
        if crc32c::crc32c(&header[..12]) != word(12) {
            return Err(WireError::HeaderChecksum { at });
        }
        let [_, flags, kind, reserved, ..] = *header;
        let (Some(method), Some(known), 0) = (Method::of(flags), Kind::of(kind), reserved) else {
            return Err(WireError::UnknownHeader {
                at,
                flags,
                kind,
                reserved,
            });
        };
        let (bytes, max) = (word(4), limits.body_bytes_bound());
        match usize::try_from(bytes) {
            Ok(body_bytes) if body_bytes <= max => Ok(Self {
                kind: known,
                method,
                body_bytes,
                body_checksum: word(8),
            }),
            _ => Err(WireError::TooLarge {
                at,
                bytes: bytes.into(),
                max,
            }),
        }
    }
}

/// An intact frame: its checksums are right, its body has not been looked into. It keeps the bytes as they came, so that
/// it can be forwarded or stored with everything that is in it, also what only a later release understands.
#[derive(Clone, Debug)]
pub struct Frame {
    header: Header,
    bytes: Bytes,
}

impl Frame {
    /// Takes the frame at the front of `buffer`, which is at position `at` of its stream. `None` while it is not complete.
    ///
    /// A frame whose body is damaged is taken too, and its length stays known: that is why the length comes back also
    /// with an error.
    pub(super) fn take(buffer: &mut BytesMut, at: u64, limits: &Limits) -> (usize, Option<Result<Self, WireError>>) {
        let header = match Header::parse(buffer, at, limits) {
            Ok(header) => header,
            Err(WireError::Truncated { .. }) => return (0, None),
            Err(error) => return (0, Some(Err(error))),
        };
        let length = HEADER_BYTES + header.body_bytes;
        if buffer.len() < length {
            return (0, None);
        }
        let bytes = buffer.split_to(length).freeze();
        (length, Some(Self::checked(header, bytes, at)))
    }

    /// Reads the frame at the front of `bytes`, without copying it.
    ///
    /// # Errors
    /// If it is not complete or not intact, or if its body is longer than the limit.
    pub fn read(bytes: &Bytes, limits: &Limits) -> Result<Self, WireError> {
        let header = Header::parse(bytes, 0, limits)?;
        let needed = HEADER_BYTES + header.body_bytes;
        if bytes.len() < needed {
            let have = bytes.len();
            return Err(WireError::Truncated { at: 0, needed, have });
        }
        Self::checked(header, bytes.slice(..needed), 0)
    }

    fn checked(header: Header, bytes: Bytes, at: u64) -> Result<Self, WireError> {
        if crc32c::crc32c(&bytes[HEADER_BYTES..]) != header.body_checksum {
            return Err(WireError::BodyChecksum { at });
        }
        Ok(Self { header, bytes })
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// The whole frame as it came, header included: what to send to forward it.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What it holds, as a value. Fields that this release does not know are skipped.
    ///
    /// # Errors
    /// If it holds another kind of value, does not decompress, is no message of the schema, or exceeds a limit.
    pub fn decode<T: Wire>(&self, limits: &Limits) -> Result<T, WireError> {
        let (wanted, found) = (<T as Coded>::KIND, self.header.kind);
        if wanted != found {
            return Err(WireError::WrongKind { wanted, found });
        }
        let body = match self.header.method {
            Method::None => self.bytes.slice(HEADER_BYTES..),
            method => compression::decompress(method, &self.bytes[HEADER_BYTES..], limits.body_bytes_bound())?,
        };
        scan::check(&body, T::shape(), limits.items_max)?;
        let schema = <T as Coded>::Schema::decode(body).map_err(|_| WireError::Malformed {
            body_at: 0,
            reason: "not a message of this schema",
        })?;
        T::from_schema(schema)
    }
}
