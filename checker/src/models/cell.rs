//! The compact form of registers and key-value maps: one cell that is read, written, compared and appended to.
//!
//! Owns the merging of states. What later operations can tell about the cell's value is only whether it equals one of the
//! *observed* values: the outputs of reads and the `from` of compare-and-sets. All other values are one state,
//! [`CellState::UNOBSERVED`]. With appends a value also matters as a *prefix* of an observed one; anything else can never
//! again become observed except through a write. So a state is a prefix of an observed text, named by the range of sorted
//! observed texts that begin with it, and appending is a binary search: no text is ever built, however long it grows.
//!
//! Which operations and values are legal is decided by the models before they come here.

use super::{Action, Compiled, Misfit, Specification};
use crate::history::{Atom, History, Op, Operation, OperationId, Output, TextId};

/// What a deleted key holds, in the one model that deletes.
const ABSENT: Atom = Atom::Text(TextId::EMPTY);

/// The value of a cell, as far as anyone can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CellState {
    /// The observed values `first..end`, in sorted order, begin with this value; equal to it when there are no appends.
    first: u32,
    end: u32,
    /// Length in bytes; zero when there are no appends.
    length: u32,
}

impl CellState {
    /// Any value that no operation of the partition asks for.
    pub const UNOBSERVED: CellState = CellState {
        first: 0,
        end: 0,
        length: 0,
    };

    fn is_observed(self) -> bool {
        self.first < self.end
    }
}

/// One operation on a cell, with its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellStep {
    /// A read that returned this value.
    Read(CellState),
    /// A read without an output.
    ReadUnknown,
    /// A write of this value.
    Write(CellState),
    /// A compare-and-set that was done.
    CasDone(CellState, CellState),
    /// A compare-and-set that found another value.
    CasRefused(CellState),
    /// A compare-and-set without an output.
    CasUnknown(CellState, CellState),
    /// A delete that found a value, which is not this one, the absent one.
    Deleted(CellState),
    /// An append of a text.
    Append(TextId),
}

/// The cell of one partition.
#[derive(Clone, Debug)]
pub struct Cell<'h> {
    initial: CellState,
    observed: Observed<'h>,
}

/// The observed values of a partition, sorted and without duplicates.
#[derive(Clone, Debug)]
enum Observed<'h> {
    /// No operation appends: a value is known by its name.
    Names(Vec<Atom>),
    /// Texts by their bytes, and the history for the texts that are appended.
    Bytes(Vec<&'h [u8]>, &'h History),
}

/// Maps a value of the history to the one by which the model knows it, or says why it does not fit.
pub(super) type Canonical = fn(Atom) -> Result<Atom, &'static str>;

/// The values of a model.
pub(super) struct Domain {
    /// The model's name.
    pub(super) name: &'static str,
    /// Maps the values that the model takes for equal to one of them; fails on values that do not fit.
    pub(super) canonical: Canonical,
}

