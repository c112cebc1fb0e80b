//! Numbers with units: durations, ratios and sizes, read and written exactly.
//!
//! Owns the spelling of a single quantity and of a range of two. Integer maths only: what cannot be represented exactly
//! is refused, not rounded. Leaves bounds and places to the callers.

use super::nearest::nearest;

/// A kind of quantity: its units, and an example for whoever wrote it wrongly.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// What it is called: "duration", "ratio" or "size".
    pub noun: &'static str,
    /// Units by name, each as a multiple of the smallest.
    units: &'static [(&'static str, i128)],
    /// The unit in which nothing is written: "0ms", not "0ns".
    zero_unit: &'static str,
    /// A well-formed quantity.
    pub example: &'static str,
}

/// Nanoseconds: `ns`, `us`, `ms`, `s`, `m` (minutes) and `h`.
pub static DURATION: Family = Family {
    noun: "duration",
    units: &[
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60 * 1_000_000_000),
        ("h", 3_600 * 1_000_000_000),
    ],
    zero_unit: "ms",
    example: "150ms",
};

/// Parts per million: `ppm` and `%`.
pub static RATIO: Family = Family {
    noun: "ratio",
    units: &[("ppm", 1), ("%", 10_000)],
    zero_unit: "%",
    example: "0.5%",
};

/// Bytes: `B`, `KiB` and `MiB`.
pub static SIZE: Family = Family {
    noun: "size",
    units: &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20)],
    zero_unit: "B",
    example: "64KiB",
};

impl Family {
    /// The names of the units, smallest first.
    pub fn unit_names(&self) -> Vec<&'static str> {
        self.units.iter().map(|(name, _)| *name).collect()
    }
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No digits where the number should be.
    #[error("\"{0}\" does not start with a number")]
    NoNumber(String),
    /// A number alone.
    #[error("\"{0}\" has no unit")]
    NoUnit(String),
    /// A number with something that is no unit of the family.
    #[error("\"{unit}\" is not a unit of a {noun}")]
    UnknownUnit {
        /// What stands where the unit should be.
        unit: String,
        /// The family's noun.
        noun: &'static str,
        /// The unit that was probably meant.
        nearest: Option<&'static str>,
    },
    /// Digits below the smallest unit.
    #[error("\"{text}\" is finer than 1{unit}, the finest {noun} there is")]
    TooFine {
        /// The quantity.
        text: String,
        /// The smallest unit.
        unit: &'static str,
        /// The family's noun.
        noun: &'static str,
    },
    /// More digits than any bound allows.
    #[error("\"{0}\" is too large")]
    TooLarge(String),
    /// A `..` with nothing on one side, or two of them.
    #[error("\"{0}\" is not a range of two values")]
    NotARange(String),
}

/// Longest integer or fractional part that is looked at: 18 digits times the largest unit stay far inside an `i128`.
const MAX_DIGITS: usize = 18;

/// Reads one quantity, in the family's smallest unit. A leading minus is accepted here and refused by the caller's bounds.
pub fn parse(family: &'static Family, text: &str) -> Result<i128, QuantityError> {
    let trimmed = text.trim();
    let unsigned = trimmed.strip_prefix('-').unwrap_or(trimmed);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, unit) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(QuantityError::NoNumber(trimmed.to_owned()));
    }
    let scale = scale_of(family, unit.trim(), trimmed)?;
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.len() > MAX_DIGITS {
        return Err(QuantityError::TooLarge(trimmed.to_owned()));
    }
    let too_fine = || QuantityError::TooFine {
        text: trimmed.to_owned(),
        unit: family.units[0].0,
        noun: family.noun,
    };
    if fraction.len() > MAX_DIGITS {
        return Err(too_fine());
    }
    let tens = 10_i128.pow(u32::try_from(fraction.len()).expect("at most 18 digits"));
    let parts = digits(fraction) * scale;
    if parts % tens != 0 {
        return Err(too_fine());
    }
    let magnitude = digits(whole) * scale + parts / tens;
    Ok(if unsigned.len() == trimmed.len() {
        magnitude
    } else {
        -magnitude
    })
}

/// Reads "A..B", or "A" as the range of one value; both in the family's smallest unit, in the order written.
pub fn parse_range(family: &'static Family, text: &str) -> Result<(i128, i128), QuantityError> {
    let Some((first, second)) = text.split_once("..") else {
        let value = parse(family, text)?;
        return Ok((value, value));
    };
    if first.trim().is_empty() || second.trim().is_empty() || second.contains("..") {
        return Err(QuantityError::NotARange(text.trim().to_owned()));
    }
    Ok((parse(family, first)?, parse(family, second)?))
}

/// Writes a quantity so that [`parse`] gives it back: in the largest unit that needs at most three decimals, or none for
/// minutes, hours and sizes.
pub fn format(family: &'static Family, value: i128) -> String {
    if value == 0 {
        return format!("0{}", family.zero_unit);
    }
    let sign = if value < 0 { "-" } else { "" };
    let value = value.abs();
    let (smallest, _) = family.units[0];
    for &(unit, scale) in family.units.iter().rev() {
        let large_enough = value >= scale || (unit == "%" && value * 10 >= scale);
        let decimals = !["KiB", "MiB", "m", "h"].contains(&unit);
        let exact = if decimals {
            value * 1_000 % scale == 0
        } else {
            value % scale == 0
        };
        if !large_enough || !exact {
            continue;
        }
        let (whole, thousandths) = (value / scale, value % scale * 1_000 / scale);
        if thousandths == 0 {
            return format!("{sign}{whole}{unit}");
        }
        return format!(
            "{sign}{whole}.{}{unit}",
            format!("{thousandths:03}").trim_end_matches('0')
        );
    }
    format!("{sign}{value}{smallest}")
}

