//! An object that moves through a table of legal transitions: an order, a ticket, a job.

use super::Sequential;
use crate::history::{Atom, History, Op, Output, OwnedValue};

/// The transitions of [`Orders::default`]; null is an order that does not exist yet.
const ORDER: &[(Option<&str>, &str)] = &[
    (None, "placed"),
    (Some("placed"), "paid"),
    (Some("placed"), "cancelled"),
    (Some("paid"), "shipped"),
    (Some("paid"), "refunded"),
    (Some("shipped"), "delivered"),
    (Some("shipped"), "returned"),
    (Some("returned"), "refunded"),
];

/// A legal-transition table. A transition is done when the object is in the state that it names and the table has the pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// The state before the first transition.
    pub initial: OwnedValue,
    /// The legal pairs of states, from and to.
    pub legal: Vec<(OwnedValue, OwnedValue)>,
}

impl Default for Orders {
    /// An order that is placed, then paid or cancelled, then shipped or refunded, then delivered or returned and refunded.
    fn default() -> Self {
        let state = |name: Option<&str>| name.map_or(OwnedValue::Null, |name| OwnedValue::Text(name.to_owned()));
        Orders {
            initial: OwnedValue::Null,
            legal: ORDER.iter().map(|&(from, to)| (state(from), state(Some(to)))).collect(),
        }
    }
}

impl Sequential for Orders {
    type State = OwnedValue;

    fn name(&self) -> &'static str {
        "orders"
    }

    fn initial(&self) -> OwnedValue {
        self.initial.clone()
    }

    fn misfit(&self, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> Option<&'static str> {
        match (op, output) {
            (Op::Transition { .. }, None | Some(Output::Done(_)))
            | (Op::Read { .. }, None | Some(Output::Value(_))) => None,
            (Op::Transition { .. } | Op::Read { .. }, _) => Some("its output is of another operation"),
            _ => Some("an order has transition and read"),
        }
    }

    fn apply(&self, state: &mut OwnedValue, history: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        match op {
            Op::Transition { from, to, .. } => {
                let (from, to) = (history.value(from), history.value(to));
                let is_legal =
                    |(before, after): &(OwnedValue, OwnedValue)| (before.as_value(), after.as_value()) == (from, to);
                let done = from == state.as_value() && self.legal.iter().any(is_legal);
                if done {
                    *state = to.into();
                }
                output.is_none_or(|output| output == Output::Done(done))
            }
            Op::Read { .. } => match output {
                Some(Output::Value(read)) => history.value(read) == state.as_value(),
                _ => true,
            },
            _ => false,
        }
    }

    fn show(&self, state: &OwnedValue, _: &History) -> String {
        state.to_string()
    }
}
