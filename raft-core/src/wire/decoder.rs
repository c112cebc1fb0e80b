//! A stream of bytes to frames and messages, however the stream was cut into pieces.

use super::Limits;
use super::error::WireError;
use super::frame::{Frame, HEADER_BYTES};
use crate::message::Message;
use bytes::BytesMut;

/// Reads the frames of one stream: [`Decoder::push`] what has arrived, then take messages until there is none.
///
/// It holds what was pushed and not yet taken, so it holds at most one frame and one piece if everything is taken after
/// each push. After an error that is [fatal](WireError::is_fatal) it is [broken](Decoder::is_broken) and takes nothing
/// more; after any other, the next message may well be intact.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    buffer: BytesMut,
    /// Where in the stream `buffer` begins.
    at: u64,
    broken: bool,
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            at: 0,
            broken: false,
        }
    }

    /// These bytes come next in the stream. A broken decoder drops them.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame, of whatever kind, without looking into its body; `None` until more is pushed.
    pub fn next_frame(&mut self) -> Option<Result<Frame, WireError>> {
        if self.broken {
            return None;
        }
        let (length, frame) = Frame::take(&mut self.buffer, self.at, &self.limits);
        self.at += length as u64;
        if let Some(Err(error)) = &frame
            && error.is_fatal()
        {
            self.broken = true;
            self.buffer = BytesMut::new();
        }
        frame
    }

    /// Where in the stream the next frame begins, in bytes: after an error that is not fatal, the end of the frame that it
    /// is about.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Whether the stream is lost: close the connection.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// To be called when the stream has ended.
    ///
    /// # Errors
    /// If it has ended inside a frame.
    pub fn finish(&self) -> Result<(), WireError> {
        match self.buffer.len() {
            0 => Ok(()),
            have => Err(WireError::Truncated {
                at: self.at,
                needed: HEADER_BYTES.max(have + 1),
                have,
            }),
        }
    }
}

/// The messages. `None` means that there is none yet: there may be one after the next push.
impl Iterator for Decoder {
    type Item = Result<Message, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = self.next_frame()?;
        Some(frame.and_then(|frame| frame.decode(&self.limits)))
    }
}
