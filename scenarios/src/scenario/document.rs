//! A TOML document as a tree in which each key and value knows where it was written, with overrides applied.
//!
//! Owns parsing of the text and the paths of overrides. Knows nothing of the format: what a key means is for the
//! reading modules to say.

use super::error::{Misfit, Problem, shown};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Bytes `start..end` of the text.
    Text { start: usize, end: usize },
    /// The override of this index.
    Override(usize),
    /// Nowhere in particular: the document as a whole.
    Whole,
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub struct Node {
    pub mark: Mark,
    pub value: Value,
}

/// A TOML value. Numbers that are not integers keep their spelling: the format has none.
#[derive(Debug, Clone)]
pub enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
    /// A value of a type that the format never uses, with what it is called.
    Alien(&'static str, String),
}

/// The entries of a table, in the order in which they were written; those of overrides come last.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub entries: Vec<Entry>,
    /// Where the reader notes which keys it asks for, when somebody wants to know.
    pub record: Option<super::schema::Record>,
    /// Where the reader notes lists that stand for one value, when that is allowed.
    pub lists: Option<super::alternatives::Lists>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: String,
    pub key_mark: Mark,
    pub node: Node,
}

impl Table {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }
}

impl Node {
    /// What the value is, for a message: "the integer 5".
    pub fn described(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the text \"{}\"", shown(text)),
            Value::Integer(number) => format!("the integer {number}"),
            Value::Flag(flag) => format!("the flag {flag}"),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Table(_) => "a table".to_owned(),
            Value::Alien(noun, spelling) => format!("the {noun} {}", shown(spelling)),
        }
    }
}

/// Parses the text of a document.
pub fn read(text: &str) -> Result<Table, Misfit> {
    let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
    Ok(table(document.get_ref(), None))
}

/// The parser's complaint, in clearer words where it is a frequent one.
fn syntax(text: &str, error: &toml::de::Error) -> Misfit {
    let Some(span) = error.span() else {
        return Misfit::new(
            Mark::Whole,
            Problem::Syntax {
                message: shown(error.message()),
            },
        );
    };
    let mark = Mark::Text {
        start: span.start,
        end: span.end,
    };
    let there = text.get(span).unwrap_or_default();
    let problem = match error.message() {
        "duplicate key" => Problem::DuplicateKey { key: shown(there) },
        message if message.starts_with("string values must be quoted") => {
            let message = if there.is_empty() {
                "there is no value here"
            } else {
                "a text must stand in double quotes"
            };
            Problem::Syntax {
                message: message.to_owned(),
            }
        }
        message => Problem::Syntax {
            message: shown(message),
        },
    };
    Misfit::new(mark, problem)
}

/// Most parts of an override's path: more than the format's deepest key has, and few enough to build without a thought.
const DEEPEST: usize = 8;

/// Sets the value at a dotted path, such as `cluster.nodes` or `fault.0.every`; tables that are missing on the way come
/// into being. The value is read as TOML where it is TOML, and is a text otherwise.
pub fn set(document: &mut Table, index: usize, path: &str, value: &str) -> Result<(), Misfit> {
    let mark = Mark::Override(index);
    let unfit = |what: String, remedy: &str| Err(Misfit::unfit(mark, what, remedy));
    let segments: Vec<&str> = path.split('.').map(str::trim).collect();
    if segments.len() > DEEPEST || segments.iter().any(|segment| segment.is_empty()) {
        return unfit(
            format!("\"{}\" is not the path of a key", shown(path)),
            "write KEY=VALUE with a dotted path, such as cluster.nodes=5 or fault.0.every=2s..4s",
        );
    }
    let (last, way) = segments.split_last().expect("splitting a text gives at least one part");
    let mut table = document;
    let mut at = 0;
    while at < way.len() {
        let node = child(table, way[at], mark);
        at += 1;
        let described = node.described();
        table = match &mut node.value {
            Value::Table(table) => table,
            Value::List(items) => {
                let count = items.len();
                let item = way
                    .get(at)
                    .and_then(|digits| digits.parse::<usize>().ok())
                    .and_then(|n| items.get_mut(n));
                let Some(Node {
                    value: Value::Table(table),
                    ..
                }) = item
                else {
                    let list = shown(&way[..at].join("."));
                    return unfit(
                        format!(
                            "`{}` is not in the document: `{list}` is a list of {count}",
                            shown(path)
                        ),
                        &format!("write `{list}.N.KEY` with N counted from 0"),
                    );
                };
                at += 1;
                table
            }
            _ => {
                let parent = shown(&way[..at].join("."));
                return unfit(
                    format!("`{parent}` is {described}, which has no keys"),
                    "write the path of a key that exists, such as cluster.nodes",
                );
            }
        };
    }
    *child(table, last, mark) = override_value(value, mark);
    Ok(())
}

