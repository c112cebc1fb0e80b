//! An event as its line of JSON, written straight from what it tells.
//!
//! Owns the serialiser: compact JSON whose objects have their names in order, as a [`serde_json::Value`] would write them, but
//! without the tree in between, which for a message with a snapshot in it takes fifty times the text. Numbers and texts are
//! written by `serde_json`. What cannot be written stands as `{"unserialisable": why}` in its place and stops nothing.

use super::format::LINE_LIMIT;
use super::{RESERVED, scan};
use serde::ser::{self, Serialize};
use std::fmt::{self, Display};
use std::ops::Range;

/// What an event says beside its fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub seq: u64,
    pub t: u64,
    pub node: Option<u16>,
    pub client: Option<u16>,
    pub kind: &'static str,
    pub cause: Option<u64>,
}

/// Writes lines, one after the other, into the same memory.
#[derive(Debug, Default)]
pub(super) struct LineWriter {
    out: Vec<u8>,
    /// The names of the objects under way, outer ones first.
    names: Vec<u8>,
    entries: Vec<Entry>,
    spare: Vec<u8>,
    /// Where in `out` the fields of the event begin.
    fields_at: usize,
}

/// One field of an object under way: where its name is in `names`, and where `"name":value` is in `out`.
#[derive(Clone, Debug)]
struct Entry {
    name: Range<usize>,
    text: Range<usize>,
}

/// Memory beyond this is given back after a line that took it.
const KEPT: usize = 1 << 20;

impl LineWriter {
    /// The line of an event, without its end.
    pub fn line(&mut self, head: &Head, fields: &impl Serialize) -> &str {
        self.reset();
        self.out.extend_from_slice(b"{\"seq\":");
        self.plain(&head.seq);
        self.out.extend_from_slice(b",\"t\":");
        self.plain(&head.t);
        for (name, value) in [(",\"node\":", head.node), (",\"client\":", head.client)] {
            if let Some(value) = value {
                self.out.extend_from_slice(name.as_bytes());
                self.plain(&value);
            }
        }
        self.out.extend_from_slice(b",\"kind\":");
        self.plain(head.kind);
        if let Some(cause) = head.cause {
            self.out.extend_from_slice(b",\"cause\":");
            self.plain(&cause);
        }
        self.fields_at = self.out.len();
        self.value(fields);
        self.join(self.fields_at);
        self.out.push(b'}');
        if self.out.len() > LINE_LIMIT {
            self.abbreviate();
        }
        std::str::from_utf8(&self.out).expect("JSON is text")
    }

    /// No reader takes a line beyond [`LINE_LIMIT`]; of a message that makes one, the beginnings of its texts and lists are written.
    #[cold]
    fn abbreviate(&mut self) {
        let line = std::str::from_utf8(&self.out).expect("JSON is text");
        if let Ok(short) = scan::abbreviated(line) {
            self.out = short.into_bytes();
        }
    }

    fn reset(&mut self) {
        for buffer in [&mut self.out, &mut self.names, &mut self.spare] {
            buffer.clear();
            buffer.shrink_to(KEPT);
        }
        self.entries.clear();
    }

    /// Makes of the value behind `start` fields of the event: of an object its own, of null none, of anything else one.
    fn join(&mut self, start: usize) {
        match &self.out[start..] {
            b"null" | b"{}" => self.out.truncate(start),
            [b'{', ..] => {
                self.out[start] = b',';
                self.out.pop();
            }
            _ => {
                self.out.splice(start..start, *b",\"value\":");
            }
        }
    }

    /// A number or a text, as `serde_json` writes it.
    fn plain<T: Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut self.out, value).expect("a number or a text is written into memory");
    }

    /// A text with its quotes. Few need more than that.
    fn text(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            return self.plain(text);
        }
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    /// A small number: what a long line mostly consists of.
    fn byte(&mut self, byte: u8) {
        if byte >= 100 {
            self.out.push(b'0' + byte / 100);
        }
        if byte >= 10 {
            self.out.push(b'0' + byte / 10 % 10);
        }
        self.out.push(b'0' + byte % 10);
    }

    /// A value, or why it cannot be written.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let (start, names, entries) = (self.out.len(), self.names.len(), self.entries.len());
        if let Err(error) = value.serialize(&mut *self) {
            self.out.truncate(start);
            self.names.truncate(names);
            self.entries.truncate(entries);
            self.out.extend_from_slice(b"{\"unserialisable\":");
            self.plain(&error.0);
            self.out.push(b'}');
        }
    }

    fn begin_variant(&mut self, variant: &str) {
        self.out.push(b'{');
        self.text(variant);
        self.out.push(b':');
    }

    fn begin_object(&mut self, is_variant: bool) -> Object<'_> {
        let start = self.out.len();
        self.out.push(b'{');
        Object {
            names: self.names.len(),
            entries: self.entries.len(),
            start,
            is_variant,
            writer: self,
        }
    }

    fn begin_array(&mut self, is_variant: bool) -> Array<'_> {
        self.out.push(b'[');
        Array {
            is_first: true,
            is_variant,
            writer: self,
        }
    }
}

