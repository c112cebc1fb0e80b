//! Virtual time: the world's true time, a node's own local time, and spans of either.
//!
//! Owns the three newtypes and their arithmetic. How a local clock follows true time is in [`crate::clock`]; nothing here
//! ever reads the machine's clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// A point in true virtual time: nanoseconds since the start of the world.
///
/// Sums saturate at [`Time::MAX`], some 584 years, which stands for *never*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A reading of one node's own clock: nanoseconds, comparable only with readings of the same node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalTime(pub u64);

/// A span of time in nanoseconds, never negative.
///
/// ```
/// use simulator::Duration;
/// assert_eq!(Duration::from_micros(1_500).to_string(), "1.5ms");
/// assert_eq!(Duration::from_secs(90).to_string(), "90s");
/// assert_eq!(Duration::ZERO.to_string(), "0s");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(pub u64);

/// The units in which a span is shown, largest first.
const UNITS: [(u64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span, some 584 years.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `micros` microseconds, saturating at [`Duration::MAX`].
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// A span of `millis` milliseconds, saturating at [`Duration::MAX`].
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds, saturating at [`Duration::MAX`].
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The span in whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The span in whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Whether the span is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when `other` is longer.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product, or `None` when it does not fit.
    pub fn checked_mul(self, factor: u64) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// The difference, zero when `other` is longer.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(&(unit, name)) = UNITS.iter().find(|(unit, _)| self.0 >= *unit) else {
            return f.write_str("0s");
        };
        let (whole, mut rest) = (self.0 / unit, self.0 % unit);
        write!(f, "{whole}")?;
        if rest > 0 {
            f.write_str(".")?;
            let mut place = unit / 10;
            while rest > 0 {
                write!(f, "{}", rest / place)?;
                rest %= place;
                place /= 10;
            }
        }
        f.write_str(name)
    }
}

impl Add for Duration {
    type Output = Self;
    /// Saturates at [`Duration::MAX`].
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<u64> for Duration {
    type Output = Self;
    /// Saturates at [`Duration::MAX`].
    fn mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

macro_rules! point_in_time {
    ($name:ident, $start:literal) => {
        impl $name {
            #[doc = $start]
            pub const ZERO: Self = Self(0);
            /// The last representable point, which stands for *never*.
            pub const MAX: Self = Self(u64::MAX);

            /// Nanoseconds since zero.
            pub const fn as_nanos(self) -> u64 {
                self.0
            }

            /// The point `span` later, or `None` when it does not fit.
            pub fn checked_add(self, span: Duration) -> Option<Self> {
                self.0.checked_add(span.0).map(Self)
            }

            /// The span from `earlier` to here, or `None` when `earlier` is later.
            pub fn checked_since(self, earlier: Self) -> Option<Duration> {
                self.0.checked_sub(earlier.0).map(Duration)
            }

            /// The span from `earlier` to here, zero when `earlier` is later.
            pub const fn since(self, earlier: Self) -> Duration {
                Duration(self.0.saturating_sub(earlier.0))
            }
        }

        impl Add<Duration> for $name {
            type Output = Self;
            /// Saturates at `MAX`.
            fn add(self, span: Duration) -> Self {
                Self(self.0.saturating_add(span.0))
            }
        }

        impl AddAssign<Duration> for $name {
            fn add_assign(&mut self, span: Duration) {
                *self = *self + span;
            }
        }

        impl Sub<Duration> for $name {
            type Output = Self;
            /// Saturates at zero.
            fn sub(self, span: Duration) -> Self {
                Self(self.0.saturating_sub(span.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Duration(self.0).fmt(f)
            }
        }
    };
}

point_in_time!(Time, "The start of the world.");
point_in_time!(LocalTime, "The zero of the node's clock, below which it never goes.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_shown_in_the_largest_unit_that_fits() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1us"),
            (1_050, "1.05us"),
            (150_000_000, "150ms"),
            (3_214_000_000, "3.214s"),
            (3_000_000_001, "3.000000001s"),
            (u64::MAX, "18446744073.709551615s"),
        ] {
            assert_eq!(Duration(nanos).to_string(), text);
        }
    }

    #[test]
    fn sums_saturate_and_checked_sums_refuse() {
        assert_eq!(Time(5) + Duration::MAX, Time::MAX);
        assert_eq!(Time(5).checked_add(Duration::MAX), None);
        assert_eq!(Time(5) - Duration(7), Time::ZERO);
        assert_eq!(Time(5).since(Time(7)), Duration::ZERO);
        assert_eq!(Time(5).checked_since(Time(7)), None);
        assert_eq!(LocalTime(7).checked_since(LocalTime(5)), Some(Duration(2)));
        assert_eq!(Duration::from_secs(u64::MAX), Duration::MAX);
    }
}
