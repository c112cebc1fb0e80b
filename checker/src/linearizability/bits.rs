//! Sets of operations in flight, as bits.

use std::hash::Hash;

/// A set of small integers whose bound is fixed when it is made.
pub(super) trait Bits: Clone + Eq + Hash {
    /// The empty set of integers below `width`.
    fn empty(width: usize) -> Self;
    fn contains(&self, bit: u32) -> bool;
    fn insert(&mut self, bit: u32);
    fn remove(&mut self, bit: u32);
    fn is_subset(&self, other: &Self) -> bool;
}

impl Bits for u64 {
    fn empty(width: usize) -> Self {
        assert!(width <= 64, "64 bits hold the operations in flight");
        0
    }

    fn contains(&self, bit: u32) -> bool {
        self >> bit & 1 == 1
    }

    fn insert(&mut self, bit: u32) {
        *self |= 1 << bit;
    }

    fn remove(&mut self, bit: u32) {
        *self &= !(1 << bit);
    }

    fn is_subset(&self, other: &Self) -> bool {
        self & !other == 0
    }
}

/// For histories with more than 64 operations in flight on one key.
impl Bits for Box<[u64]> {
    fn empty(width: usize) -> Self {
        vec![0; width.div_ceil(64)].into_boxed_slice()
    }

    fn contains(&self, bit: u32) -> bool {
        self[bit as usize / 64] >> (bit % 64) & 1 == 1
    }

    fn insert(&mut self, bit: u32) {
        self[bit as usize / 64] |= 1 << (bit % 64);
    }

    fn remove(&mut self, bit: u32) {
        self[bit as usize / 64] &= !(1 << (bit % 64));
    }

    fn is_subset(&self, other: &Self) -> bool {
        self.iter().zip(other).all(|(mine, theirs)| mine & !theirs == 0)
    }
}
