//! Makes operations of events: each invocation and what completes it, process by process.

use std::collections::BTreeMap;

use super::clients::{Clients, Process};
use super::event::{Event, Line, Problem, event_of, passed_over};
use super::values::{accesses, is_transaction, items, pair, transfer, value_of};
use crate::history::edn::Form;
use crate::history::independent::Shape;
use crate::history::nearest::nearest;
use crate::history::op::ARGUMENTS_MAX;
use crate::history::{
    History, HistoryError, OPERATIONS, Op, OpInfo, Operation, OperationId, Output, OwnedValue, Value, disturbance,
};

/// Reads events one after another.
#[derive(Default)]
pub(crate) struct Importer {
    history: History,
    /// For each operation: whether it is one, or was dropped.
    keep: Vec<bool>,
    /// What each client has in flight.
    pending: BTreeMap<u32, Pending>,
    clients: Clients,
    /// Events so far.
    time: u64,
    shape: Shape,
    /// In a log a failed compare-and-set found another value and a read of `nil` found none; elsewhere both say nothing.
    is_log: bool,
}

enum Pending {
    One(OperationId),
    /// All that a queue holds is to be taken; when that was called.
    Drain(u64),
}

impl Importer {
    pub(crate) fn new(shape: Shape, is_log: bool) -> Self {
        Importer {
            shape,
            is_log,
            ..Importer::default()
        }
    }

    pub(crate) fn finish(mut self) -> Result<History, HistoryError> {
        if self.time == 0 {
            return Err(HistoryError::Empty);
        }
        self.history.retain(&self.keep);
        self.history.import.has_keys_in_values = self.shape.has_keys;
        Ok(self.history)
    }

    /// Takes the event that the map `form` is.
    pub(crate) fn form(&mut self, form: &Form<'_>) -> Result<(), Problem> {
        self.time += 1;
        passed_over(form, |name| self.history.import.pass(name));
        match event_of(form)? {
            Line::Client(event) => self.event(&event),
            Line::Nemesis(name) => {
                self.disturb(name);
                Ok(())
            }
        }
    }

