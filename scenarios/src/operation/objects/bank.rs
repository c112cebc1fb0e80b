//! A bank: accounts, transfers, and sagas.
//!
//! A saga is a transfer in two steps, for when the two accounts are not in one hand: `reserve` takes the money, `confirm`
//! delivers it, and `cancel` compensates and gives it back. Each step is an entry of the log. A saga that its client has
//! left lying is cancelled by whoever finds it, through the log as well, and never by a node's own timer: a timer strikes
//! at different places of the log on different nodes.

use super::{Answer, Datum, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many accounts every bank has: `0..ACCOUNTS`.
pub const ACCOUNTS: i64 = 6;

/// What each account holds at first.
pub const OPENING_BALANCE: i64 = 100;

/// What can be asked of a bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BankCall {
    /// Move an amount at once; refused when the first account holds less.
    Transfer {
        /// The account that pays.
        from: i64,
        /// The account that receives.
        to: i64,
        /// From 0.
        amount: i64,
    },
    /// Take an amount and hold it under the name of a saga; refused when the account holds less or the saga is known.
    Reserve {
        /// The saga.
        saga: i64,
        /// The account that pays.
        from: i64,
        /// The account that is to receive.
        to: i64,
        /// From 0.
        amount: i64,
    },
    /// Deliver what a saga holds; refused when it holds nothing.
    Confirm(i64),
    /// Give back what a saga holds; refused when it holds nothing.
    Cancel(i64),
    /// All balances.
    Read,
}

impl BankCall {
    pub(super) fn is_query(&self) -> bool {
        *self == Self::Read
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Transfer { .. } => "transfer",
            Self::Reserve { .. } => "reserve",
            Self::Confirm(_) => "confirm",
            Self::Cancel(_) => "cancel",
            Self::Read => "read",
        }
    }
}

/// Accounts and sagas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    balances: BTreeMap<i64, i64>,
    /// What each saga holds; nothing once it is over.
    sagas: BTreeMap<i64, Option<Held>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    from: i64,
    to: i64,
    amount: i64,
}

impl Default for Bank {
    fn default() -> Self {
        Self {
            balances: (0..ACCOUNTS).map(|account| (account, OPENING_BALANCE)).collect(),
            sagas: BTreeMap::new(),
        }
    }
}

impl Bank {
    /// Takes an amount out of an account, if it is there and there is somewhere to go with it.
    fn debit(&mut self, Held { from, to, amount }: Held) -> bool {
        let known = self.balances.contains_key(&to);
        match self.balances.get_mut(&from) {
            Some(balance) if known && (0..=*balance).contains(&amount) => {
                *balance -= amount;
                true
            }
            _ => false,
        }
    }

    fn credit(&mut self, account: i64, amount: i64) {
        if let Some(balance) = self.balances.get_mut(&account) {
            *balance += amount;
        }
    }

    /// Ends a saga; whether there was anything to end.
    fn settle(&mut self, saga: i64, to: impl FnOnce(Held) -> i64) -> bool {
        let held = self.sagas.get_mut(&saga).and_then(Option::take);
        if let Some(held) = held {
            self.credit(to(held), held.amount);
        }
        held.is_some()
    }
}

impl State for Bank {
    type Call = BankCall;

    fn apply(&mut self, call: &BankCall) -> Answer {
        Answer::Done(match *call {
            BankCall::Transfer { from, to, amount } => {
                let done = self.debit(Held { from, to, amount });
                if done {
                    self.credit(to, amount);
                }
                done
            }
            BankCall::Reserve { saga, from, to, amount } => {
                let held = Held { from, to, amount };
                let done = !self.sagas.contains_key(&saga) && self.debit(held);
                if done {
                    self.sagas.insert(saga, Some(held));
                }
                done
            }
            BankCall::Confirm(saga) => self.settle(saga, |held| held.to),
            BankCall::Cancel(saga) => self.settle(saga, |held| held.from),
            BankCall::Read => {
                let pair = |(account, balance): (&i64, &i64)| {
                    Datum::List(vec![Datum::Number(*account), Datum::Number(*balance)])
                };
                return Answer::Value(Datum::List(self.balances.iter().map(pair).collect()));
            }
        })
    }
}
