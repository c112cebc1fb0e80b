//! What an event says beside its own keys.
//!
//! An event that was read keeps its line, which is a tenth of what a tree of its values takes; the tree is made when somebody asks for
//! it. A trace of a hundred thousand events is held so in the memory of its text, and whoever looks at a field of each of them
//! asks for the field ([`Fields::text`], [`Fields::number`]), which makes no tree.

use super::{RESERVED, scan};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

/// The fields of an event: a map by name, kept as text until it is wanted.
#[derive(Default)]
pub struct Fields {
    /// The line of the event; none if the fields were made or changed here.
    line: Option<Box<str>>,
    /// The same as a tree. It is there if there is no line.
    map: OnceLock<Box<Map<String, Value>>>,
}

impl Fields {
    /// Of the event in this line, which is an object.
    pub(super) fn of_line(line: &str) -> Self {
        Self {
            line: Some(line.into()),
            map: OnceLock::new(),
        }
    }

    /// All fields as a map of its own. Nothing is kept of it here.
    pub fn to_map(&self) -> Map<String, Value> {
        match (&self.line, self.map.get()) {
            (_, Some(map)) => (**map).clone(),
            (Some(line), None) => parsed(line),
            (None, None) => Map::new(),
        }
    }

    /// The text in a field; `None` if there is no such field or no text in it. Cheap: no tree is made.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let Some(Ok(raw)) = self.line.as_deref().map(|line| scan::field(line, name)) else {
            return self.get(name)?.as_str().map(Cow::Borrowed);
        };
        let raw = raw?;
        let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            return serde_json::from_str(raw).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// The number in a field; `None` if there is no such field or no number from 0 on in it. Cheap: no tree is made.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.line.as_deref().map(|line| scan::field(line, name)) {
            Some(Ok(raw)) => raw?.parse().ok(),
            _ => self.get(name)?.as_u64(),
        }
    }

    /// The fields as a type that can be read from them, if they are it. Others than its own do not matter.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        match &self.line {
            Some(line) => serde_json::from_str(line).ok(),
            None => T::deserialize(Value::Object(self.to_map())).ok(),
        }
    }

    /// The line of the event, if it is as it was read.
    pub fn line(&self) -> Option<&str> {
        self.line.as_deref()
    }
}

/// The fields in a line. A line that looks like an event may still hold what no tree can: numbers without end, a million brackets.
fn parsed(line: &str) -> Map<String, Value> {
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(mut fields) => {
            RESERVED.iter().for_each(|name| {
                fields.remove(*name);
            });
            fields
        }
        Err(error) => Map::from_iter([("unreadable".to_owned(), error.to_string().into())]),
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(map: Map<String, Value>) -> Self {
        Self {
            line: None,
            map: OnceLock::from(Box::new(map)),
        }
    }
}

impl Deref for Fields {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        self.map
            .get_or_init(|| Box::new(self.line.as_deref().map_or_else(Map::new, parsed)))
    }
}

impl DerefMut for Fields {
    fn deref_mut(&mut self) -> &mut Self::Target {
        let _ = &**self;
        self.line = None;
        self.map.get_mut().expect("trace: the fields were just read")
    }
}

impl Clone for Fields {
    fn clone(&self) -> Self {
        match &self.line {
            Some(line) => Self::of_line(line),
            None => self.to_map().into(),
        }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        (self.line.is_some() && self.line == other.line) || self.to_map() == other.to_map()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_map().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceEvent;
    use proptest::prelude::*;
    use serde_json::json;

    fn of(line: &str) -> Fields {
        TraceEvent::of_line(line).unwrap().fields
    }

    #[test]
    fn a_field_is_the_same_with_a_tree_and_without() {
        let line = r#"{"seq":1,"t":2,"kind":"send","from":"n0","message":{"to":"x","list":[1,{"to":"]}"}]},"text":"a\"b\\","to":"n1","n":7}"#;
        let fields = of(line);
        assert_eq!(fields.text("to").as_deref(), Some("n1"));
        assert_eq!(fields.text("text").as_deref(), Some("a\"b\\"));
        assert_eq!(
            (fields.number("n"), fields.number("to"), fields.number("none")),
            (Some(7), None, None)
        );
        assert_eq!(fields.text("n"), None);
        assert!(fields.map.get().is_none(), "no tree was made");
        assert_eq!(
            fields.get("message"),
            Some(&json!({"to": "x", "list": [1, {"to": "]}"}]}))
        );
        assert_eq!((fields.get("seq"), fields.len()), (None, 5));
        let mut changed = fields.clone();
        assert_eq!(changed, fields);
        changed.insert("n".to_owned(), 8.into());
        assert_eq!(
            (changed.number("n"), changed.text("to").as_deref()),
            (Some(8), Some("n1"))
        );
        assert_ne!(changed, fields);
    }

    #[test]
    fn what_no_tree_can_hold_is_told_and_stops_nothing() {
        let deep = format!(
            r#"{{"seq":1,"t":2,"kind":"a","deep":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        let fields = of(&deep);
        assert!(fields.get("unreadable").is_some(), "{fields:?}");
        assert_eq!(fields.number("seq"), Some(1));
    }

    proptest! {
        #[test]
        fn a_scan_finds_what_a_parser_finds(names in prop::collection::vec("[a-c\"\\\\é]{0,3}", 0..5), numbers in prop::collection::vec(any::<u16>(), 5)) {
            let mut map = Map::from_iter([("seq".to_owned(), 1.into()), ("t".to_owned(), 1.into()), ("kind".to_owned(), "k".into())]);
            for (place, name) in names.iter().enumerate() {
                let value = match place % 3 {
                    0 => json!(numbers[place]),
                    1 => json!(format!("{name}\"{}", numbers[place])),
                    _ => json!([name, {"a": numbers[place]}]),
                };
                map.insert(name.clone(), value);
            }
            let fields = of(&serde_json::to_string(&map).unwrap());
            for name in names.iter().map(String::as_str).chain(["a", "b", "c"]) {
                prop_assert_eq!(fields.number(name), map.get(name).and_then(Value::as_u64));
                let text = fields.text(name);
                prop_assert_eq!(text.as_deref(), map.get(name).and_then(Value::as_str));
            }
        }
    }
}
