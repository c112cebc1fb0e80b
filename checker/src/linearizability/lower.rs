//! The operations of one register, in the form that the fast methods for registers work on.
//!
//! Owns the way from a partition to a [`Cells`]: values become small integers, calls come in order, operations that say
//! nothing are left out. Owns also what was known of them at an earlier moment ([`Cells::until`]).

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::history::{Atom, History, OperationId};
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

/// One operation on a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellOp {
    /// One more than recorded: 0 is before everything.
    pub(super) call: u64,
    /// As `call`; [`NEVER`] when the outcome is unknown, and then the operation is a write or a compare-and-set.
    pub(super) returned: u64,
    pub(super) what: What,
    /// Index in the partition.
    pub(super) at: u32,
}

/// The operations of one register by call.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    pub(super) ops: Vec<CellOp>,
    /// How many values there are, the initial one among them.
    pub(super) values: u32,
    pub(super) initial: u32,
}

impl Cells {
    /// The operations `ids`, or `None` when one of them is not of a register.
    pub(super) fn new<M: Model>(
        history: &History,
        model: &M,
        ids: &[OperationId],
        initial: Option<Atom>,
    ) -> Option<Self> {
        let mut names = Names::new(history, ids, initial);
        let initial = match initial {
            Some(atom) => names.name(atom),
            None => names.fresh(),
        };
        let mut ops = Vec::with_capacity(ids.len());
        let mut is_sorted = true;
        let mut latest = 0;
        for (at, &id) in ids.iter().enumerate() {
            let operation = history.operation(id);
            let what = match model.action(history, operation)? {
                Action::Nothing => continue,
                Action::Read(value) => What::Read(names.name(value)),
                Action::Write(value) => What::Write(names.name(value)),
                Action::Cas { from, to, done } => match (from == to, done) {
                    (_, Some(false)) => What::Miss(names.name(from)),
                    (true, Some(true)) => What::Read(names.name(from)),
                    (true, None) => continue,
                    (false, _) => What::Cas(names.name(from), names.name(to)),
                },
                _ => return None,
            };
            let call = operation.call.checked_add(1)?;
            let returned = match operation.returned {
                // The largest times are the marks of this module.
                Some(returned) => returned.checked_add(1).filter(|&returned| returned != NEVER)?,
                None => NEVER,
            };
            is_sorted &= latest <= call;
            latest = call;
            ops.push(CellOp {
                call,
                returned,
                what,
                at: at as u32,
            });
        }
        if !is_sorted {
            ops.sort_by_key(|op| op.call);
        }
        Some(Cells {
            ops,
            values: names.count,
            initial,
        })
    }

    /// What was known when the operations `by_return[..count]` had returned and no other; `by_return` as of
    /// [`by_return`](Self::by_return).
    pub(super) fn until(&self, by_return: &[u32], count: usize) -> Cells {
        let mut ops = Vec::new();
        if let Some(&last) = by_return[..count].last() {
            let end = self.ops[last as usize];
            for op in &self.ops {
                if op.call > end.returned {
                    break;
                }
                let has_returned = (op.returned, op.at) <= (end.returned, end.at);
                match op.what {
                    _ if has_returned => ops.push(*op),
                    What::Write(_) | What::Cas(..) => ops.push(CellOp { returned: NEVER, ..*op }),
                    What::Read(_) | What::Miss(_) => {}
                }
            }
        }
        Cells { ops, ..*self }
    }

    /// The operations that returned, by return; equal returns in the order of the history.
    pub(super) fn by_return(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.ops.len() as u32)
            .filter(|&op| self.ops[op as usize].returned != NEVER)
            .collect();
        order.sort_unstable_by_key(|&op| (self.ops[op as usize].returned, self.ops[op as usize].at));
        order
    }
}

/// Small integers for atoms: a table where the atoms lie close together, else a map.
struct Names {
    count: u32,
    null: u32,
    /// Names of the integers from `least` on.
    integers: Vec<u32>,
    least: i64,
    texts: Vec<u32>,
    others: HashMap<Atom, u32, FxBuildHasher>,
}

impl Names {
    /// `ids` are to be named, which no table should outgrow.
    fn new(history: &History, ids: &[OperationId], initial: Option<Atom>) -> Self {
        let (mut least, mut greatest) = (i64::MAX, i64::MIN);
        let mut see = |atom: Atom| {
            if let Atom::Integer(integer) = atom {
                least = least.min(integer);
                greatest = greatest.max(integer);
            }
        };
        for &id in ids {
            history.operation(id).op.arguments().for_each(&mut see);
        }
        initial.into_iter().for_each(&mut see);
        let room = 4 * ids.len() as u64 + 64;
        let table = |size: u64| vec![NONE; if size <= room { size as usize } else { 0 }];
        let span = greatest
            .checked_sub(least)
            .and_then(|span| u64::try_from(span).ok())
            .map_or(0, |span| span.saturating_add(1));
        Names {
            count: 0,
            null: NONE,
            integers: table(span),
            least,
            texts: table(history.texts() as u64),
            others: HashMap::default(),
        }
    }

    fn fresh(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    fn name(&mut self, atom: Atom) -> u32 {
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
