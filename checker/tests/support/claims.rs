//! What the sentence of a refusal claims, read back out of its words and held against the history.
//!
//! Each sentence must be one that is known here, word for word: what is not in [`Claims::hold`] was never held, and counts as broken. The
//! operations that it speaks of are found again by client, times and description.

use checker::history::{Atom, History, Op, Operation, OperationId, Output, OwnedValue, Value};
use checker::linearizability::Refusal;

use super::oracle;

/// Stands for an operation in a sentence whose operations were found.
const OPERATION: &str = "§";

/// A sentence, and what is known of the history at the return of the operation that is stuck.
pub struct Claims<'a> {
    history: &'a History,
    refusal: &'a Refusal,
    model: &'a str,
    /// The sentence with `§` for each operation.
    words: String,
    /// The operations in the order in which it speaks of them.
    spoken: Vec<OperationId>,
    /// What had been called, without the operation that is stuck, as far as it was known.
    others: Vec<(OperationId, Operation)>,
}

impl<'a> Claims<'a> {
    pub fn new(history: &'a History, model: &'a str, refusal: &'a Refusal) -> Self {
        let stuck = history.operation(refusal.stuck.id);
        let last = (stuck.returned.expect("what is stuck has returned"), refusal.stuck.id);
        let called: Vec<OperationId> = history
            .ids()
            .filter(|&id| history.operation(id).op.key() == stuck.op.key() && history.operation(id).call <= last.0)
            .collect();
        let known = |id: OperationId| {
            let mut operation = history.operation(id);
            if operation.returned.is_none_or(|returned| (returned, id) > last) {
                (operation.returned, operation.output) = (None, None);
            }
            operation
        };
        let mut words = refusal.sentence.clone();
        let mut spoken = Vec::new();
        for &id in &called {
            let said = said(history, id);
            while let Some(place) = words.find(&said) {
                words.replace_range(place..place + said.len(), &format!("{OPERATION}{} ", id.index()));
            }
        }
        let mut from = 0;
        while let Some(place) = words[from..].find(OPERATION) {
            let start = from + place + OPERATION.len();
            let length = words[start..].find(' ').expect("a blank follows the index");
            let index: usize = words[start..start + length].parse().expect("an index");
            words.replace_range(start..=start + length, "");
            spoken.push(history.id(index).expect("an operation"));
            from = start;
        }
        Claims {
            others: called
                .iter()
                .filter(|&&id| id != last.1)
                .map(|&id| (id, known(id)))
                .collect(),
            history,
            refusal,
            model,
            words,
            spoken,
        }
    }

    /// The kind of the sentence, in its words; each thing that is claimed, and whether it is so.
    pub fn hold(&self) -> (Option<&'static str>, Vec<(String, bool)>) {
        let (words, even_if) = match self.words.split_once(" That is so even if ") {
            Some((words, even_if)) => (words, Some(even_if)),
            None => (&self.words[..], None),
        };
        let mut held: Vec<(String, bool)> = Vec::new();
        let kind = KINDS
            .iter()
            .find_map(|&(pattern, is_so)| matched(pattern, words).map(|parts| (pattern, is_so(self, &parts))));
        held.push((self.refusal.sentence.clone(), kind.is_some_and(|(_, is_so)| is_so)));
        if let Some(even_if) = even_if {
            held.push((format!("even if {even_if}"), self.was_open(even_if)));
        }
        (kind.map(|(pattern, _)| pattern), held)
    }

    fn stuck(&self) -> Operation {
        self.history.operation(self.refusal.stuck.id)
    }

    fn end(&self) -> String {
        self.history
            .clock()
            .time(self.stuck().returned.expect("it has returned"))
    }

    /// Whether the sentence begins with what is stuck.
    fn is_about_stuck(&self) -> bool {
        self.spoken
            .first()
            .is_some_and(|&id| said(self.history, id) == said(self.history, self.refusal.stuck.id))
    }

    fn spoken(&self, place: usize) -> Operation {
        self.history.operation(self.spoken[place])
    }

    fn precedes(&self, earlier: &Operation, later: &Operation) -> bool {
        earlier.returned.is_some_and(|returned| returned < later.call)
    }

    fn found(&self) -> Option<Atom> {
        match (self.stuck().op, self.stuck().output) {
            (Op::Cas { from, .. }, Some(Output::Done(true))) => Some(from),
            (_, Some(Output::Value(value))) => Some(value),
            _ => None,
        }
    }

