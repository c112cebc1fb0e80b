//! Compressed bodies: four bytes of plain length, little endian, and what the method made of the body. Decompression
//! writes into one allocation of exactly the plain length, which is checked against the limit first: a body that would
//! grow beyond it is refused before it grows.

use super::error::WireError;
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;

/// How large bodies are compressed. Small ones and those that would not shrink travel as they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// LZ4, block format: cheap.
    #[cfg(feature = "wire-lz4")]
    Lz4,
    /// Zstandard: smaller.
    #[cfg(feature = "wire-zstd")]
    Zstd {
        /// From 1, the fastest, to 22; negative levels are faster still.
        level: i32,
    },
}

/// The method as the flags of a header name it; known also to builds that can't carry it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Method {
    None = 0,
    Lz4 = 1,
    Zstd = 2,
}

impl Method {
    pub fn of(flags: u8) -> Option<Self> {
        [Self::None, Self::Lz4, Self::Zstd]
            .into_iter()
            .find(|method| *method as u8 == flags)
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "no compression",
            Self::Lz4 => "LZ4",
            Self::Zstd => "Zstandard",
        }
    }

    fn failed(self, reason: &'static str) -> WireError {
        let method = self.name();
        WireError::Compression { method, reason }
    }
}

/// Bytes of the plain length before a compressed body.
const PREFIX_BYTES: usize = 4;

/// Compresses body after body, with one buffer.
#[derive(Default)]
pub struct Compressor {
    compressed: Vec<u8>,
    #[cfg(feature = "wire-zstd")]
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
}

impl Compressor {
    /// Replaces what is in `out` from `start` on, shorter than 4 GiB, by its compressed form if that is shorter, and
    /// returns how it is there.
    pub fn compress(&mut self, how: Compression, out: &mut Vec<u8>, start: usize) -> Result<Method, WireError> {
        let plain = &out[start..];
        let Some((method, length)) = self.shrink(how, plain)? else {
            return Ok(Method::None);
        };
        let plain_bytes = u32::try_from(plain.len()).expect("a body is shorter than the ceiling");
        out.truncate(start);
        out.extend_from_slice(&plain_bytes.to_le_bytes());
        out.extend_from_slice(&self.compressed[..length]);
        Ok(method)
    }

    /// Puts the compressed form at the front of the buffer; `None` if there is none that is shorter.
    fn shrink(&mut self, how: Compression, plain: &[u8]) -> Result<Option<(Method, usize)>, WireError> {
        let (method, length) = match how {
            Compression::None => (Method::None, plain.len()),
            #[cfg(feature = "wire-lz4")]
            Compression::Lz4 => (Method::Lz4, self.lz4(plain)?),
            #[cfg(feature = "wire-zstd")]
            Compression::Zstd { level } => (Method::Zstd, self.zstd(plain, level)?),
        };
        Ok((PREFIX_BYTES + length < plain.len()).then_some((method, length)))
    }

    #[cfg(feature = "wire-lz4")]
    fn lz4(&mut self, plain: &[u8]) -> Result<usize, WireError> {
        self.reserve(lz4_flex::block::get_maximum_output_size(plain.len()));
        lz4_flex::block::compress_into(plain, &mut self.compressed)
            .map_err(|_| Method::Lz4.failed("the body could not be compressed"))
    }

    #[cfg(feature = "wire-zstd")]
    fn zstd(&mut self, plain: &[u8], level: i32) -> Result<usize, WireError> {
        let failed = |_| Method::Zstd.failed("the body could not be compressed");
        self.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        if self.zstd.as_ref().is_none_or(|(of, _)| *of != level) {
            self.zstd = Some((level, zstd::bulk::Compressor::new(level).map_err(failed)?));
        }
        let (_, compressor) = self.zstd.as_mut().expect("it was made just now");
        compressor
            .compress_to_buffer(plain, &mut self.compressed[..])
            .map_err(failed)
    }

    #[cfg(any(feature = "wire-lz4", feature = "wire-zstd"))]
    fn reserve(&mut self, bytes: usize) {
        if self.compressed.len() < bytes {
            self.compressed.resize(bytes, 0);
        }
    }
}

/// The plain body.
pub fn decompress(method: Method, body: &[u8], plain_bytes_max: usize) -> Result<Bytes, WireError> {
    let Some((prefix, compressed)) = body.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(method.failed("the body ends before its plain length"));
    };
    let declared = u32::from_le_bytes(*prefix);
    let plain_bytes = match usize::try_from(declared) {
        Ok(bytes) if bytes <= plain_bytes_max => bytes,
        _ => return Err(method.failed("the plain length exceeds body_bytes_max")),
    };
    let mut plain = vec![0; plain_bytes];
    if into(method, compressed, &mut plain)? != plain_bytes {
        return Err(method.failed("the body is shorter than its plain length"));
    }
    Ok(plain.into())
}

fn into(method: Method, compressed: &[u8], plain: &mut [u8]) -> Result<usize, WireError> {
    match method {
        Method::None => unreachable!("a body that is not compressed is not decompressed"),
        #[cfg(feature = "wire-lz4")]
        Method::Lz4 => lz4_flex::block::decompress_into(compressed, plain)
            .map_err(|_| method.failed("the body does not decompress to its plain length")),
        #[cfg(feature = "wire-zstd")]
        Method::Zstd => zstd::bulk::decompress_to_buffer(compressed, plain)
            .map_err(|_| method.failed("the body does not decompress to its plain length")),
        #[cfg(not(feature = "wire-lz4"))]
        Method::Lz4 => Err(not_built(method, "wire-lz4", compressed, plain)),
        #[cfg(not(feature = "wire-zstd"))]
        Method::Zstd => Err(not_built(method, "wire-zstd", compressed, plain)),
    }
}

#[cfg(not(all(feature = "wire-lz4", feature = "wire-zstd")))]
fn not_built(method: Method, feature: &'static str, _: &[u8], _: &mut [u8]) -> WireError {
    let method = method.name();
    WireError::NotBuilt { method, feature }
}
