//! The format as data: every key with its form, bounds and default, found by watching the reader at work.
//!
//! The strict reader is the only list of keys that there is. [`keys`] has it read a document in which every section and every kind
//! of fault is present, while each access through `section.rs` notes what was asked for; so a key that is read cannot be missing
//! here, and one that is not read cannot be in it. [`json_schema`] writes the same as a JSON Schema (draft 2020-12), for editors.

use super::document::{self, Entry, Node, Table, Value};
use super::error::Problem;
use super::quantity::Family;
use super::{Known, SCHEMA, read, read_fault};
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::rc::Rc;

/// Where the reader notes what it asks for.
pub(super) type Record = Rc<RefCell<Vec<Key>>>;

/// One key of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// With its section: `cluster.nodes`; those of a fault begin with `fault.KIND.`.
    pub path: String,
    /// What its value may be.
    pub form: Form,
    /// What it is if it is left out; empty where that depends, or where it may not be left out.
    pub default: String,
    /// Whether a list may stand in place of the value, of which each seed draws one.
    pub is_choice: bool,
}

/// What a value may be. Bounds are included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// One of these words.
    Word(Vec<&'static str>),
    /// One of these words, or another text such as this example.
    WordOr(Vec<&'static str>, &'static str),
    /// A list of names.
    Names,
    /// A list of names, each alone or with its rate.
    Expected,
    /// A share of the runs, or "off".
    Rate,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A number with a unit, or a range of two.
    Quantity {
        /// The units.
        units: Vec<&'static str>,
        /// The least, as it is written.
        min: String,
        /// The most.
        max: String,
        /// Whether it is a range, of which a single value is the simplest.
        is_range: bool,
        /// Whether "off" may stand in its place.
        or_off: bool,
    },
}

impl Form {
    pub(super) fn quantity(family: &'static Family, min: String, max: String) -> Self {
        Self::Quantity {
            units: family.unit_names(),
            min,
            max,
            is_range: false,
            or_off: false,
        }
    }

    /// In words: "150ms: 1us to 1h, a range".
    pub fn described(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Word(words) => words.join(" | "),
            Self::WordOr(words, example) => format!("{} | {example:?}", words.join(" | ")),
            Self::Names => "a list of names".to_owned(),
            Self::Expected => "a list of names, or of { name = ..., rate = \"1/50\" }".to_owned(),
            Self::Rate => "a share of the runs such as \"1/50\" or \"2%\", or \"off\"".to_owned(),
            Self::Flag => "true | false".to_owned(),
            Self::Count { min, max } => format!("{min} to {max}"),
            Self::Quantity {
                min,
                max,
                is_range,
                or_off,
                ..
            } => {
                let range = if *is_range { ", or a range A..B" } else { "" };
                let off = if *or_off { ", or \"off\"" } else { "" };
                format!("{min} to {max}{range}{off}")
            }
        }
    }

    fn schema(&self) -> Json {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Word(words) => json!({ "enum": words }),
            Self::WordOr(words, example) => {
                json!({ "type": "string", "description": self.described(), "examples": words.iter().chain([example]).collect::<Vec<_>>() })
            }
            Self::Names => json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true }),
            Self::Expected => {
                let with_rate = json!({
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name"],
                    "properties": { "name": { "type": "string" }, "rate": rate_schema("") },
                });
                json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, with_rate] } })
            }
            Self::Rate => rate_schema("|off"),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Count { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Quantity {
                units,
                is_range,
                or_off,
                ..
            } => {
                let one = format!(" *-?[0-9]+(\\.[0-9]+)? *({}) *", units.join("|"));
                let range = if *is_range {
                    format!("(\\.\\.{one})?")
                } else {
                    String::new()
                };
                let off = if *or_off { "|off" } else { "" };
                json!({ "type": "string", "pattern": format!("^({one}{range}{off})$"), "description": self.described() })
            }
        }
    }
}

fn rate_schema(otherwise: &str) -> Json {
    json!({ "type": "string", "pattern": format!("^( *[0-9]+ */ *[0-9]+ *| *[0-9]+(\\.[0-9]+)? *(ppm|%) *{otherwise})$") })
}

impl Key {
    fn schema(&self) -> Json {
        let mut schema = match self.form.schema() {
            one if self.is_choice => json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] }),
            one => one,
        };
        if !self.default.is_empty() {
            let description = format!("{}; default {}", self.form.described(), self.default);
            schema["description"] = description.into();
        }
        schema
    }
}

