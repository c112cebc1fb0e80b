//! A map from keys to texts: read, write, append, compare-and-set, delete. Owns the specification of one key of it.

use super::cell::Domain;
use super::{Action, Cell, Compiled, Kind, Misfit, Model};
use crate::history::{Atom, History, Op, Operation, OperationId, Output, TextId, Value};

/// A key-value map of texts. An absent key reads as the empty text, and null means the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyValue;

impl KeyValue {
    const NAME: &'static str = "kv";
    const EMPTY: Atom = Atom::Text(TextId::EMPTY);
    const DOMAIN: Domain = Domain {
        name: KeyValue::NAME,
        canonical: |atom| match atom {
            Atom::Null => Ok(KeyValue::EMPTY),
            Atom::Text(_) => Ok(atom),
            Atom::Integer(_) | Atom::List(_) => Err("values are texts, neither integers nor lists"),
        },
    };
}

/// The text of a key-value `value`: null is the empty one. `None` for what is no value of a map of texts.
fn text(history: &History, value: Atom) -> Option<&str> {
    match history.value(value) {
        Value::Text(text) => Some(text),
        Value::Null => Some(""),
        Value::Integer(_) | Value::List(_) => None,
    }
}

impl Model for KeyValue {
    fn name(&self) -> &'static str {
        KeyValue::NAME
    }

    type State = String;

    fn initial(&self) -> String {
        String::new()
    }

    fn apply(&self, state: &mut String, history: &History, operation: &Operation) -> bool {
        let set = |state: &mut String, text: &str| {
            state.clear();
            state.push_str(text);
        };
        match operation.op {
            Op::Read { .. } => match operation.output {
                Some(Output::Value(value)) => text(history, value) == Some(state),
                _ => true,
            },
            Op::Write { value, .. } => text(history, value).map(|text| set(state, text)).is_some(),
            Op::Append { value, .. } => text(history, value).map(|text| state.push_str(text)).is_some(),
            Op::Cas { from, to, .. } => {
                let (Some(from), Some(to)) = (text(history, from), text(history, to)) else {
                    return false;
                };
                let done = from == state;
                if done {
                    set(state, to);
                }
                operation.output.is_none_or(|output| output == Output::Done(done))
            }
            Op::Delete { .. } => {
                let found = !std::mem::take(state).is_empty();
                match operation.output {
                    Some(Output::Done(done)) => done == found,
                    _ => true,
                }
            }
            _ => false,
        }
    }

    fn show(&self, state: &String, _: &History) -> String {
        Value::Text(state).to_string()
    }

    fn kind(&self, _: &History) -> Kind {
        Kind::Register {
            initial: Some(KeyValue::EMPTY),
        }
    }

    fn action<'h>(&self, _: &'h History, operation: &Operation) -> Option<Action<'h>> {
        KeyValue::DOMAIN.action(operation)
    }

    type Compact<'h> = Cell<'h>;

    fn compile<'h>(
        &self,
        history: &'h History,
        partition: &[OperationId],
        counts: &dyn Fn(OperationId) -> bool,
    ) -> Result<Compiled<Cell<'h>>, Misfit> {
        KeyValue::DOMAIN.compile(history, partition, counts, Some(KeyValue::EMPTY))
    }
}
