//! A node's own clock: offset, drift and steps against true time.
//!
//! Owns the map from true time to local time and back. It is integer maths throughout:
//! `local = base_local + (t - base_true) * (1_000_000 + ppm) / 1_000_000`, rounded down; a change of drift and a step set new
//! bases. Timers that hang on a clock are re-derived by `kernel` when it changes.

use crate::random::Stream;
use crate::time::{Duration, LocalTime, Time};
use serde::{Deserialize, Serialize};

const MILLION: u64 = 1_000_000;

/// The greatest drift either way, in parts per million: a clock runs at half to one and a half times the true rate.
pub const DRIFT_LIMIT_PPM: u32 = 500_000;

/// How far the clocks of the nodes are off at the start. Each node draws its own from the `clocks` stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockConfig {
    /// Each node's clock is ahead of true time by 0 to this much.
    pub offset_max: Duration,
    /// Each node's clock drifts by up to this much, fast or slow; at most [`DRIFT_LIMIT_PPM`].
    pub drift_max_ppm: u32,
}

/// The clock of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    base_true: Time,
    base_local: LocalTime,
    /// Within `DRIFT_LIMIT_PPM` either way, so that local time always advances; or `STILL`.
    ppm: i32,
    /// Where the clock stands still: how it goes on, and since when it stands.
    frozen: Option<Frozen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frozen {
    /// The drift that it has when it goes on.
    ppm: i32,
    since: Time,
}

/// The drift of a clock that stands still.
const STILL: i32 = -1_000_000;

impl Clock {
    /// A clock that starts at `offset` and drifts by `ppm` parts per million.
    ///
    /// # Panics
    ///
    /// When the drift is beyond [`DRIFT_LIMIT_PPM`].
    pub fn new(offset: Duration, ppm: i32) -> Self {
        let mut clock = Self {
            base_true: Time::ZERO,
            base_local: LocalTime(offset.0),
            ppm: 0,
            frozen: None,
        };
        clock.set_drift(Time::ZERO, ppm);
        clock
    }

    pub(crate) fn draw(config: &ClockConfig, stream: &mut Stream) -> Self {
        let offset = stream.duration(Duration::ZERO, config.offset_max);
        let width = 2 * u64::from(config.drift_max_ppm);
        let ppm = stream.range(0, width) as i64 - i64::from(config.drift_max_ppm);
        Self::new(offset, ppm as i32)
    }

    /// The reading at true time `now`, which must not be before the last change of this clock.
    #[inline]
    pub fn local(&self, now: Time) -> LocalTime {
        let elapsed = now.since(self.base_true).0;
        let advance = if self.ppm == 0 {
            elapsed
        } else {
            scale(elapsed, self.rate(), MILLION, false)
        };
        LocalTime(self.base_local.0.saturating_add(advance))
    }

    /// The first true time at which the clock reads `local` or later; the time of the last change if it read that before, and the
    /// end of time if it stands still.
    pub fn true_time(&self, local: LocalTime) -> Time {
        let advance = local.since(self.base_local).0;
        let elapsed = if self.ppm == 0 {
            advance
        } else if self.frozen.is_some() {
            // As it stands now, never.
            if advance == 0 { 0 } else { u64::MAX }
        } else {
            scale(advance, MILLION, self.rate(), true)
        };
        Time(self.base_true.0.saturating_add(elapsed))
    }

    /// The present drift, in parts per million; of a clock that stands still, the one with which it goes on.
    pub fn drift_ppm(&self) -> i32 {
        self.frozen.map_or(self.ppm, |frozen| frozen.ppm)
    }

    /// Whether it stands still.
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// From `now` on the clock stands still.
    pub fn freeze(&mut self, now: Time) {
        if self.frozen.is_none() {
            *self = Self {
                base_true: now,
                base_local: self.local(now),
                ppm: STILL,
                frozen: Some(Frozen {
                    ppm: self.ppm,
                    since: now,
                }),
            };
        }
    }

    /// At `now` a clock that stands still goes on: from where it stands, or with a leap to what it would read if it had not stood
    /// still.
    pub fn thaw(&mut self, now: Time, leap: bool) {
        let Some(frozen) = self.frozen.take() else { return };
        (self.base_true, self.ppm) = (frozen.since, frozen.ppm);
        let stood = self.base_local;
        let would_read = self.local(now);
        self.base_true = now;
        self.base_local = if leap { would_read } else { stood };
    }

    /// From `now` on the clock drifts by `ppm`, or from when it goes on if it stands still; the reading itself does not jump.
    ///
    /// # Panics
    ///
    /// When the drift is beyond [`DRIFT_LIMIT_PPM`].
    pub fn set_drift(&mut self, now: Time, ppm: i32) {
        assert!(
            ppm.unsigned_abs() <= DRIFT_LIMIT_PPM,
            "clock: a drift of {ppm} ppm is beyond {DRIFT_LIMIT_PPM} ppm"
        );
        if let Some(frozen) = &mut self.frozen {
            frozen.ppm = ppm;
            return;
        }
        *self = Self {
            base_true: now,
            base_local: self.local(now),
            ppm,
            frozen: None,
        };
    }