/// Why something cannot be written.
#[derive(Debug)]
pub(super) struct Unwritable(String);

impl Display for Unwritable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Written = Result<(), Unwritable>;

macro_rules! plain {
    ($($method:ident: $type:ty),+) => {
        $(fn $method(self, value: $type) -> Written {
            self.plain(&value);
            Ok(())
        })+
    };
}

impl<'a> ser::Serializer for &'a mut LineWriter {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Array<'a>;
    type SerializeTuple = Array<'a>;
    type SerializeTupleStruct = Array<'a>;
    type SerializeTupleVariant = Array<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    plain!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f64: f64,
        serialize_char: char
    );

    fn serialize_u8(self, value: u8) -> Written {
        self.byte(value);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Written {
        self.text(value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Written {
        self.serialize_f64(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        self.out.push(b'[');
        for (place, byte) in value.iter().enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            self.byte(*byte);
        }
        self.out.push(b']');
        Ok(())
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.begin_variant(variant);
        self.value(value);
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Array<'a>, Unwritable> {
        Ok(self.begin_array(false))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Array<'a>, Unwritable> {
        Ok(self.begin_array(false))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Array<'a>, Unwritable> {
        Ok(self.begin_array(false))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Array<'a>, Unwritable> {
        self.begin_variant(variant);
        Ok(self.begin_array(true))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Object<'a>, Unwritable> {
        Ok(self.begin_object(false))
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Object<'a>, Unwritable> {
        Ok(self.begin_object(false))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Object<'a>, Unwritable> {
        self.begin_variant(variant);
        Ok(self.begin_object(true))
    }
}

/// An array under way.
pub(super) struct Array<'a> {
    writer: &'a mut LineWriter,
    is_first: bool,
    is_variant: bool,
}

impl Array<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if !std::mem::take(&mut self.is_first) {
            self.writer.out.push(b',');
        }
        self.writer.value(value);
        Ok(())
    }

    fn finish(self) -> Written {
        let end: &[u8] = if self.is_variant { b"]}" } else { b"]" };
        self.writer.out.extend_from_slice(end);
        Ok(())
    }
}

macro_rules! array {
    ($($trait:ident::$method:ident),+) => {
        $(impl ser::$trait for Array<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.element(value)
            }

            fn end(self) -> Written {
                self.finish()
            }
        })+
    };
}

array!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// An object under way. Its fields are put into order when it ends.
pub(super) struct Object<'a> {
    writer: &'a mut LineWriter,
    /// Where it begins in the text, and its names and fields among those under way.
    start: usize,
    names: usize,
    entries: usize,
    is_variant: bool,
}

