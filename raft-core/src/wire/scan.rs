//! The walk over a body before it is decoded. It allocates nothing, and it is what makes decoding safe and its errors
//! useful: `prost` says neither where a body is wrong nor how much memory it asks for, and two bytes on the wire can make
//! an entry of a hundred in memory. After a clean walk, decoding can't fail and can't allocate beyond what was counted.
//!
//! Fields that the schema does not have are walked over, whatever their number. Groups, which the third version of Protocol
//! Buffers has abolished, are refused.

use super::error::WireError;

/// The fields of one message type. A field that is not listed is unknown.
pub struct Shape(&'static [(u32, Field)]);

/// What may stand in a field.
enum Field {
    /// A number or a truth value.
    Number,
    /// Bytes that mean nothing here.
    Bytes,
    /// Another message.
    Message(&'static Shape),
    /// A list of messages: each is an item.
    Messages(&'static Shape),
    /// A list of numbers, packed or not: each is an item.
    Numbers,
}

use Field::{Bytes, Message, Messages, Number, Numbers};

static NOTHING: Shape = Shape(&[]);
/// Of marks and stamps.
static PAIR: Shape = Shape(&[(1, Number), (2, Number)]);
static CONFIGURATION: Shape = Shape(&[(1, Numbers), (2, Numbers), (3, Numbers), (4, Numbers)]);
static MARK_AND_NUMBER: Shape = Shape(&[(1, Message(&PAIR)), (2, Number)]);
static FLAG: Shape = Shape(&[(1, Number)]);
static APPEND_ENTRIES: Shape = Shape(&[
    (1, Message(&PAIR)),
    (2, Messages(&ENTRY)),
    (3, Number),
    (4, Number),
    (5, Message(&PAIR)),
]);
static APPEND_ACCEPTED: Shape = Shape(&[(1, Number), (2, Message(&PAIR))]);
static APPEND_REJECTED: Shape = Shape(&[(1, Number), (2, Message(&PAIR)), (3, Number), (4, Message(&PAIR))]);
static INSTALL_SNAPSHOT: Shape = Shape(&[
    (1, Message(&PAIR)),
    (2, Message(&CONFIGURATION)),
    (3, Number),
    (4, Number),
    (5, Bytes),
    (6, Message(&PAIR)),
]);
static SNAPSHOT_PROGRESS: Shape = Shape(&[(1, Message(&PAIR)), (2, Number), (3, Message(&PAIR))]);

pub static MESSAGE: Shape = Shape(&[
    (1, Number),
    (2, Number),
    (3, Number),
    (4, Message(&MARK_AND_NUMBER)),
    (5, Message(&FLAG)),
    (6, Message(&MARK_AND_NUMBER)),
    (7, Message(&FLAG)),
    (8, Message(&APPEND_ENTRIES)),
    (9, Message(&APPEND_ACCEPTED)),
    (10, Message(&APPEND_REJECTED)),
    (11, Message(&INSTALL_SNAPSHOT)),
    (12, Message(&SNAPSHOT_PROGRESS)),
    (13, Message(&NOTHING)),
    (14, Message(&FLAG)),
    (15, Message(&PAIR)),
]);
pub static ENTRY: Shape = Shape(&[
    (1, Number),
    (2, Number),
    (3, Message(&NOTHING)),
    (4, Bytes),
    (5, Message(&CONFIGURATION)),
]);
pub static SNAPSHOT: Shape = Shape(&[(1, Message(&PAIR)), (2, Message(&CONFIGURATION)), (3, Bytes)]);
pub static HARD_STATE: Shape = Shape(&[(1, Number), (2, Number)]);

/// Walks over `body`, which should be a message of this shape with at most `items_max` entries and node ids.
pub fn check(body: &[u8], shape: &'static Shape, items_max: usize) -> Result<(), WireError> {
    let mut scan = Scan {
        body,
        at: 0,
        items: 0,
        items_max,
    };
    scan.message(shape, body.len())
}

struct Scan<'a> {
    body: &'a [u8],
    at: usize,
    items: usize,
    items_max: usize,
}

impl Scan<'_> {
    /// Walks to `end`. Recursion is as deep as the shapes are, which is four.
    fn message(&mut self, shape: &'static Shape, end: usize) -> Result<(), WireError> {
        while self.at < end {
            let start = self.at;
            let key = self.varint(end)?;
            let number = u32::try_from(key >> 3)
                .ok()
                .filter(|number| (1..1 << 29).contains(number));
            let Some(number) = number else {
                return Err(malformed(start, "a field number out of range"));
            };
            let known = shape.0.iter().find(|(of, _)| *of == number).map(|(_, field)| field);
            match (key & 7, known) {
                (0, None | Some(Number)) => self.varint(end).map(drop)?,
                (0, Some(Numbers)) => {
                    self.item()?;
                    self.varint(end)?;
                }
                (1, None) => self.skip(8, end)?,
                (5, None) => self.skip(4, end)?,
                (2, field) => {
                    let end = self.length(end)?;
                    match field {
                        None | Some(Bytes) => self.at = end,
                        Some(Message(shape)) => self.message(shape, end)?,
                        Some(Messages(shape)) => {
                            self.item()?;
                            self.message(shape, end)?;
                        }
                        Some(Numbers) => {
                            while self.at < end {
                                self.item()?;
                                self.varint(end)?;
                            }
                        }
                        Some(Number) => return Err(malformed(start, "bytes where the schema has a number")),
                    }
                }
                (3 | 4, _) => return Err(malformed(start, "a group, which this schema does not use")),
                (6 | 7, _) => return Err(malformed(start, "a wire type that does not exist")),
                _ => {
                    return Err(malformed(
                        start,
                        "a number of a type that the schema does not have there",
                    ));
                }
            }
        }
        Ok(())
    }

    fn item(&mut self) -> Result<(), WireError> {
        self.items += 1;
        if self.items > self.items_max {
            return Err(WireError::TooManyItems {
                body_at: self.at,
                max: self.items_max,
            });
        }
        Ok(())
    }

    fn varint(&mut self, end: usize) -> Result<u64, WireError> {
        let start = self.at;
        let mut value = 0;
        for (nth, byte) in self.body[start..end].iter().take(10).enumerate() {
            if nth == 9 && *byte > 1 {
                return Err(malformed(start, "a number of more than 64 bits"));
            }
            value |= u64::from(byte & 0x7f) << (7 * nth);
            if byte & 0x80 == 0 {
                self.at = start + nth + 1;
                return Ok(value);
            }
        }
        Err(malformed(start, "a number that does not end"))
    }

    /// Reads a length, and returns where what has this length ends.
    fn length(&mut self, end: usize) -> Result<usize, WireError> {
        let start = self.at;
        let length = self.varint(end)?;
        let left = end - self.at;
        match usize::try_from(length) {
            Ok(length) if length <= left => Ok(self.at + length),
            _ => Err(malformed(start, "a length that goes beyond the end")),
        }
    }

    fn skip(&mut self, bytes: usize, end: usize) -> Result<(), WireError> {
        if end - self.at < bytes {
            return Err(malformed(self.at, "a number that does not end"));
        }
        self.at += bytes;
        Ok(())
    }
}

fn malformed(body_at: usize, reason: &'static str) -> WireError {
    WireError::Malformed { body_at, reason }
}