impl Domain {
    /// An operation that reads, writes or compares one value, as [`Model::action`](super::Model::action); `None` for an append.
    #[inline]
    pub(super) fn action(&self, operation: &Operation) -> Option<Action<'static>> {
        let canonical = |atom| (self.canonical)(atom).ok();
        Some(match (operation.op, operation.output) {
            (Op::Read { .. }, None) => Action::Nothing,
            (Op::Read { .. }, Some(Output::Value(value))) => Action::Read(canonical(value)?),
            (Op::Write { value, .. }, None | Some(Output::Ok)) => Action::Write(canonical(value)?),
            (Op::Delete { .. }, None | Some(Output::Ok)) => Action::Write(ABSENT),
            (Op::Delete { .. }, Some(Output::Done(false))) => Action::Read(ABSENT),
            (Op::Cas { from, to, .. }, output) => Action::Cas {
                from: canonical(from)?,
                to: canonical(to)?,
                done: match output {
                    None => None,
                    Some(Output::Done(done)) => Some(done),
                    Some(_) => return None,
                },
            },
            _ => return None,
        })
    }

    /// Compiles a partition, as [`Model::compile`](super::Model::compile). Without an initial value the cell begins with one
    /// that nobody can ask for.
    pub(super) fn compile<'h>(
        &self,
        history: &'h History,
        partition: &[OperationId],
        counts: &dyn Fn(OperationId) -> bool,
        initial: Option<Atom>,
    ) -> Result<Compiled<Cell<'h>>, Misfit> {
        let observed = self.observed(history, partition, counts);
        let mut steps = Vec::with_capacity(partition.len());
        for &id in partition {
            let step = self.step(history, id, counts(id), &observed);
            steps.push(step.map_err(|what| Misfit::new(history, id, self.name, what))?);
        }
        let initial = initial.map_or(CellState::UNOBSERVED, |atom| observed.locate(history, atom));
        Ok(Compiled {
            specification: Cell { initial, observed },
            steps,
        })
    }

    fn step(
        &self,
        history: &History,
        id: OperationId,
        counts: bool,
        observed: &Observed<'_>,
    ) -> Result<CellStep, &'static str> {
        let operation = history.operation(id);
        let locate = |atom| Ok::<_, &'static str>(observed.locate(history, (self.canonical)(atom)?));
        Ok(match (operation.op, operation.output) {
            (Op::Read { .. }, None) => CellStep::ReadUnknown,
            (Op::Read { .. }, Some(Output::Value(_))) if !counts => CellStep::ReadUnknown,
            (Op::Read { .. }, Some(Output::Value(value))) => CellStep::Read(locate(value)?),
            (Op::Write { value, .. }, None | Some(Output::Ok)) => CellStep::Write(locate(value)?),
            (Op::Cas { to, .. }, None | Some(Output::Done(_))) if !counts => CellStep::Write(locate(to)?),
            (Op::Cas { from, to, .. }, None) => CellStep::CasUnknown(locate(from)?, locate(to)?),
            (Op::Cas { from, to, .. }, Some(Output::Done(true))) => CellStep::CasDone(locate(from)?, locate(to)?),
            (Op::Cas { from, .. }, Some(Output::Done(false))) => CellStep::CasRefused(locate(from)?),
            (Op::Delete { .. }, None | Some(Output::Ok)) => CellStep::Write(locate(ABSENT)?),
            (Op::Delete { .. }, Some(Output::Done(_))) if !counts => CellStep::Write(locate(ABSENT)?),
            (Op::Delete { .. }, Some(Output::Done(true))) => CellStep::Deleted(locate(ABSENT)?),
            (Op::Delete { .. }, Some(Output::Done(false))) => CellStep::Read(locate(ABSENT)?),
            (Op::Append { value, .. }, None | Some(Output::Ok)) => match (self.canonical)(value)? {
                Atom::Text(text) => CellStep::Append(text),
                Atom::Null | Atom::Integer(_) | Atom::List(_) => return Err("only a text can be appended"),
            },
            (Op::Read { .. } | Op::Write { .. } | Op::Cas { .. } | Op::Append { .. } | Op::Delete { .. }, Some(_)) => {
                return Err("its output is of another operation");
            }
            _ => return Err("a map of texts has read, write, cas, append and delete"),
        })
    }

    /// The values that answers which count ask for. Values that do not fit are left to [`step`](Self::step).
    fn observed<'h>(
        &self,
        history: &'h History,
        partition: &[OperationId],
        counts: &dyn Fn(OperationId) -> bool,
    ) -> Observed<'h> {
        let mut appends = false;
        let mut names = Vec::with_capacity(partition.len());
        for &id in partition {
            let operation = history.operation(id);
            match (operation.op, operation.output) {
                (Op::Append { .. }, _) => appends = true,
                (Op::Read { .. }, Some(Output::Value(value))) if counts(id) => names.extend((self.canonical)(value)),
                (Op::Delete { .. }, Some(Output::Done(_))) if counts(id) => names.push(ABSENT),
                (Op::Cas { from, .. }, _) if counts(id) => names.extend((self.canonical)(from)),
                _ => {}
            }
        }
        names.sort_unstable();
        names.dedup();
        if !appends {
            return Observed::Names(names);
        }
        let bytes = |atom| match atom {
            Atom::Text(text) => Some(history.text(text).as_bytes()),
            Atom::Null | Atom::Integer(_) | Atom::List(_) => None,
        };
        let mut texts: Vec<&[u8]> = names.into_iter().filter_map(bytes).collect();
        texts.sort_unstable();
        Observed::Bytes(texts, history)
    }
}

