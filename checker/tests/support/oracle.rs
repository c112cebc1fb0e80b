//! One object of each data type that answers operations as it should, and draws operations for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use checker::history::{Op, Output, OwnedValue};

use super::draws::Draws;

/// The models that histories are drawn for: all of `checker::models::MODELS`.
pub const MODELS: &[&str] = &[
    "register",
    "cas-register",
    "kv",
    "counter",
    "set",
    "append-list",
    "event-log",
    "queue",
    "stack",
    "priority-queue",
    "bank",
    "lock",
    "mutex",
    "orders",
    "transactions",
];

/// Which values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of so many.
    Few(u64),
    /// Every value once.
    Distinct,
}

/// The initial value that goes with the histories of a model.
pub fn initial(model: &str) -> Option<OwnedValue> {
    let account = |name: &str| OwnedValue::List(vec![text(name), OwnedValue::Integer(2)]);
    (model == "bank").then(|| OwnedValue::List(ACCOUNTS.iter().map(|name| account(name)).collect()))
}

const ACCOUNTS: [&str; 3] = ["a", "b", "c"];
const ORDER: [&str; 7] = [
    "placed",
    "paid",
    "cancelled",
    "shipped",
    "delivered",
    "returned",
    "refunded",
];

fn text(text: &str) -> OwnedValue {
    OwnedValue::Text(text.to_owned())
}

fn list(items: impl IntoIterator<Item = OwnedValue>) -> OwnedValue {
    OwnedValue::List(items.into_iter().collect())
}

/// One object.
#[derive(Clone, Debug)]
pub enum Oracle {
    Register {
        held: OwnedValue,
        cas: bool,
    },
    Map(String),
    Counter(i64),
    Set(BTreeSet<OwnedValue>),
    List {
        items: Vec<OwnedValue>,
        log: bool,
    },
    Queue(VecDeque<OwnedValue>),
    Stack(Vec<OwnedValue>),
    Heap(BTreeMap<OwnedValue, u32>),
    Bank {
        balances: BTreeMap<String, i64>,
        held: BTreeMap<i64, Option<(String, String, i64)>>,
    },
    Lock {
        granted: i64,
        held: bool,
        used: i64,
    },
    Mutex(bool),
    Order(OwnedValue),
    Registers(BTreeMap<OwnedValue, OwnedValue>),
}

impl Oracle {
    pub fn new(model: &str) -> Self {
        match model {
            "register" => Oracle::Register {
                held: OwnedValue::Null,
                cas: false,
            },
            "cas-register" => Oracle::Register {
                held: OwnedValue::Null,
                cas: true,
            },
            "kv" => Oracle::Map(String::new()),
            "counter" => Oracle::Counter(0),
            "set" => Oracle::Set(BTreeSet::new()),
            "append-list" => Oracle::List {
                items: Vec::new(),
                log: false,
            },
            "event-log" => Oracle::List {
                items: Vec::new(),
                log: true,
            },
            "queue" => Oracle::Queue(VecDeque::new()),
            "stack" => Oracle::Stack(Vec::new()),
            "priority-queue" => Oracle::Heap(BTreeMap::new()),
            "bank" => Oracle::Bank {
                balances: ACCOUNTS.iter().map(|name| ((*name).to_owned(), 2)).collect(),
                held: BTreeMap::new(),
            },
            "lock" => Oracle::Lock {
                granted: 0,
                held: false,
                used: 0,
            },
            "mutex" => Oracle::Mutex(false),
            "orders" => Oracle::Order(OwnedValue::Null),
            "transactions" => Oracle::Registers(BTreeMap::new()),
            other => unreachable!("no histories are drawn for {other}"),
        }
    }

