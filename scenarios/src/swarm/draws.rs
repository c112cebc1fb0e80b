//! The distributions of a swarm: log-uniform rates and times, in integers.

use super::masks::Mask;
use crate::scenario::DurationRange;
use simulator::Stream;

const MILLISECOND: u64 = 1_000_000;

/// Draws for one class or for the masks, from a stream of its own.
pub(super) struct Draws {
    stream: Stream,
    /// What the seed drew for the whole.
    pub mask: Mask,
}

impl Draws {
    pub fn new(seed: u64, name: &str, index: u64) -> Self {
        Self {
            stream: Stream::new(seed, name, index),
            mask: Mask::default(),
        }
    }

    /// One of these, each as likely.
    pub fn of<T: Copy>(&mut self, items: &[T]) -> T {
        *self.stream.pick(items).expect("a draw is among something")
    }

    pub fn flag(&mut self) -> bool {
        self.of(&[false, true])
    }

    /// About as likely in each doubling between two bounds above zero, both of which can come out.
    pub fn log_uniform(&mut self, min: u64, max: u64) -> u64 {
        let octaves = (max / min.max(1)).ilog2();
        let low = min.max(1) << self.stream.range(0, octaves.into());
        self.stream.range(low, low.saturating_mul(2).min(max))
    }

    /// A ratio in parts per million.
    pub fn ppm(&mut self, min: u32, max: u32) -> u32 {
        u32::try_from(self.log_uniform(min.into(), max.into())).expect("it lies between two that fit")
    }

    /// A range of times that begins at nothing or next to it.
    pub fn up_to(&mut self, min_ms: u64, max_ms: u64) -> DurationRange {
        DurationRange {
            min_ns: 0,
            max_ns: self.log_uniform(min_ms, max_ms) * MILLISECOND,
        }
    }

    /// How often a fault strikes: many and short, or few and long.
    pub fn every(&mut self) -> DurationRange {
        let (min, max) = if self.mask.many { (300, 1_500) } else { (1_500, 4_000) };
        self.around(min, max)
    }

    /// How long a fault lasts.
    pub fn lasts(&mut self) -> DurationRange {
        let (min, max) = if self.mask.many { (20, 400) } else { (400, 2_500) };
        self.around(min, max)
    }

    /// A range of times from a draw to thrice that.
    pub fn around(&mut self, min_ms: u64, max_ms: u64) -> DurationRange {
        let shortest = self.log_uniform(min_ms, max_ms) * MILLISECOND;
        DurationRange {
            min_ns: shortest,
            max_ns: shortest * 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubling_is_about_as_likely_and_both_bounds_can_come_out() {
        let mut draws = Draws::new(1, "test", 0);
        let drawn: Vec<u64> = (0..8_000).map(|_| draws.log_uniform(10, 160)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&10), Some(&160)));
        for low in [10, 20, 40] {
            let count = drawn.iter().filter(|value| (low..2 * low).contains(*value)).count();
            assert!((1_300..=1_900).contains(&count), "{count} of {low} to {}", 2 * low);
        }
    }
}
