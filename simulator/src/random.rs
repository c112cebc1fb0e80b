//! Named random streams and the integer distributions on them: the only source of chance in a world.
//!
//! Each stream is ChaCha8 under its own key, BLAKE3 of seed, name and index, so a draw added to one stream shifts no other
//! and a seed outlives unrelated changes. The distributions are integer code of our own, so a seed means the same on every
//! platform and under every version of every random crate.
//!
//! Every call of [`Stream::chance`], [`Stream::below`] and their like takes a draw, whatever its bounds: a ratio of zero or a
//! range of one value takes one too. So switching one fault off leaves the draws of all others where they were.

use crate::decision::{Chance, Decisions, Subject, Tape, Topic, Whom};
use crate::time::Duration;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The generator and the derivation of its keys, as traces name it. A change to either is a new name.
pub const RNG: &str = "chacha8/streams-v1";

/// Separates the keys of streams from every other use of BLAKE3.
const KEY_CONTEXT: &str = "squall simulator 2026 random streams v1";

/// A probability in parts per million, from 0 to 1,000,000.
///
/// ```
/// use simulator::Ratio;
/// assert_eq!(Ratio::from_ppm(5_000).to_string(), "0.5%");
/// assert_eq!(Ratio::from_percent(1), Ratio::from_ppm(10_000));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Ratio(u32);

/// A number of parts per million above one million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ratio of {0} parts per million is above one: write a number from 0 to 1000000")]
pub struct RatioError(pub u32);

impl Ratio {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(1_000_000);

    /// A ratio of `ppm` parts per million; what is above one million counts as one million, that is always.
    pub const fn from_ppm(ppm: u32) -> Self {
        if ppm > 1_000_000 { Self::ONE } else { Self(ppm) }
    }

    /// A ratio of `percent` per cent; what is above 100 counts as 100.
    pub const fn from_percent(percent: u32) -> Self {
        Self::from_ppm(percent.saturating_mul(10_000))
    }

    /// Parts per million.
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// Whether this is never.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<u32> for Ratio {
    type Error = RatioError;

    fn try_from(ppm: u32) -> Result<Self, RatioError> {
        if ppm > Self::ONE.0 {
            Err(RatioError(ppm))
        } else {
            Ok(Self(ppm))
        }
    }
}

impl From<Ratio> for u32 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{rest:04}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

/// One named stream of random numbers.
///
/// ```
/// use simulator::Stream;
/// let mut die = Stream::new(42, "die", 0);
/// let roll = die.range(1, 6);
/// assert!((1..=6).contains(&roll));
/// assert_eq!(roll, Stream::new(42, "die", 0).range(1, 6));
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    tape: Option<Box<Tape>>,
}

