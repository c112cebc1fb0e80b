//! An order that moves from state to state, each transition an optimistic one: it names the state that it starts from.

use super::{Answer, Datum, State};
use serde::{Deserialize, Serialize};

/// The states of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// Nobody has placed it yet.
    #[default]
    None,
    /// Placed.
    Placed,
    /// Paid.
    Paid,
    /// On its way.
    Shipped,
    /// With its customer.
    Delivered,
    /// Called off before it was paid.
    Cancelled,
    /// Sent back.
    Returned,
    /// The money has been given back.
    Refunded,
}

impl OrderState {
    /// Its name; none for an order that does not exist yet.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
            Self::Refunded => "refunded",
        })
    }

    /// The states that may follow.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::None => &[Self::Placed],
            Self::Placed => &[Self::Paid, Self::Cancelled],
            Self::Paid => &[Self::Shipped, Self::Refunded],
            Self::Shipped => &[Self::Delivered, Self::Returned],
            Self::Returned => &[Self::Refunded],
            Self::Delivered | Self::Cancelled | Self::Refunded => &[],
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = [
            Self::Placed,
            Self::Paid,
            Self::Shipped,
            Self::Delivered,
            Self::Cancelled,
            Self::Returned,
            Self::Refunded,
        ];
        named.into_iter().find(|state| state.name() == Some(name))
    }
}

/// What can be asked of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderCall {
    /// Move it from one state to another; refused when it is in another, or when that may not follow.
    Transition(OrderState, OrderState),
    /// Its state.
    Read,
}

impl OrderCall {
    pub(super) fn is_query(&self) -> bool {
        *self == Self::Read
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Transition(..) => "transition",
            Self::Read => "read",
        }
    }
}

/// The state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order(OrderState);

impl State for Order {
    type Call = OrderCall;

    fn apply(&mut self, call: &OrderCall) -> Answer {
        match call {
            OrderCall::Transition(from, to) => {
                let legal = self.0 == *from && from.next().contains(to);
                if legal {
                    self.0 = *to;
                }
                Answer::Done(legal)
            }
            OrderCall::Read => Answer::Value(
                self.0
                    .name()
                    .map_or(Datum::Nothing, |name| Datum::Name(name.to_owned())),
            ),
        }
    }
}
