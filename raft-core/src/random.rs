//! The jitter of the election timeouts: SplitMix64 (Steele, Lea and Flood, 2014), seeded by the driver, so that a node's
//! inputs and its seed are its whole replay.

/// A small generator; not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `min ..= max`. The bias of the multiplication is below `(max - min) / 2^64`.
    pub(crate) fn between(&mut self, min: u64, max: u64) -> u64 {
        debug_assert!(min <= max, "an empty range has no number in it");
        let width = u128::from(max - min) + 1;
        min + ((u128::from(self.next()) * width) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Jitter;

    #[test]
    fn draws_stay_in_range_and_reach_both_ends() {
        let mut jitter = Jitter::new(1);
        let mut seen = [false; 4];
        for _ in 0..200 {
            seen[(jitter.between(10, 13) - 10) as usize] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(jitter.between(5, 5), 5);
    }
}
