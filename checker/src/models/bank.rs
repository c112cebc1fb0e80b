//! A bank: money moves between accounts, and none is made or lost.
//!
//! A transfer is one step. A saga (Garcia-Molina and Salem 1987) is two: `reserve` takes the money from the one account and
//! holds it, then `confirm` gives it to the other, or `cancel` compensates and gives it back. In between it is in *no* account,
//! and a read must show it so: that is the only half-done state which the specification knows.

use std::collections::{BTreeMap, BTreeSet};

use super::Sequential;
use crate::history::{Atom, History, Op, Operation, OperationId, Output, OwnedValue, Value};

/// Accounts with their balances at the start. Balances never fall below zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bank {
    /// By account; there are no others.
    accounts: Vec<(OwnedValue, i64)>,
    /// Sagas that can be begun once only: when they are over, nothing can tell that they ever were.
    begun_once: BTreeSet<OwnedValue>,
}

/// Money under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// Places in [`BankState::balances`].
    from: usize,
    to: usize,
    amount: i64,
}

/// What a [`Bank`] knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BankState {
    /// The balance of each account, in the order of the accounts; with what is held their sum never changes.
    pub balances: Vec<i64>,
    /// Each saga that was begun, and the money that it holds; `None` once it is confirmed or cancelled.
    pub sagas: BTreeMap<OwnedValue, Option<Transfer>>,
}

/// What an operation asks of a bank. A transfer from or to an account that there is not is `None`.
enum Request {
    Read,
    Transfer(Option<Transfer>),
    Reserve(OwnedValue, Option<Transfer>),
    /// Confirm a saga (`true`), or cancel it.
    Settle(OwnedValue, bool),
}

impl Bank {
    /// The bank whose accounts `initial` lists as `[[account, balance], …]`.
    ///
    /// # Errors
    ///
    /// When it is no such list, or names an account twice.
    pub fn new(initial: &OwnedValue) -> Result<Bank, &'static str> {
        let what = "the accounts of a bank are a list [[account, balance], …], each account once, balances from 0 and below 2^63 in all";
        let mut accounts: Vec<(OwnedValue, i64)> = listed(initial.as_value())
            .ok_or(what)?
            .into_iter()
            .map(|(account, balance)| (account.into(), balance))
            .collect();
        accounts.sort();
        let total = |sum: i64, &(_, balance): &(_, i64)| if balance < 0 { None } else { sum.checked_add(balance) };
        accounts.iter().try_fold(0, total).ok_or(what)?;
        if accounts.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(what);
        }
        Ok(Bank {
            accounts,
            begun_once: BTreeSet::new(),
        })
    }

    fn place(&self, account: Value<'_>) -> Option<usize> {
        let by_account = |(known, _): &(OwnedValue, i64)| known.as_value().cmp(&account);
        self.accounts.binary_search_by(by_account).ok()
    }

    /// What `[from, to, amount]` asks for; none when it is no such list.
    fn transfer<'v>(&self, mut items: impl Iterator<Item = Value<'v>>) -> Option<Option<Transfer>> {
        let (from, to, amount) = (items.next()?, items.next()?, items.next()?);
        let (Value::Integer(amount @ 0..), None) = (amount, items.next()) else {
            return None;
        };
        let places = self.place(from).zip(self.place(to));
        Some(places.map(|(from, to)| Transfer { from, to, amount }))
    }

    fn request(&self, history: &History, op: Op<Atom>) -> Option<Request> {
        let items = |atom| match history.value(atom) {
            Value::List(list) => Some(list.iter()),
            Value::Null | Value::Integer(_) | Value::Text(_) => None,
        };
        Some(match op {
            Op::Read { .. } => Request::Read,
            Op::Transfer { value, .. } => Request::Transfer(self.transfer(items(value)?)?),
            Op::Reserve { value, .. } => {
                let mut items = items(value)?;
                Request::Reserve(items.next()?.into(), self.transfer(items)?)
            }
            Op::Confirm { value, .. } => Request::Settle(history.value(value).into(), true),
            Op::Cancel { value, .. } => Request::Settle(history.value(value).into(), false),
            _ => return None,
        })
    }

    /// Carries a request out; whether it was done.
    fn carry_out(&self, state: &mut BankState, request: Request) -> bool {
        match request {
            Request::Read => true,
            Request::Transfer(transfer) => transfer.is_some_and(|transfer| {
                let done = state.debit(transfer);
                if done {
                    state.balances[transfer.to] += transfer.amount;
                }
                done
            }),
            Request::Reserve(saga, transfer) => transfer.is_some_and(|transfer| {
                let done = !state.sagas.contains_key(&saga) && state.debit(transfer);
                if done {
                    state.sagas.insert(saga, Some(transfer));
                }
                done
            }),
            Request::Settle(saga, confirmed) => match state.sagas.get_mut(&saga).and_then(Option::take) {
                Some(Transfer { from, to, amount }) => {
                    state.balances[if confirmed { to } else { from }] += amount;
                    if self.begun_once.contains(&saga) {
                        state.sagas.remove(&saga);
                    }
                    true
                }
                None => false,
            },
        }
    }

    /// Whether `read` lists the balances of `state`.
    fn shows(&self, state: &BankState, read: Value<'_>) -> bool {
        let Some(listed) = listed(read).filter(|listed| listed.len() == state.balances.len()) else {
            return false;
        };
        let mut unseen: Vec<Option<i64>> = state.balances.iter().copied().map(Some).collect();
        listed.into_iter().all(|(account, balance)| {
            let place = self.place(account);
            place.is_some_and(|place| unseen[place].take() == Some(balance))
        })
    }
}