/// Every key, in the order in which they are read.
pub fn keys(known: &Known) -> Vec<Key> {
    let record = Record::default();
    let sections = "[system]\n[cluster]\n[time]\n[network]\n[disk]\n[budget]\n[clock]\n[workload]\nmix = { read = 1 }\n[operator]\n\
                    mix = { transfer = 1 }\n[recovery]\n[swarm]\n[expect]\n";
    let head = format!("schema = \"{SCHEMA}\"\nname = \"all\"\n");
    observe(&format!("{head}{sections}"), known, &record);
    for want in [
        "add = \"n1\"",
        "add_learner = \"n1\"",
        "remove = \"n1\"",
        "members = [\"n0\"]",
        "transfer = \"n1\"",
        "campaign = \"n1\"",
    ] {
        scripted(want, &head, known, &record);
    }
    for kind in read_fault::kind_names() {
        fault(kind, &head, known, &record);
    }
    let mut keys: Vec<Key> = Vec::new();
    for key in record.borrow().iter() {
        if keys.iter().all(|known| known.path != key.path) {
            keys.push(key.clone());
        }
    }
    keys
}

/// What precedes the name of a key of an order at a given time.
const SCRIPTED: &str = "operator.N.";

/// Reads an `[[operator]]` with an order at a given time.
fn scripted(want: &str, head: &str, known: &Known, record: &Record) {
    let of_order = Record::default();
    observe(&format!("{head}[[operator]]\nat = \"1s\"\n{want}\n"), known, &of_order);
    renamed(&of_order, "operator.0.", SCRIPTED, record);
}

/// Moves what was noted under one prefix to another record, under another prefix.
fn renamed(noted: &Record, from: &str, to: &str, record: &Record) {
    let renamed = noted.take().into_iter().filter_map(|key| {
        let path = format!("{to}{}", key.path.strip_prefix(from)?);
        Some(Key { path, ..key })
    });
    record.borrow_mut().extend(renamed);
}

/// Reads a `[[fault]]` of a kind in each way in which it can strike; what it lacks is taken from the reader's own example.
fn fault(kind: &str, head: &str, known: &Known, record: &Record) {
    for strikes in ["at = \"1s\"", "every = \"1s\"", "when = \"leader-elected\""] {
        let mut text = format!("{head}[[fault]]\nkind = \"{kind}\"\n{strikes}\n");
        let of_kind = Record::default();
        while let Some(Problem::Missing { example, .. }) = observe(&text, known, &of_kind) {
            let line = example.split(", ").next().unwrap_or(example);
            text.push_str(line);
            text.push('\n');
        }
        renamed(&of_kind, "fault.0.", &format!("fault.{kind}."), record);
    }
}

/// Reads a text with the record on; gives the problem with it, if there is one.
fn observe(text: &str, known: &Known, record: &Record) -> Option<Problem> {
    let mut table = document::read(text).expect("it is written here");
    watch(&mut table, record);
    read::scenario(&table, known).err().map(|misfit| *misfit.problem)
}

fn watch(table: &mut Table, record: &Record) {
    table.record = Some(Rc::clone(record));
    for Entry { node, .. } in &mut table.entries {
        watch_node(node, record);
    }
}

fn watch_node(node: &mut Node, record: &Record) {
    match &mut node.value {
        Value::Table(table) => watch(table, record),
        Value::List(items) => items.iter_mut().for_each(|item| watch_node(item, record)),
        _ => {}
    }
}

