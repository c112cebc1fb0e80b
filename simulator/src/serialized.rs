//! What a payload's own `Serialize` says of it: a name for the trace, and a fixed encoding for the digest. So that a protocol's messages
//! need neither of them by hand.

use crate::digest::Stamp;
use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt::{self, Display};

/// A type that refuses to be serialized.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Error for Refused {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The name of a value: that of its variant for an enum, that of its type for a struct, each as it is renamed for serialization.
pub(crate) fn kind(value: &impl Serialize) -> &'static str {
    value.serialize(Name).unwrap_or("message")
}

/// Folds a value into a digest: every number in its width, a length before each list and text, a number before each variant.
pub(crate) fn stamp(value: &impl Serialize, stamp: &mut Stamp<'_>) {
    let into = Into { stamp };
    value
        .serialize(into)
        .unwrap_or_else(|error| panic!("a payload that cannot be serialized has no digest: {error}"));
}

/// Finds the name of a value and looks at nothing within it.
struct Name;

/// Passes over the parts of a named value.
struct Named(&'static str);

macro_rules! nameless {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, _: $type) -> Result<&'static str, Refused> {
            Ok("message")
        })*
    };
}

impl Serializer for Name {
    type Ok = &'static str;
    type Error = Refused;
    type SerializeSeq = Named;
    type SerializeTuple = Named;
    type SerializeTupleStruct = Named;
    type SerializeTupleVariant = Named;
    type SerializeMap = Named;
    type SerializeStruct = Named;
    type SerializeStructVariant = Named;

    nameless! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8],
    }

    fn serialize_none(self) -> Result<&'static str, Refused> {
        Ok("message")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<&'static str, Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<&'static str, Refused> {
        Ok("message")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<&'static str, Refused> {
        Ok(name)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<&'static str, Refused> {
        Ok(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<&'static str, Refused> {
        let within = value.serialize(self)?;
        Ok(if within == "message" { name } else { within })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<&'static str, Refused> {
        Ok(variant)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Named, Refused> {
        Ok(Named("message"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Named, Refused> {
        Ok(Named("message"))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Named, Refused> {
        Ok(Named(name))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Named, Refused> {
        Ok(Named(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Named, Refused> {
        Ok(Named("message"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Named, Refused> {
        Ok(Named(name))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Named, Refused> {
        Ok(Named(variant))
    }
}

/// Writes a value into a digest.
struct Into<'s, 'b> {
    stamp: &'s mut Stamp<'b>,
}

impl<'b> Into<'_, 'b> {
    fn again(&mut self) -> Into<'_, 'b> {
        Into { stamp: self.stamp }
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty => $fold:ident as $as:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<(), Refused> {
            self.stamp.$fold(value as $as);
            Ok(())
        })*
    };
}

impl Serializer for Into<'_, '_> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_bool: bool => u8 as u8, serialize_i8: i8 => u8 as u8, serialize_i16: i16 => u16 as u16,
        serialize_i32: i32 => u32 as u32, serialize_i64: i64 => u64 as u64, serialize_u8: u8 => u8 as u8,
        serialize_u16: u16 => u16 as u16, serialize_u32: u32 => u32 as u32, serialize_u64: u64 => u64 as u64,
        serialize_char: char => u32 as u32,
    }

    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        self.stamp.u32(value.to_bits());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        self.stamp.u64(value.to_bits());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.stamp.bytes(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        self.stamp.bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.stamp.u8(0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.stamp.u8(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Refused> {
        self.stamp.u32(index);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.stamp.u32(index);
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Refused> {
        let len = len.ok_or_else(|| Refused("a list of unknown length".to_owned()))?;
        self.stamp.u64(len as u64);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Refused> {
        self.stamp.u32(index);
        Ok(self)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self, Refused> {
        self.serialize_seq(len)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Refused> {
        self.stamp.u32(index);
        Ok(self)
    }
}

/// What has parts is alike in all its shapes: `Named` passes over them, `Into` writes one after another.
macro_rules! parts {
    ($($trait:ident: $method:ident($($key:ident)?)),* $(,)?) => {
        $(
            impl $trait for Named {
                type Ok = &'static str;
                type Error = Refused;

                fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? _: &T) -> Result<(), Refused> {
                    $(let _ = $key;)?
                    Ok(())
                }

                fn end(self) -> Result<&'static str, Refused> {
                    Ok(self.0)
                }
            }

            impl $trait for Into<'_, '_> {
                type Ok = ();
                type Error = Refused;

                fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<(), Refused> {
                    $(let _ = $key;)?
                    value.serialize(self.again())
                }

                fn end(self) -> Result<(), Refused> {
                    Ok(())
                }
            }
        )*
    };
}

parts! {
    SerializeSeq: serialize_element(),
    SerializeTuple: serialize_element(),
    SerializeTupleStruct: serialize_field(),
    SerializeTupleVariant: serialize_field(),
    SerializeStruct: serialize_field(key),
    SerializeStructVariant: serialize_field(key),
}

impl SerializeMap for Named {
    type Ok = &'static str;
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Refused> {
        Ok(())
    }

    fn end(self) -> Result<&'static str, Refused> {
        Ok(self.0)
    }
}

impl SerializeMap for Into<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        key.serialize(self.again())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Message {
        Ping,
        StoreValue { key: u16, value: String },
        Ack(u64),
        Both(u8, u8),
    }

    #[derive(Serialize)]
    struct Envelope(Message);

    #[derive(Serialize)]
    #[serde(rename = "hello")]
    struct Hello {
        seen: BTreeMap<u8, Vec<Option<bool>>>,
    }

    fn bytes(value: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        stamp(value, &mut Stamp::into(&mut bytes));
        bytes
    }

    #[test]
    fn a_message_is_called_after_its_variant() {
        let store = Message::StoreValue {
            key: 1,
            value: "x".to_owned(),
        };
        assert_eq!([kind(&Message::Ping), kind(&store)], ["ping", "store-value"]);
        assert_eq!([kind(&Message::Ack(1)), kind(&Message::Both(1, 2))], ["ack", "both"]);
        assert_eq!(
            kind(&Envelope(Message::Ping)),
            "ping",
            "what wraps a message has no name of its own"
        );
        assert_eq!([kind(&Hello { seen: BTreeMap::new() }), kind(&7)], ["hello", "message"]);
    }

    #[test]
    fn whatever_differs_is_encoded_otherwise() {
        let store = |key, value: &str| Message::StoreValue {
            key,
            value: value.to_owned(),
        };
        let seen = |list: &[Option<bool>]| Hello {
            seen: [(1, list.to_vec())].into(),
        };
        let all = [
            bytes(&Message::Ping),
            bytes(&store(1, "x")),
            bytes(&store(2, "x")),
            bytes(&store(1, "xy")),
            bytes(&Message::Ack(1)),
            bytes(&Message::Both(1, 0)),
            bytes(&Message::Both(0, 1)),
            bytes(&seen(&[None, Some(false)])),
            bytes(&seen(&[Some(false), None])),
            bytes(&seen(&[])),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != one), "{index}");
        }
        assert_eq!(bytes(&store(1, "x")), bytes(&store(1, "x")));
    }
}