/// Writes a range so that [`parse_range`] gives it back.
pub fn format_range(family: &'static Family, min: i128, max: i128) -> String {
    if min == max {
        return format(family, min);
    }
    format!("{}..{}", format(family, min), format(family, max))
}

fn scale_of(family: &'static Family, unit: &str, text: &str) -> Result<i128, QuantityError> {
    if unit.is_empty() {
        return Err(QuantityError::NoUnit(text.to_owned()));
    }
    family
        .units
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, scale)| *scale)
        .ok_or_else(|| QuantityError::UnknownUnit {
            unit: unit.to_owned(),
            noun: family.noun,
            nearest: nearest(unit, &family.unit_names()),
        })
}

fn digits(text: &str) -> i128 {
    text.bytes()
        .fold(0, |value, digit| value * 10 + i128::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_are_exact() {
        assert_eq!(parse(&DURATION, "1.5ms"), Ok(1_500_000));
        assert_eq!(parse(&DURATION, "10us"), Ok(10_000));
        assert_eq!(parse(&DURATION, "100ns"), Ok(100));
        assert_eq!(parse(&DURATION, "1m"), Ok(60_000_000_000));
        assert_eq!(parse(&DURATION, "0.5h"), Ok(1_800_000_000_000));
        assert_eq!(parse(&DURATION, "-500 ms"), Ok(-500_000_000));
        assert_eq!(parse(&DURATION, "0.000000001s"), Ok(1));
        assert_eq!(parse(&RATIO, "0.5%"), Ok(5_000));
        assert_eq!(parse(&RATIO, "200ppm"), Ok(200));
        assert_eq!(parse(&SIZE, "64KiB"), Ok(65_536));
        assert_eq!(parse(&SIZE, "0.5KiB"), Ok(512));
        assert_eq!(parse_range(&DURATION, "1ms..10ms"), Ok((1_000_000, 10_000_000)));
        assert_eq!(parse_range(&DURATION, "-2s .. 2s"), Ok((-2_000_000_000, 2_000_000_000)));
        assert_eq!(parse_range(&DURATION, "2s"), Ok((2_000_000_000, 2_000_000_000)));
    }

    #[test]
    fn what_is_not_a_quantity_says_why() {
        let why = |text: &str| parse_range(&DURATION, text).unwrap_err().to_string();
        assert_eq!(why("5"), "\"5\" has no unit");
        assert_eq!(why("1..10ms"), "\"1\" has no unit");
        assert_eq!(why("soon"), "\"soon\" does not start with a number");
        assert_eq!(why(".5s"), "\".5s\" does not start with a number");
        assert_eq!(why("1.2.3s"), "\"1.2.3s\" does not start with a number");
        assert_eq!(why("5 msec"), "\"msec\" is not a unit of a duration");
        assert_eq!(
            why("0.5ns"),
            "\"0.5ns\" is finer than 1ns, the finest duration there is"
        );
        assert_eq!(why("1234567890123456789h"), "\"1234567890123456789h\" is too large");
        assert_eq!(why("1s.."), "\"1s..\" is not a range of two values");
        assert_eq!(why("1s..2s..3s"), "\"1s..2s..3s\" is not a range of two values");
        assert_eq!(
            parse(&RATIO, "0.00001%").unwrap_err().to_string(),
            "\"0.00001%\" is finer than 1ppm, the finest ratio there is"
        );
    }

    #[test]
    fn quantities_are_written_for_people() {
        assert_eq!(format(&DURATION, 0), "0ms");
        assert_eq!(format(&DURATION, 1_500_000), "1.5ms");
        assert_eq!(format(&DURATION, 90_000_000_000), "90s");
        assert_eq!(format(&DURATION, 120_000_000_000), "2m");
        assert_eq!(format(&DURATION, -1_000_001), "-1000.001us");
        assert_eq!(format(&RATIO, 5_000), "0.5%");
        assert_eq!(format(&RATIO, 15_000), "1.5%");
        assert_eq!(format(&RATIO, 200), "200ppm");
        assert_eq!(format(&SIZE, 1_536), "1536B");
        assert_eq!(format_range(&DURATION, 1_000_000, 10_000_000), "1ms..10ms");
    }

    proptest! {
        #[test]
        fn a_written_quantity_reads_back(value in -4_000_000_000_000_i128..4_000_000_000_000, exponent in 0_u32..10) {
            let value = value / 10_i128.pow(exponent);
            for family in [&DURATION, &RATIO, &SIZE] {
                prop_assert_eq!(parse(family, &format(family, value)), Ok(value));
                prop_assert_eq!(parse_range(family, &format_range(family, value, value + 7)), Ok((value, value + 7)));
            }
        }

        #[test]
        fn no_text_panics(text in "[0-9.a-zA-Zµ%\\- ]{0,40}") {
            for family in [&DURATION, &RATIO, &SIZE] {
                let _ = parse_range(family, &text);
            }
        }
    }
}