/// The value at a dotted path such as `cluster.nodes` or `fault.0.every`, if there is one.
pub fn find<'t>(document: &'t mut Table, path: &str) -> Option<&'t mut Node> {
    let mut segments = path.split('.');
    let first = segments.next()?;
    let mut node = entry(document, first)?;
    for segment in segments {
        node = match &mut node.value {
            Value::Table(table) => entry(table, segment)?,
            Value::List(items) => items.get_mut(segment.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(node)
}

fn entry<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Node> {
    let place = table.position(key)?;
    Some(&mut table.entries[place].node)
}

/// The value of `key` in `table`; an empty table of that name if there is none.
fn child<'t>(table: &'t mut Table, key: &str, mark: Mark) -> &'t mut Node {
    let position = table.position(key).unwrap_or_else(|| {
        let node = Node {
            mark,
            value: Value::Table(Table::default()),
        };
        table.entries.push(Entry {
            key: key.to_owned(),
            key_mark: mark,
            node,
        });
        table.entries.len() - 1
    });
    &mut table.entries[position].node
}

fn override_value(text: &str, mark: Mark) -> Node {
    match DeValue::parse(text) {
        Ok(value) => node(&value, Some(mark)),
        Err(_) => Node {
            mark,
            value: Value::Text(text.to_owned()),
        },
    }
}

/// Copies the parser's tree; `within` replaces the places in it, for a value that comes from an override.
fn table(source: &DeTable<'_>, within: Option<Mark>) -> Table {
    let mut spanned: Vec<_> = source.iter().collect();
    spanned.sort_by_key(|(key, _)| key.span().start);
    let entries = spanned.into_iter().map(|(key, value)| Entry {
        key: key.get_ref().to_string(),
        key_mark: within.unwrap_or(Mark::Text {
            start: key.span().start,
            end: key.span().end,
        }),
        node: node(value, within),
    });
    Table {
        entries: entries.collect(),
        record: None,
        lists: None,
    }
}

fn node(source: &Spanned<DeValue<'_>>, within: Option<Mark>) -> Node {
    let span = source.span();
    let mark = within.unwrap_or(Mark::Text {
        start: span.start,
        end: span.end,
    });
    let value = match source.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Alien("integer", number.to_string()), Value::Integer),
        DeValue::Float(number) => Value::Alien("decimal number", number.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(moment) => Value::Alien("date", moment.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, within)).collect()),
        DeValue::Table(entries) => Value::Table(table(entries, within)),
    };
    Node { mark, value }
}

/// Where the value at a dotted path was written; the nearest of what it is part of where it was not.
pub fn mark_of(text: &str, overrides: &[(String, String)], path: &str) -> Mark {
    let Ok(mut document) = read(text) else {
        return Mark::Whole;
    };
    for (index, (path, value)) in overrides.iter().enumerate() {
        if set(&mut document, index, path, value).is_err() {
            return Mark::Whole;
        }
    }
    let mut mark = Mark::Whole;
    let mut table = &document;
    let mut segments = path.split('.');
    while let Some(node) = segments.next().and_then(|key| table.get(key)) {
        mark = node.mark;
        let inner = match &node.value {
            Value::List(items) => segments
                .next()
                .and_then(|digits| digits.parse::<usize>().ok())
                .and_then(|index| items.get(index)),
            _ => Some(node),
        };
        let Some(inner) = inner else { break };
        mark = inner.mark;
        let Value::Table(next) = &inner.value else { break };
        table = next;
    }
    mark
}