    /// Whether two values may be the same one: null and the empty text are, to a map of texts.
    fn same(&self, one: Atom, other: Atom) -> bool {
        let is_empty = |atom: Atom| matches!(self.history.value(atom), Value::Null | Value::Text(""));
        one == other || is_empty(one) && is_empty(other)
    }

    /// The others that may have brought what was found.
    fn bringers(&self) -> Vec<Operation> {
        let Some(found) = self.found() else {
            return Vec::new();
        };
        let brings = |operation: &&Operation| {
            operation.output != Some(Output::Done(false))
                && brings(operation).is_some_and(|value| self.same(value, found))
        };
        self.others
            .iter()
            .map(|(_, operation)| operation)
            .filter(brings)
            .copied()
            .collect()
    }

    /// Whether `parts` ends with the value that was found and the time of the end.
    fn tells_found(&self, parts: &[&str]) -> bool {
        self.is_about_stuck()
            && self
                .found()
                .is_some_and(|found| self.history.value(found).to_string() == parts[0])
            && parts.get(1).is_none_or(|end| *end == self.end())
    }

    fn list(&self, operation: &Operation) -> Vec<Atom> {
        match operation.output {
            Some(Output::Value(Atom::List(list))) => self.history.list(list).to_vec(),
            _ => Vec::new(),
        }
    }

    fn is_take(operation: &Operation) -> bool {
        matches!(operation.op, Op::Dequeue { .. } | Op::Pop { .. } | Op::PopMin { .. })
    }

    /// Whether another may have taken `value`.
    fn may_be_taken(&self, value: Atom) -> bool {
        self.others.iter().any(|(_, operation)| {
            Self::is_take(operation) && operation.output.is_none_or(|output| output == Output::Value(value))
        })
    }

    /// ``the timed-out `write 3` of client 4, or the unfinished `add 1` of client 2 took effect.``
    fn was_open(&self, words: &str) -> bool {
        let shown: Vec<OperationId> = self
            .refusal
            .core
            .iter()
            .chain(&self.refusal.context)
            .map(|line| line.id)
            .collect();
        let Some(words) = words.strip_suffix(" took effect.") else {
            return false;
        };
        words.split(", or ").all(|one| {
            self.others.iter().any(|(id, operation)| {
                let word = match self.history.operation(*id).returned {
                    None => "timed-out",
                    Some(_) => "unfinished",
                };
                let described = self.history.describe(*id);
                let described = described.split(" (outcome unknown)").next().unwrap_or_default();
                operation.returned.is_none()
                    && shown.contains(id)
                    && one == format!("the {word} `{described}` of client {}", operation.client)
            })
        })
    }
}

/// What is said, with `{}` for a value or a time, and whether it is so.
pub type Kind = (&'static str, fn(&Claims<'_>, &[&str]) -> bool);

