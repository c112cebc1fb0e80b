//! Lists with distinct elements that are read as a whole: every read is a position.
//!
//! The longest read fixes the order of the elements that anybody saw. All other reads must be prefixes of it; a read of length
//! n stands between the n-th append and the next. Appends that nobody saw come after all reads, or, of unknown outcome, not at
//! all. So everything has its place but for the order among reads of one length and among unseen appends, which the order of
//! their calls settles; what is left is to hold the order against real time in one pass. (The inference of Elle, Kingsbury and
//! Alvaro 2020, for one object, where it is complete.)
//!
//! Linear in the size of the answers.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::lower::{Lowered, Moment, NEVER, NONE, Timed, by_call, known_at};
use super::portfolio::{Contradiction, Decision};
use crate::history::{Atom, History, OperationId};
use crate::models::{Action, Model};

/// What an operation on a list did.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListOp<'h> {
    Append(Atom),
    Read(&'h [Atom]),
}

/// The operations of one list by call.
pub(super) struct Lists<'h> {
    ops: Vec<Timed<ListOp<'h>>>,
}

impl<'h> Lowered for Lists<'h> {
    type What = ListOp<'h>;

    fn ops(&self) -> &[Timed<ListOp<'h>>] {
        &self.ops
    }
}

impl<'h> Lists<'h> {
    /// The operations `ids` as they were known at `until`; `None` when one of them is not of a list.
    pub(super) fn new<M: Model>(
        history: &'h History,
        model: &M,
        ids: &[OperationId],
        until: Option<Moment>,
    ) -> Option<Self> {
        let mut ops = Vec::with_capacity(ids.len());
        let run = history.run(ids);
        for at in 0..ids.len() {
            let Some(operation) = known_at(run.get(at), at, until) else {
                continue;
            };
            let what = match model.action(history, &operation)? {
                Action::Nothing => continue,
                Action::Insert(value) => ListOp::Append(value),
                Action::ReadAll(values) => ListOp::Read(values),
                _ => return None,
            };
            ops.push(Timed::new(&operation, at, what)?);
        }
        Some(Lists { ops: by_call(ops) })
    }

    pub(super) fn decide(&self) -> Decision {
        match self.order() {
            Ok(Some(order)) => Decision::Order(order.into_iter().map(|op| self.ops[op as usize].at).collect()),
            Ok(None) => Decision::Undecided,
            Err(contradiction) => Decision::Impossible(contradiction.map(|op| self.ops[op as usize].at)),
        }
    }

    fn read(&self, index: u32) -> &'h [Atom] {
        match self.ops[index as usize].what {
            ListOp::Read(values) => values,
            ListOp::Append(_) => &[],
        }
    }

    fn order(&self) -> Result<Option<Vec<u32>>, Contradiction> {
        let mut longest = NONE;
        for (index, op) in self.ops.iter().enumerate() {
            if let ListOp::Read(values) = op.what
                && (longest == NONE || values.len() > self.read(longest).len())
            {
                longest = index as u32;
            }
        }
        let elements: &[Atom] = if longest == NONE { &[] } else { self.read(longest) };
        let mut position: HashMap<Atom, usize, FxBuildHasher> = HashMap::default();
        for (place, &element) in elements.iter().enumerate() {
            if position.insert(element, place).is_some() {
                // Perhaps it was appended twice: not for this method.
                return Ok(None);
            }
        }
        let mut appends = vec![NONE; elements.len()];
        let mut unseen = Vec::new();
        // Reads by length, those of one length by call.
        let mut reads: Vec<(usize, u32)> = Vec::new();
        for (index, op) in (0..).zip(&self.ops) {
            match op.what {
                ListOp::Append(element) => match position.get(&element) {
                    Some(&place) if appends[place] == NONE => appends[place] = index,
                    Some(_) => return Ok(None),
                    None if op.returned != NEVER => unseen.push(index),
                    None => {}
                },
                ListOp::Read(values) if elements.starts_with(values) => reads.push((values.len(), index)),
                ListOp::Read(_) => return Err(self.contradiction(&[longest, index], &appends, &position)),
            }
        }
        if appends.contains(&NONE) {
            return Err(self.contradiction(&[longest], &appends, &position));
        }
        reads.sort_by_key(|&(length, _)| length);
        let mut order = Vec::with_capacity(self.ops.len());
        let mut placed = 0;
        for (length, read) in reads {
            order.extend_from_slice(&appends[placed..length]);
            placed = length;
            order.push(read);
        }
        order.extend(unseen);
        let mut latest = (0, NONE);
        for &index in &order {
            let op = &self.ops[index as usize];
            latest = latest.max((op.call, index));
            if op.returned < latest.0 {
                return Err(self.contradiction(&[latest.1, index], &appends, &position));
            }
        }
        Ok(Some(order))
    }

    /// `ops`, what shows the appends among them, and the appends of all that they read.
    fn contradiction(
        &self,
        ops: &[u32],
        appends: &[u32],
        position: &HashMap<Atom, usize, FxBuildHasher>,
    ) -> Contradiction {
        let mut contradiction = Contradiction::default();
        for &index in ops {
            contradiction.add(index, self.ops[index as usize].returned);
            // That an element has a place is known from a read: the shortest one.
            if let ListOp::Append(element) = self.ops[index as usize].what
                && let Some(&place) = position.get(&element)
            {
                let shows = |&read: &u32| self.read(read).len() > place;
                let shown = (0..self.ops.len() as u32)
                    .filter(shows)
                    .min_by_key(|&read| self.ops[read as usize].returned);
                if let Some(read) = shown {
                    contradiction.add(read, self.ops[read as usize].returned);
                }
            }
        }
        let longest = contradiction
            .ops()
            .iter()
            .map(|&op| self.read(op).len())
            .max()
            .unwrap_or(0);
        for &append in &appends[..longest.min(appends.len())] {
            if append != NONE {
                contradiction.add_context(append);
            }
        }
        contradiction
    }
}