impl Object<'_> {
    fn name(&mut self, name: &str) {
        let writer = &mut *self.writer;
        if writer.entries.len() > self.entries {
            writer.out.push(b',');
        }
        let (names, text) = (writer.names.len(), writer.out.len());
        writer.names.extend_from_slice(name.as_bytes());
        writer.entries.push(Entry {
            name: names..writer.names.len(),
            text: text..text,
        });
        writer.text(name);
        // The fields of the event itself stand beside its own keys.
        let is_outermost = self.start == writer.fields_at;
        if is_outermost && RESERVED.contains(&name) {
            writer.out.pop();
            writer.out.extend_from_slice(b"_\"");
        }
        writer.out.push(b':');
    }

    fn written<T: Serialize + ?Sized>(&mut self, value: &T) {
        let index = self.writer.entries.len() - 1;
        self.writer.value(value);
        self.writer.entries[index].text.end = self.writer.out.len();
    }

    fn finish(self) -> Written {
        let writer = self.writer;
        let names = &writer.names;
        let is_before = |one: &Entry, other: &Entry| names[one.name.clone()] < names[other.name.clone()];
        let entries = &mut writer.entries[self.entries..];
        let is_sorted = entries.is_sorted_by(is_before);
        if !is_sorted {
            entries.sort_by(|one, other| names[one.name.clone()].cmp(&names[other.name.clone()]));
            writer.spare.clear();
            writer.spare.extend_from_slice(&writer.out[self.start..]);
            writer.out.truncate(self.start + 1);
            for (index, entry) in entries.iter().enumerate() {
                // Of fields of one name the last one counts.
                let is_last = entries.get(index + 1).is_none_or(|next| is_before(entry, next));
                if is_last {
                    if writer.out.len() > self.start + 1 {
                        writer.out.push(b',');
                    }
                    let text = entry.text.start - self.start..entry.text.end - self.start;
                    writer.out.extend_from_slice(&writer.spare[text]);
                }
            }
        }
        writer.entries.truncate(self.entries);
        writer.names.truncate(self.names);
        writer.out.push(b'}');
        if self.is_variant {
            writer.out.push(b'}');
        }
        Ok(())
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        self.name(name);
        self.written(value);
        Ok(())
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Object<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        self.name(name);
        self.written(value);
        Ok(())
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        let mut text = std::mem::take(&mut self.writer.spare);
        text.clear();
        let is_written = serde_json::to_writer(&mut text, key).is_ok();
        let is_plain = |inner: &[u8]| is_written && !inner.contains(&b'\\');
        match &text[..] {
            [b'"', inner @ .., b'"'] if is_plain(inner) => {
                self.name(std::str::from_utf8(inner).expect("JSON is text"));
            }
            // What JSON has no text for is refused as `serde_json` refuses it; numbers become texts.
            _ => {
                let map = serde_json::to_value(Key(key)).map_err(ser::Error::custom)?;
                let name = map.as_object().and_then(|one| one.keys().next());
                self.name(name.expect("a map of one key has one"));
            }
        }
        self.writer.spare = text;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.written(value);
        Ok(())
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Written {
        self.serialize_key(key)?;
        self.serialize_value(value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

/// A map of one key, to see what becomes of the key.
struct Key<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Key<'_, T> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, ())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceEvent;
    use proptest::prelude::*;
    use serde::Serialize;
    use serde_json::{Map, Value, json};
    use std::collections::BTreeMap;

    const HEAD: Head = Head {
        seq: 7,
        t: u64::MAX,
        node: Some(2),
        client: None,
        kind: "a \"kind\"",
        cause: Some(3),
    };

    fn line(fields: &impl Serialize) -> String {
        LineWriter::default().line(&HEAD, fields).to_owned()
    }

    /// The line by way of a tree, which is what a trace has to look like.
    fn by_tree(fields: &impl Serialize) -> String {
        let fields = match serde_json::to_value(fields).unwrap() {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        let event = TraceEvent {
            seq: HEAD.seq,
            t: HEAD.t,
            node: HEAD.node,
            client: HEAD.client,
            kind: HEAD.kind.into(),
            cause: HEAD.cause,
            fields: fields.into(),
        };
        serde_json::to_string(&event).unwrap()
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Clone, Debug, Serialize)]
    enum Any {
        Unit,
        #[serde(rename = "new")]
        One(Box<Any>),
        Two(u8, Option<i64>),
        Named {
            zebra: String,
            seq: char,
            map: BTreeMap<u16, Any>,
            list: Vec<Any>,
            #[serde(skip_serializing_if = "Option::is_none")]
            absent: Option<u8>,
            apple: (bool, f32),
        },
    }

    fn any_value() -> impl Strategy<Value = Any> {
        let leaf = prop_oneof![
            Just(Any::Unit),
            (any::<u8>(), any::<Option<i64>>()).prop_map(|(one, other)| Any::Two(one, other)),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let map = prop::collection::btree_map(any::<u16>(), inner.clone(), 0..4);
            let named = (
                ".{0,6}",
                any::<char>(),
                map,
                prop::collection::vec(inner.clone(), 0..4),
                any::<Option<u8>>(),
            );
            prop_oneof![
                inner.prop_map(|one| Any::One(Box::new(one))),
                named.prop_map(|(zebra, seq, map, list, absent)| Any::Named {
                    zebra,
                    seq,
                    map,
                    list,
                    absent,
                    apple: (true, 0.1),
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_line_is_the_one_that_a_tree_would_give(value in any_value(), names in prop::collection::vec(".{0,3}", 0..4)) {
            prop_assert_eq!(line(&value), by_tree(&value));
            let map: BTreeMap<String, &Any> = names.iter().map(|name| (name.clone(), &value)).collect();
            prop_assert_eq!(line(&map), by_tree(&map));
            prop_assert_eq!(line(&[&map]), by_tree(&[&map]));
        }
    }

    #[test]
    fn the_fields_of_an_event_stand_beside_its_own_and_in_order() {
        let fields = json!({ "to": 1, "seq": [{ "t": 2 }], "kind": null, "b": { "node": 3 } });
        let text = r#"{"seq":7,"t":18446744073709551615,"node":2,"kind":"a \"kind\"","cause":3,"b":{"node":3},"kind_":null,"seq_":[{"t":2}],"to":1}"#;
        assert_eq!(line(&fields), text);
        for fields in [Value::Null, json!({}), json!(7), json!([{ "seq": 1 }]), json!("{}")] {
            assert_eq!(line(&fields), by_tree(&fields));
        }
        assert_eq!(line(&Unit), by_tree(&()));
    }

    #[test]
    fn what_cannot_be_written_stands_as_such_in_its_place() {
        let map = BTreeMap::from([(vec![1], 1)]);
        let text = line(&BTreeMap::from([("bad", Some(&map)), ("good", None)]));
        assert!(
            text.contains(r#","bad":{"unserialisable":"key must be a string"},"good":null}"#),
            "{text}"
        );
    }

    #[test]
    fn a_line_beyond_the_limit_of_readers_has_its_message_abbreviated() {
        let fields = json!({ "message": { "bytes": vec![255; 5 << 20], "index": 3 }, "to": "n1" });
        let text = line(&fields);
        assert!(text.len() < 1_000, "{} bytes", text.len());
        assert!(
            text.ends_with(r#"… (5242848 more)"],"index":3},"to":"n1"}"#),
            "{}",
            &text[text.len() - 60..]
        );
    }
}