    /// An operation on the object called `key`. `serial` is a number of its own, for distinct values.
    pub fn draw(&self, draws: &mut Draws, key: OwnedValue, values: Values, serial: i64) -> Op<OwnedValue> {
        let value = match values {
            Values::Few(count) => draws.below(count) as i64,
            Values::Distinct => serial,
        };
        let integer = OwnedValue::Integer;
        match self {
            Oracle::Register { held, cas } => match draws.below(if *cas { 4 } else { 2 }) {
                0 => Op::Write {
                    key,
                    value: integer(value),
                },
                // Half of them find what they ask for, if nothing comes in between.
                1 if *cas => Op::Cas {
                    key,
                    from: if draws.below(2) == 0 {
                        held.clone()
                    } else {
                        integer(value / 2)
                    },
                    to: integer(value),
                },
                _ => Op::Read { key },
            },
            Oracle::Map(held) => {
                let value = match values {
                    Values::Few(_) => text(["", "a", "b"][value as usize % 3]),
                    Values::Distinct => text(&format!("{value}.")),
                };
                match draws.below(6) {
                    0 => Op::Write { key, value },
                    1 => Op::Append { key, value },
                    2 => Op::Cas {
                        key,
                        from: text(held),
                        to: value,
                    },
                    3 if draws.below(2) == 0 => Op::Delete { key },
                    _ => Op::Read { key },
                }
            }
            Oracle::Counter(_) => match draws.below(2) {
                0 => Op::Add {
                    key,
                    value: integer(value - 1),
                },
                _ => Op::Read { key },
            },
            Oracle::Set(_) => match draws.below(8) {
                0..=2 => Op::Add {
                    key,
                    value: integer(value),
                },
                3 | 4 => Op::Remove {
                    key,
                    value: integer(if values == Values::Distinct { value / 2 } else { value }),
                },
                5 | 6 => Op::Contains {
                    key,
                    value: integer(if values == Values::Distinct { value / 2 } else { value }),
                },
                _ => Op::Read { key },
            },
            Oracle::List { items, log } => match draws.below(4) {
                0 | 1 => Op::Append {
                    key,
                    value: integer(value),
                },
                2 if *log => Op::Fetch {
                    key,
                    from: integer(draws.below(items.len() as u64 + 2) as i64),
                },
                _ => Op::Read { key },
            },
            Oracle::Queue(_) => match draws.below(2) {
                0 => Op::Enqueue {
                    key,
                    value: integer(value),
                },
                _ => Op::Dequeue { key },
            },
            Oracle::Stack(_) => match draws.below(2) {
                0 => Op::Push {
                    key,
                    value: integer(value),
                },
                _ => Op::Pop { key },
            },
            Oracle::Heap(_) => match draws.below(2) {
                // Serial numbers alone would make it a queue.
                0 if values == Values::Distinct => Op::Insert {
                    key,
                    value: integer(value.wrapping_mul(0x9E37_79B9).rotate_left(11)),
                },
                0 => Op::Insert {
                    key,
                    value: integer(value),
                },
                _ => Op::PopMin { key },
            },
            Oracle::Bank { held, .. } => {
                let account = |draws: &mut Draws| text(ACCOUNTS[draws.below(3) as usize]);
                let (from, to, amount) = (account(draws), account(draws), integer(draws.below(3) as i64));
                let saga = integer(if values == Values::Distinct {
                    (serial - draws.below(8) as i64).max(0)
                } else {
                    value
                });
                match draws.below(6) {
                    0 | 1 => Op::Transfer {
                        key,
                        value: list([from, to, amount]),
                    },
                    2 => Op::Reserve {
                        key,
                        value: list([saga, from, to, amount]),
                    },
                    ending @ (3 | 4) => {
                        // Where sagas are not few, most that end are open: or all that there is would soon be held for ever.
                        let open = held.iter().find(|(_, taken)| taken.is_some()).map(|(saga, _)| *saga);
                        let open = open.filter(|_| values == Values::Distinct && draws.below(4) > 0);
                        let value = open.map_or(saga, integer);
                        match ending {
                            3 => Op::Confirm { key, value },
                            _ => Op::Cancel { key, value },
                        }
                    }
                    _ => Op::Read { key },
                }
            }
            Oracle::Lock { granted, .. } => {
                let token = integer((granted - draws.below(2) as i64).max(0));
                match draws.below(3) {
                    0 => Op::Acquire { key },
                    1 => Op::Release { key, value: token },
                    _ => Op::Guard { key, value: token },
                }
            }
            Oracle::Mutex(held) => {
                // Mostly what can be done.
                if draws.below(4) > 0 && !*held {
                    Op::Acquire { key }
                } else {
                    Op::Release {
                        key,
                        value: OwnedValue::Null,
                    }
                }
            }
            Oracle::Order(held) => {
                let from = if draws.below(4) == 0 {
                    text(ORDER[draws.below(7) as usize])
                } else {
                    held.clone()
                };
                match draws.below(3) {
                    0 => Op::Read { key },
                    _ => Op::Transition {
                        key,
                        from,
                        to: text(ORDER[draws.below(7) as usize]),
                    },
                }
            }
            Oracle::Registers(_) => {
                let register = |draws: &mut Draws| text(["x", "y"][draws.below(2) as usize]);
                let mut accesses = Vec::new();
                for _ in 0..=draws.below(3) {
                    accesses.push(match draws.below(2) {
                        0 => list([text("r"), register(draws)]),
                        _ => list([text("w"), register(draws), integer(value)]),
                    });
                }
                Op::Txn {
                    key,
                    value: OwnedValue::List(accesses),
                }
            }
        }
    }

