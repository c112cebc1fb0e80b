//! The reason of a refusal in one English sentence, from the kind of the core.
//!
//! Owns the kinds: a value read after it was overwritten, a value that nobody wrote, a miss that should have been a hit, an
//! element taken twice, out of turn or not at all, a list that lacks an item. Each is *proved* from the history before it is said
//! (no other operation of the key could save it), so a sentence is never a guess; what fits none gets the plain one.

use super::excerpt::Cut;
use crate::history::{Atom, History, OPERATIONS, Op, Operation, OperationId, Output, TextId, Value};

/// Most operations of unknown outcome that are spoken of.
const UNKNOWN_SPOKEN_MAX: usize = 3;

/// A refusal, as far as its sentence needs it.
pub(super) struct Case<'a> {
    pub(super) history: &'a History,
    pub(super) stuck: OperationId,
    /// The return of `stuck`.
    pub(super) cut: Cut,
    pub(super) core: &'a [OperationId],
    pub(super) context: &'a [OperationId],
    /// Values that the key has after the nearest orders.
    pub(super) states: &'a [String],
    /// What the model says of the stuck operation's answer.
    pub(super) remark: Option<String>,
}

impl Case<'_> {
    /// The sentence.
    pub(super) fn sentence(&self) -> String {
        let kinds = [
            Case::remarked,
            Case::aborted_read,
            Case::stale_read,
            Case::false_miss,
            Case::lost_append,
            Case::wrong_take,
            Case::wrong_list,
        ];
        let sentence = kinds.iter().find_map(|kind| kind(self)).unwrap_or_else(|| self.plain());
        sentence + &self.unknown_outcomes()
    }

    /// As it was known when the stuck operation returned.
    fn operation(&self, id: OperationId) -> Operation {
        self.cut.known(self.history.operation(id), id)
    }

    /// When it returned, be it after the stuck one.
    fn returned(&self, id: OperationId) -> u64 {
        self.history.returned(id).unwrap_or(u64::MAX)
    }

    fn precedes(&self, earlier: OperationId, later: OperationId) -> bool {
        self.returned(earlier) < self.operation(later).call
    }

    /// `` `read "k" -> 3` by client 4 [1797, 1803] ``
    fn said(&self, id: OperationId) -> String {
        let Operation {
            client, call, returned, ..
        } = self.history.operation(id);
        let interval = match returned {
            Some(_) => self.history.clock().interval(call, returned),
            None => format!("[{}, …]", self.history.clock().time(call)),
        };
        format!("`{}` by client {client} {interval}", self.history.describe(id))
    }

    /// When the stuck operation returned, in words.
    fn end(&self) -> String {
        self.history.clock().time(self.returned(self.stuck))
    }

    /// The operations of the key that were called by the time at which the stuck one returned.
    fn by_then(&self) -> impl Iterator<Item = OperationId> {
        let (key, end) = (self.history.key_place(self.stuck), self.returned(self.stuck));
        let is_of_key = move |id: &OperationId| self.history.key_place(*id) == key && self.history.call(*id) <= end;
        self.history.ids().filter(is_of_key)
    }

    /// Core and context, the latest call first.
    fn shown(&self) -> Vec<OperationId> {
        let mut shown: Vec<OperationId> = self.core.iter().chain(self.context).copied().collect();
        shown.sort_by_key(|&id| std::cmp::Reverse(self.operation(id).call));
        shown
    }

    fn remarked(&self) -> Option<String> {
        let remark = self.remark.as_ref()?;
        Some(format!("{} cannot be right: {remark}.", self.said(self.stuck)))
    }

    /// A value was found that only an operation brought which had failed: an aborted read (Adya 1999, G1a).
    fn aborted_read(&self) -> Option<String> {
        let stuck = self.operation(self.stuck);
        let key = stuck.op.key();
        let end = self.returned(self.stuck);
        let refused = |operation: &Operation| operation.output == Some(Output::Done(false));
        let is_failed = |&id: &OperationId| refused(&self.operation(id));
        // The core says nothing else than that.
        let others = self.core.iter().filter(|id| **id != self.stuck);
        if !self.context.is_empty() || !others.copied().all(|id| is_failed(&id)) {
            return None;
        }
        // What was dropped when the file was read, and what is in the history as refused.
        let dropped = self.history.import().failed.iter().copied();
        let dropped = dropped.filter(|failed| failed.op.key() == key && failed.call <= end);
        let in_history = self.by_then().map(|id| self.operation(id)).filter(refused);
        let failed: Vec<Operation> = dropped.chain(in_history).collect();
        if failed.is_empty() {
            return None;
        }
        let brought: Vec<Brought> = self
            .by_then()
            .filter(|id| *id != self.stuck && !is_failed(id))
            .flat_map(|id| brought(self.history, &self.operation(id)))
            .collect();
        shown(self.history, &stuck).into_iter().find_map(|seen| {
            if is_empty(seen.1) || brought.contains(&seen) {
                return None;
            }
            let by = failed
                .iter()
                .find(|failed| brought_if_done(self.history, failed).contains(&seen))?;
            let value = self.history.value(seen.1);
            let did = match by.op {
                Op::Append { .. } => format!("appended {value}"),
                Op::Add { .. } => format!("added {value}"),
                Op::Enqueue { .. } | Op::Push { .. } | Op::Insert { .. } => format!("put in {value}"),
                Op::Cas { .. } => format!("was to set {value} by compare-and-set"),
                Op::Txn { .. } => {
                    let register = seen.0.map_or(Value::Null, |register| self.history.value(register));
                    format!("wrote {value} to register {register}")
                }
                _ => format!("wrote {value}"),
            };
            Some(format!(
                "{} has {value} from an operation that failed: client {} {did} and was told that it failed {}; nobody else had brought \
                 {value} by {} (an aborted read).",
                self.said(self.stuck),
                by.client,
                self.history.clock().interval(by.call, by.returned),
                self.end(),
            ))
        })
    }

    /// A value was found that had been overwritten, or that nobody wrote.
    fn stale_read(&self) -> Option<String> {
        let found = found(&self.operation(self.stuck))?;
        let of_register: Vec<bool> = OPERATIONS
            .iter()
            .map(|info| matches!(info.name, "read" | "write" | "cas"))
            .collect();
        if !self.by_then().all(|id| of_register[self.history.row(id)]) {
            return None;
        }
        let writes = |&id: &OperationId| {
            (is_empty(found) || self.history.mentions(id, found))
                && written(&self.operation(id)).is_some_and(|value| same(value, found))
        };
        let writers: Vec<OperationId> = self.by_then().filter(|id| writes(id) && *id != self.stuck).collect();
        let (stuck, value) = (self.said(self.stuck), self.history.value(found));
        if writers.is_empty() && self.core.len() == 1 && self.context.is_empty() {
            let end = self.end();
            return Some(format!("{stuck} found {value}, which nobody had written by {end}."));
        }
        let other = |id: &OperationId| {
            let operation = self.operation(*id);
            let differs = |value: Option<Atom>| value.is_some_and(|value| !same(value, found));
            (differs(written(&operation)) || differs(found_by_now(&operation)))
                && self.precedes(*id, self.stuck)
                && writers.iter().all(|&writer| self.precedes(writer, *id))
        };
        let between = self.shown().into_iter().find(other)?;
        let between_said = self.said(between);
        Some(
            match writers.iter().max_by_key(|&&writer| self.operation(writer).call) {
                Some(&writer) => format!(
                    "{stuck} began after {between_said} had returned, which began after {} had returned; {value} was never written again.",
                    self.said(writer)
                ),
                None => format!("{stuck} began after {between_said} had returned; {value} was never written."),
            },
        )
    }

    /// A compare-and-set was refused while the value was what it asked for.
    fn false_miss(&self) -> Option<String> {
        let operation = self.operation(self.stuck);
        let (Op::Cas { from, .. }, Some(Output::Done(false))) = (operation.op, operation.output) else {
            return None;
        };
        let sets = |id: &OperationId| written(&self.operation(*id)) == Some(from) && self.precedes(*id, self.stuck);
        let writer = self.shown().into_iter().find(sets)?;
        let interferes = |id: OperationId| {
            let operation = self.operation(id);
            let changes = match operation.op {
                Op::Write { .. } | Op::Cas { .. } => written(&operation).is_some_and(|value| value != from),
                op => !matches!(op, Op::Read { .. }),
            };
            changes && !self.precedes(id, writer)
        };
        if self.by_then().any(interferes) {
            return None;
        }
        Some(format!(
            "{} began after {} had returned, and nothing else was written in between, so it should have found {}.",
            self.said(self.stuck),
            self.said(writer),
            self.history.value(from)
        ))
    }

    /// A text was read without what had been appended to it.
    fn lost_append(&self) -> Option<String> {
        let Some(Output::Value(Atom::Text(text))) = self.operation(self.stuck).output else {
            return None;
        };
        let read = self.history.text(text);
        let overwrites = |id: &OperationId| !matches!(self.operation(*id).op, Op::Read { .. } | Op::Append { .. });
        let is_lost = |id: &OperationId| {
            let Op::Append {
                value: Atom::Text(added),
                ..
            } = self.operation(*id).op
            else {
                return false;
            };
            !read.contains(self.history.text(added))
                && self.precedes(*id, self.stuck)
                && self.by_then().filter(overwrites).all(|other| self.precedes(other, *id))
        };
        let lost = self.shown().into_iter().find(is_lost)?;
        Some(format!(
            "{} lacks the text of {}, which had returned before it began; nothing was written over it since.",
            self.said(self.stuck),
            self.said(lost)
        ))
    }

    /// An element was taken from a queue, stack or priority queue that was not there, or there was one and none was found.
    fn wrong_take(&self) -> Option<String> {
        let operation = self.operation(self.stuck);
        let taken = taken(&operation)?;
        let puts = |value: Atom| {
            self.by_then()
                .filter(move |&id| put(&self.operation(id)) == Some(value))
        };
        let stuck = self.said(self.stuck);
        if taken == Atom::Null {
            // Whoever takes without an answer might have emptied it.
            let emptied = |value: Atom| {
                self.by_then().any(|id| {
                    let operation = self.operation(id);
                    is_take(&operation) && (operation.output.is_none() || taken_by(&operation, value))
                })
            };
            let is_inside = |id: &OperationId| {
                put(&self.operation(*id)).is_some_and(|value| !emptied(value)) && self.precedes(*id, self.stuck)
            };
            let inside = self.shown().into_iter().find(is_inside)?;
            return Some(format!(
                "{stuck} found nothing, though {} had returned before it began, and nobody had taken that element.",
                self.said(inside)
            ));
        }
        let (value, end) = (self.history.value(taken), self.end());
        let count = puts(taken).count();
        if count == 0 {
            return Some(format!("{stuck} took {value}, which nobody had put in by {end}."));
        }
        let takers: Vec<OperationId> = self
            .by_then()
            .filter(|&id| {
                taken_by(&self.operation(id), taken)
                    && self.returned(id) <= self.returned(self.stuck)
                    && id != self.stuck
            })
            .collect();
        if takers.len() >= count {
            let times = if count == 1 {
                "once".to_owned()
            } else {
                format!("{count} times")
            };
            return Some(format!(
                "{stuck} took {value}, which was put in only {times}, and {} had taken it already.",
                self.said(*takers.last()?)
            ));
        }
        let is_queue = matches!(operation.op, Op::Dequeue { .. });
        let (Some(own), 1, true) = (puts(taken).next(), count, is_queue) else {
            return None;
        };
        let is_first = |id: &OperationId| {
            let Some(other) = put(&self.operation(*id)) else {
                return false;
            };
            let left_before = |id: OperationId| {
                let operation = self.operation(id);
                is_take(&operation) && (operation.output.is_none() || taken_by(&operation, other))
            };
            self.precedes(*id, own) && !self.by_then().any(left_before)
        };
        let first = self.shown().into_iter().find(is_first)?;
        Some(format!(
            "{stuck} took {value} out of turn: {} had returned before {} began, and nobody had taken that element by {end}.",
            self.said(first),
            self.said(own)
        ))
    }

    /// A list was read without an item that was in it, with one that was not, or in another order than before.
    fn wrong_list(&self) -> Option<String> {
        let read = self.read_list(self.stuck)?;
        if self
            .by_then()
            .any(|id| !matches!(self.operation(id).op, Op::Append { .. } | Op::Read { .. }))
        {
            return None;
        }
        // Sets and banks are read as lists, too.
        let key = self.history.key_place(self.stuck);
        let is_append = |id: &OperationId| matches!(self.history.operation(*id).op, Op::Append { .. });
        if !self
            .history
            .ids()
            .any(|id| self.history.key_place(id) == key && is_append(&id))
        {
            return None;
        }
        let appended = |id: OperationId| match self.operation(id).op {
            Op::Append { value, .. } => Some(value),
            _ => None,
        };
        let stuck = self.said(self.stuck);
        let lacks = |id: &OperationId| {
            appended(*id).is_some_and(|value| !read.contains(&value)) && self.precedes(*id, self.stuck)
        };
        if let Some(missing) = self.by_then().find(lacks) {
            return Some(format!(
                "{stuck} lacks the item of {}, which had returned before it began.",
                self.said(missing)
            ));
        }
        let unknown = read
            .iter()
            .find(|&&item| !self.by_then().any(|id| appended(id) == Some(item)));
        if let Some(&item) = unknown {
            let (item, end) = (self.history.value(item), self.end());
            return Some(format!("{stuck} has {item}, which nobody had appended by {end}."));
        }
        let mut others = self.shown().into_iter().filter(|&id| id != self.stuck);
        others.find_map(|other| {
            let before = self.read_list(other)?;
            let position = before.iter().zip(read).position(|(one, two)| one != two)?;
            Some(format!(
                "{stuck} and {} disagree about the item at position {position}, and items never move.",
                self.said(other)
            ))
        })
    }

    fn read_list(&self, id: OperationId) -> Option<&[Atom]> {
        let operation = self.operation(id);
        match (operation.op, operation.output) {
            (Op::Read { .. }, Some(Output::Value(Atom::List(list)))) => Some(self.history.list(list)),
            _ => None,
        }
    }

    fn plain(&self) -> String {
        let held = match self.states {
            [] => String::new(),
            [only] => format!("; the nearest leave the key holding {only}"),
            [first @ .., last] => format!("; the nearest leave the key holding {} or {last}", first.join(", ")),
        };
        let rest = if self.core.len() == 1 {
            "Nothing could have made it true, whichever of the other operations happened.".to_owned()
        } else {
            let count = self.core.len();
            format!("The {count} operations of the core contradict each other, whichever of the others happened.")
        };
        format!(
            "No order of what was called by {} makes the answer of {} true{held}. {rest}",
            self.end(),
            self.said(self.stuck)
        )
    }

    /// Operations of unknown outcome that one might suspect.
    fn unknown_outcomes(&self) -> String {
        let end = self.returned(self.stuck);
        let is_open = |id: &OperationId| {
            let operation = self.operation(*id);
            self.returned(*id) > end
                && !matches!(operation.op, Op::Read { .. } | Op::Contains { .. } | Op::Fetch { .. })
        };
        let open: Vec<String> = self
            .shown()
            .into_iter()
            .filter(is_open)
            .take(UNKNOWN_SPOKEN_MAX)
            .map(|id| {
                let operation = self.operation(id);
                let word = if self.history.returned(id).is_none() {
                    "timed-out"
                } else {
                    "unfinished"
                };
                let described = self.history.describe(id);
                let described = described.split(" (outcome unknown)").next().unwrap_or_default();
                format!("the {word} `{described}` of client {}", operation.client)
            })
            .collect();
        match &open[..] {
            [] => String::new(),
            open => format!(" That is so even if {} took effect.", open.join(", or ")),
        }
    }
}

