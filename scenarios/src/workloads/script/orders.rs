//! Orders by optimistic transitions: a client looks at an order, and moves it on from the state that it saw.
//!
//! Orders come to an end, so there are always new ones: a few at a time, which all clients work on together.

use super::{Ctx, call};
use crate::operation::objects::{Answer, Call, Datum, OrderCall, OrderState};
use crate::operation::{Key, Operation, Reply};
use simulator::Duration;
use std::collections::BTreeMap;

/// How long the same orders are worked on.
const EPOCH: Duration = Duration(400_000_000);

/// Most orders of a run.
pub(super) const ORDERS_MAX: u64 = 2_000;

/// Moves orders on.
#[derive(Clone, Debug)]
pub struct Clerk {
    /// Orders that are open at a time.
    open: u16,
    /// Orders of the whole run.
    orders: u16,
    seen: BTreeMap<Key, OrderState>,
}

impl Clerk {
    pub(super) fn new(open: u16, chaos: Duration) -> Self {
        let epochs = chaos.0 / EPOCH.0 + 1;
        Self {
            open,
            orders: (u64::from(open) * epochs).min(ORDERS_MAX.max(open.into())) as u16,
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn keys(&self) -> u16 {
        self.orders
    }

    pub(super) fn draw(&mut self, ctx: &mut Ctx<'_>) -> Operation {
        let epoch = ctx.now().0 / EPOCH.0;
        let nth = ctx.range(0, u64::from(self.open) - 1);
        let key = ((epoch * u64::from(self.open) + nth) % u64::from(self.orders)) as Key;
        let from = self.seen.get(&key).copied().unwrap_or_default();
        let tenth = ctx.range(0, 9);
        let asked = match from.next() {
            // Now and then against the table, or from a state that it cannot be in.
            _ if tenth == 0 => OrderCall::Transition(OrderState::Shipped, OrderState::Paid),
            [] => OrderCall::Read,
            _ if tenth < 4 => OrderCall::Read,
            next => {
                let to = next[ctx.range(0, next.len() as u64 - 1) as usize];
                OrderCall::Transition(from, to)
            }
        };
        call(key, Call::Order(asked))
    }

    pub(super) fn answered(&mut self, operation: &Operation, reply: &Reply) {
        let (
            Operation::Call {
                key,
                call: Call::Order(asked),
            },
            Reply::Answer { answer },
        ) = (operation, reply)
        else {
            return;
        };
        match (asked, answer) {
            (OrderCall::Transition(_, to), Answer::Done(true)) => {
                self.seen.insert(*key, *to);
            }
            (OrderCall::Read, Answer::Value(Datum::Name(name))) => {
                if let Some(state) = OrderState::from_name(name) {
                    self.seen.insert(*key, state);
                }
            }
            _ => {}
        }
    }

    pub(super) fn serve(&self, key: Key) -> Vec<Operation> {
        let place = OrderCall::Transition(OrderState::None, OrderState::Placed);
        [OrderCall::Read, place, OrderCall::Read]
            .into_iter()
            .map(|asked| call(key, Call::Order(asked)))
            .collect()
    }
}
