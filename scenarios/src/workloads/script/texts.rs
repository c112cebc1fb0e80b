//! Texts: reads, writes, compare-and-sets and appends.

use super::{Ctx, Unique, key};
use crate::operation::{Key, Operation, Reply, Value};

/// Asks for texts.
#[derive(Clone, Debug)]
pub struct Texts {
    mix: [u32; 4],
    value_bytes: usize,
    /// What it saw last of each key: compare-and-sets then often succeed.
    seen: Vec<Value>,
}

impl Texts {
    pub(super) fn new(keys: u16, mix: [u32; 4], value_bytes: usize) -> Self {
        Self {
            mix,
            value_bytes,
            seen: vec![Value::from(""); usize::from(keys)],
        }
    }

    pub(super) fn keys(&self) -> u16 {
        self.seen.len() as u16
    }

    pub(super) fn draw(&mut self, unique: Unique, ctx: &mut Ctx<'_>) -> Operation {
        let [read, write, cas, append] = self.mix;
        let key = key(self.keys(), ctx);
        let total = u64::from(read) + u64::from(write) + u64::from(cas) + u64::from(append);
        let draw = ctx.range(0, total - 1) as u32;
        let unique = format!("{}.{}", unique.client, unique.number);
        let padded = |mut text: String| {
            let missing = self.value_bytes.saturating_sub(text.len());
            text.push_str(&"-".repeat(missing));
            Value::from(text)
        };
        if draw < read {
            Operation::Read { key }
        } else if draw < read + write {
            Operation::Write {
                key,
                value: padded(unique),
            }
        } else if draw < read + write + cas {
            Operation::Cas {
                key,
                from: self.seen[usize::from(key)].clone(),
                to: padded(unique),
            }
        } else {
            Operation::Append {
                key,
                value: format!("+{unique}").into(),
            }
        }
    }

    pub(super) fn answered(&mut self, operation: &Operation, reply: &Reply) {
        if let (Reply::Value { value }, Operation::Read { key }) | (Reply::Done, Operation::Write { key, value }) =
            (reply, operation)
        {
            self.seen[usize::from(*key)] = value.clone();
        }
    }

    /// What the faults left is read before it is overwritten.
    pub(super) fn serve(&self, key: Key) -> [Operation; 3] {
        let value = format!("served-{key}").into();
        [
            Operation::Read { key },
            Operation::Write { key, value },
            Operation::Read { key },
        ]
    }
}
