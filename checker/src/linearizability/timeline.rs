//! The operations of one partition along the clock: which are in flight when an operation must have taken effect.
//!
//! Owns the order of calls and returns, the slots (bits) of the operations in flight, and moving along the returns in both
//! directions. Knows no states.

/// Rank of an operation that never has to take effect.
const NEVER: u32 = u32::MAX;

/// One operation of a search: when it was called, by when it takes effect, and whether it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Index into the steps of the partition.
    pub(super) step: u32,
    pub(super) call: u64,
    /// Latest moment to take effect; `None`: any moment after the call will do.
    pub(super) returned: Option<u64>,
    /// Whether it must take effect. Never without a return; with one, only the search for a core says no.
    pub(super) required: bool,
}

/// A position among the returns, and what is in flight there.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Items with a return, by return.
    returns: Vec<u32>,
    /// Items with a return, by call.
    calls: Vec<u32>,
    /// For each return, how many of `calls` were called at or before it.
    called: Vec<u32>,
    /// Items without a return, by call; then how many of them were called at or before each return.
    optional: Vec<u32>,
    optional_called: Vec<u32>,
    /// Index into `returns`.
    position: u32,
    /// Items with a return called by now that have not returned before `position`, by return: the first one returns next.
    pending: Vec<u32>,
    /// For each item: its place in `returns`, or [`NEVER`].
    rank: Vec<u32>,
    /// For each item: its bit among those in flight that have a return, or among the optional ones.
    slot: Vec<u32>,
    slots: usize,
}

impl Timeline {
    /// `items` may be in any order.
    pub(super) fn new(items: &[Item]) -> Self {
        let (mut returns, mut optional) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.iter().enumerate() {
            assert!(
                !item.required || item.returned.is_some(),
                "an operation without a return need not take effect"
            );
            if item.returned.is_some() {
                returns.push(index as u32);
            } else {
                optional.push(index as u32);
            }
        }
        let call = |&index: &u32| items[index as usize].call;
        let mut calls = returns.clone();
        calls.sort_by_key(call);
        optional.sort_by_key(call);
        returns.sort_by_key(|&index| items[index as usize].returned);
        let mut rank = vec![NEVER; items.len()];
        for (place, &index) in returns.iter().enumerate() {
            rank[index as usize] = place as u32;
        }
        let until = |by_call: &[u32]| {
            let mut count = 0;
            let count_at = |&last: &u32| {
                let time = items[last as usize]
                    .returned
                    .expect("only items with a return are in returns");
                while by_call.get(count).is_some_and(|index| call(index) <= time) {
                    count += 1;
                }
                count as u32
            };
            returns.iter().map(count_at).collect::<Vec<u32>>()
        };
        let (called, optional_called) = (until(&calls), until(&optional));
        let mut timeline = Timeline {
            slot: vec![0; items.len()],
            slots: 0,
            returns,
            calls,
            called,
            optional,
            optional_called,
            position: 0,
            pending: Vec::new(),
            rank,
        };
        timeline.assign_slots();
        timeline.enter(0);
        timeline
    }

    /// Gives every item with a return a bit that no other item in flight at the same time has.
    fn assign_slots(&mut self) {
        let mut vacant: Vec<u32> = Vec::new();
        let mut calls = 0;
        for (place, &last) in self.returns.iter().enumerate() {
            for &item in &self.calls[calls..self.called[place] as usize] {
                self.slot[item as usize] = vacant.pop().unwrap_or_else(|| {
                    self.slots += 1;
                    self.slots as u32 - 1
                });
            }
            calls = self.called[place] as usize;
            vacant.push(self.slot[last as usize]);
        }
        for (place, &item) in self.optional.iter().enumerate() {
            self.slot[item as usize] = place as u32;
        }
    }

    /// Bits needed for the items with a return in flight, and for the optional ones.
    pub(super) fn widths(&self) -> (usize, usize) {
        (self.slots, self.optional.len())
    }

    /// How many returns there are.
    pub(super) fn len(&self) -> u32 {
        self.returns.len() as u32
    }

    pub(super) fn position(&self) -> u32 {
        self.position
    }

    /// The item that returns next.
    pub(super) fn due(&self) -> u32 {
        self.pending[0]
    }

    /// The items with a return in flight, by return; the first is [`due`](Self::due).
    pub(super) fn pending(&self) -> &[u32] {
        &self.pending
    }

    /// The items without a return that were called by now, by call.
    pub(super) fn optional(&self) -> &[u32] {
        &self.optional[..self.optional_called[self.position as usize] as usize]
    }

    /// All items without a return, by call.
    pub(super) fn all_optional(&self) -> &[u32] {
        &self.optional
    }

    pub(super) fn slot(&self, item: u32) -> u32 {
        self.slot[item as usize]
    }

    /// Lets the due item return; `false` when it was the last.
    pub(super) fn advance(&mut self) -> bool {
        self.pending.remove(0);
        let calls = self.called[self.position as usize];
        self.position += 1;
        if self.position == self.len() {
            return false;
        }
        self.enter(calls);
        true
    }

    /// Takes back every return from `position` on.
    pub(super) fn rewind(&mut self, position: u32) {
        while self.position > position {
            if self.position < self.len() {
                let previous = self.called[self.position as usize - 1] as usize;
                for place in previous..self.called[self.position as usize] as usize {
                    let called = self.calls[place];
                    let place = self.pending.iter().position(|&item| item == called);
                    self.pending
                        .remove(place.expect("an item that was called is pending until it returns"));
                }
            }
            self.position -= 1;
            self.pending.insert(0, self.returns[self.position as usize]);
        }
    }

    /// Puts the items in flight that were called since the first `calls` calls.
    fn enter(&mut self, calls: u32) {
        let Some(&called) = self.called.get(self.position as usize) else {
            return;
        };
        for place in calls as usize..called as usize {
            let item = self.calls[place];
            let rank = self.rank[item as usize];
            let at = self.pending.partition_point(|&other| self.rank[other as usize] < rank);
            self.pending.insert(at, item);
        }
    }
}