impl Stream {
    /// The stream called `name`, number `index` of its kind, of the run with this `seed`.
    pub fn new(seed: u64, name: &str, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&index.to_le_bytes());
        hasher.update(name.as_bytes());
        Self {
            generator: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()),
            tape: None,
        }
    }

    /// The same stream, whose decisions are about `topic` and `whom` unless something else is said, and come from where
    /// `chance` says.
    pub(crate) fn taped(mut self, chance: &Chance, topic: Topic, whom: Whom) -> Self {
        self.tape = Tape::new(chance, Subject { topic, whom });
        self
    }

    /// What follows is about this.
    #[inline]
    pub(crate) fn about(&mut self, topic: Topic, whom: impl Into<Whom>) {
        if let Some(tape) = &mut self.tape {
            tape.about(topic, whom.into());
        }
    }

    /// The stream, to be put back by whoever takes it; what stays here until then is worth nothing.
    pub(crate) fn lend(&mut self) -> Self {
        Self {
            generator: self.generator.clone(),
            tape: self.tape.take(),
        }
    }

    /// Draws what is about another topic, for the same party.
    pub fn on<T>(&mut self, topic: Topic, draw: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.tape.as_mut().map(|tape| tape.topic(topic));
        let drawn = draw(self);
        if let (Some(before), Some(tape)) = (before, &mut self.tape) {
            tape.resume(before);
        }
        drawn
    }

    /// What follows is about this, for the same party as before.
    #[inline]
    pub fn topic(&mut self, topic: Topic) {
        if let Some(tape) = &mut self.tape {
            tape.topic(topic);
        }
    }

    /// One decision, which `draw` makes where it is not given. `neutral` is how it falls out when nobody has decided.
    #[inline]
    pub(crate) fn decide(&mut self, neutral: u64, draw: impl FnOnce(&mut Self) -> u64) -> u64 {
        if self.tape.is_none() {
            return draw(self);
        }
        self.decide_on_tape(neutral, draw)
    }

    #[cold]
    fn decide_on_tape(&mut self, neutral: u64, draw: impl FnOnce(&mut Self) -> u64) -> u64 {
        let Some(mut tape) = self.tape.take() else {
            return neutral;
        };
        let value = tape.next(neutral).unwrap_or_else(|key| {
            let value = draw(self);
            if value != neutral {
                tape.record(key, value);
            }
            value
        });
        self.tape = Some(tape);
        value
    }

    /// What was written down, apart from what fell out the neutral way.
    pub(crate) fn recorded(&self) -> Option<&Decisions> {
        self.tape.as_ref().map(|tape| tape.recorded())
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        match &self.tape {
            None => self.generator.next_u64(),
            Some(tape) => self.decide(tape.neutral_bits(), |stream| stream.generator.next_u64()),
        }
    }

    /// A uniform number below `bound`, without bias (Lemire 2019, "Fast random integer generation in an interval").
    ///
    /// # Panics
    ///
    /// When `bound` is zero: there is no such number.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "random: no number is below zero");
        if self.tape.is_some() {
            // What is given may have been decided between other bounds.
            return self.decide(0, |stream| stream.below(bound)).min(bound - 1);
        }
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            // Only here may a draw fall into the incomplete last stripe, so only here is the division paid.
            let stripe = bound.wrapping_neg() % bound;
            while (product as u64) < stripe {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// A uniform number from `min` to `max`, both included.
    ///
    /// # Panics
    ///
    /// When `min` is above `max`.
    #[inline]
    pub fn range(&mut self, min: u64, max: u64) -> u64 {
        assert!(min <= max, "random: the range {min}..={max} is inverted");
        match (max - min).checked_add(1) {
            Some(width) => min + self.below(width),
            None => self.next_u64(),
        }
    }

    /// A uniform span from `min` to `max`, both included.
    ///
    /// # Panics
    ///
    /// When `min` is above `max`.
    #[inline]
    pub fn duration(&mut self, min: Duration, max: Duration) -> Duration {
        Duration(self.range(min.0, max.0))
    }

    /// True with the probability `ratio`.
    #[inline]
    pub fn chance(&mut self, ratio: Ratio) -> bool {
        if self.tape.is_some() {
            return self.decide(0, |stream| stream.chance(ratio).into()) != 0;
        }
        self.below(u64::from(Ratio::ONE.0)) < u64::from(ratio.0)
    }

    /// One of `items`, each as likely; `None` when there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            None
        } else {
            items.get(self.below(items.len() as u64) as usize)
        }
    }

    /// Puts `items` into a random order, each as likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chacha8_is_the_generator_that_seeds_were_recorded_with() {
        let mut generator = ChaCha8Rng::seed_from_u64(42);
        let words = [generator.next_u64(), generator.next_u64(), generator.next_u64()];
        assert_eq!(
            words,
            [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188, 0x6d71_b708_c5b6_538c]
        );
    }

    #[test]
    fn streams_differ_by_seed_name_and_index_only() {
        let first = |seed, name, index| Stream::new(seed, name, index).next_u64();
        assert_eq!(first(1, "disk", 0), first(1, "disk", 0));
        assert_ne!(first(1, "disk", 0), first(2, "disk", 0));
        assert_ne!(first(1, "disk", 0), first(1, "disk", 1));
        assert_ne!(first(1, "disk", 0), first(1, "network", 0));
    }

    #[test]
    fn every_call_takes_one_draw_whatever_its_bounds() {
        let after = |calls: fn(&mut Stream)| {
            let mut stream = Stream::new(7, "test", 0);
            calls(&mut stream);
            stream.next_u64()
        };
        let one = after(|stream| assert!(stream.next_u64() > 0));
        assert_eq!(one, after(|stream| assert!(!stream.chance(Ratio::ZERO))));
        assert_eq!(one, after(|stream| assert!(stream.chance(Ratio::ONE))));
        assert_eq!(one, after(|stream| assert_eq!(stream.below(1), 0)));
        assert_eq!(one, after(|stream| assert_eq!(stream.range(9, 9), 9)));
        assert_eq!(one, after(|stream| assert!(stream.range(0, u64::MAX) > 0)));
    }

    #[test]
    fn a_range_gives_each_value_as_often() {
        let mut stream = Stream::new(3, "test", 0);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_range_of_three_quarters_of_all_numbers_is_not_biased() {
        // Without the rejection of the incomplete stripe half of all draws would be multiples of three.
        let bound = 3_u64 << 62;
        let mut stream = Stream::new(5, "test", 0);
        let multiples = (0..30_000).filter(|_| stream.below(bound).is_multiple_of(3)).count();
        assert!((9_600..10_400).contains(&multiples), "{multiples}");
    }

    #[test]
    fn a_chance_comes_up_as_often_as_its_ratio_says() {
        let mut stream = Stream::new(4, "test", 0);
        let hits = (0..100_000).filter(|_| stream.chance(Ratio::from_percent(30))).count();
        assert!((29_400..30_600).contains(&hits), "{hits}");
    }

    #[test]
    fn ratios_are_shown_exactly_and_refused_above_one() {
        assert_eq!(Ratio::from_ppm(1).to_string(), "0.0001%");
        assert_eq!(Ratio::ONE.to_string(), "100%");
        assert!(serde_json::from_str::<Ratio>("1000001").is_err());
    }

    proptest! {
        #[test]
        fn draws_stay_within_their_bounds(seed: u64, a: u64, b: u64) {
            let (min, max) = (a.min(b), a.max(b));
            let mut stream = Stream::new(seed, "test", 0);
            for _ in 0..8 {
                prop_assert!((min..=max).contains(&stream.range(min, max)));
                prop_assert!(stream.below(max.max(1)) < max.max(1));
            }
        }

        #[test]
        fn a_shuffle_is_a_permutation(seed: u64, size in 0_usize..40) {
            let mut items: Vec<usize> = (0..size).collect();
            Stream::new(seed, "test", 0).shuffle(&mut items);
            items.sort_unstable();
            prop_assert_eq!(items, (0..size).collect::<Vec<_>>());
        }
    }
}