/// Every sentence.
pub const KINDS: &[Kind] = &[
    ("§ found {}, which nobody had written by {}.", |it, parts| {
        it.tells_found(parts) && it.bringers().is_empty()
    }),
    ("§ took {}, which nobody had put in by {}.", |it, parts| {
        it.tells_found(parts) && it.bringers().is_empty()
    }),
    (
        "§ began after § had returned, which began after § had returned; {} was never written again.",
        |it, parts| {
            let (between, writer) = (it.spoken(1), it.spoken(2));
            let bringers = it.bringers();
            it.tells_found(parts)
                && it.precedes(&between, &it.stuck())
                && it.precedes(&writer, &between)
                && changes_or_sees_another(it, &between)
                && bringers
                    .iter()
                    .any(|bringer| bringer.call == writer.call && bringer.op == writer.op)
                && bringers.iter().all(|bringer| it.precedes(bringer, &between))
        },
    ),
    ("§ began after § had returned; {} was never written.", |it, parts| {
        let between = it.spoken(1);
        it.tells_found(parts)
            && it.precedes(&between, &it.stuck())
            && changes_or_sees_another(it, &between)
            && it.bringers().is_empty()
    }),
    (
        "§ began after § had returned, and nothing else was written in between, so it should have found {}.",
        |it, parts| {
            let writer = it.spoken(1);
            let Op::Cas { from, .. } = it.stuck().op else {
                return false;
            };
            // A value that may have been there since.
            let may_be_another = |(_, other): &(OperationId, Operation)| {
                !matches!(other.op, Op::Read { .. })
                    && other.output != Some(Output::Done(false))
                    && brings(other) != Some(from)
                    && !it.precedes(other, &writer)
            };
            it.is_about_stuck()
                && it.stuck().output == Some(Output::Done(false))
                && writer.output != Some(Output::Done(false))
                && it.history.value(from).to_string() == parts[0]
                && matches!(writer.op, Op::Write { value, .. } | Op::Cas { to: value, .. } if value == from)
                && it.precedes(&writer, &it.stuck())
                && !it.others.iter().any(may_be_another)
        },
    ),
    (
        "§ lacks the text of §, which had returned before it began; nothing was written over it since.",
        |it, _| {
            let lost = it.spoken(1);
            let (Op::Append { value, .. }, Some(found)) = (lost.op, it.found()) else {
                return false;
            };
            let (Value::Text(added), Value::Text(read)) = (it.history.value(value), it.history.value(found)) else {
                return false;
            };
            let overwrites = |(_, other): &(OperationId, Operation)| {
                matches!(other.op, Op::Write { .. } | Op::Cas { .. })
                    && other.output != Some(Output::Done(false))
                    && !it.precedes(other, &lost)
            };
            it.is_about_stuck()
                && !read.contains(added)
                && it.precedes(&lost, &it.stuck())
                && !it.others.iter().any(overwrites)
        },
    ),
    (
        "§ found nothing, though § had returned before it began, and nobody had taken that element.",
        |it, _| {
            let inside = it.spoken(1);
            let element = brings(&inside);
            it.is_about_stuck()
                && it.found() == Some(Atom::Null)
                && it.precedes(&inside, &it.stuck())
                && element.is_some_and(|element| !it.may_be_taken(element))
        },
    ),
    (
        "§ took {}, which was put in only {}, and § had taken it already.",
        |it, parts| {
            let takers = it.others.iter().filter(|(_, other)| {
                Claims::is_take(other) && other.output.is_some() && other.output == it.stuck().output
            });
            let times = it.bringers().len();
            it.tells_found(&parts[..1])
                && parts[1]
                    == if times == 1 {
                        "once".to_owned()
                    } else {
                        format!("{times} times")
                    }
                && it.spoken(1).output == it.stuck().output
                && takers.count() >= times
        },
    ),
    (
        "§ took {} out of turn: § had returned before § began, and nobody had taken that element by {}.",
        |it, parts| {
            let (first, own) = (it.spoken(1), it.spoken(2));
            it.tells_found(parts)
                && matches!(it.stuck().op, Op::Dequeue { .. })
                && it.bringers().len() == 1
                && brings(&own) == it.found()
                && it.precedes(&first, &own)
                && brings(&first).is_some_and(|element| !it.may_be_taken(element))
        },
    ),
    (
        "§ lacks the item of §, which had returned before it began.",
        |it, _| {
            let missing = it.spoken(1);
            let Op::Append { value, .. } = missing.op else {
                return false;
            };
            it.is_about_stuck() && it.precedes(&missing, &it.stuck()) && !it.list(&it.stuck()).contains(&value)
        },
    ),
    ("§ has {}, which nobody had appended by {}.", |it, parts| {
        let item = it
            .list(&it.stuck())
            .into_iter()
            .find(|&item| it.history.value(item).to_string() == parts[0]);
        let appends = |item: Atom| {
            it.others
                .iter()
                .any(|(_, other)| matches!(other.op, Op::Append { value, .. } if value == item))
        };
        it.is_about_stuck() && parts[1] == it.end() && item.is_some_and(|item| !appends(item))
    }),
    (
        "§ and § disagree about the item at position {}, and items never move.",
        |it, parts| {
            let known = it
                .others
                .iter()
                .find(|(id, _)| *id == it.spoken[1])
                .map(|(_, other)| *other);
            let place: usize = parts[0].parse().expect("a position");
            let (one, other) = (
                it.list(&it.stuck()),
                known.map_or_else(Vec::new, |known| it.list(&known)),
            );
            it.is_about_stuck()
                && one
                    .get(place)
                    .zip(other.get(place))
                    .is_some_and(|(one, other)| one != other)
        },
    ),
    (
        "§ cannot be right: the total is {}, it was {}, and no transfer changes it.",
        |it, parts| {
            let sum = |value: OwnedValue| -> i64 {
                let OwnedValue::List(accounts) = value else {
                    panic!("a bank is a list of accounts")
                };
                let balance = |account: OwnedValue| match account {
                    OwnedValue::List(parts) => match parts[..] {
                        [_, OwnedValue::Integer(balance)] => balance,
                        _ => panic!("an account has a name and a balance"),
                    },
                    _ => panic!("an account is a pair"),
                };
                accounts.into_iter().map(balance).sum()
            };
            let read = it.found().map(|found| sum(it.history.value(found).into()));
            let was = sum(oracle::initial(it.model).expect("a bank begins with something"));
            let is_held = it
                .others
                .iter()
                .any(|(_, other)| matches!(other.op, Op::Reserve { .. }));
            it.is_about_stuck()
                && read.map(|read| read.to_string()).as_deref() == Some(parts[0])
                && was.to_string() == parts[1]
                && (read > Some(was) || read < Some(was) && !is_held)
        },
    ),
    (
        "§ has {} from an operation that failed: client {} {} and was told that it failed {}; nobody else had brought {} by {} (an \
         aborted read).",
        |it, parts| {
            let (value, client, interval, end) = (parts[0], parts[1], parts[3], parts[5]);
            let shows = |operation: &Operation| {
                brings(operation).is_some_and(|it_brings| it.history.value(it_brings).to_string() == value)
            };
            let refused = |(_, other): &&(OperationId, Operation)| other.output == Some(Output::Done(false));
            let is_named = |other: &Operation| {
                other.client.to_string() == client
                    && it.history.clock().interval(other.call, other.returned) == interval
                    && shows(other)
            };
            let in_history = it.others.iter().filter(refused).map(|(_, other)| other);
            it.is_about_stuck()
                && end == it.end()
                && parts[4] == value
                && in_history.chain(&it.history.import().failed).any(is_named)
                && !it.others.iter().any(|one| !refused(&one) && shows(&one.1))
        },
    ),
    (
        "No order of what was called by {} makes the answer of § true{}. Nothing could have made it true, whichever of the other operations \
         happened.",
        |it, parts| it.is_plain(parts) && it.refusal.core.len() == 1,
    ),
    (
        "No order of what was called by {} makes the answer of § true{}. The {} operations of the core contradict each other, whichever of \
         the others happened.",
        |it, parts| it.is_plain(parts) && it.refusal.core.len().to_string() == parts[2],
    ),
    (
        "No order of what was called by {} explains the answers known by then, as the method \"{}\" proves; which few operations contradict \
         each other could not be shown within the budget.",
        |it, parts| {
            parts[0] == it.end()
                && it.refusal.said_by.is_some_and(|method| method.name() == parts[1])
                && it.refusal.core.is_empty()
        },
    ),
];