    /// Carries `op` out. `terse`: answers that need not tell anything tell nothing.
    pub fn execute(&mut self, op: &Op<OwnedValue>, terse: bool) -> Output<OwnedValue> {
        let taken = |value: Option<OwnedValue>| Output::Value(value.unwrap_or(OwnedValue::Null));
        let told = |done| if terse { Output::Ok } else { Output::Done(done) };
        match (self, op) {
            (Oracle::Register { held, .. }, Op::Write { value, .. }) => {
                held.clone_from(value);
                Output::Ok
            }
            (Oracle::Register { held, .. }, Op::Cas { from, to, .. }) => {
                let done = held == from;
                if done {
                    held.clone_from(to);
                }
                Output::Done(done)
            }
            (Oracle::Register { held, .. } | Oracle::Order(held), Op::Read { .. }) => Output::Value(held.clone()),
            (Oracle::Map(held), op) => map(held, op, terse),
            (Oracle::Counter(total), Op::Add { value, .. }) => {
                *total += number(value);
                if terse {
                    Output::Ok
                } else {
                    Output::Value(OwnedValue::Integer(*total))
                }
            }
            (Oracle::Counter(total), _) => Output::Value(OwnedValue::Integer(*total)),
            (Oracle::Set(items), Op::Add { value, .. }) => told(items.insert(value.clone())),
            (Oracle::Set(items), Op::Remove { value, .. }) => told(items.remove(value)),
            (Oracle::Set(items), Op::Contains { value, .. }) => Output::Done(items.contains(value)),
            (Oracle::Set(items), _) => Output::Value(list(items.iter().rev().cloned())),
            (Oracle::List { items, log }, Op::Append { value, .. }) => {
                items.push(value.clone());
                if terse || !*log {
                    Output::Ok
                } else {
                    Output::Value(OwnedValue::Integer(items.len() as i64 - 1))
                }
            }
            (Oracle::List { items, .. }, Op::Fetch { from, .. }) => {
                Output::Value(list(items.iter().skip(number(from) as usize).cloned()))
            }
            (Oracle::List { items, .. }, _) => Output::Value(list(items.iter().cloned())),
            (Oracle::Queue(items), Op::Enqueue { value, .. }) => {
                items.push_back(value.clone());
                Output::Ok
            }
            (Oracle::Queue(items), _) => taken(items.pop_front()),
            (Oracle::Stack(items), Op::Push { value, .. }) => {
                items.push(value.clone());
                Output::Ok
            }
            (Oracle::Stack(items), _) => taken(items.pop()),
            (Oracle::Heap(items), Op::Insert { value, .. }) => {
                *items.entry(value.clone()).or_default() += 1;
                Output::Ok
            }
            (Oracle::Heap(items), _) => {
                let least = items.keys().next().cloned();
                if let Some(least) = &least {
                    let count = items.get_mut(least).expect("it is the first");
                    *count -= 1;
                    if *count == 0 {
                        items.remove(least);
                    }
                }
                taken(least)
            }
            (Oracle::Bank { balances, held }, op) => bank(balances, held, op),
            (Oracle::Lock { granted, held, .. }, Op::Acquire { .. }) => {
                let free = !std::mem::replace(held, true);
                *granted += i64::from(free);
                taken(free.then_some(OwnedValue::Integer(*granted)))
            }
            (Oracle::Lock { granted, held, .. }, Op::Release { value, .. }) => {
                let done = *held && number(value) == *granted;
                *held = *held && !done;
                Output::Done(done)
            }
            (Oracle::Lock { granted, used, .. }, op) => {
                let token = op_value(op).map_or(0, number);
                let done = token > 0 && token <= *granted && token >= *used;
                *used = if done { token } else { *used };
                Output::Done(done)
            }
            (Oracle::Mutex(held), op) => {
                let is_acquire = matches!(op, Op::Acquire { .. });
                let done = *held != is_acquire;
                if done {
                    *held = is_acquire;
                }
                Output::Done(done)
            }
            (Oracle::Order(held), op) => {
                let Op::Transition { from, to, .. } = op else {
                    unreachable!("{op:?}")
                };
                let is_legal = matches!(
                    (name(held), name(to)),
                    ("", "placed")
                        | ("placed", "paid" | "cancelled")
                        | ("paid", "shipped" | "refunded")
                        | ("shipped", "delivered" | "returned")
                        | ("returned", "refunded")
                );
                let done = held == from && is_legal;
                if done {
                    held.clone_from(to);
                }
                Output::Done(done)
            }
            (Oracle::Registers(held), op) => {
                let Some(OwnedValue::List(accesses)) = op_value(op) else {
                    unreachable!("{op:?}")
                };
                let mut read = Vec::new();
                for access in accesses {
                    let OwnedValue::List(parts) = access else {
                        unreachable!("{access:?}")
                    };
                    match &parts[..] {
                        [_, register] => read.push(held.get(register).cloned().unwrap_or(OwnedValue::Null)),
                        [_, register, value] => drop(held.insert(register.clone(), value.clone())),
                        _ => unreachable!("{parts:?}"),
                    }
                }
                Output::Value(OwnedValue::List(read))
            }
            (oracle, op) => unreachable!("{op:?} is not drawn for {oracle:?}"),
        }
    }
}

