//! The operations of one register, in the form that the fast methods for registers work on.
//!
//! Owns the way from a partition to a [`Cells`]: values become small integers, calls come in order, operations that say
//! nothing are left out. Owns also what was known at an earlier moment ([`known_at`]), for all data types.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::history::{Atom, History, Operation, OperationId};
use crate::models::{Action, Model};

/// The return of an operation that never returned.
pub(super) const NEVER: u64 = u64::MAX;

/// No operation, no value.
pub(super) const NONE: u32 = u32::MAX;

/// What an operation on a register did. Values are indices below [`Cells::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Read(u32),
    Write(u32),
    /// A compare-and-set that was done, to another value; one without a return is done or does nothing.
    Cas(u32, u32),
    /// A compare-and-set that found another value than this.
    Miss(u32),
}

impl What {
    /// The value that the operation leaves behind, if that does not depend on what it found.
    pub(super) fn leaves(self) -> Option<u32> {
        match self {
            What::Read(value) | What::Write(value) | What::Cas(_, value) => Some(value),
            What::Miss(_) => None,
        }
    }

    /// The value that the operation brings, if it brings one.
    pub(super) fn writes(self) -> Option<u32> {
        match self {
            What::Write(value) | What::Cas(_, value) => Some(value),
            What::Read(_) | What::Miss(_) => None,
        }
    }
}

/// One operation, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timed<W> {
    /// One more than recorded: 0 is before everything.
    pub(super) call: u64,
    /// As `call`; [`NEVER`] when the outcome is unknown, and then the operation may still have had an effect.
    pub(super) returned: u64,
    pub(super) what: W,
    /// Index in the partition.
    pub(super) at: u32,
}

impl<W> Timed<W> {
    /// `None` for the largest times, which are the marks of this module.
    pub(super) fn new(operation: &Operation, at: usize, what: W) -> Option<Self> {
        let shifted = |time: u64| time.checked_add(1).filter(|&time| time != NEVER);
        Some(Timed {
            call: shifted(operation.call)?,
            returned: match operation.returned {
                Some(returned) => shifted(returned)?,
                None => NEVER,
            },
            what,
            at: at as u32,
        })
    }

    /// When it returned.
    pub(super) fn moment(&self) -> Moment {
        (self.returned, self.at)
    }
}

/// One operation on a register; a read or a miss has returned.
pub(super) type CellOp = Timed<What>;

/// What a fast method works on: operations by call.
pub(super) trait Lowered: Sized {
    /// What the operations do.
    type What: Copy;

    /// By call.
    fn ops(&self) -> &[Timed<Self::What>];

    /// The moments at which operations returned, in order.
    fn moments(&self) -> Vec<Moment> {
        let moments = self.ops().iter().map(Timed::moment);
        let mut moments: Vec<Moment> = moments.filter(|&(returned, _)| returned != NEVER).collect();
        moments.sort_unstable();
        moments
    }
}

/// A return, and of equal ones whose: they are in the order of the history.
pub(super) type Moment = (u64, u32);

/// The operation at `at` as it was known at `until`, when everything up to that moment had returned: without an outcome while it
/// was in flight, `None` before its call. Everything is known when no moment is given.
#[inline(always)]
pub(super) fn known_at(mut operation: Operation, at: usize, until: Option<Moment>) -> Option<Operation> {
    if let Some(moment) = until {
        if operation.call >= moment.0 {
            return None;
        }
        if operation
            .returned
            .is_some_and(|returned| (returned.saturating_add(1), at as u32) > moment)
        {
            (operation.returned, operation.output) = (None, None);
        }
    }
    Some(operation)
}

/// Fewest things for which [`by_time`] does not just sort.
const BUCKETS_MIN: u32 = 256;

/// The numbers below `count` by `time`. Quick where times are spread evenly and nearly in order, as those of a history are: each goes
/// to the place that its time suggests, and then only neighbours are left to be sorted.
pub(super) fn by_time(count: u32, time: impl Fn(u32) -> u64) -> Vec<u32> {
    let ended = (0..count).map(&time).filter(|&time| time != NEVER);
    let (least, greatest) = ended.fold((NEVER, 0), |(least, greatest), time| {
        (least.min(time), greatest.max(time))
    });
    if count < BUCKETS_MIN || least > greatest {
        let mut sorted: Vec<u32> = (0..count).collect();
        sorted.sort_by_key(|&index| time(index));
        return sorted;
    }
    // At most as many buckets as things, and one for what never ends.
    let span = greatest - least;
    let shift = (u64::BITS - span.leading_zeros()).saturating_sub(count.ilog2());
    let last = (span >> shift) as usize + 1;
    let bucket = |index: u32| match time(index) {
        NEVER => last,
        time => ((time - least) >> shift) as usize,
    };
    // First how many things each bucket has, then where its next one goes; that is its end at last.
    let mut ends = vec![0u32; last + 1];
    (0..count).for_each(|index| ends[bucket(index)] += 1);
    let mut start = 0;
    for end in &mut ends {
        start += std::mem::replace(end, start);
    }
    let mut sorted = vec![0; count as usize];
    for index in 0..count {
        let next = &mut ends[bucket(index)];
        sorted[*next as usize] = index;
        *next += 1;
    }
    let mut start = 0;
    for end in ends.into_iter().take(last) {
        if end - start > 1 {
            sorted[start as usize..end as usize].sort_by_key(|&index| time(index));
        }
        start = end;
    }
    sorted
}