    /// Takes the event of a line of a log: process, type, function and value. What is none is passed over.
    pub(super) fn log_fields(&mut self, [process, kind, function, value]: &[Form<'_>; 4]) -> Result<(), Problem> {
        self.time += 1;
        let (process, kind, function) = match (process, kind, function) {
            (Form::Integer(process), Form::Keyword(kind), Form::Keyword(function)) => (*process, *kind, *function),
            (Form::Keyword(_), Form::Keyword(_), Form::Keyword(name)) => {
                self.disturb(Some(name));
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.event(&Event {
            process: Process::Number(process),
            kind,
            function: Some(function),
            key: &Form::Nil,
            value,
        })
    }

    fn disturb(&mut self, name: Option<&str>) {
        self.history.import.nemesis_events += 1;
        if let Some(name) = name {
            disturbance::add(&mut self.history.disturbances, name, self.time);
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), Problem> {
        let client = self
            .clients
            .number(event.process)
            .ok_or_else(|| Problem::of("process", "the number of a `:process` is from 0 to 2^32 - 1"))?;
        let pairing = |what: &str| Problem::pairing(i64::from(client), what);
        if event.kind == "invoke" {
            if self.pending.contains_key(&client) {
                return Err(pairing(
                    "invokes an operation while another of its own is in flight; complete that one first (as :info if its outcome is unknown)",
                ));
            }
            let pending = self.invoke(client, event)?;
            self.pending.insert(client, pending);
            return Ok(());
        }
        let kinds = ["ok", "fail", "info"];
        if !kinds.contains(&event.kind) {
            return Err(Problem::of("type", "`:type` is one of :invoke, :ok, :fail and :info"));
        }
        let Some(pending) = self.pending.remove(&client) else {
            return Err(pairing(
                "completes an operation that it did not invoke; check that the file is whole",
            ));
        };
        let id = match pending {
            Pending::One(id) => id,
            Pending::Drain(call) => return self.drained(client, call, event),
        };
        let asked = self.history.operation(id).op;
        let is_same = event.function.is_none_or(|function| name(function) == asked.name());
        if !is_same && !matches!(asked, Op::Txn { .. }) {
            return Err(pairing(
                "completes another :f than it invoked; check the order of the events",
            ));
        }
        match event.kind {
            "ok" => self.complete(id, event)?,
            "fail" if self.is_log && matches!(asked, Op::Cas { .. }) && !says_why(event.value) => {
                let output = Output::Done(false);
                self.history.try_complete(id, self.time, output).ok_or_else(full)?;
            }
            "fail" => {
                self.keep[id.index()] = false;
                let mut failed = self.history.operation(id);
                failed.returned = Some(self.time);
                self.history.import.failed.push(failed);
            }
            _ => {}
        }
        Ok(())
    }

    /// The key and the value of an event: what stands in `:value`, taken apart.
    fn key_and_value<'f>(&mut self, event: &Event<'f>) -> Result<(&'f Form<'f>, &'f Form<'f>), Problem> {
        let (mut key, mut value) = (event.key, event.value);
        if self.shape.has_keys {
            match pair(value) {
                Some(parts) => (key, value) = parts,
                None if event.kind == "invoke" || event.kind == "ok" => {
                    return Err(Problem::of(
                        "value",
                        "the keys of this file are in its values, so `:value` is a vector [key value]; `--keys none` takes values as they stand",
                    ));
                }
                None => {}
            }
        }
        if self.shape.has_versions
            && let Some((version, versioned)) = pair(value)
        {
            value = versioned;
            self.history.import.versions += usize::from(event.kind == "ok" && *version != Form::Nil);
        }
        Ok((key, value))
    }

    fn invoke(&mut self, client: u32, event: &Event<'_>) -> Result<Pending, Problem> {
        let (key, value) = self.key_and_value(event)?;
        let function = if is_transaction(value) {
            "txn"
        } else {
            let function = event.function.ok_or_else(|| {
                Problem::whole("`:f` is missing; it names the operation, as :read, :write and :cas do")
            })?;
            name(function)
        };
        if function == "drain" {
            return Ok(Pending::Drain(self.time));
        }
        let row = OpInfo::find(function).ok_or_else(|| unknown_function(function))?;
        let given = match (OPERATIONS[row].arguments, value) {
            ([], _) => Vec::new(),
            (["from", "to"], Form::Sequence(pair)) if pair.len() == 2 => vec![value_of(&pair[0])?, value_of(&pair[1])?],
            (["from", "to"], _) => return Err(Problem::of("value", "the `:value` of this `:f` is a vector [from to]")),
            (_, value) if function == "txn" => vec![accesses(value)?.0],
            (_, value) if function == "transfer" => vec![transfer(value)?],
            (_, value) => vec![value_of(value)?],
        };
        let mut arguments = [Value::Null; ARGUMENTS_MAX];
        for (argument, given) in arguments.iter_mut().zip(&given) {
            *argument = given.as_value();
        }
        let key = value_of(key)?;
        let op = Op::of(row, key.as_value(), arguments);
        self.add(client, self.time, op).map(Pending::One)
    }

    fn add(&mut self, client: u32, call: u64, op: Op<Value<'_>>) -> Result<OperationId, Problem> {
        self.keep.push(true);
        self.history.try_invoke(client, call, op).ok_or_else(full)
    }

    fn complete(&mut self, id: OperationId, event: &Event<'_>) -> Result<(), Problem> {
        let (_, value) = self.key_and_value(event)?;
        let Operation { op, .. } = self.history.operation(id);
        let info = op.info();
        let answer;
        let output = match op {
            Op::Read { .. } if *value == Form::Nil && !self.is_log => {
                self.keep[id.index()] = false;
                self.history.import.nil_reads += 1;
                return Ok(());
            }
            Op::Txn { .. } => {
                answer = OwnedValue::List(accesses(value)?.1);
                Output::Value(answer.as_value())
            }
            // Whoever gets a lock without a token has it, and that is all.
            Op::Acquire { .. } if *value == Form::Nil => Output::Done(true),
            _ if info.answers_ok => Output::Ok,
            _ if info.answers_value => {
                answer = value_of(value)?;
                Output::Value(answer.as_value())
            }
            _ => Output::Done(*value != Form::Boolean(false)),
        };
        self.history.try_complete(id, self.time, output).ok_or_else(full)
    }

    /// What took all of a queue took each element of it at some time in between.
    fn drained(&mut self, client: u32, call: u64, event: &Event<'_>) -> Result<(), Problem> {
        let (key, value) = self.key_and_value(event)?;
        let key = value_of(key)?;
        match (event.kind, items(value)) {
            ("ok", Some(taken)) => {
                for (place, element) in taken.iter().enumerate() {
                    let element = value_of(element).map_err(|problem| problem.inside(place))?;
                    let id = self.add(client, call, Op::dequeue(key.as_value()))?;
                    let output = Output::Value(element.as_value());
                    self.history.try_complete(id, self.time, output).ok_or_else(full)?;
                }
                Ok(())
            }
            ("ok", None) => Err(Problem::of(
                "value",
                "the `:value` of a :drain is a vector of what it took",
            )),
            ("info", _) => Err(Problem::whole(
                "a :drain of unknown outcome may have taken anything, so the queue cannot be judged; end the history before it",
            )),
            _ => Ok(()),
        }
    }
}

fn full() -> Problem {
    Problem::whole("a history holds at most 2^32 - 2 operations, 4 GiB of distinct text and 2^32 items of lists")
}

fn unknown_function(function: &str) -> Problem {
    let names = OPERATIONS.iter().map(|info| info.name);
    let near = nearest(function, names).map_or_else(String::new, |name| format!("; did you mean :{name}?"));
    Problem::of(
        "f",
        format!(
            "`:{function}` is none of the operations that can be imported, :read, :write, :cas, :append, :add, :enqueue, :dequeue, :txn and so \
             on (`squall list models`){near}"
        ),
    )
}

/// The name of an operation that goes by another one in a file.
fn name(function: &str) -> &str {
    match function {
        "get" | "r" => "read",
        "put" | "w" => "write",
        "compare-and-set" => "cas",
        "lock" => "acquire",
        "unlock" => "release",
        other => other,
    }
}

/// Whether a failure has a reason of its own, such as `:timed-out`, in place of the value.
fn says_why(value: &Form<'_>) -> bool {
    matches!(value, Form::Keyword(_))
}