impl Claims<'_> {
    /// The states that it names are those of the nearest orders; whether there are such orders is held by the laws.
    fn is_plain(&self, parts: &[&str]) -> bool {
        let held = match &self.refusal.states[..] {
            [] => String::new(),
            [only] => format!("; the nearest leave the key holding {only}"),
            [first @ .., last] => format!("; the nearest leave the key holding {} or {last}", first.join(", ")),
        };
        self.is_about_stuck() && parts[0] == self.end() && parts[1] == held
    }
}

/// Whether `between` shows that the value was another than the one found.
fn changes_or_sees_another(it: &Claims<'_>, between: &Operation) -> bool {
    let Some(found) = it.found() else {
        return false;
    };
    match (between.op, between.output) {
        (Op::Write { value, .. }, _)
        | (Op::Cas { to: value, .. }, Some(Output::Done(true)))
        | (Op::Read { .. }, Some(Output::Value(value))) => !it.same(value, found),
        _ => false,
    }
}

/// What an operation brings if it was done.
fn brings(operation: &Operation) -> Option<Atom> {
    match operation.op {
        Op::Write { value, .. }
        | Op::Cas { to: value, .. }
        | Op::Append { value, .. }
        | Op::Add { value, .. }
        | Op::Enqueue { value, .. }
        | Op::Push { value, .. }
        | Op::Insert { value, .. } => Some(value),
        _ => None,
    }
}

fn said(history: &History, id: OperationId) -> String {
    let operation = history.operation(id);
    let interval = match operation.returned {
        Some(_) => history.clock().interval(operation.call, operation.returned),
        None => format!("[{}, …]", history.clock().time(operation.call)),
    };
    format!("`{}` by client {} {interval}", history.describe(id), operation.client)
}

/// What stands at each `{}` of `pattern`, if `words` are as it says. A `§` of the pattern is one of the words, with the blank after it.
fn matched<'w>(pattern: &str, words: &'w str) -> Option<Vec<&'w str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = words.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    let pieces: Vec<&str> = pieces.collect();
    for (index, piece) in pieces.iter().enumerate() {
        let place = if index + 1 == pieces.len() {
            rest.len()
                .checked_sub(piece.len())
                .filter(|&place| rest.is_char_boundary(place) && rest[place..] == **piece)?
        } else {
            rest.find(piece)?
        };
        parts.push(&rest[..place]);
        rest = &rest[place + piece.len()..];
    }
    (rest.is_empty()).then_some(parts)
}
