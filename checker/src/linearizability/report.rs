//! What a check says: the verdict with its proof, and the figures of the search.

use std::fmt;

use super::{Method, Refusal, Spent, Witness, WitnessError};
use crate::history::{History, Import, OperationId, Value};

/// The answer, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order; it has been replayed.
    Linearizable(Witness),
    /// There is none.
    NotLinearizable(Box<Refusal>),
    /// The budget was spent before either was known.
    Unknown(Unfinished),
}

/// How far a search came that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The key in words; empty for a history without keys.
    pub key: String,
    /// Completed operations of the key that can be explained, by return.
    pub explained: usize,
    /// Completed operations of the key.
    pub completed: usize,
    /// The budget of steps, over all keys: [`Options::steps_max`](super::Options::steps_max).
    pub steps_max: u64,
    /// What ran out.
    pub spent: Spent,
}

impl Unfinished {
    pub(super) fn new(history: &History, ids: &[OperationId], returns: u32, steps_max: u64, spent: Spent) -> Self {
        let key = match ids.first().map(|&id| history.value(history.operation(id).op.key())) {
            None | Some(Value::Null) => String::new(),
            Some(key) => key.to_string(),
        };
        let completed = ids.iter().filter(|&&id| history.returned(id).is_some()).count();
        Unfinished {
            key,
            explained: returns as usize,
            completed,
            steps_max,
            spent,
        }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spent {
            Spent::Steps => write!(f, "the budget of {} steps was spent", self.steps_max)?,
            spent => write!(f, "the budget was spent ({spent})")?,
        }
        if !self.key.is_empty() {
            write!(f, " at key {}", self.key)?;
        }
        write!(
            f,
            ": the first {} of {} completed operations can be explained, the rest is open",
            self.explained, self.completed
        )?;
        f.write_str("; a larger budget, fewer operations of unknown outcome or more keys would help")
    }
}

/// What [`check`](super::check) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The model.
    pub model: &'static str,
    /// Operations in the history.
    pub operations: usize,
    /// Operations without an outcome.
    pub unknown_outcomes: usize,
    /// Operations that did what they were asked, or answered a question.
    pub succeeded: usize,
    /// Keys, each checked alone.
    pub keys: usize,
    /// What was left out of the history when it was read.
    pub import: Import,
    /// Steps of the search: operations tried in a configuration. The cost of the check where no fast method decided, the same on
    /// every machine.
    pub steps: u64,
    /// How many keys each method decided; those that none did are left out.
    pub methods: Vec<(Method, usize)>,
    /// Whether the order that the caller knew explains the history; `None` when there was none. If it does not, that alone
    /// refutes nothing: the verdict is that of the other methods.
    pub order: Option<Result<(), WitnessError>>,
    /// The answer.
    pub verdict: Verdict,
}

impl Report {
    /// Why the verdict *linearizable* is about nothing: no operation succeeded, or none was left.
    pub fn is_about_nothing(&self) -> Option<&'static str> {
        match self.succeeded {
            _ if !self.is_linearizable() => None,
            0 if self.operations == 0 => Some("nothing was left to check"),
            0 => Some("nothing succeeded, so nothing was checked"),
            _ => None,
        }
    }

    /// Whether the history is linearizable beyond doubt.
    pub fn is_linearizable(&self) -> bool {
        matches!(self.verdict, Verdict::Linearizable(_))
    }

    /// The refusal, when the history is not linearizable.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.verdict {
            Verdict::NotLinearizable(refusal) => Some(refusal),
            Verdict::Linearizable(_) | Verdict::Unknown(_) => None,
        }
    }
}

/// The verdict on the first line, its reason below.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match &self.verdict {
            Verdict::Linearizable(_) => "linearizable",
            Verdict::NotLinearizable(_) => "not linearizable",
            Verdict::Unknown(_) => "unknown",
        };
        let plural = if self.operations == 1 { "" } else { "s" };
        write!(f, "{verdict}: {} operation{plural}", self.operations)?;
        if self.unknown_outcomes > 0 {
            write!(f, " ({} of unknown outcome)", self.unknown_outcomes)?;
        }
        write!(
            f,
            ", {} key{}, model {}",
            self.keys,
            if self.keys == 1 { "" } else { "s" },
            self.model
        )?;
        if self.import.leaves_out() {
            write!(f, "\nleft out: {}", self.import)?;
        }
        match &self.verdict {
            Verdict::Linearizable(_) => Ok(()),
            Verdict::NotLinearizable(refusal) => write!(f, "\n{refusal}"),
            Verdict::Unknown(unfinished) => write!(f, "\n{unfinished}"),
        }
    }
}
