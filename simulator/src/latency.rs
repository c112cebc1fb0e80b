//! How long a thing takes: a uniform span, with a bounded long tail in some cases.
//!
//! Shared by the network and the disks; who counts a tail as a fault is up to them.

use crate::random::{Ratio, Stream};
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// A distribution of latencies: uniform from `min` to `max`, and in the share `tail` of the cases a long tail, from `max` to
/// `tail_max`.
///
/// The tail is uniform over octaves: as likely between `max` and twice `max` as between twice and four times, and so on up to
/// `tail_max`. A tail that is uniform in nanoseconds would hardly ever give a delay that is only somewhat too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The shortest latency.
    pub min: Duration,
    /// The longest latency outside the tail, at least `min`.
    pub max: Duration,
    /// How often the tail is drawn.
    pub tail: Ratio,
    /// The longest latency of the tail, at least `max` when `tail` is not zero.
    pub tail_max: Duration,
}

impl Latency {
    /// Always exactly `span`.
    pub const fn fixed(span: Duration) -> Self {
        Self::uniform(span, span)
    }

    /// Uniform from `min` to `max`, without a tail.
    pub const fn uniform(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max,
            tail: Ratio::ZERO,
            tail_max: max,
        }
    }

    /// The same with a tail: in the share `ratio` of the cases from the present maximum to `max`.
    #[must_use]
    pub const fn with_tail(self, ratio: Ratio, max: Duration) -> Self {
        Self {
            tail: ratio,
            tail_max: max,
            ..self
        }
    }

    /// The same without a tail.
    #[must_use]
    pub const fn without_tail(self) -> Self {
        Self::uniform(self.min, self.max)
    }

    /// Whether the bounds are in order.
    pub fn is_valid(&self) -> bool {
        self.min <= self.max && (self.tail.is_zero() || self.max <= self.tail_max)
    }

    /// Draws a latency, and says whether it came from the tail. It is one decision; undecided, it is the shortest.
    #[inline]
    pub(crate) fn draw(&self, stream: &mut Stream) -> (Duration, bool) {
        let mut in_tail = None;
        let latency = stream.decide(self.min.0, |stream| {
            let (latency, is_in_tail) = self.draw_anew(stream);
            in_tail = Some(is_in_tail);
            latency.0
        });
        (Duration(latency), in_tail.unwrap_or(latency > self.max.0))
    }

    #[inline]
    fn draw_anew(&self, stream: &mut Stream) -> (Duration, bool) {
        let usual = stream.duration(self.min, self.max);
        if stream.chance(self.tail) {
            (self.draw_tail(stream), true)
        } else {
            (usual, false)
        }
    }

    fn draw_tail(&self, stream: &mut Stream) -> Duration {
        // Octaves start at 1 us at least, else a maximum of zero would make all of them empty.
        let start = self.max.0.max(1_000).min(self.tail_max.0);
        let octaves = u64::from((self.tail_max.0 / start.max(1)).checked_ilog2().unwrap_or(0)) + 1;
        let low = start << stream.below(octaves);
        let high = low.saturating_mul(2).min(self.tail_max.0);
        Duration(stream.range(low.min(high), high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn latencies_stay_within_their_bounds(seed: u64, spans in any::<[u64; 3]>(), tail in 0_u32..=1_000_000) {
            let mut spans = spans;
            spans.sort_unstable();
            let [min, max, tail_max] = spans.map(Duration);
            let latency = Latency::uniform(min, max).with_tail(Ratio::from_ppm(tail), tail_max);
            prop_assert!(latency.is_valid());
            let mut stream = Stream::new(seed, "test", 0);
            for _ in 0..8 {
                let (drawn, in_tail) = latency.draw(&mut stream);
                prop_assert!(drawn <= tail_max);
                let in_bounds = if in_tail { drawn >= max.min(tail_max) } else { (min..=max).contains(&drawn) };
                prop_assert!(in_bounds);
            }
        }
    }

    #[test]
    fn the_tail_reaches_its_last_octave_and_its_first() {
        let ms = Duration::from_millis;
        let latency = Latency::uniform(ms(1), ms(10)).with_tail(Ratio::ONE, ms(1_000));
        let mut stream = Stream::new(1, "test", 0);
        let drawn: Vec<Duration> = (0..1_000).map(|_| latency.draw(&mut stream).0).collect();
        assert!(drawn.iter().filter(|span| **span > ms(600)).count() > 30);
        assert!(drawn.iter().filter(|span| **span < ms(20)).count() > 80);
    }

    #[test]
    fn inverted_bounds_are_not_valid() {
        assert!(!Latency::uniform(Duration(2), Duration(1)).is_valid());
        assert!(
            !Latency::uniform(Duration(1), Duration(2))
                .with_tail(Ratio::ONE, Duration(1))
                .is_valid()
        );
    }
}
