//! How a [`Payload`] is serialised: as bytes, not as a sequence of numbers, which takes many times as long. What comes out is
//! the same in formats that know no bytes, such as JSON, and in those that write both alike, such as postcard.

use crate::types::Payload;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;

pub fn serialize<S: Serializer>(payload: &Payload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(payload)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
    deserializer.deserialize_byte_buf(PayloadVisitor)
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Payload, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Payload, E> {
        Ok(bytes.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Payload, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::types::Content;
    use alloc::vec::Vec;

    /// What is derived for the type that a payload is.
    #[derive(serde::Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Derived {
        #[allow(dead_code)]
        Noop,
        Command(Vec<u8>),
    }

    #[test]
    fn a_payload_is_written_as_a_sequence_of_numbers_would_be_and_read_back() {
        let bytes = [0, 1, 127, 128, 255].repeat(60);
        let (content, derived) = (Content::Command(bytes.as_slice().into()), Derived::Command(bytes));
        let json = serde_json::to_string(&content).unwrap();
        assert_eq!(json, serde_json::to_string(&derived).unwrap());
        assert_eq!(serde_json::from_str::<Content>(&json).unwrap(), content);
        let plain = postcard::to_allocvec(&content).unwrap();
        assert_eq!(plain, postcard::to_allocvec(&derived).unwrap());
        assert_eq!(postcard::from_bytes::<Content>(&plain).unwrap(), content);
        assert!(serde_json::from_str::<Content>(r#"{"command": [256]}"#).is_err());
    }
}
