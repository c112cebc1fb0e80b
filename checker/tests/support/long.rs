//! One large history: clients take turns at random, and an operation takes effect when its client's turn comes in between.

use checker::history::{History, Op, OperationId, Output, OwnedValue};

use super::draws::Draws;
use super::oracle::{Oracle, Values};

/// What a history is like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub model: &'static str,
    pub clients: u32,
    pub keys: u64,
    pub values: Values,
    /// Operations of unknown outcome in a thousand; half of them took effect.
    pub unknown: u64,
    pub operations: usize,
    /// Whether one answer is stale: that of a server which has missed the latest operation.
    pub is_broken: bool,
}

enum Flight {
    Called(OperationId, usize, Op<OwnedValue>),
    Done(OperationId, Output<OwnedValue>),
}

struct Maker {
    shape: Shape,
    draws: Draws,
    history: History,
    order: Vec<OperationId>,
    objects: Vec<Oracle>,
    flights: Vec<Option<Flight>>,
    time: u64,
    /// Answers in a thousand that an earlier state gives, and that state.
    stale: u64,
    earlier: Vec<Oracle>,
}

/// A history, and an order in which its operations took effect.
pub struct Long {
    pub history: History,
    pub order: Vec<OperationId>,
}

/// The history of `shape` and `seed`.
pub fn history(shape: Shape, seed: u64) -> Long {
    let mut maker = Maker::new(shape, seed);
    // With few values an operation of unknown outcome may excuse any later answer, so the stale one comes early.
    let few_and_unknown = shape.values != Values::Distinct && shape.unknown > 0;
    let stale_at = if few_and_unknown { 40 } else { shape.operations * 9 / 10 };
    if shape.is_broken {
        maker.run(stale_at);
        maker.answer_stale();
    }
    maker.run(shape.operations);
    Long {
        history: maker.history,
        order: maker.order,
    }
}

/// As [`history`], but broken anywhere: so many answers in a thousand are those that an earlier state would have given, and the shape's
/// own stale answer comes at any time. It may happen to be linearizable.
pub fn broken(shape: Shape, seed: u64, stale: u64) -> History {
    let mut maker = Maker::new(shape, seed);
    let stale_at = maker.draws.below(shape.operations as u64) as usize;
    maker.stale = stale;
    maker.run(stale_at);
    maker.try_answer_stale();
    maker.run(shape.operations);
    maker.history
}

impl Maker {
    fn new(shape: Shape, seed: u64) -> Self {
        Maker {
            shape,
            draws: Draws::new(seed),
            history: History::new(),
            order: Vec::new(),
            objects: (0..shape.keys).map(|_| Oracle::new(shape.model)).collect(),
            flights: (0..shape.clients).map(|_| None).collect(),
            time: 0,
            stale: 0,
            earlier: Vec::new(),
        }
    }

    /// Goes on until there are `operations` and none is in flight.
    fn run(&mut self, operations: usize) {
        let calls = |maker: &Maker| maker.history.operations().len() < operations;
        while calls(self) || self.flights.iter().any(Option::is_some) {
            self.time += 1;
            let client = self.draws.below(u64::from(self.shape.clients)) as usize;
            self.flights[client] = match self.flights[client].take() {
                None if calls(self) => Some(self.call(client)),
                None => None,
                Some(Flight::Called(id, object, op)) => self.take_effect(id, object, &op),
                Some(Flight::Done(id, output)) => {
                    if !self.draws.per_mille(self.shape.unknown / 2) {
                        self.history.complete(id, self.time, output.borrowed());
                    }
                    None
                }
            };
        }
    }

    fn draw(&mut self, object: usize) -> Op<OwnedValue> {
        let key = if self.shape.keys == 1 {
            OwnedValue::Null
        } else {
            OwnedValue::Integer(object as i64)
        };
        let serial = self.history.operations().len() as i64 + 1;
        self.objects[object].draw(&mut self.draws, key, self.shape.values, serial)
    }

    fn call(&mut self, client: usize) -> Flight {
        let object = self.draws.below(self.shape.keys) as usize;
        let op = self.draw(object);
        let id = self.history.invoke(client as u32, self.time, op.borrowed());
        Flight::Called(id, object, op)
    }

    fn take_effect(&mut self, id: OperationId, object: usize, op: &Op<OwnedValue>) -> Option<Flight> {
        if self.draws.per_mille(self.shape.unknown / 2) {
            return None;
        }
        self.order.push(id);
        if self.stale > 0 {
            if self.earlier.is_empty() || self.draws.per_mille(200) {
                self.earlier.clone_from(&self.objects);
            }
            if self.draws.per_mille(self.stale) {
                let answer = self.earlier[object].clone().execute(op, true);
                self.objects[object].execute(op, true);
                return Some(Flight::Done(id, answer));
            }
        }
        Some(Flight::Done(id, self.objects[object].execute(op, true)))
    }

    /// One operation alone, and then one alone that is answered as if the first had not been.
    fn answer_stale(&mut self) {
        assert!(
            self.try_answer_stale(),
            "no operation tells a stale state from a fresh one"
        );
    }

    /// `false`: nothing that was drawn tells one from the other.
    fn try_answer_stale(&mut self) -> bool {
        let object = self.draws.below(self.shape.keys) as usize;
        for _ in 0..1000 {
            let stale = self.objects[object].clone();
            let first = self.draw(object);
            let mut after = stale.clone();
            let first_output = after.execute(&first, true);
            let second = after.draw(&mut self.draws, first.borrowed().key().into(), self.shape.values, -1);
            let answer = stale.clone().execute(&second, true);
            if matches!(second, Op::Cas { .. }) || after.clone().execute(&second, true) == answer {
                continue;
            }
            self.alone(&first, &first_output);
            self.alone(&second, &answer);
            after.execute(&second, true);
            self.objects[object] = after;
            return true;
        }
        false
    }

    fn alone(&mut self, op: &Op<OwnedValue>, output: &Output<OwnedValue>) {
        let id = self.history.invoke(0, self.time + 1, op.borrowed());
        self.history.complete(id, self.time + 2, output.borrowed());
        self.order.push(id);
        self.time += 3;
    }
}