impl Specification for Cell<'_> {
    type State = CellState;
    type Step = CellStep;

    fn initial(&self) -> CellState {
        self.initial
    }

    fn step(&self, &state: &CellState, step: &CellStep) -> Option<CellState> {
        match *step {
            CellStep::Read(value) => (state == value).then_some(state),
            CellStep::ReadUnknown => Some(state),
            CellStep::Write(value) => Some(value),
            CellStep::CasDone(from, to) => (state == from).then_some(to),
            CellStep::CasRefused(from) => (state != from).then_some(state),
            CellStep::CasUnknown(from, to) => Some(if state == from { to } else { state }),
            CellStep::Deleted(absent) => (state != absent).then_some(absent),
            CellStep::Append(text) => Some(self.observed.append(state, text)),
        }
    }

    fn elsewhere(&self) -> Option<CellState> {
        Some(CellState::UNOBSERVED)
    }

    fn is_read_only(&self, step: &CellStep) -> bool {
        match *step {
            CellStep::Read(_) | CellStep::ReadUnknown | CellStep::CasRefused(_) => true,
            CellStep::CasDone(from, to) | CellStep::CasUnknown(from, to) => from == to,
            CellStep::Write(_) | CellStep::Deleted(_) => false,
            CellStep::Append(text) => text == TextId::EMPTY,
        }
    }
}

impl Observed<'_> {
    /// The state of a cell that holds `value`, a canonical one.
    fn locate(&self, history: &History, value: Atom) -> CellState {
        match self {
            Observed::Names(names) => match names.binary_search(&value) {
                Ok(index) => CellState {
                    first: index as u32,
                    end: index as u32 + 1,
                    length: 0,
                },
                Err(_) => CellState::UNOBSERVED,
            },
            Observed::Bytes(texts, _) => match value {
                Atom::Text(text) => extend(texts, self.everything(), history.text(text).as_bytes()),
                Atom::Null | Atom::Integer(_) | Atom::List(_) => CellState::UNOBSERVED,
            },
        }
    }

    /// The empty text, of which every text is an extension.
    fn everything(&self) -> CellState {
        match self {
            Observed::Names(_) => unreachable!("only a partition with appends compares prefixes"),
            Observed::Bytes(texts, _) => CellState {
                first: 0,
                end: texts.len() as u32,
                length: 0,
            },
        }
    }

    fn append(&self, state: CellState, text: TextId) -> CellState {
        match self {
            Observed::Names(_) => unreachable!("a partition without appends compiles no append"),
            Observed::Bytes(texts, history) => extend(texts, state, history.text(text).as_bytes()),
        }
    }
}

/// The state of a cell that held `state` when `suffix` is appended.
fn extend(texts: &[&[u8]], state: CellState, suffix: &[u8]) -> CellState {
    if !state.is_observed() || suffix.is_empty() {
        return state;
    }
    let candidates = &texts[state.first as usize..state.end as usize];
    let tail = |text: &&[u8]| text[state.length as usize..].cmp(suffix);
    let skipped = candidates.partition_point(|text| tail(text).is_lt());
    let matching = candidates[skipped..].partition_point(|text| text[state.length as usize..].starts_with(suffix));
    if matching == 0 {
        return CellState::UNOBSERVED;
    }
    let first = state.first + skipped as u32;
    CellState {
        first,
        end: first + matching as u32,
        length: state.length + suffix.len() as u32,
    }
}