/// Sorts `ops` by call, where the history is not in that order.
pub(super) fn by_call<W>(mut ops: Vec<Timed<W>>) -> Vec<Timed<W>> {
    if !ops.is_sorted_by_key(|op| op.call) {
        ops.sort_by_key(|op| op.call);
    }
    ops
}

/// The operations of one register by call.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    pub(super) ops: Vec<CellOp>,
    /// How many values there are, the initial one among them.
    pub(super) values: u32,
    pub(super) initial: u32,
    /// Whether there are compare-and-sets.
    pub(super) compares: bool,
}

impl Cells {
    /// The operations `ids` as they were known at `until`, or `None` when one of them is not of a register.
    pub(super) fn new<M: Model>(
        history: &History,
        model: &M,
        ids: &[OperationId],
        initial: Option<Atom>,
        until: Option<Moment>,
    ) -> Option<Self> {
        let mut names = Names::new(history, ids.len(), initial);
        let initial = match initial {
            Some(atom) => names.name(atom),
            None => names.fresh(),
        };
        let mut ops = Vec::with_capacity(ids.len());
        let mut compares = false;
        let run = history.run(ids);
        for at in 0..ids.len() {
            let Some(operation) = known_at(run.get(at), at, until) else {
                continue;
            };
            let what = match model.action(history, &operation)? {
                Action::Nothing => continue,
                Action::Read(value) => What::Read(names.name(value)),
                Action::Write(value) => What::Write(names.name(value)),
                Action::Cas { from, to, done } => {
                    compares = true;
                    match (from == to, done) {
                        (_, Some(false)) => What::Miss(names.name(from)),
                        (true, Some(true)) => What::Read(names.name(from)),
                        (true, None) => continue,
                        (false, _) => What::Cas(names.name(from), names.name(to)),
                    }
                }
                _ => return None,
            };
            ops.push(Timed::new(&operation, at, what)?);
        }
        Some(Cells {
            ops: by_call(ops),
            values: names.count,
            initial,
            compares,
        })
    }
}

impl Cells {
    /// The operations that returned, by return; equal returns in the order of the history.
    pub(super) fn by_return(&self) -> Vec<u32> {
        let ops = &self.ops;
        let mut order = by_time(ops.len() as u32, |op| ops[op as usize].returned);
        order.truncate(order.partition_point(|&op| ops[op as usize].returned != NEVER));
        for equal in order.chunk_by_mut(|&one, &other| ops[one as usize].returned == ops[other as usize].returned) {
            equal.sort_unstable_by_key(|&op| ops[op as usize].at);
        }
        order
    }
}

impl Lowered for Cells {
    type What = What;

    fn ops(&self) -> &[CellOp] {
        &self.ops
    }
}

/// Small integers for atoms: a table where the atoms lie close together, else a map.
pub(super) struct Names {
    pub(super) count: u32,
    null: u32,
    /// Names of the integers from `least` on.
    integers: Vec<u32>,
    least: i64,
    texts: Vec<u32>,
    others: HashMap<Atom, u32, FxBuildHasher>,
}

impl Names {
    /// The values of `count` operations are to be named, which no table should outgrow.
    pub(super) fn new(history: &History, count: usize, initial: Option<Atom>) -> Self {
        let (mut least, mut greatest) = history.integers().unwrap_or((0, 0));
        if let Some(Atom::Integer(integer)) = initial {
            (least, greatest) = (least.min(integer), greatest.max(integer));
        }
        let room = 4 * count as u64 + 64;
        let table = |size: u64| vec![NONE; if size <= room { size as usize } else { 0 }];
        let span = greatest.abs_diff(least).saturating_add(1);
        let (integers, texts) = (table(span), table(history.texts() as u64));
        // About every second operation brings a value of its own, where there are that many.
        let others = if integers.is_empty() || texts.is_empty() {
            count / 2
        } else {
            0
        };
        Names {
            count: 0,
            null: NONE,
            integers,
            least,
            texts,
            others: HashMap::with_capacity_and_hasher(others, FxBuildHasher),
        }
    }

    fn fresh(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    pub(super) fn name(&mut self, atom: Atom) -> u32 {
        let place = match atom {
            Atom::Null => Some(&mut self.null),
            Atom::Integer(integer) => usize::try_from(integer.wrapping_sub(self.least))
                .ok()
                .and_then(|place| self.integers.get_mut(place)),
            Atom::Text(text) => self.texts.get_mut(text.index()),
            Atom::List(_) => None,
        };
        let place = match place {
            Some(place) => place,
            None => self.others.entry(atom).or_insert(NONE),
        };
        if *place == NONE {
            *place = self.count;
            self.count += 1;
        }
        *place
    }
}