/// The format as a JSON Schema.
pub fn json_schema(known: &Known) -> Json {
    let keys = keys(known);
    let mut top = object(&keys, "");
    let properties = top["properties"].as_object_mut().expect("made as an object");
    properties.insert("schema".to_owned(), json!({ "const": SCHEMA }));
    let sections = [
        "system", "cluster", "time", "network", "disk", "budget", "clock", "workload", "operator", "recovery", "swarm",
        "expect",
    ];
    for section in sections {
        properties.insert(section.to_owned(), section_schema(&keys, section));
    }
    let mut order = object(&keys, SCRIPTED);
    order["required"] = json!(["at"]);
    let at_random = properties["operator"].clone();
    let several = json!({ "type": "array", "items": { "anyOf": [order, at_random] } });
    properties.insert("operator".to_owned(), json!({ "anyOf": [at_random, several] }));
    let kinds: Vec<Json> = read_fault::kind_names()
        .map(|kind| {
            let mut schema = object(&keys, &format!("fault.{kind}."));
            schema["properties"]["kind"] = json!({ "const": kind });
            schema["required"] = json!(["kind"]);
            schema
        })
        .collect();
    properties.insert(
        "fault".to_owned(),
        json!({ "type": "array", "items": { "anyOf": kinds } }),
    );
    top["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    top["title"] = SCHEMA.into();
    top["required"] = json!(["schema", "name"]);
    top
}

fn section_schema(keys: &[Key], section: &str) -> Json {
    let prefix = format!("{section}.");
    let mut schema = object(keys, &prefix);
    let nested: Vec<&str> = keys
        .iter()
        .filter(|key| !key.path.starts_with(SCRIPTED))
        .filter_map(|key| key.path.strip_prefix(&prefix)?.split_once('.'))
        .map(|(nested, _)| nested)
        .collect();
    for nested in nested {
        schema["properties"][nested] = object(keys, &format!("{prefix}{nested}."));
    }
    schema
}

/// An object of the keys directly under a prefix.
fn object(keys: &[Key], prefix: &str) -> Json {
    let own = keys.iter().filter_map(|key| {
        let name = key.path.strip_prefix(prefix)?;
        (!name.contains('.')).then(|| (name.to_owned(), key.schema()))
    });
    let properties: Map<String, Json> = own.collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_kv::builtin;

    /// Checks a value against the few words that our schemas use; no general validator.
    fn fits(schema: &Json, value: &Json) -> bool {
        if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
            return options.iter().any(|option| fits(option, value));
        }
        if let Some(only) = schema.get("const") {
            return only == value;
        }
        if let Some(words) = schema.get("enum").and_then(Json::as_array) {
            return words.contains(value);
        }
        match (schema["type"].as_str(), value) {
            (Some("object"), Json::Object(fields)) => {
                let of = |name: &str| schema["properties"].get(name);
                fields
                    .iter()
                    .all(|(name, field)| of(name).is_some_and(|schema| fits(schema, field)))
            }
            (Some("array"), Json::Array(items)) => items.iter().all(|item| fits(&schema["items"], item)),
            (Some("integer"), Json::Number(number)) => {
                let within = |number: i64| {
                    Some(number) >= schema["minimum"].as_i64() && Some(number) <= schema["maximum"].as_i64()
                };
                number.as_i64().is_some_and(within)
            }
            (Some("string"), Json::String(_)) | (Some("boolean"), Json::Bool(_)) => true,
            _ => false,
        }
    }

    fn document(text: &str) -> Json {
        serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
    }

    #[test]
    fn every_built_in_scenario_fits_the_schema_and_a_stray_key_does_not() {
        let schema = json_schema(&crate::raft_kv::known());
        for builtin in builtin() {
            let mut value = document(builtin.text);
            assert!(fits(&schema, &value), "{}", builtin.name);
            value["cluster"]["colour"] = "red".into();
            assert!(!fits(&schema, &value), "{}", builtin.name);
        }
    }

    #[test]
    fn every_key_that_is_written_is_in_the_schema() {
        let schema = json_schema(&crate::raft_kv::known());
        for builtin in builtin() {
            let scenario = crate::scenario::parse(builtin.name, builtin.text, &[], &crate::raft_kv::known()).unwrap();
            assert!(fits(&schema, &document(&scenario.to_toml())), "{}", builtin.name);
        }
    }

    #[test]
    fn a_key_says_its_form_its_bounds_and_its_default() {
        let keys = keys(&crate::raft_kv::known());
        let key = |path: &str| {
            keys.iter()
                .find(|key| key.path == path)
                .unwrap_or_else(|| panic!("no {path}"))
        };
        let nodes = key("cluster.nodes");
        assert_eq!(
            (&nodes.form, nodes.default.as_str(), nodes.is_choice),
            (&Form::Count { min: 1, max: 7 }, "3", true)
        );
        assert_eq!(key("network.loss").form.described(), "0% to 100%");
        assert_eq!(key("fault.crash.for").form.described(), "1us to 1h, or a range A..B");
        assert_eq!(key("fault.crash.limit").default, "10");
        assert_eq!(key("fault.clock-drift.drift").form.described(), "1ppm to 10%");
    }
}
