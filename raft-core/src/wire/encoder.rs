//! Values to frames, straight into the caller's buffer.

use super::compression::{Compression, Compressor, Method};
use super::convert::Coded;
use super::error::WireError;
use super::frame::{HEADER_BYTES, Header};
use super::{Limits, Wire};
use alloc::vec::Vec;
use prost::Message as _;

/// Writes frames. Keep one for each connection: its buffers are used again.
pub struct Encoder {
    limits: Limits,
    compression: Compression,
    compress_from: usize,
    compressor: Compressor,
}

impl Encoder {
    /// Bodies below this size, in bytes, are not compressed unless [`Encoder::compress`] is told otherwise.
    pub const COMPRESS_FROM: usize = 512;

    /// An encoder that compresses nothing.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            compression: Compression::None,
            compress_from: Self::COMPRESS_FROM,
            compressor: Compressor::default(),
        }
    }

    /// The same encoder, compressing bodies of `from` bytes or more.
    #[must_use]
    pub fn compress(self, compression: Compression, from: usize) -> Self {
        Self {
            compression,
            compress_from: from,
            ..self
        }
    }

    /// Appends the frame of `value` to `out`.
    ///
    /// # Errors
    /// If it exceeds a limit, has too many voters, or can't be compressed; `out` is as it was then.
    pub fn encode<T: Wire>(&mut self, value: &T, out: &mut Vec<u8>) -> Result<(), WireError> {
        let (start, max) = (out.len(), self.limits.body_bytes_bound());
        if value.items() > self.limits.items_max {
            return Err(WireError::TooManyItems {
                body_at: 0,
                max: self.limits.items_max,
            });
        }
        let schema = value.to_schema();
        let body_bytes = schema.encoded_len();
        if body_bytes > max {
            return Err(WireError::TooLarge {
                at: 0,
                bytes: body_bytes as u64,
                max,
            });
        }
        out.reserve(HEADER_BYTES + body_bytes);
        out.extend_from_slice(&[0; HEADER_BYTES]);
        schema.encode_raw(out);
        let body = start + HEADER_BYTES;
        let method = if body_bytes < self.compress_from {
            Method::None
        } else {
            self.compressor
                .compress(self.compression, out, body)
                .inspect_err(|_| out.truncate(start))?
        };
        let header = Header {
            kind: <T as Coded>::KIND,
            method,
            body_bytes: out.len() - body,
            body_checksum: crc32c::crc32c(&out[body..]),
        };
        out[start..body].copy_from_slice(&header.to_bytes());
        Ok(())
    }
}