/// What `value` lists as `[[account, balance], …]`; `None` when it is no such list.
fn listed(value: Value<'_>) -> Option<Vec<(Value<'_>, i64)>> {
    let Value::List(list) = value else { return None };
    list.iter().map(account_and_balance).collect()
}

fn account_and_balance(item: Value<'_>) -> Option<(Value<'_>, i64)> {
    let Value::List(pair) = item else { return None };
    match (pair.get(0), pair.get(1), pair.len()) {
        (Some(account), Some(Value::Integer(balance)), 2) => Some((account, balance)),
        _ => None,
    }
}

impl BankState {
    /// Takes the money of a transfer out of its account, if there is as much.
    fn debit(&mut self, transfer: Transfer) -> bool {
        let balance = &mut self.balances[transfer.from];
        let enough = *balance >= transfer.amount;
        if enough {
            *balance -= transfer.amount;
        }
        enough
    }
}

impl Sequential for Bank {
    type State = BankState;

    fn name(&self) -> &'static str {
        "bank"
    }

    fn initial(&self) -> BankState {
        BankState {
            balances: self.accounts.iter().map(|(_, balance)| *balance).collect(),
            sagas: BTreeMap::new(),
        }
    }

    #[expect(
        clippy::match_same_arms,
        reason = "an arm for each operation reads like the specification"
    )]
    fn misfit(&self, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (self.request(history, op), output) {
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
        let Some(request) = self.request(history, op) else {
            return false;
        };
        let done = self.carry_out(state, request);
        match output {
            Some(Output::Value(read)) => self.shows(state, history.value(read)),
            Some(output) => output == Output::Done(done),
            None => true,
        }
    }

    fn among(&self, history: &History, ids: &[OperationId]) -> Self {
        let mut begun: BTreeMap<OwnedValue, bool> = BTreeMap::new();
        for &id in ids {
            if let Some(Request::Reserve(saga, _)) = self.request(history, history.operation(id).op) {
                begun.entry(saga).and_modify(|once| *once = false).or_insert(true);
            }
        }
        Bank {
            begun_once: begun
                .into_iter()
                .filter_map(|(saga, once)| once.then_some(saga))
                .collect(),
            ..self.clone()
        }
    }

    fn remark(
        &self,
        history: &History,
        operation: &Operation,
        called: &mut dyn Iterator<Item = Operation>,
    ) -> Option<String> {
        let (Op::Read { .. }, Some(Output::Value(read))) = (operation.op, operation.output) else {
            return None;
        };
        let total = |sum: i128, balance: i64| sum + i128::from(balance);
        let shown = listed(history.value(read))?;
        let shown = shown.into_iter().map(|(_, balance)| balance).fold(0, total);
        let was = self.accounts.iter().map(|&(_, balance)| balance).fold(0, total);
        // A saga may hold what is missing.
        let mut may_be_held = || {
            called
                .map(|operation| operation.op)
                .any(|op| matches!(op, Op::Reserve { .. }))
        };
        if shown == was || shown < was && may_be_held() {
            return None;
        }
        Some(format!(
            "the total is {shown}, it was {was}, and no transfer changes it"
        ))
    }

    fn show(&self, state: &BankState, _: &History) -> String {
        let balances = self
            .accounts
            .iter()
            .zip(&state.balances)
            .map(|((account, _), balance)| format!("{account}: {balance}"));
        let held = state.sagas.iter().filter_map(|(saga, held)| {
            let held = held.as_ref()?;
            Some(format!("saga {saga} holds {}", held.amount))
        });
        super::joined(balances.chain(held))
    }
}
