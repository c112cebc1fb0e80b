//! The operations of a history by key: each key is checked alone (Herlihy and Wing 1990, theorem 1: linearizability is local).

use super::lower::NONE;
use crate::history::{History, OperationId};

/// The operations of each key.
pub(super) struct Partitions {
    /// Key by key, those of a key in the order of the history.
    ids: Vec<OperationId>,
    /// End of each key in `ids`; keys in the order of their first operation.
    ends: Vec<u32>,
    /// For each key of the history its place in `ends`.
    places: Vec<u32>,
}

impl Partitions {
    pub(super) fn new(history: &History) -> Self {
        let mut places = vec![NONE; history.keys().len()];
        // First how many operations each key has, then where the next of it goes; that is its end at last.
        let mut ends: Vec<u32> = Vec::new();
        for key in history.key_places() {
            let place = &mut places[key as usize];
            if *place == NONE {
                *place = ends.len() as u32;
                ends.push(0);
            }
            ends[*place as usize] += 1;
        }
        if ends.len() < 2 {
            let ids = history.ids().collect();
            return Partitions { ids, ends, places };
        }
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let Some(first) = history.ids().next() else {
            unreachable!("a history of several keys has operations")
        };
        let mut ids = vec![first; history.len()];
        for (id, key) in history.ids().zip(history.key_places()) {
            let next = &mut ends[places[key as usize] as usize];
            ids[*next as usize] = id;
            *next += 1;
        }
        Partitions { ids, ends, places }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The operations of the key at `index`.
    pub(super) fn get(&self, index: usize) -> &[OperationId] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[start as usize..self.ends[index] as usize]
    }

    /// The key of `id`.
    pub(super) fn of(&self, history: &History, id: OperationId) -> usize {
        self.places[history.key_place(id) as usize] as usize
    }
}
