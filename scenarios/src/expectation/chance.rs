//! When silence is no accident: integer bounds on how likely it is that something of a known rate stays away.

use crate::scenario::Rate;

/// Silence that is less likely than one in so many is a finding.
pub const ACCIDENT: u64 = 1_000_000;

/// What stands for a chance of one.
const ONE: u128 = 1_000_000_000_000_000_000;

/// After how many runs it is a finding that something of this rate never came about: the least number for which the chance of
/// that, each run for itself, is below one in [`ACCIDENT`].
pub fn runs_to_tell(rate: Rate) -> u64 {
    let is_enough = |runs: u64| silence(rate, runs) * u128::from(ACCIDENT) < ONE;
    // A rate of one in a million, the lowest, needs 14 millions.
    let (mut too_few, mut enough) = (0, 1 << 24);
    while enough - too_few > 1 {
        let middle = u64::midpoint(too_few, enough);
        if is_enough(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    enough
}

/// The chance, in parts of [`ONE`] and rounded up, that something of this rate does not come about in so many runs.
fn silence(rate: Rate, runs: u64) -> u128 {
    let times = |one: u128, other: u128| (one * other).div_ceil(ONE);
    let (of, all) = (u128::from(rate.of), u128::from(rate.runs));
    let mut power = ((all - of) * ONE).div_ceil(all);
    let mut chance = ONE;
    let mut left = runs;
    while left > 0 {
        if left % 2 == 1 {
            chance = times(chance, power);
        }
        power = times(power, power);
        left /= 2;
    }
    chance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_runs_make_silence_less_likely_than_one_in_a_million() {
        // By hand: the least n with (1 - rate)^n < 10^-6.
        for (rate, runs) in [
            (Rate::one_in(1), 1),
            (Rate { of: 9, runs: 10 }, 7),
            (Rate::one_in(2), 20),
            (Rate::one_in(10), 132),
            (Rate::one_in(50), 684),
            (Rate::one_in(1_000), 13_809),
            (Rate::one_in(1_000_000), 13_815_504),
        ] {
            assert_eq!(runs_to_tell(rate), runs, "{rate}");
        }
    }

    #[test]
    fn the_chance_of_silence_is_rounded_up() {
        assert_eq!(silence(Rate::one_in(2), 1), ONE / 2);
        assert_eq!(silence(Rate::one_in(3), 1), ONE / 3 * 2 + 1);
        assert_eq!(silence(Rate::one_in(1), 1), 0);
        assert_eq!(silence(Rate::one_in(7), 0), ONE);
    }
}