    /// At `now` the reading jumps by `by` nanoseconds, back as far as zero.
    pub fn step(&mut self, now: Time, by: i64) {
        let base_local = LocalTime(self.local(now).0.saturating_add_signed(by));
        *self = Self {
            base_true: now,
            base_local,
            ..*self
        };
    }

    fn rate(&self) -> u64 {
        MILLION.wrapping_add_signed(i64::from(self.ppm))
    }
}

/// `value * by / of`, rounded up or down, saturating.
#[inline]
fn scale(value: u64, by: u64, of: u64, up: bool) -> u64 {
    let round = if up { of - 1 } else { 0 };
    // Within some hours the product fits into 64 bits, where dividing is several times cheaper.
    if let Some(product) = value.checked_mul(by).and_then(|product| product.checked_add(round)) {
        return product / of;
    }
    let wide = (u128::from(value) * u128::from(by) + u128::from(round)) / u128::from(of);
    u64::try_from(wide).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 86_400_000_000_000;

    fn drift() -> impl Strategy<Value = i32> {
        let limit = DRIFT_LIMIT_PPM as i32;
        prop_oneof![Just(0), -limit..=limit, -200..=200]
    }

    proptest! {
        #[test]
        fn true_time_is_the_inverse_of_local(offset in 0..DAY, ppm in drift(), start in 0..DAY, wait in 0..DAY) {
            let mut clock = Clock::new(Duration(offset), 0);
            clock.set_drift(Time(start), ppm);
            let deadline = clock.local(Time(start)) + Duration(wait);
            let due = clock.true_time(deadline);
            prop_assert!(clock.local(due) >= deadline);
            prop_assert!(wait == 0 || clock.local(Time(due.0 - 1)) < deadline);
        }

        #[test]
        fn without_steps_a_clock_never_goes_back(offset in 0..DAY, changes in prop::collection::vec((0..DAY, drift()), 1..20)) {
            let mut clock = Clock::new(Duration(offset), 0);
            let (mut now, mut reading) = (Time::ZERO, LocalTime::ZERO);
            for (wait, ppm) in changes {
                now += Duration(wait);
                prop_assert!(clock.local(now) >= reading);
                reading = clock.local(now);
                clock.set_drift(now, ppm);
                prop_assert_eq!(clock.local(now), reading);
            }
        }

        #[test]
        fn a_step_moves_the_reading_by_exactly_so_much(offset in 0..DAY, ppm in drift(), now in 0..DAY, by in -(DAY as i64)..DAY as i64) {
            let mut clock = Clock::new(Duration(offset), ppm);
            let before = clock.local(Time(now)).0;
            clock.step(Time(now), by);
            prop_assert_eq!(clock.local(Time(now)).0, before.saturating_add_signed(by));
        }
    }

    #[test]
    fn a_clock_that_stands_still_goes_on_from_there_or_leaps() {
        let reading = |leap| {
            let mut clock = Clock::new(Duration(100), 500_000);
            clock.freeze(Time(10));
            assert!(clock.is_frozen() && clock.drift_ppm() == 500_000);
            assert_eq!(
                (clock.local(Time(10)), clock.local(Time(50))),
                (LocalTime(115), LocalTime(115))
            );
            assert_eq!(
                (clock.true_time(LocalTime(115)), clock.true_time(LocalTime(116))),
                (Time(10), Time::MAX)
            );
            clock.set_drift(Time(20), 0);
            clock.step(Time(30), 5);
            clock.freeze(Time(40));
            assert_eq!(clock.local(Time(50)), LocalTime(120));
            clock.thaw(Time(60), leap);
            assert!(!clock.is_frozen() && clock.drift_ppm() == 0);
            (clock.local(Time(60)), clock.local(Time(70)))
        };
        assert_eq!(reading(false), (LocalTime(120), LocalTime(130)));
        // By now it has gone without drift for the fifty nanoseconds that it stood still.
        assert_eq!(reading(true), (LocalTime(170), LocalTime(180)));
    }

    #[test]
    fn wide_products_equal_narrow_ones() {
        let clock = Clock::new(Duration::ZERO, 100);
        assert_eq!(clock.local(Time(10_000 * DAY)), LocalTime(10_000 * DAY + DAY));
        assert_eq!(clock.true_time(LocalTime(10_000 * DAY + DAY)), Time(10_000 * DAY));
    }

    #[test]
    fn clocks_that_may_be_off_are_off_and_others_are_not() {
        let mut stream = Stream::new(1, "clocks", 0);
        assert_eq!(
            Clock::draw(&ClockConfig::default(), &mut stream),
            Clock::new(Duration::ZERO, 0)
        );
        let config = ClockConfig {
            offset_max: Duration::from_secs(1),
            drift_max_ppm: 100,
        };
        let clocks: Vec<Clock> = (0..200).map(|_| Clock::draw(&config, &mut stream)).collect();
        assert!(
            clocks
                .iter()
                .all(|clock| clock.ppm.abs() <= 100 && clock.base_local.0 <= 1_000_000_000)
        );
        assert!(clocks.iter().any(|clock| clock.ppm < -50) && clocks.iter().any(|clock| clock.ppm > 50));
    }
}