/// Whether two values may be the same in some model: null is the empty text to a map of texts.
fn same(one: Atom, other: Atom) -> bool {
    one == other || is_empty(one) && is_empty(other)
}

fn is_empty(value: Atom) -> bool {
    matches!(value, Atom::Null | Atom::Text(TextId::EMPTY))
}

/// A value that came to be somewhere: in a register of a transaction, or in the object itself.
type Brought = (Option<Atom>, Atom);

/// What an operation that was not refused may have brought.
fn brought(history: &History, operation: &Operation) -> Vec<Brought> {
    if operation.output == Some(Output::Done(false)) {
        Vec::new()
    } else {
        brought_if_done(history, operation)
    }
}

/// What an operation would bring if it were done.
fn brought_if_done(history: &History, operation: &Operation) -> Vec<Brought> {
    match operation.op {
        Op::Write { value, .. }
        | Op::Cas { to: value, .. }
        | Op::Append { value, .. }
        | Op::Add { value, .. }
        | Op::Enqueue { value, .. }
        | Op::Push { value, .. }
        | Op::Insert { value, .. } => vec![(None, value)],
        Op::Txn {
            value: Atom::List(list),
            ..
        } => {
            let write = |&access: &Atom| match access {
                Atom::List(parts) => match *history.list(parts) {
                    [_, register, value] => Some((Some(register), value)),
                    _ => None,
                },
                _ => None,
            };
            history.list(list).iter().filter_map(write).collect()
        }
        _ => Vec::new(),
    }
}

