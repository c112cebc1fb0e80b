//! Where the keys of a Jepsen file are: `jepsen.independent` runs a test on many objects at once and writes `[key value]` for each
//! `:value`, and a test of registers with versions `[version value]`.
//!
//! It shows in what is invoked: who reads does not know the value yet, and says `[key nil]`. Owns the choice, which is made from the
//! beginning of a file, before its first operation is taken.

use super::edn::Form;

/// Where the keys of a Jepsen file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// Told by the file: in the values if reads are invoked as `[key nil]`.
    #[default]
    Auto,
    /// Each `:value` is `[key value]`.
    InValue,
    /// Each `:value` is the value.
    None,
}

/// Most bytes of a file that are looked at to tell.
pub(super) const LOOK_BYTES_MAX: usize = 4 << 20;

/// How the values of a file are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) has_keys: bool,
    pub(super) has_versions: bool,
}

/// What the invocations so far have shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    /// By an operation that takes a value.
    likely: bool,
    decided: Option<Shape>,
}

impl Evidence {
    /// Looks at one invocation; whether that decides it.
    pub(super) fn invocation(&mut self, function: &str, value: &Form<'_>) -> bool {
        let shape = |has_keys, has_versions| Some(Shape { has_keys, has_versions });
        let asks = matches!(
            function,
            "read" | "get" | "dequeue" | "pop" | "pop-min" | "acquire" | "release" | "drain"
        );
        match value {
            Form::Nil if asks => self.decided = shape(false, false),
            Form::Sequence(pair) => match &pair[..] {
                [Form::Nil, Form::Nil] if asks => self.decided = shape(false, true),
                [_, Form::Nil] if asks => self.decided = shape(true, false),
                [_, Form::Sequence(inner)] if asks && inner[..] == [Form::Nil, Form::Nil] => {
                    self.decided = shape(true, true);
                }
                [_, Form::Sequence(change)] if function == "cas" && change.len() == 2 => self.likely = true,
                [key, Form::Sequence(accesses)] if function == "txn" => {
                    self.likely |= !matches!(key, Form::Sequence(_))
                        && accesses.iter().all(|access| matches!(access, Form::Sequence(_)));
                }
                _ => {}
            },
            _ => {}
        }
        self.decided.is_some()
    }

    pub(super) fn shape(self) -> Shape {
        self.decided.unwrap_or(Shape {
            has_keys: self.likely,
            has_versions: false,
        })
    }
}
