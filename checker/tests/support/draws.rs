//! Integers from ChaCha8.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded stream of integers.
pub struct Draws(ChaCha8Rng);

impl Draws {
    pub fn new(seed: u64) -> Self {
        Draws(ChaCha8Rng::seed_from_u64(seed))
    }

    /// An integer below `bound`, which is not zero (Lemire 2019, without the rejection: the bias is below bound / 2^64).
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True with this many chances in a thousand.
    pub fn per_mille(&mut self, chances: u64) -> bool {
        self.below(1000) < chances
    }
}
