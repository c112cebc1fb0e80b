//! A bank: money moves between accounts, and none is made or lost.
//!
//! A transfer is one step. A saga (Garcia-Molina and Salem 1987) is two: `reserve` takes the money from the one account and
//! holds it, then `confirm` gives it to the other, or `cancel` compensates and gives it back. In between it is in *no* account,
//! and a read must show it so: that is the only half-done state which the specification knows.

use std::collections::BTreeMap;

use super::Sequential;
use crate::history::{Atom, History, Op, Output, OwnedValue, Value};

/// Accounts with their balances at the start. Balances never fall below zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bank {
    /// The accounts; there are no others.
    pub accounts: BTreeMap<OwnedValue, i64>,
}

/// Money under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    from: OwnedValue,
    to: OwnedValue,
    amount: i64,
}

/// What a [`Bank`] knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BankState {
    /// The balance of each account; with what is held their sum never changes.
    pub balances: BTreeMap<OwnedValue, i64>,
    /// Each saga that was begun, and the money that it holds; `None` once it is confirmed or cancelled.
    pub sagas: BTreeMap<OwnedValue, Option<Transfer>>,
}

impl Bank {
    /// The bank whose accounts `initial` lists as `[[account, balance], …]`.
    ///
    /// # Errors
    ///
    /// When it is no such list, or names an account twice.
    pub fn new(initial: &OwnedValue) -> Result<Bank, &'static str> {
        let what = "the accounts of a bank are a list [[account, balance], …], each account once, balances from 0 and below 2^63 in all";
        let accounts = balances(initial.as_value()).ok_or(what)?;
        let total = |sum: i64, &balance: &i64| if balance < 0 { None } else { sum.checked_add(balance) };
        accounts.values().try_fold(0, total).ok_or(what)?;
        Ok(Bank { accounts })
    }
}

/// The balances that `value` lists as `[[account, balance], …]`; `None` when it is no such list, or one is twice in it.
fn balances(value: Value<'_>) -> Option<BTreeMap<OwnedValue, i64>> {
    let Value::List(list) = value else { return None };
    let mut balances = BTreeMap::new();
    for item in list.iter() {
        let Value::List(pair) = item else { return None };
        let (Some(account), Some(Value::Integer(balance)), 2) = (pair.get(0), pair.get(1), pair.len()) else {
            return None;
        };
        if balances.insert(account.into(), balance).is_some() {
            return None;
        }
    }
    Some(balances)
}

/// What `[from, to, amount]` asks for.
fn transfer(mut items: impl Iterator<Item = OwnedValue>) -> Option<Transfer> {
    let (from, to, amount) = (items.next()?, items.next()?, items.next()?);
    match (amount, items.next()) {
        (OwnedValue::Integer(amount @ 0..), None) => Some(Transfer { from, to, amount }),
        _ => None,
    }
}

/// What an operation asks of a bank.
enum Request {
    Read,
    Transfer(Transfer),
    Reserve(OwnedValue, Transfer),
    /// Confirm a saga (`true`), or cancel it.
    Settle(OwnedValue, bool),
}

fn request(history: &History, op: Op<Atom>) -> Option<Request> {
    let items = |atom| match history.value(atom) {
        Value::List(list) => Some(list.iter().map(OwnedValue::from)),
        Value::Null | Value::Integer(_) | Value::Text(_) => None,
    };
    Some(match op {
        Op::Read { .. } => Request::Read,
        Op::Transfer { value, .. } => Request::Transfer(transfer(items(value)?)?),
        Op::Reserve { value, .. } => {
            let mut items = items(value)?;
            Request::Reserve(items.next()?, transfer(items)?)
        }
        Op::Confirm { value, .. } => Request::Settle(history.value(value).into(), true),
        Op::Cancel { value, .. } => Request::Settle(history.value(value).into(), false),
        _ => return None,
    })
}

impl BankState {
    /// Takes the money of a transfer out of its account, if all is well with it.
    fn debit(&mut self, transfer: &Transfer) -> bool {
        let is_known = self.balances.contains_key(&transfer.to);
        match self.balances.get_mut(&transfer.from) {
            Some(balance) if is_known && *balance >= transfer.amount => {
                *balance -= transfer.amount;
                true
            }
            _ => false,
        }
    }

    fn credit(&mut self, account: &OwnedValue, amount: i64) {
        *self
            .balances
            .get_mut(account)
            .expect("a debit has looked for both accounts") += amount;
    }

    /// Carries a request out; whether it was done.
    fn carry_out(&mut self, request: Request) -> bool {
        match request {
            Request::Read => true,
            Request::Transfer(transfer) => {
                let done = self.debit(&transfer);
                if done {
                    self.credit(&transfer.to, transfer.amount);
                }
                done
            }
            Request::Reserve(saga, transfer) => {
                let done = !self.sagas.contains_key(&saga) && self.debit(&transfer);
                if done {
                    self.sagas.insert(saga, Some(transfer));
                }
                done
            }
            Request::Settle(saga, confirmed) => match self.sagas.get_mut(&saga).and_then(Option::take) {
                Some(Transfer { from, to, amount }) => {
                    self.credit(if confirmed { &to } else { &from }, amount);
                    true
                }
                None => false,
            },
        }
    }
}

impl Sequential for Bank {
    type State = BankState;

    fn name(&self) -> &'static str {
        "bank"
    }

    fn initial(&self) -> BankState {
        BankState {
            balances: self.accounts.clone(),
            sagas: BTreeMap::new(),
        }
    }

    #[expect(
        clippy::match_same_arms,
        reason = "an arm for each operation reads like the specification"
    )]
    fn misfit(&self, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (request(history, op), output) {
            (Some(_), None)
            | (Some(Request::Transfer(_) | Request::Reserve(..) | Request::Settle(..)), Some(Output::Done(_))) => None,
            (Some(Request::Read), Some(Output::Value(Atom::List(_)))) => None,
            (Some(Request::Read), _) => Some("a bank is read as a list [[account, balance], …]"),
            (Some(_), _) => Some("its output is of another operation"),
            (None, _) => Some(
                "a bank has read, transfer [from, to, amount], reserve [saga, from, to, amount], confirm and cancel; amounts are integers from 0",
            ),
        }
    }

    fn apply(&self, state: &mut BankState, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        let Some(request) = request(history, op) else {
            return false;
        };
        let done = state.carry_out(request);
        match output {
            Some(Output::Value(read)) => balances(history.value(read)).as_ref() == Some(&state.balances),
            Some(output) => output == Output::Done(done),
            None => true,
        }
    }

    fn show(&self, state: &BankState, _: &History) -> String {
        let balances = state
            .balances
            .iter()
            .map(|(account, balance)| format!("{account}: {balance}"));
        let held = state.sagas.iter().filter_map(|(saga, held)| {
            let held = held.as_ref()?;
            Some(format!("saga {saga} holds {}", held.amount))
        });
        super::joined(balances.chain(held))
    }
}