/// What the answer of an operation shows to be there.
fn shown(history: &History, operation: &Operation) -> Vec<Brought> {
    if let Some(value) = found(operation).or_else(|| taken(operation)) {
        return vec![(None, value)];
    }
    match (operation.op, operation.output) {
        (Op::Read { .. }, Some(Output::Value(Atom::List(list)))) => {
            history.list(list).iter().map(|&item| (None, item)).collect()
        }
        (
            Op::Txn {
                value: Atom::List(asked),
                ..
            },
            Some(Output::Value(Atom::List(read))),
        ) => {
            let register = |&access: &Atom| match access {
                Atom::List(parts) => match *history.list(parts) {
                    [_, register] => Some(Some(register)),
                    _ => None,
                },
                _ => None,
            };
            let registers = history.list(asked).iter().filter_map(register);
            registers.zip(history.list(read).iter().copied()).collect()
        }
        _ => Vec::new(),
    }
}

/// The value that a register must have held.
fn found(operation: &Operation) -> Option<Atom> {
    match (operation.op, operation.output) {
        (Op::Read { .. }, Some(Output::Value(value @ (Atom::Null | Atom::Integer(_) | Atom::Text(_))))) => Some(value),
        (Op::Cas { from, .. }, Some(Output::Done(true))) => Some(from),
        _ => None,
    }
}

/// As [`found`], of an operation that leaves the value as it is.
fn found_by_now(operation: &Operation) -> Option<Atom> {
    match operation.op {
        Op::Read { .. } => found(operation),
        _ => None,
    }
}

/// The value that a register may have held afterwards.
fn written(operation: &Operation) -> Option<Atom> {
    match (operation.op, operation.output) {
        (Op::Write { value, .. }, _) => Some(value),
        (Op::Cas { to, .. }, None | Some(Output::Done(true))) => Some(to),
        _ => None,
    }
}

/// The element that went into a collection.
fn put(operation: &Operation) -> Option<Atom> {
    match operation.op {
        Op::Enqueue { value, .. } | Op::Push { value, .. } | Op::Insert { value, .. } => Some(value),
        _ => None,
    }
}

fn is_take(operation: &Operation) -> bool {
    matches!(operation.op, Op::Dequeue { .. } | Op::Pop { .. } | Op::PopMin { .. })
}

/// What a take answered.
fn taken(operation: &Operation) -> Option<Atom> {
    match operation.output {
        Some(Output::Value(value)) if is_take(operation) => Some(value),
        _ => None,
    }
}

fn taken_by(operation: &Operation, value: Atom) -> bool {
    taken(operation) == Some(value)
}
