//! Counters, sets, queues, stacks and priority queues. Elements are distinct, which is what the checker's fast methods want.

use super::{Ctx, Unique, call, key};
use crate::operation::objects::{Answer, Call, CounterCall, Datum, PriorityQueueCall, QueueCall, SetCall, StackCall};
use crate::operation::{Key, Operation, Reply};
use crate::scenario::Model;

/// Asks for one type of collection.
#[derive(Clone, Debug)]
pub struct Collections {
    model: Model,
    keys: u16,
    /// An element of each key that was there not long ago.
    seen: Vec<Option<i64>>,
}

impl Collections {
    pub(super) fn new(model: Model, keys: u16) -> Self {
        Self {
            model,
            keys,
            seen: vec![None; keys.into()],
        }
    }

    pub(super) fn keys(&self) -> u16 {
        self.keys
    }

    pub(super) fn draw(&mut self, unique: Unique, ctx: &mut Ctx<'_>) -> Operation {
        let key = key(self.keys, ctx);
        let number = unique.number();
        let tenth = ctx.range(0, 9);
        call(
            key,
            match self.model {
                Model::Counter if tenth < 6 => Call::Counter(CounterCall::Add(1 + number % 9)),
                Model::Counter => Call::Counter(CounterCall::Read),
                Model::Set => Call::Set(self.of_set(key, number, tenth)),
                // A little more is put in than is taken out, so that neither end is always empty.
                Model::Queue if tenth < 5 => Call::Queue(QueueCall::Enqueue(number)),
                Model::Queue => Call::Queue(QueueCall::Dequeue),
                Model::Stack if tenth < 5 => Call::Stack(StackCall::Push(number)),
                Model::Stack => Call::Stack(StackCall::Pop),
                // The priority is drawn; the rest of the number keeps elements distinct.
                _ if tenth < 5 => {
                    let priority = ctx.range(0, 99) as i64;
                    Call::PriorityQueue(PriorityQueueCall::Insert(priority << 40 | number))
                }
                _ => Call::PriorityQueue(PriorityQueueCall::PopMin),
            },
        )
    }

    fn of_set(&self, key: Key, number: i64, tenth: u64) -> SetCall {
        match (tenth, self.seen[usize::from(key)]) {
            (0..4, _) | (4..8, None) => SetCall::Add(number),
            (4..6, Some(element)) => SetCall::Remove(element),
            (6..8, Some(element)) => SetCall::Contains(element),
            _ => SetCall::Read,
        }
    }

    pub(super) fn answered(&mut self, operation: &Operation, reply: &Reply) -> Option<Operation> {
        let (Operation::Call { key, call: asked }, Reply::Answer { answer }) = (operation, reply) else {
            return None;
        };
        match (asked, answer) {
            (Call::Set(SetCall::Add(element)), _) => self.seen[usize::from(*key)] = Some(*element),
            (Call::Set(SetCall::Read), Answer::Value(Datum::List(elements))) => {
                if let Some(Datum::Number(element)) = elements.last() {
                    self.seen[usize::from(*key)] = Some(*element);
                }
            }
            _ => {}
        }
        None
    }

    /// One operation that tells what the faults left, one that changes it, and one that tells of the change.
    pub(super) fn serve(&self, key: Key, unique: Unique) -> Vec<Operation> {
        let number = unique.number();
        let calls = match self.model {
            Model::Counter => [CounterCall::Read, CounterCall::Add(1), CounterCall::Read].map(Call::Counter),
            Model::Set => [SetCall::Read, SetCall::Add(number), SetCall::Read].map(Call::Set),
            Model::Queue => [QueueCall::Dequeue, QueueCall::Enqueue(number), QueueCall::Dequeue].map(Call::Queue),
            Model::Stack => [StackCall::Pop, StackCall::Push(number), StackCall::Pop].map(Call::Stack),
            _ => [
                PriorityQueueCall::PopMin,
                PriorityQueueCall::Insert(number),
                PriorityQueueCall::PopMin,
            ]
            .map(Call::PriorityQueue),
        };
        calls.into_iter().map(|asked| call(key, asked)).collect()
    }
}