fn map(held: &mut String, op: &Op<OwnedValue>, terse: bool) -> Output<OwnedValue> {
    match op {
        Op::Read { .. } => return Output::Value(text(held)),
        Op::Write { value, .. } => name(value).clone_into(held),
        Op::Append { value, .. } => held.push_str(name(value)),
        Op::Cas { from, to, .. } => {
            let done = held == name(from);
            if done {
                name(to).clone_into(held);
            }
            return Output::Done(done);
        }
        _ => {
            let found = !held.is_empty();
            held.clear();
            return if terse { Output::Ok } else { Output::Done(found) };
        }
    }
    Output::Ok
}

type Held = BTreeMap<i64, Option<(String, String, i64)>>;

fn bank(balances: &mut BTreeMap<String, i64>, held: &mut Held, op: &Op<OwnedValue>) -> Output<OwnedValue> {
    let mut debit = |parts: &[OwnedValue]| {
        let [from, to, amount] = parts else {
            unreachable!("{parts:?}")
        };
        let amount = number(amount);
        let balance = balances.get_mut(name(from)).expect("a known account");
        (*balance >= amount).then(|| {
            *balance -= amount;
            (name(from).to_owned(), name(to).to_owned(), amount)
        })
    };
    Output::Done(match op {
        Op::Transfer {
            value: OwnedValue::List(parts),
            ..
        } => match debit(parts) {
            Some((_, to, amount)) => {
                *balances.get_mut(&to).expect("a known account") += amount;
                true
            }
            None => false,
        },
        Op::Reserve {
            value: OwnedValue::List(parts),
            ..
        } => {
            let saga = number(&parts[0]);
            let taken = if held.contains_key(&saga) {
                None
            } else {
                debit(&parts[1..])
            };
            let done = taken.is_some();
            if done {
                held.insert(saga, taken);
            }
            done
        }
        Op::Confirm { value, .. } | Op::Cancel { value, .. } => {
            match held.get_mut(&number(value)).and_then(Option::take) {
                Some((from, to, amount)) => {
                    let account = if matches!(op, Op::Confirm { .. }) { to } else { from };
                    *balances.get_mut(&account).expect("a known account") += amount;
                    true
                }
                None => false,
            }
        }
        _ => {
            let pair = |(account, balance): (&String, &i64)| list([text(account), OwnedValue::Integer(*balance)]);
            return Output::Value(list(balances.iter().map(pair)));
        }
    })
}

fn op_value(op: &Op<OwnedValue>) -> Option<&OwnedValue> {
    match op {
        Op::Guard { value, .. } | Op::Txn { value, .. } => Some(value),
        _ => None,
    }
}

fn number(value: &OwnedValue) -> i64 {
    match value {
        OwnedValue::Integer(integer) => *integer,
        other => unreachable!("{other} is no integer"),
    }
}

fn name(value: &OwnedValue) -> &str {
    match value {
        OwnedValue::Text(text) => text,
        OwnedValue::Null => "",
        other => unreachable!("{other} is no text"),
    }
}
