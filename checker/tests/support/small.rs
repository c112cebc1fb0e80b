//! Tiny histories of any kind: overlapping, of unknown outcome, with equal operations, answered rightly and wrongly.

use checker::history::{History, Op, Output, OwnedValue};

use super::draws::Draws;
use super::oracle::{Oracle, Values};

/// What becomes of an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// No answer, and no effect.
    Lost,
    /// No answer, but an effect.
    Unanswered,
    /// An answer that an earlier state would give, or that is bent.
    Wrong,
    Right,
}

struct Draft {
    call: u64,
    returned: u64,
    /// When it takes effect, in quarters of a tick.
    point: u64,
    fate: Fate,
    op: Option<Op<OwnedValue>>,
    output: Option<Output<OwnedValue>>,
}

/// A history of at most `operations_max` operations on one object of `model`.
pub fn history(model: &str, seed: u64, operations_max: u64) -> History {
    let mut draws = Draws::new(seed);
    let values = match draws.below(3) {
        0 => Values::Distinct,
        1 => Values::Few(2),
        _ => Values::Few(3),
    };
    let terse = draws.below(2) == 0;
    // From one after another to all at once.
    let shape = (1 + draws.below(32), 1 << draws.below(4));
    // A third of the histories have only right answers.
    let wrong = if draws.below(3) == 0 { 0 } else { 2 + draws.below(4) };
    let mut drafts: Vec<Draft> = (0..1 + draws.below(operations_max))
        .map(|_| draft(&mut draws, shape, wrong))
        .collect();
    execute(&mut drafts, model, &mut draws, values, terse);
    let mut history = History::new();
    for (client, draft) in drafts.iter().enumerate() {
        let op = draft.op.as_ref().expect("every draft was executed");
        let id = history.invoke(client as u32, draft.call, op.borrowed());
        if let Some(output) = &draft.output {
            history.complete(id, draft.returned, output.borrowed());
        }
    }
    history
}

/// `shape`: how long the calls go on, and how long an operation lasts.
fn draft(draws: &mut Draws, (span, lasts): (u64, u64), wrong: u64) -> Draft {
    let (call, lasts) = (draws.below(span), draws.below(lasts));
    let fate = match draws.below(12) {
        0 => Fate::Lost,
        1 => Fate::Unanswered,
        chance if chance < 2 + wrong => Fate::Wrong,
        _ => Fate::Right,
    };
    Draft {
        call,
        returned: call + lasts,
        point: call * 4 + draws.below(lasts * 4 + 1),
        fate,
        op: None,
        output: None,
    }
}

fn execute(drafts: &mut [Draft], model: &str, draws: &mut Draws, values: Values, terse: bool) {
    let mut oracle = Oracle::new(model);
    let mut stale = oracle.clone();
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|&index| drafts[index].point);
    for index in order {
        let op = oracle.draw(draws, OwnedValue::Null, values, index as i64 + 1);
        let draft = &mut drafts[index];
        let before = oracle.clone();
        match draft.fate {
            Fate::Lost => {}
            Fate::Unanswered => drop(oracle.execute(&op, terse)),
            Fate::Right => draft.output = Some(oracle.execute(&op, terse)),
            Fate::Wrong => {
                let right = oracle.execute(&op, terse);
                draft.output = Some(if draws.below(2) == 0 {
                    stale.execute(&op, terse)
                } else {
                    bent(right, draws)
                });
            }
        }
        if draws.below(4) == 0 {
            stale = before;
        }
        draft.op = Some(op);
    }
}

/// An answer of the same form that is hardly the right one.
fn bent(output: Output<OwnedValue>, draws: &mut Draws) -> Output<OwnedValue> {
    match output {
        Output::Ok => Output::Ok,
        Output::Done(done) => Output::Done(!done),
        Output::Value(mut value) => {
            bend(&mut value, draws);
            Output::Value(value)
        }
    }
}

fn bend(value: &mut OwnedValue, draws: &mut Draws) {
    match value {
        OwnedValue::Null => *value = OwnedValue::Integer(draws.below(3) as i64),
        OwnedValue::Integer(integer) => *integer = (*integer + draws.below(3) as i64 - 1).max(0),
        OwnedValue::Text(text) => *text = ["", "a", "b", "placed", "paid"][draws.below(5) as usize].to_owned(),
        OwnedValue::List(items) => {
            let index = draws.below(items.len().max(1) as u64) as usize;
            if items.len() > 1 && draws.below(3) == 0 {
                return items.swap(0, index);
            }
            if let Some(item) = items.get_mut(index) {
                bend(item, draws);
            }
        }
    }
}
